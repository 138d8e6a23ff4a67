//! Drift: what is live against what was applied, never against what is pending in Git.
//!
//! The stamp says what was applied, by hash; the applied version, being immutable, says it in clear where it can be read.
//! A difference that Git declares already is none: what was adopted and not yet applied has nothing to be told of.
//! `judge` is the entry; text, JSON, Markdown, the issue and the exit code are derived from one [`Drift`].

mod fields;
mod fingerprint;
mod judge;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::{Address, Digest, Direction, Editor, FieldPath, Key, LeafHash, Origin, PhoneNumber};

use super::change::{KeptEdit, Kind, Notice, Orphan, Shown, Source, Target};

pub use super::threeway::{SlotLive, slot_at};
pub use fields::live_value;
pub use judge::{DriftInputs, configs_needed, judge};

/// How a check for drift ended. Exactly one of three: a check that did not see everything is neither of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum DriftState {
    /// Everything was looked at and is as it was applied.
    Clean,
    /// Everything was looked at, and something was changed on the service.
    Drifted,
    /// Not everything could be looked at.
    NotChecked,
}

impl DriftState {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Drifted => "drifted",
            Self::NotChecked => "not-checked",
        }
    }
}

/// An entry of `ignore` that has ended, at a path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedIgnore {
    /// The last day on which it held.
    pub until: Date,
    /// Why it was there.
    pub reason: Option<String>,
}

/// One value that was changed on the service.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDrift {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// What sort of value.
    pub kind: Kind,
    /// What was applied; absent where only its hash is known.
    pub applied: Option<Shown>,
    /// What is live.
    pub live: Shown,
    /// Who changed it, and when, as far as the service tells.
    pub editor: Option<Editor>,
    /// Whether Git changed the value as well, or no longer declares it.
    pub conflict: bool,
    /// The entry of `ignore` that held until lately.
    pub ended: Option<EndedIgnore>,
    /// The live value, hashed with the salt of the stamp: it tells two values apart and shows neither.
    pub token: LeafHash,
}

/// One phone slot that was changed on the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotDrift {
    /// The number.
    pub number: PhoneNumber,
    /// The direction.
    pub direction: Direction,
    /// What it holds now.
    pub live: SlotLive,
    /// Whether it came to this agent, rather than being taken from it.
    pub arrived: bool,
    /// Whether Git moves it as well.
    pub conflict: bool,
}

/// Where an apply came from whose manifest the checked-out history does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Elsewhere {
    /// A commit that is not among those that lead to the one checked out: another branch, or a newer commit.
    OtherCommit,
    /// A commit of this history whose manifest says something else: files that were never committed.
    Uncommitted,
    /// A folder that was no git checkout.
    NoCheckout,
}

impl Elsewhere {
    /// From where, in words, after "was applied from". A commit is a text from outside.
    pub fn in_words(self, commit: Option<&str>) -> String {
        let commit = commit.map(|commit| format!(" `{}`", commit.get(..12).unwrap_or(commit))).unwrap_or_default();
        match self {
            Self::OtherCommit => format!("commit{commit}, which is not in the history of this checkout"),
            Self::Uncommitted => format!("files that were never committed, on top of commit{commit}"),
            Self::NoCheckout => "a folder that was not a git checkout".to_owned(),
        }
    }
}

/// What is known of the apply that made what is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It applied a manifest of this history: what differs from it is pending in Git.
    Pending,
    /// It applied something else.
    Elsewhere(Elsewhere),
    /// That cannot be told, and why.
    Untold(&'static str),
}

/// An apply from somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignApply {
    /// The commit that it names.
    pub commit: Option<String>,
    /// From where.
    pub from: Elsewhere,
}

/// One agent on which something was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentDrift {
    /// The key.
    pub key: Key,
    /// The name in the manifest.
    pub name: String,
    /// The service's id; absent where there is no agent any more.
    pub agent_id: Option<String>,
    /// Where the manifest begins.
    pub origin: Origin,
    /// The version that was applied last.
    pub applied_version: Option<u64>,
    /// The live version.
    pub live_version: Option<u64>,
    /// Who made the live version, where that was not an apply.
    pub live_editor: Option<Editor>,
    /// Changed values, long texts last.
    pub fields: Vec<FieldDrift>,
    /// Changed slots.
    pub slots: Vec<SlotDrift>,
    /// Edits at paths that Git does not declare: no drift, they stay.
    pub kept: Vec<KeptEdit>,
    /// The apply that made what is live, where it was not of this history.
    pub foreign: Option<ForeignApply>,
    /// Whether an apply that nobody looks at holds the agent, because something of this is a conflict.
    pub is_held: bool,
}

impl AgentDrift {
    /// The address.
    pub fn address(&self) -> Address {
        Address(self.key.clone())
    }

