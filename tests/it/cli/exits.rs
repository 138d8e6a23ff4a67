//! Every exit code, and that text, JSON and code are of one mind.

use serde_json::{Map, Value, json};

use super::program::{MANIFEST, Project, SECRETS};
use super::service::{Served, Server};

/// A change of one number in the manifest.
fn change(project: &Project) {
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
}

fn applied() -> (Server, Project) {
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["apply", "--auto-approve"]).ends(0);
    server.sandbox.clear_log();
    (server, project)
}

#[test]
fn nothing_to_do_is_0_and_something_to_do_is_2_where_that_was_asked_for() {
    let project = Project::quickstart();
    let plan = ["--sandbox", "plan", "--detailed-exitcode", "--json"];
    let first = project.run(&plan).ends(2);
    assert_eq!(first.json()["summary"]["create"], json!(1));
    project.run(&["--sandbox", "plan"]).ends(0).says("Plan: 1 to create, 0 to update, 0 to delete, 0 to adopt.");
    let report = project.run(&["--sandbox", "apply", "--auto-approve", "--json"]).ends(0).json();
    assert_eq!((&report["complete"], &report["summary"]["applied"]), (&json!(true), &json!(1)), "{report:#}");
    project.run(&plan).ends(0);
    change(&project);
    assert_eq!(project.run(&plan).ends(2).json()["summary"]["update"], json!(1));
    project.run(&["--sandbox", "apply", "--auto-approve"]).ends(0);
    project.run(&plan).ends(0);
}

