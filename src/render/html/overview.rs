//! What a reader sees first: what for, how much, what nobody may overlook, and a row for each agent.

use super::PageContext;
use super::escape::{anchor, code, line, link, put, sentence, text};
use super::told::Told;
use super::values::{brief_change, name};
use super::verify;
use crate::diagnostics::{Diagnostic, Severity, SourceMap};
use crate::plan::{Action, AgentChange, Cause, Plan, SlotTarget, Summary};
use crate::render::ladder::{Details, Rows, Rung};
use crate::render::values::{grouped, plural};
use crate::render::verify::fate;
use crate::render::words;

/// Problems that are listed; the rest is counted.
const PROBLEMS_SHOWN: usize = 100;
/// Values of an agent that its row names.
const NAMED_VALUES: usize = 4;

/// Title, totals, and where the plan comes from.
pub(super) fn header(plan: &Plan, context: &PageContext) -> String {
    let summary = plan.summary();
    let mut out = String::new();
    put(&mut out, format_args!("<p class=\"eyebrow\">{}</p>\n", line(&plan.target.project)));
    let state = match words::state(plan) {
        Some("errors") => ", with errors".to_owned(),
        Some(state) => format!(", {state}"),
        None => String::new(),
    };
    put(&mut out, format_args!("<h1>Plan for {}{state}</h1>\n", line(&plan.target.environment)));
    if let Some(nothing) = words::no_changes(plan) {
        put(&mut out, format_args!("<p class=\"lead\">{}</p>\n", text(nothing)));
    }
    totals(&mut out, &summary);
    let commit = plan.source.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(12).collect();
        let dirty = if plan.source.dirty { " with changes that are not committed" } else { "" };
        format!("{}{dirty}", code(&short))
    });
    let rows = [
        ("Commit", commit),
        ("Plan hash", Some(code(plan.plan_hash.as_str()))),
        ("Service", Some(line(&plan.target.host))),
        ("Organization", plan.target.organization.as_deref().map(line)),
        ("Run", context.run_url.as_deref().and_then(|url| link("log of the run", url))),
    ];
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in rows {
        if let Some(value) = value {
            put(&mut out, format_args!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
        }
    }
    out.push_str("</dl>\n");
    out
}

fn totals(out: &mut String, summary: &Summary) {
    let Summary { create, update, delete, adopt, unchanged, drift, conflict, orphaned: _ } = *summary;
    // What is always named shows its zero; the others appear where there are any.
    let counts = [
        (delete, "to delete", "danger", true),
        (conflict, if conflict == 1 { "conflict" } else { "conflicts" }, "danger", false),
        (update, "to update", "changed", true),
        (create, "to create", "added", true),
        (adopt, "to adopt", "changed", false),
        (drift, "changed outside of Git", "changed", false),
        (unchanged, "unchanged", "calm", true),
    ];
    out.push_str("<ul class=\"totals\">\n");
    for (count, what, tone, always) in counts {
        if count > 0 || always {
            let tone = if count == 0 { "calm" } else { tone };
            put(out, format_args!("<li class=\"{tone}\"><b>{}</b> {what}</li>\n", grouped(count)));
        }
    }
    out.push_str("</ul>\n");
}

