//! Phone numbers: `/core/phone-numbers`. Their slots are written by publishing, never here.

use serde_json::json;

use super::answer::{Answer, Invalid, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::listing::page;
use super::record::Number;
use super::wire;

/// How many numbers an organization may have; the contract says that there is a limit, not which.
const NUMBERS_MAX: usize = 1000;

/// E.164: a plus, then 7 to 15 digits that do not begin with a zero.
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    })
}

/// `GET /core/phone-numbers`
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let request = call.request;
    let mut numbers = call.organization.numbers.see_under("");
    numbers.retain(|number| {
        request.query("phone_number").is_none_or(|part| number.phone_number.contains(part))
            && request.query("trunk_id").is_none_or(|wanted| number.trunk_id.as_deref() == Some(wanted))
    });
    let page = page(request, call.behaviour, numbers)?;
    Ok(page.answer(request, call.behaviour, |number| wire::number(call, &number)))
}

/// `GET /core/phone-numbers/{phone_number}`
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let key = call.parameter(0).to_owned();
    let number = call.organization.numbers.see(&key).ok_or_else(|| Refusal::not_found("Phone number"))?;
    Ok(Answer::ok(wire::number(call, &number)))
}

/// `POST /core/phone-numbers`: only on a trunk that the organization brought itself.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let phone_number = body.required_text("phone_number");
    let trunk_id = body.required_text("trunk_id");
    let outbound_shareable = body.flag("outbound_shareable").unwrap_or(false);
    if body.raw("phone_number").is_some_and(serde_json::Value::is_string) && !is_e164(&phone_number) {
        body.wrong("phone_number", "value_error", "Value error, not an E.164 phone number");
    }
    body.finish()?;
    let trunk = call.organization.trunks.get(&trunk_id).ok_or_else(|| Refusal::not_found("Trunk"))?;
    if trunk.managed {
        return Err(Refusal::bad_request("Phone numbers cannot be added to a managed trunk"));
    }
    if call.organization.numbers.get(&phone_number).is_some() {
        return Err(Refusal::conflict("Phone number already exists"));
    }
    if call.organization.numbers.iter().count() >= NUMBERS_MAX {
        return Err(Refusal::bad_request("Phone number limit reached"));
    }
    let number = Number {
        phone_number,
        trunk_id: Some(trunk_id),
        inbound: None,
        outbound: None,
        managed_account_id: None,
        external_id: None,
        outbound_shareable,
        authored: call.authored(),
    };
    call.organization.numbers.put(&number.phone_number, number.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::number(call, &number)))
}

/// `PATCH /core/phone-numbers/{phone_number}`: `outbound_shareable` alone.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut number = find(call)?;
    let mut body = Body::read(call.request)?;
    let shareable = body.flag("outbound_shareable");
    if shareable.is_none() && body.value("outbound_shareable").is_none() {
        let fault = Invalid::at(["body", "outbound_shareable"], "missing", "Field required");
        return Err(fault.with_input(json!({})).into());
    }
    body.finish()?;
    number.outbound_shareable = shareable.unwrap_or(number.outbound_shareable);
    call.touch()(&mut number.authored);
    call.organization.numbers.put(&number.phone_number, number.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::number(call, &number)))
}

/// `DELETE /core/phone-numbers/{phone_number}`
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let number = find(call)?;
    call.organization.numbers.remove(&number.phone_number, call.behaviour.eventual);
    Ok(Answer::no_content())
}

fn find(call: &Call<'_>) -> Result<Number, Refusal> {
    call.organization.numbers.get(call.parameter(0)).cloned().ok_or_else(|| Refusal::not_found("Phone number"))
}
