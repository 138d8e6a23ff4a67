//! Making an agent, and finding out whose it is that was made: ours, or that of a run of the same moment.

use serde_json::{Map, Value};

use crate::api::{AgentFilter, ApiError};
use crate::http::Fate;
use crate::model::{LiveAgent, Stamp};
use crate::plan::{Outcome, Step};

use super::agent::{Agent, Job, with_stamp};
use super::ended::Ended;
use super::eventually::Look;
use super::look;
use super::trail::Trail;

/// Makes the agent, its intent in the create.
pub(super) async fn create<'a>(job: Job<'a>, trail: &'a mut Trail) -> Result<Agent<'a>, Ended> {
    trail.begin(job, &Step::CreateAgent)?;
    let (ctx, work) = (job.ctx, job.work());
    let mut stamp = job.stamp();
    stamp.state.intent = Some(job.intent(&stamp, None));
    let metadata = with_stamp(&Value::Null, &work.metadata, &stamp)?;
    let mut body = work.agent_fields.clone();
    body.insert("metadata".to_owned(), metadata.clone());
    trail.wrote = true;
    let made = match ctx.writer.create_agent(&body).await {
        Ok(record) => record.agent,
        Err(error) if error.fate() != Fate::Unknown => {
            // The first write of all, and it was refused or never sent.
            trail.wrote = false;
            return Err(error.into());
        }
        Err(error) => of_a_lost_reply(job, &body, &error).await?,
    };
    trail.agent_id = Some(made.id.clone());
    yield_to_elder(job, trail, &made).await?;
    // What was sent is what the next writing starts from, also where the answer does not repeat the metadata.
    Ok(Agent::made(job, trail, &made, stamp, metadata))
}

/// The agent that a create may have made, found by the intent of this run in its stamp. Where it does not show for ten
/// seconds, the create is sent once more; a twin that appears later is told apart by its stamp.
async fn of_a_lost_reply(job: Job<'_>, body: &Map<String, Value>, lost: &ApiError) -> Result<LiveAgent, Ended> {
    let ctx = job.ctx;
    let found = ctx
        .eventually(async || {
            let listing = ctx.writer.reader().list_agents().await;
            let found = listing.items.into_iter().map(|record| record.agent).find(|agent| is_made_here(job, agent));
            Ok::<_, Ended>(Look::settled_if(found.is_some() || ctx.cancel.is_cancelled(), found))
        })
        .await?;
    match found.seen() {
        Some(agent) => {
            job.note("the answer to the create was lost; the agent was found by what reachform had recorded on it");
            Ok(agent)
        }
        None if ctx.cancel.is_cancelled() => Err(Ended::request(lost)),
        None => {
            job.note("the create left no trace for ten seconds; it is sent once more");
            Ok(ctx.writer.create_agent(body).await?.agent)
        }
    }
}

/// Made by this run, for this key: the run makes other agents beside it.
fn is_made_here(job: Job<'_>, agent: &LiveAgent) -> bool {
    let intent = of_this_key(job, agent).and_then(|stamp| stamp.state.intent);
    intent.is_some_and(|intent| intent.run == job.ctx.run)
}

/// The stamp of an agent, where it is its own and of this key.
fn of_this_key(job: Job<'_>, agent: &LiveAgent) -> Option<Stamp> {
    let stamp = Stamp::read(&agent.metadata).ok().flatten()?;
    let owner = (&stamp.project, &stamp.environment);
    let is_here = stamp.key == job.change.key && owner == (&job.ctx.owner.0, &job.ctx.owner.1);
    (is_here && stamp.is_of(&agent.id)).then_some(stamp)
}

/// Two runs that create the agent of one key in the same moment both succeed, for nothing on the service forbids it. Both
/// look once more afterwards, and the younger agent, still bare, is taken back by the run that made it.
async fn yield_to_elder(job: Job<'_>, trail: &mut Trail, ours: &LiveAgent) -> Result<(), Ended> {
    let ctx = job.ctx;
    let filter = AgentFilter { name: Some(job.change.name.clone()), metadata: None };
    let same_key = ctx
        .eventually(async || {
            let mut same_key = Vec::new();
            let mut shows_ours = false;
            for record in ctx.writer.reader().find_agents(&filter).await.items {
                if record.agent.id == ours.id {
                    shows_ours = true;
                    same_key.push(record.agent);
                    continue;
                }
                // A service whose list leaves the metadata out is asked agent by agent.
                let agent = if record.is_whole() { record.agent } else { look::agent(ctx, &record.agent.id).await? };
                if of_this_key(job, &agent).is_some() {
                    same_key.push(agent);
                }
            }
            // A list that does not show our own agent yet may hide another's as well.
            Ok::<_, Ended>(Look::settled_if(shows_ours || ctx.cancel.is_cancelled(), same_key))
        })
        .await?
        .seen();
    let born = |agent: &LiveAgent| (agent.created_at.clone(), agent.id.clone());
    let Some(elder) = same_key.into_iter().min_by_key(born).filter(|eldest| eldest.id != ours.id) else {
        return Ok(());
    };
    let run = Stamp::read(&elder.metadata).ok().flatten().and_then(|stamp| stamp.state.intent);
    let run = run.map_or("another run".to_owned(), |intent| format!("the run {}", intent.run));
    let ended = Ended::new(Outcome::Blocked, format!("{run} created this agent in the same moment, as {}", elder.id))
        .hint("run the same command again, once the other run is done");
    if let Err(error) = ctx.writer.delete_agent(&ours.id).await {
        tracing::debug!(key = %job.change.key, %error, "the second agent of this key, made by this run, could not be deleted");
        return Err(ended.hint(format!("the agent {} was left behind, bare; the next run takes it away", ours.id)));
    }
    trail.agent_id = None;
    trail.wrote = false;
    Err(ended)
}
