//! What a lost reply left behind: looked up, never repeated blindly (design, section 6).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::api::{ApiError, VersionDoc, VersionSource};
use crate::live::{Untold, tell};
use crate::model::stamp::Fields;
use crate::model::{LiveAgent, Seal, Stamp, VersionHead};
use crate::plan::stamping::intended_fields;
use crate::plan::whose::Intended;
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
            && let Some(version) = find_version(worker, &agent).await?
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

/// The draft that a dead run left: unpublished, above what stood when its intent was written, and ours.
pub(super) async fn dead_runs_draft(worker: &Worker<'_>) -> Result<Option<u64>, Ended> {
    let Some(intent) = dead_intent(worker.change) else { return Ok(None) };
    let agent = agent(worker.ctx, worker.id()?).await?;
    let drafts = our_drafts(worker, &agent, intent.highest, &intent.fields, intent.by.as_ref()).await?;
    // Two that are alike cannot be told apart, and then a new one is made: a stray draft harms nobody.
    Ok(match drafts.named.last() {
        Some(version) => Some(*version),
        None => <[u64; 1]>::try_from(drafts.unnamed).ok().map(|[version]| version),
    })
}

/// Whether a standing draft is what another run of ours left when it yielded: made and last edited by our own principal,
/// and holding nothing but the version it was made from, or what this run is about to write.
pub(super) async fn is_left_by_us(worker: &Worker<'_>, agent: &LiveAgent, draft: &VersionHead) -> Result<bool, Ended> {
    let is_us = |author: &Option<String>| author.is_some() && *author == worker.principal;
    if !is_us(&draft.created_by) || !(draft.modified_by.is_none() || is_us(&draft.modified_by)) {
        return Ok(false);
    }
    let fields = intended_fields(Seal::of(&worker.stamp), &worker.work().sent);
    let drafts = our_drafts(worker, agent, draft.version - 1, &fields, None).await?;
    Ok(drafts.named.contains(&draft.version))
}

async fn find_version(worker: &Worker<'_>, agent: &LiveAgent) -> Result<Option<u64>, Ended> {
    let fields = intended_fields(Seal::of(&worker.stamp), &worker.work().sent);
    let drafts = our_drafts(worker, agent, worker.highest, &fields, None).await?;
    if let Some(version) = drafts.named.last() {
        return Ok(Some(*version));
    }
    match drafts.unnamed.as_slice() {
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

/// Drafts that hold nothing of anybody else.
#[derive(Default)]
struct OurDrafts {
    /// Those that our principal, or that of the dead run, made and edited last.
    named: Vec<u64>,
    /// Those that no author is named of.
    unnamed: Vec<u64>,
}

/// The drafts above a version that are ours: by their authors, as far as they are named, and by what they hold. A person
/// may have edited a draft of ours, and with a personal token may have made one under the same name.
async fn our_drafts(
    worker: &Worker<'_>,
    agent: &LiveAgent,
    above: u64,
    fields: &Fields,
    dead: Option<&String>,
) -> Result<OurDrafts, Ended> {
    let base = match worker.change.base_version {
        Some(base) => Some(version(worker.ctx, &agent.id, base).await?),
        None => None,
    };
    let shape = worker.ctx.shape.clone();
    let (sent, seal) = (&worker.work().sent, Seal::of(&worker.stamp));
    let intended = Intended { base: base.as_ref(), fields, sent, seal, shape: shape.as_ref() };
    let is_us = |author: &String| worker.principal.as_ref() == Some(author) || dead == Some(author);
    let mut found = OurDrafts::default();
    for head in agent.versions.iter().filter(|head| !head.published && head.version > above) {
        let is_named = worker.principal.is_some() && head.created_by.is_some();
        let is_foreign = [&head.created_by, &head.modified_by].into_iter().flatten().any(|author| !is_us(author));
        if (is_named && is_foreign) || !intended.is_all_of(&version(worker.ctx, &agent.id, head.version).await?) {
            continue;
        }
        if is_named { found.named.push(head.version) } else { found.unnamed.push(head.version) }
    }
    Ok(found)
}

/// The config of a version that this run wrote or knows of. It is asked for again for up to ten seconds before it
/// counts as missing.
pub(super) async fn version(ctx: &Context, agent_id: &str, version: u64) -> Result<Value, Ended> {
    whole_version(ctx, agent_id, version).await.map(|found| found.config)
}

/// The same with its authors.
pub(super) async fn whole_version(ctx: &Context, agent_id: &str, version: u64) -> Result<VersionDoc, Ended> {
    let deadline = ctx.clock.now() + EVENTUAL;
    loop {
        match ctx.writer.reader().version(agent_id, version).await? {
            Some(found) => return Ok(found),
            None if ctx.clock.now() < deadline => ctx.clock.sleep(PAUSE).await,
            None => return Err(Ended::new(Outcome::Failed, format!("version {version} is not there"))),
        }
    }
}

/// An agent that this run knows of, likewise.
pub(super) async fn agent(ctx: &Context, agent_id: &str) -> Result<LiveAgent, Ended> {
    let deadline = ctx.clock.now() + EVENTUAL;
    loop {
        match agent_now(ctx, agent_id).await? {
            Some(found) => return Ok(found),
            None if ctx.clock.now() < deadline => ctx.clock.sleep(PAUSE).await,
            None => return Err(Ended::new(Outcome::Stale, "the agent is gone: it was deleted meanwhile")),
        }
    }
}

/// An agent as one look shows it, with its versions and metadata. What its record leaves out is unknown, never empty: the
/// versions are listed, and without its metadata nothing may be written.
pub(super) async fn agent_now(ctx: &Context, agent_id: &str) -> Result<Option<LiveAgent>, Ended> {
    let record = tell(ctx.writer.reader(), agent_id).await.map_err(|untold| match untold {
        Untold::Failed(error) => Ended::request(&error),
        Untold::Unproven(reason) => Ended::new(Outcome::Failed, reason),
    })?;
    match record {
        Some(record) if !record.metadata_told => {
            Err(Ended::new(Outcome::Failed, "the service does not show the metadata of the agent"))
        }
        record => Ok(record.map(|record| record.agent)),
    }
}

fn note(worker: &Worker<'_>, message: &str) {
    worker.ctx.tell(Event::Note { message: format!("{}: {message}", worker.change.address) });
}
