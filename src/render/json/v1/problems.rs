//! Problems for machines, under one spelling in every document. Lines and columns count from 1, columns in characters.

use super::{documents, known};
use crate::diagnostics::{Diagnostic, Place, Problem, Severity, SourceMap, Span, Worst, worst};
use crate::model::{Address, FieldPath, Origin};

use crate::render::diagnostics::clean;
use crate::render::values::grouped;

documents! {
    /// A problem.
    DiagnosticDoc {
        code: String,
        severity: Severity,
        message: String,
        file: Option<String>,
        line: Option<usize>,
        column: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_line: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_column: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// The agent that it is about.
        #[serde(alias = "agent")]
        address: Option<Address>,
        /// Where in the agent's manifest, if no file says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<FieldPath>,
        /// The request to the service that it is about.
        request: Option<String>,
        #[serde(default)]
        hints: Vec<String>,
        /// Other places that explain it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        related: Vec<RelatedDoc>,
        /// An edit that would fix it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fix: Option<FixDoc>,
    }

    /// Another place.
    RelatedDoc {
        message: String,
        file: String,
        line: usize,
        column: usize,
        end_line: usize,
        end_column: usize,
    }

    /// An edit.
    FixDoc {
        title: String,
        replacement: String,
        file: String,
        line: usize,
        column: usize,
        end_line: usize,
        end_column: usize,
    }

    /// How many problems are not in the document, by severity.
    LeftOutDoc {
        #[serde(default)]
        error: usize,
        #[serde(default)]
        warning: usize,
        #[serde(default)]
        notice: usize,
    }

    /// The problems of a document: of very many the worst, in the order given.
    ProblemsDoc {
        #[serde(default)]
        diagnostics: Vec<DiagnosticDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diagnostics_left_out: Option<LeftOutDoc>,
    }
}

impl DiagnosticDoc {
    fn bare(code: &str, severity: Severity, message: &str, hints: &[String]) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            message: clean(message),
            file: None,
            line: None,
            column: None,
            end_line: None,
            end_column: None,
            label: None,
            address: None,
            path: None,
            request: None,
            hints: hints.iter().map(|hint| clean(hint)).collect(),
            related: Vec::new(),
            fix: None,
        }
    }

    fn new(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        let Diagnostic { code, severity, message, place, about, label, others, hints, fix } = diagnostic;
        let mut doc = Self::bare(code, *severity, message, hints);
        doc.address.clone_from(about);
        doc.label = label.as_deref().map(clean);
        match place {
            None | Some(Place::Agent(_)) => {}
            Some(Place::Span(span)) => {
                let (file, [line, column, end_line, end_column]) = range(span, sources);
                doc.file = Some(file);
                (doc.line, doc.column) = (Some(line), Some(column));
                (doc.end_line, doc.end_column) = (Some(end_line), Some(end_column));
            }
            Some(Place::Line(Origin { file, line })) => (doc.file, doc.line) = (Some(clean(file)), Some(*line)),
            Some(Place::File(file)) => doc.file = Some(clean(file)),
            Some(Place::Field { address: _, path }) => doc.path = Some(path.clone()),
            Some(Place::Request(request)) => doc.request = Some(clean(request)),
        }
        let related = |other: &crate::diagnostics::Label| {
            let (file, [line, column, end_line, end_column]) = range(&other.span, sources);
            RelatedDoc { message: clean(&other.text), file, line, column, end_line, end_column }
        };
        doc.related = others.iter().map(related).collect();
        doc.fix = fix.as_ref().map(|fix| {
            let (file, [line, column, end_line, end_column]) = range(&fix.span, sources);
            let (title, replacement) = (clean(&fix.title), clean(&fix.replacement));
            FixDoc { title, replacement, file, line, column, end_line, end_column }
        });
        doc
    }

    fn of_problem(problem: &Problem) -> Self {
        let Problem { severity, origin, code, message, hints } = problem;
        let mut doc = Self::bare(code, *severity, message, hints);
        if let Some(Origin { file, line }) = origin {
            (doc.file, doc.line) = (Some(clean(file)), Some(*line));
        }
        doc
    }
}

