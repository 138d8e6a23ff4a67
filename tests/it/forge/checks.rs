//! The check run that a plan is approved by.

use std::sync::Arc;

use reachform::forge::check::{Check, Conclusion, approved, name, put};
use serde_json::json;

use super::github::GitHub;
use super::{context, forge, pull_request, sha};

const HASH: &str = "sha256:9b1c000000000000000000000000000000000000000000000000000000000e07";

#[tokio::test]
async fn a_plans_hash_is_read_back_from_the_check_that_we_wrote_and_from_no_other() {
    let github = GitHub::stand_in();
    let context = context(5, 1, &pull_request(12, &sha("a")));
    let forge = forge(Arc::new(github.clone()), &context);
    let name = name("prod", None);
    let head = sha("a");
    assert_eq!(approved(&*forge, &head, &name).await.unwrap(), None);
    let check = Check {
        name: &name,
        head_sha: &head,
        plan_hash: "sha256:first",
        conclusion: Conclusion::Neutral,
        title: "Plan: 1 to update",
        summary: "table",
        details_url: Some("https://github.com/acme/agents/actions/runs/5"),
    };
    let first = put(&*forge, &check).await.unwrap();
    // Written anew, not twice.
    let second = put(&*forge, &Check { plan_hash: HASH, ..check.clone() }).await.unwrap();
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
