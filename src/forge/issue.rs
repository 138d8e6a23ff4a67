//! Keeps one issue for an environment: opened once, edited in place, closed when all is well, opened again when not.
//!
//! It is found by author and hidden marker, never by its title, which is people's to change. What a forge is told to do
//! is decided in [`decide`], without the network.

use super::comment::same_text;
use super::marker;
use super::once::once;
use super::service::{Closing, Forge, Issue, IssueEdit};
use super::warning::{Warning, WarningKind};

/// What is known of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Live is as it was applied.
    Clean,
    /// It is not.
    Drifted {
        /// Equal for equal drift, whenever it is found.
        fingerprint: String,
    },
    /// It could not be told.
    NotChecked {
        /// Why, in a few words.
        reason: String,
    },
}

/// When the issue is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is opened where there is none.
    #[default]
    Open,
    /// Only one that there is already is kept.
    Update,
    /// Never.
    Off,
}

/// What is to be kept.
#[derive(Clone, Debug)]
pub struct Keeping<'a> {
    /// Whose issue it is: [`marker::key`] of the environment.
    pub key: &'a str,
    /// The title of a new issue.
    pub title: &'a str,
    /// What is known.
    pub state: &'a State,
    /// The finished Markdown, at most [`BODY_BYTES`].
    pub body: &'a str,
    /// Finished Markdown for the one comment when the drift is another one than before.
    pub news: Option<&'a str>,
    /// Labels of a new issue. By the first of them it is looked for first.
    pub labels: &'a [String],
    /// When it is written.
    pub mode: Mode,
    /// Where the run can be seen.
    pub run_url: Option<&'a str>,
}

/// The longest body, our marker and what is kept of an older one included.
pub const BODY_BYTES: usize = 60_000;

/// Set aside in a body for the marker.
pub const FRAME_BYTES: usize = 600;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Opened.
    Opened,
    /// Its text was edited; nobody was told, for it is the same drift.
    Updated,
    /// Its text was edited, and a comment tells that the drift is another one.
    Told,
    /// It says this already.
    Unchanged,
    /// Closed with a comment.
    Closed,
    /// Opened again with a comment.
    Reopened,
    /// A person has closed it for this very drift: it stays closed.
    LeftClosed,
    /// There is none, and none is needed.
    Nothing,
}

impl Done {
    /// The word in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Told => "commented on",
            Self::Unchanged => "unchanged",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::LeftClosed => "left-closed",
            Self::Nothing => "nothing",
        }
    }
}

/// What was done, and to which issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What was done.
    pub done: Done,
    /// Its number.
    pub number: Option<u64>,
    /// Where it is.
    pub url: Option<String>,
    /// What did not work beside it, as the comment on an issue that was edited.
    pub warnings: Vec<Warning>,
}

/// What an issue of ours says in its hidden line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    state: String,
    fingerprint: Option<String>,
}

/// What is to be done to an issue that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    done: Done,
    open: Option<Closing>,
    writes: bool,
    comment: Option<Comment>,
}

/// Which comment goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comment {
    Changed,
    Back,
    Clean,
}

/// Keeps it.
pub async fn keep(forge: &dyn Forge, keeping: &Keeping<'_>) -> Result<Kept, Warning> {
    let nothing = Kept { done: Done::Nothing, number: None, url: None, warnings: Vec::new() };
    if keeping.mode == Mode::Off {
        return Ok(nothing);
    }
    match find(forge, keeping).await? {
        Some((issue, known)) => change(forge, keeping, &issue, &known).await,
        None if keeping.mode == Mode::Open && matches!(keeping.state, State::Drifted { .. }) => {
            open(forge, keeping).await
        }
        None => Ok(nothing),
    }
}

fn decide(state: &State, is_open: bool, known: &Known) -> Step {
    let step = |done, open, writes, comment| Step { done, open, writes, comment };
    match (state, is_open) {
        (State::Clean, true) => step(Done::Closed, Some(Closing::Done), true, Some(Comment::Clean)),
        // A person closed it while there was drift: what comes next is new drift.
        (State::Clean, false) => step(Done::Unchanged, None, known.state != "clean", None),
        (State::Drifted { fingerprint }, true) if known.fingerprint.as_ref() == Some(fingerprint) => {
            step(Done::Updated, None, true, None)
        }
        (State::Drifted { .. }, true) => step(Done::Told, None, true, Some(Comment::Changed)),
        (State::Drifted { fingerprint }, false)
            if known.state != "clean" && known.fingerprint.as_ref() == Some(fingerprint) =>
        {
            step(Done::LeftClosed, None, false, None)
        }
        (State::Drifted { .. }, false) => step(Done::Reopened, Some(Closing::Open), true, Some(Comment::Back)),
        (State::NotChecked { .. }, true) => step(Done::Updated, None, true, None),
        (State::NotChecked { .. }, false) => step(Done::Unchanged, None, false, None),
    }
}

