//! Email addresses that agents answer (contract, section 11).

use serde_json::{Value, json};

use crate::http::{Method, Request, Response};

use super::answer::{Answer, error, gone, invalid, not_found, ok, problem};
use super::config::object;
use super::list::page;
use super::service::{Service, found, made, text};
use super::widgets::time;

impl Service {
    pub(super) fn email_addresses(&mut self, request: &Request, rest: &[&str]) -> Answer {
        match (rest, request.method) {
            ([], Method::Get) => {
                let items =
                    self.state.emails.values().map(|record| (time(record, "created_at"), record.clone())).collect();
                page(items, request, &self.behaviour)
            }
            ([], Method::Post) => self.create_email(request),
            ([id], Method::Get) => {
                let record = found(&mut self.state.emails, id, "Email address")?.clone();
                ok(&record)
            }
            ([id], Method::Patch) => self.update_email(request, id),
            ([id], Method::Delete) => {
                found(&mut self.state.emails, id, "Email address")?;
                self.state.emails.remove(*id);
                gone()
            }
            _ => Err(error(405, "Method Not Allowed")),
        }
    }

    fn create_email(&mut self, request: &Request) -> Answer {
        let body = Self::body(request, true)?;
        let address = text(&body, "address", true)?.unwrap_or_default();
        if !address.contains('@') {
            return Err(invalid(&[problem(&["body", "address"], "Not a valid email address", "value_error")]));
        }
        let taken =
            self.state.emails.values().any(|record| record.get("address").and_then(Value::as_str) == Some(&address));
        if taken {
            return Err(error(409, "Email address is already in use"));
        }
        let version = self.resolve_version(&body)?;
        let (at, id) = (self.stamp(), self.state.new_id());
        let record = json!({
            "id": id, "organization_id": self.state.organization, "address": address,
            "provider": text(&body, "provider", false)?.unwrap_or_else(|| "resend".to_owned()),
            "inbound_agent_version_id": version,
            "outbound_from_address": body.get("outbound_from_address"),
            "enabled": body.get("enabled").and_then(Value::as_bool).unwrap_or(true),
            "handler": text(&body, "handler", false)?.unwrap_or_else(|| "agent".to_owned()),
            "handler_config": body.get("handler_config"), "created_at": at, "updated_at": at,
        });
        self.state.emails.insert(id, record.clone());
        made(&record)
    }

    /// An agent that is given at creation is resolved once, to its live version.
    fn resolve_version(&self, body: &Value) -> Result<Value, Response> {
        if let Some(version) = text(body, "inbound_agent_version_id", false)? {
            return match self.state.version_by_id(&version) {
                Some(_) => Ok(json!(version)),
                None => Err(not_found("Agent version")),
            };
        }
        let Some(agent) = text(body, "agent_id", false)? else { return Ok(Value::Null) };
        let agent = self.state.agents.get(&agent).ok_or_else(|| not_found("Agent"))?;
        agent.live().map(|version| json!(version.id)).ok_or_else(|| error(400, "The agent has no published version"))
    }

    /// An explicit null clears a field.
    fn update_email(&mut self, request: &Request, id: &str) -> Answer {
        let body = Self::body(request, true)?;
        found(&mut self.state.emails, id, "Email address")?;
        if body.get("inbound_agent_version_id").is_some_and(Value::is_string) || body.get("agent_id").is_some() {
            self.resolve_version(&body)?;
        }
        let at = self.stamp();
        let record = found(&mut self.state.emails, id, "Email address")?;
        let mut map = object(record);
        for name in ["inbound_agent_version_id", "outbound_from_address", "enabled", "handler", "handler_config"] {
            if let Some(value) = body.get(name) {
                map.insert(name.to_owned(), value.clone());
            }
        }
        map.insert("updated_at".to_owned(), json!(at));
        *record = Value::Object(map);
        let record = record.clone();
        ok(&record)
    }
}
