//! The dashboard: what a person does there while a client is at work, and what a test looks at afterwards.
//!
//! Everything here is done by `user_dashboard`, in the home organization, past switches and checks.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::mint::Kind;
use super::organization::{Organization, version_key};
use super::record::{Authored, Version};
use super::service::Service;
use super::switches::Ties;

/// Who works in the dashboard.
const PERSON: &str = "user_dashboard";

/// One direction of a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Calls that come in.
    Inbound,
    /// Calls that go out.
    Outbound,
}

/// What a slot points at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// The agent's id.
    pub agent_id: String,
    /// The agent's name.
    pub agent: String,
    /// The version's number.
    pub version: u64,
}

/// What a number's slots hold. An id that belongs to no version is a pointer with an empty agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// The inbound slot.
    pub inbound: Option<Pointer>,
    /// The outbound slot.
    pub outbound: Option<Pointer>,
}

/// An agent as it truly is.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentSnapshot {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Whether it is active.
    pub active: bool,
    /// Its metadata.
    pub metadata: Value,
    /// Whether it is exposed by SIP.
    pub sip: bool,
    /// Its versions, oldest first.
    pub versions: Vec<VersionSnapshot>,
}

impl AgentSnapshot {
    /// The highest published version.
    pub fn live(&self) -> Option<&VersionSnapshot> {
        self.versions.iter().rev().find(|version| version.published)
    }
}

/// A version as it truly is: secrets are not masked.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionSnapshot {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u64,
    /// Its config.
    pub config: Value,
    /// Whether it is published.
    pub published: bool,
    /// Who made it.
    pub created_by: String,
}

/// Why something cannot be done in the dashboard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DashboardError {
    /// There is no such record.
    #[error("there is no {0} in the sandbox")]
    Missing(String),
    /// The place cannot be written to.
    #[error("`{0}` leads through something that is neither object nor list")]
    Unreachable(String),
}

impl Service {
    /// Edits the live version as the dashboard does: a new version with the edit, published, its numbers carried over.
    /// `place` is a JSON pointer from the config's root; parents that are missing are made. Returns the new version.
    pub fn dashboard_edit(&mut self, agent_id: &str, place: &str, value: Value) -> Result<u64, DashboardError> {
        let mut config = self.live(agent_id)?.config.clone();
        write(&mut config, place, value)?;
        self.dashboard_release(agent_id, config)
    }

    /// Publishes a whole config as a new version, its numbers carried over. Returns the new version.
    pub fn dashboard_release(&mut self, agent_id: &str, config: Value) -> Result<u64, DashboardError> {
        self.home().agents.get(agent_id).ok_or_else(|| missing("agent", agent_id))?;
        let old: Vec<String> = self.home().versions(agent_id).iter().map(|version| version.id.clone()).collect();
        let version = self.add_version(agent_id, config, true);
        let carried: Vec<String> = self.home().numbers.iter().map(|number| number.phone_number.clone()).collect();
        for number in carried {
            self.home_mut().numbers.change(&number, 0, |number| {
                for slot in [&mut number.inbound, &mut number.outbound] {
                    if slot.as_ref().is_some_and(|id| old.contains(id)) {
                        *slot = Some(version.id.clone());
                    }
                }
            });
        }
        Ok(version.number)
    }

    /// Opens a draft, a copy of the newest version. Returns its number.
    pub fn dashboard_draft(&mut self, agent_id: &str) -> Result<u64, DashboardError> {
        let newest = self.home().versions(agent_id).last().map(|version| version.config.clone());
        let config = newest.ok_or_else(|| missing("version of", agent_id))?;
        Ok(self.add_version(agent_id, config, false).number)
    }

    /// Edits a version in place, a published one too: what a race between two writers may leave behind.
    pub fn dashboard_edit_version(
        &mut self,
        agent_id: &str,
        number: u64,
        place: &str,
        value: Value,
    ) -> Result<(), DashboardError> {
        let mut version = self.find(agent_id, number)?.clone();
        write(&mut version.config, place, value)?;
        version.authored.updated_at = self.state.mint.moment();
        PERSON.clone_into(&mut version.authored.modified_by);
        self.home_mut().versions.put(&version_key(agent_id, number), version, 0);
        self.note_change();
        Ok(())
    }

