//! A whole run against the embedded service, in one process and under a simulated clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reachform::apply::ApplyOptions;
use reachform::apply::context::Listener;
use reachform::apply::verify::{Verifier, VerifyInput};
use reachform::http::runtime::Later;
use reachform::http::{Client, ClientOptions, Clock as _, Redactor, SeededEntropy, SimulatedClock};
use reachform::manifest::{MemoryFiles, resolve};
use reachform::model::stamp::STAMP_KEY;
use reachform::model::{Stamp, Verify};
use reachform::plan::{Approval, Options, Outcome, Plan, Refusal, Report, Source, approve};
use reachform::sandbox::{Behaviour, ConfigSchema, Fault, InProcess, Phase, Sandbox, Seed, Service};
use reachform::schema::Leniency;
use reachform::session::{
    Applying, Outside, SANDBOX_HOST, Schemas, SessionError, Workspace, apply_approved, make_plan, plan_unleased, read,
};
use secrecy::SecretString;
use serde_json::Map;
use tokio_util::sync::CancellationToken;

use crate::scene::{manifest, schema_with_defaults};

/// The numbers of the organization.
pub const NUMBERS: [&str; 10] = [
    "+15550100000",
    "+15550100001",
    "+15550100002",
    "+15550100003",
    "+15550100004",
    "+15550100005",
    "+15550100006",
    "+15550100007",
    "+15550100008",
    "+15550100009",
];

/// A service, a repository and a clock.
#[derive(Clone)]
pub struct World {
    pub sandbox: Sandbox,
    /// What the service is called; only the embedded one is `sandbox`.
    pub host: String,
    /// The token, if it is not that of the embedded service.
    pub token: Option<String>,
    pub clock: Arc<SimulatedClock>,
    pub files: BTreeMap<String, String>,
    pub environment: Option<String>,
    pub secrets: BTreeMap<String, String>,
    pub options: Options,
    pub apply: ApplyOptions,
    pub cancel: CancellationToken,
    pub runs: u64,
    pub lease_timeout: Duration,
    /// How long one request takes.
    pub latency: Duration,
    /// How many requests are in flight at most.
    pub in_flight: usize,
    /// Who is asked before a version is published.
    pub verifier: Arc<dyn Verifier>,
    /// What each run is called, before its number.
    pub run_prefix: &'static str,
    /// Who is told what happens during an apply.
    pub listener: Arc<Listener>,
    /// The commit that the manifests are of, and whether it was made on top of any other one.
    pub commit: Option<String>,
    pub builds_on: bool,
}

/// A schema with defaults that are more than null, for a service that fills them in.
static SCHEMA: LazyLock<ConfigSchema> = LazyLock::new(|| ConfigSchema::compile(schema_with_defaults()).unwrap());

/// Says yes to every `verify`.
struct Yes;

impl Verifier for Yes {
    fn verify<'a>(&'a self, _command: &'a Verify, _input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// How an apply ended before or after its first write.
pub type Applied = Result<Result<Report, Refusal>, SessionError>;

/// Files, environment and secrets.
type Folder = (BTreeMap<String, String>, Option<String>, BTreeMap<String, String>, Option<String>);

thread_local! {
    static LAST_READ: RefCell<Option<(Folder, Arc<Workspace>)>> = const { RefCell::new(None) };
}

impl World {
    pub fn new(behaviour: Behaviour) -> Self {
        let clock = Arc::new(SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap()));
        let seed = serde_json::json!({"at": "2026-01-01T00:00:00Z",
            "organizations": [{"id": "org_sandbox", "numbers": NUMBERS}]});
        let mut service = Service::seeded(&Seed::parse(&seed.to_string()).unwrap(), behaviour).unwrap();
        service.set_schema(SCHEMA.clone());
        let files = BTreeMap::from([(
            "reachform.yaml".to_owned(),
            "version: 1\nproject: test\nenvironments:\n  prod: {}\n".to_owned(),
        )]);
        let options = Options { has_project: true, ..Options::default() };
        Self {
            sandbox: Sandbox::new(service),
            host: SANDBOX_HOST.to_owned(),
            token: None,
            clock,
            files,
            environment: None,
            secrets: BTreeMap::new(),
            options,
            apply: ApplyOptions { parallelism: 4, ..ApplyOptions::default() },
            cancel: CancellationToken::new(),
            runs: 0,
            lease_timeout: Duration::from_secs(180),
            latency: Duration::ZERO,
            in_flight: reachform::http::limiter::MOST_IN_FLIGHT,
            verifier: Arc::new(Yes),
            run_prefix: "run-",
            listener: Arc::new(|_| {}),
            commit: None,
            builds_on: false,
        }
    }

