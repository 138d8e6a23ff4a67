//! Every service that the documentation allows: whatever way a switch stands, an apply converges, loses nothing of
//! others, and never leaves a number without an agent.

use reachform::plan::{Action, Outcome};
use reachform::sandbox::{Behaviour, Switch};
use serde_json::json;

use crate::scene::manifest;
use crate::world::{World, run};

const A: &str = "+15550100001";
const B: &str = "+15550100002";
const C: &str = "+15550100003";

fn numbers(inbound: &[&str], outbound: &[&str]) -> String {
    format!("phone_numbers: {{inbound: {inbound:?}, outbound: {outbound:?}}}")
}

/// Fails the moment that one of the slots is empty which was filled at the start.
fn watch_slots(world: &World) {
    let before = world.sandbox.with(|service| service.slots());
    world.sandbox.hook(Box::new(move |number, request, answer, service| {
        if answer.is_some() {
            let now = service.slots();
            for slot in before.keys() {
                assert!(now.contains_key(slot), "{slot:?} is empty after request {number}: {}", request.name());
            }
        }
    }));
}

#[test]
fn a_life_of_three_agents_converges_in_every_world() {
    let worlds = Behaviour::worlds();
    println!("{} worlds", worlds.len());
    for behaviour in worlds {
        let name = behaviour.describe();
        run(life(behaviour, &name));
    }
}

async fn life(behaviour: Behaviour, name: &str) {
    let refuses_takeover = behaviour.is(Switch::Takeover, "conflict");
    let mut world = World::new(behaviour);
    world.write("a", manifest("a", &numbers(&[A], &[A])));
    world.write("b", manifest("b", &numbers(&[B, C], &[])));
    world.write("c", format!("{}metadata: {{team: x, nested: {{deep: 1}}}}\n", manifest("c", "")));
    world.converge(&format!("{name}: create")).await;
    assert_eq!(world.agents(), 3);

    // Somebody else keeps something in the metadata, edits an undeclared path, and leaves a draft.
    let (id_a, id_c) = (world.id("Agent a"), world.id("Agent c"));
    let now = world.now();
    world.sandbox.with(|service| {
        service.now = now;
        service.state.agents.get_mut(&id_c).unwrap().metadata["theirs"] = json!({"keep": [1, 2]});
        service.dashboard_edit(&id_a, "/scorecard_ids", json!(["s1"])).unwrap();
    });
    world.converge(&format!("{name}: an undeclared edit")).await;

    // A change in Git, drift on the service, and a slot that follows.
    world.write("a", manifest("a", &numbers(&[A], &[A])).replace("max_tool_steps: 3", "max_tool_steps: 6"));
    watch_slots(&world);
    world.converge(&format!("{name}: update")).await;
    let config = world.live_config("Agent a");
    assert_eq!(config["scorecard_ids"], json!(["s1"]), "{name}: an undeclared edit survives");
    assert_eq!(config["agent"]["max_tool_steps"], json!(6), "{name}");
    world.sandbox.with(|service| service.dashboard_edit(&id_a, "/agent/max_tool_steps", json!(9)).unwrap());
    let plan = world.plan().await;
    assert_eq!(plan.summary().drift, 1, "{name}: {:?}", plan.changes);
    world.converge(&format!("{name}: drift")).await;

    // Numbers change hands without a gap; a service that refuses takeovers is told so and nothing is lost.
    world.write("a", manifest("a", &numbers(&[B], &[A])).replace("max_tool_steps: 3", "max_tool_steps: 6"));
    world.write("b", manifest("b", &numbers(&[A, C], &[])));
    if refuses_takeover {
        let report = world.apply().await;
        assert!(!report.is_complete(), "{name}");
        assert_eq!(world.sandbox.with(|service| service.slots().len()), 4, "{name}: no number is lost");
        return;
    }
    world.converge(&format!("{name}: swap")).await;
    world.sandbox.hook(Box::new(|_, _, _, _| {}));
    let slots = world.sandbox.with(|service| service.slots());
    assert_eq!(slots[&(A.to_owned(), "inbound")].0, world.id("Agent b"), "{name}");
    assert_eq!(slots[&(B.to_owned(), "inbound")].0, world.id("Agent a"), "{name}");

    // A removal, a slot emptied, an agent pruned.
    world.write("b", manifest("b", &numbers(&[A], &[])));
    world.files.remove("agents/c.yaml");
    world.options.prune = true;
    world.options.limits.delete = 1;
    assert_eq!(
        world.sandbox.with(|service| service.state.agents[&id_c].metadata["theirs"].clone()),
        json!({"keep": [1, 2]})
    );
    world.converge(&format!("{name}: prune")).await;
    assert_eq!(world.agents(), 2, "{name}");
    assert!(!world.sandbox.with(|service| service.slots().contains_key(&(C.to_owned(), "inbound"))), "{name}");
}

