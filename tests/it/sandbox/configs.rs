//! What becomes of a config between PUT and GET.

use reachform::http::Method::Post;
use reachform::sandbox::ConfigSchema;
use serde_json::{Value, json};

use super::{Caller, config, faults};

/// The config of a version made from what was sent.
fn stored(switches: &[&str], sent: &Value) -> Value {
    let mut caller = Caller::new(switches);
    caller.write(Post, "/core/agents/agent-bare/versions", &json!({"config": sent}));
    caller.read("/core/agents/agent-bare/versions/1")["config"].clone()
}

fn refused(switches: &[&str], sent: &Value) -> Vec<(String, String)> {
    let (status, body) = Caller::new(switches).post("/core/agents/agent-bare/versions", &json!({"config": sent}));
    assert_eq!(status, 422, "{body}");
    faults(&body).into_iter().map(|(place, kind)| (place, kind.to_owned())).collect()
}

#[test]
fn a_config_is_read_back_as_it_was_sent() {
    let mut sent = config();
    sent["agent"]["instructions"] = json!("Trailing blanks  \n\n\t{{name}} ✓ ");
    sent["agent"]["unknown_key"] = json!({});
    sent["metadata"] =
        json!({"float": 1.0, "small": 1e-7, "empty": {}, "null": null, "big": 9_007_199_254_740_993_u64});
    let read = stored(&[], &sent);
    assert_eq!(read.to_string(), sent.to_string());
}

#[test]
fn a_config_that_the_schema_refuses_is_422_at_its_place() {
    let mut sent = config();
    sent["agent"]["max_tool_steps"] = json!("five");
    sent["agent"].as_object_mut().unwrap().shift_remove("tools");
    let found = refused(&[], &sent);
    assert!(found.contains(&("body.config.agent.tools".to_owned(), "missing".to_owned())), "{found:?}");
    assert!(found.iter().any(|(place, _)| place == "body.config.agent.max_tool_steps"), "{found:?}");
}

#[test]
fn a_fault_inside_a_union_in_a_list_names_the_branch_and_the_position() {
    let mut sent = config();
    sent["agent"]["tools"][0]["actions"] = json!([{"type": "hangup"}, {"type": "cold_transfer"}]);
    assert_eq!(
        refused(&[], &sent),
        [("body.config.agent.tools.0.actions.1.transfer_number".to_owned(), "missing".to_owned())]
    );
    sent["agent"]["tools"][0]["actions"] = json!([{"type": "fly"}]);
    assert_eq!(
        refused(&[], &sent),
        [("body.config.agent.tools.0.actions.0".to_owned(), "union_tag_invalid".to_owned())]
    );
}

#[test]
fn a_refused_config_makes_no_version_and_changes_no_draft() {
    let mut caller = Caller::new(&[]);
    let before = caller.read("/core/agents/agent-front/versions/3");
    assert_eq!(caller.post("/core/agents/agent-front/versions", &json!({"config": {}})).0, 422);
    assert_eq!(caller.put("/core/agents/agent-front/versions/3", &json!({"config": {"agent": 1}})).0, 422);
    assert_eq!(caller.read("/core/agents/agent-front/versions/3"), before);
    assert_eq!(caller.read("/core/agents/agent-front")["latest_version"], 3);
}

#[test]
fn defaults_are_filled_in_where_that_is_switched_on() {
    let filled = stored(&["defaults=fill"], &config());
    for absent in [
        "/version",
        "/voicemail_detection",
        "/agent/starting_message/allow_interruptions",
        "/agent/tools/0/actions/0/condition",
        "/agent/stack/stt/models/0/model/parameters",
        "/agent/stack/tts/models/0/model/parameters/voice_settings",
    ] {
        assert_eq!(config().pointer(absent), None, "{absent}");
        assert_eq!(filled.pointer(absent), Some(&Value::Null), "{absent}");
    }
    assert_eq!(filled["agent"]["max_tool_steps"], 5, "what was sent stays");
    let mut caller = Caller::new(&["defaults=fill"]);
    let body = json!({"config": filled});
    let again = caller.write(Post, "/core/agents/agent-bare/versions", &body);
    assert_eq!(again["config"], filled, "a filled config is valid, and filling it again changes nothing");
}

#[test]
fn unknown_keys_are_dropped_or_refused_where_that_is_switched_on() {
    let mut sent = config();
    sent["agent"]["mood"] = json!("calm");
    sent["metadata"] = json!({"anything": {"goes": true}});
    let dropped = stored(&["unknown-keys=drop"], &sent);
    assert!(dropped["agent"].get("mood").is_none());
    assert_eq!(dropped["metadata"], sent["metadata"]);
    let place = "body.config.agent.mood".to_owned();
    assert_eq!(refused(&["unknown-keys=reject"], &sent), [(place, "extra_forbidden".to_owned())]);
    // A parameter beside the name of its model, as in other services' shapes.
    let mut sent = config();
    sent["agent"]["stack"]["llm"]["models"][0]["model"]["temperature"] = json!(0.5);
    assert_eq!(stored(&["unknown-keys=drop"], &sent), config());
    let place = "body.config.agent.stack.llm.models.0.model.temperature".to_owned();
    assert_eq!(refused(&["unknown-keys=reject"], &sent), [(place, "extra_forbidden".to_owned())]);
}

