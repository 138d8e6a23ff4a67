//! Values written into manifests and the files that they bring in, everything else kept byte by byte: comments, order,
//! quotes, layout.
//!
//! The tree of a manifest knows, after files, merges and patches, in which file each value was written; that place is
//! edited. Whether the outcome means what it shall is not judged here: whoever asks resolves the files again and looks.

mod change;
mod place;
mod splice;
pub(super) mod write;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::files::{Files, beside};
use super::resolve::{Opened, open};
use super::tree::{Kind, Node};
use super::yaml;
use crate::diagnostics::{Diagnostics, FileId, SourceMap};
use crate::model::{FieldPath, Key};

use change::Change;
use splice::Draft;

/// What the schema knows of values.
pub trait Judge {
    /// Whether a declared value means what is live.
    fn same(&self, path: &FieldPath, declared: &Value, live: &Value) -> bool;
    /// Whether a value may stand in no file.
    fn is_secret(&self, path: &FieldPath, value: &Value) -> bool;
}

/// Why a value cannot be written where it was declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The manifest, or the value in it, was not found.
    #[error("it was not found in the manifest")]
    NotFound,
    /// A tag stands there whose value comes from elsewhere.
    #[error("the value comes from `!{0}`, so the manifest does not hold it")]
    Tag(String),
    /// The value would have to be written whole, and a tag inside it would be lost.
    #[error("`!{0}` inside it would be lost")]
    TagInside(String),
    /// The live value is a secret, or holds one.
    #[error("it is a secret, or holds one, which must not be written to a file: write it as `!secret NAME`")]
    Secret,
    /// The text is laid out in a way that is not edited.
    #[error("the YAML there has a layout that cannot be edited automatically")]
    Layout,
    /// A file could not be read.
    #[error("`{0}` cannot be read")]
    Unreadable(String),
    /// A patch of an environment cannot say it.
    #[error("a patch of an environment cannot hold a null")]
    NullInPatch,
}

/// A value that a manifest shall declare.
#[derive(Clone, Copy, Debug)]
pub struct Want<'w> {
    /// The manifest.
    pub key: &'w Key,
    /// The file in which it stands.
    pub file: &'w str,
    /// Where, from the manifest's root.
    pub path: &'w FieldPath,
    /// What is declared now, secrets in clear; `None` for what only the file tells, as of phone numbers.
    pub declared: Option<&'w Value>,
    /// What shall be declared; nothing takes the path out.
    pub live: Option<&'w Value>,
}

/// Where a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Where it was declared.
    InPlace,
    /// In the manifest's patch of the environment.
    Patch,
    /// Likewise, also over what a tag brings in: here, the environment no longer follows it.
    PatchOver,
}

/// The files that differ once a value is written, by name, with their new texts.
pub fn write(
    files: &dyn Files,
    environment: Option<&str>,
    want: &Want<'_>,
    placement: Placement,
    judge: &dyn Judge,
) -> Result<BTreeMap<String, String>, Unfit> {
    let opened = open(files, environment, want.file, want.key).ok_or(Unfit::NotFound)?;
    if let Some(live) = want.live {
        // Inside a list a secret may be beside what changed: in place, it is refused where it would be written.
        if placement != Placement::InPlace || !live.is_array() {
            refuse_secrets(want.path, live, judge)?;
        }
    }
    match placement {
        Placement::InPlace => Change::new(files, &opened, judge).write(want),
        Placement::Patch => patch(&opened, want, false),
        Placement::PatchOver => patch(&opened, want, true),
    }
}

/// The text of a file in which a manifest no longer says that it does not count in an environment. Nothing if it never
/// said so.
pub fn admit(files: &dyn Files, environment: &str, file: &str, key: &Key) -> Option<String> {
    let text = String::from_utf8(files.read(file, usize::MAX).ok()?).ok()?;
    let mut sources = SourceMap::default();
    let id = sources.add(file, text.clone());
    let documents = yaml::parse(id, &text, &mut Diagnostics::new());
    let is_it =
        |node: &Node| matches!(node.get("key").map(|key| &key.kind), Some(Kind::Text(text)) if text == key.as_str());
    let root = documents.into_iter().map(|document| document.root).find(is_it)?;
    let at = place::entries(&root).iter().position(|entry| entry.key == "environments")?;
    let patches = &place::entries(&root).get(at)?.value;
    let is_said = |entry: &super::tree::Entry| entry.key == environment && entry.value.kind == Kind::Bool(false);
    let index = place::entries(patches).iter().position(is_said)?;
    let mut draft = Draft::new(file, &text);
    let removed = match place::entries(patches) {
        [_] => draft.remove_entry(&root, at),
        _ => draft.remove_entry(patches, index),
    };
    removed.ok()?;
    draft.finish()
}

