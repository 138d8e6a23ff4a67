//! What a plan makes of what could be read, of what it cannot manage, and of numbers and steps in their details.

use reachform::model::stamp::{Back, RolledBack};
use reachform::model::{Coverage, Direction, Stamp};
use reachform::plan::{Action, Cause, Held, Kind, Plan, SlotTarget};
use serde_json::json;

use crate::scene::{Scene, manifest};

const A: &str = "+15550100001";
const B: &str = "+15550100002";

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn notices(plan: &Plan) -> Vec<&'static str> {
    plan.notices.iter().map(|notice| notice.code).collect()
}

fn inbound(key: &str, numbers: &[&str]) -> String {
    manifest(key, &format!("phone_numbers: {{inbound: {numbers:?}}}"))
}

fn applied(text: String) -> Scene {
    let mut scene = Scene::new();
    scene.write("a", text);
    scene.apply();
    assert!(!scene.plan().summary().has_changes());
    scene
}

#[test]
fn fields_that_cannot_be_managed_yet_are_errors_and_the_plan_cannot_be_applied() {
    for field in [
        "web_widgets: [w1]",
        "email_addresses: [a@x.example]",
        "sip_endpoint: true",
        "instruction_builder_inputs: {a: b}",
    ] {
        let mut scene = Scene::new();
        scene.write("a", manifest("a", field));
        let plan = scene.plan();
        assert_eq!(codes(&plan), ["not-supported-yet"], "{field}");
        assert!(!plan.is_applyable() && plan.complete, "{field}");
    }
}

#[test]
fn a_number_needs_a_version_to_point_at() {
    let bare = |numbers: &str| format!("key: a\nname: Agent a\nphone_numbers: {{inbound: {numbers}}}\n");
    let mut scene = Scene::new();
    scene.write("a", bare(&format!("[\"{A}\"]")));
    assert_eq!(codes(&scene.plan()), ["numbers-without-a-version"]);
    scene.write("a", bare("[]"));
    assert_eq!(codes(&scene.plan()), Vec::<&str>::new());
    scene.write("a", inbound("a", &[A]));
    assert_eq!(codes(&scene.plan()), Vec::<&str>::new());
}

#[test]
fn numbers_that_may_not_be_read_are_a_notice_and_agents_that_may_not_be_read_an_error() {
    let mut scene = applied(manifest("a", ""));
    scene.live.number_coverage = Coverage::Forbidden("403".to_owned());
    let plan = scene.plan();
    assert!(plan.is_applyable() && notices(&plan).contains(&"numbers-forbidden"), "{plan:#?}");
    scene.live.number_coverage = Coverage::Proven;
    scene.live.agent_coverage = Coverage::Forbidden("403".to_owned());
    let plan = scene.plan();
    assert!(!plan.complete && codes(&plan).contains(&"agents-forbidden"), "{plan:#?}");
}

#[test]
fn an_agent_whose_stamp_cannot_be_read_is_named_among_the_notices() {
    let mut scene = applied(manifest("a", ""));
    scene.unmanaged("x", "Someone", None);
    scene.live.agents.get_mut("x").unwrap().metadata = json!({"reachform": {"v": 99}});
    assert_eq!(notices(&scene.plan()), ["stamp-unreadable"]);
}

#[test]
fn an_orphan_goes_only_where_its_own_number_goes_to_another_agent() {
    let mut scene = Scene::new();
    scene.write("a", inbound("a", &[A]));
    scene.write("b", manifest("b", ""));
    scene.apply();
    scene.files.remove("agents/a.yaml");
    scene.options.prune = true;
    scene.options.limits.delete = 1;
    for (number, deletes) in [(B, 0), (A, 1)] {
        scene.write("b", inbound("b", &[number]));
        let plan = scene.plan();
        assert_eq!(plan.summary().delete, deletes, "{number}: {:#?}", plan.orphans);
        assert!(plan.changes.iter().all(|change| change.is_risky() == (change.action == Action::Delete)));
    }
}

#[test]
fn a_number_from_an_orphan_is_no_risk_one_from_a_stranger_is_and_one_that_goes_is_only_inbound() {
    let mut scene = applied(manifest("a", ""));
    scene.unmanaged("x", "Someone", Some(scene.config_of("a")));
    scene.point(A, Direction::Inbound, Some("x-v1".to_owned()));
    scene.write("a", inbound("a", &[A]));
    let plan = scene.plan();
    let slot = &plan.changes[0].numbers[0];
    assert_eq!(slot.risk.as_ref().unwrap().0, "taken from the unmanaged agent `Someone`");
    assert!(plan.changes[0].is_risky());

    let both = |numbers: &str| manifest("a", &format!("phone_numbers: {{inbound: {numbers}, outbound: {numbers}}}"));
    let mut scene = applied(both(&format!("[\"{A}\"]")));
    scene.write("a", both("[]"));
    let plan = scene.plan();
    let risks: Vec<(Direction, Option<&str>)> = plan.changes[0]
        .numbers
        .iter()
        .map(|slot| (slot.direction, slot.risk.as_ref().map(|risk| risk.0.as_str())))
        .collect();
    assert_eq!(risks, [(Direction::Inbound, Some("calls to it will reach no agent")), (Direction::Outbound, None)]);
    assert!(plan.changes[0].is_risky());
}

