//! Changed values of one agent: a table for what fits into one, a block for what does not.

use super::escape::{code, sentence};
use super::hunks;
use crate::plan::{Action, AgentChange, Cause, FieldChange, Shown, SlotTarget};
use crate::render::ladder::Rung;
use crate::render::prose::count_words;
use crate::render::put::put;
use crate::render::values::{Change, FieldEdit, ItemMark, LONG_TEXT, ListChange, NONE, REMOVED, brief, plural};
use crate::render::{verify, words};

/// Lines of a new text that are shown; the file is in the pull request.
const NEW_TEXT_LINES: usize = 6;
/// Values below one value that are told one by one.
const NESTED_SHOWN: usize = 20;
/// Values of an agent that a row of the overview names.
const OVERVIEW_FIELDS: usize = 4;

/// The change of an agent with each of its values compared.
pub(super) struct Told<'p> {
    pub(super) change: &'p AgentChange,
    fields: Vec<(&'p FieldChange, Change)>,
}

impl<'p> Told<'p> {
    pub(super) fn of(change: &'p AgentChange) -> Self {
        let told = |field: &'p FieldChange| (field, Change::of(&field.before, &field.after));
        Self { change, fields: change.fields.iter().map(told).collect() }
    }
}

/// The overview of an agent's changes for one cell: `` `instructions` −12 +29 words · `temperature` 0.7 → 0.4 ``.
pub(super) fn overview(told: &Told<'_>) -> String {
    let change = told.change;
    let mut parts: Vec<String> = Vec::new();
    match change.action {
        Action::Create => parts.push("new agent".to_owned()),
        Action::Delete => parts.push("**deleted**".to_owned()),
        Action::Adopt => parts.push("adopted as it is".to_owned()),
        Action::Update => {
            if let Some(old) = &change.moved_from {
                parts.push(format!("was {}", code(old.as_str())));
            }
            if change.adopts {
                parts.push("adopted".to_owned());
            }
            // Risks first: what the cell leaves out at the end matters least.
            let (risky, others): (Vec<_>, Vec<_>) =
                told.fields.iter().partition(|(field, _)| field.risk.is_some() || field.cause == Cause::Conflict);
            let named = risky.iter().chain(&others).take(OVERVIEW_FIELDS);
            parts.extend(named.map(|(field, told)| overview_field(field, told)));
            let more = change.fields.len().saturating_sub(OVERVIEW_FIELDS);
            if more > 0 {
                parts.push(format!("{more} more"));
            }
        }
    }
    if let Some(becomes) = &change.verify {
        parts.push(format!("**`verify` {}**", verify::fate(becomes)));
    }
    let moves = change.numbers.iter().filter(|slot| !slot.follows);
    let (emptied, moved): (Vec<_>, Vec<_>) = moves.partition(|slot| slot.to == SlotTarget::Empty);
    if !moved.is_empty() {
        parts.push(format!("**{}**", plural(moved.len(), "phone slot moves", "phone slots move")));
    }
    if !emptied.is_empty() {
        parts.push(format!("**{}**", plural(emptied.len(), "phone slot is emptied", "phone slots are emptied")));
    }
    if change.held.is_some() {
        parts.push("**held**".to_owned());
    }
    if parts.is_empty() { "only what reachform records about it".to_owned() } else { parts.join(" · ") }
}

fn overview_field(field: &FieldChange, told: &Change) -> String {
    let name = code(field.path.last().unwrap_or("/"));
    let text = match told {
        Change::Simple { before, after, .. } => {
            let short = |text: &str| text.chars().count() <= 24;
            if short(before) && short(after) { format!("{name} {} → {}", value(before), value(after)) } else { name }
        }
        Change::Note(note) => format!("{name} {note}"),
        Change::Prose(diff) if diff.is_invisible() => format!("{name} blanks"),
        Change::Prose(diff) => {
            format!("{name} −{} +{} words", diff.stats.words_removed, diff.stats.words_added)
        }
        Change::NewText(_) => format!("{name} new text"),
        Change::List(list) => format!("{name} {}", list_counts(list)),
        Change::Fields(fields) => format!("{name} {}", plural(fields.len(), "value", "values")),
    };
    match (field.cause, &field.risk) {
        (Cause::Conflict, _) => format!("**{text} (conflict)**"),
        (_, Some(_)) => format!("**{text}**"),
        (Cause::Drift, None) => format!("{text} (drift)"),
        (Cause::Pending | Cause::Rollback, None) => text,
    }
}

