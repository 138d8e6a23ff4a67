//! The entry point: manifests and a reading to what was changed on the service.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::diagnostics::{Diagnostic, Place, Severity};
use crate::model::{ConfigShape, Coverage, Desired, Direction, Key, LiveAgent, Stamp, Unseen};
use crate::plan::agent::{SWITCHED_OFF, SWITCHED_OFF_MESSAGE, UNFINISHED, UNFINISHED_MESSAGE};
use crate::plan::back;
use crate::plan::change::Notice;
use crate::plan::history::{History, version_editor};
use crate::plan::identity::{Binding, Identities, identify};
use crate::plan::mask::Labels;
use crate::plan::options::Inputs;
use crate::plan::rewritten::REWRITTEN;
use crate::plan::scope::Scope;
use crate::plan::threeway::{SlotFinding, Slots, Subject, Why, is_switched_off, slot_at};

use super::fields::{Judged, Values};
use super::{AgentDrift, AsApplied, Drift, ForeignApply, Provenance, SlotDrift, Unchecked, fingerprint};

/// What a check is made of. The same inputs give the same drift.
#[derive(Clone, Copy)]
pub struct DriftInputs<'a> {
    /// Manifests, reading, target and flags, as planning takes them.
    pub run: &'a Inputs<'a>,
    /// When the reading was made.
    pub checked_at: Timestamp,
    /// Runs that are at work on an agent now, by its id.
    pub busy: &'a BTreeMap<String, String>,
    /// Keys of manifests that no apply has had before it, so that their agents cannot be missing.
    pub unmade: &'a BTreeSet<Key>,
    /// Why it is not known that the organization is the one that the environment declares, if it declares one.
    pub unseen: Option<Unseen>,
    /// What is known of the apply behind each agent whose manifest differs from what was applied.
    pub provenance: &'a BTreeMap<Key, Provenance>,
    /// Configs that were asked for and could not be read, by the agent's id: the causes.
    pub unread: &'a BTreeMap<String, Vec<String>>,
}

/// The configs to read, as agent ids and versions.
pub fn configs_needed(run: &Inputs<'_>, shape: &dyn ConfigShape) -> Vec<(String, u64)> {
    let identities = identify(run);
    let mut wanted = BTreeSet::new();
    for desired in run.desired.iter().filter(|desired| run.options.is_wanted(&desired.key)) {
        let Some(Binding::Owned { agent, stamp, .. }) = identities.bindings.get(&desired.key) else { continue };
        let scope = Scope::of(desired, run.options.today);
        let labels = Labels::default();
        let subject = subject(run, desired, agent, stamp, &scope, shape, &labels);
        let values = Values { subject: &subject, agent };
        wanted.extend(values.versions().into_iter().map(|version| (agent.id.clone(), version)));
    }
    wanted.into_iter().collect()
}

/// One agent with its manifest, as planning compares them.
fn subject<'a>(
    run: &Inputs<'a>,
    desired: &'a Desired,
    agent: &'a LiveAgent,
    stamp: &'a Stamp,
    scope: &'a Scope<'a>,
    shape: &'a dyn ConfigShape,
    labels: &'a Labels,
) -> Subject<'a> {
    let not_secret = &run.options.not_secret;
    Subject { desired, agent: Some(agent), stamp: Some(stamp), scope, shape, not_secret, labels }
}