/// The list that a manifest holds at a path, in the order in which it was written.
pub fn listed(files: &dyn Files, environment: Option<&str>, file: &str, key: &Key, path: &FieldPath) -> Option<Value> {
    let opened = open(files, environment, file, key)?;
    find(&opened.root, path).map(|node| super::lower::into_value(node.clone()))
}

fn refuse_secrets(path: &FieldPath, live: &Value, judge: &dyn Judge) -> Result<(), Unfit> {
    if judge.is_secret(path, live) {
        return Err(Unfit::Secret);
    }
    match live {
        Value::Object(map) => map.iter().try_for_each(|(key, value)| refuse_secrets(&path.child(key), value, judge)),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(index, value)| refuse_secrets(&path.index(index), value, judge))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Writes a value into the patch of the environment.
fn patch(opened: &Opened, want: &Want<'_>, over_tags: bool) -> Result<BTreeMap<String, String>, Unfit> {
    let value = match want.live {
        None => Value::Null,
        Some(live) if holds_null(live) => return Err(Unfit::NullInPatch),
        Some(live) => live.clone(),
    };
    let tag = find(&opened.root, want.path).and_then(|node| tag_inside(opened.sources.text(node.span.file), node));
    if let Some(tag) = tag.filter(|_| !over_tags) {
        return Err(Unfit::TagInside(tag));
    }
    let mut steps = vec!["environments".to_owned(), opened.environment.clone()];
    steps.extend(want.path.steps().iter().cloned());
    let file = opened.raw.span.file;
    let mut draft = Draft::new(opened.sources.name(file), opened.sources.text(file));
    let mut at = &opened.raw;
    for (depth, step) in steps.iter().enumerate() {
        if at.tag.is_some() {
            return Err(Unfit::Tag(at.tag_name().unwrap_or_default().to_owned()));
        }
        let rest = steps.get(depth + 1..).unwrap_or_default();
        let all = place::entries(at);
        let Some(index) = all.iter().position(|entry| entry.key == *step) else {
            draft.add_entry(at, step, &nested(rest, value))?;
            return finish(draft, opened, file);
        };
        let below = all.get(index).map(|entry| &entry.value).ok_or(Unfit::Layout)?;
        let goes_on = matches!(&below.kind, Kind::Map(entries) if !entries.is_empty()) && !rest.is_empty();
        if !goes_on {
            if below.tag.is_some() {
                return Err(Unfit::Tag(below.tag_name().unwrap_or_default().to_owned()));
            }
            draft.replace_entry(at, index, &nested(rest, value))?;
            return finish(draft, opened, file);
        }
        at = below;
    }
    Err(Unfit::Layout)
}

fn nested(steps: &[String], value: Value) -> Value {
    steps.iter().rev().fold(value, |inner, step| Value::Object(Map::from_iter([(step.clone(), inner)])))
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(holds_null),
        // A list replaces a list whole, so what is in it is no patch.
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    }
}

fn finish(draft: Draft<'_>, opened: &Opened, file: FileId) -> Result<BTreeMap<String, String>, Unfit> {
    let name = opened.sources.name(file).to_owned();
    Ok(BTreeMap::from([(name, draft.finish().ok_or(Unfit::Layout)?)]))
}

/// The node at a path.
fn find<'n>(root: &'n Node, path: &FieldPath) -> Option<&'n Node> {
    path.steps().iter().try_fold(root, |at, step| match &at.kind {
        Kind::Map(entries) => entries.iter().find(|entry| entry.key == *step).map(|entry| &entry.value),
        Kind::List(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The first tag at or below a value: what would be lost if the value were written anew.
fn tag_inside(text: &str, node: &Node) -> Option<String> {
    if let Some(name) = node.tag_name() {
        return Some(name.to_owned());
    }
    if is_file_text(text, node) {
        return Some("file".to_owned());
    }
    match &node.kind {
        Kind::List(items) => items.iter().find_map(|item| tag_inside(text, item)),
        Kind::Map(entries) => entries.iter().find_map(|entry| tag_inside(text, &entry.value)),
        _ => None,
    }
}

/// Whether a text came from a file: it stands where the file is named.
fn is_file_text(text: &str, node: &Node) -> bool {
    matches!(node.kind, Kind::Text(_)) && text.get(node.span.start..).is_some_and(|rest| rest.starts_with("!file"))
}

/// The name of the file behind a text, and its bytes as they are.
fn file_behind(files: &dyn Files, sources: &SourceMap, node: &Node) -> Option<String> {
    let written = sources.text(node.span.file).get(node.span.start..node.span.end)?.strip_prefix("!file")?;
    let mut own = SourceMap::default();
    let file = own.add("path", written);
    let mut problems = Diagnostics::new();
    let document = yaml::parse(file, written, &mut problems).pop()?;
    let Kind::Text(path) = document.root.kind else { return None };
    files.follow(&beside(sources.name(node.span.file), path.trim())).ok()
}
