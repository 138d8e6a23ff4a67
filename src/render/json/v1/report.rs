//! What became of a plan, as JSON.

use serde::Serialize;
use serde_json::Value;

use super::plan::state;
use super::{FORMAT_VERSION, NoticeJson, TargetJson, write};
use crate::plan::{AgentOutcome, Outcome, Report, Rewrite, Traffic};

/// The document on an apply, with line feeds and a final one.
pub fn report_document(report: &Report) -> String {
    write(&ReportDocument::new(report))
}

#[derive(Serialize)]
struct ReportDocument<'p> {
    format_version: &'static str,
    tool_version: &'static str,
    complete: bool,
    wrote: bool,
    interrupted: bool,
    target: TargetJson<'p>,
    plan_hash: &'p str,
    summary: ReportSummaryJson,
    outcomes: Vec<OutcomeJson<'p>>,
    notices: Vec<NoticeJson<'p>>,
    traffic: TrafficJson,
}

#[derive(Serialize)]
struct ReportSummaryJson {
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

#[derive(Serialize)]
struct OutcomeJson<'p> {
    address: String,
    key: &'p str,
    name: &'p str,
    agent_id: Option<&'p str>,
    action: &'static str,
    outcome: &'static str,
    version: Option<u64>,
    draft: Option<u64>,
    step: Option<&'p str>,
    causes: &'p [String],
    hints: &'p [String],
    rewritten: Vec<String>,
    rewrites: Vec<RewriteJson<'p>>,
    left_behind: &'p [String],
    milliseconds: u64,
}

#[derive(Serialize)]
struct RewriteJson<'p> {
    path: String,
    sent: Option<&'p Value>,
    sent_state: &'static str,
    read: Option<&'p Value>,
    read_state: &'static str,
}

impl<'p> From<&'p Rewrite> for RewriteJson<'p> {
    fn from(rewrite: &'p Rewrite) -> Self {
        let Rewrite { path, sent, read } = rewrite;
        let ((sent, sent_state), (read, read_state)) = (state(sent), state(read));
        Self { path: path.to_string(), sent, sent_state, read, read_state }
    }
}

#[derive(Serialize)]
struct TrafficJson {
    requests: u64,
    retries: u64,
    throttled: u64,
    waited_milliseconds: u64,
}

impl<'p> ReportDocument<'p> {
    fn new(report: &'p Report) -> Self {
        let Report { target, plan_hash, outcomes, wrote, interrupted, notices, traffic } = report;
        let Traffic { requests, retries, throttled, waited_milliseconds } = *traffic;
        Self {
            format_version: FORMAT_VERSION,
            tool_version: crate::VERSION,
            complete: report.is_complete() && !interrupted,
            wrote: *wrote,
            interrupted: *interrupted,
            target: target.into(),
            plan_hash: plan_hash.as_str(),
            summary: ReportSummaryJson {
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
            outcomes: outcomes.iter().map(OutcomeJson::from).collect(),
            notices: notices.iter().map(NoticeJson::from).collect(),
            traffic: TrafficJson { requests, retries, throttled, waited_milliseconds },
        }
    }
}

impl<'p> From<&'p AgentOutcome> for OutcomeJson<'p> {
    fn from(entry: &'p AgentOutcome) -> Self {
        let AgentOutcome {
            address,
            key,
            name,
            agent_id,
            action,
            outcome,
            version,
            draft,
            step,
            causes,
            hints,
            rewritten,
            left_behind,
            milliseconds,
        } = entry;
        Self {
            address: address.to_string(),
            key: key.as_str(),
            name,
            agent_id: agent_id.as_deref(),
            action: action.as_str(),
            outcome: outcome.as_str(),
            version: *version,
            draft: *draft,
            step: step.as_deref(),
            causes,
            hints,
            rewritten: rewritten.iter().map(|entry| entry.path.to_string()).collect(),
            rewrites: rewritten.iter().map(RewriteJson::from).collect(),
            left_behind,
            milliseconds: *milliseconds,
        }
    }
}
