//! Plans and reports as JSON documents: frozen types of their own, so that no refactoring changes what scripts read.

mod gitlab;
pub mod v1;

pub use gitlab::gitlab_report;
pub use v1::{
    AdoptDoc, AdoptedDoc, CodeDoc, CommentDoc, CommentWarningDoc, DIFFERENCE_KIND, ExplainDoc, FORMAT_VERSION, Failure,
    NotAdoptedDoc, agent_document, comparison_document, difference_digest, difference_document, drift_document,
    failure_document, import_document, init_document, list_document, log_document, plan_document, read_difference,
    read_failure, read_plan, read_report, read_saved, reads_format, released_document, report_document, sealed,
    validation_document, versions_document,
};
