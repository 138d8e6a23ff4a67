//! Lists: filters by time, order, cursors and pages, in every form that the contract leaves open.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Invalid, Refusal};
use super::behaviour::Behaviour;
use super::mint::wire_time;
use super::record::{Agent, Authored, Email, Number, Trunk, Version, Widget};
use super::switches::{Cursor, CursorTime, Envelope, LimitError, LimitOver, Order, PageLength};
use crate::http::Request;

/// A record that stands in lists.
pub(super) trait Listed {
    /// When it came to be and changed.
    fn authored(&self) -> &Authored;
}

macro_rules! listed {
    ($($record:ident),+) => { $(impl Listed for $record {
        fn authored(&self) -> &Authored {
            &self.authored
        }
    })+ };
}

listed!(Agent, Version, Number, Trunk, Widget, Email);

/// One page of a list, and what it says of the next.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    limit: usize,
    next: Option<String>,
}

/// Filters by time, sorts, and cuts out the page that the request asks for.
pub(super) fn page<T: Listed>(request: &Request, behaviour: &Behaviour, records: Vec<T>) -> Result<Page<T>, Refusal> {
    let limit = limit(request, behaviour)?;
    let mut records = between(request, records)?;
    sort(behaviour.order, &mut records);
    let after = position(request, behaviour)?;
    let mut rest: Vec<T> = records
        .into_iter()
        .filter(|record| after.as_ref().is_none_or(|after| is_after(record, after, behaviour.order)))
        .collect();
    let length = match behaviour.page {
        PageLength::Full => limit.min(rest.len()),
        PageLength::Ragged => limit.min(rest.len().div_ceil(2)),
    };
    let more = rest.len() > length;
    rest.truncate(length);
    let next = rest.last().filter(|_| more).and_then(|last| next_cursor(behaviour, last.authored()));
    Ok(Page { items: rest, limit, next })
}

/// Newest or oldest first; what shares a creation time goes by the order of creation.
pub(super) fn sort<T: Listed>(order: Order, records: &mut [T]) {
    records.sort_by_key(|record| (record.authored().created_at, record.authored().serial));
    if order == Order::Desc {
        records.reverse();
    }
}

impl<T> Page<T> {
    /// The answer, with each item rendered.
    pub(super) fn answer(self, request: &Request, behaviour: &Behaviour, render: impl FnMut(T) -> Value) -> Answer {
        let Self { items, limit, next } = self;
        let items: Vec<Value> = items.into_iter().map(render).collect();
        let mut answer = match behaviour.envelope {
            Envelope::None => Answer::ok(Value::Array(items)),
            Envelope::Data => {
                Answer::ok(json!({ "data": items, "pagination": { "limit": limit, "next_cursor": next } }))
            }
        };
        match (behaviour.cursor, next) {
            // Empty on the last page, so that the end is stated.
            (Cursor::Header, next) => answer.headers.push(("x-next-cursor".to_owned(), next.unwrap_or_default())),
            (Cursor::Link, Some(next)) => {
                let link = format!("<{}?limit={limit}&cursor={next}>; rel=\"next\"", request.path);
                answer.headers.push(("link".to_owned(), link));
            }
            _ => {}
        }
        answer
    }
}

/// Where the page before ended.
enum Position {
    Time(Timestamp),
    /// The time as it is written.
    Text(String),
    Serial(Timestamp, u64),
}

fn is_after<T: Listed>(record: &T, position: &Position, order: Order) -> bool {
    let Authored { created_at, serial, .. } = *record.authored();
    let ordering = match position {
        // A cursor that is only a time loses what shares it: so does the service, as far as is known.
        Position::Time(time) => created_at.cmp(time),
        Position::Text(text) => wire_time(created_at).as_str().cmp(text),
        Position::Serial(time, last) => (created_at, serial).cmp(&(*time, *last)),
    };
    match order {
        Order::Desc => ordering.is_lt(),
        Order::Asc => ordering.is_gt(),
    }
}

