//! The three-way table: declared against live, against what was sent, and live against what was applied.
//!
//! It serves every managed path alike: config, agent fields, metadata keys and slots (design, section 5).

use super::change::Cause;

/// What is known of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Whether the manifest declares the path.
    pub declared: bool,
    /// Whether the declared value equals the live one; for an undeclared path, whether live is absent or the default.
    pub same_as_live: bool,
    /// Whether the declared value is what was sent last; `None` where it never was ours.
    pub same_as_sent: Option<bool>,
    /// Whether the live value is what the applied version held; `None` where nothing was applied here.
    pub live_as_applied: Option<bool>,
}

/// What to do about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is as declared.
    InPlace,
    /// Nothing: the service renders what was sent in its own way.
    Rendering,
    /// The declared value is written.
    Write(Cause),
    /// Nothing: no longer declared, and nothing of ours is left.
    LetGo,
    /// The path is removed.
    Remove(Cause),
    /// Nothing: it never was ours.
    NotOurs,
}

/// Reads the table.
pub fn verdict(evidence: Evidence) -> Verdict {
    let Evidence { declared, same_as_live, same_as_sent, live_as_applied } = evidence;
    if declared {
        return match (same_as_live, same_as_sent, live_as_applied) {
            (true, _, _) => Verdict::InPlace,
            // Never ours, or nothing applied to compare with: Git is the only side that is known to have changed.
            (false, None, _) | (false, Some(false), Some(true) | None) => Verdict::Write(Cause::Pending),
            (false, Some(true), Some(true)) => Verdict::Rendering,
            (false, Some(true), Some(false) | None) => Verdict::Write(Cause::Drift),
            (false, Some(false), Some(false)) => Verdict::Write(Cause::Conflict),
        };
    }
    match (same_as_sent, same_as_live, live_as_applied) {
        (None, _, _) => Verdict::NotOurs,
        (Some(_), true, _) => Verdict::LetGo,
        (Some(_), false, Some(true)) => Verdict::Remove(Cause::Pending),
        (Some(_), false, Some(false) | None) => Verdict::Remove(Cause::Conflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(same_as_live: bool, same_as_sent: Option<bool>, live_as_applied: Option<bool>) -> Verdict {
        verdict(Evidence { declared: true, same_as_live, same_as_sent, live_as_applied })
    }

    fn gone(same_as_live: bool, live_as_applied: bool) -> Verdict {
        let live_as_applied = Some(live_as_applied);
        verdict(Evidence { declared: false, same_as_live, same_as_sent: Some(false), live_as_applied })
    }

    #[test]
    fn a_value_that_is_live_is_in_place_whatever_was_sent() {
        for sent in [None, Some(true), Some(false)] {
            for applied in [None, Some(true), Some(false)] {
                assert_eq!(declared(true, sent, applied), Verdict::InPlace);
            }
        }
    }

    #[test]
    fn a_difference_with_nothing_changed_on_either_side_is_the_services_own_rendering() {
        assert_eq!(declared(false, Some(true), Some(true)), Verdict::Rendering);
    }

    #[test]
    fn git_alone_is_pending_the_dashboard_alone_is_drift_and_both_are_a_conflict() {
        assert_eq!(declared(false, Some(false), Some(true)), Verdict::Write(Cause::Pending));
        assert_eq!(declared(false, Some(true), Some(false)), Verdict::Write(Cause::Drift));
        assert_eq!(declared(false, Some(false), Some(false)), Verdict::Write(Cause::Conflict));
    }

    #[test]
    fn a_path_that_never_was_ours_is_pending_when_declared_and_left_alone_when_not() {
        assert_eq!(declared(false, None, None), Verdict::Write(Cause::Pending));
        let evidence =
            Evidence { declared: false, same_as_live: false, same_as_sent: None, live_as_applied: Some(false) };
        assert_eq!(verdict(evidence), Verdict::NotOurs);
    }

    #[test]
    fn a_path_no_longer_declared_goes_unless_it_is_gone_or_somebody_edited_it() {
        assert_eq!(gone(true, true), Verdict::LetGo);
        assert_eq!(gone(true, false), Verdict::LetGo);
        assert_eq!(gone(false, true), Verdict::Remove(Cause::Pending));
        assert_eq!(gone(false, false), Verdict::Remove(Cause::Conflict));
    }
}
