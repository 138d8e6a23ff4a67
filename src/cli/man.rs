//! `man`: the manual page on stdout, or one for each command in a folder.

use std::path::Path;

use clap::{Command, CommandFactory as _};

use super::args::{Cli, Man};
use super::exit::Exit;
use super::output;
use super::report::CommandError;

/// Runs the command.
pub fn run(arguments: &Man) -> Result<Exit, CommandError> {
    match &arguments.out {
        Some(folder) => {
            let mut command = Cli::command().disable_help_subcommand(true);
            command.build();
            write(&command, folder)?;
        }
        None => output::result(&page(Cli::command())?),
    }
    Ok(Exit::Done)
}

/// Writes the page of a command, and those of the commands below it.
fn write(command: &Command, folder: &Path) -> Result<(), CommandError> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    output::file(&folder.join(format!("{name}.1")), &page(command.clone())?)?;
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| write(below, folder))
}

fn page(command: Command) -> Result<String, CommandError> {
    let mut out = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut out)
        .map_err(|error| CommandError::io("the manual page could not be made", &error))?;
    Ok(format!("{}{}", String::from_utf8_lossy(&out), exit_status()))
}

/// The exit codes, in the form of a manual page.
fn exit_status() -> String {
    let codes = Exit::ALL.map(|exit| format!(".TP\n{}\n{}\n", exit.code(), exit.meaning().replace('-', "\\-")));
    format!(".SH \"EXIT STATUS\"\n{}", codes.concat())
}
