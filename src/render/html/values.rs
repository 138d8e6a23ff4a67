//! Changed values: their names as people say them, what they were and what they will be.

use super::escape::{code, put, sentence, spoken, text};
use super::prose;
use super::told::ToldField;
use crate::model::FieldPath;
use crate::plan::{Cause, Shown};
use crate::render::ladder::Rung;
use crate::render::prose::count_words;
use crate::render::style::Glyphs;
use crate::render::values::{Change, FieldEdit, ItemMark, ListChange, REMOVED, brief, plural};

/// Values below one value that are told one by one.
const NESTED_SHOWN: usize = 40;
/// A longer value is not repeated in an overview.
const OVERVIEW_LENGTH: usize = 24;
/// Lines of a new text that stand open; of the rest the reader opens the whole.
const NEW_TEXT_LINES: usize = 8;

/// A field as people say it: `Max call seconds` for `/config/agent/max_call_seconds`.
pub(super) fn name(path: &FieldPath) -> String {
    let last = path.last().unwrap_or("/").replace(['_', '-'], " ");
    let mut letters = last.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or(last)
}

/// What became of a value, for an overview.
pub(super) fn brief_change(change: &Change) -> String {
    let short = |of: &str| of.chars().count() <= OVERVIEW_LENGTH;
    match change {
        Change::Simple { before, after, .. } if short(before) && short(after) => {
            format!("{} → {}", text(before), text(after))
        }
        Change::Simple { .. } => "changes".to_owned(),
        Change::Note(note) => text(note),
        Change::Prose(diff) if diff.is_invisible() => "in its blanks".to_owned(),
        Change::Prose(diff) => format!("−{} +{} words", diff.stats.words_removed, diff.stats.words_added),
        Change::NewText(_) => "new text".to_owned(),
        Change::List(list) => list_counts(list),
        Change::Fields(fields) => plural(fields.len(), "value", "values"),
    }
}

fn list_counts(list: &ListChange) -> String {
    let count = |mark: ItemMark| list.items.iter().filter(|item| item.mark == mark).count();
    let parts: Vec<String> =
        [(ItemMark::Added, "added"), (ItemMark::Removed, "removed"), (ItemMark::Changed, "changed")]
            .into_iter()
            .filter(|(mark, _)| count(*mark) > 0)
            .map(|(mark, word)| format!("{} {word}", count(mark)))
            .collect();
    if parts.is_empty() { "in a new order".to_owned() } else { parts.join(", ") }
}

