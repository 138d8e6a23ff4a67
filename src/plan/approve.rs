//! From a plan to one that may be carried out: errors, limits, and whether it is what was reviewed.

use std::collections::BTreeMap;

use crate::model::{Digest, Key};

use super::change::{Action, AgentChange, FieldChange, Held, LimitBreach, Plan, Shown, SlotChange, Target};
use super::hash::plan_hash;
use super::saved::{SavedChange, SavedPlan};

/// Longest value that is quoted where two plans differ, in characters.
const BRIEF: usize = 80;

/// Who said yes, and to what.
#[derive(Clone, Debug)]
pub enum Approval<'a> {
    /// A person who was shown the plan, at the prompt.
    Person,
    /// `--auto-approve`: nobody looked, so nothing that needs a decision is decided.
    Auto,
    /// `--approved-plan HASH`.
    Hash(&'a Digest),
    /// A plan file.
    File(&'a SavedPlan),
}

impl Approval<'_> {
    /// Whether someone saw the plan, so that a conflict in it is decided.
    fn was_seen(&self) -> bool {
        !matches!(self, Self::Auto)
    }

    /// Whether one stale agent stops everything, and not only that agent (design, section 6).
    pub fn binds_the_whole(&self) -> bool {
        matches!(self, Self::Hash(_) | Self::File(_))
    }
}

/// What an agent's stamp says of plans that were applied or begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: Key,
    /// Plan and change that were applied last.
    pub applied: Option<(String, String)>,
    /// Plan and change that were begun and not finished, where the manifest still hashes to what they would have sent.
    pub begun: Option<(String, String)>,
}

/// A plan that may be carried out. Made by [`approve`] alone.
#[derive(Clone, Debug)]
pub struct ApprovedPlan {
    plan: Plan,
    already: Vec<(String, Action)>,
    binds_the_whole: bool,
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Addresses of a saved plan that are in place already, with what was to be done to them.
    pub fn already(&self) -> &[(String, Action)] {
        &self.already
    }

    /// Whether one stale agent stops everything.
    pub fn binds_the_whole(&self) -> bool {
        self.binds_the_whole
    }
}

/// Why a plan may not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has errors or is incomplete. They stand in the plan.
    NotApplyable,
    /// A safety limit.
    Limits(Vec<LimitBreach>),
    /// It is another plan than the approved one: how they differ, a line each.
    AnotherPlan(Vec<String>),
}

/// Decides whether the plan may be carried out.
pub fn approve(mut plan: Plan, approval: &Approval<'_>) -> Result<ApprovedPlan, Refusal> {
    if !plan.is_applyable() {
        return Err(Refusal::NotApplyable);
    }
    let already = match approval {
        Approval::Person | Approval::Auto => Vec::new(),
        Approval::Hash(hash) => {
            check_hash(&plan, hash)?;
            Vec::new()
        }
        Approval::File(saved) => check_file(&plan, saved)?,
    };
    if !plan.breaches.is_empty() {
        return Err(Refusal::Limits(plan.breaches));
    }
    claim_what_was_begun(&mut plan, approval);
    if approval.was_seen() {
        for change in &mut plan.changes {
            if change.held == Some(Held::Conflict) {
                change.held = None;
            }
        }
    }
    Ok(ApprovedPlan { plan, already, binds_the_whole: approval.binds_the_whole() })
}

/// A change that was begun under the approved plan keeps that plan's name for it, also where what is left of it is
/// another change by now: so the same approval holds for every further run.
fn claim_what_was_begun(plan: &mut Plan, approval: &Approval<'_>) {
    let approved = match approval {
        Approval::Person | Approval::Auto => return,
        Approval::Hash(hash) => hash.as_str(),
        Approval::File(saved) => saved.plan_hash.as_str(),
    };
    for change in &mut plan.changes {
        let record = plan.records.iter().find(|record| record.key == change.key);
        change.work.claim = record.and_then(|record| record.begun.clone()).filter(|(plan, _)| plan == approved);
    }
}

