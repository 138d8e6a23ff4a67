//! How long 1,000 manifests of 20 kB take to be read, checked and planned: `cargo bench --bench pipeline`.
#![expect(clippy::unwrap_used, reason = "a benchmark whose input is wrong must stop")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use reachform::manifest::{MemoryFiles, Resolved, resolve};
use reachform::model::live::LiveConfig;
use reachform::model::stamp::STAMP_KEY;
use reachform::model::{Applied, Editor, FieldPath, LiveAgent, LiveState, Salt, Seal, Stamp, StampState, VersionHead};
use reachform::plan::stamping::stamp_fields;
use reachform::plan::{AgentChange, Inputs, Limits, Options, Plan, Source, Target, build};
use reachform::sandbox::ConfigSchema as Embedded;
use reachform::schema::{ConfigSchema, Leniency};
use reachform::session::check;
use serde_json::{Value, json};

/// As many as one organization of the largest size that the design speaks of.
const MANIFESTS: usize = 1000;

/// The size of one manifest file; nearly all of it is its prompt, as in real ones.
const BYTES: usize = 20_000;

/// Few samples: one is 1,000 items, so that their mean says enough.
const SAMPLES: u32 = 10;

fn main() {
    divan::main();
}

/// The part of a manifest before its prompt.
fn head(index: usize) -> String {
    format!(
        "key: agent-{index}
name: Agent {index}
config:
  agent:
    type: static_prompt
    starting_message: {{type: bot_initiates_static, text: Hello}}
    tools:
      - name: end_call
        description: Ends the call.
        properties: {{}}
        required: []
        actions:
          - {{type: play_message, message: Goodbye., allow_interruptions: false}}
          - {{type: hangup}}
    max_tool_steps: 3
    stack:
      type: stt_llm_tts
      turn_detection: {{models: [{{provider: livekit, model: {{name: multilingual}}}}]}}
      stt: {{models: [{{provider: deepgram, model: {{name: nova-3-general}}}}]}}
      llm: {{models: [{{provider: openai, model: {{name: gpt-4.1, parameters: {{temperature: 0.4}}}}}}]}}
      tts: {{models: [{{provider: cartesia, model: {{name: sonic-3, parameters: {{voice: v1}}}}}}]}}
    instructions: |
"
    )
}

/// The project. `closing` ends every prompt, so that two closings make two states of the same agents.
fn project(closing: &str) -> MemoryFiles {
    let mut files = MemoryFiles::default();
    files.add("reachform.yaml", "version: 1\nproject: bench\nenvironments:\n  prod: {}\n");
    for index in 0..MANIFESTS {
        let mut text = head(index);
        let mut random = fastrand::Rng::with_seed(index as u64);
        while text.len() < BYTES {
            text.push_str("      ");
            for _ in 0..12 {
                write!(text, "word{} ", random.u32(..2000)).unwrap();
            }
            text.push_str("ends.\n");
        }
        writeln!(text, "      {closing}").unwrap();
        files.add(format!("agents/agent-{index}.yaml"), text);
    }
    files
}

fn read(files: &MemoryFiles) -> Resolved {
    let resolved = resolve(files, None, &|_| None);
    assert!(!resolved.diagnostics.has_errors() && resolved.desired.len() == MANIFESTS);
    resolved
}

fn schema() -> ConfigSchema {
    ConfigSchema::compile(&schema_bytes()).unwrap()
}

fn plan(resolved: &Resolved, live: &LiveState, schema: &ConfigSchema) -> Plan {
    let target = Target {
        host: "bench".to_owned(),
        declared_organization: None,
        organization: None,
        environment: "prod".to_owned(),
        project: "bench".to_owned(),
    };
    let options = Options {
        has_project: true,
        today: jiff::civil::date(2026, 6, 1),
        limits: Limits { delete: 0, change_percent: 100 },
        ..Options::default()
    };
    let source = Source::default();
    let inputs = Inputs { desired: &resolved.desired, live, target: &target, source: &source, options: &options };
    build(&inputs, schema)
}

/// The service after everything was applied.
fn applied(resolved: &Resolved, schema: &ConfigSchema) -> LiveState {
    let first = plan(resolved, &LiveState::default(), schema);
    assert!(first.is_applyable() && first.changes.len() == MANIFESTS);
    let agents = first.changes.iter().map(live_agent).map(|agent| (agent.id.clone(), agent)).collect();
    LiveState { agents, schema_digest: Some(schema.digest().clone()), ..LiveState::default() }
}

