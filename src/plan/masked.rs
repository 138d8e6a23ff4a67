//! Secrets that the service does not show: masks, and what stands for one.
//!
//! A config is written whole. What the service shows in place of a secret would be stored as the secret itself, so a
//! value that may be a mask is never sent back (design, section 5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::FieldPath;
use crate::model::look::{is_prose_under, keys_in, sounds_secret, words};

use super::mask::{Mask, name_of};

/// Fewest mask characters in a row that make a mask; fewer is a text that happens to hold an asterisk.
const MASK_RUN: usize = 3;

/// The same for letters and signs that a real key may well repeat.
const LONG_RUN: usize = 6;

/// How many characters of the secret a mask of such signs may leave in clear at its end.
const MASK_TAIL: usize = 4;

/// Longest text in brackets that is a word about a secret and not the secret.
const BRACKETED: usize = 40;

/// Shortest text that may be a secret nobody declared. A shorter one may as well be what a service shows in its place.
const SHORTEST: usize = 8;

/// From how many characters on letters alone may be a secret.
const LETTERS_ALONE: usize = 20;

/// How a reference to a secret kept elsewhere, or an encrypted or hashed one, begins.
const REFERENCES: [&str; 24] = [
    "secret:",
    "secrets:",
    "secret/",
    "secrets/",
    "vault:",
    "arn:",
    "op:",
    "ssm:",
    "kms:",
    "enc:",
    "enc[",
    "env:",
    "ref:",
    "sops:",
    "keyring:",
    "keychain:",
    "projects/",
    "sha1:",
    "sha256:",
    "sha512:",
    "hash:",
    "md5:",
    "bcrypt:",
    "$2b$",
];

/// Last words of names that sound secret and say something about a secret instead of holding one.
const ABOUT: [&str; 16] = [
    "type", "mode", "method", "name", "format", "scheme", "strategy", "policy", "header", "field", "kind", "status",
    "provider", "version", "source", "location",
];

/// Words that stand for a secret, with or without brackets.
const WORDS: [&str; 18] = [
    "redacted",
    "hidden",
    "masked",
    "filtered",
    "censored",
    "concealed",
    "obfuscated",
    "removed",
    "encrypted",
    "notshown",
    "secret",
    "protected",
    "protectedvalue",
    "configured",
    "notconfigured",
    "unchanged",
    "placeholder",
    "undefined",
];

/// Whether a text at a secret path is a mask, or may be one: what a secret is masked as differs from service to service, and
/// a text that does not look like a secret is not taken for one.
pub fn looks_masked(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || holds_run(text) || is_bracketed_word(text) || is_word(text) || !may_be_genuine(text)
}

fn may_be_genuine(text: &str) -> bool {
    if is_template(text) || !keys_in(text).is_empty() {
        return true;
    }
    let small = text.to_lowercase();
    let length = text.chars().count();
    let has_digit = text.chars().any(|c| c.is_ascii_digit());
    // Cookies and connection strings have blanks in them, and so has a header with its scheme.
    let has_scheme = ["bearer ", "basic ", "token "].iter().any(|scheme| small.starts_with(scheme));
    let may_have_blanks = has_scheme || (has_digit && text.contains('='));
    let is_mixed = text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
    length >= SHORTEST
        && !REFERENCES.iter().any(|reference| small.starts_with(reference))
        && !text.starts_with(['{', '[', '<', '('])
        && (may_have_blanks || !text.contains(char::is_whitespace))
        && (has_digit || is_mixed || length >= LETTERS_ALONE)
}

/// A text with a variable in it that the service fills in during a call: `Bearer {{token}}`.
fn is_template(text: &str) -> bool {
    let between = |open: &str, close: &str| Some(text.split_once(open)?.1.split_once(close)?.0);
    let name = between("{{", "}}").or_else(|| between("${", "}"));
    name.is_some_and(|name| !name.trim().is_empty() && !is_word(name))
}

