//! The service with everything around it: a lock, a file, a log, hooks and scripted faults.
//!
//! What a fault does is decided here, once; the transports only carry it out on their medium.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::answer::http_date;
use super::fault::{Fault, FaultKind};
use super::service::Service;
use super::store::{Store, StoreError};
use crate::http::{Request, Response};

/// In how many pieces a dripping answer comes, on any medium.
pub(super) const PIECES: u32 = 10;

/// What the medium shall do with a request's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Carry it.
    Answer(Response),
    /// Never connect.
    Refuse,
    /// Break the connection.
    Break,
    /// Say nothing.
    Hang,
    /// Carry the first half of the body, then break.
    Cut(Response),
    /// Carry it piece by piece.
    Drip(Response, Duration),
    /// Carry that many bytes of blanks as the body.
    Huge(usize),
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number, counted from 1.
    pub number: usize,
    /// The request, without its credential.
    pub request: Request,
    /// The status that the service gave; `None` if it never saw the request.
    pub served: Option<u16>,
    /// The status that the client gets; `None` if it gets none, or no whole answer.
    pub status: Option<u16>,
    /// The fault that struck it.
    pub fault: Option<FaultKind>,
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.request.name())?;
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("-")?,
        }
        match &self.fault {
            Some(fault) => write!(f, " ({fault})"),
            None => Ok(()),
        }
    }
}

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the service sees the request.
    Before,
    /// After it has answered, before the answer is carried.
    After,
}

type Hook = Arc<dyn Fn(Phase, usize, &Request, &mut Service) + Send + Sync>;

/// The service and everything around it, shared by whoever holds a copy.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    service: Service,
    store: Option<Store>,
    saved: u64,
    faults: Vec<Armed>,
    log: Vec<LogEntry>,
    hooks: Vec<Hook>,
}

