//! The service's records as it writes them. Unknown fields are ignored, missing ones are absent; only what nothing can
//! be done without (ids, version numbers) is insisted upon, with the place where it should have stood.

use serde_json::{Map, Value};

use crate::model::live::is_id;
use crate::model::value::type_name;

/// Something that had to be there and was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// The JSON pointer from the body's root.
    pub at: String,
    /// What stood there: its JSON type, or what it is not. Never the value.
    pub found: String,
}

/// A result of reading the wire.
pub type Read<T> = Result<T, WireError>;

/// One object of an answer, with its place.
#[derive(Clone, Debug)]
struct Record<'a> {
    map: &'a Map<String, Value>,
    at: String,
}

impl<'a> Record<'a> {
    fn read(value: &'a Value, at: impl Into<String>) -> Read<Self> {
        let at = at.into();
        match value {
            Value::Object(map) => Ok(Self { map, at }),
            other => Err(WireError { at, found: type_name(other).to_owned() }),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text, or a number written as one.
    fn text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// A whole number, or a text that holds one.
    fn count(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> Read<Option<Vec<Record<'a>>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let at = format!("{}/{name}", self.at);
        let Value::Array(list) = value else { return Err(WireError { at, found: type_name(value).to_owned() }) };
        list.iter()
            .enumerate()
            .map(|(index, value)| Record::read(value, format!("{at}/{index}")))
            .collect::<Read<_>>()
            .map(Some)
    }

    /// Says that a field is not what it must be.
    fn bad(&self, name: &str) -> WireError {
        let found = self.map.get(name).map_or("nothing", type_name);
        WireError { at: format!("{}/{name}", self.at), found: found.to_owned() }
    }

    /// An id, where there is one. It goes into the paths of requests, so nothing that a path could be bent by passes.
    fn id(&self, name: &str) -> Read<Option<String>> {
        self.checked(name, is_id, "a text that cannot be an id")
    }

    /// An id that must be there.
    fn need_id(&self, name: &str) -> Read<String> {
        self.id(name)?.ok_or_else(|| self.bad(name))
    }

    /// A text that must be as `fits` says where it stands; an empty one counts as none.
    fn checked(&self, name: &str, fits: fn(&str) -> bool, found: &str) -> Read<Option<String>> {
        match self.text(name).filter(|text| !text.is_empty()) {
            Some(text) if !fits(&text) => Err(WireError { at: format!("{}/{name}", self.at), found: found.to_owned() }),
            text => Ok(text),
        }
    }

    /// A phone number that must be there.
    fn need_number(&self, name: &str) -> Read<String> {
        let found = "a text that cannot be a phone number";
        self.checked(name, is_number, found)?.ok_or_else(|| self.bad(name))
    }
}

/// Whether a text can stand for a phone number. What is live may have another form than E.164, but it goes into the path
/// of a request.
fn is_number(text: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'%');
    (1..=64).contains(&text.len()) && text.bytes().all(fits) && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a text can be an email address, which stands for the id of one that has none.
fn is_address(text: &str) -> bool {
    let fits = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '/' | '\\' | '?' | '#' | '%');
    (3..=320).contains(&text.len()) && text.contains('@') && text.chars().all(fits)
}

/// A version without its config, as it stands in an agent's record and at the head of a version's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `id`
    pub id: String,
    /// `version`
    pub version: u64,
    /// `published`
    pub published: bool,
    /// `created_by`
    pub created_by: Option<String>,
    /// `modified_by`
    pub modified_by: Option<String>,
}

impl Head {
    fn read(record: &Record<'_>) -> Read<Self> {
        Ok(Self {
            id: record.need_id("id")?,
            version: record.count("version").ok_or_else(|| record.bad("version"))?,
            published: record.flag("published").unwrap_or(false),
            created_by: record.text("created_by"),
            modified_by: record.text("modified_by"),
        })
    }
}

