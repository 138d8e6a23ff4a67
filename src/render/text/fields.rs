//! Changed values as rows: the path, what became of it, and below it what one line cannot hold.

use unicode_width::UnicodeWidthStr as _;

use super::TextOptions;
use super::hunks;
use super::paper::{Paper, Span};
use crate::model::FieldPath;
use crate::plan::{Action, AgentChange, Cause, FieldChange, KeptEdit, Shown};
use crate::render::prose::count_words;
use crate::render::style::Detail;
use crate::render::values::{Change, FieldEdit, ItemMark, ListChange, NONE, REMOVED, brief, plural};
use crate::render::visible;

/// Paths begin in this column; the mark stands two before.
pub(super) const PATH_COLUMN: usize = 6;
/// Longer paths have their value on a line of its own, so that one of them does not push all others to the right.
const LONGEST_ALIGNED: usize = 48;
/// Lines of a new text that are shown; the rest is in the pull request already.
const NEW_TEXT_LINES: usize = 6;

/// All fields of a change.
pub(super) fn write(paper: &mut Paper, change: &AgentChange, options: &TextOptions) {
    let column = column(change.fields.iter().map(|field| &field.path));
    for field in &change.fields {
        row(paper, change, field, column, options);
    }
}

/// The width of the column of paths.
pub(super) fn column<'f>(paths: impl Iterator<Item = &'f FieldPath>) -> usize {
    paths.map(|path| path.to_string().width()).filter(|width| *width <= LONGEST_ALIGNED).max().unwrap_or(0)
}

fn row(paper: &mut Paper, agent: &AgentChange, field: &FieldChange, column: usize, options: &TextOptions) {
    let FieldChange { path, kind: _, cause, before, after, applied, removal: _, risk } = field;
    let styles = &options.styles;
    let mark = match (cause, risk) {
        (Cause::Conflict, _) | (_, Some(_)) => Span::new(styles.danger, "!"),
        (Cause::Drift, None) => Span::new(styles.changed, options.glyphs.drift),
        (Cause::Pending | Cause::Rollback, None) => Span::plain(" "),
    };
    let change = Change::of(before, after);
    let is_new = agent.action == Action::Create && *before == Shown::Absent;
    let mut value = headline(&change, is_new, options);
    if *cause == Cause::Drift && risk.is_some() {
        value.push(Span::plain("  "));
        value.push(Span::glued(styles.changed, "changed on the service"));
    }
    if *cause == Cause::Conflict {
        value = vec![Span::new(styles.danger, "conflict: changed in Git and on the service")];
    }
    label(paper, &mark, &path.to_string(), column, value);
    let indent = PATH_COLUMN + 2;
    if *cause == Cause::Conflict {
        let known = applied.as_ref().map_or_else(|| "(not known)".to_owned(), brief);
        for (name, text) in [("applied ", known), ("live    ", brief(before)), ("declared", brief(after))] {
            paper.flow(indent, indent + 10, &[Span::new(styles.dim, name), Span::plain("  "), Span::plain(&text)]);
        }
        if has_body(&change) {
            let line = [Span::new(styles.dim, "from live to declared: ")];
            let rest = headline(&change, false, options);
            paper.flow(indent, indent + 2, &[line.as_slice(), rest.as_slice()].concat());
        }
    } else if let Some(applied) = applied.as_ref().filter(|applied| *applied != after) {
        let line = format!("applied last: {}", brief(applied));
        paper.flow(indent, indent + 2, &[Span::new(styles.dim, &line)]);
    }
    if let Some(risk) = risk {
        let line = format!("look twice: {}", risk.0);
        paper.flow(indent, indent + 2, &[Span::new(styles.danger, &line)]);
    }
    body(paper, indent, &change, options);
}

/// A path with its value, side by side where both fit.
/// How many paths of live edits are named on a line.
const KEPT_SHOWN: usize = 3;

/// The paths of live edits that no manifest names, the first few of them.
pub(super) fn kept_paths(kept: &[KeptEdit]) -> String {
    let mut paths: Vec<String> =
        kept.iter().map(|edit| &edit.path).take(KEPT_SHOWN).map(FieldPath::to_string).collect();
    if kept.len() > paths.len() {
        paths.push(format!("{} more", kept.len() - paths.len()));
    }
    paths.join(", ")
}

pub(super) fn label(paper: &mut Paper, mark: &Span, path: &str, column: usize, value: Vec<Span>) {
    let path = visible::one_line(path);
    let padding = column.saturating_sub(path.width()) + 2;
    let start = [mark.clone(), Span::plain(" "), Span::plain(&path)];
    let indent = PATH_COLUMN - 2;
    if path.width() > LONGEST_ALIGNED || column + super::paper::width(&value).min(24) + PATH_COLUMN > paper.width() {
        paper.flow(indent, PATH_COLUMN + 2, &start);
        paper.flow(PATH_COLUMN + 4, PATH_COLUMN + 6, &value);
        return;
    }
    let mut spans = start.to_vec();
    spans.push(Span::plain(&" ".repeat(padding)));
    spans.extend(value);
    paper.flow(indent, PATH_COLUMN + column.min(LONGEST_ALIGNED) + 2, &spans);
}

