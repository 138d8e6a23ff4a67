//! `comment`: puts a plan, an apply's result, a difference or an error on the pull request. What the forge refuses is a warning.

use std::path::Path;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::SourceMap;
use crate::forge::{Mode, Origin, State, Warning, WarningKind};
use crate::plan::difference::Difference;
use crate::plan::{Plan, Report, saved};
use crate::render::json::{
    CommentDoc, CommentWarningDoc, DIFFERENCE_KIND, FORMAT_VERSION, read_difference, read_plan, read_report,
    read_saved, reads_format,
};
use crate::render::markdown::Maker;
use crate::render::view::Place;

use super::args::{Comment, CommentMode, CommentState, DocumentKind};
use super::exit::Exit;
use super::publish::{Content, Options, Published, Publisher};
use super::report::CommandError;
use super::settings::Settings;
use super::workflow::annotate;
use super::{command, forge, open, output, signals, step_summary};

/// The event of a job that follows another one, and has its artifacts.
const FOLLOWING: &str = "workflow_run";

/// Largest document that is read.
const DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// What a file holds.
enum Document {
    Plan(Box<Plan>),
    Report(Box<Report>),
    Difference(Box<Difference>),
    Failure(CommandError),
    Markdown { text: String, is_apply: bool, plan_hash: Option<String> },
}

impl Document {
    fn kind(&self) -> DocumentKind {
        match self {
            Self::Plan(_) => DocumentKind::Plan,
            Self::Report(_) => DocumentKind::Apply,
            Self::Difference(_) => DocumentKind::Difference,
            Self::Failure(_) => DocumentKind::Error,
            Self::Markdown { .. } => DocumentKind::Markdown,
        }
    }
}

/// Runs the command.
pub async fn run(arguments: &Comment, settings: &Settings) -> Result<Exit, CommandError> {
    let document = arguments.file.as_deref().map(read).transpose()?;
    let plan = match arguments.plan.as_deref().map(read).transpose()? {
        Some(Document::Plan(plan)) => Some(plan),
        Some(_) => return Err(CommandError::config("the file that --plan names is not a plan document")),
        None => None,
    };
    let maker = maker(settings);
    refuse_unexpected(document.as_ref(), arguments, maker)?;
    let sources = SourceMap::default();
    let again = match &document {
        Some(Document::Report(report)) => Some(command::go_on_from_a_document(settings, report)),
        _ => None,
    };
    let state = arguments.state.map(CommentState::state);
    let told = state_alone(arguments);
    let content = match (&document, state) {
        (None, None) => {
            return Err(CommandError::usage("there is nothing to post")
                .hint("name a document (`plan --json-out FILE`), or a `--state`"));
        }
        (None, Some(State::Planning)) => Content::Planning,
        (None, Some(State::Applying)) => Content::Applying(with_sources(plan.as_deref(), &sources)),
        (None, Some(State::Superseded)) => Content::Superseded(arguments.message.as_deref()),
        (None, Some(State::Failed | State::Refused)) => failure(&told, arguments, plan.as_deref(), &sources),
        (None, Some(state)) => {
            return Err(CommandError::usage(format!("the state `{}` needs a document", state.as_str())));
        }
        (Some(Document::Markdown { text, is_apply, plan_hash }), state) => {
            let usual = if *is_apply { State::Applied } else { State::Planned };
            Content::Markdown { text, state: state.unwrap_or(usual), plan_hash: plan_hash.as_deref() }
        }
        (Some(Document::Failure(error)), _) => failure(error, arguments, plan.as_deref(), &sources),
        (Some(_), Some(_)) => {
            return Err(CommandError::usage("a document already has its state: leave out --state"));
        }
        (Some(Document::Plan(plan)), None) => Content::Plan(plan, &sources),
        (Some(Document::Report(report)), None) => {
            Content::Report(report, again.as_ref(), with_sources(plan.as_deref(), &sources))
        }
        (Some(Document::Difference(difference)), None) => Content::Difference(difference, maker),
    };
    let environment = environment(document.as_ref(), settings)?;
    let mut warnings = Vec::new();
    if arguments.summary {
        let file = step_summary::file(settings)
            .ok_or_else(|| CommandError::config("--summary needs GITHUB_STEP_SUMMARY, which is not set"))?;
        if let Err(error) = step_summary::append(settings, &file, &content, &environment) {
            warnings.push(error.causes.join(": "));
        }
    }
    let options = Options {
        mode: arguments.mode.mode(),
        key: arguments.key.clone(),
        pull_request: arguments.pull_request,
        naming: Some("name it: `--pull-request N`"),
        max_bytes: arguments.max_bytes.and_then(|most| usize::try_from(most).ok()),
        place: Place::Merge,
    };
    let published = if options.mode == Mode::Off {
        Published { state: content.state(), pull_request: None, put: None, truncated: false, warnings: Vec::new() }
    } else {
        let cancel = CancellationToken::new();
        signals::listen(cancel.clone());
        let publisher = Publisher::open(settings, options, cancel).map_err(|warning| in_words(&warning))?;
        publisher.publish(&content, &environment).await
    };
    tell(&published, &warnings, arguments.mode.mode(), settings)?;
    let interrupted = published.warnings.iter().any(|warning| warning.kind == WarningKind::Interrupted);
    Ok(if interrupted { Exit::Interrupted } else { Exit::Done })
}

