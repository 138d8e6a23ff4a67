//! Names for problems that outlive the lines they stand in.

use std::collections::BTreeMap;

use serde_json::json;

use super::Finding;
use crate::diagnostics::{Place, SourceMap};
use crate::model::Digest;

/// Hexadecimal digits of a fingerprint: 128 bits.
const LENGTH: usize = 32;

/// Gives each problem its fingerprint: of its code, its file, the text at its place and its message without numbers, and
/// of its turn among those that are alike in all of these. Where in the file it stands does not count.
pub(super) fn assign(findings: &mut [Finding<'_>], sources: &SourceMap) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        let alike = json!([
            finding.diagnostic.code,
            finding.path,
            finding.about,
            anchor(finding, sources),
            without_numbers(&finding.diagnostic.message),
        ]);
        let alike = Digest::of(&alike).to_string();
        let turn = seen.entry(alike.clone()).or_default();
        *turn += 1;
        let digest = Digest::of(&json!([alike, turn])).to_string();
        let hex = digest.rsplit(':').next().unwrap_or_default();
        finding.fingerprint = hex.chars().take(LENGTH).collect();
    }
}

/// The line that the problem begins in and the words that it is about, blanks made equal.
fn anchor(finding: &Finding<'_>, sources: &SourceMap) -> Option<[String; 2]> {
    let Some(Place::Span(span)) = &finding.diagnostic.place else { return None };
    let text = sources.text(span.file);
    let range = sources.clamp(span);
    let start = text.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(range.start..)?.find('\n').map_or(text.len(), |at| range.start + at);
    let first_line = text.get(range)?.lines().next().unwrap_or_default();
    Some([plain(text.get(start..end)?), plain(first_line)])
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A message may count lines and bytes, which move.
fn without_numbers(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for c in message.chars() {
        let c = if c.is_ascii_digit() { '#' } else { c };
        if c != '#' || !out.ends_with('#') {
            out.push(c);
        }
    }
    out
}
