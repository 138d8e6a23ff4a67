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
    plan(&repository, "diff").ends(1).says("this checkout has no commit `origin/main`");
    nothing_was_asked(&repository);
}

#[test]
fn dependabot_is_a_stranger_and_a_fork_never_applies() {
    let mut repository = checked_out();
    let mut event = crate::forge::pull_request(12, &"a".repeat(40));
    event["pull_request"]["user"]["login"] = json!("dependabot[bot]");
    repository.event(21, "pull_request", &event);
    plan(&repository, "diff").ends(0).gives(&[("changes", "true")]);
    let apply = |repository: &Repository, whose: &str| {
        repository.runs(&APPLY).ends(1).says(&format!("nothing is applied for a pull request {whose}"));
        repository.runs_without_credential(&APPLY).ends(1);
    };
    let head = commit(&repository, "HEAD");
    repository.set("GITHUB_SHA", &head);
    apply(&repository, "of Dependabot");
    repository.event(22, "pull_request", &fork()).set("GITHUB_SHA", &head);
    apply(&repository, "from a fork");
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

/// The commit of a reference.
fn commit(repository: &Repository, reference: &str) -> String {
    let dir = repository.project.dir();
    let output = std::process::Command::new("git").arg("-C").arg(&dir).args(["rev-parse", reference]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Events that run with the repository's secrets, whoever caused them, with what each says.
fn lending() -> Vec<(&'static str, Value)> {
    let same = crate::forge::pull_request(12, &"a".repeat(40));
    let after = json!({"workflow_run": {"id": 9, "head_sha": "f".repeat(40), "head_branch": "fix", "pull_requests": [],
        "head_repository": {"full_name": "acme/agents", "owner": {"login": "acme"}}}});
    vec![
        ("pull_request_target", fork()),
        ("pull_request_target", same.clone()),
        ("issue_comment", json!({"issue": {"number": 13, "pull_request": {"url": "u"}}})),
        ("issue_comment", json!({"issue": {"number": 3}})),
        ("issues", json!({"issue": {"number": 3}})),
        ("discussion_comment", json!({"discussion": {"number": 3}})),
        ("workflow_run", after),
        ("repository_dispatch", json!({"action": "apply", "client_payload": {"ref": "refs/pull/13/head"}})),
        ("pull_request_review", same.clone()),
        ("pull_request_review_comment", same),
        // A fork's, with a credential all the same.
        ("pull_request", fork()),
        ("an_event_of_next_year", json!({})),
        ("", json!({})),
    ]
}

const APPLY: [(&str, &str); 2] = [("command", "apply"), ("approve", "none")];

#[test]
fn whoever_caused_a_run_nothing_is_done_with_other_files_than_those_of_its_commit() {
    let mut repository = checked_out();
    let base = commit(&repository, "origin/main");
    for (event, payload) in lending() {
        repository.event(20, event, &payload).set("GITHUB_SHA", &base);
        for command in [&APPLY[..], &[("command", "plan"), ("fail-on", "never")]] {
            let done = repository.runs(command).ends(1).says("the checkout is at ").says("a stranger's");
            assert!(done.output("summary").starts_with("refused: in "), "{done:#?}");
            let done = done.gives(&[("failure-reason", "wrong-event")]);
            done.says(&if event.is_empty() { "a run without an event".to_owned() } else { format!("`{event}`") });
        }
    }
    nothing_was_asked(&repository);
}

#[test]
fn files_beside_the_commit_are_refused_be_they_changed_unknown_or_ignored() {
    let mut repository = checked_out();
    let dir = repository.project.dir();
    git(&dir, &["checkout", "-q", "--detach", "origin/main"]);
    let base = commit(&repository, "HEAD");
    repository.event(20, "repository_dispatch", &json!({})).set("GITHUB_SHA", &base);
    let plan = |repository: &Repository| repository.runs(&[("command", "plan")]);
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 7");
    plan(&repository).ends(1).says("`agents/riverside.yaml` is not as the commit").says("`repository_dispatch`");
    git(&dir, &["checkout", "-q", "--", "."]);
    for file in ["agents/more.yaml", "agents/new/deep.yaml", ".reachform/more.yaml"] {
        repository.project.write(file, "key: more\nname: More\n");
        plan(&repository).ends(1).says("is not as the commit");
        std::fs::remove_file(repository.project.path(file)).unwrap();
    }
    nothing_was_asked(&repository);
    plan(&repository).ends(0);
}

#[test]
fn a_project_in_a_folder_that_no_commit_has_is_refused() {
    let mut repository = checked_out();
    let dir = repository.project.dir();
    git(&dir, &["checkout", "-q", "--detach", "origin/main"]);
    let base = commit(&repository, "HEAD");
    repository.event(20, "issues", &json!({"issue": {"number": 3}})).set("GITHUB_SHA", &base);
    for folder in ["unknown", ".reachform/ignored"] {
        repository.project.write(&format!("{folder}/agents/a.yaml"), "key: a\nname: A\n");
        let done = repository.runs(&[("command", "plan"), ("config", folder)]).ends(1);
        done.says("is not as the commit");
        std::fs::remove_dir_all(repository.project.path(folder)).unwrap();
    }
    // Another checkout inside the first one, as of a stranger's head.
    git(&dir, &["worktree", "add", "-q", "--detach", "head", "main"]);
    repository.runs(&[("command", "plan"), ("config", "head")]).ends(1).says("the checkout is at ");
    nothing_was_asked(&repository);
}

#[test]
fn what_cannot_be_told_of_the_files_is_refused_too() {
    let mut repository = checked_out();
    repository.event(20, "issues", &json!({"issue": {"number": 3}})).set("GITHUB_SHA", "");
    repository.runs(&APPLY).ends(1).says("GITHUB_SHA is not set");
    let head = commit(&repository, "HEAD");
    repository.set("GITHUB_SHA", &head);
    std::fs::rename(repository.project.path(".git"), repository.project.home().join("git")).unwrap();
    repository.runs(&APPLY).ends(1).says("git does not say which commit the files are of");
    nothing_was_asked(&repository);
}

#[test]
fn files_of_the_runs_own_commit_are_worked_with_whatever_the_event() {
    let mut repository = checked_out();
    let head = commit(&repository, "HEAD");
    for (event, payload) in lending() {
        repository.event(20, event, &payload).set("GITHUB_SHA", &head);
        repository.runs(&[("command", "validate")]).ends(0);
    }
    // A comment on a pull request may be on that of a fork, for which nothing is applied.
    repository.event(20, "issue_comment", &json!({"issue": {"number": 13, "pull_request": {"url": "u"}}}));
    repository.set("GITHUB_SHA", &head);
    repository.runs(&APPLY).ends(1).says("a pull request that may come from a fork");
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn a_plan_of_the_base_is_never_shown_as_that_of_a_pull_request() {
    let mut repository = checked_out();
    let head = commit(&repository, "HEAD");
    let comment = json!({"issue": {"number": 13, "pull_request": {"url": "u"}}});
    let own = crate::forge::pull_request(12, &"a".repeat(40));
    let document = repository.project.home().join("plan.json").display().to_string();
    for (event, payload) in [("pull_request_target", fork()), ("pull_request_target", own), ("issue_comment", comment)]
    {
        repository.event(20, event, &payload).set("GITHUB_SHA", &head);
        let plan =
            repository.runs(&[("command", "plan")]).ends(1).says("the plan of the base as that of the pull request");
        plan.says(&format!("a run of the event `{event}` has the files of the base"));
        nothing_was_asked(&repository);
        // Nor by the command, whatever the document says of itself.
        let mut command = repository.project.command(&["plan", "--json-out", &document]);
        command.envs(repository.variables()).env("ANYREACH_TOKEN", crate::cli::program::SECRETS[0]);
        crate::cli::program::Ran::of(command.output().unwrap()).ends(0);
        repository.github.with(|github| github.pulls.retain(|pull| pull["number"] != 13));
        repository.github.with(|github| github.add_pull(13, &"f".repeat(40), "eve/agents", "fix"));
        let mut command = repository.project.command(&["comment", &document]);
        command.envs(repository.variables()).env("GITHUB_TOKEN", super::runner::FORGE_TOKEN);
        let ran = crate::cli::program::Ran::of(command.output().unwrap()).ends(0);
        ran.says(&format!("it was made of the commit {head}"));
        assert!(repository.github.with(|github| github.comments.is_empty()), "{event}");
        repository.service.sandbox.clear_log();
        repository.github.take_writes();
    }
}

#[test]
fn a_job_after_a_job_shows_no_plan_of_the_base_as_that_of_the_commit_that_triggered_it() {
    let mut repository = checked_out();
    let head = commit(&repository, "HEAD");
    repository.github.with(|github| github.add_pull(13, &"f".repeat(40), "eve/agents", "fix"));
    for (whose, listed) in [("eve/agents", json!([])), ("acme/agents", json!([{"number": 12}]))] {
        let run = json!({"id": 9, "event": "pull_request", "head_sha": "f".repeat(40), "head_branch": "fix",
            "pull_requests": listed, "head_repository": {"full_name": whose, "owner": {"login": "eve"}}});
        repository.event(20, "workflow_run", &json!({ "workflow_run": run })).set("GITHUB_SHA", &head);
        let done = repository.runs(&[("command", "plan"), ("fail-on", "error")]).ends(1);
        let done = done.says("the plan of the base as that of the pull request").says("the event `workflow_run`");
        let done = done.gives(&[("failure-reason", "wrong-event"), ("plan-hash", "")]);
        assert!(done.output("summary").starts_with("refused: this would show the plan of the base"), "{done:#?}");
        nothing_was_asked(&repository);
    }
    // After a run of the default branch the files are those of the commit that triggered it.
    let run = json!({"id": 9, "event": "push", "head_sha": head, "head_branch": "main", "pull_requests": [],
        "head_repository": {"full_name": "acme/agents", "owner": {"login": "acme"}}});
    repository.event(20, "workflow_run", &json!({ "workflow_run": run })).set("GITHUB_SHA", &head);
    repository.runs(&[("command", "plan")]).ends(0);
}

#[test]
fn whatever_the_event_a_plan_is_posted_only_on_the_pull_request_whose_head_it_was_made_of() {
    let mut repository = checked_out();
    let head = commit(&repository, "HEAD");
    let number = json!(12);
    let events = [
        ("repository_dispatch", json!({"client_payload": {"number": number}})),
        ("check_suite", json!({"check_suite": {"head_sha": "a".repeat(40), "pull_requests": [{"number": number}]}})),
        ("check_run", json!({"check_run": {"head_sha": "a".repeat(40), "pull_requests": [{"number": number}]}})),
        ("deployment", json!({"deployment": {"sha": "a".repeat(40)}})),
        ("deployment_status", json!({"deployment": {"sha": "a".repeat(40)}})),
        ("status", json!({"sha": "a".repeat(40)})),
        ("issues", json!({"issue": {"number": 3}})),
        ("schedule", json!({"schedule": "23 5 * * 1-5"})),
        ("workflow_dispatch", json!({"ref": "refs/heads/main"})),
        ("push", json!({"ref": "refs/heads/main"})),
    ];
    let plan = [("command", "plan"), ("pr-number", "12"), ("labels", "true")];
    for (event, payload) in events {
        repository.event(20, event, &payload).set("GITHUB_SHA", &head);
        let done = repository.runs(&plan).ends(1).gives(&[("failure-reason", "wrong-event"), ("plan-hash", "")]);
        done.says(&format!("it was made of the commit {head}, and the head of #12 is aaaa"));
        assert_eq!(repository.github.take_writes(), Vec::<String>::new(), "{event}");
        // Made of the head, it is that pull request's, whoever asks for it.
        repository.github.with(|github| github.push(12, &head));
        repository.runs(&plan).ends(0);
        repository.comment_says("planned", &["### Agents plan"]);
        repository.github.with(|github| {
            github.push(12, &"a".repeat(40));
            github.comments.clear();
        });
        repository.github.take_writes();
    }
}

#[test]
fn a_comment_on_a_forks_pull_request_is_a_forks_and_the_refusal_says_so() {
    let mut repository = checked_out();
    let head = commit(&repository, "HEAD");
    repository.github.with(|github| github.add_pull(13, &"f".repeat(40), "eve/agents", "fix"));
    let says = |repository: &mut Repository, number: u64, words: &str| {
        repository.event(20, "issue_comment", &json!({"issue": {"number": number, "pull_request": {"url": "u"}}}));
        repository.set("GITHUB_SHA", &head);
        repository.runs(&APPLY).ends(1).says(&format!("nothing is applied for a pull request {words}"));
    };
    says(&mut repository, 13, "from a fork");
    says(&mut repository, 12, "by a comment on it");
    says(&mut repository, 99, "that may come from a fork");
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn those_who_can_write_to_the_repository_may_check_out_what_they_like() {
    let mut repository = checked_out();
    let own = crate::forge::pull_request(12, &"a".repeat(40));
    let ours = [
        ("push", json!({"ref": "refs/heads/main"})),
        ("schedule", json!({"schedule": "23 5 * * 1-5"})),
        ("workflow_dispatch", json!({"ref": "refs/heads/main"})),
        ("merge_group", json!({"merge_group": {"head_ref": "refs/heads/gh-readonly-queue/main/pr-12-ab"}})),
        ("pull_request", own),
    ];
    for (event, payload) in ours {
        // The commit of the run is another one.
        repository.event(20, event, &payload);
        repository.runs(&[("command", "validate")]).ends(0);
    }
}
