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
use crate::forge::check::{self, Check, Conclusion, SUMMARY_BYTES, name};
use crate::forge::labels::{self, Would};
use crate::forge::marker;
use crate::forge::sticky::Outcome as Put;
use crate::forge::{Mode, State, Warning, WarningKind};
use crate::manifest::Resolved;
use crate::plan::Plan;
use crate::render::markdown::plan_comment;
use crate::render::text::summary_lines;
use crate::render::view::Place;

use super::inputs::{Approve, Command, Inputs};
use super::outputs::Outputs;
use super::patience::{self, Asked, PASSING, Patience};

/// From the signal to the last word. An apply takes up to six seconds to end, and the runner kills after seven and a half.
const LAST_WORD: Duration = Duration::from_millis(6_700);

/// Whether something is worth the time that is left after a signal, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It says what is under way.
    Passing,
    /// It says how it ended.
    Final,
}

/// What the pull request says after a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// What this run has to say, or no comment was wanted.
    Ours,
    /// What a newer run has to say.
    Newer,
    /// Something else: the word did not arrive.
    Other,
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
    patience: Patience,
}

impl<'a> Desk<'a> {
    /// Opens it. Without a forge, or a token for it, it tells only what needs neither.
    pub fn open(inputs: &'a Inputs, settings: &'a Settings, cancel: CancellationToken) -> Self {
        let options = Options {
            mode: inputs.comment.mode(),
            key: inputs.comment_key.clone(),
            pull_request: inputs.pr_number,
            // An apply is started by a push, whose pull request nobody can name beforehand.
            naming: (inputs.command != Command::Apply).then_some("name it with the input `pr-number`"),
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
        Self {
            publisher,
            inputs,
            settings,
            cancel,
            signal,
            given_up: AtomicBool::new(false),
            patience: Patience::default(),
        }
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

    /// Shows a plan: in the summary, as the comment, and then by the check run, which approves it only once the comment
    /// holds it, and the label. Says whether a merge can be applied by what was shown, where that was asked for.
    pub async fn show(&self, plan: &Plan, sources: &SourceMap, environment: &str, outputs: &mut Outputs) -> bool {
        let content = Content::Plan(plan, sources);
        self.summarize(&content, environment);
        let told = self.publish(&content, environment, Urgency::Final, outputs).await;
        let is_approvable = match told {
            Told::Newer => {
                output::aside("A newer run has written the comment, so the check run is left as that run wrote it.");
                true
            }
            Told::Ours => self.check(plan, sources, environment, true, outputs).await,
            Told::Other => self.check(plan, sources, environment, false, outputs).await,
        };
        if told == Told::Ours {
            self.label(plan, environment).await;
        }
        is_approvable || self.inputs.approve != Approve::PlanHash
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
    pub async fn publish(
        &self,
        content: &Content<'_>,
        environment: &str,
        urgency: Urgency,
        outputs: &mut Outputs,
    ) -> Told {
        if self.inputs.comment.mode() == Mode::Off {
            return Told::Ours;
        }
        let Some(publisher) = self.publisher() else { return Told::Other };
        if publisher.context().is_of_merge_queue() {
            return Told::Ours;
        }
        let (doing, asked) = ("write the comment", || self.asked());
        let work = publisher.publish(content, environment);
        let published = match urgency {
            Urgency::Passing => {
                let published = tokio::select! {
                    biased;
                    () = self.cancel.cancelled() => None,
                    published = self.patience.within(PASSING, &asked, work) => published,
                };
                self.given_up.fetch_or(published.is_none(), Ordering::Relaxed);
                published
            }
            Urgency::Final => {
                publisher.forge().renew_patience();
                let mut published = self.in_time(doing, work).await;
                // What was given up may have arrived after our comments were listed, and is found only now.
                if published.is_some() && self.given_up.swap(false, Ordering::Relaxed) {
                    let again = self.in_time(doing, publisher.publish(content, environment)).await;
                    published = again.or(published);
                }
                published
            }
        };
        let Some(published) = published else { return Told::Other };
        published.warnings.iter().for_each(|warning| warn(warning, self.settings));
        outputs.comment(&published);
        match published.put.map(|put| put.outcome) {
            Some(Put::Created | Put::Updated | Put::Unchanged | Put::Skipped) => Told::Ours,
            Some(Put::Superseded { .. }) => Told::Newer,
            None => Told::Other,
        }
    }

    /// Writes the check run that the plan is approved by, where there is a pull request. A plan that the comment does not
    /// show is not approved by it: whoever merges has not seen that plan. Says whether a merge can be applied by it.
    async fn check(
        &self,
        plan: &Plan,
        sources: &SourceMap,
        environment: &str,
        is_shown: bool,
        outputs: &mut Outputs,
    ) -> bool {
        let Some(publisher) = self.publisher().filter(|_| self.inputs.check) else { return true };
        let context = publisher.context();
        let Some(head_sha) = context.head_sha.as_deref().filter(|_| context.pull_request.is_some()) else {
            return true;
        };
        let body = plan_comment(plan, sources, &publisher.comment_context(SUMMARY_BYTES - UNSEEN.len()));
        let (summary, lines) = (format!("{}\n\n{}", UNSEEN, marker::without(&body.text)), summary_lines(plan));
        let check = Check {
            name: &name(&publisher.place(environment)),
            head_sha,
            plan_hash: is_shown.then(|| plan.plan_hash.as_str()),
            conclusion: if is_shown { conclusion(plan) } else { Conclusion::ActionRequired },
            title: if is_shown { lines.first().map_or("A plan", String::as_str) } else { UNSEEN },
            summary: if is_shown { &body.text } else { &summary },
            run: context.run.as_ref(),
        };
        match self.in_time("write the check run", check::put(publisher.forge(), &check)).await {
            Some(Ok(check::Put::Written(check))) => {
                outputs.check(check.id);
                is_shown
            }
            Some(Ok(check::Put::Superseded(check))) => {
                output::aside("A newer run has planned this commit, so the check run is left as that run wrote it.");
                outputs.check(check.id);
                true
            }
            Some(Err(warning)) => {
                warn(&warning, self.settings);
                false
            }
            None => false,
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
            labels::keep(publisher.forge(), number, &publisher.place(environment), would).await
        };
        if let Some(Err(warning)) = self.in_time("label the pull request", work).await {
            warn(&warning, self.settings);
        }
    }

    /// Does it, unless the forge hangs, or a signal leaves no time for it any more. What then was not done is a warning.
    pub async fn in_time<T>(&self, doing: &str, work: impl Future<Output = T>) -> Option<T> {
        // It was said when the last of it was spent.
        if self.patience.is_spent() {
            return None;
        }
        let asked = || self.asked();
        tokio::select! {
            biased;
            ended = self.patience.within(patience::ALL, &asked, work) => {
                if ended.is_none() {
                    warn(&self.too_slow(doing), self.settings);
                }
                ended
            }
            () = self.too_late() => {
                let doing = format!("{doing} before the step had to end");
                warn(&Warning::new(WarningKind::Interrupted, doing), self.settings);
                None
            }
        }
    }

    fn too_slow(&self, doing: &str) -> Warning {
        let asked = self.asked();
        if !asked.left.is_zero() {
            let cause = format!("the forge limits requests and asked to wait {} s more", asked.left.as_secs() + 1);
            return Warning::new(WarningKind::RateLimited, doing).cause(cause);
        }
        let all = patience::ALL.as_secs();
        Warning::new(WarningKind::Unreachable, doing)
            .cause(format!("the forge is slow or does not answer: this run has waited {all} seconds for it in all"))
    }

    /// What the forge asked this run to wait.
    fn asked(&self) -> Asked {
        let forge = self.publisher().map(Publisher::forge);
        forge.map_or_else(Asked::default, |forge| Asked { total: forge.waited(), left: forge.pause() })
    }

    async fn too_late(&self) {
        self.cancel.cancelled().await;
        let since = *self.signal.get_or_init(Instant::now);
        tokio::time::sleep_until(since + LAST_WORD).await;
    }
}

/// What the check run says of a plan that could not be shown.
const UNSEEN: &str = "The comment could not be written, so nobody could read this plan there, and it approves nothing. Run the job again.";

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
