//! What one manifest declares, as one document in the manifest's own shape, with its secrets kept apart by path.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::path::FieldPath;
use super::secret::SecretText;
use super::value;

/// The declared values of an agent: an object with any of `name`, `description`, `active`, `metadata` and `config`.
///
/// The tree holds secrets by name only, so whatever is rendered, hashed for a plan or stored from it cannot hold one.
/// The values stand beside it and come out through [`Declared::reveal`] alone.
/// Cheap to clone: all that comes of a manifest shares it.
#[derive(Clone, Debug)]
pub struct Declared {
    tree: Arc<Value>,
    secrets: Arc<BTreeMap<FieldPath, SecretText>>,
}

impl Declared {
    /// Takes a tree and the secret texts of its paths, and writes the names of the secrets into the tree.
    pub fn new(mut tree: Value, secrets: BTreeMap<FieldPath, SecretText>) -> Self {
        for (path, text) in &secrets {
            path.set(&mut tree, Value::String(text.named()));
        }
        Self { tree: Arc::new(tree), secrets: Arc::new(secrets) }
    }

    /// The whole declaration, secrets by name.
    pub fn tree(&self) -> &Value {
        &self.tree
    }

    /// The declared config, secrets by name.
    pub fn config(&self) -> Option<&Value> {
        self.tree.get("config")
    }

    /// The secret texts by path.
    pub fn secrets(&self) -> &BTreeMap<FieldPath, SecretText> {
        &self.secrets
    }

    /// Every declared leaf with its value, secrets by name.
    pub fn leaves(&self) -> Vec<(FieldPath, Value)> {
        let Value::Object(map) = self.tree.as_ref() else { return Vec::new() };
        map.iter().flat_map(|(key, value)| value::leaves(value, &FieldPath::of([key.clone()]))).collect()
    }

    /// Whether a secret stands at `path` or below it.
    pub fn holds_secret(&self, path: &FieldPath) -> bool {
        self.secrets.keys().any(|at| at.starts_with(path))
    }

    /// Every text that is a secret here, in clear, as far as this run has the values.
    pub fn secrets_in_clear(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.secrets.values().flat_map(SecretText::in_clear).collect();
        texts.sort();
        texts.dedup();
        texts
    }

    /// The names of all secrets that this run has no value of.
    pub fn missing_secrets(&self) -> Vec<String> {
        let mut names: Vec<String> = self.secrets.values().flat_map(|text| text.missing().map(str::to_owned)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The value at `path` as it is sent, secrets in clear. `Err(())` means that a secret in it has no value here.
    #[expect(clippy::result_unit_err, reason = "the only failure is a missing secret, which `missing_secrets` names")]
    pub fn reveal(&self, path: &FieldPath) -> Result<Option<Value>, ()> {
        let Some(found) = path.get(&self.tree) else { return Ok(None) };
        let mut value = found.clone();
        for (at, text) in self.secrets.iter().filter(|(at, _)| at.starts_with(path)) {
            let below = FieldPath::of(at.steps().iter().skip(path.steps().len()).cloned());
            below.set(&mut value, Value::String(text.reveal().ok_or(())?));
        }
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::super::secret::SecretPart;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_never_holds_the_value_of_a_secret() {
        let path = FieldPath::parse("/config/list/0/key").unwrap();
        let text = SecretText(vec![SecretPart::Secret { name: "S3".into(), value: Some("hunter2-hunter2".into()) }]);
        let declared =
            Declared::new(json!({"name": "A", "config": {"list": [{"key": null}]}}), BTreeMap::from([(path, text)]));
        assert!(!format!("{declared:?}").contains("hunter2"));
        assert!(!declared.tree().to_string().contains("hunter2"));
        let list = FieldPath::parse("/config/list").unwrap();
        assert_eq!(declared.reveal(&list), Ok(Some(json!([{"key": "hunter2-hunter2"}]))));
        assert!(declared.holds_secret(&list));
    }
}
