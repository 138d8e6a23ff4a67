//! Which agents there are and who manages them, and which number rings where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Address, Coverage, Direction, FieldPath, Key, LiveAgent, PhoneNumber};

use super::change::Target;
use super::identity::{Binding, Identities};
use super::options::Inputs;

/// All agents and numbers of an organization, as far as they could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What was read.
    pub target: Target,
    /// How much of the agents was read.
    pub agent_coverage: Coverage,
    /// How much of the numbers was read.
    pub number_coverage: Coverage,
    /// The agents: those with a manifest first.
    pub agents: Vec<ListedAgent>,
    /// The numbers.
    pub numbers: Vec<ListedNumber>,
}

/// Who manages an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ListedState {
    /// A manifest of this project.
    #[serde(rename = "managed")]
    Managed,
    /// A manifest that has not been applied to it yet.
    #[serde(rename = "to adopt")]
    ToAdopt,
    /// A manifest has no agent.
    #[serde(rename = "absent")]
    Absent,
    /// Which agent a manifest means cannot be told.
    #[serde(rename = "unclear")]
    Unclear,
    /// This project, whose manifest is gone.
    #[serde(rename = "orphaned")]
    Orphaned,
    /// Another project or environment.
    #[serde(rename = "another project")]
    AnotherProject,
    /// Nobody.
    #[serde(rename = "unmanaged")]
    Unmanaged,
}

impl ListedState {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::ToAdopt => "to adopt",
            Self::Absent => "absent",
            Self::Unclear => "unclear",
            Self::Orphaned => "orphaned",
            Self::AnotherProject => "another project",
            Self::Unmanaged => "unmanaged",
        }
    }
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ListedAgent {
    /// Who manages it.
    pub state: ListedState,
    /// The key of its manifest, or the one that it had; empty for none.
    pub key: String,
    /// The live version.
    pub version: Option<u64>,
    /// Its id on the service; empty for none.
    pub agent_id: String,
    /// Its name.
    pub name: String,
    /// Numbers whose calls it answers.
    pub inbound: Vec<PhoneNumber>,
    /// Numbers that it calls from.
    pub outbound: Vec<PhoneNumber>,
    /// Where the service keeps another value than its manifest declares.
    pub rewritten: Vec<FieldPath>,
}

/// A phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ListedNumber {
    /// The number.
    pub number: PhoneNumber,
    /// Who answers it.
    pub inbound: ListedHolder,
    /// Who calls from it.
    pub outbound: ListedHolder,
}

/// Who holds a direction of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "holder", rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ListedHolder {
    /// Nobody.
    Nobody,
    /// An agent.
    Agent {
        /// Its id.
        agent_id: String,
        /// Its name.
        name: String,
        /// Its address, where a manifest manages it.
        address: Option<Address>,
        /// The version that is reached.
        version: u64,
        /// Whether that is the live one.
        live: bool,
    },
    /// A version of no agent that could be read.
    Unknown {
        /// The version.
        version_id: String,
    },
    /// This credential does not show it.
    NotShown,
}

/// Lists what was read.
pub fn list(inputs: &Inputs<'_>, identities: &Identities<'_>, rewritten: &BTreeMap<Key, Vec<FieldPath>>) -> List {
    let live = inputs.live;
    let mut agents = Vec::new();
    for (key, binding) in &identities.bindings {
        let state = match binding {
            Binding::Owned { .. } => ListedState::Managed,
            Binding::Adopted { .. } => ListedState::ToAdopt,
            Binding::New => ListedState::Absent,
            Binding::Broken => ListedState::Unclear,
        };
        let row = row(inputs, state, key.as_str(), binding.agent());
        let declared = inputs.desired.iter().find(|desired| desired.key == *key);
        let name = if row.name.is_empty() {
            declared.map(|desired| desired.name.clone()).unwrap_or_default()
        } else {
            row.name
        };
        agents.push(ListedAgent { name, rewritten: rewritten.get(key).cloned().unwrap_or_default(), ..row });
    }
    for (orphan, agent, _) in &identities.orphans {
        agents.push(row(inputs, ListedState::Orphaned, orphan.key.as_str(), Some(agent)));
    }
    for unmanaged in &identities.unmanaged {
        let state = if unmanaged.owner.is_some() { ListedState::AnotherProject } else { ListedState::Unmanaged };
        agents.push(row(inputs, state, "", live.agents.get(&unmanaged.agent_id)));
    }
    // Ours without a manifest, where no `reachform.yaml` calls them orphans.
    let known: Vec<String> = agents.iter().map(|agent| agent.agent_id.clone()).collect();
    for agent in live.agents.values().filter(|agent| !known.contains(&agent.id)) {
        let stamp = crate::model::Stamp::read(&agent.metadata).ok().flatten();
        let key = stamp.map(|stamp| stamp.key.to_string()).unwrap_or_default();
        agents.push(row(inputs, ListedState::Orphaned, &key, Some(agent)));
    }
    let numbers = live.numbers.values().map(|number| ListedNumber {
        number: number.number.clone(),
        inbound: holder(inputs, identities, number.inbound.as_deref()),
        outbound: holder(inputs, identities, number.outbound.as_deref()),
    });
    List {
        target: inputs.target.clone(),
        agent_coverage: live.agent_coverage.clone(),
        number_coverage: live.number_coverage.clone(),
        agents,
        numbers: numbers.collect(),
    }
}

fn row(inputs: &Inputs<'_>, state: ListedState, key: &str, agent: Option<&LiveAgent>) -> ListedAgent {
    let held = |direction: Direction| {
        let versions = agent.map(|agent| agent.versions.as_slice()).unwrap_or_default();
        let is_held = |id: &str| versions.iter().any(|head| head.id == id);
        let numbers = inputs.live.numbers.values().filter(|number| number.slot(direction).is_some_and(is_held));
        numbers.map(|number| number.number.clone()).collect()
    };
    ListedAgent {
        state,
        key: key.to_owned(),
        version: agent.and_then(LiveAgent::live_version).map(|head| head.version),
        agent_id: agent.map(|agent| agent.id.clone()).unwrap_or_default(),
        name: agent.map(|agent| agent.name.clone()).unwrap_or_default(),
        inbound: held(Direction::Inbound),
        outbound: held(Direction::Outbound),
        rewritten: Vec::new(),
    }
}

fn holder(inputs: &Inputs<'_>, identities: &Identities<'_>, version_id: Option<&str>) -> ListedHolder {
    let Some(version_id) = version_id else {
        // Where only what agents say of themselves is seen, an empty slot may be anybody's.
        return match inputs.live.number_coverage {
            Coverage::Forbidden(_) | Coverage::Incomplete(_) => ListedHolder::NotShown,
            Coverage::Proven | Coverage::Unproven(_) => ListedHolder::Nobody,
        };
    };
    match inputs.live.owner_of(version_id) {
        Some((agent, version)) => ListedHolder::Agent {
            agent_id: agent.id.clone(),
            name: agent.name.clone(),
            address: identities.keys.get(&agent.id).cloned().map(Address),
            version,
            live: agent.live_version().is_some_and(|head| head.version == version),
        },
        None => ListedHolder::Unknown { version_id: version_id.to_owned() },
    }
}
