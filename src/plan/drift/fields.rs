//! Values of one agent: every path that the stamp owns, live against applied.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::value::{leaves, same};
use crate::model::{ConfigShape, Desired, Editor, FieldPath, Ignore, LeafHash, LiveAgent, Seal, Stamp};
use crate::plan::agent::{live_document, order_by_schema};
use crate::plan::change::{KeptEdit, Kind, Shown};
use crate::plan::compare::{Sides, is_empty_object, leaf_sides};
use crate::plan::hash::field_differs;
use crate::plan::mask::{Labels, Mask};
use crate::plan::merge::new_config;
use crate::plan::needs::rewritten;
use crate::plan::readback::says_otherwise;
use crate::plan::rewritten::rewritten_message;
use crate::plan::scope::{Scope, published_intent};
use crate::plan::stamping::{is_as_applied, leaf_hash};

use super::{EndedIgnore, FieldDrift};

/// What one agent is judged by.
#[derive(Clone, Copy)]
pub(super) struct Values<'a, 'w> {
    pub desired: &'w Desired,
    pub agent: &'w LiveAgent,
    pub stamp: &'w Stamp,
    pub scope: &'w Scope<'a>,
    pub owned: &'w Fields,
    pub shape: &'w dyn ConfigShape,
    pub today: Date,
    pub not_secret: &'w BTreeSet<String>,
    pub labels: &'w Labels,
}

/// What the values of one agent came to.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub fields: Vec<FieldDrift>,
    pub kept: Vec<KeptEdit>,
    /// What is said of values in whose place the service keeps others: they are as applied, and not as declared.
    pub rewritten: Vec<String>,
    /// The config that had to be looked at and was not read.
    pub unread: Option<u64>,
    /// Whether the applied version reads otherwise than the stamp says, so that this credential is shown another one.
    pub other_rendering: bool,
}

/// Which configs of an agent its judgement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// None: the live version is the applied one, which nobody can change.
    Nothing,
    /// The live one, for what an ended `ignore` covers.
    Live,
    /// The live one, and what was published since the applied one, to say who changed what.
    Since(Option<u64>),
}

/// Most versions between the applied and the live one that are read to say who changed what.
const VERSIONS_READ: usize = 8;

