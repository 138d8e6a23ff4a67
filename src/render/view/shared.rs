//! The same change on several agents, as where they share a file: said once, with the names of all.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::model::value::canonical;
use crate::plan::{Action, AgentChange, Cause, FieldChange, Plan, Shown};

/// Values that change alike on the very same agents.
pub(super) struct Shared<'p> {
    pub(super) fields: Vec<&'p FieldChange>,
    pub(super) agents: Vec<&'p AgentChange>,
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
                let same = |group: &&usize| {
                    found.get(**group).and_then(|places| places.first()).and_then(|at| field_at(*at)) == Some(field)
                };
                match alike.iter().find(same).and_then(|group| found.get_mut(*group)) {
                    Some(places) => places.push((agent, index)),
                    None => {
                        alike.push(found.len());
                        found.push(vec![(agent, index)]);
                    }
                }
            }
        }
        let mut sharing = Self { groups: Vec::new(), told: BTreeMap::new() };
        let mut by_agents: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for places in found.iter().filter(|places| places.len() > 1) {
            let Some(field) = places.first().and_then(|at| field_at(*at)) else { continue };
            let agents: Vec<usize> = places.iter().map(|(agent, _)| *agent).collect();
            let of = |agent: &usize| plan.changes.get(*agent);
            let group = *by_agents.entry(agents.clone()).or_insert_with(|| {
                let agents = agents.iter().filter_map(of).collect();
                sharing.groups.push(Shared { fields: Vec::new(), agents });
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
