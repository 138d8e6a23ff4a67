//! In a pipeline: annotations, reports of problems, and output that a runner cannot be made to obey.

use std::path::Path;

use serde_json::{Value, json};

use super::program::{MANIFEST, Project, Ran};

type Properties = Vec<(String, String)>;

/// The annotations of a run, as the runner reads them: command, properties, data.
fn annotations(ran: &Ran) -> Vec<(String, Properties, String)> {
    let unescape = |text: &str| {
        let pairs = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let commands = ran.stderr.lines().filter_map(|line| line.strip_prefix("::"));
    commands
        .map(|line| {
            let (info, data) = line.split_once("::").unwrap();
            let (name, properties) = info.split_once(' ').unwrap();
            let properties = properties.split(',').map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                (name.to_owned(), unescape(value))
            });
            (name.to_owned(), properties.collect(), unescape(data))
        })
        .collect()
}

fn property<'a>(properties: &'a [(String, String)], name: &str) -> &'a str {
    properties.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// A project below the root of a repository, with 37 mistakes in five files.
fn with_mistakes() -> Project {
    let project = Project::quickstart().with("GITHUB_ACTIONS", "true");
    let root = project.dir();
    project.write("voice/reachform.yaml", project.read("reachform.yaml"));
    for file in 0..5_usize {
        let count = if file == 4 { 9 } else { 7 };
        let mistakes: Vec<String> = (0..count).map(|n| format!("odd_{n}: 1\n")).collect();
        project.write(
            &format!("voice/agents/a{file}, b%:c.yaml"),
            format!("key: a{file}\nname: A\n{}", mistakes.concat()),
        );
    }
    for arguments in [&["init", "-q", "."][..], &["add", "."]] {
        assert!(std::process::Command::new("git").args(arguments).current_dir(&root).status().unwrap().success());
    }
    project
}

#[test]
fn of_37_errors_in_five_files_nine_are_annotations_and_one_counts_the_other_28() {
    let project = with_mistakes();
    let ran = project.run(&["--sandbox", "validate", "-C", "voice"]).ends(1);
    let found = annotations(&ran);
    assert_eq!(found.len(), 10, "{ran:#?}");
    assert!(found.iter().all(|(name, ..)| name == "error"));
    for (index, (_, properties, data)) in found.iter().take(9).enumerate() {
        let (file, mistake) = (index / 7, index % 7);
        // The path is the repository's, not the project's.
        assert_eq!(property(properties, "file"), format!("voice/agents/a{file}, b%:c.yaml"));
        assert_eq!(property(properties, "line"), (mistake + 3).to_string());
        assert_eq!(property(properties, "endLine"), property(properties, "line"));
        assert_eq!((property(properties, "col"), property(properties, "endColumn")), ("1", "6"));
        assert_eq!(property(properties, "title"), "unknown-field");
        assert!(data.contains(&format!("`odd_{mistake}`")), "{data}");
    }
    assert_eq!(found[9].2, "28 more, see the log of this step (28 errors)");
    let plan = project.run(&["--sandbox", "plan", "-C", "voice"]).ends(1);
    assert_eq!(annotations(&plan), found, "a plan that is not made tells the same");
}

#[test]
fn annotations_can_be_forced_and_switched_off_and_never_disturb_json() {
    let project = with_mistakes();
    let off = project.run(&["--sandbox", "validate", "-C", "voice", "--annotations", "off"]).ends(1);
    assert!(annotations(&off).is_empty());
    let project = project.with("GITHUB_ACTIONS", "false");
    assert!(annotations(&project.run(&["--sandbox", "validate", "-C", "voice"]).ends(1)).is_empty());
    let on = project.run(&["--sandbox", "validate", "-C", "voice", "--annotations", "on", "--json"]).ends(1);
    assert_eq!((annotations(&on).len(), on.json()["diagnostics"].as_array().unwrap().len()), (10, 37));
}

/// Whether a GitHub runner would carry a line out: its two rules, and its words.
fn is_command(line: &str) -> bool {
    let known = |name: &str| {
        let name = name.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let names = ["add-mask", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "save-state"];
        names.contains(&name.as_str()) || ["set-env", "set-output", "stop-commands", "warning"].contains(&name.as_str())
    };
    let outer = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
    let inner = line.split_once("##[").and_then(|(_, rest)| rest.split_once(']'));
    [outer, inner].into_iter().flatten().any(|(name, _)| known(name))
}

#[test]
fn nothing_in_a_prompt_a_name_or_an_argument_is_a_command_to_the_runner() {
    let project = Project::quickstart().with("GITHUB_ACTIONS", "true");
    let hostile = "::add-mask::a\n  ::error::b\nx ##[add-path]/tmp\n##[group]c\n\u{A0}::set-output name=a::b\n\
                   ::stop-commands::d\r::warning::e\n##\n[add-mask]f\n";
    project.write("prompts/riverside.md", hostile);
    project.edit(MANIFEST, "name: ", "name: \"::error::g\" # ");
    let mut printed = String::new();
    for arguments in [
        &["validate"][..],
        &["plan", "--diff", "full", "-vv"],
        &["plan", "--diff", "full", "--color", "always"],
        &["plan", "--out", "p.plan"],
        &["show", "p.plan", "--diff", "full"],
        &["plan", "--json"],
        &["apply", "--auto-approve"],
        &["list"],
        &["plan", "::error::x\n::add-mask::y"],
        &["plan", "--env", "x\n::add-mask::y"],
        &["plan", "--env", "##[add-mask]y"],
    ] {
        // Without the annotations, which are the commands that are meant.
        let ran = project.run(&[&["--sandbox", "--annotations", "off"], arguments].concat());
        printed.push_str(&ran.stdout);
        for line in format!("{}\n{}", ran.stdout, ran.stderr).split(['\n', '\r']) {
            assert!(!is_command(line), "{arguments:?}: {line:?}");
        }
        if arguments.contains(&"--json") {
            assert!(ran.json().to_string().contains("##[add-path]/tmp"), "JSON is the same document");
        }
    }
    // The text is there all the same.
    assert!(printed.contains("add-mask::a") && printed.contains("##\\[add-path]/tmp"), "{printed}");
    assert!(is_command("  ::error file=a::b") && is_command("x ##[add-mask]y") && !is_command("a ::error::b"));
}

