//! One agent: every declared and every owned path through the three-way table, and the new config that follows.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::diagnostics::{Diagnostic, Place};
use crate::model::stamp::Fields;
use crate::model::value::leaves;
use crate::model::{ConfigShape, Desired, FieldPath, LiveAgent, Seal, Stamp};

use super::change::{Cause, FieldChange, KeptEdit, Notice, Risk, Shown};
use super::compare::{Sides, is_empty_object, leaf_sides};
use super::conceal::mark_alike;
use super::faults;
use super::hash::field_differs;
use super::mask::{Labels, Mask};
use super::merge::{Merged, new_config};
use super::needs::is_settled;
use super::readback;
use super::removal::Removal;
use super::rewritten::{REWRITTEN, rewritten_message};
use super::scope::{Scope, effective_fields, published_intent};
use super::stamping::is_as_applied;
use super::verdict::{Evidence, Verdict, verdict};

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

/// What one agent is planned from.
#[derive(Clone, Copy)]
pub struct AgentInputs<'a> {
    /// The manifest.
    pub desired: &'a Desired,
    /// The agent, where there is one.
    pub agent: Option<&'a LiveAgent>,
    /// Its stamp, where it has one of ours.
    pub stamp: Option<&'a Stamp>,
    /// The hands-off rules.
    pub scope: &'a Scope<'a>,
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// Whether every config is read.
    pub refresh: bool,
    /// Names of properties that the project says hold no secrets.
    pub not_secret: &'a BTreeSet<String>,
    /// How its hidden texts are told apart.
    pub labels: &'a Labels,
}

impl<'a> AgentInputs<'a> {
    /// What may be shown of this agent, before a config to look into is chosen.
    pub(super) fn mask(&self) -> Mask<'a> {
        Mask {
            shape: self.shape,
            declared: None,
            config: &Value::Null,
            seal: self.stamp.map(Seal::of),
            not_secret: self.not_secret,
            labels: self.labels,
        }
    }
}

/// Plans one agent. Pure: the reading is finished.
pub fn plan_agent(inputs: AgentInputs<'_>) -> AgentPlan {
    let mut plan = AgentPlan { missing_secrets: inputs.desired.declared.missing_secrets(), ..AgentPlan::default() };
    if let Some(seal) = inputs.stamp.map(Seal::of) {
        seal.expect(&inputs.desired.declared);
    }
    let owned = effective_fields(inputs.stamp, inputs.agent);
    plan_outside_config(&inputs, &owned, &mut plan);
    if let Some(declared) = inputs.desired.declared.config() {
        plan_config(&inputs, declared, &owned, &mut plan);
    } else if owned.keys().any(FieldPath::in_config) {
        // `config` as a whole is a top-level field: no longer declared, it is let go, never removed.
        plan.notices.push(Notice {
            address: Some(inputs.desired.address()),
            code: "config-let-go",
            message: "`config` is no longer declared: the live one stays and is no longer managed".to_owned(),
        });
    }
    mark_alike(&mut plan.fields);
    plan.notices.extend(inputs.scope.notices(
        inputs.desired,
        &owned,
        inputs.agent.and_then(LiveAgent::live_config).map(|live| &live.config),
    ));
    plan
}

