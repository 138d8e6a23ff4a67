//! Whose a draft is, by what it holds: a draft that a run of ours left may have been edited by a person since.

use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::value::{leaves, same};
use crate::model::{ConfigShape, FieldPath, Seal};

use super::compare::Sides;

/// What a run was about to write into a draft.
#[derive(Clone, Copy)]
pub struct Intended<'a> {
    /// The config that the draft was made from; absent for the first version of an agent.
    pub base: Option<&'a Value>,
    /// What was to be sent, by hash.
    pub fields: &'a Fields,
    /// The declared values of this run. Where they hash to what was to be sent, they say it in clear.
    pub sent: &'a [(FieldPath, Value)],
    /// The seal of the hashes.
    pub seal: Seal<'a>,
    /// The schema.
    pub shape: &'a dyn ConfigShape,
}

impl Intended<'_> {
    /// Whether a draft holds nothing that neither its base nor the run put there, so that overwriting it loses nobody's
    /// words.
    pub fn is_all_of(&self, draft: &Value) -> bool {
        self.base.is_some_and(|base| same(base, draft)) || self.is_written(draft)
    }

    /// Whether the draft holds what was to be sent, and beside it only what its base has or the schema fills in.
    fn is_written(&self, draft: &Value) -> bool {
        let ours = || self.fields.keys().filter(|path| path.in_config());
        if ours().next().is_none() || !ours().all(|path| self.holds(path, draft)) {
            return false;
        }
        leaves(draft, &FieldPath::config()).into_iter().all(|(path, value)| {
            let of_base = || path.within_config()?.get(self.base?);
            ours().any(|owned| path.starts_with(owned))
                || value.is_null()
                || of_base().is_some_and(|base| same(base, &value))
                || self.shape.default_at(draft, &path).is_some_and(|default| same(&default, &value))
        })
    }

    fn holds(&self, path: &FieldPath, draft: &Value) -> bool {
        let (Some(hash), Some(inner)) = (self.fields.get(path), path.within_config()) else { return false };
        let Some(found) = inner.get(draft) else { return false };
        if self.seal.hash(found) == hash.sent || self.shape.is_secret(draft, path) {
            return true;
        }
        let in_clear = self.sent.iter().find(|(sent, _)| sent == path).map(|(_, value)| value);
        let sides = Sides { shape: self.shape, wanted: draft, live: draft };
        in_clear.is_some_and(|value| self.seal.hash(value) == hash.sent && sides.equal(path, value, found))
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::OnByDefault;
    use super::super::stamping::intended_fields;
    use super::*;
    use crate::model::{Key, Salt, Stamp, StampState};
    use serde_json::json;

    #[test]
    fn a_draft_is_all_ours_only_if_base_intent_and_defaults_account_for_every_leaf() {
        let stamp = Stamp {
            project: "p".to_owned(),
            environment: "prod".to_owned(),
            key: Key::parse("a").unwrap(),
            agent: None,
            protect: false,
            state: StampState {
                salt: Salt::new([1; 16]),
                secrets: None,
                applied: None,
                intent: None,
                lease: None,
                rollback: None,
            },
        };
        let base = json!({"n": 1, "words": "as they were", "theirs": [1]});
        let sent = vec![
            (FieldPath::parse("/config/n").unwrap(), json!(2)),
            (FieldPath::parse("/config/list").unwrap(), json!([{"x": 1}])),
        ];
        let seal = Seal::of(&stamp);
        let fields = intended_fields(seal, &sent);
        let intended = Intended { base: Some(&base), fields: &fields, sent: &sent, seal, shape: &OnByDefault };
        let list = json!([{"x": 1, "on": true}]);
        for (draft, is_ours) in [
            (base.clone(), true),
            (json!({"n": 2, "list": list, "words": "as they were", "theirs": [1], "on": true}), true),
            (json!({"n": 9, "list": list, "words": "as they were", "theirs": [1]}), false),
            (json!({"n": 2, "list": list, "words": "of a person", "theirs": [1]}), false),
            (json!({"n": 2, "list": list, "words": "as they were", "theirs": [1], "new": "of a person"}), false),
            (json!({"n": 1, "words": "of a person", "theirs": [1]}), false),
        ] {
            assert_eq!(intended.is_all_of(&draft), is_ours, "{draft}");
        }
    }
}
