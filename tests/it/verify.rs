//! A `verify` is a change of its own: planned, hashed, shown and remembered, and the run holds its lease while it works.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reachform::apply::verify::{Verifier, VerifyInput};
use reachform::diagnostics::SourceMap;
use reachform::http::runtime::Later;
use reachform::http::{Clock, Method, SimulatedClock};
use reachform::model::{Stamp, Verify};
use reachform::plan::{Action, Approval, Outcome, Plan, Refusal, VerifyChange};
use reachform::render::json::{plan_document, read_saved};
use reachform::sandbox::{Phase, Sandbox};
use serde_json::json;

use crate::scene::manifest;
use crate::world::{World, causes, edit_stamp, in_service, outcome, run};

const PROGRAM: &str = "verify: {command: [sh, -c, curl example.test], env: [CHECK_URL]}";

fn program() -> Verify {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Verify { command: texts(&["sh", "-c", "curl example.test"]), env: texts(&["CHECK_URL"]) }
}

/// Agents in place, none with a `verify`.
fn in_place(keys: &[&str]) -> World {
    let mut world = in_service("");
    for key in keys {
        world.write(key, manifest(key, ""));
    }
    run(async { world.apply().await });
    world.sandbox.clear_log();
    world
}

fn plan(world: &World) -> Plan {
    run(async { world.plan().await })
}

fn stamp(world: &World) -> Stamp {
    Stamp::read(&world.metadata("Agent a")).unwrap().unwrap()
}

fn writes(world: &World) -> Vec<String> {
    let log = world.sandbox.log();
    log.iter().filter(|entry| entry.request.method != Method::Get).map(|entry| entry.request.name()).collect()
}

/// The one change of a plan, which nothing but `verify` makes.
#[track_caller]
fn alone(plan: &Plan) -> VerifyChange {
    let [change] = plan.changes.as_slice() else { panic!("{:#?}", plan.changes) };
    assert_eq!((change.action, change.new_version), (Action::Update, false));
    assert!(change.fields.is_empty() && change.numbers.is_empty() && change.is_risky());
    assert_eq!(plan.summary().update, 1);
    change.verify.clone().unwrap()
}

/// Fails a test in which it is run.
struct Never;

impl Verifier for Never {
    fn verify<'a>(&'a self, command: &'a Verify, _input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        panic!("{command:?} was run although nothing is published")
    }
}

#[test]
fn a_verify_alone_is_a_change_that_writes_the_stamp_and_runs_nothing() {
    let mut world = in_place(&["a"]);
    let empty = plan(&world).plan_hash;
    world.write("a", manifest("a", PROGRAM));
    let found = plan(&world);
    assert_eq!(alone(&found), VerifyChange::Added { after: program() });
    assert_ne!(found.plan_hash, empty);
    world.verifier = Arc::new(Never);
    run(async { world.converge("a verify alone").await });
    assert_eq!(writes(&world), [format!("PUT /core/agents/{}", world.id("Agent a"))]);
    assert_eq!(world.versions("Agent a"), [(1, true)]);
    assert_eq!(stamp(&world).state.applied.unwrap().version, Some(1));
}

#[test]
fn every_argument_and_every_variable_of_it_counts_and_so_does_taking_it_away() {
    let mut world = in_place(&["a"]);
    let mut hashes = vec![plan(&world).plan_hash];
    world.write("a", manifest("a", PROGRAM));
    hashes.push(plan(&world).plan_hash);
    run(async { world.apply().await });
    for other in [
        PROGRAM.replace("sh,", "bash,"),
        PROGRAM.replace("example.test", "example.test/other"),
        PROGRAM.replace("curl example.test", "curl, example.test"),
        PROGRAM.replace("CHECK_URL", "CHECK_URL, OTHER"),
        PROGRAM.replace(", env: [CHECK_URL]", ""),
    ] {
        world.write("a", manifest("a", &other));
        let found = plan(&world);
        assert!(matches!(alone(&found), VerifyChange::Changed { before: None, .. }), "{other}");
        hashes.push(found.plan_hash);
    }
    world.write("a", manifest("a", ""));
    let found = plan(&world);
    assert_eq!(alone(&found), VerifyChange::Removed { before: None });
    hashes.push(found.plan_hash);
    for (index, hash) in hashes.iter().enumerate() {
        assert_eq!(hashes.iter().position(|other| other == hash), Some(index), "two plans have one hash");
    }
    run(async { world.converge("it is taken away").await });
    assert_eq!(stamp(&world).state.applied.unwrap().verify, None);
}

#[test]
fn taking_a_verify_away_beside_another_change_is_not_the_plan_of_that_change_alone() {
    let mut world = in_place(&["a"]);
    let edited = manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4");
    let mut with_a_check = world.fork();
    world.write("a", edited.clone());
    let reviewed = plan(&world).plan_hash;
    with_a_check.write("a", manifest("a", PROGRAM));
    run(async { with_a_check.apply().await });
    with_a_check.write("a", edited);
    let refused = run(async { with_a_check.try_apply(Approval::Hash(&reviewed)).await }).unwrap();
    assert!(matches!(refused, Err(Refusal::AnotherPlan(_))), "{refused:#?}");
}

