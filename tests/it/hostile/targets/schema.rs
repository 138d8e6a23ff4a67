//! The service's schema, and a config that is asked about with it.

use std::collections::BTreeMap;

use reachform::diagnostics::{Severity, Span};
use reachform::model::{
    ConfigShape as _, Declared, Desired, Digest, FieldPath, Key, Origin, SecretText, Slots, secret::SecretPart,
};
use reachform::schema::{ConfigSchema, Leniency, Places, check_declared, codes};
use serde_json::{Value, json};

use super::{Verdict, bundle, sandbox_schema};

/// The value at every path that the input calls secret.
const PLANTED: &str = "planted-1b7e9a40c2";

/// A declaration whose text nobody has at hand.
struct Nowhere;

impl Places for Nowhere {
    fn value(&self, _path: &FieldPath) -> Option<Span> {
        None
    }

    fn key(&self, _path: &FieldPath) -> Option<Span> {
        None
    }
}

/// Sections `schema` (absent: the embedded one), `config`, and `secret /pointer/in/the/manifest` for paths at which a
/// secret stands. A text without sections is the schema.
pub fn schema(input: &[u8]) -> Verdict {
    let (mut bytes, mut config, mut secrets) = (None, json!({}), BTreeMap::new());
    for section in bundle::split(input) {
        match section.head.as_str() {
            "" | "schema" => bytes = Some(section.body),
            "config" => match serde_json::from_slice(&section.body) {
                Ok(value) => config = value,
                Err(_) => return Verdict::Refused,
            },
            head => {
                if let Some(path) = head.strip_prefix("secret ").and_then(FieldPath::parse) {
                    let part = SecretPart::Secret { name: "S".to_owned(), value: Some(PLANTED.into()) };
                    secrets.insert(path, SecretText(vec![part]));
                }
            }
        }
    }
    let compiled = match &bytes {
        Some(bytes) => ConfigSchema::compile(bytes),
        None => return ask_all(sandbox_schema(), &config, secrets, input),
    };
    match compiled {
        Ok(schema) => ask_all(&schema, &config, secrets, input),
        Err(error) => {
            let mut words = format!("{error} {}", error.hint());
            if let Some(source) = std::error::Error::source(&error) {
                words.push_str(&source.to_string());
            }
            assert!(words.len() < 4_000, "an answer out of all proportion: {words}");
            Verdict::Refused
        }
    }
}

fn ask_all(schema: &ConfigSchema, config: &Value, secrets: BTreeMap<FieldPath, SecretText>, input: &[u8]) -> Verdict {
    let mut paths = vec![FieldPath::config()];
    places(config, &FieldPath::config(), &mut paths);
    for path in &paths {
        let default = schema.default_at(config, path);
        assert_eq!(default, schema.default_at(config, path));
        let _answered = (schema.is_secret(config, path), schema.branch(config, path), schema.requires(config, path));
        let _answered = (schema.allows_null(config, path), schema.property_order(config, path));
        let _answered = schema.accepts(config, path, "name", &Value::Null);
    }
    let faults = schema.faults(config);
    assert_eq!(faults.is_empty(), schema.is_valid(config), "a fault is told exactly where there is one");
    assert!(faults.windows(2).all(|pair| pair[0].path <= pair[1].path), "sorted by path");
    let plain = declared(config, BTreeMap::new());
    let problems = check_declared(&plain, schema, &Nowhere, Leniency::Strict);
    if faults.is_empty() {
        let error =
            problems.iter().find(|problem| problem.severity == Severity::Error && problem.code != codes::UNKNOWN);
        assert_eq!(
            error, None,
            "what a valid config declares is no error, but for a name that the schema does not list"
        );
    }
    let errors = |leniency| {
        let problems = check_declared(&plain, schema, &Nowhere, leniency);
        problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    };
    assert!(errors(Leniency::Lenient) <= errors(Leniency::Strict), "leniency is stricter");
    let hidden = check_declared(&declared(config, secrets), schema, &Nowhere, Leniency::Strict);
    if !input.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes()) {
        for problem in hidden.iter() {
            assert!(!format!("{problem:?}").contains(PLANTED), "a secret is shown: {problem:?}");
        }
    }
    Verdict::Accepted
}

/// So many paths are asked about; a config of thousands asks the same again and again.
const MOST_PATHS: usize = 64;

fn places(value: &Value, at: &FieldPath, out: &mut Vec<FieldPath>) {
    let below: Vec<(FieldPath, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (at.child(name), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (at.index(index), value)).collect(),
        _ => Vec::new(),
    };
    for (path, value) in below {
        if out.len() >= MOST_PATHS {
            return;
        }
        out.push(path.clone());
        places(value, &path, out);
    }
}

fn declared(config: &Value, secrets: BTreeMap<FieldPath, SecretText>) -> Desired {
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
