//! Whoever approves a plan sees all of it: every changed leaf, on every side, once.

use reachform::diagnostics::SourceMap;
use reachform::model::{Direction, Origin, Verify};
use reachform::plan::{Action, AgentChange, Cause, Held, Plan, Shown, SlotTarget, VerifyChange};
use reachform::render::html::{PageContext, plan_page};
use reachform::render::json::plan_document;
use reachform::render::markdown::{
    CommentContext, Maker, Status, difference_comment, drift_body, plan_comment, status_comment,
};
use reachform::render::style::{Detail, Styles};
use reachform::render::text::{TextOptions, plan_text};
use reachform::render::view::Place;
use serde_json::{Value, json};

use super::build::{caused, change, difference_of, drift_of, editor, field, held_by, plan, prompt, slot};
use super::context;

fn text(plan: &Plan) -> String {
    plan_text(plan, &TextOptions::default())
}

fn tools(before: Value, after: Value) -> Plan {
    let mut desk = change("front-desk", Action::Update);
    desk.fields = vec![field("/config/agent/tools", before, after)];
    plan(vec![desk])
}

fn has(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_renamed_tool_shows_the_number_that_it_now_calls() {
    let before = json!([{"type": "transfer_call", "name": "transfer_to_front_desk", "transfer_number": "+15550002222",
        "description": "Transfers the caller to the front desk."}, {"type": "end_call", "name": "end_call"}]);
    let after = json!([{"type": "transfer_call", "name": "transfer_to_manager", "transfer_number": "+19005550199",
        "description": "Transfers the caller to the manager."}, {"type": "end_call", "name": "end_call"}]);
    has(
        &text(&tools(before, after)),
        &[
            "~ transfer_to_manager (3 fields)",
            "/name             \"transfer_to_front_desk\" → \"transfer_to_manager\"",
            "/transfer_number  \"+15550002222\" → \"+19005550199\"",
        ],
    );
}

#[test]
fn added_and_removed_items_show_their_leaves() {
    let before = json!([{"name": "a", "url": "https://old.example/hook"}]);
    let after = json!([{"kind": "x", "key": {"deep": [{"number": "+19005550199"}]}}]);
    let text = text(&tools(before, after));
    has(&text, &["- a", "/url   \"https://old.example/hook\" → (removed)", "/deep", "\"+19005550199\""]);
}

#[test]
fn items_of_one_name_are_told_apart() {
    let model =
        |temperature: f64| json!({"provider": "openai", "model": {"name": "gpt-5", "temperature": temperature}});
    let before = json!([model(0.1), model(0.2)]);
    let after = json!([model(0.1), model(0.7)]);
    has(&text(&tools(before, after)), &["~ gpt-5 (item 2) (1 field)", "/model/temperature  0.2 → 0.7"]);
}

#[test]
fn a_conflict_in_a_list_shows_all_three_sides() {
    let models = |model: &str, temperature: f64| json!([{"name": "main", "model": model, "temperature": temperature}]);
    let mut desk = change("front-desk", Action::Update);
    desk.live_editor = Some(editor());
    desk.held = Some(Held::Conflict);
    desk.fields = vec![caused(
        Cause::Conflict,
        Some(models("gpt-4o", 0.4)),
        field("/config/agent/stack/llm/models", models("gpt-4.1", 0.4), models("gpt-4o", 0.9)),
    )];
    let plan = plan(vec![desk]);
    has(
        &text(&plan),
        &[
            "changed on the service since it was applied:",
            "~ main (1 field)",
            "/model  \"gpt-4o\" → \"gpt-4.1\"",
            "changed in Git since it was applied:",
            "/temperature  0.4 → 0.9",
            "from live to declared:",
            "~ main (2 fields)",
            "\"gpt-4.1\" → \"gpt-4o\"",
        ],
    );
}

#[test]
fn a_conflict_says_what_an_approval_does_at_that_place() {
    let mut desk = change("front-desk", Action::Update);
    desk.held = Some(Held::Conflict);
    let at = |path: &str| caused(Cause::Conflict, Some(json!(1)), field(path, json!(2), json!(3)));
    desk.fields = vec![at("/config/a"), at("/config/b")];
    let plan = plan(vec![desk]);
    let at = |place| plan_text(&plan, &TextOptions { place, ..TextOptions::default() });
    let edits = "overwrites 2 edits made in the dashboard";
    for (place, says) in [
        (Place::Shown, format!("approving this plan {edits}")),
        (Place::Prompt, format!("`yes` {edits}")),
        (Place::Merge, format!("merging {edits}")),
    ] {
        let text = at(place);
        assert!(text.contains(&says), "{text}");
        assert!(!text.contains("HELD"), "{text}");
    }
    let held = at(Place::AutoApprove);
    assert!(held.contains("nothing is written here") && !held.contains(edits), "{held}");
}

/// Ten agents with one stack, and one of them with a change of its own.
fn shared() -> Plan {
    let stack = |own: bool, number: usize| {
        let mut agent = change(&format!("agent-{number}"), Action::Update);
        let mut warmer = field("/config/agent/stack/llm/temperature", json!(0.4), json!(0.9));
        warmer.origin = Some(Origin { file: "stacks/default.yaml".to_owned(), line: 3 });
        agent.fields.push(warmer);
        if own {
            agent.fields.push(field("/config/agent/max_tool_steps", json!(3), json!(5)));
        }
        agent
    };
    plan((0..10).map(|number| stack(number == 4, number)).collect())
}

#[test]
fn a_change_of_a_shared_file_is_one_block_with_all_names() {
    let text = text(&shared());
    has(&text, &["~ 10 agents   the same change   stacks/default.yaml:3"]);
    assert_eq!(text.matches("0.4 → 0.9").count(), 1, "{text}");
    for number in 0..10 {
        has(&text, &[&format!("agent.agent-{number} (v12 → new version)")]);
    }
    assert_eq!(text.matches("agents/agent-").count(), 1, "{text}");
    has(&text, &["/config/agent/max_tool_steps  3 → 5"]);
}

#[test]
fn hidden_values_are_never_taken_for_the_same() {
    let secret = |number: usize| {
        let mut agent = change(&format!("agent-{number}"), Action::Update);
        agent.fields.push(super::build::secret("/config/agent/token", Shown::Secret, Shown::Secret));
        agent
    };
    let text = text(&plan(vec![secret(0), secret(1)]));
    assert_eq!(text.matches("(secret) changed").count(), 2, "{text}");
}

#[test]
fn a_prompt_that_comes_or_goes_is_whole_and_changed_words_are_never_cut() {
    let one = |before: Value, after: Value| {
        let mut desk = change("front-desk", Action::Update);
        desk.fields = vec![field("/config/agent/instructions", before, after)];
        text(&plan(vec![desk])).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let words: Vec<String> = (0..500).map(|n| format!("word{n:04}")).collect();
    let long = words.join(" ");
    let wanted = prompt();
    for shown in [one(Value::Null, json!(wanted)), one(json!(wanted), Value::Null), one(json!(wanted), json!(""))] {
        assert!(shown.contains("### Question 30"), "{shown}");
    }
    let shown = one(json!("Say hello."), json!(format!("Say hello. {long}")));
    assert!(words.iter().all(|word| shown.contains(word.as_str())), "{shown}");
}

#[test]
fn a_number_that_reaches_nobody_is_red_and_one_that_is_gained_is_green() {
    let mut desk = change("front-desk", Action::Update);
    desk.numbers = vec![
        slot("+15550000001", Direction::Inbound, held_by("front-desk", 3), SlotTarget::Empty),
        slot(
            "+15550000002",
            Direction::Inbound,
            reachform::plan::SlotHolder::Empty,
            SlotTarget::NewVersion { key: super::build::key("front-desk") },
        ),
    ];
    let styles = Styles::colored();
    let text = plan_text(&plan(vec![desk]), &TextOptions { styles, ..TextOptions::default() });
    has(&text, &[&format!("→ {}(empty)", styles.danger), &format!("→ {}agent.front-desk, new", styles.added)]);
}

#[test]
fn changed_words_keep_their_marks_in_colour() {
    let mut desk = change("front-desk", Action::Update);
    let hours =
        |end: &str| json!(format!("We are open from Monday to Friday, from nine in the morning until {end} sharp."));
    desk.fields = vec![field("/config/agent/instructions", hours("17:00"), hours("18:00"))];
    let options = TextOptions { styles: Styles::colored(), ..TextOptions::default() };
    has(&plan_text(&plan(vec![desk]), &options), &["[-17:00-]", "{+18:00+}"]);
}

#[test]
fn no_line_is_wider_than_80_columns_and_a_summary_counts_what_it_leaves_out() {
    let mut desk: AgentChange = change("front-desk", Action::Create);
    desk.fields = vec![field("/config/agent/instructions", Value::Null, json!(prompt()))];
    let plan = plan(vec![desk]);
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        let text = plan_text(&plan, &TextOptions { detail, ..TextOptions::default() });
        for line in text.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
        }
        assert_eq!(text.contains("1 changed value is not shown here"), detail == Detail::Summary, "{text}");
    }
}

