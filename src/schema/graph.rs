//! From a JSON document to the table of its places: keywords read, references resolved, loops refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::error::SchemaError;
use super::node::{Additional, Branch, Discriminator, Node, NodeId, Types, Union};
use super::settle;
use super::validator::Patterns;
use super::words::{self, place};

/// More places than any schema of a config has; each costs a few hundred bytes.
const MAX_NODES: usize = 50_000;

/// Keywords whose schemas nothing here asks about, but in which a reference may stand.
const FURTHER_SCHEMAS: [&str; 5] =
    ["contains", "propertyNames", "unevaluatedItems", "contentSchema", "additionalItems"];

/// The table of a schema's places. The root is the first.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    by_pointer: BTreeMap<String, NodeId>,
}

impl Graph {
    /// Reads a document.
    pub(super) fn read(root: &Value, patterns: &Arc<Patterns>) -> Result<Self, SchemaError> {
        let mut reader = Reader {
            root,
            patterns,
            base: root.get("$id").and_then(Value::as_str).map(str::to_owned),
            anchors: BTreeMap::new(),
            nodes: Vec::new(),
            by_pointer: BTreeMap::new(),
            references: Vec::new(),
            mappings: Vec::new(),
        };
        reader.visit(root, String::new())?;
        reader.follow_references()?;
        let Reader { mut nodes, by_pointer, mappings, .. } = reader;
        settle::refuse_loops(&nodes)?;
        settle::types_and_branches(&mut nodes);
        settle::discriminators(&mut nodes, &by_pointer, &mappings);
        Ok(Self { nodes, by_pointer })
    }

    /// The whole schema.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// One place. Ids come from this table alone, so the place is always there.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The place at a JSON pointer of the document.
    pub fn at(&self, pointer: &str) -> Option<NodeId> {
        self.by_pointer.get(pointer).copied()
    }
}

/// A `discriminator` that waits until every reference is resolved.
pub(super) struct Mapping {
    /// The place of the union.
    pub node: NodeId,
    /// The property.
    pub property: String,
    /// The property's values with the pointers that they stand for.
    pub targets: Vec<(String, String)>,
}

struct Reader<'a> {
    root: &'a Value,
    patterns: &'a Arc<Patterns>,
    base: Option<String>,
    anchors: BTreeMap<String, String>,
    nodes: Vec<Node>,
    by_pointer: BTreeMap<String, NodeId>,
    references: Vec<(NodeId, String)>,
    mappings: Vec<Mapping>,
}

