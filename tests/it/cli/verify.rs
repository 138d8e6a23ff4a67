//! The command of `verify`, as a process.

use serde_json::{Value, json};

use super::program::{MANIFEST, Project, SECRETS};
use super::service::Server;

/// An agent in place, a change to it, and a command that decides about that.
fn to_be_verified(script: &str) -> (Server, Project) {
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    project.write("check.sh", script);
    project.edit(MANIFEST, "phone_numbers:", "verify: {command: [sh, check.sh], env: [SEEN]}\nphone_numbers:");
    let seen = project.path("seen").display().to_string();
    let project = project.with("SEEN", &seen);
    server.sandbox.clear_log();
    (server, project)
}

fn publishes(server: &Server) -> usize {
    server.sandbox.log().iter().filter(|entry| entry.request.path.ends_with("/publish")).count()
}

#[test]
fn a_command_that_fails_stops_the_version_before_it_is_published_and_its_words_are_told() {
    let (server, project) = to_be_verified("echo 'the caller waited 9 s' >&2; exit 3\n");
    let ran = project.run(&["apply", "--auto-approve"]).ends(5);
    let _ = ran.says("`verify` did not pass; the version stays a draft").says("the caller waited 9 s");
    assert_eq!(publishes(&server), 0);
    project.write("check.sh", "exit 0\n");
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn a_command_sees_the_draft_and_the_variables_that_it_was_promised_and_not_the_credential() {
    let (_server, project) = to_be_verified("env > \"$SEEN.env\"; cp \"$REACHFORM_CONFIG_FILE\" \"$SEEN.json\"\n");
    project.run(&["apply", "--auto-approve"]).ends(0);
    let config: Value = serde_json::from_str(&project.read("seen.json")).unwrap();
    assert_eq!(config["agent"]["max_tool_steps"], json!(5));
    let environment = project.read("seen.env");
    for line in ["REACHFORM_VERSION=2", "REACHFORM_BASE_VERSION=1", "REACHFORM_AGENT_ID="] {
        assert!(environment.contains(line), "{line}: {environment}");
    }
    assert!(!environment.contains("ANYREACH") && !environment.contains(SECRETS[0]), "{environment}");
}

#[test]
fn a_command_that_is_not_there_is_a_failure_that_names_it() {
    let (server, project) = to_be_verified("");
    project.edit(MANIFEST, "command: [sh, check.sh]", "command: [no-such-program]");
    let _ = project.run(&["apply", "--auto-approve"]).ends(5).says("`no-such-program` could not be started");
    assert_eq!(publishes(&server), 0);
}
