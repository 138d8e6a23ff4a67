//! PURE. Plans, reports and problems as text: terminal, Markdown, JSON, a page, annotations, SARIF.
//!
//! Every renderer is a function from data and options to a `String`; nothing here prints. Texts from outside (names,
//! prompts, messages of the service) go through [`visible`] on their way, so that no control character of theirs
//! reaches a terminal, a log or a comment.

pub mod diagnostics;
pub mod drift;
pub mod findings;
pub mod html;
pub mod json;
pub mod markdown;
pub mod prose;
mod put;
pub mod style;
pub mod text;
pub mod values;
mod verify;
pub mod view;
pub mod visible;
pub mod words;
pub mod workflow_commands;

pub use words::report_line;
