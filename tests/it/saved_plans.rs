//! A saved plan against what became of it since: what was done meanwhile is in place, anything else is another plan.

use reachform::diagnostics::SourceMap;
use reachform::model::Stamp;
use reachform::model::stamp::STAMP_KEY;
use reachform::plan::{Action, Approval, Outcome, Refusal, Report, SavedPlan};
use reachform::render::json::{plan_document, read_saved};
use reachform::sandbox::Phase;

use serde_json::{Map, json};

use crate::scene::manifest;
use crate::world::{World, in_service, run};

/// A world in which the next plan creates `new`, adopts `found`, updates `a` and deletes `b`.
fn world() -> World {
    let mut world = in_service("");
    world.options.limits.delete = 1;
    world.write("a", manifest("a", ""));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    let body = json!({"name": "Agent found"});
    let made = run(async { world.outside().writer().create_agent(body.as_object().unwrap()).await.unwrap() });
    // It is already as its manifest wants it, so that nothing but the stamp is missing.
    let config = world.live_config("Agent a");
    world.sandbox.with(|service| service.dashboard_release(&made.agent.id, config).unwrap());
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world.write("new", manifest("new", ""));
    world.write("found", manifest("found", ""));
    world.files.remove("agents/b.yaml");
    world.options.prune = true;
    world
}

fn save(world: &World) -> SavedPlan {
    let plan = run(async { world.plan().await });
    let summary = plan.summary();
    assert_eq!((summary.create, summary.adopt, summary.update, summary.delete), (1, 1, 1, 1), "{plan:#?}");
    read_saved(&plan_document(&plan, &SourceMap::default())).unwrap()
}

fn apply(world: &mut World, saved: &SavedPlan) -> Result<Report, Refusal> {
    run(async { world.try_apply(Approval::File(saved)).await }).unwrap()
}

#[track_caller]
fn refused(world: &mut World, saved: &SavedPlan, line: &str) {
    world.sandbox.clear_log();
    match apply(world, saved) {
        Err(Refusal::AnotherPlan(difference)) => {
            assert!(difference.iter().any(|told| told == line), "`{line}`: {difference:#?}");
        }
        other => panic!("`{line}`: {other:#?}"),
    }
    assert!(world.sandbox.log().iter().all(|entry| entry.request.method == reachform::http::Method::Get));
}

#[test]
fn a_plan_that_somebody_else_has_applied_is_in_place_and_writes_nothing() {
    let mut world = world();
    let saved = save(&world);
    run(async { world.converge("by somebody else").await });
    world.sandbox.clear_log();
    let report = apply(&mut world, &saved).unwrap();
    let mut told: Vec<(&str, Action, Outcome)> =
        report.outcomes.iter().map(|entry| (entry.key.as_str(), entry.action, entry.outcome)).collect();
    told.sort_by_key(|(key, ..)| *key);
    let already = Outcome::AlreadyApplied;
    let wanted = [
        ("a", Action::Update, already),
        ("b", Action::Delete, already),
        ("found", Action::Adopt, already),
        ("new", Action::Create, already),
    ];
    assert_eq!(told, wanted);
    assert!(report.is_complete() && !report.wrote);
}

#[test]
fn a_delete_that_is_no_longer_planned_refuses_the_plan_while_its_agent_stands() {
    let mut world = world();
    let saved = save(&world);
    let found = world.sandbox.with(|service| service.agent_named("Agent b").unwrap());
    let mut stamp = Stamp::read(&found.metadata).unwrap().unwrap();
    stamp.protect = true;
    let mut metadata = found.metadata;
    metadata[STAMP_KEY] = stamp.write();
    let fields = Map::from_iter([("metadata".to_owned(), metadata)]);
    world.sandbox.with(|service| service.dashboard_change(&found.id, &fields).unwrap());
    refused(&mut world, &saved, "agent.b: delete was saved, is no longer planned, and is not recorded as applied");
    assert_eq!(world.agents(), 3);
}

#[test]
fn changes_whose_manifests_are_gone_refuse_the_plan() {
    for (key, action) in [("new", "create"), ("found", "adopt"), ("a", "update")] {
        let mut world = world();
        let saved = save(&world);
        world.files.remove(&format!("agents/{key}.yaml"));
        world.options.prune = false;
        refused(
            &mut world,
            &saved,
            &format!("agent.{key}: {action} was saved, is no longer planned, and is not recorded as applied"),
        );
    }
}

