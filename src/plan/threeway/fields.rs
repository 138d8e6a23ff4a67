//! `name`, `description`, `active` and the declared keys of `metadata`. Those that are no longer declared are let go, so
//! they have no finding.

use serde_json::{Map, Value};

use crate::model::value::same;
use crate::model::{FieldPath, LiveAgent};
use crate::plan::compare::is_empty_object;

use super::{Finding, Since, Subject};

/// Every declared leaf outside of `config`.
pub fn compare_fields(subject: &Subject<'_>) -> Vec<Finding> {
    let document = subject.agent.map(live_document);
    let history = subject.history();
    let leaves = subject.desired.declared.leaves().into_iter().filter(|(path, _)| !path.in_config());
    // An absent field and null are one thing on the service.
    let since = |path: &FieldPath| {
        let live = document.as_ref().and_then(|document| path.get(document));
        let both = [live, live.filter(|live| !live.is_null())].map(|live| history.since(path, live));
        if both.contains(&Some(Since::AsApplied)) { Some(Since::AsApplied) } else { both[1] }
    };
    let is_there = document.is_some();
    let found = leaves.map(|(path, named)| {
        let live = document.as_ref().and_then(|document| path.get(document));
        let past = subject.past(&path, &named, live.filter(|live| !live.is_null()), &since);
        let in_place = move |value: &Value, live: Option<&Value>| match live {
            Some(live) => same(value, live) || (is_empty_object(value) && live.is_object()),
            None => is_there && value.is_null(),
        };
        subject.judge_declared(path, named, live.cloned(), past, &in_place)
    });
    found.collect()
}

/// Whether the agent is switched off, and neither Git nor an apply says so: then it answers nobody, and Git need not declare
/// `active` for that to be news.
pub fn is_switched_off(subject: &Subject<'_>) -> bool {
    let active = FieldPath::of(["active"]);
    let is_declared = active.get(subject.desired.declared.tree()).is_some();
    let off = subject.agent.is_some_and(|agent| agent.active == Some(false));
    let was_off = subject.history().put(&active, &Value::Bool(false));
    off && !is_declared && !was_off && !subject.scope.is_ignored(&active)
}

/// The agent's own fields as a document in the manifest's shape.
pub fn live_document(agent: &LiveAgent) -> Value {
    let mut map = Map::new();
    map.insert("name".to_owned(), Value::String(agent.name.clone()));
    map.insert("description".to_owned(), agent.description.clone().map_or(Value::Null, Value::String));
    if let Some(active) = agent.active {
        map.insert("active".to_owned(), Value::Bool(active));
    }
    map.insert("metadata".to_owned(), agent.metadata.clone());
    Value::Object(map)
}
