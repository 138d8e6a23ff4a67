//! What a reviewer must not overlook, in one list that every output shows first (design, section 12).
//!
//! An alarm is read off the finished plan or difference, as it may be shown: so one that was saved has the same alarms,
//! and none of them can hold a secret.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::unseen::{hidden_runs, spelled};
use crate::model::{Address, Direction, FieldPath, Slot};

use super::agent::SWITCHED_OFF;
use super::change::{
    Action, AgentChange, Cause, FieldChange, Held, Kind, Plan, Shown, SlotChange, SlotHolder, SlotTarget,
};
use super::codes;
use super::contacts::{self, Contact};
use super::difference::{Difference, Fate};
use super::drift::{Drift, SlotDrift};
use super::threeway::{SlotLive, slot_path};
use super::verify::VerifyChange;

/// What an alarm is about, the gravest first. That is the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmCode {
    /// Callers of an inbound number will reach no agent.
    NumberReachesNobody,
    /// A number is taken from an agent that is not in this project.
    NumberFromElsewhere,
    /// An agent is switched off.
    AgentSwitchedOff,
    /// An agent that inbound numbers lead to has no prompt.
    NoPrompt,
    /// A prompt becomes empty, or goes.
    PromptEmptied,
    /// A prompt loses more than half of its text.
    PromptShrinks,
    /// A program that `apply` runs is new or another one.
    NewProgram,
    /// The program that checked a version before it was published is gone.
    CheckRemoved,
    /// A phone number is new in a config.
    NewPhoneNumber,
    /// An address is new in a config.
    NewUrl,
    /// A text has characters that nobody sees, and had not as many.
    HiddenText,
    /// A secret has no value, so that nothing can be applied.
    SecretWithoutValue,
    /// An edit made on the service is overwritten.
    LiveEditOverwritten,
    /// A rollback is undone.
    RollbackUndone,
    /// An agent is deleted.
    AgentDeleted,
    /// An agent of this project has no manifest any more, and is left as it is.
    AgentWithoutManifest,
}

impl AlarmCode {
    /// All of them, in order.
    pub const ALL: [Self; 16] = [
        Self::NumberReachesNobody,
        Self::NumberFromElsewhere,
        Self::AgentSwitchedOff,
        Self::NoPrompt,
        Self::PromptEmptied,
        Self::PromptShrinks,
        Self::NewProgram,
        Self::CheckRemoved,
        Self::NewPhoneNumber,
        Self::NewUrl,
        Self::HiddenText,
        Self::SecretWithoutValue,
        Self::LiveEditOverwritten,
        Self::RollbackUndone,
        Self::AgentDeleted,
        Self::AgentWithoutManifest,
    ];

    /// The word in JSON. Stable: people search for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NumberReachesNobody => "number-reaches-nobody",
            Self::NumberFromElsewhere => "number-from-elsewhere",
            Self::AgentSwitchedOff => "agent-switched-off",
            Self::NoPrompt => "no-prompt",
            Self::PromptEmptied => "prompt-emptied",
            Self::PromptShrinks => "prompt-shrinks",
            Self::NewProgram => "new-program",
            Self::CheckRemoved => "check-removed",
            Self::NewPhoneNumber => "new-phone-number",
            Self::NewUrl => "new-url",
            Self::HiddenText => "hidden-text",
            Self::SecretWithoutValue => "secret-without-value",
            Self::LiveEditOverwritten => "live-edit-overwritten",
            Self::RollbackUndone => "rollback-undone",
            Self::AgentDeleted => "agent-deleted",
            Self::AgentWithoutManifest => "agent-without-manifest",
        }
    }
}

/// One thing to look at before anything else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// What it is about.
    pub code: AlarmCode,
    /// The agent.
    pub address: Option<Address>,
    /// Where in its manifest or its config.
    pub path: Option<FieldPath>,
    /// What happens, as a fragment that can follow the agent's name and the path. Texts in it come from outside.
    pub message: String,
}

