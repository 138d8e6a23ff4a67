//! The lists, side by side, and after them one wave of configs for what they do not settle.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::api::{AgentRecord, ApiError, Listing, NumberRecord, Reader, Routing};
use crate::model::{Coverage, Direction, LiveAgent, LiveNumber, LiveState, PhoneNumber};

/// How many single reads are begun at once: as many as may ever be in flight. The client's limiter bounds them again;
/// this bounds the memory.
pub(super) const WAVE: usize = 64;

/// What the lists said.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The live state, without configs.
    pub state: LiveState,
    /// The schema of configs as it was published; absent where it could not be read.
    pub schema: Option<Vec<u8>>,
    /// What the credential may do, where the service tells.
    pub scopes: Option<Vec<String>>,
    /// What could not be read and is needed. Optional reads that failed are notices of the state.
    pub errors: Vec<ApiError>,
}

/// Reads all lists, the schema and what else a plan looks at, side by side.
pub async fn read_lists(reader: &Reader) -> Reading {
    let reader = &reader.for_one_reading();
    let (agents, numbers, schema, routing, scopes) = futures_util::join!(
        reader.list_agents(),
        reader.list_numbers(),
        reader.schema(),
        reader.routing(),
        reader.scopes(),
    );
    let mut reading = Reading { state: LiveState::default(), schema: None, scopes: None, errors: Vec::new() };
    let mut organizations = BTreeSet::new();
    keep_agents(reader, &mut reading, agents, &mut organizations).await;
    keep_numbers(&mut reading, numbers, &mut organizations);
    match schema {
        Ok(bytes) => reading.schema = Some(bytes),
        Err(error) => reading.errors.push(error),
    }
    let notices = &mut reading.state.notices;
    match routing {
        Ok(Routing::Enabled) => reading.state.routing_enabled = Some(true),
        Ok(Routing::Disabled) => reading.state.routing_enabled = Some(false),
        Ok(Routing::Unreadable) => {
            notices.push(
                "this credential may not read the inbound routing config (403): if it is enabled, it takes precedence over the slots of phone numbers"
                    .to_owned(),
            );
        }
        Err(error) => notices.push(error.one_line()),
    }
    match scopes {
        Ok(scopes) => reading.scopes = scopes,
        Err(error) => notices.push(error.one_line()),
    }
    if organizations.len() > 1 {
        let all: Vec<&str> = organizations.iter().map(String::as_str).collect();
        notices.push(format!("the service answered with records of more than one organization: {}", all.join(", ")));
    }
    reading.state.organization = organizations.into_iter().next();
    reading
}

async fn keep_agents(
    reader: &Reader,
    reading: &mut Reading,
    listing: Listing<AgentRecord>,
    organizations: &mut BTreeSet<String>,
) {
    let Listing { items, coverage, error } = listing;
    let state = &mut reading.state;
    state.agent_coverage = coverage;
    reading.errors.extend(error);

    let mut untold = Vec::new();
    for record in items {
        organizations.extend(record.organization.clone());
        if record.is_whole() {
            state.agents.insert(record.agent.id.clone(), record.agent);
        } else {
            untold.push(record.agent.id);
        }
    }
    let answers = stream::iter(untold).map(|id| async move { (tell(reader, &id).await, id) }).buffer_unordered(WAVE);
    let answers: BTreeMap<String, _> = answers.map(|(answer, id)| (id, answer)).collect().await;
    for (id, answer) in answers {
        match answer {
            Ok(Some(record)) => {
                organizations.extend(record.organization);
                state.agents.insert(id, record.agent);
            }
            // It was deleted since the list was read.
            Ok(None) => {}
            Err(failure) => {
                // An agent whose versions are not known must not pass for one that has none. Left out of a list that
                // is not whole, it is neither created nor judged.
                if !matches!(state.agent_coverage, Coverage::Incomplete(_)) {
                    state.agent_coverage = Coverage::Incomplete(failure.reason());
                }
                match failure {
                    Untold::Failed(error) => reading.errors.push(error),
                    Untold::Unproven(reason) => state.notices.push(reason),
                }
            }
        }
    }
}

/// Why the versions of an agent are not known.
pub enum Untold {
    /// A request failed.
    Failed(ApiError),
    /// The list of versions was not seen to its end.
    Unproven(String),
}

impl Untold {
    fn reason(&self) -> String {
        match self {
            Self::Failed(error) => error.one_line(),
            Self::Unproven(reason) => reason.clone(),
        }
    }
}

/// An agent with its versions: by its own record, and where that does not tell either, by the list of them.
pub async fn tell(reader: &Reader, id: &str) -> Result<Option<AgentRecord>, Untold> {
    let Some(mut record) = reader.agent(id).await.map_err(Untold::Failed)? else { return Ok(None) };
    if record.versions_told {
        return Ok(Some(record));
    }
    let versions = reader.list_versions(id).await;
    match (versions.coverage, versions.error) {
        (Coverage::Proven, _) => {
            record.agent.versions = versions.items;
            record.agent.versions.sort_by_key(|head| head.version);
            record.versions_told = true;
            Ok(Some(record))
        }
        (_, Some(error)) => Err(Untold::Failed(error)),
        (Coverage::Unproven(reason) | Coverage::Incomplete(reason) | Coverage::Forbidden(reason), None) => {
            Err(Untold::Unproven(format!("the versions of agent {id} may not all have been read: {reason}")))
        }
    }
}

