//! The file that keeps the service's state: one process at a time, and never half written.
#![expect(clippy::disallowed_methods, reason = "the sandbox's state lives in a file")]

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::behaviour::Behaviour;
use super::service::{Service, ServiceError};

/// An open state file. As long as it lives, no other process can open the same one.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    folder: PathBuf,
    _lock: File,
}

/// Why the state cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("the sandbox in {path} is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds something else.
    #[error("cannot use {path}; move it away to begin anew")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ServiceError,
    },
}

impl Store {
    /// Opens a state file, which need not exist, and locks it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { action, path, source }
        };
        fs::create_dir_all(&folder).map_err(io("create", &folder))?;
        // The lock is a file of its own: the state is replaced by renaming, which a lock on it would not survive.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let lock_path = folder.join(name);
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), folder, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io("lock", &lock_path)(source)),
        }
    }

    /// Reads the state; nothing where there is no file yet.
    pub fn load(&self, behaviour: Behaviour) -> Result<Option<Service>, StoreError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.error("read", source)),
        };
        let service = Service::from_json(&text, behaviour)
            .map_err(|source| StoreError::Unusable { path: self.path.clone(), source })?;
        Ok(Some(service))
    }

    /// Writes the state: to a file beside it, onto the disk, then in its place.
    pub fn save(&self, service: &Service) -> Result<(), StoreError> {
        let error = |source| self.error("write", source);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(error)?;
        file.write_all(service.to_json().as_bytes()).map_err(error)?;
        file.as_file().sync_all().map_err(error)?;
        file.persist(&self.path).map_err(|failed| self.error("write", failed.error))?;
        Ok(())
    }

    fn error(&self, action: &'static str, source: io::Error) -> StoreError {
        StoreError::Io { action, path: self.path.clone(), source }
    }
}
