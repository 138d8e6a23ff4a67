//! How long one run of the action waits for its forge: all words and look-ups together.
//!
//! A forge may hang, or answer slowly; each costs a run no more than [`Patience`] has. What the forge itself asks a run to
//! wait is not counted: it is busy and says so, and the client has its own bound for that.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a run waits in all.
pub const ALL: Duration = Duration::from_secs(20);

/// How long a run waits for a word that says what it is doing: the word is worth nothing a moment later.
pub const PASSING: Duration = Duration::from_secs(3);

/// What the forge has asked for: in all so far, and how much of it is still to be waited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// In all.
    pub total: Duration,
    /// Still to be waited.
    pub left: Duration,
}

/// What is left of it. Words go out one after the other, so that no time is counted twice.
#[derive(Debug)]
pub struct Patience {
    left: Mutex<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { left: Mutex::new(ALL) }
    }
}

impl Patience {
    /// Does it within `most` and what is left in all; `None` if it took longer.
    pub async fn within<T>(
        &self,
        most: Duration,
        asked: &(dyn Fn() -> Asked + Sync),
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let allowed = self.left().min(most);
        let (began, before) = (Instant::now(), asked());
        // A wait that was asked for before is still going on.
        let waited = || asked().total.saturating_sub(before.total.saturating_sub(before.left));
        let too_slow = async {
            loop {
                let until = began + allowed + waited();
                if Instant::now() >= until {
                    return;
                }
                tokio::time::sleep_until(until).await;
            }
        };
        let ended = tokio::select! {
            biased;
            ended = work => Some(ended),
            () = too_slow => None,
        };
        let spent = began.elapsed().saturating_sub(waited().saturating_sub(asked().left));
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(spent);
        ended
    }

    /// Whether there is nothing left.
    pub fn is_spent(&self) -> bool {
        self.left().is_zero()
    }

    fn left(&self) -> Duration {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unasked() -> Asked {
        Asked::default()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_forge_costs_a_run_no_more_than_one_that_hangs() {
        for answer in [5, 6, 7, 60].map(Duration::from_secs) {
            let patience = Patience::default();
            let began = Instant::now();
            let word = |requests: u32| async move { tokio::time::sleep(answer * requests).await };
            let passing = patience.within(PASSING, &unasked, word(2)).await;
            // The comment, the comment once more, the check run, the label.
            for requests in [2, 2, 3, 2] {
                let _ended = patience.within(ALL, &unasked, word(requests)).await;
            }
            assert!(passing.is_none() && began.elapsed() <= ALL, "{answer:?}: {:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_forge_asks_for_is_waited_beside_it() {
        let patience = Patience::default();
        let began = Instant::now();
        let minute = Duration::from_secs(60);
        // It was asked for during the word before, and is still going on.
        let left = || Asked { total: minute, left: minute.saturating_sub(began.elapsed()) };
        let sleep = async { tokio::time::sleep(Duration::from_secs(61)).await };
        assert_eq!(patience.within(ALL, &left, sleep).await, Some(()));
        assert_eq!(patience.left(), Duration::from_secs(19));
        let slow = async { tokio::time::sleep(Duration::from_secs(30)).await };
        assert_eq!(patience.within(ALL, &left, slow).await, None);
        assert_eq!(patience.left(), Duration::ZERO);
    }
}
