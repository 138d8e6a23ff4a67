//! A draft for a new config: made, found again, or taken over, and then written.

use std::borrow::Cow;

use serde_json::Value;

use crate::api::{ApiError, VersionSource};
use crate::http::Fate;
use crate::model::stamp::Fields;
use crate::model::value::same;
use crate::model::{LiveAgent, Seal};
use crate::plan::stamping::intended_fields;
use crate::plan::whose::{Intended, OurDrafts, Us};
use crate::plan::{Course, Outcome, Step};

use super::agent::Agent;
use super::ended::Ended;
use super::eventually::Look;
use super::look;

/// A draft that is ours to write.
pub(super) struct Draft {
    version: u64,
    /// What it held before this run writes it; absent where it was made with its config.
    before: Option<Value>,
}

/// A draft that this run has written. Only what is made or written here is one.
pub(super) struct Written {
    version: u64,
    before: Option<Value>,
}

impl Written {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What the draft held before: an answer that still shows it is a late one, or the write was not done.
    pub(super) fn before(&self) -> Option<&Value> {
        self.before.as_ref()
    }
}

/// Writes another config over what was written before.
pub(super) async fn write_again(agent: &Agent<'_>, written: Written, config: &Value) -> Result<Written, Ended> {
    agent.job.ctx.writer.put_config(&agent.id, written.version, config).await?;
    Ok(written)
}

/// A version that is made with its config.
pub(super) async fn whole(agent: &mut Agent<'_>, config: &Value) -> Result<Written, Ended> {
    let draft = made_from(agent, VersionSource::Config(config), Some(config)).await?;
    write(agent, draft, config).await
}

/// The draft with the new config: a copy of the live version that is written, or, for the first version of an agent, one
/// that is made with it. What a dead run left is gone on with.
pub(super) async fn draft(agent: &mut Agent<'_>, config: &Value) -> Result<Written, Ended> {
    let base = agent.job.change.base_version;
    let (step, source) = match base {
        Some(base) => (Step::CreateVersion { base }, VersionSource::Base(base)),
        None => (Step::CreateFirstVersion, VersionSource::Config(config)),
    };
    agent.begin(&step)?;
    let draft = match of_a_dead_run(agent).await? {
        Some(draft) => draft,
        None => made_from(agent, source, Some(config)).await?,
    };
    if base.is_some() {
        agent.begin(&Step::PutConfig)?;
    }
    write(agent, draft, config).await
}

/// A copy of a version, which no config is written into. What a dead run left will do where it is such a copy.
pub(super) async fn copy(agent: &mut Agent<'_>, base: u64, config: &Value) -> Result<Draft, Ended> {
    let is_copy = |draft: &Draft| draft.before.as_ref().is_some_and(|before| same(before, config));
    match of_a_dead_run(agent).await?.filter(is_copy) {
        Some(draft) => Ok(draft),
        None => made_from(agent, VersionSource::Base(base), None).await,
    }
}

/// A copy of an older version, as a step of its own.
pub(super) async fn copy_of(agent: &mut Agent<'_>, version: u64, config: &Value) -> Result<Draft, Ended> {
    agent.begin(&Step::CreateVersion { base: version })?;
    copy(agent, version, config).await
}

impl Draft {
    pub(super) fn version(&self) -> u64 {
        self.version
    }
}

async fn write(agent: &Agent<'_>, draft: Draft, config: &Value) -> Result<Written, Ended> {
    let Draft { version, before } = draft;
    if before.is_some() {
        agent.job.ctx.writer.put_config(&agent.id, version, config).await?;
    }
    Ok(Written { version, before })
}

/// Asks for a version. `config` is what will be written into it, where anything will.
async fn made_from(agent: &mut Agent<'_>, source: VersionSource<'_>, config: Option<&Value>) -> Result<Draft, Ended> {
    let is_copy = matches!(source, VersionSource::Base(_));
    let draft = match agent.job.ctx.writer.create_version(&agent.id, source).await {
        Ok(made) => Draft { version: made.head.version, before: is_copy.then_some(made.config) },
        Err(error) if error.fate() == Fate::Unknown => {
            let version = of_a_lost_reply(agent, source, &error).await?;
            let before = if is_copy { Some(held_by(agent, version).await?) } else { None };
            Draft { version, before }
        }
        Err(error) if error.status() == Some(409) => standing(agent, config, &error).await?,
        Err(error) => return Err(error.into()),
    };
    agent.trail.drafted(draft.version);
    Ok(draft)
}

async fn held_by(agent: &Agent<'_>, version: u64) -> Result<Value, Ended> {
    Ok(look::version(agent.job.ctx, &agent.id, version).await?.config)
}

/// The draft that a dead run left: unpublished, above what stood when its intent was written, and ours.
async fn of_a_dead_run(agent: &mut Agent<'_>) -> Result<Option<Draft>, Ended> {
    let Some(intent) = agent.job.dead_intent() else { return Ok(None) };
    let found = look::agent(agent.job.ctx, &agent.id).await?;
    let drafts = our_drafts(agent, agent.us(), &found, intent.highest, &intent.fields).await?;
    let Some(version) = drafts.left_by_a_dead_run() else { return Ok(None) };
    let before = Some(held_by(agent, version).await?);
    agent.trail.drafted(version);
    Ok(Some(Draft { version, before }))
}

