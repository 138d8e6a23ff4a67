//! A plan as a document, and back to a plan that can be shown and nothing more: it has nothing to send.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problems::{DiagnosticDoc, LeftOutDoc, ProblemsDoc};
use super::values::{FieldDoc, HolderDoc, KeptDoc, VerifyDoc};
use super::versions::BackDoc;
use super::{FORMAT_VERSION, NoticeDoc, TargetDoc, documents, write};
use crate::diagnostics::SourceMap;
use crate::model::{Address, Back, Digest, Direction, Editor, FieldPath, Key, Origin, PhoneNumber};
use crate::plan::saved::{DOCUMENT_DIGEST, document_digest};
use crate::plan::{
    Action, AgentChange, Alarm, Cause, FieldChange, Held, KeptEdit, LimitBreach, LimitKind, Notice, Orphan, Plan,
    RaisedLimit, Refresh, Risk, SlotChange, SlotTarget, Source, Summary, Target, Unchanged, Unmanaged, VerifyChange,
    Work, alarms,
};

/// The plan document, with line feeds and a final one.
pub fn plan_document(plan: &Plan, sources: &SourceMap) -> String {
    sealed(&write(&PlanDoc::new(plan, sources)))
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

/// Reads a plan document for showing; `None` where it is not one. What a later minor version added is passed over.
pub fn read_plan(document: &Value) -> Option<Plan> {
    PlanDoc::deserialize(document).ok()?.read()
}

documents! {
    /// What `plan --json` writes, and `--out` saves. Minor versions add properties; readers ignore what they do not know.
    PlanDoc {
        format_version: String,
        #[serde(default)]
        tool_version: String,
        #[serde(default)]
        complete: bool,
        #[serde(default)]
        targeted: bool,
        /// Complete and without an error.
        #[serde(default)]
        applyable: bool,
        target: TargetDoc,
        #[serde(default)]
        source: Source,
        schema_digest: Option<Digest>,
        plan_hash: Digest,
        /// SHA-256 over the canonical JSON of everything else in this document, so that what is shown cannot be edited
        /// unnoticed.
        #[serde(default)]
        document_digest: String,
        /// Counts of agents. Drift and conflict count agents with at least one field or slot of that cause.
        #[serde(default)]
        summary: Summary,
        changes: Vec<ChangeDoc>,
        #[serde(default)]
        unchanged: Vec<UnchangedDoc>,
        /// Unchanged agents whose record is brought up to date.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refreshes: Vec<RefreshDoc>,
        #[serde(default)]
        unmanaged: Vec<UnmanagedDoc>,
        #[serde(default)]
        orphans: Vec<OrphanDoc>,
        #[serde(default)]
        notices: Vec<NoticeDoc>,
        #[serde(default)]
        limits: Vec<LimitBreach>,
        /// Limits that the pull request raises and that this plan needs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        raised_limits: Vec<RaisedDoc>,
        /// What to look at before anything else, the gravest first.
        #[serde(default)]
        alarms: Vec<AlarmDoc>,
        #[serde(default)]
        diagnostics: Vec<DiagnosticDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diagnostics_left_out: Option<LeftOutDoc>,
    }

    /// What is done to one agent.
    ChangeDoc {
        address: Address,
        key: Key,
        name: String,
        agent_id: Option<String>,
        action: Action,
        change_hash: Digest,
        base_version: Option<u64>,
        #[serde(default)]
        new_version: bool,
        #[serde(default)]
        adopts: bool,
        moved_from: Option<Key>,
        source: Option<Origin>,
        live_editor: Option<Editor>,
        held: Option<HeldDoc>,
        /// The way back to an older version, where that is what the change is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rollback: Option<BackDoc>,
        fields: Vec<FieldDoc>,
        #[serde(default)]
        kept: Vec<KeptDoc>,
        #[serde(default)]
        numbers: Vec<SlotDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verify: Option<VerifyDoc>,
        /// What is done, in order, in sentences for people.
        #[serde(default)]
        steps: Vec<String>,
    }

    /// A phone slot that changes hands.
    SlotDoc {
        number: PhoneNumber,
        direction: Direction,
        cause: Cause,
        from: Option<HolderDoc>,
        to: Option<SlotTargetDoc>,
        #[serde(default)]
        follows: bool,
        risk: Option<String>,
    }

    /// Who will hold it.
    SlotTargetDoc {
        agent: Address,
        version: VersionDoc,
    }

    /// An agent that is left as it is.
    UnchangedDoc {
        address: Address,
        key: Key,
        agent_id: String,
        version: Option<u64>,
        #[serde(default)]
        kept: Vec<KeptDoc>,
    }

    /// An agent of which only what reachform records on it is written.
    RefreshDoc {
        address: Address,
        key: Key,
        agent_id: String,
        name: String,
        version: Option<u64>,
    }

    /// An agent of others.
    UnmanagedDoc {
        agent_id: String,
        name: String,
        project: Option<String>,
        environment: Option<String>,
    }

    /// An agent without a manifest.
    OrphanDoc {
        address: Address,
        key: Key,
        agent_id: String,
        name: String,
        #[serde(default)]
        protect: bool,
        kept_because: Option<String>,
    }

    /// A limit that the pull request raises.
    RaisedDoc {
        limit: LimitKind,
        /// Null where the file of the base could not be read.
        from: Option<usize>,
        to: usize,
        #[serde(default)]
        message: String,
    }

    /// Something to look at first.
    AlarmDoc {
        code: String,
        address: Option<Address>,
        path: Option<FieldPath>,
        message: String,
    }
}

/// Why a change is not carried out. An earlier version wrote the sentence alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum HeldDoc {
    Now(Hold),
    #[cfg_attr(test, schemars(skip))]
    Sentence(String),
}

