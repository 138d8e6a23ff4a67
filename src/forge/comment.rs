//! PURE. The sticky comment: its states, which of many comments it is, and whether this run may still write it.

use super::marker::{self, EARLIER_RUNS, Marker};

/// What the comment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A plan is being made.
    Planning,
    /// A plan.
    Planned,
    /// The plan is being applied.
    Applying,
    /// It was applied.
    Applied,
    /// Some of it was.
    PartlyApplied,
    /// It was not applied, because it is not the plan that was approved, or a limit forbids it.
    Refused,
    /// The run failed.
    Failed,
    /// A newer commit or run has taken over.
    Superseded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Planning,
        Self::Planned,
        Self::Applying,
        Self::Applied,
        Self::PartlyApplied,
        Self::Refused,
        Self::Failed,
        Self::Superseded,
    ];

    /// The word in markers and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Planned => "planned",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::PartlyApplied => "partly-applied",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether it says what a run is doing, so that the run has to say more.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Planning | Self::Applying => true,
            Self::Planned | Self::Applied | Self::PartlyApplied | Self::Refused | Self::Failed | Self::Superseded => {
                false
            }
        }
    }

    /// Whether it speaks of a plan, and so of a commit that was the head of the pull request once. A failure may be of
    /// either.
    pub fn is_of_plan(self) -> bool {
        match self {
            Self::Planning | Self::Planned | Self::Superseded => true,
            Self::Applying | Self::Applied | Self::PartlyApplied | Self::Refused | Self::Failed => false,
        }
    }
}

/// When a comment is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Always: made once, then edited.
    #[default]
    Update,
    /// Made only if there is something to tell, but always edited, so that no old plan is left standing.
    Changes,
    /// A new one for every run.
    New,
    /// Never.
    Off,
}

/// A comment as the forge lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
    /// Where it is.
    pub url: String,
    /// Whether it is folded away, where the forge tells.
    pub minimised: bool,
}

/// Which of two runs is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Ours.
    Ours,
    /// The one that wrote the comment.
    Theirs,
}

/// Whether any comment bears our key: only then it matters who we are.
pub fn bears_key(comments: &[Comment], key: &str) -> bool {
    comments.iter().any(|comment| is_live_with(comment, key))
}

fn is_live_with(comment: &Comment, key: &str) -> bool {
    !comment.minimised && Marker::read(&comment.body).is_some_and(|marker| marker.key == key)
}

/// The comment to edit: by our hand, with our key, not folded away, and of several the newest. With [`Mode::New`] only
/// one that this run has written itself.
pub fn find<'c>(comments: &'c [Comment], ours: &Marker, login: &str, mode: Mode) -> Option<&'c Comment> {
    let of_this_run = |comment: &Comment| {
        Marker::read(&comment.body).is_some_and(|theirs| theirs.run == ours.run && theirs.attempt == ours.attempt)
    };
    comments
        .iter()
        .filter(|comment| comment.author.eq_ignore_ascii_case(login) && is_live_with(comment, &ours.key))
        .filter(|comment| mode != Mode::New || of_this_run(comment))
        .max_by_key(|comment| comment.id)
}

/// Comments of ours beside `found` that say what a run is doing. No run writes them any more: two at once have both made
/// one, or a run was stopped between two words. With [`Mode::New`] the run of each may be alive, so that only those of
/// older runs count.
pub fn left_behind<'c>(
    comments: &'c [Comment],
    ours: &Marker,
    login: &str,
    mode: Mode,
    found: Option<&Comment>,
) -> Vec<(&'c Comment, Marker)> {
    comments
        .iter()
        .filter(|comment| comment.author.eq_ignore_ascii_case(login) && is_live_with(comment, &ours.key))
        .filter(|comment| found.is_none_or(|found| found.id != comment.id))
        .filter_map(|comment| Some((comment, Marker::read(&comment.body)?)))
        .filter(|(_, theirs)| theirs.state.is_some_and(State::is_passing))
        .filter(|(_, theirs)| mode != Mode::New || standing(ours, theirs, None) == Standing::Ours)
        .collect()
}

/// Whether it takes the pull request's head to say which of two runs is newer: both tell of plans, of two commits.
pub fn needs_head(ours: &Marker, theirs: &Marker) -> bool {
    is_plan(ours) && is_plan(theirs) && ours.run != theirs.run && ours.sha != theirs.sha && theirs.sha.is_some()
}

fn is_plan(marker: &Marker) -> bool {
    marker.state.is_some_and(State::is_of_plan)
}

/// How much a forge's count of runs grows, at most, while one run lives: by a tenth.
///
/// A run lives 35 days at the most, and can be started again for 30 days with the id that it has: 65 days from its first
/// word to its last. GitHub counts the runs of all repositories together and has counted for years; that count, some
/// twenty thousand million, grows by less than a tenth in 65 days even if it doubles every year and a half.
const GROWTH: u64 = 10;

