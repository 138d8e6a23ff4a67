//! SHELL, but for the files that say PURE. GitHub and GitLab behind one interface: comments, issues, check runs.
//!
//! It receives finished Markdown and knows no agent, no plan and no manifest. What is decidable without the network is
//! decided in pure files: [`context`] (which pull request, which run), [`marker`] (the hidden first line), [`comment`]
//! (which comment is ours, and whether this run may still write it). Everything that a forge refuses comes back as a
//! [`Warning`], and whoever asked decides what that means: an apply ends as it did, and a plan that could not be shown where
//! it is approved is no success.

pub mod check;
pub mod comment;
pub mod context;
mod dialect;
mod github;
mod github_wire;
mod gitlab;
pub mod issue;
pub mod labels;
pub mod lookup;
pub mod marker;
mod once;
mod pages;
pub mod service;
pub mod sticky;
pub mod warning;

pub use comment::{Mode, State};
pub use context::{Context, ContextError, Host, Origin, Run};
pub use marker::Marker;
pub use service::{Connection, Forge, connect};
pub use warning::{Warning, WarningKind};
