//! The service on loopback: the same answers and the same faults, on a real socket.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request as HttpRequest, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response as HttpResponse};
use axum::serve::{IncomingStream, Listener};
use futures_util::stream::{self, StreamExt as _};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::exchange::{Delivery, PIECES, Sandbox};
use crate::http::base_url::{is_loopback_authority, is_loopback_origin};
use crate::http::{Clock, Method, Request, Response};

/// The largest request body that is read; the service's own bound is not known.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// How long the first half of a cut body has to get onto the wire: what is still in a buffer then is lost.
const CUT_AFTER: Duration = Duration::from_millis(20);

/// How long a request that hangs is held, should its client never leave.
const HANG: Duration = Duration::from_secs(600);

/// How large the pieces of a huge answer are.
const HUGE_PIECE: usize = 1024 * 1024;

/// How it is served.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// How long each request waits before it is served.
    pub delay: Duration,
}

/// Why it cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The sandbox has no real credentials: it is for this machine alone.
    #[error("the sandbox is served on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The socket failed.
    #[error("cannot serve the sandbox")]
    Io(#[source] io::Error),
}

/// Serves until `shutdown` is over.
pub async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    clock: Arc<dyn Clock>,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Io)?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let router = Router::new()
        .fallback(answer)
        .with_state(Host { sandbox, clock, delay: options.delay })
        .into_make_service_with_connect_info::<Breaker>();
    axum::serve(Breakable(listener), router).with_graceful_shutdown(shutdown).await.map_err(ServeError::Io)
}

#[derive(Clone)]
struct Host {
    sandbox: Sandbox,
    clock: Arc<dyn Clock>,
    delay: Duration,
}

async fn answer(
    State(host): State<Host>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: HttpRequest,
) -> HttpResponse {
    if let Err(refusal) = check_caller(&request) {
        return refusal;
    }
    if !host.delay.is_zero() {
        tokio::time::sleep(host.delay).await;
    }
    let request = match read(request).await {
        Ok(request) => request,
        Err(status) => return status.into_response(),
    };
    match host.sandbox.handle(&request, host.clock.now()) {
        Delivery::Answer(response) => write(response, Body::from),
        Delivery::Refuse | Delivery::Break => {
            breaker.trip();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Delivery::Hang => {
            tokio::time::sleep(HANG).await;
            breaker.trip();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Delivery::Cut(response) => write(response, |body| {
            let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
            let cut = stream::once(async {
                tokio::time::sleep(CUT_AFTER).await;
                Err(io::Error::new(io::ErrorKind::ConnectionReset, "the body is cut"))
            });
            Body::from_stream(stream::iter([Ok(half)]).chain(cut))
        }),
        Delivery::Drip(response, pause) => write(response, |body| {
            let length = body.len().div_ceil(PIECES as usize).max(1);
            let pieces: Vec<Bytes> = body.chunks(length).map(Bytes::copy_from_slice).collect();
            Body::from_stream(stream::unfold(pieces.into_iter(), move |mut pieces| async move {
                let piece = pieces.next()?;
                tokio::time::sleep(pause).await;
                Some((Ok::<_, io::Error>(piece), pieces))
            }))
        }),
        Delivery::Huge(length) => {
            let blanks = Bytes::from(vec![b' '; HUGE_PIECE]);
            let pieces = (0..length.div_ceil(HUGE_PIECE)).map(move |_| Ok::<_, io::Error>(blanks.clone()));
            let mut response = HttpResponse::new(Body::from_stream(stream::iter(pieces)));
            let json = axum::http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(axum::http::header::CONTENT_TYPE, json);
            response
        }
    }
}

/// Refuses what a web page of another site may send. Its name can be made to lead to this machine (DNS rebinding), and
/// a browser sends a form anywhere.
#[expect(clippy::result_large_err, reason = "the refusal is the response itself, and is returned at once")]
fn check_caller(request: &HttpRequest) -> Result<(), HttpResponse> {
    let refuse = |status: StatusCode, detail: &str| {
        let json = axum::http::HeaderValue::from_static("application/json");
        let body = serde_json::json!({"detail": detail}).to_string();
        Err((status, [(axum::http::header::CONTENT_TYPE, json)], body).into_response())
    };
    let headers = request.headers();
    let mut hosts = headers.get_all(axum::http::header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let is_named = authority.is_some() || headers.contains_key(axum::http::header::HOST);
    if !is_named || !hosts.all(is_loopback_authority) || !authority.is_none_or(is_loopback_authority) {
        return refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "The sandbox answers to localhost, 127.0.0.0/8 and [::1] only: check the Host header.",
        );
    }
    let origins = headers.get_all(axum::http::header::ORIGIN);
    if !origins.iter().all(|origin| origin.to_str().is_ok_and(is_loopback_origin)) {
        return refuse(StatusCode::FORBIDDEN, "The sandbox does not answer pages of other sites.");
    }
    Ok(())
}

/// Reads a request off the wire; the status with which an unreadable one is refused.
async fn read(request: HttpRequest) -> Result<Request, StatusCode> {
    let (head, body) = request.into_parts();
    let method = Method::parse(head.method.as_str()).ok_or(StatusCode::METHOD_NOT_ALLOWED)?;
    let body = axum::body::to_bytes(body, BODY_MAX).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let query = head.uri.query().unwrap_or_default();
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    Ok(Request {
        method,
        path: head.uri.path().to_owned(),
        query: query.collect(),
        headers: head
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: (!body.is_empty()).then(|| body.to_vec()),
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn write(response: Response, body: impl FnOnce(Vec<u8>) -> Body) -> HttpResponse {
    let Response { status, headers, body: bytes } = response;
    let length = bytes.len();
    let mut builder = HttpResponse::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    if status != 204 {
        // Said beforehand, so that a body that is cut is seen to be cut.
        builder = builder.header("content-length", length);
    }
    builder.body(body(bytes)).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Breaks a connection before anything more is written to it.
#[derive(Clone, Debug, Default)]
struct Breaker(Arc<AtomicBool>);

impl Breaker {
    fn trip(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().breaker.clone()
    }
}

/// A listener whose connections can be broken from within a handler.
struct Breakable(TcpListener);

impl Listener for Breakable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are small and waited for. A failure only costs speed.
        let _ = stream.set_nodelay(true);
        (Connection { stream, breaker: Breaker::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

struct Connection {
    stream: TcpStream,
    breaker: Breaker,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
