//! Around a rollback: which agents an apply released, and what the manifests would have to say afterwards.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Digest, FieldPath, Key, Seal, Stamp};
use crate::plan::drift::{AgentDrift, Drift, FieldDrift, live_value};
use crate::plan::identity::stamps_of;
use crate::plan::{AgentChange, BackTo, Cause, Options};
use crate::schema::Leniency;

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, check_organization, make_plan, read, target};

/// What undoing one apply means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undoing {
    /// Agents that go back, and to which version.
    pub back: BTreeMap<Key, BackTo>,
    /// Agents that do not, and why.
    pub refused: Vec<(Key, String)>,
    /// Agents of which that apply made no version, so that there is nothing to go back to.
    pub without_version: Vec<Key>,
}

/// The agents that were applied last under a plan, each with the version that was live before. What a run that died has
/// still to do is among them; what is undone already is not, for its record names another plan.
pub fn undoing(
    workspace: &Workspace,
    outside: &Outside,
    service: &Service,
    plan: &Digest,
    reason: &str,
    excludes: &BTreeSet<Key>,
) -> Result<Undoing, SessionError> {
    check_organization(&workspace.resolved, outside, &service.live)?;
    let target = target(workspace, outside, &service.live);
    let mut found = Undoing::default();
    for (agent, stamp) in stamps_of(&service.live, &target) {
        let key = stamp.key.clone();
        let Some(applied) = stamp.state.applied.as_ref().filter(|applied| applied.plan == plan.as_str()) else {
            continue;
        };
        if excludes.contains(&key) {
            continue;
        }
        let live = agent.live_version().map(|head| head.version);
        let begun = stamp.state.intent.as_ref().and_then(|intent| intent.rollback.as_ref());
        if let Some(begun) = begun {
            found.back.insert(key, BackTo { to: Some(begun.back.to), reason: reason.to_owned() });
        } else if !workspace.resolved.desired.iter().any(|desired| desired.key == key) {
            found.refused.push((key, "it has no manifest any more".to_owned()));
        } else if live != applied.version {
            let live = live.map_or("no version is published".to_owned(), |live| format!("version {live} is live"));
            found.refused.push((key, format!("{live} by now, which that plan did not make")));
        } else if applied.base.is_some() && applied.base == applied.version {
            found.without_version.push(key);
        } else if let Some(base) = applied.base {
            found.back.insert(key, BackTo { to: Some(base), reason: reason.to_owned() });
        } else {
            found.refused.push((key, "no version is recorded that was live before".to_owned()));
        }
    }
    found.refused.sort();
    found.without_version.sort();
    Ok(found)
}

/// What the manifests of agents that were rolled back say otherwise than what is live now, in the form in which live values
/// are written into manifests; and the reading that it was found in.
pub async fn left_in_git(
    workspace: &Workspace,
    outside: &Outside,
    options: &Options,
) -> Result<(Drift, Service), SessionError> {
    let reader = outside.reader();
    let mut service = read(outside, &reader, None).await?;
    let options = Options { rollback: BTreeMap::new(), ..options.clone() };
    let plan = make_plan(workspace, &options, Leniency::Lenient, outside, &reader, &mut service).await?;
    let agents = plan.changes.iter().filter_map(|change| drifted(change, &service)).collect();
    let drift = Drift::not_checked(plan.target, plan.source, outside.clock.now(), Vec::new());
    Ok((Drift { agents, targeted: true, ..drift }, service))
}

fn drifted(change: &AgentChange, service: &Service) -> Option<AgentDrift> {
    let agent = service.live.agents.get(change.agent_id.as_ref()?)?;
    let stamp = Stamp::read(&agent.metadata).ok()??;
    let seal = Seal::of(&stamp);
    let origin = change.origin.clone()?;
    let fields = change.fields.iter().filter(|field| field.cause == Cause::Rollback && field.path.in_config());
    let token = |path: &FieldPath| seal.hash(&live_value(agent, path).unwrap_or_default());
    let fields: Vec<FieldDrift> = fields
        .map(|field| FieldDrift {
            path: field.path.clone(),
            kind: field.kind,
            applied: None,
            live: field.before.clone(),
            editor: None,
            conflict: false,
            ended: None,
            token: token(&field.path),
        })
        .collect();
    (!fields.is_empty()).then(|| AgentDrift {
        key: change.key.clone(),
        name: change.name.clone(),
        agent_id: change.agent_id.clone(),
        origin,
        applied_version: change.base_version,
        live_version: change.base_version,
        live_editor: None,
        fields,
        slots: Vec::new(),
        kept: Vec::new(),
        foreign: None,
    })
}