fn limit(request: &Request, behaviour: &Behaviour) -> Result<usize, Refusal> {
    let Some(text) = request.query("limit") else {
        return Ok(behaviour.limit_default.min(behaviour.limit_max) as usize);
    };
    let fault = |kind: &str, message: String| {
        Invalid::at(["query", "limit"], kind, message).with_input(Value::String(text.to_owned()))
    };
    let limit: i64 = text.parse().map_err(|_| {
        fault("int_parsing", "Input should be a valid integer, unable to parse string as an integer".to_owned())
    })?;
    if limit < 1 {
        let fault = fault("greater_than_equal", "Input should be greater than or equal to 1".to_owned());
        return Err(fault.with_context(json!({ "ge": 1 })).into());
    }
    let greatest = behaviour.limit_max;
    if limit > i64::from(greatest) {
        return match (behaviour.limit_over, behaviour.limit_error) {
            (LimitOver::Clamp, _) => Ok(greatest as usize),
            (LimitOver::Reject, LimitError::Bound) => {
                let fault = fault("less_than_equal", format!("Input should be less than or equal to {greatest}"));
                Err(fault.with_context(json!({ "le": greatest })).into())
            }
            (LimitOver::Reject, LimitError::Bare) => Err(fault("value_error", "Limit is too large".to_owned()).into()),
        };
    }
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn between<T: Listed>(request: &Request, records: Vec<T>) -> Result<Vec<T>, Refusal> {
    let created_after = time(request, "created_after")?;
    let created_before = time(request, "created_before")?;
    let updated_after = time(request, "updated_after")?;
    let updated_before = time(request, "updated_before")?;
    Ok(records
        .into_iter()
        .filter(|record| {
            let authored = record.authored();
            created_after.is_none_or(|bound| authored.created_at > bound)
                && created_before.is_none_or(|bound| authored.created_at < bound)
                && updated_after.is_none_or(|bound| authored.updated_at > bound)
                && updated_before.is_none_or(|bound| authored.updated_at < bound)
        })
        .collect())
}

fn time(request: &Request, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = request.query(name) else { return Ok(None) };
    let parsed = text.parse().map_err(|_| {
        Invalid::at(["query", name], "datetime_from_date_parsing", "Input should be a valid datetime")
            .with_input(text.into())
    })?;
    Ok(Some(parsed))
}

/// A boolean filter.
pub(super) fn flag(request: &Request, name: &str) -> Result<Option<bool>, Refusal> {
    match request.query(name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(other) => Err(Invalid::at(["query", name], "bool_parsing", "Input should be a valid boolean")
            .with_input(other.into())
            .into()),
    }
}

/// A filter of several values, repeated or with commas.
pub(super) fn several(request: &Request, name: &str) -> Option<Vec<String>> {
    let values: Vec<String> = request
        .query
        .iter()
        .filter(|(key, _)| key == name)
        .flat_map(|(_, value)| value.split(','))
        .map(|value| value.trim().to_owned())
        .collect();
    (!values.is_empty()).then_some(values)
}

fn next_cursor(behaviour: &Behaviour, last: &Authored) -> Option<String> {
    let stated = behaviour.envelope == Envelope::Data;
    match behaviour.cursor {
        Cursor::CreatedAt if stated => Some(STANDARD.encode(wire_time(last.created_at))),
        Cursor::CreatedAt | Cursor::Ignored => None,
        Cursor::Header | Cursor::Link => {
            Some(URL_SAFE_NO_PAD.encode(format!("{OPAQUE}{}|{}", wire_time(last.created_at), last.serial)))
        }
    }
}

/// What an opaque cursor holds before its own data, so that a home-made one is told apart.
const OPAQUE: &str = "after|";

fn position(request: &Request, behaviour: &Behaviour) -> Result<Option<Position>, Refusal> {
    let Some(text) = request.query("cursor").filter(|text| !text.is_empty()) else { return Ok(None) };
    let invalid = || Refusal::bad_request("Invalid cursor");
    let decoded = [STANDARD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match behaviour.cursor {
        Cursor::Ignored => Ok(None),
        Cursor::CreatedAt => decoded.and_then(|text| at_time(&text, behaviour)).map(Some).ok_or_else(invalid),
        Cursor::Header => decoded.and_then(|text| opaque(&text)).map(Some).ok_or_else(invalid),
        Cursor::Link => {
            let read = |text: String| opaque(&text).or_else(|| at_time(&text, behaviour));
            decoded.and_then(read).map(Some).ok_or_else(invalid)
        }
    }
}

fn at_time(text: &str, behaviour: &Behaviour) -> Option<Position> {
    let time: Timestamp = text.parse().ok()?;
    Some(match behaviour.cursor_time {
        CursorTime::Exact => Position::Time(time),
        CursorTime::Text => Position::Text(text.to_owned()),
        CursorTime::Milliseconds => {
            Position::Time(Timestamp::from_millisecond(time.as_microsecond().div_euclid(1_000)).ok()?)
        }
    })
}

fn opaque(text: &str) -> Option<Position> {
    let (time, serial) = text.strip_prefix(OPAQUE)?.split_once('|')?;
    Some(Position::Serial(time.parse().ok()?, serial.parse().ok()?))
}
