//! Phone numbers in plans: moved, swapped, followed, emptied last, and never taken from others unasked.

use reachform::model::{Direction, Key};
use reachform::plan::{Cause, SlotHolder, SlotTarget};
use serde_json::json;

use crate::plan::{applied, assert_empty, codes};
use crate::scene::{Scene, manifest};

#[test]
fn numbers_swap_without_a_gap() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    scene.write("b", manifest("b", "phone_numbers: {inbound: [\"+15550100002\"]}"));
    scene.apply();
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100002\"]}"));
    scene.write("b", manifest("b", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    let plan = scene.plan();
    assert_eq!(plan.summary().update, 2);
    for change in &plan.changes {
        assert!(change.work.unassign.is_empty(), "a moved number is assigned, never unassigned first");
        assert!(!change.new_version);
        assert!(matches!(change.numbers[0].from, SlotHolder::Agent { .. }));
        assert!(matches!(change.numbers[0].to, SlotTarget::Version { .. }));
    }
    scene.apply();
    assert_empty(&scene);
}

#[test]
fn a_new_version_takes_its_numbers_along_also_the_undeclared_ones() {
    let mut scene = applied("a", "phone_numbers: {inbound: [\"+15550100001\"]}");
    let version = scene.live.agents["ag_1"].live_version().unwrap().id.clone();
    scene.point("+15550100005", Direction::Outbound, Some(version));
    scene.write(
        "a",
        manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}").replace("max_tool_steps: 3", "max_tool_steps: 4"),
    );
    let plan = scene.plan();
    assert_eq!(plan.changes[0].work.assign.len(), 2);
    assert!(plan.changes[0].numbers.iter().all(|slot| slot.follows));
    scene.apply();
    assert_empty(&scene);
}

#[test]
fn a_number_that_is_no_longer_declared_is_emptied_last_and_a_foreign_one_that_came_is_drift() {
    let mut scene = applied("a", "phone_numbers: {inbound: [\"+15550100001\", \"+15550100002\"]}");
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    let plan = scene.plan();
    assert_eq!(plan.changes[0].numbers[0].cause, Cause::Pending);
    assert!(matches!(plan.changes[0].numbers[0].to, SlotTarget::Empty));
    scene.apply();
    assert_empty(&scene);
    let version = scene.live.agents["ag_1"].live_version().unwrap().id.clone();
    scene.point("+15550100007", Direction::Inbound, Some(version));
    assert_eq!(scene.plan().changes[0].numbers[0].cause, Cause::Drift);
}

#[test]
fn a_number_moved_away_in_the_dashboard_is_drift_and_comes_back() {
    let mut scene = applied("a", "phone_numbers: {inbound: [\"+15550100001\"]}");
    scene.point("+15550100001", Direction::Inbound, None);
    let plan = scene.plan();
    assert_eq!(plan.changes[0].numbers[0].cause, Cause::Drift);
    assert_eq!(plan.summary().drift, 1);
    scene.apply();
    assert_empty(&scene);
}

#[test]
fn a_number_of_an_unmanaged_agent_is_a_risk_and_one_of_another_project_needs_leave() {
    let mut scene = applied("a", "");
    let config = scene.config_of("a");
    scene.unmanaged("x", "Other", Some(config));
    scene.point("+15550100001", Direction::Inbound, Some("x-v1".to_owned()));
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    let plan = scene.plan();
    assert!(plan.changes[0].numbers[0].risk.is_some());
    let mut foreign = scene.live.agents["ag_1"].metadata["reachform"].clone();
    foreign["project"] = json!("other");
    foreign["agent"] = json!("x");
    scene.live.agents.get_mut("x").unwrap().metadata["reachform"] = foreign;
    let plan = scene.plan();
    assert_eq!(codes(&plan), ["number-is-taken"]);
    scene.options.take.insert(reachform::model::PhoneNumber::parse("+15550100001").unwrap());
    assert!(scene.plan().is_applyable());
}

#[test]
fn a_create_whose_numbers_all_sit_on_one_unmanaged_agent_offers_to_take_it_over() {
    let mut scene = applied("a", "");
    let config = scene.config_of("a");
    scene.unmanaged("x", "Old name", Some(config));
    scene.point("+15550100001", Direction::Inbound, Some("x-v1".to_owned()));
    scene.write("b", manifest("b", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    let plan = scene.plan();
    assert_eq!(codes(&plan), ["numbers-sit-on-an-unmanaged-agent"]);
    assert!(plan.diagnostics[0].hints[0].contains("id: x"));
    scene.options.create.insert(Key::parse("b").unwrap());
    assert!(scene.plan().is_applyable());
}

#[test]
fn an_unknown_number_is_an_error_and_a_slot_of_an_unseen_agent_is_never_empty() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15559999999\"]}"));
    assert_eq!(codes(&scene.plan()), ["unknown-number"]);
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    scene.point("+15550100001", Direction::Inbound, Some("nobody-v1".to_owned()));
    assert_eq!(codes(&scene.plan()), ["number-is-taken"]);
}
