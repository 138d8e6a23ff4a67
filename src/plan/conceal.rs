//! Takes the secrets that this run knows out of everything that is shown: the token and the values of `!secret`, wherever
//! the service echoes one in a name, an author or a message. It works on the values, before any format escapes or
//! wraps them, so that no part of one is left.
//!
//! Ids and what `apply` sends are left alone: nothing that decides is changed. An id with a secret in it is refused when
//! it is read.

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place};
use crate::model::{Back, Editor, FieldPath, Lease, RolledBack, Verify};

use super::between::Between;
use super::change::{
    AgentChange, FieldChange, KeptEdit, Kind, LimitBreach, Notice, Orphan, Plan, Risk, Shown, SlotChange, SlotHolder,
    Target, Unchanged, Unmanaged,
};
use super::difference::{Difference, ManifestDifference};
use super::drift::{AgentDrift, AsApplied, Drift, FieldDrift, ForeignApply, SlotDrift, SlotLive, Unchecked};
use super::outcome::{AgentOutcome, Event, Report};
use super::portrait::{AppliedBy, Begun, Log, LogEntry, Portrait, VersionRow};
use super::rewritten::Rewrite;
use super::verify::VerifyChange;
use super::work::Refresh;

/// Answers with the text without its secrets; nothing if there are none in it.
pub type Hide<'h> = dyn Fn(&str) -> Option<String> + 'h;

/// What holds texts that are shown.
pub trait Conceal {
    /// Takes the secrets out.
    fn conceal(&mut self, hide: &Hide<'_>);
}

/// Marks the changes of which both sides look alike now, for a difference that is not shown must not look like none.
pub fn mark_alike(fields: &mut [FieldChange]) {
    for field in fields {
        let is_value = matches!(field.before, Shown::Value(_)) && field.kind != Kind::Secret;
        if is_value && field.before == field.after && field.risk.is_none() {
            field.risk = Some(Risk("only a part that is not shown changes".to_owned()));
        }
    }
}

impl Conceal for String {
    fn conceal(&mut self, hide: &Hide<'_>) {
        if let Some(shown) = hide(self) {
            *self = shown;
        }
    }
}

impl<T: Conceal> Conceal for Option<T> {
    fn conceal(&mut self, hide: &Hide<'_>) {
        if let Some(inner) = self {
            inner.conceal(hide);
        }
    }
}

impl<T: Conceal> Conceal for Vec<T> {
    fn conceal(&mut self, hide: &Hide<'_>) {
        for item in self {
            item.conceal(hide);
        }
    }
}

impl Conceal for Value {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::String(text) => text.conceal(hide),
            Self::Array(list) => list.conceal(hide),
            Self::Object(map) => {
                if map.keys().any(|key| hide(key).is_some()) {
                    let old = std::mem::take(map);
                    map.extend(old.into_iter().map(|(key, value)| (hide(&key).unwrap_or(key), value)));
                }
                for value in map.values_mut() {
                    value.conceal(hide);
                }
            }
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }
}

/// Fewest bytes of a name in which a secret is looked for: a short one is a word that names are made of.
const SHORTEST_STEP: usize = 12;

impl Conceal for FieldPath {
    fn conceal(&mut self, hide: &Hide<'_>) {
        let hidden = |step: &String| hide(step).filter(|_| step.len() >= SHORTEST_STEP);
        if self.steps().iter().any(|step| hidden(step).is_some()) {
            *self = Self::of(self.steps().iter().map(|step| hidden(step).unwrap_or_else(|| step.clone())));
        }
    }
}

impl Conceal for Shown {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::Value(Value::String(text)) if hide(text).is_some_and(|text| text == super::mask::SECRET_TEXT) => {
                *self = Self::Secret;
            }
            Self::Value(value) => value.conceal(hide),
            Self::Absent | Self::Secret | Self::SecretByLook | Self::SecretUnchecked | Self::AtApply => {}
        }
    }
}

/// Implements [`Conceal`] by all fields of a struct, so that a field that is added later cannot be forgotten: first those
/// that are shown, and after the semicolon those that hold no text from outside or that decide something.
macro_rules! conceal {
    ($type:ident { $($shown:ident),* ; $($kept:ident),* }) => {
        impl Conceal for $type {
            fn conceal(&mut self, hide: &Hide<'_>) {
                let Self { $($shown,)* $($kept: _,)* } = self;
                $($shown.conceal(hide);)*
            }
        }
    };
}

