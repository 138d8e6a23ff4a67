//! `validate`: manifests against each other and against the schema.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use crate::diagnostics::{Diagnostic, Place, Severity};
use crate::http::{Clock as _, SystemClock};
use crate::manifest::Resolved;
use crate::render::json::validation_document;
use crate::schema::ConfigSchema;
use crate::session::{self, SANDBOX_HOST, SessionError};

use super::args::Validate;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::schema_cache::{Offline, Origin};
use super::settings::Settings;
use super::workflow::findings;
use super::{open, output, schema_cache};

/// What the manifests were found to be.
pub struct Validation {
    /// The manifests.
    pub resolved: Resolved,
    /// What is wrong with those that were asked for.
    pub problems: Vec<Diagnostic>,
    schema_digest: Option<String>,
    /// Whether that schema is only the program's, in place of the service's.
    is_embedded: bool,
}

impl Validation {
    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        if self.errors() == 0 { Exit::Done } else { Exit::Failed }
    }
}

/// Runs the command.
pub async fn run(arguments: &Validate, settings: &Settings) -> Result<Exit, CommandError> {
    let found = check(arguments, settings).await?;
    show(&found, arguments, settings)?;
    Ok(found.exit())
}

/// Checks the manifests.
pub async fn check(arguments: &Validate, settings: &Settings) -> Result<Validation, CommandError> {
    findings::check(&arguments.reports)?;
    let wanted = wanted(arguments, settings)?;
    let resolved = open::workspace(settings).resolved;
    let mut found = resolved.diagnostics.clone();
    // Where the project cannot be told, the service is not asked: a broken file must not choose a credential.
    let schema = if found.has_errors() && arguments.offline {
        schema(arguments, settings, &resolved).await.ok()
    } else if found.has_errors() && resolved.project.environment.is_empty() {
        None
    } else {
        match schema(arguments, settings, &resolved).await {
            Ok(schema) => Some(schema),
            // The mistakes in the manifests are shown before the one of the credential.
            Err(error) if found.has_errors() => {
                output::aside(&error.text());
                None
            }
            Err(error) => return Err(error),
        }
    };
    let is_embedded = schema.as_ref().is_some_and(|(_, is_embedded)| *is_embedded);
    let schema = schema.map(|(schema, _)| schema);
    if let Some(schema) = &schema {
        found.extend(session::check(&resolved, schema, open::leniency(arguments.schema)));
    }
    let problems = only(found.sorted(&resolved.sources), &wanted, &resolved);
    // Of the service's own schema nothing is known where the program's was used.
    let schema_digest = schema.filter(|_| !is_embedded).map(|schema| schema.digest().as_str().to_owned());
    Ok(Validation { resolved, problems, schema_digest, is_embedded })
}

/// Shows what was found.
pub fn show(found: &Validation, arguments: &Validate, settings: &Settings) -> Result<(), CommandError> {
    let Validation { resolved, problems, schema_digest, is_embedded } = found;
    let valid = found.errors() == 0;
    let (environment, manifests) = (&resolved.project.environment, resolved.desired.len());
    let sources = &resolved.sources;
    let document = validation_document(environment, manifests, schema_digest.as_deref(), problems, sources);
    findings::tell(problems, resolved, settings);
    findings::write("validate", problems, resolved, &arguments.reports, settings)?;
    output::json(settings, &document)?;
    if valid && !settings.json {
        let count = resolved.desired.len();
        let plural = if count == 1 { "manifest is" } else { "manifests are" };
        let by = if *is_embedded { " by the schema in this program" } else { "" };
        output::result(&format!("{count} {plural} valid{by} for environment `{}`.", resolved.project.environment));
    }
    Ok(())
}

