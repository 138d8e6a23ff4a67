//! One agent through its steps, in the order of the plan (design, section 6).
//!
//! A step either finishes, or ends the agent with an outcome; what was written before it stays written, and the
//! intent on the agent lets any later run finish the job.

use serde_json::{Map, Value};

use crate::api::{ApiError, VersionSource};
use crate::http::Fate;
use crate::model::stamp::{Fields, STAMP_KEY};
use crate::model::value::same;
use crate::model::{Applied, Intent, LeafHash, LiveAgent, LiveState, Salt, Seal, Stamp, StampState};
use crate::plan::readback::{self, Before, ReadBack};
use crate::plan::stamping::{intended_fields, stamp_fields};
use crate::plan::{Action, AgentChange, AgentOutcome, Event, Outcome, Step, Work};

use super::context::{Context, EVENTUAL, METADATA_AGE};
use super::ended::{Ended, Finished};
use super::recover;

/// One agent in work.
pub struct Worker<'a> {
    pub(super) ctx: &'a Context,
    pub(super) change: &'a AgentChange,
    pub(super) agent_id: Option<String>,
    pub(super) metadata: Value,
    pub(super) read_at: jiff::Timestamp,
    /// What was read just before the first write of the run.
    pub(super) live: &'a LiveState,
    pub(super) stamp: Stamp,
    pub(super) highest: u64,
    /// Who this run works as. Until an answer says so, whoever wrote the agent last, which mostly was an apply.
    pub(super) principal: Option<String>,
    pub(super) draft: Option<u64>,
    /// What the draft held before its config was written: an answer that still shows it is a late one.
    draft_before: Option<Value>,
    pub(super) published: Option<u64>,
    /// The live version as it was seen last.
    pub(super) seen_live: Option<u64>,
    /// Whether publishing was asked for, so that what was seen before says nothing any more.
    pub(super) asked_to_publish: bool,
    pub(super) read_config: Option<Value>,
    pub(super) rewritten: Vec<crate::model::FieldPath>,
    pub(super) step: Option<String>,
    pub(super) wrote: bool,
}

impl<'a> Worker<'a> {
    /// Takes up a change. `agent` is the agent as the newest lists showed it, `live` all that they showed.
    pub fn new(ctx: &'a Context, change: &'a AgentChange, agent: Option<&LiveAgent>, live: &'a LiveState) -> Self {
        let (project, environment) = ctx.owner.clone();
        let salt = change.work.salt.clone().unwrap_or_else(|| Salt::new(ctx.entropy.bytes()));
        let before = change.work.stamp.clone();
        let state = before.as_ref().map_or(
            StampState { salt, secrets: None, applied: None, intent: None, lease: None, rollback: None },
            |stamp| stamp.state.clone(),
        );
        let mut stamp = Stamp {
            project,
            environment,
            key: change.key.clone(),
            agent: change.agent_id.clone(),
            protect: change.work.protect,
            state,
        };
        stamp.remember_secrets(&change.work.secrets);
        Self {
            ctx,
            change,
            agent_id: change.agent_id.clone(),
            metadata: agent.map_or(Value::Null, |agent| agent.metadata.clone()),
            // An age that is not known is too old: then the agent is read once more before its metadata is written.
            read_at: live.read_at.unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            live,
            stamp,
            highest: dead_intent(change)
                .map_or_else(|| agent.map_or(0, LiveAgent::highest_version), |intent| intent.highest),
            principal: agent.and_then(|agent| agent.modified_by.clone()),
            draft: None,
            draft_before: None,
            published: None,
            seen_live: change.base_version,
            asked_to_publish: false,
            read_config: None,
            rewritten: Vec::new(),
            step: None,
            wrote: false,
        }
    }

    /// Does all steps but emptying and deleting, which wait for every agent.
    pub async fn run(mut self) -> Finished {
        let began = self.ctx.clock.now();
        let before = self.change.work.stamp.clone();
        self.ctx.tell(Event::Started { address: self.change.address.clone(), action: self.change.action });
        let ended = self.steps().await;
        let left_behind = if ended.is_err() {
            self.drop_lease().await;
            self.left_behind().await
        } else {
            Vec::new()
        };
        let (outcome, causes, hints) = match ended {
            Ok(()) => (Outcome::Applied, Vec::new(), Vec::new()),
            Err(ended) => (ended.outcome, ended.causes, ended.hints),
        };
        let is_done = outcome == Outcome::Applied;
        let milliseconds = self.ctx.clock.now().duration_since(began).as_millis();
        Finished {
            outcome: AgentOutcome {
                address: self.change.address.clone(),
                key: self.change.key.clone(),
                name: self.change.name.clone(),
                agent_id: self.agent_id.clone(),
                action: self.change.action,
                outcome,
                version: self.seen_live,
                draft: self.draft.filter(|_| self.published.is_none()),
                step: self.step.clone().filter(|_| !is_done),
                causes,
                hints,
                rewritten: self.rewritten.clone(),
                left_behind,
                milliseconds: u64::try_from(milliseconds).unwrap_or_default(),
            },
            published: self.published.zip(self.read_config),
            stamp_before: before,
            metadata: self.metadata,
            wrote: self.wrote,
        }
    }

