//! Sends requests until they end: retries, one limiter, a deadline, and errors that say what became of the request.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use super::clock::{later, until};
use super::detail::{Detail, is_page};
use super::error::{Fate, HttpError, HttpErrorKind};
use super::limiter::{Limiter, MOST_IN_FLIGHT};
use super::measure::{MOST_VALUES, count_values};
use super::message::{Request, Response, TransportError};
use super::redact::{Redactor, plain};
use super::retry::{
    Repeat, RetryPolicy, TIMEOUT_COUNTS, date_of, failure_repeats, fate_of_failure, fate_of_status, fraction,
    retry_after, status_repeats,
};
use super::runtime::{Clock, Entropy, Transport};

/// A date in `Retry-After` has whole seconds. Up to this much is added, so that nobody comes back too early.
const DATE_SLACK: Duration = Duration::from_secs(1);

/// From which wait on it is said that the service limits requests, where the service names no time.
const TOLD_WAIT: Duration = Duration::from_secs(1);

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// When requests are sent again.
    pub retry: RetryPolicy,
    /// How many requests are in flight at most.
    pub in_flight: usize,
    /// What must never be shown.
    pub redactor: Redactor,
    /// Where the token came from, for hints: the name of a variable or a file.
    pub token_source: String,
    /// Ends all waiting. Requests that are in flight are not touched: their fate would be lost.
    pub cancel: CancellationToken,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            in_flight: MOST_IN_FLIGHT,
            redactor: Redactor::default(),
            token_source: "ANYREACH_TOKEN".to_owned(),
            cancel: CancellationToken::new(),
        }
    }
}

/// What the run has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Answers that asked for patience (429 or `Retry-After`).
    pub throttled: u64,
    /// How long they made the run wait.
    pub waited_milliseconds: u64,
}

/// An answer whose body is JSON, read as a `T`.
#[derive(Clone, Debug)]
pub struct Answer<T = Value> {
    /// The body.
    pub value: T,
    /// The answer as it came, for its headers and its bytes.
    pub response: Response,
    /// How many JSON values it holds.
    pub values: usize,
}

/// Sends requests. Cheap to clone; all clones share one limiter, one deadline and one count.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    shared: Arc<Shared>,
    /// Whether a signal ends its waiting: all but what leaves things in order after one.
    heeds_signals: bool,
}

struct Shared {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limiter: Limiter,
    options: ClientOptions,
    state: Mutex<State>,
}

struct State {
    traffic: Traffic,
    /// After this nothing is repeated and nothing waits.
    deadline: Timestamp,
    /// The service's clock, as its distance from ours.
    service_offset: Option<SignedDuration>,
    /// What the client is busy with; how long it waits is the limiter's to say.
    activity: Activity,
    /// How long the service asked to wait last.
    asked: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("traffic", &self.traffic()).finish_non_exhaustive()
    }
}

/// How one attempt ended that did not end well.
struct Rejected {
    kind: HttpErrorKind,
    fate: Fate,
    repeats: bool,
    throttled: bool,
}

