//! The schema: case folders of faults, the questions of planning, schemas that must be refused, and properties.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reachform::diagnostics::{Place, SourceMap, Span};
use reachform::model::secret::SecretPart;
use reachform::model::{ConfigShape, Declared, Desired, Digest, FieldPath, Key, Origin, SecretText, Slots};
use reachform::schema::{ConfigSchema, Leniency, Places, SchemaError, check_declared, codes};
use serde_json::{Value, json};

const SANDBOX: &str = "src/sandbox/agent-config.schema.json";

fn sandbox() -> ConfigSchema {
    ConfigSchema::compile(&fs::read(SANDBOX).unwrap()).unwrap()
}

fn schema(value: &Value) -> ConfigSchema {
    ConfigSchema::compile(value.to_string().as_bytes()).unwrap()
}

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

/// A text in which every path stands on a line of its own, so that a case shows where each problem points.
struct Lines {
    spans: BTreeMap<FieldPath, (Option<Span>, Span)>,
    sources: SourceMap,
}

impl Lines {
    fn of(config: &Value) -> Self {
        let mut text = String::new();
        let mut ranges = Vec::new();
        list(config, &FieldPath::config(), "config", &mut text, &mut ranges);
        let mut sources = SourceMap::default();
        let file = sources.add("agents/a.yaml", text);
        let spans = ranges
            .into_iter()
            .map(|(path, key, value)| (path, (key.map(|key| Span::new(file, key)), Span::new(file, value))))
            .collect();
        Self { spans, sources }
    }

    fn text(&self, span: &Span) -> &str {
        &self.sources.text(span.file)[self.sources.clamp(span)]
    }
}

type Range = std::ops::Range<usize>;

fn list(
    value: &Value,
    at: &FieldPath,
    name: &str,
    text: &mut String,
    out: &mut Vec<(FieldPath, Option<Range>, Range)>,
) {
    let start = text.len();
    text.push_str(name);
    let key = name.parse::<usize>().is_err().then(|| start..text.len());
    text.push(' ');
    let from = text.len();
    text.push_str(&value.to_string());
    out.push((at.clone(), key, from..text.len()));
    text.push('\n');
    match value {
        Value::Object(map) => map.iter().for_each(|(name, below)| list(below, &at.child(name), name, text, out)),
        Value::Array(items) => {
            for (index, below) in items.iter().enumerate() {
                list(below, &at.index(index), &index.to_string(), text, out);
            }
        }
        _ => {}
    }
}

impl Places for Lines {
    fn value(&self, path: &FieldPath) -> Option<Span> {
        self.spans.get(path).map(|(_, value)| value.clone())
    }

    fn key(&self, path: &FieldPath) -> Option<Span> {
        self.spans.get(path).and_then(|(key, _)| key.clone())
    }
}

fn desired(config: Value, secrets: BTreeMap<FieldPath, SecretText>) -> Desired {
    Desired {
        key: Key::parse("a").unwrap(),
        origin: Origin { file: "agents/a.yaml".to_owned(), line: 1 },
        name: "A".to_owned(),
        declared: Declared::new(json!({"name": "A", "config": config}), secrets),
        slots: Slots::default(),
        web_widgets: None,
        email_addresses: None,
        sip_endpoint: None,
        builder_inputs: None,
        protect: false,
        ignore: Vec::new(),
        release: Vec::new(),
        id: None,
        moved: Vec::new(),
        verify: None,
        source: Digest::of(&Value::Null),
    }
}

/// Writes out what the check of a part and that of a whole say, with the text that each problem points at.
fn report(schema: &ConfigSchema, config: &Value, leniency: Leniency) -> String {
    let lines = Lines::of(config);
    let mut out = String::from("declared:\n");
    for problem in
        check_declared(&desired(config.clone(), BTreeMap::new()), schema, &lines, leniency).sorted(&lines.sources)
    {
        let severity = problem.severity.as_str();
        out.push_str(&format!("  {severity}[{}] {}\n", problem.code, problem.message));
        match &problem.place {
            Some(Place::Span(span)) => {
                let text: String = lines.text(span).chars().take(40).collect();
                out.push_str(&format!("    at {} on `{text}`\n", problem.label.as_deref().unwrap_or_default()));
            }
            other => out.push_str(&format!("    at {other:?}\n")),
        }
        for hint in &problem.hints {
            out.push_str(&format!("    hint: {hint}\n"));
        }
        if let Some(fix) = &problem.fix {
            out.push_str(&format!("    fix: `{}` -> `{}` ({})\n", lines.text(&fix.span), fix.replacement, fix.title));
        }
    }
    out.push_str("whole:\n");
    for fault in schema.faults(config) {
        out.push_str(&format!("  {} {}\n", fault.path, fault.message));
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
    for (code, meaning) in codes::ALL {
        assert!(all.contains(&format!("[{code}]")), "no case shows {code}: {meaning}");
    }
}
