//! Agents.

use reachform::http::Method::{Post, Put};
use serde_json::{Value, json};

use super::{Caller, config, faults};

#[test]
fn a_created_agent_is_a_shell_without_versions() {
    let mut caller = Caller::new(&[]);
    let body = json!({"name": "New", "description": "d", "metadata": {"a": [1, null]}, "unknown": 1});
    let created = caller.write(Post, "/core/agents", &body);
    assert_eq!(created["organization_id"], "org_one");
    assert_eq!((&created["active"], &created["is_demo"]), (&json!(true), &json!(false)));
    assert_eq!(created["metadata"], json!({"a": [1, null]}));
    assert_eq!(created["created_by"], "key_admin");
    let read = caller.read(&format!("/core/agents/{}", created["id"].as_str().unwrap()));
    assert_eq!(read["versions"], json!([]));
    assert_eq!(read["has_published_version"], false);
    assert_eq!(read["latest_version"], Value::Null);
    assert_eq!(read["sip_endpoint"], Value::Null);
    assert!(read.get("organization_id").is_none(), "the longer agent does not name its organization");
}

#[test]
fn a_bad_body_is_422_with_every_fault_and_its_place() {
    let mut caller = Caller::new(&[]);
    let (status, body) = caller.post("/core/agents", &json!({"active": "yes", "description": 1}));
    assert_eq!(status, 422);
    assert_eq!(
        faults(&body),
        [
            ("body.name".to_owned(), "missing"),
            ("body.description".to_owned(), "string_type"),
            ("body.active".to_owned(), "bool_type")
        ]
    );
    assert_eq!(faults(&caller.post("/core/agents", &json!({"name": " "})).1)[0].1, "string_too_short");
    assert_eq!(faults(&caller.post("/core/agents", &json!([])).1)[0].1, "model_attributes_type");
    assert_eq!(faults(&caller.call(Post, "/core/agents", None).1)[0].1, "missing");
    let mut broken = super::request(Post, "/core/agents", None);
    broken.body = Some(b"{\"name\":".to_vec());
    let response = caller.send(broken);
    assert_eq!(faults(&serde_json::from_slice(&response.body).unwrap())[0].1, "json_invalid");
}

#[test]
fn a_refused_value_is_repeated_only_where_that_is_switched_on() {
    let entry = |switches: &[&str]| {
        let (_, body) = Caller::new(switches).post("/core/agents", &json!({"name": 7}));
        body["detail"][0].clone()
    };
    assert!(entry(&[]).get("input").is_none());
    assert_eq!(entry(&["error-input=yes"])["input"], 7);
}

#[test]
fn a_read_agent_tells_its_versions_numbers_widgets_and_sip() {
    let mut caller = Caller::new(&[]);
    let agent = caller.read("/core/agents/agent-front");
    assert_eq!(
        agent["versions"],
        json!([
            {"id": "front-3", "version": 3, "published": false, "created_by": "user_dashboard", "modified_by": "user_dashboard"},
            {"id": "front-2", "version": 2, "published": true, "created_by": "user_dashboard", "modified_by": "user_dashboard"},
            {"id": "front-1", "version": 1, "published": true, "created_by": "user_dashboard", "modified_by": "user_dashboard"},
        ])
    );
    assert_eq!((&agent["has_published_version"], &agent["latest_version"]), (&json!(true), &json!(3)));
    assert_eq!(
        agent["phone_numbers"],
        json!([
            {"phone_number": "+15550000001", "agent_version_id": "front-2", "version": 2, "direction": "inbound"},
            {"phone_number": "+15550000001", "agent_version_id": "front-2", "version": 2, "direction": "outbound"},
            {"phone_number": "+15550000002", "agent_version_id": "front-2", "version": 2, "direction": "outbound"},
        ])
    );
    assert_eq!(agent["widgets"], json!([{"id": "widget-1", "agent_version_id": "front-2", "published": true}]));
    assert_eq!(agent["widget_count"], 1);
}