#[test]
fn the_name_of_a_list_item_breaks_out_of_no_comment() {
    let name = "text of [x](https://evil.example) @org/team |";
    let fields = vec![field("/config/agent/tools", json!([]), json!([{"name": name, "timeout": 3}]))];
    let mut desk = change("front-desk", Action::Update);
    desk.fields.clone_from(&fields);
    let plan = plan(vec![desk]);
    let summary = CommentContext { max_bytes: 1_000_000, ..CommentContext::default() };
    for (what, text) in [
        ("comment", plan_comment(&plan, &SourceMap::default(), &context()).text),
        ("summary", plan_comment(&plan, &SourceMap::default(), &summary).text),
        ("difference", difference_comment(&difference_of(fields.clone()), Maker::Fork, &context()).text),
        ("drift", drift_body(&drift_of(fields.clone()), &context()).text),
    ] {
        // The ways out of drift have a snippet of YAML, which other comments have not.
        super::markdown::check(text.split("<b>Ignore:</b>").next().unwrap());
        assert!(text.contains("text of &#91;x&#93;"), "{what}: {text}");
        assert!(!text.contains("](https://evil") && !text.contains("@org"), "{what}: {text}");
    }
}

#[test]
fn alarms_stand_below_the_agent_that_they_are_about_and_one_of_many_agents_once() {
    let call = |name: &str, number: &str| {
        let mut agent = change(name, Action::Update);
        let tool = json!({"name": "t", "transfer_number": number});
        agent.fields = vec![field("/config/agent/tools", json!([]), json!([tool]))];
        agent
    };
    let mut plan = plan(vec![call("a", "+19005550101"), call("b", "+19005550102"), call("c", "+19005550102")]);
    plan.changes[0].fields.push(field("/active", json!(true), json!(false)));
    let shown = text(&plan);
    let alarms = shown.split("Look at this first:").nth(1).unwrap().split("Signs").next().unwrap();
    has(
        alarms,
        &[
            "\n  ! agent.a\n      the agent is switched off (/active)\n      the phone number +19005550101 is new\n        (/config",
            "\n  ! agent.b, agent.c: the phone number +19005550102 is new\n    (/config",
        ],
    );
    assert_eq!((alarms.matches("agent.a").count(), alarms.matches("agent.b").count()), (1, 1), "{alarms}");
    let comment = plan_comment(&plan, &SourceMap::default(), &context()).text;
    has(
        &comment,
        &[
            "> - <b>`agent.a`</b>\n>   - the agent is switched off (`/active`)\n>   - the phone number",
            "> - <b>`agent.b`</b>, <b>`agent.c`</b>: the phone number",
        ],
    );
    let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
    assert_eq!(page.matches("the agent is switched off").count(), 1, "{page}");
    // Machines read each alarm by itself.
    let document: Value = serde_json::from_str(&plan_document(&plan, &SourceMap::default())).unwrap();
    assert_eq!(document["alarms"].as_array().unwrap().len(), 4);
}

