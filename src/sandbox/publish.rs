//! Publishing and the two slots of a number (contract, section 7).

use serde_json::{Value, json};

use crate::http::{Request, Response};

use super::answer::{Answer, error, invalid, not_found, ok, problem};
use super::behaviour::Switch;
use super::service::{Service, found, texts};
use super::state::NumberRecord;
use super::versions::is_stale;

/// The slots that one call touches.
#[derive(Clone, Copy)]
struct Touches {
    inbound: bool,
    outbound: bool,
}

impl Touches {
    fn slots(self, number: &mut NumberRecord) -> impl Iterator<Item = &mut Option<String>> {
        let inbound = self.inbound.then_some(&mut number.inbound_agent_version_id);
        let outbound = self.outbound.then_some(&mut number.outbound_agent_version_id);
        inbound.into_iter().chain(outbound)
    }
}

impl Service {
    pub(super) fn publish(&mut self, request: &Request, id: &str, number: u64) -> Answer {
        let body = Self::body(request, self.behaviour.is(Switch::PublishBody, "required"))?;
        let touches = match body.get("direction").and_then(Value::as_str).unwrap_or("inbound") {
            "inbound" => Touches { inbound: true, outbound: false },
            "outbound" => Touches { inbound: false, outbound: true },
            "both" => Touches { inbound: true, outbound: true },
            _ => {
                let message = "Input should be 'inbound', 'outbound' or 'both'";
                return Err(invalid(&[problem(&["body", "direction"], message, "enum")]));
            }
        };
        let (assign, unassign) = (texts(&body, "phone_numbers")?, texts(&body, "unassign_phone_numbers")?);
        self.settle_generation(id, number)?;
        let before = found(&mut self.state.agents, id, "Agent")?.live().map(|version| version.id.clone());
        let refuses = self.behaviour.is(Switch::Republish, "refuse");
        let version = self.version_record(id, number)?;
        if version.generating > 0 {
            return Err(error(409, "Instructions are being generated"));
        }
        if is_stale(version) {
            return Err(error(409, "Instructions are stale relative to the builder inputs"));
        }
        if version.published && refuses {
            return Err(error(409, "Version is already published"));
        }
        let is_first_time = !version.published;
        // The flag is set before the pointers are written, so a failed assignment leaves the version published.
        version.published = true;
        let version_id = version.id.clone();
        if is_first_time && self.behaviour.is(Switch::Publish, "follow") {
            self.follow(before.as_ref(), &version_id);
        }
        self.check_numbers(id, &assign, touches, &version_id)?;
        let versions: Vec<String> =
            found(&mut self.state.agents, id, "Agent")?.versions.iter().map(|version| version.id.clone()).collect();
        let at = self.stamp();
        let mut affected: Vec<String> = Vec::new();
        for name in &unassign {
            let Some(number) = self.state.numbers.get_mut(name) else { continue };
            for slot in touches.slots(number) {
                // Only a slot that points at this agent is cleared.
                if slot.as_ref().is_some_and(|slot| versions.contains(slot)) {
                    *slot = None;
                }
            }
            number.updated_at = at;
            affected.push(name.clone());
        }
        for name in &assign {
            let Some(number) = self.state.numbers.get_mut(name) else { continue };
            for slot in touches.slots(number) {
                *slot = Some(version_id.clone());
            }
            number.updated_at = at;
            affected.push(name.clone());
        }
        affected.sort();
        affected.dedup();
        let numbers: Vec<Value> = affected
            .iter()
            .filter_map(|name| self.state.numbers.get(name))
            .map(|number| self.number_response(number))
            .collect();
        ok(&json!(numbers))
    }

    /// What a service does whose numbers follow a new version by themselves.
    fn follow(&mut self, before: Option<&String>, new: &str) {
        for number in self.state.numbers.values_mut() {
            for slot in [&mut number.inbound_agent_version_id, &mut number.outbound_agent_version_id] {
                if slot.is_some() && slot.as_ref() == before {
                    *slot = Some(new.to_owned());
                }
            }
        }
    }

    fn check_numbers(&mut self, id: &str, assign: &[String], touches: Touches, version: &str) -> Result<(), Response> {
        let unknown = assign.iter().find(|number| !self.state.numbers.contains_key(*number)).cloned();
        if let Some(number) = unknown {
            if self.behaviour.is(Switch::PublishAtomic, "no") {
                for known in assign.iter().take_while(|name| **name != number) {
                    if let Some(record) = self.state.numbers.get_mut(known) {
                        touches.slots(record).for_each(|slot| *slot = Some(version.to_owned()));
                    }
                }
            }
            return Err(match self.behaviour.way(Switch::UnknownNumber) {
                "422" => invalid(&[problem(&["body", "phone_numbers"], "Unknown phone number", "value_error")]),
                _ => not_found(&format!("Phone number {number}")),
            });
        }
        if self.behaviour.is(Switch::Takeover, "conflict") {
            let own: Vec<String> =
                found(&mut self.state.agents, id, "Agent")?.versions.iter().map(|version| version.id.clone()).collect();
            for name in assign {
                let Some(number) = self.state.numbers.get_mut(name) else { continue };
                let foreign = touches.slots(number).any(|slot| slot.as_ref().is_some_and(|slot| !own.contains(slot)));
                if foreign {
                    return Err(error(409, &format!("Phone number {name} is assigned to another agent")));
                }
            }
        }
        Ok(())
    }
}
