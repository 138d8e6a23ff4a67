//! What the service said of its agents and numbers, and how complete that answer was.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use serde_json::Value;

use super::digest::Digest;
use super::number::{Direction, PhoneNumber};

/// Longest id, in bytes. A UUID has 36.
const ID_LENGTH: usize = 128;

/// Whether a text can be an id of the service: `[A-Za-z0-9_.~-]`, which a URL never changes, and no step to a folder.
pub fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'~' | b'-');
    (1..=ID_LENGTH).contains(&text.len()) && text.bytes().all(fits) && !matches!(text, "." | "..")
}

/// How much of a list was read (design, section 4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Coverage {
    /// Read to its stated end: what it does not show does not exist.
    #[default]
    Proven,
    /// Read, but its end could not be proven: absence means nothing, a single read decides, nothing is pruned.
    Unproven(String),
    /// Broken off by an error: it creates, deletes and judges nothing absent.
    Incomplete(String),
    /// This credential may not read it (403).
    Forbidden(String),
}

impl Coverage {
    /// Whether absence from the list proves absence.
    pub fn is_proven(&self) -> bool {
        matches!(self, Self::Proven)
    }
}

/// One version of an agent as lists show it, without its config (contract, section 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionHead {
    /// What numbers and widgets point at.
    pub id: String,
    /// The number, counted by agent.
    pub version: u64,
    /// Whether it is published; immutable from then on.
    pub published: bool,
    /// Who created it, where the service says so.
    pub created_by: Option<String>,
    /// Who changed it last, where the service says so.
    pub modified_by: Option<String>,
}

/// Who changed something, and when, as far as the service tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Editor {
    /// The principal.
    pub by: Option<String>,
    /// RFC 3339.
    pub at: Option<String>,
    /// The version that the edit made.
    pub version: Option<u64>,
}

/// A widget of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveWidget {
    /// Its id; widgets have no name.
    pub id: String,
    /// The version that it runs.
    pub agent_version_id: Option<String>,
}

/// One agent as the service holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveAgent {
    /// The service's id.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// Whether it is active.
    pub active: Option<bool>,
    /// Free-form, ours only under `reachform`.
    pub metadata: Value,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// Who wrote the agent last.
    pub modified_by: Option<String>,
    /// All versions, by number.
    pub versions: Vec<VersionHead>,
    /// Slots as the agent's own record names them: (number, direction where it is said, version id).
    pub own_numbers: Vec<(PhoneNumber, Option<Direction>, String)>,
    /// Widgets.
    pub widgets: Vec<LiveWidget>,
    /// Whether it is exposed over SIP.
    pub sip_deployed: bool,
    /// Configs that this run has read, by version number.
    pub configs: BTreeMap<u64, LiveConfig>,
}

/// A version's config as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveConfig {
    /// The config, byte for byte as a value.
    pub config: Value,
    /// Who made the version, and when.
    pub editor: Editor,
}

impl LiveAgent {
    /// The live version: the highest published one (design, section 1).
    pub fn live_version(&self) -> Option<&VersionHead> {
        self.versions.iter().filter(|head| head.published).max_by_key(|head| head.version)
    }

    /// The highest version of any kind.
    pub fn highest_version(&self) -> u64 {
        self.versions.iter().map(|head| head.version).max().unwrap_or(0)
    }

    /// The head of one version.
    pub fn version(&self, version: u64) -> Option<&VersionHead> {
        self.versions.iter().find(|head| head.version == version)
    }

    /// The config of the live version, where this run has read it.
    pub fn live_config(&self) -> Option<&LiveConfig> {
        self.configs.get(&self.live_version()?.version)
    }
}

/// One phone number with its two pointers (contract, section 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveNumber {
    /// The number.
    pub number: PhoneNumber,
    /// The version id that the inbound slot points at.
    pub inbound: Option<String>,
    /// The version id that the outbound slot points at.
    pub outbound: Option<String>,
    /// Who changed its record last, where the service says so.
    pub modified_by: Option<String>,
    /// When, as the service writes it.
    pub updated_at: Option<String>,
}

