//! What else points at agents: routing, widgets, email addresses.

use reachform::http::Method::{Patch, Post, Put};
use serde_json::{Value, json};

use super::{Caller, faults};

#[test]
fn routing_is_one_for_an_organization() {
    let mut caller = Caller::new(&[]);
    let target = "/core/inbound-routing-config";
    let routing = caller.read(target);
    assert_eq!((&routing["fallback_agent_id"], &routing["enabled"]), (&json!("agent-night"), &json!(true)));
    let body = json!({"workflow_definition": {"a": 1}});
    assert_eq!(caller.post(target, &body).0, 409);
    let off = caller.write(Put, target, &json!({"enabled": false}));
    assert_eq!((&off["enabled"], &off["workflow_definition"]), (&json!(false), &routing["workflow_definition"]));
    let cleared = caller.write(Put, target, &json!({"fallback_agent_id": null}));
    assert_eq!(cleared["fallback_agent_id"], Value::Null);
    assert_eq!(caller.put(target, &json!({"fallback_agent_id": "none"})).0, 404);
    assert_eq!(caller.delete(target).0, 204);
    for (status, what) in
        [(caller.get(target).0, "get"), (caller.put(target, &json!({})).0, "put"), (caller.delete(target).0, "delete")]
    {
        assert_eq!(status, 404, "{what}");
    }
    assert_eq!(faults(&caller.post(target, &json!({})).1), [("body.workflow_definition".to_owned(), "missing")]);
    assert_eq!(caller.write(Post, target, &body)["enabled"], true);
}

#[test]
fn a_widget_runs_the_version_that_it_names() {
    let mut caller = Caller::new(&[]);
    let body = json!({"agent_id": "agent-front", "agent_version_id": "front-1"});
    let widget = caller.write(Post, "/core/web-widgets", &body);
    assert_eq!((&widget["domains"], &widget["config"]), (&json!([]), &json!({})));
    assert_eq!(widget["published"], false);
    let target = format!("/core/web-widgets/{}", widget["id"].as_str().unwrap());
    let moved = caller.write(Put, &target, &json!({"agent_version_id": "front-2", "domains": ["a.example"]}));
    assert_eq!((&moved["agent_version_id"], &moved["agent_id"]), (&json!("front-2"), &json!("agent-front")));
    assert_eq!(moved["domains"], json!(["a.example"]));
    assert_eq!(caller.put(&target, &json!({"agent_version_id": "night-1"})).0, 404, "a version of another agent");
    assert_eq!(caller.post("/core/web-widgets", &json!({"agent_id": "none", "agent_version_id": "x"})).0, 404);
    assert_eq!(faults(&caller.post("/core/web-widgets", &json!({})).1).len(), 2);
    assert_eq!(caller.delete(&target).0, 204);
    assert_eq!(caller.get(&target).0, 404);
}

#[test]
fn widgets_are_filtered() {
    let mut caller = Caller::new(&[]);
    caller.write(Post, "/core/web-widgets", &json!({"agent_id": "agent-night", "agent_version_id": "night-1"}));
    let mut count = |query: &str| caller.read(&format!("/core/web-widgets?{query}")).as_array().unwrap().len();
    assert_eq!((count(""), count("agent_id=agent-night"), count("published=true")), (2, 1, 1));
    assert_eq!((count("ids=widget-1"), count("agent_version_id=front-2"), count("ids=none")), (1, 1, 0));
}

#[test]
fn a_widget_may_point_at_a_draft_unless_switched_off() {
    let body = json!({"agent_id": "agent-front", "agent_version_id": "front-3"});
    assert_eq!(Caller::new(&[]).post("/core/web-widgets", &body).0, 200);
    assert_eq!(Caller::new(&["reject-unpublished-widget=yes"]).post("/core/web-widgets", &body).0, 400);
}

#[test]
fn a_browser_sees_a_widget_when_both_gates_are_open() {
    let mut caller = Caller::new(&[]);
    caller.token = None;
    let public = "/core/public/web-widgets/widget-1";
    assert_eq!(caller.read(public)["agent_version_id"], "front-2");
    caller.token = Some("ak_one.admin");
    caller.write(Put, "/core/web-widgets/widget-1", &json!({"agent_version_id": "front-3"}));
    assert_eq!(caller.get(public).0, 404);
    caller.write(Put, "/core/web-widgets/widget-1", &json!({"agent_version_id": "front-1", "published": false}));
    assert_eq!(caller.get(public).0, 404);
}

#[test]
fn a_widget_takes_a_brand_that_is_known() {
    let mut caller = Caller::new(&[]);
    let target = "/core/web-widgets/widget-1/auto-brand";
    let branded = caller.write(Post, target, &json!({"domain": "clinic.example"}));
    assert_eq!(branded["config"], json!({"v1": {"brand": {"color": "#225588"}}}));
    assert_eq!(caller.post(target, &json!({"domain": "none.example"})).0, 404);
}

#[test]
fn an_email_address_resolves_an_agent_to_its_live_version_once() {
    let mut caller = Caller::new(&[]);
    let body = json!({"address": "help@clinic.example", "agent_id": "agent-front"});
    let email = caller.write(Post, "/core/email-addresses", &body);
    assert_eq!((&email["inbound_agent_version_id"], &email["provider"]), (&json!("front-2"), &json!("resend")));
    caller.write(Post, "/core/agents/agent-front/versions/3/publish", &json!({}));
    let target = format!("/core/email-addresses/{}", email["id"].as_str().unwrap());
    assert_eq!(caller.read(&target)["inbound_agent_version_id"], "front-2");
    let moved = caller.write(Patch, &target, &json!({"inbound_agent_version_id": "front-3", "enabled": false}));
    assert_eq!((&moved["inbound_agent_version_id"], &moved["enabled"]), (&json!("front-3"), &json!(false)));
    let cleared = caller.write(Patch, &target, &json!({"inbound_agent_version_id": null}));
    assert_eq!(cleared["inbound_agent_version_id"], Value::Null);
    assert_eq!(caller.delete(&target).0, 204);
    assert_eq!(caller.get(&target).0, 404);
}

#[test]
fn an_email_address_needs_a_verified_domain_a_published_version_and_to_be_free() {
    let mut caller = Caller::new(&[]);
    let mut status = |body: Value| caller.post("/core/email-addresses", &body).0;
    assert_eq!(status(json!({"address": "a@other.example"})), 400);
    assert_eq!(status(json!({"address": "a@clinic.example", "agent_id": "agent-bare"})), 400);
    assert_eq!(status(json!({"address": "a@clinic.example", "inbound_agent_version_id": "front-3"})), 400);
    assert_eq!(status(json!({"address": "a@clinic.example", "agent_id": "none"})), 404);
    assert_eq!(status(json!({"address": "a@clinic.example", "handler": "robot"})), 422);
    assert_eq!(status(json!({"address": "desk@clinic.example"})), 409);
    let mut caller = Caller::new(&["email-taken=400"]);
    assert_eq!(caller.post("/core/email-addresses", &json!({"address": "desk@clinic.example"})).0, 400);
    assert_eq!(caller.read("/core/email-addresses?address=desk@clinic.example").as_array().unwrap().len(), 1);
}
