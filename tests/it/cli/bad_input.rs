//! Bad input of every kind: what a person reads, kept as text under `fixtures/cli`, and that nothing was written.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use reachform::render::json::sealed;
use reachform::sandbox::Sandbox;
use serde_json::json;

use super::program::{Project, SECRETS};
use super::service::{OddSchema, Server};

const PLAN: &[&str] = &["plan"];

/// Runs a case and compares what stands on stderr, and the exit code, with the stored text.
#[track_caller]
fn reads(case: &str, project: &Project, arguments: &[&str], code: i32) {
    let ran = project.run(arguments).ends(code);
    let found =
        format!("$ reachform {}\nexit {code}\n\n{}", project.steady(&arguments.join(" ")), project.steady(&ran.stderr));
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli").join(format!("{case}.txt"));
    if std::env::var_os("REACHFORM_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{} reads otherwise (REACHFORM_BLESS=1 takes it):\n{found}", path.display());
    // The document says the same.
    let json = project.run(&[arguments, &["--json"]].concat()).ends(code).json();
    if let Some(causes) = json["error"]["causes"].as_array() {
        assert_eq!(json["error"]["exit_code"], json!(code));
        assert!(ran.stderr.contains(causes[0].as_str().unwrap().lines().next().unwrap()), "{json:#}");
    }
}

/// Nothing that writes was asked for.
#[track_caller]
fn wrote_nothing(sandbox: &Sandbox) {
    sandbox.with(|service| assert!(service.agents().is_empty(), "{:?}", service.agents()));
}

#[test]
fn credentials() {
    let server = Server::new();
    let apply = &["apply", "--auto-approve"][..];
    reads("token-wrong", &Project::at(&server).with("ANYREACH_TOKEN", SECRETS[1]), apply, 1);
    reads("token-personal", &Project::at(&server).with("ANYREACH_TOKEN", SECRETS[2]), apply, 1);
    assert!(server.sandbox.log().iter().all(|entry| !format!("{entry:?}").contains("pat_personal")));
    reads("token-missing", &Project::at(&server).with("ANYREACH_TOKEN", ""), apply, 1);
    reads("token-file-missing", &Project::at(&server), &["plan", "--token-file", "no-such-file"], 1);
    let odd = Project::at(&server).with("ANYREACH_TOKEN", "ak_with a blank");
    reads("token-of-odd-form", &odd, PLAN, 1);
    wrote_nothing(&server.sandbox);
}

#[test]
fn addresses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let project = |url: &str| Project::quickstart().with("ANYREACH_TOKEN", SECRETS[0]).with("ANYREACH_API_URL", url);
    reads("network-none", &project(&closed), PLAN, 1);
    reads("address-unencrypted", &project("http://api.example.com"), PLAN, 1);
    reads("address-no-url", &project("api.example.com"), PLAN, 1);
    reads("address-with-path", &project("https://user:word@api.example.com/v1?x=1"), PLAN, 1);
}

#[test]
fn answers_on_reading() {
    for (case, fault) in [
        ("answer-502", "html-502:GET /core/*#1+"),
        ("answer-html", "html:GET /core/*#1+"),
        ("answer-cut", "cut:GET /core/*#1+"),
        ("answer-shape", "shape:GET /core/*#1+"),
        ("answer-huge", "huge=200:GET /core/*#1+"),
        ("answer-agents-html", "html:GET /core/agents#1+"),
    ] {
        let server = Server::new();
        server.fault(fault);
        reads(case, &Project::at(&server), &["apply", "--auto-approve"], 1);
        wrote_nothing(&server.sandbox);
    }
}

#[test]
fn schemas() {
    let nested = format!(
        "{{\"type\":\"object\",\"properties\":{}{}}}",
        "{\"a\":{\"properties\":".repeat(300),
        "{}".to_owned() + &"}}".repeat(300)
    );
    for (case, schema) in [
        ("schema-no-schema", json!({"type": 5}).to_string()),
        ("schema-list", "[1, 2]".to_owned()),
        ("schema-empty", String::new()),
        ("schema-remote-ref", json!({"properties": {"a": {"$ref": "https://evil.example/x.json"}}}).to_string()),
        ("schema-dangling-ref", json!({"properties": {"a": {"$ref": "#/$defs/None"}}}).to_string()),
        ("schema-circular-ref", json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}).to_string()),
        ("schema-deep", nested),
    ] {
        let server = OddSchema::new(schema);
        let project = Project::quickstart().with("ANYREACH_API_URL", &server.url).with("ANYREACH_TOKEN", SECRETS[0]);
        reads(case, &project, &["apply", "--auto-approve"], 1);
        wrote_nothing(&server.sandbox);
    }
}