/// Judges what was read. Pure: the same inputs give the same drift.
pub fn judge(inputs: &DriftInputs<'_>, shape: &dyn ConfigShape) -> Drift {
    let run = inputs.run;
    let identities = identify(run);
    let mut draft = Draft::default();
    let slots = Slots::of(run, &identities);
    judge_reading(inputs, &identities, &mut draft);
    let is_new = |binding: &Binding<'_>| matches!(binding, Binding::New);
    let nothing_of_ours = identities.orphans.is_empty() && identities.bindings.values().all(is_new);
    for desired in run.desired.iter().filter(|desired| run.options.is_wanted(&desired.key)) {
        match identities.bindings.get(&desired.key) {
            Some(Binding::Owned { agent, stamp, .. }) => {
                judge_one(inputs, &slots, desired, agent, stamp, shape, &mut draft);
            }
            // Nothing on the agent says what was applied, so nobody can say that it is as it was applied.
            Some(Binding::Adopted { agent }) => draft.unchecked.push(Unchecked {
                address: Some(desired.address()),
                causes: vec![format!(
                    "agent {} does not say what was applied to it: its metadata was replaced, or no apply has taken it \
                     over yet",
                    agent.id
                )],
                hints: vec!["`plan` shows how it differs from Git, and `apply` takes it over".to_owned()],
            }),
            Some(Binding::New) => judge_absent(inputs, nothing_of_ours, desired, &mut draft),
            Some(Binding::Broken) | None => draft.broken(desired, &identities.diagnostics),
        }
    }
    if run.options.has_project {
        for (orphan, ..) in &identities.orphans {
            draft.notices.push(Notice {
                address: Some(crate::model::Address(orphan.key.clone())),
                code: "orphan",
                message: format!("agent {} (`{}`) has no manifest and is not looked at", orphan.agent_id, orphan.name),
            });
        }
    }
    draft.finish(inputs, &identities)
}

#[derive(Default)]
struct Draft {
    agents: Vec<AgentDrift>,
    as_applied: Vec<AsApplied>,
    unchecked: Vec<Unchecked>,
    notices: Vec<Notice>,
}

/// What a partial reading leaves open is said once, for the whole check.
fn judge_reading(inputs: &DriftInputs<'_>, identities: &Identities<'_>, draft: &mut Draft) {
    let live = inputs.run.live;
    let mut open = |causes: Vec<String>, hint: &str| {
        draft.unchecked.push(Unchecked { address: None, causes, hints: vec![hint.to_owned()] });
    };
    match &live.agent_coverage {
        Coverage::Proven | Coverage::Unproven(_) => {}
        Coverage::Incomplete(why) => {
            open(vec!["the list of agents was not read to its end".to_owned(), why.clone()], "run again");
        }
        Coverage::Forbidden(why) => {
            open(
                vec!["this credential may not read the agents".to_owned(), why.clone()],
                "checking for drift needs the scope `agents:read`",
            );
        }
    }
    let owns_slots = identities.bindings.values().filter_map(Binding::stamp).any(|stamp| {
        stamp.state.applied.as_ref().is_some_and(|applied| applied.fields.keys().any(|path| slot_at(path).is_some()))
    });
    if let (Coverage::Incomplete(why), true) = (&live.number_coverage, owns_slots) {
        open(vec!["the list of phone numbers was not read to its end".to_owned(), why.clone()], "run again");
    }
    draft.notices.extend(live.notices.iter().map(|message| Notice {
        address: None,
        code: "reading",
        message: message.clone(),
    }));
}

fn judge_absent(inputs: &DriftInputs<'_>, nothing_of_ours: bool, desired: &Desired, draft: &mut Draft) {
    if inputs.unmade.contains(&desired.key) {
        let message = "no apply has made it yet: its manifest is newer than the last apply";
        draft.notice(desired, "not-made-yet", message.to_owned());
        return;
    }
    let mut unchecked = |causes: Vec<String>, hints: Vec<String>| {
        draft.unchecked.push(Unchecked { address: Some(desired.address()), causes, hints });
    };
    if let Some(why) = inputs.unseen {
        unchecked(
            vec!["no agent was found, and whether this is the organization of the environment is not known".to_owned()],
            vec![why.in_words().to_owned()],
        );
        return;
    }
    if let Coverage::Unproven(why) = &inputs.run.live.agent_coverage {
        let what = "no agent was found, and the list of agents may be incomplete";
        unchecked(vec![what.to_owned(), why.clone()], Vec::new());
        return;
    }
    if nothing_of_ours {
        unchecked(
            vec!["no agent of this project was found: no apply has made one yet, or all were deleted".to_owned()],
            vec!["`plan` shows what an apply would create".to_owned()],
        );
        return;
    }
    draft.agents.push(AgentDrift {
        key: desired.key.clone(),
        name: desired.name.clone(),
        agent_id: None,
        origin: desired.origin.clone(),
        applied_version: None,
        live_version: None,
        live_editor: None,
        fields: Vec::new(),
        slots: Vec::new(),
        kept: Vec::new(),
        foreign: None,
    });
}

