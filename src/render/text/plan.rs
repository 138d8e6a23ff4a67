//! A plan for a terminal: what is done to each agent, what is left alone, and the totals as the last lines.

use super::TextOptions;
use super::paper::{Paper, Span};
use super::{fields, numbers, verify};
use crate::plan::{Action, AgentChange, Cause, KeptEdit, Orphan, Plan, Summary, Target};
use crate::render::style::Detail;
use crate::render::values::plural;
use crate::render::verify::{fate, of_plan};
use crate::render::words;

/// Lines of one agent's values, unless everything was asked for.
const LINES_PER_AGENT: usize = 200;
/// The whole plan.
pub fn plan_text(plan: &Plan, options: &TextOptions) -> String {
    let Plan {
        target,
        source,
        schema_digest: _,
        complete,
        targeted,
        changes,
        unchanged,
        unmanaged,
        orphans,
        notices,
        diagnostics: _,
        breaches,
        raised,
        refreshes: _,
        twins: _,
        records: _,
        plan_hash: _,
    } = plan;
    let styles = &options.styles;
    let mut paper = Paper::new(options.columns());
    target_line(&mut paper, target, options);
    if let Some(commit) = &source.commit {
        let short: String = commit.chars().take(12).collect();
        let dirty = if source.dirty { " (with changes that are not committed)" } else { "" };
        paper.flow(0, 8, &[Span::new(styles.dim, "Source  "), Span::plain(&format!("{short}{dirty}"))]);
    }
    if !complete {
        let text = "INCOMPLETE: not everything could be read. The plan shows what is known and cannot be applied.";
        paper.flow(0, 2, &[Span::new(styles.danger, text)]);
    }
    if *targeted {
        let text = "TARGETED: agents were left out by --target or --exclude. This is not the whole plan.";
        paper.flow(0, 2, &[Span::new(styles.changed, text)]);
    }
    for limit in raised {
        let text = format!("{}.", limit.describe());
        paper.flow(0, 2, &[Span::new(styles.danger, "Look at this first: "), Span::plain(&text)]);
    }
    for (keys, becomes) in of_plan(plan) {
        let keys: Vec<String> = keys.iter().map(|key| format!("agent.{key}")).collect();
        let text = format!("`verify` of {} {}: {}.", keys.join(", "), fate(becomes), becomes.risk());
        paper.flow(0, 2, &[Span::new(styles.danger, "Look at this first: "), Span::plain(&text)]);
    }
    for (agents, path, message) in words::alarm_lines(plan) {
        let about = if agents.is_empty() { String::new() } else { format!("{}: ", agents.join(", ")) };
        let place = path.map(|path| format!(" ({path})")).unwrap_or_default();
        let text = format!("{about}{message}{place}");
        paper.flow(0, 2, &[Span::new(styles.danger, "Look at this first: "), Span::plain(&text)]);
    }
    legend(&mut paper, plan, options);
    for change in changes {
        paper.blank();
        agent(&mut paper, change, options);
    }
    paper.blank();
    if let Some(text) = words::no_changes(plan) {
        paper.flow(0, 0, &[Span::new(styles.strong, text)]);
        paper.blank();
    }
    for entry in unchanged.iter().filter(|entry| !entry.kept.is_empty()) {
        let start = format!("agent.{} is unchanged; ", entry.key);
        kept(&mut paper, 0, &start, &entry.kept, options);
    }
    orphan_lines(&mut paper, orphans, options);
    if !unmanaged.is_empty() {
        let text = format!("{} not managed by this project.", plural(unmanaged.len(), "agent is", "agents are"));
        paper.flow(0, 2, &[Span::new(styles.dim, &text)]);
    }
    for notice in notices {
        let about = notice.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let text = format!("{about}{}", notice.message);
        paper.flow(0, 2, &[Span::new(styles.changed, "Note: "), Span::plain(&text)]);
    }
    for breach in breaches {
        let text = format!("{} To allow it for one run: {}", breach.message, breach.flag);
        paper.flow(0, 2, &[Span::new(styles.danger, "Limit: "), Span::plain(&text)]);
    }
    paper.blank();
    for (index, line) in summary_lines(plan).iter().enumerate() {
        let style = if index == 0 { styles.strong } else { styles.changed };
        paper.whole(0, &[Span::new(style, line)]);
    }
    paper.into_text()
}

/// The last lines of every plan: the totals, drift and conflicts where there are any, and the hash.
pub fn summary_lines(plan: &Plan) -> Vec<String> {
    let summary = plan.summary();
    let mut lines = vec![words::plan_line(&summary)];
    lines.extend(words::drift_line(&summary));
    lines.extend(words::conflict_line(&summary));
    let errors = plan.diagnostics.iter().filter(|d| d.severity == crate::diagnostics::Severity::Error).count();
    if errors > 0 {
        lines.push(format!("Errors: {}; the plan cannot be applied.", plural(errors, "problem", "problems")));
    }
    lines.push(format!("Plan hash {}", plan.plan_hash));
    lines
}

