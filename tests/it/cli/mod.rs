//! The program itself: the real binary, with an environment of its own, against the embedded service.

mod bad_input;
mod exits;
mod interrupts;
mod program;
mod service;
mod streams;
mod workflow;
