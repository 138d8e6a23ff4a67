//! SHELL. One run: manifests and a reading become a plan, an approved plan becomes a report.
//!
//! It has no terminal, no environment and no clock of its own, so that a command, a test and a simulation are the same
//! run with other outsides.

pub mod adopting;
pub mod drifting;
pub mod error;
pub mod going_back;
pub mod importing;
mod judging;
pub mod looking;
pub mod planning;
pub mod releasing;
pub mod running;
mod said;
pub mod schemas;
mod waiting;

pub use adopting::{Adopted, Adopting, Adoption, FileChange, NotAdopted, adopt};
pub use drifting::{NoPast, Past, check_drift, say_where_applied};
pub use error::SessionError;
pub use going_back::{Undoing, left_in_git, undoing};
pub use importing::{Importing, Written, import};
pub use judging::leave_out;
pub use looking::{Which, compare, log, portrait};
pub use planning::{Outside, SANDBOX_HOST, Service, Workspace, check, make_plan, read};
pub use releasing::release;
pub use running::{Applying, apply_approved, plan_unleased, see_organization};
pub use schemas::Schemas;
