//! Shows what a run is doing: a bar or a line on a terminal, plain lines elsewhere, always on stderr.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::http::activity::seconds;
use crate::http::{Client, RetryPolicy};
use crate::plan::Event;
use crate::render::text::event_line;

use super::output;
use super::settings::Settings;

/// How often the bar is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// How long a run may be silent on a terminal, and in a log.
const SILENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// What an apply is doing beside its requests: its last step, or what it waits for.
static DOING: Mutex<Option<String>> = Mutex::new(None);

/// The bar that is shown now.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn set_doing(what: Option<String>) {
    *DOING.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// Nothing is under way but what a person decides.
pub fn pause() {
    set_doing(None);
}

/// Says what the run is busy with, when it has been silent for a while.
pub fn watch(client: &Client, settings: &Settings) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    if settings.quiet {
        return;
    }
    let (client, settings) = (client.clone(), settings.clone());
    let silence = if settings.stderr_is_terminal { SILENCE.0 } else { SILENCE.1 };
    runtime.spawn(async move {
        let mut longest = Duration::ZERO;
        let mut is_unasked_said = false;
        loop {
            client.clock().sleep(TICK * 4).await;
            let activity = client.activity();
            // Said once, and again only for a longer wait: a service that is busy asks for the same one many times.
            if let Some((asked, _)) = activity.asked_to_wait
                && asked > longest
            {
                longest = asked;
                tell(&asked_to_wait(asked, client.retry()));
            }
            if activity.waits_unasked && !is_unasked_said {
                is_unasked_said = true;
                tell(&waits_unasked(client.retry()));
            }
            let doing = DOING.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let line = match (activity.is_idle(), doing) {
                (true, None) => continue,
                (true, Some(doing)) => doing,
                (false, None) => activity.to_string(),
                (false, Some(doing)) => format!("{doing}; {activity}"),
            };
            let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(bar) = bar {
                bar.set_message(output::without_secrets(&line).into_owned());
            } else if output::silent_for() >= silence {
                if settings.stderr_is_terminal {
                    output::status(&line, &settings);
                } else {
                    output::aside(&line);
                }
            }
        }
    });
}

/// What is said of a wait that the service asked for. Nobody waits an hour for one request.
fn asked_to_wait(asked: Duration, retry: &RetryPolicy) -> String {
    let longest = retry.longest_pause;
    let again =
        if asked > longest { format!("; this run asks again after {} s", seconds(longest)) } else { String::new() };
    format!("The service limits requests and asked to wait {} s{again}.", seconds(asked))
}

/// The same where the service did not say for how long.
fn waits_unasked(retry: &RetryPolicy) -> String {
    format!(
        "The service limits requests and does not say for how long: this run waits up to {} s before it asks again, and \
         {} s in all.",
        seconds(retry.longest_backoff),
        seconds(retry.run_limit)
    )
}

/// Writes a line: between two drawings of the bar, which would otherwise be torn.
fn tell(line: &str) {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match &bar {
        Some(bar) => bar.suspend(|| output::aside(line)),
        None => output::aside(line),
    }
}

/// The one consumer of events.
#[derive(Clone)]
pub struct Progress {
    settings: Arc<Settings>,
    verbose: bool,
}

impl Progress {
    /// A progress display; the bar comes with [`Progress::begin`].
    pub fn new(settings: &Settings, verbose: bool) -> Self {
        Self { settings: Arc::new(settings.clone()), verbose }
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
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    /// Shows one event.
    pub fn show(&self, event: &Event) {
        if self.settings.quiet {
            return;
        }
        match event {
            Event::Step { address, what } => set_doing(Some(format!("{address}: {what}"))),
            Event::Note { message } => set_doing(Some(message.clone())),
            Event::Started { .. } | Event::Finished { .. } => set_doing(None),
        }
        let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(bar), Event::Step { address, what }) = (&bar, event) {
            bar.set_message(format!("{address}: {what}"));
        }
        if let (Some(bar), Event::Finished { .. }) = (&bar, event) {
            bar.inc(1);
        }
        let Some(line) = event_line(event, self.verbose, &output::progress_options(&self.settings)) else { return };
        tell(&line);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        set_doing(None);
        if let Some(bar) = BAR.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_what_the_run_then_waits() {
        let retry = RetryPolicy::default();
        let said = |asked| asked_to_wait(Duration::from_secs(asked), &retry);
        assert_eq!(said(20), "The service limits requests and asked to wait 20 s.");
        let capped = "The service limits requests and asked to wait 3000 s; this run asks again after 120 s.";
        assert_eq!(said(3_000), capped);
        assert!(waits_unasked(&retry).ends_with("waits up to 20 s before it asks again, and 600 s in all."));
    }
}
