//! Which plan was approved: the one that the check run on the pushed commit names, where the merge queue has planned it,
//! else the one on the head commit of the merged pull request.
//!
//! A comment is anyone's to edit. A check run is written by an app alone, and its `external_id` is the plan's hash. It
//! approves nothing before the merge: until then anyone who can push a branch has such a check run.

use crate::cli::comment::in_words;
use crate::cli::report::CommandError;
use crate::forge::Warning;
use crate::forge::check::{Conclusion, approved, name, place};
use crate::model::Digest;
use crate::plan::{Plan, Report};
use crate::render::view::GoOn;

use super::desk::Desk;
use super::inputs::Inputs;
use super::not_approved;

/// The approved plan.
pub struct Approved {
    /// Its hash.
    pub hash: Digest,
    /// Whether the merge queue made it, of the very commit that it pushed.
    pub of_queue: bool,
}

/// Why the plan of a merge queue may be another one by now, and what to do about it.
pub const QUEUED: &str = "the merge queue planned this commit, perhaps before an earlier apply had ended: set the queue's \
    build concurrency to 1 (docs/setup.md, section 5)";

/// Finds it.
pub async fn find(desk: &Desk<'_>, inputs: &Inputs, environment: &str) -> Result<Approved, CommandError> {
    let Some(publisher) = desk.publisher() else {
        return Err(untold().cause("there is no forge to ask, or no token for it"));
    };
    let asked = |warning: Warning| {
        let told = in_words(&warning);
        let error = told.causes.into_iter().fold(untold(), CommandError::cause);
        told.hints.into_iter().fold(error, CommandError::hint)
    };
    let number = publisher.pull_request().await.map_err(asked)?;
    let pull_request = publisher.forge().pull_request(number).await.map_err(asked)?;
    if pull_request.merge_sha.is_none() {
        return Err(unapproved().cause(format!("#{number} is not merged, and merging is what approves its plan")));
    }
    let name = name(&place(environment, publisher.folder(), inputs.comment_key.as_deref()));
    let head = &pull_request.head_sha;
    // The merge queue plans the very commit that it then pushes, with all pull requests of the group in it.
    let pushed = publisher.context().head_sha.as_ref().filter(|sha| pull_request.merge_sha.as_ref() == Some(sha));
    let of_queue = |sha: &String| pushed == Some(sha);
    let mut found = None;
    for sha in pushed.into_iter().chain([head]) {
        found = approved(publisher.forge(), sha, &name).await.map_err(asked)?.map(|check| (check, sha));
        if found.is_some() {
            break;
        }
    }
    let Some((check, commit)) = found else {
        let head = short(head);
        return Err(unapproved()
            .cause(format!("the commit {head} of #{number} has no check run `{name}` of this workflow's app"))
            .hint("plan pull requests with this action, with `checks: write`, before they are merged"));
    };
    let sha = short(commit);
    if check.is_of_unseen_plan() {
        return Err(unapproved().cause(format!(
            "the check run `{name}` on the commit {sha} of #{number} says that its plan could not be shown in the comment"
        )));
    }
    let ended = check.conclusion.as_deref().unwrap_or_default();
    match Conclusion::parse(ended) {
        Some(Conclusion::Success | Conclusion::Neutral | Conclusion::ActionRequired) => {}
        Some(Conclusion::Failure) => {
            return Err(not_approved("refused: the plan that was reviewed could not be applied; nothing was changed")
                .cause(format!("the check run `{name}` on the commit {sha} of #{number} failed")));
        }
        None => {
            return Err(unapproved()
                .cause(format!("the check run `{name}` on the commit {sha} of #{number} ended as `{ended}`")));
        }
    }
    let hash = check.external_id.as_deref().and_then(Digest::parse);
    hash.map(|hash| Approved { hash, of_queue: of_queue(commit) }).ok_or_else(|| {
        unapproved().cause(format!("the check run `{name}` on the commit {sha} of #{number} names no plan hash"))
    })
}

/// The beginning of a commit, for messages.
fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

fn unapproved() -> CommandError {
    not_approved("refused: no plan was approved; nothing was changed")
}

fn untold() -> CommandError {
    not_approved("refused: which plan was approved could not be found out; nothing was changed")
}

/// How a plan is applied that was not the approved one.
pub fn dispatch(plan: &Plan) -> String {
    format!("to apply the plan as it is now, run a workflow with the input `approved-plan` `{}`", plan.plan_hash)
}

/// How an apply goes on that did not end.
pub fn again(inputs: &Inputs, report: &Report) -> GoOn {
    let copy = match (&inputs.approved_plan, &inputs.plan_file) {
        (Some(_), _) | (None, Some(_)) if report.needs_a_new_plan() => {
            "plan again: an agent is not as it was when this plan was made. Then apply the new plan".to_owned()
        }
        (None, None) if report.needs_a_new_plan() => {
            "plan again, and look at what changed meanwhile, before the job is run again".to_owned()
        }
        _ if report.needs_a_hand() => {
            "do what the hints say, and run the job again; until then, it fails again".to_owned()
        }
        (Some(hash), _) => format!("run the workflow again with `approved-plan` `{hash}`"),
        (None, Some(file)) => format!("run the job again with the plan `{file}`"),
        (None, None) => format!("run the job again: it goes on under the plan `{}`", report.plan_hash),
    };
    GoOn::Words(copy)
}
