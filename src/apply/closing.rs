//! The closing reading: the lists once more, when every agent is done. Each new version was read when it was published.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Map, Value};

use crate::api::Assignment;
use crate::model::stamp::STAMP_KEY;
use crate::model::{
    Coverage, Direction, FieldPath, LiveAgent, LiveNumber, LiveState, PhoneNumber, Seal, Slot, Stamp, VersionHead,
};
use crate::plan::threeway::slot_path;
use crate::plan::{AgentChange, Outcome, SlotHolder, SlotTarget};

use super::calls::{Call, publish_calls};
use super::context::Context;
use super::ended::{Ended, Finished};
use super::eventually::Look;
use super::look;
use super::publishing::{Ready, as_seen, published_above, send};
use super::record;

/// The lists as they are at the end.
pub(super) struct Reading {
    agents: BTreeMap<String, LiveAgent>,
    numbers: BTreeMap<PhoneNumber, LiveNumber>,
    numbers_known: bool,
}

impl Reading {
    fn agent(&self, entry: &Finished) -> Option<&LiveAgent> {
        self.agents.get(entry.outcome.agent_id.as_ref()?)
    }

    /// The version that is live by what is known of an agent, as the lists show it.
    pub(super) fn head(&self, entry: &Finished) -> Option<&VersionHead> {
        self.agent(entry)?.version(entry.outcome.version?)
    }
}

async fn read(ctx: &Context, finished: &[Finished]) -> Result<Reading, Ended> {
    let reader = ctx.writer.reader();
    let (agents, numbers) = tokio::join!(reader.list_agents(), reader.list_numbers());
    if let (Coverage::Incomplete(_) | Coverage::Forbidden(_), Some(error)) = (&agents.coverage, &agents.error) {
        return Err(Ended::request(error));
    }
    let numbers_known = numbers.coverage.is_proven();
    // A service whose list carries no versions is asked agent by agent. One that was deleted since is in no list either.
    let agents = join_all(agents.items.into_iter().map(|record| async {
        if record.is_whole() { Ok(Some(record.agent)) } else { look::agent_now(ctx, &record.agent.id).await }
    }));
    let agents = agents.await.into_iter().collect::<Result<Vec<_>, Ended>>()?;
    let mut agents: BTreeMap<String, LiveAgent> =
        agents.into_iter().flatten().map(|agent| (agent.id.clone(), agent)).collect();
    // One that the list lacks is asked for by itself before it counts as deleted.
    let ids = finished.iter().filter(|entry| is_applied(entry)).filter_map(|entry| entry.outcome.agent_id.as_ref());
    for id in ids {
        if !agents.contains_key(id)
            && let Some(agent) = look::agent_now(ctx, id).await?
        {
            agents.insert(agent.id.clone(), agent);
        }
    }
    Ok(Reading {
        agents,
        numbers: numbers.items.into_iter().map(|record| (record.number.number.clone(), record.number)).collect(),
        numbers_known,
    })
}

/// What a reading says of an agent that was applied.
enum Standing {
    /// Nothing against it.
    Confirmed,
    /// Numbers are not where they were put: the calls to send again.
    Astray(Vec<Call>),
    /// Its record is not as it was written, which a late answer shows as well.
    Otherwise(Ended),
    /// Somebody else acted meanwhile, and it is left alone.
    Another(Ended),
}

fn standing(ctx: &Closing<'_>, change: &AgentChange, entry: &Finished, reading: &Reading, is_last: bool) -> Standing {
    let Some(agent) = reading.agent(entry) else { return Standing::Otherwise(look::gone()) };
    if let Some(ended) = act_of_another(ctx, change, entry, reading, is_last) {
        return Standing::Another(ended);
    }
    let was_active = ctx.live.agents.get(&agent.id).and_then(|agent| agent.active);
    if entry.wrote
        && let Some(ended) = record::changed_since(change, was_active, entry.principal.as_deref(), agent)
    {
        return Standing::Otherwise(ended);
    }
    let calls = astray(change, entry, reading);
    if calls.is_empty() { Standing::Confirmed } else { Standing::Astray(calls) }
}

fn is_applied(entry: &Finished) -> bool {
    entry.outcome.outcome == Outcome::Applied
}

/// Confirms what was applied. A slot that is not as planned is sent once more.
pub(super) async fn confirm(
    ctx: &Context,
    changes: &[&AgentChange],
    live: &LiveState,
    finished: &mut [Finished],
) -> Option<Reading> {
    if !finished.iter().any(|entry| is_applied(entry) && entry.wrote) {
        return None;
    }
    match settle(&Closing { ctx, live }, changes, finished).await {
        Ok(reading) => {
            record_overtaken(ctx, finished, &reading).await;
            record_unconfirmed(ctx, changes, finished, &reading).await;
            Some(reading)
        }
        Err(ended) => {
            for entry in finished.iter_mut().filter(|entry| is_applied(entry)) {
                entry.outcome.outcome = Outcome::Unverified;
                entry.outcome.causes.clone_from(&ended.causes);
            }
            None
        }
    }
}

