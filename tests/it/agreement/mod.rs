//! A plan and a check for drift never contradict each other: what one calls drift or a conflict, so does the other, at the
//! same place.
//!
//! The differences that the design asks for, and no others, are:
//! - what is only pending in Git, and what an apply of ours has left to do, is no drift, and a plan writes it as pending;
//! - an agent that somebody switched off is drift although Git does not declare `active`, and then a plan has nothing to
//!   write back and says so in a notice;
//! - what a change of branch or a whole object that goes takes along stands in a plan at the object, and in drift at each
//!   of its values;
//! - a slot that Git moves from one agent to another stands in a plan with the one that gets it, and in drift with the one
//!   that had it;
//! - an agent that says nothing of what was applied is not checked by `drift`, and adopted by a plan.

mod named;
mod runs;
mod states;

use std::collections::{BTreeMap, BTreeSet};

use reachform::model::{Direction, FieldPath, Key};
use reachform::plan::drift::{Drift, DriftInputs, DriftState, judge};
use reachform::plan::{Cause, Inputs, Plan, Source};
use reachform::render::text::{TextOptions, drift_text, plan_text};

use crate::scene::Scene;

/// One place on which both must agree, and whether Git changed it as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Value(Key, FieldPath),
    /// Numbers belong to the organization: which agent a change of hands is listed with is a matter of showing it.
    Slot(String, Direction),
}

type Found = BTreeMap<Place, bool>;

fn in_plan(plan: &Plan) -> Found {
    let conflict = |cause: Cause| match cause {
        Cause::Drift => Some(false),
        Cause::Conflict => Some(true),
        Cause::Pending | Cause::Rollback => None,
    };
    let values = plan.changes.iter().flat_map(|change| {
        let place = |path: &FieldPath| Place::Value(change.key.clone(), path.clone());
        change.fields.iter().filter_map(move |field| Some((place(&field.path), conflict(field.cause)?)))
    });
    let slots = plan.changes.iter().flat_map(|change| &change.numbers);
    let slots = slots
        .filter_map(|slot| Some((Place::Slot(slot.number.as_str().to_owned(), slot.direction), conflict(slot.cause)?)));
    values.chain(slots).collect()
}

fn in_drift(drift: &Drift) -> Found {
    let values = drift.agents.iter().flat_map(|agent| {
        agent.fields.iter().map(|field| (Place::Value(agent.key.clone(), field.path.clone()), field.conflict))
    });
    let slots = drift.agents.iter().flat_map(|agent| &agent.slots);
    let slots = slots.map(|slot| (Place::Slot(slot.number.as_str().to_owned(), slot.direction), slot.conflict));
    values.chain(slots).collect()
}

/// Insists that both say the same.
fn assert_agreement(plan: &Plan, drift: &Drift, what: &str) {
    let (planned, mut drifted) = (in_plan(plan), in_drift(drift));
    let switched_off: BTreeSet<&Key> = (plan.notices.iter().filter(|notice| notice.code == "switched-off"))
        .filter_map(|notice| notice.address.as_ref().map(|address| &address.0))
        .collect();
    let active = FieldPath::of(["active"]);
    // What stands in the plan at an object around it.
    let around: Vec<(&Key, &FieldPath)> = (plan.changes.iter())
        .flat_map(|change| {
            let removed = change.fields.iter().filter(|field| field.removal && field.cause == Cause::Conflict);
            removed.map(|field| (&change.key, &field.path))
        })
        .collect();
    drifted.retain(|place, _| match place {
        Place::Value(key, path) => {
            let is_around =
                |(owner, object): &(&Key, &FieldPath)| *owner == key && path.starts_with(object) && *object != path;
            let is_said_around = !planned.contains_key(place) && around.iter().any(is_around);
            (*path != active || !switched_off.contains(key)) && !is_said_around
        }
        Place::Slot(..) => true,
    });
    let planned: Found = planned
        .into_iter()
        .filter(|(place, _)| match place {
            Place::Value(key, path) => {
                let below = in_drift(drift).into_keys().any(|other| match other {
                    Place::Value(owner, deeper) => owner == *key && deeper.starts_with(path) && deeper != *path,
                    Place::Slot(..) => false,
                });
                !below
            }
            Place::Slot(..) => true,
        })
        .collect();
    // What somebody did before an apply was finished is a conflict of a plan also if Git has not changed it.
    for agent in drift.agents.iter().filter(|agent| agent.is_held) {
        let fields = agent.fields.iter().map(|field| Place::Value(agent.key.clone(), field.path.clone()));
        let slots = agent.slots.iter().map(|slot| Place::Slot(slot.number.as_str().to_owned(), slot.direction));
        for place in fields.chain(slots).filter(|place| planned.get(place) == Some(&true)) {
            drifted.entry(place).and_modify(|conflict| *conflict = true);
        }
    }
    assert_eq!(planned, drifted, "{what}: plan (left) and drift (right)\n{:#?}\n{:#?}", plan.changes, drift.agents);
}

/// What `drift` finds in a scene.
fn drift_of(scene: &Scene) -> Drift {
    let resolved = scene.resolve();
    let (target, source) = (Scene::target(), Source::default());
    let run = Inputs {
        desired: &resolved.desired,
        live: &scene.live,
        target: &target,
        source: &source,
        options: &scene.options,
    };
    let inputs = DriftInputs {
        unseen: None,
        run: &run,
        checked_at: jiff::Timestamp::UNIX_EPOCH,
        busy: &BTreeMap::new(),
        unmade: &BTreeSet::new(),
        provenance: &BTreeMap::new(),
        unread: &BTreeMap::new(),
    };
    judge(&inputs, scene.schema.as_ref())
}

/// Whether a plan says that what is live is what Git says.
fn claims_as_declared(plan: &Plan) -> bool {
    plan_text(plan, &TextOptions::default()).contains("What is live is what the manifests declare")
}

/// Whether a check says that there is no drift and nothing more.
fn claims_no_drift(drift: &Drift) -> bool {
    drift_text(drift, &TextOptions::default()).contains("No drift.") && drift.state() == DriftState::Clean
}
