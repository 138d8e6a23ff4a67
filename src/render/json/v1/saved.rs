//! A plan document as evidence of what was reviewed: its hashes, and what is needed to say how two plans differ.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::plan::PlanDoc;
use super::reads_format;
use crate::plan::hash::plan_hash;
use crate::plan::saved::{SavedChange, SavedPlan, SavedPlanError, document_digest};
use crate::plan::{AgentChange, Target};

/// Reads a plan file.
pub fn read_saved(text: &str) -> Result<SavedPlan, SavedPlanError> {
    let document: Value =
        serde_json::from_str(text).map_err(|error| SavedPlanError::NotJson(format!("line {}", error.line())))?;
    let format = document.get("format_version").and_then(Value::as_str).ok_or(SavedPlanError::NoFormat)?;
    if !reads_format(format) {
        return Err(SavedPlanError::Format(format.to_owned()));
    }
    let plan = PlanDoc::deserialize(&document).map_err(|error| SavedPlanError::NotAPlan(error.to_string()))?;
    let mut changes = BTreeMap::new();
    for change in plan.changes {
        let address = change.address.to_string();
        let not_a_plan =
            || SavedPlanError::NotAPlan(format!("the change of {address} is not in the form that it writes"));
        let AgentChange { action, change_hash, base_version, fields, numbers, verify, .. } =
            change.read().ok_or_else(not_a_plan)?;
        let saved = SavedChange { action, change_hash, base_version, fields, numbers, verify };
        if changes.insert(address, saved).is_some() {
            return Err(SavedPlanError::Edited);
        }
    }
    let is_as_hashed = plan_hash(changes.values().map(|change| &change.change_hash)) == plan.plan_hash;
    if !is_as_hashed || plan.document_digest != document_digest(&document).as_str() {
        return Err(SavedPlanError::Edited);
    }
    if !plan.applyable {
        return Err(SavedPlanError::NotApplyable);
    }
    Ok(SavedPlan { target: Target::from(plan.target), plan_hash: plan.plan_hash, commit: plan.source.commit, changes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;
    use crate::plan::saved::DOCUMENT_DIGEST;
    use serde_json::json;

    fn document() -> Value {
        let change = Digest::of(&json!("change"));
        json!({
            "format_version": "1.0", "applyable": true, "plan_hash": plan_hash([&change]).as_str(),
            "target": {"host": "h", "organization": null, "environment": "e", "project": "p"},
            "changes": [{"address": "agent.a", "key": "a", "name": "A", "action": "update",
                "change_hash": change.as_str(), "base_version": 7,
                "fields": [{"path": "/config/a", "kind": "number", "cause": "pending", "before": 3,
                    "before_state": "value", "after": 4, "after_state": "value"}]}],
        })
    }

    fn sealed(mut document: Value) -> String {
        document[DOCUMENT_DIGEST] = json!(document_digest(&document).as_str());
        document.to_string()
    }

    #[test]
    fn a_value_that_was_edited_for_showing_is_found_although_no_hash_of_a_change_covers_it() {
        let text = sealed(document());
        assert!(read_saved(&text).is_ok());
        assert_eq!(read_saved(&text.replace("\"after\":4", "\"after\":5")), Err(SavedPlanError::Edited));
        assert_eq!(read_saved(&document().to_string()), Err(SavedPlanError::Edited));
    }

    #[test]
    fn a_plan_file_is_read_and_unknown_keys_of_a_later_minor_version_are_ignored() {
        let mut plan = document();
        plan["format_version"] = json!("1.7");
        plan["news"] = json!(1);
        plan["changes"][0]["news"] = json!(1);
        assert_eq!(read_saved(&sealed(plan)).unwrap().changes["agent.a"].base_version, Some(7));
    }

    #[test]
    fn an_old_foreign_edited_or_cut_file_is_told_apart() {
        let text = sealed(document());
        assert!(matches!(read_saved(&text[..text.len() / 2]), Err(SavedPlanError::NotJson(_))));
        assert_eq!(read_saved("{}"), Err(SavedPlanError::NoFormat));
        let mut plan = document();
        plan["format_version"] = json!("2.0");
        assert_eq!(read_saved(&sealed(plan)), Err(SavedPlanError::Format("2.0".into())));
        let mut plan = document();
        plan["changes"][0]["change_hash"] = json!(Digest::of(&json!("another")).as_str());
        assert_eq!(read_saved(&sealed(plan)), Err(SavedPlanError::Edited));
        let mut plan = document();
        plan["changes"][0]["action"] = json!("destroy");
        assert!(matches!(read_saved(&sealed(plan)), Err(SavedPlanError::NotAPlan(_))));
        let mut plan = document();
        plan["applyable"] = json!(false);
        assert_eq!(read_saved(&sealed(plan)), Err(SavedPlanError::NotApplyable));
    }
}
