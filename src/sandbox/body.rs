//! Reads request bodies as the service's models would: every fault at once, each with its place.

use serde_json::{Map, Value, json};

use super::answer::{Invalid, Refusal};
use crate::http::Request;

/// A request body, and what was found wrong with it so far.
pub(super) struct Body {
    fields: Map<String, Value>,
    faults: Vec<Invalid>,
}

impl Body {
    /// Reads the body; it must be an object.
    pub(super) fn read(request: &Request) -> Result<Self, Refusal> {
        match parse(request)? {
            Some(fields) => Ok(Self { fields, faults: Vec::new() }),
            None => Err(Invalid::at(["body"], "missing", "Field required").into()),
        }
    }

    /// Reads the body, where none counts as an empty object.
    pub(super) fn read_or_empty(request: &Request) -> Result<Self, Refusal> {
        Ok(Self { fields: parse(request)?.unwrap_or_default(), faults: Vec::new() })
    }

    /// Whether the field was sent, be it as null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The field as it was sent, null included.
    pub(super) fn raw(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The field, where null is the same as absent.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.fields.get(name).filter(|value| !value.is_null()).cloned()
    }

    /// A field that must be sent; null stands for it in what follows, which a fault keeps from being used.
    pub(super) fn required(&mut self, name: &str) -> Value {
        if !self.has(name) {
            self.missing(name);
        }
        self.fields.get(name).cloned().unwrap_or_default()
    }

    /// A text that must be sent.
    pub(super) fn required_text(&mut self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(_) => {
                self.wrong(name, "string_type", "Input should be a valid string");
                String::new()
            }
            None => {
                self.missing(name);
                String::new()
            }
        }
    }

    /// A text that may be absent or null.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(_) => {
                self.wrong(name, "string_type", "Input should be a valid string");
                None
            }
        }
    }

    /// A text of a closed set.
    pub(super) fn word<'a>(&mut self, name: &str, words: &[&'a str]) -> Option<&'a str> {
        let text = self.text(name)?;
        let word = words.iter().find(|word| **word == text).copied();
        if word.is_none() {
            let listed: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            self.wrong(name, "enum", &format!("Input should be {}", listed.join(" or ")));
        }
        word
    }

    /// A boolean that may be absent or null.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.fields.get(name) {
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::Null) | None => None,
            Some(_) => {
                self.wrong(name, "bool_type", "Input should be a valid boolean");
                None
            }
        }
    }

    /// A whole number, not negative, that may be absent or null.
    pub(super) fn integer(&mut self, name: &str) -> Option<u64> {
        match self.fields.get(name) {
            Some(Value::Null) | None => None,
            Some(value) => {
                let number = value.as_u64();
                if number.is_none() {
                    self.wrong(name, "int_type", "Input should be a valid integer");
                }
                number
            }
        }
    }

    /// A list of texts that may be absent or null.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let items = match self.fields.get(name) {
            Some(Value::Array(items)) => items.clone(),
            Some(Value::Null) | None => return None,
            Some(_) => {
                self.wrong(name, "list_type", "Input should be a valid list");
                return None;
            }
        };
        let mut texts = Vec::with_capacity(items.len());
        for (position, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => self.faults.push(
                    Invalid::at(
                        [json!("body"), json!(name), json!(position)],
                        "string_type",
                        "Input should be a valid string",
                    )
                    .with_input(other),
                ),
            }
        }
        Some(texts)
    }

    /// An object that may be absent or null.
    pub(super) fn object(&mut self, name: &str) -> Option<Value> {
        match self.fields.get(name) {
            Some(Value::Null) | None => None,
            Some(value @ Value::Object(_)) => Some(value.clone()),
            Some(_) => {
                self.wrong(name, "dict_type", "Input should be a valid dictionary");
                None
            }
        }
    }

    /// A fault at a field.
    pub(super) fn wrong(&mut self, name: &str, kind: &str, message: &str) {
        let input = self.fields.get(name).cloned().unwrap_or_default();
        self.faults.push(Invalid::at(["body", name], kind, message).with_input(input));
    }

    /// Refuses the body if anything was wrong with it.
    pub(super) fn finish(&mut self) -> Result<(), Refusal> {
        if self.faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(std::mem::take(&mut self.faults))) }
    }

    fn missing(&mut self, name: &str) {
        let input = Value::Object(self.fields.clone());
        self.faults.push(Invalid::at(["body", name], "missing", "Field required").with_input(input));
    }
}

/// The object in the body; `None` where there is no body, or a bare null.
fn parse(request: &Request) -> Result<Option<Map<String, Value>>, Refusal> {
    let Some(bytes) = request.body.as_deref().filter(|bytes| !bytes.is_empty()) else {
        return Ok(None);
    };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(Some(fields)),
        Ok(Value::Null) => Ok(None),
        Ok(other) => Err(Invalid::at(["body"], "model_attributes_type", "Input should be a valid dictionary")
            .with_input(other)
            .into()),
        Err(error) => Err(Invalid::at([json!("body"), json!(error.column())], "json_invalid", "JSON decode error")
            .with_context(json!({ "error": error.to_string() }))
            .into()),
    }
}
