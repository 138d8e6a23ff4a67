//! One agent of a plan: its change with the steps of it, or what its stamp shall say where nothing changes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Desired, FieldPath, LiveAgent, RolledBack, Seal, Slot, Stamp};

use super::agent::AgentPlan;
use super::approve::Record;
use super::change::{Action, AgentChange, Cause, FieldChange, Held, SlotHolder};
use super::hash::Meaning;
use super::history::History;
use super::identity::Binding;
use super::options::Inputs;
use super::slots::SlotPlan;
use super::stamping::{intended_fields, stamp_fields};
use super::step::Step;
use super::threeway::slot_path;
use super::verify::VerifyChange;
use super::work::{Course, Work};

/// What was found out about one agent, and what is made of it.
pub(super) struct One<'a> {
    pub inputs: &'a Inputs<'a>,
    pub desired: &'a Desired,
    pub binding: &'a Binding<'a>,
    pub agent: Option<&'a LiveAgent>,
    pub stamp: Option<&'a Stamp>,
    pub live_version: Option<u64>,
    pub fields: AgentPlan,
    pub slots: SlotPlan,
    pub verify: Option<VerifyChange>,
}

impl One<'_> {
    /// Whether the stamp says something else than what is in place.
    pub fn is_behind(&self) -> bool {
        let Some(stamp) = self.stamp else { return true };
        let Some(applied) = &stamp.state.applied else { return true };
        let seal = Seal::of(stamp);
        let mut wanted = intended_fields(seal, &self.fields.sent);
        wanted.extend(self.fields.carried.clone());
        // Renderings count only where the config was read, and then the hashes of what was sent decide as well.
        let sent = |fields: &crate::model::stamp::Fields| -> BTreeMap<FieldPath, crate::model::LeafHash> {
            fields.iter().map(|(path, hash)| (path.clone(), hash.sent.clone())).collect()
        };
        // A rollback that the manifest has caught up with is over.
        let is_over = |rolled_back: &RolledBack| rolled_back.back.source != self.desired.source.as_str();
        stamp.state.intent.is_some()
            || stamp.state.rollback.as_ref().is_some_and(is_over)
            || stamp.agent.is_none()
            || !seal.knows_its_secrets()
            || !self.desired.declared.secrets_in_clear().iter().all(|text| seal.is_secret(text))
            || stamp.key != self.desired.key
            || stamp.protect != self.desired.protect
            || applied.version != self.live_version
            || sent(&wanted) != sent(&applied.fields)
    }

    /// What the next apply records on an agent that it changes nothing else of, in words.
    pub fn to_record(&self) -> String {
        let mut found = Vec::new();
        if let Some(stamp) = self.stamp {
            if stamp.protect != self.desired.protect {
                found.push(if self.desired.protect {
                    "that it must not be deleted (`protect`)".to_owned()
                } else {
                    "that it may be deleted (`protect` is gone)".to_owned()
                });
            }
            if stamp.key != self.desired.key {
                found.push(format!("its new key ({} instead of {})", self.desired.key, stamp.key));
            }
        }
        if found.is_empty() { "that it is as its manifest declares it".to_owned() } else { found.join(" and ") }
    }

    /// The plan that brought about what is in place: the one that was begun and got as far as publishing, else the one
    /// that was applied last.
    pub fn claim(&self) -> Option<(String, String)> {
        let stamp = self.stamp?;
        let begun = History::of(Some(stamp), self.agent).begun();
        begun
            .map(|intent| (intent.plan.clone(), intent.change.clone()))
            .or_else(|| stamp.state.applied.as_ref().map(|applied| (applied.plan.clone(), applied.change.clone())))
    }

    /// What is written over outside of the config: of an agent's fields all, as one that was never declared may be anybody's,
    /// and of slots what is somebody else's.
    fn shown(&self) -> Vec<(FieldPath, Value)> {
        let is_theirs = |cause: Cause| matches!(cause, Cause::Drift | Cause::Conflict);
        let fields = self.fields.fields.iter().filter(|field| !field.path.in_config());
        let fields = fields.filter_map(|field| {
            let (path, before, _) = self.fields.agent_fields.iter().find(|(path, ..)| *path == field.path)?;
            Some((path.clone(), before.clone()))
        });
        let slots = self.slots.changes.iter().filter(|slot| is_theirs(slot.cause));
        let slots = slots.map(|slot| {
            let holder = match &slot.from {
                SlotHolder::Empty => Value::Null,
                SlotHolder::Agent { agent_id, .. } => Value::String(agent_id.clone()),
                SlotHolder::Unknown { version_id } => Value::String(version_id.clone()),
            };
            (slot_path(&Slot { number: slot.number.clone(), direction: slot.direction }), holder)
        });
        fields.chain(slots).collect()
    }

    /// Whether all that is written over here was so already in the plan that was begun: a published config stays what it
    /// is, so only one of the version that the plan began with was shown in it.
    fn was_all_shown(&self) -> bool {
        let history = History::of(self.stamp, self.agent);
        let in_config =
            |field: &FieldChange| field.path.in_config() && matches!(field.cause, Cause::Drift | Cause::Conflict);
        (history.began_with() == Some(self.live_version) || !self.fields.fields.iter().any(in_config))
            && self.shown().iter().all(|(path, live)| history.was_shown(path, live))
    }

    /// What the stamp says of plans, for approval. A plan that was begun counts only while the manifest still hashes to
    /// what it would have sent, and what is left of it writes over nothing that it did not show.
    pub fn record(&self) -> Record {
        let state = self.stamp.map(|stamp| &stamp.state);
        let applied = state.and_then(|state| state.applied.as_ref());
        let begun = self.stamp.and_then(|stamp| {
            let intent = stamp.state.intent.as_ref()?;
            let verify = self.desired.verify.as_ref().map(|verify| verify.hash(&stamp.state.salt));
            let still = intended_fields(Seal::of(stamp), &self.fields.sent) == intent.fields && verify == intent.verify;
            (still && self.was_all_shown()).then(|| (intent.plan.clone(), intent.change.clone()))
        });
        Record {
            key: self.desired.key.clone(),
            applied: applied.map(|applied| (applied.plan.clone(), applied.change.clone())),
            begun,
        }
    }

    pub fn work(&self) -> Work {
        let Self { inputs, desired, binding: _, agent, stamp, live_version, fields, slots, verify: _ } = self;
        let mut body = fields.body.clone();
        if agent.is_none() {
            body.entry("name".to_owned()).or_insert_with(|| Value::String(desired.name.clone()));
        }
        // Where nothing new is written, what is live now is the rendering of what is declared.
        let rendered = agent.and_then(|agent| agent.live_config()).filter(|_| !fields.writes_config);
        let rendering = match (stamp, rendered) {
            (Some(stamp), Some(live)) => {
                let config = &live.config;
                stamp_fields(Seal::of(stamp), &fields.sent, &|path| path.within_config()?.get(config))
                    .into_iter()
                    .filter(|(path, _)| path.in_config())
                    .collect()
            }
            _ => BTreeMap::new(),
        };
        let mut kept_fields = fields.carried.clone();
        kept_fields.extend(rendering);
        let course = match (&fields.config, live_version) {
            (Some(config), _) => Course::Version { config: config.clone() },
            (None, _) if fields.writes_config => {
                Course::Impossible { why: "a secret of its config has no value in this run" }
            }
            (None, Some(live)) if !slots.assign.is_empty() => Course::Numbers { live: *live },
            (None, None) if !slots.assign.is_empty() => {
                Course::Impossible { why: "it has no version that a number could point at" }
            }
            (None, _) => Course::Record,
        };
        Work {
            course,
            removed: fields.removed.clone(),
            agent_fields: body,
            metadata: fields.metadata.clone(),
            declared: Some(desired.declared.clone()),
            not_secret: inputs.options.not_secret.clone(),
            sent: fields.sent.clone(),
            assign: slots.assign.clone(),
            carry: slots.carry.clone(),
            unassign: slots.unassign.clone(),
            stamp: stamp.cloned(),
            kept_fields,
            salt: stamp.map(|stamp| stamp.state.salt.clone()),
            shown: self.shown(),
            secrets: desired.declared.secrets_in_clear(),
            verify: desired.verify.clone(),
            protect: desired.protect,
            source: desired.source.as_str().to_owned(),
            commit: inputs.source.commit.clone(),
            claim: None,
            core_hash: None,
            back: None,
            missing_secrets: fields.missing_secrets.clone(),
        }
    }

    pub fn change(self, action: Action) -> AgentChange {
        let mut work = self.work();
        let Self { inputs, desired, binding, agent, stamp, live_version, fields, slots, verify } = self;
        let steps = steps(action, live_version, &fields, &slots, desired.verify.is_some());
        let meaning = Meaning {
            target: inputs.target,
            address: desired.address().to_string(),
            agent_id: agent.map(|agent| agent.id.as_str()),
            action,
            base_version: live_version,
            desired: Some(desired),
            writes_config: fields.writes_config,
            copies: None,
            removed: &fields.removed,
            agent_fields: &fields.agent_fields,
            slots: &slots.changes,
            verify: verify.as_ref(),
        };
        let change_hash = meaning.digest();
        work.core_hash = Some(Meaning { slots: &[], ..meaning }.digest());
        let moved_from = match binding {
            Binding::Owned { moved_from, .. } => moved_from.clone(),
            Binding::Adopted { .. } | Binding::New | Binding::Broken => None,
        };
        let mut change = AgentChange {
            address: desired.address(),
            key: desired.key.clone(),
            name: desired.name.clone(),
            agent_id: agent.map(|agent| agent.id.clone()),
            action,
            change_hash,
            base_version: live_version,
            new_version: fields.writes_config,
            adopts: matches!(binding, Binding::Adopted { .. }),
            moved_from,
            origin: Some(desired.origin.clone()),
            live_editor: History::of(stamp, agent).live_editor(),
            fields: fields.fields,
            kept: fields.kept,
            numbers: slots.changes,
            verify,
            steps,
            held: None,
            back: None,
            work,
        };
        let history = History::of(stamp, agent);
        let undone = history.rolled_back().map(|rolled_back| &rolled_back.back);
        let undone = undone.filter(|back| back.source == desired.source.as_str());
        if undone.is_some() {
            // What somebody changed since the rollback stays what it is.
            for field in change.fields.iter_mut().filter(|field| field.cause == Cause::Pending) {
                field.cause = Cause::Rollback;
            }
        }
        change.held = match undone.filter(|_| !inputs.options.redo.contains(&desired.key)) {
            Some(back) => Some(Held::Rollback { from: back.from, to: back.to }),
            None if change.has_cause(Cause::Conflict) && !inputs.options.force_conflicts => Some(Held::Conflict),
            None => None,
        };
        change
    }
}

fn steps(action: Action, base: Option<u64>, fields: &AgentPlan, slots: &SlotPlan, verify: bool) -> Vec<String> {
    let mut steps = Vec::new();
    let publishes = fields.writes_config || !slots.assign.is_empty();
    if action == Action::Create {
        steps.push(Step::CreateAgent);
    }
    if action == Action::Create || publishes {
        steps.push(Step::WriteIntent);
    }
    if fields.writes_config {
        match base {
            Some(base) => steps.extend([Step::CreateVersion { base }, Step::PutConfig]),
            None => steps.push(Step::CreateFirstVersion),
        }
        steps.push(Step::ReadBack);
        if verify {
            steps.push(Step::Verify);
        }
    }
    if publishes {
        steps.push(Step::publish(&slots.assign));
    }
    steps.push(Step::WriteAgent);
    if !slots.unassign.is_empty() {
        steps.push(Step::empty_slots(&slots.unassign));
    }
    steps.iter().map(Step::describe).collect()
}
