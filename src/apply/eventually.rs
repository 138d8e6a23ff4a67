//! Looking again: the one loop of everything that waits for a service to settle.

use std::time::Duration;

use crate::http::Clock;
use crate::http::clock::later;

/// How often something is looked at, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between two looks.
    pub pause: Duration,
    /// How long after the first look the last one may begin.
    pub limit: Duration,
}

/// What one look showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// What there is, and that no further look would say more.
    Settled(T),
    /// What there is so far: a late answer may look like this as well.
    Open(T),
}

impl<T> Look<T> {
    /// Settled if this holds, else open.
    pub fn settled_if(is_settled: bool, seen: T) -> Self {
        if is_settled { Self::Settled(seen) } else { Self::Open(seen) }
    }

    /// What was seen, settled or not.
    pub fn seen(self) -> T {
        match self {
            Self::Settled(seen) | Self::Open(seen) => seen,
        }
    }
}

/// Looks until it is settled, or until patience ends: then what was seen last counts, and is still `Open`. A look that
/// fails ends it at once.
pub async fn eventually<T, E>(
    clock: &dyn Clock,
    patience: Patience,
    mut look: impl AsyncFnMut() -> Result<Look<T>, E>,
) -> Result<Look<T>, E> {
    let deadline = later(clock.now(), patience.limit);
    loop {
        let seen = look().await?;
        if matches!(seen, Look::Settled(_)) || clock.now() >= deadline {
            return Ok(seen);
        }
        clock.sleep(patience.pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::SimulatedClock;

    const PATIENCE: Patience = Patience { pause: Duration::from_secs(2), limit: Duration::from_secs(5) };

    /// How a look ends that settles at a time or fails at one, and how many looks and seconds it took.
    async fn looks(settles: i64, fails: i64) -> (Result<Look<i64>, &'static str>, usize, i64) {
        let clock = SimulatedClock::new(jiff::Timestamp::UNIX_EPOCH);
        let mut count = 0;
        let ended = eventually(&clock, PATIENCE, async || {
            count += 1;
            let now = clock.now().as_second();
            if now >= fails { Err("it failed") } else { Ok(Look::settled_if(now >= settles, now)) }
        })
        .await;
        (ended, count, clock.now().as_second())
    }

    #[tokio::test]
    async fn it_looks_until_it_is_settled_fails_or_patience_ends_and_never_less_than_once() {
        assert_eq!(looks(0, 99).await, (Ok(Look::Settled(0)), 1, 0));
        assert_eq!(looks(3, 99).await, (Ok(Look::Settled(4)), 3, 4));
        assert_eq!(looks(99, 99).await, (Ok(Look::Open(6)), 4, 6));
        assert_eq!(looks(99, 2).await, (Err("it failed"), 2, 2));
        assert_eq!(Look::Open(6).seen(), 6);
    }
}
