//! What counts towards the share of live agents that a plan may change.

use reachform::plan::{LimitKind, Limits, LimitsBefore, RaisedLimit};
use serde_json::json;

use crate::scene::{Scene, manifest};

/// Five agents in place.
fn five() -> Scene {
    let mut scene = Scene::new();
    for key in ["a", "b", "c", "d", "e"] {
        scene.write(key, manifest(key, ""));
    }
    scene.apply();
    scene
}

#[test]
fn agents_that_are_new_or_only_adopted_count_for_nothing() {
    let mut scene = five();
    let config = scene.config_of("a");
    for number in 0..6 {
        let key = format!("found-{number}");
        scene.unmanaged(&format!("x{number}"), &format!("Agent {key}"), Some(config.clone()));
        scene.write(&key, manifest(&key, ""));
        let key = format!("new-{number}");
        scene.write(&key, manifest(&key, ""));
    }
    let plan = scene.plan();
    assert_eq!((plan.summary().create, plan.summary().adopt), (6, 6));
    assert!(plan.breaches.is_empty(), "{:?}", plan.breaches);
}

#[test]
fn agents_whose_live_config_is_changed_count_also_where_nobody_declared_it_before() {
    let mut scene = five();
    let mut config = scene.config_of("a");
    config["agent"]["max_tool_steps"] = json!(9);
    for number in 0..6 {
        let key = format!("found-{number}");
        scene.unmanaged(&format!("x{number}"), &format!("Agent {key}"), Some(config.clone()));
        scene.write(&key, manifest(&key, ""));
    }
    let plan = scene.plan();
    assert_eq!(plan.summary().update, 6);
    assert_eq!(plan.breaches[0].message, "the plan changes 6 of 11 live agents (54%), and the limit is 50%");
}

#[test]
fn a_limit_that_the_change_itself_raises_is_told_where_the_plan_needs_it() {
    let mut scene = five();
    for key in ["a", "b", "c"] {
        scene.write(key, manifest(key, "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    }
    let limits = |delete, change_percent| Limits { delete, change_percent };
    let percent = |from, to| Some(RaisedLimit { limit: LimitKind::ChangePercent, from, to });
    for (before, now, told) in [
        (LimitsBefore::Known(limits(0, 50)), limits(0, 100), percent(Some(50), 100)),
        (LimitsBefore::Known(limits(0, 59)), limits(0, 60), percent(Some(59), 60)),
        // Three of five are 60%, which the base allowed already.
        (LimitsBefore::Known(limits(0, 60)), limits(0, 100), None),
        // Raised, but not by as much as the plan needs: the limit itself says so.
        (LimitsBefore::Known(limits(0, 20)), limits(0, 50), percent(Some(20), 50)),
        (LimitsBefore::Known(limits(0, 50)), limits(0, 50), None),
        (LimitsBefore::Known(limits(0, 50)), limits(0, 20), None),
        (LimitsBefore::Known(limits(0, 50)), limits(9, 50), None),
        (LimitsBefore::NotAsked, limits(0, 100), None),
        (LimitsBefore::Assumed(limits(0, 50)), limits(0, 100), percent(None, 100)),
        (LimitsBefore::Assumed(limits(0, 50)), limits(0, 50), None),
    ] {
        (scene.options.limits, scene.options.limits_before) = (now, before);
        assert_eq!(scene.plan().raised, told.into_iter().collect::<Vec<_>>(), "{before:?} {now:?}");
    }
    let told = percent(Some(50), 100).unwrap().describe();
    assert_eq!(told, "`limits.change_percent` is raised from 50 to 100 in this change, and this plan needs it");
    for key in ["a", "b", "c"] {
        scene.files.remove(&format!("agents/{key}.yaml"));
    }
    scene.options.prune = true;
    scene.options.limits = limits(3, 50);
    scene.options.limits_before = LimitsBefore::Known(limits(2, 50));
    assert_eq!(scene.plan().raised, [RaisedLimit { limit: LimitKind::Delete, from: Some(2), to: 3 }]);
}

fn inbound(numbers: &[&str]) -> String {
    format!("phone_numbers: {{inbound: {numbers:?}}}")
}

#[test]
fn agents_that_lose_an_inbound_number_to_another_one_count_although_nothing_of_their_own_is_written() {
    let keys = ["a", "b", "c", "d", "e"];
    let number = |index: usize| format!("+1555010000{index}");
    for (taken, direction, breach) in [(2, "inbound", false), (3, "inbound", true), (3, "outbound", false)] {
        let mut scene = Scene::new();
        let of = |numbers: &[String]| format!("phone_numbers: {{{direction}: {numbers:?}}}");
        for (index, key) in keys.iter().enumerate() {
            scene.write(key, manifest(key, &of(&[number(index)])));
        }
        scene.apply();
        for key in &keys[..taken] {
            scene.write(key, manifest(key, &of(&[])));
        }
        let numbers: Vec<String> = (0..taken).map(number).collect();
        scene.write("new", manifest("new", &of(&numbers)));
        let plan = scene.plan();
        assert_eq!((plan.summary().create, plan.summary().update), (1, 0), "{taken} {direction}: {:#?}", plan.changes);
        let told: Vec<&str> = plan.breaches.iter().map(|breach| breach.message.as_str()).collect();
        let expected = "the plan changes 3 of 5 live agents (60%), and the limit is 50%";
        assert_eq!(told, if breach { vec![expected] } else { vec![] }, "{taken} {direction}");
    }
}

#[test]
fn an_agent_counts_once_and_one_that_is_not_ours_never() {
    let mut scene = five();
    // Two are changed, one of which loses its number as well; a third number comes from a stranger.
    for (key, number) in [("a", "+15550100000"), ("b", "+15550100001")] {
        scene.write(key, manifest(key, &inbound(&[number])));
    }
    scene.apply();
    scene.unmanaged("x", "Someone", Some(scene.config_of("a")));
    scene.point("+15550100002", reachform::model::Direction::Inbound, Some("x-v1".to_owned()));
    for key in ["a", "c"] {
        scene.write(key, manifest(key, "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
    }
    scene.write("new", manifest("new", &inbound(&["+15550100000", "+15550100002"])));
    let plan = scene.plan();
    assert_eq!((plan.summary().create, plan.summary().update), (1, 2), "{:#?}", plan.changes);
    assert!(plan.breaches.is_empty(), "2 of 5: {:?}", plan.breaches);
}
