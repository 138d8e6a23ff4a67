//! Emptying slots, when every agent is done.

use crate::api::{Assignment, Directions, VersionSource};
use crate::model::Direction;
use crate::plan::{AgentChange, Outcome, Step};

use super::calls::{Assign, publish_calls, with_carried};
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
                Err(error) if matches!(error.status(), Some(400 | 409)) => {
                    empty_by_a_copy(ctx, change, entry, &id).await
                }
                Err(error) => Err(Ended::request(&error)),
                Ok(()) => Ok(()),
            };
            if let Err(ended) = emptied {
                entry.end(ended);
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
    let taken_off = restamp(ctx, id, |stamp| stamp.state.intent.take_if(|intent| intent.run == ctx.run).is_some());
    if let Err(ended) = taken_off.await {
        tracing::debug!(id, causes = ?ended.causes, "the intent could not be taken off");
    }
}

/// A service that publishes only once: a copy of the live version is published, which takes all numbers along but
/// those that go. The stamp says which version that is.
async fn empty_by_a_copy(ctx: &Context, change: &AgentChange, entry: &mut Finished, id: &str) -> Result<(), Ended> {
    let Some(version) = entry.outcome.version else { return Ok(()) };
    let copy = ctx.writer.create_version(id, VersionSource::Base(version)).await?.head.version;
    let (base, copy, agent) =
        tokio::join!(look::version(ctx, id, version), look::version(ctx, id, copy), look::agent(ctx, id));
    let (agent, proven) = (agent?, Proven::copy(&base?.config, copy?)?);
    if agent.live_version().map(|head| head.version) != Some(version) {
        return Err(changed_meanwhile(agent.live_version()));
    }
    let copy = proven.version();
    let kept = with_carried(&change.work.assign, &change.work.carry);
    let mut published = false;
    for direction in Direction::ALL {
        let of = |map: &Assign| map.get(&direction).cloned().unwrap_or_default();
        let (assign, unassign) = (of(&kept), of(&change.work.unassign));
        if assign.is_empty() && unassign.is_empty() {
            continue;
        }
        if published {
            // The second direction would be a second publish of the same version, which such a service refuses.
            return Err(Ended::new(
                Outcome::Failed,
                format!("version {copy} cannot be published again for {direction} numbers"),
            )
            .hint("apply again: the remaining direction is moved then"));
        }
        let assignment = Assignment { directions: Directions::One(direction), assign: &assign, unassign: &unassign };
        send(ctx, id, Ready::proven(&proven), assignment).await?;
        published = true;
    }
    entry.outcome.version = Some(copy);
    restamp(ctx, id, |stamp| match &mut stamp.state.applied {
        Some(applied) => {
            applied.version = Some(copy);
            true
        }
        None => false,
    })
    .await
}
