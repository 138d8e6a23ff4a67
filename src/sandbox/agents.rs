//! Agents (contract, section 5).

use serde_json::{Value, json};

use crate::http::{Method, Request, Response};

use super::answer::{Answer, error, gone, invalid, not_found, ok, problem};
use super::behaviour::Switch;
use super::config::merge;
use super::list::{flag, in_time, page};
use super::service::{Service, boolean, found, made, only, text};
use super::state::{AgentRecord, VersionRecord};

impl Service {
    pub(super) fn agents(&mut self, request: &Request, rest: &[&str]) -> Answer {
        match rest {
            [] => match request.method {
                Method::Get => self.list_agents(request),
                Method::Post => self.create_agent(request),
                Method::Put | Method::Patch | Method::Delete => Err(error(405, "Method Not Allowed")),
            },
            ["create-from-website"] => self.create_from_website(request),
            ["create-demo"] => self.create_demo(request),
            [id] => match request.method {
                Method::Get => self.get_agent(id),
                Method::Put => self.update_agent(request, id),
                Method::Delete => self.delete_agent(id),
                Method::Post | Method::Patch => Err(error(405, "Method Not Allowed")),
            },
            [id, "clone"] => self.clone_agent(request, id),
            [id, "deploy-as-sip"] => self.deploy_as_sip(request, id),
            [id, "versions", rest @ ..] => self.versions(request, id, rest),
            _ => Err(error(404, "Not Found")),
        }
    }

    fn list_agents(&mut self, request: &Request) -> Answer {
        for agent in self.state.agents.values_mut() {
            agent.hidden = agent.hidden.saturating_sub(1);
        }
        let wanted: Option<Value> = match request.query("metadata") {
            None => None,
            Some(text) => Some(
                serde_json::from_str(text)
                    .map_err(|_| invalid(&[problem(&["query", "metadata"], "Invalid JSON", "json_invalid")]))?,
            ),
        };
        let ids: Vec<&str> =
            request.query.iter().filter(|(name, _)| name == "ids").map(|(_, value)| value.as_str()).collect();
        let items = self
            .state
            .agents
            .values()
            .filter(|agent| agent.hidden == 0)
            .filter(|agent| request.query("name").is_none_or(|name| agent.name.contains(name)))
            .filter(|agent| flag(request, "active", agent.active) && flag(request, "is_demo", agent.is_demo))
            .filter(|agent| wanted.as_ref().is_none_or(|wanted| contains(&agent.metadata, wanted)))
            .filter(|agent| ids.is_empty() || ids.contains(&agent.id.as_str()))
            .filter(|agent| in_time(request, agent.created_at, agent.updated_at))
            .map(|agent| (agent.created_at, self.agent_response(agent, true)))
            .collect();
        page(items, request, &self.behaviour)
    }

    fn create_agent(&mut self, request: &Request) -> Answer {
        let body = Self::body(request, true)?;
        let name = text(&body, "name", true)?.unwrap_or_default();
        self.check_name(&name, None)?;
        let at = self.stamp();
        let agent = AgentRecord {
            id: self.state.new_id(),
            name,
            description: text(&body, "description", false)?,
            active: boolean(&body, "active")?.unwrap_or(true),
            is_demo: boolean(&body, "is_demo")?.unwrap_or(false),
            metadata: body.get("metadata").cloned().unwrap_or(Value::Null),
            created_at: at,
            updated_at: at,
            created_by: self.principal.clone(),
            modified_by: self.principal.clone(),
            sip: false,
            versions: Vec::new(),
            hidden: self.delay(),
        };
        let mut answer = self.agent_record(&agent);
        if self.behaviour.is(Switch::CreateId, "agent_id")
            && let Value::Object(map) = &mut answer
        {
            map.shift_remove("id");
            map.insert("agent_id".to_owned(), json!(agent.id));
        }
        self.state.agents.insert(agent.id.clone(), agent);
        made(&answer)
    }

    fn check_name(&self, name: &str, but: Option<&str>) -> Result<(), Response> {
        let taken = self.state.agents.values().any(|agent| agent.name == name && Some(agent.id.as_str()) != but);
        if taken && self.behaviour.is(Switch::NameUnique, "yes") {
            return Err(error(409, "An agent with this name already exists"));
        }
        Ok(())
    }

