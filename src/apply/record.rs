//! An agent's own fields, name, description and whether it is active, against what was sent of them.

use serde_json::{Map, Value};

use crate::model::value::same;
use crate::model::{FieldPath, LiveAgent, Stamp};
use crate::plan::{AgentChange, Outcome};

use super::ended::Ended;

/// A field that does not read back as it was sent.
pub(super) struct Differing {
    field: String,
    sent: Value,
    read: Value,
}

/// The fields that an agent shows otherwise than they were sent. One that is sent as null or empty may be left out.
pub(super) fn differing(sent: &Map<String, Value>, found: &LiveAgent) -> Vec<Differing> {
    let is_nothing = |value: &Value| value.is_null() || value.as_str().is_some_and(str::is_empty);
    sent.iter()
        .filter_map(|(field, sent)| {
            let read = match field.as_str() {
                "name" => Value::String(found.name.clone()),
                "description" => found.description.clone().map_or(Value::Null, Value::String),
                // What the service does not show is unknown.
                "active" => Value::Bool(found.active?),
                _ => return None,
            };
            let is_kept = same(sent, &read) || (is_nothing(sent) && is_nothing(&read));
            (!is_kept).then(|| Differing { field: field.clone(), sent: sent.clone(), read })
        })
        .collect()
}

/// What ends an agent whose fields do not read back: another person wrote them since, or the write was not done.
pub(super) fn not_kept(differing: &[Differing], another: Option<&str>) -> Ended {
    let each = differing.iter().map(|field| {
        let Differing { field, sent, read } = field;
        match another {
            Some(_) => format!("`{field}` is {read}, and this run wrote {sent}"),
            None => format!("`{field}` was sent as {sent} and reads back as {read}"),
        }
    });
    let (outcome, cause, hint) = match another {
        Some(by) => (
            Outcome::Stale,
            format!("the agent was changed by {by} after this run had written it"),
            "plan again, and look at what changed",
        ),
        None => (
            Outcome::Failed,
            "the service accepted the agent's own fields and did not keep them".to_owned(),
            "run the same command again; if it fails again, change the field in the dashboard",
        ),
    };
    let mut ended = Ended::new(outcome, cause).hint(hint);
    ended.causes.extend(each);
    ended
}

/// What the closing reading shows against an agent's own record: somebody changed a declared field, switched the agent
/// off, or took off what is recorded on it.
pub(super) fn changed_since(
    change: &AgentChange,
    was_active: Option<bool>,
    us: Option<&str>,
    found: &LiveAgent,
) -> Option<Ended> {
    let fields = change.work.sent.iter().filter_map(|(path, value)| Some((top_level(path)?, value.clone())));
    let declared: Map<String, Value> = fields.collect();
    let by = found.modified_by.as_deref();
    let another = by.filter(|by| us.is_none_or(|us| us != *by));
    let differing = differing(&declared, found);
    if !differing.is_empty() {
        return Some(not_kept(&differing, another));
    }
    let by = by.unwrap_or("somebody else");
    let stale = |cause: String| Ended::new(Outcome::Stale, cause).hint("plan again, and look at what changed");
    if found.active == Some(false) && was_active != Some(false) && !declared.contains_key("active") {
        return Some(stale(format!("the agent was switched off during this run, by {by}")));
    }
    if matches!(Stamp::read(&found.metadata), Ok(None)) {
        return Some(stale(format!("what reachform records on the agent was removed during this run, by {by}")));
    }
    None
}

fn top_level(path: &FieldPath) -> Option<String> {
    ["name", "description", "active"].into_iter().find(|name| path.to_string() == format!("/{name}")).map(str::to_owned)
}
