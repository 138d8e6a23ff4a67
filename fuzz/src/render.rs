//! What the targets take from the tests of `render`: plans with foreign texts in them, and a reader of comments.

#[path = "../../tests/it/render/build.rs"]
pub mod build;
#[path = "../../tests/it/render/infested.rs"]
pub mod infested;
#[path = "../../tests/it/render/markdown.rs"]
pub mod markdown;
