//! Hunks made smaller: fewer words of context, long stretches by their ends.

use super::hunks::{Hunk, Part, PartKind};
use super::tokens::word_ranges;

/// How much of a hunk is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HunkLimits {
    /// Words of context on each side of a change.
    pub context_words: usize,
    /// Removed and added stretches with more words than this are shown by their beginning and their end.
    pub longest_part: usize,
}

impl HunkLimits {
    /// Everything that the diff holds.
    pub const NONE: Self = Self { context_words: usize::MAX, longest_part: usize::MAX };
}

/// Of a long stretch, its first three quarters of what is allowed are shown, and its last quarter.
const SHARE_AT_START: usize = 3;

impl Hunk {
    /// The same hunk within limits.
    #[must_use]
    pub fn shortened(&self, limits: HunkLimits) -> Self {
        let mut hunk = Self { parts: Vec::new(), ..self.clone() };
        let last = self.parts.len().saturating_sub(1);
        for (index, part) in self.parts.iter().enumerate() {
            let (head, tail) = match part.kind {
                PartKind::Note => (usize::MAX, 0),
                PartKind::Remove | PartKind::Add => {
                    let start = limits.longest_part / 4 * SHARE_AT_START;
                    (start, limits.longest_part - start)
                }
                // Context at the edge of a hunk has one change beside it, context within has two.
                PartKind::Keep if index == 0 => (0, limits.context_words),
                PartKind::Keep if index == last => (limits.context_words, 0),
                PartKind::Keep => (limits.context_words, limits.context_words),
            };
            let pieces = ends(part, head, tail);
            if pieces.len() > 1 || pieces.first().is_some_and(|piece| piece.text != part.text) {
                hunk.opens_inside |= index == 0 && part.kind == PartKind::Keep;
                hunk.closes_inside |= index == last && part.kind == PartKind::Keep;
            }
            hunk.parts.extend(pieces);
        }
        hunk
    }
}

/// The first `head` and the last `tail` words of a part, with a note between where words are left out.
fn ends(part: &Part, head: usize, tail: usize) -> Vec<Part> {
    let words = if head.saturating_add(tail) > part.text.len() { Vec::new() } else { word_ranges(&part.text) };
    let left_out = words.len().saturating_sub(head.saturating_add(tail));
    if left_out == 0 {
        return vec![part.clone()];
    }
    let piece =
        |range: std::ops::Range<usize>| Part { kind: part.kind, text: part.text.get(range).unwrap_or("").to_owned() };
    let first_end = head.checked_sub(1).and_then(|index| words.get(index)).map_or(0, |word| word.end);
    let last_start = words.get(words.len() - tail.min(words.len())).map_or(part.text.len(), |word| word.start);
    let mut out = Vec::new();
    if head > 0 {
        out.push(piece(0..first_end));
    }
    if head > 0 && tail > 0 {
        out.push(Part { kind: PartKind::Note, text: format!(" {} words ", super::super::values::grouped(left_out)) });
        // Where a line ended among them, one ends here: places on lines of their own stay on such.
        if part.text.get(first_end..last_start).is_some_and(|text| text.contains('\n')) {
            out.push(Part { kind: part.kind, text: "\n".to_owned() });
        }
    }
    if tail > 0 {
        out.push(piece(last_start..part.text.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::ProseDiff;
    use super::*;

    fn text(hunk: &Hunk) -> String {
        let body: Vec<String> = hunk.parts.iter().map(|part| part.text.clone()).collect();
        format!(
            "{}{}{}",
            if hunk.opens_inside { "…" } else { "" },
            body.join("|"),
            if hunk.closes_inside { "…" } else { "" }
        )
    }

    #[test]
    fn context_shrinks_to_the_words_beside_the_change() {
        let diff = ProseDiff::of("a b c d e f, g h i j.", "a b c d e X, g h i j.");
        let hunk = diff.hunks[0].shortened(HunkLimits { context_words: 2, longest_part: usize::MAX });
        assert_eq!(text(&hunk), "…d e |f|X|, g h…");
        assert_eq!(diff.hunks[0].shortened(HunkLimits::NONE), diff.hunks[0]);
    }

    #[test]
    fn a_long_stretch_is_shown_by_its_ends() {
        let long: Vec<String> = (0..500).map(|n| format!("w{n}")).collect();
        let diff = ProseDiff::of("", &long.join(" "));
        let hunk = diff.hunks[0].shortened(HunkLimits { context_words: 8, longest_part: 8 });
        assert_eq!(text(&hunk), "w0 w1 w2 w3 w4 w5| 492 words |w498 w499");
    }
}
