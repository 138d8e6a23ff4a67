//! What a call to the service can end in: what was being done, over what the request said.

use std::error::Error as _;

use crate::http::{Detail, Fate, HttpError};

/// A call that did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not {doing}")]
pub struct ApiError {
    /// What was being done, as `read agent ag_1`.
    pub doing: String,
    /// What became of the request.
    pub source: HttpError,
}

impl ApiError {
    /// An error of a request that was made while `doing`.
    pub fn new(doing: impl Into<String>, source: HttpError) -> Self {
        Self { doing: doing.into(), source }
    }

    /// The request, as `GET /core/agents`.
    pub fn request(&self) -> &str {
        &self.source.request
    }

    /// What certainly became of the request.
    pub fn fate(&self) -> Fate {
        self.source.fate
    }

    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.source.status()
    }

    /// What the service said.
    pub fn detail(&self) -> Option<&Detail> {
        self.source.detail()
    }

    /// The service says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.source.is_not_found()
    }

    /// The credential may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.source.is_forbidden()
    }

    /// The credential is missing, wrong, deleted or expired.
    pub fn is_unauthorized(&self) -> bool {
        self.source.is_unauthorized()
    }

    /// The state of the resource does not allow it.
    pub fn is_conflict(&self) -> bool {
        self.source.is_conflict()
    }

    /// What was sent is not what the service takes.
    pub fn is_invalid(&self) -> bool {
        self.source.is_invalid()
    }

    /// The run was interrupted before the request was sent.
    pub fn is_interrupted(&self) -> bool {
        self.source.is_interrupted()
    }

    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        self.source.hints()
    }

    /// The causes from the outermost to the innermost, each a fragment of its own.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = vec![self.to_string()];
        let mut next = self.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        // Transparent causes say the same as what they stand for.
        causes.dedup();
        causes
    }

    /// The whole story on one line.
    pub fn one_line(&self) -> String {
        self.causes().join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HttpErrorKind, TransportError};

    #[test]
    fn the_causes_go_from_what_was_done_to_why_it_failed() {
        let error = ApiError::new(
            "read agent ag_1",
            HttpError {
                request: "GET /core/agents/ag_1".into(),
                attempts: 3,
                fate: Fate::NotSent,
                kind: Box::new(HttpErrorKind::Transport(TransportError::Connect("refused".into()))),
                token_source: "ANYREACH_TOKEN".into(),
            },
        );
        assert_eq!(
            error.one_line(),
            "could not read agent ag_1: `GET /core/agents/ag_1` failed after 3 attempts: could not connect: refused"
        );
    }
}
