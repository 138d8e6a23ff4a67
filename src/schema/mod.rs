//! PURE, but `fetch`. The service's own JSON Schema: compiled once, asked for faults, defaults, branches and secrets.
//!
//! [`ConfigSchema::compile`] reads the document into a table of places ([`graph`], [`settle`]) and builds two
//! validators: one for whole configs, one for what a manifest declares of one ([`partial`]). Questions of planning walk
//! the table along a path ([`view`], [`branch`]); faults come from the validators and are put into words by
//! [`explain`]. Nothing here fetches anything, and no schema, however it is made, can make a walk endless.

pub mod branch;
pub mod check;
pub mod codes;
pub mod compile;
mod effort;
pub mod error;
pub mod explain;
pub mod fetch;
pub mod graph;
pub mod node;
mod partial;
mod secret;
mod settle;
mod shape;
mod unknown;
mod validator;
pub mod view;
mod words;

pub use check::{Leniency, Places, check_declared};
pub use compile::ConfigSchema;
pub use error::SchemaError;
