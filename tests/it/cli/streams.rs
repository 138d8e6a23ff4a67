//! stdout is the result and nothing else; stderr is for people.

use std::io::Read as _;

use serde_json::json;

use super::program::{MANIFEST, Project};
use super::service::Server;

#[test]
fn with_json_every_command_prints_one_document_and_no_colour() {
    let project = Project::quickstart();
    for arguments in [
        &["validate"][..],
        &["plan"],
        &["apply", "--auto-approve"],
        &["list"],
        &["plan", "-vv"],
        &["validate", "--offline"],
        &["plan", "--env", "nope"],
    ] {
        let ran = project.run(&[&["--sandbox", "--json"], arguments].concat());
        assert!(ran.json().is_object(), "{arguments:?}");
        assert_eq!(ran.json()["format_version"], json!("1.1"));
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{ran:#?}");
    }
    let text = Project::quickstart().run(&["--sandbox", "plan", "-vv"]).ends(0);
    assert!(!text.stdout.contains('\u{1b}') && !text.stderr.contains('\u{1b}'), "{text:#?}");
    let colored = Project::quickstart().run(&["--sandbox", "plan", "--color", "always"]).ends(0);
    assert!(colored.stdout.contains('\u{1b}'));
}

#[test]
fn a_file_of_json_is_what_stdout_would_have_been() {
    let project = Project::quickstart();
    let stdout = project.run(&["--sandbox", "plan", "--json", "--json-out", "plan.json"]).ends(0).stdout;
    assert_eq!(project.read("plan.json"), stdout);
    let stdout =
        project.run(&["--sandbox", "plan", "--env", "nope", "--json", "--json-out", "plan.json"]).ends(1).stdout;
    assert_eq!(project.read("plan.json"), stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let project = Project::quickstart();
    for arguments in [&["--sandbox", "plan", "--diff", "full"][..], &["--sandbox", "schema"], &["man"]] {
        let mut child = project.start(arguments);
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert!(child.wait().unwrap().code().is_some(), "{arguments:?}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let mut child = project.start(&["--sandbox", "plan", "--env", "nope"]);
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_result_that_could_not_be_written_is_a_failure_and_a_reader_that_goes_away_is_not() {
    let project = Project::quickstart();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["--sandbox", "plan"][..],
        &["--sandbox", "plan", "--json", "--detailed-exitcode"],
        &["--sandbox", "validate"],
        &["--sandbox", "list"],
        &["--sandbox", "schema"],
        &["--version"],
    ] {
        let ended = project.command(arguments).stdout(full()).output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(
            told.contains("error: the result could not be written to stdout\n  caused by: No space left"),
            "{told}"
        );
    }
    let ended = project.run(&["--sandbox", "apply", "--auto-approve", "--json-out", "/dev/full"]).ends(1);
    assert!(ended.stderr.contains("/dev/full could not be written"), "{ended:#?}");
    assert!(ended.stdout.contains("1 applied"), "{ended:#?}");
    for arguments in [&["--sandbox", "plan"][..], &["--sandbox", "list"], &["--version"]] {
        let mut child = project.start(arguments);
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_wrong_command_line_under_json_is_a_document_as_well() {
    let project = Project::quickstart();
    for arguments in [&["plan", "--nope", "--json"][..], &["--json", "pla"], &["--json"], &["--json", "apply", "--env"]]
    {
        let ran = project.run(arguments).ends(64);
        let error = &ran.json()["error"];
        assert_eq!(error["exit_code"], json!(64), "{arguments:?}");
        let cause = error["causes"][0].as_str().unwrap();
        assert!(!cause.is_empty() && !cause.starts_with("error"), "{cause}");
        assert!(!ran.stderr.is_empty());
    }
    let said = project.run(&["plan", "--nope", "--json"]).json()["error"]["causes"][0].clone();
    assert_eq!(said, json!("unexpected argument '--nope' found"));
    project.run(&["plan", "--nope", "--json-out", "error.json"]).ends(64);
    assert!(project.read("error.json").contains("unexpected argument '--nope' found"));
    assert_eq!(project.run(&["plan", "--nope"]).ends(64).stdout, "");
}

#[test]
fn apply_under_json_names_the_mistakes_for_which_the_plan_was_not_applied() {
    let project = Project::quickstart();
    project.edit(MANIFEST, "inbound: [\"+15551234567\"]", "inbound: [\"+15550109999\"]");
    let error = project.run(&["--sandbox", "apply", "--auto-approve", "--json"]).ends(1).json()["error"].clone();
    let problems = error["diagnostics"].as_array().unwrap_or_else(|| panic!("{error:#}"));
    assert!(problems.iter().any(|one| one["severity"] == json!("error") && one["line"].is_u64()), "{problems:#?}");
}

#[test]
fn quiet_says_nothing_beside_the_result() {
    let project = Project::quickstart();
    let ran = project.run(&["--sandbox", "apply", "--auto-approve", "--quiet"]).ends(0);
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.contains("applied"), "{ran:#?}");
}

#[test]
fn validate_tells_all_mistakes_in_one_run() {
    let project = Project::quickstart();
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: four");
    project.edit(MANIFEST, "active: true", "active: true\nphone_number: {inbound: [\"+15550100199\"]}");
    project.edit(MANIFEST, "!var front_desk", "!var front_dsk");
    project.write("agents/second.yaml", "key: riverside\nname: Twin\nphone_numbers: {inbound: [\"5550100\"]}\n");
    let ran = project.run(&["--sandbox", "--offline", "validate"].map(|word| word));
    assert_eq!(ran.code, 64, "`--offline` belongs to the command: {ran:#?}");
    for arguments in [&["--sandbox", "validate", "--offline"][..], &["--sandbox", "validate"]] {
        let ran = project.run(arguments).ends(1);
        for words in ["max_tool_steps", "phone_numbers", "front_desk", "`riverside`", "E.164"] {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
        let json = project.run(&[arguments, &["--json"]].concat()).ends(1).json();
        assert_eq!(json["valid"], json!(false));
        assert!(json["diagnostics"].as_array().unwrap().len() >= 5, "{json:#}");
    }
}

#[test]
fn validating_offline_needs_no_network_and_no_credential() {
    let project = Project::quickstart().with("ANYREACH_API_URL", "http://127.0.0.1:1");
    project.run(&["validate", "--offline", "--sandbox"]).ends(0);
    // In a fresh clone, as before a commit: by the schema in the program, which is said to be that.
    let fresh = project.run(&["validate", "--offline"]).ends(0).says("the one in this program is used");
    assert!(fresh.stdout.contains("valid by the schema in this program"), "{fresh:#?}");
    assert_eq!(project.run(&["validate", "--offline", "--json"]).ends(0).json()["schema_digest"], json!(null));
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: four");
    project.run(&["validate", "--offline"]).ends(1).says("max_tool_steps");
    project.run(&["schema", "--offline"]).ends(1).says("is not cached");
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["validate"]).ends(0);
    server.sandbox.clear_log();
    project.with("ANYREACH_TOKEN", "").run(&["validate", "--offline"]).ends(0);
    assert!(server.sandbox.log().is_empty());
}

#[test]
fn a_secret_of_the_manifest_is_shown_nowhere() {
    let server = Server::new();
    let project = Project::at(&server);
    project.edit(MANIFEST, "  team: patient-access", "  team: patient-access\n  crm: !secret CRM_KEY");
    let missing = project.run(&["apply", "--auto-approve", "-vvv"]).ends(1).says("REACHFORM_SECRET_CRM_KEY");
    assert!(missing.stderr.contains("CRM_KEY"), "{missing:#?}");
    assert_eq!(server.writes(), 0);
    // `run` looks for the value in all that each of these prints.
    let project = project.with("REACHFORM_SECRET_CRM_KEY", "crm-secret-4417-value");
    project
        .run(&[
            "plan",
            "-vvv",
            "--diff",
            "full",
            "--markdown",
            "plan.md",
            "--html",
            "plan.html",
            "--sarif",
            "found.sarif",
            "--out",
            "saved.plan",
        ])
        .ends(0);
    project.run(&["apply", "saved.plan", "-vvv", "--json"]).ends(0);
    server.sandbox.with(|service| assert_eq!(service.agents()[0].metadata["crm"], json!("crm-secret-4417-value")));
    project.run(&["plan", "-vvv", "--refresh", "--json", "--detailed-exitcode"]).ends(0);
    project.run(&["show", "saved.plan", "--html", "shown.html"]).ends(0);
    assert!(project.read("shown.html").contains("Plan for"));
    for file in ["shown.html", "plan.md", "plan.html", "found.sarif", "saved.plan"] {
        assert!(!project.read(file).contains("crm-secret-4417-value"), "{file}");
    }
    let in_sandbox = Project::quickstart();
    in_sandbox.edit(MANIFEST, "  team: patient-access", "  team: patient-access\n  crm: !secret CRM_KEY");
    in_sandbox.run(&["--sandbox", "apply", "--auto-approve", "-vvv"]).ends(0);
}

#[test]
fn a_file_to_validate_that_is_not_there_is_an_error_and_one_that_is_there_is_found_however_it_is_named() {
    let project = Project::quickstart();
    let missing = project.run(&["--sandbox", "validate", "--offline", "agents/no-such-file.yaml"]).ends(64);
    assert!(missing.stderr.contains("the file or folder agents/no-such-file.yaml"), "{missing:#?}");
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: four");
    project.write("agents/other.yaml", "key: other\nname: Other\nactive: perhaps\n");
    let absolute = project.path(MANIFEST).canonicalize().unwrap().display().to_string();
    for name in [MANIFEST, "./agents/riverside.yaml", &absolute, "agents", "agents/", "."] {
        let ran = project.run(&["--sandbox", "validate", "--offline", name]).ends(1);
        assert!(ran.stderr.contains("max_tool_steps"), "{name}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("other.yaml"), !name.ends_with("yaml"), "{name}: {}", ran.stderr);
    }
    let outside = project.run(&["--sandbox", "validate", "--offline", "/usr/bin/env"]).ends(64);
    assert!(outside.stderr.contains("is not in the project"), "{outside:#?}");
}

#[test]
fn list_keeps_the_schema_for_validate_offline() {
    let server = Server::new();
    let project = Project::at(&server);
    let embedded = "by the schema in this program";
    project.run(&["validate", "--offline"]).ends(0).says(embedded);
    project.run(&["list"]).ends(0);
    assert!(!project.run(&["validate", "--offline"]).ends(0).stdout.contains(embedded));
}

#[test]
fn the_variable_for_certificate_authorities_counts_and_the_flag_goes_before_it() {
    let server = Server::new();
    let project = Project::at(&server).with("ANYREACH_CA_FILE", "from-the-variable.pem");
    let ran = project.run(&["plan"]).ends(1);
    assert!(ran.stderr.contains("from-the-variable.pem"), "{ran:#?}");
    let ran = project.run(&["plan", "--ca-file", "from-the-flag.pem"]).ends(1);
    assert!(ran.stderr.contains("from-the-flag.pem"), "{ran:#?}");
}

#[test]
fn a_log_that_would_be_silent_says_how_long_the_service_asked_to_wait() {
    let server = Server::new();
    server.fault("429=26:GET /core/agents#1");
    let project = Project::at(&server);
    let ran = project.run(&["plan"]).ends(0);
    assert!(ran.stderr.contains("the service asked to wait 26 s, "), "{ran:#?}");
}

#[test]
fn a_run_that_is_rate_limited_says_once_that_it_waits_and_how_long() {
    let server = Server::new();
    // The second and the third wait are no longer than the first.
    server.fault("429=3:GET /core/agents#1").fault("429=2:GET /core/agents#2").fault("429=2:GET /core/phone_numbers#1");
    let project = Project::at(&server);
    let ran = project.run(&["plan"]).ends(0);
    assert!(ran.stderr.contains("The service limits requests and asked to wait 3 s."), "{ran:#?}");
    assert_eq!(ran.stderr.matches("asked to wait").count(), 1, "{ran:#?}");
    server.fault("429=2:GET /core/agents#1");
    let quiet = project.run(&["plan", "--quiet"]).ends(0);
    assert!(!quiet.stderr.contains("asked to wait"), "{quiet:#?}");
}
