//! `apply`: what was reviewed is what is applied, or nothing is.

use serde_json::json;

use super::super::cli::program::MANIFEST;
use super::runner::{Done, MERGED, Repository};

fn planned() -> (Repository, String) {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let hash = repository.runs(&[("command", "plan")]).ends(0).output("plan-hash").to_owned();
    (repository, hash)
}

fn apply(repository: &Repository) -> Done {
    repository.runs(&[("command", "apply")])
}

#[test]
fn a_merge_applies_the_plan_that_the_check_run_of_its_head_commit_names() {
    let (mut repository, hash) = planned();
    repository.at_merge(30);
    let done = apply(&repository).ends(0).gives(&[
        ("applied", "1"),
        ("failed", "0"),
        ("exit-code", "0"),
        ("failure-reason", ""),
        ("plan-hash", &hash),
        ("summary", "Apply: 1 applied, 0 failed. 1 change."),
    ]);
    repository.comment_says("applied", &["— applied 1 of 1", "Earlier runs: [20]("]);
    assert!(done.summary.contains("— applied 1 of 1"), "{}", done.summary);
    let states: Vec<String> = repository
        .github
        .log()
        .iter()
        .filter_map(|exchange| {
            let body = String::from_utf8(exchange.request.body.clone()?).unwrap();
            let (_, rest) = body.split_once(" state=")?;
            Some(rest.split(' ').next().unwrap().to_owned())
        })
        .collect();
    assert_eq!(states, ["planning", "planned", "applying", "applied"]);

    // The job once more: everything is in place, and nothing is written.
    let writes = repository.service.writes();
    apply(&repository).ends(0);
    assert_eq!(repository.service.writes(), writes);
}

#[test]
fn another_plan_than_the_approved_one_is_refused_and_its_hash_applies_it_by_hand() {
    let (mut repository, hash) = planned();
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    repository.at_merge(30);
    let refused = apply(&repository).ends(3).gives(&[("exit-code", "3"), ("failure-reason", "plan-changed")]);
    let new = refused.output("plan-hash").to_owned();
    assert_ne!(new, hash);
    assert_eq!(repository.service.writes(), 0);
    repository.comment_says(
        "refused",
        &["**Nothing was changed.**", "not the plan that was approved", "The plan as it is now", &new],
    );
    assert!(refused.summary.contains(&new), "{}", refused.summary);
    refused.says(&format!("run a workflow with the input `approved-plan` `{new}`"));

    repository.event(31, "workflow_dispatch", &json!({"ref": "refs/heads/main"}));
    let by_hand = |hash: &str| repository.runs(&[("command", "apply"), ("approved-plan", hash)]);
    by_hand(&hash).ends(3);
    by_hand(&new).ends(0).gives(&[("applied", "1")]);
    repository.comment_says("applied", &["— applied 1 of 1"]);
}

#[test]
fn a_merge_that_nobody_planned_is_refused_with_its_plan_and_passes_where_nothing_changes() {
    let mut repository = Repository::new();
    repository.at_merge(30);
    let refused = apply(&repository).ends(3).gives(&[("failure-reason", "not-approved"), ("to-create", "1")]);
    repository.comment_says("refused", &["no plan was approved", refused.output("plan-hash")]);
    assert_eq!(repository.service.writes(), 0);
    repository.runs(&[("command", "apply"), ("approve", "none")]).ends(0).gives(&[("applied", "1")]);
    apply(&repository).ends(0).gives(&[("exit-code", "0"), ("changes", "false"), ("failure-reason", "")]);
}

