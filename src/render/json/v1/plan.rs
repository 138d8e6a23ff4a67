//! A plan as JSON.

use serde::Serialize;
use serde_json::Value;

use super::verify::VerifyJson;
use super::{FORMAT_VERSION, NoticeJson, TargetJson, write};
use crate::diagnostics::{Diagnostic, Place, SourceMap, Worst, worst};
use crate::model::{Editor, Key};
use crate::plan::saved::{DOCUMENT_DIGEST, document_digest};
use crate::plan::{
    AgentChange, Alarm, FieldChange, KeptEdit, LimitBreach, Orphan, Plan, RaisedLimit, Shown, SlotChange, SlotHolder,
    SlotTarget, Source, Summary, Unmanaged, alarms,
};
use crate::render::prose::ProseDiff;

/// The plan document, with line feeds and a final one.
pub fn plan_document(plan: &Plan, sources: &SourceMap) -> String {
    sealed(&write(&PlanDocument::new(plan, sources)))
}

/// The same document with the digest of what it holds, for whoever changed its text by taking a secret out of it.
pub fn sealed(document: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(document) else { return document.to_owned() };
    if let Some(held) = value.get(DOCUMENT_DIGEST).and_then(Value::as_str).map(str::to_owned) {
        let digest = document_digest(&value);
        if held != digest.as_str() {
            value[DOCUMENT_DIGEST] = Value::String(digest.as_str().to_owned());
            return write(&value);
        }
    }
    document.to_owned()
}

#[derive(Serialize)]
struct PlanDocument<'p> {
    format_version: &'static str,
    tool_version: &'static str,
    complete: bool,
    targeted: bool,
    applyable: bool,
    target: TargetJson<'p>,
    source: SourceJson<'p>,
    schema_digest: Option<&'p str>,
    plan_hash: &'p str,
    document_digest: &'static str,
    summary: SummaryJson,
    changes: Vec<ChangeJson<'p>>,
    unchanged: Vec<UnchangedJson<'p>>,
    unmanaged: Vec<UnmanagedJson<'p>>,
    orphans: Vec<OrphanJson<'p>>,
    notices: Vec<NoticeJson<'p>>,
    limits: Vec<LimitJson<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    raised_limits: Vec<RaisedJson>,
    alarms: Vec<AlarmJson>,
    diagnostics: Vec<DiagnosticJson<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics_left_out: Option<Value>,
}

#[derive(Serialize)]
pub(super) struct SourceJson<'p> {
    commit: Option<&'p str>,
    dirty: bool,
}

#[derive(Serialize)]
struct SummaryJson {
    create: usize,
    update: usize,
    delete: usize,
    adopt: usize,
    unchanged: usize,
    drift: usize,
    conflict: usize,
    orphaned: usize,
}

#[derive(Serialize)]
struct ChangeJson<'p> {
    address: String,
    key: &'p str,
    name: &'p str,
    agent_id: Option<&'p str>,
    action: &'static str,
    change_hash: &'p str,
    base_version: Option<u64>,
    new_version: bool,
    adopts: bool,
    moved_from: Option<&'p str>,
    source: Option<PlaceJson<'p>>,
    live_editor: Option<EditorJson<'p>>,
    held: Option<String>,
    fields: Vec<FieldJson<'p>>,
    kept: Vec<KeptJson<'p>>,
    numbers: Vec<NumberJson<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<VerifyJson<'p>>,
    steps: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct PlaceJson<'p> {
    pub(super) file: &'p str,
    pub(super) line: usize,
}

#[derive(Serialize)]
pub(super) struct EditorJson<'p> {
    by: Option<&'p str>,
    at: Option<&'p str>,
    version: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct FieldJson<'p> {
    path: String,
    kind: &'static str,
    cause: &'static str,
    before: Option<&'p Value>,
    before_state: &'static str,
    after: Option<&'p Value>,
    after_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<&'p Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_state: Option<&'static str>,
    removal: bool,
    risk: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsJson>,
}

#[derive(Serialize)]
pub(super) struct StatsJson {
    words_before: usize,
    words_after: usize,
    words_removed: usize,
    words_added: usize,
    words_moved: usize,
    unseen: usize,
    hunks: usize,
    similarity: f64,
}

