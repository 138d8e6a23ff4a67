//! Where the action tells what it does: the pull request's comment, the step's summary, the check run.
//!
//! After a signal the runner gives a step little time: what is under way is abandoned, and the last word has to be said
//! before the step must have ended.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::comment::in_words;
use crate::cli::publish::{Content, Options, Publisher};
use crate::cli::settings::Settings;
use crate::cli::{forge, markdown, output, step_summary};
use crate::diagnostics::{Diagnostic, SourceMap};
use crate::forge::check::{Check, Conclusion, SUMMARY_BYTES, name, put};
use crate::forge::labels::{self, Would};
use crate::forge::{Mode, State, Warning, WarningKind};
use crate::manifest::Resolved;
use crate::plan::Plan;
use crate::render::markdown::plan_comment;
use crate::render::text::summary_lines;

use super::inputs::{Approve, Inputs};
use super::outputs::Outputs;

/// From the signal to the last word. An apply takes up to six seconds to end, and the runner kills after seven and a half.
const LAST_WORD: Duration = Duration::from_millis(6_700);

/// Whether something is worth the time that is left after a signal.
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
}

impl<'a> Desk<'a> {
    /// Opens it. Without a forge, or a token for it, it tells only what needs neither.
    pub fn open(inputs: &'a Inputs, settings: &'a Settings, cancel: CancellationToken) -> Self {
        let options = Options {
            mode: inputs.comment.mode(),
            key: inputs.comment_key.clone(),
            pull_request: inputs.pr_number,
            max_bytes: inputs.comment_max_bytes,
        };
        // Its requests outlive the signal by as much as `in_time` allows.
        let publisher = match Publisher::open(settings, options, CancellationToken::new()) {
            Ok(publisher) => Some(publisher),
            Err(warning) => {
                warn(&warning);
                None
            }
        };
        let signal = Arc::new(OnceLock::new());
        let (seen, cancelled) = (Arc::clone(&signal), cancel.clone());
        tokio::spawn(async move {
            cancelled.cancelled().await;
            seen.get_or_init(Instant::now);
        });
        Self { publisher, inputs, settings, cancel, signal }
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
            Urgency::Passing => tokio::select! {
                biased;
                () = self.cancel.cancelled() => return,
                published = work => published,
            },
            Urgency::Final => match self.in_time(work).await {
                Some(published) => published,
                None => return,
            },
        };
        published.warnings.iter().for_each(warn);
        outputs.comment(&published);
    }

    /// Writes the check run that the plan is approved by, where there is a pull request.
    pub async fn check(&self, plan: &Plan, sources: &SourceMap, environment: &str, outputs: &mut Outputs) {
        let Some(publisher) = self.publisher() else { return };
        let context = publisher.context();
        let Some(head_sha) = context.head_sha.as_deref().filter(|_| context.pull_request.is_some()) else { return };
        let body = plan_comment(plan, sources, &forge::comment_context(Some(context), SUMMARY_BYTES));
        let lines = summary_lines(plan);
        let check = Check {
            name: &name(environment, self.inputs.comment_key.as_deref()),
            head_sha,
            plan_hash: plan.plan_hash.as_str(),
            conclusion: conclusion(plan),
            title: lines.first().map_or("A plan", String::as_str),
            summary: &body.text,
            details_url: context.run.as_ref().and_then(|run| run.url.as_deref()),
        };
        match self.in_time(put(publisher.forge(), &check)).await {
            Some(Ok(check)) => outputs.check(check.id),
            Some(Err(warning)) if self.inputs.approve == Approve::PlanHash => warn(&warning.hint(
                "without this check run a merge cannot be applied by the plan's hash, as `approve: plan-hash` does",
            )),
            Some(Err(warning)) => warn(&warning),
            None => {}
        }
    }

    /// Puts the label on the pull request that says what the plan would do.
    pub async fn label(&self, plan: &Plan, environment: &str) {
        let Some(publisher) = self.publisher() else { return };
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
            warn(&warning);
        }
    }

    /// Does it, unless a signal leaves no time for it any more.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            ended = work => Some(ended),
            () = self.too_late() => {
                warn(&Warning::new(WarningKind::Interrupted, "tell the forge how it ended before the step had to end"));
                None
            }
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

/// Tells of what did not work.
fn warn(warning: &Warning) {
    output::aside(&in_words(warning).warning_text());
}
