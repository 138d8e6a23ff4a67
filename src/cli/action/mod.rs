//! What `action.yml` runs: a command of this program in a step of GitHub Actions, with everything around it.
//!
//! The inputs become a command line, which is parsed and carried out by the code of the commands. Around it: the comment
//! through its states, the step's summary, the check run that a plan is approved by, the issue on drift, the outputs, and
//! the exit code that `fail-on` asks for. What the forge refuses is a warning; it fails the step where nobody would learn what
//! was found, or where a merge would approve what nobody could read.

mod approval;
mod desk;
mod inputs;
mod line;
mod outcome;
mod outputs;
mod patience;
mod stranger;

use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

use crate::forge::{Context, State};
use crate::plan::{Plan, SavedPlan};
use crate::render::report_line;
use crate::session::Workspace;

use super::args::{self, Apply, CommentMode, IssueMode};
use super::comment::in_words;
use super::exit::Exit;
use super::publish::Content;
use super::report::{CommandError, Reason};
use super::settings::Settings;
use super::workflow::annotate;
use super::{apply, drift, forge, issue, markdown, open, output, plan, signals, validate};

use desk::{Desk, Urgency};
use inputs::{Approve, Inputs};
use line::Files;
use outcome::Outcome;
use outputs::Outputs;

/// Runs the action.
pub async fn run(settings: &Settings) -> Result<Exit, CommandError> {
    let mut outputs = Outputs::default();
    let ended = Box::pin(act(settings, &mut outputs)).await;
    if let Err(error) = &ended {
        outputs.failure(error);
    }
    let written = outputs.write(settings);
    match (ended, written) {
        (Ok(exit), Ok(())) => Ok(exit),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), written) => {
            if let Err(unwritten) = written {
                output::aside(&unwritten.text());
            }
            Err(error)
        }
    }
}

/// One run of the action.
struct Action<'a> {
    inputs: &'a Inputs,
    settings: &'a Settings,
    verbose: bool,
    desk: Desk<'a>,
    files: &'a Files,
    cancel: CancellationToken,
}

async fn act(outer: &Settings, outputs: &mut Outputs) -> Result<Exit, CommandError> {
    let inputs = Inputs::read(&|name| outer.variable(name))?;
    let files = Files::make(outer)?;
    let cli = line::parse(&inputs, &files)?;
    let settings = Settings::gather(&cli.global).with_token(inputs.token_anyreach.as_deref());
    let context = forge::known_context(&settings);
    stranger::refuse_borrowed_trust(context.as_ref(), &settings)?;
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    let action = Action {
        inputs: &inputs,
        settings: &settings,
        verbose: cli.global.verbose > 0,
        desk: Desk::open(&inputs, &settings, cancel.clone()),
        files: &files,
        cancel,
    };
    let ended = action.carry_out(&cli.command, context.as_ref(), outputs).await;
    outputs.files(&files, &inputs);
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(error) => {
            output::aside(&error.text());
            annotate::failure(&error, settings.annotations);
            output::json_of_failure(&settings, &error.json());
            outputs.failure(&error);
            Outcome::failed(&error)
        }
    };
    let step = outcome.step(inputs.fail_on);
    outputs.ended(&outcome, step);
    Ok(step)
}

