//! What became of a plan, for a terminal: a table that adds up, causes, hints and the command that goes on.

use unicode_width::UnicodeWidthStr as _;

use super::TextOptions;
use super::paper::{Paper, Span};
use super::plan::target_line;
use crate::plan::{AgentOutcome, Event, Outcome, Report, Traffic};
use crate::render::values::{grouped, plural};
use crate::render::visible;

/// The whole report. `again` is the command that finishes the job, shown where something is left.
pub fn report_text(report: &Report, again: Option<&str>, options: &TextOptions) -> String {
    let Report { target, plan_hash, outcomes, wrote, interrupted, notices, traffic } = report;
    let styles = &options.styles;
    let mut paper = Paper::new(options.columns());
    target_line(&mut paper, target, options);
    if *interrupted {
        let text = "INTERRUPTED: no new step was begun after the signal.";
        paper.flow(0, 2, &[Span::new(styles.danger, text)]);
    }
    paper.blank();
    table(&mut paper, outcomes, options);
    for entry in outcomes {
        details(&mut paper, entry, options);
    }
    paper.blank();
    for notice in notices {
        let about = notice.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let text = format!("{about}{}", notice.message);
        paper.flow(0, 2, &[Span::new(styles.changed, "Note: "), Span::plain(&text)]);
    }
    if !wrote && !outcomes.is_empty() {
        paper.flow(0, 2, &[Span::plain("Nothing was written.")]);
    }
    let done = report.is_complete() && !interrupted;
    let style = if done { styles.strong } else { styles.danger };
    paper.flow(0, 2, &[Span::new(style, &crate::render::words::report_line(report))]);
    paper.flow(0, 2, &[Span::new(styles.dim, &traffic_line(traffic))]);
    paper.whole(0, &[Span::new(styles.dim, &format!("Plan hash {plan_hash}"))]);
    if let (false, Some(again)) = (done, again) {
        paper.whole(0, &[Span::plain("To go on:  "), Span::new(styles.strong, again)]);
    }
    paper.into_text()
}

/// One line for one event of an apply; `None` for one that only a verbose run shows.
pub fn event_line(event: &Event, verbose: bool, options: &TextOptions) -> Option<String> {
    let styles = &options.styles;
    let mut paper = Paper::new(usize::MAX);
    match event {
        Event::Started { address, action } => {
            paper.whole(
                0,
                &[Span::new(styles.strong, &address.to_string()), Span::plain(&format!(": {}", action.as_str()))],
            );
        }
        Event::Step { address, what } if verbose => {
            paper.whole(0, &[Span::new(styles.dim, &format!("{address}: {what}"))]);
        }
        Event::Step { .. } => return None,
        Event::Finished { outcome } => {
            let name = outcome.address.to_string();
            let word = Span::new(outcome_style(outcome.outcome, options), outcome.outcome.as_str());
            let rest = format!("{} ({})", version_note(outcome), seconds(outcome.milliseconds));
            paper.whole(0, &[Span::new(styles.strong, &name), Span::plain(": "), word, Span::plain(&rest)]);
        }
        Event::Note { message } => paper.whole(0, &[Span::new(styles.changed, "note: "), Span::plain(message)]),
    }
    Some(paper.into_text().trim_end().to_owned())
}

fn version_note(outcome: &AgentOutcome) -> String {
    match (outcome.version, outcome.outcome) {
        (Some(version), Outcome::Unknown | Outcome::Unverified) => {
            format!(", v{version} was live when last seen, not confirmed")
        }
        (Some(version), _) => format!(", v{version} is live"),
        (None, _) => String::new(),
    }
}

