//! Whose mistake is an error of this run: what the schema says of the manifests, weighed by what the plan does.
//!
//! A mistake stops a run only if the run would write it. An agent that nothing changes, one that is left out, and a value
//! that is live as it is are no reason to refuse a fix of something else.

use crate::diagnostics::{Diagnostic, Place, Severity, Span};
use crate::manifest::Resolved;
use crate::model::value::same;
use crate::model::{FieldPath, Key, LiveState, Origin};
use crate::plan::{Options, Plan};

/// Problems of the schema check, each with the key of its manifest.
pub(super) type Found = Vec<(Key, Diagnostic)>;

/// Makes warnings of errors that the plan does not bring about, and takes out of the plan what the check of the manifests
/// explains at its place.
pub(super) fn weigh(found: &mut Found, plan: &mut Plan, live: &LiveState, resolved: &Resolved, options: &Options) {
    for (key, problem) in found.iter_mut().filter(|(_, problem)| problem.severity == Severity::Error) {
        let path = problem.label.as_deref().and_then(FieldPath::parse);
        let why = if !options.is_wanted(key) {
            Some(LEFT_OUT)
        } else if plan.unchanged.iter().any(|unchanged| unchanged.key == *key) {
            Some("nothing of this agent changes, so nothing of it is refused")
        } else if path
            .as_ref()
            .is_some_and(|path| !refuses(plan, key, path) && is_live(plan, live, resolved, key, path))
        {
            Some("the live version has this value too, so the service accepted it")
        } else {
            None
        };
        if let Some(why) = why {
            problem.severity = Severity::Warning;
            problem.hints.push(why.to_owned());
        }
    }
    plan.diagnostics.retain(|problem| {
        let Some(Place::Field { address, path }) = &problem.place else { return true };
        let is_schema = matches!(problem.code, "invalid-config" | "invalid-as-live");
        let path = path.to_string();
        !(is_schema && found.iter().any(|(key, found)| *key == address.0 && found.label.as_deref() == Some(&path)))
    });
}

const LEFT_OUT: &str = "this agent is left out of this run";

fn refuses(plan: &Plan, key: &Key, path: &FieldPath) -> bool {
    plan.diagnostics.iter().any(|problem| {
        problem.severity == Severity::Error
            && matches!(&problem.place, Some(Place::Field { address, path: at }) if address.0 == *key && at == path)
    })
}

fn is_live(plan: &Plan, live: &LiveState, resolved: &Resolved, key: &Key, path: &FieldPath) -> bool {
    let id = plan.changes.iter().find(|change| change.key == *key).and_then(|change| change.agent_id.as_ref());
    let config = id.and_then(|id| live.agents.get(id)).and_then(|agent| agent.live_config());
    let desired = resolved.desired.iter().find(|desired| desired.key == *key);
    let (Some(config), Some(desired), Some(inner)) = (config, desired, path.within_config()) else { return false };
    match (inner.get(&config.config), path.get(desired.declared.tree())) {
        (Some(live), Some(declared)) => same(live, declared),
        _ => false,
    }
}

/// Makes warnings of the mistakes in manifests that a run leaves out. A text that could not be parsed stays an error, for
/// nobody knows which agents and numbers it holds, and so does a contradiction with a manifest that is not left out.
pub fn leave_out(resolved: &mut Resolved, options: &Options) {
    if !options.is_targeted() {
        return;
    }
    let sources = &resolved.sources;
    let starts = starts(resolved);
    let is_left_out = |file: &str, line: usize| owner(&starts, file, line).is_some_and(|key| !options.is_wanted(key));
    let at = |span: &Span| is_left_out(sources.name(span.file), sources.position(span.file, span.start).line);
    for problem in resolved.diagnostics.iter_mut() {
        let here = match &problem.place {
            Some(Place::Span(span)) => at(span),
            Some(Place::Line(Origin { file, line })) => is_left_out(file, *line),
            Some(Place::Agent(address) | Place::Field { address, .. }) => !options.is_wanted(&address.0),
            Some(Place::File(_) | Place::Request(_)) | None => false,
        };
        let is_parsed = !crate::manifest::codes::UNPARSED.contains(&problem.code);
        if problem.severity == Severity::Error
            && here
            && is_parsed
            && problem.others.iter().all(|label| at(&label.span))
        {
            problem.severity = Severity::Warning;
            problem.hints.push(LEFT_OUT.to_owned());
        }
    }
}

/// In which file, and from which line on, a manifest is that of a key.
type Start = (String, usize, Key);

/// Where each manifest begins: those that are used, and the second ones of a key, which are not.
fn starts(resolved: &Resolved) -> Vec<Start> {
    let sources = &resolved.sources;
    let mut starts: Vec<Start> = resolved
        .desired
        .iter()
        .map(|desired| (desired.origin.file.clone(), desired.origin.line, desired.key.clone()))
        .collect();
    let line = |span: &Span| (sources.name(span.file), sources.position(span.file, span.start).line);
    let seconds = resolved.diagnostics.iter().filter(|problem| problem.code == crate::manifest::codes::DUPLICATE_KEY);
    let seconds: Vec<Start> = seconds
        .filter_map(|problem| {
            let (Some(Place::Span(second)), Some(first)) = (&problem.place, problem.others.first()) else {
                return None;
            };
            let (file, at) = line(&first.span);
            let key = owner(&starts, file, at)?.clone();
            let (file, at) = line(second);
            Some((file.to_owned(), at, key))
        })
        .collect();
    starts.extend(seconds);
    starts
}

/// The manifest that a line of a file belongs to.
fn owner<'d>(starts: &'d [Start], file: &str, line: usize) -> Option<&'d Key> {
    let here = starts.iter().filter(|(in_file, from, _)| in_file == file && *from <= line);
    here.max_by_key(|(_, from, _)| *from).map(|(_, _, key)| key)
}
