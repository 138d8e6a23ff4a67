//! Which agents are imported, and under which keys.

use std::collections::BTreeSet;

use crate::manifest::glob;
use crate::model::{Coverage, Key, LiveAgent};
use crate::plan::identity::{identify, stamps_of};
use crate::plan::{Inputs, NotImported};

use super::super::error::SessionError;
use super::super::planning::Workspace;
use super::Importing;

/// Where texts go.
pub(super) const PROMPTS: &str = "prompts";

/// An agent that gets a manifest.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub agent_id: String,
    pub version: u64,
    pub key: Key,
    /// Whether its name alone does not say which agent is meant.
    pub needs_id: bool,
    /// Where its manifest goes.
    pub file: String,
}

pub(super) struct Chosen {
    pub candidates: Vec<Candidate>,
    pub refused: Vec<NotImported>,
    pub managed: usize,
}

/// Chooses among all agents that have no manifest.
pub(super) fn choose(
    inputs: &Inputs<'_>,
    workspace: &Workspace,
    importing: &Importing<'_>,
) -> Result<Chosen, SessionError> {
    let identities = identify(inputs);
    let live = inputs.live;
    check_named(inputs, importing)?;
    let is_wanted = |agent: &LiveAgent| {
        let is_named =
            importing.wanted.is_empty() || importing.wanted.iter().any(|word| *word == agent.id || *word == agent.name);
        let filter = importing.filter.map(str::to_lowercase);
        is_named && filter.is_none_or(|part| agent.name.to_lowercase().contains(&part))
    };
    let mut refused = Vec::new();
    let mut free: Vec<(&LiveAgent, Option<Key>)> = Vec::new();
    for unmanaged in &identities.unmanaged {
        let Some(agent) = live.agents.get(&unmanaged.agent_id).filter(|agent| is_wanted(agent)) else { continue };
        match why_not(agent, unmanaged.owner.as_ref()) {
            Some(reason) => refused.push(NotImported { name: agent.name.clone(), agent_id: agent.id.clone(), reason }),
            None => free.push((agent, None)),
        }
    }
    if !importing.wanted.is_empty() {
        let managed = identities.keys.iter().filter_map(|(id, key)| Some((live.agents.get(id)?, key)));
        refused.extend(managed.filter(|(agent, _)| is_wanted(agent)).map(|(agent, key)| NotImported {
            name: agent.name.clone(),
            agent_id: agent.id.clone(),
            reason: format!("it has a manifest already, with the key `{key}`"),
        }));
    }
    // Ours, and without a manifest: whether there is a `reachform.yaml` that would call it an orphan plays no part.
    let ours = stamps_of(live, inputs.target).filter(|(agent, _)| !identities.keys.contains_key(&agent.id));
    let twins: BTreeSet<&str> = identities.twins.iter().map(|(_, agent)| agent.id.as_str()).collect();
    for (agent, stamp) in ours.filter(|(agent, _)| is_wanted(agent)) {
        let refuse = |reason: &str| NotImported {
            name: agent.name.clone(),
            agent_id: agent.id.clone(),
            reason: reason.to_owned(),
        };
        if twins.contains(agent.id.as_str()) {
            refused.push(refuse("it was created twice, by two first applies at the same time; `apply` removes it"));
        } else if workspace.resolved.elsewhere.contains(&stamp.key) {
            refused.push(refuse("its manifest says that it does not belong into this environment"));
        } else if agent.live_version().is_none() {
            refused.push(refuse(NO_VERSION));
        } else {
            free.push((agent, Some(stamp.key.clone())));
        }
    }
    free.sort_by(|(a, a_key), (b, b_key)| {
        (a_key.is_none(), &a.created_at, &a.id).cmp(&(b_key.is_none(), &b.created_at, &b.id))
    });
    let mut keys = Keys::of(inputs, workspace, importing);
    let mut candidates = Vec::new();
    for (agent, known) in free {
        let Some(version) = agent.live_version().map(|head| head.version) else { continue };
        let is_ours = known.is_some();
        let (key, file) = keys.take(known, &agent.name);
        let same = live.agents.values().filter(|other| other.name == agent.name && other.id != agent.id);
        let is_namesake = |other: &LiveAgent| !identities.keys.contains_key(&other.id);
        let needs_id = !is_ours && same.into_iter().any(is_namesake);
        candidates.push(Candidate { agent_id: agent.id.clone(), version, key, needs_id, file });
    }
    Ok(Chosen { candidates, refused, managed: identities.keys.len() })
}

const NO_VERSION: &str = "it has no published version, so nothing of it is live";

