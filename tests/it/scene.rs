//! A small world for tests of planning: manifests as text, a service that does at once what a plan says.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use reachform::manifest::{MemoryFiles, Resolved, resolve};
use reachform::model::live::LiveConfig;
use reachform::model::stamp::STAMP_KEY;
use reachform::model::{
    Applied, Direction, Editor, FieldPath, LiveAgent, LiveNumber, LiveState, PhoneNumber, Salt, Seal, Stamp,
    StampState, VersionHead,
};
use reachform::plan::stamping::stamp_fields;
use reachform::plan::{Action, AgentChange, Inputs, Options, Plan, Source, Target, build};
use reachform::schema::ConfigSchema;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../src/sandbox/agent-config.schema.json");

/// Compiled once, for thousands of scenes are made.
static COMPILED: LazyLock<Arc<ConfigSchema>> = LazyLock::new(|| Arc::new(schema()));

/// The schema of the embedded service.
pub fn schema() -> ConfigSchema {
    ConfigSchema::compile(SCHEMA.as_bytes()).unwrap()
}

/// The same, with defaults that are more than null: those that the service is known to use. The embedded schema has
/// none of them, but the one that the service publishes may.
pub fn schema_with_defaults() -> Value {
    let mut document: Value = serde_json::from_str(SCHEMA).unwrap();
    for (definition, property, default) in [
        ("", "version", json!("1")),
        ("AnyreachMultilingualModelParameters", "timeout", json!(3.0)),
        ("BotInitiatesStaticMessage", "allow_interruptions", json!(true)),
        ("BotInitiatesStaticMessage", "pregenerated_greeting_audio", json!(false)),
        ("BotInitiatesDynamicMessage", "allow_interruptions", json!(true)),
        ("CustomData", "operation", json!("query")),
        ("CustomData", "filters", json!([])),
        ("EndpointingConfig", "min_delay", json!(0.05)),
        ("ImagesToolConfig", "default_tier", json!("fast")),
        ("InactivityNudgeConfig", "timeout_seconds", json!(30)),
        ("InactivityNudgeConfig", "nudges", json!([])),
        ("InterruptionConfig", "mode", json!("adaptive")),
        ("PlayMessage", "generate", json!(false)),
        ("PlayMessage", "wait_for_playout", json!(true)),
        ("PlayMessage", "allow_interruptions", json!(true)),
        ("SmsProperties", "max_segments", json!(3)),
        ("Wait", "seconds", json!(1)),
        ("WarmTransfer", "queue_timeout", json!(30)),
        ("WorkflowAction", "reject_on_error", json!(false)),
    ] {
        let definition = if definition.is_empty() { &mut document } else { &mut document["$defs"][definition] };
        let place = definition["properties"].get_mut(property).unwrap();
        place["default"] = default;
    }
    document
}

/// A config that the schema accepts, as YAML below `config:`.
pub const CONFIG: &str = "
    agent:
      type: static_prompt
      instructions: You answer the telephone of a clinic.
      starting_message: {type: bot_initiates_static, text: Hello}
      tools: []
      max_tool_steps: 3
      stack:
        type: stt_llm_tts
        turn_detection: {models: [{provider: livekit, model: {name: multilingual}}]}
        stt: {models: [{provider: deepgram, model: {name: nova-3-general}}]}
        llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.4}}}]}
        tts: {models: [{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}]}";

/// A manifest with a key, the config above and further lines.
pub fn manifest(key: &str, more: &str) -> String {
    format!("key: {key}\nname: Agent {key}\nconfig:{CONFIG}\n{more}\n")
}

/// The world.
pub struct Scene {
    pub live: LiveState,
    pub options: Options,
    pub files: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, String>,
    pub schema: Arc<ConfigSchema>,
    next: u64,
}

impl Scene {
    /// An organization with ten numbers and no agent.
    pub fn new() -> Self {
        let mut live = LiveState::default();
        for n in 0..10 {
            let number = PhoneNumber::parse(&format!("+1555010000{n}")).unwrap();
            live.numbers.insert(number.clone(), LiveNumber { number, inbound: None, outbound: None });
        }
        let options = Options { has_project: true, today: jiff::civil::date(2026, 6, 1), ..Options::default() };
        let files = BTreeMap::from([(
            "reachform.yaml".to_owned(),
            "version: 1\nproject: test\nenvironments:\n  prod: {variables: {n: 5}}\n".to_owned(),
        )]);
        Self { live, options, files, secrets: BTreeMap::new(), schema: COMPILED.clone(), next: 0 }
    }

