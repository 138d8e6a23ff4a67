//! The last schema that was read of each host, for `--offline`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::schema::fetch;

use super::report::CommandError;
use super::settings::Settings;

/// A schema that is here already.
pub struct Offline {
    /// The bytes, as they were published.
    pub bytes: Vec<u8>,
    /// Where it is from.
    pub origin: Origin,
}

/// Where a schema is from that was not fetched.
pub enum Origin {
    /// An earlier run kept it, this long ago.
    Cache {
        /// Its age.
        age: String,
    },
    /// The sandbox: its schema is in the program.
    Sandbox,
    /// The program, in place of that of a host which no run here has reached yet.
    Program {
        /// The host.
        host: String,
    },
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

/// The schema of the last run that reached the service, `None` if there was none here.
pub fn load(settings: &Settings, host: &str, now: Timestamp) -> Result<Option<Offline>, CommandError> {
    if settings.sandbox {
        return Ok(Some(Offline { bytes: embedded(), origin: Origin::Sandbox }));
    }
    let Some(folder) = folder(settings) else { return Ok(None) };
    let cached = fetch::load_cached(&folder, host, now)
        .map_err(|error| CommandError::chain("the cached schema cannot be used", &error).hint(error.hint()))?;
    Ok(cached.map(|cached| Offline { origin: Origin::Cache { age: cached.age() }, bytes: cached.bytes }))
}

/// The same, and in a fresh clone the schema in the program: a check before a commit has no credential to fetch another.
pub fn load_or_embedded(settings: &Settings, host: &str, now: Timestamp) -> Result<Offline, CommandError> {
    let program = || Offline { bytes: embedded(), origin: Origin::Program { host: host.to_owned() } };
    Ok(load(settings, host, now)?.unwrap_or_else(program))
}

/// What is missing where only the service's own schema will do.
pub fn missing(host: &str) -> CommandError {
    CommandError::config(format!("the schema of {host} is not cached"))
        .hint("run any command once without `--offline`, or use `--sandbox` for the schema in this program")
}

fn embedded() -> Vec<u8> {
    crate::sandbox::ConfigSchema::embedded().document().to_string().into_bytes()
}
