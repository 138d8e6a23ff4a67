//! What a run that died left behind, and what became of it since: drafts with and without authors, replies that were
//! lost, records that are gone.

use std::time::Duration;

use reachform::cli::exit::Exit;
use reachform::http::{Clock as _, Method};
use reachform::model::Stamp;
use reachform::plan::{Approval, Outcome, Report};
use reachform::sandbox::{Phase, Service};
use serde_json::json;

use crate::scene::manifest;
use crate::world::{World, changed, edit_stamp, elapsed, in_service, outcome, run};

/// With authors and without.
const AUTHORS: [&str; 2] = ["", "authors=no"];

const NEW_VERSION: &str = ":POST /core/agents/*/versions#1";

const PUT_CONFIG: &str = ":PUT /core/agents/*/versions/*#1";

fn stamp(world: &World) -> Stamp {
    Stamp::read(&world.metadata("Agent a")).unwrap().unwrap()
}

fn causes(report: &Report) -> String {
    report.outcomes[0].causes.join(": ")
}

/// A person opens a draft beside ours, a copy of the newest version, and may write something of their own into it.
fn persons_draft(service: &mut Service, is_edited: bool) {
    let id = service.agent_named("Agent a").unwrap().id;
    let draft = service.dashboard_draft(&id).unwrap();
    if is_edited {
        service.dashboard_edit_version(&id, draft, "/agent/instructions", json!("Their own words.")).unwrap();
    }
}

/// Does something on the service once, right after a request of this method whose path ends so.
fn once_after(world: &World, method: Method, end: &'static str, deed: fn(&mut Service)) {
    let done = std::sync::atomic::AtomicBool::new(false);
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_it = request.method == method && request.path.ends_with(end);
        if phase == Phase::After && is_it && !done.swap(true, std::sync::atomic::Ordering::Relaxed) {
            deed(service);
        }
    });
}

#[test]
fn the_draft_of_a_dead_run_is_gone_on_with_wherever_it_died_and_whether_or_not_authors_are_named() {
    for authors in AUTHORS {
        for (phase, at) in [
            (Phase::After, NEW_VERSION),
            (Phase::Before, PUT_CONFIG),
            (Phase::After, PUT_CONFIG),
            (Phase::Before, ":POST /core/agents/*/publish#1"),
        ] {
            let mut world = changed(authors);
            run(async { world.die(phase, at).await });
            assert_eq!(world.versions("Agent a"), [(1, true), (2, false)], "{authors} {phase:?} {at}: it died");
            run(async { world.converge("after the dead run").await });
            assert_eq!(world.versions("Agent a"), [(1, true), (2, true)], "{authors} {phase:?} {at}");
        }
    }
}

#[test]
fn the_first_version_of_a_dead_run_is_gone_on_with_as_well() {
    for authors in AUTHORS {
        let mut world = in_service(authors);
        world.write("a", manifest("a", ""));
        run(async {
            world.die(Phase::After, NEW_VERSION).await;
            world.converge("after the dead run").await;
        });
        assert_eq!(world.versions("Agent a"), [(1, true)], "{authors}");
    }
}

#[test]
fn a_persons_draft_beside_a_dead_runs_is_told_apart_by_its_author_or_by_what_it_holds() {
    // Where nobody is named and both are alike, neither is taken, and both stay drafts.
    for (authors, is_edited, expected) in [
        ("", true, vec![(1, true), (2, true), (3, false)]),
        ("", false, vec![(1, true), (2, true), (3, false)]),
        ("authors=no", true, vec![(1, true), (2, true), (3, false)]),
        ("authors=no", false, vec![(1, true), (2, false), (3, false), (4, true)]),
    ] {
        let mut world = changed(authors);
        run(async { world.die(Phase::After, NEW_VERSION).await });
        world.sandbox.with(|service| persons_draft(service, is_edited));
        run(async { world.converge("after the dead run").await });
        assert_eq!(world.versions("Agent a"), expected, "{authors} {is_edited}");
    }
}

