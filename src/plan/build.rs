//! The entry point: manifests and a reading to a plan.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place, Severity};
use crate::model::{
    Address, ConfigShape, Coverage, Desired, Direction, FieldPath, Key, LiveAgent, PhoneNumber, Seal, Slot, Stamp,
};

use super::agent::{AgentInputs, AgentPlan, plan_agent};
use super::approve::Record;
use super::change::{Action, AgentChange, Cause, Held, Notice, Plan, Step, Twin, Unchanged};
use super::codes;
use super::faults;
use super::guard;
use super::hash::{Meaning, plan_hash};
use super::identity::{Binding, Identities, identify};
use super::mask::Labels;
use super::options::Inputs;
use super::scope::{Scope, effective_fields, published_intent};
use super::slots::{SlotInputs, SlotPlan, claims, plan_slots};
use super::stamping::{intended_fields, stamp_fields};
use super::verify::VerifyChange;
use super::work::{Refresh, Work};

/// Makes the plan. Pure: the same inputs give the same bytes.
pub fn build(inputs: &Inputs<'_>, shape: &dyn ConfigShape) -> Plan {
    let mut identities = identify(inputs);
    let claims = claims(inputs.desired);
    let mut draft = Draft {
        diagnostics: std::mem::take(&mut identities.diagnostics),
        notices: std::mem::take(&mut identities.notices),
        ..Draft::default()
    };
    leave_out(inputs, &mut draft.diagnostics);
    judge_reading(inputs, &mut draft);
    for desired in inputs.desired.iter().filter(|desired| inputs.options.is_wanted(&desired.key)) {
        draft.diagnostics.extend(unsupported(desired));
        let Some(binding) = identities.bindings.get(&desired.key) else { continue };
        if !matches!(binding, Binding::Broken) {
            plan_one(inputs, &identities, &claims, desired, binding, shape, &mut draft);
        }
    }
    draft.diagnostics.extend(faults::missing_secrets(inputs.desired, &draft.changes));
    plan_orphans(inputs, &identities, &claims, &mut draft);
    draft.finish(inputs, &identities)
}

/// An agent that is left out may be tied to nothing and anything: that is for the run that plans it. Two manifests of
/// one agent are a contradiction whichever of them is planned.
fn leave_out(inputs: &Inputs<'_>, found: &mut [Diagnostic]) {
    for problem in found.iter_mut().filter(|problem| problem.severity == Severity::Error) {
        let Some(Place::Line(origin)) = &problem.place else { continue };
        let owner = inputs.desired.iter().find(|desired| desired.origin == *origin);
        if owner.is_some_and(|owner| !inputs.options.is_wanted(&owner.key)) && problem.code != "agent-bound-twice" {
            problem.severity = Severity::Warning;
        }
    }
}

#[derive(Default)]
struct Draft {
    changes: Vec<AgentChange>,
    unchanged: Vec<Unchanged>,
    refreshes: Vec<Refresh>,
    orphans: Vec<super::change::Orphan>,
    notices: Vec<Notice>,
    diagnostics: Vec<Diagnostic>,
    records: Vec<Record>,
    incomplete: bool,
}

