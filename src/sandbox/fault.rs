//! Scripted faults: what goes wrong with which request.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::http::{Method, Request};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No connection is made.
    Refuse,
    /// The connection breaks before the service sees the request.
    DropBefore,
    /// The request is carried out, then the connection breaks.
    DropAfter,
    /// An error status, the request not carried out.
    StatusBefore(u16),
    /// The request is carried out, the answer is an error status all the same.
    StatusAfter(u16),
    /// 429, with `Retry-After` in seconds.
    RetryAfterSeconds(u32),
    /// 429, with `Retry-After` as a date that many seconds ahead.
    RetryAfterDate(u32),
    /// 429, without `Retry-After`.
    TooManyRequests,
    /// A gateway's 502, its body HTML.
    HtmlBadGateway,
    /// The request is carried out, the answer is 200 with a page of HTML.
    Html,
    /// The request is carried out, the answer is 200 with JSON of another shape.
    WrongShape,
    /// The request is carried out, half of the answer's body comes.
    CutBody,
    /// Nothing happens, no answer comes.
    HangBefore,
    /// The request is carried out, no answer comes.
    HangAfter,
    /// The request is carried out, the answer comes piece by piece with that pause between two.
    Drip(Duration),
    /// The request is carried out, the answer is that many megabytes of blanks.
    Huge(usize),
}

/// A fault and the requests that it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only requests of this method.
    pub method: Option<Method>,
    /// Only requests whose path is so; `*` stands for any characters.
    pub path: Option<String>,
    /// The first of the matching requests that is struck, counted from 1.
    pub first: u32,
    /// How many in a row are struck; `None` for all from there on.
    pub count: Option<u32>,
}

/// Why a fault cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such fault.
    #[error(
        "`{0}` is not a fault; the faults are refuse, drop-before, drop-after, STATUS-before, STATUS-after, 429, 429=SECONDS, \
         429-date=SECONDS, html-502, html, shape, cut, hang-before, hang-after, drip=MILLISECONDS, huge=MEGABYTES"
    )]
    Kind(String),
    /// The requests cannot be read.
    #[error("`{0}` does not name a request: write METHOD, PATH, or METHOD PATH")]
    Requests(String),
    /// The count cannot be read.
    #[error("`#{0}` is not a count: write #2 for the second, #2x3 for three from the second on, #2+ for all of those")]
    Count(String),
}

/// How long a piece of a dripping answer waits where nothing is said.
const DRIP: Duration = Duration::from_millis(100);

/// How large a huge answer is where nothing is said, in megabytes.
const HUGE: usize = 200;

