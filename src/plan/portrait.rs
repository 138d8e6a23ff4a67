//! One agent as it is: its versions, who made them, what points at each, and what is recorded of applies and rollbacks.

use serde::{Deserialize, Serialize};

use crate::model::{
    Applied, Direction, Key, Lease, LiveAgent, LiveState, Origin, PhoneNumber, RolledBack, Stamp, VersionHead,
};

use super::change::Target;

/// What this project has to do with an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Standing {
    /// A manifest declares it, and an apply has recorded it.
    Managed,
    /// A manifest declares it, and the next apply takes it over.
    ToAdopt,
    /// An apply has recorded it, and no manifest declares it any more.
    Orphaned,
    /// It belongs to another project or environment.
    AnotherProject,
    /// Nobody has recorded anything on it.
    Unmanaged,
}

/// What a version is to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum VersionState {
    /// The highest published one.
    Live,
    /// It was live before, and may still be pointed at.
    Published,
    /// It was never published.
    Draft,
}

/// What an apply recorded on a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedBy {
    /// The hash of the plan.
    pub plan: String,
    /// The commit of the manifests.
    pub commit: Option<String>,
    /// Where the run can be seen.
    pub run_url: Option<String>,
}

impl AppliedBy {
    fn of(applied: &Applied) -> Self {
        let Applied { plan, commit, run_url, .. } = applied;
        Self { plan: plan.clone(), commit: commit.clone(), run_url: run_url.clone() }
    }
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Its number.
    pub version: u64,
    /// What numbers and widgets point at.
    pub id: String,
    /// What it is to callers.
    pub state: VersionState,
    /// When it was made, as far as the service tells.
    pub at: Option<String>,
    /// Who changed it last, else who made it.
    pub by: Option<String>,
    /// The phone numbers that ring at it, and in which direction.
    pub numbers: Vec<(PhoneNumber, Direction)>,
    /// The widgets that run it.
    pub widgets: Vec<String>,
    /// What the last apply recorded on it; older records are not kept.
    pub applied: Option<AppliedBy>,
    /// The rollback that made it, while the record of it stands.
    pub rollback: Option<RolledBack>,
}

/// An apply or a rollback that was begun and is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The run.
    pub run: String,
    /// The hash of its plan.
    pub plan: String,
    /// The version that it goes back to, where it is a rollback.
    pub back_to: Option<u64>,
}

/// One agent.
#[derive(Clone, Debug)]
pub struct Portrait {
    /// Where it was looked at.
    pub target: Target,
    /// Its key, by the manifest, else by what is recorded on it.
    pub key: Option<Key>,
    /// The service's id.
    pub agent_id: String,
    /// Its name.
    pub name: String,
    /// Whether it is switched on, where the service tells.
    pub active: Option<bool>,
    /// What this project has to do with it.
    pub standing: Standing,
    /// Where its manifest begins.
    pub origin: Option<Origin>,
    /// All versions, the newest first.
    pub versions: Vec<VersionRow>,
    /// Whether it is exposed over SIP.
    pub sip_deployed: bool,
    /// The version that was applied last, and how.
    pub last_apply: Option<(Option<u64>, AppliedBy)>,
    /// What was begun and is not finished.
    pub begun: Option<Begun>,
    /// The run that is working on it.
    pub at_work: Option<Lease>,
    /// A rollback that the manifest has not caught up with.
    pub rollback: Option<RolledBack>,
    /// What a reader should know of the reading.
    pub notices: Vec<String>,
    /// Whether all versions were read.
    pub complete: bool,
}

impl Portrait {
    /// The live version.
    pub fn live(&self) -> Option<&VersionRow> {
        self.versions.iter().find(|row| row.state == VersionState::Live)
    }
}

/// What a portrait is made of.
pub struct Sitting<'a> {
    /// Where it was looked at.
    pub target: &'a Target,
    /// Everything that was read.
    pub live: &'a LiveState,
    /// The agent, with all its versions.
    pub agent: &'a LiveAgent,
    /// What is recorded on it, where that is this project's.
    pub stamp: Option<&'a Stamp>,
    /// The key of its manifest.
    pub key: Option<&'a Key>,
    /// What this project has to do with it.
    pub standing: Standing,
    /// Where its manifest begins.
    pub origin: Option<&'a Origin>,
    /// When each version was made.
    pub made_at: &'a dyn Fn(u64) -> Option<String>,
}

