//! Phone numbers and their two slots.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A phone number in E.164: `+`, then 7 to 15 digits, the first not zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as a person declares it; `None` when it is not E.164.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let good =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        good.then(|| Self(text.to_owned()))
    }

    /// Takes a number as the service wrote it, whatever its form: what is live is not ours to judge.
    pub fn from_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of a number's two pointers (contract, section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Direction {
    /// Calls that come in.
    Inbound,
    /// Calls that go out.
    Outbound,
}

impl Direction {
    /// Both, in the order in which they are shown and sent.
    pub const ALL: [Self; 2] = [Self::Inbound, Self::Outbound];

    /// The word that the service uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One direction of one number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The number.
    pub number: PhoneNumber,
    /// Its direction.
    pub direction: Direction,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.direction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_declared_number() {
        assert!(PhoneNumber::parse("+15551234567").is_some());
        for bad in ["15551234567", "+0555123456", "+1 555 123", "+123456", "+1234567890123456", "+1555x234567"] {
            assert!(PhoneNumber::parse(bad).is_none(), "{bad}");
        }
    }
}
