//! A forge that does not answer, or loses what it was sent.

use std::time::{Duration, Instant};

use reachform::http::Method;

use serde_json::json;

use super::super::cli::program::MANIFEST;
use super::super::forge::standin::{Fault, refusal};
use super::runner::Repository;

/// The comments on the pull request.
const COMMENTS: &str = "/issues/12/comments";

/// Any one comment.
const COMMENT: &str = "/issues/comments/";

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
fn a_forge_that_hangs_costs_a_plan_twenty_seconds_at_most_and_is_said_once() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository.github.hang(true);
    let began = Instant::now();
    let done = repository.runs(&[("command", "plan"), ("labels", "true")]).ends(1).gives(&[("to-create", "1")]);
    // The plan itself and the start of three programs are in it too.
    assert!(began.elapsed() < Duration::from_secs(24), "{:?}", began.elapsed());
    let done =
        done.says("::warning title=reachform::could not write the comment: the forge is slow or does not answer");
    for kind in ["::error ", "::warning "] {
        assert_eq!(done.ran.stderr.matches(kind).count(), 1, "{done:#?}");
    }
    let done = done.gives(&[("failure-reason", "not-reported")]);
    assert!(done.summary.contains("— 1 to create"));
}

/// Every further answer to such a request is a server error.
fn is_down(repository: &Repository, method: Method, path_end: &'static str, is_down: bool) {
    repository.github.fails(is_down.then_some((method, path_end)));
}

#[test]
fn a_plan_that_the_comment_does_not_show_is_approved_by_no_check_run_until_it_is_shown() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository.runs(&[("command", "plan")]).ends(0);
    // The edit of the comment fails for good, and then the question whose the comment is.
    for (run, head, method, path) in [(21, 'b', Method::Patch, COMMENT), (22, 'c', Method::Post, "/graphql")] {
        repository.at_pull_request(run, head);
        repository.project.edit(MANIFEST, "max_tool_steps: ", "max_tool_steps: 1");
        let before = repository.comment();
        repository.github.with(|github| github.user_is_unknown = path == "/graphql");
        is_down(&repository, method, path, true);
        let done = repository.runs(&[("command", "plan")]).ends(1);
        let done = done.gives(&[("failure-reason", "not-reported"), ("exit-code", "1")]).says("502");
        assert!(!done.ran.stderr.contains("check the number"), "{done:#?}");
        assert_eq!(done.ran.stderr.matches("::error ").count(), 1, "{done:#?}");
        let hash = done.output("plan-hash").to_owned();
        is_down(&repository, method, path, false);
        repository.github.with(|github| github.user_is_unknown = false);
        assert_eq!(repository.comment(), before, "what is shown is another plan");
        let (commit, conclusion, approves) = repository.checks().pop().unwrap();
        assert_eq!((commit, conclusion.as_str()), (head.to_string().repeat(40), "action_required"));
        assert_ne!(approves, hash);
        repository.at_merge(30);
        let refused = repository.runs(&[("command", "apply")]).ends(3).gives(&[("failure-reason", "not-approved")]);
        refused.says("says that its plan could not be shown in the comment");
        assert_eq!(repository.service.writes(), 0);
        // The same job again, once the forge is well, repairs it.
        repository.github.with(|github| {
            github.pulls[0]["state"] = json!("open");
            github.pulls[0]["merged_at"] = json!(null);
            github.comments.clear();
        });
        repository.at_pull_request(run, head).set("GITHUB_RUN_ATTEMPT", "2");
        repository.runs(&[("command", "plan")]).ends(0).gives(&[("plan-hash", &hash)]);
        repository.set("GITHUB_RUN_ATTEMPT", "1");
        repository.comment_says("planned", &[&hash]);
        assert_eq!(repository.checks().pop().unwrap(), (head.to_string().repeat(40), "neutral".to_owned(), hash));
    }
}

#[test]
fn what_was_not_written_is_named_and_a_lost_check_run_fails_the_step() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    is_down(&repository, Method::Post, "/check-runs", true);
    let done = repository.runs(&[("command", "plan")]).ends(1).gives(&[("failure-reason", "not-reported")]);
    let done = done.says("could not write the check run on the commit aaaaaaa");
    done.says("a merge of it could not be applied");
    repository.comment_says("planned", &[]);
    // Without an approval by the hash nothing is lost.
    repository.runs(&[("command", "plan"), ("approve", "none")]).ends(0);
    is_down(&repository, Method::Get, "/labels", true);
    let done = repository.runs(&[("command", "plan"), ("labels", "true")]).ends(0);
    done.says("::warning title=reachform::could not read the labels of #12");
}

#[test]
fn a_limit_that_names_no_time_is_said_to_be_one() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let limit = || refusal(429, "slow down", &[("retry-after", "3000")]);
    repository.github.fault(Method::Get, COMMENTS, Fault::Answer(limit()));
    let done = repository.runs(&[("command", "plan")]).ends(1);
    let done = done.says("could not read the comments on #12").says("the forge asked to wait ");
    done.says("the forge limits how often it may be asked");
}
