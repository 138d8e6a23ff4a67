//! Whether a declared value equals a live one: by value, and by the schema's defaults where a key is absent.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::value::{leaves, same};
use crate::model::{ConfigShape, FieldPath};

/// The two whole configs that a comparison stands in, so that the schema can tell branches and defaults on each side.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// The config with the declaration laid over it.
    pub wanted: &'a Value,
    /// The live config.
    pub live: &'a Value,
}

impl Sides<'_> {
    /// Whether the declared value at `path` is what is live there.
    ///
    /// An empty object owns its presence and nothing else, so any live object equals it. An absent key equals its
    /// default where its parent is there (design, section 5, equality).
    pub fn declared_is_live(&self, path: &FieldPath, declared: &Value, live: Option<&Value>) -> bool {
        match live {
            Some(Value::Object(_)) if is_empty_object(declared) => true,
            Some(live) => self.equal(path, declared, live),
            None => self.default_of_live(path).is_some_and(|default| self.equal(path, declared, &default)),
        }
    }

    /// Whether what is live at an undeclared path is nothing, or what the schema would assume there anyway.
    pub fn is_absent_or_default(&self, path: &FieldPath, live: Option<&Value>) -> bool {
        live.is_none_or(|live| {
            self.shape.default_at(self.live, path).is_some_and(|default| self.equal(path, &default, live))
        })
    }

    fn default_of_live(&self, path: &FieldPath) -> Option<Value> {
        let parent = path.parent()?.within_config()?;
        parent.get(self.live).filter(|parent| parent.is_object())?;
        self.shape.default_at(self.live, path)
    }

    /// Equality inside a leaf: lists element by element, objects in them key by key with defaults on either side.
    pub fn equal(&self, path: &FieldPath, wanted: &Value, live: &Value) -> bool {
        match (wanted, live) {
            (Value::Array(wanted), Value::Array(live)) => {
                wanted.len() == live.len()
                    && wanted
                        .iter()
                        .zip(live)
                        .enumerate()
                        .all(|(index, (wanted, live))| self.equal(&path.index(index), wanted, live))
            }
            (Value::Object(a), Value::Object(b)) => {
                let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
                keys.into_iter().all(|key| {
                    let at = path.child(key);
                    match (a.get(key), b.get(key)) {
                        (Some(a), Some(b)) => self.equal(&at, a, b),
                        (Some(a), None) => {
                            self.shape.default_at(self.live, &at).is_some_and(|b| self.equal(&at, a, &b))
                        }
                        (None, Some(b)) => {
                            self.shape.default_at(self.wanted, &at).is_some_and(|a| self.equal(&at, &a, b))
                        }
                        (None, None) => true,
                    }
                })
            }
            _ => same(wanted, live),
        }
    }
}

/// Two sides of a path as they are listed leaf by leaf. A filled object shows through the leaves below it, so it counts as
/// nothing, and an empty one beside it has nothing to say; any other value in its place is shown.
pub fn leaf_sides<'v>(before: Option<&'v Value>, after: Option<&'v Value>) -> (Option<&'v Value>, Option<&'v Value>) {
    let is_filled = |side: Option<&Value>| side.is_some_and(|value| value.is_object() && !is_empty_object(value));
    match (is_filled(before), is_filled(after)) {
        (false, false) => (before, after),
        (true, false) => (None, after.filter(|value| !is_empty_object(value))),
        (false, true) => (before.filter(|value| !is_empty_object(value)), None),
        (true, true) => (None, None),
    }
}

/// A path with what stood there before and what stands there after.
pub type ChangedLeaf<'v> = (FieldPath, Option<&'v Value>, Option<&'v Value>);

/// Every leaf that differs between two values that stand at `root`, by path.
pub fn changed_leaves<'v>(before: Option<&'v Value>, after: &'v Value, root: &FieldPath) -> Vec<ChangedLeaf<'v>> {
    let leaves = before.into_iter().chain([after]).flat_map(|side| leaves(side, root));
    let paths: BTreeSet<FieldPath> = leaves.map(|(path, _)| path).collect();
    let sides = paths.into_iter().filter_map(|path| {
        let inner = FieldPath::of(path.steps().iter().skip(root.steps().len()).cloned());
        let (was, is) = leaf_sides(before.and_then(|before| inner.get(before)), inner.get(after));
        let is_same = match (was, is) {
            (Some(was), Some(is)) => same(was, is),
            (None, None) => true,
            _ => false,
        };
        (!is_same).then_some((path, was, is))
    });
    sides.collect()
}

