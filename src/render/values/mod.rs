//! What became of a value, before any format: a number with its delta, a list by its items.

mod inline;
mod lists;

pub use inline::{Delta, grouped, in_quotes, inline, plural};
pub use lists::{ItemMark, kind_of, name_of, pair};
