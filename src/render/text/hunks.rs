//! A prompt's difference on a terminal.

use anstyle::Style;

use super::TextOptions;
use super::paper::{Paper, Span};
use crate::render::prose::{Hunk, Part, PartKind, ProseDiff};
use crate::render::style::Detail;
use crate::render::values::plural;

/// Hunks, moves and invisible changes.
pub(super) fn write(paper: &mut Paper, indent: usize, diff: &ProseDiff, options: &TextOptions) {
    let (styles, glyphs) = (&options.styles, &options.glyphs);
    for moved in &diff.moved {
        let line = moved.describe(options.glyphs);
        paper.flow(indent, indent + 2, &[Span::new(styles.changed, &line)]);
    }
    for (index, hunk) in diff.hunks.iter().enumerate() {
        if index > 0 && hunk.unchanged_before > 0 {
            let line =
                format!("{} {} unchanged {}", glyphs.gap, plural(hunk.unchanged_before, "word", "words"), glyphs.gap);
            paper.flow(indent, indent, &[Span::new(styles.dim, &line)]);
        }
        let header =
            format!("@@ {}/{} {} {} @@", index + 1, diff.hunks.len(), glyphs.dot, hunk.describe(options.glyphs));
        paper.flow(indent, indent + 2, &[Span::new(styles.hunk, &header)]);
        write_hunk(paper, indent, hunk, options);
    }
    for line in diff.unseen(options.glyphs, options.detail == Detail::Full) {
        paper.flow(indent, indent + 2, &[Span::new(styles.changed, &line)]);
    }
}

fn write_hunk(paper: &mut Paper, indent: usize, hunk: &Hunk, options: &TextOptions) {
    let ellipsis = Span::new(options.styles.dim, options.glyphs.ellipsis);
    let mut lines: Vec<Vec<Span>> = vec![Vec::new()];
    let mut add = |line_feed: bool, span: Span| {
        if line_feed {
            lines.push(Vec::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push(span);
        }
    };
    if hunk.opens_inside {
        add(false, ellipsis.clone());
        add(false, Span::plain(" "));
    }
    let last = hunk.parts.len().saturating_sub(1);
    for (index, part) in hunk.parts.iter().enumerate() {
        let (style, open, close) = marks(part.kind, options);
        for (row, text) in rows(part, index == 0, index == last).iter().enumerate() {
            let text = if text.trim().is_empty() && part.kind != PartKind::Keep {
                String::new()
            } else {
                format!("{open}{}{close}", without_marks(text))
            };
            add(row > 0, Span::new(style, &text));
        }
    }
    if hunk.closes_inside {
        add(false, Span::plain(" "));
        add(false, ellipsis);
    }
    for line in lines.iter().filter(|line| super::paper::width(line) > 0) {
        paper.flow(indent, indent + 2, line);
    }
}

/// Removed and added words keep their marks in colour too: a colour is not seen by everybody, nor in every log.
fn marks(kind: PartKind, options: &TextOptions) -> (Style, &'static str, &'static str) {
    let styles = &options.styles;
    match kind {
        PartKind::Keep => (styles.dim, "", ""),
        PartKind::Remove => (styles.removed, "[-", "-]"),
        PartKind::Add => (styles.added, "{+", "+}"),
        PartKind::Note => (styles.dim, options.glyphs.gap, options.glyphs.gap),
    }
}

/// The text with a backslash in whatever would read as a mark of ours.
fn without_marks(text: &str) -> String {
    if !text.contains(['{', '}', '[', ']']) {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for (mark, shown) in [("{+", "{\\+"), ("+}", "+\\}"), ("[-", "[\\-"), ("-]", "-\\]")] {
        text = text.replace(mark, shown);
    }
    text
}

/// The lines of a part.
fn rows(part: &Part, first: bool, last: bool) -> Vec<String> {
    part.shown(first, last, &|count| "⏎".repeat(count)).split('\n').map(str::to_owned).collect()
}
