//! The drift cron: `drift --issue`, and the action's `drift`.

use serde_json::{Value, json};

use super::super::cli::commands::{commands, typed};
use super::super::cli::program::{MANIFEST, Project, SECRETS};
use super::super::forge::standin::{Fault, refusal};
use super::runner::{Done, FORGE_TOKEN, Repository};
use reachform::http::Method;

fn applied() -> Repository {
    let mut repository = Repository::new();
    repository.event(30, "schedule", &json!({"schedule": "17 6 * * *"}));
    repository.runs(&[("command", "apply"), ("approve", "none"), ("comment", "off")]).ends(0);
    repository
}

fn drift(repository: &Repository) -> Done {
    repository.runs(&[("command", "drift")])
}

fn issue(repository: &Repository) -> Value {
    repository.github.with(|github| {
        assert_eq!(github.issues.len(), 1, "{:#?}", github.issues);
        github.issues[0].clone()
    })
}

fn told(repository: &Repository) -> Vec<String> {
    repository.github.with(|github| github.bodies(1))
}

#[test]
fn one_issue_is_opened_edited_told_closed_and_opened_again() {
    let repository = applied();
    let clean = drift(&repository).ends(0).gives(&[("exit-code", "0"), ("drifted", "0"), ("issue-number", "")]);
    assert!(clean.summary.contains("Agent drift") || clean.summary.contains("drift"), "{}", clean.summary);
    assert!(repository.github.with(|github| github.issues.is_empty()));

    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    let found = drift(&repository).ends(0).gives(&[
        ("exit-code", "2"),
        ("failure-reason", ""),
        ("changes", "true"),
        ("drifted", "1"),
        ("issue-number", "1"),
        ("summary", "Drift: 1 agent changed outside of Git, 0 as applied, 0 not checked."),
    ]);
    assert!(found.summary.contains("max_tool_steps"), "{}", found.summary);
    let opened = issue(&repository);
    assert_eq!((&opened["state"], &opened["title"]), (&json!("open"), &json!("Agent drift in demo")));
    assert_eq!(opened["labels"], json!([{"name": "reachform-drift"}]));
    let body = opened["body"].as_str().unwrap();
    assert!(body.starts_with("<!-- reachform:issue ") && !body.contains("<!-- reachform:drift "), "{body}");
    assert!(body.contains("max_tool_steps"), "{body}");

    // The same drift a day later: the text is kept up to date and nobody is told again.
    drift(&repository).ends(0).says("Issue #1 u");
    assert!(told(&repository).is_empty());
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(11));
    drift(&repository).ends(0).says("Issue #1 commented on");
    let news = told(&repository);
    assert!(news.len() == 1 && news[0].contains("- `agent.riverside`: 1 value"), "{news:?}");

    // The service is down: that is no peace, and what was known stays to be read.
    repository.service.fault("500-before:GET /core/agents#1+");
    drift(&repository).ends(1).gives(&[("exit-code", "1"), ("failure-reason", "api-error")]);
    let known = issue(&repository);
    let body = known["body"].as_str().unwrap();
    assert!(known["state"] == "open" && body.contains("NOT CHECKED") && body.contains("max_tool_steps"), "{body}");
    repository.service.sandbox.clear_faults();

    repository.service.dashboard_edit("/agent/max_tool_steps", json!(4));
    drift(&repository).ends(0).says("Issue #1 closed").gives(&[("drifted", "0")]);
    assert_eq!((&issue(&repository)["state"], told(&repository).len()), (&json!("closed"), 2));
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(12));
    drift(&repository).ends(0).says("Issue #1 reopened").gives(&[("issue-number", "1")]);
    assert_eq!((&issue(&repository)["state"], told(&repository).len()), (&json!("open"), 3));
}

#[test]
fn a_check_of_some_agents_leaves_the_issue_of_all_alone() {
    let repository = applied();
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    let targeted = [("command", "drift"), ("target", "riverside"), ("fail-on", "drift")];
    let done = repository.runs(&targeted).ends(1).gives(&[("failure-reason", "not-reported"), ("issue-number", "")]);
    done.says("only some agents were checked");
    let quiet = repository.runs(&[&targeted[..], &[("drift-issue", "off")]].concat()).ends(2);
    quiet.gives(&[("failure-reason", "drift")]);
    assert!(repository.github.with(|github| github.issues.is_empty()));
    repository.runs(&[("command", "drift"), ("drift-issue", "update")]).ends(0);
    repository.runs(&[("command", "drift"), ("drift-issue", "off")]).ends(0);
    assert!(repository.github.with(|github| github.issues.is_empty()));
}