#[test]
fn an_agent_that_somebody_built_is_adopted_with_all_that_is_undeclared() {
    run(async {
        let mut world = World::new(Behaviour::default());
        let now = world.now();
        world.sandbox.with(|service| {
            service.now = now;
            let seed = format!(
                r#"{{"agents": {{"built": {{"id": "built", "name": "Agent a", "metadata": {{"crm": 7}},
                    "versions": [{{"id": "built-1", "version": 1, "published": true, "config": {}}}]}}}}}}"#,
                reachform::sandbox::seed::simple_config("Old words.")
            );
            let built = reachform::sandbox::Service::from_json(&seed, Behaviour::default()).unwrap();
            service.state.agents = built.state.agents;
        });
        world.write("a", manifest("a", ""));
        let plan = world.plan().await;
        assert_eq!(plan.changes[0].action, Action::Update);
        assert!(plan.changes[0].adopts);
        world.converge("adopt").await;
        let metadata = world.sandbox.with(|service| service.state.agents["built"].metadata.clone());
        assert_eq!(metadata["crm"], json!(7));
        assert_eq!(metadata["reachform"]["key"], json!("a"));
    });
}

#[test]
fn planning_sends_no_request_that_writes() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", ""));
        world.converge("create").await;
        world.sandbox.clear_log();
        let _plan = world.plan().await;
        for logged in world.sandbox.log() {
            assert_eq!(logged.request.method.as_str(), "GET", "{}", logged.request.name());
            assert!(!logged.request.path.contains("latest"));
        }
    });
}

#[test]
fn a_second_apply_writes_nothing() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", &numbers(&[A], &[])));
        world.converge("create").await;
        world.sandbox.clear_log();
        let report = world.apply().await;
        assert!(report.outcomes.is_empty() && !report.wrote);
        assert!(world.sandbox.log().iter().all(|logged| logged.request.method.as_str() == "GET"));
    });
}

#[test]
fn one_failed_agent_does_not_hold_back_the_others_and_is_reported_truly() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", &numbers(&[A], &[])));
        world.write("b", manifest("b", &numbers(&[B], &[])));
        world.converge("create").await;
        for key in ["a", "b"] {
            world.write(
                key,
                manifest(key, &numbers(&[if key == "a" { A } else { B }], &[])).replace("steps: 3", "steps: 4"),
            );
        }
        let id = world.id("Agent b");
        let fault = reachform::sandbox::Fault::parse(&format!("html-502:PUT /core/agents/{id}/versions")).unwrap();
        world.sandbox = world.sandbox.clone().with_faults(vec![fault]);
        let report = world.apply().await;
        assert_eq!(report.count(Outcome::Applied), 1, "{:#?}", report.outcomes);
        assert_eq!(report.outcomes.len(), 2);
        assert!(report.wrote && !report.is_complete());
        world.sandbox = world.sandbox.clone().with_faults(Vec::new());
        world.converge("the next run finishes").await;
    });
}

#[test]
fn a_stale_plan_stops_its_agent_and_writes_nothing_to_it() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", ""));
        world.converge("create").await;
        world.write("a", manifest("a", "").replace("steps: 3", "steps: 4"));
        let id = world.id("Agent a");
        // The edit comes between the plan and the last look before the first write.
        let mut lists = 0;
        world.sandbox.hook(Box::new(move |_, request, answer, service| {
            if answer.is_none() && request.name() == "GET /core/agents" {
                lists += 1;
                if lists == 3 {
                    service.dashboard_edit(&id, "/agent/max_tool_steps", json!(8)).unwrap();
                }
            }
        }));
        let report = world.apply().await;
        assert_eq!(report.count(Outcome::Stale), 1, "{:#?}", report.outcomes);
        assert!(!report.wrote);
    });
}

#[test]
fn a_saved_plan_is_applied_again_until_it_is_done_and_then_changes_nothing() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", &numbers(&[A], &[])));
        world.write("b", manifest("b", &numbers(&[B], &[])));
        let plan = world.plan().await;
        let text = reachform::render::json::plan_document(&plan, &world.workspace().resolved.sources);
        let saved = reachform::plan::saved::read(&text).unwrap();
        let fault = reachform::sandbox::Fault::parse("html-502:POST /versions#1").unwrap();
        world.sandbox = world.sandbox.clone().with_faults(vec![fault]);
        let first = world.try_apply(reachform::plan::Approval::File(&saved)).await.unwrap().unwrap();
        assert!(!first.is_complete());
        world.sandbox = world.sandbox.clone().with_faults(Vec::new());
        let second = world.try_apply(reachform::plan::Approval::File(&saved)).await.unwrap().unwrap();
        assert!(second.is_complete(), "{:#?}", second.outcomes);
        assert_eq!(second.outcomes.len(), 2);
        let third = world.try_apply(reachform::plan::Approval::File(&saved)).await.unwrap().unwrap();
        assert_eq!(third.count(Outcome::AlreadyApplied), 2, "{:#?}", third.outcomes);
        assert!(!third.wrote);
        let hash = plan.plan_hash.clone();
        let fourth = world.try_apply(reachform::plan::Approval::Hash(&hash)).await.unwrap().unwrap();
        assert!(fourth.is_complete() && !fourth.wrote);
    });
}
