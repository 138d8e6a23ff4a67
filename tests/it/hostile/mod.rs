//! Hostile input without a fuzzer: every seed of `fuzz/corpus` is replayed, bent in many ways, and joined by inputs made
//! from scratch. What each target holds against an input stands in `targets`, which the fuzz crate shares.
//!
//! `REACHFORM_CASES` says how many bent and how many new inputs each target gets. A case that fails is shrunk and printed;
//! saved as a file under `fuzz/corpus/TARGET/`, it is replayed for ever after.

mod bend;
mod generate;
mod targets;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reachform::diagnostics::SourceMap;
use reachform::render::json::plan_document;

use bend::{Edit, bend, edits};
use targets::{TARGETS, Target, Verdict};

/// Inputs of each kind and target where the environment says nothing: seconds for all of them.
const CASES: u32 = 48;

/// How many inputs of each kind a target gets.
pub fn cases() -> u32 {
    std::env::var("REACHFORM_CASES").map_or(CASES, |cases| cases.parse().expect("REACHFORM_CASES is a whole number"))
}

/// The runner of a property whose number of cases comes from the environment.
pub fn runner() -> TestRunner {
    TestRunner::new(Config { cases: cases(), failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() })
}

fn target(name: &str) -> Target {
    TARGETS.iter().find(|(target, _)| *target == name).expect("a target").1
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The seeds of a target by name, in order. Git ignores what a fuzzer adds, whose names are hashes without a dot.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| name.contains('.'))
        .collect();
    found.sort();
    found
}

/// Runs a target on an input; a panic becomes a failure that shows what was put in.
fn hold(target: Target, input: &[u8]) -> Result<Verdict, TestCaseError> {
    std::panic::catch_unwind(|| target(input)).map_err(|panic| {
        let why = panic.downcast_ref::<String>().cloned();
        let why = why.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        TestCaseError::fail(format!("{why}\n---- input: {}", input.escape_ascii()))
    })
}

#[test]
fn every_seed_holds_and_is_taken_for_what_its_name_says() {
    for (name, run) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 8, "{name} has {} seeds", seeds.len());
        let mut wrong = Vec::new();
        for (file, bytes) in &seeds {
            let wanted = if file.starts_with("ok-") { Verdict::Accepted } else { Verdict::Refused };
            match hold(run, bytes) {
                Ok(verdict) if verdict == wanted => {}
                Ok(verdict) => wrong.push(format!("{name}/{file}: {verdict:?}")),
                Err(error) => wrong.push(format!("{name}/{file}: {error}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn the_plan_among_the_seeds_is_the_one_that_is_planned() {
    let path = folder("plan_file").join("ok-reviewed.json");
    let planned = plan_document(targets::reviewed(), &SourceMap::default());
    if std::env::var_os("REACHFORM_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &planned).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == planned, "bless with REACHFORM_BLESS=1: {}", path.display());
}

/// Every seed of a target, bent.
fn bent_seeds_hold(name: &str) {
    let (run, seeds) = (target(name), seeds(name));
    let strategy = (any::<prop::sample::Index>(), edits());
    let all: Vec<&[u8]> = seeds.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let tested = runner().run(&strategy, |(seed, edits): (prop::sample::Index, Vec<Edit>)| {
        let bent = bend(all[seed.index(all.len())], &edits, &all);
        hold(run, &bent).map(|_| ())
    });
    tested.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Inputs made from scratch. Some of them must be accepted, or they would test the doorkeeper alone.
fn new_inputs_hold(name: &str, strategy: &(impl Strategy<Value = Vec<u8>> + 'static)) {
    let run = target(name);
    let accepted = std::cell::Cell::new(0_u32);
    let tested = runner().run(strategy, |input| {
        let verdict = hold(run, &input)?;
        accepted.set(accepted.get() + u32::from(verdict == Verdict::Accepted));
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(accepted.get() > 0 || cases() < CASES, "{name}: none of {} inputs was accepted", cases());
}

#[test]
fn bent_manifests_hold() {
    bent_seeds_hold("manifest");
}

#[test]
fn new_manifests_hold() {
    new_inputs_hold("manifest", &generate::manifests());
}

#[test]
fn bent_plan_files_hold() {
    bent_seeds_hold("plan_file");
}

#[test]
fn plan_files_whose_hashes_fit_hold() {
    let reviewed = plan_document(targets::reviewed(), &SourceMap::default());
    new_inputs_hold("plan_file", &generate::plan_files(&reviewed));
}

#[test]
fn bent_answers_hold() {
    bent_seeds_hold("answers");
}

#[test]
fn new_answers_hold() {
    new_inputs_hold("answers", &generate::answers());
}

#[test]
fn bent_schemas_hold() {
    bent_seeds_hold("schema");
}

#[test]
fn new_schemas_hold() {
    new_inputs_hold("schema", &generate::schemas());
}

#[test]
fn bent_texts_hold_in_a_comment() {
    bent_seeds_hold("render_markdown");
}

#[test]
fn new_texts_hold_in_a_comment() {
    new_inputs_hold("render_markdown", &generate::texts());
}

#[test]
fn bent_texts_hold_on_a_terminal() {
    bent_seeds_hold("render_text");
}

#[test]
fn new_texts_hold_on_a_terminal() {
    new_inputs_hold("render_text", &generate::texts());
}

#[test]
fn an_input_is_put_together_as_it_was_taken_apart() {
    for (name, _) in TARGETS {
        for (file, bytes) in seeds(name) {
            let sections = targets::split(&bytes);
            assert_eq!(targets::split(&targets::join(&sections)).len(), sections.len(), "{name}/{file}");
        }
    }
}
