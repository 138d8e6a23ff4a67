//! SHELL. A project in a folder on disk: the only file of this module that touches one.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::codes;
use super::files::{FileError, Files, Listed, has_extension, is_hidden, normalize};
use super::resolve::{Resolved, resolve};
use super::session::SecretSource;
use crate::diagnostics::{Diagnostic, Place};
use crate::disk::{self, ReadError};

/// Deepest folder below a place of manifests. Nobody files agents deeper, and a walk has an end.
const MAX_FOLDER_DEPTH: usize = 32;

/// Which files of a project's folder may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readable {
    /// All of them: on a person's machine, or if the folder is in no git checkout.
    Everything,
    /// In a pipeline, those that git tracks, by their paths in the project. Other steps of the job leave files in the
    /// workspace, credentials among them, which nobody has reviewed.
    Tracked(BTreeSet<String>),
    /// In a pipeline, git could not list them, for this reason: then none may be.
    Unknown(String),
}

/// Why a project's folder was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not there, or is no folder.
    #[error("the folder `{folder}` cannot be read: {error}")]
    Folder {
        /// The folder, as it was named.
        folder: String,
        /// Why.
        error: FileError,
    },
    /// Which files are tracked is not known.
    #[error("git could not list the files that it tracks: {0}")]
    TrackedFilesUnknown(String),
}

impl OpenError {
    fn diagnostic(&self, folder: &Path) -> Diagnostic {
        let place = Place::File(folder.display().to_string());
        let problem = |code| Diagnostic::error(code, self.to_string()).at(place);
        match self {
            Self::Folder { .. } => problem(codes::NO_PROJECT_FOLDER).hint("`-C` names the project's folder"),
            Self::TrackedFilesUnknown(_) => problem(codes::TRACKED_FILES_UNKNOWN)
                .hint("in a pipeline (`CI` is set), only files that git tracks are read")
                .hint("the job needs `git`, and git must trust the checkout: `git status` has to work in it"),
        }
    }
}

/// Reads the project in `folder` for one environment. `secrets` is asked for the name behind `!secret`; on a machine it
/// reads the variable `REACHFORM_SECRET_<NAME>`.
pub fn load(folder: &Path, readable: Readable, environment: Option<&str>, secrets: SecretSource<'_>) -> Resolved {
    match DiskFiles::open(folder, readable) {
        Ok(files) => resolve(&files, environment, secrets),
        Err(error) => Resolved::refused(error.diagnostic(folder)),
    }
}

/// The files below one folder.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    root: PathBuf,
    /// The files that may be read; `None` if all may.
    tracked: Option<BTreeSet<String>>,
}

impl DiskFiles {
    /// Opens a project's folder.
    pub fn open(folder: &Path, readable: Readable) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Folder { folder: folder.display().to_string(), error };
        let root = folder.canonicalize().map_err(|error| failed(file_error(&error)))?;
        if !root.is_dir() {
            return Err(failed(FileError::Refused("it is not a folder".to_owned())));
        }
        let tracked = match readable {
            Readable::Everything => None,
            Readable::Tracked(names) => Some(names),
            Readable::Unknown(reason) => return Err(OpenError::TrackedFilesUnknown(reason)),
        };
        Ok(Self { root, tracked })
    }

    /// The folder, links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A real path as a name: below the root, without a hidden component.
    fn name_of(&self, real: &Path) -> Result<String, FileError> {
        let below = real.strip_prefix(&self.root).map_err(|_| FileError::Outside)?;
        let mut parts = Vec::new();
        for part in below.components() {
            let Component::Normal(part) = part else { return Err(FileError::Outside) };
            parts.push(part.to_str().ok_or_else(|| FileError::Refused("its name is not UTF-8".to_owned()))?);
        }
        let name = parts.join("/");
        if is_hidden(&name) { Err(FileError::Hidden) } else { Ok(name) }
    }
}

impl Files for DiskFiles {
    fn follow(&self, path: &str) -> Result<String, FileError> {
        if is_hidden(path) {
            return Err(FileError::Hidden);
        }
        if path.starts_with('/') || normalize(path).is_none() {
            return Err(FileError::Outside);
        }
        let real = self.root.join(path).canonicalize().map_err(|error| file_error(&error))?;
        let name = self.name_of(&real)?;
        if !real.is_file() {
            return Err(FileError::NotAFile);
        }
        let may_be_read = self.tracked.as_ref().is_none_or(|tracked| tracked.contains(&name));
        if may_be_read { Ok(name) } else { Err(FileError::Untracked { name }) }
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        // A name that was never followed is followed here. No link is left in it then, so one that is met on opening was
        // put there meanwhile.
        let name = self.follow(path)?;
        disk::read_below(&self.root, &name, limit).map_err(|error| match error {
            ReadError::TooLarge { limit } => FileError::TooLarge { limit },
            ReadError::NotAFile(_) => FileError::NotAFile,
            ReadError::Io(error) => file_error(&error),
            ReadError::NotText => FileError::Refused(error.to_string()),
        })
    }

    fn list(&self, path: &str) -> Result<Vec<Listed>, FileError> {
        let path = normalize(path).ok_or(FileError::Outside)?;
        if is_hidden(&path) {
            return Err(FileError::Hidden);
        }
        let start = self.root.join(&path);
        let metadata = fs::symlink_metadata(&start).map_err(|error| file_error(&error))?;
        if metadata.is_symlink() {
            return Ok(vec![Listed { path, is_link: true }]);
        }
        // A folder that is itself no link may still lie behind one.
        self.name_of(&start.canonicalize().map_err(|error| file_error(&error))?)?;
        if metadata.is_file() {
            return Ok(vec![Listed { path, is_link: false }]);
        }
        let mut out = Vec::new();
        let walk = WalkDir::new(&start).follow_links(false).max_depth(MAX_FOLDER_DEPTH).sort_by_file_name();
        let shown = walk
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b"."));
        for entry in shown {
            let entry = entry.map_err(|error| FileError::Refused(error.to_string()))?;
            let kind = entry.file_type();
            if kind.is_file() || kind.is_symlink() {
                out.push(Listed { path: self.name_of(entry.path())?, is_link: kind.is_symlink() });
            } else if entry.depth() > 0 && has_extension(&entry.file_name().to_string_lossy(), &["yaml", "yml"]) {
                // Passing over it in silence would make its agents look as if nobody wanted them any more.
                let name = self.name_of(entry.path())?;
                let what = if kind.is_dir() { "is a folder" } else { "is not a regular file" };
                return Err(FileError::Refused(format!("`{name}` has the name of a manifest and {what}: rename it")));
            }
        }
        Ok(out)
    }
}

fn file_error(error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::NotFound,
        io::ErrorKind::IsADirectory => FileError::NotAFile,
        _ => FileError::Refused(error.to_string()),
    }
}
