//! Single mishaps in an apply, and what exactly it does about each.

use std::time::Duration;

use reachform::model::Stamp;
use reachform::plan::{Approval, Outcome, Report};
use reachform::sandbox::Fault;
use serde_json::{Map, Value, json};

use crate::scene::manifest;
use crate::world::{World, changed, in_service, outcome, run, two_at_once};

const A: &str = "+15550100001";
const B: &str = "+15550100002";

fn apply_with(world: &mut World, fault: &str) -> Report {
    world.sandbox.add_fault(Fault::parse(fault).unwrap());
    let report = run(async { world.try_apply(Approval::Person).await }).unwrap().unwrap();
    world.sandbox.clear_faults();
    report
}

fn asked(world: &World, name: &str) -> usize {
    world.sandbox.log().iter().filter(|entry| entry.request.name() == name).count()
}

fn stamp(world: &World) -> Stamp {
    Stamp::read(&world.metadata("Agent a")).unwrap().unwrap()
}

#[test]
fn slots_are_emptied_only_where_no_assignment_failed_anywhere() {
    let mut world = in_service("");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    world.write("b", manifest("b", "phone_numbers: {inbound: []}"));
    run(async { world.apply().await });
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    world.write("b", manifest("b", &format!("phone_numbers: {{inbound: [\"{B}\"]}}")));
    let b = world.id("Agent b");
    let report = apply_with(&mut world, &format!("400:POST /core/agents/{b}/versions/*/publish#1+"));
    assert_eq!((outcome(&report, "a"), outcome(&report, "b")), (Outcome::Skipped, Outcome::Failed), "{report:#?}");
    assert_eq!(world.holder(A, "inbound").as_deref(), Some("Agent a"), "it rings where it rang");
    let failed = report.outcomes.iter().find(|entry| entry.key.as_str() == "b").unwrap();
    assert_eq!(
        failed.left_behind,
        [format!("{B} inbound (it points at no agent)")],
        "the report says which numbers did not come"
    );
    run(async { world.converge("without the fault").await });
    assert_eq!(world.holder(A, "inbound"), None);
}

#[test]
fn a_create_that_shows_late_is_found_and_not_sent_again() {
    let mut world = in_service("eventual=2");
    world.write("a", manifest("a", ""));
    let report = apply_with(&mut world, "drop-after:POST /core/agents#1");
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!((asked(&world, "POST /core/agents"), world.agents()), (1, 1));
}

#[test]
fn a_record_of_ours_that_is_not_found_is_asked_for_again() {
    let mut world = changed("");
    let id = world.id("Agent a");
    let report = apply_with(&mut world, &format!("404:GET /core/agents/{id}#1"));
    assert!(report.is_complete(), "{report:#?}");
}

#[test]
fn what_was_written_and_shows_late_is_not_taken_for_the_services_own_rendering() {
    for reads in [1, 2, 3, 4] {
        let mut world = changed(&format!("eventual={reads}"));
        run(async {
            for _ in 0..reads {
                let _late = world.try_plan().await;
            }
            let report = world.apply().await;
            assert!(report.is_complete(), "{reads}: {report:#?}");
            assert!(report.outcomes.iter().all(|entry| entry.rewritten.is_empty()), "{reads}: {report:#?}");
        });
    }
}

#[test]
fn a_found_draft_that_still_shows_what_was_there_before_its_config_was_written_is_asked_for_again() {
    for reads in [1, 2, 3] {
        let mut world = changed(&format!("eventual={reads}"));
        run(async {
            for _ in 0..reads {
                let _late = world.try_plan().await;
            }
        });
        // The reply to the new version is lost, so it is looked at before its config is written.
        let report = apply_with(&mut world, "drop-after:POST /core/agents/*/versions#1");
        assert!(report.is_complete(), "{reads}: {report:#?}");
        assert!(report.outcomes.iter().all(|entry| entry.rewritten.is_empty()), "{reads}: {report:#?}");
        assert_eq!(world.live_config("Agent a")["agent"]["max_tool_steps"], json!(4));
    }
}

#[test]
fn a_write_of_unknown_fate_counts_as_written() {
    let mut world = changed("");
    let report = apply_with(&mut world, "hang-after:PUT#1+");
    assert_eq!(outcome(&report, "a"), Outcome::Unknown, "{report:#?}");
    assert!(report.wrote);
}

#[test]
fn a_write_that_was_refused_counts_as_none() {
    let mut world = changed("");
    let report = apply_with(&mut world, "403:PUT#1+");
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert!(!report.wrote);
}