#[test]
fn a_plan_for_another_target_is_refused_with_both_named() {
    let mut world = world();
    let saved = save(&world);
    type Edit = fn(&mut SavedPlan);
    let edits: [(Edit, &str); 4] = [
        (
            |saved| saved.target.host = "eu.test".to_owned(),
            "host: the plan was saved for eu.test, this run is for sandbox",
        ),
        (
            |saved| saved.target.organization = Some("org_other".to_owned()),
            "organization: the plan was saved for org_other, this run is for org_sandbox",
        ),
        (
            |saved| saved.target.environment = "staging".to_owned(),
            "environment: the plan was saved for staging, this run is for prod",
        ),
        (
            |saved| saved.target.project = "other".to_owned(),
            "project: the plan was saved for other, this run is for test",
        ),
    ];
    for (edit, line) in edits {
        let mut other = saved.clone();
        edit(&mut other);
        refused(&mut world, &other, line);
    }
}

#[test]
fn a_plan_by_a_credential_that_saw_no_organization_is_applied_by_one_that_does() {
    let mut world = world();
    let mut saved = save(&world);
    saved.target.organization = None;
    let report = run(world.try_apply(Approval::File(&saved))).unwrap().unwrap();
    assert!(report.is_complete(), "{:#?}", report.outcomes);
}

#[test]
fn a_change_that_is_another_one_by_now_says_in_which_way() {
    type Deed = fn(&mut World);
    let steps = |world: &mut World, more: &str, steps: u32| {
        let text = manifest("a", more).replace("max_tool_steps: 3", &format!("max_tool_steps: {steps}"));
        world.write("a", text);
    };
    let deeds: [(Deed, &str); 5] = [
        (
            |world| {
                let agent = world.sandbox.with(|service| service.agent_named("Agent a").unwrap());
                let mut config = agent.live().unwrap().config.clone();
                config["scorecard_ids"] = json!(["s1"]);
                world.sandbox.with(|service| service.dashboard_release(&agent.id, config).unwrap());
            },
            "agent.a: planned on version 1, live is version 2 (by user_dashboard, ",
        ),
        (
            |world| {
                let id = world.id("Agent a");
                world.sandbox.with(|service| service.dashboard_delete(&id).unwrap());
            },
            "agent.a: update was saved, create is planned now",
        ),
        (|_| {}, "agent.a: /config/agent/max_tool_steps: `3` → `4` was saved, `3` → `5` is planned now"),
        (|_| {}, "agent.a: also changes /description, `null` → `\"New.\"`"),
        (|_| {}, "agent.a: no longer changes /config/agent/max_tool_steps, `3` → `4`"),
    ];
    for (number, (deed, line)) in deeds.into_iter().enumerate() {
        let mut world = world();
        let saved = save(&world);
        deed(&mut world);
        match number {
            2 => steps(&mut world, "", 5),
            3 => steps(&mut world, "description: New.", 4),
            4 => steps(&mut world, "description: New.", 3),
            _ => {}
        }
        match apply(&mut world, &saved) {
            Err(Refusal::AnotherPlan(difference)) => {
                assert!(difference.iter().any(|told| told.starts_with(line)), "`{line}`: {difference:#?}");
            }
            other => panic!("`{line}`: {other:#?}"),
        }
    }
    // And the other way round: what was saved with two paths and has one by now.
    let mut world = world();
    steps(&mut world, "description: New.", 4);
    let saved = save(&world);
    steps(&mut world, "", 4);
    refused(&mut world, &saved, "agent.a: no longer changes /description, `null` → `\"New.\"`");
}

#[test]
fn a_saved_plan_that_died_half_way_is_gone_on_with() {
    for (phase, at) in
        [(Phase::After, ":PUT /core/agents/*/versions/*#1"), (Phase::After, ":POST /core/agents/*/publish#1")]
    {
        let mut world = world();
        let saved = save(&world);
        run(async { world.die_applying(Approval::File(&saved), phase, at).await });
        let report = apply(&mut world, &saved).unwrap_or_else(|refusal| panic!("{at}: {refusal:#?}"));
        assert!(report.is_complete(), "{at}: {report:#?}");
        run(async { world.assert_empty(at).await });
    }
}

