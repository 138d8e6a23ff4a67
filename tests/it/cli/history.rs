//! `show KEY`, `versions`, `compare`, `log`, `rollback` and `release` as a person and a script meet them.

use serde_json::Value;

use super::program::{MANIFEST, Project};

/// The quickstart with two versions, in the embedded service.
fn released() -> Project {
    let project = Project::quickstart();
    apply(&project, &[]).ends(0);
    project.edit("prompts/riverside.md", "Riverside Dental", "Riverside Best Dental");
    apply(&project, &[]).ends(0);
    project
}

fn apply(project: &Project, more: &[&str]) -> super::program::Ran {
    project.run(&[&["apply", "--sandbox", "--auto-approve"], more].concat())
}

fn sandbox(project: &Project, arguments: &[&str]) -> super::program::Ran {
    project.run(&[arguments, &["--sandbox"]].concat())
}

fn holds(document: &Value, schema: &str) {
    let path = format!("{}/fixtures/render/{schema}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(document).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}\n{document:#}");
}

#[test]
fn an_agent_its_versions_and_the_log_are_shown_as_text_and_as_documents_with_a_schema() {
    let project = released();
    for (arguments, schema, words) in [
        (["show", "riverside"].as_slice(), "agent", ["State", "managed", "version 2"]),
        (&["versions", "riverside"], "versions", ["v2      live", "v1      published", "+15551234567 both ways"]),
        (&["versions", "agent.riverside"], "versions", ["v2", "v1", "MADE"]),
        (&["log"], "log", ["agent.riverside v2", "agent.riverside v1", "applied: plan"]),
        (&["log", "riverside"], "log", ["agent.riverside v2", "agent.riverside v1", "key_sandbox"]),
        (&["compare", "riverside"], "comparison", ["v1 → v2", "{+Best +}", "Compare: 1 value differs"]),
        (&["compare", "riverside", "--from", "2", "--to", "1"], "comparison", ["v2 → v1", "[-Best -]", "Compare"]),
    ] {
        let ran = sandbox(&project, arguments).ends(0);
        for word in words {
            assert!(ran.stdout.contains(word), "{arguments:?}: {word}\n{}", ran.stdout);
        }
        let document = sandbox(&project, &[arguments, &["--json"]].concat()).ends(0).json();
        holds(&document, schema);
    }
    let document = sandbox(&project, &["show", "riverside", "--json"]).ends(0).json();
    assert_eq!((document["live_version"].clone(), document["state"].clone()), (2.into(), "managed".into()));
    let with_summary = sandbox(&project, &["compare", "riverside", "--summary"]).ends(0);
    assert!(with_summary.stdout.contains("The service says: "), "{}", with_summary.stdout);
    let limited = sandbox(&project, &["log", "--limit", "1", "--json"]).ends(0).json();
    assert_eq!((limited["entries"].as_array().unwrap().len(), limited["left_out"].clone()), (1, 1.into()));
}

#[test]
fn show_takes_a_plan_for_a_plan_and_anything_else_for_an_agent() {
    let project = released();
    sandbox(&project, &["plan", "--out", "saved"]).ends(0);
    sandbox(&project, &["show", "saved"]).ends(0).says("Plan: 0 to create");
    sandbox(&project, &["show", "missing.plan"]).ends(1).says("missing.plan");
    sandbox(&project, &["show", "riversid"]).ends(1).says("did you mean `riverside`?");
    sandbox(&project, &["show", "riverside", "--markdown", "x.md"]).ends(64).says("no plan file");
    sandbox(&project, &["versions", "nobody"]).ends(1).says("there is no agent `nobody`");
    sandbox(&project, &["compare", "riverside", "--from", "9"]).ends(1).says("it has no version 9");
}

#[test]
fn a_rollback_is_asked_for_with_a_reason_held_by_apply_and_lifted_by_redo() {
    let project = released();
    sandbox(&project, &["rollback", "riverside", "--auto-approve"]).ends(64).says("--reason");
    sandbox(&project, &["rollback", "riverside", "--reason", "bad"]).ends(64).says("cannot ask for confirmation");
    let ran =
        sandbox(&project, &["rollback", "riverside", "--reason", "callers hear nothing", "--auto-approve"]).ends(0);
    for words in ["goes back to version 1: callers hear nothing", "[-Best -]", "Apply: 1 applied"] {
        assert!(ran.stdout.contains(words), "{words}\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("TARGETED"), "{}", ran.stdout);
    let shown = sandbox(&project, &["show", "riverside"]).ends(0).stdout;
    assert!(shown.contains("Rolled back") && shown.contains("callers hear nothing"), "{shown}");
    let plan = sandbox(&project, &["plan", "--json"]).ends(0).json();
    assert_eq!(plan["changes"][0]["held"]["kind"], "rollback");
    let held = apply(&project, &[]).ends(3);
    assert!(
        held.stdout.contains("nothing is written here") && held.stdout.contains("--redo riverside"),
        "{}",
        held.stdout
    );
    sandbox(&project, &["drift"]).ends(0).says("rolled back from version 2 to version 1");
    apply(&project, &["--redo", "riverside"]).ends(0);
    sandbox(&project, &["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn a_rollback_that_writes_leaves_manifests_with_nothing_to_plan() {
    let project = released();
    let arguments = ["rollback", "riverside", "--reason", "the wrong name", "--auto-approve", "--write"];
    let ran = sandbox(&project, &arguments).ends(0);
    assert!(ran.stdout.contains("Adopt: 1 value adopted, 0 not."), "{}", ran.stdout);
    assert!(!project.read("prompts/riverside.md").contains("Best"));
    sandbox(&project, &["plan", "--detailed-exitcode"]).ends(0);
    apply(&project, &[]).ends(0);
    let document = sandbox(&project, &["versions", "riverside", "--json"]).ends(0).json();
    assert_eq!(document["versions"].as_array().unwrap().len(), 3, "no version is made for what is live already");
}

#[test]
fn a_rollback_of_a_plan_finds_its_agents_by_what_is_recorded_on_them() {
    let project = released();
    let log = sandbox(&project, &["log", "--json"]).ends(0).json();
    let plan = log["entries"][0]["applied"]["plan"].as_str().unwrap().to_owned();
    let arguments = ["rollback", "--plan", &plan, "--reason", "undo this release", "--auto-approve"];
    sandbox(&project, &arguments).ends(0).says("Apply: 1 applied");
    sandbox(&project, &arguments).ends(1).says("no agent was applied last under the plan");
}

#[test]
fn a_released_agent_stays_as_it_is_and_is_nobodys() {
    let project = released();
    sandbox(&project, &["release", "riverside"]).ends(64).says("--auto-approve");
    for more in [&[][..], &["--behave", "metadata=merge"]] {
        let ran = sandbox(&project, &[&["release", "riverside", "--auto-approve"], more].concat()).ends(0);
        assert!(ran.stdout.contains("is no longer managed") && ran.stdout.contains(MANIFEST), "{}", ran.stdout);
        sandbox(&project, &[&["plan"], more].concat()).ends(0).says("1 to adopt");
        sandbox(&project, &[&["release", "riverside", "--auto-approve"], more].concat()).ends(1).says("not managed");
        apply(&project, more).ends(0);
    }
    let document = sandbox(&project, &["release", "riverside", "--auto-approve", "--json"]).ends(0).json();
    holds(&document, "released");
}
