//! What a check for drift leaves alone and says beside: edits that stay, other renderings, ended entries, what cannot be told.

use reachform::plan::Shown;
use reachform::plan::drift::DriftState;
use serde_json::{Map, Value, json};

use super::{applied, edit, paths};
use crate::scene::manifest;
use crate::world::{World, in_service, run};

const STEPS: &str = "/config/agent/max_tool_steps";

/// A new live version made by hand from the one before.
fn release(world: &World, change: impl FnOnce(&mut Value)) {
    let agent = world.sandbox.with(|service| service.agent_named("Agent a").unwrap());
    let mut config = agent.live().unwrap().config.clone();
    change(&mut config);
    world.sandbox.with(|service| service.dashboard_release(&agent.id, config).unwrap());
}

#[test]
fn exactly_the_edits_that_git_does_not_declare_are_listed_as_kept() {
    run(async {
        let mut world = in_service("");
        let body = json!({"name": "Agent a"});
        let id = world.outside().writer().create_agent(body.as_object().unwrap()).await.unwrap().agent.id;
        let mut config: Value = serde_yaml::from_str(crate::scene::CONFIG).unwrap();
        config["scorecard_ids"] = json!(["s1"]);
        config["agent"]["video_input"] = json!(true);
        config["noise_cancellation"] = Value::Null;
        world.sandbox.with(|service| service.dashboard_release(&id, config).unwrap());
        world.write("a", manifest("a", "ignore: [{path: /config/agent/screen_share_input, reason: a test}]"));
        world.apply().await;
        let kept = |drift: &reachform::plan::drift::Drift| -> Vec<String> {
            drift.as_applied.iter().flat_map(|agent| &agent.kept).map(|edit| edit.path.to_string()).collect()
        };
        assert_eq!(kept(&world.assert_clean("adopted").await), Vec::<String>::new());
        release(&world, |config| {
            config["agent"]["video_input"] = json!(false);
            config["agent"]["screen_share_input"] = json!(true);
            config["noise_cancellation"] = json!({"models": [{"provider": "livekit", "model": {"name": "bvc"}}]});
        });
        let drift = world.assert_clean("only edits that stay").await;
        let both = ["/config/noise_cancellation", "/config/noise_cancellation/models"];
        assert_eq!(kept(&drift), [&["/config/agent/video_input"], both.as_slice()].concat());
    });
}

#[test]
fn who_took_a_value_out_is_named() {
    run(async {
        let world = applied(&["a"]).await;
        release(&world, |config| {
            config["agent"].as_object_mut().unwrap().shift_remove("max_tool_steps");
        });
        edit(&world, "Agent a", "/scorecard_ids", json!(["s1"]));
        let drift = world.drift().await;
        assert_eq!(paths(&drift), [STEPS]);
        let field = &drift.agents[0].fields[0];
        assert_eq!((&field.live, field.editor.as_ref().unwrap().version), (&Shown::Absent, Some(2)));
    });
}

#[test]
fn an_applied_version_that_reads_otherwise_by_now_is_said_and_compared_as_it_reads() {
    run(async {
        let world = applied(&["a"]).await;
        let id = world.id("Agent a");
        // Another credential is shown another rendering of the same version.
        let steps = json!(9);
        world.sandbox.with(|service| {
            service.dashboard_edit_version(&id, 1, "/agent/max_tool_steps", steps).unwrap();
        });
        edit(&world, "Agent a", "/scorecard_ids", json!(["s1"]));
        let drift = world.assert_clean("live reads as the applied version does").await;
        let codes: Vec<&str> = drift.notices.iter().map(|notice| notice.code).collect();
        assert_eq!(codes, ["other-rendering", "rewritten-by-the-service"]);
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(10));
        let drift = world.drift().await;
        assert_eq!(paths(&drift), [STEPS]);
        assert_eq!(drift.agents[0].fields[0].applied, Some(Shown::Value(json!(9))));
    });
}

