//! Email addresses: `/core/email-addresses`.

use serde_json::Value;

use super::answer::{Answer, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::listing::page;
use super::mint::Kind;
use super::record::Email;
use super::switches::EmailTaken;
use super::wire;

/// Who may answer an address.
const HANDLERS: &[&str] = &["agent", "demo"];

/// `GET /core/email-addresses`
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let request = call.request;
    let mut emails = call.organization.emails.see_under("");
    emails.retain(|email| request.query("address").is_none_or(|wanted| email.address == wanted));
    let page = page(request, call.behaviour, emails)?;
    Ok(page.answer(request, call.behaviour, |email| wire::email(call, &email)))
}

/// `GET /core/email-addresses/{id}`
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let id = call.parameter(0).to_owned();
    let email = call.organization.emails.see(&id).ok_or_else(not_found)?;
    Ok(Answer::ok(wire::email(call, &email)))
}

/// `POST /core/email-addresses`: an `agent_id` is resolved to its live version, once.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let address = body.required_text("address");
    let provider = body.text("provider").unwrap_or_else(|| "resend".to_owned());
    let agent_id = body.text("agent_id");
    let version_id = body.text("inbound_agent_version_id");
    let outbound_from_address = body.text("outbound_from_address");
    let enabled = body.flag("enabled").unwrap_or(true);
    let handler = body.word("handler", HANDLERS).unwrap_or("agent").to_owned();
    let handler_config = body.value("handler_config").unwrap_or_default();
    body.finish()?;
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    if !call.organization.email_domains.iter().any(|verified| verified == domain) {
        return Err(Refusal::bad_request("The email domain is not verified"));
    }
    if call.organization.emails.iter().any(|email| email.address == address) {
        let status = match call.behaviour.email_taken {
            EmailTaken::Conflict => 409,
            EmailTaken::BadRequest => 400,
        };
        return Err(Refusal::Detail(status, "Email address is already in use".to_owned()));
    }
    let inbound_agent_version_id = target(call, agent_id, version_id)?;
    let (id, _) = call.mint.id(Kind::Email);
    let email = Email {
        id,
        address,
        provider,
        inbound_agent_version_id,
        outbound_from_address,
        enabled,
        handler,
        handler_config,
        authored: call.authored(),
    };
    call.organization.emails.put(&email.id, email.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::email(call, &email)))
}

/// `PATCH /core/email-addresses/{id}`: an explicit null clears a field.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut email = find(call)?;
    let mut body = Body::read(call.request)?;
    let agent_id = body.text("agent_id");
    let version_id = body.text("inbound_agent_version_id");
    let outbound = body.text("outbound_from_address");
    let enabled = body.flag("enabled");
    let handler = body.word("handler", HANDLERS);
    body.finish()?;
    if body.has("inbound_agent_version_id") || agent_id.is_some() {
        email.inbound_agent_version_id = target(call, agent_id, version_id)?;
    }
    if body.has("outbound_from_address") {
        email.outbound_from_address = outbound;
    }
    if let Some(config) = body.raw("handler_config") {
        email.handler_config = Value::clone(config);
    }
    email.enabled = enabled.unwrap_or(email.enabled);
    email.handler = handler.map_or(email.handler, str::to_owned);
    call.touch()(&mut email.authored);
    call.organization.emails.put(&email.id, email.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::email(call, &email)))
}

/// `DELETE /core/email-addresses/{id}`
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let email = find(call)?;
    call.organization.emails.remove(&email.id, call.behaviour.eventual);
    Ok(Answer::no_content())
}

fn not_found() -> Refusal {
    Refusal::not_found("Email address")
}

fn find(call: &Call<'_>) -> Result<Email, Refusal> {
    call.organization.emails.get(call.parameter(0)).cloned().ok_or_else(not_found)
}

/// The version that mail goes to.
fn target(call: &Call<'_>, agent_id: Option<String>, version_id: Option<String>) -> Result<Option<String>, Refusal> {
    if let Some(id) = version_id {
        let version = call.organization.version_by_id(&id).ok_or_else(|| Refusal::not_found("Agent version"))?;
        return if version.published {
            Ok(Some(id))
        } else {
            Err(Refusal::bad_request("The agent version is not published"))
        };
    }
    let Some(agent_id) = agent_id else { return Ok(None) };
    call.organization.agents.get(&agent_id).ok_or_else(|| Refusal::not_found("Agent"))?;
    let live = call.organization.live_version(&agent_id);
    let live = live.ok_or_else(|| Refusal::bad_request("The agent has no published version"))?;
    Ok(Some(live.id.clone()))
}
