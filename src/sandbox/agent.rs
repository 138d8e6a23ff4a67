//! Agents: `/core/agents`, the schema of their configs, and the caller's scopes.

use serde_json::{Value, json};

use super::agent_config::merge_patch;
use super::answer::{Answer, Invalid, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::listing::{self, page};
use super::mint::Kind;
use super::organization::{ROUTING, version_key, versions_of};
use super::record::{Agent, Version};
use super::switches::{CreateId, DeleteAgent, Metadata, NameFilter, ScopesShape};
use super::version::{self, Builder};
use super::wire::{self, Surroundings};

/// `GET /admin/members/me/scopes`
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one type")]
pub(super) fn scopes(call: &mut Call<'_>) -> Reply {
    let scopes = &call.caller.scopes;
    Ok(Answer::ok(match call.behaviour.scopes {
        ScopesShape::Array => json!(scopes),
        ScopesShape::Object => json!({ "scopes": scopes }),
    }))
}

/// `GET /core/agent-config-schema`
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one type")]
pub(super) fn config_schema(call: &mut Call<'_>) -> Reply {
    Ok(Answer::text("application/json", call.schema.text().to_owned()))
}

/// `GET /core/agents`
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let request = call.request;
    let active = listing::flag(request, "active")?;
    let is_demo = listing::flag(request, "is_demo")?;
    let ids = listing::several(request, "ids");
    let metadata = request.query("metadata").map(metadata_filter).transpose()?;
    let substring = call.behaviour.name_filter == NameFilter::Substring;
    let name_fits = |name: &str| match request.query("name") {
        None => true,
        Some(wanted) if substring => name.to_lowercase().contains(&wanted.to_lowercase()),
        Some(wanted) => name == wanted,
    };
    let mut agents = call.organization.agents.see_under("");
    agents.retain(|agent| {
        name_fits(&agent.name)
            && active.is_none_or(|wanted| agent.active == wanted)
            && is_demo.is_none_or(|wanted| agent.is_demo == wanted)
            && ids.as_ref().is_none_or(|ids| ids.contains(&agent.id))
            && metadata.as_ref().is_none_or(|part| wire::contains(&agent.metadata, part))
    });
    let page = page(request, call.behaviour, agents)?;
    let around = Surroundings::read(call, None);
    let behaviour = call.behaviour;
    Ok(page.answer(request, behaviour, |agent| {
        let mut object = wire::agent_response(behaviour, &agent, &around);
        if let Some(fields) = object.as_object_mut() {
            let shown = [
                ("versions", behaviour.list_versions),
                ("metadata", behaviour.list_metadata),
                ("phone_numbers", behaviour.list_numbers),
            ];
            for (field, _) in shown.iter().filter(|(_, shown)| !shown) {
                fields.shift_remove(*field);
            }
        }
        object
    }))
}

fn metadata_filter(text: &str) -> Result<Value, Refusal> {
    let parsed = serde_json::from_str(text).ok().filter(Value::is_object);
    parsed.ok_or_else(|| {
        let fault = Invalid::at(["query", "metadata"], "json_invalid", "Input should be a JSON object");
        fault.with_input(text.into()).into()
    })
}

/// `POST /core/agents`: a shell, without any version.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let name = body.required_text("name");
    let description = body.text("description");
    let active = body.flag("active").unwrap_or(true);
    let is_demo = body.flag("is_demo").unwrap_or(false);
    let metadata = body.raw("metadata").cloned().unwrap_or_default();
    body.finish()?;
    let agent = add(call, name, description, active, is_demo, metadata)?;
    let mut object = wire::agent(call, &agent);
    if let Some(fields) = object.as_object_mut() {
        match call.behaviour.create_id {
            CreateId::Id => {}
            CreateId::AgentId => {
                fields.shift_remove("id");
                fields.insert("agent_id".to_owned(), json!(agent.id));
            }
            CreateId::Both => {
                fields.insert("agent_id".to_owned(), json!(agent.id));
            }
        }
    }
    Ok(Answer::ok(object))
}

/// Stores a new agent.
pub(super) fn add(
    call: &mut Call<'_>,
    name: String,
    description: Option<String>,
    active: bool,
    is_demo: bool,
    metadata: Value,
) -> Result<Agent, Refusal> {
    check_name(call, &name, None)?;
    let (id, _) = call.mint.id(Kind::Agent);
    let authored = call.authored();
    let agent = Agent { id, name, description, active, is_demo, metadata, sip_deployed: None, authored };
    call.organization.agents.put(&agent.id, agent.clone(), call.behaviour.eventual);
    Ok(agent)
}

fn check_name(call: &Call<'_>, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        let fault = Invalid::at(["body", "name"], "string_too_short", "String should have at least 1 character");
        return Err(fault.with_context(json!({ "min_length": 1 })).into());
    }
    let taken = |agent: &Agent| agent.name == name && own != Some(agent.id.as_str());
    if call.behaviour.name_unique && call.organization.agents.iter().any(taken) {
        return Err(Refusal::conflict("An agent with this name already exists"));
    }
    Ok(())
}

/// `GET /core/agents/{id}`
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let id = call.parameter(0).to_owned();
    let agent = call.organization.agents.see(&id).ok_or_else(|| Refusal::not_found("Agent"))?;
    let around = Surroundings::read(call, Some(&id));
    let mut object = wire::agent_response(call.behaviour, &agent, &around);
    if let Some(fields) = object.as_object_mut().filter(|_| !call.behaviour.record_versions) {
        fields.shift_remove("versions");
    }
    Ok(Answer::ok(object))
}