/// A list not read to its end creates, deletes and judges nothing absent: the plan is incomplete.
fn judge_reading(inputs: &Inputs<'_>, draft: &mut Draft) {
    let lists = [("agents", &inputs.live.agent_coverage), ("phone numbers", &inputs.live.number_coverage)];
    for (what, coverage) in lists {
        match coverage {
            Coverage::Proven => {}
            Coverage::Unproven(why) => draft.notices.push(Notice {
                address: None,
                code: "list-unproven",
                message: format!("the end of the list of {what} could not be proven ({why}): nothing is pruned"),
            }),
            Coverage::Incomplete(why) => {
                draft.incomplete = true;
                draft.diagnostics.push(
                    Diagnostic::error(
                        "incomplete-reading",
                        format!("the list of {what} was not read to its end: {why}"),
                    )
                    .hint("nothing is created, deleted or judged absent on a partial reading; run again"),
                );
            }
            Coverage::Forbidden(why) if what == "agents" => {
                draft.incomplete = true;
                draft.diagnostics.push(
                    Diagnostic::error("agents-forbidden", format!("this credential may not read the agents: {why}"))
                        .hint("planning needs the scope `agents:read`"),
                );
            }
            Coverage::Forbidden(_) => draft.notices.push(Notice {
                address: None,
                code: "numbers-forbidden",
                message: "this credential may not read the phone numbers: slots are taken from the agents' own records"
                    .to_owned(),
            }),
        }
    }
    if inputs.live.routing_enabled == Some(true) && inputs.desired.iter().any(|desired| desired.slots.inbound.is_some())
    {
        draft.diagnostics.push(Diagnostic::warning(
            "inbound-routing-enabled",
            "an inbound routing config is enabled: it decides over inbound calls before any number's slot does",
        ));
    }
    draft.notices.extend(inputs.live.notices.iter().map(|message| Notice {
        address: None,
        code: "reading",
        message: message.clone(),
    }));
}

/// Where the service has the prompt of an agent.
const PROMPT: [&str; 3] = ["config", "agent", "instructions"];

/// Whether a config has no prompt.
fn says_nothing(config: &Value) -> bool {
    let prompt = FieldPath::of(PROMPT).within_config().and_then(|inner| inner.get(config).cloned());
    prompt.is_none_or(|prompt| prompt.as_str().is_some_and(|text| text.trim().is_empty()))
}

/// Fields whose planning is not built yet are refused: ignoring a declared field would be a lie. Whoever checks manifests
/// without a plan asks this too, because every plan would say so.
pub fn unsupported(desired: &Desired) -> Vec<Diagnostic> {
    let fields = [
        ("web_widgets", desired.web_widgets.is_some()),
        ("email_addresses", desired.email_addresses.is_some()),
        ("sip_endpoint", desired.sip_endpoint.is_some()),
        ("instruction_builder_inputs", desired.builder_inputs.is_some()),
    ];
    let declared = fields.into_iter().filter(|(_, declared)| *declared);
    declared
        .map(|(field, _)| {
            Diagnostic::error("not-supported-yet", format!("`{field}` cannot be managed by this version of reachform"))
                .at(Place::Field { address: desired.address(), path: FieldPath::of([field]) })
                .hint("take it out of the manifest: what is not declared is left as it is")
        })
        .collect()
}

