//! Makes a thing once, also where the answer to making it is lost.
//!
//! After a broken connection or a 5xx nobody knows whether the thing is there. Giving up would leave a plan without its
//! check run, and sending it again at once could make two. So it is looked for first, and sent again only if it is not
//! there.

use super::service::Forge;
use super::warning::{Warning, WarningKind};

/// How often a thing is sent.
const ATTEMPTS: u32 = 3;

/// Sends it until it is there. `look` finds what an earlier attempt may have made.
pub(super) async fn once<T>(
    forge: &dyn Forge,
    make: impl AsyncFn() -> Result<T, Warning>,
    look: impl AsyncFn() -> Result<Option<T>, Warning>,
) -> Result<T, Warning> {
    let mut attempt = 1;
    loop {
        let lost = match make().await {
            Ok(made) => return Ok(made),
            Err(warning) if !warning.uncertain || warning.kind == WarningKind::Interrupted => return Err(warning),
            Err(warning) => warning,
        };
        forge.settle().await;
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) if attempt < ATTEMPTS => attempt += 1,
            Ok(None) | Err(_) => return Err(lost),
        }
    }
}
