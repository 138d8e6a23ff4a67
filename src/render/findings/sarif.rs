//! Problems as SARIF 2.1.0, for code scanning and editors.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{Finding, FindingContext, Region, counted, file_of, in_repository, words};
use crate::diagnostics::{Code, Severity, Span};
use crate::render::visible;

/// GitHub refuses a file with more.
pub const MAX_RESULTS: usize = 25_000;
/// GitHub refuses a file of more than 10 MB after compression. Before compression it holds at any rate.
pub const MAX_BYTES: usize = 9_500_000;
/// Further places of one problem.
const MAX_RELATED: usize = 20;
/// Only these stand for themselves in the path of a reference.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The base of all paths, by the name that GitHub knows.
const ROOT: &str = "%SRCROOT%";

/// What a run is, beside its problems.
#[derive(Clone, Copy, Debug)]
pub struct SarifRun<'a> {
    /// `validate` or `plan`.
    pub command: &'a str,
    /// The environment. Results of two environments live beside each other; without it they would replace each other.
    pub environment: &'a str,
    /// Every known code.
    pub known: &'a [Code],
    /// The address of the page that explains them, each under its own name, where it is known.
    pub page: Option<&'a str>,
}

/// The log. At most [`MAX_RESULTS`] problems and [`MAX_BYTES`] are in it, the worst first; what is left out is counted in
/// a notification.
pub fn sarif(findings: &[Finding<'_>], run: &SarifRun<'_>, context: &FindingContext<'_>) -> Value {
    let codes: BTreeMap<&str, Severity> =
        findings.iter().rev().map(|f| (f.diagnostic.code, f.diagnostic.severity)).collect();
    let rules: Vec<Value> = codes.iter().map(|(code, severity)| rule(code, *severity, run)).collect();
    let order: BTreeSet<&str> = codes.keys().copied().collect();
    let mut results = Vec::new();
    let mut bytes = 0;
    for finding in findings.iter().take(MAX_RESULTS) {
        let position = order.iter().position(|code| *code == finding.diagnostic.code);
        let result = result(finding, position, context);
        bytes += result.to_string().len() + 1;
        if bytes > MAX_BYTES {
            break;
        }
        results.push(result);
    }
    let mut invocation = json!({"executionSuccessful": true});
    let rest = findings.get(results.len()..).unwrap_or_default();
    if !rest.is_empty() {
        let text = format!("{} more did not fit into this file: {}.", rest.len(), counted(rest));
        invocation["toolExecutionNotifications"] = json!([{"level": "warning", "message": {"text": text}}]);
    }
    let parts = ["reachform", run.command, run.environment];
    // It ends in a slash, as an id without a number of its run does.
    let name: String = parts.iter().filter(|part| !part.is_empty()).flat_map(|part| [*part, "/"]).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "reachform", "version": crate::VERSION, "rules": rules}},
            "automationDetails": {"id": name},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
            "invocations": [invocation],
            "results": results,
        }],
    })
}

fn rule(code: &str, severity: Severity, run: &SarifRun<'_>) -> Value {
    let explained = run.known.iter().find(|known| known.code == code);
    let (short, help) = match explained {
        Some(Code { code: _, meaning, fix }) => ((*meaning).to_owned(), format!("{meaning} {fix}")),
        None => (sentence(&code.replace('-', " ")), format!("The problem `{code}`. Its message says what to do.")),
    };
    let mut rule = json!({
        "id": code,
        "shortDescription": {"text": short},
        "fullDescription": {"text": short},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": level(severity)},
        "properties": {"tags": ["reachform"], "problem.severity": match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "recommendation",
        }},
    });
    if let (Some(_), Some(page)) = (explained, run.page) {
        rule["helpUri"] = json!(format!("{page}#{code}"));
    }
    rule
}

/// With a capital at its start and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

fn result(finding: &Finding<'_>, rule: Option<usize>, context: &FindingContext<'_>) -> Value {
    let mut location = json!({"physicalLocation": place(&file_of(finding, context), finding.region)});
    if let Some(about) = &finding.about {
        location["logicalLocations"] = json!([{"fullyQualifiedName": visible::bare(about)}]);
    }
    let mut out = json!({
        "ruleId": finding.diagnostic.code,
        "level": level(finding.diagnostic.severity),
        "message": {"text": message(&words(finding))},
        "locations": [location],
        "partialFingerprints": {"reachform/v1": finding.fingerprint},
    });
    if let Some(rule) = rule {
        out["ruleIndex"] = json!(rule);
    }
    let span_place = |span: &Span| {
        let (start, end) =
            (context.sources.position(span.file, span.start), context.sources.position(span.file, span.end));
        let file = in_repository(context.folder, context.sources.name(span.file));
        place(&file, Some(Region { start, end: Some(end) }))
    };
    let related: Vec<Value> = finding
        .diagnostic
        .others
        .iter()
        .take(MAX_RELATED)
        .map(|other| json!({"physicalLocation": span_place(&other.span), "message": {"text": message(&visible::bare(&other.text))}}))
        .collect();
    if !related.is_empty() {
        out["relatedLocations"] = Value::Array(related);
    }
    // What an editor would put into a file is either seen whole or not offered.
    let unseen = |c: char| c != '\n' && visible::is_unseen(c);
    if let Some(fix) = finding.diagnostic.fix.as_ref().filter(|fix| !fix.replacement.contains(unseen)) {
        let at = span_place(&fix.span);
        out["fixes"] = json!([{
            "description": {"text": message(&visible::bare(&fix.title))},
            "artifactChanges": [{
                "artifactLocation": at["artifactLocation"],
                "replacements": [{"deletedRegion": at["region"], "insertedContent": {"text": fix.replacement}}],
            }],
        }]);
    }
    out
}

fn place(file: &str, region: Option<Region>) -> Value {
    let uri = utf8_percent_encode(file, ENCODED).to_string();
    let mut region_value = Map::new();
    match region {
        None => {
            region_value.insert("startLine".to_owned(), json!(1));
        }
        Some(Region { start, end }) => {
            region_value.insert("startLine".to_owned(), json!(start.line));
            if let Some(end) = end {
                region_value.insert("startColumn".to_owned(), json!(start.column));
                region_value.insert("endLine".to_owned(), json!(end.line));
                region_value.insert("endColumn".to_owned(), json!(end.column));
            }
        }
    }
    json!({"artifactLocation": {"uri": uri, "uriBaseId": ROOT}, "region": region_value})
}

/// Text that holds no link: `[words](target)` is one in SARIF's plain messages too.
fn message(text: &str) -> String {
    text.replace("](", "] (")
}
