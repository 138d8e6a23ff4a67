//! How far the work on one agent came: what the report says, also where it stopped.

use crate::plan::{AgentChange, Event, Outcome, Rewrite, Step};

use super::agent::Job;
use super::ended::Ended;

/// What became of the version that the work is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// There is none yet.
    Nothing,
    /// A draft of this run.
    Draft(u64),
    /// Publishing was asked for, so that what was seen before says nothing any more.
    Asked { version: u64, is_new: bool },
    /// Publishing was asked for, and the agent could not be read afterwards.
    Unseen(u64),
    /// A version of this run that was seen published.
    Published(u64),
}

/// How far the work came.
pub(super) struct Trail {
    /// The service's id, once there is an agent.
    pub(super) agent_id: Option<String>,
    /// The live version as it was seen last.
    pub(super) seen_live: Option<u64>,
    /// Whether anything was written.
    pub(super) wrote: bool,
    /// Who this run works as, by the answers to its own writes.
    pub(super) principal: Option<String>,
    /// Declared values that the service rewrote.
    pub(super) rewritten: Vec<Rewrite>,
    step: Option<String>,
    reached: Reached,
}

impl Trail {
    pub(super) fn new(change: &AgentChange) -> Self {
        Self {
            agent_id: change.agent_id.clone(),
            seen_live: change.base_version,
            wrote: false,
            principal: None,
            rewritten: Vec::new(),
            step: None,
            reached: Reached::Nothing,
        }
    }

    /// A step begins; none does after a signal.
    pub(super) fn begin(&mut self, job: Job<'_>, step: &Step) -> Result<(), Ended> {
        let what = step.describe();
        if job.ctx.cancel.is_cancelled() {
            let outcome = if self.wrote { Outcome::Failed } else { Outcome::NotStarted };
            return Err(Ended::new(outcome, format!("interrupted before the step \"{what}\""))
                .hint("run the same command again: it finishes what was begun"));
        }
        job.ctx.tell(Event::Step { address: job.change.address.clone(), what: what.clone() });
        self.step = Some(what);
        Ok(())
    }

    /// Where it stopped.
    pub(super) fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }

    pub(super) fn drafted(&mut self, version: u64) {
        self.reached = Reached::Draft(version);
    }

    /// Publishing is about to be asked for.
    pub(super) fn asks_to_publish(&mut self, version: u64, is_new: bool) {
        self.reached = Reached::Asked { version, is_new };
    }

    /// The version that was asked for was seen published.
    pub(super) fn was_published(&mut self) {
        if let Reached::Asked { version, is_new: true } = self.reached {
            self.reached = Reached::Published(version);
        }
    }

    /// What became of the version that was asked for cannot be seen.
    pub(super) fn lost_sight(&mut self) {
        if let Reached::Asked { version, is_new: true } = self.reached {
            self.reached = Reached::Unseen(version);
        }
    }

    /// A version of this run that may be live: nobody could see whether it is.
    pub(super) fn may_be_live(&self) -> Option<u64> {
        match self.reached {
            Reached::Unseen(version) => Some(version),
            Reached::Nothing | Reached::Draft(_) | Reached::Asked { .. } | Reached::Published(_) => None,
        }
    }

    /// The version that publishing was asked for.
    pub(super) fn asked_for(&self) -> Option<u64> {
        match self.reached {
            Reached::Asked { version, .. } | Reached::Unseen(version) | Reached::Published(version) => Some(version),
            Reached::Nothing | Reached::Draft(_) => None,
        }
    }

    /// A draft of this run that was not seen published.
    pub(super) fn draft(&self) -> Option<u64> {
        match self.reached {
            Reached::Draft(version) | Reached::Asked { version, is_new: true } => Some(version),
            Reached::Nothing | Reached::Asked { is_new: false, .. } | Reached::Unseen(_) | Reached::Published(_) => {
                None
            }
        }
    }
}
