//! Publishing and slots.

use reachform::http::Method::Post;
use serde_json::{Value, json};

use super::{Caller, config, faults};

const ONE: &str = "+15550000001";
const TWO: &str = "+15550000002";
const THREE: &str = "+15550000003";

fn target(version: u64) -> String {
    format!("/core/agents/agent-front/versions/{version}/publish")
}

fn published(caller: &mut Caller, version: u64) -> bool {
    caller.read(&format!("/core/agents/agent-front/versions/{version}"))["published"] == json!(true)
}

fn touched(records: &Value) -> Vec<&str> {
    records.as_array().unwrap().iter().map(|record| record["phone_number"].as_str().unwrap()).collect()
}

#[test]
fn publishing_without_numbers_sets_the_flag_and_leaves_every_slot() {
    let mut caller = Caller::new(&[]);
    let answer = caller.write(Post, &target(3), &json!({}));
    assert_eq!(answer, json!([]));
    assert!(published(&mut caller, 3));
    assert_eq!(caller.slots(ONE), (json!("front-2"), json!("front-2")));
}

#[test]
fn a_body_is_optional_unless_switched_on() {
    assert_eq!(Caller::new(&[]).call(Post, &target(3), None).0, 200);
    let mut caller = Caller::new(&["publish-body=required"]);
    assert_eq!(caller.call(Post, &target(3), None).0, 422);
    assert!(!published(&mut caller, 3));
    assert_eq!(caller.post(&target(3), &json!({})).0, 200);
}

#[test]
fn a_direction_is_inbound_unless_it_is_said() {
    let slots = |direction: Value| {
        let mut caller = Caller::new(&[]);
        let mut body = json!({"phone_numbers": [THREE]});
        if !direction.is_null() {
            body["direction"] = direction;
        }
        caller.write(Post, &target(2), &body);
        caller.slots(THREE)
    };
    assert_eq!(slots(Value::Null), (json!("front-2"), Value::Null));
    assert_eq!(slots(json!("inbound")), (json!("front-2"), Value::Null));
    assert_eq!(slots(json!("outbound")), (Value::Null, json!("front-2")));
    assert_eq!(slots(json!("both")), (json!("front-2"), json!("front-2")));
    let (_, body) = Caller::new(&[]).post(&target(2), &json!({"direction": "up"}));
    assert_eq!(faults(&body), [("body.direction".to_owned(), "enum")]);
}

#[test]
fn a_slot_of_another_agent_is_taken_without_a_word() {
    let mut caller = Caller::new(&[]);
    let answer = caller.write(Post, &target(3), &json!({"phone_numbers": [TWO]}));
    assert_eq!(answer[0]["inbound_agent_version_id"], "front-3");
    assert_eq!(caller.slots(TWO), (json!("front-3"), json!("front-2")));
    assert_eq!(caller.read("/core/agents/agent-night")["phone_numbers"], json!([]));
}

#[test]
fn a_slot_of_another_agent_is_refused_where_that_is_switched_on_and_the_version_is_published_all_the_same() {
    let mut caller = Caller::new(&["takeover=conflict"]);
    assert_eq!(caller.post(&target(3), &json!({"phone_numbers": [ONE, TWO]})).0, 409);
    assert!(published(&mut caller, 3));
    assert_eq!(caller.slots(ONE).0, "front-2");
    assert_eq!(caller.slots(TWO).0, "night-1");
    assert_eq!(caller.post(&target(3), &json!({"phone_numbers": [TWO], "direction": "outbound"})).0, 200);
}

#[test]
fn unassigning_clears_slots_of_this_agent_alone() {
    let mut caller = Caller::new(&[]);
    let body = json!({"unassign_phone_numbers": [ONE, TWO], "direction": "both"});
    let answer = caller.write(Post, &target(1), &body);
    assert_eq!(touched(&answer), [ONE, TWO]);
    assert_eq!(caller.slots(ONE), (Value::Null, Value::Null), "held by another version of the same agent");
    assert_eq!(caller.slots(TWO), (json!("night-1"), Value::Null), "the inbound slot is another agent's");
}

#[test]
fn unassigning_by_way_of_a_draft_publishes_it() {
    let mut caller = Caller::new(&[]);
    caller.write(Post, &target(3), &json!({"unassign_phone_numbers": [ONE]}));
    assert!(published(&mut caller, 3));
}

#[test]
fn a_number_in_both_lists_is_answered_once_and_ends_as_the_switch_says() {
    let both = json!({"phone_numbers": [THREE, ONE], "unassign_phone_numbers": [ONE, TWO]});
    let mut caller = Caller::new(&[]);
    assert_eq!(touched(&caller.write(Post, &target(2), &both)), [THREE, ONE, TWO]);
    assert_eq!(caller.slots(ONE).0, "front-2");
    let mut caller = Caller::new(&["publish-both=unassign"]);
    caller.write(Post, &target(2), &both);
    assert_eq!(caller.slots(ONE).0, Value::Null);
}

