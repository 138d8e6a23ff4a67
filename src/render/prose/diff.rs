//! The difference of two prompts as data.

use std::ops::Range;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::align::{Alignment, align};
use super::hunks::{Edit, Hunk, PartKind, hunks};
use super::tidy::tidy;
use super::tokens::{Interner, Text};
use crate::model::unseen::{HiddenRun, hidden_runs, spelled};
use crate::render::visible;

/// The difference of two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProseDiff {
    /// The counts.
    pub stats: Stats,
    /// What changed, in the order of the new text.
    pub hunks: Vec<Hunk>,
    /// Paragraphs and sentences that stand elsewhere now.
    pub moved: Vec<Moved>,
    /// Changes that nobody sees: blanks and Unicode forms, equal ones together.
    pub invisible: Vec<Invisible>,
}

/// How much changed. Moved words count as neither removed nor added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Words before.
    pub words_before: usize,
    /// Words after.
    pub words_after: usize,
    /// Words that go.
    pub words_removed: usize,
    /// Words that come.
    pub words_added: usize,
    /// Words that stand elsewhere now.
    pub words_moved: usize,
    /// Changes that nobody sees.
    pub invisible: usize,
    /// How many hunks.
    pub hunks: usize,
    /// Share of the words that are the same, in thousandths. Never a thousand where anything differs.
    pub same_per_mille: usize,
}

/// A stretch of text that stands elsewhere now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The line where it stood.
    pub from_line: usize,
    /// The line where it stands.
    pub to_line: usize,
    /// The heading that it stands under now.
    pub section: Option<String>,
    /// How many words.
    pub words: usize,
    /// How it begins.
    pub opening: String,
}

/// A change that nobody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invisible {
    /// The first line with it, counted from 1.
    pub line: usize,
    /// Where.
    pub place: InvisiblePlace,
    /// The blanks before, or the word in its old form.
    pub before: String,
    /// The blanks after, or the word in its new form.
    pub after: String,
    /// At how many places.
    pub places: usize,
}

/// Where a change that nobody sees is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InvisiblePlace {
    /// Before the first word.
    Start,
    /// Between words.
    Between,
    /// Behind the last word.
    End,
    /// In a word, whose letters are composed otherwise.
    Form,
}

impl ProseDiff {
    /// The difference of two texts.
    pub fn of(before: &str, after: &str) -> Self {
        let mut interner = Interner::default();
        let (old, new) = (interner.read(before), interner.read(after));
        let alignment = align(&old, &new);
        let segments = tidy(&old, &new, &alignment);
        let kept: Vec<(usize, usize)> = segments
            .iter()
            .filter(|segment| segment.kept)
            .flat_map(|segment| segment.old.clone().zip(segment.new.clone()))
            .collect();
        let edits = edits(&old, &new, &kept, &alignment);
        let hunks = hunks(&old, &new, &edits);
        let moved = moved(&old, &new, &alignment);
        let mut invisible = invisible(&old, &new, &kept, &edits, &alignment);
        add_hidden(&mut invisible, &hunks, before, after);
        // What is written where nobody looks comes before blanks.
        invisible.sort_by_key(|edit| !edit.hides_text());
        let words_moved: usize = moved.iter().map(|moved| moved.words).sum();
        let (words_before, words_after) = (old.all_words(), new.all_words());
        let words_removed: usize = hunks.iter().map(|hunk| hunk.removed).sum();
        let words_added: usize = hunks.iter().map(|hunk| hunk.added).sum();
        let same = (words_before + words_after).saturating_sub(words_removed + words_added);
        let per_mille = (1000 * same).checked_div(words_before + words_after).unwrap_or(0);
        let stats = Stats {
            words_before,
            words_after,
            words_removed,
            words_added,
            words_moved,
            invisible: invisible.iter().map(|edit| edit.places).sum(),
            hunks: hunks.len(),
            same_per_mille: if before == after { 1000 } else { per_mille.min(999) },
        };
        Self { stats, hunks, moved, invisible }
    }

    /// Whether nothing that people see has changed.
    pub fn is_invisible(&self) -> bool {
        self.hunks.is_empty() && self.moved.is_empty()
    }
}

/// Everything between two kept tokens that differs.
fn edits(old: &Text, new: &Text, kept: &[(usize, usize)], alignment: &Alignment) -> Vec<Edit> {
    let mut edits = Vec::new();
    let (mut i, mut j) = (0, 0);
    let end = (old.tokens.len(), new.tokens.len());
    for (a, b) in kept.iter().copied().chain([end]) {
        let sides = (Side { text: old, tokens: i..a }, Side { text: new, tokens: j..b });
        if sides.0.bytes_as_text() != sides.1.bytes_as_text() {
            edits.push(edit(&sides.0, &sides.1, alignment));
        }
        (i, j) = (a + 1, b + 1);
    }
    edits
}