fn plan_one(
    inputs: &Inputs<'_>,
    identities: &Identities<'_>,
    claims: &BTreeMap<Slot, &Key>,
    desired: &Desired,
    binding: &Binding<'_>,
    shape: &dyn ConfigShape,
    draft: &mut Draft,
) {
    let agent = binding.agent();
    let stamp = binding.stamp();
    let scope = Scope::of(desired, inputs.options.today);
    let mut fields = plan_agent(AgentInputs {
        desired,
        agent,
        stamp,
        scope: &scope,
        shape,
        refresh: inputs.options.refresh,
        not_secret: &inputs.options.not_secret,
        labels: &Labels::default(),
    });
    let slots = plan_slots(&SlotInputs {
        run: inputs,
        identities,
        claims,
        desired,
        agent,
        stamp,
        new_version: fields.writes_config,
    });
    draft.diagnostics.append(&mut fields.diagnostics);
    draft.diagnostics.extend(slots.diagnostics.iter().cloned());
    draft.notices.append(&mut fields.notices);
    draft.notices.extend(slots.notices.iter().cloned());
    let live_version = agent.and_then(LiveAgent::live_version).map(|head| head.version);
    if live_version.is_none() && !fields.writes_config && !slots.assign.is_empty() {
        draft.diagnostics.push(
            Diagnostic::error(
                "numbers-without-a-version",
                "a phone number points at a published version, and this agent has none",
            )
            .at(Place::Line(desired.origin.clone()))
            .hint("declare `config`, so that a version can be made and published"),
        );
    }
    let config = fields.config.as_ref().or_else(|| Some(&agent?.live_config()?.config));
    if desired.slots.inbound.as_ref().is_some_and(|numbers| !numbers.is_empty()) && config.is_some_and(says_nothing) {
        draft.diagnostics.push(
            Diagnostic::warning(codes::NO_PROMPT, "callers reach this agent, and it has no prompt")
                .at(Place::Field { address: desired.address(), path: FieldPath::of(PROMPT) })
                .hint("write what the agent shall do into `config.agent.instructions`"),
        );
    }
    fields.sent.extend(slots.owned.iter().map(|path| (path.clone(), Value::Bool(true))));
    let verify = VerifyChange::since(stamp, agent, desired);
    let one = One { inputs, desired, binding, agent, stamp, live_version, fields, slots, verify };
    draft.records.push(one.record());
    let is_new = matches!(binding, Binding::New);
    // The `verify` of an agent that is adopted comes with it: nothing of the agent changes.
    let changes_something = is_new
        || one.fields.writes_config
        || !one.fields.agent_fields.is_empty()
        || one.slots.has_work()
        || (stamp.is_some() && one.verify.is_some());
    if changes_something {
        let action = if is_new { Action::Create } else { Action::Update };
        draft.changes.push(one.change(action));
    } else if matches!(binding, Binding::Adopted { .. }) {
        draft.changes.push(one.change(Action::Adopt));
    } else if let Some(agent) = agent {
        let refresh = one.is_behind();
        if refresh {
            draft.notices.push(Notice {
                address: Some(desired.address()),
                code: "stamp-behind",
                message:
                    "everything is in place, and the stamp does not say so yet; the next `apply` brings it up to date"
                        .to_owned(),
            });
        }
        draft.unchanged.push(Unchanged {
            key: desired.key.clone(),
            agent_id: agent.id.clone(),
            version: live_version,
            kept: one.fields.kept.clone(),
        });
        if refresh {
            let mut work = one.work();
            work.claim = one.claim();
            draft.refreshes.push(Refresh {
                key: desired.key.clone(),
                name: desired.name.clone(),
                agent_id: agent.id.clone(),
                version: live_version,
                work,
            });
        }
    }
}

struct One<'a> {
    inputs: &'a Inputs<'a>,
    desired: &'a Desired,
    binding: &'a Binding<'a>,
    agent: Option<&'a LiveAgent>,
    stamp: Option<&'a Stamp>,
    live_version: Option<u64>,
    fields: AgentPlan,
    slots: SlotPlan,
    verify: Option<VerifyChange>,
}

