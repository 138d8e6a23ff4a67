//! What is said where the service keeps another value than the one that the manifest declares.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::value::same;
use crate::model::{ConfigShape, Desired, FieldPath, Key, LiveAgent, Seal, Stamp};

use super::change::Shown;
use super::compare::Sides;
use super::identity::{Binding, Identities};
use super::mask::{Labels, Mask};
use super::masked::looks_masked;
use super::needs::rewritten;
use super::options::Inputs;
use super::readback::says_otherwise;
use super::scope::Scope;
use super::threeway::{Subject, compare_config};
use super::work::Work;

/// The code of a notice that the service keeps another value than the manifest declares.
pub const REWRITTEN: &str = "rewritten-by-the-service";

/// What such a notice says.
pub fn rewritten_message(path: &FieldPath, declared: &Shown, live: &Shown) -> String {
    format!("{path}: {}", in_place_of(|value| format!("the manifest declares {value}"), declared, live))
}

/// What the service keeps in place of a value, in a sentence. Two long values may read the same.
fn in_place_of(said: impl Fn(&str) -> String, value: &Shown, live: &Shown) -> String {
    if let (Shown::Value(list @ Value::Array(_)), Shown::Value(kept)) = (value, live)
        && is_same_in_any_order(list, kept)
    {
        return format!("{}, and the service keeps its items in another order", said(&value.in_words()));
    }
    let (value, live) = (value.in_words(), live.in_words());
    if value == live {
        return format!("{}, and what the service keeps differs in a part that is not shown here", said(&value));
    }
    format!("{}, and the service keeps {live}", said(&value))
}

/// Whether each item of one list has its like in the other. What they are like is asked with the item's place in the first.
fn holds_the_same(list: &[Value], kept: &[Value], is_like: &dyn Fn(usize, &Value, &Value) -> bool) -> bool {
    let mut left: Vec<&Value> = kept.iter().collect();
    let mut items = list.iter().enumerate();
    list.len() == kept.len()
        && items.all(|(index, item)| {
            let found = left.iter().position(|kept| is_like(index, item, kept));
            found.map(|position| left.swap_remove(position)).is_some()
        })
}

/// Whether two values differ in the order of lists at most.
fn is_same_in_any_order(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => holds_the_same(a, b, &|_, a, b| is_same_in_any_order(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| is_same_in_any_order(value, other)))
        }
        _ => same(a, b),
    }
}

/// A declared leaf and what the service keeps in its place. A list is owned whole, and what is said of it is what differs
/// in it.
pub struct Kept<'a> {
    /// What may be shown.
    pub mask: &'a Mask<'a>,
    /// The configs that the leaf is a part of.
    pub sides: Sides<'a>,
}

/// A path where what is declared and what is kept differ.
pub struct Differing {
    /// Where.
    pub path: FieldPath,
    /// What is kept.
    pub live: Option<Value>,
    /// Whether it is a list whose items are in another order, and nothing else.
    pub is_reordered: bool,
}

impl Kept<'_> {
    /// Where the two say something else. A secret says nothing: what a service shows of one is not what it keeps.
    pub fn differing(&self, path: &FieldPath, declared: Option<&Value>, live: Option<&Value>) -> Vec<Differing> {
        match (declared, live) {
            _ if [declared, live].into_iter().flatten().any(|value| self.mask.is_secret(path, value)) => Vec::new(),
            (Some(Value::Array(list)), Some(Value::Array(kept))) if list.len() == kept.len() => {
                let items = || list.iter().zip(kept).enumerate();
                let below = |(index, (item, kept)): (usize, (&Value, &Value))| {
                    self.differing(&path.index(index), Some(item), Some(kept))
                };
                let is_like = |index, item: &Value, kept: &Value| {
                    self.differing(&path.index(index), Some(item), Some(kept)).iter().all(|found| found.is_reordered)
                };
                let found: Vec<Differing> = items().flat_map(below).collect();
                // In place, or with lists below it that are in another order, each of which is said for itself.
                if found.iter().all(|found| found.is_reordered) || !holds_the_same(list, kept, &is_like) {
                    return found;
                }
                vec![Differing { path: path.clone(), live: live.cloned(), is_reordered: true }]
            }
            (Some(Value::Object(map)), Some(Value::Object(kept))) => {
                let keys = map.keys().chain(kept.keys().filter(|key| !map.contains_key(*key)));
                keys.flat_map(|key| self.differing(&path.child(key), map.get(key), kept.get(key))).collect()
            }
            (Some(value), None) | (None, Some(value)) if self.is_usual(path, value) => Vec::new(),
            (Some(declared), live) if !says_otherwise(declared, live) => Vec::new(),
            (None, live) if live.is_none_or(|live| !says_otherwise(live, None)) => Vec::new(),
            _ => vec![Differing { path: path.clone(), live: live.cloned(), is_reordered: false }],
        }
    }

    /// Whether a value is what its absence would say as well.
    fn is_usual(&self, path: &FieldPath, value: &Value) -> bool {
        let Sides { shape, wanted, live } = self.sides;
        [wanted, live].into_iter().any(|config| shape.default_at(config, path).is_some_and(|usual| same(&usual, value)))
    }
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
        let paths = findings.filter(|finding| !subject.rewritten(finding, live).is_empty()).map(|finding| finding.path);
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

