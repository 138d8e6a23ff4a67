//! A person in the dashboard, for tests and demonstrations: edits, drafts and numbers moved by hand.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::FieldPath;

use super::service::Service;

/// Who such an edit is by.
pub const PERSON: &str = "user_dashboard";

/// Where each slot points: number and direction to agent id and version.
pub type Slots = BTreeMap<(String, &'static str), (String, u64)>;

impl Service {
    /// Edits the live config at a pointer and publishes; numbers that pointed at the live version go along.
    pub fn dashboard_edit(&mut self, agent_id: &str, pointer: &str, value: Value) -> Option<u64> {
        let live = self.state.agents.get(agent_id)?.live()?.clone();
        let mut config = live.config;
        FieldPath::parse(pointer)?.set(&mut config, value);
        self.principal = PERSON.to_owned();
        let version = self.add_version(agent_id, config).ok()?;
        let record = self.state.agents.get_mut(agent_id)?.version_mut(version.version)?;
        record.published = true;
        record.hidden = 0;
        for number in self.state.numbers.values_mut() {
            for slot in [&mut number.inbound_agent_version_id, &mut number.outbound_agent_version_id] {
                if slot.as_ref() == Some(&live.id) {
                    *slot = Some(version.id.clone());
                }
            }
        }
        Some(version.version)
    }

    /// Leaves a draft.
    pub fn dashboard_draft(&mut self, agent_id: &str, pointer: &str, value: Value) -> Option<u64> {
        let mut config = self.state.agents.get(agent_id)?.live()?.config.clone();
        FieldPath::parse(pointer)?.set(&mut config, value);
        self.principal = PERSON.to_owned();
        let version = self.add_version(agent_id, config).ok()?.version;
        self.state.agents.get_mut(agent_id)?.version_mut(version)?.hidden = 0;
        Some(version)
    }

    /// Points a slot at an agent's live version, or at nothing.
    pub fn dashboard_assign(&mut self, number: &str, direction: &str, agent_id: Option<&str>) {
        let version = agent_id.and_then(|id| self.state.agents.get(id)?.live().map(|version| version.id.clone()));
        if let Some(number) = self.state.numbers.get_mut(number) {
            match direction {
                "outbound" => number.outbound_agent_version_id = version,
                _ => number.inbound_agent_version_id = version,
            }
        }
    }

    /// Where every filled slot points.
    pub fn slots(&self) -> Slots {
        let mut slots = Slots::new();
        for number in self.state.numbers.values() {
            let pairs =
                [("inbound", &number.inbound_agent_version_id), ("outbound", &number.outbound_agent_version_id)];
            for (direction, slot) in pairs {
                if let Some((agent, version)) = slot.as_ref().and_then(|slot| self.state.version_by_id(slot)) {
                    slots.insert((number.phone_number.clone(), direction), (agent.id.clone(), version.version));
                }
            }
        }
        slots
    }

    /// The id of the agent of this name.
    pub fn agent_named(&self, name: &str) -> Option<&str> {
        self.state.agents.values().find(|agent| agent.name == name).map(|agent| agent.id.as_str())
    }
}
