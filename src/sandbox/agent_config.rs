//! Agent configs: checked against the schema, stored as the service may store them, shown as it may show them.

use std::sync::{Arc, LazyLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::answer::Invalid;
use super::behaviour::Behaviour;
use super::schema_walk::{drop_unknown, fill_defaults};
use super::switches::{ConfigLists, Defaults, EmptyValues, Secrets, UnknownKeys};

/// The embedded schema: the shapes in `fixtures/agent-config-shapes.json`, with descriptions. A test keeps them equal.
const EMBEDDED: &str = include_str!("agent-config.schema.json");

/// Texts above this length (in characters) lose their trailing blanks where that is switched on.
const LONG_TEXT: usize = 200;

/// What stands in place of a secret.
const MASK: &str = "********";

/// How much of a secret's end is shown where that is switched on.
const TAIL: usize = 4;

/// A text at a key whose name holds one of these words is a secret.
const SECRET_WORDS: &[&str] =
    &["secret", "passw", "token", "credential", "api_key", "access_key", "account_key", "private_key", "authorization"];

/// The schema of agent configs, compiled.
#[derive(Clone, Debug)]
pub struct ConfigSchema {
    document: Arc<Value>,
    /// The document as it is served: no request shall write it anew.
    text: Arc<str>,
    validator: Arc<Validator>,
}

/// Why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the agent config schema cannot be compiled: {0}")]
pub struct ConfigSchemaError(String);

impl ConfigSchema {
    /// Compiles a schema.
    pub fn compile(document: Value) -> Result<Self, ConfigSchemaError> {
        let validator = jsonschema::options()
            .offline()
            .with_draft(jsonschema::Draft::Draft202012)
            .build(&document)
            .map_err(|error| ConfigSchemaError(error.to_string()))?;
        let text = document.to_string().into();
        Ok(Self { document: Arc::new(document), text, validator: Arc::new(validator) })
    }

    /// The schema that stands in the program, compiled once.
    pub fn embedded() -> Self {
        static SCHEMA: LazyLock<ConfigSchema> = LazyLock::new(|| {
            let document = serde_json::from_str(EMBEDDED).expect("internal error: the embedded schema is JSON");
            ConfigSchema::compile(document).expect("internal error: the embedded schema compiles")
        });
        SCHEMA.clone()
    }

    /// The schema as it is served, as text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The schema as it is served.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// What is stored of a config that was sent, or every fault in it.
    pub(super) fn accept(&self, mut config: Value, behaviour: &Behaviour) -> Result<Value, Vec<Invalid>> {
        let mut faults = Vec::new();
        for error in self.validator.iter_errors(&config) {
            explain(&error, &config, &mut faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        match behaviour.unknown_keys {
            UnknownKeys::Keep => {}
            UnknownKeys::Drop => drop(drop_unknown(&self.document, &self.document, &mut config)),
            UnknownKeys::Reject => {
                let unknown = drop_unknown(&self.document, &self.document, &mut config);
                if !unknown.is_empty() {
                    return Err(unknown.into_iter().map(forbidden).collect());
                }
            }
        }
        if behaviour.voice_rewrite {
            rewrite_voices(&mut config);
        }
        if behaviour.strip_text {
            strip_long_texts(&mut config);
        }
        if behaviour.defaults == Defaults::Fill {
            fill_defaults(&self.document, &self.document, &mut config);
        }
        if behaviour.config_lists == ConfigLists::Sorted {
            sort_lists(&mut config);
        }
        if behaviour.empty_values == EmptyValues::Drop {
            self.drop_empty(&mut config);
        }
        Ok(config)
    }

    /// Leaves out what is empty, innermost first, where the config holds without it.
    fn drop_empty(&self, config: &mut Value) {
        let mut places = Vec::new();
        empty_places(config, &mut String::new(), &mut places);
        for place in places {
            let Some((parent, name)) = place.rsplit_once('/') else { continue };
            let name = name.replace("~1", "/").replace("~0", "~");
            let before = config.clone();
            let Some(Value::Object(fields)) = config.pointer_mut(parent) else { continue };
            if fields.get(&name).is_some_and(is_empty) {
                fields.shift_remove(&name);
            }
            if !self.validator.is_valid(config) {
                *config = before;
            }
        }
    }
}

fn forbidden(place: Vec<Value>) -> Invalid {
    Invalid::at(in_config(place), "extra_forbidden", "Extra inputs are not permitted")
}

fn in_config(place: Vec<Value>) -> Vec<Value> {
    [json!("body"), json!("config")].into_iter().chain(place).collect()
}

/// Turns a schema error into the service's entries; of a union, only the branch that was meant is explained.
fn explain(error: &ValidationError<'_>, config: &Value, faults: &mut Vec<Invalid>) {
    let pointer = error.instance_path().to_string();
    let place = steps(config, &pointer);
    let input = config.pointer(&pointer).cloned().unwrap_or_default();
    let at = |place: Vec<Value>, kind: &str, message: String| {
        Invalid::at(in_config(place), kind, message).with_input(input.clone())
    };
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            match meant(context, &pointer) {
                Some(branch) => branch.iter().for_each(|error| explain(error, config, faults)),
                None => faults.push(at(place, "union_tag_invalid", "Input does not match any expected tag".to_owned())),
            }
        }
        ValidationErrorKind::Required { property } => {
            let place = place.into_iter().chain([property.clone()]).collect();
            faults.push(at(place, "missing", "Field required".to_owned()));
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                faults.push(forbidden(place.iter().cloned().chain([json!(name)]).collect()));
            }
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            faults.push(at(place, "literal_error", capitalized(&error.masked_with("Input").to_string())));
        }
        ValidationErrorKind::Type { .. } => {
            faults.push(at(place, "type_error", capitalized(&error.masked_with("Input").to_string())));
        }
        _ => faults.push(at(place, "value_error", capitalized(&error.masked_with("Input").to_string()))),
    }
}

