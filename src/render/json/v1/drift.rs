//! A check for drift as a document.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::AlarmDoc;
use super::values::{HolderDoc, KeptDoc, State, StatsDoc, state, stats};
use super::{FORMAT_VERSION, NoticeDoc, TargetDoc, documents, write};
use crate::model::{Address, Digest, Direction, Editor, FieldPath, Key, Origin, PhoneNumber};
use crate::plan::drift::{
    AgentDrift, AsApplied, Drift, DriftState, DriftSummary, Elsewhere, FieldDrift, ForeignApply, SlotDrift, SlotLive,
    Unchecked,
};
use crate::plan::{Kind, Source, alarms_of_drift};

/// The document of a check, with line feeds and a final one.
pub fn drift_document(drift: &Drift) -> String {
    write(&DriftDoc::from(drift))
}

documents! {
    /// What `drift --json` writes.
    DriftDoc {
        format_version: String,
        tool_version: String,
        kind: DriftKind,
        state: DriftState,
        checked_at: String,
        targeted: bool,
        target: TargetDoc,
        source: Source,
        /// The same for the same drift, whenever it is looked at.
        fingerprint: Digest,
        summary: DriftSummary,
        /// What to look at before anything else, the gravest first.
        #[serde(default)]
        alarms: Vec<AlarmDoc>,
        agents: Vec<AgentDriftDoc>,
        /// The same change on several agents, by path.
        groups: Vec<GroupDoc>,
        as_applied: Vec<AsAppliedDoc>,
        unchecked: Vec<UncheckedDoc>,
        orphans: Vec<DriftOrphanDoc>,
        notices: Vec<NoticeDoc>,
    }

    /// An agent on which something was changed, or that is not there.
    AgentDriftDoc {
        address: Address,
        key: Key,
        name: String,
        agent_id: Option<String>,
        absent: bool,
        source: Origin,
        applied_version: Option<u64>,
        live_version: Option<u64>,
        live_editor: Option<Editor>,
        fields: Vec<FieldDriftDoc>,
        numbers: Vec<SlotDriftDoc>,
        kept: Vec<KeptDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied_from: Option<ForeignDoc>,
    }

    /// An apply from somewhere else than the history that is checked out.
    ForeignDoc {
        commit: Option<String>,
        reason: Elsewhere,
    }

    /// A value that was changed on the service.
    FieldDriftDoc {
        path: FieldPath,
        kind: Kind,
        applied: Option<Value>,
        applied_state: State,
        live: Option<Value>,
        live_state: State,
        conflict: bool,
        editor: Option<Editor>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ignored_until: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stats: Option<StatsDoc>,
    }

    /// A phone slot that was changed on the service.
    SlotDriftDoc {
        number: PhoneNumber,
        direction: Direction,
        arrived: bool,
        conflict: bool,
        live: Option<HolderDoc>,
        live_state: SlotState,
    }

    /// One change on several agents.
    GroupDoc {
        path: FieldPath,
        agents: Vec<Key>,
    }

    /// An agent that is as it was applied.
    AsAppliedDoc {
        address: Address,
        key: Key,
        live_version: Option<u64>,
        live_editor: Option<Editor>,
        kept: Vec<KeptDoc>,
    }

    /// Something that could not be looked at.
    UncheckedDoc {
        address: Option<Address>,
        causes: Vec<String>,
        hints: Vec<String>,
    }

    /// An agent without a manifest.
    DriftOrphanDoc {
        address: Address,
        key: Key,
        agent_id: String,
        name: String,
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum DriftKind {
    Drift,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum SlotState {
    Held,
    Empty,
    NotHere,
    Gone,
}

impl From<&Drift> for DriftDoc {
    fn from(drift: &Drift) -> Self {
        let Drift {
            target,
            source,
            checked_at,
            targeted,
            agents,
            as_applied,
            unchecked,
            orphans,
            notices,
            fingerprint,
            flags: _,
        } = drift;
        let groups = drift.groups().into_iter().map(|group| GroupDoc {
            path: group.field.path.clone(),
            agents: group.agents.iter().map(|(agent, _)| agent.key.clone()).collect(),
        });
        let orphans = orphans.iter().map(|orphan| DriftOrphanDoc {
            address: Address(orphan.key.clone()),
            key: orphan.key.clone(),
            agent_id: orphan.agent_id.clone(),
            name: orphan.name.clone(),
        });
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            kind: DriftKind::Drift,
            state: drift.state(),
            checked_at: checked_at.to_string(),
            targeted: *targeted,
            target: target.into(),
            source: source.clone(),
            fingerprint: fingerprint.clone(),
            summary: drift.summary(),
            alarms: alarms_of_drift(drift).into_iter().map(AlarmDoc::from).collect(),
            agents: agents.iter().map(AgentDriftDoc::from).collect(),
            groups: groups.collect(),
            as_applied: as_applied.iter().map(AsAppliedDoc::from).collect(),
            unchecked: unchecked.iter().cloned().map(UncheckedDoc::from).collect(),
            orphans: orphans.collect(),
            notices: notices.iter().map(NoticeDoc::from).collect(),
        }
    }
}

impl From<&AsApplied> for AsAppliedDoc {
    fn from(agent: &AsApplied) -> Self {
        let AsApplied { key, live_version, live_editor, kept } = agent;
        Self {
            address: Address(key.clone()),
            key: key.clone(),
            live_version: *live_version,
            live_editor: live_editor.clone(),
            kept: kept.iter().map(KeptDoc::from).collect(),
        }
    }
}

impl From<Unchecked> for UncheckedDoc {
    fn from(unchecked: Unchecked) -> Self {
        let Unchecked { address, causes, hints } = unchecked;
        Self { address, causes, hints }
    }
}

impl From<&AgentDrift> for AgentDriftDoc {
    fn from(agent: &AgentDrift) -> Self {
        let AgentDrift {
            key,
            name,
            agent_id,
            origin,
            applied_version,
            live_version,
            live_editor,
            fields,
            slots,
            kept,
            foreign,
            is_held: _,
        } = agent;
        Self {
            address: Address(key.clone()),
            key: key.clone(),
            name: name.clone(),
            agent_id: agent_id.clone(),
            absent: agent.is_absent(),
            source: origin.clone(),
            applied_version: *applied_version,
            live_version: *live_version,
            live_editor: live_editor.clone(),
            fields: fields.iter().map(FieldDriftDoc::from).collect(),
            numbers: slots.iter().map(SlotDriftDoc::from).collect(),
            kept: kept.iter().map(KeptDoc::from).collect(),
            applied_from: foreign.clone().map(|ForeignApply { commit, from }| ForeignDoc { commit, reason: from }),
        }
    }
}

impl From<&FieldDrift> for FieldDriftDoc {
    fn from(field: &FieldDrift) -> Self {
        // The token is a hash under the salt of the stamp, and of use to nobody without it.
        let FieldDrift { path, kind, applied, live, editor, conflict, ended, token: _ } = field;
        let stats = applied.as_ref().and_then(|applied| stats(applied, live));
        let (applied, applied_state) = applied.as_ref().map_or((None, State::NotKnown), state);
        let (live, live_state) = state(live);
        Self {
            path: path.clone(),
            kind: *kind,
            applied,
            applied_state,
            live,
            live_state,
            conflict: *conflict,
            editor: editor.clone(),
            ignored_until: ended.as_ref().map(|ended| ended.until.to_string()),
            stats,
        }
    }
}

impl From<&SlotDrift> for SlotDriftDoc {
    fn from(slot: &SlotDrift) -> Self {
        let SlotDrift { number, direction, live, arrived, conflict } = slot;
        let (live, live_state) = match live {
            SlotLive::Holder(holder) => {
                let held = HolderDoc::of(holder);
                let state = if held.is_some() { SlotState::Held } else { SlotState::Empty };
                (held, state)
            }
            SlotLive::NotHere => (None, SlotState::NotHere),
            SlotLive::Gone => (None, SlotState::Gone),
        };
        Self { number: number.clone(), direction: *direction, arrived: *arrived, conflict: *conflict, live, live_state }
    }
}
