//! Versions.

use reachform::http::Method::{Post, Put};
use serde_json::{Value, json};

use super::{Caller, config, config_saying, faults, request};

const VERSIONS: &str = "/core/agents/agent-front/versions";

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect()
}

#[test]
fn a_version_from_a_config_is_the_next_number_and_a_draft() {
    let mut caller = Caller::new(&[]);
    let version = caller.write(Post, VERSIONS, &json!({"config": config()}));
    assert_eq!((&version["version"], &version["published"]), (&json!(4), &json!(false)));
    assert_eq!((&version["agent_id"], &version["organization_id"]), (&json!("agent-front"), &json!("org_one")));
    assert_eq!(version["config"], config());
    assert_eq!(version["created_by"], "key_admin");
    for field in ["instruction_builder_inputs", "trained_instruction_builder_inputs", "generation_timestamp"] {
        assert_eq!(version[field], Value::Null, "{field}");
    }
    assert_eq!((&version["is_updated"], &version["cache_fingerprints"]), (&json!(false), &json!([])));
    assert_eq!(caller.read(&format!("{VERSIONS}/4")), version);
}

#[test]
fn a_version_from_a_base_copies_its_config() {
    let mut caller = Caller::new(&[]);
    let version = caller.write(Post, VERSIONS, &json!({"base_version": 1}));
    assert_eq!((&version["version"], &version["config"]["agent"]["instructions"]), (&json!(4), &json!("one")));
    assert_eq!(caller.post(VERSIONS, &json!({"base_version": 9})).0, 404);
    assert_eq!(caller.post("/core/agents/none/versions", &json!({"base_version": 1})).0, 404);
}

#[test]
fn neither_or_both_of_config_and_base_version_is_422() {
    let mut caller = Caller::new(&[]);
    for body in [json!({}), json!({"config": config(), "base_version": 1})] {
        let (status, answer) = caller.post(VERSIONS, &body);
        assert_eq!((status, faults(&answer)), (422, vec![("body".to_owned(), "value_error")]));
    }
}

#[test]
fn builder_inputs_are_copied_from_a_base_only_where_that_is_switched_on() {
    let copied = |switches: &[&str]| {
        let mut caller = Caller::new(switches);
        caller.write(Put, &format!("{VERSIONS}/3"), &json!({"instruction_builder_inputs": {"purpose": "x"}}));
        caller.write(Post, VERSIONS, &json!({"base_version": 3}))["instruction_builder_inputs"].clone()
    };
    assert_eq!(copied(&[]), Value::Null);
    assert_eq!(copied(&["base-copies=inputs"]), json!({"purpose": "x"}));
}

#[test]
fn a_draft_is_written_in_place_and_a_published_version_never() {
    let mut caller = Caller::new(&[]);
    let before = caller.read(&format!("{VERSIONS}/3"));
    let after = caller.write(Put, &format!("{VERSIONS}/3"), &json!({"config": config()}));
    assert_eq!((&after["id"], &after["config"]), (&before["id"], &config()));
    assert_eq!(after["manually_edited"], true);
    let (status, body) = caller.put(&format!("{VERSIONS}/2"), &json!({"config": config()}));
    assert_eq!((status, body), (400, json!({"detail": "Cannot update a published version"})));
    assert_eq!(caller.put(&format!("{VERSIONS}/9"), &json!({"config": config()})).0, 404);
    assert_eq!(
        faults(&caller.put(&format!("{VERSIONS}/latest"), &json!({})).1),
        [("path.version".to_owned(), "int_parsing")]
    );
}

#[test]
fn put_lays_the_config_over_the_stored_one_where_that_is_switched_on() {
    let mut caller = Caller::new(&["put-config=merge"]);
    caller.write(Put, &format!("{VERSIONS}/3"), &json!({"config": config()}));
    let mut smaller = config_saying("shorter");
    smaller["agent"].as_object_mut().unwrap().shift_remove("max_tool_steps");
    smaller["scorecard_ids"] = Value::Null;
    let after = caller.write(Put, &format!("{VERSIONS}/3"), &json!({"config": smaller}));
    assert_eq!(after["config"]["agent"]["instructions"], "shorter");
    assert_eq!(after["config"]["agent"]["max_tool_steps"], 5);
    assert_eq!(after["config"]["scorecard_ids"], Value::Null);
}

#[test]
fn put_counts_as_an_edit_by_hand_unless_switched_off() {
    let edited = |switches: &[&str]| {
        Caller::new(switches).write(Put, &format!("{VERSIONS}/3"), &json!({"config": config()}))["manually_edited"]
            .clone()
    };
    assert_eq!((edited(&[]), edited(&["put-marks-edited=no"])), (json!(true), json!(false)));
}

