//! Records as they are written on the wire.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::agent_config;
use super::behaviour::Behaviour;
use super::call::Call;
use super::mint::wire_time;
use super::organization::Organization;
use super::record::{Agent, Authored, Email, Number, Routing, Trunk, Version, Widget};
use super::switches::{KeyOrder, NumberEntries, Order};

/// The four fields of authorship.
fn authored(behaviour: &Behaviour, authored: &Authored, object: &mut Value) {
    let (created_by, modified_by) = authors(behaviour, authored);
    object["created_at"] = json!(wire_time(authored.created_at));
    object["updated_at"] = json!(wire_time(authored.updated_at));
    object["created_by"] = created_by;
    object["modified_by"] = modified_by;
}

fn authors(behaviour: &Behaviour, authored: &Authored) -> (Value, Value) {
    if behaviour.authors {
        (json!(authored.created_by), json!(authored.modified_by))
    } else {
        (Value::Null, Value::Null)
    }
}

/// The shorter agent, which creating and updating answer with.
pub(super) fn agent(call: &Call<'_>, record: &Agent) -> Value {
    let mut object = json!({
        "id": record.id,
        "organization_id": call.organization.id,
        "name": record.name,
        "description": record.description,
        "active": record.active,
        "is_demo": record.is_demo,
        "metadata": record.metadata,
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

/// What an agent's answer says of the rest of the organization, looked up once for a whole list.
pub(super) struct Surroundings {
    versions: BTreeMap<String, Vec<VersionLine>>,
    numbers: BTreeMap<String, Vec<Value>>,
    widgets: BTreeMap<String, Vec<Value>>,
    /// Grows with every request, as the statistics of a busy agent do.
    served: u64,
}

/// A version without its config.
struct VersionLine {
    number: u64,
    published: bool,
    entry: Value,
}

impl Surroundings {
    /// Reads what surrounds one agent, or all of them, as a reader is shown it.
    pub(super) fn read(call: &mut Call<'_>, of: Option<&str>) -> Self {
        let prefix = of.map(super::organization::versions_of).unwrap_or_default();
        let behaviour = call.behaviour;
        let lines = call.organization.versions.see_with(&prefix, |version| {
            let (created_by, modified_by) = authors(behaviour, &version.authored);
            let entry = json!({
                "id": version.id,
                "version": version.number,
                "published": version.published,
                "created_by": created_by,
                "modified_by": modified_by,
            });
            (version.agent_id.clone(), VersionLine { number: version.number, published: version.published, entry })
        });
        let mut versions: BTreeMap<String, Vec<VersionLine>> = BTreeMap::new();
        for (agent_id, line) in lines {
            versions.entry(agent_id).or_default().push(line);
        }
        let Organization { numbers: all_numbers, widgets: all_widgets, versions: true_versions, .. } =
            &mut *call.organization;
        let by_id: BTreeMap<&str, (&str, u64)> = true_versions
            .under(&prefix)
            .into_iter()
            .map(|version| (version.id.as_str(), (version.agent_id.as_str(), version.number)))
            .collect();
        let mut numbers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for number in all_numbers.see_under("") {
            for (agent_id, entry) in number_entries(call.behaviour.number_entries, &number, &by_id) {
                numbers.entry(agent_id).or_default().push(entry);
            }
        }
        let mut widgets: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for widget in all_widgets.see_under("") {
            widgets.entry(widget.agent_id).or_default().push(json!({
                "id": widget.id,
                "agent_version_id": widget.agent_version_id,
                "published": widget.published,
            }));
        }
        Self { versions, numbers, widgets, served: call.served }
    }
}

fn number_entries(style: NumberEntries, number: &Number, by_id: &BTreeMap<&str, (&str, u64)>) -> Vec<(String, Value)> {
    let slot = |id: &Option<String>| {
        let id = id.as_deref()?;
        let (agent_id, version) = by_id.get(id)?;
        Some((id.to_owned(), (*agent_id).to_owned(), *version))
    };
    let entry = |(id, agent_id, version): (String, String, u64), direction: Value| {
        let entry = json!({
            "phone_number": number.phone_number,
            "agent_version_id": id,
            "version": version,
            "direction": direction,
        });
        (agent_id, entry)
    };
    let (inbound, outbound) = (slot(&number.inbound), slot(&number.outbound));
    let one_agent = matches!((&inbound, &outbound), (Some(a), Some(b)) if a.1 == b.1);
    match style {
        NumberEntries::Merged if inbound.is_some() && inbound == outbound => {
            inbound.map(|slot| entry(slot, json!("both"))).into_iter().collect()
        }
        NumberEntries::PerNumber if one_agent => inbound.map(|slot| entry(slot, Value::Null)).into_iter().collect(),
        NumberEntries::PerNumber => {
            [inbound, outbound].into_iter().flatten().map(|slot| entry(slot, Value::Null)).collect()
        }
        NumberEntries::PerSlot | NumberEntries::Merged => {
            let inbound = inbound.map(|slot| entry(slot, json!("inbound")));
            let outbound = outbound.map(|slot| entry(slot, json!("outbound")));
            [inbound, outbound].into_iter().flatten().collect()
        }
    }
}

/// The longer agent, which reading answers with.
pub(super) fn agent_response(behaviour: &Behaviour, record: &Agent, around: &Surroundings) -> Value {
    let empty = Vec::new();
    let versions: &[VersionLine] = around.versions.get(&record.id).map_or(&[], Vec::as_slice);
    let mut entries: Vec<&Value> = versions.iter().map(|line| &line.entry).collect();
    if behaviour.order == Order::Desc {
        entries.reverse();
    }
    let widgets = around.widgets.get(&record.id).unwrap_or(&empty);
    let calls = around.served + record.authored.serial % 7;
    let mut object = json!({
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "active": record.active,
        "is_demo": record.is_demo,
        "metadata": record.metadata,
        "versions": entries,
        "has_published_version": versions.iter().any(|line| line.published),
        "latest_version": versions.last().map(|line| line.number),
        "phone_numbers": around.numbers.get(&record.id).unwrap_or(&empty),
        "widgets": widgets,
        "sip_endpoint": record.sip_deployed.map(|deployed| sip_endpoint(&record.id, deployed)),
        "total_conversations": calls,
        "total_duration": calls * 90,
        "average_duration": 90.0,
        "last_conversation_date": null,
        "widget_count": widgets.len(),
        "today_conversations": calls % 10,
        "daily_conversation_counts": [],
    });
    authored(behaviour, &record.authored, &mut object);
    object
}

/// An agent's SIP state.
pub(super) fn sip_endpoint(agent_id: &str, deployed: bool) -> Value {
    json!({ "uri": format!("sip:{agent_id}@sip.sandbox.invalid"), "deployed": deployed })
}

/// A version, with its config.
pub(super) fn version(call: &Call<'_>, record: &Version) -> Value {
    let mut config = record.config.clone();
    agent_config::mask(&mut config, call.secrets());
    if call.behaviour.key_order == KeyOrder::Sorted {
        sort_keys(&mut config);
    }
    let stale = record.inputs.is_some() && record.inputs != record.trained_inputs;
    let mut object = json!({
        "id": record.id,
        "organization_id": call.organization.id,
        "agent_id": record.agent_id,
        "version": record.number,
        "config": config,
        "published": record.published,
        "instruction_builder_inputs": record.inputs,
        "trained_instruction_builder_inputs": record.trained_inputs,
        "generation_timestamp": record.generated_at.map(wire_time),
        "manually_edited": record.manually_edited,
        "is_updated": stale,
        "cache_fingerprints": [],
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

fn sort_keys(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<String, Value> = std::mem::take(fields).into_iter().collect();
            *fields = sorted.into_iter().collect::<Map<String, Value>>();
            fields.values_mut().for_each(sort_keys);
        }
        Value::Array(items) => items.iter_mut().for_each(sort_keys),
        _ => {}
    }
}

/// A phone number.
pub(super) fn number(call: &Call<'_>, record: &Number) -> Value {
    let mut object = json!({
        "phone_number": record.phone_number,
        "organization_id": call.organization.id,
        "trunk_id": record.trunk_id,
        "inbound_agent_version_id": record.inbound,
        "outbound_agent_version_id": record.outbound,
        "managed_account_id": record.managed_account_id,
        "external_id": record.external_id,
        "outbound_shareable": record.outbound_shareable,
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

/// A trunk; its password is a secret like those of a config.
pub(super) fn trunk(call: &Call<'_>, record: &Trunk) -> Value {
    let mut outbound = record.outbound_config.clone();
    agent_config::mask(&mut outbound, call.secrets());
    let mut object = json!({
        "id": record.id,
        "organization_id": call.organization.id,
        "name": record.name,
        "inbound_config": record.inbound_config,
        "outbound_config": outbound,
        "managed": record.managed,
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

/// A web widget.
pub(super) fn widget(call: &Call<'_>, record: &Widget) -> Value {
    let mut object = json!({
        "id": record.id,
        "organization_id": call.organization.id,
        "agent_id": record.agent_id,
        "agent_version_id": record.agent_version_id,
        "domains": record.domains,
        "published": record.published,
        "config": record.config,
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

/// An email address.
pub(super) fn email(call: &Call<'_>, record: &Email) -> Value {
    let mut object = json!({
        "id": record.id,
        "organization_id": call.organization.id,
        "address": record.address,
        "provider": record.provider,
        "inbound_agent_version_id": record.inbound_agent_version_id,
        "outbound_from_address": record.outbound_from_address,
        "enabled": record.enabled,
        "handler": record.handler,
        "handler_config": record.handler_config,
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

/// The inbound routing.
pub(super) fn routing(call: &Call<'_>, record: &Routing) -> Value {
    let mut object = json!({
        "organization_id": call.organization.id,
        "workflow_definition": record.workflow_definition,
        "fallback_agent_id": record.fallback_agent_id,
        "fallback_agent_version": record.fallback_agent_version,
        "enabled": record.enabled,
    });
    authored(call.behaviour, &record.authored, &mut object);
    object
}

/// Whether a JSON value contains another: objects key by key, everything else by equality or as a list's member.
pub(super) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, wanted)| whole.get(key).is_some_and(|found| contains(found, wanted)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|wanted| whole.iter().any(|found| contains(found, wanted)))
        }
        (whole, part) => whole == part,
    }
}
