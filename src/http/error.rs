//! What went wrong with a request, in words that name it, its cause and the mend. Never with a token.

use std::time::Duration;

use super::activity::seconds;
use super::detail::Detail;
use super::message::TransportError;

/// What certainly became of a request that did not end well. Later ones outweigh earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It never reached the service.
    NotSent,
    /// The service answered that it did not do it.
    Refused,
    /// It may have been carried out: look it up.
    Unknown,
}

/// A request that did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{request}` failed{}", after(*.attempts))]
pub struct HttpError {
    /// Method and path, as [`super::Request::name`] gives them.
    pub request: String,
    /// How often it was sent.
    pub attempts: u32,
    /// What became of it: the worst of all attempts, so a refusal after a lost reply is still unknown.
    pub fate: Fate,
    /// Why.
    #[source]
    pub kind: Box<HttpErrorKind>,
    /// The name of the variable or the file that the token came from.
    pub token_source: String,
}

/// Why a request did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpErrorKind {
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The service refused, or failed.
    #[error("the service answered {status}{}: {detail}", phrase(*.status))]
    Status {
        /// The status.
        status: u16,
        /// The body.
        detail: Detail,
    },
    /// The service pointed elsewhere. A credential is not carried along, so nobody follows.
    #[error("the service answered {status} and redirects to {to}, which reachform does not follow with a token")]
    Redirect {
        /// The status.
        status: u16,
        /// The host that it points to.
        to: String,
    },
    /// A success that is a page for people.
    #[error("the service answered {status} with {page}")]
    Page {
        /// The status.
        status: u16,
        /// The page.
        page: Detail,
    },
    /// A success whose body is no JSON, or not all of it.
    #[error("expected {expected}, but {}: {reason}; the answer begins with `{snippet}`", broken(*.ended_early))]
    NotJson {
        /// What the body should have been.
        expected: &'static str,
        /// Whether it ended too early.
        ended_early: bool,
        /// What the parser said.
        reason: String,
        /// The beginning of the body, bounded and masked.
        snippet: String,
    },
    /// A success whose body is another thing than it should be.
    #[error("expected {expected}, but found {found}{}", place(at))]
    WrongShape {
        /// What the body should have been.
        expected: &'static str,
        /// Where, as a JSON pointer into the body.
        at: String,
        /// What stood there: a JSON type, never a value.
        found: String,
    },
    /// A success with more values than are read.
    #[error("the answer holds {values} values, more than the limit of {limit}")]
    TooManyValues {
        /// How many it holds.
        values: usize,
        /// How many are read.
        limit: usize,
    },
    /// Answers that are fine one by one and too much together.
    #[error("there is more than reachform reads: {bound} ({read})")]
    TooMuch {
        /// The bound that was reached.
        bound: String,
        /// How much was read until then.
        read: String,
    },
    /// The service asked for more patience than the run has left.
    #[error("the service asked to wait {} s, longer than the {} s that this run has left", seconds(*.asked), .left.as_secs())]
    OutOfTime {
        /// What it asks for.
        asked: Duration,
        /// What the run has left.
        left: Duration,
    },
    /// The run was interrupted while the request waited for its turn.
    #[error("the run was interrupted")]
    Interrupted,
}

fn after(attempts: u32) -> String {
    if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() }
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(" at `{at}`") }
}

fn broken(ended_early: bool) -> &'static str {
    if ended_early { "the answer was cut off" } else { "the answer is not JSON" }
}

/// The usual words for a status, where it has any.
fn phrase(status: u16) -> &'static str {
    match status {
        400 => " (bad request)",
        401 => " (unauthorized)",
        403 => " (forbidden)",
        404 => " (not found)",
        405 => " (method not allowed)",
        408 => " (request timeout)",
        409 => " (conflict)",
        413 => " (too large)",
        422 => " (unprocessable)",
        429 => " (too many requests)",
        500 => " (internal error)",
        502 => " (bad gateway)",
        503 => " (unavailable)",
        504 => " (gateway timeout)",
        _ => "",
    }
}

