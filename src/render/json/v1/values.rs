//! Values that changed, and what may be seen of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::documents;
use crate::model::{Address, FieldPath, Origin, Verify};
use crate::plan::{Cause, FieldChange, KeptEdit, Kind, NamedSecret, Risk, Shown, SlotHolder, VerifyChange};
use crate::render::prose::{ProseDiff, Stats};

/// What a value is, where it is not simply shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum State {
    Absent,
    Value,
    Secret,
    SecretByLook,
    SecretUnchecked,
    AtApply,
    NotKnown,
}

/// The value, where it may be seen, and what it is.
pub(super) fn state(shown: &Shown) -> (Option<Value>, State) {
    match shown {
        Shown::Absent => (None, State::Absent),
        Shown::Value(value) => (Some(value.clone()), State::Value),
        Shown::Secret => (None, State::Secret),
        Shown::SecretByLook => (None, State::SecretByLook),
        Shown::SecretUnchecked => (None, State::SecretUnchecked),
        Shown::AtApply => (None, State::AtApply),
    }
}

pub(super) fn shown(value: Option<Value>, state: State) -> Shown {
    match state {
        State::Absent | State::NotKnown => Shown::Absent,
        State::Secret => Shown::Secret,
        State::SecretByLook => Shown::SecretByLook,
        State::SecretUnchecked => Shown::SecretUnchecked,
        State::AtApply => Shown::AtApply,
        State::Value => Shown::Value(value.unwrap_or(Value::Null)),
    }
}

