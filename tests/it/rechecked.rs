//! What happens between approval and the first write: what others did meanwhile makes a change stale, with the reason in
//! words; what is in place by then is done.

use reachform::model::{Key, Stamp};
use reachform::plan::{Outcome, Report};
use reachform::sandbox::{Direction, Service};
use serde_json::{Map, Value, json};

use crate::scene::manifest;
use crate::world::{World, causes, changed, edit_stamp, in_service, just_before, outcome, run, with_one_to_prune};

const A: &str = "+15550100001";

/// Applies, and somebody does something between the list that was planned from and the one just before the first write.
fn apply_while(world: &mut World, deed: impl Fn(&mut Service) + Send + Sync + 'static) -> Report {
    world.sandbox.clear_log();
    just_before(world, "GET /core/phone-numbers".to_owned(), 2, deed);
    run(async { world.apply().await })
}

fn dashboard_change(service: &mut Service, agent: &str, field: &str, value: Value) {
    let id = service.agent_named(agent).unwrap().id;
    service.dashboard_change(&id, &Map::from_iter([(field.to_owned(), value)])).unwrap();
}

#[track_caller]
fn assert_stale(report: &Report, key: &str, words: &str) {
    assert_eq!(outcome(report, key), Outcome::Stale, "{report:#?}");
    assert_eq!(causes(report, key), words);
    assert!(!report.wrote, "{report:#?}");
}

#[test]
fn another_live_version_is_named_with_its_author() {
    let mut world = changed("");
    let report = apply_while(&mut world, |service| {
        let agent = service.agent_named("Agent a").unwrap();
        let mut config = agent.live().unwrap().config.clone();
        config["agent"]["max_tool_steps"] = json!(9);
        service.dashboard_release(&agent.id, config).unwrap();
    });
    assert_stale(&report, "a", "planned on version 1, live is version 2, by user_dashboard");
    assert_eq!(world.live_config("Agent a")["agent"]["max_tool_steps"], json!(9));
}

#[test]
fn a_first_live_version_of_somebody_else_is_told_as_such() {
    let mut world = in_service("");
    let body = json!({"name": "Agent a"});
    run(async { world.outside().writer().create_agent(body.as_object().unwrap()).await.unwrap() });
    world.write("a", manifest("a", ""));
    let config: Value = serde_yaml::from_str(crate::scene::CONFIG).unwrap();
    let report = apply_while(&mut world, move |service| {
        let id = service.agent_named("Agent a").unwrap().id;
        let mut config = config.clone();
        config["agent"]["max_tool_steps"] = json!(9);
        service.dashboard_release(&id, config).unwrap();
    });
    assert_stale(&report, "a", "planned on no published version, live is version 1, by user_dashboard");
}

#[test]
fn another_agent_under_the_same_key_is_not_changed_in_its_place() {
    let mut world = changed("");
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    world.files.remove("agents/b.yaml");
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 5"));
    let live = world.live_config("Agent b");
    let report = apply_while(&mut world, move |service| {
        // Two agents at the same version: the live one of `b` is a second one, as that of `a` is.
        let id = service.agent_named("Agent b").unwrap().id;
        service.dashboard_release(&id, live.clone()).unwrap();
        edit_stamp(service, "Agent a", |stamp| stamp.key = Key::parse("z").unwrap());
        edit_stamp(service, "Agent b", |stamp| stamp.key = Key::parse("a").unwrap());
    });
    assert_stale(&report, "a", "its key belongs to another agent now");
}

#[test]
fn numbers_that_moved_and_fields_that_changed_are_told_apart() {
    let mut world = in_service("");
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    let mut moved = world.fork();
    let report = apply_while(&mut moved, |service| {
        let id = service.agent_named("Agent b").unwrap().id;
        service.dashboard_assign(A, Direction::Inbound, Some(&id)).unwrap();
    });
    assert_stale(&report, "a", "its phone numbers were moved since the plan");
    assert_eq!(moved.holder(A, "inbound").as_deref(), Some("Agent b"));

    let mut renamed = world.fork();
    let report = apply_while(&mut renamed, |service| {
        dashboard_change(service, "Agent a", "description", json!("Theirs."));
        dashboard_change(service, "Agent a", "name", json!("Theirs"));
    });
    assert_stale(&report, "a", "its name, description, metadata or config was changed since the plan");
}

#[test]
fn what_can_no_longer_be_planned_says_so_and_why() {
    let mut world = changed("");
    let report = apply_while(&mut world, |service| {
        let mut metadata = service.agent_named("Agent a").unwrap().metadata;
        metadata["reachform"]["v"] = json!(99);
        dashboard_change(service, "Agent a", "metadata", metadata);
    });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    let entry = &report.outcomes[0];
    assert_eq!(entry.causes[0], "it can no longer be planned");
    assert!(entry.causes.len() > 1, "the error of the new plan is told as well: {entry:#?}");
}

#[test]
fn what_somebody_else_put_in_place_meanwhile_is_already_applied() {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    run(async { world.apply().await });
    world.write("a", manifest("a", "description: New."));
    let report = apply_while(&mut world, |service| dashboard_change(service, "Agent a", "description", json!("New.")));
    assert_eq!(outcome(&report, "a"), Outcome::AlreadyApplied, "{report:#?}");
    let stamp = Stamp::read(&world.metadata("Agent a")).unwrap().unwrap();
    assert!(stamp.state.applied.is_some() && stamp.state.intent.is_none());
    run(async { world.assert_empty("already applied").await });
}

#[test]
fn a_number_that_somebody_else_put_in_place_meanwhile_leaves_the_rest_of_the_change_approved() {
    const B: &str = "+15550100002";
    let mut world = in_service("");
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    run(async { world.apply().await });
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\", \"{B}\"]}}")));
    let report = apply_while(&mut world, |service| {
        let id = service.agent_named("Agent a").unwrap().id;
        service.dashboard_assign(A, Direction::Inbound, Some(&id)).unwrap();
    });
    assert_eq!(outcome(&report, "a"), Outcome::Applied, "{report:#?}");
    assert_eq!(world.holder(B, "inbound").as_deref(), Some("Agent a"));
}

#[test]
fn a_copy_takes_along_what_points_at_the_live_version_in_a_direction_that_git_does_not_manage() {
    let mut world = in_service("republish=refuse");
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    run(async { world.apply().await });
    let id = world.id("Agent a");
    world.sandbox.with(|service| service.dashboard_assign(A, Direction::Outbound, Some(&id)).unwrap());
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    let slots = world.sandbox.with(|service| service.slots())[A].clone();
    assert_eq!((slots.inbound.unwrap().version, slots.outbound.unwrap().version), (2, 2));
    assert_eq!(world.versions("Agent a"), [(1, true), (2, true)]);
}

#[test]
fn an_agent_that_somebody_else_deleted_is_done_with_unless_the_reading_has_errors() {
    let delete = |service: &mut Service| {
        let id = service.agent_named("Agent b").unwrap().id;
        service.dashboard_delete(&id).unwrap();
    };
    let mut world = with_one_to_prune();
    let report = apply_while(&mut world, delete);
    assert_eq!(outcome(&report, "b"), Outcome::AlreadyApplied, "{report:#?}");

    let mut world = with_one_to_prune();
    let report = apply_while(&mut world, move |service| {
        delete(service);
        let mut metadata = service.agent_named("Agent a").unwrap().metadata;
        metadata["reachform"]["v"] = json!(99);
        dashboard_change(service, "Agent a", "metadata", metadata);
    });
    assert_eq!(outcome(&report, "b"), Outcome::Stale, "{report:#?}");
}
