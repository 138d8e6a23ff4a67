//! Tests of `plan`: the three-way table on whole agents, numbers, identity, limits, approval.

use reachform::model::{Coverage, Key};
use reachform::plan::{Action, Approval, Held, Plan, Refusal, approve};
use reachform::schema::ConfigSchema;
use serde_json::json;

use crate::scene::{Scene, manifest, schema_with_defaults};

pub(crate) fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn causes(plan: &Plan) -> Vec<(String, &'static str)> {
    let fields = plan.changes.iter().flat_map(|change| &change.fields);
    fields.map(|field| (field.path.to_string(), field.cause.as_str())).collect()
}

pub(crate) fn applied(key: &str, more: &str) -> Scene {
    let mut scene = Scene::new();
    scene.write(key, manifest(key, more));
    scene.apply();
    assert_empty(&scene);
    scene
}

pub(crate) fn assert_empty(scene: &Scene) {
    let plan = scene.plan();
    assert!(!plan.summary().has_changes(), "{:#?}", plan.changes);
    assert!(plan.diagnostics.is_empty(), "{:#?}", plan.diagnostics);
    assert!(plan.refreshes.is_empty(), "{:#?}", plan.refreshes);
}

const STEPS: &str = "/config/agent/max_tool_steps";

#[test]
fn a_new_manifest_creates_and_the_second_plan_is_empty() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    let plan = scene.plan();
    assert_eq!(plan.changes[0].action, Action::Create);
    assert_eq!(plan.summary().create, 1);
    scene.apply();
    assert_empty(&scene);
}

#[test]
fn a_change_in_git_is_pending_and_keeps_what_is_undeclared() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/scorecard_ids", json!(["s1"]));
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 5"));
    let plan = scene.plan();
    assert_eq!(causes(&plan), [(STEPS.to_owned(), "pending")]);
    assert_eq!(plan.changes[0].kept.len(), 1);
    assert_eq!(plan.changes[0].base_version, Some(2));
    scene.apply();
    assert_eq!(scene.config_of("a")["scorecard_ids"], json!(["s1"]));
    assert_eq!(scene.config_of("a")["agent"]["max_tool_steps"], json!(5));
    assert_empty(&scene);
}

#[test]
fn an_edit_in_the_dashboard_is_drift_and_says_who() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/max_tool_steps", json!(9));
    let plan = scene.plan();
    assert_eq!(causes(&plan), [(STEPS.to_owned(), "drift")]);
    assert_eq!(plan.summary().drift, 1);
    assert_eq!(plan.changes[0].live_editor.as_ref().unwrap().by.as_deref(), Some("a person"));
    scene.apply();
    assert_eq!(scene.config_of("a")["agent"]["max_tool_steps"], json!(3));
    assert_empty(&scene);
}

#[test]
fn a_change_on_both_sides_is_a_conflict_that_is_held_until_somebody_saw_it() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/max_tool_steps", json!(9));
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 5"));
    let plan = scene.plan();
    assert_eq!(causes(&plan), [(STEPS.to_owned(), "conflict")]);
    assert_eq!(plan.changes[0].held, Some(Held::Conflict));
    assert!(plan.changes[0].fields[0].applied.is_some());
    let auto = approve(plan.clone(), &Approval::Auto).unwrap();
    assert_eq!(auto.plan().changes[0].held, Some(Held::Conflict));
    let seen = approve(plan, &Approval::Person).unwrap();
    assert_eq!(seen.plan().changes[0].held, None);
    scene.options.force_conflicts = true;
    assert_eq!(scene.plan().changes[0].held, None);
}

#[test]
fn the_same_change_on_both_sides_is_in_place() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/max_tool_steps", json!(5));
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 5"));
    let plan = scene.plan();
    assert!(!plan.summary().has_changes());
    assert_eq!(plan.refreshes.len(), 1);
    scene.apply();
    assert_empty(&scene);
}

