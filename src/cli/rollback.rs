//! `rollback`: plans the way back to an older version, shows it, asks, and carries it out like any other apply.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use crate::http::Redactor;
use crate::model::Key;
use crate::plan::BackTo;
use crate::render::view::GoOn;
use crate::session::{self, Outside, SessionError};

use super::apply::{Run, ask, finish_with, prepare};
use super::args::{Apply, Planning, Rollback, SchemaMode};
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{adopt, command, open, output, signals};

/// Runs the command.
pub async fn run(arguments: &Rollback, settings: &Settings, verbose: bool) -> Result<Exit, CommandError> {
    for path in [&arguments.markdown, &arguments.html].into_iter().flatten() {
        output::check_writable(path)?;
    }
    let asks = !arguments.auto_approve && arguments.approved_plan.is_none();
    if asks && (!settings.interactive || settings.json) {
        return Err(CommandError::usage("`rollback` cannot ask for confirmation here")
            .hint("use `--auto-approve`, or `--approved-plan HASH`"));
    }
    let reason = Redactor::new(&settings.secrets()).clean(&arguments.reason);
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    let (back, outside) = match &arguments.agent {
        Some(key) => (BTreeMap::from([(key.clone(), BackTo { to: arguments.to, reason })]), None),
        None => undone(arguments, settings, &reason, cancel.clone()).await?,
    };
    if back.is_empty() {
        return Ok(Exit::Done);
    }
    let keys: Vec<Key> = back.keys().cloned().collect();
    let workspace = open::targeted(settings, &keys, &[]);
    let apply = as_apply(arguments, &keys);
    let run = Run { verbose, cancel, gate: &|_| Ok(()), rollback: back, outside };
    let prepared = prepare(&apply, None, &workspace, settings, &run).await.map_err(|stopped| stopped.error)?;
    if asks && prepared.approved.plan().summary().has_changes() && !ask(&prepared.approved, &run.cancel).await? {
        return Err(CommandError::config("not approved; nothing was changed"));
    }
    let (outside, options) = (prepared.outside().clone(), prepared.options().clone());
    let report = prepared.carry_out().await?;
    let again = (!report.is_complete()).then(|| again(arguments, settings));
    let exit = finish_with(&report, &apply.planning, settings, again.as_ref());
    if !arguments.write || exit != Exit::Done {
        return Ok(exit);
    }
    let failed = |error: SessionError| CommandError::session(&error);
    let (left, service) = session::left_in_git(&workspace, &outside, &options).await.map_err(failed)?;
    adopt::old_values(&left, &service, &workspace, arguments.diff, settings)
}

/// The agents that an apply released. Where one of them cannot go back, nothing is done until that is decided.
async fn undone(
    arguments: &Rollback,
    settings: &Settings,
    reason: &str,
    cancel: CancellationToken,
) -> Result<(BTreeMap<Key, BackTo>, Option<Outside>), CommandError> {
    let Some(plan) = &arguments.plan else { return Ok((BTreeMap::new(), None)) };
    let workspace = open::workspace(settings);
    open::refuse_broken(&workspace, settings)?;
    let outside = connect(settings, &workspace.resolved.project, cancel)?;
    let service = open::service(settings, &outside, &outside.reader()).await?;
    let excludes: BTreeSet<Key> = arguments.exclude.iter().cloned().collect();
    let undoing = session::undoing(&workspace, &outside, &service, plan, reason, &excludes);
    let undoing = undoing.map_err(|error| CommandError::session(&error))?;
    for key in &undoing.without_version {
        output::aside(&format!("agent.{key}: that plan made no version of it, so it stays as it is"));
    }
    if !undoing.refused.is_empty() {
        let mut error = CommandError::config("not every agent of that plan can go back; nothing was changed");
        for (key, why) in &undoing.refused {
            error = error.cause(format!("agent.{key}: {why}"));
            error = error.hint(format!("to leave it as it is, add `--exclude {key}`"));
        }
        return Err(error);
    }
    if undoing.back.is_empty() && undoing.without_version.is_empty() {
        return Err(CommandError::config(format!("no agent was applied last under the plan {plan}"))
            .hint("`reachform log` shows which plan was applied last to each agent"));
    }
    Ok((undoing.back, Some(outside)))
}

/// A rollback is an apply of these agents alone.
fn as_apply(arguments: &Rollback, keys: &[Key]) -> Apply {
    Apply {
        file: None,
        planning: Planning {
            target: keys.to_vec(),
            exclude: Vec::new(),
            prune: false,
            refresh: false,
            force_conflicts: false,
            take: Vec::new(),
            create: Vec::new(),
            redo: Vec::new(),
            max_delete: None,
            max_change_percent: arguments.max_change_percent,
            schema: SchemaMode::Strict,
            diff: arguments.diff,
            markdown: arguments.markdown.clone(),
            html: arguments.html.clone(),
        },
        auto_approve: arguments.auto_approve,
        approved_plan: arguments.approved_plan.clone(),
        replace_draft: Vec::new(),
        lease_timeout: arguments.lease_timeout,
        break_lease: arguments.break_lease,
        organization_unverified: arguments.organization_unverified,
    }
}

/// The command that goes on where this run stopped.
fn again(arguments: &Rollback, settings: &Settings) -> GoOn {
    let mut words = vec![format!("reachform rollback{}", command::flags(settings, None))];
    words.extend(arguments.agent.iter().map(ToString::to_string));
    words.extend(arguments.to.map(|to| format!("--to {to}")));
    words.extend(arguments.plan.iter().map(|plan| format!("--plan {plan}")));
    words.extend(arguments.exclude.iter().map(|key| format!("--exclude {key}")));
    words.push(format!("--reason {}", command::quoted(&arguments.reason)));
    words.extend(arguments.max_change_percent.map(|percent| format!("--max-change-percent {percent}")));
    words.extend(arguments.write.then(|| "--write".to_owned()));
    GoOn::Command { what: "", copy: words.join(" ") }
}
