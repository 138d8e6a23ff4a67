//! What became of a plan: plain data, so that rendering need not know `apply`.

use serde::{Deserialize, Serialize};

use crate::model::{Address, Digest, Key};

use super::change::{Action, Notice, Target};
use super::rewritten::Rewrite;

/// How one agent's change ended (design, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Outcome {
    /// Done and read back.
    Applied,
    /// Done, but the closing reading could not confirm it.
    Unverified,
    /// It was in place before this run wrote anything.
    AlreadyApplied,
    /// Someone changed the agent since the plan.
    Stale,
    /// Held by a conflict or a rollback.
    Held,
    /// Something outside stands in the way, as another person's draft.
    Blocked,
    /// A step failed.
    Failed,
    /// A request's fate is not known.
    Unknown,
    /// Left out because something before it failed.
    Skipped,
    /// Never begun, because the run was interrupted or refused.
    NotStarted,
}

impl Outcome {
    /// All of them, in the order in which reports count them.
    pub const ALL: [Self; 10] = [
        Self::Applied,
        Self::AlreadyApplied,
        Self::Unverified,
        Self::Stale,
        Self::Held,
        Self::Blocked,
        Self::Failed,
        Self::Unknown,
        Self::Skipped,
        Self::NotStarted,
    ];

    /// The word in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unverified => "unverified",
            Self::AlreadyApplied => "already-applied",
            Self::Stale => "stale",
            Self::Held => "held",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::NotStarted => "not-started",
        }
    }

    /// Whether the change is in place.
    pub fn is_in_place(self) -> bool {
        matches!(self, Self::Applied | Self::AlreadyApplied)
    }
}

/// What became of one agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentOutcome {
    /// `agent.<key>`.
    pub address: Address,
    /// The key.
    pub key: Key,
    /// The name.
    pub name: String,
    /// The service's id, where there is an agent.
    pub agent_id: Option<String>,
    /// What was to be done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// The version that is live now, as far as this run knows.
    pub version: Option<u64>,
    /// A draft that was left behind.
    pub draft: Option<u64>,
    /// The step that it ended at, in words.
    pub step: Option<String>,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
    /// Whether the same command would fail again until a person has done what the hints say.
    pub by_hand: bool,
    /// Declared values that the service rewrote.
    pub rewritten: Vec<Rewrite>,
    /// Numbers that were not seen where they should be, because this agent did not get so far or somebody else acted, as
    /// `+1… inbound`, mostly with where they were seen last in parentheses.
    pub left_behind: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// What the run cost, and how often it had to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Traffic {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Answers that asked for patience (429 or `Retry-After`).
    pub throttled: u64,
    /// Time spent waiting for them.
    pub waited_milliseconds: u64,
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Where it was applied.
    pub target: Target,
    /// The plan.
    pub plan_hash: Digest,
    /// One entry for every change of the plan, in its order.
    pub outcomes: Vec<AgentOutcome>,
    /// Whether this run wrote anything.
    pub wrote: bool,
    /// Whether a signal ended it.
    pub interrupted: bool,
    /// For information.
    pub notices: Vec<Notice>,
    /// The cost.
    pub traffic: Traffic,
}

impl Report {
    /// How many ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|entry| entry.outcome == outcome).count()
    }

    /// What became of the same plan when it was gone on with: it counts for the agents that were blocked before.
    pub fn go_on_with(&mut self, again: Self) {
        let Self { target: _, plan_hash: _, outcomes, wrote, interrupted, notices, traffic } = again;
        for entry in &mut self.outcomes {
            let later = outcomes.iter().find(|later| later.key == entry.key);
            if let (Outcome::Blocked, Some(later)) = (entry.outcome, later) {
                let left = entry.draft.filter(|draft| later.version != Some(*draft));
                *entry = later.clone();
                entry.draft = entry.draft.or(left);
            }
        }
        self.wrote |= wrote;
        self.interrupted |= interrupted;
        self.notices.extend(notices);
        self.traffic = traffic;
    }

    /// Whether what is left cannot be done under the plan that was carried out, because an agent is not as it was planned or
    /// the plan itself holds it back.
    pub fn needs_a_new_plan(&self) -> bool {
        self.outcomes.iter().any(|entry| matches!(entry.outcome, Outcome::Stale | Outcome::Held))
    }

    /// Whether the same command would fail again until a person has done what the hints say.
    pub fn needs_a_hand(&self) -> bool {
        self.outcomes.iter().any(|entry| entry.by_hand)
    }

    /// Whether everything is in place.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|entry| entry.outcome.is_in_place())
    }
}

/// Something that happened during an apply. One consumer prints them; nobody decides by them.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Work on an agent began.
    Started {
        /// The agent.
        address: Address,
        /// What is done.
        action: Action,
    },
    /// A step of it began.
    Step {
        /// The agent.
        address: Address,
        /// The step, in words.
        what: String,
    },
    /// It ended.
    Finished {
        /// How.
        outcome: Box<AgentOutcome>,
    },
    /// Something for the reader.
    Note {
        /// The sentence.
        message: String,
    },
}
