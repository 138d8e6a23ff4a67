//! What an import waits for, and how much of an organization it takes.

use std::time::Duration;

use reachform::http::Clock as _;
use reachform::sandbox::Behaviour;
use serde_json::json;

use super::{agent, hold_the_promise, import_all, with, world};
use crate::world::run;

#[test]
fn forty_agents_of_twenty_kilobytes_take_the_list_pages_and_one_wave_of_config_reads() {
    run(async {
        let prompt = "Answer calls of the clinic, and be brief about it.\n".repeat(400);
        let agents: Vec<_> =
            (0..40).map(|n| agent(&format!("Agent {n}"), with("/agent/instructions", json!(prompt)))).collect();
        let mut world = world(&agents, Behaviour::parse(["limit-max=1000"]).unwrap());
        (world.latency, world.in_flight) = (Duration::from_millis(50), 64);
        world.sandbox.clear_log();
        let began = world.clock.now();
        let written = import_all(&mut world).await;
        let trips = world.clock.now().duration_since(began).as_secs_f64() / 0.05;
        assert_eq!(written.import.agents.len(), 40);
        // A page and what proves its end, and the wave.
        assert!(trips <= 3.0 * 1.25, "{trips} round trips");
        let configs = world.sandbox.log().iter().filter(|entry| entry.request.path.contains("/versions/")).count();
        assert_eq!(configs, 40, "every config is read once");
    });
}

#[test]
fn three_thousand_agents_are_imported_in_one_run() {
    run(async {
        let agents: Vec<_> = (0..3_000).map(|n| agent(&format!("Agent {}", n / 2), super::config())).collect();
        let mut world = world(&agents, Behaviour::parse(["limit-max=1000"]).unwrap());
        let written = import_all(&mut world).await;
        assert_eq!(written.import.agents.len(), 3_000, "{:#?}", written.import.refused.first());
        assert_eq!(written.import.summary.adopt, 3_000);
    });
}

#[test]
fn an_agent_whose_config_cannot_be_read_is_named_and_stops_nothing_else() {
    run(async {
        let mut world = world(&[agent("One", super::config()), agent("Two", super::config())], Behaviour::default());
        let id = world.id("Two");
        world.fault(&format!("500-before:GET /core/agents/{id}/versions/1#1+"));
        let written = import_all(&mut world).await;
        assert_eq!(written.import.refused[0].name, "Two");
        world.sandbox.clear_faults();
        hold_the_promise(&mut world, &written, "one of two").await;
    });
}
