//! What equality of values means: key order never matters, and `1` equals `1.0`.

use serde_json::{Map, Value};

use super::path::FieldPath;

/// Whether two values are the same value (design, section 5: equality is of values).
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

/// Whether two numbers are the same number. Integers compare as integers, so that neighbours beyond 2^53 stay apart.
pub fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (a.as_u64(), b.as_u64()) {
        return a == b;
    }
    match (a.as_f64(), b.as_f64()) {
        #[expect(clippy::float_cmp, reason = "two numbers are the same only when they are exactly the same")]
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// RFC 8785 bytes: equal values have equal bytes, whatever the order of their keys.
pub fn canonical(value: &Value) -> Vec<u8> {
    // The crate refuses only numbers that JSON cannot hold, which a `Value` never has.
    serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes())
}

/// Every leaf below `base`: a scalar, a list (owned whole) or an empty object (design, section 3).
pub fn leaves(value: &Value, base: &FieldPath) -> Vec<(FieldPath, Value)> {
    let mut out = Vec::new();
    collect(value, base, &mut out);
    out
}

fn collect(value: &Value, at: &FieldPath, out: &mut Vec<(FieldPath, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                collect(value, &at.child(key), out);
            }
        }
        _ => out.push((at.clone(), value.clone())),
    }
}

/// RFC 7396: lays `patch` over `target`; a null takes a key out.
pub fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.shift_remove(&key);
        } else {
            merge_patch(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The JSON type of a value, in the words of JSON Schema.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The same within a sentence.
pub fn a_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_equals_one_point_zero_and_key_order_does_not_matter() {
        assert!(same(&json!({"a": 1, "b": [1.0]}), &json!({"b": [1], "a": 1.0})));
        assert!(!same(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        assert_eq!(canonical(&json!({"b": 1.0, "a": 1})), canonical(&json!({"a": 1.0, "b": 1})));
    }

    #[test]
    fn absent_null_and_empty_object_are_three_values() {
        assert!(!same(&json!({"a": null}), &json!({})));
        assert!(!same(&json!({"a": {}}), &json!({"a": null})));
        let found = leaves(&json!({"a": {}, "b": null, "c": {"d": [1]}}), &FieldPath::root());
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_merge_patch_takes_out_what_is_null() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge_patch(&mut value, json!({"a": {"b": null}, "d": {"e": 1}}));
        assert_eq!(value, json!({"a": {"c": 2}, "d": {"e": 1}}));
    }
}
