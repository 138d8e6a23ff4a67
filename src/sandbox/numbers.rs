//! Phone numbers (contract, section 9.1).

use serde_json::{Value, json};

use crate::http::{Method, Request};

use super::answer::{Answer, error, gone, invalid, ok, problem};
use super::list::{in_time, page};
use super::service::{Service, boolean, found, made, text};
use super::state::NumberRecord;

/// How many numbers an organization may have.
const MOST_NUMBERS: usize = 10_000;

impl Service {
    pub(super) fn phone_numbers(&mut self, request: &Request, rest: &[&str]) -> Answer {
        match (rest, request.method) {
            ([], Method::Get) => {
                let items = self
                    .state
                    .numbers
                    .values()
                    .filter(|number| {
                        request.query("phone_number").is_none_or(|part| number.phone_number.contains(part))
                    })
                    .filter(|number| request.query("trunk_id").is_none_or(|trunk| number.trunk_id == trunk))
                    .filter(|number| in_time(request, number.created_at, number.updated_at))
                    .map(|number| (number.created_at, self.number_response(number)))
                    .collect();
                page(items, request, &self.behaviour)
            }
            ([], Method::Post) => self.add_number(request),
            ([number], Method::Get) => {
                let number = found(&mut self.state.numbers, number, "Phone number")?.clone();
                ok(&self.number_response(&number))
            }
            ([number], Method::Patch) => {
                let body = Self::body(request, true)?;
                let shareable = boolean(&body, "outbound_shareable")?;
                let at = self.stamp();
                let number = found(&mut self.state.numbers, number, "Phone number")?;
                number.outbound_shareable = shareable.unwrap_or(number.outbound_shareable);
                number.updated_at = at;
                let number = number.clone();
                ok(&self.number_response(&number))
            }
            ([number], Method::Delete) => {
                found(&mut self.state.numbers, number, "Phone number")?;
                self.state.numbers.remove(*number);
                gone()
            }
            _ => Err(error(405, "Method Not Allowed")),
        }
    }

    fn add_number(&mut self, request: &Request) -> Answer {
        let body = Self::body(request, true)?;
        let number = text(&body, "phone_number", true)?.unwrap_or_default();
        let trunk_id = text(&body, "trunk_id", true)?.unwrap_or_default();
        if self.state.numbers.contains_key(&number) {
            return Err(error(409, "Phone number already exists"));
        }
        if crate::model::PhoneNumber::parse(&number).is_none() {
            return Err(invalid(&[problem(&["body", "phone_number"], "Not a valid E.164 number", "value_error")]));
        }
        if self.state.numbers.len() >= MOST_NUMBERS {
            return Err(error(400, "Phone number limit reached"));
        }
        let at = self.stamp();
        let record = NumberRecord {
            phone_number: number.clone(),
            trunk_id,
            created_at: at,
            updated_at: at,
            inbound_agent_version_id: None,
            outbound_agent_version_id: None,
            outbound_shareable: boolean(&body, "outbound_shareable")?.unwrap_or(false),
        };
        let answer = self.number_response(&record);
        self.state.numbers.insert(number, record);
        made(&answer)
    }

    pub(super) fn number_response(&self, number: &NumberRecord) -> Value {
        json!({
            "phone_number": number.phone_number, "organization_id": self.state.organization,
            "trunk_id": number.trunk_id, "created_at": number.created_at, "updated_at": number.updated_at,
            "created_by": self.author("system"), "modified_by": self.author("system"),
            "inbound_agent_version_id": number.inbound_agent_version_id,
            "outbound_agent_version_id": number.outbound_agent_version_id,
            "managed_account_id": null, "external_id": null, "outbound_shareable": number.outbound_shareable,
        })
    }
}
