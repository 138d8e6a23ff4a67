//! Problems of manifests as a list, for those who do not see the lines that they are about.

use super::escape::{code, sentence};
use crate::diagnostics::{Problem, Severity};
use crate::render::put::put;

/// How many problems a comment shows; the rest is counted.
const LIST_SHOWN: usize = 20;

/// Room for the line that counts what is left out.
const COUNT_BYTES: usize = 40;

/// The worst first, each on a line with its hints below it. Beyond a number, or where `room` in bytes ends, they are
/// counted; says whether any were.
pub(super) fn list(out: &mut String, problems: impl IntoIterator<Item = Problem>, room: usize) -> bool {
    let mut told: Vec<Problem> = problems.into_iter().collect();
    told.sort_by_key(|problem| problem.severity);
    let end = out.len().saturating_add(room.saturating_sub(COUNT_BYTES));
    let mut shown = 0;
    for problem in told.iter().take(LIST_SHOWN) {
        let entry = entry(problem);
        if out.len() + entry.len() > end {
            break;
        }
        out.push_str(&entry);
        shown += 1;
    }
    let left_out = told.len() - shown;
    if left_out > 0 {
        put(out, format_args!("- {left_out} more\n"));
    }
    if !told.is_empty() {
        out.push('\n');
    }
    left_out > 0
}

fn entry(problem: &Problem) -> String {
    let Problem { severity, origin, code: name, message, hints } = problem;
    let origin = origin.as_ref().map(|origin| format!("{} ", code(&format!("{}:{}", origin.file, origin.line))));
    let word = match severity {
        Severity::Error => "**error**",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    let mut out = format!("- {word} {}{} ({})\n", origin.unwrap_or_default(), sentence(message), code(name));
    for hint in hints {
        put(&mut out, format_args!("  - {}\n", sentence(hint)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

    fn problem(severity: Severity, message: &str) -> Problem {
        let origin = Some(Origin { file: "agents/a.yaml".to_owned(), line: 3 });
        Problem { severity, origin, code: "unknown-field".to_owned(), message: message.to_owned(), hints: Vec::new() }
    }

    #[test]
    fn the_worst_come_first_and_what_has_no_room_is_counted() {
        let long = "x".repeat(300);
        let problems = [problem(Severity::Notice, &long), problem(Severity::Error, "`b` is unknown")];
        let mut out = String::new();
        assert!(list(&mut out, problems.clone(), 200));
        assert_eq!(out, "- **error** `agents/a.yaml:3` `b` is unknown (`unknown-field`)\n- 1 more\n\n");
        let mut out = String::new();
        assert!(!list(&mut out, problems, usize::MAX));
        assert!(out.contains("- notice `agents/a.yaml:3` xxx") && !out.contains("more"), "{out}");
    }
}
