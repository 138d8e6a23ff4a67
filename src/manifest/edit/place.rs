//! Where things stand in the text of a file: nodes with their headers and dashes, lines, comments.

use std::ops::Range;

use super::super::tree::{Entry, Kind, Node, Style};
use super::write::Habit;
use crate::diagnostics::Span;

/// Where a value hangs in a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hold<'n> {
    /// It is a whole document.
    Document(&'n Node),
    /// In a map, at a position.
    Entry(&'n Node, usize),
    /// In a list, at a position.
    Item(&'n Node, usize),
}

/// Finds the value that was written at a span. Two values never share one, for a collection is longer than what it holds.
pub(super) fn locate<'n>(documents: &'n [Node], span: &Span) -> Option<Hold<'n>> {
    documents
        .iter()
        .find_map(|root| if root.span == *span { Some(Hold::Document(root)) } else { locate_below(root, span) })
}

fn locate_below<'n>(node: &'n Node, span: &Span) -> Option<Hold<'n>> {
    match &node.kind {
        Kind::Map(entries) => match entries.iter().position(|entry| entry.value.span == *span) {
            Some(index) => Some(Hold::Entry(node, index)),
            None => entries.iter().find_map(|entry| locate_below(&entry.value, span)),
        },
        Kind::List(items) => match items.iter().position(|item| item.span == *span) {
            Some(index) => Some(Hold::Item(node, index)),
            None => items.iter().find_map(|item| locate_below(item, span)),
        },
        _ => None,
    }
}

impl<'n> Hold<'n> {
    /// The value.
    pub fn node(self) -> Option<&'n Node> {
        match self {
            Self::Document(node) => Some(node),
            Self::Entry(map, index) => entries(map).get(index).map(|entry| &entry.value),
            Self::Item(list, index) => items(list).get(index),
        }
    }
}

/// The entries of a map.
pub(super) fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        Kind::Map(entries) => entries,
        _ => &[],
    }
}

/// The items of a list.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => &[],
    }
}

/// Whether a collection is written in brackets.
pub(super) fn is_flow(text: &str, node: &Node) -> bool {
    let start = node.tag.as_ref().map_or(node.span.start, |tag| tag.span.end);
    text.get(start..).is_some_and(|rest| rest.trim_start().starts_with(['{', '[']))
}

/// The bytes of a node, a block of text with its header and without the line feed that ends it; `None` where the header
/// cannot be found.
pub(super) fn range(text: &str, node: &Node) -> Option<Range<usize>> {
    if node.style != Style::Block {
        return Some(node.span.start..node.span.end);
    }
    let header = header(text, node.span.start)?;
    let keeps = text.get(header.clone())?.contains('+');
    let content = text.get(..node.span.end)?.trim_end_matches([' ', '\t']);
    let end = if keeps { content.strip_suffix('\n').unwrap_or(content) } else { content.trim_end() };
    let end = end.strip_suffix('\r').unwrap_or(end).len();
    Some(header.start..end.max(header.end))
}

/// The indicator of a block of text, found from its first word on: `|-`, `>2`.
fn header(text: &str, content: usize) -> Option<Range<usize>> {
    let above = text.get(..content)?;
    let above = above.get(..above.rfind('\n')?)?.trim_end();
    let line = line_start(text, above.len());
    let (at, _) = above.get(line..)?.char_indices().find(|(at, c)| {
        let rest = above.get(line + at..).unwrap_or_default();
        let before = above.get(..line + at).unwrap_or_default();
        matches!(c, '|' | '>') && before.ends_with([' ', '\t']) && is_header(rest)
    })?;
    let start = line + at;
    let length = above.get(start..)?.find([' ', '\t', '\r']).unwrap_or(above.len() - start);
    Some(start..start + length)
}

fn is_header(text: &str) -> bool {
    let mut words = text.splitn(2, [' ', '\t', '\r']);
    let indicator = words.next().unwrap_or_default();
    let rest = words.next().unwrap_or_default().trim();
    indicator.chars().skip(1).all(|c| c.is_ascii_digit() || matches!(c, '+' | '-'))
        && (rest.is_empty() || rest.starts_with('#'))
}

/// How a scalar is written.
pub(super) fn habit(text: &str, node: &Node) -> Habit {
    let Some(range) = range(text, node) else { return Habit::Plain };
    let written = text.get(range).unwrap_or_default();
    match (node.style, written.chars().next()) {
        (Style::Block, Some('>')) => {
            let width = written.lines().skip(1).map(|line| line.chars().count()).max().unwrap_or(0);
            Habit::Folded(width.max(80))
        }
        (Style::Block, _) => Habit::Literal,
        (_, Some('\'')) if matches!(node.kind, Kind::Text(_)) => Habit::Single,
        (_, Some('"')) if matches!(node.kind, Kind::Text(_)) => Habit::Double,
        _ => Habit::Plain,
    }
}

/// The byte behind the colon of an entry; `None` where key and colon do not share a line.
pub(super) fn behind_colon(text: &str, key: &Span) -> Option<usize> {
    let rest = text.get(key.end..)?;
    let colon = rest.find(':')?;
    rest.get(..colon)?.chars().all(|c| c == ' ' || c == '\t').then_some(key.end + colon + 1)
}

/// The dash of an item of a block list.
pub(super) fn dash(text: &str, item: &Node) -> Option<usize> {
    let start = range(text, item)?.start;
    // An anchor may stand between the dash and the value; anything else between them is not understood.
    let before = text.get(..start)?;
    let mut rest = before.trim_end();
    while !rest.ends_with('-') {
        let word = rest.rfind(char::is_whitespace)? + 1;
        let token = rest.get(word..)?;
        if !token.starts_with(['&', '!']) {
            return None;
        }
        rest = rest.get(..word)?.trim_end();
    }
    Some(rest.len() - 1)
}

/// The first byte of the line of a byte.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// The byte behind the last one of the line of a byte, its line end left out.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found);
    if text.get(at..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end }
}

/// The byte at which the next line begins.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found + 1)
}

/// The column of a byte, counted from 0.
pub(super) fn column(text: &str, at: usize) -> usize {
    text.get(line_start(text, at)..at).map_or(0, |before| before.chars().count())
}

/// Whether nothing but blanks stands before a byte on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    text.get(line_start(text, at)..at).is_some_and(|before| before.trim().is_empty())
}