impl Sitting<'_> {
    /// The portrait.
    pub fn portrait(&self) -> Portrait {
        let Self { target, live: _, agent, stamp, key, standing, origin, made_at: _ } = self;
        let state = stamp.map(|stamp| &stamp.state);
        let applied = state.and_then(|state| state.applied.as_ref());
        let mut versions: Vec<VersionRow> = agent.versions.iter().map(|head| self.row(head)).collect();
        versions.sort_by_key(|row| std::cmp::Reverse(row.version));
        Portrait {
            target: (*target).clone(),
            key: key.cloned().or_else(|| stamp.map(|stamp| stamp.key.clone())),
            agent_id: agent.id.clone(),
            name: agent.name.clone(),
            active: agent.active,
            standing: *standing,
            origin: origin.cloned(),
            versions,
            sip_deployed: agent.sip_deployed,
            last_apply: applied.map(|applied| (applied.version, AppliedBy::of(applied))),
            begun: state.and_then(|state| state.intent.as_ref()).map(|intent| Begun {
                run: intent.run.clone(),
                plan: intent.plan.clone(),
                back_to: intent.rollback.as_ref().map(|rolled_back| rolled_back.back.to),
            }),
            at_work: state.and_then(|state| state.lease.clone()),
            rollback: state.and_then(|state| state.rollback.clone()),
            notices: Vec::new(),
            complete: true,
        }
    }

    fn row(&self, head: &VersionHead) -> VersionRow {
        let state = self.stamp.map(|stamp| &stamp.state);
        let applied = state.and_then(|state| state.applied.as_ref()).filter(|it| it.version == Some(head.version));
        let is_live = self.agent.live_version().is_some_and(|live| live.version == head.version);
        let numbers = self.live.numbers.values().flat_map(|number| {
            let at_it =
                Direction::ALL.into_iter().filter(|direction| number.slot(*direction) == Some(head.id.as_str()));
            at_it.map(|direction| (number.number.clone(), direction))
        });
        let widgets = self.agent.widgets.iter().filter(|widget| widget.agent_version_id.as_deref() == Some(&head.id));
        VersionRow {
            version: head.version,
            id: head.id.clone(),
            state: match (is_live, head.published) {
                (true, _) => VersionState::Live,
                (false, true) => VersionState::Published,
                (false, false) => VersionState::Draft,
            },
            at: (self.made_at)(head.version),
            by: head.modified_by.clone().or_else(|| head.created_by.clone()),
            numbers: numbers.collect(),
            widgets: widgets.map(|widget| widget.id.clone()).collect(),
            applied: applied.map(AppliedBy::of),
            rollback: applied.and(state.and_then(|state| state.rollback.clone())),
        }
    }
}

/// One published version in the log of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The agent's key.
    pub key: Key,
    /// The version.
    pub row: VersionRow,
}

/// What was published when, of one agent or of all of a project, the newest first.
#[derive(Clone, Debug)]
pub struct Log {
    /// Where it was looked at.
    pub target: Target,
    /// The entries. One without a time comes last.
    pub entries: Vec<LogEntry>,
    /// How many more there are than were asked for.
    pub left_out: usize,
    /// What could not be read.
    pub notices: Vec<String>,
    /// Whether everything was read.
    pub complete: bool,
}

impl Log {
    /// The log of agents, no longer than `limit`.
    pub fn of(target: &Target, portraits: Vec<Portrait>, limit: usize) -> Self {
        let complete = portraits.iter().all(|portrait| portrait.complete);
        let mut notices = Vec::new();
        let mut entries = Vec::new();
        for portrait in portraits {
            notices.extend(portrait.notices);
            let Some(key) = portrait.key else { continue };
            let published = portrait.versions.into_iter().filter(|row| row.state != VersionState::Draft);
            entries.extend(published.map(|row| LogEntry { key: key.clone(), row }));
        }
        entries.sort_by(|a, b| (&b.row.at, &a.key, b.row.version).cmp(&(&a.row.at, &b.key, a.row.version)));
        let left_out = entries.len().saturating_sub(limit);
        entries.truncate(limit);
        Self { target: target.clone(), entries, left_out, notices, complete }
    }
}
