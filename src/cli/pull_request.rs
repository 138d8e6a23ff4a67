//! The pull request that a pipeline's run is about: which commit its files are compared with, and what the
//! project declared there.

use crate::manifest::{self, Project};
use crate::plan::difference::Revision;

use super::git;
use super::revision::{self, GitFiles};
use super::settings::Settings;

/// What the files of a run are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The run is about no pull request, or its folder is in no checkout.
    NoPullRequest,
    /// It is about one whose base this checkout does not hold.
    Unknown,
    /// The commit.
    Commit(String),
}

/// Finds it.
pub fn base(settings: &Settings) -> Base {
    let dir = &settings.dir;
    let target = ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"].map(|name| settings.variable(name));
    let Some(branch) = target.into_iter().flatten().next() else { return Base::NoPullRequest };
    // Such a run has the files of the base.
    if settings.variable("GITHUB_EVENT_NAME") == Some("pull_request_target") {
        return Base::NoPullRequest;
    }
    let Some(head) = revision::commit(dir, "HEAD") else { return Base::NoPullRequest };
    // The first parent is the base only of a merge that the forge made. Whoever opens a pull request can end it with a
    // merge of their own, whose first parent says what they like.
    let is_of_the_forge = settings.variable("GITHUB_SHA") == Some(head.as_str());
    let merged = is_of_the_forge.then(|| git::merged_into(dir)).flatten();
    let told = || revision::commit(dir, settings.variable("CI_MERGE_REQUEST_DIFF_BASE_SHA")?);
    let shared = || git::common_ancestor(dir, &format!("origin/{branch}"));
    merged.or_else(told).or_else(shared).map_or(Base::Unknown, Base::Commit)
}

/// What `reachform.yaml` declares at a commit; nothing if that cannot be made out.
pub fn project_at(settings: &Settings, commit: &str) -> Option<Project> {
    let revision = Revision { name: commit.to_owned(), commit: commit.to_owned() };
    manifest::project_file(&GitFiles::open(&settings.dir, &revision).ok()?)
}
