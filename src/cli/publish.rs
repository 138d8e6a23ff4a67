//! Puts what a command found on the pull request: rendered within the forge's budget, under the environment's key.
//!
//! The commands of the action call it in this process. Nothing here ends a command: what a forge refuses comes back as
//! a warning beside what was done.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::SourceMap;
use crate::forge::comment::FRAME_BYTES;
use crate::forge::marker::{About, Target, key};
use crate::forge::sticky::{Posting, Put, put};
use crate::forge::{Context, Forge, Marker, Mode, Origin, State, Warning, WarningKind, check, lookup};
use crate::plan::difference::Difference;
use crate::plan::{Outcome, Plan, Report, alarms};
use crate::render::markdown::{
    Body, CommentContext, Maker, Status, difference_comment, plan_comment, report_comment, status_comment,
};

use crate::render::view::{GoOn, Place};

use super::exit::Exit;
use super::forge;
use super::report::CommandError;
use super::revision;
use super::settings::Settings;
use crate::session::SANDBOX_HOST;

/// What there is to tell.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A plan.
    Plan(&'a Plan, &'a SourceMap),
    /// What became of one, how to go on, and the plan itself where it is known.
    Report(&'a Report, Option<&'a GoOn>, Option<(&'a Plan, &'a SourceMap)>),
    /// The difference of files, for which the service was not asked, and who compared them.
    Difference(&'a Difference, Maker),
    /// A command failed, or was refused.
    Failure {
        /// Why.
        error: &'a CommandError,
        /// Whether it was an apply.
        apply: bool,
        /// The plan as it is now, for a refusal.
        plan: Option<(&'a Plan, &'a SourceMap)>,
    },
    /// A plan is being made.
    Planning,
    /// A plan is being applied.
    Applying(Option<(&'a Plan, &'a SourceMap)>),
    /// A newer commit or run has taken over.
    Superseded(Option<&'a str>),
    /// Finished Markdown of ours, and what it tells.
    Markdown {
        /// The text.
        text: &'a str,
        /// What it tells.
        state: State,
        /// The plan's hash, where it is known.
        plan_hash: Option<&'a str>,
    },
}

impl Content<'_> {
    /// What the comment then says.
    pub fn state(&self) -> State {
        match self {
            Self::Plan(..) | Self::Difference(..) => State::Planned,
            Self::Report(report, ..) => state_of(report),
            Self::Failure { error, .. } => match error.exit {
                Exit::Refused | Exit::Limit => State::Refused,
                Exit::Done
                | Exit::Failed
                | Exit::Changes
                | Exit::Partial
                | Exit::Lease
                | Exit::Usage
                | Exit::Interrupted => State::Failed,
            },
            Self::Planning => State::Planning,
            Self::Applying(_) => State::Applying,
            Self::Superseded(_) => State::Superseded,
            Self::Markdown { state, .. } => *state,
        }
    }

    /// Whether a comment is made for it where there is none yet and only changes are to be told.
    pub fn is_worth_a_comment(&self) -> bool {
        match self {
            Self::Plan(plan, _) => {
                let summary = plan.summary();
                summary.has_changes() || !plan.is_applyable() || !alarms(plan).is_empty()
            }
            Self::Report(report, ..) => !report.outcomes.is_empty(),
            Self::Difference(difference, _) => !difference.is_empty(),
            Self::Failure { .. } | Self::Markdown { .. } => true,
            Self::Planning | Self::Applying(_) | Self::Superseded(_) => false,
        }
    }

    /// Whether it tells of an apply, which concerns every pull request of a push.
    fn is_of_apply(&self) -> bool {
        match self {
            Self::Report(..) | Self::Applying(_) => true,
            Self::Failure { apply, .. } => *apply,
            Self::Markdown { state, .. } => !state.is_of_plan(),
            Self::Plan(..) | Self::Difference(..) | Self::Planning | Self::Superseded(_) => false,
        }
    }

    fn plan_hash(&self) -> Option<String> {
        match self {
            Self::Plan(plan, _) | Self::Applying(Some((plan, _))) | Self::Failure { plan: Some((plan, _)), .. } => {
                Some(plan.plan_hash.to_string())
            }
            Self::Report(report, ..) => Some(report.plan_hash.to_string()),
            Self::Markdown { plan_hash, .. } => plan_hash.map(str::to_owned),
            Self::Failure { plan: None, .. }
            | Self::Difference(..)
            | Self::Planning
            | Self::Applying(None)
            | Self::Superseded(_) => None,
        }
    }

    fn about(&self) -> About {
        match self {
            Self::Difference(..) => About::Difference,
            Self::Plan(..)
            | Self::Report(..)
            | Self::Failure { .. }
            | Self::Planning
            | Self::Applying(_)
            | Self::Superseded(_)
            | Self::Markdown { .. } => About::Service,
        }
    }

    /// The service's host, where the content knows it.
    fn host(&self) -> Option<&str> {
        match self {
            Self::Plan(plan, _) | Self::Failure { plan: Some((plan, _)), .. } => Some(&plan.target.host),
            Self::Report(report, ..) => Some(&report.target.host),
            _ => None,
        }
    }

    /// The text, within a budget.
    pub fn body(&self, environment: &str, context: &CommentContext) -> Body {
        let status = |status, plan| status_comment(environment, status, plan, context);
        match *self {
            Self::Plan(plan, sources) => plan_comment(plan, sources, context),
            Self::Report(report, next, plan) => report_comment(report, next, plan, context),
            Self::Difference(difference, maker) => difference_comment(difference, maker, context),
            Self::Failure { error, apply, plan } => {
                let CommandError { exit: _, reason: _, causes, hints, problems } = error;
                match self.state() {
                    State::Refused => status(Status::Refused { causes, hints }, plan),
                    _ => status(Status::Failed { apply, causes, problems, hints }, plan),
                }
            }
            Self::Planning => status(Status::Planning, None),
            Self::Applying(plan) => status(Status::Applying, plan),
            Self::Superseded(by) => status(Status::Superseded { by }, None),
            Self::Markdown { text, .. } => Body { text: text.to_owned(), truncated: false },
        }
    }
}