/// Where the plan is for.
pub(super) fn target_line(paper: &mut Paper, target: &Target, options: &TextOptions) {
    let Target { host, declared_organization, organization, environment, project } = target;
    let mut parts = vec![host.clone()];
    match (organization, declared_organization) {
        (Some(found), _) => parts.push(format!("organization {found}")),
        (None, Some(declared)) => parts.push(format!("organization {declared} (not checked)")),
        (None, None) => {}
    }
    parts.push(format!("environment {environment}"));
    parts.push(format!("project {project}"));
    let text = parts.join(&format!(" {} ", options.glyphs.dot));
    paper.flow(0, 8, &[Span::new(options.styles.dim, "Target  "), Span::plain(&text)]);
}

/// The signs that this plan uses.
fn legend(paper: &mut Paper, plan: &Plan, options: &TextOptions) {
    let Summary { create, update, delete, adopt, unchanged: _, drift, conflict: _, orphaned: _ } = plan.summary();
    let looks_twice = plan.changes.iter().any(|change| {
        change.has_cause(Cause::Conflict)
            || change.verify.is_some()
            || change.fields.iter().any(|field| field.risk.is_some())
            || change.numbers.iter().any(|slot| slot.risk.is_some())
    });
    let signs = [
        (create > 0, Action::Create.symbol(), "create"),
        (update > 0, Action::Update.symbol(), "update"),
        (delete > 0, Action::Delete.symbol(), "delete"),
        (adopt > 0, Action::Adopt.symbol(), "adopt"),
        (looks_twice, "!", "look twice"),
        (drift > 0, options.glyphs.drift, "changed on the service"),
    ];
    let used: Vec<String> =
        signs.iter().filter(|(used, ..)| *used).map(|(_, sign, word)| format!("{sign} {word}")).collect();
    if !used.is_empty() {
        paper.flow(0, 8, &[Span::new(options.styles.dim, &format!("Signs   {}", used.join("   ")))]);
    }
}

fn agent(paper: &mut Paper, change: &AgentChange, options: &TextOptions) {
    let styles = &options.styles;
    let style = match change.action {
        Action::Create => styles.added,
        Action::Delete => styles.danger,
        Action::Update | Action::Adopt => styles.changed,
    };
    let mut spans = vec![
        Span::new(style, &format!("{} ", change.action.symbol())),
        Span::new(styles.strong, &change.address.to_string()),
        Span::plain("   "),
        Span::new(style, &words::versions(change, options.glyphs.arrow)),
    ];
    let origin = change.origin.as_ref().map(|origin| format!("   {}:{}", origin.file, origin.line)).unwrap_or_default();
    spans.push(Span::new(styles.dim, &origin));
    paper.flow(2, 6, &spans);
    for line in words::notes(change).into_iter().chain(words::edited(change)) {
        paper.flow(6, 8, &[Span::new(styles.dim, &line)]);
    }
    if let Some(held) = &change.held {
        let text = format!("HELD BACK: {}", held.describe(&change.key));
        paper.flow(6, 8, &[Span::new(styles.danger, &text)]);
    }
    if let Some(becomes) = &change.verify {
        verify::write(paper, becomes, options);
    }
    numbers::write(paper, change, options);
    let mut values = Paper::new(paper.width());
    fields::write(&mut values, change, options);
    let (shown, all) = (LINES_PER_AGENT, values.len());
    if options.detail != Detail::Full && all > shown {
        values.truncate(shown);
        let text = format!("{} {} (--diff=full)", options.glyphs.gap, plural(all - shown, "more line", "more lines"));
        values.flow(6, 8, &[Span::new(styles.dim, &text)]);
    }
    paper.append(values);
    kept(paper, 6, "", &change.kept, options);
    if options.detail == Detail::Full && !change.steps.is_empty() {
        let steps: Vec<String> = change.steps.iter().map(crate::plan::Step::describe).collect();
        paper.flow(6, 8, &[Span::new(styles.dim, &format!("steps: {}", steps.join(", then ")))]);
    }
}

fn kept(paper: &mut Paper, indent: usize, start: &str, kept: &[KeptEdit], options: &TextOptions) {
    if kept.is_empty() {
        return;
    }
    let count =
        plural(kept.len(), "live edit that Git does not declare stays", "live edits that Git does not declare stay");
    let text = format!("{start}{count}: {}", fields::kept_paths(kept));
    paper.flow(indent, indent + 2, &[Span::new(options.styles.dim, &text)]);
}

fn orphan_lines(paper: &mut Paper, orphans: &[Orphan], options: &TextOptions) {
    for orphan in orphans {
        let Orphan { key, agent_id, name, .. } = orphan;
        let text = format!("agent.{key} \"{name}\" ({agent_id}) has no manifest; {}.", words::fate(orphan));
        paper.flow(0, 2, &[Span::new(options.styles.changed, "Orphan: "), Span::plain(&text)]);
    }
}