#[test]
fn a_plan_that_was_begun_and_published_nothing_does_not_claim_what_is_in_place() {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    run(async { world.apply().await });
    let claimed = stamp(&world).state.applied.unwrap().plan;
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    let report = apply_with(&mut world, "403:POST /core/agents/*/versions#1+");
    assert_eq!(outcome(&report, "a"), Outcome::Failed);
    let begun = stamp(&world).state.intent.unwrap().plan;
    assert_ne!(begun, claimed);
    // Git goes back to what is live: nothing is to do but to take the intent away.
    world.write("a", manifest("a", ""));
    run(async { world.converge("gone back").await });
    let after = stamp(&world).state;
    assert_eq!((after.applied.unwrap().plan, after.intent), (claimed, None));
}

#[test]
fn one_draft_at_a_time_a_persons_draft_blocks_and_stays() {
    let mut world = changed("drafts=one");
    let id = world.id("Agent a");
    let draft = world.sandbox.with(|service| service.dashboard_draft(&id).unwrap());
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    let kept = world.sandbox.with(|service| service.agent_named("Agent a").unwrap());
    let kept = kept.versions.iter().find(|version| version.number == draft).unwrap();
    assert_eq!(kept.config["agent"]["max_tool_steps"], json!(3), "it was not written over");
    world.apply.replace_draft = [reachform::model::Key::parse("a").unwrap()].into();
    run(async { world.converge("told to").await });
}

#[test]
fn one_draft_at_a_time_another_commits_draft_of_ours_blocks_and_an_untouched_one_is_gone_on_with() {
    for (steps, expected) in [(3, Outcome::Applied), (4, Outcome::Applied), (8, Outcome::Blocked)] {
        let mut world = changed("drafts=one");
        let id = world.id("Agent a");
        run(async {
            let writer = world.outside().writer();
            let made = writer.create_version(&id, reachform::api::VersionSource::Base(1)).await.unwrap();
            let mut config = made.config;
            config["agent"]["max_tool_steps"] = json!(steps);
            writer.put_config(&id, made.head.version, &config).await.unwrap();
        });
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), expected, "{steps}: {report:#?}");
    }
}

#[test]
fn an_older_draft_of_ours_is_not_taken_for_a_version_whose_reply_was_lost() {
    let mut world = changed("");
    let id = world.id("Agent a");
    run(async {
        let writer = world.outside().writer();
        writer.create_version(&id, reachform::api::VersionSource::Base(1)).await.unwrap();
    });
    let report = apply_with(&mut world, "drop-before:POST /core/agents/*/versions#1");
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false), (3, true)]);
}

/// A second, bare agent with the stamp of the first, as two first applies at once leave it.
async fn make_twin(world: &World) -> String {
    let mut stamp = world.metadata("Agent a");
    stamp["reachform"]["agent"] = Value::Null;
    let body = Map::from_iter([("name".to_owned(), json!("Agent a")), ("metadata".to_owned(), stamp)]);
    world.outside().writer().create_agent(&body).await.unwrap().agent.id
}

#[test]
fn a_twin_that_has_a_version_is_named_and_left() {
    run(async {
        let mut world = in_service("");
        world.write("a", manifest("a", ""));
        world.converge("create").await;
        let twin = make_twin(&world).await;
        let config = world.live_config("Agent a");
        world.outside().writer().create_version(&twin, reachform::api::VersionSource::Config(&config)).await.unwrap();
        let report = world.apply().await;
        assert!(report.notices.iter().all(|notice| notice.code != "twin-removed"), "{report:#?}");
        assert_eq!(world.agents(), 2);
    });
}

/// A world with a bare twin, and what is done to the twin just before the apply looks at it for the last time.
async fn with_twin(deed: impl Fn(&mut reachform::sandbox::Service, &str) + Send + Sync + 'static) -> (World, Report) {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    world.converge("create").await;
    let twin = make_twin(&world).await;
    let path = format!("/core/agents/{twin}");
    assert_eq!(world.plan().await.twins.len(), 1);
    let done = std::sync::atomic::AtomicBool::new(false);
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_last_look = phase == reachform::sandbox::Phase::Before && request.path == path;
        if is_last_look && !done.swap(true, std::sync::atomic::Ordering::Relaxed) {
            deed(service, &twin);
        }
    });
    let report = world.apply().await;
    (world, report)
}

