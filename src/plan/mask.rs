//! Masking, on the value tree and before anything is rendered. The masks that the service itself puts on are in `masked`.
//!
//! What is a secret is decided here and nowhere else: by where a `!secret` stands in the manifest, by the schema's marks,
//! by what the stamp remembers of secrets that were sent, by the name, and by the look of a text (design, section 10).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::look::{LOOKS_SECRET, hide_keys, is_prose_under, sounds_secret};
use crate::model::{ConfigShape, Declared, FieldPath, Seal};

use super::change::{Kind, Shown};

/// What stands for a secret inside a list or an object.
pub const SECRET_TEXT: &str = "(secret)";

/// Members whose text names what stands beside them under `value`: `{name: CRM_API_KEY, value: …}`.
const NAMING: [&str; 6] = ["name", "key", "header", "id", "variable", "field"];

/// Longest text that may have been a secret where the stamp does not list its secrets. Longer keys have a look of their
/// own, and a prompt is longer.
const LONGEST_SECRET: usize = 400;

/// Knows which values may be shown.
#[derive(Clone, Copy)]
pub struct Mask<'a> {
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// The declaration.
    pub declared: Option<&'a Declared>,
    /// A whole config in which paths are looked up.
    pub config: &'a Value,
    /// What the agent's stamp knows of secrets that were sent.
    pub seal: Option<Seal<'a>>,
    /// Names of properties that the project says hold no secrets, whatever they sound like.
    pub not_secret: &'a BTreeSet<String>,
}

/// How much of a text may be shown.
enum Cover<'v> {
    Open,
    Secret,
    /// Nothing of it, for it looks like a key.
    ByLook,
    /// The text with the parts hidden that look like keys, or its length alone.
    Partly(Cow<'v, str>),
}

/// What stands for a text that may not be shown as it is.
type Replace<'r> = dyn Fn(&str, Cover<'_>) -> String + 'r;

