//! Two states of the manifests against each other, without the service: what a change to the repository says.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::shape::NoShape;
use crate::model::{Desired, Direction, FieldPath, Key, Origin, PhoneNumber, Slot};

use super::change::{Cause, FieldChange, NamedSecret, Source};
use super::compare::changed_leaves;
use super::mask::{Labels, Mask};
use super::order::order_by_schema;
use super::verify::VerifyChange;

/// What became of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Fate {
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
    /// It is new.
    Added,
}

impl Fate {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Added => "added",
        }
    }

    /// The mark in the left margin.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Removed => "-",
            Self::Changed => "~",
            Self::Added => "+",
        }
    }
}

/// One manifest that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestDifference {
    /// Its key.
    pub key: Key,
    /// The name that it declares.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// The key that it had before, by `moved`.
    pub moved_from: Option<Key>,
    /// Where it begins; of one that is gone, where it began.
    pub origin: Origin,
    /// The values that differ. Of one that is gone there are none.
    pub fields: Vec<FieldChange>,
    /// What becomes of its `verify`, which is shown whole.
    pub verify: Option<VerifyChange>,
}

/// One phone slot that another manifest claims now, or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimDifference {
    /// The number.
    pub number: PhoneNumber,
    /// The direction.
    pub direction: Direction,
    /// Who claimed it before.
    pub from: Option<Key>,
    /// Who claims it now.
    pub to: Option<Key>,
}

/// A state of the repository by the name that a person gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Revision {
    /// As it was typed.
    pub name: String,
    /// The commit.
    pub commit: String,
}

/// The difference of two states of the manifests for one environment.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The project.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The older state.
    pub base: Revision,
    /// The newer one: the files as they are.
    pub head: Source,
    /// What differs: gone, changed, new; each by key.
    pub manifests: Vec<ManifestDifference>,
    /// Numbers that change hands.
    pub numbers: Vec<ClaimDifference>,
    /// How many manifests say the same.
    pub same: usize,
    /// What a person should know.
    pub notices: Vec<String>,
}

impl Difference {
    /// Whether there is one.
    pub fn is_empty(&self) -> bool {
        self.manifests.is_empty()
    }

    /// How many manifests have a fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.manifests.iter().filter(|manifest| manifest.fate == fate).count()
    }
}

/// Compares two states. Values are compared as they are declared, secrets by name; the service's defaults do not count.
pub fn compare(base: &[Desired], head: &[Desired]) -> (Vec<ManifestDifference>, Vec<ClaimDifference>, usize) {
    let before: BTreeMap<&Key, &Desired> = base.iter().map(|desired| (&desired.key, desired)).collect();
    let after: BTreeSet<&Key> = head.iter().map(|desired| &desired.key).collect();
    let mut found = Vec::new();
    let mut continued: BTreeSet<&Key> = BTreeSet::new();
    let mut unchanged = 0;
    for desired in head {
        let old = desired.moved.iter().find(|old| !after.contains(old) && before.contains_key(old));
        let (was, moved_from) = match (before.get(&desired.key), old) {
            (Some(was), _) => (Some(*was), None),
            (None, Some(old)) => (before.get(old).copied(), Some(old.clone())),
            (None, None) => (None, None),
        };
        continued.extend(was.map(|was| &was.key));
        let fields = fields(was, desired);
        let verify = VerifyChange::between(was.and_then(|was| was.verify.as_ref()), desired.verify.as_ref());
        if was.is_some() && fields.is_empty() && moved_from.is_none() && verify.is_none() {
            unchanged += 1;
            continue;
        }
        found.push(ManifestDifference {
            key: desired.key.clone(),
            name: desired.name.clone(),
            fate: if was.is_some() { Fate::Changed } else { Fate::Added },
            moved_from,
            origin: desired.origin.clone(),
            fields,
            verify,
        });
    }
    for desired in base.iter().filter(|desired| !continued.contains(&desired.key)) {
        found.push(ManifestDifference {
            key: desired.key.clone(),
            name: desired.name.clone(),
            fate: Fate::Removed,
            moved_from: None,
            origin: desired.origin.clone(),
            fields: Vec::new(),
            verify: None,
        });
    }
    found.sort_by(|a, b| (a.fate, &a.key).cmp(&(b.fate, &b.key)));
    (found, claims(base, head), unchanged)
}

