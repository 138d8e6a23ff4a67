//! What the manifests of a project say, in a form in which two states of them can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::manifest::{Files, Resolved, SecretSource, resolve};
use crate::model::value::same;
use crate::model::{Desired, Direction, FieldPath, Key};
use crate::plan::difference::document;

/// What the manifests say, by key, in a form in which two states can be compared.
pub(super) type Said = BTreeMap<Key, Value>;

/// What they say here and in every other environment that can be read.
pub(super) struct Snapshot {
    pub here: Said,
    pub elsewhere: BTreeMap<String, Said>,
}

impl Snapshot {
    /// Reads all of them. `resolved` is the state of this environment, with the environments that there are.
    pub fn of(files: &dyn Files, resolved: &Resolved, environment: Option<&str>, secrets: SecretSource<'_>) -> Self {
        let project = &resolved.project;
        let others = project.environments.keys().filter(|name| **name != project.environment);
        let elsewhere = others.filter_map(|name| {
            let resolved = resolve(files, Some(name), &|_| None);
            (!resolved.diagnostics.has_errors()).then(|| (name.clone(), said(&resolved)))
        });
        Self { here: said(&resolve(files, environment, secrets)), elsewhere: elsewhere.collect() }
    }
}

/// What each manifest says.
pub(super) fn said(resolved: &Resolved) -> Said {
    resolved.desired.iter().map(|desired| (desired.key.clone(), said_by(desired))).collect()
}

/// The whole of a manifest. A number counts by itself, for one may be adopted and another not; secrets count by their names.
fn said_by(desired: &Desired) -> Value {
    let mut out = document(desired);
    for direction in Direction::ALL {
        if let Some(numbers) = desired.slots.of(direction) {
            let numbers = numbers.iter().map(|number| (number.as_str().to_owned(), json!(true)));
            let path = FieldPath::of(["phone_numbers", direction.as_str()]);
            path.set(&mut out, Value::Object(numbers.collect::<Map<_, _>>()));
        }
    }
    let moved: Vec<&str> = desired.moved.iter().map(Key::as_str).collect();
    FieldPath::of(["moved"]).set(&mut out, json!(moved));
    let secrets: Vec<String> = desired.declared.secrets().keys().map(ToString::to_string).collect();
    FieldPath::of(["secrets"]).set(&mut out, json!(secrets));
    out
}

/// Where two states differ.
pub(super) fn differences(before: &Said, after: &Said) -> Vec<(Key, FieldPath)> {
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let mut out = Vec::new();
    for key in keys {
        compare(before.get(key), after.get(key), &FieldPath::root(), &mut |path| out.push((key.clone(), path)));
    }
    out
}

fn compare(before: Option<&Value>, after: Option<&Value>, path: &FieldPath, push: &mut dyn FnMut(FieldPath)) {
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                compare(a.get(name), b.get(name), &path.child(name.clone()), push);
            }
        }
        (Some(a), Some(b)) if same(a, b) => {}
        (None, None) => {}
        _ => push(path.clone()),
    }
}