/// A number in an agent's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentNumber {
    /// `phone_number`
    pub phone_number: String,
    /// `agent_version_id`
    pub agent_version_id: Option<String>,
    /// `direction`
    pub direction: Option<String>,
}

/// A widget, in an agent's record or on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widget {
    /// `id`
    pub id: String,
    /// `organization_id`
    pub organization_id: Option<String>,
    /// `agent_id`
    pub agent_id: Option<String>,
    /// `agent_version_id`
    pub agent_version_id: Option<String>,
    /// `published`
    pub published: Option<bool>,
}

impl Widget {
    fn of(record: &Record<'_>) -> Read<Self> {
        Ok(Self {
            id: record.need_id("id")?,
            organization_id: record.id("organization_id")?,
            agent_id: record.id("agent_id")?,
            agent_version_id: record.id("agent_version_id")?,
            published: record.flag("published"),
        })
    }

    /// Reads a widget.
    pub fn read(value: &Value, at: &str) -> Read<Self> {
        Self::of(&Record::read(value, at)?)
    }
}

/// An agent, as lists, reads, creates and updates give it (contract, sections 5.2 and 5.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// `id`, or `agent_id` where the documentation is right
    pub id: String,
    /// `organization_id`
    pub organization_id: Option<String>,
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `active`
    pub active: Option<bool>,
    /// `metadata`; `None` where the record has no such field
    pub metadata: Option<Value>,
    /// `created_at`
    pub created_at: Option<String>,
    /// `updated_at`
    pub updated_at: Option<String>,
    /// `created_by`
    pub created_by: Option<String>,
    /// `modified_by`
    pub modified_by: Option<String>,
    /// `versions`; `None` where the record has no such field
    pub versions: Option<Vec<Head>>,
    /// `has_published_version`
    pub has_published_version: Option<bool>,
    /// `phone_numbers`
    pub phone_numbers: Vec<AgentNumber>,
    /// `widgets`
    pub widgets: Vec<Widget>,
    /// `sip_endpoint.deployed`
    pub sip_deployed: bool,
}

impl Agent {
    /// Reads an agent.
    pub fn read(value: &Value, at: &str) -> Read<Self> {
        let record = Record::read(value, at)?;
        let versions = match record.list("versions")? {
            None => None,
            Some(list) => Some(list.iter().map(Head::read).collect::<Read<Vec<_>>>()?),
        };
        let phone_numbers = record.list("phone_numbers")?.unwrap_or_default();
        let widgets = record.list("widgets")?.unwrap_or_default();
        Ok(Self {
            id: match record.id("id")? {
                Some(id) => id,
                None => record.id("agent_id")?.ok_or_else(|| record.bad("id"))?,
            },
            organization_id: record.id("organization_id")?,
            // An agent without a name is odd, and still an agent.
            name: record.text("name").unwrap_or_default(),
            description: record.text("description"),
            active: record.flag("active"),
            metadata: record.map.get("metadata").cloned(),
            created_at: record.text("created_at"),
            updated_at: record.text("updated_at"),
            created_by: record.text("created_by"),
            modified_by: record.text("modified_by"),
            versions,
            has_published_version: record.flag("has_published_version"),
            phone_numbers: phone_numbers
                .iter()
                .map(|number| {
                    Ok(AgentNumber {
                        phone_number: number.need_number("phone_number")?,
                        agent_version_id: number.id("agent_version_id")?,
                        direction: number.text("direction"),
                    })
                })
                .collect::<Read<_>>()?,
            widgets: widgets.iter().map(Widget::of).collect::<Read<_>>()?,
            sip_deployed: match record.get("sip_endpoint") {
                Some(Value::Object(sip)) => {
                    sip.get("deployed").map_or(sip.contains_key("uri"), |flag| flag == &Value::Bool(true))
                }
                _ => false,
            },
        })
    }
}

