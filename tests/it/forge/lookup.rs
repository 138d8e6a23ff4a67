//! Which pull request a run is about.

use std::sync::Arc;

use reachform::forge::lookup::pull_request as look_up;
use serde_json::{Value, json};

use super::github::GitHub;
use super::standin::StandIn;
use super::{context, forge, pull_request, sha};

fn repository() -> StandIn<GitHub> {
    let github = GitHub::stand_in();
    github.with(|github| {
        github.add_pull(12, &sha("b"), "acme/agents", "fix");
        github.add_pull(13, &sha("e"), "eve/agents", "evil");
        github.add_pull(14, &sha("e"), "acme/agents", "copy");
    });
    github
}

async fn found(github: &StandIn<GitHub>, event: &Value, named: Option<u64>) -> Result<u64, String> {
    let context = context(5, 1, event);
    let forge = forge(Arc::new(github.clone()), &context);
    look_up(&*forge, &context, named).await.map_err(|warning| format!("{}: {}", warning.code(), warning.one_line()))
}

/// A job after the job of a fork at a commit.
fn after_fork(head: &str) -> Value {
    json!({"workflow_run": {"id": 60, "run_attempt": 1, "head_sha": sha(head), "head_branch": "evil", "pull_requests": [],
        "head_repository": {"full_name": "eve/agents", "owner": {"login": "eve"}}}})
}

#[tokio::test]
async fn the_event_is_believed_and_a_person_more() {
    let github = repository();
    let event = pull_request(12, &sha("b"));
    assert_eq!(found(&github, &event, None).await, Ok(12));
    assert_eq!(found(&github, &event, Some(13)).await, Ok(13));
    assert!(github.log().is_empty());
}

#[tokio::test]
async fn a_merge_is_found_by_its_commit() {
    let github = repository();
    github.with(|github| {
        github.pulls[0]["merge_commit_sha"] = json!("m".repeat(40));
        github.pulls[0]["merged_at"] = json!("2026-11-24T06:00:00Z");
        github.pulls[0]["state"] = json!("closed");
    });
    assert_eq!(found(&github, &json!({"ref": "refs/heads/main"}), None).await, Ok(12));
}

#[tokio::test]
async fn what_cannot_be_found_says_how_it_was_looked_for() {
    let told = found(&repository(), &json!({"ref": "refs/heads/main"}), None).await.unwrap_err();
    assert_eq!(
        told,
        format!(
            "forge-no-pull-request: could not find the pull request to post on: the event `pull_request` names none: \
             of the commit {} there is no pull request",
            "m".repeat(40)
        )
    );
}

#[tokio::test]
async fn a_number_from_an_artifact_counts_only_for_the_commit_that_triggered_the_job() {
    let github = repository();
    assert_eq!(found(&github, &after_fork("e"), Some(13)).await, Ok(13));
    // Another's pull request, one of the same commit from another repository, and one that there is not.
    for (number, code) in [(12, "wrong-pull-request"), (14, "wrong-pull-request"), (99, "not-found")] {
        let told = found(&github, &after_fork("e"), Some(number)).await.unwrap_err();
        assert!(told.starts_with(&format!("forge-{code}")), "{told}");
    }
    // Pushed again since: the commit is still one of its own.
    github.with(|github| github.push(13, &sha("f")));
    assert_eq!(found(&github, &after_fork("e"), Some(13)).await, Ok(13));
    assert!(found(&github, &after_fork("d"), Some(13)).await.is_err());
}

#[tokio::test]
async fn a_forks_pull_request_is_found_by_its_branch() {
    assert_eq!(found(&repository(), &after_fork("e"), None).await, Ok(13));
    let told = found(&repository(), &after_fork("d"), None).await.unwrap_err();
    assert!(told.contains("no open one from the branch `eve:evil` is at that commit"), "{told}");
}
