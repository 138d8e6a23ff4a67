//! Digests: plain SHA-256 for what may be compared anywhere, keyed HMAC for what stands in a stamp.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::as_text::as_text;
use super::value::canonical;

/// A SHA-256 over RFC 8785 bytes, written `sha256:<hex>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// The digest of a value.
    pub fn of(value: &Value) -> Self {
        Self::of_bytes(&canonical(value))
    }

    /// The digest of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(bytes))))
    }

    /// Takes a digest from a stamp, a plan file or the command line; `None` when it is not `sha256:` and 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?;
        (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
            .then(|| Self(text.to_owned()))
    }

    /// The whole text, `sha256:` included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight hex digits, enough for a person to tell two apart.
    pub fn short(&self) -> &str {
        self.0.get(7..15).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(Digest, "a digest", "^sha256:[0-9a-f]{64}$", Digest::parse);

/// 128 random bits that key a stamp's hashes, made with the first stamp and kept for its life (design, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt(String);

impl Salt {
    /// Makes a salt from random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(hex(&bytes))
    }

    /// Takes a salt from a stamp.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    /// The salt as hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 128 bits of HMAC-SHA-256 over the value's RFC 8785 bytes. Whoever hashes a leaf asks its `Seal`, which knows which
    /// texts are secrets.
    pub(super) fn hash(&self, value: &Value) -> LeafHash {
        // An HMAC takes a key of any length, so this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("internal error: an HMAC takes any key");
        mac.update(&canonical(value));
        let bytes = mac.finalize().into_bytes();
        LeafHash(hex(bytes.get(..16).unwrap_or_default()))
    }
}

/// The keyed hash of one leaf: 32 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeafHash(String);

impl LeafHash {
    /// Takes a hash from a stamp.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    /// The hash as hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _written = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_values_have_equal_hashes_and_another_salt_another() {
        let (a, b) = (Salt::new([1; 16]), Salt::new([2; 16]));
        assert_eq!(a.hash(&json!({"x": 1, "y": 2})), a.hash(&json!({"y": 2.0, "x": 1})));
        assert_ne!(a.hash(&json!("x")), b.hash(&json!("x")));
        assert_eq!(a.hash(&json!("x")).as_str().len(), 32);
    }

    #[test]
    fn a_digest_reads_back_what_it_writes() {
        let digest = Digest::of(&json!([1]));
        assert_eq!(Digest::parse(digest.as_str()), Some(digest));
        assert_eq!(Digest::parse("sha256:xyz"), None);
    }
}
