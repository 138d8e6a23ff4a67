//! A saved plan against what became of it since: what was done meanwhile is in place, anything else is another plan.

use reachform::diagnostics::SourceMap;
use reachform::model::Stamp;
use reachform::model::stamp::STAMP_KEY;
use reachform::plan::{Action, Approval, Outcome, Refusal, Report, SavedPlan, saved};
use reachform::render::json::plan_document;
use serde_json::{Map, json};

use crate::scene::manifest;
use crate::world::{World, in_service, run};

/// A world in which the next plan creates `new`, adopts `found`, updates `a` and deletes `b`.
fn world() -> World {
    let mut world = in_service("");
    world.options.limits.delete = 1;
    world.write("a", manifest("a", ""));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    let body = json!({"name": "Agent found"});
    let made = run(async { world.outside().writer().create_agent(body.as_object().unwrap()).await.unwrap() });
    // It is already as its manifest wants it, so that nothing but the stamp is missing.
    let config = world.live_config("Agent a");
    world.sandbox.with(|service| service.dashboard_release(&made.agent.id, config).unwrap());
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world.write("new", manifest("new", ""));
    world.write("found", manifest("found", ""));
    world.files.remove("agents/b.yaml");
    world.options.prune = true;
    world
}

fn save(world: &World) -> SavedPlan {
    let plan = run(async { world.plan().await });
    let summary = plan.summary();
    assert_eq!((summary.create, summary.adopt, summary.update, summary.delete), (1, 1, 1, 1), "{plan:#?}");
    saved::read(&plan_document(&plan, &SourceMap::default())).unwrap()
}

fn apply(world: &mut World, saved: &SavedPlan) -> Result<Report, Refusal> {
    run(async { world.try_apply(Approval::File(saved)).await }).unwrap()
}

#[track_caller]
fn refused(world: &mut World, saved: &SavedPlan, line: &str) {
    world.sandbox.clear_log();
    match apply(world, saved) {
        Err(Refusal::AnotherPlan(difference)) => {
            assert!(difference.iter().any(|told| told == line), "`{line}`: {difference:#?}");
        }
        other => panic!("`{line}`: {other:#?}"),
    }
    assert!(world.sandbox.log().iter().all(|entry| entry.request.method == reachform::http::Method::Get));
}

#[test]
fn a_plan_that_somebody_else_has_applied_is_in_place_and_writes_nothing() {
    let mut world = world();
    let saved = save(&world);
    run(async { world.converge("by somebody else").await });
    world.sandbox.clear_log();
    let report = apply(&mut world, &saved).unwrap();
    let mut told: Vec<(&str, Action, Outcome)> =
        report.outcomes.iter().map(|entry| (entry.key.as_str(), entry.action, entry.outcome)).collect();
    told.sort_by_key(|(key, ..)| *key);
    let already = Outcome::AlreadyApplied;
    let wanted = [
        ("a", Action::Update, already),
        ("b", Action::Delete, already),
        ("found", Action::Adopt, already),
        ("new", Action::Create, already),
    ];
    assert_eq!(told, wanted);
    assert!(report.is_complete() && !report.wrote);
}

#[test]
fn a_delete_that_is_no_longer_planned_refuses_the_plan_while_its_agent_stands() {
    let mut world = world();
    let saved = save(&world);
    let found = world.sandbox.with(|service| service.agent_named("Agent b").unwrap());
    let mut stamp = Stamp::read(&found.metadata).unwrap().unwrap();
    stamp.protect = true;
    let mut metadata = found.metadata;
    metadata[STAMP_KEY] = stamp.write();
    let fields = Map::from_iter([("metadata".to_owned(), metadata)]);
    world.sandbox.with(|service| service.dashboard_change(&found.id, &fields).unwrap());
    refused(&mut world, &saved, "agent.b: delete was saved and is no longer planned");
    assert_eq!(world.agents(), 3);
}

#[test]
fn a_create_and_an_adoption_whose_manifests_are_gone_refuse_the_plan() {
    for (key, action) in [("new", "create"), ("found", "adopt")] {
        let mut world = world();
        let saved = save(&world);
        world.files.remove(&format!("agents/{key}.yaml"));
        refused(&mut world, &saved, &format!("agent.{key}: {action} was saved and is no longer planned"));
    }
}

#[test]
fn a_change_that_was_not_saved_refuses_the_plan() {
    let mut world = world();
    let saved = save(&world);
    world.write("newer", manifest("newer", ""));
    match apply(&mut world, &saved) {
        Err(Refusal::AnotherPlan(difference)) => {
            assert_eq!(difference.len(), 1, "{difference:#?}");
            assert!(difference[0].contains("agent.newer") && difference[0].ends_with("— not in the saved plan"));
        }
        other => panic!("{other:#?}"),
    }
    assert_eq!(world.agents(), 3);
}
