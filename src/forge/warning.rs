//! PURE. What a forge refused, as data: whoever posts decides what it means.

use crate::http::{Fate, HttpError, HttpErrorKind};

/// What kind of trouble it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// The token may not do this; the permissions that would be enough, as far as they are known.
    Forbidden {
        /// In the words of a workflow file: `pull-requests: write`.
        permission: String,
    },
    /// The token is none: mistyped, expired.
    Unauthorized,
    /// There is no such thing, or the token does not see it.
    NotFound,
    /// The forge refused the text, as too long.
    Refused,
    /// A rate or abuse limit that this run does not wait out.
    RateLimited,
    /// There is no pull request to post on.
    NoPullRequest,
    /// The pull request that was named is not this run's.
    WrongPullRequest,
    /// No forge: this is no pipeline, or its address cannot be used.
    NoForge,
    /// There is no token.
    NoToken,
    /// This forge has no such thing.
    Unsupported,
    /// No answer, or one that is not the forge's.
    Unreachable,
    /// A signal.
    Interrupted,
}

/// Something could not be put on the forge. It never changes what was planned or applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not {doing}")]
pub struct Warning {
    /// What kind of trouble.
    pub kind: WarningKind,
    /// What was being done, as in "could not …".
    pub doing: String,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
    /// Whether it may have been done all the same.
    pub uncertain: bool,
}

impl Warning {
    /// A warning of our own making.
    pub fn new(kind: WarningKind, doing: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), causes: Vec::new(), hints: Vec::new(), uncertain: false }
    }

    /// One more cause.
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

    /// The stable name.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            WarningKind::Forbidden { .. } => "forge-forbidden",
            WarningKind::Unauthorized => "forge-unauthorized",
            WarningKind::NotFound => "forge-not-found",
            WarningKind::Refused => "forge-refused",
            WarningKind::RateLimited => "forge-rate-limited",
            WarningKind::NoPullRequest => "forge-no-pull-request",
            WarningKind::WrongPullRequest => "forge-wrong-pull-request",
            WarningKind::NoForge => "forge-none",
            WarningKind::NoToken => "forge-no-token",
            WarningKind::Unsupported => "forge-unsupported",
            WarningKind::Unreachable => "forge-unreachable",
            WarningKind::Interrupted => "forge-interrupted",
        }
    }

    /// What, and why, on one line.
    pub fn one_line(&self) -> String {
        if self.causes.is_empty() { self.to_string() } else { format!("{self}: {}", self.causes.join(": ")) }
    }

    /// Reads a failed request. `permission` is what the operation needs, `accepted` what the forge itself said of it.
    pub(super) fn of(error: &HttpError, doing: &str, permission: &str, accepted: Option<&str>) -> Self {
        let permission =
            accepted.map(permissions).filter(|text| !text.is_empty()).unwrap_or_else(|| permission.to_owned());
        let mut hints = Vec::new();
        let kind = match &*error.kind {
            HttpErrorKind::Status { status: 401, .. } => {
                hints.push(format!("check the token in {}: it is mistyped, deleted or expired", error.token_source));
                WarningKind::Unauthorized
            }
            HttpErrorKind::Status { status: 403, .. } => {
                hints.push(format!("give the job or the token in {} the permission {permission}", error.token_source));
                WarningKind::Forbidden { permission }
            }
            HttpErrorKind::Status { status: 410, .. } => {
                hints.push(
                    "if Issues are off in this repository, turn them on under Settings → General → Features".to_owned(),
                );
                WarningKind::NotFound
            }
            // What a token does not see, a forge says is not there.
            HttpErrorKind::Status { status: 404, .. } => {
                let number = if doing.contains(['#', '!']) { "the number, and " } else { "" };
                hints.push(format!("check {number}that the token in {} has {permission}", error.token_source));
                WarningKind::NotFound
            }
            HttpErrorKind::Status { status: 429, .. } | HttpErrorKind::OutOfTime { .. } => {
                hints.push("the forge limits how often it may be asked: run the job again later".to_owned());
                WarningKind::RateLimited
            }
            HttpErrorKind::Status { status: 400 | 409 | 413 | 422, .. } => WarningKind::Refused,
            HttpErrorKind::Interrupted => WarningKind::Interrupted,
            _ => WarningKind::Unreachable,
        };
        Self {
            kind,
            doing: doing.to_owned(),
            causes: vec![error.to_string(), error.kind.to_string().replace("the service", "the forge")],
            hints,
            uncertain: error.fate == Fate::Unknown,
        }
    }
}

/// GitHub's `pull_requests=write; issues=write` in the words of a workflow file. Sets are parted by `;`, and any of them
/// is enough; within a set all are needed.
fn permissions(accepted: &str) -> String {
    let set = |set: &str| {
        let all: Vec<String> = set
            .split(',')
            .filter_map(|entry| entry.trim().split_once('='))
            .map(|(name, level)| format!("`{}: {}`", word(name).replace('_', "-"), word(level)))
            .collect();
        all.join(" and ")
    };
    let sets: Vec<String> = accepted.split(';').map(set).filter(|set| !set.is_empty()).take(4).collect();
    sets.join(" or ")
}

fn word(text: &str) -> String {
    text.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Detail;

    fn error(status: u16) -> HttpError {
        HttpError {
            request: "POST /repos/a/b/issues/1/comments".to_owned(),
            attempts: 1,
            fate: Fate::Refused,
            kind: Box::new(HttpErrorKind::Status { status, detail: Detail::Text("Not accessible".to_owned()) }),
            token_source: "GITHUB_TOKEN".to_owned(),
        }
    }

    #[test]
    fn a_missing_permission_is_named_by_the_forge_where_it_does_and_by_us_where_not() {
        let ours = Warning::of(&error(403), "write the comment on #1", "`pull-requests: write`", None);
        assert_eq!(ours.code(), "forge-forbidden");
        assert!(ours.hints.concat().contains("the permission `pull-requests: write`"));
        assert_eq!(
            ours.one_line(),
            "could not write the comment on #1: `POST /repos/a/b/issues/1/comments` failed: \
             the forge answered 403 (forbidden): Not accessible"
        );
        let accepted = "issues=write; pull_requests=write,contents=read";
        let theirs = Warning::of(&error(403), "x", "y", Some(accepted));
        assert!(theirs.hints.concat().contains("`issues: write` or `pull-requests: write` and `contents: read`"));
        let odd = Warning::of(&error(403), "x", "`y`", Some("::error::"));
        assert_eq!(odd.kind, WarningKind::Forbidden { permission: "`y`".to_owned() });
    }

    #[test]
    fn kinds_are_told_apart() {
        let code = |status| Warning::of(&error(status), "x", "y", None).code();
        assert_eq!(
            [401, 404, 422, 429, 500].map(code),
            ["forge-unauthorized", "forge-not-found", "forge-refused", "forge-rate-limited", "forge-unreachable"]
        );
    }
}
