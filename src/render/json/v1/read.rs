//! A plan document back to a plan that can be shown, and nothing more: it has nothing to send, so it cannot be applied.

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place, Severity};
use crate::model::{Address, Digest, Direction, Editor, FieldPath, Key, Origin, PhoneNumber};
use crate::plan::{
    Action, AgentChange, Cause, FieldChange, Held, KeptEdit, Kind, LimitBreach, LimitKind, Notice, Orphan, Plan,
    RaisedLimit, Risk, Shown, SlotChange, SlotHolder, SlotTarget, Source, Target, Unchanged, Unmanaged, Work, codes,
};
use crate::render::diagnostics::read_left_out;

/// Reads a plan document for showing; `None` where it is not one. Keys that a later minor version added are passed
/// over, and a change without its hash or address makes the whole document none.
pub fn read_plan(document: &Value) -> Option<Plan> {
    let list = |name: &str| document.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let target = document.get("target")?;
    Some(Plan {
        target: Target {
            host: text(target, "host")?,
            declared_organization: None,
            organization: text(target, "organization"),
            environment: text(target, "environment")?,
            project: text(target, "project")?,
        },
        source: Source {
            commit: document.get("source").and_then(|source| text(source, "commit")),
            dirty: document.get("source").is_some_and(|source| flag(source, "dirty")),
        },
        schema_digest: text(document, "schema_digest").and_then(|digest| Digest::parse(&digest)),
        complete: flag(document, "complete"),
        targeted: flag(document, "targeted"),
        changes: list("changes").iter().map(change).collect::<Option<_>>()?,
        unchanged: list("unchanged").iter().filter_map(unchanged).collect(),
        refreshes: Vec::new(),
        twins: Vec::new(),
        unmanaged: list("unmanaged").iter().filter_map(unmanaged).collect(),
        orphans: list("orphans").iter().filter_map(orphan).collect(),
        notices: list("notices").iter().filter_map(notice).collect(),
        diagnostics: list("diagnostics").iter().filter_map(diagnostic).chain(left_out(document)).collect(),
        records: Vec::new(),
        breaches: list("limits")
            .iter()
            .filter_map(|limit| Some(LimitBreach { message: text(limit, "message")?, flag: text(limit, "flag")? }))
            .collect(),
        raised: list("raised_limits").iter().map(raised).collect::<Option<_>>()?,
        plan_hash: Digest::parse(&text(document, "plan_hash")?)?,
    })
}

pub(super) fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

pub(super) fn key(value: &Value, name: &str) -> Option<Key> {
    let text = text(value, name)?;
    Key::parse(text.strip_prefix("agent.").unwrap_or(&text))
}

