//! The states on which the two once disagreed, or were wrong alike, each with what is right.

use reachform::model::stamp::STAMP_KEY;
use reachform::model::{Back, Direction, FieldPath, Intent, RolledBack, Seal, Stamp};
use reachform::plan::drift::{Drift, DriftState};
use reachform::plan::stamping::intended_fields;
use reachform::plan::{Plan, Shown};
use serde_json::{Value, json};

use super::{assert_agreement, drift_of};
use crate::plan::applied;
use crate::scene::{Scene, manifest};

const NUMBER: &str = "+15550100001";
const INBOUND: &str = "phone_numbers: {inbound: [\"+15550100001\"]}";
const NONE: &str = "phone_numbers: {inbound: []}";
const STEPS: &str = "/config/agent/max_tool_steps";

/// Both, after they were seen to agree: what is planned, and what has drifted.
fn both(scene: &Scene) -> (Plan, Drift) {
    let (plan, drift) = (scene.plan(), drift_of(scene));
    assert_agreement(&plan, &drift, "a named state");
    (plan, drift)
}

/// Every value and slot that a plan changes, with its cause.
fn causes(plan: &Plan) -> Vec<(String, &'static str)> {
    let fields = plan.changes.iter().flat_map(|change| &change.fields);
    let slots = plan.changes.iter().flat_map(|change| &change.numbers).filter(|slot| !slot.follows);
    fields
        .map(|field| (field.path.to_string(), field.cause.as_str()))
        .chain(slots.map(|slot| (slot.number.to_string(), slot.cause.as_str())))
        .collect()
}

fn said(path: &str, cause: &'static str) -> (String, &'static str) {
    (path.to_owned(), cause)
}

fn edit_stamp(scene: &mut Scene, edit: impl FnOnce(&mut Stamp)) {
    let id = scene.id("a");
    let agent = scene.live.agents.get_mut(&id).unwrap();
    let mut stamp = Stamp::read(&agent.metadata).unwrap().unwrap();
    edit(&mut stamp);
    FieldPath::of([STAMP_KEY]).set(&mut agent.metadata, stamp.write());
}

/// An apply of what Git says now that published a version of `a` and did no more.
fn die_after_publishing(scene: &mut Scene) {
    let plan = scene.plan();
    let change = plan.changes.iter().find(|change| change.key.as_str() == "a").unwrap();
    let id = scene.id("a");
    let (base, highest) = (change.base_version, scene.live.agents[&id].highest_version());
    edit_stamp(scene, |stamp| {
        stamp.state.intent = Some(Intent {
            run: "dead".to_owned(),
            plan: "sha256:dead".to_owned(),
            change: "sha256:dead".to_owned(),
            base,
            highest,
            by: Some("us".to_owned()),
            fields: intended_fields(Seal::of(stamp), &change.work.sent),
            verify: None,
            source: None,
            rollback: None,
            shown: std::collections::BTreeMap::new(),
        });
    });
    let config = change.work.config().cloned().unwrap_or_else(|| scene.config_of("a"));
    scene.publish(&id, config, "us");
}

#[test]
fn a_number_that_git_moves_and_somebody_moved_elsewhere_is_a_conflict_in_both() {
    let mut scene = applied("a", INBOUND);
    scene.write("b", manifest("b", NONE));
    scene.apply();
    scene.unmanaged("other", "Other", Some(json!({})));
    scene.point(NUMBER, Direction::Inbound, Some("other-v1".to_owned()));
    scene.write("a", manifest("a", NONE));
    scene.write("b", manifest("b", INBOUND));
    let (plan, drift) = both(&scene);
    assert_eq!(causes(&plan), [said(NUMBER, "conflict")]);
    assert_eq!(drift.agents[0].key.as_str(), "a", "the one that had it lost it");
    // Moved by hand to where Git moves it, it is in place.
    let there = scene.live.agents[&scene.id("b")].live_version().unwrap().id.clone();
    scene.point(NUMBER, Direction::Inbound, Some(there));
    let (plan, drift) = both(&scene);
    assert_eq!((causes(&plan), drift.state()), (vec![], DriftState::Clean));
}

#[test]
fn a_number_that_git_moves_to_an_agent_that_is_yet_to_be_made_is_no_exception() {
    let mut scene = applied("a", INBOUND);
    scene.point(NUMBER, Direction::Inbound, None);
    scene.write("a", manifest("a", NONE));
    scene.write("b", manifest("b", INBOUND));
    let (plan, _) = both(&scene);
    assert!(causes(&plan).contains(&said(NUMBER, "conflict")), "{:?}", causes(&plan));
}

