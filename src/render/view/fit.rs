//! What an account leaves out, step by step, until what is written of it fits: context first, then whole values and
//! whole agents, risky ones last. Every cut is counted, and changed words are never cut.

use super::account::{Account, Block, Cut, Item, Items, Row, RowMark, Seen, Sides};
use super::piece::{Count, Line, Tone, line};
use crate::render::prose::HunkLimits;

/// Words of context beside a change, from one step to the next.
const CONTEXTS: [usize; 2] = [4, 1];

/// Less room than this holds no part of anything.
const SMALLEST: usize = 64;

/// What is kept free of alarms: the words that say how much is missing.
const FOR_THE_REST: usize = 512;

/// How often the room is reckoned again where a guess was too high.
const TRIES: usize = 8;

/// What was written, and whether anything was left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Fitted {
    pub(in crate::render) text: String,
    pub(in crate::render) truncated: bool,
}

/// Writes as much of an account as fits into so many bytes.
pub(in crate::render) fn fit(account: Account, max_bytes: usize, write: &dyn Fn(&Account) -> String) -> Fitted {
    let mut account = account;
    let mut text = write(&account);
    for words in CONTEXTS {
        if text.len() <= max_bytes {
            return Fitted { text, truncated: false };
        }
        let limits = HunkLimits { context_words: words, longest_part: usize::MAX };
        for row in account.blocks.iter_mut().flat_map(|block| &mut block.rows) {
            shorten(row, limits);
        }
        text = write(&account);
    }
    if text.len() <= max_bytes {
        return Fitted { text, truncated: false };
    }
    let scale = Scale::of(&account, write);
    let mut room = max_bytes;
    for _ in 0..TRIES {
        if text.len() <= max_bytes {
            break;
        }
        text = write(&scale.cut(&account, room));
        room = room.saturating_sub(text.len().saturating_sub(max_bytes) + 64);
    }
    Fitted { text, truncated: true }
}

fn shorten(row: &mut Row, limits: HunkLimits) {
    if let Some(Sides::Changes(_, sides)) = &mut row.sides {
        for (_, seen) in sides.iter_mut() {
            shorten_seen(seen, limits);
        }
    }
    shorten_seen(&mut row.seen, limits);
}

fn shorten_seen(seen: &mut Seen, limits: HunkLimits) {
    match seen {
        Seen::Turn { .. } | Seen::Note(_) | Seen::Text { .. } => {}
        Seen::Prose { diff, after: _ } => diff.hunks.iter_mut().for_each(|hunk| *hunk = hunk.shortened(limits)),
        Seen::Items(list) => {
            list.items.iter_mut().filter_map(|item| item.seen.as_mut()).for_each(|seen| shorten_seen(seen, limits));
        }
        Seen::Tree(rows) => rows.iter_mut().for_each(|row| shorten(row, limits)),
        Seen::Instead(before, after) => {
            shorten_seen(before, limits);
            shorten_seen(after, limits);
        }
    }
}

/// Where a part of a list went.
enum Kept<T> {
    Whole(T),
    /// Less of it, and how many changed values that has lost.
    Less(T, usize),
    Gone,
}

/// Measures parts of an account by writing them.
struct Scale<'w> {
    write: &'w dyn Fn(&Account) -> String,
    empty: usize,
    /// The size of each block, and of its name.
    blocks: Vec<(usize, usize)>,
}

/// What is said of an agent that is not shown.
fn named(block: &Block) -> Line {
    let is_loud = block.mark.tone == Tone::Danger;
    let state = is_loud.then(|| line![Tone::Quiet; " "].and(block.state.clone()));
    block.title.clone().and(state.unwrap_or_default())
}

impl<'w> Scale<'w> {
    fn of(account: &Account, write: &'w dyn Fn(&Account) -> String) -> Self {
        let mut scale = Self { write, empty: write(&Account::default()).len(), blocks: Vec::new() };
        let names = |names| Account { cut: Some(Cut { names, ..Cut::default() }), ..Account::default() };
        let size = |block: &Block| {
            let (one, two) = (vec![named(block)], vec![named(block), named(block)]);
            (scale.block_size(block), scale.size(&names(two)).saturating_sub(scale.size(&names(one))))
        };
        let blocks = account.blocks.iter().map(size).collect();
        scale.blocks = blocks;
        scale
    }

    fn size(&self, part: &Account) -> usize {
        (self.write)(part).len().saturating_sub(self.empty)
    }

