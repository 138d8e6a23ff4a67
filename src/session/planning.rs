//! From manifests and a service to a plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::api::{ApiError, Reader, Writer};
use crate::diagnostics::{Diagnostic, Diagnostics, Place, Severity, Span};
use crate::http::{Client, Clock, Entropy};
use crate::live::{self, Unlisted};
use crate::manifest::files::{beside, has_extension, normalize};
use crate::manifest::{self, Locations, Resolved, TEXT_EXTENSIONS};
use crate::model::seal;
use crate::model::{ConfigShape as _, Coverage, Desired, Direction, FieldPath, Key, LiveState, Origin};
use crate::plan::conceal::Conceal;
use crate::plan::{self, FieldChange, Inputs, Notice, Options, Plan, Shown, Source, Target};
use crate::schema::{ConfigSchema, Leniency, Places, check_declared};

use super::error::SessionError;
use super::judging;
use super::schemas::Schemas;

/// How messages and plans name the embedded service.
pub const SANDBOX_HOST: &str = "sandbox";

/// The manifests of a run and the commit that they were read from.
#[derive(Debug)]
pub struct Workspace {
    /// The manifests, resolved for one environment.
    pub resolved: Resolved,
    /// The commit.
    pub source: Source,
}

/// The outside as parameters: the service, time and randomness.
#[derive(Clone)]
pub struct Outside {
    /// The client, from which a reader or a writer is made.
    pub client: Client,
    /// The host, for the plan's target.
    pub host: String,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The schemas that were compiled.
    pub schemas: Arc<Schemas>,
}

impl Outside {
    /// Whether this is the service inside the process: one organization, whatever the environments are called.
    pub fn is_embedded(&self) -> bool {
        self.host == SANDBOX_HOST
    }

    /// A client that cannot write: its type has no writing method, and its transport lets nothing else through.
    pub fn reader(&self) -> Reader {
        Reader::new(&self.client)
    }

    /// Takes the secrets that this run knows out of what is about to be shown.
    pub fn conceal(&self, shown: &mut impl Conceal) {
        shown.conceal(&|text| self.client.redactor().hide(text));
    }

    /// A client that can. Only an apply asks for it.
    pub fn writer(&self) -> Writer {
        Writer::new(&self.client)
    }
}

/// A reading of the service with the schema that it published to this run.
#[derive(Clone, Debug)]
pub struct Service {
    /// What was read.
    pub live: LiveState,
    /// The schema.
    pub schema: Arc<ConfigSchema>,
    /// The schema as it was published, for the cache.
    pub schema_bytes: Arc<Vec<u8>>,
}

/// Where the values of one manifest stand.
struct ManifestPlaces<'a>(&'a Locations);

impl Places for ManifestPlaces<'_> {
    fn value(&self, path: &FieldPath) -> Option<Span> {
        self.0.value_span(path)
    }

    fn key(&self, path: &FieldPath) -> Option<Span> {
        self.0.key_span(path)
    }
}

/// Checks every manifest against the schema.
pub fn check(resolved: &Resolved, schema: &ConfigSchema, leniency: Leniency) -> Diagnostics {
    let mut found = unsupported(resolved);
    let checked = check_each(resolved, schema, leniency).into_iter().map(|(_, problem)| problem);
    for problem in checked.chain(unchecked(schema)) {
        found.push(problem);
    }
    found
}

/// Whether what a plan says of the manifests may be another thing than what the schema alone says: a mistake may be live
/// already, and a manifest that does not declare a whole agent may be of one that there is, or of a new one.
pub fn needs_the_service(resolved: &Resolved, schema: &ConfigSchema, found: &Diagnostics) -> bool {
    let is_part = |desired: &Desired| match desired.declared.config() {
        Some(config) => !schema.faults(config).is_empty(),
        None => Direction::ALL.into_iter().any(|to| desired.slots.of(to).is_some_and(|numbers| !numbers.is_empty())),
    };
    found.has_errors() || resolved.desired.iter().any(is_part)
}

