//! One manifest, resolved for one environment: all that planning needs to know of the repository.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use serde_json::Value;

use super::declared::Declared;
use super::digest::Digest;
use super::key::{Address, Key};
use super::number::{Direction, PhoneNumber};
use super::path::{FieldPath, PathPattern};
use super::verify::Verify;

/// Where a manifest begins, for messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Origin {
    /// The file, relative to the project.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// The declared slots of an agent. An absent direction is not managed; an empty one means "none" (design, section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Numbers whose inbound slot shall point at the live version.
    pub inbound: Option<BTreeSet<PhoneNumber>>,
    /// Numbers whose outbound slot shall point at the live version.
    pub outbound: Option<BTreeSet<PhoneNumber>>,
}

impl Slots {
    /// The declared numbers of one direction.
    pub fn of(&self, direction: Direction) -> Option<&BTreeSet<PhoneNumber>> {
        match direction {
            Direction::Inbound => self.inbound.as_ref(),
            Direction::Outbound => self.outbound.as_ref(),
        }
    }
}

/// One entry of `ignore`: paths whose live value stays, whatever the manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// What is ignored.
    pub path: PathPattern,
    /// Why, in the words of who wrote it.
    pub reason: Option<String>,
    /// The last day (UTC) on which the entry holds.
    pub until: Option<jiff::civil::Date>,
}

/// What one manifest wants of one agent in one environment.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The identity.
    pub key: Key,
    /// Where the manifest stands.
    pub origin: Origin,
    /// The name: required, and declared as `/name` too.
    pub name: String,
    /// `name`, `description`, `active`, `metadata` and `config`, as far as declared.
    pub declared: Declared,
    /// Phone numbers.
    pub slots: Slots,
    /// Ids of widgets that shall follow the live version.
    pub web_widgets: Option<BTreeSet<String>>,
    /// Email addresses that shall follow the live version.
    pub email_addresses: Option<BTreeSet<String>>,
    /// Whether the agent is exposed over SIP.
    pub sip_endpoint: Option<bool>,
    /// Inputs of the service's instruction builder.
    pub builder_inputs: Option<Value>,
    /// Never deleted.
    pub protect: bool,
    /// Paths whose live value stays.
    pub ignore: Vec<Ignore>,
    /// Paths no longer declared whose live value shall stay.
    pub release: Vec<FieldPath>,
    /// The live agent that this manifest binds to.
    pub id: Option<String>,
    /// Keys that this manifest had before.
    pub moved: Vec<Key>,
    /// The check before publishing.
    pub verify: Option<Verify>,
    /// SHA-256 of `config` with its scalar tags as names; equal in all environments that do not patch it.
    pub source: Digest,
}

impl Desired {
    /// The address that plans show.
    pub fn address(&self) -> Address {
        Address(self.key.clone())
    }
}
