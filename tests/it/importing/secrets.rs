//! Secrets: in no file, named where they are used, and needed by neither plan nor adoption.

use reachform::plan::Action;
use reachform::sandbox::Behaviour;
use serde_json::json;

use super::{agent, config, hold_the_promise, import_all, only, with, world};
use crate::world::run;

const KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn recording(secret: &str) -> serde_json::Value {
    with(
        "/custom_recording_locations",
        json!([{"type": "s3", "bucket": "calls", "region": "eu-1", "access_key": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": secret}]),
    )
}

#[test]
fn the_value_of_a_secret_is_in_no_file_whether_the_service_masks_it_or_not() {
    for behaviour in ["secrets=echo", "secrets=mask", "secrets=mask-tail"] {
        run(async {
            let mut desk = agent("Desk", recording(KEY));
            desk["metadata"] =
                json!({"crm_token": "tok-0123456789-abcdef", "note": "call https://u:hunter22hunter@crm.example/ now"});
            let mut world = world(&[desk, agent("Other", recording(KEY))], Behaviour::parse([behaviour]).unwrap());
            let written = import_all(&mut world).await;
            let all = format!("{written:?}");
            for value in [KEY, "AKIAIOSFODNN7EXAMPLE", "tok-0123456789-abcdef", "hunter22hunter"] {
                assert!(!all.contains(value), "{behaviour}: {value}: {all}");
            }
            let text = &world.files["agents/desk.yaml"];
            assert!(text.contains("secret_access_key: !secret DESK_SECRET_ACCESS_KEY"), "{text}");
            assert!(text.contains("note: !format \"call https://{secret:DESK_NOTE}@crm.example/ now\""), "{text}");
            let names: Vec<&str> = written.import.secrets.iter().map(|secret| secret.name.as_str()).collect();
            assert!(names.contains(&"DESK_CRM_TOKEN"), "{names:?}");
            // One value has one name, where it can be seen that it is one.
            let shared = written.import.secrets.iter().find(|secret| secret.name == "DESK_SECRET_ACCESS_KEY").unwrap();
            assert_eq!(shared.used.len(), if behaviour == "secrets=echo" { 2 } else { 1 }, "{names:?}");
            hold_the_promise(&mut world, &written, behaviour).await;
        });
    }
}

#[test]
fn a_secret_that_is_known_by_its_place_is_written_nowhere_else_either() {
    run(async {
        let token = "tok-0123456789-abcdef-XY";
        let mut desk = agent("Desk", with("/agent/instructions", json!(format!("Use {token} twice: {token}."))));
        desk["metadata"] = json!({"crm_token": token});
        desk["description"] = json!(format!("Its token is {token}"));
        let other = agent("Other", with("/agent/instructions", json!(format!("The token of the desk is {token}"))));
        let mut world = world(&[desk, other], Behaviour::default());
        let written = import_all(&mut world).await;
        assert!(!format!("{written:?}").contains(token), "{written:?}");
        let text = &world.files["agents/desk.yaml"];
        assert!(text.contains("!format \"Use {secret:DESK_CRM_TOKEN} twice: {secret:DESK_CRM_TOKEN}.\""), "{text}");
        hold_the_promise(&mut world, &written, "").await;
    });
}

#[test]
fn a_secret_that_is_known_later_and_is_the_live_one_changes_nothing_and_another_one_does() {
    run(async {
        let mut world = world(&[agent("Desk", recording(KEY))], Behaviour::default());
        let written = import_all(&mut world).await;
        hold_the_promise(&mut world, &written, "without").await;
        world.secrets.insert("DESK_ACCESS_KEY".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned());
        world.secrets.insert("DESK_SECRET_ACCESS_KEY".to_owned(), KEY.to_owned());
        assert!(!world.plan().await.summary().has_changes());
        world.secrets.insert("DESK_SECRET_ACCESS_KEY".to_owned(), "another-secret-0123456789".to_owned());
        let plan = world.plan().await;
        assert_eq!(plan.changes[0].action, Action::Update);
        world.converge("a new secret").await;
    });
}

#[test]
fn a_change_of_an_agent_whose_secret_has_no_value_is_refused_and_names_it() {
    run(async {
        let mut world = world(&[agent("Desk", recording(KEY))], Behaviour::default());
        let written = import_all(&mut world).await;
        hold_the_promise(&mut world, &written, "without").await;
        let text = world.files["agents/desk.yaml"].replace("answer the telephone", "answer the door");
        world.files.insert("agents/desk.yaml".to_owned(), text);
        let plan = world.plan().await;
        assert!(plan.has_errors(), "{:#?}", plan.diagnostics);
        assert!(plan.diagnostics.iter().any(|problem| problem.message.contains("DESK_SECRET_ACCESS_KEY")));
    });
}

#[test]
fn a_secret_in_a_name_keeps_the_agent_out_and_one_in_a_description_is_left_out() {
    run(async {
        let mut told = agent("Told", config());
        told["description"] = json!("uses sk_live_0123456789abcdef");
        let mut world = world(&[agent("sk_live_0123456789abcdef", config()), told], Behaviour::default());
        let written = import_all(&mut world).await;
        assert_eq!(written.import.refused.len(), 1);
        assert_eq!(written.import.agents[0].left_out[0].path.to_string(), "/description");
        assert!(!format!("{:?}", written.files).contains("sk_live"));
        hold_the_promise(&mut world, &written, "description").await;
    });
}

#[test]
fn a_prompt_with_a_key_in_it_keeps_its_words_and_loses_the_key() {
    let prompt = "Use {{tool}} with { braces }.\nThe key is sk_live_0123456789abcdef.\nThen go on.\nAnd on.\n";
    run(async {
        let mut world = world(&[agent("Desk", with("/agent/instructions", json!(prompt)))], Behaviour::default());
        let written = import_all(&mut world).await;
        assert!(only(&written).left_out.is_empty(), "{:#?}", only(&written));
        let text = world.files["agents/desk.yaml"].clone();
        assert!(text.contains("instructions: !format |\n"), "{text}");
        assert!(text.contains("Use {{{{tool}}}} with {{ braces }}."), "{text}");
        hold_the_promise(&mut world, &written, &text).await;
    });
}
