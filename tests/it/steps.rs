//! One agent through its steps: what is told, what is left on record where it stops, and what a step must not do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reachform::apply::verify::{Verifier, VerifyInput};
use reachform::http::runtime::Later;
use reachform::http::{Clock, Method, SimulatedClock};
use reachform::model::{Stamp, Verify};
use reachform::plan::{Approval, Event, Outcome, Refusal};
use reachform::sandbox::{Phase, Sandbox};
use reachform::session::SessionError;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use crate::scene::manifest;
use crate::world::{World, causes, changed, elapsed, in_service, outcome, run};

const A: &str = "+15550100001";
const B: &str = "+15550100002";

/// Keeps what an apply tells, in words.
fn listen(world: &mut World) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    world.listener = Arc::new(move |event| {
        kept.lock().unwrap().push(match event {
            Event::Started { address, action } => format!("{address} {}", action.as_str()),
            Event::Step { what, .. } => format!("  {what}"),
            Event::Finished { outcome } => format!("{} ended: {}", outcome.address, outcome.outcome.as_str()),
            Event::Note { message } => message,
        });
    });
    told
}

fn writes(world: &World) -> usize {
    world.sandbox.log().iter().filter(|entry| entry.request.method != Method::Get).count()
}

#[test]
fn every_step_is_told_in_its_order_and_a_lost_reply_as_well() {
    let mut world = changed("");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")).replace("steps: 3", "steps: 4"));
    let told = listen(&mut world);
    world.fault("drop-after:POST /core/agents/*/versions#1");
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    insta::assert_snapshot!(told.lock().unwrap().join("\n"), @r"
    agent.a update
      record what is about to be done
      create a version from version 1
    agent.a: the reply to the new version was lost; version 2 was found
      write its config
      read it back
      publish with inbound +15550100001
      write agent fields, and record what was applied
    agent.a ended: applied
    ");

    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    let told = listen(&mut world);
    world.fault("drop-after:POST /core/agents#1");
    run(async { world.apply().await });
    let told = told.lock().unwrap();
    let note = "agent.a: the answer to the create was lost; the agent was found by what reachform had recorded on it";
    assert!(told.iter().any(|line| line == note), "{told:#?}");
}

#[test]
fn the_steps_that_are_told_are_those_that_the_plan_shows() {
    let number = format!("phone_numbers: {{inbound: [\"{A}\"]}}");
    let more = "phone_numbers: {inbound: []}";
    let steps = manifest("a", more).replace("steps: 3", "steps: 4");
    for (before, after) in [
        (None, manifest("a", &number)),
        (None, "key: a\nname: Agent a\n".to_owned()),
        (Some(manifest("a", more)), manifest("a", &number)),
        (Some(manifest("a", more)), manifest("a", "phone_numbers: {inbound: []}\ndescription: New.")),
        (Some(manifest("a", more)), format!("{steps}verify: {{command: [check]}}\n")),
        (Some(manifest("a", &number)), steps),
    ] {
        let mut world = in_service("");
        if let Some(before) = &before {
            world.write("a", before.clone());
            run(async { world.apply().await });
        }
        world.write("a", after.clone());
        let plan = run(async { world.plan().await });
        let told = listen(&mut world);
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{after}: {report:#?}");
        let told = told.lock().unwrap();
        let told: Vec<&str> = told.iter().filter_map(|line| line.strip_prefix("  ")).collect();
        // Slots are emptied when every agent is done, so that is not a step of one agent.
        let planned = plan.changes[0].steps.iter().map(reachform::plan::Step::describe);
        let planned: Vec<String> = planned.filter(|step| !step.starts_with("empty")).collect();
        assert_eq!(told, planned, "{after}");
    }
}

#[test]
fn the_report_counts_every_request_of_the_run() {
    let mut world = changed("");
    world.fault("503:GET /core/agents/*#1");
    let report = run(async { world.apply().await });
    assert_eq!(report.traffic.requests, world.sandbox.log().len() as u64);
    assert_eq!(report.traffic.retries, 1);
}

#[test]
fn where_it_stopped_is_named_its_lease_dropped_and_its_intent_kept() {
    let mut world = changed("");
    world.fault("403:PUT /core/agents/*/versions/2#1+");
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert_eq!(report.outcomes[0].step.as_deref(), Some("write its config"), "{report:#?}");
    let state = Stamp::read(&world.metadata("Agent a")).unwrap().unwrap().state;
    assert!(state.lease.is_none(), "nobody need wait for a run that has ended: {state:?}");
    assert!(state.intent.is_some(), "the next run goes on with it");
    world.sandbox.clear_faults();
    world.lease_timeout = Duration::ZERO;
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(report.outcomes[0].step, None, "what is done stopped nowhere");
}

#[test]
fn no_step_begins_after_a_signal_and_the_next_run_finishes_the_job() {
    let mut undisturbed = changed("");
    run(async { undisturbed.apply().await });
    let requests = undisturbed.sandbox.log().len();
    let (mut before_writing, mut in_between) = (0, 0);
    for nth in 1..=requests {
        let mut world = changed("");
        let cancel = world.cancel.clone();
        world.sandbox.on_request(move |phase, number, _, _| {
            if phase == Phase::Before && number == nth {
                cancel.cancel();
            }
        });
        let applied = run(async { world.try_apply(Approval::Person).await });
        match applied {
            // Half a list makes a plan with an error, of which nobody applies anything.
            Err(SessionError::Interrupted | SessionError::Service(_)) | Ok(Err(Refusal::NotApplyable)) => {
                assert_eq!(writes(&world), 0, "{nth}");
            }
            Err(error) => panic!("{nth}: {error}"),
            Ok(Err(refusal)) => panic!("{nth}: {refusal:?}"),
            Ok(Ok(report)) => {
                assert!(report.interrupted, "{nth}: {report:#?}");
                match outcome(&report, "a") {
                    Outcome::NotStarted => assert!(!report.wrote && writes(&world) == 0, "{nth}: {report:#?}"),
                    Outcome::Failed if causes(&report, "a").starts_with("interrupted before the step") => {
                        assert!(report.wrote, "{nth}: {report:#?}");
                        assert!(report.outcomes[0].hints.concat().contains("run the same command again"));
                        in_between += 1;
                    }
                    _ => {}
                }
                // The request that was under way, and the lease that is dropped.
                let log = world.sandbox.log();
                let after = log.iter().skip(nth).filter(|entry| entry.request.method != Method::Get).count();
                assert!(after <= 1, "{nth}: {after} writes after the signal: {log:#?}");
            }
        }
        before_writing += usize::from(writes(&world) == 0);
        world.cancel = CancellationToken::new();
        run(async { world.converge(&format!("after a signal at request {nth}")).await });
    }
    assert!(before_writing > 3 && in_between > 2, "{before_writing} {in_between} of {requests}");
}

/// Passes after longer than metadata may be old, while somebody else writes into the metadata.
struct Slow(Sandbox, Arc<SimulatedClock>);

impl Verifier for Slow {
    fn verify<'a>(&'a self, _command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(async {
            self.1.sleep(Duration::from_secs(60)).await;
            self.0.with(|service| {
                let mut metadata = service.agent_named("Agent a").unwrap().metadata;
                metadata["crm"] = json!({"id": 7});
                let fields = Map::from_iter([("metadata".to_owned(), metadata)]);
                service.dashboard_change(&input.agent_id, &fields).unwrap();
            });
            Ok(())
        })
    }
}

#[test]
fn metadata_that_was_read_a_while_ago_is_read_again_before_it_is_written() {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    run(async { world.apply().await });
    let text = manifest("a", "verify: {command: [check]}").replace("max_tool_steps: 3", "max_tool_steps: 4");
    world.write("a", text);
    world.verifier = Arc::new(Slow(world.sandbox.clone(), world.clock.clone()));
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(world.metadata("Agent a")["crm"], json!({"id": 7}), "what others wrote meanwhile stays");
}

#[test]
fn what_is_no_config_is_written_with_the_stamp_and_makes_no_version() {
    let mut world = in_service("");
    world.write("a", manifest("a", "description: One.\nmetadata: {crm: {id: 1}}"));
    run(async { world.apply().await });
    let text = manifest("a", "description: Two.\nactive: false\nmetadata: {crm: {id: 2}, more: x}");
    world.write("a", text.replace("Agent a", "Agent b"));
    run(async { world.converge("agent fields").await });
    let agent = world.sandbox.with(|service| service.agent_named("Agent b").unwrap());
    assert_eq!((agent.description.as_deref(), agent.active), (Some("Two."), false));
    assert_eq!((&agent.metadata["crm"], &agent.metadata["more"]), (&json!({"id": 2}), &json!("x")));
    assert_eq!(world.versions("Agent b"), [(1, true)]);
}

#[test]
fn a_rendering_of_the_service_is_known_to_the_stamp_also_after_a_change_of_other_fields() {
    for refresh in [false, true] {
        let mut world = in_service("strip-text=yes");
        world.options.refresh = refresh;
        // A long text, whose trailing blanks such a service takes away.
        let prompt = format!("{}  ", "A text with blanks at its end. ".repeat(12));
        let text =
            |more: &str| manifest("a", more).replace("You answer the telephone of a clinic.", &format!("\"{prompt}\""));
        world.write("a", text(""));
        run(async { world.converge("with a rendering").await });
        assert_ne!(world.live_config("Agent a")["agent"]["instructions"], json!(prompt), "it was stripped");
        world.write("a", text("description: New."));
        run(async { world.converge("other fields").await });
        let id = world.id("Agent a");
        world.sandbox.with(|service| service.dashboard_edit(&id, "/scorecard_ids", json!(["s1"])).unwrap());
        let plan = run(async { world.plan().await });
        assert!(!plan.summary().has_changes(), "an edit elsewhere makes no drift of a rendering: {:#?}", plan.changes);
    }
}

#[test]
fn the_last_step_says_whether_it_wrote_anything() {
    for (fault, expected, wrote) in [
        ("403", Outcome::Failed, false),
        ("hang-after", Outcome::Unknown, true),
        ("hang-before", Outcome::Unknown, true),
    ] {
        let mut world = in_service("");
        world.write("a", manifest("a", ""));
        run(async { world.apply().await });
        world.write("a", manifest("a", "description: New."));
        world.fault(&format!("{fault}:PUT#1+"));
        let report = run(async { world.apply().await });
        assert_eq!((outcome(&report, "a"), report.wrote), (expected, wrote), "{fault}: {report:#?}");
    }
}

#[test]
fn a_create_that_is_refused_is_not_looked_for_and_has_written_nothing() {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    world.fault("403:POST /core/agents#1+");
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert_eq!((outcome(&report, "a"), report.wrote), (Outcome::Failed, false), "{report:#?}");
    assert_eq!((writes(&world), elapsed(&world, began)), (1, Duration::ZERO));
}

#[test]
fn one_draft_at_a_time_a_draft_older_than_the_live_version_is_never_written_over() {
    let mut world = changed("drafts=one");
    let id = world.id("Agent a");
    let config = world.live_config("Agent a");
    world.sandbox.with(|service| {
        service.dashboard_draft(&id).unwrap();
        service.dashboard_release(&id, config).unwrap();
    });
    world.apply.replace_draft = [reachform::model::Key::parse("a").unwrap()].into();
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert!(report.outcomes[0].hints.concat().contains("older than the live version"), "{report:#?}");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false), (3, true)]);
}

