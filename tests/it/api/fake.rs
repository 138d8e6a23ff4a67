//! Services made of closures, and one that keeps a list in every dialect.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reachform::http::runtime::Later;
use reachform::http::{
    Client, ClientOptions, Clock, Method, Request, Response, SeededEntropy, SimulatedClock, Transport, TransportError,
};
use serde_json::{Value, json};

pub type Reply = Result<Response, TransportError>;

type Script = Box<dyn Fn(&Request, usize) -> Reply + Send + Sync>;

/// A transport that answers by a closure and keeps what it was sent.
pub struct Fake {
    answer: Script,
    delay: Duration,
    clock: Arc<SimulatedClock>,
    pub log: Mutex<Vec<Request>>,
    pub in_flight: Mutex<(usize, usize)>,
}

impl Transport for Fake {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Reply> {
        Box::pin(async move {
            let number = {
                let mut log = self.log.lock().unwrap();
                log.push(request.clone());
                log.len() - 1
            };
            {
                let mut in_flight = self.in_flight.lock().unwrap();
                in_flight.0 += 1;
                in_flight.1 = in_flight.1.max(in_flight.0);
            }
            if self.delay > Duration::ZERO {
                self.clock.sleep(self.delay).await;
            }
            self.in_flight.lock().unwrap().0 -= 1;
            (self.answer)(request, number)
        })
    }
}

/// A client over a fake, its clock at the beginning of 2026.
pub struct World {
    pub fake: Arc<Fake>,
    pub clock: Arc<SimulatedClock>,
    pub client: Client,
}

impl World {
    pub fn new(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(ClientOptions::default(), Duration::ZERO, answer)
    }

    pub fn with(
        options: ClientOptions,
        delay: Duration,
        answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let clock = Arc::new(SimulatedClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
        let fake = Arc::new(Fake {
            answer: Box::new(answer),
            delay,
            clock: Arc::clone(&clock),
            log: Mutex::default(),
            in_flight: Mutex::default(),
        });
        let transport: Arc<dyn Transport> = Arc::clone(&fake) as Arc<dyn Transport>;
        let time: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let client = Client::new(transport, time, Arc::new(SeededEntropy::new(7)), options);
        Self { fake, clock, client }
    }

    pub fn sent(&self) -> usize {
        self.fake.log.lock().unwrap().len()
    }

    /// What was sent, as `GET /path?limit=1`.
    pub fn requests(&self) -> Vec<String> {
        let log = self.fake.log.lock().unwrap();
        log.iter()
            .map(|request| {
                let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let mark = if query.is_empty() { "" } else { "?" };
                format!("{}{mark}{}", request.name(), query.join("&"))
            })
            .collect()
    }

    pub fn seconds(&self) -> f64 {
        let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        self.clock.now().duration_since(start).as_secs_f64()
    }
}

pub fn json_answer(status: u16, value: &Value) -> Reply {
    answer(status, &[("content-type", "application/json")], &value.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "scripts answer with failures, too")]
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

pub fn get(path: &str) -> Request {
    Request::new(Method::Get, path)
}

/// How a list tells of its next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// It does not: the client makes the cursor from `created_at`.
    Derived,
    Header,
    Link,
    Envelope,
}

/// What a limit above the greatest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Clamp,
    RejectWithBound,
    RejectBare,
}

/// How a cursor made from a creation time is compared with those of the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    Exactly,
    AsText,
    /// The cursor is cut to milliseconds.
    ByMilliseconds,
}

/// The beginning of 2026 in microseconds.
const EPOCH: i64 = 1_767_225_600_000_000;

/// A list of items with creation times in microseconds.
#[derive(Clone, Debug)]
pub struct ListService {
    /// Creation times; the item's id is its place here. Ties are read in this order.
    pub times: Vec<i64>,
    pub newest_first: bool,
    pub cap: usize,
    pub over: Over,
    pub dialect: Dialect,
    /// Pages are half as long as they could be.
    pub ragged: bool,
    pub compared: Compared,
    /// How many digits of a second are written; what they do not show is not kept.
    pub digits: usize,
}

