//! What the page for newcomers shows is a project that is applied, after which nothing is left to change.

use super::{blocks, read};
use crate::cli::program::Project;

#[test]
fn the_files_of_the_first_page_are_a_project_that_is_applied_and_then_in_place() {
    let page = read("docs/start-from-nothing.md");
    let yaml = blocks(&page, &["yaml"]);
    let prompt = blocks(&page, &["markdown"]);
    let project = Project::empty();
    project.write("reachform.yaml", &yaml[0]);
    project.write("prompts/front-desk.md", &prompt[0]);
    project.write("agents/front-desk.yaml", &yaml[1]);
    project.run(&["validate", "--sandbox"]).ends(0);
    let planned = project.run(&["plan", "--sandbox"]).ends(0);
    let summary = blocks(&page, &["text"]).concat();
    assert!(planned.stdout.contains(summary.trim()), "{}", planned.stdout);
    project.run(&["apply", "--sandbox", "--auto-approve"]).ends(0);
    project.run(&["plan", "--sandbox", "--detailed-exitcode"]).ends(0);
}

#[test]
fn explain_shows_the_page_of_a_code_as_it_is_copied_from_a_message_and_names_the_nearest_to_an_unknown_one() {
    let project = Project::empty();
    let page = project.run(&["explain", "error[unknown-field]"]).ends(0);
    for part in ["A field is not known.", "What to do: ", "error[unknown-field]: unknown field "] {
        assert!(page.stdout.contains(part), "{part}: {}", page.stdout);
    }
    let unknown = project.run(&["explain", "unkown-field"]).ends(64);
    assert!(unknown.stderr.contains("did you mean `unknown-field`?"), "{}", unknown.stderr);
    let all = project.run(&["explain", "--json"]);
    let codes: serde_json::Value = serde_json::from_str(&all.stdout).unwrap();
    assert_eq!(codes["codes"].as_array().unwrap().len(), reachform::cli::explain::every_code().len());
}
