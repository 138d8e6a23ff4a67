//! Live agents into manifests. Nothing is written here: the files are made in memory, read back, and planned as they will
//! be; what a plan of them would change is written in another form, or left out, until it would change nothing.

mod choose;
mod declare;
mod patch;
mod prove;
mod secrets;
mod settle;

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{EmailRecord, Listing, Reader};
use crate::http::Redactor;
use crate::live;
use crate::manifest::Files;
use crate::model::{Coverage, LiveState};
use crate::plan::{self, Import, Inputs, NotImported, Options, Target};

use super::error::SessionError;
use super::planning::{Outside, Service, Workspace, check_organization, target};

use choose::{Chosen, choose};
use patch::patch;
use prove::prove;

/// What an import is asked for.
#[derive(Clone, Copy)]
pub struct Importing<'a> {
    /// The files of the project.
    pub files: &'a dyn Files,
    /// The environment that was asked for, as it was.
    pub environment: Option<&'a str>,
    /// Ids or names of agents; none means all.
    pub wanted: &'a [String],
    /// Only agents whose name holds this text, whatever its case.
    pub filter: Option<&'a str>,
    /// Keep values that are the schema's defaults.
    pub full: bool,
    /// Knows the secrets of this run: no text with one in it is written into a file.
    pub redactor: &'a Redactor,
}

/// An import with the files that it writes.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it came to.
    pub import: Import,
    /// The new files, by name.
    pub files: BTreeMap<String, String>,
    /// The manifests of other environments that got a patch for this one, by name.
    pub patched: BTreeMap<String, String>,
}

/// Everything that the manifests are made from.
pub(super) struct World<'a> {
    pub importing: &'a Importing<'a>,
    pub workspace: &'a Workspace,
    pub service: &'a Service,
    pub target: &'a Target,
    pub options: &'a Options,
    pub emails: BTreeMap<String, Vec<String>>,
}

impl World<'_> {
    pub fn live(&self) -> &LiveState {
        &self.service.live
    }
}

/// Makes the manifests: the lists have been read, and one wave of configs is read here.
pub async fn import(
    workspace: &Workspace,
    importing: &Importing<'_>,
    options: &Options,
    outside: &Outside,
    reader: &Reader,
    service: &mut Service,
) -> Result<Written, SessionError> {
    check_organization(&workspace.resolved, outside, &service.live)?;
    let target = target(workspace, outside, &service.live);
    let inputs = Inputs {
        desired: &workspace.resolved.desired,
        live: &service.live,
        target: &target,
        source: &workspace.source,
        options,
    };
    let Chosen { candidates, mut refused, managed } = choose(&inputs, workspace, importing)?;
    let taken_over =
        plan::configs_needed(&inputs).into_iter().filter(|_| workspace.resolved.project.environments.len() > 1);
    let wanted: Vec<(String, u64)> =
        candidates.iter().map(|found| (found.agent_id.clone(), found.version)).chain(taken_over).collect();
    let (failures, emails) = {
        let live = &mut service.live;
        futures_util::join!(live::read_configs(reader, live, &wanted), reader.list_emails())
    };
    check_organization(&workspace.resolved, outside, &service.live)?;
    let unread: BTreeSet<String> = failures.iter().map(|failure| failure.agent_id().to_owned()).collect();
    for failure in &failures {
        let agent = service.live.agents.get(failure.agent_id());
        refused.push(NotImported {
            name: agent.map(|agent| agent.name.clone()).unwrap_or_default(),
            agent_id: failure.agent_id().to_owned(),
            reason: super::planning::one_line(failure),
        });
    }
    let mut candidates = candidates;
    candidates.retain(|found| !unread.contains(&found.agent_id));
    let service = &*service;
    let world = World { importing, workspace, service, target: &target, options, emails: by_version(emails) };
    let mut patched = patch(&world, &mut candidates);
    refused.append(&mut patched.refused);
    let mut written = prove(&world, &candidates, refused)?;
    written.import.managed = managed;
    written.import.summary.adopt += patched.agents.len();
    written.import.agents.append(&mut patched.agents);
    written.patched = patched.files;
    Ok(written)
}

/// The addresses that each version answers. That they cannot be read keeps no agent back: manifests do not declare them.
fn by_version(listing: Listing<EmailRecord>) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if matches!(listing.coverage, Coverage::Forbidden(_)) {
        return found;
    }
    for email in listing.items {
        if let Some(version) = email.inbound_agent_version_id {
            found.entry(version).or_default().push(email.address);
        }
    }
    found
}
