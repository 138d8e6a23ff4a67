//! The embedded service on a socket: in this process, where a test can look into it, and as a child of its own.

use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reachform::http::{Method, SystemClock};
use reachform::sandbox::{Behaviour, Fault, Sandbox, ServeOptions, Service, serve};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A service on a socket.
pub struct Server {
    pub url: String,
    pub sandbox: Sandbox,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn new() -> Self {
        Self::slow(Duration::ZERO)
    }

    /// One that takes its time for every answer.
    pub fn slow(delay: Duration) -> Self {
        let sandbox = Sandbox::new(Service::quickstart(Behaviour::default()));
        let stop = CancellationToken::new();
        let (told, url) = std::sync::mpsc::channel();
        let (served, stopped) = (sandbox.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                told.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
                let serving =
                    serve(listener, served, Arc::new(SystemClock), ServeOptions { delay }, std::future::pending());
                tokio::select! {
                    ended = serving => ended.unwrap(),
                    () = stopped.cancelled() => {}
                }
            });
        });
        Self { url: url.recv().unwrap(), sandbox, stop, thread: Some(thread) }
    }

    pub fn fault(&self, text: &str) -> &Self {
        self.sandbox.add_fault(Fault::parse(text).unwrap());
        self
    }

    /// How many requests came that write.
    pub fn writes(&self) -> usize {
        self.sandbox.log().iter().filter(|entry| entry.request.method != Method::Get).count()
    }

    /// The id of the quickstart's agent.
    pub fn agent(&self) -> String {
        self.sandbox.with(|service| service.agent_named("Riverside Dental Scheduler").unwrap().id)
    }

    /// What a person does in the dashboard.
    pub fn dashboard_edit(&self, place: &str, value: Value) {
        let id = self.agent();
        self.sandbox.with(|service| service.dashboard_edit(&id, place, value).unwrap());
    }

    /// Waits for a request.
    pub fn wait_for(&self, method: Method, path_end: &str) {
        let began = Instant::now();
        while !self.sandbox.log().iter().any(|e| e.request.method == method && e.request.path.ends_with(path_end)) {
            assert!(began.elapsed() < Duration::from_secs(60), "no {method:?} …{path_end} came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `reachform sandbox serve` as a child.
pub struct Served {
    pub url: String,
    child: Child,
}

impl Served {
    pub fn new(arguments: &[&str]) -> Self {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("reachform"))
            .args(["sandbox", "serve", "--port", "0"])
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { url: url.trim().to_owned(), child }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service whose schema is whatever text it was given; everything else is the embedded service's.
pub struct OddSchema {
    pub url: String,
    pub sandbox: Sandbox,
}

impl OddSchema {
    /// Serves until the tests end: its thread holds no more than a socket.
    pub fn new(schema: impl Into<Vec<u8>>) -> Self {
        let schema = schema.into();
        let sandbox = Sandbox::new(Service::quickstart(Behaviour::default()));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = sandbox.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (schema, service) = (schema.clone(), service.clone());
                std::thread::spawn(move || answer(stream.unwrap(), &schema, &service));
            }
        });
        Self { url, sandbox }
    }
}

/// Answers one request and closes.
fn answer(mut stream: std::net::TcpStream, schema: &[u8], sandbox: &Sandbox) {
    use reachform::http::{Clock as _, Request};
    use reachform::sandbox::Delivery;
    use std::io::Write as _;

    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let Some(first) = lines.next() else { return };
    let mut words = first.split(' ');
    let method = Method::parse(words.next().unwrap()).unwrap();
    let (path, query) = words.next().unwrap().split_once('?').map_or_else(
        || (first.split(' ').nth(1).unwrap().to_owned(), String::new()),
        |(path, query)| (path.to_owned(), query.to_owned()),
    );
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let query = query
        .split('&')
        .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let (status, body) = if path.ends_with("/agent-config-schema") {
        (200, schema.to_vec())
    } else {
        let request = Request { method, path, query, headers, body: None };
        match sandbox.handle(&request, SystemClock.now()) {
            Delivery::Answer(response) => (response.status, response.body),
            other => panic!("{other:?}"),
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    // A client that has gone away is no matter.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}
