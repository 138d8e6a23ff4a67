//! SHELL. Carries out the plan's steps and reports what became of each. It decides nothing that a plan can decide.
//!
//! `execute` runs agents side by side and closes the run; `worker` takes one agent through its steps; `publishing`
//! is the one that matters most; `recover` looks up what a lost reply left behind; `closing` reads everything once more.

pub mod calls;
pub mod closing;
pub mod context;
pub mod ended;
pub mod execute;
mod fence;
mod publishing;
pub mod recover;
pub mod verify;
pub mod worker;

pub use context::{ApplyOptions, Context};
pub use execute::execute;
