//! PURE. Declared, applied and live of one agent against each other: decided here, and nowhere else.
//!
//! A plan takes from the findings what is to be written, a check for drift what somebody changed. `table` is the table of
//! the design; `config`, `fields` and `slots` give it its evidence; `kept` is what nobody manages.

mod config;
mod fields;
mod kept;
mod slots;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{ConfigShape, Desired, FieldPath, LiveAgent, Stamp};

use super::compare::{Sides, is_empty_object};
use super::history::History;
use super::mask::{Labels, Mask};
use super::readback::may_render;
use super::rewritten::{Differing, Kept, rewritten_message};
use super::scope::Scope;

pub use config::{Compared, compare_config};
pub use fields::{compare_fields, is_switched_off, live_document};
pub use kept::{KeptValue, kept};
pub use slots::{Place, SlotFinding, SlotLive, Slots, claims, slot_at, slot_path};
pub use table::{Evidence, Past, Since, Verdict, Why, verdict};

/// How many values that the service keeps otherwise are named below one leaf.
const REWRITTEN_SHOWN: usize = 5;

/// One agent with its manifest, and by what the two are compared.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
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
    /// Names of properties that the project says hold no secrets.
    pub not_secret: &'a BTreeSet<String>,
    /// How its hidden texts are told apart.
    pub labels: &'a Labels,
}

/// What became of one value.
pub struct Finding {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// What the manifest declares, secrets by name.
    pub named: Option<Value>,
    /// The same in clear, where every secret in it is known.
    pub value: Option<Value>,
    /// What is live.
    pub live: Option<Value>,
    /// What that comes to.
    pub verdict: Verdict,
}