fn outcome_style(outcome: Outcome, options: &TextOptions) -> anstyle::Style {
    match outcome {
        Outcome::Applied | Outcome::AlreadyApplied => options.styles.added,
        Outcome::Unverified | Outcome::Held | Outcome::Skipped | Outcome::NotStarted => options.styles.changed,
        Outcome::Stale | Outcome::Blocked | Outcome::Failed | Outcome::Unknown => options.styles.danger,
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

fn table(paper: &mut Paper, outcomes: &[AgentOutcome], options: &TextOptions) {
    let column = |of: fn(&AgentOutcome) -> String| outcomes.iter().map(|entry| of(entry).width()).max().unwrap_or(0);
    let name = |entry: &AgentOutcome| entry.address.to_string();
    let (names, words, versions) = (column(name), column(|entry| entry.outcome.as_str().to_owned()), column(live));
    for entry in outcomes {
        let pad = |text: &str, width: usize| format!("{text}{}", " ".repeat(width.saturating_sub(text.width()) + 2));
        let spans = [
            Span::plain(&format!("{:<3}", entry.action.symbol())),
            Span::new(options.styles.strong, &pad(&name(entry), names)),
            Span::new(outcome_style(entry.outcome, options), &pad(entry.outcome.as_str(), words)),
            Span::plain(&pad(&live(entry), versions)),
            Span::new(options.styles.dim, &seconds(entry.milliseconds)),
        ];
        paper.whole(2, &spans);
    }
}

fn live(entry: &AgentOutcome) -> String {
    let is_open = matches!(entry.outcome, Outcome::Unknown | Outcome::Unverified);
    let note = if is_open { ", not confirmed" } else { "" };
    entry.version.map(|version| format!("v{version} live{note}")).unwrap_or_default()
}

/// Why it did not end well, what is left behind, and what to do.
fn details(paper: &mut Paper, entry: &AgentOutcome, options: &TextOptions) {
    let AgentOutcome {
        address,
        key: _,
        name: _,
        agent_id,
        action: _,
        outcome,
        version: _,
        draft,
        step,
        causes,
        hints,
        rewritten,
        left_behind,
        milliseconds: _,
    } = entry;
    let has_news = !outcome.is_in_place()
        || draft.is_some()
        || !causes.is_empty()
        || !hints.is_empty()
        || !rewritten.is_empty()
        || !left_behind.is_empty();
    if !has_news {
        return;
    }
    let styles = &options.styles;
    paper.blank();
    let at = step.as_ref().map(|step| format!(" at \"{step}\"")).unwrap_or_default();
    let id = agent_id.as_ref().map(|id| format!("   {id}")).unwrap_or_default();
    let spans = [
        Span::new(styles.strong, &address.to_string()),
        Span::plain(": "),
        Span::new(outcome_style(*outcome, options), outcome.as_str()),
        Span::plain(&at),
        Span::new(styles.dim, &id),
    ];
    paper.flow(2, 6, &spans);
    for (index, cause) in causes.iter().enumerate() {
        let start = if index == 0 { "cause: " } else { "which comes from: " };
        paper.flow(4, 6, &[Span::new(styles.dim, start), Span::plain(cause)]);
    }
    if let Some(draft) = draft {
        paper.flow(4, 6, &[Span::plain(&format!("draft v{draft} was left behind"))]);
    }
    if !left_behind.is_empty() {
        let text = format!("numbers that stayed where they were: {}", left_behind.join(", "));
        paper.flow(4, 6, &[Span::plain(&text)]);
    }
    for entry in rewritten {
        let text = visible::one_line(&format!("{}: {}", entry.path, entry.in_words()));
        paper.flow(4, 6, &[Span::new(styles.changed, &text)]);
    }
    for hint in hints {
        paper.flow(4, 6, &[Span::new(styles.added, "hint: "), Span::plain(hint)]);
    }
}

fn traffic_line(traffic: &Traffic) -> String {
    let Traffic { requests, retries, throttled, waited_milliseconds } = traffic;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let mut parts = vec![plural(count(*requests), "request", "requests")];
    if *retries > 0 {
        parts.push(format!("{} of them again", grouped(count(*retries))));
    }
    if *throttled > 0 {
        let times = plural(count(*throttled), "time", "times");
        parts.push(format!("asked to wait {times}, {} waited", seconds(*waited_milliseconds)));
    }
    format!("{}.", parts.join(", "))
}
