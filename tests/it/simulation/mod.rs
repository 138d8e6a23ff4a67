//! Deterministic simulation: a seed draws a world, manifests, faults, a person in the dashboard, and two applies at once
//! with a kill or a signal among them; whatever it drew, the invariants hold in the end.
//!
//! `REACHFORM_SEEDS=1000000` plays that many, `REACHFORM_SEEDS=5000..6000` those; `REACHFORM_SEED=N`, as a failure prints
//! it, plays one again and tells its story.

mod draw;
mod play;

use draw::Scenario;
use play::play;

use crate::parallel::{failure, in_parallel};

/// How many seeds are played where nothing else is asked for.
const SEEDS: u64 = 200;

/// How many failures are told.
const TOLD: usize = 6;

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("REACHFORM_SEEDS").unwrap_or_default();
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("REACHFORM_SEEDS={asked} is no number or range"));
    match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None if asked.is_empty() => 0..SEEDS,
        None => 0..number(&asked),
    }
}

#[test]
fn two_applies_at_once_end_in_order_whatever_a_seed_draws() {
    if let Ok(seed) = std::env::var("REACHFORM_SEED") {
        let scenario = Scenario::draw(seed.parse().unwrap());
        println!("{scenario:#?}");
        println!("{}", play(&scenario));
        return;
    }
    let seeds = seeds();
    let count = seeds.end - seeds.start;
    let failures: Vec<String> = in_parallel(seeds.collect(), |seed| {
        let failed = failure(|| drop(play(&Scenario::draw(seed))));
        failed.map(|words| format!("REACHFORM_SEED={seed}\n{words}"))
    })
    .into_iter()
    .flatten()
    .collect();
    println!("{count} seeds");
    let told = failures.iter().take(TOLD).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(failures.is_empty(), "{} of {count} seeds failed:\n{told}", failures.len());
}

#[test]
fn a_seed_plays_the_same_story_every_time() {
    for seed in 0..12 {
        let scenario = Scenario::draw(seed);
        let story = |_| failure_or_story(&scenario);
        assert_eq!(story(1), story(2), "seed {seed}");
    }
}

fn failure_or_story(scenario: &Scenario) -> String {
    let mut story = String::new();
    let failed = failure(|| story = play(scenario));
    failed.unwrap_or(story)
}