/// A whole version (contract, section 6.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its head.
    pub head: Head,
    /// `organization_id`
    pub organization_id: Option<String>,
    /// `agent_id`
    pub agent_id: Option<String>,
    /// `config`
    pub config: Value,
    /// `created_at`
    pub created_at: Option<String>,
    /// `updated_at`
    pub updated_at: Option<String>,
    /// `instruction_builder_inputs`
    pub builder_inputs: Option<Value>,
    /// `trained_instruction_builder_inputs`
    pub trained_builder_inputs: Option<Value>,
    /// `generation_timestamp`
    pub generated_at: Option<String>,
    /// `manually_edited`
    pub manually_edited: Option<bool>,
    /// `is_updated`
    pub is_updated: Option<bool>,
}

impl Version {
    /// Reads a version. It must have a config: an absent one would read as "everything was removed".
    pub fn read(value: &Value, at: &str) -> Read<Self> {
        let record = Record::read(value, at)?;
        Ok(Self {
            head: Head::read(&record)?,
            organization_id: record.id("organization_id")?,
            agent_id: record.id("agent_id")?,
            config: record
                .map
                .get("config")
                .filter(|config| config.is_object())
                .ok_or_else(|| record.bad("config"))?
                .clone(),
            created_at: record.text("created_at"),
            updated_at: record.text("updated_at"),
            builder_inputs: record.get("instruction_builder_inputs").cloned(),
            trained_builder_inputs: record.get("trained_instruction_builder_inputs").cloned(),
            generated_at: record.text("generation_timestamp"),
            manually_edited: record.flag("manually_edited"),
            is_updated: record.flag("is_updated"),
        })
    }

    /// Reads the head of a version that may come without its config, as in a list.
    pub fn read_head(value: &Value, at: &str) -> Read<Head> {
        Head::read(&Record::read(value, at)?)
    }

    /// The same, with the time at which the version was made.
    pub fn read_dated(value: &Value, at: &str) -> Read<(Head, Option<String>)> {
        let record = Record::read(value, at)?;
        Ok((Head::read(&record)?, record.text("created_at")))
    }
}

/// A phone number (contract, section 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// `phone_number`
    pub phone_number: String,
    /// `organization_id`
    pub organization_id: Option<String>,
    /// `inbound_agent_version_id`
    pub inbound: Option<String>,
    /// `outbound_agent_version_id`
    pub outbound: Option<String>,
}

impl Number {
    /// Reads a number.
    pub fn read(value: &Value, at: &str) -> Read<Self> {
        let record = Record::read(value, at)?;
        Ok(Self {
            phone_number: record.need_number("phone_number")?,
            organization_id: record.id("organization_id")?,
            inbound: record.id("inbound_agent_version_id")?,
            outbound: record.id("outbound_agent_version_id")?,
        })
    }
}

/// An email address (contract, section 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// `id`; the address itself where there is none
    pub id: String,
    /// `address`
    pub address: String,
    /// `inbound_agent_version_id`
    pub inbound_agent_version_id: Option<String>,
}

impl Email {
    /// Reads an email address.
    pub fn read(value: &Value, at: &str) -> Read<Self> {
        let record = Record::read(value, at)?;
        let found = "a text that cannot be an email address";
        let address = record.checked("address", is_address, found)?.ok_or_else(|| record.bad("address"))?;
        Ok(Self {
            id: record.id("id")?.unwrap_or_else(|| address.clone()),
            address,
            inbound_agent_version_id: record.id("inbound_agent_version_id")?,
        })
    }
}

/// The scopes of a caller: a bare list, or one under `scopes` or `data`.
pub fn read_scopes(value: &Value) -> Read<Vec<String>> {
    let list = value.as_array().or_else(|| ["scopes", "data"].iter().find_map(|name| value.get(name)?.as_array()));
    let list = list.ok_or_else(|| WireError { at: String::new(), found: type_name(value).to_owned() })?;
    Ok(list
        .iter()
        .filter_map(|scope| scope.as_str().or_else(|| scope.get("name")?.as_str()))
        .map(str::to_owned)
        .collect())
}