impl<'a> Reader<'a> {
    /// Reads the schema at `pointer` and all that stand in it. The depth is that of the JSON, which its parser bounds.
    fn visit(&mut self, value: &'a Value, pointer: impl Into<String>) -> Result<NodeId, SchemaError> {
        let pointer = pointer.into();
        if let Some(known) = self.by_pointer.get(&pointer) {
            return Ok(*known);
        }
        if self.nodes.len() >= MAX_NODES {
            return Err(SchemaError::TooComplex { what: format!("it has more than {MAX_NODES} nodes") });
        }
        let id = NodeId(self.nodes.len());
        self.by_pointer.insert(pointer.clone(), id);
        self.nodes.push(blank(pointer.clone()));
        match value {
            Value::Object(map) => {
                let node = self.read_object(id, map, &pointer)?;
                self.nodes[id.0] = node;
            }
            Value::Bool(accepts) => self.nodes[id.0].never = !accepts,
            // What is no schema is found by the check against the meta-schema, which names it better.
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
        Ok(id)
    }

    fn read_object(&mut self, id: NodeId, map: &'a Map<String, Value>, pointer: &str) -> Result<Node, SchemaError> {
        Self::refuse_unsupported(map, pointer)?;
        let mut node = blank(pointer.to_owned());
        if let Some(anchor) = map.get("$anchor").and_then(Value::as_str) {
            self.anchors.insert(anchor.to_owned(), pointer.to_owned());
        }
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            self.references.push((id, reference.to_owned()));
        }
        // A title may go on in brackets; the name is what stands before them.
        let title = map.get("title").and_then(Value::as_str).and_then(|title| title.split(" (").next());
        node.name = title.map(str::to_owned).or_else(|| defined_name(pointer));
        node.own_types = own_types(map);
        node.values = match (map.get("const"), map.get("enum")) {
            (Some(value), _) => Some(vec![value.clone()]),
            (None, Some(Value::Array(values))) => Some(values.clone()),
            _ => None,
        };
        node.default = map.get("default").cloned();
        node.secret = map.get("writeOnly") == Some(&Value::Bool(true))
            || map.get("format").and_then(Value::as_str) == Some("password");
        if let Some(Value::Array(names)) = map.get("required") {
            node.required = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        self.read_properties(&mut node, map, pointer)?;
        self.read_items(&mut node, map, pointer)?;
        node.all_of = self.visit_list(map, "allOf", pointer)?;
        node.any_of = self.read_union(id, map, "anyOf", pointer)?;
        node.one_of = self.read_union(id, map, "oneOf", pointer)?;
        for keyword in ["if", "then", "else"] {
            if let Some(schema) = map.get(keyword) {
                node.sometimes.push(self.visit(schema, child(pointer, keyword))?);
            }
        }
        node.not = map.get("not").map(|schema| self.visit(schema, child(pointer, "not"))).transpose()?;
        for keyword in ["dependentSchemas", "dependencies"] {
            for (name, schema) in object(map.get(keyword)).filter(|(_, schema)| !schema.is_array()) {
                node.sometimes.push(self.visit(schema, child(&child(pointer, keyword), name))?);
            }
        }
        for keyword in FURTHER_SCHEMAS {
            if let Some(schema) = map.get(keyword) {
                self.visit(schema, child(pointer, keyword))?;
            }
        }
        for keyword in ["$defs", "definitions"] {
            for (name, schema) in object(map.get(keyword)) {
                self.visit(schema, child(&child(pointer, keyword), name))?;
            }
        }
        Ok(node)
    }

    fn refuse_unsupported(map: &Map<String, Value>, pointer: &str) -> Result<(), SchemaError> {
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if map.contains_key(keyword) {
                return Err(SchemaError::Unsupported { pointer: place(pointer), keyword });
            }
        }
        // A second `$id` would change what the references below it mean.
        if !pointer.is_empty() && map.get("$id").is_some_and(Value::is_string) {
            return Err(SchemaError::Unsupported { pointer: place(pointer), keyword: "$id" });
        }
        Ok(())
    }

    fn read_properties(
        &mut self,
        node: &mut Node,
        map: &'a Map<String, Value>,
        pointer: &str,
    ) -> Result<(), SchemaError> {
        for (name, schema) in object(map.get("properties")) {
            let property = self.visit(schema, child(&child(pointer, "properties"), name))?;
            node.property_index.insert(name.clone(), node.properties.len());
            node.properties.push((name.clone(), property));
        }
        for (pattern, schema) in object(map.get("patternProperties")) {
            let property = self.visit(schema, child(&child(pointer, "patternProperties"), pattern))?;
            // A pattern that cannot be compiled is refused by the check against the meta-schema.
            if let Ok(matcher) = self.patterns.matcher(pattern) {
                node.patterns.push((matcher, property));
            }
        }
        let mut said = false;
        for (keyword, late) in [("additionalProperties", false), ("unevaluatedProperties", true)] {
            let Some(schema) = map.get(keyword) else { continue };
            let id = self.visit(schema, child(pointer, keyword))?;
            if said {
                continue;
            }
            said = true;
            node.additional = match schema {
                Value::Bool(false) => Additional::Closed,
                // It holds anyway, and names nothing.
                Value::Bool(true) => Additional::Unsaid,
                _ => Additional::Map(id),
            };
            node.closed_late = late && node.additional == Additional::Closed;
        }
        Ok(())
    }

    fn read_items(&mut self, node: &mut Node, map: &'a Map<String, Value>, pointer: &str) -> Result<(), SchemaError> {
        node.prefix_items = self.visit_list(map, "prefixItems", pointer)?;
        match map.get("items") {
            Some(Value::Array(_)) => {
                node.prefix_items = self.visit_list(map, "items", pointer)?;
                node.items = map
                    .get("additionalItems")
                    .map(|schema| self.visit(schema, child(pointer, "additionalItems")))
                    .transpose()?;
            }
            Some(schema) => node.items = Some(self.visit(schema, child(pointer, "items"))?),
            None => {}
        }
        Ok(())
    }

