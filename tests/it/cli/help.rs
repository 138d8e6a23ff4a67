//! The help of every command, as a person reads it. A changed word is seen in review.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use reachform::cli::args::Cli;

use super::program::Project;

/// The names of all commands below this one, each with those above it.
fn tree(command: &clap::Command, above: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![above.to_vec()];
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()) {
        all.extend(tree(below, &[above, &[below.get_name().to_owned()]].concat()));
    }
    all
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli/help")
}

#[test]
fn the_help_of_every_command_reads_as_it_was_reviewed() {
    let project = Project::quickstart();
    let mut files = Vec::new();
    for words in tree(&Cli::command(), &[]) {
        let name = format!("{}.txt", [&["reachform".to_owned()], words.as_slice()].concat().join("-"));
        let path = folder().join(&name);
        let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let found = project.run(&arguments).ends(0).stdout;
        for line in found.lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
        if std::env::var_os("REACHFORM_BLESS").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{name} reads otherwise (REACHFORM_BLESS=1 takes it):\n{found}");
        files.push(name);
    }
    assert!(files.len() >= 12, "{files:?}");
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains(&name), "{name} is of no command");
    }
}
