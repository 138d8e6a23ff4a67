//! All manifests together, as they will be: read with those that are there, and planned against the same reading of the
//! service. What the plan would change is not declared, until it would change nothing.

use std::collections::BTreeMap;

use crate::diagnostics::{Place, Severity};
use crate::manifest::{EditedFiles, Resolved, resolve};
use crate::model::{Address, FieldPath, Key, LiveAgent};
use crate::plan::{self, Action, Import, ImportedAgent, ImportedSecret, Inputs, NotImported, Options, Plan, SecretUse};

use super::super::error::SessionError;
use super::choose::Candidate;
use super::declare::{Fix, Fixes, learn};
use super::secrets::Names;
use super::settle::{Settled, owner, put, settle};
use super::{World, Written};

/// How often all is planned anew. Each time what stood in the way of an agent is left out, or the agent itself.
const ROUNDS: usize = 8;

/// The agents that are still to be imported, and those that no longer are.
struct Proof<'w, 'a> {
    world: &'w World<'a>,
    names: Names,
    settled: BTreeMap<Key, Settled>,
    refused: Vec<NotImported>,
}

/// Writes the manifests in memory until a plan of them changes nothing.
pub(super) fn prove(
    world: &World<'_>,
    candidates: &[Candidate],
    refused: Vec<NotImported>,
) -> Result<Written, SessionError> {
    let resolved = &world.workspace.resolved;
    let used = resolved.desired.iter().flat_map(|desired| desired.declared.secrets().values());
    let mut names = Names::beside(used.flat_map(|text| text.names().map(str::to_owned).collect::<Vec<_>>()));
    for candidate in candidates {
        learn(world, candidate, &mut names);
    }
    let mut proof = Proof { world, names, settled: BTreeMap::new(), refused };
    for candidate in candidates {
        proof.settle(candidate, Fixes::new());
    }
    for _ in 0..ROUNDS {
        let Some(plan) = proof.look() else { continue };
        return Ok(proof.finish(&plan));
    }
    Err(SessionError::Import)
}

impl Proof<'_, '_> {
    fn settle(&mut self, candidate: &Candidate, fixes: Fixes) {
        match settle(self.world, candidate, fixes, &mut self.names) {
            Ok(settled) => drop(self.settled.insert(candidate.key.clone(), settled)),
            Err(reason) => self.refuse(candidate, reason),
        }
    }

    fn refuse(&mut self, candidate: &Candidate, reason: String) {
        self.settled.remove(&candidate.key);
        let agent = self.world.live().agents.get(&candidate.agent_id);
        let name = agent.map(|agent| agent.name.clone()).unwrap_or_default();
        self.refused.push(NotImported { name, agent_id: candidate.agent_id.clone(), reason });
    }

    /// The plan of all manifests, if nothing stands in its way any more.
    fn look(&mut self) -> Option<Plan> {
        let mut files = EditedFiles::new(self.world.importing.files);
        for (name, text) in self.settled.values().flat_map(|settled| &settled.files) {
            files.change(name.clone(), text.clone().into_bytes());
        }
        let resolved = resolve(&files, self.world.importing.environment, &|_| None);
        let plan = self.plan(&resolved);
        let wrong = self.wrong(&resolved, &plan);
        if wrong.is_empty() {
            return Some(plan);
        }
        for (key, problems) in wrong {
            let Some(settled) = self.settled.get(&key).cloned() else { continue };
            let mut fixes = settled.fixes.clone();
            let mended = problems.into_iter().try_for_each(|(path, reason)| {
                let Some(path) = path else { return Err(reason) };
                match fixes.get(&path) {
                    Some(Fix::Out(_)) => Err(reason),
                    Some(Fix::Inline | Fix::Quoted) | None => put(&mut fixes, path, Fix::Out(reason)),
                }
            });
            match mended {
                Ok(()) => self.settle(&settled.candidate, fixes),
                Err(reason) => self.refuse(&settled.candidate, reason),
            }
        }
        None
    }

    fn plan(&self, resolved: &Resolved) -> Plan {
        let targets = self.settled.keys().cloned().collect();
        let options = Options { targets, ..self.world.options.clone() };
        let inputs = Inputs {
            desired: &resolved.desired,
            live: self.world.live(),
            target: self.world.target,
            source: &self.world.workspace.source,
            options: &options,
        };
        plan::build(&inputs, self.world.service.schema.as_ref())
    }

