//! The schema: case folders of faults, the questions of planning, schemas that must be refused, and properties.

use std::collections::BTreeMap;
use std::fmt::Write as _;
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
    let key = name.parse::<usize>().is_err().then_some(start..text.len());
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

fn desired(config: &Value, secrets: BTreeMap<FieldPath, SecretText>) -> Desired {
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
    for (code, meaning) in codes::ALL {
        assert!(all.contains(&format!("[{code}]")), "no case shows {code}: {meaning}");
    }
}

fn full_config() -> Value {
    json!({
        "agent": {
            "type": "static_prompt",
            "instructions": "Be kind.",
            "starting_message": {"type": "bot_initiates_static", "text": "Hello"},
            "tools": [{"name": "t", "description": "d", "actions": [
                {"type": "play_message", "message": "m"},
                {"type": "workflow", "definition": {}},
                {"type": "handoff"}
            ]}],
            "built_in_tools": {"images": {}},
            "stack": {
                "type": "stt_llm_tts",
                "turn_detection": {"models": [{"provider": "anyreach", "model": {"name": "multilingual", "api_key": "k"}}]},
                "stt": {"models": [{"provider": "deepgram", "model": {"name": "nova-3-general"}}]},
                "llm": {"models": [{"provider": "openai", "model": {"name": "gpt-4o", "max_tokens": 5}}]},
                "tts": {"models": [{"provider": "elevenlabs", "model": {"voice_id": "v"}}]},
                "interruption": {}
            },
            "channel_properties": {"sms": {"channel": "sms"}}
        },
        "custom_recording_locations": [{"type": "gcp", "bucket": "b", "credentials": "c"}],
        "metadata": {"upstream_token": "t", "token_count": 5}
    })
}

#[test]
fn the_sandbox_schema_takes_a_full_config() {
    assert_eq!(sandbox().faults(&full_config()), []);
}

#[test]
fn defaults_are_told_one_level_at_a_time_and_into_lists() {
    let (schema, config) = (sandbox(), full_config());
    let at = |text: &str| schema.default_at(&config, &path(text));
    assert_eq!(at("/config/version"), Some(json!("1")));
    assert_eq!(at("/config/agent/starting_message/allow_interruptions"), Some(json!(true)));
    assert_eq!(at("/config/agent/tools/0/actions/0/wait_for_playout"), Some(json!(true)));
    assert_eq!(at("/config/agent/tools/0/actions/1/reject_on_error"), Some(json!(false)));
    assert_eq!(at("/config/agent/stack/interruption/mode"), Some(json!("adaptive")));
    assert_eq!(at("/config/agent/stack/vad"), Some(Value::Null));
    assert_eq!(at("/config/agent/channel_properties/sms/max_segments"), Some(json!(3)));
    assert_eq!(at("/config/agent/built_in_tools/images/default_tier"), Some(json!("fast")));
    // Never for an absent parent, another branch's property, a place past a list's end, or outside the config.
    assert_eq!(at("/config/inactivity_nudge/timeout_seconds"), None);
    assert_eq!(at("/config/agent/starting_message/prompt"), None);
    assert_eq!(at("/config/agent/tools/7/actions/0/wait_for_playout"), None);
    assert_eq!(at("/config/agent/tools/0/actions/1/wait_for_playout"), None);
    assert_eq!(at("/description"), None);
}

#[test]
fn no_default_is_assumed_where_no_branch_can_be_told() {
    let schema = sandbox();
    let config = json!({"agent": {"starting_message": {"text": "x"}}});
    assert_eq!(schema.default_at(&config, &path("/config/agent/starting_message/allow_interruptions")), None);
    assert_eq!(schema.branch(&config, &path("/config/agent/starting_message")), None);
}

#[test]
fn equal_branches_have_equal_ids_and_no_union_has_none() {
    let schema = sandbox();
    let with =
        |message: Value, nudges: Value| json!({"agent": {"starting_message": message}, "inactivity_nudge": nudges});
    let message = path("/config/agent/starting_message");
    let one = with(json!({"type": "bot_initiates_static", "text": "a"}), Value::Null);
    let other = with(json!({"text": "b", "type": "bot_initiates_static"}), Value::Null);
    let third = with(json!({"type": "user_initiates"}), Value::Null);
    assert!(schema.branch(&one, &message).is_some());
    assert_eq!(schema.branch(&one, &message), schema.branch(&other, &message));
    assert_ne!(schema.branch(&one, &message), schema.branch(&third, &message));
    assert_eq!(schema.branch(&one, &path("/config/agent")), None);
    // A nullable model is no choice between two.
    assert_eq!(schema.branch(&with(json!({}), json!({})), &path("/config/inactivity_nudge")), None);
}