#[test]
fn metadata_and_a_whole_config_that_git_lets_go_are_nobodys_conflict() {
    let mut scene = applied("a", "metadata: {team: x}");
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().metadata["team"] = json!("theirs");
    scene.dashboard(&id, "/agent/max_tool_steps", json!(9));
    scene.write("a", "key: a\nname: Agent a\n");
    let (plan, drift) = both(&scene);
    assert_eq!((causes(&plan), drift.state()), (vec![], DriftState::Clean));
}

#[test]
fn numbers_that_are_ignored_are_left_alone_by_both() {
    let mut scene = applied("a", INBOUND);
    scene.point(NUMBER, Direction::Inbound, None);
    scene.write("a", manifest("a", &format!("{INBOUND}\nignore: [{{path: /phone_numbers}}]")));
    let (plan, drift) = both(&scene);
    assert_eq!((causes(&plan), drift.state()), (vec![], DriftState::Clean));
}

#[test]
fn a_number_that_stood_in_a_direction_before_git_managed_it_is_emptied_for_git_and_not_for_drift() {
    let mut scene = applied("a", "");
    let version = scene.live.agents[&scene.id("a")].live_version().unwrap().id.clone();
    scene.point("+15550100002", Direction::Inbound, Some(version));
    scene.write("a", manifest("a", INBOUND));
    let (plan, _) = both(&scene);
    assert_eq!(causes(&plan), [said(NUMBER, "pending"), said("+15550100002", "pending")]);
}

#[test]
fn an_apply_that_has_still_to_empty_a_number_and_to_write_a_description_has_not_drifted() {
    let mut scene = applied("a", &format!("description: Old.\n{INBOUND}"));
    scene.write(
        "a",
        manifest("a", &format!("description: New.\n{NONE}")).replace("max_tool_steps: 3", "max_tool_steps: 4"),
    );
    die_after_publishing(&mut scene);
    let (plan, drift) = both(&scene);
    assert_eq!(causes(&plan), [said("/description", "pending"), said(NUMBER, "pending")]);
    let open =
        ["an apply was not finished".to_owned(), format!("what it has still to do: /description, {NUMBER} inbound")];
    assert_eq!((drift.state(), drift.unchecked[0].causes.as_slice()), (DriftState::NotChecked, open.as_slice()));
    assert!(plan.changes[0].live_editor.is_none(), "the live version is ours: {:?}", plan.changes[0].live_editor);
    // What that apply removed itself is nobody's edit that stays.
    assert!(plan.changes[0].kept.is_empty(), "{:?}", plan.changes[0].kept);
    // And what somebody changed meanwhile is drift all the same.
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().description = Some("Theirs.".to_owned());
    let (plan, _) = both(&scene);
    assert_eq!(causes(&plan)[0], said("/description", "drift"));
}

#[test]
fn a_value_that_the_service_rewrote_in_a_version_of_ours_that_nobody_read_back_is_no_drift() {
    let mut scene = applied("a", "");
    scene.write("a", manifest("a", "").replace("voice: v1", "voice: v2"));
    die_after_publishing(&mut scene);
    let id = scene.id("a");
    let read = scene.live.agents.get_mut(&id).unwrap().configs.get_mut(&2).unwrap();
    read.config["agent"]["stack"]["tts"]["models"][0]["model"]["parameters"]["voice"] = json!("rewritten");
    let (plan, drift) = both(&scene);
    assert_eq!(causes(&plan), [said("/config/agent/stack/tts/models", "pending")]);
    assert_eq!(drift.state(), DriftState::NotChecked);
}

#[test]
fn an_agent_of_which_no_apply_was_ever_finished_is_not_checked() {
    let mut scene = applied("a", "");
    edit_stamp(&mut scene, |stamp| stamp.state.applied = None);
    let drift = drift_of(&scene);
    assert_eq!(drift.state(), DriftState::NotChecked, "{:#?}", drift.as_applied);
}

#[test]
fn what_an_ended_ignore_covered_is_drift_in_both_with_the_live_value_beside_it() {
    let ignore = |until: &str| manifest("a", &format!("ignore: [{{path: {STEPS}, until: {until}}}]"));
    let mut scene = Scene::new();
    scene.unmanaged("ag_x", "Agent a", None);
    scene.write("a", ignore("2026-12-31"));
    let mut config: Value = serde_yaml::from_str(crate::scene::CONFIG).unwrap();
    config["agent"]["max_tool_steps"] = json!(9);
    scene.publish("ag_x", config, "a person");
    scene.apply();
    scene.write("a", ignore("2026-05-31"));
    let (plan, drift) = both(&scene);
    assert_eq!(causes(&plan), [said(STEPS, "drift")]);
    assert!(drift.agents[0].fields[0].ended.is_some());
}

