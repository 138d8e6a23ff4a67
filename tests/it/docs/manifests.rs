//! Every block of YAML in the documentation is what it looks like: a manifest or a part of one, a project, a workflow.

use std::collections::BTreeSet;

use reachform::diagnostics::Severity;
use reachform::manifest::project::PROJECT_FILE;
use reachform::manifest::{MemoryFiles, Resolved, resolve, sandbox_secret};
use reachform::model::ConfigShape;
use reachform::schema::Leniency;
use reachform::session::check;
use serde_json::Value;

use super::{blocks, pages, read};
use crate::scene::schema;

/// What the manifests of the documentation pull in and do not show.
const NOT_SHOWN: [(&str, &str); 4] = [
    ("prompts/riverside.md", "You answer the phone."),
    ("prompts/front-desk.md", "You answer the phone."),
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

/// Fields that only a project file has.
const OF_A_PROJECT: [&str; 5] = ["version", "project", "agents", "limits", "not_secret"];

/// A project for manifests that are shown without one.
const PROJECT: &str = "version: 1\nproject: shown\nenvironments:\n  staging: {variables: {front_desk: \"+15550002222\"}}\n  \
                       prod: {variables: {front_desk: \"+15551112222\"}}\n  demo: {}\n";

/// What is shown, by the names at its left edge.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Project,
    Manifest,
    /// A workflow or a part of one, whose form `.ci/check-workflows` holds.
    Workflow,
}

fn names(block: &str) -> BTreeSet<&str> {
    let lines = block.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    lines.filter_map(|line| Some(line.split_once(':')?.0)).collect()
}

fn kind(block: &str) -> Block {
    let names = names(block);
    if ["on", "jobs", "steps", "repos"].iter().any(|name| names.contains(name)) || names.is_empty() {
        Block::Workflow
    } else if OF_A_PROJECT.iter().any(|name| names.contains(name)) {
        Block::Project
    } else {
        Block::Manifest
    }
}

/// What reachform makes of a manifest, with what its page leaves out.
fn resolved(project: &str, manifest: &str, environment: &str) -> Resolved {
    let mut files = MemoryFiles::default();
    let lacks = |name: &str| !names(manifest).contains(name);
    let key = if lacks("key") { "key: shown\n" } else { "" };
    let name = if lacks("name") { "name: Shown\n" } else { "" };
    files.add(PROJECT_FILE, project);
    files.add("agents/shown.yaml", format!("{key}{name}{manifest}"));
    for (name, text) in NOT_SHOWN {
        files.add(name, text);
    }
    resolve(&files, Some(environment), &sandbox_secret)
}

#[test]
fn every_block_of_yaml_in_the_documentation_is_valid() {
    let (mut manifests, mut whole, mut projects, mut workflows) = (0, 0, 0, 0);
    for page in pages() {
        let text = read(&page);
        let yaml = blocks(&text, &["yaml"]);
        for block in &yaml {
            match kind(block) {
                Block::Workflow => {
                    serde_yaml::from_str::<Value>(block).unwrap_or_else(|error| panic!("{page}: {error}\n{block}"));
                    workflows += 1;
                }
                Block::Project => {
                    let mut files = MemoryFiles::default();
                    files.add(PROJECT_FILE, block.as_str());
                    let project = reachform::manifest::project_file(&files);
                    assert!(project.is_some(), "{page}: not a valid project file:\n{block}");
                    projects += 1;
                }
                Block::Manifest => {
                    let shown = yaml.iter().find(|block| kind(block) == Block::Project && block.contains("staging:"));
                    let project = shown.map_or(PROJECT, String::as_str);
                    for environment in ["staging", "prod"] {
                        let resolved = resolved(project, block, environment);
                        let found = check(&resolved, &schema(), Leniency::Strict);
                        let problems: Vec<_> = resolved
                            .diagnostics
                            .iter()
                            .chain(found.iter())
                            .filter(|one| one.severity != Severity::Notice && one.code != "not-supported-yet")
                            .collect();
                        assert!(problems.is_empty(), "{page}: {problems:#?}\n{block}");
                        // One that shows a type shows a config that can be published.
                        let config = resolved.desired[0].declared.config();
                        if let Some(config) = config.filter(|_| block.contains("type: static_prompt")) {
                            assert_eq!(schema().faults(config), [], "{page}:\n{block}");
                            whole += 1;
                        }
                    }
                    manifests += 1;
                }
            }
        }
    }
    let seen = (manifests, whole, projects, workflows);
    assert!(manifests >= 25 && whole >= 6 && projects >= 6 && workflows >= 1, "{seen:?}");
}

