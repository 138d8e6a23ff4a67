//! Web widgets (contract, section 10).

use serde_json::{Value, json};

use crate::http::{Method, Request, Response};

use super::answer::{Answer, error, gone, invalid, ok, problem};
use super::behaviour::Switch;
use super::config::object;
use super::list::{flag, in_time, page};
use super::service::{Service, found, made, text, texts};

impl Service {
    pub(super) fn web_widgets(&mut self, request: &Request, rest: &[&str]) -> Answer {
        match (rest, request.method) {
            ([], Method::Get) => {
                let items = self
                    .state
                    .widgets
                    .values()
                    .filter(|widget| {
                        ["agent_id", "agent_version_id"].iter().all(|name| {
                            request
                                .query(name)
                                .is_none_or(|wanted| widget.get(*name).and_then(Value::as_str) == Some(wanted))
                        })
                    })
                    .filter(|widget| flag(request, "published", widget.get("published") == Some(&Value::Bool(true))))
                    .map(|widget| (time(widget, "created_at"), widget.clone()))
                    .filter(|(created, widget)| in_time(request, *created, time(widget, "updated_at")))
                    .collect();
                page(items, request, &self.behaviour)
            }
            ([], Method::Post) => self.create_widget(request),
            ([id], Method::Get) => {
                let widget = found(&mut self.state.widgets, id, "Web widget")?.clone();
                ok(&widget)
            }
            ([id], Method::Put) => self.update_widget(request, id),
            ([id], Method::Delete) => {
                found(&mut self.state.widgets, id, "Web widget")?;
                self.state.widgets.remove(*id);
                gone()
            }
            _ => Err(error(405, "Method Not Allowed")),
        }
    }

    fn create_widget(&mut self, request: &Request) -> Answer {
        let body = Self::body(request, true)?;
        let agent_id = text(&body, "agent_id", true)?.unwrap_or_default();
        let version_id = text(&body, "agent_version_id", true)?.unwrap_or_default();
        self.check_version(&version_id)?;
        let (at, id) = (self.stamp(), self.state.new_id());
        let widget = json!({
            "id": id, "organization_id": self.state.organization, "agent_id": agent_id,
            "agent_version_id": version_id, "domains": texts(&body, "domains")?,
            "published": body.get("published").and_then(Value::as_bool).unwrap_or(false),
            "config": body.get("config").cloned().unwrap_or_else(|| json!({})),
            "created_at": at, "updated_at": at,
            "created_by": self.author(&self.principal), "modified_by": self.author(&self.principal),
        });
        self.state.widgets.insert(id, widget.clone());
        made(&widget)
    }

    /// PUT is partial: each sent field replaces the stored value.
    fn update_widget(&mut self, request: &Request, id: &str) -> Answer {
        let body = Self::body(request, true)?;
        found(&mut self.state.widgets, id, "Web widget")?;
        if let Some(version) = text(&body, "agent_version_id", false)? {
            self.check_version(&version)?;
        }
        let (at, by) = (self.stamp(), self.author(&self.principal));
        let widget = found(&mut self.state.widgets, id, "Web widget")?;
        let mut map = object(widget);
        for name in ["agent_id", "agent_version_id", "domains", "published", "config"] {
            if let Some(value) = body.get(name) {
                map.insert(name.to_owned(), value.clone());
            }
        }
        map.insert("updated_at".to_owned(), json!(at));
        map.insert("modified_by".to_owned(), by);
        *widget = Value::Object(map);
        let widget = widget.clone();
        ok(&widget)
    }

    fn check_version(&self, id: &str) -> Result<(), Response> {
        let Some((_, version)) = self.state.version_by_id(id) else {
            return Err(invalid(&[problem(&["body", "agent_version_id"], "Unknown agent version", "value_error")]));
        };
        if !version.published && self.behaviour.is(Switch::Widget, "reject") {
            return Err(error(400, "The agent version is not published"));
        }
        Ok(())
    }
}

/// A time of a stored record.
pub(super) fn time(record: &Value, name: &str) -> jiff::Timestamp {
    record.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or_default()
}
