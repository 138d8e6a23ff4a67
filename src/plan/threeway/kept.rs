//! Edits at paths that nobody manages: what the applied version had, and what is live and stays.

use serde_json::Value;

use crate::model::FieldPath;
use crate::plan::compare::changed_leaves;

use super::Subject;

/// One such edit: where, what the applied version had, and what is live.
pub type KeptValue<'v> = (FieldPath, Option<&'v Value>, Option<&'v Value>);

/// The edits that stay. Nothing is known of them where the live version is the applied one, or an unfinished run of ours
/// made it.
pub fn kept<'v>(subject: &Subject<'_>, applied: &'v Value, live: &'v Value) -> Vec<KeptValue<'v>> {
    let history = subject.history();
    if history.begun().is_some() || history.is_live_applied() {
        return Vec::new();
    }
    let tree = subject.desired.declared.tree();
    let leaves = subject.desired.declared.leaves();
    let is_ours = |path: &FieldPath| {
        history.owned().keys().any(|owned| owned.starts_with(path) || path.starts_with(owned))
            || path.get(tree).is_some()
            || leaves.iter().any(|(declared, _)| path.starts_with(declared))
            || subject.scope.is_ignored(path)
            || subject.scope.is_released(path)
    };
    let changed = changed_leaves(Some(applied), live, &FieldPath::config());
    changed.into_iter().filter(|(path, ..)| !is_ours(path)).collect()
}
