//! A set of records by key, and the delay after which a reader sees what was written.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

/// Records by key. Handlers work on what is true; readers may be shown what was true a few reads ago.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shelf<T> {
    entries: BTreeMap<String, Entry<T>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry<T> {
    /// What is true; `None` once it is deleted and some readers still see it.
    value: Option<T>,
    #[serde(default = "no_lag", skip_serializing_if = "Option::is_none")]
    lag: Option<Lag<T>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Lag<T> {
    reads_left: u32,
    before: Option<T>,
}

fn no_lag<T>() -> Option<Lag<T>> {
    None
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<T: Clone> Shelf<T> {
    /// What is true of a key.
    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.entries.get(key)?.value.as_ref()
    }

    /// Everything that is true, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.values().filter_map(|entry| entry.value.as_ref())
    }

    /// Everything that is true and whose key begins so.
    pub(super) fn under(&self, prefix: &str) -> Vec<&T> {
        self.entries
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter_map(|(_, entry)| entry.value.as_ref())
            .collect()
    }

    /// Writes a record that readers see after `lag` further reads.
    pub(super) fn put(&mut self, key: &str, value: T, lag: u32) {
        self.write(key, Some(value), lag);
    }

    /// Takes a record away, likewise.
    pub(super) fn remove(&mut self, key: &str, lag: u32) {
        self.write(key, None, lag);
        self.forget(key);
    }

    /// Changes a record in place, seen after `lag` reads; nothing where there is none.
    pub(super) fn change(&mut self, key: &str, lag: u32, change: impl FnOnce(&mut T)) {
        if let Some(mut value) = self.get(key).cloned() {
            change(&mut value);
            self.put(key, value, lag);
        }
    }

    /// What a reader is shown of a key. Counts as one read of it.
    pub(super) fn see(&mut self, key: &str) -> Option<T> {
        let shown = self.entries.get_mut(key)?.see();
        self.forget(key);
        shown
    }

    /// What a reader of a list is shown. Counts as one read of each record in it.
    pub(super) fn see_under(&mut self, prefix: &str) -> Vec<T> {
        self.see_with(prefix, T::clone)
    }

    /// The same, keeping of each record only what is asked for.
    pub(super) fn see_with<U>(&mut self, prefix: &str, mut keep: impl FnMut(&T) -> U) -> Vec<U> {
        let mut shown = Vec::new();
        let range = self.entries.range_mut::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        for (_, entry) in range.take_while(|(key, _)| key.starts_with(prefix)) {
            if entry.lag.is_some() {
                shown.extend(entry.see().as_ref().map(&mut keep));
            } else {
                shown.extend(entry.value.as_ref().map(&mut keep));
            }
        }
        self.entries.retain(|_, entry| !entry.is_gone());
        shown
    }

    /// Whether some reader would still be shown something old, so that a read changes state.
    pub(super) fn is_lagging(&self) -> bool {
        self.entries.values().any(|entry| entry.lag.is_some())
    }

    fn write(&mut self, key: &str, value: Option<T>, lag: u32) {
        let entry = self.entries.entry(key.to_owned()).or_insert(Entry { value: None, lag: None });
        if lag > 0 {
            let before = entry.lag.take().map_or_else(|| entry.value.clone(), |lag| lag.before);
            entry.lag = Some(Lag { reads_left: lag, before });
        } else {
            entry.lag = None;
        }
        entry.value = value;
    }

    fn forget(&mut self, key: &str) {
        if self.entries.get(key).is_some_and(Entry::is_gone) {
            self.entries.remove(key);
        }
    }
}

impl<T: Clone> Entry<T> {
    fn see(&mut self) -> Option<T> {
        match &mut self.lag {
            Some(lag) if lag.reads_left > 0 => {
                lag.reads_left -= 1;
                let shown = lag.before.clone();
                if lag.reads_left == 0 {
                    self.lag = None;
                }
                shown
            }
            _ => self.value.clone(),
        }
    }

    fn is_gone(&self) -> bool {
        self.value.is_none() && self.lag.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_without_lag_is_seen_at_once() {
        let mut shelf = Shelf::default();
        shelf.put("a", 1, 0);
        assert_eq!(shelf.see("a"), Some(1));
        shelf.remove("a", 0);
        assert_eq!(shelf.see("a"), None);
        assert!(shelf.entries.is_empty());
    }

    #[test]
    fn a_lagging_record_is_what_it_was_for_that_many_reads() {
        let mut shelf = Shelf::default();
        shelf.put("a", 1, 2);
        assert_eq!(shelf.get("a"), Some(&1));
        assert_eq!((shelf.see("a"), shelf.see_under(""), shelf.see("a")), (None, vec![], Some(1)));
        shelf.put("a", 2, 1);
        shelf.put("a", 3, 1);
        assert_eq!((shelf.see("a"), shelf.see("a")), (Some(1), Some(3)));
        shelf.remove("a", 1);
        assert_eq!(shelf.get("a"), None);
        assert_eq!((shelf.see("a"), shelf.see("a")), (Some(3), None));
        assert!(shelf.entries.is_empty());
    }

    #[test]
    fn a_prefix_selects_its_own_keys_only() {
        let mut shelf = Shelf::default();
        for (key, value) in [("a/1", 1), ("a/2", 2), ("b/1", 3)] {
            shelf.put(key, value, 0);
        }
        assert_eq!(shelf.under("a/"), [&1, &2]);
        assert_eq!(shelf.see_under("b/"), [3]);
    }
}
