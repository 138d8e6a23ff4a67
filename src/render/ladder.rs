//! What a comment or a page leaves out, step by step, until it fits.

use crate::render::prose::HunkLimits;

/// Which agents are shown in detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Details {
    /// None.
    None,
    /// Those that someone should look at twice.
    Risky,
    /// All.
    All,
}

/// What names of deleted and conflicting agents, and rows of the table, are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rows {
    /// Nothing but totals.
    Totals,
    /// Totals, and by name what is deleted or in conflict.
    Names,
    /// A row for every agent.
    All,
}

/// One rung: how much is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung {
    pub(super) limits: HunkLimits,
    pub(super) hunks_per_text: usize,
    pub(super) details: Details,
    pub(super) rows: Rows,
    /// What is missing, as the end of "Shortened to fit: …".
    pub(super) missing: Option<&'static str>,
}

const fn words(context_words: usize, longest_part: usize) -> HunkLimits {
    HunkLimits { context_words, longest_part }
}

/// From everything to nothing but totals. Each rung leaves out what a reviewer misses least.
const RUNGS: [Rung; 9] = [
    Rung {
        limits: HunkLimits::NONE,
        hunks_per_text: usize::MAX,
        details: Details::All,
        rows: Rows::All,
        missing: None,
    },
    Rung {
        limits: words(4, 120),
        hunks_per_text: usize::MAX,
        details: Details::All,
        rows: Rows::All,
        missing: Some("long changes are shown by their beginning and end"),
    },
    Rung {
        limits: words(4, 60),
        hunks_per_text: 5,
        details: Details::All,
        rows: Rows::All,
        missing: Some("of each text the first 5 hunks are shown"),
    },
    Rung {
        limits: words(4, 30),
        hunks_per_text: 2,
        details: Details::All,
        rows: Rows::All,
        missing: Some("of each text the first 2 hunks are shown"),
    },
    Rung {
        limits: words(4, 30),
        hunks_per_text: 2,
        details: Details::Risky,
        rows: Rows::All,
        missing: Some("details are shown only of agents that need a second look"),
    },
    Rung {
        limits: words(4, 30),
        hunks_per_text: 0,
        details: Details::Risky,
        rows: Rows::All,
        missing: Some("details are shown only of agents that need a second look, without the changed words"),
    },
    Rung {
        limits: words(4, 30),
        hunks_per_text: 0,
        details: Details::None,
        rows: Rows::All,
        missing: Some("no details are shown"),
    },
    Rung {
        limits: words(4, 30),
        hunks_per_text: 0,
        details: Details::None,
        rows: Rows::Names,
        missing: Some("only agents that are deleted or in conflict are named"),
    },
    Rung {
        limits: words(4, 30),
        hunks_per_text: 0,
        details: Details::None,
        rows: Rows::Totals,
        missing: Some("no agent is named"),
    },
];

/// What was written, and whether anything was left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) text: String,
    pub(super) truncated: bool,
}

/// Writes with less and less until the text fits. The last rung is a few hundred bytes, a few
/// thousand where every name in it is hostile, and is taken as it is.
pub(super) fn fit(max_bytes: usize, write: impl Fn(&Rung) -> String) -> Fitted {
    let mut fitted = Fitted { text: String::new(), truncated: false };
    for rung in &RUNGS {
        fitted = Fitted { text: write(rung), truncated: rung.missing.is_some() };
        if fitted.text.len() <= max_bytes {
            break;
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rung_that_fits_is_taken() {
        let body = fit(100, |rung| "x".repeat(if rung.details == Details::None { 50 } else { 500 }));
        assert_eq!((body.text.len(), body.truncated), (50, true));
        let body = fit(100, |_| "x".to_owned());
        assert!(!body.truncated);
    }

    #[test]
    fn every_rung_shows_no_more_than_the_one_before() {
        for pair in RUNGS.windows(2) {
            assert!(pair[1].details <= pair[0].details && pair[1].rows <= pair[0].rows);
            assert!(pair[1].hunks_per_text <= pair[0].hunks_per_text);
            assert!(pair[1].limits.longest_part <= pair[0].limits.longest_part);
        }
    }
}