#[test]
fn a_twin_that_becomes_something_else_just_before_it_would_be_removed_is_left() {
    let config: Value = serde_yaml::from_str(crate::scene::CONFIG).unwrap();
    let restamped = |field: &'static str| {
        move |service: &mut reachform::sandbox::Service, twin: &str| {
            let mut metadata = service.agents().into_iter().find(|agent| agent.id == twin).unwrap().metadata;
            metadata["reachform"][field] = json!("other");
            service.dashboard_change(twin, &Map::from_iter([("metadata".to_owned(), metadata)])).unwrap();
        }
    };
    run(async {
        let (world, report) = with_twin(move |service, twin| {
            service.dashboard_release(twin, config.clone()).unwrap();
        })
        .await;
        assert!(report.notices.iter().all(|notice| notice.code != "twin-removed"), "{report:#?}");
        assert_eq!(world.agents(), 2, "it has a version now");
        for field in ["key", "project", "environment", "agent"] {
            let (world, report) = with_twin(restamped(field)).await;
            assert!(report.notices.iter().all(|notice| notice.code != "twin-removed"), "{field}: {report:#?}");
            assert_eq!(world.agents(), 2, "its stamp names another {field} now");
        }
        let (world, report) = with_twin(|_, _| {}).await;
        assert!(report.notices.iter().any(|notice| notice.code == "twin-removed"), "{report:#?}");
        assert_eq!(world.agents(), 1, "nothing happened to it");
    });
}

#[test]
fn two_applies_started_together_end_with_one_winner_and_a_true_report_from_both() {
    for behind in [0, 10, 60, 130, 400] {
        let mut world = in_service("");
        world.write("a", manifest("a", ""));
        world.write("b", manifest("b", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
        run(async { world.apply().await });
        for key in ["a", "b", "c"] {
            world.write(key, manifest(key, "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
        }
        let reports = two_at_once(&world, Duration::from_millis(behind));
        for key in ["a", "b", "c"] {
            let applied = reports.iter().filter(|report| {
                report.outcomes.iter().any(|entry| entry.key.as_str() == key && entry.outcome == Outcome::Applied)
            });
            assert_eq!(applied.count(), 1, "{behind} ms: one of them applied {key}: {reports:#?}");
        }
        assert_eq!(world.agents(), 3, "{behind} ms");
        run(async { world.assert_empty(&format!("{behind} ms")).await });
    }
}

#[test]
fn where_a_copy_is_needed_for_a_number_a_standing_draft_blocks_in_words() {
    let mut world = in_service("republish=refuse drafts=one");
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    run(async { world.apply().await });
    let id = world.id("Agent a");
    world.sandbox.with(|service| service.dashboard_draft(&id).unwrap());
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    world.apply.replace_draft = [reachform::model::Key::parse("a").unwrap()].into();
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Blocked, "{report:#?}");
    assert!(report.outcomes[0].causes.concat().contains("has to be published or discarded first"), "{report:#?}");
}

/// Does something on the service once, right after a publish.
fn once_published(world: &World, deed: impl Fn(&mut reachform::sandbox::Service) + Send + Sync + 'static) {
    let done = std::sync::atomic::AtomicBool::new(false);
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_publish = phase == reachform::sandbox::Phase::After && request.path.ends_with("/publish");
        if is_publish && !done.swap(true, std::sync::atomic::Ordering::Relaxed) {
            deed(service);
        }
    });
}

#[test]
fn a_version_that_was_edited_while_it_was_published_has_failed_and_is_not_claimed() {
    let mut world = changed("");
    let id = world.id("Agent a");
    once_published(&world, move |service| {
        service.dashboard_edit_version(&id, 2, "/agent/instructions", json!("Somebody else's words.")).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert!(report.outcomes[0].causes.concat().contains("edited while it was published"), "{report:#?}");
    let plan = run(async { world.plan().await });
    assert!(plan.summary().has_changes(), "the next plan shows it");
    run(async { world.converge("once more").await });
}

/// Two agents in place, and a change that gives a number to the first.
fn about_to_take_a_number() -> (World, String) {
    let mut world = in_service("");
    world.write("a", manifest("a", "phone_numbers: {inbound: []}"));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    let other = world.id("Agent b");
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{A}\"]}}")));
    (world, other)
}

