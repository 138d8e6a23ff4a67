//! What the service answered that it wrote, and what others do to an agent during the run: a report says what was seen.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reachform::http::Method;
use reachform::model::stamp::STAMP_KEY;
use reachform::plan::{Approval, Outcome, approve, recheck};
use reachform::sandbox::{Fault, Phase, Service};
use serde_json::{Map, Value, json};

use crate::scene::manifest;
use crate::world::{World, causes, changed, in_service, outcome, run};

const A: &str = "+15550100001";

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Does something just after the first answered request of a method to a path that ends so.
fn once_after(world: &World, method: Method, end: String, deed: impl Fn(&mut Service) + Send + Sync + 'static) {
    let done = AtomicBool::new(false);
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_it = phase == Phase::After && request.method == method && request.path.ends_with(&end);
        if is_it && !done.swap(true, Ordering::Relaxed) {
            deed(service);
        }
    });
}

#[test]
fn fields_of_an_agent_that_the_service_did_not_keep_have_failed_and_are_nobody_elses_change() {
    let mut world = in_service("");
    world.write("a", manifest("a", "description: Old.\nactive: true"));
    run(async { world.apply().await });
    world.write("a", manifest("a", "description: New.\nactive: false"));
    let id = world.id("Agent a");
    let is_lost = std::sync::Arc::new(AtomicBool::new(true));
    let lost = is_lost.clone();
    world.sandbox.on_request(move |phase, _, request, service| {
        let is_write = phase == Phase::After && request.method == Method::Put && request.path.ends_with(&id);
        if is_write && lost.load(Ordering::Relaxed) {
            service.forget_fields(&id, &fields(&json!({"description": "Old.", "active": true}))).unwrap();
        }
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    let said = causes(&report, "a");
    assert!(said.contains(r#"`description` was sent as "New." and reads back as "Old.""#), "{said}");
    assert!(said.contains("`active` was sent as false and reads back as true"), "{said}");
    let drift = run(async { world.drift().await });
    assert!(drift.agents.is_empty(), "nobody else changed anything: {drift:#?}");
    is_lost.store(false, Ordering::Relaxed);
    run(async { world.converge("once it is kept").await });
    let agent = world.sandbox.with(|service| service.agent_named("Agent a").unwrap());
    assert_eq!((agent.description.as_deref(), agent.active), (Some("New."), false));
}

#[test]
fn fields_of_a_new_agent_that_the_service_did_not_keep_have_failed() {
    let mut world = in_service("");
    world.write("a", manifest("a", "active: false"));
    once_after(&world, Method::Post, "/core/agents".to_owned(), |service| {
        let id = service.agent_named("Agent a").unwrap().id;
        service.forget_fields(&id, &fields(&json!({"active": true}))).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    run(async { world.converge("the next run writes it").await });
    assert!(!world.sandbox.with(|service| service.agent_named("Agent a").unwrap().active));
}

#[test]
fn a_rotated_secret_whose_write_was_lost_is_not_published_and_neither_secret_is_shown() {
    let mut world = in_service("");
    world.secrets.insert("BUCKET".to_owned(), "first-0123456789-abcdefgh".to_owned());
    let recordings = "config:\n    custom_recording_locations: [{provider: s3, bucket: b, region: r, \
                      access_key: !secret BUCKET, secret_access_key: !secret BUCKET}]";
    world.write("a", manifest("a", "").replace("config:", recordings));
    run(async { world.apply().await });
    world.secrets.insert("BUCKET".to_owned(), "second-9876543210-zyxwvuts".to_owned());
    let id = world.id("Agent a");
    once_after(&world, Method::Put, "/versions/2".to_owned(), move |service| {
        service.forget_config(&id, 2, 1).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Failed, "{report:#?}");
    assert_eq!(world.versions("Agent a"), [(1, true), (2, false)]);
    let said = format!("{report:#?}");
    assert!(said.contains("secret_access_key"), "{said}");
    assert!(!said.contains("first-0123") && !said.contains("second-9876"), "{said}");
    run(async { world.converge("once it is kept").await });
    assert_eq!(
        world.live_config("Agent a")["custom_recording_locations"][0]["access_key"],
        json!("second-9876543210-zyxwvuts")
    );
}

#[test]
fn an_agent_that_is_switched_off_or_loses_its_record_during_the_run_is_not_reported_as_applied() {
    for (change, wanted) in [
        (json!({"active": false}), "the agent was switched off during this run, by user_dashboard"),
        (json!({"metadata": {}}), "what reachform records on the agent was removed during this run, by user_dashboard"),
        (json!({"name": "Theirs"}), "the agent was changed by user_dashboard after this run had written it"),
    ] {
        let mut world = changed("");
        let id = world.id("Agent a");
        let writes = AtomicUsize::new(0);
        let theirs = fields(&change);
        world.sandbox.on_request(move |phase, _, request, service| {
            let is_write = phase == Phase::After && request.method == Method::Put && request.path.ends_with(&id);
            // The intent is the first writing of the agent, the stamp of what was done the second and last.
            if is_write && writes.fetch_add(1, Ordering::Relaxed) == 1 {
                service.dashboard_change(&id, &theirs).unwrap();
            }
        });
        let report = run(async { world.apply().await });
        assert_eq!(outcome(&report, "a"), Outcome::Stale, "{wanted}: {report:#?}");
        assert!(causes(&report, "a").starts_with(wanted), "{report:#?}");
        let name = if wanted.contains("was changed by") { "Theirs" } else { "Agent a" };
        assert_eq!(world.metadata(name).get(STAMP_KEY).is_none(), wanted.contains("records"), "left alone");
    }
}

/// An agent whose number is in place, and a change to it that takes the number along.
fn with_a_number_in_place() -> World {
    let mut world = in_service("");
    let numbers = format!("phone_numbers: {{inbound: [\"{A}\"]}}");
    world.write("a", manifest("a", &numbers));
    run(async { world.apply().await });
    world.write("a", manifest("a", &numbers).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world
}

#[test]
fn a_number_that_somebody_elses_version_took_along_is_said_to_be_there() {
    let mut world = with_a_number_in_place();
    let id = world.id("Agent a");
    once_after(&world, Method::Put, format!("/core/agents/{id}"), move |service| {
        service.dashboard_edit(&id, "/agent/max_tool_steps", json!(9)).unwrap();
    });
    let report = run(async { world.apply().await });
    assert_eq!(outcome(&report, "a"), Outcome::Stale, "{report:#?}");
    let left = &report.outcomes[0].left_behind;
    let slot = world.sandbox.with(|service| service.slots()[A].inbound.as_ref().map(|pointer| pointer.version));
    assert_eq!(*left, [format!("{A} inbound (it points at v{})", slot.unwrap())], "{report:#?}");
}

#[test]
fn after_a_publish_that_nothing_could_be_read_behind_the_version_may_be_live_and_numbers_are_not_confirmed() {
    let mut world = with_a_number_in_place();
    let sandbox = world.sandbox.clone();
    world.listener = std::sync::Arc::new(move |event| {
        if let reachform::plan::Event::Step { what, .. } = event
            && what.starts_with("publish")
        {
            for fault in ["403:GET /core/agents/*#1+", "403:GET /core/agents#1+", "403:GET /core/phone-numbers/*#1+"] {
                sandbox.add_fault(Fault::parse(fault).unwrap());
            }
        }
    });
    let report = run(async { world.apply().await });
    let entry = &report.outcomes[0];
    assert!(!entry.outcome.is_in_place(), "{report:#?}");
    assert!(entry.causes.iter().any(|cause| cause.starts_with("version 2 may be live")), "{report:#?}");
    assert_eq!(entry.draft, None, "it is not said to be a draft: {report:#?}");
    assert_eq!(entry.left_behind, [format!("{A} inbound (not confirmed)")]);
}

#[test]
fn what_is_live_beside_a_stale_or_finished_change_is_the_version_that_was_seen_last() {
    let mut world = changed("");
    let plan = run(async { world.plan().await });
    let approved = approve(plan, &Approval::Person).unwrap();
    let id = world.id("Agent a");
    let other = world.fork();
    other.sandbox.with(|service| service.dashboard_edit(&id, "/agent/max_tool_steps", json!(9)).unwrap());
    let fresh = run(async { other.plan().await });
    let stale = recheck(&approved, fresh);
    let found = (stale.decided[0].outcome, stale.decided[0].version);
    assert_eq!(found, (Outcome::Stale, Some(2)), "{:#?}", stale.decided);
    run(async { world.apply().await });
    let fresh = run(async { world.plan().await });
    let done = recheck(&approved, fresh);
    let found = (done.decided[0].outcome, done.decided[0].version);
    assert_eq!(found, (Outcome::AlreadyApplied, Some(2)), "{:#?}", done.decided);
}