documents! {
    /// A value that changes.
    FieldDoc {
        path: FieldPath,
        kind: Kind,
        cause: Cause,
        before: Option<Value>,
        before_state: State,
        after: Option<Value>,
        after_state: State,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied_state: Option<State>,
        #[serde(default)]
        removal: bool,
        risk: Option<String>,
        /// Where the new value is declared, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Origin>,
        /// Secrets of the new value that are other ones, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<NamedSecret>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stats: Option<StatsDoc>,
    }

    /// How much of a text changes.
    StatsDoc {
        words_before: usize,
        words_after: usize,
        words_removed: usize,
        words_added: usize,
        words_moved: usize,
        unseen: usize,
        hunks: usize,
        similarity: f64,
    }

    /// A live edit that stays.
    KeptDoc {
        path: FieldPath,
        before: Option<Value>,
        before_state: State,
        after: Option<Value>,
        after_state: State,
    }

    /// Who holds a slot.
    HolderDoc {
        agent: Option<Address>,
        agent_id: Option<String>,
        name: Option<String>,
        version: Option<u64>,
        version_id: Option<String>,
    }

    /// What becomes of a `verify`, with all arguments as they are.
    VerifyDoc {
        change: Becomes,
        /// Null where there was none, or where only its hash is known.
        before: Option<Verify>,
        after: Option<Verify>,
        #[serde(default)]
        risk: String,
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum Becomes {
    Added,
    Changed,
    Removed,
}

impl From<&FieldChange> for FieldDoc {
    fn from(field: &FieldChange) -> Self {
        let FieldChange { path, kind, cause, before, after, applied, removal, risk, origin, secrets } = field;
        let stats = stats(before, after);
        let ((before, before_state), (after, after_state)) = (state(before), state(after));
        let (applied, applied_state) = applied.as_ref().map(state).unzip();
        Self {
            path: path.clone(),
            kind: *kind,
            cause: *cause,
            before,
            before_state,
            after,
            after_state,
            applied: applied.flatten(),
            applied_state,
            removal: *removal,
            risk: risk.as_ref().map(|risk| risk.0.clone()),
            source: origin.clone(),
            secrets: secrets.clone(),
            stats,
        }
    }
}

impl From<FieldDoc> for FieldChange {
    fn from(field: FieldDoc) -> Self {
        let FieldDoc { path, kind, cause, before, before_state, after, after_state, applied, applied_state, .. } =
            field;
        Self {
            path,
            kind,
            cause,
            before: shown(before, before_state),
            after: shown(after, after_state),
            applied: applied_state.map(|state| shown(applied, state)),
            removal: field.removal,
            origin: field.source,
            secrets: field.secrets,
            risk: field.risk.map(Risk),
        }
    }
}

pub(super) fn stats(before: &Shown, after: &Shown) -> Option<StatsDoc> {
    let (Shown::Value(Value::String(before)), Shown::Value(Value::String(after))) = (before, after) else {
        return None;
    };
    let Stats { words_before, words_after, words_removed, words_added, words_moved, invisible, hunks, same_per_mille } =
        ProseDiff::of(before, after).stats;
    // A share of at most a thousand thousandths is exact in an f64.
    let similarity = u16::try_from(same_per_mille).map_or(0.0, f64::from) / 1000.0;
    let unseen = invisible;
    Some(StatsDoc { words_before, words_after, words_removed, words_added, words_moved, unseen, hunks, similarity })
}

impl From<&KeptEdit> for KeptDoc {
    fn from(edit: &KeptEdit) -> Self {
        let KeptEdit { path, before, after } = edit;
        let ((before, before_state), (after, after_state)) = (state(before), state(after));
        Self { path: path.clone(), before, before_state, after, after_state }
    }
}

impl From<KeptDoc> for KeptEdit {
    fn from(edit: KeptDoc) -> Self {
        let KeptDoc { path, before, before_state, after, after_state } = edit;
        Self { path, before: shown(before, before_state), after: shown(after, after_state) }
    }
}

impl HolderDoc {
    /// Who holds a slot; nothing where nobody does.
    pub(super) fn of(holder: &SlotHolder) -> Option<Self> {
        match holder.clone() {
            SlotHolder::Empty => None,
            SlotHolder::Agent { agent_id, name, key, version } => Some(Self {
                agent: key.map(Address),
                agent_id: Some(agent_id),
                name: Some(name),
                version: Some(version),
                version_id: None,
            }),
            SlotHolder::Unknown { version_id } => {
                Some(Self { agent: None, agent_id: None, name: None, version: None, version_id: Some(version_id) })
            }
        }
    }

    /// The holder; `None` where neither an agent nor a version is named.
    pub(super) fn read(holder: Option<Self>) -> Option<SlotHolder> {
        let Some(Self { agent, agent_id, name, version, version_id }) = holder else { return Some(SlotHolder::Empty) };
        Some(match version_id {
            Some(version_id) => SlotHolder::Unknown { version_id },
            None => SlotHolder::Agent {
                agent_id: agent_id?,
                name: name?,
                key: agent.map(|address| address.0),
                version: version?,
            },
        })
    }
}

impl From<&VerifyChange> for VerifyDoc {
    fn from(becomes: &VerifyChange) -> Self {
        Self {
            change: match becomes {
                VerifyChange::Added { .. } => Becomes::Added,
                VerifyChange::Changed { .. } => Becomes::Changed,
                VerifyChange::Removed { .. } => Becomes::Removed,
            },
            before: becomes.before().cloned(),
            after: becomes.after().cloned(),
            risk: becomes.risk().to_owned(),
        }
    }
}

impl VerifyDoc {
    /// The change; `None` where nothing runs afterwards although something should.
    pub(super) fn read(self) -> Option<VerifyChange> {
        let Self { change, before, after, risk: _ } = self;
        Some(match change {
            Becomes::Added => VerifyChange::Added { after: after? },
            Becomes::Changed => VerifyChange::Changed { before, after: after? },
            Becomes::Removed => VerifyChange::Removed { before },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_of_verify_survives_writing_and_reading() {
        let program = |name: &str| Verify { command: vec![name.to_owned(), String::new()], env: vec!["A".to_owned()] };
        for change in [
            VerifyChange::Added { after: program("a") },
            VerifyChange::Changed { before: None, after: program("a") },
            VerifyChange::Changed { before: Some(program("b")), after: program("a") },
            VerifyChange::Removed { before: Some(program("b")) },
            VerifyChange::Removed { before: None },
        ] {
            let written = serde_json::to_value(VerifyDoc::from(&change)).unwrap();
            assert_eq!(serde_json::from_value::<VerifyDoc>(written).unwrap().read(), Some(change));
        }
        for broken in
            [json!({"change": "added"}), json!({"change": "other"}), json!({"change": "removed", "before": 1})]
        {
            assert!(serde_json::from_value::<VerifyDoc>(broken).ok().and_then(VerifyDoc::read).is_none());
        }
    }

    #[test]
    fn whatever_is_shown_of_a_value_survives_writing_and_reading() {
        for side in [
            Shown::Absent,
            Shown::Value(Value::Null),
            Shown::Value(json!({"a": [1, null]})),
            Shown::Secret,
            Shown::SecretByLook,
            Shown::SecretUnchecked,
            Shown::AtApply,
        ] {
            let (value, known) = state(&side);
            assert_eq!(shown(value, known), side);
        }
    }
}