    fn get_agent(&mut self, id: &str) -> Answer {
        let agent = found(&mut self.state.agents, id, "Agent")?;
        if agent.hidden > 0 {
            agent.hidden -= 1;
            return Err(not_found("Agent"));
        }
        let agent = agent.clone();
        ok(&self.agent_response(&agent, false))
    }

    fn update_agent(&mut self, request: &Request, id: &str) -> Answer {
        let body = Self::body(request, true)?;
        let (name, active, is_demo) =
            (text(&body, "name", false)?, boolean(&body, "active")?, boolean(&body, "is_demo")?);
        let description = text(&body, "description", false)?;
        if let Some(name) = &name {
            self.check_name(name, Some(id))?;
        }
        let (at, by, merges) = (self.stamp(), self.principal.clone(), self.behaviour.is(Switch::Metadata, "merge"));
        let agent = found(&mut self.state.agents, id, "Agent")?;
        if let Some(name) = name {
            agent.name = name;
        }
        if body.get("description").is_some() {
            agent.description = description;
        }
        agent.active = active.unwrap_or(agent.active);
        agent.is_demo = is_demo.unwrap_or(agent.is_demo);
        match body.get("metadata") {
            Some(metadata) if merges && metadata.is_object() => merge(&mut agent.metadata, metadata),
            Some(metadata) => agent.metadata = metadata.clone(),
            None => {}
        }
        agent.updated_at = at;
        agent.modified_by = by;
        let agent = agent.clone();
        ok(&self.agent_record(&agent))
    }

    fn delete_agent(&mut self, id: &str) -> Answer {
        let agent = found(&mut self.state.agents, id, "Agent")?;
        let versions: Vec<String> = agent.versions.iter().map(|version| version.id.clone()).collect();
        let points_here = |slot: &Option<String>| slot.as_ref().is_some_and(|slot| versions.contains(slot));
        let referenced = self.state.numbers.values().any(|number| {
            points_here(&number.inbound_agent_version_id) || points_here(&number.outbound_agent_version_id)
        });
        match self.behaviour.way(Switch::DeleteAgent) {
            "refuses" if referenced => return Err(error(409, "Agent is still referenced by phone numbers")),
            "clears" => {
                for number in self.state.numbers.values_mut() {
                    for slot in [&mut number.inbound_agent_version_id, &mut number.outbound_agent_version_id] {
                        if points_here(slot) {
                            *slot = None;
                        }
                    }
                }
            }
            _ => {}
        }
        self.state.agents.remove(id);
        gone()
    }

    fn clone_agent(&mut self, request: &Request, id: &str) -> Answer {
        only(request, &[Method::Post])?;
        let body = Self::body(request, true)?;
        let name = text(&body, "name", true)?.unwrap_or_default();
        let source = found(&mut self.state.agents, id, "Agent")?.clone();
        let wanted = body.get("version").and_then(Value::as_u64);
        let version = source
            .versions
            .iter()
            .filter(|version| wanted.is_none_or(|wanted| version.version == wanted))
            .max_by_key(|version| version.version)
            .ok_or_else(|| not_found("Agent version"))?
            .clone();
        let at = self.stamp();
        let by = self.principal.clone();
        let agent = AgentRecord {
            id: self.state.new_id(),
            name,
            is_demo: false,
            created_at: at,
            updated_at: at,
            created_by: by.clone(),
            modified_by: by.clone(),
            sip: false,
            versions: vec![VersionRecord {
                id: self.state.new_id(),
                version: 1,
                published: false,
                created_at: at,
                updated_at: at,
                created_by: by.clone(),
                modified_by: by,
                ..version
            }],
            hidden: 0,
            ..source
        };
        let answer = self.agent_record(&agent);
        self.state.agents.insert(agent.id.clone(), agent);
        made(&answer)
    }