impl Action<'_> {
    async fn carry_out(
        &self,
        command: &args::Command,
        context: Option<&Context>,
        outputs: &mut Outputs,
    ) -> Result<Outcome, CommandError> {
        let Self { inputs, settings, .. } = *self;
        if let Some(context) = context.filter(|context| context.has_files_of_the_base)
            && matches!(command, args::Command::Plan(_))
        {
            return Err(stranger::no_plan(context));
        }
        if matches!(command, args::Command::Plan(_)) {
            self.refuse_another_commit().await?;
        }
        if let Some(context) = context.filter(|context| context.origin.is_untrusted()) {
            if matches!(command, args::Command::Apply(_)) {
                return Err(stranger::no_apply(stranger::origin(context, &self.desk).await, context));
            }
            if !stranger::has_credential(settings) {
                return stranger::run(self, command, outputs).await;
            }
        }
        match command {
            args::Command::Validate(arguments) => self.validate(arguments).await,
            args::Command::Plan(arguments) => self.plan(arguments, outputs).await,
            args::Command::Apply(arguments) => self.apply(arguments.clone(), outputs).await,
            args::Command::Drift(arguments) => self.drift(arguments, inputs.drift_issue, outputs).await,
            _ => Err(CommandError::usage("the input `args` may not name another command")),
        }
    }

    /// A number that a workflow hands in may be that of any pull request, whatever files the event has brought here.
    async fn refuse_another_commit(&self) -> Result<(), CommandError> {
        let is_named = self.inputs.pr_number.is_some() && self.inputs.comment != CommentMode::Off;
        let Some(publisher) = self.desk.publisher().filter(|_| is_named) else { return Ok(()) };
        let asked = self.desk.in_time("read the pull request", publisher.files_are_of_another_commit());
        match asked.await {
            Some(Ok(Some(warning))) => Err(in_words(&warning).because(Reason::WrongEvent)),
            // What keeps it from being found out keeps the comment from being written too.
            Some(Ok(None) | Err(_)) | None => Ok(()),
        }
    }

    /// Reading needs no orderly end: it is dropped where it is.
    async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => {
                Err(CommandError::config("interrupted; nothing was changed").exit(Exit::Interrupted))
            }
            ended = work => ended,
        }
    }

    async fn validate(&self, arguments: &args::Validate) -> Result<Outcome, CommandError> {
        let found = self.unless_cancelled(validate::check(arguments, self.settings)).await?;
        validate::show(&found, arguments, self.settings)?;
        self.desk.summarize_validation(&found.resolved, &found.problems);
        Ok(Outcome::of_validation(found.exit()))
    }

    async fn plan(&self, arguments: &args::Plan, outputs: &mut Outputs) -> Result<Outcome, CommandError> {
        let workspace = open::planned(self.settings, &arguments.planning);
        let environment = environment(&workspace, self.settings);
        self.desk.publish(&Content::Planning, &environment, Urgency::Passing, outputs).await;
        match self.unless_cancelled(plan::make(arguments, &workspace, self.settings)).await {
            Ok(plan) => {
                outputs.plan(&plan);
                let is_approvable = self.desk.show(&plan, &workspace.resolved.sources, &environment, outputs).await;
                let outcome = Outcome::of_plan(&plan);
                if is_approvable || outcome.exit == Exit::Failed {
                    return Ok(outcome);
                }
                let error = unshown();
                output::aside(&error.text());
                annotate::failure(&error, self.settings.annotations);
                Ok(Outcome::of_unshown_plan())
            }
            Err(error) => {
                let content = Content::Failure { error: &error, apply: false, plan: None };
                self.desk.tell(&content, &environment, outputs).await;
                Err(error)
            }
        }
    }

    async fn apply(&self, mut arguments: Apply, outputs: &mut Outputs) -> Result<Outcome, CommandError> {
        let workspace = open::planned(self.settings, &arguments.planning);
        let environment = environment(&workspace, self.settings);
        let saved = arguments.file.as_deref().map(apply::read_plan).transpose();
        let saved = match saved {
            Ok(saved) => saved,
            Err(error) => return Err(self.stopped(error, None, &workspace, &environment, outputs).await),
        };
        let mut queued = None;
        let unapproved = match self.inputs.approve {
            Approve::PlanHash if arguments.approved_plan.is_none() => {
                match self.unless_cancelled(approval::find(&self.desk, self.inputs, &environment)).await {
                    Ok(approved) => {
                        arguments.approved_plan = Some(approved.hash);
                        queued = approved.of_queue.then_some(approval::QUEUED);
                        None
                    }
                    Err(error) if error.exit == Exit::Interrupted => {
                        return Err(self.stopped(error, None, &workspace, &environment, outputs).await);
                    }
                    // It may be that there is nothing to approve, so the plan is made all the same.
                    Err(error) => Some(error),
                }
            }
            Approve::PlanHash | Approve::Artifact | Approve::Nothing => None,
        };
        arguments.auto_approve |= unapproved.is_some();
        let gate = |plan: &Plan| match &unapproved {
            Some(error) if plan.summary().has_changes() => Err(error.clone()),
            Some(_) | None => Ok(()),
        };
        let holds = Holds { gate: &gate, queued };
        self.approved(&arguments, saved.as_ref(), &holds, &workspace, &environment, outputs).await
    }

    async fn approved(
        &self,
        arguments: &Apply,
        saved: Option<&SavedPlan>,
        holds: &Holds<'_>,
        workspace: &Workspace,
        environment: &str,
        outputs: &mut Outputs,
    ) -> Result<Outcome, CommandError> {
        let run = apply::Run {
            verbose: self.verbose,
            cancel: self.cancel.clone(),
            gate: holds.gate,
            rollback: BTreeMap::new(),
            outside: None,
        };
        let prepared = match apply::prepare(arguments, saved, workspace, self.settings, &run).await {
            Ok(prepared) => prepared,
            Err(apply::Stopped { error, plan }) => {
                if let Some(plan) = &plan {
                    outputs.plan(plan);
                }
                let hint = holds.queued.filter(|_| error.exit == Exit::Refused);
                let error = hint.into_iter().fold(error, CommandError::hint);
                return Err(self.stopped(error, plan.as_deref(), workspace, environment, outputs).await);
            }
        };
        outputs.plan(prepared.approved.plan());
        let plan = prepared.approved.plan().clone();
        let plan = Some((&plan, &workspace.resolved.sources));
        if prepared.approved.plan().summary().has_changes() {
            self.desk.publish(&Content::Applying(plan), environment, Urgency::Passing, outputs).await;
        }
        match prepared.carry_out().await {
            Ok(report) => {
                let again = (!report.is_complete()).then(|| approval::again(self.inputs, &report));
                apply::finish(&report, arguments, self.settings);
                outputs.report(&report);
                if let Some(again) = &again {
                    annotate::failed(&format!("{} {}", report_line(&report), again.text()), self.settings.annotations);
                }
                self.desk.tell(&Content::Report(&report, again.as_ref(), plan), environment, outputs).await;
                Ok(Outcome::of_report(&report))
            }
            Err(error) => Err(self.stopped(error, None, workspace, environment, outputs).await),
        }
    }

    /// Tells of an apply that wrote nothing, with the plan as it is now and how that can be applied.
    async fn stopped(
        &self,
        error: CommandError,
        plan: Option<&Plan>,
        workspace: &Workspace,
        environment: &str,
        outputs: &mut Outputs,
    ) -> CommandError {
        let error = match plan {
            Some(plan) if error.exit == Exit::Refused && self.inputs.approve == Approve::PlanHash => {
                error.hint(approval::dispatch(plan))
            }
            Some(_) | None => error,
        };
        let plan = plan.map(|plan| (plan, &workspace.resolved.sources));
        self.desk.tell(&Content::Failure { error: &error, apply: true, plan }, environment, outputs).await;
        error
    }

    async fn drift(
        &self,
        arguments: &args::Drift,
        mode: IssueMode,
        outputs: &mut Outputs,
    ) -> Result<Outcome, CommandError> {
        if arguments.adopt || arguments.issue.is_some() {
            return Err(CommandError::usage("the input `args` may not hold --adopt or --issue").hint(
                "adopt in a checkout of your own and commit what it writes; the issue is the input `drift-issue`",
            ));
        }
        let workspace = open::targeted(self.settings, &arguments.target, &arguments.exclude);
        let checked = self.unless_cancelled(drift::check(arguments, &workspace, self.settings)).await?;
        let (found, failure) = (checked.drift, checked.failure);
        drift::annotate_unchecked(&found, failure.as_ref(), self.settings);
        drift::show(&found, arguments, self.settings)?;
        outputs.drift(&found);
        let text = markdown::of_drift(&found, self.settings);
        let content = Content::Markdown { text: &text, state: State::Planned, plan_hash: None };
        self.desk.summarize(&content, &found.target.environment);
        let kept = match self.desk.publisher().filter(|_| mode != IssueMode::Off) {
            Some(publisher) => {
                let labels = &self.inputs.drift_labels;
                self.desk.in_time("keep the issue on drift", issue::keep_at(publisher, &found, mode, labels)).await
            }
            None => None,
        };
        if let Some(Ok(kept)) = &kept {
            outputs.issue(kept.number);
        }
        let outcome = Outcome::of_drift(&found, failure.as_ref());
        let is_reported = issue::tell(&found, mode, kept.as_ref(), self.settings);
        Ok(if is_reported { outcome } else { outcome.unreported() })
    }
}

/// What an apply holds itself to.
struct Holds<'a> {
    /// Whether a plan may be approved at all.
    gate: &'a (dyn Fn(&Plan) -> Result<(), CommandError> + Sync),
    /// What a refusal says of a plan that the merge queue has made.
    queued: Option<&'static str>,
}

/// The environment that is worked on, also where the manifests do not tell.
fn environment(workspace: &Workspace, settings: &Settings) -> String {
    match workspace.resolved.project.environment.as_str() {
        "" => settings.environment.clone().unwrap_or_else(|| "default".to_owned()),
        known => known.to_owned(),
    }
}

/// A plan that reached neither the comment nor its check run in full.
fn unshown() -> CommandError {
    CommandError::config("the plan could not be shown where it is approved, so a merge of it could not be applied")
        .cause("the comment and the check run must both be written (the warnings above say what kept them)")
        .hint("run the job again; with `approve: none`, no merge is applied by a plan's hash, and this is no failure")
}

/// Nobody has approved this, or it cannot be told who approved what.
fn not_approved(message: impl Into<String>) -> CommandError {
    CommandError::config(message).exit(Exit::Refused).because(Reason::NotApproved)
}
