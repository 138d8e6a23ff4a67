//! JSON values as YAML text: scalars in the quotes that they had, texts as blocks, collections in block or flow.

use serde_json::{Map, Value};

use super::super::scalar;
use super::super::tree::Kind;

/// How text is written where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manifest) struct Form {
    /// Whether the file is JSON, which knows one kind of quotes and no block.
    pub json: bool,
    /// Whether it stands inside brackets.
    pub flow: bool,
}

/// Between a level of a block and the next.
pub(in crate::manifest) const STEP: usize = 2;

/// Longest list that is written within its line.
const INLINE_LIST: usize = 80;
/// Narrowest width to which a folded text is folded.
const NARROWEST_FOLD: usize = 40;

/// How a scalar was written before, so that it stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manifest) enum Habit {
    /// Without quotes, or not there.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// As a literal block.
    Literal,
    /// As a folded block of so many columns.
    Folded(usize),
}

/// A value on one line.
pub(in crate::manifest) fn inline(value: &Value, form: Form) -> String {
    match value {
        Value::String(text) => scalar_text(text, Habit::Plain, form),
        Value::Array(items) => {
            let form = Form { flow: true, ..form };
            format!("[{}]", items.iter().map(|item| inline(item, form)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let form = Form { flow: true, ..form };
            let entries = map.iter().map(|(name, value)| format!("{}: {}", key(name, form), inline(value, form)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A text on one line, in the quotes that it had where they can hold it.
pub(in crate::manifest) fn scalar_text(text: &str, habit: Habit, form: Form) -> String {
    let single = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match habit {
        _ if form.json => quoted(text),
        Habit::Single if text.chars().all(is_printable) => single(text),
        Habit::Plain | Habit::Literal | Habit::Folded(_) if is_plain(text, form) => text.to_owned(),
        _ => quoted(text),
    }
}

/// A key.
pub(in crate::manifest) fn key(name: &str, form: Form) -> String {
    if !form.json && is_plain(name, Form { flow: true, ..form }) { name.to_owned() } else { quoted(name) }
}

/// A text in double quotes. The escapes of JSON are those of YAML; what JSON leaves unseen is escaped as well.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        if is_printable(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format_unit(*unit));
            }
        }
    }
    out
}

fn format_unit(unit: u16) -> String {
    format!("\\u{unit:04x}")
}

/// Whether a character stands in YAML as itself, on one line.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text needs no quotes: it is read as the same text, by this program and by those that read YAML 1.1.
fn is_plain(text: &str, form: Form) -> bool {
    let is_text = scalar::plain(text).is_ok_and(|kind| matches!(kind, Kind::Text(_)));
    let old_words = ["yes", "no", "on", "off", "y", "n"];
    let first = text.chars().next().unwrap_or(' ');
    is_text
        && !old_words.contains(&text.to_ascii_lowercase().as_str())
        && text.trim() == text
        && !"-?:,[]{}#&*!|>'\"%@`=<~".contains(first)
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && text.chars().all(is_printable)
        && !(form.flow && text.contains([',', '[', ']', '{', '}', ':']))
}

/// The lines of a text as a block, its header first; `None` where a block cannot hold it.
pub(in crate::manifest) fn block_text(text: &str, habit: Habit, indent: usize) -> Option<Vec<String>> {
    let body = text.trim_end_matches('\n');
    let ends = text.len() - body.len();
    let fits =
        |line: &str| line.chars().all(|c| is_printable(c) || c == '\t') && (line.is_empty() || !line.trim().is_empty());
    if body.is_empty() || !body.split('\n').all(fits) || body.starts_with('\n') {
        return None;
    }
    let chomp = match ends {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let (sign, lines) = match habit {
        Habit::Folded(width) if can_fold(body) => (">", fold(body, width.saturating_sub(indent).max(NARROWEST_FOLD))),
        _ => ("|", body.split('\n').map(str::to_owned).collect()),
    };
    let digit = if body.starts_with([' ', '\t']) { STEP.to_string() } else { String::new() };
    let mut out = vec![format!("{sign}{digit}{chomp}")];
    out.extend(lines.into_iter().map(|line| indented(&line, indent)));
    // A kept block ends with as many line feeds as the text; the last one is the file's own.
    out.extend(std::iter::repeat_n(String::new(), ends.saturating_sub(1)));
    Some(out)
}

fn indented(line: &str, indent: usize) -> String {
    if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(indent)) }
}

/// Folding joins lines by one blank, so only a text whose lines neither begin nor end with blanks survives it.
fn can_fold(text: &str) -> bool {
    text.split('\n').all(|line| line.trim() == line)
}

fn fold(text: &str, width: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 && !(line.is_empty()) {
            // One line feed of the text is an empty line here.
            out.push(String::new());
        }
        if line.is_empty() {
            out.push(String::new());
            continue;
        }
        let mut current = String::new();
        let mut words = line.split(' ').peekable();
        while let Some(word) = words.next() {
            let next_is_blank = words.peek().is_some_and(|next| next.is_empty());
            if !current.is_empty() && !word.is_empty() && !current.ends_with(' ') {
                if current.chars().count() + 1 + word.chars().count() > width && !next_is_blank {
                    out.push(std::mem::take(&mut current));
                } else {
                    current.push(' ');
                }
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        out.push(current);
    }
    out
}

/// A value behind `key:` or `-`: what stands on that line, and the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::manifest) struct Written {
    /// On the line itself; empty where everything stands below.
    pub head: String,
    /// Below, with their indents.
    pub lines: Vec<String>,
}

impl Written {
    fn on_line(head: String) -> Self {
        Self { head, lines: Vec::new() }
    }
}

/// Writes a value in block style, its lines indented by `indent`.
pub(in crate::manifest) fn block(value: &Value, habit: Habit, indent: usize, form: Form) -> Written {
    if form.flow || form.json {
        return Written::on_line(match value {
            Value::String(text) => scalar_text(text, habit, form),
            other => inline(other, form),
        });
    }
    match value {
        Value::String(text) => {
            let wants_block = text.contains('\n') || matches!(habit, Habit::Literal | Habit::Folded(_));
            // In quotes a text stays in quotes, however many lines it has.
            let is_quoted = matches!(habit, Habit::Single | Habit::Double);
            match block_text(text, habit, indent).filter(|_| wants_block && !is_quoted) {
                Some(mut lines) => {
                    let head = lines.remove(0);
                    Written { head, lines }
                }
                None => Written::on_line(scalar_text(text, habit, form)),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let flow = inline(value, form);
            let is_simple = items.iter().all(|item| !item.is_object() && !item.is_array());
            if is_simple && flow.len() <= INLINE_LIST && items.iter().all(is_one_line) {
                return Written::on_line(flow);
            }
            Written {
                head: String::new(),
                lines: items.iter().flat_map(|item| item_lines(item, indent, form)).collect(),
            }
        }
        Value::Object(map) if !map.is_empty() => Written { head: String::new(), lines: map_lines(map, indent, form) },
        other => Written::on_line(inline(other, form)),
    }
}

fn is_one_line(value: &Value) -> bool {
    value.as_str().is_none_or(|text| !text.contains('\n'))
}

/// The lines of an item of a list, its dash at `indent`.
pub(in crate::manifest) fn item_lines(value: &Value, indent: usize, form: Form) -> Vec<String> {
    let written = block(value, Habit::Plain, indent + STEP, form);
    let dash = format!("{}-", " ".repeat(indent));
    let mut lines = written.lines;
    if !written.head.is_empty() {
        lines.insert(0, format!("{dash} {}", written.head));
        return lines;
    }
    // The first line of a map or a list stands behind the dash.
    let first = lines.first().map(|line| line.trim_start().to_owned()).unwrap_or_default();
    match lines.first_mut() {
        Some(line) => *line = format!("{dash} {first}"),
        None => lines.push(dash),
    }
    lines
}

/// The lines of an entry of a map, its key at `indent`.
pub(in crate::manifest) fn entry_lines(name: &str, value: &Value, indent: usize, form: Form) -> Vec<String> {
    let Written { head, mut lines } = block(value, Habit::Plain, indent + STEP, form);
    let blank = if head.is_empty() { "" } else { " " };
    lines.insert(0, format!("{}{}:{blank}{head}", " ".repeat(indent), key(name, form)));
    lines
}

fn map_lines(map: &Map<String, Value>, indent: usize, form: Form) -> Vec<String> {
    map.iter().flat_map(|(name, value)| entry_lines(name, value, indent, form)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Diagnostics, SourceMap};
    use crate::manifest::{lower, yaml};
    use serde_json::json;

    const BLOCK: Form = Form { json: false, flow: false };

    fn read(text: &str) -> Value {
        let mut sources = SourceMap::default();
        let mut problems = Diagnostics::new();
        let file = sources.add("x.yaml", text);
        let mut documents = yaml::parse(file, text, &mut problems);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        lower::into_value(documents.pop().unwrap().root)
    }

    #[test]
    fn every_text_is_read_as_it_was_meant_in_whatever_way_it_is_written() {
        let texts = [
            "plain",
            "",
            " ",
            "yes",
            "null",
            "1",
            "+15551234567",
            "a: b",
            "a #b",
            "- x",
            "it's",
            "\"q\"",
            "a\nb",
            "a\nb\n",
            "a\nb\n\n",
            "  two\n lines",
            "\n",
            "\nx",
            "tab\there",
            "é\u{2028}x",
            "\u{feff}x",
            "a\u{7}b",
            "x\r\ny",
            "# no",
            "word word  word   word",
            "a\n\nb\n\n\nc",
            "line one\nline two\n",
            "[a]",
            "{a}",
            "a, b",
            "!x",
            "&x",
            "*x",
            "=",
            "<<",
            "~",
            "a:",
            "...",
            "---",
            "%a",
            "@a",
            "`a",
            "0x10",
            "1e3",
            ".inf",
            "trailing \nline",
            "💥\n💥",
        ];
        let habits = [Habit::Plain, Habit::Single, Habit::Double, Habit::Literal, Habit::Folded(60)];
        for text in texts {
            for habit in habits {
                let Written { head, lines } = block(&json!(text), habit, 4, BLOCK);
                let whole = format!("a:\n  k: {head}\n{}\nz: 1\n", lines.join("\n"));
                assert_eq!(read(&whole), json!({"a": {"k": text}, "z": 1}), "{text:?} {habit:?}\n{whole}");
                let flow = scalar_text(text, habit, Form { flow: true, json: false });
                assert_eq!(read(&format!("[{flow}, 1]")), json!([text, 1]), "{text:?} {habit:?}");
            }
            assert_eq!(read(&format!("{}: 1", key(text, BLOCK))), json!({text: 1}), "{text:?}");
        }
    }

    #[test]
    fn collections_are_read_as_they_were_meant() {
        let value =
            json!({"a": [{"b": 1, "c": ["x", "y\nz"]}, [1, [2]], {}, [], "t"], "d": {"e": {"f": null}}, "g": 1.5});
        let lines = entry_lines("k", &value, 2, BLOCK);
        assert_eq!(read(&format!("r:\n{}\n", lines.join("\n"))), json!({"r": {"k": value}}), "{}", lines.join("\n"));
        assert_eq!(read(&inline(&value, Form { json: true, flow: true })), value);
        assert_eq!(serde_json::from_str::<Value>(&inline(&value, Form { json: true, flow: true })).unwrap(), value);
    }

    #[test]
    fn long_prose_is_folded_to_its_width() {
        let text = "One two three four five six seven eight nine ten eleven twelve.\nSecond line.";
        let lines = block_text(text, Habit::Folded(44), 4).unwrap();
        assert!(lines.iter().all(|line| line.len() <= 44), "{lines:#?}");
        assert_eq!(lines[0], ">-");
    }
}