fn state_of(report: &Report) -> State {
    let any = |outcome| report.count(outcome) > 0;
    if report.is_complete() && !report.interrupted {
        State::Applied
    } else if report.wrote {
        State::PartlyApplied
    } else if any(Outcome::Stale) || any(Outcome::Held) || any(Outcome::Blocked) {
        State::Refused
    } else {
        State::Failed
    }
}

/// How the comment is kept.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// When it is written.
    pub mode: Mode,
    /// What else tells it apart from others.
    pub key: Option<String>,
    /// The pull request, where a person or an artifact names it.
    pub pull_request: Option<u64>,
    /// How a user names it, as a hint, where that helps.
    pub naming: Option<&'static str>,
    /// Most bytes of it.
    pub max_bytes: Option<usize>,
    /// What approving means there.
    pub place: Place,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Published {
    /// What the comment says, or would.
    pub state: State,
    /// The pull request, once it was found.
    pub pull_request: Option<u64>,
    /// What was done to the comment; `None` where it could not be done.
    pub put: Option<Put>,
    /// Whether anything was left out to fit the budget.
    pub truncated: bool,
    /// What did not work. Never a reason to fail.
    pub warnings: Vec<Warning>,
}

/// One run's hand at the forge: the pull request is looked for once, our login asked for once.
pub struct Publisher {
    forge: Box<dyn Forge>,
    context: Context,
    options: Options,
    host: String,
    folder: String,
    linked_folder: Option<String>,
    /// The commit of the files that are here.
    commit: Option<String>,
    number: OnceCell<u64>,
    is_absence_told: AtomicBool,
    together: OnceCell<Vec<u64>>,
}

