//! Work in the background: instructions from builder inputs, and agents from a website.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::mint::{Kind, Mint};
use super::organization::{Organization, version_key};
use super::record::{Agent, Authored, Building, Generation, Version};

/// `POST /core/agents/{id}/versions/{version}/generate-instructions`
pub(super) fn generate(call: &mut Call<'_>) -> Reply {
    let mut version = call.version()?;
    if version.published {
        return Err(Refusal::conflict("Cannot generate instructions of a published version"));
    }
    if version.generation.is_some() {
        return Err(Refusal::conflict("Instructions are already being generated"));
    }
    let inputs = version.inputs.clone().ok_or_else(|| {
        Refusal::bad_request("The version has no instruction_builder_inputs to generate instructions from")
    })?;
    version.generation = Some(Generation { inputs, deadline: call.deadline() });
    call.touch()(&mut version.authored);
    super::version::put(call, &version);
    let (workflow_id, _) = call.mint.id(Kind::Workflow);
    Ok(Answer::accepted(json!({ "workflow_id": workflow_id, "status": "accepted" })))
}

/// `POST /core/agents/create-from-website`
pub(super) fn from_website(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let name = body.required_text("company_name");
    let website = body.required_text("company_website");
    let overview = body.text("company_overview").unwrap_or_default();
    let is_demo = body.flag("is_demo").unwrap_or(false);
    let skip_deployment = body.flag("skip_deployment").unwrap_or(false);
    let existing_agent_id = body.text("existing_agent_id");
    body.finish()?;
    if existing_agent_id.as_deref().is_some_and(|id| call.organization.agents.get(id).is_none()) {
        return Err(Refusal::not_found("Agent"));
    }
    let instructions = format!("You answer for {name}. {overview}").trim().to_owned();
    Ok(begin(call, name, website, instructions, is_demo, !skip_deployment, existing_agent_id))
}

/// `POST /core/agents/create-demo`
pub(super) fn demo(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let website = body.required_text("company_website");
    let instructions = body.text("instructions");
    body.flag("include_phone_number");
    body.finish()?;
    let name = format!("Demo of {website}");
    let instructions = instructions.unwrap_or_else(|| format!("You show what {website} can do."));
    Ok(begin(call, name, website, instructions, true, true, None))
}

fn begin(
    call: &mut Call<'_>,
    name: String,
    website: String,
    instructions: String,
    is_demo: bool,
    publish: bool,
    existing_agent_id: Option<String>,
) -> Answer {
    let (workflow_id, _) = call.mint.id(Kind::Workflow);
    let building = Building {
        workflow_id: workflow_id.clone(),
        name,
        instructions,
        website,
        is_demo,
        publish,
        existing_agent_id,
        principal: call.caller.principal.clone(),
        deadline: call.deadline(),
    };
    call.organization.buildings.push(building);
    Answer::accepted(json!({ "workflow_id": workflow_id }))
}

/// Finishes what is due, before a request is served; whether anything was.
pub(super) fn settle(organization: &mut Organization, mint: &mut Mint, served: u64, now: Timestamp) -> bool {
    let due: Vec<Version> = organization
        .versions
        .iter()
        .filter(|version| version.generation.as_ref().is_some_and(|running| running.deadline.is_over(served, now)))
        .cloned()
        .collect();
    let mut settled = !due.is_empty();
    for mut version in due {
        if let Some(running) = version.generation.take() {
            if let Some(agent) = version.config.get_mut("agent").and_then(Value::as_object_mut) {
                agent.insert("instructions".to_owned(), json!(written(&running.inputs)));
            }
            let moment = mint.moment();
            version.trained_inputs = Some(running.inputs);
            version.generated_at = Some(moment);
            version.authored.updated_at = moment;
            version.manually_edited = false;
        }
        organization.versions.put(&version_key(&version.agent_id, version.number), version, 0);
    }
    let (due, running) = std::mem::take(&mut organization.buildings)
        .into_iter()
        .partition::<Vec<Building>, _>(|building| building.deadline.is_over(served, now));
    organization.buildings = running;
    settled |= !due.is_empty();
    for building in due {
        build(organization, mint, building);
    }
    settled
}

/// The prompt that comes of builder inputs: plain, but different for different inputs.
fn written(inputs: &Value) -> String {
    let mut lines = vec!["You are a voice agent.".to_owned()];
    for (name, value) in inputs.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        lines.push(format!("{}: {text}", name.replace('_', " ")));
    }
    lines.join("\n")
}

fn build(organization: &mut Organization, mint: &mut Mint, building: Building) {
    let authored = |mint: &mut Mint| {
        let moment = mint.moment();
        Authored {
            created_at: moment,
            updated_at: moment,
            created_by: building.principal.clone(),
            modified_by: building.principal.clone(),
            serial: mint.serial(),
        }
    };
    let existing = building.existing_agent_id.filter(|id| organization.agents.get(id).is_some());
    let agent_id = existing.unwrap_or_else(|| {
        let (id, _) = mint.id(Kind::Agent);
        let agent = Agent {
            id: id.clone(),
            name: building.name.clone(),
            description: Some(format!("Made from {}", building.website)),
            active: true,
            is_demo: building.is_demo,
            metadata: json!({ "workflow_id": building.workflow_id }),
            sip_deployed: None,
            authored: authored(mint),
        };
        organization.agents.put(&id, agent, 0);
        id
    });
    let number = organization.next_version(&agent_id);
    let (id, _) = mint.id(Kind::Version);
    let version = Version {
        id,
        agent_id: agent_id.clone(),
        number,
        config: starter_config(&building.instructions),
        published: building.publish,
        inputs: None,
        trained_inputs: None,
        generated_at: None,
        manually_edited: false,
        generation: None,
        authored: authored(mint),
    };
    organization.versions.put(&version_key(&agent_id, number), version, 0);
}

/// A whole config around a prompt.
fn starter_config(instructions: &str) -> Value {
    json!({
        "version": "1",
        "agent": {
            "type": "static_prompt",
            "instructions": instructions,
            "starting_message": { "type": "bot_initiates_dynamic", "prompt": "Greet the caller." },
            "tools": [],
            "stack": {
                "type": "stt_llm_tts",
                "turn_detection": { "models": [{ "provider": "livekit", "model": { "name": "multilingual" } }] },
                "stt": { "models": [{ "provider": "deepgram", "model": { "name": "nova-3-general" } }] },
                "llm": { "models": [{ "provider": "openai", "model": { "name": "gpt-4.1" } }] },
                "tts": { "models": [{ "provider": "cartesia", "model": { "name": "sonic-3", "parameters": { "voice": "default" } } }] }
            }
        }
    })
}
