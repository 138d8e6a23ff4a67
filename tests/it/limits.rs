//! What counts towards the share of live agents that a plan may change.

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
