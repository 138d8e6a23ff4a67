//! A plan file: evidence of what was reviewed, never an instruction.
//!
//! Nothing that is sent is taken from it: hashes decide, and what it shows serves to say in words how two plans differ.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Digest;

use super::change::{Action, FieldChange, SlotChange, Target};
use super::verify::VerifyChange;

/// The major version of the plan document that this program reads. A minor one only adds.
pub const FORMAT_MAJOR: &str = "1";

/// Where a plan document holds its own digest.
pub const DOCUMENT_DIGEST: &str = "document_digest";

/// The digest over all of a plan document but the digest itself. The hashes of changes cover what is carried out; this
/// covers what is shown, so that nobody approves values that were edited into the file.
pub fn document_digest(document: &Value) -> Digest {
    let mut rest = document.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.shift_remove(DOCUMENT_DIGEST);
    }
    Digest::of(&rest)
}

/// One change of a saved plan.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedChange {
    /// The action.
    pub action: Action,
    /// The hash.
    pub change_hash: Digest,
    /// The version that it started from.
    pub base_version: Option<u64>,
    /// The values that it changed.
    pub fields: Vec<FieldChange>,
    /// The phone slots that it changed.
    pub numbers: Vec<SlotChange>,
    /// What became of `verify`.
    pub verify: Option<VerifyChange>,
}

/// What is read of a plan file.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPlan {
    /// What it was for.
    pub target: Target,
    /// Its hash.
    pub plan_hash: Digest,
    /// The commit, where it was known.
    pub commit: Option<String>,
    /// Its changes by address.
    pub changes: BTreeMap<String, SavedChange>,
}

/// Why a plan file is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// It is no JSON: another file, or one that was cut.
    #[error("it is not JSON, or it was cut short: {0}")]
    NotJson(String),
    /// It is JSON, but not a plan.
    #[error("it is not a plan of reachform: {0}")]
    NotAPlan(String),
    /// It says nothing of a format.
    #[error("it is not a plan of reachform: `format_version` is missing or of another type")]
    NoFormat,
    /// Another major version of the format.
    #[error("it has format version {0}, and this reachform reads {FORMAT_MAJOR}.x")]
    Format(String),
    /// Its hashes do not fit each other.
    #[error("it was edited after it was saved: its hashes do not match its contents")]
    Edited,
    /// It was not applyable when it was made.
    #[error("it was saved from a plan that could not be applied (incomplete, or with errors)")]
    NotApplyable,
}
