//! What an apply looks at once more just before it acts: the lease, `verify`, what is to be deleted, and slots.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reachform::apply::verify::{Verifier, VerifyInput};
use reachform::cli::exit::Exit;
use reachform::cli::report::CommandError;
use reachform::http::Method;
use reachform::http::runtime::Later;
use reachform::model::stamp::Lease;
use reachform::model::{Key, Stamp, Verify};
use reachform::plan::{Approval, Cause, Event, Outcome};
use reachform::sandbox::{Direction, Fault, Phase, Sandbox, Service};
use reachform::session::SessionError;
use serde_json::{Value, json};

use crate::scene::manifest;
use crate::world::{
    Applied, World, causes, changed, edit_stamp, elapsed, in_service, just_before, outcome, run, two_at_once,
    with_one_to_prune,
};

const A: &str = "+15550100001";
const B: &str = "+15550100002";

/// An agent in place, and a change to it that asks `verify` first.
fn to_be_verified(verifier: Arc<dyn Verifier>) -> World {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    run(async { world.apply().await });
    let changed = manifest("a", "verify: {command: [check]}").replace("max_tool_steps: 3", "max_tool_steps: 4");
    world.write("a", changed);
    world.verifier = verifier;
    world
}

fn steps(world: &World) -> Value {
    world.live_config("Agent a")["agent"]["max_tool_steps"].clone()
}

/// Answers as it is told, and keeps what it was asked.
struct Asked(Mutex<Vec<VerifyInput>>, Result<(), String>);

impl Verifier for Asked {
    fn verify<'a>(&'a self, _command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        self.0.lock().unwrap().push(input.clone());
        Box::pin(async { self.1.clone() })
    }
}

#[test]
fn a_version_that_verify_refuses_stays_a_draft_and_goes_live_once_it_passes() {
    let asked = Arc::new(Asked(Mutex::default(), Err("7 of 10 calls went well".to_owned())));
    let mut world = to_be_verified(asked.clone());
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert!(causes(&report, "a").contains("the version stays a draft: 7 of 10 calls went well"), "{report:#?}");
    assert_eq!(steps(&world), json!(3), "nothing was published");
    let inputs = asked.0.lock().unwrap().clone();
    assert_eq!((inputs.len(), inputs[0].version, inputs[0].base_version), (1, 2, Some(1)));
    assert_eq!(inputs[0].config["agent"]["max_tool_steps"], json!(4), "it is asked about the draft");

    world.verifier = Arc::new(Asked(Mutex::default(), Ok(())));
    run(async { world.converge("once it passes").await });
    assert_eq!(steps(&world), json!(4));
}

/// Passes, and takes its time: meanwhile somebody publishes a version of their own.
struct Slow(Sandbox);

impl Verifier for Slow {
    fn verify<'a>(&'a self, _command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(async {
            let mut config = input.config.clone();
            config["agent"]["max_tool_steps"] = json!(9);
            self.0.with(|service| service.dashboard_release(&input.agent_id, config).unwrap());
            Ok(())
        })
    }
}

#[test]
fn what_went_live_while_verify_ran_is_not_published_over() {
    let mut world = to_be_verified(Arc::new(Asked(Mutex::default(), Ok(()))));
    world.verifier = Arc::new(Slow(world.sandbox.clone()));
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    assert_eq!(steps(&world), json!(9));
}

#[test]
fn the_same_job_run_again_goes_on_at_once_and_another_one_waits_for_the_lease() {
    for (job, waits) in [("github-77/", false), ("github-78/", true)] {
        let mut world = changed("");
        let now = reachform::http::Clock::now(&*world.clock);
        let lease = Lease { run: "github-77/dead".to_owned(), at: now.to_string() };
        world.sandbox.with(|service| edit_stamp(service, "Agent a", |stamp| stamp.state.lease = Some(lease)));
        world.run_prefix = job;
        world.lease_timeout = Duration::ZERO;
        let applied = run(async { world.try_apply(Approval::Person).await });
        match applied {
            Err(SessionError::Leased { holder, .. }) => assert!(waits && holder == "github-77/dead", "{job}: {holder}"),
            other => assert!(!waits && other.unwrap().unwrap().is_complete(), "{job}"),
        }
        assert_eq!(steps(&world), json!(if waits { 3 } else { 4 }), "{job}");
    }
}

