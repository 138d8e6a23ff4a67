//! What became of a value: a number with its delta, a list by its items, a prompt by its words, everything else whole.

use serde_json::Value;

use super::account::{Row, RowMark, Seen};
use super::items;
use super::piece::{Count, Line, Theirs, Tone, line};
use super::tree::nest;
use crate::model::FieldPath;
use crate::model::value::same;
use crate::plan::Shown;
use crate::plan::mask::{LOOKS_SECRET, SECRET_TEXT};
use crate::render::prose::{ProseDiff, count_words};
use crate::render::values::Delta;

/// Shorter texts of one line are shown as one value in place of another.
const SHORT_TEXT: usize = 60;
/// Shorter texts of one line that come or go are shown as a value, not as a text of so many words.
const SENTENCE: usize = 240;

/// What is said where nothing is or was.
const NONE: &str = "(none)";
/// What is said of a value that goes.
const REMOVED: &str = "(removed)";

/// The change from one shown value to another. `is_new` leaves out that there was nothing before.
pub(super) fn seen(before: &Shown, after: &Shown, is_new: bool) -> Seen {
    match (before, after) {
        (Shown::SecretUnchecked, _) | (_, Shown::SecretUnchecked) => {
            Seen::Note(line![Tone::Changed; "(secret) not checked"])
        }
        (Shown::Secret, Shown::Secret) => Seen::Note(line![Tone::Changed; "(secret) changed"]),
        (Shown::SecretByLook, Shown::SecretByLook) => Seen::Note(line![Tone::Changed; LOOKS_SECRET, " changed"]),
        // What takes the place of a secret is read whole.
        (Shown::Secret | Shown::SecretByLook, Shown::Value(value)) if !is_line(value) => {
            instead(Seen::Note(one_line(before, Tone::Removed)), between(None, Some(value), is_new))
        }
        (Shown::Value(value), Shown::Secret | Shown::SecretByLook | Shown::AtApply) if !is_line(value) => {
            instead(between(Some(value), None, false), turn(None, one_line(after, Tone::Added)))
        }
        (Shown::Absent | Shown::Value(_), Shown::Absent | Shown::Value(_)) => {
            between(value_of(before), value_of(after), is_new)
        }
        (before, after) => {
            let is_first = is_new && *before == Shown::Absent;
            let gone = *after == Shown::Absent;
            turn(
                (!is_first).then(|| one_line(before, Tone::Removed)),
                if gone { line![Tone::Danger; REMOVED] } else { one_line(after, Tone::Added) },
            )
        }
    }
}

fn turn(before: Option<Line>, after: Line) -> Seen {
    Seen::Turn { before, after, delta: None }
}

fn instead(before: Seen, after: Seen) -> Seen {
    Seen::Instead(Box::new(before), Box::new(after))
}

fn value_of(shown: &Shown) -> Option<&Value> {
    if let Shown::Value(value) = shown { Some(value) } else { None }
}

/// One shown value on one line, whole, or what stands for it.
pub(super) fn one_line(value: &Shown, tone: Tone) -> Line {
    match value {
        Shown::Absent => line![Tone::Quiet; NONE],
        Shown::Value(value) => line![tone; Theirs::value(value)],
        Shown::Secret => line![tone; SECRET_TEXT],
        Shown::SecretByLook => line![tone; LOOKS_SECRET],
        Shown::SecretUnchecked => line![tone; "(secret) not checked"],
        Shown::AtApply => line![tone; "(generated at apply)"],
    }
}

