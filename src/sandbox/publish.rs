//! Publishing: the flag first, then the slots of phone numbers.

use serde_json::{Value, json};

use super::answer::{Answer, Invalid, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::record::{Number, Version};
use super::switches::{Publish, PublishBlocked, PublishBody, PublishBoth, Republish, Takeover, UnknownNumber};
use super::wire;

/// Which slots one call touches.
#[derive(Clone, Copy)]
struct Slots {
    inbound: bool,
    outbound: bool,
}

impl Slots {
    fn of(number: &mut Number, slots: Self) -> impl Iterator<Item = &mut Option<String>> {
        let inbound = slots.inbound.then_some(&mut number.inbound);
        let outbound = slots.outbound.then_some(&mut number.outbound);
        inbound.into_iter().chain(outbound)
    }
}

/// `POST /core/agents/{id}/versions/{version}/publish`
pub(super) fn publish(call: &mut Call<'_>) -> Reply {
    let version = call.version()?;
    let mut body = match call.behaviour.publish_body {
        PublishBody::Optional => Body::read_or_empty(call.request)?,
        PublishBody::Required => Body::read(call.request)?,
    };
    let assign = body.texts("phone_numbers").unwrap_or_default();
    let unassign = body.texts("unassign_phone_numbers").unwrap_or_default();
    let direction = body.word("direction", &["inbound", "outbound", "both"]).unwrap_or("inbound");
    body.finish()?;
    let slots = Slots { inbound: direction != "outbound", outbound: direction != "inbound" };
    check_ready(call, &version)?;
    // The flag is written before the pointers, so that a refused number leaves the version published.
    set_published(call, version.clone());
    let mut affected: Vec<String> = Vec::new();
    for number in assign.iter().chain(&unassign) {
        if !affected.contains(number) {
            affected.push(number.clone());
        }
    }
    if call.behaviour.publish_atomic {
        for number in &affected {
            check_number(call, number)?;
        }
        for number in &assign {
            check_takeover(call, &version, number, slots)?;
        }
    }
    if call.behaviour.publish_both == PublishBoth::Assign {
        clear(call, &version, &unassign, slots)?;
        fill(call, &version, &assign, slots)?;
    } else {
        fill(call, &version, &assign, slots)?;
        clear(call, &version, &unassign, slots)?;
    }
    let records: Vec<Value> = affected
        .iter()
        .filter_map(|number| call.organization.numbers.get(number))
        .map(|number| wire::number(call, number))
        .collect();
    Ok(Answer::ok(Value::Array(records)))
}

fn check_ready(call: &Call<'_>, version: &Version) -> Result<(), Refusal> {
    let status = match call.behaviour.publish_blocked {
        PublishBlocked::Conflict => 409,
        PublishBlocked::BadRequest => 400,
    };
    if version.published {
        return match call.behaviour.republish {
            Republish::Allow => Ok(()),
            Republish::Refuse => Err(Refusal::conflict("Version is already published")),
        };
    }
    if version.generation.is_some() {
        return Err(Refusal::Detail(status, "Instructions are being generated".to_owned()));
    }
    if version.is_stale() {
        return Err(Refusal::Detail(status, "Instructions are stale: generate or edit them first".to_owned()));
    }
    Ok(())
}

fn set_published(call: &mut Call<'_>, mut version: Version) {
    if version.published {
        return;
    }
    version.published = true;
    call.touch()(&mut version.authored);
    super::version::put(call, &version);
    let is_newest = call.organization.live_version(&version.agent_id).is_some_and(|live| live.id == version.id);
    if call.behaviour.publish == Publish::Follow && is_newest {
        follow(call, &version);
    }
}

/// Moves every slot that holds an older version of the agent.
fn follow(call: &mut Call<'_>, version: &Version) {
    let own: Vec<String> =
        call.organization.versions(&version.agent_id).into_iter().map(|version| version.id.clone()).collect();
    let numbers: Vec<String> = call.organization.numbers.iter().map(|number| number.phone_number.clone()).collect();
    for number in numbers {
        write_slots(call, &number, Slots { inbound: true, outbound: true }, |slot| {
            if slot.as_ref().is_some_and(|id| own.contains(id)) {
                *slot = Some(version.id.clone());
            }
        });
    }
}

fn fill(call: &mut Call<'_>, version: &Version, numbers: &[String], slots: Slots) -> Result<(), Refusal> {
    for number in numbers {
        check_number(call, number)?;
        check_takeover(call, version, number, slots)?;
        write_slots(call, number, slots, |slot| *slot = Some(version.id.clone()));
    }
    Ok(())
}

/// Empties slots that hold any version of this agent; those of other agents stay.
fn clear(call: &mut Call<'_>, version: &Version, numbers: &[String], slots: Slots) -> Result<(), Refusal> {
    let own: Vec<String> =
        call.organization.versions(&version.agent_id).into_iter().map(|version| version.id.clone()).collect();
    for number in numbers {
        check_number(call, number)?;
        write_slots(call, number, slots, |slot| {
            if slot.as_ref().is_some_and(|id| own.contains(id)) {
                *slot = None;
            }
        });
    }
    Ok(())
}

/// Changes slots of a number, and notes the change only where there was one.
fn write_slots(call: &mut Call<'_>, number: &str, slots: Slots, mut write: impl FnMut(&mut Option<String>)) {
    let Some(mut record) = call.organization.numbers.get(number).cloned() else { return };
    let before = (record.inbound.clone(), record.outbound.clone());
    Slots::of(&mut record, slots).for_each(&mut write);
    if before != (record.inbound.clone(), record.outbound.clone()) {
        call.touch()(&mut record.authored);
        call.organization.numbers.put(number, record, call.behaviour.eventual);
    }
}

fn check_number(call: &Call<'_>, number: &str) -> Result<(), Refusal> {
    if call.organization.numbers.get(number).is_some() {
        return Ok(());
    }
    let detail = format!("Phone number {number} not found");
    Err(match call.behaviour.publish_unknown_number {
        UnknownNumber::NotFound => Refusal::Detail(404, detail),
        UnknownNumber::BadRequest => Refusal::Detail(400, detail),
        UnknownNumber::Invalid => {
            Invalid::at([json!("body"), json!("phone_numbers")], "value_error", detail).with_input(json!(number)).into()
        }
    })
}

fn check_takeover(call: &Call<'_>, version: &Version, number: &str, slots: Slots) -> Result<(), Refusal> {
    if call.behaviour.takeover == Takeover::Silent {
        return Ok(());
    }
    let Some(mut record) = call.organization.numbers.get(number).cloned() else { return Ok(()) };
    let foreign = Slots::of(&mut record, slots).flatten().any(|id| {
        !call.organization.is_version_of(id, &version.agent_id) && call.organization.version_by_id(id).is_some()
    });
    if foreign {
        return Err(Refusal::conflict(format!("Phone number {number} is assigned to another agent")));
    }
    Ok(())
}