#[test]
fn the_statistics_of_an_agent_differ_from_one_reading_to_the_next() {
    let mut caller = Caller::new(&[]);
    let first = caller.read("/core/agents/agent-front");
    let second = caller.read("/core/agents/agent-front");
    assert_ne!(first["total_conversations"], second["total_conversations"]);
    assert_eq!(first["updated_at"], second["updated_at"]);
}

#[test]
fn numbers_are_listed_by_number_or_merged_where_that_is_switched_on() {
    let entries = |switch: &str| {
        let agent = Caller::new(&[switch]).read("/core/agents/agent-front");
        let entries = agent["phone_numbers"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["direction"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(entries("number-entries=per-number"), [Value::Null, Value::Null]);
    assert_eq!(entries("number-entries=merged"), [json!("both"), json!("outbound")]);
}

#[test]
fn what_an_update_does_not_send_stays() {
    let mut caller = Caller::new(&[]);
    let before = caller.read("/core/agents/agent-front");
    let updated = caller.write(Put, "/core/agents/agent-front", &json!({"description": "Desk"}));
    assert_eq!((&updated["name"], &updated["description"]), (&json!("Front desk"), &json!("Desk")));
    assert_eq!(updated["metadata"], before["metadata"]);
    assert_eq!(updated["modified_by"], "key_admin");
    assert_eq!(updated["created_by"], "user_dashboard");
    assert!(updated["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(updated["created_at"], before["created_at"]);
    assert_eq!(caller.put("/core/agents/none", &json!({})).0, 404);
}

#[test]
fn metadata_is_replaced_merged_or_merged_deeply() {
    let after = |switches: &[&str]| {
        let sent = json!({"metadata": {"team": {"size": 4}, "new": null}});
        Caller::new(switches).write(Put, "/core/agents/agent-front", &sent)["metadata"].clone()
    };
    assert_eq!(after(&[]), json!({"team": {"size": 4}, "new": null}));
    let mut caller = Caller::new(&["metadata=merge"]);
    caller.write(Put, "/core/agents/agent-front", &json!({"metadata": {"other": 1}}));
    let merged = caller.write(Put, "/core/agents/agent-front", &json!({"metadata": {"other": null}}));
    assert_eq!(merged["metadata"], json!({"team": {"name": "dental", "size": 3}, "other": null}));
    assert_eq!(after(&["metadata=deep-merge"]), json!({"team": {"name": "dental", "size": 4}}));
}

#[test]
fn the_created_id_is_called_as_the_switch_says() {
    let created = |switches: &[&str]| Caller::new(switches).write(Post, "/core/agents", &json!({"name": "x"}));
    assert!(created(&[])["id"].is_string() && created(&[]).get("agent_id").is_none());
    let other = created(&["create-id=agent_id"]);
    assert!(other["agent_id"].is_string() && other.get("id").is_none());
    let both = created(&["create-id=both"]);
    assert_eq!(both["id"], both["agent_id"]);
}

#[test]
fn a_name_may_be_used_twice_unless_switched_off() {
    let body = json!({"name": "Front desk"});
    assert_eq!(Caller::new(&[]).post("/core/agents", &body).0, 200);
    let mut caller = Caller::new(&["name-unique=yes"]);
    assert_eq!(caller.post("/core/agents", &body).0, 409);
    assert_eq!(caller.put("/core/agents/agent-night", &body).0, 409);
    assert_eq!(caller.put("/core/agents/agent-front", &body).0, 200, "its own name is its own");
}

#[test]
fn deleting_an_agent_clears_what_points_at_it() {
    let mut caller = Caller::new(&[]);
    assert_eq!(caller.delete("/core/agents/agent-front"), (204, Value::Null));
    assert_eq!(caller.get("/core/agents/agent-front").0, 404);
    assert_eq!(caller.get("/core/agents/agent-front/versions").0, 404);
    assert_eq!(caller.slots("+15550000001"), (Value::Null, Value::Null));
    assert_eq!(caller.slots("+15550000002"), (json!("night-1"), Value::Null));
    assert_eq!(caller.read("/core/web-widgets"), json!([]));
    assert_eq!(caller.read("/core/email-addresses")[0]["inbound_agent_version_id"], Value::Null);
    assert_eq!(caller.delete("/core/agents/agent-night").0, 204);
    assert_eq!(caller.read("/core/inbound-routing-config")["fallback_agent_id"], Value::Null);
    assert_eq!(caller.delete("/core/agents/agent-front").0, 404);
    assert_eq!(caller.service.violations(), Vec::<String>::new());
}

#[test]
fn deleting_an_agent_is_refused_or_leaves_ids_dangling_where_that_is_switched_on() {
    let mut caller = Caller::new(&["delete-agent=refused-while-referenced"]);
    assert_eq!(caller.delete("/core/agents/agent-front").0, 409);
    assert_eq!(caller.delete("/core/agents/agent-night").0, 409);
    assert_eq!(caller.delete("/core/agents/agent-bare").0, 204);
    let mut caller = Caller::new(&["delete-agent=leaves-dangling"]);
    assert_eq!(caller.delete("/core/agents/agent-front").0, 204);
    assert_eq!(caller.slots("+15550000001").0, "front-2");
    assert_eq!(caller.service.violations().len(), 4);
}

#[test]
fn a_clone_is_version_one_of_a_new_agent_with_nothing_pointing_at_it() {
    let mut caller = Caller::new(&[]);
    let clone = caller.write(Post, "/core/agents/agent-front/clone", &json!({"name": "Copy"}));
    let id = clone["id"].as_str().unwrap().to_owned();
    let read = caller.read(&format!("/core/agents/{id}"));
    assert_eq!((&read["phone_numbers"], &read["widgets"]), (&json!([]), &json!([])));
    let version = caller.read(&format!("/core/agents/{id}/versions/1"));
    assert_eq!((&version["published"], &version["config"]["agent"]["instructions"]), (&json!(false), &json!("three")));
    let clone = caller.write(Post, "/core/agents/agent-front/clone", &json!({"name": "Old", "version": 1}));
    let version = caller.read(&format!("/core/agents/{}/versions/1", clone["id"].as_str().unwrap()));
    assert_eq!(version["config"]["agent"]["instructions"], "one");
    assert_eq!(caller.post("/core/agents/agent-front/clone", &json!({"name": "x", "version": 9})).0, 404);
    assert_eq!(caller.post("/core/agents/agent-bare/clone", &json!({"name": "x"})).0, 404);
    assert_eq!(caller.post("/core/agents/agent-front/clone", &json!({})).0, 422);
}

#[test]
fn sip_exposure_is_told_and_doing_it_twice_changes_nothing() {
    let mut caller = Caller::new(&[]);
    let target = "/core/agents/agent-front/deploy-as-sip";
    assert_eq!(caller.delete(target).0, 404);
    let deployed = caller.write(Post, target, &json!({}));
    assert!(deployed["uri"].as_str().unwrap().starts_with("sip:agent-front@"));
    assert_eq!(deployed["deployed"], true);
    assert_eq!(caller.write(Post, target, &json!({})), deployed);
    assert_eq!(caller.read("/core/agents/agent-front")["sip_endpoint"], deployed);
    assert_eq!(caller.delete(target).1["deployed"], false);
    assert_eq!(caller.read("/core/agents/agent-front")["sip_endpoint"]["deployed"], false);
}

#[test]
fn authors_are_null_where_that_is_switched_on() {
    let mut caller = Caller::new(&["authors=no"]);
    let agent = caller.read("/core/agents/agent-front");
    assert_eq!((&agent["created_by"], &agent["modified_by"]), (&Value::Null, &Value::Null));
    assert_eq!(agent["versions"][0]["created_by"], Value::Null);
    let id = caller.agent_with_draft("x");
    let version = caller.read(&format!("/core/agents/{id}/versions/1"));
    assert_eq!((&version["created_by"], &version["config"]), (&Value::Null, &config()));
}
