//! One agent: what of the findings is written, and what is sent with it.

use serde_json::{Map, Value};

use crate::diagnostics::{Diagnostic, Place};
use crate::model::stamp::Fields;
use crate::model::{FieldPath, LiveAgent};

use super::back;
use super::change::{Cause, FieldChange, KeptEdit, Notice, Risk};
use super::compare::in_the_way;
use super::conceal::mark_alike;
use super::config::{Config, change};
use super::faults;
use super::mask::Mask;
use super::needs::is_settled;
use super::order::order_fields;
use super::threeway::{Finding, Subject, Verdict, compare_fields, is_switched_off, live_document};

/// What planning found out about one agent, its slots apart.
#[derive(Clone, Debug, Default)]
pub struct AgentPlan {
    /// Values that change.
    pub fields: Vec<FieldChange>,
    /// Live edits that stay.
    pub kept: Vec<KeptEdit>,
    /// The new config with secrets in clear, where it changes and every secret is known.
    pub config: Option<Value>,
    /// Whether the config changes.
    pub writes_config: bool,
    /// Paths that go.
    pub removed: Vec<FieldPath>,
    /// Agent fields and metadata leaves that change: path, before, after, secrets by name.
    pub agent_fields: Vec<(FieldPath, Value, Value)>,
    /// What is sent of `name`, `description` and `active`.
    pub body: Map<String, Value>,
    /// What is sent of `metadata`, by top-level key.
    pub metadata: Map<String, Value>,
    /// Every owned leaf as it is sent.
    pub sent: Vec<(FieldPath, Value)>,
    /// Fields of the stamp that carry over as they are, because their secret is not known here or nothing was read.
    pub carried: Fields,
    /// Secrets without a value.
    pub missing_secrets: Vec<String>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// For information.
    pub notices: Vec<Notice>,
}

/// Plans one agent. Pure: the reading is finished. With `refresh` every config is looked into.
pub fn plan_agent(subject: &Subject<'_>, refresh: bool) -> AgentPlan {
    let mut plan = AgentPlan { missing_secrets: subject.desired.declared.missing_secrets(), ..AgentPlan::default() };
    if let Some(seal) = subject.history().seal() {
        seal.expect(&subject.desired.declared);
    }
    let owned = subject.history().owned();
    plan_outside_config(subject, &mut plan);
    if let Some(declared) = subject.desired.declared.config() {
        plan_config(subject, declared, refresh, &mut plan);
    } else if owned.keys().any(FieldPath::in_config) {
        // `config` as a whole is a top-level field: no longer declared, it is let go, never removed.
        plan.note(
            subject,
            "config-let-go",
            "`config` is no longer declared: the live one stays and is no longer managed".to_owned(),
        );
    }
    let back = back::notice(subject.desired, &subject.history());
    let is_back = subject.history().is_rollback_unpublished();
    plan.notices.extend(back);
    if !is_back && subject.stamp.is_some_and(|stamp| stamp.state.intent.is_some()) {
        plan.note(subject, UNFINISHED, UNFINISHED_MESSAGE.to_owned());
    }
    if is_switched_off(subject) {
        plan.note(subject, SWITCHED_OFF, SWITCHED_OFF_MESSAGE.to_owned());
    }
    mark_alike(&mut plan.fields);
    let live = subject.agent.and_then(LiveAgent::live_config).map(|live| &live.config);
    plan.notices.extend(subject.scope.notices(subject.desired, owned, live));
    plan
}

/// The code of a notice that an apply was begun and not finished.
pub(super) const UNFINISHED: &str = "apply-unfinished";

/// What it says.
pub(super) const UNFINISHED_MESSAGE: &str = "its last apply was not finished";

/// The code of a notice that an agent is switched off, and its manifest does not say so.
pub const SWITCHED_OFF: &str = "switched-off";

/// What it says.
pub(super) const SWITCHED_OFF_MESSAGE: &str = "the agent is switched off, and its manifest does not say so: declare \
    `active: true` to have `apply` switch it on, or `active: false` to leave it off";

impl AgentPlan {
    fn note(&mut self, subject: &Subject<'_>, code: &'static str, message: String) {
        self.notices.push(Notice { address: Some(subject.desired.address()), code, message });
    }
}

