//! What holds for every text: nothing hidden gets out, nothing breaks out, nothing is lost.

use std::collections::BTreeSet;

use proptest::prelude::*;
use reachform::diagnostics::SourceMap;
use reachform::plan::{Action, FieldChange};
use reachform::render::html::{PageContext, plan_page};
use reachform::render::json::{plan_document, report_document};
use reachform::render::markdown::{
    COMMENT_BYTES, CommentContext, Maker, difference_comment, drift_body, plan_comment, report_comment,
};
use reachform::render::prose::{PartKind, ProseDiff};
use reachform::render::style::{Detail, Styles};
use reachform::render::text::{TextOptions, plan_text, report_text};
use reachform::render::view::GoOn;
use reachform::render::visible::is_hidden;
use serde_json::{Value, json};

use super::build::{change, difference_of, drift_of, field, plan, prompt};
use super::infested::{HOSTILE, LINKS, infested};
use super::{check, context, markdown};

/// Texts made of pieces that broke out of something, and of plain words between them.
pub fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(LINKS.to_vec()).prop_map(str::to_owned),
        2 => "[a-z]{1,6} ",
        1 => "\\PC{0,4}",
        1 => Just("\n".to_owned()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn assert_nothing_hidden(output: &str) {
    let found: Vec<char> = output.chars().filter(|c| is_hidden(*c) && *c != '\n').collect();
    assert!(found.is_empty(), "{found:?} in {output}");
}

#[test]
fn a_hostile_prompt_keeps_the_structure() {
    let text = HOSTILE.join(" ");
    let mut plan = infested("evil `name` | @org/team #1 <b>", "");
    plan.changes[1].fields = vec![
        field(
            "/config/agent/instructions",
            json!(prompt()),
            json!(format!("{}\n{text}\n\n{}", prompt(), HOSTILE.join("\n"))),
        ),
        field("/config/agent/first_message", json!("Hello."), json!(text)),
    ];
    check("hostile", &plan, &SourceMap::default());
    let body = plan_comment(&plan, &SourceMap::default(), &context());
    assert!(!body.truncated);
    markdown::check(&body.text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_hidden_gets_out_and_nothing_breaks_out(text in hostile(), other in hostile()) {
        let plan = infested(&text, &other);
        for detail in [Detail::Summary, Detail::Words, Detail::Full] {
            assert_nothing_hidden(&plan_text(&plan, &TextOptions { detail, ..TextOptions::default() }));
        }
        let document = plan_document(&plan, &SourceMap::default());
        assert_nothing_hidden(&document);
        let read: Value = serde_json::from_str(&document).unwrap();
        prop_assert_eq!(read["changes"][1]["name"].as_str(), Some(text.as_str()));
        let body = plan_comment(&plan, &SourceMap::default(), &context());
        assert_nothing_hidden(&body.text);
        markdown::check(&body.text);
        let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
        let page = super::html::without_style(&page);
        assert_nothing_hidden(&page);
        super::html::check(&page);
    }

    #[test]
    fn every_changed_leaf_is_shown_or_counted(shape in shape(), choices in prop::collection::vec(any::<u8>(), 64)) {
        let mut tokens = Tokens::default();
        let before = filled(&shape, &mut tokens);
        let after = edited(&before, &mut choices.into_iter().cycle(), &mut tokens);
        let (old, new) = (tokens_in(&before), tokens_in(&after));
        let mut desk = change("front-desk", Action::Update);
        collect_fields("/config", Some(&before), Some(&after), &mut desk.fields);
        let mut created = change("new-desk", Action::Create);
        collect_fields("/config", None, Some(&after), &mut created.fields);
        for (agent, wanted) in [
            (desk, old.symmetric_difference(&new).cloned().collect::<Vec<String>>()),
            (created, new.iter().cloned().collect()),
        ] {
            let plan = plan(vec![agent]);
            for detail in [Detail::Summary, Detail::Words, Detail::Full] {
                let text = plan_text(&plan, &TextOptions { detail, ..TextOptions::default() });
                let joined: String = text.split_whitespace().collect();
                let missing = wanted.iter().find(|token| !joined.contains(token.as_str()));
                let is_counted = detail == Detail::Summary && text.contains("not shown here (--diff=words");
                prop_assert!(missing.is_none() || is_counted, "{:?} is not in\n{}", missing, text);
            }
            let page = plan_page(&plan, &SourceMap::default(), &PageContext::default());
            let missing = wanted.iter().find(|token| !page.contains(token.as_str()));
            prop_assert!(missing.is_none(), "{:?} is not in\n{}", missing, page);
            let fields = plan.changes[0].fields.clone();
            let (drift, difference) = (drift_of(fields.clone()), difference_of(fields));
            for max_bytes in [COMMENT_BYTES, 6_000, 3_000] {
                let context = CommentContext { max_bytes, ..context() };
                for body in [
                    plan_comment(&plan, &SourceMap::default(), &context),
                    drift_body(&drift, &context),
                    difference_comment(&difference, Maker::Fork, &context),
                ] {
                    prop_assert!(body.text.len() <= max_bytes, "{} bytes of {}", body.text.len(), max_bytes);
                    let joined: String = body.text.split_whitespace().collect();
                    let missing: Vec<&String> =
                        wanted.iter().filter(|token| !joined.contains(token.as_str())).collect();
                    let count = counted(&body.text);
                    prop_assert_eq!(body.truncated, count.is_some(), "{}", body.text);
                    prop_assert!(missing.is_empty() || count.is_some(), "{:?} in\n{}", missing, body.text);
                }
            }
        }
    }

    #[test]
    fn a_report_lets_nothing_out_either(text in hostile()) {
        let report = super::cases::infested_report(&text);
        let command = GoOn::Command { what: "", copy: text.clone() };
        let words = GoOn::Words(text);
        assert_nothing_hidden(&report_text(&report, Some(&command), &TextOptions::default()));
        assert_nothing_hidden(&report_document(&report));
        let body = report_comment(&report, Some(&words), None, &context());
        assert_nothing_hidden(&body.text);
        markdown::check(&body.text);
    }

    #[test]
    fn only_our_own_escapes_reach_a_coloured_terminal(text in hostile(), other in hostile()) {
        let options = TextOptions { styles: Styles::colored(), ..TextOptions::default() };
        let output = plan_text(&infested(&text, &other), &options);
        for (at, _) in output.match_indices('\u{1b}') {
            let sequence = &output[at + 1..];
            let end = sequence.find('m').unwrap();
            prop_assert!(sequence[1..end].bytes().all(|b| b.is_ascii_digit() || b == b';'), "{}", sequence);
        }
        assert_nothing_hidden(&output.replace('\u{1b}', ""));
    }

    #[test]
    fn the_words_of_a_diff_add_up(before in prose(), after in prose()) {
        let diff = ProseDiff::of(&before, &after);
        let stats = diff.stats;
        prop_assert_eq!(stats.words_before + stats.words_added, stats.words_after + stats.words_removed);
        prop_assert_eq!(before == after, stats.same_per_mille == 1000);
        prop_assert_eq!(before == after, diff.is_invisible() && diff.invisible.is_empty());
        for part in diff.hunks.iter().flat_map(|hunk| &hunk.parts) {
            let inside = |text: &str| text.contains(&part.text);
            let found = match part.kind {
                PartKind::Keep => inside(&after),
                // A stretch that something moved out of is joined again.
                PartKind::Remove => inside(&before) || !diff.moved.is_empty(),
                PartKind::Add => inside(&after) || !diff.moved.is_empty(),
                PartKind::Note => true,
            };
            prop_assert!(found, "{:?} in {:?} / {:?}", part, before, after);
        }
        prop_assert_eq!(diff, ProseDiff::of(&before, &after));
    }
}

/// How many of how many changes a comment says that it shows, where it does not show all.
fn counted(text: &str) -> Option<(usize, usize)> {
    let verbs = [" changes are shown in full here.", " changes is shown in full here."];
    let (before, _) = verbs.iter().find_map(|verb| text.split_once(verb))?;
    let (_, counts) = before.rsplit_once("<b>")?;
    let (shown, of) = counts.split_once(" of ")?;
    Some((shown.parse().unwrap(), of.parse().unwrap()))
}

/// Words of which each occurs once, so that what is shown of a value can be found again.
#[derive(Default)]
struct Tokens(usize);

impl Tokens {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("t{:06}x", self.0)
    }
}

/// The shape of a config: numbers stand for kinds of leaves.
fn shape() -> impl Strategy<Value = Value> {
    let leaf = (0u8..4).prop_map(Value::from);
    let tree = leaf.prop_recursive(4, 40, 5, |inner| {
        let members = prop::collection::btree_map("[a-d]", inner.clone(), 0..4);
        let object = members.prop_map(|map| Value::Object(map.into_iter().collect()));
        prop_oneof![3 => object, 2 => prop::collection::vec(inner, 0..5).prop_map(Value::Array)]
    });
    prop::collection::btree_map("[a-f]", tree, 1..5).prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn leaf(kind: u64, tokens: &mut Tokens) -> Value {
    match kind {
        0 => json!(tokens.next()),
        1 => json!({"type": "call", "name": tokens.next(), "number": tokens.next()}),
        2 => json!([{"name": tokens.next(), "value": tokens.next()}, {"name": tokens.next()}]),
        _ => json!((0..40).map(|n| tokens.next() + if n % 9 == 8 { ".\n" } else { " " }).collect::<String>()),
    }
}

fn filled(shape: &Value, tokens: &mut Tokens) -> Value {
    match shape {
        Value::Array(list) => list.iter().map(|item| filled(item, tokens)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), filled(value, tokens))).collect(),
        kind => leaf(kind.as_u64().unwrap_or_default(), tokens),
    }
}

