//! The file that keeps the service's state: one process at a time, and never half written.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::behaviour::Behaviour;
use super::service::{Service, ServiceError};
use crate::disk::{self, ReadError};

/// Most bytes of the state.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// An open state file. As long as it lives, no other process can open the same one.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
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
    /// It cannot be read.
    #[error("cannot read {path}")]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
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
        if !folder.is_dir() {
            disk::own_folder(&folder).map_err(io("create", &folder))?;
        }
        // The lock is a file of its own: the state is replaced by renaming, which a lock on it would not survive.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let lock_path = folder.join(name);
        let lock = disk::lock_file(&lock_path).map_err(io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io("lock", &lock_path)(source)),
        }
    }

    /// Reads the state; nothing where there is no file yet.
    pub fn load(&self, behaviour: Behaviour) -> Result<Option<Service>, StoreError> {
        let unread = |source| StoreError::Unread { path: self.path.clone(), source };
        let text = match disk::read_own(&self.path, MOST_BYTES) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| unread(ReadError::NotText))?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(unread(error)),
        };
        let service = Service::from_json(&text, behaviour)
            .map_err(|source| StoreError::Unusable { path: self.path.clone(), source })?;
        Ok(Some(service))
    }

    /// Writes the state: to a file beside it, onto the disk, then in its place.
    pub fn save(&self, service: &Service) -> Result<(), StoreError> {
        disk::replace(&self.path, service.to_json().as_bytes()).map_err(|source| StoreError::Io {
            action: "write",
            path: self.path.clone(),
            source,
        })
    }
}
