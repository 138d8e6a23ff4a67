//! What planning asks of the config's schema. The schema module answers; the plan knows only these questions.

use serde_json::Value;

use super::look::sounds_secret;
use super::path::FieldPath;

/// Something that the schema says is wrong with a whole config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeFault {
    /// Where, from the manifest's root (`/config/…`).
    pub path: FieldPath,
    /// What, without any value that could be a secret.
    pub message: String,
}

/// The questions. `config` is always a whole config, and paths count from the manifest's root, so they begin with
/// `/config`. Every answer is by the schema that the service published to this run (design, sections 4 and 5).
pub trait ConfigShape {
    /// The default that an absent property at `path` has, where its parent is present in `config`.
    ///
    /// One level at a time: never invented for an absent parent, and `None` where the parent is a union whose branch
    /// cannot be told.
    fn default_at(&self, config: &Value, path: &FieldPath) -> Option<Value>;

    /// Whether the schema itself marks the place as secret (`writeOnly`, `format: password`).
    fn marks_secret(&self, config: &Value, path: &FieldPath) -> bool;

    /// Whether the schema marks the place as secret, or its last name sounds so.
    fn is_secret(&self, config: &Value, path: &FieldPath) -> bool;

    /// Which branch of a union the object at `path` has picked: an id that is equal for equal branches.
    ///
    /// `None` where the place is no union, or where no branch can be told.
    fn branch(&self, config: &Value, path: &FieldPath) -> Option<String>;

    /// Whether the object that stands at `parent` in `config` may hold `value` under `name`: the branch names the
    /// property, and its schema accepts the value.
    fn accepts(&self, config: &Value, parent: &FieldPath, name: &str, value: &Value) -> bool;

    /// Whether the schema requires the property at `path`.
    fn requires(&self, config: &Value, path: &FieldPath) -> bool;

    /// Whether the place at `path` may hold null.
    fn allows_null(&self, config: &Value, path: &FieldPath) -> bool;

    /// Whether the schema lists the values that the place at `path` may hold.
    fn lists_values(&self, config: &Value, path: &FieldPath) -> bool;

    /// All faults of a whole config, sorted by path.
    fn faults(&self, config: &Value) -> Vec<ShapeFault>;

    /// The names of the properties of the object at `path` in the schema's order, for showing.
    fn property_order(&self, config: &Value, path: &FieldPath) -> Vec<String>;
}

/// A config without a schema: no defaults, no unions, nothing required. For tests, and for a service without a schema.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoShape;

impl ConfigShape for NoShape {
    fn default_at(&self, _config: &Value, _path: &FieldPath) -> Option<Value> {
        None
    }

    fn marks_secret(&self, _config: &Value, _path: &FieldPath) -> bool {
        false
    }

    fn is_secret(&self, config: &Value, path: &FieldPath) -> bool {
        path.last().is_some_and(sounds_secret)
            && path.within_config().is_some_and(|path| path.get(config).is_none_or(Value::is_string))
    }

    fn branch(&self, _config: &Value, _path: &FieldPath) -> Option<String> {
        None
    }

    fn accepts(&self, _config: &Value, _parent: &FieldPath, _name: &str, _value: &Value) -> bool {
        true
    }

    fn requires(&self, _config: &Value, _path: &FieldPath) -> bool {
        false
    }

    fn allows_null(&self, _config: &Value, _path: &FieldPath) -> bool {
        false
    }

    fn lists_values(&self, _config: &Value, _path: &FieldPath) -> bool {
        false
    }

    fn faults(&self, _config: &Value) -> Vec<ShapeFault> {
        Vec::new()
    }

    fn property_order(&self, _config: &Value, _path: &FieldPath) -> Vec<String> {
        Vec::new()
    }
}