/// The fields of an agent, each a name with what became of it.
pub(super) fn fields(out: &mut String, told: &[&ToldField<'_>], rung: &Rung) {
    out.push_str("<dl class=\"values\">\n");
    for entry in told {
        field(out, entry, rung);
    }
    out.push_str("</dl>\n");
}

fn field(out: &mut String, told: &ToldField<'_>, rung: &Rung) {
    let field = told.field;
    let path = field.path.to_string();
    put(out, format_args!("<div><dt>{} {}</dt>\n<dd>\n", text(&name(&field.path)), code(&path)));
    if let Some(risk) = &field.risk {
        put(out, format_args!("<p class=\"risk\"><b>Look twice:</b> {}</p>\n", sentence(&risk.0)));
    }
    match field.cause {
        Cause::Conflict => three(out, told),
        Cause::Drift => {
            let last = field.applied.as_ref().filter(|applied| **applied != field.after);
            if let Some(last) = last {
                put(out, format_args!("<p class=\"quiet\">applied last: {}</p>\n", value(&brief(last))));
            }
        }
        Cause::Rollback => out.push_str("<p class=\"quiet\">rolled back by a person</p>\n"),
        Cause::Pending => {}
    }
    let is_told = field.cause == Cause::Conflict && matches!(told.change, Change::Simple { .. } | Change::Note(_));
    if !is_told {
        change(out, &told.change, told.is_new, rung);
    }
    if let (Change::Prose(_), Shown::Value(serde_json::Value::String(after)), None) =
        (&told.change, &field.after, rung.missing)
    {
        prose::whole(out, "Read the whole new text", after);
    }
    out.push_str("</dd></div>\n");
}

/// The three values of a conflict.
fn three(out: &mut String, told: &ToldField<'_>) {
    let field = told.field;
    let known = field.applied.as_ref().map_or_else(|| "not known".to_owned(), brief);
    out.push_str("<ul class=\"three\">\n");
    let rows = [("Applied last", known), ("Live now", brief(&field.before)), ("Declared in Git", brief(&field.after))];
    for (who, what) in rows {
        put(out, format_args!("<li><span>{who}</span> {}</li>\n", value(&what)));
    }
    out.push_str("</ul>\n");
    if !matches!(told.change, Change::Simple { .. } | Change::Note(_)) {
        out.push_str("<p class=\"quiet\">From what is live to what Git declares:</p>\n");
    }
}

/// What became of a value, with all that one line cannot hold.
fn change(out: &mut String, change: &Change, is_new: bool, rung: &Rung) {
    match change {
        Change::Simple { before, after, delta } => {
            let delta = delta.as_ref().map(|delta| {
                let percent = delta.percent.as_ref().map(|percent| format!(", {percent}")).unwrap_or_default();
                format!(" <small>({})</small>", text(&format!("{}{percent}", delta.by).replace('-', "−")))
            });
            let line = if is_new {
                format!("<ins>{}</ins>", value(after))
            } else {
                let end = if after == REMOVED {
                    "<b class=\"danger\">removed</b>".to_owned()
                } else {
                    format!("<ins>{}</ins>", value(after))
                };
                format!(
                    "{}<del>{}</del> <span aria-hidden=\"true\">→</span>{} {end}",
                    spoken("from "),
                    value(before),
                    spoken(" to ")
                )
            };
            put(out, format_args!("<p class=\"turn\">{line}{}</p>\n", delta.unwrap_or_default()));
        }
        Change::Note(note) => put(out, format_args!("<p class=\"turn\">{}</p>\n", text(note))),
        Change::Prose(diff) => {
            put(out, format_args!("<p class=\"quiet\">{}</p>\n", text(&diff.headline(Glyphs::UNICODE))));
            prose::difference(out, diff, rung);
        }
        Change::NewText(of) => new_text(out, of, rung),
        Change::List(of) => list(out, of, rung),
        Change::Fields(below) => nested(out, below, is_new, rung),
    }
}

fn new_text(out: &mut String, of: &str, rung: &Rung) {
    let lines = of.lines().count();
    let size = format!("new text, {}, {}", plural(lines, "line", "lines"), plural(count_words(of), "word", "words"));
    put(out, format_args!("<p class=\"quiet\">{}</p>\n", text(&size)));
    if rung.missing.is_none() && lines > NEW_TEXT_LINES {
        prose::whole(out, "Read the whole text", of);
    } else if rung.hunks_per_text > 0 {
        let start: Vec<&str> = of.lines().take(NEW_TEXT_LINES).collect();
        let start: String = start.join("\n").chars().take(2_000).collect();
        let more = if start.len() < of.trim_end().len() { " …" } else { "" };
        put(out, format_args!("<div class=\"prose new\">{}{more}</div>\n", text(&start)));
    }
}

fn list(out: &mut String, list: &ListChange, rung: &Rung) {
    let ListChange { items, unchanged, order } = list;
    out.push_str("<ul class=\"items\">\n");
    for item in items.iter().take(NESTED_SHOWN) {
        let (tone, word) = match item.mark {
            ItemMark::Added => ("added", "added"),
            ItemMark::Removed => ("danger", "removed"),
            ItemMark::Changed => ("changed", "changed"),
        };
        put(out, format_args!("<li><b class=\"{tone}\">{word}</b> {}\n", value(&item.label)));
        if item.mark == ItemMark::Changed {
            nested(out, &item.fields, false, rung);
        }
        out.push_str("</li>\n");
    }
    if items.len() > NESTED_SHOWN {
        put(out, format_args!("<li>{} more</li>\n", items.len() - NESTED_SHOWN));
    }
    if let Some(order) = order {
        put(out, format_args!("<li><b class=\"changed\">new order</b> {}</li>\n", code(&order.join(", "))));
    }
    if *unchanged > 0 {
        put(out, format_args!("<li class=\"quiet\">{unchanged} unchanged</li>\n"));
    }
    out.push_str("</ul>\n");
}

fn nested(out: &mut String, below: &[FieldEdit], is_new: bool, rung: &Rung) {
    out.push_str("<dl class=\"values nested\">\n");
    for FieldEdit { path, change: what } in below.iter().take(NESTED_SHOWN) {
        let name = path.to_string();
        let name = if name.is_empty() { "/".to_owned() } else { name };
        put(out, format_args!("<div><dt>{}</dt>\n<dd>\n", code(&name)));
        change(out, what, is_new, rung);
        out.push_str("</dd></div>\n");
    }
    if below.len() > NESTED_SHOWN {
        put(out, format_args!("<div><dt>more</dt><dd>{} more values</dd></div>\n", below.len() - NESTED_SHOWN));
    }
    out.push_str("</dl>\n");
}

/// A value on one line; words that stand for one are words.
fn value(of: &str) -> String {
    if of.starts_with('(') || of.starts_with("text of ") || of == "not known" { text(of) } else { code(of) }
}
