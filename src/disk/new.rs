//! New files below a folder: all of them or none, never over one that is there, and never through a link.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What was made so far. Dropped without [`Created::keep`], it is taken away again.
#[derive(Debug, Default)]
pub struct Created {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Created {
    /// Leaves everything where it is.
    pub fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        // What cannot be taken away stays: the failure that led here is what is reported.
        for file in self.files.iter().rev() {
            let _removed = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _removed = fs::remove_dir(folder);
        }
    }
}

/// Why a new file was not made.
#[derive(Debug, thiserror::Error)]
#[error("{name} could not be created")]
pub struct CreateError {
    /// The file.
    pub name: String,
    /// Why.
    pub source: io::Error,
}

/// Makes files below a folder, which is a path without links. The content of all of them is on the disk before the first
/// one has its name.
pub fn create_below(folder: &Path, files: &BTreeMap<String, String>) -> Result<Created, CreateError> {
    let mut created = Created::default();
    let mut ready = Vec::new();
    for (name, text) in files {
        let failed = |source| CreateError { name: name.clone(), source };
        let path = folder.join(name);
        let within = name.rsplit_once('/').map_or("", |(within, _)| within);
        let place = make_folders(folder, within, &mut created).map_err(failed)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name already")));
        }
        let prepared = prepare(&place, text.as_bytes()).map_err(failed)?;
        ready.push((name, path, prepared));
    }
    for (name, path, prepared) in ready {
        // A file that came into being meanwhile is not written over.
        let put = prepared.persist_noclobber(&path).map_err(|error| error.error);
        put.map_err(|source| CreateError { name: name.clone(), source })?;
        created.files.push(path);
    }
    Ok(created)
}

fn prepare(folder: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = tempfile::Builder::new();
    // As any program makes a file; what the user's mask takes away is taken away.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the folders of a path one by one. One that is there and is a link could lead anywhere.
fn make_folders(root: &Path, within: &str, created: &mut Created) -> io::Result<PathBuf> {
    let mut at = root.to_owned();
    for part in within.split('/').filter(|part| !part.is_empty()) {
        if matches!(part, "." | "..") {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        at.push(part);
        match fs::symlink_metadata(&at) {
            Ok(found) if found.is_symlink() => {
                return Err(io::Error::other(format!("`{part}` is a symbolic link, which could lead anywhere")));
            }
            Ok(found) if !found.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&at)?;
                created.folders.push(at.clone());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> BTreeMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), "new".to_owned())).collect()
    }

    #[test]
    fn new_files_are_made_all_or_none_and_never_over_one_that_is_there() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path().canonicalize().unwrap();
        create_below(&root, &files(&["agents/a.yaml", "prompts/a.md"])).unwrap().keep();
        create_below(&root, &files(&["agents/0.yaml", "agents/a.yaml", "deep/down/b.md"])).unwrap_err();
        let left: Vec<String> = fs::read_dir(root.join("agents"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left, ["a.yaml"], "neither the other file nor a temporary one is left");
        assert!(!root.join("deep").exists());
        drop(create_below(&root, &files(&["more/b.md"])).unwrap());
        assert!(!root.join("more").exists(), "what is not kept goes again");
    }

    #[cfg(unix)]
    #[test]
    fn no_file_is_made_behind_a_link_or_outside_of_the_folder() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path().canonicalize().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("agents")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x"), root.join("dangling.yaml")).unwrap();
        for name in ["agents/a.yaml", "../a.yaml", "dangling.yaml"] {
            create_below(&root, &files(&[name])).unwrap_err();
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