#[test]
fn secrets_are_known_by_their_marks_and_by_their_names() {
    let (schema, config) = (sandbox(), full_config());
    let secret = |text: &str| schema.is_secret(&config, &path(text));
    assert!(secret("/config/custom_recording_locations/0/credentials"));
    assert!(secret("/config/agent/stack/turn_detection/models/0/model/api_key"));
    assert!(secret("/config/metadata/upstream_token"));
    assert!(!secret("/config/metadata/token_count"), "a number counts tokens");
    assert!(!secret("/config/agent/stack/llm/models/0/model/max_tokens"));
    assert!(!secret("/config/custom_recording_locations/0/bucket"));
    assert!(!secret("/config/agent/instructions"));
    // Absent: the schema says what it could be.
    let bare = json!({"custom_recording_locations": [{"type": "s3"}], "agent": {}});
    assert!(schema.is_secret(&bare, &path("/config/custom_recording_locations/0/access_key")));
    assert!(!schema.is_secret(&bare, &path("/config/custom_recording_locations/0/region")));
}

#[test]
fn a_secret_in_a_branch_that_cannot_be_told_stays_a_secret() {
    let schema = sandbox();
    let config = json!({"custom_recording_locations": [{"account_key": "x", "secret_access_key": "y", "bucket": "b"}]});
    assert!(schema.is_secret(&config, &path("/config/custom_recording_locations/0/account_key")));
    let marked = self::schema(&json!({"properties": {"place": {"anyOf": [
        {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": true}}, "required": ["a"]},
        {"type": "object", "properties": {"pin": {"type": "string"}}, "required": ["b"]}
    ]}, "nullable": {"anyOf": [{"type": "string", "format": "password"}, {"type": "null"}]}}}));
    assert!(marked.is_secret(&json!({"place": {"pin": "1"}}), &path("/config/place/pin")));
    for value in [json!({"nullable": "x"}), json!({"nullable": null}), json!({})] {
        assert!(marked.is_secret(&value, &path("/config/nullable")), "{value}");
    }
}

#[test]
fn a_property_is_accepted_only_by_the_branch_that_names_it_and_takes_its_value() {
    let schema = sandbox();
    let mut config = full_config();
    config["agent"]["starting_message"] = json!({"type": "bot_initiates_dynamic", "prompt": "x"});
    let message = path("/config/agent/starting_message");
    assert!(schema.accepts(&config, &message, "allow_interruptions", &json!(false)));
    assert!(!schema.accepts(&config, &message, "allow_interruptions", &json!("no")));
    assert!(!schema.accepts(&config, &message, "text", &json!("x")), "named by another branch");
    assert!(!schema.accepts(&config, &message, "anything", &json!(1)));
    assert!(schema.accepts(&config, &path("/config/metadata"), "anything", &json!(1)), "of which nothing is named");
    // A fault elsewhere is not this value's.
    config["agent"]["max_tool_steps"] = json!("x");
    assert!(schema.accepts(&config, &message, "allow_interruptions", &json!(false)));
}

#[test]
fn required_null_and_order_are_by_the_picked_branch() {
    let (schema, config) = (sandbox(), full_config());
    assert!(schema.requires(&config, &path("/config/agent/starting_message/text")));
    assert!(!schema.requires(&config, &path("/config/agent/starting_message/prompt")));
    assert!(schema.requires(&config, &path("/config/agent/tools/0/name")));
    assert!(schema.allows_null(&config, &path("/config/agent/instructions")));
    assert!(schema.allows_null(&config, &path("/config/metadata/upstream_token")));
    assert!(!schema.allows_null(&config, &path("/config/agent/tools")));
    assert!(!schema.allows_null(&config, &path("/config/agent/stack/interruption/mode")));
    let order = schema.property_order(&config, &path("/config/agent/starting_message"));
    assert_eq!(order[..3], ["type", "text", "allow_interruptions"]);
}

#[test]
fn leniency_lets_values_pass_that_are_merely_not_listed() {
    let mut config = full_config();
    config["agent"]["stack"]["stt"]["models"][0]["model"]["name"] = json!("nova-4-general");
    assert_eq!(sandbox().faults(&config).len(), 1);
    let lenient = sandbox().with_leniency(Leniency::Lenient);
    assert_eq!(lenient.faults(&config), []);
    config["agent"]["max_tool_steps"] = json!("x");
    assert_eq!(lenient.faults(&config).len(), 1);
}

#[test]
fn a_secret_is_checked_by_its_value_where_there_is_one_and_is_never_quoted() {
    let schema = schema(&json!({"type": "object", "properties": {
        "api_key": {"type": "string", "pattern": "^sk-", "minLength": 20}, "size": {"type": "integer"}
    }}));
    let config = json!({"api_key": null, "size": null});
    let check = |value: Option<&str>| {
        let text =
            |name: &str| SecretText(vec![SecretPart::Secret { name: name.to_owned(), value: value.map(Into::into) }]);
        let secrets = BTreeMap::from([(path("/config/api_key"), text("KEY")), (path("/config/size"), text("SIZE"))]);
        let lines = Lines::of(&config);
        let found = check_declared(&desired(&config, secrets), &schema, &lines, Leniency::Strict);
        found.iter().map(|problem| format!("{} {}", problem.code, problem.message)).collect::<Vec<_>>()
    };
    let wrong_type = "schema-type expected an integer, found a string";
    assert_eq!(check(None), [wrong_type], "the name of a secret is not held to its pattern");
    assert_eq!(check(Some("sk-0123456789-0123456789")), [wrong_type]);
    let found = check(Some("hunter2-hunter2"));
    assert_eq!(found.len(), 3);
    assert!(!found.join(" ").contains("hunter2"), "{found:?}");
}

#[test]
fn what_is_no_schema_is_refused_with_its_cause() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let cases: [(&str, &str, &str); 22] = [
        ("", "schema-unreadable", "empty"),
        (" \n", "schema-unreadable", "empty"),
        ("<!doctype html><title>Sign in</title>", "schema-unreadable", "HTML"),
        ("{\"type\": \"obj", "schema-unreadable", "not JSON"),
        ("[]", "schema-unreadable", "a list"),
        ("\"x\"", "schema-unreadable", "a text"),
        ("{\"detail\": \"Not Found\"}", "schema-unreadable", "`detail`"),
        ("{\"type\": \"strin\"}", "schema-malformed", "#/type"),
        ("{\"properties\": {\"a\": {\"type\": [\"string\", \"nul\"]}}}", "schema-malformed", "#/properties/a/type"),
        ("{\"properties\": 5}", "schema-malformed", "#/properties"),
        ("{\"properties\": {\"a\": {\"pattern\": \"(\"}}}", "schema-malformed", "#/properties/a/pattern"),
        ("{\"properties\": {\"a\": {\"pattern\": \"((a{1000}){1000}){1000}\"}}}", "schema-malformed", "#/properties/a"),
        ("{\"$schema\": \"https://example.com/own\", \"type\": \"object\"}", "schema-malformed", "example.com"),
        (
            "{\"properties\": {\"a\": {\"$ref\": \"https://example.com/s.json#/x\"}}}",
            "schema-remote-reference",
            "#/properties/a",
        ),
        (
            "{\"$defs\": {\"a\": {\"items\": {\"$ref\": \"file:///etc/passwd\"}}}}",
            "schema-remote-reference",
            "#/$defs/a/items",
        ),
        (
            "{\"$id\": \"https://example.com/a.json\", \"allOf\": [{\"$ref\": \"b.json\"}]}",
            "schema-remote-reference",
            "#/allOf/0",
        ),
        ("{\"properties\": {\"a\": {\"$ref\": \"#/$defs/Gone\"}}}", "schema-bad-reference", "#/$defs/Gone"),
        ("{\"$ref\": \"#\"}", "schema-bad-reference", "without end"),
        (
            "{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"anyOf\": [{\"type\": \"null\"}, {\"$ref\": \"#/$defs/a\"}]}}}",
            "schema-bad-reference",
            "without end",
        ),
        ("{\"not\": {\"$ref\": \"#\"}}", "schema-bad-reference", "without end"),
        ("{\"properties\": {\"a\": {\"$dynamicRef\": \"#x\"}}}", "schema-unsupported", "$dynamicRef"),
        (&deep, "schema-too-large", "levels"),
    ];
    for (text, code, words) in cases {
        let error = ConfigSchema::compile(text.as_bytes()).expect_err(text);
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert!(!error.hint().is_empty());
    }
    let large = vec![b' '; reachform::schema::compile::MAX_BYTES + 1];
    assert!(matches!(ConfigSchema::compile(&large), Err(SchemaError::TooLarge { .. })));
}

