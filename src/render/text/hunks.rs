//! A prompt's difference on a terminal.

use anstyle::Style;

use super::TextOptions;
use super::paper::{Paper, Span};
use crate::render::prose::{Hunk, Part, PartKind, ProseDiff};
use crate::render::style::Detail;
use crate::render::values::{grouped, plural};

/// Changes that nobody sees are listed up to this many.
const INVISIBLE_SHOWN: usize = 5;

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
    // Beside hunks the count in the headline says enough, unless the blanks are all that changed.
    if diff.hunks.is_empty() || options.detail == Detail::Full {
        for edit in diff.invisible.iter().take(INVISIBLE_SHOWN) {
            paper.flow(indent, indent + 2, &[Span::new(styles.changed, &edit.describe(glyphs.arrow))]);
        }
        let more = diff.invisible.len().saturating_sub(INVISIBLE_SHOWN);
        if more > 0 {
            let line = format!("{} {} more", glyphs.ellipsis, grouped(more));
            paper.flow(indent, indent, &[Span::new(styles.dim, &line)]);
        }
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
                format!("{open}{text}{close}")
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

/// The lines of a part.
fn rows(part: &Part, first: bool, last: bool) -> Vec<String> {
    part.shown(first, last, &|count| "⏎".repeat(count)).split('\n').map(str::to_owned).collect()
}
