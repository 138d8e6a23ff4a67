//! Agents looked at: found by key or id, each with its versions, and two versions side by side.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use crate::api::Reader;
use crate::live;
use crate::manifest::suggest;
use crate::model::{Coverage, Editor, Key, LiveAgent, Seal, Stamp};
use crate::plan::between::{Between, Comparing};
use crate::plan::identity::{Binding, Identities, identify};
use crate::plan::portrait::{Log, Portrait, Sitting, Standing};
use crate::plan::{Cause, Inputs, Options, Target};

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, causes, check_organization, target};

/// How many agents are asked for their versions at once.
const ABREAST: usize = 16;

/// An agent by what this project knows of it.
#[derive(Clone)]
struct Found {
    agent_id: String,
    stamp: Option<Stamp>,
    key: Option<Key>,
    standing: Standing,
}

/// One agent as it is. `wanted` is its key, with or without `agent.`, or its id.
pub async fn portrait(
    workspace: &Workspace,
    outside: &Outside,
    reader: &Reader,
    service: &Service,
    wanted: &str,
) -> Result<Portrait, SessionError> {
    let target = target(workspace, outside, &service.live);
    let found = find(workspace, outside, service, &target, wanted)?;
    let portrait = sit(workspace, reader, service, &target, found).await;
    let mut portrait = portrait.ok_or_else(|| SessionError::Version { what: format!("{wanted} was not read") })?;
    outside.conceal(&mut portrait);
    Ok(portrait)
}

/// What was published of one agent, or of all that this project manages, the newest first and no more than `limit`.
pub async fn log(
    workspace: &Workspace,
    outside: &Outside,
    reader: &Reader,
    service: &Service,
    wanted: Option<&str>,
    limit: usize,
) -> Result<Log, SessionError> {
    let target = target(workspace, outside, &service.live);
    check_organization(&workspace.resolved, outside, &service.live)?;
    let found = if let Some(wanted) = wanted {
        vec![find(workspace, outside, service, &target, wanted)?]
    } else {
        let ours = all(workspace, service, &target).into_iter();
        ours.filter(|found| matches!(found.standing, Standing::Managed | Standing::Orphaned)).collect()
    };
    let portraits = stream::iter(found).map(|found| sit(workspace, reader, service, &target, found)).buffered(ABREAST);
    let portraits: Vec<Option<Portrait>> = portraits.collect().await;
    let mut log = Log::of(&target, portraits.into_iter().flatten().collect(), limit);
    if let Coverage::Unproven(why) | Coverage::Incomplete(why) | Coverage::Forbidden(why) = &service.live.agent_coverage
    {
        log.complete = false;
        log.notices.push(format!("there may be more agents than these: {why}"));
    }
    outside.conceal(&mut log);
    Ok(log)
}

/// Which two versions are compared.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// The older one; the published one before the other where none is named.
    pub from: Option<u64>,
    /// The newer one; the live one where none is named.
    pub to: Option<u64>,
    /// Whether the service is asked for its own words.
    pub summary: bool,
    /// Names of properties that hold no secrets.
    pub not_secret: &'a BTreeSet<String>,
}

/// Two versions of one agent.
pub async fn compare(
    workspace: &Workspace,
    outside: &Outside,
    reader: &Reader,
    service: &mut Service,
    wanted: &str,
    which: Which<'_>,
) -> Result<Between, SessionError> {
    let target = target(workspace, outside, &service.live);
    let (id, from, to) = {
        let Found { agent_id, .. } = find(workspace, outside, service, &target, wanted)?;
        let agent = service.live.agents.get(&agent_id);
        let agent = agent.ok_or_else(|| SessionError::Version { what: format!("{wanted} was not read") })?;
        let (from, to) = chosen(agent, which)?;
        (agent_id, from, to)
    };
    let missing = [(id.clone(), from), (id.clone(), to)];
    if let Some(failure) = live::read_configs(reader, &mut service.live, &missing).await.into_iter().next() {
        return Err(SessionError::Version { what: causes(&failure).join(": ") });
    }
    let mut notices = Vec::new();
    let summary = if which.summary {
        match reader.compare(&id, from, to).await {
            Ok(words) => Some(words.trim().to_owned()).filter(|words| !words.is_empty()),
            Err(error) => {
                notices.push(format!("the service's own summary could not be read: {}", causes(&error).join(": ")));
                None
            }
        }
    } else {
        None
    };
    let Found { stamp, key, .. } = find(workspace, outside, service, &target, wanted)?;
    let desired = key.as_ref().and_then(|key| workspace.resolved.desired.iter().find(|desired| desired.key == *key));
    let agent = service.live.agents.get(&id);
    let configs = agent.and_then(|agent| Some((agent, agent.configs.get(&from)?, agent.configs.get(&to)?)));
    let Some((agent, before, after)) = configs else {
        return Err(SessionError::Version { what: format!("version {from} or {to} is not known") });
    };
    let comparing = Comparing {
        shape: service.schema.as_ref(),
        declared: desired.map(|desired| &desired.declared),
        seal: stamp.as_ref().map(Seal::of),
        not_secret: which.not_secret,
    };
    let mut between = Between {
        target,
        key,
        agent_id: agent.id.clone(),
        name: agent.name.clone(),
        from: Editor { version: Some(from), ..before.editor.clone() },
        to: Editor { version: Some(to), ..after.editor.clone() },
        fields: comparing.fields(&before.config, &after.config, Cause::Pending),
        summary,
        notices,
    };
    outside.conceal(&mut between);
    Ok(between)
}

