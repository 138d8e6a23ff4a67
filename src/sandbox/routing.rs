//! Inbound routing: one for an organization, without an id in its path.

use serde_json::Value;

use super::answer::{Answer, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::organization::ROUTING;
use super::record::Routing;
use super::wire;

/// `GET /core/inbound-routing-config`
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let routing = call.organization.routing.see(ROUTING).ok_or_else(not_found)?;
    Ok(Answer::ok(wire::routing(call, &routing)))
}

/// `POST /core/inbound-routing-config`: 409 where there is one.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let workflow_definition = body.required("workflow_definition");
    let fallback_agent_id = body.text("fallback_agent_id");
    let fallback_agent_version = body.integer("fallback_agent_version");
    let enabled = body.flag("enabled").unwrap_or(true);
    body.finish()?;
    if call.organization.routing.get(ROUTING).is_some() {
        return Err(Refusal::conflict("Inbound routing config already exists"));
    }
    check_fallback(call, fallback_agent_id.as_deref())?;
    let authored = call.authored();
    let routing = Routing { workflow_definition, fallback_agent_id, fallback_agent_version, enabled, authored };
    Ok(store(call, routing))
}

/// `PUT /core/inbound-routing-config`: what is not sent stays.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut routing = call.organization.routing.get(ROUTING).cloned().ok_or_else(not_found)?;
    let mut body = Body::read(call.request)?;
    let fallback_agent_id = body.text("fallback_agent_id");
    let fallback_agent_version = body.integer("fallback_agent_version");
    let enabled = body.flag("enabled");
    body.finish()?;
    if let Some(definition) = body.raw("workflow_definition").filter(|value| !value.is_null()) {
        routing.workflow_definition = Value::clone(definition);
    }
    if body.has("fallback_agent_id") {
        check_fallback(call, fallback_agent_id.as_deref())?;
        routing.fallback_agent_id = fallback_agent_id;
    }
    if body.has("fallback_agent_version") {
        routing.fallback_agent_version = fallback_agent_version;
    }
    routing.enabled = enabled.unwrap_or(routing.enabled);
    call.touch()(&mut routing.authored);
    Ok(store(call, routing))
}

/// `DELETE /core/inbound-routing-config`
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    call.organization.routing.get(ROUTING).ok_or_else(not_found)?;
    call.organization.routing.remove(ROUTING, call.behaviour.eventual);
    Ok(Answer::no_content())
}

fn not_found() -> Refusal {
    Refusal::not_found("Inbound routing config")
}

fn check_fallback(call: &Call<'_>, agent_id: Option<&str>) -> Result<(), Refusal> {
    match agent_id {
        Some(id) if call.organization.agents.get(id).is_none() => Err(Refusal::not_found("Agent")),
        _ => Ok(()),
    }
}

fn store(call: &mut Call<'_>, routing: Routing) -> Answer {
    let answer = Answer::ok(wire::routing(call, &routing));
    call.organization.routing.put(ROUTING, routing, call.behaviour.eventual);
    answer
}
