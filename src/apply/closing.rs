//! The closing reading: lists and new versions once more, then what had to wait for every agent: emptying and deleting.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::api::{Assignment, Directions, VersionSource};
use crate::model::stamp::STAMP_KEY;
use crate::model::value::same;
use crate::model::{Address, Coverage, Direction, LiveAgent, LiveNumber, PhoneNumber, Stamp};
use crate::plan::recheck::outcome;
use crate::plan::{AgentChange, AgentOutcome, Notice, Outcome, SlotHolder, SlotTarget, Step, Twin};

use super::calls::{Assign, Call, publish_calls, with_carried};
use super::context::{Context, EVENTUAL};
use super::ended::{Ended, Finished};
use super::publishing::published_above;
use super::recover;

/// Between two looks at a service that may still be settling.
const PAUSE: Duration = Duration::from_millis(500);

/// The lists as they stand at the end.
struct Reading {
    agents: BTreeMap<String, LiveAgent>,
    numbers: BTreeMap<PhoneNumber, LiveNumber>,
    numbers_known: bool,
}

async fn read(ctx: &Context) -> Result<Reading, Ended> {
    let reader = ctx.writer.reader();
    let (agents, numbers) = tokio::join!(reader.list_agents(), reader.list_numbers());
    if let (Coverage::Incomplete(_) | Coverage::Forbidden(_), Some(error)) = (&agents.coverage, &agents.error) {
        return Err(Ended::request(error));
    }
    let numbers_known = numbers.coverage.is_proven();
    let mut known = BTreeMap::new();
    for record in agents.items {
        // A service whose list carries no versions is asked agent by agent.
        let agent = if record.is_whole() { record.agent } else { recover::agent(ctx, &record.agent.id).await? };
        known.insert(agent.id.clone(), agent);
    }
    Ok(Reading {
        agents: known,
        numbers: numbers.items.into_iter().map(|record| (record.number.number.clone(), record.number)).collect(),
        numbers_known,
    })
}

/// Confirms what was applied. A slot that is not as planned is sent once more; a version that is not what was read
/// back was edited while it was published, is `failed`, and its stamp does not claim it.
pub(super) async fn confirm(ctx: &Context, changes: &[&AgentChange], finished: &mut [Finished]) {
    let applied = |finished: &Finished| finished.outcome.outcome == Outcome::Applied;
    if !finished.iter().any(|entry| applied(entry) && entry.wrote) {
        return;
    }
    let deadline = ctx.clock.now() + EVENTUAL;
    let mut sent_again = false;
    loop {
        let reading = match read(ctx).await {
            Ok(reading) => reading,
            Err(ended) => {
                for entry in finished.iter_mut().filter(|entry| applied(entry)) {
                    entry.outcome.outcome = Outcome::Unverified;
                    entry.outcome.causes.clone_from(&ended.causes);
                }
                return;
            }
        };
        let is_late = ctx.clock.now() + PAUSE >= deadline;
        for (change, entry) in changes.iter().zip(finished.iter_mut()).filter(|(_, entry)| applied(entry)) {
            if let Some(ended) = act_of_another(change, entry, &reading, sent_again || is_late) {
                entry.outcome.outcome = ended.outcome;
                entry.outcome.causes = ended.causes;
                entry.outcome.hints = ended.hints;
                let agent = entry.outcome.agent_id.as_ref().and_then(|id| reading.agents.get(id));
                entry.outcome.version = agent.and_then(LiveAgent::live_version).map(|head| head.version);
            }
        }
        let open: Vec<(usize, Vec<Call>)> = changes
            .iter()
            .zip(finished.iter())
            .enumerate()
            .filter(|(_, (_, entry))| applied(entry))
            .map(|(index, (change, entry))| (index, astray(change, entry, &reading)))
            .filter(|(_, calls)| !calls.is_empty())
            .collect();
        if open.is_empty() {
            break;
        }
        if !sent_again && is_late {
            sent_again = true;
            for (index, calls) in &open {
                send_again(ctx, &mut finished[*index], calls).await;
            }
            continue;
        }
        if sent_again {
            for (index, calls) in open {
                let numbers: Vec<String> =
                    calls.iter().flat_map(|(_, numbers)| numbers.iter().map(ToString::to_string)).collect();
                finished[index].outcome.outcome = Outcome::Unverified;
                finished[index].outcome.causes =
                    vec![format!("{} does not point at the new version", numbers.join(", "))];
            }
            break;
        }
        ctx.clock.sleep(PAUSE).await;
    }
    for entry in finished.iter_mut().filter(|entry| applied(entry)) {
        confirm_version(ctx, entry).await;
    }
}

