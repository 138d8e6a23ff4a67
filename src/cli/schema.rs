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
/// parts; so `required` is taken out outside lists.
fn manifest_schema(mut config: Value) -> Value {
    let definitions = config.as_object_mut().and_then(|map| map.shift_remove("$defs")).unwrap_or_else(|| json!({}));
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reachform manifest",
        "type": "object",
        "required": ["key", "name"],
        "additionalProperties": false,
        "properties": {
            "key": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "description": "The manifest's stable identity."},
            "name": {"type": "string", "minLength": 1, "description": "The agent's display name."},
            "description": {"type": "string"},
            "active": {"type": "boolean"},
            "metadata": {"type": "object"},
            "config": config,
            "phone_numbers": {"type": "object", "additionalProperties": false, "properties": {
                "inbound": texts.clone(), "outbound": texts.clone()}},
            "web_widgets": texts.clone(),
            "email_addresses": texts.clone(),
            "sip_endpoint": {"type": "boolean"},
            "protect": {"type": "boolean", "description": "Never deleted."},
            "ignore": {"type": "array", "items": {"type": "object", "required": ["path"], "additionalProperties": false,
                "properties": {"path": {"type": "string"}, "reason": {"type": "string"}, "until": {"type": "string", "format": "date"}}}},
            "release": texts.clone(),
            "environments": {"type": "object"},
            "id": {"type": "string"},
            "moved": texts,
            "instruction_builder_inputs": {"type": "object"},
            "verify": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}]},
        },
        "$defs": definitions,
    })
}
