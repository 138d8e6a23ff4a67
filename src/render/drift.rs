//! The words of a check for drift that terminal, Markdown and JSON share, so that all say the same of the same thing.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::FieldPath;
use crate::plan::Shown;
use crate::plan::drift::{AgentDrift, Drift, DriftState, DriftSummary, EndedIgnore, FieldDrift};

use super::values::plural;
use super::visible::one_line;

/// Agents up to which a command names each, so that it touches no other.
const TARGETS_NAMED: usize = 5;
/// How long the snippet proposes to ignore a difference: long enough for a test, short enough to be asked about.
const IGNORE_DAYS: i64 = 30;
/// Values that the snippet lists.
const IGNORES_SHOWN: usize = 5;

/// The title of the issue on an environment, with the project's folder where it is not the repository itself.
pub fn drift_title(drift: &Drift, folder: &str) -> String {
    let folder = if folder.is_empty() { String::new() } else { format!(" ({})", one_line(folder)) };
    format!("Agent drift in {}{folder}", one_line(&drift.target.environment))
}

/// `2026-09-01 06:17 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    let at = TimeZone::UTC.to_datetime(at);
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// What the check came to, as the end of a title.
pub(super) fn outcome(drift: &Drift) -> String {
    let DriftSummary { drifted, fields: _, slots: _, absent: _, as_applied, unchecked: _ } = drift.summary();
    let changed = plural(drifted, "agent was changed outside of Git", "agents were changed outside of Git");
    match drift.state() {
        DriftState::Clean if drift.targeted => "none on the agents that were looked at".to_owned(),
        DriftState::Clean => "none".to_owned(),
        DriftState::Drifted => changed,
        DriftState::NotChecked if drifted > 0 => format!("not everything could be checked; {changed}"),
        DriftState::NotChecked if as_applied > 0 => "not everything could be checked".to_owned(),
        DriftState::NotChecked => "could not be checked".to_owned(),
    }
}

/// `Drift: 2 agents changed outside of Git, 17 as applied, 0 not checked.` Scripts read it, so its words never vary.
pub fn summary_line(drift: &Drift) -> String {
    let DriftSummary { drifted, fields: _, slots: _, absent: _, as_applied, unchecked } = drift.summary();
    let agents = plural(drifted, "agent", "agents");
    format!("Drift: {agents} changed outside of Git, {as_applied} as applied, {unchecked} not checked.")
}

/// Why an agent may be missing. The service keeps nothing of a deleted agent, so the two cannot be told apart.
pub(super) const ABSENT: &str = "a manifest declares it: it was deleted on the service, or no apply has made it yet";

/// What an ended `ignore` says.
pub(super) fn ended(ended: &EndedIgnore) -> String {
    let EndedIgnore { until, reason } = ended;
    let reason = reason.as_ref().map(|reason| format!(" ({})", one_line(reason))).unwrap_or_default();
    format!("`ignore` ended on {until}{reason}: the declared value holds again")
}

/// One way to be done with drift.
pub(super) struct WayOut {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    /// What to copy.
    pub copy: String,
    /// What language that is in.
    pub language: &'static str,
}