/// A warning in the words of errors. No forge or no token is one indeed: the job is wired wrongly, which is the one thing
/// that ends this command with a failure.
pub fn in_words(warning: &Warning) -> CommandError {
    let Warning { causes, hints, .. } = warning;
    let error = causes.iter().fold(CommandError::config(warning.to_string()), CommandError::cause);
    hints.iter().fold(error, CommandError::hint)
}

/// The failure that is told by flags alone.
fn state_alone(arguments: &Comment) -> CommandError {
    let message = arguments.message.clone().unwrap_or_else(|| "the run failed; its log says why".to_owned());
    let exit = if arguments.state == Some(CommentState::Refused) { Exit::Refused } else { Exit::Failed };
    CommandError::config(message).exit(exit)
}

fn with_sources<'a>(plan: Option<&'a Plan>, sources: &'a SourceMap) -> Option<(&'a Plan, &'a SourceMap)> {
    plan.map(|plan| (plan, sources))
}

fn failure<'a>(
    error: &'a CommandError,
    arguments: &Comment,
    plan: Option<&'a Plan>,
    sources: &'a SourceMap,
) -> Content<'a> {
    // What only an apply ends with; a failure before any write may have been of either.
    let is_of_apply = matches!(error.exit, Exit::Refused | Exit::Limit | Exit::Partial | Exit::Lease);
    Content::Failure { error, apply: arguments.apply || is_of_apply, plan: with_sources(plan, sources) }
}

/// Who made the file. In a job after a job it comes from an artifact, which a stranger may have written.
fn maker(settings: &Settings) -> Maker {
    if settings.variable("GITHUB_EVENT_NAME") != Some(FOLLOWING) {
        return Maker::ThisJob;
    }
    match forge::known_context(settings) {
        Some(context) if context.origin == Origin::Fork => Maker::Fork,
        Some(_) | None => Maker::OtherJob,
    }
}

/// Refuses a file of another kind than the one that was asked for. Of another job's files nothing is taken but a
/// difference: a plan or a report would say in our name what was planned or applied, and finished Markdown anything.
fn refuse_unexpected(document: Option<&Document>, arguments: &Comment, maker: Maker) -> Result<(), CommandError> {
    let words = |kind: DocumentKind| match kind {
        DocumentKind::Plan => "a plan",
        DocumentKind::Apply => "the report of an apply",
        DocumentKind::Difference => "a difference",
        DocumentKind::Error => "an error",
        DocumentKind::Markdown => "finished Markdown",
    };
    let found = document.map(Document::kind);
    if let (Some(found), Some(expected)) = (found, arguments.expect)
        && found != expected
    {
        return Err(CommandError::config(format!(
            "refused: the file holds {}, and {} was expected",
            words(found),
            words(expected)
        )));
    }
    if maker == Maker::ThisJob {
        return Ok(());
    }
    let refused = match found {
        Some(DocumentKind::Difference) | None if arguments.plan.is_none() => return Ok(()),
        Some(DocumentKind::Difference) | None => DocumentKind::Plan,
        Some(found) => found,
    };
    Err(CommandError::config(format!("refused: {} is not posted from a `{FOLLOWING}` job", words(refused)))
        .cause("it comes from another job's artifact, and whoever wrote it would post with this job's token")
        .hint("upload the document of a difference instead: `diff --base REF --json-out FILE`"))
}

/// The environment that the comment is for: the document's own, else the one that was asked for, else the project's.
fn environment(document: Option<&Document>, settings: &Settings) -> Result<String, CommandError> {
    let told = match document {
        Some(Document::Plan(plan)) => Some(plan.target.environment.as_str()),
        Some(Document::Report(report)) => Some(report.target.environment.as_str()),
        Some(Document::Difference(difference)) => Some(difference.environment.as_str()),
        Some(Document::Failure(_) | Document::Markdown { .. }) | None => None,
    };
    match (told, settings.environment.as_deref()) {
        (Some(told), Some(asked)) if told != asked => {
            Err(CommandError::config(format!("the document is for the environment `{told}`, but --env is `{asked}`")))
        }
        (Some(told), _) => Ok(told.to_owned()),
        (None, Some(asked)) => Ok(asked.to_owned()),
        (None, None) => {
            let chosen = open::workspace(settings).resolved.project.environment;
            if chosen.is_empty() {
                return Err(CommandError::config("the project has several environments")
                    .hint("name the one that the comment is for: `--env NAME`"));
            }
            Ok(chosen)
        }
    }
}