impl<'w> Values<'_, 'w> {
    /// What may be shown of this agent.
    fn mask<'v>(&self, config: &'v Value) -> Mask<'v>
    where
        'w: 'v,
    {
        Mask {
            shape: self.shape,
            declared: Some(&self.desired.declared),
            config,
            seal: Some(Seal::of(self.stamp)),
            not_secret: self.not_secret,
            labels: self.labels,
        }
    }

    fn live_version(&self) -> Option<u64> {
        self.agent.live_version().map(|head| head.version)
    }

    fn applied_version(&self) -> Option<u64> {
        self.stamp.state.applied.as_ref().and_then(|applied| applied.version)
    }

    /// Whether a run that did not finish got as far as publishing, so that its intent is what was applied.
    fn is_begun(&self) -> bool {
        published_intent(self.stamp, self.agent).is_some()
    }

    fn ended(&self, path: &FieldPath) -> Option<EndedIgnore> {
        let covers = |entry: &&Ignore| entry.path.covers(path) && entry.until.is_some_and(|until| until < self.today);
        let entry = self.desired.ignore.iter().find(covers)?;
        Some(EndedIgnore { until: entry.until?, reason: entry.reason.clone() })
    }

    /// Declared leaves that an ended `ignore` covers and no apply has written since: the declared value holds again.
    fn reawakened(&self) -> Vec<(FieldPath, Value, EndedIgnore)> {
        let all = self.desired.declared.leaves().into_iter();
        all.filter(|(path, _)| !self.owned.contains_key(path) && !self.scope.is_ignored(path))
            .filter_map(|(path, named)| self.ended(&path).map(|ended| (path, named, ended)))
            .collect()
    }

    fn config_leaves(&self) -> Vec<(FieldPath, Value)> {
        self.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()).collect()
    }

    /// Which configs must be read.
    pub(super) fn wanted(&self) -> Wanted {
        let Some(live) = self.live_version() else { return Wanted::Nothing };
        // Whether an intent was published may be for the config to say, so an intent counts as much as what is owned.
        let intent = self.stamp.state.intent.as_ref().filter(|intent| self.live_version() > intent.base);
        let intended = intent.into_iter().flat_map(|intent| intent.fields.keys());
        let owns_config = self.owned.keys().chain(intended).any(FieldPath::in_config);
        let applied = self.applied_version();
        if owns_config && (self.is_begun() || applied != Some(live)) {
            return Wanted::Since(applied);
        }
        let reawakened = self.reawakened();
        let is_rewritten = rewritten(&self.config_leaves(), self.stamp, self.desired).next().is_some();
        if is_rewritten || reawakened.iter().any(|(path, ..)| path.in_config()) {
            Wanted::Live
        } else {
            Wanted::Nothing
        }
    }

    /// The versions to read, newest first.
    pub(super) fn versions(&self) -> Vec<u64> {
        let Some(live) = self.live_version() else { return Vec::new() };
        let applied = match self.wanted() {
            Wanted::Nothing => return Vec::new(),
            Wanted::Live => return vec![live],
            Wanted::Since(applied) => applied,
        };
        let mut since = self.published_since(applied);
        since.reverse();
        since.truncate(VERSIONS_READ);
        // The applied one says what was there before.
        since.extend(applied.filter(|version| *version < live && self.agent.version(*version).is_some()));
        since
    }

    /// Published versions above one, oldest first, the live one among them.
    fn published_since(&self, applied: Option<u64>) -> Vec<u64> {
        let above = self.agent.versions.iter().filter(|head| head.published && Some(head.version) > applied);
        let found: BTreeSet<u64> = above.map(|head| head.version).chain(self.live_version()).collect();
        found.into_iter().collect()
    }

    /// Judges the values.
    pub(super) fn judge(&self) -> Judged {
        let mut judged = Judged::default();
        Seal::of(self.stamp).expect(&self.desired.declared);
        self.outside_config(&mut judged);
        let wanted = self.wanted();
        if let (Some(live_version), true) = (self.live_version(), wanted != Wanted::Nothing) {
            match self.agent.configs.get(&live_version) {
                Some(live) => self.config(&live.config, wanted, &mut judged),
                None => judged.unread = Some(live_version),
            }
        }
        judged
    }

    /// `name`, `description`, `active` and owned keys of `metadata`. The service keeps no history of these: their applied
    /// value is known where Git has not changed it since.
    fn outside_config(&self, judged: &mut Judged) {
        let document = live_document(self.agent);
        let empty = Value::Null;
        let mask = self.mask(&empty);
        let editor = Editor { by: self.agent.modified_by.clone(), at: self.agent.updated_at.clone(), version: None };
        let seal = Seal::of(self.stamp);
        let is_field = |path: &FieldPath| {
            path.steps()
                .first()
                .is_some_and(|root| matches!(root.as_str(), "name" | "description" | "active" | "metadata"))
        };
        // An absent description and null are one thing on the service.
        let live_at = |path: &FieldPath| path.get(&document).filter(|live| !live.is_null());
        let mut push = |path: &FieldPath, named: Option<&Value>, applied, conflict, ended| {
            let live = live_at(path);
            judged.fields.push(FieldDrift {
                kind: mask.kind(path, named, live),
                applied,
                live: mask.shown(path, live),
                editor: (editor.by.is_some() || editor.at.is_some()).then(|| editor.clone()),
                conflict,
                ended,
                token: leaf_hash(seal, live.map(|live| mask.hashable(path, live)).as_ref()),
                path: path.clone(),
            });
        };
        for (path, hash) in self.owned.iter().filter(|(path, _)| is_field(path)) {
            let raw = path.get(&document);
            if self.is_left_alone(path) || is_as_applied(seal, hash, raw) || is_as_applied(seal, hash, live_at(path)) {
                continue;
            }
            let declared = self.declared(path);
            let is_in_git = match (&declared, live_at(path)) {
                (Some(value), Some(live)) => {
                    !field_differs(value, live) || (is_empty_object(value) && live.is_object())
                }
                (Some(value), None) => value.is_null(),
                (None, live) => live.is_none(),
            };
            if is_in_git {
                continue;
            }
            let as_sent = declared.as_ref().is_some_and(|value| hash.sent == seal.hash(value));
            let named = path.get(self.desired.declared.tree());
            push(path, named, as_sent.then(|| mask.shown(path, named)), !as_sent, self.ended(path));
        }
        // Switched off, an agent answers nobody. Git need not declare `active` for that to be news.
        let active = FieldPath::of(["active"]);
        let is_undeclared = !self.owned.contains_key(&active) && self.declared(&active).is_none();
        if is_undeclared && self.agent.active == Some(false) && !self.is_left_alone(&active) {
            push(&active, None, Some(Shown::Absent), false, None);
        }
        for (path, named, ended) in self.reawakened().into_iter().filter(|(path, ..)| is_field(path)) {
            let declared = self.declared(&path);
            let differs = match (&declared, live_at(&path)) {
                (Some(value), Some(live)) => field_differs(value, live),
                (Some(value), None) => !value.is_null(),
                (None, _) => false,
            };
            if differs {
                push(&path, Some(&named), Some(mask.shown(&path, Some(&named))), false, Some(ended));
            }
        }
    }

    fn config(&self, live: &Value, wanted: Wanted, judged: &mut Judged) {
        let keeps = |path: &FieldPath| self.scope.is_ignored(path);
        let overlay = match self.desired.declared.config() {
            Some(declared) => new_config(live, declared, &[], &keeps, self.shape).config,
            None => live.clone(),
        };
        let before = match wanted {
            Wanted::Since(Some(version)) if !self.is_begun() => {
                self.agent.configs.get(&version).map(|read| &read.config)
            }
            Wanted::Since(_) | Wanted::Live | Wanted::Nothing => None,
        };
        let config = Config {
            values: self,
            live,
            applied: before,
            in_git: Sides { shape: self.shape, wanted: &overlay, live },
            mask: self.mask(live),
        };
        if wanted != Wanted::Live {
            for path in self.owned.keys().filter(|path| path.in_config()) {
                judged.fields.extend(config.judge_owned(path, &mut judged.other_rendering));
            }
            judged.kept = config.kept();
        }
        judged.rewritten = config.rewritten();
        for (path, named, ended) in self.reawakened().into_iter().filter(|(path, ..)| path.in_config()) {
            judged.fields.extend(config.judge_reawakened(&path, &named, ended));
        }
        order_by_schema(
            &mut judged.fields,
            |field| (&field.path, [field.applied.as_ref(), Some(&field.live)]),
            &overlay,
            self.shape,
        );
    }

    fn is_left_alone(&self, path: &FieldPath) -> bool {
        self.scope.is_ignored(path) || self.scope.is_released(path)
    }

    /// The declared value at a path; nothing where it is not declared, or where this run has no value for a secret in it.
    fn declared(&self, path: &FieldPath) -> Option<Value> {
        self.desired.declared.reveal(path).ok().flatten()
    }
}

