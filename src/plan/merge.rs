//! The new config: what is live, with the declaration laid over it and the removals taken out.

use serde_json::Value;

use crate::model::{ConfigShape, FieldPath};

use super::compare::is_empty_object;

/// A merged config, and what of the live one did not survive a change of branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The new config.
    pub config: Value,
    /// Undeclared paths that the new branch of a union does not have, from the manifest's root.
    pub dropped: Vec<FieldPath>,
}

/// Lays `declared` over `live`, then takes `removals` out.
///
/// `keeps` says which paths stay as in live although they are declared (`ignore`); where live has nothing there, the
/// declared value is written. Where the declaration picks another branch of a union than live has, the declared object
/// replaces the live one, and an undeclared sibling stays only if the new branch names it and accepts its value.
pub fn new_config(
    live: &Value,
    declared: &Value,
    removals: &[FieldPath],
    keeps: &dyn Fn(&FieldPath) -> bool,
    shape: &dyn ConfigShape,
) -> Merged {
    let root = FieldPath::config();
    let mut config = live.clone();
    lay_over(&mut config, declared, &root, keeps);
    let mut dropped = Vec::new();
    if live.is_object() {
        follow_branches(live, declared, &mut config, &root, shape, &mut dropped);
    }
    for path in removals {
        if let Some(inner) = path.within_config() {
            inner.remove(&mut config);
        }
    }
    Merged { config, dropped }
}

fn lay_over(target: &mut Value, declared: &Value, at: &FieldPath, keeps: &dyn Fn(&FieldPath) -> bool) {
    if is_empty_object(declared) && target.is_object() {
        return;
    }
    let Value::Object(declared) = declared else {
        target.clone_from(declared);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in declared {
        let path = at.child(key);
        match target.get_mut(key) {
            Some(_) if keeps(&path) => {}
            Some(present) => lay_over(present, value, &path, keeps),
            None => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

fn follow_branches(
    live: &Value,
    declared: &Value,
    config: &mut Value,
    at: &FieldPath,
    shape: &dyn ConfigShape,
    dropped: &mut Vec<FieldPath>,
) {
    let (Some(inner), Value::Object(map)) = (at.within_config(), declared) else { return };
    let Some(Value::Object(was)) = inner.get(live) else { return };
    let (before, after) = (shape.branch(live, at), shape.branch(config, at));
    if before.is_some() && after.is_some() && before != after {
        let undeclared: Vec<(String, Value)> = was
            .iter()
            .filter(|(key, _)| !map.contains_key(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        inner.set(config, declared.clone());
        for (key, value) in undeclared {
            if shape.accepts(config, at, &key, &value) {
                inner.child(key).set(config, value);
            } else {
                dropped.push(at.child(key));
            }
        }
        return;
    }
    for (key, value) in map {
        follow_branches(live, value, config, &at.child(key), shape, dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::OnByDefault;
    use super::*;
    use serde_json::json;

    fn merge(live: &Value, declared: &Value, removals: &[&str]) -> Merged {
        let removals: Vec<FieldPath> = removals.iter().map(|path| FieldPath::parse(path).unwrap()).collect();
        new_config(live, declared, &removals, &|path| path.to_string() == "/config/kept", &OnByDefault)
    }

    #[test]
    fn undeclared_keys_nulls_and_order_survive() {
        let merged = merge(&json!({"z": null, "a": {"x": {}, "b": 1}, "q": 1.0}), &json!({"a": {"b": 2}}), &[]);
        assert_eq!(merged.config.to_string(), r#"{"z":null,"a":{"x":{},"b":2},"q":1.0}"#);
    }

    #[test]
    fn an_ignored_path_keeps_its_live_value_and_is_written_where_live_has_none() {
        assert_eq!(merge(&json!({"kept": 1}), &json!({"kept": 2}), &[]).config, json!({"kept": 1}));
        assert_eq!(merge(&json!({}), &json!({"kept": 2}), &[]).config, json!({"kept": 2}));
    }

    #[test]
    fn another_branch_replaces_the_object_and_keeps_only_what_it_accepts() {
        let live = json!({"stack": {"type": "a", "only_a": 1, "shared": 2}});
        let merged = merge(&live, &json!({"stack": {"type": "b", "llm": 3}}), &[]);
        assert_eq!(merged.config, json!({"stack": {"type": "b", "llm": 3, "shared": 2}}));
        assert_eq!(merged.dropped, [FieldPath::parse("/config/stack/only_a").unwrap()]);
    }

    #[test]
    fn a_declaration_that_does_not_name_the_discriminator_stays_in_its_branch() {
        let live = json!({"stack": {"type": "a", "only_a": 1}});
        let merged = merge(&live, &json!({"stack": {"llm": 3}}), &[]);
        assert_eq!(merged.config, json!({"stack": {"type": "a", "only_a": 1, "llm": 3}}));
    }

    #[test]
    fn a_union_that_live_does_not_name_yet_is_no_other_branch() {
        let live = json!({"stack": {"only_a": 1}});
        let merged = merge(&live, &json!({"stack": {"type": "b", "llm": 3}}), &[]);
        assert_eq!(merged.config, json!({"stack": {"only_a": 1, "type": "b", "llm": 3}}));
        assert_eq!(merged.dropped, []);
    }

    #[test]
    fn another_json_type_replaces_the_value_whole() {
        assert_eq!(merge(&json!({"a": {"b": 1}}), &json!({"a": [1]}), &[]).config, json!({"a": [1]}));
        assert_eq!(merge(&json!({"a": 1}), &json!({"a": {"b": 1}}), &[]).config, json!({"a": {"b": 1}}));
    }

    #[test]
    fn a_removal_takes_out_its_path_and_no_more() {
        assert_eq!(merge(&json!({"a": {"b": 1, "c": 2}}), &json!({}), &["/config/a/b"]).config, json!({"a": {"c": 2}}));
        assert_eq!(merge(&json!({"a": {"b": 1}}), &json!({}), &["/config/a/b"]).config, json!({"a": {}}));
    }
}
