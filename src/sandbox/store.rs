//! The sandbox's data in a file, written atomically, by one process at a time.
#![expect(
    clippy::disallowed_methods,
    reason = "this module is part of the shell: it keeps the sandbox's data in a file"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::http::Clock;

use super::behaviour::Behaviour;
use super::fault::Fault;
use super::seed::SeedError;
use super::service::Service;
use super::transport::InProcess;

/// How long to wait for another process that is using the same data.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file in it cannot be used.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("it does not hold a sandbox's data ({0}); move it away to start anew")]
    Content(String),
    /// Another process has it.
    #[error("another reachform is using it; wait for that one, or give this one another folder with `-C`")]
    Busy,
}

/// Where the data is kept, and the lock on it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Held for the life of the process; the system lets go of it even after a kill.
    _lock: File,
}

impl Store {
    /// Takes the lock.
    fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |what: &str| {
            let what = format!("{what} {}", path.display());
            move |source| StoreError::Io { what, source }
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(io("no folder could be made for"))?;
        let lock = File::create(path.with_extension("lock")).map_err(io("no lock could be made for"))?;
        let step = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        while let Err(error) = lock.try_lock() {
            match error {
                std::fs::TryLockError::WouldBlock if waited < PATIENCE => {
                    std::thread::sleep(step);
                    waited += step;
                }
                std::fs::TryLockError::WouldBlock => return Err(StoreError::Busy),
                std::fs::TryLockError::Error(source) => return Err(io("no lock could be taken on")(source)),
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    fn load(&self, behaviour: Behaviour) -> Result<Service, StoreError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Service::from_json(&text, behaviour).map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                StoreError::Content(cause)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Service::fresh(behaviour)),
            Err(source) => Err(StoreError::Io { what: format!("{} could not be read", self.path.display()), source }),
        }
    }

    /// Writes the data: a temporary file in the same folder, then a rename, so that a kill leaves the old or the new.
    pub(super) fn save(&self, service: &Service) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(service.to_json().as_bytes())?;
            file.as_file().sync_data()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        });
        if let Err(error) = written {
            tracing::error!(path = %self.path.display(), %error, "the sandbox's data could not be written");
        }
    }
}

/// The sandbox with its data in a file.
pub fn open_stored(
    path: &Path,
    behaviour: Behaviour,
    faults: Vec<Fault>,
    clock: Arc<dyn Clock>,
) -> Result<InProcess, StoreError> {
    let store = Store::open(path)?;
    let service = store.load(behaviour)?;
    Ok(InProcess::new(service, clock).with_faults(faults).with_store(store))
}

/// A sandbox that starts from a seed file.
pub fn seeded(text: &str, behaviour: Behaviour) -> Result<Service, SeedError> {
    Service::from_json(text, behaviour)
}
