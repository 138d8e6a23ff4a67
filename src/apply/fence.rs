//! Who is at work on an agent: the lease, and the fence that is looked through before anything is published.

use serde_json::{Map, Value};

use crate::model::stamp::STAMP_KEY;
use crate::model::{Lease, LiveAgent, Stamp, VersionHead};
use crate::plan::Outcome;

use super::agent::Agent;
use super::context::{is_same_run, lease_holds};
use super::ended::Ended;
use super::eventually::Look;
use super::look;

impl Agent<'_> {
    /// Another run's lease that still holds ends this agent: it is at work there.
    pub(super) fn check_lease(&self) -> Result<(), Ended> {
        let ctx = self.job.ctx;
        let Some(lease) = lease_of(self.metadata()) else { return Ok(()) };
        let is_ours = is_same_run(&lease.run, &ctx.run) || ctx.options.break_lease;
        if is_ours || !lease_holds(&lease, self.job.ctx.now()) {
            return Ok(());
        }
        Err(Ended::new(Outcome::Blocked, format!("the run {} is at work on this agent since {}", lease.run, lease.at))
            .hint("wait for it, or use `--break-lease` if that run is certainly no longer running"))
    }

    /// Takes the lease, or renews it.
    pub(super) async fn write_lease(&mut self) -> Result<(), Ended> {
        self.stamp.state.lease = Some(Lease { run: self.job.ctx.run.clone(), at: self.job.ctx.now().to_string() });
        self.write_metadata().await
    }

    /// Renews the lease where it is still ours. A run that was overtaken ends; one that only could not reach the service
    /// goes on, for the fence is looked through before anything is published.
    pub(super) async fn renew_lease(&mut self) -> Result<(), Ended> {
        let renewed = match self.since_intent().await {
            Ok(found) => {
                self.pass_fence(&found)?;
                self.write_lease().await
            }
            Err(ended) => Err(ended),
        };
        if let Err(ended) = renewed {
            let key = &self.job.change.key;
            tracing::debug!(%key, causes = ?ended.causes, "the lease could not be renewed");
        }
        Ok(())
    }

    /// The agent as it is since our intent was written. An answer that still shows the stamp from before is a late one,
    /// and is asked for again for a while before it is believed.
    pub(super) async fn since_intent(&self) -> Result<LiveAgent, Ended> {
        let found = self
            .job
            .ctx
            .eventually(async || {
                let found = look::agent_now(self.job.ctx, &self.id).await?;
                let is_late = found.as_ref().is_none_or(|found| self.is_late(found));
                Ok::<_, Ended>(Look::settled_if(!is_late, found))
            })
            .await?;
        found.seen().ok_or_else(look::gone)
    }

    fn is_late(&self, found: &LiveAgent) -> bool {
        let run = &self.job.ctx.run;
        let stamp = Stamp::read(&found.metadata).ok().flatten();
        let state = stamp.as_ref().map(|stamp| &stamp.state);
        let is_ours = state.and_then(|state| state.lease.as_ref()).is_some_and(|lease| lease.run == *run);
        // A create writes its intent with the agent, so what a late answer shows then has no lease yet.
        let is_bare = state.is_some_and(|state| {
            state.lease.is_none() && state.intent.as_ref().is_some_and(|intent| intent.run == *run)
        });
        let is_create = self.job.change.agent_id.is_none();
        !is_ours && (stamp == self.job.work().stamp || (is_create && is_bare))
    }

    /// The lease is still ours and the live version is still the base; else this run yields and leaves its draft.
    pub(super) fn pass_fence(&mut self, found: &LiveAgent) -> Result<(), Ended> {
        self.take_reading(found);
        let live = found.live_version();
        if live.map(|head| head.version) != self.job.change.base_version {
            return Err(changed_meanwhile(live));
        }
        match lease_of(&found.metadata) {
            Some(lease) if lease.run == self.job.ctx.run => Ok(()),
            Some(lease) => Err(Ended::new(Outcome::Blocked, format!("the run {} took this agent over", lease.run))
                .hint("one apply an environment at a time: use a concurrency group")),
            None => {
                Err(Ended::new(Outcome::Blocked, "somebody else removed the lock that this run had put on the agent")
                    .hint("plan again, and look at what changed"))
            }
        }
    }

    /// Every orderly end, also after a failure or a signal, drops the lease and keeps the intent. Best effort: a lease
    /// that stays runs out by itself.
    pub(super) async fn drop_lease(&self) {
        let run = &self.job.ctx.run;
        if self.stamp.state.lease.as_ref().is_none_or(|lease| lease.run != *run) {
            return;
        }
        // After a signal as well: the next run must not wait for a lease that nobody holds.
        let writer = self.job.ctx.writer.finishing();
        // The stamp may have been taken over: only our own lease is dropped.
        let Ok(Some(record)) = writer.reader().agent(&self.id).await else { return };
        let Ok(Some(mut found)) = Stamp::read(&record.agent.metadata) else { return };
        if found.state.lease.as_ref().is_none_or(|lease| lease.run != *run) {
            return;
        }
        found.state.lease = None;
        let Value::Object(mut metadata) = record.agent.metadata else { return };
        metadata.insert(STAMP_KEY.to_owned(), found.write());
        let body = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
        if let Err(error) = writer.update_agent(&self.id, &body).await {
            tracing::debug!(key = %self.job.change.key, %error, "the lease could not be dropped");
        }
    }
}

fn lease_of(metadata: &Value) -> Option<Lease> {
    Stamp::read(metadata).ok().flatten()?.state.lease
}

/// What ends an agent whose live version is not the one that was planned on.
pub(super) fn changed_meanwhile(live: Option<&VersionHead>) -> Ended {
    let live = live.map_or("gone".to_owned(), |head| format!("version {}, by {}", head.version, publisher(head)));
    Ended::new(Outcome::Stale, format!("the live version changed meanwhile: it is {live}"))
        .hint("plan again, and look at what changed")
}

/// Who published a version, as far as the service says.
pub(super) fn publisher(head: &VersionHead) -> &str {
    head.modified_by.as_deref().or(head.created_by.as_deref()).unwrap_or("an unnamed author")
}
