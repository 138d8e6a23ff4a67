//! The schema: case folders of faults, the questions of planning, schemas that must be refused, and properties.

mod cases;
pub mod properties;
mod questions;
mod refusals;

use std::collections::BTreeMap;
use std::fs;

use reachform::diagnostics::{SourceMap, Span};
use reachform::model::{Declared, Desired, Digest, FieldPath, Key, Origin, SecretText, Slots};
use reachform::schema::{ConfigSchema, Places};
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
                "turn_detection": {"models": [{"provider": "anyreach", "model": {"name": "multilingual", "parameters": {"api_key": "k"}}}]},
                "stt": {"models": [{"provider": "deepgram", "model": {"name": "nova-3-general"}}]},
                "llm": {"models": [{"provider": "openai", "model": {"name": "gpt-4o", "parameters": {"max_tokens": 5}}}]},
                "tts": {"models": [{"provider": "elevenlabs", "model": {"parameters": {"voice_id": "v"}}}]},
                "interruption": {}
            },
            "channel_properties": {"sms": {"channel": "sms"}}
        },
        "custom_recording_locations": [{"provider": "gcp", "bucket": "b", "credentials": "c"}],
        "metadata": {"upstream_token": "t", "token_count": 5}
    })
}

fn sandbox_once() -> &'static ConfigSchema {
    static SCHEMA: std::sync::OnceLock<ConfigSchema> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(sandbox)
}