    /// Whether there is a manifest and no agent: it was deleted on the service, or no apply has made it.
    pub fn is_absent(&self) -> bool {
        self.agent_id.is_none()
    }
}

/// An agent that is as it was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct AsApplied {
    /// The key.
    pub key: Key,
    /// The live version.
    pub live_version: Option<u64>,
    /// Who made the live version, where that was not an apply.
    pub live_editor: Option<Editor>,
    /// Edits at paths that Git does not declare.
    pub kept: Vec<KeptEdit>,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unchecked {
    /// The agent; absent where it is the whole check.
    pub address: Option<Address>,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

/// What a check for drift found.
#[derive(Clone, Debug)]
pub struct Drift {
    /// What was looked at.
    pub target: Target,
    /// The commit that the manifests were read from. It decides nothing but which paths are ignored and masked.
    pub source: Source,
    /// When.
    pub checked_at: Timestamp,
    /// Whether `--target` or `--exclude` left agents out.
    pub targeted: bool,
    /// What was changed, by key.
    pub agents: Vec<AgentDrift>,
    /// What was not, by key.
    pub as_applied: Vec<AsApplied>,
    /// What could not be looked at.
    pub unchecked: Vec<Unchecked>,
    /// Agents of ours without a manifest: nobody says what of them may change, so they are not judged.
    pub orphans: Vec<Orphan>,
    /// For information.
    pub notices: Vec<Notice>,
    /// The same for the same drift, whenever it is looked at; another one where the drift is another.
    pub fingerprint: Digest,
    /// The flags that a command needs to look at the same place, where the shell has said them.
    pub flags: Option<String>,
}

/// The counts of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct DriftSummary {
    /// Agents with a change.
    pub drifted: usize,
    /// Changed values.
    pub fields: usize,
    /// Changed slots.
    pub slots: usize,
    /// Manifests without an agent.
    pub absent: usize,
    /// Agents that are as they were applied.
    pub as_applied: usize,
    /// What could not be looked at.
    pub unchecked: usize,
}

/// The same change on one agent or several.
#[derive(Clone, Debug)]
pub struct DriftGroup<'d> {
    /// The change, as it is on the first of them.
    pub field: &'d FieldDrift,
    /// The agents, with the change as it is on each.
    pub agents: Vec<(&'d AgentDrift, &'d FieldDrift)>,
}

impl Drift {
    /// A check that saw nothing at all, as where the service could not be reached.
    pub fn not_checked(target: Target, source: Source, checked_at: Timestamp, unchecked: Vec<Unchecked>) -> Self {
        let fingerprint = fingerprint::of(&target, &[], &unchecked);
        Self {
            target,
            source,
            checked_at,
            targeted: false,
            agents: Vec::new(),
            as_applied: Vec::new(),
            unchecked,
            orphans: Vec::new(),
            notices: Vec::new(),
            fingerprint,
            flags: None,
        }
    }

    /// How the check ended.
    pub fn state(&self) -> DriftState {
        if !self.unchecked.is_empty() {
            DriftState::NotChecked
        } else if self.agents.is_empty() {
            DriftState::Clean
        } else {
            DriftState::Drifted
        }
    }

    /// The counts.
    pub fn summary(&self) -> DriftSummary {
        DriftSummary {
            drifted: self.agents.len(),
            fields: self.agents.iter().map(|agent| agent.fields.len()).sum(),
            slots: self.agents.iter().map(|agent| agent.slots.len()).sum(),
            absent: self.agents.iter().filter(|agent| agent.is_absent()).count(),
            as_applied: self.as_applied.len(),
            unchecked: self.unchecked.len(),
        }
    }

    /// Every changed value once, with all agents on which the very same change was made. Where one of the two values is
    /// not shown, two changes cannot be known to be the same, and each stands for itself.
    pub fn groups(&self) -> Vec<DriftGroup<'_>> {
        let mut groups: Vec<DriftGroup<'_>> = Vec::new();
        for agent in &self.agents {
            for field in &agent.fields {
                let found = groups.iter_mut().find(|group| is_same_change(group.field, field));
                match found {
                    Some(group) => group.agents.push((agent, field)),
                    None => groups.push(DriftGroup { field, agents: vec![(agent, field)] }),
                }
            }
        }
        groups
    }
}

fn is_same_change(a: &FieldDrift, b: &FieldDrift) -> bool {
    let is_known = |shown: &Shown| matches!(shown, Shown::Absent | Shown::Value(_));
    let both_known = a.applied.as_ref().is_some_and(is_known) && is_known(&a.live);
    both_known && a.path == b.path && a.applied == b.applied && a.live == b.live && a.ended == b.ended
}
