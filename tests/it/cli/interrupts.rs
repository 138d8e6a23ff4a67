//! INT, TERM and HUP while an apply is at work: what is in flight ends, the report adds up, the next apply finishes.

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use reachform::http::Method;
use reachform::sandbox::Fault;
use serde_json::{Value, json};

use super::program::{MANIFEST, Project, Ran, SECRETS};
use super::service::{Served, Server};

/// How long an interrupted run may take to its end, with every request taking `DELAY`.
const ORDERLY: Duration = Duration::from_secs(7);

const DELAY: Duration = Duration::from_millis(300);

fn signal(name: &str, process: u32) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap().success());
}

#[track_caller]
fn adds_up(report: &Value) {
    let summary = report["summary"].as_object().unwrap();
    let outcomes: u64 = summary.iter().filter(|(name, _)| *name != "changes").map(|(_, n)| n.as_u64().unwrap()).sum();
    assert_eq!(summary["changes"], json!(outcomes), "{report:#}");
    assert_eq!(report["outcomes"].as_array().unwrap().len() as u64, outcomes, "{report:#}");
    assert_eq!((&report["interrupted"], &report["complete"]), (&json!(true), &json!(false)), "{report:#}");
}

#[test]
fn a_signal_at_any_step_ends_in_order_and_the_next_apply_finishes() {
    let steps = [
        ("INT", Method::Post, "/core/agents"),
        ("TERM", Method::Post, "/versions"),
        ("INT", Method::Put, "/versions/2"),
        ("TERM", Method::Post, "/publish"),
        ("HUP", Method::Post, "/versions"),
        ("HUP", Method::Post, "/publish"),
    ];
    std::thread::scope(|scope| {
        for (name, method, path) in steps {
            scope.spawn(move || interrupted_at(name, method, path));
        }
    });
}

fn interrupted_at(name: &str, method: Method, path: &str) {
    let server = Server::slow(DELAY);
    let project = Project::at(&server);
    if path != "/core/agents" {
        project.run(&["apply", "--auto-approve"]).ends(0);
        project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
        server.sandbox.clear_log();
    }
    let child = project.start(&["apply", "--auto-approve", "--json"]);
    server.wait_for(method, path);
    signal(name, child.id());
    let began = Instant::now();
    let ran = Ran::of(child.wait_with_output().unwrap()).ends(130);
    assert!(began.elapsed() < ORDERLY, "{path}: {:?}", began.elapsed());
    let report = ran.json();
    adds_up(&report);
    assert_eq!(report["wrote"], json!(true), "{path}: {report:#}");
    assert_eq!(server.sandbox.with(|service| service.violations()), Vec::<String>::new());

    project.run(&["apply", "--auto-approve"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
    assert_eq!(server.sandbox.with(|service| service.agents().len()), 1, "{path}");
}

#[test]
fn a_served_sandbox_is_left_in_order_as_well() {
    let served = Served::new(&["--delay", "300"]);
    let project = Project::quickstart().with("ANYREACH_API_URL", &served.url).with("ANYREACH_TOKEN", SECRETS[0]);
    let mut child = project.start(&["apply", "--auto-approve", "--json", "-vv"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut log = String::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let is_create = line.contains("POST /core/agents");
        log.push_str(&line);
        if is_create {
            break;
        }
    }
    signal("TERM", child.id());
    let began = Instant::now();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let mut ran = Ran::of(child.wait_with_output().unwrap());
    ran.stderr = log + &rest.join("\n");
    assert!(SECRETS.iter().all(|secret| !ran.stderr.contains(secret)), "{ran:#?}");
    let ran = ran.ends(130).says("interrupted");
    assert!(began.elapsed() < ORDERLY, "{:?}", began.elapsed());
    adds_up(&ran.json());
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn a_signal_before_the_first_write_leaves_nothing() {
    let server = Server::slow(DELAY);
    let project = Project::at(&server);
    let child = project.start(&["apply", "--auto-approve", "--json"]);
    server.wait_for(Method::Get, "/core/agents");
    signal("INT", child.id());
    let ran = Ran::of(child.wait_with_output().unwrap()).ends(130);
    assert_eq!(ran.json()["error"]["exit_code"], json!(130));
    assert_eq!(server.writes(), 0);
}

/// The service stops answering altogether in mid-apply: the run does not wait for it longer than it promised.
#[test]
fn a_signal_while_nothing_answers_any_more_ends_as_quickly_and_the_next_apply_finishes() {
    std::thread::scope(|scope| {
        for (method, path) in
            [(Method::Post, "*/versions"), (Method::Post, "*/publish"), (Method::Post, "/core/agents")]
        {
            scope.spawn(move || {
                let server = Server::slow(Duration::ZERO);
                let project = Project::at(&server);
                let mut fault = Fault::parse(&format!("hang-after:{} {path}", method.as_str())).unwrap();
                fault.count = None;
                server.sandbox.add_fault(fault);
                let child = project.start(&["apply", "--auto-approve", "--json"]);
                server.wait_for(method, path.trim_start_matches('*'));
                // From now on nothing else is answered either.
                server.sandbox.add_fault(Fault::parse("hang-before#1+").unwrap());
                signal("TERM", child.id());
                let began = Instant::now();
                let ran = Ran::of(child.wait_with_output().unwrap()).ends(130);
                assert!(began.elapsed() < ORDERLY, "{path}: {:?}", began.elapsed());
                adds_up(&ran.json());
                assert_eq!(ran.json()["summary"]["unknown"], json!(1), "{path}: {:#}", ran.json());
                server.sandbox.clear_faults();
                project.run(&["apply", "--auto-approve", "--break-lease"]).ends(0);
                project.run(&["plan", "--detailed-exitcode"]).ends(0);
                assert_eq!(server.sandbox.with(|service| service.agents().len()), 1, "{path}");
            });
        }
    });
}

#[test]
fn the_second_signal_ends_at_once() {
    let server = Server::slow(Duration::ZERO);
    let project = Project::at(&server);
    server.sandbox.add_fault(Fault::parse("hang-after:POST /core/agents").unwrap());
    let mut child = project.start(&["apply", "--auto-approve", "--json"]);
    server.wait_for(Method::Post, "/core/agents");
    signal("INT", child.id());
    // Within a second a wrapper may have sent the same signal once more; after it, a person means it.
    std::thread::sleep(Duration::from_millis(1_300));
    assert!(child.try_wait().unwrap().is_none(), "the first signal lets the request in flight go on");
    signal("INT", child.id());
    let began = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