fn keep_numbers(reading: &mut Reading, listing: Listing<NumberRecord>, organizations: &mut BTreeSet<String>) {
    let Listing { items, coverage, error } = listing;
    let state = &mut reading.state;
    state.number_coverage = coverage;
    for record in items {
        organizations.extend(record.organization);
        state.numbers.insert(record.number.number.clone(), record.number);
    }
    if !matches!(state.number_coverage, Coverage::Forbidden(_)) {
        reading.errors.extend(error);
        return;
    }
    state.notices.push(
        "this credential may not list phone numbers (403): slots are read from the agents' own records, so numbers without an agent are not seen"
            .to_owned(),
    );
    let (numbers, undirected) = numbers_of_agents(&state.agents);
    state.numbers = numbers;
    if !undirected.is_empty() {
        let all: Vec<&str> = undirected.iter().map(PhoneNumber::as_str).collect();
        state.notices.push(format!("the agents' records name no direction for {}: taken as inbound", all.join(", ")));
    }
}

/// The slots as the agents' own records name them, and the numbers whose direction they leave open.
fn numbers_of_agents(
    agents: &BTreeMap<String, LiveAgent>,
) -> (BTreeMap<PhoneNumber, LiveNumber>, BTreeSet<PhoneNumber>) {
    let mut numbers: BTreeMap<PhoneNumber, LiveNumber> = BTreeMap::new();
    let mut undirected = BTreeSet::new();
    for (number, direction, version_id) in agents.values().flat_map(|agent| &agent.own_numbers) {
        let entry = numbers.entry(number.clone()).or_insert_with(|| LiveNumber {
            number: number.clone(),
            inbound: None,
            outbound: None,
            modified_by: None,
            updated_at: None,
        });
        if direction.is_none() {
            undirected.insert(number.clone());
        }
        // Publishing without a direction means inbound (contract, section 7.1), so reading does, too.
        match direction.unwrap_or(Direction::Inbound) {
            Direction::Inbound => entry.inbound.get_or_insert_with(|| version_id.clone()),
            Direction::Outbound => entry.outbound.get_or_insert_with(|| version_id.clone()),
        };
    }
    (numbers, undirected)
}

/// A config that was wanted and could not be read. Nothing may be built upon that agent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFailure {
    /// The service says that there is no such version, though it listed it.
    #[error("version {version} of agent {agent_id} was listed but does not exist")]
    Missing {
        /// The agent.
        agent_id: String,
        /// The version.
        version: u64,
    },
    /// The read failed.
    #[error("version {version} of agent {agent_id} is not known")]
    Unread {
        /// The agent.
        agent_id: String,
        /// The version.
        version: u64,
        /// Why.
        source: ApiError,
    },
}

impl ConfigFailure {
    /// The agent whose config is not known.
    pub fn agent_id(&self) -> &str {
        match self {
            Self::Missing { agent_id, .. } | Self::Unread { agent_id, .. } => agent_id,
        }
    }

    /// What went wrong with the request, where one failed.
    pub fn error(&self) -> Option<&ApiError> {
        match self {
            Self::Missing { .. } => None,
            Self::Unread { source, .. } => Some(source),
        }
    }
}

/// Reads configs in one bounded wave and keeps them in the state. What could not be read comes back, in order.
pub async fn read_configs(reader: &Reader, state: &mut LiveState, wanted: &[(String, u64)]) -> Vec<ConfigFailure> {
    let reader = &reader.for_one_reading();
    let wanted: BTreeSet<(String, u64)> = wanted.iter().cloned().collect();
    reader.client().count_answers("agent configs read", wanted.len());
    let answers = stream::iter(wanted)
        .map(|(agent_id, version)| async move {
            let answer = reader.version(&agent_id, version).await;
            reader.client().answered();
            (answer, (agent_id, version))
        })
        .buffer_unordered(WAVE);
    let answers: BTreeMap<(String, u64), _> = answers.map(|(answer, key)| (key, answer)).collect().await;
    let mut failures = Vec::new();
    for ((agent_id, version), answer) in answers {
        match answer {
            Ok(Some(doc)) => {
                if state.organization.is_none() {
                    state.organization.clone_from(&doc.organization);
                }
                if let Some(agent) = state.agents.get_mut(&agent_id) {
                    agent.configs.insert(version, doc.into_config());
                }
            }
            Ok(None) => failures.push(ConfigFailure::Missing { agent_id, version }),
            Err(source) => failures.push(ConfigFailure::Unread { agent_id, version, source }),
        }
    }
    failures
}
