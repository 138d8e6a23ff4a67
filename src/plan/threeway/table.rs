//! The three-way table: declared against live, against what was sent, and live against what was applied.
//!
//! It serves every managed path alike: config, agent fields, metadata keys and slots (design, section 5).

use crate::plan::change::Cause;

/// The live value of a path of ours against what was applied there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It is what was applied.
    AsApplied,
    /// An apply of ours was not finished, and it is what that apply has left to do.
    Unfinished,
    /// It is neither, so somebody changed it.
    Changed,
    /// The same, while an apply of ours was at work or not finished: the run that found it gave way, and nobody has
    /// decided since.
    Meanwhile,
}

/// What became of a path since something of ours was written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// Whether Git says something else than what was sent.
    pub git_changed: bool,
    /// The live value against what was applied.
    pub live: Since,
}

/// What is known of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Whether the manifest declares the path.
    pub declared: bool,
    /// Whether the declared value equals the live one; for an undeclared path, whether live is absent or the default.
    pub in_place: bool,
    /// What became of it; `None` where it never was ours.
    pub past: Option<Past>,
}

/// Why a path is written or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Git changed it, and nobody else.
    Git,
    /// An apply of ours was not finished.
    Unfinished,
    /// Somebody changed it on the service.
    Drift,
    /// Somebody changed it on the service while an apply of ours was at work or not finished, and Git did not. The next
    /// apply must not write over what nobody has looked at.
    Meanwhile,
    /// Both did.
    Conflict,
}

impl Why {
    /// As a plan shows it. What an apply of ours has left to do is written as anything that is pending.
    pub fn cause(self) -> Cause {
        match self {
            Self::Git | Self::Unfinished => Cause::Pending,
            Self::Drift => Cause::Drift,
            Self::Meanwhile | Self::Conflict => Cause::Conflict,
        }
    }
}

/// What to do about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is as declared.
    InPlace,
    /// Nothing: the service renders what was sent in its own way.
    Rendering,
    /// Nothing: it holds a secret that this run has no value for, and all that could be compared is in place.
    NotCompared,
    /// The declared value is written.
    Write(Why),
    /// Nothing: no longer declared, and nothing of ours is left.
    LetGo,
    /// The path is removed.
    Remove(Why),
    /// Nothing: it never was ours.
    NotOurs,
}

impl Verdict {
    /// Why something is written or removed, where it is.
    pub fn why(self) -> Option<Why> {
        match self {
            Self::Write(why) | Self::Remove(why) => Some(why),
            Self::InPlace | Self::Rendering | Self::NotCompared | Self::LetGo | Self::NotOurs => None,
        }
    }

    /// Whether somebody changed it on the service, and Git does not say the same: whether Git changed it as well.
    pub fn drifted(self) -> Option<bool> {
        match self.why()? {
            Why::Drift | Why::Meanwhile => Some(false),
            Why::Conflict => Some(true),
            Why::Git | Why::Unfinished => None,
        }
    }
}

/// Reads the table.
pub fn verdict(evidence: Evidence) -> Verdict {
    let Evidence { declared, in_place, past } = evidence;
    match (declared, in_place, past) {
        (true, true, _) => Verdict::InPlace,
        // Never ours: Git is the only side that is known to have changed.
        (true, false, None) => Verdict::Write(Why::Git),
        (true, false, Some(Past { git_changed: false, live: Since::AsApplied })) => Verdict::Rendering,
        (true, false, Some(past)) => Verdict::Write(past.why()),
        (false, _, None) => Verdict::NotOurs,
        (false, true, Some(_)) => Verdict::LetGo,
        (false, false, Some(past)) => Verdict::Remove(Past { git_changed: true, ..past }.why()),
    }
}

impl Past {
    fn why(self) -> Why {
        match (self.live, self.git_changed) {
            (Since::AsApplied, _) => Why::Git,
            (Since::Unfinished, _) => Why::Unfinished,
            (Since::Changed, false) => Why::Drift,
            (Since::Meanwhile, false) => Why::Meanwhile,
            (Since::Changed | Since::Meanwhile, true) => Why::Conflict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Since; 4] = [Since::AsApplied, Since::Unfinished, Since::Changed, Since::Meanwhile];

    #[expect(clippy::unnecessary_wraps, reason = "a past is one of the two that evidence may have")]
    fn past(git_changed: bool, live: Since) -> Option<Past> {
        Some(Past { git_changed, live })
    }

    fn declared(in_place: bool, past: Option<Past>) -> Verdict {
        verdict(Evidence { declared: true, in_place, past })
    }

    fn gone(in_place: bool, past: Option<Past>) -> Verdict {
        verdict(Evidence { declared: false, in_place, past })
    }

    #[test]
    fn a_value_that_is_live_is_in_place_whatever_was_sent() {
        assert_eq!(declared(true, None), Verdict::InPlace);
        for (git, live) in [false, true].into_iter().flat_map(|git| ALL.map(|live| (git, live))) {
            assert_eq!(declared(true, past(git, live)), Verdict::InPlace);
        }
    }

    #[test]
    fn a_difference_with_nothing_changed_on_either_side_is_the_services_own_rendering() {
        assert_eq!(declared(false, past(false, Since::AsApplied)), Verdict::Rendering);
    }

    #[test]
    fn git_alone_is_pending_the_dashboard_alone_is_drift_and_both_are_a_conflict() {
        assert_eq!(declared(false, past(true, Since::AsApplied)), Verdict::Write(Why::Git));
        assert_eq!(declared(false, past(false, Since::Changed)), Verdict::Write(Why::Drift));
        assert_eq!(declared(false, past(true, Since::Changed)), Verdict::Write(Why::Conflict));
    }

    #[test]
    fn what_somebody_changed_during_an_apply_is_held_although_git_has_not_changed() {
        let found = declared(false, past(false, Since::Meanwhile));
        assert_eq!((found.why().map(Why::cause), found.drifted()), (Some(Cause::Conflict), Some(false)));
        assert_eq!(declared(false, past(true, Since::Meanwhile)), Verdict::Write(Why::Conflict));
        assert_eq!(gone(false, past(true, Since::Meanwhile)), Verdict::Remove(Why::Conflict));
    }

    #[test]
    fn what_an_apply_of_ours_has_left_to_do_is_pending_and_no_drift_whatever_git_says_by_now() {
        for verdict in [
            declared(false, past(false, Since::Unfinished)),
            declared(false, past(true, Since::Unfinished)),
            gone(false, past(true, Since::Unfinished)),
        ] {
            assert_eq!(verdict.why(), Some(Why::Unfinished));
            assert_eq!((verdict.why().map(Why::cause), verdict.drifted()), (Some(Cause::Pending), None));
        }
    }

    #[test]
    fn a_path_that_never_was_ours_is_pending_when_declared_and_left_alone_when_not() {
        assert_eq!(declared(false, None), Verdict::Write(Why::Git));
        assert_eq!(gone(false, None), Verdict::NotOurs);
    }

    #[test]
    fn a_path_no_longer_declared_goes_unless_it_is_gone_or_somebody_edited_it() {
        for git in [false, true] {
            for live in ALL {
                assert_eq!(gone(true, past(git, live)), Verdict::LetGo);
            }
            assert_eq!(gone(false, past(git, Since::AsApplied)), Verdict::Remove(Why::Git));
            assert_eq!(gone(false, past(git, Since::Changed)), Verdict::Remove(Why::Conflict));
        }
    }
}
