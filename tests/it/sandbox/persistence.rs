//! The state as JSON and as a file; determinism; the dashboard.

use std::fs;

use reachform::http::Method::{Get, Post};
use reachform::sandbox::{
    Behaviour, DashboardError, Delivery, Direction, Sandbox, Seed, SeedError, Service, ServiceError, Store, StoreError,
};
use serde_json::json;

use super::{Caller, config, request, seed};

#[test]
fn the_same_requests_give_the_same_bytes() {
    let run = || {
        let mut caller = Caller::new(&[]);
        let id = caller.agent_with_draft("Twin");
        caller.write(
            Post,
            &format!("/core/agents/{id}/versions/1/publish"),
            &json!({"phone_numbers": ["+15550000003"]}),
        );
        (caller.send(request(Get, "/core/agents", None)), caller.service.to_json())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_state_survives_json_and_goes_on_where_it_was() {
    let mut caller = Caller::new(&["eventual=3"]);
    let id = caller.agent_with_draft("Kept");
    caller.post("/core/agents/create-demo", &json!({"company_website": "x.example"}));
    let text = caller.service.to_json();
    let mut copy = Caller::of(Service::from_json(&text, caller.service.behaviour().clone()).unwrap());
    assert_eq!(copy.service.to_json(), text);
    copy.now = caller.now;
    for _ in 0..5 {
        assert_eq!(copy.get(&format!("/core/agents/{id}")), caller.get(&format!("/core/agents/{id}")));
    }
    assert_eq!(copy.read("/core/agents"), caller.read("/core/agents"));
}

#[test]
fn a_state_of_another_format_or_none_is_refused() {
    let read = |text: &str| Service::from_json(text, Behaviour::default()).map(|_| ()).unwrap_err();
    assert!(matches!(read("{"), ServiceError::Damaged(_)));
    assert!(matches!(read("[]"), ServiceError::Damaged(_)));
    let error = read(r#"{"format": 9}"#);
    assert_eq!(error.to_string(), "the stored state of the sandbox has format 9, this program reads 1");
}

#[test]
fn a_revision_grows_with_writes_alone() {
    let mut caller = Caller::new(&[]);
    let before = caller.service.revision();
    caller.read("/core/agents");
    caller.read("/core/agents/agent-front/versions/latest");
    assert_eq!(caller.service.revision(), before);
    caller.read("/core/agents/agent-night/versions/latest");
    assert_eq!(caller.service.revision(), before + 1, "a reading that made a draft");
    caller.post("/core/agents", &json!({"name": "x"}));
    assert_eq!(caller.service.revision(), before + 2);
}

#[test]
fn a_store_keeps_what_was_answered_and_only_one_process_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/sandbox.json");
    let store = Store::open(&path).unwrap();
    assert!(store.load(Behaviour::default()).unwrap().is_none());
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    let sandbox = Sandbox::stored(Service::seeded(&seed(), Behaviour::default()).unwrap(), store).unwrap();
    let mut create = request(Post, "/core/agents", Some(&json!({"name": "Kept"})));
    create.headers.push(("authorization".to_owned(), "Bearer ak_one.admin".to_owned()));
    let delivery = sandbox.handle(&create, "2026-11-24T12:00:00Z".parse().unwrap());
    assert!(matches!(delivery, Delivery::Answer(ref answer) if answer.status == 200), "{delivery:?}");
    drop(sandbox);
    let store = Store::open(&path).unwrap();
    let service = store.load(Behaviour::default()).unwrap().unwrap();
    assert!(service.agent_named("Kept").is_some());
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the state and its lock, no temporary file: {left:?}");
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    fs::write(&path, "{\"format\": 1, \"mint\"").unwrap();
    let error = Store::open(&path).unwrap().load(Behaviour::default()).unwrap_err();
    assert!(error.to_string().ends_with("move it away to begin anew"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"format\": 1, \"mint\"");
}

#[test]
fn a_seed_that_contradicts_itself_is_refused() {
    let sown =
        |text: &str| Seed::parse(text).and_then(|seed| Service::seeded(&seed, Behaviour::default())).unwrap_err();
    assert!(sown(r#"{"organizations": [], "colour": 1}"#).to_string().contains("colour"));
    assert!(matches!(sown(r#"{"organizations": []}"#), SeedError::NoOrganization));
    let twice = json!({"organizations": [{"id": "o", "agents": [
        {"name": "a", "versions": [{"config": {}, "inbound": ["+1555"]}, {"config": {}, "inbound": ["+1555"]}]}
    ]}]});
    let error = sown(&twice.to_string());
    assert_eq!(error.to_string(), "the seed puts two versions on the inbound slot of +1555");
    let lost = json!({"organizations": [{"id": "o", "routing": {"workflow_definition": {}, "fallback_agent": "x"}}]});
    assert!(matches!(sown(&lost.to_string()), SeedError::UnknownAgent(_)));
}

#[test]
fn an_edit_in_the_dashboard_is_a_published_version_that_takes_the_numbers_along() {
    let mut caller = Caller::new(&[]);
    let version = caller.service.dashboard_edit("agent-front", "/agent/instructions", json!("edited")).unwrap();
    assert_eq!(version, 4);
    let read = caller.read("/core/agents/agent-front/versions/4");
    assert_eq!((&read["published"], &read["created_by"]), (&json!(true), &json!("user_dashboard")));
    assert_eq!(
        read["config"]["agent"],
        json!({"instructions": "edited"}),
        "copied from the live version, not the draft"
    );
    let slots = caller.service.slots();
    assert_eq!(slots["+15550000001"].inbound.as_ref().unwrap().version, 4);
    assert_eq!(slots["+15550000002"].outbound.as_ref().unwrap().agent, "Front desk");
    assert_eq!(slots["+15550000002"].inbound.as_ref().unwrap().agent, "Night line");
    caller.service.dashboard_edit("agent-front", "/agent/deep/er", json!(1)).unwrap();
    assert_eq!(caller.service.agent_named("Front desk").unwrap().live().unwrap().config["agent"]["deep"]["er"], 1);
}

#[test]
fn a_person_in_the_dashboard_can_do_what_a_test_needs() {
    let mut service = Service::seeded(&seed(), Behaviour::default()).unwrap();
    let before = service.slots();
    let draft = service.dashboard_draft("agent-night").unwrap();
    service.dashboard_edit_version("agent-night", draft, "/agent/instructions", json!("draft")).unwrap();
    service.dashboard_publish("agent-night", draft).unwrap();
    service.dashboard_release("agent-night", config()).unwrap();
    service.dashboard_assign("+15550000003", Direction::Outbound, Some("agent-night")).unwrap();
    assert_eq!(service.slots()["+15550000003"].outbound.as_ref().unwrap().version, 3);
    service.dashboard_assign("+15550000001", Direction::Inbound, None).unwrap();
    assert_eq!(service.emptied_since(&before), [("+15550000001".to_owned(), Direction::Inbound)]);
    let fields = json!({"name": "Day line", "active": true, "metadata": {"x": 1}});
    service.dashboard_change("agent-night", fields.as_object().unwrap()).unwrap();
    let agent = service.agent_named("Day line").unwrap();
    assert_eq!((agent.active, &agent.metadata, agent.versions.len()), (true, &json!({"x": 1}), 3));
    assert_eq!(service.violations(), Vec::<String>::new());
    service.dashboard_delete("agent-night").unwrap();
    assert_eq!(service.violations().len(), 2);
}

#[test]
fn the_dashboard_says_what_is_missing() {
    let mut service = Service::seeded(&seed(), Behaviour::default()).unwrap();
    let missing = |error: DashboardError| error.to_string();
    assert_eq!(
        missing(service.dashboard_edit("agent-bare", "/a", json!(1)).unwrap_err()),
        "there is no published version of agent-bare in the sandbox"
    );
    assert_eq!(
        missing(service.dashboard_assign("+1", Direction::Inbound, None).unwrap_err()),
        "there is no phone number +1 in the sandbox"
    );
    assert_eq!(
        service.dashboard_edit("agent-front", "/agent/instructions/deeper", json!(1)),
        Err(DashboardError::Unreachable("/agent/instructions/deeper".to_owned()))
    );
}
