//! Problems as people read them, with the lines that they are about, and as machines do.
//!
//! Nothing that a file or the service says can reach a terminal's controls: control and bidi characters are replaced in
//! words and in excerpts, and no span, however wrong, can make the renderer fail.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use crate::diagnostics::{Diagnostic, Place, Severity, SourceMap, Span, Worst, worst};
use crate::render::put::put;
use crate::render::values::grouped;
use crate::render::visible::is_hidden;

/// How problems are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// With colour.
    pub color: bool,
    /// With box-drawing characters rather than ASCII.
    pub unicode: bool,
    /// The width of the terminal.
    pub width: usize,
}

impl Default for TextOptions {
    /// For files, comments and tests: no colour, ASCII, wide enough for a line of a prompt.
    fn default() -> Self {
        Self { color: false, unicode: false, width: 120 }
    }
}

/// Longest line of an excerpt, in bytes. A prompt of one paragraph is not a line that anyone reads in a message.
const LONGEST_LINE: usize = 400;

/// Problems as text, in the order given, with a line that counts them at the end. Nothing for no problems. Of very many
/// the worst are shown.
pub fn text(diagnostics: &[Diagnostic], sources: &SourceMap, options: TextOptions) -> String {
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    let style = if options.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let renderer = renderer.decor_style(style).term_width(options.width.max(40));
    let mut out = String::new();
    let worst = Worst::of(diagnostics, worst::SHOWN, |diagnostic| diagnostic.severity);
    for diagnostic in &worst.shown {
        out.push_str(&one(diagnostic, sources, &renderer, options));
        out.push_str("\n\n");
    }
    if worst.more() > 0 {
        let dots = if options.unicode { "…" } else { "..." };
        put(&mut out, format_args!("{dots} and {} more\n\n", grouped(worst.more())));
    }
    if let Some(line) = count(diagnostics) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The line that counts problems: `3 errors, 1 warning`. `None` for none.
pub fn count(diagnostics: &[Diagnostic]) -> Option<String> {
    let parts: Vec<String> = Severity::ALL
        .into_iter()
        .filter_map(|severity| {
            let number = diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
            let plural = if number == 1 { "" } else { "s" };
            (number > 0).then(|| format!("{} {}{plural}", grouped(number), severity.as_str()))
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn one(diagnostic: &Diagnostic, sources: &SourceMap, renderer: &Renderer, options: TextOptions) -> String {
    let Diagnostic { code, severity, message, place, about: _, label, others, hints, fix } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Notice => Level::INFO.with_name("notice"),
    };
    let mut group = Group::with_title(level.primary_title(clean(message)).id(*code));
    match place {
        Some(Place::Span(span)) => {
            let mut here = vec![(AnnotationKind::Primary, span, label.as_deref())];
            let (same, elsewhere): (Vec<_>, Vec<_>) = others.iter().partition(|other| other.span.file == span.file);
            here.extend(same.iter().map(|other| (AnnotationKind::Context, &other.span, Some(other.text.as_str()))));
            for snippet in snippets(&here, sources) {
                group = group.element(snippet);
            }
            for other in elsewhere {
                for snippet in snippets(&[(AnnotationKind::Context, &other.span, Some(&other.text))], sources) {
                    group = group.element(snippet);
                }
            }
        }
        Some(Place::Line(_) | Place::File(_) | Place::Agent(_) | Place::Field { .. } | Place::Request(_)) | None => {
            return without_excerpt(diagnostic, options);
        }
    }
    for hint in hints {
        group = group.element(Level::HELP.message(clean(hint)));
    }
    let mut report = vec![group];
    if let Some(fix) = fix {
        let excerpt = Excerpt::around(&[&fix.span], sources);
        let patch = Patch::new(excerpt.find(&fix.span, sources), clean(&fix.replacement));
        let snippet = Snippet::source(excerpt.text).line_start(excerpt.line).path(clean(sources.name(fix.span.file)));
        report.push(Group::with_title(Level::HELP.secondary_title(clean(&fix.title))).element(snippet.patch(patch)));
    }
    renderer.render(&report)
}

/// A problem of a file as a whole, of an agent or of a request: nothing can be shown but its name.
fn without_excerpt(diagnostic: &Diagnostic, options: TextOptions) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Notice => AnsiColor::BrightBlue,
    };
    let paint = |text: String, style: Style| {
        if options.color { format!("{style}{text}{style:#}") } else { text }
    };
    let bold = Style::new().bold();
    let line_style = bold.fg_color(Some(AnsiColor::BrightBlue.into()));
    let title =
        paint(format!("{}[{}]", diagnostic.severity.as_str(), diagnostic.code), bold.fg_color(Some(severity.into())));
    let mut out = format!("{title}{}", paint(format!(": {}", clean(&diagnostic.message)), bold));
    let place = match &diagnostic.place {
        Some(Place::Line(origin)) => Some(format!("{}:{}", clean(&origin.file), origin.line)),
        Some(Place::File(file)) => Some(clean(file)),
        Some(Place::Agent(address) | Place::Field { address, path: _ }) => Some(address.to_string()),
        Some(Place::Request(request)) => Some(clean(request)),
        Some(Place::Span(_)) | None => None,
    };
    let (arrow, equals, help) =
        (paint("-->".to_owned(), line_style), paint("=".to_owned(), line_style), paint("help".to_owned(), bold));
    out.extend(place.map(|place| format!("\n {arrow} {place}")));
    out.extend(diagnostic.hints.iter().map(|hint| format!("\n  {equals} {help}: {}", clean(hint))));
    out.extend(diagnostic.fix.iter().map(|fix| format!("\n{help}: {}", clean(&fix.title))));
    out
}

type Marked<'d> = (AnnotationKind, &'d Span, Option<&'d str>);

/// One snippet for places that are near each other, and one each for those that are not.
fn snippets<'d>(marked: &[Marked<'d>], sources: &SourceMap) -> Vec<Snippet<'d, annotate_snippets::Annotation<'d>>> {
    /// Lines between two places that are still shown together.
    const NEAR: usize = 200;
    let Some((first, rest)) = marked.split_first() else { return Vec::new() };
    let line = |span: &Span| sources.position(span.file, span.start).line;
    let (near, far): (Vec<Marked<'d>>, Vec<Marked<'d>>) =
        rest.iter().copied().partition(|(_, span, _)| line(span).abs_diff(line(first.1)) <= NEAR);
    let groups = std::iter::once(std::iter::once(*first).chain(near).collect::<Vec<_>>())
        .chain(far.into_iter().map(|marked| vec![marked]));
    groups
        .map(|group| {
            let spans: Vec<&Span> = group.iter().map(|(_, span, _)| *span).collect();
            let excerpt = Excerpt::around(&spans, sources);
            let annotations: Vec<_> = group
                .iter()
                .map(|(kind, span, label)| {
                    let annotation = kind.span(excerpt.find(span, sources));
                    match label {
                        Some(label) => annotation.label(clean(label)),
                        None => annotation,
                    }
                })
                .collect();
            let name = clean(sources.name(first.1.file));
            Snippet::source(excerpt.text).line_start(excerpt.line).path(name).annotations(annotations)
        })
        .collect()
}

