//! From files to what one environment wants, with every mistake on the way.
//!
//! The order is the design's: structures of files are loaded, merges folded, the environment's patch laid over, then the
//! scalar tags resolved, so that a tag which a patch replaced never is.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::expand::Expansion;
use super::files::{FileError, Files, has_extension, normalize};
use super::glob;
use super::lower::Locations;
use super::overlay::merge_patch;
use super::parse::{FIELDS, Manifest};
use super::project::{AgentsPath, PROJECT_FILE, Project};
use super::session::{SecretSource, Session, TextError, list_of, not_utf8, untracked};
use super::suggest::nearest;
use super::texts::lfs_pointer;
use super::tree::{Entry, Kind, MANIFEST_NODES, Node, Weight};
use super::yaml;
use crate::diagnostics::{Diagnostic, Diagnostics, Place, SourceMap, Span};
use crate::model::{Desired, Key};

/// Most bytes of a manifest file; what its values may come to is bounded apart.
const MAX_MANIFEST_FILE: usize = 8 * 1024 * 1024;

/// Fields that a patch cannot change: the identity, and the patches themselves.
const UNPATCHABLE: [&str; 2] = ["key", "environments"];

/// All that the repository says for one environment.
#[derive(Debug)]
pub struct Resolved {
    /// The agents that it wants, by key. Where there are errors, as far as they could be made out.
    pub desired: Vec<Desired>,
    /// Where the values of each manifest stand.
    pub locations: BTreeMap<Key, Locations>,
    /// Every text that was read.
    pub sources: SourceMap,
    /// Every problem that was found.
    pub diagnostics: Diagnostics,
    /// The project and the chosen environment.
    pub project: Project,
    /// Keys whose manifest says `false` for this environment.
    pub elsewhere: BTreeSet<Key>,
}

impl Resolved {
    /// What a project says that could not be opened: nothing but why.
    pub(super) fn refused(problem: Diagnostic) -> Self {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(problem);
        Self {
            desired: Vec::new(),
            locations: BTreeMap::new(),
            sources: SourceMap::default(),
            diagnostics,
            project: Project::default(),
            elsewhere: BTreeSet::new(),
        }
    }
}

/// Reads a project for one environment.
pub fn resolve(files: &dyn Files, environment: Option<&str>, secrets: SecretSource<'_>) -> Resolved {
    let mut session = Session::new(files, secrets);
    let project = session.project(environment);
    let mut manifests = Vec::new();
    let mut elsewhere = BTreeSet::new();
    let mut found_any = false;
    for name in session.discover(&project) {
        session.check_problems(&name);
        if session.stopped {
            found_any = true;
            break;
        }
        let Some(text) = session.read_manifest(&name) else {
            found_any = true;
            continue;
        };
        if text.trim().is_empty() {
            // A file that was cut to nothing must not let its agent go. One of comments alone was meant.
            found_any = true;
            let problem = Diagnostic::error(codes::NO_MANIFESTS, format!("`{name}` is empty"))
                .at(Place::File(name.clone()))
                .hint("write the manifest, or delete the file if reachform should no longer manage its agent");
            session.report(problem);
            continue;
        }
        let before = session.diagnostics.len();
        let documents = session.documents(&name, text);
        found_any |= session.diagnostics.len() > before;
        for document in documents {
            if matches!(document.root.kind, Kind::Null) && document.root.tag.is_none() {
                continue;
            }
            found_any = true;
            if session.stopped {
                break;
            }
            match session.document(document.root, &name, &project) {
                Document::Manifest(manifest) => manifests.push(*manifest),
                Document::Elsewhere(key) => elsewhere.extend(key),
                Document::Refused => {}
            }
        }
    }
    if !found_any && !session.diagnostics.has_errors() {
        let problem = Diagnostic::error(codes::NO_MANIFESTS, "there are no manifests")
            .hint("nothing is deleted because a folder is empty");
        session.report(problem);
    }
    session.check_undeclared_environment(&project);
    let mut desired = Vec::with_capacity(manifests.len());
    let mut locations = BTreeMap::new();
    for (key, manifest) in session.compare(manifests) {
        desired.push(manifest.desired);
        locations.insert(key, manifest.locations);
    }
    Resolved { desired, locations, sources: session.sources, diagnostics: session.diagnostics, project, elsewhere }
}