    /// Gives a version the config of another and leaves its authors as they are: a write that was answered and is lost.
    pub fn forget_config(&mut self, agent_id: &str, number: u64, from: u64) -> Result<(), DashboardError> {
        let config = self.find(agent_id, from)?.config.clone();
        self.find(agent_id, number)?;
        self.home_mut().versions.change(&version_key(agent_id, number), 0, |version| version.config = config);
        self.note_change();
        Ok(())
    }

    /// Edits a version in place and leaves its authors as they are: what a service keeps in place of what it was sent.
    pub fn forget_edit(
        &mut self,
        agent_id: &str,
        number: u64,
        place: &str,
        value: Value,
    ) -> Result<(), DashboardError> {
        let author = self.find(agent_id, number)?.authored.clone();
        self.dashboard_edit_version(agent_id, number, place, value)?;
        self.home_mut().versions.change(&version_key(agent_id, number), 0, |version| version.authored = author);
        Ok(())
    }

    /// Gives an agent other fields and leaves its authors as they are: a write that was answered and is lost.
    pub fn forget_fields(&mut self, agent_id: &str, fields: &Map<String, Value>) -> Result<(), DashboardError> {
        let author = self.home().agents.get(agent_id).ok_or_else(|| missing("agent", agent_id))?.authored.clone();
        self.dashboard_change(agent_id, fields)?;
        self.home_mut().agents.change(agent_id, 0, |agent| agent.authored = author);
        Ok(())
    }

    /// Makes a version a draft again: a publish that was answered and is lost.
    pub fn forget_publish(&mut self, agent_id: &str, number: u64) -> Result<(), DashboardError> {
        self.find(agent_id, number)?;
        self.home_mut().versions.change(&version_key(agent_id, number), 0, |version| version.published = false);
        self.note_change();
        Ok(())
    }

    /// Publishes a version, without moving any number.
    pub fn dashboard_publish(&mut self, agent_id: &str, number: u64) -> Result<(), DashboardError> {
        self.find(agent_id, number)?;
        let moment = self.state.mint.moment();
        self.home_mut().versions.change(&version_key(agent_id, number), 0, |version| {
            version.published = true;
            version.authored.updated_at = moment;
            PERSON.clone_into(&mut version.authored.modified_by);
        });
        self.note_change();
        Ok(())
    }

    /// Puts an agent's live version on a slot, or empties the slot.
    pub fn dashboard_assign(
        &mut self,
        number: &str,
        direction: Direction,
        agent_id: Option<&str>,
    ) -> Result<(), DashboardError> {
        let id = agent_id.map(|agent_id| self.live(agent_id).map(|version| version.id.clone())).transpose()?;
        self.point(number, direction, id)
    }

    /// Puts one version of an agent on a slot, also one that is not live any more.
    pub fn dashboard_roll_back(
        &mut self,
        number: &str,
        direction: Direction,
        agent_id: &str,
        version: u64,
    ) -> Result<(), DashboardError> {
        let id = self.find(agent_id, version)?.id.clone();
        self.point(number, direction, Some(id))
    }

    /// The same, and leaves the authors as they are: a move that was answered and is lost.
    pub fn forget_move(
        &mut self,
        number: &str,
        direction: Direction,
        back_to: Option<(&str, u64)>,
    ) -> Result<(), DashboardError> {
        let author = self.home().numbers.get(number).ok_or_else(|| missing("phone number", number))?.authored.clone();
        match back_to {
            Some((agent_id, version)) => self.dashboard_roll_back(number, direction, agent_id, version)?,
            None => self.point(number, direction, None)?,
        }
        self.home_mut().numbers.change(number, 0, |record| record.authored = author);
        Ok(())
    }

