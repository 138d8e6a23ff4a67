//! The documents keep to the schemas that outsiders read, and every order of fields is the frozen one.

use reachform::diagnostics::{Diagnostic, Place, Problem, Severity, SourceMap};
use reachform::model::{Address, Origin};
use reachform::plan::SavedPlanError;
use reachform::render::json::{
    AdoptDoc, AdoptedDoc, CommentDoc, CommentWarningDoc, FORMAT_VERSION, Failure, NotAdoptedDoc, difference_document,
    failure_document, plan_document, read_failure, read_plan, read_report, read_saved, reads_format, sealed,
    validation_document,
};
use serde_json::{Value, json};

use super::build::{difference_of, field, key, path, plan};
use super::{expect, folder};

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
    let kinds = ["plan", "report", "drift", "difference", "validation", "list", "adopt", "comment", "failure"];
    let kinds = kinds.map(|kind| (kind, validator(&format!("{kind}.schema.json"))));
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
    assert!(seen >= 20, "{seen} documents");
}

/// Documents of the commands that are not about one plan, with every field filled.
#[test]
fn what_commands_write_beside_plans_is_frozen() {
    let (address, at) = (Address(key("front-desk")), path("/config/agent/max_tool_steps"));
    let files = vec!["agents/front-desk.yaml".to_owned()];
    let texts = |text: &str| vec![text.to_owned()];
    let mut found =
        Diagnostic::new(Severity::Error, "unknown-field", "unknown field `phone`").hint("see `phone_numbers`");
    found.place = Some(Place::Line(Origin { file: files[0].clone(), line: 4 }));
    let validation = validation_document("production", 3, Some("sha256:ab"), &[found.clone()], &SourceMap::default());
    expect("commands", "validation.json", &validation);

    let adopted = AdoptedDoc { address: address.clone(), path: at.clone(), files: files.clone(), in_patch: true };
    let whole = NotAdoptedDoc { address: address.clone(), path: None, reason: "it is not live".to_owned() };
    let one = NotAdoptedDoc { path: Some(at), ..whole.clone() };
    expect("commands", "adopt.json", &AdoptDoc::new(true, vec![adopted], vec![whole, one], files).text());

    let comment = CommentDoc {
        format_version: FORMAT_VERSION.to_owned(),
        state: "planned".to_owned(),
        outcome: "not-posted".to_owned(),
        pull_request: Some(12),
        comment_id: Some(7),
        comment_url: Some("https://github.example/acme/agents/pull/12#issuecomment-7".to_owned()),
        truncated: true,
        warnings: vec![CommentWarningDoc {
            code: "forge-forbidden".to_owned(),
            message: "the comment was not posted".to_owned(),
            causes: texts("403"),
            hints: texts("grant `pull-requests: write`"),
        }],
    };
    expect("commands", "comment.json", &comment.text());

    let problems = vec![Problem::of(&found, &SourceMap::default())];
    let failure =
        Failure { exit_code: 1, causes: texts("the manifests have mistakes"), hints: texts("fix them"), problems };
    let written = failure_document(&failure);
    let read = read_failure(&serde_json::from_str(&written).unwrap()).unwrap();
    assert_eq!(
        (read.exit_code, &read.causes, &read.hints, &read.problems),
        (1, &failure.causes, &failure.hints, &failure.problems)
    );
    expect("commands", "failure.json", &written);

    let fields = vec![field("/config/agent/max_tool_steps", json!(3), json!(5))];
    expect("commands", "difference.json", &difference_document(&difference_of(fields)));
}

#[test]
fn every_minor_version_of_the_format_is_read_and_no_other_major_one() {
    for (version, is_read) in
        [("1.0", true), (FORMAT_VERSION, true), ("1.99", true), ("2.0", false), ("10.0", false), ("", false)]
    {
        assert_eq!(reads_format(version), is_read, "{version}");
        let mut document: Value =
            serde_json::from_str(&plan_document(&plan(Vec::new()), &SourceMap::default())).unwrap();
        document["format_version"] = json!(version);
        document["of_a_later_version"] = json!({"any": "thing"});
        let read = read_saved(&sealed(&document.to_string()));
        if is_read {
            assert!(
                !matches!(read, Err(SavedPlanError::Format(_) | SavedPlanError::NotAPlan(_))),
                "{version}: {read:?}"
            );
            assert!(read_plan(&document).is_some(), "{version}");
        } else {
            let says = read.unwrap_err().to_string();
            assert_eq!(says, format!("it has format version {version}, and this reachform reads 1.x"));
        }
    }
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
                // Why it is held is told from the causes of its values now; what to do is as it was.
                let what_to_do =
                    |text: Option<&str>| text.and_then(|text| text.split_once("; ")).map(|(_, what)| what.to_owned());
                assert_eq!(what_to_do(held.as_deref()), what_to_do(written["held"].as_str()));
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
