//! The schema of what a manifest declares: the same one, but for what only a whole config can be held to.
//!
//! What is not declared is taken from live, so that an absent property proves nothing. Lists are declared whole, and
//! in them everything counts. The result is a document of its own, in which every place is a definition that bears the
//! number of its node, so that an error leads back to it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::graph::Graph;
use super::node::NodeId;

/// In how far a place is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// Some of it may stand elsewhere.
    Part,
    /// All of it is there: it stands in a list.
    Whole,
}

impl Extent {
    fn reference(self, id: NodeId) -> Value {
        let letter = match self {
            Self::Part => PART,
            Self::Whole => WHOLE,
        };
        json!({"$ref": format!("#/$defs/{letter}{}", id.0)})
    }
}

const PART: char = 'p';
const WHOLE: char = 'w';

/// The document.
pub(super) fn document(root: &Value, graph: &Graph) -> Value {
    let mut writer = Writer { root, graph, queue: vec![(Extent::Part, graph.root())], seen: BTreeSet::new() };
    writer.seen.insert((Extent::Part, graph.root()));
    let mut definitions = Map::new();
    while let Some((extent, id)) = writer.queue.pop() {
        let letter = if extent == Extent::Part { PART } else { WHOLE };
        let schema = writer.place(extent, id);
        definitions.insert(format!("{letter}{}", id.0), schema);
    }
    let mut document = Map::new();
    if let Some(draft) = root.get("$schema") {
        document.insert("$schema".to_owned(), draft.clone());
    }
    document.insert("$ref".to_owned(), json!(format!("#/$defs/{PART}0")));
    document.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(document)
}

/// A union of the document.
pub(super) struct Location {
    /// The place that it belongs to.
    pub node: NodeId,
    /// Whether it is the `oneOf` of that place.
    pub one_of: bool,
    /// Whether it applies to something that stands in the manifest as a whole.
    pub whole: bool,
}

/// Reads where in the document a union failed.
pub(super) fn union_at(location: &str) -> Option<Location> {
    let mut steps = location.strip_prefix("/$defs/")?.split('/');
    let name = steps.next()?;
    let node = NodeId(name.get(1..)?.parse().ok()?);
    let rest: Vec<&str> = steps.collect();
    let one_of = match rest.as_slice() {
        ["anyOf"] => false,
        // In a part, `oneOf` is written as an `anyOf` of its own: two branches may well fit what is declared.
        ["oneOf"] | ["allOf", _, "anyOf"] => true,
        _ => return None,
    };
    Some(Location { node, one_of, whole: name.starts_with(WHOLE) })
}

struct Writer<'a> {
    root: &'a Value,
    graph: &'a Graph,
    queue: Vec<(Extent, NodeId)>,
    seen: BTreeSet<(Extent, NodeId)>,
}

