//! Whether a list that was read by cursors made from timestamps can hide an item (design, section 4).
//!
//! Such a cursor leads behind everything that shares its moment. Where a page ends inside a tie, the rest of the tie
//! would be lost; so each page's last moment is asked for once more, from one step before. The answer either goes on
//! behind the tie, which shows it whole, or it stops inside: then only the length of pages can tell, and lengths are
//! believed only of a service that has shown that it fills its pages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::cursor::{Moment, Order};

/// How many known items a test of page lengths needs: a page that is cut by half could else hide as many.
const SMALLEST_TEST: usize = 3;

/// When the items of a list were created, each moment with how many share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    moments: BTreeMap<Timestamp, (Moment, usize)>,
    items: usize,
}

impl Moments {
    /// Counts an item, whether or not it says when it was created.
    pub fn add(&mut self, moment: Option<Moment>) {
        self.items += 1;
        if let Some(moment) = moment {
            self.moments.entry(moment.at).or_insert((moment, 0)).1 += 1;
        }
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.items
    }
}

/// What the second look at a page's last moment showed.
#[derive(Clone, Debug)]
pub(super) struct Glance<I> {
    /// What shares the moment.
    pub items: Vec<I>,
    /// Whether the page's last item is among them. If not, this was the wrong direction, or no look back at all.
    pub shows_last: bool,
    /// Whether the answer goes on behind the tie.
    pub goes_on: bool,
    /// How many items came.
    pub length: usize,
    /// How many were asked for.
    pub asked: usize,
}

impl<I> Default for Glance<I> {
    fn default() -> Self {
        Self { items: Vec::new(), shows_last: false, goes_on: false, length: 0, asked: 0 }
    }
}

/// A tie whose end was not shown.
#[derive(Clone, Debug)]
pub(super) struct OpenTie {
    /// The moment.
    pub at: Moment,
    /// How many items came.
    pub length: usize,
    /// How many were asked for.
    pub asked: usize,
    /// Whether nothing lies behind it.
    pub is_last: bool,
}

/// What is to be thought of a list whose end is an empty page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing can hide.
    Whole,
    /// Something could.
    Doubtful(String),
    /// The service must first show that it fills its pages: behind `cursor`, `expect` items must come when as many
    /// are asked for.
    Test {
        /// Where to ask; the beginning of the list where absent.
        cursor: Option<String>,
        /// How many to ask for.
        expect: usize,
    },
}

/// Judges a list that was read to an empty page.
pub(super) fn judge(list: &Moments, open: &[OpenTie], order: Option<Order>, largest_page: usize) -> Verdict {
    let Some(first) = open.first() else { return Verdict::Whole };
    let doubtful = || {
        let reason = format!("more of it than was shown may share the `created_at` {}", first.at.text());
        Verdict::Doubtful(reason)
    };
    let Moments { moments, items } = list;
    // Where no two items share a moment, nothing says that any do; but a service whose pages hold one item shows no
    // two of anything.
    let has_ties = moments.values().any(|(_, count)| *count > 1);
    let sees_pairs = largest_page > 1 || open.iter().all(|tie| tie.is_last);
    if !has_ties && sees_pairs && open.iter().all(|tie| tie.length == 1 && tie.asked > 1) {
        return Verdict::Whole;
    }
    // A tie that stops though the list goes on was cut. So was one that filled what was asked for.
    let is_short = first.length < first.asked && first.length < largest_page;
    if open.len() > 1 || !first.is_last || !is_short {
        return doubtful();
    }
    // Ask behind the earliest moment that leaves no more items than a page is known to hold, and for as many.
    let in_order: Vec<&(Moment, usize)> = match order {
        Some(Order::OldestFirst) => moments.values().collect(),
        Some(Order::NewestFirst) | None => moments.values().rev().collect(),
    };
    let mut left = *items;
    let mut cursor = None;
    for (moment, count) in in_order {
        if left <= largest_page {
            break;
        }
        left -= count;
        cursor = Some(moment.cursor());
    }
    if left < SMALLEST_TEST || left > largest_page {
        return doubtful();
    }
    Verdict::Test { cursor, expect: left }
}

/// When an item was created, where it says so.
pub(super) fn moment_of(item: &Value) -> Option<Moment> {
    Moment::parse(item.get("created_at")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(seconds: &[u64]) -> Vec<Value> {
        let at = |second: &u64| json!({"created_at": format!("2026-01-01T00:00:{second:02}Z")});
        seconds.iter().map(at).collect()
    }

    fn open(items: &[Value], length: usize, is_last: bool) -> OpenTie {
        OpenTie { at: moment_of(items.last().unwrap()).unwrap(), length, asked: 9, is_last }
    }

    fn verdict(seconds: &[u64], length: usize, is_last: bool, largest_page: usize) -> Verdict {
        let items = items(seconds);
        let mut list = Moments::default();
        for item in &items {
            list.add(moment_of(item));
        }
        judge(&list, &[open(&items, length, is_last)], Some(Order::NewestFirst), largest_page)
    }

    #[test]
    fn without_any_tie_a_single_last_item_is_the_end() {
        assert_eq!(verdict(&[9], 1, true, 1), Verdict::Whole);
        assert_eq!(verdict(&[9, 8, 7], 1, true, 3), Verdict::Whole);
        assert_eq!(verdict(&[9, 8, 7], 1, false, 2), Verdict::Whole);
        // Pages of one item can hide any tie.
        assert!(matches!(verdict(&[9, 8], 1, false, 1), Verdict::Doubtful(_)));
    }

    #[test]
    fn a_tie_at_the_end_is_believed_only_after_a_test_of_page_lengths() {
        assert_eq!(verdict(&[9, 8, 7, 6, 5, 5], 2, true, 6), Verdict::Test { cursor: None, expect: 6 });
        let behind = moment_of(&items(&[9])[0]).unwrap().cursor();
        assert_eq!(verdict(&[9, 9, 7, 6, 5, 4, 4], 2, true, 5), Verdict::Test { cursor: Some(behind), expect: 5 });
        for (seconds, length, largest_page) in [
            (&[8, 8][..], 2, 3),
            // A tie that fills a page.
            (&[9, 8, 7, 7, 7, 7, 7], 5, 5),
            (&[5, 5], 2, 2),
        ] {
            assert!(matches!(verdict(seconds, length, true, largest_page), Verdict::Doubtful(_)), "{seconds:?}");
        }
    }
}