/// The alarms of a plan, the gravest first.
pub fn alarms(plan: &Plan) -> Vec<Alarm> {
    let mut found = Vec::new();
    for change in &plan.changes {
        of_change(change, &mut found);
    }
    for problem in &plan.diagnostics {
        let code = match problem.code {
            codes::NO_PROMPT => AlarmCode::NoPrompt,
            codes::SECRET_MISSING => AlarmCode::SecretWithoutValue,
            _ => continue,
        };
        found.push(Alarm { code, address: problem.about.clone(), path: None, message: problem.message.clone() });
    }
    let off = plan.notices.iter().filter(|notice| notice.code == SWITCHED_OFF);
    found.extend(off.map(|notice| Alarm {
        code: AlarmCode::AgentSwitchedOff,
        address: notice.address.clone(),
        path: None,
        message: "it is switched off on the service, so its callers reach nobody".to_owned(),
    }));
    found.extend(plan.orphans.iter().map(|orphan| Alarm {
        code: AlarmCode::AgentWithoutManifest,
        address: Some(Address(orphan.key.clone())),
        path: None,
        message: "no manifest declares this agent any more; it stays live as it is".to_owned(),
    }));
    found.sort();
    found.dedup();
    found
}

/// The alarms of a difference of files, the gravest first: what the files alone can say.
pub fn alarms_of_difference(difference: &Difference) -> Vec<Alarm> {
    let mut found = Vec::new();
    for manifest in &difference.manifests {
        let mut raise = |code, path: Option<FieldPath>, message: String| {
            found.push(Alarm { code, address: Some(Address(manifest.key.clone())), path, message });
        };
        if manifest.fate == Fate::Removed {
            raise(AlarmCode::AgentWithoutManifest, None, "its manifest is removed".to_owned());
        }
        of_verify(manifest.verify.as_ref(), &mut raise);
        of_fields(&manifest.fields, manifest.fate == Fate::Added, &mut raise);
    }
    let let_go = difference.numbers.iter().filter(|claim| claim.to.is_none() && claim.direction == Direction::Inbound);
    found.extend(let_go.map(|claim| Alarm {
        code: AlarmCode::NumberReachesNobody,
        address: claim.from.clone().map(Address),
        path: Some(slot_path(&Slot { number: claim.number.clone(), direction: claim.direction })),
        message: format!("{}: no manifest declares this inbound number any more", claim.number),
    }));
    found.sort();
    found.dedup();
    found
}

/// The alarms of a check for drift, the gravest first: what somebody changed on the service, as the same change in Git
/// would raise them.
pub fn alarms_of_drift(drift: &Drift) -> Vec<Alarm> {
    let mut found = Vec::new();
    for agent in &drift.agents {
        let mut raise = |code, path: Option<FieldPath>, message: String| {
            found.push(Alarm { code, address: Some(agent.address()), path, message });
        };
        if agent.is_absent() {
            raise(AlarmCode::AgentDeleted, None, "this agent is gone from the service".to_owned());
        }
        // What Git does not declare stays, and callers are brought there all the same.
        let kept = agent.kept.iter().map(|edit| drifted(&edit.path, Kind::Other, Some(&edit.before), &edit.after));
        let fields = agent.fields.iter();
        let fields = fields.map(|field| drifted(&field.path, field.kind, field.applied.as_ref(), &field.live));
        let fields: Vec<FieldChange> = fields.chain(kept).collect();
        of_fields(&fields, false, &mut raise);
        for slot in agent.slots.iter().filter(|slot| slot.direction == Direction::Inbound && !slot.arrived) {
            let SlotDrift { number, direction, live, .. } = slot;
            let (code, what) = match live {
                SlotLive::Holder(SlotHolder::Empty) => (AlarmCode::NumberReachesNobody, "calls to it reach no agent"),
                SlotLive::Gone => (AlarmCode::NumberReachesNobody, "the organization no longer has this number"),
                SlotLive::Holder(SlotHolder::Agent { key: None, .. } | SlotHolder::Unknown { .. })
                | SlotLive::NotHere => {
                    (AlarmCode::NumberFromElsewhere, "calls to it reach an agent that is not in this project, if any")
                }
                SlotLive::Holder(SlotHolder::Agent { key: Some(_), .. }) => continue,
            };
            let path = slot_path(&Slot { number: number.clone(), direction: *direction });
            raise(code, Some(path), format!("{number}: {what}"));
        }
    }
    for agent in drift.as_applied.iter().filter(|agent| !agent.kept.is_empty()) {
        let mut raise = |code, path: Option<FieldPath>, message: String| {
            found.push(Alarm { code, address: Some(Address(agent.key.clone())), path, message });
        };
        let kept = agent.kept.iter().map(|edit| drifted(&edit.path, Kind::Other, Some(&edit.before), &edit.after));
        of_fields(&kept.collect::<Vec<_>>(), false, &mut raise);
    }
    found.sort();
    found.dedup();
    found
}

