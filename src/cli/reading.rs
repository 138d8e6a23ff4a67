//! What `validate`, `plan`, `apply` and `list` have in common: manifests, the service as it is, the schema, a plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::api::Reader;
use crate::diagnostics::{Diagnostic, Diagnostics, Place, Span};
use crate::live::{self, Unlisted};
use crate::manifest::{self, Locations, Resolved};
use crate::model::{Coverage, Direction, FieldPath, LiveState};
use crate::plan::{self, Inputs, Limits, Options, Plan, Source, Target};
use crate::schema::{ConfigSchema, Leniency, Places, check_declared};

use super::args::{Planning, SchemaMode};
use super::connect::Connection;
use super::report::CommandError;
use super::settings::Settings;
use super::{git, schema_cache};

/// The manifests of a run and what it was asked of them.
pub struct Workspace {
    /// The manifests, resolved for one environment.
    pub resolved: Resolved,
    /// The commit.
    pub source: Source,
}

/// Reads the manifests.
pub fn open(settings: &Settings) -> Workspace {
    let resolved = manifest::load(&settings.dir, settings.environment.as_deref(), &|name| settings.secret(name));
    Workspace { resolved, source: git::source(&settings.dir) }
}

/// Where the values of one manifest stand.
pub struct ManifestPlaces<'a>(pub &'a Locations);

impl Places for ManifestPlaces<'_> {
    fn value(&self, path: &FieldPath) -> Option<Span> {
        self.0.value_span(path)
    }

    fn key(&self, path: &FieldPath) -> Option<Span> {
        self.0.key_span(path)
    }
}

/// Checks every manifest against the schema.
pub fn check(resolved: &Resolved, schema: &ConfigSchema, mode: SchemaMode) -> Diagnostics {
    let leniency = match mode {
        SchemaMode::Strict => Leniency::Strict,
        SchemaMode::Lenient => Leniency::Lenient,
    };
    let mut found = Diagnostics::new();
    for desired in &resolved.desired {
        if let Some(locations) = resolved.locations.get(&desired.key) {
            found.extend(check_declared(desired, schema, &ManifestPlaces(locations), leniency));
        }
    }
    found
}

/// A reading of the service with the schema that it published to this run.
pub struct Service {
    /// What was read.
    pub live: LiveState,
    /// The schema.
    pub schema: Arc<ConfigSchema>,
}

/// Reads the lists and the schema, side by side. What cannot be done without is an error; everything else is in the
/// reading's coverage and notices.
pub async fn read(connection: &Connection, reader: &Reader, settings: &Settings) -> Result<Service, CommandError> {
    let reading = live::read_lists(reader).await;
    // A credential that opens nothing is said once, and not as three lists that were not read.
    if let Some(error) = reading.errors.iter().find(|error| error.is_unauthorized()).or(reading.errors.first())
        && (error.is_unauthorized() || reading.schema.is_none())
    {
        return Err(CommandError::service(error));
    }
    let Some(bytes) = reading.schema else {
        return Err(CommandError::config("the schema of the service could not be read: GET /core/agent-config-schema"));
    };
    let schema = compile(&bytes)?;
    schema_cache::store(settings, &connection.host, &bytes, connection.clock.now());
    let mut live = reading.state;
    live.schema_digest = Some(schema.digest().clone());
    Ok(Service { live, schema: Arc::new(schema) })
}

/// Reads everything once more, keeping the schema where it is the same and the configs that were read: published
/// versions are immutable.
pub async fn read_again(
    connection: &Connection,
    reader: &Reader,
    settings: &Settings,
    before: Service,
) -> Result<Service, CommandError> {
    let mut service = read(connection, reader, settings).await?;
    for (id, agent) in &mut service.live.agents {
        let Some(known) = before.live.agents.get(id) else { continue };
        for (version, config) in &known.configs {
            if agent.version(*version).is_some_and(|head| head.published) {
                agent.configs.insert(*version, config.clone());
            }
        }
    }
    Ok(service)
}

/// Compiles a schema.
pub fn compile(bytes: &[u8]) -> Result<ConfigSchema, CommandError> {
    ConfigSchema::compile(bytes).map_err(|error| {
        CommandError::config("the schema of the service cannot be used: GET /core/agent-config-schema")
            .cause(error.to_string())
            .hint(error.hint())
    })
}

/// The plan of one reading, with every problem at its place in the manifests.
pub async fn make_plan(
    workspace: &Workspace,
    planning: &Planning,
    connection: &Connection,
    reader: &Reader,
    service: &mut Service,
) -> Result<Plan, CommandError> {
    let resolved = &workspace.resolved;
    check_organization(resolved, &service.live)?;
    let target = Target {
        host: connection.host.clone(),
        organization: service.live.organization.clone(),
        environment: resolved.project.environment.clone(),
        project: resolved.project.name.clone(),
    };
    let options = options(workspace, planning, connection)?;
    let unlisted = unlisted(resolved, &service.live);
    for error in live::ask_singly(reader, &mut service.live, &unlisted).await {
        service.live.notices.push(format!("not everything could be asked for: {}", error.one_line()));
    }
    let wanted = {
        let inputs = inputs(workspace, &service.live, &target, &options);
        plan::configs_needed(&inputs)
    };
    let failures = live::read_configs(reader, &mut service.live, &wanted).await;
    let inputs = inputs(workspace, &service.live, &target, &options);
    let mut plan = plan::build(&inputs, service.schema.as_ref());
    for failure in failures {
        plan.complete = false;
        plan.diagnostics.push(
            Diagnostic::error("config-unreadable", one_line(&failure))
                .hint("nothing is planned for an agent whose config could not be read; run again"),
        );
    }
    let mut problems = check(resolved, &service.schema, planning.schema);
    for diagnostic in plan.diagnostics.drain(..) {
        problems.push(placed(diagnostic, resolved));
    }
    problems.extend(resolved.diagnostics.clone());
    plan.diagnostics = without_echoes(problems.sorted(&resolved.sources));
    Ok(plan)
}

