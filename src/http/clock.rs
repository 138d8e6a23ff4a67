//! Clocks and sources of chance: the machine's own, and simulated ones that replay any run.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::runtime::{Clock, Entropy, Later};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else takes as a parameter")]
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> Later<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // Without random bytes no salt and no run id can be made; no system that we run on is without them.
        getrandom::fill(&mut bytes).expect("the operating system gives no random bytes");
        bytes
    }
}

/// Random bytes that are the same in every run with the same seed.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<fastrand::Rng>);

impl SeededEntropy {
    /// A source with a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> [u8; 16] {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u128(..).to_le_bytes()
    }
}

/// How often a sleeper lets everyone else run before it moves the time: enough for a request that an in-process
/// service answers at once to come back and start a sleep of its own.
const TURNS_BEFORE_TIME_MOVES: u32 = 16;

/// How often a sleeper waits for an earlier one that nobody polls any more. It bounds what would else be a hang.
const TURNS_BEFORE_PATIENCE_ENDS: u32 = 4_000;

/// Virtual time, for tests and replays. It stands still until someone sleeps, and then jumps.
///
/// Those who sleep at once wake in the order of their deadlines, as with a real clock: only the earliest sleeper moves
/// the time, and only after everyone else that can run has run. Sleeping costs no real time. On a runtime with one
/// thread a run is the same every time.
#[derive(Debug)]
pub struct SimulatedClock {
    state: Mutex<Simulated>,
}

#[derive(Debug)]
struct Simulated {
    now: Timestamp,
    next: u64,
    /// Deadlines of those who sleep, by sleeper, the first to come first among equals.
    sleepers: BTreeSet<(Timestamp, u64)>,
}

impl SimulatedClock {
    /// A clock that begins at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { state: Mutex::new(Simulated { now: start, next: 0, sleepers: BTreeSet::new() }) }
    }

    /// Moves the time.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.lock();
        state.now = later(state.now, duration);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Simulated> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self, duration: Duration) {
        let place = {
            let mut state = self.lock();
            let place = (later(state.now, duration), state.next);
            state.next += 1;
            state.sleepers.insert(place);
            place
        };
        // A sleep that is dropped midway, as the loser of a `select!`, must not hold up the others.
        let _leave = Leave { clock: self, place };
        for turn in 1..=TURNS_BEFORE_PATIENCE_ENDS {
            tokio::task::yield_now().await;
            let mut state = self.lock();
            if state.now >= place.0 {
                return;
            }
            let earliest = state.sleepers.first().is_none_or(|first| *first == place);
            if earliest && turn >= TURNS_BEFORE_TIME_MOVES {
                state.now = place.0;
                return;
            }
        }
        let mut state = self.lock();
        state.now = state.now.max(place.0);
    }
}

struct Leave<'a> {
    clock: &'a SimulatedClock,
    place: (Timestamp, u64),
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.place);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> Later<'_, ()> {
        Box::pin(self.wait(duration))
    }
}

/// `at` and `duration` after it, at most the end of time.
pub fn later(at: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|span| at.checked_add(span).ok()).unwrap_or(Timestamp::MAX)
}

/// How long it is from `now` to `then`; nothing where `then` is past.
pub fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    #[tokio::test]
    async fn simulated_sleepers_wake_in_the_order_of_their_deadlines() {
        let clock = SimulatedClock::new(Timestamp::UNIX_EPOCH);
        let woken = Mutex::new(Vec::new());
        join_all([5_u64, 1, 3, 1].map(|seconds| {
            let (clock, woken) = (&clock, &woken);
            async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                woken.lock().unwrap().push((seconds, clock.now().as_second()));
            }
        }))
        .await;
        assert_eq!(*woken.lock().unwrap(), [(1, 1), (1, 1), (3, 3), (5, 5)]);
    }

    #[tokio::test]
    async fn a_dropped_sleep_holds_up_nobody() {
        let clock = SimulatedClock::new(Timestamp::UNIX_EPOCH);
        let mut first = clock.sleep(Duration::from_secs(1));
        assert!(futures_util::poll!(&mut first).is_pending());
        drop(first);
        clock.sleep(Duration::from_secs(9)).await;
        assert_eq!(clock.now().as_second(), 9);
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_seed_others() {
        let (a, b, c) = (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        assert_eq!((a.bytes(), a.bytes()), (b.bytes(), b.bytes()));
        assert_ne!(a.bytes(), c.bytes());
        assert_ne!(OsEntropy.bytes(), OsEntropy.bytes());
    }
}