conceal!(Target { organization; host, declared_organization, environment, project });
conceal!(Editor { by, at; version });
conceal!(Verify { command, env; });
conceal!(KeptEdit { path, before, after; });
conceal!(SlotChange { from, risk; number, direction, to, cause, follows });
conceal!(Unchanged { kept; key, agent_id, version });
conceal!(Unmanaged { name, owner; agent_id });
conceal!(Orphan { name, kept_because; key, agent_id, protect });
conceal!(Notice { message; address, code });
conceal!(LimitBreach { message; flag });
conceal!(Refresh { name; key, agent_id, version, work });
conceal!(FieldDrift { path, applied, live, editor; kind, conflict, ended, token });
conceal!(SlotDrift { live; number, direction, arrived, conflict });
conceal!(AsApplied { live_editor, kept; key, live_version });
conceal!(Unchecked { causes, hints; address });
conceal!(AgentDrift {
    name, live_editor, fields, slots, kept, foreign; key, agent_id, origin, applied_version, live_version,
    is_held
});
conceal!(ForeignApply { commit; from });
conceal!(Drift {
    target, agents, as_applied, unchecked, orphans, notices, flags; source, checked_at, targeted, fingerprint
});
conceal!(AgentOutcome {
    name, step, causes, hints, rewritten; address, key, agent_id, action, outcome, version, draft, by_hand, left_behind,
    milliseconds
});
conceal!(Rewrite { path, sent, read; });
conceal!(ManifestDifference { name, fields, verify; key, fate, moved_from, origin });
conceal!(Difference { manifests, notices; project, environment, base, head, numbers, same });
conceal!(Report { target, outcomes, notices; plan_hash, wrote, interrupted, traffic });
conceal!(Back { reason; from, to, source });
conceal!(RolledBack { back, by, at; });
conceal!(Lease { run, at; });
conceal!(AppliedBy { plan, commit, run_url; });
conceal!(Begun { run, plan; back_to });
conceal!(VersionRow { at, by, widgets, applied, rollback; version, id, state, numbers });
conceal!(Portrait {
    target, name, versions, last_apply, begun, at_work, rollback, notices; key, agent_id, active, standing, origin,
    sip_deployed, complete
});
conceal!(LogEntry { row; key });
conceal!(Log { target, entries, notices; left_out, complete });
conceal!(Between { target, name, from, to, fields, summary, notices; key, agent_id });
conceal!(Diagnostic { message, place, label, hints; code, severity, about, others, fix });
conceal!(Plan {
    target, changes, unchanged, refreshes, unmanaged, orphans, notices, diagnostics, breaches; source, schema_digest,
    complete, targeted, twins, records, plan_hash, raised
});

impl Conceal for Risk {
    fn conceal(&mut self, hide: &Hide<'_>) {
        self.0.conceal(hide);
    }
}

impl Conceal for (Option<u64>, AppliedBy) {
    fn conceal(&mut self, hide: &Hide<'_>) {
        self.1.conceal(hide);
    }
}

impl Conceal for (String, String) {
    fn conceal(&mut self, hide: &Hide<'_>) {
        self.0.conceal(hide);
        self.1.conceal(hide);
    }
}

impl Conceal for FieldChange {
    fn conceal(&mut self, hide: &Hide<'_>) {
        let Self { path, kind: _, cause: _, before, after, applied, removal: _, risk, origin: _, secrets: _ } = self;
        path.conceal(hide);
        before.conceal(hide);
        after.conceal(hide);
        applied.conceal(hide);
        risk.conceal(hide);
    }
}

impl Conceal for AgentChange {
    fn conceal(&mut self, hide: &Hide<'_>) {
        let Self {
            address: _,
            key: _,
            name,
            agent_id: _,
            action: _,
            change_hash: _,
            base_version: _,
            new_version: _,
            adopts: _,
            moved_from: _,
            origin: _,
            live_editor,
            fields,
            kept,
            numbers,
            verify,
            steps,
            held: _,
            back,
            work: _,
        } = self;
        name.conceal(hide);
        live_editor.conceal(hide);
        fields.conceal(hide);
        mark_alike(fields);
        kept.conceal(hide);
        numbers.conceal(hide);
        verify.conceal(hide);
        steps.conceal(hide);
        back.conceal(hide);
    }
}

impl Conceal for VerifyChange {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::Added { after } => after.conceal(hide),
            Self::Changed { before, after } => {
                before.conceal(hide);
                after.conceal(hide);
            }
            Self::Removed { before } => before.conceal(hide),
        }
    }
}

impl Conceal for SlotHolder {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::Agent { name, agent_id: _, key: _, version: _ } => name.conceal(hide),
            Self::Empty | Self::Unknown { version_id: _ } => {}
        }
    }
}

impl Conceal for SlotLive {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::Holder(holder) => holder.conceal(hide),
            Self::NotHere | Self::Gone => {}
        }
    }
}

impl Conceal for Place {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::Request(text) => text.conceal(hide),
            Self::Field { path, address: _ } => path.conceal(hide),
            Self::Span(_) | Self::Line(_) | Self::File(_) | Self::Agent(_) => {}
        }
    }
}

impl Conceal for Event {
    fn conceal(&mut self, hide: &Hide<'_>) {
        match self {
            Self::Started { address: _, action: _ } => {}
            Self::Step { address: _, what } => what.conceal(hide),
            Self::Finished { outcome } => outcome.conceal(hide),
            Self::Note { message } => message.conceal(hide),
        }
    }
}
