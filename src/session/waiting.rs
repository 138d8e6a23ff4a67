//! Waiting for another run: whose lease it is, for how long, and what that run has applied meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::Reader;
use crate::apply::context::{is_same_run, lease_holds};
use crate::model::{Applied, LiveAgent, LiveState, Stamp};
use crate::plan::{Event, Plan};

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace};
use super::running::Applying;

/// Between two looks at another run's lease.
const PAUSE: Duration = Duration::from_secs(5);

/// After how many looks it is said again that this run waits.
const SAID_EVERY: u32 = 4;

/// One run's patience for other runs, from its first look to `--lease-timeout` after it.
pub(super) struct Waiting<'a> {
    outside: &'a Outside,
    applying: &'a Applying,
    began: Timestamp,
    pauses: u32,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(outside: &'a Outside, applying: &'a Applying) -> Self {
        Self { outside, applying, began: outside.clock.now(), pauses: 0 }
    }

    /// How often it has waited.
    pub(super) fn pauses(&self) -> u32 {
        self.pauses
    }

    /// Waits a little for the run that holds the lease. False if it was waited for long enough.
    pub(super) async fn pause(&mut self, address: &str, holder: &str) -> Result<bool, SessionError> {
        let Self { outside, applying, began, .. } = *self;
        let now = outside.clock.now();
        if now >= began + applying.lease_timeout {
            return Ok(false);
        }
        if self.pauses.is_multiple_of(SAID_EVERY) {
            let waited = now.duration_since(began).as_secs();
            let so_far = if waited == 0 { String::new() } else { format!(", waited {waited} s so far") };
            let most = applying.lease_timeout.as_secs();
            let message =
                format!("waiting for another run ({holder}) that is working on {address}, up to {most} s{so_far}");
            (applying.listener)(Event::Note { message });
        }
        self.pauses += 1;
        tokio::select! {
            biased;
            () = applying.cancel.cancelled() => Err(SessionError::Interrupted),
            () = outside.clock.sleep(PAUSE) => Ok(true),
        }
    }
}

/// The first agent to change whose lease another run holds.
pub(super) fn lease_holder(
    plan: &Plan,
    service: &Service,
    outside: &Outside,
    reader: &Reader,
    applying: &Applying,
) -> Option<(String, String)> {
    if applying.apply.break_lease {
        return None;
    }
    let now = reader.service_now().unwrap_or_else(|| outside.clock.now());
    let changed = plan.changes.iter().map(|change| (&change.key, change.agent_id.as_ref()));
    let refreshed = plan.refreshes.iter().map(|refresh| (&refresh.key, Some(&refresh.agent_id)));
    changed.chain(refreshed).find_map(|(key, id)| {
        let agent = service.live.agents.get(id?)?;
        let lease = Stamp::read(&agent.metadata).ok()??.state.lease?;
        let holds = lease_holds(&lease, now) && !is_same_run(&lease.run, &applying.run);
        holds.then(|| {
            let mut run = lease.run;
            outside.conceal(&mut run);
            (format!("agent.{key}"), run)
        })
    })
}

/// Fails if another commit was applied since `before` that this run's commit does not build on, and this run would still
/// change something: most likely it would undo that commit.
pub(super) fn applied_changes(
    before: &LiveState,
    now: &LiveState,
    plan: &Plan,
    workspace: &Workspace,
    outside: &Outside,
    applying: &Applying,
) -> Result<(), SessionError> {
    if !plan.summary().has_changes() && plan.refreshes.is_empty() {
        return Ok(());
    }
    let (target, source) = (&plan.target, &workspace.source);
    let ours = |agent: &LiveAgent| {
        let stamp = Stamp::read(&agent.metadata).ok()??;
        let is_ours = stamp.project == target.project && stamp.environment == target.environment;
        is_ours.then_some((stamp.key, stamp.state.applied))
    };
    let is_known = |applied: &Applied| {
        let is_here = |commit: &str| source.commit.as_deref() == Some(commit) && !source.dirty;
        applied.commit.as_deref().is_some_and(|commit| is_here(commit) || (applying.builds_on)(commit))
    };
    for (id, agent) in &now.agents {
        let Some((key, Some(applied))) = ours(agent) else { continue };
        let was = before.agents.get(id).and_then(ours).and_then(|(_, applied)| applied);
        let is_same = was.is_some_and(|was| {
            (was.version, was.plan, was.change) == {
                let Applied { version, plan, change, .. } = applied.clone();
                (version, plan, change)
            }
        });
        if !is_same && !is_known(&applied) {
            let name = |commit: Option<&str>| {
                commit.map_or("an unknown commit".to_owned(), |commit| format!("commit {commit}"))
            };
            let mut theirs = name(applied.commit.as_deref());
            outside.conceal(&mut theirs);
            return Err(SessionError::Overtaken {
                address: format!("agent.{key}"),
                applied: theirs,
                ours: name(source.commit.as_deref()),
            });
        }
    }
    Ok(())
}