#[test]
fn a_number_that_holds_what_the_plan_found_after_it_was_assigned_is_sent_once_more() {
    let (mut world, _) = about_to_take_a_number();
    once_published(&world, move |service| {
        service.forget_move(A, reachform::sandbox::Direction::Inbound, None).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Applied, "{report:#?}");
    assert_eq!(world.holder(A, "inbound").as_deref(), Some("Agent a"));
}

#[test]
fn a_number_that_holds_what_the_plan_found_each_time_is_unverified_and_named() {
    let (mut world, _) = about_to_take_a_number();
    world.sandbox.on_request(move |phase, _, request, service| {
        if phase == reachform::sandbox::Phase::After && request.path.ends_with("/publish") {
            service.forget_move(A, reachform::sandbox::Direction::Inbound, None).unwrap();
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Unverified, "{report:#?}");
    assert!(report.outcomes[0].causes.concat().contains(A), "{report:#?}");
}

#[test]
fn a_number_that_somebody_gave_to_another_agent_is_left_there_and_the_agent_is_stale() {
    // Just before it is published, and just after.
    for (phase, end) in
        [(reachform::sandbox::Phase::After, "/core/agents/A"), (reachform::sandbox::Phase::After, "/publish")]
    {
        let (mut world, other) = about_to_take_a_number();
        let path = end.replace('A', &world.id("Agent a"));
        let done = std::sync::atomic::AtomicBool::new(false);
        world.sandbox.on_request(move |at, _, request, service| {
            let is_it = at == phase && request.method.as_str() != "GET" && request.path.ends_with(&path);
            if is_it && !done.swap(true, std::sync::atomic::Ordering::Relaxed) {
                service.dashboard_assign(A, reachform::sandbox::Direction::Inbound, Some(&other)).unwrap();
            }
        });
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Stale, "{end}: {report:#?}");
        assert!(report.outcomes[0].causes.concat().contains(A), "{end}: {report:#?}");
        assert_eq!(world.holder(A, "inbound").as_deref(), Some("Agent b"), "{end}");
    }
}

#[test]
fn a_version_that_somebody_publishes_above_ours_is_left_live_with_its_numbers() {
    // The agent `a` is done when the number of `b` is still to be published.
    for deed in ["edit", "publish"] {
        let mut world = in_service("");
        let numbers = format!("phone_numbers: {{inbound: [\"{A}\"]}}");
        world.write("a", manifest("a", &numbers));
        run(async { world.apply().await });
        world.write("a", manifest("a", &numbers).replace("max_tool_steps: 3", "max_tool_steps: 4"));
        let id = world.id("Agent a");
        let stamped = format!("/core/agents/{id}");
        let seen = std::sync::atomic::AtomicUsize::new(0);
        world.sandbox.on_request(move |phase, _, request, service| {
            let end = if deed == "edit" { stamped.as_str() } else { "/publish" };
            let is_it = phase == reachform::sandbox::Phase::After
                && request.method.as_str() != "GET"
                && request.path.ends_with(end);
            let nth = usize::from(deed == "edit");
            if is_it && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == nth {
                service.dashboard_edit(&id, "/agent/max_tool_steps", serde_json::json!(9)).unwrap();
            }
        });
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Stale, "{deed}: {report:#?}");
        let causes = report.outcomes[0].causes.concat();
        assert!(causes.contains("version 3 was published by user_dashboard"), "{deed}: {causes}");
        assert_eq!(report.outcomes[0].version, Some(3), "{deed}: what is live is what was seen last");
        let slots = world.sandbox.with(|service| service.slots());
        assert_eq!(slots[A].inbound.as_ref().map(|pointer| pointer.version), Some(3), "{deed}: left where it was put");
        assert_eq!(world.live_config("Agent a")["agent"]["max_tool_steps"], serde_json::json!(9), "{deed}");
    }
}

#[test]
fn a_version_that_was_published_only_by_word_is_not_called_live() {
    let mut world = changed("");
    once_published(&world, |service| {
        let id = service.agent_named("Agent a").unwrap().id;
        service.forget_publish(&id, 2).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert_eq!(report.outcomes[0].draft, Some(2), "{report:#?}");
    assert_eq!(report.outcomes[0].version, Some(1), "{report:#?}");
}

#[test]
fn where_the_closing_reading_fails_what_was_applied_is_unverified() {
    let mut world = changed("");
    // The lists of agents after publishing are those of the closing reading.
    let mut undisturbed = world.fork();
    run(async { undisturbed.apply().await });
    let log = undisturbed.sandbox.log();
    let before = log.iter().take_while(|entry| !entry.request.path.ends_with("/publish"));
    let lists = before.filter(|entry| entry.request.name() == "GET /core/agents").count();
    let report = apply_with(&mut world, &format!("403:GET /core/agents#{}+", lists + 1));
    assert_eq!(outcome(&report, "a"), Outcome::Unverified, "{report:#?}");
    run(async { world.assert_empty("it was applied all the same").await });
}

#[test]
fn a_value_in_whose_place_the_service_keeps_another_is_said_with_both_until_they_agree() {
    let mut world = in_service("");
    let voices = "{provider: elevenlabs, model: {name: eleven_flash_v2_5, parameters: {voice_id: theirs-a, voice_ids: [kept-b, theirs-a]}}}";
    let text =
        manifest("a", "").replace("{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}", voices);
    world.write("a", text);
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    let options = reachform::render::text::TextOptions::default();
    let said = reachform::render::text::report_text(&report, None, &options);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(r#""theirs-a" was sent, and the service keeps "kept-b""#), "{said}");
    run(async { world.assert_empty("the service takes the first voice").await });
    for refresh in [false, true] {
        world.options.refresh = refresh;
        let plan = run(async { world.plan().await });
        assert!(!plan.summary().has_changes());
        let told: Vec<&str> = plan.notices.iter().map(|notice| notice.message.as_str()).collect();
        assert!(told.concat().contains("the service keeps"), "{refresh}: {told:?}");
        let text = reachform::render::text::plan_text(&plan, &reachform::render::text::TextOptions::default());
        assert!(!text.contains("What is live is what the manifests declare"), "{text}");
    }
    let drift = run(async { world.drift().await });
    assert!(drift.notices.iter().any(|notice| notice.code == reachform::plan::REWRITTEN), "{:#?}", drift.notices);
}

#[test]
fn an_apply_that_only_updates_what_is_recorded_says_so() {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    run(async { world.apply().await });
    world.write("a", manifest("a", "protect: true"));
    let report = run(async { world.apply().await });
    assert!(report.outcomes.is_empty() && report.wrote, "{report:#?}");
    let text = reachform::render::text::report_text(&report, None, &reachform::render::text::TextOptions::default());
    assert!(text.contains("what reachform records on agent.a was updated, and nothing else of it"), "{text}");
}

#[test]
fn a_secret_that_reads_back_masked_and_a_null_that_is_left_out_are_not_rewritten_and_what_is_beside_them_is() {
    for (behaviour, region, is_rewritten) in [
        ("secrets=mask-tail empty-values=drop", "r", false),
        ("secrets=mask empty-values=drop", "r", false),
        ("secrets=mask", "theirs-a", true),
    ] {
        let mut world = in_service(behaviour);
        world.secrets.insert("BUCKET".to_owned(), "AKIA-0123456789-abcdefgh".to_owned());
        let recordings = "config:\n    custom_recording_locations: [{provider: s3, bucket: b, region: r, file_type: null, \
                          access_key: !secret BUCKET, secret_access_key: !secret BUCKET}]";
        // A list with a value that the service keeps otherwise, beside the list with the secret.
        let voices = format!(
            "{{provider: elevenlabs, model: {{name: eleven_flash_v2_5, parameters: {{voice_id: {region}, voice_ids: [r, theirs-a]}}}}}}"
        );
        let text = manifest("a", "").replace("config:", recordings);
        world
            .write("a", text.replace("{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}", &voices));
        let report = run(async { world.apply().await });
        assert!(report.is_complete(), "{report:#?}");
        let rewritten: Vec<String> = report.outcomes[0].rewritten.iter().map(|entry| entry.path.to_string()).collect();
        assert!(rewritten.iter().all(|path| path.ends_with("/voice_id")), "{behaviour}: {rewritten:?}");
        assert_eq!(!rewritten.is_empty(), is_rewritten, "{behaviour}: {rewritten:?}");
        for refresh in [false, true] {
            world.options.refresh = refresh;
            let plan = run(async { world.plan().await });
            assert!(!plan.summary().has_changes());
            let told = plan.notices.iter().filter(|notice| notice.code == reachform::plan::REWRITTEN);
            let told: Vec<&str> = told.map(|notice| notice.message.as_str()).collect();
            let wanted = "/config/agent/stack/tts/models/0/model/parameters/voice_id: the manifest declares \
                          \"theirs-a\", and the service keeps \"r\"";
            let expected: &[&str] = if is_rewritten { &[wanted] } else { &[] };
            assert_eq!(told, expected, "{behaviour}");
        }
    }
}