#[derive(Serialize)]
pub(super) struct KeptJson<'p> {
    path: String,
    before: Option<&'p Value>,
    before_state: &'static str,
    after: Option<&'p Value>,
    after_state: &'static str,
}

#[derive(Serialize)]
struct NumberJson<'p> {
    number: &'p str,
    direction: &'static str,
    cause: &'static str,
    from: Option<HolderJson<'p>>,
    to: Option<SlotTargetJson>,
    follows: bool,
    risk: Option<&'p str>,
}

#[derive(Serialize)]
pub(super) struct HolderJson<'p> {
    agent: Option<String>,
    agent_id: Option<&'p str>,
    name: Option<&'p str>,
    version: Option<u64>,
    version_id: Option<&'p str>,
}

#[derive(Serialize)]
struct SlotTargetJson {
    agent: String,
    version: VersionJson,
}

/// A number, or the word `new`.
#[derive(Serialize)]
#[serde(untagged)]
enum VersionJson {
    Number(u64),
    Word(&'static str),
}

#[derive(Serialize)]
struct UnchangedJson<'p> {
    address: String,
    key: &'p str,
    agent_id: &'p str,
    version: Option<u64>,
    kept: Vec<KeptJson<'p>>,
}

#[derive(Serialize)]
struct UnmanagedJson<'p> {
    agent_id: &'p str,
    name: &'p str,
    project: Option<&'p str>,
    environment: Option<&'p str>,
}

#[derive(Serialize)]
struct OrphanJson<'p> {
    address: String,
    key: &'p str,
    agent_id: &'p str,
    name: &'p str,
    protect: bool,
    kept_because: Option<&'p str>,
}

#[derive(Serialize)]
struct LimitJson<'p> {
    message: &'p str,
    flag: &'p str,
}

#[derive(Serialize)]
struct RaisedJson {
    limit: &'static str,
    from: Option<usize>,
    to: usize,
    message: String,
}

#[derive(Serialize)]
struct AlarmJson {
    code: &'static str,
    address: Option<String>,
    path: Option<String>,
    message: String,
}

#[derive(Serialize)]
struct DiagnosticJson<'p> {
    code: &'static str,
    severity: &'static str,
    message: &'p str,
    file: Option<&'p str>,
    line: Option<usize>,
    column: Option<usize>,
    address: Option<String>,
    request: Option<&'p str>,
    hints: &'p [String],
}

impl<'p> PlanDocument<'p> {
    fn new(plan: &'p Plan, sources: &'p SourceMap) -> Self {
        let Plan {
            target,
            source,
            schema_digest,
            complete,
            targeted,
            changes,
            unchanged,
            unmanaged,
            orphans,
            notices,
            diagnostics,
            breaches,
            raised,
            plan_hash,
            // Stamps that are behind show as notices, and records are for approval alone.
            refreshes: _,
            twins: _,
            records: _,
        } = plan;
        let worst = Worst::of(diagnostics, worst::KEPT, |diagnostic| diagnostic.severity);
        Self {
            format_version: FORMAT_VERSION,
            tool_version: crate::VERSION,
            complete: *complete,
            targeted: *targeted,
            applyable: plan.is_applyable(),
            target: target.into(),
            source: source.into(),
            schema_digest: schema_digest.as_ref().map(crate::model::Digest::as_str),
            plan_hash: plan_hash.as_str(),
            // Filled in once the rest is known.
            document_digest: "",
            summary: plan.summary().into(),
            changes: changes.iter().map(ChangeJson::from).collect(),
            unchanged: unchanged
                .iter()
                .map(|entry| UnchangedJson {
                    address: address(&entry.key),
                    key: entry.key.as_str(),
                    agent_id: &entry.agent_id,
                    version: entry.version,
                    kept: entry.kept.iter().map(KeptJson::from).collect(),
                })
                .collect(),
            unmanaged: unmanaged.iter().map(UnmanagedJson::from).collect(),
            orphans: orphans.iter().map(OrphanJson::from).collect(),
            notices: notices.iter().map(NoticeJson::from).collect(),
            limits: breaches.iter().map(|LimitBreach { message, flag }| LimitJson { message, flag }).collect(),
            raised_limits: raised
                .iter()
                .map(|raised| {
                    let RaisedLimit { limit, from, to } = *raised;
                    RaisedJson { limit: limit.as_str(), from, to, message: raised.describe() }
                })
                .collect(),
            alarms: alarms(plan).into_iter().map(AlarmJson::from).collect(),
            diagnostics: worst.shown.iter().map(|diagnostic| DiagnosticJson::new(diagnostic, sources)).collect(),
            diagnostics_left_out: crate::render::diagnostics::left_out(&worst),
        }
    }
}

