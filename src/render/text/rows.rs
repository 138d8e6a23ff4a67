//! Changed values as rows: the path, what became of it, and below it what one line cannot hold.

use unicode_width::UnicodeWidthStr as _;

use super::TextOptions;
use super::hunks;
use super::paper::{Paper, Span, Terminal, spans, width};
use crate::render::style::Detail;
use crate::render::values::{Delta, ItemMark, plural};
use crate::render::view::{Item, Items, Row, RowMark, Seen, Sides, Theirs};

/// Paths begin in this column; the mark stands two before.
pub(super) const PATH_COLUMN: usize = 6;
/// Longer paths have their value on a line of its own, so that one of them does not push all others to the right.
const LONGEST_ALIGNED: usize = 48;

/// The mark of a row.
pub(super) fn mark(mark: RowMark, options: &TextOptions) -> Span {
    match mark {
        RowMark::None => Span::plain(" "),
        RowMark::Look => Span::new(options.styles.danger, "!"),
        RowMark::Drift => Span::new(options.styles.changed, options.glyphs.drift),
    }
}

/// Rows whose paths begin in column `at`.
pub(super) fn rows(paper: &mut Paper, rows: &[Row], at: usize, options: &TextOptions) {
    // A path that holds others has its values below it, and aligns with nothing.
    let has_value = |row: &&Row| !matches!(row.seen, Seen::Tree(_));
    let column = rows
        .iter()
        .filter(has_value)
        .map(|row| row.path.through(&Terminal).width())
        .filter(|width| *width <= LONGEST_ALIGNED)
        .max()
        .unwrap_or(0);
    for row in rows {
        write(paper, row, at, column, options);
    }
}

fn write(paper: &mut Paper, row: &Row, at: usize, column: usize, options: &TextOptions) {
    let Row { mark: sign, lead, path, remark, notes, sides, seen } = row;
    let styles = &options.styles;
    if let Some(lead) = lead {
        paper.flow(at, at + 2, &spans(lead, options));
    }
    let mut value = match sides {
        Some(sides) => vec![Span::new(styles.danger, sides.words())],
        None => headline(seen, options),
    };
    if let Some(remark) = remark {
        value.push(Span::plain("  "));
        value.extend(spans(remark, options));
    }
    label(paper, &[mark(*sign, options), Span::plain(" "), Span::plain(&path.through(&Terminal))], at, column, value);
    let indent = at + 2;
    if let Some(sides) = sides {
        write_sides(paper, sides, seen, indent, options);
    }
    for note in notes {
        paper.flow(indent, indent + 2, &spans(note, options));
    }
    body(paper, indent, seen, options);
}

/// A path with its value, side by side where both fit.
fn label(paper: &mut Paper, start: &[Span; 3], at: usize, column: usize, value: Vec<Span>) {
    let path = width(start).saturating_sub(2);
    let fits = path <= LONGEST_ALIGNED && column + width(&value).min(24) + at <= paper.width();
    if !fits || value.is_empty() {
        paper.flow(at - 2, at + 2, start);
        if !value.is_empty() {
            paper.flow(at + 4, at + 6, &value);
        }
        return;
    }
    let padding = if path == 0 { 0 } else { column.saturating_sub(path) + 2 };
    let mut line = start.to_vec();
    line.push(Span::plain(&" ".repeat(padding)));
    line.extend(value);
    paper.flow(at - 2, at + column.min(LONGEST_ALIGNED) + 2, &line);
}

/// What one line says of a value.
fn headline(seen: &Seen, options: &TextOptions) -> Vec<Span> {
    let (styles, glyphs) = (&options.styles, &options.glyphs);
    match seen {
        Seen::Turn { before, after, delta } => {
            let mut line = Vec::new();
            if let Some(before) = before {
                line.extend(spans(before, options));
                line.push(Span::plain(&format!(" {} ", glyphs.arrow)));
            }
            line.extend(spans(after, options));
            line.extend(delta.as_ref().map(|delta| Span::new(styles.dim, &delta_text(delta, glyphs.minus))));
            line
        }
        Seen::Note(note) => spans(note, options),
        Seen::Prose { diff, after: _ } => vec![Span::plain(&diff.headline(*glyphs))],
        Seen::Text { comes: _, size, text: _ } => spans(size, options),
        Seen::Items(items) => items_headline(items, options),
        Seen::Tree(_) if options.detail != Detail::Summary => Vec::new(),
        Seen::Tree(_) => vec![Span::new(styles.dim, &plural(seen.changes(), "value", "values"))],
        Seen::Instead(before, after) => {
            let mut line = headline(before, options);
            line.push(Span::plain(&format!(" {} ", glyphs.arrow)));
            line.extend(headline(after, options));
            line
        }
    }
}

