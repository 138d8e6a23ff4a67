//! Filters, order, cursors and pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reachform::http::Method::{Get, Post};
use reachform::http::Response;
use serde_json::{Value, json};

use super::{Caller, faults, names, request};

fn filtered(target: &str) -> Vec<String> {
    let list = Caller::new(&[]).read(target);
    names(&list).into_iter().map(str::to_owned).collect()
}

#[test]
fn agents_are_listed_newest_first_or_oldest_first() {
    assert_eq!(filtered("/core/agents"), ["Bare", "Night line", "Front desk"]);
    assert_eq!(names(&Caller::new(&["order=asc"]).read("/core/agents")), ["Front desk", "Night line", "Bare"]);
}

#[test]
fn agents_are_filtered_by_name_flags_ids_and_times() {
    assert_eq!(filtered("/core/agents?name=Bare"), ["Bare"]);
    assert_eq!(filtered("/core/agents?name=bar"), Vec::<String>::new());
    assert_eq!(names(&Caller::new(&["name-filter=substring"]).read("/core/agents?name=DESK")), ["Front desk"]);
    assert_eq!(filtered("/core/agents?active=false"), ["Night line"]);
    assert_eq!(filtered("/core/agents?is_demo=true"), ["Bare"]);
    assert_eq!(filtered("/core/agents?ids=agent-bare&ids=agent-front"), ["Bare", "Front desk"]);
    assert_eq!(filtered("/core/agents?ids=agent-bare,agent-night"), ["Bare", "Night line"]);
    assert_eq!(filtered("/core/agents?created_after=2026-06-01T00:00:00Z"), Vec::<String>::new());
    assert_eq!(filtered("/core/agents?created_before=2026-06-01T00:00:00Z").len(), 3);
    assert_eq!(filtered("/core/agents?updated_after=2026-01-01T00:00:00Z&active=true").len(), 2);
}

