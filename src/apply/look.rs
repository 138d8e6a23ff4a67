//! Readings of what this run knows to be there: a record that is missing is asked for again before that is believed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;

use crate::api::{Reader, VersionDoc};
use crate::live::{Untold, tell};
use crate::model::{LiveAgent, LiveNumber, PhoneNumber};
use crate::plan::Outcome;

use super::context::Context;
use super::ended::Ended;
use super::eventually::Look;

/// How many numbers of an agent are asked for one by one. More are read as the list.
const NUMBERS_AT_ONCE: usize = 8;

/// A version that this run wrote or knows of.
pub(super) async fn version(ctx: &Context, agent_id: &str, version: u64) -> Result<VersionDoc, Ended> {
    let found = ctx
        .eventually(async || {
            let found = ctx.writer.reader().version(agent_id, version).await?;
            Ok::<_, Ended>(Look::settled_if(found.is_some(), found))
        })
        .await?;
    found.seen().ok_or_else(|| Ended::new(Outcome::Failed, format!("version {version} is not there")))
}

/// An agent that this run knows of.
pub(super) async fn agent(ctx: &Context, agent_id: &str) -> Result<LiveAgent, Ended> {
    let found = ctx
        .eventually(async || {
            let found = agent_now(ctx, agent_id).await?;
            Ok::<_, Ended>(Look::settled_if(found.is_some(), found))
        })
        .await?;
    found.seen().ok_or_else(gone)
}

/// What ends the work on an agent that is not there.
pub(super) fn gone() -> Ended {
    Ended::new(Outcome::Stale, "the agent is gone: it was deleted meanwhile")
}

/// An agent as one look shows it, with its versions and metadata. What its record leaves out is unknown, never empty: the
/// versions are listed, and without its metadata nothing may be written.
pub(super) async fn agent_now(ctx: &Context, agent_id: &str) -> Result<Option<LiveAgent>, Ended> {
    let record = tell(ctx.writer.reader(), agent_id).await.map_err(|untold| match untold {
        Untold::Failed(error) => Ended::request(&error),
        Untold::Unproven(reason) => Ended::new(Outcome::Failed, reason),
    })?;
    match record {
        Some(record) if !record.metadata_told => {
            Err(Ended::new(Outcome::Failed, "the service does not show the metadata of the agent"))
        }
        record => Ok(record.map(|record| record.agent)),
    }
}

/// The numbers as they are now. A credential that may not read them has nothing to compare.
pub(super) async fn numbers_now(
    reader: &Reader,
    numbers: BTreeSet<PhoneNumber>,
) -> Result<BTreeMap<PhoneNumber, LiveNumber>, Ended> {
    let mut found = BTreeMap::new();
    if numbers.len() > NUMBERS_AT_ONCE {
        let listing = reader.list_numbers().await;
        let numbers = listing.items.into_iter().map(|record| record.number);
        found.extend(numbers.map(|number| (number.number.clone(), number)));
        return Ok(found);
    }
    let answers: Vec<_> = futures_util::stream::iter(numbers)
        .map(|number| async move { reader.number(&number).await })
        .buffered(NUMBERS_AT_ONCE)
        .collect()
        .await;
    for answer in answers {
        match answer {
            Ok(Some(record)) => {
                found.insert(record.number.number.clone(), record.number);
            }
            Ok(None) => {}
            Err(error) if error.status() == Some(403) => {}
            Err(error) => return Err(Ended::request(&error)),
        }
    }
    Ok(found)
}
