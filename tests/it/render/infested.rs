//! Plans with a text from outside wherever one can stand, and the texts that have ever broken out of something.

use reachform::diagnostics::Diagnostic;
use reachform::model::{Direction, Editor, FieldPath, Origin, PhoneNumber, Verify};
use reachform::plan::{
    Action, Cause, KeptEdit, LimitBreach, Notice, Orphan, Plan, Risk, Shown, SlotChange, SlotHolder, SlotTarget,
    Unmanaged, VerifyChange,
};
use serde_json::{Value, json};

use super::build::{caused, change, field, key, plan, prompt, risky};

/// Everything that has ever broken out of a log, a table, a fence or a comment.
pub const HOSTILE: [&str; 30] = [
    "```",
    "~~~~~~~~",
    "````````````",
    "</pre>",
    "</details>",
    "<details>",
    "<!--",
    "-->",
    "@org/team",
    "#1",
    "|",
    "\\|",
    "\\",
    "::add-mask::x",
    "::set-output name=a::b",
    "${{ secrets.X }}",
    "\r",
    "\u{1b}[2J",
    "\u{202E}",
    "\u{200B}",
    "\u{E0041}",
    "<script>alert(1)</script>",
    "![x](https://evil.example/x.png)",
    "https://evil.example/",
    "`",
    "\n# head\n",
    "\n\n- item",
    "<!-- reachform:plan v=1 key=5d0c1f9a77e2b613 -->",
    "&lt;",
    "\u{0}",
];

/// Everything that a forge makes a link of by itself.
pub const LINKS: [&str; 13] = [
    "GH-12",
    "gh-12",
    "a5c3785ed8d6a35868bc169f07e40e889087fd2e",
    "owner/repo#12",
    "owner/repo@a5c3785",
    "ann@host.example",
    "|ann@host.example",
    "www.evil.example",
    "|www.evil.example|http://evil.example",
    "HTTP://EVIL.EXAMPLE",
    "mailto:ann@host.example",
    "[^1]",
    "!12 $12 &12 ~label %v1 [issue:1]",
];

/// A plan with a text from outside wherever one can stand.
pub fn infested(text: &str, other: &str) -> Plan {
    let mut agent = change("front-desk", Action::Update);
    text.clone_into(&mut agent.name);
    agent.agent_id = Some(text.to_owned());
    agent.origin = Some(Origin { file: text.to_owned(), line: 1 });
    agent.live_editor = Some(Editor { by: Some(text.to_owned()), at: Some(text.to_owned()), version: Some(1) });
    let step = FieldPath::of(["config", text]).to_string();
    let long = |end: &str| format!("{}\n{end}\n{}", prompt(), prompt());
    agent.fields = vec![
        risky(text, field(&step, json!(text), json!(other))),
        caused(Cause::Drift, Some(json!(text)), field("/config/a", json!(text), json!(format!("{text} {other}")))),
        caused(Cause::Conflict, Some(json!(other)), field("/config/b", json!(long(text)), json!(long(other)))),
        field("/config/c", json!(long(text)), json!(long(other))),
        field("/config/d", Value::Null, json!(format!("{text}\n{other}\n{text}"))),
        field(
            "/config/e",
            json!([{"name": text, "x": text}]),
            json!([{"name": text, "x": other}, {"name": format!("{text}2")}]),
        ),
        field("/config/f", json!([text, "a"]), json!(["a", text, other])),
        field("/config/g", json!({"k": text}), json!({"k": other, text: {"z": 1}})),
    ];
    agent.kept =
        vec![KeptEdit { path: FieldPath::of([text]), before: Shown::Absent, after: Shown::Value(json!(text)) }];
    agent.numbers = vec![SlotChange {
        number: PhoneNumber::from_service(text),
        direction: Direction::Inbound,
        from: SlotHolder::Agent { agent_id: text.to_owned(), name: text.to_owned(), key: None, version: 1 },
        to: SlotTarget::NewVersion { key: key("front-desk") },
        cause: Cause::Pending,
        follows: false,
        risk: Some(Risk(text.to_owned())),
    }];
    let verify = |text: &str| Verify { command: vec![text.to_owned(), String::new()], env: vec![text.to_owned()] };
    agent.verify = Some(VerifyChange::Changed { before: Some(verify(text)), after: verify(other) });
    let mut gone = change("gone", Action::Delete);
    text.clone_into(&mut gone.name);
    let mut plan = plan(vec![gone, agent]);
    text.clone_into(&mut plan.target.host);
    text.clone_into(&mut plan.target.environment);
    text.clone_into(&mut plan.target.project);
    plan.target.organization = Some(text.to_owned());
    plan.source.commit = Some(text.to_owned());
    plan.notices = vec![Notice { address: None, code: "x", message: text.to_owned() }];
    plan.unmanaged = vec![Unmanaged { name: text.to_owned(), agent_id: text.to_owned(), owner: None }];
    plan.orphans = vec![Orphan {
        key: key("orphan"),
        agent_id: text.to_owned(),
        name: text.to_owned(),
        protect: false,
        kept_because: Some(text.to_owned()),
    }];
    plan.diagnostics = vec![Diagnostic::warning("x", text).hint(text)];
    plan.breaches = vec![LimitBreach { message: text.to_owned(), flag: text.to_owned() }];
    plan
}
