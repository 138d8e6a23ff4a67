//! A small stand-in of GitLab: one project, 42.

use reachform::http::{Method, Request, Response};
use serde_json::{Value, json};

use super::standin::{Machine, StandIn, answer, page, refusal};

/// The project.
pub(crate) struct GitLab {
    pub(crate) notes: Vec<Value>,
    pub(crate) issues: Vec<Value>,
    pub(crate) merge_requests: Vec<Value>,
    next: u64,
}

/// Who a project access token is.
pub(crate) const BOT: &str = "project_42_bot";

impl GitLab {
    pub(crate) fn stand_in() -> StandIn<Self> {
        StandIn::new(Self { notes: Vec::new(), issues: Vec::new(), merge_requests: Vec::new(), next: 1 })
    }

    pub(crate) fn add_note(&mut self, author: &str, body: &str) -> Value {
        self.next += 1;
        self.notes.push(json!({"id": self.next, "author": {"username": author}, "body": body, "system": false}));
        self.notes.last().unwrap().clone()
    }
}

impl Machine for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn answer(&mut self, request: &Request, body: &Value) -> Response {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let number = |text: &str| text.parse::<u64>().unwrap();
        match (request.method, parts.as_slice()) {
            (Method::Get, ["user"]) => answer(200, &json!({"id": 7, "username": BOT})),
            (Method::Get, ["projects", "42", "merge_requests", "7", "notes"]) => {
                page(request, self.notes.clone(), Value::from)
            }
            (Method::Post, ["projects", "42", "merge_requests", "7", "notes"]) => {
                answer(201, &self.add_note(BOT, body["body"].as_str().unwrap()))
            }
            (Method::Put, ["projects", "42", "merge_requests", "7", "notes", id]) => {
                let id = number(id);
                let Some(note) = self.notes.iter_mut().find(|note| note["id"] == id) else {
                    return answer(404, &json!({"message": "404 Not found"}));
                };
                note["body"] = body["body"].clone();
                answer(200, note)
            }
            (Method::Get, ["projects", "42", "merge_requests", "7"]) => answer(200, &self.merge_requests[0]),
            (Method::Put, ["projects", "42", "merge_requests", "7"]) => {
                let listed = |name: &str| body[name].as_str().unwrap().split(',').map(Value::from).collect::<Vec<_>>();
                let (add, remove) = (listed("add_labels"), listed("remove_labels"));
                let labels = self.merge_requests[0]["labels"].as_array_mut().unwrap();
                labels.retain(|label| !remove.contains(label));
                labels.extend(add.into_iter().filter(|label| label != ""));
                answer(200, &self.merge_requests[0])
            }
            (Method::Get, ["projects", "42", "repository", "commits", sha, "merge_requests"]) => {
                let of = |found: &&Value| found["sha"] == *sha;
                page(request, self.merge_requests.iter().filter(of).cloned().collect(), Value::from)
            }
            (Method::Get, ["projects", "42", "issues"]) => page(request, self.issues.clone(), Value::from),
            (Method::Post, ["projects", "42", "issues"]) => {
                self.issues.push(json!({"iid": 1, "title": body["title"], "description": body["description"],
                    "state": "opened", "labels": [body["labels"]], "author": {"username": BOT}, "web_url": "https://gl/1"}));
                answer(201, &self.issues[0])
            }
            (Method::Put, ["projects", "42", "issues", "1"]) => {
                if let Some(text) = body.get("description") {
                    self.issues[0]["description"] = text.clone();
                }
                match body["state_event"].as_str() {
                    Some("close") => self.issues[0]["state"] = json!("closed"),
                    Some("reopen") => self.issues[0]["state"] = json!("opened"),
                    _ => {}
                }
                answer(200, &self.issues[0])
            }
            (Method::Post, ["projects", "42", "issues", "1", "notes"]) => answer(201, &json!({"id": 99})),
            _ => refusal(404, "404 Not Found", &[]),
        }
    }
}
