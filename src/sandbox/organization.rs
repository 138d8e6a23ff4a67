//! One organization and everything in it: the wall between two environments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{Agent, Building, Email, Number, Routing, Trunk, Version, Widget};
use super::shelf::Shelf;

/// The key of the one routing record.
pub(super) const ROUTING: &str = "routing";

/// Everything that belongs to one organization.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) agents: Shelf<Agent>,
    /// By [`version_key`].
    pub(super) versions: Shelf<Version>,
    pub(super) numbers: Shelf<Number>,
    pub(super) trunks: Shelf<Trunk>,
    pub(super) widgets: Shelf<Widget>,
    pub(super) emails: Shelf<Email>,
    pub(super) routing: Shelf<Routing>,
    pub(super) buildings: Vec<Building>,
    /// Domains that email may be sent from.
    pub(super) email_domains: Vec<String>,
    /// What is known of a domain's look, for `auto-brand`.
    pub(super) brands: BTreeMap<String, serde_json::Value>,
    /// Rendered greetings: text, voice and where to play it.
    pub(super) recordings: BTreeMap<String, String>,
}

/// The key of a version: all versions of an agent stand together, in order.
pub(super) fn version_key(agent_id: &str, number: u64) -> String {
    format!("{agent_id}/{number:010}")
}

/// What the keys of an agent's versions begin with.
pub(super) fn versions_of(agent_id: &str) -> String {
    format!("{agent_id}/")
}

impl Organization {
    /// An organization with nothing in it.
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// An agent's versions, oldest first.
    pub(super) fn versions(&self, agent_id: &str) -> Vec<&Version> {
        self.versions.under(&versions_of(agent_id))
    }

    /// The number that the agent's next version gets.
    pub(super) fn next_version(&self, agent_id: &str) -> u64 {
        self.versions(agent_id).last().map_or(1, |version| version.number + 1)
    }

    /// The highest published version: what calls that name only the agent get.
    pub(super) fn live_version(&self, agent_id: &str) -> Option<&Version> {
        self.versions(agent_id).into_iter().rev().find(|version| version.published)
    }

    /// The version of an id.
    pub(super) fn version_by_id(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// Every version by id, for answers that look up many.
    pub(super) fn versions_by_id(&self) -> BTreeMap<&str, &Version> {
        self.versions.iter().map(|version| (version.id.as_str(), version)).collect()
    }

    /// Whether a version belongs to the agent.
    pub(super) fn is_version_of(&self, version_id: &str, agent_id: &str) -> bool {
        self.version_by_id(version_id).is_some_and(|version| version.agent_id == agent_id)
    }

    /// Whether a read would change what later reads are shown.
    pub(super) fn is_lagging(&self) -> bool {
        let Self {
            id: _,
            agents,
            versions,
            numbers,
            trunks,
            widgets,
            emails,
            routing,
            buildings: _,
            email_domains: _,
            brands: _,
            recordings: _,
        } = self;
        agents.is_lagging()
            || versions.is_lagging()
            || numbers.is_lagging()
            || trunks.is_lagging()
            || widgets.is_lagging()
            || emails.is_lagging()
            || routing.is_lagging()
    }
}
