//! `import`: manifests of live agents, written all or none.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::disk;
use crate::http::Redactor;
use crate::manifest::Files as _;
use crate::manifest::load::DiskFiles;
use crate::model::{Coverage, LiveState};
use crate::plan::{Import as Imported, ImportedAgent, ImportedSecret, LeftOut, NotImported, Options};
use crate::render::json::import_document;
use crate::render::values::plural;
use crate::render::visible::one_line;
use crate::render::words::plan_line;
use crate::session::{self, FileChange, Importing, Workspace, Written};

use super::args::Import;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{adopt, command, open, output};

/// Runs the command.
pub async fn run(arguments: &Import, settings: &Settings) -> Result<Exit, CommandError> {
    let workspace = open::perhaps_empty(settings);
    open::refuse_broken(&workspace, settings)?;
    let files = DiskFiles::open(&settings.dir, open::readable(settings))
        .map_err(|error| CommandError::chain("the project could not be opened", &error))?;
    let (written, coverage) = make(arguments, &workspace, &files, settings).await?;
    if !arguments.dry_run {
        write_all(&files, &written)?;
    }
    let names: Vec<String> = written.files.keys().chain(written.patched.keys()).cloned().collect();
    output::json(settings, &import_document(&written.import, &names, arguments.dry_run))?;
    if !settings.json {
        output::result(&text(&written, arguments, settings));
    }
    if let Coverage::Unproven(why) | Coverage::Incomplete(why) | Coverage::Forbidden(why) = &coverage {
        output::aside(&format!("warning: there may be more agents than these: {why}"));
    }
    let was_named = !arguments.agents.is_empty() && !written.import.refused.is_empty();
    Ok(match (was_named || !coverage.is_proven(), names.is_empty() || arguments.dry_run) {
        (false, _) => Exit::Done,
        (true, true) => Exit::Failed,
        (true, false) => Exit::Partial,
    })
}

/// Makes the manifests, and says how much of the list of agents was read.
async fn make(
    arguments: &Import,
    workspace: &Workspace,
    files: &DiskFiles,
    settings: &Settings,
) -> Result<(Written, Coverage), CommandError> {
    let project = &workspace.resolved.project;
    let outside = connect(settings, project, CancellationToken::new())?;
    let reader = outside.reader();
    let mut service = open::service(settings, &outside, &reader).await?;
    refuse_unread(&service.live)?;
    let options = Options {
        has_project: project.has_project,
        not_secret: open::not_secret(project, settings),
        ..Options::default()
    };
    let importing = Importing {
        files,
        environment: settings.environment.as_deref(),
        wanted: &arguments.agents,
        filter: arguments.filter.as_deref(),
        full: arguments.full,
        redactor: &Redactor::new(&settings.secrets()),
    };
    let written = session::import(workspace, &importing, &options, &outside, &reader, &mut service).await;
    let written = written.map_err(|error| CommandError::session(&error))?;
    Ok((written, service.live.agent_coverage))
}

/// Without a list of agents there is nothing to choose from, and an empty answer would look like an empty organization.
fn refuse_unread(live: &LiveState) -> Result<(), CommandError> {
    let (Coverage::Incomplete(why) | Coverage::Forbidden(why)) = &live.agent_coverage else { return Ok(()) };
    if !live.agents.is_empty() {
        return Ok(());
    }
    Err(CommandError::config("the agents could not be read, so nothing was imported").cause(why.clone()))
}

/// Writes new files and patches, all of them or none.
fn write_all(files: &DiskFiles, written: &Written) -> Result<(), CommandError> {
    let mut patches = BTreeMap::new();
    for (name, after) in &written.patched {
        let failed = |error: &dyn std::error::Error| {
            CommandError::chain(format!("{name} could not be read again; nothing was written"), error)
        };
        let bytes = files.read(name, usize::MAX).map_err(|error| failed(&error))?;
        let before = String::from_utf8(bytes).map_err(|error| failed(&error))?;
        patches.insert(name.clone(), FileChange { before, after: after.clone() });
    }
    let created = create(files, &written.files)?;
    // What was created goes again if a patch cannot be written.
    adopt::write(files.root(), &patches)?;
    created.keep();
    Ok(())
}

fn create(files: &DiskFiles, new: &BTreeMap<String, String>) -> Result<disk::Created, CommandError> {
    disk::create_below(files.root(), new).map_err(|error| CommandError::chain("nothing was written", &error))
}

/// Writes new files, all of them or none.
pub fn write(files: &DiskFiles, new: &BTreeMap<String, String>) -> Result<(), CommandError> {
    let created =
        disk::create_below(files.root(), new).map_err(|error| CommandError::chain("nothing was written", &error))?;
    created.keep();
    Ok(())
}

fn text(written: &Written, arguments: &Import, settings: &Settings) -> String {
    let Written { import, files, patched } = written;
    let Imported { agents, refused, managed, secrets, summary, .. } = import;
    let mut lines: Vec<String> = Vec::new();
    for agent in agents {
        describe(agent, files, &mut lines);
    }
    for name in patched.keys() {
        lines.push(format!("  {name} got a patch for the environment `{}`", import.target.environment));
    }
    for NotImported { name, agent_id, reason } in refused {
        lines.push(format!("! {} ({}) was not imported: {}", one_line(name), one_line(agent_id), one_line(reason)));
    }
    if !secrets.is_empty() {
        lines.extend([String::new(), "Secrets, whose values are in no file:".to_owned()]);
        for secret in secrets {
            of_secret(secret, &mut lines);
        }
        lines.push("A plan needs none of them. Set them before a change to these agents is applied.".to_owned());
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let would = if arguments.dry_run { " would be written" } else { "" };
    lines.push(format!(
        "Import: {} in {}{would}, {} not imported. {} a manifest already.",
        plural(agents.len(), "agent", "agents"),
        plural(files.len() + patched.len(), "file", "files"),
        refused.len(),
        if *managed == 1 { "1 agent has".to_owned() } else { format!("{managed} agents have") },
    ));
    if agents.is_empty() {
        return lines.join("\n");
    }
    lines.push(plan_line(summary));
    let flags = command::flags(settings, None);
    if arguments.dry_run {
        lines.push("Nothing was written. To write these files, run the same command without `--dry-run`.".to_owned());
    } else {
        lines.push("Review the files and commit them. Then:".to_owned());
        lines.push(format!("  reachform plan{flags}"));
        lines.push(format!("  reachform apply{flags}"));
    }
    lines.join("\n")
}

fn describe(agent: &ImportedAgent, files: &BTreeMap<String, String>, lines: &mut Vec<String>) {
    let ImportedAgent { name, version, files: own, left_out, .. } = agent;
    for (index, file) in own.iter().enumerate() {
        // A manifest that was there got a patch only.
        let size = files.get(file).map(|text| plural(text.lines().count(), "line", "lines"));
        let size = size.map(|size| format!("  ({size})")).unwrap_or_default();
        lines.push(match index {
            0 => format!("{file}  {}, version {version}{size}", one_line(name)),
            _ => format!("  {file}{size}"),
        });
    }
    for LeftOut { path, reason } in left_out {
        lines.push(format!("  {} is not declared: {}", one_line(&path.to_string()), one_line(reason)));
    }
}

fn of_secret(secret: &ImportedSecret, lines: &mut Vec<String>) {
    lines.push(format!("  REACHFORM_SECRET_{}", secret.name));
    for at in &secret.used {
        lines.push(format!("    {}  {}", at.address, one_line(&at.path.to_string())));
    }
}
