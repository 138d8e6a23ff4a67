//! The words that terminal and Markdown share, so that both say the same of the same thing.

use crate::plan::agent::{SECRET_NOT_COMPARED, SWITCHED_OFF};
use crate::plan::difference::{Difference, Fate};
use crate::plan::{AgentChange, Alarm, AlarmCode, Cause, Outcome, Plan, REWRITTEN, Report, Summary};

use super::values::plural;

/// What is done, in words, what destroys first: `1 to delete, 2 to update`. An agent that lost its manifest is no "no
/// changes".
pub(super) fn counts(summary: &Summary) -> String {
    let Summary { create, update, delete, adopt, unchanged: _, drift: _, conflict: _, orphaned } = *summary;
    let counts: Vec<String> = [
        (delete, "to delete"),
        (update, "to update"),
        (create, "to create"),
        (adopt, "to adopt"),
        (orphaned, "without a manifest"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if counts.is_empty() { "no changes".to_owned() } else { counts.join(", ") }
}

/// What a title says of a plan before its counts, where it is not a whole and good one.
pub(super) fn state(plan: &Plan) -> Option<&'static str> {
    if plan.has_errors() {
        Some("errors")
    } else if !plan.complete {
        Some("incomplete")
    } else if plan.targeted {
        Some("targeted")
    } else {
        None
    }
}

/// Whether someone should look at an agent's change twice.
pub(super) fn needs_second_look(change: &AgentChange) -> bool {
    change.is_risky() || change.has_cause(Cause::Conflict) || change.held.is_some()
}

/// The alarms that an output shows first, each once with the agents that it is about. What becomes of `verify` has
/// lines of its own.
pub(super) fn alarm_lines(alarms: Vec<Alarm>) -> Vec<(Vec<String>, Option<String>, String)> {
    let mut lines: Vec<(Vec<String>, Option<String>, String)> = Vec::new();
    for Alarm { code, address, path, message } in alarms {
        if matches!(code, AlarmCode::NewProgram | AlarmCode::CheckRemoved) {
            continue;
        }
        let path = path.map(|path| path.to_string());
        let address = address.map(|address| address.to_string());
        match lines.iter_mut().rev().find(|(_, at, said)| *at == path && *said == message) {
            Some((agents, ..)) => agents.extend(address),
            None => lines.push((address.into_iter().collect(), path, message)),
        }
    }
    lines
}

/// `Plan: 1 to create, 2 to update, 0 to delete, 0 to adopt. 17 unchanged.` Scripts read it, so its words never vary.
pub fn plan_line(summary: &Summary) -> String {
    let Summary { create, update, delete, adopt, unchanged, drift: _, conflict: _, orphaned: _ } = summary;
    format!(
        "Plan: {create} to create, {update} to update, {delete} to delete, {adopt} to adopt. {unchanged} unchanged."
    )
}

/// The line on drift, where there is any.
pub(super) fn drift_line(summary: &Summary) -> Option<String> {
    (summary.drift > 0).then(|| format!("Drift: {} changed outside of Git.", plural(summary.drift, "agent", "agents")))
}

/// The line on conflicts, where there are any.
pub(super) fn conflict_line(summary: &Summary) -> Option<String> {
    (summary.conflict > 0).then(|| {
        let agents = plural(summary.conflict, "agent", "agents");
        format!("Conflicts: {agents} with changes on the service that an apply holds.")
    })
}

/// What every difference of files says of itself.
pub(super) const OFFLINE: &str =
    "Offline: this is what the files say. The service was not asked, and what is live may differ.";

/// `Difference: 1 added, 2 changed, 0 removed. 17 the same.` Scripts read it, so its words never vary.
pub(super) fn difference_line(difference: &Difference) -> String {
    let count = |fate| difference.count(fate);
    format!(
        "Difference: {} added, {} changed, {} removed. {} the same.",
        count(Fate::Added),
        count(Fate::Changed),
        count(Fate::Removed),
        difference.same
    )
}

/// `Apply: 2 applied, 1 failed, 1 skipped. 4 changes.` The parts add up to the whole.
pub fn report_line(report: &Report) -> String {
    let parts: Vec<String> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome, report.count(outcome)))
        // These two are always named: who looks for a failure finds its zero.
        .filter(|(outcome, count)| *count > 0 || matches!(outcome, Outcome::Applied | Outcome::Failed))
        .map(|(outcome, count)| format!("{count} {}", outcome.as_str()))
        .collect();
    format!("Apply: {}. {}.", parts.join(", "), plural(report.outcomes.len(), "change", "changes"))
}

/// What a plan says that changes nothing. A partial reading never says that all is well.
pub(super) fn no_changes(plan: &Plan) -> Option<&'static str> {
    if plan.summary().has_changes() {
        None
    } else if !plan.complete {
        Some("No changes found, but not everything could be read.")
    } else if plan.has_errors() {
        Some("No changes found, but there are errors.")
    } else if plan.targeted {
        Some("No changes to the agents that were looked at; others were left out.")
    } else if !plan.orphans.is_empty() {
        Some("No changes to the agents that have a manifest, but not every agent of this project has one.")
    } else if plan.notices.iter().any(|notice| notice.code == SWITCHED_OFF) {
        Some("No changes, but not every agent answers: one is switched off, and its manifest does not say so.")
    } else if !plan.refreshes.is_empty() {
        Some("No changes to what is live. The next `apply` only updates what reachform records on the agents.")
    } else if plan.notices.iter().any(|notice| notice.code == REWRITTEN) {
        Some("No changes. The service keeps some values otherwise than the manifests declare them.")
    } else if plan.notices.iter().any(|notice| notice.code == SECRET_NOT_COMPARED) {
        Some("No changes found, but some secrets could not be compared: this run has no values for them.")
    } else {
        Some("No changes. What is live is what the manifests declare.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_line_always_has_the_same_words() {
        let summary = Summary { create: 1, update: 2, unchanged: 17, ..Summary::default() };
        assert_eq!(plan_line(&summary), "Plan: 1 to create, 2 to update, 0 to delete, 0 to adopt. 17 unchanged.");
        assert_eq!(drift_line(&summary), None);
        let summary = Summary { drift: 1, conflict: 2, ..summary };
        assert_eq!(drift_line(&summary).unwrap(), "Drift: 1 agent changed outside of Git.");
        assert_eq!(
            conflict_line(&summary).unwrap(),
            "Conflicts: 2 agents with changes on the service that an apply holds."
        );
    }
}