    /// The same world once more, with nothing shared: what happens in one does not happen in the other.
    pub fn fork(&self) -> Self {
        let service = self.sandbox.with(|service| service.clone());
        Self {
            sandbox: Sandbox::new(service),
            clock: Arc::new(SimulatedClock::new(self.clock.now())),
            cancel: CancellationToken::new(),
            ..self.clone()
        }
    }

    pub fn write(&mut self, key: &str, text: impl Into<String>) {
        self.files.insert(format!("agents/{key}.yaml"), text.into());
    }

    /// The manifests, resolved. A folder that was read last is not read again: thousands of cases share one.
    pub fn workspace(&self) -> Arc<Workspace> {
        let folder = (self.files.clone(), self.environment.clone(), self.secrets.clone(), self.commit.clone());
        LAST_READ.with_borrow_mut(|last| match last {
            Some((known, workspace)) if *known == folder => workspace.clone(),
            _ => {
                let workspace = Arc::new(self.read_workspace());
                *last = Some((folder, workspace.clone()));
                workspace
            }
        })
    }

    fn read_workspace(&self) -> Workspace {
        let mut files = MemoryFiles::default();
        for (name, text) in &self.files {
            files.add(name.clone(), text.clone().into_bytes());
        }
        let resolved = resolve(&files, self.environment.as_deref(), &|name| self.secrets.get(name).cloned());
        let problems = resolved.diagnostics.clone().sorted(&resolved.sources);
        assert!(!resolved.diagnostics.has_errors(), "{problems:#?}");
        Workspace { resolved, source: Source { commit: self.commit.clone(), dirty: false } }
    }

    pub fn outside(&self) -> Outside {
        let entropy = Arc::new(SeededEntropy::new(self.runs));
        let secrets: Vec<SecretString> = self.secrets.values().cloned().map(SecretString::from).collect();
        let redactor = Redactor::new(&secrets);
        let in_flight = self.in_flight;
        let options = ClientOptions { in_flight, cancel: self.cancel.clone(), redactor, ..ClientOptions::default() };
        let mut transport = InProcess::new(self.sandbox.clone(), self.clock.clone()).with_latency(self.latency);
        if let Some(token) = &self.token {
            transport = transport.with_token(Some(token.clone()));
        }
        let client = Client::new(Arc::new(transport), self.clock.clone(), entropy.clone(), options);
        Outside { client, host: self.host.clone(), clock: self.clock.clone(), entropy, schemas: schemas() }
    }

    pub async fn try_plan(&self) -> Result<Plan, SessionError> {
        let (workspace, outside) = (self.workspace(), self.outside());
        let reader = outside.reader();
        let mut service = read(&outside, &reader, None).await?;
        make_plan(&workspace, &self.options, Leniency::Strict, &outside, &reader, &mut service).await
    }

    pub async fn plan(&self) -> Plan {
        self.try_plan().await.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
    }

    pub fn applying(&self) -> Applying {
        Applying {
            options: self.options.clone(),
            leniency: Leniency::Strict,
            apply: self.apply.clone(),
            run: format!("{}{}", self.run_prefix, self.runs),
            lease_timeout: self.lease_timeout,
            cancel: self.cancel.clone(),
            verifier: self.verifier.clone(),
            listener: self.listener.clone(),
            builds_on: Arc::new({
                let builds_on = self.builds_on;
                move |_| builds_on
            }),
        }
    }

