//! What planning asks: defaults, branches, secrets, what is accepted and required.

use std::collections::BTreeMap;

use reachform::model::secret::SecretPart;
use reachform::model::{ConfigShape, SecretText};
use reachform::schema::{Leniency, check_declared};
use serde_json::{Value, json};

use crate::scene::schema_with_defaults;

use super::{Lines, desired, full_config, path, sandbox, schema};

#[test]
fn the_sandbox_schema_takes_a_full_config() {
    assert_eq!(sandbox().faults(&full_config()), []);
}

#[test]
fn defaults_are_told_one_level_at_a_time_and_into_lists() {
    let (schema, config) = (schema(&schema_with_defaults()), full_config());
    let at = |text: &str| schema.default_at(&config, &path(text));
    assert_eq!(at("/config/version"), Some(json!("1")));
    assert_eq!(at("/config/agent/starting_message/allow_interruptions"), Some(json!(true)));
    assert_eq!(at("/config/agent/tools/0/actions/0/wait_for_playout"), Some(json!(true)));
    assert_eq!(at("/config/agent/tools/0/actions/1/reject_on_error"), Some(json!(false)));
    assert_eq!(at("/config/agent/stack/interruption/mode"), Some(json!("adaptive")));
    assert_eq!(at("/config/agent/stack/vad"), Some(Value::Null));
    assert_eq!(at("/config/agent/channel_properties/sms/max_segments"), Some(json!(3)));
    assert_eq!(at("/config/agent/built_in_tools/images/default_tier"), Some(json!("fast")));
    // A model is told by its name, its parameters by the model.
    assert_eq!(at("/config/agent/stack/turn_detection/models/0/model/parameters/timeout"), Some(json!(3.0)));
    assert_eq!(at("/config/agent/stack/stt/models/0/model/parameters"), Some(Value::Null));
    assert_eq!(at("/config/agent/stack/llm/models/0/model/parameters/temperature"), Some(Value::Null));
    // Never for an absent parent, another branch's property, a place past a list's end, or outside the config.
    assert_eq!(at("/config/inactivity_nudge/timeout_seconds"), None);
    assert_eq!(at("/config/agent/stack/stt/models/0/model/parameters/language"), None);
    assert_eq!(at("/config/agent/stack/llm/models/0/model/parameters/top_p"), None);
    assert_eq!(at("/config/agent/starting_message/prompt"), None);
    assert_eq!(at("/config/agent/tools/7/actions/0/wait_for_playout"), None);
    assert_eq!(at("/config/agent/tools/0/actions/1/wait_for_playout"), None);
    assert_eq!(at("/description"), None);
}

#[test]
fn no_default_is_assumed_where_no_branch_can_be_told() {
    let schema = sandbox();
    let config = json!({"agent": {"starting_message": {"text": "x"}}});
    assert_eq!(schema.default_at(&config, &path("/config/agent/starting_message/allow_interruptions")), None);
    assert_eq!(schema.branch(&config, &path("/config/agent/starting_message")), None);
}

#[test]
fn equal_branches_have_equal_ids_and_no_union_has_none() {
    let schema = sandbox();
    let with =
        |message: Value, nudges: Value| json!({"agent": {"starting_message": message}, "inactivity_nudge": nudges});
    let message = path("/config/agent/starting_message");
    let one = with(json!({"type": "bot_initiates_static", "text": "a"}), Value::Null);
    let other = with(json!({"text": "b", "type": "bot_initiates_static"}), Value::Null);
    let third = with(json!({"type": "user_initiates"}), Value::Null);
    assert!(schema.branch(&one, &message).is_some());
    assert_eq!(schema.branch(&one, &message), schema.branch(&other, &message));
    assert_ne!(schema.branch(&one, &message), schema.branch(&third, &message));
    assert_eq!(schema.branch(&one, &path("/config/agent")), None);
    // Which model it is shows in its name alone, and not at all where that is missing.
    let model = path("/config/agent/stack/llm/models/0/model");
    let named = |model: Value| json!({"agent": {"stack": {"type": "realtime", "llm": {"models": [{"provider": "google", "model": model}]}}}});
    let branch = |value: Value| schema.branch(&named(value), &model);
    let warm = branch(json!({"name": "gemini-2.5-pro", "parameters": {"temperature": 1}}));
    assert!(warm.is_some());
    assert_eq!(warm, branch(json!({"parameters": {"seed": 7}, "name": "gemini-2.5-pro"})));
    assert_ne!(warm, branch(json!({"name": "gemini-2.5-flash", "parameters": {"temperature": 1}})));
    assert_eq!(branch(json!({"parameters": {"temperature": 1}})), None);
    // A nullable model is no choice between two.
    assert_eq!(schema.branch(&with(json!({}), json!({})), &path("/config/inactivity_nudge")), None);
}

