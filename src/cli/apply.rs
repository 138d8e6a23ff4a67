//! `apply`: plans, shows, asks, and carries the plan out.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::apply::ApplyOptions;
use crate::apply::verify::ProcessVerifier;
use crate::diagnostics::Problem;
use crate::model::Key;
use crate::model::digest::hex;
use crate::plan::{self, AgentChange, Approval, ApprovedPlan, BackTo, Options, Plan, Refusal, Report, SavedPlan};
use crate::render::json::report_document;
use crate::render::text::report_text;
use crate::render::view::{GoOn, Place};
use crate::session::{self, Applying, Outside, Service, SessionError, Workspace};

use super::args::{Apply, DiffDetail, Planning};
use super::connect::connect;
use super::exit::Exit;
use super::progress::{self, Progress};
use super::report::CommandError;
use super::revision::GitPast;
use super::settings::Settings;
use super::{command, git, markdown, open, output, plan as plan_command, schema_cache, signals};

/// Largest plan file that is read.
const PLAN_BYTES: usize = 64 * 1024 * 1024;

/// Runs the command.
pub async fn run(arguments: &Apply, settings: &Settings, verbose: bool) -> Result<Exit, CommandError> {
    for path in [&arguments.planning.markdown, &arguments.planning.html].into_iter().flatten() {
        output::check_writable(path)?;
    }
    let saved = arguments.file.as_deref().map(read_plan).transpose()?;
    let asks = saved.is_none() && !arguments.auto_approve && arguments.approved_plan.is_none();
    if asks && (!settings.interactive || settings.json) {
        return Err(CommandError::usage("`apply` cannot ask for confirmation here")
            .hint("use `--auto-approve`, or pass a plan file (`plan --out FILE`) or `--approved-plan HASH`"));
    }
    let mut workspace = open::planned(settings, &arguments.planning);
    // A plan file knows what it is for. Nobody else said it, and the plan that is made is held against the file.
    let mut known = settings.clone();
    if let Some(saved) = saved.as_ref().filter(|_| workspace.resolved.project.environment.is_empty()) {
        known.environment.get_or_insert_with(|| saved.target.environment.clone());
        workspace = open::planned(&known, &arguments.planning);
    }
    let settings = &known;
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    let run = Run { verbose, cancel, gate: &|_| Ok(()), rollback: BTreeMap::new(), outside: None };
    let prepared =
        prepare(arguments, saved.as_ref(), &workspace, settings, &run).await.map_err(|stopped| stopped.error)?;
    if asks && prepared.approved.plan().summary().has_changes() && !ask(&prepared.approved, &run.cancel).await? {
        return Err(CommandError::config("not approved; nothing was changed"));
    }
    let report = prepared.carry_out().await?;
    Ok(finish(&report, arguments, settings))
}

/// How one apply is run.
pub struct Run<'a> {
    /// Whether every event is shown.
    pub verbose: bool,
    /// Set by a signal.
    pub cancel: CancellationToken,
    /// Whether a plan may be approved at all, asked once it is known.
    pub gate: &'a (dyn Fn(&Plan) -> Result<(), CommandError> + Sync),
    /// Agents that go back to an older version, and nothing else is done to them.
    pub rollback: BTreeMap<Key, BackTo>,
    /// The connection, where there is one already.
    pub outside: Option<Outside>,
}

/// A plan that is shown and approved, with everything that it takes to carry it out.
pub struct Prepared<'w> {
    workspace: &'w Workspace,
    /// The folder of the manifests.
    dir: PathBuf,
    outside: Outside,
    applying: Applying,
    progress: Progress,
    service: Service,
    hash: String,
    /// The command that makes a new plan.
    anew: String,
    /// The plan.
    pub approved: ApprovedPlan,
}

/// Why nothing is carried out.
pub struct Stopped {
    /// Why.
    pub error: CommandError,
    /// The plan as it is now, once there was one.
    pub plan: Option<Box<Plan>>,
}

impl From<CommandError> for Stopped {
    fn from(error: CommandError) -> Self {
        Self { error, plan: None }
    }
}