impl Client {
    /// A client whose run begins now.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: ClientOptions,
    ) -> Self {
        let deadline = later(clock.now(), options.retry.run_limit);
        let state = State {
            traffic: Traffic::default(),
            deadline,
            service_offset: None,
            activity: Activity::default(),
            asked: Duration::ZERO,
        };
        let limiter = Limiter::new(options.in_flight);
        Self {
            transport,
            shared: Arc::new(Shared { clock, entropy, limiter, options, state: Mutex::new(state) }),
            heeds_signals: true,
        }
    }

    /// The same client for what a run still has to leave in order after a signal. Its caller bounds its time.
    #[must_use]
    pub fn finishing(&self) -> Self {
        Self { heeds_signals: false, ..self.clone() }
    }

    /// The same client over a transport that wraps this one's: limiter, deadline and counts stay shared.
    #[must_use]
    pub fn through(&self, wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>) -> Self {
        Self { transport: wrap(Arc::clone(&self.transport)), ..self.clone() }
    }

    /// The clock of this run.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// The chance of this run.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.shared.entropy
    }

    /// Ends all waiting of this run.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.shared.options.cancel
    }

    /// What must never be shown.
    pub fn redactor(&self) -> &Redactor {
        &self.shared.options.redactor
    }

    /// What the run has cost so far.
    pub fn traffic(&self) -> Traffic {
        self.lock().traffic
    }

    /// What the client is busy with now.
    pub fn activity(&self) -> Activity {
        let left = self.shared.limiter.pause(self.shared.clock.now());
        let state = self.lock();
        Activity { asked_to_wait: left.map(|left| (state.asked.max(left), left)), ..state.activity.clone() }
    }

    /// Begins to count the answers to a number of requests that belong together.
    pub fn count_answers(&self, what: &'static str, total: usize) {
        self.lock().activity.counted = (total > 1).then_some((what, 0, total));
    }

    /// Counts one of those answers, and after the last one counts no more.
    pub fn answered(&self) {
        let counted = &mut self.lock().activity.counted;
        *counted = counted.map(|(what, done, total)| (what, done + 1, total)).filter(|(_, done, total)| done < total);
    }

    /// How long all requests still wait because the service asked for it.
    pub fn pause(&self) -> Duration {
        self.shared.limiter.pause(self.shared.clock.now()).unwrap_or_default()
    }

    /// When requests are sent again.
    pub fn retry(&self) -> &RetryPolicy {
        &self.shared.options.retry
    }

    /// How many requests may be in flight now.
    pub fn in_flight_limit(&self) -> usize {
        self.shared.limiter.limit()
    }

    /// Lets the deadline of the run begin anew: the time that a person took to answer a question is not the service's.
    pub fn renew_deadline(&self) {
        let deadline = later(self.shared.clock.now(), self.shared.options.retry.run_limit);
        self.lock().deadline = deadline;
    }

    /// How long a run repeats and waits.
    pub fn run_limit(&self) -> Duration {
        self.shared.options.retry.run_limit
    }

    /// Now, by the service's clock, as far as any answer has told it.
    pub fn service_now(&self) -> Option<Timestamp> {
        let offset = self.lock().service_offset?;
        self.shared.clock.now().checked_add(offset).ok()
    }

    /// Sends a request and gives back any answer with a 2xx status that is no page for people.
    pub async fn send(&self, request: &Request, repeat: Repeat) -> Result<Response, HttpError> {
        self.run(request, repeat, Ok).await
    }

    /// Sends a request and reads the answer as JSON. A read whose answer ends in the middle is sent again.
    pub async fn json<T: DeserializeOwned>(
        &self,
        request: &Request,
        repeat: Repeat,
        expected: &'static str,
    ) -> Result<Answer<T>, HttpError> {
        let redactor = &self.shared.options.redactor;
        let read = |response: Response| {
            let values = count_values(&response.body);
            if values > MOST_VALUES {
                let kind = HttpErrorKind::TooManyValues { values, limit: MOST_VALUES };
                return Err(Rejected { kind, fate: Fate::Unknown, repeats: false, throttled: false });
            }
            let error = match serde_json::from_slice(&response.body) {
                Ok(value) => return Ok(Answer { value, response, values }),
                Err(error) => error,
            };
            let ended_early = error.is_eof();
            let snippet = redactor.snippet(&response.body);
            Err(Rejected {
                kind: HttpErrorKind::NotJson { expected, ended_early, reason: error.to_string(), snippet },
                // The service did it: only the telling of it went wrong.
                fate: Fate::Unknown,
                repeats: ended_early && repeat == Repeat::Always,
                throttled: false,
            })
        };
        self.run(request, repeat, read).await
    }

    /// An error about an answer that was JSON and yet not what it should be.
    pub fn wrong_shape(
        &self,
        request: &Request,
        expected: &'static str,
        at: impl Into<String>,
        found: impl Into<String>,
    ) -> HttpError {
        let kind = HttpErrorKind::WrongShape { expected, at: at.into(), found: found.into() };
        self.error(request, 1, Fate::Unknown, kind)
    }

    /// An error about answers that are fine and come to more than is read. `read` says how much was.
    pub fn too_much(&self, request: &Request, bound: impl Into<String>, read: impl Into<String>) -> HttpError {
        self.error(request, 1, Fate::Unknown, HttpErrorKind::TooMuch { bound: bound.into(), read: read.into() })
    }

    async fn run<T>(
        &self,
        request: &Request,
        repeat: Repeat,
        read: impl Fn(Response) -> Result<T, Rejected>,
    ) -> Result<T, HttpError> {
        let policy = &self.shared.options.retry;
        let (mut attempts, mut throttled_attempts, mut failed_attempts, mut worst) = (0, 0, 0, Fate::NotSent);
        loop {
            let turn = self.interruptible(self.shared.limiter.turn()).await;
            let gate = match turn {
                Some(turn) => self.wait_at_gate().await.map(|()| turn),
                None => Err(HttpErrorKind::Interrupted),
            };
            let turn = gate.map_err(|kind| self.error(request, attempts, worst, kind))?;

            attempts += 1;
            self.count(|traffic| {
                traffic.requests += 1;
                traffic.retries += u64::from(attempts > 1);
            });
            self.lock().activity.request = Some(request.name());
            let outcome = self.transport.send(request).await;
            let judged = self.judge(request, outcome, repeat);
            let rejected = match judged.and_then(&read) {
                Ok(read) => {
                    turn.went_well();
                    self.rest();
                    return Ok(read);
                }
                Err(rejected) => rejected,
            };
            if rejected.throttled {
                turn.was_throttled();
                throttled_attempts += 1;
            } else {
                let timed_out = matches!(rejected.kind, HttpErrorKind::Transport(TransportError::Timeout(_)));
                failed_attempts += if timed_out { TIMEOUT_COUNTS } else { 1 };
            }
            drop(turn);

            worst = worst.max(rejected.fate);
            // A create is not sent again once any attempt may have been carried out; `repeats` has seen only this one.
            let allowed = rejected.repeats && (repeat == Repeat::Always || worst != Fate::Unknown);
            let spent = failed_attempts >= policy.attempts || throttled_attempts >= policy.throttled_attempts;
            let backoff = policy.backoff(attempts, self.shared.entropy.bytes());
            if !allowed || spent || later(self.shared.clock.now(), backoff) > self.lock().deadline {
                self.rest();
                return Err(self.error(request, attempts, worst, rejected.kind));
            }
            self.lock().activity.trouble = Some((rejected.kind.to_string(), attempts));
            tracing::debug!(request = request.name(), attempts, ?backoff, cause = %rejected.kind, "again");
            if rejected.throttled && self.shared.limiter.pause(self.shared.clock.now()).is_none() {
                self.count(|traffic| traffic.waited_milliseconds += milliseconds(backoff));
                // A moment is not worth a word.
                self.lock().activity.waits_unasked |= backoff >= TOLD_WAIT;
            }
            let woke = self.interruptible(self.shared.clock.sleep(backoff)).await;
            if woke.is_none() {
                return Err(self.error(request, attempts, worst, rejected.kind));
            }
        }
    }

    /// Looks at one attempt and keeps what concerns everyone: the service's clock, and its wish for patience.
    fn judge(
        &self,
        request: &Request,
        outcome: Result<Response, TransportError>,
        repeat: Repeat,
    ) -> Result<Response, Rejected> {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(request = request.name(), %error, "no answer");
                let (fate, repeats) = (fate_of_failure(&error), failure_repeats(&error, repeat));
                return Err(Rejected { kind: error.into(), fate, repeats, throttled: false });
            }
        };
        let status = response.status;
        tracing::debug!(request = request.name(), status, bytes = response.body.len(), "answer");
        let now = self.shared.clock.now();
        if let Some(date) = date_of(&response) {
            self.lock().service_offset = Some(date.duration_since(now));
        }
        let redactor = &self.shared.options.redactor;
        if (200..300).contains(&status) {
            // The answer may be any text, but a page for people is never the service's own.
            if is_page(&response) {
                let kind = HttpErrorKind::Page { status, page: Detail::read(&response, redactor) };
                return Err(Rejected { kind, fate: Fate::Unknown, repeats: false, throttled: false });
            }
            return Ok(response);
        }
        if (300..400).contains(&status) {
            let to = response.header("location").map(|text| host_of(&redactor.clean(text)));
            let kind = HttpErrorKind::Redirect { status, to: to.unwrap_or_else(|| "nowhere".to_owned()) };
            return Err(Rejected { kind, fate: Fate::Refused, repeats: false, throttled: false });
        }
        let asked = retry_after(&response, now);
        if status == 429 || (asked.is_some() && status_repeats(status, Repeat::Always)) {
            self.count(|traffic| traffic.throttled += 1);
        }
        if let Some(asked) = asked.filter(|_| status_repeats(status, Repeat::Always)) {
            let slack = if response.header("retry-after").is_some_and(|text| text.contains(':')) {
                fraction(DATE_SLACK, self.shared.entropy.bytes())
            } else {
                Duration::ZERO
            };
            let pause = asked.min(self.shared.options.retry.longest_pause) + slack;
            self.lock().asked = asked;
            let longer = self.shared.limiter.shut(now, pause);
            self.count(|traffic| traffic.waited_milliseconds += milliseconds(longer));
        }
        Err(Rejected {
            kind: HttpErrorKind::Status { status, detail: Detail::read(&response, redactor) },
            fate: fate_of_status(status),
            repeats: status_repeats(status, repeat),
            throttled: status == 429,
        })
    }

    /// Waits until the gate is open. It may be shut again meanwhile.
    async fn wait_at_gate(&self) -> Result<(), HttpErrorKind> {
        loop {
            let now = self.shared.clock.now();
            let Some(asked) = self.shared.limiter.pause(now) else { return Ok(()) };
            let deadline = self.lock().deadline;
            if later(now, asked) > deadline {
                return Err(HttpErrorKind::OutOfTime { asked, left: until(now, deadline) });
            }
            let woke = self.interruptible(self.shared.clock.sleep(asked)).await;
            if woke.is_none() {
                return Err(HttpErrorKind::Interrupted);
            }
        }
    }

    /// Waits for `wait`, or `None` when the run is interrupted first.
    async fn interruptible<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        if !self.heeds_signals {
            return Some(wait.await);
        }
        tokio::select! {
            biased;
            () = self.shared.options.cancel.cancelled() => None,
            done = wait => Some(done),
        }
    }

    fn error(&self, request: &Request, attempts: u32, fate: Fate, kind: HttpErrorKind) -> HttpError {
        let token_source = self.shared.options.token_source.clone();
        HttpError { request: request.name(), attempts, fate, kind: Box::new(kind), token_source }
    }

    /// A request has ended. Of several at once the others show again when they are next sent.
    fn rest(&self) {
        let activity = &mut self.lock().activity;
        activity.request = None;
        activity.trouble = None;
    }

    fn count(&self, add: impl FnOnce(&mut Traffic)) {
        add(&mut self.lock().traffic);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The host of an address, without what else it may carry.
fn host_of(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) => plain(url.host_str().unwrap_or("another address")),
        Err(_) => "another path".to_owned(),
    }
}
