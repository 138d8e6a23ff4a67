//! Emptying slots, when every agent is done.

use crate::api::{ApiError, Assignment, Directions, VersionDoc, VersionSource};
use crate::model::value::same;
use crate::model::{Direction, VersionHead};
use crate::plan::threeway::slot_at;
use crate::plan::{AgentChange, Outcome, Step};

use super::calls::{Assign, IN_THE_DASHBOARD, ONLY_ONCE, publish_calls, with_carried};
use super::closing::{Reading, restamp};
use super::context::Context;
use super::ended::{Ended, Finished};
use super::fence::changed_meanwhile;
use super::look;
use super::proof::Proven;
use super::publishing::{Ready, send};

/// Empties slots, on the live published version, and only if no assignment failed anywhere: until then a number that
/// was to move may still ring where it was.
pub(super) async fn empty_slots(
    ctx: &Context,
    changes: &[&AgentChange],
    finished: &mut [Finished],
    reading: Option<&Reading>,
) {
    let assignments_fine = changes
        .iter()
        .zip(finished.iter())
        .all(|(change, entry)| change.work.assign.is_empty() || entry.outcome.outcome.is_in_place());
    for (change, entry) in changes.iter().zip(finished.iter_mut()) {
        if change.work.unassign.is_empty() || !entry.outcome.outcome.is_in_place() {
            continue;
        }
        let head = reading.and_then(|reading| reading.head(entry));
        let (Some(id), Some(ready)) = (entry.outcome.agent_id.clone(), head.and_then(Ready::live)) else { continue };
        entry.outcome.step = Some(Step::empty_slots(&change.work.unassign).describe());
        if !assignments_fine || ctx.cancel.is_cancelled() {
            let why = if assignments_fine { "the run was interrupted" } else { "an assignment failed elsewhere" };
            entry.end(Ended::new(Outcome::Skipped, format!("its slots were not emptied, because {why}")));
            continue;
        }
        for (directions, numbers) in publish_calls(&change.work.unassign) {
            let assignment = Assignment { directions, assign: &[], unassign: &numbers };
            let emptied = match send(ctx, &id, ready, assignment).await {
                // Why it was refused is known to the service alone, so its reason stays with whatever fails after it.
                Err(error) if is_refusal(&error) => {
                    empty_by_a_copy(ctx, change, entry, &id).await.map_err(|ended| because(ended, &error))
                }
                Err(error) => Err(Ended::request(&error)),
                Ok(()) => Ok(()),
            };
            entry.wrote = true;
            if let Err(ended) = emptied {
                entry.end(ended);
                break;
            }
        }
        if entry.outcome.outcome.is_in_place() {
            entry.outcome.step = None;
            finish(ctx, change, &id).await;
        }
    }
}

/// Takes the emptied slots and the intent off the stamp. Best effort, for the next apply does it as well.
async fn finish(ctx: &Context, change: &AgentChange, id: &str) {
    let taken_off = restamp(ctx, id, |stamp| {
        let is_ours = stamp.state.intent.take_if(|intent| intent.run == ctx.run).is_some();
        if let Some(applied) = stamp.state.applied.as_mut().filter(|_| is_ours) {
            applied.fields.retain(|path, _| slot_at(path).is_none_or(|slot| !change.work.empties(&slot)));
        }
        is_ours
    });
    if let Err(ended) = taken_off.await {
        tracing::debug!(id, causes = ?ended.causes, "the record of what was begun could not be removed");
    }
}

/// Whether the service says that it will not do it.
fn is_refusal(error: &ApiError) -> bool {
    matches!(error.status(), Some(400 | 409))
}

/// What failed after the service had refused to empty a slot of the live version.
fn because(mut ended: Ended, refused: &ApiError) -> Ended {
    for cause in refused.causes() {
        if !ended.causes.contains(&cause) {
            ended.causes.push(cause);
        }
    }
    ended
}

/// The numbers of each direction that a copy would have to be given or to lose. One publish call does one direction.
fn directions_to_publish(change: &AgentChange, kept: &Assign) -> usize {
    let concerns = |map: &Assign, direction| map.get(&direction).is_some_and(|numbers| !numbers.is_empty());
    let concerned = |direction: &Direction| concerns(kept, *direction) || concerns(&change.work.unassign, *direction);
    Direction::ALL.iter().filter(|direction| concerned(direction)).count()
}

/// A draft above the live version that is a copy of it, made by whoever wrote the live one: what an earlier attempt left.
async fn earlier_copy(ctx: &Context, id: &str, base: &VersionDoc) -> Result<Option<VersionDoc>, Ended> {
    let agent = look::agent(ctx, id).await?;
    let is_ours = |head: &&VersionHead| {
        !head.published
            && head.version > base.head.version
            && head.modified_by.is_some()
            && head.modified_by == base.head.modified_by
            && head.created_by == base.head.created_by
    };
    let Some(head) = agent.versions.iter().filter(is_ours).max_by_key(|head| head.version) else { return Ok(None) };
    let copy = look::version(ctx, id, head.version).await?;
    Ok(same(&copy.config, &base.config).then_some(copy))
}

/// A service that publishes only once: a copy of the live version is published, which takes all numbers along but
/// those that go. The stamp says which version that is.
async fn empty_by_a_copy(ctx: &Context, change: &AgentChange, entry: &mut Finished, id: &str) -> Result<(), Ended> {
    let Some(version) = entry.outcome.version else { return Ok(()) };
    let kept = with_carried(&change.work.assign, &change.work.carry);
    if directions_to_publish(change, &kept) > 1 {
        return Err(Ended::new(Outcome::Failed, ONLY_ONCE).by_hand(IN_THE_DASHBOARD));
    }
    let base = look::version(ctx, id, version).await?;
    let made = match earlier_copy(ctx, id, &base).await? {
        Some(copy) => copy.head.version,
        None => ctx.writer.create_version(id, VersionSource::Base(version)).await?.head.version,
    };
    entry.outcome.draft = Some(made);
    let (copy, agent) = tokio::join!(look::version(ctx, id, made), look::agent(ctx, id));
    let (agent, proven) = (agent?, Proven::copy((base.head.version, &base.config), copy?)?);
    if agent.live_version().map(|head| head.version) != Some(version) {
        return Err(changed_meanwhile(agent.live_version()));
    }
    let copy = proven.version();
    for direction in Direction::ALL {
        let of = |map: &Assign| map.get(&direction).cloned().unwrap_or_default();
        let (assign, unassign) = (of(&kept), of(&change.work.unassign));
        if assign.is_empty() && unassign.is_empty() {
            continue;
        }
        let assignment = Assignment { directions: Directions::One(direction), assign: &assign, unassign: &unassign };
        send(ctx, id, Ready::proven(&proven), assignment).await.map_err(|error| {
            let ended = Ended::request(&error);
            // A new version was refused the same: nothing that this program can send empties the slot.
            if is_refusal(&error) {
                ended.by_hand(format!("{IN_THE_DASHBOARD}, and discard draft v{copy} there"))
            } else {
                ended
            }
        })?;
    }
    entry.outcome.version = Some(copy);
    entry.outcome.draft = None;
    restamp(ctx, id, |stamp| match &mut stamp.state.applied {
        Some(applied) => {
            applied.version = Some(copy);
            true
        }
        None => false,
    })
    .await
}
