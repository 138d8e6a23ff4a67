//! Which pull request a run is about, and how it was looked for.
//!
//! A number from the command line of a `workflow_run` job comes out of another job's artifact, which a stranger may have
//! written. It counts only if the commit that triggered the job belongs to that pull request.

use super::context::{Context, Host};
use super::service::{Forge, PullRequest};
use super::warning::{Warning, WarningKind};

/// The number of the pull request. `named` is what a person or an artifact says.
pub async fn pull_request(forge: &dyn Forge, context: &Context, named: Option<u64>) -> Result<u64, Warning> {
    match (named, context.pull_request) {
        (Some(named), _) if context.event == "workflow_run" => proven(forge, context, named).await,
        (Some(number), _) | (None, Some(number)) => Ok(number),
        (None, None) => find(forge, context).await,
    }
}

async fn proven(forge: &dyn Forge, context: &Context, named: u64) -> Result<u64, Warning> {
    if context.pull_request == Some(named) {
        return Ok(named);
    }
    let wrong = |cause: String| {
        Warning::new(WarningKind::WrongPullRequest, format!("post on the pull request #{named}"))
            .cause(cause)
            .hint("a number from another job's artifact is believed only for the commit that triggered this job")
    };
    let Some(sha) = &context.head_sha else {
        return Err(wrong("the event does not name a commit that the number could be checked by".to_owned()));
    };
    let pull_request = forge.pull_request(named).await?;
    if !is_from(&pull_request, context) {
        return Err(wrong("it comes from another repository than the commit that triggered this job".to_owned()));
    }
    if pull_request.head_sha == *sha || forge.has_commit(named, sha).await? {
        return Ok(named);
    }
    Err(wrong(format!("the commit {sha} that triggered this job is none of its commits")))
}

/// Whether a pull request comes from the repository that the event names. A deleted fork has no name to compare.
fn is_from(pull_request: &PullRequest, context: &Context) -> bool {
    match (&pull_request.head_repository, &context.head_repository) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => true,
    }
}

async fn find(forge: &dyn Forge, context: &Context) -> Result<u64, Warning> {
    let mut trail = vec![match context.host {
        Host::GitHub if context.event.is_empty() => "the event (GITHUB_EVENT_PATH) names none".to_owned(),
        Host::GitHub => format!("the event `{}` names none", context.event),
        Host::GitLab => "CI_MERGE_REQUEST_IID is not set".to_owned(),
    }];
    if let Some(sha) = &context.head_sha {
        let mut found = forge.pull_requests_of_commit(sha).await?;
        // A fork may have the commits of another's pull request too.
        found.retain(|found| is_from(found, context));
        match choose(&found, sha) {
            Ok(number) => return Ok(number),
            Err(why) => trail.push(format!("of the commit {sha} {why}")),
        }
    } else {
        trail.push("no commit is known".to_owned());
    }
    // For forks, whose commits the repository itself may not have.
    if let (Some(branch), Some(sha), Host::GitHub) = (&context.head_branch, &context.head_sha, context.host) {
        let found = forge.pull_requests_of_branch(branch).await?;
        let at_head: Vec<&PullRequest> = found.iter().filter(|found| found.head_sha == *sha).collect();
        match at_head.as_slice() {
            [only] => return Ok(only.number),
            [] => trail.push(format!("no open one from the branch `{branch}` is at that commit")),
            several => trail.push(format!("{} from the branch `{branch}` are at that commit", several.len())),
        }
    }
    Err(trail
        .into_iter()
        .fold(Warning::new(WarningKind::NoPullRequest, "find the pull request to post on"), Warning::cause))
}

/// All pull requests that the push of this run has merged: `number`, and those of the other commits that it brought, as a
/// group of the merge queue does.
pub async fn merged_together(forge: &dyn Forge, context: &Context, number: u64) -> Result<Vec<u64>, Warning> {
    let mut numbers = vec![number];
    // One commit is one pull request.
    if context.pushed.len() > 1 {
        let merged = forge.merged_lately().await?.into_iter();
        let is_of_push = |found: &PullRequest| found.merge_sha.as_ref().is_some_and(|sha| context.pushed.contains(sha));
        numbers.extend(merged.filter(is_of_push).map(|found| found.number).filter(|found| *found != number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Of several pull requests with a commit: the one that was merged as it (the newest, where a group was merged as one),
/// else the open one whose head it is, else the only one that there is.
fn choose(found: &[PullRequest], sha: &str) -> Result<u64, String> {
    let only = |matches: &dyn Fn(&PullRequest) -> bool| {
        let mut matching = found.iter().filter(|found| matches(found));
        matching.next().filter(|_| matching.next().is_none()).map(|found| found.number)
    };
    let as_merge = found.iter().filter(|found| found.merge_sha.as_deref() == Some(sha)).map(|found| found.number).max();
    let as_head = || only(&|found| found.open && found.head_sha == sha);
    as_merge.or_else(as_head).or_else(|| only(&|_| true)).ok_or_else(|| match found.len() {
        0 => "there is no pull request".to_owned(),
        several => format!("there are {several} pull requests, and none is more its own than the others"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(number: u64, head: &str, merge: Option<&str>, open: bool) -> PullRequest {
        PullRequest {
            number,
            head_sha: head.to_owned(),
            head_repository: None,
            merge_sha: merge.map(str::to_owned),
            open,
            url: String::new(),
        }
    }

    #[test]
    fn of_several_pull_requests_the_one_is_chosen_that_the_commit_belongs_to() {
        let merged = found(1, "a", Some("m"), false);
        let open = found(2, "h", None, true);
        let other = found(3, "x", None, true);
        assert_eq!(choose(&[open.clone(), merged.clone()], "m"), Ok(1));
        assert_eq!(choose(&[other.clone(), open.clone(), merged], "h"), Ok(2));
        assert_eq!(choose(std::slice::from_ref(&other), "z"), Ok(3));
        assert!(choose(&[other, open], "z").unwrap_err().contains("2 pull requests"));
        assert!(choose(&[], "z").is_err());
    }
}
