//! The switches: one for each thing that the contract does not know, the likeliest way first (contract, section 18).

use std::collections::BTreeMap;

/// Something that the contract marks `unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table below describes each one, and `--behave help` prints it")]
pub enum Switch {
    Metadata,
    Publish,
    Defaults,
    UnknownKeys,
    Secrets,
    LimitMax,
    Order,
    Envelope,
    Ties,
    CreateId,
    Republish,
    Drafts,
    ListVersions,
    NumberEntries,
    UnknownNumber,
    PublishAtomic,
    DeleteAgent,
    Takeover,
    Latest,
    Authors,
    Eventual,
    Put,
    VoiceRewrite,
    StripText,
    NameUnique,
    PublishBody,
    NumberScope,
    Widget,
    LimitError,
}

/// What is known of a switch: its name, its ways (the likeliest first), and what it is about.
type Row = (Switch, &'static str, &'static [&'static str], &'static str);

/// All switches. A way that is `N` takes a number.
pub const SWITCHES: [Row; 29] = [
    (Switch::Metadata, "metadata", &["replace", "merge"], "what PUT does with `metadata`"),
    (Switch::Publish, "publish", &["pinned", "follow"], "whether slots follow a newly published version by themselves"),
    (Switch::Defaults, "defaults", &["keep", "fill"], "whether a config is read back with its defaults filled in"),
    (
        Switch::UnknownKeys,
        "unknown-keys",
        &["keep", "drop", "reject"],
        "what becomes of keys that the schema does not name",
    ),
    (Switch::Secrets, "secrets", &["echo", "mask", "mask-tail"], "whether secrets in a config are read back"),
    (Switch::LimitMax, "limit-max", &["1000", "N"], "the largest page"),
    (Switch::Order, "order", &["desc", "asc"], "the order of lists, by creation"),
    (Switch::Envelope, "envelope", &["none", "data", "header"], "how a list says where it goes on"),
    (Switch::Ties, "ties", &["no", "yes"], "whether records made close together share their time"),
    (Switch::CreateId, "create-id", &["id", "agent_id"], "what the answer to a create calls the agent's id"),
    (Switch::Republish, "republish", &["allow", "refuse"], "whether a published version may be published again"),
    (Switch::Drafts, "drafts", &["many", "one"], "whether a second draft is refused"),
    (Switch::ListVersions, "list-versions", &["yes", "no"], "whether the agent list carries versions"),
    (Switch::NumberEntries, "number-entries", &["per-slot", "per-number"], "how an agent lists its numbers"),
    (Switch::UnknownNumber, "unknown-number", &["404", "422"], "the status for publishing onto an unknown number"),
    (
        Switch::PublishAtomic,
        "publish-atomic",
        &["yes", "no"],
        "whether a publish that fails moves some numbers all the same",
    ),
    (
        Switch::DeleteAgent,
        "delete-agent",
        &["clears", "refuses", "dangles"],
        "what deleting does to slots that point at the agent",
    ),
    (Switch::Takeover, "takeover", &["silent", "conflict"], "whether a slot can be taken from another agent"),
    (Switch::Latest, "latest", &["makes-draft", "returns"], "what reading `latest` does where no draft stands"),
    (Switch::Authors, "authors", &["yes", "no"], "whether records say who made them"),
    (Switch::Eventual, "eventual", &["0", "N"], "how many readings miss a record that was just made"),
    (Switch::Put, "put", &["replace", "merge"], "what PUT does with the config of a draft"),
    (Switch::VoiceRewrite, "voice-rewrite", &["yes", "no"], "whether `voice_id` becomes the first of `voice_ids`"),
    (Switch::StripText, "strip-text", &["no", "yes"], "whether outer blanks of texts are lost"),
    (Switch::NameUnique, "name-unique", &["no", "yes"], "whether two agents may have one name"),
    (Switch::PublishBody, "publish-body", &["optional", "required"], "whether publish wants a body"),
    (Switch::NumberScope, "number-scope", &["own", "agents"], "whether `agents:read` is enough to list numbers"),
    (Switch::Widget, "widget-unpublished", &["accept", "reject"], "whether a widget may run an unpublished version"),
    (Switch::LimitError, "limit-error", &["ctx", "plain"], "whether the refusal of a large page names the bound"),
];

/// How the service behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    chosen: BTreeMap<Switch, String>,
}

/// Why a switch cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BehaviourError {
    /// No `=`.
    #[error("`{0}` is not of the form key=value")]
    Form(String),
    /// No such switch.
    #[error("there is no switch `{name}`; there are {known}")]
    Unknown {
        /// What was written.
        name: String,
        /// The names.
        known: String,
    },
    /// No such way.
    #[error("`{name}` cannot be `{value}`; it can be {ways}")]
    Way {
        /// The switch.
        name: &'static str,
        /// What was written.
        value: String,
        /// The ways.
        ways: String,
    },
}