/// A declared value that reads back as another one, which is accepted. Both are masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// What was sent.
    pub sent: Shown,
    /// What the service keeps.
    pub read: Shown,
}

impl Rewrite {
    /// What a service rewrote of a config, with both values, as far as the manifest declares it. A secret that it does not
    /// show is not one that it changed.
    pub fn among(
        paths: &[FieldPath],
        work: &Work,
        (sent, read): (&Value, &Value),
        seal: Seal<'_>,
        shape: &dyn ConfigShape,
    ) -> Vec<Self> {
        let labels = Labels::default();
        let mask = |config| {
            let declared = work.declared.as_ref();
            Mask {
                shape,
                declared,
                config,
                seal: Some(seal),
                not_secret: &work.not_secret,
                labels: &labels,
                as_applied: false,
            }
        };
        let value = |config, path: &FieldPath| path.within_config().and_then(|at| at.get(config));
        let at = |config, path: &FieldPath| mask(config).shown(path, value(config, path));
        let is_declared = |path: &&FieldPath| work.sent.iter().any(|(sent, _)| path.starts_with(sent));
        let is_concealed = |path: &FieldPath| {
            let is_shown = value(read, path).is_some_and(|read| match read {
                Value::Null => false,
                Value::String(text) => !looks_masked(text),
                _ => true,
            });
            !is_shown && value(sent, path).is_some_and(|sent_value| mask(sent).is_secret(path, sent_value))
        };
        let declared = paths.iter().filter(is_declared).filter(|path| !is_concealed(path));
        declared.map(|path| Self { path: path.clone(), sent: at(sent, path), read: at(read, path) }).collect()
    }

    /// Both values in a sentence, without the path.
    pub fn in_words(&self) -> String {
        in_place_of(|value| format!("{value} was sent"), &self.sent, &self.read)
    }
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

#[cfg(test)]
mod tests {
    use super::super::compare::tests::OnByDefault;
    use super::*;
    use crate::model::secret::{SecretPart, SecretText};
    use crate::model::{Declared, Salt, StampState};
    use serde_json::json;

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    #[test]
    fn both_values_are_told_and_no_secret_is_whatever_form_the_service_keeps_it_in() {
        let stamp = Stamp {
            project: "p".to_owned(),
            environment: "prod".to_owned(),
            key: Key::parse("a").unwrap(),
            agent: None,
            protect: false,
            state: StampState {
                salt: Salt::new([1; 16]),
                secrets: Some(Vec::new()),
                applied: None,
                intent: None,
                lease: None,
                rollback: None,
            },
        };
        let sent = json!({"voice": "a", "hook": "REAL-VALUE-0123", "p": "x".repeat(300), "theirs": 1});
        let read = json!({"voice": "b", "hook": "real-value-0123", "p": "y".repeat(300), "theirs": 2});
        let secret =
            SecretText(vec![SecretPart::Secret { name: "HOOK".to_owned(), value: Some("REAL-VALUE-0123".into()) }]);
        let secrets = BTreeMap::from([(path("/config/hook"), secret)]);
        let paths = ["/config/voice", "/config/hook", "/config/p", "/config/theirs"].map(path);
        let work = Work {
            declared: Some(Declared::new(json!({"config": sent}), secrets)),
            sent: paths[..3].iter().map(|at| (at.clone(), json!(null))).collect(),
            ..Work::default()
        };
        let found = Rewrite::among(&paths, &work, (&sent, &read), Seal::of(&stamp), &OnByDefault);
        let told: Vec<String> = found.iter().map(|entry| format!("{}: {}", entry.path, entry.in_words())).collect();
        assert_eq!(
            told,
            [
                r#"/config/voice: "a" was sent, and the service keeps "b""#,
                "/config/hook: (secret) was sent, and what the service keeps differs in a part that is not shown here",
                "/config/p: a text of 300 characters was sent, and what the service keeps differs in a part that is \
                 not shown here",
            ]
        );
    }
}
