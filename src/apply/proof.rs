//! The read-back: what turns a draft that was written into one that may be published.

use serde_json::Value;

use crate::api::VersionDoc;
use crate::model::value::same;
use crate::model::{FieldPath, Seal};
use crate::plan::readback::{self, Before, ReadBack};
use crate::plan::{Outcome, Rewrite, Step};

use super::agent::Agent;
use super::draft::{self, Draft, Written};
use super::ended::Ended;
use super::eventually::Look;
use super::look;

/// A draft that reads back as it should, seen behind the fence: the only kind that is ever published. None can be made
/// but here.
pub(super) struct Proven {
    version: u64,
    config: Value,
}

impl Proven {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn into_config(self) -> Value {
        self.config
    }

    /// A draft that holds what a published version holds.
    pub(super) fn copy((of, base): (u64, &Value), copy: VersionDoc) -> Result<Self, Ended> {
        if same(base, &copy.config) {
            return Ok(Self { version: copy.head.version, config: copy.config });
        }
        let what = format!("draft {} should be a copy of version {of} and reads back otherwise", copy.head.version);
        Err(Ended::new(Outcome::Failed, what).hint("publish or discard it in the dashboard, and run again"))
    }
}

/// What a draft read back as, compared with what was sent.
struct Back {
    written: Written,
    read: Value,
    found: ReadBack,
}

/// Reads a draft back and, beside it, the agent: the fence. What the service rewrote is kept with the trail.
pub(super) async fn prove(agent: &mut Agent<'_>, written: Written, config: &Value) -> Result<Proven, Ended> {
    agent.begin(&Step::ReadBack)?;
    let mut back = read(agent, written, config).await?;
    if back.found.losses.is_empty() && !back.found.still_there.is_empty() {
        back = insist_on_removals(agent, back, config).await?;
    }
    let Back { written, read, found } = back;
    if !found.is_fine() {
        let losses = found.losses.iter().map(|loss| format!("{}: {}", loss.path, loss.what));
        let left = found.still_there.iter().map(|path| format!("{path}: it was removed and is still there"));
        let mut causes = vec!["what was read back is not what was sent; the version stays a draft".to_owned()];
        causes.extend(losses.chain(left));
        return Err(Ended { outcome: Outcome::Failed, causes, hints: Vec::new(), by_hand: false });
    }
    let (job, seal) = (agent.job, Seal::of(&agent.stamp));
    agent.trail.rewritten = Rewrite::among(&found.rewritten, job.work(), (config, &read), seal, job.ctx.shape.as_ref());
    Ok(Proven { version: written.version(), config: read })
}

/// Reads a copy of a version back, and looks through the fence beside it.
pub(super) async fn prove_copy(agent: &mut Agent<'_>, draft: &Draft, base: (u64, &Value)) -> Result<Proven, Ended> {
    let (copy, found) = tokio::join!(look::version(agent.job.ctx, &agent.id, draft.version()), agent.since_intent());
    agent.pass_fence(&found?)?;
    Proven::copy(base, copy?)
}

async fn read(agent: &mut Agent<'_>, written: Written, config: &Value) -> Result<Back, Ended> {
    let (read, found) = tokio::join!(since_put(agent, &written, config), agent.since_intent());
    agent.pass_fence(&found?)?;
    let read = read?;
    let job = agent.job;
    let changed: Vec<_> = job.change.fields.iter().map(|field| field.path.clone()).collect();
    let before = Before { base: job.base_config(), draft: written.before(), changed: &changed };
    let found = readback::compare(config, &read, &job.work().removed, before, job.ctx.shape.as_ref());
    Ok(Back { written, read, found })
}

/// The draft's config as it is since it was written. One that still shows what was there before, or somebody else as its
/// last editor, is asked for again for a while: a late answer must not pass for the service's own rendering. A draft that
/// somebody edited since is not what this run wrote, whatever it holds.
async fn since_put(agent: &Agent<'_>, written: &Written, config: &Value) -> Result<Value, Ended> {
    let (ctx, version) = (agent.job.ctx, written.version());
    let edited_by = |found: &VersionDoc| {
        let us = agent.principal.as_ref()?;
        found.head.modified_by.clone().filter(|editor| editor != us)
    };
    let found = ctx
        .eventually(async || {
            let found = look::version(ctx, &agent.id, version).await?;
            let is_old = written.before().is_some_and(|before| same(before, &found.config));
            let is_late = edited_by(&found).is_some() || (is_old && !same(&found.config, config));
            Ok::<_, Ended>(Look::settled_if(!is_late, found))
        })
        .await?
        .seen();
    match edited_by(&found) {
        None => Ok(found.config),
        Some(editor) => Err(Ended::new(
            Outcome::Stale,
            format!("draft {version} was edited by {editor} after this run had written it"),
        )
        .hint("publish or discard it in the dashboard, and run again")),
    }
}

/// A removed path that is still there was merged in by the service: it is sent once as null where the schema allows that,
/// else a version is made from the whole config.
async fn insist_on_removals(agent: &mut Agent<'_>, back: Back, config: &Value) -> Result<Back, Ended> {
    let Back { written, found, .. } = back;
    let shape = &agent.job.ctx.shape;
    if !found.still_there.iter().all(|path| shape.allows_null(config, path)) {
        let whole = draft::whole(agent, config).await?;
        return read(agent, whole, config).await;
    }
    let mut with_nulls = config.clone();
    for inner in found.still_there.iter().filter_map(FieldPath::within_config) {
        inner.set(&mut with_nulls, Value::Null);
    }
    let written = draft::write_again(agent, written, &with_nulls).await?;
    let mut again = read(agent, written, config).await?;
    let at = |path: &FieldPath| path.within_config().and_then(|inner| inner.get(&again.read)).cloned();
    if again.found.still_there.iter().all(|path| at(path).is_some_and(|value| value.is_null())) {
        again.found.still_there.clear();
    }
    Ok(again)
}

/// That a proven draft still is what it was, behind the fence: something took its time meanwhile.
pub(super) async fn prove_again(agent: &mut Agent<'_>, proven: Proven, meanwhile: &str) -> Result<Proven, Ended> {
    let (now, found) = tokio::join!(look::version(agent.job.ctx, &agent.id, proven.version), agent.since_intent());
    agent.pass_fence(&found?)?;
    if same(&proven.config, &now?.config) {
        return Ok(proven);
    }
    Err(Ended::new(Outcome::Stale, format!("draft {} was edited while {meanwhile}", proven.version))
        .hint("publish or discard it in the dashboard, and run again"))
}
