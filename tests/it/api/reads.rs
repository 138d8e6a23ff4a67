//! Single reads: what is there, what is not, and what is not ours to read.

use reachform::api::{AgentFilter, Reader, Routing};
use reachform::http::{HttpErrorKind, Method, Request, Transport, TransportError};
use reachform::model::PhoneNumber;
use serde_json::{Value, json};

use super::fake::{World, answer, json_answer};

fn reader(world: &World) -> Reader {
    Reader::new(&world.client)
}

#[tokio::test]
async fn a_404_is_nothing_a_403_an_error_and_a_page_neither() {
    let world = World::new(|_, _| json_answer(404, &json!({"detail": "Agent not found."})));
    assert_eq!(reader(&world).agent("ag_1").await, Ok(None));
    assert_eq!(reader(&world).version("ag_1", 3).await, Ok(None));
    assert_eq!(reader(&world).number(&PhoneNumber::from_service("+1 555")).await, Ok(None));
    assert_eq!(reader(&world).routing().await, Ok(Routing::Disabled));
    assert_eq!(
        world.requests(),
        [
            "GET /core/agents/ag_1",
            "GET /core/agents/ag_1/versions/3",
            "GET /core/phone-numbers/%2B1%20555",
            "GET /core/inbound-routing-config"
        ]
    );

    let world = World::new(|_, _| json_answer(403, &json!({"detail": "Missing scope."})));
    assert!(reader(&world).agent("ag_1").await.unwrap_err().is_forbidden());
    assert_eq!(reader(&world).routing().await, Ok(Routing::Unreadable));
    assert_eq!(reader(&world).scopes().await, Ok(None));

    let world = World::new(|_, _| answer(404, &[], "<html><title>No such site</title></html>"));
    let error = reader(&world).agent("ag_1").await.unwrap_err();
    assert_eq!(
        error.one_line(),
        "could not read agent ag_1: `GET /core/agents/ag_1` failed: the service answered 404 (not found): an HTML page \
         (`No such site`): a proxy or a wrong address?"
    );
}

#[tokio::test]
async fn a_wrong_token_is_named_by_where_it_came_from() {
    let world = World::new(|_, _| json_answer(401, &json!({"detail": "Token is missing organization claim."})));
    let error = reader(&world).agent("ag_1").await.unwrap_err();
    assert!(error.is_unauthorized());
    assert!(error.one_line().ends_with("401 (unauthorized): Token is missing organization claim."));
    assert!(error.hints().concat().contains("ANYREACH_TOKEN"));
}

#[tokio::test]
async fn an_answer_about_something_else_is_refused() {
    let world =
        World::new(|_, _| json_answer(200, &json!({"id": "ag_2", "version": 1, "config": {}, "agent_id": "x"})));
    let error = reader(&world).agent("ag_1").await.unwrap_err();
    assert!(error.one_line().ends_with("expected an agent, but found another one (ag_2) at `/id`"));
    let error = reader(&world).version("ag_1", 2).await.unwrap_err();
    assert!(error.one_line().contains("found another one (1) at `/version`"));
    let error = reader(&world).version("ag_1", 1).await.unwrap_err();
    assert!(error.one_line().contains("found another one (x) at `/agent_id`"));
    // Without an id the path would be that of the whole list.
    let before = world.sent();
    assert_eq!(reader(&world).agent("").await, Ok(None));
    assert_eq!(world.sent(), before);
}

