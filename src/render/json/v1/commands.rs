//! What commands write that are not about one plan: `validate`, `drift --adopt`, `comment`, and a command that
//! failed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problems::{DiagnosticDoc, LeftOutDoc, ProblemsDoc};
use super::{FORMAT_VERSION, documents, write};
use crate::diagnostics::{Diagnostic, Problem, Severity, SourceMap};
use crate::model::{Address, FieldPath};

documents! { pub:
    /// What `drift --adopt --json` writes.
    AdoptDoc {
        /// The version of the format.
        format_version: String,
        /// The version of this program.
        tool_version: String,
        /// What the document is.
        kind: AdoptKind,
        /// Whether nothing was written.
        dry_run: bool,
        /// What was adopted.
        adopted: Vec<AdoptedDoc>,
        /// What was not.
        refused: Vec<NotAdoptedDoc>,
        /// The files that were written, or would be.
        files: Vec<String>,
    }

    /// A live value that the manifests declare from now on.
    AdoptedDoc {
        /// The agent.
        address: Address,
        /// Where, from the root of the manifest.
        path: FieldPath,
        /// The files that declare it.
        files: Vec<String>,
        /// Whether it went into the patch of the environment.
        in_patch: bool,
    }

    /// A live value that was not adopted.
    NotAdoptedDoc {
        /// The agent.
        address: Address,
        /// Null for the agent as a whole.
        path: Option<FieldPath>,
        /// Why.
        reason: String,
    }

    /// What `explain --json` writes.
    ExplainDoc {
        /// The version of the format.
        format_version: String,
        /// The code that was asked for, or all of them.
        codes: Vec<CodeDoc>,
    }

    /// The code of a problem.
    CodeDoc {
        /// Stable and in kebab case.
        code: String,
        /// What is wrong.
        meaning: String,
        /// What to do about it.
        fix: String,
        /// How such a problem is shown, if the manual has an example.
        example: Option<String>,
    }

    /// What `comment --json` writes.
    CommentDoc {
        /// The version of the format.
        format_version: String,
        /// What it is to the project, or what the comment says.
        state: String,
        /// `created`, `updated`, `unchanged`, `superseded`, `skipped` or `not-posted`.
        outcome: String,
        /// The pull request.
        pull_request: Option<u64>,
        /// The comment.
        comment_id: Option<u64>,
        /// Where it is.
        comment_url: Option<String>,
        /// Whether anything was left out because there was no room.
        truncated: bool,
        /// What did not work on the forge.
        warnings: Vec<CommentWarningDoc>,
    }

    /// What did not work on the forge.
    CommentWarningDoc {
        /// Stable and in kebab case.
        code: String,
        /// What happened.
        message: String,
        /// Why, from the outermost cause to the innermost.
        causes: Vec<String>,
        /// What to do about it.
        hints: Vec<String>,
    }
}

documents! {
    /// What `validate --json` writes.
    ValidationDoc {
        format_version: String,
        /// Whether there is no error.
        valid: bool,
        manifests: usize,
        environment: String,
        /// Null if the manifests were not compared with a schema of the service.
        schema_digest: Option<String>,
        #[serde(default)]
        diagnostics: Vec<DiagnosticDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diagnostics_left_out: Option<LeftOutDoc>,
    }

    /// What every command writes that failed before it had a result.
    FailureDoc {
        format_version: String,
        error: ErrorDoc,
    }

    /// Why it failed.
    ErrorDoc {
        exit_code: u8,
        /// From the outermost to the innermost.
        #[serde(default)]
        causes: Vec<String>,
        #[serde(default)]
        hints: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        diagnostics: Vec<DiagnosticDoc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diagnostics_left_out: Option<LeftOutDoc>,
    }
}

/// The one word of its kind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum AdoptKind {
    /// Live values were written into the manifests.
    Adopt,
}

/// The document on a check of so many manifests, and of what was found in them.
pub fn validation_document(
    environment: &str,
    manifests: usize,
    schema_digest: Option<&str>,
    found: &[Diagnostic],
    sources: &SourceMap,
) -> String {
    let ProblemsDoc { diagnostics, diagnostics_left_out } = ProblemsDoc::of(found, sources);
    write(&ValidationDoc {
        format_version: FORMAT_VERSION.to_owned(),
        valid: found.iter().all(|found| found.severity != Severity::Error),
        manifests,
        environment: environment.to_owned(),
        schema_digest: schema_digest.map(str::to_owned),
        diagnostics,
        diagnostics_left_out,
    })
}

impl AdoptDoc {
    /// Of what was adopted and what was not.
    pub fn new(dry_run: bool, adopted: Vec<AdoptedDoc>, refused: Vec<NotAdoptedDoc>, files: Vec<String>) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: crate::VERSION.to_owned(),
            kind: AdoptKind::Adopt,
            dry_run,
            adopted,
            refused,
            files,
        }
    }
}

/// A command that failed before it had a result.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The exit code.
    pub exit_code: u8,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
    /// The mistakes in the manifests that it failed for.
    pub problems: Vec<Problem>,
}

/// The document of a failure.
pub fn failure_document(failure: &Failure) -> String {
    let Failure { exit_code, causes, hints, problems } = failure;
    let ProblemsDoc { diagnostics, diagnostics_left_out } = ProblemsDoc::of_problems(problems);
    let (exit_code, causes, hints) = (*exit_code, causes.clone(), hints.clone());
    let error = ErrorDoc { exit_code, causes, hints, diagnostics, diagnostics_left_out };
    write(&FailureDoc { format_version: FORMAT_VERSION.to_owned(), error })
}

/// Reads the document; `None` if it is not in the form that this program writes.
pub fn read_failure(document: &Value) -> Option<Failure> {
    let ErrorDoc { exit_code, causes, hints, diagnostics, diagnostics_left_out } =
        FailureDoc::deserialize(document).ok()?.error;
    let problems = ProblemsDoc { diagnostics, diagnostics_left_out }.problems();
    Some(Failure { exit_code, causes, hints, problems })
}

macro_rules! written {
    ($($name:ident),*) => {$(
        impl $name {
            /// The document, with line feeds and a final one.
            pub fn text(&self) -> String {
                write(self)
            }
        }
    )*};
}

written!(AdoptDoc, CommentDoc, ExplainDoc);
