//! What is no longer declared, what never was, and what stands beside a declaration: removals, edits that stay, risks.

use reachform::diagnostics::SourceMap;
use reachform::model::FieldPath;
use reachform::plan::{FieldChange, KeptEdit, Plan};
use reachform::render::html::{PageContext, plan_page};
use reachform::render::json::plan_document;
use reachform::render::markdown::{CommentContext, plan_comment};
use reachform::render::text::{TextOptions, plan_text};
use serde_json::{Value, json};

use crate::scene::{Scene, manifest};

/// The manifest with further lines below `config.agent`.
fn with(lines: &str) -> String {
    manifest("a", "").replace("max_tool_steps: 3", &format!("max_tool_steps: 3\n      {lines}"))
}

fn applied(lines: &str) -> Scene {
    let mut scene = Scene::new();
    scene.write("a", with(lines));
    scene.apply();
    assert!(!scene.plan().summary().has_changes());
    scene
}

fn fields(plan: &Plan) -> Vec<&FieldChange> {
    plan.changes.iter().flat_map(|change| &change.fields).collect()
}

/// Path, cause, and whether it is a removal.
fn told(plan: &Plan) -> Vec<(String, &'static str, bool)> {
    fields(plan).iter().map(|field| (field.path.to_string(), field.cause.as_str(), field.removal)).collect()
}

fn one(path: &str, cause: &'static str, removal: bool) -> Vec<(String, &'static str, bool)> {
    vec![(path.to_owned(), cause, removal)]
}

const OVERRIDES: &str = "/config/agent/channel_overrides";
const BELOW: &str = "/config/agent/channel_overrides/phone/max_tool_steps";

#[test]
fn a_declaration_that_goes_deeper_or_less_deep_than_before_removes_nothing_beside_it() {
    let mut scene = applied("channel_overrides: {}");
    scene.write("a", with("channel_overrides: {phone: {max_tool_steps: 2}}"));
    assert_eq!(told(&scene.plan()), one(BELOW, "pending", false));

    let mut scene = applied("channel_overrides: {phone: {max_tool_steps: 2}}");
    scene.write("a", with("channel_overrides: null"));
    assert_eq!(told(&scene.plan()), one(OVERRIDES, "pending", false));
}

#[test]
fn an_empty_object_in_place_of_a_filled_one_takes_out_what_was_declared_in_it() {
    let mut scene = applied("channel_overrides: {phone: {max_tool_steps: 2}}");
    scene.write("a", with("channel_overrides: {}"));
    assert_eq!(told(&scene.plan()), one(BELOW, "pending", true));
}

const INTERRUPTIONS: &str = "/config/agent/allow_interruptions";

#[test]
fn a_removal_is_a_conflict_only_where_the_value_itself_was_edited() {
    for (place, value, cause) in
        [("/agent/video_input", json!(true), "pending"), ("/agent/allow_interruptions", json!(false), "conflict")]
    {
        let mut scene = applied("allow_interruptions: true");
        let id = scene.id("a");
        scene.dashboard(&id, place, value);
        scene.write("a", with(""));
        let plan = scene.plan();
        assert_eq!(told(&plan), one(INTERRUPTIONS, cause, true));
        assert!(plan.changes[0].kept.iter().all(|edit| edit.path.to_string() != INTERRUPTIONS), "{:?}", kept(&plan));
        // What was applied is shown beside what is live only where the two differ.
        assert_eq!(fields(&plan)[0].applied.is_some(), cause == "conflict", "{place}");
    }
}

#[test]
fn a_field_that_is_let_go_stays_as_it_is_also_where_another_one_changes() {
    for rule in [format!("release: [{INTERRUPTIONS}]"), format!("ignore: [{{path: {INTERRUPTIONS}, reason: a test}}]")]
    {
        let mut scene = applied("allow_interruptions: true");
        let text = with("").replace("telephone of a clinic", "telephone");
        scene.write("a", format!("{text}{rule}\n"));
        assert_eq!(told(&scene.plan()), one("/config/agent/instructions", "pending", false), "{rule}");
        scene.apply();
        assert_eq!(scene.config_of("a")["agent"]["allow_interruptions"], json!(true), "{rule}");
        assert!(!scene.plan().summary().has_changes(), "{rule}");
    }
}

#[test]
fn an_ignore_that_matches_nothing_is_told_and_one_that_matches_is_not() {
    let notices = |path: &str| -> Vec<&'static str> {
        let mut scene = applied("allow_interruptions: true");
        scene.write("a", format!("{}ignore: [{{path: {path}, reason: a test}}]\n", with("allow_interruptions: true")));
        scene.plan().notices.iter().map(|notice| notice.code).collect()
    };
    assert_eq!(notices(INTERRUPTIONS), Vec::<&str>::new());
    assert_eq!(notices("/config/agent/no_such_field"), ["ignore-matches-nothing"]);
}