fn claims(base: &[Desired], head: &[Desired]) -> Vec<ClaimDifference> {
    let (before, after) = (super::threeway::claims(base), super::threeway::claims(head));
    let slots: BTreeSet<&Slot> = before.keys().chain(after.keys()).collect();
    let moved = slots.into_iter().filter_map(|slot| {
        let (from, to) = (before.get(slot).copied().cloned(), after.get(slot).copied().cloned());
        (from != to).then(|| ClaimDifference { number: slot.number.clone(), direction: slot.direction, from, to })
    });
    moved.collect()
}

fn fields(before: Option<&Desired>, after: &Desired) -> Vec<FieldChange> {
    let (old, new) = (before.map(document), document(after));
    let empty = Value::Null;
    let labels = Labels::default();
    let new_mask = Mask {
        shape: &NoShape,
        declared: Some(&after.declared),
        config: &empty,
        seal: None,
        not_secret: &BTreeSet::new(),
        labels: &labels,
        as_applied: false,
    };
    let old_mask = Mask { declared: before.map(|before| &before.declared), ..new_mask };
    let mut found = Vec::new();
    for (path, was, is) in changed_leaves(old.as_ref(), &new, &FieldPath::root()) {
        found.push(FieldChange {
            kind: new_mask.kind(&path, was, is),
            cause: Cause::Pending,
            before: old_mask.shown(&path, was),
            after: new_mask.shown(&path, is),
            applied: None,
            removal: is.is_none(),
            risk: None,
            origin: None,
            secrets: secrets_between(before, after, &path),
            path,
        });
    }
    order_by_schema(&mut found, |field| (&field.path, [Some(&field.before), Some(&field.after)]), &empty, &NoShape);
    found
}

/// The secrets at a path and below it that have another name than before.
fn secrets_between(before: Option<&Desired>, after: &Desired, path: &FieldPath) -> Vec<NamedSecret> {
    let of = |desired: Option<&Desired>| -> BTreeMap<FieldPath, String> {
        let all = desired.into_iter().flat_map(|desired| desired.declared.secrets());
        all.filter(|(at, _)| at.starts_with(path)).map(|(at, secret)| (at.clone(), secret.named())).collect()
    };
    let (old, new) = (of(before), of(Some(after)));
    let paths: BTreeSet<&FieldPath> = old.keys().chain(new.keys()).collect();
    let named = |path: &FieldPath| NamedSecret {
        path: path.clone(),
        before: old.get(path).cloned(),
        after: new.get(path).cloned(),
    };
    paths.into_iter().map(named).filter(|named| named.before != named.after).collect()
}

/// All that a manifest says, as one value: what is compared where two states of a repository are. Left out are its key, its
/// place and its digest, which say nothing, and its old keys and its `verify`, which are shown apart.
pub fn document(desired: &Desired) -> Value {
    let Desired {
        key: _,
        origin: _,
        name: _,
        declared,
        slots,
        web_widgets,
        email_addresses,
        sip_endpoint,
        builder_inputs,
        protect,
        ignore,
        release,
        id,
        moved: _,
        verify: _,
        source: _,
    } = desired;
    let mut out = match declared.tree() {
        Value::Object(map) => map.clone(),
        _ => Map::new(),
    };
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    };
    let numbers: Map<String, Value> = Direction::ALL
        .into_iter()
        .filter_map(|direction| {
            let numbers = slots.of(direction)?;
            Some((direction.as_str().to_owned(), json!(numbers.iter().map(PhoneNumber::as_str).collect::<Vec<_>>())))
        })
        .collect();
    put("phone_numbers", (!numbers.is_empty()).then_some(Value::Object(numbers)));
    put("web_widgets", web_widgets.as_ref().map(|ids| json!(ids)));
    put("email_addresses", email_addresses.as_ref().map(|ids| json!(ids)));
    put("sip_endpoint", sip_endpoint.map(Value::Bool));
    put("instruction_builder_inputs", builder_inputs.clone());
    put("protect", protect.then_some(Value::Bool(true)));
    put("id", id.clone().map(Value::String));
    let ignored = ignore.iter().map(|entry| {
        let until = entry.until.map(|until| until.to_string());
        json!({"path": entry.path.to_string(), "reason": entry.reason, "until": until})
    });
    put("ignore", (!ignore.is_empty()).then(|| Value::Array(ignored.collect())));
    let released: Vec<String> = release.iter().map(FieldPath::to_string).collect();
    put("release", (!released.is_empty()).then(|| json!(released)));
    Value::Object(out)
}
