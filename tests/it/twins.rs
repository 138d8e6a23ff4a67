//! Two first applies of one agent.

use reachform::sandbox::Behaviour;

use crate::scene::manifest;
use crate::world::{World, run};

#[test]
fn a_bare_twin_of_two_first_applies_is_removed_and_no_other_agent_is() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", ""));
        world.converge("create").await;
        let mut stamp = world.metadata("Agent a");
        stamp["reachform"]["agent"] = serde_json::Value::Null;
        let body = serde_json::Map::from_iter([
            ("name".to_owned(), serde_json::json!("Agent a")),
            ("metadata".to_owned(), stamp),
        ]);
        world.outside().writer().create_agent(&body).await.unwrap();
        assert_eq!(world.agents(), 2);
        let plan = world.plan().await;
        assert!(!plan.summary().has_changes());
        assert_eq!(plan.twins.len(), 1);
        let report = world.apply().await;
        assert!(report.notices.iter().any(|notice| notice.code == "twin-removed"));
        assert_eq!(world.agents(), 1);
        world.assert_empty("after the twin").await;
    });
}
