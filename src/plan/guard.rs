//! The limits: how many agents a plan may delete and change, and what `--prune` may take away.

use std::collections::BTreeSet;

use crate::diagnostics::{Diagnostic, Severity};
use crate::model::{Direction, LiveAgent, LiveState};

use super::change::{Action, AgentChange, LimitBreach, Orphan, SlotHolder};
use super::options::Options;

/// Fewest live agents for which a share means anything: of three agents, two are a normal change.
const FEWEST_FOR_A_SHARE: usize = 5;

/// The limits that the changes go beyond. `live` has the ids of the agents of ours that have a live version.
pub fn breaches(changes: &[AgentChange], live: &BTreeSet<&str>, options: &Options) -> Vec<LimitBreach> {
    let mut breaches = Vec::new();
    let live_agents = live.len();
    let deletes = changes.iter().filter(|change| change.action == Action::Delete).count();
    if deletes > options.limits.delete {
        breaches.push(LimitBreach {
            message: format!(
                "the plan deletes {deletes} of {live_agents} agents, and the limit is {}",
                options.limits.delete
            ),
            flag: format!("--max-delete {deletes}"),
        });
    }
    let changed = changed_agents(changes).intersection(live).count();
    let percent = (changed * 100).checked_div(live_agents).unwrap_or(0);
    if live_agents >= FEWEST_FOR_A_SHARE && changed * 100 > live_agents * options.limits.change_percent {
        // Rounded up, so that the printed flag is enough.
        let needed = (changed * 100).div_ceil(live_agents);
        breaches.push(LimitBreach {
            message: format!(
                "the plan changes {changed} of {live_agents} live agents ({percent}%), and the limit is {}%",
                options.limits.change_percent
            ),
            flag: format!("--max-change-percent {needed}"),
        });
    }
    breaches
}

/// The agents that are updated, and those that lose an inbound slot, be it to nobody or to another agent: what rings there
/// changes, whether or not anything of their own is written. A slot that only follows is of an agent that is updated.
fn changed_agents(changes: &[AgentChange]) -> BTreeSet<&str> {
    let updated = changes.iter().filter(|change| change.action == Action::Update);
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
        return Some("it is protected; its stamp says so".to_owned());
    }
    if !live.agent_coverage.is_proven() {
        return Some("the list of agents could not be proven complete".to_owned());
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
        return Some(format!("{} still points at it", pointing.join(", ")));
    }
    if !live.number_coverage.is_proven() {
        return Some("the list of phone numbers could not be proven complete".to_owned());
    }
    if let [first, ..] = agent.widgets.as_slice() {
        return Some(format!("the web widget {} still points at it", first.id));
    }
    agent.sip_deployed.then(|| "it is exposed over SIP".to_owned())
}