    /// One whole apply by a fresh run, as a new process on a new machine would make it.
    pub async fn try_apply(&mut self, approval: Approval<'_>) -> Applied {
        self.runs += 1;
        let (workspace, outside, applying) = (self.workspace(), self.outside(), self.applying());
        let (plan, service) = plan_unleased(&workspace, &outside, &applying).await?;
        let hash = match &approval {
            Approval::Hash(hash) => hash.to_string(),
            Approval::File(saved) => saved.plan_hash.to_string(),
            Approval::Person | Approval::Auto => plan.plan_hash.to_string(),
        };
        let approved = match approve(plan, &approval) {
            Ok(approved) => approved,
            Err(refusal) => return Ok(Err(refusal)),
        };
        apply_approved(&workspace, &outside, &applying, &approved, &hash, service).await
    }

    pub async fn apply(&mut self) -> Report {
        match self.try_apply(Approval::Person).await {
            Ok(Ok(report)) => report,
            Ok(Err(refusal)) => {
                let problems = self.try_plan().await.map(|plan| plan.diagnostics);
                panic!("refused: {refusal:#?}: {problems:#?}")
            }
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    }

    /// Applies, and insists that everything ended in place and that a second plan is empty.
    pub async fn converge(&mut self, what: &str) {
        let report = self.apply().await;
        assert!(report.is_complete(), "{what}: {:#?}", report.outcomes);
        self.assert_empty(what).await;
    }

    pub async fn assert_empty(&self, what: &str) {
        // Where writes show late, somebody looks a few times before anyone judges.
        if what.contains("eventual=") {
            for _ in 0..12 {
                let _plan = self.try_plan().await;
            }
        }
        let plan = self.plan().await;
        assert!(!plan.summary().has_changes(), "{what}: the second plan is not empty: {:#?}", plan.changes);
        assert!(!plan.has_errors(), "{what}: {:#?}", plan.diagnostics);
        assert!(plan.refreshes.is_empty(), "{what}: {:#?}", plan.refreshes);
    }

    pub fn id(&self, name: &str) -> String {
        self.sandbox.with(|service| service.agent_named(name).unwrap_or_else(|| panic!("no agent {name}")).id)
    }

    pub fn agents(&self) -> usize {
        self.sandbox.with(|service| service.agents().len())
    }

    pub fn live_config(&self, name: &str) -> serde_json::Value {
        self.sandbox.with(|service| service.agent_named(name).unwrap().live().unwrap().config.clone())
    }

    pub fn metadata(&self, name: &str) -> serde_json::Value {
        self.sandbox.with(|service| service.agent_named(name).unwrap().metadata)
    }

    /// Puts something of somebody else's into an agent's metadata, as the dashboard would.
    pub fn annotate(&self, name: &str, key: &str, value: serde_json::Value) {
        let mut metadata = self.metadata(name);
        metadata[key] = value;
        let fields = Map::from_iter([("metadata".to_owned(), metadata)]);
        let id = self.id(name);
        self.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
    }

    /// Which agent holds a slot, by name.
    pub fn holder(&self, number: &str, direction: &str) -> Option<String> {
        let slots = self.sandbox.with(|service| service.slots());
        let slots = slots.get(number)?;
        let pointer = if direction == "outbound" { &slots.outbound } else { &slots.inbound };
        pointer.as_ref().map(|pointer| pointer.agent.clone())
    }

    /// `kill -9` of a run, before or after a request that is named as in a fault (`#7`, `:PUT#1`): nothing goes on, and
    /// nothing is tidied up.
    pub async fn die(&mut self, phase: Phase, requests: &str) {
        self.die_applying(Approval::Person, phase, requests).await;
    }

    /// The same, of a run with an approval of its own.
    pub async fn die_applying(&mut self, approval: Approval<'_>, phase: Phase, requests: &str) {
        // Before the request the service must not see it, so its connection is cut there; after it, the answer is lost.
        let hang = if phase == Phase::Before { "hang-before" } else { "hang-after" };
        let fault = Fault::parse(&format!("{hang}{requests}")).unwrap();
        let struck = Arc::new(tokio::sync::Notify::new());
        let (signal, target, seen) = (struck.clone(), fault.clone(), AtomicU32::new(0));
        self.sandbox.on_request(move |at, _, request, _| {
            let is_counted = at == phase && target.matches(request);
            if is_counted && target.strikes(seen.fetch_add(1, Ordering::Relaxed) + 1) {
                signal.notify_one();
            }
        });
        self.sandbox.add_fault(fault);
        let mut doomed = self.clone();
        doomed.runs += 100;
        tokio::select! {
            biased;
            () = struck.notified() => {}
            _ended = doomed.try_apply(approval) => {}
        }
        self.sandbox.clear_faults();
        self.runs += 200;
    }

    /// The versions of an agent, and which of them are published.
    pub fn versions(&self, name: &str) -> Vec<(u64, bool)> {
        let agent = self.sandbox.with(|service| service.agent_named(name).unwrap());
        agent.versions.iter().map(|version| (version.number, version.published)).collect()
    }

    /// Strikes with one fault from now on.
    pub fn fault(&self, text: &str) {
        self.sandbox.add_fault(Fault::parse(text).unwrap());
    }
}

/// The schema of the embedded service, compiled once for all tests.
pub fn schemas() -> Arc<Schemas> {
    static COMPILED: LazyLock<Arc<Schemas>> = LazyLock::new(Arc::default);
    COMPILED.clone()
}

/// Runs a future to its end on one thread.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What one request takes.
pub const LATENCY: Duration = Duration::from_millis(50);

/// The same world, seen through a network that takes its time.
fn slowly(world: &World) -> Outside {
    let entropy = Arc::new(SeededEntropy::new(1));
    let transport = InProcess::new(world.sandbox.clone(), world.clock.clone()).with_latency(LATENCY);
    let client = Client::new(Arc::new(transport), world.clock.clone(), entropy.clone(), ClientOptions::default());
    Outside { client, host: "sandbox".to_owned(), clock: world.clock.clone(), entropy, schemas: schemas() }
}

/// A world whose service behaves as said (nothing for the likely one), and in which any share of agents may change.
pub fn in_service(behaviour: &str) -> World {
    let mut world = World::new(match behaviour {
        "" => Behaviour::default(),
        spec => Behaviour::parse(spec.split(' ')).unwrap(),
    });
    world.options.limits.change_percent = 100;
    world
}

/// A world with one agent in place, and a change to it that is to be applied.
pub fn changed(behaviour: &str) -> World {
    let mut world = in_service(behaviour);
    world.write("a", manifest("a", ""));
    run(async { world.apply().await });
    world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    world.sandbox.clear_log();
    world
}

/// What became of an agent.
pub fn outcome(report: &Report, key: &str) -> Outcome {
    report.outcomes.iter().find(|entry| entry.key.as_str() == key).unwrap().outcome
}

/// Why an agent ended so.
pub fn causes(report: &Report, key: &str) -> String {
    report.outcomes.iter().find(|entry| entry.key.as_str() == key).unwrap().causes.join(": ")
}

/// Changes an agent's stamp, as another run or a person would.
pub fn edit_stamp(service: &mut Service, agent: &str, edit: impl FnOnce(&mut Stamp)) {
    let found = service.agent_named(agent).unwrap();
    let mut stamp = Stamp::read(&found.metadata).unwrap().unwrap();
    edit(&mut stamp);
    let mut metadata = found.metadata;
    metadata[STAMP_KEY] = stamp.write();
    service.dashboard_change(&found.id, &Map::from_iter([("metadata".to_owned(), metadata)])).unwrap();
}

/// How long something took by the world's clock.
pub fn elapsed(world: &World, since: jiff::Timestamp) -> Duration {
    world.clock.now().duration_since(since).unsigned_abs()
}

/// Does something on the service just before the `nth` request of a name.
pub fn just_before(world: &World, name: String, nth: usize, deed: impl Fn(&mut Service) + Send + Sync + 'static) {
    let seen = AtomicUsize::new(0);
    world.sandbox.on_request(move |phase, _, request, service| {
        if phase == Phase::Before && request.name() == name && seen.fetch_add(1, Ordering::Relaxed) + 1 == nth {
            deed(service);
        }
    });
}

/// Two agents in place, the second of which has no manifest any more and is to be pruned.
pub fn with_one_to_prune() -> World {
    let mut world = in_service("");
    world.write("a", manifest("a", ""));
    world.write("b", manifest("b", ""));
    run(async { world.apply().await });
    world.files.remove("agents/b.yaml");
    world.options.prune = true;
    world.options.limits.delete = 1;
    world
}

/// Two runs of one apply, the second begun so much later, over networks of their own.
pub fn two_at_once(world: &World, behind: Duration) -> [Report; 2] {
    let (mut first, mut second) = (world.clone(), world.clone());
    (first.runs, second.runs) = (100, 200);
    (first.latency, second.latency) = (Duration::from_millis(50), Duration::from_millis(60));
    let (one, other) = run(async {
        tokio::join!(first.try_apply(Approval::Person), async {
            world.clock.sleep(behind).await;
            second.try_apply(Approval::Person).await
        })
    });
    [one.unwrap().unwrap(), other.unwrap().unwrap()]
}

/// A world of so many agents, all in place.
pub fn world_of(agents: usize, behaviour: &str) -> World {
    let mut world = in_service(behaviour);
    for n in 0..agents {
        world.write(&format!("a{n}"), manifest(&format!("a{n}"), ""));
    }
    let report = run(async { world.apply().await });
    assert!(report.is_complete());
    world.sandbox.clear_log();
    world
}

/// The time of an unchanged plan in round trips.
pub fn trips_of_a_plan(world: &World) -> f64 {
    let outside = slowly(world);
    let began = world.clock.now();
    run(async {
        let (workspace, reader) = (world.workspace(), outside.reader());
        let mut service = read(&outside, &reader, None).await.unwrap();
        let plan = make_plan(&workspace, &world.options, Leniency::Strict, &outside, &reader, &mut service).await;
        assert!(!plan.unwrap().summary().has_changes());
    });
    world.clock.now().duration_since(began).as_secs_f64() / LATENCY.as_secs_f64()
}

/// What an apply of all that is to be done cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Its time in round trips.
    pub trips: f64,
    /// All its requests.
    pub requests: usize,
    /// Those of them that name one agent, its versions or a version, for each agent.
    pub for_an_agent: f64,
}

/// Applies with so many requests in flight, over a network that takes its time.
pub fn cost_of_an_apply(world: &mut World, agents: usize, in_flight: usize) -> Cost {
    world.sandbox.clear_log();
    (world.latency, world.in_flight, world.apply.parallelism) = (LATENCY, in_flight, in_flight);
    let began = world.clock.now();
    let report = run(async { world.apply().await });
    assert!(report.is_complete(), "{report:#?}");
    let trips = world.clock.now().duration_since(began).as_secs_f64() / LATENCY.as_secs_f64();
    let log = world.sandbox.log();
    let names_one = |path: &str| path.starts_with("/core/agents/");
    let named =
        log.iter().filter(|entry| names_one(&entry.request.path) || entry.request.name() == "POST /core/agents");
    let share = |count: usize| f64::from(u32::try_from(count).unwrap());
    let for_an_agent = share(named.count()) / share(agents);
    Cost { trips: (trips * 10.0).round() / 10.0, requests: log.len(), for_an_agent }
}