/// `--approved-plan H` holds if the changes planned now, with those that stamps say were done under H, or begun under
/// H with the manifest still hashing to the intent, hash to H: so a killed pipeline can be run again.
fn check_hash(plan: &Plan, approved: &Digest) -> Result<(), Refusal> {
    if plan.plan_hash == *approved {
        return Ok(());
    }
    let mut hashes: BTreeMap<&Key, Digest> =
        plan.changes.iter().map(|change| (&change.key, change.change_hash.clone())).collect();
    for record in &plan.records {
        let under = |pair: &Option<(String, String)>| {
            pair.as_ref().filter(|(plan, _)| plan == approved.as_str()).and_then(|(_, change)| Digest::parse(change))
        };
        if let Some(change) = under(&record.begun) {
            hashes.insert(&record.key, change);
        } else if let Some(change) = under(&record.applied)
            && !hashes.contains_key(&record.key)
        {
            hashes.insert(&record.key, change);
        }
    }
    if plan_hash(hashes.values()) == *approved {
        return Ok(());
    }
    let mut difference =
        vec![format!("approved: plan {}", approved.short()), format!("planned now: plan {}", plan.plan_hash.short())];
    difference.extend(plan.changes.iter().map(|change| format!("  {}", describe(change))));
    if plan.changes.is_empty() {
        difference.push("  nothing to change".to_owned());
    }
    Err(Refusal::AnotherPlan(difference))
}

fn check_file(plan: &Plan, saved: &SavedPlan) -> Result<Vec<(String, Action)>, Refusal> {
    let mut difference = differing_targets(&plan.target, &saved.target);
    let mut already = Vec::new();
    for change in &plan.changes {
        let address = change.address.to_string();
        let Some(reviewed) = saved.changes.get(&address) else {
            difference.push(format!("{} — not in the saved plan", describe(change)));
            continue;
        };
        let begun =
            plan.records.iter().find(|record| record.key == change.key).and_then(|record| record.begun.as_ref());
        let is_begun = begun
            .is_some_and(|(plan, begun)| plan == saved.plan_hash.as_str() && begun == reviewed.change_hash.as_str());
        if reviewed.change_hash != change.change_hash && !is_begun {
            difference.extend(differing_change(change, reviewed));
        }
    }
    for (address, reviewed) in &saved.changes {
        if plan.changes.iter().any(|change| change.address.to_string() == *address) {
            continue;
        }
        let record = plan.records.iter().find(|record| format!("agent.{}", record.key) == *address);
        // What is no longer planned is in place only if an apply of that very change is recorded on the agent.
        let was_carried_out = record.is_some_and(|record| {
            let changes = [&record.applied, &record.begun].into_iter().flatten();
            changes.map(|(_, change)| change).any(|change| change == reviewed.change_hash.as_str())
        });
        let is_orphaned = plan.orphans.iter().any(|orphan| format!("agent.{}", orphan.key) == *address);
        let is_in_place = match reviewed.action {
            Action::Delete => !is_orphaned && record.is_none(),
            Action::Create | Action::Adopt | Action::Update => was_carried_out,
        };
        if is_in_place {
            already.push((address.clone(), reviewed.action));
        } else {
            let action = reviewed.action.as_str();
            difference
                .push(format!("{address}: {action} was saved, is no longer planned, and is not recorded as applied"));
        }
    }
    if difference.is_empty() { Ok(already) } else { Err(Refusal::AnotherPlan(difference)) }
}

fn differing_targets(now: &Target, saved: &Target) -> Vec<String> {
    let pairs = [
        ("host", Some(&now.host), Some(&saved.host)),
        ("organization", now.organization.as_ref(), saved.organization.as_ref()),
        ("environment", Some(&now.environment), Some(&saved.environment)),
        ("project", Some(&now.project), Some(&saved.project)),
    ];
    pairs
        .into_iter()
        // What one of the two credentials could not see differs in nothing that is known.
        .filter(|(_, now, saved)| now.is_some() && saved.is_some() && now != saved)
        .map(|(what, now, saved)| {
            let name = |value: Option<&String>| value.map_or("none", String::as_str).to_owned();
            format!("{what}: the plan was saved for {}, this run is for {}", name(saved), name(now))
        })
        .collect()
}

