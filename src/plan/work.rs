//! What `apply` sends for one agent. It holds secrets in clear, so it shows nothing of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use crate::model::stamp::Fields;
use crate::model::{Back, Declared, Digest, Direction, FieldPath, Key, PhoneNumber, Salt, Slot, Stamp, Verify};

/// What becomes of an agent's versions and numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Course {
    /// Nothing: only its own record is written.
    #[default]
    Record,
    /// Numbers are given to the version that is live.
    Numbers {
        /// That version.
        live: u64,
    },
    /// A version is made and published with its numbers: from the live one where there is one.
    Version {
        /// Its whole config.
        config: Value,
    },
    /// A copy of an older version is made and published with the numbers of the live one. Nothing is written into it.
    Copy {
        /// The version that is copied.
        of: u64,
        /// What it holds.
        config: Value,
    },
    /// It cannot be done, which the plan says as well.
    Impossible {
        /// Why.
        why: &'static str,
    },
}

/// Everything that the steps of one agent need, decided.
#[derive(Clone, Default)]
pub struct Work {
    /// What becomes of its versions and numbers.
    pub course: Course,
    /// Paths that the new config no longer has, so that read-back can insist.
    pub removed: Vec<FieldPath>,
    /// `name`, `description`, `active` where they change; all of them for a create.
    pub agent_fields: Map<String, Value>,
    /// Declared metadata keys that change; null takes one out.
    pub metadata: Map<String, Value>,
    /// The declaration, for knowing what of it may be shown.
    pub declared: Option<Declared>,
    /// Names of properties that the project says hold no secrets.
    pub not_secret: BTreeSet<String>,
    /// Every declared leaf as it is sent.
    pub sent: Vec<(FieldPath, Value)>,
    /// Numbers to assign, by direction, with the new or the live version.
    pub assign: BTreeMap<Direction, Vec<PhoneNumber>>,
    /// Numbers that stay where they are, and that a new version would have to be given again, by direction.
    pub carry: BTreeMap<Direction, Vec<PhoneNumber>>,
    /// Numbers to empty at the end, by direction.
    pub unassign: BTreeMap<Direction, Vec<PhoneNumber>>,
    /// The stamp as it was found.
    pub stamp: Option<Stamp>,
    /// The fields of the stamp that is kept or carried over.
    pub kept_fields: Fields,
    /// The salt, where a stamp had one.
    pub salt: Option<Salt>,
    /// The secrets that are sent, in clear: the stamp remembers them by their hashes.
    pub secrets: Vec<String>,
    /// The check before publishing.
    pub verify: Option<Verify>,
    /// Never deleted.
    pub protect: bool,
    /// The manifest's source digest.
    pub source: String,
    /// The commit of the manifests.
    pub commit: Option<String>,
    /// Plan and change that the stamp shall name, where that is not the plan being applied: a refresh completes the
    /// record of what was applied before.
    pub claim: Option<(String, String)>,
    /// The hash of the change without its slots.
    pub core_hash: Option<Digest>,
    /// The way back, where this is one: what the stamp says of it.
    pub back: Option<Back>,
    /// Names of secrets that this run has no value of.
    pub missing_secrets: Vec<String>,
}

impl Work {
    /// The whole config that is written into the new version, where anything is.
    pub fn config(&self) -> Option<&Value> {
        match &self.course {
            Course::Version { config } => Some(config),
            Course::Record | Course::Numbers { .. } | Course::Copy { .. } | Course::Impossible { .. } => None,
        }
    }

    /// Whether a slot is emptied when every agent is done.
    pub fn empties(&self, slot: &Slot) -> bool {
        self.unassign.get(&slot.direction).is_some_and(|numbers| numbers.contains(&slot.number))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work(…)")
    }
}

/// An agent whose stamp does not say yet that everything is in place. Nothing else of it is written.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The key.
    pub key: Key,
    /// The name.
    pub name: String,
    /// The agent.
    pub agent_id: String,
    /// The live version.
    pub version: Option<u64>,
    /// What the stamp shall say.
    pub work: Work,
}
