//! The agent that is worked on: its record as this run read and wrote it last, and the stamp that goes into it.

use serde_json::{Map, Value};

use crate::api::AgentRecord;
use crate::http::Fate;
use crate::model::stamp::{Fields, STAMP_KEY};
use crate::model::{Applied, Back, Intent, LeafHash, LiveAgent, LiveState, RolledBack, Salt, Seal, Stamp, StampState};
use crate::plan::stamping::{intended_fields, stamp_fields};
use crate::plan::threeway::slot_at;
use crate::plan::whose::Us;
use crate::plan::{AgentChange, Event, Outcome, Step, Work};

use super::context::{Context, METADATA_AGE};
use super::ended::Ended;
use super::eventually::Look;
use super::look;
use super::publishing::Published;
use super::record;
use super::trail::Trail;

/// What one change is worked through with. Nothing of it changes.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) ctx: &'a Context,
    pub(super) change: &'a AgentChange,
    /// What was read just before the first write of the run.
    pub(super) live: &'a LiveState,
}

impl<'a> Job<'a> {
    pub(super) fn work(&self) -> &'a Work {
        &self.change.work
    }

    /// Something for the reader.
    pub(super) fn note(&self, message: &str) {
        self.ctx.tell(Event::Note { message: format!("{}: {message}", self.change.address) });
    }

    /// The intent of a run that died before it published: what it left on the agent is ours to go on with.
    pub(super) fn dead_intent(&self) -> Option<&'a Intent> {
        let intent = self.work().stamp.as_ref()?.state.intent.as_ref()?;
        (intent.base == self.change.base_version).then_some(intent)
    }

    /// The agent as the newest lists showed it.
    pub(super) fn listed(&self) -> Option<&'a LiveAgent> {
        self.live.agents.get(self.change.agent_id.as_ref()?)
    }

    /// The config that was built upon, as it was read.
    pub(super) fn base_config(&self) -> Option<&'a Value> {
        self.listed()?.configs.get(&self.change.base_version?).map(|read| &read.config)
    }

    /// Above which every version is made by the work on this agent.
    pub(super) fn highest(&self) -> u64 {
        match self.dead_intent() {
            Some(intent) => intent.highest,
            None => self.listed().map_or(0, LiveAgent::highest_version),
        }
    }

    /// The stamp that the work begins with: what was found, under the key of the manifest.
    pub(super) fn stamp(&self) -> Stamp {
        let work = self.work();
        let (project, environment) = self.ctx.owner.clone();
        let state = work.stamp.as_ref().map_or_else(
            || StampState {
                salt: work.salt.clone().unwrap_or_else(|| Salt::new(self.ctx.entropy.bytes())),
                secrets: None,
                applied: None,
                intent: None,
                lease: None,
                rollback: None,
            },
            |stamp| stamp.state.clone(),
        );
        let mut stamp = Stamp {
            project,
            environment,
            key: self.change.key.clone(),
            agent: self.change.agent_id.clone(),
            protect: work.protect,
            state,
        };
        stamp.remember_secrets(&work.secrets);
        stamp
    }

    /// What is about to be done, as a stamp says it.
    pub(super) fn intent(&self, stamp: &Stamp, principal: Option<&str>) -> Intent {
        let (plan, change) = self.claim();
        let work = self.work();
        Intent {
            run: self.ctx.run.clone(),
            plan,
            change,
            base: self.change.base_version,
            highest: self.highest(),
            by: principal.map(str::to_owned),
            // Of a copy nothing is sent: what it holds is what the plan found in the old version.
            fields: match work.back {
                Some(_) => work.kept_fields.clone(),
                None => intended_fields(Seal::of(stamp), &work.sent),
            },
            verify: self.verify_hash(stamp),
            source: Some(work.source.clone()),
            rollback: work.back.clone().map(|back| self.rolled_back(back, principal)),
        }
    }

    /// A rollback, as it is recorded: by whom and when is what is known now.
    fn rolled_back(&self, back: Back, principal: Option<&str>) -> RolledBack {
        RolledBack { back, by: principal.map(str::to_owned), at: self.ctx.now().to_string() }
    }

    /// The version that was live before this one. A run that died may have published it.
    fn base_before(&self, version: Option<u64>) -> Option<u64> {
        let begun = self.work().stamp.as_ref().and_then(|stamp| stamp.state.intent.as_ref());
        let is_begun = |intent: &&Intent| intent.base < version && self.change.base_version == version;
        begun.filter(is_begun).map_or(self.change.base_version, |intent| intent.base)
    }

    /// The plan and the change that the stamp names for what is done.
    fn claim(&self) -> (String, String) {
        let own = || (self.ctx.plan_hash.clone(), self.change.change_hash.as_str().to_owned());
        self.work().claim.clone().unwrap_or_else(own)
    }

    /// What the stamp says of the manifest's `verify`.
    fn verify_hash(&self, stamp: &Stamp) -> Option<LeafHash> {
        self.work().verify.as_ref().map(|verify| verify.hash(&stamp.state.salt))
    }

    /// What the final stamp owns: everything sent, with the renderings that were read back; where no version was made, the
    /// renderings that the plan knew.
    fn final_fields(&self, stamp: &Stamp, read: Option<&Value>) -> Fields {
        let work = self.work();
        let seal = Seal::of(stamp);
        let Some(read) = read else {
            let mut fields = intended_fields(seal, &work.sent);
            fields.extend(work.kept_fields.clone());
            return fields;
        };
        let mut fields = stamp_fields(seal, &work.sent, &|path| match path.within_config() {
            Some(inner) => inner.get(read),
            None => work.sent.iter().find(|(sent, _)| sent == path).map(|(_, value)| value),
        });
        for (path, hash) in &work.kept_fields {
            fields.entry(path.clone()).or_insert_with(|| hash.clone());
        }
        fields
    }
}

