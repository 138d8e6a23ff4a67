//! Round trips, which are what a person waits for: counted in simulated time, against the floor of the pages.

use crate::scene::manifest;
use crate::world::{run, trips_of_a_plan, world_of};

#[test]
fn a_plan_of_unchanged_agents_costs_the_pages_of_the_list_and_reads_no_config() {
    // In pages of ten, sixty agents are six pages, and one more request finds the end that is not stated.
    let world = world_of(60, "limit-max=10");
    // The first plan of a run learns the page's bound from one refusal.
    let trips = trips_of_a_plan(&world);
    let floor = 60.0_f64 / 10.0 + 1.0 + 1.0;
    assert!(trips <= floor * 1.25, "{trips} round trips, and the floor is {floor}");
    let configs = world.sandbox.log().iter().filter(|entry| entry.request.path.contains("/versions/")).count();
    assert_eq!(configs, 0, "the lists settle it");
}

#[test]
fn a_plan_of_one_page_costs_two_round_trips() {
    let world = world_of(12, "limit-max=1000");
    let trips = trips_of_a_plan(&world);
    assert!(trips <= 2.0 * 1.25, "{trips} round trips");
}

#[test]
fn an_apply_of_one_changed_agent_makes_seven_requests_in_turn_between_the_lists() {
    let mut world = world_of(1, "limit-max=1000");
    world.write("a0", manifest("a0", "").replace("steps: 3", "steps: 4"));
    let report = run(async { world.apply().await });
    assert!(report.is_complete());
    let log = world.sandbox.log();
    let writes: Vec<String> =
        log.iter().filter(|entry| entry.request.method.as_str() != "GET").map(|entry| entry.request.name()).collect();
    assert_eq!(writes.len(), 5, "intent, version, config, publish, stamp: {writes:#?}");
    let first = log.iter().position(|entry| entry.request.method.as_str() != "GET").unwrap();
    let last = log.iter().rposition(|entry| entry.request.method.as_str() != "GET").unwrap();
    let reads = log[first..last].iter().filter(|entry| entry.request.method.as_str() == "GET").count();
    assert_eq!(reads, 3, "the read-back with the fence beside it, and a look at what was published");
}
