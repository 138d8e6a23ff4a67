//! Plans and reports for a terminal and a log.

mod difference;
mod drift;
mod fields;
mod hunks;
mod numbers;
mod paper;
mod plan;
mod report;
mod unified;
mod verify;

use super::style::{Detail, Glyphs, Styles};

pub use difference::difference_text;
pub use drift::drift_text;
pub use plan::{plan_text, summary_lines};
pub use report::{event_line, report_text};
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
}

/// Narrower than this, prose breaks too often to be read.
const NARROWEST: usize = 80;
/// Wider than this, the eye loses the line.
const WIDEST: usize = 120;

impl Default for TextOptions {
    fn default() -> Self {
        Self { width: NARROWEST, styles: Styles::plain(), glyphs: Glyphs::UNICODE, detail: Detail::default() }
    }
}

impl TextOptions {
    fn columns(&self) -> usize {
        self.width.clamp(NARROWEST, WIDEST)
    }
}
