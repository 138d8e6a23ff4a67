//! Lists by their items: what came, what went, what changed inside, what stands elsewhere.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::model::FieldPath;
use crate::model::value::{canonical, leaves};

/// The names that tell items apart, in the order in which they are tried (design, section 5).
const IDENTITIES: [&str; 3] = ["id", "name", "key"];

/// Above this, items without an identity are paired by position: likeness is quadratic.
const LIKENESS_ITEMS: usize = 200;

/// Items with less than this of their leaves in common, in percent, are two items.
const LIKENESS_PERCENT: usize = 40;

/// The names of what says of which kind an item is.
const DISCRIMINATORS: [&str; 2] = ["type", "kind"];

/// What being of one kind adds to likeness: items of another kind are paired only where much else is the same.
const KIN_PERCENT: usize = 30;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemMark {
    /// Came.
    Added,
    /// Went.
    Removed,
    /// Changed inside.
    Changed,
}

impl ItemMark {
    /// The mark before its name.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Removed => "-",
            Self::Changed => "~",
        }
    }
}

/// Which new item is which old one: by identity, and what that leaves by equality, then by discriminator and likeness, so
/// that a renamed item is one item.
pub fn pair(before: &[Value], after: &[Value]) -> BTreeMap<usize, usize> {
    let objects = before.iter().chain(after).all(Value::is_object);
    let identity = IDENTITIES.iter().find(|name| tells_apart(name, before) && tells_apart(name, after));
    let mut pairs = match identity.filter(|_| objects) {
        Some(identity) => same_identity(identity, before, after),
        None => equal_items(before, after),
    };
    if !objects {
        return pairs;
    }
    let taken: BTreeSet<usize> = pairs.values().copied().collect();
    let old_left: Vec<usize> = (0..before.len()).filter(|index| !taken.contains(index)).collect();
    let new_left: Vec<usize> = (0..after.len()).filter(|index| !pairs.contains_key(index)).collect();
    if old_left.len().max(new_left.len()) > LIKENESS_ITEMS {
        pairs.extend(new_left.iter().copied().filter(|index| old_left.contains(index)).map(|index| (index, index)));
        return pairs;
    }
    pairs.extend(alike(before, after, &old_left, &new_left));
    pairs
}

fn same_identity(identity: &str, before: &[Value], after: &[Value]) -> BTreeMap<usize, usize> {
    let old: BTreeMap<String, usize> =
        before.iter().enumerate().filter_map(|(index, item)| Some((scalar(item.get(identity)?)?, index))).collect();
    let place = |item: &Value| old.get(&scalar(item.get(identity)?)?).copied();
    after.iter().enumerate().filter_map(|(index, item)| Some((index, place(item)?))).collect()
}

/// Whether a name stands in every item, with another scalar in each.
fn tells_apart(name: &str, items: &[Value]) -> bool {
    let values: Option<BTreeSet<String>> = items.iter().map(|item| scalar(item.get(name)?)).collect();
    values.is_some_and(|values| values.len() == items.len())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Equal items: those in order first, then those that changed places.
fn equal_items(before: &[Value], after: &[Value]) -> BTreeMap<usize, usize> {
    let bytes = |items: &[Value]| -> Vec<Vec<u8>> { items.iter().map(canonical).collect() };
    let (old, new) = (bytes(before), bytes(after));
    let mut pairs = BTreeMap::new();
    let mut left: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    for op in &ops {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            pairs.extend((0..*len).map(|step| (new_index + step, old_index + step)));
        } else {
            for index in op.old_range().rev() {
                left.entry(old.get(index).map_or(&[], Vec::as_slice)).or_default().push(index);
            }
        }
    }
    for places in left.values_mut() {
        places.sort_unstable_by_key(|place| Reverse(*place));
    }
    for (index, item) in new.iter().enumerate() {
        if !pairs.contains_key(&index)
            && let Some(place) = left.get_mut(item.as_slice()).and_then(Vec::pop)
        {
            pairs.insert(index, place);
        }
    }
    pairs
}