/// The branch of a failed union that the value was meant for: one whose tag and type fit, with the fewest faults.
fn meant<'e>(context: &'e [Vec<ValidationError<'static>>], pointer: &str) -> Option<&'e Vec<ValidationError<'static>>> {
    let fits = |branch: &&Vec<ValidationError<'static>>| {
        branch.iter().all(|error| {
            let place = error.instance_path().to_string();
            let depth = place.strip_prefix(pointer).map_or(0, |rest| rest.matches('/').count());
            match error.kind() {
                ValidationErrorKind::Constant { .. } => depth != 1,
                ValidationErrorKind::Type { .. } => depth != 0,
                _ => true,
            }
        })
    };
    context.iter().filter(fits).min_by_key(|branch| branch.len())
}

/// A JSON pointer as `loc` writes it: names as texts, positions in lists as numbers.
fn steps(config: &Value, pointer: &str) -> Vec<Value> {
    let mut here = Some(config);
    let mut steps = Vec::new();
    for step in pointer.split('/').skip(1) {
        let name = step.replace("~1", "/").replace("~0", "~");
        let position = here.filter(|value| value.is_array()).and_then(|_| name.parse::<usize>().ok());
        here = match position {
            Some(position) => here.and_then(|value| value.get(position)),
            None => here.and_then(|value| value.get(&name)),
        };
        steps.push(position.map_or_else(|| json!(name), |position| json!(position)));
    }
    steps
}

fn capitalized(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Known of the service: where `voice_ids` stands, its first entry becomes `voice_id`.
fn rewrite_voices(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let first = fields.get("voice_ids").and_then(|ids| ids.get(0)).filter(|id| id.is_string()).cloned();
            if let (Some(first), Some(voice)) = (first, fields.get_mut("voice_id")) {
                *voice = first;
            }
            fields.values_mut().for_each(rewrite_voices);
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_voices),
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The pointers of all fields of objects, those within before those around.
fn empty_places(value: &Value, at: &mut String, places: &mut Vec<String>) {
    let mut below = |step: &str, item: &Value, is_field: bool| {
        let length = at.len();
        at.push('/');
        at.push_str(&step.replace('~', "~0").replace('/', "~1"));
        empty_places(item, at, places);
        if is_field && (is_empty(item) || item.is_object()) {
            places.push(at.clone());
        }
        at.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, item)| below(name, item, true)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| below(&n.to_string(), item, false)),
        _ => {}
    }
}

fn sort_lists(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(sort_lists),
        Value::Array(items) => {
            items.iter_mut().for_each(sort_lists);
            items.sort_by_key(Value::to_string);
        }
        _ => {}
    }
}

fn strip_long_texts(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().count() > LONG_TEXT => text.truncate(text.trim_end().len()),
        Value::Object(fields) => fields.values_mut().for_each(strip_long_texts),
        Value::Array(items) => items.iter_mut().for_each(strip_long_texts),
        _ => {}
    }
}

