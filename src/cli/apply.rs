//! `apply`: plans, shows, asks, and carries the plan out.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::apply::verify::ProcessVerifier;
use crate::apply::{self, ApplyOptions, Context};
use crate::model::digest::hex;
use crate::model::{Key, Stamp};
use crate::plan::{self, Approval, ApprovedPlan, Plan, Refusal, Report, SavedPlan};
use crate::render::json::report_document;
use crate::render::text::report_text;

use super::args::{Apply, DiffDetail};
use super::connect::{Connection, connect};
use super::exit::Exit;
use super::progress::Progress;
use super::reading::{Service, Workspace};
use super::report::CommandError;
use super::settings::Settings;
use super::{output, plan as plan_command, reading, signals};

/// Largest plan file that is read.
const PLAN_BYTES: u64 = 64 * 1024 * 1024;

/// Between two looks at a lease.
const LEASE_PAUSE: Duration = Duration::from_secs(5);

/// Runs the command.
pub async fn run(arguments: &Apply, settings: &Settings, verbose: bool) -> Result<Exit, CommandError> {
    let saved = arguments.file.as_deref().map(read_plan).transpose()?;
    let asks = saved.is_none() && !arguments.auto_approve && arguments.approved_plan.is_none();
    if asks && (!settings.interactive || settings.json) {
        return Err(CommandError::usage("`apply` has nobody to ask here")
            .hint("say `--auto-approve`, or give it a plan file (`plan --out FILE`) or `--approved-plan HASH`"));
    }
    let workspace = reading::open(settings);
    plan_command::refuse_broken(&workspace, settings)?;
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    let connection = connect(settings, &workspace.resolved.project, cancel.clone())?;
    let writer = connection.writer();
    let run = settings.run_name(&hex(&connection.entropy.bytes())[..12]);
    let (plan, service) = plan_unleased(arguments, settings, &workspace, &connection, &run).await?;
    plan_command::show(&plan, &workspace, &arguments.planning, settings)?;
    let approval = match (&saved, &arguments.approved_plan) {
        (Some(saved), _) => Approval::File(saved),
        (None, Some(hash)) => Approval::Hash(hash),
        (None, None) if arguments.auto_approve => Approval::Auto,
        (None, None) => Approval::Person,
    };
    let approved = match plan::approve(plan, &approval) {
        Ok(approved) => approved,
        Err(refusal) => return Err(refused(&refusal)),
    };
    let has_work = approved.plan().summary().has_changes() || !approved.plan().refreshes.is_empty();
    if asks && approved.plan().summary().has_changes() && !ask(&approved)? {
        return Err(CommandError::config("not approved; nothing was changed"));
    }
    if cancel.is_cancelled() {
        return Err(CommandError::config("interrupted; nothing was changed").exit(Exit::Interrupted));
    }
    let keys: Vec<Key> = approved.plan().changes.iter().map(|change| change.key.clone()).collect();
    let (rechecked, live) = if has_work {
        let (fresh, service) = replan(arguments, settings, &workspace, &connection, service).await?;
        (plan::recheck(&approved, fresh), service)
    } else {
        let fresh = approved.plan().clone();
        (plan::recheck(&approved, fresh), service)
    };
    if rechecked.is_stale && approved.binds_the_whole() {
        let stale: Vec<String> = rechecked
            .decided
            .iter()
            .filter(|entry| entry.outcome == plan::Outcome::Stale)
            .map(|entry| format!("{}: {}", entry.address, entry.causes.join(": ")))
            .collect();
        return Err(refused(&Refusal::AnotherPlan(stale)));
    }
    let progress = Progress::new(settings, keys.len(), verbose);
    let listener = progress.clone();
    let context = Context {
        writer,
        clock: connection.clock.clone(),
        entropy: connection.entropy.clone(),
        shape: live.schema.clone(),
        run,
        owner: (workspace.resolved.project.name.clone(), workspace.resolved.project.environment.clone()),
        plan_hash: hash_under(&approval, &approved),
        cancel,
        verifier: Arc::new(ProcessVerifier { environment: settings.variables().clone(), dir: settings.dir.clone() }),
        options: ApplyOptions {
            replace_draft: arguments.replace_draft.iter().cloned().collect(),
            break_lease: arguments.break_lease,
            parallelism: settings.parallelism,
        },
        listener: Arc::new(move |event| listener.show(&event)),
    };
    let target = approved.plan().target.clone();
    let report = apply::execute(&context, &rechecked, &live.live, &keys, &target, &approved.plan().plan_hash).await;
    progress.finish();
    finish(&report, settings)
}

/// The plan under whose name the stamps record what is done: the approved one, so that a killed run can be run again.
fn hash_under(approval: &Approval<'_>, approved: &ApprovedPlan) -> String {
    match approval {
        Approval::Hash(hash) => hash.to_string(),
        Approval::File(saved) => saved.plan_hash.to_string(),
        Approval::Person | Approval::Auto => approved.plan().plan_hash.to_string(),
    }
}

fn read_plan(path: &std::path::Path) -> Result<SavedPlan, CommandError> {
    let text = output::read(path, PLAN_BYTES)?;
    plan::saved::read(&text).map_err(|error| {
        CommandError::chain(format!("the plan file {} cannot be used", path.display()), &error)
            .hint("make a new one: reachform plan --out FILE")
    })
}

