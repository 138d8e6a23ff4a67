//! The paths of the service (contract, sections 5 to 10), with what stands in them encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::PhoneNumber;

/// Everything but what RFC 3986 leaves unreserved. A `+` in a number must not arrive as a blank.
const STEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// All agents.
pub const AGENTS: &str = "/core/agents";
/// All numbers.
pub const NUMBERS: &str = "/core/phone-numbers";
/// All widgets.
pub const WIDGETS: &str = "/core/web-widgets";
/// All email addresses.
pub const EMAILS: &str = "/core/email-addresses";
/// The schema of configs.
pub const SCHEMA: &str = "/core/agent-config-schema";
/// The one routing config of the organization.
pub const ROUTING: &str = "/core/inbound-routing-config";
/// What this credential may do.
pub const SCOPES: &str = "/admin/members/me/scopes";

/// One agent.
pub fn agent(id: &str) -> String {
    format!("{AGENTS}/{}", step(id))
}

/// The versions of an agent.
pub fn versions(agent_id: &str) -> String {
    format!("{}/versions", agent(agent_id))
}

/// One version. It takes a number, so the word `latest` cannot stand here: reading that may create a draft.
pub fn version(agent_id: &str, version: u64) -> String {
    format!("{}/versions/{version}", agent(agent_id))
}

/// The service's own prose about two versions.
pub fn compare(agent_id: &str) -> String {
    format!("{}/compare", versions(agent_id))
}

/// Publishing a version.
pub fn publish(agent_id: &str, number: u64) -> String {
    format!("{}/publish", version(agent_id, number))
}

/// The SIP exposure of an agent.
pub fn sip(agent_id: &str) -> String {
    format!("{}/deploy-as-sip", agent(agent_id))
}

/// One number.
pub fn number(number: &PhoneNumber) -> String {
    format!("{NUMBERS}/{}", step(number.as_str()))
}

/// One widget.
pub fn widget(id: &str) -> String {
    format!("{WIDGETS}/{}", step(id))
}

/// One email address.
pub fn email(id: &str) -> String {
    format!("{EMAILS}/{}", step(id))
}

fn step(text: &str) -> String {
    utf8_percent_encode(text, STEP).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_path_cannot_change_it() {
        assert_eq!(number(&PhoneNumber::from_service("+1 5/5")), "/core/phone-numbers/%2B1%205%2F5");
        assert_eq!(version("a/b?c", 3), "/core/agents/a%2Fb%3Fc/versions/3");
    }
}