/// The version that a request may have made: unpublished, above the highest that stood when the intent was written, and
/// ours. Where it does not show for ten seconds, it is asked for once more.
async fn of_a_lost_reply(agent: &Agent<'_>, source: VersionSource<'_>, lost: &ApiError) -> Result<u64, Ended> {
    let ctx = agent.job.ctx;
    let fields = intended_fields(Seal::of(&agent.stamp), &agent.job.work().sent);
    let us = Us { dead: None, ..agent.us() };
    let found = ctx
        .eventually(async || {
            let version = match look::agent(ctx, &agent.id).await {
                Ok(found) => {
                    let drafts = our_drafts(agent, us, &found, agent.job.highest(), &fields).await?;
                    drafts.of_a_lost_reply().map_err(alike)?
                }
                Err(_) => None,
            };
            Ok::<_, Ended>(Look::settled_if(version.is_some() || ctx.cancel.is_cancelled(), version))
        })
        .await?;
    match found.seen() {
        Some(version) => {
            agent.job.note(&format!("the reply to the new version was lost; version {version} was found"));
            Ok(version)
        }
        None if ctx.cancel.is_cancelled() => Err(Ended::request(lost)),
        None => {
            agent.job.note("the new version left no trace for ten seconds; it is asked for once more");
            Ok(ctx.writer.create_version(&agent.id, source).await?.head.version)
        }
    }
}

fn alike(drafts: &[u64]) -> Ended {
    let list: Vec<String> = drafts.iter().map(ToString::to_string).collect();
    Ended::new(Outcome::Blocked, format!("the drafts {} are alike, and none of them says who made it", list.join(", ")))
        .by_hand("discard the ones that are not needed in the dashboard, and run again")
}

/// The service refuses a second draft: the standing one is somebody's, and is overwritten only when told so, or if it is
/// what another run of ours left when it yielded.
async fn standing(agent: &mut Agent<'_>, config: Option<&Value>, refused: &ApiError) -> Result<Draft, Ended> {
    let found = agent.reread().await?;
    let change = agent.job.change;
    let Some(draft) = found.versions.iter().filter(|head| !head.published).max_by_key(|head| head.version) else {
        return Err(Ended::request(refused));
    };
    let author = draft.modified_by.as_deref().or(draft.created_by.as_deref()).unwrap_or("an unnamed author");
    let in_the_way = Ended::new(
        Outcome::Blocked,
        format!("draft {} by {author} has to be published or discarded first", draft.version),
    );
    // Published, it would stay below the live version, and what rings would not change.
    if change.base_version.is_some_and(|base| draft.version < base) {
        return Err(in_the_way.by_hand("it is older than the live version: publish or discard it in the dashboard"));
    }
    let is_left_by_us = {
        let fields = intended_fields(Seal::of(&agent.stamp), &agent.job.work().sent);
        let us = Us { dead: None, ..agent.us() };
        our_drafts(agent, us, &found, draft.version - 1, &fields).await?.names(draft.version)
    };
    let may_replace = is_left_by_us || agent.job.ctx.options.replace_draft.contains(&change.key);
    // Where this run has no config to write, as in a copy that numbers need, a draft cannot be made ours.
    if may_replace && config.is_some() {
        return Ok(Draft { version: draft.version, before: Some(held_by(agent, draft.version).await?) });
    }
    if config.is_none() {
        return Err(in_the_way.by_hand("publish or discard it in the dashboard, and run the same command again"));
    }
    Err(in_the_way.by_hand(format!(
        "publish or discard it in the dashboard, or overwrite it with `--replace-draft {}`",
        change.key
    )))
}

/// The config of the version that is built upon: published, so what was read of it holds.
pub(super) async fn base_config<'a>(agent: &Agent<'a>, base: u64) -> Result<Cow<'a, Value>, Ended> {
    match agent.job.base_config() {
        Some(config) => Ok(Cow::Borrowed(config)),
        None => held_by(agent, base).await.map(Cow::Owned),
    }
}

/// Which drafts above a version are ours.
async fn our_drafts(
    agent: &Agent<'_>,
    us: Us<'_>,
    found: &LiveAgent,
    above: u64,
    fields: &Fields,
) -> Result<OurDrafts, Ended> {
    let job = agent.job;
    let mut candidates = Vec::new();
    for head in us.candidates(found, above) {
        candidates.push((head, held_by(agent, head.version).await?));
    }
    if candidates.is_empty() {
        return Ok(OurDrafts::default());
    }
    let base = match (&job.work().course, job.change.base_version) {
        (Course::Copy { config, .. }, _) => Some(Cow::Borrowed(config)),
        (_, Some(base)) => Some(base_config(agent, base).await?),
        (_, None) => None,
    };
    let (sent, seal) = (&job.work().sent, Seal::of(&agent.stamp));
    let intended = Intended { base: base.as_deref(), fields, sent, seal, shape: job.ctx.shape.as_ref() };
    Ok(OurDrafts::among(us, &intended, &candidates))
}
