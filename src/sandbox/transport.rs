//! The service inside the process: a transport without a socket.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::{Delivery, PIECES, Sandbox};
use super::service::SANDBOX_TOKEN;
use crate::http::runtime::Later;
use crate::http::{Clock, Request, Response, Transport, TransportError};

/// How long a client waits for an answer where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Carries requests to a [`Sandbox`] in the same process. Whatever waits, waits on the clock.
pub struct InProcess {
    sandbox: Sandbox,
    clock: Arc<dyn Clock>,
    token: Option<String>,
    organization: Option<String>,
    timeout: Duration,
    latency: Duration,
}

impl InProcess {
    /// A transport with the sandbox's own token.
    pub fn new(sandbox: Sandbox, clock: Arc<dyn Clock>) -> Self {
        Self {
            sandbox,
            clock,
            token: Some(SANDBOX_TOKEN.to_owned()),
            organization: None,
            timeout: TIMEOUT,
            latency: Duration::ZERO,
        }
    }

    /// With another token, or none.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// With an organization in `X-Anyreach-Org`.
    #[must_use]
    pub fn with_organization(mut self, organization: Option<String>) -> Self {
        self.organization = organization;
        self
    }

    /// With another timeout.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With a delay before each request.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The sandbox at the other end.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    async fn carry(&self, request: &Request) -> Result<Response, TransportError> {
        let mut request = request.clone();
        let mut header = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|_| request.header(name).is_none()) {
                request.headers.push((name.to_owned(), value));
            }
        };
        header("authorization", self.token.as_ref().map(|token| format!("Bearer {token}")));
        header("x-anyreach-org", self.organization.clone());
        if !self.latency.is_zero() {
            self.clock.sleep(self.latency).await;
        }
        match self.sandbox.handle(&request, self.clock.now()) {
            Delivery::Answer(response) => Ok(response),
            Delivery::Refuse => Err(TransportError::Connect("connection refused".to_owned())),
            Delivery::Break => Err(TransportError::Broken("connection reset by peer".to_owned())),
            Delivery::Cut(_) => Err(TransportError::Broken("the body ended early".to_owned())),
            Delivery::Huge(length) => Err(TransportError::TooLarge(length)),
            Delivery::Hang => {
                self.clock.sleep(self.timeout).await;
                Err(TransportError::Timeout(self.timeout))
            }
            Delivery::Drip(response, pause) => {
                let whole = pause.saturating_mul(PIECES);
                self.clock.sleep(whole.min(self.timeout)).await;
                if whole > self.timeout { Err(TransportError::Timeout(self.timeout)) } else { Ok(response) }
            }
        }
    }
}

impl Transport for InProcess {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}
