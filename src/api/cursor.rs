//! Where a list goes on: as the service states it, or made from a `created_at` (contract, section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::http::Response;

/// How far a cursor is moved back at the most. No service is known to read its own timestamps to less than a second.
const WIDEST_STEP: SignedDuration = SignedDuration::from_secs(1);

/// What a page says of the one after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is none.
    End,
    /// There is one, behind this cursor.
    Cursor(String),
    /// It says nothing.
    Silent,
}

/// The items of an answer and what it says of the next page; `None` where it is no list in any known shape.
///
/// A list is bare, or stands in an envelope (`{"data": […], "pagination": {"next_cursor": …}}`); beside a bare one a
/// header may tell (`X-Next-Cursor`, or `Link` with `rel="next"`).
pub fn read_page(value: Value, response: &Response) -> Option<(Vec<Value>, Next)> {
    match value {
        Value::Array(items) => Some((items, header_next(response))),
        Value::Object(mut map) => {
            let items = ["data", "items", "results"].into_iter().find_map(|name| match map.shift_remove(name) {
                Some(Value::Array(items)) => Some(items),
                _ => None,
            })?;
            let told = envelope_next(map.get("pagination").and_then(Value::as_object).unwrap_or(&map));
            Some((items, if told == Next::Silent { header_next(response) } else { told }))
        }
        _ => None,
    }
}

fn envelope_next(map: &serde_json::Map<String, Value>) -> Next {
    match map.get("next_cursor").or_else(|| map.get("next")) {
        Some(Value::String(cursor)) if !cursor.is_empty() => Next::Cursor(cursor.clone()),
        Some(Value::Null | Value::String(_)) => Next::End,
        _ if map.get("has_more") == Some(&Value::Bool(false)) => Next::End,
        _ => Next::Silent,
    }
}

fn header_next(response: &Response) -> Next {
    if let Some(cursor) = response.header("x-next-cursor") {
        let cursor = cursor.trim();
        return if cursor.is_empty() { Next::End } else { Next::Cursor(cursor.to_owned()) };
    }
    let Some(links) = response.header("link") else { return Next::Silent };
    let next = links.split(',').find(|link| {
        let rel = link.split(';').skip(1).find_map(|part| part.trim().strip_prefix("rel="));
        rel.is_some_and(|rel| rel.trim_matches('"').split_whitespace().any(|word| word == "next"))
    });
    let Some(next) = next else { return Next::End };
    let target = next.trim().strip_prefix('<').and_then(|rest| rest.split_once('>')).map_or("", |(target, _)| target);
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let cursor = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor");
    cursor.map_or(Next::Silent, |(_, cursor)| Next::Cursor(cursor.into_owned()))
}

/// Which way a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The newest first, as conversations are documented.
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

impl Order {
    /// Whether reading comes to `then` after `now`.
    pub fn leads(self, now: &Moment, then: &Moment) -> bool {
        match self {
            Self::NewestFirst => then.at < now.at,
            Self::OldestFirst => then.at > now.at,
        }
    }

    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::NewestFirst => Self::OldestFirst,
            Self::OldestFirst => Self::NewestFirst,
        }
    }
}

/// A `created_at`, kept as it was written: the service compares cursors with what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    text: String,
    civil: DateTime,
    /// `Z`, `+00:00`, or nothing.
    zone: String,
    /// The moment itself.
    pub at: Timestamp,
}

impl Moment {
    /// Reads a timestamp as Python writes it: with `T` or a blank, with any offset or none (which is UTC).
    pub fn parse(text: &str) -> Option<Self> {
        // A sign in the first ten characters belongs to the date.
        let split = text.get(10..)?.find(['Z', 'z', '+', '-']).map_or(text.len(), |at| at + 10);
        let (civil, zone) = (text.get(..split)?, text.get(split..)?);
        let parsed: DateTime = civil.parse().ok()?;
        let at = if zone.is_empty() { format!("{text}Z").parse().ok()? } else { text.parse().ok()? };
        Some(Self { text: text.to_owned(), civil: parsed, zone: zone.to_owned(), at })
    }

    /// The timestamp as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cursor that leads behind this moment.
    pub fn cursor(&self) -> String {
        STANDARD.encode(&self.text)
    }

    /// The cursor moved back by `step` in reading order, in the form of this timestamp but with `digits` of a second
    /// behind the point: what shares this moment comes again.
    pub fn cursor_before(&self, order: Order, step: Step) -> Option<String> {
        let civil = match order {
            Order::NewestFirst => self.civil.checked_add(step.length),
            Order::OldestFirst => self.civil.checked_sub(step.length),
        }
        .ok()?;
        let between = self.text.get(10..11)?;
        let (date, time, zone) = (civil.date(), civil.time(), &self.zone);
        let fraction = match format!("{:09}", civil.subsec_nanosecond()).get(..step.digits) {
            None | Some("") => String::new(),
            Some(digits) => format!(".{digits}"),
        };
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        Some(STANDARD.encode(format!("{date}{between}{hour:02}:{minute:02}:{second:02}{fraction}{zone}")))
    }

    /// How many digits of a second are written behind the point.
    pub fn digits(&self) -> usize {
        let seconds = self.text.get(..self.text.len() - self.zone.len()).unwrap_or_default();
        seconds.split_once('.').map_or(0, |(_, digits)| digits.len().min(9))
    }
}

