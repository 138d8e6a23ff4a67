//! Secrets in plans: compared where the run has their value, said to be unchecked where it has none, and never carried on
//! as the mask of the service.

use reachform::plan::{Action, Plan};
use serde_json::{Value, json};

use crate::scene::{Scene, manifest};

const LIST: &str = "/config/custom_recording_locations";

/// A manifest with a list that holds a secret, and the bucket beside it.
fn with_bucket(bucket: &str) -> String {
    manifest("a", "").replace(
        "config:",
        &format!(
            "config:
    custom_recording_locations:
      - {{provider: s3, bucket: {bucket}, region: r, access_key: key-id, secret_access_key: !secret RECORDINGS}}"
        ),
    )
}

/// Applied with the secret, and planned without it.
fn applied() -> Scene {
    let mut scene = Scene::new();
    scene.secrets.insert("RECORDINGS".to_owned(), "a-long-enough-secret".to_owned());
    scene.write("a", with_bucket("calls"));
    scene.apply();
    assert!(!scene.plan().summary().has_changes());
    scene.secrets.clear();
    scene
}

fn live(bucket: &str, secret: &str) -> Value {
    json!([{"provider": "s3", "bucket": bucket, "region": "r", "access_key": "key-id", "secret_access_key": secret}])
}

fn causes(plan: &Plan) -> Vec<(String, &'static str)> {
    let fields = plan.changes.iter().flat_map(|change| &change.fields);
    fields.map(|field| (field.path.to_string(), field.cause.as_str())).collect()
}

fn told(plan: &Plan) -> Vec<&str> {
    plan.notices.iter().filter(|notice| notice.code == "secret-not-checked").map(|n| n.message.as_str()).collect()
}

#[test]
fn where_nothing_around_it_changed_nothing_is_planned_and_the_secret_is_said_to_be_unchecked() {
    let mut scene = applied();
    scene.options.refresh = true;
    let plan = scene.plan();
    assert_eq!(causes(&plan), []);
    let message = format!("{LIST}: (secret) not checked, this run has no value for it");
    assert_eq!(told(&plan), [message]);
}

#[test]
fn what_git_changed_around_it_is_pending() {
    let mut scene = applied();
    scene.write("a", with_bucket("other"));
    let plan = scene.plan();
    assert_eq!(causes(&plan), [(LIST.to_owned(), "pending")]);
    assert_eq!(told(&plan), Vec::<&str>::new());
}

#[test]
fn another_secret_in_the_same_place_is_drift_and_another_neighbour_a_conflict() {
    for (value, cause) in [
        (live("calls", "somebody-elses-secret"), "drift"),
        (live("theirs", "a-long-enough-secret"), "conflict"),
        (live("theirs", "somebody-elses-secret"), "conflict"),
    ] {
        let mut scene = applied();
        let id = scene.id("a");
        scene.dashboard(&id, "/custom_recording_locations", value.clone());
        let plan = scene.plan();
        assert_eq!(causes(&plan), [(LIST.to_owned(), cause)], "{value}");
        assert_eq!(told(&plan), Vec::<&str>::new());
    }
}

#[test]
fn an_agent_that_is_taken_over_needs_no_value_of_a_secret_whose_surroundings_are_the_same() {
    let from = applied();
    let mut scene = Scene::new();
    scene.unmanaged("x", "Agent a", Some(from.config_of("a")));
    scene.write("a", with_bucket("calls"));
    let plan = scene.plan();
    assert_eq!(plan.changes[0].action, Action::Adopt);
    assert_eq!(causes(&plan), []);
    assert_eq!(told(&plan).len(), 1, "it says that the secret was not checked");
    scene.write("a", with_bucket("other"));
    assert_eq!(causes(&scene.plan()), [(LIST.to_owned(), "pending")]);
}

#[test]
fn a_masked_secret_that_is_not_declared_cannot_be_carried() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    scene.apply();
    let id = scene.id("a");
    scene.dashboard(
        &id,
        "/custom_recording_locations",
        json!([{"provider": "s3", "bucket": "b", "region": "r", "access_key": "k", "secret_access_key": "********"}]),
    );
    assert!(!scene.plan().has_errors());
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    let plan = scene.plan();
    assert!(plan.diagnostics.iter().any(|told| told.code == "masked-secret"), "{:?}", plan.diagnostics);
}

/// A manifest of prompt and tools alone is applied to an agent that has recordings in a bucket which nobody declares.
fn beside_an_undeclared_bucket(location: &Value) -> Plan {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    scene.apply();
    let id = scene.id("a");
    scene.dashboard(&id, "/custom_recording_locations", json!([location]));
    assert!(!scene.plan().has_errors());
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    scene.plan()
}

