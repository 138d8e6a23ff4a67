//! PURE. Plans, reports and problems as text: terminal, Markdown, JSON, annotations.

pub mod diagnostics;
