//! Writes to the service: one method for each request, and no decision.
//!
//! Creates are sent again only when they certainly did nothing; whatever else is unclear comes back with its fate, and
//! the caller looks it up. PUT, DELETE and publish say the same thing twice and may be sent again.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::convert::{self, AgentRecord, NumberRecord, VersionDoc};
use super::error::ApiError;
use super::guard::Guard;
use super::paths;
use super::read::{AGENT, Reader, VERSION};
use super::wire::{self, WireError};
use crate::http::{Client, Fate, HttpError, Method, Repeat, Request};
use crate::model::{Direction, PhoneNumber};

/// What a new version starts from: exactly one of the two (contract, section 6.1).
#[derive(Clone, Copy, Debug)]
pub enum VersionSource<'a> {
    /// A copy of a version.
    Base(u64),
    /// A config.
    Config(&'a Value),
}

/// Which slots one publish call touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directions {
    /// One of them.
    One(Direction),
    /// Both.
    Both,
}

impl Directions {
    /// The word that the service uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One(direction) => direction.as_str(),
            Self::Both => "both",
        }
    }
}

/// The numbers of one publish call. The direction is part of it: left out, the service would take `inbound`.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// Which slots.
    pub directions: Directions,
    /// Numbers whose slots shall point at the version.
    pub assign: &'a [PhoneNumber],
    /// Numbers whose slots shall be emptied, where they point at this agent.
    pub unassign: &'a [PhoneNumber],
}

