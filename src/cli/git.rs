//! What is asked of the `git` program about a checkout. Not knowing it is no failure.

use std::path::{Path, PathBuf};

use crate::manifest::Readable;
use crate::plan::Source;

use super::checkout::{GitError, ask};

/// The commit of the folder, and whether what is read there differs from it. Files that git does not track count only
/// where they are read (`reads_untracked`): in a pipeline reports, artifacts and caches lie among the tracked ones.
pub fn source(dir: &Path, reads_untracked: bool) -> Source {
    let Some(commit) = git(dir, &["rev-parse", "--verify", "-q", "HEAD"]) else { return Source::default() };
    let untracked = if reads_untracked { "--untracked-files=normal" } else { "--untracked-files=no" };
    // Files that were renamed differ either way, and finding out which ones reads objects that may not be here. What
    // this program keeps for itself is no manifest.
    let status = ["status", "--porcelain=v1", "-z", "--no-renames", untracked, "--", ".", ":(exclude).reachform"];
    let status = git(dir, &status);
    Source { commit: Some(commit.trim().to_owned()), dirty: status.is_none_or(|status| !status.is_empty()) }
}

/// What lies below the folder and is not as HEAD has it: changed, untracked and ignored files, folders of them as one.
/// `None` if git does not say.
pub fn beside_commit(dir: &Path) -> Option<Vec<String>> {
    let arguments = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--ignored"];
    let status = git(dir, &[&arguments[..], &["--ignore-submodules=none", "--", "."]].concat())?;
    // Two letters and a blank stand before each path.
    Some(status.split('\0').filter_map(|entry| entry.get(3..)).map(str::to_owned).collect())
}

/// The root of the checkout that the folder is in.
pub fn root(dir: &Path) -> Option<PathBuf> {
    let root = git(dir, &["rev-parse", "--show-toplevel"])?;
    Some(PathBuf::from(root.trim_end_matches(['\n', '\r'])))
}

/// The first parent of HEAD, where HEAD is a merge.
pub fn merged_into(dir: &Path) -> Option<String> {
    git(dir, &["rev-parse", "--verify", "-q", "HEAD^2^{commit}"])?;
    git(dir, &["rev-parse", "--verify", "-q", "HEAD^1^{commit}"]).map(|commit| commit.trim().to_owned())
}

/// The newest commit that HEAD and a branch have in common.
pub fn common_ancestor(dir: &Path, branch: &str) -> Option<String> {
    git(dir, &["merge-base", "--end-of-options", branch, "HEAD"]).map(|commit| commit.trim().to_owned())
}

/// Whether HEAD was made on top of a commit. False also if the history here does not reach that far.
pub fn builds_on(dir: &Path, commit: &str) -> bool {
    ask(dir, &["merge-base", "--is-ancestor", "--end-of-options", commit, "HEAD"]).is_ok()
}

/// What to do if a commit's place in the history is not known here.
pub fn to_see_the_history(dir: &Path) -> Option<&'static str> {
    if git(dir, &["rev-parse", "--verify", "-q", "HEAD"]).is_none() {
        return Some(
            "this folder is in no git repository, or has no commit: apply from a checkout, so that it can be known which state is newer",
        );
    }
    let is_shallow = git(dir, &["rev-parse", "--is-shallow-repository"]).is_some_and(|said| said.trim() == "true");
    is_shallow.then_some(
        "this checkout is shallow, so it is not known which commit is newer: fetch the whole history (`fetch-depth: 0` of `actions/checkout`), and run it again",
    )
}

/// Which files of a project a pipeline may read: those in git's index, submodules included. A folder that is in no
/// checkout, as one out of an artifact, has no such list and is read whole; whoever writes files cannot take a checkout
/// away. If git does not answer, nothing is read, for what is tracked is then not known.
pub fn readable_in_a_pipeline(dir: &Path) -> Readable {
    match ask(dir, &["ls-files", "--cached", "--recurse-submodules", "-z"]) {
        Ok(names) => Readable::Tracked(names.split_terminator('\0').map(str::to_owned).collect()),
        Err(GitError::NoCheckout) => Readable::Everything,
        // The folder itself is not there, which is said when it is opened.
        Err(GitError::Io(_)) if !dir.is_dir() => Readable::Everything,
        Err(error) => Readable::Unknown(error.to_string()),
    }
}

fn git(dir: &Path, arguments: &[&str]) -> Option<String> {
    ask(dir, arguments).ok()
}
