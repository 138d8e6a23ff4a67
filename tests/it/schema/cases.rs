//! Case folders: a config, a schema where it is not the sandbox's, and what a person is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use reachform::diagnostics::Place;
use reachform::model::ConfigShape;
use reachform::schema::{ConfigSchema, Leniency, check_declared, codes};
use serde_json::Value;

use super::{Lines, SANDBOX, desired};

/// Writes out what the check of a part and that of a whole say, with the text that each problem points at.
fn report(schema: &ConfigSchema, config: &Value, leniency: Leniency) -> String {
    let lines = Lines::of(config);
    let mut out = String::from("declared:\n");
    for problem in check_declared(&desired(config, BTreeMap::new()), schema, &lines, leniency).sorted(&lines.sources) {
        let severity = problem.severity.as_str();
        writeln!(out, "  {severity}[{}] {}", problem.code, problem.message).unwrap();
        match &problem.place {
            Some(Place::Span(span)) => {
                let text: String = lines.text(span).chars().take(40).collect();
                writeln!(out, "    at {} on `{text}`", problem.label.as_deref().unwrap_or_default()).unwrap();
            }
            other => writeln!(out, "    at {other:?}").unwrap(),
        }
        for hint in &problem.hints {
            writeln!(out, "    hint: {hint}").unwrap();
        }
        if let Some(fix) = &problem.fix {
            writeln!(out, "    fix: `{}` -> `{}` ({})", lines.text(&fix.span), fix.replacement, fix.title).unwrap();
        }
    }
    out.push_str("whole:\n");
    for fault in schema.faults(config) {
        writeln!(out, "  {} {}", fault.path, fault.message).unwrap();
    }
    out
}

fn cases() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir("fixtures/schema").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn case_schema(folder: &Path) -> ConfigSchema {
    let own = folder.join("schema.json");
    let bytes = fs::read(if own.exists() { own } else { SANDBOX.into() }).unwrap();
    ConfigSchema::compile(&bytes).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[test]
fn every_case_says_what_its_folder_expects() {
    let mut wrong = Vec::new();
    for folder in cases() {
        let config: Value = serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap();
        let leniency = if folder.join("lenient").exists() { Leniency::Lenient } else { Leniency::Strict };
        let found = report(&case_schema(&folder), &config, leniency);
        let file = folder.join("expected.txt");
        if std::env::var_os("REACHFORM_BLESS").is_some() {
            fs::write(&file, &found).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_is_covered_by_a_case() {
    let all: String = cases().iter().map(|folder| fs::read_to_string(folder.join("expected.txt")).unwrap()).collect();
    // It is of a whole run, and no case is that much work.
    for known in codes::ALL.into_iter().filter(|known| known.code != codes::UNCHECKED) {
        assert!(all.contains(&format!("[{}]", known.code)), "no case shows {}: {}", known.code, known.meaning);
    }
}