/// Whether a value is shown on one line: a scalar, a short text, or an empty list or object.
pub(super) fn is_line(value: &Value) -> bool {
    match value {
        Value::String(text) => is_short(text),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_short(text: &str) -> bool {
    !text.contains('\n') && text.chars().count() <= SHORT_TEXT
}

fn is_sentence(text: &str) -> bool {
    !text.contains('\n') && text.chars().count() <= SENTENCE
}

/// The change from one value to another; `None` stands for one that is absent.
pub(super) fn between(before: Option<&Value>, after: Option<&Value>, is_new: bool) -> Seen {
    match (before, after) {
        (Some(before), Some(after)) if same(before, after) => {
            Seen::Note(line![Tone::Changed; "differs in a secret alone"])
        }
        (Some(Value::String(before)), Some(Value::String(after))) => texts(before, after),
        (Some(Value::Number(a)), Some(Value::Number(b))) => Seen::Turn {
            before: before.map(|value| line![Tone::Removed; Theirs::value(value)]),
            after: after.map(|value| line![Tone::Added; Theirs::value(value)]).unwrap_or_default(),
            delta: Delta::of(a, b),
        },
        (Some(Value::Array(before)), Some(Value::Array(after))) => Seen::Items(items::of(before, after)),
        (None, Some(Value::Array(after))) if !after.is_empty() => Seen::Items(items::of(&[], after)),
        (Some(Value::Array(before)), None) if !before.is_empty() => Seen::Items(items::of(before, &[])),
        (Some(Value::Object(_)), Some(Value::Object(_))) => Seen::Tree(below(before, after, false)),
        (None, Some(Value::Object(map))) if !map.is_empty() => Seen::Tree(below(None, after, is_new)),
        (Some(Value::Object(map)), None) if !map.is_empty() => Seen::Tree(below(before, None, false)),
        (None, Some(Value::String(text))) if !is_sentence(text) => whole(true, text),
        (Some(Value::String(text)), None) if !is_sentence(text) => whole(false, text),
        (Some(old), Some(new)) if !is_line(old) || !is_line(new) => {
            instead(between(Some(old), None, false), between(None, Some(new), true))
        }
        (before, after) => turn(
            // A sentence that comes or goes is read where it stands; there is no other to compare it with.
            match before {
                Some(value) => Some(line![Tone::Removed; Theirs::value(value)]),
                None => (!is_new).then(|| line![Tone::Quiet; NONE]),
            },
            after.map_or_else(|| line![Tone::Danger; REMOVED], |value| line![Tone::Added; Theirs::value(value)]),
        ),
    }
}

fn whole(comes: bool, text: &str) -> Seen {
    let size = [Count(text.lines().count(), "line", "lines"), Count(count_words(text), "word", "words")];
    let [lines, words] = size;
    let size = if comes {
        line![Tone::Added; "new text, ", lines, ", ", words]
    } else {
        line![Tone::Danger; "removed text, ", lines, ", ", words]
    };
    Seen::Text { comes, size, text: Theirs::prose(text) }
}

fn texts(before: &str, after: &str) -> Seen {
    let diff = ProseDiff::of(before, after);
    if is_short(before) && is_short(after) && !diff.is_invisible() {
        let value = |tone, text: &str| line![tone; Theirs::value(&Value::from(text))];
        return turn(Some(value(Tone::Removed, before)), value(Tone::Added, after));
    }
    // Of a text that was empty or becomes so there are no words to compare.
    if before.is_empty() || after.is_empty() {
        let empty = |tone| line![tone; "\"\""];
        return if before.is_empty() {
            instead(turn(None, line![Tone::Quiet; "an empty text until now"]), whole(true, after))
        } else {
            instead(
                whole(false, before),
                turn(None, line![Tone::Danger; "empty from now on: "].and(empty(Tone::Danger))),
            )
        };
    }
    Seen::Prose { diff: Box::new(diff), after: Theirs::prose(after) }
}

/// The changed values below two values: a tree where all of them come or go, else one row each.
pub(super) fn below(before: Option<&Value>, after: Option<&Value>, is_new: bool) -> Vec<Row> {
    let mut found = Vec::new();
    let is_whole = before.is_none() || after.is_none();
    collect(before, after, &FieldPath::root(), is_new || before.is_none(), &mut found);
    if is_whole { nest(found) } else { found.into_iter().map(|(path, row)| row.at(&path)).collect() }
}

fn collect(
    before: Option<&Value>,
    after: Option<&Value>,
    path: &FieldPath,
    is_new: bool,
    out: &mut Vec<(FieldPath, Row)>,
) {
    let is_filled = |value: Option<&Value>| value.and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    let is_open = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if is_open(before) && is_open(after) && (is_filled(before) || is_filled(after)) {
        let members = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
        };
        let mut names = members(after);
        names.extend(members(before).into_iter().filter(|name| after.is_none_or(|after| after.get(name).is_none())));
        for name in names {
            let at = |value: Option<&'_ Value>| value.and_then(|value| value.get(&name)).cloned();
            collect(at(before).as_ref(), at(after).as_ref(), &path.child(name.as_str()), is_new, out);
        }
        // An empty object that is filled, or the other way, is told by what comes or goes.
        return;
    }
    let unchanged = match (before, after) {
        (Some(before), Some(after)) => same(before, after),
        (None, None) => true,
        _ => false,
    };
    if !unchanged {
        out.push((path.clone(), Row::of(between(before, after, is_new))));
    }
}

impl Row {
    /// A row of a value and nothing else; its path is set by [`Row::at`].
    pub(super) fn of(seen: Seen) -> Self {
        Self {
            mark: RowMark::None,
            lead: None,
            path: Theirs::code(""),
            remark: None,
            notes: Vec::new(),
            sides: None,
            seen,
        }
    }

    pub(super) fn at(self, path: &FieldPath) -> Self {
        Self { path: Theirs::code(path.to_string()), ..self }
    }
}