#[test]
fn an_applied_version_that_reads_otherwise_by_now_is_no_drift_in_a_plan_either() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/scorecard_ids", json!(["s1"]));
    for read in scene.live.agents.get_mut(&id).unwrap().configs.values_mut() {
        read.config["agent"]["instructions"] = json!("As this credential is shown it.");
    }
    let (plan, drift) = both(&scene);
    assert_eq!((causes(&plan), drift.state()), (vec![], DriftState::Clean));
    scene.write("a", manifest("a", "").replace("of a clinic", "of two clinics"));
    let (plan, _) = both(&scene);
    assert_eq!(causes(&plan), [said("/config/agent/instructions", "pending")]);
}

#[test]
fn an_edit_below_a_branch_that_git_leaves_is_a_conflict_in_both() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    let voice = json!([{"provider": "cartesia", "model": {"name": "sonic-3", "parameters": {"voice": "theirs"}}}]);
    scene.dashboard(&id, "/agent/stack/tts/models", voice);
    let (head, _) =
        manifest("a", "").split_once("        type: stt_llm_tts").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let llm = "llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.4}}}]}";
    scene.write("a", format!("{head}        type: realtime\n        {llm}\n"));
    let (plan, _) = both(&scene);
    let found = causes(&plan);
    assert!(found.contains(&said("/config/agent/stack/tts", "conflict")), "{found:?}");
    assert!(found.contains(&said("/config/agent/stack/stt/models", "pending")), "{found:?}");
}

#[test]
fn a_value_of_another_shape_in_git_does_not_hide_that_somebody_changed_the_old_one() {
    let mut scene = applied("a", "metadata: {crm: none}");
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().metadata["crm"] = json!("theirs");
    scene.write("a", manifest("a", "metadata: {crm: {id: 7}}"));
    let (plan, _) = both(&scene);
    assert_eq!(causes(&plan), [said("/metadata/crm/id", "conflict"), said("/metadata/crm", "conflict")]);
}

#[test]
fn a_secret_outside_of_the_config_that_somebody_changed_is_drift_for_a_plan_without_its_value_too() {
    let mut scene = Scene::new();
    scene.secrets.insert("CRM".to_owned(), "a-long-enough-secret".to_owned());
    scene.write("a", manifest("a", "metadata: {api_token: !secret CRM}"));
    scene.apply();
    scene.secrets.clear();
    assert!(both(&scene).0.notices.iter().any(|notice| notice.code == "secret-not-checked"));
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().metadata["api_token"] = json!("somebody-elses-secret");
    let (plan, _) = both(&scene);
    assert_eq!(causes(&plan), [said("/metadata/api_token", "drift")]);
    assert!(!format!("{plan:?}").contains("somebody-elses-secret"));
}

#[test]
fn an_edit_since_a_rollback_stays_drift_among_what_goes_forward_again() {
    let mut scene = applied("a", "");
    let source = scene.resolve().desired[0].source.as_str().to_owned();
    edit_stamp(&mut scene, |stamp| {
        stamp.state.rollback = Some(RolledBack {
            back: Back { from: 2, to: 1, source, reason: None },
            by: None,
            at: "2026-05-01T10:00:00Z".to_owned(),
        });
    });
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/max_tool_steps", json!(9));
    let (plan, _) = both(&scene);
    assert_eq!(causes(&plan), [said(STEPS, "drift")]);
}

#[test]
fn a_key_of_metadata_that_is_declared_null_and_absent_is_in_place() {
    let mut scene = applied("a", "metadata: {crm: null, team: x}");
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().metadata.as_object_mut().unwrap().shift_remove("crm");
    let (plan, drift) = both(&scene);
    assert_eq!((causes(&plan), drift.state()), (vec![], DriftState::Clean));
}

#[test]
fn an_agent_that_somebody_switched_off_is_named_by_a_plan_that_has_nothing_to_write() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().active = Some(false);
    let (plan, drift) = both(&scene);
    assert!(plan.notices.iter().any(|notice| notice.code == "switched-off"), "{:?}", plan.notices);
    assert_eq!(drift.agents[0].fields[0].live, Shown::Value(json!(false)));
}

#[test]
fn what_an_ended_ignore_covers_and_nothing_is_live_of_is_pending() {
    let mut scene = applied("a", "");
    scene.write("a", manifest("a", "description: New.\nignore: [{path: /description, until: 2026-05-31}]"));
    let (plan, drift) = both(&scene);
    assert_eq!((causes(&plan), drift.state()), (vec![said("/description", "pending")], DriftState::Clean));
}
