//! Makes an alignment read well: no confetti, changes that begin and end where sentences do.

use std::cmp::Reverse;
use std::ops::Range;

use super::align::Alignment;
use super::segments::{Segment, push, segments};
use super::tokens::Text;

/// A sentence group with less of its words in common than this, in percent, is shown as removed and added.
const COMMON_PERCENT: usize = 40;

/// How far a pure insertion or removal is moved to find a better border.
const SLIDE_TOKENS: usize = 256;

/// All of it, in an order in which no step undoes another.
pub(super) fn tidy(old: &Text, new: &Text, alignment: &Alignment) -> Vec<Segment> {
    let segments = slide(old, new, alignment);
    let segments = join_close(old, new, &segments);
    replace_confetti(old, new, &segments)
}

/// Moves pure insertions and removals to where a sentence or a line begins. "A. [B. ]C." and "A[. B]. C." are the same
/// change; people read the first.
fn slide(old: &Text, new: &Text, alignment: &Alignment) -> Vec<Segment> {
    // An empty stretch at each end gives the first and the last change two neighbours as well.
    let kept = |old: usize, new: usize| Segment { kept: true, old: old..old, new: new..new };
    let mut segments = vec![kept(0, 0)];
    segments.extend(self::segments(old, new, alignment));
    segments.push(kept(old.tokens.len(), new.tokens.len()));
    for index in 1..segments.len().saturating_sub(1) {
        let [before, change, after] = match segments.get(index - 1..=index + 1) {
            Some([before, change, after]) if before.kept && !change.kept && after.kept => {
                [before.clone(), change.clone(), after.clone()]
            }
            _ => continue,
        };
        let (text, range, moved) = match (change.old.is_empty(), change.new.is_empty()) {
            (true, false) => (new, change.new.clone(), &alignment.moved_new),
            (false, true) => (old, change.old.clone(), &alignment.moved_old),
            _ => continue,
        };
        if moved.get(range.clone()).unwrap_or_default().contains(&true) {
            continue;
        }
        let id = |at: usize| text.tokens.get(at).map(|token| token.id);
        let leftmost = (1..=before.new.len().min(SLIDE_TOKENS))
            .take_while(|step| id(range.start - step) == id(range.end - step))
            .count();
        let rightmost = (0..after.new.len().min(SLIDE_TOKENS))
            .take_while(|step| id(range.start + step) == id(range.end + step))
            .count();
        let score = |start: usize| border(text, start) + border(text, start + range.len());
        let candidates = (range.start - leftmost..=range.start + rightmost).rev();
        // The rightmost of the best.
        let Some(best) = candidates.min_by_key(|start| Reverse(score(*start))) else { continue };
        let by = |position: usize| (position + best) - range.start;
        // The neighbours give and take the same tokens on both sides.
        segments[index - 1].old.end = by(before.old.end);
        segments[index - 1].new.end = by(before.new.end);
        segments[index].old = by(change.old.start)..by(change.old.end);
        segments[index].new = by(change.new.start)..by(change.new.end);
        segments[index + 1].old.start = by(after.old.start);
        segments[index + 1].new.start = by(after.new.start);
    }
    segments
}

/// How natural a border before this token is.
fn border(text: &Text, at: usize) -> usize {
    let gap = text.slice(text.end_before(at)..text.start(at).max(text.end_before(at)));
    if at == 0 || gap.contains("\n\n") {
        4
    } else if text.opens_line(at) {
        3
    } else if text.opens_sentence(at) {
        2
    } else {
        usize::from(!gap.is_empty())
    }
}

/// Joins changes on one line that at most one word parts, unless both only add or both only remove.
fn join_close(old: &Text, new: &Text, segments: &[Segment]) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let neighbours = (out.last(), segments.get(index + 1));
        let joins = match neighbours {
            (Some(before), Some(after)) if segment.kept && !before.kept => {
                let only_adds = before.old.is_empty() && after.old.is_empty();
                let only_removes = before.new.is_empty() && after.new.is_empty();
                let crosses = |text: &Text, range: &Range<usize>| {
                    // The border behind the last kept token counts too: the next change may begin a sentence.
                    (range.start..=range.end).any(|at| text.opens_sentence(at))
                };
                let close = new.words(&segment.new) <= 1;
                close && !only_adds && !only_removes && !crosses(old, &segment.old) && !crosses(new, &segment.new)
            }
            _ => false,
        };
        push(&mut out, Segment { kept: segment.kept && !joins, ..segment.clone() });
    }
    out
}

