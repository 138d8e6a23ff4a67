//! What was applied to an agent, and whether the live version is ours: asked here alone, by plans and by drift.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::{
    Applied, Editor, FieldHash, FieldPath, Intent, LeafHash, LiveAgent, RolledBack, Seal, Stamp, VersionHead,
};

use super::stamping::{is_as_applied, leaf_hash};
use super::threeway::Since;

static NOTHING: Fields = BTreeMap::new();

/// What is known of the applies of one agent.
#[derive(Clone, Copy)]
pub struct History<'a> {
    agent: Option<&'a LiveAgent>,
    seal: Option<Seal<'a>>,
    /// What was applied last, by a run that got to its end.
    applied: Option<&'a Applied>,
    /// What a run that got as far as publishing was about to send.
    begun: Option<&'a Intent>,
    /// What a run was about to do that has recorded all of it but the slots that it had still to empty.
    emptying: Option<&'a Intent>,
    /// What a run was about to do that is not known to have got to its end.
    intent: Option<&'a Intent>,
    /// A rollback that got to its end.
    rolled_back: Option<&'a RolledBack>,
}

impl<'a> History<'a> {
    /// Of a stamp and the agent that bears it.
    pub fn of(stamp: Option<&'a Stamp>, agent: Option<&'a LiveAgent>) -> Self {
        Self {
            agent,
            seal: stamp.map(Seal::of),
            applied: stamp.and_then(|stamp| stamp.state.applied.as_ref()),
            begun: stamp.zip(agent).and_then(|(stamp, agent)| published_intent(stamp, agent)),
            emptying: stamp.and_then(recorded_intent),
            intent: stamp.and_then(|stamp| stamp.state.intent.as_ref()),
            rolled_back: stamp.and_then(|stamp| stamp.state.rollback.as_ref()),
        }
    }

    /// The hashes that "sent" and "applied" mean for the agent now: what an unfinished run of ours published, else what was
    /// applied last. Their paths are what is ours.
    pub fn owned(&self) -> &'a Fields {
        match (self.begun, self.applied) {
            (Some(intent), _) => &intent.fields,
            (None, Some(applied)) => &applied.fields,
            (None, None) => &NOTHING,
        }
    }

    /// The `verify` that was applied last, likewise.
    pub fn verify(&self) -> Option<&'a LeafHash> {
        match (self.begun, self.applied) {
            (Some(intent), _) => intent.verify.as_ref(),
            (None, applied) => applied?.verify.as_ref(),
        }
    }

    /// What a run that got as far as publishing and no further was about to send.
    pub fn begun(&self) -> Option<&'a Intent> {
        self.begun
    }

    /// A rollback after which nothing of ours went forward: one that was begun, else one that was recorded.
    pub fn rolled_back(&self) -> Option<&'a RolledBack> {
        match (self.intent.and_then(|intent| intent.rollback.as_ref()), self.begun) {
            (Some(begun), _) => Some(begun),
            // An apply went forward, and was not recorded.
            (None, Some(_)) => None,
            (None, None) => self.rolled_back,
        }
    }

    /// Whether a rollback was begun and has not got as far as publishing.
    pub fn is_rollback_unpublished(&self) -> bool {
        self.begun.is_none() && self.intent.is_some_and(|intent| intent.rollback.is_some())
    }

    /// The version that was applied last.
    pub fn applied_version(&self) -> Option<u64> {
        self.applied?.version
    }

    /// Whether the version that was applied last is the live one, and no later apply of ours is.
    pub fn is_live_applied(&self) -> bool {
        self.begun.is_none() && self.applied_version() == self.live().map(|head| head.version)
    }

    /// Whether the live version was published by somebody else while the run that applied last was still at work: nobody
    /// has seen yet what was changed there, so it is no drift that an apply may write over.
    pub fn was_overtaken(&self) -> bool {
        let by = self.applied.and_then(|applied| applied.overtaken_by);
        self.begun.is_none() && by.zip(self.live()).is_some_and(|(version, head)| head.version >= version)
    }

    /// Who made the live version, where that was no apply of ours.
    pub fn live_editor(&self) -> Option<Editor> {
        let (agent, head) = (self.agent?, self.live()?);
        let is_ours = self.begun.is_some() || self.is_live_applied();
        (!is_ours).then(|| version_editor(agent, head.version)).flatten()
    }

    fn live(&self) -> Option<&'a VersionHead> {
        self.agent?.live_version()
    }

    /// The seal of the hashes.
    pub fn seal(&self) -> Option<Seal<'a>> {
        self.seal
    }

    /// The live value of a path against what was applied there; nothing where the path is not ours.
    ///
    /// A published version is immutable, so where it is the applied one, live is as applied whatever this credential is
    /// shown of it. A live version of an unfinished run of ours was published by us as well, and what it holds otherwise
    /// than was intended that run has not dealt with.
    pub fn since(&self, path: &FieldPath, live: Option<&Value>) -> Option<Since> {
        let (seal, hash) = (self.seal?, self.owned().get(path)?);
        if is_as_applied(seal, hash, live) || (path.in_config() && self.is_live_applied()) {
            return Some(Since::AsApplied);
        }
        let before = self.applied.and_then(|applied| applied.fields.get(path));
        let is_left = path.in_config() || before.is_none_or(|hash| is_as_applied(seal, hash, live));
        Some(if self.begun.is_some() && is_left { Since::Unfinished } else { Since::Changed })
    }

    /// Whether the live value of a path is what the last apply that got to its end had left there, or nothing where it had
    /// left nothing.
    pub fn was_left(&self, path: &FieldPath, live: Option<&Value>) -> bool {
        let before = self.applied.and_then(|applied| applied.fields.get(path));
        match (self.seal, before) {
            (Some(seal), Some(hash)) => is_as_applied(seal, hash, live),
            _ => live.is_none(),
        }
    }

    /// Whether an apply of ours put a value at a path, as far as it is remembered.
    pub fn put(&self, path: &FieldPath, value: &Value) -> bool {
        let records = [self.applied.map(|applied| &applied.fields), self.begun.map(|intent| &intent.fields)];
        let mut hashes = records.into_iter().flatten().filter_map(|fields| fields.get(path));
        hashes.any(|hash| self.seal.is_some_and(|seal| is_as_applied(seal, hash, Some(value))))
    }

    /// Whether an unfinished run of ours has still to take away what an apply before it had put there.
    pub fn has_to_go(&self, path: &FieldPath) -> bool {
        let before = self.applied.is_some_and(|applied| applied.fields.contains_key(path));
        let intent = self.begun.or(self.emptying);
        before && intent.is_some_and(|intent| !intent.fields.contains_key(path))
    }

    /// Whether an unfinished run of ours was the first to want something at a path.
    pub fn has_to_come(&self, path: &FieldPath) -> bool {
        let before = self.applied.is_some_and(|applied| applied.fields.contains_key(path));
        !before && self.begun.is_some_and(|intent| intent.fields.contains_key(path))
    }
}

