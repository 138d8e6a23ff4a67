//! The page of a plan: its structure, read by a strict reader of our own; its colours; its sizes; hostile texts.

use std::collections::BTreeSet;

use reachform::diagnostics::{Diagnostic, SourceMap};
use reachform::plan::{Action, KeptEdit, LimitBreach, Notice, Orphan, Risk, Shown, SlotHolder, SlotTarget};
use reachform::render::html::{PageContext, plan_page};
use serde_json::json;

use super::build::{change, field, key, path, plan, prompt, risky, slot};
use super::limits::many;

/// Elements that a page is made of, and the attributes that each may have. Nothing that loads, runs or sends.
const ELEMENTS: [(&str, &[&str]); 38] = [
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &[]),
    ("link", &["rel", "href"]),
    ("style", &[]),
    ("body", &[]),
    ("a", &["class", "href", "rel"]),
    ("header", &[]),
    ("main", &["id", "tabindex"]),
    ("footer", &[]),
    ("section", &["class", "aria-labelledby"]),
    ("h1", &[]),
    ("h2", &["id"]),
    ("h3", &[]),
    ("p", &["class"]),
    ("pre", &[]),
    ("ul", &["class"]),
    ("ol", &["class"]),
    ("li", &["class"]),
    ("dl", &["class"]),
    ("dt", &[]),
    ("dd", &[]),
    ("div", &["class", "id"]),
    ("span", &["class", "aria-hidden"]),
    ("b", &["class"]),
    ("small", &[]),
    ("code", &[]),
    ("del", &[]),
    ("ins", &[]),
    ("details", &["class", "id", "open"]),
    ("summary", &[]),
    ("fieldset", &["class"]),
    ("legend", &[]),
    ("label", &[]),
    ("input", &["type", "name", "id", "checked"]),
    ("svg", &["class", "viewBox", "width", "height", "aria-hidden"]),
    ("path", &["d", "fill", "stroke", "stroke-width"]),
];

/// Elements without an end.
const VOID: [&str; 3] = ["meta", "link", "input"];

/// Elements that begin a line in a fixture. A page has no line feeds of its own.
const BLOCKS: [&str; 19] = [
    "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "section", "h1", "h2", "p", "pre",
    "ul", "li", "div", "details", "summary",
];

/// The page with the elements that begin a line on lines of their own, for a person who reads the difference of two.
pub(super) fn in_lines(page: &str) -> String {
    BLOCKS.iter().fold(page.to_owned(), |page, name| {
        [">", " "].iter().fold(page, |page, end| {
            let tag = format!("<{name}{end}");
            page.replace(&tag, &format!("\n{tag}"))
        })
    }) + "\n"
}

/// The page without its stylesheet and its hash, for comparing with a file.
pub(super) fn without_style(page: &str) -> String {
    let cut = |text: &str, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).unwrap();
        let (_, after) = rest.split_once(to).unwrap();
        format!("{before}{from}{to}{after}")
    };
    cut(&cut(page, "<style>", "</style>"), "'sha256-", "'")
}

/// Reads a page and fails on anything that is not closed, not known, not quoted, named twice or leads nowhere.
pub(super) fn check(page: &str) {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let (mut open, mut ids, mut targets) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(at) = rest.find(['<', '&']) {
        assert!(!rest[..at].contains('>'), "a stray `>` in {:?}", &rest[..at]);
        if rest[at..].starts_with('&') {
            let end = rest[at..].find(';').expect("an entity ends");
            assert!(["&amp;", "&lt;", "&gt;", "&quot;"].contains(&&rest[at..=at + end]), "{}", &rest[at..=at + end]);
            rest = &rest[at + end + 1..];
            continue;
        }
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "elements are closed in turn");
            continue;
        }
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let (_, allowed) = ELEMENTS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("<{tag}>"));
        while !attributes.is_empty() {
            let (attribute, value) = attributes.split_once("=\"").unwrap_or_else(|| panic!("<{tag}>"));
            let (value, more) = value.split_once('"').unwrap_or_else(|| panic!("<{tag}>"));
            assert!(allowed.contains(&attribute), "`{attribute}` in <{tag}>");
            match attribute {
                "id" => assert!(ids.insert(value.to_owned()), "two elements are `{value}`"),
                "href" | "aria-labelledby" => _ = targets.insert(value.trim_start_matches('#').to_owned()),
                _ => {}
            }
            attributes = more.trim_start();
        }
        if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?} stand open");
    for target in targets.iter().filter(|target| !target.starts_with("https://") && *target != "data:,") {
        assert!(ids.contains(target), "`#{target}` leads nowhere");
    }
}