/// A drift as the change that it is.
fn drifted(path: &FieldPath, kind: Kind, before: Option<&Shown>, after: &Shown) -> FieldChange {
    FieldChange {
        path: path.clone(),
        kind,
        cause: Cause::Drift,
        before: before.cloned().unwrap_or(Shown::Absent),
        after: after.clone(),
        applied: None,
        removal: *after == Shown::Absent,
        risk: None,
        origin: None,
        secrets: Vec::new(),
    }
}

/// How an alarm about one agent is raised.
type Raise<'a> = &'a mut dyn FnMut(AlarmCode, Option<FieldPath>, String);

fn of_change(change: &AgentChange, found: &mut Vec<Alarm>) {
    let mut raise = |code, path: Option<FieldPath>, message: String| {
        found.push(Alarm { code, address: Some(change.address.clone()), path, message });
    };
    if change.action == Action::Delete {
        raise(AlarmCode::AgentDeleted, None, "no manifest declares this agent any more, and it is deleted".to_owned());
    }
    of_verify(change.verify.as_ref(), &mut raise);
    for slot in &change.numbers {
        of_slot(slot, change, &mut raise);
    }
    if matches!(change.held, Some(Held::Rollback { .. })) || change.has_cause(Cause::Rollback) {
        let message = if change.held.is_some() {
            "this agent was rolled back, and its manifest still says what was rolled back"
        } else {
            "somebody rolled this agent back, and the plan goes forward again"
        };
        raise(AlarmCode::RollbackUndone, None, message.to_owned());
    }
    for field in &change.fields {
        if let Some(message) = overwritten(field.cause, change) {
            raise(AlarmCode::LiveEditOverwritten, Some(field.path.clone()), message);
        }
    }
    of_fields(&change.fields, change.action == Action::Create, &mut raise);
    if is_switched_off(&change.fields) {
        let moved = change.numbers.iter().filter(|slot| !slot.follows && slot.to != SlotTarget::Empty);
        for slot in moved.filter(|slot| slot.direction == Direction::Inbound) {
            let SlotChange { number, direction, .. } = slot;
            let path = slot_path(&Slot { number: number.clone(), direction: *direction });
            let message = format!("{number}: calls to it will reach nobody, because this agent is switched off");
            raise(AlarmCode::NumberReachesNobody, Some(path), message);
        }
    }
}

fn is_switched_off(fields: &[FieldChange]) -> bool {
    let off = FieldPath::of(["active"]);
    fields.iter().any(|field| field.path == off && field.after == Shown::Value(Value::Bool(false)))
}

fn of_verify(verify: Option<&VerifyChange>, raise: Raise<'_>) {
    match verify {
        Some(VerifyChange::Removed { .. }) => {
            raise(AlarmCode::CheckRemoved, None, "from now on, versions are published without `verify`".to_owned());
        }
        Some(becomes @ (VerifyChange::Added { after } | VerifyChange::Changed { after, .. })) => {
            let env = if after.env.is_empty() {
                String::new()
            } else {
                format!(", with the variables {}", after.env.join(", "))
            };
            // As a list of JSON: the borders of the arguments show, and so does what is hidden in them.
            let command = Value::from(after.command.clone());
            raise(AlarmCode::NewProgram, None, format!("{}: {command}{env}", becomes.risk()));
        }
        None => {}
    }
}