fn holds_run(text: &str) -> bool {
    let runs = || {
        text.chars().zip(text.chars().scan((None, 0_usize), |(last, count), c| {
            *count = if *last == Some(c) { *count + 1 } else { 1 };
            *last = Some(c);
            Some(*count)
        }))
    };
    let anywhere = runs().any(|(c, count)| match c {
        '*' | '•' | '●' | '·' | '█' | '…' | '.' => count >= MASK_RUN || c == '…',
        'x' | 'X' | '#' => count >= LONG_RUN,
        _ => false,
    });
    // `-----BEGIN …` and a base64 text that begins with `xxx` are no masks, a run and four characters are one.
    let leading = text.chars().next().map_or(0, |first| text.chars().take_while(|c| *c == first).count());
    let rest = text.chars().count() - leading;
    anywhere || (text.starts_with(['x', 'X', '#', '-', '_']) && leading >= MASK_RUN && (rest == 0 || rest == MASK_TAIL))
}

/// `[REDACTED]`, `<hidden>`, `(not shown)`. A template such as `{{token}}` is none.
fn is_bracketed_word(text: &str) -> bool {
    let inner = [('[', ']'), ('<', '>'), ('(', ')')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close));
    inner.is_some_and(|inner| {
        inner.chars().nth(BRACKETED).is_none()
            && inner.chars().any(char::is_alphabetic)
            && inner.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | ':' | '.'))
    })
}

fn is_word(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    WORDS.contains(&plain.as_str())
}

impl Mask<'_> {
    /// Where `new`, which is about to be sent, holds a mask instead of a secret or lacks a secret that the schema
    /// requires, at a path that the declaration does not name. The config of this [`Mask`] is the new one.
    pub fn masked_by_service(&self, is_declared: &dyn Fn(&FieldPath) -> bool) -> Vec<FieldPath> {
        let mut found = Vec::new();
        self.find_masked(&FieldPath::config(), self.config, is_declared, &mut found);
        found.extend(self.find_repeated(is_declared));
        found.sort();
        found.dedup();
        found
    }

    /// The places of one text under secrets of several names: no two secrets are alike, and masks often are. The same
    /// name several times, such as the header of several tools, may well hold one secret.
    fn find_repeated(&self, is_declared: &dyn Fn(&FieldPath) -> bool) -> Vec<FieldPath> {
        let mut by_text: BTreeMap<&str, Vec<FieldPath>> = BTreeMap::new();
        let mut texts = Vec::new();
        find_texts(&FieldPath::config(), self.config, &mut texts);
        for (path, value, text) in texts {
            if !is_declared(&path) && self.may_hold_secret(&path, value) && !says_about(name_of(&path)) {
                by_text.entry(text.trim()).or_default().push(path);
            }
        }
        let is_under_several = |paths: &Vec<FieldPath>| {
            let names: BTreeSet<&str> = paths.iter().map(name_of).collect();
            names.len() > 1
        };
        let repeated = by_text.into_iter().filter(|(text, paths)| !is_template(text) && is_under_several(paths));
        repeated.flat_map(|(_, paths)| paths).collect()
    }

    fn find_masked(
        &self,
        path: &FieldPath,
        value: &Value,
        is_declared: &dyn Fn(&FieldPath) -> bool,
        found: &mut Vec<FieldPath>,
    ) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.find_masked(&path.child(key), value, is_declared, found);
                }
                for name in self.shape.property_order(self.config, path) {
                    let at = path.child(&name);
                    let lacks = !map.contains_key(&name) && self.shape.requires(self.config, &at);
                    if lacks && !is_declared(path) && !is_often_prose(&name) && self.shape.is_secret(self.config, &at) {
                        found.push(at);
                    }
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.find_masked(&path.index(index), value, is_declared, found);
                }
            }
            Value::String(_) | Value::Null => {
                let is_mask = value.as_str().is_none_or(looks_masked);
                let is_mask = is_mask && !(value.is_string() && self.only_speaks_of_one(path, value));
                if is_mask && !is_declared(path) && self.may_hold_secret(path, value) && !self.is_filled_in(path, value)
                {
                    found.push(path.clone());
                }
            }
            Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether a secret may stand at a path that shows a mask, null or an empty text now. What the seal or the look of
    /// the text say is about the text that is there, and that is not the secret.
    fn may_hold_secret(&self, path: &FieldPath, value: &Value) -> bool {
        if self.shape.marks_secret(self.config, path) {
            return true;
        }
        let name = name_of(path);
        if self.not_secret.contains(name) {
            return false;
        }
        if name == "value" && self.is_named_secret(self.parent(path)) {
            return true;
        }
        let text = value.as_str().unwrap_or_default();
        if !sounds_secret(name) || is_prose_under(name, text) || (text.trim().is_empty() && is_often_prose(name)) {
            return false;
        }
        // Only where text may stand: `max_tokens` is null as often as not.
        let Some(inner) = path.within_config() else { return false };
        let mut without = self.config.clone();
        value.is_string() || { inner.remove(&mut without).is_some() && self.shape.is_secret(&without, path) }
    }

    /// Whether a text under a name that sounds secret only says something about a secret: `auth_type: bearer`.
    fn only_speaks_of_one(&self, path: &FieldPath, value: &Value) -> bool {
        !self.shape.marks_secret(self.config, path)
            && says_about(name_of(path))
            && value.as_str().is_some_and(|text| text.trim().chars().any(char::is_alphanumeric))
    }

    /// Whether null is only what a service writes where nothing was ever set: it fills in the defaults of the object, as
    /// another property beside it shows.
    fn is_filled_in(&self, path: &FieldPath, value: &Value) -> bool {
        let is_default = |path: &FieldPath, value: &Value| {
            value.is_null() && self.shape.default_at(self.config, path).is_some_and(|default| default.is_null())
        };
        let Some((above, siblings)) = path.parent().zip(self.parent(path)) else { return false };
        is_default(path, value)
            && siblings.iter().any(|(name, value)| {
                let at = above.child(name);
                at != *path && !sounds_secret(name) && is_default(&at, value)
            })
    }
}

