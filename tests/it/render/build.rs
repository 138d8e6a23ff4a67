//! Plans built by hand, as planning would build them.

use std::fmt::Write as _;

use reachform::model::{Address, Digest, Direction, Editor, FieldPath, Key, LeafHash, Origin, PhoneNumber};
use reachform::plan::difference::{Difference, Fate, ManifestDifference, Revision};
use reachform::plan::drift::{AgentDrift, Drift, FieldDrift};
use reachform::plan::work::Work;
use reachform::plan::{
    Action, AgentChange, Cause, FieldChange, Kind, Plan, Risk, Shown, SlotChange, SlotHolder, SlotTarget, Source,
    Target, Unchanged,
};
use serde_json::{Value, json};

pub(super) fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

pub(super) fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

pub(super) fn target() -> Target {
    Target {
        host: "api.anyreach.ai".to_owned(),
        declared_organization: Some("org_2".to_owned()),
        organization: Some("org_2".to_owned()),
        environment: "prod".to_owned(),
        project: "dental-agents-x7f2".to_owned(),
    }
}

pub(super) fn plan(changes: Vec<AgentChange>) -> Plan {
    let hashes: Vec<&str> = changes.iter().map(|change| change.change_hash.as_str()).collect();
    Plan {
        refreshes: Vec::new(),
        twins: Vec::new(),
        records: Vec::new(),
        target: target(),
        source: Source { commit: Some("4f2c9ab07d1be5a2c64f0e55b1ad62d8a03f7c19".to_owned()), dirty: false },
        schema_digest: Some(Digest::of(&json!("schema"))),
        complete: true,
        targeted: false,
        plan_hash: Digest::of(&json!(hashes)),
        changes,
        unchanged: Vec::new(),
        unmanaged: Vec::new(),
        orphans: Vec::new(),
        notices: Vec::new(),
        diagnostics: Vec::new(),
        breaches: Vec::new(),
        raised: Vec::new(),
    }
}

pub(super) fn unchanged(count: usize) -> Vec<Unchanged> {
    (0..count)
        .map(|number| Unchanged {
            key: key(&format!("quiet-{number}")),
            agent_id: format!("ag_q{number}"),
            version: Some(3),
            kept: Vec::new(),
        })
        .collect()
}

pub(super) fn change(name: &str, action: Action) -> AgentChange {
    let key = key(name);
    AgentChange {
        address: Address(key.clone()),
        name: name.replace('-', " "),
        agent_id: (action != Action::Create).then(|| format!("ag_{name}")),
        change_hash: Digest::of(&json!([name, action.as_str()])),
        base_version: (action != Action::Create).then_some(12),
        new_version: matches!(action, Action::Create | Action::Update),
        adopts: action == Action::Adopt,
        moved_from: None,
        origin: (action != Action::Delete).then(|| Origin { file: format!("agents/{name}.yaml"), line: 7 }),
        live_editor: None,
        fields: Vec::new(),
        kept: Vec::new(),
        numbers: Vec::new(),
        verify: None,
        steps: Vec::new(),
        held: None,
        back: None,
        work: Work::default(),
        action,
        key,
    }
}

pub(super) fn editor() -> Editor {
    Editor { by: Some("jo@example.com".to_owned()), at: Some("2026-08-30T09:12:44Z".to_owned()), version: Some(12) }
}

/// A change in Git; `Value::Null` stands for "absent" where `None` would only be noise.
pub(super) fn field(at: &str, before: Value, after: Value) -> FieldChange {
    let shown = |value: Value| if value.is_null() { Shown::Absent } else { Shown::Value(value) };
    let (before, after) = (shown(before), shown(after));
    FieldChange {
        path: path(at),
        kind: kind(&before, &after),
        cause: Cause::Pending,
        removal: after == Shown::Absent,
        before,
        after,
        applied: None,
        risk: None,
        origin: None,
        secrets: Vec::new(),
    }
}

fn kind(before: &Shown, after: &Shown) -> Kind {
    match if matches!(after, Shown::Absent) { before } else { after } {
        Shown::Value(Value::String(_)) => Kind::Text,
        Shown::Value(Value::Number(_)) => Kind::Number,
        Shown::Value(Value::Bool(_)) => Kind::Bool,
        Shown::Value(Value::Array(_)) => Kind::List,
        Shown::Value(Value::Object(_)) => Kind::Object,
        Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked => Kind::Secret,
        Shown::Value(Value::Null) | Shown::Absent | Shown::AtApply => Kind::Other,
    }
}

