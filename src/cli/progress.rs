//! Shows what an apply is doing: a bar on a terminal, plain lines elsewhere, always on stderr.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::Event;
use crate::render::text::event_line;

use super::output;
use super::settings::Settings;

/// How often the bar is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// The one consumer of events.
#[derive(Clone)]
pub struct Progress {
    bar: Arc<Mutex<Option<ProgressBar>>>,
    settings: Arc<Settings>,
    verbose: bool,
}

impl Progress {
    /// A progress display; the bar comes with [`Progress::begin`].
    pub fn new(settings: &Settings, verbose: bool) -> Self {
        Self { bar: Arc::default(), settings: Arc::new(settings.clone()), verbose }
    }

    fn bar(&self) -> Option<ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows the bar, for so many agents, where stderr is a terminal.
    pub fn begin(&self, agents: usize) {
        if !self.settings.stderr_is_terminal || self.settings.quiet || agents == 0 {
            return;
        }
        let length = u64::try_from(agents).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    /// Shows one event.
    pub fn show(&self, event: &Event) {
        if self.settings.quiet {
            return;
        }
        let bar = self.bar();
        if let (Some(bar), Event::Step { address, what }) = (&bar, event) {
            bar.set_message(format!("{address}: {what}"));
        }
        if let (Some(bar), Event::Finished { .. }) = (&bar, event) {
            bar.inc(1);
        }
        let Some(line) = event_line(event, self.verbose, &output::progress_options(&self.settings)) else { return };
        match &bar {
            // A line between two drawings of the bar, which would otherwise be torn.
            Some(bar) => bar.suspend(|| output::aside(&line)),
            None => output::aside(&line),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = self.bar() {
            bar.finish_and_clear();
        }
    }
}
