//! Trees to JSON, and the map back: where the value under any pointer was written.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::tree::{Kind, Node, Style};
use crate::diagnostics::Span;
use crate::model::FieldPath;

/// The value of a tree. What could not be made out becomes null; [`Locations::is_hole`] tells it from a written one.
pub fn into_value(node: Node) -> Value {
    match node.kind {
        Kind::Null | Kind::Hole => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Number(number) => Value::Number(number),
        Kind::Text(text) => Value::String(text),
        Kind::List(items) => Value::Array(items.into_iter().map(into_value).collect()),
        Kind::Map(entries) => {
            let mut map = Map::with_capacity(entries.len());
            for entry in entries {
                map.insert(entry.key, into_value(entry.value));
            }
            Value::Object(map)
        }
    }
}

/// Where every value of one manifest stands, after files, merges and the environment's patch.
#[derive(Clone, Debug)]
pub struct Locations {
    root: Located,
    holes: BTreeSet<FieldPath>,
}

#[derive(Clone, Debug)]
struct Located {
    key: Option<Span>,
    value: Span,
    is_block: bool,
    below: Below,
}

#[derive(Clone, Debug)]
enum Below {
    Nothing,
    List(Vec<Located>),
    Map(Vec<(String, Located)>),
}

impl Locations {
    /// Takes down the places of a tree.
    pub fn of(root: &Node) -> Self {
        let mut holes = BTreeSet::new();
        let root = locate(root, None, &mut Vec::new(), &mut holes);
        Self { root, holes }
    }

    /// Where the value at `path` was written; where there is none, the nearest value above it. For a block of text that
    /// is its key, because the block itself begins on the next line.
    pub fn value_span(&self, path: &FieldPath) -> Option<Span> {
        let found = self.find(path);
        match &found.key {
            Some(key) if found.is_block => Some(key.clone()),
            _ => Some(found.value.clone()),
        }
    }

    /// Where the key of the value at `path` was written, or the value itself where it has none, as in a list; where
    /// there is no such value, the same of the nearest value above it.
    pub fn key_span(&self, path: &FieldPath) -> Option<Span> {
        let found = self.find(path);
        Some(found.key.clone().unwrap_or_else(|| found.value.clone()))
    }

    /// Whether the value at `path`, or one below it, could not be made out. The problem has been reported, so nothing
    /// more need be said about such a value.
    pub fn is_hole(&self, path: &FieldPath) -> bool {
        self.holes.iter().any(|hole| hole.starts_with(path) || path.starts_with(hole))
    }

    fn find(&self, path: &FieldPath) -> &Located {
        let mut at = &self.root;
        for step in path.steps() {
            let next = match &at.below {
                Below::Nothing => None,
                Below::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                Below::Map(entries) => entries.iter().find(|(key, _)| key == step).map(|(_, located)| located),
            };
            let Some(next) = next else { break };
            at = next;
        }
        at
    }
}

fn locate(node: &Node, key: Option<&Span>, at: &mut Vec<String>, holes: &mut BTreeSet<FieldPath>) -> Located {
    let below = match &node.kind {
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => Below::Nothing,
        Kind::Hole => {
            holes.insert(FieldPath::of(at.iter().cloned()));
            Below::Nothing
        }
        Kind::List(items) => {
            let mut out = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                at.push(index.to_string());
                out.push(locate(item, None, at, holes));
                at.pop();
            }
            Below::List(out)
        }
        Kind::Map(entries) => {
            let mut out = Vec::with_capacity(entries.len());
            for entry in entries {
                at.push(entry.key.clone());
                out.push((entry.key.clone(), locate(&entry.value, Some(&entry.key_span), at, holes)));
                at.pop();
            }
            Below::Map(out)
        }
    };
    Located { key: key.cloned(), value: node.span.clone(), is_block: node.style == Style::Block, below }
}