/// Whether the last word of a name says that it holds something about a secret and not the secret.
fn says_about(name: &str) -> bool {
    words(name).last().is_some_and(|last| ABOUT.contains(&last.as_str()))
}

/// Every text in a value, lists and the objects in them included.
fn find_texts<'v>(path: &FieldPath, value: &'v Value, found: &mut Vec<(FieldPath, &'v Value, &'v str)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| find_texts(&path.child(key), value, found)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| find_texts(&path.index(index), value, found));
        }
        Value::String(text) => found.push((path.clone(), value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a name that sounds secret is as often that of a text for people, which may well be empty.
fn is_often_prose(name: &str) -> bool {
    is_prose_under(name, "two words")
}

#[cfg(test)]
mod tests {
    use super::looks_masked;

    #[test]
    fn a_run_anywhere_a_word_in_brackets_and_nothing_at_all_are_masks() {
        for masked in [
            "",
            " ",
            "***",
            "********",
            "••••abcd",
            "xxxx",
            "REA*****",
            "sk-...f3a1",
            "sk-…f3a1",
            "sk-xxxxxxxxf3a1",
            "[REDACTED]",
            "<hidden>",
            "(not shown)",
            "[redacted:api_key]",
            "REDACTED",
            "__masked__",
            "----1234",
            "*",
            "**",
            "*a*",
            "R*",
            "xx",
            "None",
            "true",
            "configured",
            "ENC[AES256,abc]",
            "{{secret}}",
            "Protected value",
            "ending in 3456",
            "sha256:0123456789abcdef0123456789abcdef",
            "secret://projects/1/clinic",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm",
            "[1, 2]x",
        ] {
            assert!(looks_masked(masked), "{masked}");
        }
    }

    #[test]
    fn a_key_a_template_and_a_pem_text_are_none() {
        for clear in [
            "sk-live-1234",
            "a1b2c3d4",
            "Basic dXNlcjpwYXNzMQ==",
            "session=a1b2c3; path=x",
            "https://hooks.example.test/crm",
            "{{api_key}}",
            "${API_KEY}",
            "Bearer {{token}}",
            "xxxq83hfa0q9",
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
            "aGlkZGVu",
        ] {
            assert!(!looks_masked(clear), "{clear}");
        }
    }
}
