//! Live values into the manifests: every value by itself, and only where the manifests then say it and nothing else.
//!
//! Nothing is written here. The files are changed in memory, resolved again for every environment, and judged: a value
//! whose writing would change anything else, in another agent or another environment, is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::http::Redactor;
use crate::manifest::edit::{self, Judge, Placement, Want};
use crate::manifest::{EditedFiles, Files, Resolved, SecretSource, resolve};
use crate::model::value::same;
use crate::model::{Address, Desired, FieldPath, Key, LiveAgent, PhoneNumber, Seal, Stamp};
use crate::plan::compare::Sides;
use crate::plan::drift::{Drift, DriftInputs, SlotDrift, SlotLive, judge, live_value};
use crate::plan::mask::{Labels, Mask};
use crate::plan::{Options, SlotHolder};

use super::planning::{Service, Workspace};
use super::said::{Snapshot, differences, said};

/// What adopting is asked to do.
#[derive(Clone, Copy)]
pub struct Adopting<'a> {
    /// The files of the project.
    pub files: &'a dyn Files,
    /// The environment that was asked for, as it was.
    pub environment: Option<&'a str>,
    /// Where secrets come from.
    pub secrets: SecretSource<'a>,
    /// Also what Git has changed since the last apply.
    pub force: bool,
    /// Knows the secrets of this run: no text with one in it is written into a file.
    pub redactor: &'a Redactor,
}

/// A value that the manifests say now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The agent.
    pub address: Address,
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// The files that say it.
    pub files: Vec<String>,
    /// Whether it went into the environment's patch, because other environments share the place where it stood.
    pub in_patch: bool,
}

/// A value that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAdopted {
    /// The agent.
    pub address: Address,
    /// Where; absent for the agent as a whole.
    pub path: Option<FieldPath>,
    /// Why.
    pub reason: String,
}

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// As it was read.
    pub before: String,
    /// As it shall be.
    pub after: String,
}

/// What adopting came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// What the manifests say now.
    pub adopted: Vec<Adopted>,
    /// What they do not.
    pub refused: Vec<NotAdopted>,
    /// The files, by name.
    pub files: BTreeMap<String, FileChange>,
}

/// One value to adopt.
struct Candidate {
    key: Key,
    path: FieldPath,
    what: What,
}

enum What {
    /// The live value; nothing where there is none.
    Value(Option<Value>),
    /// A number that came or went.
    Number { number: PhoneNumber, add: bool },
}

/// Works out what would be written. Pure but for the reading of files.
pub fn adopt(drift: &Drift, workspace: &Workspace, service: &Service, adopting: &Adopting<'_>) -> Adoption {
    let mut out = Adoption::default();
    let candidates = candidates(drift, workspace, service, adopting, &mut out);
    let Adopting { files: on_disk, environment, secrets, force: _, redactor: _ } = *adopting;
    let before = Snapshot::of(on_disk, &workspace.resolved, environment, secrets);
    let run = Run { drift, workspace, service, adopting, before };
    let mut files = EditedFiles::new(adopting.files);
    // All at once first: where nothing is shared, one look is enough.
    let mut all = EditedFiles::new(adopting.files);
    let at_once: Option<Vec<Adopted>> =
        candidates.iter().map(|candidate| run.write(candidate, &mut all, Placement::InPlace).ok()).collect();
    match at_once {
        Some(adopted) if run.judge(&all, &candidates, &candidates.iter().collect::<Vec<_>>()).is_ok() => {
            files = all;
            out.adopted = adopted;
        }
        _ => {
            for candidate in &candidates {
                match run.try_one(candidate, &candidates, &files) {
                    Ok((changed, adopted)) => {
                        files = changed;
                        out.adopted.push(adopted);
                    }
                    Err(reason) => out.refused.push(NotAdopted {
                        address: Address(candidate.key.clone()),
                        path: Some(candidate.path.clone()),
                        reason,
                    }),
                }
            }
        }
    }
    for (name, after) in files.into_changed() {
        let before = adopting.files.read(&name, usize::MAX).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let (Some(before), Ok(after)) = (before, String::from_utf8(after))
            && before != after
        {
            out.files.insert(name, FileChange { before, after });
        }
    }
    out
}

