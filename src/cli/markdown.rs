//! Plans and reports as Markdown, for a file that a pipeline posts.

use crate::diagnostics::SourceMap;
use crate::plan::{Plan, Report};
use crate::render::markdown::{CommentContext, plan_comment, report_comment};

use super::settings::Settings;

/// The comment's body.
pub fn of_plan(plan: &Plan, sources: &SourceMap, settings: &Settings) -> String {
    plan_comment(plan, sources, &context(settings)).text
}

/// The comment's body after an apply.
pub fn of_report(report: &Report, again: Option<&str>, settings: &Settings) -> String {
    report_comment(report, again, &context(settings)).text
}

/// What a pipeline's variables tell of the run.
fn context(settings: &Settings) -> CommentContext {
    CommentContext {
        commit: settings.variable("GITHUB_SHA").or_else(|| settings.variable("CI_COMMIT_SHA")).map(str::to_owned),
        run_id: settings.variable("GITHUB_RUN_ID").or_else(|| settings.variable("CI_PIPELINE_ID")).map(str::to_owned),
        run_url: settings.run_url(),
        ..CommentContext::default()
    }
}