    fn read_union(
        &mut self,
        id: NodeId,
        map: &'a Map<String, Value>,
        keyword: &str,
        pointer: &str,
    ) -> Result<Option<Union>, SchemaError> {
        let nodes = self.visit_list(map, keyword, pointer)?;
        if nodes.is_empty() {
            return Ok(None);
        }
        let discriminator = map.get("discriminator").filter(|_| keyword == "oneOf" || !map.contains_key("oneOf"));
        if let Some(property) = discriminator.and_then(|found| found.get("propertyName")).and_then(Value::as_str) {
            let targets = object(discriminator.and_then(|found| found.get("mapping")))
                .filter_map(|(value, target)| Some((value.clone(), target.as_str()?.to_owned())))
                .collect();
            self.mappings.push(Mapping { node: id, property: property.to_owned(), targets });
        }
        let branches = nodes.into_iter().map(|node| Branch { node, types: Types::ANY, tags: Vec::new() }).collect();
        Ok(Some(Union { branches, discriminator: None::<Discriminator> }))
    }

    fn visit_list(
        &mut self,
        map: &'a Map<String, Value>,
        keyword: &str,
        pointer: &str,
    ) -> Result<Vec<NodeId>, SchemaError> {
        let Some(Value::Array(schemas)) = map.get(keyword) else { return Ok(Vec::new()) };
        let base = child(pointer, keyword);
        schemas.iter().enumerate().map(|(index, schema)| self.visit(schema, format!("{base}/{index}"))).collect()
    }

    /// Resolves references until none is left. One that leads to an unread place has it read, which may bring more.
    fn follow_references(&mut self) -> Result<(), SchemaError> {
        while let Some((from, reference)) = self.references.pop() {
            let at = place(&self.nodes[from.0].pointer);
            let quoted = words::reference(&reference);
            let Some(fragment) = self.local_fragment(&reference) else {
                return Err(SchemaError::RemoteReference { pointer: at, reference: quoted });
            };
            let pointer = match fragment.strip_prefix('/') {
                None if fragment.is_empty() => Some(String::new()),
                None => self.anchors.get(&fragment).cloned(),
                Some(_) => Some(fragment),
            };
            let Some((pointer, target)) =
                pointer.and_then(|pointer| self.root.pointer(&pointer).map(|target| (pointer, target)))
            else {
                return Err(SchemaError::UnknownReference { pointer: at, reference: quoted });
            };
            if !target.is_object() && !target.is_boolean() {
                return Err(SchemaError::UnknownReference { pointer: at, reference: quoted });
            }
            let target = self.visit(target, pointer)?;
            self.nodes[from.0].reference = Some(target);
        }
        Ok(())
    }

    /// The decoded fragment of a reference within this document; `None` for one that leaves it.
    fn local_fragment(&self, reference: &str) -> Option<String> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let base = self.base.as_deref().map(|base| base.trim_end_matches('#'));
        if !document.is_empty() && base != Some(document) {
            let base = url::Url::parse(base?).ok()?;
            if base.join(document).ok()? != base {
                return None;
            }
        }
        percent_decode_str(fragment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }
}

fn blank(pointer: String) -> Node {
    Node {
        pointer,
        name: None,
        never: false,
        reference: None,
        own_types: Types::ANY,
        types: Types::ANY,
        values: None,
        default: None,
        secret: false,
        properties: Vec::new(),
        property_index: BTreeMap::new(),
        patterns: Vec::new(),
        additional: Additional::Unsaid,
        closed_late: false,
        required: std::collections::BTreeSet::new(),
        prefix_items: Vec::new(),
        items: None,
        all_of: Vec::new(),
        any_of: None,
        one_of: None,
        sometimes: Vec::new(),
        not: None,
    }
}

/// The types that `type`, `enum` and `const` leave.
fn own_types(map: &Map<String, Value>) -> Types {
    let of_words = |words: &[Value]| {
        words.iter().filter_map(Value::as_str).filter_map(Types::word).fold(Types::NONE, Types::union)
    };
    let of_values = |values: &[Value]| values.iter().map(Types::of).fold(Types::NONE, Types::union);
    let mut types = match map.get("type") {
        Some(Value::String(word)) => Types::word(word).unwrap_or(Types::ANY),
        Some(Value::Array(words)) => of_words(words),
        _ => Types::ANY,
    };
    if let Some(Value::Array(values)) = map.get("enum") {
        types = types.intersection(of_values(values));
    }
    if let Some(value) = map.get("const") {
        types = types.intersection(Types::of(value));
    }
    types
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// A pointer with one more step.
fn child(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// The name under which a place is defined, where it stands directly under `$defs`.
fn defined_name(pointer: &str) -> Option<String> {
    let (parent, name) = pointer.rsplit_once('/')?;
    (parent.ends_with("/$defs") || parent.ends_with("/definitions")).then(|| name.replace("~1", "/").replace("~0", "~"))
}