/// Replaces sentence groups that have little in common by one change each.
fn replace_confetti(old: &Text, new: &Text, segments: &[Segment]) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut group: Vec<Segment> = Vec::new();
    for segment in segments {
        if !segment.kept {
            group.push(segment.clone());
            continue;
        }
        // A kept stretch is cut at the first border that both texts share, which ends the group before it, and at the
        // last one, which begins the next.
        let shared = |offset: &usize| {
            old.opens_sentence(segment.old.start + offset) && new.opens_sentence(segment.new.start + offset)
        };
        let offsets = 0..=segment.old.len();
        let (Some(first), Some(last)) = (offsets.clone().find(shared), offsets.rev().find(shared)) else {
            group.push(segment.clone());
            continue;
        };
        let part = |from: usize, to: usize| Segment {
            kept: true,
            old: segment.old.start + from..segment.old.start + to,
            new: segment.new.start + from..segment.new.start + to,
        };
        group.push(part(0, first));
        close(old, new, &mut group, &mut out);
        push(&mut out, part(first, last));
        group.push(part(last, segment.old.len()));
    }
    close(old, new, &mut group, &mut out);
    out
}

/// Ends a group: as it is, or as one change.
fn close(old: &Text, new: &Text, group: &mut Vec<Segment>, out: &mut Vec<Segment>) {
    let changes = group.iter().filter(|segment| !segment.kept).count();
    let kept: usize = group.iter().filter(|segment| segment.kept).map(|segment| new.words(&segment.new)).sum();
    if let ([first, .., last], true) = (group.as_slice(), changes > 1) {
        let whole = Segment::change(first.old.start..last.old.end, first.new.start..last.new.end);
        let most = old.words(&whole.old).max(new.words(&whole.new));
        if kept * 100 < most * COMMON_PERCENT {
            group.clear();
            push(out, whole);
        }
    }
    for segment in group.drain(..) {
        push(out, segment);
    }
}

#[cfg(test)]
mod tests {
    use super::super::align::align;
    use super::super::tokens::Interner;
    use super::*;

    fn changes(before: &str, after: &str) -> Vec<(String, String)> {
        let mut interner = Interner::default();
        let (old, new) = (interner.read(before), interner.read(after));
        let found = tidy(&old, &new, &align(&old, &new));
        let text = |text: &Text, range: &Range<usize>| {
            text.slice(text.start(range.start)..text.end_before(range.end)).to_owned()
        };
        found.iter().filter(|s| !s.kept).map(|s| (text(&old, &s.old), text(&new, &s.new))).collect()
    }

    fn pair(a: &str, b: &str) -> (String, String) {
        (a.to_owned(), b.to_owned())
    }

    #[test]
    fn an_added_sentence_begins_where_sentences_begin() {
        let found = changes("Ask the name. Ask the date. Stop.", "Ask the name. Ask the time. Ask the date. Stop.");
        assert_eq!(found, [pair("", "Ask the time.")]);
    }

    #[test]
    fn changes_one_word_apart_are_one_change() {
        let found =
            changes("Offer at most three open slots today, please.", "Offer at most two free slots today, please.");
        assert_eq!(found, [pair("three open", "two free")]);
        let found =
            changes("Offer at most three slots on Monday, please.", "Offer at most two slots by Monday, please.");
        assert_eq!(found, [pair("three slots on", "two slots by")]);
    }

    #[test]
    fn a_sentence_with_little_in_common_is_replaced_whole() {
        let found = changes(
            "Keep this. Callers may wish to speak to a person at the desk about a bill. And this.",
            "Keep this. Never transfer to a person any call that is not about a bill or fraud: take the number down. And this.",
        );
        assert_eq!(
            found,
            [pair(
                "Callers may wish to speak to a person at the desk about a bill.",
                "Never transfer to a person any call that is not about a bill or fraud: take the number down."
            )]
        );
    }
}