#[test]
fn drift_that_could_not_be_reported_fails_the_step_under_every_policy() {
    let repository = applied();
    let forbidden = || Fault::Answer(refusal(403, "Resource not accessible by integration", &[]));
    let disabled = || Fault::Answer(refusal(410, "Issues are disabled for this repo", &[]));
    let down = || Fault::Answer(refusal(502, "Bad Gateway", &[]));
    // What a check finds that is as it should be concerns nobody.
    repository.github.fault(Method::Get, "/issues", disabled());
    drift(&repository).ends(0).gives(&[("exit-code", "0")]);

    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    let fails = |fail_on: &str| {
        let done = repository.runs(&[("command", "drift"), ("fail-on", fail_on)]).ends(1);
        assert_eq!(
            done.ran.stderr.matches("::error title=reachform::the issue on drift could not").count(),
            1,
            "{done:#?}"
        );
        done.gives(&[("exit-code", "1"), ("failure-reason", "not-reported"), ("drifted", "1"), ("issue-number", "")])
    };
    for fail_on in ["error", "drift", "changes", "never"] {
        repository.github.fault(Method::Post, "/issues", forbidden());
        fails(fail_on).says("`issues: write`");
    }
    repository.github.fault(Method::Get, "/issues", disabled());
    fails("error").says("Issues are disabled").says("turn them on under Settings → General → Features");
    for _ in 0..3 {
        repository.github.fault(Method::Post, "/issues", down());
    }
    fails("error").says("502");
    // One 5xx is looked up and sent again.
    repository.github.fault(Method::Post, "/issues", down());
    drift(&repository).ends(0).gives(&[("exit-code", "2"), ("issue-number", "1")]);
    // The issue says so and nobody was told: an edit tells nobody.
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(11));
    repository.github.fault(Method::Post, "/issues/1/comments", forbidden());
    drift(&repository).ends(1).gives(&[("failure-reason", "not-reported"), ("issue-number", "1")]);
}

#[test]
fn drift_that_could_not_look_says_so_once_and_why_as_a_plan_would() {
    let repository = applied();
    let wrong = [("command", "drift"), ("token-anyreach", "ak_wrong")];
    for (fail_on, code) in [("error", 1), ("never", 0)] {
        for (with, words) in [(&wrong[..], "401"), (&wrong[..1], "there is no credential")] {
            let done = repository.runs_without_credential(&[with, &[("fail-on", fail_on)]].concat()).ends(code);
            let done = done.gives(&[("exit-code", "1"), ("failure-reason", "auth")]).says(words);
            let errors = done.ran.stderr.matches("::error title=reachform::drift could not be checked").count();
            assert_eq!((errors, done.ran.stderr.matches("::error ").count()), (1, 1), "{done:#?}");
        }
    }
    let plan = repository.runs_without_credential(&[("command", "plan"), ("token-anyreach", "ak_wrong")]).ends(1);
    plan.gives(&[("failure-reason", "auth")]);
    repository.service.fault("500-before:GET /core/agents#1+");
    drift(&repository).ends(1).gives(&[("failure-reason", "api-error")]);
}

#[test]
fn without_a_token_for_the_forge_drift_is_a_failure_and_peace_is_none() {
    let mut repository = applied();
    let api = repository.variables()["GITHUB_API_URL"].clone();
    repository.set("GITHUB_API_URL", "ftp://nowhere");
    drift(&repository).ends(0);
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    drift(&repository).ends(1).gives(&[("failure-reason", "not-reported")]);
    repository.runs(&[("command", "drift"), ("drift-issue", "off")]).ends(0).gives(&[("exit-code", "2")]);
    repository.set("GITHUB_API_URL", &api);
    drift(&repository).ends(0).gives(&[("issue-number", "1")]);
}

#[test]
fn the_command_keeps_the_issue_too_and_its_exit_code_is_the_checks() {
    let repository = applied();
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    let project = &repository.project;
    let run = |arguments: &[&str], token: &str| {
        let mut command = project.command(&[&["drift", "--detailed-exitcode"], arguments].concat());
        command.envs(repository.variables()).env("ANYREACH_TOKEN", SECRETS[0]);
        command.env("GITHUB_TOKEN", token);
        crate::cli::program::Ran::of(command.output().unwrap())
    };
    // There is no token: nobody would learn of the drift.
    let unsaid = run(&["--issue"], "").ends(1).says("GITHUB_TOKEN or GH_TOKEN is not set");
    unsaid.says("nobody would learn what was found");
    let ran = run(&["--issue", "--issue-label", "agents", "--json"], FORGE_TOKEN).ends(2).says("Issue #1 opened");
    assert_eq!(ran.json()["state"], json!("drifted"));
    assert_eq!(issue(&repository)["labels"], json!([{"name": "agents"}]));
    run(&["--issue=update"], FORGE_TOKEN).ends(2).says("Issue #1 u");
    run(&["--issue=never"], FORGE_TOKEN).ends(64);
    run(&["--issue", "--adopt"], FORGE_TOKEN).ends(64);
}

#[test]
fn the_commands_of_the_issue_work_as_they_are_in_a_checkout() {
    let repository = applied();
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    drift(&repository).ends(0);
    let body = issue(&repository)["body"].as_str().unwrap().to_owned();
    let printed = commands(&body);
    let [revert, adopt] = printed.as_slice() else { panic!("{printed:?}\n{body}") };
    let person =
        Project::quickstart().with("ANYREACH_API_URL", &repository.service.url).with("ANYREACH_TOKEN", SECRETS[0]);
    typed(&person, adopt).ends(0);
    assert!(person.read(MANIFEST).contains("max_tool_steps: 9"), "{adopt}");
    typed(&person, revert).ends(0);
}