#[test]
fn the_services_own_rendering_is_no_change() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    // The service rewrote a voice when it stored the version, and the stamp knows: version and stamp are as read back.
    let agent = scene.live.agents.get_mut(&id).unwrap();
    let config = &mut agent.configs.get_mut(&1).unwrap().config;
    config["agent"]["stack"]["tts"]["models"][0]["model"]["parameters"]["voice"] = json!("v2");
    scene.options.refresh = true;
    assert!(!scene.plan().summary().has_changes());
}

#[test]
fn a_path_that_is_no_longer_declared_goes_unless_it_is_released() {
    let without = manifest("a", "").replace("      max_tool_steps: 3\n", "");
    let mut scene = applied("a", "");
    scene.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 7"));
    scene.apply();
    scene.write("a", without.clone());
    let plan = scene.plan();
    assert_eq!(causes(&plan), [(STEPS.to_owned(), "pending")]);
    assert!(plan.changes[0].fields[0].removal);
    scene.write("a", format!("{without}release: [{STEPS}]\n"));
    assert!(!scene.plan().summary().has_changes());
    scene.write("a", without);
    scene.apply();
    assert!(scene.config_of("a")["agent"].get("max_tool_steps").is_none());
    assert_empty(&scene);
}

#[test]
fn removing_what_the_schema_requires_is_an_error_that_offers_release() {
    let mut scene = applied("a", "");
    let text = manifest("a", "").replace("      tools: []\n", "");
    scene.write("a", text);
    let plan = scene.plan();
    assert_eq!(codes(&plan), ["removal-of-a-required-field"]);
    assert!(plan.diagnostics[0].hints[0].contains("release: [/config/agent/tools]"));
}

/// A manifest with one more line in its config: of the agent where it is indented by six, else beside it.
fn with(line: &str) -> String {
    let before = if line.starts_with("      ") { "      max_tool_steps: 3" } else { "    agent:" };
    manifest("a", "").replace(before, &format!("{line}\n{before}"))
}

/// Applied with one more line, perhaps edited in the dashboard, then applied without it: the config at the end.
fn taken_out(line: &str, edit: Option<(&str, serde_json::Value)>) -> serde_json::Value {
    let mut scene = Scene::new();
    scene.write("a", with(line));
    scene.apply();
    if let Some((path, value)) = edit {
        let id = scene.id("a");
        scene.dashboard(&id, path, value);
    }
    scene.write("a", manifest("a", ""));
    let plan = scene.plan();
    assert!(!plan.has_errors(), "{:?}", plan.diagnostics);
    scene.apply();
    assert_empty(&scene);
    scene.config_of("a")
}

#[test]
fn a_tool_that_its_presence_switches_on_is_gone_when_git_no_longer_declares_it() {
    let tools = |config: &serde_json::Value| config["agent"].get("built_in_tools").cloned();
    for tool in [
        "images: {allow_user_uploads: true}",
        "time_tool: {default_timezone: Europe/Berlin}",
        "continue_on_phone: {agent_id: agent-9}",
        // Equal to the default, so that no value goes with it.
        "images: {on_blocked: null}",
    ] {
        let config = taken_out(&format!("      built_in_tools: {{{tool}}}"), None);
        assert_eq!(tools(&config), None, "{tool}");
    }
    let images = "      built_in_tools: {images: {allow_user_uploads: true}}";
    let filled = json!({"allow_user_uploads": true, "routes": null});
    assert_eq!(tools(&taken_out(images, Some(("/agent/built_in_tools/images", filled)))), None);
    let clock = json!({"default_timezone": "UTC"});
    let config = taken_out(images, Some(("/agent/built_in_tools/time_tool", clock.clone())));
    assert_eq!(tools(&config), Some(json!({"time_tool": clock})));
    let theirs = json!({"allow_user_uploads": true, "default_tier": "fast"});
    let config = taken_out(images, Some(("/agent/built_in_tools/images", theirs)));
    assert_eq!(tools(&config), Some(json!({"images": {"default_tier": "fast"}})));
}

#[test]
fn an_object_with_required_content_can_be_taken_out_as_a_whole() {
    for (place, line) in [
        ("/voicemail_detection", "    voicemail_detection: {beep_detection_threshold: 0.5, beep_detection_timeout: 5}"),
        ("/noise_cancellation", "    noise_cancellation: {models: [{provider: livekit, model: {name: bvc}}]}"),
        ("/agent/language", "      language: {languages: [en]}"),
        ("/agent/built_in_tools", "      built_in_tools: {forms: {forms: []}}"),
    ] {
        let config = taken_out(line, None);
        assert_eq!(config.pointer(place), None, "{config}");
    }
}