#[test]
fn a_lease_that_another_run_took_since_the_plan_is_waited_for() {
    let mut world = changed("");
    let now = reachform::http::Clock::now(&*world.clock);
    just_before(&world, "GET /core/agents".to_owned(), 2, move |service| {
        let lease = Lease { run: "github-77/alive".to_owned(), at: now.to_string() };
        edit_stamp(service, "Agent a", |stamp| stamp.state.lease = Some(lease));
    });
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    world.listener = Arc::new(move |event| {
        if let Event::Note { message } = event {
            heard.lock().unwrap().push(message);
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Applied, "it ran out, since nobody renewed it: {report:#?}");
    let said = said.lock().unwrap().clone();
    let first = "waiting for another run (github-77/alive) that is working on agent.a, up to 180 s";
    assert!(said.first().is_some_and(|line| line == first), "{said:#?}");
    assert!(said.iter().any(|line| line.ends_with(", waited 40 s so far")), "{said:#?}");
}

/// Applies once somebody holds the lease; `meanwhile` is what that somebody does before they give it up.
fn apply_behind(meanwhile: impl Fn(&mut Stamp) + Send + Sync + 'static, builds_on: bool) -> (World, Applied) {
    let mut world = changed("");
    let now = reachform::http::Clock::now(&*world.clock);
    let lease = Lease { run: "github-77/other".to_owned(), at: now.to_string() };
    world.sandbox.with(|service| edit_stamp(service, "Agent a", |stamp| stamp.state.lease = Some(lease)));
    just_before(&world, "GET /core/agents".to_owned(), 2, move |service| {
        edit_stamp(service, "Agent a", |stamp| {
            stamp.state.lease = None;
            meanwhile(stamp);
        });
    });
    world.commit = Some("1111111".to_owned());
    world.builds_on = builds_on;
    let applied = run(async { world.try_apply(Approval::Person).await });
    (world, applied)
}

fn applied_from(commit: Option<&'static str>) -> impl Fn(&mut Stamp) + Send + Sync + 'static {
    move |stamp| {
        let applied = stamp.state.applied.as_mut().unwrap();
        "sha256:theirs".clone_into(&mut applied.plan);
        applied.commit = commit.map(str::to_owned);
    }
}

#[test]
fn a_run_that_waited_does_not_undo_the_commit_that_was_applied_meanwhile() {
    for commit in [Some("2222222"), None] {
        let (world, applied) = apply_behind(applied_from(commit), false);
        let error = applied.unwrap_err();
        let theirs = commit.map_or("an unknown commit".to_owned(), |commit| format!("commit {commit}"));
        let wanted = format!(
            "{theirs} was applied to agent.a while this run waited; this run is for commit 1111111 and would change it again"
        );
        assert_eq!(error.to_string(), wanted);
        assert_eq!(CommandError::session(&error).exit, Exit::Refused);
        assert_eq!(steps(&world), json!(3));
    }
}

#[test]
fn a_run_that_waited_goes_on_after_its_own_commit_after_an_older_one_and_if_nothing_was_applied() {
    let nothing = |_: &mut Stamp| {};
    for (what, (world, applied)) in [
        ("the same commit", apply_behind(applied_from(Some("1111111")), false)),
        ("an older commit", apply_behind(applied_from(Some("0000000")), true)),
        ("nothing", apply_behind(nothing, false)),
    ] {
        assert!(applied.unwrap().unwrap().is_complete(), "{what}");
        assert_eq!(steps(&world), json!(4), "{what}");
    }
}

#[test]
fn a_lease_that_another_run_took_since_the_plan_blocks_the_agent_if_it_is_not_waited_for() {
    let mut world = changed("");
    world.lease_timeout = Duration::ZERO;
    let now = reachform::http::Clock::now(&*world.clock);
    // The second list is that of the recheck, just before the first write.
    just_before(&world, "GET /core/agents".to_owned(), 2, move |service| {
        let lease = Lease { run: "github-77/alive".to_owned(), at: now.to_string() };
        edit_stamp(service, "Agent a", |stamp| stamp.state.lease = Some(lease));
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert!(causes(&report, "a").contains("github-77/alive"), "{report:#?}");
    assert!(!report.wrote);
    assert_eq!(steps(&world), json!(3));
}

#[test]
fn an_agent_is_deleted_only_if_it_still_is_what_was_planned_and_no_number_points_at_it() {
    type Deed = fn(&mut Service);
    let deeds: [(&str, Deed); 4] = [
        ("protected", |service| edit_stamp(service, "Agent b", |stamp| stamp.protect = true)),
        ("of another key", |service| {
            edit_stamp(service, "Agent b", |stamp| stamp.key = Key::parse("c").unwrap());
        }),
        ("a copy of another agent", |service| {
            edit_stamp(service, "Agent b", |stamp| stamp.agent = Some("somebody-else".to_owned()));
        }),
        ("with a number", |service| {
            let id = service.agent_named("Agent b").unwrap().id;
            service.dashboard_assign(A, Direction::Inbound, Some(&id)).unwrap();
        }),
    ];
    for (what, deed) in deeds {
        let mut world = with_one_to_prune();
        just_before(&world, format!("GET /core/agents/{}", world.id("Agent b")), 1, deed);
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "b"), Outcome::Stale, "{what}: {report:#?}");
        assert_eq!(world.agents(), 2, "{what}");
    }
    let mut world = with_one_to_prune();
    assert_eq!(outcome(&run(async { world.apply().await }), "b"), Outcome::Applied);
    assert_eq!(world.agents(), 1);
}

#[test]
fn nothing_is_deleted_after_a_failure_and_the_report_keeps_the_order_of_the_plan() {
    let mut world = with_one_to_prune();
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    let plan = run(async { world.plan().await });
    world.sandbox.add_fault(Fault::parse("400:PUT#1+").unwrap());
    let report = run(async { world.apply().await });
    assert_eq!((outcome(&report, "a"), outcome(&report, "b")), (Outcome::Failed, Outcome::Skipped), "{report:#?}");
    assert_eq!(world.agents(), 2);
    let told: Vec<&Key> = report.outcomes.iter().map(|entry| &entry.key).collect();
    assert_eq!(told, plan.changes.iter().map(|change| &change.key).collect::<Vec<_>>());
}

#[test]
fn where_a_version_is_published_once_a_slot_is_emptied_by_a_copy_of_it() {
    for (before, after) in
        [(format!("[\"{A}\", \"{B}\"]"), format!("[\"{B}\"]")), (format!("[\"{A}\"]"), "[]".to_owned())]
    {
        let mut world = in_service("republish=refuse");
        world.write("a", manifest("a", &format!("phone_numbers: {{inbound: {before}}}")));
        run(async { world.apply().await });
        let kept = before.contains(B).then_some("Agent a");
        world.write("a", manifest("a", &format!("phone_numbers: {{inbound: {after}}}")));
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!((world.holder(A, "inbound"), world.holder(B, "inbound").as_deref()), (None, kept));
        run(async { world.assert_empty("emptied").await });
    }
}

#[test]
fn if_a_version_is_published_once_what_one_call_cannot_do_is_said_with_its_reason_and_no_version_is_made_for_it() {
    let mut world = in_service("republish=refuse");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"], outbound: [\"{A}\"]}}")));
    run(async { world.apply().await });
    assert_eq!(world.holder(A, "outbound").as_deref(), Some("Agent a"));
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [], outbound: [\"{A}\"]}}")));
    for _ in 0..2 {
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
        let causes = causes(&report, "a");
        assert!(causes.contains("publishes a version only once"), "{causes}");
        assert!(causes.contains("the service answered 4"), "the service's own reason: {causes}");
        assert!(report.needs_a_hand(), "another run cannot do it either: {report:#?}");
        assert_is_left_to_empty(&world);
        assert_eq!(world.versions("Agent a"), [(1, true)]);
        for direction in ["inbound", "outbound"] {
            assert_eq!(world.holder(A, direction).as_deref(), Some("Agent a"), "{direction}");
        }
    }
}

