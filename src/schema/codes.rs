//! The codes of the problems that a schema finds. They are stable: people filter by them.

use crate::diagnostics::Code;

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

/// Every code, for documentation and for reports of problems.
pub const ALL: [Code; 15] = [
    Code {
        code: TYPE,
        meaning: "A value does not have the JSON type that the schema asks for.",
        fix: "Write a value of the type that the message names. In YAML, quotes make a text of a number.",
    },
    Code {
        code: ENUM,
        meaning: "A value is not one of those that the schema lists; a warning under `--schema=lenient`.",
        fix: "Use one of the values that the message lists. If the service takes newer ones, use `--schema=lenient`.",
    },
    Code {
        code: BRANCH,
        meaning: "A discriminator does not name one of the schema's forms; a warning under `--schema=lenient`.",
        fix: "Use one of the names that the message lists. If the service knows a newer one, use `--schema=lenient`.",
    },
    Code {
        code: NO_BRANCH,
        meaning: "The property that selects one of the schema's forms is missing.",
        fix: "Add the property that the message names; it says which form the other properties belong to.",
    },
    Code {
        code: UNION,
        meaning: "A value fits none of the schema's forms, or more than one if only one is allowed.",
        fix: "Compare the value with the forms that the message lists, and keep the properties of one of them.",
    },
    Code { code: MISSING, meaning: "A required property is missing.", fix: "Add the property." },
    Code {
        code: UNKNOWN,
        meaning: "A property is not in the schema; a warning under `--schema=lenient` if the object is open.",
        fix: "Correct the name as the hint says, or remove the property.",
    },
    Code {
        code: RANGE,
        meaning: "A number is out of its bounds.",
        fix: "Use a value within the bounds that the message names.",
    },
    Code {
        code: LENGTH,
        meaning: "A text, a list or an object is too short or too long.",
        fix: "Make it longer or shorter, as the message says.",
    },
    Code {
        code: PATTERN,
        meaning: "A text does not match the schema's pattern.",
        fix: "Write the text in the form that the pattern asks for.",
    },
    Code {
        code: SLOW_PATTERN,
        meaning: "The schema's pattern takes too long on this text, so that it could not be checked.",
        fix: "Make the text shorter. It is sent as it is, and the service checks it.",
    },
    Code {
        code: UNCHECKED,
        meaning: "The patterns of the schema take too long on all texts together, so not every value was checked.",
        fix: "Validate fewer manifests at once. What was not checked is sent as it is, and the service checks it.",
    },
    Code {
        code: FORMAT,
        meaning: "A text is not of the format that the schema names.",
        fix: "Write the text in the format that the message names.",
    },
    Code {
        code: LIST,
        meaning: "A list holds an element twice, or lacks an element that is required.",
        fix: "Remove the element that is there twice, or add the one that is missing.",
    },
    Code { code: FORBIDDEN, meaning: "The schema rules this value out.", fix: "Remove the value." },
];