#[test]
fn a_draft_that_stood_before_the_dead_run_or_was_written_over_since_is_not_its_own() {
    let mut before = changed("authors=no");
    before.sandbox.with(|service| persons_draft(service, false));
    run(async {
        before.die(Phase::After, NEW_VERSION).await;
        before.converge("a draft from before").await;
    });
    assert_eq!(before.versions("Agent a"), [(1, true), (2, false), (3, true)]);

    let mut since = changed("authors=no");
    run(async { since.die(Phase::After, PUT_CONFIG).await });
    let id = since.id("Agent a");
    since.sandbox.with(|service| {
        service.dashboard_edit_version(&id, 2, "/agent/max_tool_steps", json!(9)).unwrap();
    });
    run(async { since.converge("a draft that was written over").await });
    assert_eq!(since.versions("Agent a"), [(1, true), (2, false), (3, true)]);
}

#[test]
fn a_version_whose_reply_was_lost_is_found_also_where_no_authors_are_named() {
    for authors in AUTHORS {
        for is_first in [true, false] {
            let mut world = if is_first { in_service(authors) } else { changed(authors) };
            world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
            world.fault(&format!("drop-after{NEW_VERSION}"));
            let report = run(async { world.apply().await });
            assert!(report.is_complete(), "{authors}: {report:#?}");
            let expected = if is_first { vec![(1, true)] } else { vec![(1, true), (2, true)] };
            assert_eq!(world.versions("Agent a"), expected, "{authors}");
        }
    }
}

#[test]
fn a_persons_draft_made_in_the_same_moment_is_not_taken_for_the_version_whose_reply_was_lost() {
    let edited: fn(&mut Service) = |service| persons_draft(service, true);
    let alike: fn(&mut Service) = |service| persons_draft(service, false);
    for (authors, deed) in [("", edited), ("", alike), ("authors=no", edited)] {
        let mut world = changed(authors);
        world.fault(&format!("drop-after{NEW_VERSION}"));
        once_after(&world, Method::Post, "/versions", deed);
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{authors}: {report:#?}");
        assert_eq!(world.versions("Agent a"), [(1, true), (2, true), (3, false)], "{authors}");
    }
    // Where nothing tells them apart, nobody's words are written over.
    let mut world = changed("authors=no");
    world.fault(&format!("drop-after{NEW_VERSION}"));
    once_after(&world, Method::Post, "/versions", alike);
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert_eq!(causes(&report), "the drafts 2, 3 are alike, and none of them says who made it");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false), (3, false)]);
}

/// How long a record of ours may be missing before it is believed.
const PATIENCE: std::ops::Range<Duration> = Duration::from_secs(10)..Duration::from_secs(12);

#[test]
fn an_agent_that_was_deleted_while_its_draft_was_written_is_told_as_gone_after_ten_seconds() {
    let mut world = changed("");
    once_after(&world, Method::Put, "/versions/2", |service| {
        let id = service.agent_named("Agent a").unwrap().id;
        service.dashboard_delete(&id).unwrap();
    });
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    assert_eq!(causes(&report), "the agent is gone: it was deleted meanwhile");
    assert!(PATIENCE.contains(&elapsed(&world, began)), "{:?}", elapsed(&world, began));
}

#[test]
fn a_draft_that_is_not_there_after_ten_seconds_fails_and_nothing_is_published() {
    let mut world = changed("");
    world.fault("404:GET /core/agents/*/versions/2#1+");
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert_eq!(causes(&report), "version 2 is not there");
    assert!(PATIENCE.contains(&elapsed(&world, began)), "{:?}", elapsed(&world, began));
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false)]);
}

#[test]
fn a_create_whose_fate_is_unknown_and_that_left_nothing_is_sent_once_more_after_ten_seconds() {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    world.fault("drop-before:POST /core/agents#1");
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(world.agents(), 1);
    assert!(PATIENCE.contains(&elapsed(&world, began)), "{:?}", elapsed(&world, began));
}

#[test]
fn a_version_whose_fate_is_unknown_and_that_left_nothing_is_asked_for_once_more_after_ten_seconds() {
    let mut world = changed("");
    world.fault(&format!("drop-before{NEW_VERSION}"));
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, true)]);
    assert!(PATIENCE.contains(&elapsed(&world, began)), "{:?}", elapsed(&world, began));
}

