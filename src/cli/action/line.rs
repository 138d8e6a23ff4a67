//! From inputs to the command line that a person would have typed, and the files that it writes.

use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::cli::args::Cli;
use crate::cli::report::CommandError;
use crate::cli::settings::Settings;
use crate::http::{Entropy as _, OsEntropy};
use crate::model::digest::hex;

use super::inputs::{Approve, Command, Inputs};

/// Where the results of this run are written.
#[derive(Clone, Debug)]
pub struct Files {
    /// The JSON document.
    pub json: PathBuf,
    /// The Markdown.
    pub markdown: PathBuf,
}

impl Files {
    /// Makes a folder of its own for them, so that two steps of a job do not write over each other.
    pub fn make(settings: &Settings) -> Result<Self, CommandError> {
        let above = settings.variable("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = above.join(format!("reachform-{}", &hex(&OsEntropy.bytes())[..12]));
        let mut builder = std::fs::DirBuilder::new();
        // Elsewhere a temporary folder is its user's alone already.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder).map_err(|error| {
            CommandError::io(format!("the folder {} could not be made for the results", folder.display()), &error)
        })?;
        Ok(Self { json: folder.join("result.json"), markdown: folder.join("result.md") })
    }
}

/// Parses it. What `args` holds wrongly is told in the words of the command line.
pub fn parse(inputs: &Inputs, files: &Files) -> Result<Cli, CommandError> {
    Cli::try_parse_from(words(inputs, files)).map_err(|error| {
        let text = error.render().to_string();
        let said = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        CommandError::usage("the inputs of the action make no command line")
            .cause(said.trim_start_matches("error: "))
            .hint("look at the inputs `args`, `target` and `config`")
    })
}

fn words(inputs: &Inputs, files: &Files) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let mut words = vec!["reachform".to_owned(), inputs.command.as_str().to_owned()];
    let mut flag = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("--{name}={value}")));
    };
    flag("dir", Some(folder(&inputs.config)));
    flag("env", inputs.environment.clone());
    flag("parallelism", inputs.parallelism.map(|count| count.to_string()));
    flag("annotations", (!inputs.annotations).then(|| "off".to_owned()));
    flag("json-out", Some(path(&files.json)));
    if inputs.command != Command::Validate {
        flag("markdown", Some(path(&files.markdown)));
        flag("diff", Some(inputs.detail.to_owned()));
        for key in &inputs.target {
            flag("target", Some(key.clone()));
        }
    }
    if matches!(inputs.command, Command::Validate | Command::Plan) {
        flag("sarif", inputs.sarif_file.clone());
    }
    if matches!(inputs.command, Command::Plan | Command::Apply) {
        flag("max-delete", inputs.allow_delete.map(|count| count.to_string()));
    }
    if inputs.command == Command::Plan {
        flag("out", inputs.plan_file.clone());
    }
    if inputs.command == Command::Apply && inputs.approve == Approve::PlanHash {
        flag("approved-plan", inputs.approved_plan.as_ref().map(ToString::to_string));
    }
    let deletes = inputs.allow_delete.is_some_and(|count| count > 0);
    if deletes && matches!(inputs.command, Command::Plan | Command::Apply) {
        words.push("--prune".to_owned());
    }
    words.extend(inputs.args.iter().cloned());
    if inputs.command == Command::Apply {
        match inputs.approve {
            Approve::Nothing => words.push("--auto-approve".to_owned()),
            Approve::Artifact => words.extend(["--".to_owned(), inputs.plan_file.clone().unwrap_or_default()]),
            Approve::PlanHash => {}
        }
    }
    words
}

/// The project's folder, where its file was named.
fn folder(config: &str) -> String {
    let path = Path::new(config);
    if path.file_name().is_some_and(|name| name == "reachform.yaml") {
        let above = path.parent().map(|above| above.display().to_string()).unwrap_or_default();
        return if above.is_empty() { ".".to_owned() } else { above };
    }
    config.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_file_stands_for_its_folder() {
        let folders = ["reachform.yaml", "a/reachform.yaml", "a/b", "."].map(folder);
        assert_eq!(folders, [".", "a", "a/b", "."]);
    }
}
