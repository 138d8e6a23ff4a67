//! YAML text to trees with places: the only file that knows the event parser.
//!
//! A mistake is reported and the reading goes on, unless the text itself cannot be followed any further; the documents
//! before that point are kept. What aliases bring in is counted each time, so that a small file stays a small tree.

use std::collections::BTreeMap;

use serde_yaml::granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, Span as YamlSpan, StructureStyle, Tag as YamlTag,
};

use super::codes;
use super::scalar::{self, Refusal};
use super::texts::{Marker, conflict};
use super::tree::{Entry, Kind, MAX_BYTES, MAX_NODES, Node, Style, Tag, Weight};
use crate::diagnostics::{Diagnostic, Diagnostics, FileId, Span};

/// Deepest nesting. A config nests about twelve deep.
pub const MAX_DEPTH: usize = 64;

/// Most documents of one file. More agents than that in one file is a generator's mistake, or an attack.
pub const MAX_DOCUMENTS: usize = 1_000;

/// Longest key, in bytes. Paths are made of keys, and there may be one for every value below.
const LONGEST_KEY: usize = 1_024;

/// One document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its number in the file, counted from 1, empty documents among them.
    pub number: usize,
    /// What it holds.
    pub root: Node,
}

/// Reads all documents of a text. A text with nothing but comments has none; an empty document is one that is null.
pub fn parse(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Vec<Document> {
    let options = serde_yaml::granit_parser::options! { strict_indentation: false, emit_comments: false };
    let mut builder = Builder {
        file,
        text,
        diagnostics,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        weight: Weight::default(),
        documents: Vec::new(),
        root: None,
    };
    for item in Parser::new_from_str_with_options(text, options) {
        let followed = match item {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                builder.report_syntax(&error);
                Err(Stop)
            }
        };
        if followed.is_err() {
            break;
        }
    }
    builder.documents
}

/// The text cannot be followed any further; why has been reported.
struct Stop;

/// What the next node of a map is.
enum Expect {
    Key,
    Value(String, Span),
    /// The value behind `<<`.
    Merged(Span),
    /// The value behind a key that was refused.
    Nothing,
}

enum Body {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, expect: Expect, merged: Vec<Entry>, merge_key: Option<Span> },
}

struct Frame {
    start: usize,
    tag: Option<Box<Tag>>,
    anchor: usize,
    style: StructureStyle,
    body: Body,
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    diagnostics: &'t mut Diagnostics,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    weight: Weight,
    documents: Vec<Document>,
    root: Option<Node>,
}