/// Why, and the same in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) enum Hold {
    /// Changed in Git and on the service.
    Conflict { message: String },
    /// Rolled back, and the manifest is still the one that was rolled back.
    Rollback { from: u64, to: u64, message: String },
}

/// A number, or the word `new`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum VersionDoc {
    Number(u64),
    Word(NewVersion),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum NewVersion {
    New,
}

impl PlanDoc {
    fn new(plan: &Plan, sources: &SourceMap) -> Self {
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
            refreshes,
            // Those are for approval and for apply alone.
            twins: _,
            records: _,
        } = plan;
        let ProblemsDoc { diagnostics, diagnostics_left_out } = ProblemsDoc::of(diagnostics, sources);
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            complete: *complete,
            targeted: *targeted,
            applyable: plan.is_applyable(),
            target: target.into(),
            source: source.clone(),
            schema_digest: schema_digest.clone(),
            plan_hash: plan_hash.clone(),
            // Filled in once the rest is known.
            document_digest: String::new(),
            summary: plan.summary(),
            changes: changes.iter().map(ChangeDoc::from).collect(),
            unchanged: unchanged.iter().map(UnchangedDoc::from).collect(),
            refreshes: refreshes.iter().map(RefreshDoc::from).collect(),
            unmanaged: unmanaged.iter().map(UnmanagedDoc::from).collect(),
            orphans: orphans.iter().map(OrphanDoc::from).collect(),
            notices: notices.iter().map(NoticeDoc::from).collect(),
            limits: breaches.clone(),
            raised_limits: raised.iter().map(RaisedDoc::from).collect(),
            alarms: alarms(plan).into_iter().map(AlarmDoc::from).collect(),
            diagnostics,
            diagnostics_left_out,
        }
    }

    fn read(self) -> Option<Plan> {
        let Self { diagnostics, diagnostics_left_out, .. } = self;
        Some(Plan {
            target: Target::from(self.target),
            source: self.source,
            schema_digest: self.schema_digest,
            complete: self.complete,
            targeted: self.targeted,
            changes: self.changes.into_iter().map(ChangeDoc::read).collect::<Option<_>>()?,
            unchanged: self.unchanged.into_iter().map(Unchanged::from).collect(),
            refreshes: self.refreshes.into_iter().map(Refresh::from).collect(),
            twins: Vec::new(),
            unmanaged: self.unmanaged.into_iter().map(Unmanaged::from).collect(),
            orphans: self.orphans.into_iter().map(Orphan::from).collect(),
            notices: self.notices.into_iter().map(Notice::from).collect(),
            diagnostics: ProblemsDoc { diagnostics, diagnostics_left_out }.diagnostics(),
            records: Vec::new(),
            breaches: self.limits,
            raised: self.raised_limits.into_iter().map(RaisedLimit::from).collect(),
            plan_hash: self.plan_hash,
        })
    }
}

