//! Where the action tells what it does: the pull request's comment, the step's summary, the check run.
//!
//! After a signal the runner gives a step little time: what is under way is abandoned, and the last word has to be said
//! before the step must have ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::comment::in_words;
use crate::cli::publish::{Content, Options, Publisher};
use crate::cli::settings::Settings;
use crate::cli::workflow::annotate;
use crate::cli::{markdown, output, step_summary};
use crate::diagnostics::{Diagnostic, SourceMap};
use crate::forge::check::{Check, Conclusion, Put, SUMMARY_BYTES, name, put};
use crate::forge::labels::{self, Would};
use crate::forge::{Mode, State, Warning, WarningKind};
use crate::manifest::Resolved;
use crate::plan::Plan;
use crate::render::markdown::plan_comment;
use crate::render::text::summary_lines;
use crate::render::view::Place;

use super::inputs::{Approve, Inputs};
use super::outputs::Outputs;

/// From the signal to the last word. An apply takes up to six seconds to end, and the runner kills after seven and a half.
const LAST_WORD: Duration = Duration::from_millis(6_700);

/// How long a run waits for a word that says what it is doing: the word is worth nothing a moment later.
const PASSING: Duration = Duration::from_secs(3);

/// How long a run waits for a word that says how it ended, beside what the forge itself asks it to wait. Final words go
/// out side by side, so that a forge which hangs costs a plan no more than this and [`PASSING`].
const FINAL: Duration = Duration::from_secs(16);

/// Whether something is worth the time that is left after a signal, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It says what is under way.
    Passing,
    /// It says how it ended.
    Final,
}

/// The desk.
pub struct Desk<'a> {
    publisher: Option<Publisher>,
    inputs: &'a Inputs,
    settings: &'a Settings,
    cancel: CancellationToken,
    signal: Arc<OnceLock<Instant>>,
    /// Whether a passing word was given up: it may still arrive, after the last one.
    given_up: AtomicBool,
}

impl<'a> Desk<'a> {
    /// Opens it. Without a forge, or a token for it, it tells only what needs neither.
    pub fn open(inputs: &'a Inputs, settings: &'a Settings, cancel: CancellationToken) -> Self {
        let options = Options {
            mode: inputs.comment.mode(),
            key: inputs.comment_key.clone(),
            pull_request: inputs.pr_number,
            max_bytes: inputs.comment_max_bytes,
            place: match inputs.approve {
                Approve::PlanHash => Place::Merge,
                Approve::Artifact => Place::Shown,
                Approve::Nothing => Place::AutoApprove,
            },
        };
        // Its requests outlive the signal by as much as `in_time` allows.
        let publisher = match Publisher::open(settings, options, CancellationToken::new()) {
            Ok(publisher) => Some(publisher),
            Err(warning) => {
                warn(&warning, settings);
                None
            }
        };
        let signal = Arc::new(OnceLock::new());
        let (seen, cancelled) = (Arc::clone(&signal), cancel.clone());
        tokio::spawn(async move {
            cancelled.cancelled().await;
            seen.get_or_init(Instant::now);
        });
        Self { publisher, inputs, settings, cancel, signal, given_up: AtomicBool::new(false) }
    }

    /// The forge.
    pub fn publisher(&self) -> Option<&Publisher> {
        self.publisher.as_ref()
    }

    /// Says how it ended: in the summary, which is certain, and then in the comment.
    pub async fn tell(&self, content: &Content<'_>, environment: &str, outputs: &mut Outputs) {
        self.summarize(content, environment);
        self.publish(content, environment, Urgency::Final, outputs).await;
    }

    /// Shows a plan: in the summary, and side by side as the comment, the check run and the label.
    pub async fn show(&self, plan: &Plan, sources: &SourceMap, environment: &str, outputs: &mut Outputs) {
        let content = Content::Plan(plan, sources);
        self.summarize(&content, environment);
        let (mut of_comment, mut of_check) = (Outputs::default(), Outputs::default());
        tokio::join!(
            self.publish(&content, environment, Urgency::Final, &mut of_comment),
            self.check(plan, sources, environment, &mut of_check),
            self.label(plan, environment),
        );
        outputs.take(of_comment);
        outputs.take(of_check);
    }

    /// Appends to the step's summary.
    pub fn summarize(&self, content: &Content<'_>, environment: &str) {
        let Some(file) = step_summary::file(self.settings).filter(|_| self.inputs.summary) else { return };
        if let Err(error) = step_summary::append(self.settings, &file, content, environment) {
            output::aside(&error.warning_text());
        }
    }

    /// Appends what is wrong with the manifests. The comment is left to plans: a check makes none, and must not stand
    /// where one was.
    pub fn summarize_validation(&self, resolved: &Resolved, problems: &[Diagnostic]) {
        let text = markdown::of_validation(resolved, problems, self.settings);
        let content = Content::Markdown { text: &text, state: State::Planned, plan_hash: None };
        self.summarize(&content, &resolved.project.environment);
    }

