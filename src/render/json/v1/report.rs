//! What became of a plan, as a document and back.

use serde::Deserialize;
use serde_json::Value;

use super::values::{State, shown, state};
use super::{FORMAT_VERSION, NoticeDoc, TargetDoc, documents, write};
use crate::model::{Address, Digest, FieldPath, Key};
use crate::plan::{Action, AgentOutcome, Notice, Outcome, Report, Rewrite, Target, Traffic};

/// The document on an apply, with line feeds and a final one.
pub fn report_document(report: &Report) -> String {
    write(&ReportDoc::from(report))
}

/// Reads a report document for showing; `None` where it is not one.
pub fn read_report(document: &Value) -> Option<Report> {
    ReportDoc::deserialize(document).ok().map(Report::from)
}

documents! {
    /// What `apply --json` writes.
    ReportDoc {
        format_version: String,
        #[serde(default)]
        tool_version: String,
        /// Every change of the plan is in place.
        #[serde(default)]
        complete: bool,
        /// Whether this run wrote anything.
        #[serde(default)]
        wrote: bool,
        /// Whether a signal ended it.
        #[serde(default)]
        interrupted: bool,
        target: TargetDoc,
        plan_hash: Digest,
        #[serde(default)]
        summary: ReportSummaryDoc,
        outcomes: Vec<OutcomeDoc>,
        #[serde(default)]
        notices: Vec<NoticeDoc>,
        traffic: Traffic,
    }

    /// Counts of changes. They add up.
    #[derive(Default)]
    ReportSummaryDoc {
        changes: usize,
        applied: usize,
        already_applied: usize,
        unverified: usize,
        stale: usize,
        held: usize,
        blocked: usize,
        failed: usize,
        unknown: usize,
        skipped: usize,
        not_started: usize,
    }

    /// What became of one change.
    OutcomeDoc {
        address: Address,
        key: Key,
        name: String,
        agent_id: Option<String>,
        action: Action,
        outcome: Outcome,
        version: Option<u64>,
        draft: Option<u64>,
        step: Option<String>,
        #[serde(default)]
        causes: Vec<String>,
        #[serde(default)]
        hints: Vec<String>,
        /// Whether the same command would fail again until a person has done what the hints say.
        #[serde(default)]
        by_hand: bool,
        /// Where the service keeps another value than the one that was sent.
        #[serde(default)]
        rewritten: Vec<FieldPath>,
        /// The same, with both values.
        #[serde(default)]
        rewrites: Vec<RewriteDoc>,
        #[serde(default)]
        left_behind: Vec<String>,
        #[serde(default)]
        milliseconds: u64,
    }

    /// A value that reads back as another one.
    RewriteDoc {
        path: FieldPath,
        sent: Option<Value>,
        sent_state: State,
        read: Option<Value>,
        read_state: State,
    }
}

impl From<&Report> for ReportDoc {
    fn from(report: &Report) -> Self {
        let Report { target, plan_hash, outcomes, wrote, interrupted, notices, traffic } = report;
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            complete: report.is_complete() && !interrupted,
            wrote: *wrote,
            interrupted: *interrupted,
            target: target.into(),
            plan_hash: plan_hash.clone(),
            summary: ReportSummaryDoc {
                changes: outcomes.len(),
                applied: report.count(Outcome::Applied),
                already_applied: report.count(Outcome::AlreadyApplied),
                unverified: report.count(Outcome::Unverified),
                stale: report.count(Outcome::Stale),
                held: report.count(Outcome::Held),
                blocked: report.count(Outcome::Blocked),
                failed: report.count(Outcome::Failed),
                unknown: report.count(Outcome::Unknown),
                skipped: report.count(Outcome::Skipped),
                not_started: report.count(Outcome::NotStarted),
            },
            outcomes: outcomes.iter().cloned().map(OutcomeDoc::from).collect(),
            notices: notices.iter().map(NoticeDoc::from).collect(),
            traffic: *traffic,
        }
    }
}

impl From<ReportDoc> for Report {
    fn from(report: ReportDoc) -> Self {
        Self {
            target: Target::from(report.target),
            plan_hash: report.plan_hash,
            outcomes: report.outcomes.into_iter().map(AgentOutcome::from).collect(),
            wrote: report.wrote,
            interrupted: report.interrupted,
            notices: report.notices.into_iter().map(Notice::from).collect(),
            traffic: report.traffic,
        }
    }
}

impl From<&Rewrite> for RewriteDoc {
    fn from(rewrite: &Rewrite) -> Self {
        let Rewrite { path, sent, read } = rewrite;
        let ((sent, sent_state), (read, read_state)) = (state(sent), state(read));
        Self { path: path.clone(), sent, sent_state, read, read_state }
    }
}

impl From<RewriteDoc> for Rewrite {
    fn from(rewrite: RewriteDoc) -> Self {
        let RewriteDoc { path, sent, sent_state, read, read_state } = rewrite;
        Self { path, sent: shown(sent, sent_state), read: shown(read, read_state) }
    }
}

/// An outcome is written as it is, but for what the service rewrote: both ways are the same names.
macro_rules! same_fields {
    ($from:ident => $to:ident { $($field:ident),* } $entry:ident; $($other:ident: $value:expr),*) => {
        impl From<$from> for $to {
            fn from($entry: $from) -> Self {
                Self { $($other: $value,)* $($field: $entry.$field),* }
            }
        }
    };
}

same_fields!(AgentOutcome => OutcomeDoc {
    address, key, name, agent_id, action, outcome, version, draft, step, causes, hints, by_hand, left_behind, milliseconds
} entry;
    rewritten: entry.rewritten.iter().map(|rewrite| rewrite.path.clone()).collect(),
    rewrites: entry.rewritten.iter().map(RewriteDoc::from).collect()
);

same_fields!(OutcomeDoc => AgentOutcome {
    address, key, name, agent_id, action, outcome, version, draft, step, causes, hints, by_hand, left_behind, milliseconds
} entry;
    rewritten: entry.rewrites.into_iter().map(Rewrite::from).collect()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_reads_as_none() {
        for text in ["null", "{}", r#"{"target": {"host": "h", "environment": "e", "project": "p"}, "traffic": {}}"#] {
            assert!(read_report(&serde_json::from_str(text).unwrap()).is_none());
        }
    }
}
