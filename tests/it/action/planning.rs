//! `plan` and `validate` on a pull request of the repository's own.

use reachform::http::Method;
use serde_json::{Value, json};

use super::super::cli::program::MANIFEST;
use super::super::forge::standin::{Fault, refusal};
use super::runner::Repository;

#[test]
fn a_plan_is_a_comment_a_summary_a_check_run_and_outputs_that_say_the_same() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let done = repository.runs(&[("command", "plan")]).ends(0).gives(&[
        ("changes", "true"),
        ("to-create", "1"),
        ("to-update", "0"),
        ("exit-code", "2"),
        ("failure-reason", ""),
        ("summary", "Plan: 1 to create, 0 to update, 0 to delete, 0 to adopt. 0 unchanged."),
        ("truncated", "false"),
        ("applied", ""),
        ("plan-file", ""),
    ]);
    let hash = done.output("plan-hash");
    repository.comment_says("planned", &["— 1 to create", hash, "actions/runs/20"]);
    assert!(done.summary.contains("— 1 to create") && done.summary.contains(hash), "{}", done.summary);
    assert_eq!(repository.checks(), [("a".repeat(40), "neutral".to_owned(), hash.to_owned())]);
    let document: Value = serde_json::from_slice(&std::fs::read(done.output("plan-json")).unwrap()).unwrap();
    assert_eq!(document["plan_hash"], json!(hash));
    assert!(std::fs::read_to_string(done.output("plan-markdown")).unwrap().contains("— 1 to create"));
    let ids = repository.github.with(|github| (github.comments[0]["id"].clone(), github.checks[0]["id"].clone()));
    assert_eq!((done.output("comment-id"), done.output("check-id")), (&*ids.0.to_string(), &*ids.1.to_string()));
    assert!(done.output("comment-url").ends_with(&format!("#issuecomment-{}", ids.0)));
    assert_eq!(repository.service.writes(), 0);

    // The same commit once more is the same comment and the same check run, written anew.
    repository.runs(&[("command", "plan")]).ends(0);
    assert_eq!((repository.checks().len(), repository.comment().is_empty()), (1, false));
}

#[test]
fn what_fails_the_step_is_what_fail_on_says_and_the_exit_code_is_told_in_any_case() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let plan = |fail_on| repository.runs(&[("command", "plan"), ("fail-on", fail_on), ("comment", "off")]);
    plan("changes").ends(2).gives(&[("exit-code", "2"), ("failure-reason", "changes")]);
    plan("drift").ends(0).gives(&[("exit-code", "2"), ("failure-reason", "")]);
    repository.project.edit(MANIFEST, "phone_numbers:", "phone_number:");
    plan("error").ends(1).gives(&[("exit-code", "1"), ("failure-reason", "config-invalid")]);
    plan("never").ends(0).gives(&[("exit-code", "1"), ("failure-reason", "config-invalid")]);
    assert!(repository.github.with(|github| github.comments.is_empty()));
}

#[test]
fn mistakes_in_manifests_are_annotations_and_a_comment_and_not_a_plan() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository.project.edit(MANIFEST, "phone_numbers:", "phone_number:");
    let plan = repository.runs(&[("command", "plan"), ("sarif-file", "plan.sarif")]).ends(1);
    assert!(plan.ran.stderr.contains("::error "), "{plan:#?}");
    assert!(repository.project.read("plan.sarif").contains("\"2.1.0\""));
    repository.comment_says("failed", &["nothing was planned"]);
    let mistake = "- **error** `agents/riverside.yaml:";
    repository.comment_says("failed", &[mistake, "`unknown-field`"]);
    assert!(plan.summary.contains("nothing was planned") && plan.summary.contains(mistake), "{}", plan.summary);
    assert_eq!(repository.checks(), []);
    let quiet = repository.runs(&[("command", "validate"), ("annotations", "false")]).ends(1);
    assert!(!quiet.ran.stderr.contains("::error "), "{quiet:#?}");
    assert!(quiet.summary.contains("### Agents validate · `demo` — 1 mistake\n"), "{}", quiet.summary);
    assert!(quiet.summary.contains(mistake), "{}", quiet.summary);
    quiet.gives(&[("failure-reason", "config-invalid"), ("changes", "")]);
    repository.project.edit(MANIFEST, "phone_number:", "phone_numbers:");
    let valid = repository.runs(&[("command", "validate")]).ends(0);
    assert!(valid.summary.contains("### Agents validate · `demo` — 1 manifest is valid\n"), "{}", valid.summary);
}

#[test]
fn what_a_pipeline_writes_beside_the_manifests_is_no_change_of_them() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let plan =
        |file| repository.runs(&[("command", "plan"), ("plan-file", file), ("sarif-file", "out/plan.sarif")]).ends(0);
    repository.project.write("out/report.json", "{}");
    repository.project.write(".cache/reachform/schema.json", "{}");
    repository.project.write(".gitignore", "");
    super::super::cli::diff::git(&repository.project.dir(), &["commit", "-q", "-a", "-m", "nothing is ignored"]);
    for file in ["out/first.plan", "out/second.plan"] {
        let done = plan(file);
        let document: Value = serde_json::from_slice(&std::fs::read(done.output("plan-json")).unwrap()).unwrap();
        assert_eq!(document["source"]["dirty"], json!(false), "{document:#}");
    }
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    assert!(plan("out/third.plan").summary.contains("with changes that are not committed"));
}

