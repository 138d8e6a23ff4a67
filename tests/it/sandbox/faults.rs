//! Scripted faults through the transport in the process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use reachform::http::Method::{Get, Post};
use reachform::http::runtime::Later;
use reachform::http::{Clock, Request, Response, Transport as _, TransportError};
use reachform::sandbox::{Behaviour, Direction, Fault, InProcess, Phase, Sandbox, Service};
use serde_json::{Value, json};

use super::{request, seed};

/// A clock that only moves when somebody waits.
#[derive(Default)]
pub struct Idle(Mutex<Duration>);

impl Idle {
    fn waited(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

impl Clock for Idle {
    fn now(&self) -> Timestamp {
        "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap() + self.waited()
    }

    fn sleep(&self, duration: Duration) -> Later<'_, ()> {
        *self.0.lock().unwrap() += duration;
        Box::pin(std::future::ready(()))
    }
}

struct Scene {
    sandbox: Sandbox,
    clock: Arc<Idle>,
    transport: InProcess,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn new(faults: &[&str]) -> Self {
        let sandbox = Sandbox::new(Service::seeded(&seed(), Behaviour::default()).unwrap());
        for fault in faults {
            sandbox.add_fault(Fault::parse(fault).unwrap());
        }
        let clock = Arc::new(Idle::default());
        let transport = InProcess::new(sandbox.clone(), clock.clone()).with_token(Some("ak_one.admin".to_owned()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { sandbox, clock, transport, runtime }
    }

    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        self.runtime.block_on(self.transport.send(request))
    }

    fn create(&self) -> Result<Response, TransportError> {
        self.send(&request(Post, "/core/agents", Some(&json!({"name": "Made"}))))
    }

    fn made(&self) -> usize {
        self.sandbox.with(|service| service.agents().iter().filter(|agent| agent.name == "Made").count())
    }
}

#[test]
fn a_dropped_connection_is_broken_with_or_without_the_request_carried_out() {
    for (fault, made) in [("drop-before", 0), ("drop-after", 1), ("cut", 1)] {
        let scene = Scene::new(&[fault]);
        assert!(matches!(scene.create(), Err(TransportError::Broken(_))), "{fault}");
        assert_eq!(scene.made(), made, "{fault}");
        assert_eq!(scene.create().unwrap().status, 200, "{fault} strikes once");
    }
    let scene = Scene::new(&["refuse"]);
    assert!(scene.create().unwrap_err().is_unsent());
    assert_eq!(scene.made(), 0);
}

#[test]
fn an_error_status_hides_whether_the_request_was_carried_out() {
    for (fault, status, made) in [("500-before", 500, 0), ("500-after", 500, 1), ("503", 503, 0), ("html-502", 502, 0)]
    {
        let scene = Scene::new(&[fault]);
        let response = scene.create().unwrap();
        assert_eq!((response.status, scene.made()), (status, made), "{fault}");
    }
    let scene = Scene::new(&["html-502", "html#2"]);
    for _ in 0..2 {
        let response = scene.create().unwrap();
        assert_eq!(response.header("content-type"), Some("text/html"));
        assert!(response.body.starts_with(b"<html>"));
    }
    let scene = Scene::new(&["shape:GET"]);
    let response = scene.send(&request(Get, "/core/agents", None)).unwrap();
    assert!(serde_json::from_slice::<Value>(&response.body).unwrap().is_object());
}

#[test]
fn too_many_requests_says_when_to_come_back_or_not() {
    let header = |fault: &str| {
        let response = Scene::new(&[fault]).create().unwrap();
        assert_eq!(response.status, 429);
        response.header("retry-after").map(str::to_owned)
    };
    assert_eq!(header("429=7").as_deref(), Some("7"));
    assert_eq!(header("429-date=60").as_deref(), Some("Tue, 24 Nov 2026 12:01:00 GMT"));
    assert_eq!(header("429"), None);
}

#[test]
fn a_hang_ends_when_the_clients_patience_does() {
    for (fault, made) in [("hang", 0), ("hang-after", 1)] {
        let scene = Scene::new(&[fault]);
        assert_eq!(scene.create(), Err(TransportError::Timeout(Duration::from_secs(30))));
        assert_eq!((scene.clock.waited(), scene.made()), (Duration::from_secs(30), made), "{fault}");
    }
}

#[test]
fn a_dripping_answer_comes_whole_unless_it_takes_too_long() {
    let scene = Scene::new(&["drip=100"]);
    assert_eq!(scene.create().unwrap().status, 200);
    assert_eq!(scene.clock.waited(), Duration::from_secs(1));
    let scene = Scene::new(&["drip=10000"]);
    assert!(matches!(scene.create(), Err(TransportError::Timeout(_))));
    let scene = Scene::new(&["huge=300"]);
    assert_eq!(scene.create(), Err(TransportError::TooLarge(300_000_000)));
}

#[test]
fn a_fault_strikes_the_requests_that_it_names() {
    let scene = Scene::new(&["503:GET /core/agents/*#2x2", "500:POST"]);
    let agent = request(Get, "/core/agents/agent-front", None);
    let statuses: Vec<u16> = (0..4).map(|_| scene.send(&agent).unwrap().status).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    assert_eq!(scene.send(&request(Get, "/core/agents", None)).unwrap().status, 200);
    assert_eq!(scene.create().unwrap().status, 500);
    scene.sandbox.add_fault(Fault::parse("drop-before#1+").unwrap());
    assert!(scene.create().is_err() && scene.create().is_err());
    scene.sandbox.clear_faults();
    assert_eq!(scene.create().unwrap().status, 200);
}

#[test]
fn the_log_says_what_was_asked_served_and_seen() {
    let scene = Scene::new(&["drop-after:POST", "503:GET#2"]);
    scene.send(&request(Get, "/core/agents", None)).unwrap();
    scene.create().unwrap_err();
    scene.send(&request(Get, "/core/agents/agent-front", None)).unwrap();
    let log = scene.sandbox.log();
    let lines: Vec<String> = log.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["GET /core/agents 200", "POST /core/agents - (drop-after)", "GET /core/agents/agent-front 503 (503-before)"]
    );
    assert_eq!(log.iter().map(|entry| entry.served).collect::<Vec<_>>(), [Some(200), Some(200), None]);
    assert!(log.iter().all(|entry| entry.request.header("authorization").is_none()), "no credential in the log");
    scene.sandbox.clear_log();
    assert!(scene.sandbox.log().is_empty());
}

#[test]
fn a_hook_sees_every_request_and_may_interfere() {
    let scene = Scene::new(&[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    scene.sandbox.on_request(move |phase, number, request, service| {
        notes.lock().unwrap().push((phase, number, request.name()));
        if phase == Phase::Before && number == 2 {
            service.dashboard_edit("agent-front", "/agent/instructions", json!("raced")).unwrap();
            service.dashboard_assign("+15550000003", Direction::Inbound, Some("agent-front")).unwrap();
        }
    });
    let read = || {
        let response = scene.send(&request(Get, "/core/agents/agent-front", None)).unwrap();
        serde_json::from_slice::<Value>(&response.body).unwrap()["latest_version"].clone()
    };
    assert_eq!((read(), read()), (json!(3), json!(4)));
    let name = "GET /core/agents/agent-front".to_owned();
    let expected = [(Phase::Before, 1), (Phase::After, 1), (Phase::Before, 2), (Phase::After, 2)];
    assert_eq!(*seen.lock().unwrap(), expected.map(|(phase, number)| (phase, number, name.clone())));
}

#[test]
fn the_transport_brings_its_credential_and_organization() {
    let sandbox = Sandbox::new(Service::seeded(&seed(), Behaviour::default()).unwrap());
    let clock = Arc::new(Idle::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let numbers = request(Get, "/core/phone-numbers", None);
    let status = |transport: InProcess| runtime.block_on(transport.send(&numbers)).unwrap().status;
    let transport = || InProcess::new(sandbox.clone(), clock.clone());
    assert_eq!(status(transport()), 200, "the sandbox's own token");
    assert_eq!(status(transport().with_token(None)), 401);
    assert_eq!(status(transport().with_token(Some("pat_ada".to_owned()))), 401);
    let ada = transport().with_token(Some("pat_ada".to_owned())).with_organization(Some("org_two".to_owned()));
    assert_eq!(status(ada), 200);
    assert_eq!(status(transport().with_latency(Duration::from_millis(50))), 200);
    assert_eq!(clock.waited(), Duration::from_millis(50));
}