/// A manifest with its places, for whoever edits it.
pub(super) struct Opened {
    /// All texts that it was made of.
    pub sources: SourceMap,
    /// The document as it is written, no tag followed.
    pub raw: Node,
    /// What it says for the environment, each value with the place where it was written.
    pub root: Node,
    /// The environment.
    pub environment: String,
}

/// Opens one manifest of a file. Its mistakes are not told: it has been read before.
pub(super) fn open(files: &dyn Files, environment: Option<&str>, file: &str, key: &Key) -> Option<Opened> {
    let mut session = Session::new(files, &|_| None);
    let project = session.project(environment);
    let text = session.read_manifest(file)?;
    let id = session.sources.add(file, text);
    let documents = yaml::parse(id, session.sources.text(id), &mut session.diagnostics);
    documents.into_iter().find_map(|document| {
        let raw = document.root.clone();
        let Merged::Manifest(root, _) = session.merged(document.root, file, &project) else { return None };
        let is_it = matches!(root.get("key").map(|node| &node.kind), Some(Kind::Text(text)) if text == key.as_str());
        is_it.then(|| Opened { sources: session.sources.clone(), raw, root, environment: project.environment.clone() })
    })
}

enum Merged {
    /// The tree, and where it begins.
    Manifest(Node, Span),
    Elsewhere(Option<Key>),
    Refused,
}

enum Document {
    Manifest(Box<Manifest>),
    Elsewhere(Option<Key>),
    Refused,
}

/// What a manifest's `environments` says of the chosen one.
enum Patch {
    None,
    Lay(Node),
    NotHere,
}

