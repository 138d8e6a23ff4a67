//! `drift --adopt`: live values into the manifests, shown as a difference and written all or none.

use std::collections::BTreeMap;
use std::path::Path;

use crate::disk::{self, ReadError};
use crate::http::Redactor;
use crate::manifest::load::DiskFiles;
use crate::plan::drift::{Drift as DriftValue, DriftState};
use crate::render::json::{AdoptDoc, AdoptedDoc, NotAdoptedDoc};
use crate::render::text::unified_diff;
use crate::render::values::plural;
use crate::render::visible::one_line;
use crate::session::{self, Adopted, Adopting, Adoption, FileChange, NotAdopted, Service, Workspace};

use super::args::{DiffDetail, Drift};
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{open, output};

/// Adopts what a check found.
pub fn run(
    drift: &DriftValue,
    service: Option<&Service>,
    workspace: &Workspace,
    arguments: &Drift,
    settings: &Settings,
) -> Result<Exit, CommandError> {
    let (Some(service), DriftState::Clean | DriftState::Drifted) = (service, drift.state()) else {
        let causes = drift.unchecked.iter().flat_map(|entry| entry.causes.clone());
        let mut error = CommandError::config("nothing was adopted, because not everything could be checked");
        error.causes.extend(causes);
        error.hints.extend(drift.unchecked.iter().flat_map(|entry| entry.hints.clone()));
        return Err(error);
    };
    let files = DiskFiles::open(&settings.dir, open::readable(settings))
        .map_err(|error| CommandError::chain("the manifests could not be opened for editing", &error))?;
    let adopting = Adopting {
        files: &files,
        environment: settings.environment.as_deref(),
        secrets: &|name| settings.secret(name),
        force: arguments.force,
        redactor: &Redactor::new(&settings.secrets()),
    };
    let adoption = session::adopt(drift, workspace, service, &adopting);
    if !arguments.dry_run {
        write(files.root(), &adoption.files)?;
    }
    output::json(settings, &document(&adoption, arguments.dry_run))?;
    if !settings.json {
        output::result(&text(&adoption, arguments.dry_run, arguments.diff, settings));
    }
    Ok(match (adoption.refused.is_empty(), adoption.files.is_empty() || arguments.dry_run) {
        (true, _) if arguments.dry_run && arguments.detailed_exitcode && !adoption.files.is_empty() => Exit::Changes,
        (true, _) => Exit::Done,
        (false, true) => Exit::Failed,
        (false, false) => Exit::Partial,
    })
}

/// Writes the values of an older version into the manifests of agents that were rolled back to it.
pub fn old_values(
    drift: &DriftValue,
    service: &Service,
    workspace: &Workspace,
    diff: DiffDetail,
    settings: &Settings,
) -> Result<Exit, CommandError> {
    let files = DiskFiles::open(&settings.dir, open::readable(settings))
        .map_err(|error| CommandError::chain("the manifests could not be opened for editing", &error))?;
    let adopting = Adopting {
        files: &files,
        environment: settings.environment.as_deref(),
        secrets: &|name| settings.secret(name),
        force: false,
        redactor: &Redactor::new(&settings.secrets()),
    };
    let adoption = session::adopt(drift, workspace, service, &adopting);
    write(files.root(), &adoption.files)?;
    let told = text(&adoption, false, diff, settings);
    // The one document on stdout is the report of the rollback.
    if settings.json {
        output::aside(&told);
    } else {
        output::result(&told);
    }
    Ok(if adoption.refused.is_empty() { Exit::Done } else { Exit::Partial })
}

/// Writes every file beside its place first, so that a full disk or a missing right leaves all of them as they were.
pub fn write(root: &Path, files: &BTreeMap<String, FileChange>) -> Result<(), CommandError> {
    let mut ready = Vec::new();
    for (name, change) in files {
        let unwritten = format!("{name} could not be written; nothing was");
        match disk::read_below(root, name, change.before.len()) {
            Ok(bytes) if bytes == change.before.as_bytes() => {}
            Ok(_) | Err(ReadError::TooLarge { .. }) => {
                let message = format!("{name} was changed by something else meanwhile; nothing was written");
                return Err(CommandError::config(message).hint("run again"));
            }
            Err(error) => return Err(CommandError::chain(unwritten, &error)),
        }
        let prepared = disk::prepare_below(root, name, change.after.as_bytes());
        ready.push((prepared.map_err(|error| CommandError::io(unwritten, &error))?, name, change));
    }
    let mut done: Vec<(&String, &FileChange)> = Vec::new();
    for (prepared, name, change) in ready {
        if let Err(error) = prepared.put() {
            let mut failure = CommandError::io(format!("{name} could not be written"), &error);
            // What was replaced already is put back, so that the manifests say the old thing as a whole.
            for (name, change) in done {
                let restored = disk::prepare_below(root, name, change.before.as_bytes()).and_then(disk::Prepared::put);
                failure = match restored {
                    Ok(()) => failure.cause(format!("{name} was put back as it was")),
                    Err(error) => failure.cause(format!("{name} could not be put back: {error}")),
                };
            }
            return Err(failure);
        }
        done.push((name, change));
    }
    Ok(())
}

fn text(adoption: &Adoption, dry_run: bool, diff: DiffDetail, settings: &Settings) -> String {
    let Adoption { adopted, refused, files } = adoption;
    let options = output::text_options(settings, diff);
    let mut lines: Vec<String> = Vec::new();
    if dry_run {
        for (name, FileChange { before, after }) in files {
            lines.push(unified_diff(name, before, after, &options));
        }
    }
    for Adopted { address, path, files, in_patch } in adopted {
        let patch = if *in_patch { ", in the patch of this environment" } else { "" };
        lines.push(format!("  {address}  {}  {}{patch}", one_line(&path.to_string()), one_line(&files.join(", "))));
    }
    for NotAdopted { address, path, reason } in refused {
        let path = path.as_ref().map(|path| format!("  {}", one_line(&path.to_string()))).unwrap_or_default();
        lines.push(format!("! {address}{path}  not adopted: {}", one_line(reason)));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let would = if dry_run { " would be" } else { "" };
    lines.push(format!(
        "Adopt: {}{would} adopted, {} not. {}{would} written.",
        plural(adopted.len(), "value", "values"),
        refused.len(),
        plural(files.len(), "file", "files"),
    ));
    if !files.is_empty() && !dry_run {
        lines.push("Review the difference and commit it: git diff".to_owned());
    }
    lines.join("\n")
}

fn document(adoption: &Adoption, dry_run: bool) -> String {
    let Adoption { adopted, refused, files } = adoption;
    let adopted = adopted.iter().cloned().map(|Adopted { address, path, files, in_patch }| AdoptedDoc {
        address,
        path,
        files,
        in_patch,
    });
    let refused =
        refused.iter().cloned().map(|NotAdopted { address, path, reason }| NotAdoptedDoc { address, path, reason });
    AdoptDoc::new(dry_run, adopted.collect(), refused.collect(), files.keys().cloned().collect()).text()
}
