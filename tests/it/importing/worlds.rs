//! The promise in every world that the documentation allows.

use reachform::sandbox::Behaviour;
use serde_json::{Value, json};

use super::{agent, config, hold_the_promise, import_all, with, world};
use crate::world::run;

/// An organization in which much has happened.
pub fn organization() -> Vec<Value> {
    let prompt = "# Riverside\n\nYou answer calls.\n\n- Be brief.\n- Ask {{first_name}} for ${DAY}.\n".repeat(3);
    let mut older = agent("On an older version", with("/agent/instructions", json!("Old.")));
    older["versions"][0]["inbound"] = json!(["+15550100002"]);
    older["versions"].as_array_mut().unwrap().push(json!({"config": config(), "outbound": ["+15550100002"]}));
    older["versions"].as_array_mut().unwrap().push(json!({"config": config(), "published": false}));
    let mut whole = agent("Riverside Dental", with("/agent/instructions", json!(prompt)));
    whole["description"] = json!("Books  appointments.\nAnd more.");
    whole["metadata"] = json!({"team": "dental", "workflow_id": "wf_1", "deep": {"a": [1, {"b": null}]}});
    whole["versions"][0]["inbound"] = json!(["+15550100000", "+15550100001"]);
    whole["versions"][0]["outbound"] = json!(["+15550100000"]);
    whole["versions"][0]["widgets"] = json!([{"domains": ["clinic.example"]}]);
    whole["versions"][0]["emails"] = json!(["desk@clinic.example"]);
    whole["sip"] = json!(true);
    let mut secret = with(
        "/custom_recording_locations",
        json!([{
        "type": "s3", "bucket": "calls", "region": "eu-1", "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}]),
    );
    secret["metadata"] = json!({"api_key": "live-0123456789abcdef", "free": [], "none": null, "empty": {}});
    let mut off = agent("Switched off", with("/agent/max_tool_steps", json!(4)));
    off["active"] = json!(false);
    let mut draft = agent("Only a draft", config());
    draft["versions"][0]["published"] = json!(false);
    let mut words = agent("Metadata is a text", config());
    words["metadata"] = json!("just words");
    vec![
        whole,
        agent("Riverside, dental!", config()),
        agent("Twice", config()),
        agent("Twice", with("/agent/max_tool_steps", json!(2))),
        agent("💥", with("/metadata", json!({"list": [3, 1, 2], "b": 1, "a": {"z": 1.0, "y": []}}))),
        agent("Secrets", secret),
        older,
        off,
        draft,
        words,
        json!({"name": "No version"}),
    ]
}

fn promise(rest: usize) {
    for (name, behaviour) in Behaviour::worlds().into_iter().skip(rest).step_by(4) {
        run(async {
            let mut world = world(&organization(), behaviour);
            let written = import_all(&mut world).await;
            let refused: Vec<&str> = written.import.refused.iter().map(|refused| refused.name.as_str()).collect();
            assert_eq!(
                refused,
                ["Metadata is a text", "No version", "Only a draft"],
                "{name}: {:#?}",
                written.import.refused
            );
            assert_eq!(written.import.agents.len(), 8, "{name}");
            hold_the_promise(&mut world, &written, &name).await;
            let again = import_all(&mut world).await;
            assert!(again.files.is_empty() && again.import.managed == 8, "{name}: a second run adds nothing");
        });
    }
}

#[test]
fn a_plan_after_an_import_changes_nothing_in_the_first_quarter_of_all_worlds() {
    promise(0);
}

#[test]
fn a_plan_after_an_import_changes_nothing_in_the_second_quarter_of_all_worlds() {
    promise(1);
}

#[test]
fn a_plan_after_an_import_changes_nothing_in_the_third_quarter_of_all_worlds() {
    promise(2);
}

#[test]
fn a_plan_after_an_import_changes_nothing_in_the_last_quarter_of_all_worlds() {
    promise(3);
}
