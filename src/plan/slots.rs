//! Phone numbers: which slots change hands, in which direction, and which must never be empty in between.
//!
//! A slot pins an exact version, so a new version takes its slots along by being assigned them again. A slot that is
//! filled before and after the plan is assigned and never unassigned first; emptying comes last (design, section 5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place};
use crate::model::{Coverage, Desired, Direction, FieldPath, Key, LiveAgent, PhoneNumber, Seal, Slot, Stamp};

use super::change::{Cause, Notice, Risk, SlotChange, SlotHolder, SlotTarget};
use super::identity::Identities;
use super::options::Inputs;
use super::scope::effective_fields;
use super::stamping::is_as_applied;
use super::verdict::{Evidence, Verdict, verdict};

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

/// The pointer under which a stamp owns a slot.
pub fn slot_path(slot: &Slot) -> FieldPath {
    FieldPath::of(["phone_numbers", slot.direction.as_str(), slot.number.as_str()])
}

/// Who claims each slot, by manifest: two claims of one slot were refused when the manifests were read.
pub fn claims(desired: &[Desired]) -> BTreeMap<Slot, &Key> {
    let mut claims = BTreeMap::new();
    for manifest in desired {
        for direction in Direction::ALL {
            for number in manifest.slots.of(direction).into_iter().flatten() {
                claims.insert(Slot { number: number.clone(), direction }, &manifest.key);
            }
        }
    }
    claims
}

/// What the slots of one agent are planned from.
#[derive(Clone, Copy)]
pub struct SlotInputs<'a, 'w> {
    /// The run.
    pub run: &'w Inputs<'a>,
    /// Who is who.
    pub identities: &'w Identities<'a>,
    /// Who claims which slot.
    pub claims: &'w BTreeMap<Slot, &'a Key>,
    /// The manifest.
    pub desired: &'a Desired,
    /// The agent, where there is one.
    pub agent: Option<&'a LiveAgent>,
    /// Its stamp.
    pub stamp: Option<&'w Stamp>,
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

    /// Who holds a slot now. A pointer to a version of no agent that was read is taken by an unknown, never empty.
    fn holder(&self, slot: &Slot) -> SlotHolder {
        let Some(version_id) = self.run.live.numbers.get(&slot.number).and_then(|number| number.slot(slot.direction))
        else {
            return SlotHolder::Empty;
        };
        self.identities.holder(self.run.live, version_id)
    }

    fn is_mine(&self, holder: &SlotHolder) -> bool {
        matches!((holder, self.agent), (SlotHolder::Agent { agent_id, .. }, Some(agent)) if *agent_id == agent.id)
    }

    /// All slots that point at any version of this agent.
    fn held(&self, direction: Direction) -> Vec<(PhoneNumber, u64)> {
        let Some(agent) = self.agent else { return Vec::new() };
        let numbers = self.run.live.numbers.values().filter_map(|number| {
            let id = number.slot(direction)?;
            let head = agent.versions.iter().find(|head| head.id == id)?;
            Some((number.number.clone(), head.version))
        });
        numbers.collect()
    }

    /// The cause of a difference at a slot, by the same table as every other path. A slot's value is whether it points
    /// at this agent's live version.
    fn cause(&self, slot: &Slot, declared: bool, is_live: bool) -> Option<Cause> {
        let owned = effective_fields(self.stamp, self.agent);
        let path = slot_path(slot);
        let here = Value::Bool(true);
        let hash = self.stamp.map(Seal::of).zip(owned.get(&path));
        let live = is_live.then_some(&here);
        let evidence = Evidence {
            declared,
            same_as_live: declared == is_live,
            // A slot that was not sent before was "not here" before, and that is what the stamp of a managed
            // direction says of it.
            same_as_sent: match (declared, hash) {
                (true, Some(_)) => Some(true),
                (true, None) => None,
                (false, _) => Some(false),
            },
            live_as_applied: hash.map(|(seal, hash)| is_as_applied(seal, hash, live)),
        };
        match verdict(evidence) {
            Verdict::Write(cause) => Some(cause),
            // A number that came to this agent without us is drift; one that was ours and is no longer declared goes.
            Verdict::Remove(_) => Some(if hash.is_some() { Cause::Pending } else { Cause::Drift }),
            Verdict::Rendering => Some(Cause::Drift),
            Verdict::InPlace | Verdict::LetGo | Verdict::NotOurs => None,
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
        let holder = inputs.holder(&slot);
        let is_live = inputs.is_mine(&holder)
            && matches!(&holder, SlotHolder::Agent { version, .. } if Some(*version) == inputs.live_version());
        if is_live && !inputs.new_version {
            plan.carry.entry(direction).or_default().push(number.clone());
            continue;
        }
        let risk = match check_holder(inputs, &slot, &holder, plan) {
            Taking::Fine => None,
            Taking::Risky(risk) => Some(risk),
            Taking::Refused => continue,
        };
        let cause = inputs.cause(&slot, true, is_live).unwrap_or(Cause::Pending);
        plan.assign.entry(direction).or_default().push(number.clone());
        plan.changes.push(SlotChange {
            number: number.clone(),
            direction,
            to: inputs.target(),
            cause,
            follows: is_live,
            risk,
            from: holder,
        });
    }
    for (number, version) in inputs.held(direction) {
        let slot = Slot { number: number.clone(), direction };
        // A number that another manifest claims is assigned there; unassigning it here first would let it ring into
        // nothing.
        if declared.contains(&number) || inputs.claims.contains_key(&slot) {
            continue;
        }
        let cause = inputs.cause(&slot, false, true).unwrap_or(Cause::Drift);
        plan.unassign.entry(direction).or_default().push(number.clone());
        plan.changes.push(SlotChange {
            from: SlotHolder::Agent {
                agent_id: inputs.agent.map(|agent| agent.id.clone()).unwrap_or_default(),
                name: inputs.agent.map(|agent| agent.name.clone()).unwrap_or_default(),
                key: Some(inputs.desired.key.clone()),
                version,
            },
            to: SlotTarget::Empty,
            cause,
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
    for (number, version) in inputs.held(direction) {
        let slot = Slot { number: number.clone(), direction };
        if inputs.claims.contains_key(&slot) {
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
            from: inputs.holder(&slot),
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
                    .at(Place::Line(inputs.desired.origin.clone()))
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
                .at(Place::Line(inputs.desired.origin.clone()))
                .hint(format!("to take it all the same, use `--take {}`", slot.number)),
        );
        return Taking::Refused;
    }
    Taking::Risky(Risk(format!("taken from {who}")))
}