fn live_agent(change: &AgentChange) -> LiveAgent {
    let (work, key) = (&change.work, &change.key);
    let id = format!("ag_{key}");
    let config = work.config().cloned().unwrap();
    let salt = work.salt.clone().unwrap_or_else(|| Salt::new([9; 16]));
    let mut stamp = Stamp {
        project: "bench".to_owned(),
        environment: "prod".to_owned(),
        key: key.clone(),
        agent: Some(id.clone()),
        protect: false,
        state: StampState { salt, secrets: None, applied: None, intent: None, lease: None, rollback: None },
    };
    stamp.remember_secrets(&work.secrets);
    let fields = stamp_fields(Seal::of(&stamp), &work.sent, &|path| match path.within_config() {
        Some(within) => within.get(&config),
        None => work.sent.iter().find(|(sent, _)| sent == path).map(|(_, value)| value),
    });
    stamp.state.applied = Some(Applied {
        overtaken_by: None,
        run_url: None,
        base: None,
        version: Some(1),
        plan: "sha256:bench".to_owned(),
        change: "sha256:bench".to_owned(),
        source: work.source.clone(),
        commit: None,
        fields,
        verify: None,
    });
    let mut metadata = json!({});
    FieldPath::of([STAMP_KEY]).set(&mut metadata, stamp.write());
    LiveAgent {
        name: work.agent_fields.get("name").and_then(Value::as_str).unwrap().to_owned(),
        description: None,
        active: Some(true),
        metadata,
        created_at: None,
        updated_at: None,
        modified_by: None,
        versions: vec![VersionHead {
            id: format!("{id}-v1"),
            version: 1,
            published: true,
            created_by: None,
            modified_by: None,
        }],
        own_numbers: Vec::new(),
        widgets: Vec::new(),
        sip_deployed: false,
        configs: BTreeMap::from([(1, LiveConfig { config, editor: Editor::default() })]),
        id,
    }
}

/// Texts to what one environment wants, with a place for every value.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn parse_and_resolve(bencher: Bencher<'_, '_>) {
    let files = project("Before.");
    bencher.counter(ItemsCount::new(MANIFESTS)).bench(|| read(black_box(&files)));
}

/// What is declared against the schema.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn validate_what_is_declared(bencher: Bencher<'_, '_>) {
    let (resolved, schema) = (read(&project("Before.")), schema());
    assert!(!check(&resolved, &schema, Leniency::Strict).has_errors());
    bencher
        .counter(ItemsCount::new(MANIFESTS))
        .bench(|| check(black_box(&resolved), black_box(&schema), Leniency::Strict));
}

/// Whole configs against the schema.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn validate_whole_configs(bencher: Bencher<'_, '_>) {
    let (resolved, schema) = (read(&project("Before.")), schema());
    let configs: Vec<&Value> = resolved.desired.iter().map(|desired| desired.declared.config().unwrap()).collect();
    assert!(configs.iter().all(|config| schema.is_valid(config)));
    bencher
        .counter(ItemsCount::new(MANIFESTS))
        .bench(|| configs.iter().filter(|config| schema.is_valid(black_box(config))).count());
}

/// Agents that are as they shall be, their configs at hand.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn plan_unchanged(bencher: Bencher<'_, '_>) {
    let (resolved, schema) = (read(&project("Before.")), schema());
    let live = applied(&resolved, &schema);
    let planned = plan(&resolved, &live, &schema);
    assert!(planned.changes.is_empty() && planned.unchanged.len() == MANIFESTS);
    bencher
        .counter(ItemsCount::new(MANIFESTS))
        .bench(|| plan(black_box(&resolved), black_box(&live), black_box(&schema)));
}

/// Agents whose prompts all end in another word.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn plan_with_every_prompt_edited(bencher: Bencher<'_, '_>) {
    let (before, after, schema) = (read(&project("Before.")), read(&project("After.")), schema());
    let live = applied(&before, &schema);
    assert_eq!(plan(&after, &live, &schema).changes.len(), MANIFESTS);
    bencher.counter(ItemsCount::new(MANIFESTS)).bench(|| plan(black_box(&after), black_box(&live), black_box(&schema)));
}

/// The schema of the embedded service, compiled; a run does it once.
#[divan::bench]
fn compile_schema() -> ConfigSchema {
    ConfigSchema::compile(black_box(&schema_bytes())).unwrap()
}

/// The embedded schema, as the service would send it.
fn schema_bytes() -> Vec<u8> {
    Embedded::embedded().document().to_string().into_bytes()
}
