//! SHELL. Reads everything and says how complete it was.
//!
//! The lists come first and usually settle it; configs are read only for what must be looked at (design, section 4).

pub mod collect;
pub mod singly;

pub use collect::{ConfigFailure, Reading, Untold, read_configs, read_lists, tell};
pub use singly::{Unlisted, ask_singly};