/// What nobody may overlook.
pub(super) fn attention(out: &mut String, plan: &Plan, rung: &Rung) {
    let mut lines = Vec::new();
    if !plan.complete {
        lines.push("<strong>Incomplete.</strong> Not everything could be read. The plan shows what is known and cannot be applied.".to_owned());
    }
    if plan.targeted {
        lines.push("<strong>Targeted.</strong> Agents were left out. This is not the whole plan.".to_owned());
    }
    let named = |matches: &dyn Fn(&AgentChange) -> bool, target: &dyn Fn(&AgentChange) -> String| {
        let keys: Vec<String> = plan
            .changes
            .iter()
            .filter(|change| matches(change))
            .map(|change| match rung.details {
                Details::None => code(change.key.as_str()),
                Details::Risky | Details::All => {
                    format!("<a href=\"#{}\">{}</a>", target(change), code(change.key.as_str()))
                }
            })
            .collect();
        (keys.len(), if rung.rows == Rows::Totals { String::new() } else { format!(" {}", keys.join(", ")) })
    };
    let raised = plan.raised.iter().map(|limit| sentence(&limit.describe()));
    lines.extend(raised.map(|limit| format!("<strong>Limit.</strong> {limit}.")));
    lines.extend(verify::lines(plan, rung));
    lines.extend(alarms(plan, rung));
    let is_deleted = |change: &AgentChange| change.action == Action::Delete;
    let (deleted, names) = named(&is_deleted, &|change| anchor("delete", change.key.as_str()));
    if deleted > 0 {
        lines.push(format!("<strong>{} be deleted:</strong>{names}", plural(deleted, "agent will", "agents will")));
    }
    // Where nothing but a phone slot is in dispute, the map of numbers tells it.
    let dispute = |change: &AgentChange| {
        let in_fields = change.fields.iter().any(|field| field.cause == Cause::Conflict);
        if in_fields && !is_deleted(change) { anchor("conflict", change.key.as_str()) } else { "numbers".to_owned() }
    };
    let (conflicts, names) = named(&|change| change.has_cause(Cause::Conflict) && !is_deleted(change), &dispute);
    if conflicts > 0 {
        let count = plural(conflicts, "agent was", "agents were");
        lines.push(format!("<strong>{count} changed in Git and on the service:</strong>{names}"));
    }
    for change in plan.changes.iter().filter(|change| change.held.is_some()).take(PROBLEMS_SHOWN) {
        let held = change.held.as_ref().map(|held| held.describe(&change.key)).unwrap_or_default();
        if rung.rows != Rows::Totals {
            let key = code(change.key.as_str());
            lines.push(format!("<strong>{key} is held back and will not be applied:</strong> {}", sentence(&held)));
        }
    }
    for breach in &plan.breaches {
        let (message, flag) = (sentence(&breach.message), code(&breach.flag));
        lines.push(format!("<strong>Safety limit.</strong> {message} To allow it for one run: {flag}"));
    }
    if lines.is_empty() {
        return;
    }
    out.push_str("<section class=\"attention\" aria-labelledby=\"attention\">\n<h2 id=\"attention\">Look at this first</h2>\n<ul>\n");
    for line in lines {
        put(out, format_args!("<li>{line}</li>\n"));
    }
    out.push_str("</ul>\n</section>\n");
}

/// The alarms, a line each; where there is no room but for totals, how many there are.
fn alarms(plan: &Plan, rung: &Rung) -> Vec<String> {
    let lines = words::alarm_lines(plan);
    if rung.rows == Rows::Totals && !lines.is_empty() {
        let count = plural(lines.len(), "thing", "things");
        return vec![format!(
            "<strong>{count} to look at first:</strong> read them in the whole plan before you approve this one"
        )];
    }
    let line = |(agents, path, message): (Vec<String>, Option<String>, String)| {
        let agents: Vec<String> = agents.iter().map(|agent| code(agent)).collect();
        let about = if agents.is_empty() { String::new() } else { format!("{}: ", agents.join(", ")) };
        let place = path.map(|path| format!(" ({})", code(&path))).unwrap_or_default();
        format!("{about}{}{place}", sentence(&message))
    };
    lines.into_iter().map(line).collect()
}

/// Errors and warnings, the worst first.
pub(super) fn problems(out: &mut String, plan: &Plan, sources: &SourceMap) {
    if plan.diagnostics.is_empty() {
        return;
    }
    let mut told: Vec<&Diagnostic> = plan.diagnostics.iter().collect();
    told.sort_by_key(|diagnostic| diagnostic.severity);
    out.push_str(
        "<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">Problems</h2>\n<ul class=\"problems\">\n",
    );
    for diagnostic in told.iter().take(PROBLEMS_SHOWN) {
        let tone = match diagnostic.severity {
            Severity::Error => "danger",
            Severity::Warning => "changed",
            Severity::Notice => "calm",
        };
        let place = diagnostic.origin(sources).map(|origin| code(&format!("{}:{}", origin.file, origin.line)));
        put(
            out,
            format_args!(
                "<li><b class=\"{tone}\">{}</b> {}<span class=\"place\">{} {}</span>\n",
                diagnostic.severity.as_str(),
                sentence(&diagnostic.message),
                place.unwrap_or_default(),
                code(diagnostic.code)
            ),
        );
        for hint in &diagnostic.hints {
            put(out, format_args!("<span class=\"hint\">{}</span>\n", sentence(hint)));
        }
        out.push_str("</li>\n");
    }
    if told.len() > PROBLEMS_SHOWN {
        put(out, format_args!("<li>{} more</li>\n", grouped(told.len() - PROBLEMS_SHOWN)));
    }
    out.push_str("</ul>\n</section>\n");
}