#[test]
fn a_version_that_is_refused_for_another_reason_is_not_a_draft_in_the_way() {
    let mut world = changed("");
    let id = world.id("Agent a");
    world.sandbox.with(|service| service.dashboard_draft(&id).unwrap());
    world.fault("403:POST /core/agents/*/versions#1+");
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert!(causes(&report, "a").contains("403"), "{report:#?}");
}

#[test]
fn a_draft_of_ours_that_a_person_edited_is_theirs_also_where_it_reads_as_before() {
    let mut world = changed("drafts=one");
    let id = world.id("Agent a");
    run(async {
        let writer = world.outside().writer();
        writer.create_version(&id, reachform::api::VersionSource::Base(1)).await.unwrap();
    });
    world.sandbox.with(|service| {
        service.dashboard_edit_version(&id, 2, "/agent/max_tool_steps", json!(9)).unwrap();
        service.dashboard_edit_version(&id, 2, "/agent/max_tool_steps", json!(3)).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert_eq!(causes(&report, "a"), "draft 2 by user_dashboard has to be published or discarded first");
}

#[test]
fn a_draft_that_cannot_be_published_is_not_published_as_a_copy() {
    for status in ["400", "403", "409"] {
        let mut world = changed("");
        world.fault(&format!("{status}:POST /core/agents/*/publish#1+"));
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Failed, "{status}: {report:#?}");
        assert!(causes(&report, "a").starts_with("publishing version 2 with its numbers failed"));
        assert_eq!(report.outcomes[0].draft, Some(2), "{status}: the report names the draft");
        assert_eq!(world.versions("Agent a"), [(1, true), (2, false)], "{status}");
    }
}

/// A world in which a number is to come to an agent whose config stays as it is.
fn with_a_number_to_come(behaviour: &str) -> World {
    let mut world = in_service(behaviour);
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    run(async { world.apply().await });
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    world
}

#[test]
fn a_number_that_the_service_does_not_give_is_left_behind_and_no_copy_is_made_for_it() {
    let mut world = with_a_number_to_come("");
    world.fault("403:POST /core/agents/*/publish#1+");
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert_eq!(report.outcomes[0].left_behind, [format!("{A} inbound (it points at no agent)")]);
    assert_eq!(world.versions("Agent a"), [(1, true)]);
}

#[test]
fn a_service_that_publishes_once_is_said_to_be_one_and_makes_no_version_for_numbers_that_it_cannot_hold() {
    let mut world = in_service("republish=refuse");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"], outbound: [\"{B}\"]}}")));
    for _ in 0..3 {
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
        assert!(causes(&report, "a").contains("publishes a version only once"), "{}", causes(&report, "a"));
        assert_eq!(world.versions("Agent a"), [(1, true)]);
        assert!(report.needs_a_hand(), "another run cannot do it either: {report:#?}");
    }
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
}

