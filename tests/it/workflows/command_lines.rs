//! Each command line that a recipe shows is one that the program takes.

use clap::Parser as _;
use reachform::cli::args::Cli;
use serde_json::Value;

use super::{document, recipes, root};

/// Values for what a reader puts in.
const PLACEHOLDERS: [(&str, &str); 5] = [
    ("PLAN", "saved.plan"),
    ("FILE", "file"),
    ("HASH", "sha256:0000000000000000000000000000000000000000000000000000000000000000"),
    ("KEY", "riverside"),
    ("NAME", "prod"),
];

/// The words of the first command of a line, as a shell would split it. What the shell puts in stays one word.
pub fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None::<char>);
    let mut depth = 0_usize;
    for c in line.chars() {
        match (c, open) {
            ('(', Some('"') | None) => depth += 1,
            (')', Some('"') | None) => depth = depth.saturating_sub(1),
            ('"' | '\'', None) => {
                open = Some(c);
                word.get_or_insert_default();
                continue;
            }
            (c, Some(quote)) if c == quote && depth == 0 => {
                open = None;
                continue;
            }
            ('#' | '|' | '&' | ';' | '>' | '<', None) if depth == 0 => break,
            (c, None) if c.is_whitespace() && depth == 0 => {
                words.extend(word.take());
                continue;
            }
            _ => {}
        }
        word.get_or_insert_default().push(c);
    }
    words.extend(word);
    words
}

/// The command line of ours in a line of a script, if it is one.
pub fn ours(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let built =
        ["cargo run --release -- ", "cargo run --profile quick -- ", "\"$RUNNER_TEMP/reachform/bin/reachform\" "]
            .iter()
            .find_map(|start| line.strip_prefix(start))
            .map(|rest| format!("reachform {rest}"));
    let line = built.as_deref().unwrap_or(line);
    line.starts_with("reachform ").then(|| split(line))
}

#[track_caller]
pub fn assert_taken(place: &str, line: &[String]) {
    let line: Vec<&str> = line
        .iter()
        .map(|word| PLACEHOLDERS.iter().find(|(name, _)| name == word).map_or(word.as_str(), |(_, value)| *value))
        .collect();
    if let Err(error) = Cli::try_parse_from(&line) {
        // `--help` and `--version` are told by an error that is none.
        assert!(!error.use_stderr(), "{place}: {line:?}: {error}");
    }
}

fn scripts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(script) if name == "run" => found.push(script),
                    Value::Array(lines) if name == "script" || name == "before_script" => {
                        found.extend(lines.iter().filter_map(Value::as_str));
                    }
                    _ => scripts(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| scripts(value, found)),
        _ => {}
    }
}

#[test]
fn each_command_line_of_a_recipe_is_taken() {
    let gitlab = document(&root().join("examples/workflows/gitlab-ci.yml"));
    let mut seen = 0;
    for recipe in recipes().iter().chain([&gitlab]) {
        let mut found = Vec::new();
        scripts(&recipe.value, &mut found);
        for line in found.into_iter().flat_map(str::lines).filter_map(ours) {
            assert_taken(&recipe.name, &line);
            seen += 1;
        }
        if recipe.name == gitlab.name {
            continue;
        }
        for step in recipe.ours() {
            let command = step["with"]["command"].as_str().unwrap();
            let more = step["with"]["args"].as_str().unwrap_or_default();
            let line: Vec<String> = ["reachform", command].into_iter().chain(more.lines()).map(str::to_owned).collect();
            assert_taken(&recipe.name, &line);
            seen += 1;
        }
    }
    assert!(seen >= 16, "{seen}");
}

#[test]
fn the_hook_for_pre_commit_is_a_command_that_is_taken_and_runs_for_every_file_that_a_manifest_can_name() {
    let hooks = document(&root().join(".pre-commit-hooks.yaml")).value;
    let hook = &hooks[0];
    assert_taken(".pre-commit-hooks.yaml", &split(hook["entry"].as_str().unwrap()));
    assert_eq!(hook["pass_filenames"], Value::Bool(false));
    let ends = hook["files"].as_str().unwrap();
    for file in ["agents/a.yaml", "reachform.yml", "prompts/a.md", "prompts/a.txt", "tools/a.json"] {
        let end = file.rsplit('.').next().unwrap();
        assert!(ends.contains(end) || end == "yaml" && ends.contains("ya?ml") || end == "yml", "{file}: {ends}");
    }
}

#[test]
fn a_line_is_split_as_a_shell_would() {
    for (line, words) in [
        ("reachform plan --env prod || status=$?", &["reachform", "plan", "--env", "prod"][..]),
        (
            "reachform diff --base \"$(git merge-base origin/main HEAD)\" --detailed-exitcode",
            &["reachform", "diff", "--base", "$(git merge-base origin/main HEAD)", "--detailed-exitcode"],
        ),
        (
            "reachform sandbox serve --fault 'drop-after:POST /x' # why",
            &["reachform", "sandbox", "serve", "--fault", "drop-after:POST /x"],
        ),
    ] {
        assert_eq!(split(line), words);
    }
    assert!(Cli::try_parse_from(["reachform", "plan", "--no-such-flag"]).unwrap_err().use_stderr());
}
