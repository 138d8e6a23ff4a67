//! Publishing a version with its numbers, and what is looked at just before and just after it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::api::{ApiError, Assignment};
use crate::live::tell;
use crate::model::value::same;
use crate::model::{LiveAgent, LiveState, PhoneNumber, VersionHead};
use crate::plan::{Outcome, SlotHolder, SlotTarget, Step};

use super::agent::{Agent, Job};
use super::calls::{Assign, ONLY_ONCE, SAME_NUMBERS, publish_calls, with_carried};
use super::context::Context;
use super::draft;
use super::ended::Ended;
use super::eventually::Look;
use super::fence::{changed_meanwhile, publisher};
use super::look;
use super::proof::{Proven, prove_copy};
use super::trail::Trail;

/// A version that may be published, or be given numbers: one that was proven, or one that is published already.
#[derive(Clone, Copy)]
pub(super) struct Ready {
    version: u64,
    is_new: bool,
}

impl Ready {
    /// A version that is published already.
    pub(super) fn live(head: &VersionHead) -> Option<Self> {
        head.published.then_some(Self { version: head.version, is_new: false })
    }

    /// A draft that was proven.
    pub(super) fn proven(proven: &Proven) -> Self {
        Self { version: proven.version(), is_new: true }
    }
}

/// Sends one publish call: the only place that does.
pub(super) async fn send(ctx: &Context, id: &str, ready: Ready, numbers: Assignment<'_>) -> Result<(), ApiError> {
    ctx.writer.publish(id, ready.version, Some(numbers)).await.map(|_| ())
}

/// A version of this run, or a live one with new numbers, that was seen published.
pub(super) struct Published {
    version: u64,
    config: Option<Value>,
}

impl Published {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The config as it was read back; absent where no version was made.
    pub(super) fn config(&self) -> Option<&Value> {
        self.config.as_ref()
    }
}

/// Publishes a proven draft with its numbers.
pub(super) async fn publish(agent: &mut Agent<'_>, proven: Proven) -> Result<Published, Ended> {
    let assign = &agent.job.work().assign;
    agent.begin(&Step::publish(assign))?;
    look_at_slots(agent).await?;
    publish_new(agent, proven, assign).await
}

/// Gives numbers to the live version. Where the service publishes a version only once, a copy of it takes them.
pub(super) async fn give_numbers(agent: &mut Agent<'_>, live: u64) -> Result<Published, Ended> {
    let work = agent.job.work();
    agent.begin(&Step::publish(&work.assign))?;
    // Nothing is read back here, so this is the only look at the agent before its numbers move.
    let found = agent.since_intent().await?;
    agent.pass_fence(&found)?;
    let head = found.live_version().filter(|head| head.version == live);
    let ready = head.and_then(Ready::live).ok_or_else(|| changed_meanwhile(found.live_version()))?;
    look_at_slots(agent).await?;
    match send_all(agent, ready, &work.assign).await {
        Ok(()) => {
            look_at_published(agent, live).await?;
            Ok(Published { version: live, config: None })
        }
        Err(refused) if refused.is_refused() => {
            let all = with_carried(&work.assign, &work.carry);
            if publish_calls(&all).len() > 1 {
                return Err(Ended::new(Outcome::Failed, ONLY_ONCE).by_hand(SAME_NUMBERS));
            }
            let base = draft::base_config(agent, live).await?;
            let copy = draft::copy(agent, live, &base).await?;
            let proven = prove_copy(agent, &copy, (live, base.as_ref())).await?;
            publish_new(agent, proven, &all).await
        }
        Err(failed) => Err(failed.into_ended(live)),
    }
}

async fn publish_new(agent: &mut Agent<'_>, proven: Proven, assign: &Assign) -> Result<Published, Ended> {
    let version = proven.version();
    send_all(agent, Ready::proven(&proven), assign).await.map_err(|failed| failed.into_ended(version))?;
    // The published version is read beside the agent: from here on nothing can change it, and its stamp may claim it.
    let (now, published) = {
        let (ctx, id) = (agent.job.ctx, agent.id.clone());
        tokio::join!(look::version(ctx, &id, version), look_at_published(agent, version))
    };
    published?;
    let config = proven.into_config();
    if !same(&config, &now?.config) {
        return Err(Ended::new(Outcome::Failed, format!("version {version} was edited while it was published"))
            .hint("plan again: the difference is shown there"));
    }
    Ok(Published { version, config: Some(config) })
}

