//! Phone slots: who had each by the last apply, who is to have it by Git, and who holds it.
//!
//! A slot is one value of the organization, and no two agents have it at once. So it is looked at once, and not for each
//! agent: where Git moves a number and somebody moved it elsewhere by hand, that is a conflict.

use std::collections::BTreeMap;

use crate::model::{Coverage, Desired, Direction, FieldPath, Key, LiveAgent, LiveState, PhoneNumber, Slot};
use crate::plan::change::SlotHolder;
use crate::plan::history::History;
use crate::plan::identity::{Binding, Identities};
use crate::plan::options::Inputs;
use crate::plan::scope::Scope;

use super::{Evidence, Past, Since, Verdict, verdict};

/// What a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotLive {
    /// Nobody, another agent, or a version of this agent that is not the live one.
    Holder(SlotHolder),
    /// Not this agent; who, this credential may not read.
    NotHere,
    /// The organization no longer has the number.
    Gone,
}

impl SlotLive {
    fn agent_id(&self) -> Option<&str> {
        match self {
            Self::Holder(SlotHolder::Agent { agent_id, .. }) => Some(agent_id),
            Self::Holder(SlotHolder::Empty | SlotHolder::Unknown { .. }) | Self::NotHere | Self::Gone => None,
        }
    }

    fn is_at(&self, agent: &LiveAgent) -> bool {
        self.agent_id() == Some(agent.id.as_str())
    }

    fn is_at_live_version(&self, agent: &LiveAgent) -> bool {
        let Self::Holder(SlotHolder::Agent { version, .. }) = self else { return false };
        self.is_at(agent) && agent.live_version().is_some_and(|head| head.version == *version)
    }

    /// As the holder, where who that is may not be known.
    pub fn holder(&self) -> SlotHolder {
        match self {
            Self::Holder(holder) => holder.clone(),
            Self::NotHere | Self::Gone => SlotHolder::Empty,
        }
    }
}

/// Where a slot is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It points at the live version of the agent that is to have it.
    There,
    /// It does not.
    Elsewhere,
}

/// What became of one slot.
#[derive(Clone, Debug)]
pub struct SlotFinding {
    /// The slot.
    pub slot: Slot,
    /// What it holds.
    pub live: SlotLive,
    /// Whether it is where it is to be.
    pub place: Place,
    /// What that comes to.
    pub verdict: Verdict,
}

/// The slots of a whole run.
pub struct Slots<'a, 'w> {
    live: &'a LiveState,
    identities: &'w Identities<'a>,
    claims: BTreeMap<Slot, &'a Key>,
    manifests: BTreeMap<&'a Key, (&'a Desired, Scope<'a>)>,
    /// The agents that had each slot by the last apply.
    owners: BTreeMap<Slot, Vec<&'w Key>>,
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

/// The pointer under which a stamp owns a slot.
pub fn slot_path(slot: &Slot) -> FieldPath {
    FieldPath::of(["phone_numbers", slot.direction.as_str(), slot.number.as_str()])
}

/// The slot that a stamp owns under a pointer, where it is one of a slot.
pub fn slot_at(path: &FieldPath) -> Option<Slot> {
    let [root, direction, number] = path.steps() else { return None };
    let direction = Direction::ALL.into_iter().find(|known| known.as_str() == direction)?;
    (root == "phone_numbers").then_some(Slot { number: PhoneNumber::parse(number)?, direction })
}

/// What a slot counts as that somebody else moved.
fn moved(history: &History<'_>) -> Since {
    if history.was_certainly_overtaken() { Since::Meanwhile } else { Since::Changed }
}

impl<'a, 'w> Slots<'a, 'w> {
    /// Of a reading and who is who in it.
    pub fn of(run: &Inputs<'a>, identities: &'w Identities<'a>) -> Self {
        let mut owners: BTreeMap<Slot, Vec<&Key>> = BTreeMap::new();
        for (key, binding) in &identities.bindings {
            let history = History::of(binding.stamp(), binding.agent());
            for slot in history.owned().keys().filter_map(slot_at) {
                owners.entry(slot).or_default().push(key);
            }
        }
        let manifest = |desired: &'a Desired| (&desired.key, (desired, Scope::of(desired, run.options.today)));
        Self {
            live: run.live,
            identities,
            claims: claims(run.desired),
            manifests: run.desired.iter().map(manifest).collect(),
            owners,
        }
    }

    /// Who claims a slot.
    pub fn claimant(&self, slot: &Slot) -> Option<&'a Key> {
        self.claims.get(slot).copied()
    }

    /// What a slot holds. A pointer to a version of no agent that was read is taken by an unknown, never empty.
    pub fn live_at(&self, slot: &Slot) -> SlotLive {
        let Some(number) = self.live.numbers.get(&slot.number) else {
            return match self.live.number_coverage {
                Coverage::Proven | Coverage::Unproven(_) => SlotLive::Gone,
                // Only what agents hold is seen, so a number that is not seen here is not held by this one.
                Coverage::Incomplete(_) | Coverage::Forbidden(_) => SlotLive::NotHere,
            };
        };
        match number.slot(slot.direction) {
            Some(version_id) => SlotLive::Holder(self.identities.holder(self.live, version_id)),
            None if matches!(self.live.number_coverage, Coverage::Forbidden(_)) => SlotLive::NotHere,
            None => SlotLive::Holder(SlotHolder::Empty),
        }
    }

