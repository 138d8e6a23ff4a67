//! Accounts as the body of a comment in GitHub's Markdown, within a budget of bytes. What is shown is decided in
//! [`view`](super::view).
//!
//! A body that is too long is never cut: it is written again with less in it ([`super::view::fit`]), and says what is
//! missing. Texts from outside stand only in code, in `<pre>` with everything escaped, or as entities ([`escape`]).

mod account;
mod autolinks;
mod comment;
mod escape;
mod hunks;
mod line;
mod problems;
mod rows;
mod status;

use super::view::Place;

pub use comment::{Maker, difference_comment, drift_body, plan_comment, report_comment};
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
    /// Where the repository can be seen.
    pub repository_url: Option<String>,
    /// The project's folder, from the root of the repository.
    pub folder: Option<String>,
    /// What approving means here.
    pub place: Place,
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
            repository_url: None,
            folder: None,
            place: Place::Shown,
            max_bytes: COMMENT_BYTES,
        }
    }
}

impl CommentContext {
    /// Where the files of the project can be seen as they are at the commit.
    fn files_url(&self) -> Option<String> {
        let (repository, commit) = (self.repository_url.as_ref()?, self.commit.as_ref()?);
        let folder = self.folder.as_ref()?;
        let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
        Some(format!("{repository}/blob/{commit}{folder}"))
    }
}

/// A finished body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The Markdown.
    pub text: String,
    /// Whether any change was left out to fit the budget.
    pub truncated: bool,
}
