//! SHELL. One transport for the service, its schema and the forge: requests, answers, retries and rates.
//!
//! From the outside in: a [`Transport`] carries one request and judges nothing; a [`Client`] sends through it with
//! retries, one [`Limiter`] and the words for what went wrong. Time and chance are parameters.

pub mod activity;
pub mod base_url;
pub mod client;
pub mod clock;
pub mod credential;
pub mod detail;
pub mod error;
pub mod limiter;
mod measure;
pub mod message;
pub mod redact;
pub mod reqwest_transport;
pub mod retry;
pub mod runtime;

pub use activity::Activity;
pub use base_url::{BaseUrl, BaseUrlError};
pub use client::{Answer, Client, ClientOptions, Traffic};
pub use clock::{OsEntropy, SeededEntropy, SimulatedClock, SystemClock};
pub use credential::{Credential, CredentialError};
pub use detail::{Complaint, Detail};
pub use error::{Fate, HttpError, HttpErrorKind};
pub use limiter::Limiter;
pub use message::{Method, Request, Response, TransportError};
pub use redact::Redactor;
pub use reqwest_transport::{ReqwestTransport, SetupError, TransportOptions};
pub use retry::{Repeat, RetryPolicy};
pub use runtime::{Clock, Entropy, Transport};
