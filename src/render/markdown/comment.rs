//! What each comment says before its account: whose it is, what became of it, and where more can be seen.

use super::account::{Head, body};
use super::escape::{code, link, marker_value};
use super::problems;
use super::{Body, CommentContext};
use crate::diagnostics::{Problem, SourceMap};
use crate::plan::difference::{Difference, Fate};
use crate::plan::drift::Drift;
use crate::plan::{Plan, Report};
use crate::render::drift as said;
use crate::render::json::difference_digest;
use crate::render::put::put;
use crate::render::view::fit::fit;
use crate::render::view::{self, Account};
use crate::render::words;

/// Characters of a name in a title.
const TITLE_NAME: usize = 60;
/// Characters of a commit in a comment.
const SHORT_COMMIT: usize = 7;

/// Which job compared the files, and so how far what it says is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// The one that tells.
    ThisJob,
    /// That of a fork's pull request: it can say whatever it likes.
    Fork,
    /// Another one, whose document is as little known.
    OtherJob,
}

impl Maker {
    fn headline(self) -> &'static str {
        match self {
            Self::ThisJob => "Agents difference",
            Self::Fork => "Offline difference of a fork, the service was not asked",
            Self::OtherJob => "Offline difference of another job, the service was not asked",
        }
    }

    /// What is said of it beside what every difference says of itself.
    fn note(self) -> &'static str {
        match self {
            Self::ThisJob => "",
            Self::Fork | Self::OtherJob => {
                "> [!NOTE]\n> This is what a job of the pull request says of its own files, and nothing here was \
                 checked. Review the changed files.\n\n"
            }
        }
    }
}

/// The body of the comment on a plan.
pub fn plan_comment(plan: &Plan, sources: &SourceMap, context: &CommentContext) -> Body {
    let summary = plan.summary();
    let state = words::state(plan).map(|state| format!("{state}, ")).unwrap_or_default();
    let (counts, unchanged) = (words::counts(&summary), summary.unchanged);
    let commit = plan.source.commit.as_deref();
    let mut above = String::new();
    let room = context.max_bytes / 4;
    problems::list(&mut above, plan.diagnostics.iter().map(|found| Problem::of(found, sources)), room);
    let head = Head {
        marker: marker("plan", plan.plan_hash.as_str(), context, commit),
        title: format!(
            "Agents plan · {} — {state}{counts} · {unchanged} unchanged",
            place(&plan.target.environment, context)
        ),
        links: links(context, commit, plan.source.dirty),
        above,
    };
    fitted(&head, view::plan(plan, context.place), context)
}

/// The body of the comment on an apply, with the plan that was applied folded below. `again` is how it goes on if
/// something is left.
pub fn report_comment(
    report: &Report,
    again: Option<&view::GoOn>,
    plan: Option<(&Plan, &SourceMap)>,
    context: &CommentContext,
) -> Body {
    let head = Head {
        marker: marker("apply", report.plan_hash.as_str(), context, None),
        title: format!("Agents apply · {} — {}", place(&report.target.environment, context), headline(report)),
        links: links(context, None, false),
        above: String::new(),
    };
    let told = fitted(&head, view::report(report, again), context);
    with_plan(told, "The plan that was applied", false, plan, context)
}

/// The body of the issue on an environment's drift.
pub fn drift_body(drift: &Drift, context: &CommentContext) -> Body {
    let head = Head {
        marker: marker("drift", drift.fingerprint.as_str(), context, drift.source.commit.as_deref()),
        title: format!("Agent drift · {} — {}", place(&drift.target.environment, context), said::outcome(drift)),
        links: links(context, drift.source.commit.as_deref(), drift.source.dirty),
        above: String::new(),
    };
    fitted(&head, view::drift(drift), context)
}

