//! Round trips, which are what a person waits for: counted in simulated time, against the floor of the pages.

use reachform::http::{Clock as _, Method, Repeat, Request};
use reachform::model::Coverage;
use reachform::sandbox::Behaviour;

use crate::scene::manifest;
use crate::world::{Cost, LATENCY, World, cost_of_an_apply, in_service, run, trips_of_a_plan, world_of};

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
fn each_page_of_a_plan_costs_one_request() {
    // A page that begins with the last item of the one before brings nineteen new ones of twenty; one request learns the
    // bound, and what lies behind the last page is asked for beside it. The numbers cost three requests more, and the
    // schema and what is known of the organization the rest.
    let world = world_of(60, "limit-max=20");
    trips_of_a_plan(&world);
    let lists = world.sandbox.log().iter().filter(|entry| entry.request.path == "/core/agents").count();
    assert_eq!(lists, 1 + 4 + 2);
}

#[test]
fn every_service_whose_lists_lead_back_to_their_items_is_read_whole_and_without_a_note() {
    for (name, behaviour) in Behaviour::worlds() {
        // Their cursors lead nowhere, or as many of their items share a moment as a page holds.
        let unreadable = name.contains("cursor=ignored")
            || name.contains("limit-max=3 ties=some")
            || (name.contains("ties=all") && !name.contains("cursor=header"));
        let world = World::new(behaviour);
        let listing = run(async {
            let outside = world.outside();
            for key in (0..8).map(|n| format!("a{n}")) {
                let mut create = Request::new(Method::Post, "/core/agents");
                create.body = Some(format!(r#"{{"name": "{key}"}}"#).into_bytes());
                outside.client.send(&create, Repeat::OnlyIfUnsent).await.unwrap();
                // People do not make agents within a millisecond of each other.
                world.clock.sleep(LATENCY).await;
            }
            outside.reader().list_agents().await
        });
        assert_eq!(listing.coverage == Coverage::Proven, !unreadable, "{name}: {:?}", listing.coverage);
    }
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
    // An agent that waits its turn for longer than its metadata is believed is read once more. The config that is planned on; then intent, version, config, the read-back and the fence, publish, the agent and its
    // new version, and the stamp.
    let Cost { trips, requests, for_an_agent } = cost_of_an_apply(&mut world, 100, 16);
    assert_eq!((trips, requests, for_an_agent), (72.0, 1049, 10.25));
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
    assert_eq!((trips, requests, for_an_agent), (81.0, 1220, 9.0));
    // With seven requests for each agent nothing could take less than 77.
    assert!(trips <= 77.0 * 1.25, "{trips}");
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