#[test]
fn a_stamp_from_before_stamps_named_a_verify_makes_the_one_that_is_declared_new() {
    let mut world = in_place(&["a"]);
    world.write("a", manifest("a", PROGRAM));
    run(async { world.apply().await });
    let forget = |stamp: &mut Stamp| stamp.state.applied.as_mut().unwrap().verify = None;
    world.sandbox.with(|service| edit_stamp(service, "Agent a", forget));
    assert_eq!(alone(&plan(&world)), VerifyChange::Added { after: program() });
    world.write("a", manifest("a", ""));
    run(async { world.assert_empty("neither speaks of one").await });
}

#[test]
fn an_agent_that_is_made_or_adopted_brings_its_verify_with_it_and_it_shows() {
    let mut world = in_place(&["a"]);
    let body = json!({"name": "Agent found"});
    let made = run(async { world.outside().writer().create_agent(body.as_object().unwrap()).await.unwrap() });
    let config = world.live_config("Agent a");
    world.sandbox.with(|service| service.dashboard_release(&made.agent.id, config).unwrap());
    for key in ["found", "new"] {
        world.write(key, manifest(key, PROGRAM));
    }
    let found = plan(&world);
    let actions: Vec<_> = found.changes.iter().map(|change| (change.key.as_str(), change.action)).collect();
    assert_eq!(actions, [("new", Action::Create), ("found", Action::Adopt)]);
    for change in &found.changes {
        assert_eq!(change.verify, Some(VerifyChange::Added { after: program() }), "{}", change.key);
        assert!(change.is_risky());
    }
    run(async { world.converge("made and adopted").await });
}

#[test]
fn a_killed_run_is_finished_under_the_plan_that_was_approved_wherever_it_died() {
    let mut world = in_place(&["a", "b", "c"]);
    let edited = |key: &str| manifest(key, PROGRAM).replace("max_tool_steps: 3", "max_tool_steps: 4");
    world.write("a", edited("a"));
    world.write("b", manifest("b", PROGRAM));
    world.write("d", manifest("d", PROGRAM));
    let approved = plan(&world).plan_hash;
    let mut whole = world.fork();
    run(async { whole.try_apply(Approval::Hash(&approved)).await }).unwrap().unwrap();
    let requests = whole.sandbox.log().len();
    assert!(requests > 20, "{requests}");
    for request in 1..=requests {
        for phase in [Phase::Before, Phase::After] {
            let mut world = world.fork();
            let at = format!("#{request}");
            run(async { world.die_applying(Approval::Hash(&approved), phase, &at).await });
            let report = run(async { world.try_apply(Approval::Hash(&approved)).await }).unwrap();
            let report = report.unwrap_or_else(|refusal| panic!("{phase:?} {at}: {refusal:#?}"));
            assert!(report.is_complete(), "{phase:?} {at}: {:#?}", report.outcomes);
            run(async { world.assert_empty(&at).await });
            assert_eq!(world.versions("Agent a"), [(1, true), (2, true)], "{phase:?} {at}");
            assert_eq!(world.versions("Agent b"), [(1, true)], "{phase:?} {at}");
        }
    }
}