/// File, and line and column of both ends.
fn range(span: &Span, sources: &SourceMap) -> (String, [usize; 4]) {
    let (start, end) = (sources.position(span.file, span.start), sources.position(span.file, span.end));
    (clean(sources.name(span.file)), [start.line, start.column, end.line, end.column])
}

impl ProblemsDoc {
    /// Of diagnostics.
    pub(super) fn of(diagnostics: &[Diagnostic], sources: &SourceMap) -> Self {
        let worst = Worst::of(diagnostics, worst::KEPT, |diagnostic| diagnostic.severity);
        Self::worst(&worst, |diagnostic| DiagnosticDoc::new(diagnostic, sources))
    }

    /// Of problems without excerpts.
    pub(super) fn of_problems(problems: &[Problem]) -> Self {
        let worst = Worst::of(problems, worst::KEPT, |problem| problem.severity);
        Self::worst(&worst, DiagnosticDoc::of_problem)
    }

    fn worst<T>(worst: &Worst<'_, T>, doc: impl Fn(&T) -> DiagnosticDoc) -> Self {
        let [error, warning, notice] = worst.left_out;
        Self {
            diagnostics: worst.shown.iter().map(|problem| doc(problem)).collect(),
            diagnostics_left_out: (worst.more() > 0).then_some(LeftOutDoc { error, warning, notice }),
        }
    }

    /// The problems, and those that are not in the document as one of the worst severity among them.
    pub(super) fn problems(self) -> Vec<Problem> {
        let Self { diagnostics, diagnostics_left_out } = self;
        let problem = |doc: DiagnosticDoc| Problem {
            severity: doc.severity,
            origin: doc.file.zip(doc.line).map(|(file, line)| Origin { file, line }),
            code: doc.code,
            message: doc.message,
            hints: doc.hints,
        };
        diagnostics.into_iter().map(problem).chain(diagnostics_left_out.and_then(LeftOutDoc::problem)).collect()
    }

    /// The same as a plan has them: that it has errors must not be lost on the way.
    pub(super) fn diagnostics(self) -> Vec<Diagnostic> {
        let Self { diagnostics, diagnostics_left_out } = self;
        let diagnostic = |doc: DiagnosticDoc| {
            let DiagnosticDoc { code, severity, message, file, line, address, path, request, hints, .. } = doc;
            let mut diagnostic = Diagnostic::new(severity, known(&code), message);
            diagnostic.about.clone_from(&address);
            diagnostic.place = match (file, line, request, address, path) {
                (Some(file), Some(line), ..) => Some(Place::Line(Origin { file, line })),
                (Some(file), None, ..) => Some(Place::File(file)),
                (None, _, Some(request), ..) => Some(Place::Request(request)),
                (None, _, None, Some(address), Some(path)) => Some(Place::Field { address, path }),
                (None, _, None, Some(address), None) => Some(Place::Agent(address)),
                (None, _, None, None, _) => None,
            };
            diagnostic.hints = hints;
            diagnostic
        };
        let left_out = diagnostics_left_out.and_then(LeftOutDoc::problem);
        let left_out = left_out.map(|problem| Diagnostic::new(problem.severity, "saved", problem.message));
        diagnostics.into_iter().map(diagnostic).chain(left_out).collect()
    }
}

impl LeftOutDoc {
    fn problem(self) -> Option<Problem> {
        let Self { error, warning, notice } = self;
        let counts = [error, warning, notice];
        let severity = Severity::ALL.into_iter().zip(counts).find(|(_, count)| *count > 0)?.0;
        let all = counts.into_iter().fold(0, usize::saturating_add);
        let message = format!("{} more problems were found", grouped(all));
        Some(Problem { severity, origin: None, code: "more-problems".to_owned(), message, hints: Vec::new() })
    }
}
