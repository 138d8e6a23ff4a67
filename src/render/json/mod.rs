//! Plans and reports as JSON documents: frozen types of their own, so that no refactoring changes what scripts read.

mod gitlab;
pub mod v1;

pub use gitlab::gitlab_report;
pub use v1::{
    DIFFERENCE_KIND, difference_digest, difference_document, drift_document, import_document, init_document,
    list_document, plan_document, put_diagnostics, put_problems, read_difference, read_plan, read_problems,
    read_report, read_saved, report_document, sealed,
};
