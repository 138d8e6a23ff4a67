//! Keeps the issue on an environment's drift. What a forge refuses is a warning and changes nothing about the check.

use tokio_util::sync::CancellationToken;

use crate::forge::issue::{BODY_BYTES, FRAME_BYTES, Keeping, Kept, Mode, State};
use crate::forge::{Warning, WarningKind, issue};
use crate::plan::drift::{AgentDrift, Drift, DriftState};
use crate::render::drift::{drift_title, summary_line};
use crate::render::markdown::drift_body;
use crate::render::values::plural;

use super::args::IssueMode;
use super::comment::in_words;
use super::output;
use super::publish::{Options, Publisher};
use super::report::CommandError;
use super::settings::Settings;
use super::workflow::annotate;

/// Agents that the comment on new drift lists; the issue itself tells of all.
const AGENTS_TOLD: usize = 20;

/// Keeps it on the forge of this pipeline.
pub async fn keep(drift: &Drift, mode: IssueMode, labels: &[String], settings: &Settings) -> Result<Kept, Warning> {
    let publisher = Publisher::open(settings, Options::default(), CancellationToken::new())?;
    keep_at(&publisher, drift, mode, labels).await
}

/// Keeps it on a forge that is open already.
pub async fn keep_at(
    publisher: &Publisher,
    drift: &Drift,
    mode: IssueMode,
    labels: &[String],
) -> Result<Kept, Warning> {
    if drift.targeted && mode != IssueMode::Off {
        return Err(Warning::new(WarningKind::Unsupported, "keep the issue on drift")
            .cause("only some agents were checked, but the issue is about all of them")
            .hint("leave out --target and --exclude, or --issue"));
    }
    let context = publisher.context();
    let body = drift_body(drift, &publisher.comment_context(BODY_BYTES - FRAME_BYTES)).text;
    let state = match drift.state() {
        DriftState::Clean => State::Clean,
        DriftState::Drifted => State::Drifted { fingerprint: drift.fingerprint.to_string() },
        DriftState::NotChecked => State::NotChecked { reason: reason(drift) },
    };
    let news = news(&drift.agents);
    let key = publisher.key(&drift.target.environment);
    let keeping = Keeping {
        key: &key,
        title: &drift_title(drift, publisher.folder()),
        state: &state,
        body: &body,
        news: (!news.is_empty()).then_some(news.as_str()),
        labels,
        mode: match mode {
            IssueMode::Open => Mode::Open,
            IssueMode::Update => Mode::Update,
            IssueMode::Off => Mode::Off,
        },
        run_url: context.run.as_ref().and_then(|run| run.url.as_deref()),
    };
    issue::keep(publisher.forge(), &keeping).await
}

/// Says what was done, on stderr, for stdout is the check's. `kept` is `None` where the issue could not even be asked for.
///
/// Gives back whether the check has spoken: drift, or that nothing could be checked, which did not reach the issue in
/// full is known to nobody, and a run that ends well would hide it.
pub fn tell(drift: &Drift, mode: IssueMode, kept: Option<&Result<Kept, Warning>>, settings: &Settings) -> bool {
    let mut is_told = false;
    match kept {
        Some(Ok(Kept { done, number, url, warnings })) => {
            for warning in warnings {
                annotate::warning(&in_words(warning), settings.annotations);
            }
            is_told = warnings.is_empty();
            let number = number.map(|number| format!(" #{number}")).unwrap_or_default();
            let url = url.as_ref().map(|url| format!(": {url}")).unwrap_or_default();
            output::aside(&format!("Issue{number} {}{url}", done.as_str()));
        }
        Some(Err(warning)) => annotate::warning(&in_words(warning), settings.annotations),
        None => {}
    }
    if is_told || mode == IssueMode::Off || drift.state() == DriftState::Clean {
        return true;
    }
    let error = CommandError::config("the issue on drift could not be written, so nobody would learn what was found")
        .cause(summary_line(drift))
        .hint("the warnings above say why; without an issue, say `--issue=off`, or `drift-issue: off` in a workflow");
    output::aside(&error.text());
    annotate::failure(&error, settings.annotations);
    false
}

fn reason(drift: &Drift) -> String {
    drift.unchecked.first().and_then(|entry| entry.causes.first()).cloned().unwrap_or_default()
}

/// A line for each agent. Addresses have letters, digits and hyphens, so nothing in them needs an escape.
fn news(agents: &[AgentDrift]) -> String {
    let mut lines: Vec<String> = agents.iter().take(AGENTS_TOLD).map(line).collect();
    if agents.len() > AGENTS_TOLD {
        lines.push(format!("- and {} more", agents.len() - AGENTS_TOLD));
    }
    lines.join("\n")
}

fn line(agent: &AgentDrift) -> String {
    if agent.is_absent() {
        return format!("- `{}`: the agent does not exist", agent.address());
    }
    let values = plural(agent.fields.len(), "value", "values");
    let numbers = plural(agent.slots.len(), "number", "numbers");
    match (agent.fields.len(), agent.slots.len()) {
        (_, 0) => format!("- `{}`: {values}", agent.address()),
        (0, _) => format!("- `{}`: {numbers}", agent.address()),
        _ => format!("- `{}`: {values}, {numbers}", agent.address()),
    }
}
