//! Each recipe, run as GitHub would: from the event to the comment.

use serde_json::json;

use super::hosted::Hosted;

const STEPS: [&str; 3] = ["max_tool_steps: 4", "max_tool_steps: 5", "max_tool_steps: 6"];

/// A repository whose first commit is applied in both environments.
fn applied() -> Hosted {
    let mut hosted = Hosted::new();
    hosted.opens(11, "name: Riverside Dental Scheduler", "name: Riverside Dental Scheduler ", "acme/agents");
    let event = hosted.at_pull_request(11);
    hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
    let event = hosted.merges(&[11]);
    hosted.runs("apply.yml", &event).ends(&[("prod", "success"), ("staging", "success")]);
    hosted.comments_say(11, &["applied", "applied"]);
    hosted
}

#[test]
fn a_pull_request_is_planned_and_its_merge_is_applied_one_environment_after_another() {
    let mut hosted = applied();
    hosted.opens(12, STEPS[0], STEPS[1], "acme/agents");
    let event = hosted.at_pull_request(12);
    let plan = hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
    assert_eq!(plan.of("plan").len(), 2);
    let comments = hosted.comments_say(12, &["planned", "planned"]);
    for (body, environment) in comments.iter().zip(["staging", "prod"]) {
        assert!(
            body.contains(&format!("### Agents plan · `{environment}`")) && body.contains("max_tool_steps"),
            "{body}"
        );
        assert!(!body.contains("not committed"), "{body}");
    }
    let event = hosted.merges(&[12]);
    let apply = hosted.runs("apply.yml", &event).ends(&[("prod", "success"), ("staging", "success")]);
    for job in ["staging", "prod"] {
        assert_eq!(apply.of(job)[0].output("applied"), "1", "{apply:#?}");
    }
    hosted.comments_say(12, &["applied", "applied"]);
}

#[test]
fn what_was_planned_before_something_else_was_merged_is_refused_and_applied_by_hand() {
    let mut hosted = applied();
    hosted.opens(12, STEPS[0], STEPS[1], "acme/agents");
    hosted.opens(13, "team: patient-access", "team: front-office", "acme/agents");
    for number in [12, 13] {
        let event = hosted.at_pull_request(number);
        hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
    }
    // Both are merged while an apply is running: GitHub cancels the run of the first, and main has both changes.
    let _cancelled = hosted.merges(&[12]);
    let event = hosted.merges(&[13]);
    let refused = hosted.runs("apply.yml", &event).ends(&[("prod", "skipped"), ("staging", "failure")]);
    assert_eq!(refused.of("staging")[0].output("failure-reason"), "plan-changed");
    let hash = refused.of("staging")[0].output("plan-hash").to_owned();
    let comments = hosted.comments_say(13, &["refused", "planned"]);
    for words in ["max_tool_steps", "front-office", &hash] {
        assert!(comments[0].contains(words), "`{words}`: {}", comments[0]);
    }
    let inputs = json!({"environment": "staging", "approved-plan": hash});
    let event = hosted.at_main("workflow_dispatch", json!({"ref": "refs/heads/main", "inputs": inputs}));
    hosted.runs("apply.yml", &event).ends(&[("prod", "skipped"), ("staging", "success")]);
    hosted.comments_say(13, &["applied", "planned"]);
}

#[test]
fn a_group_of_the_merge_queue_is_planned_together_and_applied_as_it_was_planned() {
    let mut hosted = applied();
    hosted.opens(12, STEPS[0], STEPS[1], "acme/agents");
    hosted.opens(13, "team: patient-access", "team: front-office", "acme/agents");
    for number in [12, 13] {
        let event = hosted.at_pull_request(number);
        hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
    }
    let event = hosted.at_group(&[12, 13]);
    hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
    hosted.comments_say(12, &["planned", "planned"]);
    // The queue pushes the very commit that it had checked.
    let event = hosted.pushes(&[12, 13], event);
    hosted.runs("apply.yml", &event).ends(&[("prod", "success"), ("staging", "success")]);
    for number in [12, 13] {
        hosted.comments_say(number, &["applied", "applied"]);
    }
}