/// What one line says of a change.
pub(super) fn headline(change: &Change, is_new: bool, options: &TextOptions) -> Vec<Span> {
    let (styles, glyphs) = (&options.styles, &options.glyphs);
    match change {
        Change::Simple { before, after, delta } => {
            let mut spans = Vec::new();
            if !is_new {
                let style = if before == NONE { styles.dim } else { styles.removed };
                spans.push(Span::new(if styles.is_colored() { style } else { styles.dim }, before));
                spans.push(Span::plain(&format!(" {} ", glyphs.arrow)));
            }
            let style = if after == REMOVED { styles.danger } else { styles.added };
            spans.push(Span::new(style, after));
            if let Some(delta) = delta {
                let percent = delta.percent.as_ref().map(|percent| format!(", {percent}")).unwrap_or_default();
                let text = format!("  ({}{percent})", delta.by).replace('-', glyphs.minus);
                spans.push(Span::new(styles.dim, &text));
            }
            spans
        }
        Change::Note(note) => vec![Span::new(styles.changed, note)],
        Change::Prose(diff) => vec![Span::plain(&hunks::stats(diff, options))],
        Change::NewText(text) => {
            let lines = plural(text.lines().count(), "line", "lines");
            let words = plural(count_words(text), "word", "words");
            vec![Span::new(styles.added, &format!("new text, {lines}, {words}"))]
        }
        Change::List(list) => list_headline(list, options),
        Change::Fields(fields) => vec![Span::plain(&plural(fields.len(), "value changes", "values change"))],
    }
}

fn list_headline(list: &ListChange, options: &TextOptions) -> Vec<Span> {
    let ListChange { items, unchanged, order } = list;
    let styles = &options.styles;
    let mut spans = Vec::new();
    for item in items {
        let style = match item.mark {
            ItemMark::Added => styles.added,
            ItemMark::Removed => styles.danger,
            ItemMark::Changed => styles.changed,
        };
        let inside = match item.mark {
            ItemMark::Changed => format!(" ({})", plural(item.fields.len(), "field", "fields")),
            ItemMark::Added | ItemMark::Removed => String::new(),
        };
        spans.push(Span::glued(style, &format!("{} {}{inside}", item.mark.symbol(), item.label)));
        spans.push(Span::plain("  "));
    }
    if let Some(order) = order {
        spans.push(Span::new(styles.changed, &format!("new order: {}", order.join(", "))));
        spans.push(Span::plain("  "));
    }
    if *unchanged > 0 {
        spans.push(Span::glued(styles.dim, &format!("({unchanged} unchanged)")));
    }
    if spans.is_empty() {
        spans.push(Span::plain("[]"));
    }
    spans
}

fn has_body(change: &Change) -> bool {
    !matches!(change, Change::Simple { .. } | Change::Note(_))
}

/// What one line cannot hold.
pub(super) fn body(paper: &mut Paper, indent: usize, change: &Change, options: &TextOptions) {
    if options.detail == Detail::Summary {
        return;
    }
    match change {
        Change::Simple { .. } | Change::Note(_) => {}
        Change::Prose(diff) => hunks::write(paper, indent, diff, options),
        Change::NewText(text) => new_text(paper, indent, text, options),
        Change::Fields(fields) => nested(paper, indent, fields, options),
        Change::List(list) => {
            for item in &list.items {
                let shown = match item.mark {
                    ItemMark::Changed => true,
                    // What a new item holds is in the manifest; who wants it here asks for everything.
                    ItemMark::Added => options.detail == Detail::Full && !item.fields.is_empty(),
                    ItemMark::Removed => false,
                };
                if shown {
                    let line = format!("{} {}", item.mark.symbol(), item.label);
                    paper.flow(indent, indent + 2, &[Span::new(options.styles.changed, &line)]);
                    nested(paper, indent + 2, &item.fields, options);
                }
            }
        }
    }
}

fn nested(paper: &mut Paper, indent: usize, fields: &[FieldEdit], options: &TextOptions) {
    for FieldEdit { path, change } in fields {
        let path = path.to_string();
        let mut spans = vec![Span::plain(&path), Span::plain(if path.is_empty() { "" } else { "  " })];
        spans.extend(headline(change, false, options));
        paper.flow(indent, indent + 4, &spans);
        body(paper, indent + 2, change, options);
    }
}

fn new_text(paper: &mut Paper, indent: usize, text: &str, options: &TextOptions) {
    let shown = if options.detail == Detail::Full { usize::MAX } else { NEW_TEXT_LINES };
    for line in text.lines().take(shown) {
        // A line of a prompt may be a page long.
        let cut: String = line.chars().take(if shown == usize::MAX { usize::MAX } else { 4 * paper.width() }).collect();
        let more = if cut.len() < line.len() { options.glyphs.ellipsis } else { "" };
        let spans = [Span::new(options.styles.dim, &cut), Span::new(options.styles.dim, more)];
        paper.flow(indent, indent + 2, &spans);
    }
    let left = text.lines().count().saturating_sub(shown);
    if left > 0 {
        let line = format!("{} {}", options.glyphs.ellipsis, plural(left, "more line", "more lines"));
        paper.flow(indent, indent, &[Span::new(options.styles.dim, &line)]);
    }
}
