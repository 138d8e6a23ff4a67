//! Documents from outside: what is refused and why, and what is taken.

use std::collections::BTreeMap;

use reachform::manifest::MemoryFiles;
use reachform::model::ConfigShape;
use reachform::schema::{ConfigSchema, Leniency, SchemaError, check_declared};
use serde_json::json;

use super::{Lines, desired, full_config, path, schema};

#[test]
fn what_is_no_schema_is_refused_with_its_cause() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let cases: [(&str, &str, &str); 22] = [
        ("", "schema-unreadable", "empty"),
        (" \n", "schema-unreadable", "empty"),
        ("<!doctype html><title>Sign in</title>", "schema-unreadable", "HTML"),
        ("{\"type\": \"obj", "schema-unreadable", "not JSON"),
        ("[]", "schema-unreadable", "a list"),
        ("\"x\"", "schema-unreadable", "a text"),
        ("{\"detail\": \"Not Found\"}", "schema-unreadable", "`detail`"),
        ("{\"type\": \"strin\"}", "schema-malformed", "#/type"),
        ("{\"properties\": {\"a\": {\"type\": [\"string\", \"nul\"]}}}", "schema-malformed", "#/properties/a/type"),
        ("{\"properties\": 5}", "schema-malformed", "#/properties"),
        ("{\"properties\": {\"a\": {\"pattern\": \"(\"}}}", "schema-malformed", "#/properties/a/pattern"),
        ("{\"properties\": {\"a\": {\"pattern\": \"((a{1000}){1000}){1000}\"}}}", "schema-malformed", "#/properties/a"),
        ("{\"$schema\": \"https://example.com/own\", \"type\": \"object\"}", "schema-malformed", "example.com"),
        (
            "{\"properties\": {\"a\": {\"$ref\": \"https://example.com/s.json#/x\"}}}",
            "schema-remote-reference",
            "#/properties/a",
        ),
        (
            "{\"$defs\": {\"a\": {\"items\": {\"$ref\": \"file:///etc/passwd\"}}}}",
            "schema-remote-reference",
            "#/$defs/a/items",
        ),
        (
            "{\"$id\": \"https://example.com/a.json\", \"allOf\": [{\"$ref\": \"b.json\"}]}",
            "schema-remote-reference",
            "#/allOf/0",
        ),
        ("{\"properties\": {\"a\": {\"$ref\": \"#/$defs/Gone\"}}}", "schema-bad-reference", "#/$defs/Gone"),
        ("{\"$ref\": \"#\"}", "schema-bad-reference", "without end"),
        (
            "{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"anyOf\": [{\"type\": \"null\"}, {\"$ref\": \"#/$defs/a\"}]}}}",
            "schema-bad-reference",
            "without end",
        ),
        ("{\"not\": {\"$ref\": \"#\"}}", "schema-bad-reference", "without end"),
        ("{\"properties\": {\"a\": {\"$dynamicRef\": \"#x\"}}}", "schema-unsupported", "$dynamicRef"),
        (&deep, "schema-too-large", "levels"),
    ];
    for (text, code, words) in cases {
        let error = ConfigSchema::compile(text.as_bytes()).expect_err(text);
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert!(!error.hint().is_empty());
    }
    let large = vec![b' '; reachform::schema::compile::MAX_BYTES + 1];
    assert!(matches!(ConfigSchema::compile(&large), Err(SchemaError::TooLarge { .. })));
}

#[test]
fn a_fan_of_branches_that_doubles_with_every_level_is_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({}));
    let text = json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string();
    assert!(matches!(ConfigSchema::compile(text.as_bytes()), Err(SchemaError::TooComplex { .. })));
}

#[test]
fn a_long_chain_of_references_is_followed_or_refused_but_never_overflows() {
    for count in [10, 5_000] {
        let mut definitions = serde_json::Map::new();
        for at in 0..count {
            definitions.insert(format!("d{at}"), json!({"$ref": format!("#/$defs/d{}", at + 1)}));
        }
        definitions.insert(format!("d{count}"), json!({"type": "string"}));
        let text = json!({"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}).to_string();
        match ConfigSchema::compile(text.as_bytes()) {
            Ok(schema) => {
                assert_eq!(count, 10);
                assert_eq!(schema.faults(&json!({"a": 5})).len(), 1);
            }
            Err(error) => assert!(count == 5_000 && matches!(error, SchemaError::TooComplex { .. }), "{error}"),
        }
    }
}

#[test]
fn local_references_of_every_form_are_followed() {
    let schema = schema(&json!({
        "$id": "https://example.com/config.json",
        "properties": {
            "a": {"$ref": "#text"},
            "b": {"$ref": "https://example.com/config.json#/$defs/with%20space~1slash"},
            "c": {"$ref": "config.json#/$defs/A"},
            "d": {"$ref": "#/properties/a"}
        },
        "$defs": {"A": {"$anchor": "text", "type": "string", "default": "x"}, "with space/slash": {"type": "integer"}}
    }));
    let faults = schema.faults(&json!({"a": 1, "b": "x", "c": 1, "d": 1}));
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert_eq!(schema.default_at(&json!({}), &path("/config/d")), Some(json!("x")));
}

#[test]
fn a_schema_that_accepts_everything_finds_nothing() {
    for text in ["true", "{}"] {
        let schema = ConfigSchema::compile(text.as_bytes()).unwrap();
        let config = full_config();
        assert_eq!(schema.faults(&config), []);
        let lines = Lines::of(&config);
        let found = check_declared(&desired(&config, BTreeMap::new()), &schema, &lines, Leniency::Strict);
        assert!(found.is_empty());
    }
}

#[test]
fn the_digest_is_that_of_the_value() {
    let one = ConfigSchema::compile(b"{\"type\": \"object\", \"title\": \"A\"}").unwrap();
    let two = ConfigSchema::compile(b"\n{ \"title\":\"A\",\"type\":\"object\" }").unwrap();
    assert_eq!(one.digest(), two.digest());
}

#[test]
fn more_patterns_than_any_schema_has_are_refused() {
    let patterns: Vec<_> = (0..501).map(|n| json!({"pattern": format!("a{n}")})).collect();
    let error = ConfigSchema::compile(json!({"allOf": patterns}).to_string().as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the schema is too complex: it has more than 500 patterns");
}

#[test]
fn what_a_run_cannot_check_is_never_clean() {
    let patterns: serde_json::Map<_, _> = (0..500).map(|n| (format!("^(?=x{n})"), json!({"type": "string"}))).collect();
    let schema = schema(&json!({"properties": {"names": {"patternProperties": patterns}}}));
    let names: serde_json::Map<_, _> = (0..6_000).map(|n| (format!("name{n}"), json!("a"))).collect();
    assert_eq!(schema.faults(&json!({"names": {"x": "a"}})), []);
    assert!(schema.unchecked().is_none());
    let config = json!({"names": names});
    assert!(!schema.is_valid(&config));
    assert_eq!(schema.unchecked().map(|error| error.code()), Some("schema-unchecked"));
    assert!(!schema.faults(&config).is_empty());
    // It stays so for the rest of the run, and the check of the manifests says so.
    assert!(!schema.is_valid(&json!({})));
    let mut files = MemoryFiles::default();
    files.add("agents/a.yaml", "key: a\nname: A\nconfig: {}\n");
    let resolved = reachform::manifest::resolve(&files, None, &|_| None);
    let found = reachform::session::check(&resolved, &schema, Leniency::Strict);
    let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
    assert_eq!((codes, found.has_errors()), (vec!["schema-unchecked"], true));
}
