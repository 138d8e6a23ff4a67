//! Reads the service. Nothing here can write: not by its methods, and not through its transport.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::allowance::{Allowance, Load, Reached};
use super::convert::{self, AgentRecord, DatedVersion, EmailRecord, NumberRecord, VersionDoc, WidgetRecord};
use super::error::ApiError;
use super::exact::inexact_number;
use super::guard::Guard;
use super::page::{FIRST_LIMIT, Listing, Target, read_all};
use super::paths;
use super::wire::{self, WireError};
use crate::http::{Answer, Client, HttpError, Method, Repeat, Request};
use crate::model::value::type_name;
use crate::model::{PhoneNumber, VersionHead};

/// How many versions of an agent are asked for at once: each comes with its whole config.
const VERSION_LIMIT: usize = 50;

/// Which agents to list. The service's filters are hints: whether `name` matches in part is not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentFilter {
    /// By name.
    pub name: Option<String>,
    /// By a part of their metadata.
    pub metadata: Option<Value>,
}

/// What is known of the organization's inbound routing (contract, section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// A config is in force and goes before the slots of numbers.
    Enabled,
    /// There is none, or it is off.
    Disabled,
    /// This credential may not read it.
    Unreadable,
}

/// Reads the service. Cheap to clone; clones share the client and what was learned of the service's page bounds.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
    limits: Arc<Mutex<BTreeMap<String, usize>>>,
    /// What is left of the reading that this reader makes; without one, each list is bounded by itself.
    allowance: Option<Allowance>,
}

impl Reader {
    /// The same for what a run still has to leave in order after a signal.
    #[must_use]
    pub(super) fn finishing(&self) -> Self {
        Self { client: self.client.finishing(), ..self.clone() }
    }

    /// A reader over a client, whose limiter and counts it shares.
    pub fn new(client: &Client) -> Self {
        let client = client.through(|transport| Arc::new(Guard::read_only(transport)));
        Self { client, limits: Arc::default(), allowance: None }
    }

    /// The same for one reading: what it keeps and how long it takes is bounded as a whole, from now on.
    #[must_use]
    pub fn for_one_reading(&self) -> Self {
        Self { allowance: Some(Allowance::of(&self.client)), ..self.clone() }
    }

    /// The client that it reads by: it lets through what a reader may send, and nothing else.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Now, by the service's clock, as far as any answer has told it.
    pub fn service_now(&self) -> Option<Timestamp> {
        self.client.service_now()
    }

    /// All agents.
    pub async fn list_agents(&self) -> Listing<AgentRecord> {
        self.find_agents(&AgentFilter::default()).await
    }

    /// The agents that the service takes a filter to mean. The caller looks at them itself.
    pub async fn find_agents(&self, filter: &AgentFilter) -> Listing<AgentRecord> {
        let mut query = Vec::new();
        query.extend(filter.name.clone().map(|name| ("name".to_owned(), name)));
        query.extend(filter.metadata.as_ref().map(|metadata| ("metadata".to_owned(), metadata.to_string())));
        let target = Target {
            path: paths::AGENTS.to_owned(),
            query,
            what: "agents",
            expected: "a list of agents",
            identity: &["id", "agent_id"],
            heads_only: false,
        };
        self.list(target, FIRST_LIMIT, |value, at| wire::Agent::read(value, at).map(convert::agent)).await
    }

    /// All numbers.
    pub async fn list_numbers(&self) -> Listing<NumberRecord> {
        let target = Target {
            path: paths::NUMBERS.to_owned(),
            query: Vec::new(),
            what: "phone numbers",
            expected: "a list of phone numbers",
            identity: &["phone_number"],
            heads_only: false,
        };
        self.list(target, FIRST_LIMIT, |value, at| wire::Number::read(value, at).map(convert::number)).await
    }

    /// All widgets.
    pub async fn list_widgets(&self) -> Listing<WidgetRecord> {
        let target = Target {
            path: paths::WIDGETS.to_owned(),
            query: Vec::new(),
            what: "web widgets",
            expected: "a list of web widgets",
            identity: &["id"],
            heads_only: false,
        };
        self.list(target, FIRST_LIMIT, |value, at| wire::Widget::read(value, at).map(convert::widget)).await
    }

    /// All email addresses.
    pub async fn list_emails(&self) -> Listing<EmailRecord> {
        let target = Target {
            path: paths::EMAILS.to_owned(),
            query: Vec::new(),
            what: "email addresses",
            expected: "a list of email addresses",
            identity: &["id", "address"],
            heads_only: false,
        };
        self.list(target, FIRST_LIMIT, |value, at| wire::Email::read(value, at).map(convert::email)).await
    }

