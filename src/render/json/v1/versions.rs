//! One agent with its versions, the log of a project, and the difference of two versions, as documents.

use serde::{Deserialize, Serialize};

use super::values::FieldDoc;
use super::{FORMAT_VERSION, TargetDoc, documents, write};
use crate::model::{Address, Back, Direction, Editor, Key, Lease, Origin, PhoneNumber, RolledBack};
use crate::plan::between::Between;
use crate::plan::portrait::{AppliedBy, Begun, Log, LogEntry, Portrait, Standing, VersionRow, VersionState};

/// The document of `show KEY`.
pub fn agent_document(portrait: &Portrait) -> String {
    write(&AgentDoc::from(portrait))
}

/// The document of `versions KEY`.
pub fn versions_document(portrait: &Portrait) -> String {
    write(&VersionsDoc::from(portrait))
}

/// The document of `log`.
pub fn log_document(log: &Log) -> String {
    write(&LogDoc::from(log))
}

/// The document of `release KEY`, once it is done.
pub fn released_document(portrait: &Portrait) -> String {
    let AgentDoc { format_version, tool_version, target, address, key, agent_id, name, source, .. } = portrait.into();
    let kind = ReleasedKind::Released;
    write(&ReleasedDoc { format_version, tool_version, kind, target, address, key, agent_id, name, source })
}

/// The document of `compare KEY`.
pub fn comparison_document(between: &Between) -> String {
    write(&ComparisonDoc::from(between))
}

documents! {
    /// What `show KEY --json` writes: one agent as it is.
    AgentDoc {
        format_version: String,
        tool_version: String,
        kind: AgentKind,
        target: TargetDoc,
        /// Whether all versions were read.
        complete: bool,
        address: Option<Address>,
        key: Option<Key>,
        agent_id: String,
        name: String,
        /// Null where the service does not say.
        active: Option<bool>,
        state: Standing,
        /// Where its manifest begins.
        source: Option<Origin>,
        live_version: Option<u64>,
        sip_endpoint: bool,
        last_apply: Option<ApplyDoc>,
        unfinished: Option<UnfinishedDoc>,
        /// The run that is working on it.
        at_work: Option<LeaseDoc>,
        /// A rollback that the manifest has not caught up with.
        rollback: Option<RolledBackDoc>,
        /// The newest first.
        versions: Vec<VersionRowDoc>,
        notices: Vec<String>,
    }

    /// What `versions KEY --json` writes.
    VersionsDoc {
        format_version: String,
        tool_version: String,
        kind: VersionsKind,
        target: TargetDoc,
        /// Whether all versions were read.
        complete: bool,
        address: Option<Address>,
        key: Option<Key>,
        agent_id: String,
        name: String,
        live_version: Option<u64>,
        /// The newest first.
        versions: Vec<VersionRowDoc>,
        notices: Vec<String>,
    }

    /// What `log --json` writes: published versions, the newest first.
    LogDoc {
        format_version: String,
        tool_version: String,
        kind: LogKind,
        target: TargetDoc,
        /// Whether everything was read.
        complete: bool,
        entries: Vec<LogEntryDoc>,
        /// How many older entries there are.
        left_out: usize,
        notices: Vec<String>,
    }

    /// A published version of an agent.
    LogEntryDoc {
        address: Address,
        key: Key,
        #[serde(flatten)]
        version: VersionRowDoc,
    }

    /// What `compare KEY --json` writes: the values in which two versions differ.
    ComparisonDoc {
        format_version: String,
        tool_version: String,
        kind: ComparisonKind,
        target: TargetDoc,
        address: Option<Address>,
        key: Option<Key>,
        agent_id: String,
        name: String,
        from: Editor,
        to: Editor,
        fields: Vec<FieldDoc>,
        /// The service's own words, where they were asked for.
        summary: Option<String>,
        notices: Vec<String>,
    }

    /// What `release KEY --json` writes: an agent that is no longer managed.
    ReleasedDoc {
        format_version: String,
        tool_version: String,
        kind: ReleasedKind,
        target: TargetDoc,
        address: Option<Address>,
        key: Option<Key>,
        agent_id: String,
        name: String,
        /// Where a manifest still declares it: the next apply would take it over again.
        source: Option<Origin>,
    }

    /// One version.
    VersionRowDoc {
        version: u64,
        version_id: String,
        state: VersionState,
        /// When it was made; null where the service does not say.
        at: Option<String>,
        by: Option<String>,
        numbers: Vec<SlotRowDoc>,
        web_widgets: Vec<String>,
        /// What the last apply recorded; of older ones nothing is kept.
        applied: Option<AppliedDoc>,
        /// The rollback that made it, while the record of it stands.
        rollback: Option<RolledBackDoc>,
    }

    /// A phone slot.
    SlotRowDoc {
        number: PhoneNumber,
        direction: Direction,
    }

    /// What was recorded of an apply.
    AppliedDoc {
        plan: String,
        commit: Option<String>,
        run_url: Option<String>,
    }

    /// The apply that was recorded last.
    ApplyDoc {
        /// Null where it published nothing.
        version: Option<u64>,
        plan: String,
        commit: Option<String>,
        run_url: Option<String>,
    }

    /// What was begun and is not finished.
    UnfinishedDoc {
        run: String,
        plan: String,
        /// The version that it goes back to, where it is a rollback.
        rollback_to: Option<u64>,
    }

    /// Which run is working on an agent.
    LeaseDoc {
        run: String,
        at: String,
    }

    /// The way back to an older version.
    BackDoc {
        from: u64,
        to: u64,
        /// The digest of the manifest that is rolled back.
        source: String,
        reason: Option<String>,
    }

    /// A rollback that was carried out.
    RolledBackDoc {
        from: u64,
        to: u64,
        /// The digest of the manifest that was rolled back.
        source: String,
        reason: Option<String>,
        by: Option<String>,
        at: String,
    }
}

