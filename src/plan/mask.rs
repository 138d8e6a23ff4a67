//! Masking, on the value tree and before anything is rendered. The masks that the service itself puts on are in `masked`.
//!
//! What is a secret is decided here and nowhere else: by where a `!secret` stands in the manifest, by the schema's marks,
//! by what the stamp remembers of secrets that were sent, by the name, and by the look of a text (design, section 10).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Map, Value};

use crate::model::look::{is_prose_under, keys_in, sounds_secret};
use crate::model::seal::SLOW_BELOW;
use crate::model::secret::SecretPart;
use crate::model::{ConfigShape, Declared, FieldPath, Seal, SecretText};

use super::change::{Kind, Shown};

/// What stands for a secret inside a text, a list or an object. A second one of the same agent is `(secret 2)`, so that a
/// secret that takes the place of another is seen to.
pub const SECRET_TEXT: &str = "(secret)";

/// What stands for a text that nobody called a secret, and that looks like a key.
pub const LOOKS_SECRET: &str = "(secret, by its look)";

/// Members whose text names what stands beside them under `value`: `{name: CRM_API_KEY, value: …}`.
const NAMING: [&str; 6] = ["name", "key", "header", "id", "variable", "field"];

/// Longest text that may have been a secret where the stamp does not list its secrets. Longer keys have a look of their
/// own, and a prompt is longer.
const LONGEST_SECRET: usize = 400;

/// Shortest value of a secret that is looked for inside a longer text: shorter ones are parts of common words.
const SHORTEST_INSIDE: usize = 4;

/// Knows which values may be shown.
#[derive(Clone, Copy)]
pub struct Mask<'a> {
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// The declaration.
    pub declared: Option<&'a Declared>,
    /// A whole config in which paths are looked up.
    pub config: &'a Value,
    /// What the agent's stamp knows of secrets that were sent.
    pub seal: Option<Seal<'a>>,
    /// Names of properties that the project says hold no secrets, whatever they sound like.
    pub not_secret: &'a BTreeSet<String>,
    /// How the hidden texts of this agent are told apart.
    pub labels: &'a Labels,
    /// Whether what is looked at is what Git declared when it was applied, so that the seal knows every secret in it.
    pub as_applied: bool,
}

/// Tells the hidden texts of one agent apart without giving any away: equal ones have one number.
#[derive(Debug, Default)]
pub struct Labels(RefCell<Known>);

#[derive(Default)]
struct Known {
    /// By the text, for what is live, was applied, or is the value of a `!secret`.
    values: BTreeMap<String, usize>,
    /// By the place and the text, for both sides.
    places: BTreeMap<(FieldPath, String), usize>,
    next: usize,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({})", self.next)
    }
}

impl Labels {
    fn number(&self, path: &FieldPath, hidden: &Hidden) -> Option<usize> {
        let Known { values, places, next } = &mut *self.0.borrow_mut();
        let (Identity::Value(text) | Identity::Literal(text)) = &hidden.identity else { return None };
        let place = (path.clone(), text.clone());
        let known = match &hidden.identity {
            Identity::Value(_) => values.get(text).or_else(|| places.get(&place)),
            // A text that Git holds is compared with what was live in its own place, and with nothing else: a list of
            // guesses would find the secret by its number.
            Identity::Literal(_) | Identity::Unchecked => places.get(&place),
        };
        let number = known.copied().unwrap_or_else(|| {
            *next += 1;
            *next - 1
        });
        if matches!(hidden.identity, Identity::Value(_)) {
            values.insert(text.clone(), number);
        }
        places.insert(place, number);
        Some(number)
    }

    fn label(&self, path: &FieldPath, hidden: &Hidden) -> String {
        let look = if hidden.by_look { ", by its look" } else { "" };
        match self.number(path, hidden) {
            None => "(secret, not checked)".to_owned(),
            Some(0) => format!("(secret{look})"),
            Some(number) => format!("(secret {}{look})", number + 1),
        }
    }
}

