//! The service on a socket. Faults happen there as they do on a network: broken, cut, slow and silent connections.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request as HttpRequest, Response as HttpResponse, StatusCode};
use futures_util::stream;
use tokio::net::TcpListener;

use crate::http::{Method, Request, Response};

use super::fault::FaultKind;
use super::transport::{InProcess, cut, refusal};

/// Largest body that a request may have.
const LARGEST_REQUEST: usize = 64 * 1024 * 1024;

/// How long a silent connection stays open: longer than any client waits.
const SILENCE: Duration = Duration::from_secs(600);

/// How long a slow answer takes, and in how many pieces.
const DRIP: (Duration, usize) = (Duration::from_millis(300), 8);

/// Serves until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    sandbox: InProcess,
    delay: Duration,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(move |request: HttpRequest<Body>| {
        let sandbox = sandbox.clone();
        async move {
            if delay > Duration::ZERO {
                tokio::time::sleep(delay).await;
            }
            handle(&sandbox, request).await
        }
    });
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn handle(sandbox: &InProcess, request: HttpRequest<Body>) -> HttpResponse<Body> {
    let Some(request) = read(request).await else { return plain(StatusCode::BAD_REQUEST) };
    let (fault, response) = sandbox.answer(&request);
    let Some(fault) = fault else { return response.map_or_else(|| plain(StatusCode::BAD_GATEWAY), whole) };
    match (fault, response) {
        (FaultKind::DropBefore | FaultKind::DropAfter, _) => broken(Vec::new()),
        (FaultKind::Hang, _) => {
            tokio::time::sleep(SILENCE).await;
            broken(Vec::new())
        }
        (FaultKind::Cut, Some(response)) => {
            let cut = cut(response);
            broken(cut.body)
        }
        (FaultKind::Drip, Some(response)) => drip(response),
        (other, _) => whole(refusal(other, jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(now()))),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is part of the shell, and a date in an answer is the real one"
)]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

async fn read(request: HttpRequest<Body>) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let method = Method::parse(parts.method.as_str())?;
    let query = parts.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let bytes = axum::body::to_bytes(body, LARGEST_REQUEST).await.ok()?;
    let body = (!bytes.is_empty()).then(|| bytes.to_vec());
    Some(Request { method, path: parts.uri.path().to_owned(), query, headers, body })
}

fn plain(status: StatusCode) -> HttpResponse<Body> {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn whole(response: Response) -> HttpResponse<Body> {
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer that breaks off after what is given: the connection is closed in the middle.
fn broken(start: Vec<u8>) -> HttpResponse<Body> {
    let pieces = [Ok(Bytes::from(start)), Err(std::io::Error::other("the sandbox breaks the connection"))];
    HttpResponse::new(Body::from_stream(stream::iter(pieces)))
}

/// An answer in pieces with a wait before each.
fn drip(response: Response) -> HttpResponse<Body> {
    let (wait, pieces) = DRIP;
    let size = response.body.len().div_ceil(pieces).max(1);
    let chunks: Vec<Vec<u8>> = response.body.chunks(size).map(<[u8]>::to_vec).collect();
    let stream = stream::unfold(chunks.into_iter(), move |mut rest| async move {
        let chunk = rest.next()?;
        tokio::time::sleep(wait).await;
        Some((Ok::<_, std::io::Error>(Bytes::from(chunk)), rest))
    });
    let mut answer = HttpResponse::new(Body::from_stream(stream));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK);
    answer
}
