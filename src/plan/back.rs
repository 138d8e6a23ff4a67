//! The way back to an older version: which one it is, whether it can be taken, and what is recorded of it.
//!
//! A rollback copies a published version by its number and publishes the copy where the live version rings now. Nothing is
//! written into the copy, so no secret and no manifest is needed for it. What is recorded makes the next plan see that
//! Git still wants what was rolled back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place};
use crate::model::stamp::Fields;
use crate::model::value::{leaves, same};
use crate::model::{
    Back, Coverage, Desired, Direction, FieldHash, FieldPath, Intent, LiveAgent, PhoneNumber, RolledBack, Seal, Stamp,
    VersionHead,
};

use super::between::Comparing;
use super::change::{Action, AgentChange, Cause, Notice, SlotChange, SlotTarget};
use super::draft::Draft;
use super::faults;
use super::hash::Meaning;
use super::history::History;
use super::identity::Binding;
use super::options::Inputs;
use super::stamping::{is_as_applied, leaf_hash};
use super::step::Step;
use super::threeway::{Slots, Subject, live_document, slot_at};
use super::verify::VerifyChange;
use super::work::{Course, Refresh, Work};

/// A rollback that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackTo {
    /// The version to go back to; the one before the live one where none is named.
    pub to: Option<u64>,
    /// Why.
    pub reason: String,
}

/// Which way a rollback goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way<'s> {
    /// From the live version to a copy of an older one.
    Go {
        /// The live version.
        from: u64,
        /// The one that is copied.
        to: u64,
    },
    /// A run that died has published the copy already: what is left is to record it.
    Record(&'s Intent),
    /// It has been done, and nobody has gone forward since.
    Done(&'s RolledBack),
    /// It cannot be gone, and why.
    Closed(String),
}

/// Which way a rollback goes for an agent.
pub fn way<'s>(agent: &LiveAgent, stamp: &'s Stamp, asked: &BackTo) -> Way<'s> {
    let Some(live) = agent.live_version().map(|head| head.version) else {
        return Way::Closed("it has no published version".to_owned());
    };
    let begun = stamp.state.intent.as_ref().and_then(|intent| Some((intent, intent.rollback.as_ref()?)));
    if let Some((intent, rolled_back)) = begun.filter(|(_, begun)| asked.to.is_none_or(|to| to == begun.back.to)) {
        if History::of(Some(stamp), Some(agent)).begun().is_some() {
            return Way::Record(intent);
        }
        if intent.base == Some(live) {
            return Way::Go { from: live, to: rolled_back.back.to };
        }
    }
    let done = stamp.state.rollback.as_ref().filter(|_| {
        let applied = stamp.state.applied.as_ref().and_then(|applied| applied.version);
        stamp.state.intent.is_none() && applied == Some(live)
    });
    if let Some(done) = done.filter(|done| asked.to.is_none_or(|to| to == done.back.to)) {
        return Way::Done(done);
    }
    let published = |head: &&VersionHead| head.published && head.version < live;
    let to = match asked.to {
        None => agent.versions.iter().filter(published).map(|head| head.version).max(),
        Some(to) => Some(to),
    };
    let Some(to) = to else {
        return Way::Closed(format!("version {live} is its first published one, so there is nothing to go back to"));
    };
    match agent.version(to) {
        None => Way::Closed(format!("it has no version {to}")),
        Some(_) if to == live => Way::Closed(format!("version {to} is the live one")),
        Some(head) if !head.published => Way::Closed(format!("version {to} is a draft that was never published")),
        Some(_) if to > live => Way::Closed(format!("version {to} is newer than the live version {live}")),
        Some(_) => Way::Go { from: live, to },
    }
}

/// The configs that a rollback is planned from.
pub(super) fn configs_needed(agent: &LiveAgent, stamp: &Stamp, asked: &BackTo) -> BTreeSet<u64> {
    let live = agent.live_version().map(|head| head.version);
    match way(agent, stamp, asked) {
        Way::Go { from, to } => BTreeSet::from([from, to]),
        // Whether the live version is the copy is seen by what both hold.
        Way::Record(intent) => live.into_iter().chain(intent.rollback.as_ref().map(|begun| begun.back.to)).collect(),
        Way::Done(_) | Way::Closed(_) => live.into_iter().collect(),
    }
}