#[tokio::test]
async fn a_config_survives_exactly_and_one_that_would_not_is_refused() {
    let config = r#"{"z": 1, "a": 1.0, "n": null, "e": {}, "f": 0.1, "big": 9007199254740993, "t": " x "}"#;
    let body = format!(r#"{{"id": "v", "version": 4, "published": true, "created_by": "ana", "config": {config}}}"#);
    let world = World::new(move |_, _| answer(200, &[], &body));
    let doc = reader(&world).version("ag_1", 4).await.unwrap().unwrap();
    assert_eq!(doc.config.to_string(), config.replace(": ", ":").replace(", ", ","));
    assert_eq!(doc.editor().by.as_deref(), Some("ana"));

    let world =
        World::new(|_, _| answer(200, &[], r#"{"id": "v", "version": 4, "config": {"a": 1234567890123456789012}}"#));
    let error = reader(&world).version("ag_1", 4).await.unwrap_err();
    assert!(error.one_line().contains("the number 1234567890123456789012"), "{}", error.one_line());
}

#[tokio::test]
async fn the_schema_comes_as_the_bytes_that_were_published() {
    let world = World::new(|_, _| answer(200, &[], "{\"b\": 1,\n \"a\": 2}"));
    assert_eq!(reader(&world).schema().await.unwrap(), b"{\"b\": 1,\n \"a\": 2}");
    for body in ["[]", "<html></html>", ""] {
        let world = World::new(move |_, _| answer(200, &[], body));
        assert!(reader(&world).schema().await.is_err(), "{body}");
    }
}

#[tokio::test]
async fn scopes_and_routing_are_read() {
    let world = World::new(|request, _| match request.path.as_str() {
        "/admin/members/me/scopes" => json_answer(200, &json!({"scopes": ["agents:read"]})),
        _ => json_answer(200, &json!({"workflow_definition": {}, "enabled": true})),
    });
    assert_eq!(reader(&world).scopes().await, Ok(Some(vec!["agents:read".to_owned()])));
    assert_eq!(reader(&world).routing().await, Ok(Routing::Enabled));
}

#[tokio::test]
async fn a_comparison_is_read_from_text_and_from_events() {
    for (kind, body) in [
        ("text/plain", "The prompt now greets."),
        ("text/event-stream; charset=utf-8", "data: The prompt\n\ndata:  now greets.\n\n"),
    ] {
        let world = World::new(move |request, _| {
            let sent: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
            assert_eq!(sent, json!({"from_version": 1, "to_version": 2}));
            answer(200, &[("content-type", kind)], body)
        });
        assert_eq!(reader(&world).compare("ag_1", 1, 2).await.unwrap(), "The prompt now greets.");
        assert_eq!(world.requests(), ["POST /core/agents/ag_1/versions/compare"]);
    }
}

#[tokio::test]
async fn filters_and_other_lists_ask_where_the_contract_says() {
    let world = World::new(|_, _| json_answer(200, &json!({"data": [], "pagination": {"next_cursor": null}})));
    let reader = reader(&world);
    let filter = AgentFilter { name: Some("A & B".into()), metadata: Some(json!({"reachform": {"key": "a"}})) };
    assert!(reader.find_agents(&filter).await.coverage.is_proven());
    assert!(reader.list_widgets().await.coverage.is_proven());
    assert!(reader.list_emails().await.coverage.is_proven());
    assert!(reader.list_versions("ag_1").await.coverage.is_proven());
    assert_eq!(
        world.requests(),
        [
            r#"GET /core/agents?name=A & B&metadata={"reachform":{"key":"a"}}&limit=1000"#,
            "GET /core/web-widgets?limit=1000",
            "GET /core/email-addresses?limit=1000",
            "GET /core/agents/ag_1/versions?limit=50",
        ]
    );
}

#[tokio::test]
async fn what_a_reader_hands_out_cannot_write_either() {
    let world = World::new(|_, _| json_answer(200, &json!({})));
    let reader = reader(&world);
    for request in [
        Request::new(Method::Post, "/core/agents"),
        Request::new(Method::Delete, "/core/agents/a"),
        Request::new(Method::Get, "/core/agents/a/versions/latest"),
    ] {
        let error = reader.client().send(&request, reachform::http::Repeat::Always).await.unwrap_err();
        assert!(matches!(*error.kind, HttpErrorKind::Transport(TransportError::NotAllowed(_))), "{error:?}");
        assert_eq!(error.attempts, 1);
    }
    assert_eq!(world.sent(), 0);
    assert!(world.fake.send(&Request::new(Method::Post, "/core/agents")).await.is_ok());
}
