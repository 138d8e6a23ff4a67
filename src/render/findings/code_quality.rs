//! Problems as GitLab's code quality report, which a merge request shows beside its lines.

use serde_json::{Value, json};

use super::{Finding, FindingContext, file_of, words};
use crate::diagnostics::Severity;
use crate::render::visible;

/// The report: a list of findings, each with the five members that GitLab reads.
pub fn code_quality(findings: &[Finding<'_>], context: &FindingContext<'_>) -> Value {
    findings.iter().map(|finding| one(finding, context)).collect()
}

fn one(finding: &Finding<'_>, context: &FindingContext<'_>) -> Value {
    let severity = match finding.diagnostic.severity {
        Severity::Error => "critical",
        Severity::Warning => "minor",
        Severity::Notice => "info",
    };
    json!({
        "description": words(finding),
        "check_name": finding.diagnostic.code,
        "fingerprint": finding.fingerprint,
        "severity": severity,
        "location": {
            "path": visible::bare(&file_of(finding, context)),
            "lines": {"begin": finding.region.map_or(1, |region| region.start.line)},
        },
    })
}
