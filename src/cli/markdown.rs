//! Plans and reports as Markdown, for a file that a pipeline posts.

use crate::diagnostics::SourceMap;
use crate::plan::difference::Difference;
use crate::plan::drift::Drift;
use crate::plan::{Plan, Report};
use crate::render::markdown::{CommentContext, difference_comment, drift_body, plan_comment, report_comment};

use super::settings::Settings;

/// The comment's body.
pub fn of_plan(plan: &Plan, sources: &SourceMap, settings: &Settings) -> String {
    plan_comment(plan, sources, &context(settings)).text
}

/// The comment's body after an apply.
pub fn of_report(report: &Report, again: Option<&str>, settings: &Settings) -> String {
    report_comment(report, again, &context(settings)).text
}

/// The comment's body on a difference of files.
pub fn of_difference(difference: &Difference, settings: &Settings) -> String {
    difference_comment(difference, &context(settings)).text
}

/// The body.
pub fn of_drift(drift: &Drift, settings: &Settings) -> String {
    drift_body(drift, &context(settings)).text
}

/// What a pipeline's variables tell of the run.
fn context(settings: &Settings) -> CommentContext {
    let run_url = match (
        settings.variable("GITHUB_SERVER_URL"),
        settings.variable("GITHUB_REPOSITORY"),
        settings.variable("GITHUB_RUN_ID"),
    ) {
        (Some(server), Some(repository), Some(run)) => Some(format!("{server}/{repository}/actions/runs/{run}")),
        _ => settings.variable("CI_JOB_URL").map(str::to_owned),
    };
    CommentContext {
        commit: settings.variable("GITHUB_SHA").or_else(|| settings.variable("CI_COMMIT_SHA")).map(str::to_owned),
        run_id: settings.variable("GITHUB_RUN_ID").or_else(|| settings.variable("CI_PIPELINE_ID")).map(str::to_owned),
        run_url,
        ..CommentContext::default()
    }
}
