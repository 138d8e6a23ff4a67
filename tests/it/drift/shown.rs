//! What a person reads.

use std::path::PathBuf;

use reachform::plan::alarms_of_drift;
use reachform::plan::drift::{Drift, Unchecked};
use reachform::render::json::drift_document;
use reachform::render::markdown::{CommentContext, drift_body};
use reachform::render::style::Glyphs;
use reachform::render::text::{TextOptions, drift_text};
use reachform::sandbox::Direction;
use serde_json::json;

use super::{applied, edit};
use crate::world::run;

fn expect(case: &str, file: &str, found: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/drift").join(case);
    let path = folder.join(file);
    if std::env::var_os("REACHFORM_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; bless with REACHFORM_BLESS=1", path.display()));
    assert!(wanted == found, "{} differs; found:\n{found}", path.display());
}

fn check(case: &str, drift: &Drift) {
    expect(case, "drift.txt", &drift_text(drift, &TextOptions { width: 100, ..TextOptions::default() }));
    let plain = TextOptions { width: 80, glyphs: Glyphs::ASCII, ..TextOptions::default() };
    expect(case, "drift-80-plain.txt", &drift_text(drift, &plain));
    let context = CommentContext {
        run_url: Some("https://github.com/acme/agents/actions/runs/1234567".to_owned()),
        ..CommentContext::default()
    };
    expect(case, "drift.md", &drift_body(drift, &context).text);
    expect(case, "drift.json", &drift_document(drift));
}

#[test]
fn a_night_in_which_much_was_changed() {
    run(async {
        let mut world = applied(&["riverside", "sales", "billing", "gone"]).await;
        for name in ["Agent riverside", "Agent sales"] {
            edit(&world, name, "/agent/max_tool_steps", json!(9));
        }
        edit(
            &world,
            "Agent riverside",
            "/agent/instructions",
            json!("You answer the telephone of a big\u{202E} clinic."),
        );
        edit(
            &world,
            "Agent sales",
            "/agent/stack/tts/models",
            json!([
            {"provider": "cartesia", "model": {"name": "sonic-3", "parameters": {"voice": "v2"}}}]),
        );
        edit(&world, "Agent billing", "/scorecard_ids", json!(["s1"]));
        let (sales, gone) = (world.id("Agent sales"), world.id("Agent gone"));
        world.sandbox.with(|service| {
            service.dashboard_assign("+15550100001", Direction::Inbound, Some(&sales)).unwrap();
            service.dashboard_delete(&gone).unwrap();
        });
        let text = world.files["agents/sales.yaml"].replace("voice: v1", "voice: v3");
        world.write("sales", text);
        let mut drift = world.drift().await;
        world.options.targets = [reachform::model::Key::parse("billing").unwrap()].into();
        check("night", &drift);
        drift.unchecked.push(Unchecked {
            address: Some(drift.agents[0].address()),
            causes: vec!["the config of version 3 could not be read".to_owned(), "GET … answered 503".to_owned()],
            hints: vec!["run again".to_owned()],
        });
        check("night-partly", &drift);
        check("night-targeted", &world.drift().await);
    });
}

#[test]
fn a_quiet_night() {
    run(async {
        let world = applied(&["riverside", "sales"]).await;
        check("quiet", &world.drift().await);
    });
}

#[test]
fn a_service_that_could_not_be_reached() {
    run(async {
        let world = applied(&["riverside"]).await;
        let seen = world.drift().await;
        let unchecked = Unchecked {
            address: None,
            causes: vec!["GET /core/agents failed".to_owned(), "connection refused".to_owned()],
            hints: vec!["look at the status page, then run again".to_owned()],
        };
        let drift = Drift::not_checked(seen.target, seen.source, seen.checked_at, vec![unchecked]);
        check("down", &drift);
    });
}

#[test]
fn what_somebody_changed_raises_the_alarms_that_the_same_change_in_git_would() {
    run(async {
        let world = applied(&["a"]).await;
        edit(&world, "Agent a", "/agent/instructions", json!(""));
        edit(&world, "Agent a", "/metadata", json!({"webhook": "https://evil.example/h"}));
        let id = world.id("Agent a");
        let off = json!({"active": false});
        world.sandbox.with(|service| {
            service.dashboard_change(&id, off.as_object().unwrap()).unwrap();
            service.dashboard_assign("+15550100001", Direction::Inbound, None).unwrap();
        });
        let drift = world.drift().await;
        let found: Vec<&str> = alarms_of_drift(&drift).iter().map(|alarm| alarm.code.as_str()).collect();
        assert_eq!(found, ["number-reaches-nobody", "agent-switched-off", "prompt-emptied", "new-url"]);
        let document: serde_json::Value = serde_json::from_str(&drift_document(&drift)).unwrap();
        assert_eq!(document["alarms"].as_array().unwrap().len(), 4);
        for output in [
            drift_text(&drift, &TextOptions { width: 10_000, ..TextOptions::default() }),
            drift_body(&drift, &CommentContext::default()).text,
        ] {
            let first = output.split("/config/agent/instructions").next().unwrap();
            assert!(first.to_lowercase().contains("look at this first"), "{output}");
            assert!(output.contains("the address https:") && output.contains("is switched off"), "{output}");
        }
    });
}
