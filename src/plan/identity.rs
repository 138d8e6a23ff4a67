//! Which live agent a manifest speaks of: by stamp, by `moved`, by `id`, by name; and what is nobody's or another's.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, Place};
use crate::model::stamp::StampError;
use crate::model::{Address, Coverage, Desired, Key, LiveAgent, LiveState, Stamp};

use super::change::{Notice, Orphan, SlotHolder, Target, Unmanaged};
use super::options::Inputs;

/// How a manifest is tied to the service.
#[derive(Clone, Debug)]
pub enum Binding<'a> {
    /// To an agent that is ours, by its stamp.
    Owned {
        /// The agent.
        agent: &'a LiveAgent,
        /// Its stamp.
        stamp: Box<Stamp>,
        /// The key in the stamp, where it is another one.
        moved_from: Option<Key>,
    },
    /// To an agent without a stamp, which becomes ours.
    Adopted {
        /// The agent.
        agent: &'a LiveAgent,
    },
    /// To nothing: the agent is made.
    New,
    /// An error stands in the way; it is among the diagnostics.
    Broken,
}

impl<'a> Binding<'a> {
    /// The agent, where there is one.
    pub fn agent(&self) -> Option<&'a LiveAgent> {
        match self {
            Self::Owned { agent, .. } | Self::Adopted { agent } => Some(agent),
            Self::New | Self::Broken => None,
        }
    }

    /// The stamp, where there is one.
    pub fn stamp(&self) -> Option<&Stamp> {
        match self {
            Self::Owned { stamp, .. } => Some(stamp),
            Self::Adopted { .. } | Self::New | Self::Broken => None,
        }
    }
}

/// What every agent and every manifest turned out to be.
#[derive(Clone, Debug, Default)]
pub struct Identities<'a> {
    /// By key of the manifest.
    pub bindings: BTreeMap<Key, Binding<'a>>,
    /// The key that manages an agent, by the agent's id. Agents of manifests that this run leaves out are here too.
    pub keys: BTreeMap<String, Key>,
    /// Ours, without a manifest.
    pub orphans: Vec<(Orphan, &'a LiveAgent, Stamp)>,
    /// Not ours.
    pub unmanaged: Vec<Unmanaged>,
    /// A second agent with the stamp of a key, made by two first applies at once.
    pub twins: Vec<(Key, &'a LiveAgent)>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// For information.
    pub notices: Vec<Notice>,
}

impl Identities<'_> {
    /// Who holds a slot that points at a version. A version of no agent that was read is of an unknown, never of nobody.
    pub fn holder(&self, live: &LiveState, version_id: &str) -> SlotHolder {
        match live.owner_of(version_id) {
            Some((agent, version)) => SlotHolder::Agent {
                agent_id: agent.id.clone(),
                name: agent.name.clone(),
                key: self.keys.get(&agent.id).cloned(),
                version,
            },
            None => SlotHolder::Unknown { version_id: version_id.to_owned() },
        }
    }
}

/// What a live agent's metadata says of its owner.
enum Ownership {
    Ours(Box<Stamp>),
    Another { project: String, environment: String },
    Nobody,
    Unreadable(StampError),
}

fn ownership(agent: &LiveAgent, target: &Target) -> Ownership {
    match Stamp::read(&agent.metadata) {
        Ok(Some(stamp)) if !stamp.is_of(&agent.id) => Ownership::Nobody,
        Ok(Some(stamp)) if stamp.project == target.project && stamp.environment == target.environment => {
            Ownership::Ours(Box::new(stamp))
        }
        Ok(Some(stamp)) => Ownership::Another { project: stamp.project, environment: stamp.environment },
        Ok(None) => Ownership::Nobody,
        Err(error) => Ownership::Unreadable(error),
    }
}

/// The stamps of a project and environment, by agent.
pub fn stamps_of<'a>(live: &'a LiveState, target: &'a Target) -> impl Iterator<Item = (&'a LiveAgent, Stamp)> {
    live.agents.values().filter_map(|agent| match ownership(agent, target) {
        Ownership::Ours(stamp) => Some((agent, *stamp)),
        Ownership::Another { .. } | Ownership::Nobody | Ownership::Unreadable(_) => None,
    })
}

