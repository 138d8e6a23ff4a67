//! The shipped examples, loaded from disk, planned and applied in every environment, and the manifests that the
//! documentation shows.

use std::fs;
use std::path::Path;

use reachform::diagnostics::Severity;
use reachform::manifest::{MemoryFiles, Readable, load, resolve, sandbox_secret};
use reachform::model::{ConfigShape, Direction};
use reachform::plan::{Approval, Source, approve};
use reachform::sandbox::{Behaviour, Sandbox, Seed, Service};
use reachform::schema::Leniency;
use reachform::session::{Workspace, apply_approved, check, make_plan, plan_unleased, read};

use crate::scene::schema;
use crate::world::{World, run};

fn workspace(example: &str, environment: &str) -> Workspace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let resolved = load(&folder, Readable::Everything, Some(environment), &sandbox_secret);
    let problems: Vec<_> = resolved.diagnostics.iter().filter(|one| one.severity != Severity::Notice).collect();
    assert!(problems.is_empty(), "{example} {environment}: {problems:#?}");
    Workspace { resolved, source: Source::default() }
}

/// A world whose organization owns exactly the numbers that the environment declares, and whose service refuses every
/// name in a config that its schema does not know: no example may show one.
fn world_of(workspace: &Workspace) -> World {
    let mut numbers = std::collections::BTreeSet::new();
    for agent in &workspace.resolved.desired {
        for direction in [Direction::Inbound, Direction::Outbound] {
            numbers.extend(agent.slots.of(direction).into_iter().flatten().map(ToString::to_string));
        }
    }
    let seed = serde_json::json!({"at": "2026-01-01T00:00:00Z",
        "organizations": [{"id": "org_sandbox", "numbers": numbers}]});
    let behaviour = Behaviour::parse(["unknown-keys=reject"]).unwrap();
    let mut world = World::new(behaviour.clone());
    world.sandbox = Sandbox::new(Service::seeded(&Seed::parse(&seed.to_string()).unwrap(), behaviour).unwrap());
    world
}

async fn converges(example: &str, environment: &str) {
    let workspace = workspace(example, environment);
    let world = world_of(&workspace);
    let (outside, applying) = (world.outside(), world.applying());
    let (plan, service) = plan_unleased(&workspace, &outside, &applying).await.unwrap();
    let problems: Vec<_> = plan.diagnostics.iter().filter(|one| one.severity != Severity::Notice).collect();
    assert!(problems.is_empty(), "{example} {environment}: {problems:#?}");
    let hash = plan.plan_hash.to_string();
    let approved = approve(plan, &Approval::Person).unwrap_or_else(|refusal| panic!("refused: {refusal:#?}"));
    let report = apply_approved(&workspace, &outside, &applying, &approved, &hash, service).await.unwrap();
    let report = report.unwrap_or_else(|refusal| panic!("refused: {refusal:#?}"));
    assert!(report.is_complete(), "{example} {environment}: {:#?}", report.outcomes);

    let again = world.outside();
    let reader = again.reader();
    let mut service = read(&again, &reader, None).await.unwrap();
    let second = make_plan(&workspace, &world.options, Leniency::Strict, &again, &reader, &mut service).await.unwrap();
    assert!(!second.summary().has_changes(), "{example} {environment}: {:#?}", second.changes);

    for agent in &workspace.resolved.desired {
        for (direction, text) in [(Direction::Inbound, "inbound"), (Direction::Outbound, "outbound")] {
            for number in agent.slots.of(direction).into_iter().flatten() {
                let holder = world.holder(&number.to_string(), text);
                assert_eq!(holder.as_ref(), Some(&agent.name), "{example} {environment}: {number} {text}");
            }
        }
    }
}

#[test]
fn the_quickstart_converges() {
    run(converges("quickstart", "demo"));
}

#[test]
fn the_clinic_group_converges_in_each_of_its_environments() {
    for environment in ["staging", "prod-east", "prod-west"] {
        run(converges("clinic-group", environment));
    }
}

/// The manifests that a Markdown text shows, each with the project file that it shows.
fn manifests_shown(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let blocks = || text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let with = |block: &str, key: &str| block.lines().any(|line| line.starts_with(key));
    let project = blocks().find(|block| with(block, "project:")).unwrap_or_default();
    blocks().filter(move |block| with(block, "key:")).map(move |manifest| (project, manifest))
}

/// What the manifests of the documentation pull in and do not show.
const NOT_SHOWN: [(&str, &str); 3] = [
    ("prompts/riverside.md", "You answer the phone."),
    (
        "stacks/default.yaml",
        "type: stt_llm_tts
turn_detection: {models: [{provider: livekit, model: {name: english}}]}
stt: {models: [{provider: deepgram, model: {name: nova-3-general}}]}
llm: {models: [{provider: openai, model: {name: gpt-4.1}}]}
",
    ),
    ("stacks/warm-voice.yaml", "models: [{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}]\n"),
];

#[test]
fn every_manifest_in_the_documentation_holds_under_the_strict_schema() {
    let mut seen = 0;
    for document in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
        for (project, manifest) in manifests_shown(&text) {
            let mut files = MemoryFiles::default();
            files.add("reachform.yaml", project);
            files.add("agents/shown.yaml", manifest);
            for (name, text) in NOT_SHOWN {
                files.add(name, text);
            }
            for environment in ["staging", "prod"] {
                let resolved = resolve(&files, Some(environment), &sandbox_secret);
                let found = check(&resolved, &schema(), Leniency::Strict);
                let problems: Vec<_> = resolved.diagnostics.iter().chain(found.iter()).collect();
                assert!(problems.is_empty(), "{document}: {problems:#?}");
                let config = resolved.desired[0].declared.config().unwrap();
                assert_eq!(schema().faults(config), [], "{document}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 2, "the README shows a manifest");
}
