//! Values of one agent: which configs to read, and what of the findings somebody changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::value::same;
use crate::model::{Editor, FieldPath, LiveAgent};
use crate::plan::change::{KeptEdit, Shown};
use crate::plan::compare::in_the_way;
use crate::plan::history::{History, version_editor};
use crate::plan::mask::Mask;
use crate::plan::needs::rewritten;
use crate::plan::order::order_by_schema;
use crate::plan::stamping::{is_as_applied, leaf_hash};
use crate::plan::threeway::{
    Compared, Finding, Subject, Verdict, Why, compare_config, compare_fields, is_switched_off, kept, live_document,
};

use super::{EndedIgnore, FieldDrift};

/// An agent that bears a stamp of ours.
#[derive(Clone, Copy)]
pub(super) struct Values<'a, 'w> {
    pub subject: &'w Subject<'a>,
    pub agent: &'a LiveAgent,
}

/// What the values of one agent came to.
#[derive(Default)]
pub(super) struct Judged {
    pub fields: Vec<FieldDrift>,
    pub kept: Vec<KeptEdit>,
    /// What an apply of ours has left to do.
    pub left: Vec<FieldPath>,
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

impl<'a> Values<'a, '_> {
    fn history(&self) -> History<'a> {
        self.subject.history()
    }

    fn live_version(&self) -> Option<u64> {
        self.agent.live_version().map(|head| head.version)
    }

    fn config_leaves(&self) -> Vec<(FieldPath, Value)> {
        self.subject.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()).collect()
    }

    /// Which configs must be read.
    fn wanted(&self) -> Wanted {
        let (history, Some(stamp)) = (self.history(), self.subject.stamp) else { return Wanted::Nothing };
        let Some(live) = self.live_version() else { return Wanted::Nothing };
        // Whether an intent was published may be for the config to say, so an intent counts as much as what is owned.
        let intent = stamp.state.intent.as_ref().filter(|intent| self.live_version() > intent.base);
        let intended = intent.into_iter().flat_map(|intent| intent.fields.keys());
        let owns_config = history.owned().keys().chain(intended).any(FieldPath::in_config);
        let applied = history.applied_version();
        if owns_config && (history.begun().is_some() || applied != Some(live)) {
            return Wanted::Since(applied);
        }
        let leaves = self.config_leaves();
        let scope = self.subject.scope;
        let is_awake = |path: &FieldPath| {
            !history.owned().contains_key(path) && !scope.is_ignored(path) && scope.ended(path).is_some()
        };
        let is_rewritten = rewritten(&leaves, stamp, self.subject.desired).next().is_some();
        if is_rewritten || leaves.iter().any(|(path, _)| is_awake(path)) { Wanted::Live } else { Wanted::Nothing }
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
        if let Some(seal) = self.history().seal() {
            seal.expect(&self.subject.desired.declared);
        }
        let document = live_document(self.agent);
        let empty = Value::Null;
        let mask = Mask { declared: Some(&self.subject.desired.declared), config: &empty, ..self.subject.mask() };
        let editor = Editor { by: self.agent.modified_by.clone(), at: self.agent.updated_at.clone(), version: None };
        let editor = (editor.by.is_some() || editor.at.is_some()).then_some(editor);
        for finding in compare_fields(self.subject) {
            // An absent field and null are one thing on the service.
            let finding = Finding { live: finding.live.filter(|live| !live.is_null()), ..finding };
            self.take(&finding, &mask, &|_| editor.clone(), &|finding| as_sent(finding, &mask), &mut judged);
        }
        if is_switched_off(self.subject) {
            let path = FieldPath::of(["active"]);
            let live = path.get(&document).cloned();
            let finding = Finding { path, named: None, value: None, live, verdict: Verdict::Write(Why::Drift) };
            self.take(&finding, &mask, &|_| editor.clone(), &|_| Some(Shown::Absent), &mut judged);
        }
        let wanted = self.wanted();
        if let (Some(live_version), true) = (self.live_version(), wanted != Wanted::Nothing) {
            match self.agent.configs.get(&live_version) {
                Some(live) => self.config(&live.config, wanted, &mut judged),
                None => judged.unread = Some(live_version),
            }
        }
        judged
    }

    fn config(&self, live: &Value, wanted: Wanted, judged: &mut Judged) {
        let history = self.history();
        let applied = match wanted {
            Wanted::Since(Some(version)) if history.begun().is_none() => {
                self.agent.configs.get(&version).map(|read| &read.config)
            }
            Wanted::Since(_) | Wanted::Live | Wanted::Nothing => None,
        };
        let mask = Mask { declared: Some(&self.subject.desired.declared), config: live, ..self.subject.mask() };
        let Compared { overlay, findings } = compare_config(self.subject, live, applied);
        for finding in &findings {
            judged.rewritten.extend(self.subject.rewritten(finding, live));
            self.take(
                finding,
                &mask,
                &|finding| self.editor(finding),
                &|finding| match (applied, finding.path.within_config()) {
                    (Some(applied), Some(inner)) => Some(mask.shown(&finding.path, inner.get(applied))),
                    _ => as_sent(finding, &mask),
                },
                judged,
            );
        }
        self.take_what_is_in_the_way(live, &mask, judged);
        if let Some(applied) = applied {
            judged.other_rendering = history.owned().iter().filter(|(path, _)| path.in_config()).any(|(path, hash)| {
                let value = path.within_config().and_then(|inner| inner.get(applied));
                history.seal().is_some_and(|seal| !is_as_applied(seal, hash, value))
            });
            let kept = kept(self.subject, applied, live).into_iter().map(|(path, before, after)| KeptEdit {
                before: mask.shown(&path, before),
                after: mask.shown(&path, after),
                path,
            });
            judged.kept = kept.collect();
        }
        order_by_schema(
            &mut judged.fields,
            |field| (&field.path, [field.applied.as_ref(), Some(&field.live)]),
            &overlay,
            self.subject.shape,
        );
    }

    /// Takes from a finding what concerns a check for drift: what somebody changed, and what an apply has left to do.
    fn take(
        &self,
        finding: &Finding,
        mask: &Mask<'_>,
        editor: &dyn Fn(&Finding) -> Option<Editor>,
        applied: &dyn Fn(&Finding) -> Option<Shown>,
        judged: &mut Judged,
    ) {
        let Finding { path, named, live, verdict, .. } = finding;
        if verdict.why() == Some(Why::Unfinished) {
            judged.left.push(path.clone());
        }
        let (Some(conflict), Some(seal)) = (verdict.drifted(), self.history().seal()) else { return };
        let live = live.as_ref();
        let ended = self.subject.scope.ended(path);
        judged.fields.push(FieldDrift {
            kind: mask.kind(path, named.as_ref(), live),
            applied: applied(finding),
            live: mask.shown(path, live),
            editor: editor(finding),
            conflict,
            ended: ended.and_then(|entry| Some(EndedIgnore { until: entry.until?, reason: entry.reason.clone() })),
            // Tells two live values apart and gives neither away.
            token: leaf_hash(seal, live.map(|live| mask.hashable(path, live)).as_ref()),
            path: path.clone(),
        });
    }

    /// A live value that stands where an object of ours was: the leaves of that object are gone, and none of them says what
    /// came.
    fn take_what_is_in_the_way(&self, live: &Value, mask: &Mask<'_>, judged: &mut Judged) {
        let Some(seal) = self.history().seal() else { return };
        let gone = judged.fields.iter().filter(|field| field.path.in_config() && field.live == Shown::Absent);
        let mut found: BTreeMap<FieldPath, FieldDrift> = BTreeMap::new();
        for field in gone {
            let Some((path, value)) = in_the_way(live, &FieldPath::config(), &field.path) else { continue };
            let come = found.entry(path.clone()).or_insert_with(|| FieldDrift {
                kind: mask.kind(&path, None, Some(value)),
                applied: Some(Shown::Absent),
                live: mask.shown(&path, Some(value)),
                editor: field.editor.clone(),
                conflict: field.conflict,
                ended: field.ended.clone(),
                token: leaf_hash(seal, Some(&mask.hashable(&path, value))),
                path,
            });
            come.conflict |= field.conflict;
        }
        judged.fields.extend(found.into_values());
    }

    /// Who brought the live value about: the oldest version since the applied one from which on it stood like this. What
    /// was not read ends the search, and the oldest version known to have it is named.
    fn editor(&self, finding: &Finding) -> Option<Editor> {
        let inner = finding.path.within_config()?;
        let is_live = |config: &Value| match (inner.get(config), &finding.live) {
            (Some(a), Some(b)) => same(a, b),
            (None, None) => true,
            _ => false,
        };
        let versions = self.published_since(self.history().applied_version());
        let mut found = None;
        for version in versions.into_iter().rev() {
            match self.agent.configs.get(&version) {
                Some(read) if is_live(&read.config) => found = Some(version),
                _ => break,
            }
        }
        version_editor(self.agent, found?)
    }
}

/// What was applied, as far as the manifest tells it: where Git has not changed it since.
fn as_sent(finding: &Finding, mask: &Mask<'_>) -> Option<Shown> {
    let is_sent = finding.verdict.drifted() == Some(false);
    is_sent.then(|| mask.shown(&finding.path, finding.named.as_ref()))
}

/// The live value at a path from the manifest's root, in clear. Not for showing.
pub fn live_value(agent: &LiveAgent, path: &FieldPath) -> Option<Value> {
    match path.within_config() {
        Some(inner) => inner.get(&agent.live_config()?.config).cloned(),
        None => path.get(&live_document(agent)).filter(|live| !live.is_null()).cloned(),
    }
}
