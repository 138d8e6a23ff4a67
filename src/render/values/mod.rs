//! What became of a value, before any format: a number with its delta, a list by its items, a prompt by its words.

mod inline;
mod lists;

use serde_json::Value;

use super::prose::{ProseDiff, count_words};
use crate::model::FieldPath;
use crate::model::value::same;
use crate::plan::Shown;
use crate::plan::mask::{LOOKS_SECRET, SECRET_TEXT};

pub use inline::{Delta, grouped, inline, plural};
pub use lists::{ItemChange, ItemMark, ListChange, kind_of, name_of, pair};

/// The change of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// One short value in place of another.
    Simple {
        /// The value before, on one line.
        before: String,
        /// The value after, on one line.
        after: String,
        /// By how much a number moved.
        delta: Option<Delta>,
    },
    /// Nothing but a sentence: a secret, or a difference that is not shown.
    Note(String),
    /// A text that is changed.
    Prose(Box<ProseDiff>),
    /// A long text that was not there before.
    NewText(String),
    /// A list.
    List(ListChange),
    /// An object, by the values below it.
    Fields(Vec<FieldEdit>),
}

/// A changed value below another one.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldEdit {
    /// Where, from the value that holds it.
    pub path: FieldPath,
    /// What became of it.
    pub change: Change,
}

/// Shorter texts of one line are shown whole, as one value in place of another.
const SHORT_TEXT: usize = 60;

/// What stands for nothing.
pub const NONE: &str = "(none)";
/// How the description of a long text begins.
pub const LONG_TEXT: &str = "text of ";
/// What stands for a value that goes.
pub const REMOVED: &str = "(removed)";

impl Change {
    /// The change from one shown value to another.
    pub fn of(before: &Shown, after: &Shown) -> Self {
        match (before, after) {
            (Shown::SecretUnchecked, _) | (_, Shown::SecretUnchecked) => Self::Note("(secret) not checked".to_owned()),
            (Shown::Secret, Shown::Secret) => Self::Note("(secret) changed".to_owned()),
            (Shown::SecretByLook, Shown::SecretByLook) => Self::Note(format!("{LOOKS_SECRET} changed")),
            // What takes the place of a secret is read in full.
            (Shown::Secret | Shown::SecretByLook, Shown::Value(Value::String(text))) if !is_short(text) => {
                Self::NewText(text.clone())
            }
            (Shown::Secret | Shown::SecretByLook | Shown::AtApply, _)
            | (_, Shown::Secret | Shown::SecretByLook | Shown::AtApply) => {
                Self::simple(&label(before, NONE), &label(after, REMOVED), None)
            }
            (before, after) => Self::between(value_of(before), value_of(after)),
        }
    }

    /// The change from one value to another; `None` stands for one that is absent.
    fn between(before: Option<&Value>, after: Option<&Value>) -> Self {
        match (before, after) {
            (Some(before), Some(after)) if same(before, after) => Self::Note("differs in a secret alone".to_owned()),
            (Some(Value::String(before)), Some(Value::String(after))) => texts(before, after),
            (Some(Value::Number(before)), Some(Value::Number(after))) => {
                Self::simple(&before.to_string(), &after.to_string(), Delta::of(before, after))
            }
            (Some(Value::Array(before)), Some(Value::Array(after))) => Self::List(ListChange::of(before, after)),
            (None, Some(Value::Array(after))) if !after.is_empty() => Self::List(ListChange::of(&[], after)),
            (Some(Value::Object(_)), Some(Value::Object(_))) => Self::Fields(edits(before, after)),
            (None, Some(Value::Object(map))) if !map.is_empty() => Self::Fields(edits(before, after)),
            (None, Some(Value::String(text))) if !is_short(text) => Self::NewText(text.clone()),
            (before, after) => {
                Self::simple(&before.map_or(NONE.to_owned(), inline), &after.map_or(REMOVED.to_owned(), inline), None)
            }
        }
    }

    fn simple(before: &str, after: &str, delta: Option<Delta>) -> Self {
        Self::Simple { before: before.to_owned(), after: after.to_owned(), delta }
    }
}