    fn block_size(&self, block: &Block) -> usize {
        self.size(&Account { blocks: vec![block.clone()], ..Account::default() })
    }

    /// A row deeper inside has more blanks before its lines; a sixteenth stands for them.
    fn row_size(&self, row: &Row) -> usize {
        let mut block = Block::new(super::account::Mark { sign: Line::default(), tone: Tone::Plain });
        let bare = self.block_size(&block);
        block.rows = vec![row.clone()];
        let size = self.block_size(&block).saturating_sub(bare);
        size + size / 16 + 1
    }

    /// An account that has at most so much room.
    fn cut(&self, account: &Account, room: usize) -> Account {
        let mut out = Account { blocks: Vec::new(), ..account.clone() };
        let mut cut = Cut { of: account.changes(), ..Cut::default() };
        // What is worth a line at the end takes little.
        let parts = |size: usize| room / size;
        let size = |make: &dyn Fn() -> Account| self.size(&make());
        // No alarm makes room for a value.
        cut.alarms = keep(
            &mut out.alarms,
            room.saturating_sub(self.empty + FOR_THE_REST),
            |_| true,
            |alarm| size(&|| Account { alarms: vec![alarm.clone()], ..Account::default() }),
        );
        cut.lines += keep(
            &mut out.facts,
            parts(8),
            |_| true,
            |fact| size(&|| Account { facts: vec![fact.clone()], ..Account::default() }),
        );
        cut.lines += keep(
            &mut out.warnings,
            parts(4),
            |_| true,
            |warning| size(&|| Account { warnings: vec![warning.clone()], ..Account::default() }),
        );
        cut.lines += keep(
            &mut out.notes,
            parts(8),
            |note| note.tone == Tone::Danger,
            |note| size(&|| Account { notes: vec![note.clone()], ..Account::default() }),
        );
        cut.lines += keep(
            &mut out.outcomes,
            parts(3),
            |row| !row.is_in_place,
            |row| size(&|| Account { outcomes: vec![row.clone()], ..Account::default() }),
        );
        cut.lines += keep(
            &mut out.numbers,
            parts(4),
            |_| false,
            |slot| size(&|| Account { numbers: vec![slot.clone()], ..Account::default() }),
        );
        out.cut = Some(cut.clone());
        let left = room.saturating_sub((self.write)(&out).len());
        self.fill(account, &mut out, &mut cut, left);
        out.cut = Some(cut);
        out
    }

    /// Puts back as many agents as there is room for, and the names of the others.
    fn fill(&self, account: &Account, out: &mut Account, cut: &mut Cut, left: usize) {
        let names: usize = self.blocks.iter().map(|(_, name)| name).sum();
        // Whoever is shown need not be named, where there is room for all names.
        let for_names = names.min(left / 2);
        let saved = |name: usize| if for_names == names { name } else { 0 };
        let whole = |(block, name): &(usize, usize)| block.saturating_sub(saved(*name));
        let mut left = left - for_names;
        let kept = Self::choose(
            &account.blocks,
            &mut left,
            |block| block.is_risky,
            |at, _| self.blocks.get(at).map_or(usize::MAX, whole),
            |block, room| self.trim_block(block, room),
        );
        let mut gone: Vec<(&Block, usize)> = Vec::new();
        let (mut lost, mut room) = (0, left + for_names);
        for ((block, (_, size)), kept) in account.blocks.iter().zip(&self.blocks).zip(kept) {
            match kept {
                Kept::Whole(block) => out.blocks.push(block),
                Kept::Less(block, less) => {
                    lost += less;
                    out.blocks.push(block);
                }
                Kept::Gone => {
                    lost += changes(&block.rows);
                    gone.push((block, *size));
                }
            }
        }
        gone.sort_by_key(|(block, _)| !block.is_risky);
        for (block, size) in gone {
            if cut.unnamed == 0 && size <= room {
                room -= size;
                cut.names.push(named(block));
            } else {
                cut.unnamed += 1;
            }
        }
        cut.shown = cut.of.saturating_sub(lost);
    }