#[test]
fn outside_a_runner_the_text_is_left_as_it_is() {
    let project = Project::quickstart();
    project.write("prompts/riverside.md", "x ##[add-path]/tmp\n");
    project.run(&["--sandbox", "plan", "--diff", "full"]).ends(0).says("x ##[add-path]/tmp");
}

#[test]
fn only_one_file_of_the_program_writes_to_the_streams() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("cli/output.rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")) {
            let writes = ["println!", "print!(", "stdout()", "stderr()"].iter().any(|word| line.contains(word));
            // Asking what a stream is writes nothing; the bar draws on a terminal alone, which no runner is.
            let asks = ["is_terminal()", "use_stderr()"].iter().any(|word| line.contains(word));
            if writes && !asks && !line.contains("ProgressDrawTarget::stderr()") {
                faults.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn sarif(project: &Project, arguments: &[&str]) -> Value {
    project.run(&[&["--sandbox", "-C", "voice"], arguments, &["--sarif", "found.sarif"]].concat());
    let found: Value = serde_json::from_str(&project.read("found.sarif")).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/findings/sarif-2.1.0.schema.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    // The official schema has a stray bracket in one pattern, so that it is no schema to a strict reader.
    for holder in ["run", "toolComponent"] {
        let language = schema["definitions"][holder]["properties"]["language"].as_object_mut().unwrap();
        assert_eq!(language.remove("pattern").unwrap(), "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(&found).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    found
}

fn fingerprints(sarif: &Value) -> Vec<String> {
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    results.iter().map(|result| result["partialFingerprints"]["reachform/v1"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sarif_keeps_to_its_schema_and_its_fingerprints_when_lines_move() {
    let project = with_mistakes()
        .with("GITHUB_SERVER_URL", "https://github.com")
        .with("GITHUB_ACTION_REPOSITORY", "o/reachform")
        .with("GITHUB_ACTION_REF", "4f2c9ab");
    let before = sarif(&project, &["validate"]);
    let results = before["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 37);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "voice/agents/a0%2C%20b%25%3Ac.yaml");
    assert_eq!(place["region"], json!({"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 6}));
    let rule = &before["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], results[0]["ruleId"]);
    assert_eq!(rule["shortDescription"]["text"], "A field is not known.");
    let page = "https://github.com/o/reachform/blob/4f2c9ab/docs/reference/codes.md#unknown-field";
    assert_eq!(rule["helpUri"], page);
    let known = fingerprints(&before);
    let mut unique = known.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 37);
    // Lines above move it, and a mistake that is mended takes only its own name along.
    for file in 0..5 {
        let name = format!("voice/agents/a{file}, b%:c.yaml");
        project.write(&name, format!("# a\n\n{}", project.read(&name).replace("odd_2: 1\n", "\n")));
    }
    let after = fingerprints(&sarif(&project, &["plan"]));
    assert_eq!(after.len(), 32);
    assert!(after.iter().all(|fingerprint| known.contains(fingerprint)), "{after:?}\n{known:?}");
}

#[test]
fn a_run_without_problems_writes_empty_reports_and_one_with_a_bad_path_does_nothing() {
    let project = Project::quickstart();
    project.write("voice/x", "");
    let ran = project.run(&["--sandbox", "validate", "--sarif", "found.sarif", "--code-quality", "quality.json"]);
    ran.ends(0);
    assert_eq!(project.read("quality.json"), "[]\n");
    let found: Value = serde_json::from_str(&project.read("found.sarif")).unwrap();
    assert_eq!(found["runs"][0]["results"], json!([]));
    project.run(&["--sandbox", "plan", "--sarif", "no/such/folder.sarif"]).ends(1).says("the folder no/such");
}

#[test]
fn gitlab_gets_five_members_for_each_problem() {
    let project = with_mistakes().with("CI_PROJECT_DIR", "/nowhere");
    project.run(&["--sandbox", "-C", "voice", "validate", "--code-quality", "quality.json"]).ends(1);
    let found: Value = serde_json::from_str(&project.read("quality.json")).unwrap();
    let list = found.as_array().unwrap();
    assert_eq!(list.len(), 37);
    assert_eq!(list[0]["location"], json!({"path": "voice/agents/a0, b%:c.yaml", "lines": {"begin": 3}}));
    assert_eq!((&list[0]["severity"], &list[0]["check_name"]), (&json!("critical"), &json!("unknown-field")));
    let mut names: Vec<&str> = list.iter().map(|entry| entry["fingerprint"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 37);
}

#[test]
fn every_code_has_a_rule_that_explains_it() {
    let known: Vec<&str> = reachform::cli::explain::every_code().iter().map(|known| known.code).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut missing = Vec::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap) {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in ["Diagnostic::error(", "Diagnostic::warning(", "Diagnostic::notice("] {
            for (at, _) in text.match_indices(call) {
                let argument = text[at + call.len()..].trim_start();
                let Some(code) = argument.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
                if !known.contains(&code) {
                    missing.push(format!("{}: {code}", entry.path().display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "say what these mean in the `codes` of their module: {missing:#?}");
    assert!(known.len() > 90, "{}", known.len());
}
