//! Puts the one comment of an environment on a pull request, or gives way to a newer run.

use super::comment::{self, Comment, Mode, Standing, State};
use super::context::Context;
use super::marker::Marker;
use super::once::once;
use super::service::Forge;
use super::warning::{Warning, WarningKind};

/// What is to be put there.
#[derive(Clone, Debug)]
pub struct Posting<'a> {
    /// The pull request.
    pub number: u64,
    /// Whose comment it is, of which run, and what it says.
    pub marker: Marker,
    /// The finished Markdown. A marker in its first line is replaced by ours.
    pub markdown: &'a str,
    /// The finished Markdown for a comment of ours that was left behind.
    pub superseded: &'a str,
    /// When it is written.
    pub mode: Mode,
    /// Whether there is something to tell: with [`Mode::Changes`] only then a comment is made.
    pub worth_making: bool,
    /// Most bytes of the whole; the forge's own bound where absent.
    pub max_bytes: Option<usize>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A comment was made.
    Created,
    /// The comment was edited.
    Updated,
    /// It says this already.
    Unchanged,
    /// A newer run has written it: it was left as it is.
    Superseded {
        /// That run.
        by_run: Option<u64>,
    },
    /// There was nothing to write, as the mode has it.
    Skipped,
}

impl Outcome {
    /// The word in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Superseded { .. } => "superseded",
            Self::Skipped => "skipped",
        }
    }
}

/// What was done, and to which comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// What was done.
    pub outcome: Outcome,
    /// The comment's id.
    pub id: Option<u64>,
    /// Where it is.
    pub url: Option<String>,
}

impl Put {
    fn new(outcome: Outcome, comment: Option<&Comment>) -> Self {
        let url = comment.map(|comment| comment.url.clone()).filter(|url| !url.is_empty());
        Self { outcome, id: comment.map(|comment| comment.id), url }
    }
}

/// Puts it there.
pub async fn put(forge: &dyn Forge, context: &Context, posting: &Posting<'_>) -> Result<Put, Warning> {
    if posting.mode == Mode::Off {
        return Ok(Put::new(Outcome::Skipped, None));
    }
    let max_bytes = posting.max_bytes.unwrap_or_else(|| forge.comment_bytes());
    let doing = format!("write the comment on #{}", posting.number);
    let comments = forge.comments(posting.number).await?;
    let found = find(forge, &comments, posting).await?;
    supersede(forge, context, &comments, posting, found).await;
    let theirs = found.and_then(|found| Marker::read(&found.body));
    let mut marker = posting.marker.clone();
    if let Some(theirs) = &theirs {
        if !is_ours_to_write(forge, posting, theirs).await {
            return Ok(Put::new(Outcome::Superseded { by_run: theirs.run }, found));
        }
        marker.earlier = comment::earlier(&marker, theirs);
    }
    let body = comment::compose(&marker, posting.markdown, &|run| context.run_url(run), max_bytes);
    if body.len() > max_bytes {
        // Cutting would break the structure, and might cut off what matters. Whoever renders has a ladder for this.
        return Err(Warning::new(WarningKind::Refused, doing)
            .cause(format!("the text has {} bytes, and a comment at most {max_bytes}", body.len()))
            .hint("give the JSON document (`plan --json-out FILE`): from it a shorter text can be made"));
    }
    match found {
        Some(found) if comment::same_text(&found.body, &body) => Ok(Put::new(Outcome::Unchanged, Some(found))),
        Some(found) => match forge.edit_comment(posting.number, found.id, &body).await {
            // GitHub was seen to answer 200 to an edit that it did not keep.
            Ok(edited) if !comment::same_text(&edited.body, &body) => {
                let doing = format!("edit the comment on #{}", posting.number);
                Err(Warning::new(WarningKind::Refused, doing).cause("the forge kept another text"))
            }
            Ok(edited) => Ok(Put::new(Outcome::Updated, Some(&edited))),
            // Deleted since it was listed.
            Err(warning) if warning.kind == WarningKind::NotFound => create(forge, posting, &body).await,
            Err(warning) => Err(warning),
        },
        None if posting.mode == Mode::Changes && !posting.worth_making => Ok(Put::new(Outcome::Skipped, None)),
        None => create(forge, posting, &body).await,
    }
}

/// Who we are is asked only where some comment claims to be ours.
async fn find<'c>(
    forge: &dyn Forge,
    comments: &'c [Comment],
    posting: &Posting<'_>,
) -> Result<Option<&'c Comment>, Warning> {
    if !comment::bears_key(comments, &posting.marker.key) {
        return Ok(None);
    }
    let login = forge.login().await?;
    Ok(comment::find(comments, &posting.marker, &login, posting.mode))
}

/// Writes "superseded" into comments of ours that still say what a run was doing, though no run will write them again.
async fn supersede(
    forge: &dyn Forge,
    context: &Context,
    comments: &[Comment],
    posting: &Posting<'_>,
    found: Option<&Comment>,
) {
    // Who we are is known if a comment bears our key, and otherwise there is nothing to do.
    if !comment::bears_key(comments, &posting.marker.key) {
        return;
    }
    let Ok(login) = forge.login().await else { return };
    for (comment, theirs) in comment::left_behind(comments, &posting.marker, &login, posting.mode, found) {
        let marker = Marker { state: Some(State::Superseded), ..theirs };
        let run_url = |run| context.run_url(run);
        let body = comment::compose(&marker, posting.superseded, &run_url, forge.comment_bytes());
        if let Err(warning) = forge.edit_comment(posting.number, comment.id, &body).await {
            // The next run finds it again.
            tracing::debug!(warning = warning.one_line(), "a comment that was left behind could not be edited");
        }
    }
}

async fn is_ours_to_write(forge: &dyn Forge, posting: &Posting<'_>, theirs: &Marker) -> bool {
    let head = if comment::needs_head(&posting.marker, theirs) {
        // Not knowing it is no failure: the order of the runs decides then.
        forge.pull_request(posting.number).await.ok().map(|pull_request| pull_request.head_sha)
    } else {
        None
    };
    comment::standing(&posting.marker, theirs, head.as_deref()) == Standing::Ours
}

/// Makes the comment.
async fn create(forge: &dyn Forge, posting: &Posting<'_>, body: &str) -> Result<Put, Warning> {
    let make = async || forge.create_comment(posting.number, body).await;
    let look = async || {
        let comments = forge.comments(posting.number).await?;
        let found = find(forge, &comments, posting).await?;
        Ok(found.filter(|found| comment::same_text(&found.body, body)).cloned())
    };
    once(forge, make, look).await.map(|created| Put::new(Outcome::Created, Some(&created)))
}