/// What our own apply had still to empty is reported as that, and as nobody's edit.
fn assert_is_left_to_empty(world: &World) {
    let plan = run(async { world.plan().await });
    assert_eq!((plan.summary().update, plan.summary().drift, plan.summary().conflict), (1, 0, 0), "{plan:#?}");
    assert_eq!(plan.changes[0].numbers[0].cause, Cause::Pending);
    let drift = run(async { world.drift().await });
    assert!(drift.agents.is_empty() && drift.as_applied.is_empty(), "{drift:#?}");
    let left = ["an apply was not finished".to_owned(), format!("what it has still to do: {A} inbound")];
    assert_eq!(drift.unchecked[0].causes, left);
    let hint = &drift.unchecked[0].hints[0];
    assert!(!hint.contains("finishes it"), "that is not certain: {hint}");
}

#[test]
fn what_a_run_that_died_had_still_to_empty_is_its_own_and_no_edit() {
    let mut world = in_service("");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    run(async { world.apply().await });
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    run(async { world.die(Phase::Before, ":POST /core/agents/*/publish#1").await });
    assert_is_left_to_empty(&world);
    run(async { world.converge("the slot is emptied").await });
    assert_eq!(world.holder(A, "inbound"), None);
    let drift = run(async { world.drift().await });
    assert!(drift.agents.is_empty() && drift.unchecked.is_empty(), "{drift:#?}");
}

