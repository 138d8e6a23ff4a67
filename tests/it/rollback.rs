//! Going back to an older version: what is copied and moved, what is remembered of it, and what a later apply makes of it.

use std::collections::BTreeSet;

use reachform::cli::exit::Exit;
use reachform::http::Clock as _;
use reachform::model::{Back, Key, Lease, RolledBack, Stamp};
use reachform::plan::{Approval, BackTo, Cause, Held, Outcome, Plan, Report};
use reachform::render::text::{TextOptions, agent_text, log_text, versions_text};
use reachform::sandbox::Phase;
use reachform::session::{self, SessionError, check_drift, read, undoing};
use serde_json::{Value, json};

use crate::scene::manifest;
use crate::world::{World, changed, edit_stamp, in_service, outcome, run};

const NUMBER: &str = "+15550100001";

pub fn key() -> Key {
    Key::parse("a").unwrap()
}

/// What the manifest says for the older version, and for the one that is to be rolled back.
pub fn manifests() -> [String; 2] {
    let old = manifest("a", &format!("phone_numbers: {{inbound: [\"{NUMBER}\"], outbound: [\"{NUMBER}\"]}}"));
    let new = old.replace("max_tool_steps: 3", "version: \"2\"").replace("of a clinic", "of another clinic");
    let new = new.replace("      version: \"2\"\n", "");
    [old, new]
}

