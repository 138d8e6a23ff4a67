//! `drift` as a pipeline meets it: exit codes, streams, files.

use serde_json::json;

use super::diff::git;
use super::program::{MANIFEST, Project};
use super::service::Server;

fn applied() -> (Server, Project) {
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["apply", "--auto-approve"]).ends(0);
    server.sandbox.clear_log();
    (server, project)
}

#[test]
fn drift_is_0_without_the_flag_and_2_with_it_and_clean_is_0_with_both() {
    let (server, project) = applied();
    project.run(&["drift", "--detailed-exitcode"]).ends(0).says("No drift. What is live is what was applied last.");
    server.dashboard_edit("/agent/max_tool_steps", json!(9));
    project.run(&["drift"]).ends(0).says("Drift: 1 agent changed outside of Git, 0 as applied, 0 not checked.");
    let document = project.run(&["drift", "--detailed-exitcode", "--json"]).ends(2).json();
    assert_eq!((&document["kind"], &document["state"]), (&json!("drift"), &json!("drifted")));
    assert_eq!(document["agents"][0]["fields"][0]["live"], json!(9));
    // What is pending in Git is not told of.
    project.edit(MANIFEST, "description: Answers", "description: Pending: answers");
    project.edit(
        MANIFEST,
        "description: Pending: answers the phone of Riverside Dental, books, moves and cancels appointments.",
        "description: Pending.",
    );
    let document = project.run(&["drift", "--json"]).ends(0).json();
    assert_eq!(document["summary"]["fields"], json!(1), "{document:#}");
    assert_eq!(server.writes(), 0);
}

#[test]
fn a_check_that_could_not_be_made_is_1_and_neither_clean_nor_drift() {
    let (server, project) = applied();
    server.fault("500-before:GET /core/agents#1+");
    let ran = project.run(&["drift", "--detailed-exitcode", "--markdown", "issue.md", "--json"]).ends(1);
    assert_eq!(ran.json()["state"], json!("not-checked"));
    let body = project.read("issue.md");
    assert!(body.contains("NOT CHECKED") && !body.contains("<b>Revert:</b>"), "{body}");
}

#[test]
fn a_manifest_that_does_not_parse_and_a_missing_credential_are_checks_that_could_not_be_made() {
    let (_server, project) = applied();
    project.write("agents/broken.yaml", "key: [\n");
    let ran = project.run(&["drift", "--markdown", "issue.md"]).ends(1).says("NOT CHECKED");
    assert!(ran.stderr.contains("broken.yaml"), "{ran:#?}");
    assert!(project.read("issue.md").contains("the manifests have"), "{}", project.read("issue.md"));

    let project = Project::quickstart();
    let document = project.run(&["drift", "--json"]).ends(1).json();
    assert_eq!(document["state"], json!("not-checked"));
    assert!(document["unchecked"][0]["causes"][0].as_str().unwrap().contains("ANYREACH_TOKEN"), "{document:#}");
    project.run(&["drift", "--target", "nobody"]).ends(1);
}

#[test]
fn a_key_that_no_manifest_has_is_wrong_usage() {
    let (_server, project) = applied();
    project.run(&["drift", "--target", "riversid"]).ends(64).says("did you mean `riverside`?");
}

