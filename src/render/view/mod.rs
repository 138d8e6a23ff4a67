//! What a reviewer sees, before any format: a plan, a check, a difference or a report as one [`Account`].
//!
//! Here is decided what is shown, in what order, how loudly and in what words. A writer walks an account from its first
//! field to its last and sets each [`Line`] in its format; it never looks at a plan. What came from outside is a
//! [`Theirs`], which reaches an output through the one [`Medium`] of its format and in no other way.

mod account;
mod between;
mod difference;
mod drift;
pub(super) mod fit;
mod items;
mod piece;
mod plan;
mod report;
mod seen;
mod shared;
mod tree;
mod words;

pub use account::{
    Account, Alarm, AlarmGroup, Block, Cut, Fact, Item, Items, Mark, Move, Note, OutcomeRow, Place, Program, Row,
    RowMark, Seen, Sides, Total, Warning, Way, by_agent,
};
pub use between::{between, details, facts, state as version_state};
pub use difference::difference;
pub use drift::drift;
pub use piece::{Line, Look, Medium, Ours, Piece, Sign, Theirs, Tone, Word};
pub use plan::plan;
pub(super) use plan::totals;
pub(super) use report::seconds;
pub use report::{GoOn, outcome_tone, report};