/// Two versions in place: the second changes the prompt and takes a value away.
pub fn released(behaviour: &str) -> World {
    let mut world = in_service(behaviour);
    for text in manifests() {
        world.write("a", text);
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{behaviour}: {:#?}", report.outcomes);
    }
    world.sandbox.clear_log();
    world
}

/// The flags of a rollback.
pub fn going_back(world: &World, to: Option<u64>) -> World {
    let mut world = world.clone();
    world.options.targets = BTreeSet::from([key()]);
    world.options.rollback.insert(key(), BackTo { to, reason: "callers hear nothing".to_owned() });
    world
}

async fn go_back(world: &mut World, to: Option<u64>) -> Report {
    let mut back = going_back(world, to);
    let report = back.apply().await;
    world.runs = back.runs;
    report
}

pub fn stamp(world: &World) -> Stamp {
    Stamp::read(&world.metadata("Agent a")).unwrap().unwrap()
}

fn config(world: &World, version: u64) -> Value {
    let agent = world.sandbox.with(|service| service.agent_named("Agent a").unwrap());
    agent.versions.iter().find(|found| found.number == version).unwrap().config.clone()
}

fn live_number(world: &World) -> u64 {
    world.sandbox.with(|service| service.agent_named("Agent a").unwrap().live().unwrap().number)
}

/// Which version of the agent its number rings at.
fn rings_at(world: &World) -> [Option<u64>; 2] {
    let slots = world.sandbox.with(|service| service.slots());
    let slots = &slots[NUMBER];
    [&slots.inbound, &slots.outbound].map(|slot| slot.as_ref().map(|pointer| pointer.version))
}

fn errors(plan: &Plan) -> String {
    plan.diagnostics.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n")
}

fn notices(plan: &Plan, code: &str) -> Vec<String> {
    plan.notices.iter().filter(|notice| notice.code == code).map(|notice| notice.message.clone()).collect()
}

#[test]
fn a_rollback_publishes_a_copy_of_the_older_version_where_the_live_one_rings_and_writes_no_config() {
    let mut world = released("");
    let plan = run(async { going_back(&world, None).plan().await });
    let [change] = plan.changes.as_slice() else { panic!("{plan:#?}") };
    let paths: Vec<String> = change.fields.iter().map(|field| field.path.to_string()).collect();
    assert_eq!(paths, ["/config/agent/instructions", "/config/agent/max_tool_steps"]);
    assert!(change.numbers.iter().all(|slot| slot.follows) && change.numbers.len() == 2, "{:#?}", change.numbers);
    assert_eq!(change.steps[1], "create a version from version 1");

    let report = run(async { go_back(&mut world, None).await });
    assert!(report.is_complete(), "{:#?}", report.outcomes);
    assert_eq!((live_number(&world), config(&world, 3)), (3, config(&world, 1)));
    assert_eq!(rings_at(&world), [Some(3), Some(3)]);
    let puts = world
        .sandbox
        .log()
        .iter()
        .filter(|entry| entry.to_string().contains("PUT /core/agents/") && entry.to_string().contains("/versions/"))
        .count();
    assert_eq!(puts, 0, "a copy is published as it is");

    let state = stamp(&world).state;
    let rolled_back = state.rollback.unwrap();
    assert_eq!((rolled_back.back.from, rolled_back.back.to), (2, 1));
    assert_eq!(rolled_back.back.reason.as_deref(), Some("callers hear nothing"));
    assert!(rolled_back.by.is_some() && state.intent.is_none() && state.lease.is_none());
    assert_eq!(state.applied.unwrap().version, Some(3));
}

#[test]
fn apply_holds_what_was_rolled_back_until_somebody_says_redo_and_then_all_is_as_before() {
    let mut world = released("");
    run(async { go_back(&mut world, None).await });
    let plan = run(async { world.plan().await });
    let [change] = plan.changes.as_slice() else { panic!("{plan:#?}") };
    assert_eq!(change.held, Some(Held::Rollback { from: 2, to: 1 }));
    assert!(change.fields.iter().all(|field| field.cause == Cause::Rollback), "{:#?}", change.fields);
    let said = notices(&plan, "rolled-back");
    assert!(said[0].contains("from version 2 to version 1") && said[0].contains("callers hear nothing"), "{said:?}");

    for approval in [Approval::Auto, Approval::Person] {
        let report = run(async { world.try_apply(approval).await }).unwrap().unwrap();
        assert_eq!((outcome(&report, "a"), Exit::of_report(&report)), (Outcome::Held, Exit::Refused));
        assert_eq!(live_number(&world), 3);
    }
    world.options.redo.insert(key());
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{:#?}", report.outcomes);
    assert_eq!(config(&world, 4), config(&world, 2), "what the older version had in addition is gone again");
    assert_eq!(rings_at(&world), [Some(4), Some(4)]);
    assert_eq!(stamp(&world).state.rollback, None);
    world.options.redo.clear();
    run(async { world.assert_empty("after going forward again").await });
}

#[test]
fn a_manifest_that_changes_lifts_the_hold_and_one_that_says_the_old_values_is_in_place() {
    let [old, new] = manifests();
    let mut world = released("");
    run(async { go_back(&mut world, None).await });
    world.write("a", new.replace("another clinic", "a third clinic"));
    let plan = run(async { world.plan().await });
    assert_eq!((plan.changes[0].held.clone(), plan.changes[0].fields[0].cause), (None, Cause::Pending));
    assert!(notices(&plan, "rolled-back")[0].contains("was changed since"), "{:?}", plan.notices);

    let mut forward = world.fork();
    run(async { forward.converge("forward with a new manifest").await });
    assert_eq!(stamp(&forward).state.rollback, None);

    world.write("a", old);
    let plan = run(async { world.plan().await });
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
    run(async { world.converge("the manifest says what was gone back to").await });
    assert_eq!((live_number(&world), stamp(&world).state.rollback), (3, None));
}

#[test]
fn the_same_rollback_twice_goes_back_once_and_a_named_version_goes_further() {
    let mut world = released("");
    world.write("a", manifests()[1].replace("another clinic", "a third clinic"));
    run(async { world.apply().await });
    run(async { go_back(&mut world, None).await });
    assert_eq!(config(&world, 4), config(&world, 2));
    for to in [None, Some(2)] {
        let report = run(async { go_back(&mut world, to).await });
        assert!(report.outcomes.is_empty() && !report.wrote, "{report:#?}");
        let plan = run(async { going_back(&world, to).plan().await });
        assert!(notices(&plan, "rolled-back")[0].contains("name a version with `--to`"), "{:?}", plan.notices);
    }
    let report = run(async { go_back(&mut world, Some(1)).await });
    assert!(report.is_complete());
    assert_eq!((live_number(&world), config(&world, 5)), (5, config(&world, 1)));
    let back = stamp(&world).state.rollback.unwrap().back;
    assert_eq!((back.from, back.to), (4, 1));
}

#[test]
fn a_rollback_that_cannot_be_is_refused_with_the_reason_and_nothing_is_written() {
    let world = released("");
    let id = world.id("Agent a");
    let draft = world.sandbox.with(|service| service.dashboard_draft(&id).unwrap());
    for (to, words) in [
        (Some(7), "it has no version 7".to_owned()),
        (Some(2), "version 2 is the live one".to_owned()),
        (Some(draft), format!("version {draft} is a draft that was never published")),
    ] {
        let plan = run(async { going_back(&world, to).plan().await });
        assert!(errors(&plan).contains(&words) && !plan.is_applyable(), "{to:?}: {}", errors(&plan));
    }
    let first = changed("");
    let plan = run(async { going_back(&first, None).plan().await });
    assert!(errors(&plan).contains("there is nothing to go back to"), "{}", errors(&plan));

    let same = released("");
    let (id, live) = (same.id("Agent a"), same.live_config("Agent a"));
    same.sandbox.with(|service| service.dashboard_release(&id, live).unwrap());
    let plan = run(async { going_back(&same, None).plan().await });
    assert!(errors(&plan).contains("version 2 holds the same as the live version 3"), "{}", errors(&plan));
}

#[test]
fn an_old_config_that_is_no_longer_valid_or_refers_to_an_agent_that_is_gone_is_not_gone_back_to() {
    let mut world = in_service("");
    let [old, new] = manifests();
    world.write("a", old);
    run(async { world.apply().await });
    // What the service accepted once and its schema no longer names.
    let mut odd = world.live_config("Agent a");
    odd["agent"]["stack"]["type"] = json!("carrier_pigeon");
    let id = world.id("Agent a");
    world.sandbox.with(|service| service.dashboard_release(&id, odd).unwrap());
    world.options.force_conflicts = true;
    world.write("a", new);
    run(async { world.apply().await });
    let plan = run(async { going_back(&world, Some(2)).plan().await });
    assert!(errors(&plan).contains("version 2 no longer fits the schema"), "{}", errors(&plan));
    assert!(!plan.is_applyable());
}

#[test]
fn a_manifest_that_is_wrong_is_not_in_the_way_of_a_rollback() {
    let mut world = released("");
    world.write("a", manifests()[1].replace("type: stt_llm_tts", "type: nothing_known"));
    let report = run(async { go_back(&mut world, None).await });
    assert!(report.is_complete(), "{:#?}", report.outcomes);
    assert_eq!(config(&world, 3), config(&world, 1));
}

#[test]
fn the_lease_of_a_run_at_work_is_respected_and_that_of_a_dead_one_taken_over() {
    let mut world = released("");
    let now = world.clock.now();
    let lease = |world: &World, at: jiff::Timestamp| {
        let lease = Some(Lease { run: "another/run".to_owned(), at: at.to_string() });
        world.sandbox.with(|service| edit_stamp(service, "Agent a", |stamp| stamp.state.lease = lease));
    };
    lease(&world, now + jiff::SignedDuration::from_secs(3600));
    let refused = run(async { going_back(&world, None).try_apply(Approval::Person).await });
    assert!(matches!(refused, Err(SessionError::Leased { .. })), "{refused:?}");
    assert_eq!(live_number(&world), 2);
    lease(&world, now - jiff::SignedDuration::from_secs(3600));
    let report = run(async { go_back(&mut world, None).await });
    assert!(report.is_complete());
    assert_eq!((live_number(&world), stamp(&world).state.lease), (3, None));
}

#[test]
fn a_release_that_died_halfway_can_be_rolled_back_wherever_it_died() {
    for (phase, at, copied) in [
        (Phase::After, ":POST /core/agents/*/publish#1", 2),
        (Phase::Before, ":POST /core/agents/*/publish#1", 1),
        (Phase::After, ":PUT /core/agents/*/versions/*#1", 1),
    ] {
        let mut world = released("");
        world.write("a", manifests()[1].replace("another clinic", "a third clinic"));
        run(async { world.die(phase, at).await });
        let report = run(async { go_back(&mut world, None).await });
        assert!(report.is_complete(), "{phase:?} {at}: {:#?}", report.outcomes);
        assert_eq!(world.live_config("Agent a"), config(&world, copied), "{phase:?} {at}");
        let live = Some(live_number(&world));
        assert_eq!(rings_at(&world), [live, live]);
        let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
        let is_held = outcome(&report, "a") == Outcome::Held;
        // Where it died before it published, the manifest is not the one that was rolled back.
        assert_eq!(is_held, copied == 2, "{phase:?} {at}: {:#?}", report.outcomes);
    }
}

#[test]
fn an_apply_after_a_rollback_that_died_never_undoes_it_and_the_same_rollback_finishes_it() {
    for behaviour in ["", "authors=no", "metadata=merge", "defaults=fill", "secrets=mask"] {
        for at in 1..=14 {
            for phase in [Phase::Before, Phase::After] {
                let what = format!("{behaviour}: {phase:?} the write {at}");
                let mut world = released(behaviour);
                let mut doomed = going_back(&world, None);
                let writes = format!("#{}", at + 4);
                run(async { doomed.die(phase, &writes).await });
                world.runs = doomed.runs;
                let live = live_number(&world);
                let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
                assert_eq!(live_number(&world), live, "{what}: {:#?}", report.outcomes);
                let report = run(async { go_back(&mut world, None).await });
                assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
                assert_eq!(world.live_config("Agent a"), config(&world, 1), "{what}");
                let state = stamp(&world).state;
                assert!(state.intent.is_none() && state.rollback.is_some(), "{what}: {state:#?}");
                let published = world.versions("Agent a").iter().filter(|(_, published)| *published).count();
                assert_eq!(published, 3, "{what}");
            }
        }
    }
}

#[test]
fn drift_is_clean_after_a_rollback_and_says_that_there_was_one() {
    let mut world = released("");
    run(async { go_back(&mut world, None).await });
    struct Nothing;
    impl session::Past for Nothing {
        fn provenance(&self, _: Option<&str>, _: &Key, _: &str) -> Option<reachform::plan::drift::Provenance> {
            None
        }

        fn keys_at(&self, _: &str) -> Option<BTreeSet<Key>> {
            None
        }
    }
    let drift = run(async {
        let (workspace, outside) = (world.workspace(), world.outside());
        let reader = outside.reader();
        let mut service = read(&outside, &reader, None).await.unwrap();
        check_drift(&workspace, &world.options, &outside, &reader, &mut service, &Nothing).await.unwrap()
    });
    assert!(drift.agents.is_empty() && drift.unchecked.is_empty(), "{drift:#?}");
    assert!(drift.notices.iter().any(|notice| notice.code == "rolled-back"), "{:#?}", drift.notices);
}

#[test]
fn undoing_a_plan_takes_every_agent_back_that_it_released_and_says_of_which_it_cannot() {
    let mut world = in_service("");
    for name in ["a", "b", "c"] {
        world.write(name, manifest(name, ""));
    }
    run(async { world.apply().await });
    let prompt = |name: &str| manifest(name, "").replace("of a clinic", "of another clinic");
    for name in ["a", "b"] {
        world.write(name, prompt(name));
    }
    world.write("d", manifest("d", ""));
    let plan = run(async { world.plan().await });
    run(async { world.apply().await });
    let (workspace, outside) = (world.workspace(), world.outside());
    let found = |excludes: &[&str]| {
        let excludes = excludes.iter().map(|key| Key::parse(key).unwrap()).collect();
        run(async {
            let service = read(&outside, &outside.reader(), None).await.unwrap();
            undoing(&workspace, &outside, &service, &plan.plan_hash, "undo it", &excludes).unwrap()
        })
    };
    let undone = found(&[]);
    let keys: Vec<&str> = undone.back.keys().map(Key::as_str).collect();
    assert_eq!(keys, ["a", "b"]);
    assert!(undone.back.values().all(|back| back.to == Some(1)));
    assert_eq!(undone.refused[0].0.as_str(), "d", "it was created by that plan");
    assert!(found(&["d"]).refused.is_empty());

    let mut back = world.clone();
    back.options.targets = undone.back.keys().cloned().collect();
    back.options.rollback = undone.back;
    let report = run(async { back.apply().await });
    assert!(report.is_complete() && report.outcomes.len() == 2, "{:#?}", report.outcomes);
    assert!(found(&["d"]).back.is_empty(), "what is undone is not undone again");
}

#[test]
fn an_agent_its_versions_and_the_log_fit_into_eighty_columns_whatever_things_are_called() {
    let mut world = in_service("");
    let name =
        "An agent with a name that is a good deal longer than anybody would want to read on one line of a terminal";
    world.write("a", manifests()[0].replace("Agent a", name));
    run(async { world.apply().await });
    world.sandbox.with(|service| {
        edit_stamp(service, name, |stamp| {
            let back = Back { from: 2, to: 1, source: "s".to_owned(), reason: Some("why ".repeat(60)) };
            stamp.state.rollback = Some(RolledBack { back, by: Some("x".repeat(70)), at: "then".to_owned() });
            stamp.state.applied.as_mut().unwrap().run_url = Some(format!("https://example.com/{}", "y".repeat(90)));
        });
    });
    let (portrait, log) = run(async {
        let (workspace, outside) = (world.workspace(), world.outside());
        let reader = outside.reader();
        let service = read(&outside, &reader, None).await.unwrap();
        let portrait = session::portrait(&workspace, &outside, &reader, &service, "a").await.unwrap();
        (portrait, session::log(&workspace, &outside, &reader, &service, None, 50).await.unwrap())
    });
    let mut portrait = portrait;
    portrait.versions[0].by = Some("somebody@".repeat(20));
    let options = TextOptions::default();
    for text in [agent_text(&portrait, &options), versions_text(&portrait, &options), log_text(&log, &options)] {
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 80, "{longest}\n{text}");
    }
}
