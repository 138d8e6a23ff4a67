//! Changes with the words around them.

use std::ops::Range;

use super::diff::ProseDiff;
use super::tokens::Text;

/// Words of context on each side, within the line. Changes that twice as many words part share a hunk.
pub(super) const CONTEXT_WORDS: usize = 8;

/// What a part of a hunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Unchanged.
    Keep,
    /// Goes.
    Remove,
    /// Comes.
    Add,
    /// Unchanged words that are left out, or words that moved: a note in place of a text.
    Note,
}

/// A piece of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its text as it stands, line feeds included.
    pub text: String,
}

impl Part {
    fn new(kind: PartKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// Changes that stand close together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The line of the new text where it begins, counted from 1; of the old text where it only removes.
    pub line: usize,
    /// The nearest heading above.
    pub section: Option<String>,
    /// Words that go.
    pub removed: usize,
    /// Words that come.
    pub added: usize,
    /// Unchanged words between the hunk before and this one.
    pub unchanged_before: usize,
    /// Whether its first line goes on to the left.
    pub opens_inside: bool,
    /// Whether its last line goes on to the right.
    pub closes_inside: bool,
    /// What it shows.
    pub parts: Vec<Part>,
}

/// One difference between two kept tokens.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) old_tokens: Range<usize>,
    pub(super) new_tokens: Range<usize>,
    /// The bytes of the new text that it takes the place of.
    pub(super) new_bytes: Range<usize>,
    pub(super) removed: String,
    pub(super) removed_words: usize,
    pub(super) added: String,
    pub(super) added_words: usize,
    pub(super) moved_away: usize,
    pub(super) moved_here: usize,
}

impl Edit {
    /// Whether it holds nothing but blanks, on both sides.
    pub(super) fn is_blank(&self) -> bool {
        self.old_tokens.is_empty() && self.new_tokens.is_empty()
    }

    /// Whether it makes a hunk: something other than blanks goes or comes.
    fn is_seen(&self) -> bool {
        let seen = |text: &str| !text.trim().is_empty();
        !self.is_blank() && (seen(&self.removed) || seen(&self.added))
    }
}

/// Cuts edits into hunks.
pub(super) fn hunks(old: &Text, new: &Text, edits: &[Edit]) -> Vec<Hunk> {
    let seen: Vec<usize> = (0..edits.len()).filter(|index| edits.get(*index).is_some_and(Edit::is_seen)).collect();
    let mut groups: Vec<Range<usize>> = Vec::new();
    for index in seen {
        let near = groups.last().and_then(|group| edits.get(group.end - 1)).zip(edits.get(index)).is_some_and(
            |(before, edit)| new.words(&(before.new_tokens.end..edit.new_tokens.start)) <= 2 * CONTEXT_WORDS,
        );
        match groups.last_mut() {
            Some(group) if near => group.end = index + 1,
            _ => groups.push(index..index + 1),
        }
    }
    let mut out = Vec::new();
    let mut shown_until = 0;
    for group in groups {
        let Some([first, ..]) = edits.get(group.clone()) else { continue };
        let Some(last) = edits.get(group.end - 1) else { continue };
        let start = context_before(new, first);
        let end = context_after(new, last);
        let (start_byte, end_byte) = (
            if start < first.new_tokens.start { new.start(start) } else { first.new_bytes.start },
            if end > last.new_tokens.end { new.end_before(end) } else { last.new_bytes.end },
        );
        let inside = edits.iter().filter(|edit| start_byte <= edit.new_bytes.start && edit.new_bytes.end <= end_byte);
        let members: Vec<&Edit> = inside.collect();
        let parts = parts(new, &members, start_byte..end_byte);
        let added = members.iter().map(|edit| edit.added_words).sum();
        let only_removes = parts.iter().all(|part| part.kind == PartKind::Remove);
        let line = if only_removes { old.line(first.old_tokens.start) } else { new.line(start.min(new.tokens.len())) };
        out.push(Hunk {
            line: line + 1,
            section: if only_removes { old.section(line) } else { new.section(line) }.map(str::to_owned),
            removed: members.iter().map(|edit| edit.removed_words).sum(),
            added,
            unchanged_before: new.words(&(shown_until..start)),
            opens_inside: start_byte > 0
                && !new.slice(0..start_byte).trim_end_matches([' ', '\t']).ends_with('\n')
                && !new.slice(0..start_byte).trim().is_empty()
                && !parts.first().is_some_and(|part| part.text.starts_with('\n')),
            closes_inside: goes_on(new.slice(end_byte..new.source.len()))
                && !parts.last().is_some_and(|part| part.text.ends_with('\n')),
            parts,
        });
        shown_until = end.max(last.new_tokens.end);
    }
    out
}