/// Pairs what is most alike first; ties fall to the earlier.
fn alike(before: &[Value], after: &[Value], old_left: &[usize], new_left: &[usize]) -> Vec<(usize, usize)> {
    let read = |items: &[Value], left: &[usize]| -> Vec<(usize, BTreeSet<Vec<u8>>)> {
        left.iter().filter_map(|index| Some((*index, leaf_set(items.get(*index)?)))).collect()
    };
    let (old, new) = (read(before, old_left), read(after, new_left));
    let mut scores = Vec::new();
    for (j, new_leaves) in &new {
        for (i, old_leaves) in &old {
            let most = old_leaves.len().max(new_leaves.len()).max(1);
            let kin = before.get(*i).zip(after.get(*j)).is_some_and(|(old, new)| is_of_one_kind(old, new));
            let percent = old_leaves.intersection(new_leaves).count() * 100 / most + if kin { KIN_PERCENT } else { 0 };
            if percent >= LIKENESS_PERCENT {
                scores.push((Reverse(percent), *j, *i));
            }
        }
    }
    scores.sort_unstable();
    let (mut used_old, mut used_new) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, j, i) in scores {
        if !used_old.contains(&i) && !used_new.contains(&j) {
            used_old.insert(i);
            used_new.insert(j);
            pairs.push((j, i));
        }
    }
    pairs
}

/// The kind of an item, by its discriminator.
pub fn kind_of(item: &Value) -> Option<String> {
    DISCRIMINATORS.iter().find_map(|name| scalar(item.get(name)?))
}

/// Whether a discriminator says that two items are of one kind.
fn is_of_one_kind(old: &Value, new: &Value) -> bool {
    DISCRIMINATORS.iter().any(|name| old.get(name).is_some() && old.get(name) == new.get(name))
}

fn leaf_set(item: &Value) -> BTreeSet<Vec<u8>> {
    leaves(item, &FieldPath::root())
        .into_iter()
        .map(|(path, value)| {
            let mut bytes = path.to_string().into_bytes();
            bytes.push(0);
            bytes.extend(canonical(&value));
            bytes
        })
        .collect()
}

/// How an item is called: by its identity, also one level down (`{type, function: {name}}`).
pub fn name_of(item: &Value) -> Option<String> {
    let map = item.as_object()?;
    // People know a tool by its name; its id is the next best.
    let name = ["name", "id", "key"].iter().find_map(|name| scalar(map.get(*name)?));
    name.or_else(|| map.values().find_map(|value| IDENTITIES.iter().find_map(|name| scalar(value.get(name)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Pairs as `new<-old`, in the order of the new list.
    fn paired(before: &Value, after: &Value) -> String {
        let pairs = pair(before.as_array().unwrap(), after.as_array().unwrap());
        let shown: Vec<String> = pairs.iter().map(|(new, old)| format!("{new}<-{old}")).collect();
        shown.join(" ")
    }

    #[test]
    fn objects_are_paired_by_identity_also_when_they_change_places() {
        let before = json!([{"name": "a", "x": 1}, {"name": "b", "x": 1}, {"name": "c", "x": 1}]);
        let after = json!([{"name": "c", "x": 1}, {"name": "a", "x": 2}, {"name": "d", "x": 7}]);
        assert_eq!(paired(&before, &after), "0<-2 1<-0");
    }

    #[test]
    fn a_renamed_item_that_is_alike_is_one_item() {
        let before = json!([{"name": "a", "x": 1}, {"name": "b", "x": 1, "y": 2}]);
        let after = json!([{"name": "a", "x": 1}, {"name": "d", "x": 1, "y": 2}]);
        assert_eq!(paired(&before, &after), "0<-0 1<-1");
    }

    #[test]
    fn objects_without_identity_are_paired_by_likeness() {
        let before = json!([{"q": 1, "r": 2, "s": 3}, {"q": 7, "r": 8, "s": 9}]);
        let after = json!([{"q": 7, "r": 8, "s": 0}, {"t": 5}]);
        assert_eq!(paired(&before, &after), "0<-1");
    }

    #[test]
    fn scalars_are_items_by_value() {
        assert_eq!(paired(&json!(["a", "b", "c"]), &json!(["c", "a", "d"])), "0<-2 1<-0");
        assert_eq!(paired(&json!([1, 2]), &json!([2.0, 1])), "0<-1 1<-0");
    }

    #[test]
    fn long_lists_without_identity_are_paired_by_position() {
        let before: Vec<Value> = (0..300).map(|n| json!({"v": n, "w": n})).collect();
        let after: Vec<Value> = (0..300).map(|n| json!({"v": -n - 1, "w": -n - 1})).collect();
        let pairs = pair(&before, &after);
        assert!(pairs.len() == 300 && pairs.iter().all(|(new, old)| new == old));
    }
}