    /// Writes the comment.
    pub async fn publish(&self, content: &Content<'_>, environment: &str, urgency: Urgency, outputs: &mut Outputs) {
        let Some(publisher) = self.publisher().filter(|_| self.inputs.comment.mode() != Mode::Off) else { return };
        let work = publisher.publish(content, environment);
        let published = match urgency {
            Urgency::Passing => {
                let published = tokio::select! {
                    biased;
                    () = self.cancel.cancelled() => None,
                    published = tokio::time::timeout(PASSING, work) => published.ok(),
                };
                self.given_up.fetch_or(published.is_none(), Ordering::Relaxed);
                published
            }
            Urgency::Final => {
                let mut published = self.in_time(work).await;
                // What was given up may have arrived after our comments were listed, and is found only now.
                if published.is_some() && self.given_up.swap(false, Ordering::Relaxed) {
                    published = self.in_time(publisher.publish(content, environment)).await.or(published);
                }
                published
            }
        };
        let Some(published) = published else { return };
        published.warnings.iter().for_each(|warning| warn(warning, self.settings));
        outputs.comment(&published);
    }

    /// Writes the check run that the plan is approved by, where there is a pull request.
    async fn check(&self, plan: &Plan, sources: &SourceMap, environment: &str, outputs: &mut Outputs) {
        let Some(publisher) = self.publisher().filter(|_| self.inputs.check) else { return };
        let context = publisher.context();
        let Some(head_sha) = context.head_sha.as_deref().filter(|_| context.pull_request.is_some()) else { return };
        let body = plan_comment(plan, sources, &publisher.comment_context(SUMMARY_BYTES));
        let lines = summary_lines(plan);
        let check = Check {
            name: &name(environment, publisher.folder(), self.inputs.comment_key.as_deref()),
            head_sha,
            plan_hash: plan.plan_hash.as_str(),
            conclusion: conclusion(plan),
            title: lines.first().map_or("A plan", String::as_str),
            summary: &body.text,
            run: context.run.as_ref(),
        };
        match self.in_time(put(publisher.forge(), &check)).await {
            Some(Ok(Put::Written(check))) => outputs.check(check.id),
            Some(Ok(Put::Superseded(check))) => {
                output::aside("A newer run has planned this commit, so the check run is left as that run wrote it.");
                outputs.check(check.id);
            }
            Some(Err(warning)) if self.inputs.approve == Approve::PlanHash => {
                let hint =
                    "without this check run a merge cannot be applied by the plan's hash, as `approve: plan-hash` does";
                warn(&warning.hint(hint), self.settings);
            }
            Some(Err(warning)) => warn(&warning, self.settings),
            None => {}
        }
    }

    /// Puts the label on the pull request that says what the plan would do. A plan that is none says nothing of it.
    async fn label(&self, plan: &Plan, environment: &str) {
        let Some(publisher) = self.publisher().filter(|_| self.inputs.labels && plan.is_applyable()) else { return };
        if publisher.context().is_of_merge_queue() {
            return;
        }
        let summary = plan.summary();
        let would = match (summary.delete, summary.has_changes()) {
            (0, false) => Would::Nothing,
            (0, true) => Would::Change,
            (_, _) => Would::Delete,
        };
        let work = async {
            let number = publisher.pull_request().await?;
            labels::keep(publisher.forge(), number, environment, would).await
        };
        if let Some(Err(warning)) = self.in_time(work).await {
            warn(&warning, self.settings);
        }
    }

    /// Does it, unless the forge hangs, or a signal leaves no time for it any more.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let doing = "tell the forge how it ended";
        tokio::select! {
            biased;
            ended = work => Some(ended),
            () = self.too_late() => {
                let warning = Warning::new(WarningKind::Interrupted, format!("{doing} before the step had to end"));
                warn(&warning, self.settings);
                None
            }
            () = self.too_slow() => {
                let warning = Warning::new(WarningKind::Unreachable, doing)
                    .cause(format!("it did not answer within {} seconds", FINAL.as_secs()));
                warn(&warning, self.settings);
                None
            }
        }
    }

    /// Waits as long as a final word may take.
    async fn too_slow(&self) {
        let Some(publisher) = self.publisher() else { return std::future::pending().await };
        let forge = publisher.forge();
        forge.renew_patience();
        let (began, before) = (Instant::now(), forge.waited());
        loop {
            let until = began + FINAL + forge.waited().saturating_sub(before);
            if Instant::now() >= until {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    async fn too_late(&self) {
        self.cancel.cancelled().await;
        let since = *self.signal.get_or_init(Instant::now);
        tokio::time::sleep_until(since + LAST_WORD).await;
    }
}

fn conclusion(plan: &Plan) -> Conclusion {
    let summary = plan.summary();
    if !plan.is_applyable() {
        Conclusion::Failure
    } else if summary.delete > 0 || summary.conflict > 0 {
        Conclusion::ActionRequired
    } else if summary.has_changes() {
        Conclusion::Neutral
    } else {
        Conclusion::Success
    }
}

/// Says what did not work.
fn warn(warning: &Warning, settings: &Settings) {
    annotate::warning(&in_words(warning), settings.annotations);
}