#[test]
fn a_slot_that_the_service_will_not_empty_leaves_a_draft_and_the_way_out_by_hand() {
    let mut world = in_service("");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    run(async { world.apply().await });
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    world.fault("409:POST /core/agents/*/publish#1+");
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    let entry = &report.outcomes[0];
    assert!(entry.by_hand && entry.draft == Some(2), "{report:#?}");
    assert_eq!(
        entry.hints,
        ["another apply cannot do it either: empty the slot in the dashboard, and discard draft v2 there"]
    );
    assert_is_left_to_empty(&world);
}

#[test]
fn an_agent_that_is_deleted_behind_its_last_step_is_stale_and_nothing_is_said_to_be_live() {
    let mut world = in_service("");
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    run(async { world.apply().await });
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    let path = format!("/core/agents/{}", world.id("Agent a"));
    let writes = AtomicUsize::new(0);
    // The intent is the first writing of the agent, the stamp of what was done the second and last.
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_write = phase == Phase::After && request.method == Method::Put && request.path == path;
        if is_write && writes.fetch_add(1, Ordering::Relaxed) == 1 {
            let id = service.agent_named("Agent a").unwrap().id;
            service.dashboard_delete(&id).unwrap();
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    assert_eq!(causes(&report, "a"), "the agent is gone: it was deleted meanwhile");
    assert_eq!(report.outcomes[0].version, None, "{report:#?}");
}

#[test]
fn a_slot_that_the_service_does_not_let_be_emptied_fails_and_no_copy_is_made() {
    for (fault, expected, versions) in [
        ("403", Outcome::Failed, vec![(1, true)]),
        ("404", Outcome::Failed, vec![(1, true)]),
        ("409", Outcome::Applied, vec![(1, true), (2, true)]),
        ("400", Outcome::Applied, vec![(1, true), (2, true)]),
    ] {
        let mut world = in_service("");
        world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
        run(async { world.apply().await });
        world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
        world.fault(&format!("{fault}:POST /core/agents/*/versions/1/publish#1+"));
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), expected, "{fault}: {report:#?}");
        assert_eq!(world.versions("Agent a"), versions, "{fault}");
        let still = if expected == Outcome::Failed { Some("Agent a") } else { None };
        assert_eq!(world.holder(A, "inbound").as_deref(), still, "{fault}");
        let entry = &report.outcomes[0];
        assert_eq!(entry.step.is_some(), expected == Outcome::Failed, "{fault}: where it stopped: {entry:#?}");
        assert!(report.wrote, "{fault}");
    }
}

