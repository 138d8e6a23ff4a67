//! Plans as one page, for a person who approves them.

use crate::diagnostics::SourceMap;
use crate::plan::Plan;
use crate::render::html::{PageContext, plan_page};

use super::settings::Settings;

/// The page, with the command that applies this plan.
pub fn of_plan(plan: &Plan, sources: &SourceMap, apply: String, settings: &Settings) -> String {
    let context = PageContext { run_url: settings.run_url(), apply: Some(apply), ..PageContext::default() };
    plan_page(plan, sources, &context).text
}
