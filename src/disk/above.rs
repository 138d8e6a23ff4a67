//! The folder that a project begins in, looked for from the current one upward.

use std::path::{Path, PathBuf};

/// The nearest folder above the current one that holds a file, as it is written from here: `..`, `../..`. Nothing where the
/// current folder holds it itself, or holds the folder `stays`, which makes it a project of its own.
///
/// The search ends with the checkout, the home folder, and the first folder of another owner: what others put above a
/// project must not say which service is written to.
pub fn nearest_above(file: &str, stays: &str, home: Option<&Path>) -> Option<PathBuf> {
    let here = std::path::absolute(".").ok()?;
    search(&here, file, stays, home)
}

fn search(here: &Path, file: &str, stays: &str, home: Option<&Path>) -> Option<PathBuf> {
    if here.join(file).is_file() || here.join(stays).is_dir() {
        return None;
    }
    let owner = owner(here);
    let mut way = PathBuf::new();
    let mut at = here;
    while !is_end(at, home) {
        at = at.parent()?;
        way.push("..");
        if self::owner(at) != owner {
            return None;
        }
        if at.join(file).is_file() {
            return Some(way);
        }
    }
    None
}

fn is_end(folder: &Path, home: Option<&Path>) -> bool {
    // A worktree has a file of that name.
    std::fs::symlink_metadata(folder.join(".git")).is_ok() || home == Some(folder)
}

#[cfg(unix)]
fn owner(folder: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(folder).ok().map(|found| found.uid())
}

#[cfg(not(unix))]
fn owner(_folder: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::{own_folder, replace};
    use super::*;

    #[test]
    fn a_project_is_found_from_any_folder_in_it_and_from_none_beside_it() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path();
        let find = |folder: &str, home: Option<&str>| {
            search(&root.join(folder), "p.yaml", "agents", home.map(|home| root.join(home)).as_deref())
        };
        for folder in
            ["project/agents/dental", "project/prompts", "project/inner/agents", "project/checkout/.git", "beside/deep"]
        {
            own_folder(&root.join(folder)).unwrap();
        }
        replace(&root.join("project/p.yaml"), b"").unwrap();
        assert_eq!(find("project/agents/dental", None), Some(PathBuf::from("../..")));
        assert_eq!(find("project/prompts", None), Some(PathBuf::from("..")));
        assert_eq!(find("project", None), None, "it is here");
        assert_eq!(find("project/inner", None), None, "a folder with agents is a project of its own");
        assert_eq!(find("project/checkout", None), None, "the search ends with the checkout");
        assert_eq!(find("project/prompts", Some("project/prompts")), None, "and with the home folder");
        assert_eq!(find("beside/deep", None), None);
    }
}