fn list_counts(list: &ListChange) -> String {
    let count = |mark: ItemMark| list.items.iter().filter(|item| item.mark == mark).count();
    let parts: Vec<String> = [(ItemMark::Added, "+"), (ItemMark::Removed, "−"), (ItemMark::Changed, "~")]
        .into_iter()
        .filter(|(mark, _)| count(*mark) > 0)
        .map(|(mark, sign)| format!("{sign}{}", count(mark)))
        .collect();
    if parts.is_empty() { "new order".to_owned() } else { parts.join(" ") }
}

/// The fields of one agent.
pub(super) fn details(told: &Told<'_>, rung: &Rung) -> String {
    let change = told.change;
    let is_new = |field: &FieldChange| change.action == Action::Create && field.before == Shown::Absent;
    let mut rows = Vec::new();
    let mut conflicts = Vec::new();
    let mut blocks = Vec::new();
    for (field, told) in &told.fields {
        if field.cause == Cause::Conflict {
            let applied = field.applied.as_ref().map_or_else(|| "(not known)".to_owned(), |value| cell(&brief(value)));
            conflicts.push(format!(
                "| {} | {applied} | {} | {} |\n",
                code(&field.path.to_string()),
                cell(&brief(&field.before)),
                cell(&brief(&field.after))
            ));
        } else if let Some(row) = row(field, told, is_new(field)) {
            rows.push(row);
        }
        let block = block(&field.path.to_string(), told, rung);
        if !block.is_empty() {
            blocks.push(block);
        }
    }
    let mut out = String::new();
    if !conflicts.is_empty() {
        out.push_str("| Conflict | Applied last | Live | Declared |\n|---|---|---|---|\n");
        out.push_str(&conflicts.concat());
        out.push('\n');
    }
    if !rows.is_empty() {
        out.push_str("| Field | Before | After | |\n|---|---|---|---|\n");
        out.push_str(&rows.concat());
        out.push('\n');
    }
    out.push_str(&blocks.concat());
    out
}

/// One row of the table; nothing for a value whose block says it all.
fn row(field: &FieldChange, told: &Change, is_new: bool) -> Option<String> {
    let mut notes = Vec::new();
    let (before, after) = match told {
        Change::Simple { before, after, delta } => {
            if let Some(delta) = delta {
                let percent = delta.percent.as_ref().map(|percent| format!(", {percent}")).unwrap_or_default();
                notes.push(format!("{}{percent}", delta.by).replace('-', "−"));
            }
            (if is_new { String::new() } else { cell(before) }, cell(after))
        }
        Change::Note(note) => (String::new(), note.clone()),
        Change::List(list) => (String::new(), list_cell(list)),
        Change::Fields(fields) => (String::new(), plural(fields.len(), "value changes", "values change")),
        Change::NewText(_) | Change::Prose(_) if field.risk.is_none() && field.cause == Cause::Pending => return None,
        Change::NewText(_) => (String::new(), "new text, below".to_owned()),
        Change::Prose(_) => (String::new(), "see below".to_owned()),
    };
    match field.cause {
        Cause::Drift => notes.push("changed on the service; written back".to_owned()),
        Cause::Rollback => notes.push("rolled back".to_owned()),
        Cause::Pending | Cause::Conflict => {}
    }
    let after = match &field.risk {
        Some(risk) => {
            notes.push(format!("**look twice:** {}", sentence(&risk.0)));
            format!("**{after}**")
        }
        None => after,
    };
    Some(format!("| {} | {before} | {after} | {} |\n", code(&field.path.to_string()), notes.join("; ")))
}

pub(super) fn list_cell(list: &ListChange) -> String {
    let ListChange { items, unchanged, order } = list;
    let mut parts: Vec<String> = items
        .iter()
        .take(NESTED_SHOWN)
        .map(|item| match item.mark {
            ItemMark::Added => format!("+ {}", value(&item.label)),
            ItemMark::Removed => format!("− {}", value(&item.label)),
            ItemMark::Changed => {
                format!("~ {} ({})", value(&item.label), plural(item.fields.len(), "field", "fields"))
            }
        })
        .collect();
    if items.len() > NESTED_SHOWN {
        parts.push(format!("{} more", items.len() - NESTED_SHOWN));
    }
    if let Some(order) = order {
        parts.push(format!("new order: {}", code(&order.join(", "))));
    }
    if *unchanged > 0 {
        parts.push(format!("{unchanged} unchanged"));
    }
    parts.join(", ")
}

