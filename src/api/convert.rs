//! Wire to model, as pure functions.

use serde_json::Value;

use super::wire;
use crate::model::live::LiveConfig;
use crate::model::{Direction, Editor, LiveAgent, LiveNumber, LiveWidget, PhoneNumber, VersionHead};

/// An agent as one answer gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRecord {
    /// The agent.
    pub agent: LiveAgent,
    /// The organization, where the answer named it.
    pub organization: Option<String>,
    /// Who created the agent.
    pub created_by: Option<String>,
    /// Whether the answer spoke of versions at all. Where it did not, `agent.versions` is empty and means nothing.
    pub versions_told: bool,
    /// Whether the answer spoke of metadata at all. Where it did not, null means nothing: the stamp may be there.
    pub metadata_told: bool,
}

impl AgentRecord {
    /// Whether the answer told everything that an agent is known by; else it is asked for by itself.
    pub fn is_whole(&self) -> bool {
        self.versions_told && self.metadata_told
    }
}

/// A number as one answer gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRecord {
    /// The number.
    pub number: LiveNumber,
    /// The organization, where the answer named it.
    pub organization: Option<String>,
}

/// A widget as one answer gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WidgetRecord {
    /// Its id.
    pub id: String,
    /// The agent that it belongs to.
    pub agent_id: Option<String>,
    /// The version that it runs.
    pub agent_version_id: Option<String>,
    /// Whether it is open to the public.
    pub published: Option<bool>,
}

/// An email address as one answer gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailRecord {
    /// Its id.
    pub id: String,
    /// The address.
    pub address: String,
    /// The version that answers it.
    pub inbound_agent_version_id: Option<String>,
}

/// A version as a list gives it, without its config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedVersion {
    /// Its head.
    pub head: VersionHead,
    /// When it was made, RFC 3339.
    pub created_at: Option<String>,
}

/// A whole version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionDoc {
    /// Its head.
    pub head: VersionHead,
    /// The agent that it belongs to, where the answer named it.
    pub agent_id: Option<String>,
    /// The organization, where the answer named it.
    pub organization: Option<String>,
    /// The config, as it was read.
    pub config: Value,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// What the instruction builder is to work from.
    pub builder_inputs: Option<Value>,
    /// What it last worked from.
    pub trained_builder_inputs: Option<Value>,
    /// When it last finished, RFC 3339.
    pub generated_at: Option<String>,
    /// Whether the instructions were edited by hand since.
    pub manually_edited: Option<bool>,
    /// The service's own mark of a stale version.
    pub is_updated: Option<bool>,
}

impl VersionDoc {
    /// Who made the version, and when.
    pub fn editor(&self) -> Editor {
        Editor {
            by: self.head.modified_by.clone().or_else(|| self.head.created_by.clone()),
            // The service writes to published versions, too (recordings, fingerprints), so the beginning is the truer.
            at: self.created_at.clone().or_else(|| self.updated_at.clone()),
            version: Some(self.head.version),
        }
    }

    /// The part that a live state keeps.
    pub fn into_config(self) -> LiveConfig {
        LiveConfig { editor: self.editor(), config: self.config }
    }
}

/// The head of a version.
pub fn head(wire: wire::Head) -> VersionHead {
    VersionHead {
        id: wire.id,
        version: wire.version,
        published: wire.published,
        created_by: wire.created_by,
        modified_by: wire.modified_by,
    }
}

/// A version with the time at which it was made.
pub fn dated((wire, created_at): (wire::Head, Option<String>)) -> DatedVersion {
    DatedVersion { head: head(wire), created_at }
}

