//! INT, TERM and HUP: the first asks for an orderly end, the second, not within a second of it, ends at once.

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::output;

/// A wrapper that forwards a signal which the terminal sends as well makes two of one; repeats within this are one.
const REPEAT: Duration = Duration::from_secs(1);

/// Listens for signals and sets the token at the first.
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "this module is part of the shell; the second signal ends the process at once"
)]
pub fn listen(cancel: CancellationToken) {
    let streams = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = streams else { return };
    tokio::spawn(async move {
        let mut first: Option<std::time::Instant> = None;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            match first {
                None => {
                    first = Some(std::time::Instant::now());
                    // A terminal has shown `^C` where the cursor was.
                    let start = if std::io::stderr().is_terminal() { "\n" } else { "" };
                    output::aside(&format!(
                        "{start}interrupted: no new step is started, and what has begun is finished"
                    ));
                    cancel.cancel();
                }
                Some(at) if at.elapsed() < REPEAT => {}
                Some(_) => std::process::exit(i32::from(Exit::Interrupted.code())),
            }
        }
    });
}