/// A version that somebody published above ours, or a slot that holds neither what the plan found there nor a version of
/// this agent: it is left alone.
fn act_of_another(change: &AgentChange, entry: &Finished, reading: &Reading, is_late: bool) -> Option<Ended> {
    let agent = entry.outcome.agent_id.as_ref().and_then(|id| reading.agents.get(id))?;
    if let Some(ended) = entry.outcome.version.and_then(|version| published_above(agent, version)) {
        return Some(ended);
    }
    if !reading.numbers_known {
        return None;
    }
    let owner = |id: &str| reading.agents.values().find(|agent| agent.versions.iter().any(|head| head.id == id));
    let moved = change.numbers.iter().filter(|slot| slot.to != SlotTarget::Empty).find(|slot| {
        let Some(number) = reading.numbers.get(&slot.number) else { return false };
        let Some(now) = number.slot(slot.direction) else { return slot.from != SlotHolder::Empty };
        match (owner(now), &slot.from) {
            (Some(owner), _) if owner.id == agent.id => false,
            (Some(owner), SlotHolder::Agent { agent_id, .. }) => owner.id != *agent_id,
            (None, SlotHolder::Unknown { version_id }) if version_id == now => false,
            (Some(_), SlotHolder::Empty | SlotHolder::Unknown { .. }) => true,
            // A version of this run that the lists do not show yet looks like this as well.
            (None, _) => is_late,
        }
    })?;
    let now = reading.numbers.get(&moved.number).and_then(|number| number.slot(moved.direction));
    let holder = now.and_then(owner);
    let what = match (now, holder) {
        (None, _) => "is empty".to_owned(),
        (Some(_), Some(holder)) => format!("points at `{}`", holder.name),
        (Some(_), None) => "points at an agent that this run cannot see".to_owned(),
    };
    Some(
        Ended::new(
            Outcome::Stale,
            format!("{} {} was moved by somebody else meanwhile: it {what}", moved.number, moved.direction),
        )
        .hint("plan again, and look at what changed"),
    )
}

/// The assignments of an agent that are not in place: calls to send again.
fn astray(change: &AgentChange, entry: &Finished, reading: &Reading) -> Vec<Call> {
    if !reading.numbers_known {
        return Vec::new();
    }
    let version = entry.outcome.version;
    let Some(agent) = entry.outcome.agent_id.as_ref().and_then(|id| reading.agents.get(id)) else {
        return publish_calls(&change.work.assign).into_iter().filter(|(_, numbers)| !numbers.is_empty()).collect();
    };
    let wanted = version.and_then(|version| agent.version(version)).map(|head| head.id.as_str());
    let missing: BTreeMap<Direction, Vec<PhoneNumber>> = change
        .work
        .assign
        .iter()
        .map(|(direction, numbers)| {
            let missing = numbers
                .iter()
                .filter(|number| reading.numbers.get(*number).is_some_and(|number| number.slot(*direction) != wanted));
            (*direction, missing.cloned().collect())
        })
        .collect();
    publish_calls(&missing).into_iter().filter(|(_, numbers)| !numbers.is_empty()).collect()
}

async fn send_again(ctx: &Context, entry: &mut Finished, calls: &[Call]) {
    let (Some(id), Some(version)) = (entry.outcome.agent_id.clone(), entry.outcome.version) else { return };
    for (directions, numbers) in calls {
        let assignment = Assignment { directions: *directions, assign: numbers, unassign: &[] };
        if let Err(error) = ctx.writer.publish(&id, version, Some(assignment)).await {
            entry.outcome.causes = error.causes();
        }
    }
}

async fn confirm_version(ctx: &Context, entry: &mut Finished) {
    let (Some(id), Some((version, expected))) = (entry.outcome.agent_id.clone(), entry.published.clone()) else {
        return;
    };
    match recover::version(ctx, &id, version).await {
        Ok(found) if same(&found, &expected) => {}
        Ok(_) => {
            entry.outcome.outcome = Outcome::Failed;
            entry.outcome.causes = vec![format!("version {version} was edited while it was published")];
            entry.outcome.hints = vec!["plan again: the difference is shown there".to_owned()];
            take_claim_back(ctx, entry, &id).await;
        }
        Err(ended) => {
            entry.outcome.outcome = Outcome::Unverified;
            entry.outcome.causes = ended.causes;
        }
    }
}

