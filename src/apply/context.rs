//! What an apply runs with: the writer, the outside as parameters, and who listens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::Writer;
use crate::http::{Clock, Entropy};
use crate::model::{ConfigShape, Key, Lease};
use crate::plan::Event;

use super::eventually::{Look, Patience, eventually};
use super::verify::Verifier;

/// How long a record that this run wrote may stay invisible before it counts as missing (design, section 4).
pub const EVENTUAL: Duration = Duration::from_secs(10);

/// How a service is looked at that may still be settling.
const SETTLING: Patience = Patience { pause: Duration::from_millis(500), limit: EVENTUAL };

/// How long a reading may be old when metadata is written from it (design, section 3).
pub const METADATA_AGE: Duration = Duration::from_secs(10);

/// How long a lease holds by the service's clock (design, section 6).
pub const LEASE: Duration = Duration::from_secs(120);

/// How long work in flight may go on after a signal (design, section 6).
pub const GRACE: Duration = Duration::from_secs(6);

/// The flags of an apply that planning does not need.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// Agents whose standing draft may be overwritten.
    pub replace_draft: BTreeSet<Key>,
    /// Take leases without asking.
    pub break_lease: bool,
    /// How many requests the client has in flight at most: so that these are used, agents are worked on side by side.
    pub parallelism: usize,
    /// Write although the organization of the credential cannot be seen.
    pub organization_unverified: bool,
    /// Where this run can be seen, for whoever asks later who applied what.
    pub run_url: Option<String>,
}

/// Receives events. One consumer prints them.
pub type Listener = dyn Fn(Event) + Send + Sync;

/// Everything that the steps of an apply are done with.
#[derive(Clone)]
pub struct Context {
    /// The service.
    pub writer: Writer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The schema.
    pub shape: Arc<dyn ConfigShape + Send + Sync>,
    /// This run: the CI job where there is one, so that its re-run may take over at once, and a random part.
    pub run: String,
    /// The project and the environment, for stamps.
    pub owner: (String, String),
    /// The plan that is carried out.
    pub plan_hash: String,
    /// Set by a signal.
    pub cancel: CancellationToken,
    /// The `verify` command.
    pub verifier: Arc<dyn Verifier>,
    /// Flags.
    pub options: ApplyOptions,
    /// Events.
    pub listener: Arc<Listener>,
}

impl Context {
    /// Tells the listener.
    pub fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    /// Now, by the service's clock where an answer told it.
    pub fn now(&self) -> jiff::Timestamp {
        self.writer.reader().service_now().unwrap_or_else(|| self.clock.now())
    }

    /// Looks at the service, under the clock of the run, until what this run wrote shows.
    pub(super) async fn eventually<T, E>(&self, look: impl AsyncFnMut() -> Result<Look<T>, E>) -> Result<Look<T>, E> {
        eventually(self.clock.as_ref(), SETTLING, look).await
    }
}

/// Whether a lease still holds by the service's clock. One whose time cannot be read holds, for want of better.
pub fn lease_holds(lease: &Lease, now: jiff::Timestamp) -> bool {
    lease
        .at
        .parse::<jiff::Timestamp>()
        .map_or(true, |at| now.duration_since(at) < jiff::SignedDuration::try_from(LEASE).unwrap_or_default())
}

/// Whether two names are of the same run, or of the same CI job run again: a name is `job/random`, or `random` alone.
pub fn is_same_run(a: &str, b: &str) -> bool {
    let job = |run: &str| run.rsplit_once('/').map(|(job, _)| job.to_owned());
    a == b || (job(a).is_some() && job(a) == job(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_the_same_by_their_name_or_by_their_job() {
        for (a, b, same) in [
            ("github-77/aa", "github-77/bb", true),
            ("github-77/aa", "github-78/aa", false),
            ("aa", "aa", true),
            ("aa", "bb", false),
            ("github-77/aa", "aa", false),
        ] {
            assert_eq!(is_same_run(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn a_lease_holds_for_its_time_and_no_longer() {
        let at: jiff::Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let lease = Lease { run: "aa".to_owned(), at: at.to_string() };
        let whole = jiff::SignedDuration::try_from(LEASE).unwrap();
        assert!(lease_holds(&lease, at) && lease_holds(&lease, at + whole - jiff::SignedDuration::from_millis(1)));
        assert!(!lease_holds(&lease, at + whole));
        assert!(lease_holds(&Lease { at: "yesterday".to_owned(), ..lease }, at + whole), "what cannot be read holds");
    }
}
