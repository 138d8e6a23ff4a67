//! A check for drift for a terminal: what was changed on the service, by whom, and the ways out of it.

use super::fields::{body, headline, label};
use super::paper::{Paper, Span};
use super::plan::target_line;
use super::{TextOptions, fields};
use crate::model::Editor;
use crate::plan::KeptEdit;
use crate::plan::drift::{AgentDrift, Drift, DriftGroup, DriftState, FieldDrift};
use crate::render::drift as said;
use crate::render::values::{Change, brief, plural};
use crate::render::words;

/// Agents of one change that are named; the rest is counted.
const AGENTS_SHOWN: usize = 12;
/// The whole check.
pub fn drift_text(drift: &Drift, options: &TextOptions) -> String {
    let styles = &options.styles;
    let mut paper = Paper::new(options.columns());
    target_line(&mut paper, &drift.target, options);
    let checked = said::moment(drift.checked_at);
    paper.flow(0, 8, &[Span::new(styles.dim, "Checked "), Span::plain(&checked)]);
    if drift.targeted {
        let text = "TARGETED: agents were left out by --target or --exclude. This is not the whole project.";
        paper.flow(0, 2, &[Span::new(styles.changed, text)]);
    }
    unchecked(&mut paper, drift, options);
    let groups = drift.groups();
    let (shared, single): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.agents.len() > 1);
    if !shared.is_empty() {
        paper.blank();
        paper.flow(2, 4, &[Span::new(styles.strong, "The same change on several agents")]);
        for group in &shared {
            group_rows(&mut paper, group, options);
        }
    }
    for agent in &drift.agents {
        let own: Vec<&FieldDrift> = single
            .iter()
            .flat_map(|group| &group.agents)
            .filter(|(of, _)| of.key == agent.key)
            .map(|(_, f)| *f)
            .collect();
        if agent.is_absent() || agent.foreign.is_some() || !own.is_empty() || !agent.slots.is_empty() {
            paper.blank();
            agent_rows(&mut paper, agent, &own, options);
        }
    }
    paper.blank();
    if drift.state() == DriftState::Clean {
        let text = if drift.targeted {
            "No drift on the agents that were looked at; others were left out."
        } else {
            "No drift. What is live is what was applied last."
        };
        paper.flow(0, 0, &[Span::new(styles.strong, text)]);
        paper.blank();
    }
    left_alone(&mut paper, drift, options);
    for way in said::ways_out(drift) {
        paper.flow(0, 2, &[Span::new(styles.strong, way.name), Span::plain(&format!(": {}", way.what))]);
        for line in way.copy.lines() {
            paper.whole(4, &[Span::plain(line)]);
        }
    }
    paper.blank();
    paper.whole(0, &[Span::new(styles.strong, &said::summary_line(drift))]);
    paper.whole(0, &[Span::plain(&format!("Fingerprint {}", drift.fingerprint))]);
    paper.into_text()
}

fn unchecked(paper: &mut Paper, drift: &Drift, options: &TextOptions) {
    for entry in &drift.unchecked {
        let about = entry.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let text = format!("{about}{}", entry.causes.join(": "));
        paper.flow(0, 2, &[Span::new(options.styles.danger, "NOT CHECKED: "), Span::plain(&text)]);
        for hint in &entry.hints {
            paper.flow(2, 4, &[Span::new(options.styles.dim, &format!("hint: {hint}"))]);
        }
    }
}

/// A change from the applied to the live value; of one that is known by its hash alone, the live value.
fn change_of(field: &FieldDrift) -> Change {
    match &field.applied {
        Some(applied) => Change::of(applied, &field.live),
        None => Change::Simple { before: "(not known)".to_owned(), after: brief(&field.live), delta: None },
    }
}

fn row(paper: &mut Paper, field: &FieldDrift, column: usize, options: &TextOptions) -> usize {
    let styles = &options.styles;
    let mark =
        if field.conflict { Span::new(styles.danger, "!") } else { Span::new(styles.changed, options.glyphs.drift) };
    let change = change_of(field);
    label(paper, &mark, &field.path.to_string(), column, headline(&change, false, options));
    let indent = fields::PATH_COLUMN + 2;
    if field.conflict {
        let text = "Git has changed it as well, or no longer declares it";
        paper.flow(indent, indent + 2, &[Span::new(styles.danger, text)]);
    }
    if let Some(ended) = &field.ended {
        paper.flow(indent, indent + 2, &[Span::new(styles.dim, &said::ended(ended))]);
    }
    body(paper, indent, &change, options);
    indent
}