/// Our key and the declared ones, laid over the metadata as it was read. The whole object is sent.
pub(super) fn with_stamp(metadata: &Value, declared: &Map<String, Value>, stamp: &Stamp) -> Result<Value, Ended> {
    let mut map = match metadata {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        other => {
            let found = crate::model::value::a_type(other);
            return Err(Ended::new(
                Outcome::Failed,
                format!("the agent's `metadata` is {found} and should be an object"),
            )
            .hint("make it an object, or empty it, in the dashboard"));
        }
    };
    for (key, value) in declared {
        map.insert(key.clone(), value.clone());
    }
    map.insert(STAMP_KEY.to_owned(), stamp.write());
    Ok(Value::Object(map))
}

/// An agent that is there and worked on.
pub(super) struct Agent<'a> {
    pub(super) job: Job<'a>,
    pub(super) trail: &'a mut Trail,
    pub(super) id: String,
    /// Who this run works as. Until an answer says so, whoever wrote the agent last, which mostly was an apply.
    pub(super) principal: Option<String>,
    pub(super) stamp: Stamp,
    metadata: Value,
    /// When the metadata was read; an age that is not known is too old.
    read_at: Option<jiff::Timestamp>,
}

impl<'a> Agent<'a> {
    /// An agent that was there before.
    pub(super) fn known(job: Job<'a>, trail: &'a mut Trail, id: &str) -> Self {
        let listed = job.listed();
        Self {
            job,
            trail,
            id: id.to_owned(),
            principal: listed.and_then(|agent| agent.modified_by.clone()),
            stamp: job.stamp(),
            metadata: listed.map_or(Value::Null, |agent| agent.metadata.clone()),
            // Without a reading of it, there is nothing that its metadata could be written from.
            read_at: listed.and(job.live.read_at),
        }
    }