    pub(super) fn work(&self) -> &'a Work {
        &self.change.work
    }

    async fn steps(&mut self) -> Result<(), Ended> {
        for step in &self.change.steps {
            if matches!(step, Step::EmptySlots { .. } | Step::DeleteAgent) {
                continue;
            }
            self.begin(step)?;
            match step {
                Step::CreateAgent => self.create_agent().await?,
                Step::WriteIntent => self.write_intent().await?,
                Step::CreateVersion { base } => {
                    self.create_version(VersionSource::Base(*base)).await?;
                }
                Step::CreateFirstVersion => {
                    let config = self.config()?;
                    self.create_version(VersionSource::Config(config)).await?;
                }
                Step::PutConfig => self.put_config().await?,
                Step::ReadBack => self.read_back().await?,
                Step::Verify => self.verify().await?,
                Step::Publish { .. } => self.publish().await?,
                Step::WriteAgent => self.write_agent().await?,
                Step::EmptySlots { .. } | Step::DeleteAgent => {}
            }
        }
        Ok(())
    }

    /// No step begins after a signal.
    fn begin(&mut self, step: &Step) -> Result<(), Ended> {
        let what = step.describe();
        if self.ctx.cancel.is_cancelled() {
            let outcome = if self.wrote { Outcome::Failed } else { Outcome::NotStarted };
            return Err(Ended::new(outcome, format!("interrupted before the step \"{what}\""))
                .hint("run the same command again: it finishes what was begun"));
        }
        self.ctx.tell(Event::Step { address: self.change.address.clone(), what: what.clone() });
        self.step = Some(what);
        Ok(())
    }

    pub(super) fn config(&self) -> Result<&'a Value, Ended> {
        self.work().config.as_ref().ok_or_else(|| {
            Ended::new(Outcome::Failed, "internal error: a change of the config without a config; this is a bug")
        })
    }

    pub(super) fn id(&self) -> Result<&str, Ended> {
        self.agent_id.as_deref().ok_or_else(|| {
            Ended::new(Outcome::Failed, "internal error: a step on an agent that was never made; this is a bug")
        })
    }

    /// The plan and the change that the stamp names for what is done.
    fn claim(&self) -> (String, String) {
        let work = self.work();
        work.claim.clone().unwrap_or_else(|| (self.ctx.plan_hash.clone(), self.change.change_hash.as_str().to_owned()))
    }

    fn intent(&self) -> Intent {
        let (plan, change) = self.claim();
        Intent {
            run: self.ctx.run.clone(),
            plan,
            change,
            base: self.change.base_version,
            highest: self.highest,
            by: self.principal.clone(),
            fields: intended_fields(Seal::of(&self.stamp), &self.work().sent),
            verify: self.verify_hash(),
        }
    }

    /// What the stamp says of the manifest's `verify`.
    fn verify_hash(&self) -> Option<LeafHash> {
        self.work().verify.as_ref().map(|verify| verify.hash(&self.stamp.state.salt))
    }

    /// Our key and the declared ones laid over a metadata object that is fresh enough; the whole object is sent.
    pub(super) async fn metadata_with_stamp(&mut self, declared: &Map<String, Value>) -> Result<Value, Ended> {
        let age = self.ctx.clock.now().duration_since(self.read_at);
        if self.agent_id.is_some() && age > jiff::SignedDuration::try_from(METADATA_AGE).unwrap_or_default() {
            self.reread().await?;
        }
        let mut map = match &self.metadata {
            Value::Null => Map::new(),
            Value::Object(map) => map.clone(),
            other => {
                let found = crate::model::value::type_name(other);
                return Err(Ended::new(Outcome::Failed, format!("`metadata` of the agent is no object but {found}"))
                    .hint("make it an object, or empty it, in the dashboard"));
            }
        };
        for (key, value) in declared {
            map.insert(key.clone(), value.clone());
        }
        map.insert(STAMP_KEY.to_owned(), self.stamp.write());
        Ok(Value::Object(map))
    }

    pub(super) async fn reread(&mut self) -> Result<LiveAgent, Ended> {
        let id = self.id()?.to_owned();
        let agent = recover::agent(self.ctx, &id).await?;
        self.take_reading(&agent);
        Ok(agent)
    }

    pub(super) fn take_reading(&mut self, agent: &LiveAgent) {
        self.metadata = agent.metadata.clone();
        self.seen_live = agent.live_version().map(|head| head.version);
        self.read_at = self.ctx.clock.now();
    }

    async fn create_agent(&mut self) -> Result<(), Ended> {
        self.stamp.state.intent = Some(self.intent());
        let declared = self.work().metadata.clone();
        let mut body = self.work().agent_fields.clone();
        body.insert("metadata".to_owned(), self.metadata_with_stamp(&declared).await?);
        self.wrote = true;
        let agent = match self.ctx.writer.create_agent(&body).await {
            Ok(record) => record.agent,
            Err(error) if error.fate() != Fate::Unknown => {
                // The first write of all, and it was refused or never sent.
                self.wrote = false;
                return Err(error.into());
            }
            Err(error) => recover::created_agent(self, &body, &error).await?,
        };
        self.agent_id = Some(agent.id.clone());
        self.stamp.agent = Some(agent.id.clone());
        self.principal.clone_from(&agent.modified_by);
        // What was sent is what the next writing starts from, also where the answer does not repeat the metadata.
        self.metadata = body.get("metadata").cloned().unwrap_or(Value::Null);
        self.read_at = self.ctx.clock.now();
        self.yield_to_elder(&agent).await
    }

    async fn write_intent(&mut self) -> Result<(), Ended> {
        self.check_lease()?;
        self.stamp.state.intent = Some(self.intent());
        let expected = self.principal.clone();
        self.write_lease().await?;
        // Who wrote the agent last was a guess at who this run works as; the answer says it.
        if self.principal != expected {
            self.stamp.state.intent = Some(self.intent());
            self.write_metadata().await?;
        }
        Ok(())
    }

    /// Now, by the service's clock where an answer told it.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.ctx.writer.reader().service_now().unwrap_or_else(|| self.ctx.clock.now())
    }

    pub(super) async fn write_metadata(&mut self) -> Result<(), Ended> {
        let metadata = self.metadata_with_stamp(&Map::new()).await?;
        let id = self.id()?.to_owned();
        let body = Map::from_iter([("metadata".to_owned(), metadata.clone())]);
        let wrote_before = std::mem::replace(&mut self.wrote, true);
        let agent = match self.ctx.writer.update_agent(&id, &body).await {
            Ok(record) => record.agent,
            Err(error) => {
                // What was refused, or never sent, has written nothing.
                self.wrote = wrote_before || error.fate() == Fate::Unknown;
                return Err(error.into());
            }
        };
        if agent.modified_by.is_some() {
            self.principal = agent.modified_by;
        }
        self.metadata = metadata;
        self.read_at = self.ctx.clock.now();
        Ok(())
    }

    pub(super) async fn create_version(&mut self, source: VersionSource<'_>) -> Result<(), Ended> {
        let id = self.id()?.to_owned();
        if self.draft.is_none()
            && dead_intent(self.change).is_some()
            && let Some(version) = recover::dead_runs_draft(self).await?
        {
            self.draft = Some(version);
            self.draft_before = Some(recover::version(self.ctx, &id, version).await?);
            if let VersionSource::Config(config) = source {
                self.ctx.writer.put_config(&id, version, config).await?;
            }
            return Ok(());
        }
        let version = match self.ctx.writer.create_version(&id, source).await {
            Ok(made) => {
                // A version that was made with its config is not written afterwards.
                self.draft_before = matches!(source, VersionSource::Base(_)).then_some(made.config);
                made.head.version
            }
            Err(error) if error.fate() == Fate::Unknown => {
                let version = recover::created_version(self, source, &error).await?;
                let is_copy = matches!(source, VersionSource::Base(_));
                self.draft_before = if is_copy { Some(recover::version(self.ctx, &id, version).await?) } else { None };
                version
            }
            Err(error) if error.status() == Some(409) => self.standing_draft(&error).await?,
            Err(error) => return Err(error.into()),
        };
        self.draft = Some(version);
        Ok(())
    }

    /// The service refuses a second draft: the standing one is somebody's, and is overwritten only when told so.
    async fn standing_draft(&mut self, error: &ApiError) -> Result<u64, Ended> {
        let agent = self.reread().await?;
        let Some(draft) = agent.versions.iter().filter(|head| !head.published).max_by_key(|head| head.version) else {
            return Err(Ended::request(error));
        };
        let author = draft.modified_by.as_deref().or(draft.created_by.as_deref()).unwrap_or("an unnamed author");
        let in_the_way = Ended::new(Outcome::Blocked, format!("draft {} by {author} stands in the way", draft.version));
        // Published, it would stay below the live version, and what rings would not change.
        if self.change.base_version.is_some_and(|base| draft.version < base) {
            return Err(in_the_way.hint("it is older than the live version: publish or discard it in the dashboard"));
        }
        let may_replace = self.ctx.options.replace_draft.contains(&self.change.key)
            || recover::is_left_by_us(self, &agent, draft).await?;
        // Where this run has no config to write, as in a copy that numbers need, a draft cannot be made ours.
        if let Some(config) = self.work().config.as_ref().filter(|_| may_replace) {
            self.draft_before = Some(recover::version(self.ctx, &agent.id, draft.version).await?);
            self.ctx.writer.put_config(&agent.id, draft.version, config).await?;
            return Ok(draft.version);
        }
        Err(in_the_way.hint(format!(
            "publish or discard it in the dashboard, or overwrite it with `--replace-draft {}`",
            self.change.key
        )))
    }

    async fn put_config(&mut self) -> Result<(), Ended> {
        let config = self.config()?;
        let (id, draft) = (self.id()?.to_owned(), self.draft_number()?);
        self.ctx.writer.put_config(&id, draft, config).await?;
        Ok(())
    }

    pub(super) fn draft_number(&self) -> Result<u64, Ended> {
        self.draft.ok_or_else(|| {
            Ended::new(Outcome::Failed, "internal error: a step on a version that was never made; this is a bug")
        })
    }

    /// Reads the draft back and, beside it, the agent: the fence.
    async fn read_back(&mut self) -> Result<(), Ended> {
        let mut found = self.read_draft().await?;
        if found.losses.is_empty() && !found.still_there.is_empty() {
            found = self.insist_on_removals(&found).await?;
        }
        if found.is_fine() {
            self.rewritten = found
                .rewritten
                .into_iter()
                .filter(|path| self.work().sent.iter().any(|(sent, _)| path.starts_with(sent)))
                .collect();
            return Ok(());
        }
        let losses = found.losses.iter().map(|loss| format!("{}: {}", loss.path, loss.what));
        let left = found.still_there.iter().map(|path| format!("{path}: it was removed and is still there"));
        let mut causes = vec!["what was read back is not what was sent; the version stays a draft".to_owned()];
        causes.extend(losses.chain(left));
        Err(Ended { outcome: Outcome::Failed, causes, hints: Vec::new() })
    }

    async fn read_draft(&mut self) -> Result<ReadBack, Ended> {
        let (id, draft) = (self.id()?.to_owned(), self.draft_number()?);
        let (version, agent) = tokio::join!(self.version_since_put(&id, draft), self.agent_since_intent(&id));
        let agent = agent?;
        self.take_reading(&agent);
        self.fence(&agent)?;
        let version = version?;
        let base = self.change.base_version;
        let changed: Vec<_> = self.change.fields.iter().map(|field| field.path.clone()).collect();
        let before = Before {
            base: base.and_then(|base| self.live.agents.get(&id)?.configs.get(&base)).map(|read| &read.config),
            draft: self.draft_before.as_ref(),
            changed: &changed,
        };
        let found = readback::compare(self.config()?, &version, &self.work().removed, before, self.ctx.shape.as_ref());
        self.read_config = Some(version);
        Ok(found)
    }

    /// The draft's config as it is since it was written. One that still shows what was there before, or somebody else as
    /// its last editor, is asked for again for a while: a late answer must not pass for the service's own rendering. A
    /// draft that somebody edited since is not what this run wrote, whatever it holds.
    async fn version_since_put(&self, id: &str, draft: u64) -> Result<Value, Ended> {
        let config = self.config()?;
        let deadline = self.ctx.clock.now() + EVENTUAL;
        loop {
            let found = recover::whole_version(self.ctx, id, draft).await?;
            let editor = found.head.modified_by.filter(|by| self.principal.as_ref().is_some_and(|us| us != by));
            let is_late =
                !same(&found.config, config) && self.draft_before.as_ref().is_some_and(|old| same(old, &found.config));
            let is_last = self.ctx.clock.now() >= deadline;
            match editor {
                Some(editor) if is_last => {
                    return Err(Ended::new(
                        Outcome::Stale,
                        format!("draft {draft} was edited by {editor} after this run had written it"),
                    )
                    .hint("publish or discard it in the dashboard, and run again"));
                }
                None if !is_late || is_last => return Ok(found.config),
                Some(_) | None => self.ctx.clock.sleep(recover::PAUSE).await,
            }
        }
    }

    /// A removed path that is still there was merged in by the service: it is sent once as null where the schema
    /// allows that, else a version is made from the whole config.
    async fn insist_on_removals(&mut self, found: &ReadBack) -> Result<ReadBack, Ended> {
        let config = self.config()?;
        let (id, draft) = (self.id()?.to_owned(), self.draft_number()?);
        let shape = self.ctx.shape.clone();
        if found.still_there.iter().all(|path| shape.allows_null(config, path)) {
            let mut with_nulls = config.clone();
            for inner in found.still_there.iter().filter_map(crate::model::FieldPath::within_config) {
                inner.set(&mut with_nulls, Value::Null);
            }
            self.ctx.writer.put_config(&id, draft, &with_nulls).await?;
            let again = self.read_draft().await?;
            let nulled = self.read_config.as_ref().is_some_and(|read| {
                again
                    .still_there
                    .iter()
                    .all(|path| path.within_config().and_then(|inner| inner.get(read)).is_some_and(Value::is_null))
            });
            return Ok(if nulled { ReadBack { still_there: Vec::new(), ..again } } else { again });
        }
        self.create_version(VersionSource::Config(config)).await?;
        self.read_draft().await
    }

    async fn write_agent(&mut self) -> Result<(), Ended> {
        let work = self.work();
        let version = self.published.or(self.change.base_version);
        let fields = self.final_fields();
        self.stamp.agent.clone_from(&self.agent_id);
        // Slots are emptied when every agent is done; until then the plan is begun and can be gone on with.
        if work.unassign.is_empty() {
            self.stamp.state.intent = None;
        } else if self.stamp.state.intent.as_ref().is_none_or(|intent| intent.run != self.ctx.run) {
            self.stamp.state.intent = Some(self.intent());
        }
        self.stamp.state.lease = None;
        self.stamp.state.rollback = None;
        let (plan, change) = self.claim();
        let verify = self.verify_hash();
        self.stamp.state.applied = Some(Applied {
            version,
            plan,
            change,
            source: work.source.clone(),
            commit: work.commit.clone(),
            fields,
            verify,
        });
        let declared = work.metadata.clone();
        let metadata = self.metadata_with_stamp(&declared).await?;
        let mut body = if self.change.action == Action::Create { Map::new() } else { work.agent_fields.clone() };
        body.insert("metadata".to_owned(), metadata.clone());
        let id = self.id()?.to_owned();
        let wrote_before = std::mem::replace(&mut self.wrote, true);
        if let Err(error) = self.ctx.writer.update_agent(&id, &body).await {
            self.wrote = wrote_before || error.fate() == Fate::Unknown;
            return Err(error.into());
        }
        self.metadata = metadata;
        Ok(())
    }

    /// What the final stamp owns: everything sent, with the renderings that were read back; where no version was made,
    /// the renderings that the plan knew.
    pub(super) fn final_fields(&self) -> Fields {
        let work = self.work();
        let seal = Seal::of(&self.stamp);
        let mut fields = match &self.read_config {
            Some(read) => stamp_fields(seal, &work.sent, &|path| match path.within_config() {
                Some(inner) => inner.get(read),
                None => work.sent.iter().find(|(sent, _)| sent == path).map(|(_, value)| value),
            }),
            None => intended_fields(seal, &work.sent),
        };
        if self.read_config.is_none() {
            fields.extend(work.kept_fields.clone());
        } else {
            for (path, hash) in &work.kept_fields {
                fields.entry(path.clone()).or_insert_with(|| hash.clone());
            }
        }
        fields
    }
}

/// The intent of a run that died before it published: what it left on the agent is ours to go on with.
pub(super) fn dead_intent(change: &AgentChange) -> Option<&Intent> {
    let intent = change.work.stamp.as_ref()?.state.intent.as_ref()?;
    (intent.base == change.base_version).then_some(intent)
}