/// Plans, and waits while another run's lease stands on an agent that would be changed.
async fn plan_unleased(
    arguments: &Apply,
    settings: &Settings,
    workspace: &Workspace,
    connection: &Connection,
    run: &str,
) -> Result<(Plan, Service), CommandError> {
    let deadline = connection.clock.now() + Duration::from_secs(arguments.lease_timeout);
    let reader = connection.reader();
    let mut told = false;
    loop {
        let mut service = reading::read(connection, &reader, settings).await?;
        let plan = reading::make_plan(workspace, &arguments.planning, connection, &reader, &mut service).await?;
        let holder = if arguments.break_lease { None } else { lease_holder(&plan, &service, connection, run) };
        let Some((address, holder)) = holder else { return Ok((plan, service)) };
        if connection.clock.now() >= deadline {
            return Err(CommandError::config(format!("the run {holder} is at work on {address}"))
                .exit(Exit::Lease)
                .hint("wait for it and run again, or use `--break-lease` if it is certainly dead"));
        }
        if !told && !settings.quiet {
            output::aside(&format!("waiting: the run {holder} is at work on {address}"));
            told = true;
        }
        tokio::select! {
            () = connection.clock.sleep(LEASE_PAUSE) => {}
            () = reader.client().cancellation().cancelled() => {
                return Err(CommandError::config("interrupted; nothing was changed").exit(Exit::Interrupted));
            }
        }
    }
}

/// The first agent to change on which another run's lease still holds.
fn lease_holder(plan: &Plan, service: &Service, connection: &Connection, run: &str) -> Option<(String, String)> {
    let now = connection.reader().service_now().unwrap_or_else(|| connection.clock.now());
    let changed = plan.changes.iter().map(|change| (&change.key, change.agent_id.as_ref()));
    let refreshed = plan.refreshes.iter().map(|refresh| (&refresh.key, Some(&refresh.agent_id)));
    changed.chain(refreshed).find_map(|(key, id)| {
        let agent = service.live.agents.get(id?)?;
        let lease = Stamp::read(&agent.metadata).ok()??.state.lease?;
        let holds = apply::context::lease_holds(&lease, now) && !apply::context::is_same_run(&lease.run, run);
        holds.then(|| (format!("agent.{key}"), lease.run))
    })
}

/// Reads the lists once more and plans once more, just before the first write. Published versions are immutable, so
/// configs that were read are not read again.
async fn replan(
    arguments: &Apply,
    settings: &Settings,
    workspace: &Workspace,
    connection: &Connection,
    before: Service,
) -> Result<(Plan, Service), CommandError> {
    let reader = connection.reader();
    let mut service = reading::read_again(connection, &reader, settings, before).await?;
    let plan = reading::make_plan(workspace, &arguments.planning, connection, &reader, &mut service).await?;
    Ok((plan, service))
}

/// Asks for a plain yes. Deleting wants the number of deletions typed.
fn ask(approved: &ApprovedPlan) -> Result<bool, CommandError> {
    let summary = approved.plan().summary();
    let question = if summary.delete > 0 {
        let plural = if summary.delete == 1 { "agent" } else { "agents" };
        format!("\n{} {plural} will be deleted. Type `delete {}` to apply this plan: ", summary.delete, summary.delete)
    } else {
        "\nApply this plan? Only `yes` is taken for a yes: ".to_owned()
    };
    output::prompt(&question);
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| CommandError::io("the answer could not be read", &error))?;
    let wanted = if summary.delete > 0 { format!("delete {}", summary.delete) } else { "yes".to_owned() };
    Ok(answer.trim() == wanted)
}

fn refused(refusal: &Refusal) -> CommandError {
    let error = match refusal {
        Refusal::NotApplyable => CommandError::config("the plan cannot be applied: it is incomplete or has errors"),
        Refusal::MissingSecrets(names) => {
            let variables: Vec<String> = names.iter().map(|name| format!("REACHFORM_SECRET_{name}")).collect();
            CommandError::config(format!("secrets have no value here: {}", names.join(", ")))
                .hint(format!("set {}", variables.join(", ")))
        }
        Refusal::Limits(breaches) => {
            let mut error = CommandError::config("refused by a safety limit; nothing was changed");
            for breach in breaches {
                error = error.cause(breach.message.clone()).hint(format!("if that is meant, add `{}`", breach.flag));
            }
            error
        }
        Refusal::AnotherPlan(lines) => {
            let mut error =
                CommandError::config("refused: this is not the plan that was approved; nothing was changed");
            for line in lines {
                error = error.cause(line.clone());
            }
            error.hint("plan again, review it, and approve that plan")
        }
    };
    error.exit(Exit::of_refusal(refusal))
}

fn finish(report: &Report, settings: &Settings) -> Result<Exit, CommandError> {
    output::json(settings, &report_document(report))?;
    if !settings.json && (!report.outcomes.is_empty() || report.wrote) {
        let again = (!report.is_complete()).then(|| "reachform apply".to_owned());
        output::result(&report_text(report, again.as_deref(), &output::text_options(settings, DiffDetail::Words)));
    }
    Ok(Exit::of_report(report))
}