fn judge_one(
    inputs: &DriftInputs<'_>,
    slots: &Slots<'_, '_>,
    desired: &Desired,
    agent: &LiveAgent,
    stamp: &Stamp,
    shape: &dyn ConfigShape,
    draft: &mut Draft,
) {
    let run = inputs.run;
    let unchecked = |causes: Vec<String>, hint: &str| Unchecked {
        address: Some(desired.address()),
        causes,
        hints: vec![hint.to_owned()],
    };
    if let Some(holder) = inputs.busy.get(&agent.id) {
        let cause = format!("an apply is at work on it: run {holder}");
        draft.unchecked.push(unchecked(vec![cause], "run again when it has ended"));
        return;
    }
    let live_version = agent.live_version().map(|head| head.version);
    let applied_version = stamp.state.applied.as_ref().and_then(|applied| applied.version);
    if applied_version > live_version {
        let cause = "the version that was applied last is not among its published versions";
        draft.unchecked.push(unchecked(vec![cause.to_owned()], "the service may not show it yet: run again"));
        return;
    }
    let scope = Scope::of(desired, run.options.today);
    let labels = Labels::default();
    let subject = subject(run, desired, agent, stamp, &scope, shape, &labels);
    let history = subject.history();
    let Judged { fields, kept, left, rewritten, unread, other_rendering } = Values { subject: &subject, agent }.judge();
    if let Some(version) = unread {
        let mut causes = vec![format!("the config of version {version} could not be read")];
        causes.extend(inputs.unread.get(&agent.id).into_iter().flatten().cloned());
        draft.unchecked.push(unchecked(causes, "run again"));
    }
    let mut left: Vec<String> = left.iter().map(ToString::to_string).collect();
    let slots = judge_slots(slots, desired, agent, &history, &mut left);
    for message in rewritten {
        draft.notice(desired, REWRITTEN, message);
    }
    if stamp.state.applied.is_none() && history.begun().is_none() && left.is_empty() {
        left.push(
            if live_version.is_none() { "everything but the agent itself" } else { "what `plan` shows" }.to_owned(),
        );
    }
    if left.is_empty() && stamp.state.intent.is_some() && !history.is_rollback_unpublished() {
        draft.notice(desired, UNFINISHED, UNFINISHED_MESSAGE.to_owned());
    }
    say_more(desired, &history, run, other_rendering, draft);
    if !left.is_empty() {
        let causes =
            vec!["an apply was not finished".to_owned(), format!("what it has still to do: {}", left.join(", "))];
        draft.unchecked.push(unchecked(
            causes,
            "`plan` shows how it goes on; if an apply failed, its report says what is in the way",
        ));
    }
    say_left_behind(&subject, agent, draft);
    let is_untold = matches!(inputs.provenance.get(&desired.key), Some(Provenance::Untold(_)));
    let foreign = match inputs.provenance.get(&desired.key) {
        Some(Provenance::Elsewhere(from)) => {
            let commit = stamp.state.applied.as_ref().and_then(|applied| applied.commit.clone());
            Some(ForeignApply { commit, from: *from })
        }
        Some(Provenance::Untold(why)) => {
            let cause = "what was applied last is not what Git says now, and whether Git ever said so is not known";
            draft.unchecked.push(unchecked(vec![cause.to_owned()], why));
            None
        }
        Some(Provenance::Pending) | None => None,
    };
    let live_editor = match (&foreign, live_version) {
        (Some(_), Some(version)) => version_editor(agent, version),
        _ => history.live_editor(),
    };
    if !fields.is_empty() || !slots.is_empty() || foreign.is_some() {
        draft.agents.push(AgentDrift {
            key: desired.key.clone(),
            name: desired.name.clone(),
            agent_id: Some(agent.id.clone()),
            origin: desired.origin.clone(),
            applied_version,
            live_version,
            live_editor,
            fields,
            slots,
            kept,
            foreign,
        });
    } else if unread.is_none() && left.is_empty() && !is_untold {
        draft.as_applied.push(AsApplied { key: desired.key.clone(), live_version, live_editor, kept });
    }
}