#[test]
fn the_same_walk_over_a_socket_ends_the_same() {
    let served = Served::new(&[]);
    let project = Project::quickstart().with("ANYREACH_API_URL", &served.url).with("ANYREACH_TOKEN", SECRETS[0]);
    project.run(&["plan", "--detailed-exitcode"]).ends(2);
    project.run(&["apply", "--auto-approve", "-vv"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
    change(&project);
    let out = project.path("next.plan");
    project.run(&["plan", "--out", out.to_str().unwrap()]).ends(0);
    project.run(&["apply", out.to_str().unwrap()]).ends(0);
    project.run(&["apply", out.to_str().unwrap()]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn another_plan_than_the_approved_one_is_refused_with_3() {
    let (server, project) = applied();
    change(&project);
    let approved = project.run(&["plan", "--json"]).ends(0).json()["plan_hash"].as_str().unwrap().to_owned();
    project.edit(MANIFEST, "max_tool_steps: 5", "max_tool_steps: 6");
    let refused = project.run(&["apply", "--approved-plan", &approved, "--json"]).ends(3);
    assert_eq!(refused.json()["error"]["exit_code"], json!(3));
    project.run(&["apply", "--approved-plan", &approved]).ends(3).says("not the plan that was approved");
    assert_eq!(server.writes(), 0);
    project.edit(MANIFEST, "max_tool_steps: 6", "max_tool_steps: 5");
    project.run(&["apply", "--approved-plan", &approved]).ends(0);
}

#[test]
fn a_saved_plan_that_others_made_stale_is_refused_with_3() {
    let (server, project) = applied();
    change(&project);
    project.run(&["plan", "--out", "saved.plan"]).ends(0);
    server.dashboard_edit("/agent/max_tool_steps", json!(9));
    let refused = project.run(&["apply", "saved.plan", "--json"]).ends(3);
    assert_eq!(refused.json()["error"]["exit_code"], json!(3));
    project.run(&["apply", "saved.plan"]).ends(3).says("agent.riverside");
    assert_eq!(server.writes(), 0);
}

#[test]
fn pruning_beyond_the_limit_is_refused_with_4_and_the_flag_that_lifts_it_is_named() {
    let server = Server::new();
    let project = Project::at(&server);
    // An agent that a number still points at is not pruned.
    project.write(MANIFEST, "key: riverside\nname: Riverside Dental Scheduler\n");
    project.run(&["apply", "--auto-approve"]).ends(0);
    server.sandbox.clear_log();
    // An empty folder of manifests deletes nothing, so another agent takes the place of the first.
    std::fs::remove_file(project.path(MANIFEST)).unwrap();
    project.run(&["apply", "--prune", "--auto-approve", "--max-delete", "1"]).ends(1).says("no-manifests");
    project.write("agents/other.yaml", "key: other\nname: Another\n");
    let refused = project.run(&["apply", "--prune", "--auto-approve", "--json"]).ends(4);
    assert_eq!(refused.json()["error"]["exit_code"], json!(4));
    project.run(&["apply", "--prune", "--auto-approve"]).ends(4).says("--max-delete 1");
    assert_eq!(server.writes(), 0);
    project.run(&["apply", "--prune", "--auto-approve", "--max-delete", "1"]).ends(0);
    assert!(server.sandbox.with(|service| service.agent_named("Riverside Dental Scheduler").is_none()));
}

#[test]
fn something_written_and_something_not_done_is_5_with_what_and_why() {
    let served = Served::new(&["--fault", "400-before:PUT /core/agents/*/versions/*#1+"]);
    let project = Project::quickstart().with("ANYREACH_API_URL", &served.url).with("ANYREACH_TOKEN", SECRETS[0]);
    project.run(&["apply", "--auto-approve"]).ends(0);
    change(&project);
    let file = project.path("report.json");
    let text = project.run(&["apply", "--auto-approve", "--json-out", file.to_str().unwrap()]).ends(5);
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    assert_eq!(report["summary"]["failed"], json!(1), "{report:#}");
    assert_eq!((&report["complete"], &report["wrote"]), (&json!(false), &json!(true)));
    let cause = report["outcomes"][0]["causes"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    text.says(&cause).says("1 failed");
    let json = project.run(&["apply", "--auto-approve", "--json"]).ends(5).json();
    assert_eq!(json["outcomes"][0]["outcome"], json!("failed"));
}

#[test]
fn a_failure_before_any_write_is_1() {
    let (server, project) = applied();
    change(&project);
    server.fault("400-before:PUT /core/agents/*#1+");
    let report = project.run(&["apply", "--auto-approve", "--json"]).ends(1).json();
    assert_eq!((&report["wrote"], &report["summary"]["failed"]), (&json!(false), &json!(1)), "{report:#}");
}

/// Puts a lease of another run into the stamp, as old as `at` says.
fn lease(server: &Server, at: &str) {
    let id = server.agent();
    let mut metadata =
        server.sandbox.with(|service| service.agent_named("Riverside Dental Scheduler").unwrap().metadata);
    let state = metadata["reachform"]["state"].as_str().unwrap();
    let mut state: Value = serde_json::from_str(state).unwrap();
    state["lease"] = json!({"run": "github-77-deploy/aaaa", "at": at});
    metadata["reachform"]["state"] = Value::String(serde_json_canonicalizer::to_string(&state).unwrap());
    let fields = Map::from_iter([("metadata".to_owned(), metadata)]);
    server.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
}

#[test]
fn the_lease_of_a_run_that_lives_is_6_and_a_broken_one_gives_way() {
    let (server, project) = applied();
    change(&project);
    lease(&server, &jiff::Timestamp::now().to_string());
    let apply = ["apply", "--auto-approve", "--lease-timeout", "0"];
    let blocked = project.run(&[&apply[..], &["--json"]].concat()).ends(6);
    assert!(blocked.stdout.contains("github-77-deploy/aaaa"), "{blocked:#?}");
    project.run(&apply).ends(6).says("github-77-deploy/aaaa").says("--break-lease");
    assert_eq!(server.writes(), 0);
    project.run(&[&apply[..], &["--break-lease"]].concat()).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn wrong_usage_is_64_and_never_2() {
    let project = Project::quickstart();
    for arguments in [
        &["plam"][..],
        &["plan", "--no-such-flag"],
        &["plan", "--target", "Not A Key"],
        &["apply", "x.plan", "--auto-approve"],
        &["apply", "--approved-plan", ""],
        &["plan", "--fault", "html"],
        &["--sandbox", "--fault", "no-such-fault", "plan"],
        &["--sandbox", "--behave", "no=such", "plan"],
        &["sandbox", "serve", "--behave", "no=such"],
        &["--sandbox", "apply", "--auto-approve", "--replace-draft", "nosuch"],
        &["--parallelism", "0", "plan"],
        &[],
    ] {
        let ran = project.run(arguments).ends(64);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{arguments:?}: {ran:#?}");
    }
    let ran = project.run(&["--sandbox", "apply"]).ends(64).says("--auto-approve");
    assert!(ran.stdout.is_empty(), "{ran:#?}");
    assert_eq!(project.run(&["--sandbox", "apply", "--json"]).ends(64).json()["error"]["exit_code"], json!(64));
    project.run(&["--help"]).ends(0);
    project.run(&["--version"]).ends(0);
}

#[test]
fn of_two_applies_that_begin_almost_at_once_the_second_waits_for_the_first() {
    let server = Server::slow(std::time::Duration::from_millis(60));
    let project = Project::at(&server);
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    for milliseconds in [0, 150, 400] {
        project.edit(MANIFEST, "max_tool_steps: 5", "max_tool_steps: 6");
        let first = project.start(&["apply", "--auto-approve", "-v"]);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let second = project.start(&["apply", "--auto-approve", "-v"]);
        for child in [first, second] {
            let ran = super::program::Ran::of(child.wait_with_output().unwrap());
            // Of two that look in the same moment, one may find out only by the other's mark, and then gives way.
            let gave_way = milliseconds == 0 && ran.code == 5 && ran.stdout.contains("took this agent over");
            assert!(ran.code == 0 || gave_way, "after {milliseconds} ms: {ran:#?}");
        }
        project.run(&["plan", "--detailed-exitcode"]).ends(0);
        project.edit(MANIFEST, "max_tool_steps: 6", "max_tool_steps: 5");
        project.run(&["apply", "--auto-approve"]).ends(0);
    }
}

#[test]
fn an_environment_that_the_project_does_not_list_is_not_made_up() {
    let project = Project::quickstart();
    let listed = project.read("reachform.yaml");
    let without = listed.split("environments:").next().unwrap().to_owned();
    project.write("reachform.yaml", &without);
    project.edit(MANIFEST, "!var front_desk", "\"+15550100199\"");
    project.run(&["--sandbox", "plan"]).ends(0);
    let ran = project.run(&["--sandbox", "plan", "--env", "prdo"]).ends(1);
    assert!(
        ran.stderr.contains("there is no environment `prdo`") && ran.stderr.contains("leave out `--env`"),
        "{ran:#?}"
    );
}

#[test]
fn a_sandbox_with_a_seed_and_a_fresh_file_keeps_what_the_seed_says() {
    let project = Project::quickstart();
    let seed = json!({
        "tokens": [{"token": "ak_e.all", "principal": "admin", "organizations": ["org_e"]}],
        "organizations": [{"id": "org_e", "numbers": ["+15550000001"]}],
    });
    project.write("seed.json", seed.to_string());
    let (seed, data) = (project.path("seed.json"), project.path("data.json"));
    let arguments = ["--seed", seed.to_str().unwrap(), "--data", data.to_str().unwrap()];
    for _ in 0..2 {
        let served = Served::new(&arguments);
        let project = Project::quickstart().with("ANYREACH_API_URL", &served.url).with("ANYREACH_TOKEN", "ak_e.all");
        project.run(&["list"]).ends(0);
    }
}
