//! `init`: a project.

use super::args::Init;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;

/// Runs the command.
pub async fn run(_arguments: &Init, _settings: &Settings) -> Result<Exit, CommandError> {
    Err(CommandError::usage("not yet"))
}