#[test]
fn an_object_that_is_not_valid_without_what_git_declared_goes_and_shows_what_else_it_held() {
    let line = "    voicemail_detection: {beep_detection_threshold: 0.5, beep_detection_timeout: 5}";
    let theirs = json!({"beep_detection_threshold": 0.5, "beep_detection_timeout": 5, "note": "theirs"});
    let mut scene = Scene::new();
    scene.write("a", with(line));
    scene.apply();
    let id = scene.id("a");
    scene.dashboard(&id, "/voicemail_detection", theirs);
    scene.write("a", manifest("a", ""));
    let plan = scene.plan();
    assert!(!plan.has_errors(), "{:?}", plan.diagnostics);
    let note = plan.changes[0].fields.iter().find(|field| field.path.last() == Some("note"));
    let note = note.unwrap_or_else(|| panic!("{:#?}", plan.changes[0].fields));
    assert!(note.removal && note.risk.as_ref().unwrap().0.contains("goes as a whole"), "{note:?}");
    scene.apply();
    assert_eq!(scene.config_of("a").get("voicemail_detection"), None);
    assert_empty(&scene);
}

#[test]
fn a_stack_can_go_to_realtime_and_back() {
    let speech = manifest("a", "");
    let start = speech.find("        type: stt_llm_tts").unwrap();
    let realtime = format!(
        "{}        type: realtime\n        llm: {{models: [{{provider: openai, model: {{name: gpt-4.1, parameters: {{temperature: 0.4}}}}}}]}}\n",
        &speech[..start]
    );
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/stack/of_the_old_branch", json!(1));
    scene.write("a", realtime);
    let plan = scene.plan();
    assert!(!plan.has_errors(), "{:?}", plan.diagnostics);
    scene.apply();
    assert_empty(&scene);
    let config = scene.config_of("a");
    let stack: Vec<&String> = config["agent"]["stack"].as_object().unwrap().keys().collect();
    assert_eq!(stack, ["type", "llm"]);
    scene.write("a", speech);
    assert!(!scene.plan().has_errors());
    scene.apply();
    assert_empty(&scene);
    assert_eq!(scene.config_of("a")["agent"]["stack"].as_object().unwrap().len(), 5);
}

#[test]
fn an_ignored_path_keeps_its_live_value_until_the_entry_ends() {
    let ignore = format!("ignore: [{{path: {STEPS}, reason: test, until: 2026-06-30}}]");
    let mut scene = applied("a", &ignore);
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/max_tool_steps", json!(9));
    let plan = scene.plan();
    assert!(!plan.summary().has_changes(), "{:?}", causes(&plan));
    scene.options.today = jiff::civil::date(2026, 7, 1);
    let plan = scene.plan();
    assert_eq!(causes(&plan).len(), 1);
    assert!(plan.notices.iter().any(|notice| notice.code == "ignore-expired"));
}

#[test]
fn another_branch_of_a_union_replaces_the_object_and_lists_what_goes() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.dashboard(&id, "/agent/starting_message/allow_interruptions", json!(false));
    scene.dashboard(&id, "/agent/starting_message/pregenerated_greeting_audio", json!(true));
    scene.write(
        "a",
        manifest("a", "").replace(
            "{type: bot_initiates_static, text: Hello}",
            "{type: bot_initiates_dynamic, prompt: Greet the caller}",
        ),
    );
    let plan = scene.plan();
    let paths: Vec<String> = causes(&plan).into_iter().map(|(path, _)| path).collect();
    assert!(paths.contains(&"/config/agent/starting_message/pregenerated_greeting_audio".to_owned()), "{paths:?}");
    scene.apply();
    let message = &scene.config_of("a")["agent"]["starting_message"];
    assert_eq!(
        *message,
        json!({"type": "bot_initiates_dynamic", "prompt": "Greet the caller", "allow_interruptions": false})
    );
    assert_empty(&scene);
}