async fn change(forge: &dyn Forge, keeping: &Keeping<'_>, issue: &Issue, known: &Known) -> Result<Kept, Warning> {
    let step = decide(keeping.state, issue.open, known);
    let body = text(keeping, Some((known, issue.body.as_str())))?;
    let mut kept =
        Kept { done: step.done, number: Some(issue.number), url: Some(issue.url.clone()), warnings: Vec::new() };
    if !step.writes {
        return Ok(kept);
    }
    let is_new = !same_text(&issue.body, &body);
    if !is_new && step.open.is_none() && step.comment.is_none() {
        kept.done = if step.done == Done::Updated { Done::Unchanged } else { step.done };
        return Ok(kept);
    }
    // The edit first: with it the fingerprint is remembered, so that a comment is written once at most.
    let edit = IssueEdit { body: is_new.then(|| body.clone()), open: step.open };
    let edited = forge.edit_issue(issue.number, &edit).await?;
    if is_new && !same_text(&edited.body, &body) {
        // GitHub was seen to answer 200 to an edit that it did not keep.
        let doing = format!("edit the issue #{}", issue.number);
        kept.warnings.push(Warning::new(WarningKind::Refused, doing).cause("the forge kept another text"));
    }
    if let Some(comment) = step.comment
        && let Err(warning) = forge.comment_on_issue(issue.number, &words(comment, keeping)).await
    {
        kept.warnings.push(warning);
    }
    Ok(kept)
}

async fn open(forge: &dyn Forge, keeping: &Keeping<'_>) -> Result<Kept, Warning> {
    let body = text(keeping, None)?;
    let make = async || forge.create_issue(keeping.title, &body, keeping.labels).await;
    let look = async || Ok(find(forge, keeping).await?.map(|(issue, _)| issue));
    let mut ours = once(forge, make, look).await?;
    let mut warnings = Vec::new();
    // Two runs at once may both have found none. The older issue stays, whichever run looks.
    match find(forge, keeping).await {
        Ok(Some((older, _))) if older.number < ours.number => {
            let edit = IssueEdit { body: None, open: Some(Closing::Duplicate) };
            let note = format!("Opened twice at once; #{} is kept.", older.number);
            if let Err(warning) = forge.edit_issue(ours.number, &edit).await {
                warnings.push(warning);
            }
            if let Err(warning) = forge.comment_on_issue(ours.number, &note).await {
                warnings.push(warning);
            }
            ours = older;
        }
        Ok(_) => {}
        Err(warning) => warnings.push(warning),
    }
    Ok(Kept { done: Done::Opened, number: Some(ours.number), url: Some(ours.url), warnings })
}

