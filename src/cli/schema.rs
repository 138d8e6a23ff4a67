//! `schema`: the JSON Schema of manifests for editors, with the service's own schema under `config`.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::http::{Clock as _, SystemClock};

use super::args::Schema;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{open, output, schema_cache, validate};

/// Runs the command.
pub async fn run(arguments: &Schema, settings: &Settings) -> Result<Exit, CommandError> {
    let bytes = if arguments.offline {
        let host = validate::host(settings)?;
        let kept = schema_cache::load(settings, &host, SystemClock.now())?;
        kept.ok_or_else(|| schema_cache::missing(&host))?.bytes
    } else {
        let workspace = open::workspace(settings);
        let connection = connect(settings, &workspace.resolved.project, CancellationToken::new())?;
        let bytes = connection.reader().schema().await.map_err(|error| CommandError::service(&error))?;
        schema_cache::store(settings, &connection.host, &bytes, connection.clock.now());
        bytes
    };
    validate::compile(&bytes)?;
    let config: Value = serde_json::from_slice(&bytes)
        .map_err(|error| CommandError::chain("the schema of the service is not JSON", &error))?;
    let text = format!("{:#}\n", manifest_schema(config));
    match &arguments.out {
        Some(path) => output::file(path, &text)?,
        None => output::document(&text),
    }
    Ok(Exit::Done)
}

/// The schema of a manifest. What the service requires of a whole config is not required of a manifest, which declares
/// parts; so `required` is taken out outside lists. The manual's page on manifests is made of it as well.
pub fn manifest_schema(mut config: Value) -> Value {
    let definitions = config.as_object_mut().and_then(|map| map.shift_remove("$defs")).unwrap_or_else(|| json!({}));
    if let Some(config) = config.as_object_mut() {
        let what = "The agent's behaviour, in the form that the service's own schema gives it. Only what is declared is managed.";
        config.entry("description").or_insert_with(|| json!(what));
        config.entry("examples").or_insert_with(|| json!([{"agent": {"max_tool_steps": 4}}]));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reachform manifest",
        "type": "object",
        "required": ["key", "name"],
        "additionalProperties": false,
        "properties": {
            "key": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "examples": ["riverside"],
                "description": "The manifest's identity in the project; the agent's address is `agent.KEY`. To rename it, see `moved`."},
            "name": {"type": "string", "minLength": 1, "examples": ["Riverside Dental Scheduler"],
                "description": "The agent's name on the service."},
            "description": {"type": "string", "examples": ["Books appointments."],
                "description": "The agent's description on the service."},
            "active": {"type": "boolean", "examples": [true], "description": "Whether the agent is switched on."},
            "metadata": {"type": "object", "examples": [{"team": "dental"}],
                "description": "Metadata of the agent. Keys that are not declared stay as they are; `reachform` is reserved."},
            "config": config,
            "phone_numbers": {"type": "object", "additionalProperties": false, "examples": [{"inbound": ["+15551234567"], "outbound": []}],
                "description": "The numbers whose calls lead to the agent (`inbound`) and that it calls from (`outbound`). An absent direction is not managed; an empty list means none.",
                "properties": {"inbound": texts(), "outbound": texts()}},
            "web_widgets": {"type": "array", "items": {"type": "string"}, "examples": [["wid_1"]],
                "description": "Reserved: this version refuses to plan it."},
            "email_addresses": {"type": "array", "items": {"type": "string"}, "examples": [["desk@riverside.example"]],
                "description": "Reserved: this version refuses to plan it."},
            "sip_endpoint": {"type": "boolean", "examples": [true],
                "description": "Reserved: this version refuses to plan it."},
            "protect": {"type": "boolean", "default": false, "examples": [true],
                "description": "Never delete the agent, not even after its manifest is gone."},
            "ignore": {"type": "array", "default": [], "examples": [[{"path": "/config/agent/stack/tts", "reason": "voice test", "until": "2026-12-31"}]],
                "description": "Paths whose live value is left as it is: JSON pointers, with `*` for one step. `until` is the last day on which an entry applies (UTC).",
                "items": {"type": "object", "required": ["path"], "additionalProperties": false,
                    "properties": {"path": {"type": "string"}, "reason": {"type": "string"}, "until": {"type": "string", "format": "date"}}}},
            "release": {"type": "array", "items": {"type": "string"}, "default": [], "examples": [["/config/agent/max_tool_steps"]],
                "description": "Paths that are no longer declared and whose live value stays, instead of being removed."},
            "environments": {"type": "object", "default": {}, "examples": [{"staging": {"name": "Riverside (staging)"}, "demo": false}],
                "description": "For an environment, a merge patch (RFC 7396) on this manifest, or `false` if the agent is not in it. `null` in a patch removes a path from the declaration."},
            "id": {"type": "string", "examples": ["ag_123"],
                "description": "Binds the manifest to this live agent. Needed only if the name does not find it; ids differ in each organization."},
            "moved": {"type": "array", "items": {"type": "string"}, "default": [], "examples": [["riverside-old"]],
                "description": "Former keys of this manifest."},
            "instruction_builder_inputs": {"type": "object", "examples": [{"industry": "dental"}],
                "description": "Reserved: this version refuses to plan it."},
            "verify": {"examples": [{"command": ["./check.sh", "--fast"], "env": ["CHECK_URL"]}],
                "description": "A program that `apply` runs on the draft before publishing it; if it fails, nothing is published. `env` names the variables that it gets.",
                "anyOf": [texts(), {"type": "object", "required": ["command"], "additionalProperties": false,
                    "properties": {"command": texts(), "env": texts()}}]},
        },
        "$defs": definitions,
    })
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}
