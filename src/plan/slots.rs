//! Phone numbers: which slots change hands, in which direction, and which must never be empty in between.
//!
//! A slot pins an exact version, so a new version takes its slots along by being assigned them again. A slot that is
//! filled before and after the plan is assigned and never unassigned first; emptying comes last (design, section 5).

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, Place as At};
use crate::model::{Coverage, Desired, Direction, FieldPath, LiveAgent, PhoneNumber, Slot};

use super::change::{Cause, Notice, Risk, SlotChange, SlotHolder, SlotTarget};
use super::identity::Identities;
use super::options::Inputs;
use super::threeway::{Place, SlotFinding, Slots, slot_path};

/// What becomes of one agent's slots.
#[derive(Clone, Debug, Default)]
pub struct SlotPlan {
    /// Slots that change hands or follow.
    pub changes: Vec<SlotChange>,
    /// Numbers to assign, by direction.
    pub assign: BTreeMap<Direction, Vec<PhoneNumber>>,
    /// Numbers in place, which a version that is made after all would have to be given again, by direction.
    pub carry: BTreeMap<Direction, Vec<PhoneNumber>>,
    /// Numbers to empty at the end, by direction.
    pub unassign: BTreeMap<Direction, Vec<PhoneNumber>>,
    /// Declared slots, as the stamp will own them.
    pub owned: Vec<FieldPath>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// For information.
    pub notices: Vec<Notice>,
}

impl SlotPlan {
    /// Whether any slot must be written although no new version is made.
    pub fn has_work(&self) -> bool {
        self.changes.iter().any(|change| !change.follows)
    }
}

/// What the slots of one agent are planned from.
#[derive(Clone, Copy)]
pub struct SlotInputs<'a, 'w> {
    /// The run.
    pub run: &'w Inputs<'a>,
    /// Who is who.
    pub identities: &'w Identities<'a>,
    /// What became of each slot.
    pub slots: &'w Slots<'a, 'w>,
    /// The manifest.
    pub desired: &'a Desired,
    /// The agent, where there is one.
    pub agent: Option<&'a LiveAgent>,
    /// Whether this plan makes a new version of it.
    pub new_version: bool,
}

/// Plans the slots of one agent.
pub fn plan_slots(inputs: &SlotInputs<'_, '_>) -> SlotPlan {
    let mut plan = SlotPlan::default();
    for direction in Direction::ALL {
        match inputs.desired.slots.of(direction) {
            Some(declared) => plan_declared(inputs, direction, declared, &mut plan),
            None => plan_unmanaged(inputs, direction, &mut plan),
        }
    }
    plan
}

impl SlotInputs<'_, '_> {
    fn live_version(&self) -> Option<u64> {
        self.agent.and_then(LiveAgent::live_version).map(|head| head.version)
    }

    fn target(&self) -> SlotTarget {
        let key = self.desired.key.clone();
        match self.live_version() {
            Some(version) if !self.new_version => SlotTarget::Version { key, version },
            _ => SlotTarget::NewVersion { key },
        }
    }
}

fn plan_declared(
    inputs: &SlotInputs<'_, '_>,
    direction: Direction,
    declared: &BTreeSet<PhoneNumber>,
    plan: &mut SlotPlan,
) {
    for number in declared {
        let slot = Slot { number: number.clone(), direction };
        plan.owned.push(slot_path(&slot));
        if !check_number(inputs, &slot, plan) {
            continue;
        }
        let Some(SlotFinding { live, place, verdict, .. }) = inputs.slots.claimed(&slot) else { continue };
        let follows = place == Place::There;
        if follows && !inputs.new_version {
            plan.carry.entry(direction).or_default().push(number.clone());
            continue;
        }
        let cause = match verdict.why() {
            Some(why) => why.cause(),
            None if follows => Cause::Pending,
            None => continue,
        };
        let holder = live.holder();
        let risk = match check_holder(inputs, &slot, &holder, plan) {
            Taking::Fine => None,
            Taking::Risky(risk) => Some(risk),
            Taking::Refused => continue,
        };
        plan.assign.entry(direction).or_default().push(number.clone());
        plan.changes.push(SlotChange {
            number: number.clone(),
            direction,
            to: inputs.target(),
            cause,
            follows,
            risk,
            from: holder,
        });
    }
    // A number that another manifest claims is assigned there; unassigning it here first would let it ring into nothing.
    let unclaimed = inputs.agent.map(|agent| inputs.slots.unclaimed(inputs.desired, agent, direction));
    for (SlotFinding { slot: Slot { number, .. }, verdict, .. }, version) in unclaimed.into_iter().flatten() {
        let Some(why) = verdict.why() else { continue };
        plan.unassign.entry(direction).or_default().push(number.clone());
        plan.changes.push(SlotChange {
            from: SlotHolder::Agent {
                agent_id: inputs.agent.map(|agent| agent.id.clone()).unwrap_or_default(),
                name: inputs.agent.map(|agent| agent.name.clone()).unwrap_or_default(),
                key: Some(inputs.desired.key.clone()),
                version,
            },
            to: SlotTarget::Empty,
            cause: why.cause(),
            follows: false,
            risk: (direction == Direction::Inbound).then(|| Risk("calls to it will reach no agent".to_owned())),
            number,
            direction,
        });
    }
}

