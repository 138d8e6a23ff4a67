//! Shows what an apply is doing: a bar on a terminal, plain lines elsewhere, always on stderr.

use std::sync::Arc;
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
    bar: Option<ProgressBar>,
    settings: Arc<Settings>,
    verbose: bool,
}

impl Progress {
    /// A progress display for so many agents.
    pub fn new(settings: &Settings, agents: usize, verbose: bool) -> Self {
        let draws = settings.stderr_is_terminal && !settings.quiet;
        let bar = draws.then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(u64::try_from(agents).unwrap_or(u64::MAX)),
                ProgressDrawTarget::stderr(),
            );
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, settings: Arc::new(settings.clone()), verbose }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event) {
        if self.settings.quiet {
            return;
        }
        if let (Some(bar), Event::Step { address, what }) = (&self.bar, event) {
            bar.set_message(format!("{address}: {what}"));
        }
        if let (Some(bar), Event::Finished { .. }) = (&self.bar, event) {
            bar.inc(1);
        }
        let Some(line) = event_line(event, self.verbose, &output::progress_options(&self.settings)) else { return };
        match &self.bar {
            // A line between two drawings of the bar, which would otherwise be torn.
            Some(bar) => bar.suspend(|| output::aside(&line)),
            None => output::aside(&line),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
