//! The limits: how many agents a plan may delete and change, and what `--prune` may take away.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::diagnostics::{Diagnostic, Severity};
use crate::model::{Direction, LiveAgent, LiveState};

use super::change::{Action, AgentChange, LimitBreach, Orphan, SlotHolder};
use super::options::{Limits, LimitsBefore, Options};

/// Fewest live agents for which a share means anything: of three agents, two are a normal change.
const FEWEST_FOR_A_SHARE: usize = 5;

/// One of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum LimitKind {
    /// How many agents a plan may delete.
    Delete,
    /// How many per cent of the live agents it may change.
    ChangePercent,
}

impl LimitKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Delete, Self::ChangePercent];

    /// Its name below `limits` in `reachform.yaml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::ChangePercent => "change_percent",
        }
    }

    fn of(self, limits: &Limits) -> usize {
        match self {
            Self::Delete => limits.delete,
            Self::ChangePercent => limits.change_percent,
        }
    }
}

/// A limit that was raised by the very change that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaisedLimit {
    /// Which.
    pub limit: LimitKind,
    /// What it was before; absent where the older file could not be read.
    pub from: Option<usize>,
    /// What it is now.
    pub to: usize,
}

impl RaisedLimit {
    /// As a sentence.
    pub fn describe(&self) -> String {
        let Self { limit, from, to } = self;
        let name = limit.as_str();
        match from {
            Some(from) => {
                format!("`limits.{name}` is raised from {from} to {to} in this change, and this plan needs it")
            }
            None => format!(
                "`limits.{name}` is {to}, this plan needs it, and whether this change raises it could not be checked: \
                 the base of the pull request is not in this checkout, so check out the whole history \
                 (`fetch-depth: 0`)"
            ),
        }
    }
}

/// How much a plan deletes and changes.
struct Extent {
    live: usize,
    deleted: usize,
    changed: usize,
}

impl Extent {
    fn of(changes: &[AgentChange], live: &BTreeSet<&str>) -> Self {
        Self {
            live: live.len(),
            deleted: changes.iter().filter(|change| change.action == Action::Delete).count(),
            changed: changed_agents(changes).intersection(live).count(),
        }
    }

    fn is_beyond(&self, kind: LimitKind, limits: &Limits) -> bool {
        match kind {
            LimitKind::Delete => self.deleted > limits.delete,
            LimitKind::ChangePercent => {
                self.live >= FEWEST_FOR_A_SHARE && self.changed * 100 > self.live * limits.change_percent
            }
        }
    }
}

/// The limits that the changes go beyond. `live` has the ids of the agents of ours that have a live version.
pub fn breaches(changes: &[AgentChange], live: &BTreeSet<&str>, options: &Options) -> Vec<LimitBreach> {
    let extent = Extent::of(changes, live);
    let Extent { live, deleted, changed } = extent;
    let beyond = LimitKind::ALL.into_iter().filter(|kind| extent.is_beyond(*kind, &options.limits));
    let breach = |kind: LimitKind| {
        let limit = kind.of(&options.limits);
        match kind {
            LimitKind::Delete => LimitBreach {
                message: format!("the plan deletes {deleted} of {live} agents, and the limit is {limit}"),
                flag: format!("--max-delete {deleted}"),
            },
            LimitKind::ChangePercent => {
                let percent = (changed * 100).checked_div(live).unwrap_or(0);
                // Rounded up, so that the printed flag is enough.
                let needed = (changed * 100).div_ceil(live.max(1));
                LimitBreach {
                    message: format!(
                        "the plan changes {changed} of {live} live agents ({percent}%), and the limit is {limit}%"
                    ),
                    flag: format!("--max-change-percent {needed}"),
                }
            }
        }
    };
    beyond.map(breach).collect()
}

/// The limits that are higher than before the pull request, and that the changes would go beyond if they were not. Where
/// the older file could not be read, those that are higher than the defaults.
pub fn raised(changes: &[AgentChange], live: &BTreeSet<&str>, options: &Options) -> Vec<RaisedLimit> {
    let (before, is_known) = match options.limits_before {
        LimitsBefore::NotAsked => return Vec::new(),
        LimitsBefore::Assumed(limits) => (limits, false),
        LimitsBefore::Known(limits) => (limits, true),
    };
    let extent = Extent::of(changes, live);
    let raised = |kind: LimitKind| {
        let (from, to) = (kind.of(&before), kind.of(&options.limits));
        (to > from && extent.is_beyond(kind, &before)).then(|| RaisedLimit {
            limit: kind,
            from: is_known.then_some(from),
            to,
        })
    };
    LimitKind::ALL.into_iter().filter_map(raised).collect()
}

/// The agents that are updated, and those that lose an inbound slot, be it to nobody or to another agent: what rings there
/// changes, whether or not anything of their own is written. A slot that only follows is of an agent that is updated. Where
/// nothing but `verify` changes, nothing rings differently.
fn changed_agents(changes: &[AgentChange]) -> BTreeSet<&str> {
    let updated = changes.iter().filter(|change| change.action == Action::Update && !change.is_verify_alone());
    let slots = changes.iter().flat_map(|change| &change.numbers);
    let holders = slots.filter(|slot| slot.direction == Direction::Inbound).filter_map(|slot| match &slot.from {
        SlotHolder::Agent { agent_id, .. } => Some(agent_id.as_str()),
        SlotHolder::Empty | SlotHolder::Unknown { .. } => None,
    });
    updated.filter_map(|change| change.agent_id.as_deref()).chain(holders).collect()
}

/// Why `--prune` does not delete an orphan, if it does not.
pub fn kept_from_pruning(
    orphan: &Orphan,
    agent: &LiveAgent,
    live: &LiveState,
    options: &Options,
    diagnostics: &[Diagnostic],
    loses: &dyn Fn(&str) -> bool,
) -> Option<String> {
    if orphan.protect {
        return Some("it was applied with `protect: true`".to_owned());
    }
    if !live.agent_coverage.is_proven() {
        return Some("the service did not confirm that the list of agents is complete".to_owned());
    }
    if options.is_targeted() {
        return Some("`--target` and `--exclude` prune nothing".to_owned());
    }
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Some("the plan has errors".to_owned());
    }
    let pointing: Vec<String> = live
        .numbers
        .values()
        .flat_map(|number| {
            Direction::ALL.into_iter().filter_map(move |direction| {
                let id = number.slot(direction)?;
                let is_here = agent.versions.iter().any(|head| head.id == id);
                is_here.then(|| format!("{} {direction}", number.number))
            })
        })
        .filter(|slot| !loses(slot))
        .collect();
    if !pointing.is_empty() {
        let verb = if pointing.len() == 1 { "points" } else { "point" };
        return Some(format!("{} still {verb} at it", pointing.join(", ")));
    }
    if !live.number_coverage.is_proven() {
        return Some("the service did not confirm that the list of phone numbers is complete".to_owned());
    }
    if let [first, ..] = agent.widgets.as_slice() {
        return Some(format!("the web widget {} still points at it", first.id));
    }
    agent.sip_deployed.then(|| "it is exposed over SIP".to_owned())
}