impl One<'_> {
    /// Whether the stamp says something else than what is in place.
    fn is_behind(&self) -> bool {
        let Some(stamp) = self.stamp else { return true };
        let Some(applied) = &stamp.state.applied else { return true };
        let seal = Seal::of(stamp);
        let mut wanted = intended_fields(seal, &self.fields.sent);
        wanted.extend(self.fields.carried.clone());
        // Renderings count only where the config was read, and then the hashes of what was sent decide as well.
        let sent = |fields: &crate::model::stamp::Fields| -> BTreeMap<FieldPath, crate::model::LeafHash> {
            fields.iter().map(|(path, hash)| (path.clone(), hash.sent.clone())).collect()
        };
        stamp.state.intent.is_some()
            || stamp.agent.is_none()
            || !seal.knows_its_secrets()
            || !self.desired.declared.secrets_in_clear().iter().all(|text| seal.is_secret(text))
            || stamp.key != self.desired.key
            || stamp.protect != self.desired.protect
            || applied.version != self.live_version
            || sent(&wanted) != sent(&applied.fields)
    }

    /// The plan that brought about what is in place: the one that was begun and got as far as publishing, else the one
    /// that was applied last.
    fn claim(&self) -> Option<(String, String)> {
        let stamp = self.stamp?;
        let begun = self.agent.and_then(|agent| published_intent(stamp, agent));
        begun
            .map(|intent| (intent.plan.clone(), intent.change.clone()))
            .or_else(|| stamp.state.applied.as_ref().map(|applied| (applied.plan.clone(), applied.change.clone())))
    }

    /// What the stamp says of plans, for approval. A plan that was begun counts only while the manifest still hashes to
    /// what it would have sent.
    fn record(&self) -> Record {
        let state = self.stamp.map(|stamp| &stamp.state);
        let applied = state.and_then(|state| state.applied.as_ref());
        let begun = self.stamp.and_then(|stamp| {
            let intent = stamp.state.intent.as_ref()?;
            let verify = self.desired.verify.as_ref().map(|verify| verify.hash(&stamp.state.salt));
            let still = intended_fields(Seal::of(stamp), &self.fields.sent) == intent.fields && verify == intent.verify;
            still.then(|| (intent.plan.clone(), intent.change.clone()))
        });
        Record {
            key: self.desired.key.clone(),
            applied: applied.map(|applied| (applied.plan.clone(), applied.change.clone())),
            begun,
        }
    }

    fn work(&self) -> Work {
        let Self { inputs, desired, binding: _, agent, stamp, live_version: _, fields, slots, verify: _ } = self;
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
        Work {
            config: fields.config.clone(),
            removed: fields.removed.clone(),
            agent_fields: body,
            metadata: fields.metadata.clone(),
            sent: fields.sent.clone(),
            assign: slots.assign.clone(),
            carry: slots.carry.clone(),
            unassign: slots.unassign.clone(),
            stamp: stamp.cloned(),
            kept_fields,
            salt: stamp.map(|stamp| stamp.state.salt.clone()),
            secrets: desired.declared.secrets_in_clear(),
            verify: desired.verify.clone(),
            protect: desired.protect,
            source: desired.source.as_str().to_owned(),
            commit: inputs.source.commit.clone(),
            claim: None,
            core_hash: None,
            missing_secrets: fields.missing_secrets.clone(),
        }
    }

    fn change(self, action: Action) -> AgentChange {
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
            live_editor: live_editor(agent, stamp),
            fields: fields.fields,
            kept: fields.kept,
            numbers: slots.changes,
            verify,
            steps,
            held: None,
            work,
        };
        let rolled_back = stamp.and_then(|stamp| stamp.state.rollback.as_ref());
        if let Some(back) = rolled_back
            && back.source == desired.source.as_str()
        {
            for field in &mut change.fields {
                field.cause = Cause::Rollback;
            }
            if !inputs.options.redo.contains(&desired.key) {
                change.held = Some(Held::Rollback { from: back.from, to: back.to });
            }
        } else if change.has_cause(Cause::Conflict) && !inputs.options.force_conflicts {
            change.held = Some(Held::Conflict);
        }
        change
    }
}

/// Who made the live version, where that was not the run that the stamp speaks of.
fn live_editor(agent: Option<&LiveAgent>, stamp: Option<&Stamp>) -> Option<crate::model::Editor> {
    let agent = agent?;
    let head = agent.live_version()?;
    let applied = stamp.and_then(|stamp| stamp.state.applied.as_ref()).and_then(|applied| applied.version);
    if applied == Some(head.version) {
        return None;
    }
    let read = agent.live_config().map(|live| live.editor.clone()).unwrap_or_default();
    Some(crate::model::Editor {
        by: read.by.or_else(|| head.modified_by.clone()).or_else(|| head.created_by.clone()),
        at: read.at,
        version: Some(head.version),
    })
}

fn steps(action: Action, base: Option<u64>, fields: &AgentPlan, slots: &SlotPlan, verify: bool) -> Vec<Step> {
    let pairs = |map: &BTreeMap<Direction, Vec<PhoneNumber>>| -> Vec<(Direction, Vec<PhoneNumber>)> {
        map.iter().map(|(direction, numbers)| (*direction, numbers.clone())).collect()
    };
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
        steps.push(Step::Publish { assign: pairs(&slots.assign) });
    }
    steps.push(Step::WriteAgent);
    if !slots.unassign.is_empty() {
        steps.push(Step::EmptySlots { unassign: pairs(&slots.unassign) });
    }
    steps
}

