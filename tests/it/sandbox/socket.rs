//! The service on a real socket, spoken to byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reachform::sandbox::{Behaviour, Fault, SANDBOX_TOKEN, Sandbox, ServeError, ServeOptions, Service, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::faults::Idle;

/// Serves while a test speaks.
async fn with_service<F: Future>(faults: &[&str], speak: impl FnOnce(SocketAddr, Sandbox) -> F) -> F::Output {
    let sandbox = Sandbox::new(Service::quickstart(Behaviour::default()));
    for fault in faults {
        sandbox.add_fault(Fault::parse(fault).unwrap());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        stopped.await.ok();
    };
    let server =
        tokio::spawn(serve(listener, sandbox.clone(), Arc::new(Idle::default()), ServeOptions::default(), shutdown));
    let output = speak(address, sandbox).await;
    drop(stop);
    server.await.unwrap().unwrap();
    output
}

/// Sends a request and reads until the connection closes; what came, and whether it ended in an error.
async fn speak(address: SocketAddr, method: &str, target: &str, body: &str) -> (String, bool) {
    speak_with("host: localhost\r\n", address, method, target, body).await
}

/// The same with headers of the test's own.
async fn speak_with(headers: &str, address: SocketAddr, method: &str, target: &str, body: &str) -> (String, bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\n{headers}authorization: Bearer {SANDBOX_TOKEN}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let failed = stream.read_to_end(&mut answer).await.is_err();
    (String::from_utf8(answer).unwrap(), failed)
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

/// What a complete answer says its length is, and how long its body is.
fn lengths(answer: &str) -> (usize, usize) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let told = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    (told.unwrap().parse().unwrap(), body.len())
}

#[test]
fn a_page_of_another_site_gets_no_answer_and_does_nothing() {
    run(with_service(&[], |address, sandbox| async move {
        let body = r#"{"name": "Foreign"}"#;
        for (headers, status) in [
            ("host: evil.test\r\n", 421),
            ("host: 127.0.0.1.evil.test:7878\r\n", 421),
            ("host: localhost\r\nhost: evil.test\r\n", 421),
            ("host: localhost\r\norigin: https://evil.test\r\n", 403),
            ("host: localhost\r\norigin: null\r\n", 403),
        ] {
            let (answer, _) = speak_with(headers, address, "POST", "/core/agents", body).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}{answer}");
        }
        assert!(sandbox.log().is_empty(), "nothing reached the service");
        for headers in ["host: [::1]:7878\r\n", "host: 127.0.0.2\r\norigin: http://localhost:3000\r\n"] {
            let (answer, _) = speak_with(headers, address, "POST", "/core/agents", body).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{headers}{answer}");
        }
        let (answer, _) = speak_with("", address, "GET", "/core/agents", "").await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }));
}

#[test]
fn requests_over_a_socket_are_answered_like_any_other() {
    run(with_service(&[], |address, sandbox| async move {
        let (answer, _) = speak(address, "POST", "/core/agents", r#"{"name": "Wired", "metadata": {"a b": 1}}"#).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("date: Tue, 24 Nov 2026 12:00:00 GMT"), "{answer}");
        assert_eq!(answer.matches("date: ").count(), 1, "{answer}");
        let filter = "/core/agents?metadata=%7B%22a+b%22%3A%201%7D&name=Wired";
        let (answer, _) = speak(address, "GET", filter, "").await;
        assert!(answer.contains(r#""name":"Wired""#), "{answer}");
        let (answer, _) = speak(address, "GET", "/core/phone-numbers/%2B15551234567", "").await;
        assert!(answer.contains(r#""phone_number":"+15551234567""#), "{answer}");
        let id = sandbox.with(|service| service.agent_named("Wired").unwrap().id);
        let (answer, _) = speak(address, "DELETE", &format!("/core/agents/{id}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
        let (answer, _) = speak(address, "OPTIONS", "/core/agents", "").await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert_eq!(sandbox.log().len(), 4);
    }));
}

#[test]
fn a_dropped_request_gets_not_one_byte() {
    for (fault, made) in [("drop-before", false), ("drop-after", true), ("refuse", false)] {
        run(with_service(&[fault], |address, sandbox| async move {
            let (answer, _) = speak(address, "POST", "/core/agents", r#"{"name": "Lost"}"#).await;
            assert_eq!(answer, "", "{fault}");
            assert_eq!(sandbox.with(|service| service.agent_named("Lost").is_some()), made, "{fault}");
            let (answer, _) = speak(address, "GET", "/core/agents", "").await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "the service goes on");
        }));
    }
}

#[test]
fn a_cut_body_is_shorter_than_it_was_said_to_be() {
    run(with_service(&["cut"], |address, _| async move {
        let (answer, _) = speak(address, "GET", "/core/phone-numbers", "").await;
        let (told, came) = lengths(&answer);
        assert!(came < told && came > 0, "{came} of {told}");
    }));
}

#[test]
fn a_dripping_body_comes_whole_and_slowly() {
    run(with_service(&["drip=20"], |address, _| async move {
        let started = tokio::time::Instant::now();
        let (answer, failed) = speak(address, "GET", "/core/phone-numbers", "").await;
        assert!(!failed && started.elapsed() >= Duration::from_millis(200));
        let (told, came) = lengths(&answer);
        assert_eq!(told, came);
    }));
}

#[test]
fn a_hanging_request_gets_nothing_and_the_service_goes_on() {
    run(with_service(&["hang:GET /core/agents"], |address, _| async move {
        let hanging = speak(address, "GET", "/core/agents", "");
        assert!(tokio::time::timeout(Duration::from_millis(200), hanging).await.is_err());
        let (answer, _) = speak(address, "GET", "/core/agents", "").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    }));
}

#[test]
fn an_error_page_and_a_huge_body_come_over_the_wire_too() {
    run(with_service(&["html-502", "429=3#2", "huge=3#3"], |address, _| async move {
        let (answer, _) = speak(address, "GET", "/core/agents", "").await;
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n") && answer.contains("<h1>502 Bad Gateway</h1>"));
        let (answer, _) = speak(address, "GET", "/core/agents", "").await;
        assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("retry-after: 3\r\n"), "{answer}");
        let (answer, _) = speak(address, "GET", "/core/agents", "").await;
        assert!(answer.len() > 3_000_000, "{}", answer.len());
    }));
}

#[test]
fn every_request_waits_where_a_delay_is_set() {
    run(async {
        let sandbox = Sandbox::new(Service::quickstart(Behaviour::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let options = ServeOptions { delay: Duration::from_millis(60) };
        let server = tokio::spawn(serve(listener, sandbox, Arc::new(Idle::default()), options, std::future::pending()));
        let started = tokio::time::Instant::now();
        speak(address, "GET", "/core/agents", "").await;
        assert!(started.elapsed() >= Duration::from_millis(60));
        server.abort();
    });
}

#[test]
fn the_sandbox_is_not_served_to_the_network() {
    run(async {
        let sandbox = Sandbox::new(Service::quickstart(Behaviour::default()));
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let served =
            serve(listener, sandbox, Arc::new(Idle::default()), ServeOptions::default(), std::future::pending());
        assert!(matches!(served.await, Err(ServeError::NotLoopback(_))));
    });
}
