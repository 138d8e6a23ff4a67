//! The same change on several agents, as where they share a file: said once, with the names of all.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::model::Origin;
use crate::model::value::canonical;
use crate::plan::{Action, AgentChange, Cause, FieldChange, Plan, Shown};

/// Values that change alike on the very same agents.
pub(super) struct Shared<'p> {
    pub(super) fields: Vec<&'p FieldChange>,
    pub(super) agents: Vec<&'p AgentChange>,
    /// The file that all of them share and the line of the first value, where there is one.
    pub(super) origin: Option<&'p Origin>,
}

/// All values that change alike on two agents or more.
pub(super) struct Sharing<'p> {
    pub(super) groups: Vec<Shared<'p>>,
    /// By the places of an agent and of its value in the plan, the group that tells it.
    told: BTreeMap<(usize, usize), usize>,
}

impl<'p> Sharing<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut found: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut known: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let field_at = |(agent, field): (usize, usize)| plan.changes.get(agent)?.fields.get(field);
        for (agent, change) in plan.changes.iter().enumerate() {
            if change.action != Action::Update || change.held.is_some() {
                continue;
            }
            for (index, field) in change.fields.iter().enumerate() {
                if field.cause != Cause::Pending || !is_known(&field.before) || !is_known(&field.after) {
                    continue;
                }
                // A hash first: a thousand prompts are not compared with each other.
                let alike = known.entry(hash(field)).or_default();
                let first = |group: usize| found.get(group)?.first().and_then(|at| field_at(*at));
                let same = |group: &&usize| first(**group).is_some_and(|known| is_same(known, field));
                if let Some(places) = alike.iter().find(same).and_then(|group| found.get_mut(*group)) {
                    places.push((agent, index));
                } else {
                    alike.push(found.len());
                    found.push(vec![(agent, index)]);
                }
            }
        }
        let mut sharing = Self { groups: Vec::new(), told: BTreeMap::new() };
        let mut by_agents: BTreeMap<(Vec<usize>, Option<&str>), usize> = BTreeMap::new();
        for places in found.iter().filter(|places| places.len() > 1) {
            let Some(field) = places.first().and_then(|at| field_at(*at)) else { continue };
            let agents: Vec<usize> = places.iter().map(|(agent, _)| *agent).collect();
            let of = |agent: &usize| plan.changes.get(*agent);
            let is_from_there = |at: &(usize, usize)| field_at(*at).is_some_and(|other| other.origin == field.origin);
            let origin = field.origin.as_ref().filter(|_| places.iter().all(is_from_there));
            let key = (agents.clone(), origin.map(|origin| origin.file.as_str()));
            let group = *by_agents.entry(key).or_insert_with(|| {
                let agents = agents.iter().filter_map(of).collect();
                sharing.groups.push(Shared { fields: Vec::new(), agents, origin });
                sharing.groups.len() - 1
            });
            sharing.told.extend(places.iter().map(|place| (*place, group)));
            sharing.groups.get_mut(group).into_iter().for_each(|shared| shared.fields.push(field));
        }
        sharing
    }

    /// The group that tells a value of an agent.
    pub(super) fn group_of(&self, agent: usize, field: usize) -> Option<usize> {
        self.told.get(&(agent, field)).copied()
    }
}

/// Of values that are not shown nobody knows whether they are the same.
fn is_known(shown: &Shown) -> bool {
    matches!(shown, Shown::Absent | Shown::Value(_))
}

/// Whether two changes are one, wherever each is declared.
fn is_same(a: &FieldChange, b: &FieldChange) -> bool {
    let FieldChange { path, kind, cause, before, after, applied, removal, risk, origin: _ } = a;
    let FieldChange {
        path: b_path,
        kind: b_kind,
        cause: b_cause,
        before: b_before,
        after: b_after,
        applied: b_applied,
        removal: b_removal,
        risk: b_risk,
        origin: _,
    } = b;
    path == b_path
        && (kind, cause, removal, risk) == (b_kind, b_cause, b_removal, b_risk)
        && (before, after, applied) == (b_before, b_after, b_applied)
}

fn hash(field: &FieldChange) -> u64 {
    let mut hasher = DefaultHasher::new();
    field.path.steps().hash(&mut hasher);
    for shown in [&field.before, &field.after] {
        if let Shown::Value(value) = shown {
            canonical(value).hash(&mut hasher);
        }
    }
    hasher.finish()
}