/// An error and its causes on one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// What the manifests name and a list that is not proven did not show: it is asked for by itself. A declared number is
/// asked for even where the list was proven, before it is called unknown.
fn unlisted(resolved: &Resolved, live: &LiveState) -> Unlisted {
    let mut found = Unlisted::default();
    for desired in &resolved.desired {
        for direction in Direction::ALL {
            let declared = desired.slots.of(direction).into_iter().flatten();
            found.numbers.extend(declared.filter(|number| !live.numbers.contains_key(*number)).cloned());
        }
        if let Some(id) = desired.id.as_ref().filter(|id| !live.agents.contains_key(*id)) {
            found.agent_ids.insert(id.clone());
        }
        if matches!(live.agent_coverage, Coverage::Unproven(_)) {
            found.agent_names.insert(desired.name.clone());
            found.stamps.push(json!({"reachform": {
                "project": resolved.project.name, "environment": resolved.project.environment,
                "key": desired.key.as_str(),
            }}));
        }
    }
    found
}

fn inputs<'a>(workspace: &'a Workspace, live: &'a LiveState, target: &'a Target, options: &'a Options) -> Inputs<'a> {
    Inputs { desired: &workspace.resolved.desired, live, target, source: &workspace.source, options }
}

/// Turns a problem at a field into one at a span of the manifest.
fn placed(mut diagnostic: Diagnostic, resolved: &Resolved) -> Diagnostic {
    if let Some(Place::Field { address, path }) = &diagnostic.place {
        let span = resolved.locations.get(&address.0).and_then(|locations| locations.value_span(path));
        diagnostic.place = Some(span.map_or_else(|| Place::Agent(address.clone()), Place::Span));
    }
    diagnostic
}

/// The check of what is declared and that of the whole new config find the same fault twice; the one that explains it
/// at its place is kept.
fn without_echoes(problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let explained: Vec<Span> = problems
        .iter()
        .filter(|problem| problem.code != "invalid-config")
        .filter_map(|problem| match &problem.place {
            Some(Place::Span(span)) => Some(span.clone()),
            _ => None,
        })
        .collect();
    problems
        .into_iter()
        .filter(|problem| {
            let Some(Place::Span(span)) = &problem.place else { return true };
            problem.code != "invalid-config" || !explained.contains(span)
        })
        .collect()
}

/// A token of another organization than the environment's is refused before anything else is done with it.
fn check_organization(resolved: &Resolved, live: &LiveState) -> Result<(), CommandError> {
    let (Some(wanted), Some(found)) = (resolved.project.organization(), live.organization.as_deref()) else {
        return Ok(());
    };
    // The embedded service is one organization, whatever the environment is called.
    if wanted == found || found == crate::sandbox::ORGANIZATION {
        return Ok(());
    }
    Err(CommandError::config(format!(
        "the token belongs to organization `{found}`, and environment `{}` is organization `{wanted}`",
        resolved.project.environment
    ))
    .hint(format!("set {} to a key of `{wanted}`, or choose another `--env`", resolved.project.token_variable())))
}

fn options(workspace: &Workspace, planning: &Planning, connection: &Connection) -> Result<Options, CommandError> {
    let resolved = &workspace.resolved;
    let project = &resolved.project;
    for key in planning.target.iter().chain(&planning.exclude).chain(&planning.create).chain(&planning.redo) {
        let is_known = resolved.desired.iter().any(|desired| desired.key == *key) || resolved.elsewhere.contains(key);
        if !is_known && !resolved.diagnostics.has_errors() {
            let known: Vec<&str> = resolved.desired.iter().map(|desired| desired.key.as_str()).collect();
            let hint = manifest::suggest::nearest(key.as_str(), known.iter().copied());
            let error = CommandError::usage(format!("no manifest has the key `{key}`"));
            return Err(match hint {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("the keys are: {}", known.join(", "))),
            });
        }
    }
    let limit = |declared: u64| usize::try_from(declared).unwrap_or(usize::MAX);
    Ok(Options {
        today: TimeZone::UTC.to_datetime(connection.clock.now()).date(),
        has_project: project.has_project,
        prune: planning.prune,
        targets: planning.target.iter().cloned().collect(),
        excludes: planning.exclude.iter().cloned().collect(),
        force_conflicts: planning.force_conflicts,
        take: planning.take.iter().cloned().collect(),
        create: planning.create.iter().cloned().collect::<BTreeSet<_>>(),
        redo: planning.redo.iter().cloned().collect(),
        refresh: planning.refresh,
        limits: Limits {
            delete: planning.max_delete.unwrap_or_else(|| limit(project.limits.delete)),
            change_percent: planning.max_change_percent.unwrap_or_else(|| limit(project.limits.change_percent)),
        },
    })
}