/// The ways out: write the applied values back, take the live ones over, or leave the difference.
pub(super) fn ways_out(drift: &Drift) -> Vec<WayOut> {
    if drift.agents.is_empty() {
        return Vec::new();
    }
    let flags = drift.flags.clone().unwrap_or_else(|| environment_flag(&drift.target.environment));
    let targets = |agents: Vec<&AgentDrift>| -> String {
        if agents.len() > TARGETS_NAMED {
            return String::new();
        }
        agents.iter().fold(String::new(), |flags, agent| flags + " --target " + agent.key.as_str())
    };
    let mut ways = Vec::new();
    let revertible: Vec<&AgentDrift> = drift.agents.iter().filter(|agent| !is_only_switched_off(agent)).collect();
    if !revertible.is_empty() {
        ways.push(WayOut {
            name: "Revert",
            what: "write back what Git declares, with what is pending there",
            copy: {
                // At a prompt the plan is shown and decided; without one, the flag decides.
                let force = if revertible.iter().any(|agent| agent.is_held) { " --force-conflicts" } else { "" };
                format!("reachform apply{flags}{}{force}", targets(revertible))
            },
            language: "sh",
        });
    }
    let present: Vec<&AgentDrift> = drift.agents.iter().filter(|agent| can_be_adopted(agent)).collect();
    if !present.is_empty() {
        let is_conflict = |agent: &AgentDrift| {
            agent.fields.iter().any(|field| field.conflict) || agent.slots.iter().any(|slot| slot.conflict)
        };
        let force = if present.iter().any(|agent| is_conflict(agent)) { " --force" } else { "" };
        ways.push(WayOut {
            name: "Adopt",
            what: "write the live values into the manifests, then review and merge them",
            copy: format!("reachform drift --adopt{force}{flags}{}", targets(present)),
            language: "sh",
        });
    }
    let snippet = ignore_snippet(drift);
    if !snippet.is_empty() {
        ways.push(WayOut {
            name: "Ignore",
            what: "leave the live values as they are for a while, with the reason",
            copy: snippet,
            language: "yaml",
        });
    }
    ways
}

/// Whether there is a live value that a manifest can take over.
fn can_be_adopted(agent: &AgentDrift) -> bool {
    let differs = !agent.fields.is_empty() || !agent.slots.is_empty();
    differs && !agent.is_absent() && !is_only_switched_off(agent)
}

/// Whether all that was changed is a switch that Git does not declare, so that an apply would not touch it.
fn is_only_switched_off(agent: &AgentDrift) -> bool {
    let is_switch =
        |field: &FieldDrift| field.path == FieldPath::of(["active"]) && field.applied == Some(Shown::Absent);
    !agent.is_absent() && agent.slots.is_empty() && agent.foreign.is_none() && agent.fields.iter().all(is_switch)
}

/// `--env NAME`, where there is more than the one environment that needs no name.
fn environment_flag(environment: &str) -> String {
    let is_plain = environment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    match environment {
        "" | "default" => String::new(),
        plain if is_plain => format!(" --env {plain}"),
        other => format!(" --env '{}'", one_line(other).replace('\'', "'\\''")),
    }
}

/// Lines for the manifests, ready to be pasted.
fn ignore_snippet(drift: &Drift) -> String {
    let until = TimeZone::UTC.to_datetime(drift.checked_at).date();
    let until = until.checked_add(jiff::Span::new().days(IGNORE_DAYS)).unwrap_or(until);
    let mut lines: Vec<String> = Vec::new();
    let mut room = IGNORES_SHOWN;
    for agent in drift.agents.iter().filter(|agent| !agent.fields.is_empty()) {
        if room == 0 {
            break;
        }
        lines.push(format!("# {}\nignore:", one_line(&agent.origin.file)));
        for field in agent.fields.iter().take(room) {
            let path = yaml_text(&field.path.to_string());
            lines.push(format!("  - {{path: {path}, reason: why it may differ, until: {until}}}"));
        }
        room -= agent.fields.len().min(room);
    }
    let more = drift.summary().fields.saturating_sub(IGNORES_SHOWN);
    if more > 0 {
        lines.push(format!("# and the same for {}", plural(more, "more value", "more values")));
    }
    lines.join("\n")
}

/// A pointer as YAML inside `{…}`: plain where it is plain, else as a JSON text, which YAML reads the same.
fn yaml_text(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.'));
    if is_plain { text.to_owned() } else { super::visible::json(&serde_json::Value::from(text).to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_quoted_only_where_yaml_would_read_it_otherwise() {
        assert_eq!(yaml_text("/config/agent/max_tool_steps"), "/config/agent/max_tool_steps");
        assert_eq!(yaml_text("/metadata/a: b, c"), "\"/metadata/a: b, c\"");
    }

    #[test]
    fn the_only_environment_needs_no_name() {
        assert_eq!(environment_flag("default"), "");
        assert_eq!(environment_flag("prod"), " --env prod");
        assert_eq!(environment_flag("a b"), " --env 'a b'");
    }
}
