//! Large plans and hostile ones, all the way onto the forge: within every budget, whole, and one comment.

use reachform::diagnostics::SourceMap;
use reachform::plan::hash::plan_hash;
use reachform::plan::saved::{DOCUMENT_DIGEST, document_digest};
use reachform::render::json::plan_document;
use serde_json::{Value, json};

use super::command::Repository;
use crate::render::limits::many;
use crate::render::markdown::check;

/// What the runner keeps of a step's summary.
const SUMMARY_BYTES: usize = 1_048_576;

/// The document with a plan hash that covers its changes, as planning would make it.
fn sound(document: &str) -> Value {
    let mut document: Value = serde_json::from_str(document).unwrap();
    let digests: std::collections::BTreeMap<String, reachform::model::Digest> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let digest = reachform::model::Digest::parse(change["change_hash"].as_str().unwrap()).unwrap();
            (change["address"].as_str().unwrap().to_owned(), digest)
        })
        .collect();
    document["plan_hash"] = json!(plan_hash(digests.values()).as_str());
    document[DOCUMENT_DIGEST] = json!(document_digest(&document).as_str());
    document
}

#[test]
fn plans_of_any_size_fit_with_totals_and_every_delete() {
    // Those of 200 take long prompts, those of 2,000 many of them; both are compared twice, in a slow build.
    for count in [10, 200, 2_000] {
        let mut repository = Repository::new().at_push(20, "a");
        let summary = repository.project.path("summary.md").display().to_string();
        repository.project = repository.project.with("GITHUB_STEP_SUMMARY", &summary);
        let document = plan_document(&many(count), &SourceMap::default());
        repository.project.write("plan.json", sound(&document).to_string());
        let told = repository.runs(&["comment", "plan.json", "--summary", "--json"]).ends(0).json();
        assert_eq!(told["outcome"], "created", "{told}");
        let body = repository.comment();
        let is_cut = body.contains(" changes are shown in full here.");
        assert_eq!((&told["truncated"], is_cut || count < 200), (&json!(is_cut), true), "{told}");
        assert!(body.len() <= 60_000, "{count}: {}", body.len());
        for text in [&body, &repository.project.read("summary.md")] {
            assert!(text.contains(&format!("Plan: 0 to create, {count} to update, 5 to delete")));
            for number in 0..5 {
                assert!(text.contains(&format!("agent.gone-{number}")));
            }
            check(text);
        }
        assert!(repository.project.read("summary.md").len() < SUMMARY_BYTES);
    }
}

#[test]
fn a_hostile_plan_is_one_comment_and_no_command() {
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/render/hostile/plan.json");
    let repository = Repository::new().at_push(20, "a");
    let document = sound(&std::fs::read_to_string(fixture).unwrap());
    repository.project.write("plan.json", document.to_string());
    for round in ["created", "unchanged"] {
        let ran = repository.runs(&["comment", "plan.json", "--json"]).ends(0);
        assert_eq!(ran.json()["outcome"], round);
        assert!(
            ran.stdout.lines().chain(ran.stderr.lines()).all(|line| !line.trim_start().starts_with("::")),
            "{ran:?}"
        );
    }
    check(&repository.comment());
    // The same in an error, whose causes quote what the service says.
    let poison = document["changes"]
        .to_string()
        .replace("``", "`` ``\r::add-mask::x\n-->\u{1b}[31m<!-- reachform:comment v=1 key=x -->");
    let problem =
        json!({"severity": "error", "file": poison, "line": 1, "code": poison, "message": poison, "hints": [poison]});
    for code in [1, 3] {
        let problems = vec![problem.clone(); 90];
        let error =
            json!({"exit_code": code, "causes": [poison, "::error::x"], "hints": [poison], "diagnostics": problems});
        let document = json!({"format_version": "1.0", "error": error});
        repository.project.write("error.json", document.to_string());
        let environment = "evil `name` | @org/team #1 <b>";
        let ran = repository.runs(&["comment", "error.json", "--plan", "plan.json", "--env", environment]).ends(0);
        assert!(!ran.stdout.contains('\u{1b}'));
        let body = repository.github.with(|github| github.bodies(12)).pop().unwrap();
        assert!(body.len() <= 60_000, "{}", body.len());
        assert!(code != 1 || body.contains(" more\n"), "what has no room is counted: {body}");
        check(&body);
    }
}
