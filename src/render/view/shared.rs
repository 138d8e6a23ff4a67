//! The same change on several agents, as where they share a file: said once, with the names of all.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::model::Origin;
use crate::model::value::canonical;
use crate::plan::{Cause, FieldChange, Shown};

/// One agent whose values may be those of others as well.
pub(super) struct Candidate<'p> {
    pub(super) fields: &'p [FieldChange],
    /// Whether it is new, so that all that it has comes.
    pub(super) is_new: bool,
    /// Whether what is decided on it is decided for itself alone.
    pub(super) stands_alone: bool,
}

/// How many new agents have a value in common before it is shown apart from them.
const NEW_ALIKE: usize = 3;
/// The same of a text of so many bytes.
const LONG_ALIKE: usize = 2;
const LONG: usize = 400;

/// Values that change alike on the very same agents.
pub(super) struct Shared<'p> {
    pub(super) fields: Vec<&'p FieldChange>,
    /// The places of the agents in the list.
    pub(super) agents: Vec<usize>,
    /// Whether all of them are new.
    pub(super) is_new: bool,
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
    pub(super) fn of(all: &[Candidate<'p>]) -> Self {
        let mut found: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut known: BTreeMap<(bool, u64), Vec<usize>> = BTreeMap::new();
        let field_at = |(agent, field): (usize, usize)| all.get(agent)?.fields.get(field);
        for (agent, candidate) in all.iter().enumerate().filter(|(_, candidate)| !candidate.stands_alone) {
            for (index, field) in candidate.fields.iter().enumerate() {
                if field.cause != Cause::Pending || !is_known(&field.before) || !is_known(&field.after) {
                    continue;
                }
                // A hash first: a thousand prompts are not compared with each other.
                let alike = known.entry((candidate.is_new, hash(field))).or_default();
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
        for places in &found {
            let Some((first, field)) = places.first().and_then(|at| Some((at.0, field_at(*at)?))) else { continue };
            let is_new = all.get(first).is_some_and(|candidate| candidate.is_new);
            let fewest = if is_new && !is_long(&field.after) { NEW_ALIKE } else { LONG_ALIKE };
            if places.len() < fewest {
                continue;
            }
            let agents: Vec<usize> = places.iter().map(|(agent, _)| *agent).collect();
            let is_from_there = |at: &(usize, usize)| field_at(*at).is_some_and(|other| other.origin == field.origin);
            let origin = field.origin.as_ref().filter(|_| places.iter().all(is_from_there));
            // What is new is one block, whatever files it comes from.
            let file = origin.filter(|_| !is_new).map(|origin| origin.file.as_str());
            let group = *by_agents.entry((agents.clone(), file)).or_insert_with(|| {
                let origin = origin.filter(|_| !is_new);
                sharing.groups.push(Shared { fields: Vec::new(), agents, is_new, origin });
                sharing.groups.len() - 1
            });
            sharing.told.extend(places.iter().map(|place| (*place, group)));
            sharing.groups.get_mut(group).into_iter().for_each(|shared| shared.fields.push(field));
        }
        sharing
    }

    /// The groups that are told where an agent is, each with the first of its agents, and how many values of the agent
    /// they hold; what is left is its own.
    pub(super) fn part(&self, agent: usize, fields: &'p [FieldChange], shown: &mut Vec<bool>) -> Part<'_, 'p> {
        shown.resize(self.groups.len(), false);
        let mut part = Part { own: Vec::new(), elsewhere: 0, groups: Vec::new() };
        for (index, field) in fields.iter().enumerate() {
            let Some(group) = self.group_of(agent, index) else {
                part.own.push(field);
                continue;
            };
            part.elsewhere += 1;
            let is_shown = shown.get_mut(group).is_none_or(|shown| std::mem::replace(shown, true));
            part.groups.extend(self.groups.get(group).filter(|_| !is_shown));
        }
        part
    }

    /// The group that tells a value of an agent.
    fn group_of(&self, agent: usize, field: usize) -> Option<usize> {
        self.told.get(&(agent, field)).copied()
    }
}

/// What is told of one agent.
pub(super) struct Part<'s, 'p> {
    /// Its own values.
    pub(super) own: Vec<&'p FieldChange>,
    /// How many values it shares with others.
    pub(super) elsewhere: usize,
    /// The groups that were not told before.
    pub(super) groups: Vec<&'s Shared<'p>>,
}

fn is_long(shown: &Shown) -> bool {
    matches!(shown, Shown::Value(value) if value.as_str().is_some_and(|text| text.len() >= LONG))
}

/// Of values that are not shown nobody knows whether they are the same.
fn is_known(shown: &Shown) -> bool {
    matches!(shown, Shown::Absent | Shown::Value(_))
}

/// Whether two changes are one, wherever each is declared.
fn is_same(a: &FieldChange, b: &FieldChange) -> bool {
    let FieldChange { path, kind, cause, before, after, applied, removal, risk, origin: _, secrets } = a;
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
        secrets: b_secrets,
    } = b;
    path == b_path
        && (kind, cause, removal, risk, secrets) == (b_kind, b_cause, b_removal, b_risk, b_secrets)
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