/// What Git cannot manage yet, and what differs all the same.
fn say_left_behind(subject: &Subject<'_>, agent: &LiveAgent, draft: &mut Draft) {
    let desired = subject.desired;
    let Some(live) = agent.live_version() else { return };
    for widget in &agent.widgets {
        let on = agent.versions.iter().find(|head| widget.agent_version_id.as_ref() == Some(&head.id));
        if let Some(head) = on.filter(|head| head.version != live.version) {
            let message =
                format!("the web widget {} still runs v{}, and v{} is live", widget.id, head.version, live.version);
            draft.notice(desired, "widget-left-behind", message);
        }
    }
    if is_switched_off(subject) {
        draft.notice(desired, SWITCHED_OFF, SWITCHED_OFF_MESSAGE.to_owned());
    }
}

/// The slots of one agent that somebody changed: those that it had by the last apply, then those that came to it. What an
/// apply of ours has left to do goes to `left`.
fn judge_slots(
    slots: &Slots<'_, '_>,
    desired: &Desired,
    agent: &LiveAgent,
    history: &History<'_>,
    left: &mut Vec<String>,
) -> Vec<SlotDrift> {
    let owned = history.owned().keys().filter_map(slot_at);
    let had = owned.filter_map(|slot| slots.claimed(&slot)).map(|finding| (finding, false));
    let came = Direction::ALL.into_iter().flat_map(|direction| slots.unclaimed(desired, agent, direction));
    let mut found = Vec::new();
    for (SlotFinding { slot, live, verdict, .. }, arrived) in had.chain(came.map(|(finding, _)| (finding, true))) {
        if verdict.why() == Some(Why::Unfinished) {
            left.push(format!("{} {}", slot.number, slot.direction));
        }
        if let Some(conflict) = verdict.drifted() {
            found.push(SlotDrift { number: slot.number, direction: slot.direction, live, arrived, conflict });
        }
    }
    found
}

/// What a person should know beside the differences.
fn say_more(desired: &Desired, history: &History<'_>, run: &Inputs<'_>, other_rendering: bool, draft: &mut Draft) {
    if let Some(Notice { code, message, .. }) = back::notice(desired, history) {
        draft.notice(desired, code, message);
    }
    if other_rendering {
        draft.notice(
            desired,
            "other-rendering",
            "the service shows this credential the applied version with other values than it showed the one that applied it"
                .to_owned(),
        );
    }
    for entry in &desired.ignore {
        let Some(until) = entry.until.filter(|until| *until < run.options.today) else { continue };
        let reason = entry.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        draft.notice(
            desired,
            "ignore-ended",
            format!("`ignore` of {} ended on {until}{reason}: the declared value holds again", entry.path),
        );
    }
}

impl Draft {
    fn notice(&mut self, desired: &Desired, code: &'static str, message: String) {
        self.notices.push(Notice { address: Some(desired.address()), code, message });
    }

    /// A manifest that could not be tied to an agent, with the reason where one was given.
    fn broken(&mut self, desired: &Desired, diagnostics: &[Diagnostic]) {
        let here = Place::Line(desired.origin.clone());
        let found = diagnostics
            .iter()
            .find(|problem| problem.severity == Severity::Error && problem.place.as_ref() == Some(&here));
        let (causes, hints) = match found {
            Some(problem) => (vec![problem.message.clone()], problem.hints.clone()),
            None => (vec!["whether its agent exists could not be determined".to_owned()], Vec::new()),
        };
        self.unchecked.push(Unchecked { address: Some(desired.address()), causes, hints });
    }

    fn finish(self, inputs: &DriftInputs<'_>, identities: &Identities<'_>) -> Drift {
        let Self { mut agents, mut as_applied, mut unchecked, mut notices } = self;
        agents.sort_by(|a, b| a.key.cmp(&b.key));
        as_applied.sort_by(|a, b| a.key.cmp(&b.key));
        unchecked.sort();
        unchecked.dedup();
        notices.sort();
        notices.dedup();
        let run = inputs.run;
        let fingerprint = fingerprint::of(run.target, &agents, &unchecked);
        let mut orphans: Vec<_> = identities.orphans.iter().map(|(orphan, ..)| orphan.clone()).collect();
        orphans.sort();
        Drift {
            target: run.target.clone(),
            source: run.source.clone(),
            checked_at: inputs.checked_at,
            targeted: run.options.is_targeted(),
            agents,
            as_applied,
            unchecked,
            orphans,
            notices,
            fingerprint,
            flags: None,
        }
    }
}
