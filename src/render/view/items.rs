//! A list by its items, each with all that came, went or changed inside it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::account::{Item, Items, Seen};
use super::piece::{Line, Theirs, Tone, line};
use super::seen::{below, between, is_line};
use crate::model::value::same;
use crate::render::values::{ItemMark, kind_of, name_of, pair};

/// The change from one list to another.
pub(super) fn of(before: &[Value], after: &[Value]) -> Items {
    let pairs = pair(before, after);
    let labels = Labels::of(before, after);
    let mut items = Vec::new();
    let mut unchanged = 0;
    for (index, item) in after.iter().enumerate() {
        let label = labels.of_item(item, index);
        match pairs.get(&index).and_then(|old| before.get(*old)) {
            Some(old) if same(old, item) => unchanged += 1,
            Some(old) => items.push(Item {
                mark: ItemMark::Changed,
                label,
                seen: Some(Seen::Tree(below(Some(old), Some(item), false))),
            }),
            None => {
                let label = labels.at(item, (index, after.len()), "");
                items.push(Item { mark: ItemMark::Added, label, seen: inside(None, Some(item)) });
            }
        }
    }
    let stayed: BTreeSet<usize> = pairs.values().copied().collect();
    for (index, item) in before.iter().enumerate().filter(|(index, _)| !stayed.contains(index)) {
        let label = labels.at(item, (index, before.len()), "was ");
        items.push(Item { mark: ItemMark::Removed, label, seen: inside(Some(item), None) });
    }
    let has_moved = pairs.values().zip(pairs.values().skip(1)).any(|(a, b)| a > b);
    let order = if has_moved {
        after.iter().enumerate().map(|(index, item)| labels.in_order(item, index, pairs.get(&index))).collect()
    } else {
        Vec::new()
    };
    Items { items, unchanged, order }
}

/// What an item holds that its label does not say.
fn inside(before: Option<&Value>, after: Option<&Value>) -> Option<Seen> {
    let item = after.or(before)?;
    (!is_line(item)).then(|| between(before, after, true))
}

/// The name of an item, else what kind of item it is, as an action of a tool.
fn called(item: &Value) -> Option<String> {
    name_of(item).or_else(|| kind_of(item))
}

/// What items are called: by name, and where two have the same name, by their places too.
struct Labels {
    names: BTreeMap<String, bool>,
    /// Whether the list was there before and is there now, so that the place of an item in it says something.
    has_places: bool,
}

impl Labels {
    fn of(before: &[Value], after: &[Value]) -> Self {
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        for list in [before, after] {
            let mut met = BTreeSet::new();
            for name in list.iter().filter_map(called) {
                let again = !met.insert(name.clone());
                *names.entry(name).or_default() |= again;
            }
        }
        Self { names, has_places: !before.is_empty() && !after.is_empty() }
    }

    fn of_item(&self, item: &Value, index: usize) -> Line {
        match called(item) {
            Some(name) if self.names.get(&name).copied().unwrap_or_default() => {
                line![Tone::Plain; Theirs::code(name), " (item ", index + 1, ")"]
            }
            Some(name) => line![Tone::Plain; Theirs::code(name)],
            None if is_line(item) => line![Tone::Plain; Theirs::value(item)],
            None => line![Tone::Plain; "item ", index + 1],
        }
    }

    /// The label of an item that comes or goes, with its place: the first model answers, and the first action runs first.
    fn at(&self, item: &Value, (index, of): (usize, usize), was: &'static str) -> Line {
        if !self.has_places || of < 2 {
            return self.of_item(item, index);
        }
        let name = match called(item) {
            Some(name) => line![Tone::Plain; Theirs::code(name)],
            None if is_line(item) => line![Tone::Plain; Theirs::value(item)],
            None => line![Tone::Plain; "item"],
        };
        let place = match index {
            0 => line![Tone::Plain; "first of ", of],
            last if last + 1 == of => line![Tone::Plain; "last of ", of],
            other => line![Tone::Plain; "item ", other + 1, " of ", of],
        };
        name.and(line![Tone::Plain; " (", was]).and(place).with(Tone::Plain, ")")
    }

    /// The label in a new order: two of one name are told apart by where they were.
    fn in_order(&self, item: &Value, index: usize, was: Option<&usize>) -> Line {
        match (called(item), was) {
            (Some(name), Some(was)) if self.names.get(&name).copied().unwrap_or_default() => {
                line![Tone::Changed; Theirs::code(name), " (was item ", was + 1, ")"]
            }
            (None, Some(was)) if !is_line(item) => line![Tone::Changed; "item ", was + 1],
            _ => {
                let mut label = self.of_item(item, index);
                label.0.iter_mut().for_each(|word| word.tone = Tone::Changed);
                label
            }
        }
    }
}
