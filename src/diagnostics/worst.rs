//! Of too many problems those that are shown. Nobody reads fifty thousand, and they would fill a log that holds the one
//! line that matters; how many there are is never lost.

use super::diagnostic::Severity;

/// Most problems that people are shown.
pub const SHOWN: usize = 200;

/// Most problems that a document for machines holds.
pub const KEPT: usize = 1_000;

/// The problems that are shown, and how many of each severity are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worst<'d, T> {
    /// The worst, in the order given.
    pub shown: Vec<&'d T>,
    /// The rest, by severity, in the order of [`Severity::ALL`].
    pub left_out: [usize; 3],
}

impl<'d, T> Worst<'d, T> {
    /// At most `limit` of some problems: errors before warnings before notices, otherwise the first of them.
    pub fn of(problems: &'d [T], limit: usize, severity: impl Fn(&T) -> Severity) -> Self {
        let mut left_out = [0; 3];
        if problems.len() <= limit {
            return Self { shown: problems.iter().collect(), left_out };
        }
        let mut room = limit;
        let mut takes = [0; 3];
        for ((level, take), left) in Severity::ALL.into_iter().zip(&mut takes).zip(&mut left_out) {
            let count = problems.iter().filter(|problem| severity(problem) == level).count();
            *take = count.min(room);
            *left = count - *take;
            room -= *take;
        }
        let fits = |problem: &&'d T| {
            let at = Severity::ALL.iter().position(|level| *level == severity(problem));
            let Some(take) = at.and_then(|at| takes.get_mut(at)) else { return false };
            let fits = *take > 0;
            *take = take.saturating_sub(1);
            fits
        };
        Self { shown: problems.iter().filter(fits).collect(), left_out }
    }

    /// How many are not shown.
    pub fn more(&self) -> usize {
        self.left_out.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_are_shown_in_the_order_given_and_the_rest_is_counted_by_severity() {
        use Severity::{Error, Notice, Warning};
        let problems = [(Warning, 0), (Error, 1), (Notice, 2), (Warning, 3), (Error, 4), (Warning, 5)];
        let severity = |problem: &(Severity, usize)| problem.0;
        let shown = |limit| {
            let worst = Worst::of(&problems, limit, severity);
            (worst.shown.iter().map(|problem| problem.1).collect::<Vec<_>>(), worst.left_out)
        };
        assert_eq!(shown(6), (vec![0, 1, 2, 3, 4, 5], [0, 0, 0]));
        assert_eq!(shown(4), (vec![0, 1, 3, 4], [0, 1, 1]));
        assert_eq!(shown(1), (vec![1], [1, 3, 1]));
        assert_eq!(Worst::of(&problems, 3, severity).more(), 3);
    }
}
