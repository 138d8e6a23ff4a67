//! A whole manifest as text, written as a person would write it: short values in their line, long ones as blocks, what is
//! left out named in a comment.

use serde_json::{Map, Value};

use super::edit::write::{Form, Habit, block_text, inline, key, scalar_text};

/// Widest line that a value is put on whole, and to which long texts are folded.
const WIDTH: usize = 118;

/// Widest map that is written in braces.
const INLINE_MAP: usize = 72;

/// Most entries of such a map.
const INLINE_ENTRIES: usize = 3;

/// Between a level and the next.
const STEP: usize = 2;

const BLOCK: Form = Form { json: false, flow: false };

/// A value of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// As it is: a number, a boolean, null, an empty list or object.
    Plain(Value),
    /// A text.
    Text(String, TextForm),
    /// `!secret NAME`.
    Secret(String),
    /// `!format …`, its braces doubled already.
    Format(String),
    /// `!file path`.
    File {
        /// The path as it is written, seen from the manifest.
        path: String,
        /// What the file holds.
        text: String,
    },
    /// A map.
    Map(Vec<Entry>),
    /// A map with a line for each entry, however short they are.
    Lines(Vec<Entry>),
    /// A list.
    List(Vec<Self>),
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// As a block if it has lines or is long.
    Laid,
    /// In double quotes.
    Quoted,
}

/// A line of a map.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A name with its value.
    Field(String, Piece),
    /// A comment.
    Note(String),
    /// An empty line.
    Gap,
}

impl Piece {
    /// What reading the piece gives, secrets by name.
    pub fn value(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(text, _) | Self::File { text, .. } => Value::String(text.clone()),
            Self::Secret(name) => Value::String(format!("!secret {name}")),
            Self::Format(text) => Value::String(format!("!format {}", text.replace("{{", "{").replace("}}", "}"))),
            Self::Map(entries) | Self::Lines(entries) => {
                let fields = entries.iter().filter_map(|entry| match entry {
                    Entry::Field(name, piece) => Some((name.clone(), piece.value())),
                    Entry::Note(_) | Entry::Gap => None,
                });
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Self::List(items) => Value::Array(items.iter().map(Self::value).collect()),
        }
    }

    /// The files behind the piece: what each is called where it is used, and what it holds.
    pub fn files<'p>(&'p self, out: &mut Vec<(&'p str, &'p str)>) {
        match self {
            Self::File { path, text } => out.push((path, text)),
            Self::Map(entries) | Self::Lines(entries) => {
                for entry in entries {
                    if let Entry::Field(_, piece) = entry {
                        piece.files(out);
                    }
                }
            }
            Self::List(items) => items.iter().for_each(|item| item.files(out)),
            Self::Plain(_) | Self::Text(..) | Self::Secret(_) | Self::Format(_) => {}
        }
    }

    /// The value on one line, if it is one that a person would write so.
    fn short(&self, form: Form) -> Option<String> {
        match self {
            Self::Plain(value) => Some(inline(value, form)),
            Self::Text(text, TextForm::Quoted) => Some(scalar_text(text, Habit::Double, form)),
            Self::Text(text, TextForm::Laid) => (!text.contains('\n')).then(|| scalar_text(text, Habit::Plain, form)),
            Self::Secret(name) => Some(format!("!secret {name}")),
            Self::Lines(_) => None,
            Self::File { path, .. } => Some(format!("!file {path}")),
            Self::Format(text) => (!text.contains('\n')).then(|| format!("!format {}", quoted(text))),
            Self::List(items) => {
                let form = Form { flow: true, ..form };
                let words: Option<Vec<String>> = items
                    .iter()
                    .map(|item| item.short(form).filter(|_| !matches!(item, Self::Map(_) | Self::List(_))))
                    .collect();
                words.map(|words| format!("[{}]", words.join(", ")))
            }
            Self::Map(entries) => {
                let form = Form { flow: true, ..form };
                let words: Option<Vec<String>> = entries.iter().map(|entry| entry.word(form)).collect();
                words.filter(|words| words.len() <= INLINE_ENTRIES).map(|words| format!("{{{}}}", words.join(", ")))
            }
        }
    }

    /// What stands behind `name:` or `-` at `column`, and the lines below it, indented by `indent`.
    fn laid(&self, column: usize, indent: usize) -> (String, Vec<String>) {
        let fits = |text: &String, most: usize| column + text.chars().count() <= most;
        match self {
            Self::Text(text, TextForm::Laid) => laid_text(text, column, indent),
            Self::Format(text) if text.contains('\n') => match block_text(text, Habit::Literal, indent) {
                Some(mut lines) => (format!("!format {}", lines.remove(0)), lines),
                None => (format!("!format {}", quoted(text)), Vec::new()),
            },
            Self::Lines(entries) => (String::new(), map_lines(entries, indent)),
            Self::Map(entries) if !entries.is_empty() => {
                match self.short(BLOCK).filter(|text| fits(text, INLINE_MAP)) {
                    Some(text) => (text, Vec::new()),
                    None => (String::new(), map_lines(entries, indent)),
                }
            }
            Self::List(items) if !items.is_empty() => match self.short(BLOCK).filter(|text| fits(text, WIDTH)) {
                Some(text) => (text, Vec::new()),
                None => (String::new(), items.iter().flat_map(|item| item.item_lines(indent)).collect()),
            },
            other => (other.short(BLOCK).unwrap_or_default(), Vec::new()),
        }
    }

    /// The lines of an item of a list, its dash at `indent`.
    fn item_lines(&self, indent: usize) -> Vec<String> {
        let dash = format!("{}-", " ".repeat(indent));
        // A map among others is written line by line, so that a change of it is one of its lines.
        let (head, mut lines) = match self {
            Self::Map(entries) if self.value().as_object().is_some_and(|map| !map.is_empty()) => {
                (String::new(), map_lines(entries, indent + STEP))
            }
            other => other.laid(indent + STEP, indent + STEP),
        };
        if !head.is_empty() {
            lines.insert(0, format!("{dash} {head}"));
            return lines;
        }
        match lines.first_mut() {
            Some(line) => *line = format!("{dash} {}", line.trim_start()),
            None => lines.push(format!("{dash} {{}}")),
        }
        lines
    }
}

