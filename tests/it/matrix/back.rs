//! The same for a rollback: every fault, and a kill before and after, at every request of one; the same rollback on a fresh
//! machine finishes it, and no apply in between undoes it.
//!
//! By default a slice runs, `REACHFORM_MATRIX=all` runs all of it.

use std::sync::{Arc, Mutex};

use reachform::plan::{Approval, Outcome};
use reachform::sandbox::{Behaviour, Fault, Phase};

use super::case::Disturbance;
use super::stage::worlds;
use crate::parallel::{failure, in_parallel};
use crate::rollback::{going_back, key, manifests, stamp};
use crate::world::{World, run};

/// Two releases of an agent with a number, in a service that behaves as said.
fn stage(name: &str, behaviour: Behaviour) -> World {
    let mut world = World::new(behaviour);
    world.options.limits.change_percent = 100;
    for text in manifests() {
        world.write("a", text);
        run(async { world.converge(&format!("{name}: before the rollback")).await });
    }
    world.sandbox.clear_log();
    world
}

fn strike(name: &str, before: &World, disturbance: Disturbance, nth: usize) {
    let what = format!("{name}: {disturbance} at request {nth}");
    let world = before.fork();
    let slots = world.sandbox.with(|service| service.slots());
    let gaps = Arc::new(Mutex::new(Vec::new()));
    let (known, told) = (slots, gaps.clone());
    world.sandbox.on_request(move |phase, number, request, service| {
        if phase == Phase::After {
            let emptied = service.emptied_since(&known);
            if !emptied.is_empty() {
                told.lock().unwrap().push(format!("{emptied:?} after request {number}, {}", request.name()));
            }
        }
    });
    let mut back = going_back(&world, None);
    let wanted = before.sandbox.with(|service| {
        let agent = service.agent_named("Agent a").unwrap();
        let oldest = agent.versions.iter().filter(|version| version.published).min_by_key(|version| version.number);
        oldest.unwrap().config.clone()
    });
    run(async {
        match disturbance {
            Disturbance::Fault(fault) => {
                back.sandbox.add_fault(Fault::parse(&format!("{fault}#{nth}")).unwrap());
                let _first = back.try_apply(Approval::Person).await;
                back.sandbox.clear_faults();
            }
            Disturbance::Kill(phase) => back.die(phase, &format!("#{nth}")).await,
        }
        let look = async |world: &World| {
            if name.contains("eventual=") {
                for _ in 0..3 {
                    let _plan = world.try_plan().await;
                }
            }
        };
        look(&back).await;
        // Somebody merges something else meanwhile.
        let live = back.live_config("Agent a");
        let mut other = world.clone();
        other.runs = back.runs + 1000;
        let _report = other.try_apply(Approval::Auto).await;
        assert_eq!(back.live_config("Agent a"), live, "{what}: an apply in between changed what is live");
        back.runs = other.runs + 1000;
        look(&back).await;
        let report = back.apply().await;
        assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
        look(&back).await;
        assert_eq!(back.live_config("Agent a"), wanted, "{what}");
        let state = stamp(&back).state;
        assert!(state.intent.is_none() && state.lease.is_none(), "{what}: {state:#?}");
        assert_eq!(state.rollback.map(|back| back.back.to), Some(1), "{what}");
        other.runs = back.runs + 1000;
        let held = other.try_apply(Approval::Auto).await.unwrap().unwrap();
        assert_eq!(held.count(Outcome::Held), 1, "{what}: {:#?}", held.outcomes);
        look(&other).await;
        other.options.redo.insert(key());
        let report = other.apply().await;
        assert!(report.is_complete(), "{what}: going forward: {:#?}", report.outcomes);
        other.options.redo.clear();
        other.assert_empty(&what).await;
    });
    let gaps = gaps.lock().unwrap();
    assert!(gaps.is_empty(), "{what}: {gaps:?}");
    let violations = world.sandbox.with(|service| service.violations());
    assert!(violations.is_empty(), "{what}: {violations:?}");
}

#[test]
fn whatever_strikes_any_request_of_a_rollback_the_same_rollback_finishes_and_no_apply_undoes_it() {
    let chosen = std::env::var("REACHFORM_MATRIX").unwrap_or_default();
    let stages: Vec<(String, World, usize)> = in_parallel(worlds(), |(name, behaviour)| {
        let world = stage(&name, behaviour);
        let mut counted = going_back(&world.fork(), None);
        run(async { counted.apply().await });
        let requests = counted.sandbox.log().len();
        (name, world, requests)
    });
    let mut cases = Vec::new();
    for (index, (name, world, requests)) in stages.iter().enumerate() {
        for (kind, disturbance) in Disturbance::all().enumerate() {
            for nth in 1..=*requests {
                let in_slice = match index {
                    0 => nth % 5 == kind % 5,
                    _ => nth == 1 + (index * 5 + kind * 7) % requests && (index + kind) % 6 == 0,
                };
                if chosen == "all" || in_slice {
                    cases.push((name.clone(), world, disturbance, nth));
                }
            }
        }
    }
    let count = cases.len();
    let failures: Vec<String> =
        in_parallel(cases, |(name, world, disturbance, nth)| failure(|| strike(&name, world, disturbance, nth)))
            .into_iter()
            .flatten()
            .collect();
    println!("{count} cases in {} worlds", stages.len());
    assert!(
        failures.is_empty(),
        "{} of {count} failed:\n{}",
        failures.len(),
        failures[..failures.len().min(8)].join("\n\n")
    );
}
