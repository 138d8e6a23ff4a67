//! `!file` and `!merge`: the tags that bring structure in. They are done before an environment's patch is laid over.

use std::rc::Rc;

use super::codes;
use super::files::{FileError, beside, has_extension, is_hidden, normalize};
use super::overlay::merge_patch;
use super::session::{Session, TextError, not_utf8, untracked};
use super::suggest::nearest;
use super::tree::{Kind, MAX_NODES, Node, Style, Weight};
use super::yaml::{self, MAX_DEPTH};
use crate::diagnostics::{Diagnostic, Place, Span};

/// Most bytes of a file behind `!file`. The longest prompt that a model reads well is a tenth of it.
pub const MAX_FILE: usize = 1024 * 1024;

/// How many files may stand inside each other.
pub const MAX_FILE_DEPTH: usize = 8;

/// Files that are taken as text, and those that are read as structure. JSON is read as the YAML that it is.
pub(crate) const TEXT_EXTENSIONS: [&str; 2] = ["md", "txt"];
const STRUCTURE_EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Tags that stand before a scalar and are resolved after the environment's patch.
const SCALAR_TAGS: [&str; 4] = ["var", "secret", "agent", "format"];

/// All tags.
const TAGS: [&str; 6] = ["file", "merge", "var", "secret", "agent", "format"];

/// What a manifest has brought in so far.
pub(super) struct Expansion {
    /// The files that are being read, outermost first: the manifest's own, then each behind a `!file` in the one before.
    trail: Vec<String>,
    spent: Weight,
    /// How deep the value stands that is being expanded, files counted through.
    depth: usize,
    stopped: bool,
}

impl Expansion {
    pub fn of(manifest_file: &str) -> Self {
        Self { trail: vec![manifest_file.to_owned()], spent: Weight::default(), depth: 0, stopped: false }
    }
}

