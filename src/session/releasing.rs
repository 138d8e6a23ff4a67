//! Taking what reachform records off an agent, which is all that ties the two together.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::api::Reader;
use crate::apply::context::{EVENTUAL, is_same_run, lease_holds};
use crate::model::stamp::STAMP_KEY;
use crate::model::{Key, LiveAgent, Stamp};

use super::error::SessionError;
use super::planning::Outside;

/// Between two looks at whether it is gone.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes the record off an agent, and looks whether it is gone.
pub async fn release(
    outside: &Outside,
    key: &Key,
    agent_id: &str,
    run: &str,
    break_lease: bool,
) -> Result<(), SessionError> {
    let writer = outside.writer();
    let found = read(&writer, agent_id).await?;
    let stamp = Stamp::read(&found.metadata).map_err(|error| SessionError::Version { what: error.to_string() })?;
    let Some(stamp) = stamp.filter(|stamp| stamp.key == *key && stamp.is_of(agent_id)) else {
        return Err(SessionError::Version { what: format!("agent.{key} was released or taken over meanwhile") });
    };
    let now = writer.service_now().unwrap_or_else(|| outside.clock.now());
    if let Some(lease) =
        stamp.state.lease.filter(|lease| !break_lease && lease_holds(lease, now) && !is_same_run(&lease.run, run))
    {
        return Err(SessionError::Leased { address: format!("agent.{key}"), holder: lease.run });
    }
    // A service that replaces metadata drops the key; one that merges them needs to be sent a null.
    let mut without = match found.metadata {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    without.shift_remove(STAMP_KEY);
    if write(outside, agent_id, &without).await? {
        return Ok(());
    }
    without.insert(STAMP_KEY.to_owned(), Value::Null);
    if write(outside, agent_id, &without).await? {
        return Ok(());
    }
    Err(SessionError::Version {
        what: format!("the service accepted the change of agent.{key}'s metadata and did not keep it"),
    })
}

/// Writes the metadata, and says whether nothing of ours is in them afterwards.
async fn write(outside: &Outside, agent_id: &str, metadata: &Map<String, Value>) -> Result<bool, SessionError> {
    let writer = outside.writer();
    let body = Map::from_iter([("metadata".to_owned(), Value::Object(metadata.clone()))]);
    writer.update_agent(agent_id, &body).await?;
    let until = outside.clock.now() + EVENTUAL;
    loop {
        let found = read(&writer, agent_id).await?;
        if found.metadata.get(STAMP_KEY).is_none_or(Value::is_null) {
            return Ok(true);
        }
        if outside.clock.now() >= until {
            return Ok(false);
        }
        outside.clock.sleep(PAUSE).await;
    }
}

async fn read(reader: &Reader, agent_id: &str) -> Result<LiveAgent, SessionError> {
    let record = reader.agent(agent_id).await?;
    let record = record.filter(|record| record.metadata_told);
    let gone = || SessionError::Version { what: format!("the metadata of agent {agent_id} cannot be read") };
    record.map(|record| record.agent).ok_or_else(gone)
}