/// A row for each agent, from which a reader of ten agents decides.
pub(super) fn table(out: &mut String, told: &[Told<'_>], rung: &Rung) {
    if told.is_empty() || rung.rows != Rows::All {
        return;
    }
    out.push_str(
        "<section aria-labelledby=\"overview\">\n<h2 id=\"overview\">Overview</h2>\n<ol class=\"overview\">\n",
    );
    for entry in told {
        let change = entry.change;
        put(
            out,
            format_args!(
                "<li>{}<span class=\"who\">{}<span class=\"version\">{}</span></span><span class=\"what\">{}</span></li>\n",
                badge(change),
                row_link(entry, rung),
                text(&words::versions(change, "→")),
                summary(entry)
            ),
        );
    }
    out.push_str("</ol>\n</section>\n");
}

/// What is done, as a word: colour alone says nothing.
pub(super) fn badge(change: &AgentChange) -> String {
    let (tone, word) = match change.action {
        Action::Create => ("added", "create"),
        Action::Update => ("changed", "update"),
        Action::Delete => ("danger", "delete"),
        Action::Adopt => ("changed", "adopt"),
    };
    format!("<span class=\"badge {tone}\">{word}</span>")
}

fn row_link(entry: &Told<'_>, rung: &Rung) -> String {
    let key = entry.change.key.as_str();
    match super::agents::first_section(entry, rung) {
        Some(kind) => format!("<a href=\"#{}\">{}</a>", anchor(kind, key), code(key)),
        None => code(key),
    }
}

fn summary(entry: &Told<'_>) -> String {
    let change = entry.change;
    let mut parts = Vec::new();
    match change.action {
        Action::Create => parts.push("a new agent".to_owned()),
        Action::Delete => parts.push("is deleted".to_owned()),
        Action::Adopt => parts.push("is managed from now on, as it is".to_owned()),
        Action::Update => {
            let (risky, others): (Vec<_>, Vec<_>) =
                entry.fields.iter().partition(|told| told.field.risk.is_some() || told.field.cause == Cause::Conflict);
            for told in risky.iter().chain(&others).take(NAMED_VALUES) {
                let mark = match (told.field.cause, &told.field.risk) {
                    (Cause::Conflict, _) => " <em class=\"danger\">conflict</em>",
                    (_, Some(_)) => " <em class=\"danger\">look twice</em>",
                    (Cause::Drift, None) => " <em class=\"changed\">drift</em>",
                    (Cause::Pending | Cause::Rollback, None) => "",
                };
                parts.push(format!("{} {}{mark}", text(&name(&told.field.path)), brief_change(&told.change)));
            }
            let more = entry.fields.len().saturating_sub(NAMED_VALUES);
            if more > 0 {
                parts.push(format!("{} more", grouped(more)));
            }
        }
    }
    if let Some(becomes) = &change.verify {
        parts.push(format!("{} {} <em class=\"danger\">look twice</em>", code("verify"), fate(becomes)));
    }
    let moves = change.numbers.iter().filter(|slot| !slot.follows);
    let (emptied, moved): (Vec<_>, Vec<_>) = moves.partition(|slot| slot.to == SlotTarget::Empty);
    if !moved.is_empty() {
        parts.push(format!("<b>{}</b>", plural(moved.len(), "phone slot moves", "phone slots move")));
    }
    if !emptied.is_empty() {
        parts.push(format!("<b>{}</b>", plural(emptied.len(), "phone slot is emptied", "phone slots are emptied")));
    }
    if change.held.is_some() {
        parts.push("<b class=\"danger\">held</b>".to_owned());
    }
    if parts.is_empty() { "only what reachform records about it".to_owned() } else { parts.join("; ") }
}
