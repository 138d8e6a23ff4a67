//! Work in the background: generated instructions, and agents from a website.

use reachform::http::Method::{Post, Put};
use reachform::sandbox::{Behaviour, SANDBOX_TOKEN, Service};
use serde_json::{Value, json};

use super::{Caller, names};

const DRAFT: &str = "/core/agents/agent-front/versions/3";

fn generating(switches: &[&str]) -> Caller {
    let mut caller = Caller::new(switches);
    let inputs = json!({"instruction_builder_inputs": {"purpose": "booking", "guardrails": null, "personality": ["calm", "brief"]}});
    caller.write(Put, DRAFT, &inputs);
    let (status, body) = caller.post(&format!("{DRAFT}/generate-instructions"), &json!({}));
    assert_eq!(status, 202, "{body}");
    caller
}

#[test]
fn instructions_are_generated_after_a_few_requests() {
    let mut caller = generating(&[]);
    assert_eq!(caller.read(DRAFT)["generation_timestamp"], Value::Null);
    assert_eq!(caller.post(&format!("{DRAFT}/publish"), &json!({})).0, 409, "it runs");
    let version = caller.read(DRAFT);
    assert_eq!(version["trained_instruction_builder_inputs"], version["instruction_builder_inputs"]);
    assert!(version["generation_timestamp"].is_string());
    assert_eq!((&version["is_updated"], &version["manually_edited"]), (&json!(false), &json!(false)));
    let instructions = "You are a voice agent.\npurpose: booking\npersonality: calm, brief";
    assert_eq!(version["config"]["agent"]["instructions"], instructions);
    assert_eq!(caller.post(&format!("{DRAFT}/publish"), &json!({})).0, 200);
}

#[test]
fn instructions_are_generated_after_a_minute_if_nobody_asks() {
    let mut caller = generating(&["job-requests=100"]);
    assert_eq!(caller.read(DRAFT)["generation_timestamp"], Value::Null);
    caller.now = caller.now.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
    assert!(caller.read(DRAFT)["generation_timestamp"].is_string());
}

#[test]
fn generation_needs_inputs_and_a_draft_and_runs_once() {
    let mut caller = Caller::new(&[]);
    assert_eq!(caller.post(&format!("{DRAFT}/generate-instructions"), &json!({})).0, 400);
    assert_eq!(caller.post("/core/agents/agent-front/versions/2/generate-instructions", &json!({})).0, 409);
    let mut caller = generating(&["job-requests=100"]);
    assert_eq!(caller.post(&format!("{DRAFT}/generate-instructions"), &json!({})).0, 409);
}

#[test]
fn inputs_that_change_while_instructions_are_generated_leave_them_stale() {
    let mut caller = generating(&[]);
    caller.write(Put, DRAFT, &json!({"instruction_builder_inputs": {"purpose": "other"}}));
    caller.read("/core/agents");
    let version = caller.read(DRAFT);
    assert_eq!(version["trained_instruction_builder_inputs"]["purpose"], "booking");
    assert_eq!(version["is_updated"], true);
    assert_eq!(caller.post(&format!("{DRAFT}/publish"), &json!({})).0, 409);
}

#[test]
fn an_agent_from_a_website_appears_after_a_few_requests() {
    let mut caller = Caller::new(&[]);
    let body = json!({"company_name": "Acme", "company_website": "https://acme.example", "skip_deployment": true});
    let (status, accepted) = caller.post("/core/agents/create-from-website", &body);
    assert_eq!(status, 202);
    assert!(accepted["workflow_id"].is_string());
    assert_eq!(names(&caller.read("/core/agents?name=Acme")), Vec::<&str>::new());
    caller.read("/core/agents");
    let agents = caller.read("/core/agents?name=Acme");
    assert_eq!(names(&agents), ["Acme"]);
    assert_eq!((&agents[0]["has_published_version"], &agents[0]["latest_version"]), (&json!(false), &json!(1)));
    assert_eq!(caller.post("/core/agents/create-from-website", &json!({"company_name": "x"})).0, 422);
}

#[test]
fn a_website_can_be_built_into_an_agent_that_is_there() {
    let mut caller = Caller::new(&["job-requests=1"]);
    let mut body = json!({"company_name": "A", "company_website": "a.example", "existing_agent_id": "agent-bare"});
    assert_eq!(caller.post("/core/agents/create-from-website", &body).0, 202);
    let agent = caller.read("/core/agents/agent-bare");
    assert_eq!((&agent["name"], &agent["has_published_version"]), (&json!("Bare"), &json!(true)));
    body["existing_agent_id"] = json!("none");
    assert_eq!(caller.post("/core/agents/create-from-website", &body).0, 404);
}

#[test]
fn a_demo_is_built_published_and_valid() {
    let mut caller = Caller::of(Service::quickstart(Behaviour::default())).with_token(SANDBOX_TOKEN);
    let body = json!({"company_website": "acme.example", "instructions": "Be kind."});
    assert_eq!(caller.post("/core/agents/create-demo", &body).0, 202);
    caller.read("/core/agents");
    caller.read("/core/agents");
    let agents = caller.read("/core/agents?is_demo=true");
    assert_eq!(agents.as_array().unwrap().len(), 1);
    let id = agents[0]["id"].as_str().unwrap();
    let config = caller.read(&format!("/core/agents/{id}/versions/1"))["config"].clone();
    assert_eq!(config["agent"]["instructions"], "Be kind.");
    caller.write(Post, &format!("/core/agents/{id}/versions"), &json!({"config": config}));
}