/// The stamps say already that these versions were applied, and what is live above them would pass for drift, which the
/// next apply writes over. Best effort: the outcome says it as well.
async fn record_overtaken(ctx: &Context, finished: &[Finished], reading: &Reading) {
    for entry in finished.iter().filter(|entry| entry.outcome.outcome == Outcome::Stale && entry.wrote) {
        let live = reading.agent(entry).and_then(LiveAgent::live_version).map(|head| head.version);
        let (Some(id), Some(live)) = (&entry.outcome.agent_id, live) else { continue };
        let marked = restamp(ctx, id, |stamp| match &mut stamp.state.applied {
            // Numbers are moved without a version, too.
            Some(applied)
                if applied.version.is_some_and(|version| version <= live) && applied.overtaken_by.is_none() =>
            {
                applied.overtaken_by = Some(live);
                true
            }
            Some(_) | None => false,
        });
        if let Err(ended) = marked.await {
            tracing::debug!(id, causes = ?ended.causes, "that its version was overtaken could not be recorded");
        }
    }
}

/// Their stamps claim these numbers, and what holds them now would pass for somebody's act. Best effort, as above.
async fn record_unconfirmed(ctx: &Context, changes: &[&AgentChange], finished: &[Finished], reading: &Reading) {
    for (change, entry) in changes.iter().zip(finished) {
        let Some(id) = entry.outcome.agent_id.as_ref().filter(|_| entry.outcome.outcome == Outcome::Unverified) else {
            continue;
        };
        let wanted = reading.head(entry).map(|head| head.id.as_str());
        let assigned =
            change.work.assign.iter().flat_map(|(to, numbers)| numbers.iter().map(move |number| (number, *to)));
        let open: Vec<(FieldPath, Value)> = assigned
            .filter_map(|(number, direction)| {
                let holder = reading.numbers.get(number)?.slot(direction);
                let slot = slot_path(&Slot { number: number.clone(), direction });
                (holder != wanted).then(|| (slot, holder.map_or(Value::Null, |id| Value::String(id.to_owned()))))
            })
            .collect();
        let marked = restamp(ctx, id, |stamp| {
            let hash = |(slot, holder): &(FieldPath, Value)| (slot.clone(), Seal::of(stamp).hash(holder));
            let unconfirmed = open.iter().map(hash).collect();
            let applied = stamp.state.applied.as_mut();
            applied.map(|applied| applied.unconfirmed = unconfirmed).is_some() && !open.is_empty()
        });
        if let Err(ended) = marked.await {
            tracing::debug!(id, causes = ?ended.causes, "that its numbers are open could not be recorded");
        }
    }
}

/// What is closed: the run, and what was read just before its first write.
struct Closing<'a> {
    ctx: &'a Context,
    live: &'a LiveState,
}

/// Reads until every number is where it was put; what is not after a while is sent once more, and then judged.
async fn settle(closing: &Closing<'_>, changes: &[&AgentChange], finished: &mut [Finished]) -> Result<Reading, Ended> {
    let ctx = closing.ctx;
    let look = ctx
        .eventually(async || {
            let reading = read(ctx, finished).await?;
            let applied = changes.iter().zip(finished.iter()).filter(|(_, entry)| is_applied(entry));
            let is_open = |(change, entry): (&&AgentChange, &Finished)| {
                matches!(
                    standing(closing, change, entry, &reading, false),
                    Standing::Astray(_) | Standing::Otherwise(_)
                )
            };
            let is_settled = !applied.into_iter().any(is_open);
            Ok::<_, Ended>(Look::settled_if(is_settled, reading))
        })
        .await?;
    let is_last = matches!(look, Look::Open(_));
    let mut reading = look.seen();
    let astray = judge(closing, changes, finished, &reading, is_last);
    if astray.is_empty() {
        return Ok(reading);
    }
    for (index, calls) in astray {
        send_again(ctx, &finished[index], &reading, &calls).await;
    }
    reading = read(ctx, finished).await?;
    for (index, calls) in judge(closing, changes, finished, &reading, true) {
        let numbers: Vec<String> =
            calls.iter().flat_map(|(_, numbers)| numbers.iter().map(ToString::to_string)).collect();
        finished[index].outcome.outcome = Outcome::Unverified;
        finished[index].outcome.causes = vec![format!("{} does not point at the new version", numbers.join(", "))];
    }
    Ok(reading)
}

