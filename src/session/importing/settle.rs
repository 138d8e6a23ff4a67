//! One manifest by itself: read back, compared with what it is to say, and checked against the schema. What does not
//! survive in one form is tried in another, and left out in the end.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diagnostics::{Severity, Span};
use crate::manifest::compose::{self, Entry, Piece};
use crate::manifest::{MemoryFiles, Resolved, resolve};
use crate::model::value::same;
use crate::model::{Desired, FieldPath};
use crate::plan::compare::changed_leaves;
use crate::schema::{Leniency, Places, check_declared};

use super::World;
use super::choose::Candidate;
use super::declare::{Draft, Fix, Fixes, declare};
use super::secrets::Names;

/// How often a manifest is written anew before its agent is given up.
const ROUNDS: usize = 100;

/// Deepest path that is declared: beyond it, what a person reads is no manifest any more, and YAML is refused soon after.
const DEEPEST: usize = 48;

/// A manifest that reads back as it is to.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub candidate: Candidate,
    pub draft: Draft,
    /// The manifest and its texts, by name.
    pub files: BTreeMap<String, String>,
    pub fixes: Fixes,
}

/// Settles one agent, beginning with what is known to be needed.
pub(super) fn settle(
    world: &World<'_>,
    candidate: &Candidate,
    mut fixes: Fixes,
    names: &mut Names,
) -> Result<Settled, String> {
    let mut last = String::new();
    for _ in 0..ROUNDS {
        let draft = declare(world, candidate, &fixes, names)?;
        let files = files(candidate, &draft.entries);
        let wrong = wrong(world, candidate, &draft, &files);
        let Some(first) = wrong.first() else {
            return Ok(Settled { candidate: candidate.clone(), draft, files, fixes });
        };
        last.clone_from(&first.reason);
        if wrong.iter().any(|wrong| wrong.path == FieldPath::root()) {
            break;
        }
        // One step for each value, however much is wrong with it.
        let mut steps: BTreeMap<FieldPath, Wrong> = BTreeMap::new();
        for wrong in wrong {
            let owner = owner(&draft.expected, &wrong.path);
            let path = FieldPath::of(owner.steps().iter().take(DEEPEST).cloned());
            steps.entry(path).or_insert(wrong);
        }
        for (path, wrong) in steps {
            mend(&mut fixes, &draft, path, wrong)?;
        }
    }
    Err(last)
}

/// What does not survive.
struct Wrong {
    /// Where; the root for what concerns the whole.
    path: FieldPath,
    reason: String,
    /// Whether it could be another thing in another form.
    by_form: bool,
}

/// Tries the next form of what stands at a path.
fn mend(fixes: &mut Fixes, draft: &Draft, path: FieldPath, wrong: Wrong) -> Result<(), String> {
    let has_text = wrong.by_form && path.get(&draft.expected).is_some_and(holds_text);
    let next = match fixes.get(&path) {
        Some(Fix::Out(_)) => return Err(wrong.reason),
        None if has_text => Fix::Inline,
        Some(Fix::Inline) if has_text => Fix::Quoted,
        None | Some(Fix::Inline | Fix::Quoted) => Fix::Out(wrong.reason),
    };
    put(fixes, path, next)
}

/// Leaves a path out. The name, the key and the config as a whole cannot be.
pub(super) fn put(fixes: &mut Fixes, path: FieldPath, fix: Fix) -> Result<(), String> {
    let is_whole = path.steps().len() < 2 && path != FieldPath::of(["description"]);
    match fix {
        Fix::Out(reason) if is_whole => Err(reason),
        fix => {
            fixes.insert(path, fix);
            Ok(())
        }
    }
}