    /// The heads of all versions of an agent.
    pub async fn list_versions(&self, agent_id: &str) -> Listing<VersionHead> {
        let read = |value: &Value, at: &str| wire::Version::read_head(value, at).map(convert::head);
        self.list(versions_of(agent_id), VERSION_LIMIT, read).await
    }

    /// All versions of an agent, each with the time at which it was made.
    pub async fn list_dated_versions(&self, agent_id: &str) -> Listing<DatedVersion> {
        let read = |value: &Value, at: &str| wire::Version::read_dated(value, at).map(convert::dated);
        self.list(versions_of(agent_id), VERSION_LIMIT, read).await
    }

    /// One agent; `None` where there is none of that id.
    pub async fn agent(&self, id: &str) -> Result<Option<AgentRecord>, ApiError> {
        // Without an id the path would be that of the list.
        if id.is_empty() {
            return Ok(None);
        }
        let request = Request::new(Method::Get, paths::agent(id));
        let doing = || format!("read agent {id}");
        let Some(answer) = self.get(&request, AGENT).await.map_err(|error| ApiError::new(doing(), error))? else {
            return Ok(None);
        };
        let record = self
            .decode(&request, AGENT, &answer, |value| wire::Agent::read(value, ""))
            .and_then(|agent| self.same(&request, AGENT, "/id", &agent.id, id).map(|()| convert::agent(agent)));
        record.map(Some).map_err(|error| ApiError::new(doing(), error))
    }

    /// One version with its config; `None` where there is none of that number.
    pub async fn version(&self, agent_id: &str, version: u64) -> Result<Option<VersionDoc>, ApiError> {
        let request = Request::new(Method::Get, paths::version(agent_id, version));
        let read = async {
            let Some(answer) = self.get(&request, VERSION).await? else { return Ok(None) };
            let wire = self.decode(&request, VERSION, &answer, |value| wire::Version::read(value, ""))?;
            self.same(&request, VERSION, "/version", &wire.head.version.to_string(), &version.to_string())?;
            if let Some(id) = &wire.agent_id {
                self.same(&request, VERSION, "/agent_id", id, agent_id)?;
            }
            if let Some((at, number)) = inexact_number(&answer.response.body) {
                let expected = "a version whose numbers survive being read";
                let found = format!("the number {number}");
                return Err(self.client.wrong_shape(&request, expected, format!("byte {at}"), found));
            }
            Ok(Some(convert::version(wire)))
        };
        read.await.map_err(|error| ApiError::new(format!("read version {version} of agent {agent_id}"), error))
    }

    /// One number; `None` where the organization does not hold it.
    pub async fn number(&self, number: &PhoneNumber) -> Result<Option<NumberRecord>, ApiError> {
        if number.as_str().is_empty() {
            return Ok(None);
        }
        let request = Request::new(Method::Get, paths::number(number));
        let read = async {
            let Some(answer) = self.get(&request, NUMBER).await? else { return Ok(None) };
            let wire = self.decode(&request, NUMBER, &answer, |value| wire::Number::read(value, ""))?;
            self.same(&request, NUMBER, "/phone_number", &wire.phone_number, number.as_str())?;
            Ok(Some(convert::number(wire)))
        };
        read.await.map_err(|error| ApiError::new(format!("read number {number}"), error))
    }

    /// The schema of configs, as the bytes that were published.
    pub async fn schema(&self) -> Result<Vec<u8>, ApiError> {
        let request = Request::new(Method::Get, paths::SCHEMA);
        let read = async {
            let expected = "a JSON Schema";
            // Only the bytes are wanted: whoever compiles them reads them, and mostly they are those of the last time.
            let answer = self.client.json::<IgnoredAny>(&request, Repeat::Always, expected).await?;
            let body = answer.response.body;
            if body.trim_ascii_start().starts_with(b"{") {
                return Ok(body);
            }
            let found = serde_json::from_slice(&body).map_or("something else", |value| type_name(&value));
            Err(self.client.wrong_shape(&request, expected, "", found))
        };
        read.await.map_err(|error| ApiError::new("read the schema of configs", error))
    }

    /// What this credential may do; `None` where it may not ask, or the service does not tell.
    pub async fn scopes(&self) -> Result<Option<Vec<String>>, ApiError> {
        let request = Request::new(Method::Get, paths::SCOPES);
        let read = async {
            let expected = "a list of scopes";
            match self.get(&request, expected).await {
                Ok(Some(answer)) => self.decode(&request, expected, &answer, wire::read_scopes).map(Some),
                Ok(None) => Ok(None),
                Err(error) if error.is_forbidden() => Ok(None),
                Err(error) => Err(error),
            }
        };
        read.await.map_err(|error| ApiError::new("read the scopes of the credential", error))
    }

