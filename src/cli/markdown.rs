//! Plans and reports as Markdown, for a file that a pipeline posts.

use crate::diagnostics::{Diagnostic, Problem, SourceMap};
use crate::manifest::Resolved;
use crate::plan::difference::Difference;
use crate::plan::drift::Drift;
use crate::plan::{Plan, Report};
use crate::render::markdown::{
    COMMENT_BYTES, CommentContext, Maker, difference_comment, drift_body, plan_comment, report_comment,
    validation_summary,
};
use crate::render::view::GoOn;

use super::forge;
use super::settings::Settings;

/// The comment's body.
pub fn of_plan(plan: &Plan, sources: &SourceMap, settings: &Settings) -> String {
    plan_comment(plan, sources, &context(settings)).text
}

/// The comment's body after an apply.
pub fn of_report(report: &Report, again: Option<&GoOn>, settings: &Settings) -> String {
    report_comment(report, again, None, &context(settings)).text
}

/// The comment's body on a difference of files.
pub fn of_difference(difference: &Difference, settings: &Settings) -> String {
    difference_comment(difference, Maker::ThisJob, &context(settings)).text
}

/// The summary of a check of the manifests.
pub fn of_validation(resolved: &Resolved, problems: &[Diagnostic], settings: &Settings) -> String {
    let told: Vec<Problem> = problems.iter().map(|problem| Problem::of(problem, &resolved.sources)).collect();
    validation_summary(&resolved.project.environment, resolved.desired.len(), &told, &context(settings)).text
}

/// The body.
pub fn of_drift(drift: &Drift, settings: &Settings) -> String {
    drift_body(drift, &context(settings)).text
}

/// What the pipeline tells of the run. Outside of one there is nothing to tell.
fn context(settings: &Settings) -> CommentContext {
    forge::comment_context(forge::known_context(settings).as_ref(), settings, COMMENT_BYTES)
}
