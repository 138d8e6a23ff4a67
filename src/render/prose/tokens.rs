//! A text as words and marks, with its lines, sentences and headings.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use icu_normalizer::ComposingNormalizerBorrowed;
use unicode_width::UnicodeWidthChar as _;

use crate::render::visible::is_hidden;

/// A word, or a run of one punctuation mark. Blanks are no tokens: they are what lies between two.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Equal for equal tokens of both texts, whatever their Unicode form.
    pub(super) id: u32,
    /// Whether it counts as a word.
    pub(super) word: bool,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// The line, counted from 0.
    pub(super) line: usize,
    /// Whether a sentence begins here.
    pub(super) opens_sentence: bool,
    /// Whether it is the first of its line.
    pub(super) opens_line: bool,
}

/// A text that was read.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The text itself.
    pub(super) source: String,
    /// Its tokens.
    pub(super) tokens: Vec<Token>,
    /// The tokens of every line that has any.
    pub(super) lines: Vec<Range<usize>>,
    /// The tokens of every sentence; a line's end ends one.
    pub(super) sentences: Vec<Range<usize>>,
    /// `words_before[i]` words stand before token `i`.
    words_before: Vec<usize>,
    /// Markdown headings by their line.
    headings: Vec<(usize, String)>,
}

impl Text {
    /// The words among these tokens.
    pub(super) fn words(&self, range: &Range<usize>) -> usize {
        let at = |index: usize| self.words_before.get(index.min(self.tokens.len())).copied().unwrap_or(0);
        at(range.end).saturating_sub(at(range.start))
    }

    /// All words.
    pub(super) fn all_words(&self) -> usize {
        self.words(&(0..self.tokens.len()))
    }

    /// Whether a sentence begins at this token; the end of the text counts as one.
    pub(super) fn opens_sentence(&self, index: usize) -> bool {
        self.tokens.get(index).is_none_or(|token| token.opens_sentence)
    }

    /// Whether a line begins at this token; the end of the text counts as one.
    pub(super) fn opens_line(&self, index: usize) -> bool {
        self.tokens.get(index).is_none_or(|token| token.opens_line)
    }

    /// Where a token begins; the end of the text for one past the last.
    pub(super) fn start(&self, index: usize) -> usize {
        self.tokens.get(index).map_or(self.source.len(), |token| token.start)
    }

    /// Where the token before `index` ends; 0 before the first.
    pub(super) fn end_before(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.tokens.get(before)).map_or(0, |token| token.end)
    }

    /// The line of a token, counted from 0; the last line for one past the last.
    pub(super) fn line(&self, index: usize) -> usize {
        self.tokens.get(index).or(self.tokens.last()).map_or(0, |token| token.line)
    }

    /// The ids of these tokens.
    pub(super) fn ids(&self, range: &Range<usize>) -> Vec<u32> {
        self.tokens.get(range.clone()).unwrap_or_default().iter().map(|token| token.id).collect()
    }

    /// The nearest Markdown heading at or above a line, counted from 0.
    pub(super) fn section(&self, line: usize) -> Option<&str> {
        let after = self.headings.partition_point(|(at, _)| *at <= line);
        after.checked_sub(1).and_then(|index| self.headings.get(index)).map(|(_, title)| title.as_str())
    }

    /// A slice of the text; empty where the range is none.
    pub(super) fn slice(&self, range: Range<usize>) -> &str {
        self.source.get(range).unwrap_or("")
    }
}

/// Gives equal tokens equal ids across texts. Ordered, so that nothing depends on a hash.
#[derive(Debug, Default)]
pub(super) struct Interner(BTreeMap<String, u32>);

