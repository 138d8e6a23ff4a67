//! SHELL. The last good schema of each host, kept on disk for `--offline`. The request itself is made by `api`; the
//! clock and the folder are parameters.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::compile::MAX_BYTES;
use crate::disk::{self, ReadError};
use crate::model::Digest;

/// JSON in a JSON string grows by its quotes and line ends; more than this was not written here.
const MAX_FILE: usize = 4 * MAX_BYTES;

/// A schema that could not be kept, or not be read again.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The file or its folder could not be written.
    #[error("could not save the schema in `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file could not be read.
    #[error("could not read the cached schema in `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The file is not what was written.
    #[error("the cached schema in `{path}` is damaged: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Not text, so that it cannot be a schema.
    #[error("the schema of `{host}` is not UTF-8")]
    NotText {
        /// The host.
        host: String,
    },
}

impl CacheError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Write { .. } => "only `--offline` depends on it; set XDG_CACHE_HOME to a writable folder",
            Self::Read { .. } | Self::Damaged { .. } => "delete the file and run once without `--offline`",
            Self::NotText { .. } => "check that the address is that of the service",
        }
    }
}

/// A schema as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The bytes that the service sent.
    pub bytes: Vec<u8>,
    /// When.
    pub fetched_at: Timestamp,
    /// How many seconds ago that was.
    pub age_seconds: u64,
}

impl Cached {
    /// The age as people say it.
    pub fn age(&self) -> String {
        let (count, unit) = match self.age_seconds {
            0..=59 => return "less than a minute".to_owned(),
            60..=3_599 => (self.age_seconds / 60, "minute"),
            3_600..=86_399 => (self.age_seconds / 3_600, "hour"),
            _ => (self.age_seconds / 86_400, "day"),
        };
        format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    v: u32,
    host: String,
    fetched_at: Timestamp,
    digest: String,
    schema: String,
}

/// The folder for schemas, from the values of `XDG_CACHE_HOME` and `HOME`. A relative `XDG_CACHE_HOME` counts as none,
/// as its specification says.
pub fn cache_dir(xdg_cache_home: Option<&Path>, home: Option<&Path>) -> Option<PathBuf> {
    let base = xdg_cache_home
        .filter(|path| path.is_absolute())
        .map(Path::to_path_buf)
        .or_else(|| home.filter(|path| path.is_absolute()).map(|home| home.join(".cache")))?;
    Some(base.join("reachform"))
}

/// The file of a host. Its name is a digest, so that no host can choose a path.
pub fn cache_file(dir: &Path, host: &str) -> PathBuf {
    let digest = Digest::of_bytes(host.as_bytes());
    let name = digest.as_str().trim_start_matches("sha256:").get(..32).unwrap_or_default().to_owned();
    dir.join(format!("{name}.json"))
}

/// Keeps a schema, whole or not at all.
pub fn store(dir: &Path, host: &str, bytes: &[u8], now: Timestamp) -> Result<(), CacheError> {
    let path = cache_file(dir, host);
    let schema = std::str::from_utf8(bytes).map_err(|_| CacheError::NotText { host: host.to_owned() })?.to_owned();
    let digest = Digest::of_bytes(bytes).as_str().to_owned();
    let kept = Kept { v: 1, host: host.to_owned(), fetched_at: now, digest, schema };
    // The folder above may lie in a project, where a pipeline keeps it from run to run.
    let write = || {
        disk::own_folder(dir)?;
        disk::replace(&path, &serde_json::to_vec(&kept)?)
    };
    write().map_err(|source: io::Error| CacheError::Write { path: path.clone(), source })
}

/// The schema that was kept for a host, if there is one.
pub fn load_cached(dir: &Path, host: &str, now: Timestamp) -> Result<Option<Cached>, CacheError> {
    let path = cache_file(dir, host);
    let text = match disk::read_own(&path, MAX_FILE) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(source) => return Err(CacheError::Read { path, source }),
    };
    let damaged = |problem: String| CacheError::Damaged { path: path.clone(), problem };
    let kept: Kept = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if kept.v != 1 {
        return Err(damaged(format!("it has version {}, written by a newer program", kept.v)));
    }
    if kept.host != host {
        return Err(damaged("it is of another host".to_owned()));
    }
    if Digest::of_bytes(kept.schema.as_bytes()).as_str() != kept.digest {
        return Err(damaged("it was changed after it was written".to_owned()));
    }
    // A clock that was set back gives no negative age.
    let age_seconds = u64::try_from(now.as_second() - kept.fetched_at.as_second()).unwrap_or(0);
    Ok(Some(Cached { bytes: kept.schema.into_bytes(), fetched_at: kept.fetched_at, age_seconds }))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at the files themselves")]
mod tests {
    use std::fs;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_kept_schema_comes_back_with_its_age_and_only_for_its_host() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("deep/reachform");
        assert_eq!(load_cached(&folder, "api.example", at(0)).unwrap(), None);
        store(&folder, "api.example", b"{\"type\": \"object\"}", at(1_000)).unwrap();
        store(&folder, "api.example", b"{}\n", at(2_000)).unwrap();
        let cached = load_cached(&folder, "api.example", at(2_000 + 7_300)).unwrap().unwrap();
        assert_eq!((cached.bytes.as_slice(), cached.age().as_str()), (b"{}\n".as_slice(), "2 hours"));
        assert_eq!(load_cached(&folder, "other.example", at(2_000)).unwrap(), None);
        assert_eq!(load_cached(&folder, "api.example", at(0)).unwrap().unwrap().age_seconds, 0);
        let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "no temporary file stays");
    }

    #[test]
    fn a_changed_or_cut_file_is_damaged_and_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path(), "h", b"{\"type\": \"object\"}", at(5)).unwrap();
        let file = cache_file(dir.path(), "h");
        let text = fs::read_to_string(&file).unwrap();
        for bad in
            [text.replace("object", "string"), text[..text.len() / 2].to_owned(), text.replace("\"v\":1", "\"v\":2")]
        {
            fs::write(&file, bad).unwrap();
            assert!(matches!(load_cached(dir.path(), "h", at(5)), Err(CacheError::Damaged { .. })));
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = store(&file, "h", b"{}", at(0)).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }

    #[test]
    fn a_relative_cache_home_counts_as_none() {
        let home = Path::new("/home/ann");
        assert_eq!(cache_dir(Some(Path::new("rel")), Some(home)), Some(home.join(".cache/reachform")));
        assert_eq!(cache_dir(Some(Path::new("/c")), None), Some(PathBuf::from("/c/reachform")));
        assert_eq!(cache_dir(None, None), None);
    }
}