#[test]
fn metadata_is_filtered_by_what_it_contains() {
    assert_eq!(filtered(r#"/core/agents?metadata={"team":{"name":"dental"}}"#), ["Front desk"]);
    assert_eq!(filtered(r#"/core/agents?metadata={"team":{"name":"dental","size":4}}"#), Vec::<String>::new());
    assert_eq!(filtered("/core/agents?metadata={}").len(), 1, "no metadata contains nothing");
    let (status, body) = Caller::new(&[]).get("/core/agents?metadata=team");
    assert_eq!((status, faults(&body)), (422, vec![("query.metadata".to_owned(), "json_invalid")]));
}

#[test]
fn a_filter_that_cannot_be_read_is_422() {
    let mut caller = Caller::new(&[]);
    for target in ["/core/agents?active=perhaps", "/core/agents?created_after=yesterday", "/core/agents?limit=ten"] {
        assert_eq!(caller.get(target).0, 422, "{target}");
    }
    assert_eq!(faults(&caller.get("/core/agents?limit=0").1), [("query.limit".to_owned(), "greater_than_equal")]);
    assert_eq!(caller.get("/core/agents?cursor=nonsense").0, 400);
}

#[test]
fn a_limit_above_the_greatest_is_refused_with_the_bound_or_without_or_clamped() {
    let answer = |switches: &[&str]| Caller::new(switches).get("/core/agents?limit=3");
    let (status, body) = answer(&["limit-max=2"]);
    assert_eq!((status, &body["detail"][0]["ctx"]), (422, &json!({"le": 2})));
    let (status, body) = answer(&["limit-max=2", "limit-error=bare"]);
    assert_eq!(status, 422);
    assert!(body["detail"][0].get("ctx").is_none());
    let (status, body) = answer(&["limit-max=2", "limit-over=clamp"]);
    assert_eq!((status, body.as_array().unwrap().len()), (200, 2));
    assert_eq!(Caller::new(&["limit-default=1"]).read("/core/agents").as_array().unwrap().len(), 1);
}

/// Ten more agents.
fn crowd(switches: &[&str]) -> Caller {
    let mut caller = Caller::new(switches);
    for position in 0..10 {
        caller.write(Post, "/core/agents", &json!({"name": format!("Agent {position}")}));
    }
    caller
}

/// Reads a list page by page, and says how long each page was.
fn pages(
    caller: &mut Caller,
    limit: usize,
    next: impl Fn(&Response, &Value) -> Option<String>,
) -> (Vec<String>, Vec<usize>) {
    let (mut found, mut lengths, mut cursor) = (Vec::new(), Vec::new(), None);
    for _ in 0..20 {
        let mut page = request(Get, &format!("/core/agents?limit={limit}"), None);
        page.query.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
        let response = caller.send(page);
        assert_eq!(response.status, 200);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let items = body.get("data").unwrap_or(&body).as_array().unwrap().clone();
        lengths.push(items.len());
        found.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        cursor = next(&response, &Value::Array(items));
        if cursor.is_none() {
            return (found, lengths);
        }
    }
    panic!("the list does not end: {lengths:?}");
}

fn by_creation(_: &Response, items: &Value) -> Option<String> {
    let last = items.as_array().unwrap().last()?;
    Some(STANDARD.encode(last["created_at"].as_str().unwrap()))
}

fn assert_whole(found: &[String]) {
    let mut distinct = found.to_vec();
    distinct.sort();
    distinct.dedup();
    assert_eq!((found.len(), distinct.len()), (13, 13));
}

#[test]
fn the_creation_time_of_the_last_item_is_the_cursor() {
    for order in ["order=desc", "order=asc"] {
        let (found, lengths) = pages(&mut crowd(&[order]), 5, by_creation);
        assert_whole(&found);
        assert_eq!(lengths, [5, 5, 3, 0]);
    }
}

#[test]
fn a_page_before_the_last_may_be_short_where_that_is_switched_on() {
    let (found, lengths) = pages(&mut crowd(&["page=ragged"]), 5, by_creation);
    assert_whole(&found);
    assert_eq!(lengths, [5, 4, 2, 1, 1, 0]);
}

#[test]
fn an_envelope_states_the_end() {
    let mut caller = crowd(&["envelope=data"]);
    let body = caller.read("/core/agents?limit=5");
    assert_eq!(body["pagination"]["limit"], 5);
    let next = |response: &Response, _: &Value| {
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        body["pagination"]["next_cursor"].as_str().map(str::to_owned)
    };
    let (found, lengths) = pages(&mut caller, 5, next);
    assert_whole(&found);
    assert_eq!(lengths, [5, 5, 3]);
}

#[test]
fn an_opaque_cursor_comes_in_a_header_or_a_link() {
    let header = |response: &Response, _: &Value| {
        Some(response.header("x-next-cursor").unwrap()).filter(|next| !next.is_empty()).map(str::to_owned)
    };
    let link = |response: &Response, _: &Value| {
        let link = response.header("link")?;
        let (target, relation) = link.strip_prefix('<')?.split_once('>')?;
        assert_eq!(relation, "; rel=\"next\"");
        target.split_once("cursor=").map(|(_, cursor)| cursor.to_owned())
    };
    let (found, lengths) = pages(&mut crowd(&["cursor=header", "ties=all"]), 5, header);
    assert_whole(&found);
    assert_eq!(lengths, [5, 5, 3]);
    let (found, _) = pages(&mut crowd(&["cursor=link", "order=asc"]), 5, link);
    assert_whole(&found);
    let own = STANDARD.encode("2026-11-24T12:00:01.000000Z");
    assert_eq!(Caller::new(&["cursor=header"]).get(&format!("/core/agents?cursor={own}")).0, 400);
    assert_eq!(Caller::new(&["cursor=link"]).get(&format!("/core/agents?cursor={own}")).0, 200);
}

#[test]
fn a_cursor_that_is_only_a_time_loses_what_shares_it() {
    let (found, _) = pages(&mut crowd(&["ties=some"]), 2, by_creation);
    assert!(found.len() < 13, "a client that trusts the rule misses {} agents", 13 - found.len());
}

#[test]
fn an_ignored_cursor_brings_the_first_page_again() {
    let mut caller = crowd(&["cursor=ignored"]);
    let first = names(&caller.read("/core/agents?limit=2")).join(",");
    let cursor = STANDARD.encode("2026-01-01T00:00:00Z");
    assert_eq!(names(&caller.read(&format!("/core/agents?limit=2&cursor={cursor}"))).join(","), first);
}

#[test]
fn the_list_leaves_out_what_is_switched_off_and_a_single_reading_does_not() {
    let mut caller = Caller::new(&["list-versions=no", "list-metadata=no", "list-numbers=no"]);
    let listed = caller.read("/core/agents")[2].clone();
    let single = caller.read("/core/agents/agent-front");
    for field in ["versions", "metadata", "phone_numbers"] {
        assert!(listed.get(field).is_none(), "{field}");
        assert!(single.get(field).is_some(), "{field}");
    }
}

#[test]
fn what_was_written_is_not_seen_for_some_reads_where_that_is_switched_on() {
    let mut caller = Caller::new(&["eventual=2"]);
    let created = caller.write(Post, "/core/agents", &json!({"name": "Late"}));
    let target = format!("/core/agents/{}", created["id"].as_str().unwrap());
    assert_eq!(caller.get(&target).0, 404);
    assert_eq!(caller.read("/core/agents").as_array().unwrap().len(), 3);
    assert_eq!(caller.read("/core/agents").as_array().unwrap().len(), 4);
    assert_eq!(caller.put(&target, &json!({"name": "Later"})).0, 200, "writing works on the truth");
    assert_eq!(caller.read(&target)["name"], "Late");
    caller.read(&target);
    assert_eq!(caller.read(&target)["name"], "Later");
    assert_eq!(caller.delete(&target).0, 204);
    assert_eq!((caller.get(&target).0, caller.get(&target).0, caller.get(&target).0), (200, 200, 404));
}
