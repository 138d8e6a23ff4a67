//! The documents keep to the schemas that outsiders read, and every order of fields is the frozen one.

use reachform::diagnostics::SourceMap;
use reachform::plan::SavedPlanError;
use reachform::render::json::{plan_document, read_plan, read_report, read_saved};
use serde_json::Value;

use super::folder;

fn validator(schema: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(folder(schema)).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn assert_valid(validator: &jsonschema::Validator, document: &Value, name: &str) {
    let problems: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{name}: {problems:#?}");
}

#[test]
fn every_document_keeps_to_its_schema() {
    let kinds = ["plan", "report", "drift"].map(|kind| (kind, validator(&format!("{kind}.schema.json"))));
    let mut seen = 0;
    for folder in [folder(""), folder("../drift")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let case = entry.unwrap().path();
            // Those were written by an earlier version, and are only read.
            if case.ends_with("older") {
                continue;
            }
            for (kind, validator) in &kinds {
                let Ok(text) = std::fs::read_to_string(case.join(format!("{kind}.json"))) else { continue };
                let document: Value = serde_json::from_str(&text).unwrap();
                assert_valid(validator, &document, &case.display().to_string());
                // The schema is strict, so an unknown property is one that someone forgot to write down.
                let mut more = document;
                more["surprise"] = Value::Null;
                assert!(!validator.is_valid(&more));
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "{seen} documents");
}

#[test]
fn documents_of_an_earlier_minor_version_are_read_and_shown() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder("older")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("report") {
            let report = read_report(&document).unwrap();
            assert_eq!(report.outcomes.len(), document["outcomes"].as_array().unwrap().len());
        } else {
            let plan = read_plan(&document).unwrap_or_else(|| panic!("{name} cannot be shown"));
            let saved = read_saved(&text);
            // The hashes of these plans are made up, which is all that is wrong with them.
            let is_read = matches!(saved, Ok(_) | Err(SavedPlanError::NotApplyable | SavedPlanError::Edited));
            assert!(is_read, "{name}: {saved:?}");
            for (change, written) in plan.changes.iter().zip(document["changes"].as_array().unwrap()) {
                let held = change.held.as_ref().map(|held| held.describe(&change.key));
                assert_eq!(held.as_deref(), written["held"].as_str());
            }
            let again: Value = serde_json::from_str(&plan_document(&plan, &SourceMap::default())).unwrap();
            for part in ["target", "source", "summary", "unchanged", "unmanaged", "orphans", "limits", "plan_hash"] {
                assert_eq!(again[part], document[part], "{name}: {part}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen} documents");
}

#[test]
fn the_first_fields_stand_in_the_order_of_the_contract() {
    let text = std::fs::read_to_string(folder("everyday").join("plan.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "format_version",
            "tool_version",
            "complete",
            "targeted",
            "applyable",
            "target",
            "source",
            "schema_digest",
            "plan_hash",
            "document_digest",
            "summary",
            "changes",
            "unchanged",
            "unmanaged",
            "orphans",
            "notices",
            "limits",
            "alarms",
            "diagnostics"
        ]
    );
    let field: Vec<&str> =
        document["changes"][1]["fields"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(field, ["path", "kind", "cause", "before", "before_state", "after", "after_state", "removal", "risk"]);
}
