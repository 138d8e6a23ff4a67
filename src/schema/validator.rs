//! The one place that builds validators, so that the limits on what comes from outside are the same everywhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::Location;
use jsonschema::{Keyword, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::effort::{Effort, names};
use super::error::SchemaError;

/// How many steps back a pattern may take on one text, in turn: nearly every match needs no more than the first, and only
/// what was tried is paid for. A catastrophic pattern reaches the last in some milliseconds and is then given up.
const STAGES: [usize; 3] = [200, 4_000, 100_000];

/// What the first stage costs: few matches use all of it.
const FIRST_STAGE: u64 = 60;

/// How many steps back a pattern of property names may take. Names are short.
const NAME_STEPS: usize = 1_000;

/// What it costs to compile a pattern for a further stage.
const COMPILE_COST: u64 = 30_000;

/// What it costs to hold a name against one of those patterns.
const NAME_COST: u64 = 60;

/// A compiled pattern may take this many bytes, so that `(a{1000}){1000}` is refused.
const PATTERN_SIZE_LIMIT: usize = 1 << 20;

/// Most patterns of a schema. That of the service has some dozens.
const MAX_PATTERNS: usize = 500;

/// The patterns of one schema, each compiled once, and what is left for matching them.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    compiled: Mutex<BTreeMap<String, Arc<Pattern>>>,
    /// How many places have a pattern of property names.
    of_names: u64,
    effort: Effort,
}

impl Patterns {
    /// For the patterns of a schema, none of which is compiled yet.
    pub fn of(root: &Value) -> Result<Arc<Self>, SchemaError> {
        let (mut all, mut of_names) = (0, 0);
        count(root, &mut all, &mut of_names);
        if all + of_names > MAX_PATTERNS {
            return Err(SchemaError::TooComplex { what: format!("it has more than {MAX_PATTERNS} patterns") });
        }
        Ok(Arc::new(Self { of_names: of_names as u64, ..Self::default() }))
    }

    /// Whether some texts were not held against their patterns, for that would have taken too long.
    pub fn is_spent(&self) -> bool {
        self.effort.is_spent()
    }

    /// Pays for the names of a value, whose patterns the validator matches by itself. Where that was too much, the value
    /// must not be given to it.
    pub fn pay_for_names(&self, value: &Value) -> bool {
        if self.is_spent() {
            return false;
        }
        self.of_names == 0 || self.effort.take(names(value).saturating_mul(self.of_names).saturating_mul(NAME_COST))
    }

    /// Compiles a schema. Nothing is ever fetched for it.
    pub fn build(self: &Arc<Self>, schema: &Value) -> Result<Validator, ValidationError<'static>> {
        let patterns = Arc::clone(self);
        options(NAME_STEPS)
            .with_keyword("pattern", move |_: &Map<String, Value>, pattern: &Value, _: Location| {
                keyword(&patterns, pattern)
            })
            .build(schema)
    }

    /// A matcher of texts.
    pub fn matcher(self: &Arc<Self>, pattern: &str) -> Result<Matcher, ValidationError<'static>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let known = if let Some(known) = compiled.get(pattern) {
            Arc::clone(known)
        } else {
            let new = Arc::new(Pattern::compile(pattern)?);
            compiled.insert(pattern.to_owned(), Arc::clone(&new));
            new
        };
        Ok(Matcher { pattern: known, patterns: Arc::clone(self) })
    }
}

fn keyword(
    patterns: &Arc<Patterns>,
    pattern: &Value,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'static>> {
    match pattern {
        Value::String(pattern) => Ok(Box::new(patterns.matcher(pattern)?)),
        // The meta-schema refuses it before, and in words that name the place.
        _ => Err(ValidationError::custom("a pattern is a text")),
    }
}

fn options(backtracks: usize) -> jsonschema::ValidationOptions<'static> {
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(backtracks).size_limit(PATTERN_SIZE_LIMIT))
}

