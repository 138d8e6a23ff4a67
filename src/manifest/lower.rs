//! Trees to JSON, and the map back: where the value under any pointer was written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::tree::{Kind, Node, Style};
use crate::diagnostics::{FileId, Span};
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
///
/// A repository has hundreds of values for each of its manifests and asks for the place of hardly any, so they are kept
/// as one flat list, each value before those below it.
#[derive(Clone, Debug)]
pub struct Locations {
    rows: Vec<Row>,
    /// All keys, one behind the other.
    names: String,
    holes: BTreeSet<FieldPath>,
    /// The rows right below a wide row, by their keys or places; made when one is first looked for, because most manifests
    /// are never asked, and one with many mistakes in a wide object is asked for each of them.
    wide: OnceLock<BTreeMap<usize, BTreeMap<String, usize>>>,
}

/// From how many rows below it on a row is a wide one.
const WIDE: u32 = 64;

#[derive(Clone, Debug)]
struct Row {
    /// Where the value stands.
    value: Place,
    /// Where its key stands; the same as the value's where it has none.
    key: Place,
    /// Its key in `names`: where it begins, and its length.
    name: (u32, u32),
    /// How many rows there are below it.
    below: u32,
    shape: Shape,
}

/// A span in less room: no text that is read is larger than these numbers.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: FileId,
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Scalar,
    Block,
    List,
    Map,
}

impl Place {
    fn of(span: &Span) -> Self {
        Self { file: span.file, start: narrow(span.start), end: narrow(span.end) }
    }

    fn span(self) -> Span {
        Span { file: self.file, start: self.start as usize, end: self.end as usize }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Locations {
    /// Takes down the places of a tree.
    pub fn of(root: &Node) -> Self {
        let mut out = Self { rows: Vec::new(), names: String::new(), holes: BTreeSet::new(), wide: OnceLock::new() };
        out.add(root, None, &mut Vec::new());
        out.rows.shrink_to_fit();
        out.names.shrink_to_fit();
        out
    }

    /// Where the value at `path` was written; where there is none, the nearest value above it. For a block of text that
    /// is its key, because the block itself begins on the next line.
    pub fn value_span(&self, path: &FieldPath) -> Option<Span> {
        let row = self.find(path)?;
        Some(if row.shape == Shape::Block { row.key.span() } else { row.value.span() })
    }

    /// Where the key of the value at `path` was written, or the value itself where it has none, as in a list; where
    /// there is no such value, the same of the nearest value above it.
    pub fn key_span(&self, path: &FieldPath) -> Option<Span> {
        self.find(path).map(|row| row.key.span())
    }

    /// Whether the value at `path`, or one below it, could not be made out. The problem has been reported, so nothing
    /// more need be said about such a value.
    pub fn is_hole(&self, path: &FieldPath) -> bool {
        self.holes.iter().any(|hole| hole.starts_with(path) || path.starts_with(hole))
    }

    fn find(&self, path: &FieldPath) -> Option<&Row> {
        let mut at = 0;
        for step in path.steps() {
            let row = self.rows.get(at)?;
            if row.below >= WIDE {
                let Some(child) = self.wide().get(&at).and_then(|children| children.get(step)) else { break };
                at = *child;
                continue;
            }
            let index = step.parse::<usize>().ok();
            let found = self.below(at).enumerate().find(|(position, child)| match row.shape {
                Shape::List => Some(*position) == index,
                Shape::Map => self.name(*child) == Some(step),
                Shape::Scalar | Shape::Block => false,
            });
            let Some((_, child)) = found else { break };
            at = child;
        }
        self.rows.get(at)
    }

    fn wide(&self) -> &BTreeMap<usize, BTreeMap<String, usize>> {
        self.wide.get_or_init(|| {
            let wide = self.rows.iter().enumerate().filter(|(_, row)| row.below >= WIDE);
            wide.map(|(at, row)| {
                let mut children = BTreeMap::new();
                for (position, child) in self.below(at).enumerate() {
                    let name = match row.shape {
                        Shape::List => position.to_string(),
                        Shape::Map => self.name(child).unwrap_or_default().to_owned(),
                        Shape::Scalar | Shape::Block => continue,
                    };
                    children.entry(name).or_insert(child);
                }
                (at, children)
            })
            .collect()
        })
    }

    /// The rows right below one.
    fn below(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = self.rows.get(at).map_or(at, |row| at + row.below as usize);
        std::iter::successors(Some(at + 1), |child| Some(child + 1 + self.rows.get(*child)?.below as usize))
            .take_while(move |child| *child <= end)
    }

    fn name(&self, at: usize) -> Option<&str> {
        let (start, length) = self.rows.get(at)?.name;
        self.names.get(start as usize..start as usize + length as usize)
    }

    fn add<'n>(&mut self, node: &'n Node, key: Option<(&'n str, &Span)>, at: &mut Vec<Step<'n>>) {
        let value = Place::of(&node.span);
        let shape = match &node.kind {
            Kind::List(_) => Shape::List,
            Kind::Map(_) => Shape::Map,
            _ if node.style == Style::Block && key.is_some() => Shape::Block,
            _ => Shape::Scalar,
        };
        let name = key.map_or((0, 0), |(key, _)| (narrow(self.names.len()), narrow(key.len())));
        self.names.push_str(key.map_or("", |(key, _)| key));
        let index = self.rows.len();
        let key = key.map_or(value, |(_, span)| Place::of(span));
        self.rows.push(Row { value, key, name, below: 0, shape });
        match &node.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
            Kind::Hole => {
                self.holes.insert(FieldPath::of(at.iter().map(|step| match step {
                    Step::Key(key) => (*key).to_owned(),
                    Step::Index(index) => index.to_string(),
                })));
            }
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.push(Step::Index(index));
                    self.add(item, None, at);
                    at.pop();
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    at.push(Step::Key(&entry.key));
                    self.add(&entry.value, Some((&entry.key, &entry.key_span)), at);
                    at.pop();
                }
            }
        }
        let below = narrow(self.rows.len() - index - 1);
        if let Some(row) = self.rows.get_mut(index) {
            row.below = below;
        }
    }
}

enum Step<'n> {
    Key(&'n str),
    Index(usize),
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;
    use crate::diagnostics::{Diagnostics, SourceMap};

    #[test]
    fn a_value_is_found_in_a_wide_object_and_in_a_long_list_as_in_short_ones() {
        for width in [3, 500] {
            let lines = |line: &dyn Fn(usize) -> String| (0..width).map(line).collect::<Vec<_>>().join("\n");
            let (map, list) = (lines(&|n| format!("  k{n}: v{n}")), lines(&|n| format!("  - {{deep: w{n}}}")));
            let text = format!("map:\n{map}\nlist:\n{list}\n");
            let mut sources = SourceMap::default();
            let file = sources.add("a.yaml", text);
            let text = sources.text(file);
            let document = yaml::parse(file, text, &mut Diagnostics::new()).pop().unwrap();
            let locations = Locations::of(&document.root);
            let at = |path: &str| {
                let span = locations.value_span(&FieldPath::parse(path).unwrap()).unwrap();
                text.get(span.start..span.end).unwrap_or_default().to_owned()
            };
            for n in [0, width / 2, width - 1] {
                assert_eq!(at(&format!("/map/k{n}")), format!("v{n}"));
                assert_eq!(at(&format!("/list/{n}/deep")), format!("w{n}"));
            }
            // What is not there has the place of what is above it.
            assert_eq!(at("/map/none"), at("/map"));
            assert_eq!(at(&format!("/list/{width}")), at("/list"));
        }
    }
}
