//! A service that sends back what it was sent: no secret of ours may come out of the program by that way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reachform::http::{Clock as _, Method, Request, SystemClock};
use reachform::sandbox::{Behaviour, Delivery, SANDBOX_TOKEN, Sandbox, Service};
use serde_json::json;

use super::program::{MANIFEST, Project};
use super::service::Server;
use crate::hostile;

/// How what was sent comes back.
#[derive(Clone, Copy, Debug)]
enum Echo {
    Text,
    Json,
    Html,
    Base64,
    Url,
}

impl Echo {
    const ALL: [Self; 5] = [Self::Text, Self::Json, Self::Html, Self::Base64, Self::Url];

    fn body(self, sent: &str) -> String {
        match self {
            Self::Text => format!("cannot read: {sent}"),
            Self::Json => json!({"detail": format!("cannot read {sent}")}).to_string(),
            Self::Html => {
                let sent = sent.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
                format!("<html><title>{sent}</title></html>")
            }
            Self::Base64 => json!({"detail": STANDARD.encode(sent)}).to_string(),
            Self::Url => json!({"detail": utf8_percent_encode(sent, NON_ALPHANUMERIC).to_string()}).to_string(),
        }
    }
}

/// Serves reads from the embedded service and echoes every write, or echoes everything.
fn serve(echo: Echo, reads_too: bool, status: u16) -> String {
    let sandbox = Sandbox::new(Service::quickstart(Behaviour::default()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sandbox = sandbox.clone();
            std::thread::spawn(move || answer(stream.unwrap(), &sandbox, echo, reads_too, status));
        }
    });
    url
}

fn answer(mut stream: TcpStream, sandbox: &Sandbox, echo: Echo, reads_too: bool, refusal: u16) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let Some(first) = lines.first() else { return };
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ');
    let (method, target) = (Method::parse(words.next().unwrap()).unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, answer) = if reads_too || method != Method::Get {
        // The body first, then the headers: what a message shows is the beginning.
        let token = headers.iter().find(|(name, _)| name == "authorization").map_or("", |(_, value)| value.as_str());
        let text = String::from_utf8_lossy(&body);
        let from = text.find("crm").unwrap_or(0);
        (refusal, echo.body(&format!("{token} {}", &text[from..])).into_bytes())
    } else {
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let request = Request { method, path: path.to_owned(), query, headers, body: None };
        match sandbox.handle(&request, SystemClock.now()) {
            Delivery::Answer(response) => (response.status, response.body),
            other => panic!("{other:?}"),
        }
    };
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
    // A client that has gone away is no matter.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer));
}

/// Short, long, a common word, and with everything in it that some way of writing changes.
pub(super) const SECRETS: [&str; 6] = [
    "Zq7x!9",
    "crm-secret-4417-valüe with & <marks> \"quoted\" %20/+?",
    "back\\slash-and-'single'-in-it",
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nNzQ3YWJjZGVmZ2hpamtsbW5vcA\n-----END KEY-----",
    "日本語の秘密の文字列です",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
];

/// A secret as it may stand in a text; base64 at each of the three places in a group.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![secret.to_owned(), json[1..json.len() - 1].to_owned(), html];
    forms.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
    for shift in 0..3 {
        let padded = [vec![b' '; shift], secret.as_bytes().to_vec()].concat();
        let text = STANDARD.encode(&padded);
        let core = &text[(shift * 8_usize).div_ceil(6)..padded.len() * 8 / 6];
        forms.extend((core.len() >= 8).then(|| core.to_owned()));
    }
    forms
}

/// Statuses that are said once and not asked again; what is asked again is shown by the same words.
const STATUSES: [u16; 5] = [422, 400, 403, 409, 401];

/// The fixed secrets, and drawn ones of everything that some way of writing changes.
fn secrets() -> Vec<String> {
    let alphabet: Vec<char> = "aZ09 +/=%&<>\"'\\$`{}[]:;,.?#|~^éß日🔑-_".chars().collect();
    let mut rng = fastrand::Rng::with_seed(7);
    let drawn = (0..hostile::cases() / 16).map(|_| {
        let length = rng.usize(6..60);
        let text: String = (0..length).map(|_| alphabet[rng.usize(0..alphabet.len())]).collect();
        // What stands at the ends would be lost to a shell or a trim, and is nobody's secret.
        format!("k{text}z")
    });
    SECRETS.iter().map(|secret| (*secret).to_owned()).chain(drawn).collect()
}

pub(super) fn assert_hidden(what: &str, text: &str, secret: &str) {
    for form in forms(secret) {
        assert!(!text.contains(&form), "{what} shows {form:?}:\n{text}");
    }
}

