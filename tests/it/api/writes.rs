//! What is written, word by word, and what becomes of a write whose reply is lost.

use reachform::api::{Assignment, Directions, VersionSource, Writer};
use reachform::http::{Fate, TransportError};
use reachform::model::{Direction, PhoneNumber};
use serde_json::{Map, Value, json};

use super::fake::{World, answer, json_answer};

fn world() -> World {
    World::new(|request, _| match request.path.as_str() {
        path if path.ends_with("/publish") => json_answer(200, &json!([{"phone_number": "+15551234567"}])),
        path if path.contains("/versions") => {
            json_answer(200, &json!({"id": "v", "version": 3, "published": false, "config": {}}))
        }
        _ => json_answer(200, &json!({"agent_id": "ag_1", "name": "A", "modified_by": "key_1"})),
    })
}

fn bodies(world: &World) -> Vec<(String, Value)> {
    let log = world.fake.log.lock().unwrap();
    log.iter()
        .map(|request| {
            let body = request.body.as_ref().map_or(Value::Null, |body| serde_json::from_slice(body).unwrap());
            (request.name(), body)
        })
        .collect()
}

#[tokio::test]
async fn every_write_sends_what_the_contract_says() {
    let world = world();
    let writer = Writer::new(&world.client);
    let fields: Map<String, Value> = json!({"name": "A"}).as_object().unwrap().clone();
    let config = json!({"b": 1.0, "a": {}});

    assert_eq!(writer.create_agent(&fields).await.unwrap().agent.id, "ag_1");
    assert_eq!(writer.update_agent("ag_1", &fields).await.unwrap().agent.modified_by.as_deref(), Some("key_1"));
    assert_eq!(writer.create_version("ag_1", VersionSource::Base(2)).await.unwrap().head.version, 3);
    writer.create_version("ag_1", VersionSource::Config(&config)).await.unwrap();
    writer.put_config("ag_1", 3, &config).await.unwrap();
    writer.put_builder_inputs("ag_1", 3, &json!({"industry": "dental"})).await.unwrap();
    writer.deploy_sip("ag_1").await.unwrap();
    writer.undeploy_sip("ag_1").await.unwrap();
    writer.put_widget("w", "ag_1", "v").await.unwrap();
    writer.patch_email("e", "v").await.unwrap();
    writer.delete_agent("ag_1").await.unwrap();

    let expected = [
        ("POST /core/agents", json!({"name": "A"})),
        ("PUT /core/agents/ag_1", json!({"name": "A"})),
        ("POST /core/agents/ag_1/versions", json!({"base_version": 2})),
        ("POST /core/agents/ag_1/versions", json!({"config": config})),
        ("PUT /core/agents/ag_1/versions/3", json!({"config": config})),
        ("PUT /core/agents/ag_1/versions/3", json!({"instruction_builder_inputs": {"industry": "dental"}})),
        ("POST /core/agents/ag_1/deploy-as-sip", Value::Null),
        ("DELETE /core/agents/ag_1/deploy-as-sip", Value::Null),
        ("PUT /core/web-widgets/w", json!({"agent_id": "ag_1", "agent_version_id": "v"})),
        ("PATCH /core/email-addresses/e", json!({"inbound_agent_version_id": "v"})),
        ("DELETE /core/agents/ag_1", Value::Null),
    ];
    assert_eq!(bodies(&world), expected.map(|(name, body)| (name.to_owned(), body)));
    let sent = world.fake.log.lock().unwrap()[4].body.clone().unwrap();
    assert_eq!(String::from_utf8(sent).unwrap(), r#"{"config":{"b":1.0,"a":{}}}"#);
}

#[tokio::test]
async fn publish_always_has_a_body_and_always_names_the_direction_of_its_numbers() {
    let world = world();
    let writer = Writer::new(&world.client);
    let number = [PhoneNumber::from_service("+15551234567")];
    for assignment in [
        None,
        Some(Assignment { directions: Directions::Both, assign: &[], unassign: &[] }),
        Some(Assignment { directions: Directions::One(Direction::Outbound), assign: &number, unassign: &[] }),
        Some(Assignment { directions: Directions::One(Direction::Inbound), assign: &[], unassign: &number }),
        Some(Assignment { directions: Directions::Both, assign: &number, unassign: &[] }),
    ] {
        let touched = writer.publish("ag_1", 3, assignment).await.unwrap();
        assert_eq!(touched[0].number.number, number[0]);
    }
    let sent: Vec<Value> = bodies(&world).into_iter().map(|(_, body)| body).collect();
    assert_eq!(
        sent,
        [
            json!({}),
            json!({}),
            json!({"phone_numbers": ["+15551234567"], "direction": "outbound"}),
            json!({"unassign_phone_numbers": ["+15551234567"], "direction": "inbound"}),
            json!({"phone_numbers": ["+15551234567"], "direction": "both"}),
        ]
    );
}

#[tokio::test]
async fn a_create_whose_reply_is_lost_is_sent_once_and_its_fate_is_unknown() {
    let world = World::new(|_, _| Err(TransportError::Broken("reset".into())));
    let writer = Writer::new(&world.client);
    let error = writer.create_agent(&Map::new()).await.unwrap_err();
    assert_eq!((error.fate(), world.sent()), (Fate::Unknown, 1));
    let error = writer.create_version("ag_1", VersionSource::Base(1)).await.unwrap_err();
    assert_eq!((error.fate(), world.sent()), (Fate::Unknown, 2));
    let error = writer.put_config("ag_1", 1, &json!({})).await.unwrap_err();
    assert_eq!((error.fate(), world.sent()), (Fate::Unknown, 8), "a PUT says the same thing twice");
}

#[tokio::test]
async fn a_create_that_answers_nonsense_may_have_been_carried_out() {
    let world = World::new(|_, _| json_answer(201, &json!({"ok": true})));
    let error = Writer::new(&world.client).create_agent(&Map::new()).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Unknown);
    assert!(error.one_line().ends_with("expected an agent, but found nothing at `/id`"), "{}", error.one_line());
}