/// What stands where an object would have to be for `root`, which is at `at`, to have anything at `path`. No leaf below
/// that object says what it is. A null is nothing: a service writes it where nobody said anything.
pub fn in_the_way<'v>(root: &'v Value, at: &FieldPath, path: &FieldPath) -> Option<(FieldPath, &'v Value)> {
    let depth = at.steps().len();
    let above = std::iter::successors(path.parent(), FieldPath::parent).take_while(|path| path.steps().len() > depth);
    let found = above.filter_map(|path| {
        let inner = FieldPath::of(path.steps().iter().skip(depth).cloned());
        Some((path, inner.get(root)?))
    });
    found.into_iter().find(|(_, value)| !value.is_object() && !value.is_null())
}

/// Whether a value is `{}`.
pub fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::shape::{NoShape, ShapeFault};
    use serde_json::json;

    /// A schema in which `/config/a/on` is true by default, and so is `on` of every list element.
    pub(crate) struct OnByDefault;

    impl ConfigShape for OnByDefault {
        fn default_at(&self, _config: &Value, path: &FieldPath) -> Option<Value> {
            (path.last() == Some("on")).then(|| json!(true))
        }
        fn marks_secret(&self, _config: &Value, _path: &FieldPath) -> bool {
            false
        }
        fn is_secret(&self, config: &Value, path: &FieldPath) -> bool {
            NoShape.is_secret(config, path)
        }
        fn branch(&self, config: &Value, path: &FieldPath) -> Option<String> {
            path.within_config()?.get(config)?.get("type")?.as_str().map(str::to_owned)
        }
        fn accepts(&self, _config: &Value, _parent: &FieldPath, name: &str, _value: &Value) -> bool {
            name == "shared"
        }
        fn requires(&self, _config: &Value, path: &FieldPath) -> bool {
            path.last() == Some("needed")
        }
        fn lists_values(&self, _config: &Value, path: &FieldPath) -> bool {
            path.last() == Some("choice")
        }

        fn allows_null(&self, _config: &Value, _path: &FieldPath) -> bool {
            true
        }
        fn faults(&self, _config: &Value) -> Vec<ShapeFault> {
            Vec::new()
        }
        fn property_order(&self, _config: &Value, _path: &FieldPath) -> Vec<String> {
            Vec::new()
        }
    }

    fn check(path: &str, declared: &Value, live: &Value) -> bool {
        let path = FieldPath::parse(path).unwrap();
        let sides = Sides { shape: &OnByDefault, wanted: &json!({}), live };
        sides.declared_is_live(&path, declared, path.within_config().unwrap().get(live))
    }

    #[test]
    fn an_absent_key_equals_its_default_only_where_its_parent_is_there() {
        assert!(check("/config/a/on", &json!(true), &json!({"a": {}})));
        assert!(!check("/config/a/on", &json!(true), &json!({})));
        assert!(!check("/config/a/on", &json!(false), &json!({"a": {}})));
    }

    #[test]
    fn a_list_that_the_service_filled_with_defaults_equals_the_one_that_was_sent() {
        assert!(check("/config/l", &json!([{"n": 1}]), &json!({"l": [{"n": 1.0, "on": true}]})));
        assert!(!check("/config/l", &json!([{"n": 1}]), &json!({"l": [{"n": 1, "on": false}]})));
    }

    #[test]
    fn an_empty_object_owns_its_presence_and_not_what_others_put_in_it() {
        assert!(check("/config/a", &json!({}), &json!({"a": {"x": 1}})));
        assert!(!check("/config/a", &json!({}), &json!({"a": null})));
        assert!(!check("/config/a", &json!({}), &json!({})));
    }
}
