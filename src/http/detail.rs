//! What the body of a refusal says: `detail` as a text, as a list of complaints, or a page from somewhere else.

use std::fmt;

use serde_json::Value;

use super::message::Response;
use super::redact::{Redactor, cut};

/// How many complaints a message shows. A config with more faults than that is better looked at by `validate`.
const SHOWN_COMPLAINTS: usize = 8;

/// How many complaints are read of an answer, which may be as large as any body.
const MOST_COMPLAINTS: usize = 100;

/// How long a text from the service may be in a message, in characters.
const LONGEST_TEXT: usize = 500;

/// How many steps of a place are shown, and how long each may be, in characters. A config nests about twelve deep.
const MOST_STEPS: usize = 24;
const LONGEST_STEP: usize = 80;

/// One entry of a 422: what is wrong, and where (contract, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where, step by step, as `body`, `config`, `agent`.
    pub place: Vec<String>,
    /// What, in the service's words.
    pub message: String,
    /// The kind, as `missing`.
    pub kind: String,
    /// The greatest number that would have been taken, where the complaint names one (`ctx.le`).
    pub bound: Option<u64>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place.join("."))?;
        }
        let mut letters = self.message.chars();
        match letters.next() {
            // The service begins its sentences with a capital; ours go on after a colon.
            Some(first) => write!(f, "{}{}", first.to_lowercase(), letters.as_str()),
            None => f.write_str(&self.kind),
        }
    }
}

/// The body of a refusal, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The service said why.
    Text(String),
    /// The service said what is wrong where.
    Complaints {
        /// The first of its complaints.
        list: Vec<Complaint>,
        /// How many more there were.
        more: usize,
    },
    /// A page for people: something between us and the service answered.
    Html {
        /// Its title, where it has one.
        title: Option<String>,
    },
    /// Something else, shown in part.
    Other(String),
    /// Nothing.
    Empty,
}