#[test]
fn a_comma_that_ends_a_value_is_noticed() {
    let broken = "config:\n  agent:\n    starting_message: {type: bot_initiates_static, text: Riverside Dental, how can I help?}\n";
    let resolved = resolved(PROJECT, broken, "prod");
    let found = check(&resolved, &schema(), Leniency::Strict);
    assert!(resolved.diagnostics.iter().chain(found.iter()).any(|one| one.severity != Severity::Notice));
}

/// The first cells of the table of a page.
fn fields(page: &str) -> Vec<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn the_page_of_the_project_file_has_every_field_and_no_other() {
    let page = read("docs/reference/project.md");
    let shown = fields(&page);
    // An unknown field is answered with the list of those that there are.
    for (file, prefix) in [
        ("version: 1\nproject: p\nzzzzzzzz: 1\n", ""),
        ("version: 1\nproject: p\nenvironments: {prod: {zzzzzzzz: 1}}\n", "environments.NAME."),
        ("version: 1\nproject: p\nlimits: {zzzzzzzz: 1}\n", "limits."),
    ] {
        let mut files = MemoryFiles::default();
        files.add(PROJECT_FILE, file);
        let resolved = resolve(&files, None, &sandbox_secret);
        let unknown = resolved.diagnostics.iter().find(|one| one.code == "unknown-field").expect("an unknown field");
        let hint = unknown.hints.first().expect("the list of fields");
        let named: BTreeSet<String> = hint
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| !(matches!(*name, PROJECT_FILE | "prod") || prefix == "limits." && *name == "limits"))
            .map(|name| format!("{prefix}{name}"))
            .collect();
        let level = |name: &&String| match prefix {
            // The fields of limits are listed, the map that holds them is not.
            "" => !name.contains('.'),
            prefix => name.starts_with(prefix),
        };
        let mut listed: BTreeSet<String> = shown.iter().filter(level).cloned().collect();
        if prefix.is_empty() {
            listed.insert("limits".to_owned());
        }
        assert_eq!(listed, named, "{hint}");
    }
}

#[test]
fn the_page_of_variables_has_every_variable_that_the_program_names_and_no_other() {
    let page = read("docs/reference/environment.md");
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split_once('|'))
        .flat_map(|(names, _)| names.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let ours = ["ANYREACH_", "REACHFORM_", "GITHUB_", "GITLAB_", "CI_", "XDG_", "RUNNER_", "GH_"];
    let mut named = BTreeSet::new();
    for path in super::files("src", "rs") {
        // This one names variables in order to withhold them, the sandbox none of ours.
        if path.ends_with("model/verify.rs") || path.components().any(|part| part.as_os_str() == "sandbox") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for literal in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| line.split('"').skip(1).step_by(2))
        {
            let is_name = literal.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
                && !literal.ends_with('_');
            if is_name && ours.iter().any(|prefix| literal.starts_with(prefix)) {
                named.insert(literal.to_owned());
            }
        }
    }
    assert!(named.len() > 40, "{named:?}");
    let missing: Vec<_> = named.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/reference/environment.md lacks {missing:?}");
    let unused: Vec<_> = documented
        .difference(&named)
        .filter(|name| ours.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with("_NAME"))
        .collect();
    assert!(unused.is_empty(), "nothing in the program reads {unused:?}");
}
