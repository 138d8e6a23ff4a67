//! The service's builders: agents from a website, demos, generated instructions, spoken greetings. They answer at once
//! and are done a few requests later, so that a client must wait as it must for the real ones.

use serde_json::{Value, json};

use crate::http::{Method, Request, Response};

use super::answer::{Answer, error, json_answer, not_found};
use super::service::{Service, found, made, only, text};
use super::state::AgentRecord;

/// How many requests a builder takes.
const REQUESTS_TO_BUILD: usize = 3;

impl Service {
    pub(super) fn create_from_website(&mut self, request: &Request) -> Answer {
        only(request, &[Method::Post])?;
        let body = Self::body(request, true)?;
        let name = text(&body, "company_name", true)?.unwrap_or_default();
        text(&body, "company_website", true)?;
        self.build_later(&name, body.get("is_demo").and_then(Value::as_bool).unwrap_or(false))
    }

    pub(super) fn create_demo(&mut self, request: &Request) -> Answer {
        only(request, &[Method::Post])?;
        let body = Self::body(request, true)?;
        let site = text(&body, "company_website", true)?.unwrap_or_default();
        self.build_later(&site, true)
    }

    fn build_later(&mut self, name: &str, is_demo: bool) -> Answer {
        let id = self.state.new_id();
        self.state.building.push((REQUESTS_TO_BUILD, json!({"name": name, "is_demo": is_demo})));
        Ok(json_answer(202, &json!({"workflow_id": id})))
    }

    /// Lets the builders go on by one request.
    pub(super) fn build_waiting(&mut self) {
        let mut done = Vec::new();
        for (left, what) in &mut self.state.building {
            *left = left.saturating_sub(1);
            if *left == 0 {
                done.push(what.clone());
            }
        }
        self.state.building.retain(|(left, _)| *left > 0);
        for what in done {
            let (at, id) = (self.stamp(), self.state.new_id());
            let agent = AgentRecord {
                id: id.clone(),
                name: what.get("name").and_then(Value::as_str).unwrap_or("Agent").to_owned(),
                description: None,
                active: true,
                is_demo: what.get("is_demo").and_then(Value::as_bool).unwrap_or(false),
                metadata: Value::Null,
                created_at: at,
                updated_at: at,
                created_by: "builder".to_owned(),
                modified_by: "builder".to_owned(),
                sip: false,
                versions: Vec::new(),
                hidden: 0,
            };
            self.state.agents.insert(id.clone(), agent);
            if let Ok(version) =
                self.add_version(&id, super::seed::simple_config("Answer questions about the company."))
                && let Some(agent) = self.state.agents.get_mut(&id)
                && let Some(version) = agent.version_mut(version.version)
            {
                version.published = true;
            }
        }
    }

    /// Asynchronous; rejects a published version and one without inputs (contract, section 6.1).
    pub(super) fn generate_instructions(&mut self, id: &str, number: u64) -> Answer {
        let version = self.version_record(id, number)?;
        if version.published {
            return Err(error(409, "Cannot generate instructions for a published version"));
        }
        if version.instruction_builder_inputs.is_null() {
            return Err(error(400, "instruction_builder_inputs are required"));
        }
        version.generating = REQUESTS_TO_BUILD;
        Ok(json_answer(202, &json!({"status": "started"})))
    }

    /// Lets a generation go on by one reading, and finishes it.
    pub(super) fn settle_generation(&mut self, id: &str, number: u64) -> Result<(), Response> {
        let at = self.stamp();
        let version = self.version_record(id, number)?;
        if version.generating == 0 {
            return Ok(());
        }
        version.generating -= 1;
        if version.generating == 0 {
            version.trained_instruction_builder_inputs = version.instruction_builder_inputs.clone();
            version.generation_timestamp = Some(at);
            let purpose =
                version.instruction_builder_inputs.get("purpose").and_then(Value::as_str).unwrap_or("help callers");
            let instructions = json!(format!("Generated instructions: {purpose}."));
            if let Some(agent) = version.config.get_mut("agent").and_then(Value::as_object_mut) {
                agent.insert("instructions".to_owned(), instructions);
            }
        }
        Ok(())
    }

    pub(super) fn greeting(&mut self, request: &Request, id: &str, number: u64) -> Answer {
        let body = Self::body(request, true)?;
        text(&body, "text", true)?;
        self.version_record(id, number)?;
        made(
            &json!({"recordings": [{"playback_url": format!("https://audio.sandbox.invalid/{id}/{number}"), "voice_id": "voice"}]}),
        )
    }

    pub(super) fn greeting_url(&mut self, request: &Request, id: &str, number: u64) -> Answer {
        let body = Self::body(request, true)?;
        text(&body, "text", true)?;
        found(&mut self.state.agents, id, "Agent")?;
        self.version_record(id, number)?;
        Err(not_found("Recording"))
    }
}