/// The live version and the one to go back to, if what is live is not the copy that a rollback was about to publish. That
/// its author is ours does not say so: a person may use the same key.
fn published_instead(agent: &LiveAgent, intent: &Intent) -> Option<(u64, u64)> {
    let to = intent.rollback.as_ref()?.back.to;
    let from = agent.live_version()?.version;
    let (live, old) = (agent.configs.get(&from)?, agent.configs.get(&to)?);
    (!same(&live.config, &old.config)).then_some((from, to))
}

/// What is said of an agent that was rolled back: `live` says whether the manifest still wants what was left.
pub fn describe(rolled_back: &RolledBack, desired: &Desired) -> String {
    let RolledBack { back: Back { from, to, source, reason }, by, at } = rolled_back;
    let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = reason.as_ref().map(|reason| format!(" (\"{reason}\")")).unwrap_or_default();
    let now = if *source == desired.source.as_str() {
        format!(
            "its manifest still says what was rolled back, so `apply` holds it; change the manifest, or use `--redo {}`",
            desired.key
        )
    } else {
        "its manifest was changed since, so the next `apply` goes forward with it".to_owned()
    };
    let at = match at.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => at.clone(),
    };
    format!("rolled back from version {from} to version {to}{by} on {at}{reason}; {now}")
}

/// What is said of a rollback that a run began and did not finish.
pub(super) fn describe_begun(rolled_back: &RolledBack, desired: &Desired) -> String {
    let (key, to) = (&desired.key, rolled_back.back.to);
    format!(
        "a rollback to version {to} was begun and not finished; `reachform rollback {key} --to {to} --reason …` finishes \
         it, `reachform apply --redo {key}` gives it up"
    )
}

/// The notice about a rollback, for plans and for drift alike.
pub(super) fn notice(desired: &Desired, history: &History<'_>) -> Option<Notice> {
    let rolled_back = history.rolled_back()?;
    let (code, message) = if history.is_rollback_unpublished() {
        ("rollback-unfinished", describe_begun(rolled_back, desired))
    } else {
        ("rolled-back", describe(rolled_back, desired))
    };
    Some(Notice { address: Some(desired.address()), code, message })
}

/// One agent that is to go back.
pub(super) struct Return<'a, 'w> {
    pub inputs: &'w Inputs<'a>,
    pub slots: &'w Slots<'a, 'w>,
    pub desired: &'a Desired,
    pub binding: &'w Binding<'a>,
    pub subject: &'w Subject<'w>,
    pub asked: &'w BackTo,
}

impl Return<'_, '_> {
    /// Plans it into the draft.
    pub(super) fn plan(&self, draft: &mut Draft) {
        let Self { desired, binding, asked, .. } = self;
        let (Some(agent), Some(stamp)) = (binding.agent(), binding.stamp()) else {
            self.refuse(draft, "no apply has recorded anything on it, so reachform does not know what to go back from");
            return;
        };
        match way(agent, stamp, asked) {
            Way::Closed(why) => self.refuse(draft, &why),
            Way::Done(done) => {
                draft.notices.push(Notice {
                    address: Some(desired.address()),
                    code: "rolled-back",
                    message: format!("{}; to go further back, name a version with `--to`", describe(done, desired)),
                });
                self.unchanged(agent, draft);
            }
            Way::Record(intent) => {
                if let Some((from, to)) = published_instead(agent, intent) {
                    // Somebody who shows the same name published another version before the copy was made.
                    self.go(agent, stamp, (from, to), draft);
                } else {
                    self.unchanged(agent, draft);
                    draft.refreshes.extend(record(desired, agent, stamp, intent, self.inputs));
                }
            }
            Way::Go { from, to } => self.go(agent, stamp, (from, to), draft),
        }
    }