/// What a plan says of the manifests by the schema, given what is live. Nothing of what else it says.
pub async fn check_against_live(
    workspace: &Workspace,
    options: &Options,
    leniency: Leniency,
    outside: &Outside,
) -> Result<Diagnostics, SessionError> {
    let reader = outside.reader();
    let mut service = read(outside, &reader, None).await?;
    let plan = make_plan(workspace, options, leniency, outside, &reader, &mut service).await?;
    let mut found = Diagnostics::new();
    let is_of_the_schema = |code: &str| code.starts_with("schema-") || SCHEMA_BY_PLAN.contains(&code);
    for problem in plan.diagnostics.into_iter().filter(|problem| is_of_the_schema(problem.code)) {
        found.push(problem);
    }
    Ok(found)
}

/// The codes under which a plan says what the schema, or the service by its nature, asks of a manifest.
const SCHEMA_BY_PLAN: [&str; 4] =
    ["invalid-config", "invalid-as-live", "numbers-without-a-version", "not-supported-yet"];

/// What every plan would refuse, whatever is live.
pub fn unsupported(resolved: &Resolved) -> Diagnostics {
    let mut found = Diagnostics::new();
    for problem in resolved.desired.iter().flat_map(plan::build::unsupported) {
        found.push(placed(problem, resolved));
    }
    found
}

/// The same, each problem with the key of its manifest.
fn check_each(resolved: &Resolved, schema: &ConfigSchema, leniency: Leniency) -> judging::Found {
    let mut found = Vec::new();
    let places: BTreeSet<&Place> = resolved.diagnostics.iter().filter_map(|known| known.place.as_ref()).collect();
    let known = |problem: &Diagnostic| problem.place.as_ref().is_some_and(|place| places.contains(place));
    for desired in &resolved.desired {
        if let Some(locations) = resolved.locations.get(&desired.key) {
            // A value that could not be made out is told once, and not as one of the wrong type as well.
            for problem in check_declared(desired, schema, &ManifestPlaces(locations), leniency).iter() {
                if !known(problem) {
                    found.push((desired.key.clone(), problem.clone()));
                }
            }
        }
    }
    found
}

/// Names the file and the line of every changed value that a manifest declares, also where that is a shared file.
fn say_where(plan: &mut Plan, resolved: &Resolved) {
    for change in &mut plan.changes {
        let Some(locations) = resolved.locations.get(&change.key) else { continue };
        for field in change.fields.iter_mut().filter(|field| !field.removal) {
            let declared = locations.key_span(&field.path).map(|span| Origin {
                file: resolved.sources.name(span.file).to_owned(),
                line: resolved.sources.position(span.file, span.start).line,
            });
            field.origin = text_file(field, locations, resolved).or(declared);
        }
    }
}

/// The file that a text comes from by `!file`, with the first line that changes: a prompt of ten agents is named by its
/// own file, and not by the ten lines that name that.
fn text_file(field: &FieldChange, locations: &Locations, resolved: &Resolved) -> Option<Origin> {
    let Shown::Value(Value::String(after)) = &field.after else { return None };
    let span = locations.value_span(&field.path)?;
    let source = resolved.sources.text(span.file).get(span.start..span.end)?;
    let named = source.trim().trim_start_matches("!file").trim().trim_matches(['"', '\'']);
    if named == after || !has_extension(named, &TEXT_EXTENSIONS) {
        return None;
    }
    let file = normalize(&beside(resolved.sources.name(span.file), named))?;
    let before = if let Shown::Value(Value::String(before)) = &field.before { before.as_str() } else { "" };
    let line = before.lines().zip(after.lines()).take_while(|(before, after)| before == after).count();
    Some(Origin { file, line: line.min(after.lines().count().saturating_sub(1)) + 1 })
}

/// What the schema leaves unchecked of every manifest.
fn unchecked(schema: &ConfigSchema) -> Option<Diagnostic> {
    let unchecked = schema.unchecked()?;
    let problem = Diagnostic::error(unchecked.code(), unchecked.to_string());
    Some(problem.at(Place::Request("GET /core/agent-config-schema".to_owned())).hint(unchecked.hint()))
}