impl Behaviour {
    /// Reads one `key=value`.
    pub fn set(&mut self, text: &str) -> Result<(), BehaviourError> {
        let (name, value) = text.split_once('=').ok_or_else(|| BehaviourError::Form(text.to_owned()))?;
        let Some((switch, name, ways, _)) = SWITCHES.iter().find(|(_, known, ..)| *known == name) else {
            let known: Vec<&str> = SWITCHES.iter().map(|(_, name, ..)| *name).collect();
            return Err(BehaviourError::Unknown { name: name.to_owned(), known: known.join(", ") });
        };
        let is_number =
            ways.contains(&"N") && value.parse::<usize>().is_ok_and(|n| n > 0 || *switch == Switch::Eventual);
        if !ways.contains(&value) && !is_number || value == "N" {
            return Err(BehaviourError::Way { name, value: value.to_owned(), ways: ways.join(", ") });
        }
        self.chosen.insert(*switch, value.to_owned());
        Ok(())
    }

    /// Reads several.
    pub fn parse_all<S: AsRef<str>>(texts: &[S]) -> Result<Self, BehaviourError> {
        let mut behaviour = Self::default();
        for text in texts {
            behaviour.set(text.as_ref())?;
        }
        Ok(behaviour)
    }

    /// The way that a switch stands.
    pub fn way(&self, switch: Switch) -> &str {
        self.chosen.get(&switch).map_or_else(
            || {
                SWITCHES
                    .iter()
                    .find(|(known, ..)| *known == switch)
                    .and_then(|(.., ways, _)| ways.first())
                    .copied()
                    .unwrap_or("")
            },
            String::as_str,
        )
    }

    /// Whether a switch stands this way.
    pub fn is(&self, switch: Switch, way: &str) -> bool {
        self.way(switch) == way
    }

    /// The number of a switch that takes one.
    pub fn number(&self, switch: Switch) -> usize {
        self.way(switch).parse().unwrap_or(0)
    }

    /// How it differs from the likeliest service, as it would be typed.
    pub fn describe(&self) -> String {
        let name =
            |switch: Switch| SWITCHES.iter().find(|(known, ..)| *known == switch).map_or("", |(_, name, ..)| *name);
        self.chosen.iter().map(|(switch, way)| format!("{}={way}", name(*switch))).collect::<Vec<_>>().join(" ")
    }

    /// The services that the documentation allows: the likeliest, each switch alone, and pairs that meet in one request.
    pub fn worlds() -> Vec<Self> {
        let mut worlds = vec![Self::default()];
        for (_, name, ways, _) in &SWITCHES {
            for way in ways.iter().skip(1) {
                let way = match (*name, *way) {
                    ("limit-max", _) => "2",
                    ("eventual", _) => "2",
                    (_, way) => way,
                };
                worlds.extend(Self::parse_all(&[format!("{name}={way}")]));
            }
        }
        let pairs = [
            "defaults=fill secrets=mask",
            "defaults=fill put=merge",
            "metadata=merge authors=no",
            "limit-max=2 ties=yes",
            "limit-max=2 order=asc",
            "limit-max=3 envelope=header",
            "list-versions=no number-entries=per-number",
            "republish=refuse publish=follow",
            "drafts=one authors=no",
            "eventual=2 create-id=agent_id",
            "unknown-keys=drop defaults=fill",
            "put=merge unknown-keys=keep",
            "secrets=mask-tail strip-text=yes",
        ];
        for pair in pairs {
            worlds.extend(Self::parse_all(&pair.split(' ').collect::<Vec<_>>()));
        }
        worlds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_stands_its_first_way_until_it_is_set() {
        let mut behaviour = Behaviour::default();
        assert!(behaviour.is(Switch::Metadata, "replace"));
        behaviour.set("metadata=merge").unwrap();
        behaviour.set("limit-max=20").unwrap();
        assert!(behaviour.is(Switch::Metadata, "merge"));
        assert_eq!(behaviour.number(Switch::LimitMax), 20);
        assert_eq!(behaviour.describe(), "metadata=merge limit-max=20");
    }

    #[test]
    fn a_switch_that_is_none_says_which_there_are() {
        let mut behaviour = Behaviour::default();
        assert!(behaviour.set("metdata=merge").unwrap_err().to_string().contains("metadata"));
        assert!(behaviour.set("metadata=half").unwrap_err().to_string().contains("replace, merge"));
        assert!(behaviour.set("metadata").is_err());
        assert!(behaviour.set("limit-max=0").is_err());
    }

    #[test]
    fn there_is_a_world_for_every_way_of_every_switch() {
        let ways: usize = SWITCHES.iter().map(|(.., ways, _)| ways.len() - 1).sum();
        assert!(Behaviour::worlds().len() > ways);
    }
}
