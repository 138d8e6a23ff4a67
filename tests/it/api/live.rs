//! Everything that a plan looks at, and how complete it was.

use std::collections::BTreeSet;

use reachform::api::Reader;
use reachform::http::Request;
use reachform::live::{ConfigFailure, Unlisted, ask_singly, read_configs, read_lists};
use reachform::model::{Coverage, PhoneNumber};
use serde_json::{Value, json};

use super::fake::{Reply, World, answer, json_answer};

fn agent(id: &str, versions: &Value) -> Value {
    json!({"id": id, "name": format!("Agent {id}"), "metadata": {"team": "x"}, "versions": versions,
        "created_at": "2026-01-01T00:00:00Z",
        "phone_numbers": [{"phone_number": "+15550000001", "agent_version_id": format!("{id}-v2"), "direction": "inbound"},
            {"phone_number": "+15550000002", "agent_version_id": format!("{id}-v2"), "direction": null}]})
}

fn versions(id: &str) -> Value {
    json!([{"id": format!("{id}-v2"), "version": 2, "published": true}, {"id": format!("{id}-v1"), "version": 1, "published": true}])
}

fn list(items: &Value) -> Reply {
    json_answer(200, &json!({"data": items, "pagination": {"next_cursor": null}}))
}

/// A service in which everything goes well.
fn well(request: &Request) -> Reply {
    match request.path.as_str() {
        "/core/agents" => list(&json!([agent("a", &versions("a")), agent("b", &json!([]))])),
        "/core/phone-numbers" => list(&json!([
            {"phone_number": "+15550000001", "organization_id": "org_1", "inbound_agent_version_id": "a-v2"},
            {"phone_number": "+15550000009", "organization_id": "org_1", "outbound_agent_version_id": "elsewhere"},
        ])),
        "/core/agent-config-schema" => json_answer(200, &json!({"type": "object"})),
        "/core/inbound-routing-config" => json_answer(404, &json!({"detail": "None."})),
        "/admin/members/me/scopes" => json_answer(200, &json!(["agents:read"])),
        path => panic!("nobody should ask for {path}"),
    }
}