fn count(value: &Value, patterns: &mut usize, of_names: &mut usize) {
    match value {
        Value::Object(map) => {
            *patterns += usize::from(map.get("pattern").is_some_and(Value::is_string));
            *of_names += map.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
            map.values().for_each(|value| count(value, patterns, of_names));
        }
        Value::Array(list) => list.iter().for_each(|value| count(value, patterns, of_names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A pattern with a validator for each stage.
#[derive(Debug)]
struct Pattern {
    schema: Value,
    /// Whether it may go back: only what looks around or refers back does, all else is matched in one pass.
    goes_back: bool,
    stages: [OnceLock<Option<Validator>>; STAGES.len()],
}

impl Pattern {
    fn compile(pattern: &str) -> Result<Self, ValidationError<'static>> {
        let schema = json!({"pattern": pattern});
        let first = options(STAGES[0]).build(&schema)?;
        let goes_back = goes_back(pattern);
        Ok(Self { schema, goes_back, stages: [OnceLock::from(Some(first)), OnceLock::new(), OnceLock::new()] })
    }
}

/// Whether a pattern holds anything that is matched by going back. What is taken for it in doubt only costs more.
fn goes_back(pattern: &str) -> bool {
    let groups =
        pattern.match_indices("(?").any(|(at, _)| pattern.get(at + 2..).is_none_or(|rest| !rest.starts_with(':')));
    let possessive = ["++", "*+", "?+", "}+"].iter().any(|mark| pattern.contains(mark));
    let references = pattern.match_indices('\\').any(|(at, _)| {
        pattern
            .get(at + 1..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| c.is_ascii_digit() || c == 'k' || c == 'G')
    });
    groups || possessive || references
}

/// Holds texts against one pattern, as long as the run has steps for it.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    pattern: Arc<Pattern>,
    patterns: Arc<Patterns>,
}

impl Matcher {
    /// Whether a value is a text that the pattern matches, or no text. What could not be checked does not match.
    pub fn is_match(&self, value: &Value) -> bool {
        self.check(value).is_ok()
    }

    fn check<'i>(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        let Value::String(text) = value else { return Ok(()) };
        let length = text.len() as u64;
        let stages = if self.pattern.goes_back { STAGES.as_slice() } else { &STAGES[..1] };
        let mut outcome = Ok(());
        for (stage, (limit, validator)) in stages.iter().zip(&self.pattern.stages).enumerate() {
            let steps = match (stage, self.pattern.goes_back) {
                (0, false) => 4,
                (0, true) => FIRST_STAGE,
                _ if validator.get().is_none() => COMPILE_COST + *limit as u64,
                _ => *limit as u64,
            };
            if !self.patterns.effort.take(steps + length / 16) {
                return Err(ValidationError::custom(UNCHECKED));
            }
            let Some(validator) = validator.get_or_init(|| options(*limit).build(&self.pattern.schema).ok()) else {
                return outcome;
            };
            outcome = validator.validate(value);
            let gave_up = matches!(&outcome, Err(error) if matches!(error.kind(), ValidationErrorKind::BacktrackLimitExceeded { .. }));
            if !gave_up {
                break;
            }
        }
        outcome
    }
}

/// The message of a fault that is none: nobody knows.
pub(super) const UNCHECKED: &str = "not checked: the patterns of the schema take too long on all texts together";

impl<'i> Keyword<'i> for Matcher {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        self.check(instance)
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.is_match(instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_effort(steps: u64, schema: &Value) -> (Arc<Patterns>, Validator) {
        let effort = Effort::of(steps);
        let patterns = Arc::new(Patterns { effort, ..Arc::into_inner(Patterns::of(schema).unwrap()).unwrap() });
        let validator = patterns.build(schema).unwrap();
        (patterns, validator)
    }

    #[test]
    fn many_patterns_and_many_texts_have_one_bound_and_what_it_cuts_off_is_not_valid() {
        let evil = json!({"pattern": "^(?=a)((a+)+)+$(?<!x)"});
        let text = format!("{}!", "a".repeat(40));
        for (schema, value) in [
            (json!({"allOf": vec![evil.clone(); 50]}), json!(text)),
            (json!({"items": evil}), json!(vec![text.clone(); 50])),
            (json!({"not": {"items": {"not": evil}}}), json!(vec![text.clone(); 50])),
        ] {
            let (patterns, validator) = with_effort(400_000, &schema);
            let first = validator.iter_errors(&value).count();
            assert!(first > 0 && patterns.is_spent(), "{schema}");
            assert!(!patterns.pay_for_names(&json!("a")) && validator.iter_errors(&json!(["a"])).count() <= 1);
        }
        // The same with sound texts is cheap, however many there are.
        let (patterns, validator) = with_effort(500_000, &json!({"items": evil}));
        assert!(validator.is_valid(&json!(vec!["aaa"; 5_000])) && !patterns.is_spent());
        let (patterns, validator) = with_effort(500_000, &json!({"items": {"pattern": r"^\+[1-9]\d{6,14}$"}}));
        assert!(validator.is_valid(&json!(vec!["+15551234567"; 50_000])) && !patterns.is_spent());
    }

    #[test]
    fn only_what_looks_around_or_refers_back_goes_back() {
        for pattern in [r"^\+[1-9]\d{6,14}$", "(?:a|b)+", r"^[^\s]+$", r"(a+)+$"] {
            assert!(!goes_back(pattern), "{pattern}");
        }
        for pattern in ["(?=a)", "(?!a)", "(?<=a)b", r"(a)\1", "a++", "(?<n>a)\\k<n>", "(?>a)"] {
            assert!(goes_back(pattern), "{pattern}");
        }
    }
}
