//! What goes with a path that is no longer declared: the objects that only Git had filled, and those that cannot be
//! without it.
//!
//! An object that is left as `{}` is not as good as gone: `built_in_tools.images: {}` switches the tool on.

use serde_json::Value;

use crate::model::{ConfigShape, FieldPath};

use super::compare::is_empty_object;

/// What a removal is judged by.
#[derive(Clone, Copy)]
pub struct Removal<'a> {
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// The config with the declaration laid over it.
    pub config: &'a Value,
    /// The declared config.
    pub declared: &'a Value,
    /// Whether the live value of a path stays by `ignore` or `release`.
    pub keeps: &'a dyn Fn(&FieldPath) -> bool,
}

/// What is taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Removed {
    /// The paths, none of them below another.
    pub paths: Vec<FieldPath>,
    /// Those of them that are objects around a path that Git declared.
    pub objects: Vec<FieldPath>,
    /// Paths that cannot go, because the schema requires them where they are.
    pub required: Vec<FieldPath>,
}

impl Removal<'_> {
    /// `gone` are all paths that were ours and are not declared any more, `removals` those of them whose value goes.
    pub fn settle(&self, gone: &[FieldPath], removals: &[FieldPath]) -> Removed {
        let mut config = self.config.clone();
        for path in removals {
            take(&mut config, path);
        }
        let mut objects: Vec<FieldPath> = Vec::new();
        for path in gone {
            let mut above = path.parent();
            while let Some(at) = above {
                if !self.goes(&config, &at) {
                    break;
                }
                if take(&mut config, &at) {
                    objects.retain(|object| !object.starts_with(&at));
                    objects.push(at.clone());
                }
                above = at.parent();
            }
        }
        let is_inside = |path: &FieldPath| objects.iter().any(|object| path.starts_with(object));
        let leaves = removals.iter().filter(|path| !is_inside(path)).cloned();
        let all: Vec<FieldPath> = leaves.chain(objects.iter().cloned()).collect();
        // Asked last, for what an object requires goes with the object.
        let (required, paths): (Vec<_>, Vec<_>) = all.into_iter().partition(|path| self.shape.requires(&config, path));
        objects.retain(|object| !required.contains(object));
        Removed { paths, objects, required }
    }

    /// Whether an object goes: nothing of it is declared or kept, and it is empty, or not valid any more. One that is
    /// not there any more is no obstacle.
    fn goes(&self, config: &Value, at: &FieldPath) -> bool {
        let Some(inner) = at.within_config().filter(|inner| !inner.steps().is_empty()) else { return false };
        if inner.get(self.declared).is_some() || (self.keeps)(at) {
            return false;
        }
        match inner.get(config) {
            None => true,
            Some(value @ Value::Object(map)) => {
                let is_empty = map.iter().all(|(name, value)| {
                    self.shape.default_at(config, &at.child(name)).is_some_and(|default| default == *value)
                });
                is_empty || (!self.keeps_below(at, value) && self.is_broken(config, at))
            }
            Some(_) => false,
        }
    }

    fn keeps_below(&self, at: &FieldPath, value: &Value) -> bool {
        crate::model::value::leaves(value, at).iter().any(|(path, _)| (self.keeps)(path))
    }

    /// Whether an object has a fault that it did not have before.
    fn is_broken(&self, config: &Value, at: &FieldPath) -> bool {
        let before = self.shape.faults(self.config);
        self.shape.faults(config).iter().any(|fault| fault.path.starts_with(at) && !before.contains(fault))
    }

    /// What stood in an object that goes, but for the defaults in it: people shall see all of it.
    pub fn contents(&self, live: &Value, object: &FieldPath) -> Vec<(FieldPath, Value)> {
        let Some(found) = object.within_config().and_then(|inner| inner.get(live)) else { return Vec::new() };
        let all = crate::model::value::leaves(found, object);
        let is_default = |(path, value): &&(FieldPath, Value)| {
            !is_empty_object(value) && self.shape.default_at(live, path).is_some_and(|default| default == *value)
        };
        let telling: Vec<_> = all.iter().filter(|leaf| !is_default(leaf)).cloned().collect();
        if telling.is_empty() { all } else { telling }
    }
}

fn take(config: &mut Value, path: &FieldPath) -> bool {
    path.within_config().is_some_and(|inner| inner.remove(config).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::OnByDefault;
    use super::*;
    use serde_json::json;

    fn settle(config: &Value, declared: &Value, removals: &[&str]) -> Removed {
        let removals: Vec<FieldPath> = removals.iter().map(|path| FieldPath::parse(path).unwrap()).collect();
        let keeps = |path: &FieldPath| path.last() == Some("kept");
        Removal { shape: &OnByDefault, config, declared, keeps: &keeps }.settle(&removals, &removals)
    }

    fn shown(paths: &[FieldPath]) -> Vec<String> {
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_object_goes_with_its_last_leaf_and_takes_those_around_it_along() {
        let found = settle(&json!({"a": {"b": {"c": 1}}, "d": 1}), &json!({}), &["/config/a/b/c"]);
        assert_eq!(shown(&found.paths), ["/config/a"]);
        assert_eq!(shown(&found.objects), ["/config/a"]);
    }

    #[test]
    fn what_somebody_else_put_there_or_git_still_declares_or_an_entry_keeps_holds_the_object() {
        for (config, declared) in [
            (json!({"a": {"c": 1, "theirs": 2}}), json!({})),
            (json!({"a": {"c": 1}}), json!({"a": {}})),
            (json!({"a": {"c": 1, "kept": 2}}), json!({})),
        ] {
            let found = settle(&config, &declared, &["/config/a/c"]);
            assert_eq!(shown(&found.paths), ["/config/a/c"], "{config}");
            assert_eq!(found.objects, [], "{config}");
        }
    }

    #[test]
    fn defaults_that_the_service_filled_in_hold_nothing() {
        let found = settle(&json!({"a": {"c": 1, "on": true}}), &json!({}), &["/config/a/c"]);
        assert_eq!(shown(&found.paths), ["/config/a"]);
        let found = settle(&json!({"a": {"c": 1, "on": false}}), &json!({}), &["/config/a/c"]);
        assert_eq!(shown(&found.paths), ["/config/a/c"]);
    }

    #[test]
    fn what_is_required_is_asked_after_the_emptied_objects_are_gone() {
        let found = settle(&json!({"a": {"needed": 1}}), &json!({}), &["/config/a/needed"]);
        assert_eq!((shown(&found.paths), found.required), (vec!["/config/a".to_owned()], Vec::new()));
        let found = settle(&json!({"a": {"needed": 1}}), &json!({"a": {"x": 1}}), &["/config/a/needed"]);
        assert_eq!(shown(&found.required), ["/config/a/needed"]);
        let found = settle(&json!({"needed": {"x": 1}, "y": 1}), &json!({"y": 1}), &["/config/needed/x"]);
        assert_eq!(shown(&found.required), ["/config/needed"]);
    }
}