/// A plan with one text at every place that can hold a text from outside.
pub(super) fn infested(text: &str) -> (reachform::plan::Plan, SourceMap) {
    let mut agent = change("front-desk", Action::Update);
    text.clone_into(&mut agent.name);
    agent.agent_id = Some(text.to_owned());
    agent.adopts = true;
    agent.fields = vec![
        risky(
            text,
            field("/config/agent/instructions", json!("Hello there. ".repeat(10)), json!(format!("{text} ").repeat(9))),
        ),
        field("/config/agent/new", json!(null), json!(format!("{text}\n").repeat(12))),
        field("/config/agent/short", json!("a"), json!(text)),
        field("/config/agent/list", json!([{"name": "a", "x": 1}]), json!([{"name": "a", "x": text}, {"name": text}])),
        field("/config/agent/map", json!({"a": 1}), json!({"a": 2, (text): [text]})),
    ];
    agent.fields[2].path = reachform::model::FieldPath::of(["config", text]);
    agent.kept = vec![KeptEdit { path: path("/config/x"), before: Shown::Absent, after: Shown::Value(json!(text)) }];
    let holder = SlotHolder::Agent { agent_id: text.to_owned(), name: text.to_owned(), key: None, version: 2 };
    let target = SlotTarget::NewVersion { key: key("front-desk") };
    agent.numbers = vec![slot("+15551234567", reachform::model::Direction::Inbound, holder, target)];
    agent.numbers[0].risk = Some(Risk(text.to_owned()));
    let gone = reachform::plan::AgentChange { name: text.to_owned(), ..change("gone", Action::Delete) };
    let mut plan = plan(vec![gone, agent]);
    text.clone_into(&mut plan.target.environment);
    text.clone_into(&mut plan.target.project);
    plan.target.organization = Some(text.to_owned());
    plan.source.commit = Some(text.to_owned());
    plan.diagnostics = vec![Diagnostic::error("bad", text).hint(text)];
    plan.notices = vec![Notice { address: None, code: "x", message: text.to_owned() }];
    plan.orphans = vec![Orphan {
        key: key("xmas"),
        agent_id: text.to_owned(),
        name: text.to_owned(),
        protect: false,
        kept_because: Some(text.to_owned()),
    }];
    (plan, SourceMap::default())
}

#[test]
fn no_text_from_outside_becomes_markup_or_acts_unseen() {
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</style></title><!-- --> ]]> <![CDATA[",
        "&lt;b&gt; &#x3c; '`\"",
        "a\u{202E}b\u{200B}c\u{1b}[31m\r\u{0}d",
        "</code></p></details></main><a href=\"javascript:alert(1)\">x</a>",
        "https://evil.example/x.js http://evil.example",
        "{{x}} ${{ secrets.X }} ::add-mask::x",
    ] {
        let (plan, sources) = infested(text);
        let context = PageContext {
            run_url: Some(format!("https://x.test/\"{text}")),
            command: Some(text.to_owned()),
            ..PageContext::default()
        };
        let page = plan_page(&plan, &sources, &context);
        check(&without_style(&page));
        assert!(!page.contains("href=\"https://evil") && !page.contains("href=\"java"), "{text:?}");
        let hidden = |c: &char| reachform::render::visible::is_hidden(*c) && *c != '\n';
        assert_eq!(page.chars().find(hidden), None, "{text:?}");
    }
}

