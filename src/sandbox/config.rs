//! What the service does to a config on the way in and on the way out.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::http::Response;

use super::answer::invalid;
use super::behaviour::{Behaviour, Switch};

/// The schema that the service publishes, as bytes.
pub const SCHEMA: &[u8] = include_bytes!("agent-config.schema.json");

struct Compiled {
    schema: Value,
    validator: jsonschema::Validator,
}

fn compiled() -> &'static Compiled {
    static COMPILED: OnceLock<Compiled> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let schema: Value = serde_json::from_slice(SCHEMA).expect("internal error: the embedded schema is JSON");
        let validator =
            jsonschema::options().offline().build(&schema).expect("internal error: the embedded schema is a schema");
        Compiled { schema, validator }
    })
}

/// The schema as a value.
pub(super) fn schema() -> &'static Value {
    &compiled().schema
}

/// A config on its way in: checked, and changed as the switches say.
pub(super) fn take_in(config: &Value, behaviour: &Behaviour) -> Result<Value, Response> {
    let problems: Vec<Value> = compiled()
        .validator
        .iter_errors(config)
        .map(|error| {
            let mut loc = vec![json!("body"), json!("config")];
            let pointer = error.instance_path().to_string();
            loc.extend(pointer.split('/').skip(1).map(|step| json!(step.replace("~1", "/").replace("~0", "~"))));
            json!({"loc": loc, "msg": error.masked().to_string(), "type": "value_error"})
        })
        .collect();
    if !problems.is_empty() {
        return Err(invalid(&problems));
    }
    let mut config = config.clone();
    let unknown = behaviour.way(Switch::UnknownKeys);
    if unknown != "keep" {
        let mut found = Vec::new();
        drop_unknown(&mut config, &compiled().schema, &mut vec!["body".to_owned(), "config".to_owned()], &mut found);
        if unknown == "reject" && !found.is_empty() {
            let problems: Vec<Value> = found
                .iter()
                .map(|loc| json!({"loc": loc, "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}))
                .collect();
            return Err(invalid(&problems));
        }
    }
    if behaviour.is(Switch::VoiceRewrite, "yes") {
        rewrite_voices(&mut config);
    }
    if behaviour.is(Switch::StripText, "yes") {
        strip_texts(&mut config);
    }
    Ok(config)
}

/// A config on its way out.
pub(super) fn give_out(config: &Value, behaviour: &Behaviour) -> Value {
    let mut config = config.clone();
    if behaviour.is(Switch::Defaults, "fill") {
        fill(&mut config, &compiled().schema);
    }
    match behaviour.way(Switch::Secrets) {
        "mask" => mask(&mut config, false),
        "mask-tail" => mask(&mut config, true),
        _ => {}
    }
    config
}

/// `$ref`, a nullable `anyOf` and a discriminated `oneOf` followed to the schema that a value stands under.
fn settle<'s>(mut at: &'s Value, value: &Value) -> Option<&'s Value> {
    let root = &compiled().schema;
    for _ in 0..32 {
        if let Some(reference) = at.get("$ref").and_then(Value::as_str) {
            at = root.pointer(reference.strip_prefix('#')?)?;
        } else if let Some(branches) = at.get("anyOf").or_else(|| at.get("oneOf")).and_then(Value::as_array) {
            at = pick(at, branches, value)?;
        } else {
            return Some(at);
        }
    }
    None
}

fn pick<'s>(union: &'s Value, branches: &'s [Value], value: &Value) -> Option<&'s Value> {
    let root = &compiled().schema;
    if let Some(name) = union.pointer("/discriminator/propertyName").and_then(Value::as_str)
        && let Some(found) = value.get(name).and_then(Value::as_str)
        && let Some(target) = union.pointer("/discriminator/mapping").and_then(|mapping| mapping.get(found)?.as_str())
    {
        return root.pointer(target.strip_prefix('#')?);
    }
    let fits = |branch: &&Value| {
        let branch = branch
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
            .unwrap_or(branch);
        match branch.get("type").and_then(Value::as_str) {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("null") => value.is_null(),
            Some("boolean") => value.is_boolean(),
            Some("number" | "integer") => value.is_number(),
            Some(_) => false,
            None => branch.get("oneOf").is_some() && value.is_object(),
        }
    };
    let fitting: Vec<&Value> = branches.iter().filter(fits).collect();
    match fitting.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn fill(value: &mut Value, schema: &Value) {
    let Some(schema) = settle(schema, value) else { return };
    let properties = schema.get("properties").and_then(Value::as_object);
    match value {
        Value::Object(map) => {
            for (name, property) in properties.into_iter().flatten() {
                if !map.contains_key(name)
                    && let Some(default) = property.get("default")
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                let property = properties.and_then(|map| map.get(name)).or_else(|| schema.get("additionalProperties"));
                if let Some(property) = property {
                    fill(value, property);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.get("items") {
                list.iter_mut().for_each(|item| fill(item, items));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn drop_unknown(value: &mut Value, schema: &Value, loc: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let Some(schema) = settle(schema, value) else { return };
    let properties = schema.get("properties").and_then(Value::as_object);
    match value {
        Value::Object(map) => {
            let Some(properties) = properties else { return };
            let unknown: Vec<String> = map.keys().filter(|name| !properties.contains_key(*name)).cloned().collect();
            for name in unknown {
                loc.push(name.clone());
                found.push(loc.clone());
                loc.pop();
                map.shift_remove(&name);
            }
            for (name, value) in map.iter_mut() {
                if let Some(property) = properties.get(name) {
                    loc.push(name.clone());
                    drop_unknown(value, property, loc, found);
                    loc.pop();
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = schema.get("items") else { return };
            for (index, item) in list.iter_mut().enumerate() {
                loc.push(index.to_string());
                drop_unknown(item, items, loc, found);
                loc.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The one rewriting that is documented: `voice_id` becomes the first entry of `voice_ids` (contract, section 12.5).
fn rewrite_voices(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let first = map.get("voice_ids").and_then(Value::as_array).and_then(|ids| ids.first()).cloned();
            if let Some(first) = first
                && map.contains_key("voice_id")
            {
                map.insert("voice_id".to_owned(), first);
            }
            map.values_mut().for_each(rewrite_voices);
        }
        Value::Array(list) => list.iter_mut().for_each(rewrite_voices),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn strip_texts(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(strip_texts),
        Value::Array(list) => list.iter_mut().for_each(strip_texts),
        Value::String(text) => *text = text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mask(value: &mut Value, tail: bool) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    Value::String(text) if crate::model::shape::sounds_secret(name) => {
                        let kept: String = text.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
                        *text = if tail { format!("********{kept}") } else { "********".to_owned() };
                    }
                    _ => mask(value, tail),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| mask(value, tail)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Lays one object over another, key by key and deep: what a merging PUT does. Null takes nothing out.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (target, patch) => target.clone_from(patch),
    }
}

/// An object, or an empty one.
pub(super) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
