//! Why a command failed: what, the chain of causes, and what to do. The only place that words them for a person.

use serde_json::Value;

use crate::api::ApiError;
use crate::diagnostics::Problem;
use crate::http::HttpErrorKind;
use crate::render::json::{Failure, failure_document, read_failure};
use crate::session::SessionError;

use super::exit::Exit;

/// What kind of failure it was, where the exit code alone does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// Files, variables, manifests.
    #[default]
    Config,
    /// The credential: there is none, or it may not do this.
    Auth,
    /// The service.
    Service,
    /// Nobody has approved a plan, or it cannot be told which.
    NotApproved,
    /// The event that caused the run: the command is not done for it.
    WrongEvent,
}

/// A command's failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// How the program ends.
    pub exit: Exit,
    /// What kind of failure it was.
    pub reason: Reason,
    /// From the outermost to the innermost.
    pub causes: Vec<String>,
    /// What to do, a line each.
    pub hints: Vec<String>,
    /// The mistakes in the manifests that it failed for. A terminal has shown them with their excerpts before; whoever
    /// reads a comment or a document has not.
    pub problems: Vec<Problem>,
}

impl CommandError {
    fn new(exit: Exit, causes: Vec<String>) -> Self {
        Self { exit, reason: Reason::default(), causes, hints: Vec::new(), problems: Vec::new() }
    }

    /// A failure of the configuration: files, variables.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, vec![message.into()])
    }

    /// A wrong use of the command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, vec![message.into()])
    }

    /// A file that could not be read or written.
    pub fn io(message: impl Into<String>, error: &std::io::Error) -> Self {
        Self::new(Exit::Failed, vec![message.into(), error.to_string()])
    }

    /// An error with its causes.
    pub fn chain(message: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut causes = vec![message.into(), error.to_string()];
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self::new(Exit::Failed, causes)
    }

    /// A run that could not go on.
    pub fn session(error: &SessionError) -> Self {
        let mut causes = vec![error.to_string()];
        let mut next = std::error::Error::source(error);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        let exit = match error {
            SessionError::UnknownKey { .. } | SessionError::UnknownAgent { .. } => Exit::Usage,
            SessionError::Leased { .. } => Exit::Lease,
            SessionError::Overtaken { .. } => Exit::Refused,
            SessionError::Interrupted => Exit::Interrupted,
            SessionError::Service(_)
            | SessionError::NoAgent { .. }
            | SessionError::Version { .. }
            | SessionError::Import
            | SessionError::Schema(_)
            | SessionError::Organization { .. }
            | SessionError::OrganizationUnverified { .. } => Exit::Failed,
        };
        let reason = match error {
            SessionError::Service(error) => reason(error),
            SessionError::Organization { .. } | SessionError::OrganizationUnverified { .. } => Reason::Auth,
            SessionError::Schema(_) => Reason::Service,
            SessionError::UnknownKey { .. }
            | SessionError::NoAgent { .. }
            | SessionError::Version { .. }
            | SessionError::UnknownAgent { .. }
            | SessionError::Import
            | SessionError::Leased { .. }
            | SessionError::Overtaken { .. }
            | SessionError::Interrupted => Reason::Config,
        };
        Self { exit, reason, causes, hints: error.hints(), problems: Vec::new() }
    }

    /// A request that failed.
    pub fn service(error: &ApiError) -> Self {
        Self {
            exit: Exit::Failed,
            reason: reason(error),
            causes: error.causes(),
            hints: error.hints(),
            problems: Vec::new(),
        }
    }

    /// Another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Another kind of failure.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    /// One more cause, below those there are.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// One more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With the mistakes that it failed for.
    #[must_use]
    pub fn for_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }

    /// The failure as text.
    pub fn text(&self) -> String {
        self.worded("error")
    }

    /// The same where it stops nothing.
    pub fn warning_text(&self) -> String {
        self.worded("warning")
    }

    fn worded(&self, word: &str) -> String {
        let Self { exit: _, reason: _, causes, hints, problems: _ } = self;
        let mut out = String::new();
        for (index, cause) in causes.iter().enumerate() {
            out.push_str(if index == 0 { word } else { "  caused by" });
            out.push_str(": ");
            out.push_str(&crate::render::visible::one_line(cause));
            out.push('\n');
        }
        for hint in hints {
            out.push_str("hint: ");
            out.push_str(&crate::render::visible::one_line(hint));
            out.push('\n');
        }
        out
    }

    /// A failure that was kept as JSON. What kind it was is not kept.
    pub fn read(document: &Value) -> Option<Self> {
        let Failure { exit_code, causes, hints, problems } = read_failure(document)?;
        let exit = Exit::ALL.into_iter().find(|exit| exit.code() == exit_code)?;
        Some(Self { exit, reason: Reason::default(), causes, hints, problems })
    }

    /// The failure as JSON.
    pub fn json(&self) -> String {
        let Self { exit, reason: _, causes, hints, problems } = self.clone();
        failure_document(&Failure { exit_code: exit.code(), causes, hints, problems })
    }
}

/// A command line that could not be read, in the words of the parser: its first line says what is wrong.
pub fn unreadable(error: &clap::Error) -> CommandError {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = paragraphs.next().unwrap_or_default();
    let failure = CommandError::usage(message.trim_start_matches("error: "));
    paragraphs.filter(|part| !part.is_empty()).fold(failure, CommandError::hint)
}

/// Whether the service refused the credential or failed otherwise.
fn reason(error: &ApiError) -> Reason {
    match &*error.source.kind {
        HttpErrorKind::Status { status: 401 | 403, .. } => Reason::Auth,
        _ => Reason::Service,
    }
}