    /// An agent that this run made with this stamp and these metadata.
    pub(super) fn made(
        job: Job<'a>,
        trail: &'a mut Trail,
        made: &LiveAgent,
        mut stamp: Stamp,
        metadata: Value,
    ) -> Self {
        stamp.agent = Some(made.id.clone());
        let read_at = Some(job.ctx.clock.now());
        Self { job, trail, id: made.id.clone(), principal: made.modified_by.clone(), stamp, metadata, read_at }
    }

    pub(super) fn us(&self) -> Us<'_> {
        let dead = self.job.dead_intent().and_then(|intent| intent.by.as_deref());
        Us { principal: self.principal.as_deref(), dead }
    }

    /// A step begins.
    pub(super) fn begin(&mut self, step: &Step) -> Result<(), Ended> {
        self.trail.begin(self.job, step)
    }

    /// The metadata as they were read or written last.
    pub(super) fn metadata(&self) -> &Value {
        &self.metadata
    }

    pub(super) async fn reread(&mut self) -> Result<LiveAgent, Ended> {
        let agent = look::agent(self.job.ctx, &self.id).await?;
        self.take_reading(&agent);
        Ok(agent)
    }

    pub(super) fn take_reading(&mut self, agent: &LiveAgent) {
        self.metadata = agent.metadata.clone();
        self.trail.seen_live = agent.live_version().map(|head| head.version);
        self.read_at = Some(self.job.ctx.clock.now());
    }

    /// Records what is about to be done, and takes the lease.
    pub(super) async fn write_intent(&mut self) -> Result<(), Ended> {
        self.begin(&Step::WriteIntent)?;
        self.check_lease()?;
        let expected = self.principal.clone();
        self.stamp.state.intent = Some(self.job.intent(&self.stamp, expected.as_deref()));
        self.write_lease().await?;
        // Who wrote the agent last was a guess at who this run works as; the answer says it.
        if self.principal != expected {
            self.stamp.state.intent = Some(self.job.intent(&self.stamp, self.principal.as_deref()));
            self.write_metadata().await?;
        }
        Ok(())
    }

    /// Writes the stamp and nothing else.
    pub(super) async fn write_metadata(&mut self) -> Result<(), Ended> {
        let answer = self.write(Map::new(), &Map::new()).await?;
        if answer.agent.modified_by.is_some() {
            self.principal = answer.agent.modified_by;
        }
        self.read_at = Some(self.job.ctx.clock.now());
        Ok(())
    }

    /// The last step: agent fields and the stamp that says what was applied.
    pub(super) async fn record(&mut self, published: Option<&Published>) -> Result<(), Ended> {
        self.begin(&Step::WriteAgent)?;
        let (job, work) = (self.job, self.job.work());
        let before = self.stamp.clone();
        let (plan, change) = job.claim();
        let mut fields = job.final_fields(&self.stamp, published.and_then(Published::config));
        // A slot that is still to be emptied stays ours until it is, or what is left of it would pass for somebody's edit.
        let owned_before = before.state.applied.iter().flat_map(|applied| &applied.fields);
        let still_ours = owned_before.filter(|(path, _)| slot_at(path).is_some_and(|slot| work.empties(&slot)));
        fields.extend(still_ours.map(|(path, hash)| (path.clone(), hash.clone())));
        let version = published.map(Published::version).or(job.change.base_version);
        // A record that is only completed is still that of the apply before.
        let known = before.state.applied.as_ref().filter(|known| known.plan == plan && known.version == version);
        let applied = Applied {
            version,
            base: known.map_or(job.base_before(version), |known| known.base),
            plan,
            change,
            source: work.source.clone(),
            commit: work.commit.clone(),
            fields,
            verify: job.verify_hash(&self.stamp),
            overtaken_by: None,
            run_url: job.ctx.options.run_url.clone(),
        };
        self.stamp.state.rollback = work.back.clone().map(|back| {
            let begun = self.stamp.state.intent.as_ref().and_then(|intent| intent.rollback.clone());
            let mut known = begun.into_iter().chain(self.stamp.state.rollback.clone());
            let same = known.find(|known| known.back == back);
            same.unwrap_or_else(|| job.rolled_back(back, self.principal.as_deref()))
        });
        self.stamp.agent = Some(self.id.clone());
        // Slots are emptied when every agent is done; until then the plan is begun and can be gone on with.
        if work.unassign.is_empty() {
            self.stamp.state.intent = None;
        } else if self.stamp.state.intent.as_ref().is_none_or(|intent| intent.run != job.ctx.run) {
            self.stamp.state.intent = Some(job.intent(&self.stamp, self.principal.as_deref()));
        }
        self.stamp.state.lease = None;
        self.stamp.state.applied = Some(applied);
        // A create sent them with the agent.
        let is_known = job.change.agent_id.is_some();
        let fields = if is_known { work.agent_fields.clone() } else { Map::new() };
        let answer = self.write(fields, &work.metadata).await?;
        // That the service answered is not yet that it keeps them.
        let is_shown = record::differing(&work.agent_fields, &answer.agent).is_empty();
        let must_look = if is_known { !work.agent_fields.is_empty() } else { !is_shown };
        if !must_look {
            return Ok(());
        }
        let kept = self.look_at_record().await;
        if kept.is_err() {
            self.take_claim_back(before).await;
        }
        kept
    }

    /// The agent's own fields as they read back after they were written.
    async fn look_at_record(&mut self) -> Result<(), Ended> {
        let sent = &self.job.work().agent_fields;
        let look = self
            .job
            .ctx
            .eventually(async || {
                let found = look::agent_now(self.job.ctx, &self.id).await?;
                let is_kept = found.as_ref().is_some_and(|found| record::differing(sent, found).is_empty());
                Ok::<_, Ended>(Look::settled_if(is_kept, found))
            })
            .await?;
        let found = look.seen().ok_or_else(look::gone)?;
        self.take_reading(&found);
        let differing = record::differing(sent, &found);
        let writer = found.modified_by.as_deref().filter(|by| Some(*by) != self.principal.as_deref());
        if differing.is_empty() { Ok(()) } else { Err(record::not_kept(&differing, writer)) }
    }

    /// The stamp claims again what it claimed before, and the intent says that an apply was not finished. Best effort: the
    /// run has failed already.
    async fn take_claim_back(&mut self, before: Stamp) {
        self.stamp = before;
        self.stamp.state.lease = None;
        if self.stamp.state.intent.is_none() {
            self.stamp.state.intent = Some(self.job.intent(&self.stamp, self.principal.as_deref()));
        }
        if let Err(ended) = self.write_metadata().await {
            tracing::debug!(key = %self.job.change.key, causes = ?ended.causes, "the claim could not be taken back");
        }
    }

    /// Writes fields and metadata, with the stamp as it is now, over metadata that are fresh enough.
    async fn write(
        &mut self,
        mut fields: Map<String, Value>,
        declared: &Map<String, Value>,
    ) -> Result<AgentRecord, Ended> {
        let most = jiff::SignedDuration::try_from(METADATA_AGE).unwrap_or_default();
        if self.read_at.is_none_or(|read_at| self.job.ctx.clock.now().duration_since(read_at) > most) {
            self.reread().await?;
        }
        let metadata = with_stamp(&self.metadata, declared, &self.stamp)?;
        fields.insert("metadata".to_owned(), metadata.clone());
        let wrote_before = std::mem::replace(&mut self.trail.wrote, true);
        match self.job.ctx.writer.update_agent(&self.id, &fields).await {
            Ok(answer) => {
                self.metadata = metadata;
                if answer.agent.modified_by.is_some() {
                    self.trail.principal.clone_from(&answer.agent.modified_by);
                }
                Ok(answer)
            }
            Err(error) => {
                // What was refused, or never sent, has written nothing.
                self.trail.wrote = wrote_before || error.fate() == Fate::Unknown;
                Err(error.into())
            }
        }
    }
}
