//! What a seed says: a world, manifests, what goes wrong, and what else is done meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use reachform::sandbox::{Behaviour, Phase};

use crate::matrix::case::FAULTS;
use crate::scene::manifest;
use crate::world::NUMBERS;

/// Keys that a scenario may have.
const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// Numbers that a scenario deals out.
pub const DEALT: usize = 5;

/// The manifests of one commit: what each key says, and which numbers ring there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub agents: BTreeMap<&'static str, Agent>,
}

/// One manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    pub steps: u32,
    pub numbers: Vec<&'static str>,
}

impl Commit {
    fn draw(rng: &mut Rng, keys: usize) -> Self {
        let mut agents: BTreeMap<&'static str, Agent> =
            KEYS[..keys].iter().map(|key| (*key, Agent { steps: rng.u32(1..9), numbers: Vec::new() })).collect();
        for number in &NUMBERS[..DEALT] {
            // One number in six rings nowhere.
            if rng.u32(0..6) > 0 {
                let key = KEYS[rng.usize(0..keys)];
                agents.get_mut(key).unwrap().numbers.push(number);
            }
        }
        Self { agents }
    }

    /// The manifests as text.
    pub fn manifests(&self) -> BTreeMap<String, String> {
        let text = |key: &str, agent: &Agent| {
            manifest(key, &format!("phone_numbers: {{inbound: {:?}}}", agent.numbers))
                .replace("max_tool_steps: 3", &format!("max_tool_steps: {}", agent.steps))
        };
        self.agents.iter().map(|(key, agent)| ((*key).to_owned(), text(key, agent))).collect()
    }

    /// The numbers that ring somewhere.
    pub fn rings(&self, number: &str) -> bool {
        self.agents.values().any(|agent| agent.numbers.contains(&number))
    }
}

/// What a person does in the dashboard, after so many requests of anybody.
#[derive(Clone, Debug)]
pub struct Deed {
    pub after: usize,
    pub agent: &'static str,
    pub kind: DeedKind,
}

#[derive(Clone, Debug)]
pub enum DeedKind {
    /// Publishes a version in which a value differs that no manifest names.
    EditUndeclared(u32),
    /// Publishes a version in which a declared value differs.
    EditDeclared(u32),
    /// Begins a draft.
    Draft,
    /// Keeps a note in the metadata.
    Annotate(u32),
    /// Points a number at the agent.
    Assign(&'static str),
}

/// How one of the two applies may end early.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// By itself.
    Whole,
    /// By `kill -9` around the n-th request of anybody.
    Killed(Phase, usize),
    /// By a signal at the n-th request of anybody.
    Signal(usize),
}

/// One of the two applies.
#[derive(Clone, Debug)]
pub struct Run {
    pub commit: Commit,
    pub begins: Duration,
    pub latency: Duration,
    pub end: End,
}

/// Everything that a seed says.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub world: String,
    pub behaviour: Behaviour,
    /// What was applied before, and what a person did since.
    pub before: Option<Commit>,
    pub deeds_before: Vec<Deed>,
    pub runs: [Run; 2],
    pub faults: Vec<String>,
    pub deeds: Vec<Deed>,
}

impl Scenario {
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        // A service that refuses takeovers cannot move a number; every other world is drawn alike.
        let worlds: Vec<(String, Behaviour)> =
            Behaviour::worlds().into_iter().filter(|(name, _)| !name.contains("takeover=conflict")).collect();
        let (world, behaviour) = worlds[rng.usize(0..worlds.len())].clone();
        let keys = rng.usize(1..=KEYS.len());
        let existing = rng.usize(0..=keys);
        let before = (existing > 0).then(|| Commit::draw(&mut rng, existing));
        let commit = Commit::draw(&mut rng, keys);
        let other = if rng.u32(0..3) == 0 { Commit::draw(&mut rng, keys) } else { commit.clone() };
        let begins = Duration::from_millis(rng.u64(0..4) * rng.u64(0..1_500));
        let mut run = |commit: Commit, begins: Duration| Run {
            commit,
            begins,
            latency: Duration::from_millis(rng.u64(5..200)),
            end: match rng.u32(0..8) {
                0 | 1 => End::Killed(if rng.bool() { Phase::Before } else { Phase::After }, rng.usize(1..90)),
                2 => End::Signal(rng.usize(1..90)),
                _ => End::Whole,
            },
        };
        let runs = [run(commit, Duration::ZERO), run(other, begins)];
        let faults = (0..rng.u32(0..4))
            .map(|_| {
                let kind = FAULTS[rng.usize(0..FAULTS.len())];
                format!("{kind}#{}x{}", rng.u32(1..120), rng.u32(1..3))
            })
            .collect();
        let may_draft = !world.contains("drafts=one");
        let deeds_before = if existing > 0 {
            (0..rng.u32(0..3)).map(|_| deed(&mut rng, existing, may_draft)).collect()
        } else {
            vec![]
        };
        let deeds = (0..rng.u32(0..4)).map(|_| deed(&mut rng, keys, may_draft)).collect();
        Self { world, behaviour, before, deeds_before, runs, faults, deeds }
    }
}

fn deed(rng: &mut Rng, keys: usize, may_draft: bool) -> Deed {
    let kind = match rng.u32(0..5) {
        0 => DeedKind::EditUndeclared(rng.u32(0..100)),
        1 => DeedKind::EditDeclared(rng.u32(10..20)),
        2 if may_draft => DeedKind::Draft,
        3 => DeedKind::Annotate(rng.u32(0..100)),
        _ => DeedKind::Assign(NUMBERS[rng.usize(0..DEALT)]),
    };
    Deed { after: rng.usize(1..120), agent: KEYS[rng.usize(0..keys)], kind }
}
