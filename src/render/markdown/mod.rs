//! Plans and reports as the body of a comment in GitHub's Markdown, within a budget of bytes.
//!
//! A body that is too long is never cut: it is written again with less in it, rung by rung ([`super::ladder`]), and says what
//! is missing. Texts from outside stand only in code, in `<pre>` with everything escaped, or as entities ([`escape`]).

mod autolinks;
mod comment;
mod difference;
mod drift;
mod escape;
mod fields;
mod hunks;
mod problems;
mod report;
mod status;
mod verify;

use super::ladder::Fitted;

pub use comment::plan_comment;
pub use difference::{Maker, difference_comment};
pub use drift::drift_body;
pub use report::report_comment;
pub use status::{Status, status_comment, validation_summary};

/// Fits every known reading of GitHub's limit of 65,536, with room for what a forge adds.
pub const COMMENT_BYTES: usize = 60_000;

/// What a comment needs to know beside the plan.
#[derive(Clone, Debug)]
pub struct CommentContext {
    /// Tells this comment from those of other targets: goes into the hidden marker.
    pub marker_key: Option<String>,
    /// The head commit; the plan's own where absent.
    pub commit: Option<String>,
    /// The run, for the marker.
    pub run_id: Option<String>,
    /// Where the run can be seen.
    pub run_url: Option<String>,
    /// Where the whole plan can be seen.
    pub full_plan_url: Option<String>,
    /// Most bytes of the body.
    pub max_bytes: usize,
}

impl Default for CommentContext {
    fn default() -> Self {
        Self {
            marker_key: None,
            commit: None,
            run_id: None,
            run_url: None,
            full_plan_url: None,
            max_bytes: COMMENT_BYTES,
        }
    }
}

impl From<Fitted> for Body {
    fn from(fitted: Fitted) -> Self {
        let Fitted { text, truncated } = fitted;
        Self { text, truncated }
    }
}

/// A finished body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The Markdown.
    pub text: String,
    /// Whether anything was left out to fit the budget.
    pub truncated: bool,
}
