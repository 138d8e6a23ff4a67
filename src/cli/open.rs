//! What commands have in common at their beginning: the manifests of the folder, and flags as options.

use std::collections::BTreeSet;

use crate::api::Reader;
use crate::diagnostics::{Diagnostic, Diagnostics, Place, Problem, Severity};
use crate::manifest::{self, Project, Readable, codes};
use crate::model::Key;
use crate::plan::{Limits, LimitsBefore, Options, Source};
use crate::schema::Leniency;
use crate::session::{self, Outside, Service, Workspace};

use super::args::{Planning, SchemaMode};
use super::git;
use super::pull_request::{self, Base};
use super::report::CommandError;
use super::schema_cache;
use super::settings::Settings;
use super::workflow::findings;

/// Which files of the project may be read here.
pub fn readable(settings: &Settings) -> Readable {
    if settings.is_in_a_pipeline() { git::readable_in_a_pipeline(&settings.dir) } else { Readable::Everything }
}

/// The commit that the manifests are of.
pub fn source(settings: &Settings) -> Source {
    git::source(&settings.dir, !settings.is_in_a_pipeline())
}

/// Reads the manifests.
pub fn workspace(settings: &Settings) -> Workspace {
    let secret = |name: &str| settings.secret(name);
    let resolved = manifest::load(&settings.dir, readable(settings), settings.environment.as_deref(), &secret);
    Workspace { resolved, source: source(settings) }
}

/// Reads the manifests of a folder that may have none yet: for those who look at the service, that is no mistake. A file
/// that was cut to nothing still is.
pub fn perhaps_empty(settings: &Settings) -> Workspace {
    let mut workspace = workspace(settings);
    let is_mistake =
        |problem: &Diagnostic| problem.code != codes::NO_MANIFESTS || matches!(problem.place, Some(Place::File(_)));
    let mut kept = Diagnostics::new();
    workspace
        .resolved
        .diagnostics
        .iter()
        .filter(|problem| is_mistake(problem))
        .for_each(|problem| kept.push(problem.clone()));
    workspace.resolved.diagnostics = kept;
    workspace
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

/// Limits of a project file, with what flags lift of them for one run.
fn limits(declared: manifest::Limits, planning: &Planning) -> Limits {
    let limit = |declared: u64| usize::try_from(declared).unwrap_or(usize::MAX);
    Limits {
        delete: planning.max_delete.unwrap_or_else(|| limit(declared.delete)),
        change_percent: planning.max_change_percent.unwrap_or_else(|| limit(declared.change_percent)),
    }
}

/// What the project declared before the pull request of this run.
enum Before {
    NoPullRequest,
    Unknown,
    Declared(Box<Project>),
}

fn before(settings: &Settings) -> Before {
    match pull_request::base(settings) {
        Base::NoPullRequest => Before::NoPullRequest,
        Base::Unknown => Before::Unknown,
        Base::Commit(commit) => pull_request::project_at(settings, &commit)
            .map_or(Before::Unknown, |project| Before::Declared(Box::new(project))),
    }
}

/// The names that hold no secrets, whatever they sound like. Of those that a pull request lists only the ones count that
/// were listed before it: it does not decide which live values it gets to see.
pub fn not_secret(project: &Project, settings: &Settings) -> BTreeSet<String> {
    match before(settings) {
        Before::NoPullRequest => project.not_secret.clone(),
        Before::Unknown => BTreeSet::new(),
        Before::Declared(before) => project.not_secret.intersection(&before.not_secret).cloned().collect(),
    }
}

/// The limits as they were before the pull request of this run.
fn limits_before(settings: &Settings, planning: &Planning) -> LimitsBefore {
    match before(settings) {
        Before::NoPullRequest => LimitsBefore::NotAsked,
        Before::Declared(before) => LimitsBefore::Known(limits(before.limits, planning)),
        Before::Unknown => LimitsBefore::Assumed(limits(manifest::Limits::default(), planning)),
    }
}

/// The flags of planning as options. The day is the session's to set.
pub fn options(workspace: &Workspace, planning: &Planning, settings: &Settings) -> Options {
    let project = &workspace.resolved.project;
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
        limits: limits(project.limits, planning),
        limits_before: limits_before(settings, planning),
        not_secret: not_secret(project, settings),
        ..Options::default()
    }
}