/// Puts the claim of the stamp back to what it was before this run, so that the next plan sees the difference.
async fn take_claim_back(ctx: &Context, entry: &mut Finished, id: &str) {
    let Ok(Some(mut stamp)) = Stamp::read(&entry.metadata) else { return };
    stamp.state.applied = entry.stamp_before.as_ref().and_then(|before| before.state.applied.clone());
    let Ok(agent) = recover::agent(ctx, id).await else { return };
    let mut metadata = agent.metadata;
    if let Value::Object(map) = &mut metadata {
        map.insert(STAMP_KEY.to_owned(), stamp.write());
        let body = Map::from_iter([("metadata".to_owned(), metadata)]);
        if let Err(error) = ctx.writer.update_agent(id, &body).await {
            entry.outcome.causes.extend(error.causes());
        }
    }
}

/// Empties slots, on the live published version, and only if no assignment failed anywhere: until then a number that
/// was to move may still ring where it was.
pub(super) async fn empty_slots(ctx: &Context, changes: &[&AgentChange], finished: &mut [Finished]) {
    let assignments_fine = changes
        .iter()
        .zip(finished.iter())
        .all(|(change, entry)| change.work.assign.is_empty() || entry.outcome.outcome.is_in_place());
    for (change, entry) in changes.iter().zip(finished.iter_mut()) {
        if change.work.unassign.is_empty() || !entry.outcome.outcome.is_in_place() {
            continue;
        }
        let (Some(id), Some(version)) = (entry.outcome.agent_id.clone(), entry.outcome.version) else { continue };
        let step = Step::EmptySlots {
            unassign: change.work.unassign.iter().map(|(direction, numbers)| (*direction, numbers.clone())).collect(),
        };
        entry.outcome.step = Some(step.describe());
        if !assignments_fine || ctx.cancel.is_cancelled() {
            let why = if assignments_fine { "the run was interrupted" } else { "an assignment failed elsewhere" };
            entry.outcome.outcome = Outcome::Skipped;
            entry.outcome.causes = vec![format!("its slots were not emptied, because {why}")];
            continue;
        }
        for (directions, numbers) in publish_calls(&change.work.unassign) {
            let assignment = Assignment { directions, assign: &[], unassign: &numbers };
            let emptied = match ctx.writer.publish(&id, version, Some(assignment)).await {
                Err(error) if matches!(error.status(), Some(400 | 409)) => {
                    empty_by_a_copy(ctx, change, entry, &id).await
                }
                Err(error) => Err(Ended::request(&error)),
                Ok(_) => Ok(()),
            };
            if let Err(ended) = emptied {
                entry.outcome.outcome = ended.outcome;
                entry.outcome.causes = ended.causes;
                entry.outcome.hints = ended.hints;
            }
            entry.wrote = true;
        }
        if entry.outcome.outcome.is_in_place() {
            entry.outcome.step = None;
            finish_intent(ctx, &id).await;
        }
    }
}

/// Takes the intent off the stamp: the last slot is emptied. Best effort, for the next apply does it as well.
async fn finish_intent(ctx: &Context, id: &str) {
    let Ok(agent) = recover::agent(ctx, id).await else { return };
    let Ok(Some(mut stamp)) = Stamp::read(&agent.metadata) else { return };
    if stamp.state.intent.as_ref().is_none_or(|intent| intent.run != ctx.run) {
        return;
    }
    stamp.state.intent = None;
    let Value::Object(mut metadata) = agent.metadata else { return };
    metadata.insert(STAMP_KEY.to_owned(), stamp.write());
    let body = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
    if let Err(error) = ctx.writer.update_agent(id, &body).await {
        tracing::debug!(id, %error, "the intent could not be taken off");
    }
}