#[test]
fn a_version_whose_reply_was_lost_and_that_shows_late_is_waited_for() {
    for eventual in [1, 2, 3, 5] {
        let mut world = changed(&format!("eventual={eventual}"));
        run(async {
            for _ in 0..eventual {
                let _late = world.try_plan().await;
            }
        });
        world.fault(&format!("drop-after{NEW_VERSION}"));
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{eventual}: {report:#?}");
        assert_eq!(world.versions("Agent a"), [(1, true), (2, true)], "{eventual}");
    }
}

#[test]
fn an_agent_whose_reply_was_lost_is_told_apart_from_the_others_in_whatever_order_they_are_listed() {
    for order in ["", "order=asc"] {
        let mut world = in_service(order);
        for key in ["a", "c"] {
            world.write(key, manifest(key, ""));
        }
        run(async { world.apply().await });
        world.write("b", manifest("b", ""));
        world.fault("drop-after:POST /core/agents#1");
        let began = world.clock.now();
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{order}: {report:#?}");
        assert!(elapsed(&world, began) < PATIENCE.start, "{order}: it was found at once");
        assert_eq!((world.agents(), world.versions("Agent b")), (3, vec![(1, true)]), "{order}");
        run(async { world.assert_empty(order).await });
    }
}

#[test]
fn before_publishing_what_was_applied_counts_and_after_it_what_was_intended() {
    for (phase, at, is_published) in [
        (Phase::Before, ":POST /core/agents/*/publish#1", false),
        (Phase::After, ":POST /core/agents/*/publish#1", true),
    ] {
        let mut world = changed("");
        run(async { world.die(phase, at).await });
        world.sandbox.clear_log();
        let plan = run(async { world.plan().await });
        let causes: Vec<&str> =
            plan.changes.iter().flat_map(|change| &change.fields).map(|field| field.cause.as_str()).collect();
        assert_eq!(causes, if is_published { vec![] } else { vec!["pending"] });
        assert_eq!(plan.refreshes.len(), usize::from(is_published));
        // An intent makes the config worth reading, also where the lists alone would settle it.
        let reads = world.sandbox.log().iter().filter(|entry| entry.request.path.contains("/versions/")).count();
        assert!(reads > 0, "{:#?}", world.sandbox.log());
    }
}

#[test]
fn a_dead_run_that_published_is_named_as_the_plan_that_brought_it_about() {
    let mut world = changed("");
    let before = stamp(&world).state.applied.unwrap().plan;
    run(async { world.die(Phase::After, ":POST /core/agents/*/publish#1").await });
    let begun = stamp(&world).state.intent.unwrap().plan;
    run(async { world.converge("after the dead run").await });
    let applied = stamp(&world).state.applied.unwrap().plan;
    assert!(applied == begun && applied != before, "{applied} {begun} {before}");
}

#[test]
fn a_stamp_that_cannot_be_brought_up_to_date_is_told_and_one_that_can_is_not() {
    for (fault, is_told) in [(Some("403:PUT#1+"), true), (None, false)] {
        let mut world = in_service("");
        world.write("a", manifest("a", ""));
        run(async { world.apply().await });
        world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
        run(async { world.die(Phase::Before, NEW_VERSION).await });
        // Git goes back to what is live: the intent of the dead run is all that is left to do.
        world.write("a", manifest("a", ""));
        if let Some(fault) = fault {
            world.fault(fault);
        }
        let report = run(async { world.apply().await });
        let failed: Vec<(&str, Outcome)> =
            report.outcomes.iter().map(|entry| (entry.key.as_str(), entry.outcome)).collect();
        assert_eq!(failed, if is_told { vec![("a", Outcome::Failed)] } else { vec![] }, "{report:#?}");
        assert_eq!(Exit::of_report(&report), if is_told { Exit::Failed } else { Exit::Done }, "{report:#?}");
        assert_eq!(report.wrote, !is_told, "{report:#?}");
    }
}

#[test]
fn a_draft_of_a_dead_run_that_a_person_edited_since_is_left_to_that_person() {
    for at in [NEW_VERSION, PUT_CONFIG] {
        let mut world = changed("");
        run(async { world.die(Phase::After, at).await });
        let id = world.id("Agent a");
        world.sandbox.with(|service| {
            service.dashboard_edit_version(&id, 2, "/agent/instructions", json!("Their own words.")).unwrap();
        });
        run(async { world.converge("a draft that was edited").await });
        assert_eq!(world.versions("Agent a"), [(1, true), (2, false), (3, true)], "{at}");
        let agent = world.sandbox.with(|service| service.agent_named("Agent a").unwrap());
        assert_eq!(agent.versions[1].config["agent"]["instructions"], json!("Their own words."), "{at}");
    }
}

#[test]
fn what_somebody_published_during_an_apply_is_held_by_the_next_one_and_not_overwritten() {
    for authors in AUTHORS {
        let mut world = changed(authors);
        once_after(&world, Method::Put, "/versions/2", |service| {
            let id = service.agent_named("Agent a").unwrap().id;
            service.dashboard_edit(&id, "/agent/max_tool_steps", json!(9)).unwrap();
        });
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Stale, "{authors}: {report:#?}");
        let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
        assert_eq!(outcome(&report, "a"), Outcome::Held, "{authors}: {report:#?}");
        assert_eq!(world.live_config("Agent a")["agent"]["max_tool_steps"], json!(9), "{authors}");
    }
}

#[test]
fn a_service_whose_records_leave_the_versions_out_is_asked_for_them() {
    let mut world = changed("list-versions=no record-versions=no");
    run(async {
        world.die(Phase::After, PUT_CONFIG).await;
        world.converge("after the dead run").await;
    });
    assert_eq!(world.versions("Agent a"), [(1, true), (2, true)]);
}

#[test]
fn a_config_that_was_answered_and_not_written_is_a_failure_and_not_a_rendering() {
    let mut world = changed("");
    world.sandbox.on_request(|phase, _, request, service| {
        // The draft is put back to what it held, by nobody's name.
        if phase == Phase::After && request.method == Method::Put && request.path.ends_with("/versions/2") {
            let id = service.agent_named("Agent a").unwrap().id;
            service.forget_config(&id, 2, 1).unwrap();
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert!(causes(&report).contains("/config/agent/max_tool_steps: it is still what it was before"), "{report:#?}");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false)]);
}

#[test]
fn a_draft_that_somebody_edited_before_it_was_read_back_is_not_published() {
    let mut world = changed("");
    once_after(&world, Method::Put, "/versions/2", |service| {
        let id = service.agent_named("Agent a").unwrap().id;
        service.dashboard_edit_version(&id, 2, "/agent/max_tool_steps", json!(9)).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    assert_eq!(causes(&report), "draft 2 was edited by user_dashboard after this run had written it");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false)]);
}