    /// Writes a manifest.
    pub fn write(&mut self, key: &str, text: impl Into<String>) -> &mut Self {
        self.files.insert(format!("agents/{key}.yaml"), text.into());
        self
    }

    pub fn resolve(&self) -> Resolved {
        let mut files = MemoryFiles::default();
        for (name, text) in &self.files {
            files.add(name.clone(), text.clone().into_bytes());
        }
        let resolved = resolve(&files, None, &|name| self.secrets.get(name).cloned());
        let text = reachform::render::diagnostics::text(
            &resolved.diagnostics.clone().sorted(&resolved.sources),
            &resolved.sources,
            reachform::render::diagnostics::TextOptions::default(),
        );
        assert!(!resolved.diagnostics.has_errors(), "{text}");
        resolved
    }

    pub fn target() -> Target {
        Target {
            host: "test".to_owned(),
            declared_organization: None,
            organization: None,
            environment: "prod".to_owned(),
            project: "test".to_owned(),
        }
    }

    /// Plans.
    pub fn plan(&self) -> Plan {
        let resolved = self.resolve();
        let (target, source) = (Self::target(), Source::default());
        let inputs = Inputs {
            desired: &resolved.desired,
            live: &self.live,
            target: &target,
            source: &source,
            options: &self.options,
        };
        build(&inputs, self.schema.as_ref())
    }

    /// Plans, insists that there is no error, and does all of it.
    pub fn apply(&mut self) {
        let plan = self.plan();
        assert!(plan.is_applyable(), "{:#?}", plan.diagnostics);
        for change in &plan.changes {
            self.carry_out(change);
        }
        for refresh in &plan.refreshes {
            let id = refresh.agent_id.clone();
            self.stamp(&id, &refresh.work, refresh.version, None, refresh.key.as_str());
        }
    }

    fn carry_out(&mut self, change: &AgentChange) {
        let work = &change.work;
        if change.action == Action::Delete {
            self.live.agents.remove(change.agent_id.as_ref().unwrap());
            return;
        }
        let id = change.agent_id.clone().unwrap_or_else(|| {
            self.next += 1;
            format!("ag_{}", self.next)
        });
        let agent = self.live.agents.entry(id.clone()).or_insert_with(|| bare(&id));
        if let Some(Value::String(name)) = work.agent_fields.get("name") {
            agent.name.clone_from(name);
        }
        if let Some(Value::String(text)) = work.agent_fields.get("description") {
            agent.description = Some(text.clone());
        }
        if let Some(Value::Bool(active)) = work.agent_fields.get("active") {
            agent.active = Some(*active);
        }
        for (key, value) in &work.metadata {
            FieldPath::of([key.clone()]).set(&mut agent.metadata, value.clone());
        }
        if let Some(config) = work.config() {
            self.publish(&id, config.clone(), "us");
        }
        let version = self.live.agents[&id].live_version().map(|head| (head.version, head.id.clone()));
        for (direction, numbers) in &work.assign {
            for number in numbers {
                self.point(number.as_str(), *direction, version.as_ref().map(|(_, id)| id.clone()));
            }
        }
        for (direction, numbers) in &work.unassign {
            for number in numbers {
                self.point(number.as_str(), *direction, None);
            }
        }
        let read = self.live.agents[&id].live_config().map(|live| live.config.clone());
        self.stamp(&id, work, version.map(|(version, _)| version), read.as_ref(), change.key.as_str());
    }

