//! Versions: drafts that can be written, published ones that cannot, and what is read of them.

use serde_json::{Value, json};

use super::agent_config::lay_over;
use super::answer::{Answer, Invalid, Refusal, Reply};
use super::body::Body;
use super::call::{Call, version_number};
use super::listing::{self, page};
use super::mint::Kind;
use super::organization::{version_key, versions_of};
use super::record::Version;
use super::switches::{BaseCopies, Compare, Drafts, Latest, PutConfig};
use super::wire;

/// `GET /core/agents/{id}/versions`
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let request = call.request;
    let id = call.parameter(0).to_owned();
    call.organization.agents.see(&id).ok_or_else(|| Refusal::not_found("Agent"))?;
    let published = listing::flag(request, "published")?;
    let number = match request.query("version") {
        None => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| {
            Invalid::at(["query", "version"], "int_parsing", "Input should be a valid integer").with_input(text.into())
        })?),
    };
    let mut versions = call.organization.versions.see_under(&versions_of(&id));
    versions.retain(|version| {
        published.is_none_or(|wanted| version.published == wanted)
            && number.is_none_or(|wanted| version.number == wanted)
    });
    let page = page(request, call.behaviour, versions)?;
    Ok(page.answer(request, call.behaviour, |version| wire::version(call, &version)))
}

/// `GET /core/agents/{id}/versions/{version}`: for `latest` a reading that may write.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let id = call.parameter(0).to_owned();
    call.organization.agents.see(&id).ok_or_else(|| Refusal::not_found("Agent"))?;
    if call.parameter(1) == "latest" {
        let version = latest(call, &id)?;
        return Ok(Answer::ok(wire::version(call, &version)));
    }
    let number = version_number(call.parameter(1))?;
    let shown = call.organization.versions.see(&version_key(&id, number));
    let version = shown.ok_or_else(|| Refusal::not_found("Agent version"))?;
    Ok(Answer::ok(wire::version(call, &version)))
}

fn latest(call: &mut Call<'_>, agent_id: &str) -> Result<Version, Refusal> {
    let newest = call.organization.versions(agent_id).last().map(|&version| version.clone());
    let newest = newest.ok_or_else(|| Refusal::not_found("Agent version"))?;
    if !newest.published || call.behaviour.latest == Latest::Returns {
        return Ok(newest);
    }
    let builder = Builder::of(&newest);
    add(call, agent_id, newest.config, builder)
}

/// `POST /core/agents/{id}/versions`: a draft from exactly one of `config` and `base_version`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let agent = call.agent()?;
    let mut body = Body::read(call.request)?;
    let base = body.integer("base_version");
    let config = body.value("config");
    body.finish()?;
    let (config, builder) = match (config, base) {
        (Some(config), None) => (accept(call, config)?, Builder::default()),
        (None, Some(base)) => {
            let base = call.find_version(&agent.id, base)?;
            let builder = match call.behaviour.base_copies {
                BaseCopies::Config => Builder::default(),
                BaseCopies::Inputs => Builder::of(&base),
            };
            (base.config, builder)
        }
        (Some(_), Some(_)) | (None, None) => {
            let message = "Value error, exactly one of config or base_version must be provided";
            return Err(Invalid::at(["body"], "value_error", message).into());
        }
    };
    let version = add(call, &agent.id, config, builder)?;
    Ok(Answer::ok(wire::version(call, &version)))
}

/// Checks a config that was sent.
fn accept(call: &Call<'_>, config: Value) -> Result<Value, Refusal> {
    call.schema.accept(config, call.behaviour).map_err(Refusal::Invalid)
}

/// What a version carries over from the one that it is copied from, besides the config.
#[derive(Default)]
pub(super) struct Builder {
    inputs: Option<Value>,
    trained_inputs: Option<Value>,
    manually_edited: bool,
}

impl Builder {
    /// All of it.
    pub(super) fn of(version: &Version) -> Self {
        Self {
            inputs: version.inputs.clone(),
            trained_inputs: version.trained_inputs.clone(),
            manually_edited: version.manually_edited,
        }
    }
}

/// Stores a new draft.
pub(super) fn add(call: &mut Call<'_>, agent_id: &str, config: Value, builder: Builder) -> Result<Version, Refusal> {
    if call.behaviour.drafts == Drafts::One
        && let Some(draft) = call.organization.versions(agent_id).into_iter().find(|version| !version.published)
    {
        return Err(Refusal::conflict(format!("Draft version {} already exists", draft.number)));
    }
    let number = call.organization.next_version(agent_id);
    let (id, _) = call.mint.id(Kind::Version);
    let authored = call.authored();
    let version = Version {
        id,
        agent_id: agent_id.to_owned(),
        number,
        config,
        published: false,
        inputs: builder.inputs,
        trained_inputs: builder.trained_inputs,
        generated_at: None,
        manually_edited: builder.manually_edited,
        generation: None,
        authored,
    };
    put(call, &version);
    Ok(version)
}

/// Stores a version.
pub(super) fn put(call: &mut Call<'_>, version: &Version) {
    let key = version_key(&version.agent_id, version.number);
    call.organization.versions.put(&key, version.clone(), call.behaviour.eventual);
}

