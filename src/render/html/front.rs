//! What a reader sees first: what for, how much, what nobody may overlook, and a line for each agent.

use maud::{Markup, html};

use super::escape::{class, line, link, theirs};
use crate::diagnostics::{Diagnostic, Severity, SourceMap};
use crate::model::Origin;
use crate::plan::{Plan, Summary};
use crate::render::values::{grouped, plural};
use crate::render::view::{Alarm, Block, Fact, Note, RowMark, Theirs, Tone, Warning, by_agent};
use crate::render::words;

/// `Plan for production, incomplete`.
pub(super) fn title(plan: &Plan) -> Markup {
    let state = match words::state(plan) {
        Some("errors") => Some("with errors"),
        state => state,
    };
    html! {
        "Plan for " (theirs(&Theirs::words(plan.target.environment.as_str())))
        @if let Some(state) = state { ", " (state) }
    }
}

/// How much is done. The zero of what is always named is there to be found, and is not loud.
pub(super) fn counts(summary: &Summary) -> Markup {
    let Summary { create, update, delete, adopt, unchanged, drift, conflict, orphaned } = *summary;
    let all = [
        (delete, "to delete", Tone::Danger, true),
        (conflict, "in conflict", Tone::Danger, false),
        (orphaned, "without a manifest", Tone::Changed, false),
        (update, "to update", Tone::Changed, true),
        (create, "to create", Tone::Added, true),
        (adopt, "to adopt", Tone::Changed, false),
        (drift, "changed outside of Git", Tone::Changed, false),
        (unchanged, "unchanged", Tone::Quiet, false),
    ];
    let (some, none): (Vec<_>, Vec<_>) = all.into_iter().partition(|(count, ..)| *count > 0);
    let zeros = none.into_iter().filter(|(.., is_always_named)| *is_always_named);
    let zeros: Vec<String> = zeros.map(|(_, what, ..)| format!("0 {what}")).collect();
    html! {
        @if !some.is_empty() {
            ul.totals {
                @for (count, what, tone, _) in some { li class=[class(tone)] { b { (grouped(count)) } " " (what) } }
            }
        }
        @if !zeros.is_empty() { p.zeros { (zeros.join(", ")) } }
    }
}

/// What it is for and where it comes from.
pub(super) fn facts(facts: &[Fact], run_url: Option<&str>) -> Markup {
    html! {
        dl.facts {
            @for fact in facts { div { dt { (fact.name) } dd { (line(&fact.what)) } } }
            @if let Some(link) = run_url.and_then(|url| link("log of the run", url)) { div { dt { "Run" } dd { (link) } } }
        }
    }
}

/// What nobody may overlook, in one box.
pub(super) fn attention(warnings: &[Warning], alarms: &[Alarm], limits: &[&Note], ids: &[String]) -> Markup {
    if warnings.is_empty() && alarms.is_empty() && limits.is_empty() {
        return html! {};
    }
    html! {
        section.attention aria-labelledby="attention" {
            h2 #attention { "Look at this first" }
            ul {
                @for Warning { lead, tone, what, hints } in warnings {
                    li {
                        b class=[class(*tone)] { (lead) ":" } " " (line(what))
                        @for hint in hints { span.hint { (line(hint)) } }
                    }
                }
                @for group in by_agent(alarms) {
                    li {
                        @let id = ids.iter().find(|id| matches!(group.agents, [agent] if is_of(id, agent)));
                        @let show = html! { @if let Some(id) = id { " " a href={ "#" (id) } { "Show" } } };
                        (line(&group.names()))
                        @match group.what.as_slice() {
                            [what] => { @if !group.agents.is_empty() { ": " } (line(what)) (show) },
                            several => { (show) ul { @for what in several { li { (line(what)) } } } },
                        }
                    }
                }
                @for limit in limits { li { (note(limit)) } }
            }
        }
    }
}

/// Whether the block of this name in links is the one of an agent by its address.
fn is_of(id: &str, agent: &Theirs) -> bool {
    id.strip_prefix("agent-").is_some_and(|key| *agent == Theirs::code(format!("agent.{key}")))
}

/// A note with its lead.
pub(super) fn note(note: &Note) -> Markup {
    html! {
        @if !note.lead.is_empty() { b class=[class(note.tone)] { (note.lead) } }
        (line(&note.what))
    }
}

/// Errors and warnings, the worst first.
pub(super) fn problems<'d>(found: impl IntoIterator<Item = &'d Diagnostic>, sources: &SourceMap) -> Markup {
    let mut found: Vec<&Diagnostic> = found.into_iter().collect();
    found.sort_by_key(|diagnostic| diagnostic.severity);
    let tone = |severity: Severity| match severity {
        Severity::Error => Tone::Danger,
        Severity::Warning => Tone::Changed,
        Severity::Notice => Tone::Quiet,
    };
    let place = |Origin { file, line }: Origin| theirs(&Theirs::code(format!("{file}:{line}")));
    html! {
        @if !found.is_empty() {
            section aria-labelledby="problems" {
                h2 #problems { "Problems" }
                ul.problems {
                    @for problem in found {
                        li {
                            b class=[class(tone(problem.severity))] { (problem.severity.as_str()) }
                            " " (theirs(&Theirs::sentence(problem.message.as_str())))
                            span.place {
                                @if let Some(origin) = problem.origin(sources) { (place(origin)) " " }
                                (theirs(&Theirs::code(problem.code)))
                            }
                            @for hint in &problem.hints { span.hint { (theirs(&Theirs::sentence(hint.as_str()))) } }
                        }
                    }
                }
            }
        }
    }
}

/// A line for each block, from which a reader of ten agents decides where to look.
pub(super) fn overview(blocks: &[Block], ids: &[String]) -> Markup {
    html! {
        @if blocks.len() > 1 {
            section aria-labelledby="overview" {
                h2 #overview { "Overview" }
                ol.overview {
                    @for (block, id) in blocks.iter().zip(ids) {
                        li {
                            span.sign class=[class(block.mark.tone)] { (line(&block.mark.sign)) }
                            a href={ "#" (id) } { (line(&block.title)) }
                            span.state { (line(&block.state)) }
                            span.what { (summary(block)) }
                        }
                    }
                }
            }
        }
    }
}

fn summary(block: &Block) -> Markup {
    let values: usize = block.rows.iter().map(|row| row.seen.changes()).sum();
    let marked = block.rows.iter().any(|row| row.mark == RowMark::Look);
    let parts = [
        block.program.as_ref().map(|program| format!("verify {}", program.fate)),
        (!block.moves.is_empty()).then(|| plural(block.moves.len(), "phone number", "phone numbers")),
        (values > 0).then(|| plural(values, "value", "values")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    html! {
        (parts.join(", "))
        @if block.is_risky || marked { " " b.danger { "look twice" } }
    }
}