#[test]
fn a_text_that_is_removed_is_a_risk_and_a_word_is_not() {
    let (long, just_short) = ("x".repeat(81), "x".repeat(80));
    for (text, is_risk) in
        [(long.as_str(), true), (just_short.as_str(), false), ("\"two\\nlines\"", true), ("short", false)]
    {
        let voicemail =
            |text: &str| manifest("a", "").replace("      instructions: You answer the telephone of a clinic.\n", text);
        let mut scene = Scene::new();
        scene.write("a", voicemail(&format!("      instructions: {text}\n")));
        scene.apply();
        scene.write("a", voicemail(""));
        let plan = scene.plan();
        assert_eq!(told(&plan), one("/config/agent/instructions", "pending", true), "{text}");
        let risk = fields(&plan)[0].risk.as_ref().map(|risk| risk.0.as_str());
        assert_eq!(risk, is_risk.then_some("a text is removed"), "{text}");
    }
}

fn kept(plan: &Plan) -> Vec<KeptEdit> {
    let unchanged = plan.unchanged.iter().flat_map(|entry| &entry.kept);
    unchanged.chain(plan.changes.iter().flat_map(|change| &change.kept)).cloned().collect()
}

#[test]
fn of_what_git_does_not_declare_exactly_the_edits_since_the_last_apply_are_listed_as_kept() {
    let scene = applied("");
    let mut config = scene.config_of("a");
    config["scorecard_ids"] = json!(["s1"]);
    config["agent"]["video_input"] = json!(true);
    config["noise_cancellation"] = Value::Null;
    config["voicemail_detection"] = json!({"beep_detection_threshold": 0.9, "beep_detection_timeout": 10});
    let mut scene = Scene::new();
    scene.unmanaged("x", "Agent a", Some(config));
    scene.write("a", with(""));
    scene.apply();
    assert_eq!(kept(&scene.plan()), []);

    scene.dashboard("x", "/agent/video_input", json!(false));
    scene.dashboard("x", "/agent/max_tool_steps", json!(3));
    scene.dashboard("x", "/noise_cancellation", json!({"models": [{"provider": "livekit", "model": {"name": "bvc"}}]}));
    scene.dashboard("x", "/voicemail_detection", Value::Null);
    let found: Vec<String> = kept(&scene.plan()).iter().map(|edit| edit.path.to_string()).collect();
    let expected = [
        "/config/agent/video_input",
        "/config/noise_cancellation",
        "/config/noise_cancellation/models",
        "/config/voicemail_detection",
        "/config/voicemail_detection/beep_detection_threshold",
        "/config/voicemail_detection/beep_detection_timeout",
    ];
    assert_eq!(found, expected);

    // Where the config is written as well, they are listed with the change, and stay.
    scene.write("a", with("").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    let plan = scene.plan();
    assert_eq!(plan.changes[0].kept.len(), expected.len());
    scene.apply();
    assert_eq!(scene.config_of("a")["agent"]["video_input"], json!(false));
}

#[test]
fn a_declared_list_is_ours_as_a_whole_and_an_edit_in_it_is_not_kept() {
    let mut scene = Scene::new();
    let ids = |list: &str| manifest("a", "").replace("config:", &format!("config:\n    scorecard_ids: {list}"));
    scene.write("a", ids("[s1]"));
    scene.apply();
    let id = scene.id("a");
    scene.dashboard(&id, "/scorecard_ids", json!(["s1", "s2"]));
    let plan = scene.plan();
    assert_eq!(told(&plan), one("/config/scorecard_ids", "drift", false));
    assert_eq!(kept(&plan), []);
}

#[test]
fn a_leaf_of_metadata_is_in_place_only_where_it_is_the_same_and_an_empty_object_where_there_is_one() {
    for (declared, live, expected) in [
        ("x", json!({"id": 1}), vec!["/metadata/crm"]),
        ("{}", json!({"id": 1}), vec![]),
        ("{}", json!("x"), vec!["/metadata/crm"]),
        ("x", json!("x"), vec![]),
        ("x", json!("y"), vec!["/metadata/crm"]),
        ("{id: 2, name: n}", json!({"id": 1, "name": "n"}), vec!["/metadata/crm/id"]),
    ] {
        let mut scene = Scene::new();
        scene.unmanaged("x", "Agent a", None);
        scene.live.agents.get_mut("x").unwrap().metadata = json!({"crm": live, "theirs": 1});
        scene.write("a", format!("key: a\nname: Agent a\nmetadata: {{crm: {declared}}}\n"));
        let plan = scene.plan();
        let found: Vec<String> = fields(&plan).iter().map(|field| field.path.to_string()).collect();
        assert_eq!(found, expected, "{declared} {live}");
        scene.apply();
        assert!(!scene.plan().summary().has_changes(), "{declared} {live}");
        assert_eq!(scene.live.agents["x"].metadata["theirs"], json!(1));
    }
}

#[test]
fn an_agent_that_is_turned_off_is_a_risk_and_nothing_else_of_that_name_is() {
    let risks = |scene: &Scene| -> Vec<String> {
        let plan = scene.plan();
        fields(&plan).iter().filter(|field| field.risk.is_some()).map(|field| field.path.to_string()).collect()
    };
    let mut scene = Scene::new();
    scene.write("a", "key: a\nname: Agent a\nactive: false\n");
    assert_eq!(risks(&scene), Vec::<String>::new(), "a new agent rings nowhere yet");
    scene.write("a", "key: a\nname: Agent a\nactive: true\nmetadata: {crm: {active: true}}\n");
    scene.apply();
    scene.write("a", "key: a\nname: Agent a\nactive: false\nmetadata: {crm: {active: false}}\n");
    assert_eq!(risks(&scene), ["/active"]);
    scene.apply();
    scene.write("a", "key: a\nname: Agent a\nactive: true\nmetadata: {crm: {active: false}}\n");
    assert_eq!(risks(&scene), Vec::<String>::new());
}

#[test]
fn a_run_that_died_before_it_published_leaves_what_was_applied_as_it_was_also_where_it_reads_otherwise() {
    let mut scene = applied("allow_interruptions: true");
    let id = scene.id("a");
    let agent = scene.live.agents.get_mut(&id).unwrap();
    let mut stamp = reachform::model::Stamp::read(&agent.metadata).unwrap().unwrap();
    let applied = stamp.state.applied.clone().unwrap();
    stamp.state.intent = Some(reachform::model::Intent {
        run: "dead".to_owned(),
        plan: "sha256:dead".to_owned(),
        change: "sha256:dead".to_owned(),
        base: Some(1),
        highest: 1,
        by: None,
        fields: applied.fields,
        verify: None,
        source: None,
        rollback: None,
        shown: std::collections::BTreeMap::new(),
    });
    agent.metadata["reachform"] = stamp.write();
    // This credential is shown another rendering of the version than the one that applied it was.
    agent.configs.get_mut(&1).unwrap().config["agent"]["allow_interruptions"] = json!("yes");
    scene.write("a", with("allow_interruptions: false"));
    assert_eq!(told(&scene.plan()), one(INTERRUPTIONS, "pending", false), "Git changed it, and nobody else");
}

#[test]
fn a_value_that_makes_room_for_one_of_any_other_kind_is_shown_in_every_output() {
    let kinds = |side: &str| {
        let word = |n: usize| format!("{side}word{n}");
        [
            json!(word(0)),
            json!(format!("{} one\n\n{} two\n", word(1), word(2))),
            json!(4_200 + side.len()),
            json!(side.len() == 1),
            json!([word(3), word(4)]),
            json!({"a": word(5)}),
            json!({"a": {"b": [word(6)]}, "c": word(7)}),
            json!([{"name": word(8), "x": {"y": word(9)}}]),
        ]
    };
    let (old, new) = (kinds("o"), kinds("newer"));
    let tokens = |value: &Value| -> Vec<String> {
        let leaves = reachform::model::value::leaves(value, &FieldPath::root()).into_iter();
        let texts = leaves.map(|(_, leaf)| leaf.to_string().replace("\\n", " "));
        let words =
            texts.flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>());
        words.filter(|word| word.len() > 3).collect()
    };
    for (was, is) in old.iter().flat_map(|was| new.iter().map(move |is| (was, is))) {
        let with =
            |value: &Value| manifest("a", "").replace("config:", &format!("config:\n    metadata: {{k: {value}}}"));
        let mut scene = Scene::new();
        scene.write("a", with(was));
        scene.apply();
        let live = scene.plan();
        assert!(!live.summary().has_changes());
        scene.write("a", with(is));
        let plan = scene.plan();
        let wanted: Vec<String> = tokens(was).into_iter().chain(tokens(is)).collect();
        for output in outputs(&plan) {
            let missing = wanted.iter().find(|word| !output.contains(word.as_str()));
            assert!(missing.is_none(), "{was} → {is}: {missing:?} is not in\n{output}");
        }
        // What is shown to go goes, and what is live is what was shown.
        scene.apply();
        assert_eq!(&scene.config_of("a")["metadata"]["k"], is);
    }
}

fn outputs(plan: &Plan) -> [String; 4] {
    [
        plan_text(plan, &TextOptions::default()),
        plan_comment(plan, &SourceMap::default(), &CommentContext::default()).text,
        plan_page(plan, &SourceMap::default(), &PageContext::default()),
        plan_document(plan, &SourceMap::default()),
    ]
}
