//! From a plan to a report: the last look before the first write, and the steps.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::Reader;
use crate::apply::context::Listener;
use crate::apply::verify::Verifier;
use crate::apply::{self, ApplyOptions, Context};
use crate::live;
use crate::model::{Key, LiveAgent};
use crate::plan::{self, AgentOutcome, ApprovedPlan, Options, Outcome, Plan, Rechecked, Refusal, Report};
use crate::schema::Leniency;

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, check_keys, check_organization, make_plan, read};
use super::waiting::{Waiting, applied_changes, lease_holder};

/// How an apply runs.
#[derive(Clone)]
pub struct Applying {
    /// The flags of planning.
    pub options: Options,
    /// How values are judged that the schema does not list.
    pub leniency: Leniency,
    /// The flags of applying.
    pub apply: ApplyOptions,
    /// The name of this run.
    pub run: String,
    /// How long another run's lease is waited for.
    pub lease_timeout: Duration,
    /// Set by a signal.
    pub cancel: CancellationToken,
    /// The `verify` command.
    pub verifier: Arc<dyn Verifier>,
    /// Who hears of it.
    pub listener: Arc<Listener>,
    /// Whether this run's commit was made on top of the given one, as far as the history here shows.
    pub builds_on: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// Plans, and waits while another run holds the lease of an agent that would be changed. A lease that runs out without
/// being renewed is taken over: the plan that is made then starts from what the dead run left.
pub async fn plan_unleased(
    workspace: &Workspace,
    outside: &Outside,
    applying: &Applying,
) -> Result<(Plan, Service), SessionError> {
    check_keys(&workspace.resolved, applying.apply.replace_draft.iter())?;
    let reader = outside.reader();
    let mut waiting = Waiting::new(outside, applying);
    let mut applied_before = None;
    loop {
        let mut service = read(outside, &reader, None).await?;
        let plan = make_plan(workspace, &applying.options, applying.leniency, outside, &reader, &mut service).await?;
        let unverified = applying.apply.organization_unverified;
        see_organization(workspace, outside, unverified, &reader, &mut service).await?;
        // Another commit that was applied while this run waited must not be undone by the plan that is made now.
        let before = applied_before.get_or_insert_with(|| service.live.clone());
        applied_changes(before, &service.live, &plan, workspace, outside, applying)?;
        let Some((address, holder)) = lease_holder(&plan, &service, outside, &reader, applying) else {
            return Ok((plan, service));
        };
        if !waiting.pause(&address, &holder).await? {
            return Err(SessionError::Leased { address, holder });
        }
    }
}

/// A declared organization is seen to be the credential's before anything is written. The lists of most services say it;
/// else a version does (contract, section 6.2).
pub async fn see_organization(
    workspace: &Workspace,
    outside: &Outside,
    unverified: bool,
    reader: &Reader,
    service: &mut Service,
) -> Result<(), SessionError> {
    let project = &workspace.resolved.project;
    let Some(wanted) = project.organization().filter(|_| !outside.is_embedded()) else { return Ok(()) };
    if service.live.organization.is_none() {
        let newest = |agent: &LiveAgent| agent.versions.iter().map(|head| head.version).max();
        let any = service.live.agents.values().find_map(|agent| Some((agent.id.clone(), newest(agent)?)));
        let unread = live::read_configs(reader, &mut service.live, any.as_slice()).await;
        tracing::debug!(?unread, "a version was read to see the organization");
        check_organization(&workspace.resolved, outside, &service.live)?;
    }
    let unseen = service.live.unseen_organization().filter(|_| !unverified);
    let Some(why) = unseen else { return Ok(()) };
    Err(SessionError::OrganizationUnverified {
        environment: project.environment.clone(),
        wanted: wanted.to_owned(),
        why,
    })
}

/// Carries an approved plan out. Everything is read and planned once more just before the first write; where the
/// approval binds the whole plan, one stale agent stops everything.
pub async fn apply_approved(
    workspace: &Workspace,
    outside: &Outside,
    applying: &Applying,
    approved: &ApprovedPlan,
    approved_hash: &str,
    before: Service,
) -> Result<Result<Report, Refusal>, SessionError> {
    let Plan { refreshes, twins, .. } = approved.plan();
    let has_work = approved.plan().summary().has_changes() || !refreshes.is_empty() || !twins.is_empty();
    let reader = outside.reader();
    let mut waiting = Waiting::new(outside, applying);
    let (rechecked, service) = if has_work {
        last_look(workspace, outside, applying, approved, &reader, Some(&before), &mut waiting).await?
    } else {
        (plan::recheck(approved, approved.plan().clone()), before)
    };
    if applying.cancel.is_cancelled() {
        return Err(SessionError::Interrupted);
    }
    if rechecked.is_stale && approved.binds_the_whole() {
        let stale = rechecked.decided.iter().filter(|entry| entry.outcome == Outcome::Stale);
        let mut lines: Vec<String> =
            stale.map(|entry| format!("{}: {}", entry.address, entry.causes.join(": "))).collect();
        outside.conceal(&mut lines);
        return Ok(Err(Refusal::AnotherPlan(lines)));
    }
    let project = &workspace.resolved.project;
    let context = Context {
        writer: outside.writer(),
        clock: outside.clock.clone(),
        entropy: outside.entropy.clone(),
        shape: service.schema.clone(),
        run: applying.run.clone(),
        owner: (project.name.clone(), project.environment.clone()),
        plan_hash: approved_hash.to_owned(),
        cancel: applying.cancel.clone(),
        verifier: applying.verifier.clone(),
        options: applying.apply.clone(),
        listener: concealing(outside, applying.listener.clone()),
    };
    let order: Vec<Key> = approved.plan().changes.iter().map(|change| change.key.clone()).collect();
    let (target, hash) = (&approved.plan().target, &approved.plan().plan_hash);
    let mut report = apply::execute(&context, &rechecked, &service.live, &order, target, hash).await;
    // Two runs that began at the same moment: the one that yielded waits for the other, as it would have done if it had
    // begun later, and does what is still left then.
    while report.count(Outcome::Blocked) > 0 && !applying.cancel.is_cancelled() {
        let held_before = waiting.pauses();
        let look = last_look(workspace, outside, applying, approved, &reader, Some(&service), &mut waiting).await;
        let Ok((rechecked, service)) = look else { break };
        let is_done = |entry: &AgentOutcome| {
            let mut decided = rechecked.decided.iter().filter(|decided| decided.key == entry.key);
            decided.any(|decided| decided.outcome.is_in_place())
        };
        let mut blocked = report.outcomes.iter().filter(|entry| entry.outcome == Outcome::Blocked);
        if waiting.pauses() == held_before && !blocked.any(is_done) {
            // Something other than a lease is in the way.
            break;
        }
        let again = apply::execute(&context, &rechecked, &service.live, &order, target, hash).await;
        report.go_on_with(again);
    }
    outside.conceal(&mut report);
    Ok(Ok(report))
}

/// Reads and plans once more, and waits while another run is at work on an agent that is still to be changed. If it is
/// at work for too long, the agent's own work ends as blocked, and all others go on.
async fn last_look(
    workspace: &Workspace,
    outside: &Outside,
    applying: &Applying,
    approved: &ApprovedPlan,
    reader: &Reader,
    before: Option<&Service>,
    waiting: &mut Waiting<'_>,
) -> Result<(Rechecked, Service), SessionError> {
    loop {
        let mut service = read(outside, reader, before).await?;
        let fresh = make_plan(workspace, &applying.options, applying.leniency, outside, reader, &mut service).await?;
        let holder = lease_holder(&fresh, &service, outside, reader, applying);
        let rechecked = plan::recheck(approved, fresh);
        let Some((address, holder)) = holder else { return Ok((rechecked, service)) };
        if !waiting.pause(&address, &holder).await? {
            return Ok((rechecked, service));
        }
    }
}

/// The same listener, which hears no secret.
fn concealing(outside: &Outside, listener: Arc<Listener>) -> Arc<Listener> {
    let outside = outside.clone();
    Arc::new(move |mut event: plan::Event| {
        outside.conceal(&mut event);
        listener(event);
    })
}