#[test]
fn a_fan_of_branches_that_doubles_with_every_level_is_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({}));
    let text = json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string();
    assert!(matches!(ConfigSchema::compile(text.as_bytes()), Err(SchemaError::TooComplex { .. })));
}

#[test]
fn a_long_chain_of_references_is_followed_or_refused_but_never_overflows() {
    for count in [10, 5_000] {
        let mut definitions = serde_json::Map::new();
        for at in 0..count {
            definitions.insert(format!("d{at}"), json!({"$ref": format!("#/$defs/d{}", at + 1)}));
        }
        definitions.insert(format!("d{count}"), json!({"type": "string"}));
        let text = json!({"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}).to_string();
        match ConfigSchema::compile(text.as_bytes()) {
            Ok(schema) => {
                assert_eq!(count, 10);
                assert_eq!(schema.faults(&json!({"a": 5})).len(), 1);
            }
            Err(error) => assert!(count == 5_000 && matches!(error, SchemaError::TooComplex { .. }), "{error}"),
        }
    }
}

#[test]
fn local_references_of_every_form_are_followed() {
    let schema = schema(&json!({
        "$id": "https://example.com/config.json",
        "properties": {
            "a": {"$ref": "#text"},
            "b": {"$ref": "https://example.com/config.json#/$defs/with%20space~1slash"},
            "c": {"$ref": "config.json#/$defs/A"},
            "d": {"$ref": "#/properties/a"}
        },
        "$defs": {"A": {"$anchor": "text", "type": "string", "default": "x"}, "with space/slash": {"type": "integer"}}
    }));
    let faults = schema.faults(&json!({"a": 1, "b": "x", "c": 1, "d": 1}));
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert_eq!(schema.default_at(&json!({}), &path("/config/d")), Some(json!("x")));
}

#[test]
fn a_schema_that_accepts_everything_finds_nothing() {
    for text in ["true", "{}"] {
        let schema = ConfigSchema::compile(text.as_bytes()).unwrap();
        let config = full_config();
        assert_eq!(schema.faults(&config), []);
        let lines = Lines::of(&config);
        let found = check_declared(&desired(&config, BTreeMap::new()), &schema, &lines, Leniency::Strict);
        assert!(found.is_empty());
    }
}

#[test]
fn the_digest_is_that_of_the_value() {
    let one = ConfigSchema::compile(b"{\"type\": \"object\", \"title\": \"A\"}").unwrap();
    let two = ConfigSchema::compile(b"\n{ \"title\":\"A\",\"type\":\"object\" }").unwrap();
    assert_eq!(one.digest(), two.digest());
}

/// Any JSON of moderate size, with the words of a schema more likely than others.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("items"),
        Just("anyOf"),
        Just("oneOf"),
        Just("allOf"),
        Just("$ref"),
        Just("$defs"),
        Just("a"),
        Just("not"),
        Just("const"),
        Just("enum"),
        Just("required"),
        Just("default"),
        Just("discriminator"),
        Just("additionalProperties"),
        Just("if"),
        Just("then"),
        Just("prefixItems"),
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![
            Just("object"),
            Just("string"),
            Just("array"),
            Just("#"),
            Just("#/$defs/a"),
            Just("#/properties/a")
        ]
        .prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Schemas that mean something: mostly well-formed, with references, unions and what only some values are held to.
fn any_schema() -> impl Strategy<Value = Value> {
    let types = prop_oneof![Just("object"), Just("string"), Just("array"), Just("integer"), Just("null")];
    let leaf = prop_oneof![
        types.prop_map(|word| json!({"type": word})),
        Just(json!({"$ref": "#/$defs/a"})),
        Just(json!({"const": "a", "default": "a"})),
        Just(json!({"enum": ["a", 1, {"a": 1}]})),
        any::<bool>().prop_map(Value::Bool),
        Just(json!({"minProperties": 1, "maxItems": 1, "minLength": 2})),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..3);
        let properties = prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("type")], inner.clone()), 0..3)
            .prop_map(|all| Value::Object(all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()));
        prop_oneof![
            3 => (properties.clone(), prop::bool::ANY, prop::option::of(inner.clone())).prop_map(|(named, need, more)| {
                let mut schema = json!({"type": "object", "properties": named});
                if need {
                    schema["required"] = json!(["a"]);
                }
                if let Some(more) = more {
                    schema["additionalProperties"] = more;
                }
                schema
            }),
            2 => list().prop_map(|all| json!({"oneOf": all, "discriminator": {"propertyName": "type"}})),
            1 => list().prop_map(|all| json!({"anyOf": all})),
            1 => list().prop_map(|all| json!({"allOf": all, "unevaluatedProperties": false})),
            1 => inner.clone().prop_map(|one| json!({"items": one})),
            1 => list().prop_map(|all| json!({"prefixItems": all, "items": false})),
            1 => inner.clone().prop_map(|one| json!({"not": one})),
            1 => (inner.clone(), properties).prop_map(|(one, named)| json!({"if": one, "then": {"properties": named}})),
            1 => inner.clone().prop_map(|one| json!({"dependentSchemas": {"a": one}, "dependentRequired": {"b": ["a"]}})),
        ]
    })
}