impl HttpError {
    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        match *self.kind {
            HttpErrorKind::Status { status, .. }
            | HttpErrorKind::Redirect { status, .. }
            | HttpErrorKind::Page { status, .. } => Some(status),
            _ => None,
        }
    }

    /// The body of a refusal.
    pub fn detail(&self) -> Option<&Detail> {
        match &*self.kind {
            HttpErrorKind::Status { detail, .. } => Some(detail),
            _ => None,
        }
    }

    /// The service says that there is no such thing. A page for people is another machine's 404 and does not count.
    pub fn is_not_found(&self) -> bool {
        matches!(&*self.kind, HttpErrorKind::Status { status: 404, detail } if !matches!(detail, Detail::Html { .. }))
    }

    /// The credential is fine, and may not do this. A page for people is a gateway's refusal and does not count.
    pub fn is_forbidden(&self) -> bool {
        matches!(&*self.kind, HttpErrorKind::Status { status: 403, detail } if !matches!(detail, Detail::Html { .. }))
    }

    /// The credential is missing, wrong, deleted or expired.
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }

    /// The state of the resource does not allow it.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// What was sent is not what the service takes.
    pub fn is_invalid(&self) -> bool {
        matches!(self.status(), Some(400 | 422))
    }

    /// The answer was larger than any that is expected.
    pub fn is_too_large(&self) -> bool {
        matches!(
            *self.kind,
            HttpErrorKind::Transport(TransportError::TooLarge(_)) | HttpErrorKind::TooManyValues { .. }
        )
    }

    /// The run was interrupted before the request was sent.
    pub fn is_interrupted(&self) -> bool {
        matches!(*self.kind, HttpErrorKind::Interrupted)
    }

    /// The whole story on one line.
    pub fn one_line(&self) -> String {
        format!("{self}: {}", self.kind)
    }

    /// What to do about it, each a line of its own.
    pub fn hints(&self) -> Vec<String> {
        let token = &self.token_source;
        match &*self.kind {
            HttpErrorKind::Transport(error) => transport_hints(error),
            HttpErrorKind::Status { detail: Detail::Html { .. }, .. } | HttpErrorKind::Page { .. } => {
                vec!["something between here and the service answered: check ANYREACH_API_URL and the proxy".into()]
            }
            HttpErrorKind::Status { status: 401, .. } => {
                vec![format!("check the token in {token}: it is missing, mistyped, deleted or expired")]
            }
            HttpErrorKind::Status { status: 403, .. } => vec![match self.scope() {
                Some(scope) => format!("give the credential in {token} the scope `{scope}`"),
                None => format!("the credential in {token} lacks a scope for this"),
            }],
            HttpErrorKind::Status { status: 404, .. } => {
                vec![format!(
                    "check the id, the address of the service, and that {token} belongs to the right organization"
                )]
            }
            HttpErrorKind::Status { status: 429, .. } | HttpErrorKind::OutOfTime { .. } => {
                vec!["try again later, or with a lower --parallelism".into()]
            }
            HttpErrorKind::Status { status: 500.., .. } => {
                vec!["the fault is on the service's side: the same command can be run again".into()]
            }
            HttpErrorKind::Redirect { to, .. } => {
                vec![format!("set ANYREACH_API_URL to {to} if that is the right address")]
            }
            HttpErrorKind::NotJson { .. } | HttpErrorKind::WrongShape { .. } => {
                vec!["this version of reachform does not understand the service's answer: look for a newer one".into()]
            }
            HttpErrorKind::TooManyValues { .. } => {
                vec!["check ANYREACH_API_URL: the service's answers are not that large".into()]
            }
            HttpErrorKind::TooMuch { .. } => vec![
                "check ANYREACH_API_URL; if it is right, ask the operator of the service why its answers do not end"
                    .into(),
            ],
            HttpErrorKind::Status { .. } | HttpErrorKind::Interrupted => Vec::new(),
        }
    }

    /// The scope that the request needs (contract, section 2).
    fn scope(&self) -> Option<String> {
        let (method, path) = self.request.split_once(' ')?;
        let reads = method == "GET" || path.ends_with("/compare");
        let resource = match path.trim_start_matches('/').split('/').nth(1)? {
            "agents" | "agent-config-schema" => "agents",
            "phone-numbers" | "inbound-routing-config" => "phone_numbers",
            "web-widgets" => "web_widgets",
            "email-domains" | "email-addresses" => "email_domains",
            "trunks" => "trunks",
            "members" => "members",
            _ => return None,
        };
        Some(format!("{resource}:{}", if reads { "read" } else { "manage" }))
    }
}

fn transport_hints(error: &TransportError) -> Vec<String> {
    match error {
        TransportError::Untrusted(_) => {
            vec!["behind a proxy with its own certificate authority, name that authority's PEM file with `--ca-file` or ANYREACH_CA_FILE".into()]
        }
        TransportError::Connect(_) => {
            vec!["check the network, ANYREACH_API_URL, and HTTPS_PROXY if there is a proxy".into()]
        }
        TransportError::Broken(_) | TransportError::Timeout(_) => {
            vec!["the same command can be run again: it finds and finishes what was begun".into()]
        }
        TransportError::TooLarge(_) => vec!["check ANYREACH_API_URL: the service's answers are not that large".into()],
        TransportError::NotAllowed(_) => vec!["this is a bug in reachform: please report it".into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    fn error(request: &str, status: u16, detail: &str) -> HttpError {
        HttpError {
            request: request.into(),
            attempts: 1,
            fate: Fate::Refused,
            kind: Box::new(HttpErrorKind::Status { status, detail: Detail::Text(detail.into()) }),
            token_source: "ANYREACH_TOKEN_PROD".into(),
        }
    }

    #[test]
    fn an_error_names_the_request_the_cause_and_the_mend() {
        let error = error("GET /core/agents", 401, "Token expired.");
        assert_eq!(error.to_string(), "`GET /core/agents` failed");
        assert_eq!(error.source().unwrap().to_string(), "the service answered 401 (unauthorized): Token expired.");
        assert!(error.hints().concat().contains("ANYREACH_TOKEN_PROD"));
    }

    #[test]
    fn a_forbidden_request_names_the_scope_that_it_needs() {
        for (request, scope) in [
            ("GET /core/phone-numbers", "phone_numbers:read"),
            ("POST /core/agents", "agents:manage"),
            ("POST /core/agents/a/versions/compare", "agents:read"),
            ("PUT /core/web-widgets/w", "web_widgets:manage"),
        ] {
            assert!(error(request, 403, "no").hints().concat().contains(scope), "{request}");
        }
    }

    #[test]
    fn the_404_of_a_page_is_not_the_services_own() {
        let mut page = error("GET /core/agents/a", 404, "");
        assert!(page.is_not_found());
        *page.kind = HttpErrorKind::Status { status: 404, detail: Detail::Html { title: None } };
        assert!(!page.is_not_found());
    }

    #[test]
    fn an_unknown_fate_outweighs_a_refusal() {
        assert!(Fate::Unknown > Fate::Refused && Fate::Refused > Fate::NotSent);
    }
}