/// The meaning of a tag: one of YAML's own, one of a program's, or the `!` that only says "text".
enum Meaning<'e> {
    None,
    Core(&'e str),
    Own(Box<Tag>),
    Text,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, at: &YamlSpan) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => {
                if self.documents.len() == MAX_DOCUMENTS {
                    let message = format!("more than {MAX_DOCUMENTS} documents in one file");
                    self.report(Diagnostic::error(codes::YAML_TOO_LARGE, message).span(self.span(at)));
                    return Err(Stop);
                }
                self.anchors.clear();
                self.root = None;
            }
            Event::DocumentEnd => {
                let end = at.start.byte_offset().unwrap_or(self.text.len());
                let root = self.root.take().unwrap_or_else(|| Node::plain(Span::new(self.file, end..end), Kind::Null));
                self.documents.push(Document { number: self.documents.len() + 1, root });
            }
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    let problem =
                        Diagnostic::error(codes::RECURSIVE_ALIAS, "an alias inside the value that it refers to");
                    self.report(problem.span(self.span(at)).label("the value would contain itself"));
                    return self.attach(Node::hole(self.span(at)), 0, None, at);
                };
                self.charge(node.weight(), at)?;
                let key = match &node.kind {
                    Kind::Text(text) => Some(text.clone()),
                    Kind::Number(number) => Some(number.to_string()),
                    Kind::Bool(value) => Some(value.to_string()),
                    _ => None,
                };
                self.attach(node, 0, key, at)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.charge(Weight { nodes: 1, bytes: text.len() }, at)?;
                let is_key =
                    matches!(self.stack.last(), Some(Frame { body: Body::Map { expect: Expect::Key, .. }, .. }));
                if is_key && anchor == 0 {
                    self.key(&text, style == ScalarStyle::Plain, tag.as_deref(), at);
                    return Ok(());
                }
                let node = self.scalar(&text, style, tag.as_deref(), at);
                self.attach(node, anchor, is_key.then(|| text.into_owned()), at)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(style, anchor, tag.as_deref(), at, Body::List(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                let body = Body::Map { entries: Vec::new(), expect: Expect::Key, merged: Vec::new(), merge_key: None };
                self.open(style, anchor, tag.as_deref(), at, body)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.stack.pop() else { return Ok(()) };
                let anchor = frame.anchor;
                let node = self.close(frame, at);
                self.attach(node, anchor, None, at)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&YamlTag>,
        at: &YamlSpan,
        body: Body,
    ) -> Result<(), Stop> {
        self.charge(Weight { nodes: 1, bytes: 0 }, at)?;
        if self.stack.len() == MAX_DEPTH {
            self.report(too_deep(self.span(at)));
            return Err(Stop);
        }
        let (own_name, fits) = match body {
            Body::List(_) => ("a list", "seq"),
            Body::Map { .. } => ("a map", "map"),
        };
        let tag = match self.meaning(tag, at) {
            Meaning::None | Meaning::Text => None,
            Meaning::Own(tag) => Some(tag),
            Meaning::Core(name) => {
                if name != fits {
                    self.report_mismatch(name, own_name, at);
                }
                None
            }
        };
        let start = tag.as_ref().map_or_else(|| self.span(at).start, |tag| tag.span.start);
        self.stack.push(Frame { start, tag, anchor, style, body });
        Ok(())
    }

    fn close(&mut self, frame: Frame, at: &YamlSpan) -> Node {
        let Frame { start, tag, anchor: _, style, body } = frame;
        let end_of_last = match &body {
            Body::List(items) => items.last().map(|item| item.span.end),
            Body::Map { entries, .. } => entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end)),
        };
        let end = match (style, end_of_last) {
            // The end event of a block stands where the next thing begins, which may be pages below.
            (StructureStyle::Block, Some(end)) if end > start => end,
            _ => self.span(at).end,
        };
        let kind = match body {
            Body::List(items) => Kind::List(items),
            Body::Map { mut entries, merged, .. } => {
                self.refuse_duplicates(&mut entries);
                add_merged(&mut entries, merged);
                Kind::Map(entries)
            }
        };
        Node { span: Span::new(self.file, start..end), tag, style: Style::Plain, kind }
    }

    /// Puts a finished node where it belongs. `key` is its text, should it turn out to be a key.
    fn attach(&mut self, node: Node, anchor: usize, key: Option<String>, at: &YamlSpan) -> Result<(), Stop> {
        if anchor != 0 {
            // The copy counts like any other: a value may be anchored at each of its levels.
            self.charge(node.weight(), at)?;
            self.anchors.insert(anchor, node.clone());
        }
        let expect = match self.stack.last_mut().map(|frame| &mut frame.body) {
            None => {
                self.root = Some(node);
                return Ok(());
            }
            Some(Body::List(items)) => {
                items.push(node);
                return Ok(());
            }
            Some(Body::Map { expect, .. }) => std::mem::replace(expect, Expect::Key),
        };
        match expect {
            Expect::Key => {
                if let Some(key) = key {
                    self.key(&key, false, None, at);
                } else {
                    let problem = Diagnostic::error(codes::BAD_YAML_KEY, format!("{} as a key", node.describe()));
                    self.report(problem.span(node.span).hint("a key is text, a number or a boolean"));
                    self.expect(Expect::Nothing);
                }
            }
            Expect::Nothing => {}
            Expect::Value(key, key_span) => {
                if let Some(Frame { body: Body::Map { entries, .. }, .. }) = self.stack.last_mut() {
                    entries.push(Entry { key, key_span, value: node });
                }
            }
            Expect::Merged(key_span) => self.merge_key(key_span, node),
        }
        Ok(())
    }

    fn key(&mut self, text: &str, plain: bool, tag: Option<&YamlTag>, at: &YamlSpan) {
        let span = self.span(at);
        if let Meaning::Own(tag) = self.meaning(tag, at) {
            let problem = Diagnostic::error(codes::BAD_YAML_KEY, format!("the tag `!{}` on a key", tag.name));
            self.report(problem.span(span).hint("put the tag before the value"));
            self.expect(Expect::Nothing);
        } else if plain && text == "<<" {
            self.expect(Expect::Merged(span));
        } else if text.len() > LONGEST_KEY {
            let problem = Diagnostic::error(codes::BAD_YAML_KEY, format!("a key of {} bytes", text.len()));
            self.report(problem.span(span).hint(format!("a key has at most {LONGEST_KEY} bytes")));
            self.expect(Expect::Nothing);
        } else {
            self.expect(Expect::Value(text.to_owned(), span));
        }
    }

    fn expect(&mut self, next: Expect) {
        if let Some(Frame { body: Body::Map { expect, .. }, .. }) = self.stack.last_mut() {
            *expect = next;
        }
    }

    fn merge_key(&mut self, key_span: Span, value: Node) {
        let Some(Frame { body: Body::Map { merged, merge_key, .. }, .. }) = self.stack.last_mut() else { return };
        if let Some(first) = merge_key.replace(key_span.clone()) {
            self.report(duplicate("<<", key_span, first));
            return;
        }
        let mut refused = None;
        match value.kind {
            Kind::Map(entries) if value.tag.is_none() => merged.extend(entries),
            Kind::List(items) if value.tag.is_none() => {
                for item in items {
                    match item.kind {
                        Kind::Map(entries) if item.tag.is_none() => merged.extend(entries),
                        Kind::Hole => {}
                        _ => refused = Some(item.span),
                    }
                }
            }
            Kind::Hole => {}
            _ => refused = Some(value.span),
        }
        if let Some(span) = refused {
            let problem = Diagnostic::error(codes::BAD_MERGE_KEY, "`<<` takes a map or a list of maps");
            self.report(
                problem.span(span).hint("to lay files over each other, write `!merge [!file a.yaml, !file b.yaml]`"),
            );
        }
    }

    fn refuse_duplicates(&mut self, entries: &mut Vec<Entry>) {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|a, b| entries[*a].key.cmp(&entries[*b].key).then(a.cmp(b)));
        let mut twice = vec![false; entries.len()];
        let mut first = order.first().copied().unwrap_or(0);
        let mut any = false;
        for at in order.into_iter().skip(1) {
            if entries[at].key == entries[first].key {
                let (key, span) = (&entries[at].key, entries[at].key_span.clone());
                self.diagnostics.push(duplicate(key, span, entries[first].key_span.clone()));
                twice[at] = true;
                any = true;
            } else {
                first = at;
            }
        }
        if any {
            let mut twice = twice.into_iter();
            entries.retain(|_| !twice.next().unwrap_or(false));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&YamlTag>, at: &YamlSpan) -> Node {
        let mut span = self.span(at);
        let written = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let (tag, kind) = match self.meaning(tag, at) {
            Meaning::Own(tag) => {
                span.start = span.start.min(tag.span.start);
                span.end = span.end.max(tag.span.end);
                (Some(tag), Kind::Text(text.to_owned()))
            }
            Meaning::None if written == Style::Plain => (None, self.typed(text, &span)),
            Meaning::None | Meaning::Text | Meaning::Core("str") => (None, Kind::Text(text.to_owned())),
            Meaning::Core(name) => {
                let kind = match (name, self.typed(text, &span)) {
                    ("float", Kind::Number(number)) => {
                        Kind::Number(number.as_f64().and_then(serde_json::Number::from_f64).unwrap_or(number))
                    }
                    ("int", Kind::Number(number)) if !number.is_f64() => Kind::Number(number),
                    ("null", Kind::Null) => Kind::Null,
                    ("bool", Kind::Bool(value)) => Kind::Bool(value),
                    (_, Kind::Hole) => Kind::Hole,
                    _ => {
                        self.report_mismatch(name, "this", at);
                        Kind::Hole
                    }
                };
                (None, kind)
            }
        };
        Node { span, tag, style: written, kind }
    }

    fn typed(&mut self, text: &str, span: &Span) -> Kind {
        let refusal = match scalar::plain(text) {
            Ok(kind) => return kind,
            Err(refusal) => refusal,
        };
        let (message, why) = match refusal {
            Refusal::NotFinite => ("is not a number that JSON can hold", "JSON has neither infinity nor NaN"),
            Refusal::IntegerTooLarge => {
                ("is an integer beyond ±9007199254740992", "beyond that, programs do not agree on the last digits")
            }
            Refusal::NumberTooLarge => ("is a number too large for JSON programs", "it would become infinite"),
        };
        self.report(
            Diagnostic::error(codes::NUMBER_OUT_OF_RANGE, format!("`{}` {message}", shorten(text)))
                .span(span.clone())
                .label(why)
                .fix(span.clone(), format!("\"{text}\""), "quote it if it is meant as text"),
        );
        Kind::Hole
    }

    fn meaning<'e>(&self, tag: Option<&'e YamlTag>, at: &YamlSpan) -> Meaning<'e> {
        let Some(tag) = tag else { return Meaning::None };
        if let Some(core) = tag.core_suffix() {
            return Meaning::Core(core);
        }
        if matches!(tag.parts(), ("" | "!", "" | "!")) {
            return Meaning::Text;
        }
        let name = match tag.parts() {
            ("!", name) => name.to_owned(),
            (_, _) => tag.original().trim_start_matches('!').to_owned(),
        };
        let span = at.tag_span().and_then(|span| span.byte_range()).map(|range| Span::new(self.file, range));
        Meaning::Own(Box::new(Tag { name, span: span.unwrap_or_else(|| self.span(at)) }))
    }

    fn charge(&mut self, weight: Weight, at: &YamlSpan) -> Result<(), Stop> {
        self.weight.add(weight);
        if !self.weight.is_too_much() {
            return Ok(());
        }
        let message = if self.weight.nodes > MAX_NODES {
            format!("more than {MAX_NODES} values")
        } else {
            format!("more than {} MiB of text", MAX_BYTES / (1024 * 1024))
        };
        let problem = Diagnostic::error(codes::YAML_TOO_LARGE, format!("the file holds {message}, counting aliases"));
        let problem = problem.span(self.span(at)).label("reading stopped here");
        self.report(problem.hint("split it into several files, and write out what aliases multiply"));
        Err(Stop)
    }

    fn span(&self, at: &YamlSpan) -> Span {
        Span::new(self.file, at.byte_range().unwrap_or(0..0))
    }

    fn report(&mut self, problem: Diagnostic) {
        self.diagnostics.push(problem);
    }

    fn report_mismatch(&mut self, tag: &str, what: &str, at: &YamlSpan) {
        let problem = Diagnostic::error(codes::TAG_MISMATCH, format!("`!!{tag}` does not fit {what}"));
        self.report(problem.span(self.span(at)));
    }

    fn report_syntax(&mut self, error: &ScanError) {
        let byte = error.marker().byte_offset().unwrap_or(self.text.len());
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            // The scanner runs ahead of the events and has a bound of its own.
            return self.report(too_deep(Span::new(self.file, byte..byte)));
        }
        if let Some(marker) = conflict(self.text)
            && marker.at.start <= byte
            && (marker.is_whole || byte <= marker.at.end)
        {
            let message = "a conflict marker of an unfinished merge".to_owned();
            // Alone it is a mistake as well, for it is what the YAML breaks at.
            let span = Span::new(self.file, marker.at.clone());
            return self.report(Marker { is_whole: true, ..marker }.problem(message).span(span));
        }
        let is_tab = self.text.get(byte..).is_some_and(|rest| rest.starts_with('\t'));
        let (message, hint) = in_words(&error.info(), is_tab);
        let mut problem = Diagnostic::error(codes::YAML_SYNTAX, message).span(Span::new(self.file, byte..byte));
        problem.hints.extend(hint.map(str::to_owned));
        self.report(problem);
    }
}