impl Session<'_> {
    /// The names of all manifest files, each once, in order.
    fn discover(&mut self, project: &Project) -> Vec<String> {
        let mut names = BTreeSet::new();
        for place in &project.agents {
            let (root, pattern) = if glob::is_pattern(&place.path) {
                (glob::fixed_folder(&place.path), Some(place.path.as_str()))
            } else {
                (place.path.clone(), None)
            };
            let listed = match self.files.list(&root) {
                Ok(listed) => listed,
                Err(error) => {
                    self.report(cannot_list(place, &root, &error));
                    continue;
                }
            };
            let root = normalize(&root).unwrap_or_default();
            let mut found = 0;
            for entry in listed {
                let is_named = entry.path == root;
                let is_yaml = has_extension(&entry.path, &["yaml", "yml"]);
                let fits = pattern.is_none_or(|pattern| fits(pattern, &entry.path));
                // A link without an extension may be a folder of manifests.
                let may_hold_some = entry.is_link && pattern.is_none() && !file_name(&entry.path).contains('.');
                if !(fits && (is_yaml || is_named || may_hold_some)) {
                    continue;
                }
                found += 1;
                if entry.is_link {
                    // Passing over it in silence would make its agents look as if nobody wanted them any more.
                    let message = format!("`{}` is a symbolic link, which is not followed", entry.path);
                    let problem = Diagnostic::error(codes::MANIFEST_IS_LINK, message).at(Place::File(entry.path));
                    self.report(problem.hint("put the file itself there, or list its folder under `agents`"));
                } else if entry.path != PROJECT_FILE {
                    names.insert(entry.path);
                }
            }
            if found == 0 {
                let problem =
                    Diagnostic::error(codes::NO_MANIFESTS, format!("there are no manifests in `{}`", place.path));
                self.report(
                    at_agents(problem, place)
                        .hint("a manifest is a `.yaml` file; nothing is deleted because a folder is empty"),
                );
            }
        }
        names.into_iter().collect()
    }

    fn read_manifest(&mut self, name: &str) -> Option<String> {
        let place = Place::File(name.to_owned());
        let problem = match self.read_text(name, MAX_MANIFEST_FILE) {
            Ok(text) => match lfs_pointer(name, &text) {
                None => return Some(text),
                Some(problem) => problem.at(place),
            },
            Err(TextError::NotUtf8(fault)) => not_utf8(name, fault, place),
            Err(TextError::File(FileError::TooLarge { limit })) => {
                let message = format!("`{name}` is larger than {} MiB", limit / (1024 * 1024));
                Diagnostic::error(codes::FILE_TOO_LARGE, message).at(place)
            }
            Err(TextError::File(FileError::Untracked { name })) => untracked(&name).at(place),
            Err(TextError::File(error)) => {
                Diagnostic::error(codes::FILE_UNREADABLE, format!("`{name}` cannot be read: {error}")).at(place)
            }
        };
        self.report(problem);
        None
    }

    /// The documents of a file, counted against the project's budget.
    fn documents(&mut self, name: &str, text: String) -> Vec<yaml::Document> {
        let mut weight = Weight { nodes: 0, bytes: text.len() };
        let file = self.sources.add(name, text);
        let documents = yaml::parse(file, self.sources.text(file), &mut self.diagnostics);
        for document in &documents {
            weight.add(document.root.weight());
            weight.add(Weight { nodes: MANIFEST_NODES, bytes: 0 });
        }
        let start = documents.first().map_or_else(|| Span::new(file, 0..0), |document| document.root.span.clone());
        if self.charge(weight, &start) { documents } else { Vec::new() }
    }

    fn document(&mut self, root: Node, file: &str, project: &Project) -> Document {
        match self.merged(root, file, project) {
            Merged::Manifest(root, start) => Document::Manifest(Box::new(self.manifest(root, &start))),
            Merged::Elsewhere(key) => Document::Elsewhere(key),
            Merged::Refused => Document::Refused,
        }
    }

    /// A document with its files loaded, its merges folded and the environment's patch laid over. Tags before scalars
    /// still stand.
    fn merged(&mut self, mut root: Node, file: &str, project: &Project) -> Merged {
        let mut so_far = Expansion::of(file);
        let start = match &root {
            Node { tag: None, kind: Kind::Map(entries), .. } => entries.first().map(|entry| entry.key_span.clone()),
            _ => None,
        };
        let start = start.unwrap_or_else(|| root.span.clone());
        // The patches are left alone until it is known which one is wanted.
        let early = take_environments(&mut root);
        self.expand(&mut root, &mut so_far);
        if !matches!(root.kind, Kind::Map(_)) {
            if !matches!(root.kind, Kind::Hole) {
                let problem = Diagnostic::error(
                    codes::NOT_A_MANIFEST,
                    format!("a manifest must be a map, not {}", root.describe()),
                );
                self.report(problem.span(root.span).hint("it begins with `key:` and `name:`"));
            }
            return Merged::Refused;
        }
        let environments = early.or_else(|| take_environments(&mut root));
        match environments.map_or(Patch::None, |node| self.choose_patch(node, project, &mut so_far)) {
            Patch::None => {}
            Patch::Lay(patch) => merge_patch(&mut root, patch),
            Patch::NotHere => {
                let key = match root.get("key").map(|node| &node.kind) {
                    Some(Kind::Text(text)) => Key::parse(text),
                    _ => None,
                };
                return Merged::Elsewhere(key);
            }
        }
        Merged::Manifest(root, start)
    }

    fn choose_patch(&mut self, mut node: Node, project: &Project, so_far: &mut Expansion) -> Patch {
        if node.tag.is_some() {
            self.expand(&mut node, so_far);
        }
        let Kind::Map(entries) = node.kind else {
            self.wrong_type(&node, "`environments`", "a map of environments to patches");
            return Patch::None;
        };
        let mut chosen = Patch::None;
        for Entry { key, key_span, mut value } in entries {
            if !project.environments.is_empty() && !project.environments.contains_key(&key) {
                self.unknown_environment(&key, key_span, project);
                continue;
            }
            self.patched_environments.insert(key.clone());
            let is_chosen = key == project.environment;
            if is_chosen {
                self.expand(&mut value, so_far);
            } else if value.tag.is_some() {
                continue;
            }
            match &mut value.kind {
                Kind::Map(changes) => {
                    changes.retain(|change| self.may_patch(change, is_chosen));
                    if is_chosen {
                        chosen = Patch::Lay(value);
                    }
                }
                Kind::Bool(false) if is_chosen => chosen = Patch::NotHere,
                // A name with nothing behind it changes nothing.
                Kind::Bool(false) | Kind::Null => {}
                _ => self.wrong_type(&value, &format!("the patch for `{key}`"), "a map, or `false` for \"not there\""),
            }
        }
        chosen
    }

    /// Whether a patch may have a field. A wrong one is reported for every environment, so that a slip in another one is
    /// seen before its day; one in the chosen patch is left to the manifest's own reading.
    fn may_patch(&mut self, change: &Entry, is_chosen: bool) -> bool {
        if UNPATCHABLE.contains(&change.key.as_str()) {
            let message = format!("`{}` in a patch of an environment", change.key);
            let problem = Diagnostic::error(codes::NOT_PATCHABLE, message).span(change.key_span.clone());
            self.report(problem.hint("an agent has the same key in all environments; a patch holds only other fields"));
            return false;
        }
        if !is_chosen && !FIELDS.contains(&change.key.as_str()) {
            self.unknown_field(&change.key, &change.key_span, &FIELDS, "a manifest");
        }
        true
    }

    fn unknown_environment(&mut self, name: &str, span: Span, project: &Project) {
        let names: Vec<&str> = project.environments.keys().map(String::as_str).collect();
        let message = format!("there is no environment `{}`", yaml::shorten(name));
        let problem = Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, message).span(span.clone());
        self.report(match nearest(name, names.iter().copied()) {
            Some(near) => problem.fix(span, near, format!("did you mean `{near}`?")),
            None => problem.hint(format!("`{PROJECT_FILE}` has {}", list_of(&names))),
        });
    }
}

