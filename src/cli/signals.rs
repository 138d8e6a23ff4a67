//! INT, TERM and HUP, on Windows Ctrl-C, Ctrl-Break and the end of the session: the first asks for an orderly end, the
//! second, not within a second of it, ends at once.

use std::io::IsTerminal as _;
use std::time::Duration;

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
    let Ok(mut signals) = Signals::listen() else { return };
    tokio::spawn(async move {
        let mut first: Option<std::time::Instant> = None;
        loop {
            signals.next().await;
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

/// What a system says to a program that should end.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// What a system says to a program that should end.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self { interrupt: ctrl_c()?, stop: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.stop.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}
