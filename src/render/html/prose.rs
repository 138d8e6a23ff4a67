//! A prompt's difference, twice: word by word, and side by side. The stylesheet shows the one that is chosen.

use maud::{Markup, html};

use super::escape::{spoken, theirs};
use crate::render::prose::{Hunk, Part, PartKind, ProseDiff};
use crate::render::style::Glyphs;
use crate::render::values::plural;
use crate::render::view::Theirs;

/// Which of the parts of a hunk a column shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Before,
    After,
}

/// Two views of every changed text, and no script: the stylesheet asks which button is pressed.
pub(super) fn switch() -> Markup {
    html! {
        fieldset.switch {
            legend { "Show changed texts" }
            label { input #view-words type="radio" name="view" checked="checked"; " word by word" }
            label { input #view-sides type="radio" name="view"; " side by side" }
        }
    }
}

/// The whole difference.
pub(super) fn difference(diff: &ProseDiff) -> Markup {
    let words = |text: String| theirs(&Theirs::words(text));
    html! {
        @for moved in &diff.moved { p.moved { (words(moved.describe(Glyphs::UNICODE))) } }
        @for (index, hunk) in diff.hunks.iter().enumerate() {
            @if index > 0 && hunk.unchanged_before > 0 {
                p.gap { (plural(hunk.unchanged_before, "word", "words")) " unchanged" }
            }
            p.where { (words(hunk.describe(Glyphs::UNICODE))) }
            div.words.prose { (body(hunk, Side::Both)) }
            div.sides {
                div.prose { p.side { "Before" } (column(hunk, Side::Before)) }
                div.prose { p.side { "After" } (column(hunk, Side::After)) }
            }
        }
        @if !diff.invisible.is_empty() {
            ul.unseen { @for edit in &diff.invisible { li { (words(edit.describe(Glyphs::UNICODE.arrow))) } } }
        }
    }
}

/// One side; a word for a side on which there is nothing.
fn column(hunk: &Hunk, side: Side) -> Markup {
    let of = body(hunk, side);
    if of.0.trim().is_empty() {
        html! { span.quiet { "(nothing)" } }
    } else {
        of
    }
}

fn body(hunk: &Hunk, side: Side) -> Markup {
    let last = hunk.parts.len().saturating_sub(1);
    html! {
        @if hunk.opens_inside { span.quiet { "… " } }
        @for (index, part) in hunk.parts.iter().enumerate() { (set(part, index == 0, index == last, side)) }
        @if hunk.closes_inside { span.quiet { " …" } }
    }
}

fn set(part: &Part, first: bool, last: bool, side: Side) -> Markup {
    let shown = part.shown(first, last, &|count| "⏎".repeat(count));
    if shown.is_empty() {
        return html! {};
    }
    let shown = theirs(&Theirs::prose(shown));
    match (part.kind, side) {
        (PartKind::Remove, Side::After) | (PartKind::Add, Side::Before) => html! {},
        (PartKind::Keep, _) => shown,
        (PartKind::Remove, _) => html! { del { (spoken("[removed: ")) (shown) (spoken("]")) } },
        (PartKind::Add, _) => html! { ins { (spoken("[added: ")) (shown) (spoken("]")) } },
        (PartKind::Note, _) => html! { span.quiet { "⋯" (shown) "⋯" } },
    }
}