#[test]
fn neither_a_comment_nor_the_check_run_of_another_app_approves_a_plan() {
    let (mut repository, hash) = planned();
    repository.github.with(|github| {
        // The comment names the hash, and so does a check run that a stranger's app wrote.
        github.add_comment(12, "eve", &format!("approved: {hash}"));
        github.checks[0]["app"]["slug"] = json!("eves-app");
    });
    repository.at_merge(30);
    apply(&repository).ends(3).gives(&[("failure-reason", "not-approved")]);
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn a_plan_of_an_older_head_commit_approves_nothing() {
    let (mut repository, _) = planned();
    repository.github.with(|github| github.push(12, &"b".repeat(40)));
    repository.at_merge(30);
    apply(&repository).ends(3).says("the commit bbbbbbbbbbbb of #12 has no check run `reachform plan (demo)`");
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn a_plan_with_errors_approves_nothing() {
    let (mut repository, _) = planned();
    repository.github.with(|github| github.checks[0]["conclusion"] = json!("failure"));
    repository.at_merge(30);
    apply(&repository).ends(3).says("the plan that was reviewed could not be applied");
}

#[test]
fn a_check_run_that_was_cancelled_or_skipped_approves_nothing() {
    let (mut repository, _) = planned();
    repository.at_merge(30);
    for conclusion in ["cancelled", "skipped", "timed_out", "stale", "startup_failure"] {
        repository.github.with(|github| github.checks[0]["conclusion"] = json!(conclusion));
        let done = apply(&repository).ends(3).gives(&[("failure-reason", "not-approved")]);
        done.says(&format!("ended as `{conclusion}`"));
    }
    assert_eq!(repository.service.writes(), 0);
    repository.github.with(|github| github.checks[0]["conclusion"] = json!("action_required"));
    apply(&repository).ends(0);
}

#[test]
fn the_plan_of_a_pull_request_that_is_not_merged_is_approved_by_nobody() {
    let (mut repository, _) = planned();
    // Of an open one, also where its number was given, and of one that was closed without a merge.
    repository.event(30, "push", &json!({"ref": "refs/heads/main"}));
    let named = [("command", "apply"), ("pr-number", "12")];
    let open = repository.runs(&named).ends(3).gives(&[("failure-reason", "not-approved")]);
    open.says("#12 is not merged");
    repository.github.with(|github| github.pulls[0]["state"] = json!("closed"));
    repository.runs(&named).ends(3).says("#12 is not merged");
    repository.github.with(|github| github.pulls[0]["state"] = json!("open"));
    // Before the merge, in a run of the pull request itself.
    repository.at_pull_request(31, 'a');
    apply(&repository).ends(3).says("#12 is not merged");
    assert_eq!(repository.service.writes(), 0);
    repository.at_merge(32);
    apply(&repository).ends(0).gives(&[("applied", "1")]);
}

#[test]
fn a_push_without_a_pull_request_says_how_one_was_looked_for() {
    let mut repository = Repository::new();
    repository.event(30, "push", &json!({"ref": "refs/heads/main"}));
    let done = apply(&repository).ends(3).gives(&[("failure-reason", "not-approved")]);
    done.says(&format!("of the commit {}", MERGED.to_string().repeat(40)));
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn a_saved_plan_is_applied_in_another_job_and_no_other_one_is() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let saved = [("approve", "artifact"), ("plan-file", "agents.plan")];
    let plan = repository.runs(&[&[("command", "plan")], &saved[..]].concat()).ends(0);
    assert_eq!(plan.output("plan-file"), "agents.plan");
    repository.at_merge(30);
    let apply = || repository.runs(&[&[("command", "apply")], &saved[..]].concat());
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    apply().ends(3).gives(&[("failure-reason", "plan-changed")]);
    assert_eq!(repository.service.writes(), 0);
    repository.project.edit(MANIFEST, "max_tool_steps: 5", "max_tool_steps: 4");
    apply().ends(0).gives(&[("applied", "1")]);
    std::fs::remove_file(repository.project.path("agents.plan")).unwrap();
    apply().ends(1).says("agents.plan");
}

#[test]
fn an_apply_that_ends_halfway_is_5_and_the_comment_says_so() {
    let (mut repository, hash) = planned();
    repository.at_merge(30);
    repository.service.fault("500-before:POST */publish#1+");
    let done = apply(&repository).ends(5).gives(&[("exit-code", "5"), ("failure-reason", "apply-partial")]);
    done.gives(&[("applied", "0"), ("failed", "1"), ("plan-hash", &hash)]);
    repository.comment_says("partly-applied", &["run the job again"]);
}

#[test]
fn a_push_without_a_pull_request_is_refused_once_with_a_hint_that_an_apply_has() {
    let mut repository = Repository::new();
    repository.event(30, "push", &json!({"ref": "refs/heads/main"}));
    let done = repository.runs(&[("command", "apply")]).ends(3).gives(&[("failure-reason", "not-approved")]);
    // In the text of the error and in its annotation.
    assert_eq!(done.ran.stderr.matches("could not find the pull request").count(), 2, "{done:#?}");
    assert!(!done.ran.stderr.contains("--pull-request") && !done.ran.stderr.contains("pr-number"), "{done:#?}");
    done.says("run a workflow with the input `approved-plan` `sha256:");
}
