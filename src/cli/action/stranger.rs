//! Pull requests of strangers, from forks or of Dependabot: no secrets, and a token that only reads.

use crate::cli::args::{self, Diff, DiffDetail};
use crate::cli::exit::Exit;
use crate::cli::publish::Content;
use crate::cli::pull_request::{self, Base};
use crate::cli::report::{CommandError, Reason};
use crate::cli::settings::Settings;
use crate::cli::workflow::findings;
use crate::cli::{diff, git, markdown, open, output, schema_cache, validate};
use crate::forge::{Context, Origin, State};
use crate::http::{Clock as _, SystemClock};
use crate::manifest;
use crate::render::values::plural;
use crate::session::Workspace;

use super::Action;
use super::desk::Desk;
use super::inputs::ForkPolicy;
use super::outcome::Outcome;
use super::outputs::Outputs;

/// Events that only those who can write to the repository cause, and whose commit is theirs.
const OWN: [&str; 4] = ["push", "schedule", "workflow_dispatch", "merge_group"];

/// Refuses a run that has the trust of the repository and perhaps the files of a stranger.
///
/// Most events run with the repository's secrets, whoever caused them: anyone can comment, open an issue, or open a pull
/// request that a `pull_request_target` or a `workflow_run` job follows. Their files are the repository's own only if they
/// are those of the run's commit, which GitHub names and nobody else. What cannot be told is refused.
pub fn refuse_borrowed_trust(context: Option<&Context>, settings: &Settings) -> Result<(), CommandError> {
    let event = context.map(|context| context.event.as_str()).unwrap_or_default();
    let is_own = context.is_some_and(|context| {
        OWN.contains(&event)
            || event == "pull_request" && context.pull_request.is_some() && !context.origin.is_untrusted()
    });
    // From a fork, `pull_request` comes without secrets, and what has no credential has no trust to lend.
    if is_own || event == "pull_request" && !has_credential(settings) {
        return Ok(());
    }
    let Some(reason) = not_of_the_run(settings) else { return Ok(()) };
    let named =
        if event.is_empty() { "a run without an event".to_owned() } else { format!("a run of the event `{event}`") };
    Err(CommandError::config(format!("refused: in {named} the files here may be a stranger's"))
        .because(Reason::WrongEvent)
        .cause(reason)
        .cause("such a run may have secrets whoever caused it, so it works with the files of its own commit alone")
        .hint("check out without `ref` and put nothing else into the project's folder")
        .hint(
            "to plan a pull request, use `on: pull_request`; a fork then gets the offline difference, without a secret",
        )
        .hint("to post on the pull request of a fork, use a `workflow_run` job (examples/workflows)"))
}

/// Why the files may be others than those of the run's commit.
fn not_of_the_run(settings: &Settings) -> Option<String> {
    let Some(own) = settings.variable("GITHUB_SHA") else {
        return Some("the run does not name a commit: GITHUB_SHA is not set".to_owned());
    };
    let short = |commit: &str| commit.chars().take(12).collect::<String>();
    let (commit, beside) = (open::source(settings).commit, git::beside_commit(&settings.dir));
    match (commit, beside.as_deref()) {
        (Some(commit), _) if commit != own => {
            Some(format!("the checkout is at {}, and the commit of the run is {}", short(&commit), short(own)))
        }
        (Some(_), Some([])) => None,
        (Some(_), Some([first, rest @ ..])) => {
            let more = if rest.is_empty() { String::new() } else { format!(", nor are {} more", rest.len()) };
            Some(format!("`{first}` is not as the commit {} has it{more}", short(own)))
        }
        (None, _) | (_, None) => Some("git does not say which commit the files are of".to_owned()),
    }
}

/// A stranger's pull request changes nothing on the service.
pub fn no_apply(origin: Origin, context: &Context) -> CommandError {
    let whose = match origin {
        Origin::Fork => "from a fork",
        Origin::Dependabot => "of Dependabot",
        Origin::Unknown => "that may come from a fork",
        // The event did not say so, and the forge did.
        Origin::Repository => "by a comment on it",
    };
    let error = CommandError::config(format!("refused: nothing is applied for a pull request {whose}"))
        .because(Reason::WrongEvent);
    let error = match origin {
        Origin::Repository => error.cause(files_of_the_base(context)),
        Origin::Unknown => {
            error.cause(format!("the event `{}` does not say where its commits come from", context.event))
        }
        Origin::Fork | Origin::Dependabot => error,
    };
    error.hint("apply after the merge, on `push`")
}

/// A plan of the base is not the plan of the pull request that the event names.
pub fn no_plan(context: &Context) -> CommandError {
    let number = context.pull_request.map(|number| format!(" #{number}")).unwrap_or_default();
    CommandError::config(format!("refused: this would show the plan of the base as that of the pull request{number}"))
        .because(Reason::WrongEvent)
        .cause(files_of_the_base(context))
        .hint("plan pull requests with `on: pull_request`; a fork then gets the offline difference, without a secret")
}

fn files_of_the_base(context: &Context) -> String {
    format!("a run of the event `{}` has the files of the base, not those of the pull request", context.event)
}

/// Where the commits of the pull request come from. The event of a comment does not say so, and the forge does.
pub async fn origin(context: &Context, desk: &Desk<'_>) -> Origin {
    let (Origin::Unknown, Some(number), Some(publisher)) = (context.origin, context.pull_request, desk.publisher())
    else {
        return context.origin;
    };
    let asked = desk.in_time("find out where the pull request comes from", publisher.forge().pull_request(number));
    let Some(Ok(found)) = asked.await else { return Origin::Unknown };
    match found.head_repository {
        Some(head) if head.eq_ignore_ascii_case(&context.repository) => Origin::Repository,
        // A deleted fork has no repository any more.
        Some(_) | None => Origin::Fork,
    }
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
    if matches!(schema_cache::load(settings, &validate::host(settings)?, SystemClock.now()), Ok(Some(_))) {
        let offline = args::Validate { offline: true, ..arguments.clone() };
        return action.validate(&offline).await;
    }
    let resolved = manifest::load(&settings.dir, open::readable(settings), settings.environment.as_deref(), &|_| None);
    let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
    findings::write("validate", &problems, &resolved, &arguments.reports, settings)?;
    desk.summarize_validation(&resolved, &problems);
    let workspace = Workspace { resolved, source: open::source(settings) };
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