    /// What stands in the way, by agent: a path that must not be declared, or nothing if the agent cannot be imported.
    fn wrong(&self, resolved: &Resolved, plan: &Plan) -> BTreeMap<Key, Vec<(Option<FieldPath>, String)>> {
        let mut found: BTreeMap<Key, Vec<(Option<FieldPath>, String)>> = BTreeMap::new();
        let owner_of =
            |file: &str| self.settled.iter().find(|(_, settled)| settled.files.contains_key(file)).map(|(key, _)| key);
        let is_error = |severity: Severity| severity == Severity::Error;
        for problem in resolved.diagnostics.iter().filter(|problem| is_error(problem.severity)) {
            let file = match &problem.place {
                Some(Place::Span(span)) => Some(resolved.sources.name(span.file)),
                Some(Place::Line(origin)) => Some(origin.file.as_str()),
                Some(Place::File(file)) => Some(file.as_str()),
                _ => None,
            };
            // What two manifests claim is reported at the second; the one that was there first keeps it.
            let spans = problem.others.iter().map(|label| resolved.sources.name(label.span.file));
            let Some(key) = file.into_iter().chain(spans).find_map(owner_of) else { continue };
            let path = (problem.code == "slot-claimed-twice").then(|| FieldPath::of(["phone_numbers"]));
            found.entry(key.clone()).or_default().push((path, problem.message.clone()));
        }
        for (key, settled) in &self.settled {
            if found.contains_key(key) {
                continue;
            }
            let problems = wrong_with(key, settled, plan);
            if !problems.is_empty() {
                found.insert(key.clone(), problems);
            }
        }
        for problems in found.values_mut() {
            split_numbers(problems);
        }
        found
    }

    fn finish(self, plan: &Plan) -> Written {
        let Self { world, settled, mut refused, .. } = self;
        let mut files = BTreeMap::new();
        let mut agents = Vec::new();
        let mut secrets: BTreeMap<String, Vec<SecretUse>> = BTreeMap::new();
        for (key, Settled { candidate, draft, files: of_agent, .. }) in settled {
            let others = of_agent.keys().filter(|name| **name != candidate.file).cloned();
            let agent = world.live().agents.get(&candidate.agent_id);
            for (name, at) in draft.secrets {
                secrets.entry(name).or_default().push(at);
            }
            agents.push(ImportedAgent {
                address: Address(key),
                name: agent.map(|agent: &LiveAgent| agent.name.clone()).unwrap_or_default(),
                agent_id: candidate.agent_id,
                version: candidate.version,
                files: std::iter::once(candidate.file.clone()).chain(others).collect(),
                left_out: draft.left_out,
            });
            files.extend(of_agent);
        }
        refused.sort();
        let secrets = secrets.into_iter().map(|(name, used)| ImportedSecret { name, used }).collect();
        let target = world.target.clone();
        let import = Import { target, agents, refused, managed: 0, secrets, summary: plan.summary() };
        Written { import, files, patched: BTreeMap::new() }
    }
}

/// What is said of a value that would be sent again.
const SENT: &str = "the next apply would send it again, because it does not read as it was written";

/// What a plan says of one agent that an import must not bring about.
fn wrong_with(key: &Key, settled: &Settled, plan: &Plan) -> Vec<(Option<FieldPath>, String)> {
    let mut found = Vec::new();
    let of_file = |origin: &crate::model::Origin| origin.file == settled.candidate.file;
    for problem in plan.diagnostics.iter().filter(|problem| problem.severity == Severity::Error) {
        match &problem.place {
            Some(Place::Field { address, path }) if address.0 == *key => {
                found.push((Some(owner(&settled.draft.expected, path)), problem.message.clone()));
            }
            Some(Place::Line(origin)) if of_file(origin) => found.push((None, problem.message.clone())),
            _ => {}
        }
    }
    if plan.unchanged.iter().any(|unchanged| unchanged.key == *key) {
        return found;
    }
    let Some(change) = plan.changes.iter().find(|change| change.key == *key) else {
        found.push((None, "a plan of its manifest does not find the agent".to_owned()));
        return found;
    };
    if change.action == Action::Adopt {
        return found;
    }
    if change.agent_id.as_deref() != Some(settled.candidate.agent_id.as_str()) {
        found.push((None, "its manifest would be taken for another agent's".to_owned()));
        return found;
    }
    for field in &change.fields {
        found.push((Some(owner(&settled.draft.expected, &field.path)), SENT.to_owned()));
    }
    for slot in &change.numbers {
        let path = FieldPath::of(["phone_numbers", slot.direction.as_str()]);
        found.push((Some(path), format!("the next apply would move {}", slot.number)));
    }
    if found.is_empty() {
        found.push((None, "a plan of its manifest would change it".to_owned()));
    }
    found.dedup();
    found
}

/// Both directions of an agent whose numbers cannot be declared.
fn split_numbers(problems: &mut Vec<(Option<FieldPath>, String)>) {
    let whole = FieldPath::of(["phone_numbers"]);
    let all = std::mem::take(problems);
    for (path, reason) in all {
        if path.as_ref() == Some(&whole) {
            for direction in crate::model::Direction::ALL {
                problems.push((Some(whole.child(direction.as_str())), reason.clone()));
            }
        } else {
            problems.push((path, reason));
        }
    }
    problems.sort();
    problems.dedup_by(|a, b| a.0.is_some() && a.0 == b.0);
}
