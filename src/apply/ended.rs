//! How work on an agent ends: early with a reason, or with all that the closing reading needs.

use crate::api::ApiError;
use crate::http::Fate;
use crate::plan::{AgentOutcome, Outcome};

/// How an agent's work ended before its last step.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
    /// Whether the same command would fail again until a person has done what the hints say.
    pub by_hand: bool,
}

impl Ended {
    /// A plain end.
    pub fn new(outcome: Outcome, cause: impl Into<String>) -> Self {
        Self { outcome, causes: vec![cause.into()], hints: Vec::new(), by_hand: false }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with what a person must do before another run can do more than this one.
    #[must_use]
    pub fn by_hand(self, hint: impl Into<String>) -> Self {
        Self { by_hand: true, ..self.hint(hint) }
    }

    /// The same with one more cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// A request that failed. Where its fate is unknown, so is the outcome.
    pub fn request(error: &ApiError) -> Self {
        let outcome = if error.fate() == Fate::Unknown { Outcome::Unknown } else { Outcome::Failed };
        Self { outcome, causes: error.causes(), hints: error.hints(), by_hand: false }
    }
}

impl From<ApiError> for Ended {
    fn from(error: ApiError) -> Self {
        Self::request(&error)
    }
}

/// What one agent's work left behind, for the closing reading.
#[derive(Debug)]
pub struct Finished {
    /// The outcome, as far as it is known now.
    pub outcome: AgentOutcome,
    /// Whether anything was written.
    pub wrote: bool,
    /// Who the last answer to a write of the agent's record names as its writer: this run.
    pub principal: Option<String>,
}

impl Finished {
    /// It ended otherwise after all.
    pub fn end(&mut self, ended: Ended) {
        self.outcome.outcome = ended.outcome;
        self.outcome.causes = ended.causes;
        self.outcome.hints = ended.hints;
        self.outcome.by_hand = ended.by_hand;
    }
}