/// Ties manifests to agents.
pub fn identify<'a>(inputs: &Inputs<'a>) -> Identities<'a> {
    let mut found = Identities::default();
    let mut ours: BTreeMap<Key, Vec<(&LiveAgent, Stamp)>> = BTreeMap::new();
    let mut unstamped: Vec<&LiveAgent> = Vec::new();
    let mut others: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let mut unreadable: BTreeMap<&str, StampError> = BTreeMap::new();
    for agent in inputs.live.agents.values() {
        match ownership(agent, inputs.target) {
            Ownership::Ours(stamp) => ours.entry(stamp.key.clone()).or_default().push((agent, *stamp)),
            Ownership::Another { project, environment } => {
                others.insert(&agent.id, (project, environment));
            }
            Ownership::Nobody => unstamped.push(agent),
            Ownership::Unreadable(why) => {
                unreadable.insert(&agent.id, why);
            }
        }
    }
    let manifests: BTreeMap<&Key, &Desired> = inputs.desired.iter().map(|desired| (&desired.key, desired)).collect();
    for stamped in ours.values_mut() {
        // A stamp with its own agent's id before one of an unfinished create, then the older one (design, section 3).
        stamped.sort_by(|(a, a_stamp), (b, b_stamp)| {
            (a_stamp.agent.is_none(), &a.created_at, &a.id).cmp(&(b_stamp.agent.is_none(), &b.created_at, &b.id))
        });
    }
    let world =
        World { live: inputs.live, ours: &ours, unstamped: &unstamped, others: &others, unreadable: &unreadable };
    for desired in inputs.desired {
        let binding = bind(desired, &world, &manifests, inputs, &mut found);
        if let Some(agent) = binding.agent()
            && let Some(other) = found.keys.insert(agent.id.clone(), desired.key.clone())
        {
            found.diagnostics.push(
                Diagnostic::error(
                    "agent-bound-twice",
                    format!("the manifests `{other}` and `{}` both bind to agent {}", desired.key, agent.id),
                )
                .at(Place::Line(desired.origin.clone()))
                .hint("give one of them another `name`, or an `id:` of its own"),
            );
        }
        found.bindings.insert(desired.key.clone(), binding);
    }
    judge_the_rest(inputs, &ours, &others, &unreadable, &unstamped, &mut found);
    found
}

struct World<'w, 'a> {
    live: &'a LiveState,
    ours: &'w BTreeMap<Key, Vec<(&'a LiveAgent, Stamp)>>,
    unstamped: &'w [&'a LiveAgent],
    others: &'w BTreeMap<&'a str, (String, String)>,
    unreadable: &'w BTreeMap<&'a str, StampError>,
}

