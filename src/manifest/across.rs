//! What no manifest can see by itself: two of one key, two that claim one slot, a move that goes nowhere.

use std::collections::BTreeMap;

use super::codes;
use super::parse::{Claim, Manifest};
use super::session::Session;
use crate::diagnostics::{Diagnostic, Span};
use crate::model::Key;

impl Session<'_> {
    /// Compares all manifests with each other and keeps the first of each key.
    pub fn compare(&mut self, manifests: Vec<Manifest>) -> BTreeMap<Key, Manifest> {
        self.compare_claims(&manifests);
        let mut kept: BTreeMap<Key, Manifest> = BTreeMap::new();
        for manifest in manifests {
            let key = manifest.desired.key.clone();
            match kept.get(&key) {
                None => {
                    kept.insert(key, manifest);
                }
                Some(first) => {
                    if let (Some(second), Some(first)) = (manifest.key_span, first.key_span.clone()) {
                        let problem =
                            Diagnostic::error(codes::DUPLICATE_KEY, format!("two manifests have the key `{key}`"));
                        self.report(problem.span(second).label("the second").other(first, "the first"));
                    }
                }
            }
        }
        self.compare_moves(&kept);
        kept
    }

    fn compare_claims(&mut self, manifests: &[Manifest]) {
        let mut claimed: BTreeMap<&Claim, &Span> = BTreeMap::new();
        for (claim, span) in manifests.iter().flat_map(|manifest| &manifest.claims) {
            let Some(first) = claimed.get(claim) else {
                claimed.insert(claim, span);
                continue;
            };
            let (code, message) = match claim {
                Claim::Slot(slot) => {
                    let message = format!("two manifests claim the {} slot of `{}`", slot.direction, slot.number);
                    (codes::SLOT_CLAIMED_TWICE, message)
                }
                Claim::Widget(id) => (codes::CLAIMED_TWICE, format!("two manifests claim the widget `{id}`")),
                Claim::Email(email) => (codes::CLAIMED_TWICE, format!("two manifests claim the address `{email}`")),
                Claim::Agent(id) => (codes::CLAIMED_TWICE, format!("two manifests bind to the agent `{id}`")),
            };
            let problem = Diagnostic::error(code, message).span(span.clone()).label("the second");
            self.report(problem.other((*first).clone(), "the first"));
        }
    }

    fn compare_moves(&mut self, manifests: &BTreeMap<Key, Manifest>) {
        let mut moved: BTreeMap<&Key, &Span> = BTreeMap::new();
        for (old, span) in manifests.values().flat_map(|manifest| &manifest.moved) {
            if let Some(first) = moved.get(old) {
                let problem = Diagnostic::error(codes::MOVED_TWICE, format!("`{old}` has moved to two keys"));
                self.report(problem.span(span.clone()).label("the second").other((*first).clone(), "the first"));
                continue;
            }
            moved.insert(old, span);
            if let Some(standing) = manifests.get(old) {
                let message = format!("`{old}` has moved and is the key of a manifest");
                let problem = Diagnostic::error(codes::MOVED_BUT_THERE, message)
                    .span(span.clone())
                    .hint("an agent moves when its manifest gets another key: remove the old manifest, or this line");
                self.report(match standing.key_span.clone() {
                    Some(at) => problem.other(at, "it is here"),
                    None => problem,
                });
            }
        }
    }
}