#[test]
fn a_service_that_echoes_what_it_was_sent_gets_no_secret_shown() {
    for (index, secret) in secrets().iter().enumerate() {
        for (echo, reads_too) in Echo::ALL.into_iter().flat_map(|echo| [(echo, false), (echo, true)]) {
            let project = Project::quickstart()
                .with("ANYREACH_API_URL", &serve(echo, reads_too, STATUSES[index % STATUSES.len()]))
                .with("ANYREACH_TOKEN", SANDBOX_TOKEN)
                .with("REACHFORM_SECRET_CRM_KEY", secret);
            project.edit(MANIFEST, "  team: patient-access", "  team: patient-access\n  crm: !secret CRM_KEY");
            let commands: &[&[&str]] = if reads_too {
                &[
                    &["plan", "-vv"],
                    &["list", "-vv", "--json"],
                    &["validate", "-vv", "--sarif", "a.sarif"],
                    &["drift", "-vv", "--markdown", "d.md"],
                ]
            } else {
                &[
                    &["plan", "-vv", "--out", "saved.plan", "--html", "p.html", "--markdown", "p.md", "--json"],
                    &["show", "saved.plan", "-vv"],
                    &["schema", "-vv"],
                    &["apply", "--auto-approve", "-vv", "--json-out", "a.json", "--markdown", "a.md"],
                ]
            };
            for command in commands {
                let ran = project.run(command);
                let what = format!("{command:?} with {echo:?}");
                assert_hidden(&what, &ran.stdout, secret);
                assert_hidden(&what, &ran.stderr, secret);
                assert_hidden(&what, &ran.stderr, SANDBOX_TOKEN);
                assert_hidden(&what, &ran.stdout, SANDBOX_TOKEN);
            }
            for entry in walkdir::WalkDir::new(project.dir().parent().unwrap()) {
                let path = entry.unwrap().into_path();
                if path.is_file() {
                    let bytes = std::fs::read(&path).unwrap();
                    assert_hidden(&path.display().to_string(), &String::from_utf8_lossy(&bytes), secret);
                }
            }
        }
    }
}

/// Each text of the length of a short secret takes a slow hash to compare, so that a list of them would stall a run.
#[test]
fn too_many_texts_as_long_as_a_short_secret_are_hidden_untried_and_that_is_said() {
    let server = Server::new();
    let project = Project::at(&server).with("REACHFORM_SECRET_DOOR", "73519");
    project.write("agents/other.yaml", "key: other\nname: Another\nmetadata: {door: !secret DOOR, codes: [a]}\n");
    project.run(&["apply", "--auto-approve"]).ends(0);
    let id = server.sandbox.with(|service| service.agent_named("Another").unwrap().id);
    let codes: Vec<String> = (0..400).map(|n| format!("c{n:04}")).collect();
    server.sandbox.with(|service| {
        let mut metadata = service.agent_named("Another").unwrap().metadata;
        metadata["codes"] = json!(codes);
        let change = json!({"metadata": metadata});
        service.dashboard_change(&id, change.as_object().unwrap()).unwrap();
    });
    let ran = project.run(&["plan", "--json"]).ends(0);
    let plan = ran.json();
    let notices = plan["notices"].as_array().unwrap();
    assert!(notices.iter().any(|notice| notice["code"] == "secrets-not-tried"), "{notices:#?}");
    assert!(!ran.stdout.contains("73519"));
}

/// More short secrets than a run tries of other texts: all of them are known, and so nothing is ever behind.
#[test]
fn however_many_short_secrets_there_are_a_plan_after_an_apply_is_empty() {
    const SECRETS: usize = 220;
    let server = Server::new();
    let mut project = Project::at(&server);
    let keys: Vec<String> = (0..SECRETS).map(|n| format!("k{n}: !secret PIN_{n}")).collect();
    for n in 0..SECRETS {
        project = project.with(&format!("REACHFORM_SECRET_PIN_{n}"), &format!("p{n:05}"));
    }
    project.write("agents/other.yaml", format!("key: other\nname: Another\nmetadata: {{{}}}\n", keys.join(", ")));
    project.run(&["apply", "--auto-approve"]).ends(0);
    let plan = project.run(&["plan", "--refresh", "--detailed-exitcode", "--json"]).ends(0).json();
    let codes: Vec<&str> = plan["notices"].as_array().unwrap().iter().filter_map(|it| it["code"].as_str()).collect();
    assert!(!codes.contains(&"stamp-behind") && !codes.contains(&"secrets-not-tried"), "{codes:?}");
}