/// `name`, `description`, `active` and the declared keys of `metadata`.
fn plan_outside_config(subject: &Subject<'_>, plan: &mut AgentPlan) {
    let declared = &subject.desired.declared;
    let live = subject.agent.map(live_document);
    let empty = Value::Null;
    let mask = Mask { declared: Some(declared), config: &empty, ..subject.mask() };
    for finding in compare_fields(subject) {
        send_or_carry(subject, &finding, plan);
        let Finding { path, named: Some(named), value, live: found, verdict } = finding else { continue };
        let Some(why) = verdict.why() else { continue };
        let found = found.as_ref();
        let turned_off = path == FieldPath::of(["active"]) && named == Value::Bool(false) && found.is_some();
        plan.fields.push(FieldChange {
            kind: mask.kind(&path, found, Some(value.as_ref().unwrap_or(&named))),
            cause: why.cause(),
            before: mask.shown(&path, found),
            after: mask.shown(&path, Some(&named)),
            applied: None,
            removal: false,
            origin: None,
            risk: turned_off.then(|| Risk("the agent is turned off".to_owned())),
            path: path.clone(),
            secrets: Vec::new(),
        });
        let in_the_way = live.as_ref().and_then(|live| in_the_way(live, &FieldPath::root(), &path));
        if let Some((path, found)) = in_the_way.filter(|(path, _)| plan.fields.iter().all(|field| field.path != *path))
        {
            plan.fields.push(change(&mask, &path, why.cause(), Some(found), None));
        }
        let before = found.map_or(Value::Null, |found| mask.hashable(&path, found));
        plan.agent_fields.push((path.clone(), before, named));
        // Without its secret nothing is sent: `apply` refuses to begin.
        let Some(value) = value else { continue };
        match path.steps() {
            [field] => {
                plan.body.insert(field.clone(), value);
            }
            [metadata, key, ..] if metadata == "metadata" => {
                let before = live.as_ref().and_then(|live| live.get("metadata")).and_then(|map| map.get(key));
                let entry = plan.metadata.entry(key.clone()).or_insert_with(|| before.cloned().unwrap_or(Value::Null));
                let below = FieldPath::of(path.steps().iter().skip(2).cloned());
                below.set(entry, value);
            }
            _ => {}
        }
    }
}

/// Notes what is sent of a declared leaf; where a secret is missing, the old hash is carried.
pub(super) fn send_or_carry(subject: &Subject<'_>, finding: &Finding, plan: &mut AgentPlan) {
    let Finding { path, value, live, verdict, .. } = finding;
    match value {
        // An ignored leaf is not ours while the entry holds, but for a create, which writes it.
        Some(_) if subject.agent.is_some() && subject.scope.is_ignored(path) => {}
        Some(value) => plan.sent.push((path.clone(), value.clone())),
        None => {
            if let Some(hash) = subject.history().owned().get(path) {
                plan.carried.insert(path.clone(), hash.clone());
            } else if let (Verdict::NotCompared, Some(live)) = (verdict, live) {
                // Taken over as it is: from now on it counts as what was sent, until a run knows the secret.
                plan.sent.push((path.clone(), live.clone()));
            }
        }
    }
    if *verdict == Verdict::NotCompared {
        plan.note(subject, SECRET_NOT_COMPARED, format!("{path}: (secret) not checked, this run has no value for it"));
    }
}

/// The code of a notice that a declared value could not be compared, because a secret in it has no value in this run.
pub const SECRET_NOT_COMPARED: &str = "secret-not-checked";

fn plan_config(subject: &Subject<'_>, declared: &Value, refresh: bool, plan: &mut AgentPlan) {
    let Some((agent, live_head)) = subject.agent.and_then(|agent| Some((agent, agent.live_version()?))) else {
        plan_first_config(subject, declared, plan);
        return;
    };
    let history = subject.history();
    if let Some(stamp) = subject.stamp
        && !refresh
        && is_settled(subject.desired, agent, stamp, subject.scope)
    {
        for (path, _) in subject.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()) {
            // Nothing was read, so the renderings that the stamp holds stay as they are.
            if let Some(hash) = history.owned().get(&path) {
                plan.carried.insert(path, hash.clone());
            }
        }
        return;
    }
    let Some(live) = agent.configs.get(&live_head.version) else {
        plan.diagnostics.push(
            Diagnostic::error(
                "config-unreadable",
                format!("the config of version {} could not be read", live_head.version),
            )
            .at(Place::Agent(subject.desired.address())),
        );
        return;
    };
    let applied = history.applied_version().and_then(|version| agent.configs.get(&version)).map(|read| &read.config);
    Config { subject, declared, live: &live.config, applied }.plan(plan);
}

/// An agent without a published version gets its first from `config` as declared.
fn plan_first_config(subject: &Subject<'_>, declared: &Value, plan: &mut AgentPlan) {
    let mask = Mask { declared: Some(&subject.desired.declared), config: declared, ..subject.mask() };
    for (path, named) in subject.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()) {
        if let Ok(Some(value)) = subject.desired.declared.reveal(&path) {
            plan.sent.push((path.clone(), value));
        }
        plan.fields.push(change(&mask, &path, Cause::Pending, None, Some(&named)));
    }
    order_fields(&mut plan.fields, declared, subject.shape);
    plan.writes_config = true;
    plan.config = subject.desired.declared.reveal(&FieldPath::config()).ok().flatten();
    plan.diagnostics.extend(faults::judge(subject, None, declared));
}
