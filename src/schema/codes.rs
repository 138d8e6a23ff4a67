//! The codes of the problems that a schema finds. They are stable: people filter by them.

/// A value of another JSON type.
pub const TYPE: &str = "schema-type";
/// A value that is none of the allowed ones.
pub const ENUM: &str = "schema-enum";
/// A mark that names no branch of a union.
pub const BRANCH: &str = "schema-unknown-branch";
/// No mark where one is needed to tell the branch of a union.
pub const NO_BRANCH: &str = "schema-branch-untold";
/// A value that fits no branch of a union, or more than one.
pub const UNION: &str = "schema-union";
/// A property that must be there.
pub const MISSING: &str = "schema-missing";
/// A property that nobody knows.
pub const UNKNOWN: &str = "schema-unknown-property";
/// A number out of its bounds.
pub const RANGE: &str = "schema-range";
/// A text, a list or an object that is too short or too long.
pub const LENGTH: &str = "schema-length";
/// A text that does not match its pattern.
pub const PATTERN: &str = "schema-pattern";
/// A pattern that takes too long on a text.
pub const SLOW_PATTERN: &str = "schema-pattern-too-slow";
/// Values that were not checked, for the patterns of the schema take too long on all of them.
pub const UNCHECKED: &str = "schema-unchecked";
/// A text that is not of its format.
pub const FORMAT: &str = "schema-format";
/// A list that holds what it must not, or lacks what it must hold.
pub const LIST: &str = "schema-list";
/// A value that is ruled out.
pub const FORBIDDEN: &str = "schema-forbidden";

/// Every code with what it means, for the documentation.
pub const ALL: [(&str, &str); 15] = [
    (TYPE, "a value does not have the JSON type that the schema asks for"),
    (ENUM, "a value is not one of those that the schema lists; a warning under `--schema=lenient`"),
    (BRANCH, "a discriminator does not name one of the schema's forms; a warning under `--schema=lenient`"),
    (NO_BRANCH, "the property that selects one of the schema's forms is missing"),
    (UNION, "a value fits none of the schema's forms, or more than one if only one is allowed"),
    (MISSING, "a required property is missing"),
    (UNKNOWN, "a property is not in the schema; a warning under `--schema=lenient` if the object is open"),
    (RANGE, "a number is out of its bounds"),
    (LENGTH, "a text, a list or an object is too short or too long"),
    (PATTERN, "a text does not match the schema's pattern"),
    (SLOW_PATTERN, "the schema's pattern takes too long on this text, so that it could not be checked"),
    (UNCHECKED, "the patterns of the schema take too long on all texts together, so not every value was checked"),
    (FORMAT, "a text is not of the format that the schema names"),
    (LIST, "a list holds an element twice, or lacks an element that is required"),
    (FORBIDDEN, "the schema rules this value out"),
];