impl Session<'_> {
    /// Loads every file and folds every merge in a tree.
    pub fn expand(&mut self, node: &mut Node, so_far: &mut Expansion) {
        match node.tag_name() {
            Some("file") => return self.load_file(node, so_far),
            Some("merge") => return self.fold(node, so_far),
            Some(name) if SCALAR_TAGS.contains(&name) => return,
            Some(_) => return self.refuse_tag(node),
            None => {}
        }
        if so_far.depth > MAX_DEPTH {
            self.report(yaml::too_deep(node.span.clone()));
            *node = Node::hole(node.span.clone());
            return;
        }
        so_far.depth += 1;
        match &mut node.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Hole => {}
            Kind::List(items) => items.iter_mut().for_each(|item| self.expand(item, so_far)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| self.expand(&mut entry.value, so_far)),
        }
        so_far.depth -= 1;
    }

    fn refuse_tag(&mut self, node: &mut Node) {
        let Some(tag) = node.tag.take() else { return };
        let mut problem = Diagnostic::error(codes::UNKNOWN_TAG, format!("unknown tag `!{}`", yaml::shorten(&tag.name)))
            .span(tag.span.clone());
        let near = match tag.name.as_str() {
            // Names that other programs give to the same thing.
            "include" | "import" | "text" => Some("file"),
            "env" => Some("secret"),
            name => nearest(name, TAGS),
        };
        problem = match near {
            Some(near) => problem.fix(tag.span, format!("!{near}"), format!("did you mean `!{near}`?")),
            None => problem.hint("the tags are `!file`, `!merge`, `!var`, `!secret`, `!agent` and `!format`"),
        };
        self.report(problem);
        *node = Node::hole(node.span.clone());
    }

    fn fold(&mut self, node: &mut Node, so_far: &mut Expansion) {
        let span = node.span.clone();
        let Kind::List(items) = std::mem::replace(&mut node.kind, Kind::Hole) else {
            let problem = Diagnostic::error(codes::BAD_MERGE, "`!merge` takes a list of maps");
            self.report(problem.span(span.clone()).hint("write `!merge [!file a.yaml, {key: value}]`"));
            *node = Node::hole(span);
            return;
        };
        let mut folded: Option<Node> = None;
        let mut refused = false;
        for mut item in items {
            self.expand(&mut item, so_far);
            match (&item.kind, &item.tag) {
                (Kind::Hole, _) => refused = true,
                (Kind::Map(_), None) => match &mut folded {
                    None => folded = Some(item),
                    Some(base) => merge_patch(base, item),
                },
                (_, tag) => {
                    refused = true;
                    let what = match tag {
                        Some(tag) => format!("`!merge` cannot take `!{}`, which is resolved later", tag.name),
                        None => format!("`!merge` takes maps, not {}", item.describe()),
                    };
                    self.report(Diagnostic::error(codes::BAD_MERGE, what).span(item.span.clone()));
                }
            }
        }
        if folded.is_none() && !refused {
            self.report(Diagnostic::error(codes::BAD_MERGE, "`!merge` of nothing").span(span.clone()));
        }
        *node = if refused { Node::hole(span) } else { folded.unwrap_or_else(|| Node::hole(span)) };
    }

    fn load_file(&mut self, node: &mut Node, so_far: &mut Expansion) {
        let span = node.span.clone();
        let Kind::Text(path) = std::mem::replace(&mut node.kind, Kind::Hole) else {
            let problem = Diagnostic::error(codes::BAD_TAG_USE, "`!file` takes the path of a file");
            self.report(problem.span(span.clone()).hint("write `!file prompts/riverside.md`"));
            *node = Node::hole(span);
            return;
        };
        *node = Node::hole(span.clone());
        if so_far.stopped || self.stopped {
            return;
        }
        let Some(name) = self.find_file(&path, &span) else { return };
        if has_extension(&name, &TEXT_EXTENSIONS) {
            if let Some(text) = self.load_text(&name, &span)
                && self.charge_manifest(so_far, Weight { nodes: 1, bytes: text.len() }, &span)
            {
                *node = Node::plain(span, Kind::Text(text.to_string()));
                // The place is where the file is named, and that is one line.
                node.style = Style::Quoted;
            }
            return;
        }
        if let Some(at) = so_far.trail.iter().position(|open| *open == name) {
            let circle: Vec<&str> = so_far.trail.iter().skip(at).map(String::as_str).chain([name.as_str()]).collect();
            let problem = Diagnostic::error(codes::FILE_CYCLE, format!("`{name}` includes itself"));
            self.report(problem.span(span).hint(format!("the cycle is {}", circle.join(" → "))));
            return;
        }
        if so_far.trail.len() > MAX_FILE_DEPTH {
            let message = format!("files include each other more than {MAX_FILE_DEPTH} levels deep");
            self.report(Diagnostic::error(codes::FILE_TOO_DEEP, message).span(span));
            return;
        }
        let Some(tree) = self.load_structure(&name, &span) else { return };
        if !self.charge_manifest(so_far, tree.weight(), &span) {
            return;
        }
        *node = (*tree).clone();
        so_far.trail.push(name);
        self.expand(node, so_far);
        so_far.trail.pop();
    }

    fn charge_manifest(&mut self, so_far: &mut Expansion, weight: Weight, span: &Span) -> bool {
        so_far.spent.add(weight);
        if so_far.spent.is_too_much() {
            so_far.stopped = true;
            let message = if so_far.spent.nodes > MAX_NODES { "many values" } else { "much text" };
            let problem =
                Diagnostic::error(codes::EXPANSION_TOO_LARGE, format!("the files of one manifest hold too {message}"));
            self.report(problem.span(span.clone()).label("reading stopped here"));
        }
        !so_far.stopped && self.charge(weight, span)
    }

    /// The name of the file that a path leads to, if it is one that may be read.
    fn find_file(&mut self, path: &str, span: &Span) -> Option<String> {
        let path = path.trim();
        let from = self.sources.name(span.file).to_owned();
        let joined = beside(&from, path);
        if path.contains('\\') {
            let message = format!("the file `{path}` does not exist: paths are written with `/` on every system");
            let problem = Diagnostic::error(codes::FILE_NOT_FOUND, message).span(span.clone());
            self.report(match self.nearest_file(&from, path) {
                Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
                None => problem,
            });
            return None;
        }
        let refusal = if path.is_empty() {
            Some((codes::BAD_TAG_USE, "`!file` without a path".to_owned(), "write `!file prompts/riverside.md`"))
        } else if is_hidden(path) {
            Some(hidden(path))
        } else if path.starts_with('/') || normalize(&joined).is_none() {
            Some(outside(path))
        } else if !has_extension(path, &TEXT_EXTENSIONS) && !has_extension(path, &STRUCTURE_EXTENSIONS) {
            let message = format!("`{path}` is not a kind of file that can be included");
            Some((codes::FILE_KIND, message, "text is `.md` or `.txt`, structure is `.yaml`, `.yml` or `.json`"))
        } else {
            None
        };
        let refusal = match refusal {
            Some(refusal) => refusal,
            None => match self.files.follow(&joined) {
                Ok(name) => return Some(name),
                Err(FileError::Outside) => outside(path),
                Err(FileError::Hidden) => hidden(path),
                Err(FileError::NotFound) => {
                    let looked = normalize(&joined).unwrap_or(joined);
                    let problem =
                        Diagnostic::error(codes::FILE_NOT_FOUND, format!("the file `{looked}` does not exist"));
                    let problem = problem.span(span.clone());
                    self.report(match self.nearest_file(&from, path) {
                        Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
                        None => problem.hint(format!("the path is relative to `{from}`, which names it")),
                    });
                    return None;
                }
                Err(FileError::Untracked { name }) => {
                    self.report(untracked(&name).span(span.clone()));
                    return None;
                }
                Err(error) => {
                    self.report(unreadable(path, &error, span));
                    return None;
                }
            },
        };
        let (code, message, hint) = refusal;
        self.report(Diagnostic::error(code, message).span(span.clone()).hint(hint));
        None
    }

    fn read_for(&mut self, name: &str, span: &Span) -> Option<String> {
        match self.read_text(name, MAX_FILE) {
            Ok(text) => {
                let is_usable = self.check_file(name, &text, span);
                let is_in_budget = self.charge(Weight { nodes: 1, bytes: text.len() }, span);
                (is_usable && is_in_budget).then_some(text)
            }
            Err(TextError::NotUtf8(fault)) => {
                self.report(not_utf8(name, fault, Place::Span(span.clone())));
                None
            }
            Err(TextError::File(FileError::TooLarge { limit })) => {
                let message = format!("`{name}` is larger than {} MiB", limit / (1024 * 1024));
                self.report(Diagnostic::error(codes::FILE_TOO_LARGE, message).span(span.clone()));
                None
            }
            Err(TextError::File(error)) => {
                self.report(unreadable(name, &error, span));
                None
            }
        }
    }

    /// A text as the service shall get it: without a byte order mark, lines ended as everywhere else, nothing else touched.
    fn load_text(&mut self, name: &str, span: &Span) -> Option<Rc<str>> {
        let text = if let Some(known) = self.texts.get(name) {
            known.clone()
        } else {
            let text = self.read_for(name, span)?;
            let plain = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let text: Rc<str> = if plain.contains("\r\n") { plain.replace("\r\n", "\n").into() } else { plain.into() };
            self.texts.insert(name.to_owned(), text.clone());
            text
        };
        if text.trim().is_empty() {
            let problem = Diagnostic::warning(codes::EMPTY_FILE, format!("`{name}` is empty"));
            self.report(problem.span(span.clone()).hint("an empty text replaces what is live"));
        }
        Some(text)
    }

    fn load_structure(&mut self, name: &str, span: &Span) -> Option<Rc<Node>> {
        if let Some(known) = self.structures.get(name) {
            return known.clone();
        }
        let tree = self.parse_structure(name, span).map(Rc::new);
        self.structures.insert(name.to_owned(), tree.clone());
        tree
    }

    fn parse_structure(&mut self, name: &str, span: &Span) -> Option<Node> {
        let text = self.read_for(name, span)?;
        let file = self.sources.add(name, text);
        let before = self.diagnostics.len();
        let mut documents = yaml::parse(file, self.sources.text(file), &mut self.diagnostics);
        if self.diagnostics.len() > before && documents.is_empty() {
            return None;
        }
        if documents.len() != 1 {
            let message = format!("`{name}` holds {} documents, but `!file` takes one", documents.len());
            self.report(Diagnostic::error(codes::FILE_DOCUMENTS, message).span(span.clone()));
            return None;
        }
        let root = documents.pop()?.root;
        self.charge(root.weight(), span).then_some(root)
    }
}

fn outside(path: &str) -> (&'static str, String, &'static str) {
    let message = format!("`{path}` leads outside the project");
    (
        codes::FILE_OUTSIDE_PROJECT,
        message,
        "a manifest can only include files of its own project, after links are resolved",
    )
}

fn hidden(path: &str) -> (&'static str, String, &'static str) {
    let message = format!("`{path}` is hidden");
    (codes::FILE_HIDDEN, message, "no part of the path may begin with a dot, after links are resolved")
}

fn unreadable(path: &str, error: &FileError, span: &Span) -> Diagnostic {
    Diagnostic::error(codes::FILE_UNREADABLE, format!("`{path}` cannot be read: {error}")).span(span.clone())
}
