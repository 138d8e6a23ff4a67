//! From a plan to a report: waiting for leases, the last look before the first write, and the steps.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::Reader;
use crate::apply::context::{Listener, is_same_run, lease_holds};
use crate::apply::verify::Verifier;
use crate::apply::{self, ApplyOptions, Context};
use crate::live;
use crate::model::{Key, LiveAgent, Stamp};
use crate::plan::{self, ApprovedPlan, Options, Outcome, Plan, Refusal, Report};
use crate::schema::Leniency;

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, check_organization, make_plan, read};

/// Between two looks at another run's lease.
const LEASE_PAUSE: Duration = Duration::from_secs(5);

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
}

/// Plans, and waits while another run's lease stands on an agent that would be changed. A lease that runs out
/// unrenewed is taken over: the plan that is made then starts from what the dead run left.
pub async fn plan_unleased(
    workspace: &Workspace,
    outside: &Outside,
    applying: &Applying,
) -> Result<(Plan, Service), SessionError> {
    let deadline = outside.clock.now() + applying.lease_timeout;
    let reader = outside.reader();
    let mut told = false;
    loop {
        let mut service = read(outside, &reader, None).await?;
        let plan = make_plan(workspace, &applying.options, applying.leniency, outside, &reader, &mut service).await?;
        verify_organization(workspace, outside, applying, &reader, &mut service).await?;
        let holder =
            if applying.apply.break_lease { None } else { lease_holder(&plan, &service, outside, &reader, applying) };
        let Some((address, holder)) = holder else { return Ok((plan, service)) };
        if outside.clock.now() >= deadline {
            return Err(SessionError::Leased { address, holder });
        }
        if !told {
            let message = format!("waiting: the run {holder} is at work on {address}");
            (applying.listener)(plan::Event::Note { message });
            told = true;
        }
        tokio::select! {
            biased;
            () = applying.cancel.cancelled() => return Err(SessionError::Interrupted),
            () = outside.clock.sleep(LEASE_PAUSE) => {}
        }
    }
}

/// A declared organization is seen to be the credential's before anything is written. The lists of most services say it;
/// else a version does (contract, section 6.2).
async fn verify_organization(
    workspace: &Workspace,
    outside: &Outside,
    applying: &Applying,
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
    if service.live.organization.is_some() || applying.apply.organization_unverified {
        return Ok(());
    }
    Err(SessionError::OrganizationUnverified { environment: project.environment.clone(), wanted: wanted.to_owned() })
}

/// The first agent to change on which another run's lease still holds.
fn lease_holder(
    plan: &Plan,
    service: &Service,
    outside: &Outside,
    reader: &Reader,
    applying: &Applying,
) -> Option<(String, String)> {
    let now = reader.service_now().unwrap_or_else(|| outside.clock.now());
    let changed = plan.changes.iter().map(|change| (&change.key, change.agent_id.as_ref()));
    let refreshed = plan.refreshes.iter().map(|refresh| (&refresh.key, Some(&refresh.agent_id)));
    changed.chain(refreshed).find_map(|(key, id)| {
        let agent = service.live.agents.get(id?)?;
        let lease = Stamp::read(&agent.metadata).ok()??.state.lease?;
        let holds = lease_holds(&lease, now) && !is_same_run(&lease.run, &applying.run);
        holds.then(|| (format!("agent.{key}"), lease.run))
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
    let (rechecked, service) = if has_work {
        let mut service = read(outside, &reader, Some(&before)).await?;
        let fresh = make_plan(workspace, &applying.options, applying.leniency, outside, &reader, &mut service).await?;
        (plan::recheck(approved, fresh), service)
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
    outside.conceal(&mut report);
    Ok(Ok(report))
}

/// The same listener, which hears no secret.
fn concealing(outside: &Outside, listener: Arc<Listener>) -> Arc<Listener> {
    let outside = outside.clone();
    Arc::new(move |mut event: plan::Event| {
        outside.conceal(&mut event);
        listener(event);
    })
}
