//! Properties: nothing panics, nothing runs on, and the answers agree with each other.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reachform::diagnostics::Severity;
use reachform::model::{ConfigShape, FieldPath};
use reachform::schema::{ConfigSchema, Leniency, check_declared, codes};
use serde_json::{Value, json};

use super::{Lines, desired, full_config, sandbox_once, schema};

/// Any JSON of moderate size, with the words of a schema more likely than others.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("items"),
        Just("anyOf"),
        Just("oneOf"),
        Just("allOf"),
        Just("$ref"),
        Just("$defs"),
        Just("a"),
        Just("not"),
        Just("const"),
        Just("enum"),
        Just("required"),
        Just("default"),
        Just("discriminator"),
        Just("additionalProperties"),
        Just("if"),
        Just("then"),
        Just("prefixItems"),
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![
            Just("object"),
            Just("string"),
            Just("array"),
            Just("#"),
            Just("#/$defs/a"),
            Just("#/properties/a")
        ]
        .prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Schemas that mean something: mostly well-formed, with references, unions and what only some values are held to.
pub fn any_schema() -> impl Strategy<Value = Value> {
    let types = prop_oneof![Just("object"), Just("string"), Just("array"), Just("integer"), Just("null")];
    let leaf = prop_oneof![
        types.prop_map(|word| json!({"type": word})),
        Just(json!({"$ref": "#/$defs/a"})),
        Just(json!({"const": "a", "default": "a"})),
        Just(json!({"enum": ["a", 1, {"a": 1}]})),
        any::<bool>().prop_map(Value::Bool),
        Just(json!({"minProperties": 1, "maxItems": 1, "minLength": 2})),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..3);
        let properties = prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("type")], inner.clone()), 0..3)
            .prop_map(|all| Value::Object(all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()));
        prop_oneof![
            3 => (properties.clone(), prop::bool::ANY, prop::option::of(inner.clone())).prop_map(|(named, need, more)| {
                let mut schema = json!({"type": "object", "properties": named});
                if need {
                    schema["required"] = json!(["a"]);
                }
                if let Some(more) = more {
                    schema["additionalProperties"] = more;
                }
                schema
            }),
            2 => list().prop_map(|all| json!({"oneOf": all, "discriminator": {"propertyName": "type"}})),
            1 => list().prop_map(|all| json!({"anyOf": all})),
            1 => list().prop_map(|all| json!({"allOf": all, "unevaluatedProperties": false})),
            1 => inner.clone().prop_map(|one| json!({"items": one})),
            1 => list().prop_map(|all| json!({"prefixItems": all, "items": false})),
            1 => inner.clone().prop_map(|one| json!({"not": one})),
            1 => (inner.clone(), properties).prop_map(|(one, named)| json!({"if": one, "then": {"properties": named}})),
            1 => inner.clone().prop_map(|one| json!({"dependentSchemas": {"a": one}, "dependentRequired": {"b": ["a"]}})),
        ]
    })
}

/// Values in the words of [`any_schema`].
pub fn any_config() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(json!("a")), Just(json!("object")), Just(json!(1)), Just(json!(1.5)), Just(Value::Null)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop_oneof![Just("a"), Just("b"), Just("c"), Just("type")];
        prop_oneof![
            3 => prop::collection::vec((names, inner.clone()), 0..4)
                .prop_map(|all| Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
}

fn ask_everything(schema: &ConfigSchema, config: &Value, at: &FieldPath) {
    let _ = schema.default_at(config, at);
    let _ = schema.is_secret(config, at);
    let _ = schema.branch(config, at);
    let _ = schema.requires(config, at);
    let _ = schema.allows_null(config, at);
    let _ = schema.property_order(config, at);
    let _ = schema.accepts(config, at, "a", &Value::Null);
    let lines = Lines::of(config);
    let declared = check_declared(&desired(config, BTreeMap::new()), schema, &lines, Leniency::Strict);
    let whole = schema.faults(config);
    assert_eq!(whole.is_empty(), schema.is_valid(config), "a fault is told exactly where there is one");
    assert!(whole.windows(2).all(|pair| pair[0].path <= pair[1].path), "sorted by path");
    if whole.is_empty() {
        let error =
            declared.iter().find(|problem| problem.severity == Severity::Error && problem.code != codes::UNKNOWN);
        assert_eq!(
            error, None,
            "what a valid config declares is no error, but for a name that the schema does not list"
        );
    }
}

proptest! {
    #[test]
    fn no_json_makes_compiling_panic_and_what_compiles_answers(
        document in any_json(),
        config in any_json(),
        steps in prop::collection::vec("[a-c0-2]|properties|items", 0..4),
    ) {
        if let Ok(schema) = ConfigSchema::compile(document.to_string().as_bytes()) {
            ask_everything(&schema, &config, &FieldPath::config().join(&FieldPath::of(steps)));
        }
    }

    #[test]
    fn what_is_valid_has_no_fault_and_what_is_not_has_one(
        root in any_schema(),
        shared in any_schema(),
        configs in prop::collection::vec(any_config(), 1..6),
        steps in prop::collection::vec("[a-c0-1]|type", 0..4),
    ) {
        let document = json!({"allOf": [root], "$defs": {"a": shared}});
        // A ring of references is refused, which is as good an answer.
        if let Ok(schema) = ConfigSchema::compile(document.to_string().as_bytes()) {
            for config in &configs {
                ask_everything(&schema, config, &FieldPath::config().join(&FieldPath::of(steps.clone())));
            }
        }
    }

    #[test]
    fn no_path_and_no_config_makes_the_sandbox_schema_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4),
        tail in prop::collection::vec("type|model|0|1|nope|\\PC{0,3}", 0..3),
    ) {
        let schema = sandbox_once();
        let mut config = full_config();
        let mut at = FieldPath::config();
        for (index, value) in edits {
            let places: Vec<FieldPath> = Lines::of(&config).spans.into_keys().collect();
            at = index.get(&places).clone();
            at.within_config().unwrap().set(&mut config, value);
        }
        ask_everything(schema, &config, &at.join(&FieldPath::of(tail)));
    }

    #[test]
    fn faults_end_on_a_schema_that_contains_itself(depth in 0_usize..40, broken in 0_usize..40) {
        let schema = schema(&json!({
            "$ref": "#/$defs/Node",
            "$defs": {"Node": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": null},
                "all": {"type": "array", "items": {"$ref": "#"}}
            }}}
        }));
        let mut config = json!({"name": "end"});
        for level in 0..depth {
            let name = if level == broken { json!(5) } else { json!("x") };
            config = json!({"name": name, "next": config});
        }
        prop_assert_eq!(schema.faults(&config).len(), usize::from(broken < depth));
    }
}
