//! Why a command failed: what, the chain of causes, and what to do. The only place that words them for a person.

use serde_json::{Value, json};

use crate::session::SessionError;

use super::exit::Exit;

/// A command's failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// How the program ends.
    pub exit: Exit,
    /// From the outermost to the innermost.
    pub causes: Vec<String>,
    /// What to do, a line each.
    pub hints: Vec<String>,
}

impl CommandError {
    /// A failure of the configuration: files, variables.
    pub fn config(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, causes: vec![message.into()], hints: Vec::new() }
    }

    /// A wrong use of the command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, causes: vec![message.into()], hints: Vec::new() }
    }

    /// A file that could not be read or written.
    pub fn io(message: impl Into<String>, error: &std::io::Error) -> Self {
        Self { exit: Exit::Failed, causes: vec![message.into(), error.to_string()], hints: Vec::new() }
    }

    /// An error with its causes.
    pub fn chain(message: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut causes = vec![message.into(), error.to_string()];
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self { exit: Exit::Failed, causes, hints: Vec::new() }
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
            SessionError::UnknownKey { .. } => Exit::Usage,
            SessionError::Leased { .. } => Exit::Lease,
            SessionError::Interrupted => Exit::Interrupted,
            SessionError::Service(_) | SessionError::Schema(_) | SessionError::Organization { .. } => Exit::Failed,
        };
        Self { exit, causes, hints: error.hints() }
    }

    /// A request that failed.
    pub fn service(error: &crate::api::ApiError) -> Self {
        Self { exit: Exit::Failed, causes: error.causes(), hints: error.hints() }
    }

    /// Another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
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

    /// The failure as text.
    pub fn text(&self) -> String {
        self.worded("error")
    }

    /// The same where it stops nothing.
    pub fn warning_text(&self) -> String {
        self.worded("warning")
    }

    fn worded(&self, word: &str) -> String {
        let Self { exit: _, causes, hints } = self;
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

    /// The failure as JSON.
    pub fn json(&self) -> Value {
        let Self { exit, causes, hints } = self;
        json!({"format_version": "1.0", "error": {"exit_code": exit.code(), "causes": causes, "hints": hints}})
    }
}