/// `name`, `description`, `active` and the declared keys of `metadata`. Undeclared ones are let go, never removed.
fn plan_outside_config(inputs: &AgentInputs<'_>, owned: &Fields, plan: &mut AgentPlan) {
    let declared = &inputs.desired.declared;
    let live = inputs.agent.map(live_document);
    let empty = Value::Null;
    let seal = inputs.stamp.map(Seal::of);
    let mask = Mask { declared: Some(declared), config: &empty, ..inputs.mask() };
    for (path, named) in declared.leaves().into_iter().filter(|(path, _)| !path.in_config()) {
        let found = live.as_ref().and_then(|live| path.get(live));
        let Some(value) = send_or_carry(inputs, owned, &path, plan) else { continue };
        let hash = owned.get(&path).zip(seal);
        let same_as_live = match found {
            Some(found) => !field_differs(&value, found) || (is_empty_object(&value) && found.is_object()),
            None => false,
        };
        let evidence = Evidence {
            declared: true,
            same_as_live: same_as_live || (found.is_some() && inputs.scope.is_ignored(&path)),
            same_as_sent: hash.map(|(hash, seal)| hash.sent == seal.hash(&value)),
            live_as_applied: hash.map(|(hash, seal)| is_as_applied(seal, hash, found)),
        };
        let Verdict::Write(cause) = verdict(evidence) else { continue };
        let turned_off = path == FieldPath::of(["active"]) && value == Value::Bool(false) && found.is_some();
        plan.fields.push(FieldChange {
            kind: mask.kind(&path, found, Some(&value)),
            cause,
            before: mask.shown(&path, found),
            after: mask.shown(&path, Some(&named)),
            applied: None,
            removal: false,
            risk: turned_off.then(|| Risk("the agent is turned off".to_owned())),
            origin: None,
            path: path.clone(),
        });
        let before = found.map_or(Value::Null, |found| mask.hashable(&path, found));
        plan.agent_fields.push((path.clone(), before, named));
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

/// The agent's own fields as a document in the manifest's shape.
pub(super) fn live_document(agent: &LiveAgent) -> Value {
    let mut map = Map::new();
    map.insert("name".to_owned(), Value::String(agent.name.clone()));
    // An absent description and null are one thing on the service.
    map.insert("description".to_owned(), agent.description.clone().map_or(Value::Null, Value::String));
    if let Some(active) = agent.active {
        map.insert("active".to_owned(), Value::Bool(active));
    }
    map.insert("metadata".to_owned(), agent.metadata.clone());
    Value::Object(map)
}

/// The value to send for a declared leaf, noted as sent; `None` where a secret is missing, whose old hash is carried.
fn send_or_carry(inputs: &AgentInputs<'_>, owned: &Fields, path: &FieldPath, plan: &mut AgentPlan) -> Option<Value> {
    if let Ok(value) = inputs.desired.declared.reveal(path) {
        let value = value?;
        // An ignored leaf is not ours while the entry holds, but for a create, which writes it.
        if inputs.agent.is_none() || !inputs.scope.is_ignored(path) {
            plan.sent.push((path.clone(), value.clone()));
        }
        Some(value)
    } else {
        if let Some(hash) = owned.get(path) {
            plan.carried.insert(path.clone(), hash.clone());
        }
        None
    }
}

fn plan_config(inputs: &AgentInputs<'_>, declared: &Value, owned: &Fields, plan: &mut AgentPlan) {
    let Some((agent, live_head)) = inputs.agent.and_then(|agent| Some((agent, agent.live_version()?))) else {
        plan_first_config(inputs, declared, plan);
        return;
    };
    if let Some(stamp) = inputs.stamp
        && !inputs.refresh
        && is_settled(inputs.desired, agent, stamp, inputs.scope)
    {
        for (path, _) in inputs.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()) {
            // Nothing was read, so the renderings that the stamp holds stay as they are.
            if let Some(hash) = owned.get(&path) {
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
            .at(Place::Agent(inputs.desired.address())),
        );
        return;
    };
    let applied_version =
        inputs.stamp.and_then(|stamp| stamp.state.applied.as_ref()).and_then(|applied| applied.version);
    let applied = applied_version.and_then(|version| agent.configs.get(&version)).map(|read| &read.config);
    // A published version is immutable, so where it is the applied one, live is as applied whatever this credential is
    // shown of it. An intent above its base changes what "applied" means, and then the hashes decide.
    let by_version = applied_version == Some(live_head.version)
        && inputs.stamp.is_some_and(|stamp| published_intent(stamp, agent).is_none());
    Config { inputs, declared, owned, live: &live.config, applied, by_version }.plan(plan);
}

/// An agent without a published version gets its first from `config` as declared.
fn plan_first_config(inputs: &AgentInputs<'_>, declared: &Value, plan: &mut AgentPlan) {
    let mask = Mask { declared: Some(&inputs.desired.declared), config: declared, ..inputs.mask() };
    for (path, named) in inputs.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()) {
        if let Ok(Some(value)) = inputs.desired.declared.reveal(&path) {
            plan.sent.push((path.clone(), value));
        }
        plan.fields.push(change(&mask, &path, Cause::Pending, None, Some(&named)));
    }
    order_fields(&mut plan.fields, declared, inputs.shape);
    plan.writes_config = true;
    plan.config = inputs.desired.declared.reveal(&FieldPath::config()).ok().flatten();
    plan.diagnostics.extend(faults::judge(inputs, None, declared));
}

struct Config<'a> {
    inputs: &'a AgentInputs<'a>,
    declared: &'a Value,
    owned: &'a Fields,
    live: &'a Value,
    applied: Option<&'a Value>,
    by_version: bool,
}