#[test]
fn a_change_that_was_not_saved_refuses_the_plan() {
    let mut world = world();
    let saved = save(&world);
    world.write("newer", manifest("newer", ""));
    match apply(&mut world, &saved) {
        Err(Refusal::AnotherPlan(difference)) => {
            assert_eq!(difference.len(), 1, "{difference:#?}");
            assert!(difference[0].contains("agent.newer") && difference[0].ends_with("— not in the saved plan"));
        }
        other => panic!("{other:#?}"),
    }
    assert_eq!(world.agents(), 3);
}

const NUMBERS: [&str; 3] = ["+15550100001", "+15550100002", "+15550100003"];

/// Two agents of which the next plan changes both, moves a number from each to the other, empties one and makes a third.
fn world_of_moves(behaviour: &str) -> World {
    let mut world = in_service(behaviour);
    let [a, b, c] = NUMBERS;
    world.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{a}\", \"{c}\"]}}")));
    world.write("b", manifest("b", &format!("phone_numbers: {{inbound: [\"{b}\"]}}")));
    run(async { world.apply().await });
    for (key, number) in [("a", b), ("b", a)] {
        let text = manifest(key, &format!("description: New.\nphone_numbers: {{inbound: [\"{number}\"]}}"));
        world.write(key, text.replace("max_tool_steps: 3", "max_tool_steps: 4"));
    }
    world.write("new", manifest("new", ""));
    world
}

#[test]
fn what_was_begun_under_a_saved_or_approved_plan_is_finished_under_it_wherever_the_run_died() {
    for behaviour in ["", "publish=follow"] {
        let origin = world_of_moves(behaviour);
        let plan = run(async { origin.plan().await });
        let saved = read_saved(&plan_document(&plan, &SourceMap::default())).unwrap();
        let mut whole = origin.fork();
        whole.sandbox.clear_log();
        apply(&mut whole, &saved).unwrap();
        let requests = whole.sandbox.log().len();
        let mut refusals = Vec::new();
        for number in 1..=requests {
            for by_hash in [false, true] {
                let approval = || if by_hash { Approval::Hash(&plan.plan_hash) } else { Approval::File(&saved) };
                let mut world = origin.fork();
                run(async { world.die_applying(approval(), Phase::After, &format!("#{number}")).await });
                match run(async { world.try_apply(approval()).await }).unwrap() {
                    Ok(report) => assert!(report.is_complete(), "{behaviour} #{number} {by_hash}: {report:#?}"),
                    Err(refusal) => refusals.push((number, by_hash, format!("{refusal:?}"))),
                }
            }
        }
        assert!(refusals.is_empty(), "{behaviour}: {} of {}: {refusals:#?}", refusals.len(), 2 * requests);
    }
}

#[test]
fn a_plan_of_which_one_agent_failed_and_anothers_slot_was_not_emptied_is_finished_under_its_hash() {
    for by_hash in [false, true] {
        let mut world = world_of_moves("");
        let plan = run(async { world.plan().await });
        let saved = read_saved(&plan_document(&plan, &SourceMap::default())).unwrap();
        let approval = || if by_hash { Approval::Hash(&plan.plan_hash) } else { Approval::File(&saved) };
        world.fault(&format!("400:PUT /core/agents/{}/versions/*#1+", world.id("Agent b")));
        let report = run(async { world.try_apply(approval()).await }).unwrap().unwrap();
        assert!(!report.is_complete(), "{report:#?}");
        assert_eq!(world.holder(NUMBERS[2], "inbound").as_deref(), Some("Agent a"), "it is not emptied");
        world.sandbox.clear_faults();
        let report = run(async { world.try_apply(approval()).await }).unwrap().unwrap();
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(world.holder(NUMBERS[2], "inbound"), None);
        run(async { world.assert_empty("finished").await });
    }
}

#[test]
fn a_saved_plan_of_which_nothing_was_applied_is_refused_although_the_manifests_plan_nothing() {
    let mut world = in_service("");
    world.options.limits.delete = 1;
    world.write("a", manifest("a", ""));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    let before = world.files.clone();
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world.files.remove("agents/b.yaml");
    world.options.prune = true;
    let plan = run(async { world.plan().await });
    let saved = read_saved(&plan_document(&plan, &SourceMap::default())).unwrap();
    // Git goes back: now there is nothing to do, and nothing of that plan was ever done.
    world.files = before;
    refused(&mut world, &saved, "agent.a: update was saved, is no longer planned, and is not recorded as applied");
    refused(&mut world, &saved, "agent.b: delete was saved, is no longer planned, and is not recorded as applied");
}
