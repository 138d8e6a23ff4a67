//! What a handler says: an answer, or a refusal in the service's two shapes of error body.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::Response;

/// What a handler returns.
pub(super) type Reply = Result<Answer, Refusal>;

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
}

/// Its body.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Empty,
    Json(Value),
    Text { media_type: &'static str, text: String },
}

impl Answer {
    /// 200 with JSON.
    pub(super) fn ok(value: Value) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Json(value) }
    }

    /// 202: begun, not done.
    pub(super) fn accepted(value: Value) -> Self {
        Self { status: 202, ..Self::ok(value) }
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), content: Content::Empty }
    }

    /// 200 with text.
    pub(super) fn text(media_type: &'static str, text: String) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Text { media_type, text } }
    }
}

/// One entry of a 422.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Invalid {
    pub(super) location: Vec<Value>,
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) context: Option<Value>,
    /// The value that is refused, repeated only where a switch says so.
    pub(super) input: Option<Value>,
}

impl Invalid {
    /// A fault at a place in the body, the query or the path.
    pub(super) fn at<I>(location: I, kind: &str, message: impl Into<String>) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Value>,
    {
        Self {
            location: location.into_iter().map(Into::into).collect(),
            kind: kind.to_owned(),
            message: message.into(),
            context: None,
            input: None,
        }
    }

    /// With machine-readable facts.
    pub(super) fn with_context(mut self, context: Value) -> Self {
        self.context = Some(context);
        self
    }

    /// With the value that is refused.
    pub(super) fn with_input(mut self, input: Value) -> Self {
        self.input = Some(input);
        self
    }
}

/// A bad answer.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// `detail` is a text.
    Detail(u16, String),
    /// 422: `detail` is a list.
    Invalid(Vec<Invalid>),
}

impl Refusal {
    /// 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::Detail(400, detail.into())
    }

    /// 404.
    pub(super) fn not_found(what: &str) -> Self {
        Self::Detail(404, format!("{what} not found"))
    }

    /// 409.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::Detail(409, detail.into())
    }

    fn into_parts(self, repeat_input: bool) -> (u16, Value) {
        match self {
            Self::Detail(status, detail) => (status, json!({ "detail": detail })),
            Self::Invalid(faults) => {
                let faults: Vec<Value> = faults.into_iter().map(|fault| entry(fault, repeat_input)).collect();
                (422, json!({ "detail": faults }))
            }
        }
    }
}

impl From<Invalid> for Refusal {
    fn from(fault: Invalid) -> Self {
        Self::Invalid(vec![fault])
    }
}

fn entry(fault: Invalid, repeat_input: bool) -> Value {
    let Invalid { location, kind, message, context, input } = fault;
    let mut entry = json!({ "type": kind, "loc": location, "msg": message });
    if let Some(context) = context {
        entry["ctx"] = context;
    }
    if let (true, Some(input)) = (repeat_input, input) {
        entry["input"] = input;
    }
    entry
}

/// Puts a reply on the wire.
pub(super) fn respond(reply: Reply, repeat_input: bool, now: Timestamp) -> Response {
    let answer = match reply {
        Ok(answer) => answer,
        Err(refusal) => {
            let (status, body) = refusal.into_parts(repeat_input);
            Answer { status, headers: Vec::new(), content: Content::Json(body) }
        }
    };
    let Answer { status, mut headers, content } = answer;
    let body = match content {
        Content::Empty => Vec::new(),
        Content::Json(value) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            serde_json::to_vec(&value).expect("internal error: a JSON value always has a text")
        }
        Content::Text { media_type, text } => {
            headers.push(("content-type".to_owned(), format!("{media_type}; charset=utf-8")));
            text.into_bytes()
        }
    };
    headers.push(("date".to_owned(), http_date(now)));
    Response { status, headers, body }
}

/// A time as HTTP writes it.
pub(super) fn http_date(time: Timestamp) -> String {
    std::time::SystemTime::try_from(time).map(httpdate::fmt_http_date).unwrap_or_default()
}
