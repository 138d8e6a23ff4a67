//! Problems as GitLab's code quality report, which a merge request shows beside its lines.

use serde_json::{Value, json};

use super::{Finding, FindingContext, PROJECT_FILE, counted, file_of, in_repository, words};
use crate::diagnostics::Severity;
use crate::render::visible;

/// Most findings of a report. GitLab states no bound, and drops a report that it cannot read in time without a word.
pub const MAX_FINDINGS: usize = 10_000;

/// The report: a list of findings, each with the five members that GitLab reads. Beyond [`MAX_FINDINGS`] the worst are in
/// it, and one more counts the others.
pub fn code_quality(findings: &[Finding<'_>], context: &FindingContext<'_>) -> Value {
    let (shown, rest) = findings.split_at(findings.len().min(MAX_FINDINGS));
    let more = (!rest.is_empty()).then(|| {
        json!({
            "description": format!("{} more did not fit into this report: {}", rest.len(), counted(rest)),
            "check_name": "more-problems",
            "fingerprint": "more-problems",
            "severity": rest.first().map_or("info", severity),
            "location": {"path": in_repository(context.folder, PROJECT_FILE), "lines": {"begin": 1}},
        })
    });
    shown.iter().map(|finding| one(finding, context)).chain(more).collect()
}

fn severity(finding: &Finding<'_>) -> &'static str {
    match finding.diagnostic.severity {
        Severity::Error => "critical",
        Severity::Warning => "minor",
        Severity::Notice => "info",
    }
}

fn one(finding: &Finding<'_>, context: &FindingContext<'_>) -> Value {
    json!({
        "description": words(finding),
        "check_name": finding.diagnostic.code,
        "fingerprint": finding.fingerprint,
        "severity": severity(finding),
        "location": {
            "path": visible::bare(&file_of(finding, context)),
            "lines": {"begin": finding.region.map_or(1, |region| region.start.line)},
        },
    })
}
