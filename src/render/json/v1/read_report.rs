//! The document on an apply back to a report that can be shown.

use serde_json::Value;

use super::read::{entries, flag, key, notice, number, shown, text};
use crate::model::{Address, Digest, FieldPath};
use crate::plan::{Action, AgentOutcome, Outcome, Report, Rewrite, Target, Traffic};

/// Reads a report document for showing; `None` where it is not one.
pub fn read_report(document: &Value) -> Option<Report> {
    let target = document.get("target")?;
    let traffic = document.get("traffic")?;
    Some(Report {
        target: Target {
            host: text(target, "host")?,
            declared_organization: None,
            organization: text(target, "organization"),
            environment: text(target, "environment")?,
            project: text(target, "project")?,
        },
        plan_hash: Digest::parse(&text(document, "plan_hash")?)?,
        outcomes: document.get("outcomes")?.as_array()?.iter().map(outcome).collect::<Option<_>>()?,
        wrote: flag(document, "wrote"),
        interrupted: flag(document, "interrupted"),
        notices: entries(document, "notices").iter().filter_map(notice).collect(),
        traffic: Traffic {
            requests: number(traffic, "requests").unwrap_or(0),
            retries: number(traffic, "retries").unwrap_or(0),
            throttled: number(traffic, "throttled").unwrap_or(0),
            waited_milliseconds: number(traffic, "waited_milliseconds").unwrap_or(0),
        },
    })
}

fn outcome(value: &Value) -> Option<AgentOutcome> {
    let key = key(value, "key")?;
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    let texts = |name: &str| entries(value, name).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(AgentOutcome {
        address: Address(key.clone()),
        name: text(value, "name")?,
        agent_id: text(value, "agent_id"),
        action: [Action::Create, Action::Update, Action::Delete, Action::Adopt]
            .into_iter()
            .find(|action| Some(action.as_str()) == word("action"))?,
        outcome: Outcome::ALL.into_iter().find(|outcome| Some(outcome.as_str()) == word("outcome"))?,
        version: number(value, "version"),
        draft: number(value, "draft"),
        step: text(value, "step"),
        causes: texts("causes"),
        hints: texts("hints"),
        rewritten: entries(value, "rewrites").iter().map(rewrite).collect::<Option<_>>()?,
        left_behind: texts("left_behind"),
        milliseconds: number(value, "milliseconds").unwrap_or(0),
        key,
    })
}

fn rewrite(value: &Value) -> Option<Rewrite> {
    let path = FieldPath::parse(&text(value, "path")?)?;
    Some(Rewrite { path, sent: shown(value, "sent")?, read: shown(value, "read")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_reads_as_none() {
        for text in ["null", "{}", r#"{"target": {"host": "h", "environment": "e", "project": "p"}, "traffic": {}}"#] {
            assert!(read_report(&serde_json::from_str(text).unwrap()).is_none());
        }
    }
}