/// The body of the comment on a difference of files: what a pull request of a stranger gets, for which the service is not
/// asked.
pub fn difference_comment(difference: &Difference, maker: Maker, context: &CommentContext) -> Body {
    let hash = difference_digest(difference);
    let commit = difference.head.commit.as_deref();
    let counts: Vec<String> = [(Fate::Removed, "removed"), (Fate::Changed, "changed"), (Fate::Added, "added")]
        .into_iter()
        .map(|(fate, word)| (difference.count(fate), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let counts = if counts.is_empty() { "no difference".to_owned() } else { counts.join(", ") };
    let (environment, same) = (place(&difference.environment, context), difference.same);
    let head = Head {
        marker: marker("diff", hash.as_str(), context, commit),
        title: format!("{} · {environment} — {counts} · {same} the same", maker.headline()),
        links: links(context, commit, difference.head.dirty),
        above: maker.note().to_owned(),
    };
    fitted(&head, view::difference(difference), context)
}

fn fitted(head: &Head, account: Account, context: &CommentContext) -> Body {
    let fitted = fit(account, context.max_bytes, &|account| body(head, account, context));
    Body { text: fitted.text, truncated: fitted.truncated }
}

/// A body with a plan below it, in the room that is left.
pub(super) fn with_plan(
    above: Body,
    title: &str,
    is_open: bool,
    plan: Option<(&Plan, &SourceMap)>,
    context: &CommentContext,
) -> Body {
    let Some((plan, sources)) = plan else { return above };
    let Body { mut text, truncated } = above;
    let open = if is_open { " open" } else { "" };
    put(&mut text, format_args!("\n<details{open}><summary>{title}</summary>\n\n"));
    let end = "\n</details>\n";
    let rest = context.max_bytes.saturating_sub(text.len() + end.len());
    let below = plan_comment(plan, sources, &CommentContext { max_bytes: rest, ..context.clone() });
    text.push_str(&as_part(&below.text));
    text.push_str(end);
    Body { text, truncated: truncated || below.truncated }
}

/// A whole comment as a part of another: without its marker, and with its heading as a line.
fn as_part(text: &str) -> String {
    let text = text.split_once('\n').filter(|(first, _)| first.starts_with("<!--")).map_or(text, |(_, rest)| rest);
    match text.strip_prefix("### ").and_then(|text| text.split_once('\n')) {
        Some((heading, rest)) => format!("{heading}\n\n{rest}"),
        None => text.to_owned(),
    }
}

/// The hidden marker by which the comment is found again.
pub(super) fn marker(kind: &str, hash: &str, context: &CommentContext, commit: Option<&str>) -> String {
    let mut parts = vec![format!("reachform:{kind} v=1")];
    let values = [
        ("key", context.marker_key.as_deref()),
        ("sha", context.commit.as_deref().or(commit)),
        ("hash", Some(hash)),
        ("run", context.run_id.as_deref()),
    ];
    for (name, value) in values {
        if let Some(value) = value.map(marker_value).filter(|value| !value.is_empty()) {
            parts.push(format!("{name}={value}"));
        }
    }
    format!("<!-- {} -->\n", parts.join(" "))
}

/// An environment in a title, and the project's folder where it is not the repository itself.
pub(super) fn place(environment: &str, context: &CommentContext) -> String {
    let folder = context.folder.as_deref().filter(|folder| !folder.is_empty());
    let folder = folder.map(|folder| format!(" in {}", name(folder))).unwrap_or_default();
    format!("{}{folder}", name(environment))
}

/// A name in a title. However long it is, the comment stays one.
pub(super) fn name(of: &str) -> String {
    match of.char_indices().nth(TITLE_NAME) {
        Some((at, _)) => code(&format!("{}…", of.get(..at).unwrap_or_default())),
        None => code(of),
    }
}

/// The commit and where the run and the whole can be seen.
pub(super) fn links(context: &CommentContext, commit: Option<&str>, is_dirty: bool) -> Vec<String> {
    let commit = context.commit.as_deref().or(commit).map(|commit| {
        let short = code(&commit.chars().take(SHORT_COMMIT).collect::<String>());
        let address = context.repository_url.as_ref().map(|url| format!("{url}/commit/{commit}"));
        let linked = address.and_then(|url| link(&short, &url)).unwrap_or(short);
        format!("Commit {linked}{}", if is_dirty { " with changes that are not committed" } else { "" })
    });
    let run = context.run_url.as_deref().and_then(|url| link("run", url));
    let whole = context.full_plan_url.as_deref().and_then(|url| link("full plan", url));
    commit.into_iter().chain(run).chain(whole).collect()
}

fn headline(report: &Report) -> String {
    let (all, done) =
        (report.outcomes.len(), report.outcomes.iter().filter(|entry| entry.outcome.is_in_place()).count());
    if all == 0 {
        "nothing to do".to_owned()
    } else if done == all {
        format!("applied {done} of {all}")
    } else if !report.wrote {
        format!("refused, nothing was written ({done} of {all} in place)")
    } else {
        format!("partly applied, {done} of {all}")
    }
}