#[test]
fn an_agent_of_the_same_name_is_adopted_and_two_of_them_are_an_error() {
    let mut scene = applied("a", "");
    let config = scene.config_of("a");
    scene.live.agents.clear();
    scene.unmanaged("x1", "Agent a", Some(config.clone()));
    let plan = scene.plan();
    assert_eq!(plan.changes[0].action, Action::Adopt);
    scene.apply();
    assert_empty(&scene);
    scene.live.agents.clear();
    scene.unmanaged("x1", "Agent a", Some(config.clone()));
    scene.unmanaged("x2", "Agent a", Some(config));
    assert_eq!(codes(&scene.plan()), ["name-is-ambiguous"]);
    scene.write("a", manifest("a", "id: x2"));
    assert_eq!(scene.plan().changes[0].agent_id.as_deref(), Some("x2"));
}

#[test]
fn a_copied_stamp_counts_as_none() {
    let mut scene = applied("a", "");
    let mut copy = scene.live.agents[&scene.id("a")].clone();
    copy.id = "copy".to_owned();
    copy.name = "Copy".to_owned();
    scene.live.agents.insert("copy".to_owned(), copy);
    let plan = scene.plan();
    assert!(!plan.summary().has_changes());
    assert_eq!(plan.unmanaged.len(), 1);
    assert!(plan.orphans.is_empty());
}

#[test]
fn a_renamed_key_is_an_error_with_the_line_to_add_and_moved_is_no_recreation() {
    let mut scene = applied("a", "phone_numbers: {inbound: [\"+15550100001\"]}");
    let text = scene.files.remove("agents/a.yaml").unwrap().replace("key: a", "key: b");
    scene.write("b", text.clone());
    let plan = scene.plan();
    assert_eq!(codes(&plan), ["key-was-renamed"]);
    assert!(plan.diagnostics[0].hints[0].contains("moved: [a]"));
    scene.write("b", format!("{text}moved: [a]\n"));
    let plan = scene.plan();
    assert!(plan.changes.iter().all(|change| change.action != Action::Create), "{:?}", plan.changes);
    scene.apply();
    assert_eq!(scene.id("b"), "ag_1");
    assert_empty(&scene);
}

#[test]
fn an_agent_of_another_project_is_not_ours() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().metadata["reachform"]["project"] = json!("other");
    let plan = scene.plan();
    assert_eq!(plan.changes[0].action, Action::Create);
    assert_eq!(codes(&plan), ["name-in-another-project"]);
    assert_eq!(plan.unmanaged[0].owner.as_ref().unwrap().0, "other");
}

#[test]
fn a_stamp_that_cannot_be_read_stops_its_agent_rather_than_making_a_second_one() {
    let mut scene = applied("a", "");
    let id = scene.id("a");
    scene.live.agents.get_mut(&id).unwrap().metadata["reachform"]["v"] = json!(9);
    let plan = scene.plan();
    assert_eq!(codes(&plan), ["stamp-unreadable"]);
    assert!(plan.changes.is_empty());
    // Renamed in the dashboard, it is still the one of this key.
    scene.live.agents.get_mut(&id).unwrap().name = "Another name".to_owned();
    let plan = scene.plan();
    assert_eq!((codes(&plan), plan.changes.len()), (vec!["stamp-unreadable"], 0));
    // One of another key is nobody's here.
    scene.live.agents.get_mut(&id).unwrap().metadata["reachform"]["key"] = json!("other");
    assert_eq!(scene.plan().summary().create, 1);
}

#[test]
fn a_partial_reading_creates_and_deletes_nothing() {
    let mut scene = applied("a", "");
    scene.write("b", manifest("b", ""));
    scene.files.remove("agents/a.yaml");
    scene.options.prune = true;
    scene.options.limits.delete = 9;
    assert_eq!(scene.plan().summary().delete, 1);
    scene.live.agent_coverage = Coverage::Incomplete("the connection broke".to_owned());
    let plan = scene.plan();
    assert!(!plan.complete && !plan.is_applyable());
    assert!(plan.changes.iter().all(|change| !matches!(change.action, Action::Create | Action::Delete)));
    scene.live.agent_coverage = Coverage::Unproven("a tie".to_owned());
    assert_eq!(scene.plan().summary().delete, 0);
    scene.live.agent_coverage = Coverage::Forbidden("403".to_owned());
    let plan = scene.plan();
    assert!(codes(&plan).contains(&"agents-forbidden") && !plan.complete, "{:?}", codes(&plan));
}