#[test]
fn a_program_of_several_agents_is_shown_once_with_their_names() {
    let after = Verify { command: vec!["./check.sh".to_owned(), "--all".to_owned()], env: vec!["HOME".to_owned()] };
    let mut agents: Vec<AgentChange> = ["a", "b", "c"].map(|name| change(name, Action::Update)).into();
    for agent in &mut agents {
        agent.verify = Some(VerifyChange::Added { after: after.clone() });
    }
    agents[2].fields = vec![field("/config/agent/max_tool_steps", json!(3), json!(5))];
    let plan = plan(agents);
    let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
    for shown in [text(&plan), plan_comment(&plan, &SourceMap::default(), &context()).text, page] {
        assert_eq!(shown.matches("./check.sh").count(), 1, "{shown}");
        assert!(shown.contains("shown once, with the names of all agents"), "{shown}");
    }
    has(
        &text(&plan),
        &[
            "~ 3 agents   the same `verify`",
            "agent.a (v12 → new version), agent.b (v12 → new version), agent.c (v12",
            "/config/agent/max_tool_steps  3 → 5",
        ],
    );
}

#[test]
fn a_refused_apply_says_what_differs_and_has_the_hash_in_a_block_to_copy() {
    let mut desk = change("front-desk", Action::Update);
    desk.fields = vec![field("/config/agent/max_tool_steps", json!(3), json!(5))];
    let plan = plan(vec![desk]);
    let causes = [
        "refused: this is not the plan that was approved; nothing was changed",
        "agent.front-desk: /config/agent/max_tool_steps: `3` → `4` was saved, `3` → `5` is planned now",
    ]
    .map(str::to_owned);
    let status = Status::Refused { causes: &causes, hints: &["plan again".to_owned()] };
    let body = status_comment("prod", status, Some((&plan, &SourceMap::default())), &context()).text;
    has(
        &body,
        &[
            "\nRefused: this is not the plan that was approved; nothing was changed\n",
            "<b>What differs:</b>\n\n- agent.front-desk: ",
            &format!("```text\n{}\n```", plan.plan_hash),
            "<details open><summary>The plan as it is now</summary>",
        ],
    );
    super::markdown::check(&body);
}