impl Config<'_> {
    fn plan(&self, plan: &mut AgentPlan) {
        let Self { inputs, declared, owned: _, live, applied, by_version: _ } = *self;
        let keeps = |path: &FieldPath| inputs.scope.is_ignored(path);
        let all_leaves: Vec<(FieldPath, Value)> =
            inputs.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()).collect();
        // First without removals, so that each side of a comparison stands in a whole config.
        let overlay = new_config(live, declared, &[], &keeps, inputs.shape);
        let sides = Sides { shape: inputs.shape, wanted: &overlay.config, live };
        let mask = Mask { declared: Some(&inputs.desired.declared), config: &overlay.config, ..inputs.mask() };
        let live_mask = Mask { config: live, ..mask };
        for (path, named) in &all_leaves {
            let found = path.within_config().and_then(|inner| inner.get(live).cloned());
            if found.is_some() && inputs.scope.is_ignored(path) {
                continue;
            }
            let Some(cause) = self.judge_declared(path, named, found.as_ref(), &sides, plan) else { continue };
            let before = live_mask.shown(path, found.as_ref());
            let mut field = change(&mask, path, cause, None, Some(named));
            field.kind = mask.kind(path, found.as_ref(), Some(named));
            field.applied = self.applied_value(path, &mask).filter(|applied| *applied != before);
            field.before = before;
            plan.fields.push(field);
        }
        self.remove(&all_leaves, &sides, &live_mask, plan);
        let Merged { config: named_config, dropped } = new_config(live, declared, &plan.removed, &keeps, inputs.shape);
        for path in &dropped {
            let found = path.within_config().and_then(|inner| inner.get(live));
            let mut field = change(&live_mask, path, Cause::Pending, found, None);
            field.risk = Some(Risk("the declared branch of the union has no such field".to_owned()));
            plan.fields.push(field);
        }
        plan.removed.extend(dropped);
        plan.writes_config = !plan.fields.iter().all(|field| !field.path.in_config());
        if let Some(applied) = applied.filter(|_| !self.by_version) {
            self.keep_edits(&all_leaves, applied, &live_mask, plan);
        }
        if plan.writes_config {
            self.finish(&named_config, plan);
        } else {
            // A fault that is live and stays is still worth knowing.
            plan.diagnostics.extend(faults::judge(inputs, Some(live), live));
        }
        order_fields(&mut plan.fields, &overlay.config, inputs.shape);
    }

    /// The cause for which a declared leaf is written, if it is.
    fn judge_declared(
        &self,
        path: &FieldPath,
        named: &Value,
        found: Option<&Value>,
        sides: &Sides<'_>,
        plan: &mut AgentPlan,
    ) -> Option<Cause> {
        let hash = self.owned.get(path).zip(self.inputs.stamp.map(Seal::of));
        let live_as_applied = hash.map(|(hash, seal)| self.by_version || is_as_applied(seal, hash, found));
        let Some(value) = send_or_carry(self.inputs, self.owned, path, plan) else {
            return self.judge_unchecked(path, named, found, live_as_applied, plan);
        };
        let evidence = Evidence {
            declared: true,
            same_as_live: sides.declared_is_live(path, &value, found),
            same_as_sent: hash.map(|(hash, seal)| hash.sent == seal.hash(&value)),
            live_as_applied,
        };
        match verdict(evidence) {
            Verdict::Write(cause) => Some(cause),
            Verdict::Rendering => {
                plan.notices.extend(self.rewritten(path, &value, named, found));
                None
            }
            Verdict::InPlace | Verdict::LetGo | Verdict::Remove(_) | Verdict::NotOurs => None,
        }
    }

    /// What is said of a declared value in whose place the service keeps another: nothing is written, and yet live is not
    /// what the manifest declares.
    fn rewritten(&self, path: &FieldPath, value: &Value, named: &Value, found: Option<&Value>) -> Option<Notice> {
        let mask = Mask { declared: Some(&self.inputs.desired.declared), config: self.live, ..self.inputs.mask() };
        let is_secret = mask.is_secret(path, value) || found.is_some_and(|found| mask.is_secret(path, found));
        if is_secret || !readback::says_otherwise(value, found) {
            return None;
        }
        Some(Notice {
            address: Some(self.inputs.desired.address()),
            code: REWRITTEN,
            message: rewritten_message(path, &mask.shown(path, Some(named)), &mask.shown(path, found)),
        })
    }

    /// A leaf that holds a secret without a value here: what is around the secret is compared, the secret is not.
    fn judge_unchecked(
        &self,
        path: &FieldPath,
        named: &Value,
        found: Option<&Value>,
        live_as_applied: Option<bool>,
        plan: &mut AgentPlan,
    ) -> Option<Cause> {
        let same_around = found.is_some_and(|found| {
            let mut around = named.clone();
            for (at, secret) in self.inputs.desired.declared.secrets().iter().filter(|(at, _)| at.starts_with(path)) {
                let below = FieldPath::of(at.steps().iter().skip(path.steps().len()).cloned());
                // Of a text with a secret in it only the secret is not known here.
                if let Some(live) = below.get(found).filter(|live| live.as_str().is_none_or(|live| secret.fits(live))) {
                    below.set(&mut around, live.clone());
                }
            }
            let sides = Sides { shape: self.inputs.shape, wanted: self.live, live: self.live };
            sides.equal(path, &around, found)
        });
        if same_around && live_as_applied != Some(false) && self.owned.contains_key(path) {
            plan.notices.push(Notice {
                address: Some(self.inputs.desired.address()),
                code: "secret-not-checked",
                message: format!("{path}: (secret) not checked, this run has no value for it"),
            });
            return None;
        }
        Some(match live_as_applied {
            Some(false) if same_around => Cause::Drift,
            Some(false) => Cause::Conflict,
            Some(true) | None => Cause::Pending,
        })
    }

    fn remove(&self, all_leaves: &[(FieldPath, Value)], sides: &Sides<'_>, mask: &Mask<'_>, plan: &mut AgentPlan) {
        let Self { inputs, owned, live, .. } = *self;
        let keeps = |path: &FieldPath| inputs.scope.is_released(path) || inputs.scope.is_ignored(path);
        let mut gone: Vec<FieldPath> = Vec::new();
        let mut removals: Vec<(FieldPath, FieldChange)> = Vec::new();
        for (path, hash) in owned.iter().filter(|(path, _)| path.in_config()) {
            let is_declared = all_leaves.iter().any(|(declared, value)| {
                declared == path
                    || declared.starts_with(path)
                    || (path.starts_with(declared) && !is_empty_object(value))
            });
            if is_declared || keeps(path) {
                continue;
            }
            let Some(inner) = path.within_config() else { continue };
            let found = inner.get(live);
            if found.is_some() && inner.get(sides.wanted).is_none() {
                // Another branch of a union took its place; it is listed with what that branch does not have.
                continue;
            }
            gone.push(path.clone());
            let as_applied =
                self.by_version || inputs.stamp.is_some_and(|stamp| is_as_applied(Seal::of(stamp), hash, found));
            let evidence = Evidence {
                declared: false,
                same_as_live: sides.is_absent_or_default(path, found),
                same_as_sent: Some(false),
                live_as_applied: Some(as_applied),
            };
            let Verdict::Remove(cause) = verdict(evidence) else { continue };
            let mut field = change(mask, path, cause, found, None);
            field.applied = self.applied_value(path, mask).filter(|applied| *applied != field.before);
            field.risk = found.filter(|found| is_prose(found)).map(|_| Risk("a text is removed".to_owned()));
            removals.push((path.clone(), field));
        }
        let removal = Removal { shape: inputs.shape, config: sides.wanted, declared: self.declared, keeps: &keeps };
        let paths: Vec<FieldPath> = removals.iter().map(|(path, _)| path.clone()).collect();
        let removed = removal.settle(&gone, &paths);
        for path in &removed.required {
            plan.diagnostics.push(
                Diagnostic::error(
                    "removal-of-a-required-field",
                    format!("{path} is no longer declared, and the schema requires it"),
                )
                .at(Place::Line(inputs.desired.origin.clone()))
                .hint(format!("to leave its live value as it is, add `release: [{path}]`"))
                .hint("or declare it again"),
            );
        }
        let goes = |path: &FieldPath| removed.paths.iter().any(|removed| path.starts_with(removed));
        plan.fields.extend(removals.into_iter().filter(|(path, _)| goes(path)).map(|(_, field)| field));
        for object in &removed.objects {
            for (path, found) in removal.contents(live, object) {
                if plan.fields.iter().any(|field| field.path == path) {
                    continue;
                }
                let mut field = change(mask, &path, Cause::Pending, Some(&found), None);
                if !owned.contains_key(&path) {
                    field.risk = Some(Risk(format!("nobody declares it, and {object} goes as a whole")));
                }
                plan.fields.push(field);
            }
        }
        plan.removed.extend(removed.paths);
    }

    /// Edits at paths that Git does not declare: what the applied version had, and what is live and stays.
    fn keep_edits(&self, all: &[(FieldPath, Value)], applied: &Value, mask: &Mask<'_>, plan: &mut AgentPlan) {
        let root = FieldPath::config();
        let mut paths: Vec<FieldPath> =
            leaves(applied, &root).into_iter().chain(leaves(self.live, &root)).map(|(path, _)| path).collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let is_ours = self.owned.contains_key(&path)
                || all.iter().any(|(declared, _)| path.starts_with(declared) || declared.starts_with(&path));
            let Some(inner) = path.within_config() else { continue };
            let (before, after) = leaf_sides(inner.get(applied), inner.get(self.live));
            let differs = match (before, after) {
                (Some(before), Some(after)) => !crate::model::value::same(before, after),
                (None, None) => false,
                _ => true,
            };
            if differs && !is_ours {
                plan.kept.push(KeptEdit { before: mask.shown(&path, before), after: mask.shown(&path, after), path });
            }
        }
    }

    /// What the applied version held at a path, for showing.
    fn applied_value(&self, path: &FieldPath, mask: &Mask<'_>) -> Option<Shown> {
        let inner = path.within_config()?;
        self.applied.map(|applied| mask.shown(path, inner.get(applied)))
    }

    /// The config changes: it must be valid as a whole, must not carry a mask back, and holds its secrets in clear.
    fn finish(&self, named_config: &Value, plan: &mut AgentPlan) {
        let Self { inputs, live, .. } = *self;
        let leaves = inputs.desired.declared.leaves();
        let is_declared = |path: &FieldPath| {
            let is_ours = |(leaf, value): &(FieldPath, Value)| path.starts_with(leaf) && !is_empty_object(value);
            !inputs.scope.is_ignored(path) && leaves.iter().any(is_ours)
        };
        let mask = Mask { config: named_config, ..inputs.mask() };
        for path in mask.masked_by_service(&is_declared) {
            plan.diagnostics.push(
                Diagnostic::error(
                    "masked-secret",
                    format!(
                        "{path} may hold a secret that the service does not show, and it is not declared: writing this \
                         config would destroy the secret"
                    ),
                )
                .at(Place::Line(inputs.desired.origin.clone()))
                .hint(format!("declare it, as `!secret NAME` at {path} (or `null`, if there is no secret)"))
                .hint("or make this change in the dashboard, where the secret is known"),
            );
        }
        let keeps = |path: &FieldPath| inputs.scope.is_ignored(path);
        let revealed = inputs.desired.declared.reveal(&FieldPath::config()).ok().flatten();
        plan.config = revealed.map(|declared| new_config(live, &declared, &plan.removed, &keeps, inputs.shape).config);
        // Without its secrets the config is judged with their names in their place.
        let judged = plan.config.as_ref().unwrap_or(named_config);
        plan.diagnostics.extend(faults::judge(inputs, Some(live), judged));
    }
}