pub(super) fn secret(at: &str, before: Shown, after: Shown) -> FieldChange {
    FieldChange { before, after, kind: Kind::Secret, ..field(at, Value::Null, Value::Null) }
}

pub(super) fn caused(cause: Cause, applied: Option<Value>, field: FieldChange) -> FieldChange {
    FieldChange { cause, applied: applied.map(Shown::Value), ..field }
}

pub(super) fn risky(why: &str, field: FieldChange) -> FieldChange {
    FieldChange { risk: Some(Risk(why.to_owned())), ..field }
}

pub(super) fn slot(number: &str, direction: Direction, from: SlotHolder, to: SlotTarget) -> SlotChange {
    SlotChange {
        number: PhoneNumber::parse(number).unwrap(),
        direction,
        from,
        to,
        cause: Cause::Pending,
        follows: false,
        risk: None,
    }
}

pub(super) fn held_by(name: &str, version: u64) -> SlotHolder {
    SlotHolder::Agent { agent_id: format!("ag_{name}"), name: name.replace('-', " "), key: Some(key(name)), version }
}

/// A prompt of some length with headings, lists and repeated lines.
pub(super) fn prompt() -> String {
    let mut out = String::from(
        "# Role\n\nYou are the front desk of Riverside Dental. You are friendly, brief and never guess.\n\n\
         ## Booking flow\n\n1. Ask for the caller's full name and date of birth.\n\
         2. Ask which kind of appointment they need: cleaning, check-up or pain.\n\
         3. Offer at most three slots. If none of them works, offer to take a message for the front desk.\n\
         4. Repeat the chosen slot, then confirm it.\n\n## Tools\n\n",
    );
    for (tool, what) in [
        ("check_slots", "find free appointments in the next fourteen days"),
        ("book_slot", "book one of the slots that check_slots returned"),
        ("find_patient", "look a patient up by name and date of birth"),
    ] {
        writeln!(out, "- Use `{tool}` to {what}. Never read its raw answer to the caller.").unwrap();
    }
    out.push_str("\n## Emergencies\n\n");
    out.push_str("If the caller has heavy bleeding or trouble breathing, tell them to hang up and call 911 at once.\n");
    for number in 1..=30 {
        writeln!(
            out,
            "\n### Question {number}\n\nWhen a caller asks about topic {number}, answer from the practice handbook, \
             section {number}, in at most two sentences, then ask whether there is anything else."
        )
        .unwrap();
    }
    out
}

/// A check that found these values changed on the service.
pub(super) fn drift_of(fields: Vec<FieldChange>) -> Drift {
    let token = LeafHash::parse(&"0".repeat(32)).unwrap();
    let found = |field: FieldChange| FieldDrift {
        path: field.path,
        kind: field.kind,
        applied: Some(field.before),
        live: field.after,
        editor: Some(editor()),
        conflict: false,
        ended: None,
        token: token.clone(),
    };
    let agent = AgentDrift {
        key: key("front-desk"),
        name: "front desk".to_owned(),
        agent_id: Some("ag_front-desk".to_owned()),
        origin: Origin { file: "agents/front-desk.yaml".to_owned(), line: 7 },
        applied_version: Some(12),
        live_version: Some(13),
        live_editor: Some(editor()),
        fields: fields.into_iter().map(found).collect(),
        slots: Vec::new(),
        kept: Vec::new(),
        foreign: None,
        is_held: false,
    };
    Drift {
        flags: None,
        target: target(),
        source: plan(Vec::new()).source,
        checked_at: "2026-09-01T06:17:20Z".parse().unwrap(),
        targeted: false,
        agents: vec![agent],
        as_applied: Vec::new(),
        unchecked: Vec::new(),
        orphans: Vec::new(),
        notices: Vec::new(),
        fingerprint: Digest::of(&json!("drift")),
    }
}

/// The difference of two states of a manifest.
pub(super) fn difference_of(fields: Vec<FieldChange>) -> Difference {
    let manifest = ManifestDifference {
        key: key("front-desk"),
        name: "front desk".to_owned(),
        fate: Fate::Changed,
        moved_from: None,
        origin: Origin { file: "agents/front-desk.yaml".to_owned(), line: 7 },
        fields,
        verify: None,
    };
    Difference {
        project: target().project,
        environment: target().environment,
        base: Revision { name: "origin/main".to_owned(), commit: "1d".repeat(20) },
        head: plan(Vec::new()).source,
        manifests: vec![manifest],
        numbers: Vec::new(),
        same: 3,
        notices: Vec::new(),
    }
}