#[tokio::test]
async fn what_is_gone_after_a_lost_reply_was_deleted_by_it() {
    let world = World::new(|_, number| match number {
        0 => Err(TransportError::Broken("reset".into())),
        _ => json_answer(404, &json!({"detail": "Agent not found."})),
    });
    assert_eq!(Writer::new(&world.client).delete_agent("ag_1").await, Ok(()));
    let world = World::new(|_, _| json_answer(404, &json!({"detail": "Agent not found."})));
    assert!(Writer::new(&world.client).delete_agent("ag_1").await.unwrap_err().is_not_found());
    let world = World::new(|_, _| answer(204, &[], ""));
    assert_eq!(Writer::new(&world.client).delete_agent("ag_1").await, Ok(()));
}

#[tokio::test]
async fn the_complaints_of_a_422_are_told_by_their_place() {
    let world = World::new(|_, _| {
        let complaint = json!({"loc": ["body", "config", "agent"], "msg": "Field required", "type": "missing"});
        json_answer(422, &json!({"detail": [complaint]}))
    });
    let error = Writer::new(&world.client).put_config("ag_1", 3, &json!({})).await.unwrap_err();
    assert_eq!(
        error.one_line(),
        "could not write the config of version 3 of agent ag_1: `PUT /core/agents/ag_1/versions/3` failed: the service \
         answered 422 (unprocessable): body.config.agent: field required"
    );
    assert_eq!(error.fate(), Fate::Refused);
}

#[tokio::test]
async fn the_reading_half_of_a_writer_does_not_write() {
    let world = world();
    let writer = Writer::new(&world.client);
    let request = reachform::http::Request::new(reachform::http::Method::Post, "/core/agents");
    assert!(writer.reader().client().send(&request, reachform::http::Repeat::Always).await.is_err());
    assert_eq!(world.sent(), 0);
}
