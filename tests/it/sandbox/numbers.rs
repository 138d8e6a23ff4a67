//! Phone numbers and trunks.

use reachform::http::Method::{Patch, Post, Put};
use serde_json::{Value, json};

use super::{Caller, faults};

fn trunk(caller: &mut Caller) -> String {
    let body = json!({"name": "Own", "outbound_config": {"address": "sip.example", "auth_password": "hunter2!"}});
    caller.write(Post, "/core/trunks", &body)["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_number_has_two_slots_and_all_its_fields() {
    let number = Caller::new(&[]).read("/core/phone-numbers/%2B15550000001");
    let mut fields: Vec<&str> = number.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "created_at",
            "created_by",
            "external_id",
            "inbound_agent_version_id",
            "managed_account_id",
            "modified_by",
            "organization_id",
            "outbound_agent_version_id",
            "outbound_shareable",
            "phone_number",
            "trunk_id",
            "updated_at"
        ]
    );
    assert_eq!(Caller::new(&[]).get("/core/phone-numbers/%2B15550009999").0, 404);
}

#[test]
fn numbers_are_filtered_by_a_part_and_by_trunk() {
    let mut caller = Caller::new(&[]);
    let trunk = trunk(&mut caller);
    caller.write(Post, "/core/phone-numbers", &json!({"phone_number": "+4930123456", "trunk_id": trunk}));
    let count = |list: Value| list.as_array().unwrap().len();
    assert_eq!(count(caller.read("/core/phone-numbers")), 4);
    assert_eq!(count(caller.read("/core/phone-numbers?phone_number=000002")), 1);
    assert_eq!(count(caller.read(&format!("/core/phone-numbers?trunk_id={trunk}"))), 1);
}

#[test]
fn a_number_is_added_to_an_own_trunk_once() {
    let mut caller = Caller::new(&[]);
    let own = trunk(&mut caller);
    let body = json!({"phone_number": "+4930123456", "trunk_id": own});
    let number = caller.write(Post, "/core/phone-numbers", &body);
    assert_eq!((&number["outbound_shareable"], &number["inbound_agent_version_id"]), (&json!(false), &Value::Null));
    assert_eq!(caller.post("/core/phone-numbers", &body).0, 409);
    let managed = caller.read("/core/phone-numbers/%2B15550000001")["trunk_id"].clone();
    let on = |trunk: &Value| json!({"phone_number": "+4930123457", "trunk_id": trunk});
    assert_eq!(caller.post("/core/phone-numbers", &on(&managed)).0, 400);
    assert_eq!(caller.post("/core/phone-numbers", &on(&json!("none"))).0, 404);
    let (_, refused) = caller.post("/core/phone-numbers", &json!({"phone_number": "030 123", "trunk_id": own}));
    assert_eq!(faults(&refused), [("body.phone_number".to_owned(), "value_error")]);
    let (_, refused) = caller.post("/core/phone-numbers", &json!({}));
    assert_eq!(faults(&refused).len(), 2);
}

#[test]
fn only_sharing_can_be_changed_and_never_a_slot() {
    let mut caller = Caller::new(&[]);
    let target = "/core/phone-numbers/%2B15550000001";
    let body = json!({"outbound_shareable": true, "inbound_agent_version_id": "night-1"});
    let number = caller.write(Patch, target, &body);
    assert_eq!(number["outbound_shareable"], true);
    assert_eq!(number["inbound_agent_version_id"], "front-2");
    assert_eq!(caller.patch(target, &json!({"inbound_agent_version_id": "night-1"})).0, 422);
    assert_eq!(caller.put(target, &body).0, 405);
}

#[test]
fn a_deleted_number_is_gone_from_its_agent_too() {
    let mut caller = Caller::new(&[]);
    assert_eq!(caller.delete("/core/phone-numbers/%2B15550000002").0, 204);
    assert_eq!(caller.delete("/core/phone-numbers/%2B15550000002").0, 404);
    assert_eq!(caller.read("/core/agents/agent-night")["phone_numbers"], json!([]));
}

#[test]
fn a_trunk_has_its_defaults_and_hides_its_password_where_secrets_are_hidden() {
    let mut caller = Caller::new(&["secrets=mask"]);
    let id = trunk(&mut caller);
    let trunk = caller.read(&format!("/core/trunks/{id}"));
    assert_eq!(trunk["outbound_config"]["auth_password"], "********");
    assert_eq!(trunk["outbound_config"]["transport"], "SIP_TRANSPORT_UDP");
    let updated = caller.write(Put, &format!("/core/trunks/{id}"), &json!({"name": "Renamed"}));
    assert_eq!((&updated["name"], &updated["outbound_config"]), (&json!("Renamed"), &trunk["outbound_config"]));
    assert_eq!(caller.read("/core/trunks?name=Renamed").as_array().unwrap().len(), 1);
    assert_eq!(caller.delete(&format!("/core/trunks/{id}")).0, 204);
    assert_eq!(caller.get(&format!("/core/trunks/{id}")).0, 404);
}

#[test]
fn a_managed_trunk_cannot_be_changed() {
    let mut caller = Caller::new(&[]);
    let id = caller.read("/core/trunks")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(caller.put(&format!("/core/trunks/{id}"), &json!({"name": "x"})).0, 400);
    assert_eq!(caller.delete(&format!("/core/trunks/{id}")).0, 400);
}
