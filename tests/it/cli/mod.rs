//! The program itself: the real binary, with an environment of its own, against the embedded service.

mod arriving;
mod artifact;
mod bad_input;
mod checkout;
pub(crate) mod commands;
pub(crate) mod diff;
mod drift;
mod echoes;
mod exits;
mod files;
mod help;
mod history;
mod interrupts;
pub(crate) mod program;
mod raised;
pub(crate) mod service;
mod streams;
mod verify;
mod workflow;
