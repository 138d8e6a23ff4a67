//! Pull requests of strangers, from forks or of Dependabot: no secrets, and a token that only reads.

use crate::cli::args::{self, Diff, DiffDetail};
use crate::cli::exit::Exit;
use crate::cli::publish::Content;
use crate::cli::pull_request::{self, Base};
use crate::cli::report::CommandError;
use crate::cli::settings::Settings;
use crate::cli::workflow::findings;
use crate::cli::{diff, git, markdown, open, output, schema_cache, validate};
use crate::forge::{Context, State};
use crate::http::{Clock as _, SystemClock};
use crate::manifest;
use crate::render::values::plural;
use crate::session::Workspace;

use super::Action;
use super::inputs::ForkPolicy;
use super::outcome::Outcome;
use super::outputs::Outputs;

/// The event that runs with the trust of the base.
const TARGET: &str = "pull_request_target";

/// Refuses a run that has the trust of the base and the files of a stranger.
pub fn refuse_borrowed_trust(context: &Context, settings: &Settings) -> Result<(), CommandError> {
    if context.event != TARGET {
        return Ok(());
    }
    let source = git::source(&settings.dir);
    // The run's own commit is that of the base. Any other, or a changed file, may be the pull request's.
    if source.commit.is_some() && source.commit.as_deref() == settings.variable("GITHUB_SHA") && !source.dirty {
        return Ok(());
    }
    Err(CommandError::config("refused: the files here are not those of the base branch, and the secrets are")
        .cause(format!("a `{TARGET}` run trusts whoever opens a pull request with what it checks out"))
        .hint("use `on: pull_request`: for a fork the action shows the offline difference, without any secret")
        .hint("to post on the pull request of a fork, use a `workflow_run` job (examples/workflows)"))
}

/// A stranger's pull request changes nothing on the service.
pub fn no_apply() -> CommandError {
    CommandError::config("refused: nothing is applied for a pull request from a fork or of Dependabot")
        .hint("apply after the merge, on `push`")
}

/// Whether the service could be asked.
pub fn has_credential(settings: &Settings) -> bool {
    settings.sandbox || settings.token(open::workspace(settings).resolved.project.token_variable()).is_ok()
}

/// Does without a credential what can be done.
pub async fn run(action: &Action<'_>, command: &args::Command, outputs: &mut Outputs) -> Result<Outcome, CommandError> {
    let Action { inputs, settings, desk, files, .. } = action;
    if let args::Command::Validate(arguments) = command {
        return validated(action, arguments).await;
    }
    if inputs.fork_policy == ForkPolicy::Skip {
        output::aside("A pull request from a fork or of Dependabot has no credential: nothing was done.");
        outputs.summary("Skipped: there is no credential for this pull request.");
        return Ok(Outcome::of_difference(false));
    }
    let detail = match inputs.detail {
        "summary" => DiffDetail::Summary,
        "full" => DiffDetail::Full,
        _ => DiffDetail::Words,
    };
    let arguments =
        Diff { base: base(settings), detailed_exitcode: true, diff: detail, markdown: Some(files.markdown.clone()) };
    output::aside("A pull request from a fork or of Dependabot has no credential: its files are compared offline.");
    let difference = diff::make(&arguments, settings)?;
    outputs.difference(difference.manifests.len(), difference.same);
    let text = markdown::of_difference(&difference, settings);
    // The token of such a run may not write a comment: the summary is what it has.
    desk.summarize(&Content::Markdown { text: &text, state: State::Planned, plan_hash: None }, &difference.environment);
    let fails = inputs.fork_policy == ForkPolicy::FailIfChanged && !difference.is_empty();
    let outcome = Outcome::of_difference(!difference.is_empty());
    Ok(if fails { outcome.must_fail() } else { outcome })
}

/// Checks the manifests as far as that goes without a credential: against each other, and against the schema where an
/// earlier run on this machine has kept it.
async fn validated(action: &Action<'_>, arguments: &args::Validate) -> Result<Outcome, CommandError> {
    let Action { settings, desk, .. } = action;
    if schema_cache::load(settings, &validate::host(settings)?, SystemClock.now()).is_ok() {
        let offline = args::Validate { offline: true, ..arguments.clone() };
        return action.validate(&offline).await;
    }
    let resolved = manifest::load(&settings.dir, settings.environment.as_deref(), &|_| None);
    let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
    findings::write("validate", &problems, &resolved, &arguments.reports, settings)?;
    desk.summarize_validation(&resolved, &problems);
    let workspace = Workspace { resolved, source: git::source(&settings.dir) };
    open::refuse_broken(&workspace, settings)?;
    let count = plural(workspace.resolved.desired.len(), "manifest is", "manifests are");
    output::result(&format!("{count} in order; without a credential they were not checked against the schema."));
    Ok(Outcome::of_validation(Exit::Done))
}

/// What the files are compared with; where it is not here, the name of the branch, for the words of the failure.
fn base(settings: &Settings) -> String {
    match pull_request::base(settings) {
        Base::Commit(commit) => commit,
        Base::Unknown | Base::NoPullRequest => {
            format!("origin/{}", settings.variable("GITHUB_BASE_REF").unwrap_or("main"))
        }
    }
}
