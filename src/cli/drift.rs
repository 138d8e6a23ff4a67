//! `drift`: what was changed on the service since the last apply. Checking holds a reader, so it cannot change anything.

use tokio_util::sync::CancellationToken;

use crate::http::{Clock as _, SystemClock};
use crate::plan::drift::{Drift as DriftValue, DriftState, Unchecked};
use crate::plan::{Options, Target};
use crate::render::drift::summary_line;
use crate::render::json::drift_document;
use crate::render::text::drift_text;
use crate::session::{self, Service, Workspace};

use super::args::Drift;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::revision::GitPast;
use super::settings::Settings;
use super::workflow::annotate;
use super::{adopt, command, issue, markdown, open, output, validate};

/// A check with what it was made from.
pub struct Checked {
    /// What was found, or why nothing could be.
    pub drift: DriftValue,
    /// What was read; absent where nothing was.
    pub service: Option<Service>,
    /// What kept it from looking at all.
    pub failure: Option<CommandError>,
}

/// Runs the command.
pub async fn run(arguments: &Drift, settings: &Settings) -> Result<Exit, CommandError> {
    let workspace = open::targeted(settings, &arguments.target, &arguments.exclude);
    let Checked { drift, service, failure } = check(arguments, &workspace, settings).await?;
    annotate_unchecked(&drift, failure.as_ref(), settings);
    if arguments.adopt {
        if let Some(path) = &arguments.markdown {
            output::file(path, &markdown::of_drift(&drift, settings))?;
        }
        return adopt::run(&drift, service.as_ref(), &workspace, arguments, settings);
    }
    show(&drift, arguments, settings)?;
    if let Some(mode) = arguments.issue {
        let kept = issue::keep(&drift, mode, &arguments.issue_label, settings).await;
        if !issue::tell(&drift, mode, Some(&kept), settings) {
            return Ok(Exit::Failed);
        }
    }
    Ok(Exit::of_drift(&drift, arguments.detailed_exitcode))
}

/// Checks. Whatever keeps a check from seeing the service or the manifests is a state of the check and no error, so that
/// an issue or a script is told of it in the same words; wrong usage and a signal are errors.
pub async fn check(arguments: &Drift, workspace: &Workspace, settings: &Settings) -> Result<Checked, CommandError> {
    let (mut drift, service, failure) = match look(arguments, workspace, settings).await {
        Ok((drift, service)) => (drift, Some(service), None),
        Err(error) if error.exit == Exit::Failed => {
            let CommandError { causes, hints, .. } = error.clone();
            let unchecked = vec![Unchecked { address: None, causes, hints }];
            let (target, source) = (target(workspace, settings), workspace.source.clone());
            (DriftValue::not_checked(target, source, SystemClock.now(), unchecked), None, Some(error))
        }
        Err(error) => return Err(error),
    };
    drift.flags = Some(command::flags(settings, Some(&drift.target)));
    Ok(Checked { drift, service, failure })
}

/// Annotates that nothing, or not everything, could be looked at: whoever sees a green run, as `fail-on: never` makes it,
/// must not take it for one without drift.
pub fn annotate_unchecked(drift: &DriftValue, failure: Option<&CommandError>, settings: &Settings) {
    match failure {
        Some(failure) => {
            let mut error = failure.clone();
            error.causes.insert(0, "drift could not be checked".to_owned());
            annotate::failure(&error, settings.annotations);
        }
        None if drift.state() == DriftState::NotChecked => {
            let causes = drift.unchecked.first().map(|entry| entry.causes.join(": ")).unwrap_or_default();
            annotate::failed(&format!("{} {causes}", summary_line(drift)), settings.annotations);
        }
        None => {}
    }
}

async fn look(
    arguments: &Drift,
    workspace: &Workspace,
    settings: &Settings,
) -> Result<(DriftValue, Service), CommandError> {
    open::refuse_broken(workspace, settings)?;
    let outside = connect(settings, &workspace.resolved.project, CancellationToken::new())?;
    let reader = outside.reader();
    let failed = |error: session::SessionError| CommandError::session(&error);
    let mut service = open::service(settings, &outside, &reader).await?;
    let options = Options {
        has_project: workspace.resolved.project.has_project,
        targets: arguments.target.iter().cloned().collect(),
        excludes: arguments.exclude.iter().cloned().collect(),
        not_secret: open::not_secret(&workspace.resolved.project, settings),
        ..Options::default()
    };
    let past = GitPast::new(&settings.dir, settings.environment.as_deref());
    let drift = session::check_drift(workspace, &options, &outside, &reader, &mut service, &past).await;
    let drift = drift.map_err(failed)?;
    Ok((drift, service))
}

/// What would have been looked at.
fn target(workspace: &Workspace, settings: &Settings) -> Target {
    let project = &workspace.resolved.project;
    let environment = match project.environment.as_str() {
        "" => settings.environment.clone().unwrap_or_else(|| "default".to_owned()),
        known => known.to_owned(),
    };
    Target {
        host: validate::host(settings).unwrap_or_else(|_| "(no address)".to_owned()),
        declared_organization: project.organization().map(str::to_owned),
        organization: None,
        environment,
        project: project.name.clone(),
    }
}

/// Shows a check: text on stdout unless JSON was asked for, Markdown where a flag names a file.
pub fn show(drift: &DriftValue, arguments: &Drift, settings: &Settings) -> Result<(), CommandError> {
    // Files first: where one cannot be written, stdout still holds one document, the error.
    if let Some(path) = &arguments.markdown {
        output::file(path, &markdown::of_drift(drift, settings))?;
    }
    output::json(settings, &drift_document(drift))?;
    if !settings.json {
        output::result(&drift_text(drift, &output::text_options(settings, arguments.diff)));
    }
    Ok(())
}
