//! A fault at every request of an apply: the run ends truly reported, and the next one finishes the job.
//!
//! A lost reply must not make a second agent or a second version, and no number may be left without an agent.

use reachform::plan::Outcome;
use reachform::sandbox::{Behaviour, Fault, Phase};

use crate::scene::manifest;
use crate::world::{World, run};

/// The faults that one request can meet, as they are typed.
const FAULTS: [&str; 9] =
    ["drop-before", "drop-after", "500-before", "500-after", "429=3", "html-502", "cut", "hang-after", "400-before"];

const A: &str = "+15550100001";
const B: &str = "+15550100002";
const C: &str = "+15550100003";

/// One agent to create, one to update, and a number that moves between two.
fn stage() -> World {
    stage_in(Behaviour::default())
}

fn stage_in(behaviour: Behaviour) -> World {
    let mut world = World::new(behaviour);
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\", \"{B}\"]}}")));
    run(async { world.apply().await });
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")).replace("steps: 3", "steps: 4"));
    world.write("b", manifest("b", &format!("phone_numbers: {{inbound: [\"{B}\", \"{C}\"]}}")));
    world.sandbox.clear_log();
    world
}

/// How many requests the apply of the stage makes, undisturbed.
fn requests() -> usize {
    let mut world = stage();
    run(async { world.apply().await });
    world.sandbox.log().len()
}

fn strike(fault: &str, nth: usize) {
    let mut world = stage();
    let before = world.sandbox.with(|service| service.slots());
    world.sandbox.on_request(move |phase, number, request, service| {
        if phase == Phase::After {
            let emptied = service.emptied_since(&before);
            assert!(emptied.is_empty(), "{emptied:?} is empty after request {number}, {}", request.name());
        }
    });
    let what = format!("{fault} at request {nth}");
    world.sandbox.add_fault(Fault::parse(&format!("{fault}#{nth}")).unwrap());
    run(async {
        let first = world.try_apply(reachform::plan::Approval::Person).await;
        world.sandbox.clear_faults();
        if let Ok(Ok(report)) = &first {
            let counted: usize = Outcome::ALL.iter().map(|outcome| report.count(*outcome)).sum();
            assert_eq!(counted, report.outcomes.len(), "{what}: the report adds up");
        }
        // A fresh machine, once the lease of the first run, if it stands, has run out.
        let report = world.apply().await;
        assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
        world.assert_empty(&what).await;
    });
    assert_eq!(world.agents(), 2, "{what}: one agent a key");
    // A refusal in the middle leaves a draft behind, which is named in the report; a lost reply leaves none.
    if fault != "400-before" {
        for (name, most) in [("Agent a", 2), ("Agent b", 1)] {
            let agent = world.sandbox.with(|service| service.agent_named(name).unwrap());
            assert!(agent.versions.len() <= most, "{what}: {name} has {} versions", agent.versions.len());
        }
    }
    for (number, agent) in [(A, "Agent a"), (B, "Agent b"), (C, "Agent b")] {
        assert_eq!(world.holder(number, "inbound").as_deref(), Some(agent), "{what}");
    }
}

#[test]
fn a_fault_at_any_request_is_survived_and_the_next_run_finishes() {
    let requests = requests();
    let mut cases = 0;
    for (index, fault) in FAULTS.iter().enumerate() {
        // Every fault at every third request, each at other ones, so that together they strike everywhere.
        for nth in (1 + index % 3..=requests).step_by(3) {
            strike(fault, nth);
            cases += 1;
        }
    }
    println!("{cases} cases, {requests} requests in an undisturbed apply");
}

/// Kills a run before or after one request, as `kill -9` does: nothing of it goes on, and nothing is tidied up.
async fn kill(world: &mut World, phase: Phase, nth: usize) {
    let struck = std::sync::Arc::new(tokio::sync::Notify::new());
    let signal = struck.clone();
    world.sandbox.on_request(move |at, number, _, _| {
        if at == phase && number == nth {
            signal.notify_one();
        }
    });
    // Before the request the service must not see it, so its connection is cut there; after it, the answer is lost.
    let fault = if phase == Phase::Before { "hang-before" } else { "hang-after" };
    world.sandbox.add_fault(Fault::parse(&format!("{fault}#{nth}")).unwrap());
    let mut doomed = world.clone();
    doomed.runs += 100;
    tokio::select! {
        biased;
        () = struck.notified() => {}
        _ended = doomed.try_apply(reachform::plan::Approval::Person) => {}
    }
    world.sandbox.clear_faults();
    world.runs += 200;
}