impl From<&AgentChange> for ChangeDoc {
    fn from(change: &AgentChange) -> Self {
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
            back,
            // It holds secrets in clear.
            work: _,
        } = change;
        Self {
            address: address.clone(),
            key: key.clone(),
            name: name.clone(),
            agent_id: agent_id.clone(),
            action: *action,
            change_hash: change_hash.clone(),
            base_version: *base_version,
            new_version: *new_version,
            adopts: *adopts,
            moved_from: moved_from.clone(),
            source: origin.clone(),
            live_editor: live_editor.clone(),
            held: held.as_ref().map(|held| HeldDoc::of(held, key)),
            rollback: back.as_ref().map(BackDoc::from),
            fields: fields.iter().map(FieldDoc::from).collect(),
            kept: kept.iter().map(KeptDoc::from).collect(),
            numbers: numbers.iter().map(SlotDoc::from).collect(),
            verify: verify.as_ref().map(VerifyDoc::from),
            steps: steps.clone(),
        }
    }
}

impl ChangeDoc {
    pub(super) fn read(self) -> Option<AgentChange> {
        let verify: Option<VerifyChange> = match self.verify {
            Some(verify) => Some(verify.read()?),
            None => None,
        };
        Some(AgentChange {
            address: self.address,
            key: self.key,
            name: self.name,
            agent_id: self.agent_id,
            action: self.action,
            change_hash: self.change_hash,
            base_version: self.base_version,
            new_version: self.new_version,
            adopts: self.adopts,
            moved_from: self.moved_from,
            origin: self.source,
            live_editor: self.live_editor,
            held: self.held.map(HeldDoc::read),
            back: self.rollback.map(Back::from),
            fields: self.fields.into_iter().map(FieldChange::from).collect(),
            kept: self.kept.into_iter().map(KeptEdit::from).collect(),
            numbers: self.numbers.into_iter().map(SlotDoc::read).collect::<Option<_>>()?,
            verify,
            steps: self.steps,
            work: Work::default(),
        })
    }
}

impl HeldDoc {
    fn of(held: &Held, key: &Key) -> Self {
        let message = held.describe(key);
        Self::Now(match *held {
            Held::Conflict => Hold::Conflict { message },
            Held::Rollback { from, to } => Hold::Rollback { from, to, message },
        })
    }

    fn read(self) -> Held {
        match self {
            Self::Now(Hold::Conflict { .. }) => Held::Conflict,
            Self::Now(Hold::Rollback { from, to, .. }) => Held::Rollback { from, to },
            Self::Sentence(sentence) => before_holds_had_a_kind(&sentence),
        }
    }
}

/// The hold of a document of 0.1.0, which has nothing but the sentence.
fn before_holds_had_a_kind(sentence: &str) -> Held {
    let versions = sentence.strip_prefix("rolled back from version ").and_then(|rest| rest.split(';').next());
    let versions = versions.and_then(|text| text.split_once(" to "));
    match versions.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?))) {
        Some((from, to)) => Held::Rollback { from, to },
        None => Held::Conflict,
    }
}

impl From<&SlotChange> for SlotDoc {
    fn from(slot: &SlotChange) -> Self {
        let SlotChange { number, direction, from, to, cause, follows, risk } = slot;
        let to = match to.clone() {
            SlotTarget::Empty => None,
            SlotTarget::NewVersion { key } => {
                Some(SlotTargetDoc { agent: Address(key), version: VersionDoc::Word(NewVersion::New) })
            }
            SlotTarget::Version { key, version } => {
                Some(SlotTargetDoc { agent: Address(key), version: VersionDoc::Number(version) })
            }
        };
        Self {
            number: number.clone(),
            direction: *direction,
            cause: *cause,
            from: HolderDoc::of(from),
            to,
            follows: *follows,
            risk: risk.as_ref().map(|risk| risk.0.clone()),
        }
    }
}

impl SlotDoc {
    fn read(self) -> Option<SlotChange> {
        let Self { number, direction, cause, from, to, follows, risk } = self;
        let to = match to {
            None => SlotTarget::Empty,
            Some(SlotTargetDoc { agent, version: VersionDoc::Word(NewVersion::New) }) => {
                SlotTarget::NewVersion { key: agent.0 }
            }
            Some(SlotTargetDoc { agent, version: VersionDoc::Number(version) }) => {
                SlotTarget::Version { key: agent.0, version }
            }
        };
        Some(SlotChange { number, direction, from: HolderDoc::read(from)?, to, cause, follows, risk: risk.map(Risk) })
    }
}

