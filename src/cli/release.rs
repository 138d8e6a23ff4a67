//! `release KEY`: an agent that is no longer managed, and stays as it is.

use tokio_util::sync::CancellationToken;

use crate::model::digest::hex;
use crate::plan::portrait::{Portrait, Standing};
use crate::render::json::released_document;
use crate::render::visible::one_line;
use crate::session::{self, SessionError};

use super::apply::confirm;
use super::args::Release;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{open, output, signals};

/// Runs the command.
pub async fn run(arguments: &Release, settings: &Settings) -> Result<Exit, CommandError> {
    let key = &arguments.agent;
    if !arguments.auto_approve && (!settings.interactive || settings.json) {
        return Err(CommandError::usage("`release` cannot ask for confirmation here").hint("use `--auto-approve`"));
    }
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    let workspace = open::targeted(settings, std::slice::from_ref(key), &[]);
    open::refuse_broken(&workspace, settings)?;
    let outside = connect(settings, &workspace.resolved.project, cancel.clone())?;
    let reader = outside.reader();
    let mut service = open::service(settings, &outside, &reader).await?;
    let failed = |error: SessionError| CommandError::session(&error);
    let unverified = arguments.organization_unverified;
    session::see_organization(&workspace, &outside, unverified, &reader, &mut service).await.map_err(failed)?;
    let portrait = session::portrait(&workspace, &outside, &reader, &service, key.as_str()).await.map_err(failed)?;
    if !matches!(portrait.standing, Standing::Managed | Standing::Orphaned) {
        return Err(CommandError::config(format!("agent.{key} is not managed by this project; nothing was changed")));
    }
    if !arguments.auto_approve {
        let question = format!(
            "agent.{key} is \"{}\" ({}). It stays as it is, and reachform forgets what it applied.\nRelease it? Only \
             `yes` is accepted: ",
            one_line(&portrait.name),
            one_line(&portrait.agent_id)
        );
        if !confirm(&question, "yes", &cancel).await? {
            return Err(CommandError::config("not approved; nothing was changed"));
        }
    }
    let random = hex(&outside.entropy.bytes());
    let run = settings.run_name(random.get(..12).unwrap_or(&random));
    session::release(&outside, key, &portrait.agent_id, &run, arguments.break_lease).await.map_err(failed)?;
    output::json(settings, &released_document(&portrait))?;
    if !settings.json {
        output::result(&told(&portrait));
    }
    Ok(Exit::Done)
}

fn told(portrait: &Portrait) -> String {
    let address = portrait.key.as_ref().map(|key| format!("agent.{key}")).unwrap_or_default();
    let done = format!("Released: {address} ({}) is no longer managed.", one_line(&portrait.agent_id));
    let Some(origin) = &portrait.origin else { return done };
    let place = one_line(&format!("{}:{}", origin.file, origin.line));
    format!("{done}\nIts manifest is still there ({place}): remove it, or the next apply takes the agent over again.")
}
