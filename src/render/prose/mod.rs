//! The difference of two prompts, as a person reads it: changed words, moved paragraphs, blanks that differ.
//!
//! Data first: [`ProseDiff`] knows no format. A text is read into words ([`tokens`]), aligned from the outside in, first
//! lines, then sentences, then words ([`align`]), tidied so that it reads well ([`tidy`]), and cut into hunks
//! ([`hunks`]). The same two texts always give the same bytes: work is bounded by sizes, never by a clock.

mod align;
mod diff;
mod headline;
mod hunks;
mod segments;
mod shorten;
mod shown;
mod tidy;
mod tokens;

pub use diff::{Invisible, InvisiblePlace, Moved, ProseDiff, Stats};
pub use hunks::{Hunk, Part, PartKind};
pub use shorten::HunkLimits;
pub use tokens::count_words;
