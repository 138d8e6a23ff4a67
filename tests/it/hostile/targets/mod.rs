//! What may be fed with any bytes. The fuzz crate includes this folder by its path, so that a fuzzer and the stable tests
//! ask the very same questions of the very same code.
//!
//! Each target is a function from bytes to a [`Verdict`]. It panics where a property does not hold, and the verdict says
//! whether the program took the input for what it should be: seeds whose names begin with `ok-` must be accepted and all
//! others refused, so that no seed can quietly stop reaching what it was written for.

mod answers;
mod bundle;
mod manifest;
mod plan_file;
mod render_markdown;
mod render_text;
mod schema;

pub use answers::answers;
pub use bundle::{Section, join, split};
pub use manifest::manifest;
pub use plan_file::{plan_file, reviewed};
pub use render_markdown::render_markdown;
pub use render_text::render_text;
pub use schema::schema;

use std::sync::OnceLock;

use reachform::render::visible::is_hidden;
use reachform::schema::ConfigSchema;

/// Whether the program could use what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did what the input asked for.
    Accepted,
    /// It said what is wrong with it.
    Refused,
}

impl Verdict {
    fn of(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// A target: any bytes in, a verdict out, a panic where a property does not hold.
pub type Target = fn(&[u8]) -> Verdict;

/// All targets, by the names of their corpora under `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 6] = [
    ("manifest", manifest),
    ("plan_file", plan_file),
    ("answers", answers),
    ("schema", schema),
    ("render_markdown", render_markdown),
    ("render_text", render_text),
];

/// The schema of the embedded service, compiled once.
fn sandbox_schema() -> &'static ConfigSchema {
    static SCHEMA: OnceLock<ConfigSchema> = OnceLock::new();
    SCHEMA.get_or_init(|| ConfigSchema::compile(SANDBOX_SCHEMA).unwrap())
}

const SANDBOX_SCHEMA: &[u8] = include_bytes!("../../../../src/sandbox/agent-config.schema.json");

/// No character that acts on a terminal or a reader without being seen, line feeds apart.
fn assert_printable(what: &str, text: &str) {
    let found: Vec<char> = text.chars().filter(|c| is_hidden(*c) && *c != '\n').collect();
    assert!(found.is_empty(), "{what} holds {found:?}:\n{text}");
}

/// The same of a coloured text, in which our own sequences may stand and no others.
fn assert_printable_in_colour(what: &str, text: &str) {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find('m').unwrap_or_else(|| panic!("{what} holds a sequence without an end:\n{text}"));
        assert!(
            after[..end].bytes().all(|b| b.is_ascii_digit() || b == b';'),
            "{what} holds a foreign sequence:\n{text}"
        );
        rest = &after[end + 1..];
    }
    plain.push_str(rest);
    assert_printable(what, &plain);
}
