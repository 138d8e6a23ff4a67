//! The outputs of `action.yml`: all of them are written in every run, empty where there is nothing to say.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use crate::cli::exit::Exit;
use crate::cli::publish::Published;
use crate::cli::report::CommandError;
use crate::cli::settings::Settings;
use crate::cli::workflow::outputs::append;
use crate::http::OsEntropy;
use crate::plan::drift::{Drift, DriftSummary};
use crate::plan::{Outcome as AgentOutcome, Plan, Report};
use crate::render::drift::summary_line;
use crate::render::report_line;
use crate::render::text::summary_lines;

use super::inputs::Inputs;
use super::line::Files;
use super::outcome::Outcome;

/// Their names, as `action.yml` has them.
pub const NAMES: [&str; 22] = [
    "changes",
    "to-create",
    "to-update",
    "to-delete",
    "to-adopt",
    "unchanged",
    "drifted",
    "conflicts",
    "exit-code",
    "failure-reason",
    "summary",
    "plan-hash",
    "plan-file",
    "plan-json",
    "plan-markdown",
    "applied",
    "failed",
    "comment-id",
    "comment-url",
    "check-id",
    "issue-number",
    "truncated",
];

/// What is known so far.
#[derive(Debug, Default)]
pub struct Outputs {
    known: BTreeMap<&'static str, String>,
}

impl Outputs {
    fn set(&mut self, name: &'static str, value: &dyn Display) {
        debug_assert!(NAMES.contains(&name), "`{name}` is no output");
        self.known.insert(name, value.to_string());
    }

    /// A plan.
    pub fn plan(&mut self, plan: &Plan) {
        let summary = plan.summary();
        self.set("changes", &summary.has_changes());
        self.set("to-create", &summary.create);
        self.set("to-update", &summary.update);
        self.set("to-delete", &summary.delete);
        self.set("to-adopt", &summary.adopt);
        self.set("unchanged", &summary.unchanged);
        self.set("drifted", &summary.drift);
        self.set("conflicts", &summary.conflict);
        self.set("plan-hash", &plan.plan_hash);
        self.set("summary", &summary_lines(plan).first().cloned().unwrap_or_default());
    }

    /// What became of one.
    pub fn report(&mut self, report: &Report) {
        let applied = report.count(AgentOutcome::Applied) + report.count(AgentOutcome::AlreadyApplied);
        self.set("applied", &applied);
        self.set("failed", &(report.outcomes.len() - applied));
        self.set("plan-hash", &report.plan_hash);
        self.set("summary", &report_line(report));
    }

    /// A check for drift.
    pub fn drift(&mut self, drift: &Drift) {
        let DriftSummary { drifted, fields: _, slots: _, absent: _, as_applied, unchecked: _ } = drift.summary();
        self.set("changes", &(drifted > 0));
        self.set("drifted", &drifted);
        self.set("unchanged", &as_applied);
        self.set("conflicts", &drift.agents.iter().filter(|agent| agent.fields.iter().any(|f| f.conflict)).count());
        self.set("summary", &summary_line(drift));
    }

    /// An offline difference.
    pub fn difference(&mut self, differing: usize, same: usize) {
        self.set("changes", &(differing > 0));
        self.set("unchanged", &same);
        self.set("summary", &format!("Offline difference: {differing} of {} manifests differ.", differing + same));
    }

    /// The comment.
    pub fn comment(&mut self, published: &Published) {
        if let Some(put) = &published.put {
            self.known.extend(put.id.map(|id| ("comment-id", id.to_string())));
            self.known.extend(put.url.clone().map(|url| ("comment-url", url)));
            self.set("truncated", &published.truncated);
        }
    }

    /// The check run.
    pub fn check(&mut self, id: u64) {
        self.set("check-id", &id);
    }

    /// The issue.
    pub fn issue(&mut self, number: Option<u64>) {
        self.known.extend(number.map(|number| ("issue-number", number.to_string())));
    }

    /// One line of another kind.
    pub fn summary(&mut self, line: &str) {
        self.set("summary", &line);
    }

    /// The files that there are.
    pub fn files(&mut self, files: &Files, inputs: &Inputs) {
        let there = |path: &PathBuf| path.is_file().then(|| path.display().to_string());
        self.known.extend(there(&files.json).map(|path| ("plan-json", path)));
        self.known.extend(there(&files.markdown).map(|path| ("plan-markdown", path)));
        if let Some(path) = inputs.plan_file.as_ref().filter(|path| PathBuf::from(path).is_file()) {
            self.set("plan-file", &path);
        }
    }

    /// A run that did not get as far as a command.
    pub fn failure(&mut self, error: &CommandError) {
        self.ended(&Outcome::failed(error), error.exit);
        if !self.known.contains_key("summary") {
            self.set("summary", &error.causes.join(": "));
        }
    }

    /// How the command and the step ended.
    pub fn ended(&mut self, outcome: &Outcome, step: Exit) {
        self.set("exit-code", &outcome.exit.code());
        // Changes are a failure only where they were asked to be one.
        let is_finding = outcome.exit == Exit::Changes && step == Exit::Done;
        self.set("failure-reason", &if is_finding { "" } else { outcome.reason });
    }

    /// Writes them to the file that the runner reads, where there is one.
    pub fn write(&self, settings: &Settings) -> Result<(), CommandError> {
        let Some(path) = settings.variable("GITHUB_OUTPUT").map(PathBuf::from) else { return Ok(()) };
        let value = |name: &'static str| (name, self.known.get(name).map(String::as_str).unwrap_or_default());
        append(&path, &NAMES.map(value), &OsEntropy)
            .map_err(|error| CommandError::chain("the outputs of the step could not be written", &error))
    }
}
