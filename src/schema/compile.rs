//! Bytes from outside to a schema that can be asked. Compiled once, then shared.

use std::sync::Arc;

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::check::Leniency;
use super::error::SchemaError;
use super::graph::Graph;
use super::partial;
use super::validator::Patterns;
use super::words::{cut, place};
use crate::model::Digest;

/// The schema of a config is some hundred kilobytes; more than this is none.
pub const MAX_BYTES: usize = 4 << 20;

/// Keywords of which a schema has at least one, unless it is empty.
const KEYWORDS: [&str; 15] = [
    "$schema",
    "$ref",
    "$defs",
    "definitions",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
];

/// How much of a problem's text is shown; a message may quote a whole value of the schema.
const MAX_PROBLEM: usize = 240;

/// The schema of the config, as the service published it to this run.
#[derive(Debug)]
pub struct ConfigSchema {
    pub(super) graph: Graph,
    pub(super) patterns: Arc<Patterns>,
    /// For whole configs.
    pub(super) whole: Validator,
    /// For what a manifest declares of one.
    pub(super) declared: Validator,
    pub(super) leniency: Leniency,
    digest: Digest,
}

impl ConfigSchema {
    /// Reads and compiles a schema.
    pub fn compile(bytes: &[u8]) -> Result<Self, SchemaError> {
        let root = read(bytes)?;
        // References are judged first: what compiles the schema would only say that it cannot fetch them.
        let patterns = Patterns::of(&root)?;
        let graph = Graph::read(&root, &patterns)?;
        let whole = patterns.build(&root).map_err(|error| malformed(&error))?;
        let partial = partial::document(&root, &graph);
        let declared = patterns.build(&partial).map_err(|error| malformed(&error))?;
        Ok(Self { digest: Digest::of(&root), patterns, graph, whole, declared, leniency: Leniency::Strict })
    }

    /// The same schema, by which the faults of a whole config hold no value that is merely not listed.
    #[must_use]
    pub fn with_leniency(self, leniency: Leniency) -> Self {
        Self { leniency, ..self }
    }

    /// The digest of the schema as a value, so that layout and the order of keys do not count.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether a whole config has no fault. Cheaper than asking for the faults. What could not be checked is not valid.
    pub fn is_valid(&self, config: &Value) -> bool {
        self.patterns.pay_for_names(config) && self.whole.is_valid(config)
    }

    /// Why some values were not checked in this run; `None` where all were. No answer about a config counts then.
    pub fn unchecked(&self) -> Option<SchemaError> {
        self.patterns.is_spent().then_some(SchemaError::Unchecked)
    }
}

fn read(bytes: &[u8]) -> Result<Value, SchemaError> {
    if bytes.len() > MAX_BYTES {
        return Err(SchemaError::TooLarge { bytes: bytes.len(), limit: MAX_BYTES });
    }
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii();
    if text.is_empty() {
        return Err(SchemaError::Empty);
    }
    if text.starts_with(b"<") {
        return Err(SchemaError::Html);
    }
    let root: Value = serde_json::from_slice(text).map_err(|source| {
        // The parser's own bound, the only one of its errors that is not about syntax.
        if source.to_string().starts_with("recursion limit") {
            SchemaError::TooComplex { what: "it is nested more than 127 levels deep".to_owned() }
        } else {
            SchemaError::NotJson { source }
        }
    })?;
    let found = match &root {
        Value::Bool(_) => return Ok(root),
        Value::Object(map) if map.is_empty() || KEYWORDS.iter().any(|keyword| map.contains_key(*keyword)) => {
            return Ok(root);
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().take(3).map(|key| format!("`{}`", cut(key, 40))).collect();
            format!("an object with {}", keys.join(", "))
        }
        Value::Null => "null".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
    };
    Err(SchemaError::NotASchema { found })
}

fn malformed(error: &ValidationError<'_>) -> SchemaError {
    SchemaError::Malformed {
        pointer: place(error.instance_path().as_str()),
        problem: cut(&error.to_string(), MAX_PROBLEM),
    }
}