/// Whether a text of a shown value stands for one that is hidden.
pub fn is_placeholder(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("(secret").and_then(|rest| rest.strip_suffix(')')) else { return false };
    let inner = inner.strip_prefix(' ').map_or(inner, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    matches!(inner, "" | ", by its look" | ", not checked")
}

/// What tells a hidden text from another.
enum Identity {
    /// It is live, was applied, or is the value of a `!secret`.
    Value(String),
    /// Git holds it as it is.
    Literal(String),
    /// A `!secret` without a value in this run.
    Unchecked,
}

struct Hidden {
    identity: Identity,
    by_look: bool,
}

enum Piece {
    Text(String),
    Hidden(Hidden),
}

/// How much of a text may be shown.
enum Cover {
    Open,
    /// Nothing.
    Hidden(Hidden),
    /// The text with parts of it hidden.
    Partly(Vec<Piece>),
    /// Its length alone.
    Length(usize),
}

/// What of a text is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Nothing.
    Open,
    /// All of it.
    Whole,
    /// The parts that are, between those that are not, in order.
    Parts(Vec<Part>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What anyone may read.
    Text(String),
    /// A secret.
    Secret,
}

/// What stands for a text that may not be shown as it is.
type Replace<'r> = dyn Fn(&FieldPath, &str, Cover) -> String + 'r;

impl Mask<'_> {
    /// Whether the value at `path`, or a part of it, may not be shown.
    pub fn is_secret(&self, path: &FieldPath, value: &Value) -> bool {
        !matches!(self.cover(path, value, self.parent(path)), Cover::Open)
    }

    /// What of the value at `path` is a secret, for whoever writes the rest of it to a file.
    pub fn secrecy(&self, path: &FieldPath, value: &Value) -> Secrecy {
        match self.cover(path, value, self.parent(path)) {
            Cover::Open => Secrecy::Open,
            Cover::Hidden(_) | Cover::Length(_) => Secrecy::Whole,
            Cover::Partly(pieces) => {
                let part = |piece| match piece {
                    Piece::Text(text) => Part::Text(text),
                    Piece::Hidden(_) => Part::Secret,
                };
                Secrecy::Parts(pieces.into_iter().map(part).collect())
            }
        }
    }

    fn cover(&self, path: &FieldPath, value: &Value, parent: Option<&Map<String, Value>>) -> Cover {
        let declared = self.declared.and_then(|declared| declared.secrets().get(path));
        let Some(text) = value.as_str() else {
            let identity = || Identity::Value(value.to_string());
            return declared.map_or(Cover::Open, |_| Cover::Hidden(Hidden { identity: identity(), by_look: false }));
        };
        if let Some(secret) = declared.filter(|secret| !self.was_public(secret, text)) {
            return self.declared_secret(secret, text);
        }
        let whole = |by_look| Cover::Hidden(Hidden { identity: self.identity(path, text), by_look });
        // The schema judges what stands in this config. The value may be the other side's, and text only there.
        if self.seal.is_some_and(|seal| seal.is_secret(text))
            || (path.in_config() && self.shape.marks_secret(self.config, path))
        {
            return whole(false);
        }
        let name = name_of(path);
        let mut hidden = self.sent_inside(text);
        if !self.not_secret.contains(name) {
            let sounds = sounds_secret(name) || (path.in_config() && self.shape.is_secret(self.config, path));
            if (sounds && !is_prose_under(name, text)) || (name == "value" && self.is_named_secret(parent)) {
                return whole(false);
            }
            let keys = keys_in(text);
            if keys.first().is_some_and(|key| text.get(key.clone()) == Some(text.trim())) {
                return whole(true);
            }
            hidden.extend(keys.into_iter().map(|range| (range, true)));
        }
        if !hidden.is_empty() {
            let literal = self.is_literal(path, text);
            return Cover::Partly(pieces(text, hidden, literal));
        }
        if self.may_have_been_secret(path, text) {
            return Cover::Length(text.chars().count());
        }
        Cover::Open
    }

    /// Whether a text at the place of a `!secret` was declared in clear before there was one.
    fn was_public(&self, secret: &SecretText, text: &str) -> bool {
        self.as_applied
            && text != secret.named()
            && self.seal.is_some_and(|seal| seal.knows_its_secrets() && !seal.is_secret(text))
            && self.sent_inside(text).is_empty()
            && !secret.in_clear().iter().any(|known| text.contains(known.as_str()))
    }

    /// A text at the place of a `!secret`, or of a `!format` with secrets in it, of which only those are hidden: a prompt
    /// with a secret in it is still a prompt.
    fn declared_secret(&self, secret: &SecretText, text: &str) -> Cover {
        let hidden = |identity| Hidden { identity, by_look: false };
        let value = |value: Option<String>| hidden(value.map_or(Identity::Unchecked, Identity::Value));
        let is_named = text == secret.named();
        if let [SecretPart::Secret { .. }] = secret.0.as_slice() {
            let revealed = if is_named { secret.reveal() } else { Some(text.to_owned()) };
            return Cover::Hidden(value(revealed));
        }
        if is_named {
            let piece = |part: &SecretPart| match part {
                SecretPart::Text(text) => Piece::Text(text.clone()),
                SecretPart::Secret { .. } => Piece::Hidden(value(SecretText(vec![part.clone()]).reveal())),
            };
            return Cover::Partly(secret.0.iter().map(piece).collect());
        }
        let mut found = self.sent_inside(text);
        for known in secret.in_clear().iter().filter(|known| known.len() >= SHORTEST_INSIDE) {
            found.extend(text.match_indices(known.as_str()).map(|(at, part)| (at..at + part.len(), false)));
        }
        if found.is_empty() {
            // A secret is in it, and nobody here can say which part it is.
            return Cover::Hidden(value(Some(text.to_owned())));
        }
        Cover::Partly(pieces(text, found, false))
    }

    /// Words of a text that the stamp knows as secrets. Short ones are not looked for: each would take a slow hash.
    fn sent_inside(&self, text: &str) -> Vec<(Range<usize>, bool)> {
        let Some(seal) = self.seal else { return Vec::new() };
        let mut found = Vec::new();
        let is_around =
            |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '`' | '(' | ')' | '<' | '>');
        for word in text.split(is_around).map(|word| word.trim_end_matches(['.', ':', '!', '?'])) {
            if word.len() >= SLOW_BELOW && seal.is_long_secret(word) {
                // A word is a part of the text, so its place is the distance of their beginnings.
                let at = word.as_ptr() as usize - text.as_ptr() as usize;
                found.push((at..at + word.len(), false));
            }
        }
        found
    }

    fn identity(&self, path: &FieldPath, text: &str) -> Identity {
        if self.is_literal(path, text) { Identity::Literal(text.to_owned()) } else { Identity::Value(text.to_owned()) }
    }

    /// Whether Git holds the very text at the path.
    fn is_literal(&self, path: &FieldPath, text: &str) -> bool {
        let declared = self.declared.and_then(|declared| path.get(declared.tree()));
        declared.is_some_and(|declared| declared.as_str() == Some(text))
    }

    /// Whether an object names a secret whose value stands under `value`.
    pub(super) fn is_named_secret(&self, parent: Option<&Map<String, Value>>) -> bool {
        parent.is_some_and(|parent| {
            let names = NAMING.iter().filter_map(|member| parent.get(*member)?.as_str());
            // A variable that is called a key holds one: `CRM_KEY`.
            let is_key = |name: &str| name.to_ascii_lowercase().ends_with("_key");
            names.into_iter().any(|name| (sounds_secret(name) || is_key(name)) && !self.not_secret.contains(name))
        })
    }

    /// Whether a text that is not the declared one may be a secret that an earlier program sent: its stamp does not say.
    fn may_have_been_secret(&self, path: &FieldPath, text: &str) -> bool {
        let unknown = self.seal.is_some_and(|seal| !seal.knows_its_secrets());
        unknown
            && !text.is_empty()
            && text.chars().nth(LONGEST_SECRET).is_none()
            && *path != FieldPath::of(["name"])
            && !self.is_literal(path, text)
    }

    /// The object that the value at `path` stands in.
    pub(super) fn parent(&self, path: &FieldPath) -> Option<&Map<String, Value>> {
        path.within_config()?.parent()?.get(self.config)?.as_object()
    }

    /// The value as anyone may see it. Of two sides the one before is asked for first.
    pub fn shown(&self, path: &FieldPath, value: Option<&Value>) -> Shown {
        let Some(value) = value else { return Shown::Absent };
        match self.cover(path, value, self.parent(path)) {
            Cover::Hidden(Hidden { by_look: true, .. }) => Shown::SecretByLook,
            Cover::Hidden(_) => Shown::Secret,
            cover @ (Cover::Partly(_) | Cover::Length(_)) => Shown::Value(Value::String(self.text(path, cover))),
            Cover::Open => Shown::Value(self.below(path, value, &|path, _, cover| self.text(path, cover))),
        }
    }

    fn text(&self, path: &FieldPath, cover: Cover) -> String {
        match cover {
            Cover::Open => SECRET_TEXT.to_owned(),
            Cover::Hidden(hidden) => self.labels.label(path, &hidden),
            Cover::Partly(pieces) => {
                let piece = |piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Hidden(hidden) => self.labels.label(path, &hidden),
                };
                pieces.into_iter().map(piece).collect()
            }
            Cover::Length(length) => format!("(text of {length} characters)"),
        }
    }

    /// The value as it goes into a digest that anyone may see: what may not be shown stands there by its salted hash, or
    /// without a stamp to salt it by no more than its place. A bare digest of a PIN is undone by trying all.
    pub fn hashable(&self, path: &FieldPath, value: &Value) -> Value {
        self.covered(path, value, self.parent(path), &|_, text, _| {
            self.seal.map_or_else(|| SECRET_TEXT.to_owned(), |seal| seal.hash_secret(text).as_str().to_owned())
        })
    }

    /// The value with every text in it replaced that may not be shown as it is.
    fn covered(&self, path: &FieldPath, value: &Value, parent: Option<&Map<String, Value>>, by: &Replace<'_>) -> Value {
        match self.cover(path, value, parent) {
            Cover::Open => self.below(path, value, by),
            cover => Value::String(by(path, value.as_str().unwrap_or_default(), cover)),
        }
    }

    fn below(&self, path: &FieldPath, value: &Value, by: &Replace<'_>) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, item)| (key.clone(), self.covered(&path.child(key), item, Some(map), by)))
                .collect(),
            Value::Array(list) => {
                let items = list.iter().enumerate();
                items.map(|(index, item)| self.covered(&path.index(index), item, None, by)).collect()
            }
            // A text that only looks like the place of a secret is told from one.
            Value::String(text) if is_placeholder(text) => Value::String(format!("the text {text}")),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    /// The kind of a change, by the shape of its values.
    pub fn kind(&self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>) -> Kind {
        let value = after.or(before);
        let hides_all = |value| matches!(self.cover(path, value, self.parent(path)), Cover::Hidden(_));
        match value {
            Some(value) if hides_all(value) => Kind::Secret,
            Some(Value::String(_)) => Kind::Text,
            Some(Value::Number(_)) => Kind::Number,
            Some(Value::Bool(_)) => Kind::Bool,
            Some(Value::Array(_)) => Kind::List,
            Some(Value::Object(_)) => Kind::Object,
            Some(Value::Null) | None => match before {
                Some(before) if after.is_some() => self.kind(path, Some(before), None),
                _ => Kind::Other,
            },
        }
    }

    /// All texts of the config at secret paths.
    pub fn secret_texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.find_secret_texts(&FieldPath::config(), self.config, &mut found);
        found
    }

    fn find_secret_texts<'v>(&self, path: &FieldPath, value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| self.find_secret_texts(&path.child(key), value, found));
            }
            Value::Array(list) => {
                let items = list.iter().enumerate();
                items.for_each(|(index, value)| self.find_secret_texts(&path.index(index), value, found));
            }
            Value::String(text) => found.extend(self.is_secret(path, value).then_some(text.as_str())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A text in pieces, with ranges of it hidden; true means that a range only looks like a key.
fn pieces(text: &str, mut hidden: Vec<(Range<usize>, bool)>, is_literal: bool) -> Vec<Piece> {
    hidden.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut pieces = Vec::new();
    let mut done = 0;
    for (range, by_look) in hidden {
        if range.start < done {
            continue;
        }
        pieces.push(Piece::Text(text.get(done..range.start).unwrap_or_default().to_owned()));
        let part = text.get(range.clone()).unwrap_or_default().to_owned();
        let identity = if is_literal { Identity::Literal(part) } else { Identity::Value(part) };
        pieces.push(Piece::Hidden(Hidden { identity, by_look }));
        done = range.end;
    }
    pieces.push(Piece::Text(text.get(done..).unwrap_or_default().to_owned()));
    pieces
}

/// The name of the property at a path; an element of a list has that of the list.
pub(super) fn name_of(path: &FieldPath) -> &str {
    let is_index = |step: &&String| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    path.steps().iter().rev().find(|step| !is_index(step)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shape::NoShape;
    use serde_json::json;

    #[test]
    fn a_secret_inside_a_list_is_masked_and_its_neighbours_are_not() {
        let config = json!({"list": [{"bucket": "b", "access_key": "AKIA-1234"}], "max_tokens": 5});
        let mask = Mask {
            shape: &NoShape,
            declared: None,
            config: &config,
            seal: None,
            not_secret: &BTreeSet::new(),
            labels: &Labels::default(),
            as_applied: false,
        };
        let path = FieldPath::parse("/config/list").unwrap();
        assert_eq!(
            mask.shown(&path, config.get("list")),
            Shown::Value(json!([{"bucket": "b", "access_key": "(secret)"}]))
        );
        let tokens = FieldPath::parse("/config/max_tokens").unwrap();
        assert_eq!(mask.shown(&tokens, config.get("max_tokens")), Shown::Value(json!(5)));
    }
}
