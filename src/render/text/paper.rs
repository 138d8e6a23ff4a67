//! Lines of a given width, with a hanging indent, from styled pieces.

use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::TextOptions;
use crate::render::view::{Line as Told, Look, Medium, Piece, Sign, Tone};
use crate::render::visible;

/// A terminal, where whatever acts without being seen is shown instead.
pub(super) struct Terminal;

impl Medium for Terminal {
    fn theirs(&self, text: &str, _: Look) -> String {
        visible::one_line(text)
    }
}

/// A piece of text in one style. Hidden characters are shown from the moment it is made.
#[derive(Clone, Debug)]
pub(super) struct Span {
    style: Style,
    text: String,
    glued: bool,
}

impl Span {
    pub(super) fn new(style: Style, text: &str) -> Self {
        Self { style, text: Terminal.theirs(text, Look::Words), glued: false }
    }

    /// A piece within which no line ends.
    pub(super) fn glued(style: Style, text: &str) -> Self {
        Self { glued: true, ..Self::new(style, text) }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn plain(text: &str) -> Self {
        Self::new(Style::new(), text)
    }
}

/// The pieces of a line as they are set here.
pub(super) fn spans(line: &Told, options: &TextOptions) -> Vec<Span> {
    let glyphs = &options.glyphs;
    let span = |word: &crate::render::view::Word| {
        let text = match &word.piece {
            Piece::Ours(ours) => ours.as_str().to_owned(),
            Piece::Sign(Sign::Arrow) => glyphs.arrow.to_owned(),
            Piece::Sign(Sign::Dot) => glyphs.dot.to_owned(),
            Piece::Sign(Sign::Drift) => glyphs.drift.to_owned(),
            Piece::Theirs(theirs) => theirs.through(&Terminal),
        };
        Span { style: style_of(word.tone, options), text, glued: word.glued }
    };
    line.0.iter().map(span).collect()
}

/// A line without its tones.
pub(super) fn plain(line: &Told, options: &TextOptions) -> String {
    spans(line, options).iter().map(Span::text).collect()
}

/// How loud a tone is here.
pub(super) fn style_of(tone: Tone, options: &TextOptions) -> Style {
    let styles = &options.styles;
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => styles.strong,
        Tone::Quiet => styles.dim,
        Tone::Added => styles.added,
        Tone::Removed => styles.removed,
        Tone::Changed => styles.changed,
        Tone::Danger => styles.danger,
    }
}

/// The lines written so far.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    width: usize,
    lines: Vec<String>,
}

impl Paper {
    pub(super) fn new(width: usize) -> Self {
        Self { width, lines: Vec::new() }
    }

    /// An empty line, never two in a row.
    pub(super) fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// A line that is never wrapped, as one that holds a hash or a command.
    pub(super) fn whole(&mut self, indent: usize, spans: &[Span]) {
        self.lines.push(format!("{}{}", " ".repeat(indent), paint(spans)).trim_end().to_owned());
    }

    /// Pieces that follow each other, wrapped between words; further lines begin at `hanging`, but never so far to the
    /// right that a long text would become a column of a few characters with a page of blanks before it.
    pub(super) fn flow(&mut self, indent: usize, hanging: usize, spans: &[Span]) {
        let hanging = hanging.min(self.width * 3 / 4);
        let mut line = Line::new(indent);
        for (index, word) in words(spans).into_iter().enumerate() {
            // Blanks at the very start are meant; those where a line was broken are not.
            if index == 0 {
                line.add(word.blank_style, &word.blank);
            }
            let room = self.width.saturating_sub(line.column + word.blank.width());
            if line.has_words && word.width() > room {
                self.lines.push(line.finish());
                line = Line::new(hanging);
            }
            // A word that is longer than a whole line is cut where the line ends.
            let whole = self.width.saturating_sub(hanging).max(8);
            if word.width() <= whole {
                line.push(&word);
                continue;
            }
            for (index, piece) in word.cut(self.width.saturating_sub(line.column).max(8), whole).iter().enumerate() {
                if index > 0 {
                    self.lines.push(line.finish());
                    line = Line::new(hanging);
                }
                line.push(piece);
            }
        }
        self.lines.push(line.finish());
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Everything, each line with its line feed.
    pub(super) fn into_text(mut self) -> String {
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        let mut out = self.lines.join("\n");
        out.push('\n');
        out
    }
}

/// How many columns these pieces take.
pub(super) fn width(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.text.width()).sum()
}

fn paint(spans: &[Span]) -> String {
    spans.iter().fold(String::new(), |mut out, span| {
        // Writing to a String cannot fail.
        let _written = write!(out, "{}{}{}", span.style, span.text, span.style.render_reset());
        out
    })
}

