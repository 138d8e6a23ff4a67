//! `diff --base`: two states of a repository, without a service.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::program::{MANIFEST, Project};

pub(crate) fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The commit that is checked out.
pub(crate) fn head(dir: &Path) -> String {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(dir).args(["rev-parse", "HEAD"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The quickstart, committed.
fn committed() -> Project {
    let project = Project::quickstart();
    git(&project.dir(), &["init", "-q", "-b", "main"]);
    commit(&project, "first");
    project
}

fn commit(project: &Project, message: &str) {
    git(&project.dir(), &["add", "-A"]);
    git(&project.dir(), &["commit", "-q", "-m", message]);
}

#[test]
fn the_same_files_are_0_and_other_ones_2_where_that_was_asked_for() {
    let project = committed();
    project.run(&["diff", "--base", "HEAD", "--detailed-exitcode"]).ends(0).says("No difference.");
    // What only looks different is none.
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 4   # four");
    project.run(&["diff", "--base", "HEAD", "--detailed-exitcode"]).ends(0);
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 6");
    project.edit("prompts/riverside.md", "Riverside", "Lakeside");
    project.write("agents/other.yaml", "key: other\nname: Another\nphone_numbers: {inbound: [\"+15550002222\"]}\n");
    let ran = project.run(&["diff", "--base", "main", "--detailed-exitcode", "--markdown", "comment.md"]).ends(2);
    for words in [
        "~ agent.riverside   changes",
        "/config/agent/max_tool_steps  4 → 6  (+2)",
        "+ agent.other   is new",
        "+15550002222 inbound  (no manifest) → agent.other",
        "The service was not asked",
        "Difference: 1 added, 1 changed, 0 removed. 0 the same.",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(project.read("comment.md").contains("1 changed, 1 added · 0 the same"), "{}", project.read("comment.md"));
    let document = project.run(&["diff", "--base", "HEAD", "--json"]).ends(0).json();
    assert_eq!((&document["kind"], &document["summary"]["changed"]), (&json!("difference"), &json!(1)));
    commit(&project, "second");
    std::fs::remove_file(project.path("agents/other.yaml")).unwrap();
    project.run(&["diff", "--base", "HEAD"]).ends(0).says("- agent.other   is REMOVED");
    project.run(&["diff", "--base", "HEAD~1"]).ends(0).says("~ agent.riverside   changes");
}

#[test]
fn a_verify_alone_is_a_difference_that_shows_whole_in_every_output() {
    let project = committed();
    project.edit(MANIFEST, "phone_numbers:", "verify: {command: [sh, -c, 'curl x'], env: [A]}\nphone_numbers:");
    let ran = project.run(&["diff", "--base", "HEAD", "--detailed-exitcode", "--markdown", "comment.md"]).ends(2);
    for words in ["! verify is new", "runs: \"sh\" \"-c\" \"curl x\"", "with the variables: \"A\"", "1 changed"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    let comment = project.read("comment.md");
    assert!(comment.contains("- <b>`agent.riverside`</b>: `verify` is new"), "{comment}");
    assert!(comment.find("Look at this first") < comment.find("<details"), "{comment}");
    assert!(comment.contains("- <b>!</b> `verify` is new\n"), "{comment}");
    assert!(comment.contains("runs: `\"sh\"` `\"-c\"` `\"curl x\"`"), "{comment}");
    let document = project.run(&["diff", "--base", "HEAD", "--json"]).ends(0).json();
    let after = &document["manifests"][0]["verify"]["after"];
    assert_eq!(*after, json!({"command": ["sh", "-c", "curl x"], "env": ["A"]}));
    commit(&project, "second");
    project.edit(MANIFEST, "'curl x'", "'curl y'");
    let ran = project.run(&["diff", "--base", "HEAD"]).ends(0).says("! verify changes");
    assert!(ran.stdout.contains("ran before: \"sh\" \"-c\" \"curl x\""), "{}", ran.stdout);
}

#[test]
fn a_project_below_the_repositorys_root_is_compared_with_itself() {
    let project = Project::quickstart();
    let root = project.dir().parent().unwrap().to_owned();
    git(&root, &["init", "-q", "-b", "main"]);
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-q", "-m", "first"]);
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 6");
    project.run(&["diff", "--base", "main"]).ends(0).says("0 added, 1 changed, 0 removed");
}

#[test]
fn a_commit_that_a_shallow_checkout_lacks_is_named_with_what_to_do() {
    let project = committed();
    commit_again(&project);
    let clone = Project::quickstart();
    std::fs::remove_dir_all(clone.dir()).unwrap();
    let source = format!("file://{}", project.dir().display());
    git(clone.dir().parent().unwrap(), &["clone", "-q", "--depth", "1", &source, "project"]);
    clone.run(&["diff", "--base", "HEAD"]).ends(0);
    let ran = clone.run(&["diff", "--base", "HEAD~1"]).ends(1);
    assert!(ran.stderr.contains("fetch-depth: 0") && ran.stderr.contains("`git fetch --unshallow origin`"), "{ran:#?}");
    let ran = project.run(&["diff", "--base", "origin/nowhere"]).ends(1).says("no commit `origin/nowhere`");
    assert!(ran.stderr.contains("git fetch origin nowhere") && !ran.stderr.contains("fetch-depth"), "{ran:#?}");
}

fn commit_again(project: &Project) {
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    commit(project, "second");
}

#[test]
fn what_is_no_repository_or_no_name_of_a_commit_is_said_so() {
    let project = Project::quickstart();
    project.run(&["diff", "--base", "main"]).ends(1).says("is not in a git repository");
    project.run(&["diff"]).ends(64);
    let project = committed();
    project.run(&["diff", "--base", "--output=x"]).ends(64);
    project.write(MANIFEST, "key: [\n");
    project.run(&["diff", "--base", "HEAD"]).ends(1);
}

#[test]
fn a_base_without_manifests_or_with_broken_ones_is_compared_as_far_as_it_goes() {
    let project = committed();
    let manifest = project.read(MANIFEST);
    project.write(MANIFEST, "key: [\n");
    commit(&project, "broken");
    project.write(MANIFEST, manifest);
    project.run(&["diff", "--base", "HEAD"]).ends(0).says("+ agent.riverside   is new").says("have mistakes");
}

#[test]
fn secrets_are_shown_by_no_more_than_that_they_differ() {
    let project = committed().with("REACHFORM_SECRET_CRM_KEY", "crm-secret-4417-value");
    project.edit(MANIFEST, "  team: patient-access", "  team: patient-access\n  crm_token: !secret CRM_KEY");
    let ran = project.run(&["diff", "--base", "HEAD", "--json"]).ends(0);
    assert!(ran.stdout.contains("/metadata/crm_token"), "{ran:#?}");
}

#[test]
fn a_difference_says_first_what_must_not_be_overlooked_in_a_strangers_change() {
    let project = committed();
    project.edit(MANIFEST, "transfer_to_front_desk", "transfer_to_manager");
    project.edit(MANIFEST, "!var front_desk", "\"+19005550199\"");
    project.edit(MANIFEST, "inbound: [\"+15551234567\"]", "inbound: []");
    let ran = project.run(&["diff", "--base", "HEAD", "--markdown", "comment.md"]).ends(0);
    let said = "the phone number +19005550199 is new";
    let first = ran.stdout.find("Look at this first").unwrap();
    assert!(first < ran.stdout.find(said).unwrap() && ran.stdout.find(said) < ran.stdout.find("~ agent."), "{ran:#?}");
    let comment = project.read("comment.md");
    assert!(comment.find(said).unwrap() < comment.find("<details").unwrap(), "{comment}");
    let document = project.run(&["diff", "--base", "HEAD", "--json"]).ends(0).json();
    let codes: Vec<&str> =
        document["alarms"].as_array().unwrap().iter().map(|alarm| alarm["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["number-reaches-nobody", "new-phone-number"], "{document:#}");
}
