//! The last gate before the socket: a reader never writes, and nobody ever asks for the version `latest`.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::http::runtime::Later;
use crate::http::{Method, Request, Response, Transport, TransportError};

/// A transport that refuses what its holder must not send. The types say the same; this holds even where they err.
pub struct Guard {
    inner: Arc<dyn Transport>,
    may_write: bool,
}

impl Guard {
    /// Lets through reads alone: GET, and the one POST that only compares.
    pub fn read_only(inner: Arc<dyn Transport>) -> Self {
        Self { inner, may_write: false }
    }

    /// Lets through writes, too.
    pub fn writing(inner: Arc<dyn Transport>) -> Self {
        Self { inner, may_write: true }
    }

    /// Why the request must not be sent; `None` where it may.
    pub fn objection(&self, request: &Request) -> Option<&'static str> {
        let steps: Vec<String> = request
            .path
            .split('/')
            .filter(|step| !step.is_empty())
            .map(|step| percent_decode_str(step).decode_utf8_lossy().to_ascii_lowercase())
            .collect();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        if request.method == Method::Get && steps.windows(2).any(|pair| matches!(pair, ["versions", "latest", ..])) {
            return Some("reading the version `latest` may create a draft");
        }
        let compares = request.method == Method::Post && matches!(*steps, ["core", "agents", _, "versions", "compare"]);
        if self.may_write || request.method == Method::Get || compares {
            return None;
        }
        Some("this command only reads")
    }
}

impl Transport for Guard {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        match self.objection(request) {
            Some(objection) => Box::pin(async move { Err(TransportError::NotAllowed(objection)) }),
            None => self.inner.send(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Transport for Nothing {
        fn send<'a>(&'a self, _request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
            Box::pin(async { Ok(Response { status: 200, headers: Vec::new(), body: Vec::new() }) })
        }
    }

    #[tokio::test]
    async fn a_reader_sends_nothing_but_reads() {
        let guard = Guard::read_only(Arc::new(Nothing));
        let compare = Request::new(Method::Post, "/core/agents/a/versions/compare");
        assert!(guard.send(&compare).await.is_ok());
        assert!(guard.send(&Request::new(Method::Get, "/core/agents")).await.is_ok());
        for (method, path) in [
            (Method::Post, "/core/agents"),
            (Method::Post, "/core/agents/a/versions/compare/x"),
            (Method::Post, "/core/agents/a/versions"),
            (Method::Put, "/core/agents/a/versions/compare"),
            (Method::Delete, "/core/agents/a"),
            (Method::Patch, "/core/phone-numbers/1"),
        ] {
            let refused = guard.send(&Request::new(method, path)).await;
            assert!(matches!(refused, Err(TransportError::NotAllowed(_))), "{method} {path}");
        }
    }

    #[tokio::test]
    async fn nobody_reads_the_latest_version() {
        for guard in [Guard::read_only(Arc::new(Nothing)), Guard::writing(Arc::new(Nothing))] {
            for path in ["/core/agents/a/versions/latest", "/core/agents/a/versions/%6Catest/", "/x//versions/LATEST"] {
                let refused = guard.send(&Request::new(Method::Get, path)).await;
                assert!(matches!(refused, Err(TransportError::NotAllowed(_))), "{path}");
            }
        }
        let writing = Guard::writing(Arc::new(Nothing));
        assert!(writing.send(&Request::new(Method::Delete, "/core/agents/latest")).await.is_ok());
    }
}
