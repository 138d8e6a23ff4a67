//! Tells the problems of a run: on stderr, as annotations where a runner reads them, and in files that flags name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::args::Reports;
use crate::cli::report::CommandError;
use crate::cli::settings::Settings;
use crate::cli::{explain, git, output};
use crate::diagnostics::Diagnostic;
use crate::manifest::Resolved;
use crate::model::{Address, Origin};
use crate::render::findings::{FindingContext, SarifRun, annotations, code_quality, findings, sarif};

/// Writes problems to stderr, and where a runner reads them also as annotations.
pub fn tell(problems: &[Diagnostic], resolved: &Resolved, settings: &Settings) {
    output::problems(problems, &resolved.sources, settings);
    if settings.annotations && !problems.is_empty() {
        let (folder, manifests) = (folder(settings), manifests(resolved));
        let context = FindingContext { sources: &resolved.sources, folder: &folder, manifests: &manifests };
        output::workflow_commands(&annotations(&findings(problems, &context), "the log of this step"));
    }
}

/// Fails where a report cannot be written, before anything is done.
pub fn check(reports: &Reports) -> Result<(), CommandError> {
    [&reports.sarif, &reports.code_quality].into_iter().flatten().try_for_each(|path| output::check_writable(path))
}

/// Writes the reports that flags name. A run without problems writes them too: an empty report closes what the last one
/// opened.
pub fn write(
    command: &str,
    problems: &[Diagnostic],
    resolved: &Resolved,
    reports: &Reports,
    settings: &Settings,
) -> Result<(), CommandError> {
    if reports.sarif.is_none() && reports.code_quality.is_none() {
        return Ok(());
    }
    let (folder, manifests) = (folder(settings), manifests(resolved));
    let context = FindingContext { sources: &resolved.sources, folder: &folder, manifests: &manifests };
    let found = findings(problems, &context);
    if let Some(path) = &reports.sarif {
        let (known, page) = (explain::every_code(), explain::page(settings));
        let environment = &resolved.project.environment;
        let run = SarifRun { command, environment, known: &known, page: page.as_deref() };
        output::file(path, &format!("{:#}\n", sarif(&found, &run, &context)))?;
    }
    if let Some(path) = &reports.code_quality {
        output::file(path, &format!("{:#}\n", code_quality(&found, &context)))?;
    }
    Ok(())
}

fn manifests(resolved: &Resolved) -> BTreeMap<Address, Origin> {
    resolved.desired.iter().map(|desired| (desired.address(), desired.origin.clone())).collect()
}

/// The project's folder as seen from the repository's root, which is what forges name files by. The checkout may lie
/// below the workspace, so git is asked first.
fn folder(settings: &Settings) -> String {
    let Ok(dir) = settings.dir.canonicalize() else { return String::new() };
    let roots = [git::root(&dir)]
        .into_iter()
        .chain(["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].map(|name| settings.variable(name).map(PathBuf::from)));
    roots
        .flatten()
        .filter_map(|root| root.canonicalize().ok())
        .find_map(|root| dir.strip_prefix(root).ok().map(slashed))
        .unwrap_or_default()
}

/// A path with slashes on every system.
fn slashed(path: &Path) -> String {
    let parts: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/")
}
