//! Changed values: the path, what became of it, and below it what one line cannot hold.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::escape::{line, spoken, theirs};
use super::prose;
use crate::render::style::Glyphs;
use crate::render::values::{Delta, ItemMark};
use crate::render::view::{Items, Line, Row, RowMark, Seen, Sides, Theirs};

/// Bytes from which on a text that is on the page already is linked to, and not repeated.
const WORTH_A_LINK: usize = 400;

/// What is on the page already.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Long texts, with the number that each has in links.
    texts: BTreeMap<String, usize>,
    /// Whether any text is shown in two views.
    pub(super) has_sides: bool,
}

impl Shown {
    /// The text, or a link to where it is already: an equal prompt is read once.
    fn once(&mut self, text: Markup, class: &str) -> Markup {
        if text.0.len() < WORTH_A_LINK {
            return html! { div class=(class) { (text) } };
        }
        if let Some(number) = self.texts.get(&text.0) {
            return html! { p.quiet { "The same text is " a href={ "#text-" (number) } { "shown above" } "." } };
        }
        let number = self.texts.len() + 1;
        let out = html! { div class=(class) id={ "text-" (number) } { (text) } };
        self.texts.insert(text.0, number);
        out
    }
}

/// Whether a row or a number is looked at twice.
pub(super) fn is_looked_at(mark: RowMark) -> bool {
    match mark {
        RowMark::Look => true,
        RowMark::None | RowMark::Drift => false,
    }
}

/// Rows below each other.
pub(super) fn rows(rows: &[Row], shown: &mut Shown) -> Markup {
    html! { ul.values { @for entry in rows { (row(entry, shown)) } } }
}

fn row(row: &Row, shown: &mut Shown) -> Markup {
    let Row { mark, lead, path, remark, notes, sides, seen: value } = row;
    let is_short = sides.is_none() && matches!(value, Seen::Turn { .. } | Seen::Note(_));
    html! {
        li.look[is_looked_at(*mark)] {
            @if let Some(lead) = lead { p.note { (line(lead)) } }
            div.name {
                @if !path.is_empty() { span.path { (theirs(path)) } }
                @if is_short { (seen(value, shown)) }
                @if *mark == RowMark::Drift { span.changed { "changed on the service" } }
                @if let Some(sides) = sides { b.danger { (sides.words()) } }
                @if let Some(remark) = remark { span { (line(remark)) } }
            }
            @for note in notes { p.note { (line(note)) } }
            @if let Some(sides) = sides { (three(sides, value, shown)) } @else if !is_short { (seen(value, shown)) }
        }
    }
}

/// The sides of a conflict, and the way from what is live to what is declared where the sides do not say it.
fn three(sides: &Sides, value: &Seen, shown: &mut Shown) -> Markup {
    let says_all = matches!((sides, value), (Sides::Values(..), Seen::Turn { .. }));
    html! {
        @match sides {
            Sides::Values(_, values) => dl.three {
                @for (name, value) in values { div { dt { (name) } dd { (line(value)) } } }
            },
            Sides::Changes(_, changes) => {
                @for (name, change) in changes { div.side-of { p.quiet { (name) ":" } (seen(change, shown)) } }
            },
        }
        @if !says_all { div.side-of { p.quiet { "from live to declared:" } (seen(value, shown)) } }
    }
}

fn seen(seen: &Seen, shown: &mut Shown) -> Markup {
    match seen {
        Seen::Turn { before, after, delta } => turn(before.as_ref(), after, delta.as_ref()),
        Seen::Note(note) => html! { span.turn { (line(note)) } },
        Seen::Prose { diff, after } => {
            shown.has_sides |= !diff.hunks.is_empty();
            html! {
                p.quiet { (theirs(&Theirs::words(diff.headline(Glyphs::UNICODE)))) }
                (shown.once(prose::difference(diff), "hunks"))
                details.whole { summary { "Read the whole new text" } (shown.once(theirs(after), "prose")) }
            }
        }
        Seen::Text { comes, size, text } => html! {
            p { (line(size)) }
            (shown.once(theirs(text), if *comes { "prose new" } else { "prose gone" }))
        },
        Seen::Items(list) => items(list, shown),
        Seen::Tree(below) => rows(below, shown),
        Seen::Instead(before, after) => html! {
            (self::seen(before, shown))
            p.quiet { (spoken("becomes")) span aria-hidden="true" { "↓" } }
            (self::seen(after, shown))
        },
    }
}

fn turn(before: Option<&Line>, after: &Line, delta: Option<&Delta>) -> Markup {
    let delta = delta.map(|Delta { by, percent }| {
        let percent = percent.as_ref().map(|percent| format!(", {percent}")).unwrap_or_default();
        format!(" ({by}{percent})").replace('-', Glyphs::UNICODE.minus)
    });
    html! {
        span.turn {
            @if let Some(before) = before { (spoken("from ")) (line(before)) " → " (spoken("to ")) }
            (line(after))
            @if let Some(delta) = delta { small { (delta) } }
        }
    }
}

fn items(list: &Items, shown: &mut Shown) -> Markup {
    let Items { items, unchanged, order } = list;
    let word = |mark: ItemMark| match mark {
        ItemMark::Added => ("added", "added"),
        ItemMark::Removed => ("danger", "removed"),
        ItemMark::Changed => ("changed", "changed"),
    };
    html! {
        ul.items {
            @for item in items {
                @let (tone, what) = word(item.mark);
                li {
                    b class=(tone) { (what) } " " (line(&item.label))
                    @if let Some(inside) = &item.seen { " " (seen(inside, shown)) }
                }
            }
            @if !order.is_empty() {
                li { b.changed { "new order" } " " (line(&Line::joined(order.iter().cloned(), ", "))) }
            }
            @if *unchanged > 0 { li.quiet { (unchanged) " unchanged" } }
        }
    }
}
