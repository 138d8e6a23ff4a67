//! Who is at work on an agent: the lease, and the fence that is looked through before anything is published.

use serde_json::{Map, Value};

use crate::api::AgentFilter;
use crate::model::stamp::STAMP_KEY;
use crate::model::{Lease, LiveAgent, Stamp};
use crate::plan::{Action, Outcome};

use super::context::{EVENTUAL, is_same_run, lease_holds};
use super::ended::Ended;
use super::publishing::publisher;
use super::recover;
use super::worker::Worker;

impl Worker<'_> {
    /// Another run's lease that still holds ends this agent: it is at work there.
    pub(super) fn check_lease(&self) -> Result<(), Ended> {
        let Ok(Some(found)) = Stamp::read(&self.metadata) else { return Ok(()) };
        let Some(lease) = found.state.lease else { return Ok(()) };
        let is_ours = is_same_run(&lease.run, &self.ctx.run) || self.ctx.options.break_lease;
        if is_ours || !lease_holds(&lease, self.now()) {
            return Ok(());
        }
        Err(Ended::new(Outcome::Blocked, format!("the run {} is at work on this agent since {}", lease.run, lease.at))
            .hint("wait for it, or use `--break-lease` if it is certainly dead"))
    }

    /// Takes the lease, or renews it.
    pub(super) async fn write_lease(&mut self) -> Result<(), Ended> {
        self.stamp.state.lease = Some(Lease { run: self.ctx.run.clone(), at: self.now().to_string() });
        self.write_metadata().await
    }

    /// Renews the lease where it is still ours. A run that was overtaken ends; one that only could not reach the service
    /// goes on, for the fence is looked through before anything is published.
    pub(super) async fn renew_lease(&mut self) -> Result<(), Ended> {
        let id = self.id()?.to_owned();
        let renewed = match self.agent_since_intent(&id).await {
            Ok(agent) => {
                self.take_reading(&agent);
                self.fence(&agent)?;
                self.write_lease().await
            }
            Err(ended) => Err(ended),
        };
        if let Err(ended) = renewed {
            tracing::debug!(key = %self.change.key, causes = ?ended.causes, "the lease could not be renewed");
        }
        Ok(())
    }

    /// The agent as it is since our intent was written. An answer that still shows the stamp from before is a late one,
    /// and is asked for again for a while before it is believed.
    pub(super) async fn agent_since_intent(&self, id: &str) -> Result<LiveAgent, Ended> {
        let deadline = self.ctx.clock.now() + EVENTUAL;
        loop {
            let agent = recover::agent(self.ctx, id).await?;
            let stamp = Stamp::read(&agent.metadata).ok().flatten();
            let is_ours = stamp.as_ref().and_then(|stamp| stamp.state.lease.as_ref()).map(|lease| &lease.run)
                == Some(&self.ctx.run);
            // A create writes its intent with the agent, so what a late answer shows then has no lease yet.
            let is_late = !is_ours
                && (stamp == self.work().stamp
                    || (self.change.action == Action::Create && self.is_bare(stamp.as_ref())));
            if !is_late || self.ctx.clock.now() >= deadline {
                return Ok(agent);
            }
            self.ctx.clock.sleep(recover::PAUSE).await;
        }
    }

    /// Whether a stamp is the one that this run created the agent with.
    fn is_bare(&self, stamp: Option<&Stamp>) -> bool {
        stamp.is_some_and(|stamp| {
            stamp.state.lease.is_none() && stamp.state.intent.as_ref().is_some_and(|intent| intent.run == self.ctx.run)
        })
    }

    /// The lease is still ours and the live version is still the base; else this run yields and leaves its draft.
    pub(super) fn fence(&self, agent: &LiveAgent) -> Result<(), Ended> {
        let live = agent.live_version().map(|head| head.version);
        if live != self.change.base_version {
            let head = agent.live_version();
            let by = head.map_or("an unnamed author", publisher);
            let live = live.map_or("gone".to_owned(), |version| format!("version {version}, by {by}"));
            return Err(Ended::new(Outcome::Stale, format!("the live version changed meanwhile: it is {live}"))
                .hint("plan again, and look at what changed"));
        }
        let lease = Stamp::read(&agent.metadata).ok().flatten().and_then(|stamp| stamp.state.lease);
        match lease {
            Some(lease) if lease.run == self.ctx.run => Ok(()),
            Some(lease) => Err(Ended::new(Outcome::Blocked, format!("the run {} took this agent over", lease.run))
                .hint("one apply an environment at a time: use a concurrency group")),
            None => Err(Ended::new(Outcome::Blocked, "the lease of this run was taken off the agent meanwhile")
                .hint("plan again, and look at what changed")),
        }
    }

    /// Two runs that create the agent of one key in the same moment both succeed, for nothing on the service forbids it.
    /// Both look once more afterwards, and the younger agent, still bare, is taken back by the run that made it.
    pub(super) async fn yield_to_elder(&mut self, ours: &LiveAgent) -> Result<(), Ended> {
        let filter = AgentFilter { name: Some(self.change.name.clone()), metadata: None };
        let deadline = self.ctx.clock.now() + EVENTUAL;
        let reader = self.ctx.writer.reader();
        let elder = loop {
            let mut same_key = Vec::new();
            let mut shows_ours = false;
            for record in reader.find_agents(&filter).await.items {
                if record.agent.id == ours.id {
                    shows_ours = true;
                    same_key.push(record.agent);
                    continue;
                }
                // A service whose list leaves the metadata out is asked agent by agent.
                let agent =
                    if record.is_whole() { record.agent } else { recover::agent(self.ctx, &record.agent.id).await? };
                if self.is_of_this_key(&agent) {
                    same_key.push(agent);
                }
            }
            // A list that does not show our own agent yet may hide another's as well.
            if shows_ours || self.ctx.clock.now() >= deadline || self.ctx.cancel.is_cancelled() {
                let born = |agent: &LiveAgent| (agent.created_at.clone(), agent.id.clone());
                break same_key.into_iter().min_by_key(born).filter(|eldest| eldest.id != ours.id);
            }
            self.ctx.clock.sleep(recover::PAUSE).await;
        };
        let Some(elder) = elder else { return Ok(()) };
        let run = Stamp::read(&elder.metadata).ok().flatten().and_then(|stamp| stamp.state.intent);
        let run = run.map_or("another run".to_owned(), |intent| format!("the run {}", intent.run));
        let ended =
            Ended::new(Outcome::Blocked, format!("{run} created this agent in the same moment, as {}", elder.id))
                .hint("run the same command again, once the other run is done");
        if let Err(error) = self.ctx.writer.delete_agent(&ours.id).await {
            tracing::debug!(key = %self.change.key, %error, "the younger twin could not be taken back");
            return Err(ended.hint(format!("the agent {} was left behind, bare; the next run takes it away", ours.id)));
        }
        self.agent_id = None;
        self.wrote = false;
        Err(ended)
    }

    fn is_of_this_key(&self, agent: &LiveAgent) -> bool {
        let Ok(Some(stamp)) = Stamp::read(&agent.metadata) else { return false };
        stamp.is_of(&agent.id) && stamp.key == self.change.key && (stamp.project, stamp.environment) == self.ctx.owner
    }

    /// Every orderly end, also after a failure or a signal, drops the lease and keeps the intent. Best effort: a lease
    /// that stays runs out by itself.
    pub(super) async fn drop_lease(&mut self) {
        let ours = self.stamp.state.lease.as_ref().is_some_and(|lease| lease.run == self.ctx.run);
        let Some(id) = self.agent_id.clone().filter(|_| ours) else { return };
        // After a signal as well: the next run must not wait for a lease that nobody holds.
        let writer = self.ctx.writer.finishing();
        // The stamp may have been taken over: only our own lease is dropped.
        let Ok(Some(record)) = writer.reader().agent(&id).await else { return };
        let Ok(Some(mut found)) = Stamp::read(&record.agent.metadata) else { return };
        if found.state.lease.as_ref().is_none_or(|lease| lease.run != self.ctx.run) {
            return;
        }
        found.state.lease = None;
        self.stamp = found;
        let Value::Object(mut metadata) = record.agent.metadata else { return };
        metadata.insert(STAMP_KEY.to_owned(), self.stamp.write());
        self.metadata = Value::Object(metadata);
        let body = Map::from_iter([("metadata".to_owned(), self.metadata.clone())]);
        if let Err(error) = writer.update_agent(&id, &body).await {
            tracing::debug!(key = %self.change.key, %error, "the lease could not be dropped");
        }
    }
}
