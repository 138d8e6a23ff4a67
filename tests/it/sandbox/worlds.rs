//! What holds in every world: each switch alone, and the combinations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reachform::http::Method::{Get, Post};
use reachform::sandbox::{Behaviour, Service};
use serde_json::{Value, json};

use super::{Caller, config, request, seed};

/// Asks until the answer is 200: what was written may not be seen at once.
fn eventually(caller: &mut Caller, target: &str) -> Value {
    for _ in 0..5 {
        let (status, value) = caller.get(target);
        if status == 200 {
            return value;
        }
    }
    panic!("{target} never appears");
}

/// Whatever the world, the way from nothing to a number that is answered is open, and nothing is left broken.
#[test]
fn an_agent_can_be_created_written_published_and_read_in_every_world() {
    for (name, behaviour) in Behaviour::worlds() {
        let mut caller = Caller::of(Service::seeded(&seed(), behaviour).unwrap());
        let created = caller.write(Post, "/core/agents", &json!({"name": "New", "metadata": {"mark": 1}}));
        let id = created.get("id").or(created.get("agent_id")).unwrap().as_str().unwrap().to_owned();
        let agent = eventually(&mut caller, &format!("/core/agents/{id}"));
        assert_eq!((&agent["id"], &agent["metadata"]["mark"]), (&json!(id), &json!(1)), "{name}");
        let versions = format!("/core/agents/{id}/versions");
        let version = caller.write(Post, &versions, &json!({"config": config()}));
        assert_eq!(version["version"], 1, "{name}");
        eventually(&mut caller, &format!("{versions}/1"));
        let body = json!({"phone_numbers": ["+15550000003"], "direction": "both"});
        let affected = caller.write(Post, &format!("{versions}/1/publish"), &body);
        assert_eq!(affected[0]["inbound_agent_version_id"], version["id"], "{name}");
        let slots = caller.service.slots();
        assert_eq!(slots["+15550000003"].inbound.as_ref().unwrap().agent, "New", "{name}");
        assert_eq!(slots["+15550000003"].inbound, slots["+15550000003"].outbound, "{name}");
        assert_eq!(caller.service.violations(), Vec::<String>::new(), "{name}");
    }
}

/// A client that reads as carefully as the contract asks finds every agent, wherever the list can be proven.
#[test]
fn a_careful_reader_finds_every_agent_in_every_world_that_can_be_read() {
    for (name, behaviour) in Behaviour::worlds() {
        if name.contains("cursor=ignored") || name.contains("ties=all") && !name.contains("cursor=header") {
            continue;
        }
        let limit = behaviour.limit_max.min(100);
        let mut caller = Caller::of(Service::seeded(&seed(), behaviour).unwrap());
        for position in 0..7 {
            caller.write(Post, "/core/agents", &json!({"name": format!("Agent {position}")}));
        }
        for _ in 0..3 {
            caller.get("/core/agents");
        }
        let found = read_carefully(&mut caller, limit);
        let truth = caller.service.agents().len();
        assert_eq!((found.len(), truth), (10, 10), "{name}");
    }
}

/// Follows a stated cursor. Where none is stated, makes one a microsecond back, so that what shares the last item's time
/// comes again, and one at that time where the first brings nothing new.
fn read_carefully(caller: &mut Caller, limit: u32) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut page = fetch(caller, limit, None);
    let mut stated = false;
    let mut ascending = false;
    for _ in 0..40 {
        take(&page.items, &mut found);
        let times: Vec<Timestamp> = page.items.iter().map(created).collect();
        ascending |= times.first() < times.last();
        match page.next.as_deref() {
            Some("") => return found,
            Some(next) => {
                stated = true;
                page = fetch(caller, limit, Some(next));
            }
            None if stated => return found,
            None => {
                let Some(&last) = times.last() else { return found };
                let back = jiff::SignedDuration::from_micros(if ascending { -1 } else { 1 });
                let behind = fetch(caller, limit, Some(&STANDARD.encode((last + back).to_string())));
                let is_new = |item: &Value| !found.iter().any(|id| id == item["id"].as_str().unwrap());
                page = if behind.items.iter().any(is_new) {
                    behind
                } else {
                    fetch(caller, limit, Some(&STANDARD.encode(last.to_string())))
                };
            }
        }
    }
    panic!("the list does not end");
}

struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

fn fetch(caller: &mut Caller, limit: u32, cursor: Option<&str>) -> Page {
    let mut page = request(Get, &format!("/core/agents?limit={limit}"), None);
    page.query.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor.to_owned())));
    let response = caller.send(page);
    assert_eq!(response.status, 200);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let link = response.header("link").and_then(|link| link.split_once("cursor=")?.1.split_once('>'));
    let next = response
        .header("x-next-cursor")
        .or(link.map(|(cursor, _)| cursor))
        .or(body.pointer("/pagination/next_cursor").map(|next| next.as_str().unwrap_or_default()))
        .map(str::to_owned);
    Page { items: body.get("data").unwrap_or(&body).as_array().unwrap().clone(), next }
}

fn take(items: &[Value], found: &mut Vec<String>) {
    for item in items {
        let id = item["id"].as_str().unwrap();
        if !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
}

fn created(item: &Value) -> Timestamp {
    item["created_at"].as_str().unwrap().parse().unwrap()
}
