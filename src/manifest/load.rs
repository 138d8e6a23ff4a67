//! SHELL. A project in a folder on disk: the only file of this module that touches one.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::codes;
use super::files::{FileError, Files, Listed, is_hidden, normalize};
use super::project::Project;
use super::resolve::{Resolved, resolve};
use super::session::SecretSource;
use crate::diagnostics::{Diagnostic, Diagnostics, Place, SourceMap};

/// Deepest folder below a place of manifests. Nobody files agents deeper, and a walk has an end.
const MAX_FOLDER_DEPTH: usize = 32;

/// Reads the project in `folder` for one environment. `secrets` is asked for the name behind `!secret`; on a machine it
/// reads the variable `REACHFORM_SECRET_<NAME>`.
pub fn load(folder: &Path, environment: Option<&str>, secrets: SecretSource<'_>) -> Resolved {
    match DiskFiles::open(folder) {
        Ok(files) => resolve(&files, environment, secrets),
        Err(error) => {
            let mut diagnostics = Diagnostics::new();
            let message = format!("the folder `{}` cannot be read: {error}", folder.display());
            let place = Place::File(folder.display().to_string());
            diagnostics.push(
                Diagnostic::error(codes::NO_PROJECT_FOLDER, message).at(place).hint("`-C` names the project's folder"),
            );
            Resolved {
                desired: Vec::new(),
                locations: std::collections::BTreeMap::new(),
                sources: SourceMap::default(),
                diagnostics,
                project: Project::default(),
                elsewhere: std::collections::BTreeSet::new(),
            }
        }
    }
}

/// The files below one folder.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// Opens a project's folder.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        let root = folder.canonicalize().map_err(|error| file_error(&error))?;
        if root.is_dir() { Ok(Self { root }) } else { Err(FileError::Refused("it is no folder".to_owned())) }
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
        if real.is_file() { Ok(name) } else { Err(FileError::NotAFile) }
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        // Links are resolved here too, so that a name that was never followed cannot lead out either.
        let real = self.root.join(self.follow(path)?);
        let file = File::open(real).map_err(|error| file_error(&error))?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(limit));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut bytes).map_err(|error| file_error(&error))?;
        if bytes.len() > limit { Err(FileError::TooLarge { limit }) } else { Ok(bytes) }
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
            let is_named_as_manifest = entry.path().extension().is_some_and(|end| end == "yaml" || end == "yml");
            if kind.is_dir() && entry.depth() > 0 && is_named_as_manifest {
                let name = self.name_of(entry.path())?;
                return Err(FileError::Refused(format!(
                    "`{name}` has the name of a manifest and is a folder: rename it"
                )));
            }
            if kind.is_file() || kind.is_symlink() {
                out.push(Listed { path: self.name_of(entry.path())?, is_link: kind.is_symlink() });
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
