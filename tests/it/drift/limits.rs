//! The fingerprint, and the budget of the issue's body.

use std::time::Duration;

use reachform::http::Clock as _;
use reachform::render::markdown::{COMMENT_BYTES, CommentContext, drift_body};
use serde_json::json;

use super::{applied, edit};
use crate::world::run;

#[test]
fn the_same_drift_has_the_same_fingerprint_the_next_day_and_another_drift_another() {
    run(async {
        let world = applied(&["a", "b"]).await;
        let clean = world.drift().await.fingerprint;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        let first = world.drift().await;
        assert_ne!(first.fingerprint, clean);
        world.clock.sleep(Duration::from_secs(86_400)).await;
        // A new version in which nothing of ours is any other is no news.
        edit(&world, "Agent a", "/scorecard_ids", json!(["s1"]));
        let second = world.drift().await;
        assert_ne!(second.checked_at, first.checked_at);
        assert_eq!(second.fingerprint, first.fingerprint);
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(8));
        let other = world.drift().await.fingerprint;
        assert_ne!(other, first.fingerprint);
        edit(&world, "Agent b", "/agent/max_tool_steps", json!(8));
        let both = world.drift().await.fingerprint;
        assert_ne!(both, other);
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(3));
        edit(&world, "Agent b", "/agent/max_tool_steps", json!(3));
        assert_eq!(world.drift().await.fingerprint, clean);
    });
}

#[test]
fn the_body_keeps_its_budget_and_its_ways_out_whatever_has_drifted() {
    let keys: Vec<String> = (0..40).map(|n| format!("agent-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    run(async {
        let world = applied(&keys).await;
        for key in &keys {
            // Hostile and long, and another one on each agent.
            let text = format!("{key} ```` </details> <!-- @org/team 💥 {}", "Wörter über Wörter. ".repeat(400));
            edit(&world, &format!("Agent {key}"), "/agent/instructions", json!(text));
        }
        let drift = world.drift().await;
        assert_eq!(drift.summary().drifted, 40);
        for budget in [COMMENT_BYTES, 20_000, 4_000] {
            let context = CommentContext { max_bytes: budget, ..CommentContext::default() };
            let body = drift_body(&drift, &context);
            assert!(body.text.len() <= budget, "{budget}: {}", body.text.len());
            assert!(body.truncated, "{budget}");
            for words in ["reachform apply --env prod", "reachform drift --adopt", "ignore:", " shown in full here."] {
                assert!(body.text.contains(words), "{budget}: {words}");
            }
            assert_eq!(body.text.matches("<details").count(), body.text.matches("</details>").count());
        }
    });
}
