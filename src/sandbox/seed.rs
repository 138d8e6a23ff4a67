//! What a service holds when it starts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::behaviour::Behaviour;
use super::service::Service;
use super::state::{NumberRecord, ORGANIZATION, State, tokens};

/// Why a seed or a stored state cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("it does not hold a sandbox's data")]
pub struct SeedError(#[source] serde_json::Error);

/// The numbers that a new sandbox has, so that the examples and a first manifest find theirs:
/// `+15551234567`, `+15550001111`, and `+15552000001` to `+15552000020`.
fn numbers() -> Vec<String> {
    let mut numbers = vec!["+15551234567".to_owned(), "+15550001111".to_owned()];
    numbers.extend((1..=20).map(|n| format!("+155520000{n:02}")));
    numbers
}

impl Service {
    /// A new organization with a trunk's numbers and no agent.
    pub fn fresh(behaviour: Behaviour) -> Self {
        Self::with_numbers(behaviour, &numbers())
    }

    /// An organization with these numbers and no agent.
    pub fn with_numbers<S: AsRef<str>>(behaviour: Behaviour, numbers: &[S]) -> Self {
        let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
        let records = numbers.iter().enumerate().map(|(index, number)| {
            let at = start + jiff::SignedDuration::from_secs(i64::try_from(index).unwrap_or(0));
            let record = NumberRecord {
                phone_number: number.as_ref().to_owned(),
                trunk_id: "trunk_sandbox".to_owned(),
                created_at: at,
                updated_at: at,
                inbound_agent_version_id: None,
                outbound_agent_version_id: None,
                outbound_shareable: false,
            };
            (number.as_ref().to_owned(), record)
        });
        let state = State {
            organization: ORGANIZATION.to_owned(),
            tokens: tokens(),
            agents: BTreeMap::new(),
            numbers: records.collect(),
            widgets: BTreeMap::new(),
            emails: BTreeMap::new(),
            routing: None,
            building: Vec::new(),
            counter: 0,
            last_time: start,
        };
        Self::new(state, behaviour)
    }

    /// A service from its JSON: a seed that a person wrote, or the data of an earlier run.
    pub fn from_json(text: &str, behaviour: Behaviour) -> Result<Self, SeedError> {
        let mut state: State = serde_json::from_str(text).map_err(SeedError)?;
        for (id, agent) in &mut state.agents {
            agent.id.clone_from(id);
        }
        for (number, record) in &mut state.numbers {
            record.phone_number.clone_from(number);
        }
        Ok(Self::new(state, behaviour))
    }

    /// The service as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.state).unwrap_or_default()
    }
}

/// A small config that the schema accepts.
pub fn simple_config(instructions: &str) -> Value {
    json!({
        "agent": {
            "type": "static_prompt",
            "instructions": instructions,
            "starting_message": {"type": "bot_initiates_static", "text": "Hello, how can I help?"},
            "tools": [],
            "stack": {
                "type": "stt_llm_tts",
                "turn_detection": {"models": [{"provider": "livekit", "model": {"name": "multilingual"}}]},
                "stt": {"models": [{"provider": "deepgram", "model": {"name": "nova-3-general"}}]},
                "llm": {"models": [{"provider": "openai", "model": {"name": "gpt-4.1", "temperature": 0.4}}]},
                "tts": {"models": [{"provider": "cartesia", "model": {"name": "sonic-3", "voice": "v1"}}]},
            },
        },
    })
}
