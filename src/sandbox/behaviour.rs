//! Reads `--behave key=value`, and lists the worlds that a client must converge in.

pub use super::switches::Behaviour;
use super::switches::SWITCHES;

/// Why a `--behave` is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BehaviourError {
    /// There is no `=`.
    #[error("`{0}` is not of the form key=value")]
    NoValue(String),
    /// There is no such switch.
    #[error("the sandbox has no switch `{key}`{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey {
        /// What was written.
        key: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// The switch has no such value.
    #[error("`{key}` cannot be `{value}`: {expected}")]
    UnknownValue {
        /// The switch.
        key: String,
        /// What was written.
        value: String,
        /// What can be written.
        expected: String,
    },
}

/// Texts that are at least this alike (Jaro-Winkler) are offered as what was meant.
const LIKENESS: f64 = 0.8;

/// Combinations whose parts meet in one place of a client, each worth a world of its own.
const PAIRS: &[&[&str]] = &[
    &["metadata=merge", "secrets=mask"],
    &["metadata=merge", "put-config=merge"],
    &["metadata=deep-merge", "eventual=2"],
    &["publish=follow", "republish=refuse"],
    &["publish=follow", "publish-atomic=no"],
    &["limit-max=3", "order=asc"],
    &["limit-max=3", "page=ragged"],
    &["limit-max=3", "ties=some"],
    &["limit-max=3", "cursor-time=text"],
    &["limit-max=20", "cursor-time=milliseconds"],
    &["limit-max=3", "ties=some", "order=asc"],
    &["limit-max=3", "ties=all", "cursor=header"],
    &["limit-max=3", "limit-over=clamp"],
    &["limit-max=3", "limit-error=bare", "envelope=data"],
    &["limit-max=3", "cursor=link"],
    &["envelope=data", "cursor=header"],
    &["defaults=fill", "unknown-keys=drop"],
    &["defaults=fill", "secrets=mask"],
    &["defaults=fill", "put-config=merge"],
    &["defaults=fill", "key-order=sorted"],
    &["list-versions=no", "list-metadata=no"],
    &["list-versions=no", "record-versions=no"],
    &["record-versions=no", "eventual=2"],
    &["empty-values=drop", "config-lists=sorted"],
    &["empty-values=drop", "put-config=merge"],
    &["list-versions=no", "number-entries=per-number"],
    &["authors=no", "drafts=one"],
    &["authors=no", "eventual=2"],
    &["eventual=2", "order=asc"],
    &["eventual=2", "create-id=agent_id"],
    &["latest=returns", "drafts=one"],
];

impl Behaviour {
    /// Reads one `key=value` over this.
    pub fn set(&mut self, spec: &str) -> Result<(), BehaviourError> {
        let (key, value) = spec.split_once('=').ok_or_else(|| BehaviourError::NoValue(spec.to_owned()))?;
        let (key, value) = (key.trim(), value.trim());
        let Some(switch) = SWITCHES.iter().find(|switch| switch.key == key) else {
            return Err(BehaviourError::UnknownKey { key: key.to_owned(), nearest: nearest(key) });
        };
        if self.assign(key, value) {
            return Ok(());
        }
        let expected = if switch.numeric {
            "a whole number is wanted".to_owned()
        } else {
            format!("it can be {}", switch.values.join(", "))
        };
        Err(BehaviourError::UnknownValue { key: key.to_owned(), value: value.to_owned(), expected })
    }

    /// Reads several, the later over the earlier.
    pub fn parse<I>(specs: I) -> Result<Self, BehaviourError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut behaviour = Self::default();
        for spec in specs {
            behaviour.set(spec.as_ref())?;
        }
        Ok(behaviour)
    }

    /// The switches that are not at their default, as they are written; empty for the likely service.
    pub fn name(&self) -> String {
        let likely = Self::default().words();
        let changed: Vec<String> = self
            .words()
            .into_iter()
            .zip(likely)
            .filter(|(now, default)| now != default)
            .map(|((key, word), _)| format!("{key}={word}"))
            .collect();
        changed.join(" ")
    }

    /// Every service that a client is tested against: the likely one, each switch alone, and combinations.
    pub fn worlds() -> Vec<(String, Self)> {
        let alone = SWITCHES
            .iter()
            .flat_map(|switch| switch.values.iter().skip(1).map(|value| vec![format!("{}={value}", switch.key)]));
        let pairs = PAIRS.iter().map(|pair| pair.iter().map(|&spec| spec.to_owned()).collect());
        let mut worlds = vec![("likely".to_owned(), Self::default())];
        for specs in alone.chain(pairs) {
            let behaviour = Self::parse(&specs).expect("internal error: the table of switches names its own values");
            worlds.push((specs.join(" "), behaviour));
        }
        worlds
    }
}

fn nearest(key: &str) -> Option<String> {
    SWITCHES
        .iter()
        .map(|switch| (strsim::jaro_winkler(key, switch.key), switch.key))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key.to_owned())
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|key| format!(", did you mean `{key}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::switches::{Metadata, Order};
    use super::*;

    #[test]
    fn a_switch_is_read_by_its_words() {
        let behaviour = Behaviour::parse(["metadata=merge", "order = asc", "limit-max=20", "authors=no"]).unwrap();
        assert_eq!(behaviour.metadata, Metadata::Merge);
        assert_eq!(behaviour.order, Order::Asc);
        assert_eq!(behaviour.limit_max, 20);
        assert!(!behaviour.authors);
        assert_eq!(behaviour.name(), "metadata=merge order=asc authors=no limit-max=20");
    }

    #[test]
    fn a_mistake_says_what_was_meant_or_what_is_possible() {
        let text = |spec| Behaviour::parse([spec]).unwrap_err().to_string();
        assert_eq!(text("metadta=merge"), "the sandbox has no switch `metadta`, did you mean `metadata`?");
        assert_eq!(text("zzz=1"), "the sandbox has no switch `zzz`");
        assert_eq!(text("order=up"), "`order` cannot be `up`: it can be desc, asc");
        assert_eq!(text("limit-max=many"), "`limit-max` cannot be `many`: a whole number is wanted");
        assert_eq!(text("order"), "`order` is not of the form key=value");
    }

    #[test]
    fn every_value_of_every_switch_is_a_world_and_no_world_comes_twice() {
        let worlds = Behaviour::worlds();
        let mut names: Vec<&str> = worlds.iter().map(|(name, _)| name.as_str()).collect();
        for switch in SWITCHES {
            for value in &switch.values[1..] {
                assert!(names.contains(&format!("{}={value}", switch.key).as_str()), "{}={value}", switch.key);
            }
            assert!(
                Behaviour::default().words().iter().any(|(key, word)| *key == switch.key && word == switch.values[0])
            );
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for (position, (_, world)) in worlds.iter().enumerate() {
            assert!(worlds[..position].iter().all(|(_, earlier)| earlier != world), "{}", world.name());
        }
    }
}