impl<'a> Subject<'a> {
    /// What is known of the applies of the agent.
    pub fn history(&self) -> History<'a> {
        History::of(self.stamp, self.agent)
    }

    /// What may be shown of the agent, before a config to look into is chosen.
    pub fn mask(&self) -> Mask<'a> {
        Mask {
            shape: self.shape,
            declared: None,
            config: &Value::Null,
            seal: self.history().seal(),
            not_secret: self.not_secret,
            labels: self.labels,
            as_applied: false,
        }
    }

    /// What is said of a declared value in whose place the service keeps another: nothing is written, and yet live is not
    /// what the manifest declares.
    pub fn rewritten(&self, finding: &Finding, config: &Value) -> Vec<String> {
        let Finding { path, named, value, live, verdict } = finding;
        let Some(value) = value.as_ref().filter(|_| *verdict == Verdict::Rendering) else { return Vec::new() };
        let mask = Mask { declared: Some(&self.desired.declared), config, ..self.mask() };
        let kept = Kept { mask: &mask, sides: Sides { shape: self.shape, wanted: config, live: config } };
        let differing = kept.differing(path, Some(value), live.as_ref());
        let message = |Differing { path: at, live, is_reordered }: &Differing| {
            if *is_reordered {
                return format!("{at}: the service keeps the items in another order than the manifest declares");
            }
            let below = FieldPath::of(at.steps().iter().skip(path.steps().len()).cloned());
            let named = named.as_ref().and_then(|named| below.get(named));
            rewritten_message(at, &mask.shown(at, named), &mask.shown(at, live.as_ref()))
        };
        let more = differing.len().saturating_sub(REWRITTEN_SHOWN);
        let more = (more > 0).then(|| format!("{path}: the service keeps {more} more values otherwise below it"));
        differing.iter().take(REWRITTEN_SHOWN).map(message).chain(more).collect()
    }

    /// What became of a declared leaf, `since` saying what became of a path of ours. Where Git used to have something of
    /// another shape there, that is what became of it. Where an `ignore` covered it until lately and no apply has written it
    /// since, the declared value holds again, and what is live there, if anything is, was put there by somebody else.
    fn past(
        &self,
        path: &FieldPath,
        named: &Value,
        live: Option<&Value>,
        since: &dyn Fn(&FieldPath) -> Option<Since>,
    ) -> Option<Past> {
        let history = self.history();
        let (owned, seal) = (history.owned(), history.seal()?);
        if let Some(hash) = owned.get(path) {
            let value = self.desired.declared.reveal(path).ok().flatten();
            let git_changed = value.as_ref().is_some_and(|value| seal.hash(value) != hash.sent);
            return Some(match since(path)? {
                // The same principal may have published words of its own where a run of ours had got no further than
                // its intent. What cannot be the service's rendering of what was sent is somebody's edit, unless it is what
                // that run had shown that it writes over.
                Since::Unfinished
                    if !history.was_left(path, live) && !live.is_some_and(|live| history.was_shown(path, live)) =>
                {
                    let holds_secret = self.desired.declared.secrets().keys().any(|at| at.starts_with(path));
                    let sent = value.filter(|_| !git_changed);
                    let is_rendering = holds_secret || sent.is_some_and(|sent| may_render(&sent, live));
                    let live = if is_rendering { Since::Unfinished } else { Since::Changed };
                    Past { git_changed: true, live }
                }
                live => Past { git_changed, live },
            });
        }
        let is_below = |ours: &FieldPath| ours.starts_with(path) && !is_empty_object(named);
        let related = owned.keys().filter(|ours| path.starts_with(ours) || is_below(ours));
        let all: Vec<Since> = related.filter_map(since).collect();
        let by_harm = [Since::Meanwhile, Since::Changed, Since::Unfinished, Since::AsApplied];
        match by_harm.into_iter().find(|since| all.contains(since)) {
            Some(live) => Some(Past { git_changed: true, live }),
            // An agent that an apply had only begun to make, and in which somebody else published words meanwhile.
            None if path.in_config() && live.is_some() && history.is_made_by_others() => {
                Some(Past { git_changed: true, live: Since::Meanwhile })
            }
            None => self
                .scope
                .ended(path)
                // An agent answers unless somebody switches it off: that it does is nobody's decision.
                .filter(|_| live.is_some_and(|live| *path != FieldPath::of(["active"]) || *live != Value::Bool(true)))
                .map(|_| Past { git_changed: false, live: Since::Changed }),
        }
    }

    /// The verdict on a declared leaf. `in_place` says whether its value is what is live.
    fn judge_declared(
        &self,
        path: FieldPath,
        named: Value,
        live: Option<Value>,
        past: Option<Past>,
        in_place: &dyn Fn(&Value, Option<&Value>) -> bool,
    ) -> Finding {
        let value = self.desired.declared.reveal(&path).ok().flatten();
        let verdict = match &value {
            // An ignored path is written only where nothing is there, and who took it out changed nothing of ours.
            _ if self.scope.is_ignored(&path) && live.is_some() => Verdict::InPlace,
            _ if self.scope.is_ignored(&path) => Verdict::Write(Why::Git),
            Some(value) => verdict(Evidence { declared: true, in_place: in_place(value, live.as_ref()), past }),
            None => self.judge_not_compared(&path, &named, live.as_ref(), past, in_place),
        };
        Finding { path, named: Some(named), value, live, verdict }
    }

    /// A leaf that holds a secret without a value here: what is around the secret is compared, the secret is not.
    fn judge_not_compared(
        &self,
        path: &FieldPath,
        named: &Value,
        live: Option<&Value>,
        past: Option<Past>,
        in_place: &dyn Fn(&Value, Option<&Value>) -> bool,
    ) -> Verdict {
        let is_same_around = live.is_some_and(|live| {
            let mut around = named.clone();
            for (at, secret) in self.desired.declared.secrets().iter().filter(|(at, _)| at.starts_with(path)) {
                let below = FieldPath::of(at.steps().iter().skip(path.steps().len()).cloned());
                // Of a text with a secret in it only the secret is not known here.
                if let Some(found) = below.get(live).filter(|found| found.as_str().is_none_or(|text| secret.fits(text)))
                {
                    below.set(&mut around, found.clone());
                }
            }
            in_place(&around, Some(live))
        });
        let git_changed = !is_same_around && (live.is_some() || !self.desired.declared.secrets().contains_key(path));
        match past {
            Some(Past { live: Since::AsApplied | Since::Unfinished, .. }) if is_same_around => Verdict::NotCompared,
            Some(past) => {
                match verdict(Evidence { declared: true, in_place: false, past: Some(Past { git_changed, ..past }) }) {
                    // As applied and yet not the same: what is around the secret was changed in Git.
                    Verdict::Rendering => Verdict::Write(Why::Git),
                    found => found,
                }
            }
            // An agent that is taken over as it is: what is live may well be the secret, and nothing says otherwise.
            None if self.stamp.is_none() && live.is_some() && is_same_around => Verdict::NotCompared,
            None => Verdict::Write(Why::Git),
        }
    }
}
