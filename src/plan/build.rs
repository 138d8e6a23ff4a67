//! The entry point: manifests and a reading to a plan.

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place, Severity};
use crate::model::{ConfigShape, Desired, FieldPath, LiveAgent};

use super::agent::plan_agent;
use super::back::{self, Return};
use super::change::{Action, Notice, Plan, Unchanged};
use super::codes;
use super::draft::{Draft, judge_reading, plan_orphans};
use super::faults;
use super::history::History;
use super::identity::{Binding, Identities, identify};
use super::mask::Labels;
use super::one::One;
use super::options::Inputs;
use super::scope::Scope;
use super::slots::{SlotInputs, plan_slots};
use super::threeway::{Slots, Subject, claims};
use super::verify::VerifyChange;
use super::work::Refresh;

/// Makes the plan. Pure: the same inputs give the same bytes.
pub fn build(inputs: &Inputs<'_>, shape: &dyn ConfigShape) -> Plan {
    let mut identities = identify(inputs);
    let mut draft = Draft {
        diagnostics: std::mem::take(&mut identities.diagnostics),
        notices: std::mem::take(&mut identities.notices),
        ..Draft::default()
    };
    let slots = Slots::of(inputs, &identities);
    leave_out(inputs, &mut draft.diagnostics);
    judge_reading(inputs, &mut draft);
    for desired in inputs.desired.iter().filter(|desired| inputs.options.is_wanted(&desired.key)) {
        draft.diagnostics.extend(unsupported(desired));
        let Some(binding) = identities.bindings.get(&desired.key) else { continue };
        if !matches!(binding, Binding::Broken) {
            plan_one(inputs, &identities, &slots, desired, binding, shape, &mut draft);
        }
    }
    draft.diagnostics.extend(faults::missing_secrets(inputs.desired, &draft.changes));
    plan_orphans(inputs, &identities, &claims(inputs.desired).into_keys().collect(), &mut draft);
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

/// Where the service has the prompt of an agent.
const PROMPT: [&str; 3] = ["config", "agent", "instructions"];

/// Whether a config has no prompt.
fn says_nothing(config: &Value) -> bool {
    let prompt = FieldPath::of(PROMPT).within_config().and_then(|inner| inner.get(config).cloned());
    prompt.is_none_or(|prompt| prompt.is_null() || prompt.as_str().is_some_and(|text| text.trim().is_empty()))
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
    slots: &Slots<'_, '_>,
    desired: &Desired,
    binding: &Binding<'_>,
    shape: &dyn ConfigShape,
    draft: &mut Draft,
) {
    let agent = binding.agent();
    let stamp = binding.stamp();
    let scope = Scope::of(desired, inputs.options.today);
    let subject = Subject {
        desired,
        agent,
        stamp,
        scope: &scope,
        shape,
        not_secret: &inputs.options.not_secret,
        labels: &Labels::default(),
    };
    if let Some(asked) = inputs.options.rollback.get(&desired.key) {
        Return { inputs, slots, desired, binding, subject: &subject, asked }.plan(draft);
        return;
    }
    let mut fields = plan_agent(&subject, inputs.options.refresh);
    let new_version = fields.writes_config;
    let slots = plan_slots(&SlotInputs { run: inputs, identities, slots, desired, agent, new_version });
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
    let history = History::of(stamp, agent);
    let waits = history.is_rollback_unpublished() && !inputs.options.redo.contains(&desired.key);
    // What a rollback published and did not record is recorded by whoever comes next, whatever it may do otherwise.
    let is_redone = inputs.options.redo.contains(&desired.key);
    if let (Some(agent), Some(stamp), Some(intent)) = (agent, stamp, history.begun())
        && intent.rollback.as_ref().is_some_and(|begun| begun.back.source == desired.source.as_str() && !is_redone)
    {
        draft.refreshes.extend(back::record(desired, agent, stamp, intent, inputs));
    }
    if changes_something {
        let action = if is_new { Action::Create } else { Action::Update };
        draft.changes.push(one.change(action));
    } else if matches!(binding, Binding::Adopted { .. }) {
        draft.changes.push(one.change(Action::Adopt));
    } else if let Some(agent) = agent {
        // A rollback that was begun is somebody's decision, which this run neither finishes nor forgets.
        let refresh = one.is_behind() && !waits && !draft.refreshes.iter().any(|known| known.key == desired.key);
        let is_begun = stamp.is_some_and(|stamp| stamp.state.intent.is_some());
        if refresh && !is_begun {
            draft.notices.push(Notice {
                address: Some(desired.address()),
                code: "stamp-behind",
                message: format!(
                    "nothing that is live changes; the next `apply` records on the agent {}",
                    one.to_record()
                ),
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
            // What else is recorded does not end a rollback.
            let rolled_back = history.rolled_back().map(|rolled_back| &rolled_back.back);
            work.back = rolled_back.filter(|back| back.source == desired.source.as_str() && !is_redone).cloned();
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
