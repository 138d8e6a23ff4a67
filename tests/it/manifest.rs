//! Tests of `manifest`, and of the text that its problems are read in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reachform::diagnostics::{Diagnostic, Diagnostics, SourceMap, Span};
use reachform::manifest::{self, MemoryFiles, Resolved, codes, yaml};
use reachform::model::FieldPath;
use reachform::render::diagnostics::{TextOptions, json, text};
use serde_json::{Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/manifest")
}

/// What a case folder says beside its files, in `case.json`.
struct Case {
    environment: Option<String>,
    secrets: BTreeMap<String, String>,
    /// Files that are too large to be kept, by size.
    generate: BTreeMap<String, usize>,
    /// Symbolic links, which not every checkout can hold.
    links: BTreeMap<String, String>,
    /// The folder to load, where it is not the case's own.
    folder: String,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let value: Value = fs::read(folder.join("case.json"))
            .map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).expect("case.json is JSON"));
        let map = |name: &str| value.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let texts = |name: &str| map(name).into_iter().map(|(k, v)| (k, v.as_str().unwrap().to_owned())).collect();
        Self {
            environment: value.get("environment").and_then(Value::as_str).map(str::to_owned),
            secrets: texts("secrets"),
            generate: map("generate").into_iter().map(|(k, v)| (k, v.as_u64().unwrap() as usize)).collect(),
            links: texts("links"),
            folder: value.get("folder").and_then(Value::as_str).unwrap_or("").to_owned(),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(case: &Path) -> Resolved {
    let options = Case::read(case);
    let place = tempfile::tempdir().unwrap();
    let project = place.path().join("project");
    copy(case, &project);
    for (path, size) in &options.generate {
        fs::write(project.join(path), "x".repeat(*size)).unwrap();
    }
    for (path, target) in &options.links {
        #[cfg(unix)]
        std::os::unix::fs::symlink(target, project.join(path)).unwrap();
    }
    fs::write(place.path().join("outside.md"), "not yours").unwrap();
    let secrets = |name: &str| options.secrets.get(name).cloned();
    let mut resolved = manifest::load(&project.join(&options.folder), options.environment.as_deref(), &secrets);
    // The folder of a run is in no expected file.
    let shown = project.display().to_string();
    let mut kept = Diagnostics::new();
    for mut diagnostic in std::mem::take(&mut resolved.diagnostics) {
        diagnostic.message = diagnostic.message.replace(&shown, "<project>");
        if let Some(reachform::diagnostics::Place::File(file)) = &mut diagnostic.place {
            *file = file.replace(&shown, "<project>");
        }
        kept.push(diagnostic);
    }
    resolved.diagnostics = kept;
    resolved
}

fn sorted(resolved: &Resolved) -> Vec<Diagnostic> {
    resolved.diagnostics.clone().sorted(&resolved.sources)
}

fn as_json(resolved: &Resolved) -> Value {
    let desired = resolved.desired.iter().map(|desired| {
        let numbers = |set: &Option<BTreeSet<reachform::model::PhoneNumber>>| json!(set);
        let secrets: BTreeMap<String, String> =
            desired.declared.secrets().iter().map(|(path, text)| (path.to_string(), text.named())).collect();
        json!({
            "key": desired.key.as_str(),
            "name": desired.name,
            "origin": format!("{}:{}", desired.origin.file, desired.origin.line),
            "declared": desired.declared.tree(),
            "secrets": secrets,
            "missing_secrets": desired.declared.missing_secrets(),
            "inbound": numbers(&desired.slots.inbound),
            "outbound": numbers(&desired.slots.outbound),
            "web_widgets": desired.web_widgets,
            "email_addresses": desired.email_addresses,
            "sip_endpoint": desired.sip_endpoint,
            "builder_inputs": desired.builder_inputs,
            "protect": desired.protect,
            "ignore": desired.ignore.iter().map(|ignore| json!({"path": ignore.path.to_string(), "reason": ignore.reason,
                "until": ignore.until.map(|date| date.to_string())})).collect::<Vec<_>>(),
            "release": desired.release.iter().map(FieldPath::to_string).collect::<Vec<_>>(),
            "id": desired.id,
            "moved": desired.moved.iter().map(|key| key.as_str()).collect::<Vec<_>>(),
            "verify": desired.verify.as_ref().map(|verify| json!({"command": verify.command, "env": verify.env})),
            "source": desired.source.as_str(),
        })
    });
    json!({
        "project": resolved.project.name,
        "has_project": resolved.project.has_project,
        "environment": resolved.project.environment,
        "token_variable": resolved.project.token_variable(),
        "organization": resolved.project.organization(),
        "elsewhere": resolved.elsewhere.iter().map(|key| key.as_str()).collect::<Vec<_>>(),
        "desired": desired.collect::<Vec<_>>(),
    })
}

/// Compares with an expected file, or writes it when `REACHFORM_BLESS=1`. An expected file that nothing makes is a fault.
fn check(path: &Path, found: Option<&str>, faults: &mut Vec<String>) {
    if std::env::var_os("REACHFORM_BLESS").is_some() {
        match found {
            Some(found) => fs::write(path, found).unwrap(),
            None => drop(fs::remove_file(path)),
        }
        return;
    }
    let expected = fs::read_to_string(path).ok();
    if expected.as_deref() != found {
        faults.push(format!(
            "{}\n--- expected\n{}\n--- found\n{}",
            path.display(),
            expected.as_deref().unwrap_or("(no file)"),
            found.unwrap_or("(nothing)")
        ));
    }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_folder_comes_out_as_expected() {
    let mut faults = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    for case in cases {
        let resolved = run(&case);
        let problems = sorted(&resolved);
        let words = (!problems.is_empty()).then(|| text(&problems, &resolved.sources, TextOptions::default()));
        check(&case.join("expected.txt"), words.as_deref(), &mut faults);
        let tree = (!resolved.diagnostics.has_errors())
            .then(|| format!("{}\n", serde_json::to_string_pretty(&as_json(&resolved)).unwrap()));
        check(&case.join("expected.json"), tree.as_deref(), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_code_is_shown_by_a_case_and_every_shown_code_is_listed() {
    let shown: BTreeSet<&str> =
        cases().iter().flat_map(|case| sorted(&run(case)).into_iter().map(|problem| problem.code)).collect();
    let listed: BTreeSet<&str> = codes::CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(listed.len(), codes::CODES.len(), "a code is listed twice");
    assert_eq!(shown, listed);
}
