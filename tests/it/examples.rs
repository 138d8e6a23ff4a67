//! The shipped examples, loaded from disk, planned and applied in every environment.

use std::path::Path;

use reachform::diagnostics::Severity;
use reachform::manifest::{Readable, load, sandbox_secret};
use reachform::model::Direction;
use reachform::plan::{Approval, Source, approve};
use reachform::sandbox::{Behaviour, Sandbox, Seed, Service};
use reachform::schema::Leniency;
use reachform::session::{Workspace, apply_approved, make_plan, plan_unleased, read};

use crate::world::{World, run};

fn workspace(example: &str, environment: &str) -> Workspace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let resolved = load(&folder, Readable::Everything, Some(environment), &sandbox_secret);
    let problems: Vec<_> = resolved.diagnostics.iter().filter(|one| one.severity != Severity::Notice).collect();
    assert!(problems.is_empty(), "{example} {environment}: {problems:#?}");
    Workspace { resolved, source: Source::default() }
}

/// A world whose organization owns exactly the numbers that the environment declares, and whose service refuses every
/// name in a config that its schema does not know: no example may show one.
fn world_of(workspace: &Workspace) -> World {
    let mut numbers = std::collections::BTreeSet::new();
    for agent in &workspace.resolved.desired {
        for direction in [Direction::Inbound, Direction::Outbound] {
            numbers.extend(agent.slots.of(direction).into_iter().flatten().map(ToString::to_string));
        }
    }
    let seed = serde_json::json!({"at": "2026-01-01T00:00:00Z",
        "organizations": [{"id": "org_sandbox", "numbers": numbers}]});
    let behaviour = Behaviour::parse(["unknown-keys=reject"]).unwrap();
    let mut world = World::new(behaviour.clone());
    world.sandbox = Sandbox::new(Service::seeded(&Seed::parse(&seed.to_string()).unwrap(), behaviour).unwrap());
    world
}

async fn converges(example: &str, environment: &str) {
    let workspace = workspace(example, environment);
    let world = world_of(&workspace);
    let (outside, applying) = (world.outside(), world.applying());
    let (plan, service) = plan_unleased(&workspace, &outside, &applying).await.unwrap();
    let problems: Vec<_> = plan.diagnostics.iter().filter(|one| one.severity != Severity::Notice).collect();
    assert!(problems.is_empty(), "{example} {environment}: {problems:#?}");
    let hash = plan.plan_hash.to_string();
    let approved = approve(plan, &Approval::Person).unwrap_or_else(|refusal| panic!("refused: {refusal:#?}"));
    let report = apply_approved(&workspace, &outside, &applying, &approved, &hash, service).await.unwrap();
    let report = report.unwrap_or_else(|refusal| panic!("refused: {refusal:#?}"));
    assert!(report.is_complete(), "{example} {environment}: {:#?}", report.outcomes);

    let again = world.outside();
    let reader = again.reader();
    let mut service = read(&again, &reader, None).await.unwrap();
    let second = make_plan(&workspace, &world.options, Leniency::Strict, &again, &reader, &mut service).await.unwrap();
    assert!(!second.summary().has_changes(), "{example} {environment}: {:#?}", second.changes);

    for agent in &workspace.resolved.desired {
        for (direction, text) in [(Direction::Inbound, "inbound"), (Direction::Outbound, "outbound")] {
            for number in agent.slots.of(direction).into_iter().flatten() {
                let holder = world.holder(&number.to_string(), text);
                assert_eq!(holder.as_ref(), Some(&agent.name), "{example} {environment}: {number} {text}");
            }
        }
    }
}

#[test]
fn the_quickstart_converges() {
    run(converges("quickstart", "demo"));
}

#[test]
fn the_clinic_group_converges_in_each_of_its_environments() {
    for environment in ["staging", "prod-east", "prod-west"] {
        run(converges("clinic-group", environment));
    }
}