impl Interner {
    fn id(&mut self, text: &str) -> u32 {
        let form: Cow<'_, str> =
            if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) };
        if let Some(id) = self.0.get(form.as_ref()) {
            return *id;
        }
        let id = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(form.into_owned(), id);
        id
    }

    /// Reads a text.
    pub(super) fn read(&mut self, text: &str) -> Text {
        let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 5);
        for (range, word) in (Scanner { text, at: 0 }) {
            let slice = text.get(range.clone()).unwrap_or("");
            tokens.push(Token {
                id: self.id(slice),
                word,
                start: range.start,
                end: range.end,
                line: 0,
                opens_sentence: false,
                opens_line: false,
            });
        }
        mark(text, &mut tokens);
        let cut = |opens: fn(&Token) -> bool| {
            let mut starts: Vec<usize> =
                tokens.iter().enumerate().filter(|(_, token)| opens(token)).map(|(index, _)| index).collect();
            starts.push(tokens.len());
            starts.windows(2).map(|pair| pair[0]..pair[1]).collect::<Vec<_>>()
        };
        let mut words = 0;
        let mut words_before = Vec::with_capacity(tokens.len() + 1);
        for token in &tokens {
            words_before.push(words);
            words += usize::from(token.word);
        }
        words_before.push(words);
        Text {
            lines: cut(|token| token.opens_line),
            sentences: cut(|token| token.opens_sentence),
            headings: headings(text),
            source: text.to_owned(),
            words_before,
            tokens,
        }
    }
}

/// Whether what was read so far ends a sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    No,
    BeforeBlank,
    Always,
}

/// Lines and sentences of tokens that were just cut.
fn mark(text: &str, tokens: &mut [Token]) {
    let mut line = 0;
    let mut end = 0;
    let mut ended = Ended::No;
    let mut previous: Option<(&str, bool)> = None;
    for token in tokens {
        let gap = text.get(end..token.start).unwrap_or("");
        let feeds = gap.matches('\n').count();
        line += feeds;
        token.line = line;
        token.opens_line = feeds > 0 || previous.is_none();
        token.opens_sentence =
            token.opens_line || ended == Ended::Always || (ended == Ended::BeforeBlank && !gap.is_empty());
        end = token.end;
        let slice = text.get(token.start..token.end).unwrap_or("");
        let first = slice.chars().next().unwrap_or(' ');
        ended = match first {
            // Wide full stops need no blank behind them.
            '。' | '！' | '？' => Ended::Always,
            '!' | '?' | '…' => Ended::BeforeBlank,
            // A number's full stop at the start of a line makes a list item, a letter's an abbreviation.
            '.' => {
                let inside = previous.is_some_and(|(word, opens_line)| {
                    let item = opens_line && word.chars().all(|c| c.is_ascii_digit());
                    item || (word.chars().count() < 2 && word.chars().all(char::is_alphabetic))
                });
                if inside { Ended::No } else { Ended::BeforeBlank }
            }
            // Closing marks belong to the sentence that they close.
            '"' | '\'' | '”' | '’' | ')' | ']' | '»' | '」' | '*' if !token.opens_line && gap.is_empty() => ended,
            _ => Ended::No,
        };
        previous = Some((slice, token.opens_line));
    }
}

/// Markdown headings outside fences, by line.
fn headings(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut out = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        }
        let hashes = trimmed.bytes().take_while(|b| *b == b'#').count();
        let title = trimmed.get(hashes..).unwrap_or("");
        if !fenced && (1..=6).contains(&hashes) && title.starts_with(' ') {
            out.push((number, title.trim().trim_end_matches('#').trim_end().to_owned()));
        }
    }
    out
}

/// How many words a text has, as diffs count them: a mark is none, a Chinese character is one.
pub fn count_words(text: &str) -> usize {
    word_ranges(text).len()
}