#[test]
fn two_first_applies_at_once_leave_one_agent_also_where_lists_show_it_late() {
    for eventual in [0, 1, 2, 3, 5] {
        for behind in [0, 10, 30, 120, 300] {
            let mut world = in_service(&format!("eventual={eventual}"));
            world.write("a", manifest("a", ""));
            let reports = two_at_once(&world, Duration::from_millis(behind));
            let what = format!("eventual={eventual}, {behind} ms: {reports:#?}");
            assert_eq!(world.agents(), 1, "{what}");
            let applied = reports.iter().filter(|report| outcome(report, "a") == Outcome::Applied).count();
            // Where reads are late, the one may see the agent of the other before its lease, and go on with it.
            assert!(applied == 1 || (eventual > 0 && applied == 2), "{what}");
            run(async { world.assert_empty(&what).await });
        }
    }
}

#[test]
fn an_assignment_that_shows_late_is_waited_for_and_not_sent_again() {
    let mut lists = Vec::new();
    for reads in [0, 8, 12, 16] {
        let mut late = in_service(&format!("eventual={reads}"));
        late.write("a", manifest("a", "phone_numbers: {inbound: []}"));
        run(async { late.converge("eventual=").await });
        late.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
        late.sandbox.clear_log();
        let report = run(async { late.apply().await });
        assert!(report.is_complete(), "{reads}: {report:#?}");
        let log = late.sandbox.log();
        let publishes = log.iter().filter(|entry| entry.request.path.ends_with("/publish")).count();
        assert_eq!(publishes, 1, "{reads}: {log:#?}");
        lists.push(log.iter().filter(|entry| entry.request.name() == "GET /core/phone-numbers").count());
    }
    assert!(lists[1..].iter().all(|late| *late > lists[0]), "none was late: {lists:?}");
}

#[test]
fn a_lease_that_another_run_took_while_the_draft_was_written_stops_the_publishing() {
    let mut world = changed("");
    world.lease_timeout = Duration::ZERO;
    let now = reachform::http::Clock::now(&*world.clock);
    just_before(&world, format!("PUT /core/agents/{}/versions/2", world.id("Agent a")), 1, move |service| {
        let lease = Lease { run: "github-77/alive".to_owned(), at: now.to_string() };
        edit_stamp(service, "Agent a", |stamp| stamp.state.lease = Some(lease));
    });
    let began = reachform::http::Clock::now(&*world.clock);
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert!(causes(&report, "a").contains("the run github-77/alive took this agent over"), "{report:#?}");
    assert_eq!(steps(&world), json!(3), "nothing was published");
    assert_eq!(elapsed(&world, began), Duration::ZERO, "it is told at once");
    let stamp = Stamp::read(&world.metadata("Agent a")).unwrap().unwrap();
    assert_eq!(stamp.state.lease.unwrap().run, "github-77/alive", "a lease of somebody else is not dropped");
}