/// What a row cannot hold.
pub(super) fn block(path: &str, told: &Change, rung: &Rung) -> String {
    match told {
        Change::Simple { .. } | Change::Note(_) => String::new(),
        Change::Prose(diff) => {
            let stats = hunks::stats(diff);
            format!("**{}** · {stats}\n\n{}", code(path), hunks::block(diff, rung))
        }
        Change::NewText(text) => {
            let (lines, count) = (text.lines().count(), count_words(text));
            let size = format!("{}, {}", plural(lines, "line", "lines"), plural(count, "word", "words"));
            let shown = if rung.hunks_per_text == 0 { 0 } else { NEW_TEXT_LINES };
            let text = if shown == 0 { String::new() } else { hunks::new_text(text, shown) };
            format!("**{}** · new text, {size}\n\n{text}", code(path))
        }
        Change::Fields(fields) => nested(path, fields, rung),
        Change::List(list) => {
            let changed = list.items.iter().filter(|item| item.mark == ItemMark::Changed);
            changed
                .take(NESTED_SHOWN)
                .map(|item| nested(&format!("{path} {}", item.label), &item.fields, rung))
                .collect()
        }
    }
}

/// Values below another one: a list for short ones, a block for each text.
fn nested(path: &str, fields: &[FieldEdit], rung: &Rung) -> String {
    let mut lines = String::new();
    let mut blocks = String::new();
    for FieldEdit { path: below, change } in fields.iter().take(NESTED_SHOWN) {
        let name = below.to_string();
        let name = if name.is_empty() { String::new() } else { format!("{} ", code(&name)) };
        match change {
            Change::Simple { before, after, .. } => {
                put(&mut lines, format_args!("- {name}{} → {}\n", cell(before), cell(after)));
            }
            Change::Note(note) => put(&mut lines, format_args!("- {name}{note}\n")),
            Change::List(list) => {
                put(&mut lines, format_args!("- {name}{}\n", list_cell(list)));
                blocks.push_str(&block(&format!("{path} {below}"), change, rung));
            }
            Change::Prose(_) | Change::NewText(_) | Change::Fields(_) => {
                blocks.push_str(&block(&format!("{path} {below}"), change, rung));
            }
        }
    }
    if fields.len() > NESTED_SHOWN {
        put(&mut lines, format_args!("- {} more\n", fields.len() - NESTED_SHOWN));
    }
    if !lines.is_empty() {
        lines = format!("**{}**\n\n{lines}\n", code(path));
    }
    format!("{lines}{blocks}")
}

/// A value as code, or the words that stand for none as they are.
pub(super) fn cell(text: &str) -> String {
    value(text)
}

fn value(text: &str) -> String {
    let is_words = [NONE, REMOVED, "(generated at apply)"].contains(&text)
        || text.starts_with("(secret)")
        || text.starts_with(LONG_TEXT);
    if is_words { text.to_owned() } else { code(text) }
}

/// The numbers of one agent.
pub(super) fn numbers(change: &AgentChange) -> String {
    let moves: Vec<_> = change.numbers.iter().filter(|slot| !slot.follows).collect();
    let following = change.numbers.len() - moves.len();
    let mut out = String::new();
    if !moves.is_empty() {
        out.push_str("| Phone number | Slot | From | To | |\n|---|---|---|---|---|\n");
        for slot in moves {
            let mut notes = Vec::new();
            match slot.cause {
                Cause::Drift => notes.push("changed on the service".to_owned()),
                Cause::Conflict => notes.push("**conflict**".to_owned()),
                Cause::Rollback => notes.push("rolled back".to_owned()),
                Cause::Pending => {}
            }
            if let Some(risk) = &slot.risk {
                notes.push(format!("**look twice:** {}", sentence(&risk.0)));
            }
            put(
                &mut out,
                format_args!(
                    "| {} | {} | {} | {} | {} |\n",
                    code(slot.number.as_str()),
                    slot.direction,
                    code(&words::holder(&slot.from)),
                    code(&words::slot_target(&slot.to)),
                    notes.join("; ")
                ),
            );
        }
        out.push('\n');
    }
    if following > 0 {
        put(
            &mut out,
            format_args!("{} the new version.\n\n", plural(following, "phone slot follows", "phone slots follow")),
        );
    }
    out
}

/// How many entries of a list a comment shows; the rest is counted.
pub(super) const LIST_SHOWN: usize = 20;

/// A folded list of lines, the first of them where there are many; nothing where there is none.
pub(super) fn folded_list(out: &mut String, summary: &str, mut lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let more = lines.len().saturating_sub(LIST_SHOWN);
    lines.truncate(LIST_SHOWN);
    if more > 0 {
        lines.push(format!("{more} more"));
    }
    put(out, format_args!("<details><summary>{summary}</summary>\n\n- {}\n\n</details>\n\n", lines.join("\n- ")));
}
