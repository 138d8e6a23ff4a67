//! SHELL. The service as it is on the wire, reader and writer apart.
//!
//! [`Reader`] has no writing method and its transport lets nothing through that writes; [`Writer`] holds a reader and
//! adds the writes. Both speak in the words of `model`; how the service spells them is known to `wire` alone.

mod allowance;
pub mod convert;
pub mod cursor;
pub mod error;
pub mod exact;
pub mod guard;
pub mod page;
pub mod paths;
pub mod read;
pub mod wire;
pub mod write;

pub use convert::{AgentRecord, DatedVersion, EmailRecord, NumberRecord, VersionDoc, WidgetRecord};
pub use error::ApiError;
pub use page::Listing;
pub use read::{AgentFilter, Reader, Routing};
pub use write::{Assignment, Directions, VersionSource, Writer};
