//! The service's answers: whatever bytes come back, a reading ends, writes nothing, and claims no more than it saw.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reachform::diagnostics::SourceMap;
use reachform::http::runtime::Later;
use reachform::http::{
    Client, ClientOptions, Clock as _, Method, Request, Response, SeededEntropy, SimulatedClock, Transport,
    TransportError,
};
use reachform::manifest::{MemoryFiles, resolve};
use reachform::model::Coverage;
use reachform::plan::{Action, Limits, Options, Plan, Source};
use reachform::render::json::plan_document;
use reachform::render::markdown::{CommentContext, plan_comment};
use reachform::render::style::Detail;
use reachform::render::text::{TextOptions, plan_text};
use reachform::schema::Leniency;
use reachform::session::{Outside, Schemas, Service, Workspace, make_plan, read};
use serde_json::Value;

use super::{SANDBOX_SCHEMA, Verdict, assert_printable, bundle};

/// Where the clock of a reading begins.
const START: &str = "2026-06-01T12:00:00Z";

/// How many requests a reading may send that an input of nothing causes, each with all its repetitions.
const FEWEST_REQUESTS: usize = 200;

/// Simulated time after which a reading must have given up, whatever the answers ask for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The manifests where an input brings none: one agent to be found by name, one that is bound by its id.
const MANIFESTS: [(&str, &str); 3] = [
    ("reachform.yaml", "version: 1\nproject: test\nenvironments:\n  prod: {}\n"),
    (
        "agents/a.yaml",
        "key: a\nname: Agent a\ndescription: d\nmetadata: {team: x}\nconfig: {agent: {max_tool_steps: 7}}\n\
         phone_numbers: {inbound: ['+15550100000'], outbound: []}\nweb_widgets: [w1]\nemail_addresses: [e1]\nsip_endpoint: true\n",
    ),
    ("agents/b.yaml", "key: b\nname: Agent b\nid: ag_b\nconfig: {agent: {instructions: Be kind.}}\n"),
];

/// One answer of an input: `=== PATH STATUS | name: value | name: value`, and the body below it.
struct Scripted {
    path: String,
    response: Response,
}

/// Answers from the input, in the order in which they stand there; the last one of a path for ever after. What the
/// input does not speak of is empty, or the embedded schema.
struct Script {
    answers: Vec<Scripted>,
    told: Mutex<(BTreeMap<String, usize>, Vec<Request>)>,
}

impl Script {
    fn answer(&self, request: &Request) -> Response {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.1.push(request.clone());
        let of_path: Vec<&Scripted> = self.answers.iter().filter(|answer| answer.path == request.path).collect();
        let count = told.0.entry(request.path.clone()).or_default();
        let answer = of_path.get(*count).or(of_path.last());
        *count += 1;
        if let Some(answer) = answer {
            return answer.response.clone();
        }
        let (status, body): (u16, &[u8]) = match request.path.as_str() {
            "/core/agent-config-schema" => (200, SANDBOX_SCHEMA),
            "/core/agents" | "/core/phone-numbers" | "/core/web-widgets" | "/core/email-addresses" => (200, b"[]"),
            _ => (404, br#"{"detail": "Not found."}"#),
        };
        Response { status, headers: Vec::new(), body: body.to_vec() }
    }
}

impl Transport for Script {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        Box::pin(async move { Ok(self.answer(request)) })
    }
}

/// The schemas of all runs: compiling the same one anew each time would be all we do.
fn compiled() -> Arc<Schemas> {
    static COMPILED: LazyLock<Arc<Schemas>> = LazyLock::new(Arc::default);
    COMPILED.clone()
}

/// The reading of nothing, which every later reading starts from.
fn nothing() -> &'static Service {
    static NOTHING: OnceLock<Service> = OnceLock::new();
    NOTHING.get_or_init(|| {
        let (outside, _script, _clock) = outside(Vec::new());
        run(async { read(&outside, &outside.reader(), None).await }).expect("an empty service can be read")
    })
}

