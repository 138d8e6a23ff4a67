//! The outside as parameters: transport, clock and randomness. A test hands in its own and replays any run.

use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

use super::message::{Request, Response, TransportError};

/// A boxed future, so that the traits below can be used as objects.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries one request to the service and its answer back. No retry, no judgement.
pub trait Transport: Send + Sync {
    /// Sends a request.
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>>;
}

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, duration: Duration) -> Later<'_, ()>;
}

/// Makes random bytes: salts, run ids, jitter.
pub trait Entropy: Send + Sync {
    /// Sixteen of them.
    fn bytes(&self) -> [u8; 16];
}