/// A direction that the manifest does not manage: what points at the base version moves along, what points elsewhere
/// stays and is mentioned.
fn plan_unmanaged(inputs: &SlotInputs<'_, '_>, direction: Direction, plan: &mut SlotPlan) {
    let held = inputs.agent.map(|agent| inputs.slots.held(agent, direction));
    for (slot, version) in held.into_iter().flatten() {
        let number = slot.number.clone();
        if inputs.slots.claimant(&slot).is_some() {
            continue;
        }
        if !inputs.new_version {
            if Some(version) == inputs.live_version() {
                plan.carry.entry(direction).or_default().push(number);
            }
            continue;
        }
        if Some(version) != inputs.live_version() {
            plan.notices.push(Notice {
                address: Some(inputs.desired.address()),
                code: "slot-on-an-older-version",
                message: format!("{slot} points at version {version}, which is not the live one; it stays"),
            });
            continue;
        }
        plan.assign.entry(direction).or_default().push(number.clone());
        plan.changes.push(SlotChange {
            from: inputs.slots.live_at(&slot).holder(),
            to: inputs.target(),
            cause: Cause::Pending,
            follows: true,
            risk: None,
            number,
            direction,
        });
    }
}

/// Whether the number exists, as far as this run can tell.
fn check_number(inputs: &SlotInputs<'_, '_>, slot: &Slot, plan: &mut SlotPlan) -> bool {
    if inputs.run.live.numbers.contains_key(&slot.number) {
        return true;
    }
    match &inputs.run.live.number_coverage {
        Coverage::Proven | Coverage::Unproven(_) => {
            plan.diagnostics.push(
                Diagnostic::error("unknown-number", format!("the organization has no phone number {}", slot.number))
                    .at(At::Line(inputs.desired.origin.clone()))
                    .hint("buy it or add it to a trunk first, or take it out of `phone_numbers`"),
            );
            false
        }
        // What could not be read may exist: the plan is incomplete or the slots come from the agents themselves.
        Coverage::Incomplete(_) => false,
        Coverage::Forbidden(_) => true,
    }
}

/// What taking a slot from its holder means.
enum Taking {
    /// Nothing that anyone must look at.
    Fine,
    /// It may be done, and a reviewer should look twice.
    Risky(Risk),
    /// It may not; the reason is among the diagnostics.
    Refused,
}

/// Whether the slot may be taken from who holds it.
fn check_holder(inputs: &SlotInputs<'_, '_>, slot: &Slot, holder: &SlotHolder, plan: &mut SlotPlan) -> Taking {
    let may_take = inputs.run.options.take.contains(&slot.number);
    let (who, needs_leave) = match holder {
        SlotHolder::Empty | SlotHolder::Agent { key: Some(_), .. } => return Taking::Fine,
        SlotHolder::Unknown { .. } => ("an agent that this run cannot see".to_owned(), true),
        SlotHolder::Agent { key: None, agent_id, name, .. } => {
            if inputs.identities.orphans.iter().any(|(orphan, ..)| orphan.agent_id == *agent_id) {
                return Taking::Fine;
            }
            let other = inputs.identities.unmanaged.iter().find(|agent| agent.agent_id == *agent_id);
            match other.and_then(|agent| agent.owner.as_ref()) {
                Some((project, environment)) => {
                    (format!("`{name}` of project `{project}`, environment `{environment}`"), true)
                }
                None => (format!("the unmanaged agent `{name}`"), false),
            }
        }
    };
    if needs_leave && !may_take {
        plan.diagnostics.push(
            Diagnostic::error("number-is-taken", format!("{slot} belongs to {who}"))
                .at(At::Line(inputs.desired.origin.clone()))
                .hint(format!("to take it all the same, use `--take {}`", slot.number)),
        );
        return Taking::Refused;
    }
    Taking::Risky(Risk(format!("taken from {who}")))
}