fn outside(answers: Vec<Scripted>) -> (Outside, Arc<Script>, Arc<SimulatedClock>) {
    let clock = Arc::new(SimulatedClock::new(START.parse().unwrap()));
    let script = Arc::new(Script { answers, told: Mutex::default() });
    let entropy = Arc::new(SeededEntropy::new(1));
    let transport: Arc<dyn Transport> = script.clone();
    let client = Client::new(transport, clock.clone(), entropy.clone(), ClientOptions::default());
    (Outside { client, host: "test".to_owned(), clock: clock.clone(), entropy, schemas: compiled() }, script, clock)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Reads `PATH STATUS | name: value`.
fn scripted(section: bundle::Section) -> Scripted {
    let mut parts = section.head.split('|').map(str::trim);
    let mut words = parts.next().unwrap_or_default().split_whitespace();
    let path = words.next().unwrap_or("/core/agents").to_owned();
    let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
    let headers = parts
        .filter_map(|part| part.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Scripted { path, response: Response { status, headers, body: section.body } }
}

/// Sections that begin with a slash are answers, others are files of the project. A text without sections is the first
/// page of agents.
pub fn answers(input: &[u8]) -> Verdict {
    let (mut files, mut has_files) = (MemoryFiles::default(), false);
    let mut script = Vec::new();
    for section in bundle::split(input) {
        if section.head.is_empty() || section.head.starts_with('/') {
            script.push(scripted(section));
        } else {
            has_files = true;
            files.add(section.head, section.body);
        }
    }
    if !has_files {
        for (name, text) in MANIFESTS {
            files.add(name, text);
        }
    }
    // Made before another runtime runs: one cannot begin within the other.
    let before = nothing();
    let resolved = resolve(&files, None, &|_| None);
    if resolved.diagnostics.has_errors() {
        return Verdict::Refused;
    }
    let workspace = Workspace { resolved, source: Source::default() };
    let (outside, script, clock) = outside(script);
    let planned = run(plan(&workspace, &outside, before));
    check_requests(&script, &clock, input);
    match planned {
        Ok((service, plan)) => {
            check_plan(&service, &plan, &workspace.resolved.sources);
            Verdict::of(plan.is_applyable())
        }
        Err(words) => {
            assert_printable("the error", &words);
            assert!(words.len() < 20_000, "an answer out of all proportion: {words}");
            Verdict::Refused
        }
    }
}

/// The plan of a reading, or the error and its causes in the words of the program.
async fn plan(workspace: &Workspace, outside: &Outside, before: &Service) -> Result<(Service, Plan), String> {
    let limits = Limits { delete: 1_000, change_percent: 100 };
    let options = Options { has_project: true, prune: true, limits, ..Options::default() };
    let reader = outside.reader();
    let told = |error: reachform::session::SessionError| reachform::cli::report::CommandError::session(&error).text();
    let mut service = read(outside, &reader, Some(before)).await.map_err(told)?;
    let plan = make_plan(workspace, &options, Leniency::Strict, outside, &reader, &mut service).await.map_err(told)?;
    Ok((service, plan))
}

/// A reading reads, ends, and asks in proportion to what it was told.
fn check_requests(script: &Script, clock: &SimulatedClock, input: &[u8]) {
    let told = script.told.lock().unwrap_or_else(PoisonError::into_inner);
    for request in &told.1 {
        assert_eq!(request.method, Method::Get, "a plan writes: {}", request.name());
        assert!(!request.path.to_ascii_lowercase().ends_with("/latest"), "{}", request.name());
        assert!(request.path.is_ascii() && !request.path.contains(['?', '#', ' ']), "{}", request.path);
    }
    assert!(
        told.1.len() <= FEWEST_REQUESTS + 2 * input.len(),
        "{} requests out of {} bytes",
        told.1.len(),
        input.len()
    );
    let passed = clock.now().duration_since(START.parse().unwrap());
    assert!(passed.unsigned_abs() <= LONGEST, "{passed:?} have passed");
}

/// A partial reading creates and deletes nothing, a whole one keeps what is not declared, and both can be shown.
fn check_plan(service: &Service, plan: &Plan, sources: &SourceMap) {
    let has = |action| plan.changes.iter().any(|change| change.action == action);
    match &service.live.agent_coverage {
        Coverage::Proven => {}
        Coverage::Unproven(_) => assert!(!has(Action::Delete), "deletes by a list that is not proven"),
        Coverage::Incomplete(_) | Coverage::Forbidden(_) => {
            assert!(!has(Action::Delete) && !has(Action::Create), "a partial reading creates or deletes");
            assert!(!plan.is_applyable(), "a partial reading can be applied");
        }
    }
    for change in &plan.changes {
        let live = change.agent_id.as_ref().and_then(|id| service.live.agents.get(id));
        if let (Some(Value::Object(config)), Some(live)) =
            (change.work.config(), live.and_then(|live| live.live_config()))
        {
            for (name, value) in live.config.as_object().into_iter().flatten().filter(|(name, _)| *name != "agent") {
                let kept = config.get(name).map(Value::to_string);
                assert_eq!(
                    kept.as_deref(),
                    Some(value.to_string().as_str()),
                    "`{name}` is not declared and was changed"
                );
            }
        }
    }
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        assert_printable("the plan", &plan_text(plan, &TextOptions { detail, ..TextOptions::default() }));
    }
    let comment = plan_comment(plan, sources, &CommentContext::default());
    assert_printable("the comment", &comment.text);
    crate::render::markdown::check(&comment.text);
    assert_printable("the document", &plan_document(plan, sources));
}
