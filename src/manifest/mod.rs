//! PURE, but `load`. Texts to manifests with spans, tags resolved, one environment laid over.
//!
//! In reading order: `tree` and `yaml` make a tree with places out of a text; `expand`, `overlay` and `tags` resolve it;
//! `project` and `parse` read the fields; `across` compares the manifests; `resolve` is the whole way; `edit` writes
//! values back, `compose` writes whole manifests.

pub mod codes;

pub mod scalar;
pub mod tree;
pub mod yaml;

pub mod files;
pub mod glob;

mod expand;
mod overlay;
mod tags;
mod texts;

pub mod lower;
pub mod project;

mod across;
pub mod compose;
pub mod edit;
mod parse;
mod paths;
mod session;

pub mod load;
pub mod resolve;
pub mod starter;
pub mod suggest;

pub(crate) use expand::TEXT_EXTENSIONS;
pub use files::{EditedFiles, FileError, Files, MemoryFiles};
pub use load::{Readable, load};
pub use lower::Locations;
pub use project::{Environment, Limits, Project, project_file};
pub use resolve::{Resolved, resolve};
pub use session::{SecretSource, sandbox_secret};
