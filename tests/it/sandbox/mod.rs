//! The embedded service, held to the contract: every documented behaviour and every switch.

mod access;
mod agents;
mod background;
mod configs;
mod faults;
mod lists;
mod neighbours;
mod numbers;
mod persistence;
mod publish;
mod shapes;
mod socket;
mod versions;
mod worlds;

use jiff::{SignedDuration, Timestamp};
use reachform::http::Method::{self, Delete, Get, Patch, Post, Put};
use reachform::http::{Request, Response};
use reachform::sandbox::{Behaviour, Seed, Service};
use serde_json::Value;

/// A config that the schema accepts, with a secret and a list of voices.
pub fn config() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/sandbox/config.json")).unwrap()
}

/// The same, with other instructions.
pub fn config_saying(instructions: &str) -> Value {
    let mut config = config();
    config["agent"]["instructions"] = instructions.into();
    config
}

/// Two organizations: in the first an agent with two published versions and a draft, one with a single version, and a
/// bare one.
pub fn seed() -> Seed {
    Seed::parse(include_str!("../../../fixtures/sandbox/seed.json")).unwrap()
}

/// A service and a caller with a clock that moves one second with each request.
pub struct Caller {
    pub service: Service,
    pub now: Timestamp,
    pub token: Option<&'static str>,
    pub organization: Option<&'static str>,
}

impl Caller {
    /// Calls the seeded service as the administrator of the first organization.
    pub fn new(switches: &[&str]) -> Self {
        let behaviour = Behaviour::parse(switches).unwrap();
        Self::of(Service::seeded(&seed(), behaviour).unwrap())
    }

    pub fn of(service: Service) -> Self {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        Self { service, now, token: Some("ak_one.admin"), organization: None }
    }

    /// The same service, called with another token.
    pub fn with_token(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    pub fn send(&mut self, mut request: Request) -> Response {
        if let Some(token) = self.token {
            request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(organization) = self.organization {
            request.headers.push(("x-anyreach-org".to_owned(), organization.to_owned()));
        }
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
        self.service.respond(&request, self.now)
    }

    pub fn call(&mut self, method: Method, target: &str, body: Option<&Value>) -> (u16, Value) {
        let response = self.send(request(method, target, body));
        let value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        (response.status, value)
    }

    pub fn get(&mut self, target: &str) -> (u16, Value) {
        self.call(Get, target, None)
    }

    pub fn post(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.call(Post, target, Some(body))
    }

    pub fn put(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.call(Put, target, Some(body))
    }

    pub fn patch(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.call(Patch, target, Some(body))
    }

    pub fn delete(&mut self, target: &str) -> (u16, Value) {
        self.call(Delete, target, None)
    }

    /// Reads, and insists on 200.
    pub fn read(&mut self, target: &str) -> Value {
        let (status, value) = self.get(target);
        assert_eq!(status, 200, "{target}: {value}");
        value
    }

    /// Writes, and insists on 200.
    pub fn write(&mut self, method: Method, target: &str, body: &Value) -> Value {
        let (status, value) = self.call(method, target, Some(body));
        assert_eq!(status, 200, "{method} {target}: {value}");
        value
    }

    /// Creates an agent and a draft with [`config`]; the agent's id.
    pub fn agent_with_draft(&mut self, name: &str) -> String {
        let agent = self.write(Post, "/core/agents", &serde_json::json!({ "name": name }));
        let id = agent["id"].as_str().unwrap().to_owned();
        let body = serde_json::json!({ "config": config() });
        self.write(Post, &format!("/core/agents/{id}/versions"), &body);
        id
    }

    /// What a number's inbound and outbound slots hold.
    pub fn slots(&mut self, number: &str) -> (Value, Value) {
        let record = self.read(&format!("/core/phone-numbers/{}", number.replace('+', "%2B")));
        (record["inbound_agent_version_id"].clone(), record["outbound_agent_version_id"].clone())
    }
}

/// A request; the target may have a query, its values not encoded.
pub fn request(method: Method, target: &str, body: Option<&Value>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request::new(method, path);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        request.query.push((name.to_owned(), value.to_owned()));
    }
    request.body = body.map(|body| body.to_string().into_bytes());
    request
}

/// The names of a list's items.
pub fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

/// The places and kinds of a 422.
pub fn faults(body: &Value) -> Vec<(String, &str)> {
    let entries = body["detail"].as_array().unwrap_or_else(|| panic!("no list of faults: {body}"));
    entries
        .iter()
        .map(|entry| {
            assert!(entry["msg"].is_string(), "{entry}");
            let steps = entry["loc"].as_array().unwrap().iter();
            let place = steps.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned));
            (place.collect::<Vec<_>>().join("."), entry["type"].as_str().unwrap())
        })
        .collect()
}
