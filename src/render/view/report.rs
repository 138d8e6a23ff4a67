//! The account of an apply: a table that adds up, causes, hints and the command that goes on.

use super::account::{Account, Block, Mark, Note, OutcomeRow, Total, Warning, Way};
use super::piece::{Line, Theirs, Tone, line};
use super::words;
use crate::plan::{AgentOutcome, Outcome, Report, Traffic};
use crate::render::values::{grouped, plural};
use crate::render::words::report_line;

/// How to go on where something is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoOn {
    /// What the command does, where it does not simply finish the job.
    pub what: &'static str,
    /// The command, or commands line by line.
    pub copy: String,
}

/// The account of a report. `again` says how the job is finished, shown where something is left.
pub fn report(report: &Report, again: Option<&GoOn>) -> Account {
    let Report { target, plan_hash, outcomes, wrote, interrupted, notices, traffic } = report;
    let mut account = Account::of(target);
    if *interrupted {
        account.warnings.push(Warning {
            lead: "INTERRUPTED",
            tone: Tone::Danger,
            what: line![Tone::Danger; "no new step was begun after the signal."],
            hints: Vec::new(),
        });
    }
    account.outcomes = outcomes.iter().map(outcome_row).collect();
    account.blocks = outcomes.iter().filter_map(details).collect();
    account.notes = notices.iter().map(words::notice).collect();
    if !wrote && !outcomes.is_empty() {
        account.notes.push(Note { lead: "", tone: Tone::Plain, what: line![Tone::Plain; "Nothing was written."] });
    }
    let done = report.is_complete() && !interrupted;
    let tone = if done { Tone::Strong } else { Tone::Danger };
    account.totals = vec![
        Total { tone, what: line![tone; Theirs::words(report_line(report))] },
        Total { tone: Tone::Quiet, what: line![Tone::Quiet; Theirs::words(traffic_line(traffic))] },
        Total { tone: Tone::Quiet, what: line![Tone::Quiet; "Plan hash ", Theirs::code(plan_hash.as_str())] },
    ];
    if let (false, Some(again)) = (done, again) {
        let GoOn { what, copy } = again;
        account.ways.push(Way { name: "To go on", what, copy: Theirs::prose(copy.as_str()), language: "sh" });
    }
    account
}

/// How loud an outcome is. The one place that decides it.
pub fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Applied | Outcome::AlreadyApplied => Tone::Added,
        Outcome::Unverified | Outcome::Held | Outcome::Skipped | Outcome::NotStarted => Tone::Changed,
        Outcome::Stale | Outcome::Blocked | Outcome::Failed | Outcome::Unknown => Tone::Danger,
    }
}

/// `1.2 s`.
pub(in crate::render) fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

fn outcome_row(entry: &AgentOutcome) -> OutcomeRow {
    let is_open = matches!(entry.outcome, Outcome::Unknown | Outcome::Unverified);
    let live = entry
        .version
        .map(|version| line![Tone::Plain; "v", version, " live", if is_open { ", not confirmed" } else { "" }]);
    OutcomeRow {
        sign: entry.action.symbol(),
        is_in_place: entry.outcome.is_in_place(),
        cells: [
            words::agent(Tone::Strong, &entry.key),
            line![outcome_tone(entry.outcome); entry.outcome.as_str()],
            live.unwrap_or_default(),
            line![Tone::Quiet; Theirs::words(seconds(entry.milliseconds))],
        ],
    }
}

/// Why it did not end well, what is left behind, and what to do.
fn details(entry: &AgentOutcome) -> Option<Block> {
    let AgentOutcome { key, agent_id, outcome, draft, step, causes, hints, rewritten, left_behind, .. } = entry;
    let has_news = !outcome.is_in_place()
        || draft.is_some()
        || !causes.is_empty()
        || !hints.is_empty()
        || !rewritten.is_empty()
        || !left_behind.is_empty();
    if !has_news {
        return None;
    }
    let tone = outcome_tone(*outcome);
    let mut notes: Vec<Line> = Vec::new();
    for (index, cause) in causes.iter().enumerate() {
        let start = match index {
            0 => "cause: ",
            1 => "because: ",
            // The chain goes on, a line each.
            _ => "· ",
        };
        notes.push(line![Tone::Quiet; start].and(line![Tone::Plain; Theirs::sentence(cause.as_str())]));
    }
    notes.extend(draft.map(|draft| line![Tone::Plain; "draft v", draft, " was left behind"]));
    let list = |texts: Vec<Theirs>, tone| Line::joined(texts.into_iter().map(|text| line![tone; text]), ", ");
    if !left_behind.is_empty() {
        let numbers = left_behind.iter().map(|number| Theirs::words(number.as_str())).collect();
        notes.push(
            line![Tone::Plain; "numbers that were not seen where they should be: "].and(list(numbers, Tone::Plain)),
        );
    }
    notes.extend(rewritten.iter().map(|entry| {
        line![Tone::Changed; Theirs::code(entry.path.to_string()), ": "]
            .and(line![Tone::Plain; Theirs::sentence(entry.in_words())])
    }));
    notes.extend(
        hints.iter().map(|hint| line![Tone::Added; "hint: "].and(line![Tone::Plain; Theirs::sentence(hint.as_str())])),
    );
    let at = step.as_ref().map(|step| line![Tone::Plain; " at \"", Theirs::words(step.as_str()), "\""]);
    Some(Block {
        key: Some(key.clone()),
        title: words::agent(Tone::Strong, key),
        state: line![tone; outcome.as_str()].and(at.unwrap_or_default()),
        origin: agent_id.as_ref().map(Theirs::id),
        notes,
        is_risky: !outcome.is_in_place(),
        ..Block::new(Mark { sign: Line::default(), tone })
    })
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
