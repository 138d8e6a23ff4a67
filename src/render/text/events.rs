//! What happens during an apply, a line for each event.

use super::TextOptions;
use super::paper::{Paper, Span, style_of};
use crate::plan::{AgentOutcome, Event, Outcome};
use crate::render::view::{outcome_tone, seconds};

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
            let word = Span::new(style_of(outcome_tone(outcome.outcome), options), outcome.outcome.as_str());
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
