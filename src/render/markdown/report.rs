//! The comment after an apply.

use super::comment::marker;
use super::escape::{code, html_code, link, sentence};
use super::{Body, CommentContext};
use crate::plan::{AgentOutcome, Outcome, Report};
use crate::render::ladder::{Details, Rows, Rung, fit};
use crate::render::put::put;
use crate::render::words;

/// The body of the comment on an apply. `again` is the command that finishes the job.
pub fn report_comment(report: &Report, again: Option<&str>, context: &CommentContext) -> Body {
    fit(context.max_bytes, |rung| write(report, again, context, rung)).into()
}

fn write(report: &Report, again: Option<&str>, context: &CommentContext, rung: &Rung) -> String {
    let mut out = marker("apply", report.plan_hash.as_str(), context, None);
    let environment = code(&rung.bounded(&report.target.environment));
    put(&mut out, format_args!("### Agents apply · {environment} — {}\n", headline(report)));
    let mut parts = Vec::new();
    if let Some(commit) = &context.commit {
        let short: String = commit.chars().take(7).collect();
        parts.push(format!("Commit {}", code(&short)));
    }
    parts.push(format!("plan `{}`", report.plan_hash.short()));
    parts.extend(context.run_url.as_deref().and_then(|url| link("run", url)));
    put(&mut out, format_args!("{}\n\n", parts.join(" · ")));
    if report.interrupted {
        out.push_str("> [!WARNING]\n> **Interrupted:** no new step was begun after the signal.\n\n");
    }
    let shown = |entry: &&AgentOutcome| match rung.rows {
        Rows::All => true,
        Rows::Names => !entry.outcome.is_in_place(),
        Rows::Totals => false,
    };
    let rows: Vec<&AgentOutcome> = report.outcomes.iter().filter(shown).collect();
    if !rows.is_empty() {
        out.push_str("| | Agent | Outcome | Live version |\n|:-:|---|---|---|\n");
        for entry in &rows {
            let word = entry.outcome.as_str();
            let word = if entry.outcome.is_in_place() { word.to_owned() } else { format!("**{word}**") };
            let version = entry.version.map(|version| format!("v{version}")).unwrap_or_default();
            let (symbol, key) = (code(entry.action.symbol()), code(entry.key.as_str()));
            put(&mut out, format_args!("| {symbol} | {key} | {word} | {version} |\n"));
        }
        out.push('\n');
    }
    if rung.details > Details::None {
        for entry in &report.outcomes {
            details(&mut out, entry);
        }
        for notice in &report.notices {
            let about =
                notice.address.as_ref().map(|address| format!("{}: ", code(&address.to_string()))).unwrap_or_default();
            put(&mut out, format_args!("- {about}{}\n", sentence(&notice.message)));
        }
        if !report.notices.is_empty() {
            out.push('\n');
        }
    }
    if let Some(missing) = rung.missing.filter(|_| rung.rows != Rows::All || rung.details == Details::None) {
        put(&mut out, format_args!("> [!NOTE]\n> Shortened to fit: {missing}.\n\n"));
    }
    if let (false, Some(again)) = (report.is_complete() && !report.interrupted, again) {
        put(&mut out, format_args!("To go on: {}\n\n", code(&rung.bounded(again))));
    }
    put(&mut out, format_args!("<sub>{}</sub>\n", words::report_line(report)));
    out
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

fn details(out: &mut String, entry: &AgentOutcome) {
    let mut lines = Vec::new();
    if let Some(step) = entry.step.as_ref().filter(|_| !entry.outcome.is_in_place()) {
        lines.push(format!("ended at: {}", sentence(step)));
    }
    lines.extend(entry.causes.iter().map(|cause| format!("cause: {}", sentence(cause))));
    if let Some(draft) = entry.draft {
        lines.push(format!("draft v{draft} was left behind"));
    }
    if !entry.left_behind.is_empty() {
        let numbers: Vec<String> = entry.left_behind.iter().map(|number| code(number)).collect();
        lines.push(format!("numbers that were not seen where they should be: {}", numbers.join(", ")));
    }
    for rewrite in &entry.rewritten {
        lines.push(format!("{}: {}", code(&rewrite.path.to_string()), sentence(&rewrite.in_words())));
    }
    lines.extend(entry.hints.iter().map(|hint| format!("hint: {}", sentence(hint))));
    if lines.is_empty() {
        return;
    }
    let open = if matches!(entry.outcome, Outcome::Applied | Outcome::AlreadyApplied) { "" } else { " open" };
    put(
        out,
        format_args!(
            "<details{open}><summary>{} {}</summary>\n\n- {}\n\n</details>\n\n",
            html_code(&entry.address.to_string()),
            entry.outcome.as_str(),
            lines.join("\n- ")
        ),
    );
}