/// A publish call that failed, and how many went well before it.
struct Failed {
    error: ApiError,
    calls_before: usize,
}

impl Failed {
    /// The service says that it will not do this, as it does where a version can be published only once.
    fn is_refused(&self) -> bool {
        matches!(self.error.status(), Some(400 | 409))
    }

    fn into_ended(self, version: u64) -> Ended {
        let mut ended = Ended::request(&self.error);
        // The version is published before its numbers are written, so it may be live by now (contract 7.2).
        ended.causes.insert(
            0,
            format!("publishing version {version} with its numbers failed, so some of that may not have happened"),
        );
        if self.calls_before > 0 && self.is_refused() {
            ended.causes.insert(0, ONLY_ONCE.to_owned());
            return ended.by_hand(SAME_NUMBERS);
        }
        ended
    }
}

/// One call for each direction that differs, `both` where they agree, the direction always named.
async fn send_all(agent: &mut Agent<'_>, ready: Ready, assign: &Assign) -> Result<(), Failed> {
    for (calls_before, (directions, numbers)) in publish_calls(assign).into_iter().enumerate() {
        let assignment = Assignment { directions, assign: &numbers, unassign: &[] };
        agent.trail.asks_to_publish(ready.version, ready.is_new);
        let sent = send(agent.job.ctx, &agent.id, ready, assignment).await;
        sent.map_err(|error| Failed { error, calls_before })?;
    }
    Ok(())
}

/// A slot that holds neither what the plan found there nor a version of this agent was filled or emptied by somebody else
/// since. It is left alone, and nothing is published.
async fn look_at_slots(agent: &Agent<'_>) -> Result<(), Ended> {
    let job = agent.job;
    let filled: Vec<_> = job.change.numbers.iter().filter(|slot| slot.to != SlotTarget::Empty).collect();
    let numbers = filled.iter().map(|slot| slot.number.clone()).collect();
    let found = look::numbers_now(job.ctx.writer.reader(), numbers).await?;
    for slot in filled {
        let Some(now) = found.get(&slot.number) else { continue };
        let holder = now.slot(slot.direction);
        if !is_as_found(agent, &slot.from, holder).await? {
            let what = if holder.is_some() { "moved" } else { "emptied" };
            return Err(Ended::new(
                Outcome::Stale,
                format!("{} {} was {what} by somebody else since the plan", slot.number, slot.direction),
            )
            .hint("plan again, and look at what changed"));
        }
    }
    Ok(())
}

