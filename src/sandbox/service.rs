//! The state machine: who asks, what for, and which answer.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::http::{Method, Request, Response};

use super::answer::{Answer, error, invalid, json_answer, not_found, ok, problem};
use super::behaviour::{Behaviour, Switch};
use super::config;
use super::state::{State, Token, tokens};

/// The embedded service.
#[derive(Clone, Debug)]
pub struct Service {
    /// What it holds.
    pub state: State,
    /// How it behaves where that is not known.
    pub behaviour: Behaviour,
    /// The time of the request being answered.
    pub now: Timestamp,
    pub(super) principal: String,
}

/// How far apart two records may be made and still share their time, with `ties=yes`.
const TIE: SignedDuration = SignedDuration::from_secs(60);

impl Service {
    /// A service with this state.
    pub fn new(mut state: State, behaviour: Behaviour) -> Self {
        if state.tokens.is_empty() {
            state.tokens = tokens();
        }
        Self { state, behaviour, now: Timestamp::UNIX_EPOCH, principal: "system".to_owned() }
    }

    /// Answers a request that arrives now.
    pub fn respond(&mut self, request: &Request, now: Timestamp) -> Response {
        self.now = now;
        let mut answer = match self.route(request) {
            Ok(answer) | Err(answer) => answer,
        };
        let date = httpdate::fmt_http_date(super::answer::system_time(now));
        answer.headers.push(("date".to_owned(), date));
        answer
    }

    /// The time of a record that is made or changed now: never equal to another's, unless ties are wanted.
    pub(super) fn stamp(&mut self) -> Timestamp {
        let last = self.state.last_time;
        let at = if self.behaviour.is(Switch::Ties, "yes")
            && self.now.duration_since(last) < TIE
            && last > Timestamp::UNIX_EPOCH
        {
            last
        } else if self.now > last {
            self.now
        } else {
            last + SignedDuration::from_micros(1)
        };
        self.state.last_time = at;
        at
    }

    /// The author of a record, or none where the service names none.
    pub(super) fn author(&self, name: &str) -> Value {
        if self.behaviour.is(Switch::Authors, "no") { Value::Null } else { json!(name) }
    }

    /// How many readings miss a record that is made now.
    pub(super) fn delay(&self) -> usize {
        self.behaviour.number(Switch::Eventual)
    }

    fn route(&mut self, request: &Request) -> Answer {
        let token = self.authenticate(request)?;
        self.principal.clone_from(&token.principal);
        let path = request.path.trim_end_matches('/').to_owned();
        let segments: Vec<String> = path.split('/').skip(1).map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        self.build_waiting();
        match segments.as_slice() {
            ["core", "agents", ..] => {
                allow(&token, request, "agents")?;
                self.agents(request, segments.get(2..).unwrap_or_default())
            }
            ["core", "agent-config-schema"] => {
                allow(&token, request, "agents")?;
                only(request, &[Method::Get])?;
                ok(config::schema())
            }
            ["core", "phone-numbers", rest @ ..] => {
                let scope = if self.behaviour.is(Switch::NumberScope, "agents") { "agents" } else { "phone_numbers" };
                allow(&token, request, scope)?;
                self.phone_numbers(request, rest)
            }
            ["core", "inbound-routing-config"] => {
                allow(&token, request, "phone_numbers")?;
                self.inbound_routing(request)
            }
            ["core", "web-widgets", rest @ ..] => {
                allow(&token, request, "web_widgets")?;
                self.web_widgets(request, rest)
            }
            ["core", "email-addresses", rest @ ..] => {
                allow(&token, request, "email_domains")?;
                self.email_addresses(request, rest)
            }
            ["admin", "members", "me", "scopes"] => {
                only(request, &[Method::Get])?;
                ok(&json!(scopes_of(&token)))
            }
            _ => Err(error(404, "Not Found")),
        }
    }

