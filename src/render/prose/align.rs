//! Which words of two texts are the same ones: lines first, then sentences, then words between them.
//!
//! Anchoring from the outside in keeps the work small, and keeps a word of one paragraph from being matched with the
//! same word of another.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::tokens::Text;

/// Equal lines or sentences with fewer words than this, between two changes, say nothing about what belongs together:
/// "Yes.", "---" and `</tool>` stand in every prompt.
const ANCHOR_WORDS: usize = 3;

/// Equal text of so many words in two places has moved.
const MOVED_WORDS: usize = 8;

/// Changed stretches with more tokens than this, both sides together, are left at sentences: about 120 kB on each side,
/// which a word diff takes some 90 ms for. Nobody reads a change of that size word by word.
const WORD_TOKENS: usize = 50_000;

/// Where fewer than one in four of the shorter side's words stand anywhere in the other, no word is matched.
const SHARED_FRACTION: usize = 4;

/// A stretch of text that stands in both, at different places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Its tokens before.
    pub(super) old: Range<usize>,
    /// Its tokens after.
    pub(super) new: Range<usize>,
}

/// What belongs to what.
#[derive(Clone, Debug)]
pub(super) struct Alignment {
    /// Pairs of equal tokens, rising on both sides.
    pub(super) pairs: Vec<(usize, usize)>,
    /// What moved, by its new place.
    pub(super) moves: Vec<Move>,
    /// Whether a token of the old text has moved.
    pub(super) moved_old: Vec<bool>,
    /// Whether a token of the new text has moved.
    pub(super) moved_new: Vec<bool>,
}

/// Two ranges of tokens that stand against each other.
#[derive(Clone, Debug)]
struct Region {
    old: Range<usize>,
    new: Range<usize>,
}

/// Lines or sentences with an id for each.
struct Units<'t> {
    ranges: &'t [Range<usize>],
    ids: Vec<u32>,
}

impl Units<'_> {
    /// The units within a range of tokens.
    fn within(&self, tokens: &Range<usize>) -> Range<usize> {
        let first = self.ranges.partition_point(|unit| unit.start < tokens.start);
        let last = self.ranges.partition_point(|unit| unit.end <= tokens.end);
        first..last.max(first)
    }

    /// The tokens of a range of units.
    fn tokens(&self, units: &Range<usize>, empty: usize) -> Range<usize> {
        match self.ranges.get(units.clone()) {
            Some([first, .., last]) => first.start..last.end,
            Some([only]) => only.clone(),
            Some([]) | None => empty..empty,
        }
    }
}

/// Aligns two texts that one interner has read.
pub(super) fn align(old: &Text, new: &Text) -> Alignment {
    let mut alignment = Alignment {
        pairs: Vec::new(),
        moves: Vec::new(),
        moved_old: vec![false; old.tokens.len()],
        moved_new: vec![false; new.tokens.len()],
    };
    let (old_lines, new_lines) = identify(old, &old.lines, new, &new.lines);
    let whole = Region { old: 0..old.tokens.len(), new: 0..new.tokens.len() };
    let regions = anchor(old, &old_lines, &new_lines, &whole, &mut alignment.pairs);

    let (old_sentences, new_sentences) = identify(old, &old.sentences, new, &new.sentences);
    let regions: Vec<Region> = regions
        .iter()
        .flat_map(|region| anchor(old, &old_sentences, &new_sentences, region, &mut alignment.pairs))
        .collect();

    find_moves(old, &old_sentences, &new_sentences, &regions, &mut alignment);
    for region in &regions {
        match_words(old, new, region, &mut alignment);
    }
    alignment.pairs.sort_unstable();
    alignment
}

/// Gives equal units of both texts equal ids.
fn identify<'t>(
    old: &'t Text,
    old_ranges: &'t [Range<usize>],
    new: &'t Text,
    new_ranges: &'t [Range<usize>],
) -> (Units<'t>, Units<'t>) {
    let mut known: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let mut read = |text: &Text, ranges: &[Range<usize>]| {
        ranges
            .iter()
            .map(|range| {
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                *known.entry(text.ids(range)).or_insert(next)
            })
            .collect()
    };
    let old_ids = read(old, old_ranges);
    let new_ids = read(new, new_ranges);
    (Units { ranges: old_ranges, ids: old_ids }, Units { ranges: new_ranges, ids: new_ids })
}

