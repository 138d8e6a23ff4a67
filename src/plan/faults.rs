//! Whether the new config is valid as a whole, and whose fault it is where it is not (design, section 4).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place};
use crate::model::Desired;
use crate::model::shape::ShapeFault;
use crate::model::value::same;

use super::change::{Action, AgentChange};
use super::codes::SECRET_MISSING;
use super::mask::Mask;
use super::threeway::Subject;

/// Judges the faults of a new config.
///
/// At a declared path a fault is an error, or a warning where the declared value is what is live already. At an
/// undeclared path it is an error where this plan would bring it about; what live has already is said in one notice.
pub fn judge(subject: &Subject<'_>, live: Option<&Value>, new: &Value) -> Vec<Diagnostic> {
    let faults = subject.shape.faults(new);
    if faults.is_empty() {
        return Vec::new();
    }
    let live_faults = live.map(|live| subject.shape.faults(live)).unwrap_or_default();
    let leaves = subject.desired.declared.leaves();
    let mut standing = Vec::new();
    let mut found = Vec::new();
    // What a service shows in place of a declared secret is not what it keeps.
    let is_concealed = |fault: &&ShapeFault| {
        live.is_some_and(|live| same(live, new)) && subject.desired.declared.secrets().contains_key(&fault.path)
    };
    for fault in faults.iter().filter(|fault| !is_concealed(fault)) {
        let stands = live_faults.contains(fault);
        let is_declared = leaves.iter().any(|(path, _)| fault.path.starts_with(path));
        let is_live = live.zip(fault.path.within_config()).is_some_and(|(live, inner)| {
            match (inner.get(live), fault.path.get(subject.desired.declared.tree())) {
                (Some(live), Some(declared)) => same(live, declared),
                (None, None) => true,
                _ => false,
            }
        });
        let problem = match (is_declared, stands) {
            (true, true) if is_live => Diagnostic::warning("invalid-as-live", message(subject, fault, new))
                .hint("the live version has this value too, so the service accepted it"),
            // What the service filled in stays where nothing is written.
            (true, true) if live.is_some_and(|live| same(live, new)) => {
                standing.push(fault);
                continue;
            }
            (false, true) => {
                standing.push(fault);
                continue;
            }
            (true, _) => Diagnostic::error("invalid-config", message(subject, fault, new)),
            (false, false) => Diagnostic::error("invalid-config", message(subject, fault, new))
                .hint("the new config would be refused: declare what is missing, or take out what does not fit"),
        };
        found.push(problem.at(Place::Field { address: subject.desired.address(), path: fault.path.clone() }));
    }
    found.extend(in_one(subject, &standing, new));
    found
}

/// What the schema says against a config that it does not say against the live one as well, in words.
pub(super) fn new_faults(subject: &Subject<'_>, live: &Value, config: &Value) -> Vec<String> {
    let known = subject.shape.faults(live);
    let faults = subject.shape.faults(config);
    faults.iter().filter(|fault| !known.contains(fault)).map(|fault| message(subject, fault, config)).collect()
}

/// Secrets without which nothing can be applied, each once, with all agents whose change needs it.
pub fn missing_secrets(desired: &[Desired], changes: &[AgentChange]) -> Vec<Diagnostic> {
    let mut users: BTreeMap<&str, Vec<&AgentChange>> = BTreeMap::new();
    // Taking an agent over as it is sends no value of it.
    for change in changes.iter().filter(|change| change.action != Action::Adopt) {
        for name in &change.work.missing_secrets {
            users.entry(name).or_default().push(change);
        }
    }
    let mut found = Vec::new();
    for (name, users) in users {
        let agents: Vec<String> = users.iter().map(|change| change.address.to_string()).collect();
        let place = users.first().and_then(|first| {
            let desired = desired.iter().find(|desired| desired.key == first.key)?;
            let mut texts = desired.declared.secrets().iter();
            let (path, _) = texts.find(|(_, text)| text.missing().any(|missing| missing == name))?;
            Some(Place::Field { address: desired.address(), path: path.clone() })
        });
        let problem = Diagnostic::error(
            SECRET_MISSING,
            format!(
                "`!secret {name}` has no value here, and without it {} cannot be applied",
                sentence_list(&agents, NAMED)
            ),
        );
        // It is about the secret, wherever it is used first.
        let mut problem = problem.hint(format!("set the variable `REACHFORM_SECRET_{name}`"));
        problem.place = place;
        found.push(problem);
    }
    found
}

/// The first of a list in words, and how many more there are.
fn sentence_list(names: &[String], shown: usize) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        _ if names.len() > shown + 1 => {
            let first = names.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
            format!("{first} and {} more agents", names.len() - shown)
        }
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// How many paths a notice names.
const NAMED: usize = 3;

/// What is live already and no work of Git's, in one line, however much the service filled in.
fn in_one(subject: &Subject<'_>, standing: &[&ShapeFault], new: &Value) -> Option<Diagnostic> {
    let text = match standing {
        [] => return None,
        [fault] => format!("{} (it is live already, and the plan leaves it as it is)", message(subject, fault, new)),
        many => {
            let named: Vec<String> = many.iter().take(NAMED).map(|fault| fault.path.to_string()).collect();
            let more = many.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!(
                "{} values that are live already break the schema, and the plan leaves them as they are: {}{more}",
                many.len(),
                named.join(", ")
            )
        }
    };
    Some(Diagnostic::notice("live-config-invalid", text).at(Place::Line(subject.desired.origin.clone())))
}

/// The schema knows its own secret places, but not where a `!secret` stands: what it says there may quote the value.
fn message(subject: &Subject<'_>, fault: &ShapeFault, new: &Value) -> String {
    let mask = Mask { declared: Some(&subject.desired.declared), config: new, ..subject.mask() };
    let hidden = || {
        let value = fault.path.within_config().and_then(|inner| inner.get(new));
        value.is_some_and(|value| mask.is_secret(&fault.path, value))
    };
    match subject.desired.declared.secrets().get(&fault.path) {
        Some(secret) => format!("{}: `{}` is not what the schema asks for", fault.path, secret.named()),
        None if hidden() => format!("{}: (secret) is not what the schema asks for", fault.path),
        None => format!("{}: {}", fault.path, fault.message),
    }
}