/// How far a cursor is moved back, and to how many digits of a second it is written.
///
/// It begins with one unit of what the service writes. A service that cuts cursors to milliseconds, or reads them as
/// text, may not show the last item again for so little; then the step widens to a millisecond and to a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    length: SignedDuration,
    digits: usize,
}

impl Step {
    /// One unit of a timestamp with so many digits of a second, or `least` if that is longer.
    pub fn new(digits: usize, least: SignedDuration) -> Self {
        let places = u32::try_from(digits.min(9)).unwrap_or(9);
        Self { length: SignedDuration::from_nanos(10_i64.pow(9 - places)).max(least), digits: digits.min(9) }
    }

    /// How far it is.
    pub fn length(self) -> SignedDuration {
        self.length
    }

    /// The next wider step; `None` beyond the widest.
    pub fn wider(self) -> Option<Self> {
        let wider = [SignedDuration::from_millis(1), WIDEST_STEP].into_iter().find(|step| *step > self.length)?;
        Some(Self { length: wider, ..self })
    }
}

/// When an item was created, if it says so.
pub(super) fn moment_of(item: &Value) -> Option<Moment> {
    Moment::parse(item.get("created_at")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decoded(cursor: Option<String>) -> String {
        String::from_utf8(STANDARD.decode(cursor.unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn a_cursor_steps_back_in_the_form_that_it_was_written_in() {
        for (text, newest, oldest) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z"),
            ("2026-01-01 10:00:00.5", "2026-01-01 10:00:00.6", "2026-01-01 10:00:00.4"),
            ("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000001Z", "2025-12-31T23:59:59.999999Z"),
            (
                "2026-01-01T00:00:00.000000001+02:00",
                "2026-01-01T00:00:00.000000002+02:00",
                "2026-01-01T00:00:00.000000000+02:00",
            ),
        ] {
            let moment = Moment::parse(text).unwrap();
            let unit = Step::new(moment.digits(), SignedDuration::ZERO);
            assert_eq!(decoded(Some(moment.cursor())), text);
            assert_eq!(decoded(moment.cursor_before(Order::NewestFirst, unit)), newest);
            assert_eq!(decoded(moment.cursor_before(Order::OldestFirst, unit)), oldest);
        }
        for bad in ["", "yesterday", "1767225600000", "2026-01-01"] {
            assert!(Moment::parse(bad).is_none_or(|moment| moment.civil.hour() == 0), "{bad}");
        }
    }

    #[test]
    fn a_step_widens_to_a_millisecond_and_a_second_and_keeps_the_digits_of_the_list() {
        let moment = Moment::parse("2026-01-01T00:00:00Z").unwrap();
        let mut step = Some(Step::new(6, SignedDuration::ZERO));
        let mut written = Vec::new();
        while let Some(now) = step {
            written.push(decoded(moment.cursor_before(Order::OldestFirst, now)));
            step = now.wider();
        }
        let wider = ["2025-12-31T23:59:59.999999Z", "2025-12-31T23:59:59.999000Z", "2025-12-31T23:59:59.000000Z"];
        assert_eq!(written, wider);
        assert_eq!(Step::new(0, SignedDuration::ZERO).wider(), None, "a whole second is the widest");
        assert_eq!(Step::new(6, SignedDuration::from_millis(1)).length(), SignedDuration::from_millis(1));
    }

    #[test]
    fn moments_compare_across_offsets() {
        let at = |text: &str| Moment::parse(text).unwrap().at;
        assert_eq!(at("2026-01-01T02:00:00+02:00"), at("2026-01-01T00:00:00Z"));
        assert_eq!(at("2026-01-01T00:00:00"), at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn every_dialect_states_its_next_page_and_its_end() {
        let answer = |headers: &[(&str, &str)]| Response {
            status: 200,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Vec::new(),
        };
        let next = |value, headers: &[(&str, &str)]| read_page(value, &answer(headers)).unwrap().1;
        assert_eq!(next(json!([]), &[]), Next::Silent);
        assert_eq!(next(json!({"data": []}), &[]), Next::Silent);
        assert_eq!(next(json!({"data": [], "pagination": {"next_cursor": "c"}}), &[]), Next::Cursor("c".into()));
        assert_eq!(next(json!({"data": [], "pagination": {"next_cursor": null}}), &[]), Next::End);
        assert_eq!(next(json!({"items": [], "has_more": false}), &[]), Next::End);
        assert_eq!(next(json!([]), &[("x-next-cursor", "c")]), Next::Cursor("c".into()));
        assert_eq!(next(json!([]), &[("x-next-cursor", "")]), Next::End);
        let link = r#"<https://x/a?limit=2>; rel="prev", <https://x/a?limit=2&cursor=a%2Bb>; rel="next""#;
        assert_eq!(next(json!([]), &[("link", link)]), Next::Cursor("a+b".into()));
        assert_eq!(next(json!([]), &[("link", r#"<https://x/a>; rel="first""#)]), Next::End);
        assert_eq!(read_page(json!({"data": {}}), &answer(&[])), None);
        assert_eq!(read_page(json!("x"), &answer(&[])), None);
    }
}
