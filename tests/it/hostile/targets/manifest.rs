//! Manifests: YAML, tags, files in files, environments and the project file, up to a plan on an empty service.

use std::collections::BTreeSet;

use reachform::diagnostics::worst::KEPT;
use reachform::diagnostics::{Diagnostic, Place, SourceMap, Span};
use reachform::manifest::tree::{MAX_BYTES, MAX_NODES};
use reachform::manifest::{MemoryFiles, Resolved, resolve};
use reachform::model::{LiveNumber, LiveState, PhoneNumber};
use reachform::plan::{Inputs, Options, Plan, Source, Target, build};
use reachform::render::diagnostics::{TextOptions as ProblemOptions, text};
use reachform::render::json::{plan_document, validation_document};
use reachform::render::markdown::{CommentContext, plan_comment};
use reachform::render::text::{TextOptions, plan_text};
use reachform::schema::Leniency;
use reachform::session::check;
use serde_json::Value;

use super::{Verdict, assert_printable, assert_printable_in_colour, bundle, sandbox_schema};

/// The value of every `!secret`, but of those whose name begins with `MISSING`.
const PLANTED: &str = "planted-8c41f07e5d";

/// The integers that every reader of JSON reads the same.
const EXACT: u64 = 1 << 53;

/// A section with this head names the environment; all others are files.
const ENVIRONMENT: &str = "environment ";

/// A project as sections, each a file by its path; a text without sections is `agents/a.yaml`.
pub fn manifest(input: &[u8]) -> Verdict {
    let mut files = MemoryFiles::default();
    let mut environment = None;
    for section in bundle::split(input) {
        match section.head.strip_prefix(ENVIRONMENT) {
            Some(name) => environment = Some(name.to_owned()),
            None if section.head.is_empty() => files.add("agents/a.yaml", section.body),
            None => files.add(section.head, section.body),
        }
    }
    let secret = |name: &str| (!name.starts_with("MISSING")).then(|| PLANTED.to_owned());
    let read = || resolve(&files, environment.as_deref(), &secret);
    let resolved = read();
    let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
    let again = read();
    assert_eq!(problems, again.diagnostics.clone().sorted(&again.sources), "the same files, other problems");
    assert_eq!(format!("{:?}", resolved.desired), format!("{:?}", again.desired), "the same files, other wishes");

    check_problems(&problems, &resolved.sources);
    check_wishes(&resolved);
    let faults = check(&resolved, sandbox_schema(), Leniency::Strict).sorted(&resolved.sources);
    check_problems(&faults, &resolved.sources);

    let accepted = !resolved.diagnostics.has_errors();
    let mut shown = vec![format!("{resolved:?}")];
    if accepted {
        let first = plan_of(&resolved);
        shown.extend([format!("{first:?}"), plan_text(&first, &TextOptions::default())]);
        assert_printable("the plan", &shown[2]);
        shown.push(plan_comment(&first, &resolved.sources, &CommentContext::default()).text);
        shown.push(plan_document(&first, &resolved.sources));
        assert_eq!(shown[4], plan_document(&plan_of(&again), &again.sources), "the same files, another plan");
    }
    shown.extend([problems, faults].iter().map(|list| text(list, &resolved.sources, ProblemOptions::default())));
    if !input.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes()) {
        for text in shown {
            assert!(!text.contains(PLANTED), "a secret is shown:\n{text}");
        }
    }
    Verdict::of(accepted)
}

/// Problems point into their texts and are printed whole, in every style.
fn check_problems(problems: &[Diagnostic], sources: &SourceMap) {
    for problem in problems {
        let place = match &problem.place {
            Some(Place::Span(span)) => Some(span),
            _ => None,
        };
        let fix = problem.fix.as_ref().map(|fix| &fix.span);
        for Span { file, start, end } in
            place.into_iter().chain(fix).chain(problem.others.iter().map(|label| &label.span))
        {
            let text = sources.text(*file);
            assert!(
                text.get(*start..*end).is_some(),
                "{start}..{end} is no range of a text of {}: {problem:?}",
                text.len()
            );
        }
        assert!(
            problem.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{}",
            problem.code
        );
        assert!(!problem.message.is_empty(), "{problem:?}");
    }
    for width in [40, 120] {
        let plain = ProblemOptions { color: false, unicode: false, width };
        assert_printable("a problem", &text(problems, sources, plain));
        let coloured = ProblemOptions { color: true, unicode: true, width };
        assert_printable_in_colour("a coloured problem", &text(problems, sources, coloured));
    }
    let document = validation_document("default", 1, None, problems, sources);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(problems.len().min(KEPT)));
}

/// What is wanted is bounded, keyed, and holds no number that another program would read as another one.
fn check_wishes(resolved: &Resolved) {
    let mut keys = BTreeSet::new();
    for desired in &resolved.desired {
        assert!(keys.insert(&desired.key) || resolved.diagnostics.has_errors(), "two manifests of {}", desired.key);
        assert!(resolved.locations.contains_key(&desired.key));
        let tree = desired.declared.tree();
        let mut nodes = 0;
        walk(tree, 0, &mut nodes, resolved.diagnostics.has_errors());
        assert!(nodes <= MAX_NODES, "{nodes} values");
        // A character takes up to six bytes in JSON.
        assert!(tree.to_string().len() <= 6 * MAX_BYTES + 16 * MAX_NODES, "a tree out of all proportion");
    }
}

/// Deeper than the YAML itself may be, for files are pulled in and structures merged; far from what overflows a stack.
const DEEPEST: usize = 200;

fn walk(value: &Value, depth: usize, nodes: &mut usize, is_refused: bool) {
    *nodes += 1;
    assert!(depth < DEEPEST, "nested too deep");
    match value {
        Value::Number(number) if number.is_f64() => assert!(number.as_f64().is_some_and(f64::is_finite)),
        Value::Number(number) => {
            let exact = number.as_i64().map_or(number.as_u64(), |number| Some(number.unsigned_abs()));
            assert!(is_refused || exact.is_some_and(|size| size <= EXACT), "{number} is not exact everywhere");
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, depth + 1, nodes, is_refused)),
        Value::Object(map) => map.values().for_each(|value| walk(value, depth + 1, nodes, is_refused)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The plan on a service that holds ten numbers and no agent.
fn plan_of(resolved: &Resolved) -> Plan {
    let mut live = LiveState::default();
    for n in 0..10 {
        let number = PhoneNumber::parse(&format!("+1555010000{n}")).unwrap();
        live.numbers.insert(
            number.clone(),
            LiveNumber { number, inbound: None, outbound: None, modified_by: None, updated_at: None },
        );
    }
    let target = Target {
        host: "test".to_owned(),
        declared_organization: None,
        organization: None,
        environment: resolved.project.environment.clone(),
        project: resolved.project.name.clone(),
    };
    let options = Options { has_project: resolved.project.has_project, ..Options::default() };
    let source = Source::default();
    let inputs =
        Inputs { desired: &resolved.desired, live: &live, target: &target, source: &source, options: &options };
    build(&inputs, sandbox_schema())
}
