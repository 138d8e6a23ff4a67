//! What forges say in their own way, turned into what the client understands: limits behind a 403, the reason of a
//! refusal beside its title, and the permissions that a request would have needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::http::runtime::Later;
use crate::http::{Clock, Request, Response, Transport, TransportError};

/// How long GitHub asks clients to wait after a secondary limit that names no time, in seconds.
const SECONDARY_WAIT: u64 = 60;

/// How many of a refusal's reasons are told.
const REASONS_SHOWN: usize = 4;

/// Which permissions a refused request would have needed, by its name.
pub(super) type Accepted = Arc<Mutex<BTreeMap<String, String>>>;

/// The permissions that a request would have needed, where the forge said.
pub(super) fn accepted_for(accepted: &Accepted, request: &str) -> Option<String> {
    accepted.lock().unwrap_or_else(PoisonError::into_inner).get(request).cloned()
}

/// A transport that speaks a forge's dialect.
pub(super) struct Dialect {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    headers: &'static [(&'static str, &'static str)],
    accepted: Accepted,
}

impl Dialect {
    pub(super) fn new(
        inner: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        headers: &'static [(&'static str, &'static str)],
        accepted: Accepted,
    ) -> Self {
        Self { inner, clock, headers, accepted }
    }

    async fn carry(&self, request: &Request) -> Result<Response, TransportError> {
        let mut request = request.clone();
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        request.headers.extend(headers);
        let mut response = self.inner.send(&request).await?;
        if response.status < 400 {
            return Ok(response);
        }
        if let Some(accepted) = response.header("x-accepted-github-permissions") {
            let accepted = accepted.to_owned();
            self.accepted.lock().unwrap_or_else(PoisonError::into_inner).insert(request.name(), accepted);
        }
        if let Some(wait) = limit(&response, self.clock.now()) {
            response.status = 429;
            if response.header("retry-after").is_none() {
                response.headers.push(("retry-after".to_owned(), wait.to_string()));
            }
        } else if let Some(body) = with_reasons(&response.body) {
            response.body = body;
        }
        Ok(response)
    }
}

impl Transport for Dialect {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// How many seconds to stay away, where the answer is a rate or abuse limit. GitHub answers both with 403 or 429.
fn limit(response: &Response, now: Timestamp) -> Option<u64> {
    if !matches!(response.status, 403 | 429) {
        return None;
    }
    let number = |name: &str| response.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    if let Some(wait) = number("retry-after") {
        return Some(wait);
    }
    if number("x-ratelimit-remaining") == Some(0) {
        // Against the answer's own date, so that a clock that is wrong here does no harm.
        let date = response.header("date").and_then(|text| httpdate::parse_http_date(text).ok());
        let date = date.and_then(|date| Timestamp::try_from(date).ok()).unwrap_or(now);
        let date = u64::try_from(date.as_second()).unwrap_or(0);
        return Some(number("x-ratelimit-reset").map_or(SECONDARY_WAIT, |reset| reset.saturating_sub(date).max(1)));
    }
    let text = String::from_utf8_lossy(&response.body).to_ascii_lowercase();
    let says_so =
        ["secondary rate limit", "abuse detection", "rate limit exceeded"].iter().any(|words| text.contains(words));
    (says_so || response.status == 429).then_some(SECONDARY_WAIT)
}

/// A refusal with its reasons behind its title: GitHub's `errors`, GitLab's `message` by field. `None` where it has none.
fn with_reasons(body: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let (title, reasons) = match (value.get("message")?, value.get("errors").and_then(Value::as_array)) {
        (Value::String(title), Some(errors)) => (title.clone(), errors.iter().filter_map(reason).collect::<Vec<_>>()),
        (Value::Object(fields), _) => ("refused".to_owned(), fields.iter().map(field_reason).collect()),
        _ => return None,
    };
    if reasons.is_empty() {
        return None;
    }
    let shown: Vec<String> = reasons.into_iter().take(REASONS_SHOWN).collect();
    serde_json::to_vec(&serde_json::json!({ "message": format!("{title}: {}", shown.join("; ")) })).ok()
}

fn reason(error: &Value) -> Option<String> {
    if let Some(text) = error.as_str() {
        return Some(text.to_owned());
    }
    let word = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (word("message"), word("field"), word("code")) {
        (Some(message), _, _) => Some(message.to_owned()),
        (None, Some(field), Some(code)) => Some(format!("{field} is {code}")),
        (None, None, Some(code)) => Some(code.to_owned()),
        _ => None,
    }
}

fn field_reason((field, reasons): (&String, &Value)) -> String {
    let text = match reasons {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().map_or_else(|| other.to_string(), str::to_owned),
    };
    format!("{field} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_limit_is_told_from_a_missing_permission() {
        let now = Timestamp::from_second(1_000).unwrap();
        let wait = |headers: &[(&str, &str)], body| limit(&response(403, headers, body), now);
        assert_eq!(wait(&[], r#"{"message": "Resource not accessible by integration"}"#), None);
        assert_eq!(wait(&[("retry-after", "7")], ""), Some(7));
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1090")], ""), Some(90));
        assert_eq!(wait(&[("x-ratelimit-remaining", "12")], "{}"), None);
        assert_eq!(wait(&[], "You have exceeded a secondary rate limit."), Some(SECONDARY_WAIT));
        assert_eq!(limit(&response(429, &[], ""), now), Some(SECONDARY_WAIT));
        assert_eq!(limit(&response(422, &[("retry-after", "7")], ""), now), None);
    }

    #[test]
    fn the_reasons_of_a_refusal_come_with_its_title() {
        let told = |body: &str| with_reasons(body.as_bytes()).map(|body| String::from_utf8(body).unwrap());
        let github = r#"{"message": "Validation Failed", "errors": [{"resource": "IssueComment", "code": "unprocessable",
            "field": "data", "message": "Body is too long (maximum is 65536 characters)"}, {"field": "a", "code": "missing"}]}"#;
        assert!(
            told(github).unwrap().contains("Validation Failed: Body is too long (maximum is 65536 characters); a is")
        );
        assert!(
            told(r#"{"message": {"note": ["is too long", "is odd"]}}"#).unwrap().contains("note is too long, is odd")
        );
        assert_eq!(told(r#"{"message": "Not Found"}"#), None);
        assert_eq!(told("<html>"), None);
    }
}