impl Mask<'_> {
    /// Whether the value at `path`, or a part of it, may not be shown.
    pub fn is_secret(&self, path: &FieldPath, value: &Value) -> bool {
        !matches!(self.cover(path, value, self.parent(path)), Cover::Open)
    }

    fn cover<'v>(&self, path: &FieldPath, value: &'v Value, parent: Option<&Map<String, Value>>) -> Cover<'v> {
        if self.declared.is_some_and(|declared| declared.secrets().contains_key(path)) {
            return Cover::Secret;
        }
        let Some(text) = value.as_str() else { return Cover::Open };
        // The schema judges what stands in this config. The value may be the other side's, and text only there.
        if self.seal.is_some_and(|seal| seal.is_secret(text))
            || (path.in_config() && self.shape.marks_secret(self.config, path))
        {
            return Cover::Secret;
        }
        let name = name_of(path);
        if !self.not_secret.contains(name) {
            let sounds = sounds_secret(name) || (path.in_config() && self.shape.is_secret(self.config, path));
            if (sounds && !is_prose_under(name, text)) || (name == "value" && self.is_named_secret(parent)) {
                return Cover::Secret;
            }
            match hide_keys(text) {
                Cow::Owned(hidden) if hidden.trim() == LOOKS_SECRET => return Cover::ByLook,
                Cow::Owned(hidden) => return Cover::Partly(Cow::Owned(hidden)),
                Cow::Borrowed(_) => {}
            }
        }
        if self.may_have_been_secret(path, text) {
            let length = text.chars().count();
            return Cover::Partly(Cow::Owned(format!("(text of {length} characters)")));
        }
        Cover::Open
    }

    /// Whether an object names a secret whose value stands under `value`.
    pub(super) fn is_named_secret(&self, parent: Option<&Map<String, Value>>) -> bool {
        parent.is_some_and(|parent| {
            let names = NAMING.iter().filter_map(|member| parent.get(*member)?.as_str());
            names.into_iter().any(|name| sounds_secret(name) && !self.not_secret.contains(name))
        })
    }

    /// Whether a text that is not the declared one may be a secret that an earlier program sent: its stamp does not say.
    fn may_have_been_secret(&self, path: &FieldPath, text: &str) -> bool {
        let unknown = self.seal.is_some_and(|seal| !seal.knows_its_secrets());
        let is_declared = || {
            let declared = self.declared.and_then(|declared| path.get(declared.tree()));
            declared.is_some_and(|declared| declared.as_str() == Some(text))
        };
        unknown
            && !text.is_empty()
            && text.chars().nth(LONGEST_SECRET).is_none()
            && *path != FieldPath::of(["name"])
            && !is_declared()
    }

    /// The object that the value at `path` stands in.
    pub(super) fn parent(&self, path: &FieldPath) -> Option<&Map<String, Value>> {
        path.within_config()?.parent()?.get(self.config)?.as_object()
    }

    /// The value as anyone may see it.
    pub fn shown(&self, path: &FieldPath, value: Option<&Value>) -> Shown {
        let Some(value) = value else { return Shown::Absent };
        match self.cover(path, value, self.parent(path)) {
            Cover::Secret => Shown::Secret,
            Cover::ByLook => Shown::SecretByLook,
            Cover::Partly(text) => Shown::Value(Value::String(text.into_owned())),
            Cover::Open => Shown::Value(self.below(path, value, &|_, cover| match cover {
                Cover::Open | Cover::Secret => SECRET_TEXT.to_owned(),
                Cover::ByLook => LOOKS_SECRET.to_owned(),
                Cover::Partly(text) => text.into_owned(),
            })),
        }
    }

    /// The value as it goes into a digest that anyone may see: what may not be shown stands there by its salted hash, or
    /// without a stamp to salt it by no more than its place. A bare digest of a PIN is undone by trying all.
    pub fn hashable(&self, path: &FieldPath, value: &Value) -> Value {
        self.covered(path, value, self.parent(path), &|text, _| {
            self.seal.map_or_else(|| SECRET_TEXT.to_owned(), |seal| seal.hash_secret(text).as_str().to_owned())
        })
    }

    /// The value with every text in it replaced that may not be shown as it is.
    fn covered(&self, path: &FieldPath, value: &Value, parent: Option<&Map<String, Value>>, by: &Replace<'_>) -> Value {
        match self.cover(path, value, parent) {
            Cover::Open => self.below(path, value, by),
            cover => Value::String(by(value.as_str().unwrap_or_default(), cover)),
        }
    }

    fn below(&self, path: &FieldPath, value: &Value, by: &Replace<'_>) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, item)| (key.clone(), self.covered(&path.child(key), item, Some(map), by)))
                .collect(),
            Value::Array(list) => {
                let items = list.iter().enumerate();
                items.map(|(index, item)| self.covered(&path.index(index), item, None, by)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    /// The kind of a change, by the shape of its values.
    pub fn kind(&self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>) -> Kind {
        let value = after.or(before);
        let hides_all = |value| matches!(self.cover(path, value, self.parent(path)), Cover::Secret | Cover::ByLook);
        match value {
            Some(value) if hides_all(value) => Kind::Secret,
            Some(Value::String(_)) => Kind::Text,
            Some(Value::Number(_)) => Kind::Number,
            Some(Value::Bool(_)) => Kind::Bool,
            Some(Value::Array(_)) => Kind::List,
            Some(Value::Object(_)) => Kind::Object,
            Some(Value::Null) | None => match before {
                Some(before) if after.is_some() => self.kind(path, Some(before), None),
                _ => Kind::Other,
            },
        }
    }
}

/// The name of the property at a path; an element of a list has that of the list.
pub(super) fn name_of(path: &FieldPath) -> &str {
    let is_index = |step: &&String| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    path.steps().iter().rev().find(|step| !is_index(step)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shape::NoShape;
    use serde_json::json;

    #[test]
    fn a_secret_inside_a_list_is_masked_and_its_neighbours_are_not() {
        let config = json!({"list": [{"bucket": "b", "access_key": "AKIA-1234"}], "max_tokens": 5});
        let mask = Mask { shape: &NoShape, declared: None, config: &config, seal: None, not_secret: &BTreeSet::new() };
        let path = FieldPath::parse("/config/list").unwrap();
        assert_eq!(
            mask.shown(&path, config.get("list")),
            Shown::Value(json!([{"bucket": "b", "access_key": "(secret)"}]))
        );
        let tokens = FieldPath::parse("/config/max_tokens").unwrap();
        assert_eq!(mask.shown(&tokens, config.get("max_tokens")), Shown::Value(json!(5)));
    }
}
