//! SHELL. One transport for the service, its schema and the forge: requests, answers, retries and rates.

pub mod message;
pub mod runtime;

pub use message::{Method, Request, Response, TransportError};
pub use runtime::{Clock, Entropy, Transport};