/// `PUT /core/agents/{id}`: what is not sent stays.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut agent = call.agent()?;
    let mut body = Body::read(call.request)?;
    let name = body.text("name");
    let description = body.text("description");
    let active = body.flag("active");
    let is_demo = body.flag("is_demo");
    body.finish()?;
    if let Some(name) = name {
        check_name(call, &name, Some(&agent.id))?;
        agent.name = name;
    }
    if body.has("description") {
        agent.description = description;
    }
    agent.active = active.unwrap_or(agent.active);
    agent.is_demo = is_demo.unwrap_or(agent.is_demo);
    if let Some(metadata) = body.raw("metadata").cloned() {
        match call.behaviour.metadata {
            Metadata::Replace => agent.metadata = metadata,
            Metadata::Merge => merge_shallow(&mut agent.metadata, metadata),
            Metadata::DeepMerge => merge_patch(&mut agent.metadata, metadata),
        }
    }
    call.touch()(&mut agent.authored);
    call.organization.agents.put(&agent.id, agent.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::agent(call, &agent)))
}

fn merge_shallow(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => base.extend(over),
        (base, over) => *base = over,
    }
}

/// `DELETE /core/agents/{id}`
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let agent = call.agent()?;
    let lag = call.lag();
    let ids: Vec<String> = call.organization.versions(&agent.id).iter().map(|version| version.id.clone()).collect();
    let holds = |slot: &Option<String>| slot.as_ref().is_some_and(|id| ids.contains(id));
    match call.behaviour.delete_agent {
        DeleteAgent::LeavesDangling => {}
        DeleteAgent::RefusedWhileReferenced => {
            let organization = &call.organization;
            let referenced =
                organization.numbers.iter().any(|number| holds(&number.inbound) || holds(&number.outbound))
                    || organization.widgets.iter().any(|widget| widget.agent_id == agent.id)
                    || organization.emails.iter().any(|email| holds(&email.inbound_agent_version_id))
                    || organization.routing.iter().any(|routing| routing.fallback_agent_id.as_ref() == Some(&agent.id));
            if referenced {
                return Err(Refusal::conflict("Agent is still referenced"));
            }
        }
        DeleteAgent::ClearsSlots => {
            let numbers: Vec<String> = call
                .organization
                .numbers
                .iter()
                .filter(|number| holds(&number.inbound) || holds(&number.outbound))
                .map(|number| number.phone_number.clone())
                .collect();
            for number in numbers {
                call.organization.numbers.change(&number, lag, |number| {
                    number.inbound = number.inbound.take().filter(|id| !ids.contains(id));
                    number.outbound = number.outbound.take().filter(|id| !ids.contains(id));
                });
            }
            let widgets = call.organization.widgets.iter().filter(|widget| widget.agent_id == agent.id);
            for id in widgets.map(|widget| widget.id.clone()).collect::<Vec<_>>() {
                call.organization.widgets.remove(&id, lag);
            }
            let emails = call.organization.emails.iter().filter(|email| holds(&email.inbound_agent_version_id));
            for id in emails.map(|email| email.id.clone()).collect::<Vec<_>>() {
                call.organization.emails.change(&id, lag, |email| email.inbound_agent_version_id = None);
            }
            if call.organization.routing.iter().any(|routing| routing.fallback_agent_id.as_ref() == Some(&agent.id)) {
                call.organization.routing.change(ROUTING, lag, |routing| {
                    routing.fallback_agent_id = None;
                    routing.fallback_agent_version = None;
                });
            }
        }
    }
    let keys: Vec<String> = call
        .organization
        .versions
        .under(&versions_of(&agent.id))
        .into_iter()
        .map(|version| version_key(&agent.id, version.number))
        .collect();
    for key in keys {
        call.organization.versions.remove(&key, lag);
    }
    call.organization.agents.remove(&agent.id, lag);
    Ok(Answer::no_content())
}

/// `POST /core/agents/{id}/clone`: version 1 of a new agent, unpublished, with nothing that points at it.
pub(super) fn clone(call: &mut Call<'_>) -> Reply {
    let original = call.agent()?;
    let mut body = Body::read(call.request)?;
    let name = body.required_text("name");
    let wanted = body.integer("version");
    body.finish()?;
    let source: Version = match wanted {
        Some(number) => call.find_version(&original.id, number)?,
        None => call
            .organization
            .versions(&original.id)
            .last()
            .map(|&version| version.clone())
            .ok_or_else(|| Refusal::not_found("Agent version"))?,
    };
    let metadata = original.metadata.clone();
    let agent = add(call, name, original.description.clone(), original.active, false, metadata)?;
    let builder = Builder::of(&source);
    version::add(call, &agent.id, source.config, builder)?;
    Ok(Answer::ok(wire::agent(call, &agent)))
}

/// `POST /core/agents/{id}/deploy-as-sip`; a second time changes nothing.
pub(super) fn deploy_sip(call: &mut Call<'_>) -> Reply {
    set_sip(call, true)
}

/// `DELETE /core/agents/{id}/deploy-as-sip`
pub(super) fn undeploy_sip(call: &mut Call<'_>) -> Reply {
    if call.agent()?.sip_deployed != Some(true) {
        return Err(Refusal::not_found("SIP endpoint"));
    }
    set_sip(call, false)
}

fn set_sip(call: &mut Call<'_>, deployed: bool) -> Reply {
    let mut agent = call.agent()?;
    if agent.sip_deployed != Some(deployed) {
        agent.sip_deployed = Some(deployed);
        call.touch()(&mut agent.authored);
        call.organization.agents.put(&agent.id, agent.clone(), call.behaviour.eventual);
    }
    Ok(Answer::ok(wire::sip_endpoint(&agent.id, deployed)))
}
