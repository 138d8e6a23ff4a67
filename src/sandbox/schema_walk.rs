//! Walks a value along its schema, as the service's models do when they store a config.

use serde_json::{Map, Value};

/// How many `$ref`s may follow each other before the schema counts as endless.
const REFERENCE_DEPTH: usize = 32;

/// The schema that a chain of `$ref`s leads to; nothing where it leads nowhere.
fn resolve<'s>(document: &'s Value, mut node: &'s Value) -> Option<&'s Value> {
    for _ in 0..REFERENCE_DEPTH {
        let next = match (node.get("$ref").and_then(Value::as_str), node.get("allOf").and_then(Value::as_array)) {
            (Some(reference), _) => document.pointer(reference.strip_prefix('#')?)?,
            (None, Some(parts)) if parts.len() == 1 && node.get("properties").is_none() => &parts[0],
            _ => return Some(node),
        };
        node = next;
    }
    None
}

/// The branch of a union that a value takes, through nested unions; the schema itself where it is none.
fn branch<'s>(document: &'s Value, node: &'s Value, value: &Value) -> Option<&'s Value> {
    let node = resolve(document, node)?;
    let Some(branches) = ["oneOf", "anyOf"].iter().find_map(|key| node.get(*key)).and_then(Value::as_array) else {
        return Some(node);
    };
    let resolved: Vec<&Value> = branches.iter().filter_map(|branch| resolve(document, branch)).collect();
    let tag = node.pointer("/discriminator/propertyName").and_then(Value::as_str);
    if let Some(wanted) = tag.and_then(|tag| value.get(tag)).and_then(Value::as_str) {
        let mapped = node.pointer("/discriminator/mapping").and_then(|mapping| mapping.get(wanted)?.as_str());
        if let Some(target) = mapped.and_then(|reference| document.pointer(reference.strip_prefix('#')?)) {
            return branch(document, target, value);
        }
    }
    let fitting: Vec<&Value> = resolved.into_iter().filter(|branch| may_hold(branch, value)).collect();
    let chosen = match fitting.as_slice() {
        [] => return None,
        [only] => only,
        several => several.iter().find(|branch| agrees_on_constants(branch, value))?,
    };
    branch(document, chosen, value)
}