/// An agent.
pub fn agent(wire: wire::Agent) -> AgentRecord {
    let told = wire.versions.is_some();
    let mut versions: Vec<VersionHead> = wire.versions.unwrap_or_default().into_iter().map(head).collect();
    versions.sort_by_key(|head| head.version);
    // A list may cut the versions short: one that denies its own summary has not told.
    let denies = wire.has_published_version == Some(true) && !versions.iter().any(|head| head.published);
    let own_numbers = wire.phone_numbers.into_iter().flat_map(own_numbers).collect();
    AgentRecord {
        organization: wire.organization_id,
        created_by: wire.created_by,
        versions_told: told && !denies,
        metadata_told: wire.metadata.is_some(),
        agent: LiveAgent {
            id: wire.id,
            name: wire.name,
            description: wire.description,
            active: wire.active,
            metadata: wire.metadata.unwrap_or(Value::Null),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
            modified_by: wire.modified_by,
            versions,
            own_numbers,
            widgets: wire
                .widgets
                .into_iter()
                .map(|widget| LiveWidget { id: widget.id, agent_version_id: widget.agent_version_id })
                .collect(),
            sip_deployed: wire.sip_deployed,
            configs: std::collections::BTreeMap::new(),
        },
    }
}

fn own_numbers(wire: wire::AgentNumber) -> Vec<(PhoneNumber, Option<Direction>, String)> {
    let Some(version_id) = wire.agent_version_id else { return Vec::new() };
    let number = PhoneNumber::from_service(wire.phone_number);
    match wire.direction.as_deref() {
        Some("both") => Direction::ALL.map(|direction| (number.clone(), Some(direction), version_id.clone())).into(),
        Some(word) => {
            vec![(number, Direction::ALL.into_iter().find(|direction| direction.as_str() == word), version_id)]
        }
        None => vec![(number, None, version_id)],
    }
}

/// A number.
pub fn number(wire: wire::Number) -> NumberRecord {
    NumberRecord {
        organization: wire.organization_id,
        number: LiveNumber {
            number: PhoneNumber::from_service(wire.phone_number),
            inbound: wire.inbound,
            outbound: wire.outbound,
        },
    }
}

/// A widget.
pub fn widget(wire: wire::Widget) -> WidgetRecord {
    WidgetRecord {
        id: wire.id,
        agent_id: wire.agent_id,
        agent_version_id: wire.agent_version_id,
        published: wire.published,
    }
}

/// An email address.
pub fn email(wire: wire::Email) -> EmailRecord {
    EmailRecord { id: wire.id, address: wire.address, inbound_agent_version_id: wire.inbound_agent_version_id }
}

/// A whole version.
pub fn version(wire: wire::Version) -> VersionDoc {
    VersionDoc {
        head: head(wire.head),
        agent_id: wire.agent_id,
        organization: wire.organization_id,
        config: wire.config,
        created_at: wire.created_at,
        updated_at: wire.updated_at,
        builder_inputs: wire.builder_inputs,
        trained_builder_inputs: wire.trained_builder_inputs,
        generated_at: wire.generated_at,
        manually_edited: wire.manually_edited,
        is_updated: wire.is_updated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> AgentRecord {
        agent(wire::Agent::read(value, "").unwrap())
    }

    #[test]
    fn versions_that_deny_their_own_summary_have_not_been_told() {
        let draft = json!({"id": "v1", "version": 1, "published": false});
        assert!(read(&json!({"id": "a", "versions": []})).versions_told);
        assert!(!read(&json!({"id": "a"})).versions_told);
        assert!(!read(&json!({"id": "a", "versions": [draft], "has_published_version": true})).versions_told);
    }

    #[test]
    fn a_number_for_both_directions_fills_two_slots_and_one_without_a_direction_says_so() {
        let numbers = json!([
            {"phone_number": "+1", "agent_version_id": "v", "direction": "both"},
            {"phone_number": "+2", "agent_version_id": "v", "direction": null},
            {"phone_number": "+3", "agent_version_id": null, "direction": "inbound"},
        ]);
        let record = read(&json!({"id": "a", "phone_numbers": numbers}));
        let slots: Vec<_> =
            record.agent.own_numbers.iter().map(|(number, direction, _)| (number.as_str(), *direction)).collect();
        assert_eq!(slots, [("+1", Some(Direction::Inbound)), ("+1", Some(Direction::Outbound)), ("+2", None)]);
    }
}