impl Publisher {
    /// Makes it. It fails only where there is no forge, or no token for it.
    pub fn open(settings: &Settings, options: Options, cancel: CancellationToken) -> Result<Self, Warning> {
        let context = forge::context(settings)?;
        let forge = forge::open(settings, &context, cancel)?;
        Ok(Self {
            forge,
            context,
            options,
            host: service_host(settings),
            folder: folder_in_repository(settings),
            linked_folder: forge::folder_in_repository(settings),
            commit: revision::commit(&settings.dir, "HEAD"),
            number: OnceCell::new(),
            is_absence_told: AtomicBool::new(false),
            together: OnceCell::new(),
        })
    }

    /// The forge, for check runs and issues.
    pub fn forge(&self) -> &dyn Forge {
        &*self.forge
    }

    /// What the pipeline tells of itself.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The key of an environment's comment and issue.
    pub fn key(&self, environment: &str) -> String {
        self.key_at(&self.host, environment, About::Service)
    }

    fn key_at(&self, host: &str, environment: &str, about: About) -> String {
        key(Target { host, environment, folder: &self.folder, extra: self.options.key.as_deref(), about })
    }

    /// What tells this project's plan of an environment apart in the repository.
    pub fn place(&self, environment: &str) -> String {
        check::place(environment, &self.folder, self.options.key.as_deref())
    }

    /// The pull request. Who asks says to the user why there is none; it is not said a second time with the comment.
    pub async fn pull_request(&self) -> Result<u64, Warning> {
        let find = || lookup::pull_request(&*self.forge, &self.context, self.options.pull_request);
        let found = self.number.get_or_try_init(find).await.copied();
        found.map_err(|warning| {
            if warning.kind != WarningKind::NoPullRequest {
                return warning;
            }
            self.is_absence_told.store(true, Ordering::Relaxed);
            self.options.naming.iter().fold(warning, |warning, hint| warning.hint(*hint))
        })
    }

    /// The project's folder, from the root of the repository.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The pull requests that the content tells of: after an apply all that the push has merged, else the one. What keeps
    /// the others from being found is a warning.
    async fn pull_requests(&self, content: &Content<'_>, published: &mut Published) -> Vec<u64> {
        if self.is_absence_told.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let number = match self.pull_request().await {
            Ok(number) => number,
            Err(warning) => {
                published.warnings.push(warning);
                return Vec::new();
            }
        };
        published.pull_request = Some(number);
        if !content.is_of_apply() {
            return vec![number];
        }
        match self.together.get_or_try_init(|| lookup::merged_together(&*self.forge, &self.context, number)).await {
            Ok(numbers) => numbers.clone(),
            Err(warning) => {
                published.warnings.push(warning);
                vec![number]
            }
        }
    }

    /// Why the content may not be posted as what it seems to be: a plan is that of a pull request only if it was made of
    /// its head, or of the commit that it was merged as.
    async fn is_of_another_commit(&self, content: &Content<'_>, number: u64) -> Result<Option<Warning>, Warning> {
        let commit = match content {
            Content::Plan(plan, _) => plan.source.commit.as_deref(),
            Content::Planning | Content::Failure { apply: false, .. } => self.commit.as_deref(),
            Content::Report(..)
            | Content::Difference(..)
            | Content::Failure { apply: true, .. }
            | Content::Applying(_)
            | Content::Superseded(_)
            | Content::Markdown { .. } => return Ok(None),
        };
        self.commit_is_of_another(commit, number).await
    }

    /// The same of the files that are here, before anything is made of them.
    pub async fn files_are_of_another_commit(&self) -> Result<Option<Warning>, Warning> {
        let number = self.pull_request().await?;
        self.commit_is_of_another(self.commit.as_deref(), number).await
    }