/// One shown value on one line; of a long text no more than its size, for two long texts mostly begin alike.
pub fn brief(value: &Shown) -> String {
    match value {
        Shown::Value(Value::String(text)) if !is_short(text) => {
            format!("{LONG_TEXT}{}", plural(count_words(text), "word", "words"))
        }
        value => label(value, NONE),
    }
}

fn label(value: &Shown, absent: &str) -> String {
    match value {
        Shown::Absent => absent.to_owned(),
        Shown::Value(value) => inline(value),
        Shown::Secret => SECRET_TEXT.to_owned(),
        Shown::SecretByLook => LOOKS_SECRET.to_owned(),
        Shown::SecretUnchecked => "(secret) not checked".to_owned(),
        Shown::AtApply => "(generated at apply)".to_owned(),
    }
}

fn value_of(shown: &Shown) -> Option<&Value> {
    match shown {
        Shown::Value(value) => Some(value),
        Shown::Absent | Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked | Shown::AtApply => None,
    }
}

fn is_short(text: &str) -> bool {
    !text.contains('\n') && text.chars().count() <= SHORT_TEXT
}

fn texts(before: &str, after: &str) -> Change {
    let diff = ProseDiff::of(before, after);
    if is_short(before) && is_short(after) && !diff.is_invisible() {
        return Change::simple(&inline::quoted(before), &inline::quoted(after), None);
    }
    Change::Prose(Box::new(diff))
}

/// The changed values below two values, in the order of the new one, what went behind it.
fn edits(before: Option<&Value>, after: Option<&Value>) -> Vec<FieldEdit> {
    let mut out = Vec::new();
    collect(before, after, &FieldPath::root(), &mut out);
    out
}

fn collect(before: Option<&Value>, after: Option<&Value>, path: &FieldPath, out: &mut Vec<FieldEdit>) {
    let is_filled = |value: Option<&Value>| value.and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    let is_open = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if is_open(before) && is_open(after) && (is_filled(before) || is_filled(after)) {
        let keys = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
        };
        let mut names = keys(after);
        names.extend(keys(before).into_iter().filter(|name| after.is_none_or(|after| after.get(name).is_none())));
        for name in names {
            let at = |value: Option<&Value>| value.and_then(|value| value.get(&name)).cloned();
            collect(at(before).as_ref(), at(after).as_ref(), &path.child(name), out);
        }
        return;
    }
    let unchanged = match (before, after) {
        (Some(before), Some(after)) => same(before, after),
        (None, None) => true,
        _ => false,
    };
    if !unchanged {
        out.push(FieldEdit { path: path.clone(), change: Change::between(before, after) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(before: Value, after: Value) -> Change {
        Change::of(&Shown::Value(before), &Shown::Value(after))
    }

    #[test]
    fn short_texts_are_shown_whole_and_blanks_are_named() {
        assert_eq!(change(json!("gpt-4o"), json!("gpt-5")), Change::simple("\"gpt-4o\"", "\"gpt-5\"", None));
        assert!(matches!(change(json!("a b"), json!("a  b")), Change::Prose(diff) if diff.is_invisible()));
    }

    #[test]
    fn secrets_say_that_they_changed_and_nothing_else() {
        assert_eq!(Change::of(&Shown::Secret, &Shown::Secret), Change::Note("(secret) changed".into()));
        assert_eq!(Change::of(&Shown::Absent, &Shown::SecretUnchecked), Change::Note("(secret) not checked".into()));
        let masked = json!([{"name": "a", "token": "(secret)"}]);
        assert_eq!(change(masked.clone(), masked), Change::Note("differs in a secret alone".into()));
    }

    #[test]
    fn values_below_an_object_are_told_one_by_one() {
        let found = change(json!({"a": {"b": 1, "c": 2}, "d": 3}), json!({"a": {"b": 2}, "d": 3, "e": {"f": true}}));
        let Change::Fields(fields) = found else { panic!("{found:?}") };
        let paths: Vec<String> = fields.iter().map(|field| field.path.to_string()).collect();
        assert_eq!(paths, ["/a/b", "/a/c", "/e/f"]);
        assert_eq!(fields[1].change, Change::simple("2", REMOVED, None));
    }
}