/// Whether a slot still is with whom the plan found it, whatever version of that agent it points at, or with this agent
/// already.
async fn is_as_found(agent: &Agent<'_>, found: &SlotHolder, now: Option<&str>) -> Result<bool, Ended> {
    let Some(now) = now else { return Ok(*found == SlotHolder::Empty) };
    if let SlotHolder::Unknown { version_id } = found
        && version_id == now
    {
        return Ok(true);
    }
    let their_id = match found {
        SlotHolder::Agent { agent_id, .. } => Some(agent_id.as_str()),
        SlotHolder::Empty | SlotHolder::Unknown { .. } => None,
    };
    if let Some((owner, _)) = agent.job.live.owner_of(now) {
        return Ok(Some(owner.id.as_str()) == their_id || owner.id == agent.id);
    }
    // A version that was made since the lists were read.
    for id in their_id.into_iter().chain([agent.id.as_str()]) {
        let owner = look::agent(agent.job.ctx, id).await;
        if owner.is_ok_and(|owner| owner.versions.iter().any(|head| head.id == now)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// That the service answered is not yet that the version is live, and somebody may have published another in the same
/// moment: the agent is read once more before its stamp says anything.
async fn look_at_published(agent: &mut Agent<'_>, version: u64) -> Result<(), Ended> {
    let is_live = |found: &LiveAgent| found.live_version().is_some_and(|head| head.version >= version);
    let look = agent
        .job
        .ctx
        .eventually(async || {
            let found = agent.since_intent().await?;
            Ok::<_, Ended>(Look::settled_if(is_live(&found), found))
        })
        .await?;
    let found = look.seen();
    agent.take_reading(&found);
    if !is_live(&found) {
        return Err(Ended::new(
            Outcome::Failed,
            format!("the service answered that version {version} was published, and it is not published"),
        )
        .hint("run the same command again: it finishes what was begun"));
    }
    agent.trail.was_published();
    published_above(&found, version).map_or(Ok(()), Err)
}

/// What ends an agent above whose version somebody else published another.
pub(super) fn published_above(agent: &LiveAgent, version: u64) -> Option<Ended> {
    let head = agent.live_version().filter(|head| head.version > version)?;
    let by = publisher(head);
    Some(
        Ended::new(
            Outcome::Stale,
            format!("version {} was published by {by} above version {version} of this run", head.version),
        )
        .hint("plan again, and look at what changed"),
    )
}

/// Numbers that were to come to an agent that did not get so far, each as it was seen last. Others may have moved them
/// meanwhile, and after a publish that failed anything may have happened, so the agent and its numbers are looked at once
/// more, after a signal as well.
pub(super) async fn left_behind(job: Job<'_>, trail: &mut Trail) -> Vec<String> {
    let assign = &job.work().assign;
    let assigned = || assign.iter().flat_map(|(to, numbers)| numbers.iter().map(move |number| (number, *to)));
    let is_untouched = !trail.wrote && trail.asked_for().is_none();
    let Some(id) = trail.agent_id.clone().filter(|_| !is_untouched) else {
        return assigned().map(|(number, direction)| format!("{number} {direction}")).collect();
    };
    let writer = job.ctx.writer.finishing();
    let agent = if trail.asked_for().is_some() || !assign.is_empty() {
        tell(writer.reader(), &id).await.ok().flatten().map(|record| record.agent)
    } else {
        None
    };
    if let Some(version) = trail.asked_for() {
        trail.seen_live = agent.as_ref().and_then(LiveAgent::live_version).map(|head| head.version);
        match &agent {
            None => trail.lost_sight(),
            Some(agent) if agent.version(version).is_some_and(|head| head.published) => trail.was_published(),
            Some(_) => {}
        }
    }
    let numbers: BTreeSet<PhoneNumber> = assigned().map(|(number, _)| number.clone()).collect();
    let numbers = look::numbers_now(writer.reader(), numbers).await.unwrap_or_default();
    let seen = assigned().filter_map(|(number, direction)| {
        let place = match (&agent, numbers.get(number)) {
            (Some(agent), Some(now)) => as_seen(agent, job.live, trail.asked_for(), now.slot(direction))?,
            (None, _) | (_, None) => "not confirmed".to_owned(),
        };
        Some(format!("{number} {direction} ({place})"))
    });
    seen.collect()
}

/// Where a number that was to go to a version of an agent points. Nothing if that is where it should.
pub(super) fn as_seen(agent: &LiveAgent, live: &LiveState, wanted: Option<u64>, now: Option<&str>) -> Option<String> {
    let Some(now) = now else { return Some("it points at no agent".to_owned()) };
    if let Some(head) = agent.versions.iter().find(|head| head.id == now) {
        let above = agent.live_version().filter(|live| live.version > head.version);
        return match above {
            Some(above) if wanted == Some(head.version) => Some(format!(
                "this run published it with v{}, and v{} was published above that",
                head.version, above.version
            )),
            _ if wanted == Some(head.version) => None,
            _ if wanted.is_some_and(|wanted| wanted < head.version) => {
                Some(format!("it is on v{}, which was published by {} after this run", head.version, publisher(head)))
            }
            _ => Some(format!("it points at v{}", head.version)),
        };
    }
    Some(match live.owner_of(now) {
        Some((owner, _)) => format!("it points at `{}`", owner.name),
        None => "it points at an agent that this run cannot see".to_owned(),
    })
}
