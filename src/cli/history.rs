//! `show KEY`, `versions`, `compare` and `log`: what is and what was live. Nothing here can write.

use tokio_util::sync::CancellationToken;

use crate::api::Reader;
use crate::model::Key;
use crate::plan::portrait::Portrait;
use crate::render::json::{agent_document, comparison_document, log_document, versions_document};
use crate::render::text::{agent_text, comparison_text, log_text, versions_text};
use crate::session::{self, Outside, Service, Which, Workspace};

use super::args::{Compare, DiffDetail, Log, Versions};
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{open, output};

/// What is looked at.
struct Look {
    workspace: Workspace,
    outside: Outside,
    reader: Reader,
    service: Service,
}

impl Look {
    /// Reads manifests and lists. Mistakes in the manifests of other agents are no reason not to look at this one.
    async fn at(agent: Option<&str>, settings: &Settings) -> Result<Self, CommandError> {
        let key = agent.and_then(|agent| Key::parse(agent.strip_prefix("agent.").unwrap_or(agent)));
        let workspace = match key {
            Some(key) => open::targeted(settings, &[key], &[]),
            None => open::workspace(settings),
        };
        open::refuse_broken(&workspace, settings)?;
        let outside = connect(settings, &workspace.resolved.project, CancellationToken::new())?;
        let reader = outside.reader();
        let service = open::service(settings, &outside, &reader).await?;
        Ok(Self { workspace, outside, reader, service })
    }

    async fn portrait(&self, agent: &str) -> Result<Portrait, CommandError> {
        let Self { workspace, outside, reader, service } = self;
        session::portrait(workspace, outside, reader, service, agent)
            .await
            .map_err(|error| CommandError::session(&error))
    }
}

/// What is not known whole has failed.
fn ended(complete: bool) -> Exit {
    if complete { Exit::Done } else { Exit::Failed }
}

/// `show KEY`.
pub async fn show(agent: &str, settings: &Settings) -> Result<Exit, CommandError> {
    let portrait = Look::at(Some(agent), settings).await?.portrait(agent).await?;
    output::json(settings, &agent_document(&portrait))?;
    if !settings.json {
        output::result(&agent_text(&portrait, &output::text_options(settings, DiffDetail::Words)));
    }
    Ok(ended(portrait.complete))
}

/// `versions KEY`.
pub async fn versions(arguments: &Versions, settings: &Settings) -> Result<Exit, CommandError> {
    let portrait = Look::at(Some(&arguments.agent), settings).await?.portrait(&arguments.agent).await?;
    output::json(settings, &versions_document(&portrait))?;
    if !settings.json {
        output::result(&versions_text(&portrait, &output::text_options(settings, DiffDetail::Words)));
    }
    Ok(ended(portrait.complete))
}

/// `compare KEY`.
pub async fn compare(arguments: &Compare, settings: &Settings) -> Result<Exit, CommandError> {
    let Compare { agent, from, to, summary, diff } = arguments;
    let Look { workspace, outside, reader, mut service } = Look::at(Some(agent), settings).await?;
    let not_secret = &open::not_secret(&workspace.resolved.project, settings);
    let which = Which { from: *from, to: *to, summary: *summary, not_secret };
    let between = session::compare(&workspace, &outside, &reader, &mut service, agent, which)
        .await
        .map_err(|error| CommandError::session(&error))?;
    output::json(settings, &comparison_document(&between))?;
    if !settings.json {
        output::result(&comparison_text(&between, &output::text_options(settings, *diff)));
    }
    Ok(Exit::Done)
}

/// `log [KEY]`.
pub async fn log(arguments: &Log, settings: &Settings) -> Result<Exit, CommandError> {
    let Log { agent, limit } = arguments;
    let Look { workspace, outside, reader, service } = Look::at(agent.as_deref(), settings).await?;
    let log = session::log(&workspace, &outside, &reader, &service, agent.as_deref(), *limit)
        .await
        .map_err(|error| CommandError::session(&error))?;
    output::json(settings, &log_document(&log))?;
    if !settings.json {
        output::result(&log_text(&log, &output::text_options(settings, DiffDetail::Words)));
    }
    Ok(ended(log.complete))
}
