//! Problems for what shows them beside the code: annotations of a GitHub run, SARIF, GitLab's code quality report.
//!
//! All three begin with the same list: the problems, worst first, each with its file as the repository names it, its
//! region, and a fingerprint that it keeps when lines above it come or go.

mod annotations;
mod code_quality;
mod fingerprint;
mod sarif;

use std::collections::BTreeMap;

pub use annotations::{ANNOTATIONS, annotation, annotations};
pub use code_quality::{MAX_FINDINGS as CODE_QUALITY_FINDINGS, code_quality};
pub use sarif::{MAX_BYTES as SARIF_BYTES, MAX_RESULTS as SARIF_RESULTS, SarifRun, sarif};

use crate::diagnostics::{Diagnostic, Place, Position, Severity, SourceMap};
use crate::model::{Address, Origin};

use super::visible;

/// What tells where problems are.
#[derive(Clone, Copy, Debug)]
pub struct FindingContext<'a> {
    /// The texts that they point into.
    pub sources: &'a SourceMap,
    /// The project's folder as seen from the repository's root, empty where it is the root.
    pub folder: &'a str,
    /// Where each agent's manifest begins, for problems of an agent as a whole.
    pub manifests: &'a BTreeMap<Address, Origin>,
}

/// A problem with all that is known of its place.
#[derive(Clone, Debug)]
pub struct Finding<'d> {
    /// The problem.
    pub diagnostic: &'d Diagnostic,
    /// Its file, from the repository's root; absent where it is in no file.
    pub path: Option<String>,
    /// Where in that file.
    pub region: Option<Region>,
    /// The agent or the request that it is about, where the place names one.
    pub about: Option<String>,
    /// Equal from run to run, also where lines above have come or gone; different for every problem of one run.
    pub fingerprint: String,
}

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first character.
    pub start: Position,
    /// One past its last character; absent where only a line is known.
    pub end: Option<Position>,
}

/// The project file, which stands for what is in no file where a format wants one.
const PROJECT_FILE: &str = "reachform.yaml";

/// Problems with their places, worst first, otherwise in the order given.
pub fn findings<'d>(diagnostics: &'d [Diagnostic], context: &FindingContext<'_>) -> Vec<Finding<'d>> {
    let mut found: Vec<Finding<'d>> = diagnostics.iter().map(|diagnostic| placed(diagnostic, context)).collect();
    fingerprint::assign(&mut found, context.sources);
    found.sort_by_key(|finding| finding.diagnostic.severity);
    found
}

fn placed<'d>(diagnostic: &'d Diagnostic, context: &FindingContext<'_>) -> Finding<'d> {
    let line = |line: usize| Region { start: Position { line: line.max(1), column: 1 }, end: None };
    let (path, region, about) = match &diagnostic.place {
        None => (None, None, None),
        Some(Place::Span(span)) => {
            let range = context.sources.clamp(span);
            let start = context.sources.position(span.file, range.start);
            let end = context.sources.position(span.file, range.end);
            (Some(context.sources.name(span.file)), Some(Region { start, end: Some(end) }), None)
        }
        Some(Place::Line(origin)) => (Some(origin.file.as_str()), Some(line(origin.line)), None),
        Some(Place::File(file)) => (Some(file.as_str()), None, None),
        Some(Place::Agent(address) | Place::Field { address, path: _ }) => {
            let origin = context.manifests.get(address);
            let file = origin.map(|origin| origin.file.as_str());
            (file, origin.map(|origin| line(origin.line)), Some(address.to_string()))
        }
        Some(Place::Request(request)) => (None, None, Some(request.clone())),
    };
    let path = path.map(|path| in_repository(context.folder, path));
    Finding { diagnostic, path, region, about, fingerprint: String::new() }
}

/// A file of the project as the repository names it.
fn in_repository(folder: &str, file: &str) -> String {
    let folder = folder.trim_matches('/');
    if folder.is_empty() || folder == "." || file.starts_with('/') {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

/// A file for formats that want one for every problem: the project file stands for the project. As it is: whoever shows it
/// to people makes it visible first.
fn file_of(finding: &Finding<'_>, context: &FindingContext<'_>) -> String {
    finding.path.clone().unwrap_or_else(|| in_repository(context.folder, PROJECT_FILE))
}

/// The problem in words, hints included, each a line.
fn words(finding: &Finding<'_>) -> String {
    let Diagnostic { message, label, hints, .. } = finding.diagnostic;
    let about = finding.about.as_ref().map(|about| format!("{}: ", visible::bare(about))).unwrap_or_default();
    let label = label.as_ref().filter(|label| !message.contains(label.as_str()));
    let label = label.map(|label| format!(" ({})", visible::bare(label))).unwrap_or_default();
    let mut lines = vec![format!("{about}{}{label}", visible::bare(message))];
    lines.extend(hints.iter().map(|hint| format!("hint: {}", visible::bare(hint))));
    lines.join("\n")
}

/// How many there are of each severity: `2 errors, 1 warning`.
fn counted(findings: &[Finding<'_>]) -> String {
    let counts = Severity::ALL.map(|severity| {
        let count = findings.iter().filter(|finding| finding.diagnostic.severity == severity).count();
        (count, severity.as_str())
    });
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    parts.join(", ")
}
