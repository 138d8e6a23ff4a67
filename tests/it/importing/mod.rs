//! Imports: a plan of what was imported has nothing to create, update or delete, and applying it makes no version and
//! moves no slot. For every content, and whatever way a switch of the service stands.

mod content;
mod draw;
mod hostile;
mod secrets;
mod speed;
mod worlds;

use std::collections::BTreeMap;

use reachform::http::Redactor;
use reachform::manifest::{MemoryFiles, resolve};
use reachform::model::FieldPath;
use reachform::plan::{Action, ImportedAgent, Source};
use reachform::sandbox::{Behaviour, ConfigSchema, Sandbox, Seed, Service};
use reachform::schema::Leniency;
use reachform::session::{Importing, SessionError, Workspace, Written, check, import, read};
use serde_json::{Value, json};

use crate::scene::schema_with_defaults;
use crate::world::{NUMBERS, World, run};

/// A config that the schema accepts.
pub fn config() -> Value {
    json!({"agent": {
        "type": "static_prompt",
        "instructions": "You answer the telephone of a clinic.",
        "starting_message": {"type": "bot_initiates_static", "text": "Hello", "allow_interruptions": true},
        "tools": [],
        "stack": {
            "type": "stt_llm_tts",
            "turn_detection": {"models": [{"provider": "livekit", "model": {"name": "multilingual"}}]},
            "stt": {"models": [{"provider": "deepgram", "model": {"name": "nova-3-general"}}]},
            "llm": {"models": [{"provider": "openai", "model": {"name": "gpt-4.1", "parameters": {"temperature": 0.4}}}]},
            "tts": {"models": [{"provider": "cartesia", "model": {"name": "sonic-3", "parameters": {"voice": "v1"}}}]},
        },
    }})
}

/// The same with a value at a pointer.
pub fn with(pointer: &str, value: Value) -> Value {
    let mut config = config();
    FieldPath::parse(pointer).unwrap().set(&mut config, value);
    config
}

/// An agent whose only version is live.
#[expect(clippy::needless_pass_by_value, reason = "most callers make the config in place")]
pub fn agent(name: &str, config: Value) -> Value {
    json!({"name": name, "versions": [{"config": config}]})
}

/// A service with these agents, and a repository with nothing in it.
pub fn world(agents: &[Value], behaviour: Behaviour) -> World {
    let seed = json!({"at": "2026-01-01T00:00:00Z", "organizations": [
        {"id": "org_sandbox", "numbers": NUMBERS, "agents": agents, "email_domains": ["clinic.example"]}]});
    let mut service = Service::seeded(&Seed::parse(&seed.to_string()).unwrap(), behaviour.clone()).unwrap();
    service.set_schema(ConfigSchema::compile(schema_with_defaults()).unwrap());
    let mut world = World::new(behaviour);
    world.sandbox = Sandbox::new(service);
    world.options.limits.change_percent = 100;
    world
}

/// What an import is asked for in these tests.
#[derive(Clone, Copy, Default)]
pub struct Asked<'a> {
    pub wanted: &'a [String],
    pub filter: Option<&'a str>,
    pub full: bool,
}

fn files_of(world: &World) -> MemoryFiles {
    let mut files = MemoryFiles::default();
    for (name, text) in &world.files {
        files.add(name.clone(), text.clone().into_bytes());
    }
    files
}

/// Imports, and writes what came of it into the repository.
pub async fn try_import(world: &mut World, asked: Asked<'_>) -> Result<Written, SessionError> {
    let files = files_of(world);
    let mut resolved = resolve(&files, world.environment.as_deref(), &|_| None);
    resolved.diagnostics = reachform::diagnostics::Diagnostics::new();
    let workspace = Workspace { resolved, source: Source::default() };
    let outside = world.outside();
    let reader = outside.reader();
    let mut service = read(&outside, &reader, None).await?;
    let importing = Importing {
        files: &files,
        environment: world.environment.as_deref(),
        wanted: asked.wanted,
        filter: asked.filter,
        full: asked.full,
        redactor: &Redactor::default(),
    };
    let options = world.options.clone();
    let written = import(&workspace, &importing, &options, &outside, &reader, &mut service).await?;
    for (name, text) in &written.files {
        let before = world.files.insert(name.clone(), text.clone());
        assert_eq!(before, None, "{name} was there already");
    }
    Ok(written)
}

/// Imports everything.
pub async fn import_all(world: &mut World) -> Written {
    try_import(world, Asked::default()).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The versions of all agents, and all slots.
fn what_is_live(world: &World) -> (BTreeMap<String, Vec<(u64, bool)>>, String) {
    world.sandbox.with(|service| {
        let versions = service.agents().into_iter().map(|agent| {
            let versions = agent.versions.iter().map(|version| (version.number, version.published)).collect();
            (agent.id, versions)
        });
        (versions.collect(), format!("{:?}", service.slots()))
    })
}

/// The promise: the manifests are valid, a plan of them changes nothing, and applying that plan only records on each
/// agent that it is managed.
pub async fn hold_the_promise(world: &mut World, written: &Written, what: &str) {
    let imported = written.import.agents.len();
    assert!(imported > 0, "{what}: nothing was imported: {:#?}", written.import.refused);
    let before = what_is_live(world);
    validate(world, what);
    let plan = world.plan().await;
    let summary = plan.summary();
    let shown = || format!("{what}: {:#?}\n{:#?}", plan.changes, plan.diagnostics);
    assert_eq!((summary.create, summary.update, summary.delete), (0, 0, 0), "{}", shown());
    assert_eq!(summary.adopt + summary.unchanged, imported, "{}", shown());
    assert!(!plan.has_errors(), "{}", shown());
    assert_eq!(written.import.summary.adopt, summary.adopt, "the line that was shown is true: {what}");
    assert!(plan.changes.iter().all(|change| change.action == Action::Adopt));
    world.sandbox.clear_log();
    let report = world.apply().await;
    assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
    assert_eq!(what_is_live(world), before, "{what}: a version was made, or a slot moved");
    let written: Vec<String> = world
        .sandbox
        .log()
        .iter()
        .filter(|entry| entry.request.method.as_str() != "GET")
        .map(|entry| entry.request.name())
        .collect();
    let is_record = |name: &String| name.starts_with("PUT /core/agents/") && !name.contains("/versions");
    assert!(written.iter().all(is_record), "{what}: {written:#?}");
    world.assert_empty(what).await;
}

/// What `validate` says, which knows nothing of what is live.
fn validate(world: &World, what: &str) {
    let resolved = resolve(&files_of(world), world.environment.as_deref(), &|_| None);
    assert!(!resolved.diagnostics.has_errors(), "{what}: {:#?}", resolved.diagnostics);
    let schema = reachform::schema::ConfigSchema::compile(schema_with_defaults().to_string().as_bytes()).unwrap();
    let found = check(&resolved, &schema, Leniency::Strict);
    assert!(!found.has_errors(), "{what}: {found:#?}");
}

/// The one agent that was imported.
pub fn only(written: &Written) -> &ImportedAgent {
    assert_eq!(written.import.refused, [], "nothing was refused");
    let [agent] = written.import.agents.as_slice() else { panic!("{:#?}", written.import) };
    agent
}

/// Imports agents from the likely service and holds the promise.
pub fn imported(agents: &[Value]) -> (World, Written) {
    run(async {
        let mut world = world(agents, Behaviour::default());
        let written = import_all(&mut world).await;
        hold_the_promise(&mut world, &written, &format!("{:#?}", written.files)).await;
        (world, written)
    })
}