/// The same value with some of its leaves, members and items changed, gone, moved or new.
fn edited(value: &Value, choices: &mut impl Iterator<Item = u8>, tokens: &mut Tokens) -> Value {
    let choice = choices.next().unwrap_or_default();
    if choice.is_multiple_of(23) {
        return leaf(u64::from(choice / 23) % 4, tokens);
    }
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(|item| edited(item, choices, tokens)).collect();
            match choice % 7 {
                0 => drop(list.pop()),
                1 => list.insert(0, leaf(u64::from(choice) % 3, tokens)),
                2 => list.reverse(),
                _ => {}
            }
            Value::Array(list)
        }
        Value::Object(map) => {
            let mut map: serde_json::Map<String, Value> =
                map.iter().map(|(name, value)| (name.clone(), edited(value, choices, tokens))).collect();
            match choice % 7 {
                0 => drop(map.shift_remove("a")),
                1 => drop(map.insert("z".to_owned(), leaf(u64::from(choice) % 4, tokens))),
                _ => {}
            }
            Value::Object(map)
        }
        Value::String(text) if choice.is_multiple_of(3) => {
            let words = text.split(' ').enumerate();
            let word = |(at, word): (usize, &str)| if at.is_multiple_of(5) { tokens.next() } else { word.to_owned() };
            json!(words.map(word).collect::<Vec<_>>().join(" "))
        }
        other => other.clone(),
    }
}