impl Fault {
    /// Strikes the first request of all.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, method: None, path: None, first: 1, count: Some(1) }
    }

    /// Only the n-th matching request, counted from 1.
    #[must_use]
    pub fn nth(mut self, first: u32) -> Self {
        self.first = first;
        self
    }

    /// That many in a row.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// All of them.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.count = None;
        self
    }

    /// Only requests of this method and path.
    #[must_use]
    pub fn on(mut self, method: Method, path: impl Into<String>) -> Self {
        self.method = Some(method);
        self.path = Some(path.into());
        self
    }

    /// Reads `KIND[:[METHOD ][PATH]][#N[xCOUNT|+]]`, such as `drop-after:POST /core/agents#2`.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let (rest, count) = match text.rsplit_once('#') {
            Some((rest, count)) => (rest, Some(count)),
            None => (text, None),
        };
        let (kind, requests) = match rest.split_once(':') {
            Some((kind, requests)) => (kind, Some(requests.trim())),
            None => (rest, None),
        };
        let mut fault = Self::new(kind.trim().parse()?);
        if let Some(requests) = requests {
            let unreadable = || FaultError::Requests(requests.to_owned());
            match requests.split_once(' ') {
                Some((method, path)) => {
                    fault.method = Some(Method::parse(method).ok_or_else(unreadable)?);
                    fault.path = Some(path.trim().to_owned());
                }
                None if requests.starts_with(['/', '*']) => fault.path = Some(requests.to_owned()),
                None => fault.method = Some(Method::parse(requests).ok_or_else(unreadable)?),
            }
        }
        if let Some(count) = count {
            let unreadable = || FaultError::Count(count.to_owned());
            let number = |text: &str| text.parse::<u32>().ok().filter(|&number| number > 0).ok_or_else(unreadable);
            (fault.first, fault.count) = match (count.strip_suffix('+'), count.split_once('x')) {
                (Some(first), _) => (number(first)?, None),
                (None, Some((first, count))) => (number(first)?, Some(number(count)?)),
                (None, None) => (number(count)?, Some(1)),
            };
        }
        Ok(fault)
    }

    /// Whether a request is one of those that are counted.
    pub fn matches(&self, request: &Request) -> bool {
        self.method.is_none_or(|method| method == request.method)
            && self.path.as_deref().is_none_or(|pattern| fits(pattern, &request.path))
    }

    /// Whether the n-th matching request is struck.
    pub fn strikes(&self, seen: u32) -> bool {
        seen >= self.first && self.count.is_none_or(|count| seen - self.first < count)
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let unknown = || FaultError::Kind(text.to_owned());
        let (word, argument) = match text.split_once('=') {
            Some((word, argument)) => (word, Some(argument)),
            None => (text, None),
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| unknown());
        Ok(match (word, argument) {
            ("refuse", None) => Self::Refuse,
            ("drop-before", None) => Self::DropBefore,
            ("drop-after", None) => Self::DropAfter,
            ("429", None) => Self::TooManyRequests,
            ("429", Some(seconds)) => Self::RetryAfterSeconds(number(seconds)?),
            ("429-date", Some(seconds)) => Self::RetryAfterDate(number(seconds)?),
            ("html-502", None) => Self::HtmlBadGateway,
            ("html", None) => Self::Html,
            ("shape", None) => Self::WrongShape,
            ("cut", None) => Self::CutBody,
            ("hang" | "hang-before", None) => Self::HangBefore,
            ("hang-after", None) => Self::HangAfter,
            ("drip", None) => Self::Drip(DRIP),
            ("drip", Some(milliseconds)) => Self::Drip(Duration::from_millis(number(milliseconds)?.into())),
            ("huge", None) => Self::Huge(HUGE),
            ("huge", Some(megabytes)) => Self::Huge(number(megabytes)? as usize),
            (word, None) => {
                let status = |text: &str| text.parse().ok().filter(|status| (400..600).contains(status));
                match (word.strip_suffix("-before"), word.strip_suffix("-after")) {
                    (Some(word), _) => Self::StatusBefore(status(word).ok_or_else(unknown)?),
                    (None, Some(word)) => Self::StatusAfter(status(word).ok_or_else(unknown)?),
                    (None, None) => Self::StatusBefore(status(word).ok_or_else(unknown)?),
                }
            }
            _ => return Err(unknown()),
        })
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => f.write_str("refuse"),
            Self::DropBefore => f.write_str("drop-before"),
            Self::DropAfter => f.write_str("drop-after"),
            Self::StatusBefore(status) => write!(f, "{status}-before"),
            Self::StatusAfter(status) => write!(f, "{status}-after"),
            Self::RetryAfterSeconds(seconds) => write!(f, "429={seconds}"),
            Self::RetryAfterDate(seconds) => write!(f, "429-date={seconds}"),
            Self::TooManyRequests => f.write_str("429"),
            Self::HtmlBadGateway => f.write_str("html-502"),
            Self::Html => f.write_str("html"),
            Self::WrongShape => f.write_str("shape"),
            Self::CutBody => f.write_str("cut"),
            Self::HangBefore => f.write_str("hang-before"),
            Self::HangAfter => f.write_str("hang-after"),
            Self::Drip(pause) => write!(f, "drip={}", pause.as_millis()),
            Self::Huge(megabytes) => write!(f, "huge={megabytes}"),
        }
    }
}

/// Whether a path fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_its_text() {
        let fault = Fault::parse("drop-after:POST /core/agents#2").unwrap();
        assert_eq!(fault, Fault::new(FaultKind::DropAfter).on(Method::Post, "/core/agents").nth(2));
        let fault = Fault::parse("429=5:GET#1x3").unwrap();
        assert_eq!(
            (fault.kind, fault.method, fault.count),
            (FaultKind::RetryAfterSeconds(5), Some(Method::Get), Some(3))
        );
        let fault = Fault::parse("503:/core/*#4+").unwrap();
        assert_eq!((fault.kind, fault.first, fault.count), (FaultKind::StatusBefore(503), 4, None));
        assert_eq!(Fault::parse("hang").unwrap(), Fault::new(FaultKind::HangBefore));
    }

    #[test]
    fn every_kind_is_written_as_it_is_read() {
        let words = "refuse drop-before drop-after 503-before 500-after 429=5 429-date=5 429 html-502 html shape cut \
                     hang-before hang-after drip=20 huge=3";
        for word in words.split_whitespace() {
            assert_eq!(word.parse::<FaultKind>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn a_mistake_says_what_can_be_written() {
        assert!(
            Fault::parse("explode").unwrap_err().to_string().starts_with("`explode` is not a fault; the faults are")
        );
        assert!(matches!(Fault::parse("200-after"), Err(FaultError::Kind(_))));
        assert!(matches!(Fault::parse("429=soon"), Err(FaultError::Kind(_))));
        assert_eq!(Fault::parse("cut:FETCH /x"), Err(FaultError::Requests("FETCH /x".to_owned())));
        assert_eq!(Fault::parse("cut#0"), Err(FaultError::Count("0".to_owned())));
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(fits("/core/agents/*/versions", "/core/agents/a/versions"));
        assert!(fits("*/publish", "/core/agents/a/versions/1/publish"));
        assert!(fits("/core/*/versions/*", "/core/agents/a/versions/3"));
        assert!(fits("*", "/anything"));
        assert!(!fits("/core/agents", "/core/agents/a"));
        assert!(!fits("/core/*/publish", "/core/agents/a/versions"));
    }

    #[test]
    fn a_count_strikes_from_the_first_on_and_then_no_more() {
        let fault = Fault::new(FaultKind::CutBody).nth(2).times(2);
        assert_eq!([1, 2, 3, 4].map(|seen| fault.strikes(seen)), [false, true, true, false]);
        assert!(fault.always().strikes(99));
    }
}