#[test]
fn what_only_the_stamp_says_is_brought_up_to_date_by_itself() {
    let mut scene = applied("a", "");
    scene.write("a", manifest("a", "protect: true"));
    let plan = scene.plan();
    assert_eq!((plan.summary().has_changes(), plan.refreshes.len()), (false, 1), "protection");
    scene.apply();
    assert_empty(&scene);
    let id = scene.id("a");
    scene.dashboard(&id, "/scorecard_ids", json!(["s1"]));
    let plan = scene.plan();
    assert_eq!((plan.summary().has_changes(), plan.refreshes.len()), (false, 1), "another live version");
    scene.apply();
    assert_empty(&scene);
}

#[test]
fn the_work_of_a_change_never_prints_what_it_sends() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    assert_eq!(format!("{:?}", scene.plan().changes[0].work), "Work(…)");
}

#[test]
fn an_orphan_is_shown_and_pruned_only_within_the_limits_and_never_when_protected() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", "protect: true"));
    scene.write("b", manifest("b", ""));
    scene.write("c", manifest("c", ""));
    scene.apply();
    scene.files.remove("agents/a.yaml");
    scene.files.remove("agents/b.yaml");
    let plan = scene.plan();
    assert_eq!((plan.summary().orphaned, plan.summary().delete), (2, 0));
    scene.options.prune = true;
    let plan = scene.plan();
    assert_eq!((plan.summary().orphaned, plan.summary().delete), (1, 1));
    assert_eq!(plan.breaches[0].flag, "--max-delete 1");
    assert!(matches!(approve(plan, &Approval::Person), Err(Refusal::Limits(_))));
    scene.options.limits.delete = 1;
    scene.apply();
    assert_eq!(scene.live.agents.len(), 2);
}

#[test]
fn an_orphan_that_a_number_points_at_is_not_pruned() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", "phone_numbers: {inbound: [\"+15550100001\"]}"));
    scene.write("b", manifest("b", ""));
    scene.apply();
    scene.files.remove("agents/a.yaml");
    scene.options.prune = true;
    let plan = scene.plan();
    assert_eq!(plan.summary().delete, 0);
    assert!(plan.orphans[0].kept_because.as_ref().unwrap().contains("+15550100001"));
}

#[test]
fn nothing_is_pruned_by_a_plan_with_errors() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    scene.write("b", manifest("b", ""));
    scene.apply();
    scene.files.remove("agents/a.yaml");
    scene.options.prune = true;
    scene.options.limits.delete = 1;
    assert_eq!(scene.plan().summary().delete, 1);
    scene.write("b", manifest("b", "phone_numbers: {inbound: [\"+15559999999\"]}"));
    let plan = scene.plan();
    assert_eq!(plan.summary().delete, 0, "{:?}", codes(&plan));
    assert_eq!(plan.orphans[0].kept_because.as_deref(), Some("the plan has errors"));
}