struct Config<'v, 'a, 'w> {
    values: &'v Values<'a, 'w>,
    live: &'v Value,
    /// The config of the applied version, as this credential is shown it.
    applied: Option<&'v Value>,
    in_git: Sides<'v>,
    mask: Mask<'v>,
}

impl Config<'_, '_, '_> {
    fn judge_owned(&self, path: &FieldPath, other_rendering: &mut bool) -> Option<FieldDrift> {
        let values = self.values;
        let seal = Seal::of(values.stamp);
        let hash = values.owned.get(path)?;
        let inner = path.within_config()?;
        let live = inner.get(self.live);
        if let Some(applied) = self.applied {
            *other_rendering |= !is_as_applied(seal, hash, inner.get(applied));
        }
        if values.is_left_alone(path) || is_as_applied(seal, hash, live) || self.reads_as_applied(path, &inner) {
            return None;
        }
        let declared = values.declared(path);
        let is_in_git = match &declared {
            Some(value) => self.in_git.declared_is_live(path, value, live),
            // A secret without a value here cannot be compared with Git; without a declaration, nothing is what it wants.
            None if path.get(values.desired.declared.tree()).is_some() => false,
            None => self.in_git.is_absent_or_default(path, live),
        };
        if is_in_git {
            return None;
        }
        let named = path.get(values.desired.declared.tree());
        let as_sent = declared.as_ref().is_some_and(|value| hash.sent == seal.hash(value));
        let is_unchecked_secret = declared.is_none() && named.is_some();
        let applied = match self.applied {
            Some(applied) => Some(self.mask.shown(path, inner.get(applied))),
            None => as_sent.then(|| self.mask.shown(path, named)),
        };
        Some(FieldDrift {
            kind: self.kind(path, named, live),
            applied,
            live: self.mask.shown(path, live),
            editor: self.editor(&inner, live),
            conflict: !as_sent && !is_unchecked_secret,
            ended: values.ended(path),
            token: self.token(path, live),
            path: path.clone(),
        })
    }

    /// Whether live is what the applied version reads as, by value and by the schema's defaults. A credential that is
    /// shown another rendering than the one that applied still compares like with like.
    fn reads_as_applied(&self, path: &FieldPath, inner: &FieldPath) -> bool {
        let Some(applied) = self.applied else { return false };
        let sides = Sides { shape: self.values.shape, wanted: applied, live: self.live };
        match inner.get(applied) {
            Some(value) => sides.declared_is_live(path, value, inner.get(self.live)),
            None => sides.is_absent_or_default(path, inner.get(self.live)),
        }
    }

    /// Values that are as they were applied and not as they are declared, for the service keeps others in their place.
    fn rewritten(&self) -> Vec<String> {
        let values = self.values;
        let seal = Seal::of(values.stamp);
        let leaves = values.config_leaves();
        let paths = rewritten(&leaves, values.stamp, values.desired).filter(|path| !values.is_left_alone(path));
        let messages = paths.filter_map(|path| {
            let (hash, declared) = (values.owned.get(path)?, values.declared(path)?);
            let live = path.within_config()?.get(self.live);
            let is_rendering = hash.sent == seal.hash(&declared) && is_as_applied(seal, hash, live);
            let is_secret = live.is_some_and(|live| self.mask.is_secret(path, live));
            let is_said = is_rendering
                && !is_secret
                && says_otherwise(&declared, live)
                && !self.in_git.declared_is_live(path, &declared, live);
            let named = path.get(values.desired.declared.tree());
            is_said.then(|| rewritten_message(path, &self.mask.shown(path, named), &self.mask.shown(path, live)))
        });
        messages.collect()
    }

    fn judge_reawakened(&self, path: &FieldPath, named: &Value, ended: EndedIgnore) -> Option<FieldDrift> {
        let values = self.values;
        let inner = path.within_config()?;
        let live = inner.get(self.live);
        let declared = values.declared(path)?;
        if self.in_git.declared_is_live(path, &declared, live) {
            return None;
        }
        Some(FieldDrift {
            kind: self.kind(path, Some(named), live),
            applied: Some(self.mask.shown(path, Some(named))),
            live: self.mask.shown(path, live),
            editor: None,
            conflict: false,
            ended: Some(ended),
            token: self.token(path, live),
            path: path.clone(),
        })
    }

    /// Tells two live values apart and gives neither away.
    fn token(&self, path: &FieldPath, live: Option<&Value>) -> LeafHash {
        leaf_hash(Seal::of(self.values.stamp), live.map(|live| self.mask.hashable(path, live)).as_ref())
    }

    fn kind(&self, path: &FieldPath, before: Option<&Value>, live: Option<&Value>) -> Kind {
        self.mask.kind(path, before, live)
    }

    /// Who brought the live value about: the oldest version since the applied one from which on it stood like this. What
    /// was not read ends the search, and the oldest version known to have it is named.
    fn editor(&self, inner: &FieldPath, live: Option<&Value>) -> Option<Editor> {
        let agent = self.values.agent;
        let is_live = |config: &Value| match (inner.get(config), live) {
            (Some(a), Some(b)) => same(a, b),
            (None, None) => true,
            _ => false,
        };
        let versions = self.values.published_since(self.values.applied_version());
        let mut found = None;
        for version in versions.into_iter().rev() {
            match agent.configs.get(&version) {
                Some(read) if is_live(&read.config) => found = Some(version),
                _ => break,
            }
        }
        version_editor(agent, found?)
    }

    /// Edits at paths that no apply owns: what the applied version had, and what is live and stays.
    fn kept(&self) -> Vec<KeptEdit> {
        let Some(applied) = self.applied else { return Vec::new() };
        let values = self.values;
        let root = FieldPath::config();
        let both = leaves(applied, &root).into_iter().chain(leaves(self.live, &root));
        let paths: BTreeSet<FieldPath> = both.map(|(path, _)| path).collect();
        let tree = values.desired.declared.tree();
        let mut kept = Vec::new();
        for path in paths {
            let Some(inner) = path.within_config() else { continue };
            let is_ours = values.owned.keys().any(|owned| owned.starts_with(&path) || path.starts_with(owned))
                || path.get(tree).is_some()
                || values.is_left_alone(&path);
            let (before, after) = leaf_sides(inner.get(applied), inner.get(self.live));
            let is_same = match (before, after) {
                (Some(before), Some(after)) => same(before, after),
                (None, None) => true,
                _ => false,
            };
            if !is_ours && !is_same {
                let (before, after) = (self.mask.shown(&path, before), self.mask.shown(&path, after));
                kept.push(KeptEdit { path, before, after });
            }
        }
        kept
    }
}

/// The live value at a path from the manifest's root, in clear. Not for showing.
pub fn live_value(agent: &LiveAgent, path: &FieldPath) -> Option<Value> {
    match path.within_config() {
        Some(inner) => inner.get(&agent.live_config()?.config).cloned(),
        None => path.get(&live_document(agent)).filter(|live| !live.is_null()).cloned(),
    }
}

/// Who made a version, and when, as far as the service tells.
pub(super) fn version_editor(agent: &LiveAgent, version: u64) -> Option<Editor> {
    let head = agent.version(version)?;
    let read = agent.configs.get(&version).map(|read| read.editor.clone()).unwrap_or_default();
    Some(Editor {
        by: read.by.or_else(|| head.modified_by.clone()).or_else(|| head.created_by.clone()),
        at: read.at,
        version: Some(version),
    })
}
