//! `list`: which agents are managed, unmanaged, orphaned and absent.

use tokio_util::sync::CancellationToken;

use crate::model::{Coverage, LiveAgent};
use crate::plan::identity::{Binding, identify};
use crate::plan::rewritten::{configs_with_rewritten, rewritten_paths};
use crate::plan::{Inputs, Options, Source};
use crate::render::json::{AgentState, ListDoc, ListedDoc};
use crate::{live, session};

use super::args::List;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{open, output};

/// Runs the command.
pub async fn run(_arguments: &List, settings: &Settings) -> Result<Exit, CommandError> {
    let workspace = open::workspace(settings);
    open::refuse_broken(&workspace, settings)?;
    let project = &workspace.resolved.project;
    let connection = connect(settings, project, CancellationToken::new())?;
    let mut service = open::service(settings, &connection, &connection.reader()).await?;
    let target = session::planning::target(&workspace, &connection, &service.live);
    let options = Options { has_project: project.has_project, ..Options::default() };
    let source = Source::default();
    let reading = Inputs {
        desired: &workspace.resolved.desired,
        live: &service.live,
        target: &target,
        source: &source,
        options: &options,
    };
    let wanted = configs_with_rewritten(&reading, &identify(&reading));
    for failure in live::read_configs(&connection.reader(), &mut service.live, &wanted).await {
        output::aside(&format!("warning: {}", describe(&failure)));
    }
    let inputs = Inputs {
        desired: &workspace.resolved.desired,
        live: &service.live,
        target: &target,
        source: &source,
        options: &options,
    };
    let identities = identify(&inputs);
    let rewritten = rewritten_paths(&inputs, &identities, service.schema.as_ref());
    let mut rows: Vec<ListedDoc> = Vec::new();
    for (key, binding) in &identities.bindings {
        let state = match binding {
            Binding::Owned { .. } => AgentState::Managed,
            Binding::Adopted { .. } => AgentState::ToAdopt,
            Binding::New => AgentState::Absent,
            Binding::Broken => AgentState::Unclear,
        };
        let paths = rewritten.get(key).into_iter().flatten().cloned().collect();
        rows.push(ListedDoc { rewritten: paths, ..row(state, key.as_str(), binding.agent()) });
    }
    for (orphan, agent, _) in &identities.orphans {
        rows.push(row(AgentState::Orphaned, orphan.key.as_str(), Some(agent)));
    }
    for unmanaged in &identities.unmanaged {
        let state = if unmanaged.owner.is_some() { AgentState::AnotherProject } else { AgentState::Unmanaged };
        rows.push(row(state, "", service.live.agents.get(&unmanaged.agent_id)));
    }
    let document = ListDoc::new(service.live.agent_coverage.is_proven(), rows);
    if let Coverage::Unproven(why) | Coverage::Incomplete(why) | Coverage::Forbidden(why) = &service.live.agent_coverage
    {
        output::aside(&format!("warning: there may be more agents than these: {why}"));
    }
    output::json(settings, &document.text())?;
    if !settings.json {
        output::result(&table(&document.agents));
    }
    Ok(if service.live.agent_coverage.is_proven() { Exit::Done } else { Exit::Failed })
}

/// An error with its causes, on one line.
fn describe(error: &dyn std::error::Error) -> String {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    causes.join(": ")
}

fn row(state: AgentState, key: &str, agent: Option<&LiveAgent>) -> ListedDoc {
    ListedDoc {
        state,
        key: key.to_owned(),
        version: agent.and_then(LiveAgent::live_version).map(|head| head.version),
        agent_id: agent.map(|agent| agent.id.clone()).unwrap_or_default(),
        name: agent.map(|agent| agent.name.clone()).unwrap_or_default(),
        rewritten: Vec::new(),
    }
}

fn cells(row: &ListedDoc) -> [String; 5] {
    let show = |text: &str| crate::render::visible::one_line(text);
    let version = row.version.map(|version| format!("v{version}")).unwrap_or_default();
    [row.state.as_str().to_owned(), row.key.clone(), version, show(&row.agent_id), show(&row.name)]
}

fn table(rows: &[ListedDoc]) -> String {
    use unicode_width::UnicodeWidthStr as _;
    if rows.is_empty() {
        return "No agents, and no manifests.".to_owned();
    }
    let mut lines = vec![["STATE", "KEY", "LIVE", "ID", "NAME"].map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let mut widths = [0_usize; 5];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.width());
        }
    }
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (width, cell) in widths.iter().zip(line) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width - cell.width() + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    for ListedDoc { key, rewritten, .. } in rows.iter().filter(|row| !row.rewritten.is_empty()) {
        let paths: Vec<String> = rewritten.iter().map(ToString::to_string).collect();
        let paths = crate::render::visible::one_line(&paths.join(", "));
        let lines = [
            "\nagent.",
            key,
            " is not live as its manifest declares it: the service keeps another value at ",
            &paths,
            "\n",
        ];
        out.extend(lines);
    }
    out
}
