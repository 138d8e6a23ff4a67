//! A prompt's difference as `<pre>` with `<del>` and `<ins>`: the one form that GitHub neither colours by line nor reads
//! as Markdown.

use unicode_width::UnicodeWidthChar as _;

use super::escape::html;
use crate::render::prose::{Hunk, PartKind, ProseDiff};
use crate::render::put::put;
use crate::render::style::Glyphs;
use crate::render::values::plural;
use crate::render::visible;

/// A `<pre>` does not wrap, so its lines are broken here.
const COLUMNS: usize = 100;

/// All of it, for changed words are never cut.
pub(super) fn block(diff: &ProseDiff) -> String {
    let mut out = String::new();
    for moved in &diff.moved {
        put(&mut out, format_args!("{}\n", html(&moved.describe(Glyphs::UNICODE))));
    }
    for (index, hunk) in diff.hunks.iter().enumerate() {
        if index > 0 && hunk.unchanged_before > 0 {
            put(&mut out, format_args!("⋯ {} unchanged ⋯\n", plural(hunk.unchanged_before, "word", "words")));
        }
        let header = format!("@@ {}/{} · {} @@", index + 1, diff.hunks.len(), hunk.describe(Glyphs::UNICODE));
        put(&mut out, format_args!("{}\n{}\n", html(&header), body(hunk)));
    }
    for line in diff.unseen(Glyphs::UNICODE, false) {
        put(&mut out, format_args!("{}\n", html(&line)));
    }
    pre(&out)
}

/// A line, broken at blanks so that it need not be scrolled.
pub(super) fn broken(line: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut column = 0;
    for word in line.split_inclusive(' ') {
        let width: usize = word.chars().map(|c| c.width().unwrap_or(0)).sum();
        if column > 0 && column + width > COLUMNS {
            rows.push("  ".to_owned());
            column = 2;
        }
        if let Some(row) = rows.last_mut() {
            row.push_str(word);
        }
        column += width;
    }
    rows
}

fn pre(content: &str) -> String {
    let content = content.trim_end_matches('\n');
    if content.is_empty() { String::new() } else { format!("<pre>\n{content}\n</pre>\n") }
}

fn body(hunk: &Hunk) -> String {
    let mut writer = Writer::default();
    if hunk.opens_inside {
        writer.text("… ");
    }
    let last = hunk.parts.len().saturating_sub(1);
    for (index, part) in hunk.parts.iter().enumerate() {
        let text = part.shown(index == 0, index == last, &|count| "⏎".repeat(count));
        if text.is_empty() {
            continue;
        }
        let (open, close) = match part.kind {
            PartKind::Keep => ("", ""),
            PartKind::Remove => ("<del>", "</del>"),
            PartKind::Add => ("<ins><b>", "</b></ins>"),
            PartKind::Note => ("<i>⋯", "⋯</i>"),
        };
        writer.out.push_str(open);
        for (row, line) in text.split('\n').enumerate() {
            if row > 0 {
                writer.line_feed();
            }
            writer.text(line);
        }
        writer.out.push_str(close);
    }
    if hunk.closes_inside {
        writer.text(" …");
    }
    writer.out.trim_end_matches('\n').to_owned()
}

/// Escaped text, broken at blanks where a line is full.
#[derive(Default)]
struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let text = visible::one_line(text);
        for (index, word) in text.split(' ').enumerate() {
            let width: usize = word.chars().map(|c| c.width().unwrap_or(0)).sum();
            if index > 0 {
                if self.column + 1 + width > COLUMNS {
                    self.line_feed();
                    self.out.push_str("  ");
                    self.column = 2;
                } else {
                    self.out.push(' ');
                    self.column += 1;
                }
            }
            self.out.push_str(&html(word));
            self.column += width;
        }
    }

    fn line_feed(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }
}
