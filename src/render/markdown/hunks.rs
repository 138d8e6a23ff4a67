//! A prompt's difference as `<pre>` with `<del>` and `<ins>`: the one form that GitHub neither colours by line nor reads
//! as Markdown.

use unicode_width::UnicodeWidthChar as _;

use super::escape::html;
use super::ladder::Rung;
use super::page::put;
use crate::render::prose::{Hunk, Part, PartKind, ProseDiff};
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
        let section = moved.section.as_ref().map(|title| format!(" (§ {title})")).unwrap_or_default();
        let line = format!(
            "moved from line {} to {}{section}: {} (\"{} …\")",
            grouped(moved.from_line),
            grouped(moved.to_line),
            plural(moved.words, "word", "words"),
            visible::one_line(&moved.opening)
        );
        put(&mut out, format_args!("{}\n", html(&visible::one_line(&line))));
    }
    for (index, hunk) in diff.hunks.iter().take(rung.hunks_per_text).enumerate() {
        if index > 0 && hunk.unchanged_before > 0 {
            put(&mut out, format_args!("⋯ {} unchanged ⋯\n", plural(hunk.unchanged_before, "word", "words")));
        }
        let section = hunk.section.as_ref().map(|title| format!(" · § {title}")).unwrap_or_default();
        let header = format!(
            "@@ {}/{} · line {}{section} · −{} +{} words @@",
            index + 1,
            diff.hunks.len(),
            grouped(hunk.line),
            grouped(hunk.removed),
            grouped(hunk.added)
        );
        put(&mut out, format_args!("{}\n{}\n", html(&visible::one_line(&header)), body(&hunk.shortened(rung.limits))));
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
        let text = part_text(part, index == 0, index == last);
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

/// The text of a part. Blanks that alone change, and line feeds that go, are shown as glyphs.
fn part_text(part: &Part, first: bool, last: bool) -> String {
    let changed = matches!(part.kind, PartKind::Remove | PartKind::Add);
    if changed && part.text.trim().is_empty() {
        return visible::blanks(&part.text);
    }
    let mut text = part.text.as_str();
    if first {
        text = text.trim_start_matches(['\n', '\r']);
    }
    if last {
        text = text.trim_end_matches(['\n', '\r', ' ']);
    }
    let text = text.replace('\t', "  ");
    if part.kind != PartKind::Remove {
        return text;
    }
    let inner = text.trim_matches('\n');
    let feeds = |count: usize| "⏎".repeat(count);
    let leading = text.len() - text.trim_start_matches('\n').len();
    let trailing = text.len() - text.trim_end_matches('\n').len();
    format!("{}{inner}{}", feeds(leading), feeds(trailing))
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