impl Writer<'_> {
    fn place(&mut self, extent: Extent, id: NodeId) -> Value {
        let pointer = self.graph.node(id).pointer.clone();
        let Some(Value::Object(map)) = self.root.pointer(&pointer) else {
            return self.root.pointer(&pointer).cloned().unwrap_or(Value::Bool(true));
        };
        let part = extent == Extent::Part;
        let mut out = Map::new();
        let mut all_of = Vec::new();
        for (keyword, value) in map {
            let at = format!("{pointer}/{}", keyword.replace('~', "~0").replace('/', "~1"));
            let written = match keyword.as_str() {
                "$defs" | "definitions" | "$id" | "$anchor" | "$schema" | "discriminator" | "default" | "examples" => {
                    continue;
                }
                "required"
                | "dependentRequired"
                | "dependentSchemas"
                | "dependencies"
                | "minProperties"
                | "unevaluatedProperties"
                | "if"
                | "then"
                | "else"
                    if part =>
                {
                    continue;
                }
                // An object is compared whole by these, and what is declared may be a part of it.
                "const" if part && value.is_object() => continue,
                "enum" if part && value.as_array().is_some_and(|values| values.iter().any(Value::is_object)) => {
                    continue;
                }
                "not" if part && !speaks_of_presence(value) => continue,
                "$ref" => {
                    let Some(target) = self.graph.node(id).reference else { continue };
                    self.enqueue(extent, target);
                    let mut reference = extent.reference(target);
                    reference.get_mut("$ref").map(Value::take).unwrap_or_default()
                }
                "properties" | "patternProperties" | "dependentSchemas" | "dependencies" => {
                    self.each_property(extent, value, &at)
                }
                "additionalProperties" | "unevaluatedProperties" | "if" | "then" | "else" => {
                    self.one(extent, value, &at)
                }
                "items" | "prefixItems" if value.is_array() => Value::Array(self.each(Extent::Whole, value, &at)),
                "items" | "contains" | "propertyNames" | "unevaluatedItems" | "additionalItems" | "contentSchema" => {
                    self.one(Extent::Whole, value, &at)
                }
                // In place, because an error quotes it.
                "not" => match self.graph.at(&at) {
                    Some(id) => self.place(Extent::Whole, id),
                    None => value.clone(),
                },
                "allOf" => {
                    all_of.splice(0..0, self.each(extent, value, &at));
                    continue;
                }
                "oneOf" if part => {
                    all_of.push(json!({"anyOf": self.each(extent, value, &at)}));
                    continue;
                }
                "anyOf" | "oneOf" => Value::Array(self.each(extent, value, &at)),
                _ => value.clone(),
            };
            out.insert(keyword.clone(), written);
        }
        if !all_of.is_empty() {
            out.insert("allOf".to_owned(), Value::Array(all_of));
        }
        Value::Object(out)
    }

    fn each_property(&mut self, extent: Extent, value: &Value, at: &str) -> Value {
        let Value::Object(map) = value else { return value.clone() };
        let written = map.iter().map(|(name, schema)| {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            (name.clone(), self.one(extent, schema, &at))
        });
        Value::Object(written.collect())
    }

    fn each(&mut self, extent: Extent, value: &Value, at: &str) -> Vec<Value> {
        let schemas = value.as_array().map(Vec::as_slice).unwrap_or_default();
        schemas.iter().enumerate().map(|(index, schema)| self.one(extent, schema, &format!("{at}/{index}"))).collect()
    }

    /// A reference to a place below; what is no place, and `true` and `false`, stand as they are, because `false` is
    /// reported in other words behind a reference.
    fn one(&mut self, extent: Extent, value: &Value, at: &str) -> Value {
        let Some(id) = self.graph.at(at).filter(|_| value.is_object()) else { return value.clone() };
        let node = self.graph.node(id);
        let simple = node.same_value().next().is_none()
            && node.properties.is_empty()
            && node.patterns.is_empty()
            && node.items.is_none()
            && node.prefix_items.is_empty();
        if simple {
            return self.place(extent, id);
        }
        self.enqueue(extent, id);
        extent.reference(id)
    }

    fn enqueue(&mut self, extent: Extent, id: NodeId) {
        if self.seen.insert((extent, id)) {
            self.queue.push((extent, id));
        }
    }
}

/// Whether a `not` forbids what is there, so that it can be judged before the rest is known: every property that it
/// speaks of must be present for it to hold.
fn speaks_of_presence(schema: &Value) -> bool {
    const JUDGED: [&str; 12] = [
        "type",
        "enum",
        "const",
        "required",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "title",
        "description",
        "format",
    ];
    let Value::Object(map) = schema else { return false };
    let required: Vec<&str> =
        map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    map.iter().all(|(keyword, value)| match (keyword.as_str(), value) {
        ("properties", Value::Object(properties)) => {
            properties.iter().all(|(name, schema)| required.contains(&name.as_str()) && speaks_of_presence(schema))
        }
        (keyword, _) => JUDGED.contains(&keyword),
    })
}