    fn refuse(&self, draft: &mut Draft, why: &str) {
        draft.diagnostics.push(
            Diagnostic::error("rollback-impossible", format!("it cannot be rolled back: {why}"))
                .at(Place::Agent(self.desired.address()))
                .hint(format!("`reachform versions {}` shows its versions", self.desired.key)),
        );
    }

    fn unchanged(&self, agent: &LiveAgent, draft: &mut Draft) {
        draft.unchanged.push(super::change::Unchanged {
            key: self.desired.key.clone(),
            agent_id: agent.id.clone(),
            version: agent.live_version().map(|head| head.version),
            kept: Vec::new(),
        });
    }

    fn go(&self, agent: &LiveAgent, stamp: &Stamp, (from, to): (u64, u64), draft: &mut Draft) {
        let Self { inputs, desired, subject, asked, .. } = self;
        let (Some(live), Some(old)) = (agent.configs.get(&from), agent.configs.get(&to)) else {
            draft.diagnostics.push(
                Diagnostic::error(
                    "config-unreadable",
                    format!("the config of version {from} or {to} could not be read"),
                )
                .at(Place::Agent(desired.address())),
            );
            return;
        };
        if same(&live.config, &old.config) {
            self.refuse(draft, &format!("version {to} holds the same as the live version {from}"));
            return;
        }
        self.check(agent, (&live.config, &old.config), to, draft);
        let comparing = Comparing {
            shape: subject.shape,
            declared: Some(&desired.declared),
            seal: Some(Seal::of(stamp)),
            not_secret: subject.not_secret,
        };
        let fields = comparing.fields(&live.config, &old.config, Cause::Pending);
        let history = History::of(Some(stamp), Some(agent));
        let source = match history.begun() {
            Some(intent) => intent.source.clone().unwrap_or_else(|| desired.source.as_str().to_owned()),
            None => stamp.state.applied.as_ref().map(|applied| applied.source.clone()).unwrap_or_default(),
        };
        let back = Back { from, to, source, reason: Some(asked.reason.clone()) };
        let (numbers, assign) = self.numbers(agent, from, draft);
        self.name_what_stays(agent, from, draft);
        let verify = VerifyChange::since(Some(stamp), Some(agent), desired);
        let mut steps = vec![Step::WriteIntent, Step::CreateVersion { base: to }, Step::ReadBack];
        steps.extend(desired.verify.as_ref().map(|_| Step::Verify));
        steps.extend([Step::publish(&assign), Step::WriteAgent]);
        let meaning = Meaning {
            target: inputs.target,
            address: desired.address().to_string(),
            agent_id: Some(&agent.id),
            action: Action::Update,
            base_version: Some(from),
            desired: Some(desired),
            writes_config: false,
            copies: Some(to),
            removed: &[],
            agent_fields: &[],
            slots: &numbers,
            verify: verify.as_ref(),
        };
        let change_hash = meaning.digest();
        let core_hash = Some(Meaning { slots: &[], ..meaning }.digest());
        let kept_fields = recorded(self, agent, stamp, (&live.config, &old.config));
        let work = Work {
            course: Course::Copy { of: to, config: old.config.clone() },
            declared: Some(desired.declared.clone()),
            not_secret: inputs.options.not_secret.clone(),
            assign,
            stamp: Some(stamp.clone()),
            kept_fields,
            salt: Some(stamp.state.salt.clone()),
            verify: desired.verify.clone(),
            protect: desired.protect,
            source: desired.source.as_str().to_owned(),
            commit: inputs.source.commit.clone(),
            core_hash,
            back: Some(back.clone()),
            ..Work::default()
        };
        let (key, name, id) = (desired.key.clone(), desired.name.clone(), agent.id.clone());
        draft.records.push(super::approve::Record {
            key: key.clone(),
            applied: stamp.state.applied.as_ref().map(|applied| (applied.plan.clone(), applied.change.clone())),
            begun: stamp
                .state
                .intent
                .as_ref()
                .filter(|intent| intent.rollback.as_ref().is_some_and(|begun| begun.back.to == to))
                .map(|intent| (intent.plan.clone(), intent.change.clone())),
        });
        draft.changes.push(AgentChange {
            new_version: true,
            origin: Some(desired.origin.clone()),
            live_editor: history.live_editor(),
            fields,
            numbers,
            verify,
            steps: steps.iter().map(Step::describe).collect(),
            back: Some(back),
            work,
            ..AgentChange::bare(key, name, id, Action::Update, change_hash, Some(from))
        });
    }

