//! What is left of a problem where the text that it is about is not at hand: in a comment, in a document of a failure.

use super::diagnostic::{Diagnostic, Severity};
use super::source::SourceMap;
use crate::model::Origin;

/// A problem without its excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub origin: Option<Origin>,
    /// Its stable code, which another version may have written.
    pub code: String,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Problem {
    /// Of a diagnostic.
    pub fn of(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        let Diagnostic { code, severity, message, place: _, about: _, label: _, others: _, hints, fix } = diagnostic;
        Self {
            severity: *severity,
            origin: diagnostic.origin(sources),
            code: (*code).to_owned(),
            message: message.clone(),
            // The edit needs the text; its title says what it would do.
            hints: hints.iter().chain(fix.as_ref().map(|fix| &fix.title)).cloned().collect(),
        }
    }
}
