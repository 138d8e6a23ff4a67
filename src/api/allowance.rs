//! How much one reading may take in: a service that never ends its lists must fill neither the memory nor the night.
//!
//! A reading is what a plan looks at in one go. What it keeps is counted, whichever list it came from, so the bounds hold
//! for all of it together; its time ends when that of a run would, counted from its own beginning, so that a long apply
//! can still read at its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::http::Client;
use crate::http::clock::later;

/// Most pages of one list. In pages of a hundred that is a million items.
pub(super) const MOST_PAGES: usize = 10_000;

/// Most items of all lists together: far more agents and numbers than any organization has.
const MOST_ITEMS: usize = 250_000;

/// Most bytes of all answers that are kept.
const MOST_BYTES: usize = 256_000_000;

/// Most values in all answers that are kept. Each takes some hundred bytes of memory, however short its text is.
const MOST_VALUES: usize = 4_000_000;

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Records of lists.
    pub items: usize,
    /// Bytes of JSON.
    pub bytes: usize,
    /// JSON values.
    pub values: usize,
}

/// The bound that was reached, in words that follow "there is more than is read: ", and what was read until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub bound: String,
    pub read: String,
}

impl Load {
    fn reached(self, bound: String) -> Reached {
        let megabytes = self.bytes / 1_000_000;
        Reached {
            bound,
            read: format!("{megabytes} MB with {} values were read by all requests together", self.values),
        }
    }
}

/// What one reading has left. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    spent: Arc<Mutex<Load>>,
    until: Timestamp,
    limit: Duration,
}

impl Allowance {
    /// That of a reading which begins now.
    pub fn of(client: &Client) -> Self {
        let limit = client.run_limit();
        Self { spent: Arc::default(), until: later(client.clock().now(), limit), limit }
    }

    /// Whether there is time for another request.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Reached> {
        if now <= self.until {
            return Ok(());
        }
        let spent = *self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        Err(spent.reached(format!("a reading takes at most {} s", self.limit.as_secs())))
    }

    /// Counts what is about to be kept.
    pub fn take(&self, load: Load) -> Result<(), Reached> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.items = spent.items.saturating_add(load.items);
        spent.bytes = spent.bytes.saturating_add(load.bytes);
        spent.values = spent.values.saturating_add(load.values);
        if spent.items > MOST_ITEMS {
            return Err(spent.reached(format!("all lists together have at most {MOST_ITEMS} items")));
        }
        if spent.bytes > MOST_BYTES {
            return Err(spent.reached(format!("all answers together have at most {} MB", MOST_BYTES / 1_000_000)));
        }
        if spent.values > MOST_VALUES {
            return Err(spent.reached(format!("all answers together have at most {MOST_VALUES} values")));
        }
        Ok(())
    }
}
