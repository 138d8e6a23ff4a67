//! The check run on the head commit: what a plan is approved by.
//!
//! A comment is anyone's to edit; a check run is written by an app alone. Its `external_id` is the plan's hash, so that
//! what is merged is what was reviewed. Whoever may run a workflow with `checks: write` in the repository can write one
//! in the same name, as they could change the workflow itself.
//!
//! The first line of its summary is the marker of the run that wrote it. Of two runs on one commit the same one counts
//! here as for the comment ([`comment::standing`]), so that what is shown is what is approved.

use super::comment::{self, Standing};
use super::context::Run;
use super::marker::{self, Marker};
use super::once::once;
use super::service::{Forge, NewCheck};
use super::warning::Warning;

/// The longest summary: GitHub takes about 65,535 bytes, and our marker is put before it.
pub const SUMMARY_BYTES: usize = 60_000;

/// The `external_id` of a check whose plan nobody could read.
const UNSEEN: &str = "not-shown";

/// The app behind `GITHUB_TOKEN`.
const ACTIONS_APP: &str = "github-actions";

/// A check run as the forge has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The app that wrote it.
    pub app: Option<String>,
    /// The plan's hash.
    pub external_id: Option<String>,
    /// Whether it has ended.
    pub completed: bool,
    /// How.
    pub conclusion: Option<String>,
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
    /// Where it is.
    pub url: String,
}

impl CheckRun {
    /// The run that wrote it; `None` where an older version of this program did.
    fn marker(&self) -> Option<Marker> {
        Marker::read(&self.summary)
    }
}

/// How a plan is told to a reviewer by its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing to do, or done.
    Success,
    /// Changes.
    Neutral,
    /// Changes that someone should look at: deletions, conflicts.
    ActionRequired,
    /// Errors.
    Failure,
}

impl Conclusion {
    const ALL: [Self; 4] = [Self::Success, Self::Neutral, Self::ActionRequired, Self::Failure];

    /// Reads GitHub's word. Words that no plan is written with, as `cancelled`, `skipped` or `stale`, are none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|conclusion| conclusion.as_str() == text)
    }

    /// GitHub's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Neutral => "neutral",
            Self::ActionRequired => "action_required",
            Self::Failure => "failure",
        }
    }
}

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    /// Its name; [`name`] makes one.
    pub name: &'a str,
    /// The head commit of the pull request.
    pub head_sha: &'a str,
    /// The hash of the plan that it approves; `None` if nobody could read that plan, so that it approves nothing.
    pub plan_hash: Option<&'a str>,
    /// How it ends.
    pub conclusion: Conclusion,
    /// The summary line.
    pub title: &'a str,
    /// Finished Markdown, at most [`SUMMARY_BYTES`].
    pub summary: &'a str,
    /// The run that writes it.
    pub run: Option<&'a Run>,
}

impl Check<'_> {
    fn marker(&self) -> Marker {
        Marker {
            // A check is told from others by its name.
            key: "check".to_owned(),
            sha: Some(self.head_sha.to_owned()),
            plan_hash: self.plan_hash.map(str::to_owned),
            run: self.run.map(|run| run.id),
            attempt: self.run.map_or(1, |run| run.attempt),
            ..Marker::default()
        }
    }
}

/// What tells the plans on one pull request apart: `folder` is the project's in the repository, `key` parts two plans of
/// one environment.
pub fn place(environment: &str, folder: &str, key: Option<&str>) -> String {
    let folder = if folder.is_empty() { String::new() } else { format!(" in {folder}") };
    let key = key.filter(|key| !key.is_empty()).map(|key| format!(", {key}")).unwrap_or_default();
    format!("{environment}{folder}{key}")
}

/// The name of the check of a [`place`].
pub fn name(place: &str) -> String {
    format!("reachform plan ({place})")
}

impl CheckRun {
    /// Whether it says that nobody could read its plan, so that it approves nothing.
    pub fn is_of_unseen_plan(&self) -> bool {
        self.external_id.as_deref() == Some(UNSEEN)
    }
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It says what we have to say.
    Written(CheckRun),
    /// A newer run has written it: it was left as it is.
    Superseded(CheckRun),
}

