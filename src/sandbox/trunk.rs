//! Trunks: `/core/trunks`. Managed ones are the service's own and cannot be changed.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::listing::page;
use super::mint::Kind;
use super::record::Trunk;
use super::wire;

/// `GET /core/trunks`
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let request = call.request;
    let mut trunks = call.organization.trunks.see_under("");
    trunks.retain(|trunk| request.query("name").is_none_or(|wanted| trunk.name == wanted));
    let page = page(request, call.behaviour, trunks)?;
    Ok(page.answer(request, call.behaviour, |trunk| wire::trunk(call, &trunk)))
}

/// `GET /core/trunks/{id}`
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let id = call.parameter(0).to_owned();
    let trunk = call.organization.trunks.see(&id).ok_or_else(|| Refusal::not_found("Trunk"))?;
    Ok(Answer::ok(wire::trunk(call, &trunk)))
}

/// `POST /core/trunks`
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let name = body.required_text("name");
    let inbound_config = with_defaults(body.object("inbound_config"), INBOUND_DEFAULTS);
    let outbound_config = with_defaults(body.object("outbound_config"), OUTBOUND_DEFAULTS);
    body.finish()?;
    let (id, _) = call.mint.id(Kind::Trunk);
    let authored = call.authored();
    let trunk = Trunk { id, name, managed: false, inbound_config, outbound_config, authored };
    call.organization.trunks.put(&trunk.id, trunk.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::trunk(call, &trunk)))
}

/// `PUT /core/trunks/{id}`: what is not sent stays.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut trunk = find(call)?;
    let mut body = Body::read(call.request)?;
    let name = body.text("name");
    let inbound = body.object("inbound_config");
    let outbound = body.object("outbound_config");
    body.finish()?;
    refuse_managed(&trunk)?;
    trunk.name = name.unwrap_or(trunk.name);
    if inbound.is_some() {
        trunk.inbound_config = with_defaults(inbound, INBOUND_DEFAULTS);
    }
    if outbound.is_some() {
        trunk.outbound_config = with_defaults(outbound, OUTBOUND_DEFAULTS);
    }
    call.touch()(&mut trunk.authored);
    call.organization.trunks.put(&trunk.id, trunk.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::trunk(call, &trunk)))
}

/// `DELETE /core/trunks/{id}`
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let trunk = find(call)?;
    refuse_managed(&trunk)?;
    call.organization.trunks.remove(&trunk.id, call.behaviour.eventual);
    Ok(Answer::no_content())
}

fn find(call: &Call<'_>) -> Result<Trunk, Refusal> {
    call.organization.trunks.get(call.parameter(0)).cloned().ok_or_else(|| Refusal::not_found("Trunk"))
}

fn refuse_managed(trunk: &Trunk) -> Result<(), Refusal> {
    if trunk.managed { Err(Refusal::bad_request("Managed trunks cannot be changed")) } else { Ok(()) }
}

const INBOUND_DEFAULTS: &[(&str, &str)] = &[("media_encryption", "SIP_MEDIA_ENCRYPT_NONE")];
const OUTBOUND_DEFAULTS: &[(&str, &str)] =
    &[("transport", "SIP_TRANSPORT_UDP"), ("media_encryption", "SIP_MEDIA_ENCRYPT_NONE")];

/// The documented defaults of a trunk's halves; a half that is absent stays null.
fn with_defaults(config: Option<Value>, defaults: &[(&str, &str)]) -> Value {
    let Some(Value::Object(mut fields)) = config else { return Value::Null };
    for (name, default) in defaults {
        fields.entry(*name).or_insert_with(|| json!(default));
    }
    Value::Object(fields)
}
