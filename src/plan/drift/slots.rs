//! Phone slots that the stamp owns, and numbers that came to an agent without an apply.

use std::collections::BTreeMap;

use crate::model::stamp::Fields;
use crate::model::{Coverage, Desired, Direction, FieldPath, Key, LiveAgent, LiveState, PhoneNumber, Slot};
use crate::plan::change::SlotHolder;
use crate::plan::identity::{Binding, Identities};
use crate::plan::scope::Scope;
use crate::plan::slots::slot_path;

use super::{SlotDrift, SlotLive};

/// What the slots of one agent are judged by.
#[derive(Clone, Copy)]
pub(super) struct Slots<'a, 'w> {
    pub live: &'w LiveState,
    pub identities: &'w Identities<'a>,
    pub claims: &'w BTreeMap<Slot, &'a Key>,
    pub desired: &'w Desired,
    pub agent: &'w LiveAgent,
    pub scope: &'w Scope<'a>,
    pub owned: &'w Fields,
}

impl Slots<'_, '_> {
    /// The changed slots, those that were taken from the agent first.
    pub(super) fn judge(&self) -> Vec<SlotDrift> {
        let owned: Vec<Slot> = self.owned.keys().filter_map(slot_at).collect();
        let mut found: Vec<SlotDrift> = owned.iter().filter_map(|slot| self.judge_owned(slot)).collect();
        for direction in Direction::ALL {
            found.extend(self.arrivals(direction, &owned));
        }
        found
    }

    fn judge_owned(&self, slot: &Slot) -> Option<SlotDrift> {
        if self.scope.is_ignored(&slot_path(slot)) {
            return None;
        }
        let live = self.live_at(slot);
        // What was not read to its end shows nothing to be absent.
        let is_unread = live == SlotLive::NotHere && matches!(self.live.number_coverage, Coverage::Incomplete(_));
        if is_unread || is_at_live_version(&live, self.agent) {
            return None;
        }
        let is_declared = self.desired.slots.of(slot.direction).is_some_and(|numbers| numbers.contains(&slot.number));
        if !is_declared {
            // Git lets the number go, and it has gone; or Git moves it, and somebody moved it there by hand already.
            let is_mine = matches!(&live, SlotLive::Holder(SlotHolder::Agent { agent_id, .. })
                if *agent_id == self.agent.id);
            let claimant = self.claims.get(slot)?;
            let holder = self.identities.bindings.get(*claimant).and_then(Binding::agent);
            if is_mine || holder.is_none_or(|holder| is_at_live_version(&live, holder)) {
                return None;
            }
        }
        Some(SlotDrift {
            number: slot.number.clone(),
            direction: slot.direction,
            live,
            arrived: false,
            conflict: !is_declared,
        })
    }

    /// Numbers that point at this agent in a direction that Git manages, and that neither Git nor an apply put there.
    fn arrivals(&self, direction: Direction, owned: &[Slot]) -> Vec<SlotDrift> {
        let Some(declared) = self.desired.slots.of(direction) else { return Vec::new() };
        // A direction that Git has begun to manage since the last apply: what stands there was nobody's business then.
        let is_new = !declared.is_empty() && !owned.iter().any(|slot| slot.direction == direction);
        if is_new {
            return Vec::new();
        }
        let numbers = self.live.numbers.values().filter(|number| {
            let points_here =
                number.slot(direction).is_some_and(|id| self.agent.versions.iter().any(|head| head.id == id));
            let slot = Slot { number: number.number.clone(), direction };
            points_here
                && !declared.contains(&number.number)
                && !owned.contains(&slot)
                && !self.claims.contains_key(&slot)
                && !self.scope.is_ignored(&slot_path(&slot))
        });
        numbers
            .map(|number| {
                let slot = Slot { number: number.number.clone(), direction };
                SlotDrift { live: self.live_at(&slot), number: slot.number, direction, arrived: true, conflict: false }
            })
            .collect()
    }

    fn live_at(&self, slot: &Slot) -> SlotLive {
        let Some(number) = self.live.numbers.get(&slot.number) else {
            return match self.live.number_coverage {
                Coverage::Proven | Coverage::Unproven(_) => SlotLive::Gone,
                // Only what agents hold is seen, so a number that is not seen here is not held by this one.
                Coverage::Incomplete(_) | Coverage::Forbidden(_) => SlotLive::NotHere,
            };
        };
        let Some(version_id) = number.slot(slot.direction) else {
            return match self.live.number_coverage {
                Coverage::Forbidden(_) => SlotLive::NotHere,
                Coverage::Proven | Coverage::Unproven(_) | Coverage::Incomplete(_) => {
                    SlotLive::Holder(SlotHolder::Empty)
                }
            };
        };
        SlotLive::Holder(self.identities.holder(self.live, version_id))
    }
}

/// Whether a slot points at the live version of an agent.
fn is_at_live_version(live: &SlotLive, agent: &LiveAgent) -> bool {
    let SlotLive::Holder(SlotHolder::Agent { agent_id, version, .. }) = live else { return false };
    *agent_id == agent.id && agent.live_version().is_some_and(|head| head.version == *version)
}

/// The slot that a stamp owns under a pointer, where it is one of a slot.
pub fn slot_at(path: &FieldPath) -> Option<Slot> {
    let [root, direction, number] = path.steps() else { return None };
    let direction = Direction::ALL.into_iter().find(|known| known.as_str() == direction)?;
    (root == "phone_numbers").then_some(Slot { number: PhoneNumber::parse(number)?, direction })
}
