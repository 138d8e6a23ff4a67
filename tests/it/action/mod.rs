//! The action: `action.yml` read and its steps run as a runner runs them, against stand-ins on sockets.

mod annotating;
mod applying;
mod drifting;
mod planning;
mod queue;
pub(crate) mod runner;
mod signals;
mod strangers;
mod unanswered;
mod wiring;
