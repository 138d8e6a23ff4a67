//! Problems as workflow commands, which GitHub shows beside the lines of a pull request.

use super::{Finding, Region, counted, words};
use crate::diagnostics::Severity;
use crate::render::visible;
use crate::render::workflow_commands::{data, property};

/// GitHub keeps ten of each kind for a step and drops the rest without a word, so nine are shown and one counts.
pub const ANNOTATIONS: usize = 9;

/// The commands, one a line: the worst problems at their places, then one that counts the others. `elsewhere` says where
/// all of them can be read.
pub fn annotations(findings: &[Finding<'_>], elsewhere: &str) -> String {
    let shown = findings.len().min(if findings.len() == ANNOTATIONS + 1 { ANNOTATIONS + 1 } else { ANNOTATIONS });
    let (shown, rest) = findings.split_at(shown);
    let mut out: String = shown.iter().map(one).collect();
    if let Some(worst) = rest.first() {
        let message = format!("{} more, see {elsewhere} ({})", rest.len(), counted(rest));
        let properties = [("title", "reachform".to_owned())];
        out.push_str(&command(worst.diagnostic.severity, &properties, &message));
    }
    out
}

/// One command for a message that is of no file.
pub fn annotation(severity: Severity, message: &str) -> String {
    command(severity, &[("title", "reachform".to_owned())], message)
}

fn one(finding: &Finding<'_>) -> String {
    let mut properties = Vec::new();
    if let Some(path) = &finding.path {
        // A name that hides something finds no line any more, which is less than what it could feign.
        properties.push(("file", visible::bare(path)));
        // A problem of a file as a whole is shown at its head.
        let (line, rest) = finding.region.map_or((1, Vec::new()), |region| (region.start.line, columns(region)));
        properties.push(("line", line.to_string()));
        properties.push(("endLine", line.to_string()));
        properties.extend(rest);
    }
    properties.push(("title", finding.diagnostic.code.to_owned()));
    command(finding.diagnostic.severity, &properties, &words(finding))
}

/// The columns. Of a stretch of several lines the first is shown, for what is wrong with a map begins where it does, and
/// GitHub drops all columns where the lines differ.
fn columns(region: Region) -> Vec<(&'static str, String)> {
    let Some(end) = region.end else { return Vec::new() };
    let mut out = vec![("col", region.start.column.to_string())];
    if end.line == region.start.line && end.column > region.start.column {
        out.push(("endColumn", end.column.to_string()));
    }
    out
}

fn command(severity: Severity, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    // `error`, `warning` and `notice` are GitHub's words as well.
    format!("::{} {}::{}\n", severity.as_str(), properties.join(","), data(message))
}
