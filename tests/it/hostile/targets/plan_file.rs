//! Plan files: what `show` renders, and what `apply PLAN` compares a plan of its own with.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use reachform::diagnostics::SourceMap;
use reachform::manifest::{MemoryFiles, resolve};
use reachform::model::{LiveNumber, LiveState, PhoneNumber};
use reachform::plan::{Approval, Inputs, Options, Plan, Refusal, Source, Target, approve, build, saved};
use reachform::render::json::{plan_document, read_plan, read_saved};
use reachform::render::markdown::{CommentContext, plan_comment};
use reachform::render::style::Detail;
use reachform::render::text::{TextOptions, plan_text};
use serde_json::Value;

use super::{Verdict, assert_printable, sandbox_schema};
use crate::render::markdown;

/// The plan that is held against every file: two agents to create, one of them with numbers.
pub fn reviewed() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let config = "config:\n  agent:\n    type: static_prompt\n    instructions: Answer the telephone.\n    \
                      starting_message: {type: bot_initiates_static, text: Hello}\n    tools: []\n    stack:\n      \
                      type: stt_llm_tts\n      turn_detection: {models: [{provider: livekit, model: {name: multilingual}}]}\n      \
                      stt: {models: [{provider: deepgram, model: {name: nova-3-general}}]}\n      \
                      llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.4}}}]}\n      \
                      tts: {models: [{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}]}\n";
        let mut files = MemoryFiles::default();
        files.add("agents/a.yaml", format!("key: a\nname: Agent a\n{config}phone_numbers: {{inbound: ['+15550100000']}}\n"));
        files.add("agents/b.yaml", format!("key: b\nname: Agent b\n{config}metadata: {{team: x, crm_token: !secret CRM}}\n"));
        let resolved = resolve(&files, None, &|_| Some("a-secret-of-the-test".to_owned()));
        let mut live = LiveState::default();
        let number = PhoneNumber::parse("+15550100000").unwrap();
        live.numbers.insert(number.clone(), LiveNumber { number, inbound: None, outbound: None, modified_by: None, updated_at: None });
        let target = Target {
            host: "test".to_owned(),
            declared_organization: None,
            organization: None,
            environment: resolved.project.environment.clone(),
            project: resolved.project.name.clone(),
        };
        let (source, options) = (Source::default(), Options::default());
        let inputs =
            Inputs { desired: &resolved.desired, live: &live, target: &target, source: &source, options: &options };
        let plan = build(&inputs, sandbox_schema());
        assert!(plan.is_applyable() && plan.changes.len() == 2, "{:#?}", plan.diagnostics);
        plan
    })
}

fn resealed(text: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    if document.is_object() {
        document[saved::DOCUMENT_DIGEST] = Value::from(saved::document_digest(&document).as_str());
    }
    document.to_string()
}

/// A plan file as bytes.
pub fn plan_file(input: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(input) else { return Verdict::Refused };
    // The digest over the whole document would stop nearly every bent one at the door, and whoever bends a file on
    // purpose can write a new digest into it.
    let _as_it_came = read_saved(text);
    let resealed = resealed(text);
    let text = resealed.as_str();
    let saved = read_saved(text);
    match &saved {
        Ok(saved) => check_approval(saved),
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() < 10_000 + text.len(), "{words}");
        }
    }
    // What `show` does: it also shows a plan that could not be applied.
    if !matches!(saved, Ok(_) | Err(saved::SavedPlanError::NotApplyable)) {
        return Verdict::Refused;
    }
    let document: Value = serde_json::from_str(text).unwrap();
    let Some(plan) = read_plan(&document) else { return Verdict::Refused };
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        assert_printable("the plan", &plan_text(&plan, &TextOptions { detail, ..TextOptions::default() }));
    }
    let comment = plan_comment(&plan, &SourceMap::default(), &CommentContext::default());
    assert_printable("the comment", &comment.text);
    markdown::check(&comment.text);
    // What was read is written the same for ever after: nothing is lost or made up on the way.
    let written = plan_document(&plan, &SourceMap::default());
    assert_printable("the document", &written);
    let read = read_plan(&serde_json::from_str(&written).unwrap()).expect("what is written can be read");
    assert_eq!(written, plan_document(&read, &SourceMap::default()));
    Verdict::of(saved.is_ok())
}

/// A file approves what it holds and nothing else, and puts nothing of its own into the plan.
fn check_approval(saved: &saved::SavedPlan) {
    let plan = reviewed();
    let held: BTreeSet<&str> = saved.changes.values().map(|change| change.change_hash.as_str()).collect();
    let planned: BTreeSet<&str> = plan.changes.iter().map(|change| change.change_hash.as_str()).collect();
    match approve(plan.clone(), &Approval::File(saved)) {
        Ok(approved) => {
            assert!(planned.is_subset(&held), "approved what the file does not hold");
            assert_eq!(saved.target, plan.target, "approved for another target");
            assert_eq!(format!("{:?}", approved.plan()), format!("{plan:?}"), "something was taken from the file");
            assert!(approved.binds_the_whole());
        }
        Err(refusal) => {
            let Refusal::AnotherPlan(lines) = refusal else { panic!("refused for another reason: {refusal:?}") };
            assert!(!lines.is_empty());
            assert!(
                planned != held
                    || saved.target != plan.target
                    || saved.changes.len() != plan.changes.len()
                    || saved
                        .changes
                        .keys()
                        .zip(&plan.changes)
                        .any(|(address, change)| *address != change.address.to_string()),
                "refused the very plan that was reviewed: {lines:?}"
            );
        }
    }
}