#[test]
fn a_run_killed_before_or_after_any_request_is_finished_by_the_next_one() {
    let requests = requests();
    let mut cases = 0;
    for nth in 1..=requests {
        for phase in [Phase::Before, Phase::After] {
            let mut world = stage();
            let before = world.sandbox.with(|service| service.slots());
            let what = format!("killed {phase:?} request {nth}");
            run(async {
                kill(&mut world, phase, nth).await;
                // The same command on a fresh machine: it waits for the dead run's lease to run out, and goes on.
                let report = world.apply().await;
                assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
                world.assert_empty(&what).await;
            });
            let emptied = world.sandbox.with(|service| service.emptied_since(&before));
            assert!(emptied.is_empty(), "{what}: {emptied:?}");
            assert_eq!(world.agents(), 2, "{what}: one agent a key");
            for (name, most) in [("Agent a", 2), ("Agent b", 1)] {
                let agent = world.sandbox.with(|service| service.agent_named(name).unwrap());
                assert!(agent.versions.len() <= most, "{what}: {name} has {} versions", agent.versions.len());
            }
            cases += 1;
        }
    }
    println!("{cases} kills");
}

/// Kills and strikes in every world, each at other requests than in the one before.
fn disturb_worlds(rest: usize) {
    let mut cases = 0;
    for (index, (name, behaviour)) in Behaviour::worlds().into_iter().enumerate().skip(rest).step_by(2) {
        // A service that refuses takeovers cannot move a number, disturbed or not.
        if name.contains("takeover=conflict") {
            continue;
        }
        for (round, fault) in ["kill", FAULTS[index % FAULTS.len()]].into_iter().enumerate() {
            let nth = 1 + (index * 17 + round * 29) % 60;
            let mut world = stage_in(behaviour.clone());
            let what = format!("{name}: {fault} at request {nth}");
            run(async {
                if fault == "kill" {
                    kill(&mut world, if index % 4 < 2 { Phase::After } else { Phase::Before }, nth).await;
                } else {
                    world.sandbox.add_fault(Fault::parse(&format!("{fault}#{nth}")).unwrap());
                    let _first = world.try_apply(reachform::plan::Approval::Person).await;
                    world.sandbox.clear_faults();
                }
                if name.contains("eventual=") {
                    for _ in 0..3 {
                        let _plan = world.try_plan().await;
                    }
                }
                let report = world.apply().await;
                assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
                world.assert_empty(&what).await;
            });
            assert_eq!(world.agents(), 2, "{what}: one agent a key");
            for (number, agent) in [(A, "Agent a"), (B, "Agent b"), (C, "Agent b")] {
                assert_eq!(world.holder(number, "inbound").as_deref(), Some(agent), "{what}");
            }
            cases += 1;
        }
    }
    println!("{cases} disturbed worlds");
}

#[test]
fn a_disturbed_apply_is_finished_in_one_half_of_all_worlds() {
    disturb_worlds(0);
}

#[test]
fn a_disturbed_apply_is_finished_in_the_other_half_of_all_worlds() {
    disturb_worlds(1);
}

#[test]
fn a_bare_twin_of_two_first_applies_is_removed_and_no_other_agent_is() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", ""));
        world.converge("create").await;
        let mut stamp = world.metadata("Agent a");
        stamp["reachform"]["agent"] = serde_json::Value::Null;
        let body = serde_json::Map::from_iter([
            ("name".to_owned(), serde_json::json!("Agent a")),
            ("metadata".to_owned(), stamp),
        ]);
        world.outside().writer().create_agent(&body).await.unwrap();
        assert_eq!(world.agents(), 2);
        let plan = world.plan().await;
        assert!(!plan.summary().has_changes());
        assert_eq!(plan.twins.len(), 1);
        let report = world.apply().await;
        assert!(report.notices.iter().any(|notice| notice.code == "twin-removed"));
        assert_eq!(world.agents(), 1);
        world.assert_empty("after the twin").await;
    });
}