/// Characters that no line ends between, with the blanks before them.
#[derive(Clone, Debug, Default)]
struct Word {
    blank: String,
    blank_style: Style,
    pieces: Vec<(Style, String)>,
}

impl Word {
    fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }

    fn push(&mut self, style: Style, c: char) {
        match self.pieces.last_mut() {
            Some((last, text)) if *last == style => text.push(c),
            _ => self.pieces.push((style, c.to_string())),
        }
    }

    /// Pieces of which the first takes at most `first` columns and every further one at most `further`, in one pass: a
    /// word may be as long as a prompt.
    fn cut(self, first: usize, further: usize) -> Vec<Self> {
        let mut out = Vec::new();
        let mut piece = Self { blank: self.blank, blank_style: self.blank_style, pieces: Vec::new() };
        let (mut room, mut used) = (first, 0);
        for (style, text) in self.pieces {
            for c in text.chars() {
                let columns = c.width().unwrap_or(0);
                if used + columns > room && used > 0 {
                    out.push(std::mem::take(&mut piece));
                    (room, used) = (further, 0);
                }
                used += columns;
                piece.push(style, c);
            }
        }
        out.push(piece);
        out
    }
}

/// Cuts pieces at blanks, and between wide characters, which may part anywhere.
fn words(spans: &[Span]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut word = Word::default();
    let mut wide = false;
    for span in spans {
        for c in span.text.chars() {
            let is_wide = c.width() == Some(2);
            if c == ' ' && !span.glued {
                if !word.pieces.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
                word.blank.push(c);
                word.blank_style = span.style;
                wide = false;
                continue;
            }
            if wide && is_wide {
                out.push(std::mem::take(&mut word));
            }
            word.push(span.style, c);
            wide = is_wide || (wide && c.width() == Some(0));
        }
    }
    if !word.pieces.is_empty() {
        out.push(word);
    }
    out
}

struct Line {
    text: String,
    column: usize,
    has_words: bool,
    open: Style,
}

impl Line {
    fn new(indent: usize) -> Self {
        Self { text: " ".repeat(indent), column: indent, has_words: false, open: Style::new() }
    }

    fn push(&mut self, word: &Word) {
        if self.has_words {
            self.add(word.blank_style, &word.blank);
        }
        for (style, text) in &word.pieces {
            self.add(*style, text);
        }
        self.has_words = true;
    }

    /// A style stays open until another begins, so that a line has as few escapes as it can.
    fn add(&mut self, style: Style, text: &str) {
        if style != self.open {
            // Writing to a String cannot fail.
            let _written = write!(self.text, "{}{style}", self.open.render_reset());
            self.open = style;
        }
        self.text.push_str(text);
        self.column += text.width();
    }

    fn finish(mut self) -> String {
        let _written = write!(self.text, "{}", self.open.render_reset());
        self.text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(width: usize, text: &str) -> String {
        let mut paper = Paper::new(width);
        paper.flow(2, 4, &[Span::plain(text)]);
        paper.into_text()
    }

    #[test]
    fn lines_break_between_words_and_hang() {
        assert_eq!(wrapped(14, "  one two three"), "    one two\n    three\n");
        assert_eq!(wrapped(14, "one two three four"), "  one two\n    three four\n");
        assert_eq!(wrapped(14, "a  b"), "  a  b\n");
    }

    #[test]
    fn long_words_are_cut_and_wide_characters_break_anywhere() {
        assert_eq!(wrapped(12, "abcdefghijklmnop"), "  abcdefghij\n    klmnop\n");
        assert_eq!(wrapped(12, "你好你好你好你好"), "  你好你好你\n    好你好\n");
    }

    #[test]
    fn a_hanging_indent_leaves_room_for_the_text() {
        let mut paper = Paper::new(40);
        paper.flow(0, 1_000, &[Span::plain(&"word ".repeat(20))]);
        assert!(paper.into_text().lines().all(|line| line.len() <= 40));
    }

    #[test]
    fn a_style_is_closed_on_every_line() {
        let style = Style::new().bold();
        let mut paper = Paper::new(10);
        paper.flow(0, 0, &[Span::new(style, "aaaa bbbb cccc")]);
        let text = paper.into_text();
        assert_eq!(text, "\u{1b}[1maaaa bbbb\u{1b}[0m\n\u{1b}[1mcccc\u{1b}[0m\n");
    }

    #[test]
    fn remote_escapes_never_reach_a_line() {
        assert_eq!(wrapped(40, "\u{1b}[2J\u{202E}x\ry"), "  ␛[2J<U+202E>x␍y\n");
    }
}