fn of_fields(fields: &[FieldChange], is_new: bool, raise: Raise<'_>) {
    if is_switched_off(fields) {
        let off = FieldPath::of(["active"]);
        let what = if is_new { "is created switched off" } else { "is switched off" };
        raise(AlarmCode::AgentSwitchedOff, Some(off), format!("the agent {what}"));
    }
    for (path, code, message) in shrinking(fields) {
        raise(code, Some(path), message);
    }
    for (path, contact, is_known) in new_contacts(fields) {
        let (code, what) = match &contact {
            Contact::Phone(number) => (AlarmCode::NewPhoneNumber, format!("the phone number {number}")),
            Contact::Url(url) => (AlarmCode::NewUrl, format!("the address {url}")),
            Contact::HiddenPhone => (AlarmCode::NewPhoneNumber, "a phone number that is not shown".to_owned()),
            Contact::HiddenUrl => (AlarmCode::NewUrl, "an address that is not shown".to_owned()),
        };
        let how = match contact {
            Contact::HiddenPhone | Contact::HiddenUrl => "is new or changes",
            Contact::Phone(_) | Contact::Url(_) if is_known => "is in one more place",
            Contact::Phone(_) | Contact::Url(_) => "is new",
        };
        raise(code, Some(path), format!("{what} {how}"));
    }
    for (path, what) in new_hidden(fields) {
        raise(AlarmCode::HiddenText, Some(path), what);
    }
}