/// The lines around some places of one text, clean and cut.
struct Excerpt {
    text: String,
    /// The number of its first line.
    line: usize,
    /// For each line: where it begins in the source, where in the excerpt, and which bytes of the source are shown.
    lines: Vec<Line>,
}

struct Line {
    source: Range<usize>,
    start: usize,
    /// Where each character stands: in the source and in the excerpt, both from the line's start.
    steps: Option<Vec<(usize, usize)>>,
    len: usize,
}

impl Excerpt {
    /// Lines above and below a place that are shown with it.
    const AROUND: usize = 1;

    fn around(spans: &[&Span], sources: &SourceMap) -> Self {
        let Some(file) = spans.first().map(|span| span.file) else {
            return Self { text: String::new(), line: 1, lines: Vec::new() };
        };
        let source = sources.text(file);
        let starts = spans.iter().map(|span| sources.clamp(span).start);
        let (first, last) = starts.fold((usize::MAX, 0), |(first, last), at| (first.min(at), last.max(at)));
        let begin = step_back(source, first.min(source.len()), Self::AROUND);
        let end = step_on(source, last, Self::AROUND);
        let mut out = Self { text: String::new(), line: sources.position(file, begin).line, lines: Vec::new() };
        let mut at = begin;
        for line in source.get(begin..end).unwrap_or_default().split_inclusive('\n') {
            out.add(line.trim_end_matches(['\n', '\r']), at, spans, sources);
            at += line.len();
        }
        if out.lines.is_empty() {
            out.add("", at, spans, sources);
        }
        out
    }

