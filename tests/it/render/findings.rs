//! Problems as annotations and as SARIF, for what no run of the program brings about.

use std::collections::BTreeMap;

use reachform::diagnostics::{Code, Diagnostic, Place, Problem, Severity, SourceMap, Span};
use reachform::model::{Address, Origin};
use reachform::render::diagnostics::{TextOptions, text};
use reachform::render::findings::{
    CODE_QUALITY_FINDINGS, FindingContext, SARIF_BYTES, SARIF_RESULTS, SarifRun, annotations, code_quality, findings,
    sarif,
};
use reachform::render::json::{Failure, failure_document, read_failure, validation_document};
use serde_json::{Value, json};

use super::build::{key, path};

fn with<T>(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    look: impl Fn(&FindingContext<'_>, &[Diagnostic]) -> T,
) -> T {
    let origin = Origin { file: "agents/front.yaml".to_owned(), line: 4 };
    let manifests = BTreeMap::from([(Address(key("front")), origin)]);
    look(&FindingContext { sources, folder: "voice", manifests: &manifests }, diagnostics)
}

fn written(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    with(diagnostics, sources, |context, diagnostics| annotations(&findings(diagnostics, context), "the log"))
}

#[test]
fn every_sort_of_place_becomes_an_annotation_and_the_worst_come_first() {
    let mut sources = SourceMap::default();
    let file = sources.add("agents/a.yaml", "key: a\nconfig:\n  x: 1\n  y: 2\n");
    let found = [
        Diagnostic::notice("n", "50% done\nreally").at(Place::Request("GET /a, b:c".to_owned())),
        Diagnostic::warning("w", "odd").at(Place::File("reachform.yaml".to_owned())),
        Diagnostic::error("e-map", "the map is wrong").span(Span::new(file, 7..25)).hint("mend it"),
        Diagnostic::error("e-agent", "no such number").at(Place::Agent(Address(key("front")))),
        Diagnostic::error("e-field", "bad")
            .at(Place::Field { address: Address(key("other")), path: path("/config/x") }),
        Diagnostic::error("e-line", "line").at(Place::Line(Origin { file: "b.yaml".to_owned(), line: 9 })),
    ];
    assert_eq!(
        written(&found, &sources),
        "::error file=voice/agents/a.yaml,line=2,endLine=2,col=1,title=e-map::the map is wrong%0Ahint: mend it\n\
         ::error file=voice/agents/front.yaml,line=4,endLine=4,title=e-agent::agent.front: no such number\n\
         ::error title=e-field::agent.other: bad\n\
         ::error file=voice/b.yaml,line=9,endLine=9,title=e-line::line\n\
         ::warning file=voice/reachform.yaml,line=1,endLine=1,title=w::odd\n\
         ::notice title=n::GET /a, b:c: 50%25 done⏎really\n"
    );
}

/// One of each sort: a control, a mark of direction, of no width, a joiner, a selector, a filler, a tag.
const UNSEEN: [char; 15] = [
    '\u{7}',
    '\u{1b}',
    '\u{85}',
    '\u{AD}',
    '\u{34F}',
    '\u{61C}',
    '\u{180B}',
    '\u{200B}',
    '\u{200D}',
    '\u{202E}',
    '\u{2066}',
    '\u{FE0F}',
    '\u{FEFF}',
    '\u{3164}',
    '\u{E0041}',
];

#[test]
fn nothing_that_is_shown_beside_code_holds_a_character_that_is_not_seen() {
    let run = SarifRun { command: "validate", environment: "prod", known: &[], page: None };
    for c in UNSEEN {
        let text = format!("a{c}b");
        let mut sources = SourceMap::default();
        let file = sources.add(format!("agents/{text}.yaml"), format!("key: {text}\n"));
        let span = Span::new(file, 5..6);
        let found = [
            Diagnostic::error("e", &text)
                .span(span.clone())
                .label(&text)
                .hint(&text)
                .other(span.clone(), &text)
                .fix(span, &text, &text),
            Diagnostic::warning("w", &text).at(Place::Request(text.clone())),
            Diagnostic::notice("n", &text).at(Place::File(text.clone())),
            Diagnostic::notice("n", &text).at(Place::Line(Origin { file: text.clone(), line: 1 })),
        ];
        let log = with(&found, &sources, |context, found| sarif(&findings(found, context), &run, context));
        let quality = with(&found, &sources, |context, found| code_quality(&findings(found, context), context));
        // Values, not their text, in which some of these would stand as escapes.
        let mut shown = vec![written(&found, &sources)];
        leaves(&log, &mut shown);
        leaves(&quality, &mut shown);
        assert!(shown.len() > 20);
        for one in shown {
            assert!(!one.contains(c), "{c:?} is in {one:?}");
        }
        assert!(log["runs"][0]["results"][0]["fixes"].is_null(), "{log}");
    }
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| leaves(value, found)),
        Value::Object(map) => map.values().for_each(|value| leaves(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn ten_are_shown_whole_and_the_rest_of_more_is_counted_by_its_worst() {
    let warning = |n: usize| Diagnostic::warning("w", format!("w{n}"));
    let ten: Vec<Diagnostic> = (0..10).map(warning).collect();
    let sources = SourceMap::default();
    assert_eq!(written(&ten, &sources).lines().count(), 10);
    assert!(!written(&ten, &sources).contains("more"));
    let mixed: Vec<Diagnostic> = (0..12).map(warning).chain([Diagnostic::notice("n", "n")]).collect();
    let last = written(&mixed, &sources).lines().last().unwrap().to_owned();
    assert_eq!(last, "::warning title=reachform::4 more, see the log (3 warnings, 1 notice)");
    assert_eq!(written(&[], &sources), "");
}

#[test]
fn a_rule_of_sarif_says_what_to_do_and_leads_to_its_place_on_the_page_of_codes() {
    let known = [Code { code: "bad-key", meaning: "A key is wrong.", fix: "Correct it." }];
    let page = "https://forge.example/o/reachform/blob/v1/docs/reference/codes.md";
    let found = [Diagnostic::error("bad-key", "m"), Diagnostic::error("of-a-newer-version", "m")];
    let rules = |page| {
        let run = SarifRun { command: "validate", environment: "prod", known: &known, page };
        let sources = SourceMap::default();
        let log = with(&found, &sources, |context, found| sarif(&findings(found, context), &run, context));
        log["runs"][0]["tool"]["driver"]["rules"].clone()
    };
    let with_page = rules(Some(page));
    assert_eq!(with_page[0]["helpUri"], format!("{page}#bad-key"));
    assert_eq!(with_page[0]["help"]["text"], "A key is wrong. Correct it.");
    // Nothing is known of this one, so there is no page to lead to.
    assert!(with_page[1]["helpUri"].is_null());
    assert!(rules(None)[0]["helpUri"].is_null());
}

#[test]
fn sarif_keeps_within_what_github_takes_and_says_what_it_left_out() {
    let sources = SourceMap::default();
    let run = SarifRun { command: "validate", environment: "prod", known: &[], page: None };
    for (count, length) in [(SARIF_RESULTS + 10, 10), (3_000, 20_000)] {
        let found: Vec<Diagnostic> =
            (0..count).map(|n| Diagnostic::error("e", format!("{n} {}", "x".repeat(length)))).collect();
        let log = with(&found, &sources, |context, found| sarif(&findings(found, context), &run, context));
        let results = log["runs"][0]["results"].as_array().unwrap().len();
        assert!(results <= SARIF_RESULTS && results < count, "{results}");
        assert!(log.to_string().len() <= SARIF_BYTES + 10_000);
        let told =
            log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
        let left = count - results;
        assert_eq!(told, format!("{left} more did not fit into this file: {left} errors."));
    }
    let found = [Diagnostic::error("e", "see [this](https://evil.example)")];
    let log = with(&found, &sources, |context, found| sarif(&findings(found, context), &run, context));
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["message"]["text"], "see [this] (https://evil.example)");
    // Code scanning wants a place for everything: the project file stands for the project.
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "voice/reachform.yaml");
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "reachform/validate/prod/");
}

