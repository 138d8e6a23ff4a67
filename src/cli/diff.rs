//! `diff --base REF`: the difference of two states of the repository. No credential, no network, no secret.

use crate::http::Redactor;
use crate::manifest;
use crate::plan::conceal::Conceal as _;
use crate::plan::difference::{Difference, compare};
use crate::render::json::difference_document;
use crate::render::text::difference_text;
use crate::session::Workspace;

use super::args::Diff;
use super::exit::Exit;
use super::report::CommandError;
use super::revision::{GitFiles, find};
use super::settings::Settings;
use super::{markdown, open, output};

/// Runs the command.
pub fn run(arguments: &Diff, settings: &Settings) -> Result<Exit, CommandError> {
    let difference = make(arguments, settings)?;
    Ok(if arguments.detailed_exitcode && !difference.is_empty() { Exit::Changes } else { Exit::Done })
}

/// Compares, shows what differs, and writes the file that a flag names.
pub fn make(arguments: &Diff, settings: &Settings) -> Result<Difference, CommandError> {
    let environment = settings.environment.as_deref();
    // Whoever wrote these files may be a stranger, so not even the names of secrets are looked up.
    let head = manifest::load(&settings.dir, open::readable(settings), environment, &|_| None);
    let workspace = Workspace { resolved: head, source: open::source(settings) };
    open::refuse_broken(&workspace, settings)?;
    let base = find(&settings.dir, &arguments.base)?;
    let files = GitFiles::open(&settings.dir, &base)?;
    let before = manifest::resolve(&files, environment, &|_| None);
    files.check_nothing_was_lacking()?;
    let mut notices = Vec::new();
    if before.diagnostics.has_errors() {
        let problems = before.diagnostics.clone().sorted(&before.sources);
        let first = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
        notices.push(format!("the manifests of the base have mistakes, so the difference may be incomplete: {first}"));
    }
    let (manifests, numbers, same) = compare(&before.desired, &workspace.resolved.desired);
    let project = &workspace.resolved.project;
    let mut difference = Difference {
        project: project.name.clone(),
        environment: project.environment.clone(),
        base,
        head: workspace.source.clone(),
        manifests,
        numbers,
        same,
        notices,
    };
    // No secret is looked up, and none that this run happens to have is shown.
    let redactor = Redactor::new(&settings.secrets());
    difference.conceal(&|text| redactor.hide(text));
    if let Some(path) = &arguments.markdown {
        output::file(path, &markdown::of_difference(&difference, settings))?;
    }
    output::json(settings, &difference_document(&difference))?;
    if !settings.json {
        output::result(&difference_text(&difference, &output::text_options(settings, arguments.diff)));
    }
    Ok(difference)
}
