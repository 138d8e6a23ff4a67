//! Versions (contract, section 6).

use serde_json::{Value, json};

use crate::http::{Method, Request, Response};

use super::answer::{Answer, error, invalid, not_found, ok, problem};
use super::behaviour::Switch;
use super::config::{give_out, merge, take_in};
use super::list::{flag, in_time, page};
use super::service::{Service, found, made, only};
use super::state::{AgentRecord, VersionRecord};

impl Service {
    pub(super) fn versions(&mut self, request: &Request, id: &str, rest: &[&str]) -> Answer {
        found(&mut self.state.agents, id, "Agent")?;
        match rest {
            [] => match request.method {
                Method::Get => self.list_versions(request, id),
                Method::Post => self.create_version(request, id),
                Method::Put | Method::Patch | Method::Delete => Err(error(405, "Method Not Allowed")),
            },
            ["compare"] => self.compare(request, id),
            ["latest"] => {
                only(request, &[Method::Get])?;
                self.latest(id)
            }
            [number, rest @ ..] => {
                let number = number.parse::<u64>().map_err(|_| {
                    invalid(&[problem(&["path", "version"], "Input should be a valid integer", "int_parsing")])
                })?;
                match (rest, request.method) {
                    ([], Method::Get) => self.get_version(id, number),
                    ([], Method::Put) => self.update_version(request, id, number),
                    (["publish"], Method::Post) => self.publish(request, id, number),
                    (["generate-instructions"], Method::Post) => self.generate_instructions(id, number),
                    (["starting-message", "audio"], Method::Post) => self.greeting(request, id, number),
                    (["starting-message", "audio", "playback-url"], Method::Post) => {
                        self.greeting_url(request, id, number)
                    }
                    ([] | ["publish" | "generate-instructions"], _) => Err(error(405, "Method Not Allowed")),
                    _ => Err(error(404, "Not Found")),
                }
            }
        }
    }

    pub(super) fn version_record(&mut self, id: &str, number: u64) -> Result<&mut VersionRecord, Response> {
        found(&mut self.state.agents, id, "Agent")?.version_mut(number).ok_or_else(|| not_found("Agent version"))
    }

    fn list_versions(&mut self, request: &Request, id: &str) -> Answer {
        let agent = found(&mut self.state.agents, id, "Agent")?.clone();
        let wanted = request.query("version").and_then(|text| text.parse::<u64>().ok());
        let items = agent
            .versions
            .iter()
            .filter(|version| version.hidden == 0)
            .filter(|version| wanted.is_none_or(|wanted| version.version == wanted))
            .filter(|version| flag(request, "published", version.published))
            .filter(|version| in_time(request, version.created_at, version.updated_at))
            .map(|version| (version.created_at, self.version_response(&agent, version)))
            .collect();
        page(items, request, &self.behaviour)
    }

    fn get_version(&mut self, id: &str, number: u64) -> Answer {
        let version = self.version_record(id, number)?;
        if version.hidden > 0 {
            version.hidden -= 1;
            return Err(not_found("Agent version"));
        }
        self.settle_generation(id, number)?;
        let agent = found(&mut self.state.agents, id, "Agent")?.clone();
        let version = agent
            .versions
            .iter()
            .find(|version| version.version == number)
            .ok_or_else(|| not_found("Agent version"))?;
        ok(&self.version_response(&agent, version))
    }

    /// Reading `latest` makes sure that a draft exists: a GET that can create a version (contract, section 6.3).
    fn latest(&mut self, id: &str) -> Answer {
        let agent = found(&mut self.state.agents, id, "Agent")?.clone();
        let highest = agent.versions.iter().max_by_key(|version| version.version);
        let Some(highest) = highest else { return Err(not_found("Agent version")) };
        if highest.published && self.behaviour.is(Switch::Latest, "makes-draft") {
            let config = highest.config.clone();
            let draft = self.add_version(id, config)?;
            return ok(&self.version_response(&agent, &draft));
        }
        ok(&self.version_response(&agent, highest))
    }

    fn create_version(&mut self, request: &Request, id: &str) -> Answer {
        let body = Self::body(request, true)?;
        let agent = found(&mut self.state.agents, id, "Agent")?.clone();
        let has = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
        if has("config") == has("base_version") {
            return Err(invalid(&[problem(
                &["body"],
                "Value error, exactly one of config or base_version is required",
                "value_error",
            )]));
        }
        if self.behaviour.is(Switch::Drafts, "one") && agent.versions.iter().any(|version| !version.published) {
            return Err(error(409, "A draft version already exists"));
        }
        let config = match body.get("base_version").filter(|base| !base.is_null()) {
            Some(base) => {
                let Some(base) = base.as_u64() else {
                    return Err(invalid(&[problem(
                        &["body", "base_version"],
                        "Input should be a valid integer",
                        "int_type",
                    )]));
                };
                let base = agent.versions.iter().find(|version| version.version == base);
                base.ok_or_else(|| not_found("Base version"))?.config.clone()
            }
            None => take_in(body.get("config").unwrap_or(&Value::Null), &self.behaviour)?,
        };
        let version = self.add_version(id, config)?;
        made(&self.version_response(&agent, &version))
    }