#[tokio::test]
async fn the_lists_settle_what_is_live() {
    let world = World::new(|request, _| well(request));
    let reading = read_lists(&Reader::new(&world.client)).await;
    assert_eq!(reading.errors, []);
    let state = &reading.state;
    assert_eq!(state.notices, [""; 0]);
    assert_eq!((&state.agent_coverage, &state.number_coverage), (&Coverage::Proven, &Coverage::Proven));
    assert_eq!(state.agents["a"].live_version().unwrap().version, 2);
    assert!(state.agents["b"].live_version().is_none());
    assert_eq!(state.owner_of("a-v2").map(|(agent, version)| (agent.id.as_str(), version)), Some(("a", 2)));
    assert_eq!(state.numbers.len(), 2);
    assert_eq!(state.organization.as_deref(), Some("org_1"));
    assert_eq!(state.routing_enabled, Some(false));
    assert_eq!(reading.schema.as_deref(), Some(&br#"{"type":"object"}"#[..]));
    assert_eq!(reading.scopes, Some(vec!["agents:read".to_owned()]));
    assert_eq!(world.sent(), 5);
}

#[tokio::test]
async fn agents_read_is_enough_to_plan() {
    let world = World::new(|request, _| match request.path.as_str() {
        "/core/agents" | "/core/agent-config-schema" => well(request),
        _ => json_answer(403, &json!({"detail": "Missing scope."})),
    });
    let reading = read_lists(&Reader::new(&world.client)).await;
    assert_eq!(reading.errors, []);
    let state = reading.state;
    assert!(matches!(state.number_coverage, Coverage::Forbidden(_)));
    let number = |text: &str| &state.numbers[&PhoneNumber::from_service(text)];
    assert_eq!((number("+15550000001").inbound.as_deref(), &number("+15550000001").outbound), (Some("a-v2"), &None));
    assert_eq!(number("+15550000002").inbound.as_deref(), Some("a-v2"));
    assert_eq!((state.routing_enabled, reading.scopes), (None, None));
    let notices = state.notices.join("\n");
    assert!(notices.contains("may not list phone numbers") && notices.contains("no direction for +15550000002"));
    assert!(notices.contains("inbound routing config"), "{notices}");
}

#[tokio::test]
async fn agents_whose_versions_a_list_does_not_carry_are_asked_one_by_one() {
    let world = World::new(|request, _| match request.path.as_str() {
        "/core/agents" => {
            let ids = (0..40).map(|index| json!({"id": format!("a{index}"), "name": "A"})).collect::<Vec<_>>();
            list(&json!(ids))
        }
        // This one's own record does not tell either, and this one was deleted meanwhile.
        "/core/agents/a7" => json_answer(200, &json!({"id": "a7", "name": "A"})),
        "/core/agents/a8" => json_answer(404, &json!({"detail": "Gone."})),
        "/core/agents/a7/versions" => list(&versions("a7")),
        path => match path.strip_prefix("/core/agents/") {
            Some(id) => json_answer(200, &agent(id, &versions(id))),
            None => well(request),
        },
    });
    let reading = read_lists(&Reader::new(&world.client)).await;
    assert_eq!((reading.errors, &reading.state.agent_coverage), (vec![], &Coverage::Proven));
    assert_eq!(reading.state.agents.len(), 39);
    assert!(reading.state.agents.values().all(|agent| agent.live_version().is_some_and(|head| head.version == 2)));
}

#[tokio::test]
async fn an_agent_whose_versions_cannot_be_read_does_not_pass_for_a_bare_one() {
    let world = World::new(|request, _| match request.path.as_str() {
        "/core/agents" => list(&json!([{"id": "a", "name": "A"}, {"id": "b", "versions": [], "metadata": null}])),
        "/core/agents/a" => answer(500, &[], ""),
        _ => well(request),
    });
    let reading = read_lists(&Reader::new(&world.client)).await;
    assert!(matches!(&reading.state.agent_coverage, Coverage::Incomplete(why) if why.contains("read agent a")));
    assert_eq!(reading.state.agents.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(reading.errors.len(), 1);
}

#[tokio::test]
async fn what_is_needed_and_fails_is_an_error_and_what_is_optional_a_notice() {
    let world = World::new(|_, _| answer(500, &[], ""));
    let reading = read_lists(&Reader::new(&world.client)).await;
    let mut failed: Vec<&str> = reading.errors.iter().map(reachform::api::ApiError::request).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["GET /core/agent-config-schema", "GET /core/agents", "GET /core/phone-numbers"]);
    assert_eq!(reading.state.notices.len(), 2);
    assert_eq!(reading.schema, None);
}

#[tokio::test]
async fn configs_come_in_one_wave_and_failures_are_named() {
    let world = World::new(|request, _| match request.path.as_str() {
        "/core/agents/a/versions/2" => json_answer(
            200,
            &json!({"id": "a-v2", "version": 2, "agent_id": "a", "organization_id": "org_9", "config": {"x": 1},
                "created_by": "ana", "modified_by": "ben", "created_at": "2026-01-02T00:00:00Z"}),
        ),
        "/core/agents/a/versions/1" => json_answer(404, &json!({"detail": "Gone."})),
        "/core/agents/b/versions/1" => json_answer(403, &json!({"detail": "No."})),
        "/core/phone-numbers" => list(&json!([])),
        _ => well(request),
    });
    let reader = Reader::new(&world.client);
    let mut state = read_lists(&reader).await.state;
    assert_eq!(state.organization, None);
    let wanted = [("b", 1), ("a", 2), ("a", 1), ("a", 2)].map(|(id, version)| (id.to_owned(), version));
    let failures = read_configs(&reader, &mut state, &wanted).await;
    let config = state.agents["a"].live_config().unwrap();
    assert_eq!(config.config, json!({"x": 1}));
    assert_eq!((config.editor.by.as_deref(), config.editor.version), (Some("ben"), Some(2)));
    assert_eq!(state.organization.as_deref(), Some("org_9"));
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0], ConfigFailure::Missing { agent_id: "a".into(), version: 1 });
    assert!(failures[1].error().unwrap().is_forbidden());
    assert_eq!(failures[1].agent_id(), "b");
}

#[tokio::test]
async fn what_an_unproven_list_did_not_show_is_asked_for_by_itself() {
    let world =
        World::new(|request, _| match (request.path.as_str(), request.query("name"), request.query("metadata")) {
            ("/core/agents", Some("Agent c"), None) => {
                list(&json!([agent("c", &versions("c")), {"id": "d", "name": "Agent c"}]))
            }
            ("/core/agents", None, Some(_)) => list(&json!([agent("a", &json!([])), agent("e", &versions("e"))])),
            ("/core/agents/d", ..) => json_answer(200, &agent("d", &versions("d"))),
            ("/core/agents/f", ..) => json_answer(200, &agent("f", &json!([]))),
            ("/core/phone-numbers/%2B15550000005", ..) => json_answer(200, &json!({"phone_number": "+15550000005"})),
            ("/core/agents/g" | "/core/phone-numbers/%2B15550000006", ..) => {
                json_answer(404, &json!({"detail": "No."}))
            }
            ("/core/phone-numbers/%2B15550000007", ..) => json_answer(403, &json!({"detail": "No."})),
            _ => well(request),
        });
    let reader = Reader::new(&world.client);
    let mut state = read_lists(&reader).await.state;
    let known = state.agents["a"].clone();
    let number = |last: u8| PhoneNumber::from_service(format!("+1555000000{last}"));
    let unlisted = Unlisted {
        agent_ids: BTreeSet::from(["f".to_owned(), "g".to_owned()]),
        agent_names: BTreeSet::from(["Agent c".to_owned()]),
        stamps: vec![json!({"reachform": {"key": "e"}})],
        numbers: BTreeSet::from([number(1), number(5), number(6), number(7)]),
    };
    let errors = ask_singly(&reader, &mut state, &unlisted).await;
    assert_eq!(state.agents.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(state.agents["a"], known, "what the list showed stays as it was");
    assert!(state.numbers.contains_key(&number(5)) && !state.numbers.contains_key(&number(6)));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].request(), "GET /core/phone-numbers/%2B15550000007");
}
