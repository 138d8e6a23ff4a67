//! Drift after an apply that died: before it published, what was applied is what counts; after it, what it intended. And
//! slots of a direction that Git has only begun to manage.

use std::time::Duration;

use reachform::http::Clock as _;
use reachform::plan::Shown;
use reachform::plan::drift::DriftState;
use reachform::sandbox::{Direction, Phase};
use serde_json::{Map, Value, json};

use super::{applied, edit, paths};
use crate::scene::manifest;
use crate::world::{World, changed, in_service, run};

const PUBLISH: &str = ":POST /core/agents/*/publish#1";
const STEPS: &str = "/config/agent/max_tool_steps";

/// A dead apply holds its lease for a while, and until then nothing is said of its agent.
async fn wait_for_the_lease(world: &World) {
    assert_eq!(world.drift().await.state(), DriftState::NotChecked);
    world.clock.sleep(Duration::from_secs(121)).await;
}

fn config_reads(world: &World) -> usize {
    world.sandbox.log().iter().filter(|entry| entry.request.path.contains("/versions/")).count()
}

#[test]
fn an_apply_that_died_is_no_drift_and_is_told() {
    for (phase, reads) in [(Phase::Before, false), (Phase::After, true)] {
        let mut world = changed("");
        run(async {
            world.die(phase, PUBLISH).await;
            wait_for_the_lease(&world).await;
            world.sandbox.clear_log();
            let drift = world.assert_clean("after a dead apply").await;
            let codes: Vec<&str> = drift.notices.iter().map(|notice| notice.code).collect();
            assert_eq!(codes, ["apply-unfinished"], "{phase:?}");
            // Before it published, the lists say that the applied version is live, and nothing need be read.
            assert_eq!(config_reads(&world) > 0, reads, "{phase:?}");
        });
    }
}

#[test]
fn an_edit_after_a_dead_apply_that_published_is_a_conflict_with_what_was_merged() {
    let mut world = changed("");
    run(async {
        world.die(Phase::After, PUBLISH).await;
        wait_for_the_lease(&world).await;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        let drift = world.drift().await;
        assert_eq!(paths(&drift), [STEPS]);
        let field = &drift.agents[0].fields[0];
        assert_eq!(field.applied, Some(Shown::Value(json!(3))), "{field:#?}");
        assert_eq!(field.editor.as_ref().and_then(|editor| editor.version), Some(3), "{field:#?}");
        assert!(field.conflict, "the live version is a person's, so nothing says that what Git has now ever was live");
    });
}

#[test]
fn the_oldest_version_that_has_the_live_value_is_named_as_the_one_that_brought_it() {
    run(async {
        let world = applied(&["a"]).await;
        for steps in [9, 8, 9, 9] {
            edit(&world, "Agent a", "/agent/max_tool_steps", json!(steps));
        }
        let drift = world.drift().await;
        let editor = drift.agents[0].fields[0].editor.clone().unwrap();
        assert_eq!(
            editor.version,
            Some(4),
            "versions 4 and 5 have it, version 3 does not, and version 2 was another time"
        );
    });
}

#[test]
fn numbers_that_stood_in_a_direction_before_git_managed_it_have_not_arrived() {
    for (declared, arrived) in [("[\"+15550100001\"]", vec![]), ("[]", vec!["+15550100005"])] {
        run(async {
            let mut world = in_service("");
            // The other direction is managed already, and says nothing of this one.
            let outbound = "outbound: [\"+15550100007\"]";
            world.write("a", manifest("a", &format!("phone_numbers: {{{outbound}}}")));
            world.apply().await;
            let id = world.id("Agent a");
            world.sandbox.with(|service| {
                service.dashboard_assign("+15550100005", Direction::Inbound, Some(&id)).unwrap();
            });
            world.write("a", manifest("a", &format!("phone_numbers: {{inbound: {declared}, {outbound}}}")));
            let drift = world.drift().await;
            let found: Vec<String> =
                drift.agents.iter().flat_map(|agent| &agent.slots).map(|slot| slot.number.to_string()).collect();
            assert_eq!(found, arrived, "{declared}: {:#?}", drift.agents);
        });
    }
}

#[test]
fn an_absent_description_and_null_are_one_and_an_empty_object_is_in_place_where_there_is_an_object() {
    let set = |world: &World, field: &str, value: Value| {
        let id = world.id("Agent a");
        let fields = Map::from_iter([(field.to_owned(), value)]);
        world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
    };
    run(async {
        let mut world = in_service("");
        world.write("a", manifest("a", "description: null\nmetadata: {crm: {}, team: x}"));
        world.apply().await;
        world.assert_clean("null").await;
        world.annotate("Agent a", "crm", json!({"id": 7}));
        world.assert_clean("others fill an empty object").await;
        world.annotate("Agent a", "crm", json!("text"));
        assert_eq!(paths(&world.drift().await), ["/metadata/crm"]);
        world.annotate("Agent a", "crm", json!({}));
        set(&world, "description", json!("Theirs."));
        let drift = world.drift().await;
        assert_eq!(paths(&drift), ["/description"]);
        assert_eq!(drift.agents[0].fields[0].live, Shown::Value(json!("Theirs.")));
        // Git takes over what is live: then it is in Git, and no drift.
        world.write("a", manifest("a", "description: Theirs.\nmetadata: {crm: {}, team: x}"));
        world.assert_clean("in Git by now").await;
        // Git changed it as well, and otherwise: a conflict, of which the applied value is not known.
        world.write("a", manifest("a", "description: Ours.\nmetadata: {crm: {}, team: x}"));
        let drift = world.drift().await;
        let field = &drift.agents[0].fields[0];
        assert_eq!((field.conflict, field.applied.clone()), (true, None), "{field:#?}");
        // No longer declared, and gone on the service too: nothing is left to differ.
        world.write("a", manifest("a", "metadata: {crm: {}, team: x}"));
        set(&world, "description", Value::Null);
        world.assert_clean("gone on both sides").await;
    });
}

#[test]
fn what_an_apply_of_ours_has_left_to_do_is_no_drift_wherever_it_died() {
    let number = "+15550100001";
    let mut origin = in_service("");
    origin.write("a", manifest("a", &format!("phone_numbers: {{inbound: [\"{number}\"]}}")));
    run(async { origin.apply().await });
    let more = format!("description: New.\nphone_numbers: {{inbound: [\"{number}\", \"+15550100002\"]}}");
    origin.write("a", manifest("a", &more).replace("max_tool_steps: 3", "max_tool_steps: 4"));
    origin.sandbox.clear_log();
    let mut whole = origin.fork();
    run(async { whole.apply().await });
    let requests = whole.sandbox.log().len();
    let mut left_to_do = 0;
    for request in 1..=requests {
        let mut world = origin.fork();
        let drift = run(async {
            world.die(Phase::After, &format!("#{request}")).await;
            world.clock.sleep(Duration::from_secs(121)).await;
            world.drift().await
        });
        assert!(drift.agents.is_empty(), "#{request}: {:#?}", drift.agents);
        left_to_do += usize::from(drift.unchecked.iter().any(|open| open.causes[0] == "an apply was not finished"));
    }
    assert!(left_to_do > 0, "no kill left anything to do");
}