impl ListService {
    pub fn new(times: &[i64]) -> Self {
        Self {
            times: times.to_vec(),
            newest_first: true,
            cap: 1000,
            over: Over::RejectWithBound,
            dialect: Dialect::Derived,
            ragged: false,
            compared: Compared::Exactly,
            digits: 6,
        }
    }

    pub fn stamp(&self, time: i64) -> String {
        let at = jiff::Timestamp::from_microsecond(EPOCH + self.kept(time)).unwrap();
        let format = match self.digits {
            0 => "%Y-%m-%dT%H:%M:%SZ",
            3 => "%Y-%m-%dT%H:%M:%S%.3fZ",
            _ => "%Y-%m-%dT%H:%M:%S%.6fZ",
        };
        at.strftime(format).to_string()
    }

    /// A creation time as precisely as the service keeps it.
    fn kept(&self, time: i64) -> i64 {
        let unit = match self.digits {
            0 => 1_000_000,
            3 => 1_000,
            _ => 1,
        };
        time.div_euclid(unit) * unit
    }

    /// Whether an item lies behind a cursor.
    fn is_behind(&self, time: i64, cursor: &str) -> bool {
        let at: jiff::Timestamp = cursor.parse().unwrap();
        let at = at.as_microsecond() - EPOCH;
        let ordering = match self.compared {
            Compared::Exactly => self.kept(time).cmp(&at),
            Compared::AsText => self.stamp(time).as_str().cmp(cursor),
            Compared::ByMilliseconds => self.kept(time).cmp(&(at.div_euclid(1_000) * 1_000)),
        };
        if self.newest_first { ordering.is_lt() } else { ordering.is_gt() }
    }

    pub fn item(&self, index: usize) -> Value {
        let number = format!("+1555{index:07}");
        json!({"id": format!("ag_{index}"), "name": format!("Agent {index}"), "phone_number": number, "versions": [],
            "created_at": self.stamp(self.times[index])})
    }

    pub fn answer(&self, request: &Request) -> Reply {
        let limit: usize = request.query("limit").map_or(100, |limit| limit.parse().unwrap());
        if limit > self.cap && self.over != Over::Clamp {
            let mut complaint =
                json!({"loc": ["query", "limit"], "msg": "Input is too great", "type": "less_than_equal"});
            if self.over == Over::RejectWithBound {
                complaint["ctx"] = json!({"le": self.cap});
            }
            return json_answer(422, &json!({"detail": [complaint]}));
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|index| {
            if self.newest_first { -self.kept(self.times[*index]) } else { self.kept(self.times[*index]) }
        });
        let cursor = request.query("cursor");
        let left: Vec<usize> = match (self.dialect, cursor) {
            (_, None) => order,
            (Dialect::Derived, Some(cursor)) => {
                let text = String::from_utf8(STANDARD.decode(cursor).unwrap()).unwrap();
                order.into_iter().filter(|index| self.is_behind(self.times[*index], &text)).collect()
            }
            (_, Some(cursor)) => match cursor.strip_prefix('c').and_then(|skip| skip.parse().ok()) {
                Some(skip) => order.into_iter().skip(skip).collect(),
                None => return json_answer(400, &json!({"detail": "Invalid cursor."})),
            },
        };
        let skipped = self.times.len() - left.len();
        let mut length = limit.min(self.cap).min(left.len());
        if self.ragged {
            length = length.div_ceil(2);
        }
        let page: Vec<Value> = left.iter().take(length).map(|index| self.item(*index)).collect();
        let next = (length < left.len()).then(|| format!("c{}", skipped + length));
        match self.dialect {
            Dialect::Derived => json_answer(200, &json!(page)),
            Dialect::Envelope => json_answer(200, &json!({"data": page, "pagination": {"next_cursor": next}})),
            Dialect::Header => answer(200, &[("x-next-cursor", &next.unwrap_or_default())], &json!(page).to_string()),
            Dialect::Link => match next {
                Some(next) => {
                    let link = format!("<https://x.test/a?limit={limit}&cursor={next}>; rel=\"next\"");
                    answer(200, &[("link", &link)], &json!(page).to_string())
                }
                None => json_answer(200, &json!(page)),
            },
        }
    }
}
