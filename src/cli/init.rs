//! `init`: the files that a project begins with. One that is there is left as it is, and named.

use std::collections::BTreeMap;

use crate::disk::{self, ReadError};
use crate::http::{Entropy as _, OsEntropy};
use crate::manifest::load::DiskFiles;
use crate::manifest::project::PROJECT_FILE;
use crate::manifest::{Files as _, Readable, project_file, starter};
use crate::render::json::init_document;

use super::args::{Import, Init};
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{command, import, output};

/// Most bytes of a `.gitignore`.
const MOST: usize = 1024 * 1024;

/// Runs the command.
pub async fn run(arguments: &Init, settings: &Settings) -> Result<Exit, CommandError> {
    // Nothing is read here but names, so that it plays no part what git tracks.
    let files = DiskFiles::open(&settings.dir, Readable::Everything)
        .map_err(|error| CommandError::chain("the project could not be opened", &error))?;
    let has_agents = files.list("agents").is_ok_and(|listed| !listed.is_empty());
    let name = project_name(arguments, &files);
    let all = starter::files(&name, !has_agents && !arguments.from_live);
    let is_there = |name: &String| std::fs::symlink_metadata(files.root().join(name)).is_ok();
    let (left, new): (BTreeMap<String, String>, BTreeMap<String, String>) =
        all.into_iter().partition(|(name, _)| is_there(name));
    import::write(&files, &new)?;
    let mut written: Vec<String> = new.into_keys().collect();
    let mut left: Vec<String> = left.into_keys().collect();
    if ignore(&files)? {
        written.push(".gitignore".to_owned());
    } else {
        left.push(".gitignore".to_owned());
    }
    let project = project_file(&files).map_or(name, |project| project.name);
    if !settings.json {
        output::result(&text(&project, &written, &left, arguments, settings));
    }
    if arguments.from_live {
        let all = Import { agents: Vec::new(), all: true, filter: None, dry_run: false, full: false };
        return import::run(&all, settings).await;
    }
    output::json(settings, &init_document(&project, &written, &left))?;
    Ok(Exit::Done)
}

fn project_name(arguments: &Init, files: &DiskFiles) -> String {
    let folder = files.root().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    starter::project_name(arguments.name.as_deref().unwrap_or(&folder), OsEntropy.bytes())
}

/// Adds to `.gitignore` what it lacks, and says whether it lacked anything.
fn ignore(files: &DiskFiles) -> Result<bool, CommandError> {
    let path = files.root().join(".gitignore");
    let before = match disk::read_own(&path, MOST) {
        Ok(bytes) => String::from_utf8(bytes).ok(),
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Some(String::new()),
        Err(_) => None,
    };
    // What cannot be read as text, or is a link, is a person's to change.
    let Some(after) = before.as_deref().and_then(starter::ignoring) else { return Ok(false) };
    let written = disk::replace(&path, after.as_bytes());
    written.map_err(|error| CommandError::io(".gitignore could not be written", &error))?;
    Ok(true)
}

fn text(project: &str, written: &[String], left: &[String], arguments: &Init, settings: &Settings) -> String {
    let mut lines: Vec<String> = written.iter().map(|name| format!("wrote {name}")).collect();
    lines.extend(left.iter().map(|name| format!("left  {name} as it is")));
    lines.push(String::new());
    lines.push(format!("The project is named `{project}` in {PROJECT_FILE}."));
    if !arguments.from_live {
        let flags = command::flags(settings, None);
        let flags = if settings.sandbox { flags } else { format!(" --sandbox{flags}") };
        lines.push("Try it without an account:".to_owned());
        lines.push(format!("  reachform plan{flags}"));
    }
    lines.push(String::new());
    lines.join("\n")
}