    /// `Authorization: Bearer …`, and the organization that a personal token needs (contract, section 2).
    fn authenticate(&self, request: &Request) -> Result<Token, Response> {
        let Some(header) = request.header("authorization") else { return Err(error(401, "Not authenticated")) };
        let Some(token) = header.strip_prefix("Bearer ") else {
            return Err(error(401, "Invalid authentication credentials"));
        };
        let Some(found) = self.state.tokens.get(token) else {
            return Err(error(401, "Invalid or expired token"));
        };
        if token.starts_with("pat_") && request.header("x-anyreach-org") != Some(self.state.organization.as_str()) {
            return Err(error(401, "Token is missing organization claim."));
        }
        Ok(found.clone())
    }

    /// The body as a JSON object. `required` refuses an absent one.
    pub(super) fn body(request: &Request, required: bool) -> Result<Value, Response> {
        let bytes = request.body.as_deref().unwrap_or_default();
        if bytes.is_empty() {
            return if required {
                Err(invalid(&[problem(&["body"], "Field required", "missing")]))
            } else {
                Ok(json!({}))
            };
        }
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|_| invalid(&[problem(&["body"], "JSON decode error", "json_invalid")]))?;
        if value.is_object() {
            Ok(value)
        } else {
            Err(invalid(&[problem(&["body"], "Input should be a valid dictionary", "dict_type")]))
        }
    }
}

/// A viewer reads everything; an admin does everything; else a scope is needed by name. Reading needs `:read` or
/// `:manage` (contract, section 2).
fn allow(token: &Token, request: &Request, resource: &str) -> Result<(), Response> {
    let reads = request.method == Method::Get || request.path.ends_with("/versions/compare");
    let has = |scope: String| token.scopes.contains(&scope);
    let may = has("admin".to_owned())
        || has(format!("{resource}:manage"))
        || (reads && (has("viewer".to_owned()) || has(format!("{resource}:read"))));
    if may { Ok(()) } else { Err(error(403, "Insufficient permissions")) }
}

fn scopes_of(token: &Token) -> Vec<String> {
    let resources = ["agents", "phone_numbers", "trunks", "web_widgets", "email_domains"];
    let mut scopes: Vec<String> = Vec::new();
    for scope in &token.scopes {
        match scope.as_str() {
            "admin" => {
                scopes.extend(resources.iter().flat_map(|name| [format!("{name}:read"), format!("{name}:manage")]))
            }
            "viewer" => scopes.extend(resources.iter().map(|name| format!("{name}:read"))),
            other => scopes.push(other.to_owned()),
        }
    }
    scopes
}

/// Refuses other methods.
pub(super) fn only(request: &Request, methods: &[Method]) -> Result<(), Response> {
    if methods.contains(&request.method) { Ok(()) } else { Err(error(405, "Method Not Allowed")) }
}

/// A required text of a body, at most 10,000 characters long.
pub(super) fn text(body: &Value, name: &str, required: bool) -> Result<Option<String>, Response> {
    match body.get(name) {
        Some(Value::String(text)) if text.is_empty() && required => {
            Err(invalid(&[problem(&["body", name], "String should have at least 1 character", "string_too_short")]))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Null) if !required => Ok(None),
        None if !required => Ok(None),
        None => Err(invalid(&[problem(&["body", name], "Field required", "missing")])),
        Some(_) => Err(invalid(&[problem(&["body", name], "Input should be a valid string", "string_type")])),
    }
}

/// A boolean of a body.
pub(super) fn boolean(body: &Value, name: &str) -> Result<Option<bool>, Response> {
    match body.get(name) {
        Some(Value::Bool(value)) => Ok(Some(*value)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(invalid(&[problem(&["body", name], "Input should be a valid boolean", "bool_type")])),
    }
}

/// A list of texts of a body.
pub(super) fn texts(body: &Value, name: &str) -> Result<Vec<String>, Response> {
    let bad = || invalid(&[problem(&["body", name], "Input should be a valid list of strings", "list_type")]);
    match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(bad)).collect(),
        Some(_) => Err(bad()),
    }
}

fn decode(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// An answer to a record that was made: `200`, as the documentation shows it.
pub(super) fn made(value: &Value) -> Answer {
    Ok(json_answer(200, value))
}

/// A record by id, or 404.
pub(super) fn found<'a, T>(
    map: &'a mut std::collections::BTreeMap<String, T>,
    id: &str,
    what: &str,
) -> Result<&'a mut T, Response> {
    map.get_mut(id).ok_or_else(|| not_found(what))
}
