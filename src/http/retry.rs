//! When a request is sent again, as pure functions of what came back.

use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;

use super::clock::{later, until};
use super::error::Fate;
use super::message::{Response, TransportError};

/// Whether a request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Saying it twice is the same as saying it once: reads, PUT, DELETE, publish.
    Always,
    /// A create: sent again only when the last attempt certainly was not carried out. What became of any other is
    /// looked up, never guessed.
    OnlyIfUnsent,
}

/// What an attempt counts that ran into its timeout: it has cost a minute already, so half as many are made.
pub(super) const TIMEOUT_COUNTS: u32 = 2;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts that may end in anything but a 429.
    pub attempts: u32,
    /// Attempts that may end in a 429. They are more, for the service has said that it is well and only busy.
    pub throttled_attempts: u32,
    /// The bound of the first wait; each further one is twice as long.
    pub first_backoff: Duration,
    /// The bound of all waits.
    pub longest_backoff: Duration,
    /// The longest `Retry-After` that is believed.
    pub longest_pause: Duration,
    /// How long after its beginning a run still repeats or waits.
    pub run_limit: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            // About four seconds of patience in the mean: a restart behind a balancer is over, a wrong address is not
            // waited for.
            attempts: 6,
            throttled_attempts: 24,
            first_backoff: Duration::from_millis(250),
            longest_backoff: Duration::from_secs(20),
            longest_pause: Duration::from_secs(120),
            run_limit: Duration::from_secs(600),
        }
    }
}

impl RetryPolicy {
    /// The wait before attempt `done + 1`: anything from nothing to a bound that doubles (full jitter), so that many
    /// clients that failed together do not come back together.
    pub fn backoff(&self, done: u32, random: [u8; 16]) -> Duration {
        let doubled = self.first_backoff.saturating_mul(2_u32.saturating_pow(done.saturating_sub(1)));
        fraction(doubled.min(self.longest_backoff), random)
    }
}

/// A random part of a duration.
pub(super) fn fraction(whole: Duration, random: [u8; 16]) -> Duration {
    let mut low = [0; 4];
    low.copy_from_slice(&random[..4]);
    whole.mul_f64(f64::from(u32::from_le_bytes(low)) / f64::from(u32::MAX))
}

/// What certainly became of one attempt that did not end well.
pub(super) fn fate_of_status(status: u16) -> Fate {
    match status {
        // 408 may come from a proxy that gave up while the service went on.
        408 => Fate::Unknown,
        300..=499 => Fate::Refused,
        // A server error may come after the commit; a 2xx gets here only when its body could not be read.
        _ => Fate::Unknown,
    }
}

/// The same for an attempt without an answer.
pub(super) fn fate_of_failure(error: &TransportError) -> Fate {
    if error.is_unsent() { Fate::NotSent } else { Fate::Unknown }
}

/// Whether an answer with this status is worth another attempt.
pub(super) fn status_repeats(status: u16, repeat: Repeat) -> bool {
    match repeat {
        Repeat::Always => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        Repeat::OnlyIfUnsent => status == 429,
    }
}

/// Whether an attempt without an answer is worth another.
pub(super) fn failure_repeats(error: &TransportError, repeat: Repeat) -> bool {
    match error {
        TransportError::Connect(_) => true,
        TransportError::Broken(_) | TransportError::Timeout(_) => repeat == Repeat::Always,
        TransportError::Untrusted(_) | TransportError::TooLarge(_) | TransportError::NotAllowed(_) => false,
    }
}

/// How long the service asks us to stay away, from `Retry-After` as seconds or as a date.
///
/// A date is read against the answer's own `Date`, so that a clock that is wrong here does no harm.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    // Some services write fractions, against the standard.
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = http_date(text)?;
    Some(until(date_of(response).unwrap_or(now), then))
}

/// The moment at which the service says that it answered.
pub(super) fn date_of(response: &Response) -> Option<Timestamp> {
    http_date(response.header("date")?)
}

fn http_date(text: &str) -> Option<Timestamp> {
    let at = httpdate::parse_http_date(text).ok()?;
    Some(later(Timestamp::UNIX_EPOCH, at.duration_since(UNIX_EPOCH).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status: 429, headers, body: Vec::new() }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_by_the_services_own_clock() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(retry_after(&response(&[("retry-after", " 7 ")]), now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&response(&[("retry-after", "0.5")]), now), Some(Duration::from_millis(500)));
        let date = ("date", "Sun, 06 Nov 1994 08:49:30 GMT");
        let after = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after(&response(&[date, after]), now), Some(Duration::from_secs(7)));
        let past = ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT");
        assert_eq!(retry_after(&response(&[date, past]), now), Some(Duration::ZERO));
        assert_eq!(retry_after(&response(&[("retry-after", "soon")]), now), None);
        assert_eq!(retry_after(&response(&[("retry-after", "-1.5")]), now), None);
    }

    #[test]
    fn a_wait_lies_between_nothing_and_its_doubling_bound() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.backoff(1, [0; 16]), Duration::ZERO);
        assert_eq!(policy.backoff(1, [255; 16]), Duration::from_millis(250));
        assert_eq!(policy.backoff(3, [255; 16]), Duration::from_secs(1));
        assert_eq!(policy.backoff(60, [255; 16]), policy.longest_backoff);
    }
}