#[test]
fn a_description_whose_ignore_has_ended_is_drift_only_where_it_differs() {
    run(async {
        let mut world = in_service("");
        let text = |until: &str| {
            let ignore = format!("ignore: [{{path: /description, reason: a test, until: {until}}}]");
            manifest("a", &format!("description: Ours.\n{ignore}"))
        };
        world.write("a", text("2026-06-30"));
        world.apply().await;
        let id = world.id("Agent a");
        let set = |value: Value| {
            let fields = Map::from_iter([("description".to_owned(), value)]);
            world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
        };
        set(json!("Theirs."));
        world.assert_clean("ignored").await;
        world.files.insert("agents/a.yaml".to_owned(), text("2026-05-31"));
        let drift = world.drift().await;
        assert_eq!(paths(&drift), ["/description"]);
        assert!(drift.agents[0].fields[0].ended.is_some());
        set(json!("Ours."));
        world.assert_clean("it is what Git says").await;
        set(Value::Null);
        assert_eq!(paths(&world.drift().await), ["/description"]);
        world.files.insert("agents/a.yaml".to_owned(), text("2026-05-31").replace("Ours.", "null"));
        world.assert_clean("null is nothing").await;
        // An entry that has ended says nothing of any other path.
        world.files.insert("agents/a.yaml".to_owned(), text("2026-05-31").replace("Ours.", "null"));
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        let drift = world.drift().await;
        assert_eq!((paths(&drift), drift.agents[0].fields[0].ended.is_some()), (vec![STEPS.to_owned()], false));
    });
}

#[test]
fn a_secret_that_was_taken_out_is_drift_also_for_a_run_that_has_no_value_for_it() {
    run(async {
        let mut world = in_service("");
        world.secrets.insert("RECORDINGS".to_owned(), "a-long-enough-secret".to_owned());
        let item =
            "{provider: s3, bucket: calls, region: r, access_key: key-id, secret_access_key: !secret RECORDINGS}";
        let text = manifest("a", "").replace("config:", &format!("config:\n    custom_recording_locations: [{item}]"));
        world.write("a", text);
        world.apply().await;
        world.secrets.clear();
        world.assert_clean("untouched").await;
        release(&world, |config| config["custom_recording_locations"] = Value::Null);
        assert_eq!(paths(&world.drift().await), ["/config/custom_recording_locations"]);
    });
}

#[test]
fn an_agent_that_cannot_be_told_is_not_checked_with_its_own_reason() {
    run(async {
        let mut world = applied(&["a", "b"]).await;
        for (name, version) in [("Agent a", 98), ("Agent b", 99)] {
            let mut metadata = world.metadata(name);
            metadata["reachform"]["v"] = json!(version);
            let (id, fields) = (world.id(name), Map::from_iter([("metadata".to_owned(), metadata)]));
            world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
        }
        world.options.has_project = true;
        let drift = world.drift().await;
        assert_eq!(drift.state(), DriftState::NotChecked);
        let told: Vec<(String, String)> = drift
            .unchecked
            .iter()
            .map(|entry| (entry.address.as_ref().unwrap().to_string(), entry.causes.join(": ")))
            .collect();
        assert_eq!(told.len(), 2, "{told:#?}");
        for ((address, causes), version) in told.iter().zip(["98", "99"]) {
            assert!(causes.contains(version), "{address}: {causes}");
        }
    });
}

#[test]
fn two_secrets_that_were_taken_out_are_not_known_to_be_the_same_change() {
    run(async {
        let mut world = in_service("");
        world.secrets.insert("CRM".to_owned(), "crm-secret-4417-value".to_owned());
        for key in ["a", "b"] {
            world.write(key, manifest(key, "metadata: {crm_token: !secret CRM, team: x}"));
        }
        world.apply().await;
        for (field, groups) in [("crm_token", 2), ("team", 3)] {
            for name in ["Agent a", "Agent b"] {
                let mut metadata = world.metadata(name);
                metadata.as_object_mut().unwrap().shift_remove(field);
                let (id, fields) = (world.id(name), Map::from_iter([("metadata".to_owned(), metadata)]));
                world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
            }
            assert_eq!(world.drift().await.groups().len(), groups, "{field}");
        }
    });
}
