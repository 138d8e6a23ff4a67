//! The hands-off rules, applied to the declaration before anything is compared: `ignore` and `release`.

use jiff::civil::Date;
use serde_json::Value;

use crate::model::stamp::Fields;
use crate::model::{Desired, FieldPath, Ignore};

use super::change::Notice;

/// What of an agent this run may touch.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    ignore: Vec<&'a Ignore>,
    expired: Vec<&'a Ignore>,
    release: &'a [FieldPath],
}

impl<'a> Scope<'a> {
    /// The rules of a manifest, as they hold today.
    pub fn of(desired: &'a Desired, today: Date) -> Self {
        let (expired, ignore) = desired.ignore.iter().partition(|entry| entry.until.is_some_and(|until| until < today));
        Self { ignore, expired, release: &desired.release }
    }

    /// Whether the live value at `path` stays.
    pub fn is_ignored(&self, path: &FieldPath) -> bool {
        self.ignore.iter().any(|entry| entry.path.covers(path))
    }

    /// The entry that held at `path` until lately.
    pub fn ended(&self, path: &FieldPath) -> Option<&'a Ignore> {
        self.expired.iter().find(|entry| entry.path.covers(path)).copied()
    }

    /// Whether a path that is no longer declared is let go with its value.
    pub fn is_released(&self, path: &FieldPath) -> bool {
        self.release.iter().any(|released| path.starts_with(released))
    }

    /// Entries that have ended, and entries that match nothing of what is declared, owned or live.
    pub fn notices(&self, desired: &Desired, owned: &Fields, live: Option<&Value>) -> Vec<Notice> {
        let address = Some(desired.address());
        let mut notices: Vec<Notice> = self
            .expired
            .iter()
            .map(|entry| Notice {
                address: address.clone(),
                code: "ignore-expired",
                message: format!(
                    "`ignore` of {} ended on {}: the declared value holds again",
                    entry.path,
                    entry.until.map(|until| until.to_string()).unwrap_or_default()
                ),
            })
            .collect();
        let live_leaves: Vec<FieldPath> = live
            .map(|live| crate::model::value::leaves(live, &FieldPath::config()))
            .unwrap_or_default()
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        let declared: Vec<FieldPath> = desired.declared.leaves().into_iter().map(|(path, _)| path).collect();
        for entry in &self.ignore {
            let matches = declared.iter().chain(owned.keys()).chain(&live_leaves).any(|path| entry.path.covers(path));
            if !matches {
                notices.push(Notice {
                    address: address.clone(),
                    code: "ignore-matches-nothing",
                    message: format!("`ignore` of {} matches nothing; it can go", entry.path),
                });
            }
        }
        notices
    }
}
