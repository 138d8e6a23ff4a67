//! The service behind the client, in one process: faults, a log, and hooks by which a test can look in or interfere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::runtime::Later;
use crate::http::{Clock, Request, Response, Transport, TransportError};

use super::fault::{Fault, FaultKind};
use super::service::Service;
use super::state::SANDBOX_TOKEN;

/// How long a client waits for an answer that never comes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a slow answer takes.
const SLOW: Duration = Duration::from_secs(10);

/// Sees every request: its number from 1, the request, and the service before (`None`) or after (`Some`) it.
pub type Hook = dyn FnMut(usize, &Request, Option<&Response>, &mut Service) + Send;

/// What a request left in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The request.
    pub request: Request,
    /// The status that the service answered with, if it saw the request.
    pub status: Option<u16>,
}

struct Inner {
    service: Service,
    faults: Vec<Fault>,
    log: Vec<Logged>,
    hook: Option<Box<Hook>>,
    save: Option<super::store::Store>,
    delay: Duration,
}

/// The transport. Clones share the service.
#[derive(Clone)]
pub struct InProcess {
    inner: Arc<Mutex<Inner>>,
    clock: Arc<dyn Clock>,
}

impl InProcess {
    /// Puts a service behind a transport.
    pub fn new(service: Service, clock: Arc<dyn Clock>) -> Self {
        let inner =
            Inner { service, faults: Vec::new(), log: Vec::new(), hook: None, save: None, delay: Duration::ZERO };
        Self { inner: Arc::new(Mutex::new(inner)), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A test's hook that panicked has said so already; the data is still whole, for requests are answered at once.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, with faults.
    #[must_use]
    pub fn with_faults(self, faults: Vec<Fault>) -> Self {
        self.lock().faults = faults;
        self
    }

    /// The same, kept in a file after every request that writes.
    #[must_use]
    pub(super) fn with_store(self, store: super::store::Store) -> Self {
        self.lock().save = Some(store);
        self
    }

    /// The same, with a wait before every answer.
    #[must_use]
    pub fn with_delay(self, delay: Duration) -> Self {
        self.lock().delay = delay;
        self
    }

    /// Sets the hook.
    pub fn hook(&self, hook: Box<Hook>) {
        self.lock().hook = Some(hook);
    }

    /// Works on the service directly, as the dashboard would.
    pub fn with<T>(&self, work: impl FnOnce(&mut Service) -> T) -> T {
        work(&mut self.lock().service)
    }

    /// Everything that was asked so far.
    pub fn log(&self) -> Vec<Logged> {
        self.lock().log.clone()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    /// One request, all the way.
    pub(super) fn answer(&self, request: &Request) -> (Option<FaultKind>, Option<Response>) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut request = request.clone();
        if request.header("authorization").is_none() {
            request.headers.push(("authorization".to_owned(), format!("Bearer {SANDBOX_TOKEN}")));
        }
        let fault = inner.faults.iter_mut().find_map(|fault| fault.strikes(&request).then_some(fault.kind));
        let number = inner.log.len() + 1;
        inner.log.push(Logged { request: request.clone(), status: None });
        let is_lost = matches!(
            fault,
            Some(
                FaultKind::DropBefore
                    | FaultKind::ErrorBefore
                    | FaultKind::Unavailable
                    | FaultKind::Throttle(_)
                    | FaultKind::ThrottleUntil(_)
                    | FaultKind::Html
            )
        );
        if let Some(hook) = &mut inner.hook {
            hook(number, &request, None, &mut inner.service);
        }
        let response = (!is_lost).then(|| inner.service.respond(&request, self.clock.now()));
        if let Some(hook) = &mut inner.hook {
            hook(number, &request, response.as_ref(), &mut inner.service);
        }
        if let Some(logged) = inner.log.last_mut() {
            logged.status = response.as_ref().map(|response| response.status);
        }
        if let Some(store) = &inner.save
            && !is_lost
        {
            store.save(&inner.service);
        }
        (fault, response)
    }

    async fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        let delay = self.lock().delay;
        if delay > Duration::ZERO {
            self.clock.sleep(delay).await;
        }
        let (fault, response) = self.answer(request);
        let broken = || TransportError::Broken("connection reset by peer".to_owned());
        let Some(fault) = fault else { return response.ok_or_else(broken) };
        match fault {
            FaultKind::DropBefore | FaultKind::DropAfter => Err(broken()),
            FaultKind::Hang => {
                self.clock.sleep(TIMEOUT).await;
                Err(TransportError::Timeout(TIMEOUT))
            }
            FaultKind::Drip => {
                self.clock.sleep(SLOW).await;
                response.ok_or_else(broken)
            }
            FaultKind::Cut => response.map(|response| cut(response)).ok_or_else(broken),
            other => Ok(refusal(other, self.clock.now())),
        }
    }
}

impl Transport for InProcess {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// An answer whose body ends too early.
pub(super) fn cut(mut response: Response) -> Response {
    let half = response.body.len() / 2;
    response.body.truncate(half);
    response
}

/// The answer of a fault that has one.
pub(super) fn refusal(kind: FaultKind, now: jiff::Timestamp) -> Response {
    let json = |status: u16, detail: &str| Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: serde_json::json!({"detail": detail}).to_string().into_bytes(),
    };
    match kind {
        FaultKind::Unavailable => json(503, "Service Unavailable"),
        FaultKind::Throttle(wait) => {
            let mut answer = json(429, "Too Many Requests");
            answer.headers.push(("retry-after".to_owned(), wait.as_secs().to_string()));
            answer
        }
        FaultKind::ThrottleUntil(wait) => {
            let mut answer = json(429, "Too Many Requests");
            let until = httpdate::fmt_http_date(super::answer::system_time(now) + wait);
            answer.headers.push(("retry-after".to_owned(), until));
            answer
        }
        FaultKind::Html => Response {
            status: 502,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>".to_vec(),
        },
        FaultKind::ErrorBefore
        | FaultKind::ErrorAfter
        | FaultKind::DropBefore
        | FaultKind::DropAfter
        | FaultKind::Cut
        | FaultKind::Hang
        | FaultKind::Drip => json(500, "Internal Server Error"),
    }
}
