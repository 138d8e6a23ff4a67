//! The one place that builds validators, so that the limits on what comes from outside are the same everywhere.

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Value, json};

/// How many steps back a pattern may take on one text. A sound pattern needs a few hundred; a catastrophic one reaches
/// this in well under a millisecond and is then given up.
const BACKTRACK_LIMIT: usize = 100_000;

/// A compiled pattern may take this many bytes, so that `(a{1000}){1000}` is refused.
const PATTERN_SIZE_LIMIT: usize = 1 << 20;

/// Compiles a schema. Nothing is ever fetched for it.
pub(super) fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(
            PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT).size_limit(PATTERN_SIZE_LIMIT),
        )
        .build(schema)
}

/// Compiles a pattern of property names.
pub(super) fn for_pattern(pattern: &str) -> Result<Validator, ValidationError<'static>> {
    build(&json!({"pattern": pattern}))
}
