//! The body of the issue on an environment's drift: what was changed, by whom, and three ways out with their commands.

use super::comment::marker;
use super::escape::{code, html_code, link, sentence};
use super::fields::{self, block, cell, list_cell};
use super::{Body, CommentContext};
use crate::plan::drift::{AgentDrift, Drift, DriftGroup, FieldDrift};
use crate::render::drift as said;
use crate::render::ladder::{Details, Rows, Rung, fit};
use crate::render::put::put;
use crate::render::values::{Change, brief, plural};
use crate::render::words;

/// Agents of one change that are named; the rest is counted.
const AGENTS_SHOWN: usize = 20;
/// The body of the issue.
pub fn drift_body(drift: &Drift, context: &CommentContext) -> Body {
    let told: Vec<(DriftGroup<'_>, Change)> = drift
        .groups()
        .into_iter()
        .map(|group| {
            let change = change_of(group.field);
            (group, change)
        })
        .collect();
    fit(context.max_bytes, |rung| write(drift, &told, context, rung)).into()
}

fn change_of(field: &FieldDrift) -> Change {
    match &field.applied {
        Some(applied) => Change::of(applied, &field.live),
        None => Change::Note(format!("changed; live is {}", cell(&brief(&field.live)))),
    }
}

fn write(drift: &Drift, told: &[(DriftGroup<'_>, Change)], context: &CommentContext, rung: &Rung) -> String {
    let mut out = marker("drift", drift.fingerprint.as_str(), context, drift.source.commit.as_deref());
    let environment = code(&drift.target.environment);
    put(&mut out, format_args!("### Agent drift · {environment} — {}\n", said::outcome(drift)));
    let mut parts = vec![format!("Checked {}", said::moment(drift.checked_at))];
    parts.push(format!("{} {}", code(&drift.target.host), code(&drift.target.project)));
    parts.extend(context.run_url.as_deref().and_then(|url| link("run", url)));
    put(&mut out, format_args!("{}\n\n", parts.join(" · ")));
    if drift.targeted {
        out.push_str("> [!WARNING]\n> **Targeted:** agents were left out. This is not the whole project.\n\n");
    }
    unchecked(&mut out, drift);
    match rung.rows {
        Rows::All => {
            fields(&mut out, told);
            slots(&mut out, drift);
            absent(&mut out, drift);
        }
        Rows::Names => {
            let names: Vec<String> = drift.agents.iter().map(|agent| code(&agent.address().to_string())).collect();
            put(&mut out, format_args!("{}\n\n", names.join(", ")));
        }
        Rows::Totals => {}
    }
    if rung.details > Details::None {
        for (group, change) in told {
            let text = block(&group.field.path.to_string(), change, rung);
            if !text.is_empty() {
                let summary = format!("{} on {}", html_code(&group.field.path.to_string()), agents_html(group));
                put(
                    &mut out,
                    format_args!("<details><summary>{summary}</summary>\n\n{}\n\n</details>\n\n", text.trim_end()),
                );
            }
        }
    }
    if let Some(missing) = rung.missing {
        let whole = context.full_plan_url.as_deref().and_then(|url| link("whole check", url));
        let whole = whole.map(|link| format!(" See the {link}.")).unwrap_or_default();
        put(&mut out, format_args!("> [!NOTE]\n> Shortened to fit: {missing}.{whole}\n\n"));
    }
    ways_out(&mut out, drift);
    if rung.rows == Rows::All {
        notices(&mut out, drift);
    }
    let fingerprint = &drift.fingerprint;
    put(&mut out, format_args!("<sub>{}<br>Fingerprint <code>{fingerprint}</code></sub>\n", said::summary_line(drift)));
    out
}

fn unchecked(out: &mut String, drift: &Drift) {
    if drift.unchecked.is_empty() {
        return;
    }
    let mut lines: Vec<String> = drift
        .unchecked
        .iter()
        .take(fields::LIST_SHOWN)
        .map(|entry| {
            let about = entry.address.as_ref().map(|address| format!("{}: ", code(&address.to_string())));
            let hints = entry.hints.iter().fold(String::new(), |all, hint| format!("{all} ({})", sentence(hint)));
            format!("{}{}{hints}", about.unwrap_or_default(), sentence(&entry.causes.join(": ")))
        })
        .collect();
    if drift.unchecked.len() > fields::LIST_SHOWN {
        lines.push(format!("{} more", drift.unchecked.len() - fields::LIST_SHOWN));
    }
    put(
        out,
        format_args!(
            "> [!CAUTION]\n> **Not checked.** What follows is what could be seen.\n>\n> - {}\n\n",
            lines.join("\n> - ")
        ),
    );
}

fn fields(out: &mut String, told: &[(DriftGroup<'_>, Change)]) {
    if told.is_empty() {
        return;
    }
    out.push_str("| Field | Applied | Live | Agents | |\n|---|---|---|---|---|\n");
    for (group, change) in told {
        let (applied, live) = match change {
            Change::Simple { before, after, delta: _ } => (cell(before), cell(after)),
            Change::Note(note) => (String::new(), note.clone()),
            Change::List(list) => (String::new(), list_cell(list)),
            Change::Fields(fields) => (String::new(), plural(fields.len(), "value changed", "values changed")),
            Change::NewText(_) => (String::new(), "new text, below".to_owned()),
            Change::Prose(_) => (String::new(), "see below".to_owned()),
        };
        let mut notes = Vec::new();
        if group.agents.iter().any(|(_, field)| field.conflict) {
            notes.push("**Git has changed it as well**".to_owned());
        }
        notes.extend(group.field.ended.as_ref().map(|ended| sentence(&said::ended(ended))));
        put(
            out,
            format_args!(
                "| {} | {applied} | {live} | {} | {} |\n",
                code(&group.field.path.to_string()),
                agents(group),
                notes.join("; ")
            ),
        );
    }
    out.push('\n');
}

/// The agents of a change, each with who made it there.
fn agents(group: &DriftGroup<'_>) -> String {
    let mut parts: Vec<String> = group
        .agents
        .iter()
        .take(AGENTS_SHOWN)
        .map(|(agent, field)| {
            let who = field.editor.as_ref().map(words::editor).filter(|who| !who.is_empty());
            let who = who.map(|who| format!(" {}", sentence(&who))).unwrap_or_default();
            format!("{}{who}", code(agent.key.as_str()))
        })
        .collect();
    if group.agents.len() > AGENTS_SHOWN {
        parts.push(format!("{} more", group.agents.len() - AGENTS_SHOWN));
    }
    parts.join("<br>")
}

fn agents_html(group: &DriftGroup<'_>) -> String {
    match group.agents.as_slice() {
        [(agent, _)] => html_code(agent.key.as_str()),
        several => plural(several.len(), "agent", "agents"),
    }
}

fn slots(out: &mut String, drift: &Drift) {
    let all: Vec<(&AgentDrift, _)> =
        drift.agents.iter().flat_map(|agent| agent.slots.iter().map(move |slot| (agent, slot))).collect();
    if all.is_empty() {
        return;
    }
    out.push_str("| Phone number | Slot | Applied | Live |\n|---|---|---|---|\n");
    for (agent, slot) in all {
        let conflict = if slot.conflict { "; **Git moves it as well**" } else { "" };
        let applied = if slot.arrived {
            format!("not on {}", code(&agent.address().to_string()))
        } else {
            code(&said::slot_applied(agent, slot))
        };
        put(
            out,
            format_args!(
                "| {} | {} | {applied} | {}{conflict} |\n",
                code(slot.number.as_str()),
                slot.direction,
                code(&said::slot_live(slot)),
            ),
        );
    }
    out.push('\n');
}

fn absent(out: &mut String, drift: &Drift) {
    for agent in drift.agents.iter().filter(|agent| agent.is_absent()) {
        let place = code(&format!("{}:{}", agent.origin.file, agent.origin.line));
        put(
            out,
            format_args!("- {} ({place}): **there is no such agent**; {}\n", code(agent.key.as_str()), said::ABSENT),
        );
    }
    let mut applied = drift.agents.iter().filter_map(|agent| Some((agent, said::foreign(agent)?))).peekable();
    let has_foreign = applied.peek().is_some();
    for (agent, text) in applied {
        put(out, format_args!("- {}: {}\n", code(agent.key.as_str()), sentence(&text)));
    }
    if has_foreign || drift.agents.iter().any(AgentDrift::is_absent) {
        out.push('\n');
    }
}

fn ways_out(out: &mut String, drift: &Drift) {
    let ways = said::ways_out(drift);
    if ways.is_empty() {
        return;
    }
    out.push_str("#### Ways out\n\n");
    for way in ways {
        put(out, format_args!("**{}**: {}\n\n{}\n\n", way.name, way.what, fenced(way.language, &way.copy)));
    }
}

/// A block of code that ends where it shall: its fence is longer than any run of backticks inside.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", crate::render::visible::lines(text))
}

fn notices(out: &mut String, drift: &Drift) {
    let mut lines = Vec::new();
    for entry in &drift.as_applied {
        if let Some(editor) = &entry.live_editor {
            let who = sentence(&words::editor(editor));
            let kept = match entry.kept.len() {
                0 => String::new(),
                count => format!(" ({} elsewhere)", plural(count, "edit", "edits")),
            };
            lines.push(format!(
                "{} was published {who}; nothing that Git declares differs{kept}",
                code(&format!("agent.{}", entry.key))
            ));
        }
    }
    for notice in &drift.notices {
        let about = notice.address.as_ref().map(|address| format!("{}: ", code(&address.to_string())));
        lines.push(format!("{}{}", about.unwrap_or_default(), sentence(&notice.message)));
    }
    fields::folded_list(out, "No drift, but worth knowing", lines);
}