#[test]
fn changing_more_than_half_of_five_agents_needs_a_flag_that_is_printed() {
    let mut scene = Scene::new();
    for key in ["a", "b", "c", "d", "e"] {
        scene.write(key, manifest(key, ""));
    }
    scene.apply();
    for key in ["a", "b", "c"] {
        scene.write(key, manifest(key, "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    }
    let breach = scene.plan().breaches.remove(0);
    assert_eq!(breach.flag, "--max-change-percent 60");
    assert_eq!(breach.message, "the plan changes 3 of 5 live agents (60%), and the limit is 50%");
    scene.options.limits.change_percent = 60;
    assert!(scene.plan().breaches.is_empty());
}

#[test]
fn the_order_of_files_and_keys_changes_no_hash_and_a_character_does() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    scene.write("b", manifest("b", "description: one"));
    let hash = scene.plan().plan_hash;
    let mut other = Scene::new();
    other.write("z1", "description: one\n".to_owned() + &manifest("b", ""));
    other.write("z2", manifest("a", "# a comment"));
    assert_eq!(other.plan().plan_hash, hash);
    other.write("z1", "description: One\n".to_owned() + &manifest("b", ""));
    assert_ne!(other.plan().plan_hash, hash);
}

#[test]
fn an_approved_hash_holds_again_after_a_part_of_it_was_applied() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    scene.write("b", manifest("b", ""));
    let plan = scene.plan();
    let approved = plan.plan_hash.clone();
    assert!(approve(plan.clone(), &Approval::Hash(&approved)).is_ok());
    // The run was killed after `a`: its stamp names the plan and the change.
    scene.apply();
    let id = scene.id("b");
    scene.live.agents.remove(&id);
    let id = scene.id("a");
    let agent = scene.live.agents.get_mut(&id).unwrap();
    let mut stamp = reachform::model::Stamp::read(&agent.metadata).unwrap().unwrap();
    let applied = stamp.state.applied.as_mut().unwrap();
    applied.plan = approved.to_string();
    applied.change = plan.changes.iter().find(|change| change.key.as_str() == "a").unwrap().change_hash.to_string();
    agent.metadata["reachform"] = stamp.write();
    assert!(approve(scene.plan(), &Approval::Hash(&approved)).is_ok());
    scene.write("b", manifest("b", "description: new"));
    assert!(matches!(approve(scene.plan(), &Approval::Hash(&approved)), Err(Refusal::AnotherPlan(_))));
}

#[test]
fn a_targeted_plan_says_so_and_leaves_the_others_alone() {
    let mut scene = Scene::new();
    scene.write("a", manifest("a", ""));
    scene.write("b", manifest("b", ""));
    scene.options.targets.insert(Key::parse("a").unwrap());
    let plan = scene.plan();
    assert!(plan.targeted);
    assert_eq!(plan.changes.len(), 1);
}

#[test]
fn a_service_that_fills_defaults_into_lists_and_objects_is_no_drift() {
    let tool = "tools: [{name: t, description: d, actions: [{type: play_message, message: Hi}]}]";
    let mut scene = Scene::new();
    scene.schema = ConfigSchema::compile(schema_with_defaults().to_string().as_bytes()).unwrap().into();
    scene.write("a", manifest("a", "").replace("tools: []", tool));
    scene.apply();
    let id = scene.id("a");
    let mut filled = scene.config_of("a");
    filled["agent"]["tools"][0]["actions"][0]["generate"] = json!(false);
    filled["agent"]["tools"][0]["actions"][0]["wait_for_playout"] = json!(true);
    filled["agent"]["starting_message"]["allow_interruptions"] = json!(true);
    filled["version"] = json!("1");
    scene.publish(&id, filled, "the service");
    let plan = scene.plan();
    assert!(!plan.summary().has_changes(), "{:?}", causes(&plan));
}

#[test]
fn the_order_of_manifests_changes_no_byte_of_text_or_document() {
    let mut scene = applied("a", "phone_numbers: {inbound: [\"+15550100001\"]}");
    scene.write("a", manifest("a", "description: new"));
    for key in ["b", "c", "d"] {
        scene.write(key, manifest(key, ""));
    }
    let resolved = scene.resolve();
    let (target, source) = (Scene::target(), reachform::plan::Source::default());
    let shown = |desired: &[reachform::model::Desired]| {
        let inputs = reachform::plan::Inputs {
            desired,
            live: &scene.live,
            target: &target,
            source: &source,
            options: &scene.options,
        };
        let plan = reachform::plan::build(&inputs, scene.schema.as_ref());
        let text = reachform::render::text::plan_text(&plan, &reachform::render::text::TextOptions::default());
        text + &reachform::render::json::plan_document(&plan, &resolved.sources)
    };
    let mut reversed = resolved.desired.clone();
    reversed.reverse();
    assert_eq!(shown(&resolved.desired), shown(&reversed));
}
