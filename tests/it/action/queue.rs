//! Several plans beside each other: groups of the merge queue, projects in one repository, runs on one commit.

use serde_json::{Value, json};

use super::super::cli::diff::git;
use super::super::cli::program::MANIFEST;
use super::runner::{MERGED, Repository};

/// The commit that is `letter` forty times.
fn sha(letter: char) -> String {
    letter.to_string().repeat(40)
}

/// The merge queue makes a commit of #12 and #13 and asks for checks of it.
fn at_group(repository: &mut Repository, run: u64) {
    let group = json!({"head_ref": "refs/heads/gh-readonly-queue/main/pr-13-cc", "head_sha": sha(MERGED)});
    repository.event(run, "merge_group", &json!({ "merge_group": group }));
}

/// It pushes that commit: #12 is merged as `p`, #13 as the commit of the group.
fn at_push_of_group(repository: &mut Repository, run: u64) {
    repository.github.with(|github| {
        for (pull, merge) in github.pulls.iter_mut().zip(['p', MERGED]) {
            pull["merge_commit_sha"] = json!(sha(merge));
            pull["merged_at"] = json!("2026-11-24T06:00:00Z");
            pull["state"] = json!("closed");
        }
    });
    let commits = json!([{"id": sha('p')}, {"id": sha(MERGED)}]);
    repository.event(run, "push", &json!({"ref": "refs/heads/main", "commits": commits}));
}

/// Two open pull requests: each was planned by itself, and the manifest here is that of both.
fn two_pull_requests() -> Repository {
    let mut repository = Repository::new();
    repository.github.with(|github| github.add_pull(13, &sha('b'), "acme/agents", "more"));
    repository.at_pull_request(20, 'a');
    repository.runs(&[("command", "plan")]).ends(0);
    repository.event(21, "pull_request", &crate::forge::pull_request(13, &sha('b')));
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    repository.runs(&[("command", "plan")]).ends(0);
    repository.project.edit(MANIFEST, "max_tool_steps: 5", "max_tool_steps: 6");
    repository
}

fn bodies(repository: &Repository) -> [Vec<String>; 2] {
    [12, 13].map(|number| repository.github.with(|github| github.bodies(number)))
}

#[test]
fn a_group_of_the_merge_queue_is_applied_by_the_plan_of_the_commit_that_it_pushes() {
    let mut repository = two_pull_requests();
    let before = bodies(&repository);
    at_group(&mut repository, 22);
    let hash = repository.runs(&[("command", "plan")]).ends(0).output("plan-hash").to_owned();
    assert_eq!(bodies(&repository), before, "the plan of a group is that of none of its pull requests");
    assert_eq!(repository.checks().last().unwrap(), &(sha(MERGED), "neutral".to_owned(), hash.clone()));

    at_push_of_group(&mut repository, 23);
    repository.runs(&[("command", "apply")]).ends(0).gives(&[("applied", "1"), ("plan-hash", &hash)]);
    for (number, comments) in [12, 13].into_iter().zip(bodies(&repository)) {
        assert_eq!(comments.len(), 1, "#{number}: {comments:#?}");
        assert!(comments[0].contains(" state=applied ") && comments[0].contains("— applied 1 of 1"), "{comments:#?}");
    }
}

#[test]
fn a_group_that_was_not_planned_is_refused_because_no_pull_request_was_planned_with_the_other_in_it() {
    let mut repository = two_pull_requests();
    at_push_of_group(&mut repository, 23);
    repository.runs(&[("command", "apply")]).ends(3).gives(&[("failure-reason", "plan-changed")]);
    assert_eq!(repository.service.writes(), 0);
    for comments in bodies(&repository) {
        assert!(comments.len() == 1 && comments[0].contains(" state=refused "), "{comments:#?}");
    }
}

