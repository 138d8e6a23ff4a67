//! SHELL. Carries out the plan's steps and reports what became of each. It decides nothing that a plan can decide.
//!
//! `execute` runs agents side by side and closes the run; `worker` takes one agent through its steps: `create`, `draft`,
//! `proof`, `verify`, `publishing`, each of which takes what only the one before it can make. `agent` is the record and
//! the stamp that they work on, `trail` how far they came, `eventually` the one loop that waits for a service to settle,
//! `closing` reads everything once more, and `emptying` and `deleting` do what has to wait for every agent.

mod agent;
pub mod calls;
mod closing;
pub mod context;
mod create;
mod deleting;
mod draft;
mod emptying;
mod ended;
mod eventually;
mod execute;
mod fence;
mod look;
mod proof;
mod publishing;
mod record;
mod trail;
pub mod verify;
mod worker;

pub use context::{ApplyOptions, Context};
pub use execute::execute;
