//! From manifests and a service to what was changed there since the last apply. Nothing here can write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::api::Reader;
use crate::apply::context::lease_holds;
use crate::live::{self, Unlisted};
use crate::model::{Address, Coverage, Desired, Key, LiveState, Stamp};
use crate::plan::drift::{Drift, DriftInputs, Provenance, configs_needed, judge, slot_at};
use crate::plan::identity::stamps_of;
use crate::plan::{Notice, Options, Plan, Target};

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, causes, check_keys, check_organization, inputs, target, unlisted};

/// What the repository said at earlier commits.
pub trait Past {
    /// The keys of the manifests of a commit; nothing where that cannot be told.
    fn keys_at(&self, commit: &str) -> Option<BTreeSet<Key>>;

    /// Whether the manifest of a key said `source` (its digest) at a commit that leads to the one checked out; nothing
    /// where there is no history at all.
    fn provenance(&self, commit: Option<&str>, key: &Key, source: &str) -> Option<Provenance>;
}

/// A repository without a past that anyone could look into.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPast;

impl Past for NoPast {
    fn keys_at(&self, _commit: &str) -> Option<BTreeSet<Key>> {
        None
    }

    fn provenance(&self, _commit: Option<&str>, _key: &Key, _source: &str) -> Option<Provenance> {
        None
    }
}

/// The drift of one reading. `options` says which agents are meant; the day is the clock's.
pub async fn check_drift(
    workspace: &Workspace,
    options: &Options,
    outside: &Outside,
    reader: &Reader,
    service: &mut Service,
    past: &dyn Past,
) -> Result<Drift, SessionError> {
    let resolved = &workspace.resolved;
    check_organization(resolved, outside, &service.live)?;
    check_keys(resolved, options.targets.iter().chain(&options.excludes))?;
    let now = outside.clock.now();
    let options = Options {
        today: TimeZone::UTC.to_datetime(now).date(),
        // Whose numbers sit where matters to a create, and nothing is made here.
        create: resolved.desired.iter().map(|desired| desired.key.clone()).collect(),
        ..options.clone()
    };
    let target = target(workspace, outside, &service.live);
    let unlisted = with_owned(workspace, &target, &service.live);
    for error in live::ask_singly(reader, &mut service.live, &unlisted).await {
        service.live.notices.push(format!("not everything could be asked for: {}", error.one_line()));
    }
    let shape = service.schema.clone();
    let wanted = configs_needed(&inputs(workspace, &service.live, &target, &options), shape.as_ref());
    let missing: Vec<(String, u64)> = wanted
        .into_iter()
        .filter(|(id, version)| service.live.agents.get(id).is_none_or(|agent| !agent.configs.contains_key(version)))
        .collect();
    let mut unread: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for failure in live::read_configs(reader, &mut service.live, &missing).await {
        // The newest is the one that matters, and it comes last.
        unread.insert(failure.agent_id().to_owned(), causes(&failure));
    }
    let busy = busy(&service.live, now);
    let run = inputs(workspace, &service.live, &target, &options);
    let none = BTreeSet::new();
    let provenance = provenance(workspace, &target, &service.live, past);
    let is_declared = resolved.project.organization().is_some() && !outside.is_embedded();
    let unseen = service.live.unseen_organization().filter(|_| is_declared);
    let inputs = DriftInputs {
        run: &run,
        checked_at: now,
        busy: &busy,
        unread: &unread,
        unmade: &none,
        unseen,
        provenance: &provenance,
    };
    let mut drift = judge(&inputs, shape.as_ref());
    if let Some(unchecked) = service.schema.unchecked() {
        return Err(SessionError::Schema(unchecked));
    }
    outside.conceal(&mut drift);
    let absent: Vec<&Key> = drift.agents.iter().filter(|agent| agent.is_absent()).map(|agent| &agent.key).collect();
    if absent.is_empty() {
        return Ok(drift);
    }
    let unmade = unmade(&absent, &target, &service.live, past);
    let mut drift = judge(&DriftInputs { unmade: &unmade, ..inputs }, shape.as_ref());
    outside.conceal(&mut drift);
    Ok(drift)
}

