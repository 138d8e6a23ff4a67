//! A check for drift as JSON.

use serde::Serialize;
use serde_json::Value;

use super::plan::{EditorJson, HolderJson, KeptJson, PlaceJson, SourceJson, StatsJson, address, state, stats};
use super::{FORMAT_VERSION, NoticeJson, TargetJson, write};
use crate::model::Digest;
use crate::plan::drift::{
    AgentDrift, AsApplied, Drift, DriftGroup, DriftSummary, Elsewhere, FieldDrift, ForeignApply, SlotDrift, SlotLive,
    Unchecked,
};

/// The document of a check, with line feeds and a final one.
pub fn drift_document(drift: &Drift) -> String {
    write(&DriftDocument::new(drift))
}

#[derive(Serialize)]
struct DriftDocument<'d> {
    format_version: &'static str,
    tool_version: &'static str,
    kind: &'static str,
    state: &'static str,
    checked_at: String,
    targeted: bool,
    target: TargetJson<'d>,
    source: SourceJson<'d>,
    fingerprint: &'d str,
    summary: SummaryJson,
    agents: Vec<AgentJson<'d>>,
    groups: Vec<GroupJson<'d>>,
    as_applied: Vec<AsAppliedJson<'d>>,
    unchecked: Vec<UncheckedJson<'d>>,
    orphans: Vec<OrphanJson<'d>>,
    notices: Vec<NoticeJson<'d>>,
}

#[derive(Serialize)]
struct SummaryJson {
    drifted: usize,
    fields: usize,
    slots: usize,
    absent: usize,
    as_applied: usize,
    unchecked: usize,
}

#[derive(Serialize)]
struct AgentJson<'d> {
    address: String,
    key: &'d str,
    name: &'d str,
    agent_id: Option<&'d str>,
    absent: bool,
    source: PlaceJson<'d>,
    applied_version: Option<u64>,
    live_version: Option<u64>,
    live_editor: Option<EditorJson<'d>>,
    fields: Vec<FieldJson<'d>>,
    numbers: Vec<SlotJson<'d>>,
    kept: Vec<KeptJson<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_from: Option<ForeignJson<'d>>,
}

#[derive(Serialize)]
struct ForeignJson<'d> {
    commit: Option<&'d str>,
    reason: &'static str,
}

#[derive(Serialize)]
struct FieldJson<'d> {
    path: String,
    kind: &'static str,
    applied: Option<&'d Value>,
    applied_state: &'static str,
    live: Option<&'d Value>,
    live_state: &'static str,
    conflict: bool,
    editor: Option<EditorJson<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsJson>,
}

#[derive(Serialize)]
struct SlotJson<'d> {
    number: &'d str,
    direction: &'static str,
    arrived: bool,
    conflict: bool,
    live: Option<HolderJson<'d>>,
    live_state: &'static str,
}

#[derive(Serialize)]
struct GroupJson<'d> {
    path: String,
    agents: Vec<&'d str>,
}

#[derive(Serialize)]
struct AsAppliedJson<'d> {
    address: String,
    key: &'d str,
    live_version: Option<u64>,
    live_editor: Option<EditorJson<'d>>,
    kept: Vec<KeptJson<'d>>,
}

#[derive(Serialize)]
struct UncheckedJson<'d> {
    address: Option<String>,
    causes: &'d [String],
    hints: &'d [String],
}

#[derive(Serialize)]
struct OrphanJson<'d> {
    address: String,
    key: &'d str,
    agent_id: &'d str,
    name: &'d str,
}

