//! Just before the first write: is what was approved still what is planned?
//!
//! The lists are read once more and planned once more. Stale is what others did since; what any step of the plan
//! itself puts in place is not (design, section 6).

use super::approve::ApprovedPlan;
use super::change::{Action, AgentChange, Plan};
use super::outcome::{AgentOutcome, Outcome};

/// What is carried out, and what is not any more.
#[derive(Debug)]
pub struct Rechecked {
    /// The changes to carry out, from the newest reading.
    pub changes: Vec<AgentChange>,
    /// Stamps to bring up to date.
    pub refreshes: Vec<super::work::Refresh>,
    /// Second agents of a key, to be removed where they are still bare.
    pub twins: Vec<super::change::Twin>,
    /// Outcomes that are decided already: stale, held, already applied.
    pub decided: Vec<AgentOutcome>,
    /// Whether anything was stale.
    pub is_stale: bool,
}

/// Compares the approved plan with one from the newest reading.
pub fn recheck(approved: &ApprovedPlan, fresh: Plan) -> Rechecked {
    let mut decided: Vec<AgentOutcome> =
        approved.already().iter().filter_map(|(address, action)| already(address, *action)).collect();
    let mut changes = Vec::new();
    let mut is_stale = false;
    let errors: Vec<String> = fresh
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == crate::diagnostics::Severity::Error)
        .map(|diagnostic| diagnostic.message.clone())
        .collect();
    for planned in &approved.plan().changes {
        if planned.held.is_some() {
            decided.push(held(planned));
            continue;
        }
        let now = fresh.changes.iter().find(|change| change.key == planned.key);
        let is_in_place = fresh.unchanged.iter().any(|entry| entry.key == planned.key)
            || (planned.action == Action::Delete && now.is_none() && errors.is_empty());
        match now {
            Some(now) if is_still_approved(planned, now) => {
                let mut now = now.clone();
                now.held = None;
                now.work.claim.clone_from(&planned.work.claim);
                changes.push(now);
            }
            None if is_in_place => {
                let mut entry = outcome(planned, Outcome::AlreadyApplied, Vec::new(), Vec::new());
                if let Some(unchanged) = fresh.unchanged.iter().find(|entry| entry.key == planned.key) {
                    entry.version = unchanged.version;
                    entry.agent_id = Some(unchanged.agent_id.clone());
                }
                decided.push(entry);
            }
            found => {
                is_stale = true;
                let mut causes = vec![why_stale(planned, found)];
                causes.extend(errors.iter().cloned());
                let hints = vec!["plan again, and look at what changed".to_owned()];
                let mut entry = outcome(planned, Outcome::Stale, causes, hints);
                // What is live is what was seen last. Of an agent that can no longer be planned nothing was.
                entry.version = found.and_then(|now| now.base_version);
                decided.push(entry);
            }
        }
    }
    Rechecked { changes, refreshes: fresh.refreshes, twins: fresh.twins, decided, is_stale }
}

/// The same change, or what is left of it: slots that the plan would fill and that are filled so by now do not count.
fn is_still_approved(planned: &AgentChange, now: &AgentChange) -> bool {
    planned.change_hash == now.change_hash
        || (planned.work.core_hash.is_some()
            && planned.work.core_hash == now.work.core_hash
            && now.numbers.iter().all(|slot| planned.numbers.contains(slot)))
}

fn why_stale(planned: &AgentChange, now: Option<&AgentChange>) -> String {
    let version = |version: Option<u64>| version.map_or("no published version".to_owned(), |v| format!("version {v}"));
    match now {
        None => "it can no longer be planned".to_owned(),
        Some(now) if planned.agent_id.is_none() && now.agent_id.is_some() => "it was created since the plan".to_owned(),
        Some(now) if now.base_version != planned.base_version => {
            let by = now.live_editor.as_ref().and_then(|editor| editor.by.as_deref());
            let by = by.map(|by| format!(", by {by}")).unwrap_or_default();
            format!("planned on {}, live is {}{by}", version(planned.base_version), version(now.base_version))
        }
        Some(now) if now.agent_id != planned.agent_id => "its key belongs to another agent now".to_owned(),
        Some(now) if now.numbers != planned.numbers => "its phone numbers were moved since the plan".to_owned(),
        Some(now) if now.verify != planned.verify => "another `verify` was applied since the plan".to_owned(),
        Some(_) => "its name, description, metadata or config was changed since the plan".to_owned(),
    }
}

/// The outcome of a change that the plan itself holds back.
fn held(planned: &AgentChange) -> AgentOutcome {
    let why = planned.held.as_ref().map(|held| held.describe(&planned.key)).unwrap_or_default();
    outcome(planned, Outcome::Held, vec![why], Vec::new())
}

/// An outcome without a step.
pub fn outcome(change: &AgentChange, outcome: Outcome, causes: Vec<String>, hints: Vec<String>) -> AgentOutcome {
    AgentOutcome {
        address: change.address.clone(),
        key: change.key.clone(),
        name: change.name.clone(),
        agent_id: change.agent_id.clone(),
        action: change.action,
        outcome,
        version: change.base_version,
        draft: None,
        step: None,
        causes,
        hints,
        by_hand: false,
        rewritten: Vec::new(),
        left_behind: Vec::new(),
        milliseconds: 0,
    }
}

fn already(address: &str, action: Action) -> Option<AgentOutcome> {
    let key = crate::model::Key::parse(address.strip_prefix("agent.")?)?;
    Some(AgentOutcome {
        address: crate::model::Address(key.clone()),
        name: key.to_string(),
        key,
        agent_id: None,
        action,
        outcome: Outcome::AlreadyApplied,
        version: None,
        draft: None,
        step: None,
        causes: Vec::new(),
        hints: Vec::new(),
        by_hand: false,
        rewritten: Vec::new(),
        left_behind: Vec::new(),
        milliseconds: 0,
    })
}