/// What owns the value at a path: the list that it is in, else itself.
pub(super) fn owner(document: &Value, path: &FieldPath) -> FieldPath {
    let mut at = document;
    for (index, step) in path.steps().iter().enumerate() {
        match at {
            Value::Array(_) => return FieldPath::of(path.steps().iter().take(index).cloned()),
            Value::Object(map) => match map.get(step) {
                Some(child) => at = child,
                None => return path.clone(),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return path.clone(),
        }
    }
    path.clone()
}

fn holds_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().any(holds_text),
        Value::Object(map) => map.values().any(holds_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn files(candidate: &Candidate, entries: &[Entry]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::from([(candidate.file.clone(), compose::manifest(entries))]);
    let whole = Piece::Map(entries.to_vec());
    let mut texts = Vec::new();
    whole.files(&mut texts);
    for (path, text) in texts {
        let name = crate::manifest::files::normalize(&crate::manifest::files::beside(&candidate.file, path));
        out.extend(name.map(|name| (name, text.to_owned())));
    }
    out
}

/// All that does not survive.
fn wrong(world: &World<'_>, candidate: &Candidate, draft: &Draft, files: &BTreeMap<String, String>) -> Vec<Wrong> {
    let resolved = read(candidate, files);
    let problem = first_error(&resolved);
    let found = resolved.desired.first().filter(|desired| desired.key == candidate.key);
    let (None, Some(desired)) = (&problem, found) else {
        let singly: Vec<Wrong> =
            leaves(draft).into_iter().filter_map(|(path, piece)| alone(candidate, &path, piece)).collect();
        if singly.is_empty() {
            let reason = problem.unwrap_or_else(|| "its manifest cannot be read back".to_owned());
            return vec![Wrong { path: FieldPath::root(), reason, by_form: false }];
        }
        return singly;
    };
    let differing = differing(draft, desired);
    if !differing.is_empty() {
        return differing;
    }
    by_schema(world, desired)
}

/// What is read back otherwise than it was meant.
fn differing(draft: &Draft, desired: &Desired) -> Vec<Wrong> {
    const CHANGED: &str = "it does not survive being written to a file and read back";
    let tree = desired.declared.tree();
    let changed = |path| Wrong { path, reason: CHANGED.to_owned(), by_form: true };
    let mut out: Vec<Wrong> = Vec::new();
    for field in ["name", "description", "metadata", "config"] {
        let path = FieldPath::of([field]);
        let (wanted, found) = (path.get(&draft.expected), path.get(tree));
        match (wanted, found) {
            (Some(wanted), Some(found)) => {
                out.extend(changed_leaves(Some(wanted), found, &path).into_iter().map(|(path, ..)| changed(path)));
                // An empty object that stands beside others shows in no leaf.
                if out.is_empty() && !same(wanted, found) {
                    out.push(changed(path));
                }
            }
            (None, None) => {}
            _ => out.push(changed(path)),
        }
    }
    out
}

/// What the schema refuses although it is live: `validate` knows nothing of what is live.
fn by_schema(world: &World<'_>, desired: &Desired) -> Vec<Wrong> {
    let found = check_declared(desired, &world.service.schema, &NoPlaces, Leniency::Strict);
    let errors = found.iter().filter(|problem| problem.severity == Severity::Error);
    let wrong = errors.filter_map(|problem| {
        let path = problem.label.as_deref().and_then(FieldPath::parse)?;
        let path = nearest(desired.declared.tree(), &path);
        let reason = format!("the schema of the service refuses it ({})", problem.message);
        Some(Wrong { path, reason, by_form: false })
    });
    wrong.collect()
}

/// The path itself, or what above it is there.
fn nearest(tree: &Value, path: &FieldPath) -> FieldPath {
    let above = std::iter::successors(Some(path.clone()), FieldPath::parent);
    above.into_iter().find(|at| at.get(tree).is_some()).unwrap_or_default()
}

struct NoPlaces;

impl Places for NoPlaces {
    fn value(&self, _path: &FieldPath) -> Option<Span> {
        None
    }

    fn key(&self, _path: &FieldPath) -> Option<Span> {
        None
    }
}

fn read(candidate: &Candidate, files: &BTreeMap<String, String>) -> Resolved {
    let mut memory = MemoryFiles::default();
    // By itself it is in no environment, and no project says where manifests are.
    for (name, text) in files {
        memory.add(name.clone(), text.clone().into_bytes());
    }
    let folder = candidate.file.rsplit_once('/').map_or("", |(folder, _)| folder);
    if folder != "agents" {
        let place = if folder.is_empty() { candidate.file.as_str() } else { folder };
        memory
            .add("reachform.yaml", format!("version: 1\nproject: x\nagents: [{}]\n", Value::from(place)).into_bytes());
    }
    resolve(&memory, None, &|_| None)
}

fn first_error(resolved: &Resolved) -> Option<String> {
    let errors = resolved.diagnostics.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.message.clone()).next()
}

/// Every value that stands by itself in a manifest, with its path.
fn leaves(draft: &Draft) -> Vec<(FieldPath, &Piece)> {
    fn find<'p>(path: &FieldPath, entries: &'p [Entry], out: &mut Vec<(FieldPath, &'p Piece)>) {
        for entry in entries {
            let Entry::Field(name, piece) = entry else { continue };
            let at = path.child(name);
            match piece {
                Piece::Map(entries) if entries.iter().any(|entry| matches!(entry, Entry::Field(..))) => {
                    find(&at, entries, out);
                }
                _ => out.push((at, piece)),
            }
        }
    }
    let mut out = Vec::new();
    find(&FieldPath::root(), &draft.entries, &mut out);
    let is_content = |path: &FieldPath| {
        path.steps()
            .first()
            .is_some_and(|field| ["name", "description", "metadata", "config"].contains(&field.as_str()))
    };
    out.retain(|(path, _)| is_content(path));
    out
}

/// What is wrong with a value in a manifest that holds nothing else.
fn alone(candidate: &Candidate, path: &FieldPath, piece: &Piece) -> Option<Wrong> {
    let nested = path
        .steps()
        .iter()
        .rev()
        .fold(piece.clone(), |piece, step| Piece::Map(vec![Entry::Field(step.clone(), piece)]));
    let Piece::Map(mut entries) = nested else { return None };
    let text = |text: &str| Piece::Text(text.to_owned(), compose::TextForm::Laid);
    entries.insert(0, Entry::Field("key".to_owned(), text(candidate.key.as_str())));
    if path.steps().first().is_some_and(|field| field != "name") {
        entries.insert(1, Entry::Field("name".to_owned(), text("x")));
    }
    let resolved = read(candidate, &files(candidate, &entries));
    let found = resolved.desired.first().and_then(|desired| path.get(desired.declared.tree()));
    let reason = first_error(&resolved)
        .or_else(|| (found != Some(&piece.value())).then(|| "it cannot be written in YAML".to_owned()))?;
    Some(Wrong { path: path.clone(), reason, by_form: true })
}