/// Which of the absent agents no apply can have made, for none of the commits that were applied had their manifest. What
/// cannot be told counts as made: a deleted agent must not pass for one that is yet to come.
fn unmade(absent: &[&Key], target: &Target, live: &LiveState, past: &dyn Past) -> BTreeSet<Key> {
    let commits: BTreeSet<String> = stamps_of(live, target)
        .filter_map(|(_, stamp)| stamp.state.applied.and_then(|applied| applied.commit))
        .collect();
    let known: Option<Vec<BTreeSet<Key>>> = commits.iter().map(|commit| past.keys_at(commit)).collect();
    match known {
        Some(known) if !known.is_empty() => {
            absent.iter().filter(|key| !known.iter().any(|keys| keys.contains(key))).map(|key| (*key).clone()).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// What is known of the applies whose manifests are not what Git says now. One that was not finished is told as that.
fn provenance(workspace: &Workspace, target: &Target, live: &LiveState, past: &dyn Past) -> BTreeMap<Key, Provenance> {
    let mut found = BTreeMap::new();
    for (_, stamp) in stamps_of(live, target) {
        let is_it = |desired: &&Desired| desired.key == stamp.key || desired.moved.contains(&stamp.key);
        let Some(desired) = workspace.resolved.desired.iter().find(is_it) else { continue };
        let Some(applied) = &stamp.state.applied else { continue };
        if stamp.state.intent.is_some() || applied.source == desired.source.as_str() {
            continue;
        }
        if let Some(told) = past.provenance(applied.commit.as_deref(), &stamp.key, &applied.source) {
            found.insert(desired.key.clone(), told);
        }
    }
    found
}

/// Says in a plan that an agent was applied from somewhere else: what another branch or somebody's folder put there is
/// about to be undone, and nothing in this history has it.
pub fn say_where_applied(plan: &mut Plan, workspace: &Workspace, live: &LiveState, past: &dyn Past) {
    let changed = |key: &Key| plan.changes.iter().any(|change| change.key == *key);
    let elsewhere = provenance(workspace, &plan.target, live, past);
    let elsewhere = elsewhere.into_iter().filter(|(key, _)| changed(key));
    let commits: BTreeMap<Key, Option<String>> =
        stamps_of(live, &plan.target).filter_map(|(_, stamp)| Some((stamp.key, stamp.state.applied?.commit))).collect();
    let mut found: Vec<Notice> = elsewhere
        .filter_map(|(key, told)| {
            let Provenance::Elsewhere(from) = told else { return None };
            let commit = commits.get(&key).cloned().flatten();
            let from = from.in_words(commit.as_deref());
            let message = format!("what is live was applied from {from}; this plan would undo what it changed");
            Some(Notice { address: Some(Address(key)), code: "applied-elsewhere", message })
        })
        .collect();
    plan.notices.append(&mut found);
    plan.notices.sort();
}

/// What the manifests name and the lists did not show, and the numbers that stamps own beside them.
fn with_owned(workspace: &Workspace, target: &Target, live: &LiveState) -> Unlisted {
    let resolved = &workspace.resolved;
    let mut found = unlisted(resolved, live);
    if matches!(live.number_coverage, Coverage::Incomplete(_) | Coverage::Forbidden(_)) {
        return found;
    }
    for (_, stamp) in stamps_of(live, target) {
        let fields = stamp.state.applied.map(|applied| applied.fields).unwrap_or_default();
        let owned = fields.keys().filter_map(slot_at).map(|slot| slot.number);
        found.numbers.extend(owned.filter(|number| !live.numbers.contains_key(number)));
    }
    found
}

/// The runs that hold a lease on an agent now.
fn busy(live: &LiveState, now: Timestamp) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for agent in live.agents.values() {
        let Ok(Some(stamp)) = Stamp::read(&agent.metadata) else { continue };
        if let Some(lease) = stamp.state.lease.filter(|lease| lease_holds(lease, now)) {
            found.insert(agent.id.clone(), lease.run);
        }
    }
    found
}
