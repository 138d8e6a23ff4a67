//! Tests of `manifest`, and of the text that its problems are read in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reachform::diagnostics::{Diagnostic, Diagnostics, SourceMap, Span};
use reachform::manifest::{self, MemoryFiles, Readable, Resolved, codes, yaml};
use reachform::model::FieldPath;
use reachform::render::diagnostics::{TextOptions, text};
use reachform::render::json::validation_document;
use serde_json::{Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/manifest")
}

/// What a case folder says beside its files, in `case.json`.
struct Case {
    environment: Option<String>,
    secrets: BTreeMap<String, String>,
    /// Files that are too large to be kept, by size.
    generate: BTreeMap<String, usize>,
    /// Symbolic links, which not every checkout can hold.
    links: BTreeMap<String, String>,
    /// The folder to load, where it is not the case's own.
    folder: String,
    /// The files that git tracks, or why it could not list them; without either, all are read.
    readable: Readable,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let value: Value = fs::read(folder.join("case.json"))
            .map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).expect("case.json is JSON"));
        let map = |name: &str| value.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let texts = |name: &str| map(name).into_iter().map(|(k, v)| (k, v.as_str().unwrap().to_owned())).collect();
        Self {
            environment: value.get("environment").and_then(Value::as_str).map(str::to_owned),
            secrets: texts("secrets"),
            generate: map("generate")
                .into_iter()
                .map(|(k, v)| (k, usize::try_from(v.as_u64().unwrap()).unwrap()))
                .collect(),
            links: texts("links"),
            readable: match value.get("tracked") {
                None => Readable::Everything,
                Some(Value::String(reason)) => Readable::Unknown(reason.clone()),
                Some(names) => Readable::Tracked(serde_json::from_value(names.clone()).unwrap()),
            },
            folder: value.get("folder").and_then(Value::as_str).unwrap_or("").to_owned(),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(case: &Path) -> Resolved {
    let options = Case::read(case);
    let place = tempfile::tempdir().unwrap();
    let project = place.path().join("project");
    copy(case, &project);
    for (path, size) in &options.generate {
        fs::write(project.join(path), "x".repeat(*size)).unwrap();
    }
    for (path, target) in &options.links {
        #[cfg(unix)]
        std::os::unix::fs::symlink(target, project.join(path)).unwrap();
    }
    fs::write(place.path().join("outside.md"), "not yours").unwrap();
    let secrets = |name: &str| options.secrets.get(name).cloned();
    let folder = project.join(&options.folder);
    let mut resolved = manifest::load(&folder, options.readable, options.environment.as_deref(), &secrets);
    // The folder of a run is in no expected file.
    let shown = project.display().to_string();
    let mut kept = Diagnostics::new();
    for mut diagnostic in std::mem::take(&mut resolved.diagnostics) {
        diagnostic.message = diagnostic.message.replace(&shown, "<project>");
        if let Some(reachform::diagnostics::Place::File(file)) = &mut diagnostic.place {
            *file = file.replace(&shown, "<project>");
        }
        kept.push(diagnostic);
    }
    resolved.diagnostics = kept;
    resolved
}

fn sorted(resolved: &Resolved) -> Vec<Diagnostic> {
    resolved.diagnostics.clone().sorted(&resolved.sources)
}

fn as_json(resolved: &Resolved) -> Value {
    let desired = resolved.desired.iter().map(|desired| {
        let numbers = |set: &Option<BTreeSet<reachform::model::PhoneNumber>>| json!(set);
        let secrets: BTreeMap<String, String> =
            desired.declared.secrets().iter().map(|(path, text)| (path.to_string(), text.named())).collect();
        json!({
            "key": desired.key.as_str(),
            "name": desired.name,
            "origin": format!("{}:{}", desired.origin.file, desired.origin.line),
            "declared": desired.declared.tree(),
            "secrets": secrets,
            "missing_secrets": desired.declared.missing_secrets(),
            "inbound": numbers(&desired.slots.inbound),
            "outbound": numbers(&desired.slots.outbound),
            "web_widgets": desired.web_widgets,
            "email_addresses": desired.email_addresses,
            "sip_endpoint": desired.sip_endpoint,
            "builder_inputs": desired.builder_inputs,
            "protect": desired.protect,
            "ignore": desired.ignore.iter().map(|ignore| json!({"path": ignore.path.to_string(), "reason": ignore.reason,
                "until": ignore.until.map(|date| date.to_string())})).collect::<Vec<_>>(),
            "release": desired.release.iter().map(FieldPath::to_string).collect::<Vec<_>>(),
            "id": desired.id,
            "moved": desired.moved.iter().map(reachform::model::Key::as_str).collect::<Vec<_>>(),
            "verify": desired.verify.as_ref().map(|verify| json!({"command": verify.command, "env": verify.env})),
            "source": desired.source.as_str(),
        })
    });
    json!({
        "project": resolved.project.name,
        "has_project": resolved.project.has_project,
        "environment": resolved.project.environment,
        "token_variable": resolved.project.token_variable(),
        "organization": resolved.project.organization(),
        "elsewhere": resolved.elsewhere.iter().map(reachform::model::Key::as_str).collect::<Vec<_>>(),
        "desired": desired.collect::<Vec<_>>(),
    })
}

/// Compares with an expected file, or writes it when `REACHFORM_BLESS=1`. An expected file that nothing makes is a fault.
fn check(path: &Path, found: Option<&str>, faults: &mut Vec<String>) {
    if std::env::var_os("REACHFORM_BLESS").is_some() {
        match found {
            Some(found) => fs::write(path, found).unwrap(),
            None => drop(fs::remove_file(path)),
        }
        return;
    }
    let expected = fs::read_to_string(path).ok();
    if expected.as_deref() != found {
        faults.push(format!(
            "{}\n--- expected\n{}\n--- found\n{}",
            path.display(),
            expected.as_deref().unwrap_or("(no file)"),
            found.unwrap_or("(nothing)")
        ));
    }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_folder_comes_out_as_expected() {
    let mut faults = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    for case in cases {
        let resolved = run(&case);
        let problems = sorted(&resolved);
        let words = (!problems.is_empty()).then(|| text(&problems, &resolved.sources, TextOptions::default()));
        check(&case.join("expected.txt"), words.as_deref(), &mut faults);
        let tree = (!resolved.diagnostics.has_errors())
            .then(|| format!("{}\n", serde_json::to_string_pretty(&as_json(&resolved)).unwrap()));
        check(&case.join("expected.json"), tree.as_deref(), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_code_is_shown_by_a_case_and_every_shown_code_is_listed() {
    let shown: BTreeSet<&str> =
        cases().iter().flat_map(|case| sorted(&run(case)).into_iter().map(|problem| problem.code)).collect();
    let listed: BTreeSet<&str> = codes::CODES.iter().map(|known| known.code).collect();
    assert_eq!(listed.len(), codes::CODES.len(), "a code is listed twice");
    // So many problems are no case that anyone reads.
    let large = BTreeSet::from([codes::TOO_MANY_PROBLEMS]);
    assert_eq!(&shown | &large, listed);
}

fn memory(files: &[(&str, &str)]) -> MemoryFiles {
    let mut out = MemoryFiles::default();
    for (path, text) in files {
        out.add(*path, *text);
    }
    out
}

fn no_secrets(_: &str) -> Option<String> {
    None
}

#[test]
fn the_quickstart_project_has_no_problem() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let resolved = manifest::load(&folder, Readable::Everything, None, &no_secrets);
    let problems = sorted(&resolved);
    assert!(problems.is_empty(), "{}", text(&problems, &resolved.sources, TextOptions::default()));
    assert_eq!(resolved.project.environment, "demo");
    let agent = &resolved.desired[0];
    let transfer = FieldPath::parse("/config/agent/tools/0/actions/1/transfer_number").unwrap();
    assert_eq!(transfer.get(agent.declared.tree()), Some(&json!("+15550100199")));
    assert_eq!(agent.slots.inbound.as_ref().map(BTreeSet::len), Some(1));
}

/// What stands at the place of a pointer, in the file in which it was written.
fn written<'r>(resolved: &'r Resolved, pointer: &str, of_key: bool) -> (&'r str, &'r str) {
    let locations = resolved.locations.values().next().unwrap();
    let path = FieldPath::parse(pointer).unwrap();
    let span = if of_key { locations.key_span(&path) } else { locations.value_span(&path) }.unwrap();
    let sources = &resolved.sources;
    (sources.name(span.file), sources.text(span.file).get(span.start..span.end).unwrap())
}

#[test]
fn every_pointer_leads_to_where_its_value_was_written() {
    let files = memory(&[
        ("reachform.yaml", "version: 1\nproject: p\nenvironments: {prod: {variables: {deep: {a: [1, 2]}}}}\n"),
        (
            "agents/a.yaml",
            "key: a\nname: A\nconfig:\n  prompt: |\n    Line one.\n  text: !file ../p.md\n  stack: !merge [!file ../s.yaml, \
             {tts: loud}]\n  list:\n    - x: 1\n    - y: 2\n  patched: {keep: 1, change: 2}\n  deep: !var deep\nenvironments:\n  \
             prod: {config: {patched: {change: 3, new: [4]}}}\n",
        ),
        ("p.md", "a prompt"),
        ("s.yaml", "llm: {name: x}\ntts: quiet\nmore: !file t.yaml\n"),
        ("t.yaml", "inner:\n  - leaf\n"),
    ]);
    let resolved = manifest::resolve(&files, None, &no_secrets);
    assert!(resolved.diagnostics.is_empty(), "{:?}", sorted(&resolved));
    for (pointer, value, key) in [
        ("/name", ("agents/a.yaml", "A"), ("agents/a.yaml", "name")),
        // A block begins on the line below its key, so the key is pointed at.
        ("/config/prompt", ("agents/a.yaml", "prompt"), ("agents/a.yaml", "prompt")),
        ("/config/text", ("agents/a.yaml", "!file ../p.md"), ("agents/a.yaml", "text")),
        ("/config/stack/llm/name", ("s.yaml", "x"), ("s.yaml", "name")),
        ("/config/stack/tts", ("agents/a.yaml", "loud"), ("agents/a.yaml", "tts")),
        ("/config/stack/more/inner/0", ("t.yaml", "leaf"), ("t.yaml", "leaf")),
        ("/config/stack/more/inner/0/absent/deep", ("t.yaml", "leaf"), ("t.yaml", "leaf")),
        ("/config/stack/more/inner/7", ("t.yaml", "- leaf"), ("t.yaml", "inner")),
        ("/config/list/1/y", ("agents/a.yaml", "2"), ("agents/a.yaml", "y")),
        ("/config/list/1", ("agents/a.yaml", "y: 2"), ("agents/a.yaml", "y: 2")),
        ("/config/patched/keep", ("agents/a.yaml", "1"), ("agents/a.yaml", "keep")),
        ("/config/patched/change", ("agents/a.yaml", "3"), ("agents/a.yaml", "change")),
        ("/config/patched/new/0", ("agents/a.yaml", "4"), ("agents/a.yaml", "4")),
        ("/config/deep/a/1", ("agents/a.yaml", "!var deep"), ("agents/a.yaml", "!var deep")),
    ] {
        assert_eq!(written(&resolved, pointer, false), value, "{pointer}");
        assert_eq!(written(&resolved, pointer, true), key, "{pointer}");
    }
}

#[test]
fn a_value_that_could_not_be_made_out_is_a_hole_and_a_written_null_is_not() {
    let files = memory(&[("agents/a.yaml", "key: a\nname: A\nconfig: {x: {y: !var absent, z: null}}\n")]);
    let resolved = manifest::resolve(&files, None, &no_secrets);
    let locations = resolved.locations.values().next().unwrap();
    let is_hole = |pointer| locations.is_hole(&FieldPath::parse(pointer).unwrap());
    assert!(is_hole("/config/x/y") && is_hole("/config/x") && is_hole("/config/x/y/below"));
    assert!(!is_hole("/config/x/z") && !is_hole("/name"));
}

#[test]
fn the_source_digest_is_equal_in_all_environments_that_do_not_patch_the_config() {
    let project = "version: 1\nproject: p\nenvironments: {a: {variables: {v: 1}}, b: {variables: {v: 2}}, c: {variables: {v: 1}}}\n";
    let agent = "key: a\nname: A\nconfig: {v: !var v, s: !secret S, t: !format '{v}'}\nenvironments: {a: {name: B}, c: {config: {v: 1}}}\n";
    let files = memory(&[("reachform.yaml", project), ("agents/a.yaml", agent)]);
    let source = |environment, secret: Option<&str>| {
        let secrets = |_: &str| secret.map(str::to_owned);
        manifest::resolve(&files, Some(environment), &secrets).desired[0].source.clone()
    };
    assert_eq!(source("a", None), source("b", Some("a-long-enough-secret")));
    // The patch put a value where the tag was, so it is another source, although the value is what the tag came to.
    assert_ne!(source("a", None), source("c", None));
}

#[test]
fn the_value_of_a_secret_is_in_nothing_that_is_shown() {
    let files = memory(&[(
        "agents/a.yaml",
        "key: a\nname: A\nmetadata: {h: !secret H}\nconfig: {list: [{s: !format 'Bearer {secret:S} x'}], t: !secret H}\n",
    )]);
    let secrets = |name: &str| Some(format!("hunter2-hunter2-{name}"));
    let resolved = manifest::resolve(&files, None, &secrets);
    assert!(!format!("{resolved:?}").contains("hunter2"));
    let list = FieldPath::parse("/config/list").unwrap();
    let revealed = resolved.desired[0].declared.reveal(&list);
    assert_eq!(revealed, Ok(Some(json!([{"s": "Bearer hunter2-hunter2-S x"}]))));
}

#[test]
fn a_secret_of_the_sandbox_is_never_too_short() {
    let files = memory(&[("agents/a.yaml", "key: a\nname: A\nconfig: {t: !secret K}\n")]);
    let in_the_sandbox = manifest::resolve(&files, None, &manifest::sandbox_secret);
    assert!(in_the_sandbox.diagnostics.is_empty());
    let elsewhere = manifest::resolve(&files, None, &|_| Some("sandbox:X".to_owned()));
    assert_eq!(sorted(&elsewhere)[0].code, "short-secret");
}

#[test]
fn a_patch_that_replaces_a_tag_keeps_it_from_being_resolved() {
    let files = memory(&[(
        "agents/a.yaml",
        "key: a\nname: A\nconfig: {v: !var absent, w: {x: !secret bad-name}}\nenvironments: {e: {config: {v: 1, w: null}}}\n",
    )]);
    let resolved = manifest::resolve(&files, Some("e"), &no_secrets);
    assert!(resolved.diagnostics.is_empty(), "{:?}", sorted(&resolved));
    assert_eq!(resolved.desired[0].declared.config(), Some(&json!({"v": 1})));
}

#[test]
fn a_float_stays_a_float_and_keys_keep_their_order() {
    let files =
        memory(&[("agents/a.yaml", "key: a\nname: A\nconfig: {z: 1.0, a: 1, m: {}, e: [], n: null, t: 'x '}\n")]);
    let resolved = manifest::resolve(&files, None, &no_secrets);
    let config = resolved.desired[0].declared.config().unwrap().to_string();
    assert_eq!(config, r#"{"z":1.0,"a":1,"m":{},"e":[],"n":null,"t":"x "}"#);
}

#[test]
fn problems_as_json_have_a_place_and_their_mend() {
    let files = memory(&[("agents/ä.yaml", "key: a\nname: A\nä: {phone_number: x}\nphone_number: {}\n")]);
    let resolved = manifest::resolve(&files, None, &no_secrets);
    let document = validation_document("default", 1, None, &sorted(&resolved), &resolved.sources);
    let document: Value = serde_json::from_str(&document).unwrap();
    let problems = &document["diagnostics"];
    assert_eq!(
        problems[1],
        json!({
            "code": "unknown-field", "severity": "error", "message": "unknown field `phone_number` in a manifest",
            "file": "agents/ä.yaml", "line": 4, "column": 1, "end_line": 4, "end_column": 13, "hints": [],
            "address": null, "request": null,
            "fix": {"title": "did you mean `phone_numbers`?", "replacement": "phone_numbers", "file": "agents/ä.yaml",
                "line": 4, "column": 1, "end_line": 4, "end_column": 13}
        })
    );
}

/// Lines that together look enough like a manifest to get past the first check, and often enough wrong.
fn manifest_like() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "key",
        "name",
        "config",
        "environments",
        "phone_numbers",
        "inbound",
        "ignore",
        "path",
        "verify",
        "<<",
        "metadata",
        "!file ../p.md",
        "!file ../s.yaml",
        "!merge",
        "!var v",
        "!secret S",
        "!format '{v}'",
        "!!int",
        "&a",
        "*a",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "null",
        "1",
        "+1555",
        "\"",
        "'",
        "|",
        ">",
        "#",
        ",",
        "---\n",
        "ä",
        "\u{202e}",
        "\t",
        "a",
        "/config/x",
        "false",
        "default",
    ]);
    prop_oneof![
        prop::collection::vec(words.clone(), 0..40).prop_map(|words| words.concat()),
        prop::collection::vec(words, 0..30).prop_map(|words| format!("key: a\nname: A\nconfig:\n  {}", words.concat())),
        any::<String>(),
    ]
}

fn resolve_text(agent: &str, structure: &str) -> Resolved {
    let files = memory(&[("agents/a.yaml", agent), ("p.md", "prompt"), ("s.yaml", structure)]);
    manifest::resolve(&files, None, &|_| Some("a-secret-of-good-length".to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_makes_the_parser_panic_and_every_span_lies_in_it(source in manifest_like()) {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", source.as_str());
        let mut problems = Diagnostics::new();
        for document in yaml::parse(file, sources.text(file), &mut problems) {
            prop_assert!(document.root.span.end <= source.len());
        }
        let clamped = |span: &Span| sources.clamp(span) == (span.start..span.end);
        for problem in problems.iter() {
            prop_assert!(matches!(&problem.place, Some(reachform::diagnostics::Place::Span(span)) if clamped(span)));
        }
    }

    #[test]
    fn the_same_files_come_out_the_same_and_can_be_shown(agent in manifest_like(), structure in manifest_like()) {
        let (first, second) = (resolve_text(&agent, &structure), resolve_text(&agent, &structure));
        prop_assert_eq!(as_json(&first), as_json(&second));
        let (a, b) = (sorted(&first), sorted(&second));
        prop_assert_eq!(&a, &b);
        let shown = text(&a, &first.sources, TextOptions::default());
        prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        prop_assert!(!shown.contains(['\u{202e}', '\u{2066}', '\u{200e}']), "a bidi character");
    }

    #[test]
    fn no_span_makes_the_renderer_panic(
        source in any::<String>(),
        spans in prop::collection::vec((0_usize..400, 0_usize..400), 3),
        words in any::<String>(),
        width in 0_usize..200,
        color: bool,
    ) {
        let mut sources = SourceMap::default();
        let file = sources.add(words.as_str(), source.as_str());
        let other = sources.add("b", "one\ntwo\n");
        let span = |at: usize, file| Span { file, start: spans[at].0, end: spans[at].1 };
        let problem = Diagnostic::error("code", words.as_str())
            .span(span(0, file))
            .label(words.as_str())
            .other(span(1, file), words.as_str())
            .other(span(1, other), "there")
            .hint(words.as_str())
            .fix(span(2, file), words.as_str(), "mend");
        let options = TextOptions { color, unicode: color, width };
        let shown = text(std::slice::from_ref(&problem), &sources, options);
        prop_assert!(shown.ends_with("1 error\n"));
        prop_assert!(color || !shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        let document = validation_document("default", 1, None, &[problem], &sources);
        let document: Value = serde_json::from_str(&document).unwrap();
        prop_assert!(document["diagnostics"][0]["line"].as_u64() >= Some(1));
    }
}

/// The problem that says that a project is too large; it must be the only one, and have a place and a hint.
fn only_problem(resolved: &Resolved, code: &str) -> String {
    let found: Vec<&Diagnostic> = resolved.diagnostics.iter().collect();
    let [problem] = found.as_slice() else { panic!("{} problems: {:?}", found.len(), found.first()) };
    assert_eq!(problem.code, code, "{problem:?}");
    assert!(problem.place.is_some() && !problem.hints.is_empty(), "{problem:?}");
    problem.message.clone()
}

#[test]
fn whatever_multiplies_a_small_repository_has_one_budget_and_one_problem() {
    let manifest = |key: usize, body: &str| format!("key: a{key}\nname: A\nconfig:\n{body}\n");
    let aliases = format!("  t: &t {}\n  l: [{}]", "x".repeat(1_000), "*t, ".repeat(7_000));
    let values = format!("  t: &t [{}]\n  l: [{}]", "1, ".repeat(100), "*t, ".repeat(2_000));
    let prompt = "x".repeat(1024 * 1024 - 1);
    let texts = "  t: [!file ../big.md, !file ../big.md, !file ../big.md]";
    let trees = "  t: [!file ../tree.yaml, !file ../tree.yaml]";
    let merges = "  t: !merge [!file ../tree.yaml, !file ../tree.yaml]";
    let patches = "  t: 1\nenvironments: {default: !file ../tree.yaml}";
    let variables = format!("  t: !format \"{}\"", "{v}".repeat(100));
    let variable = "x".repeat(100_000);
    let project = format!("version: 1\nproject: p\nenvironments: {{default: {{variables: {{v: {variable}}}}}}}\n");
    let tree = format!("config: {{l: [{}]}}", "1, ".repeat(100_000));
    for (name, body, much, project) in [
        ("aliases", aliases.as_str(), "256 MiB of text", ""),
        ("values", &values, "2000000 values", ""),
        ("texts", texts, "256 MiB of text", ""),
        ("trees", trees, "2000000 values", ""),
        ("merges", merges, "2000000 values", ""),
        ("patches", patches, "2000000 values", ""),
        ("variables", &variables, "256 MiB of text", project.as_str()),
    ] {
        let mut files = MemoryFiles::default();
        files.add("big.md", prompt.as_bytes());
        files.add("tree.yaml", tree.as_bytes());
        if !project.is_empty() {
            files.add("reachform.yaml", project);
        }
        for key in 0..120 {
            files.add(format!("agents/{key}.yaml"), manifest(key, body));
        }
        let resolved = manifest::resolve(&files, None, &|_| None);
        let message = only_problem(&resolved, codes::PROJECT_TOO_LARGE);
        assert!(message.contains(much), "{name}: {message}");
        assert!(resolved.desired.len() < 120, "{name}");
    }
}

#[test]
fn a_large_repository_is_no_hostile_one() {
    let mut files = MemoryFiles::default();
    files.add("prompts/big.md", "x".repeat(1024 * 1024));
    for key in 0..100 {
        files.add(
            format!("agents/{key}.yaml"),
            format!(
                "key: a{key}\nname: A\nconfig: {{prompt: !file ../prompts/big.md, tools: [{}]}}\n",
                "1, ".repeat(1_000)
            ),
        );
    }
    let resolved = manifest::resolve(&files, None, &|_| None);
    assert!(resolved.diagnostics.is_empty(), "{:?}", resolved.diagnostics.iter().next());
    assert_eq!(resolved.desired.len(), 100);
}

#[test]
fn a_key_without_end_and_problems_without_end_are_refused() {
    let mut files = MemoryFiles::default();
    files.add("agents/a.yaml", format!("key: a\nname: A\nconfig:\n  ? {}\n  : [1, 2]\n", "k".repeat(2_000)));
    let resolved = manifest::resolve(&files, None, &|_| None);
    assert!(resolved.diagnostics.iter().any(|problem| problem.message == "a key of 2000 bytes"));

    let mut files = MemoryFiles::default();
    let fields: Vec<String> = (0..60_000).map(|field| format!("f{field}: 1\n")).collect();
    for key in 0..4 {
        files.add(format!("agents/{key}.yaml"), format!("key: a{key}\nname: A\n{}", fields.concat()));
    }
    let resolved = manifest::resolve(&files, None, &|_| None);
    assert_eq!(resolved.diagnostics.len(), 120_001);
    assert!(resolved.diagnostics.iter().any(|problem| problem.code == codes::TOO_MANY_PROBLEMS));
}
