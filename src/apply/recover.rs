//! What a lost reply left behind: looked up, never repeated blindly (design, section 6).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::api::{ApiError, VersionSource};
use crate::model::value::same;
use crate::model::{LiveAgent, Seal, Stamp, VersionHead};
use crate::plan::{Event, Outcome};

use super::context::{Context, EVENTUAL};
use super::ended::Ended;
use super::worker::{Worker, dead_intent};

/// Between two looks at a service that may still be writing.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// The agent that a create may have made, found by the intent of this run in its stamp. Where it does not show within
/// ten seconds, the create is sent once more; a twin that appears later is told apart by its stamp.
pub(super) async fn created_agent(
    worker: &mut Worker<'_>,
    body: &Map<String, Value>,
    lost: &ApiError,
) -> Result<LiveAgent, Ended> {
    let ctx = worker.ctx;
    let deadline = ctx.clock.now() + EVENTUAL;
    loop {
        let listing = ctx.writer.reader().list_agents().await;
        if let Some(record) = listing.items.into_iter().find(|record| is_ours(&record.agent, worker)) {
            note(worker, "the reply to the create was lost; the agent was found by its stamp");
            return Ok(record.agent);
        }
        if ctx.clock.now() >= deadline || ctx.cancel.is_cancelled() {
            break;
        }
        ctx.clock.sleep(PAUSE).await;
    }
    if ctx.cancel.is_cancelled() {
        return Err(Ended::request(lost));
    }
    note(worker, "the create left no trace for ten seconds; it is sent once more");
    Ok(ctx.writer.create_agent(body).await?.agent)
}

/// Made by this run, for this key: the run makes other agents beside it.
fn is_ours(agent: &LiveAgent, worker: &Worker<'_>) -> bool {
    let ctx = worker.ctx;
    let Ok(Some(stamp)) = Stamp::read(&agent.metadata) else { return false };
    stamp.is_of(&agent.id)
        && stamp.key == worker.change.key
        && stamp.state.intent.is_some_and(|intent| intent.run == ctx.run)
        && (stamp.project, stamp.environment) == ctx.owner
}

/// The version that a create may have made: unpublished, above the highest that stood when the intent was written,
/// and by our own principal; where no authors are named, the only one that holds what was to be in it.
pub(super) async fn created_version(
    worker: &mut Worker<'_>,
    source: VersionSource<'_>,
    lost: &ApiError,
) -> Result<u64, Ended> {
    let ctx = worker.ctx;
    let id = worker.id()?.to_owned();
    let deadline = ctx.clock.now() + EVENTUAL;
    loop {
        if let Ok(agent) = agent(ctx, &id).await
            && let Some(version) = find_version(worker, &agent, source).await?
        {
            note(worker, &format!("the reply to the new version was lost; version {version} was found"));
            return Ok(version);
        }
        if ctx.clock.now() >= deadline || ctx.cancel.is_cancelled() {
            break;
        }
        ctx.clock.sleep(PAUSE).await;
    }
    if ctx.cancel.is_cancelled() {
        return Err(Ended::request(lost));
    }
    note(worker, "the new version left no trace for ten seconds; it is asked for once more");
    Ok(ctx.writer.create_version(&id, source).await?.head.version)
}

/// The draft that a dead run left: unpublished, above what stood when its intent was written, and by our own principal;
/// where no authors are named, the only one that still equals its base or holds what the intent was about to send.
pub(super) async fn dead_runs_draft(worker: &Worker<'_>) -> Result<Option<u64>, Ended> {
    let Some(intent) = dead_intent(worker.change) else { return Ok(None) };
    let agent = agent(worker.ctx, worker.id()?).await?;
    let new: Vec<&VersionHead> =
        agent.versions.iter().filter(|head| !head.published && head.version > intent.highest).collect();
    let by_us = new.iter().filter(|head| head.created_by.is_some() && head.created_by == worker.principal);
    if let Some(head) = by_us.max_by_key(|head| head.version) {
        return Ok(Some(head.version));
    }
    let seal = Seal::of(&worker.stamp);
    let mut found = Vec::new();
    for head in new.iter().filter(|head| head.created_by.is_none() || worker.principal.is_none()) {
        let config = version(worker.ctx, &agent.id, head.version).await?;
        let is_base = match intent.base {
            Some(base) => same(&config, &version(worker.ctx, &agent.id, base).await?),
            None => false,
        };
        let holds_intent = intent.fields.iter().filter(|(path, _)| path.in_config()).all(|(path, hash)| {
            let value = path.within_config().and_then(|inner| inner.get(&config));
            value.is_some_and(|value| seal.hash(value) == hash.sent)
        });
        if is_base || holds_intent {
            found.push(head.version);
        }
    }
    // Two that are alike cannot be told apart, and then a new one is made: a stray draft harms nobody.
    Ok(if let [version] = found.as_slice() { Some(*version) } else { None })
}

