//! What becomes of a `verify`: a program that `apply` runs, so it is a change of its own and never passes unseen.

use crate::model::{Desired, LiveAgent, Stamp, Verify};

use super::history::History;

/// The `verify` of one agent, where it is not the one that was applied last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyChange {
    /// There was none, or none that a stamp speaks of.
    Added {
        /// What runs from now on.
        after: Verify,
    },
    /// It is another one.
    Changed {
        /// What ran until now; absent where only its hash is known.
        before: Option<Verify>,
        /// What runs from now on.
        after: Verify,
    },
    /// It is gone, and with it the check.
    Removed {
        /// What ran until now; absent where only its hash is known.
        before: Option<Verify>,
    },
}

impl VerifyChange {
    /// Against what the stamp says was applied last.
    pub fn since(stamp: Option<&Stamp>, agent: Option<&LiveAgent>, desired: &Desired) -> Option<Self> {
        let applied = stamp.and_then(|stamp| Some((History::of(Some(stamp), agent).verify()?, &stamp.state.salt)));
        match (applied, desired.verify.clone()) {
            (None, None) => None,
            (None, Some(after)) => Some(Self::Added { after }),
            (Some((hash, salt)), Some(after)) if after.hash(salt) == *hash => None,
            (Some(_), Some(after)) => Some(Self::Changed { before: None, after }),
            (Some(_), None) => Some(Self::Removed { before: None }),
        }
    }

    /// Between two states of a manifest.
    pub fn between(before: Option<&Verify>, after: Option<&Verify>) -> Option<Self> {
        match (before.cloned(), after.cloned()) {
            (before, after) if before == after => None,
            (None, Some(after)) => Some(Self::Added { after }),
            (before, Some(after)) => Some(Self::Changed { before, after }),
            (before, None) => Some(Self::Removed { before }),
        }
    }

    /// The word in JSON, and in the hash of a change.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Changed { .. } => "changed",
            Self::Removed { .. } => "removed",
        }
    }

    /// What ran until now, where it is known.
    pub fn before(&self) -> Option<&Verify> {
        match self {
            Self::Added { .. } => None,
            Self::Changed { before, .. } | Self::Removed { before } => before.as_ref(),
        }
    }

    /// What runs from now on.
    pub fn after(&self) -> Option<&Verify> {
        match self {
            Self::Added { after } | Self::Changed { after, .. } => Some(after),
            Self::Removed { .. } => None,
        }
    }

    /// Why a reviewer should look twice.
    pub fn risk(&self) -> &'static str {
        match self {
            Self::Added { .. } => "`apply` runs this program before it publishes a version",
            Self::Changed { .. } => {
                "`apply` runs this before it publishes a version, and no longer what it ran until now"
            }
            Self::Removed { .. } => "from now on, versions are published without this check",
        }
    }
}