    async fn commit_is_of_another(&self, commit: Option<&str>, number: u64) -> Result<Option<Warning>, Warning> {
        if self.context.has_files_of(number) {
            return Ok(None);
        }
        let pull_request = self.forge.pull_request(number).await?;
        let head = match &self.context.head_sha {
            Some(head) if self.context.has_files_of_the_base => head,
            Some(_) | None => &pull_request.head_sha,
        };
        let own = [Some(head.as_str()), pull_request.merge_sha.as_deref()];
        if commit.is_some() && own.contains(&commit) {
            return Ok(None);
        }
        let commit = commit.unwrap_or("none that is known");
        Ok(Some(
            Warning::new(WarningKind::WrongPullRequest, format!("post the plan on #{number}"))
                .cause(format!("it was made of the commit {commit}, and the head of #{number} is {head}"))
                .hint("plan the pull request with `on: pull_request`, whose files are its own"),
        ))
    }

    /// Puts it there.
    pub async fn publish(&self, content: &Content<'_>, environment: &str) -> Published {
        let mut published =
            Published { state: content.state(), pull_request: None, put: None, truncated: false, warnings: Vec::new() };
        // A group of the merge queue may hold several pull requests: its plan is the plan of none of them.
        if self.options.mode == Mode::Off || self.context.is_of_merge_queue() {
            return published;
        }
        for number in self.pull_requests(content, &mut published).await {
            match self.is_of_another_commit(content, number).await {
                Ok(None) => self.publish_on(number, content, environment, &mut published).await,
                Ok(Some(warning)) | Err(warning) => published.warnings.push(warning),
            }
        }
        published
    }

    /// What a comment of so many bytes says of the run.
    pub fn comment_context(&self, max_bytes: usize) -> CommentContext {
        let context = forge::comment_context_in(Some(&self.context), self.linked_folder.clone(), max_bytes);
        CommentContext { place: self.options.place, ..context }
    }

    async fn publish_on(&self, number: u64, content: &Content<'_>, environment: &str, published: &mut Published) {
        let max_bytes = self.options.max_bytes.unwrap_or_else(|| self.forge.comment_bytes());
        let context = self.comment_context(max_bytes.saturating_sub(FRAME_BYTES));
        let body = content.body(environment, &context);
        published.truncated = body.truncated;
        let key = self.key_at(content.host().unwrap_or(&self.host), environment, content.about());
        let mut marker = Marker::new(key, content.state(), self.context.run.as_ref());
        marker.sha.clone_from(&self.context.head_sha);
        marker.plan_hash = content.plan_hash();
        let superseded = Content::Superseded(None).body(environment, &context);
        let posting = Posting {
            number,
            marker,
            markdown: &body.text,
            superseded: &superseded.text,
            mode: self.options.mode,
            worth_making: content.is_worth_a_comment(),
            max_bytes: Some(max_bytes),
        };
        match put(&*self.forge, &self.context, &posting).await {
            Ok(put) if published.pull_request == Some(number) => published.put = Some(put),
            Ok(_) => {}
            Err(mut warning) => {
                let only_reads = matches!(self.context.origin, Origin::Fork | Origin::Dependabot);
                if only_reads && self.context.event != "workflow_run" {
                    warning.hints.push(
                        "a pull request from a fork or of Dependabot has a token that only reads: post from a \
                         `workflow_run` job"
                            .to_owned(),
                    );
                }
                published.warnings.push(warning);
            }
        }
    }
}

/// The service's host as plans name it.
fn service_host(settings: &Settings) -> String {
    if settings.sandbox {
        return SANDBOX_HOST.to_owned();
    }
    settings.base_url().map_or_else(|_| settings.api_url.clone(), |base| base.host())
}

/// The project's folder from the root of the repository, so that the key is the same wherever the runner checks out.
fn folder_in_repository(settings: &Settings) -> String {
    forge::folder_in_repository(settings).unwrap_or_else(|| {
        let typed = settings.dir.to_string_lossy().replace('\\', "/");
        typed.trim_start_matches("./").trim_end_matches('/').trim_start_matches('.').to_owned()
    })
}