#[test]
fn secrets_are_known_by_their_marks_and_by_their_names() {
    let (schema, config) = (sandbox(), full_config());
    let secret = |text: &str| schema.is_secret(&config, &path(text));
    assert!(secret("/config/custom_recording_locations/0/credentials"));
    assert!(secret("/config/agent/stack/turn_detection/models/0/model/parameters/api_key"));
    assert!(secret("/config/metadata/upstream_token"));
    assert!(!secret("/config/metadata/token_count"), "a number counts tokens");
    assert!(!secret("/config/agent/stack/llm/models/0/model/parameters/max_tokens"));
    assert!(!secret("/config/custom_recording_locations/0/bucket"));
    assert!(!secret("/config/agent/instructions"));
    // Absent: the schema says what it could be.
    let bare = json!({"custom_recording_locations": [{"provider": "s3"}], "agent": {}});
    assert!(schema.is_secret(&bare, &path("/config/custom_recording_locations/0/access_key")));
    assert!(!schema.is_secret(&bare, &path("/config/custom_recording_locations/0/region")));
}

#[test]
fn a_secret_in_a_branch_that_cannot_be_told_stays_a_secret() {
    let schema = sandbox();
    let config = json!({"custom_recording_locations": [{"account_key": "x", "secret_access_key": "y", "bucket": "b"}]});
    assert!(schema.is_secret(&config, &path("/config/custom_recording_locations/0/account_key")));
    let marked = self::schema(&json!({"properties": {"place": {"anyOf": [
        {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": true}}, "required": ["a"]},
        {"type": "object", "properties": {"pin": {"type": "string"}}, "required": ["b"]}
    ]}, "nullable": {"anyOf": [{"type": "string", "format": "password"}, {"type": "null"}]}}}));
    assert!(marked.is_secret(&json!({"place": {"pin": "1"}}), &path("/config/place/pin")));
    for value in [json!({"nullable": "x"}), json!({"nullable": null}), json!({})] {
        assert!(marked.is_secret(&value, &path("/config/nullable")), "{value}");
    }
}

#[test]
fn a_property_is_accepted_only_by_the_branch_that_names_it_and_takes_its_value() {
    let schema = sandbox();
    let mut config = full_config();
    config["agent"]["starting_message"] = json!({"type": "bot_initiates_dynamic", "prompt": "x"});
    let message = path("/config/agent/starting_message");
    assert!(schema.accepts(&config, &message, "allow_interruptions", &json!(false)));
    assert!(!schema.accepts(&config, &message, "allow_interruptions", &json!("no")));
    assert!(!schema.accepts(&config, &message, "text", &json!("x")), "named by another branch");
    assert!(!schema.accepts(&config, &message, "anything", &json!(1)));
    assert!(schema.accepts(&config, &path("/config/metadata"), "anything", &json!(1)), "of which nothing is named");
    // A fault elsewhere is not this value's.
    config["agent"]["max_tool_steps"] = json!("x");
    assert!(schema.accepts(&config, &message, "allow_interruptions", &json!(false)));
}

#[test]
fn required_null_and_order_are_by_the_picked_branch() {
    let (schema, config) = (sandbox(), full_config());
    assert!(schema.requires(&config, &path("/config/agent/starting_message/text")));
    assert!(!schema.requires(&config, &path("/config/agent/starting_message/prompt")));
    assert!(schema.requires(&config, &path("/config/agent/tools/0/name")));
    assert!(schema.allows_null(&config, &path("/config/agent/instructions")));
    assert!(schema.allows_null(&config, &path("/config/metadata/upstream_token")));
    assert!(!schema.allows_null(&config, &path("/config/agent/tools")));
    assert!(!schema.allows_null(&config, &path("/config/agent/starting_message/text")));
    let order = schema.property_order(&config, &path("/config/agent/starting_message"));
    assert_eq!(order[..3], ["type", "text", "allow_interruptions"]);
}

#[test]
fn leniency_lets_values_pass_that_are_merely_not_listed() {
    let mut config = full_config();
    config["agent"]["stack"]["stt"]["models"][0]["model"]["name"] = json!("nova-4-general");
    assert_eq!(sandbox().faults(&config).len(), 1);
    let lenient = sandbox().with_leniency(Leniency::Lenient);
    assert_eq!(lenient.faults(&config), []);
    config["agent"]["max_tool_steps"] = json!("x");
    assert_eq!(lenient.faults(&config).len(), 1);
}

#[test]
fn a_secret_is_checked_by_its_value_where_there_is_one_and_is_never_quoted() {
    let schema = schema(&json!({"type": "object", "properties": {
        "api_key": {"type": "string", "pattern": "^sk-", "minLength": 20}, "size": {"type": "integer"}
    }}));
    let config = json!({"api_key": null, "size": null});
    let check = |value: Option<&str>| {
        let text =
            |name: &str| SecretText(vec![SecretPart::Secret { name: name.to_owned(), value: value.map(Into::into) }]);
        let secrets = BTreeMap::from([(path("/config/api_key"), text("KEY")), (path("/config/size"), text("SIZE"))]);
        let lines = Lines::of(&config);
        let found = check_declared(&desired(&config, secrets), &schema, &lines, Leniency::Strict);
        found.iter().map(|problem| format!("{} {}", problem.code, problem.message)).collect::<Vec<_>>()
    };
    let wrong_type = "schema-type expected an integer, found a string";
    assert_eq!(check(None), [wrong_type], "the name of a secret is not held to its pattern");
    assert_eq!(check(Some("sk-0123456789-0123456789")), [wrong_type]);
    let found = check(Some("hunter2-hunter2"));
    assert_eq!(found.len(), 3);
    assert!(!found.join(" ").contains("hunter2"), "{found:?}");
}
