//! What tells one drift from another, day after day: no time, no version and no value in clear.

use serde_json::{Value, json};

use crate::model::Digest;
use crate::plan::change::{SlotHolder, Target};

use super::{AgentDrift, SlotLive, Unchecked};

/// The digest of what was changed. Live values go in by their hash under the salt of the stamp, which no output holds,
/// so that nobody can try values against the digest. The salt lives as long as the stamp, so the digest is steady.
pub(super) fn of(target: &Target, agents: &[AgentDrift], unchecked: &[Unchecked]) -> Digest {
    // What could not be checked is a finding; why it could not is another text with every outage.
    let mut findings: Vec<Value> =
        unchecked.iter().map(|entry| json!([entry.address.as_ref().map(ToString::to_string), "not-checked"])).collect();
    for agent in agents {
        let key = agent.key.as_str();
        if agent.is_absent() {
            findings.push(json!([key, "absent"]));
        }
        if let Some(foreign) = &agent.foreign {
            findings.push(json!([key, "foreign-apply", foreign.commit]));
        }
        for field in &agent.fields {
            findings.push(json!([key, "field", field.path.to_string(), field.kind.as_str(), field.token.as_str()]));
        }
        for slot in &agent.slots {
            let live = match &slot.live {
                SlotLive::Holder(SlotHolder::Empty) => json!("empty"),
                // Another agent's slots follow its versions, which is no news here; an old version of our own is.
                SlotLive::Holder(SlotHolder::Agent { agent_id, version, .. }) => {
                    let is_own = agent.agent_id.as_ref() == Some(agent_id);
                    json!([agent_id, is_own.then_some(version)])
                }
                SlotLive::Holder(SlotHolder::Unknown { version_id }) => json!(["unknown", version_id]),
                SlotLive::NotHere => json!("not-here"),
                SlotLive::Gone => json!("gone"),
            };
            findings.push(json!([key, "slot", slot.number.as_str(), slot.direction.as_str(), slot.arrived, live]));
        }
    }
    findings.sort_by_key(Value::to_string);
    let Target { host, declared_organization: _, organization: _, environment, project } = target;
    Digest::of(&json!({"target": [host, environment, project], "findings": findings}))
}