    fn point(&mut self, number: &str, direction: Direction, id: Option<String>) -> Result<(), DashboardError> {
        self.home().numbers.get(number).ok_or_else(|| missing("phone number", number))?;
        let moment = self.state.mint.moment();
        self.home_mut().numbers.change(number, 0, |record| {
            match direction {
                Direction::Inbound => record.inbound = id,
                Direction::Outbound => record.outbound = id,
            }
            record.authored.updated_at = moment;
            PERSON.clone_into(&mut record.authored.modified_by);
        });
        self.note_change();
        Ok(())
    }

    /// Changes fields of an agent: those of `fields` that an agent has.
    pub fn dashboard_change(&mut self, agent_id: &str, fields: &Map<String, Value>) -> Result<(), DashboardError> {
        self.home().agents.get(agent_id).ok_or_else(|| missing("agent", agent_id))?;
        let moment = self.state.mint.moment();
        self.home_mut().agents.change(agent_id, 0, |agent| {
            if let Some(name) = fields.get("name").and_then(Value::as_str) {
                name.clone_into(&mut agent.name);
            }
            if let Some(description) = fields.get("description") {
                agent.description = description.as_str().map(str::to_owned);
            }
            if let Some(active) = fields.get("active").and_then(Value::as_bool) {
                agent.active = active;
            }
            if let Some(metadata) = fields.get("metadata") {
                agent.metadata = metadata.clone();
            }
            agent.authored.updated_at = moment;
            PERSON.clone_into(&mut agent.authored.modified_by);
        });
        self.note_change();
        Ok(())
    }

    /// Deletes an agent and its versions, and leaves what pointed at it.
    pub fn dashboard_delete(&mut self, agent_id: &str) -> Result<(), DashboardError> {
        self.home().agents.get(agent_id).ok_or_else(|| missing("agent", agent_id))?;
        let numbers: Vec<u64> = self.home().versions(agent_id).iter().map(|version| version.number).collect();
        for number in numbers {
            self.home_mut().versions.remove(&version_key(agent_id, number), 0);
        }
        self.home_mut().agents.remove(agent_id, 0);
        self.note_change();
        Ok(())
    }

    /// What every number's slots hold.
    pub fn slots(&self) -> BTreeMap<String, Slots> {
        let home = self.home();
        let versions = home.versions_by_id();
        let pointer = |id: &Option<String>| {
            let id = id.as_deref()?;
            Some(match versions.get(id) {
                Some(version) => Pointer {
                    agent_id: version.agent_id.clone(),
                    agent: home.agents.get(&version.agent_id).map(|agent| agent.name.clone()).unwrap_or_default(),
                    version: version.number,
                },
                None => Pointer { agent_id: String::new(), agent: String::new(), version: 0 },
            })
        };
        home.numbers
            .iter()
            .map(|number| {
                let slots = Slots { inbound: pointer(&number.inbound), outbound: pointer(&number.outbound) };
                (number.phone_number.clone(), slots)
            })
            .collect()
    }

    /// Every agent, oldest first.
    pub fn agents(&self) -> Vec<AgentSnapshot> {
        let home = self.home();
        let mut agents: Vec<_> = home.agents.iter().collect();
        agents.sort_by_key(|agent| agent.authored.serial);
        agents
            .into_iter()
            .map(|agent| AgentSnapshot {
                id: agent.id.clone(),
                name: agent.name.clone(),
                description: agent.description.clone(),
                active: agent.active,
                metadata: agent.metadata.clone(),
                sip: agent.sip_deployed == Some(true),
                versions: home.versions(&agent.id).into_iter().map(snapshot).collect(),
            })
            .collect()
    }

    /// The oldest agent of a name.
    pub fn agent_named(&self, name: &str) -> Option<AgentSnapshot> {
        self.agents().into_iter().find(|agent| agent.name == name)
    }