struct Armed {
    fault: Fault,
    seen: u32,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A service in memory.
    pub fn new(service: Service) -> Self {
        let inner = Inner { service, store: None, saved: 0, faults: Vec::new(), log: Vec::new(), hooks: Vec::new() };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// A service whose state is written to a store before each answer goes out.
    pub fn stored(service: Service, store: Store) -> Result<Self, StoreError> {
        store.save(&service)?;
        let sandbox = Self::new(service);
        let mut inner = sandbox.lock();
        inner.saved = inner.service.revision();
        inner.store = Some(store);
        drop(inner);
        Ok(sandbox)
    }

    /// Arms a fault. Of several that strike one request, the one armed first wins.
    pub fn add_fault(&self, fault: Fault) {
        self.lock().faults.push(Armed { fault, seen: 0 });
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Calls back before and after every request, with its number. The lock is held: the hook has the service, and
    /// must not reach for this sandbox.
    pub fn on_request(&self, hook: impl Fn(Phase, usize, &Request, &mut Service) + Send + Sync + 'static) {
        self.lock().hooks.push(Arc::new(hook));
    }

    /// Every request so far, in order.
    pub fn log(&self) -> Vec<LogEntry> {
        self.lock().log.clone()
    }

    /// Forgets the requests so far; numbers begin at 1 again.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    /// Works on the service between requests. What it changes is stored with the next one.
    pub fn with<R>(&self, work: impl FnOnce(&mut Service) -> R) -> R {
        work(&mut self.lock().service)
    }

    /// Serves a request, or does to it what a fault says.
    pub fn handle(&self, request: &Request, now: Timestamp) -> Delivery {
        self.lock().handle(request, now)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A test that panicked in a hook must not take the state with it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn handle(&mut self, request: &Request, now: Timestamp) -> Delivery {
        let number = self.log.len() + 1;
        let hooks = self.hooks.clone();
        for hook in &hooks {
            hook(Phase::Before, number, request, &mut self.service);
        }
        let fault = self.strike(request);
        let served = if fault.as_ref().is_none_or(lets_through) { Some(self.serve(request, now)) } else { None };
        for hook in &hooks {
            hook(Phase::After, number, request, &mut self.service);
        }
        let status_served = served.as_ref().map(|response| response.status);
        let delivery = deliver(fault.as_ref(), served, now);
        let status = match &delivery {
            Delivery::Answer(response) | Delivery::Drip(response, _) => Some(response.status),
            Delivery::Huge(_) => Some(200),
            Delivery::Refuse | Delivery::Break | Delivery::Hang | Delivery::Cut(_) => None,
        };
        let mut logged = request.clone();
        logged.headers.retain(|(name, _)| name != "authorization");
        self.log.push(LogEntry { number, request: logged, served: status_served, status, fault });
        delivery
    }

    /// The fault that strikes a request; all that match count it.
    fn strike(&mut self, request: &Request) -> Option<FaultKind> {
        let mut struck = None;
        for armed in self.faults.iter_mut().filter(|armed| armed.fault.matches(request)) {
            armed.seen += 1;
            if struck.is_none() && armed.fault.strikes(armed.seen) {
                struck = Some(armed.fault.kind.clone());
            }
        }
        struck
    }

    fn serve(&mut self, request: &Request, now: Timestamp) -> Response {
        let response = self.service.respond(request, now);
        if let Some(store) = &self.store
            && self.saved != self.service.revision()
        {
            if let Err(error) = store.save(&self.service) {
                return plain(500, &format!("{error}"), now);
            }
            self.saved = self.service.revision();
        }
        response
    }
}

/// Whether the service sees a request that the fault strikes.
fn lets_through(fault: &FaultKind) -> bool {
    match fault {
        FaultKind::Refuse
        | FaultKind::DropBefore
        | FaultKind::StatusBefore(_)
        | FaultKind::RetryAfterSeconds(_)
        | FaultKind::RetryAfterDate(_)
        | FaultKind::TooManyRequests
        | FaultKind::HtmlBadGateway
        | FaultKind::HangBefore => false,
        FaultKind::DropAfter
        | FaultKind::StatusAfter(_)
        | FaultKind::Html
        | FaultKind::WrongShape
        | FaultKind::CutBody
        | FaultKind::HangAfter
        | FaultKind::Drip(_)
        | FaultKind::Huge(_) => true,
    }
}

fn deliver(fault: Option<&FaultKind>, served: Option<Response>, now: Timestamp) -> Delivery {
    let served = served.unwrap_or_else(|| plain(500, "Internal Server Error", now));
    let Some(fault) = fault else { return Delivery::Answer(served) };
    match *fault {
        FaultKind::Refuse => Delivery::Refuse,
        FaultKind::DropBefore | FaultKind::DropAfter => Delivery::Break,
        FaultKind::StatusBefore(status) | FaultKind::StatusAfter(status) => {
            Delivery::Answer(plain(status, "Something went wrong.", now))
        }
        FaultKind::TooManyRequests => Delivery::Answer(plain(429, "Too many requests.", now)),
        FaultKind::RetryAfterSeconds(seconds) => Delivery::Answer(retry_after(seconds.to_string(), now)),
        FaultKind::RetryAfterDate(seconds) => {
            let date = now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now);
            Delivery::Answer(retry_after(http_date(date), now))
        }
        FaultKind::HtmlBadGateway => Delivery::Answer(page(502, "502 Bad Gateway", now)),
        FaultKind::Html => Delivery::Answer(page(200, "Sign in to continue", now)),
        FaultKind::WrongShape => {
            let body = json!({ "message": "ok", "result": [1, 2, 3] }).to_string().into_bytes();
            Delivery::Answer(Response { body, ..plain(200, "", now) })
        }
        FaultKind::CutBody => Delivery::Cut(served),
        FaultKind::HangBefore | FaultKind::HangAfter => Delivery::Hang,
        FaultKind::Drip(pause) => Delivery::Drip(served, pause),
        FaultKind::Huge(megabytes) => Delivery::Huge(megabytes.saturating_mul(1_000_000)),
    }
}

fn plain(status: u16, detail: &str, now: Timestamp) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned()), ("date".to_owned(), http_date(now))],
        body: json!({ "detail": detail }).to_string().into_bytes(),
    }
}

fn retry_after(value: String, now: Timestamp) -> Response {
    let mut response = plain(429, "Too many requests.", now);
    response.headers.push(("retry-after".to_owned(), value));
    response
}

fn page(status: u16, title: &str, now: Timestamp) -> Response {
    let html = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    Response {
        status,
        headers: vec![("content-type".to_owned(), "text/html".to_owned()), ("date".to_owned(), http_date(now))],
        body: html.into_bytes(),
    }
}
