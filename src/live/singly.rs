//! What a manifest names and a list did not show is asked for by itself, where the list could not prove its end.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use super::collect::{Untold, WAVE, tell};
use crate::api::{AgentFilter, ApiError, Listing, Reader};
use crate::model::{LiveState, PhoneNumber};

/// What manifests name and the lists did not show.
#[derive(Clone, Debug, Default)]
pub struct Unlisted {
    /// Ids of agents.
    pub agent_ids: BTreeSet<String>,
    /// Names of agents, for the service's filter by name.
    pub agent_names: BTreeSet<String>,
    /// Parts of an agent's metadata, for the service's filter by containment: a stamp without its state.
    pub stamps: Vec<Value>,
    /// Numbers.
    pub numbers: BTreeSet<PhoneNumber>,
}

/// Asks for each of them, side by side, and keeps what is found. Coverage stays as it was: a filter that finds nothing
/// proves nothing. What could not be asked comes back.
pub async fn ask_singly(reader: &Reader, state: &mut LiveState, unlisted: &Unlisted) -> Vec<ApiError> {
    let reader = &reader.for_one_reading();
    let by_name = unlisted.agent_names.iter().map(|name| AgentFilter { name: Some(name.clone()), metadata: None });
    let by_stamp = unlisted.stamps.iter().map(|stamp| AgentFilter { name: None, metadata: Some(stamp.clone()) });
    let filters: Vec<AgentFilter> = by_name.chain(by_stamp).collect();
    let numbers: Vec<PhoneNumber> =
        unlisted.numbers.iter().filter(|number| !state.numbers.contains_key(*number)).cloned().collect();

    let found = stream::iter(filters)
        .map(|filter| async move { reader.find_agents(&filter).await })
        .buffered(WAVE)
        .collect::<Vec<Listing<_>>>();
    let answers = stream::iter(numbers)
        .map(|number| async move { reader.number(&number).await })
        .buffered(WAVE)
        .collect::<Vec<_>>();
    let (found, answers) = futures_util::join!(found, answers);

    let mut errors = Vec::new();
    for answer in answers {
        match answer {
            Ok(Some(record)) => {
                state.organization = state.organization.take().or(record.organization);
                state.numbers.insert(record.number.number.clone(), record.number);
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    let mut ids: BTreeSet<String> = unlisted.agent_ids.clone();
    for listing in found {
        errors.extend(listing.error);
        for record in listing.items {
            if record.is_whole() {
                state.agents.entry(record.agent.id.clone()).or_insert(record.agent);
            } else {
                ids.insert(record.agent.id);
            }
        }
    }
    ids.retain(|id| !state.agents.contains_key(id));
    let answers = stream::iter(ids).map(|id| async move { (tell(reader, &id).await, id) }).buffer_unordered(WAVE);
    let answers: BTreeMap<String, _> = answers.map(|(answer, id)| (id, answer)).collect().await;
    for (id, answer) in answers {
        match answer {
            Ok(Some(record)) => {
                state.agents.insert(id, record.agent);
            }
            Ok(None) => {}
            Err(Untold::Failed(error)) => errors.push(error),
            Err(Untold::Unproven(reason)) => state.notices.push(reason),
        }
    }
    errors
}
