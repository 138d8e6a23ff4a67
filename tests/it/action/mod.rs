//! The action: `action.yml` read and its steps run as a runner runs them, against stand-ins on sockets.

mod applying;
mod drifting;
mod planning;
mod runner;
mod signals;
mod strangers;
mod wiring;