#[test]
fn an_unknown_number_is_refused_after_the_version_was_published() {
    for (switches, expected) in
        [(vec![], 404), (vec!["publish-unknown-number=422"], 422), (vec!["publish-unknown-number=400"], 400)]
    {
        let mut caller = Caller::new(&switches);
        let (status, body) = caller.post(&target(3), &json!({"phone_numbers": [ONE, "+15559990001"]}));
        assert_eq!(status, expected, "{body}");
        assert!(published(&mut caller, 3), "the flag is written before the pointers");
        assert_eq!(caller.slots(ONE).0, "front-2", "all numbers are looked at before one is written");
    }
}

#[test]
fn numbers_before_the_unknown_one_are_moved_where_publishing_is_not_atomic() {
    let mut caller = Caller::new(&["publish-atomic=no"]);
    assert_eq!(caller.post(&target(3), &json!({"phone_numbers": [ONE, "+15559990001", THREE]})).0, 404);
    assert_eq!(caller.slots(ONE).0, "front-3");
    assert_eq!(caller.slots(THREE).0, Value::Null);
}

#[test]
fn an_old_version_can_be_published_again_to_move_numbers_back() {
    let mut caller = Caller::new(&[]);
    caller.write(Post, &target(3), &json!({"phone_numbers": [ONE], "direction": "both"}));
    caller.write(Post, &target(2), &json!({"phone_numbers": [ONE], "direction": "both"}));
    assert_eq!(caller.slots(ONE), (json!("front-2"), json!("front-2")));
}

#[test]
fn publishing_again_is_refused_where_that_is_switched_on() {
    let mut caller = Caller::new(&["republish=refuse"]);
    assert_eq!(caller.post(&target(2), &json!({"phone_numbers": [THREE]})).0, 409);
    assert_eq!(caller.slots(THREE).0, Value::Null);
    assert_eq!(caller.post(&target(3), &json!({"phone_numbers": [THREE]})).0, 200);
    assert_eq!(caller.post(&target(3), &json!({})).0, 409);
}

#[test]
fn slots_follow_a_newly_published_version_where_that_is_switched_on() {
    let mut caller = Caller::new(&["publish=follow"]);
    caller.write(Post, &target(3), &json!({}));
    assert_eq!(caller.slots(ONE), (json!("front-3"), json!("front-3")));
    assert_eq!(caller.slots(TWO), (json!("night-1"), json!("front-3")));
    assert_eq!(caller.read("/core/web-widgets/widget-1")["agent_version_id"], "front-2", "widgets are pinned");
    caller.write(Post, &target(1), &json!({"phone_numbers": [ONE]}));
    assert_eq!(caller.slots(ONE).0, "front-1", "an older version that is named moves only what is named");
    assert_eq!(caller.slots(TWO).1, "front-3");
}

#[test]
fn a_draft_below_the_live_version_is_not_followed() {
    let mut caller = Caller::new(&["publish=follow"]);
    let higher = caller.write(Post, "/core/agents/agent-front/versions", &json!({"base_version": 2}));
    caller.write(Post, &target(higher["version"].as_u64().unwrap()), &json!({}));
    assert_eq!(caller.slots(ONE).0, higher["id"]);
    caller.write(Post, &target(3), &json!({}));
    assert_eq!(caller.slots(ONE).0, higher["id"]);
}

#[test]
fn only_integers_of_versions_that_exist_are_published() {
    let mut caller = Caller::new(&[]);
    assert_eq!(caller.post(&target(9), &json!({})).0, 404);
    assert_eq!(caller.post("/core/agents/none/versions/1/publish", &json!({})).0, 404);
    let (status, _) = caller.post("/core/agents/agent-front/versions/latest/publish", &json!({}));
    assert_eq!(status, 422);
    let (_, body) = caller.post(&target(3), &json!({"phone_numbers": [ONE, 5]}));
    assert_eq!(faults(&body), [("body.phone_numbers.1".to_owned(), "string_type")]);
    assert!(!published(&mut caller, 3));
}

#[test]
fn a_slot_that_already_holds_the_version_is_not_noted_as_changed() {
    let mut caller = Caller::new(&[]);
    let before = caller.read("/core/phone-numbers/%2B15550000001");
    caller.write(Post, &target(2), &json!({"phone_numbers": [ONE], "direction": "both"}));
    assert_eq!(caller.read("/core/phone-numbers/%2B15550000001"), before);
}

#[test]
fn stale_instructions_cannot_be_published_until_they_are_edited_or_generated() {
    for (switches, expected) in [(vec![], 409), (vec!["publish-blocked=400"], 400)] {
        let mut caller = Caller::new(&switches);
        let draft = "/core/agents/agent-front/versions/3";
        let inputs = json!({"instruction_builder_inputs": {"purpose": "booking"}});
        assert_eq!(caller.put(draft, &inputs).1["is_updated"], true);
        let (status, body) = caller.post(&target(3), &json!({}));
        assert_eq!(status, expected, "{body}");
        assert!(!published(&mut caller, 3));
        caller.write(reachform::http::Method::Put, draft, &json!({"config": config()}));
        assert_eq!(caller.post(&target(3), &json!({})).0, 200);
    }
}