#[test]
fn what_a_dead_run_wrote_into_its_draft_is_no_copy_for_a_number() {
    // The dead run was to change the config, which has been taken back in Git since: only a number is to come.
    let mut world = with_a_number_to_come("republish=refuse");
    let number = world.files["agents/a.yaml"].clone();
    world.write("a", number.replace("max_tool_steps: 3", "max_tool_steps: 4"));
    run(async { world.die(Phase::Before, ":POST /core/agents/*/publish#1").await });
    world.write("a", number);
    run(async { world.converge("a copy of what is live").await });
    assert_eq!(world.live_config("Agent a")["agent"]["max_tool_steps"], json!(3));
    assert_eq!(world.holder(A, "inbound").as_deref(), Some("Agent a"));
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false), (3, true)]);
}

#[test]
fn the_copy_that_a_dead_run_made_for_a_number_is_gone_on_with() {
    for drafts in ["", " drafts=one"] {
        let mut world = with_a_number_to_come(&format!("republish=refuse{drafts}"));
        run(async { world.die(Phase::After, ":POST /core/agents/*/versions#1").await });
        run(async { world.converge("the copy of the dead run").await });
        assert_eq!(world.versions("Agent a"), [(1, true), (2, true)], "{drafts}");
    }
}

#[test]
fn a_copy_for_a_number_is_not_published_over_what_went_live_meanwhile() {
    let mut world = with_a_number_to_come("republish=refuse");
    world.sandbox.on_request(|phase, _, request, service| {
        let is_copy = request.method == Method::Post && request.path.ends_with("/versions");
        if phase == Phase::After && is_copy {
            let agent = service.agent_named("Agent a").unwrap();
            let mut config = agent.live().unwrap().config.clone();
            config["agent"]["max_tool_steps"] = json!(9);
            service.dashboard_release(&agent.id, config).unwrap();
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    assert_eq!(causes(&report, "a"), "the live version changed meanwhile: it is version 3, by user_dashboard");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false), (3, true)], "the copy stays a draft");
    assert_eq!(world.holder(A, "inbound"), None);
}

#[test]
fn a_new_agent_goes_on_after_ten_seconds_where_the_list_that_might_show_its_elder_cannot_be_read() {
    let mut undisturbed = in_service("");
    undisturbed.write("a", manifest("a", ""));
    run(async { undisturbed.apply().await });
    let log = undisturbed.sandbox.log();
    let creates = log.iter().position(|entry| entry.request.name() == "POST /core/agents").unwrap();
    let lists = |entries: &[reachform::sandbox::LogEntry]| {
        entries.iter().filter(|entry| entry.request.name() == "GET /core/agents").count()
    };
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    world.fault(&format!("403:GET /core/agents#{}+", lists(&log[..creates]) + 1));
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert_eq!(world.versions("Agent a"), [(1, true)], "{report:#?}");
    let waited = elapsed(&world, began);
    assert!((Duration::from_secs(10)..Duration::from_secs(12)).contains(&waited), "{waited:?}");
}