/// Writes it: our newest of that name on the commit anew, else a new one. One that a newer run wrote is left alone.
pub async fn put(forge: &dyn Forge, check: &Check<'_>) -> Result<Put, Warning> {
    let Check { name, head_sha, plan_hash, conclusion, title, summary, run } = *check;
    let fits = summary.len() <= SUMMARY_BYTES;
    let summary = if fits { marker::without(summary) } else { "The plan is too long to be shown here." };
    let marker = check.marker();
    let external_id = plan_hash.unwrap_or(UNSEEN);
    let new = NewCheck {
        name: name.to_owned(),
        head_sha: head_sha.to_owned(),
        external_id: external_id.to_owned(),
        conclusion: conclusion.as_str(),
        title: title.to_owned(),
        summary: format!("{}\n{summary}", marker.line()),
        details_url: run.and_then(|run| run.url.clone()),
    };
    let existing = ours(forge, head_sha, name).await?;
    if let Some(existing) = existing {
        let theirs = existing.marker();
        if theirs.is_some_and(|theirs| comment::standing(&marker, &theirs, None) == Standing::Theirs) {
            return Ok(Put::Superseded(existing));
        }
        return forge.write_check(Some(existing.id), &new).await.map(Put::Written);
    }
    let of_this_run = |found: &CheckRun| {
        let is_run = found.marker().is_some_and(|theirs| (theirs.run, theirs.attempt) == (marker.run, marker.attempt));
        is_run && found.external_id.as_deref() == Some(external_id)
    };
    let make = async || forge.write_check(None, &new).await;
    let look = async || Ok(ours(forge, head_sha, name).await?.filter(of_this_run));
    let made = once(forge, make, look).await?;
    Ok(give_way(forge, made, &new).await)
}

/// Two runs at once may both have found no check and made one. The forge shows the one that was made last, whichever
/// counts; so that of the older run becomes a copy of the other, and what is shown is what is approved.
async fn give_way(forge: &dyn Forge, made: CheckRun, new: &NewCheck) -> Put {
    let Ok(Some(counts)) = ours(forge, &new.head_sha, &new.name).await else { return Put::Written(made) };
    let conclusion = counts.conclusion.as_deref().and_then(Conclusion::parse);
    let (Some(conclusion), Some(external_id)) = (conclusion, counts.external_id.clone()) else {
        return Put::Written(made);
    };
    if counts.id == made.id {
        return Put::Written(made);
    }
    let copy = NewCheck {
        external_id,
        conclusion: conclusion.as_str(),
        title: counts.title.clone(),
        summary: counts.summary.clone(),
        details_url: None,
        ..new.clone()
    };
    if let Err(warning) = forge.write_check(Some(made.id), &copy).await {
        tracing::debug!(warning = warning.one_line(), "a check run that does not count could not be made a copy");
    }
    Put::Superseded(counts)
}

/// What a commit was approved with: our newest check of that name, if it has ended.
pub async fn approved(forge: &dyn Forge, head_sha: &str, name: &str) -> Result<Option<CheckRun>, Warning> {
    Ok(ours(forge, head_sha, name).await?.filter(|check| check.completed && check.external_id.is_some()))
}

async fn ours(forge: &dyn Forge, head_sha: &str, name: &str) -> Result<Option<CheckRun>, Warning> {
    let checks: Vec<CheckRun> =
        forge.check_runs(head_sha, name).await?.into_iter().filter(|check| check.name == name).collect();
    if checks.is_empty() {
        return Ok(None);
    }
    let login = forge.login().await?;
    let app = app_of(&login);
    let mut ours: Vec<CheckRun> = checks.into_iter().filter(|check| check.app.as_deref() == Some(app)).collect();
    ours.sort_by_key(|check| check.id);
    Ok(ours.into_iter().reduce(newer))
}

/// Of two checks, which two runs at once may have made, the one that counts: that of the newer run, else the later one.
fn newer(earlier: CheckRun, later: CheckRun) -> CheckRun {
    let is_older = match (later.marker(), earlier.marker()) {
        (Some(later), Some(earlier)) => comment::standing(&later, &earlier, None) == Standing::Theirs,
        _ => false,
    };
    if is_older { earlier } else { later }
}

/// The app behind a login. A person writes no check runs: what they read is what the workflow's own token wrote.
fn app_of(login: &str) -> &str {
    login.strip_suffix("[bot]").unwrap_or(ACTIONS_APP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_is_its_app_and_a_person_is_the_workflow() {
        assert_eq!(app_of("my-agents[bot]"), "my-agents");
        assert_eq!(app_of("ann"), ACTIONS_APP);
    }

    #[test]
    fn names_tell_environments_folders_and_keys_apart() {
        assert_eq!(name(&place("prod", "", None)), "reachform plan (prod)");
        assert_eq!(place("prod", "", Some("eu")), "prod, eu");
        assert_eq!(place("prod", "clinics/east", None), "prod in clinics/east");
        assert_eq!(place("prod", "clinics/east", Some("eu")), "prod in clinics/east, eu");
    }
}