/// Our issue of this key: by label first, then, should it have lost its label, among all. Of several the oldest that is
/// open, else the oldest.
async fn find(forge: &dyn Forge, keeping: &Keeping<'_>) -> Result<Option<(Issue, Known)>, Warning> {
    let labels = keeping.labels.first().map(|label| Some(label.as_str())).into_iter();
    for label in labels.chain([None]) {
        let mut ours: Vec<(Issue, Known)> = Vec::new();
        for issue in forge.issues(label).await?.list {
            if let Some(known) = read(&issue.body, keeping.key) {
                ours.push((issue, known));
            }
        }
        if ours.is_empty() {
            continue;
        }
        let login = forge.login().await?;
        let mine = ours.into_iter().filter(|(issue, _)| issue.author.eq_ignore_ascii_case(&login));
        if let Some(found) = mine.min_by_key(|(issue, _)| (!issue.open, issue.number)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(body: &str, key: &str) -> Option<Known> {
    let words = marker::read("issue", body)?;
    if words.get("key") != Some(key) {
        return None;
    }
    Some(Known {
        state: words.get("state").unwrap_or_default().to_owned(),
        fingerprint: words.get("fingerprint").map(str::to_owned),
    })
}

/// Between the word that nothing could be checked, and what was known before.
const LAST_KNOWN: &str = "<!-- reachform:last-known -->";

/// The whole text. One that could not be checked keeps what was known before below it, however often that happens.
fn text(keeping: &Keeping<'_>, before: Option<(&Known, &str)>) -> Result<String, Warning> {
    let (state, fingerprint) = match keeping.state {
        State::Clean => ("clean", None),
        State::Drifted { fingerprint } => ("drifted", Some(fingerprint.clone())),
        State::NotChecked { .. } => ("not-checked", before.and_then(|(known, _)| known.fingerprint.clone())),
    };
    let line = marker::write(
        "issue",
        &[
            ("key", keeping.key.to_owned()),
            ("state", state.to_owned()),
            ("fingerprint", fingerprint.unwrap_or_default()),
        ],
    );
    let mut out = format!("{line}\n{}", marker::without(keeping.body));
    if out.len() > BODY_BYTES {
        return Err(Warning::new(WarningKind::Refused, "write the issue")
            .cause(format!("the text has {} bytes, and an issue at most {BODY_BYTES}", out.len())));
    }
    if let (State::NotChecked { .. }, Some((_, old))) = (keeping.state, before) {
        let old = marker::without(old);
        let old = old.split_once(LAST_KNOWN).map_or(old, |(_, older)| older).trim();
        let below = format!("\n\n{LAST_KNOWN}\n\n{old}\n");
        if out.len() + below.len() <= BODY_BYTES {
            out.push_str(&below);
        }
    }
    Ok(out)
}

fn words(comment: Comment, keeping: &Keeping<'_>) -> String {
    let run = keeping.run_url.map(|url| format!(" ([run]({url}))")).unwrap_or_default();
    let first = match comment {
        Comment::Changed => "The drift is another one than before",
        Comment::Back => "There is drift again",
        Comment::Clean => "Nothing differs any more",
    };
    let mut out = format!("{first}{run}.");
    if let (Some(news), Comment::Changed | Comment::Back) = (keeping.news, comment) {
        out.push_str("\n\n");
        out.push_str(news);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(state: &str, fingerprint: &str) -> Known {
        Known { state: state.to_owned(), fingerprint: Some(fingerprint.to_owned()) }
    }

    #[test]
    fn an_issue_goes_through_its_life() {
        let drift = |fingerprint: &str| State::Drifted { fingerprint: fingerprint.to_owned() };
        let outage = State::NotChecked { reason: "503".to_owned() };
        for (state, is_open, known, done) in [
            (drift("a"), true, known("drifted", "a"), Done::Updated),
            (drift("a"), true, known("not-checked", "a"), Done::Updated),
            (drift("b"), true, known("drifted", "a"), Done::Told),
            (drift("a"), false, known("clean", "a"), Done::Reopened),
            (drift("a"), false, known("drifted", "a"), Done::LeftClosed),
            (drift("b"), false, known("drifted", "a"), Done::Reopened),
            (State::Clean, true, known("drifted", "a"), Done::Closed),
            (State::Clean, false, known("clean", "a"), Done::Unchanged),
            (outage.clone(), true, known("drifted", "a"), Done::Updated),
            (outage, false, known("clean", "a"), Done::Unchanged),
        ] {
            assert_eq!(decide(&state, is_open, &known).done, done, "{state:?} {is_open} {known:?}");
        }
    }

    #[test]
    fn what_was_known_stays_below_the_word_that_nothing_could_be_checked() {
        let keeping = |state, body| Keeping {
            key: "k",
            title: "t",
            state,
            body,
            news: None,
            labels: &[],
            mode: Mode::Open,
            run_url: None,
        };
        let drifted = State::Drifted { fingerprint: "a".to_owned() };
        let first = text(&keeping(&drifted, "table\n"), None).unwrap();
        let outage = State::NotChecked { reason: "503".to_owned() };
        let second = text(&keeping(&outage, "not checked\n"), Some((&read(&first, "k").unwrap(), &first))).unwrap();
        let third =
            text(&keeping(&outage, "not checked again\n"), Some((&read(&second, "k").unwrap(), &second))).unwrap();
        assert_eq!(third.matches("table").count(), 1);
        assert!(third.contains("not checked again") && !third.contains("not checked\n"));
        assert_eq!(read(&third, "k").unwrap(), known("not-checked", "a"));
        assert_eq!(read(&third, "other"), None);
    }
}