/// Reads the lists and the schema, side by side. What cannot be done without is an error; everything else is in the
/// reading's coverage and notices. With an earlier reading, the configs that were read are kept: published versions
/// are immutable.
pub async fn read(outside: &Outside, reader: &Reader, before: Option<&Service>) -> Result<Service, SessionError> {
    let asked_at = outside.clock.now();
    seal::begin_run();
    let mut reading = live::read_lists(reader).await;
    // A credential that opens nothing is said once, and not as three lists that were not read.
    let gravest = reading.errors.iter().position(ApiError::is_unauthorized);
    if let Some(position) = gravest {
        return Err(reading.errors.swap_remove(position).into());
    }
    let Some(bytes) = reading.schema.take() else {
        let error = reading.errors.into_iter().find(|error| error.request().contains("agent-config-schema"));
        return Err(error.map_or(SessionError::Interrupted, SessionError::Service));
    };
    let bytes = Arc::new(bytes);
    let schema = outside.schemas.compile(&bytes).map_err(SessionError::Schema)?;
    let mut live = reading.state;
    live.read_at = Some(asked_at);
    live.schema_digest = Some(schema.digest().clone());
    for (id, agent) in &mut live.agents {
        let Some(known) = before.and_then(|before| before.live.agents.get(id)) else { continue };
        for (version, config) in &known.configs {
            if agent.version(*version).is_some_and(|head| head.published) {
                agent.configs.insert(*version, config.clone());
            }
        }
    }
    Ok(Service { live, schema, schema_bytes: bytes })
}

/// The target of a run.
pub fn target(workspace: &Workspace, outside: &Outside, live: &LiveState) -> Target {
    Target {
        host: outside.host.clone(),
        declared_organization: workspace.resolved.project.organization().map(str::to_owned),
        organization: live.organization.clone(),
        environment: workspace.resolved.project.environment.clone(),
        project: workspace.resolved.project.name.clone(),
    }
}

/// The plan of one reading, with every problem at its place in the manifests. `options.today` is set here, by the
/// clock of the run.
pub async fn make_plan(
    workspace: &Workspace,
    options: &Options,
    leniency: Leniency,
    outside: &Outside,
    reader: &Reader,
    service: &mut Service,
) -> Result<Plan, SessionError> {
    let resolved = &workspace.resolved;
    check_organization(resolved, outside, &service.live)?;
    let named = options.targets.iter().chain(&options.excludes).chain(&options.create).chain(&options.redo);
    let named = named.chain(options.rollback.keys());
    check_keys(resolved, named)?;
    let options = Options { today: TimeZone::UTC.to_datetime(outside.clock.now()).date(), ..options.clone() };
    let target = target(workspace, outside, &service.live);
    let unlisted = unlisted(resolved, &service.live);
    for error in live::ask_singly(reader, &mut service.live, &unlisted).await {
        service.live.notices.push(format!("not everything could be asked for: {}", error.one_line()));
    }
    let wanted = plan::configs_needed(&inputs(workspace, &service.live, &target, &options));
    let missing: Vec<(String, u64)> = wanted
        .into_iter()
        .filter(|(id, version)| service.live.agents.get(id).is_none_or(|agent| !agent.configs.contains_key(version)))
        .collect();
    let failures = live::read_configs(reader, &mut service.live, &missing).await;
    // A config names its organization, where the lists did not.
    check_organization(resolved, outside, &service.live)?;
    let target = Target { organization: service.live.organization.clone(), ..target };
    let mut plan = plan::build(&inputs(workspace, &service.live, &target, &options), service.schema.as_ref());
    say_where(&mut plan, resolved);
    for failure in failures {
        plan.complete = false;
        plan.diagnostics.push(
            Diagnostic::error("config-unreadable", one_line(&failure))
                .hint("no change is planned for an agent whose config could not be read; run again"),
        );
    }
    let mut found = check_each(resolved, &service.schema, leniency);
    // What a manifest says plays no part in a rollback, and must not be in the way of one.
    found.retain(|(key, _)| !options.rollback.contains_key(key));
    judging::weigh(&mut found, &mut plan, &service.live, resolved, &options);
    let mut problems = Diagnostics::new();
    for problem in found.into_iter().map(|(_, problem)| problem).chain(unchecked(&service.schema)) {
        problems.push(problem);
    }
    for diagnostic in plan.diagnostics.drain(..) {
        problems.push(placed(diagnostic, resolved));
    }
    problems.extend(resolved.diagnostics.clone());
    plan.diagnostics = without_echoes(problems.sorted(&resolved.sources));
    let declared = plan.target.declared_organization.as_ref().filter(|_| !outside.is_embedded());
    if let (Some(wanted), Some(why)) = (declared, service.live.unseen_organization()) {
        plan.notices.push(Notice {
            address: None,
            code: "organization-unverified",
            message: format!("whether this credential belongs to `{wanted}` was not checked: {}", why.in_words()),
        });
        plan.notices.sort();
    }
    if seal::is_exhausted() {
        plan.notices.push(Notice {
            address: None,
            code: "secrets-not-tried",
            message:
                "too many texts have the length of a short secret to compare them all with it: those that were not compared are shown as (secret)"
                    .to_owned(),
        });
        plan.notices.sort();
    }
    outside.conceal(&mut plan);
    Ok(plan)
}

