//! Agents whose manifest is there already, because it was imported from another environment: what differs here goes into
//! the manifest's patch of this environment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::diagnostics::Severity;
use crate::manifest::edit::{self, Judge, Placement, Want};
use crate::manifest::{EditedFiles, resolve};
use crate::model::value::same;
use crate::model::{Direction, FieldPath, Key, LiveAgent};
use crate::plan::compare::Sides;
use crate::plan::drift::live_value;
use crate::plan::identity::{Binding, identify};
use crate::plan::mask::{Labels, Mask};
use crate::plan::{self, Action, ImportedAgent, Inputs, NotImported, Options, Plan};

use super::World;
use super::choose::Candidate;

/// What the patches came to.
#[derive(Default)]
pub(super) struct Patched {
    pub agents: Vec<ImportedAgent>,
    pub refused: Vec<NotImported>,
    /// The manifests with their patches, by name.
    pub files: BTreeMap<String, String>,
}

/// A manifest that counts elsewhere.
struct Known {
    key: Key,
    name: String,
    file: String,
}

/// Takes those candidates out whose manifest is there, and patches it. Likewise for agents that a manifest would take over
/// and change.
pub(super) fn patch(world: &World<'_>, candidates: &mut Vec<Candidate>) -> Patched {
    let mut out = Patched::default();
    let project = &world.workspace.resolved.project;
    if project.environments.len() < 2 {
        return out;
    }
    let mut files = EditedFiles::new(world.importing.files);
    let elsewhere = known_elsewhere(world);
    let mut jobs: Vec<(Key, String, String)> = Vec::new();
    candidates.retain(|candidate| {
        let name = world.live().agents.get(&candidate.agent_id).map(|agent| agent.name.as_str());
        let is_it =
            |known: &&Known| Some(known.name.as_str()) == name || known.key == Key::suggest(name.unwrap_or_default());
        let Some(known) = elsewhere.iter().find(is_it) else { return true };
        let Some(text) = edit::admit(&files, &project.environment, &known.file, &known.key) else { return true };
        files.change(known.file.clone(), text.into_bytes());
        jobs.push((known.key.clone(), known.file.clone(), candidate.agent_id.clone()));
        false
    });
    let inputs = Inputs {
        desired: &world.workspace.resolved.desired,
        live: world.live(),
        target: world.target,
        source: &world.workspace.source,
        options: world.options,
    };
    for (key, binding) in &identify(&inputs).bindings {
        let desired = inputs.desired.iter().find(|desired| desired.key == *key);
        if let (Binding::Adopted { agent }, Some(desired)) = (binding, desired)
            && agent.live_config().is_some()
        {
            jobs.push((key.clone(), desired.origin.file.clone(), agent.id.clone()));
        }
    }
    for (key, file, agent_id) in jobs {
        let Some(agent) = world.live().agents.get(&agent_id) else { continue };
        let mut attempt = files.clone();
        match one(world, &mut attempt, &key, &file, agent) {
            Ok(()) => {
                files = attempt;
                let version = agent.live_version().map_or(0, |head| head.version);
                let address = crate::model::Address(key);
                let files = vec![file];
                out.agents.push(ImportedAgent {
                    address,
                    name: agent.name.clone(),
                    agent_id,
                    version,
                    files,
                    left_out: Vec::new(),
                });
            }
            Err(reason) => {
                let reason = format!(
                    "its manifest {file} counts in another environment, and what differs here cannot be written as a patch: {reason}"
                );
                out.refused.push(NotImported { name: agent.name.clone(), agent_id, reason });
            }
        }
    }
    let patched: BTreeSet<&String> = out.agents.iter().flat_map(|agent| &agent.files).collect();
    for (name, bytes) in files.into_changed() {
        let before = world.importing.files.read(&name, usize::MAX).ok();
        let Some(text) = String::from_utf8(bytes).ok().filter(|text| before.as_deref() != Some(text.as_bytes())) else {
            continue;
        };
        // A manifest that was let in and could not be patched stays as it was.
        if patched.contains(&name) {
            out.files.insert(name, text);
        }
    }
    let is_changed = |agent: &ImportedAgent| agent.files.iter().any(|file| out.files.contains_key(file));
    out.agents.retain(is_changed);
    out
}