    /// What points at the live version moves along with the copy, whoever claims it: callers must not reach the version
    /// that is left. What points elsewhere stays and is mentioned.
    fn numbers(
        &self,
        agent: &LiveAgent,
        from: u64,
        draft: &mut Draft,
    ) -> (Vec<SlotChange>, BTreeMap<Direction, Vec<PhoneNumber>>) {
        let (mut numbers, mut assign) = (Vec::new(), BTreeMap::<Direction, Vec<PhoneNumber>>::new());
        for direction in Direction::ALL {
            for (slot, version) in self.slots.held(agent, direction) {
                if version != from {
                    draft.notices.push(Notice {
                        address: Some(self.desired.address()),
                        code: "slot-on-an-older-version",
                        message: format!("{slot} points at version {version}, which is not the live one; it stays"),
                    });
                    continue;
                }
                assign.entry(direction).or_default().push(slot.number.clone());
                numbers.push(SlotChange {
                    from: self.slots.live_at(&slot).holder(),
                    to: SlotTarget::NewVersion { key: self.desired.key.clone() },
                    cause: Cause::Pending,
                    follows: true,
                    risk: None,
                    number: slot.number,
                    direction,
                });
            }
        }
        (numbers, assign)
    }

    /// A widget runs the version that it is tied to, whatever is published above it.
    fn name_what_stays(&self, agent: &LiveAgent, from: u64, draft: &mut Draft) {
        let live = agent.version(from).map(|head| head.id.as_str());
        for widget in agent.widgets.iter().filter(|widget| live.is_some() && widget.agent_version_id.as_deref() == live)
        {
            draft.notices.push(Notice {
                address: Some(self.desired.address()),
                code: "widget-stays",
                message: format!(
                    "the web widget {} goes on with version {from}: connect it to another version in the dashboard",
                    widget.id
                ),
            });
        }
    }

    /// Whether the old config can still be used: it fits the schema, and what it refers to is there.
    fn check(&self, agent: &LiveAgent, (live, old): (&Value, &Value), to: u64, draft: &mut Draft) {
        let Self { inputs, desired, subject, .. } = self;
        let other = "go back to another version with `--to`, or fix the manifest and apply it";
        for fault in faults::new_faults(subject, live, old) {
            draft.diagnostics.push(
                Diagnostic::error("rollback-invalid", format!("version {to} no longer fits the schema: {fault}"))
                    .at(Place::Agent(desired.address()))
                    .hint(other),
            );
        }
        let known = references(live);
        for (path, (name, id)) in references(old) {
            if id == agent.id || known.values().any(|(known_name, known_id)| *known_name == name && *known_id == id) {
                continue;
            }
            let is_there = inputs.live.agents.contains_key(&id);
            match (name.as_str(), &inputs.live.agent_coverage) {
                ("agent_id", _) if is_there => {}
                ("agent_id", Coverage::Proven) => draft.diagnostics.push(
                    Diagnostic::error(
                        "reference-gone",
                        format!("version {to} refers to the agent {id} at {path}, and there is no such agent any more"),
                    )
                    .at(Place::Agent(desired.address()))
                    .hint(other),
                ),
                _ => draft.notices.push(Notice {
                    address: Some(desired.address()),
                    code: "reference-not-checked",
                    message: format!(
                        "version {to} refers to {id} at {path}; whether that still exists was not checked"
                    ),
                }),
            }
        }
    }
}