/// Hides the secrets of a value.
pub(super) fn mask(value: &mut Value, secrets: Secrets) {
    if secrets == Secrets::Echo {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::String(text) if is_secret(name) => *text = masked(text, secrets),
                    other => mask(other, secrets),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn masked(text: &str, secrets: Secrets) -> String {
    match secrets {
        Secrets::MaskTail => {
            let length = text.chars().count();
            let tail: String = text.chars().skip(length.saturating_sub(TAIL)).collect();
            format!("{MASK}{tail}")
        }
        Secrets::Echo | Secrets::Mask => MASK.to_owned(),
    }
}

/// Lays one value over another, object by object; a null is a value like any other.
pub(super) fn lay_over(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(field) => lay_over(field, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// Lays a merge patch (RFC 7396) over a value.
pub(super) fn merge_patch(base: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *base = patch;
        return;
    };
    if !base.is_object() {
        *base = json!({});
    }
    let Value::Object(fields) = base else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.shift_remove(&key);
        } else {
            merge_patch(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> ConfigSchema {
        ConfigSchema::compile(json!({
            "type": "object",
            "required": ["agent"],
            "properties": {"agent": {
                "oneOf": [{"$ref": "#/$defs/Prompt"}, {"$ref": "#/$defs/Flow"}],
                "discriminator": {"propertyName": "type", "mapping": {"prompt": "#/$defs/Prompt", "flow": "#/$defs/Flow"}}
            }},
            "$defs": {
                "Prompt": {"type": "object", "required": ["type", "text"], "properties": {
                    "type": {"const": "prompt"}, "text": {"type": "string"}, "steps": {"type": "integer", "default": 3}
                }},
                "Flow": {"type": "object", "required": ["type", "flow"], "properties": {
                    "type": {"const": "flow"}, "flow": {"type": "string"}
                }}
            }
        }))
        .unwrap()
    }

    fn faults(config: Value) -> Vec<(String, String)> {
        let faults = small().accept(config, &Behaviour::default()).unwrap_err();
        faults.into_iter().map(|fault| (Value::from(fault.location).to_string(), fault.kind)).collect()
    }

    #[test]
    fn a_fault_in_a_union_is_explained_for_the_branch_that_was_meant() {
        assert_eq!(
            faults(json!({"agent": {"type": "prompt", "text": 1}})),
            [(r#"["body","config","agent","text"]"#.to_owned(), "type_error".to_owned())]
        );
        assert_eq!(
            faults(json!({"agent": {"type": "other"}})),
            [(r#"["body","config","agent"]"#.to_owned(), "union_tag_invalid".to_owned())]
        );
        assert_eq!(faults(json!({})), [(r#"["body","config","agent"]"#.to_owned(), "missing".to_owned())]);
    }

    #[test]
    fn unknown_keys_are_kept_dropped_or_refused() {
        let config = json!({"agent": {"type": "prompt", "text": "a", "mood": "calm"}});
        let accept = |spec| small().accept(config.clone(), &Behaviour::parse([spec]).unwrap());
        assert_eq!(accept("unknown-keys=keep").unwrap(), config);
        assert_eq!(accept("unknown-keys=drop").unwrap(), json!({"agent": {"type": "prompt", "text": "a"}}));
        assert_eq!(accept("unknown-keys=reject").unwrap_err()[0].kind, "extra_forbidden");
    }

    #[test]
    fn defaults_are_filled_only_where_that_is_switched_on() {
        let config = json!({"agent": {"type": "prompt", "text": "a"}});
        assert_eq!(small().accept(config.clone(), &Behaviour::default()).unwrap(), config);
        let filled = small().accept(config, &Behaviour::parse(["defaults=fill"]).unwrap()).unwrap();
        assert_eq!(filled["agent"]["steps"], 3);
    }

    #[test]
    fn long_texts_lose_trailing_blanks_and_short_ones_do_not() {
        let mut value = json!({"long": format!("{}  \n", "x".repeat(201)), "short": "y \n"});
        strip_long_texts(&mut value);
        assert_eq!(value, json!({"long": "x".repeat(201), "short": "y \n"}));
    }

    #[test]
    fn the_first_of_the_voices_becomes_the_voice() {
        let mut value = json!({"models": [
            {"model": {"name": "eleven_v3", "parameters": {"voice_id": "a", "voice_ids": ["b", "a"]}}},
            {"model": {"parameters": {"voice_id": "c", "voice_ids": []}}},
            {"model": {"parameters": {"voice_id": "d", "voice_ids": null}}}
        ]});
        rewrite_voices(&mut value);
        assert_eq!(value["models"][0]["model"]["parameters"]["voice_id"], "b");
        assert_eq!(value["models"][1]["model"]["parameters"]["voice_id"], "c");
        assert_eq!(value["models"][2]["model"]["parameters"]["voice_id"], "d");
    }

    #[test]
    fn texts_under_secret_names_are_masked_and_nothing_else() {
        let config =
            json!({"api_key": "sk-1234", "max_tokens": 5, "list": [{"credentials": "abcdef"}], "text": "token"});
        let shown = |secrets| {
            let mut config = config.clone();
            mask(&mut config, secrets);
            config
        };
        assert_eq!(shown(Secrets::Echo), config);
        assert_eq!(
            shown(Secrets::Mask),
            json!({"api_key": "********", "max_tokens": 5, "list": [{"credentials": "********"}], "text": "token"})
        );
        assert_eq!(shown(Secrets::MaskTail)["api_key"], "********1234");
        assert_eq!(shown(Secrets::MaskTail)["list"][0]["credentials"], "********cdef");
    }

    #[test]
    fn laying_over_keeps_nulls_and_a_merge_patch_takes_them_as_removals() {
        let (mut laid, mut patched) = (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1, "c": 2}}));
        lay_over(&mut laid, json!({"a": {"b": null, "d": 3}}));
        merge_patch(&mut patched, json!({"a": {"b": null, "d": 3}}));
        assert_eq!(laid, json!({"a": {"b": null, "c": 2, "d": 3}}));
        assert_eq!(patched, json!({"a": {"c": 2, "d": 3}}));
    }
}
