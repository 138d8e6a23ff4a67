//! How the command ended, why in one word, and what `fail-on` makes of it for the step.

use crate::cli::exit::Exit;
use crate::cli::report::{CommandError, Reason};
use crate::plan::drift::Drift;
use crate::plan::{Outcome as AgentOutcome, Plan, Report};

use super::inputs::FailOn;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code, 2 for changes or drift.
    pub exit: Exit,
    /// The output `failure-reason`, as far as the code means a failure.
    pub reason: &'static str,
    /// Whether something was changed on the service.
    drifted: bool,
    /// Whether it fails whatever `fail-on` says of findings.
    always_fails: bool,
}

impl Outcome {
    /// Of a command that failed.
    pub fn failed(error: &CommandError) -> Self {
        let reason = match (error.exit, error.reason) {
            (_, Reason::NotApproved) => "not-approved",
            (_, Reason::WrongEvent) => "wrong-event",
            (Exit::Done | Exit::Changes, _) => "",
            (Exit::Refused, _) => "plan-changed",
            (Exit::Limit, _) => "safety",
            (Exit::Partial, _) => "apply-partial",
            (Exit::Lease, _) => "locked",
            (Exit::Usage, _) => "usage",
            (Exit::Interrupted, _) => "interrupted",
            (Exit::Failed, Reason::Config) => "config-invalid",
            (Exit::Failed, Reason::Auth) => "auth",
            (Exit::Failed, Reason::Service) => "api-error",
        };
        Self { exit: error.exit, reason, drifted: false, always_fails: false }
    }

    /// Of a plan that could not be shown where it is approved, so that nothing could be applied by it.
    pub fn of_unshown_plan() -> Self {
        Self { exit: Exit::Failed, reason: "not-reported", drifted: false, always_fails: false }
    }

    /// Of a check of the manifests, which fails for what stands in them alone.
    pub fn of_validation(exit: Exit) -> Self {
        Self {
            exit,
            reason: if exit == Exit::Done { "" } else { "config-invalid" },
            drifted: false,
            always_fails: false,
        }
    }

    /// Of a plan.
    pub fn of_plan(plan: &Plan) -> Self {
        let summary = plan.summary();
        let exit = Exit::of_plan(plan, true);
        let drifted = summary.drift + summary.conflict > 0;
        let reason = match exit {
            Exit::Changes => "changes",
            Exit::Failed if plan.complete => "config-invalid",
            Exit::Failed => "api-error",
            _ => "",
        };
        Self { exit, reason, drifted, always_fails: false }
    }

    /// Of an apply.
    pub fn of_report(report: &Report) -> Self {
        let exit = Exit::of_report(report);
        let reason = match exit {
            Exit::Partial => "apply-partial",
            Exit::Lease => "locked",
            Exit::Interrupted => "interrupted",
            Exit::Refused if report.count(AgentOutcome::Stale) == 0 => "conflict",
            Exit::Refused => "plan-stale",
            Exit::Failed => "api-error",
            _ => "",
        };
        Self { exit, reason, drifted: false, always_fails: false }
    }

    /// Of a check for drift. `failure` is what kept the whole check from looking.
    pub fn of_drift(drift: &Drift, failure: Option<&CommandError>) -> Self {
        if let Some(failure) = failure {
            return Self::failed(failure);
        }
        let exit = Exit::of_drift(drift, true);
        let reason = match exit {
            Exit::Changes => "drift",
            Exit::Failed => "api-error",
            _ => "",
        };
        Self { exit, reason, drifted: exit == Exit::Changes, always_fails: false }
    }

    /// Of the offline difference of a stranger's files.
    pub fn of_difference(differs: bool) -> Self {
        let (exit, reason) = if differs { (Exit::Changes, "changes") } else { (Exit::Done, "") };
        Self { exit, reason, drifted: false, always_fails: false }
    }

    /// Of a check whose finding did not reach anybody: a monitor that cannot speak is never green.
    pub fn unreported(self) -> Self {
        let reason = if self.exit == Exit::Failed { self.reason } else { "not-reported" };
        Self { exit: Exit::Failed, reason, always_fails: true, ..self }
    }

    /// The same where changes are a failure whatever `fail-on` says of findings.
    pub fn must_fail(self) -> Self {
        Self { always_fails: true, ..self }
    }

    /// How the step ends. Wrong usage and a signal are no findings, so no policy lets them pass.
    pub fn step(self, fail_on: FailOn) -> Exit {
        match (self.exit, fail_on) {
            (Exit::Usage | Exit::Interrupted, _) => self.exit,
            _ if self.always_fails => self.exit,
            (_, FailOn::Never) | (Exit::Changes, FailOn::Error) => Exit::Done,
            (Exit::Changes, FailOn::Drift) if !self.drifted => Exit::Done,
            (exit, FailOn::Error | FailOn::Changes | FailOn::Drift) => exit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_the_step_is_what_was_asked_for() {
        let outcome = |exit, drifted| Outcome { exit, reason: "", drifted, always_fails: false };
        let steps = |outcome: Outcome| {
            [FailOn::Error, FailOn::Drift, FailOn::Changes, FailOn::Never].map(|on| outcome.step(on).code())
        };
        assert_eq!(steps(outcome(Exit::Done, false)), [0, 0, 0, 0]);
        assert_eq!(steps(outcome(Exit::Changes, false)), [0, 0, 2, 0]);
        assert_eq!(steps(outcome(Exit::Changes, true)), [0, 2, 2, 0]);
        assert_eq!(steps(outcome(Exit::Refused, false)), [3, 3, 3, 0]);
        assert_eq!(steps(outcome(Exit::Usage, false)), [64; 4]);
        assert_eq!(steps(outcome(Exit::Interrupted, false)), [130; 4]);
    }

    #[test]
    fn every_failure_has_a_reason() {
        for exit in Exit::ALL {
            let reason = Outcome::failed(&CommandError::config("x").exit(exit)).reason;
            assert_eq!(reason.is_empty(), matches!(exit, Exit::Done | Exit::Changes), "{exit:?}: `{reason}`");
        }
    }
}
