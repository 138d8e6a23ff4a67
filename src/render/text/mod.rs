//! Accounts for a terminal and a log: widths, lines, colours. What is shown is decided in [`view`](mod@super::view).

mod account;
mod events;
mod hunks;
mod paper;
mod portrait;
mod rows;
mod unified;

use super::style::{Detail, Glyphs, Styles};
use super::view::{self, Place};
use crate::plan::between::Between;
use crate::plan::difference::Difference;
use crate::plan::drift::Drift;
use crate::plan::{Plan, Report};

pub use account::account_text;
pub use events::event_line;
pub use portrait::{agent_text, log_text, versions_text};
pub use unified::unified_diff;

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Columns of the terminal; taken as 80 to 120 where it has fewer or more.
    pub width: usize,
    /// Colours.
    pub styles: Styles,
    /// Signs.
    pub glyphs: Glyphs,
    /// How much is shown.
    pub detail: Detail,
    /// Where it is read.
    pub place: Place,
}

/// Narrower than this, prose breaks too often to be read.
const NARROWEST: usize = 80;
/// Wider than this, the eye loses the line.
const WIDEST: usize = 120;

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            width: NARROWEST,
            styles: Styles::plain(),
            glyphs: Glyphs::UNICODE,
            detail: Detail::default(),
            place: Place::default(),
        }
    }
}

impl TextOptions {
    fn columns(&self) -> usize {
        self.width.clamp(NARROWEST, WIDEST)
    }
}

/// The whole plan.
pub fn plan_text(plan: &Plan, options: &TextOptions) -> String {
    account_text(&view::plan(plan, options.place), options)
}

/// The whole check.
pub fn drift_text(drift: &Drift, options: &TextOptions) -> String {
    account_text(&view::drift(drift), options)
}

/// The whole difference.
pub fn difference_text(difference: &Difference, options: &TextOptions) -> String {
    account_text(&view::difference(difference), options)
}

/// The whole difference of two versions.
pub fn comparison_text(between: &Between, options: &TextOptions) -> String {
    account_text(&view::between(between), options)
}

/// The whole report. `again` is the command that finishes the job, shown where something is left.
pub fn report_text(report: &Report, again: Option<&view::GoOn>, options: &TextOptions) -> String {
    account_text(&view::report(report, again), options)
}

/// The last lines of every plan: the totals, drift and conflicts where there are any, and the hash.
pub fn summary_lines(plan: &Plan) -> Vec<String> {
    let plain = TextOptions::default();
    view::totals(plan).iter().map(|total| paper::plain(&total.what, &plain)).collect()
}