#[test]
fn another_verify_than_the_dead_run_was_begun_with_is_another_plan() {
    let mut world = in_place(&["a"]);
    world.write("a", manifest("a", PROGRAM).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    let approved = plan(&world).plan_hash;
    // The version is live, and the stamp does not say so yet.
    let at = ":POST /core/agents/*/publish#1";
    run(async { world.die_applying(Approval::Hash(&approved), Phase::After, at).await });
    let text = manifest("a", &PROGRAM.replace("curl", "wget"));
    world.write("a", text.replace("max_tool_steps: 3", "max_tool_steps: 4"));
    assert!(matches!(alone(&plan(&world)), VerifyChange::Changed { .. }));
    let refused = run(async { world.try_apply(Approval::Hash(&approved)).await }).unwrap();
    assert!(matches!(refused, Err(Refusal::AnotherPlan(_))), "{refused:#?}");
}

#[test]
fn a_saved_plan_holds_the_verify_that_was_reviewed_and_no_other() {
    let mut world = in_place(&["a"]);
    world.write("a", manifest("a", PROGRAM));
    let reviewed = read_saved(&plan_document(&plan(&world), &SourceMap::default())).unwrap();
    let mut other = world.fork();
    other.write("a", manifest("a", &PROGRAM.replace("CHECK_URL", "OTHER")));
    match run(async { other.try_apply(Approval::File(&reviewed)).await }).unwrap() {
        Err(Refusal::AnotherPlan(lines)) => assert!(lines[0].contains("`verify` is not what was saved"), "{lines:#?}"),
        applied => panic!("{applied:#?}"),
    }
    for expected in [Outcome::Applied, Outcome::AlreadyApplied] {
        let report = run(async { world.try_apply(Approval::File(&reviewed)).await }).unwrap().unwrap();
        assert_eq!(outcome(&report, "a"), expected);
    }
}

#[test]
fn a_verify_that_is_not_applied_yet_is_pending_and_no_drift() {
    let mut world = in_place(&["a"]);
    world.write("a", manifest("a", PROGRAM));
    run(async { world.assert_clean("added").await });
    run(async { world.apply().await });
    world.write("a", manifest("a", ""));
    run(async { world.assert_clean("removed").await });
}

#[test]
fn agents_of_which_only_verify_changes_do_not_count_as_changed() {
    let keys = ["a", "b", "c", "d", "e"];
    let mut world = in_place(&keys);
    world.options.limits.change_percent = 50;
    for key in keys {
        world.write(key, manifest(key, PROGRAM));
    }
    assert!(plan(&world).breaches.is_empty());
    for key in keys {
        world.write(key, manifest(key, PROGRAM).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    }
    assert_eq!(plan(&world).breaches.len(), 1);
}

/// Takes its time by the world's clock, and says what lease stood when it was done.
struct Slow {
    clock: Arc<SimulatedClock>,
    sandbox: Sandbox,
    takes: Duration,
    seen: Mutex<Option<(String, jiff::Timestamp)>>,
}

impl Verifier for Slow {
    fn verify<'a>(&'a self, _command: &'a Verify, _input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(async {
            self.clock.sleep(self.takes).await;
            let metadata = self.sandbox.with(|service| service.agent_named("Agent a").unwrap().metadata);
            let lease = Stamp::read(&metadata).unwrap().unwrap().state.lease.unwrap();
            *self.seen.lock().unwrap() = Some((lease.run, lease.at.parse().unwrap()));
            Ok(())
        })
    }
}

fn slow(world: &mut World, seconds: u64) -> Arc<Slow> {
    let slow = Arc::new(Slow {
        clock: world.clock.clone(),
        sandbox: world.sandbox.clone(),
        takes: Duration::from_secs(seconds),
        seen: Mutex::new(None),
    });
    world.verifier = slow.clone();
    world.write("a", manifest("a", PROGRAM).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    slow
}

#[test]
fn the_lease_is_renewed_as_long_as_verify_runs() {
    let mut world = in_place(&["a"]);
    let slow = slow(&mut world, 290);
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{:#?}", report.outcomes);
    let (run, at) = slow.seen.lock().unwrap().clone().unwrap();
    assert_eq!(run, format!("run-{}", world.runs));
    let age = world.clock.now().duration_since(at);
    assert!(age < jiff::SignedDuration::from_secs(90), "{age:?}");
    assert_eq!(stamp(&world).state.lease, None);
}

#[test]
fn a_run_that_is_overtaken_while_verify_runs_ends_there_and_publishes_nothing() {
    let mut world = in_place(&["a"]);
    world.lease_timeout = Duration::ZERO;
    let slow = slow(&mut world, 290);
    let (clock, sandbox) = (world.clock.clone(), world.sandbox.clone());
    let report = run(async {
        let other = async {
            clock.sleep(Duration::from_secs(100)).await;
            sandbox.with(|service| {
                edit_stamp(service, "Agent a", |stamp| {
                    stamp.state.lease.as_mut().unwrap().run = "another".to_owned();
                });
            });
        };
        tokio::join!(world.apply(), other).0
    });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked);
    assert!(causes(&report, "a").contains("the run another took this agent over"), "{}", causes(&report, "a"));
    assert_eq!(*slow.seen.lock().unwrap(), None, "the program was stopped");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false)]);
    assert_eq!(stamp(&world).state.lease.unwrap().run, "another");
}

#[test]
fn a_lease_that_cannot_be_renewed_for_once_ends_nothing() {
    let mut world = in_place(&["a"]);
    let _slow = slow(&mut world, 200);
    // The intent is the first PUT of the agent, and the first renewal the second.
    world.fault(&format!("403-before:PUT /core/agents/{}#2", world.id("Agent a")));
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{:#?}", report.outcomes);
    let puts = writes(&world).iter().filter(|name| name.starts_with("PUT") && !name.contains("versions")).count();
    assert_eq!(puts, 5, "the intent, three renewals and the stamp: {:#?}", writes(&world));
}

#[test]
fn a_verify_with_the_hash_of_another_agents_salt_is_another_one() {
    // Every stamp has a salt of its own, so a hash that was copied from one agent to another says nothing there.
    let mut world = in_place(&["a", "b"]);
    for key in ["a", "b"] {
        world.write(key, manifest(key, PROGRAM));
    }
    run(async { world.apply().await });
    let hash = |name: &str| Stamp::read(&world.metadata(name)).unwrap().unwrap().state.applied.unwrap().verify.unwrap();
    assert_ne!(hash("Agent a"), hash("Agent b"));
}
