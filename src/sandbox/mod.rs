//! SHELL. The service, embedded: same paths, shapes, errors and quirks as the contract, with every unknown a switch.
//!
//! `service` is a state machine without clock, socket or randomness: a request and a time go in, an answer comes out.
//! `transport` puts it behind the client in one process, with faults; `serve` puts it on a socket; `store` keeps its data.
//! It is held to the contract, not to what our client happens to need.

mod agents;
mod answer;
pub mod behaviour;
mod builders;
mod config;
pub mod dashboard;
mod emails;
pub mod fault;
mod list;
mod numbers;
mod publish;
mod routing;
pub mod seed;
pub mod serve;
pub mod service;
pub mod state;
pub mod store;
pub mod transport;
mod versions;
mod widgets;

pub use behaviour::{Behaviour, Switch};
pub use config::SCHEMA;
pub use fault::Fault;
pub use service::Service;
pub use state::{ORGANIZATION, SANDBOX_TOKEN};
pub use store::open_stored;
pub use transport::InProcess;