/// Why an agent cannot be imported, as far as the lists tell.
fn why_not(agent: &LiveAgent, owner: Option<&(String, String)>) -> Option<String> {
    if let Some((project, environment)) = owner {
        return Some(format!("it belongs to project `{project}`, environment `{environment}`"));
    }
    if let Err(error) = crate::model::Stamp::read(&agent.metadata) {
        return Some(error.to_string());
    }
    if agent.live_version().is_none() {
        let drafts = agent.versions.len();
        let only = if drafts == 0 { "it has no version" } else { "it has only a draft" };
        return Some(format!("{only}: publish one first, so that there is something to describe"));
    }
    if agent.name.trim().is_empty() {
        return Some("it has no name, and a manifest needs one".to_owned());
    }
    if !agent.metadata.is_object() && !agent.metadata.is_null() {
        return Some(
            "its `metadata` is not an object, and reachform keeps its own record there: make it an object first"
                .to_owned(),
        );
    }
    None
}

/// An agent that was named and is not there is a mistake of whoever typed it.
fn check_named(inputs: &Inputs<'_>, importing: &Importing<'_>) -> Result<(), SessionError> {
    let agents = || inputs.live.agents.values();
    let is_known = |word: &String| agents().any(|agent| agent.id == *word || agent.name == *word);
    let Some(word) = importing.wanted.iter().find(|word| !is_known(word)) else { return Ok(()) };
    let names: Vec<&str> = agents().map(|agent| agent.name.as_str()).collect();
    let hint = match crate::manifest::suggest::nearest(word, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if matches!(inputs.live.agent_coverage, Coverage::Proven) => {
            "`reachform list` shows all agents".to_owned()
        }
        None => "not all agents could be read, so it may be there all the same".to_owned(),
    };
    Err(SessionError::UnknownAgent { word: word.clone(), hint })
}

/// The keys and files that are still free.
struct Keys {
    taken: BTreeSet<String>,
    /// Every name of a file in small letters: where a disk does not tell them apart, neither do we.
    files: BTreeSet<String>,
    /// What the names of texts begin with, up to their first dot.
    prompts: BTreeSet<String>,
    folder: String,
}

impl Keys {
    fn of(inputs: &Inputs<'_>, workspace: &Workspace, importing: &Importing<'_>) -> Self {
        let resolved = &workspace.resolved;
        let declared = resolved.desired.iter().map(|desired| &desired.key);
        let moved = resolved.desired.iter().flat_map(|desired| &desired.moved);
        let known = declared.chain(moved).chain(&resolved.elsewhere).map(|key| key.as_str().to_owned());
        let stamped = stamps_of(inputs.live, inputs.target).map(|(_, stamp)| stamp.key.as_str().to_owned());
        let folder = folder(workspace);
        let listed = |at: &str| importing.files.list(at).unwrap_or_default().into_iter();
        let files = listed(&folder).map(|entry| entry.path.to_lowercase()).collect();
        let prompts = listed(PROMPTS).filter_map(|entry| {
            let name = entry.path.to_lowercase();
            let name = name.strip_prefix(PROMPTS)?.trim_start_matches('/');
            Some(name.split(['.', '/']).next()?.to_owned())
        });
        Self { taken: known.chain(stamped).collect(), files, prompts: prompts.collect(), folder }
    }

    /// A key that nobody has, and the file of its manifest. That of an agent of ours stays what it was.
    fn take(&mut self, known: Option<Key>, name: &str) -> (Key, String) {
        let is_known = known.is_some();
        let wanted = known.unwrap_or_else(|| Key::suggest(name));
        let mut number = 1_usize;
        loop {
            let tail = if number == 1 { String::new() } else { format!("-{number}") };
            let room = 63 - tail.len();
            let stem = wanted.as_str().get(..room).unwrap_or(wanted.as_str()).trim_end_matches('-');
            let word = format!("{stem}{tail}");
            let file = format!("{}{word}.yaml", self.folder_prefix());
            let lower = file.to_lowercase();
            let is_used = self.files.contains(&lower)
                || self.files.contains(&lower.replace(".yaml", ".yml"))
                || self.prompts.contains(&word);
            let is_free = (is_known || !self.taken.contains(&word)) && !is_used;
            number += 1;
            let (true, Some(key)) = (is_free, Key::parse(&word)) else { continue };
            self.taken.insert(word);
            self.files.insert(lower);
            return (if is_known { wanted } else { key }, file);
        }
    }

    fn folder_prefix(&self) -> String {
        if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) }
    }
}

/// The first folder in which the project looks for manifests.
fn folder(workspace: &Workspace) -> String {
    let places = workspace.resolved.project.agents.iter().map(|place| place.path.as_str());
    let is_file = |path: &str| crate::manifest::files::has_extension(path, &["yaml", "yml"]);
    let folders = places.map(|path| if glob::is_pattern(path) { glob::fixed_folder(path) } else { path.to_owned() });
    let folder = { folders }.find(|path| !is_file(path)).unwrap_or_else(|| "agents".to_owned());
    crate::manifest::files::normalize(&folder).unwrap_or_else(|| "agents".to_owned())
}