fn read(path: &Path) -> Result<Document, CommandError> {
    let text = output::read(path, DOCUMENT_BYTES)?;
    let what = || format!("the file {} cannot be posted", path.display());
    if !text.trim_start().starts_with('{') {
        return Ok(markdown(text));
    }
    let value: Value = serde_json::from_str(&text).map_err(|error| CommandError::chain(what(), &error))?;
    let format = value.get("format_version").and_then(Value::as_str).unwrap_or_default();
    if !reads_format(format) {
        return Err(CommandError::config(what())
            .cause(format!("its format version is `{format}`, and this reachform reads {}.x", saved::FORMAT_MAJOR)));
    }
    if value.get("error").is_some() {
        return CommandError::read(&value).map(Document::Failure).ok_or_else(|| {
            CommandError::config(what()).cause("it is an error document, but not in the form that reachform writes")
        });
    }
    if value.get("kind").and_then(Value::as_str) == Some(DIFFERENCE_KIND) {
        return read_difference(&value).map(|difference| Document::Difference(Box::new(difference))).ok_or_else(|| {
            CommandError::config(what()).cause("it is a difference, but not in the form that reachform writes")
        });
    }
    if value.get("outcomes").is_some() {
        return read_report(&value).map(|report| Document::Report(Box::new(report))).ok_or_else(|| {
            CommandError::config(what()).cause("it is a report, but not in the form that reachform writes")
        });
    }
    match read_saved(&text) {
        Ok(_) | Err(saved::SavedPlanError::NotApplyable) => {}
        Err(error) => return Err(CommandError::chain(what(), &error)),
    }
    read_plan(&value)
        .map(|plan| Document::Plan(Box::new(plan)))
        .ok_or_else(|| CommandError::config(what()).cause("a change in it is not in the form that reachform writes"))
}

/// Markdown as `--markdown` writes it tells in its first line what it is.
fn markdown(text: String) -> Document {
    let first = text.lines().next().unwrap_or_default();
    let is_apply = first.starts_with("<!-- reachform:apply ");
    let plan_hash = first.split_ascii_whitespace().find_map(|word| word.strip_prefix("hash=")).map(str::to_owned);
    Document::Markdown { plan_hash, is_apply, text }
}

/// What was done: JSON, or a line.
fn tell(published: &Published, more: &[String], mode: Mode, settings: &Settings) -> Result<(), CommandError> {
    let Published { state, pull_request, put, truncated, warnings } = published;
    let outcome = match put {
        Some(put) => put.outcome.as_str(),
        None if mode == Mode::Off => "skipped",
        None => "not-posted",
    };
    let of_forge = warnings.iter().map(|warning| CommentWarningDoc {
        code: warning.code().to_owned(),
        message: warning.one_line(),
        causes: warning.causes.clone(),
        hints: warning.hints.clone(),
    });
    let of_summary = more.iter().map(|text| CommentWarningDoc {
        code: "summary".to_owned(),
        message: text.clone(),
        causes: Vec::new(),
        hints: Vec::new(),
    });
    let document = CommentDoc {
        format_version: FORMAT_VERSION.to_owned(),
        state: state.as_str().to_owned(),
        outcome: outcome.to_owned(),
        pull_request: *pull_request,
        comment_id: put.as_ref().and_then(|put| put.id),
        comment_url: put.as_ref().and_then(|put| put.url.clone()),
        truncated: *truncated,
        warnings: of_forge.chain(of_summary).collect(),
    };
    for text in more {
        output::aside(&format!("warning: {}", crate::render::visible::one_line(text)));
    }
    for warning in warnings {
        annotate::warning(&in_words(warning), settings.annotations);
    }
    output::json(settings, &document.text())?;
    if !settings.json {
        let place = match (put.as_ref().and_then(|put| put.url.as_deref()), pull_request) {
            (Some(url), _) => format!(": {url}"),
            (None, Some(number)) => {
                let mark = forge::known_context(settings).map_or('#', |context| context.host.mark());
                format!(" on {mark}{number}")
            }
            (None, None) => String::new(),
        };
        output::result(&format!("Comment {outcome} ({}){place}", state.as_str()));
    }
    Ok(())
}

impl CommentState {
    fn state(self) -> State {
        match self {
            Self::Planning => State::Planning,
            Self::Planned => State::Planned,
            Self::Applying => State::Applying,
            Self::Applied => State::Applied,
            Self::PartlyApplied => State::PartlyApplied,
            Self::Refused => State::Refused,
            Self::Failed => State::Failed,
            Self::Superseded => State::Superseded,
        }
    }
}

impl CommentMode {
    /// The same for the forge.
    pub fn mode(self) -> Mode {
        match self {
            Self::Update => Mode::Update,
            Self::Changes => Mode::Changes,
            Self::New => Mode::New,
            Self::Off => Mode::Off,
        }
    }
}