#[test]
fn a_group_whose_plan_failed_is_refused_although_its_pull_requests_were_planned() {
    let mut repository = two_pull_requests();
    repository.project.edit(MANIFEST, "max_tool_steps: 6", "max_tool_steps: 5");
    at_group(&mut repository, 22);
    repository.runs(&[("command", "plan")]).ends(0);
    repository.github.with(|github| github.checks.last_mut().unwrap()["conclusion"] = json!("failure"));
    at_push_of_group(&mut repository, 23);
    repository
        .runs(&[("command", "apply")])
        .ends(3)
        .says(&format!("on the commit {} of #13 failed", &sha(MERGED)[..12]));
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn a_check_run_on_a_pushed_commit_that_no_pull_request_was_merged_as_approves_nothing() {
    let mut repository = Repository::new();
    // Someone has planned a branch by hand, and pushes its commit elsewhere.
    at_group(&mut repository, 22);
    repository.runs(&[("command", "plan")]).ends(0);
    repository.event(23, "push", &json!({"ref": "refs/heads/main", "commits": [{"id": sha(MERGED)}]}));
    repository.runs(&[("command", "apply")]).ends(3).gives(&[("failure-reason", "not-approved")]);
    assert_eq!(repository.service.writes(), 0);
}

#[test]
fn two_projects_in_one_repository_have_a_check_run_each() {
    let mut repository = Repository::new();
    for folder in ["east", "west"] {
        for file in ["reachform.yaml", MANIFEST, "prompts/riverside.md"] {
            repository.project.write(&format!("{folder}/{file}"), repository.project.read(file));
        }
    }
    repository.project.edit(&format!("west/{MANIFEST}"), "max_tool_steps: 4", "max_tool_steps: 5");
    git(&repository.project.dir(), &["add", "-A"]);
    repository.at_pull_request(20, 'a');
    // What the west declares is there already: of the two, only the east changes something.
    let apply = [("command", "apply"), ("approve", "none"), ("comment", "off"), ("config", "west")];
    repository.runs(&apply).ends(0);
    let plan = |folder| {
        let done = repository.runs(&[("command", "plan"), ("config", folder), ("labels", "true")]).ends(0);
        done.output("plan-hash").to_owned()
    };
    let hashes = ["east", "west"].map(plan);
    let checks: Vec<(Value, Value)> = repository.github.with(|github| {
        github.checks.iter().map(|check| (check["name"].clone(), check["external_id"].clone())).collect()
    });
    let wanted = ["east", "west"].map(|folder| json!(format!("reachform plan (demo in {folder})")));
    assert_eq!(checks, wanted.into_iter().zip(hashes.map(Value::from)).collect::<Vec<_>>());
    // Neither takes the other's label away, and each comment says whose it is.
    let labels = repository.github.with(|github| github.labels.clone());
    let label = |text: &str| (12, format!("agents demo in {text}"));
    assert_eq!(labels, [label("east: changes"), label("west: no changes")]);
    let comments = repository.github.with(|github| github.bodies(12));
    for (body, folder) in comments.iter().zip(["east", "west"]) {
        assert!(body.contains(&format!("### Agents plan · `demo` in `{folder}` — ")), "{body}");
    }
    assert_eq!(comments.len(), 2);
    repository.at_merge(30);
    repository.runs(&[("command", "apply"), ("config", "east")]).ends(0).gives(&[("applied", "1")]);
    repository.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    for folder in ["east", "west"] {
        repository.runs(&[("command", "drift"), ("config", folder)]);
    }
    let titles: Vec<Value> =
        repository.github.with(|github| github.issues.iter().map(|issue| issue["title"].clone()).collect());
    assert!(
        !titles.is_empty() && titles.iter().all(|title| title.as_str().unwrap().starts_with("Agent drift in demo ("))
    );
}

#[test]
fn an_entry_that_was_planned_before_the_one_ahead_was_applied_is_refused_with_what_to_do() {
    let mut repository = two_pull_requests();
    at_group(&mut repository, 22);
    repository.runs(&[("command", "plan")]).ends(0);
    // What the entry ahead brings is applied only now.
    repository.project.edit(MANIFEST, "max_tool_steps: 6", "max_tool_steps: 7");
    repository.runs(&[("command", "apply"), ("approve", "none"), ("comment", "off")]).ends(0);
    repository.project.edit(MANIFEST, "max_tool_steps: 7", "max_tool_steps: 6");
    let before = repository.service.writes();
    at_push_of_group(&mut repository, 23);
    let refused = repository.runs(&[("command", "apply")]).ends(3).gives(&[("failure-reason", "plan-changed")]);
    let refused = refused.says("set the queue's build concurrency to 1").says("the input `approved-plan` sha256:");
    assert_eq!(repository.service.writes(), before);
    // Whoever agrees with the plan as it is now applies exactly that.
    let hash = refused.output("plan-hash").to_owned();
    repository.runs(&[("command", "apply"), ("approved-plan", &hash)]).ends(0).gives(&[("applied", "1")]);
}

#[test]
fn an_older_run_that_plans_a_commit_last_changes_neither_its_comment_nor_its_check_run() {
    let mut repository = Repository::new();
    repository.at_pull_request(21, 'a');
    let newer = repository.runs(&[("command", "plan")]).ends(0).output("plan-hash").to_owned();
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    repository.at_pull_request(20, 'a');
    let older = repository.runs(&[("command", "plan")]).ends(0).says("the check run is left as that run wrote it");
    assert_ne!(older.output("plan-hash"), newer);
    repository.comment_says("planned", &[&newer]);
    assert_eq!(repository.checks(), [(sha('a'), "neutral".to_owned(), newer)]);
}