/// Plans, shows the plan, and has it approved by what the arguments say.
pub async fn prepare<'w>(
    arguments: &Apply,
    saved: Option<&SavedPlan>,
    workspace: &'w Workspace,
    settings: &Settings,
    run: &Run<'_>,
) -> Result<Prepared<'w>, Stopped> {
    open::refuse_broken(workspace, settings)?;
    let Run { verbose, cancel, gate, rollback, outside } = run;
    let outside = match outside {
        Some(outside) => outside.clone(),
        None => connect(settings, &workspace.resolved.project, cancel.clone())?,
    };
    let progress = Progress::new(settings, *verbose);
    let listener = progress.clone();
    let random = hex(&outside.entropy.bytes());
    let applying = Applying {
        options: Options { rollback: rollback.clone(), ..open::options(workspace, &arguments.planning, settings) },
        leniency: open::leniency(arguments.planning.schema),
        apply: ApplyOptions {
            replace_draft: arguments.replace_draft.iter().cloned().collect(),
            break_lease: arguments.break_lease,
            parallelism: settings.parallelism,
            organization_unverified: arguments.organization_unverified,
            run_url: settings.run_url(),
        },
        run: settings.run_name(random.get(..12).unwrap_or(&random)),
        lease_timeout: Duration::from_secs(arguments.lease_timeout),
        cancel: cancel.clone(),
        verifier: Arc::new(ProcessVerifier { environment: settings.variables().clone(), dir: settings.dir.clone() }),
        listener: Arc::new(move |event| listener.show(&event)),
        builds_on: Arc::new({
            let dir = settings.dir.clone();
            move |commit: &str| git::builds_on(&dir, commit)
        }),
    };
    let failed = |error: SessionError| session_error(&error, &settings.dir);
    let (mut plan, service) = session::plan_unleased(workspace, &outside, &applying).await.map_err(failed)?;
    let past = GitPast::new(&settings.dir, settings.environment.as_deref());
    session::say_where_applied(&mut plan, workspace, &service.live, &past);
    schema_cache::store(settings, &outside.host, &service.schema_bytes, outside.clock.now());
    if cancel.is_cancelled() {
        // What was read of the lists may be half of them, and nobody needs that plan any more.
        return Err(failed(SessionError::Interrupted).into());
    }
    let place = match (saved, &arguments.approved_plan) {
        (None, None) if arguments.auto_approve => Place::AutoApprove,
        (None, None) => Place::Prompt,
        (Some(_), _) | (None, Some(_)) => Place::Shown,
    };
    plan_command::show(&plan, workspace, &arguments.planning, settings, place)?;
    let stopped = |plan: &Plan, error| Stopped { error, plan: Some(Box::new(plan.clone())) };
    gate(&plan).map_err(|error| stopped(&plan, error))?;
    let approval = match (saved, &arguments.approved_plan) {
        (Some(saved), _) => Approval::File(saved),
        (None, Some(hash)) => Approval::Hash(hash),
        (None, None) if arguments.auto_approve => Approval::Auto,
        (None, None) => Approval::Person,
    };
    let anew = command::plan_anew(settings, arguments);
    let approved = plan::approve(plan.clone(), &approval).map_err(|refusal| {
        let told = plan.diagnostics.iter().map(|problem| Problem::of(problem, &workspace.resolved.sources));
        stopped(&plan, refused(&refusal, &anew).for_problems(told.collect()))
    })?;
    let hash = hash_under(&approval, &approved);
    let dir = settings.dir.clone();
    Ok(Prepared { workspace, dir, outside, applying, progress, service, hash, anew, approved })
}

impl Prepared<'_> {
    /// The service that it is for.
    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    /// What it was planned by.
    pub fn options(&self) -> &Options {
        &self.applying.options
    }

    /// Carries the plan out.
    pub async fn carry_out(self) -> Result<Report, CommandError> {
        let Self { workspace, dir, outside, applying, progress, service, hash, anew, approved } = self;
        let failed = |error: SessionError| session_error(&error, &dir);
        if applying.cancel.is_cancelled() {
            return Err(failed(SessionError::Interrupted));
        }
        progress.begin(approved.plan().changes.len());
        let applied = session::apply_approved(workspace, &outside, &applying, &approved, &hash, service).await;
        progress.finish();
        applied.map_err(failed)?.map_err(|refusal| refused(&refusal, &anew))
    }
}

/// What ended it. Where another commit was applied meanwhile, the checkout may be why it is not known which is newer.
fn session_error(error: &SessionError, dir: &Path) -> CommandError {
    let mut failed = CommandError::session(error);
    if matches!(error, SessionError::Overtaken { .. }) {
        let hint = git::to_see_the_history(dir);
        failed.hints.extend(hint.map(str::to_owned));
    }
    failed
}

/// The plan under whose name the stamps record what is done: the approved one, so that a killed run can be run again.
fn hash_under(approval: &Approval<'_>, approved: &ApprovedPlan) -> String {
    match approval {
        Approval::Hash(hash) => hash.to_string(),
        Approval::File(saved) => saved.plan_hash.to_string(),
        Approval::Person | Approval::Auto => approved.plan().plan_hash.to_string(),
    }
}