#[test]
fn an_item_that_comes_or_goes_is_shown_with_its_place_in_the_list() {
    let item = |kind: &str| json!({"type": kind});
    let list = |kinds: &[&str]| Value::Array(kinds.iter().map(|kind| item(kind)).collect());
    let (before, first, middle, last) = (
        list(&["say", "transfer"]),
        list(&["hangup", "say", "transfer"]),
        list(&["say", "hangup", "transfer"]),
        list(&["say", "transfer", "hangup"]),
    );
    for (after, says) in [(&first, "first of 3"), (&middle, "item 2 of 3"), (&last, "last of 3")] {
        let fields = vec![field("/config/agent/tools", before.clone(), after.clone())];
        has(&text(&tools(before.clone(), after.clone())), &[&format!("+ hangup ({says})")]);
        let drift = drift_body(&drift_of(fields.clone()), &context()).text;
        has(&drift, &[&format!("`hangup` ({says})")]);
        has(&text(&tools(after.clone(), before.clone())), &[&format!("- hangup (was {says})")]);
    }
    has(&text(&tools(json!(["a", "c"]), json!(["a", "b", "c"]))), &["+ \"b\" (item 2 of 3)"]);
}

#[test]
fn no_text_can_forge_a_mark_or_the_end_of_a_value() {
    let before = "Say one moment. Then wait for the caller to answer you, and be kind to everybody.";
    let after = "Say one moment.+} Transfer every caller. {+ Then wait for [-the-] caller to answer you, and be kind to everybody.";
    let mut desk = change("front-desk", Action::Update);
    desk.fields = vec![
        field("/config/agent/instructions", json!(before), json!(after)),
        field("/config/condition", json!("x"), json!("a\" → \"b")),
        field("/config/label", json!("x"), json!("y\u{2800}\u{34F}\u{FE0F}\u{17B4}")),
    ];
    let text = text(&plan(vec![desk]));
    let (opened, closed) = (text.matches("{+").count(), text.matches("+}").count());
    assert_eq!(opened, closed, "{text}");
    has(&text, &["+\\}", "{\\+", r#""a\" → \"b""#, "y<U+2800><U+034F><U+FE0F><U+17B4>"]);
    let body = text.split("@@\n").nth(1).unwrap();
    assert!(!body.contains(".+} Transfer"), "{text}");
}

#[test]
fn new_agents_with_one_prompt_and_one_stack_have_them_once() {
    let agent = |number: usize| {
        let mut agent = change(&format!("agent-{number}"), Action::Create);
        agent.fields = vec![
            field("/config/agent/stack/llm/temperature", Value::Null, json!(0.4)),
            field("/config/agent/instructions", Value::Null, json!(prompt())),
            field("/config/agent/greeting", Value::Null, json!(format!("This is number {number}."))),
        ];
        agent
    };
    let plan = plan((0..12).map(agent).collect());
    let text = text(&plan);
    assert_eq!(text.matches("### Question 30").count(), 1, "{text}");
    has(&text, &["+ 12 agents   have the same values", "agent.agent-11 (will be created)"]);
    for number in 0..12 {
        has(&text, &[&format!("This is number {number}.")]);
    }
}

#[test]
fn a_difference_of_files_has_a_shared_change_once_as_a_plan_does() {
    let fields = vec![field("/config/agent/stack/llm/temperature", json!(0.4), json!(0.9))];
    let mut difference = difference_of(fields);
    let one = difference.manifests[0].clone();
    difference.manifests = (0..5)
        .map(|number| reachform::plan::difference::ManifestDifference {
            key: super::build::key(&format!("agent-{number}")),
            fate: reachform::plan::difference::Fate::Changed,
            ..one.clone()
        })
        .collect();
    let text = reachform::render::text::difference_text(&difference, &TextOptions::default());
    assert_eq!(text.matches("0.4 → 0.9").count(), 1, "{text}");
    for number in 0..5 {
        has(&text, &[&format!("agent.agent-{number}")]);
    }
}

#[test]
fn an_agent_that_lost_its_manifest_is_not_headed_no_changes() {
    let mut plan = plan(Vec::new());
    plan.orphans = super::infested::infested("x", "y").orphans;
    assert!(!plan.orphans.is_empty());
    let comment = plan_comment(&plan, &SourceMap::default(), &context()).text;
    let title = comment.lines().find(|line| line.starts_with("### ")).unwrap();
    assert!(title.contains("without a manifest") && !title.contains("no changes"), "{title}");
    let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
    assert!(!page.split("</title>").next().unwrap().contains("no changes"), "{page}");
}

#[test]
fn a_prompt_that_is_rewritten_in_a_thousand_places_fills_the_comment_and_no_alarm_makes_room() {
    let paragraph =
        |n: usize, word: &str| format!("Rule {n}: when the caller says {word}, answer with line {n} of the book.\n\n");
    let text = |word: &str| (0..1_200).fold(String::new(), |text, n| text + &paragraph(n, word));
    let mut desk = change("front-desk", Action::Update);
    desk.fields = vec![
        field("/config/agent/instructions", json!(text("yes")), json!(text("perhaps"))),
        field("/config/agent/tools", json!([]), json!([{"name": "t", "transfer_number": "+19005550101"}])),
    ];
    let plan = plan(vec![desk]);
    let context = CommentContext { max_bytes: 60_000, ..context() };
    let body = plan_comment(&plan, &SourceMap::default(), &context).text;
    assert!(body.len() > 45_000 && body.len() <= 60_000, "{} bytes", body.len());
    has(&body, &["of 1,200 changed lines fit here", "+19005550101 is new"]);
}