/// Writes to the service, and reads it as a [`Reader`] does. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    reader: Reader,
    client: Client,
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Writer {
    /// A writer over a client, whose limiter and counts it shares.
    pub fn new(client: &Client) -> Self {
        let reader = Reader::new(client);
        Self { reader, client: client.through(|transport| Arc::new(Guard::writing(transport))) }
    }

    /// The same for what a run still has to leave in order after a signal.
    #[must_use]
    pub fn finishing(&self) -> Self {
        Self { reader: self.reader.finishing(), client: self.client.finishing() }
    }

    /// The part of it that only reads.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Creates an agent: a shell without a version.
    pub async fn create_agent(&self, body: &Map<String, Value>) -> Result<AgentRecord, ApiError> {
        let request = with_body(Method::Post, paths::AGENTS, &Value::Object(body.clone()));
        let created = self.agent_answer(&request, Repeat::OnlyIfUnsent).await;
        created.map_err(|error| ApiError::new("create the agent", error))
    }

    /// Changes the fields of an agent that `body` names. The answer names who did it.
    pub async fn update_agent(&self, id: &str, body: &Map<String, Value>) -> Result<AgentRecord, ApiError> {
        let request = with_body(Method::Put, paths::agent(id), &Value::Object(body.clone()));
        let updated = self.agent_answer(&request, Repeat::Always).await;
        updated.map_err(|error| ApiError::new(format!("update agent {id}"), error))
    }

    /// Deletes an agent.
    pub async fn delete_agent(&self, id: &str) -> Result<(), ApiError> {
        let request = Request::new(Method::Delete, paths::agent(id));
        self.delete(&request).await.map_err(|error| ApiError::new(format!("delete agent {id}"), error))
    }

    /// Makes a draft.
    pub async fn create_version(&self, agent_id: &str, source: VersionSource<'_>) -> Result<VersionDoc, ApiError> {
        let body = match source {
            VersionSource::Base(version) => json!({ "base_version": version }),
            VersionSource::Config(config) => json!({ "config": config }),
        };
        let request = with_body(Method::Post, paths::versions(agent_id), &body);
        let create = async {
            let answer = self.client.json(&request, Repeat::OnlyIfUnsent, VERSION).await?;
            let read = wire::Version::read(&answer.value, "");
            read.map(convert::version).map_err(|error| self.wrong_shape(&request, VERSION, error))
        };
        create.await.map_err(|error| ApiError::new(format!("create a version of agent {agent_id}"), error))
    }

    /// Replaces the config of a draft. What came of it is read back, not taken from the answer: that says only when the
    /// service wrote it, where it says so.
    pub async fn put_config(&self, agent_id: &str, version: u64, config: &Value) -> Result<Option<String>, ApiError> {
        let request = with_body(Method::Put, paths::version(agent_id, version), &json!({ "config": config }));
        let put = self.client.send(&request, Repeat::Always).await;
        put.map(|answer| updated_at(&answer.body))
            .map_err(|error| ApiError::new(format!("write the config of version {version} of agent {agent_id}"), error))
    }

    /// Replaces the builder inputs of a draft.
    pub async fn put_builder_inputs(&self, agent_id: &str, version: u64, inputs: &Value) -> Result<(), ApiError> {
        let body = json!({ "instruction_builder_inputs": inputs });
        let request = with_body(Method::Put, paths::version(agent_id, version), &body);
        let put = self.client.send(&request, Repeat::Always).await;
        put.map(|_| ()).map_err(|error| {
            ApiError::new(format!("write the builder inputs of version {version} of agent {agent_id}"), error)
        })
    }

    /// Publishes a version and moves numbers, in one call for one direction or for both. The answer holds the numbers
    /// that it touched.
    ///
    /// Called with a published version it only moves numbers.
    pub async fn publish(
        &self,
        agent_id: &str,
        version: u64,
        assignment: Option<Assignment<'_>>,
    ) -> Result<Vec<NumberRecord>, ApiError> {
        // The documentation shows a call without a body, the client types insist on one: an empty object is both.
        let mut body = Map::new();
        if let Some(Assignment { directions, assign, unassign }) = assignment {
            for (name, numbers) in [("phone_numbers", assign), ("unassign_phone_numbers", unassign)] {
                if !numbers.is_empty() {
                    body.insert(name.to_owned(), json!(numbers));
                }
            }
            if !body.is_empty() {
                body.insert("direction".to_owned(), json!(directions.as_str()));
            }
        }
        let request = with_body(Method::Post, paths::publish(agent_id, version), &Value::Object(body));
        let publish = async {
            let response = self.client.send(&request, Repeat::Always).await?;
            Ok(numbers_of(&response.body))
        };
        publish.await.map_err(|error| ApiError::new(format!("publish version {version} of agent {agent_id}"), error))
    }

    /// Exposes an agent over SIP.
    pub async fn deploy_sip(&self, agent_id: &str) -> Result<(), ApiError> {
        let request = Request::new(Method::Post, paths::sip(agent_id));
        let deploy = self.client.send(&request, Repeat::OnlyIfUnsent).await;
        deploy.map(|_| ()).map_err(|error| ApiError::new(format!("expose agent {agent_id} over SIP"), error))
    }

    /// Takes an agent's SIP exposure away.
    pub async fn undeploy_sip(&self, agent_id: &str) -> Result<(), ApiError> {
        let request = Request::new(Method::Delete, paths::sip(agent_id));
        let undeploy = self.delete(&request).await;
        undeploy.map_err(|error| ApiError::new(format!("remove the SIP exposure of agent {agent_id}"), error))
    }

    /// Lets a widget run a version. Other fields of it stay as they are.
    pub async fn put_widget(&self, id: &str, agent_id: &str, agent_version_id: &str) -> Result<(), ApiError> {
        let body = json!({"agent_id": agent_id, "agent_version_id": agent_version_id});
        let request = with_body(Method::Put, paths::widget(id), &body);
        let put = self.client.send(&request, Repeat::Always).await;
        put.map(|_| ()).map_err(|error| ApiError::new(format!("connect widget {id} to the version"), error))
    }

    /// Lets an email address be answered by a version.
    pub async fn patch_email(&self, id: &str, agent_version_id: &str) -> Result<(), ApiError> {
        let body = json!({"inbound_agent_version_id": agent_version_id});
        let request = with_body(Method::Patch, paths::email(id), &body);
        let patch = self.client.send(&request, Repeat::Always).await;
        patch.map(|_| ()).map_err(|error| ApiError::new(format!("connect email address {id} to the version"), error))
    }

    async fn agent_answer(&self, request: &Request, repeat: Repeat) -> Result<AgentRecord, HttpError> {
        let answer = self.client.json(request, repeat, AGENT).await?;
        wire::Agent::read(&answer.value, "")
            .map(convert::agent)
            .map_err(|error| self.wrong_shape(request, AGENT, error))
    }

    /// Deletes. What is gone after an attempt of unknown fate was deleted by it.
    async fn delete(&self, request: &Request) -> Result<(), HttpError> {
        match self.client.send(request, Repeat::Always).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() && error.fate == Fate::Unknown => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn wrong_shape(&self, request: &Request, expected: &'static str, WireError { at, found }: WireError) -> HttpError {
        self.client.wrong_shape(request, expected, at, found)
    }
}

fn with_body(method: Method, path: impl Into<String>, body: &Value) -> Request {
    let mut request = Request::new(method, path);
    request.body = Some(body.to_string().into_bytes());
    request
}

fn updated_at(body: &[u8]) -> Option<String> {
    let value = serde_json::from_slice::<Value>(body).ok()?;
    value.get("updated_at")?.as_str().map(str::to_owned)
}

/// The numbers that a publish touched. It has happened whatever the answer looks like, and the slots are read again at
/// the end, so an answer in another shape is no error.
fn numbers_of(body: &[u8]) -> Vec<NumberRecord> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let list = value.as_array().or_else(|| value.get("data")?.as_array());
    let numbers = list.into_iter().flatten().filter_map(|number| wire::Number::read(number, "").ok());
    numbers.map(convert::number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_publish_is_read_as_far_as_it_goes() {
        assert!(numbers_of(b"").is_empty());
        assert!(numbers_of(br#"{"ok": true}"#).is_empty());
        assert_eq!(numbers_of(br#"[{"phone_number": "+1"}, {"x": 1}]"#).len(), 1);
    }
}
