//! SHELL. The service, embedded: same paths, shapes, errors and quirks as the contract, with every unknown a switch.
//!
//! [`Service`] is a state machine without socket, clock or randomness: the same requests at the same times give the
//! same bytes. [`Sandbox`] puts a lock, a file, a log and scripted faults around it; [`InProcess`] and [`serve`] are
//! the two ways to reach one. Reading order: `service`, `route`, then a file for each resource; `behaviour` lists
//! what the contract leaves open.

mod access;
mod agent;
mod agent_config;
mod answer;
mod behaviour;
mod body;
mod builder;
mod call;
mod dashboard;
mod email;
mod exchange;
mod fault;
mod listing;
mod mint;
mod number;
mod organization;
mod publish;
mod record;
mod route;
mod routing;
mod schema_walk;
mod seed;
mod serve;
mod service;
mod shelf;
mod store;
mod switches;
mod transport;
mod trunk;
mod version;
mod widget;
mod wire;

pub use agent_config::{ConfigSchema, ConfigSchemaError};
pub use behaviour::{Behaviour, BehaviourError};
pub use dashboard::{AgentSnapshot, DashboardError, Direction, Pointer, Slots, VersionSnapshot};
pub use exchange::{Delivery, LogEntry, Phase, Sandbox};
pub use fault::{Fault, FaultError, FaultKind};
pub use seed::{OrganizationSeed, Seed, SeedError};
pub use serve::{ServeError, ServeOptions, serve};
pub use service::{SANDBOX_ORGANIZATION, SANDBOX_TOKEN, Service, ServiceError};
pub use store::{Store, StoreError};
pub use switches::{SWITCHES, Switch};
pub use transport::InProcess;
