//! The hands-off rules, applied to the declaration before anything is compared: `ignore` and `release`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::{Desired, FieldHash, FieldPath, Ignore, Intent, LeafHash, LiveAgent, Seal, Stamp};

use super::change::Notice;

/// What of an agent this run may touch.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    ignore: Vec<&'a Ignore>,
    expired: Vec<&'a Ignore>,
    release: &'a [FieldPath],
}

impl<'a> Scope<'a> {
    /// The rules of a manifest, as they hold today.
    pub fn of(desired: &'a Desired, today: Date) -> Self {
        let (expired, ignore) = desired.ignore.iter().partition(|entry| entry.until.is_some_and(|until| until < today));
        Self { ignore, expired, release: &desired.release }
    }

    /// Whether the live value at `path` stays.
    pub fn is_ignored(&self, path: &FieldPath) -> bool {
        self.ignore.iter().any(|entry| entry.path.covers(path))
    }

    /// Whether a path that is no longer declared is let go with its value.
    pub fn is_released(&self, path: &FieldPath) -> bool {
        self.release.iter().any(|released| path.starts_with(released))
    }

    /// Entries that have ended, and entries that match nothing of what is declared, owned or live.
    pub fn notices(&self, desired: &Desired, owned: &Fields, live: Option<&Value>) -> Vec<Notice> {
        let address = Some(desired.address());
        let mut notices: Vec<Notice> = self
            .expired
            .iter()
            .map(|entry| Notice {
                address: address.clone(),
                code: "ignore-expired",
                message: format!(
                    "`ignore` of {} ended on {}: the declared value holds again",
                    entry.path,
                    entry.until.map(|until| until.to_string()).unwrap_or_default()
                ),
            })
            .collect();
        let live_leaves: Vec<FieldPath> = live
            .map(|live| crate::model::value::leaves(live, &FieldPath::config()))
            .unwrap_or_default()
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        let declared: Vec<FieldPath> = desired.declared.leaves().into_iter().map(|(path, _)| path).collect();
        for entry in &self.ignore {
            let matches = declared.iter().chain(owned.keys()).chain(&live_leaves).any(|path| entry.path.covers(path));
            if !matches {
                notices.push(Notice {
                    address: address.clone(),
                    code: "ignore-matches-nothing",
                    message: format!("`ignore` of {} matches nothing; it can go", entry.path),
                });
            }
        }
        notices
    }
}

/// The intent of a run that got as far as publishing and no further: the live version is that run's own.
///
/// It is if it is newer than anything when the intent was written and the run's principal made it and changed it last, or
/// if every declared leaf of its config is what the intent was about to send. A version that somebody else published
/// meanwhile says nothing about what was sent (design, section 5).
pub fn published_intent<'s>(stamp: &'s Stamp, agent: &LiveAgent) -> Option<&'s Intent> {
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
    let holds =
        |(path, hash): (FieldPath, &FieldHash)| path.get(live).is_some_and(|value| seal.hash(value) == hash.sent);
    leaves.all(holds).then_some(intent)
}

/// The hashes that "sent" and "applied" mean for an agent now: what an unfinished run of ours published, else what was
/// applied last.
pub fn effective_fields(stamp: Option<&Stamp>, agent: Option<&LiveAgent>) -> Fields {
    let Some(stamp) = stamp else { return BTreeMap::new() };
    match agent.and_then(|agent| published_intent(stamp, agent)) {
        Some(intent) => intent.fields.clone(),
        None => stamp.state.applied.as_ref().map(|applied| applied.fields.clone()).unwrap_or_default(),
    }
}

/// The `verify` that was applied last, likewise.
pub fn effective_verify<'s>(stamp: &'s Stamp, agent: Option<&LiveAgent>) -> Option<&'s LeafHash> {
    match agent.and_then(|agent| published_intent(stamp, agent)) {
        Some(intent) => intent.verify.as_ref(),
        None => stamp.state.applied.as_ref()?.verify.as_ref(),
    }
}