/// One text between two kept tokens.
struct Side<'t> {
    text: &'t Text,
    tokens: Range<usize>,
}

impl Side<'_> {
    fn bytes(&self) -> Range<usize> {
        self.text.end_before(self.tokens.start)..self.text.start(self.tokens.end)
    }

    fn bytes_as_text(&self) -> &str {
        self.text.slice(self.bytes())
    }

    /// The text without what moved, the rest joined as it stood; and the words of that rest.
    fn staying(&self, bytes: Range<usize>, moved: &[bool]) -> (String, usize) {
        let is_moved = |index: usize| moved.get(index).copied().unwrap_or(false);
        if !self.tokens.clone().any(is_moved) {
            return (self.text.slice(bytes).to_owned(), self.text.words(&self.tokens));
        }
        let mut out = String::new();
        let mut words = 0;
        for index in self.tokens.clone().filter(|index| !is_moved(*index)) {
            if !out.is_empty() {
                let gap = self.text.slice(self.text.end_before(index)..self.text.start(index));
                out.push_str(if index > 0 && is_moved(index - 1) { "\n" } else { gap });
            }
            out.push_str(self.text.slice(self.text.start(index)..self.text.end_before(index + 1)));
            words += self.text.words(&(index..index + 1));
        }
        (out, words)
    }
}

fn edit(old: &Side<'_>, new: &Side<'_>, alignment: &Alignment) -> Edit {
    let (before, after) = (old.bytes_as_text(), new.bytes_as_text());
    // Blanks that both sides share belong to what is kept, at the front first.
    let blank = |c: &char| c.is_whitespace();
    let front: usize =
        before.chars().zip(after.chars()).take_while(|(a, b)| a == b && blank(a)).map(|(a, _)| a.len_utf8()).sum();
    let back: usize = before
        .get(front..)
        .unwrap_or("")
        .chars()
        .rev()
        .zip(after.get(front..).unwrap_or("").chars().rev())
        .take_while(|(a, b)| a == b && blank(a))
        .map(|(a, _)| a.len_utf8())
        .sum();
    let inner = |side: &Side<'_>| side.bytes().start + front..side.bytes().end - back;
    let (removed, removed_words) = old.staying(inner(old), &alignment.moved_old);
    let (added, added_words) = new.staying(inner(new), &alignment.moved_new);
    let moved_words = |side: &Side<'_>, words: usize| side.text.words(&side.tokens).saturating_sub(words);
    Edit {
        moved_away: moved_words(old, removed_words),
        moved_here: moved_words(new, added_words),
        old_tokens: old.tokens.clone(),
        new_tokens: new.tokens.clone(),
        new_bytes: inner(new),
        removed,
        removed_words,
        added,
        added_words,
    }
}

/// How many words of a moved paragraph are shown.
const OPENING_WORDS: usize = 8;

fn moved(old: &Text, new: &Text, alignment: &Alignment) -> Vec<Moved> {
    let moved = |found: &super::align::Move| {
        let words = new.words(&found.new);
        let shown = found
            .new
            .clone()
            .take_while(|index| new.words(&(found.new.start..*index)) < OPENING_WORDS)
            .last()
            .unwrap_or(found.new.start);
        let line = new.line(found.new.start);
        Moved {
            from_line: old.line(found.old.start) + 1,
            to_line: line + 1,
            section: new.section(line).map(str::to_owned),
            words,
            opening: new.slice(new.start(found.new.start)..new.end_before(shown + 1)).to_owned(),
        }
    };
    alignment.moves.iter().map(moved).collect()
}

/// Adds a change that nobody sees, or counts one more place of it.
fn add_invisible(out: &mut Vec<Invisible>, line: usize, place: InvisiblePlace, before: &str, after: &str) {
    match out.iter_mut().find(|edit| edit.place == place && edit.before == before && edit.after == after) {
        Some(edit) => edit.places += 1,
        None => {
            out.push(Invisible {
                line: line + 1,
                place,
                before: before.to_owned(),
                after: after.to_owned(),
                places: 1,
            });
        }
    }
}

