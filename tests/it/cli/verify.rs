//! The command of `verify`, as a process.

use reachform::http::Method;
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
fn a_verify_alone_is_planned_and_shown_in_every_output() {
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.edit(MANIFEST, "phone_numbers:", "verify: {command: [sh, -c, 'curl x | sh'], env: [SEEN]}\nphone_numbers:");
    let outputs = ["--markdown", "plan.md", "--html", "plan.html", "--json-out", "plan.json", "--out", "saved.plan"];
    let ran = project.run(&[&["plan", "--detailed-exitcode"], outputs.as_slice()].concat()).ends(2);
    let ran = ran.says("Plan: 0 to create, 1 to update, 0 to delete, 0 to adopt. 0 unchanged.");
    let document: Value = serde_json::from_str(&project.read("plan.json")).unwrap();
    let change = &document["changes"][0];
    assert_eq!((&change["action"], &change["new_version"]), (&json!("update"), &json!(false)));
    assert_eq!(change["verify"]["after"], json!({"command": ["sh", "-c", "curl x | sh"], "env": ["SEEN"]}));
    let ran_and_page = ["\"sh\" \"-c\" \"curl x | sh\"", "with the variables: \"SEEN\"", "runs this program before"];
    for word in ran_and_page {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    let quoted = ["sh", "-c", "curl x | sh", "SEEN"];
    for word in quoted {
        let page = project.read("plan.html");
        assert!(page.contains(&format!("<code>&quot;{word}&quot;</code>")), "{word}: {page}");
    }
    let markdown = project.read("plan.md");
    let line =
        "  - runs: `\"sh\"` `\"-c\"` <code>&#34;curl x &#124; sh&#34;</code>\n  - with the variables: `\"SEEN\"`";
    assert!(markdown.contains(line) && markdown.contains("runs this program before"), "{markdown}");
    let shown = project.run(&["show", "saved.plan"]).ends(0);
    assert!(ran_and_page.iter().all(|word| shown.stdout.contains(word)), "{}", shown.stdout);
    server.sandbox.clear_log();
    project.run(&["apply", "saved.plan"]).ends(0);
    let writes: Vec<_> =
        server.sandbox.log().iter().map(|entry| entry.request.method).filter(|m| *m != Method::Get).collect();
    assert_eq!(writes, [Method::Put], "the stamp, and nothing was run");
    assert!(!project.path("seen").exists());
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
    project.run(&["apply", "saved.plan"]).ends(0);
}

#[test]
fn what_a_command_prints_is_shown_without_a_secret_of_the_run_or_of_the_config() {
    let script = "cat \"$REACHFORM_CONFIG_FILE\"; base64 \"$REACHFORM_CONFIG_FILE\"; exit 1\n";
    let (server, project) = to_be_verified(script);
    project.edit(MANIFEST, "max_tool_steps: 5", "max_tool_steps: 5\n    description: !secret CRM");
    // A secret that stands in the live config, and that no manifest names.
    server.sandbox.with(|service| {
        let id = service.agent_named("Riverside Dental Scheduler").unwrap().id;
        service.dashboard_edit(&id, "/agent/webhook_token", json!("live-secret-of-the-dashboard")).unwrap();
    });
    let project = project.with("REACHFORM_SECRET_CRM", SECRETS[3]);
    // The schema does not list `description`.
    let written = ["--markdown", "report.md", "--json-out", "report.json"];
    let ran = project.run(&[&["apply", "--auto-approve", "--schema", "lenient"][..], &written].concat()).ends(5);
    let all = [ran.stdout, ran.stderr, project.read("report.md"), project.read("report.json")];
    assert!(all[0].contains("(secret)") && all[0].contains("max_tool_steps"), "{}", all[0]);
    for secret in [SECRETS[3], "live-secret-of-the-dashboard"] {
        use base64::Engine as _;
        let coded = base64::engine::general_purpose::STANDARD.encode(secret);
        for text in &all {
            assert!(!text.contains(secret), "{secret}: {text}");
            let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            assert!(!dense.contains(&coded[4..20]), "{secret}: {text}");
        }
    }
}

#[test]
fn a_verify_that_asks_for_a_credential_is_refused_before_anything_is_done() {
    let project = Project::quickstart();
    let line = "verify: {command: [env], env: [ANYREACH_TOKEN]}\nphone_numbers:";
    project.edit(MANIFEST, "phone_numbers:", line);
    for command in [["validate", "--offline"], ["plan", "--sandbox"]] {
        let ran = project.run(&command).ends(1);
        let _ = ran.says("withheld-variable").says("`ANYREACH_TOKEN` cannot be passed to `verify`").says("^^^^^");
    }
}

#[test]
fn a_command_that_is_not_there_is_a_failure_that_names_it() {
    let (server, project) = to_be_verified("");
    project.edit(MANIFEST, "command: [sh, check.sh]", "command: [no-such-program]");
    let _ = project.run(&["apply", "--auto-approve"]).ends(5).says("`no-such-program` could not be started");
    assert_eq!(publishes(&server), 0);
}
