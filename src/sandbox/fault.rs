//! Faults that can be scripted: which request they strike, and how.

use std::time::Duration;

use crate::http::{Method, Request};

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection breaks before the service saw the request.
    DropBefore,
    /// The service carried the request out, and the connection breaks before the answer.
    DropAfter,
    /// `500`, nothing carried out.
    ErrorBefore,
    /// `500`, and carried out all the same.
    ErrorAfter,
    /// `503`, nothing carried out.
    Unavailable,
    /// `429` with `Retry-After` in seconds.
    Throttle(Duration),
    /// `429` with `Retry-After` as a date.
    ThrottleUntil(Duration),
    /// `502` as an HTML page, as a proxy writes it.
    Html,
    /// Carried out, and the body of the answer is cut.
    Cut,
    /// Carried out, and no answer ever comes.
    Hang,
    /// Carried out, and the answer comes slowly.
    Drip,
}

/// One scripted fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub kind: FaultKind,
    /// Which method; any where absent.
    pub method: Option<Method>,
    /// A part of the path; any where empty.
    pub path: String,
    /// Which of the matching requests, counted from 1; every one where absent.
    pub nth: Option<usize>,
    /// How many have matched so far.
    pub seen: usize,
}

/// Why a fault cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault; write KIND:METHOD PATH#N, as `drop-after:POST /core/agents#1`, where KIND is drop-before, \
    drop-after, 500-before, 500-after, 503, 429=SECONDS, 429-date=SECONDS, html-502, cut, hang or drip"
)]
pub struct FaultError(String);

impl FaultKind {
    /// Every kind once, for tests that try them all.
    pub const ALL: [Self; 11] = [
        Self::DropBefore,
        Self::DropAfter,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Unavailable,
        Self::Throttle(Duration::from_secs(3)),
        Self::ThrottleUntil(Duration::from_secs(3)),
        Self::Html,
        Self::Cut,
        Self::Hang,
        Self::Drip,
    ];

    fn parse(text: &str) -> Option<Self> {
        let seconds = |text: &str| text.parse().ok().map(Duration::from_secs);
        Some(match text {
            "drop-before" => Self::DropBefore,
            "drop-after" => Self::DropAfter,
            "500-before" => Self::ErrorBefore,
            "500-after" => Self::ErrorAfter,
            "503" => Self::Unavailable,
            "html-502" => Self::Html,
            "cut" => Self::Cut,
            "hang" => Self::Hang,
            "drip" => Self::Drip,
            other => match other.split_once('=')? {
                ("429", text) => Self::Throttle(seconds(text)?),
                ("429-date", text) => Self::ThrottleUntil(seconds(text)?),
                _ => return None,
            },
        })
    }
}

impl Fault {
    /// A fault that strikes the n-th request of any kind.
    pub fn at(kind: FaultKind, nth: usize) -> Self {
        Self { kind, method: None, path: String::new(), nth: Some(nth), seen: 0 }
    }

    /// Reads a fault as it is typed.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let bad = || FaultError(text.to_owned());
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let kind = FaultKind::parse(kind.trim()).ok_or_else(bad)?;
        let (rest, nth) = match rest.rsplit_once('#') {
            Some((rest, nth)) => (rest, Some(nth.parse::<usize>().ok().filter(|nth| *nth > 0).ok_or_else(bad)?)),
            None => (rest, None),
        };
        let (method, path) = match rest.trim().split_once(' ') {
            Some((method, path)) => (method, path.trim()),
            None if rest.trim().starts_with('/') => ("*", rest.trim()),
            None => (rest.trim(), ""),
        };
        let method = match method {
            "" | "*" => None,
            method => Some(Method::parse(method).ok_or_else(bad)?),
        };
        Ok(Self { kind, method, path: path.to_owned(), nth, seen: 0 })
    }

    /// Whether the fault strikes this request; counts it if it matches.
    pub fn strikes(&mut self, request: &Request) -> bool {
        let matches = self.method.is_none_or(|method| method == request.method) && request.path.contains(&self.path);
        if !matches {
            return false;
        }
        self.seen += 1;
        self.nth.is_none_or(|nth| nth == self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_typed() {
        let fault = Fault::parse("drop-after:POST /core/agents#2").unwrap();
        assert_eq!((fault.kind, fault.method, fault.nth), (FaultKind::DropAfter, Some(Method::Post), Some(2)));
        assert_eq!(Fault::parse("429=5").unwrap().kind, FaultKind::Throttle(Duration::from_secs(5)));
        assert_eq!(Fault::parse("hang:/core/phone-numbers").unwrap().path, "/core/phone-numbers");
        for bad in ["", "explode", "drop-after:FETCH /x", "503:GET /x#0", "429=x"] {
            assert!(Fault::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_second_of_two_is_struck_and_no_other() {
        let mut fault = Fault::parse("503:GET /a#2").unwrap();
        let request = Request::new(Method::Get, "/a/b");
        assert!(!fault.strikes(&Request::new(Method::Post, "/a")));
        assert!(!fault.strikes(&request));
        assert!(fault.strikes(&request));
        assert!(!fault.strikes(&request));
    }
}