macro_rules! kind {
    ($name:ident, $variant:ident) => {
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub(super) enum $name {
            $variant,
        }
    };
}

kind!(AgentKind, Agent);
kind!(VersionsKind, Versions);
kind!(LogKind, Log);
kind!(ComparisonKind, Comparison);
kind!(ReleasedKind, Released);

impl From<&Portrait> for AgentDoc {
    fn from(portrait: &Portrait) -> Self {
        let Portrait {
            target,
            key,
            agent_id,
            name,
            active,
            standing,
            origin,
            versions,
            sip_deployed,
            last_apply,
            begun,
            at_work,
            rollback,
            notices,
            complete,
        } = portrait;
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            kind: AgentKind::Agent,
            target: target.into(),
            complete: *complete,
            address: key.clone().map(Address),
            key: key.clone(),
            agent_id: agent_id.clone(),
            name: name.clone(),
            active: *active,
            state: *standing,
            source: origin.clone(),
            live_version: portrait.live().map(|row| row.version),
            sip_endpoint: *sip_deployed,
            last_apply: last_apply.clone().map(|(version, AppliedBy { plan, commit, run_url })| ApplyDoc {
                version,
                plan,
                commit,
                run_url,
            }),
            unfinished: begun.clone().map(|Begun { run, plan, back_to }| UnfinishedDoc {
                run,
                plan,
                rollback_to: back_to,
            }),
            at_work: at_work.clone().map(|Lease { run, at }| LeaseDoc { run, at }),
            rollback: rollback.as_ref().map(RolledBackDoc::from),
            versions: versions.iter().map(VersionRowDoc::from).collect(),
            notices: notices.clone(),
        }
    }
}

impl From<&Portrait> for VersionsDoc {
    fn from(portrait: &Portrait) -> Self {
        let AgentDoc {
            format_version,
            tool_version,
            target,
            complete,
            address,
            key,
            agent_id,
            name,
            live_version,
            versions,
            notices,
            ..
        } = AgentDoc::from(portrait);
        let kind = VersionsKind::Versions;
        Self {
            format_version,
            tool_version,
            kind,
            target,
            complete,
            address,
            key,
            agent_id,
            name,
            live_version,
            versions,
            notices,
        }
    }
}

impl From<&Log> for LogDoc {
    fn from(log: &Log) -> Self {
        let Log { target, entries, left_out, notices, complete } = log;
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            kind: LogKind::Log,
            target: target.into(),
            complete: *complete,
            entries: entries
                .iter()
                .map(|LogEntry { key, row }| LogEntryDoc {
                    address: Address(key.clone()),
                    key: key.clone(),
                    version: row.into(),
                })
                .collect(),
            left_out: *left_out,
            notices: notices.clone(),
        }
    }
}

impl From<&Between> for ComparisonDoc {
    fn from(between: &Between) -> Self {
        let Between { target, key, agent_id, name, from, to, fields, summary, notices } = between;
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            kind: ComparisonKind::Comparison,
            target: target.into(),
            address: key.clone().map(Address),
            key: key.clone(),
            agent_id: agent_id.clone(),
            name: name.clone(),
            from: from.clone(),
            to: to.clone(),
            fields: fields.iter().map(FieldDoc::from).collect(),
            summary: summary.clone(),
            notices: notices.clone(),
        }
    }
}

impl From<&VersionRow> for VersionRowDoc {
    fn from(row: &VersionRow) -> Self {
        let VersionRow { version, id, state, at, by, numbers, widgets, applied, rollback } = row;
        Self {
            version: *version,
            version_id: id.clone(),
            state: *state,
            at: at.clone(),
            by: by.clone(),
            numbers: numbers
                .iter()
                .map(|(number, direction)| SlotRowDoc { number: number.clone(), direction: *direction })
                .collect(),
            web_widgets: widgets.clone(),
            applied: applied.clone().map(|AppliedBy { plan, commit, run_url }| AppliedDoc { plan, commit, run_url }),
            rollback: rollback.as_ref().map(RolledBackDoc::from),
        }
    }
}

impl From<&Back> for BackDoc {
    fn from(back: &Back) -> Self {
        let Back { from, to, source, reason } = back.clone();
        Self { from, to, source, reason }
    }
}

impl From<BackDoc> for Back {
    fn from(back: BackDoc) -> Self {
        let BackDoc { from, to, source, reason } = back;
        Self { from, to, source, reason }
    }
}

impl From<&RolledBack> for RolledBackDoc {
    fn from(rolled_back: &RolledBack) -> Self {
        let RolledBack { back: Back { from, to, source, reason }, by, at } = rolled_back.clone();
        Self { from, to, source, reason, by, at }
    }
}