#[test]
fn of_countless_problems_the_worst_are_shown_and_all_are_counted() {
    let mut sources = SourceMap::default();
    let source = "field: 1\n".repeat(50_000);
    let file = sources.add("agents/a.yaml", source);
    let problem = |n: usize| match n {
        49_999 => Diagnostic::error("e", "the one error").span(Span::new(file, n..n + 1)),
        _ => Diagnostic::warning("w", format!("unknown field f{n}")).span(Span::new(file, n..n + 1)),
    };
    let found: Vec<Diagnostic> = (0..50_000).map(problem).collect();

    let shown = text(&found, &sources, TextOptions::default());
    assert!(shown.contains("the one error"));
    assert!(shown.ends_with("\n\n... and 49,800 more\n\n1 error, 49,999 warnings\n"), "{}", shown.len());
    assert_eq!(shown.matches("warning[w]").count(), 199);

    let document = validation_document("default", 1, None, &found, &sources);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(document["diagnostics"][999]["severity"], "error");
    assert_eq!(document["diagnostics_left_out"], json!({"error": 0, "warning": 49_000, "notice": 0}));
    assert!(document.to_string().len() < 500_000);

    let problems: Vec<Problem> = found.iter().map(|problem| Problem::of(problem, &sources)).collect();
    let failure = failure_document(&Failure { exit_code: 1, problems, ..Failure::default() });
    let failure: Value = serde_json::from_str(&failure).unwrap();
    assert_eq!(failure["error"]["diagnostics"].as_array().map(Vec::len), Some(1_000));
    let rest = read_failure(&failure).unwrap().problems.pop().unwrap();
    assert_eq!((rest.severity, rest.message.as_str()), (Severity::Warning, "49,000 more problems were found"));
    let without = read_failure(&json!({"format_version": "1.0", "error": {"exit_code": 1}}));
    assert_eq!(without.unwrap().problems, Vec::new());

    let report = with(&found, &sources, |context, found| code_quality(&findings(found, context), context));
    let report = report.as_array().unwrap();
    assert_eq!(report.len(), CODE_QUALITY_FINDINGS + 1);
    assert_eq!(report[0]["severity"], "critical");
    let last = report.last().and_then(|last| last.get("description")).and_then(Value::as_str);
    assert_eq!(last, Some("40000 more did not fit into this report: 40000 warnings"));
}