/// Whether a line goes on with anything but blanks.
fn goes_on(rest: &str) -> bool {
    rest.split('\n').next().is_some_and(|line| !line.trim().is_empty())
}

/// The first token of the context before an edit.
fn context_before(new: &Text, edit: &Edit) -> usize {
    let mut at = edit.new_tokens.start;
    if edit.added.starts_with('\n') || edit.removed.starts_with('\n') {
        return at;
    }
    let mut edge = edit.new_bytes.start;
    let mut words = 0;
    while let Some(token) = at.checked_sub(1).and_then(|before| new.tokens.get(before)) {
        words += usize::from(token.word);
        if new.slice(token.end..edge).contains('\n') {
            break;
        }
        if words > CONTEXT_WORDS {
            // Context that is cut off begins with a word, not with the comma before it.
            let is_loose = |at: &usize| ".,;:!?)]".contains(new.slice(new.start(*at)..new.end_before(at + 1)));
            at = (at..edit.new_tokens.start).find(|at| !is_loose(at)).unwrap_or(at);
            break;
        }
        at -= 1;
        edge = token.start;
    }
    at
}

/// One past the last token of the context after an edit.
fn context_after(new: &Text, edit: &Edit) -> usize {
    let mut at = edit.new_tokens.end;
    if edit.added.ends_with('\n') || edit.removed.ends_with('\n') {
        return at;
    }
    let mut edge = edit.new_bytes.end;
    let mut words = 0;
    while let Some(token) = new.tokens.get(at) {
        words += usize::from(token.word);
        if words > CONTEXT_WORDS || new.slice(edge..token.start).contains('\n') {
            break;
        }
        at += 1;
        edge = token.end;
    }
    at
}

fn parts(new: &Text, edits: &[&Edit], bytes: Range<usize>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = bytes.start;
    for edit in edits {
        parts.push(Part::new(PartKind::Keep, new.slice(at..edit.new_bytes.start)));
        parts.push(Part::new(PartKind::Remove, edit.removed.as_str()));
        parts.push(Part::new(PartKind::Add, edit.added.as_str()));
        for (words, what) in [(edit.moved_away, "moved away"), (edit.moved_here, "moved here")] {
            if words > 0 {
                parts.push(Part::new(PartKind::Note, format!("{words} words {what}")));
            }
        }
        at = edit.new_bytes.end;
    }
    parts.push(Part::new(PartKind::Keep, new.slice(at..bytes.end)));
    parts.retain(|part| !part.text.is_empty());
    parts
}
impl ProseDiff {
    /// How many places change: stretches of changed words with unchanged ones between them.
    pub fn places(&self) -> usize {
        self.hunks
            .iter()
            .map(|hunk| hunk.parts.chunk_by(|a, b| is_kept(a) == is_kept(b)).filter(is_place).count())
            .sum()
    }

    /// How many lines have a changed word in them.
    pub fn changed_lines(&self) -> usize {
        let mut count = 0;
        for hunk in &self.hunks {
            let mut is_changed = false;
            for part in &hunk.parts {
                for (row, text) in part.text.split('\n').enumerate() {
                    count += usize::from(row > 0 && std::mem::take(&mut is_changed));
                    is_changed |= !is_kept(part) && !text.trim().is_empty();
                }
            }
            count += usize::from(is_changed);
        }
        count
    }

    /// Leaves only so many places, each whole, and what is unchanged before them.
    pub fn keep_places(&mut self, count: usize) {
        let mut left = count;
        for hunk in &mut self.hunks {
            let mut parts = 0;
            for run in hunk.parts.chunk_by(|a, b| is_kept(a) == is_kept(b)) {
                if left == 0 {
                    break;
                }
                parts += run.len();
                left -= usize::from(is_place(&run));
            }
            hunk.parts.truncate(parts);
        }
        self.hunks.retain(|hunk| !hunk.parts.is_empty());
    }
}

fn is_kept(part: &Part) -> bool {
    matches!(part.kind, PartKind::Keep | PartKind::Note)
}

fn is_place(run: &&[Part]) -> bool {
    run.first().is_some_and(|part| !is_kept(part))
}
