//! An alignment as a run of kept and changed stretches.

use std::ops::Range;

use super::align::Alignment;
use super::tokens::Text;

/// A stretch of tokens of both texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Whether both sides are equal, token by token.
    pub(super) kept: bool,
    /// The tokens before.
    pub(super) old: Range<usize>,
    /// The tokens after.
    pub(super) new: Range<usize>,
}

impl Segment {
    pub(super) fn change(old: Range<usize>, new: Range<usize>) -> Self {
        Self { kept: false, old, new }
    }

    fn is_empty(&self) -> bool {
        self.old.is_empty() && self.new.is_empty()
    }
}

/// Kept and changed stretches in turn, covering both texts whole.
pub(super) fn segments(old: &Text, new: &Text, alignment: &Alignment) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (a, b) in &alignment.pairs {
        push(&mut out, Segment::change(i..*a, j..*b));
        push(&mut out, Segment { kept: true, old: *a..a + 1, new: *b..b + 1 });
        (i, j) = (a + 1, b + 1);
    }
    push(&mut out, Segment::change(i..old.tokens.len(), j..new.tokens.len()));
    out
}

/// Adds a segment, joining it with one of its sort before it, and leaving out an empty one.
pub(super) fn push(out: &mut Vec<Segment>, segment: Segment) {
    if segment.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(last) if last.kept == segment.kept => {
            last.old.end = segment.old.end;
            last.new.end = segment.new.end;
        }
        _ => out.push(segment),
    }
}
