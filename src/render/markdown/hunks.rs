//! A prompt's difference as `<pre>` with `<del>` and `<ins>`: the one form that GitHub neither colours by line nor reads
//! as Markdown.

use unicode_width::UnicodeWidthChar as _;

use super::escape::html;
use crate::render::ladder::Rung;
use crate::render::prose::{Hunk, PartKind, ProseDiff};
use crate::render::put::put;
use crate::render::style::Glyphs;
use crate::render::values::{grouped, plural};
use crate::render::visible;

/// A `<pre>` does not wrap, so its lines are broken here.
const COLUMNS: usize = 100;

/// Changes that nobody sees are listed up to this many.
const INVISIBLE_SHOWN: usize = 5;

/// The whole block; empty where this rung shows no hunks and nothing moved.
pub(super) fn block(diff: &ProseDiff, rung: &Rung) -> String {
    if rung.hunks_per_text == 0 {
        return String::new();
    }
    let mut out = String::new();
    for moved in diff.moved.iter().take(rung.hunks_per_text) {
        put(&mut out, format_args!("{}\n", html(&moved.describe(Glyphs::UNICODE))));
    }
    for (index, hunk) in diff.hunks.iter().take(rung.hunks_per_text).enumerate() {
        if index > 0 && hunk.unchanged_before > 0 {
            put(&mut out, format_args!("⋯ {} unchanged ⋯\n", plural(hunk.unchanged_before, "word", "words")));
        }
        let header = format!("@@ {}/{} · {} @@", index + 1, diff.hunks.len(), hunk.describe(Glyphs::UNICODE));
        put(&mut out, format_args!("{}\n{}\n", html(&header), body(&hunk.shortened(rung.limits))));
    }
    let more = diff.hunks.len().saturating_sub(rung.hunks_per_text);
    if more > 0 {
        put(&mut out, format_args!("⋯ {} ⋯\n", plural(more, "more hunk", "more hunks")));
    }
    if diff.hunks.is_empty() {
        for edit in diff.invisible.iter().take(INVISIBLE_SHOWN) {
            put(&mut out, format_args!("{}\n", html(&edit.describe("→"))));
        }
        let more = diff.invisible.len().saturating_sub(INVISIBLE_SHOWN);
        if more > 0 {
            put(&mut out, format_args!("… {} more\n", grouped(more)));
        }
    }
    pre(&out)
}

/// A new text, up to so many lines.
pub(super) fn new_text(text: &str, shown: usize) -> String {
    let mut writer = Writer::default();
    for line in text.lines().take(shown) {
        let cut: String = line.chars().take(4 * COLUMNS).collect();
        writer.text(&cut);
        if cut.len() < line.len() {
            writer.text("…");
        }
        writer.line_feed();
    }
    let left = text.lines().count().saturating_sub(shown);
    if left > 0 {
        writer.text(&format!("… {}", plural(left, "more line", "more lines")));
    }
    pre(&writer.out)
}

fn pre(content: &str) -> String {
    let content = content.trim_end_matches('\n');
    if content.is_empty() { String::new() } else { format!("<pre>\n{content}\n</pre>\n\n") }
}

/// The counts on one line.
pub(super) fn stats(diff: &ProseDiff) -> String {
    diff.headline(Glyphs::UNICODE)
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
