//! What the service holds. Everything is ordered, so that the same requests give the same bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The organization of the embedded service.
pub const ORGANIZATION: &str = "org_sandbox";

/// The token that the embedded service takes when no other is seeded. It opens nothing but this sandbox.
pub const SANDBOX_TOKEN: &str = "ak_sandbox.open";

/// Who a token acts as, and what it may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The principal, as `created_by` names it.
    pub principal: String,
    /// `admin`, `viewer`, or scopes by name.
    pub scopes: Vec<String>,
}

/// An agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentRecord {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is active.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether it is a demo.
    #[serde(default)]
    pub is_demo: bool,
    /// Free-form.
    #[serde(default)]
    pub metadata: Value,
    /// When it was made.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When it was changed.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// Who made it.
    #[serde(default = "system")]
    pub created_by: String,
    /// Who changed it.
    #[serde(default = "system")]
    pub modified_by: String,
    /// Whether it is exposed over SIP.
    #[serde(default)]
    pub sip: bool,
    /// Its versions, by number.
    #[serde(default)]
    pub versions: Vec<VersionRecord>,
    /// How many readings still miss it.
    #[serde(default)]
    pub hidden: usize,
}

/// A version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Its id.
    pub id: String,
    /// Its number.
    pub version: u64,
    /// Its config, as stored.
    pub config: Value,
    /// Whether it is published.
    #[serde(default)]
    pub published: bool,
    /// Inputs of the instruction builder.
    #[serde(default)]
    pub instruction_builder_inputs: Value,
    /// Inputs of the last generation.
    #[serde(default)]
    pub trained_instruction_builder_inputs: Value,
    /// When instructions were generated.
    #[serde(default)]
    pub generation_timestamp: Option<Timestamp>,
    /// Readings until a running generation is done; 0 when none runs.
    #[serde(default)]
    pub generating: usize,
    /// Whether a person or a tool wrote the config.
    #[serde(default)]
    pub manually_edited: bool,
    /// When it was made.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When it was changed.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// Who made it.
    #[serde(default = "system")]
    pub created_by: String,
    /// Who changed it.
    #[serde(default = "system")]
    pub modified_by: String,
    /// How many readings still miss it.
    #[serde(default)]
    pub hidden: usize,
}

/// A phone number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NumberRecord {
    /// The number.
    pub phone_number: String,
    /// Its trunk.
    #[serde(default = "trunk")]
    pub trunk_id: String,
    /// When it was added.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When it was changed.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// The version id that answers.
    #[serde(default)]
    pub inbound_agent_version_id: Option<String>,
    /// The version id that calls.
    #[serde(default)]
    pub outbound_agent_version_id: Option<String>,
    /// Whether others may call with it.
    #[serde(default)]
    pub outbound_shareable: bool,
}

/// All of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The organization.
    #[serde(default = "organization")]
    pub organization: String,
    /// Tokens.
    #[serde(default = "tokens")]
    pub tokens: BTreeMap<String, Token>,
    /// Agents by id.
    #[serde(default)]
    pub agents: BTreeMap<String, AgentRecord>,
    /// Numbers.
    #[serde(default)]
    pub numbers: BTreeMap<String, NumberRecord>,
    /// Widgets by id.
    #[serde(default)]
    pub widgets: BTreeMap<String, Value>,
    /// Email addresses by id.
    #[serde(default)]
    pub emails: BTreeMap<String, Value>,
    /// The inbound routing config.
    #[serde(default)]
    pub routing: Option<Value>,
    /// Agents that a builder makes after so many requests.
    #[serde(default)]
    pub building: Vec<(usize, Value)>,
    /// Counts ids.
    #[serde(default)]
    pub counter: u64,
    /// The last time given to a record, so that times never run backwards.
    #[serde(default)]
    pub last_time: Timestamp,
}

fn yes() -> bool {
    true
}

fn system() -> String {
    "system".to_owned()
}

fn trunk() -> String {
    "trunk_sandbox".to_owned()
}

fn organization() -> String {
    ORGANIZATION.to_owned()
}

/// The one token of a service that was seeded with none.
pub fn tokens() -> BTreeMap<String, Token> {
    let token = Token { principal: "key_sandbox".to_owned(), scopes: vec!["admin".to_owned()] };
    BTreeMap::from([(SANDBOX_TOKEN.to_owned(), token)])
}

impl State {
    /// A new id, in the form of a UUID and in order of making.
    pub fn new_id(&mut self) -> String {
        self.counter += 1;
        // A fixed mix of the counter, so that ids look unlike each other and yet are the same in every run.
        let mixed = self.counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            mixed >> 32,
            (mixed >> 16) & 0xffff,
            mixed & 0xfff,
            (mixed >> 52) & 0xfff,
            self.counter
        )
    }

    /// The version with this id, and its agent.
    pub fn version_by_id(&self, id: &str) -> Option<(&AgentRecord, &VersionRecord)> {
        self.agents
            .values()
            .find_map(|agent| agent.versions.iter().find(|version| version.id == id).map(|version| (agent, version)))
    }
}

impl AgentRecord {
    /// The highest published version.
    pub fn live(&self) -> Option<&VersionRecord> {
        self.versions.iter().filter(|version| version.published).max_by_key(|version| version.version)
    }

    /// The version with this number.
    pub fn version_mut(&mut self, number: u64) -> Option<&mut VersionRecord> {
        self.versions.iter_mut().find(|version| version.version == number)
    }

    /// The next number.
    pub fn next_version(&self) -> u64 {
        self.versions.iter().map(|version| version.version).max().unwrap_or(0) + 1
    }
}
