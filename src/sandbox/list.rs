//! Pages: `limit` and `cursor`, in either order, with or without an envelope (contract, section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::Request;

use super::answer::{Answer, error, invalid, json_answer};
use super::behaviour::{Behaviour, Switch};

/// The page where no limit is asked for.
const DEFAULT_LIMIT: usize = 100;

/// One page of records with their times, newest or oldest first.
pub(super) fn page(mut items: Vec<(Timestamp, Value)>, request: &Request, behaviour: &Behaviour) -> Answer {
    let most = behaviour.number(Switch::LimitMax);
    let limit = match request.query("limit") {
        None => DEFAULT_LIMIT.min(most),
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if limit >= 1 && limit <= most => limit,
            Ok(_) => {
                let mut problem = json!({"loc": ["query", "limit"], "type": "less_than_equal", "input": text,
                    "msg": format!("Input should be less than or equal to {most}")});
                if behaviour.is(Switch::LimitError, "ctx") {
                    problem["ctx"] = json!({"le": most});
                } else {
                    problem["msg"] = json!("Input is too large");
                }
                return Err(invalid(&[problem]));
            }
            Err(_) => {
                return Err(invalid(&[json!({"loc": ["query", "limit"], "type": "int_parsing",
                    "msg": "Input should be a valid integer"})]));
            }
        },
    };
    let ascending = behaviour.is(Switch::Order, "asc");
    items.sort_by(|(a, _), (b, _)| if ascending { a.cmp(b) } else { b.cmp(a) });
    if let Some(cursor) = request.query("cursor") {
        let at = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(at) = at.and_then(|text| text.parse::<Timestamp>().ok()) else {
            return Err(error(400, "Invalid cursor"));
        };
        items.retain(|(time, _)| if ascending { *time > at } else { *time < at });
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|(time, _)| STANDARD.encode(time.to_string()));
    let list: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    match behaviour.way(Switch::Envelope) {
        "data" => Ok(json_answer(200, &json!({"data": list, "pagination": {"limit": limit, "next_cursor": next}}))),
        "header" => {
            let mut answer = json_answer(200, &json!(list));
            answer.headers.push(("x-next-cursor".to_owned(), next.unwrap_or_default()));
            Ok(answer)
        }
        _ => Ok(json_answer(200, &json!(list))),
    }
}

/// Whether a record's times lie within the filters `created_after`, `created_before`, `updated_after`, `updated_before`.
pub(super) fn in_time(request: &Request, created: Timestamp, updated: Timestamp) -> bool {
    let bound = |name: &str| request.query(name).and_then(|text| text.parse::<Timestamp>().ok());
    bound("created_after").is_none_or(|at| created > at)
        && bound("created_before").is_none_or(|at| created < at)
        && bound("updated_after").is_none_or(|at| updated > at)
        && bound("updated_before").is_none_or(|at| updated < at)
}

/// Whether a boolean filter, where it is given, is met.
pub(super) fn flag(request: &Request, name: &str, value: bool) -> bool {
    request.query(name).is_none_or(|text| text == if value { "true" } else { "false" })
}