#[test]
fn a_credential_that_is_missing_or_refused_is_told_apart_from_other_failures() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let without = repository.runs_without_credential(&[("command", "plan")]).ends(1);
    without.gives(&[("failure-reason", "auth"), ("exit-code", "1")]);
    let wrong = [("command", "plan"), ("token-anyreach", "ak_wrong.5f2c9d")];
    repository.runs_without_credential(&wrong).ends(1).gives(&[("failure-reason", "auth")]);
    repository.service.fault("500-before:GET /core/agents#1+");
    repository.runs(&[("command", "plan")]).ends(1).gives(&[("failure-reason", "api-error")]);
}

#[test]
fn wrong_inputs_are_told_all_at_once_and_fail_under_every_policy() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository
        .runs(&[("command", "plna"), ("summary", "yes"), ("comment", "sometimes"), ("fail-on", "never")])
        .ends(64)
        .says("the input `command` is `plna`, and may be `validate`, `plan`, `apply`, `drift`")
        .says("the input `summary` is `yes`, and may be `true`, `false`")
        .says("the input `comment` is `sometimes`")
        .gives(&[("exit-code", "64"), ("failure-reason", "usage"), ("changes", "")]);
    let plan = |name, value| repository.runs(&[("command", "plan"), ("fail-on", "never"), (name, value)]).ends(64);
    plan("args", "--bogus").says("unexpected argument '--bogus'");
    plan("args", "--json-out=/etc/x").says("cannot be used multiple times");
    plan("target", "nobody").says("no manifest has the key `nobody`");
    plan("target", "--auto-approve").says("a key consists of lower-case letters");
    plan("pr-number", "12; rm -rf /").says("may be a whole number");
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn what_github_refuses_is_a_warning_and_a_plan_that_nobody_can_approve_by_it_is_no_success() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let forbidden = || Fault::Answer(refusal(403, "Resource not accessible by integration", &[]));
    let too_long = || Fault::Answer(refusal(422, "Validation Failed", &[]));
    repository.github.fault(Method::Post, "/issues/12/comments", forbidden());
    repository.github.fault(Method::Post, "/issues/12/comments", forbidden());
    repository.github.fault(Method::Post, "/check-runs", forbidden());
    let done = repository.runs(&[("command", "plan")]).ends(1);
    let done = done.says("the permission `pull-requests: write`").says("`checks: write`").says("`approve: none`");
    let done = done.gives(&[("exit-code", "1"), ("failure-reason", "not-reported"), ("changes", "true")]);
    done.gives(&[("comment-id", ""), ("check-id", "")]);

    repository.github.fault(Method::Post, "/issues/12/comments", too_long());
    repository.github.fault(Method::Post, "/issues/12/comments", too_long());
    let done = repository.runs(&[("command", "plan"), ("fail-on", "changes")]).ends(1);
    let done = done.says("warning: could not");
    assert_ne!(done.output("check-id"), "");
    // Where no merge is applied by the hash, the plan ends as it would have.
    repository.github.fault(Method::Post, "/issues/12/comments", too_long());
    repository.github.fault(Method::Post, "/issues/12/comments", too_long());
    repository.runs(&[("command", "plan"), ("approve", "none"), ("fail-on", "changes")]).ends(2);
    assert!(done.summary.contains("— 1 to create"));
}

#[test]
fn a_hostile_prompt_is_no_command_to_the_runner_and_no_output_of_its_own() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    let hostile = "\n::error::from a prompt\n::set-output name=changes::false\nchanges=false\nEOF\n";
    repository.project.write("prompts/riverside.md", format!("# Role\n{hostile}"));
    let done = repository.runs(&[("command", "plan"), ("detail", "full")]).ends(0);
    for line in done.ran.stdout.lines().chain(done.ran.stderr.lines()) {
        assert!(!line.trim_start().starts_with("::error::from"), "{done:#?}");
    }
    done.gives(&[("changes", "true")]);
}

#[test]
fn a_label_says_what_the_plan_would_do_and_foreign_labels_stay() {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository.github.with(|github| github.labels.push((7, "theirs".to_owned())));
    let number = repository.github.with(|github| github.pulls[0]["number"].as_u64().unwrap());
    repository.github.with(|github| github.labels[0].0 = number);
    let labels = |repository: &Repository| {
        repository.github.with(|github| github.labels.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>())
    };
    repository.runs(&[("command", "plan")]).ends(0);
    assert_eq!(labels(&repository), ["theirs"], "only where it is asked for");
    repository.runs(&[("command", "plan"), ("labels", "true")]).ends(0);
    assert_eq!(labels(&repository), ["theirs", "agents demo: changes"]);
    repository.runs(&[("command", "apply"), ("approve", "none")]).ends(0);
    repository.runs(&[("command", "plan"), ("labels", "true")]).ends(0);
    assert_eq!(labels(&repository), ["theirs", "agents demo: no changes"]);
    // What is there already is not written again, and a forge that refuses is a warning.
    repository.github.take_writes();
    repository.runs(&[
        ("command", "plan"),
        ("labels", "true"),
        ("comment", "off"),
        ("check", "false"),
        ("approve", "none"),
    ]);
    assert_eq!(repository.github.take_writes(), Vec::<String>::new());
    repository.github.with(|github| github.labels.pop());
    repository.github.fault(Method::Post, "/labels", Fault::Answer(refusal(403, "no", &[])));
    let refused = repository.runs(&[("command", "plan"), ("labels", "true")]).ends(0);
    refused.says("pull-requests: write");
}
