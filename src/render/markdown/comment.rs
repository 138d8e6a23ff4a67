//! The comment on a pull request: totals first, then a table from which a reviewer of ten agents decides, then details.

use super::escape::{code, html_code, link, marker_value, sentence};
use super::fields::{self, Told};
use super::{Body, CommentContext};
use super::{problems, verify};
use crate::diagnostics::{Problem, SourceMap};
use crate::model::FieldPath;
use crate::plan::{Action, AgentChange, Cause, KeptEdit, Plan, Target};
use crate::render::ladder::{Details, Rows, Rung, fit};
use crate::render::put::put;
use crate::render::values::plural;
use crate::render::verify::of_plan;
use crate::render::words;

/// Up to so many agents, all details stand open; of more, only those that need a second look.
const OPEN_DETAILS: usize = 3;
/// The body of the comment on a plan.
pub fn plan_comment(plan: &Plan, sources: &SourceMap, context: &CommentContext) -> Body {
    // Comparing prompts is the work; what a rung leaves out changes nothing about it.
    let told: Vec<Told<'_>> = plan.changes.iter().map(Told::of).collect();
    fit(context.max_bytes, |rung| write(plan, &told, sources, context, rung)).into()
}

fn write(plan: &Plan, told: &[Told<'_>], sources: &SourceMap, context: &CommentContext, rung: &Rung) -> String {
    let mut out = marker("plan", plan.plan_hash.as_str(), context, plan.source.commit.as_deref());
    out.push_str(&title(plan, rung));
    out.push_str(&links(plan, context, rung));
    out.push_str(&warnings(plan, rung));
    match rung.rows {
        Rows::All | Rows::Names => problems(&mut out, plan, sources),
        Rows::Totals => problems_counted(&mut out, plan),
    }
    if let Some(text) = words::no_changes(plan) {
        put(&mut out, format_args!("{text}\n\n"));
    }
    match rung.rows {
        Rows::All => table(&mut out, told),
        Rows::Names | Rows::Totals => {}
    }
    for entry in told {
        let shown = match rung.details {
            Details::All => true,
            Details::Risky => words::needs_second_look(entry.change),
            Details::None => false,
        };
        if shown {
            agent(&mut out, entry, plan.changes.len() <= OPEN_DETAILS, rung);
        }
    }
    if rung.details > Details::None {
        left_alone(&mut out, plan);
    }
    if let Some(missing) = rung.missing {
        let whole = context.full_plan_url.as_deref().and_then(|url| link("full plan", url));
        let whole = whole.map(|link| format!(" See the {link}.")).unwrap_or_default();
        put(&mut out, format_args!("> [!NOTE]\n> Shortened to fit: {missing}.{whole}\n\n"));
    }
    out.push_str(&footer(plan));
    out
}

/// The hidden marker by which the comment is found again.
pub(super) fn marker(kind: &str, hash: &str, context: &CommentContext, commit: Option<&str>) -> String {
    let mut parts = vec![format!("reachform:{kind} v=1")];
    let values = [
        ("key", context.marker_key.as_deref()),
        ("sha", context.commit.as_deref().or(commit)),
        ("hash", Some(hash)),
        ("run", context.run_id.as_deref()),
    ];
    for (name, value) in values {
        if let Some(value) = value.map(marker_value).filter(|value| !value.is_empty()) {
            parts.push(format!("{name}={value}"));
        }
    }
    format!("<!-- {} -->\n", parts.join(" "))
}

/// Status and totals: it is what a notification and a phone show.
fn title(plan: &Plan, rung: &Rung) -> String {
    let summary = plan.summary();
    let state = words::state(plan).map(|state| format!("{state}, ")).unwrap_or_default();
    let (counts, unchanged) = (words::counts(&summary), summary.unchanged);
    let environment = code(&rung.bounded(&plan.target.environment));
    format!("### Agents plan · {environment} — {state}{counts} · {unchanged} unchanged\n")
}

fn links(plan: &Plan, context: &CommentContext, rung: &Rung) -> String {
    let mut parts = Vec::new();
    if let Some(commit) = context.commit.as_deref().or(plan.source.commit.as_deref()) {
        let short: String = commit.chars().take(7).collect();
        let dirty = if plan.source.dirty { " with changes that are not committed" } else { "" };
        parts.push(format!("Commit {}{dirty}", code(&short)));
    }
    parts.push(format!("plan `{}`", plan.plan_hash.short()));
    let Target { host, project, declared_organization: _, organization: _, environment: _ } = &plan.target;
    parts.push(format!("{} {}", code(&rung.bounded(host)), code(&rung.bounded(project))));
    parts.extend(context.run_url.as_deref().and_then(|url| link("run", url)));
    parts.extend(context.full_plan_url.as_deref().and_then(|url| link("full plan", url)));
    format!("{}\n\n", parts.join(" · "))
}

/// What nobody may overlook.
fn warnings(plan: &Plan, rung: &Rung) -> String {
    let mut lines = Vec::new();
    if !plan.complete {
        lines.push(
            "**Incomplete:** not everything could be read. The plan shows what is known and cannot be applied."
                .to_owned(),
        );
    }
    if plan.targeted {
        lines.push("**Targeted:** agents were left out. This is not the whole plan.".to_owned());
    }
    let named = |matches: &dyn Fn(&AgentChange) -> bool| {
        let keys: Vec<String> =
            plan.changes.iter().filter(|change| matches(change)).map(|change| code(change.key.as_str())).collect();
        (keys.len(), if rung.rows == Rows::Totals { String::new() } else { format!(" {}", keys.join(", ")) })
    };
    lines.extend(plan.raised.iter().map(|limit| format!("**Limit:** {}.", sentence(&limit.describe()))));
    lines.extend(verify::warnings(&of_plan(plan), rung));
    lines.extend(alarms(plan, rung));
    let (deleted, names) = named(&|change| change.action == Action::Delete);
    if deleted > 0 {
        lines.push(format!("**{} be deleted:**{names}", plural(deleted, "agent will", "agents will")));
    }
    let (conflicts, names) = named(&|change| change.has_cause(Cause::Conflict));
    if conflicts > 0 {
        lines.push(format!(
            "**{} changed in Git and on the service:**{names}",
            plural(conflicts, "agent was", "agents were")
        ));
    }
    let (held, names) = named(&|change| change.held.is_some());
    if held > 0 {
        lines.push(format!("**{} held back and will not be applied:**{names}", plural(held, "agent is", "agents are")));
    }
    for breach in &plan.breaches {
        let (message, flag) = (sentence(&rung.bounded(&breach.message)), code(&rung.bounded(&breach.flag)));
        lines.push(format!("**Safety limit:** {message} To allow it for one run: {flag}"));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("> [!WARNING]\n> {}\n\n", lines.join("\n>\n> "))
}

/// The alarms, a line each; where there is no room but for totals, how many there are.
fn alarms(plan: &Plan, rung: &Rung) -> Vec<String> {
    let lines = words::alarm_lines(plan);
    if rung.rows == Rows::Totals && !lines.is_empty() {
        return vec![format!(
            "**{} to look at first:** read them in the whole plan before you approve this one",
            plural(lines.len(), "thing", "things")
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

fn problems(out: &mut String, plan: &Plan, sources: &SourceMap) {
    // A plan that is too long goes down the ladder, which counts its problems there.
    problems::list(out, plan.diagnostics.iter().map(|diagnostic| Problem::of(diagnostic, sources)), usize::MAX);
}

/// The problems as a number, where there is no room for their words.
fn problems_counted(out: &mut String, plan: &Plan) {
    if let Some(count) = crate::render::diagnostics::count(&plan.diagnostics) {
        put(out, format_args!("- {count}\n\n"));
    }
}

fn table(out: &mut String, told: &[Told<'_>]) {
    if told.is_empty() {
        return;
    }
    out.push_str("| | Agent | Version | What changes |\n|:-:|---|---|---|\n");
    for entry in told {
        let change = entry.change;
        put(
            out,
            format_args!(
                "| {} | {} | {} | {} |\n",
                code(change.action.symbol()),
                code(change.key.as_str()),
                version_cell(change),
                fields::overview(entry)
            ),
        );
    }
    out.push('\n');
}

fn version_cell(change: &AgentChange) -> String {
    match (change.action, change.base_version, change.new_version) {
        (Action::Update, Some(base), true) => format!("v{base} → new"),
        (_, None, true) => "first".to_owned(),
        (_, Some(base), _) => format!("v{base}"),
        (_, None, false) => String::new(),
    }
}

fn agent(out: &mut String, told: &Told<'_>, few: bool, rung: &Rung) {
    let change = told.change;
    let mut body = String::new();
    if change.action != Action::Update {
        let id = change.agent_id.as_ref().map(|id| format!(" ({})", code(id))).unwrap_or_default();
        put(&mut body, format_args!("{}{id}\n\n", code(&change.name)));
    }
    if let Some(held) = &change.held {
        put(&mut body, format_args!("**Held back:** {}\n\n", sentence(&held.describe(&change.key))));
    }
    let edited = change.has_cause(Cause::Drift) || change.has_cause(Cause::Conflict);
    let who = change.live_editor.as_ref().map(words::editor).filter(|text| !text.is_empty());
    if let (true, Some(who)) = (edited, who) {
        put(&mut body, format_args!("Changed on the service {}.\n\n", sentence(&who)));
    }
    body.push_str(&fields::numbers(change));
    body.push_str(&fields::details(told, rung));
    body.push_str(&kept(&change.kept));
    if body.is_empty() {
        return;
    }
    let open = if few || words::needs_second_look(change) { " open" } else { "" };
    let origin =
        change.origin.as_ref().map(|origin| format!(" · {}", html_code(&format!("{}:{}", origin.file, origin.line))));
    put(
        out,
        format_args!(
            "<details{open}><summary>{} {}{}</summary>\n\n{}\n\n</details>\n\n",
            html_code(&change.address.to_string()),
            words::versions(change, "→"),
            origin.unwrap_or_default(),
            body.trim_end()
        ),
    );
}

fn kept(kept: &[KeptEdit]) -> String {
    if kept.is_empty() {
        return String::new();
    }
    let paths: Vec<String> = kept
        .iter()
        .take(fields::LIST_SHOWN)
        .map(|edit| &edit.path)
        .map(FieldPath::to_string)
        .map(|path| code(&path))
        .collect();
    let count =
        plural(kept.len(), "live edit that Git does not declare stays", "live edits that Git does not declare stay");
    format!("{count}: {}\n\n", paths.join(", "))
}

/// What the plan does not touch but a reader should know.
fn left_alone(out: &mut String, plan: &Plan) {
    let mut lines = Vec::new();
    for entry in plan.unchanged.iter().filter(|entry| !entry.kept.is_empty()) {
        lines.push(format!("{} is unchanged; {}", code(&format!("agent.{}", entry.key)), kept(&entry.kept).trim_end()));
    }
    for orphan in &plan.orphans {
        let why = match (&orphan.kept_because, orphan.protect) {
            (Some(why), _) => format!("`--prune` would keep it: {}", sentence(why)),
            (None, true) => "protected".to_owned(),
            (None, false) => "`--prune` deletes it".to_owned(),
        };
        lines.push(format!("{} has no manifest; {why}", code(&format!("agent.{}", orphan.key))));
    }
    for notice in &plan.notices {
        let about =
            notice.address.as_ref().map(|address| format!("{}: ", code(&address.to_string()))).unwrap_or_default();
        lines.push(format!("{about}{}", sentence(&notice.message)));
    }
    if !plan.unmanaged.is_empty() {
        let count = plural(plan.unmanaged.len(), "agent is", "agents are");
        lines.push(format!("{count} not managed by this project"));
    }
    fields::folded_list(out, "Left alone", lines);
}

fn footer(plan: &Plan) -> String {
    let summary = plan.summary();
    let mut lines = vec![words::plan_line(&summary)];
    lines.extend(words::drift_line(&summary));
    lines.extend(words::conflict_line(&summary));
    format!("<sub>{}<br>Plan hash <code>{}</code></sub>\n", lines.join(" "), plan.plan_hash)
}
