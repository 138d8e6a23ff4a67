//! Runs the approved changes: agents side by side, then the closing reading, then what had to wait for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures_util::StreamExt as _;

use crate::model::{Digest, Key, LiveState};
use crate::plan::recheck::outcome;
use crate::plan::{
    Action, AgentChange, AgentOutcome, Event, Notice, Outcome, Rechecked, Refresh, Report, Step, Target, Traffic,
};

use super::closing::confirm;
use super::context::{Context, GRACE};
use super::deleting;
use super::emptying::empty_slots;
use super::ended::Finished;
use super::worker::work;

/// Carries out what was rechecked. `order` lists the keys of the approved plan, in which the report is given.
pub async fn execute(
    ctx: &Context,
    rechecked: &Rechecked,
    live: &LiveState,
    order: &[Key],
    target: &Target,
    plan_hash: &Digest,
) -> Report {
    let refreshes: Vec<AgentChange> = rechecked.refreshes.iter().map(|refresh| as_change(refresh, plan_hash)).collect();
    let (deletes, writes): (Vec<&AgentChange>, Vec<&AgentChange>) =
        rechecked.changes.iter().partition(|change| change.action == Action::Delete);
    let all: Vec<&AgentChange> = writes.iter().copied().chain(&refreshes).collect();
    let mut finished = work_side_by_side(ctx, &all, live).await;
    let (main, rest) = finished.split_at_mut(writes.len());
    let reading = confirm(ctx, &writes, live, main).await;
    empty_slots(ctx, &writes, main, reading.as_ref()).await;
    let all_fine = main.iter().all(|entry| entry.outcome.outcome.is_in_place())
        && rechecked.decided.iter().all(|entry| entry.outcome.is_in_place());
    let deleted = deleting::delete(ctx, &deletes, all_fine).await;
    let removed = if all_fine { deleting::remove_twins(ctx, &rechecked.twins).await } else { Vec::new() };
    let mut wrote = main.iter().any(|entry| entry.wrote) || deleted.iter().any(|(_, wrote)| *wrote);
    wrote |= rest.iter().any(|entry| entry.wrote);
    wrote |= !removed.is_empty();
    // `protect`, a new key or what a dead run left to record: it was to be written, and it was not.
    let unrecorded = rest.iter().map(|entry| entry.outcome.clone()).filter(|entry| !entry.outcome.is_in_place());
    let unrecorded = unrecorded.map(|mut entry| {
        entry.causes.insert(0, "what reachform records on the agent could not be updated".to_owned());
        entry
    });
    let outcomes = main
        .iter()
        .map(|entry| entry.outcome.clone())
        .chain(deleted.into_iter().map(|(entry, _)| entry))
        .chain(rechecked.decided.iter().cloned())
        .chain(unrecorded);
    let outcomes = in_order(outcomes.collect(), order);
    for entry in &outcomes {
        ctx.tell(Event::Finished { outcome: Box::new(entry.clone()) });
    }
    Report {
        target: target.clone(),
        plan_hash: plan_hash.clone(),
        outcomes,
        wrote,
        interrupted: ctx.cancel.is_cancelled(),
        notices: removed.into_iter().chain(recorded(rest)).collect(),
        traffic: traffic(ctx),
    }
}

/// The cost of the run so far.
pub fn traffic(ctx: &Context) -> Traffic {
    let counted = ctx.writer.reader().client().traffic();
    Traffic {
        requests: counted.requests,
        retries: counted.retries,
        throttled: counted.throttled,
        waited_milliseconds: counted.waited_milliseconds,
    }
}