impl<'d> DriftDocument<'d> {
    fn new(drift: &'d Drift) -> Self {
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
        } = drift;
        Self {
            format_version: FORMAT_VERSION,
            tool_version: crate::VERSION,
            kind: "drift",
            state: drift.state().as_str(),
            checked_at: checked_at.to_string(),
            targeted: *targeted,
            target: target.into(),
            source: source.into(),
            fingerprint: Digest::as_str(fingerprint),
            summary: drift.summary().into(),
            agents: agents.iter().map(AgentJson::from).collect(),
            groups: drift
                .groups()
                .into_iter()
                .map(|DriftGroup { field, agents }| GroupJson {
                    path: field.path.to_string(),
                    agents: agents.iter().map(|(agent, _)| agent.key.as_str()).collect(),
                })
                .collect(),
            as_applied: as_applied
                .iter()
                .map(|AsApplied { key, live_version, live_editor, kept }| AsAppliedJson {
                    address: address(key),
                    key: key.as_str(),
                    live_version: *live_version,
                    live_editor: live_editor.as_ref().map(EditorJson::from),
                    kept: kept.iter().map(KeptJson::from).collect(),
                })
                .collect(),
            unchecked: unchecked
                .iter()
                .map(|Unchecked { address, causes, hints }| UncheckedJson {
                    address: address.as_ref().map(ToString::to_string),
                    causes,
                    hints,
                })
                .collect(),
            orphans: orphans
                .iter()
                .map(|orphan| OrphanJson {
                    address: address(&orphan.key),
                    key: orphan.key.as_str(),
                    agent_id: &orphan.agent_id,
                    name: &orphan.name,
                })
                .collect(),
            notices: notices.iter().map(NoticeJson::from).collect(),
        }
    }
}

impl From<DriftSummary> for SummaryJson {
    fn from(summary: DriftSummary) -> Self {
        let DriftSummary { drifted, fields, slots, absent, as_applied, unchecked } = summary;
        Self { drifted, fields, slots, absent, as_applied, unchecked }
    }
}

impl<'d> From<&'d AgentDrift> for AgentJson<'d> {
    fn from(agent: &'d AgentDrift) -> Self {
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
        } = agent;
        Self {
            address: address(key),
            key: key.as_str(),
            name,
            agent_id: agent_id.as_deref(),
            absent: agent.is_absent(),
            source: PlaceJson { file: &origin.file, line: origin.line },
            applied_version: *applied_version,
            live_version: *live_version,
            live_editor: live_editor.as_ref().map(EditorJson::from),
            fields: fields.iter().map(FieldJson::from).collect(),
            numbers: slots.iter().map(SlotJson::from).collect(),
            kept: kept.iter().map(KeptJson::from).collect(),
            applied_from: foreign.as_ref().map(ForeignJson::from),
        }
    }
}

impl<'d> From<&'d ForeignApply> for ForeignJson<'d> {
    fn from(foreign: &'d ForeignApply) -> Self {
        let ForeignApply { commit, from } = foreign;
        let reason = match from {
            Elsewhere::OtherCommit => "other-commit",
            Elsewhere::Uncommitted => "uncommitted",
            Elsewhere::NoCheckout => "no-checkout",
        };
        Self { commit: commit.as_deref(), reason }
    }
}

impl<'d> From<&'d FieldDrift> for FieldJson<'d> {
    fn from(field: &'d FieldDrift) -> Self {
        // The token is a hash under the salt of the stamp, and of use to nobody without it.
        let FieldDrift { path, kind, applied, live, editor, conflict, ended, token: _ } = field;
        let (applied, applied_state) = applied.as_ref().map_or((None, "not-known"), state);
        let (live, live_state) = state(live);
        Self {
            path: path.to_string(),
            kind: kind.as_str(),
            applied,
            applied_state,
            live,
            live_state,
            conflict: *conflict,
            editor: editor.as_ref().map(EditorJson::from),
            ignored_until: ended.as_ref().map(|ended| ended.until.to_string()),
            stats: stats(applied, live),
        }
    }
}

impl<'d> From<&'d SlotDrift> for SlotJson<'d> {
    fn from(slot: &'d SlotDrift) -> Self {
        let SlotDrift { number, direction, live, arrived, conflict } = slot;
        let (live, live_state) = match live {
            SlotLive::Holder(holder) => {
                let held = HolderJson::of(holder);
                let state = if held.is_some() { "held" } else { "empty" };
                (held, state)
            }
            SlotLive::NotHere => (None, "not-here"),
            SlotLive::Gone => (None, "gone"),
        };
        Self {
            number: number.as_str(),
            direction: direction.as_str(),
            arrived: *arrived,
            conflict: *conflict,
            live,
            live_state,
        }
    }
}