#[test]
fn files() {
    let bomb = {
        let mut text = "key: bomb\nname: Bomb\nmetadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let alias = vec![format!("*a{}", n - 1); 9].join(", ");
            writeln!(text, "  a{n}: &a{n} [{alias}]").unwrap();
        }
        text
    };
    let deep = format!("key: deep\nname: Deep\nmetadata: {}1{}\n", "{a: ".repeat(100), "}".repeat(100));
    for (case, bytes) in [
        ("file-bomb", bomb.into_bytes()),
        ("file-deep", deep.into_bytes()),
        ("file-not-utf8", b"key: odd\nname: \"caf\xe9\"\n".to_vec()),
        ("file-empty", Vec::new()),
        ("file-no-yaml", b"key: [unclosed\nname: x\n".to_vec()),
        ("file-utf16", [0xff, 0xfe, b'k', 0, b'e', 0, b'y', 0].to_vec()),
        ("file-nul", b"key: a\0b\nname: x\n".to_vec()),
    ] {
        let server = Server::new();
        let project = Project::at(&server);
        project.write("agents/x.yaml", bytes);
        reads(case, &project, &["apply", "--auto-approve"], 1);
        assert_eq!(server.writes(), 0);
    }
}

#[test]
fn folders_and_links() {
    let project = Project::quickstart();
    std::fs::create_dir(project.path("agents/x.yaml")).unwrap();
    reads("file-is-folder", &project, &["--sandbox", "validate"], 1);

    let project = Project::quickstart();
    std::fs::write(project.home().join("outside.md"), "outside").unwrap();
    std::fs::remove_file(project.path("prompts/riverside.md")).unwrap();
    std::os::unix::fs::symlink(project.home().join("outside.md"), project.path("prompts/riverside.md")).unwrap();
    reads("link-out", &project, &["--sandbox", "validate"], 1);

    let project = Project::quickstart();
    std::fs::remove_file(project.path("prompts/riverside.md")).unwrap();
    reads("text-file-missing", &project, &["--sandbox", "validate"], 1);

    let project = Project::quickstart();
    reads("folder-missing", &project, &["--sandbox", "-C", "nowhere", "plan"], 1);
    let project = Project::quickstart();
    project.write("reachform.yaml", "version: 1\nprojekt: x\nenvironments: {demo: {token: HOME}}\n");
    reads("project-odd", &project, &["--sandbox", "validate"], 1);
}

#[test]
fn plan_files() {
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["plan", "--out", "good.plan"]).ends(0);
    let good = project.read("good.plan");
    let apply = &["apply", "x.plan"][..];
    let digit = good.find("\"change_hash\": \"sha256:").unwrap() + "\"change_hash\": \"sha256:".len();
    let other = if good[digit..].starts_with('0') { "1" } else { "0" };
    let edited = format!("{}{other}{}", &good[..digit], &good[digit + 1..]);
    for (case, text, code) in [
        ("plan-old", good.replacen("\"format_version\": \"1.1\"", "\"format_version\": \"2.0\"", 1), 1),
        ("plan-foreign", "{\"resource_changes\": []}".to_owned(), 1),
        ("plan-edited", edited, 1),
        ("plan-no-changes", good.replacen("\"changes\": [", "\"changes\": [], \"was\": [", 1), 1),
        ("plan-cut", good[..good.find("\"changes\": [").unwrap()].to_owned(), 1),
        ("plan-empty", String::new(), 1),
        ("plan-of-another-project", sealed(&good.replace("quickstart-riverside", "another-project")), 3),
    ] {
        assert_ne!(text, good, "{case}");
        project.write("x.plan", text);
        reads(case, &project, apply, code);
    }
    std::fs::remove_file(project.path("x.plan")).unwrap();
    reads("plan-missing", &project, apply, 1);
    std::fs::create_dir(project.path("x.plan")).unwrap();
    reads("plan-is-folder", &project, apply, 1);
    wrote_nothing(&server.sandbox);
}

#[test]
fn flags() {
    let project = Project::quickstart();
    reads("flag-target-unknown", &project, &["--sandbox", "plan", "--target", "riversde"], 64);
    reads("flag-env-unknown", &project, &["--sandbox", "plan", "--env", "demoo"], 1);
    reads("flag-out-unwritable", &project, &["--sandbox", "plan", "--out", "no/such/folder/x.plan"], 1);
    reads("flag-out-is-folder", &project, &["--sandbox", "plan", "--out", "agents"], 1);
    let project = project.with("ANYREACH_TOKEN", SECRETS[0]);
    reads("flag-ca-file", &project, &["plan", "--api-url", "https://127.0.0.1:1", "--ca-file", "no.pem"], 1);
    reads("apply-nobody-to-ask", &project, &["--sandbox", "apply"], 64);
    project.write(".reachform/sandbox.json", "{not json");
    reads("sandbox-data-broken", &project, &["--sandbox", "plan"], 1);
}
