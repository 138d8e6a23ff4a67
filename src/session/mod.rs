//! SHELL. One run: manifests and a reading become a plan, an approved plan becomes a report.
//!
//! It has no terminal, no environment and no clock of its own, so that a command, a test and a simulation are the same
//! run with other outsides.

pub mod adopting;
pub mod drifting;
pub mod error;
mod judging;
pub mod planning;
pub mod running;
mod said;
pub mod schemas;
mod waiting;

pub use adopting::{Adopted, Adopting, Adoption, FileChange, NotAdopted, adopt};
pub use drifting::{NoPast, Past, check_drift, say_where_applied};
pub use error::SessionError;
pub use judging::leave_out;
pub use planning::{
    Outside, SANDBOX_HOST, Service, Workspace, check, check_against_live, make_plan, needs_the_service, read,
};
pub use running::{Applying, apply_approved, plan_unleased};
pub use schemas::Schemas;
