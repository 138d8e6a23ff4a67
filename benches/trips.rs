//! The round trips of a plan of 1,000 unchanged agents at 50 ms a request, against the floor of the pages, and those of an
//! apply of 100 changed and 100 new agents, against what their requests take with 16 in flight.
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

/// How many of them are applied, and with how many requests in flight.
const APPLIED: usize = 100;
const IN_FLIGHT: usize = 16;

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
    for what in ["changed", "new"] {
        let mut world = if what == "changed" { world::world_of(APPLIED, "") } else { world::in_service("") };
        let text = |key: &str| scene::manifest(key, "").replace("steps: 3", "steps: 4");
        for key in (0..APPLIED).map(|n| format!("a{n}")) {
            world.write(&key, text(&key));
        }
        let world::Cost { trips, requests, for_an_agent } = world::cost_of_an_apply(&mut world, APPLIED, IN_FLIGHT);
        let floor = requests.div_ceil(IN_FLIGHT);
        let ratio = trips / f64::from(u32::try_from(floor).unwrap());
        println!(
            "{APPLIED} {what} agents: {trips:.1} round trips, {requests} requests, {for_an_agent} of them for each agent, \
             floor {floor}, ratio {ratio:.2}"
        );
    }
}
