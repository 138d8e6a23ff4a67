//! One scenario, played under a simulated clock, and the invariants that hold whatever it was.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reachform::http::Clock as _;
use reachform::plan::{Approval, Outcome, Report};
use reachform::sandbox::{Direction, Fault, Phase, Sandbox, Service};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::draw::{Commit, Deed, DeedKind, End, Run, Scenario};
use crate::world::{World, run};

/// Everything that was asked and how it ended, for the eye and for comparing two plays of one seed.
pub type Story = String;

/// Plays a scenario and panics where an invariant does not hold.
pub fn play(scenario: &Scenario) -> Story {
    let mut world = World::new(scenario.behaviour.clone());
    world.options.limits.change_percent = 100;
    world.options.force_conflicts = true;
    if let Some(before) = &scenario.before {
        checkout(&mut world, before);
        run(async { world.converge(&format!("{}: before", scenario.world)).await });
        for deed in &scenario.deeds_before {
            world.sandbox.with(|service| act(service, deed));
        }
    }
    let notes = notes(&world);
    let undeclared = undeclared(&world);
    let gaps = watch(&world, scenario);
    world.sandbox.clear_log();
    let _teller = Teller(world.sandbox.clone());
    for fault in &scenario.faults {
        world.sandbox.add_fault(Fault::parse(fault).unwrap());
    }
    let at_work = Arc::new(AtomicBool::new(true));
    act_along(&world.sandbox, &scenario.deeds, at_work.clone());

    let (first, second) =
        run(async { tokio::join!(one(&world, &scenario.runs[0], 1_000), one(&world, &scenario.runs[1], 2_000)) });
    if std::env::var_os("REACHFORM_SEED").is_some() {
        println!("{}", tell(&world, &first, &second));
    }
    for (ended, of) in [(&first, &scenario.runs[0]), (&second, &scenario.runs[1])] {
        if let Ended::Report(report) = ended {
            check_report(&world, report, &of.commit);
        }
    }

    // Everyone is gone. The same command once more, on a fresh machine, finishes the job.
    at_work.store(false, Ordering::Relaxed);
    world.sandbox.clear_faults();
    let last = &scenario.runs[1].commit;
    checkout(&mut world, last);
    world.runs = 5_000;
    run(async {
        if scenario.world.contains("eventual=") {
            for _ in 0..3 {
                let _plan = world.try_plan().await;
            }
        }
        let mut report = world.apply().await;
        // Where one draft is all that an agent may have, one of another commit is overwritten only when told so.
        if scenario.world.contains("drafts=one") && report.count(Outcome::Blocked) > 0 {
            world.apply.replace_draft = report.outcomes.iter().map(|entry| entry.key.clone()).collect();
            world.sandbox.with(publish_old_drafts);
            report = world.apply().await;
        }
        assert!(report.is_complete(), "the last apply: {:#?}", report.outcomes);
        world.assert_empty(&format!("{}: after the last apply", scenario.world)).await;
    });
    check_end(&world, last, &notes, &undeclared);
    let gaps = gaps.lock().unwrap();
    assert!(gaps.is_empty(), "numbers rang into nothing: {gaps:#?}");
    tell(&world, &first, &second)
}

/// Tells what was asked where a replay fails before it comes to tell its whole story.
struct Teller(Sandbox);

impl Drop for Teller {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("REACHFORM_SEED").is_some() {
            for entry in self.0.log() {
                println!("{:>4} {entry}", entry.number);
            }
        }
    }
}

/// How one apply ended.
enum Ended {
    Report(Box<Report>),
    Refused(String),
    Killed,
}