pub(super) fn address(key: &Key) -> String {
    format!("agent.{key}")
}

impl From<Summary> for SummaryJson {
    fn from(summary: Summary) -> Self {
        let Summary { create, update, delete, adopt, unchanged, drift, conflict, orphaned } = summary;
        Self { create, update, delete, adopt, unchanged, drift, conflict, orphaned }
    }
}

impl<'p> From<&'p AgentChange> for ChangeJson<'p> {
    fn from(change: &'p AgentChange) -> Self {
        let AgentChange {
            address,
            key,
            name,
            agent_id,
            action,
            change_hash,
            base_version,
            new_version,
            adopts,
            moved_from,
            origin,
            live_editor,
            fields,
            kept,
            numbers,
            verify,
            steps,
            held,
            // It holds secrets in clear.
            work: _,
        } = change;
        Self {
            address: address.to_string(),
            key: key.as_str(),
            name,
            agent_id: agent_id.as_deref(),
            action: action.as_str(),
            change_hash: change_hash.as_str(),
            base_version: *base_version,
            new_version: *new_version,
            adopts: *adopts,
            moved_from: moved_from.as_ref().map(Key::as_str),
            source: origin.as_ref().map(|origin| PlaceJson { file: &origin.file, line: origin.line }),
            live_editor: live_editor.as_ref().map(EditorJson::from),
            held: held.as_ref().map(|held| held.describe(key)),
            fields: fields.iter().map(FieldJson::from).collect(),
            kept: kept.iter().map(KeptJson::from).collect(),
            numbers: numbers.iter().map(NumberJson::from).collect(),
            verify: verify.as_ref().map(VerifyJson::from),
            steps: steps.iter().map(crate::plan::Step::describe).collect(),
        }
    }
}

/// The value, where it may be seen, and what it is.
pub(super) fn state(shown: &Shown) -> (Option<&Value>, &'static str) {
    match shown {
        Shown::Absent => (None, "absent"),
        Shown::Value(value) => (Some(value), "value"),
        Shown::Secret => (None, "secret"),
        Shown::SecretByLook => (None, "secret-by-look"),
        Shown::SecretUnchecked => (None, "secret-unchecked"),
        Shown::AtApply => (None, "at-apply"),
    }
}

impl<'p> From<&'p FieldChange> for FieldJson<'p> {
    fn from(field: &'p FieldChange) -> Self {
        let FieldChange { path, kind, cause, before, after, applied, removal, risk, origin: _ } = field;
        let ((before_value, before_state), (after_value, after_state)) = (state(before), state(after));
        let applied = applied.as_ref().map(state);
        Self {
            path: path.to_string(),
            kind: kind.as_str(),
            cause: cause.as_str(),
            before: before_value,
            before_state,
            after: after_value,
            after_state,
            applied: applied.and_then(|(value, _)| value),
            applied_state: applied.map(|(_, state)| state),
            removal: *removal,
            risk: risk.as_ref().map(|risk| risk.0.as_str()),
            stats: stats(before_value, after_value),
        }
    }
}

pub(super) fn stats(before: Option<&Value>, after: Option<&Value>) -> Option<StatsJson> {
    let (Some(Value::String(before)), Some(Value::String(after))) = (before, after) else { return None };
    let crate::render::prose::Stats {
        words_before,
        words_after,
        words_removed,
        words_added,
        words_moved,
        invisible,
        hunks,
        same_per_mille,
    } = ProseDiff::of(before, after).stats;
    // A share of at most a thousand thousandths is exact in an f64.
    let similarity = u16::try_from(same_per_mille).map_or(0.0, f64::from) / 1000.0;
    let unseen = invisible;
    Some(StatsJson { words_before, words_after, words_removed, words_added, words_moved, unseen, hunks, similarity })
}

impl<'p> From<&'p KeptEdit> for KeptJson<'p> {
    fn from(edit: &'p KeptEdit) -> Self {
        let KeptEdit { path, before, after } = edit;
        let ((before, before_state), (after, after_state)) = (state(before), state(after));
        Self { path: path.to_string(), before, before_state, after, after_state }
    }
}

