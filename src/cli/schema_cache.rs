//! The last schema that was read of each host, for `--offline`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::schema::fetch;

use super::report::CommandError;
use super::settings::Settings;

/// A schema from the cache, and how old it is in words.
pub struct Offline {
    /// The bytes, as they were published.
    pub bytes: Vec<u8>,
    /// Its age.
    pub age: String,
}

fn folder(settings: &Settings) -> Option<PathBuf> {
    fetch::cache_dir(settings.variable("XDG_CACHE_HOME").map(Path::new), settings.variable("HOME").map(Path::new))
}

/// Keeps a schema. A cache that cannot be written is no failure of a run that has the schema.
pub fn store(settings: &Settings, host: &str, bytes: &[u8], now: Timestamp) {
    let Some(folder) = folder(settings) else { return };
    if let Err(error) = fetch::store(&folder, host, bytes, now) {
        tracing::debug!(%error, "the schema could not be cached");
    }
}

/// The schema of the last run that reached the service. The sandbox needs none: its schema is in the program.
pub fn load(settings: &Settings, host: &str, now: Timestamp) -> Result<Offline, CommandError> {
    if settings.sandbox {
        return Ok(Offline {
            bytes: crate::sandbox::ConfigSchema::embedded().document().to_string().into_bytes(),
            age: "embedded".to_owned(),
        });
    }
    let missing = || {
        CommandError::config(format!("the schema of {host} is not cached"))
            .hint("run any command once without `--offline`, or use `--sandbox` to check against the embedded schema")
    };
    let folder = folder(settings).ok_or_else(missing)?;
    let cached = fetch::load_cached(&folder, host, now)
        .map_err(|error| CommandError::chain("the cached schema cannot be used", &error).hint(error.hint()))?;
    let cached = cached.ok_or_else(missing)?;
    Ok(Offline { age: cached.age(), bytes: cached.bytes })
}