fn differing_change(change: &AgentChange, saved: &SavedChange) -> Vec<String> {
    let address = &change.address;
    let mut difference = Vec::new();
    if change.action != saved.action {
        let (saved, now) = (saved.action.as_str(), change.action.as_str());
        return vec![format!("{address}: {saved} was saved, {now} is planned now")];
    }
    if change.base_version != saved.base_version {
        let version =
            |version: Option<u64>| version.map_or("no version".to_owned(), |version| format!("version {version}"));
        let who = change
            .live_editor
            .as_ref()
            .map(|editor| {
                let by = editor.by.as_deref().unwrap_or("an unnamed author");
                editor.at.as_deref().map_or(format!(" (by {by})"), |at| format!(" (by {by}, {at})"))
            })
            .unwrap_or_default();
        difference.push(format!(
            "{address}: planned on {}, live is {}{who}",
            version(saved.base_version),
            version(change.base_version)
        ));
    }
    for field in &change.fields {
        let path = &field.path;
        let now = turn(field);
        difference.extend(match saved.fields.iter().find(|saved| saved.path == *path) {
            None => Some(format!("{address}: also changes {path}, {now}")),
            Some(saved) if (&saved.before, &saved.after) == (&field.before, &field.after) => None,
            Some(saved) => Some(format!("{address}: {path}: {} was saved, {now} is planned now", turn(saved))),
        });
    }
    for saved in saved.fields.iter().filter(|saved| change.fields.iter().all(|field| field.path != saved.path)) {
        difference.push(format!("{address}: no longer changes {}, {}", saved.path, turn(saved)));
    }
    let slot = |slot: &SlotChange| format!("{} {}", slot.number, slot.direction);
    let moves = |of: &[SlotChange], other: &[SlotChange]| -> Vec<String> {
        let is_other = |slot: &&SlotChange| {
            other.iter().all(|known| {
                (&known.number, known.direction, &known.from, &known.to)
                    != (&slot.number, slot.direction, &slot.from, &slot.to)
            })
        };
        of.iter().filter(is_other).map(slot).collect()
    };
    let mut slots = moves(&change.numbers, &saved.numbers);
    slots.extend(moves(&saved.numbers, &change.numbers));
    slots.sort();
    slots.dedup();
    if !slots.is_empty() {
        difference.push(format!("{address}: these phone numbers move in another way: {}", slots.join(", ")));
    }
    if change.verify != saved.verify {
        difference.push(format!("{address}: `verify` is not what was saved"));
    }
    if difference.is_empty() {
        difference.push(format!("{address}: what is shown is the same, but a value that is not shown differs"));
    }
    difference
}

/// A change of a value on one line.
fn turn(field: &FieldChange) -> String {
    format!("{} → {}", brief(&field.before), brief(&field.after))
}

fn brief(shown: &Shown) -> String {
    match shown {
        Shown::Absent => "(absent)".to_owned(),
        Shown::Value(value) => {
            let text = value.to_string();
            let size = text.chars().count();
            if size <= BRIEF {
                format!("`{}`", text.replace('`', "'"))
            } else {
                format!("a value of {size} characters")
            }
        }
        Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked => "(secret)".to_owned(),
        Shown::AtApply => "(generated at apply)".to_owned(),
    }
}

fn describe(change: &AgentChange) -> String {
    let base = change.base_version.map(|version| format!(" from version {version}")).unwrap_or_default();
    let fields = change.fields.iter().map(|field| field.path.to_string());
    let paths: Vec<String> = fields.chain(change.verify.is_some().then(|| "/verify".to_owned())).collect();
    let fields = if paths.is_empty() { String::new() } else { format!(": {}", paths.join(", ")) };
    format!("{}: {}{base}{fields}", change.address, change.action.as_str())
}
