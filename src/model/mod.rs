//! PURE. The shared vocabulary: what is declared, what is live, and the values that both are compared in.
//!
//! Nothing here knows a clock, a file, the network or the order of a hash map.

mod as_text;
pub mod declared;
pub mod desired;
pub mod digest;
pub mod key;
pub mod live;
pub mod look;
pub mod number;
pub mod path;
pub mod seal;
pub mod secret;
pub mod shape;
pub mod stamp;
pub mod unseen;
pub mod value;
pub mod verify;

pub use declared::Declared;
pub use desired::{Desired, Ignore, Origin, Slots};
pub use digest::{Digest, LeafHash, Salt};
pub use key::{Address, Key};
pub use live::{Coverage, Editor, LiveAgent, LiveNumber, LiveState, LiveWidget, Unseen, VersionHead};
pub use number::{Direction, PhoneNumber, Slot};
pub use path::{FieldPath, PathPattern};
pub use seal::{Seal, SecretHash};
pub use secret::SecretText;
pub use shape::ConfigShape;
pub use stamp::{Applied, Back, FieldHash, Intent, Lease, RolledBack, Stamp, StampState};
pub use verify::Verify;