#[test]
fn adopting_shows_the_difference_first_writes_it_then_and_leaves_the_rest_of_the_project() {
    let (server, project) = applied();
    server.dashboard_edit("/agent/max_tool_steps", json!(9));
    let (manifest, prompt) = (project.read(MANIFEST), project.read("prompts/riverside.md"));
    server.dashboard_edit("/agent/instructions", json!(prompt.replace("Riverside", "Lakeside")));
    let dry = project.run(&["drift", "--adopt", "--dry-run", "--detailed-exitcode"]).ends(2);
    assert!(dry.stdout.contains("-    max_tool_steps: 4\n+    max_tool_steps: 9\n"), "{dry:#?}");
    assert!(dry.stdout.contains("--- a/prompts/riverside.md"), "{dry:#?}");
    assert_eq!((project.read(MANIFEST), project.read("prompts/riverside.md")), (manifest.clone(), prompt.clone()));

    project.run(&["drift", "--adopt"]).ends(0).says("Adopt: 2 values adopted, 0 not. 2 files written.");
    assert_eq!(project.read(MANIFEST), manifest.replace("max_tool_steps: 4", "max_tool_steps: 9"));
    assert_eq!(project.read("prompts/riverside.md"), prompt.replace("Riverside", "Lakeside"));
    project.run(&["drift", "--detailed-exitcode"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
    let again = project.run(&["drift", "--adopt", "--json"]).ends(0).json();
    assert_eq!((&again["kind"], &again["files"]), (&json!("adopt"), &json!([])));
    assert_eq!(server.writes(), 0);
}

#[test]
fn what_cannot_be_adopted_is_named_and_ends_with_5_beside_what_was_and_with_1_alone() {
    let (server, project) = applied();
    server.dashboard_edit("/agent/tools/0/actions/1/transfer_number", json!("+15550009999"));
    let manifest = project.read(MANIFEST);
    let ran = project.run(&["drift", "--adopt"]).ends(1).says("the value comes from `!var`");
    assert!(ran.stdout.contains("Adopt: 0 values adopted, 1 not. 0 files written."), "{ran:#?}");
    assert_eq!(project.read(MANIFEST), manifest);
    server.dashboard_edit("/agent/max_tool_steps", json!(9));
    project.run(&["drift", "--adopt"]).ends(5).says("Adopt: 1 value adopted, 1 not. 1 file written.");
    assert_eq!(project.read(MANIFEST), manifest.replace("max_tool_steps: 4", "max_tool_steps: 9"));
    server.fault("500-before:GET /core/agents#1+");
    project.run(&["drift", "--adopt"]).ends(1).says("nothing was adopted");
    project.run(&["drift", "--dry-run"]).ends(64);
}

#[cfg(unix)]
#[test]
fn adopting_keeps_the_rights_of_a_file_and_writes_nothing_where_one_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, project) = applied();
    server.dashboard_edit("/agent/max_tool_steps", json!(9));
    let path = project.path(MANIFEST);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    project.run(&["drift", "--adopt"]).ends(0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let left: Vec<_> = std::fs::read_dir(project.path("agents")).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
}

fn commit_all(project: &Project) {
    git(&project.dir(), &["init", "-q", "-b", "main"]);
    git(&project.dir(), &["add", "-A"]);
    git(&project.dir(), &["commit", "-q", "-m", "a state"]);
}

#[test]
fn a_manifest_that_no_apply_has_seen_is_pending_and_an_agent_that_was_deleted_is_drift() {
    let server = Server::new();
    let project = Project::at(&server);
    project.write("agents/gone.yaml", "key: gone\nname: To be deleted\n");
    commit_all(&project);
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.write("agents/newer.yaml", "key: newer\nname: Not made yet\n");
    commit_all(&project);
    let clean = project.run(&["drift", "--detailed-exitcode"]).ends(0);
    assert!(clean.stdout.contains("agent.newer: no apply has made it yet"), "{clean:#?}");
    let gone = server.sandbox.with(|service| service.agent_named("To be deleted").unwrap().id);
    server.sandbox.with(|service| service.dashboard_delete(&gone).unwrap());
    let drift = project.run(&["drift", "--detailed-exitcode"]).ends(2);
    assert!(drift.stdout.contains("- agent.gone   there is no such agent"), "{drift:#?}");
    assert!(!drift.stdout.contains("- agent.newer"), "{drift:#?}");
    // Without the past nobody can tell, and a deleted agent must not be passed over.
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    assert_eq!(project.run(&["drift", "--json"]).ends(0).json()["summary"]["absent"], json!(2));
}

/// What is committed, and then applied.
fn committed_and_applied() -> (Server, Project) {
    let server = Server::new();
    let project = Project::at(&server);
    commit(&project, &["init", "-q", "-b", "main"]);
    project.run(&["apply", "--auto-approve"]).ends(0);
    (server, project)
}

fn commit(project: &Project, first: &[&str]) {
    git(&project.dir(), first);
    git(&project.dir(), &["add", "-A"]);
    git(&project.dir(), &["commit", "-q", "-m", "a state"]);
}

const STEPS: (&str, &str) = ("max_tool_steps: 4", "max_tool_steps: 7");

#[test]
fn what_was_applied_from_files_that_were_never_committed_is_reported_with_the_commit_below_it() {
    let (_server, project) = committed_and_applied();
    project.edit(MANIFEST, STEPS.0, STEPS.1);
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.run(&["drift", "--detailed-exitcode"]).ends(0);
    git(&project.dir(), &["checkout", "-q", "--", "."]);
    let ran = project.run(&["drift", "--detailed-exitcode", "--markdown", "issue.md"]).ends(2);
    ran.says("was applied from files that were never committed");
    assert!(project.read("issue.md").contains("never committed"), "{}", project.read("issue.md"));
    let document = project.run(&["drift", "--json"]).ends(0).json();
    assert_eq!(document["agents"][0]["applied_from"]["reason"], json!("uncommitted"), "{document:#}");
    assert!(document["agents"][0]["applied_from"]["commit"].is_string());
}

#[test]
fn a_project_of_which_nothing_was_ever_applied_is_not_checked_and_nothing_of_it_is_called_changed() {
    let server = Server::new();
    let project = Project::at(&server);
    let drift = project.run(&["drift", "--json"]).ends(1).json();
    assert_eq!((&drift["summary"]["absent"], &drift["state"]), (&json!(0), &json!("not-checked")), "{drift:#}");
}

#[test]
fn what_was_applied_from_another_branch_is_reported_and_what_is_pending_in_git_is_not() {
    let (_server, project) = committed_and_applied();
    git(&project.dir(), &["checkout", "-q", "-b", "other"]);
    project.edit(MANIFEST, STEPS.0, STEPS.1);
    commit(&project, &["status", "-s"]);
    project.run(&["drift", "--detailed-exitcode"]).ends(0).says("No drift.");
    project.run(&["apply", "--auto-approve"]).ends(0);
    git(&project.dir(), &["checkout", "-q", "main"]);
    project.run(&["drift", "--detailed-exitcode"]).ends(2).says("which is not in the");
    let plan = project.run(&["plan", "--json"]).ends(0).json();
    let notices = plan["notices"].as_array().unwrap();
    assert!(notices.iter().any(|notice| notice["code"] == json!("applied-elsewhere")), "{plan:#}");
    git(&project.dir(), &["merge", "-q", "other"]);
    project.run(&["drift", "--detailed-exitcode"]).ends(0).says("No drift.");
}
