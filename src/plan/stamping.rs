//! The map of a stamp: what was sent by pointer, and the service's own rendering of it where that differs.

use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::value::same;
use crate::model::{FieldHash, FieldPath, LeafHash, Seal};

use super::compare::is_empty_object;

/// What stands in a stamp for "nothing there". No JSON text begins with a NUL, so it equals no value of a config.
const ABSENT: &str = "\u{0}absent";

/// The hash of a leaf, or of its absence.
pub fn leaf_hash(seal: Seal<'_>, value: Option<&Value>) -> LeafHash {
    match value {
        Some(value) => seal.hash(value),
        None => seal.hash(&Value::String(ABSENT.to_owned())),
    }
}

/// The map for what was sent, beside what was read back: `rendered` answers by pointer.
pub fn stamp_fields<'v>(
    seal: Seal<'_>,
    sent: &[(FieldPath, Value)],
    rendered: &dyn Fn(&FieldPath) -> Option<&'v Value>,
) -> Fields {
    sent.iter()
        .map(|(path, value)| {
            let found = rendered(path);
            // An empty object owns its presence: what others put into it is no rendering of ours.
            let is_present = is_empty_object(value) && found.is_some_and(Value::is_object);
            let differs = !is_present && found.is_none_or(|found| !same(value, found));
            let read = differs.then(|| leaf_hash(seal, found));
            (path.clone(), FieldHash { sent: seal.hash(value), read })
        })
        .collect()
}

/// The map for what is about to be sent, before anything was read back.
pub fn intended_fields(seal: Seal<'_>, sent: &[(FieldPath, Value)]) -> Fields {
    sent.iter().map(|(path, value)| (path.clone(), FieldHash { sent: seal.hash(value), read: None })).collect()
}

/// Whether the live value is what the applied version held at an owned path.
pub fn is_as_applied(seal: Seal<'_>, hash: &FieldHash, live: Option<&Value>) -> bool {
    let presence = hash.sent == seal.hash(&Value::Object(serde_json::Map::new()));
    if presence && live.is_some_and(Value::is_object) {
        return true;
    }
    leaf_hash(seal, live) == *hash.applied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Key, Salt, Stamp, StampState};
    use serde_json::json;

    fn stamp() -> Stamp {
        let salt = Salt::new([1; 16]);
        Stamp {
            project: "p".to_owned(),
            environment: "prod".to_owned(),
            key: Key::parse("a").unwrap(),
            agent: None,
            protect: false,
            state: StampState { salt, secrets: None, applied: None, intent: None, lease: None, rollback: None },
        }
    }

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    #[test]
    fn a_rendering_is_kept_only_where_it_differs() {
        let stamp = stamp();
        let seal = Seal::of(&stamp);
        let sent = vec![(path("/config/a"), json!(1)), (path("/config/b"), json!("x")), (path("/config/c"), json!(2))];
        let read = json!({"config": {"a": 1.0, "b": "X"}});
        let fields = stamp_fields(seal, &sent, &|path| path.get(&read));
        assert_eq!(fields[&path("/config/a")].read, None);
        assert!(is_as_applied(seal, &fields[&path("/config/b")], Some(&json!("X"))));
        assert!(!is_as_applied(seal, &fields[&path("/config/b")], Some(&json!("x"))));
        assert!(is_as_applied(seal, &fields[&path("/config/c")], None));
    }

    #[test]
    fn an_empty_object_is_as_applied_whatever_others_put_in_it() {
        let stamp = stamp();
        let seal = Seal::of(&stamp);
        let sent = vec![(path("/config/images"), json!({}))];
        let read = json!({"config": {"images": {"on": true}}});
        let fields = stamp_fields(seal, &sent, &|path| path.get(&read));
        assert_eq!(fields[&path("/config/images")].read, None);
        assert!(is_as_applied(seal, &fields[&path("/config/images")], Some(&json!({"x": 1}))));
        assert!(!is_as_applied(seal, &fields[&path("/config/images")], None));
    }
}
