//! One limiter for the whole process: how many requests are in flight, and until when all of them wait.
//!
//! The service tells no quota, so the limiter learns it: as many requests at once as the run allows, sixteen where it does
//! not say, half as many after each round that met a 429, one more after each round that went well. `Retry-After` shuts one gate for every request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::clock::{later, until};

/// How many requests are in flight at most. A page of configs is then read in a few round trips, and a service behind a
/// usual pool of workers is not drowned.
pub const MOST_IN_FLIGHT: usize = 16;

/// Bounds the requests in flight and holds the gate that a `Retry-After` shuts.
#[derive(Debug)]
pub struct Limiter {
    turns: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many may be in flight.
    limit: usize,
    /// The most that `limit` grows to.
    most: usize,
    /// Turns that are still out and must not come back, after `limit` was lowered.
    debt: usize,
    /// Counts the halvings: a request that began before the last one does not halve again, however it ends.
    round: u64,
    /// Good answers since the limit last changed.
    good: usize,
    /// When the gate opens.
    shut_until: Option<Timestamp>,
}

/// A turn. Dropping it lets the next request go.
#[derive(Debug)]
pub struct Turn<'a> {
    limiter: &'a Limiter,
    round: u64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(MOST_IN_FLIGHT)
    }
}

impl Limiter {
    /// A limiter that lets `most` requests go at once, at least one.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State { limit: most, most, debt: 0, round: 0, good: 0, shut_until: None };
        Self { turns: Semaphore::new(most), state: Mutex::new(state) }
    }

    /// Waits for a turn, first come, first served. The gate is asked for apart, by [`Limiter::pause`].
    pub async fn turn(&self) -> Turn<'_> {
        // The semaphore is never closed, so the only way out is a permit.
        if let Ok(permit) = self.turns.acquire().await {
            permit.forget();
        }
        Turn { limiter: self, round: self.lock().round }
    }

    /// How long the gate stays shut; `None` where it is open.
    pub fn pause(&self, now: Timestamp) -> Option<Duration> {
        let shut_until = self.lock().shut_until?;
        (now < shut_until).then(|| until(now, shut_until))
    }

    /// Shuts the gate for `pause` from now on, and says by how much that was longer than before.
    pub fn shut(&self, now: Timestamp, pause: Duration) -> Duration {
        let mut state = self.lock();
        let (old, new) = (state.shut_until.unwrap_or(now).max(now), later(now, pause));
        if new <= old {
            return Duration::ZERO;
        }
        state.shut_until = Some(new);
        until(old, new)
    }

    /// How many requests may be in flight now.
    pub fn limit(&self) -> usize {
        self.lock().limit
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The service took the request: after a whole round of such answers one more may be in flight.
    pub fn went_well(&self) {
        let mut state = self.limiter.lock();
        state.good += 1;
        if state.good < state.limit || state.limit >= state.most {
            return;
        }
        state.good = 0;
        state.limit += 1;
        match state.debt.checked_sub(1) {
            Some(debt) => state.debt = debt,
            None => self.limiter.turns.add_permits(1),
        }
    }

    /// The service asked for patience: half as many from now on. A round halves once, though all its requests may have
    /// met the same refusal.
    pub fn was_throttled(&self) {
        let mut state = self.limiter.lock();
        if self.round != state.round {
            return;
        }
        let lowered = (state.limit / 2).max(1);
        state.debt += state.limit - lowered;
        state.limit = lowered;
        state.good = 0;
        state.round += 1;
        // Turns that nobody holds go at once; the others when they come back.
        state.debt -= self.limiter.turns.forget_permits(state.debt);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.lock();
        match state.debt.checked_sub(1) {
            Some(debt) => state.debt = debt,
            None => self.limiter.turns.add_permits(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(limiter: &Limiter, count: usize) -> Vec<Turn<'_>> {
        let mut turns = Vec::new();
        for _ in 0..count {
            turns.push(limiter.turn().await);
        }
        turns
    }

    #[tokio::test]
    async fn a_round_of_refusals_halves_once_and_good_rounds_grow_it_again() {
        let limiter = Limiter::new(16);
        let round = take(&limiter, 16).await;
        for turn in &round {
            turn.was_throttled();
        }
        assert_eq!(limiter.limit(), 8);
        drop(round);
        assert_eq!(limiter.turns.available_permits(), 8);

        for wanted in 9..=16 {
            let round = take(&limiter, limiter.limit()).await;
            assert_eq!(limiter.turns.available_permits(), 0);
            for turn in &round {
                turn.went_well();
            }
            drop(round);
            assert_eq!((limiter.limit(), limiter.turns.available_permits()), (wanted, wanted));
        }
        for turn in take(&limiter, 16).await {
            turn.went_well();
        }
        assert_eq!(limiter.limit(), 16);
    }

    #[tokio::test]
    async fn turns_that_nobody_holds_are_taken_at_once_and_one_always_stays() {
        let limiter = Limiter::new(4);
        for left in [2, 1, 1, 1] {
            let turn = limiter.turn().await;
            turn.was_throttled();
            drop(turn);
            assert_eq!((limiter.limit(), limiter.turns.available_permits()), (left, left));
        }
    }

    #[test]
    fn the_gate_stays_shut_for_the_longest_pause_that_anyone_was_told() {
        let limiter = Limiter::default();
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(limiter.pause(start), None);
        assert_eq!(limiter.shut(start, Duration::from_secs(5)), Duration::from_secs(5));
        assert_eq!(limiter.shut(start, Duration::from_secs(2)), Duration::ZERO);
        assert_eq!(limiter.shut(start, Duration::from_secs(6)), Duration::from_secs(1));
        assert_eq!(limiter.pause(later(start, Duration::from_secs(4))), Some(Duration::from_secs(2)));
        assert_eq!(limiter.pause(later(start, Duration::from_secs(6))), None);
    }
}