fn tokens_in(value: &Value) -> BTreeSet<String> {
    let text = value.to_string();
    let is_token = |part: &&str| part.len() == 8 && part.starts_with('t') && part.ends_with('x');
    text.replace("\\n", " ").split(|c: char| !c.is_ascii_alphanumeric()).filter(is_token).map(str::to_owned).collect()
}

/// The leaves that differ, as planning finds them: scalars, lists whole, and empty objects.
fn collect_fields(path: &str, before: Option<&Value>, after: Option<&Value>, out: &mut Vec<FieldChange>) {
    let is_filled = |value: Option<&Value>| value.and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    let is_open = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if is_open(before) && is_open(after) && (is_filled(before) || is_filled(after)) {
        let names = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
        };
        for name in names(before).into_iter().chain(names(after)).collect::<BTreeSet<_>>() {
            let at = |value: Option<&'_ Value>| value.and_then(|value| value.get(&name)).cloned();
            collect_fields(&format!("{path}/{name}"), at(before).as_ref(), at(after).as_ref(), out);
        }
    } else if before != after {
        let or_absent = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
        out.push(field(path, or_absent(before), or_absent(after)));
    }
}

/// Texts of few words, so that two of them have much in common and sentences repeat.
fn prose() -> impl Strategy<Value = String> {
    let sentence = prop_oneof![
        3 => Just("Ask the caller for the full name and the date of birth first. ".to_owned()),
        3 => Just("Offer two slots.\n".to_owned()),
        2 => Just("# Tools\n\n".to_owned()),
        2 => "(the|caller|slot|call|name|é|你好|, |\\. ){1,9} ",
        1 => Just("  \n".to_owned()),
    ];
    prop::collection::vec(sentence, 0..12).prop_map(|sentences| sentences.concat())
}
