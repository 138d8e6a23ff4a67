//! What is asked of the `git` program about a checkout. Not knowing it is no failure.

use std::path::{Path, PathBuf};

use crate::plan::Source;

use super::checkout::ask;

/// The commit of the folder, and whether files differ from it.
pub fn source(dir: &Path) -> Source {
    let Some(commit) = git(dir, &["rev-parse", "--verify", "-q", "HEAD"]) else { return Source::default() };
    // Files that were renamed differ either way, and finding out which ones reads objects that may not be here.
    let status = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--", "."];
    let status = git(dir, &status);
    Source { commit: Some(commit.trim().to_owned()), dirty: status.is_none_or(|status| !status.is_empty()) }
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

fn git(dir: &Path, arguments: &[&str]) -> Option<String> {
    ask(dir, arguments).ok()
}