async fn work_side_by_side(ctx: &Context, changes: &[&AgentChange], live: &LiveState) -> Vec<Finished> {
    let begun = Mutex::new(BTreeSet::new());
    let mut done: BTreeMap<usize, Finished> = BTreeMap::new();
    let each = changes.iter().enumerate().map(|(index, change)| {
        let begun = &begun;
        async move {
            if let Ok(mut begun) = begun.lock() {
                begun.insert(index);
            }
            (index, work(ctx, change, live).await)
        }
    });
    let mut stream = futures_util::stream::iter(each).buffer_unordered(abreast(changes.len(), ctx.options.parallelism));
    // What is in flight when a signal comes may finish; what has not after the grace is of unknown fate.
    let grace = async {
        ctx.cancel.cancelled().await;
        ctx.clock.sleep(GRACE).await;
    };
    tokio::pin!(grace);
    loop {
        tokio::select! {
            biased;
            next = stream.next() => match next {
                Some((index, finished)) => {
                    done.insert(index, finished);
                }
                None => break,
            },
            () = &mut grace => break,
        }
    }
    drop(stream);
    let begun = begun.into_inner().unwrap_or_default();
    changes
        .iter()
        .enumerate()
        .map(|(index, change)| done.remove(&index).unwrap_or_else(|| unfinished(change, begun.contains(&index))))
        .collect()
}

/// How many agents are worked on at once. An agent rarely has more than one request in flight, so there are more of them
/// than requests; and in even shares, so that the last few do not walk alone. Not all: an agent that waits long for its
/// turn outlives its lease.
fn abreast(agents: usize, in_flight: usize) -> usize {
    let most = (2 * in_flight.max(1)) - 1;
    agents.div_ceil(agents.div_ceil(most).max(1)).max(1)
}

/// A change whose work was cut off.
fn unfinished(change: &AgentChange, was_begun: bool) -> Finished {
    let (result, cause) = if was_begun {
        (Outcome::Unknown, "the run was interrupted while a request was in flight")
    } else {
        (Outcome::NotStarted, "the run was interrupted before it was begun")
    };
    Finished {
        outcome: outcome(
            change,
            result,
            vec![cause.to_owned()],
            vec!["run the same command again: it finishes what was begun".to_owned()],
        ),
        wrote: was_begun,
        principal: None,
    }
}

/// How many agents are named in a sentence.
const NAMED: usize = 3;

/// What is said of agents of which nothing but the record was brought up to date.
fn recorded(rest: &[Finished]) -> Option<Notice> {
    let done: Vec<String> = rest
        .iter()
        .filter(|entry| entry.wrote && entry.outcome.outcome.is_in_place())
        .map(|entry| entry.outcome.address.to_string())
        .collect();
    let named = done.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = done.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("what reachform records on {named}{more} was updated, and nothing else of it");
    (!done.is_empty()).then_some(Notice { address: None, code: "record-updated", message })
}

/// A refresh as a change of one step.
fn as_change(refresh: &Refresh, plan_hash: &Digest) -> AgentChange {
    let Refresh { key, name, agent_id, version, work, .. } = refresh;
    AgentChange {
        steps: vec![Step::WriteAgent],
        work: work.clone(),
        ..AgentChange::bare(key.clone(), name.clone(), agent_id.clone(), Action::Adopt, plan_hash.clone(), *version)
    }
}

fn in_order(mut outcomes: Vec<AgentOutcome>, order: &[Key]) -> Vec<AgentOutcome> {
    outcomes
        .sort_by_key(|entry| (order.iter().position(|key| *key == entry.key).unwrap_or(usize::MAX), entry.key.clone()));
    outcomes
}

#[cfg(test)]
mod tests {
    use super::abreast;

    #[test]
    fn agents_are_worked_on_in_even_shares_and_one_after_the_other_where_one_request_is_allowed() {
        for (agents, in_flight, expected) in
            [(100, 16, 25), (1, 16, 1), (31, 16, 31), (32, 16, 16), (0, 16, 1), (9, 1, 1), (9, 0, 1), (3000, 16, 31)]
        {
            assert_eq!(abreast(agents, in_flight), expected, "{agents} agents, {in_flight} in flight");
        }
    }
}