#[test]
fn a_new_agent_that_another_run_took_over_is_left_to_it_at_once() {
    let mut world = in_service("");
    world.lease_timeout = Duration::ZERO;
    world.write("a", manifest("a", ""));
    let now = reachform::http::Clock::now(&*world.clock);
    // What is looked at between writing the first version and publishing it.
    world.sandbox.on_request(move |phase, _, request, service| {
        if phase == Phase::After && request.method == Method::Post && request.path.ends_with("/versions") {
            let lease = Lease { run: "github-77/alive".to_owned(), at: now.to_string() };
            edit_stamp(service, "Agent a", |stamp| stamp.state.lease = Some(lease));
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert!(causes(&report, "a").contains("the run github-77/alive took this agent over"), "{report:#?}");
    assert_eq!(world.versions("Agent a"), [(1, false)], "nothing was published");
    assert_eq!(elapsed(&world, now), Duration::ZERO, "it is told at once");
}

#[test]
fn agents_of_one_name_are_told_apart_by_their_keys_also_where_the_reply_to_a_create_is_lost() {
    for (order, lost) in [("", None), ("", Some(1)), ("", Some(2)), ("order=asc", Some(1)), ("order=asc", Some(2))] {
        let mut world = in_service(order);
        world.write("a", manifest("a", "").replace("Agent a", "Agent x"));
        world.write("b", manifest("b", "").replace("Agent b", "Agent x").replace("steps: 3", "steps: 4"));
        if let Some(nth) = lost {
            world.sandbox.add_fault(Fault::parse(&format!("drop-after:POST /core/agents#{nth}")).unwrap());
        }
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{lost:?}: {report:#?}");
        world.sandbox.clear_faults();
        run(async { world.assert_empty("two of a name").await });
        let agents = world.sandbox.with(|service| service.agents());
        let mut steps: Vec<Value> = agents
            .iter()
            .map(|agent| agent.versions.last().unwrap().config["agent"]["max_tool_steps"].clone())
            .collect();
        steps.sort_by_key(Value::as_u64);
        assert_eq!(steps, [json!(3), json!(4)], "{lost:?}: one agent a key, each with its own config");
    }
}

#[test]
fn an_agent_of_the_same_name_and_key_in_another_project_is_nobodys_elder() {
    for (order, is_lost) in [("", false), ("", true), ("order=asc", true)] {
        let mut world = in_service(order);
        world
            .files
            .insert("reachform.yaml".to_owned(), "version: 1\nproject: other\nenvironments:\n  prod: {}\n".to_owned());
        world.write("a", manifest("a", ""));
        run(async { world.apply().await });
        world
            .files
            .insert("reachform.yaml".to_owned(), "version: 1\nproject: test\nenvironments:\n  prod: {}\n".to_owned());
        if is_lost {
            world.fault("drop-after:POST /core/agents#1");
        }
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{order} {is_lost}: {report:#?}");
        assert_eq!(world.agents(), 2, "each project has its own");
        run(async { world.assert_empty("beside another project").await });
    }
}

/// Passes after a while, in which somebody writes something of their own into the metadata of another agent.
struct Meanwhile(World, u64);

impl Verifier for Meanwhile {
    fn verify<'a>(&'a self, _command: &'a Verify, _input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(async {
            reachform::http::Clock::sleep(&*self.0.clock, Duration::from_secs(self.1)).await;
            self.0.annotate("Agent b", "theirs", json!("written after the lists were read"));
            Ok(())
        })
    }
}

#[test]
fn metadata_is_as_old_as_the_lists_and_not_as_the_work_on_its_agent() {
    for seconds in [3, 15] {
        let mut world = in_service("");
        for key in ["a", "b"] {
            world.write(key, manifest(key, ""));
        }
        run(async { world.apply().await });
        let more = "verify: {command: [check]}";
        world.write("a", manifest("a", more).replace("max_tool_steps: 3", "max_tool_steps: 4"));
        world.write("b", manifest("b", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
        world.apply.parallelism = 1;
        world.verifier = Arc::new(Meanwhile(world.clone(), seconds));
        run(async { world.converge("one after the other").await });
        assert_eq!(world.metadata("Agent b")["theirs"], json!("written after the lists were read"));
    }
}

/// Publishes a version of somebody else's above the live one.
fn publish_by_another(service: &mut Service, steps: u64) {
    let id = service.agent_named("Agent a").unwrap().id;
    service.dashboard_edit(&id, "/agent/max_tool_steps", json!(steps)).unwrap();
}

#[test]
fn what_somebody_published_behind_the_last_look_of_an_apply_is_a_conflict_for_the_next_one() {
    let mut world = changed("");
    // The first update of the agent writes the intent, and the second one what was applied.
    just_before(&world, format!("PUT /core/agents/{}", world.id("Agent a")), 2, |service| {
        publish_by_another(service, 9);
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
    assert_eq!(outcome(&report, "a"), Outcome::Held, "{report:#?}");
    assert_eq!(steps(&world), json!(9), "nobody has seen yet what was published meanwhile");
    // Once it was approved, what is changed afterwards is drift again.
    world.options.force_conflicts = true;
    run(async { world.converge("forced").await });
    world.options.force_conflicts = false;
    world.sandbox.with(|service| publish_by_another(service, 8));
    run(async { world.converge("drift").await });
    assert_eq!(steps(&world), json!(4));
}
