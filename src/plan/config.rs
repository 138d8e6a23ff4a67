//! The config of one agent: what of the findings is written, and the new config that follows.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place};
use crate::model::{FieldPath, SecretText};

use super::agent::{AgentPlan, send_or_carry};
use super::change::{Cause, FieldChange, KeptEdit, NamedSecret, Notice, Risk, Shown};
use super::compare::{in_the_way, is_empty_object};
use super::faults;
use super::mask::Mask;
use super::merge::{Merged, new_config};
use super::order::{is_prose, order_fields};
use super::removal::Removal;
use super::rewritten::REWRITTEN;
use super::threeway::{Compared, Finding, Subject, Why, compare_config, kept};

/// What the config of one agent is planned from.
pub(super) struct Config<'a> {
    pub subject: &'a Subject<'a>,
    pub declared: &'a Value,
    /// The live config.
    pub live: &'a Value,
    /// That of the applied version, as this credential is shown it.
    pub applied: Option<&'a Value>,
}

impl Config<'_> {
    pub(super) fn plan(&self, plan: &mut AgentPlan) {
        let Self { subject, declared, live, applied } = *self;
        let keeps = |path: &FieldPath| subject.scope.is_ignored(path);
        let Compared { overlay, findings } = compare_config(subject, live, applied);
        let mask = Mask { declared: Some(&subject.desired.declared), config: &overlay, ..subject.mask() };
        let live_mask = Mask { config: live, ..mask };
        let (of_git, gone): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|finding| finding.named.is_some());
        for finding in &of_git {
            self.write(finding, &mask, &live_mask, plan);
        }
        self.make_room(&live_mask, plan);
        let edited: Vec<&FieldPath> =
            gone.iter().filter(|finding| finding.verdict.drifted().is_some()).map(|finding| &finding.path).collect();
        self.remove(&gone, &overlay, &live_mask, plan);
        let Merged { config: named_config, dropped } = new_config(live, declared, &plan.removed, &keeps, subject.shape);
        for path in &dropped {
            let found = path.within_config().and_then(|inner| inner.get(live));
            let is_edited = edited.iter().any(|edited| edited.starts_with(path));
            let cause = if is_edited { Cause::Conflict } else { Cause::Pending };
            let mut field = change(&live_mask, path, cause, found, None);
            field.risk = Some(Risk("the declared branch of the union has no such field".to_owned()));
            plan.fields.push(field);
        }
        plan.removed.extend(dropped);
        plan.writes_config = !plan.fields.iter().all(|field| !field.path.in_config());
        if let Some(applied) = applied {
            let kept = kept(subject, applied, live).into_iter().map(|(path, before, after)| KeptEdit {
                before: live_mask.shown(&path, before),
                after: live_mask.shown(&path, after),
                path,
            });
            plan.kept.extend(kept);
        }
        if plan.writes_config {
            self.finish(&named_config, plan);
        } else {
            // A fault that is live and stays is still worth knowing.
            plan.diagnostics.extend(faults::judge(subject, Some(live), live));
        }
        order_fields(&mut plan.fields, &overlay, subject.shape);
    }

    /// A declared leaf: what of it is written, and what is said where nothing is.
    fn write(&self, finding: &Finding, mask: &Mask<'_>, live_mask: &Mask<'_>, plan: &mut AgentPlan) {
        let Self { subject, live, .. } = *self;
        let Finding { path, named, live: found, verdict, .. } = finding;
        if found.is_none() || !subject.scope.is_ignored(path) {
            send_or_carry(subject, finding, plan);
        }
        plan.notices.extend(subject.rewritten(finding, live).into_iter().map(|message| Notice {
            address: Some(subject.desired.address()),
            code: REWRITTEN,
            message,
        }));
        let Some(why) = verdict.why() else { return };
        // What Git declared in clear and nobody changed since is no secret because its successor is one.
        let was_public = why == Why::Git && subject.history().owned().contains_key(path);
        let before = Mask { as_applied: was_public, ..*live_mask }.shown(path, found.as_ref());
        let mut field = change(mask, path, why.cause(), None, named.as_ref());
        field.kind = mask.kind(path, found.as_ref(), named.as_ref());
        field.applied = self.applied_value(path, mask).filter(|applied| *applied != before);
        field.before = before;
        field.secrets = self.secrets_below(path);
        plan.fields.push(field);
    }

    /// Values that stand where a declared object comes: they go when the first leaf below them is written, and no leaf of
    /// that object says what they were.
    fn make_room(&self, live_mask: &Mask<'_>, plan: &mut AgentPlan) {
        let mut gone: BTreeMap<FieldPath, Cause> = BTreeMap::new();
        for field in plan.fields.iter().filter(|field| field.path.in_config() && !field.removal) {
            if let Some((path, _)) = in_the_way(self.live, &FieldPath::config(), &field.path) {
                // The loudest of the causes of what comes.
                let cause = gone.entry(path).or_insert(field.cause);
                *cause = (*cause).max(field.cause);
            }
        }
        for (path, cause) in gone {
            let found = path.within_config().and_then(|inner| inner.get(self.live));
            let mut field = change(live_mask, &path, cause, found, None);
            field.applied = self.applied_value(&path, live_mask).filter(|applied| *applied != field.before);
            plan.fields.push(field);
        }
    }

    /// What is no longer declared: what of it goes, and the objects that go with it.
    fn remove(&self, gone: &[Finding], overlay: &Value, mask: &Mask<'_>, plan: &mut AgentPlan) {
        let Self { subject, live, .. } = *self;
        let owned = subject.history().owned();
        let keeps = |path: &FieldPath| subject.scope.is_released(path) || subject.scope.is_ignored(path);
        // Where another branch of a union took its place, it is listed with what that branch does not have.
        let is_dropped = |finding: &&Finding| {
            let is_left = finding.path.within_config().is_some_and(|inner| inner.get(overlay).is_some());
            finding.live.is_some() && !is_left
        };
        let gone: Vec<&Finding> = gone.iter().filter(|finding| !is_dropped(finding)).collect();
        let removals = gone.iter().filter_map(|Finding { path, live: found, verdict, .. }| {
            let mut field = change(mask, path, verdict.why()?.cause(), found.as_ref(), None);
            field.applied = self.applied_value(path, mask).filter(|applied| *applied != field.before);
            field.risk = found.as_ref().filter(|found| is_prose(found)).map(|_| Risk("a text is removed".to_owned()));
            Some(field)
        });
        let removals: Vec<FieldChange> = removals.collect();
        let removal = Removal { shape: subject.shape, config: overlay, declared: self.declared, keeps: &keeps };
        let all: Vec<FieldPath> = gone.iter().map(|finding| finding.path.clone()).collect();
        let paths: Vec<FieldPath> = removals.iter().map(|field| field.path.clone()).collect();
        let removed = removal.settle(&all, &paths);
        for path in &removed.required {
            plan.diagnostics.push(
                Diagnostic::error(
                    "removal-of-a-required-field",
                    format!("{path} is no longer declared, and the schema requires it"),
                )
                .at(Place::Line(subject.desired.origin.clone()))
                .hint(format!("to leave its live value as it is, add `release: [{path}]`"))
                .hint("or declare it again"),
            );
        }
        let goes = |path: &FieldPath| removed.paths.iter().any(|removed| path.starts_with(removed));
        plan.fields.extend(removals.into_iter().filter(|field| goes(&field.path)));
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

    /// The secrets at a path and below it that are not known to be what is live there, by name.
    fn secrets_below(&self, path: &FieldPath) -> Vec<NamedSecret> {
        let all = self.subject.desired.declared.secrets().iter().filter(|(at, _)| at.starts_with(path));
        let is_live = |at: &FieldPath, secret: &SecretText| {
            let live = at.within_config().and_then(|inner| inner.get(self.live)).and_then(Value::as_str);
            live.is_some_and(|live| secret.reveal().is_some_and(|value| value == live))
        };
        all.filter(|(at, secret)| !is_live(at, secret))
            .map(|(at, secret)| NamedSecret { path: at.clone(), before: None, after: Some(secret.named()) })
            .collect()
    }

    /// What the applied version held at a path, for showing.
    fn applied_value(&self, path: &FieldPath, mask: &Mask<'_>) -> Option<Shown> {
        let inner = path.within_config()?;
        self.applied.map(|applied| mask.shown(path, inner.get(applied)))
    }

    /// The config changes: it must be valid as a whole, must not carry a mask back, and holds its secrets in clear.
    fn finish(&self, named_config: &Value, plan: &mut AgentPlan) {
        let Self { subject, live, .. } = *self;
        let leaves = subject.desired.declared.leaves();
        let is_declared = |path: &FieldPath| {
            let is_ours = |(leaf, value): &(FieldPath, Value)| path.starts_with(leaf) && !is_empty_object(value);
            !subject.scope.is_ignored(path) && leaves.iter().any(is_ours)
        };
        let mask = Mask { config: named_config, ..subject.mask() };
        for path in mask.masked_by_service(&is_declared) {
            plan.diagnostics.push(
                Diagnostic::error(
                    "masked-secret",
                    format!(
                        "{path} may hold a secret that the service does not show, and it is not declared: writing this \
                         config would destroy the secret"
                    ),
                )
                .at(Place::Line(subject.desired.origin.clone()))
                .hint(format!("declare it, as `!secret NAME` at {path} (or `null`, if there is no secret)"))
                .hint("or make this change in the dashboard, where the secret is known"),
            );
        }
        let keeps = |path: &FieldPath| subject.scope.is_ignored(path);
        let revealed = subject.desired.declared.reveal(&FieldPath::config()).ok().flatten();
        plan.config = revealed.map(|declared| new_config(live, &declared, &plan.removed, &keeps, subject.shape).config);
        // Without its secrets the config is judged with their names in their place.
        let judged = plan.config.as_ref().unwrap_or(named_config);
        plan.diagnostics.extend(faults::judge(subject, Some(live), judged));
    }
}

pub(super) fn change(
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
        origin: None,
        risk: None,
        secrets: Vec::new(),
    }
}
