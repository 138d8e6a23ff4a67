//! The difference of two states of the manifests as a document, and back for showing. A document may come from a
//! stranger's run, so nothing in it is taken for more than text.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::AlarmDoc;
use super::values::{FieldDoc, VerifyDoc};
use super::{FORMAT_VERSION, documents, write};
use crate::model::{Address, Digest, Direction, Key, Origin, PhoneNumber};
use crate::plan::alarms_of_difference;
use crate::plan::difference::{ClaimDifference, Difference, Fate, ManifestDifference, Revision};
use crate::plan::{FieldChange, Source};

/// What the document says it is.
pub const DIFFERENCE_KIND: &str = "difference";

/// The document of a difference, with line feeds and a final one.
pub fn difference_document(difference: &Difference) -> String {
    write(&DifferenceDoc::from(difference))
}

/// The digest of what differs, whoever compared it, and when.
pub fn difference_digest(difference: &Difference) -> Digest {
    let DifferenceDoc { manifests, .. } = DifferenceDoc::from(difference);
    // A type that is written as a document is always JSON.
    Digest::of(&serde_json::to_value(manifests).expect("internal error: a document is always JSON"))
}

/// Reads the document; `None` where it is not one.
pub fn read_difference(document: &Value) -> Option<Difference> {
    DifferenceDoc::deserialize(document).ok()?.read()
}

documents! {
    /// What `diff --json` writes: two states of the files, compared without the service.
    DifferenceDoc {
        format_version: String,
        tool_version: String,
        kind: DifferenceKind,
        project: String,
        environment: String,
        base: Revision,
        source: Source,
        summary: DifferenceSummaryDoc,
        /// What must not be overlooked, the gravest first.
        #[serde(default)]
        alarms: Vec<AlarmDoc>,
        manifests: Vec<ManifestDoc>,
        numbers: Vec<ClaimDoc>,
        #[serde(default)]
        notices: Vec<String>,
    }

    /// Counts of manifests.
    DifferenceSummaryDoc {
        added: usize,
        changed: usize,
        removed: usize,
        same: usize,
    }

    /// A manifest that differs.
    ManifestDoc {
        address: Address,
        key: Key,
        name: String,
        fate: Fate,
        moved_from: Option<Key>,
        source: Origin,
        fields: Vec<FieldDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verify: Option<VerifyDoc>,
    }

    /// A phone slot that another manifest claims, or none.
    ClaimDoc {
        number: PhoneNumber,
        direction: Direction,
        from: Option<Key>,
        to: Option<Key>,
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum DifferenceKind {
    Difference,
}

impl From<&Difference> for DifferenceDoc {
    fn from(difference: &Difference) -> Self {
        let Difference { project, environment, base, head, manifests, numbers, same, notices } = difference;
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            kind: DifferenceKind::Difference,
            project: project.clone(),
            environment: environment.clone(),
            base: base.clone(),
            source: head.clone(),
            summary: DifferenceSummaryDoc {
                added: difference.count(Fate::Added),
                changed: difference.count(Fate::Changed),
                removed: difference.count(Fate::Removed),
                same: *same,
            },
            alarms: alarms_of_difference(difference).into_iter().map(AlarmDoc::from).collect(),
            manifests: manifests.iter().map(ManifestDoc::from).collect(),
            numbers: numbers.iter().cloned().map(ClaimDoc::from).collect(),
            notices: notices.clone(),
        }
    }
}

impl DifferenceDoc {
    fn read(self) -> Option<Difference> {
        Some(Difference {
            project: self.project,
            environment: self.environment,
            base: self.base,
            head: self.source,
            manifests: self.manifests.into_iter().map(ManifestDoc::read).collect::<Option<_>>()?,
            numbers: self.numbers.into_iter().map(ClaimDoc::read).collect::<Option<_>>()?,
            same: self.summary.same,
            notices: self.notices,
        })
    }
}

impl From<&ManifestDifference> for ManifestDoc {
    fn from(manifest: &ManifestDifference) -> Self {
        let ManifestDifference { key, name, fate, moved_from, origin, fields, verify } = manifest;
        Self {
            address: Address(key.clone()),
            key: key.clone(),
            name: name.clone(),
            fate: *fate,
            moved_from: moved_from.clone(),
            source: origin.clone(),
            fields: fields.iter().map(FieldDoc::from).collect(),
            verify: verify.as_ref().map(VerifyDoc::from),
        }
    }
}

impl ManifestDoc {
    fn read(self) -> Option<ManifestDifference> {
        let Self { address: _, key, name, fate, moved_from, source, fields, verify } = self;
        let verify = match verify {
            Some(verify) => Some(verify.read()?),
            None => None,
        };
        let fields = fields.into_iter().map(FieldChange::from).collect();
        Some(ManifestDifference { key, name, fate, moved_from, origin: source, fields, verify })
    }
}

impl From<ClaimDifference> for ClaimDoc {
    fn from(claim: ClaimDifference) -> Self {
        let ClaimDifference { number, direction, from, to } = claim;
        Self { number, direction, from, to }
    }
}

impl ClaimDoc {
    /// Manifests hold numbers in one form alone.
    fn read(self) -> Option<ClaimDifference> {
        let Self { number, direction, from, to } = self;
        Some(ClaimDifference { number: PhoneNumber::parse(number.as_str())?, direction, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_difference_reads_as_none() {
        let other = r#"{"format_version": "1.0", "tool_version": "0.1.0", "kind": "drift", "project": "p",
            "environment": "e", "base": {"name": "n", "commit": "c"}, "source": {"commit": null, "dirty": false},
            "summary": {"added": 0, "changed": 0, "removed": 0, "same": 0}, "manifests": [], "numbers": []}"#;
        let empty = other.replace("drift", DIFFERENCE_KIND);
        let no_number =
            empty.replace("\"numbers\": []", r#""numbers": [{"number": "x", "direction": "inbound", "from": null}]"#);
        for text in ["null", "{}", r#"{"kind": "difference"}"#, other, &no_number] {
            assert!(read_difference(&serde_json::from_str(text).unwrap()).is_none(), "{text}");
        }
        assert!(read_difference(&serde_json::from_str(&empty).unwrap()).unwrap().is_empty());
    }
}