/// Ends those that somebody else acted upon, and gives those whose numbers are astray.
fn judge(
    closing: &Closing<'_>,
    changes: &[&AgentChange],
    finished: &mut [Finished],
    reading: &Reading,
    is_last: bool,
) -> Vec<(usize, Vec<Call>)> {
    let mut all_astray = Vec::new();
    for (index, (change, entry)) in changes.iter().zip(finished.iter_mut()).enumerate() {
        if !is_applied(entry) {
            continue;
        }
        match standing(closing, change, entry, reading, is_last) {
            Standing::Confirmed => {}
            Standing::Astray(calls) => all_astray.push((index, calls)),
            Standing::Another(ended) | Standing::Otherwise(ended) => {
                entry.end(ended);
                entry.outcome.left_behind = where_they_are(closing, change, entry, reading);
                entry.outcome.version = reading.agent(entry).and_then(LiveAgent::live_version).map(|head| head.version);
            }
        }
    }
    all_astray
}

/// Where the numbers of an agent point that somebody else acted upon, as far as that is not where they should.
fn where_they_are(closing: &Closing<'_>, change: &AgentChange, entry: &Finished, reading: &Reading) -> Vec<String> {
    let Some(agent) = reading.agent(entry) else { return Vec::new() };
    let assigned = change.work.assign.iter().flat_map(|(to, numbers)| numbers.iter().map(move |number| (number, *to)));
    let seen = assigned.filter_map(|(number, direction)| {
        let place = match reading.numbers.get(number) {
            Some(now) => as_seen(agent, closing.live, entry.outcome.version, now.slot(direction))?,
            None => "not confirmed".to_owned(),
        };
        Some(format!("{number} {direction} ({place})"))
    });
    seen.collect()
}

/// A version that somebody published above ours, or a slot that holds neither what the plan found there nor a version of
/// this agent: it is left alone.
fn act_of_another(
    closing: &Closing<'_>,
    change: &AgentChange,
    entry: &Finished,
    reading: &Reading,
    is_last: bool,
) -> Option<Ended> {
    let agent = reading.agent(entry)?;
    if let Some(ended) = entry.outcome.version.and_then(|version| published_above(agent, version)) {
        return Some(ended);
    }
    if !reading.numbers_known {
        return None;
    }
    if let Some(ended) = moved_back(closing, change, entry, reading).filter(|_| is_last) {
        return Some(ended);
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
            (None, _) => is_last,
        }
    })?;
    let now = reading.numbers.get(&moved.number).and_then(|number| number.slot(moved.direction));
    let holder = now.and_then(owner);
    let what = match (now, holder) {
        (None, _) => "emptied, so that it points at no agent".to_owned(),
        (Some(_), Some(holder)) => format!("moved to `{}`", holder.name),
        (Some(_), None) => "moved to an agent that this run cannot see".to_owned(),
    };
    Some(
        Ended::new(
            Outcome::Stale,
            format!("somebody else changed {} {} during this run: it was {what}", moved.number, moved.direction),
        )
        .hint("plan again, and look at what changed"),
    )
}

/// A number that is not on the version of this run, and whose record somebody else wrote since the run began: they moved it
/// back. A late answer shows the same, so this is for the last look only.
fn moved_back(closing: &Closing<'_>, change: &AgentChange, entry: &Finished, reading: &Reading) -> Option<Ended> {
    let us = entry.principal.as_deref()?;
    let calls = astray(change, entry, reading);
    let mut missing = calls.iter().flat_map(|(_, numbers)| numbers);
    let (number, by) = missing.find_map(|number| {
        let by = reading.numbers.get(number)?.changed_by_another(closing.live.numbers.get(number), us)?;
        Some((number, by))
    })?;
    let what = format!("{number} was moved by {by} during this run, after it was given to the new version");
    Some(Ended::new(Outcome::Stale, what).hint("plan again, and look at what changed"))
}

/// The assignments of an agent that are not in place: calls to send again.
fn astray(change: &AgentChange, entry: &Finished, reading: &Reading) -> Vec<Call> {
    if !reading.numbers_known {
        return Vec::new();
    }
    let wanted = reading.head(entry).map(|head| head.id.as_str());
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

async fn send_again(ctx: &Context, entry: &Finished, reading: &Reading, calls: &[Call]) {
    let (Some(id), Some(ready)) = (&entry.outcome.agent_id, reading.head(entry).and_then(Ready::live)) else { return };
    for (directions, numbers) in calls {
        let assignment = Assignment { directions: *directions, assign: numbers, unassign: &[] };
        if let Err(error) = send(ctx, id, ready, assignment).await {
            // Whether it helped is read afterwards.
            tracing::debug!(id, %error, "the numbers could not be sent once more");
        }
    }
}

/// Reads an agent once more and changes its stamp alone, where there is one and the change is one.
pub(super) async fn restamp(ctx: &Context, id: &str, change: impl FnOnce(&mut Stamp) -> bool) -> Result<(), Ended> {
    let agent = look::agent(ctx, id).await?;
    let Ok(Some(mut stamp)) = Stamp::read(&agent.metadata) else { return Ok(()) };
    let Value::Object(mut metadata) = agent.metadata else { return Ok(()) };
    if !change(&mut stamp) {
        return Ok(());
    }
    metadata.insert(STAMP_KEY.to_owned(), stamp.write());
    let body = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
    ctx.writer.update_agent(id, &body).await?;
    Ok(())
}
