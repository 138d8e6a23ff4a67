//! The exit codes, and the one mapping to each of them (design, section 7).

use std::process::ExitCode;

use crate::plan::drift::{Drift, DriftState};
use crate::plan::{Outcome, Plan, Refusal, Report};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed before any write.
    Failed,
    /// There are changes, with `--detailed-exitcode`.
    Changes,
    /// Refused: stale, or another plan than the approved one.
    Refused,
    /// Refused: a safety limit.
    Limit,
    /// Something was written, and something did not end `applied` or `already-applied`.
    Partial,
    /// Another apply holds the lease.
    Lease,
    /// Wrong usage. Never 2, which means "there are changes" and nothing else.
    Usage,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Changes,
        Self::Refused,
        Self::Limit,
        Self::Partial,
        Self::Lease,
        Self::Usage,
        Self::Interrupted,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Limit => 4,
            Self::Partial => 5,
            Self::Lease => 6,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// What it means, as a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done, or nothing to do.",
            Self::Failed => {
                "Failed before anything was written; or everything was done and only its result could not be written, which the message says."
            }
            Self::Changes => {
                "With `--detailed-exitcode`: there is something to change, or something was changed on the service."
            }
            Self::Refused => {
                "Refused: the plan is out of date, or is not the one that was approved, or an agent is held because of a conflict."
            }
            Self::Limit => "Refused by a safety limit of `reachform.yaml`.",
            Self::Partial => "Something was written, and something else did not end as `applied` or `already-applied`.",
            Self::Lease => "Another run is working on an agent.",
            Self::Usage => "The command line is wrong. Nothing was done.",
            Self::Interrupted => "Interrupted by a signal.",
        }
    }

    /// How a plan ends: adopting counts as a change, a stamp that is behind, orphans and notices do not.
    pub fn of_plan(plan: &Plan, detailed: bool) -> Self {
        if !plan.is_applyable() {
            Self::Failed
        } else if detailed && plan.summary().has_changes() {
            Self::Changes
        } else {
            Self::Done
        }
    }

    /// How a check for drift ends: one that did not see everything has failed, whatever else it found.
    pub fn of_drift(drift: &Drift, detailed: bool) -> Self {
        match drift.state() {
            DriftState::NotChecked => Self::Failed,
            DriftState::Drifted if detailed => Self::Changes,
            DriftState::Drifted | DriftState::Clean => Self::Done,
        }
    }

    /// How a refusal ends.
    pub fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotApplyable => Self::Failed,
            Refusal::Limits(_) => Self::Limit,
            Refusal::AnotherPlan(_) => Self::Refused,
        }
    }

    /// How an apply ends. Where nothing was written, the gravest of 6, 4, 3 and 1.
    pub fn of_report(report: &Report) -> Self {
        if report.interrupted {
            return Self::Interrupted;
        }
        if report.is_complete() {
            return Self::Done;
        }
        if report.wrote {
            return Self::Partial;
        }
        let any = |outcome| report.count(outcome) > 0;
        if any(Outcome::Blocked) {
            Self::Lease
        } else if any(Outcome::Stale) || any(Outcome::Held) {
            Self::Refused
        } else {
            Self::Failed
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
