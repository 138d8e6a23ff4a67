//! From manifests and a service to what was changed there since the last apply. Nothing here can write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::api::Reader;
use crate::apply::context::lease_holds;
use crate::live::{self, Unlisted};
use crate::model::{Coverage, LiveState, Stamp};
use crate::plan::Options;
use crate::plan::drift::{Drift, DriftInputs, configs_needed, judge, slot_at};

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, causes, check_keys, check_organization, inputs, target, unlisted};

/// The drift of one reading. `options` says which agents are meant; the day is the clock's.
pub async fn check_drift(
    workspace: &Workspace,
    options: &Options,
    outside: &Outside,
    reader: &Reader,
    service: &mut Service,
) -> Result<Drift, SessionError> {
    let resolved = &workspace.resolved;
    check_organization(resolved, &service.live)?;
    check_keys(resolved, options)?;
    let now = outside.clock.now();
    let options = Options {
        today: TimeZone::UTC.to_datetime(now).date(),
        // Whose numbers sit where matters to a create, and nothing is made here.
        create: resolved.desired.iter().map(|desired| desired.key.clone()).collect(),
        ..options.clone()
    };
    let target = target(workspace, outside, &service.live);
    let unlisted = with_owned(workspace, &service.live);
    for error in live::ask_singly(reader, &mut service.live, &unlisted).await {
        service.live.notices.push(format!("not everything could be asked for: {}", error.one_line()));
    }
    let shape = service.schema.clone();
    let wanted = configs_needed(&inputs(workspace, &service.live, &target, &options), shape.as_ref());
    let missing: Vec<(String, u64)> = wanted
        .into_iter()
        .filter(|(id, version)| service.live.agents.get(id).is_none_or(|agent| !agent.configs.contains_key(version)))
        .collect();
    let mut unread: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for failure in live::read_configs(reader, &mut service.live, &missing).await {
        // The newest is the one that matters, and it comes last.
        unread.insert(failure.agent_id().to_owned(), causes(&failure));
    }
    let busy = busy(&service.live, now);
    let run = inputs(workspace, &service.live, &target, &options);
    Ok(judge(&DriftInputs { run: &run, checked_at: now, busy: &busy, unread: &unread }, shape.as_ref()))
}

/// What the manifests name and the lists did not show, and the numbers that stamps own beside them.
fn with_owned(workspace: &Workspace, live: &LiveState) -> Unlisted {
    let resolved = &workspace.resolved;
    let mut found = unlisted(resolved, live);
    if matches!(live.number_coverage, Coverage::Incomplete(_) | Coverage::Forbidden(_)) {
        return found;
    }
    let owner = json!([resolved.project.name, resolved.project.environment]);
    for agent in live.agents.values() {
        let Ok(Some(stamp)) = Stamp::read(&agent.metadata) else { continue };
        if json!([stamp.project, stamp.environment]) != owner {
            continue;
        }
        let fields = stamp.state.applied.map(|applied| applied.fields).unwrap_or_default();
        let owned = fields.keys().filter_map(slot_at).map(|slot| slot.number);
        found.numbers.extend(owned.filter(|number| !live.numbers.contains_key(number)));
    }
    found
}

/// The runs that hold a lease on an agent now.
fn busy(live: &LiveState, now: Timestamp) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for agent in live.agents.values() {
        let Ok(Some(stamp)) = Stamp::read(&agent.metadata) else { continue };
        if let Some(lease) = stamp.state.lease.filter(|lease| lease_holds(lease, now)) {
            found.insert(agent.id.clone(), lease.run);
        }
    }
    found
}