/// `PUT /core/agents/{id}/versions/{version}`: drafts only.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut version = call.version()?;
    let mut body = Body::read(call.request)?;
    let inputs = body.object("instruction_builder_inputs");
    body.finish()?;
    if version.published {
        return Err(Refusal::bad_request("Cannot update a published version"));
    }
    let config = match body.value("config") {
        None => None,
        Some(sent) => {
            let whole = match call.behaviour.put_config {
                PutConfig::Replace => sent,
                PutConfig::Merge => {
                    let mut stored = version.config.clone();
                    lay_over(&mut stored, sent);
                    stored
                }
            };
            Some(accept(call, whole)?)
        }
    };
    if body.has("instruction_builder_inputs") && version.inputs != inputs {
        version.inputs = inputs;
        version.manually_edited = false;
    }
    if let Some(config) = config {
        version.manually_edited |= call.behaviour.put_marks_edited && version.config != config;
        version.config = config;
    }
    call.touch()(&mut version.authored);
    put(call, &version);
    Ok(Answer::ok(wire::version(call, &version)))
}

/// `POST /core/agents/{id}/versions/compare`: prose about the difference, streamed.
pub(super) fn compare(call: &mut Call<'_>) -> Reply {
    let agent = call.agent()?;
    let mut body = Body::read(call.request)?;
    let from = body.integer("from_version");
    let to = body.integer("to_version");
    for (name, number) in [("from_version", from), ("to_version", to)] {
        if number.is_none() && body.value(name).is_none() {
            body.required(name);
            if body.has(name) {
                body.wrong(name, "int_type", "Input should be a valid integer");
            }
        }
    }
    body.finish()?;
    let from = call.find_version(&agent.id, from.unwrap_or_default())?;
    let to = call.find_version(&agent.id, to.unwrap_or_default())?;
    let sentences = describe(&from, &to);
    Ok(match call.behaviour.compare {
        Compare::Text => Answer::text("text/plain", sentences.join(" ")),
        Compare::Events => {
            let events: Vec<String> = sentences.iter().map(|sentence| format!("data: {sentence}\n\n")).collect();
            Answer::text("text/event-stream", events.concat())
        }
    })
}

fn describe(from: &Version, to: &Version) -> Vec<String> {
    let mut changed = Vec::new();
    differences(&from.config, &to.config, "", &mut changed);
    let opening = format!("Version {} differs from version {}", to.number, from.number);
    match changed.len() {
        0 => vec![format!("Version {} is the same as version {}.", to.number, from.number)],
        count => {
            let plural = if count == 1 { "place" } else { "places" };
            let mut sentences = vec![format!("{opening} in {count} {plural}.")];
            sentences.extend(changed.into_iter().map(|place| format!("The value at {place} has changed.")));
            sentences
        }
    }
}

fn differences(from: &Value, to: &Value, place: &str, changed: &mut Vec<String>) {
    match (from, to) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let place = format!("{place}/{key}");
                match b.get(key) {
                    Some(other) => differences(value, other, &place, changed),
                    None => changed.push(place),
                }
            }
            changed.extend(b.keys().filter(|key| !a.contains_key(*key)).map(|key| format!("{place}/{key}")));
        }
        (a, b) if a != b => changed.push(if place.is_empty() { "/".to_owned() } else { place.to_owned() }),
        _ => {}
    }
}

/// `POST …/starting-message/audio`: renders a greeting in each voice of the version.
pub(super) fn record_audio(call: &mut Call<'_>) -> Reply {
    let version = call.version()?;
    let (text, force) = audio_body(call)?;
    let mut recordings = Vec::new();
    for voice in voices(&version.config) {
        let key = recording_key(&text, &voice);
        if force || !call.organization.recordings.contains_key(&key) {
            let (id, _) = call.mint.id(Kind::Recording);
            call.organization.recordings.insert(key.clone(), format!("https://media.sandbox.invalid/{id}.ogg"));
        }
        let url = call.organization.recordings.get(&key);
        recordings.push(json!({ "playback_url": url, "voice_id": voice }));
    }
    let first = recordings.first().map(|recording| recording["playback_url"].clone());
    let first = first.ok_or_else(|| Refusal::bad_request("The version has no voice to speak with"))?;
    Ok(Answer::ok(json!({ "recordings": recordings, "playback_url": first })))
}

/// `POST …/starting-message/audio/playback-url`: 404 when nothing was recorded.
pub(super) fn playback_url(call: &mut Call<'_>) -> Reply {
    let version = call.version()?;
    let (text, _) = audio_body(call)?;
    let found = voices(&version.config)
        .into_iter()
        .find_map(|voice| call.organization.recordings.get(&recording_key(&text, &voice)).cloned());
    let url = found.ok_or_else(|| Refusal::not_found("Recording"))?;
    Ok(Answer::ok(json!({ "playback_url": url })))
}

fn audio_body(call: &Call<'_>) -> Result<(String, bool), Refusal> {
    let mut body = Body::read(call.request)?;
    let text = body.required_text("text");
    let force = body.flag("force").unwrap_or(false);
    body.finish()?;
    Ok((text, force))
}

fn recording_key(text: &str, voice: &str) -> String {
    format!("{voice}\u{1f}{text}")
}

/// Every voice that the version's text-to-speech models name, in their order.
fn voices(config: &Value) -> Vec<String> {
    let models = config.pointer("/agent/stack/tts/models").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = models.iter().filter_map(|model| {
        let model = model.get("model")?;
        // LiveKit's models have no `parameters`: their voice is beside the name.
        let parameters = model.get("parameters").unwrap_or(model);
        ["voice_id", "voice"].iter().find_map(|key| parameters.get(*key)?.as_str())
    });
    named.map(str::to_owned).collect()
}
