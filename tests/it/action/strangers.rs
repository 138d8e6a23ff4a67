//! Pull requests from forks and of Dependabot.

use serde_json::{Value, json};

use super::super::cli::diff::git;
use super::super::cli::program::MANIFEST;
use super::runner::{Done, Repository};

fn fork() -> Value {
    let mut event = crate::forge::pull_request(13, &"f".repeat(40));
    event["pull_request"]["head"]["repo"]["full_name"] = json!("eve/agents");
    event["pull_request"]["head"]["label"] = json!("eve:fix");
    event
}

/// A fork's change of one number, checked out as a branch beside `origin/main`.
fn checked_out() -> Repository {
    let mut repository = Repository::new();
    repository.event(20, "pull_request", &fork()).set("GITHUB_BASE_REF", "main");
    let dir = repository.project.dir();
    git(&dir, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 7");
    git(&dir, &["commit", "-q", "-a", "-m", "seven"]);
    repository
}

fn plan(repository: &Repository, policy: &str) -> Done {
    repository.runs_without_credential(&[("command", "plan"), ("fork-policy", policy)])
}

#[track_caller]
fn nothing_was_asked(repository: &Repository) {
    assert_eq!(repository.github.take_writes(), Vec::<String>::new());
    assert!(repository.service.sandbox.log().is_empty());
}

#[test]
fn a_fork_gets_the_offline_difference_without_any_credential() {
    let repository = checked_out();
    let done = plan(&repository, "diff").ends(0).gives(&[
        ("changes", "true"),
        ("exit-code", "2"),
        ("failure-reason", ""),
        ("plan-hash", ""),
        ("summary", "Offline difference: 1 of 1 manifests differ."),
    ]);
    assert!(done.summary.contains("max_tool_steps"), "{}", done.summary);
    assert!(done.ran.stdout.contains("max_tool_steps"), "{done:#?}");
    assert!(std::fs::read_to_string(done.output("plan-markdown")).unwrap().contains("max_tool_steps"));
    nothing_was_asked(&repository);
    plan(&repository, "fail-if-changed").ends(2).gives(&[("failure-reason", "changes")]);
    let skipped = plan(&repository, "skip").ends(0).gives(&[("changes", ""), ("exit-code", "0")]);
    assert!(skipped.summary.is_empty());
    nothing_was_asked(&repository);
}

#[test]
fn a_merge_made_for_the_run_is_compared_with_what_it_was_merged_into() {
    let mut repository = checked_out();
    let dir = repository.project.dir();
    git(&dir, &["branch", "head"]);
    git(&dir, &["checkout", "-q", "origin/main"]);
    // The base has gone on since, which is none of the fork's doing.
    repository.project.edit(MANIFEST, "name: Riverside Dental Scheduler", "name: Riverside");
    git(&dir, &["commit", "-q", "-a", "-m", "the base goes on"]);
    git(&dir, &["merge", "-q", "--no-ff", "-m", "merge", "head"]);
    // The forge names the merge that it made.
    repository.set("GITHUB_BASE_REF", "main").set("GITHUB_SHA", &crate::cli::diff::head(&dir));
    let done = plan(&repository, "diff").ends(0);
    assert!(done.summary.contains("max_tool_steps") && !done.summary.contains("/name"), "{}", done.summary);
}

#[test]
fn a_merge_that_the_fork_ends_with_is_not_taken_for_one_of_the_forge() {
    let mut repository = checked_out();
    let dir = repository.project.dir();
    // Its first parent holds the change already, so that against it nothing would differ.
    git(&dir, &["checkout", "-q", "-b", "side", "origin/main"]);
    git(&dir, &["commit", "-q", "--allow-empty", "-m", "side"]);
    git(&dir, &["checkout", "-q", "-"]);
    git(&dir, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    repository.set("GITHUB_BASE_REF", "main").set("GITHUB_SHA", &"c".repeat(40));
    let done = plan(&repository, "diff").ends(0);
    assert!(done.summary.contains("max_tool_steps"), "{}", done.summary);
}

#[test]
fn a_shallow_checkout_says_what_to_do() {
    let mut repository = Repository::new();
    repository.event(20, "pull_request", &fork()).set("GITHUB_BASE_REF", "main");
    plan(&repository, "diff").ends(1).says("there is no commit `origin/main` in this checkout");
    nothing_was_asked(&repository);
}

#[test]
fn dependabot_is_a_stranger_and_a_fork_never_applies() {
    let mut repository = checked_out();
    let mut event = crate::forge::pull_request(12, &"a".repeat(40));
    event["pull_request"]["user"]["login"] = json!("dependabot[bot]");
    repository.event(21, "pull_request", &event);
    plan(&repository, "diff").ends(0).gives(&[("changes", "true")]);
    repository.event(22, "pull_request", &fork());
    let apply = [("command", "apply"), ("approve", "none")];
    repository.runs(&apply).ends(1).says("nothing is applied for a pull request from a fork");
    repository.runs_without_credential(&apply).ends(1);
    nothing_was_asked(&repository);
}

#[test]
fn manifests_of_a_fork_are_validated_offline() {
    let repository = checked_out();
    let validate = |repository: &Repository| repository.runs_without_credential(&[("command", "validate")]);
    validate(&repository).ends(0).says("1 manifest is in order; without a credential");
    repository.project.edit(MANIFEST, "phone_numbers:", "phone_number:");
    let broken = validate(&repository).ends(1).gives(&[("failure-reason", "config-invalid")]);
    assert!(broken.ran.stderr.contains("::error "), "{broken:#?}");
    assert!(broken.summary.contains("— 1 mistake\n"), "{}", broken.summary);
    nothing_was_asked(&repository);
}

#[test]
fn a_run_with_the_trust_of_the_base_and_the_files_of_the_head_is_refused_with_advice() {
    let mut repository = checked_out();
    repository.event(20, "pull_request_target", &fork());
    let dir = repository.project.dir();
    let base = String::from_utf8(
        std::process::Command::new("git")
            .arg("-C")
            .arg(&dir)
            .args(["rev-parse", "origin/main"])
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    repository.set("GITHUB_SHA", base.trim());
    let run = |repository: &Repository| repository.runs(&[("command", "plan"), ("fail-on", "error")]);
    run(&repository).ends(1).says("refused: the files here are not those of the base branch").says("on: pull_request");
    nothing_was_asked(&repository);
    // The base with one file of the head is no better.
    git(&dir, &["checkout", "-q", "--detach", "origin/main"]);
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 7");
    run(&repository).ends(1).says("refused: the files here");
    git(&dir, &["checkout", "-q", "--", "."]);
    run(&repository).ends(0);
}