    /// Whether an inbound routing config goes before the slots of numbers.
    pub async fn routing(&self) -> Result<Routing, ApiError> {
        let request = Request::new(Method::Get, paths::ROUTING);
        let read = async {
            let expected = "an inbound routing config";
            match self.get(&request, expected).await {
                Ok(None) => Ok(Routing::Disabled),
                Ok(Some(answer)) => {
                    let enabled = self.decode(&request, expected, &answer, wire::read_routing)?;
                    Ok(if enabled { Routing::Enabled } else { Routing::Disabled })
                }
                Err(error) if error.is_forbidden() => Ok(Routing::Unreadable),
                Err(error) => Err(error),
            }
        };
        read.await.map_err(|error| ApiError::new("read the inbound routing config", error))
    }

    /// The service's own prose about the way from one version to another. It is the one POST that only reads.
    pub async fn compare(&self, agent_id: &str, from: u64, to: u64) -> Result<String, ApiError> {
        let mut request = Request::new(Method::Post, paths::compare(agent_id));
        request.body = Some(json!({"from_version": from, "to_version": to}).to_string().into_bytes());
        let doing = || format!("compare versions {from} and {to} of agent {agent_id}");
        let response =
            self.client.send(&request, Repeat::Always).await.map_err(|error| ApiError::new(doing(), error))?;
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let streamed = response.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        Ok(if streamed { event_text(&text) } else { text })
    }

    async fn list<T>(
        &self,
        target: Target,
        first: usize,
        read: impl Fn(&Value, &str) -> Result<T, WireError>,
    ) -> Listing<T> {
        let known = self.limits.lock().unwrap_or_else(PoisonError::into_inner).get(&target.path).copied();
        let mut limit = known.unwrap_or(first);
        let allowance = self.allowance.clone().unwrap_or_else(|| Allowance::of(&self.client));
        // On the heap: a pager is large, and a plan waits for several at once.
        let listing = Box::pin(read_all(&self.client, &target, &allowance, &mut limit, read)).await;
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).insert(target.path, limit);
        listing
    }

    /// Reads one thing; `None` for a 404 of the service's own.
    async fn get(&self, request: &Request, expected: &'static str) -> Result<Option<Answer>, HttpError> {
        if let Some(allowance) = &self.allowance {
            let now = self.client.clock().now();
            allowance.check_time(now).map_err(|bound| self.too_much(request, bound))?;
        }
        match self.client.json(request, Repeat::Always, expected).await {
            Ok(answer) => {
                if let Some(allowance) = &self.allowance {
                    let load = Load { items: 0, bytes: answer.response.body.len(), values: answer.values };
                    allowance.take(load).map_err(|bound| self.too_much(request, bound))?;
                }
                Ok(Some(answer))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn too_much(&self, request: &Request, Reached { bound, read }: Reached) -> HttpError {
        self.client.too_much(request, bound, read)
    }

    fn decode<T>(
        &self,
        request: &Request,
        expected: &'static str,
        answer: &Answer,
        read: impl Fn(&Value) -> Result<T, WireError>,
    ) -> Result<T, HttpError> {
        read(&answer.value).map_err(|WireError { at, found }| self.client.wrong_shape(request, expected, at, found))
    }

    /// Insists that an answer is about what was asked for.
    fn same(
        &self,
        request: &Request,
        expected: &'static str,
        at: &str,
        found: &str,
        asked: &str,
    ) -> Result<(), HttpError> {
        if found == asked {
            return Ok(());
        }
        let found = format!("another one ({})", crate::http::redact::plain(found));
        Err(self.client.wrong_shape(request, expected, at, found))
    }
}

fn versions_of(agent_id: &str) -> Target {
    Target {
        path: paths::versions(agent_id),
        query: Vec::new(),
        what: "versions",
        expected: "a list of versions",
        identity: &["id"],
        heads_only: true,
    }
}

/// What answers about one thing should hold, for messages.
pub(super) const AGENT: &str = "an agent";
pub(super) const VERSION: &str = "a version of an agent";
pub(super) const NUMBER: &str = "a phone number";

/// The text of an event stream: the data of its events, one after the other.
fn event_text(stream: &str) -> String {
    let stream = stream.replace("\r\n", "\n");
    let events = stream.split("\n\n").map(|event| {
        let lines: Vec<&str> = event
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|data| data.strip_prefix(' ').unwrap_or(data))
            .collect();
        lines.join("\n")
    });
    // Some streams close with a mark that is no text.
    events.filter(|event| event != "[DONE]").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_read_as_its_text() {
        let stream = ": hello\r\ndata: The prompt\r\n\r\nevent: token\ndata:  now\ndata: greets.\n\ndata: [DONE]\n\n";
        assert_eq!(event_text(stream), "The prompt now\ngreets.");
    }
}