/// Characters that nobody sees, and that no value of the agent had before: a model reads them.
fn new_hidden(fields: &[FieldChange]) -> Vec<(FieldPath, String)> {
    let texts = |path, shown: &Shown| -> Vec<(FieldPath, String)> {
        let Shown::Value(value) = shown else { return Vec::new() };
        contacts::texts(path, Some(value)).into_iter().map(|text| (text.path, text.text.into_owned())).collect()
    };
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (_, text) in fields.iter().flat_map(|field| texts(&field.path, &field.before)) {
        for run in hidden_runs(&text) {
            *known.entry(run.text).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    for (path, text) in fields.iter().flat_map(|field| texts(&field.path, &field.after)) {
        let mut new = String::new();
        for run in hidden_runs(&text) {
            match known.get_mut(&run.text) {
                Some(count) if *count > 0 => *count -= 1,
                _ => new.push_str(&run.text),
            }
        }
        if !new.is_empty() {
            found.push((path, said_of_hidden(&new)));
        }
    }
    found
}

/// How many kinds of hidden characters are named.
const KINDS_NAMED: usize = 4;

/// How many characters, and what can be read in them or else which they are.
fn said_of_hidden(new: &str) -> String {
    let count = new.chars().count();
    let count = if count == 1 {
        "1 invisible character is new".to_owned()
    } else {
        format!("{count} invisible characters are new")
    };
    let read = spelled(new);
    if !read.trim().is_empty() {
        return format!("{count}, which read \"{}\"", read.trim());
    }
    let kinds: BTreeSet<char> = new.chars().collect();
    let names: Vec<String> = kinds.iter().take(KINDS_NAMED).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    let more = if kinds.len() > KINDS_NAMED { ", …" } else { "" };
    format!("{count} ({}{more})", names.join(", "))
}

fn of_slot(slot: &SlotChange, change: &AgentChange, raise: Raise<'_>) {
    let SlotChange { number, direction, from, to, cause, follows, risk } = slot;
    let path = || Some(slot_path(&Slot { number: number.clone(), direction: *direction }));
    // What emptying or taking a slot means was decided with the slot.
    match (to, risk) {
        (SlotTarget::Empty, Some(risk)) => {
            raise(AlarmCode::NumberReachesNobody, path(), format!("{number}: {}", risk.0));
        }
        (SlotTarget::NewVersion { .. } | SlotTarget::Version { .. }, Some(risk)) => {
            raise(AlarmCode::NumberFromElsewhere, path(), format!("{number} ({direction}): {}", risk.0));
        }
        (_, None) => {}
    }
    let stayed = stayed_behind(from, change).filter(|_| *cause == Cause::Drift);
    if let Some(message) = stayed.or_else(|| overwritten(*cause, change)).filter(|_| !follows) {
        raise(AlarmCode::LiveEditOverwritten, path(), message);
    }
}

/// What is said of a number that nobody moved, where somebody published a version that does not have it.
fn stayed_behind(from: &SlotHolder, change: &AgentChange) -> Option<String> {
    let SlotHolder::Agent { agent_id, version, .. } = from else { return None };
    let live = change.base_version.filter(|live| live > version && change.live_editor.is_some())?;
    let who = by(change);
    (change.agent_id.as_ref() == Some(agent_id)).then(|| {
        format!("version {live} was published on the service{who} and the number stayed on version {version}; the plan moves it along")
    })
}

/// ` by` whoever made the live version, where that is known.
fn by(change: &AgentChange) -> String {
    let who = change.live_editor.as_ref().and_then(|editor| editor.by.as_ref());
    who.map(|who| format!(" by {who}")).unwrap_or_default()
}

/// What is said of an edit that goes, if there is one.
fn overwritten(cause: Cause, change: &AgentChange) -> Option<String> {
    let who = by(change);
    match cause {
        Cause::Drift => Some(format!("this was changed on the service{who}, and the plan restores the value in Git")),
        Cause::Conflict => {
            Some(format!("this was changed on the service{who}; writing the value in Git overwrites that edit"))
        }
        Cause::Pending | Cause::Rollback => None,
    }
}

/// Prompts that go, become empty or lose more than half of their text.
fn shrinking(fields: &[FieldChange]) -> Vec<(FieldPath, AlarmCode, String)> {
    let mut found = Vec::new();
    for field in fields.iter().filter(|field| field.path.in_config()) {
        let Shown::Value(before) = &field.before else { continue };
        let after = match &field.after {
            Shown::Value(after) => Some(after),
            Shown::Absent => None,
            Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked | Shown::AtApply => continue,
        };
        let (before, after) = (contacts::texts(&field.path, Some(before)), contacts::texts(&field.path, after));
        let after: BTreeMap<&str, &contacts::Text<'_>> = after.iter().map(|text| (text.place.as_str(), text)).collect();
        for text in before.iter().filter(|text| is_prompt(text)) {
            let now = after.get(text.place.as_str());
            // An item of a list that goes takes its prompt along; that is a removed item, and shown as one.
            if now.is_none() && text.path != field.path {
                continue;
            }
            let (was, is) = (length(&text.text), now.map_or(0, |now| length(&now.text)));
            let path = now.map_or(&text.path, |now| &now.path).clone();
            if is == 0 {
                found.push((path, AlarmCode::PromptEmptied, format!("{} becomes empty", what(text))));
            } else if is * 2 < was {
                let message = format!("{} shrinks from {was} to {is} characters", what(text));
                found.push((path, AlarmCode::PromptShrinks, message));
            }
        }
    }
    found
}

/// A text of this length is taken for a prompt, whatever its field is called.
const PROMPT_LENGTH: usize = 400;

fn is_prompt(text: &contacts::Text<'_>) -> bool {
    let length = length(&text.text);
    length >= PROMPT_LENGTH || (length > 0 && is_called_prompt(text))
}

fn is_called_prompt(text: &contacts::Text<'_>) -> bool {
    let name = text.name.to_ascii_lowercase();
    name.contains("instruction") || name.contains("prompt")
}

fn what(text: &contacts::Text<'_>) -> &'static str {
    if is_called_prompt(text) { "the prompt" } else { "this long text" }
}

fn length(text: &str) -> usize {
    text.trim().chars().count()
}

/// Phone numbers and addresses of the new config that the old one had not as often. One that only moves, as with a tool
/// that gets another name, is none.
/// With whether an old value named it as well.
fn new_contacts(fields: &[FieldChange]) -> Vec<(FieldPath, Contact, bool)> {
    let mut known: BTreeMap<Contact, usize> = BTreeMap::new();
    let sides = || fields.iter().filter(|field| field.path.in_config());
    for field in sides() {
        for (_, contact) in contacts::find(&field.path, &field.before) {
            *known.entry(contact).or_default() += 1;
        }
    }
    let mut seen = BTreeSet::new();
    let mut new = Vec::new();
    for (path, contact) in sides().flat_map(|field| contacts::find(&field.path, &field.after)) {
        match known.get_mut(&contact) {
            // A hidden address that changes is a change of the field itself.
            Some(count) if *count > 0 && !matches!(contact, Contact::HiddenUrl | Contact::HiddenPhone) => *count -= 1,
            known if seen.insert((path.clone(), contact.clone())) => new.push((path, contact, known.is_some())),
            _ => {}
        }
    }
    new
}