/// An error and its causes on one line.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    causes(error).join(": ")
}

/// An error and its causes, from the outermost to the innermost.
pub(super) fn causes(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}

/// What the manifests name and a list that is not proven did not show: it is asked for by itself. A declared number is
/// asked for even where the list was proven, before it is called unknown.
pub(super) fn unlisted(resolved: &Resolved, live: &LiveState) -> Unlisted {
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

pub(super) fn inputs<'a>(
    workspace: &'a Workspace,
    live: &'a LiveState,
    target: &'a Target,
    options: &'a Options,
) -> Inputs<'a> {
    Inputs { desired: &workspace.resolved.desired, live, target, source: &workspace.source, options }
}

/// Turns a problem at a field into one at a span of the manifest.
fn placed(mut diagnostic: Diagnostic, resolved: &Resolved) -> Diagnostic {
    if let Some(Place::Field { address, path }) = &diagnostic.place {
        let locations = resolved.locations.get(&address.0);
        // A field of its own has its name for a place; what is missing or filled in, the nearest that was written.
        let above = std::iter::successors(Some(path.clone()), FieldPath::parent);
        let span = locations.and_then(|locations| {
            let name = (path.steps().len() == 1).then(|| locations.key_span(path)).flatten();
            name.or_else(|| {
                above.into_iter().find_map(|at| locations.value_span(&at).or_else(|| locations.key_span(&at)))
            })
        });
        diagnostic.place = Some(span.map_or_else(|| Place::Agent(address.clone()), Place::Span));
    }
    diagnostic
}

/// The check of what is declared and that of the whole new config find the same fault twice; the one that explains it
/// at its place is kept.
fn without_echoes(problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let explained: BTreeSet<Span> = problems
        .iter()
        // A warning about the same place does not say that the config would be refused.
        .filter(|problem| problem.code != "invalid-config" && problem.severity == Severity::Error)
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
pub(super) fn check_organization(resolved: &Resolved, outside: &Outside, live: &LiveState) -> Result<(), SessionError> {
    let (Some(wanted), Some(found)) = (resolved.project.organization(), live.organization.as_deref()) else {
        return Ok(());
    };
    if wanted == found || outside.is_embedded() {
        return Ok(());
    }
    Err(SessionError::Organization {
        found: outside.client.redactor().clean(found),
        environment: resolved.project.environment.clone(),
        wanted: wanted.to_owned(),
        variable: resolved.project.token_variable().to_owned(),
    })
}

/// A key that a flag names and no manifest has would silently plan nothing.
pub(super) fn check_keys<'k>(
    resolved: &Resolved,
    mut named: impl Iterator<Item = &'k Key>,
) -> Result<(), SessionError> {
    let is_known =
        |key: &&Key| resolved.desired.iter().any(|desired| desired.key == **key) || resolved.elsewhere.contains(*key);
    let Some(key) = named.find(|key| !is_known(key)) else { return Ok(()) };
    let known: Vec<&str> = resolved.desired.iter().map(|desired| desired.key.as_str()).collect();
    let hint = match manifest::suggest::nearest(key.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys are: {}", known.join(", ")),
    };
    Err(SessionError::UnknownKey { key: key.clone(), hint })
}
