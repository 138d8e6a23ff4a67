//! The fault matrix: every fault, and a kill before and after, at every request of an apply, in every world that changes
//! writing. Whatever was struck, the same command on a fresh machine finishes the job.
//!
//! By default a slice runs: every third request of the likely world, and one request of each kind in every other world.
//! `REACHFORM_MATRIX=all` runs all of it, `REACHFORM_MATRIX=sixth` a sixth of it, and
//! `REACHFORM_MATRIX='WORLD/DISTURBANCE/REQUEST'`, as a failure prints it, that one again.

mod back;
pub mod case;
mod stage;

use case::{Disturbance, strike};
use stage::{Stage, worlds};

use crate::parallel::{failure, in_parallel};

/// How many failures are told; the first few say what is wrong.
const TOLD: usize = 12;

#[test]
fn whatever_strikes_any_request_of_an_apply_the_next_apply_finishes() {
    let chosen = std::env::var("REACHFORM_MATRIX").unwrap_or_default();
    let stages: Vec<Stage> = in_parallel(worlds(), |(name, behaviour)| Stage::new(&name, behaviour));
    let mut cases = Vec::new();
    for (world, stage) in stages.iter().enumerate() {
        for (kind, disturbance) in Disturbance::all().enumerate() {
            for nth in 1..=stage.requests {
                let name = format!("{}/{disturbance}/{nth}", stage.name);
                let in_slice = match world {
                    0 => nth % 3 == kind % 3,
                    // Each kind at another request than in the world before, so that together they strike everywhere.
                    _ => nth == 1 + (world * 7 + kind * 11) % stage.requests && (world + kind) % 3 == 0,
                };
                // Everything in the likely service; in each other one every sixth case, so that together they strike
                // every request by every kind.
                let in_sixth = chosen == "sixth" && (world == 0 || (nth + kind + world) % 6 == 0);
                if chosen == "all" || in_sixth || chosen == name || (chosen.is_empty() && in_slice) {
                    cases.push((stage, disturbance, nth, name));
                }
            }
        }
    }
    assert!(!cases.is_empty(), "REACHFORM_MATRIX={chosen} names no case");
    let count = cases.len();
    let failures: Vec<String> = in_parallel(cases, |(stage, disturbance, nth, name)| {
        let failed = failure(|| strike(stage, disturbance, nth));
        failed.map(|words| format!("REACHFORM_MATRIX='{name}'\n{words}"))
    })
    .into_iter()
    .flatten()
    .collect();
    println!("{count} cases in {} worlds, {} requests in the likely one", stages.len(), stages[0].requests);
    assert!(
        failures.is_empty(),
        "{} of {count} cases failed:\n{}",
        failures.len(),
        failures.iter().take(TOLD).cloned().collect::<Vec<_>>().join("\n\n")
    );
}
