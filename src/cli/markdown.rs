//! The plan as Markdown, for a file that a pipeline posts.

use crate::plan::Plan;

use super::settings::Settings;

/// The comment's body.
pub fn of_plan(_plan: &Plan, _settings: &Settings) -> String {
    String::new()
}
