//! The embedded schema against the shapes that are known of the service's own: the same but for the words.

use serde_json::{Map, Value};

fn embedded() -> Value {
    serde_json::from_str(include_str!("../../../src/sandbox/agent-config.schema.json")).unwrap()
}

fn shapes() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/agent-config-shapes.json")).unwrap()
}

/// A schema without titles, descriptions and comments. A property may have such a name too, but its schema is no text.
fn without_words(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| {
                !(value.is_string() && ["title", "description", "$comment"].contains(&name.as_str()))
            })
            .map(|(name, value)| (name.clone(), without_words(value)))
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(items) => items.iter().map(without_words).collect(),
        other => other.clone(),
    }
}

/// The definitions in order, and the root as one more. As text, because the order of properties is shown to people.
fn parts(schema: &Value) -> Vec<(String, String)> {
    let mut root = without_words(schema);
    let definitions = root.as_object_mut().unwrap().shift_remove("$defs").unwrap();
    let parts = definitions.as_object().unwrap().iter().map(|(name, part)| (name.clone(), part.to_string()));
    parts.chain([("the root".to_owned(), root.to_string())]).collect()
}

#[test]
fn the_embedded_schema_has_exactly_the_known_shapes() {
    let (embedded, shapes) = (parts(&embedded()), parts(&shapes()));
    let names = |parts: &[(String, String)]| parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&embedded), names(&shapes));
    assert_eq!(shapes.len(), 237 + 1);
    for ((name, embedded), (_, shape)) in embedded.iter().zip(&shapes) {
        assert_eq!(embedded, shape, "{name}");
    }
}

#[test]
fn what_an_editor_shows_is_described() {
    let embedded = embedded();
    assert!(embedded["description"].is_string());
    for (name, definition) in embedded["$defs"].as_object().unwrap() {
        let Some(properties) = definition["properties"].as_object() else { continue };
        assert!(definition["description"].is_string(), "{name}");
        for (property, schema) in properties {
            // What refers to a definition is described there; a constant needs no words.
            let speaks = ["description", "$ref", "oneOf", "const"].iter().any(|word| schema.get(word).is_some());
            assert!(speaks, "{name}.{property}");
        }
    }
}
