//! Why a schema cannot be used. What came from outside is never believed to be a schema before it was read as one.

use thiserror::Error;

use super::codes;

/// A schema that cannot be used, with the place in it where that is known.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// Nothing was sent.
    #[error("the schema is empty")]
    Empty,
    /// A web page instead of JSON.
    #[error("the schema is an HTML page, not JSON")]
    Html,
    /// No JSON.
    #[error("the schema is not JSON")]
    NotJson {
        /// What the parser says, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// JSON, but no schema.
    #[error("the schema is {found}, where an object with the keywords of JSON Schema is expected")]
    NotASchema {
        /// What stands there instead.
        found: String,
    },
    /// More bytes than any schema has.
    #[error("the schema has {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// More places, or more ways through them, than can be followed safely.
    #[error("the schema is too complex: {what}")]
    TooComplex {
        /// What is too much, and where.
        what: String,
    },
    /// The schema was read, and its patterns were more work than a run does.
    #[error("the patterns of the schema take too long on all texts together, so not every value was checked")]
    Unchecked,
    /// A keyword holds what it must not hold.
    #[error("the schema is malformed at `{pointer}`: {problem}")]
    Malformed {
        /// The place in the schema.
        pointer: String,
        /// What is wrong.
        problem: String,
    },
    /// A reference that leaves the document.
    #[error("the schema refers to another document at `{pointer}`: `{reference}`")]
    RemoteReference {
        /// The place in the schema.
        pointer: String,
        /// The reference.
        reference: String,
    },
    /// A reference to nothing.
    #[error("the schema has a reference to nothing at `{pointer}`: `{reference}`")]
    UnknownReference {
        /// The place in the schema.
        pointer: String,
        /// The reference.
        reference: String,
    },
    /// References in a ring that no value ever leaves.
    #[error("the schema refers to itself without end at `{pointer}`")]
    EndlessReference {
        /// A place on the ring.
        pointer: String,
    },
    /// A keyword that this program does not follow.
    #[error("the schema uses `{keyword}` at `{pointer}`, which is not followed")]
    Unsupported {
        /// The place in the schema.
        pointer: String,
        /// The keyword.
        keyword: &'static str,
    },
}

impl SchemaError {
    /// A stable code, in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty | Self::Html | Self::NotJson { .. } | Self::NotASchema { .. } => "schema-unreadable",
            Self::TooLarge { .. } | Self::TooComplex { .. } => "schema-too-large",
            Self::Unchecked => codes::UNCHECKED,
            Self::Malformed { .. } => "schema-malformed",
            Self::RemoteReference { .. } => "schema-remote-reference",
            Self::UnknownReference { .. } | Self::EndlessReference { .. } => "schema-bad-reference",
            Self::Unsupported { .. } => "schema-unsupported",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Html | Self::NotJson { .. } | Self::NotASchema { .. } => {
                "check that the address is the service's, not that of a proxy or a login page in front of it"
            }
            Self::TooLarge { .. } | Self::TooComplex { .. } => {
                "a schema of this size is not read, so that no answer can exhaust this machine; report it if it is the \
                 service's own"
            }
            Self::Malformed { .. } => {
                "report it to the service; until it is fixed, `validate --offline` takes the last good one"
            }
            Self::Unchecked => {
                "report it to the service: a pattern that looks around or refers back can take very long on a text"
            }
            Self::RemoteReference { .. } => {
                "a schema is only believed as far as it is in one document; nothing was fetched"
            }
            Self::UnknownReference { .. } | Self::EndlessReference { .. } | Self::Unsupported { .. } => {
                "report it to the service; until it is fixed, `validate --offline` takes the last good schema"
            }
        }
    }
}