impl<'p> From<&'p Source> for SourceJson<'p> {
    fn from(source: &'p Source) -> Self {
        let Source { commit, dirty } = source;
        Self { commit: commit.as_deref(), dirty: *dirty }
    }
}

impl<'p> From<&'p Editor> for EditorJson<'p> {
    fn from(editor: &'p Editor) -> Self {
        let Editor { by, at, version } = editor;
        Self { by: by.as_deref(), at: at.as_deref(), version: *version }
    }
}

impl<'p> HolderJson<'p> {
    /// Who holds a slot; nothing where nobody does.
    pub(super) fn of(holder: &'p SlotHolder) -> Option<Self> {
        match holder {
            SlotHolder::Empty => None,
            SlotHolder::Agent { agent_id, name, key, version } => Some(Self {
                agent: key.as_ref().map(address),
                agent_id: Some(agent_id),
                name: Some(name),
                version: Some(*version),
                version_id: None,
            }),
            SlotHolder::Unknown { version_id } => {
                Some(Self { agent: None, agent_id: None, name: None, version: None, version_id: Some(version_id) })
            }
        }
    }
}

impl<'p> From<&'p SlotChange> for NumberJson<'p> {
    fn from(slot: &'p SlotChange) -> Self {
        let SlotChange { number, direction, from, to, cause, follows, risk } = slot;
        let from = HolderJson::of(from);
        let to = match to {
            SlotTarget::Empty => None,
            SlotTarget::NewVersion { key } => {
                Some(SlotTargetJson { agent: address(key), version: VersionJson::Word("new") })
            }
            SlotTarget::Version { key, version } => {
                Some(SlotTargetJson { agent: address(key), version: VersionJson::Number(*version) })
            }
        };
        Self {
            number: number.as_str(),
            direction: direction.as_str(),
            cause: cause.as_str(),
            from,
            to,
            follows: *follows,
            risk: risk.as_ref().map(|risk| risk.0.as_str()),
        }
    }
}

impl<'p> From<&'p Unmanaged> for UnmanagedJson<'p> {
    fn from(agent: &'p Unmanaged) -> Self {
        let Unmanaged { name, agent_id, owner } = agent;
        let (project, environment) = owner.as_ref().map(|(project, environment)| (project, environment)).unzip();
        Self { agent_id, name, project: project.map(String::as_str), environment: environment.map(String::as_str) }
    }
}

impl<'p> From<&'p Orphan> for OrphanJson<'p> {
    fn from(orphan: &'p Orphan) -> Self {
        let Orphan { key, agent_id, name, protect, kept_because } = orphan;
        Self {
            address: address(key),
            key: key.as_str(),
            agent_id,
            name,
            protect: *protect,
            kept_because: kept_because.as_deref(),
        }
    }
}

impl From<Alarm> for AlarmJson {
    fn from(alarm: Alarm) -> Self {
        let Alarm { code, address, path, message } = alarm;
        Self {
            code: code.as_str(),
            address: address.as_ref().map(ToString::to_string),
            path: path.as_ref().map(ToString::to_string),
            message,
        }
    }
}

impl<'p> DiagnosticJson<'p> {
    fn new(diagnostic: &'p Diagnostic, sources: &'p SourceMap) -> Self {
        // Labels and edits are for excerpts and editors, which read them elsewhere.
        let Diagnostic { code, severity, message, place, about, label: _, others: _, hints, fix: _ } = diagnostic;
        let mut json = Self {
            code,
            severity: severity.as_str(),
            message,
            file: None,
            line: None,
            column: None,
            address: about.as_ref().map(ToString::to_string),
            request: None,
            hints,
        };
        match place {
            None | Some(Place::Agent(_) | Place::Field { .. }) => {}
            Some(Place::Span(span)) => {
                let position = sources.position(span.file, span.start);
                json.file = Some(sources.name(span.file));
                (json.line, json.column) = (Some(position.line), Some(position.column));
            }
            Some(Place::Line(origin)) => {
                (json.file, json.line) = (Some(origin.file.as_str()), Some(origin.line));
            }
            Some(Place::File(file)) => json.file = Some(file),
            Some(Place::Request(request)) => json.request = Some(request),
        }
        json
    }
}