/// Where a config names something else of the organization: path, name of the property, id.
fn references(config: &Value) -> BTreeMap<FieldPath, (String, String)> {
    fn walk(value: &Value, at: &FieldPath, name: &str, out: &mut BTreeMap<FieldPath, (String, String)>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| walk(value, &at.child(key), key, out)),
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(index, value)| walk(value, &at.index(index), name, out));
            }
            Value::String(id) if REFERENCES.contains(&name) && !id.is_empty() => {
                out.insert(at.clone(), (name.to_owned(), id.clone()));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut out = BTreeMap::new();
    walk(config, &FieldPath::config(), "", &mut out);
    out
}

/// The properties that name something else of the organization (contract, section 11).
const REFERENCES: [&str; 7] =
    ["agent_id", "dataset_id", "workflow_id", "connection_id", "scorecard_ids", "table", "evaluation_id"];

/// What the stamp owns once the copy is live: everything that it owned, as the old version has it, and what the old version
/// has in addition, so that going forward again takes it away.
fn recorded(this: &Return<'_, '_>, agent: &LiveAgent, stamp: &Stamp, (live, old): (&Value, &Value)) -> Fields {
    let seal = Seal::of(stamp);
    let history = History::of(Some(stamp), Some(agent));
    let document = live_document(agent);
    let applied = stamp.state.applied.as_ref().map(|applied| &applied.fields);
    let mut fields = Fields::new();
    for (path, hash) in history.owned().iter().filter(|(path, _)| !path.in_config()) {
        // What an unfinished run was about to write and did not is as it was applied before.
        let is_written = slot_at(path).is_some() || is_as_applied(seal, hash, path.get(&document));
        let before = applied.and_then(|applied| applied.get(path)).filter(|_| !is_written);
        fields.insert(path.clone(), before.unwrap_or(hash).clone());
    }
    let scope = this.subject.scope;
    let declared = this.desired.declared.leaves().into_iter().map(|(path, _)| path);
    let declared = declared.filter(|path| path.in_config() && !scope.is_ignored(path));
    let is_managed = this.desired.declared.config().is_some();
    let at = |config: &Value, path: &FieldPath| path.within_config().and_then(|inner| inner.get(config)).is_some();
    let brought = leaves(old, &FieldPath::config()).into_iter().map(|(path, _)| path);
    let brought = brought.filter(|path| is_managed && !at(live, path) && !scope.is_ignored(path));
    let owned = history.owned().keys().filter(|path| path.in_config()).cloned();
    let owned: BTreeSet<FieldPath> = owned.chain(declared).collect();
    let is_covered = |path: &FieldPath| owned.iter().any(|ours| path.starts_with(ours));
    let brought: Vec<FieldPath> = brought.filter(|path| !is_covered(path)).collect();
    for path in owned.into_iter().chain(brought) {
        let value = path.within_config().and_then(|inner| inner.get(old));
        fields.insert(path, FieldHash { sent: leaf_hash(seal, value), read: None });
    }
    fields
}

/// What is left to record of a rollback that a dead run has published.
pub(super) fn record(
    desired: &Desired,
    agent: &LiveAgent,
    stamp: &Stamp,
    intent: &Intent,
    inputs: &Inputs<'_>,
) -> Option<Refresh> {
    let back = intent.rollback.as_ref()?.back.clone();
    let live = agent.live_version()?.version;
    // Where it is another check by now, nobody has seen it run, and the next plan says so.
    let verify = desired.verify.clone().filter(|verify| Some(verify.hash(&stamp.state.salt)) == intent.verify);
    Some(Refresh {
        key: desired.key.clone(),
        name: desired.name.clone(),
        agent_id: agent.id.clone(),
        version: Some(live),
        work: Work {
            stamp: Some(stamp.clone()),
            kept_fields: intent.fields.clone(),
            salt: Some(stamp.state.salt.clone()),
            verify,
            protect: desired.protect,
            source: intent.source.clone().unwrap_or_else(|| desired.source.as_str().to_owned()),
            commit: inputs.source.commit.clone(),
            claim: Some((intent.plan.clone(), intent.change.clone())),
            back: Some(back),
            ..Work::default()
        },
    })
}
