//! The config of one agent: every declared leaf, and every leaf of ours that is no longer declared.

use serde_json::Value;

use crate::model::FieldPath;
use crate::plan::compare::{Sides, is_empty_object};
use crate::plan::history::History;
use crate::plan::merge::new_config;

use super::{Evidence, Finding, Past, Since, Subject, verdict};

/// What the config came to.
pub struct Compared {
    /// The live config with the declaration laid over it, and nothing removed.
    pub overlay: Value,
    /// Every leaf that is declared or ours, but for those that are ignored or released.
    pub findings: Vec<Finding>,
}

struct Comparison<'a> {
    subject: &'a Subject<'a>,
    history: History<'a>,
    live: &'a Value,
    applied: Option<&'a Value>,
    leaves: Vec<(FieldPath, Value)>,
}

/// Compares the config. `applied` is that of the applied version, as this credential is shown it.
///
/// Without a declared `config` nothing is found: it is a top-level field, and let go.
pub fn compare_config(subject: &Subject<'_>, live: &Value, applied: Option<&Value>) -> Compared {
    let Some(declared) = subject.desired.declared.config() else {
        return Compared { overlay: live.clone(), findings: Vec::new() };
    };
    let keeps = |path: &FieldPath| subject.scope.is_ignored(path);
    // Without removals, so that each side of a comparison stands in a whole config.
    let overlay = new_config(live, declared, &[], &keeps, subject.shape).config;
    let history = subject.history();
    // A live version of an unfinished run of ours has nothing to do with the one that was applied before it.
    let applied = applied.filter(|_| history.begun().is_none());
    let leaves = subject.desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()).collect();
    let comparison = Comparison { subject, history, live, applied, leaves };
    let sides = Sides { shape: subject.shape, wanted: &overlay, live };
    let mut findings: Vec<Finding> = comparison.declared(&sides).collect();
    findings.extend(comparison.gone(&sides));
    Compared { overlay, findings }
}

impl Comparison<'_> {
    fn declared<'s>(&'s self, sides: &'s Sides<'_>) -> impl Iterator<Item = Finding> + 's {
        self.leaves.iter().map(|(path, named)| {
            let live = path.within_config().and_then(|inner| inner.get(self.live).cloned());
            let past = self.subject.past(path, named, live.as_ref(), &|ours| self.since(ours));
            let in_place = |value: &Value, live: Option<&Value>| sides.declared_is_live(path, value, live);
            self.subject.judge_declared(path.clone(), named.clone(), live, past, &in_place)
        })
    }

    /// A credential that is shown another rendering than the one that applied still compares like with like.
    fn since(&self, path: &FieldPath) -> Option<Since> {
        let inner = path.within_config()?;
        let live = inner.get(self.live);
        let since = self.history.since(path, live)?;
        let Some(applied) = self.applied else { return Some(since) };
        let sides = Sides { shape: self.subject.shape, wanted: applied, live: self.live };
        let reads_as_applied = match inner.get(applied) {
            Some(value) => sides.declared_is_live(path, value, live),
            None => sides.is_absent_or_default(path, live),
        };
        Some(if reads_as_applied { Since::AsApplied } else { since })
    }

    fn gone<'s>(&'s self, sides: &'s Sides<'_>) -> impl Iterator<Item = Finding> + 's {
        let scope = self.subject.scope;
        let is_declared = |path: &FieldPath| {
            self.leaves.iter().any(|(declared, value)| {
                declared.starts_with(path) || (path.starts_with(declared) && !is_empty_object(value))
            })
        };
        let owned = self.history.owned().keys().filter(|path| path.in_config());
        let gone = owned.filter(move |path| !is_declared(path) && !scope.is_released(path) && !scope.is_ignored(path));
        gone.filter_map(|path| {
            let live = path.within_config()?.get(self.live);
            let past = Past { git_changed: true, live: self.since(path)? };
            let in_place = sides.is_absent_or_default(path, live);
            let verdict = verdict(Evidence { declared: false, in_place, past: Some(past) });
            Some(Finding { path: path.clone(), named: None, value: None, live: live.cloned(), verdict })
        })
    }
}