/// What of a drift may be adopted at all; the rest is refused.
fn candidates(
    drift: &Drift,
    workspace: &Workspace,
    service: &Service,
    adopting: &Adopting<'_>,
    out: &mut Adoption,
) -> Vec<Candidate> {
    let mut removals = Vec::new();
    let mut fields = Vec::new();
    let mut arrivals = Vec::new();
    let find = |key: &Key| workspace.resolved.desired.iter().find(|desired| desired.key == *key);
    for agent in &drift.agents {
        let address = agent.address();
        let refuse = |path: Option<&FieldPath>, reason: &str, out: &mut Adoption| {
            out.refused.push(NotAdopted { address: address.clone(), path: path.cloned(), reason: reason.to_owned() });
        };
        let live = agent.agent_id.as_ref().and_then(|id| service.live.agents.get(id));
        let (Some(live), Some(desired)) = (live, find(&agent.key)) else {
            let reason = "the agent does not exist: delete its manifest, or let `apply` create it";
            refuse(None, reason, out);
            continue;
        };
        for field in &agent.fields {
            if field.path.get(desired.declared.tree()).is_none() {
                let reason = if field.path == FieldPath::of(["active"]) {
                    "its manifest does not say whether it is active: declare `active: false` to leave it off, or \
                     `active: true` to have `apply` switch it on"
                } else {
                    "Git no longer declares it: declare it again, or list it under `release:`"
                };
                refuse(Some(&field.path), reason, out);
            } else if field.conflict && !adopting.force {
                let reason = "Git has changed it as well: `--force` writes the live value over Git's";
                refuse(Some(&field.path), reason, out);
            } else {
                let what = What::Value(live_value(live, &field.path));
                fields.push(Candidate { key: agent.key.clone(), path: field.path.clone(), what });
            }
        }
        for slot in &agent.slots {
            let number = |key: &Key, add| Candidate {
                key: key.clone(),
                path: FieldPath::of(["phone_numbers", slot.direction.as_str()]),
                what: What::Number { number: slot.number.clone(), add },
            };
            if slot.conflict {
                let path = FieldPath::of(["phone_numbers", slot.direction.as_str(), slot.number.as_str()]);
                refuse(Some(&path), "Git moves the number as well", out);
                continue;
            }
            if slot.arrived {
                arrivals.push(number(&agent.key, true));
                continue;
            }
            if is_own_older_version(live, slot) {
                let path = FieldPath::of(["phone_numbers", slot.direction.as_str(), slot.number.as_str()]);
                refuse(
                    Some(&path),
                    "it rings an older version of the same agent, which a manifest cannot express",
                    out,
                );
                continue;
            }
            removals.push(number(&agent.key, false));
            // Where it went to a managed agent whose numbers Git lists, that manifest says so from now on.
            if let SlotLive::Holder(SlotHolder::Agent { key: Some(other), .. }) = &slot.live
                && *other != agent.key
                && find(other).is_some_and(|other| other.slots.of(slot.direction).is_some())
            {
                arrivals.push(number(other, true));
            }
        }
    }
    removals.into_iter().chain(fields).chain(arrivals).collect()
}

fn is_own_older_version(agent: &LiveAgent, slot: &SlotDrift) -> bool {
    matches!(&slot.live, SlotLive::Holder(SlotHolder::Agent { agent_id, .. }) if *agent_id == agent.id)
}

struct Run<'a> {
    drift: &'a Drift,
    workspace: &'a Workspace,
    service: &'a Service,
    adopting: &'a Adopting<'a>,
    before: Snapshot,
}

/// What stands in the way of a value.
enum Obstacle {
    /// It cannot be written there.
    Unfit(String),
    /// Another environment of the same agent would change.
    Environment,
    /// Something else is wrong.
    Other(String),
}