#[test]
fn a_fork_gets_the_difference_of_its_files_in_its_summary_and_as_a_comment() {
    let mut hosted = applied();
    hosted.opens(12, STEPS[0], STEPS[1], "eve/agents");
    let event = hosted.at_pull_request(12);
    hosted.repository.github.take_writes();
    let plan = hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
    assert!(plan.of("plan").iter().all(|done| done.summary.contains("max_tool_steps")), "{plan:#?}");
    let first = hosted.runs("fork-difference.yml", &event).ends(&[("difference", "success")]);
    // Its token could write nothing, and nothing is tried.
    assert_eq!(hosted.repository.github.take_writes(), Vec::<String>::new());
    let event = hosted.after(&first, 12);
    hosted.runs("fork-comment.yml", &event).ends(&[("comment", "success")]);
    let comments = hosted.comments_say(12, &["planned"]);
    for words in ["max_tool_steps", "Offline difference of a fork, the service was not asked"] {
        assert!(comments[0].contains(words), "`{words}`: {}", comments[0]);
    }
}

#[test]
fn pull_requests_of_the_repository_start_no_half_of_the_pair_for_forks() {
    let mut hosted = Hosted::new();
    hosted.opens(12, STEPS[0], STEPS[1], "acme/agents");
    let event = hosted.at_pull_request(12);
    let first = hosted.runs("fork-difference.yml", &event).ends(&[("difference", "skipped")]);
    let event = hosted.after(&first, 12);
    hosted.runs("fork-comment.yml", &event).ends(&[("comment", "skipped")]);
    assert!(hosted.comments(12).is_empty());
}

#[test]
fn a_saved_plan_is_carried_from_one_job_to_the_next_and_applied() {
    let mut hosted = Hosted::new();
    let event = hosted.at_main("workflow_dispatch", json!({"ref": "refs/heads/main"}));
    let run = hosted.runs("plan-artifact.yml", &event).ends(&[("apply", "success"), ("plan", "success")]);
    assert_eq!(run.of("apply")[0].output("applied"), "1");
    assert!(!run.of("apply")[0].summary.contains("not committed"), "{run:#?}");
    // With nothing to do there is nothing to approve.
    hosted.runs("plan-artifact.yml", &event).ends(&[("apply", "skipped"), ("plan", "success")]);
}

#[test]
fn drift_keeps_one_issue_for_each_environment_and_a_monitor_that_cannot_speak_is_red() {
    let mut hosted = applied();
    let event = hosted.at_main("schedule", json!({"schedule": "23 5 * * 1-5"}));
    hosted.runs("drift.yml", &event).ends(&[("drift", "success")]);
    assert!(hosted.repository.github.with(|github| github.issues.is_empty()));
    let agents = hosted.repository.service.sandbox.with(|service| service.agents());
    assert_eq!(agents.len(), 2);
    for agent in agents {
        let edit = |service: &mut reachform::sandbox::Service| {
            service.dashboard_edit(&agent.id, "/agent/max_tool_steps", json!(9)).unwrap();
        };
        hosted.repository.service.sandbox.with(edit);
    }
    let run = hosted.runs("drift.yml", &event).ends(&[("drift", "success")]);
    let numbers: Vec<&str> = run.of("drift").iter().map(|done| done.output("issue-number")).collect();
    assert_eq!(numbers, ["1", "2"]);
    hosted.repository.set("GITHUB_API_URL", "ftp://nowhere");
    hosted.runs("drift.yml", &event).ends(&[("drift", "failure")]);
}

#[test]
fn prod_is_applied_only_after_staging_has_gone_well_however_else_staging_ended() {
    for ended in ["cancelled", "failure"] {
        let mut hosted = applied();
        hosted.opens(12, STEPS[0], STEPS[1], "acme/agents");
        let event = hosted.at_pull_request(12);
        hosted.runs("plan.yml", &event).ends(&[("plan", "success")]);
        // GitHub cancels a waiting job for a newer run, and one that runs out of time: the run goes on.
        hosted.cut = Some(("staging", ended));
        let event = hosted.merges(&[12]);
        hosted.runs("apply.yml", &event).ends(&[("prod", "skipped"), ("staging", ended)]);
        // Nor by hand: prod alone is started by its own name.
        let inputs = json!({"environment": "staging", "approved-plan": format!("sha256:{}", "0".repeat(64))});
        let event = hosted.at_main("workflow_dispatch", json!({"ref": "refs/heads/main", "inputs": inputs}));
        hosted.runs("apply.yml", &event).ends(&[("prod", "skipped"), ("staging", ended)]);
        let inputs = json!({"environment": "prod", "approved-plan": format!("sha256:{}", "0".repeat(64))});
        let event = hosted.at_main("workflow_dispatch", json!({"ref": "refs/heads/main", "inputs": inputs}));
        hosted.runs("apply.yml", &event).ends(&[("prod", "failure"), ("staging", "skipped")]);
    }
}
