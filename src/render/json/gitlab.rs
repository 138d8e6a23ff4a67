//! The document behind `artifacts: reports: terraform`, from which GitLab shows counts on a merge request.

use crate::plan::Summary;

/// Exactly the three counts that GitLab reads. It knows no adopting: that changes an agent without replacing it, so it
/// counts among the updates, lest a plan that only adopts looks empty.
pub fn gitlab_report(summary: &Summary) -> String {
    let Summary { create, update, delete, adopt, unchanged: _, drift: _, conflict: _, orphaned: _ } = summary;
    format!("{{\"create\":{create},\"update\":{},\"delete\":{delete}}}\n", update + adopt)
}
