//! The check run that a plan is approved by.

use std::sync::Arc;

use reachform::forge::Run;
use reachform::forge::check::{Check, CheckRun, Conclusion, Put, approved, name, put};
use reachform::http::Method;
use serde_json::json;

use super::github::GitHub;
use super::standin::{Fault, StandIn, refusal};
use super::{context, forge, pull_request, sha};

const HASH: &str = "sha256:9b1c000000000000000000000000000000000000000000000000000000000e07";

fn run(id: u64, attempt: u64) -> Run {
    Run { id, number: None, attempt, url: Some(format!("https://github.com/acme/agents/actions/runs/{id}")) }
}

fn written(put: Put) -> CheckRun {
    match put {
        Put::Written(check) => check,
        Put::Superseded(check) => panic!("it gave way to {check:?}"),
    }
}

/// A plan of the head `a`.
fn check<'a>(plan_hash: &'a str, head_sha: &'a str, run: &'a Run) -> Check<'a> {
    Check {
        name: "reachform plan (prod)",
        head_sha,
        plan_hash: Some(plan_hash),
        conclusion: Conclusion::Neutral,
        title: "Plan: 1 to update",
        summary: "table",
        run: Some(run),
    }
}

async fn puts(github: &StandIn<GitHub>, plan_hash: &str, run: &Run) -> Put {
    let head = sha("a");
    let forge = forge(Arc::new(github.clone()), &context(run.id, run.attempt, &pull_request(12, &head)));
    put(&*forge, &check(plan_hash, &head, run)).await.unwrap()
}

#[tokio::test]
async fn of_two_runs_on_one_commit_the_check_is_that_of_the_newer_one_whichever_ends_last() {
    let github = GitHub::stand_in();
    let newer = written(puts(&github, "sha256:newer", &run(21, 1)).await);
    assert_eq!(puts(&github, "sha256:older", &run(20, 1)).await, Put::Superseded(newer.clone()));
    // A person runs the older one again, which is later in time than its id says.
    written(puts(&github, "sha256:again", &run(20, 2)).await);
    let head = sha("a");
    let forge = forge(Arc::new(github.clone()), &context(22, 1, &pull_request(12, &head)));
    let found = approved(&*forge, &head, "reachform plan (prod)").await.unwrap().unwrap();
    assert_eq!((found.id, found.external_id.as_deref()), (newer.id, Some("sha256:again")));

    // Both found none and made one: the later one in the list is the older run's.
    github.with(|github| {
        let mut second = github.checks[0].clone();
        second["id"] = json!(newer.id + 1);
        second["external_id"] = json!("sha256:older");
        second["output"]["summary"] = json!("<!-- reachform:comment v=1 key=check run=19 attempt=1 -->\ntable");
        github.checks.push(second);
    });
    let found = approved(&*forge, &head, "reachform plan (prod)").await.unwrap().unwrap();
    assert_eq!(found.external_id.as_deref(), Some("sha256:again"));
}

#[tokio::test]
async fn a_check_whose_answer_was_lost_is_looked_up_and_sent_again_only_if_it_is_not_there() {
    for attempts in [1, 2] {
        let github = GitHub::stand_in();
        for _ in 0..attempts {
            github.fault(Method::Post, "/check-runs", Fault::Answer(refusal(502, "Bad Gateway", &[])));
        }
        written(puts(&github, HASH, &run(5, 1)).await);
        assert_eq!(github.with(|github| github.checks.len()), 1);
    }
    let github = GitHub::stand_in();
    github.fault(Method::Post, "/check-runs", Fault::LoseAnswer);
    written(puts(&github, HASH, &run(5, 1)).await);
    assert_eq!(github.with(|github| github.checks.len()), 1);
    assert_eq!(github.take_writes(), ["POST /repos/acme/agents/check-runs"]);
}