impl LiveNumber {
    /// The pointer of one direction.
    pub fn slot(&self, direction: Direction) -> Option<&str> {
        match direction {
            Direction::Inbound => self.inbound.as_deref(),
            Direction::Outbound => self.outbound.as_deref(),
        }
    }

    /// Who else than `us` changed its record since the earlier reading, as far as the service says.
    pub fn changed_by_another<'n>(&'n self, earlier: Option<&Self>, us: &str) -> Option<&'n str> {
        let by = self.modified_by.as_deref().filter(|by| *by != us)?;
        let record = |number: &Self| (number.modified_by.clone(), number.updated_at.clone());
        // Where the earlier reading knew neither, there is nothing to compare with.
        let before = earlier.map(record).filter(|before| *before != (None, None))?;
        (before != record(self)).then_some(by)
    }
}

/// Everything that this run read of the service.
#[derive(Clone, Debug, Default)]
pub struct LiveState {
    /// When the lists were asked for: what was read cannot be older. Absent where nothing was read.
    pub read_at: Option<jiff::Timestamp>,
    /// Agents by id.
    pub agents: BTreeMap<String, LiveAgent>,
    /// Numbers by number.
    pub numbers: BTreeMap<PhoneNumber, LiveNumber>,
    /// How much of the agent list was read.
    pub agent_coverage: Coverage,
    /// How much of the number list was read.
    pub number_coverage: Coverage,
    /// Whether an inbound routing config is enabled; `None` where that could not be read.
    pub routing_enabled: Option<bool>,
    /// The organization that answered, where any record named it.
    pub organization: Option<String>,
    /// The principal that this credential acts as, where an answer named it.
    pub principal: Option<String>,
    /// The digest of the schema that this run works by.
    pub schema_digest: Option<Digest>,
    /// Things a person should know about the reading, in plain sentences.
    pub notices: Vec<String>,
}

impl LiveState {
    /// Which agent and version number a version id belongs to.
    pub fn owner_of(&self, version_id: &str) -> Option<(&LiveAgent, u64)> {
        self.agents.values().find_map(|agent| {
            agent.versions.iter().find(|head| head.id == version_id).map(|head| (agent, head.version))
        })
    }

    /// Why no record named the organization, where none did.
    pub fn unseen_organization(&self) -> Option<Unseen> {
        if self.organization.is_some() {
            return None;
        }
        Some(match (&self.number_coverage, &self.agent_coverage) {
            (Coverage::Forbidden(_), _) => Unseen::NumbersForbidden,
            (Coverage::Incomplete(_), _) | (_, Coverage::Incomplete(_)) => Unseen::Unread,
            _ if self.numbers.is_empty() && self.agents.is_empty() => Unseen::Empty,
            _ => Unseen::NotNamed,
        })
    }
}

/// Why it cannot be seen which organization a credential belongs to: its records name it, and nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The credential may not list the phone numbers.
    NumbersForbidden,
    /// A list was not read to its end.
    Unread,
    /// There is no record yet.
    Empty,
    /// There are records, and none names it.
    NotNamed,
}

impl Unseen {
    /// The reason, in a sentence with the way out.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NumbersForbidden => {
                "phone numbers show the organization, and this key may not list them; give it the scope \
                 `phone_numbers:read`"
            }
            Self::Unread => "a list that shows the organization was not read to its end; run again",
            Self::Empty => {
                "the organization shows in its phone numbers and agents, and it has none yet; add a phone number in the \
                 dashboard"
            }
            Self::NotNamed => "neither the agents nor the phone numbers that the service lists name their organization",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_bounded_word_that_no_path_takes_apart() {
        for good in ["a", "ag_1", "0b3f-41.2~x", "...", &"a".repeat(ID_LENGTH)] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a%2Fb", "a b", "a?b", "a#b", "ä", "a\n", &"a".repeat(ID_LENGTH + 1)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
