//! What one resolution gathers on its way, and how it reads a value of a known type.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::codes;
use super::files::{FileError, Files};
use super::scalar;
use super::suggest::nearest;
use super::tree::{Kind, Node, PROJECT_BYTES, PROJECT_NODES, Style, Weight};
use super::yaml::shorten;
use crate::diagnostics::{Diagnostic, Diagnostics, Place, SourceMap, Span};

/// Most problems that are looked for.
const MOST_PROBLEMS: usize = 100_000;

/// Looks a secret up by the name behind `!secret`.
pub type SecretSource<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The source for the embedded service, where a secret is the text `sandbox:NAME` (design, section 10).
pub fn sandbox_secret(name: &str) -> Option<String> {
    Some(format!("sandbox:{name}"))
}

/// The state of one resolution.
pub(super) struct Session<'a> {
    pub files: &'a dyn Files,
    pub secrets: SecretSource<'a>,
    pub sources: SourceMap,
    pub diagnostics: Diagnostics,
    /// Structures that `!file` has brought in, as they were written, by their name; `None` for one that was refused.
    pub structures: BTreeMap<String, Option<Rc<Node>>>,
    /// Texts that `!file` has brought in, so that one used by many manifests is read once.
    pub texts: BTreeMap<String, Rc<str>>,
    /// What all manifests have come to so far.
    spent: Weight,
    /// Whether reading has stopped, for there is too much of something. It has been reported.
    pub stopped: bool,
    /// The chosen environment's name, for messages.
    pub environment: String,
    /// Its variables; `None` where a mistake in the project file leaves them unknown, and is all that is reported.
    pub variables: Option<BTreeMap<String, Node>>,
    /// The environments that manifests have patches for.
    pub patched_environments: BTreeSet<String>,
    /// Names of secrets that were said to be short, so that each is said once.
    pub short_secrets: BTreeSet<String>,
    /// The same for secrets with blanks or line breaks around them.
    pub padded_secrets: BTreeSet<String>,
}

/// Where a file stops being UTF-8, and what it may be instead.
#[derive(Clone, Copy)]
pub(super) struct NotUtf8 {
    byte: usize,
    line: usize,
    hint: &'static str,
}

impl NotUtf8 {
    fn of(bytes: &[u8], byte: usize) -> Self {
        let line = bytes.iter().take(byte).filter(|byte| **byte == b'\n').count() + 1;
        let is_utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        // Quotes, dashes and accented letters of Windows-1252, in a file that is ASCII otherwise.
        let is_latin = bytes.get(byte).is_some_and(|byte| *byte >= 0x80) && !bytes.contains(&0);
        let hint = match (is_utf16, is_latin) {
            (true, _) => "it looks like UTF-16; save it as UTF-8",
            (false, true) => "it looks like Windows-1252 (\"ANSI\"); save it as UTF-8",
            (false, false) => "save it as UTF-8",
        };
        Self { byte, line, hint }
    }
}

/// Why the bytes of a file are no text that can be used.
pub(super) enum TextError {
    File(FileError),
    NotUtf8(NotUtf8),
}

impl<'a> Session<'a> {
    pub fn new(files: &'a dyn Files, secrets: SecretSource<'a>) -> Self {
        Self {
            files,
            secrets,
            sources: SourceMap::default(),
            diagnostics: Diagnostics::new(),
            structures: BTreeMap::new(),
            texts: BTreeMap::new(),
            spent: Weight::default(),
            stopped: false,
            environment: super::project::DEFAULT_NAME.to_owned(),
            variables: Some(BTreeMap::new()),
            patched_environments: BTreeSet::new(),
            short_secrets: BTreeSet::new(),
            padded_secrets: BTreeSet::new(),
        }
    }

    pub fn report(&mut self, problem: Diagnostic) {
        self.diagnostics.push(problem);
    }

    /// Counts what is about to be kept against the budget of the project: the one place that does. Says whether there is
    /// room; where there is none for the first time, that is reported at `span` and nothing more is read.
    pub fn charge(&mut self, weight: Weight, span: &Span) -> bool {
        if self.stopped {
            return false;
        }
        self.spent.add(weight);
        if !self.spent.fills_project() {
            return true;
        }
        self.stopped = true;
        let much = if self.spent.nodes > PROJECT_NODES {
            format!("{PROJECT_NODES} values")
        } else {
            format!("{} MiB of text", PROJECT_BYTES / (1024 * 1024))
        };
        let problem = Diagnostic::error(codes::PROJECT_TOO_LARGE, format!("the manifests come to more than {much}"))
            .span(span.clone())
            .label("reading stopped here");
        self.report(problem.hint(
            "aliases, and files that are used more than once, count each time: split the project, or remove what multiplies",
        ));
        false
    }

    /// Stops where there are more problems than anybody reads, each of which costs memory.
    pub fn check_problems(&mut self, file: &str) {
        if self.stopped || self.diagnostics.len() <= MOST_PROBLEMS {
            return;
        }
        self.stopped = true;
        let problem =
            Diagnostic::error(codes::TOO_MANY_PROBLEMS, format!("there are more than {MOST_PROBLEMS} problems"));
        self.report(problem.at(Place::File(file.to_owned())).hint("no manifest after this one was read"));
    }