/// The schema, and whether it is only the program's in place of the service's.
async fn schema(
    arguments: &Validate,
    settings: &Settings,
    resolved: &Resolved,
) -> Result<(ConfigSchema, bool), CommandError> {
    if arguments.offline {
        let Offline { bytes, origin } = schema_cache::load_or_embedded(settings, &host(settings)?, SystemClock.now())?;
        if !settings.quiet {
            output::aside(&match &origin {
                Origin::Cache { age } => format!("offline: the schema is {age} old"),
                Origin::Sandbox => "offline: the schema is the embedded one".to_owned(),
                Origin::Program { host } => format!(
                    "offline: no run here has read the schema of {host} yet, so the one in this program is used; that of \
                     the service may be newer"
                ),
            });
        }
        return Ok((compile(&bytes)?, matches!(origin, Origin::Program { .. })));
    }
    let connection = connect(settings, &resolved.project, CancellationToken::new())?;
    let bytes = connection.reader().schema().await.map_err(|error| CommandError::service(&error))?;
    schema_cache::store(settings, &connection.host, &bytes, connection.clock.now());
    Ok((compile(&bytes)?, false))
}

/// Compiles a schema.
pub fn compile(bytes: &[u8]) -> Result<ConfigSchema, CommandError> {
    ConfigSchema::compile(bytes).map_err(|error| CommandError::session(&SessionError::Schema(error)))
}

/// The host that the cache knows a schema by.
pub fn host(settings: &Settings) -> Result<String, CommandError> {
    if settings.sandbox {
        return Ok(SANDBOX_HOST.to_owned());
    }
    let base = settings.base_url()?;
    debug_assert_ne!(base.host(), SANDBOX_HOST, "a host name has a dot or a port");
    Ok(base.host())
}

/// The files and folders that were asked for, as manifests are named: seen from the project's folder, or from where the
/// command was typed. One that is not there is an error; nothing was found in it, and that is not the same as no mistake.
fn wanted(arguments: &Validate, settings: &Settings) -> Result<Vec<String>, CommandError> {
    let root = settings.dir.canonicalize().ok();
    let name = |path: &PathBuf| {
        let (inside, outside) = (settings.dir.join(path), path.clone());
        let found = [inside, outside].into_iter().find(|path| path.exists());
        let missing = || {
            CommandError::usage(format!("the file or folder {} does not exist", path.display()))
                .hint("name manifests or folders of manifests; without a name, all are checked")
        };
        let found = found.as_ref().ok_or_else(missing)?;
        // The last part may be a link, and manifests are named by what is in the project.
        let whole = match (folder(found).map(Path::canonicalize), found.file_name()) {
            (Some(Ok(folder)), Some(last)) if !found.is_dir() => folder.join(last),
            _ => found.canonicalize().map_err(|error| CommandError::io(found.display().to_string(), &error))?,
        };
        let below = root.as_ref().and_then(|root| whole.strip_prefix(root).ok());
        below.map(|path| path.display().to_string()).ok_or_else(|| {
            CommandError::usage(format!("{} is not in the project {}", path.display(), settings.dir.display()))
                .hint("name the project's folder with `-C`")
        })
    };
    arguments.paths.iter().map(name).collect()
}

/// The folder of a path; that of a bare name is the current one.
fn folder(path: &Path) -> Option<&Path> {
    path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// The problems of the files that were asked for. Problems of the project as a whole are always reported.
fn only(problems: Vec<Diagnostic>, wanted: &[String], resolved: &Resolved) -> Vec<Diagnostic> {
    if wanted.is_empty() {
        return problems;
    }
    problems
        .into_iter()
        .filter(|problem| {
            let file = match &problem.place {
                Some(Place::Span(span)) => resolved.sources.name(span.file).to_owned(),
                Some(Place::Line(origin)) => origin.file.clone(),
                Some(Place::File(file)) => file.clone(),
                Some(Place::Agent(_) | Place::Field { .. } | Place::Request(_)) | None => return true,
            };
            let is_within = |path: &String| path.is_empty() || file == *path || file.starts_with(&format!("{path}/"));
            wanted.iter().any(is_within)
        })
        .collect()
}
