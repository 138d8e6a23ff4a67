//! What commands have in common at their beginning: the manifests of the folder, and flags as options.

use std::path::Path;

use crate::api::Reader;
use crate::diagnostics::{Problem, Severity};
use crate::manifest;
use crate::model::Key;
use crate::plan::{Limits, Options};
use crate::schema::Leniency;
use crate::session::{self, Outside, Service, Workspace};

use super::args::{Planning, SchemaMode};
use super::git;
use super::report::CommandError;
use super::schema_cache;
use super::settings::Settings;
use super::workflow::findings;

/// Reads the manifests.
pub fn workspace(settings: &Settings) -> Workspace {
    let dir: &Path = &settings.dir;
    let resolved = manifest::load(dir, settings.environment.as_deref(), &|name| settings.secret(name));
    Workspace { resolved, source: git::source(dir) }
}

/// Reads the manifests for a run that may leave agents out: their mistakes are no reason to refuse the others.
pub fn targeted(settings: &Settings, targets: &[Key], excludes: &[Key]) -> Workspace {
    let mut workspace = workspace(settings);
    let options = Options {
        targets: targets.iter().cloned().collect(),
        excludes: excludes.iter().cloned().collect(),
        ..Options::default()
    };
    session::leave_out(&mut workspace.resolved, &options);
    workspace
}

/// The same, by the flags of planning.
pub fn planned(settings: &Settings, planning: &Planning) -> Workspace {
    targeted(settings, &planning.target, &planning.exclude)
}

/// Mistakes in the manifests end a run before the service is asked: a plan of half a repository is none.
pub fn refuse_broken(workspace: &Workspace, settings: &Settings) -> Result<(), CommandError> {
    let resolved = &workspace.resolved;
    if !resolved.diagnostics.has_errors() {
        return Ok(());
    }
    let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
    findings::tell(&problems, resolved, settings);
    let count = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let plural = if count == 1 { "mistake" } else { "mistakes" };
    let told = problems.iter().map(|problem| Problem::of(problem, &resolved.sources)).collect();
    Err(CommandError::config(format!("the manifests have {count} {plural}; nothing was planned")).for_problems(told))
}

/// Reads the service and keeps its schema for those who have no credential.
pub async fn service(settings: &Settings, outside: &Outside, reader: &Reader) -> Result<Service, CommandError> {
    let service = session::read(outside, reader, None).await.map_err(|error| CommandError::session(&error))?;
    schema_cache::store(settings, &outside.host, &service.schema_bytes, outside.clock.now());
    Ok(service)
}

/// How values are judged that the schema does not list.
pub fn leniency(mode: SchemaMode) -> Leniency {
    match mode {
        SchemaMode::Strict => Leniency::Strict,
        SchemaMode::Lenient => Leniency::Lenient,
    }
}

/// The flags of planning as options. The day is the session's to set.
pub fn options(workspace: &Workspace, planning: &Planning) -> Options {
    let project = &workspace.resolved.project;
    let limit = |declared: u64| usize::try_from(declared).unwrap_or(usize::MAX);
    Options {
        has_project: project.has_project,
        prune: planning.prune,
        targets: planning.target.iter().cloned().collect(),
        excludes: planning.exclude.iter().cloned().collect(),
        force_conflicts: planning.force_conflicts,
        take: planning.take.iter().cloned().collect(),
        create: planning.create.iter().cloned().collect(),
        redo: planning.redo.iter().cloned().collect(),
        refresh: planning.refresh,
        limits: Limits {
            delete: planning.max_delete.unwrap_or_else(|| limit(project.limits.delete)),
            change_percent: planning.max_change_percent.unwrap_or_else(|| limit(project.limits.change_percent)),
        },
        not_secret: project.not_secret.clone(),
        ..Options::default()
    }
}
