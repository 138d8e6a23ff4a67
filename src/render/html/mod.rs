//! A plan as one page that needs nothing but itself: no script, no font, no image, no request to anyone.
//!
//! It is written for the person who answers for what an agent says, and who does not read YAML: what goes first, then
//! what is in dispute, where the phone numbers ring, and each prompt word by word or side by side. The two views are
//! switched by radio buttons and a stylesheet. The page carries a Content-Security-Policy that allows its own stylesheet
//! by hash and nothing else, so that even a text that got through unescaped could do nothing.

mod agents;
mod closing;
mod document;
pub(super) mod escape;
mod numbers;
mod overview;
mod prose;
mod told;
mod values;
mod verify;

use super::ladder::{Rung, fit};
use crate::diagnostics::SourceMap;
use crate::plan::Plan;

use escape::{put, text};
use told::Told;

/// Most bytes of a page: a browser on a phone opens it without a pause.
pub const PAGE_BYTES: usize = 4_000_000;

/// What a page needs to know beside the plan.
#[derive(Clone, Debug)]
pub struct PageContext {
    /// Where the run can be seen.
    pub run_url: Option<String>,
    /// The command that applies exactly this plan, in full.
    pub apply: Option<String>,
    /// Most bytes of the page.
    pub max_bytes: usize,
}

impl Default for PageContext {
    fn default() -> Self {
        Self { run_url: None, apply: None, max_bytes: PAGE_BYTES }
    }
}

/// A finished page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTML.
    pub text: String,
    /// Whether anything was left out to fit the budget.
    pub truncated: bool,
}

/// The page of a plan.
pub fn plan_page(plan: &Plan, sources: &SourceMap, context: &PageContext) -> Page {
    // Comparing prompts is the work; what a rung leaves out changes nothing about it.
    let told: Vec<Told<'_>> = plan.changes.iter().map(Told::of).collect();
    let fitted = fit(context.max_bytes, |rung| write(plan, &told, sources, context, rung));
    Page { text: fitted.text, truncated: fitted.truncated }
}

fn write(plan: &Plan, told: &[Told<'_>], sources: &SourceMap, context: &PageContext, rung: &Rung) -> String {
    let mut main = String::new();
    overview::attention(&mut main, plan, rung);
    overview::problems(&mut main, plan, sources);
    overview::table(&mut main, told, rung);
    if let Some(missing) = rung.missing {
        let line = format!("Shortened to fit: whole texts are not repeated, and {missing}.");
        put(&mut main, format_args!("<p class=\"shortened\" role=\"note\">{}</p>\n", text(&line)));
    }
    numbers::map(&mut main, plan, rung);
    agents::sections(&mut main, told, rung);
    closing::left_alone(&mut main, plan);
    let title = format!("Plan for {}: {}", plan.target.environment, super::words::counts(&plan.summary()));
    document::page(&title, &overview::header(plan, context), &main, &closing::footer(plan, context))
}