async fn one(world: &World, run: &Run, first_run: u64) -> Ended {
    let mut world = world.clone();
    world.runs = first_run;
    world.latency = run.latency;
    world.cancel = CancellationToken::new();
    checkout(&mut world, &run.commit);
    let struck = Arc::new(Notify::new());
    match run.end {
        End::Whole => {}
        End::Killed(phase, nth) => {
            let struck = struck.clone();
            world.sandbox.on_request(move |at, number, _, _| {
                if at == phase && number == nth {
                    struck.notify_one();
                }
            });
        }
        End::Signal(nth) => {
            let cancel = world.cancel.clone();
            world.sandbox.on_request(move |at, number, _, _| {
                if at == Phase::Before && number == nth {
                    cancel.cancel();
                }
            });
        }
    }
    world.clock.sleep(run.begins).await;
    tokio::select! {
        biased;
        () = struck.notified() => Ended::Killed,
        ended = world.try_apply(Approval::Person) => match ended {
            Ok(Ok(report)) => Ended::Report(Box::new(report)),
            Ok(Err(refusal)) => Ended::Refused(format!("{refusal:?}")),
            Err(error) => Ended::Refused(error.to_string()),
        },
    }
}

fn checkout(world: &mut World, commit: &Commit) {
    world.files.retain(|name, _| !name.starts_with("agents/"));
    for (key, text) in commit.manifests() {
        world.write(&key, text);
    }
}

/// A draft that is older than the live version is a person's to clear away.
fn publish_old_drafts(service: &mut Service) {
    for agent in service.agents() {
        let live = agent.live().map_or(0, |live| live.number);
        for version in agent.versions.iter().filter(|version| !version.published && version.number < live) {
            service.dashboard_publish(&agent.id, version.number).unwrap();
        }
    }
}

/// What a person does in the dashboard. What is not there yet is left alone.
fn act(service: &mut Service, deed: &Deed) {
    let Some(agent) = service.agent_named(&format!("Agent {}", deed.agent)) else { return };
    if agent.live().is_none() {
        return;
    }
    let done = match &deed.kind {
        DeedKind::EditUndeclared(n) => {
            service.dashboard_edit(&agent.id, "/scorecard_ids", json!([format!("s{n}")])).map(|_| ())
        }
        DeedKind::EditDeclared(n) => service.dashboard_edit(&agent.id, "/agent/max_tool_steps", json!(n)).map(|_| ()),
        DeedKind::Draft => service.dashboard_draft(&agent.id).map(|_| ()),
        DeedKind::Annotate(n) => {
            let mut metadata = agent.metadata.clone();
            metadata["theirs"] = json!(n);
            service.dashboard_change(&agent.id, &Map::from_iter([("metadata".to_owned(), metadata)]))
        }
        DeedKind::Assign(number) => service.dashboard_assign(number, Direction::Inbound, Some(&agent.id)),
    };
    done.unwrap();
}

fn act_along(sandbox: &Sandbox, deeds: &[Deed], at_work: Arc<AtomicBool>) {
    let deeds = deeds.to_vec();
    sandbox.on_request(move |phase, number, _, service| {
        if phase == Phase::After && at_work.load(Ordering::Relaxed) {
            for deed in deeds.iter().filter(|deed| deed.after == number) {
                act(service, deed);
            }
        }
    });
}

/// Records every number that was filled before, rings somewhere by both commits, and is empty after some request.
fn watch(world: &World, scenario: &Scenario) -> Arc<Mutex<Vec<String>>> {
    let gaps = Arc::new(Mutex::new(Vec::new()));
    let told = gaps.clone();
    let mut before = world.sandbox.with(|service| service.slots());
    before.retain(|number, _| scenario.runs.iter().all(|run| run.commit.rings(number)));
    world.sandbox.on_request(move |phase, number, request, service| {
        if phase == Phase::After {
            let emptied = service.emptied_since(&before);
            if !emptied.is_empty() {
                told.lock().unwrap().push(format!("{emptied:?} after request {number}, {}", request.name()));
            }
        }
    });
    gaps
}

