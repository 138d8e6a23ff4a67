//! The inbound routing config: one an organization (contract, section 9.3).

use serde_json::Value;

use crate::http::{Method, Request};

use super::answer::{Answer, error, gone, invalid, not_found, ok, problem};
use super::config::object;
use super::service::{Service, made};

impl Service {
    pub(super) fn inbound_routing(&mut self, request: &Request) -> Answer {
        match request.method {
            Method::Get => match &self.state.routing {
                Some(config) => ok(config),
                None => Err(not_found("Inbound routing config")),
            },
            Method::Post if self.state.routing.is_some() => Err(error(409, "Inbound routing config already exists")),
            Method::Post | Method::Put => {
                let body = Self::body(request, true)?;
                let mut config = self.state.routing.as_ref().map(object).unwrap_or_default();
                config.extend(object(&body));
                if !config.contains_key("workflow_definition") {
                    return Err(invalid(&[problem(&["body", "workflow_definition"], "Field required", "missing")]));
                }
                config.entry("enabled".to_owned()).or_insert(Value::Bool(true));
                let config = Value::Object(config);
                self.state.routing = Some(config.clone());
                made(&config)
            }
            Method::Delete => match self.state.routing.take() {
                Some(_) => gone(),
                None => Err(not_found("Inbound routing config")),
            },
            Method::Patch => Err(error(405, "Method Not Allowed")),
        }
    }
}