#[test]
fn a_page_asks_nobody_for_anything_and_is_the_same_every_time() {
    let plan = many(3);
    let context = PageContext { run_url: Some("https://ci.example/run/1".to_owned()), ..PageContext::default() };
    let page = plan_page(&plan, &SourceMap::default(), &context);
    assert_eq!(page, plan_page(&plan, &SourceMap::default(), &context));
    assert_eq!(page.matches("http").count(), 2, "the one link that was given, and `http-equiv`");
    for word in ["<script", "<img", "<iframe", "<object", "@import", "url(", " style=", " on", "srcset"] {
        let found = page.match_indices(word).find(|(at, _)| word != " on" || page[at + 3..].starts_with("click"));
        assert_eq!(found, None, "{word}");
    }
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn a_page_of_many_agents_leaves_nothing_out() {
    let mut changes = many(300).changes;
    for (number, agent) in changes.iter_mut().enumerate() {
        agent.fields.push(field("/config/agent/own", json!(format!("old-{number}")), json!(format!("new-{number}"))));
    }
    let plan = plan(changes);
    let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
    for (number, agent) in plan.changes.iter().enumerate() {
        let needles = [format!("id=\"agent-{}\"", agent.key), format!("old-{number}&"), format!("new-{number}&")];
        assert_eq!(needles.iter().find(|needle| !page.contains(*needle)), None, "{}", agent.key);
    }
    check(&without_style(&page));
}

#[test]
fn equal_prompts_are_on_a_page_once() {
    let with = |name: &str, prompt: &str| {
        let mut agent = change(name, Action::Create);
        agent.fields = vec![field("/config/agent/instructions", json!(null), json!(prompt))];
        agent
    };
    let plan = plan(vec![with("a", &prompt()), with("b", &prompt()), with("c", &prompt().replace("brief", "curt"))]);
    let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
    let last_line = prompt().lines().last().unwrap().to_owned();
    assert_eq!(page.matches(&last_line).count(), 2, "one for a and b, and one for c");
    check(&without_style(&page));
}

#[test]
fn a_zero_is_quiet_and_all_alarms_and_limits_are_in_the_first_box() {
    let mut plan = plan(vec![change("gone", Action::Delete)]);
    plan.breaches =
        vec![LimitBreach { message: "1 of 2 agents would be deleted.".to_owned(), flag: "--max-delete 1".to_owned() }];
    plan.complete = false;
    let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
    assert!(page.contains("<p class=\"zeros\">0 to update, 0 to create</p>"), "{page}");
    let (_, after) = page.split_once("Look at this first").unwrap();
    let (first, _) = after.split_once("</section>").unwrap();
    for words in ["INCOMPLETE", "agent.gone", "1 of 2 agents would be deleted.", "--max-delete 1"] {
        assert!(first.contains(words), "{words} is not in {first}");
    }
}

/// The colours of the stylesheet: the light ones, the dark ones, those on paper.
fn palettes() -> Vec<Vec<(String, [f64; 3])>> {
    let page = plan_page(&plan(Vec::new()), &SourceMap::default(), &PageContext::default());
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0.to_owned();
    let mut out: Vec<Vec<(String, [f64; 3])>> = Vec::new();
    for block in style.split(":root {").skip(1) {
        let mut palette = Vec::new();
        for rule in block.split('}').next().unwrap().split(';') {
            let Some((name, value)) = rule.trim().strip_prefix("--").and_then(|rule| rule.split_once(": #")) else {
                continue;
            };
            let channel = |at: usize| f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0;
            palette.push((name.to_owned(), [channel(0), channel(2), channel(4)]));
        }
        if !palette.is_empty() {
            out.push(palette);
        }
    }
    out
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let [r, g, b] = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_colour_of_text_has_enough_contrast_in_light_in_dark_and_on_paper() {
    let palettes = palettes();
    assert_eq!(palettes.len(), 3);
    for palette in palettes {
        let colour = |name: &str| palette.iter().find(|(known, _)| known == name).unwrap().1;
        for text in ["ink", "soft", "link", "added", "danger", "changed"] {
            for ground in ["paper", "sheet"] {
                let found = contrast(colour(text), colour(ground));
                assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
            }
        }
        for (text, ground) in [
            ("ink", "danger-wash"),
            ("link", "danger-wash"),
            ("ink", "changed-wash"),
            ("soft", "danger-wash"),
            ("added", "added-wash"),
            ("danger", "danger-wash"),
            ("changed", "changed-wash"),
        ] {
            let found = contrast(colour(text), colour(ground));
            assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
        }
    }
}
