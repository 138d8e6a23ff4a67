//! The documents keep to the schemas that outsiders read, and every order of fields is the frozen one.

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
    let (plans, reports) = (validator("plan.schema.json"), validator("report.schema.json"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder("")).unwrap() {
        let case = entry.unwrap().path();
        for (file, validator) in [("plan.json", &plans), ("report.json", &reports)] {
            let Ok(text) = std::fs::read_to_string(case.join(file)) else { continue };
            let document: Value = serde_json::from_str(&text).unwrap();
            assert_valid(validator, &document, &case.display().to_string());
            // The schema is strict, so an unknown property is one that someone forgot to write down.
            let mut more = document;
            more["surprise"] = Value::Null;
            assert!(!validator.is_valid(&more));
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen} documents");
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
