//! Changed values as a list: the path, what became of it, and below it what one line cannot hold. A list stays readable
//! on a telephone, where a table does not.

use super::hunks;
use super::line::{Comment, line};
use crate::render::put::put;
use crate::render::style::Glyphs;
use crate::render::values::{Delta, ItemMark};
use crate::render::view::{Item, Items, Line, Move, Program, Row, RowMark, Seen, Sides, Theirs};

/// Entries of a list, each deeper one inside the one before it.
pub(super) struct Bullets<'c> {
    pub(super) out: String,
    pub(super) medium: Comment<'c>,
}

impl Bullets<'_> {
    fn line(&self, of: &Line) -> String {
        line(of, &self.medium)
    }

    pub(super) fn bullet(&mut self, depth: usize, text: &str) {
        put(&mut self.out, format_args!("{:indent$}- {}\n", "", text.trim(), indent = depth * 2));
    }

    /// Lines inside of the entry before them.
    fn inside(&mut self, depth: usize, text: &str) {
        for line in text.trim_end_matches('\n').lines() {
            let indent = if line.is_empty() { 0 } else { depth * 2 };
            put(&mut self.out, format_args!("{:indent$}{line}\n", ""));
        }
    }

    pub(super) fn slot(&mut self, slot: &Move) {
        let Move { mark: sign, number, direction, from, to, remark, notes } = slot;
        let remark = remark.as_ref().map(|remark| format!(" ({})", self.line(remark))).unwrap_or_default();
        let (number, from, to) = (number.through(&self.medium), self.line(from), self.line(to));
        self.bullet(0, &format!("{}{number} {direction}: {from} → {to}{remark}", mark(*sign)));
        for note in notes {
            self.bullet(1, &self.line(note));
        }
    }

    pub(super) fn program(&mut self, program: &Program) {
        let Program { fate, rows, risk } = program;
        self.bullet(0, &format!("{}`verify` {fate}", mark(RowMark::Look)));
        for (name, texts) in rows {
            let texts: Vec<String> = texts.iter().map(|text| text.through(&self.medium)).collect();
            self.bullet(1, &format!("{name}: {}", texts.join(" ")));
        }
        self.bullet(1, &format!("<b>look twice: {risk}</b>"));
    }

    pub(super) fn rows(&mut self, depth: usize, rows: &[Row]) {
        for row in rows {
            self.row(depth, row);
        }
    }

    fn row(&mut self, depth: usize, row: &Row) {
        let Row { mark: sign, lead, path, remark, notes, sides, seen } = row;
        match lead {
            Some(lead) if depth == 0 => {
                let lead = self.line(lead);
                put(&mut self.out, format_args!("\n{lead}\n\n"));
            }
            Some(lead) => self.bullet(depth, &self.line(lead)),
            None => {}
        }
        let head = match sides {
            Some(sides) => format!("<b>{}</b>", sides.words()),
            None => self.headline(seen),
        };
        let path = if path.is_empty() { String::new() } else { path.through(&self.medium) };
        let between = if path.is_empty() || head.is_empty() { "" } else { " " };
        let remark = remark.as_ref().map(|remark| format!(" ({})", self.line(remark))).unwrap_or_default();
        self.bullet(depth, &format!("{}{path}{between}{head}{remark}", mark(*sign)));
        if let Some(sides) = sides {
            self.sides(depth + 1, sides, seen);
        }
        for note in notes {
            self.bullet(depth + 1, &self.line(note));
        }
        if sides.is_none() {
            self.body(depth + 1, seen);
        }
    }

    fn sides(&mut self, depth: usize, sides: &Sides, seen: &Seen) {
        match sides {
            Sides::Values(_, values) => {
                for (name, value) in values {
                    self.bullet(depth, &format!("{name}: {}", self.line(value)));
                }
                if matches!(seen, Seen::Turn { .. }) {
                    return;
                }
            }
            Sides::Changes(_, changes) => {
                for (name, change) in changes {
                    self.bullet(depth, &format!("{name}: {}", self.headline(change)));
                    self.body(depth + 1, change);
                }
            }
        }
        self.bullet(depth, &format!("from live to declared: {}", self.headline(seen)));
        self.body(depth + 1, seen);
    }

    /// What one line says of a value.
    fn headline(&self, seen: &Seen) -> String {
        match seen {
            Seen::Turn { before, after, delta } => {
                let before = before.as_ref().map(|before| format!("{} → ", self.line(before)));
                let delta = delta.as_ref().map(delta_text);
                format!("{}{}{}", before.unwrap_or_default(), self.line(after), delta.unwrap_or_default())
            }
            Seen::Note(note) => self.line(note),
            Seen::Prose { diff, after: _ } => diff.headline(Glyphs::UNICODE),
            Seen::Text { comes: _, size, text: _ } => self.line(size),
            Seen::Items(items) => self.items(items),
            Seen::Tree(_) => String::new(),
            Seen::Instead(before, after) => format!("{} → {}", self.headline(before), self.headline(after)),
        }
    }

    /// The items that are said by their name; others stand below.
    fn items(&self, list: &Items) -> String {
        let Items { items, unchanged, order } = list;
        let mut parts: Vec<String> =
            items.iter().filter(|item| item.seen.is_none()).map(|item| self.item(item)).collect();
        if !order.is_empty() {
            let order: Vec<String> = order.iter().map(|name| self.line(name)).collect();
            parts.push(format!("new order: {}", order.join(", ")));
        }
        let unchanged = if *unchanged > 0 { format!(" ({unchanged} unchanged)") } else { String::new() };
        format!("{}{unchanged}", parts.join(", ")).trim_start().to_owned()
    }

    fn item(&self, item: &Item) -> String {
        let sign = match item.mark {
            ItemMark::Added => "+",
            ItemMark::Removed => "−",
            ItemMark::Changed => "~",
        };
        format!("<b>{sign}</b> {}", self.line(&item.label))
    }

    /// What one line cannot hold.
    fn body(&mut self, depth: usize, seen: &Seen) {
        match seen {
            Seen::Turn { .. } | Seen::Note(_) => {}
            Seen::Prose { diff, after: _ } => self.inside(depth, &hunks::block(diff)),
            Seen::Text { comes, size: _, text } => self.inside(depth, &self.whole(*comes, text)),
            Seen::Tree(rows) => self.rows(depth, rows),
            Seen::Items(list) => {
                for item in &list.items {
                    let Some(inside) = &item.seen else { continue };
                    let head = self.headline(inside);
                    self.bullet(depth, &format!("{} {head}", self.item(item)));
                    self.body(depth + 1, inside);
                }
            }
            Seen::Instead(before, after) => {
                self.body(depth, before);
                self.body(depth, after);
            }
        }
    }

    /// A whole text in the colour of what comes or goes.
    fn whole(&self, comes: bool, text: &Theirs) -> String {
        let sign = if comes { '+' } else { '-' };
        let mut out = String::new();
        for line in text.lines() {
            for row in hunks::broken(&line.through(&self.medium)) {
                put(&mut out, format_args!("{}\n", format!("{sign} {row}").trim_end()));
            }
        }
        fenced("diff", &out)
    }
}

/// The mark in front of an entry.
fn mark(mark: RowMark) -> &'static str {
    match mark {
        RowMark::None => "",
        RowMark::Look => "<b>!</b> ",
        RowMark::Drift => "» ",
    }
}

fn delta_text(delta: &Delta) -> String {
    let percent = delta.percent.as_ref().map(|percent| format!(", {percent}")).unwrap_or_default();
    format!(" ({}{percent})", delta.by).replace('-', "−")
}

/// A block of code that ends where it should: its fence is longer than any run of backticks inside.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}