/// Takes `environments` out of a map that is written as one.
fn take_environments(root: &mut Node) -> Option<Node> {
    let Node { tag: None, kind: Kind::Map(entries), .. } = root else { return None };
    let at = entries.iter().position(|entry| entry.key == "environments")?;
    Some(entries.remove(at).value)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A pattern names files, or folders with everything below them.
fn fits(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    glob::matches(pattern, path)
        || path.match_indices('/').any(|(at, _)| path.get(..at).is_some_and(|above| glob::matches(pattern, above)))
}

fn at_agents(problem: Diagnostic, place: &AgentsPath) -> Diagnostic {
    match &place.span {
        Some(span) => problem.span(span.clone()),
        None => problem,
    }
}

fn cannot_list(place: &AgentsPath, root: &str, error: &FileError) -> Diagnostic {
    let shown = if root.is_empty() { "the project's folder" } else { root };
    let problem = match error {
        FileError::NotFound => {
            let problem = Diagnostic::error(codes::NO_MANIFESTS, format!("`{shown}` does not exist"));
            match place.span {
                Some(_) => problem.hint("the path is relative to the project file"),
                None => problem
                    .hint("manifests are looked for in `agents/`; `agents` in `reachform.yaml` names other places")
                    .hint("`reachform init` writes a first one, `reachform import --all` describes agents that are live; `-C` names another folder"),
            }
        }
        FileError::Outside => {
            Diagnostic::error(codes::FILE_OUTSIDE_PROJECT, format!("`{shown}` leads outside the project"))
        }
        FileError::Hidden => Diagnostic::error(codes::FILE_HIDDEN, format!("`{shown}` is hidden")),
        FileError::Untracked { name } => untracked(name),
        FileError::NotAFile | FileError::TooLarge { .. } | FileError::Refused(_) => {
            Diagnostic::error(codes::FILE_UNREADABLE, format!("`{shown}` cannot be read: {error}"))
        }
    };
    at_agents(problem, place)
}
