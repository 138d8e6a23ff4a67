//! From settings to the forge that this pipeline runs on. Nothing is sent yet.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::disk;
use crate::forge::service::graphql_base;
use crate::forge::{Connection, Context, Forge, Host, Warning, WarningKind, connect};
use crate::http::{
    BaseUrl, Credential, OsEntropy, Redactor, ReqwestTransport, SystemClock, Transport, TransportOptions,
};
use crate::render::markdown::CommentContext;
use crate::render::view::Place;

use super::settings::Settings;

/// Largest event that is read. GitHub's have at most 25 MB.
const EVENT_BYTES: usize = 32 * 1024 * 1024;

/// Largest answer that is read: a hundred comments of a quarter of a megabyte.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What the pipeline tells of itself.
pub fn context(settings: &Settings) -> Result<Context, Warning> {
    let failed = |cause: String| Warning::new(WarningKind::NoForge, "find out where to post").cause(cause);
    let event = match settings.variable("GITHUB_EVENT_PATH") {
        Some(path) => Some(read_event(Path::new(path)).map_err(failed)?),
        None => None,
    };
    Context::read(settings.variables(), event.as_deref()).map_err(|error| {
        failed(error.to_string())
            .hint("run it in GitHub Actions or GitLab CI, or set GITHUB_REPOSITORY=owner/name and GITHUB_TOKEN")
    })
}

/// The same, as far as it is known, where nothing is posted: a link to the run needs no event.
pub fn known_context(settings: &Settings) -> Option<Context> {
    context(settings).ok().or_else(|| Context::read(settings.variables(), None).ok())
}

fn read_event(path: &Path) -> Result<String, String> {
    disk::read_text(path, EVENT_BYTES)
        .map_err(|error| format!("the event at {} could not be read: {error}", path.display()))
}

/// The forge itself, with the token of the environment.
pub fn open(settings: &Settings, context: &Context, cancel: CancellationToken) -> Result<Box<dyn Forge>, Warning> {
    let doing = "reach the forge";
    let names: &[&str] = match context.host {
        Host::GitHub => &["GITHUB_TOKEN", "GH_TOKEN"],
        Host::GitLab => &["GITLAB_TOKEN"],
    };
    let found = names.iter().find_map(|name| Some((*name, settings.variable(name)?)));
    let Some((name, token)) = found else {
        let warning = Warning::new(WarningKind::NoToken, doing).cause(format!("{} is not set", names.join(" or ")));
        return Err(warning.hint(match context.host {
            Host::GitHub => "map it in the step: `env: {GITHUB_TOKEN: ${{ github.token }}}`",
            Host::GitLab => "use a project access token with the scope `api`: CI_JOB_TOKEN cannot write notes",
        }));
    };
    let token = SecretString::from(token.trim().to_owned());
    let bad_token = |error: &dyn std::fmt::Display| {
        Warning::new(WarningKind::NoToken, doing).cause(format!("the token in {name} cannot be used: {error}"))
    };
    let credential = Credential::new(&token, None).map_err(|error| bad_token(&error))?;
    let options = TransportOptions {
        body_limit: ANSWER_BYTES,
        extra_ca: settings.ca_file.clone(),
        ..TransportOptions::default()
    };
    let transport = |address: &str| -> Result<Arc<dyn Transport>, Warning> {
        let bad = |error: &dyn std::fmt::Display| {
            Warning::new(WarningKind::NoForge, doing).cause(format!("its address cannot be used: {error}"))
        };
        let base = BaseUrl::parse(address).map_err(|error| bad(&error))?;
        let transport = ReqwestTransport::new(base, Some(&credential), &options).map_err(|error| bad(&error))?;
        Ok(Arc::new(transport))
    };
    let connection = Connection {
        api: transport(&context.api_url)?,
        graphql: transport(graphql_base(&context.api_url))?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        redactor: Redactor::new([&token]),
        token_source: name.to_owned(),
        cancel,
    };
    Ok(connect(context, &connection))
}

/// What a comment says of the run, as far as the pipeline tells.
pub fn comment_context(context: Option<&Context>, settings: &Settings, max_bytes: usize) -> CommentContext {
    comment_context_in(context, folder_in_repository(settings), max_bytes)
}

/// The same for a project's folder that is known.
pub fn comment_context_in(context: Option<&Context>, folder: Option<String>, max_bytes: usize) -> CommentContext {
    let Some(context) = context else { return CommentContext { max_bytes, ..CommentContext::default() } };
    let run = context.run.as_ref();
    CommentContext {
        marker_key: None,
        commit: context.head_sha.clone(),
        run_id: run.map(|run| run.id.to_string()),
        run_url: run.and_then(|run| run.url.clone()),
        full_plan_url: None,
        repository_url: repository_url(context),
        folder,
        place: Place::Shown,
        max_bytes,
    }
}

/// Where the repository can be seen. GitLab may name it by a number alone, under which nothing can be seen.
fn repository_url(context: &Context) -> Option<String> {
    let Context { host, server_url, repository, .. } = context;
    match host {
        Host::GitHub => Some(format!("{server_url}/{repository}")),
        Host::GitLab if repository.contains('/') => Some(format!("{server_url}/{repository}/-")),
        Host::GitLab => None,
    }
}

/// The project's folder from the root of the repository, so that it is the same wherever the runner checks out.
pub fn folder_in_repository(settings: &Settings) -> Option<String> {
    let root = settings.variable("GITHUB_WORKSPACE").or_else(|| settings.variable("CI_PROJECT_DIR"))?;
    let root = Path::new(root).canonicalize().ok()?;
    let dir = settings.dir.canonicalize().ok()?;
    dir.strip_prefix(&root).ok().map(|folder| folder.to_string_lossy().replace('\\', "/"))
}
