//! A prompt's difference, twice: word by word, and side by side. The stylesheet shows the one that is chosen.

use super::escape::{line, put, spoken, text};
use crate::render::ladder::Rung;
use crate::render::prose::{Hunk, PartKind, ProseDiff};
use crate::render::style::Glyphs;
use crate::render::values::plural;

/// Changes that nobody sees are listed up to this many.
const INVISIBLE_SHOWN: usize = 20;

/// Which of the parts of a hunk a column shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Before,
    After,
}

/// The whole difference; nothing where this rung shows no hunks.
pub(super) fn difference(out: &mut String, diff: &ProseDiff, rung: &Rung) {
    if rung.hunks_per_text == 0 {
        return;
    }
    for moved in diff.moved.iter().take(rung.hunks_per_text) {
        put(out, format_args!("<p class=\"moved\">{}</p>\n", line(&moved.describe(Glyphs::UNICODE))));
    }
    if !diff.hunks.is_empty() {
        out.push_str("<div class=\"hunks\">\n");
    }
    for hunk in diff.hunks.iter().take(rung.hunks_per_text) {
        if hunk.unchanged_before > 0 {
            let words = plural(hunk.unchanged_before, "word", "words");
            put(out, format_args!("<p class=\"gap\">{words} unchanged</p>\n"));
        }
        let shown = hunk.shortened(rung.limits);
        put(out, format_args!("<p class=\"where\">{}</p>\n", line(&hunk.describe(Glyphs::UNICODE))));
        put(out, format_args!("<div class=\"words prose\">{}</div>\n", body(&shown, Side::Both)));
        put(
            out,
            format_args!(
                "<div class=\"sides\"><div class=\"prose\"><p class=\"side\">Before</p>{}</div>\
                 <div class=\"prose\"><p class=\"side\">After</p>{}</div></div>\n",
                column(&shown, Side::Before),
                column(&shown, Side::After)
            ),
        );
    }
    let more = diff.hunks.len().saturating_sub(rung.hunks_per_text);
    if more > 0 {
        put(out, format_args!("<p class=\"gap\">{}</p>\n", plural(more, "more change", "more changes")));
    }
    if !diff.hunks.is_empty() {
        out.push_str("</div>\n");
    }
    invisible(out, diff);
}

fn invisible(out: &mut String, diff: &ProseDiff) {
    if diff.invisible.is_empty() {
        return;
    }
    out.push_str("<ul class=\"unseen\">\n");
    for edit in diff.invisible.iter().take(INVISIBLE_SHOWN) {
        put(out, format_args!("<li>{}</li>\n", line(&edit.describe("→"))));
    }
    let more = diff.invisible.len().saturating_sub(INVISIBLE_SHOWN);
    if more > 0 {
        put(out, format_args!("<li>{more} more</li>\n"));
    }
    out.push_str("</ul>\n");
}

/// One side; a word for a side on which nothing stands.
fn column(hunk: &Hunk, side: Side) -> String {
    let of = body(hunk, side);
    if of.trim().is_empty() { "<span class=\"quiet\">nothing here</span>".to_owned() } else { of }
}

fn body(hunk: &Hunk, side: Side) -> String {
    let mut out = String::new();
    if hunk.opens_inside {
        out.push_str("<span class=\"quiet\">… </span>");
    }
    let last = hunk.parts.len().saturating_sub(1);
    for (index, part) in hunk.parts.iter().enumerate() {
        let hidden = match part.kind {
            PartKind::Remove => side == Side::After,
            PartKind::Add => side == Side::Before,
            PartKind::Keep | PartKind::Note => false,
        };
        let shown = part.shown(index == 0, index == last, &|count| "⏎".repeat(count));
        if hidden || shown.is_empty() {
            continue;
        }
        let shown = text(&shown);
        match part.kind {
            PartKind::Keep => out.push_str(&shown),
            PartKind::Remove => {
                put(&mut out, format_args!("<del>{}{shown}{}</del>", spoken("[removed: "), spoken("]")));
            }
            PartKind::Add => put(&mut out, format_args!("<ins>{}{shown}{}</ins>", spoken("[added: "), spoken("]"))),
            PartKind::Note => put(&mut out, format_args!("<span class=\"quiet\">⋯{shown}⋯</span>")),
        }
    }
    if hunk.closes_inside {
        out.push_str("<span class=\"quiet\"> …</span>");
    }
    out
}

/// A text as it is, to be read from its beginning.
pub(super) fn whole(out: &mut String, title: &str, of: &str) {
    put(
        out,
        format_args!(
            "<details class=\"whole\"><summary>{}</summary><div class=\"prose\">{}</div></details>\n",
            text(title),
            text(of.trim_end())
        ),
    );
}