/// A service that publishes only once: a copy of the live version is published, which takes all numbers along but
/// those that go. The stamp says which version that is.
async fn empty_by_a_copy(ctx: &Context, change: &AgentChange, entry: &mut Finished, id: &str) -> Result<(), Ended> {
    let Some(version) = entry.outcome.version else { return Ok(()) };
    let copy = ctx.writer.create_version(id, VersionSource::Base(version)).await?.head.version;
    let kept = with_carried(&change.work.assign, &change.work.carry);
    let mut published = false;
    for direction in Direction::ALL {
        let of = |map: &Assign| map.get(&direction).cloned().unwrap_or_default();
        let (assign, unassign) = (of(&kept), of(&change.work.unassign));
        if published && (!assign.is_empty() || !unassign.is_empty()) {
            // The second direction would be a second publish of the same version, which such a service refuses.
            return Err(Ended::new(
                Outcome::Failed,
                format!("version {copy} cannot be published again for {direction} numbers"),
            )
            .hint("apply again: the remaining direction is moved then"));
        }
        if assign.is_empty() && unassign.is_empty() {
            continue;
        }
        let assignment = Assignment { directions: Directions::One(direction), assign: &assign, unassign: &unassign };
        ctx.writer.publish(id, copy, Some(assignment)).await?;
        published = true;
    }
    entry.outcome.version = Some(copy);
    let agent = recover::agent(ctx, id).await?;
    let Ok(Some(mut stamp)) = Stamp::read(&agent.metadata) else { return Ok(()) };
    if let Some(applied) = &mut stamp.state.applied {
        applied.version = Some(copy);
    }
    let mut metadata = agent.metadata;
    if let Value::Object(map) = &mut metadata {
        map.insert(STAMP_KEY.to_owned(), stamp.write());
    }
    ctx.writer.update_agent(id, &Map::from_iter([("metadata".to_owned(), metadata)])).await?;
    Ok(())
}

/// Deletes agents: last of all, and only if nothing failed before.
pub(super) async fn delete(ctx: &Context, changes: &[&AgentChange], all_fine: bool) -> Vec<(AgentOutcome, bool)> {
    let mut done = Vec::new();
    let mut may_delete = all_fine;
    for change in changes {
        let mut entry = outcome(change, Outcome::Applied, Vec::new(), Vec::new());
        let mut wrote = false;
        if ctx.cancel.is_cancelled() {
            entry.outcome = Outcome::NotStarted;
            entry.causes = vec!["the run was interrupted before anything was deleted".to_owned()];
        } else if may_delete {
            wrote = true;
            if let Err(ended) = delete_one(ctx, change).await {
                entry.outcome = ended.outcome;
                entry.causes = ended.causes;
                entry.hints = ended.hints;
                entry.step = Some(Step::DeleteAgent.describe());
                may_delete = false;
            }
        } else {
            entry.outcome = Outcome::Skipped;
            entry.causes = vec!["nothing is deleted after a failure".to_owned()];
        }
        done.push((entry, wrote));
    }
    done
}

async fn delete_one(ctx: &Context, change: &AgentChange) -> Result<(), Ended> {
    let Some(id) = &change.agent_id else { return Ok(()) };
    // Once more just before: it must still be the agent that was planned, and nothing may point at it.
    let reader = ctx.writer.reader();
    let (agent, numbers) = tokio::join!(recover::agent_now(ctx, id), reader.list_numbers());
    let Some(agent) = agent? else { return Ok(()) };
    let stamp = Stamp::read(&agent.metadata).ok().flatten();
    let is_ours = stamp.as_ref().is_some_and(|stamp| stamp.is_of(id) && stamp.key == change.key && !stamp.protect);
    if !is_ours {
        return Err(Ended::new(Outcome::Stale, "its stamp changed since the plan"));
    }
    let pointing = numbers.items.iter().any(|record| {
        Direction::ALL.into_iter().any(|direction| {
            record.number.slot(direction).is_some_and(|slot| agent.versions.iter().any(|head| head.id == slot))
        })
    });
    if pointing || !numbers.coverage.is_proven() {
        return Err(Ended::new(Outcome::Stale, "a phone number may point at it by now"));
    }
    ctx.writer.delete_agent(id).await?;
    Ok(())
}

/// Removes second agents of a key, made by two first applies at once, where they are still bare: no version, no number,
/// and the stamp of the key. Anything else is left, and the plan goes on naming it.
pub(super) async fn remove_twins(ctx: &Context, twins: &[Twin]) -> Vec<Notice> {
    let mut removed = Vec::new();
    for twin in twins {
        if ctx.cancel.is_cancelled() {
            break;
        }
        let Ok(Some(record)) = ctx.writer.reader().agent(&twin.agent_id).await else { continue };
        let agent = record.agent;
        let stamp = Stamp::read(&agent.metadata).ok().flatten();
        let is_twin = stamp.is_some_and(|stamp| {
            stamp.key == twin.key && stamp.is_of(&agent.id) && (stamp.project, stamp.environment) == ctx.owner
        });
        let is_bare = record.versions_told && agent.versions.is_empty() && agent.own_numbers.is_empty();
        if is_twin && is_bare && ctx.writer.delete_agent(&twin.agent_id).await.is_ok() {
            removed.push(Notice {
                address: Some(Address(twin.key.clone())),
                code: "twin-removed",
                message: format!("the second agent {} of `{}` was bare and is removed", twin.agent_id, twin.key),
            });
        }
    }
    removed
}
