//! How much work the patterns of one schema may cost in a run. Each match has a bound of its own, but there may be
//! thousands of patterns and of texts, and their product has no bound but this one.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// All that a run has. A step takes some tens of nanoseconds, so this is a few seconds; the checks of ten thousand agents
/// take a tenth of it.
const RUN: u64 = 120_000_000;

/// What is left. It never grows again: what could not be checked stays unchecked.
#[derive(Debug)]
pub(super) struct Effort(AtomicU64);

impl Default for Effort {
    fn default() -> Self {
        Self(AtomicU64::new(RUN))
    }
}

impl Effort {
    /// So many steps and no more.
    #[cfg(test)]
    pub fn of(steps: u64) -> Self {
        Self(AtomicU64::new(steps))
    }

    /// Takes some steps; says whether there were as many left.
    pub fn take(&self, steps: u64) -> bool {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(steps));
        if taken.is_err() {
            self.0.store(0, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Whether nothing is left: something was not checked then.
    pub fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// How many names the objects of a value have in all.
pub(super) fn names(value: &Value) -> u64 {
    match value {
        Value::Object(map) => map.values().map(|value| 1 + names(value)).sum(),
        Value::Array(list) => list.iter().map(names).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
