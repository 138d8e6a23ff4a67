//! `plan`: what would change. It holds a reader, so it cannot change anything.

use tokio_util::sync::CancellationToken;

use crate::diagnostics::Severity;
use crate::plan::Plan as PlanValue;
use crate::render::json::plan_document;
use crate::render::text::plan_text;

use super::args::{Plan, Planning};
use super::connect::connect;
use super::exit::Exit;
use super::reading::Workspace;
use super::report::CommandError;
use super::settings::Settings;
use super::{markdown, output, reading};

/// Runs the command.
pub async fn run(arguments: &Plan, settings: &Settings) -> Result<Exit, CommandError> {
    let workspace = reading::open(settings);
    refuse_broken(&workspace, settings)?;
    let connection = connect(settings, &workspace.resolved.project, CancellationToken::new())?;
    let reader = connection.reader();
    let mut service = reading::read(&connection, &reader, settings).await?;
    let plan = reading::make_plan(&workspace, &arguments.planning, &connection, &reader, &mut service).await?;
    show(&plan, &workspace, &arguments.planning, settings)?;
    let document = plan_document(&plan, &workspace.resolved.sources);
    output::json(settings, &document)?;
    if let Some(path) = &arguments.out {
        output::file(path, &document)?;
        if !settings.quiet {
            output::aside(&format!("The plan was saved. Apply exactly this with: reachform apply {}", path.display()));
        }
    } else if settings.interactive && plan.summary().has_changes() && !settings.quiet {
        output::aside("The plan was not saved (`--out FILE`), so `apply` plans again and shows what it found.");
    }
    Ok(Exit::of_plan(&plan, arguments.detailed_exitcode))
}

/// Mistakes in the manifests end a run before the service is asked: a plan of half a repository is none.
pub fn refuse_broken(workspace: &Workspace, settings: &Settings) -> Result<(), CommandError> {
    let resolved = &workspace.resolved;
    if !resolved.diagnostics.has_errors() {
        return Ok(());
    }
    let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
    output::problems(&problems, &resolved.sources, settings);
    let count = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let plural = if count == 1 { "mistake" } else { "mistakes" };
    Err(CommandError::config(format!("the manifests have {count} {plural}; nothing was planned")))
}

/// Shows a plan: problems on stderr, the plan on stdout unless JSON was asked for, Markdown where a flag names a file.
pub fn show(
    plan: &PlanValue,
    workspace: &Workspace,
    planning: &Planning,
    settings: &Settings,
) -> Result<(), CommandError> {
    output::problems(&plan.diagnostics, &workspace.resolved.sources, settings);
    if !settings.json {
        output::result(&plan_text(plan, &output::text_options(settings, planning.diff)));
    }
    if let Some(path) = &planning.markdown {
        output::file(path, &markdown::of_plan(plan, settings))?;
    }
    Ok(())
}
