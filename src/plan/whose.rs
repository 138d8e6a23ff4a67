//! Whose a draft is: by its authors, as far as they are named, and by what it holds. A person may have edited a draft that
//! a run of ours left, and with a personal token may have made one under the same name.

use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::value::{leaves, same};
use crate::model::{ConfigShape, FieldPath, LiveAgent, Seal, VersionHead};

use super::compare::Sides;

/// What the authors of a draft say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authors {
    /// We made it and edited it last.
    Ours,
    /// It is not known who did, here or there.
    Unknown,
    /// Somebody else made it, or edited it since.
    Others,
}

/// Who this run works as, and who the run worked as that it goes on from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Us<'a> {
    /// This run, as far as an answer has said it.
    pub principal: Option<&'a str>,
    /// The dead run whose intent this one finishes.
    pub dead: Option<&'a str>,
}

impl Us<'_> {
    /// What the authors of a draft say.
    pub fn authors_of(&self, draft: &VersionHead) -> Authors {
        if self.principal.is_none() || draft.created_by.is_none() {
            return Authors::Unknown;
        }
        let is_us = |author: &str| self.principal == Some(author) || self.dead == Some(author);
        let named = [&draft.created_by, &draft.modified_by].into_iter().flatten();
        if named.into_iter().all(|author| is_us(author)) { Authors::Ours } else { Authors::Others }
    }

    /// The drafts above a version that somebody else is not named as an author of. What they hold decides the rest.
    pub fn candidates<'d>(&self, agent: &'d LiveAgent, above: u64) -> impl Iterator<Item = &'d VersionHead> {
        let drafts = agent.versions.iter().filter(move |head| !head.published && head.version > above);
        drafts.filter(|head| self.authors_of(head) != Authors::Others)
    }
}

/// The drafts of an agent that hold nothing of anybody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OurDrafts {
    /// Those that we made and edited last.
    named: Vec<u64>,
    /// Those whose authors are not known.
    unnamed: Vec<u64>,
}

impl OurDrafts {
    /// Picks out of the candidates, with the config of each, those that are ours by what they hold.
    pub fn among(us: Us<'_>, intended: &Intended<'_>, candidates: &[(&VersionHead, Value)]) -> Self {
        let mut found = Self::default();
        for (head, _) in candidates.iter().filter(|(_, config)| intended.is_all_of(config)) {
            match us.authors_of(head) {
                Authors::Ours => found.named.push(head.version),
                Authors::Unknown => found.unnamed.push(head.version),
                Authors::Others => {}
            }
        }
        found
    }

    /// The draft that a dead run left. Two that are alike cannot be told apart, and then a new one is made: a stray draft
    /// harms nobody.
    pub fn left_by_a_dead_run(&self) -> Option<u64> {
        let only = || <[u64; 1]>::try_from(self.unnamed.as_slice()).ok().map(|[version]| version);
        self.named.last().copied().or_else(only)
    }

    /// The draft that a request of this run made whose reply was lost.
    ///
    /// # Errors
    ///
    /// The drafts that are alike, where none says who made it.
    pub fn of_a_lost_reply(&self) -> Result<Option<u64>, &[u64]> {
        match (self.named.last(), self.unnamed.as_slice()) {
            (Some(version), _) | (None, [version]) => Ok(Some(*version)),
            (None, []) => Ok(None),
            (None, several) => Err(several),
        }
    }

    /// Whether a draft is among those that we made and edited last.
    pub fn names(&self, version: u64) -> bool {
        self.named.contains(&version)
    }
}

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

    fn head(version: u64, created_by: Option<&str>, modified_by: Option<&str>) -> VersionHead {
        VersionHead {
            id: format!("v{version}"),
            version,
            published: false,
            created_by: created_by.map(str::to_owned),
            modified_by: modified_by.map(str::to_owned),
        }
    }

    #[test]
    fn a_draft_is_somebody_elses_once_a_single_author_of_it_is() {
        let us = Us { principal: Some("us"), dead: Some("dead") };
        for (created, modified, expected) in [
            (Some("us"), None, Authors::Ours),
            (Some("us"), Some("us"), Authors::Ours),
            (Some("dead"), Some("us"), Authors::Ours),
            (Some("us"), Some("a person"), Authors::Others),
            (Some("a person"), Some("us"), Authors::Others),
            (None, Some("a person"), Authors::Unknown),
            (None, None, Authors::Unknown),
        ] {
            assert_eq!(us.authors_of(&head(2, created, modified)), expected, "{created:?} {modified:?}");
        }
        let nobody = Us::default();
        assert_eq!(nobody.authors_of(&head(2, Some("a person"), None)), Authors::Unknown, "we do not know who we are");
    }

    #[test]
    fn of_drafts_that_are_alike_none_is_taken_unless_one_names_us() {
        let drafts = |named: &[u64], unnamed: &[u64]| OurDrafts { named: named.to_vec(), unnamed: unnamed.to_vec() };
        for (found, of_a_dead_run, of_a_lost_reply) in [
            (drafts(&[], &[]), None, Ok(None)),
            (drafts(&[], &[2]), Some(2), Ok(Some(2))),
            (drafts(&[], &[2, 3]), None, Err([2, 3].as_slice())),
            (drafts(&[2, 4], &[3]), Some(4), Ok(Some(4))),
        ] {
            assert_eq!(found.left_by_a_dead_run(), of_a_dead_run, "{found:?}");
            assert_eq!(found.of_a_lost_reply(), of_a_lost_reply, "{found:?}");
        }
        assert!(drafts(&[2], &[3]).names(2) && !drafts(&[2], &[3]).names(3));
    }
}