    fn add(&mut self, line: &str, at: usize, spans: &[&Span], sources: &SourceMap) {
        let line = &*mask_tokens(line);
        // Of a line that is too long, the part with the first place in it is shown.
        let whole = at..at + line.len();
        let wanted = spans.iter().map(|span| sources.clamp(span).start).filter(|start| whole.contains(start)).min();
        let mut from = match wanted {
            Some(start) if line.len() > LONGEST_LINE => (start - at).saturating_sub(LONGEST_LINE / 4),
            _ => 0,
        };
        let mut to = line.len().min(from + LONGEST_LINE);
        while !line.is_char_boundary(from) {
            from -= 1;
        }
        while !line.is_char_boundary(to) {
            to -= 1;
        }
        let shown = line.get(from..to).unwrap_or_default();
        let start = self.text.len();
        let steps = if shown.chars().any(is_unfit) {
            let mut steps = Vec::new();
            let mut length = 0;
            for (at, c) in shown.char_indices() {
                steps.push((at, length));
                let c = if is_unfit(c) { char::REPLACEMENT_CHARACTER } else { c };
                length += c.len_utf8();
                self.text.push(c);
            }
            Some(steps)
        } else {
            self.text.push_str(shown);
            None
        };
        let len = self.text.len() - start;
        self.text.push('\n');
        self.lines.push(Line { source: at + from..at + to, start, steps, len });
    }

    /// A place of the source in the excerpt: its first line, for what is wrong with a map begins where the map does.
    fn find(&self, span: &Span, sources: &SourceMap) -> Range<usize> {
        let Range { start, end } = sources.clamp(span);
        let Some(line) = self.lines.iter().rev().find(|line| line.source.start <= start).or_else(|| self.lines.first())
        else {
            return 0..0;
        };
        let from = line.place(start);
        from..line.place(end).max(from)
    }
}

impl Line {
    fn place(&self, byte: usize) -> usize {
        let within = byte.clamp(self.source.start, self.source.end) - self.source.start;
        let Some(steps) = &self.steps else { return self.start + within };
        self.start + steps.iter().find(|(source, _)| *source >= within).map_or(self.len, |(_, shown)| *shown)
    }
}

/// The start of the line that is `lines` above the one with `byte` in it.
fn step_back(text: &str, byte: usize, lines: usize) -> usize {
    let mut at = byte;
    for left in (0..=lines).rev() {
        at = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + usize::from(left == 0));
    }
    at
}

/// The end of the line that is `lines` below the one with `byte` in it.
fn step_on(text: &str, byte: usize, lines: usize) -> usize {
    let mut at = byte;
    for _ in 0..=lines {
        at = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found + 1);
    }
    at
}

/// What acts without being seen, but for tabs, which the renderer lays out.
fn is_unfit(c: char) -> bool {
    c != '\t' && is_hidden(c)
}

/// How the service's tokens begin, and how many characters after that make one.
const TOKEN_STARTS: [&str; 2] = ["ak_", "pat_"];
const SHORTEST_TOKEN: usize = 8;

/// Puts stars for a token that someone wrote into a file, length and all else kept, for a message goes to logs and
/// comments.
fn mask_tokens(text: &str) -> Cow<'_, str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut out: Option<String> = None;
    let mut at = 0;
    while let Some(start) = TOKEN_STARTS.iter().filter_map(|token| Some(at + text.get(at..)?.find(token)?)).min() {
        let tail = text.get(start..).unwrap_or_default();
        let after = tail.find('_').map_or(tail.len(), |found| found + 1);
        let length = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        at = start + length.max(after);
        let is_word = text.get(..start).and_then(|before| before.chars().next_back()).is_none_or(|c| !is_part(c));
        if is_word && length >= after + SHORTEST_TOKEN {
            let masked = out.get_or_insert_with(|| text.to_owned());
            masked.replace_range(start + after..start + length, &"*".repeat(length - after));
        }
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

pub(super) fn clean(text: &str) -> String {
    mask_tokens(text)
        .chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if is_unfit(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}
