//! The difference of two states of the manifests as JSON.

use serde::Serialize;

use super::plan::{FieldJson, PlaceJson, SourceJson, address};
use super::read_difference::DIFFERENCE_KIND;
use super::verify::VerifyJson;
use super::{FORMAT_VERSION, write};
use crate::model::Key;
use crate::plan::difference::{ClaimDifference, Difference, Fate, ManifestDifference, Revision};

/// The document of a difference, with line feeds and a final one.
pub fn difference_document(difference: &Difference) -> String {
    let Difference { project, environment, base, head, manifests, numbers, same, notices } = difference;
    let Revision { name, commit } = base;
    write(&DifferenceDocument {
        format_version: FORMAT_VERSION,
        tool_version: crate::VERSION,
        kind: DIFFERENCE_KIND,
        project,
        environment,
        base: RevisionJson { name, commit },
        source: head.into(),
        summary: SummaryJson {
            added: difference.count(Fate::Added),
            changed: difference.count(Fate::Changed),
            removed: difference.count(Fate::Removed),
            same: *same,
        },
        manifests: manifests.iter().map(ManifestJson::from).collect(),
        numbers: numbers.iter().map(NumberJson::from).collect(),
        notices,
    })
}

#[derive(Serialize)]
struct DifferenceDocument<'d> {
    format_version: &'static str,
    tool_version: &'static str,
    kind: &'static str,
    project: &'d str,
    environment: &'d str,
    base: RevisionJson<'d>,
    source: SourceJson<'d>,
    summary: SummaryJson,
    manifests: Vec<ManifestJson<'d>>,
    numbers: Vec<NumberJson<'d>>,
    notices: &'d [String],
}

#[derive(Serialize)]
struct RevisionJson<'d> {
    name: &'d str,
    commit: &'d str,
}

#[derive(Serialize)]
struct SummaryJson {
    added: usize,
    changed: usize,
    removed: usize,
    same: usize,
}

#[derive(Serialize)]
struct ManifestJson<'d> {
    address: String,
    key: &'d str,
    name: &'d str,
    fate: &'static str,
    moved_from: Option<&'d str>,
    source: PlaceJson<'d>,
    fields: Vec<FieldJson<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<VerifyJson<'d>>,
}

#[derive(Serialize)]
struct NumberJson<'d> {
    number: &'d str,
    direction: &'static str,
    from: Option<&'d str>,
    to: Option<&'d str>,
}

impl<'d> From<&'d ManifestDifference> for ManifestJson<'d> {
    fn from(manifest: &'d ManifestDifference) -> Self {
        let ManifestDifference { key, name, fate, moved_from, origin, fields, verify } = manifest;
        Self {
            address: address(key),
            key: key.as_str(),
            name,
            fate: fate.as_str(),
            moved_from: moved_from.as_ref().map(Key::as_str),
            source: PlaceJson { file: &origin.file, line: origin.line },
            fields: fields.iter().map(FieldJson::from).collect(),
            verify: verify.as_ref().map(VerifyJson::from),
        }
    }
}

impl<'d> From<&'d ClaimDifference> for NumberJson<'d> {
    fn from(claim: &'d ClaimDifference) -> Self {
        let ClaimDifference { number, direction, from, to } = claim;
        Self {
            number: number.as_str(),
            direction: direction.as_str(),
            from: from.as_ref().map(Key::as_str),
            to: to.as_ref().map(Key::as_str),
        }
    }
}