#[test]
fn a_number_goes_to_the_new_version_where_one_is_made_and_else_to_the_live_one() {
    let mut scene = applied(manifest("a", ""));
    scene.write("a", inbound("a", &[A]));
    assert!(matches!(scene.plan().changes[0].numbers[0].to, SlotTarget::Version { version: 1, .. }));
    scene.write("a", inbound("a", &[A]).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    assert!(matches!(scene.plan().changes[0].numbers[0].to, SlotTarget::NewVersion { .. }));
    assert!(!scene.plan().changes[0].is_risky());
}

#[test]
fn an_intent_is_written_where_something_is_created_or_published_and_only_there() {
    let words = |scene: &Scene| -> Vec<String> { scene.plan().changes[0].steps.clone() };
    let bare = "key: a\nname: Agent a\n";
    let mut scene = Scene::new();
    scene.write("a", bare);
    assert_eq!(
        words(&scene),
        ["create the agent", "record what is about to be done", "write agent fields, and record what was applied"]
    );
    scene.apply();
    scene.write("a", format!("{bare}description: New.\n"));
    assert_eq!(words(&scene), ["write agent fields, and record what was applied"]);
    scene.write("a", manifest("a", ""));
    assert_eq!(words(&scene)[0], "record what is about to be done");
}

#[test]
fn a_field_is_of_the_kind_of_its_new_value_and_of_its_old_one_where_that_goes() {
    let lines = |list: &str| {
        manifest("a", "")
            .replace("      max_tool_steps: 3\n", list)
            .replace("config:", "config:\n    scorecard_ids: [s1]")
    };
    for (before, after, kind) in [
        ("      max_tool_steps: 3\n", "      max_tool_steps: 4\n", Kind::Number),
        ("      max_tool_steps: 3\n", "      max_tool_steps: null\n", Kind::Number),
        ("      max_tool_steps: null\n", "      max_tool_steps: 3\n", Kind::Number),
        ("      max_tool_steps: 3\n", "", Kind::Number),
        ("      video_input: true\n", "      video_input: false\n", Kind::Bool),
        ("", "      channel_overrides: {}\n", Kind::Object),
        ("      language: null\n", "", Kind::Other),
    ] {
        let mut scene = applied(lines(before));
        scene.write("a", lines(after));
        let plan = scene.plan();
        let found: Vec<Kind> = plan.changes.iter().flat_map(|change| &change.fields).map(|field| field.kind).collect();
        // Null where nothing was is the default of the schema, and no change.
        let expected = if kind == Kind::Other { vec![] } else { vec![kind] };
        assert_eq!(found, expected, "{before}{after}");
    }
    let mut scene = applied(lines(""));
    scene.write("a", lines("").replace("[s1]", "[s1, s2]"));
    assert_eq!(scene.plan().changes[0].fields[0].kind, Kind::List);
    scene.write("a", lines("").replace("telephone of a clinic", "telephone"));
    assert_eq!(scene.plan().changes[0].fields[0].kind, Kind::Text);
}

#[test]
fn what_is_not_valid_is_a_warning_where_it_is_live_and_declared_alike_and_else_an_error() {
    let hot = |value: &str| manifest("a", "").replace("max_tool_steps: 3", &format!("max_tool_steps: {value}"));
    let scene = applied(manifest("a", ""));
    let mut config = scene.config_of("a");
    config["agent"]["max_tool_steps"] = json!("three");
    for (declared, expected) in [("three", "invalid-as-live"), ("four", "invalid-config")] {
        let mut scene = Scene::new();
        scene.unmanaged("x", "Agent a", Some(config.clone()));
        let text = hot(declared).replace("telephone of a clinic", "telephone");
        scene.write("a", text);
        assert_eq!(codes(&scene.plan()), [expected], "{declared}");
    }
    // What is missing on both sides is the same on both sides.
    config["agent"]["max_tool_steps"] = json!(3);
    config["custom_recording_locations"] = json!([{"provider": "s3", "bucket": "b"}]);
    let mut scene = Scene::new();
    scene.unmanaged("x", "Agent a", Some(config));
    let text = hot("4").replace("config:", "config:\n    custom_recording_locations: [{provider: s3, bucket: b}]");
    scene.write("a", text);
    let found = codes(&scene.plan());
    assert!(!found.is_empty() && found.iter().all(|code| *code == "invalid-as-live"), "{found:?}");
}

#[test]
fn what_was_rolled_back_is_held_until_the_manifest_changes_or_somebody_says_so() {
    let mut scene = applied(manifest("a", ""));
    let id = scene.id("a");
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    let source = scene.resolve().desired[0].source.as_str().to_owned();
    let agent = scene.live.agents.get_mut(&id).unwrap();
    let mut stamp = Stamp::read(&agent.metadata).unwrap().unwrap();
    stamp.state.rollback = Some(RolledBack {
        back: Back { from: 2, to: 1, source, reason: None },
        by: None,
        at: "2026-06-01T12:00:00Z".to_owned(),
    });
    agent.metadata["reachform"] = stamp.write();

    let plan = scene.plan();
    assert_eq!(plan.changes[0].held, Some(Held::Rollback { from: 2, to: 1 }));
    assert!(plan.changes[0].fields.iter().all(|field| field.cause == Cause::Rollback));

    scene.options.redo = [reachform::model::Key::parse("a").unwrap()].into();
    let plan = scene.plan();
    assert_eq!((&plan.changes[0].held, plan.changes[0].fields[0].cause), (&None, Cause::Rollback));

    scene.options.redo.clear();
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 5"));
    let plan = scene.plan();
    assert_eq!((&plan.changes[0].held, plan.changes[0].fields[0].cause), (&None, Cause::Pending));
}

#[test]
fn what_needs_a_look_stands_first_deletes_then_conflicts_then_risks_and_then_the_rest() {
    let mut scene = Scene::new();
    for key in ["a", "b", "c", "d", "z"] {
        scene.write(key, manifest(key, ""));
    }
    scene.apply();
    let live = scene.config_of("a");
    scene.unmanaged("x", "Agent aa", Some(live));
    scene.write("aa", manifest("aa", ""));
    scene.write("ab", manifest("ab", ""));
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    scene.write("b", manifest("b", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    scene.write("c", manifest("c", "active: false"));
    let conflict = scene.id("d");
    scene.dashboard(&conflict, "/agent/max_tool_steps", json!(9));
    scene.write("d", manifest("d", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    scene.files.remove("agents/z.yaml");
    scene.options.prune = true;
    scene.options.limits.delete = 1;
    let plan = scene.plan();
    let order: Vec<&str> = plan.changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(order, ["z", "d", "c", "a", "b", "ab", "aa"]);
}

#[test]
fn where_no_project_says_which_manifests_there_are_nothing_is_an_orphan() {
    let mut scene = applied(manifest("a", ""));
    scene.write("b", manifest("b", ""));
    scene.files.remove("agents/a.yaml");
    assert_eq!(scene.plan().orphans.len(), 1);
    scene.options.has_project = false;
    assert_eq!(scene.plan().orphans, []);
}

#[test]
fn a_null_that_is_no_longer_declared_is_of_no_kind() {
    let with = |more: &str| manifest("a", "").replace("config:", &format!("config:\n    metadata: {{{more}y: 1}}"));
    let mut scene = applied(with("x: null, "));
    scene.write("a", with(""));
    let plan = scene.plan();
    let field = &plan.changes[0].fields[0];
    assert_eq!((field.path.to_string().as_str(), field.kind, field.removal), ("/config/metadata/x", Kind::Other, true));
}

#[test]
fn what_the_service_filled_in_is_one_notice_and_no_error_where_nothing_changes() {
    let mut scene = applied(manifest("a", ""));
    let id = scene.id("a");
    let config = &mut scene.live.agents.get_mut(&id).unwrap().configs.get_mut(&1).unwrap().config;
    let stack = &mut config["agent"]["stack"];
    for place in ["/tts/models/0/model/parameters/voice", "/llm/models/0/model/name", "/stt/models/0/provider"] {
        *stack.pointer_mut(place).unwrap() = json!(null);
    }
    scene.options.refresh = true;
    let plan = scene.plan();
    assert!(!plan.summary().has_changes() && !plan.has_errors(), "{:#?}", plan.diagnostics);
    let [notice] = plan.diagnostics.as_slice() else { panic!("{:#?}", plan.diagnostics) };
    assert_eq!(notice.code, "live-config-invalid");
    assert!(notice.message.contains("values that are live already break the schema"), "{}", notice.message);
}