#[test]
fn secrets_are_masked_in_every_answer_and_kept_in_truth() {
    let secrets = [
        "/agent/stack/turn_detection/models/0/model/parameters/api_key",
        "/custom_recording_locations/0/access_key",
        "/custom_recording_locations/0/secret_access_key",
        "/custom_recording_locations/1/credentials",
        "/custom_recording_locations/2/account_key",
    ];
    let value = "turn-secret-1234";
    let mut config = config();
    config["custom_recording_locations"] = json!([
        {"provider": "s3", "bucket": "b", "region": "r", "access_key": value, "secret_access_key": value},
        {"provider": "gcp", "bucket": "b", "credentials": value},
        {"provider": "azure", "container_name": "c", "account_name": "a", "account_key": value},
    ]);
    for (switches, shown) in
        [(vec![], value), (vec!["secrets=mask"], "********"), (vec!["secrets=mask-tail"], "********1234")]
    {
        let mut caller = Caller::new(&switches);
        let versions = "/core/agents/agent-bare/versions";
        let created = caller.write(Post, versions, &json!({"config": config}));
        let read = caller.read(&format!("{versions}/1"));
        let listed = caller.read(versions)[0].clone();
        let copied = caller.write(Post, versions, &json!({"base_version": 1}));
        let stored = caller.service.agent_named("Bare").unwrap().versions;
        for secret in secrets {
            for version in [&created, &read, &listed, &copied] {
                assert_eq!(version["config"].pointer(secret).unwrap(), shown, "{secret}");
            }
            for version in &stored {
                assert_eq!(version.config.pointer(secret).unwrap(), value, "{secret}");
            }
        }
    }
}

#[test]
fn a_mask_that_is_sent_back_is_stored_as_it_is() {
    let mut caller = Caller::new(&["secrets=mask"]);
    caller.write(Post, "/core/agents/agent-bare/versions", &json!({"config": config()}));
    let read = caller.read("/core/agents/agent-bare/versions/1")["config"].clone();
    caller.write(Post, "/core/agents/agent-bare/versions", &json!({"config": read}));
    let versions = caller.service.agent_named("Bare").unwrap().versions;
    assert_eq!(
        versions[1].config.pointer("/agent/stack/turn_detection/models/0/model/parameters/api_key").unwrap(),
        "********"
    );
}

#[test]
fn a_viewer_sees_masks_where_that_is_switched_on() {
    let mut caller = Caller::new(&["viewer-config=masked"]);
    caller.write(Post, "/core/agents/agent-bare/versions", &json!({"config": config()}));
    let mut key = |token| {
        caller.token = Some(token);
        let version = caller.read("/core/agents/agent-bare/versions/1");
        version["config"].pointer("/agent/stack/turn_detection/models/0/model/parameters/api_key").unwrap().clone()
    };
    assert_eq!((key("ak_one.admin"), key("ak_one.viewer")), (json!("turn-secret-1234"), json!("********")));
}

#[test]
fn the_first_of_the_voices_becomes_the_voice_unless_switched_off() {
    let mut sent = config();
    sent["agent"]["stack"]["tts"]["models"][0]["model"]["parameters"]["voice_ids"] = json!(["beth", "amy"]);
    let voice = |switches: &[&str]| {
        stored(switches, &sent)["agent"]["stack"]["tts"]["models"][0]["model"]["parameters"]["voice_id"].clone()
    };
    assert_eq!((voice(&[]), voice(&["voice-rewrite=no"])), (json!("beth"), json!("amy")));
}

#[test]
fn long_texts_lose_trailing_blanks_where_that_is_switched_on() {
    let mut sent = config();
    let text = format!("{} \n", "word ".repeat(60));
    sent["agent"]["instructions"] = json!(text);
    assert_eq!(stored(&[], &sent)["agent"]["instructions"], json!(text));
    assert_eq!(stored(&["strip-text=yes"], &sent)["agent"]["instructions"], json!(text.trim_end()));
}

#[test]
fn keys_are_sorted_where_that_is_switched_on() {
    let read = stored(&["key-order=sorted"], &config());
    assert_eq!(read, config());
    let keys: Vec<&String> = read["agent"].as_object().unwrap().keys().collect();
    assert!(keys.is_sorted(), "{keys:?}");
    assert_ne!(read.to_string(), config().to_string());
}

#[test]
fn the_schema_is_served_and_says_that_it_is_not_the_services_own() {
    let mut caller = Caller::new(&[]);
    let schema = caller.read("/core/agent-config-schema");
    assert!(schema["title"].as_str().unwrap().contains("not the schema that the service publishes"));
    let other = json!({"type": "object", "required": ["agent"], "properties": {"agent": {"const": 1}}});
    caller.service.set_schema(ConfigSchema::compile(other.clone()).unwrap());
    assert_eq!(caller.read("/core/agent-config-schema"), other);
    assert_eq!(caller.post("/core/agents/agent-bare/versions", &json!({"config": config()})).0, 422);
    assert_eq!(caller.post("/core/agents/agent-bare/versions", &json!({"config": {"agent": 1}})).0, 200);
}

#[test]
fn a_schema_that_is_none_is_refused() {
    let error = ConfigSchema::compile(json!({"type": "banana"})).unwrap_err();
    assert!(error.to_string().starts_with("the agent config schema cannot be compiled: "));
}