fn invisible(old: &Text, new: &Text, kept: &[(usize, usize)], edits: &[Edit], alignment: &Alignment) -> Vec<Invisible> {
    let mut out: Vec<Invisible> = Vec::new();
    let mut add = |line: usize, place, before: &str, after: &str| add_invisible(&mut out, line, place, before, after);
    for edit in edits.iter().filter(|edit| edit.is_blank()) {
        let place = if edit.new_tokens.start == 0 {
            InvisiblePlace::Start
        } else if edit.new_tokens.end == new.tokens.len() {
            InvisiblePlace::End
        } else {
            InvisiblePlace::Between
        };
        add(new.line(edit.new_tokens.start.saturating_sub(1)), place, &edit.removed, &edit.added);
    }
    let moved = alignment.moves.iter().flat_map(|moved| moved.old.clone().zip(moved.new.clone()).skip(1));
    for (a, b) in moved {
        // Between two words of a block that stands elsewhere now.
        let gap = |text: &Text, index: usize| text.slice(text.end_before(index)..text.start(index)).to_owned();
        let (before, after) = (gap(old, a), gap(new, b));
        if before != after {
            add(new.line(b), InvisiblePlace::Between, &before, &after);
        }
    }
    let moved = alignment.moves.iter().flat_map(|moved| moved.old.clone().zip(moved.new.clone()));
    for (a, b) in kept.iter().copied().chain(moved) {
        let word = |text: &Text, index: usize| text.slice(text.start(index)..text.end_before(index + 1)).to_owned();
        let (before, after) = (word(old, a), word(new, b));
        if before != after {
            add(new.line(b), InvisiblePlace::Form, &before, &after);
        }
    }
    out
}

/// Hidden characters that neither a hunk nor a change of blanks has: whatever the words were matched by, what one text
/// hides and the other does not is listed.
fn add_hidden(out: &mut Vec<Invisible>, hunks: &[Hunk], before: &str, after: &str) {
    let is_listed = |run: &str, kind: PartKind, out: &[Invisible]| {
        hunks.iter().flat_map(|hunk| &hunk.parts).any(|part| part.kind == kind && part.text.contains(run))
            || out.iter().any(|edit| if kind == PartKind::Add { &edit.after } else { &edit.before }.contains(run))
    };
    let (old, new) = (hidden_runs(before), hidden_runs(after));
    for (these, those, kind) in [(&new, &old, PartKind::Add), (&old, &new, PartKind::Remove)] {
        let mut left: Vec<&str> = those.iter().map(|run| run.text.as_str()).collect();
        for HiddenRun { line, text } in these {
            if let Some(at) = left.iter().position(|other| other == text) {
                left.swap_remove(at);
            } else if !is_listed(text, kind, out) {
                let (before, after) = if kind == PartKind::Add { ("", text.as_str()) } else { (text.as_str(), "") };
                add_invisible(out, *line, InvisiblePlace::Between, before, after);
            }
        }
    }
}

impl Invisible {
    /// Whether characters come or go that no reader sees, and that are no blanks.
    pub fn hides_text(&self) -> bool {
        hidden_runs(&self.before) != hidden_runs(&self.after)
    }

