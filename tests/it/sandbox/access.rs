//! Credentials, organizations and scopes.

use reachform::http::Method::{Get, Post};
use reachform::sandbox::{Behaviour, SANDBOX_ORGANIZATION, SANDBOX_TOKEN, Service};
use serde_json::json;

use super::{Caller, request};

fn status(token: Option<&'static str>, target: &str) -> (u16, String) {
    let mut caller = Caller::new(&[]);
    caller.token = token;
    let (status, body) = caller.get(target);
    (status, body["detail"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_missing_malformed_unknown_or_expired_token_is_401() {
    assert_eq!(status(None, "/core/agents"), (401, "Missing bearer token.".to_owned()));
    assert_eq!(status(Some(""), "/core/agents").0, 401);
    assert_eq!(status(Some("ak_one.nobody"), "/core/agents").0, 401);
    assert_eq!(status(Some("ak_one.old"), "/core/agents"), (401, "Token has expired.".to_owned()));
    let mut basic = request(Get, "/core/agents", None);
    basic.headers.push(("authorization".to_owned(), "Basic YTpi".to_owned()));
    let mut caller = Caller::new(&[]);
    caller.token = None;
    assert_eq!(caller.send(basic).status, 401);
}

#[test]
fn a_personal_token_needs_an_organization_of_its_own() {
    let detail = "Token is missing organization claim.".to_owned();
    assert_eq!(status(Some("pat_ada"), "/core/agents"), (401, detail.clone()));
    assert_eq!(status(Some("pat_unknown"), "/core/agents"), (401, detail));
    let mut caller = Caller::new(&[]).with_token("pat_ada");
    caller.organization = Some("org_two");
    assert_eq!(caller.read("/core/phone-numbers")[0]["phone_number"], "+15559990001");
    caller.organization = Some("org_one");
    let agent = caller.write(Post, "/core/agents", &json!({"name": "Mine"}));
    assert_eq!(agent["created_by"], "user_ada");
    caller.organization = Some("org_three");
    assert_eq!(caller.get("/core/agents").0, 403);
}

#[test]
fn an_organization_key_sees_its_own_organization_alone() {
    let mut caller = Caller::new(&[]).with_token("ak_two.admin");
    assert_eq!(caller.read("/core/agents"), json!([]));
    assert_eq!(caller.get("/core/agents/agent-front").0, 404);
    assert_eq!(caller.get("/core/phone-numbers/%2B15550000001").0, 404);
}

#[test]
fn a_viewer_reads_everything_and_writes_nothing() {
    let mut caller = Caller::new(&[]).with_token("ak_one.viewer");
    for target in [
        "/core/agents",
        "/core/agents/agent-front/versions/1",
        "/core/agent-config-schema",
        "/core/phone-numbers",
        "/core/web-widgets",
        "/core/email-addresses",
        "/core/inbound-routing-config",
        "/core/trunks",
    ] {
        caller.read(target);
    }
    let (status, body) = caller.post("/core/agents", &json!({"name": "x"}));
    assert_eq!((status, body), (403, json!({"detail": "Missing required scope: agents:manage"})));
    assert_eq!(caller.delete("/core/agents/agent-front").0, 403);
    let body = json!({"from_version": 1, "to_version": 2});
    assert_eq!(caller.post("/core/agents/agent-front/versions/compare", &body).0, 200);
}

#[test]
fn the_manage_scope_is_enough_to_read_and_other_resources_are_403() {
    let mut caller = Caller::new(&[]).with_token("ak_one.agents");
    caller.read("/core/agents");
    let (status, body) = caller.get("/core/phone-numbers");
    assert_eq!(status, 403);
    assert_eq!(body["detail"], "Missing required scope: phone_numbers:read or phone_numbers:manage");
    assert_eq!(caller.read("/admin/members/me/scopes"), json!(["agents:manage"]));
}

#[test]
fn scopes_come_as_an_object_where_that_is_switched_on() {
    let mut caller = Caller::new(&["scopes=object"]).with_token("ak_one.agents");
    assert_eq!(caller.read("/admin/members/me/scopes"), json!({"scopes": ["agents:manage"]}));
}

#[test]
fn an_unknown_path_is_404_before_any_credential_is_looked_at() {
    assert_eq!(status(None, "/core/nothing"), (404, "Not Found".to_owned()));
    let mut caller = Caller::new(&[]);
    let (status, body) = caller.post("/core/agents/agent-front", &json!({}));
    assert_eq!((status, body), (405, json!({"detail": "Method Not Allowed"})));
}

#[test]
fn the_sandbox_token_is_at_home_in_any_organization() {
    let mut caller = Caller::of(Service::quickstart(Behaviour::default())).with_token(SANDBOX_TOKEN);
    let numbers = caller.read("/core/phone-numbers");
    assert_eq!(numbers.as_array().unwrap().len(), 42);
    assert_eq!(numbers[0]["organization_id"], SANDBOX_ORGANIZATION);
    caller.read("/core/phone-numbers/%2B15551234567");
    caller.read("/core/phone-numbers/%2B15550100019");
    caller.write(Post, "/core/agents", &json!({"name": "Here"}));
    caller.organization = Some("org_staging");
    assert_eq!(caller.read("/core/agents"), json!([]));
    assert_eq!(caller.read("/core/phone-numbers")[0]["organization_id"], "org_staging");
    caller.organization = None;
    caller.token = Some("ak_sandbox.anything");
    assert_eq!(caller.read("/core/agents")[0]["name"], "Here");
}

#[test]
fn every_answer_carries_the_date() {
    let mut caller = Caller::new(&[]);
    let response = caller.send(request(Get, "/core/agents", None));
    assert_eq!(response.header("date"), Some("Tue, 24 Nov 2026 12:00:01 GMT"));
    assert_eq!(response.header("content-type"), Some("application/json"));
}
