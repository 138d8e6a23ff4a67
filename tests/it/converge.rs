//! Every service that the documentation allows: whatever way a switch stands, an apply converges, loses nothing of
//! others, and never leaves a number without an agent.

use reachform::plan::{Action, Outcome};
use reachform::sandbox::{Behaviour, Phase};
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
    world.sandbox.on_request(move |phase, number, request, service| {
        if phase == Phase::After {
            let emptied = service.emptied_since(&before);
            assert!(emptied.is_empty(), "{emptied:?} is empty after request {number}: {}", request.name());
        }
    });
}

/// Walks the worlds whose number leaves this rest, so that the tests below share the work between cores.
fn lives(rest: usize) {
    let worlds = Behaviour::worlds();
    println!("{} worlds in all", worlds.len());
    for (name, behaviour) in worlds.into_iter().skip(rest).step_by(4) {
        run(life(behaviour, &name));
    }
}

#[test]
fn a_life_of_three_agents_converges_in_the_first_quarter_of_all_worlds() {
    lives(0);
}

#[test]
fn a_life_of_three_agents_converges_in_the_second_quarter_of_all_worlds() {
    lives(1);
}

#[test]
fn a_life_of_three_agents_converges_in_the_third_quarter_of_all_worlds() {
    lives(2);
}

#[test]
fn a_life_of_three_agents_converges_in_the_last_quarter_of_all_worlds() {
    lives(3);
}

async fn life(behaviour: Behaviour, name: &str) {
    let refuses_takeover = name.contains("takeover=conflict");
    // A service that publishes a version only once, and one direction a call, cannot hold two different sets on one
    // version; there both directions have the same numbers.
    let both = name.contains("republish=refuse");
    let out = |inbound: &'static [&'static str], outbound: &'static [&'static str]| {
        numbers(inbound, if both { inbound } else { outbound })
    };
    let mut world = World::new(behaviour);
    world.write("a", manifest("a", &out(&[A], &[A])));
    world.write("b", manifest("b", &out(&[B, C], &[])));
    // A long prompt with blanks around it, a null, an empty object and a key that no schema knows.
    let prompt = format!("\"  {} \\n\\n\"", "Listen first, then answer in one sentence. ".repeat(8));
    let c = manifest("c", "metadata: {team: x, nested: {deep: 1}}")
        .replace("You answer the telephone of a clinic.", &prompt)
        .replace("      tools: []", "      tools: []\n      built_in_tools: {images: {}}\n      language: null");
    world.write("c", c);
    world.converge(&format!("{name}: create")).await;
    assert_eq!(world.agents(), 3);

    // Somebody else keeps something in the metadata, edits an undeclared path, and leaves a draft.
    let id_a = world.id("Agent a");
    world.annotate("Agent c", "theirs", json!({"keep": [1, 2]}));
    world.sandbox.with(|service| service.dashboard_edit(&id_a, "/scorecard_ids", json!(["s1"])).unwrap());
    world.converge(&format!("{name}: an undeclared edit")).await;

    // A change in Git, drift on the service, and a slot that follows.
    world.write("a", manifest("a", &out(&[A], &[A])).replace("max_tool_steps: 3", "max_tool_steps: 6"));
    watch_slots(&world);
    world.converge(&format!("{name}: update")).await;
    let config = world.live_config("Agent a");
    assert_eq!(config["scorecard_ids"], json!(["s1"]), "{name}: an undeclared edit survives");
    assert_eq!(config["agent"]["max_tool_steps"], json!(6), "{name}");
    world.sandbox.with(|service| service.dashboard_edit(&id_a, "/agent/max_tool_steps", json!(9)).unwrap());
    let plan = world.plan().await;
    assert_eq!(plan.summary().drift, 1, "{name}: {:?}", plan.changes);
    world.converge(&format!("{name}: drift")).await;

    // A path that is no longer declared goes, also where the service merges what it is sent.
    let without = manifest("a", &out(&[A], &[A])).replace("      max_tool_steps: 3\n", "");
    world.write("a", without);
    world.converge(&format!("{name}: removal")).await;
    let left = world.live_config("Agent a")["agent"].get("max_tool_steps").cloned();
    assert!(left.is_none_or(|left| left.is_null()), "{name}: a removed path is gone");

    // Numbers change hands without a gap; a service that refuses takeovers is told so and nothing is lost.
    world.write("a", manifest("a", &out(&[B], &[A])).replace("max_tool_steps: 3", "max_tool_steps: 6"));
    world.write("b", manifest("b", &out(&[A, C], &[])));
    if refuses_takeover {
        let report = world.apply().await;
        assert!(!report.is_complete(), "{name}");
        assert!(world.holder(A, "inbound").is_some() && world.holder(B, "inbound").is_some(), "{name}");
        return;
    }
    world.converge(&format!("{name}: swap")).await;
    assert_eq!(world.holder(A, "inbound").as_deref(), Some("Agent b"), "{name}");
    assert_eq!(world.holder(B, "inbound").as_deref(), Some("Agent a"), "{name}");
    assert_eq!(world.metadata("Agent c")["theirs"], json!({"keep": [1, 2]}), "{name}");

    // An agent pruned, where the list of agents can be proven complete.
    world.files.remove("agents/c.yaml");
    world.options.prune = true;
    world.options.limits.delete = 1;
    let is_proven = world.plan().await.summary().delete == 1;
    world.converge(&format!("{name}: prune")).await;
    assert_eq!(world.agents(), if is_proven { 2 } else { 3 }, "{name}");
}

#[test]
fn a_number_that_is_no_longer_declared_is_emptied() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", &numbers(&[A, B], &[])));
        world.converge("create").await;
        world.write("a", manifest("a", &numbers(&[A], &[])));
        world.converge("empty").await;
        assert_eq!(world.holder(B, "inbound"), None);
        assert_eq!(world.holder(A, "inbound").as_deref(), Some("Agent a"));
    });
}

#[test]
fn an_agent_that_somebody_built_is_adopted_with_all_that_is_undeclared() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", ""));
        world.converge("create").await;
        world.annotate("Agent a", "reachform", serde_json::Value::Null);
        world.annotate("Agent a", "crm", json!(7));
        let id = world.id("Agent a");
        world.sandbox.with(|service| service.dashboard_edit(&id, "/agent/instructions", json!("Old words.")).unwrap());
        let plan = world.plan().await;
        assert_eq!(plan.changes[0].action, Action::Update);
        assert!(plan.changes[0].adopts);
        world.converge("adopt").await;
        let metadata = world.metadata("Agent a");
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
        world.fault(&format!("html-502:PUT /core/agents/{id}/versions*#1+"));
        let report = world.apply().await;
        assert_eq!(report.count(Outcome::Applied), 1, "{:#?}", report.outcomes);
        assert_eq!(report.outcomes.len(), 2);
        assert!(report.wrote && !report.is_complete());
        world.sandbox.clear_faults();
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
        let readings = std::sync::atomic::AtomicUsize::new(0);
        world.sandbox.on_request(move |phase, _, request, service| {
            if phase == Phase::After && request.path == "/admin/members/me/scopes" {
                // Each reading asks for the scopes last of all: the edit comes between the plan and the last look.
                if readings.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
                    service.dashboard_edit(&id, "/agent/max_tool_steps", json!(8)).unwrap();
                }
            }
        });
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
        let saved = reachform::render::json::read_saved(&text).unwrap();
        world.fault("400-before:POST /core/agents/*/versions#1");
        let first = world.try_apply(reachform::plan::Approval::File(&saved)).await.unwrap().unwrap();
        assert!(!first.is_complete());
        world.sandbox.clear_faults();
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
