//! The commit that the manifests were read from, asked of the `git` program. Not knowing it is no failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::plan::Source;

/// The commit of the folder, and whether files differ from it.
pub fn source(dir: &Path) -> Source {
    let Some(commit) = git(dir, &["rev-parse", "--verify", "-q", "HEAD"]) else { return Source::default() };
    let status = git(dir, &["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--", "."]);
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

fn git(dir: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
