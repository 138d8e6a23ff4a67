//! Plans and reports as JSON documents: frozen types of their own, so that no refactoring changes what scripts read.

mod gitlab;
pub mod v1;

pub use gitlab::gitlab_report;
pub use v1::{
    DIFFERENCE_KIND, difference_document, drift_document, plan_document, read_difference, read_plan, read_report,
    report_document, sealed,
};
