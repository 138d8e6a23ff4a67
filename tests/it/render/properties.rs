//! What holds for every text: nothing hidden gets out, nothing breaks out, nothing is lost.

use proptest::prelude::*;
use reachform::diagnostics::SourceMap;
use reachform::render::json::{plan_document, report_document};
use reachform::render::markdown::{plan_comment, report_comment};
use reachform::render::prose::{PartKind, ProseDiff};
use reachform::render::style::{Detail, Styles};
use reachform::render::text::{TextOptions, plan_text, report_text};
use reachform::render::visible::is_hidden;
use serde_json::{Value, json};

use super::build::{field, prompt};
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
    }

    #[test]
    fn a_report_lets_nothing_out_either(text in hostile()) {
        let report = super::cases::infested_report(&text);
        assert_nothing_hidden(&report_text(&report, Some(&text), &TextOptions::default()));
        assert_nothing_hidden(&report_document(&report));
        let body = report_comment(&report, Some(&text), &context());
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
