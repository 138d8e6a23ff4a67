//! What the service stores, one struct for each kind of record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// When a record came to be and changed, and by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Authored {
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) created_by: String,
    pub(super) modified_by: String,
    /// Tells records of one creation time apart.
    pub(super) serial: u64,
}

/// An agent: a shell around its versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) active: bool,
    pub(super) is_demo: bool,
    pub(super) metadata: Value,
    /// Whether it is exposed by SIP; `None` if it never was.
    pub(super) sip_deployed: Option<bool>,
    pub(super) authored: Authored,
}

/// One version of an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) agent_id: String,
    pub(super) number: u64,
    pub(super) config: Value,
    pub(super) published: bool,
    pub(super) inputs: Option<Value>,
    pub(super) trained_inputs: Option<Value>,
    pub(super) generated_at: Option<Timestamp>,
    pub(super) manually_edited: bool,
    /// A running generation.
    pub(super) generation: Option<Generation>,
    pub(super) authored: Authored,
}

impl Version {
    /// Whether its instructions no longer belong to its builder inputs.
    pub(super) fn is_stale(&self) -> bool {
        self.inputs.is_some() && self.inputs != self.trained_inputs && !self.manually_edited
    }
}

/// Work in the background: done after so many requests, or when its time is over, whichever is first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Deadline {
    pub(super) request: u64,
    pub(super) time: Timestamp,
}

impl Deadline {
    /// Whether the work is done.
    pub(super) fn is_over(self, served: u64, now: Timestamp) -> bool {
        served >= self.request || now >= self.time
    }
}

/// Instructions being written from builder inputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Generation {
    pub(super) inputs: Value,
    pub(super) deadline: Deadline,
}

/// An agent being built by the service's own builders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Building {
    pub(super) workflow_id: String,
    pub(super) name: String,
    pub(super) instructions: String,
    pub(super) website: String,
    pub(super) is_demo: bool,
    /// Whether the first version is published.
    pub(super) publish: bool,
    /// The agent that gets a version; a new one where there is none.
    pub(super) existing_agent_id: Option<String>,
    pub(super) principal: String,
    pub(super) deadline: Deadline,
}

/// A phone number and what its two slots hold.
#[expect(clippy::struct_field_names, reason = "the number itself is called so on the wire")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Number {
    pub(super) phone_number: String,
    pub(super) trunk_id: Option<String>,
    pub(super) inbound: Option<String>,
    pub(super) outbound: Option<String>,
    pub(super) managed_account_id: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) outbound_shareable: bool,
    pub(super) authored: Authored,
}

/// A trunk: where phone numbers come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Trunk {
    pub(super) id: String,
    pub(super) name: String,
    /// A managed trunk is the service's own.
    pub(super) managed: bool,
    pub(super) inbound_config: Value,
    pub(super) outbound_config: Value,
    pub(super) authored: Authored,
}

/// A web widget.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Widget {
    pub(super) id: String,
    pub(super) agent_id: String,
    pub(super) agent_version_id: String,
    pub(super) domains: Vec<String>,
    pub(super) published: bool,
    pub(super) config: Value,
    pub(super) authored: Authored,
}

/// An email address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Email {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) provider: String,
    pub(super) inbound_agent_version_id: Option<String>,
    pub(super) outbound_from_address: Option<String>,
    pub(super) enabled: bool,
    pub(super) handler: String,
    pub(super) handler_config: Value,
    pub(super) authored: Authored,
}

/// The organization's inbound routing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Routing {
    pub(super) workflow_definition: Value,
    pub(super) fallback_agent_id: Option<String>,
    pub(super) fallback_agent_version: Option<u64>,
    pub(super) enabled: bool,
    pub(super) authored: Authored,
}