    fn stamp(&mut self, id: &str, work: &reachform::plan::Work, version: Option<u64>, read: Option<&Value>, key: &str) {
        let salt = work.salt.clone().unwrap_or_else(|| Salt::new([9; 16]));
        let verify = work.verify.as_ref().map(|verify| verify.hash(&salt));
        let mut stamp = Stamp {
            project: "test".to_owned(),
            environment: "prod".to_owned(),
            key: reachform::model::Key::parse(key).unwrap(),
            agent: Some(id.to_owned()),
            protect: work.protect,
            state: StampState {
                salt,
                secrets: work.stamp.as_ref().and_then(|stamp| stamp.state.secrets.clone()),
                applied: None,
                intent: None,
                lease: None,
                rollback: None,
            },
        };
        stamp.remember_secrets(&work.secrets);
        let mut fields = stamp_fields(Seal::of(&stamp), &work.sent, &|path| match (path.within_config(), read) {
            (Some(inner), Some(read)) => inner.get(read),
            _ => work.sent.iter().find(|(sent, _)| sent == path).map(|(_, value)| value),
        });
        fields.extend(work.kept_fields.clone());
        stamp.state.applied = Some(Applied {
            version,
            plan: "sha256:test".to_owned(),
            change: "sha256:test".to_owned(),
            source: work.source.clone(),
            commit: None,
            fields,
            verify,
            overtaken_by: None,
            run_url: None,
            base: None,
        });
        let agent = self.live.agents.get_mut(id).unwrap();
        FieldPath::of([STAMP_KEY]).set(&mut agent.metadata, stamp.write());
    }

    /// A new published version, with its numbers left where they are.
    pub fn publish(&mut self, id: &str, config: Value, by: &str) -> u64 {
        let agent = self.live.agents.get_mut(id).unwrap();
        let version = agent.highest_version() + 1;
        agent.versions.push(VersionHead {
            id: format!("{id}-v{version}"),
            version,
            published: true,
            created_by: Some(by.to_owned()),
            modified_by: Some(by.to_owned()),
        });
        let editor =
            Editor { by: Some(by.to_owned()), at: Some("2026-05-01T10:00:00Z".to_owned()), version: Some(version) };
        agent.configs.insert(version, LiveConfig { config, editor });
        version
    }

    /// A person edits the live config in the dashboard and publishes; the numbers go along.
    pub fn dashboard(&mut self, id: &str, pointer: &str, value: Value) {
        let agent = &self.live.agents[id];
        let before = agent.live_version().unwrap().id.clone();
        let mut config = agent.live_config().unwrap().config.clone();
        FieldPath::parse(pointer).unwrap().set(&mut config, value);
        let version = self.publish(id, config, "a person");
        let new = format!("{id}-v{version}");
        for number in self.live.numbers.values_mut() {
            for slot in [&mut number.inbound, &mut number.outbound] {
                if slot.as_ref() == Some(&before) {
                    *slot = Some(new.clone());
                }
            }
        }
    }

    /// An agent that nobody manages.
    pub fn unmanaged(&mut self, id: &str, name: &str, config: Option<Value>) {
        let mut agent = bare(id);
        name.clone_into(&mut agent.name);
        self.live.agents.insert(id.to_owned(), agent);
        if let Some(config) = config {
            self.publish(id, config, "a person");
        }
    }

    /// Points a slot.
    pub fn point(&mut self, number: &str, direction: Direction, version_id: Option<String>) {
        let number = self.live.numbers.get_mut(&PhoneNumber::parse(number).unwrap()).unwrap();
        match direction {
            Direction::Inbound => number.inbound = version_id,
            Direction::Outbound => number.outbound = version_id,
        }
    }

    /// The id of the agent of a key.
    pub fn id(&self, key: &str) -> String {
        let found = self
            .live
            .agents
            .values()
            .find(|agent| agent.metadata.pointer("/reachform/key").and_then(Value::as_str) == Some(key));
        found.unwrap().id.clone()
    }

    pub fn config_of(&self, key: &str) -> Value {
        self.live.agents[&self.id(key)].live_config().unwrap().config.clone()
    }
}

fn bare(id: &str) -> LiveAgent {
    LiveAgent {
        id: id.to_owned(),
        name: String::new(),
        description: None,
        active: Some(true),
        metadata: json!({}),
        created_at: None,
        updated_at: None,
        modified_by: None,
        versions: Vec::new(),
        own_numbers: Vec::new(),
        widgets: Vec::new(),
        sip_deployed: false,
        configs: BTreeMap::new(),
    }
}