/// Whether a value is of a schema's JSON type; a union may hold anything, its branches decide.
fn may_hold(node: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => false,
    };
    match node.get("type") {
        Some(Value::String(name)) => is(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// Whether no property that a schema fixes to one value holds another.
fn agrees_on_constants(node: &Value, value: &Value) -> bool {
    let Some(properties) = node.get("properties").and_then(Value::as_object) else { return true };
    properties.iter().all(|(name, property)| match (property.get("const"), value.get(name)) {
        (Some(fixed), Some(found)) => fixed == found,
        _ => true,
    })
}

/// Stores the default of every absent property that has one, also inside what was just filled in.
pub(super) fn fill_defaults(document: &Value, node: &Value, value: &mut Value) {
    let Some(node) = branch(document, node, value) else { return };
    match value {
        Value::Object(fields) => {
            for (name, property) in properties(node) {
                if !fields.contains_key(name)
                    && let Some(default) = property.get("default")
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, field) in fields.iter_mut() {
                if let Some(schema) = property_schema(node, name) {
                    fill_defaults(document, schema, field);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = node.get("items") {
                for item in items {
                    fill_defaults(document, schema, item);
                }
            }
        }
        _ => {}
    }
}

/// Takes out every key that no schema names, and says where they stood.
pub(super) fn drop_unknown(document: &Value, node: &Value, value: &mut Value) -> Vec<Vec<Value>> {
    let mut dropped = Vec::new();
    drop_unknown_at(document, node, value, &mut Vec::new(), &mut dropped);
    dropped
}

fn drop_unknown_at(
    document: &Value,
    node: &Value,
    value: &mut Value,
    place: &mut Vec<Value>,
    dropped: &mut Vec<Vec<Value>>,
) {
    let Some(node) = branch(document, node, value) else { return };
    match value {
        Value::Object(fields) => {
            // An object of which nothing is named is open, and so is a map. `additionalProperties: true` names nothing:
            // the published schema says it of nearly every object.
            let names_its_own =
                node.get("properties").and_then(Value::as_object).is_some_and(|named| !named.is_empty())
                    && !node.get("additionalProperties").is_some_and(Value::is_object);
            if names_its_own {
                let unknown: Vec<String> =
                    fields.keys().filter(|name| property_schema(node, name).is_none()).cloned().collect();
                for name in unknown {
                    fields.shift_remove(&name);
                    dropped.push(place.iter().cloned().chain([Value::String(name)]).collect());
                }
            }
            for (name, field) in fields.iter_mut() {
                if let Some(schema) = property_schema(node, name) {
                    place.push(Value::String(name.clone()));
                    drop_unknown_at(document, schema, field, place, dropped);
                    place.pop();
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = node.get("items") {
                for (position, item) in items.iter_mut().enumerate() {
                    place.push(Value::from(position));
                    drop_unknown_at(document, schema, item, place, dropped);
                    place.pop();
                }
            }
        }
        _ => {}
    }
}

fn properties(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn property_schema<'s>(node: &'s Value, name: &str) -> Option<&'s Value> {
    node.get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| node.get("additionalProperties").filter(|schema| schema.is_object()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "additionalProperties": true,
            "properties": {
                "steps": {"type": "integer", "default": 3},
                "map": {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}},
                "free": {"type": "object", "default": {"a": 1}},
                "nested": {"anyOf": [{"$ref": "#/$defs/Nested"}, {"type": "null"}], "default": null},
                "actions": {"type": "array", "items": {
                    "oneOf": [{"$ref": "#/$defs/Wait"}, {"$ref": "#/$defs/Say"}],
                    "discriminator": {"propertyName": "type", "mapping": {"wait": "#/$defs/Wait", "say": "#/$defs/Say"}}
                }}
            },
            "$defs": {
                "Nested": {"type": "object", "properties": {"on": {"type": "boolean", "default": true}}},
                "Wait": {"type": "object", "properties": {"type": {"const": "wait", "default": "wait"}, "seconds": {"type": "number", "default": 1}}},
                "Say": {"type": "object", "properties": {"type": {"const": "say", "default": "say"}, "text": {"type": "string"}}}
            }
        })
    }

    #[test]
    fn defaults_are_filled_through_references_unions_and_lists() {
        let schema = schema();
        let mut value = json!({"nested": {}, "actions": [{"type": "wait"}, {"type": "say", "text": "hi"}]});
        fill_defaults(&schema, &schema, &mut value);
        let expected = json!({
            "nested": {"on": true},
            "actions": [{"type": "wait", "seconds": 1}, {"type": "say", "text": "hi"}],
            "steps": 3,
            "free": {"a": 1}
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn keys_without_a_name_in_the_schema_are_dropped_but_not_in_open_objects() {
        let schema = schema();
        let mut value = json!({"x": 1, "free": {"y": 2}, "map": {"z": "3"}, "actions": [{"type": "say", "text": "hi", "seconds": 1}]});
        let dropped = drop_unknown(&schema, &schema, &mut value);
        assert_eq!(value, json!({"free": {"y": 2}, "map": {"z": "3"}, "actions": [{"type": "say", "text": "hi"}]}));
        assert_eq!(dropped, [vec![json!("x")], vec![json!("actions"), json!(0), json!("seconds")]]);
    }

    #[test]
    fn a_schema_that_refers_to_itself_for_ever_ends() {
        let schema = json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}});
        let mut value = json!({"a": 1});
        fill_defaults(&schema, &schema, &mut value);
        assert_eq!(value, json!({"a": 1}));
    }
}