    /// What must never be true of an organization, whatever a client does; empty if all is well.
    pub fn violations(&self) -> Vec<String> {
        let home = self.home();
        let versions = home.versions_by_id();
        let mut found = Vec::new();
        for number in home.numbers.iter() {
            for (direction, slot) in [("inbound", &number.inbound), ("outbound", &number.outbound)] {
                let Some(id) = slot.as_deref() else { continue };
                let name = &number.phone_number;
                match versions.get(id) {
                    None => found.push(format!("{name} {direction} points at a version that does not exist")),
                    Some(version) if !version.published => {
                        found.push(format!("{name} {direction} points at draft {}", version.number));
                    }
                    Some(_) => {}
                }
            }
        }
        for widget in home.widgets.iter() {
            if !versions.contains_key(widget.agent_version_id.as_str()) {
                found.push(format!("widget {} points at a version that does not exist", widget.id));
            }
        }
        found
    }

    /// Which of the slots that were filled in `before` are empty now: what a move without a gap never shows.
    pub fn emptied_since(&self, before: &BTreeMap<String, Slots>) -> Vec<(String, Direction)> {
        let mut emptied = Vec::new();
        for (number, slots) in before {
            let current = self.home().numbers.get(number);
            let (inbound, outbound) =
                current.map_or((false, false), |now| (now.inbound.is_some(), now.outbound.is_some()));
            if slots.inbound.is_some() && !inbound {
                emptied.push((number.clone(), Direction::Inbound));
            }
            if slots.outbound.is_some() && !outbound {
                emptied.push((number.clone(), Direction::Outbound));
            }
        }
        emptied
    }

    fn home(&self) -> &Organization {
        self.state.organizations.get(&self.state.home).expect("internal error: the home organization is always there")
    }

    fn home_mut(&mut self) -> &mut Organization {
        self.state
            .organizations
            .get_mut(&self.state.home)
            .expect("internal error: the home organization is always there")
    }

    fn live(&self, agent_id: &str) -> Result<&Version, DashboardError> {
        self.home().live_version(agent_id).ok_or_else(|| missing("published version of", agent_id))
    }

    fn find(&self, agent_id: &str, number: u64) -> Result<&Version, DashboardError> {
        let version = self.home().versions.get(&version_key(agent_id, number));
        version.ok_or_else(|| DashboardError::Missing(format!("version {number} of {agent_id}")))
    }

    fn add_version(&mut self, agent_id: &str, config: Value, published: bool) -> Version {
        let (id, _) = self.state.mint.id(Kind::Version);
        let moment = self.state.mint.birth(Ties::None);
        let version = Version {
            id,
            agent_id: agent_id.to_owned(),
            number: self.home().next_version(agent_id),
            config,
            published,
            inputs: None,
            trained_inputs: None,
            generated_at: None,
            manually_edited: true,
            generation: None,
            authored: Authored {
                created_at: moment,
                updated_at: moment,
                created_by: PERSON.to_owned(),
                modified_by: PERSON.to_owned(),
                serial: self.state.mint.serial(),
            },
        };
        self.home_mut().versions.put(&version_key(agent_id, version.number), version.clone(), 0);
        self.note_change();
        version
    }
}

fn missing(what: &str, id: &str) -> DashboardError {
    DashboardError::Missing(format!("{what} {id}"))
}

fn snapshot(version: &Version) -> VersionSnapshot {
    VersionSnapshot {
        id: version.id.clone(),
        number: version.number,
        config: version.config.clone(),
        published: version.published,
        created_by: version.authored.created_by.clone(),
    }
}

fn write(config: &mut Value, place: &str, value: Value) -> Result<(), DashboardError> {
    let mut here = config;
    for step in place.split('/').skip(1) {
        let name = step.replace("~1", "/").replace("~0", "~");
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        let next = match here {
            Value::Object(fields) => Some(fields.entry(name).or_insert(Value::Null)),
            Value::Array(items) => name.parse::<usize>().ok().and_then(|position| items.get_mut(position)),
            _ => None,
        };
        here = next.ok_or_else(|| DashboardError::Unreachable(place.to_owned()))?;
    }
    *here = value;
    Ok(())
}