impl From<&Unchanged> for UnchangedDoc {
    fn from(entry: &Unchanged) -> Self {
        let Unchanged { key, agent_id, version, kept } = entry;
        let kept = kept.iter().map(KeptDoc::from).collect();
        Self { address: Address(key.clone()), key: key.clone(), agent_id: agent_id.clone(), version: *version, kept }
    }
}

impl From<UnchangedDoc> for Unchanged {
    fn from(entry: UnchangedDoc) -> Self {
        let UnchangedDoc { address: _, key, agent_id, version, kept } = entry;
        Self { key, agent_id, version, kept: kept.into_iter().map(KeptEdit::from).collect() }
    }
}

impl From<&Refresh> for RefreshDoc {
    fn from(refresh: &Refresh) -> Self {
        // The work is what the record shall say, with hashes that are nobody's to read.
        let Refresh { key, name, agent_id, version, work: _ } = refresh;
        let (address, key) = (Address(key.clone()), key.clone());
        Self { address, key, agent_id: agent_id.clone(), name: name.clone(), version: *version }
    }
}

impl From<RefreshDoc> for Refresh {
    fn from(refresh: RefreshDoc) -> Self {
        let RefreshDoc { address: _, key, agent_id, name, version } = refresh;
        Self { key, name, agent_id, version, work: Work::default() }
    }
}

impl From<&Unmanaged> for UnmanagedDoc {
    fn from(agent: &Unmanaged) -> Self {
        let Unmanaged { name, agent_id, owner } = agent.clone();
        let (project, environment) = owner.unzip();
        Self { agent_id, name, project, environment }
    }
}

impl From<UnmanagedDoc> for Unmanaged {
    fn from(agent: UnmanagedDoc) -> Self {
        let UnmanagedDoc { agent_id, name, project, environment } = agent;
        Self { name, agent_id, owner: project.zip(environment) }
    }
}

impl From<&Orphan> for OrphanDoc {
    fn from(orphan: &Orphan) -> Self {
        let Orphan { key, agent_id, name, protect, kept_because } = orphan.clone();
        Self { address: Address(key.clone()), key, agent_id, name, protect, kept_because }
    }
}

impl From<OrphanDoc> for Orphan {
    fn from(orphan: OrphanDoc) -> Self {
        let OrphanDoc { address: _, key, agent_id, name, protect, kept_because } = orphan;
        Self { key, agent_id, name, protect, kept_because }
    }
}

impl From<&RaisedLimit> for RaisedDoc {
    fn from(raised: &RaisedLimit) -> Self {
        let RaisedLimit { limit, from, to } = *raised;
        Self { limit, from, to, message: raised.describe() }
    }
}

impl From<RaisedDoc> for RaisedLimit {
    fn from(raised: RaisedDoc) -> Self {
        let RaisedDoc { limit, from, to, message: _ } = raised;
        Self { limit, from, to }
    }
}

impl From<Alarm> for AlarmDoc {
    fn from(alarm: Alarm) -> Self {
        let Alarm { code, address, path, message } = alarm;
        Self { code: code.as_str().to_owned(), address, path, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_survives_writing_and_reading_and_that_of_an_earlier_version_is_read_from_its_sentence() {
        let key = Key::parse("riverside").unwrap();
        for hold in [Held::Conflict, Held::Rollback { from: 9, to: 7 }] {
            let written = serde_json::to_value(HeldDoc::of(&hold, &key)).unwrap();
            assert_eq!(serde_json::from_value::<HeldDoc>(written).unwrap().read(), hold);
            let earlier = Value::String(hold.describe(&key));
            assert_eq!(serde_json::from_value::<HeldDoc>(earlier).unwrap().read(), hold);
        }
    }

    #[test]
    fn what_is_no_plan_document_reads_as_none() {
        for text in ["null", "{}", r#"{"target": {"host": "h"}}"#] {
            assert!(read_plan(&serde_json::from_str(text).unwrap()).is_none());
        }
    }
}
