//! Deleting agents: orphans, and second agents of a key.

use crate::model::{Address, Direction, Stamp};
use crate::plan::recheck::outcome;
use crate::plan::{AgentChange, AgentOutcome, Notice, Outcome, Step, Twin};

use super::context::Context;
use super::ended::Ended;
use super::look;

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
    let (agent, numbers) = tokio::join!(look::agent_now(ctx, id), reader.list_numbers());
    let Some(agent) = agent? else { return Ok(()) };
    let stamp = Stamp::read(&agent.metadata).ok().flatten();
    let is_ours = stamp.as_ref().is_some_and(|stamp| stamp.is_of(id) && stamp.key == change.key && !stamp.protect);
    if !is_ours {
        return Err(Ended::new(Outcome::Stale, "what reachform records on it was changed since the plan"));
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
