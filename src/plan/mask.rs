//! Masking, on the value tree and before anything is rendered; and the masks that the service itself may put on.

use serde_json::Value;

use crate::model::{ConfigShape, Declared, FieldPath};

use super::change::{Kind, Shown};

/// What stands for a secret inside a list or an object.
pub const SECRET_TEXT: &str = "(secret)";

/// Knows which paths are secret: by the schema, by name, and because a `!secret` stands there.
#[derive(Clone, Copy)]
pub struct Mask<'a> {
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// The declaration.
    pub declared: Option<&'a Declared>,
    /// A whole config in which paths are looked up.
    pub config: &'a Value,
}

impl Mask<'_> {
    /// Whether the value at `path` may not be shown.
    pub fn is_secret(&self, path: &FieldPath, value: &Value) -> bool {
        if self.declared.is_some_and(|declared| declared.secrets().contains_key(path)) {
            return true;
        }
        if !value.is_string() {
            return false;
        }
        if path.in_config() {
            // The schema judges what stands in this config. The value may be the other side's, and text only there.
            return self.shape.is_secret(self.config, path) || sounds_secret(path);
        }
        sounds_secret(path)
    }

    /// The value as anyone may see it.
    pub fn shown(&self, path: &FieldPath, value: Option<&Value>) -> Shown {
        let Some(value) = value else { return Shown::Absent };
        if self.is_secret(path, value) {
            return Shown::Secret;
        }
        Shown::Value(self.masked(path, value))
    }

    fn masked(&self, path: &FieldPath, value: &Value) -> Value {
        match value {
            Value::Object(map) => Value::Object(
                map.iter().map(|(key, value)| (key.clone(), self.masked_child(&path.child(key), value))).collect(),
            ),
            Value::Array(list) => Value::Array(
                list.iter().enumerate().map(|(index, value)| self.masked_child(&path.index(index), value)).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    fn masked_child(&self, path: &FieldPath, value: &Value) -> Value {
        if self.is_secret(path, value) { Value::String(SECRET_TEXT.to_owned()) } else { self.masked(path, value) }
    }

    /// The kind of a change, by the shape of its values.
    pub fn kind(&self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>) -> Kind {
        let value = after.or(before);
        match value {
            Some(value) if self.is_secret(path, value) => Kind::Secret,
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

    /// All texts of the config at secret paths.
    pub fn secret_texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.find_secret_texts(&FieldPath::config(), self.config, &mut found);
        found
    }

    fn find_secret_texts<'v>(&self, path: &FieldPath, value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| self.find_secret_texts(&path.child(key), value, found));
            }
            Value::Array(list) => {
                let items = list.iter().enumerate();
                items.for_each(|(index, value)| self.find_secret_texts(&path.index(index), value, found));
            }
            Value::String(text) => found.extend(self.is_secret(path, value).then_some(text.as_str())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Texts of the config at secret paths that the service has masked, and that PUT would therefore destroy: every
    /// one that the declaration does not name itself (design, section 5).
    pub fn masked_by_service(&self, declared_paths: &dyn Fn(&FieldPath) -> bool) -> Vec<FieldPath> {
        let mut found = Vec::new();
        self.find_masked(&FieldPath::config(), self.config, declared_paths, &mut found);
        found
    }

    fn find_masked(
        &self,
        path: &FieldPath,
        value: &Value,
        declared_paths: &dyn Fn(&FieldPath) -> bool,
        found: &mut Vec<FieldPath>,
    ) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.find_masked(&path.child(key), value, declared_paths, found);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.find_masked(&path.index(index), value, declared_paths, found);
                }
            }
            Value::String(text) => {
                if looks_masked(text) && self.is_secret(path, value) && !declared_paths(path) {
                    found.push(path.clone());
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn sounds_secret(path: &FieldPath) -> bool {
    path.last().is_some_and(crate::model::shape::sounds_secret)
}

/// Fewest mask characters in a row that make a mask; fewer is a text that happens to hold an asterisk.
const MASK_RUN: usize = 3;

/// How many characters of the secret a mask may leave in clear at its end.
const MASK_TAIL: usize = 4;

/// Whether a text is one repeated mask character, or such a run and four characters (design, section 5).
pub fn looks_masked(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    if !matches!(first, '*' | '•' | '●' | 'x' | 'X' | '#' | '·' | '.' | '-' | '_') {
        return false;
    }
    let run = 1 + chars.take_while(|c| *c == first).count();
    let rest = text.chars().count() - run;
    run >= MASK_RUN && (rest == 0 || rest == MASK_TAIL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shape::NoShape;
    use serde_json::json;

    #[test]
    fn a_mask_is_a_run_or_a_run_and_four() {
        for masked in ["***", "********", "••••abcd", "xxxx"] {
            assert!(looks_masked(masked), "{masked}");
        }
        for clear in ["", "**", "sk-live-1234", "***abc", "*a*"] {
            assert!(!looks_masked(clear), "{clear}");
        }
    }

    #[test]
    fn a_secret_inside_a_list_is_masked_and_its_neighbours_are_not() {
        let config = json!({"list": [{"bucket": "b", "access_key": "AKIA-1234"}], "max_tokens": 5});
        let mask = Mask { shape: &NoShape, declared: None, config: &config };
        let path = FieldPath::parse("/config/list").unwrap();
        assert_eq!(
            mask.shown(&path, config.get("list")),
            Shown::Value(json!([{"bucket": "b", "access_key": "(secret)"}]))
        );
        let tokens = FieldPath::parse("/config/max_tokens").unwrap();
        assert_eq!(mask.shown(&tokens, config.get("max_tokens")), Shown::Value(json!(5)));
    }
}