/// Whether a routing config is in force: `enabled` is true where it is not said (contract, section 9.3).
pub fn read_routing(value: &Value) -> Read<bool> {
    match value {
        Value::Null => Ok(false),
        Value::Object(map) => Ok(map.get("enabled").and_then(Value::as_bool).unwrap_or(!map.is_empty())),
        other => Err(WireError { at: String::new(), found: type_name(other).to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_agent_is_read_under_either_name_of_its_id_and_unknown_fields_do_no_harm() {
        let agent =
            Agent::read(&json!({"agent_id": "a", "name": "A", "future": {"x": []}, "versions": null}), "").unwrap();
        assert_eq!((agent.id.as_str(), agent.versions, agent.sip_deployed), ("a", None, false));
        let agent = Agent::read(&json!({"id": "a", "agent_id": "b", "sip_endpoint": {"uri": "sip:x"}}), "").unwrap();
        assert_eq!((agent.id.as_str(), agent.sip_deployed), ("a", true));
    }

    #[test]
    fn what_must_be_there_is_named_by_its_place() {
        let error = Agent::read(&json!({"id": "a", "versions": [{"id": "v", "version": "two"}]}), "/3").unwrap_err();
        assert_eq!(error, WireError { at: "/3/versions/0/version".into(), found: "string".into() });
        let error = Agent::read(&json!({"name": "A"}), "/0").unwrap_err();
        assert_eq!(error, WireError { at: "/0/id".into(), found: "nothing".into() });
        let error = Version::read(&json!({"id": "v", "version": 1, "config": null}), "").unwrap_err();
        assert_eq!(error, WireError { at: "/config".into(), found: "null".into() });
        assert_eq!(Number::read(&json!([]), "/1").unwrap_err().found, "array");
    }

    #[test]
    fn what_would_bend_a_path_is_no_id() {
        for bad in ["..", ".", "a/../b", "a%2fb", "a?x", "a b", &"a".repeat(200)] {
            let version = json!({"id": bad, "version": 1});
            let readings = [
                Agent::read(&json!({"id": bad}), "/0").map(drop),
                Agent::read(&json!({"id": "a", "versions": [version]}), "/0").map(drop),
                Agent::read(&json!({"id": "a", "widgets": [{"id": bad}]}), "/0").map(drop),
                Version::read(&json!({"id": "v", "version": 1, "agent_id": bad, "config": {}}), "").map(drop),
                Number::read(&json!({"phone_number": "+1", "inbound_agent_version_id": bad}), "").map(drop),
                Number::read(&json!({"phone_number": bad.replace(' ', "/")}), "").map(drop),
                Widget::read(&json!({"id": "w", "agent_version_id": bad}), "").map(drop),
                Email::read(&json!({"address": bad.replace(' ', "/")}), "").map(drop),
            ];
            for reading in readings {
                let error = reading.unwrap_err();
                assert!(error.found.starts_with("a text that cannot be"), "{bad}: {error:?}");
            }
        }
        let number = Number::read(&json!({"phone_number": "sip:front@desk.test", "inbound_agent_version_id": ""}), "");
        assert_eq!(number.unwrap().inbound, None);
    }

    #[test]
    fn scopes_and_routing_are_read_in_every_shape_that_is_likely() {
        for value in [json!(["a", "b"]), json!({"scopes": ["a", "b"]}), json!({"data": [{"name": "a"}, "b"]})] {
            assert_eq!(read_scopes(&value).unwrap(), ["a", "b"]);
        }
        assert!(read_scopes(&json!({"x": 1})).is_err());
        assert_eq!(read_routing(&json!({"workflow_definition": {}})), Ok(true));
        assert_eq!(read_routing(&json!({"enabled": false})), Ok(false));
        assert_eq!(read_routing(&Value::Null), Ok(false));
    }
}
