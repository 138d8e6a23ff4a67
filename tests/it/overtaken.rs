//! What others do while an apply is at work or not finished: it is found, left alone, and held until somebody decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reachform::diagnostics::SourceMap;
use reachform::model::FieldPath;
use reachform::plan::drift::DriftState;
use reachform::plan::{Approval, Cause, Outcome, Refusal, SavedPlan};
use reachform::render::json::{plan_document, read_saved};
use reachform::sandbox::{Direction, Phase, Service};
use serde_json::{Map, Value, json};

use crate::scene::manifest;
use crate::world::{World, causes, changed, in_service, just_before, outcome, run};

const NUMBER: &str = "+15550100001";
const PROMPT: &str = "/agent/instructions";

fn publishes(id: String, words: &'static str) -> impl Fn(&mut Service) + Send + Sync + 'static {
    move |service| {
        service.dashboard_edit(&id, PROMPT, json!(words)).unwrap();
    }
}

fn prompt(world: &World) -> Value {
    world.live_config("Agent a")["agent"]["instructions"].clone()
}

fn saved(world: &World) -> SavedPlan {
    let plan = run(async { world.plan().await });
    read_saved(&plan_document(&plan, &SourceMap::default())).unwrap()
}

/// A world in which somebody publishes other words while a plan that says nothing of the prompt is applied.
fn overtaken(approval: impl Fn(&World) -> Option<SavedPlan>) -> (World, Option<SavedPlan>) {
    let mut world = changed("");
    let saved = approval(&world);
    let id = world.id("Agent a");
    just_before(&world, format!("GET /core/agents/{id}/versions/2"), 1, publishes(id, "Closed today."));
    let approval = saved.as_ref().map_or(Approval::Auto, Approval::File);
    let report = run(async { world.try_apply(approval).await }).unwrap().unwrap();
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    (world, saved)
}

#[test]
fn a_plan_that_was_begun_does_not_write_over_what_it_never_showed() {
    let (mut world, saved) = overtaken(|world| Some(saved(world)));
    let saved = saved.unwrap();
    let again = run(async { world.try_apply(Approval::File(&saved)).await }).unwrap();
    let Err(Refusal::AnotherPlan(lines)) = again else { panic!("{again:#?}") };
    assert!(lines[0].starts_with("agent.a: planned on version 1, live is version 3 (by "), "{lines:#?}");
    let hash = saved.plan_hash.clone();
    let again = run(async { world.try_apply(Approval::Hash(&hash)).await }).unwrap();
    assert!(matches!(again, Err(Refusal::AnotherPlan(_))), "{again:#?}");
    assert_eq!(prompt(&world), json!("Closed today."));
}

#[test]
fn what_was_published_during_an_apply_is_held_also_if_git_has_not_changed_it() {
    let (mut world, _) = overtaken(|_| None);
    let plan = run(async { world.plan().await });
    let cause = |path: &str| {
        let path = FieldPath::parse(path).unwrap();
        plan.changes[0].fields.iter().find(|field| field.path == path).map(|field| field.cause)
    };
    assert_eq!(cause("/config/agent/instructions"), Some(Cause::Conflict), "{:#?}", plan.changes[0].fields);
    assert_eq!(cause("/config/agent/max_tool_steps"), Some(Cause::Pending), "Git changed it, and nobody else");
    let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
    assert_eq!((outcome(&report, "a"), report.wrote), (Outcome::Held, false), "{report:#?}");
    assert_eq!(prompt(&world), json!("Closed today."));
    let drift = run(async { world.drift().await });
    let words = drift.agents[0].fields.iter().find(|field| field.path.to_string() == "/config/agent/instructions");
    assert!(!words.unwrap().conflict && drift.agents[0].is_held, "Git has not changed it, and an apply holds it");
    // Whoever is shown it decides.
    run(async { world.apply().await });
    assert_ne!(prompt(&world), json!("Closed today."));
    run(async { world.assert_empty("decided").await });
}

#[test]
fn a_plan_that_was_begun_is_finished_with_the_edits_that_it_showed() {
    let mut world = changed("");
    world.write("a", manifest("a", "description: Ours.").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    run(async { world.apply().await });
    let theirs = Map::from_iter([("description".to_owned(), json!("Theirs."))]);
    let id = world.id("Agent a");
    world.sandbox.with(|service| service.dashboard_change(&id, &theirs).unwrap());
    world.write("a", manifest("a", "description: Ours.").replace("max_tool_steps: 3", "max_tool_steps: 5"));
    let saved = saved(&world);
    for other in [None, Some("Others.")] {
        let mut world = world.fork();
        let publish = format!(":POST /core/agents/{id}/versions/3/publish");
        run(async { world.die_applying(Approval::File(&saved), Phase::After, &publish).await });
        if let Some(other) = other {
            let fields = Map::from_iter([("description".to_owned(), json!(other))]);
            world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
        }
        let again = run(async { world.try_apply(Approval::File(&saved)).await }).unwrap();
        let description = world.sandbox.with(|service| service.agent_named("Agent a").unwrap().description);
        match other {
            None => {
                assert!(again.unwrap().is_complete());
                assert_eq!(description.as_deref(), Some("Ours."));
            }
            // It showed another value there.
            Some(other) => {
                assert!(matches!(again, Err(Refusal::AnotherPlan(_))), "{again:#?}");
                assert_eq!(description.as_deref(), Some(other));
            }
        }
    }
}

fn two_with_a_number() -> World {
    let mut world = in_service("");
    let number = format!("phone_numbers: {{inbound: [\"{NUMBER}\"]}}");
    world.write("a", manifest("a", &number));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    world.write("a", manifest("a", &number).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world.write("b", manifest("b", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world
}

#[test]
fn a_number_that_somebody_moved_back_during_an_apply_stays_there() {
    let mut world = two_with_a_number();
    let (a, seen) = (world.id("Agent a"), Arc::new(AtomicBool::new(false)));
    let id = a.clone();
    // The closing reading begins when every agent is done.
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_done = service.agents().iter().all(|agent| {
            let stamp = reachform::model::Stamp::read(&agent.metadata).ok().flatten();
            stamp.is_some_and(|stamp| stamp.state.lease.is_none() && agent.live().unwrap().number == 2)
        });
        let is_last_look = phase == Phase::Before && is_done && request.name() == "GET /core/agents";
        if is_last_look && !seen.swap(true, Ordering::Relaxed) {
            service.dashboard_roll_back(NUMBER, Direction::Inbound, &id, 1).unwrap();
        }
    });
    let holder = |world: &World| world.sandbox.with(|service| service.slots()[NUMBER].inbound.clone());
    let old = holder(&world);
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    assert!(causes(&report, "a").contains(&format!("{NUMBER} was moved by ")), "{report:#?}");
    assert_eq!(holder(&world), old, "{a}");
    // Nor does the next run move it before anybody has looked.
    let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
    assert_eq!(outcome(&report, "a"), Outcome::Held, "{report:#?}");
    assert_eq!(holder(&world), old);
}

#[test]
fn numbers_that_a_publish_did_not_move_are_left_to_do_and_nobodys_drift() {
    let mut world = two_with_a_number();
    let id = world.id("Agent a");
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    // Every move is answered, and lost.
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_publish = request.name() == format!("POST /core/agents/{id}/versions/2/publish");
        if phase == Phase::After && is_publish && !over.load(Ordering::Relaxed) {
            service.forget_move(NUMBER, Direction::Inbound, Some((&id, 1))).unwrap();
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Unverified, "{report:#?}");
    is_over.store(true, Ordering::Relaxed);
    let drift = run(async { world.drift().await });
    assert!(drift.agents.is_empty(), "{:#?}", drift.agents);
    assert_eq!(drift.state(), DriftState::NotChecked, "{drift:#?}");
    assert!(drift.unchecked[0].causes.concat().contains("an apply was not finished"), "{:#?}", drift.unchecked);
    let plan = run(async { world.plan().await });
    assert_eq!(plan.changes[0].numbers[0].cause, Cause::Pending, "{plan:#?}");
    // What somebody does with it later is theirs.
    let mut other = world.fork();
    let b = other.id("Agent b");
    other.sandbox.with(|service| service.dashboard_assign(NUMBER, Direction::Inbound, Some(&b)).unwrap());
    assert_eq!(run(async { other.drift().await }).agents.len(), 1);
    run(async { other.apply().await });
    run(async { world.converge("the same command again").await });
}

#[test]
fn another_number_or_switch_in_the_read_back_is_never_published() {
    let place = "/agent/max_tool_steps";
    for (place, value) in [(place, json!(9)), ("/agent/allow_interruptions", json!(false))] {
        let mut world = in_service("");
        let text = manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 3\n      allow_interruptions: true");
        world.write("a", text.clone());
        run(async { world.apply().await });
        world.write("a", text.replace("max_tool_steps: 3", "max_tool_steps: 4"));
        let id = world.id("Agent a");
        let config = value.clone();
        // The same principal, so that the authors say nothing, and at once, so that the times do.
        world.sandbox.on_request(move |phase, _, request, service| {
            if phase == Phase::After && request.name() == format!("PUT /core/agents/{id}/versions/2") {
                service.forget_edit(&id, 2, place, config.clone()).unwrap();
            }
        });
        let report = run(async { world.apply().await });
        assert!(matches!(outcome(&report, "a"), Outcome::Failed | Outcome::Stale), "{place}: {report:#?}");
        assert_eq!(world.versions("Agent a"), [(1, true), (2, false)], "{place}: nothing was published");
    }
}