/// The manifests that say that they do not count here.
fn known_elsewhere(world: &World<'_>) -> Vec<Known> {
    let resolved = &world.workspace.resolved;
    let others = resolved.project.environments.keys().filter(|name| **name != resolved.project.environment);
    let mut found: Vec<Known> = Vec::new();
    for environment in others {
        let there = resolve(world.importing.files, Some(environment), &|_| None);
        for desired in there.desired.into_iter().filter(|desired| resolved.elsewhere.contains(&desired.key)) {
            if !found.iter().any(|known| known.key == desired.key) {
                found.push(Known { key: desired.key, name: desired.name, file: desired.origin.file });
            }
        }
    }
    found
}

/// Writes what differs, until a plan changes nothing.
fn one(world: &World<'_>, files: &mut EditedFiles<'_>, key: &Key, file: &str, agent: &LiveAgent) -> Result<(), String> {
    for _ in 0..3 {
        let plan = planned(world, files, key)?;
        let Some(change) = plan.changes.iter().find(|change| change.key == *key) else { return Ok(()) };
        if change.action == Action::Adopt {
            return Ok(());
        }
        if change.agent_id.as_deref() != Some(agent.id.as_str()) {
            return Err("it would make another agent".to_owned());
        }
        let judge = Schema { world, agent };
        let mut wants: Vec<(FieldPath, Option<Value>)> =
            change.fields.iter().map(|field| (field.path.clone(), live_value(agent, &field.path))).collect();
        let directions: BTreeSet<Direction> = change.numbers.iter().map(|slot| slot.direction).collect();
        wants.extend(directions.into_iter().map(|direction| slots(world, agent, direction)));
        for (path, live) in wants {
            let want = Want { key, file, path: &path, declared: None, live: live.as_ref() };
            let environment = Some(world.target.environment.as_str());
            let changed = edit::write(&*files, environment, &want, Placement::PatchOver, &judge);
            for (name, text) in changed.map_err(|unfit| format!("{path}: {unfit}"))? {
                files.change(name, text.into_bytes());
            }
        }
    }
    Err("it would still differ afterwards".to_owned())
}

fn slots(world: &World<'_>, agent: &LiveAgent, direction: Direction) -> (FieldPath, Option<Value>) {
    let live = agent.live_version().map(|head| head.id.as_str());
    let held = world.live().numbers.values().filter(|number| number.slot(direction).is_some_and(|id| Some(id) == live));
    let numbers: Vec<&str> = held.map(|number| number.number.as_str()).collect();
    (FieldPath::of(["phone_numbers", direction.as_str()]), Some(json!(numbers)))
}

fn planned(world: &World<'_>, files: &EditedFiles<'_>, key: &Key) -> Result<Plan, String> {
    let resolved = resolve(files, Some(&world.target.environment), &|_| None);
    let errors = || resolved.diagnostics.iter().filter(|problem| problem.severity == Severity::Error);
    if let Some(problem) = errors().next() {
        return Err(problem.message.clone());
    }
    let options = Options { targets: [key.clone()].into(), ..world.options.clone() };
    let inputs = Inputs {
        desired: &resolved.desired,
        live: world.live(),
        target: world.target,
        source: &world.workspace.source,
        options: &options,
    };
    Ok(plan::build(&inputs, world.service.schema.as_ref()))
}

/// What the schema knows, for one agent.
struct Schema<'a> {
    world: &'a World<'a>,
    agent: &'a LiveAgent,
}

impl Judge for Schema<'_> {
    fn same(&self, path: &FieldPath, declared: &Value, live: &Value) -> bool {
        let config = self.agent.live_config().map(|live| &live.config);
        match config.filter(|_| path.in_config()) {
            Some(config) => Sides { shape: self.world.service.schema.as_ref(), wanted: config, live: config }
                .equal(path, declared, live),
            None => same(declared, live),
        }
    }

    fn is_secret(&self, path: &FieldPath, value: &Value) -> bool {
        let config = self.agent.live_config().map_or(&Value::Null, |live| &live.config);
        let mask = Mask {
            shape: self.world.service.schema.as_ref(),
            declared: None,
            config,
            seal: None,
            not_secret: &self.world.options.not_secret,
            labels: &Labels::default(),
            as_applied: false,
        };
        let is_known = value.as_str().is_some_and(|text| self.world.importing.redactor.hide(text).is_some());
        mask.is_secret(path, value) || is_known
    }
}