    /// Which parts of a list are kept: risky ones first, and of those the small ones, for they are the most.
    fn choose<T: Clone>(
        all: &[T],
        left: &mut usize,
        is_risky: impl Fn(&T) -> bool,
        size: impl Fn(usize, &T) -> usize,
        trim: impl Fn(&T, usize) -> Option<(T, usize, usize)>,
    ) -> Vec<Kept<T>> {
        let mut kept: Vec<Kept<T>> = all.iter().map(|_| Kept::Gone).collect();
        let mut order: Vec<(bool, usize, usize)> =
            all.iter().enumerate().map(|(at, part)| (!is_risky(part), size(at, part), at)).collect();
        order.sort_unstable();
        for class in [false, true] {
            let of_class = || order.iter().filter(move |(calm, ..)| *calm == class);
            for (_, size, at) in of_class() {
                let (Some(part), Some(place)) = (all.get(*at), kept.get_mut(*at)) else { continue };
                if *size <= *left {
                    *left -= size;
                    *place = Kept::Whole(part.clone());
                }
            }
            for (_, _, at) in of_class() {
                if *left < SMALLEST {
                    break;
                }
                let (Some(part), Some(place @ Kept::Gone)) = (all.get(*at), kept.get_mut(*at)) else { continue };
                if let Some((less, size, lost)) = trim(part, *left) {
                    *left -= size.min(*left);
                    *place = Kept::Less(less, lost);
                }
            }
        }
        kept
    }

    /// The block with fewer of its values; nothing where there is not even room for its head and one of them.
    fn trim_block(&self, block: &Block, room: usize) -> Option<(Block, usize, usize)> {
        let mut less = Block { rows: Vec::new(), ..block.clone() };
        less.remarks.push(left_out(changes(&block.rows)));
        let head = self.block_size(&less);
        if head > room || block.rows.is_empty() {
            return None;
        }
        let (rows, size, lost) = self.trim_rows(&block.rows, room - head)?;
        less.rows = rows;
        less.remarks.pop();
        less.remarks.extend((lost > 0).then(|| left_out(lost)));
        Some((less, head + size, lost))
    }

    fn trim_rows(&self, rows: &[Row], room: usize) -> Option<(Vec<Row>, usize, usize)> {
        let mut left = room;
        let kept = Self::choose(
            rows,
            &mut left,
            |row| row.mark == RowMark::Look || row.sides.is_some(),
            |_, row| self.row_size(row),
            |row, room| self.trim_row(row, room),
        );
        let mut lost = 0;
        let mut out = Vec::new();
        for (row, kept) in rows.iter().zip(kept) {
            match kept {
                Kept::Whole(row) => out.push(row),
                Kept::Less(row, less) => {
                    lost += less;
                    out.push(row);
                }
                Kept::Gone => lost += row.seen.changes(),
            }
        }
        (!out.is_empty()).then_some((out, room - left, lost))
    }

    /// The row with fewer of the values inside it, else its path with the count of what it holds.
    fn trim_row(&self, row: &Row, room: usize) -> Option<(Row, usize, usize)> {
        let all = row.seen.changes();
        let stub = Row { sides: None, seen: Seen::Note(left_out(all)), ..row.clone() };
        let head = self.row_size(&stub);
        if head > room {
            return None;
        }
        let inside = match &row.seen {
            _ if row.sides.is_some() => None,
            Seen::Tree(rows) => {
                self.trim_rows(rows, room - head).map(|(rows, size, lost)| (Seen::Tree(rows), size, lost))
            }
            Seen::Items(list) => self.trim_items(list, room - head),
            Seen::Prose { .. } | Seen::Text { .. } | Seen::Instead(..) => {
                return self.trim_text(row, room).map(|(row, size, _)| (row, size, all)).or(Some((stub, head, all)));
            }
            Seen::Turn { .. } | Seen::Note(_) => None,
        };
        Some(match inside {
            Some((seen, size, lost)) => {
                let mut less = Row { seen, ..row.clone() };
                less.notes.push(left_out(lost));
                (less, head + size, lost)
            }
            None => (stub, head, all),
        })
    }

    /// As many of the changed places of a text as there is room for, or as many of the lines of one that comes or goes:
    /// nothing is cut within a place. Of a text that is rewritten in one place, the new one from its beginning. The value
    /// counts as one that is not shown.
    fn trim_text(&self, row: &Row, room: usize) -> Option<(Row, usize, usize)> {
        if let Some(found) = self.first_parts(row, room) {
            return Some(found);
        }
        let Seen::Prose { diff: _, after } = &row.seen else { return None };
        let size = line![Tone::Changed; "rewritten; this is the new text"];
        self.first_parts(&Row { seen: Seen::Text { comes: true, size, text: after.clone() }, ..row.clone() }, room)
    }