#[test]
fn whatever_stands_for_an_undeclared_secret_is_refused_and_a_secret_in_clear_is_carried() {
    let location = |secret: Value| json!({"provider": "s3", "bucket": "b", "region": "r", "access_key": "AKREALREALREAL1", "secret_access_key": secret});
    for mask in [
        json!("REA*****"),
        json!("********"),
        json!("[REDACTED]"),
        json!("<hidden>"),
        json!(""),
        json!(null),
        json!("sk-...f3a1"),
        json!("*"),
        json!("None"),
        json!("true"),
        json!("configured"),
        json!("ENC[AES256,abc]"),
        json!("{{secret}}"),
        json!("Protected value"),
        json!("ending in 3456"),
        json!("secret://projects/clinic/recordings-1"),
        // No two secrets are alike.
        json!("AKREALREALREAL1"),
    ] {
        let plan = beside_an_undeclared_bucket(&location(mask.clone()));
        let found: Vec<&str> = plan.diagnostics.iter().map(|found| found.code).collect();
        assert!(found.contains(&"masked-secret"), "{mask}: {found:?}");
        let named = plan.diagnostics.iter().any(|found| found.message.contains("/0/secret_access_key may hold"));
        assert!(named, "{:?}", plan.diagnostics);
    }
    let mut missing = location(json!(null));
    missing.as_object_mut().unwrap().shift_remove("secret_access_key");
    let plan = beside_an_undeclared_bucket(&missing);
    assert!(plan.diagnostics.iter().any(|found| found.code == "masked-secret"), "{:?}", plan.diagnostics);
    for clear in ["wJalrXUtnFEMI", "{{recording_key}}"] {
        let plan = beside_an_undeclared_bucket(&location(json!(clear)));
        assert!(!plan.has_errors(), "{clear}: {:?}", plan.diagnostics);
    }
}

#[test]
fn a_null_that_the_service_filled_in_beside_other_nulls_is_no_mask() {
    let turn = |parameters: &Value| json!([{"provider": "anyreach", "model": {"name": "multilingual", "parameters": parameters}}]);
    let partial = |steps: u8| {
        let text = manifest("a", "").replace("max_tool_steps: 3", &format!("max_tool_steps: {steps}"));
        let without = text.lines().filter(|line| !line.trim_start().starts_with("turn_detection"));
        without.collect::<Vec<_>>().join("\n")
    };
    let planned = |parameters: Value| {
        let mut scene = Scene::new();
        scene.write("a", manifest("a", ""));
        scene.apply();
        scene.write("a", manifest("a", "\nrelease: [/config/agent/stack/turn_detection]"));
        let id = scene.id("a");
        scene.dashboard(&id, "/agent/stack/turn_detection/models", turn(&parameters));
        scene.write("a", partial(4) + "\nrelease: [/config/agent/stack/turn_detection]\n");
        let plan = scene.plan();
        plan.diagnostics.iter().map(|found| found.code).filter(|code| *code == "masked-secret").count()
    };
    assert_eq!(planned(json!({"api_key": null, "fallback_threshold": null, "timeout": 3.0})), 0);
    assert_eq!(planned(json!({"api_key": null})), 1);
    assert_eq!(planned(json!({"api_key": "****"})), 1);
}

#[test]
fn a_secret_is_compared_when_known_and_said_to_be_unchecked_when_not() {
    let more = "
metadata: {api_token: !secret CRM}";
    let mut scene = Scene::new();
    scene.secrets.insert("CRM".to_owned(), "a-long-enough-secret".to_owned());
    scene.write("a", manifest("a", more));
    scene.apply();
    assert!(!scene.plan().summary().has_changes());
    scene.secrets.insert("CRM".to_owned(), "another-long-secret".to_owned());
    let plan = scene.plan();
    assert_eq!(causes(&plan), [("/metadata/api_token".to_owned(), "pending")]);
    assert!(!format!("{plan:?}").contains("another-long-secret"));
    scene.secrets.clear();
    let plan = scene.plan();
    assert!(!plan.summary().has_changes(), "{:?}", causes(&plan));
}

#[test]
fn a_masked_secret_that_is_declared_in_clear_is_written_over() {
    let mut scene = applied();
    scene.write("a", with_bucket("calls").replace("!secret RECORDINGS", "a-text-in-clear"));
    let id = scene.id("a");
    scene.dashboard(&id, "/custom_recording_locations", live("calls", "********"));
    let plan = scene.plan();
    assert!(plan.diagnostics.iter().all(|told| told.code != "masked-secret"), "{:?}", plan.diagnostics);
    assert!(!plan.changes.is_empty());
}
