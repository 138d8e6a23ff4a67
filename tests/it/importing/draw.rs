//! Agents drawn through the schema of the service: whatever it allows, and a little of what it does not.

use proptest::prelude::*;
use reachform::sandbox::Behaviour;
use serde_json::{Map, Value, json};

use super::hostile::texts;
use super::{agent, hold_the_promise, import_all, world};
use crate::scene::schema_with_defaults;
use crate::world::run;

/// Draws values that a schema allows.
struct Drawing<'s> {
    document: &'s Value,
    texts: Vec<String>,
    state: u64,
}

impl Drawing<'_> {
    fn next(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.state >> 33) % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    fn text(&mut self) -> String {
        let at = self.next(self.texts.len());
        self.texts[at].clone()
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.document.pointer(reference.trim_start_matches('#')).unwrap();
            return self.value(target, depth);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return values[self.next(values.len())].clone();
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(branches) = schema[word].as_array() {
                // The simplest branch ends what would go on for ever.
                let at = if depth == 0 { branches.len() - 1 } else { self.next(branches.len()) };
                return self.value(&branches[at], depth);
            }
        }
        match schema["type"].as_str() {
            Some("string") => Value::String(self.text()),
            Some("integer") => json!([0, 1, 3, -1, 1_000_000][self.next(5)]),
            Some("number") => json!([0.0, 0.5, 1.0, 3.1, 1e21, 1e-9][self.next(6)]),
            Some("boolean") => json!(self.next(2) == 0),
            Some("null") => Value::Null,
            Some("array") => {
                let count = if depth == 0 { 0 } else { self.next(3) };
                let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap();
                let items = (0..count.max(least)).map(|_| self.value(&schema["items"], depth.saturating_sub(1)));
                items.collect()
            }
            Some("object") => self.object(schema, depth),
            _ => match self.next(6) {
                0 => Value::Null,
                1 => json!([]),
                2 => json!({}),
                3 => json!([self.text(), {"a": self.text()}]),
                4 => json!({self.text(): 1.0}),
                _ => Value::String(self.text()),
            },
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut out = Map::new();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&name.as_str());
            if !is_required && (depth == 0 || self.next(3) == 0) {
                continue;
            }
            // Often the very default.
            let value = match property.get("default") {
                Some(default) if self.next(2) == 0 => default.clone(),
                _ => self.value(property, depth.saturating_sub(1)),
            };
            out.insert(name.clone(), value);
        }
        if schema["additionalProperties"].is_object() {
            for _ in 0..self.next(3) {
                let value = self.value(&schema["additionalProperties"], depth.saturating_sub(1));
                out.insert(self.text(), value);
            }
        } else if schema["properties"].is_null() || self.next(40) == 0 {
            out.insert(self.text(), json!(self.text()));
        }
        Value::Object(out)
    }
}

fn drawn(seed: u64, document: &Value) -> Value {
    let mut drawing = Drawing { document, texts: texts(), state: seed };
    let config = drawing.value(document, 9);
    let mut one = agent(&format!("Agent {seed}"), config);
    if drawing.next(2) == 0 {
        one["description"] = json!(drawing.text());
    }
    one["metadata"] = match drawing.next(4) {
        0 => Value::Null,
        1 => json!({}),
        _ => json!({drawing.text(): drawing.text(), "deep": {"list": [drawing.text(), null]}}),
    };
    one["active"] = json!(drawing.next(3) > 0);
    one
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_agents_that_the_schema_allows_are_imported_without_a_change(seeds in prop::collection::btree_set(any::<u32>(), 1..5), world_at in any::<prop::sample::Index>()) {
        let document = schema_with_defaults();
        let agents: Vec<Value> = seeds.iter().map(|seed| drawn(u64::from(*seed), &document)).collect();
        let worlds = Behaviour::worlds();
        let (name, behaviour) = worlds[world_at.index(worlds.len())].clone();
        run(async {
            let mut world = world(&agents, behaviour);
            let written = import_all(&mut world).await;
            assert!(written.import.refused.is_empty(), "{:#?}", written.import.refused);
            hold_the_promise(&mut world, &written, &format!("{name}: {seeds:?}")).await;
        });
    }
}