    /// The change in words, with glyphs for blanks: `line 12: ␠␠ → ␠`.
    pub fn describe(&self, arrow: &str) -> String {
        let what = match self.place {
            InvisiblePlace::Form => {
                let form =
                    |text: &str| if ComposingNormalizerBorrowed::new_nfc().is_normalized(text) { "NFC" } else { "NFD" };
                format!(
                    "Unicode form of \"{}\" {} {arrow} {}",
                    visible::one_line(&self.after),
                    form(&self.before),
                    form(&self.after)
                )
            }
            InvisiblePlace::Start | InvisiblePlace::Between | InvisiblePlace::End => {
                let (before, after) = (visible::blanks(&self.before), visible::blanks(&self.after));
                let read = spelled(&self.after);
                let read = if read.is_empty() { read } else { format!(" (which reads \"{}\")", read.trim()) };
                match (before.is_empty(), after.is_empty()) {
                    (true, _) => format!("{after} added{read}"),
                    (_, true) => format!("{before} removed"),
                    _ => format!("{before} {arrow} {after}{read}"),
                }
            }
        };
        let place = match self.place {
            InvisiblePlace::Start => "at the start".to_owned(),
            InvisiblePlace::End => "at the end".to_owned(),
            InvisiblePlace::Between | InvisiblePlace::Form => format!("line {}", self.line),
        };
        if self.places == 1 {
            format!("{place}: {what}")
        } else {
            format!("{} places, first {place}: {what}", self.places)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(hunk: &Hunk) -> String {
        let marks = |kind| match kind {
            PartKind::Keep => ("", ""),
            PartKind::Remove => ("[-", "-]"),
            PartKind::Add => ("{+", "+}"),
            PartKind::Note => ("<", ">"),
        };
        let mut body = String::new();
        for part in &hunk.parts {
            let (open, close) = marks(part.kind);
            body.extend([open, part.text.as_str(), close]);
        }
        let (open, close) = (if hunk.opens_inside { "…" } else { "" }, if hunk.closes_inside { "…" } else { "" });
        format!("{} {open}{body}{close}", hunk.line)
    }

    fn all(before: &str, after: &str) -> Vec<String> {
        ProseDiff::of(before, after).hunks.iter().map(marked).collect()
    }

    #[test]
    fn changed_words_stand_between_eight_words_of_their_line() {
        let before = "Intro.\n3. Offer at most three slots. If none of them works, offer to take a message for the front desk.\nEnd.";
        let after = "Intro.\n3. Offer at most two slots. If neither works, offer a call back from the front desk the same day.\nEnd.";
        assert_eq!(
            all(before, after),
            ["2 3. Offer at most [-three-]{+two+} slots. If [-none of them-]{+neither+} works, offer \
             [-to take a message for-]{+a call back from+} the front desk{+ the same day+}."]
        );
        let stats = ProseDiff::of(before, after).stats;
        assert_eq!(stats.words_before - stats.words_removed + stats.words_added, stats.words_after);
    }

    #[test]
    fn an_inserted_and_a_removed_line_are_whole_lines() {
        assert_eq!(all("a b c\nd e f\n", "a b c\nx y z\nd e f\n"), ["2 {+x y z\n+}"]);
        assert_eq!(all("a b c\nx y z\nd e f\n", "a b c\nd e f\n"), ["2 [-x y z\n-]"]);
        assert_eq!(all("a b c", "a b c\n\nx y z"), ["3 {+\n\nx y z+}"]);
    }

    #[test]
    fn a_moved_paragraph_is_told_by_its_lines() {
        let moved = "If the caller asks for a refund, take the order number first.";
        let filler: String =
            (0..20).fold(String::new(), |text, n| text + &format!("Line {n} says something else {n}.\n"));
        let before = format!("# Start\n{moved}\n{filler}# Close\nBye now.\n");
        let after = format!("# Start\n{filler}# Close\n{moved}\nBye now.\n");
        let diff = ProseDiff::of(&before, &after);
        assert!(diff.hunks.is_empty(), "{:?}", diff.hunks);
        assert_eq!(diff.moved.len(), 1);
        let found = &diff.moved[0];
        assert_eq!((found.from_line, found.to_line, found.words), (2, 23, 12));
        assert_eq!(found.section.as_deref(), Some("Close"));
        assert_eq!(found.opening, "If the caller asks for a refund, take");
    }

    #[test]
    fn blanks_are_named_and_make_no_hunk() {
        let diff = ProseDiff::of("a  b\nc\n", "a b\nc\n\n");
        assert!(diff.is_invisible());
        let told: Vec<String> = diff.invisible.iter().map(|edit| edit.describe("→")).collect();
        assert_eq!(told, ["line 1: ␠ removed", "at the end: ⏎ added"]);
        let diff = ProseDiff::of("caf\u{E9} x caf\u{E9}", "cafe\u{301}\u{A0}x cafe\u{301}");
        let told: Vec<String> = diff.invisible.iter().map(|edit| edit.describe("→")).collect();
        assert_eq!(told, ["line 1: ␠ → ⍽", "2 places, first line 1: Unicode form of \"cafe\u{301}\" NFC → NFD"]);
    }

    #[test]
    fn three_words_of_a_long_paragraph_are_three_small_hunks() {
        let words: Vec<String> = (0..5000).map(|n| format!("word{}", (n * 7919) % 1201)).collect();
        let mut changed = words.clone();
        for at in [100, 2500, 4900] {
            changed[at] = format!("other{at}");
        }
        let diff = ProseDiff::of(&words.join(" "), &changed.join(" "));
        assert_eq!((diff.stats.hunks, diff.stats.words_removed, diff.stats.words_added), (3, 3, 3));
        let size: usize = diff.hunks.iter().map(|hunk| marked(hunk).len()).sum();
        assert!(size < 1500, "{size}");
    }

    #[test]
    fn every_text_is_rebuilt_from_a_hunk_that_shows_it_whole() {
        let (before, after) = ("One two three.", "One 2 three four.");
        let diff = ProseDiff::of(before, after);
        let side = |skip| -> String {
            diff.hunks[0].parts.iter().filter(|part| part.kind != skip).map(|part| part.text.as_str()).collect()
        };
        assert_eq!((side(PartKind::Add).as_str(), side(PartKind::Remove).as_str()), (before, after));
    }

    #[test]
    fn a_rewrite_beyond_the_word_bound_is_left_at_sentences() {
        // The same words on both sides, in another order: a word diff would make confetti of them.
        let text = |step: usize| -> String {
            (0..30_000).fold(String::new(), |text, n| {
                text + &format!("w{}{}", (n * step) % 997, if n % 12 == 11 { ". " } else { " " })
            })
        };
        let kept = "This sentence stands in the middle of both of them.";
        let diff =
            ProseDiff::of(&format!("{}{kept} {}", text(7), text(11)), &format!("{}{kept} {}", text(13), text(17)));
        assert_eq!(diff.stats.hunks, 1);
        assert_eq!(diff.stats.words_before - diff.stats.words_removed, 10);
    }
}