    fn holder_id(&self, slot: &Slot) -> Option<&str> {
        self.live.numbers.get(&slot.number)?.slot(slot.direction)
    }

    /// All slots that point at any version of an agent.
    pub fn held(&self, agent: &LiveAgent, direction: Direction) -> Vec<(Slot, u64)> {
        let numbers = self.live.numbers.values().filter_map(|number| {
            let id = number.slot(direction)?;
            let head = agent.versions.iter().find(|head| head.id == id)?;
            Some((Slot { number: number.number.clone(), direction }, head.version))
        });
        numbers.collect()
    }

    /// What became of a slot that a manifest claims; nothing where none does, or whose agent cannot be told.
    pub fn claimed(&self, slot: &Slot) -> Option<SlotFinding> {
        let key = self.claimant(slot)?;
        let (_, scope) = self.manifests.get(key)?;
        let binding = self.identities.bindings.get(key).filter(|binding| !matches!(binding, Binding::Broken))?;
        let (agent, live) = (binding.agent(), self.live_at(slot));
        let is_there = agent.is_some_and(|agent| live.is_at_live_version(agent));
        let is_left = scope.is_ignored(&slot_path(slot)) && binding.stamp().is_some();
        // What was not read to its end shows nothing to be absent.
        let is_unread = live == SlotLive::NotHere && matches!(self.live.number_coverage, Coverage::Incomplete(_));
        let verdict = if is_unread {
            Verdict::NotCompared
        } else {
            let past = self.past(slot, key, binding, &live);
            verdict(Evidence { declared: true, in_place: is_there || is_left, past })
        };
        let place = if is_there { Place::There } else { Place::Elsewhere };
        Some(SlotFinding { slot: slot.clone(), live, place, verdict })
    }

    fn past(&self, slot: &Slot, key: &Key, binding: &Binding<'_>, live: &SlotLive) -> Option<Past> {
        let owners = self.owners.get(slot)?;
        let history = History::of(binding.stamp(), binding.agent());
        let is_mine = owners.contains(&key);
        let others = owners.iter().filter(|owner| **owner != key);
        let mut others = others.filter_map(|owner| self.identities.bindings.get(*owner)?.agent());
        Some(if others.any(|owner| live.is_at(owner)) {
            // Whichever of two records is older, the one that live agrees with is true.
            Past { git_changed: true, live: Since::AsApplied }
        } else if is_mine && history.begun().is_some() {
            let is_left =
                binding.agent().is_some_and(|agent| live.is_at(agent)) || history.has_to_come(&slot_path(slot));
            Past { git_changed: false, live: if is_left { Since::Unfinished } else { Since::Changed } }
        } else if is_mine && history.was_unconfirmed(&slot_path(slot), self.holder_id(slot)) {
            Past { git_changed: false, live: Since::Unfinished }
        } else {
            Past { git_changed: !is_mine, live: moved(&history) }
        })
    }

    /// Slots that point at an agent and that no manifest claims, in a direction that its manifest manages.
    pub fn unclaimed(&self, desired: &Desired, agent: &LiveAgent, direction: Direction) -> Vec<(SlotFinding, u64)> {
        let Some(declared) = desired.slots.of(direction) else { return Vec::new() };
        let Some((_, scope)) = self.manifests.get(&desired.key) else { return Vec::new() };
        let stamp = self.identities.bindings.get(&desired.key).and_then(Binding::stamp);
        let history = History::of(stamp, Some(agent));
        let is_of = |path: &FieldPath| slot_at(path).is_some_and(|slot| slot.direction == direction);
        // A direction that Git has begun to manage since the last apply: what stands there was nobody's business then.
        let is_new = stamp.is_none() || (!declared.is_empty() && !history.owned().keys().any(is_of));
        let held = self.held(agent, direction).into_iter().filter(|(slot, _)| {
            let is_left = scope.is_ignored(&slot_path(slot)) && stamp.is_some();
            self.claimant(slot).is_none() && !is_left
        });
        let found = held.map(|(slot, version)| {
            let path = slot_path(&slot);
            // Managed and not declared, a slot is declared to be elsewhere, and was, unless it was ours.
            let past = if history.has_to_go(&path) {
                Some(Past { git_changed: false, live: Since::Unfinished })
            } else if history.owned().contains_key(&path) {
                Some(Past { git_changed: true, live: Since::AsApplied })
            } else {
                (!is_new).then(|| Past { git_changed: false, live: moved(&history) })
            };
            let verdict = match verdict(Evidence { declared: true, in_place: false, past }) {
                Verdict::Write(why) => Verdict::Remove(why),
                other => other,
            };
            (SlotFinding { live: self.live_at(&slot), place: Place::Elsewhere, slot, verdict }, version)
        });
        found.collect()
    }
}