/// Reads a saved plan.
pub fn read_plan(path: &Path) -> Result<SavedPlan, CommandError> {
    let again = "make a new one with `plan --out`";
    let text = output::read(path, PLAN_BYTES).map_err(|error| error.hint(again))?;
    crate::render::json::read_saved(&text).map_err(|error| {
        CommandError::chain(format!("the plan file {} cannot be used", path.display()), &error).hint(again)
    })
}

/// Asks for a plain yes. Deleting wants the number of deletions typed.
pub(super) async fn ask(approved: &ApprovedPlan, cancel: &CancellationToken) -> Result<bool, CommandError> {
    let summary = approved.plan().summary();
    let edits: usize = approved.plan().changes.iter().map(AgentChange::overwritten).sum();
    // The warning may be hundreds of lines above the question.
    let overwrites = match edits {
        0 => String::new(),
        1 => "\nThis overwrites 1 edit made in the dashboard.".to_owned(),
        edits => format!("\nThis overwrites {edits} edits made in the dashboard."),
    };
    let question = if summary.delete > 0 {
        let plural = if summary.delete == 1 { "agent" } else { "agents" };
        format!("\n{} {plural} will be deleted. Type `delete {}` to apply this plan: ", summary.delete, summary.delete)
    } else {
        "\nApply this plan? Only `yes` is accepted: ".to_owned()
    };
    let wanted = if summary.delete > 0 { format!("delete {}", summary.delete) } else { "yes".to_owned() };
    confirm(&format!("{overwrites}{question}"), &wanted, cancel).await
}

/// Asks a question on the terminal, to which only one answer means yes.
pub(super) async fn confirm(question: &str, wanted: &str, cancel: &CancellationToken) -> Result<bool, CommandError> {
    progress::pause();
    output::prompt(question);
    // On a thread of its own, which the end of the process does not wait for: Ctrl-C is an answer as well.
    let reading = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(CommandError::session(&SessionError::Interrupted)),
        read = reading => read.unwrap_or_else(|lost| Err(std::io::Error::other(lost))),
    };
    let answer = answer.map_err(|error| CommandError::io("the answer could not be read", &error))?;
    Ok(answer.trim() == wanted)
}

/// Why a plan is not applied. `anew` is the command that makes a new one.
fn refused(refusal: &Refusal, anew: &str) -> CommandError {
    let error = match refusal {
        Refusal::NotApplyable => CommandError::config("the plan cannot be applied: it is incomplete or has errors"),
        Refusal::Limits(breaches) => {
            let mut error = CommandError::config("refused by a safety limit; nothing was changed");
            for breach in breaches {
                error = error.cause(breach.message.clone()).hint(format!("if that is intended, add `{}`", breach.flag));
            }
            error
        }
        Refusal::AnotherPlan(lines) => {
            let mut error =
                CommandError::config("refused: this is not the plan that was approved; nothing was changed");
            for line in lines {
                error = error.cause(line.clone());
            }
            error.hint(format!("plan again, review the new plan, and approve that one: `{anew}`"))
        }
    };
    error.exit(Exit::of_refusal(refusal))
}

/// Shows what became of a plan and writes the files that flags name.
pub fn finish(report: &Report, arguments: &Apply, settings: &Settings) -> Exit {
    let again = (!report.is_complete()).then(|| command::go_on(settings, arguments, report));
    finish_with(report, &arguments.planning, settings, again.as_ref())
}

/// The same, with how it goes on where this run stopped.
pub(super) fn finish_with(report: &Report, planning: &Planning, settings: &Settings, again: Option<&GoOn>) -> Exit {
    // What was done is reported in any case, and goes before a file that could not be written.
    let mut is_lost = false;
    if let Err(unwritten) = output::json(settings, &report_document(report)) {
        is_lost = true;
        output::aside(&unwritten.text());
        if settings.json {
            output::document(&report_document(report));
        }
    }
    if let Some(path) = &planning.markdown
        && let Err(unwritten) = output::file(path, &markdown::of_report(report, again, settings))
    {
        is_lost = true;
        output::aside(&unwritten.text());
    }
    if !settings.json && (!report.outcomes.is_empty() || report.wrote) {
        output::result(&report_text(report, again, &output::text_options(settings, DiffDetail::Words)));
    }
    match Exit::of_report(report) {
        Exit::Done if is_lost => Exit::Failed,
        exit => exit,
    }
}