    fn first_parts(&self, row: &Row, room: usize) -> Option<(Row, usize, usize)> {
        let all = text_in(&row.seen).map_or(0, parts);
        let first = |count: usize| {
            let mut less = row.clone();
            let lines = |row: &Row| text_in(&row.seen).map_or(0, lines);
            if let Some(seen) = text_in_mut(&mut less.seen) {
                match seen {
                    Seen::Prose { diff, .. } => diff.keep_places(count),
                    Seen::Text { text, .. } => *text = text.first_lines(count),
                    _ => {}
                }
            }
            let of = if matches!(text_in(&row.seen), Some(Seen::Prose { .. })) { " changed lines" } else { " lines" };
            let (shown, of_all) = (lines(&less), lines(row));
            less.notes.push(
                line![Tone::Danger; "only the first ", shown, " of ", of_all, of, " fit here; there is no room for the others"],
            );
            less
        };
        // How many fit is found by halving.
        let (mut fits, mut too_many) = (0, all);
        while too_many - fits > 1 {
            let half = fits.midpoint(too_many);
            if self.row_size(&first(half)) <= room { fits = half } else { too_many = half }
        }
        (fits > 0).then(|| {
            let less = first(fits);
            let size = self.row_size(&less);
            (less, size, 1)
        })
    }

    fn trim_items(&self, list: &Items, room: usize) -> Option<(Seen, usize, usize)> {
        let alone = |item: &Item| Items { items: vec![item.clone()], unchanged: 0, order: Vec::new() };
        let mut left = room;
        let kept = Self::choose(
            &list.items,
            &mut left,
            |_| false,
            |_, item| self.row_size(&Row::of(Seen::Items(alone(item)))),
            |_, _| None,
        );
        let of = |item: &Item| item.seen.as_ref().map_or(1, Seen::changes);
        let mut out = Items { items: Vec::new(), unchanged: list.unchanged, order: list.order.clone() };
        let mut lost = 0;
        for (item, kept) in list.items.iter().zip(kept) {
            match kept {
                Kept::Whole(item) | Kept::Less(item, _) => out.items.push(item),
                Kept::Gone => lost += of(item),
            }
        }
        (!out.items.is_empty()).then_some((Seen::Items(out), room - left, lost))
    }
}

/// The text that is a value, or one of the two sides of it.
fn text_in(seen: &Seen) -> Option<&Seen> {
    match seen {
        Seen::Prose { .. } | Seen::Text { .. } => Some(seen),
        Seen::Instead(before, after) => text_in(before).or_else(|| text_in(after)),
        _ => None,
    }
}

fn text_in_mut(seen: &mut Seen) -> Option<&mut Seen> {
    match seen {
        Seen::Prose { .. } | Seen::Text { .. } => Some(seen),
        Seen::Instead(before, after) => text_in_mut(before).or_else(|| text_in_mut(after)),
        _ => None,
    }
}

/// How many pieces a text can be cut into.
fn parts(seen: &Seen) -> usize {
    match seen {
        Seen::Prose { diff, .. } => diff.places(),
        Seen::Text { text, .. } => text.lines().count(),
        _ => 0,
    }
}

/// How many lines of a text a reader would count: those that change of one that does.
fn lines(seen: &Seen) -> usize {
    match seen {
        Seen::Prose { diff, .. } => diff.changed_lines(),
        seen => parts(seen),
    }
}

fn changes(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.seen.changes()).sum()
}

fn left_out(count: usize) -> Line {
    let count = Count(count, "changed value is", "changed values are");
    line![Tone::Quiet; count, " not shown here, because there is no room"]
}

/// Keeps as many entries as fit, those that matter first, in the order in which they were; says how many went.
fn keep<T>(list: &mut Vec<T>, room: usize, first: impl Fn(&T) -> bool, size: impl Fn(&T) -> usize) -> usize {
    let mut left = room;
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by_key(|at| list.get(*at).is_some_and(|entry| !first(entry)));
    let mut fits = vec![false; list.len()];
    for at in order {
        let (Some(entry), Some(place)) = (list.get(at), fits.get_mut(at)) else { continue };
        let size = size(entry);
        if size > left {
            continue;
        }
        left -= size;
        *place = true;
    }
    let before = list.len();
    let mut fits = fits.into_iter();
    list.retain(|_| fits.next().unwrap_or_default());
    before - list.len()
}
