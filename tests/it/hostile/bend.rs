//! Bends a seed: bytes go, come and stand twice, pieces of other seeds are put in, values of its JSON are replaced.

use proptest::prelude::*;
use proptest::sample::Index;
use reachform::model::FieldPath;
use serde_json::{Value, json};

use super::targets::{Section, join, split};
use crate::render::infested::HOSTILE;

/// Bytes that mean something to one of the readers, beside those that broke out of something once.
const TOKENS: [&[u8]; 46] = [
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\n",
    b"\t",
    b"  ",
    b"\xc2\x85",
    b"\xc2\x9b",
    b"- ",
    b": ",
    b"? ",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"'",
    b"\"",
    b"#",
    b"|\n",
    b">-\n",
    b"---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!file agents/a.yaml",
    b"!merge [",
    b"!secret S",
    b"!var v",
    b"!agent a",
    b"!format \"{secret:S}{v}\"",
    b"!!binary ",
    b"null",
    b"9007199254740993",
    b"-0",
    b"1e999",
    b".nan",
    b"0x7fffffffffffffff",
    b"\n=== ",
    b"\\u0000",
];

/// One change of an input.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Bytes are put in.
    Insert(Index, Vec<u8>),
    /// Bytes go.
    Delete(Index, usize),
    /// Bytes stand several times.
    Repeat(Index, usize, usize),
    /// A bit is another one.
    Flip(Index, u8),
    /// A piece of another seed is put in.
    Splice(Index, Index, Index, usize),
    /// The rest goes.
    Cut(Index),
    /// A value in the JSON of a section becomes another one.
    Replace(Index, Index, Value),
    /// A value in the JSON of a section goes.
    Remove(Index, Index),
    /// A section comes again, as a second page does.
    Again(Index),
}

fn token() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::sample::select(TOKENS.to_vec()).prop_map(<[u8]>::to_vec),
        2 => prop::sample::select(HOSTILE.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ]
}

/// Values that a reader of JSON may not have thought of.
pub fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(vec![
            json!(0),
            json!(-1),
            json!(1),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(9_007_199_254_740_993_u64),
            json!(1e308),
            json!(5e-324),
            json!(-0.0),
            json!(0.1),
            json!({}),
            json!([]),
            json!([[]]),
            json!([null]),
            json!({"": null}),
            json!(""),
            json!(" "),
            json!("null"),
            json!("1"),
            json!("ag_a"),
            json!("ag_b"),
            json!("ver_1"),
            json!("+15550100000"),
            json!("2026-06-01T00:00:00Z"),
            json!("9999-12-31T23:59:60Z"),
            json!("****1234"),
            json!("Agent a"),
        ]),
        prop::sample::select(HOSTILE.to_vec()).prop_map(Value::from),
        (1_usize..200).prop_map(|depth| (0..depth).fold(json!(1), |inner, _| json!([inner]))),
        (1_usize..5_000).prop_map(|length| Value::from("x".repeat(length))),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

/// A few changes.
pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let index = any::<Index>;
    let edit = prop_oneof![
        4 => (index(), token()).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (index(), 1_usize..40).prop_map(|(at, length)| Edit::Delete(at, length)),
        2 => (index(), 1_usize..80, 2_usize..20).prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        1 => (index(), 0_u8..8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (index(), index(), index(), 1_usize..200)
            .prop_map(|(at, seed, from, length)| Edit::Splice(at, seed, from, length)),
        1 => index().prop_map(Edit::Cut),
        6 => (index(), index(), odd_value()).prop_map(|(section, at, value)| Edit::Replace(section, at, value)),
        2 => (index(), index()).prop_map(|(section, at)| Edit::Remove(section, at)),
        1 => index().prop_map(Edit::Again),
    ];
    prop::collection::vec(edit, 0..6)
}

/// Larger inputs only take longer.
const LARGEST: usize = 64 * 1024;

/// A seed with all changes made, one after the other.
pub fn bend(seed: &[u8], edits: &[Edit], seeds: &[&[u8]]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for edit in edits {
        let place = |at: &Index| at.index(bytes.len() + 1);
        let piece = |at: usize, length: usize| at..(at + length).min(bytes.len());
        match edit {
            Edit::Insert(at, token) => drop(bytes.splice(place(at)..place(at), token.iter().copied())),
            Edit::Delete(at, length) => drop(bytes.drain(piece(place(at), *length))),
            Edit::Repeat(at, length, times) => {
                let at = place(at);
                let repeated = bytes[piece(at, *length)].repeat(*times);
                drop(bytes.splice(at..at, repeated));
            }
            Edit::Flip(at, bit) => {
                let at = place(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Edit::Splice(at, seed, from, length) => {
                let other = seed.get(seeds);
                let from = from.index(other.len() + 1);
                let piece = &other[from..(from + length).min(other.len())];
                drop(bytes.splice(place(at)..place(at), piece.iter().copied()));
            }
            Edit::Cut(at) => bytes.truncate(place(at)),
            Edit::Replace(section, at, value) => bytes = in_json(&bytes, *section, *at, Some(value)),
            Edit::Remove(section, at) => bytes = in_json(&bytes, *section, *at, None),
            Edit::Again(section) => {
                let mut sections = split(&bytes);
                let again = section.get(&sections).clone();
                sections.push(again);
                bytes = join(&sections);
            }
        }
        bytes.truncate(LARGEST);
    }
    bytes
}

/// Replaces or takes out one value in the JSON of a section; a section that is no JSON stays as it is.
fn in_json(bytes: &[u8], section: Index, at: Index, value: Option<&Value>) -> Vec<u8> {
    let mut sections = split(bytes);
    let section: &mut Section = section.get_mut(&mut sections);
    let Ok(mut document) = serde_json::from_slice::<Value>(&section.body) else { return bytes.to_vec() };
    change(&mut document, at, value);
    section.body = document.to_string().into_bytes();
    join(&sections)
}

/// Replaces or takes out one value of a document.
pub fn change(document: &mut Value, at: Index, value: Option<&Value>) {
    let mut paths = Vec::new();
    places(document, &FieldPath::root(), &mut paths);
    let path = at.get(&paths);
    match value {
        Some(value) => path.set(document, value.clone()),
        None => drop(path.remove(document)),
    }
}

fn places(value: &Value, at: &FieldPath, out: &mut Vec<FieldPath>) {
    out.push(at.clone());
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| places(value, &at.child(name), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, value)| places(value, &at.index(index), out)),
        _ => {}
    }
}
