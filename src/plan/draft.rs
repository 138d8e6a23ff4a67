//! A plan in the making: what the reading allows, what becomes of agents without a manifest, and the order of it all.

use std::collections::BTreeSet;

use crate::diagnostics::Diagnostic;
use crate::model::{Address, Coverage, Slot};

use super::approve::Record;
use super::change::{Action, AgentChange, Cause, Notice, Orphan, Plan, Twin, Unchanged};
use super::guard;
use super::hash::{Meaning, plan_hash};
use super::history::History;
use super::identity::{Binding, Identities};
use super::options::Inputs;
use super::step::Step;
use super::work::{Refresh, Work};

#[derive(Default)]
pub(super) struct Draft {
    pub changes: Vec<AgentChange>,
    pub unchanged: Vec<Unchanged>,
    pub refreshes: Vec<Refresh>,
    pub orphans: Vec<Orphan>,
    pub notices: Vec<Notice>,
    pub diagnostics: Vec<Diagnostic>,
    pub records: Vec<Record>,
    pub incomplete: bool,
}

/// A list not read to its end creates, deletes and judges nothing absent: the plan is incomplete.
pub(super) fn judge_reading(inputs: &Inputs<'_>, draft: &mut Draft) {
    let lists = [("agents", &inputs.live.agent_coverage), ("phone numbers", &inputs.live.number_coverage)];
    for (what, coverage) in lists {
        match coverage {
            Coverage::Proven => {}
            Coverage::Unproven(why) => draft.notices.push(Notice {
                address: None,
                code: "list-unproven",
                message: format!("the list of {what} may be incomplete, so no agent is deleted: {why}"),
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

/// Agents of ours without a manifest: deleted where they may be, and shown where not. `claimed` are the slots that manifests
/// claim.
pub(super) fn plan_orphans(
    inputs: &Inputs<'_>,
    identities: &Identities<'_>,
    claimed: &BTreeSet<Slot>,
    draft: &mut Draft,
) {
    for (orphan, agent, stamp) in &identities.orphans {
        let mut orphan = orphan.clone();
        // A slot that this plan gives to another agent no longer points here when deletes begin.
        let loses = |slot: &str| claimed.iter().any(|claim| claim.to_string() == slot);
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
                copies: None,
                removed: &[],
                agent_fields: &[],
                slots: &[],
                verify: None,
            }
            .digest();
            let (key, name, id) = (orphan.key.clone(), agent.name.clone(), agent.id.clone());
            let base = agent.live_version().map(|head| head.version);
            draft.changes.push(AgentChange {
                steps: vec![Step::DeleteAgent.describe()],
                work: Work {
                    stamp: Some(stamp.clone()),
                    salt: Some(stamp.state.salt.clone()),
                    kept_fields: History::of(Some(stamp), None).owned().clone(),
                    ..Work::default()
                },
                ..AgentChange::bare(key, name, id, Action::Delete, change_hash, base)
            });
        } else {
            draft.orphans.push(orphan);
        }
    }
}

impl Draft {
    /// The plan.
    pub fn finish(self, inputs: &Inputs<'_>, identities: &Identities<'_>) -> Plan {
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
