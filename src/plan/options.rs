//! What a run asks of planning beside the manifests and the reading.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::{Desired, Key, LiveState, PhoneNumber};

use super::back::BackTo;
use super::change::{Source, Target};

/// The limits of `reachform.yaml`, and what this run lifts of them (design, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many agents a plan may delete.
    pub delete: usize,
    /// How many per cent of the live agents a plan may change.
    pub change_percent: usize,
}

/// The limits as they were before the pull request that this run is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitsBefore {
    /// This run is about no pull request, or about files that no `git` knows: nothing is said.
    #[default]
    NotAsked,
    /// It is, and the older file could not be read: a project's own defaults take its place.
    Assumed(Limits),
    /// As the base has them, with what the flags of this run lift of them.
    Known(Limits),
}

impl Default for Limits {
    /// Nothing is deleted without being asked for by number, and half of the agents stay as they are.
    fn default() -> Self {
        Self { delete: 0, change_percent: 50 }
    }
}

/// The flags that change a plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Today, UTC: `ignore` entries end by it.
    pub today: Date,
    /// Whether `reachform.yaml` names a project. Without one, orphans are neither judged nor pruned.
    pub has_project: bool,
    /// Delete orphans.
    pub prune: bool,
    /// Only these; empty means all.
    pub targets: BTreeSet<Key>,
    /// Not these.
    pub excludes: BTreeSet<Key>,
    /// Write over conflicts.
    pub force_conflicts: bool,
    /// Numbers that may be taken from agents of other projects.
    pub take: BTreeSet<PhoneNumber>,
    /// Keys whose create is meant although their numbers sit on one unmanaged agent.
    pub create: BTreeSet<Key>,
    /// Keys that go forward again after a rollback.
    pub redo: BTreeSet<Key>,
    /// Keys that go back to an older version, and nothing else is done to them.
    pub rollback: BTreeMap<Key, BackTo>,
    /// Trust no hash: read every config.
    pub refresh: bool,
    /// The limits.
    pub limits: Limits,
    /// Names of properties that hold no secrets, whatever they sound like or their values look like.
    pub not_secret: BTreeSet<String>,
    /// The limits before the pull request.
    pub limits_before: LimitsBefore,
}

impl Options {
    /// Whether this run is about the key.
    pub fn is_wanted(&self, key: &Key) -> bool {
        (self.targets.is_empty() || self.targets.contains(key)) && !self.excludes.contains(key)
    }

    /// Whether agents are left out.
    pub fn is_targeted(&self) -> bool {
        // A rollback is about the agents that it names, and nothing of it is left out.
        self.rollback.is_empty() && (!self.targets.is_empty() || !self.excludes.is_empty())
    }
}

/// Everything that a plan is made of. The same inputs give the same plan.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The manifests, resolved.
    pub desired: &'a [Desired],
    /// What was read.
    pub live: &'a LiveState,
    /// What it is for.
    pub target: &'a Target,
    /// The commit.
    pub source: &'a Source,
    /// The flags.
    pub options: &'a Options,
}