impl Run<'_> {
    fn try_one<'f>(
        &self,
        candidate: &Candidate,
        all: &[Candidate],
        files: &EditedFiles<'f>,
    ) -> Result<(EditedFiles<'f>, Adopted), String> {
        let attempt = |placement| {
            let mut changed = files.clone();
            let adopted = self.write(candidate, &mut changed, placement).map_err(Obstacle::Unfit)?;
            self.judge(&changed, all, &[candidate])?;
            Ok((changed, adopted))
        };
        match attempt(Placement::InPlace) {
            Ok(done) => Ok(done),
            Err(Obstacle::Environment) => attempt(Placement::Patch).map_err(|obstacle| match obstacle {
                Obstacle::Unfit(reason) | Obstacle::Other(reason) => {
                    format!("other environments share it, and it cannot be written in a patch: {reason}")
                }
                Obstacle::Environment => "other environments share it".to_owned(),
            }),
            Err(Obstacle::Unfit(reason) | Obstacle::Other(reason)) => Err(reason),
        }
    }

    /// Writes one value into the files in memory.
    fn write(
        &self,
        candidate: &Candidate,
        files: &mut EditedFiles<'_>,
        placement: Placement,
    ) -> Result<Adopted, String> {
        let Candidate { key, path, what } = candidate;
        let environment = self.adopting.environment;
        let desired = self.workspace.resolved.desired.iter().find(|desired| desired.key == *key);
        let desired = desired.ok_or("its manifest was not found")?;
        let (declared, live) = match what {
            What::Value(live) => {
                let declared = desired.declared.reveal(path);
                (declared.map_err(|()| "it holds a secret that has no value in this run".to_owned())?, live.clone())
            }
            What::Number { number, add } => {
                let listed = edit::listed(&*files, environment, &desired.origin.file, key, path);
                (None, Some(with_number(listed, number, *add)))
            }
        };
        let not_secret = &self.workspace.resolved.project.not_secret;
        let schema = Schema::of(desired, self.service, not_secret, self.adopting.redactor);
        let want = Want { key, file: &desired.origin.file, path, declared: declared.as_ref(), live: live.as_ref() };
        let changed = edit::write(&*files, environment, &want, placement, &schema);
        let changed = changed.map_err(|unfit| unfit.to_string())?;
        let mut names = Vec::new();
        for (name, text) in changed {
            names.push(name.clone());
            files.change(name, text.into_bytes());
        }
        Ok(Adopted {
            address: Address(key.clone()),
            path: match what {
                What::Value(_) => path.clone(),
                What::Number { number, .. } => path.child(number.as_str()),
            },
            files: names,
            in_patch: placement == Placement::Patch,
        })
    }

    /// Whether the files say what they shall, and nothing else has changed.
    fn judge(&self, files: &EditedFiles<'_>, all: &[Candidate], meant: &[&Candidate]) -> Result<(), Obstacle> {
        let resolved = resolve(files, self.adopting.environment, self.adopting.secrets);
        if resolved.diagnostics.has_errors() {
            let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
            let first = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
            return Err(Obstacle::Other(format!("the manifests would no longer be valid: {first}")));
        }
        let mut touched: BTreeSet<(&Key, &FieldPath)> =
            meant.iter().map(|candidate| (&candidate.key, &candidate.path)).collect();
        let after = said(&resolved);
        for (key, path) in differences(&self.before.here, &after) {
            let covers = |candidate: &&Candidate| {
                candidate.key == key && (path.starts_with(&candidate.path) || candidate.path.starts_with(&path))
            };
            let Some(candidate) = all.iter().find(covers) else {
                let is_own = meant.iter().all(|candidate| candidate.key == key);
                return Err(Obstacle::Other(if is_own {
                    format!("{path} would change with it")
                } else {
                    format!("agent.{key} shares it, and its {path} would change with it")
                }));
            };
            touched.insert((&candidate.key, &candidate.path));
        }
        self.judge_environments(files, meant)?;
        self.judge_live(&resolved, &touched)
    }

    fn judge_environments(&self, files: &EditedFiles<'_>, meant: &[&Candidate]) -> Result<(), Obstacle> {
        for (environment, before) in &self.before.elsewhere {
            let resolved = resolve(files, Some(environment), &|_| None);
            if resolved.diagnostics.has_errors() {
                return Err(Obstacle::Environment);
            }
            if let Some((key, path)) = differences(before, &said(&resolved)).into_iter().next() {
                let is_own = meant.iter().any(|candidate| candidate.key == key);
                return Err(if is_own {
                    Obstacle::Environment
                } else {
                    Obstacle::Other(format!(
                        "agent.{key} of environment `{environment}` shares it, and its {path} would change"
                    ))
                });
            }
        }
        Ok(())
    }

    /// Whether what was touched is as live is.
    fn judge_live(&self, resolved: &Resolved, touched: &BTreeSet<(&Key, &FieldPath)>) -> Result<(), Obstacle> {
        let options = Options {
            today: TimeZone::UTC.to_datetime(self.drift.checked_at).date(),
            has_project: resolved.project.has_project,
            create: resolved.desired.iter().map(|desired| desired.key.clone()).collect(),
            targets: touched.iter().map(|(key, _)| (*key).clone()).collect(),
            ..Options::default()
        };
        let run = crate::plan::Inputs {
            desired: &resolved.desired,
            live: &self.service.live,
            target: &self.drift.target,
            source: &self.drift.source,
            options: &options,
        };
        let none = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let inputs = DriftInputs {
            unseen: None,
            run: &run,
            checked_at: self.drift.checked_at,
            busy: &none.0,
            unread: &none.1,
            unmade: &none.2,
            provenance: &none.3,
        };
        let left = judge(&inputs, self.service.schema.as_ref());
        for agent in &left.agents {
            let is_left = |path: &FieldPath| touched.contains(&(&agent.key, path));
            if let Some(field) = agent.fields.iter().find(|field| is_left(&field.path)) {
                return Err(Obstacle::Other(format!("agent.{} would still differ at {}", agent.key, field.path)));
            }
        }
        Ok(())
    }
}

