//! A forge that does not answer, or loses what it was sent.

use std::time::{Duration, Instant};

use reachform::http::Method;

use super::super::forge::standin::{Fault, refusal};
use super::runner::Repository;

#[test]
fn one_server_error_costs_a_plan_neither_its_comment_nor_its_check_run() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let down = || Fault::Answer(refusal(502, "Bad Gateway", &[]));
    repository.github.fault(Method::Post, "/issues/12/comments", down());
    repository.github.fault(Method::Post, "/check-runs", down());
    let done = repository.runs(&[("command", "plan")]).ends(0);
    assert!(!done.ran.stderr.contains("warning"), "{done:#?}");
    let hash = done.output("plan-hash");
    repository.comment_says("planned", &[hash]);
    assert_eq!(repository.checks(), [("a".repeat(40), "neutral".to_owned(), hash.to_owned())]);
    repository.at_merge(30);
    repository.runs(&[("command", "apply")]).ends(0).gives(&[("applied", "1")]);
}

#[test]
fn a_forge_that_hangs_costs_a_plan_twenty_seconds_at_most_and_is_a_warning() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository.github.hang(true);
    let began = Instant::now();
    let done = repository.runs(&[("command", "plan"), ("labels", "true")]).ends(0).gives(&[("to-create", "1")]);
    // The plan itself and the start of three programs are in it too.
    assert!(began.elapsed() < Duration::from_secs(24), "{:?}", began.elapsed());
    let done = done.says("::warning title=reachform::could not tell the forge how it ended");
    assert_eq!(done.ran.stderr.matches("::warning ").count(), 1, "{done:#?}");
    assert!(done.summary.contains("— 1 to create"));
}
