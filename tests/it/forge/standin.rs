//! A stand-in of a forge: what both have in common. A machine from requests to answers, with a log, usable in this process
//! as a transport and on a socket by the program.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use reachform::http::runtime::Later;
use reachform::http::{Method, Request, Response, Transport, TransportError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Names a folder into which the log of every stand-in is written, a JSON line for each exchange, so that a script can
/// hold the requests against what the forge publishes of its API.
const LOG_FOLDER: &str = "REACHFORM_FORGE_LOG";

/// One forge.
pub(crate) trait Machine: Send {
    /// The name of its log.
    fn name(&self) -> &'static str;

    /// Carries a request out.
    fn answer(&mut self, request: &Request, body: &Value) -> Response;
}

/// One request with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
}

/// What happens instead of an answer, once.
pub(crate) enum Fault {
    /// This answer, and nothing is done.
    Answer(Response),
    /// It is done, and the answer is lost.
    LoseAnswer,
}

struct Shared<M> {
    machine: M,
    log: Vec<Exchange>,
    faults: Vec<(Method, &'static str, Fault)>,
    /// Requests of this method whose path holds this are answered with a server error.
    fails: Option<(Method, &'static str)>,
    hangs: bool,
}

/// A forge that tests can look into.
pub(crate) struct StandIn<M> {
    shared: Arc<Mutex<Shared<M>>>,
}

impl<M> Clone for StandIn<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: Machine + 'static> StandIn<M> {
    pub(crate) fn new(machine: M) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                machine,
                log: Vec::new(),
                faults: Vec::new(),
                fails: None,
                hangs: false,
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared<M>> {
        self.shared.lock().unwrap()
    }

    /// Looks into it, or changes it behind everyone's back.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut M) -> T) -> T {
        look(&mut self.lock().machine)
    }

    /// The next request of this method whose path ends so meets a fault.
    pub(crate) fn fault(&self, method: Method, path_end: &'static str, fault: Fault) {
        self.lock().faults.push((method, path_end, fault));
    }

    /// From now on requests of this method whose path holds this meet a server error; none do after `None`.
    pub(crate) fn fails(&self, which: Option<(Method, &'static str)>) {
        self.lock().fails = which;
    }

    /// From now on connections are taken on the socket and never answered, or answered again.
    pub(crate) fn hang(&self, hangs: bool) {
        self.lock().hangs = hangs;
    }

    pub(crate) fn log(&self) -> Vec<Exchange> {
        self.lock().log.clone()
    }

    /// Requests that write, as `POST /path`, since the last time this was asked.
    pub(crate) fn take_writes(&self) -> Vec<String> {
        let mut shared = self.lock();
        let log = std::mem::take(&mut shared.log);
        let writes = log.iter().filter(|e| e.request.method != Method::Get && e.request.path != "/graphql");
        writes.map(|exchange| exchange.request.name()).collect()
    }

    fn handle(&self, request: &Request) -> Result<Response, TransportError> {
        let mut shared = self.lock();
        let body = request.body.as_deref().map_or(Value::Null, |body| serde_json::from_slice(body).unwrap());
        let fault = shared
            .faults
            .iter()
            .position(|(method, end, _)| *method == request.method && request.path.ends_with(end))
            .map(|at| shared.faults.remove(at).2);
        let fails = shared.fails.is_some_and(|(method, part)| request.method == method && request.path.contains(part));
        let (answer, lost) = match fault {
            None if fails => (refusal(502, "Bad Gateway", &[]), false),
            Some(Fault::Answer(response)) => (response, false),
            Some(Fault::LoseAnswer) => (shared.machine.answer(request, &body), true),
            None => (shared.machine.answer(request, &body), false),
        };
        write_log(shared.machine.name(), request, &body, answer.status);
        shared.log.push(Exchange { request: request.clone() });
        if lost { Err(TransportError::Broken("connection reset by peer".to_owned())) } else { Ok(answer) }
    }

    /// On a socket, until the server is dropped.
    pub(crate) fn serve(&self) -> Server {
        let stop = CancellationToken::new();
        let (told, url) = std::sync::mpsc::channel();
        let (served, stopped) = (self.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                told.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
                let answer = move |method: HttpMethod, uri: Uri, headers: HeaderMap, body: Bytes| {
                    let served = served.clone();
                    async move { over_socket(&served, &method, &uri, &headers, &body).await }
                };
                let serving = axum::serve(listener, Router::new().fallback(answer));
                tokio::select! {
                    ended = async { serving.await } => ended.unwrap(),
                    () = stopped.cancelled() => {}
                }
            });
        });
        Server { url: url.recv().unwrap(), stop, thread: Some(thread) }
    }
}

async fn over_socket<M: Machine + 'static>(
    served: &StandIn<M>,
    method: &HttpMethod,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> HttpResponse {
    let query = uri.query().unwrap_or_default();
    let request = Request {
        method: Method::parse(method.as_str()).unwrap(),
        path: uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers.iter().map(|(n, v)| (n.as_str().to_owned(), v.to_str().unwrap().to_owned())).collect(),
        body: (!body.is_empty()).then(|| body.to_vec()),
    };
    if request.header("authorization").is_none_or(|token| !token.starts_with("Bearer ")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if served.lock().hangs {
        std::future::pending::<()>().await;
    }
    let Ok(answer) = served.handle(&request) else { return StatusCode::BAD_GATEWAY.into_response() };
    let mut response = HttpResponse::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.into()).unwrap()
}

impl<M: Machine + 'static> Transport for StandIn<M> {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        Box::pin(async move { self.handle(request) })
    }
}

/// A stand-in on a socket.
pub(crate) struct Server {
    pub(crate) url: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn write_log(name: &str, request: &Request, body: &Value, status: u16) {
    let Some(folder) = std::env::var_os(LOG_FOLDER) else { return };
    let path = std::path::PathBuf::from(folder).join(format!("{name}.jsonl"));
    let line = json!({
        "method": request.method.as_str(), "path": request.path, "query": request.query, "body": body, "status": status,
    });
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    // One write a line: tests run side by side, and in processes of their own.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// An answer with a JSON body.
pub(crate) fn answer(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    Response { status, headers, body: body.to_string().into_bytes() }
}

/// A refusal with a message and headers.
pub(crate) fn refusal(status: u16, message: &str, headers: &[(&str, &str)]) -> Response {
    let mut response =
        answer(status, &json!({"message": message, "documentation_url": "https://docs.github.com/rest"}));
    response.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    response
}

/// One page of a list, with the link to the next as both forges give it.
pub(crate) fn page(request: &Request, list: Vec<Value>, wrap: impl FnOnce(Vec<Value>) -> Value) -> Response {
    let number = |name: &str, usual: usize| request.query(name).map_or(usual, |text| text.parse().unwrap());
    let (size, page) = (number("per_page", 30).min(100), number("page", 1));
    let total = list.len();
    let shown: Vec<Value> = list.into_iter().skip(size * (page - 1)).take(size).collect();
    let mut response = answer(200, &wrap(shown));
    if total > size {
        let link = |page: usize, rel: &str| format!("<https://forge.test{}?page={page}>; rel=\"{rel}\"", request.path);
        let mut links = vec![link(1, "first")];
        if size * page < total {
            links.insert(0, link(page + 1, "next"));
        }
        response.headers.push(("link".to_owned(), links.join(", ")));
    }
    response
}
