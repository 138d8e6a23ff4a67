//! A cancelled job: the signal comes to the process that the step began as, and to no other.

use std::process::Command;
use std::time::{Duration, Instant};

use reachform::http::Method;
use serde_json::{Value, json};

use super::super::cli::program::SECRETS;
use super::super::cli::service::Server;
use super::runner::Repository;

/// The runner sends its second signal after seven and a half seconds.
const ORDERLY: Duration = Duration::from_secs(7);

const DELAY: Duration = Duration::from_millis(300);

fn cancelled(signal: &str, method: Method, path: &str) {
    let mut repository = Repository::with_service(Server::slow(DELAY));
    repository.at_merge(30);
    let apply = [("command", "apply"), ("approve", "none"), ("token-anyreach", SECRETS[0])];
    let begun = repository.begins(&apply);
    repository.service.wait_for(method, path);
    let kill = format!("kill -{signal} {}", begun.child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let began = Instant::now();
    let done = Repository::ended(begun);
    assert!(began.elapsed() < ORDERLY, "{signal}: {:?}", began.elapsed());
    let done = done.ends(130).gives(&[("exit-code", "130"), ("failure-reason", "interrupted"), ("failed", "1")]);
    let report: Value = serde_json::from_slice(&std::fs::read(done.output("plan-json")).unwrap()).unwrap();
    assert_eq!((&report["interrupted"], &report["complete"]), (&json!(true), &json!(false)), "{report:#}");
    let summary = report["summary"].as_object().unwrap();
    let outcomes: u64 = summary.iter().filter(|(name, _)| *name != "changes").map(|(_, n)| n.as_u64().unwrap()).sum();
    assert_eq!(summary["changes"], json!(outcomes), "{report:#}");
    repository.comment_says("partly-applied", &[]);
    assert!(!done.summary.is_empty());

    repository.runs(&[("command", "apply"), ("approve", "none")]).ends(0).gives(&[("failed", "0")]);
    repository.comment_says("applied", &[]);
    repository.runs(&[("command", "plan"), ("fail-on", "changes")]).ends(0);
    assert_eq!(repository.service.sandbox.with(|service| service.agents().len()), 1);
}

#[test]
fn a_cancelled_apply_ends_in_order_says_so_and_the_next_one_finishes() {
    std::thread::scope(|scope| {
        scope.spawn(|| cancelled("INT", Method::Post, "/versions"));
        scope.spawn(|| cancelled("TERM", Method::Post, "/publish"));
    });
}

#[test]
fn a_cancelled_plan_ends_at_once_and_leaves_no_planning_comment() {
    let mut repository = Repository::with_service(Server::slow(Duration::from_secs(20)));
    repository.at_pull_request(20, 'a');
    let begun = repository.begins(&[("command", "plan"), ("fail-on", "never"), ("token-anyreach", SECRETS[0])]);
    repository.service.wait_for(Method::Get, "/core/agents");
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", begun.child.id())]).status().unwrap().success());
    let began = Instant::now();
    let done = Repository::ended(begun).ends(130).gives(&[("failure-reason", "interrupted")]);
    assert!(began.elapsed() < ORDERLY, "{:?}", began.elapsed());
    repository.comment_says("failed", &["interrupted"]);
    assert!(done.summary.contains("interrupted"), "{}", done.summary);
}
