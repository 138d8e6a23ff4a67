//! The transport over real sockets: what it sends, what it refuses, and how it names what breaks.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use reachform::http::{
    BaseUrl, Credential, Method, Request, ReqwestTransport, Response, SetupError, Transport, TransportError,
    TransportOptions,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server for one connection: it reads a whole request, sends `reply` and closes. Gives back what it read.
async fn server(reply: impl Into<Vec<u8>>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let reply = reply.into();
    let handle = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).await.unwrap();
            read.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&read).into_owned();
            let length = text
                .to_ascii_lowercase()
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.split_once('\r').unwrap().0.parse::<usize>().unwrap());
            if count == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
                break;
            }
        }
        // The client may have seen enough and gone.
        let _gone = stream.write_all(&reply).await;
        String::from_utf8(read).unwrap()
    });
    (address, handle)
}

fn transport(address: &str, options: &TransportOptions) -> ReqwestTransport {
    let credential = Credential::new(&"pat_x.secret".into(), Some("org_1")).unwrap();
    ReqwestTransport::new(BaseUrl::parse(address).unwrap(), Some(&credential), options).unwrap()
}

async fn ask(reply: impl Into<Vec<u8>>, options: &TransportOptions) -> Result<Response, TransportError> {
    let (address, _server) = server(reply).await;
    transport(&address, options).send(&Request::new(Method::Get, "/core/agents")).await
}

#[tokio::test]
async fn a_request_arrives_as_it_was_meant() {
    let (address, server) = server("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\n{}").await;
    let mut request = Request::new(Method::Put, "/core/phone-numbers/%2B1");
    request.query = vec![("cursor".into(), "a+b=".into())];
    request.body = Some(b"{\"a\":1}".to_vec());
    let transport = transport(&format!("{address}/base/"), &TransportOptions::default());
    let response = transport.send(&request).await.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.header("date")), (200, &b"{}"[..], Some("x")));
    let sent = server.await.unwrap();
    assert!(sent.starts_with("PUT /base/core/phone-numbers/%2B1?cursor=a%2Bb%3D HTTP/1.1\r\n"), "{sent}");
    for header in [
        "authorization: Bearer pat_x.secret",
        "x-anyreach-org: org_1",
        concat!("user-agent: reachform/", env!("CARGO_PKG_VERSION")),
        "content-type: application/json",
        "accept-encoding: gzip",
    ] {
        assert!(sent.contains(&format!("\r\n{header}\r\n")), "{header}\n{sent}");
    }
    assert!(sent.ends_with("\r\n\r\n{\"a\":1}"));
    assert!(!format!("{transport:?}").contains("secret"), "{transport:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (elsewhere, followed) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let reply = format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
    let response = ask(reply, &TransportOptions::default()).await.unwrap();
    assert_eq!((response.status, response.header("location")), (302, Some(elsewhere.as_str())));
    assert!(!followed.is_finished());
}

#[tokio::test]
async fn a_body_is_bounded_announced_or_not_and_after_decompression() {
    let options = TransportOptions { body_limit: 100_000, ..TransportOptions::default() };
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n[".to_owned();
    let unannounced = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(200_000));
    let zeros = std::fs::read("fixtures/api/zeros-1mb.json.gz").unwrap();
    assert!(zeros.len() < 2_000);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", zeros.len());
    let bomb = [head.into_bytes(), zeros].concat();
    for reply in [announced.into_bytes(), unannounced.into_bytes(), bomb.clone()] {
        assert_eq!(ask(reply, &options).await, Err(TransportError::TooLarge(100_000)));
    }
    let whole = ask(bomb, &TransportOptions::default()).await.unwrap();
    assert_eq!(whole.body.len(), 1_000_002);
}

#[tokio::test]
async fn what_breaks_is_told_apart() {
    let options = TransportOptions { timeout: Duration::from_millis(300), ..TransportOptions::default() };
    let cut = ask("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1", &options).await;
    assert!(matches!(cut, Err(TransportError::Broken(_))), "{cut:?}");
    let dropped = ask("", &options).await;
    assert!(matches!(dropped, Err(TransportError::Broken(_))), "{dropped:?}");
    let rubbish = ask("SSH-2.0-hello\r\n\r\n", &options).await;
    assert!(matches!(rubbish, Err(TransportError::Broken(_))), "{rubbish:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let hang = transport(&silent, &options).send(&Request::new(Method::Get, "/a")).await;
    assert_eq!(hang, Err(TransportError::Timeout(Duration::from_millis(300))));
    drop(listener);
    let refused = transport(&silent, &options).send(&Request::new(Method::Get, "/a?token=hunter2")).await;
    let mut refused_request = Request::new(Method::Get, "/a");
    refused_request.query.push(("token".into(), "hunter2".into()));
    let connect = transport(&silent, &options).send(&refused_request).await.unwrap_err();
    assert!(matches!(&connect, TransportError::Connect(why) if why.contains("refused")), "{connect:?}");
    assert!(!connect.to_string().contains("hunter2"), "{connect}");
    assert!(matches!(refused, Err(TransportError::NotAllowed(_))), "a `?` in a path is no path: {refused:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_was_never_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let speak = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        stream
    };
    let tls = transport(&address, &TransportOptions::default());
    let request = Request::new(Method::Get, "/a");
    let (answer, _stream) = futures_util::join!(tls.send(&request), speak);
    let error = answer.unwrap_err();
    assert!(error.is_unsent(), "{error:?}");

    // One that says nothing at all is given up on before the request is.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let options = TransportOptions { connect_timeout: Duration::from_millis(200), ..TransportOptions::default() };
    let error = transport(&address, &options).send(&request).await.unwrap_err();
    assert!(error.is_unsent(), "{error:?}");
}

#[test]
fn a_file_of_authorities_is_read_and_what_is_wrong_with_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let new = |path: &PathBuf| {
        let options = TransportOptions { extra_ca: Some(path.clone()), ..TransportOptions::default() };
        ReqwestTransport::new(BaseUrl::parse("https://x.test").unwrap(), None, &options)
    };
    assert!(matches!(new(&path), Err(SetupError::CaFile { .. })));
    for empty in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&path, empty).unwrap();
        let error = new(&path).map(|_| ()).unwrap_err();
        assert!(!error.to_string().is_empty(), "{empty}");
    }
    std::fs::write(&path, certificate()).unwrap();
    assert!(new(&path).is_ok());
}

/// Some real authority, in PEM form.
fn certificate() -> String {
    let der = &webpki_root_certs::TLS_SERVER_ROOT_CERTS[0];
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// Set in the child that runs under a hostile environment.
const HOSTILE: &str = "REACHFORM_TEST_HOSTILE";

#[tokio::test]
async fn loopback_works_without_a_certificate_store_and_past_any_proxy() {
    if std::env::var_os(HOSTILE).is_none() {
        // The environment of a process cannot be changed safely from inside, so the same test runs again in a child.
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "api::socket::loopback_works_without_a_certificate_store_and_past_any_proxy"])
            .env(HOSTILE, "1")
            .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:1")))
            .envs(["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| (name, "/nonexistent")))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
        return;
    }
    let response = ask("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", &TransportOptions::default()).await.unwrap();
    assert_eq!(response.status, 200);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, certificate()).unwrap();
    let options = TransportOptions { extra_ca: Some(path), ..TransportOptions::default() };
    assert!(ReqwestTransport::new(BaseUrl::parse("https://x.test").unwrap(), None, &options).is_ok());
}