fn change(
    mask: &Mask<'_>,
    path: &FieldPath,
    cause: Cause,
    before: Option<&Value>,
    after: Option<&Value>,
) -> FieldChange {
    FieldChange {
        path: path.clone(),
        kind: mask.kind(path, before, after),
        cause,
        before: mask.shown(path, before),
        after: mask.shown(path, after),
        applied: None,
        removal: after.is_none(),
        risk: None,
        origin: None,
    }
}

/// Longest text that is a word or a name rather than prose.
const PROSE_LENGTH: usize = 80;

fn is_prose(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() > PROSE_LENGTH || text.contains('\n'))
}

/// Schema order, with long texts last: a prompt must not hide the short, risky fields behind it.
fn order_fields(fields: &mut [FieldChange], config: &Value, shape: &dyn ConfigShape) {
    order_by_schema(fields, |field| (&field.path, [Some(&field.before), Some(&field.after)]), config, shape);
}

/// The same order for anything that has a path and shows values.
pub(super) fn order_by_schema<T>(
    fields: &mut [T],
    of: impl Fn(&T) -> (&FieldPath, [Option<&Shown>; 2]),
    config: &Value,
    shape: &dyn ConfigShape,
) {
    let is_long = |shown: [Option<&Shown>; 2]| {
        shown.into_iter().flatten().any(|shown| matches!(shown, Shown::Value(value) if is_prose(value)))
    };
    fields.sort_by(|a, b| {
        let ((a, a_shown), (b, b_shown)) = (of(a), of(b));
        (a.in_config(), is_long(a_shown))
            .cmp(&(b.in_config(), is_long(b_shown)))
            .then_with(|| by_schema(a, b, config, shape))
    });
}

fn by_schema(a: &FieldPath, b: &FieldPath, config: &Value, shape: &dyn ConfigShape) -> Ordering {
    let shared = a.steps().iter().zip(b.steps()).take_while(|(a, b)| a == b).count();
    let parent = FieldPath::of(a.steps().iter().take(shared).cloned());
    let order = if parent.in_config() { shape.property_order(config, &parent) } else { Vec::new() };
    let rank = |path: &FieldPath| {
        let step = path.steps().get(shared)?;
        Some((order.iter().position(|name| name == step).unwrap_or(usize::MAX), step.clone()))
    };
    rank(a).cmp(&rank(b))
}
