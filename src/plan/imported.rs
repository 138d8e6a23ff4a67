//! What an import came to: the manifests that it wrote, what they leave out, and what could not be imported.

use serde::{Deserialize, Serialize};

use crate::model::{Address, FieldPath};

use super::change::{Summary, Target};

/// What an import came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it was made from.
    pub target: Target,
    /// The agents that have a manifest now, by key.
    pub agents: Vec<ImportedAgent>,
    /// Agents that were asked for and have none, with the reason.
    pub refused: Vec<NotImported>,
    /// How many agents have a manifest already.
    pub managed: usize,
    /// The secrets that the manifests name, by name.
    pub secrets: Vec<ImportedSecret>,
    /// What a plan of the new manifests comes to.
    pub summary: Summary,
}

/// An agent that has a manifest now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ImportedAgent {
    /// Its address.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// Its id on the service.
    pub agent_id: String,
    /// The live version, which the manifest describes.
    pub version: u64,
    /// The files, the manifest first.
    pub files: Vec<String>,
    /// What the manifest does not declare, and why.
    pub left_out: Vec<LeftOut>,
}

/// A part of an agent that its manifest does not declare. It stays as it is on the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct LeftOut {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// Why.
    pub reason: String,
}

/// An agent without a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct NotImported {
    /// Its name.
    pub name: String,
    /// Its id.
    pub agent_id: String,
    /// Why.
    pub reason: String,
}

/// A secret that the manifests name. Its value is in no file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ImportedSecret {
    /// The name behind `!secret`.
    pub name: String,
    /// Where it is used.
    pub used: Vec<SecretUse>,
}

/// A place of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct SecretUse {
    /// The agent.
    pub address: Address,
    /// Where, from the manifest's root.
    pub path: FieldPath,
}
