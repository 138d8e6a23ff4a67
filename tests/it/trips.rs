//! Round trips, which are what a person waits for: counted in simulated time, against the floor of the pages.

use crate::scene::manifest;
use crate::world::{Cost, cost_of_an_apply, in_service, run, trips_of_a_plan, world_of};

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
    assert_eq!(reads, 4, "the read-back with the fence beside it, and likewise a look at what was published");
}

#[test]
fn an_apply_of_a_hundred_changed_agents_takes_little_longer_than_its_requests_with_sixteen_in_flight() {
    let mut world = world_of(100, "");
    for n in 0..100 {
        let key = format!("a{n}");
        world.write(&key, manifest(&key, "").replace("steps: 3", "steps: 4"));
    }
    // The config that is planned on; then intent, version, config, the read-back and the fence, publish, the agent and its
    // new version, and the stamp.
    let Cost { trips, requests, for_an_agent } = cost_of_an_apply(&mut world, 100, 16);
    assert_eq!((trips, requests, for_an_agent), (70.0, 1024, 10.0));
    // With six requests for each agent, the configs before and after and the lists, nothing could take less than 58.
    assert!(trips <= 58.0 * 1.25, "{trips}");
}

#[test]
fn an_apply_of_a_hundred_new_agents_takes_little_longer_than_its_requests_with_sixteen_in_flight() {
    let mut world = in_service("");
    for n in 0..100 {
        let key = format!("a{n}");
        world.write(&key, manifest(&key, ""));
    }
    // The agent and, by its name, whether another run made it as well; then the lease, the version with its config, the
    // read-back and the fence, publish, the agent and its version, and the stamp.
    let Cost { trips, requests, for_an_agent } = cost_of_an_apply(&mut world, 100, 16);
    assert_eq!((trips, requests, for_an_agent), (88.0, 1320, 9.0));
    assert!(trips <= 1320.0 / 16.0 * 1.25, "{trips}");
}

#[test]
fn what_is_allowed_in_flight_bounds_the_requests_and_decides_how_long_an_apply_takes() {
    let before = [1, 4, 16, 64].map(|in_flight| {
        let mut world = world_of(20, "");
        for n in 0..20 {
            let key = format!("a{n}");
            world.write(&key, manifest(&key, "").replace("steps: 3", "steps: 4"));
        }
        let cost = cost_of_an_apply(&mut world, 20, in_flight);
        let requests = f64::from(u32::try_from(cost.requests).unwrap());
        let most = f64::from(u32::try_from(in_flight).unwrap());
        assert!(cost.trips * most >= requests, "{in_flight}: more were in flight: {cost:?}");
        cost.trips
    });
    assert!(before.windows(2).all(|pair| pair[0] > pair[1]), "{before:?}");
}