/// Who made a version, and when, as far as the service tells.
pub fn version_editor(agent: &LiveAgent, version: u64) -> Option<Editor> {
    let head = agent.version(version)?;
    let read = agent.configs.get(&version).map(|read| read.editor.clone()).unwrap_or_default();
    Some(Editor {
        by: read.by.or_else(|| head.modified_by.clone()).or_else(|| head.created_by.clone()),
        at: read.at,
        version: Some(version),
    })
}

/// The intent of a run that has recorded what it did, and not that its slots are emptied, which is done last.
fn recorded_intent(stamp: &Stamp) -> Option<&Intent> {
    let applied = stamp.state.applied.as_ref()?;
    stamp.state.intent.as_ref().filter(|intent| intent.change == applied.change && intent.plan == applied.plan)
}

/// The intent of a run that got as far as publishing and no further: the live version is that run's own.
///
/// It is if it is newer than anything when the intent was written and the run's principal made it and changed it last, or
/// if every declared leaf of its config is what the intent was about to send. A version that somebody else published
/// meanwhile says nothing about what was sent (design, section 5).
fn published_intent<'s>(stamp: &'s Stamp, agent: &LiveAgent) -> Option<&'s Intent> {
    let intent = stamp.state.intent.as_ref()?;
    // Where the live version is the applied one, what was applied says more than the intent: it knows the renderings.
    let applied = stamp.state.applied.as_ref().and_then(|applied| applied.version);
    let head = agent.live_version().filter(|head| Some(head.version) > intent.base.max(applied))?;
    let is_by_us = |author: &Option<String>| author.is_some() && *author == intent.by;
    if head.version > intent.highest && is_by_us(&head.created_by) && is_by_us(&head.modified_by) {
        return Some(intent);
    }
    let live = &agent.live_config()?.config;
    let seal = Seal::of(stamp);
    let mut leaves = intent.fields.iter().filter_map(|(path, hash)| Some((path.within_config()?, hash))).peekable();
    leaves.peek()?;
    // Of a copy of an older version it is also recorded where that has nothing.
    let holds = |(path, hash): (FieldPath, &FieldHash)| leaf_hash(seal, path.get(live)) == hash.sent;
    leaves.all(holds).then_some(intent)
}
