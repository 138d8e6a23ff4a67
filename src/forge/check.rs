//! The check run on the head commit: what a plan is approved by.
//!
//! A comment is anyone's to edit; a check run is written by an app alone. Its `external_id` is the plan's hash, so that
//! what is merged is what was reviewed. Whoever may run a workflow with `checks: write` in the repository can write one
//! in the same name, as they could change the workflow itself.

use super::service::{Forge, NewCheck};
use super::warning::Warning;

/// The longest summary: GitHub takes about 65,535 bytes.
pub const SUMMARY_BYTES: usize = 60_000;

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
    /// Where it is.
    pub url: String,
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
    /// The plan's hash.
    pub plan_hash: &'a str,
    /// How it ends.
    pub conclusion: Conclusion,
    /// The summary line.
    pub title: &'a str,
    /// Finished Markdown, at most [`SUMMARY_BYTES`].
    pub summary: &'a str,
    /// Where the run can be seen.
    pub details_url: Option<&'a str>,
}

/// The name of an environment's check. `key` tells two of the same environment apart.
pub fn name(environment: &str, key: Option<&str>) -> String {
    match key.filter(|key| !key.is_empty()) {
        Some(key) => format!("reachform plan ({environment}, {key})"),
        None => format!("reachform plan ({environment})"),
    }
}

/// Writes it: our newest of that name on the commit anew, else a new one.
pub async fn put(forge: &dyn Forge, check: &Check<'_>) -> Result<CheckRun, Warning> {
    let Check { name, head_sha, plan_hash, conclusion, title, summary, details_url } = *check;
    let fits = summary.len() <= SUMMARY_BYTES;
    let new = NewCheck {
        name: name.to_owned(),
        head_sha: head_sha.to_owned(),
        external_id: plan_hash.to_owned(),
        conclusion: conclusion.as_str(),
        title: title.to_owned(),
        summary: if fits { summary.to_owned() } else { "The plan is too long to be shown here.".to_owned() },
        details_url: details_url.map(str::to_owned),
    };
    let existing = ours(forge, head_sha, name).await?;
    forge.write_check(existing.map(|check| check.id), &new).await
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
    Ok(checks.into_iter().filter(|check| check.app.as_deref() == Some(app)).max_by_key(|check| check.id))
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
    fn names_tell_environments_and_keys_apart() {
        assert_eq!(name("prod", None), "reachform plan (prod)");
        assert_eq!(name("prod", Some("eu")), "reachform plan (prod, eu)");
    }
}
