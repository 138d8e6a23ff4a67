//! RFC 7396 on trees: one laid over another, every value keeping the place where it was written.

use std::collections::BTreeMap;

use super::tree::{Entry, Kind, Node};

/// From this many keys on, a map is indexed before it is patched. Below, looking through it is faster.
const INDEXED_FROM: usize = 32;

/// Lays `patch` over `target`. A null in the patch takes a key out; a null in the target stays, being a JSON null.
pub fn merge_patch(target: &mut Node, patch: Node) {
    if patch.tag.is_some() || !matches!(patch.kind, Kind::Map(_)) {
        *target = patch;
        return;
    }
    if target.tag.is_some() || !matches!(target.kind, Kind::Map(_)) {
        *target = Node::plain(patch.span.clone(), Kind::Map(Vec::new()));
    }
    let (Kind::Map(entries), Kind::Map(changes)) = (&mut target.kind, patch.kind) else { return };
    let index: Option<BTreeMap<String, usize>> = (entries.len() >= INDEXED_FROM)
        .then(|| entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect());
    let known = entries.len();
    let mut gone: Vec<usize> = Vec::new();
    for change in changes {
        let found = match &index {
            Some(index) => index.get(&change.key).copied(),
            // A patch has each key once, so what it added need not be looked through.
            None => entries.iter().take(known).position(|entry| entry.key == change.key),
        };
        let takes_out = matches!(change.value.kind, Kind::Null) && change.value.tag.is_none();
        match (found.and_then(|at| entries.get_mut(at).map(|entry| (at, entry))), takes_out) {
            (Some((at, _)), true) => gone.push(at),
            (None, true) => {}
            (Some((_, entry)), false) => {
                if !matches!(change.value.kind, Kind::Map(_)) {
                    entry.key_span = change.key_span;
                }
                merge_patch(&mut entry.value, change.value);
            }
            (None, false) => {
                let Entry { key, key_span, value } = change;
                let mut fresh = Node::plain(value.span.clone(), Kind::Null);
                merge_patch(&mut fresh, value);
                entries.push(Entry { key, key_span, value: fresh });
            }
        }
    }
    if !gone.is_empty() {
        gone.sort_unstable();
        let mut at = 0;
        entries.retain(|_| {
            let keep = gone.binary_search(&at).is_err();
            at += 1;
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::lower::into_value;
    use super::super::yaml;
    use super::*;
    use crate::diagnostics::{Diagnostics, SourceMap};
    use crate::model::value;

    fn tree(text: &str) -> Node {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", text);
        yaml::parse(file, text, &mut Diagnostics::new()).remove(0).root
    }

    #[test]
    fn the_examples_of_the_rfc_come_out_as_it_says() {
        for (target, patch, want) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r"{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            (r"[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            (r"{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let mut merged = tree(target);
            merge_patch(&mut merged, tree(patch));
            assert_eq!(into_value(merged).to_string(), want, "{target} {patch}");
        }
    }

    #[test]
    fn a_large_map_is_patched_as_a_small_one_is() {
        let lines = |count: usize, value: fn(usize) -> &'static str| {
            (0..count).flat_map(move |n| {
                ["k".to_owned(), n.to_string(), ": ".to_owned(), value(n).to_owned(), "\n".to_owned()]
            })
        };
        let target: String = lines(100, |_| "old").collect();
        let patch: String = lines(150, |n| if n % 3 == 0 { "null" } else { "new" }).collect();
        let mut merged = tree(&target);
        merge_patch(&mut merged, tree(&patch));
        let mut want = into_value(tree(&target));
        value::merge_patch(&mut want, into_value(tree(&patch)));
        assert_eq!(into_value(merged), want);
    }
}