/// Values in the words of [`any_schema`].
fn any_config() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(json!("a")), Just(json!("object")), Just(json!(1)), Just(json!(1.5)), Just(Value::Null)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop_oneof![Just("a"), Just("b"), Just("c"), Just("type")];
        prop_oneof![
            3 => prop::collection::vec((names, inner.clone()), 0..4)
                .prop_map(|all| Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
}

fn ask_everything(schema: &ConfigSchema, config: &Value, at: &FieldPath) {
    let _ = schema.default_at(config, at);
    let _ = schema.is_secret(config, at);
    let _ = schema.branch(config, at);
    let _ = schema.requires(config, at);
    let _ = schema.allows_null(config, at);
    let _ = schema.property_order(config, at);
    let _ = schema.accepts(config, at, "a", &Value::Null);
    let lines = Lines::of(config);
    let declared = check_declared(&desired(config, BTreeMap::new()), schema, &lines, Leniency::Strict);
    let whole = schema.faults(config);
    assert_eq!(whole.is_empty(), schema.is_valid(config), "a fault is told exactly where there is one");
    assert!(whole.windows(2).all(|pair| pair[0].path <= pair[1].path), "sorted by path");
    if whole.is_empty() {
        let error = declared.iter().find(|problem| problem.severity == reachform::diagnostics::Severity::Error);
        assert_eq!(error, None, "what a valid config declares is no error");
    }
}

proptest! {
    #[test]
    fn no_json_makes_compiling_panic_and_what_compiles_answers(
        document in any_json(),
        config in any_json(),
        steps in prop::collection::vec("[a-c0-2]|properties|items", 0..4),
    ) {
        if let Ok(schema) = ConfigSchema::compile(document.to_string().as_bytes()) {
            ask_everything(&schema, &config, &FieldPath::config().join(&FieldPath::of(steps)));
        }
    }

    #[test]
    fn what_is_valid_has_no_fault_and_what_is_not_has_one(
        root in any_schema(),
        shared in any_schema(),
        configs in prop::collection::vec(any_config(), 1..6),
        steps in prop::collection::vec("[a-c0-1]|type", 0..4),
    ) {
        let document = json!({"allOf": [root], "$defs": {"a": shared}});
        // A ring of references is refused, which is as good an answer.
        if let Ok(schema) = ConfigSchema::compile(document.to_string().as_bytes()) {
            for config in &configs {
                ask_everything(&schema, config, &FieldPath::config().join(&FieldPath::of(steps.clone())));
            }
        }
    }

    #[test]
    fn no_path_and_no_config_makes_the_sandbox_schema_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4),
        tail in prop::collection::vec("type|model|0|1|nope|\\PC{0,3}", 0..3),
    ) {
        let schema = sandbox_once();
        let mut config = full_config();
        let mut at = FieldPath::config();
        for (index, value) in edits {
            let places: Vec<FieldPath> = Lines::of(&config).spans.into_keys().collect();
            at = index.get(&places).clone();
            at.within_config().unwrap().set(&mut config, value);
        }
        ask_everything(schema, &config, &at.join(&FieldPath::of(tail)));
    }

    #[test]
    fn faults_end_on_a_schema_that_contains_itself(depth in 0_usize..40, broken in 0_usize..40) {
        let schema = schema(&json!({
            "$ref": "#/$defs/Node",
            "$defs": {"Node": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": null},
                "all": {"type": "array", "items": {"$ref": "#"}}
            }}}
        }));
        let mut config = json!({"name": "end"});
        for level in 0..depth {
            let name = if level == broken { json!(5) } else { json!("x") };
            config = json!({"name": name, "next": config});
        }
        prop_assert_eq!(schema.faults(&config).len(), usize::from(broken < depth));
    }
}

fn sandbox_once() -> &'static ConfigSchema {
    static SCHEMA: std::sync::OnceLock<ConfigSchema> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(sandbox)
}
