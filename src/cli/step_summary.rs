//! The summary of a step of GitHub Actions: a file to which Markdown is appended.

use std::path::{Path, PathBuf};

use crate::disk;

use super::forge;
use super::output;
use super::publish::Content;
use super::report::CommandError;
use super::settings::Settings;

/// Most bytes of a step's summary. The runner drops the whole above 1 MiB, and was seen to do so a little below it.
pub const SUMMARY_BYTES: usize = 1_000_000;

/// The file, where the runner has one.
pub fn file(settings: &Settings) -> Option<PathBuf> {
    settings.variable("GITHUB_STEP_SUMMARY").map(PathBuf::from)
}

/// Appends what there is to tell, within what the step's summary still holds. Says whether anything was left out.
pub fn append(
    settings: &Settings,
    path: &Path,
    content: &Content<'_>,
    environment: &str,
) -> Result<bool, CommandError> {
    let failed = |error: &std::io::Error| {
        CommandError::io(format!("the summary {} could not be written", path.display()), error)
    };
    let before = match std::fs::metadata(path) {
        Ok(metadata) => usize::try_from(metadata.len()).unwrap_or(usize::MAX),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(failed(&error)),
    };
    let room = SUMMARY_BYTES.saturating_sub(before + 1);
    let context = forge::comment_context(forge::known_context(settings).as_ref(), settings, room);
    let body = content.body(environment, &context);
    if body.text.len() > room {
        return Err(CommandError::config(format!("the summary {} is full", path.display())).cause(format!(
            "it holds {before} of at most {SUMMARY_BYTES} bytes, and {} more were to be added",
            body.text.len()
        )));
    }
    let text = format!("{}\n", body.text.trim_end());
    disk::append(path, output::without_secrets(&text).as_bytes()).map_err(|error| failed(&error))?;
    Ok(body.truncated)
}