/// Where the words of a text are.
pub(super) fn word_ranges(text: &str) -> Vec<Range<usize>> {
    Scanner { text, at: 0 }.filter(|(_, word)| *word).map(|(range, _)| range).collect()
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Scanner<'_> {
    type Item = (Range<usize>, bool);

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.text.get(self.at..)?.char_indices().skip_while(|(_, c)| is_blank(*c));
        let (offset, first) = rest.next()?;
        let start = self.at + offset;
        let mut end = start + first.len_utf8();
        let body = self.text.get(end..).unwrap_or("");
        let word = is_word(first) || is_ideograph(first);
        let mut previous = first;
        let mut chars = body.chars().peekable();
        while let Some(c) = chars.next() {
            let goes_on = if joins(c) || previous == ZERO_WIDTH_JOINER {
                !is_blank(c)
            } else if is_ideograph(first) {
                false
            } else if is_word(first) {
                is_word(c) || (connects(previous, c, chars.peek().copied()))
            } else {
                c == first
            };
            if !goes_on {
                break;
            }
            end += c.len_utf8();
            previous = c;
        }
        self.at = end;
        Some((start..end, word))
    }
}

const ZERO_WIDTH_JOINER: char = '\u{200D}';

fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_hidden(c)
}

/// Marks that have no width of their own, and skin tones, belong to the character before them.
fn joins(c: char) -> bool {
    !is_blank(c) && !c.is_ascii() && (c.width() == Some(0) || matches!(c, '\u{1F3FB}'..='\u{1F3FF}'))
}

fn is_word(c: char) -> bool {
    (c.is_alphanumeric() || c == '_') && !is_ideograph(c)
}

/// Scripts that write no blanks between words: every character is a word, so that a change shows where it is.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{0E01}'..='\u{0E3A}' | '\u{0E40}'..='\u{0E4E}' | '\u{0E81}'..='\u{0EDF}' | '\u{1000}'..='\u{103F}'
        | '\u{1780}'..='\u{17B3}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}'
        | '\u{30FC}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3134F}')
}

/// Whether a mark inside a word holds it together: `don't`, `follow-up`, `10:30`, `1,200.50`.
fn connects(before: char, mark: char, after: Option<char>) -> bool {
    let Some(after) = after.filter(|c| is_word(*c)) else { return false };
    match mark {
        '\'' | '’' | '-' | '\u{2010}' | '\u{2011}' => is_word(before),
        '.' | ',' | ':' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        Scanner { text, at: 0 }.map(|(range, _)| &text[range]).collect()
    }

    #[test]
    fn words_hold_together_and_ideographs_stand_alone() {
        assert_eq!(
            cut("Don't call check_slots at 10:30, ok?!"),
            ["Don't", "call", "check_slots", "at", "10:30", ",", "ok", "?", "!"]
        );
        assert_eq!(cut("same-day {{name}} -- x"), ["same-day", "{{", "name", "}}", "--", "x"]);
        assert_eq!(cut("你好 world"), ["你", "好", "world"]);
        assert_eq!(cut("👩\u{200D}⚕\u{FE0F}👍🏽 e\u{301}a"), ["👩\u{200D}⚕\u{FE0F}", "👍🏽", "e\u{301}a"]);
    }

    #[test]
    fn forms_of_one_letter_are_one_token() {
        let mut interner = Interner::default();
        let (a, b) = (interner.read("caf\u{E9}"), interner.read("cafe\u{301}"));
        assert_eq!(a.tokens[0].id, b.tokens[0].id);
    }

    #[test]
    fn sentences_end_at_full_stops_and_lines_but_not_in_lists_or_abbreviations() {
        let text = Interner::default().read("1. Ask e.g. the name. Then go (now!). Stop\n\nNext。再见");
        let sentences: Vec<&str> = text
            .sentences
            .iter()
            .map(|range| text.slice(text.start(range.start)..text.end_before(range.end)))
            .collect();
        assert_eq!(sentences, ["1. Ask e.g. the name.", "Then go (now!).", "Stop", "Next。", "再见"]);
    }

    #[test]
    fn a_section_is_the_nearest_heading_outside_fences() {
        let text = Interner::default().read("# One\na\n```\n# no\n```\n## Two ##\nb\n#tag\n");
        assert_eq!(text.section(1), Some("One"));
        assert_eq!(text.section(3), Some("One"));
        assert_eq!(text.section(7), Some("Two"));
    }
}
