//! What is said where the service keeps another value than the one that the manifest declares.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{ConfigShape, Desired, FieldPath, Key, LiveAgent, Stamp};

use super::change::Shown;
use super::identity::{Binding, Identities};
use super::mask::Labels;
use super::needs::rewritten;
use super::options::Inputs;
use super::scope::Scope;
use super::threeway::{Subject, compare_config};

/// The code of a notice that the service keeps another value than the manifest declares.
pub const REWRITTEN: &str = "rewritten-by-the-service";

/// What such a notice says.
pub fn rewritten_message(path: &FieldPath, declared: &Shown, live: &Shown) -> String {
    format!("{path}: the manifest declares {}, and the service keeps {}", declared.in_words(), live.in_words())
}

/// The configs of agents whose stamps say that the service keeps other values, as agent ids and versions: whether those say
/// something else, the config tells.
pub fn configs_with_rewritten(inputs: &Inputs<'_>, identities: &Identities<'_>) -> Vec<(String, u64)> {
    let found = owned(inputs, identities).filter_map(|(desired, agent, stamp)| {
        let leaves: Vec<(FieldPath, Value)> =
            desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()).collect();
        rewritten(&leaves, stamp, desired).next()?;
        Some((agent.id.clone(), agent.live_version()?.version))
    });
    found.collect()
}

/// Where the service keeps other values than the manifests declare, by key, as far as configs were read.
pub fn rewritten_paths(
    inputs: &Inputs<'_>,
    identities: &Identities<'_>,
    shape: &dyn ConfigShape,
) -> BTreeMap<Key, Vec<FieldPath>> {
    let found = owned(inputs, identities).filter_map(|(desired, agent, stamp)| {
        let live = &agent.live_config()?.config;
        let subject = Subject {
            desired,
            agent: Some(agent),
            stamp: Some(stamp),
            scope: &Scope::of(desired, inputs.options.today),
            shape,
            not_secret: &inputs.options.not_secret,
            labels: &Labels::default(),
        };
        let findings = compare_config(&subject, live, None).findings.into_iter();
        let paths = findings.filter(|finding| subject.rewritten(finding, live).is_some()).map(|finding| finding.path);
        Some((desired.key.clone(), paths.collect::<Vec<_>>()))
    });
    found.filter(|(_, paths)| !paths.is_empty()).collect()
}

fn owned<'a>(
    inputs: &Inputs<'a>,
    identities: &'a Identities<'a>,
) -> impl Iterator<Item = (&'a Desired, &'a LiveAgent, &'a Stamp)> {
    inputs.desired.iter().filter_map(|desired| match identities.bindings.get(&desired.key)? {
        Binding::Owned { agent, stamp, .. } => Some((desired, *agent, &**stamp)),
        Binding::Adopted { .. } | Binding::New | Binding::Broken => None,
    })
}

/// Longest value that is shown within a sentence.
const IN_A_SENTENCE: usize = 80;

impl Shown {
    /// The value within a sentence.
    pub fn in_words(&self) -> String {
        match self {
            Self::Absent => "nothing".to_owned(),
            Self::Value(value) => {
                let text = value.to_string();
                match value {
                    Value::String(prose) if text.chars().count() > IN_A_SENTENCE => {
                        format!("a text of {} characters", prose.chars().count())
                    }
                    Value::Array(list) if text.chars().count() > IN_A_SENTENCE => {
                        format!("a list of {}", list.len())
                    }
                    _ => text,
                }
            }
            Self::Secret | Self::SecretByLook | Self::SecretUnchecked => "(secret)".to_owned(),
            Self::AtApply => "what is known only when it is applied".to_owned(),
        }
    }
}