/// What a count may grow by that is still so low that a tenth of it is nothing: that of a new installation.
const YOUNG: u64 = 100_000;

/// Whether a run of that id can have been started while ours lives. An id that cannot was not written by a run of ours,
/// and would keep every later run from the comment.
fn is_possible(theirs: u64, ours: u64) -> bool {
    theirs <= ours.saturating_add(ours / GROWTH).saturating_add(YOUNG)
}

/// Which run is to be believed. `head` is the pull request's head commit, where it was asked for.
pub fn standing(ours: &Marker, theirs: &Marker, head: Option<&str>) -> Standing {
    // Without a run's id it was a person at a keyboard, who means it.
    let (Some(our_run), Some(their_run)) = (ours.run, theirs.run) else { return Standing::Ours };
    if !is_possible(their_run, our_run) {
        return Standing::Ours;
    }
    if our_run == their_run {
        return if ours.attempt >= theirs.attempt { Standing::Ours } else { Standing::Theirs };
    }
    // A plan of the head outweighs a plan of any other commit, whichever run was started later.
    if let (Some(head), true) = (head, needs_head(ours, theirs)) {
        if ours.sha.as_deref() == Some(head) {
            return Standing::Ours;
        }
        if theirs.sha.as_deref() == Some(head) {
            return Standing::Theirs;
        }
    }
    if our_run > their_run {
        return Standing::Ours;
    }
    // Run again by a person, on the same commit and for the same end: later in time than its id says.
    let again = ours.attempt > 1 && ours.sha.is_some() && ours.sha == theirs.sha && is_plan(ours) == is_plan(theirs);
    if again { Standing::Ours } else { Standing::Theirs }
}

/// The runs to remember when `ours` is written over `theirs`.
pub fn earlier(ours: &Marker, theirs: &Marker) -> Vec<u64> {
    let mut runs: Vec<u64> = Vec::new();
    for run in theirs.run.iter().chain(&theirs.earlier) {
        let is_known = ours.run.is_none_or(|ours| is_possible(*run, ours));
        if is_known && Some(*run) != ours.run && !runs.contains(run) {
            runs.push(*run);
        }
    }
    runs.truncate(EARLIER_RUNS);
    runs
}

/// What we put around a body, at most: the marker, and links to [`EARLIER_RUNS`] runs.
pub const FRAME_BYTES: usize = 1_600;

/// The whole text: marker, body, and where the earlier runs are. The links are left out where they do not fit.
pub fn compose(marker: &Marker, markdown: &str, run_url: &dyn Fn(u64) -> String, max_bytes: usize) -> String {
    let mut out = format!("{}\n{}", marker.line(), marker::without(markdown));
    let links: Vec<String> =
        marker.earlier.iter().take(EARLIER_RUNS).map(|run| format!("[{run}]({})", run_url(*run))).collect();
    if !links.is_empty() {
        let line = format!("\n<sub>Earlier runs: {}</sub>\n", links.join(" "));
        if out.len() + line.len() <= max_bytes {
            out.push_str(&line);
        }
    }
    out
}