fn bind<'a>(
    desired: &Desired,
    world: &World<'_, 'a>,
    manifests: &BTreeMap<&Key, &Desired>,
    inputs: &Inputs<'a>,
    found: &mut Identities<'a>,
) -> Binding<'a> {
    let here = || Place::Line(desired.origin.clone());
    let first = |key: &Key| world.ours.get(key).and_then(|stamped| stamped.first());
    if let Some((agent, stamp)) = first(&desired.key) {
        if let Some(id) = &desired.id
            && *id != agent.id
        {
            found.diagnostics.push(
                Diagnostic::error(
                    "id-mismatch",
                    format!(
                        "`id: {id}` is not the agent that reachform manages as `{}`, which is {}",
                        desired.key, agent.id
                    ),
                )
                .at(here())
                .hint(format!(
                    "take `id:` out, or remove the key `reachform` from the metadata of agent {} first",
                    agent.id
                )),
            );
            return Binding::Broken;
        }
        return Binding::Owned { agent, stamp: Box::new(stamp.clone()), moved_from: None };
    }
    for old in &desired.moved {
        if !manifests.contains_key(old)
            && let Some((agent, stamp)) = first(old)
        {
            return Binding::Owned { agent, stamp: Box::new(stamp.clone()), moved_from: Some(old.clone()) };
        }
    }
    if let Some(id) = &desired.id {
        return bind_by_id(desired, id, world, found);
    }
    // An agent whose stamp cannot be read might be this manifest's own: making another one beside it would be worse
    // than stopping.
    let unreadable = world.live.agents.values().find_map(|agent| {
        let why = world.unreadable.get(agent.id.as_str())?;
        (agent.name == desired.name || claims(agent, &desired.key)).then_some((agent, why))
    });
    if let Some((agent, why)) = unreadable {
        found.diagnostics.push(
            Diagnostic::error("stamp-unreadable", format!("agent {} (`{}`): {why}", agent.id, agent.name))
                .at(here())
                .hint(why.hint()),
        );
        return Binding::Broken;
    }
    let same_name: Vec<&&LiveAgent> = world.unstamped.iter().filter(|agent| agent.name == desired.name).collect();
    match same_name.as_slice() {
        [agent] => return Binding::Adopted { agent },
        [] => {}
        several => {
            let ids: Vec<&str> = several.iter().map(|agent| agent.id.as_str()).collect();
            found.diagnostics.push(
                Diagnostic::error(
                    "name-is-ambiguous",
                    format!("{} unmanaged agents are named `{}`: {}", ids.len(), desired.name, ids.join(", ")),
                )
                .at(here())
                .hint("say which one with `id:`"),
            );
            return Binding::Broken;
        }
    }
    check_create(desired, world, manifests, inputs, found)
}

fn claims(agent: &LiveAgent, key: &Key) -> bool {
    agent.metadata.pointer("/reachform/key").and_then(serde_json::Value::as_str) == Some(key.as_str())
}

fn bind_by_id<'a>(desired: &Desired, id: &str, world: &World<'_, 'a>, found: &mut Identities<'a>) -> Binding<'a> {
    let here = Place::Line(desired.origin.clone());
    let Some(agent) = world.live.agents.get(id) else {
        found.diagnostics.push(
            Diagnostic::error("id-not-found", format!("no agent with `id: {id}` was found in this organization"))
                .at(here)
                .hint("ids differ in each organization: set `id` under `environments:`, or take it out"),
        );
        return Binding::Broken;
    };
    let problem = if let Some((project, environment)) = world.others.get(id) {
        Some(format!("agent {id} belongs to project `{project}`, environment `{environment}`"))
    } else if let Some(why) = world.unreadable.get(id) {
        Some(format!("agent {id}: {why}"))
    } else {
        world.ours.iter().find(|(_, stamped)| stamped.iter().any(|(agent, _)| agent.id == id)).map(|(old, _)| {
            format!("agent {id} is managed already, under the key `{old}`; if it is renamed, say `moved: [{old}]`")
        })
    };
    if let Some(problem) = problem {
        found.diagnostics.push(Diagnostic::error("id-is-taken", problem).at(here));
        return Binding::Broken;
    }
    Binding::Adopted { agent }
}

fn check_create<'a>(
    desired: &Desired,
    world: &World<'_, 'a>,
    manifests: &BTreeMap<&Key, &Desired>,
    inputs: &Inputs<'a>,
    found: &mut Identities<'a>,
) -> Binding<'a> {
    let here = || Place::Line(desired.origin.clone());
    let renamed = world
        .ours
        .iter()
        .find(|(key, stamped)| {
            !manifests.contains_key(key) && stamped.iter().any(|(agent, _)| agent.name == desired.name)
        })
        .map(|(key, _)| key);
    if let Some(old) = renamed {
        found.diagnostics.push(
            Diagnostic::error(
                "key-was-renamed",
                format!("the agent named `{}` is managed under the key `{old}`, which has no manifest", desired.name),
            )
            .at(here())
            .hint(format!("if `{old}` was renamed to `{}`, add the line `moved: [{old}]`", desired.key)),
        );
        return Binding::Broken;
    }
    if matches!(world.live.agent_coverage, Coverage::Incomplete(_) | Coverage::Forbidden(_)) {
        // Whether the agent exists is not known, so it is not made. The build says so once for the whole plan.
        return Binding::Broken;
    }
    if let Some(agent) = world.live.agents.values().find(|agent| agent.name == desired.name) {
        let (project, environment) = world.others.get(agent.id.as_str()).cloned().unwrap_or_default();
        found.diagnostics.push(
            Diagnostic::warning(
                "name-in-another-project",
                format!(
                    "an agent named `{}` belongs to project `{project}`, environment `{environment}`: a second one is made",
                    desired.name
                ),
            )
            .at(here()),
        );
    }
    if let Some(agent) = sole_unmanaged_holder(desired, world)
        && !inputs.options.create.contains(&desired.key)
    {
        found.diagnostics.push(
            Diagnostic::error(
                "numbers-sit-on-an-unmanaged-agent",
                format!(
                    "`{}` would be made anew, but all its numbers sit on the unmanaged agent `{}` ({})",
                    desired.key, agent.name, agent.id
                ),
            )
            .at(here())
            .hint(format!("to take that agent over, add `id: {}`", agent.id))
            .hint(format!("to make another one and move the numbers to it, use `--create {}`", desired.key)),
        );
        return Binding::Broken;
    }
    Binding::New
}

