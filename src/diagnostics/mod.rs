//! PURE. Problems as data: a stable code, a severity, a place and, where one is known, the mend.
//!
//! Everything that a person did wrong is gathered and reported at once. Nothing here prints.

pub mod code;
pub mod diagnostic;
pub mod problem;
pub mod source;
pub mod worst;

pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Fix, Label, Place, Severity};
pub use problem::Problem;
pub use source::{FileId, Position, SourceMap, Span};
pub use worst::Worst;
