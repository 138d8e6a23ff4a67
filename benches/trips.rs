//! The round trips of a plan of 1,000 unchanged agents at 50 ms a request, against the floor of the pages.
//!
//! Time is simulated, so the figure is of round trips and of no machine. The floor is design 11: a page in turn after the
//! other, one more request where the end is not stated; everything else stands beside them.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints what it found"
)]

#[path = "../tests/it/scene.rs"]
mod scene;
#[path = "../tests/it/world.rs"]
mod world;

/// How many agents an organization has here.
const AGENTS: usize = 1000;

fn main() {
    for (switch, page) in [("limit-max=1000", 1000), ("limit-max=250", 250), ("limit-max=100", 100)] {
        let world = world::world_of(AGENTS, switch);
        let trips = world::trips_of_a_plan(&world);
        // The bound of a page is learned from one refusal, except where the first page is within it.
        let learning = usize::from(page < 1000);
        let floor = AGENTS.div_ceil(page) + 1 + learning;
        let configs = world.sandbox.log().iter().filter(|entry| entry.request.path.contains("/versions/")).count();
        let floor = f64::from(u32::try_from(floor).unwrap());
        println!(
            "{AGENTS} agents in pages of {page}: {trips:.1} round trips, floor {floor}, ratio {:.2}, configs read {configs}",
            trips / floor
        );
    }
}