#[tokio::test]
async fn a_plans_hash_is_read_back_from_the_check_that_we_wrote_and_from_no_other() {
    let github = GitHub::stand_in();
    let context = context(5, 1, &pull_request(12, &sha("a")));
    let forge = forge(Arc::new(github.clone()), &context);
    let name = name("prod");
    let head = sha("a");
    let run = run(5, 1);
    assert_eq!(approved(&*forge, &head, &name).await.unwrap(), None);
    let check = check("sha256:first", &head, &run);
    let first = written(put(&*forge, &check).await.unwrap());
    // Written anew, not twice.
    let second = written(put(&*forge, &Check { plan_hash: Some(HASH), ..check.clone() }).await.unwrap());
    assert_eq!(first.id, second.id);
    // Another app writes one of the same name, later.
    github.with(|github| {
        let mut forged = github.checks[0].clone();
        forged["id"] = json!(9999);
        forged["app"]["slug"] = json!("eves-app");
        forged["external_id"] = json!("sha256:forged");
        github.checks.push(forged);
    });
    let found = approved(&*forge, &head, &name).await.unwrap().unwrap();
    assert_eq!((found.external_id.as_deref(), found.id), (Some(HASH), first.id));
    assert_eq!(approved(&*forge, &sha("b"), &name).await.unwrap(), None);
    // A person reads what the workflow wrote, and can write none.
    github.with(|github| github.login = "ann".to_owned());
    let person = super::forge(Arc::new(github.clone()), &context);
    github.with(|github| github.checks[0]["app"]["slug"] = json!("github-actions"));
    assert_eq!(approved(&*person, &head, &name).await.unwrap().unwrap().external_id.as_deref(), Some(HASH));
    let other = Check { head_sha: &sha("c"), ..check };
    assert!(put(&*person, &other).await.unwrap_err().hints.concat().contains("`checks: write`"));
}

#[tokio::test]
async fn a_check_that_an_older_run_makes_at_the_same_time_becomes_a_copy_of_the_one_that_counts() {
    let github = GitHub::stand_in();
    // The older run has looked and found none; the newer one makes its check before the older one makes its own.
    let head = sha("a");
    let newer = written(puts(&github, HASH, &run(21, 1)).await);
    let hidden = github.with(|github| github.checks.pop().unwrap());
    github.with(|github| github.appears_with_the_next_check = Some(hidden));
    assert_eq!(puts(&github, "sha256:older", &run(20, 1)).await, Put::Superseded(newer));
    let shown: Vec<_> = github.with(|github| {
        let shown = |check: &serde_json::Value| {
            [&check["external_id"], &check["conclusion"], &check["output"]].map(serde_json::Value::clone)
        };
        github.checks.iter().map(shown).collect()
    });
    assert_eq!((shown.len(), &shown[0]), (2, &shown[1]), "whichever the forge shows says what is approved");
    let forge = forge(Arc::new(github), &context(22, 1, &pull_request(12, &head)));
    let found = approved(&*forge, &head, "reachform plan (prod)").await.unwrap().unwrap();
    assert_eq!(found.external_id.as_deref(), Some(HASH));
}

#[tokio::test]
async fn a_check_of_a_plan_that_nobody_could_read_approves_nothing_until_it_is_written_again() {
    let github = GitHub::stand_in();
    let (head, first, again) = (sha("a"), run(20, 1), run(20, 2));
    let forge = forge(Arc::new(github), &context(20, 1, &pull_request(12, &head)));
    let unseen = Check { plan_hash: None, ..check(HASH, &head, &first) };
    let one = written(put(&*forge, &unseen).await.unwrap());
    assert!(one.is_of_unseen_plan());
    let two = written(put(&*forge, &check(HASH, &head, &again)).await.unwrap());
    assert_eq!((two.id, two.external_id.as_deref(), two.is_of_unseen_plan()), (one.id, Some(HASH), false));
}

#[tokio::test]
async fn a_check_that_has_not_ended_approves_nothing() {
    let github = GitHub::stand_in();
    github.with(|github| {
        github.checks.push(json!({"id": 1, "name": "n", "head_sha": sha("a"), "external_id": HASH,
            "status": "in_progress", "conclusion": null, "app": {"slug": "github-actions"}}));
    });
    let context = context(5, 1, &pull_request(12, &sha("a")));
    let forge = forge(Arc::new(github), &context);
    assert_eq!(approved(&*forge, &sha("a"), "n").await.unwrap(), None);
}