/// Pairs the tokens of equal units and returns what is left between them.
fn anchor(
    old: &Text,
    old_units: &Units<'_>,
    new_units: &Units<'_>,
    region: &Region,
    pairs: &mut Vec<(usize, usize)>,
) -> Vec<Region> {
    let (within_old, within_new) = (old_units.within(&region.old), new_units.within(&region.new));
    let ids = |units: &Units<'_>, range: &Range<usize>| units.ids.get(range.clone()).unwrap_or_default().to_vec();
    let ops = capture_diff_slices(Algorithm::Myers, &ids(old_units, &within_old), &ids(new_units, &within_new));

    let mut regions = Vec::new();
    let mut open = Region { old: region.old.start..region.old.start, new: region.new.start..region.new.start };
    for (index, op) in ops.iter().enumerate() {
        let old_range = shift(&op.old_range(), within_old.start);
        let new_range = shift(&op.new_range(), within_new.start);
        let old_tokens = old_units.tokens(&old_range, open.old.end);
        let new_tokens = new_units.tokens(&new_range, open.new.end);
        let between_changes = index > 0 && index + 1 < ops.len();
        let weak = between_changes && old.words(&old_tokens) < ANCHOR_WORDS;
        if matches!(op, DiffOp::Equal { .. }) && !weak {
            pairs.extend(old_tokens.clone().zip(new_tokens.clone()));
            regions.push(open);
            open = Region { old: old_tokens.end..old_tokens.end, new: new_tokens.end..new_tokens.end };
        } else {
            open.old.end = old_tokens.end;
            open.new.end = new_tokens.end;
        }
    }
    regions.push(open);
    regions.retain(|region| !region.old.is_empty() || !region.new.is_empty());
    regions
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Finds runs of equal sentences among what was left, in the order of the new text, each old sentence used once.
fn find_moves(old: &Text, old_units: &Units<'_>, new_units: &Units<'_>, regions: &[Region], alignment: &mut Alignment) {
    let left = |units: &Units<'_>, side: fn(&Region) -> &Range<usize>| {
        let mut left = vec![false; units.ids.len()];
        for region in regions {
            for index in units.within(side(region)) {
                left[index] = true;
            }
        }
        left
    };
    let mut old_left = left(old_units, |region| &region.old);
    let mut new_left = left(new_units, |region| &region.new);
    let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, id) in old_units.ids.iter().enumerate().filter(|(index, _)| old_left[*index]) {
        places.entry(*id).or_default().push(index);
    }

    let mut at = 0;
    while at < new_units.ids.len() {
        let run = new_left[at].then(|| longest_run(old_units, new_units, &places, &old_left, &new_left, at)).flatten();
        let Some((from, length)) = run else {
            at += 1;
            continue;
        };
        let old_tokens = old_units.tokens(&(from..from + length), 0);
        let new_tokens = new_units.tokens(&(at..at + length), 0);
        if old.words(&old_tokens) >= MOVED_WORDS {
            old_left[from..from + length].fill(false);
            new_left[at..at + length].fill(false);
            alignment.moved_old[old_tokens.clone()].fill(true);
            alignment.moved_new[new_tokens.clone()].fill(true);
            alignment.moves.push(Move { old: old_tokens, new: new_tokens });
            at += length;
        } else {
            at += 1;
        }
    }
}

/// How many places of one sentence are tried. A prompt that repeats a sentence more often has no one place it moved from.
const MOVE_CANDIDATES: usize = 8;

fn longest_run(
    old_units: &Units<'_>,
    new_units: &Units<'_>,
    places: &BTreeMap<u32, Vec<usize>>,
    old_left: &[bool],
    new_left: &[bool],
    at: usize,
) -> Option<(usize, usize)> {
    let id = new_units.ids.get(at)?;
    let length = |from: usize| {
        (0..new_units.ids.len() - at)
            .take_while(|step| {
                let pair = (old_units.ids.get(from + step), new_units.ids.get(at + step));
                matches!(pair, (Some(old), Some(new)) if old == new) && old_left[from + step] && new_left[at + step]
            })
            .count()
    };
    places
        .get(id)?
        .iter()
        .filter(|from| old_left[**from])
        .take(MOVE_CANDIDATES)
        .map(|from| (*from, length(*from)))
        // The first of the longest.
        .min_by_key(|(_, length)| Reverse(*length))
}

/// Pairs equal words between two anchors, leaving out what has moved.
fn match_words(old: &Text, new: &Text, region: &Region, alignment: &mut Alignment) {
    let stay = |range: &Range<usize>, moved: &[bool]| -> Vec<usize> {
        range.clone().filter(|index| !moved.get(*index).copied().unwrap_or(false)).collect()
    };
    let old_tokens = stay(&region.old, &alignment.moved_old);
    let new_tokens = stay(&region.new, &alignment.moved_new);
    if old_tokens.is_empty() || new_tokens.is_empty() || old_tokens.len() + new_tokens.len() > WORD_TOKENS {
        return;
    }
    let id = |text: &Text, index: &usize| text.tokens.get(*index).map_or(u32::MAX, |token| token.id);
    let old_ids: Vec<u32> = old_tokens.iter().map(|index| id(old, index)).collect();
    let new_ids: Vec<u32> = new_tokens.iter().map(|index| id(new, index)).collect();
    let shorter = old_ids.len().min(new_ids.len());
    if shared(&old_ids, &new_ids) * SHARED_FRACTION < shorter {
        return;
    }
    for op in capture_diff_slices(Algorithm::Myers, &old_ids, &new_ids) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            let old_run = old_tokens.get(old_index..old_index + len).unwrap_or_default();
            let new_run = new_tokens.get(new_index..new_index + len).unwrap_or_default();
            alignment.pairs.extend(old_run.iter().copied().zip(new_run.iter().copied()));
        }
    }
}

/// How many tokens two texts share, whatever their order.
fn shared(old: &[u32], new: &[u32]) -> usize {
    let sorted = |ids: &[u32]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    let (old, new) = (sorted(old), sorted(new));
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
        count += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    count
}
