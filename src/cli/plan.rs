//! `plan`: what would change. It holds a reader, so it cannot change anything.

use tokio_util::sync::CancellationToken;

use crate::plan::Plan as PlanValue;
use crate::render::json::{gitlab_report, plan_document, sealed};
use crate::render::text::{TextOptions, plan_text};
use crate::render::view::Place;
use crate::session::{self, Workspace};

use super::args::{Plan, Planning};
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::revision::GitPast;
use super::settings::Settings;
use super::workflow::findings;
use super::{command, html, markdown, open, output};

/// Runs the command.
pub async fn run(arguments: &Plan, settings: &Settings) -> Result<Exit, CommandError> {
    let plan = make(arguments, &open::planned(settings, &arguments.planning), settings).await?;
    if let Some(path) = &arguments.out {
        if !settings.quiet {
            output::aside(&if plan.is_applyable() {
                let command = command::apply(settings, &arguments.planning, Some(path));
                format!("The plan was saved. Apply exactly this with: {command}")
            } else {
                "The plan was saved to be read. It cannot be applied: fix what is wrong, and plan again.".to_owned()
            });
        }
    } else if settings.interactive && plan.summary().has_changes() && !settings.quiet {
        output::aside("Not saved (`--out FILE`): `apply` plans again and shows what it finds.");
    }
    Ok(Exit::of_plan(&plan, arguments.detailed_exitcode))
}

/// Makes a plan, shows it, and writes the files that flags name.
pub async fn make(arguments: &Plan, workspace: &Workspace, settings: &Settings) -> Result<PlanValue, CommandError> {
    findings::check(&arguments.reports)?;
    [&arguments.planning.markdown, &arguments.planning.html]
        .into_iter()
        .flatten()
        .try_for_each(|path| output::check_writable(path))?;
    let resolved = &workspace.resolved;
    if resolved.diagnostics.has_errors() {
        let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
        findings::write("plan", &problems, resolved, &arguments.reports, settings)?;
    }
    open::refuse_broken(workspace, settings)?;
    let outside = connect(settings, &workspace.resolved.project, CancellationToken::new())?;
    let reader = outside.reader();
    let failed = |error: session::SessionError| CommandError::session(&error);
    let mut service = open::service(settings, &outside, &reader).await?;
    let options = open::options(workspace, &arguments.planning, settings);
    let leniency = open::leniency(arguments.planning.schema);
    let plan = session::make_plan(workspace, &options, leniency, &outside, &reader, &mut service).await;
    let mut plan = plan.map_err(failed)?;
    let past = GitPast::new(&settings.dir, settings.environment.as_deref());
    session::say_where_applied(&mut plan, workspace, &service.live, &past);
    show(&plan, workspace, &arguments.planning, settings, Place::Shown)?;
    findings::write("plan", &plan.diagnostics, resolved, &arguments.reports, settings)?;
    let document = plan_document(&plan, &workspace.resolved.sources);
    let document = sealed(&output::without_secrets(&document));
    // Files first: where one cannot be written, stdout still holds one document, the error.
    if let Some(path) = &arguments.out {
        output::file(path, &document)?;
    }
    if let Some(path) = &arguments.gitlab_report {
        output::file(path, &gitlab_report(&plan.summary()))?;
    }
    output::json(settings, &document)?;
    Ok(plan)
}

/// Shows a plan: problems on stderr, the plan on stdout unless JSON was asked for, Markdown where a flag names a file.
pub fn show(
    plan: &PlanValue,
    workspace: &Workspace,
    planning: &Planning,
    settings: &Settings,
    place: Place,
) -> Result<(), CommandError> {
    findings::tell(&plan.diagnostics, &workspace.resolved, settings);
    if !settings.json {
        let options = TextOptions { place, ..output::text_options(settings, planning.diff) };
        output::result(&plan_text(plan, &options));
    }
    if let Some(path) = &planning.markdown {
        output::file(path, &markdown::of_plan(plan, &workspace.resolved.sources, settings))?;
    }
    if let Some(path) = &planning.html {
        let command = format!("{} --approved-plan {}", command::apply(settings, planning, None), plan.plan_hash);
        output::file(path, &html::of_plan(plan, &workspace.resolved.sources, settings, place, Some(command)))?;
    }
    Ok(())
}
