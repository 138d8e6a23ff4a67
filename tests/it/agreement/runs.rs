//! The same over whole runs, in every world of the embedded service.

use std::time::Duration;

use reachform::http::Clock as _;
use reachform::sandbox::{Behaviour, Direction, Phase};
use serde_json::{Map, json};

use super::{assert_agreement, claims_as_declared, claims_no_drift, in_drift, in_plan};
use crate::scene::manifest;
use crate::world::{World, run};

const NUMBER: &str = "+15550100001";
const INBOUND: &str = "phone_numbers: {inbound: [\"+15550100001\"]}";

/// Plans and checks, and insists that both say the same. What was written shows late in some worlds.
async fn agree(world: &World, name: &str, what: &str) -> usize {
    for _ in 0..3 {
        let _ = world.try_plan().await;
    }
    let (plan, drift) = (world.plan().await, world.drift().await);
    if drift.unchecked.is_empty() && !plan.has_errors() {
        assert_agreement(&plan, &drift, &format!("{name}: {what}"));
    }
    assert!(!claims_no_drift(&drift) || in_plan(&plan).is_empty(), "{name}: {what}: {:#?}", plan.changes);
    assert!(!claims_as_declared(&plan) || in_drift(&drift).is_empty(), "{name}: {what}: {:#?}", drift.agents);
    in_drift(&drift).len()
}

async fn life(behaviour: Behaviour, name: &str) {
    let mut world = World::new(behaviour);
    world.options.limits.change_percent = 100;
    world.write("a", manifest("a", &format!("description: Answers.\n{INBOUND}")));
    world.write("b", manifest("b", "phone_numbers: {inbound: []}"));
    world.converge(name).await;
    assert_eq!(agree(&world, name, "just applied").await, 0, "{name}");

    let edited = world.fork();
    let (a, b) = (edited.id("Agent a"), edited.id("Agent b"));
    edited.sandbox.with(|service| {
        service.dashboard_edit(&a, "/agent/max_tool_steps", json!(9)).unwrap();
        service.dashboard_assign(NUMBER, Direction::Inbound, Some(&b)).unwrap();
        let fields = Map::from_iter([("description".to_owned(), json!("Theirs."))]);
        service.dashboard_change(&a, &fields).unwrap();
    });
    assert_eq!(agree(&edited, name, "edited in the dashboard").await, 3, "{name}");

    let more = format!("description: New.\n{INBOUND}");
    let in_git = manifest("a", &more).replace("max_tool_steps: 3", "max_tool_steps: 4");
    let mut conflict = edited.fork();
    conflict.write("a", in_git.clone());
    assert_eq!(agree(&conflict, name, "edited in the dashboard and in Git").await, 3, "{name}");

    world.write("a", in_git);
    assert_eq!(agree(&world, name, "pending").await, 0, "{name}");
    world.sandbox.clear_log();
    let mut whole = world.fork();
    whole.apply().await;
    let requests = whole.sandbox.log().len();
    // Every third kill in each world, and another third in the next one.
    for request in (1 + name.len() % 3..=requests).step_by(3) {
        let mut dead = world.fork();
        dead.die(Phase::After, &format!("#{request}")).await;
        dead.clock.sleep(Duration::from_secs(121)).await;
        let what = format!("an apply that died after request {request}");
        assert_eq!(agree(&dead, name, &what).await, 0, "{name}: {what}");
    }
}

#[test]
fn in_every_world_plan_and_drift_agree_about_edits_conflicts_and_dead_applies() {
    for (name, behaviour) in Behaviour::worlds() {
        run(life(behaviour, &name));
    }
}