    /// Adds a draft.
    pub(super) fn add_version(&mut self, id: &str, config: Value) -> Result<VersionRecord, Response> {
        let (at, by, version_id, hidden) = (self.stamp(), self.principal.clone(), self.state.new_id(), self.delay());
        let agent = found(&mut self.state.agents, id, "Agent")?;
        let version = VersionRecord {
            id: version_id,
            version: agent.next_version(),
            config,
            published: false,
            instruction_builder_inputs: Value::Null,
            trained_instruction_builder_inputs: Value::Null,
            generation_timestamp: None,
            generating: 0,
            manually_edited: false,
            created_at: at,
            updated_at: at,
            created_by: by.clone(),
            modified_by: by,
            hidden,
        };
        agent.versions.push(version.clone());
        Ok(version)
    }

    fn update_version(&mut self, request: &Request, id: &str, number: u64) -> Answer {
        let body = Self::body(request, true)?;
        if self.version_record(id, number)?.published {
            return Err(error(400, "Cannot update a published version"));
        }
        let config = match body.get("config").filter(|config| !config.is_null()) {
            Some(sent) if self.behaviour.is(Switch::Put, "merge") => {
                let mut merged = self.version_record(id, number)?.config.clone();
                merge(&mut merged, sent);
                Some(take_in(&merged, &self.behaviour)?)
            }
            Some(sent) => Some(take_in(sent, &self.behaviour)?),
            None => None,
        };
        let (at, by) = (self.stamp(), self.principal.clone());
        let version = self.version_record(id, number)?;
        if let Some(config) = config {
            version.config = config;
            version.manually_edited = true;
        }
        if let Some(inputs) = body.get("instruction_builder_inputs") {
            version.instruction_builder_inputs = inputs.clone();
            version.manually_edited = false;
        }
        version.updated_at = at;
        version.modified_by = by;
        let version = version.clone();
        let agent = found(&mut self.state.agents, id, "Agent")?.clone();
        ok(&self.version_response(&agent, &version))
    }

    fn compare(&mut self, request: &Request, id: &str) -> Answer {
        only(request, &[Method::Post])?;
        let body = Self::body(request, true)?;
        let mut numbers = [0_u64; 2];
        for (slot, name) in numbers.iter_mut().zip(["from_version", "to_version"]) {
            let value = body.get(name).and_then(Value::as_u64);
            *slot = value.ok_or_else(|| invalid(&[problem(&["body", name], "Field required", "missing")]))?;
        }
        let [from, to] = numbers;
        let (before, after) =
            (self.version_record(id, from)?.config.clone(), self.version_record(id, to)?.config.clone());
        let what = if before == after { "does not differ from" } else { "differs in its configuration from" };
        Ok(Response {
            status: 200,
            headers: vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())],
            body: format!("Version {to} {what} version {from}.").into_bytes(),
        })
    }

    /// A whole version, its config as the service renders it (contract, section 6.2).
    pub(super) fn version_response(&self, agent: &AgentRecord, version: &VersionRecord) -> Value {
        json!({
            "id": version.id, "organization_id": self.state.organization, "agent_id": agent.id,
            "version": version.version, "config": give_out(&version.config, &self.behaviour),
            "published": version.published,
            "instruction_builder_inputs": version.instruction_builder_inputs,
            "trained_instruction_builder_inputs": version.trained_instruction_builder_inputs,
            "generation_timestamp": version.generation_timestamp,
            "manually_edited": version.manually_edited,
            "is_updated": is_stale(version),
            "cache_fingerprints": [format!("fp-{}", version.version)],
            "created_at": version.created_at, "updated_at": version.updated_at,
            "created_by": self.author(&version.created_by), "modified_by": self.author(&version.modified_by),
        })
    }
}

/// Whether the instructions are stale against the builder's inputs: changed inputs, not edited by hand.
pub(super) fn is_stale(version: &VersionRecord) -> bool {
    !version.instruction_builder_inputs.is_null()
        && !version.manually_edited
        && version.instruction_builder_inputs != version.trained_instruction_builder_inputs
}