/// The one unmanaged agent that holds every declared slot, if there is such a one.
fn sole_unmanaged_holder<'a>(desired: &Desired, world: &World<'_, 'a>) -> Option<&'a LiveAgent> {
    let mut holders: BTreeSet<Option<&str>> = BTreeSet::new();
    for direction in crate::model::Direction::ALL {
        for number in desired.slots.of(direction).into_iter().flatten() {
            let slot = world.live.numbers.get(number).and_then(|number| number.slot(direction));
            holders.insert(slot.and_then(|id| world.live.owner_of(id)).map(|(agent, _)| agent.id.as_str()));
        }
    }
    let [Some(id)] = holders.into_iter().collect::<Vec<_>>()[..] else { return None };
    world.unstamped.iter().find(|agent| agent.id == id).copied()
}

fn judge_the_rest<'a>(
    inputs: &Inputs<'a>,
    ours: &BTreeMap<Key, Vec<(&'a LiveAgent, Stamp)>>,
    others: &BTreeMap<&str, (String, String)>,
    unreadable: &BTreeMap<&str, StampError>,
    unstamped: &[&'a LiveAgent],
    found: &mut Identities<'a>,
) {
    for (key, stamped) in ours {
        for (position, (agent, stamp)) in stamped.iter().enumerate() {
            if found.keys.contains_key(&agent.id) {
                continue;
            }
            if position > 0 {
                found.notices.push(Notice {
                    address: Some(Address(key.clone())),
                    code: "twin",
                    message: format!(
                        "agent {} was created for `{key}` as well, by two first applies at the same time; `apply` removes it if it has no version and no number",
                        agent.id
                    ),
                });
                found.twins.push((key.clone(), agent));
            } else if inputs.options.has_project && !inputs.desired.iter().any(|desired| desired.key == *key) {
                let orphan = Orphan {
                    key: key.clone(),
                    agent_id: agent.id.clone(),
                    name: agent.name.clone(),
                    protect: stamp.protect,
                    kept_because: None,
                };
                found.orphans.push((orphan, agent, stamp.clone()));
            }
        }
    }
    for agent in unstamped.iter().filter(|agent| !found.keys.contains_key(&agent.id)) {
        found.unmanaged.push(Unmanaged { name: agent.name.clone(), agent_id: agent.id.clone(), owner: None });
    }
    for (id, owner) in others {
        let name = inputs.live.agents.get(*id).map(|agent| agent.name.clone()).unwrap_or_default();
        found.unmanaged.push(Unmanaged { name, agent_id: (*id).to_owned(), owner: Some(owner.clone()) });
    }
    for (id, why) in unreadable {
        let name = inputs.live.agents.get(*id).map(|agent| agent.name.clone()).unwrap_or_default();
        found.notices.push(Notice {
            address: None,
            code: "stamp-unreadable",
            message: format!("agent {id} (`{name}`) is left alone: {why}"),
        });
        found.unmanaged.push(Unmanaged { name, agent_id: (*id).to_owned(), owner: None });
    }
    found.unmanaged.sort();
}