/// The list of numbers with one more, or one less.
fn with_number(listed: Option<Value>, number: &PhoneNumber, add: bool) -> Value {
    let mut list = match listed {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let is_it = |value: &Value| value.as_str() == Some(number.as_str());
    if !add {
        list.retain(|value| !is_it(value));
    } else if !list.iter().any(is_it) {
        list.push(json!(number.as_str()));
    }
    Value::Array(list)
}

/// What the schema knows, for one agent.
struct Schema<'a> {
    service: &'a Service,
    desired: &'a Desired,
    wanted: Value,
    live: Value,
    stamp: Option<Stamp>,
    not_secret: &'a BTreeSet<String>,
    redactor: &'a Redactor,
}

impl<'a> Schema<'a> {
    fn of(
        desired: &'a Desired,
        service: &'a Service,
        not_secret: &'a BTreeSet<String>,
        redactor: &'a Redactor,
    ) -> Self {
        let key = desired.key.as_str();
        let stamped =
            |agent: &&LiveAgent| agent.metadata.pointer("/reachform/key").and_then(Value::as_str) == Some(key);
        let agent = service.live.agents.values().find(stamped);
        let live = agent.and_then(LiveAgent::live_config).map(|live| live.config.clone()).unwrap_or_default();
        // A stamp that cannot be read has been reported with the drift, and nothing of its agent is adopted.
        let stamp = agent.and_then(|agent| Stamp::read(&agent.metadata).ok().flatten());
        let wanted = desired.declared.config().cloned().unwrap_or_default();
        Self { service, desired, wanted, live, stamp, not_secret, redactor }
    }
}

impl Judge for Schema<'_> {
    fn same(&self, path: &FieldPath, declared: &Value, live: &Value) -> bool {
        if !path.in_config() {
            return same(declared, live);
        }
        Sides { shape: self.service.schema.as_ref(), wanted: &self.wanted, live: &self.live }
            .equal(path, declared, live)
    }

    fn is_secret(&self, path: &FieldPath, value: &Value) -> bool {
        let mask = Mask {
            shape: self.service.schema.as_ref(),
            declared: Some(&self.desired.declared),
            config: &self.live,
            seal: self.stamp.as_ref().map(Seal::of),
            not_secret: self.not_secret,
            labels: &Labels::default(),
            as_applied: false,
        };
        mask.is_secret(path, value) || value.as_str().is_some_and(|text| self.redactor.hide(text).is_some())
    }
}
