//! What a change is, as a digest: the meaning and nothing else (design, section 5, the hash).

use serde_json::{Map, Value, json};

use crate::model::value::same;
use crate::model::{Declared, Desired, Digest, FieldPath};

use super::change::{Action, SlotChange, SlotHolder, SlotTarget, Target};
use super::verify::VerifyChange;

/// What a change hash covers. File, line, cause, prose, time and order do not count.
pub struct Meaning<'a> {
    /// The target.
    pub target: &'a Target,
    /// The address, as text.
    pub address: String,
    /// The agent.
    pub agent_id: Option<&'a str>,
    /// The action.
    pub action: Action,
    /// The version that it starts from.
    pub base_version: Option<u64>,
    /// The manifest; absent for a delete.
    pub desired: Option<&'a Desired>,
    /// Whether the config changes, so that the declared config counts.
    pub writes_config: bool,
    /// The version that is copied as it is, where that is what is done.
    pub copies: Option<u64>,
    /// Paths that go.
    pub removed: &'a [FieldPath],
    /// Agent fields and metadata keys: path, before (what may not be shown by its salted hash), after (secrets by name).
    pub agent_fields: &'a [(FieldPath, Value, Value)],
    /// Slots, those that only follow included.
    pub slots: &'a [SlotChange],
    /// What becomes of `verify`.
    pub verify: Option<&'a VerifyChange>,
}

impl Meaning<'_> {
    /// The digest.
    pub fn digest(&self) -> Digest {
        let Meaning {
            target,
            address,
            agent_id,
            action,
            base_version,
            desired,
            writes_config,
            copies,
            removed,
            agent_fields,
            slots,
            verify,
        } = self;
        let Target { host, declared_organization, organization: _, environment, project } = target;
        let mut removed: Vec<String> = removed.iter().map(ToString::to_string).collect();
        removed.sort();
        let mut fields: Vec<Value> =
            agent_fields.iter().map(|(path, before, after)| json!([path.to_string(), before, after])).collect();
        fields.sort_by_key(Value::to_string);
        let mut slots: Vec<Value> = slots.iter().map(slot).collect();
        slots.sort_by_key(Value::to_string);
        let declared = desired.filter(|_| *writes_config).map(|desired| config_by_name(&desired.declared));
        let declared = copies.map(|version| json!({"copy_of": version})).or(declared);
        let declared_verify = desired.and_then(|desired| desired.verify.as_ref());
        let declared_verify = declared_verify.map(|verify| json!([verify.command, verify.env]));
        // That a check is taken away is not the same as that there is none.
        let verify = match verify {
            Some(change) => Some(json!([change.as_str(), declared_verify])),
            None => declared_verify,
        };
        Digest::of(&json!({
            "target": [host, declared_organization, environment, project],
            "address": address,
            "agent": agent_id,
            "action": action.as_str(),
            "base_version": base_version,
            "config": declared,
            "removed": removed,
            "fields": fields,
            "slots": slots,
            "verify": verify,
        }))
    }
}

/// The declared config with its secrets by name, and the paths where a secret stands, so that a text which only looks
/// like one differs.
fn config_by_name(declared: &Declared) -> Value {
    let secrets: Map<String, Value> = declared
        .secrets()
        .iter()
        .map(|(path, text)| (path.to_string(), Value::from(text.names().collect::<Vec<_>>())))
        .collect();
    json!([declared.config(), secrets])
}

fn slot(change: &SlotChange) -> Value {
    let from = match &change.from {
        SlotHolder::Empty => Value::Null,
        SlotHolder::Agent { agent_id, version, .. } => json!([agent_id, version]),
        SlotHolder::Unknown { version_id } => json!(version_id),
    };
    let to = match &change.to {
        SlotTarget::Empty => Value::Null,
        SlotTarget::NewVersion { key } => json!([key.as_str(), "new"]),
        SlotTarget::Version { key, version } => json!([key.as_str(), version]),
    };
    json!([change.number.as_str(), change.direction.as_str(), from, to])
}

/// The digest of a whole plan: its change hashes, sorted.
pub fn plan_hash<'a>(changes: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut hashes: Vec<&str> = changes.into_iter().map(Digest::as_str).collect();
    hashes.sort_unstable();
    Digest::of(&json!(hashes))
}

/// Whether two values of an agent field differ, an absent one and null being alike there.
pub fn field_differs(before: &Value, after: &Value) -> bool {
    !same(before, after)
}