fn delta_text(delta: &Delta, minus: &str) -> String {
    let percent = delta.percent.as_ref().map(|percent| format!(", {percent}")).unwrap_or_default();
    format!("  ({}{percent})", delta.by).replace('-', minus)
}

fn items_headline(list: &Items, options: &TextOptions) -> Vec<Span> {
    let styles = &options.styles;
    let mut line = Vec::new();
    // Items that have more to show stand below.
    let is_here = |item: &&Item| item.seen.is_none() || options.detail == Detail::Summary;
    for item in list.items.iter().filter(is_here) {
        line.push(item_name(item, options));
        line.push(Span::plain("  "));
    }
    if !list.order.is_empty() {
        line.push(Span::new(styles.changed, "new order: "));
        for (index, name) in list.order.iter().enumerate() {
            line.extend((index > 0).then(|| Span::new(styles.changed, ", ")));
            line.extend(spans(name, options));
        }
        line.push(Span::plain("  "));
    }
    if list.unchanged > 0 {
        line.push(Span::glued(styles.dim, &format!("({} unchanged)", list.unchanged)));
    }
    line
}

/// `+ name`, `~ name (2 fields)`: on one line, unless it is a long value.
fn item_name(item: &Item, options: &TextOptions) -> Span {
    let styles = &options.styles;
    let (style, inside) = match item.mark {
        ItemMark::Added => (styles.added, String::new()),
        ItemMark::Removed => (styles.danger, String::new()),
        ItemMark::Changed => {
            let fields = item.seen.as_ref().map_or(0, Seen::changes);
            (styles.changed, format!(" ({})", plural(fields, "field", "fields")))
        }
    };
    let name: String = spans(&item.label, options).iter().map(Span::text).collect();
    Span::glued(style, &format!("{} {name}{inside}", item.mark.symbol()))
}

/// The sides of a conflict.
fn write_sides(paper: &mut Paper, sides: &Sides, seen: &Seen, indent: usize, options: &TextOptions) {
    let styles = &options.styles;
    match sides {
        Sides::Values(_, values) => {
            for (name, value) in values {
                let name = [Span::new(styles.dim, &format!("{name:<8}")), Span::plain("  ")];
                paper.flow(indent, indent + 10, &[name.to_vec(), spans(value, options)].concat());
            }
            if matches!(seen, Seen::Turn { .. }) {
                return;
            }
        }
        Sides::Changes(_, changes) => {
            for (name, change) in changes {
                let name = Span::new(styles.dim, &format!("{name}: "));
                paper.flow(indent, indent + 2, &[vec![name], headline(change, options)].concat());
                body(paper, indent + 2, change, options);
            }
        }
    }
    let name = Span::new(styles.dim, "from live to declared: ");
    paper.flow(indent, indent + 2, &[vec![name], headline(seen, options)].concat());
}

/// What one line cannot hold.
fn body(paper: &mut Paper, indent: usize, seen: &Seen, options: &TextOptions) {
    if options.detail == Detail::Summary {
        return;
    }
    match seen {
        Seen::Turn { .. } | Seen::Note(_) => {}
        Seen::Prose { diff, after: _ } => hunks::write(paper, indent, diff, options),
        Seen::Text { comes, size: _, text } => whole_text(paper, indent, *comes, text, options),
        Seen::Tree(below) => rows(paper, below, indent, options),
        Seen::Items(list) => {
            for item in &list.items {
                let Some(inside) = &item.seen else { continue };
                let mut line = vec![item_name(item, options)];
                if !matches!(inside, Seen::Tree(_)) {
                    line.push(Span::plain("  "));
                    line.extend(headline(inside, options));
                }
                paper.flow(indent, indent + 2, &line);
                body(paper, indent + 2, inside, options);
            }
        }
        Seen::Instead(before, after) => {
            body(paper, indent, before, options);
            body(paper, indent, after, options);
        }
    }
}

/// A text that comes, as it is; one that goes, each line with a sign.
fn whole_text(paper: &mut Paper, indent: usize, comes: bool, text: &Theirs, options: &TextOptions) {
    let styles = &options.styles;
    for line in text.lines() {
        let line = line.through(&Terminal);
        if comes {
            paper.flow(indent, indent + 2, &[Span::new(styles.dim, &line)]);
        } else {
            paper.flow(indent, indent + 2, &[Span::plain("- "), Span::new(styles.removed, &line)]);
        }
    }
}
