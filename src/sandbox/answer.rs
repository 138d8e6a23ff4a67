//! Answers and errors in the shapes of the contract (section 3).

use serde_json::{Value, json};

use crate::http::Response;

/// An answer, or an error that is answered.
pub(super) type Answer = Result<Response, Response>;

/// A JSON answer.
pub(super) fn json_answer(status: u16, value: &Value) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: value.to_string().into_bytes(),
    }
}

/// `200` with a value.
pub(super) fn ok(value: &Value) -> Answer {
    Ok(json_answer(200, value))
}

/// `204`.
pub(super) fn gone() -> Answer {
    Ok(Response { status: 204, headers: Vec::new(), body: Vec::new() })
}

/// An error with `detail` as a text.
pub(super) fn error(status: u16, detail: &str) -> Response {
    json_answer(status, &json!({"detail": detail}))
}

/// `422` as the framework writes it: `detail` is a list of `loc`, `msg`, `type`.
pub(super) fn invalid(problems: &[Value]) -> Response {
    json_answer(422, &json!({"detail": problems}))
}

/// One problem of a 422.
pub(super) fn problem(loc: &[&str], message: &str, kind: &str) -> Value {
    json!({"loc": loc, "msg": message, "type": kind})
}

/// `404`.
pub(super) fn not_found(what: &str) -> Response {
    error(404, &format!("{what} not found"))
}

/// A time as the HTTP date's writer takes it, whole seconds.
pub(super) fn system_time(now: jiff::Timestamp) -> std::time::SystemTime {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)
}