fn group_rows(paper: &mut Paper, group: &DriftGroup<'_>, options: &TextOptions) {
    let indent = row(paper, group.field, 0, options);
    for (agent, field) in group.agents.iter().take(AGENTS_SHOWN) {
        let who = who(field.editor.as_ref()).map(|who| format!("   {who}")).unwrap_or_default();
        let spans = [Span::plain(&agent.address().to_string()), Span::new(options.styles.dim, &who)];
        paper.flow(indent, indent + 2, &spans);
    }
    let more = group.agents.len().saturating_sub(AGENTS_SHOWN);
    if more > 0 {
        let text = format!("{} {}", options.glyphs.ellipsis, plural(more, "more agent", "more agents"));
        paper.flow(indent, indent, &[Span::new(options.styles.dim, &text)]);
    }
}

fn agent_rows(paper: &mut Paper, agent: &AgentDrift, own: &[&FieldDrift], options: &TextOptions) {
    let styles = &options.styles;
    let (sign, style) = if agent.is_absent() { ("-", styles.danger) } else { (options.glyphs.drift, styles.changed) };
    let spans = [
        Span::new(style, &format!("{sign} ")),
        Span::new(styles.strong, &agent.address().to_string()),
        Span::plain("   "),
        Span::new(style, &said::versions(agent)),
        Span::new(styles.dim, &format!("   {}:{}", agent.origin.file, agent.origin.line)),
    ];
    paper.flow(2, 6, &spans);
    if agent.is_absent() {
        paper.flow(6, 8, &[Span::plain(said::ABSENT)]);
        return;
    }
    if let Some(text) = said::foreign(agent) {
        paper.flow(6, 8, &[Span::new(styles.danger, &text)]);
    }
    for slot in &agent.slots {
        let mark =
            if slot.conflict { Span::new(styles.danger, "!") } else { Span::new(styles.changed, options.glyphs.drift) };
        let spans = [
            mark,
            Span::plain(&format!(" {} {}   ", slot.number, slot.direction)),
            Span::new(styles.dim, &said::slot_applied(agent, slot)),
            Span::plain(&format!(" {} ", options.glyphs.arrow)),
            Span::new(styles.added, &said::slot_live(slot)),
        ];
        paper.flow(4, 8, &spans);
    }
    let column = fields::column(own.iter().map(|field| &field.path));
    let mut last: Option<String> = None;
    for field in own {
        // Who edited ten values in one version is named once.
        let who = who(field.editor.as_ref());
        if let Some(text) = who.as_ref().filter(|_| who != last) {
            paper.flow(6, 8, &[Span::new(styles.dim, &format!("changed on the service {text}"))]);
        }
        last = who;
        row(paper, field, column, options);
    }
    kept(paper, 6, "", &agent.kept, options);
}

fn who(editor: Option<&Editor>) -> Option<String> {
    editor.map(words::editor).filter(|text| !text.is_empty())
}

fn kept(paper: &mut Paper, indent: usize, start: &str, kept: &[KeptEdit], options: &TextOptions) {
    if kept.is_empty() {
        return;
    }
    let count = plural(kept.len(), "edit is", "edits are");
    let text = format!("{start}{count} at values that Git does not declare: {}", fields::kept_paths(kept));
    paper.flow(indent, indent + 2, &[Span::new(options.styles.dim, &text)]);
}

/// What is no drift and still worth a line.
fn left_alone(paper: &mut Paper, drift: &Drift, options: &TextOptions) {
    for entry in &drift.as_applied {
        let Some(editor) = &entry.live_editor else { continue };
        let who = words::editor(editor);
        let start = format!("agent.{} was published {who}; nothing that Git declares differs", entry.key);
        if entry.kept.is_empty() {
            paper.flow(0, 2, &[Span::new(options.styles.dim, &format!("{start}."))]);
        } else {
            kept(paper, 0, &format!("{start}; "), &entry.kept, options);
        }
    }
    for notice in &drift.notices {
        let about = notice.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let text = format!("{about}{}", notice.message);
        paper.flow(0, 2, &[Span::new(options.styles.changed, "Note: "), Span::plain(&text)]);
    }
    paper.blank();
}
