//! `reachform` keeps hosted voice agents in Git.

pub mod api;
pub mod apply;
pub mod cli;
pub mod diagnostics;
pub mod http;
pub mod live;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod render;
pub mod sandbox;
pub mod schema;
pub mod session;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