fn plan_orphans(inputs: &Inputs<'_>, identities: &Identities<'_>, claims: &BTreeMap<Slot, &Key>, draft: &mut Draft) {
    for (orphan, agent, stamp) in &identities.orphans {
        let mut orphan = orphan.clone();
        // A slot that this plan gives to another agent no longer points here when deletes begin.
        let loses = |slot: &str| claims.keys().any(|claim| claim.to_string() == slot);
        orphan.kept_because =
            guard::kept_from_pruning(&orphan, agent, inputs.live, inputs.options, &draft.diagnostics, &loses);
        if inputs.options.prune && orphan.kept_because.is_none() {
            let address = Address(orphan.key.clone());
            let change_hash = Meaning {
                target: inputs.target,
                address: address.to_string(),
                agent_id: Some(&agent.id),
                action: Action::Delete,
                base_version: agent.live_version().map(|head| head.version),
                desired: None,
                writes_config: false,
                removed: &[],
                agent_fields: &[],
                slots: &[],
                verify: None,
            }
            .digest();
            draft.changes.push(AgentChange {
                address,
                key: orphan.key.clone(),
                name: agent.name.clone(),
                agent_id: Some(agent.id.clone()),
                action: Action::Delete,
                change_hash,
                base_version: agent.live_version().map(|head| head.version),
                new_version: false,
                adopts: false,
                moved_from: None,
                origin: None,
                live_editor: None,
                fields: Vec::new(),
                kept: Vec::new(),
                numbers: Vec::new(),
                verify: None,
                steps: vec![Step::DeleteAgent],
                held: None,
                work: Work {
                    stamp: Some(stamp.clone()),
                    salt: Some(stamp.state.salt.clone()),
                    kept_fields: effective_fields(Some(stamp), None),
                    ..Work::default()
                },
            });
        } else {
            draft.orphans.push(orphan);
        }
    }
}

impl Draft {
    fn finish(self, inputs: &Inputs<'_>, identities: &Identities<'_>) -> Plan {
        let Self {
            mut changes,
            mut unchanged,
            mut refreshes,
            mut orphans,
            mut notices,
            diagnostics,
            mut records,
            incomplete,
        } = self;
        changes.sort_by_key(|change| {
            let rank = match change.action {
                Action::Delete => 0,
                _ if change.has_cause(Cause::Conflict) => 1,
                Action::Update if change.is_risky() => 2,
                Action::Update => 3,
                Action::Create => 4,
                Action::Adopt => 5,
            };
            (rank, change.key.clone())
        });
        unchanged.sort_by(|a, b| a.key.cmp(&b.key));
        refreshes.sort_by(|a, b| a.key.cmp(&b.key));
        orphans.sort();
        records.sort_by(|a, b| a.key.cmp(&b.key));
        notices.sort();
        notices.dedup();
        let live_agents: BTreeSet<&str> = identities
            .bindings
            .values()
            .filter_map(Binding::agent)
            .chain(identities.orphans.iter().map(|(_, agent, _)| *agent))
            .filter(|agent| agent.live_version().is_some())
            .map(|agent| agent.id.as_str())
            .collect();
        let mut twins: Vec<Twin> =
            identities.twins.iter().map(|(key, agent)| Twin { key: key.clone(), agent_id: agent.id.clone() }).collect();
        twins.sort();
        let breaches = guard::breaches(&changes, &live_agents, inputs.options);
        let raised = guard::raised(&changes, &live_agents, inputs.options);
        let plan_hash = plan_hash(changes.iter().map(|change| &change.change_hash));
        Plan {
            target: inputs.target.clone(),
            source: inputs.source.clone(),
            schema_digest: inputs.live.schema_digest.clone(),
            complete: !incomplete,
            targeted: inputs.options.is_targeted(),
            changes,
            unchanged,
            refreshes,
            twins,
            unmanaged: identities.unmanaged.clone(),
            orphans,
            notices,
            diagnostics,
            records,
            breaches,
            raised,
            plan_hash,
        }
    }
}