impl Entry {
    fn word(&self, form: Form) -> Option<String> {
        let Self::Field(name, piece) = self else { return None };
        let is_simple = match piece {
            Piece::Map(entries) => entries.is_empty(),
            Piece::List(_) | Piece::Plain(_) | Piece::Secret(_) | Piece::Text(..) => true,
            Piece::Format(_) | Piece::File { .. } | Piece::Lines(_) => false,
        };
        piece.short(form).filter(|_| is_simple).map(|text| format!("{}: {text}", key(name, form)))
    }
}

/// A manifest as text.
pub fn manifest(entries: &[Entry]) -> String {
    let mut out = map_lines(entries, 0).join("\n");
    // A block that keeps its line feeds ends with them.
    out.push('\n');
    out
}

fn map_lines(entries: &[Entry], indent: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    let fields = entries.iter().filter(|entry| matches!(entry, Entry::Field(..))).count();
    let mut lines = Vec::new();
    if fields == 0 && indent > 0 {
        lines.push(format!("{pad}{{}}"));
    }
    for entry in entries {
        match entry {
            Entry::Gap => lines.push(String::new()),
            Entry::Note(text) => lines.extend(comment(text, indent)),
            Entry::Field(name, piece) => {
                let name = key(name, BLOCK);
                let (head, below) = piece.laid(indent + name.chars().count() + 2, indent + STEP);
                let blank = if head.is_empty() { "" } else { " " };
                let name = if name.chars().count() > LONGEST_SIMPLE_KEY { format!("? {name}\n{pad}") } else { name };
                lines.push(format!("{pad}{name}:{blank}{head}"));
                lines.extend(below);
            }
        }
    }
    lines
}

/// From here on YAML wants a key to be announced by a question mark.
const LONGEST_SIMPLE_KEY: usize = 1_000;

fn laid_text(text: &str, column: usize, indent: usize) -> (String, Vec<String>) {
    let one_line = scalar_text(text, Habit::Plain, BLOCK);
    let habit = match text.contains('\n') {
        true => Habit::Literal,
        false if column + one_line.chars().count() > WIDTH && text.contains(' ') => Habit::Folded(WIDTH),
        false => return (one_line, Vec::new()),
    };
    // Folded text ends without a line feed or with one; with blanks at its ends it stays in quotes.
    match block_text(text, habit, indent)
        .filter(|_| text.trim_end_matches('\n').trim() == text.trim_end_matches('\n') || habit == Habit::Literal)
    {
        Some(mut lines) => (lines.remove(0), lines),
        None => (one_line, Vec::new()),
    }
}

fn quoted(text: &str) -> String {
    scalar_text(text, Habit::Double, BLOCK)
}

/// A comment, whatever is in it, at the width of a page.
fn comment(text: &str, indent: usize) -> Vec<String> {
    let visible: String = text.chars().map(|c| if c.is_control() || is_break(c) { ' ' } else { c }).collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in visible.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && indent + line.chars().count() + word.chars().count() + 3 > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.into_iter().map(|line| format!("{}# {line}", " ".repeat(indent))).collect()
}

/// Line ends of YAML 1.1 and what orders text from right to left: neither belongs into a comment.
fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}
