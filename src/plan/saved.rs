//! A plan file: evidence of what was reviewed, never an instruction.
//!
//! No value, id or command is taken from it; only hashes, and what is needed to say in words how two plans differ.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Digest;

use super::change::Target;
use super::hash::plan_hash;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedChange {
    /// The action, as a word.
    pub action: String,
    /// The hash.
    pub change_hash: Digest,
    /// The version that it started from.
    pub base_version: Option<u64>,
    /// The paths that it changed.
    pub paths: Vec<String>,
}

/// What is read of a plan file.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    #[error("it is not a plan of reachform: `{0}` is missing or of another type")]
    NotAPlan(&'static str),
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

/// Reads a plan file.
pub fn read(text: &str) -> Result<SavedPlan, SavedPlanError> {
    let document: Value =
        serde_json::from_str(text).map_err(|error| SavedPlanError::NotJson(format!("line {}", error.line())))?;
    let format = text_at(&document, "/format_version", "format_version")?;
    if format.split('.').next() != Some(FORMAT_MAJOR) {
        return Err(SavedPlanError::Format(format));
    }
    let digest = |value: &Value, pointer: &str, name| {
        Digest::parse(&text_at(value, pointer, name)?).ok_or(SavedPlanError::NotAPlan(name))
    };
    let list = document.get("changes").and_then(Value::as_array).ok_or(SavedPlanError::NotAPlan("changes"))?;
    let mut changes = BTreeMap::new();
    for change in list {
        let fields = change.get("fields").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let paths = fields.iter().filter_map(|field| field.get("path")?.as_str().map(str::to_owned)).collect();
        let saved = SavedChange {
            action: text_at(change, "/action", "action")?,
            change_hash: digest(change, "/change_hash", "change_hash")?,
            base_version: change.get("base_version").and_then(Value::as_u64),
            paths,
        };
        if changes.insert(text_at(change, "/address", "address")?, saved).is_some() {
            return Err(SavedPlanError::Edited);
        }
    }
    let hash = digest(&document, "/plan_hash", "plan_hash")?;
    if plan_hash(changes.values().map(|change| &change.change_hash)) != hash {
        return Err(SavedPlanError::Edited);
    }
    if digest(&document, "/document_digest", DOCUMENT_DIGEST)? != document_digest(&document) {
        return Err(SavedPlanError::Edited);
    }
    if document.get("applyable").and_then(Value::as_bool) != Some(true) {
        return Err(SavedPlanError::NotApplyable);
    }
    Ok(SavedPlan {
        target: Target {
            host: text_at(&document, "/target/host", "target.host")?,
            declared_organization: None,
            organization: document.pointer("/target/organization").and_then(Value::as_str).map(str::to_owned),
            environment: text_at(&document, "/target/environment", "target.environment")?,
            project: text_at(&document, "/target/project", "target.project")?,
        },
        plan_hash: hash,
        commit: document.pointer("/source/commit").and_then(Value::as_str).map(str::to_owned),
        changes,
    })
}

fn text_at(value: &Value, pointer: &str, name: &'static str) -> Result<String, SavedPlanError> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned).ok_or(SavedPlanError::NotAPlan(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        let change = Digest::of(&json!("change"));
        json!({
            "format_version": "1.0", "applyable": true, "plan_hash": plan_hash([&change]).as_str(),
            "target": {"host": "h", "organization": null, "environment": "e", "project": "p"},
            "changes": [{"address": "agent.a", "action": "update", "change_hash": change.as_str(), "base_version": 7,
                "fields": [{"path": "/config/a", "before": 3, "after": 4}]}],
        })
    }

    fn sealed(mut document: Value) -> String {
        document[DOCUMENT_DIGEST] = json!(document_digest(&document).as_str());
        document.to_string()
    }

    #[test]
    fn a_value_that_was_edited_for_showing_is_found_although_no_hash_of_a_change_covers_it() {
        let text = sealed(document());
        assert!(read(&text).is_ok());
        assert_eq!(read(&text.replace("\"after\":4", "\"after\":5")), Err(SavedPlanError::Edited));
        assert_eq!(read(&document().to_string()), Err(SavedPlanError::NotAPlan(DOCUMENT_DIGEST)));
    }

    #[test]
    fn a_plan_file_is_read_and_unknown_keys_of_a_later_minor_version_are_ignored() {
        let mut plan = document();
        plan["format_version"] = json!("1.7");
        plan["news"] = json!(1);
        assert_eq!(read(&sealed(plan)).unwrap().changes["agent.a"].base_version, Some(7));
    }

    #[test]
    fn an_old_foreign_edited_or_cut_file_is_told_apart() {
        let text = sealed(document());
        assert!(matches!(read(&text[..text.len() / 2]), Err(SavedPlanError::NotJson(_))));
        assert_eq!(read("{}"), Err(SavedPlanError::NotAPlan("format_version")));
        let mut plan = document();
        plan["format_version"] = json!("2.0");
        assert_eq!(read(&sealed(plan)), Err(SavedPlanError::Format("2.0".into())));
        let mut plan = document();
        plan["changes"][0]["change_hash"] = json!(Digest::of(&json!("another")).as_str());
        assert_eq!(read(&sealed(plan)), Err(SavedPlanError::Edited));
        let mut plan = document();
        plan["applyable"] = json!(false);
        assert_eq!(read(&sealed(plan)), Err(SavedPlanError::NotApplyable));
    }
}