/// A mistake of syntax in the words of a person who writes YAML, and what to do about it.
fn in_words(info: &str, is_tab: bool) -> (String, Option<&'static str>) {
    let (message, hint) = if is_tab || info.contains("tab") {
        ("a tab is used to indent", "YAML is indented with spaces")
    } else if info.starts_with("mapping values are not allowed") {
        (
            "a `:` is not expected here",
            "check the indentation of this line and the one above, and quote a text that contains `: `",
        )
    } else if info.contains("did not find expected key") || info.contains("expected '-' indicator") {
        ("the indentation of this line fits none of the lines above", "indent it like the entries that it belongs to")
    } else if info.starts_with("simple key expected") {
        ("there is no `:` in this line", "write `key: value`, or indent the line if it continues the text above")
    } else if info.contains("indent") {
        ("the indentation of this line is wrong", "indent it like the lines that it belongs to")
    } else {
        return (format!("this is not valid YAML: {info}"), None);
    };
    (message.to_owned(), Some(hint))
}

/// The problem of a value that stands too deep.
pub fn too_deep(at: Span) -> Diagnostic {
    Diagnostic::error(codes::YAML_TOO_DEEP, format!("nested more than {MAX_DEPTH} levels deep"))
        .span(at)
        .hint("no config of the service is that deep: look for an unclosed bracket or a wrong indent")
}

fn duplicate(key: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_YAML_KEY, format!("the key `{}` is in this map twice", shorten(key)))
        .span(second)
        .label("the second")
        .other(first, "the first")
}

/// Adds what `<<` brought in: a key of the map itself goes before, and so does an earlier one of the list.
fn add_merged(entries: &mut Vec<Entry>, merged: Vec<Entry>) {
    if merged.is_empty() {
        return;
    }
    let mut known: std::collections::BTreeSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    entries.extend(merged.into_iter().filter(|entry| known.insert(entry.key.clone())));
}

/// A text for a message, cut so that a message stays a line.
pub fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}
