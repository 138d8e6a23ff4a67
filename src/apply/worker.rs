//! One agent through its steps, in the order of the plan (design, section 6).
//!
//! Each step takes what only the step before it can make: a draft that was written, one that was proven, a version that
//! was seen published. A step either finishes or ends the agent with an outcome; what was written before it stays
//! written, and the intent on the agent lets any later run finish the job.

use crate::model::LiveState;
use crate::plan::{AgentChange, AgentOutcome, Course, Event, Outcome, Step};

use super::agent::{Agent, Job};
use super::context::Context;
use super::create::create;
use super::draft::{copy_of, draft};
use super::ended::{Ended, Finished};
use super::proof::{prove, prove_copy};
use super::publishing::{give_numbers, left_behind, publish};
use super::trail::Trail;
use super::verify::verify;

/// Does all steps of one change but emptying and deleting, which wait for every agent. `live` is what was read just
/// before the first write of the run.
pub(super) async fn work(ctx: &Context, change: &AgentChange, live: &LiveState) -> Finished {
    let began = ctx.clock.now();
    let job = Job { ctx, change, live };
    let mut trail = Trail::new(change);
    ctx.tell(Event::Started { address: change.address.clone(), action: change.action });
    let ended = steps(job, &mut trail).await.err();
    let left_behind = if ended.is_some() { left_behind(job, &mut trail).await } else { Vec::new() };
    let step = trail.step().filter(|_| ended.is_some()).map(str::to_owned);
    let Ended { outcome, mut causes, hints, by_hand } =
        ended.unwrap_or(Ended { outcome: Outcome::Applied, causes: Vec::new(), hints: Vec::new(), by_hand: false });
    causes.extend(trail.may_be_live().map(|version| {
        format!(
            "version {version} may be live: publishing it was asked for, and the agent could not be read afterwards"
        )
    }));
    let milliseconds = ctx.clock.now().duration_since(began).as_millis();
    Finished {
        outcome: AgentOutcome {
            address: change.address.clone(),
            key: change.key.clone(),
            name: change.name.clone(),
            agent_id: trail.agent_id.clone(),
            action: change.action,
            outcome,
            version: trail.seen_live,
            draft: trail.draft(),
            step,
            causes,
            hints,
            by_hand,
            rewritten: trail.rewritten,
            left_behind,
            milliseconds: u64::try_from(milliseconds).unwrap_or_default(),
        },
        wrote: trail.wrote,
        principal: trail.principal,
    }
}

async fn steps<'a>(job: Job<'a>, trail: &'a mut Trail) -> Result<(), Ended> {
    // Before an agent is made that nothing can be done with.
    if let Course::Impossible { why } = job.work().course {
        return Err(impossible(why));
    }
    let mut agent = match &job.change.agent_id {
        Some(id) => Agent::known(job, trail, id),
        None => create(job, trail).await?,
    };
    let ended = on_an_agent(&mut agent).await;
    if ended.is_err() {
        agent.drop_lease().await;
    }
    ended
}

async fn on_an_agent(agent: &mut Agent<'_>) -> Result<(), Ended> {
    let work = agent.job.work();
    let published = match &work.course {
        Course::Impossible { why } => return Err(impossible(why)),
        Course::Record => {
            if agent.job.change.agent_id.is_none() {
                agent.write_intent().await?;
            }
            None
        }
        Course::Numbers { live } => {
            agent.write_intent().await?;
            Some(give_numbers(agent, *live).await?)
        }
        Course::Copy { of, config } => {
            agent.write_intent().await?;
            let copy = copy_of(agent, *of, config).await?;
            agent.begin(&Step::ReadBack)?;
            let proven = prove_copy(agent, &copy, (*of, config)).await?;
            let proven = match &work.verify {
                Some(command) => verify(agent, proven, config, command).await?,
                None => proven,
            };
            Some(publish(agent, proven).await?)
        }
        Course::Version { config } => {
            agent.write_intent().await?;
            let written = draft(agent, config).await?;
            let proven = prove(agent, written, config).await?;
            let proven = match &work.verify {
                Some(command) => verify(agent, proven, config, command).await?,
                None => proven,
            };
            Some(publish(agent, proven).await?)
        }
    };
    agent.record(published.as_ref()).await
}

fn impossible(why: &str) -> Ended {
    Ended::new(Outcome::Failed, why).hint("plan again: the plan says what is missing")
}