#[test]
fn words_that_the_principal_of_a_dead_run_published_by_hand_are_a_conflict() {
    for git_goes_on in [false, true] {
        let mut world = in_service("");
        let with = |words: &str| manifest("a", "").replace("You answer the telephone of a clinic.", words);
        world.write("a", with("The first words."));
        run(async { world.apply().await });
        world.write("a", with("The second words."));
        run(async { world.die(Phase::Before, NEW_VERSION).await });
        world.sandbox.with(|service| {
            let id = service.agent_named("Agent a").unwrap().id;
            service.dashboard_edit(&id, "/agent/instructions", json!("Words by hand, of a person.")).unwrap();
            // With a personal token the run works as the person does.
            let person = service.agent_named("Agent a").unwrap().live().unwrap().created_by.clone();
            edit_stamp(service, "Agent a", |stamp| stamp.state.intent.as_mut().unwrap().by = Some(person));
        });
        if git_goes_on {
            world.write("a", with("The third words."));
        }
        let report = run(async { world.try_apply(Approval::Auto).await }).unwrap().unwrap();
        assert_eq!(outcome(&report, "a"), Outcome::Held, "{git_goes_on}: {report:#?}");
        assert_eq!(world.live_config("Agent a")["agent"]["instructions"], json!("Words by hand, of a person."));
    }
}
