//! One problem, and the bag in which problems are gathered.

use super::source::{SourceMap, Span};
use crate::model::{Address, FieldPath, Origin};
use serde::{Deserialize, Serialize};

/// How bad it is. Only an error stops a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Severity {
    /// The command cannot go on.
    Error,
    /// It can, but someone should look.
    Warning,
    /// For information.
    Notice,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    /// The word that people and machines read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A range of a text that was read.
    Span(Span),
    /// A line of a file.
    Line(Origin),
    /// A file as a whole, by name.
    File(String),
    /// An agent.
    Agent(Address),
    /// A path of an agent's manifest; the shell turns it into a span where the file is at hand.
    Field {
        /// The agent.
        address: Address,
        /// The path, from the manifest's root.
        path: FieldPath,
    },
    /// A request to the service, as `GET /core/agents`.
    Request(String),
}

/// A further place that explains the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there, in a few words.
    pub text: String,
}

/// A mend that a program could make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// The mend in words: ``rename the key to `phone_numbers` ``.
    pub title: String,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable and in kebab case: `unknown-field`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment without a full stop, and without any value that could be a secret.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// The agent that it is about, also once the place is one in a file.
    pub about: Option<Address>,
    /// A few words at the place itself.
    pub label: Option<String>,
    /// Other places.
    pub others: Vec<Label>,
    /// What to do, each a line of its own.
    pub hints: Vec<String>,
    /// The mend as an edit.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A problem of any severity.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            place: None,
            about: None,
            label: None,
            others: Vec::new(),
            hints: Vec::new(),
            fix: None,
        }
    }

    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A notice.
    pub fn notice(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Notice, code, message)
    }

    /// The same, at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        if let Place::Agent(address) | Place::Field { address, .. } = &place {
            self.about = Some(address.clone());
        }
        self.place = Some(place);
        self
    }

    /// The same, about an agent.
    #[must_use]
    pub fn about(mut self, address: Address) -> Self {
        self.about = Some(address);
        self
    }

    /// The same, at a span.
    #[must_use]
    pub fn span(self, span: Span) -> Self {
        self.at(Place::Span(span))
    }

    /// The same, with words at its place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = Some(text.into());
        self
    }

    /// The same, with a further place.
    #[must_use]
    pub fn other(mut self, span: Span, text: impl Into<String>) -> Self {
        self.others.push(Label { span, text: text.into() });
        self
    }

    /// The same, with a hint.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// The same, with an edit that mends it.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>, title: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into(), title: title.into() });
        self
    }

    /// File and line as people count, where the place has them.
    pub fn origin(&self, sources: &SourceMap) -> Option<Origin> {
        match self.place.as_ref()? {
            Place::Span(span) => Some(Origin {
                file: sources.name(span.file).to_owned(),
                line: sources.position(span.file, span.start).line,
            }),
            Place::Line(origin) => Some(origin.clone()),
            Place::File(file) => Some(Origin { file: file.clone(), line: 1 }),
            Place::Agent(_) | Place::Field { .. } | Place::Request(_) => None,
        }
    }
}

/// Problems, gathered in any order and read in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another bag.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, as gathered.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// All of them, to be weighed anew.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.0.iter_mut()
    }

    /// All of them by file, place, severity and code, each once.
    #[must_use]
    pub fn sorted(mut self, sources: &SourceMap) -> Vec<Diagnostic> {
        let key = |diagnostic: &Diagnostic| {
            let place = match &diagnostic.place {
                None => (0, String::new(), 0),
                Some(Place::File(file)) => (1, file.clone(), 0),
                Some(Place::Line(origin)) => (1, origin.file.clone(), origin.line),
                Some(Place::Span(span)) => {
                    (1, sources.name(span.file).to_owned(), sources.position(span.file, span.start).line)
                }
                Some(Place::Agent(address)) => (2, address.to_string(), 0),
                Some(Place::Field { address, path }) => (2, format!("{address}{path}"), 0),
                Some(Place::Request(request)) => (3, request.clone(), 0),
            };
            let byte = match &diagnostic.place {
                Some(Place::Span(span)) => span.start,
                _ => 0,
            };
            (place, byte, diagnostic.severity, diagnostic.code, diagnostic.message.clone())
        };
        self.0.sort_by_cached_key(key);
        self.0.dedup();
        self.0
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
