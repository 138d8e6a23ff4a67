//! The identity that a person writes: the key of a manifest and the address made from it.

use std::fmt;

use super::as_text::as_text;

/// A manifest's stable identity in the repository: `[a-z0-9][a-z0-9-]{0,62}` (design, section 1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Longest key. The stamp and the address stay readable, and a DNS label could hold it.
const KEY_LENGTH: usize = 63;

impl Key {
    /// Reads a key; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first = bytes.next()?;
        let starts_well = first.is_ascii_lowercase() || first.is_ascii_digit();
        let goes_on_well = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (starts_well && goes_on_well && text.len() <= KEY_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The key nearest to any text, for suggestions and imports: lower case, everything else a single hyphen.
    pub fn suggest(text: &str) -> Self {
        let mut out = String::new();
        for c in text.chars() {
            if c.is_ascii_alphanumeric() {
                out.push(c.to_ascii_lowercase());
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
        }
        out.truncate(KEY_LENGTH);
        let trimmed = out.trim_end_matches('-');
        Self(if trimmed.is_empty() { "agent".to_owned() } else { trimmed.to_owned() })
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How plans and messages name an agent: `agent.<key>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub Key);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agent.{}", self.0)
    }
}

as_text!(Key, "a key", "^[a-z0-9][a-z0-9-]{0,62}$", Key::parse);
as_text!(Address, "the address of an agent", "^agent\\.[a-z0-9][a-z0-9-]{0,62}$", |text| {
    text.strip_prefix("agent.").and_then(Key::parse).map(Address)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_lower_case_letters_digits_and_hyphens() {
        for good in ["a", "0", "front-desk", "a-", "9lives"] {
            assert!(Key::parse(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a b", "ä", &"a".repeat(64)] {
            assert!(Key::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn every_suggestion_is_a_key() {
        for text in ["Riverside Dental", "  ", "Ünïcode & Co.", "---", &"x y".repeat(60)] {
            let key = Key::suggest(text);
            assert_eq!(Key::parse(key.as_str()), Some(key));
        }
    }
}