/// Whether two texts are the same to a reader: forges change line ends, and trim.
pub fn same_text(one: &str, other: &str) -> bool {
    let lines = |text: &str| -> Vec<String> { text.trim().lines().map(|line| line.trim_end().to_owned()).collect() };
    lines(one) == lines(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::context::Run;

    fn marker(run: u64, attempt: u64, sha: &str, state: State) -> Marker {
        let run = Run { id: run, number: None, attempt, url: None };
        Marker { sha: Some(sha.to_owned()), ..Marker::new("k", state, Some(&run)) }
    }

    fn comment(id: u64, author: &str, marker: &Marker) -> Comment {
        let body = format!("{}\nx", marker.line());
        Comment { id, author: author.to_owned(), body, url: String::new(), minimised: false }
    }

    #[test]
    fn words_of_states_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn ours_is_the_newest_live_one_by_our_hand_and_with_our_key() {
        let ours = marker(9, 1, "a", State::Planned);
        let mut comments = vec![
            comment(1, "bot", &ours),
            comment(2, "Bot", &ours),
            comment(3, "bot", &ours),
            comment(4, "eve", &ours),
            comment(5, "bot", &Marker { key: "other".to_owned(), ..ours.clone() }),
        ];
        comments[2].minimised = true;
        assert_eq!(find(&comments, &ours, "bot", Mode::Update).unwrap().id, 2);
        assert!(bears_key(&comments, "k") && !bears_key(&comments, "none"));
        let later = marker(10, 1, "a", State::Planned);
        assert_eq!(find(&comments, &later, "bot", Mode::New), None);
        assert_eq!(find(&comments, &later, "bot", Mode::Changes).unwrap().id, 2);
        assert_eq!(find(&comments, &ours, "bot", Mode::New).unwrap().id, 2);
    }

    #[test]
    fn an_older_run_that_ends_last_gives_way() {
        use Standing::{Ours, Theirs};
        use State::{Applied, Failed, Planned};
        let new = marker(20, 1, "b", Planned);
        for (ours, theirs, head, expected) in [
            // Of one run the later word counts, and the later attempt.
            (marker(20, 1, "b", Planned), &new, None, Ours),
            (marker(20, 2, "b", Planned), &new, None, Ours),
            (marker(20, 1, "b", Planned), &marker(20, 2, "b", Planned), None, Theirs),
            // Of two runs the one that was started later.
            (marker(19, 1, "a", Planned), &new, None, Theirs),
            (marker(21, 1, "a", Planned), &new, None, Ours),
            // Started later, yet for a commit that is the head no more; and the other way round.
            (marker(21, 1, "a", Planned), &new, Some("b"), Theirs),
            (marker(19, 1, "c", Planned), &new, Some("c"), Ours),
            // A re-run for the same commit; not so for an older one, and not over an apply.
            (marker(19, 2, "b", Planned), &new, None, Ours),
            (marker(19, 2, "a", Planned), &new, None, Theirs),
            (marker(19, 2, "b", Planned), &marker(20, 1, "b", Applied), None, Theirs),
            // An apply is of the merge, which is no head; its run decides.
            (marker(21, 1, "m", Applied), &new, Some("b"), Ours),
            (marker(21, 1, "m", Failed), &new, Some("b"), Ours),
        ] {
            assert_eq!(standing(&ours, theirs, head), expected, "{ours:?} over {theirs:?} at {head:?}");
        }
        assert_eq!(standing(&Marker::default(), &new, None), Ours);
    }

    #[test]
    fn a_run_that_cannot_be_yet_pins_no_comment() {
        let ours = marker(20_000_000_000, 1, "a", State::Applied);
        let theirs = |run| Marker { earlier: vec![run, 7], ..marker(run, 1, "a", State::Applied) };
        for run in [u64::MAX, 40_000_000_000, 22_000_100_001] {
            assert_eq!(standing(&ours, &theirs(run), None), Standing::Ours, "{run}");
            assert_eq!(earlier(&ours, &theirs(run)), [7], "{run}");
        }
        // What a longer-lived run may see of a later one still counts, also where few runs were counted.
        for (ours, run) in [(20_000_000_000, 21_600_000_000), (20, 90_000)] {
            let ours = marker(ours, 1, "a", State::Applied);
            assert_eq!(standing(&ours, &theirs(run), None), Standing::Theirs, "{run}");
        }
    }

    #[test]
    fn earlier_runs_are_remembered_once_each_and_five_at_most() {
        let mut theirs = marker(20, 1, "a", State::Planned);
        theirs.earlier = vec![19, 18, 20, 17, 16, 15, 14];
        assert_eq!(earlier(&marker(21, 1, "b", State::Planned), &theirs), [20, 19, 18, 17, 16]);
        assert_eq!(earlier(&marker(20, 1, "b", State::Planned), &theirs), [19, 18, 17, 16, 15]);
    }

    #[test]
    fn a_body_keeps_one_marker_and_its_budget() {
        let mut marker = marker(20, 1, "a", State::Planned);
        marker.earlier = vec![19, 18];
        let url = |run: u64| format!("https://x.test/runs/{run}");
        let body = compose(&marker, "<!-- reachform:plan v=1 hash=x -->\n### Agents\n", &url, 60_000);
        assert_eq!(body.matches("<!--").count(), 1);
        assert!(body.ends_with("<sub>Earlier runs: [19](https://x.test/runs/19) [18](https://x.test/runs/18)</sub>\n"));
        let tight = compose(&marker, "### Agents\n", &url, marker.line().len() + 20);
        assert!(tight.ends_with("### Agents\n"));
        assert!(same_text("a  \r\nb\r\n", "a\nb") && !same_text("a", "b"));
    }

    #[test]
    fn the_frame_is_never_larger_than_what_is_set_aside_for_it() {
        let long = "f".repeat(400);
        let marker = Marker {
            key: long.clone(),
            state: Some(State::PartlyApplied),
            sha: Some(long.clone()),
            plan_hash: Some(long),
            run: Some(u64::MAX),
            attempt: u64::MAX,
            earlier: vec![u64::MAX; 9],
        };
        let url = |run: u64| {
            format!("https://a-rather-long-host.example.com/some-organization/some-repository/actions/runs/{run}")
        };
        assert!(compose(&marker, "", &url, usize::MAX).len() <= FRAME_BYTES);
    }
}