    fn deploy_as_sip(&mut self, request: &Request, id: &str) -> Answer {
        only(request, &[Method::Post, Method::Delete])?;
        let deploys = request.method == Method::Post;
        let agent = found(&mut self.state.agents, id, "Agent")?;
        agent.sip = deploys;
        if deploys { ok(&sip(id)) } else { gone() }
    }

    /// The shape that create and update answer with (contract, section 5.2).
    pub(super) fn agent_record(&self, agent: &AgentRecord) -> Value {
        json!({
            "id": agent.id, "organization_id": self.state.organization, "name": agent.name,
            "description": agent.description, "active": agent.active, "is_demo": agent.is_demo,
            "metadata": agent.metadata, "created_at": agent.created_at, "updated_at": agent.updated_at,
            "created_by": self.author(&agent.created_by), "modified_by": self.author(&agent.modified_by),
        })
    }

    /// The shape that get and list answer with, volatile statistics included (contract, section 5.3).
    fn agent_response(&self, agent: &AgentRecord, in_list: bool) -> Value {
        let mut answer = self.agent_record(agent);
        let Value::Object(map) = &mut answer else { return answer };
        map.shift_remove("organization_id");
        if !(in_list && self.behaviour.is(Switch::ListVersions, "no")) {
            let versions: Vec<Value> = agent
                .versions
                .iter()
                .map(|version| {
                    json!({"id": version.id, "version": version.version, "published": version.published,
                        "created_by": self.author(&version.created_by), "modified_by": self.author(&version.modified_by)})
                })
                .collect();
            map.insert("versions".to_owned(), json!(versions));
        }
        let widgets: Vec<Value> = self
            .state
            .widgets
            .values()
            .filter(|widget| widget.get("agent_id").and_then(Value::as_str) == Some(agent.id.as_str()))
            .map(|widget| {
                json!({"id": widget.get("id"), "agent_version_id": widget.get("agent_version_id"), "published": widget.get("published")})
            })
            .collect();
        map.insert("has_published_version".to_owned(), json!(agent.live().is_some()));
        map.insert("phone_numbers".to_owned(), json!(self.numbers_of(agent)));
        map.insert("widget_count".to_owned(), json!(widgets.len()));
        map.insert("widgets".to_owned(), json!(widgets));
        map.insert("sip_endpoint".to_owned(), if agent.sip { sip(&agent.id) } else { Value::Null });
        // Volatile statistics: they change with every reading, and nobody may take them for a difference.
        map.insert("total_conversations".to_owned(), json!(self.state.counter * 7));
        map.insert("total_duration".to_owned(), json!(self.now.as_second() % 86_400));
        map.insert("average_duration".to_owned(), json!(42.5));
        map.insert("last_conversation_date".to_owned(), json!(self.now));
        map.insert("today_conversations".to_owned(), json!(3));
        map.insert("daily_conversation_counts".to_owned(), json!([]));
        answer
    }

    fn numbers_of(&self, agent: &AgentRecord) -> Vec<Value> {
        let per_slot = self.behaviour.is(Switch::NumberEntries, "per-slot");
        let mut entries = Vec::new();
        for number in self.state.numbers.values() {
            let slots =
                [("inbound", &number.inbound_agent_version_id), ("outbound", &number.outbound_agent_version_id)];
            let mut seen: Vec<&String> = Vec::new();
            for (direction, slot) in slots {
                let Some(version) =
                    slot.as_ref().and_then(|slot| agent.versions.iter().find(|version| version.id == *slot))
                else {
                    continue;
                };
                if !per_slot && seen.contains(&&version.id) {
                    continue;
                }
                seen.push(&version.id);
                let direction = if per_slot { json!(direction) } else { Value::Null };
                entries.push(json!({"phone_number": number.phone_number, "agent_version_id": version.id,
                    "version": version.version, "direction": direction}));
            }
        }
        entries
    }
}

fn sip(id: &str) -> Value {
    json!({"uri": format!("sip:{id}@sip.sandbox.invalid"), "deployed": true})
}

/// Whether `wanted` is contained in `value`: the likely meaning of the `metadata` filter (contract, section 4).
fn contains(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| value.get(key).is_some_and(|value| contains(value, wanted)))
        }
        (value, wanted) => value == wanted,
    }
}
