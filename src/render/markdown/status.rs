//! The comment where there is neither a plan nor a report: something is under way, was refused, or failed.

use super::comment::{self, marker, place, with_plan};
use super::escape::{code, sentence};
use super::problems;
use super::rows::fenced;
use super::{Body, CommentContext};
use crate::diagnostics::{Problem, Severity, SourceMap};
use crate::plan::Plan;
use crate::render::put::put;
use crate::render::values::plural;

/// Causes and hints that are listed; the rest is counted. A refusal names every change that differs.
const LIST_SHOWN: usize = 40;

/// How much of one cause is shown, in characters.
const CAUSE_SHOWN: usize = 400;

/// What is under way, or went wrong.
#[derive(Clone, Copy, Debug)]
pub enum Status<'a> {
    /// A plan is being made.
    Planning,
    /// A plan is being applied.
    Applying,
    /// A command failed before it wrote anything.
    Failed {
        /// Whether it was an apply.
        apply: bool,
        /// Why, from the outermost cause to the innermost.
        causes: &'a [String],
        /// The mistakes in the manifests that it failed for.
        problems: &'a [Problem],
        /// What to do about it.
        hints: &'a [String],
    },
    /// An apply was refused: it is another plan than the approved one, or over a limit. The causes below the first are
    /// the difference.
    Refused {
        /// Why.
        causes: &'a [String],
        /// What to do about it.
        hints: &'a [String],
    },
    /// A newer commit or run has taken over.
    Superseded {
        /// Which.
        by: Option<&'a str>,
    },
}

/// The body. `plan` is the plan as it is now, shown below a refusal so that it can be reviewed and approved.
pub fn status_comment(
    environment: &str,
    status: Status<'_>,
    plan: Option<(&Plan, &SourceMap)>,
    context: &CommentContext,
) -> Body {
    let hash = plan.map(|(plan, _)| plan.plan_hash.as_str()).unwrap_or_default();
    let mut out = marker("status", hash, context, None);
    let (command, headline) = headline(status);
    put(&mut out, format_args!("### Agents {command} · {} — {headline}\n", place(environment, context)));
    out.push_str(&links(context));
    let mut truncated = false;
    match status {
        Status::Planning => out.push_str("The plan is being made. It will appear here.\n"),
        Status::Applying => out.push_str("The plan is being applied. The result will appear here.\n"),
        Status::Superseded { by: Some(by) } => put(&mut out, format_args!("Superseded by {}.\n", code(by))),
        Status::Superseded { by: None } => out.push_str("A newer run has taken over.\n"),
        Status::Failed { apply, causes, problems, hints } => {
            out.push_str(if apply {
                "> [!CAUTION]\n> The apply failed before it could report what it did. Its log has the details.\n\n"
            } else {
                "> [!CAUTION]\n> There is no plan; what was shown here before is out of date.\n\n"
            });
            list(&mut out, causes, hints);
            truncated = problems_below(&mut out, problems, context);
        }
        Status::Refused { causes, hints } => {
            out.push_str("> [!WARNING]\n> **Nothing was changed.**\n\n");
            if let [why, differs @ ..] = causes {
                put(&mut out, format_args!("{}\n\n", sentence(&capital(why))));
                if !differs.is_empty() {
                    out.push_str("<b>What differs:</b>\n\n");
                }
                list(&mut out, differs, hints);
            }
            if let Some((plan, _)) = plan {
                let hash = fenced("text", plan.plan_hash.as_str());
                put(&mut out, format_args!("\nThe hash of the plan as it is now, to approve it:\n\n{hash}"));
            }
        }
    }
    let (title, is_open) = match status {
        Status::Applying => ("The plan that is being applied", false),
        _ => ("The plan as it is now", true),
    };
    with_plan(Body { text: out, truncated }, title, is_open, plan, context)
}

/// The summary of a check of so many manifests.
pub fn validation_summary(environment: &str, manifests: usize, problems: &[Problem], context: &CommentContext) -> Body {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let mut out = marker("validation", "", context, None);
    let headline = match errors {
        0 => plural(manifests, "manifest is valid", "manifests are valid"),
        _ => plural(errors, "mistake", "mistakes"),
    };
    put(&mut out, format_args!("### Agents validate · {} — {headline}\n", place(environment, context)));
    out.push_str(&links(context));
    let truncated = problems_below(&mut out, problems, context);
    Body { text: out, truncated }
}

/// The problems in the room that is left; says whether some had none.
fn problems_below(out: &mut String, problems: &[Problem], context: &CommentContext) -> bool {
    let room = context.max_bytes.saturating_sub(out.len());
    problems::list(out, problems.iter().cloned(), room)
}

fn headline(status: Status<'_>) -> (&'static str, &'static str) {
    match status {
        Status::Planning => ("plan", "planning"),
        Status::Applying => ("apply", "applying"),
        Status::Failed { apply: false, .. } => ("plan", "failed"),
        Status::Failed { apply: true, .. } => ("apply", "failed"),
        Status::Refused { .. } => ("apply", "refused"),
        Status::Superseded { .. } => ("plan", "superseded"),
    }
}

fn links(context: &CommentContext) -> String {
    let parts = comment::links(context, None, false);
    if parts.is_empty() { "\n".to_owned() } else { format!("{}\n\n", parts.join(" · ")) }
}

/// The sentence with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn list(out: &mut String, causes: &[String], hints: &[String]) {
    let cut = |text: &str| match text.char_indices().nth(CAUSE_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    };
    for cause in causes.iter().take(LIST_SHOWN) {
        put(out, format_args!("- {}\n", sentence(&cut(cause))));
    }
    if causes.len() > LIST_SHOWN {
        put(out, format_args!("- {} more\n", causes.len() - LIST_SHOWN));
    }
    if !hints.is_empty() {
        out.push('\n');
    }
    for hint in hints.iter().take(LIST_SHOWN) {
        put(out, format_args!("- hint: {}\n", sentence(&cut(hint))));
    }
}