#[test]
fn reading_latest_makes_a_draft_where_none_is_above_the_live_version() {
    let mut caller = Caller::new(&[]);
    assert_eq!(caller.read(&format!("{VERSIONS}/latest"))["id"], "front-3");
    assert_eq!(numbers(&caller.read(VERSIONS)), [3, 2, 1]);
    let made = caller.read("/core/agents/agent-night/versions/latest");
    assert_eq!((&made["version"], &made["published"]), (&json!(2), &json!(false)));
    assert_eq!(made["config"]["agent"]["instructions"], "night");
    assert_eq!(made["created_by"], "key_admin");
    assert_eq!(caller.read("/core/agents/agent-night/versions/latest")["id"], made["id"]);
    assert_eq!(caller.get("/core/agents/agent-bare/versions/latest").0, 404);
}

#[test]
fn reading_latest_makes_nothing_where_that_is_switched_off() {
    let mut caller = Caller::new(&["latest=returns"]);
    assert_eq!(caller.read("/core/agents/agent-night/versions/latest")["id"], "night-1");
    assert_eq!(numbers(&caller.read("/core/agents/agent-night/versions")), [1]);
}

#[test]
fn a_second_draft_is_refused_where_that_is_switched_on() {
    assert_eq!(Caller::new(&[]).post(VERSIONS, &json!({"base_version": 2})).0, 200);
    let mut caller = Caller::new(&["drafts=one"]);
    let (status, body) = caller.post(VERSIONS, &json!({"base_version": 2}));
    assert_eq!((status, body), (409, json!({"detail": "Draft version 3 already exists"})));
    assert_eq!(caller.post("/core/agents/agent-night/versions", &json!({"base_version": 1})).0, 200);
}

#[test]
fn the_list_of_versions_has_whole_configs_and_filters() {
    let mut caller = Caller::new(&[]);
    let list = caller.read(VERSIONS);
    assert_eq!(list[0]["config"]["agent"]["instructions"], "three");
    assert_eq!(numbers(&caller.read(&format!("{VERSIONS}?published=true"))), [2, 1]);
    assert_eq!(numbers(&caller.read(&format!("{VERSIONS}?version=2"))), [2]);
    assert_eq!(numbers(&caller.read(&format!("{VERSIONS}?limit=1"))), [3]);
    assert_eq!(caller.get(&format!("{VERSIONS}?published=perhaps")).0, 422);
    assert_eq!(caller.get("/core/agents/none/versions").0, 404);
    assert_eq!(caller.get(&format!("{VERSIONS}/9")).0, 404);
    assert_eq!(faults(&caller.get(&format!("{VERSIONS}/newest")).1)[0].1, "int_parsing");
}

#[test]
fn a_comparison_is_prose_as_text_or_as_events() {
    let body = json!({"from_version": 1, "to_version": 2});
    let stream = |switches: &[&str]| {
        let response = Caller::new(switches).send(request(Post, &format!("{VERSIONS}/compare"), Some(&body)));
        let media_type = response.header("content-type").unwrap().to_owned();
        (media_type, String::from_utf8(response.body).unwrap())
    };
    let (media_type, text) = stream(&[]);
    assert_eq!(media_type, "text/plain; charset=utf-8");
    let sentence = "The value at /agent/instructions has changed.";
    assert_eq!(text, format!("Version 2 differs from version 1 in 1 place. {sentence}"));
    let (media_type, text) = stream(&["compare=events"]);
    assert_eq!(media_type, "text/event-stream; charset=utf-8");
    assert!(text.ends_with(&format!("data: {sentence}\n\n")));
}

#[test]
fn a_comparison_needs_two_versions_that_exist() {
    let mut caller = Caller::new(&[]);
    let target = format!("{VERSIONS}/compare");
    let (_, body) = caller.post(&target, &json!({"from_version": "1"}));
    assert_eq!(
        faults(&body),
        [("body.from_version".to_owned(), "int_type"), ("body.to_version".to_owned(), "missing")]
    );
    assert_eq!(caller.post(&target, &json!({"from_version": 1, "to_version": 9})).0, 404);
    let response = caller.send(request(Post, &target, Some(&json!({"from_version": 1, "to_version": 1}))));
    assert_eq!(response.body, b"Version 1 is the same as version 1.");
}

#[test]
fn a_greeting_is_recorded_once_for_each_voice_and_played_back() {
    let mut caller = Caller::new(&[]);
    let id = caller.agent_with_draft("Voice");
    let target = format!("/core/agents/{id}/versions/1/starting-message/audio");
    let body = json!({"text": "Hello"});
    assert_eq!(caller.post(&format!("{target}/playback-url"), &body).0, 404);
    let first = caller.write(Post, &target, &body);
    assert_eq!(first["recordings"][0]["voice_id"], "amy");
    assert_eq!(caller.write(Post, &target, &body), first);
    assert_eq!(caller.write(Post, &format!("{target}/playback-url"), &body)["playback_url"], first["playback_url"]);
    let again = caller.write(Post, &target, &json!({"text": "Hello", "force": true}));
    assert_ne!(again["playback_url"], first["playback_url"]);
    assert_eq!(caller.post(&target, &json!({})).0, 422);
    assert_eq!(caller.post(&format!("{VERSIONS}/3/starting-message/audio"), &body).0, 400, "it has no voice");
}