/// Whether a standing draft is what another run of ours left when it yielded: made and last edited by our own principal,
/// and holding nothing but the version it was made from, or what this run is about to write.
pub(super) async fn is_left_by_us(worker: &Worker<'_>, agent: &LiveAgent, draft: &VersionHead) -> Result<bool, Ended> {
    let is_us = |author: &Option<String>| author.is_some() && *author == worker.principal;
    if !is_us(&draft.created_by) || !(draft.modified_by.is_none() || is_us(&draft.modified_by)) {
        return Ok(false);
    }
    let config = version(worker.ctx, &agent.id, draft.version).await?;
    if let Some(base) = worker.change.base_version
        && same(&config, &version(worker.ctx, &agent.id, base).await?)
    {
        return Ok(true);
    }
    Ok(worker.work().sent.iter().all(|(path, value)| match path.within_config() {
        Some(inner) => inner.get(&config).is_some_and(|found| same(found, value)),
        None => true,
    }))
}

async fn find_version(worker: &Worker<'_>, agent: &LiveAgent, source: VersionSource<'_>) -> Result<Option<u64>, Ended> {
    let new: Vec<&VersionHead> =
        agent.versions.iter().filter(|head| !head.published && head.version > worker.highest).collect();
    let by_author: Vec<&&VersionHead> =
        new.iter().filter(|head| head.created_by.is_some() && head.created_by == worker.principal).collect();
    if let Some(head) = by_author.iter().max_by_key(|head| head.version) {
        return Ok(Some(head.version));
    }
    let mut alike = Vec::new();
    for head in new.iter().filter(|head| head.created_by.is_none() || worker.principal.is_none()) {
        let config = version(worker.ctx, &agent.id, head.version).await?;
        let wanted = match source {
            VersionSource::Base(base) => version(worker.ctx, &agent.id, base).await?,
            VersionSource::Config(config) => config.clone(),
        };
        if same(&config, &wanted) {
            alike.push(head.version);
        }
    }
    match alike.as_slice() {
        [] => Ok(None),
        [version] => Ok(Some(*version)),
        several => {
            let list: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Ended::new(
                Outcome::Blocked,
                format!("the drafts {} are alike, and none says who made it", list.join(", ")),
            )
            .hint("discard the ones that are not needed in the dashboard, and run again"))
        }
    }
}

/// The config of a version that this run wrote or knows of. It is asked for again for up to ten seconds before it
/// counts as missing.
pub(super) async fn version(ctx: &Context, agent_id: &str, version: u64) -> Result<Value, Ended> {
    let deadline = ctx.clock.now() + EVENTUAL;
    loop {
        match ctx.writer.reader().version(agent_id, version).await? {
            Some(found) => return Ok(found.config),
            None if ctx.clock.now() < deadline => ctx.clock.sleep(PAUSE).await,
            None => return Err(Ended::new(Outcome::Failed, format!("version {version} is not there"))),
        }
    }
}

/// An agent that this run knows of, likewise.
pub(super) async fn agent(ctx: &Context, agent_id: &str) -> Result<LiveAgent, Ended> {
    let deadline = ctx.clock.now() + EVENTUAL;
    loop {
        match ctx.writer.reader().agent(agent_id).await? {
            Some(found) => return Ok(found.agent),
            None if ctx.clock.now() < deadline => ctx.clock.sleep(PAUSE).await,
            None => return Err(Ended::new(Outcome::Stale, "the agent is gone: it was deleted meanwhile")),
        }
    }
}

fn note(worker: &Worker<'_>, message: &str) {
    worker.ctx.tell(Event::Note { message: format!("{}: {message}", worker.change.address) });
}