pub(super) fn entries(value: &Value, name: &str) -> Vec<Value> {
    value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn change(value: &Value) -> Option<AgentChange> {
    let key = key(value, "key")?;
    let source = value.get("source");
    let editor = value.get("live_editor").filter(|editor| editor.is_object());
    Some(AgentChange {
        address: Address(key.clone()),
        name: text(value, "name")?,
        agent_id: text(value, "agent_id"),
        action: [Action::Create, Action::Update, Action::Delete, Action::Adopt]
            .into_iter()
            .find(|action| Some(action.as_str()) == value.get("action").and_then(Value::as_str))?,
        change_hash: Digest::parse(&text(value, "change_hash")?)?,
        base_version: number(value, "base_version"),
        new_version: flag(value, "new_version"),
        adopts: flag(value, "adopts"),
        moved_from: self::key(value, "moved_from"),
        origin: source.and_then(|source| {
            let line = usize::try_from(number(source, "line")?).ok()?;
            Some(Origin { file: text(source, "file")?, line })
        }),
        live_editor: editor.map(|editor| Editor {
            by: text(editor, "by"),
            at: text(editor, "at"),
            version: number(editor, "version"),
        }),
        fields: entries(value, "fields").iter().map(field).collect::<Option<_>>()?,
        kept: entries(value, "kept").iter().filter_map(kept).collect(),
        numbers: entries(value, "numbers").iter().map(slot).collect::<Option<_>>()?,
        verify: super::verify::read(value).ok()?,
        // Steps stand in the document as sentences, for people who read it as it is.
        steps: Vec::new(),
        held: text(value, "held").map(|sentence| held(&sentence)),
        work: Work::default(),
        key,
    })
}

fn raised(value: &Value) -> Option<RaisedLimit> {
    let word = text(value, "limit")?;
    let number = |name| number(value, name).and_then(|number| usize::try_from(number).ok());
    Some(RaisedLimit {
        limit: LimitKind::ALL.into_iter().find(|limit| limit.as_str() == word)?,
        from: number("from"),
        to: number("to")?,
    })
}

fn shown(value: &Value, name: &str) -> Option<Shown> {
    Some(match value.get(format!("{name}_state")).and_then(Value::as_str)? {
        "absent" => Shown::Absent,
        "secret" => Shown::Secret,
        "secret-by-look" => Shown::SecretByLook,
        "secret-unchecked" => Shown::SecretUnchecked,
        "at-apply" => Shown::AtApply,
        _ => Shown::Value(value.get(name)?.clone()),
    })
}

fn cause(value: &Value) -> Option<Cause> {
    let word = value.get("cause").and_then(Value::as_str)?;
    [Cause::Pending, Cause::Drift, Cause::Conflict, Cause::Rollback].into_iter().find(|cause| cause.as_str() == word)
}

pub(super) fn field(value: &Value) -> Option<FieldChange> {
    let kinds = [Kind::Text, Kind::Number, Kind::Bool, Kind::List, Kind::Object, Kind::Secret, Kind::Other];
    let word = value.get("kind").and_then(Value::as_str)?;
    Some(FieldChange {
        path: FieldPath::parse(&text(value, "path")?)?,
        kind: kinds.into_iter().find(|kind| kind.as_str() == word)?,
        cause: cause(value)?,
        before: shown(value, "before")?,
        after: shown(value, "after")?,
        applied: shown(value, "applied"),
        removal: flag(value, "removal"),
        risk: text(value, "risk").map(Risk),
        origin: None,
    })
}

fn kept(value: &Value) -> Option<KeptEdit> {
    Some(KeptEdit {
        path: FieldPath::parse(&text(value, "path")?)?,
        before: shown(value, "before")?,
        after: shown(value, "after")?,
    })
}

fn slot(value: &Value) -> Option<SlotChange> {
    let word = value.get("direction").and_then(Value::as_str)?;
    let from = match value.get("from").filter(|from| from.is_object()) {
        None => SlotHolder::Empty,
        Some(from) => match text(from, "version_id") {
            Some(version_id) => SlotHolder::Unknown { version_id },
            None => SlotHolder::Agent {
                agent_id: text(from, "agent_id")?,
                name: text(from, "name")?,
                key: key(from, "agent"),
                version: number(from, "version")?,
            },
        },
    };
    let to = match value.get("to").filter(|to| to.is_object()) {
        None => SlotTarget::Empty,
        Some(to) => match number(to, "version") {
            Some(version) => SlotTarget::Version { key: key(to, "agent")?, version },
            None => SlotTarget::NewVersion { key: key(to, "agent")? },
        },
    };
    Some(SlotChange {
        number: PhoneNumber::from_service(text(value, "number")?),
        direction: Direction::ALL.into_iter().find(|direction| direction.as_str() == word)?,
        from,
        to,
        cause: cause(value)?,
        follows: flag(value, "follows"),
        risk: text(value, "risk").map(Risk),
    })
}

fn unchanged(value: &Value) -> Option<Unchanged> {
    Some(Unchanged {
        key: key(value, "key")?,
        agent_id: text(value, "agent_id")?,
        version: number(value, "version"),
        kept: entries(value, "kept").iter().filter_map(kept).collect(),
    })
}

fn unmanaged(value: &Value) -> Option<Unmanaged> {
    Some(Unmanaged {
        name: text(value, "name")?,
        agent_id: text(value, "agent_id")?,
        owner: text(value, "project").zip(text(value, "environment")),
    })
}

fn orphan(value: &Value) -> Option<Orphan> {
    Some(Orphan {
        key: key(value, "key")?,
        agent_id: text(value, "agent_id")?,
        name: text(value, "name")?,
        protect: flag(value, "protect"),
        kept_because: text(value, "kept_because"),
    })
}

pub(super) fn notice(value: &Value) -> Option<Notice> {
    // The codes of notices are for machines, which read the document itself.
    Some(Notice { address: key(value, "address").map(Address), code: "saved", message: text(value, "message")? })
}

/// A hold stands in the document as the sentence that tells of it. What is not the one is the other.
fn held(sentence: &str) -> Held {
    let versions = sentence.strip_prefix("rolled back from version ").and_then(|rest| rest.split(';').next());
    let versions = versions.and_then(|text| text.split_once(" to "));
    match versions.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?))) {
        Some((from, to)) => Held::Rollback { from, to },
        None => Held::Conflict,
    }
}

/// The problems that did not fit into the document, as one.
fn left_out(document: &Value) -> Option<Diagnostic> {
    let problem = read_left_out(document)?;
    Some(Diagnostic::new(problem.severity, "in-the-plan", problem.message))
}

/// A problem, for showing: that a plan has errors must not be lost on the way.
fn diagnostic(value: &Value) -> Option<Diagnostic> {
    let word = value.get("severity").and_then(Value::as_str)?;
    let severity = Severity::ALL.into_iter().find(|s| s.as_str() == word)?;
    // A code that planning gives is known again; another program's, or another room's, stays in the document.
    let code = text(value, "code").and_then(|code| codes::known(&code)).unwrap_or("in-the-plan");
    let mut diagnostic = Diagnostic::new(severity, code, text(value, "message")?);
    diagnostic.about = key(value, "address").map(Address);
    let line = number(value, "line").and_then(|line| usize::try_from(line).ok());
    diagnostic.place = match (text(value, "file"), line, key(value, "address"), text(value, "request")) {
        (Some(file), Some(line), ..) => Some(Place::Line(Origin { file, line })),
        (Some(file), None, ..) => Some(Place::File(file)),
        (None, _, Some(key), _) => Some(Place::Agent(Address(key))),
        (None, _, None, request) => request.map(Place::Request),
    };
    let hints = entries(value, "hints");
    diagnostic.hints = hints.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(diagnostic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_read_from_the_sentence_that_tells_of_it() {
        let key = Key::parse("riverside").unwrap();
        for hold in [Held::Conflict, Held::Rollback { from: 9, to: 7 }] {
            assert_eq!(held(&hold.describe(&key)).describe(&key), hold.describe(&key));
        }
    }

    #[test]
    fn what_is_no_plan_document_reads_as_none() {
        for text in ["null", "{}", r#"{"target": {"host": "h"}}"#] {
            assert!(read_plan(&serde_json::from_str(text).unwrap()).is_none());
        }
    }
}