    /// The text of a file, as it is.
    pub fn read_text(&self, path: &str, limit: usize) -> Result<String, TextError> {
        let bytes = self.files.read(path, limit).map_err(TextError::File)?;
        String::from_utf8(bytes)
            .map_err(|error| TextError::NotUtf8(NotUtf8::of(error.as_bytes(), error.utf8_error().valid_up_to())))
    }

    /// Reports that a value is of the wrong type, unless it is one that has been reported already.
    pub fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        if matches!(node.kind, Kind::Hole) {
            return;
        }
        let problem = Diagnostic::error(codes::WRONG_TYPE, format!("{what} must be {wanted}, not {}", node.describe()));
        self.report(problem.span(node.span.clone()));
    }

    /// Reads text.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        if let Kind::Text(text) = &node.kind {
            return Some(text);
        }
        let written = self.sources.text(node.span.file).get(node.span.start..node.span.end).unwrap_or_default();
        let quoted = matches!(node.kind, Kind::Number(_) | Kind::Bool(_))
            && node.style == Style::Plain
            && scalar::plain(written).is_ok_and(|kind| kind == node.kind);
        if !quoted {
            self.wrong_type(node, what, "text");
            return None;
        }
        let fixed = format!("\"{written}\"");
        let problem = Diagnostic::error(codes::WRONG_TYPE, format!("{what} must be text, not {}", node.describe()))
            .span(node.span.clone())
            .label(format!("YAML reads this as {}", node.describe()))
            .fix(node.span.clone(), fixed, "quote it");
        self.report(problem);
        None
    }

    /// Reads text that is not empty.
    pub fn filled_text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = self.text(node, what)?;
        if text.trim().is_empty() {
            self.report(Diagnostic::error(codes::EMPTY_TEXT, format!("{what} is empty")).span(node.span.clone()));
            return None;
        }
        Some(text)
    }

    /// Reads a boolean.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match &node.kind {
            Kind::Bool(value) => Some(*value),
            Kind::Text(text)
                if node.style == Style::Plain && matches!(&*text.to_lowercase(), "yes" | "no" | "on" | "off") =>
            {
                let meant = if matches!(&*text.to_lowercase(), "yes" | "on") { "true" } else { "false" };
                let problem = Diagnostic::error(codes::WRONG_TYPE, format!("{what} must be `true` or `false`"))
                    .span(node.span.clone())
                    .label("YAML 1.2 reads this as text")
                    .fix(node.span.clone(), meant, format!("write `{meant}`"));
                self.report(problem);
                None
            }
            _ => {
                self.wrong_type(node, what, "`true` or `false`");
                None
            }
        }
    }

    /// Reads a list.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        if let Kind::List(items) = &node.kind {
            return Some(items);
        }
        if matches!(node.kind, Kind::Null) {
            let problem = Diagnostic::error(codes::WRONG_TYPE, format!("{what} must be a list, not nothing"));
            self.report(problem.span(node.span.clone()).hint("write `[]` for none, or leave it out"));
        } else {
            self.wrong_type(node, what, "a list");
        }
        None
    }

    /// Reports a key that is none of the known ones, with the mend where the nearest is near enough.
    pub fn unknown_field(&mut self, key: &str, span: &Span, known: &[&str], what: &str) {
        let problem = Diagnostic::error(codes::UNKNOWN_FIELD, format!("unknown field `{}` in {what}", shorten(key)))
            .span(span.clone());
        self.report(match nearest(key, known.iter().copied()) {
            Some(near) => problem.fix(span.clone(), near, format!("did you mean `{near}`?")),
            None => problem.hint(format!("{what} takes {}", list_of(known))),
        });
    }

    /// Warns of a plain integer that does not print as it was written, which is how an unquoted phone number gets lost.
    pub fn check_spelling(&mut self, node: &Node) {
        if !matches!(node.kind, Kind::Number(_)) || node.style != Style::Plain {
            return;
        }
        let written = self.sources.text(node.span.file).get(node.span.start..node.span.end).unwrap_or_default();
        let Kind::Number(number) = &node.kind else { return };
        if !scalar::loses_spelling(written) {
            return;
        }
        let problem =
            Diagnostic::warning(codes::NUMBER_SPELLING, format!("`{written}` is read as the number {number}"))
                .span(node.span.clone())
                .fix(node.span.clone(), format!("\"{written}\""), "quote it if it is meant as text");
        self.report(problem);
    }
}

/// Reports a file that is not UTF-8, at a place.
pub(super) fn not_utf8(name: &str, fault: NotUtf8, place: Place) -> Diagnostic {
    let NotUtf8 { byte, line, hint } = fault;
    let message = format!("`{name}` is not UTF-8 text: the first mistake is in line {line}, at byte {byte}");
    Diagnostic::error(codes::NOT_UTF8, message).at(place).hint(hint)
}

/// Reports a file that git does not track, in a pipeline.
pub(super) fn untracked(name: &str) -> Diagnostic {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let shown = if name.chars().all(is_plain) && !name.starts_with('-') { name } else { "FILE" };
    Diagnostic::error(codes::FILE_UNTRACKED, format!("`{name}` is not a file that git tracks"))
        .hint(
            "in a pipeline (`CI` is set) only tracked files are read, because nobody has reviewed any other: commit it",
        )
        .hint(format!("if an earlier step makes it, run `git add -f {shown}` in the project's folder after that step"))
}

/// Words as people list them: `a`, `b` and `c`, each in backticks.
pub(super) fn list_of<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}
