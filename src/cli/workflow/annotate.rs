//! Failures and warnings of a run as annotations, so that whoever looks at a run sees why it failed without its log.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::cli::output;
use crate::cli::report::CommandError;
use crate::diagnostics::Severity;
use crate::render::findings::annotation;
use crate::render::visible::one_line;

/// What was annotated already: several words to a forge may fail for one reason.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Annotates a failure. Mistakes in manifests have annotations of their own, at their lines.
pub fn failure(error: &CommandError, annotations: bool) {
    if annotations && error.problems.is_empty() {
        once(Severity::Error, &message(error));
    }
}

/// Annotates what failed without an error of its own, as an apply that ended halfway.
pub fn failed(message: &str, annotations: bool) {
    if annotations {
        once(Severity::Error, message);
    }
}

/// Writes a warning to stderr and annotates it, the same one once.
pub fn warning(warning: &CommandError, annotations: bool) {
    let text = warning.warning_text();
    if !is_new(&text) {
        return;
    }
    output::aside(&text);
    if annotations {
        once(Severity::Warning, &message(warning));
    }
}

fn once(severity: Severity, message: &str) {
    let command = annotation(severity, message);
    if is_new(&command) {
        output::workflow_commands(&command);
    }
}

fn is_new(text: &str) -> bool {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned())
}

fn message(error: &CommandError) -> String {
    let causes: Vec<String> = error.causes.iter().map(|cause| one_line(cause)).collect();
    let hints = error.hints.iter().map(|hint| format!("\nhint: {}", one_line(hint)));
    causes.join(": ") + &hints.collect::<String>()
}
