//! One YAML document as a tree in which every value and every key knows where it stands.

use serde_json::Number;

use crate::diagnostics::Span;

/// A tag as it was written, `!file` or `!var`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// The name without its exclamation mark.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes, or not a scalar at all.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// As a block, `|` or `>`. Its span begins at its first text line, so messages point at the key instead.
    Block,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands, its tag included.
    pub span: Span,
    /// The tag, boxed because hardly any value has one.
    pub tag: Option<Box<Tag>>,
    /// How it was written.
    pub style: Style,
    /// What it is.
    pub kind: Kind,
}

/// What a value is, typed by the core schema of YAML 1.2. A scalar with a tag of ours stays text.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that JSON can hold without loss.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, its keys in the order in which they were written and each only once.
    Map(Vec<Entry>),
    /// A value that could not be made out. The problem has been reported; nothing is said about it a second time.
    Hole,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// A value without a tag, written plainly.
    pub fn plain(span: Span, kind: Kind) -> Self {
        Self { span, tag: None, style: Style::Plain, kind }
    }

    /// A value that could not be made out.
    pub fn hole(span: Span) -> Self {
        Self::plain(span, Kind::Hole)
    }

    /// The name of the tag.
    pub fn tag_name(&self) -> Option<&str> {
        self.tag.as_deref().map(|tag| tag.name.as_str())
    }

    /// The value under a key, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// What it is, in the words of a message.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Hole => "unreadable",
        }
    }

    /// How many values it holds, itself among them, and how many bytes of text.
    pub fn weight(&self) -> Weight {
        let mut weight = Weight { nodes: 1, bytes: 0 };
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Hole => {}
            Kind::Text(text) => weight.bytes += text.len(),
            Kind::List(items) => items.iter().for_each(|item| weight.add(item.weight())),
            Kind::Map(entries) => {
                for entry in entries {
                    weight.bytes += entry.key.len();
                    weight.add(entry.value.weight());
                }
            }
        }
        weight
    }

    /// Gives this value and all below it one place: where they were used, when where they were written does not help.
    pub fn place_at(&mut self, span: &Span) {
        self.span = span.clone();
        match &mut self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Hole => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.place_at(span)),
            Kind::Map(entries) => {
                for entry in entries {
                    entry.key_span = span.clone();
                    entry.value.place_at(span);
                }
            }
        }
    }
}

/// What a tree costs, for the bounds that keep a small file from becoming a large one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Values.
    pub nodes: usize,
    /// Bytes of text, keys among them.
    pub bytes: usize,
}

/// Most values of one document. Ten times what a config with a hundred tools has.
pub const MAX_NODES: usize = 250_000;

/// Most bytes of text in one document, each alias counted again: eight prompts of the largest size.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Most values of a project, whatever multiplies them: aliases, files used more than once, merges and patches each
/// count again. Ten thousand agents have no more.
pub const PROJECT_NODES: usize = 2_000_000;

/// Most bytes of text of a project, counted likewise.
pub const PROJECT_BYTES: usize = 256 * 1024 * 1024;

/// What a manifest counts beside its values: it is kept with all its fields, however few are written.
pub const MANIFEST_NODES: usize = 40;

impl Weight {
    /// Whether it is more than a project may have.
    pub fn fills_project(&self) -> bool {
        self.nodes > PROJECT_NODES || self.bytes > PROJECT_BYTES
    }

    /// Adds another weight.
    pub fn add(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    /// Whether it is more than one document may have.
    pub fn is_too_much(&self) -> bool {
        self.nodes > MAX_NODES || self.bytes > MAX_BYTES
    }
}