/// A report adds up, and what it calls applied is published with the values of its manifests.
fn check_report(world: &World, report: &Report, commit: &Commit) {
    let counted: usize = Outcome::ALL.iter().map(|outcome| report.count(*outcome)).sum();
    assert_eq!(counted, report.outcomes.len(), "the report adds up: {report:#?}");
    let agents = world.sandbox.with(|service| service.agents());
    for entry in report.outcomes.iter().filter(|entry| entry.outcome == Outcome::Applied) {
        let Some(agent) = agents.iter().find(|agent| Some(&agent.id) == entry.agent_id.as_ref()) else {
            panic!("{} is called applied and is not there", entry.address);
        };
        let Some(number) = entry.version else { continue };
        let version = agent.versions.iter().find(|version| version.number == number && version.published);
        let version = version.unwrap_or_else(|| panic!("{}: version {number} is not published", entry.address));
        let wanted = commit.agents[entry.key.as_str()].steps;
        assert_eq!(version.config["agent"]["max_tool_steps"], json!(wanted), "{}: {report:#?}", entry.address);
    }
}

fn check_end(world: &World, last: &Commit, notes: &BTreeMap<String, Value>, edited: &BTreeMap<String, Value>) {
    let agents = world.sandbox.with(|service| service.agents());
    let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
    for (key, agent) in &last.agents {
        let name = format!("Agent {key}");
        assert_eq!(names.iter().filter(|found| **found == name).count(), 1, "one agent a key: {names:?}");
        assert_eq!(world.live_config(&name)["agent"]["max_tool_steps"], json!(agent.steps), "{name}");
        for number in &agent.numbers {
            assert_eq!(world.holder(number, "inbound").as_deref(), Some(name.as_str()), "{number}");
        }
    }
    assert_eq!(agents.len(), last.agents.len(), "nobody else is there: {names:?}");
    let mut kept = self::notes(world);
    for (name, note) in notes {
        let now = kept.remove(name).unwrap_or(Value::Null);
        // A person may have written another note meanwhile; none may be lost.
        assert!(!now.is_null(), "{name}: the note {note} is gone");
    }
    let now = undeclared(world);
    for (name, value) in edited {
        assert!(now.get(name).is_some_and(|now| !now.is_null()), "{name}: the undeclared edit {value} is gone");
    }
    let violations = world.sandbox.with(|service| service.violations());
    assert!(violations.is_empty(), "{violations:?}");
}

fn notes(world: &World) -> BTreeMap<String, Value> {
    of_agents(world, |agent| agent.metadata.get("theirs").cloned())
}

fn undeclared(world: &World) -> BTreeMap<String, Value> {
    // Where the service fills defaults, a null is none of anybody's.
    of_agents(world, |agent| agent.live()?.config.get("scorecard_ids").filter(|value| !value.is_null()).cloned())
}

fn of_agents(
    world: &World,
    read: impl Fn(&reachform::sandbox::AgentSnapshot) -> Option<Value>,
) -> BTreeMap<String, Value> {
    let agents = world.sandbox.with(|service| service.agents());
    agents.iter().filter_map(|agent| Some((agent.name.clone(), read(agent)?))).collect()
}

fn tell(world: &World, first: &Ended, second: &Ended) -> Story {
    let mut story = String::new();
    for (name, ended) in [("first", first), ("second", second)] {
        let _infallible = match ended {
            Ended::Killed => writeln!(story, "{name}: killed"),
            Ended::Refused(why) => writeln!(story, "{name}: {why}"),
            Ended::Report(report) => {
                let outcomes: Vec<String> = report
                    .outcomes
                    .iter()
                    .map(|entry| format!("{} {} {:?}", entry.address, entry.outcome.as_str(), entry.causes))
                    .collect();
                writeln!(story, "{name}: {}", outcomes.join("; "))
            }
        };
    }
    for entry in world.sandbox.log() {
        let _infallible = writeln!(story, "{:>4} {entry}", entry.number);
    }
    story
}