/// The two versions by number.
fn chosen(agent: &LiveAgent, which: Which<'_>) -> Result<(u64, u64), SessionError> {
    let error = |what: String| SessionError::Version { what };
    let to = match which.to {
        Some(to) => to,
        None => agent
            .live_version()
            .map(|head| head.version)
            .ok_or_else(|| error("it has no published version; name two with `--from` and `--to`".to_owned()))?,
    };
    let before =
        agent.versions.iter().filter(|head| head.published && head.version < to).map(|head| head.version).max();
    let from = which.from.or(before);
    let from = from.ok_or_else(|| error(format!("no published version comes before version {to}")))?;
    for version in [from, to] {
        if agent.version(version).is_none() {
            return Err(error(format!("it has no version {version}")));
        }
    }
    if from == to {
        return Err(error(format!("`--from` and `--to` are both version {to}")));
    }
    Ok((from, to))
}

/// Who is who in a reading: each agent of this organization with what this project knows of it.
fn all(workspace: &Workspace, service: &Service, target: &Target) -> Vec<Found> {
    let project = &workspace.resolved.project;
    let options = Options { has_project: project.has_project, ..Options::default() };
    let inputs = Inputs {
        desired: &workspace.resolved.desired,
        live: &service.live,
        target,
        source: &workspace.source,
        options: &options,
    };
    let Identities { bindings, orphans, unmanaged, twins, .. } = identify(&inputs);
    let mut found = Vec::new();
    for (key, binding) in &bindings {
        let Some(agent) = binding.agent() else { continue };
        let standing = match binding {
            Binding::Owned { .. } => Standing::Managed,
            Binding::Adopted { .. } | Binding::New | Binding::Broken => Standing::ToAdopt,
        };
        let (agent_id, stamp) = (agent.id.clone(), binding.stamp().cloned());
        found.push(Found { agent_id, stamp, key: Some(key.clone()), standing });
    }
    for (orphan, agent, stamp) in &orphans {
        let (agent_id, key) = (agent.id.clone(), Some(orphan.key.clone()));
        found.push(Found { agent_id, stamp: Some(stamp.clone()), key, standing: Standing::Orphaned });
    }
    for other in &unmanaged {
        let standing = if other.owner.is_some() { Standing::AnotherProject } else { Standing::Unmanaged };
        found.push(Found { agent_id: other.agent_id.clone(), stamp: None, key: None, standing });
    }
    for (_, agent) in &twins {
        found.push(Found { agent_id: agent.id.clone(), stamp: None, key: None, standing: Standing::Unmanaged });
    }
    found
}

/// The agent of a key, else of an id.
fn find(
    workspace: &Workspace,
    outside: &Outside,
    service: &Service,
    target: &Target,
    wanted: &str,
) -> Result<Found, SessionError> {
    check_organization(&workspace.resolved, outside, &service.live)?;
    let bare = wanted.strip_prefix("agent.").unwrap_or(wanted);
    let all = all(workspace, service, target);
    let by_key = all.iter().find(|found| found.key.as_ref().is_some_and(|key| key.as_str() == bare));
    if let Some(found) = by_key.or_else(|| all.iter().find(|found| found.agent_id == wanted)) {
        return Ok(found.clone());
    }
    let declared = workspace.resolved.desired.iter().any(|desired| desired.key.as_str() == bare);
    let hint = if declared {
        "a manifest declares it, and no apply has made it yet: `reachform plan` says what would happen".to_owned()
    } else {
        let keys = all.iter().filter_map(|found| found.key.as_ref()).map(Key::as_str);
        match suggest::nearest(bare, keys) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`reachform list` shows the agents with their keys and ids".to_owned(),
        }
    };
    let whole = service.live.agent_coverage.is_proven();
    let reading = if whole { "" } else { " among those that could be read" };
    Err(SessionError::NoAgent { wanted: wanted.to_owned(), reading, hint })
}

/// Reads the versions of an agent with their times, and makes its portrait.
async fn sit(
    workspace: &Workspace,
    reader: &Reader,
    service: &Service,
    target: &Target,
    found: Found,
) -> Option<Portrait> {
    let Found { agent_id, stamp, key, standing } = found;
    let mut agent = service.live.agents.get(&agent_id)?.clone();
    let listing = reader.list_dated_versions(&agent_id).await;
    let mut notices = Vec::new();
    let mut complete = true;
    // Drafts come and go between two readings: the list of versions is the later one.
    if listing.coverage.is_proven() {
        agent.versions = listing.items.iter().map(|dated| dated.head.clone()).collect();
    }
    if let Coverage::Unproven(why) | Coverage::Incomplete(why) | Coverage::Forbidden(why) = &listing.coverage {
        complete = false;
        notices.push(format!("the versions of {} may not all have been read: {why}", agent.name));
    }
    let number_coverage = &service.live.number_coverage;
    if let Coverage::Unproven(why) | Coverage::Incomplete(why) | Coverage::Forbidden(why) = number_coverage {
        notices.push(format!("there may be more phone numbers than these: {why}"));
    }
    let made_at = |version| {
        let dated = listing.items.iter().find(|dated| dated.head.version == version);
        dated.and_then(|dated| dated.created_at.clone())
    };
    let desired = key.as_ref().and_then(|key| workspace.resolved.desired.iter().find(|desired| desired.key == *key));
    let sitting = Sitting {
        target,
        live: &service.live,
        agent: &agent,
        stamp: stamp.as_ref(),
        key: key.as_ref(),
        standing,
        origin: desired.map(|desired| &desired.origin),
        made_at: &made_at,
    };
    Some(Portrait { notices, complete, ..sitting.portrait() })
}