impl Detail {
    /// Reads the body of a refusal.
    pub fn read(response: &Response, redactor: &Redactor) -> Self {
        if is_page(response) {
            return Self::Html { title: title_of(&response.body).map(|title| cut(&redactor.clean(&title), 80)) };
        }
        let body = response.body.trim_ascii();
        if body.is_empty() {
            return Self::Empty;
        }
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return Self::Other(redactor.snippet(body)) };
        let said = ["detail", "error", "message"].iter().find_map(|name| value.get(name)).unwrap_or(&value);
        match said {
            Value::String(text) => Self::Text(cut(&redactor.clean(text), LONGEST_TEXT)),
            Value::Array(list) if list.iter().any(Value::is_object) => {
                let (read, rest) = list.split_at(list.len().min(MOST_COMPLAINTS));
                let list = read.iter().filter_map(|entry| read_complaint(entry, redactor)).collect();
                Self::Complaints { list, more: rest.len() }
            }
            Value::Object(map) => match map.get("message").or_else(|| map.get("msg")).and_then(Value::as_str) {
                Some(text) => Self::Text(cut(&redactor.clean(text), LONGEST_TEXT)),
                None => Self::Other(redactor.snippet(body)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Self::Other(redactor.snippet(body)),
        }
    }

    /// The complaints, where the answer had any.
    pub fn complaints(&self) -> &[Complaint] {
        match self {
            Self::Complaints { list, .. } => list,
            Self::Text(_) | Self::Html { .. } | Self::Other(_) | Self::Empty => &[],
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Other(text) => f.write_str(text),
            Self::Complaints { list, more } => {
                let shown: Vec<String> = list.iter().take(SHOWN_COMPLAINTS).map(Complaint::to_string).collect();
                f.write_str(&shown.join("; "))?;
                match list.len().saturating_sub(SHOWN_COMPLAINTS) + more {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
            Self::Html { title: None } => f.write_str("an HTML page: a proxy or a wrong address?"),
            Self::Html { title: Some(title) } => write!(f, "an HTML page (`{title}`): a proxy or a wrong address?"),
            Self::Empty => f.write_str("an empty body"),
        }
    }
}

fn read_complaint(entry: &Value, redactor: &Redactor) -> Option<Complaint> {
    let map = entry.as_object()?;
    let text = |name: &str| {
        let text = map.get(name).and_then(Value::as_str).unwrap_or_default();
        cut(&redactor.clean(text), LONGEST_TEXT)
    };
    let place = map.get("loc").and_then(Value::as_array).map(|steps| {
        let shown = steps.iter().take(MOST_STEPS).map(|step| match step {
            Value::String(step) => cut(&redactor.clean(step), LONGEST_STEP),
            // An index. Anything else is no step of a place, and may be as large as it likes or repeat what was sent.
            Value::Number(index) => cut(&redactor.clean(&index.to_string()), LONGEST_STEP),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "…".to_owned(),
        });
        shown.chain((steps.len() > MOST_STEPS).then(|| "…".to_owned())).collect()
    });
    let context = map.get("ctx");
    let number = |name: &str| context.and_then(|context| context.get(name)).and_then(Value::as_u64);
    let bound = number("le").or_else(|| number("limit_value")).or_else(|| number("lt").map(|lt| lt.saturating_sub(1)));
    Some(Complaint { place: place.unwrap_or_default(), message: text("msg"), kind: text("type"), bound })
}

/// Whether the answer is a page for people.
pub fn is_page(response: &Response) -> bool {
    let said = response.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    let head = head_of(&response.body).to_ascii_lowercase();
    said || ["<!doctype html", "<html", "<head"].iter().any(|mark| head.starts_with(mark))
}

fn title_of(page: &[u8]) -> Option<String> {
    let head = head_of(page);
    // Folding ASCII alone keeps every offset, so what is found in one text can be cut out of the other.
    let folded = head.to_ascii_lowercase();
    let at = folded.find("<title")?;
    let start = at + folded.get(at..)?.find('>')? + 1;
    let length = folded.get(start..)?.find("</")?;
    let title = head.get(start..start + length)?.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

/// The part of a page in which its title stands.
fn head_of(body: &[u8]) -> std::borrow::Cow<'_, str> {
    let body = body.trim_ascii_start();
    String::from_utf8_lossy(body.get(..body.len().min(4096)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Detail {
        let response = Response { status: 422, headers: Vec::new(), body: body.as_bytes().to_vec() };
        Detail::read(&response, &Redactor::default())
    }

    #[test]
    fn detail_is_read_as_a_text_and_as_a_list() {
        assert_eq!(read(r#"{"detail": "No such agent."}"#).to_string(), "No such agent.");
        assert_eq!(read(r#"{"error": "Missing Bearer token"}"#).to_string(), "Missing Bearer token");
        let listed = read(
            r#"{"detail": [{"loc": ["body", "config", "agent"], "msg": "Field required", "type": "missing", "input": {}},
                {"loc": ["query", "limit"], "msg": "too much", "type": "less_than_equal", "ctx": {"le": 100}},
                {"loc": ["body", "tools", 3], "msg": "", "type": "odd"}]}"#,
        );
        assert_eq!(listed.to_string(), "body.config.agent: field required; query.limit: too much; body.tools.3: odd");
        assert_eq!(listed.complaints().get(1).and_then(|complaint| complaint.bound), Some(100));
    }

    #[test]
    fn many_complaints_are_counted_and_not_all_shown() {
        let entry = r#"{"loc": ["body"], "msg": "No", "type": "x"}"#;
        let body = format!(r#"{{"detail": [{}]}}"#, [entry; 11].join(","));
        assert!(read(&body).to_string().ends_with("; and 3 more"));
    }

    #[test]
    fn a_place_of_odd_steps_is_bounded_and_shows_nothing_that_was_sent() {
        let secret = secrecy::SecretString::from("hunter2-hunter2");
        let redactor = Redactor::new([&secret]);
        let steps = serde_json::json!([
            "body", {"token": "hunter2-hunter2"}, ["hunter2-hunter2"], true, 3, "hunter2-hunter2", "x".repeat(10_000)
        ]);
        let many: Vec<Value> = (0..10_000).map(Value::from).collect();
        for (loc, shown) in [(steps, "body.….….….3.(secret).xxx"), (Value::Array(many), "0.1.2.3")] {
            let body = serde_json::json!({"detail": [{"loc": loc, "msg": "No", "type": "x"}]}).to_string();
            let response = Response { status: 422, headers: Vec::new(), body: body.into_bytes() };
            let text = Detail::read(&response, &redactor).to_string();
            assert!(text.starts_with(shown) && text.len() < 300 && !text.contains("hunter2"), "{text}");
        }
        let entries = vec![serde_json::json!({"loc": ["body"], "msg": "No", "type": "x"}); 5_000];
        let detail = read(&serde_json::json!({"detail": entries}).to_string());
        assert!(detail.complaints().len() <= MOST_COMPLAINTS && detail.to_string().ends_with("and 4992 more"));
    }

    #[test]
    fn a_page_and_rubbish_are_named_as_such() {
        let page = read("<!DOCTYPE html><html><title>502 Bad\n Gateway</title></html>");
        assert_eq!(page.to_string(), "an HTML page (`502 Bad Gateway`): a proxy or a wrong address?");
        assert_eq!(read("upstream gone").to_string(), "upstream gone");
        assert_eq!(read(" \n").to_string(), "an empty body");
        assert_eq!(read("[1]").to_string(), "[1]");
    }
}
