//! Who is calling, for which organization, and what the caller may do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::Refusal;
use super::service::{SANDBOX_ORGANIZATION, SANDBOX_TOKEN};
use crate::http::Request;

/// The scopes of the `admin` role.
pub(super) const ADMIN_SCOPES: &[&str] = &[
    "agents:read",
    "agents:manage",
    "phone_numbers:read",
    "phone_numbers:manage",
    "trunks:read",
    "trunks:manage",
    "web_widgets:read",
    "web_widgets:manage",
    "email_domains:read",
    "email_domains:manage",
    "campaigns:read",
    "campaigns:manage",
    "concurrency:read",
    "concurrency:manage",
    "sources:manage",
    "managed_accounts:manage",
    "members:read",
    "members:manage",
    "billing:manage",
    "organizations:manage",
    "child_organizations:manage",
    "resources:manage",
    "conversations:read",
    "conversations:read_sensitive",
    "conversations:dial",
    "assessments:read",
    "assessments:manage",
];

/// The scopes of the `viewer` role.
pub(super) fn viewer_scopes() -> Vec<String> {
    ADMIN_SCOPES.iter().filter(|scope| scope.ends_with(":read")).map(|&scope| scope.to_owned()).collect()
}

/// What a bearer token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Credential {
    /// Who acts: `created_by` and `modified_by`.
    pub(super) principal: String,
    pub(super) scopes: Vec<String>,
    /// The organizations that it may act in. An organization key has one; a personal token names one in a header.
    pub(super) organizations: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
}

/// The caller of one request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) principal: String,
    pub(super) scopes: Vec<String>,
    pub(super) organization: String,
}

impl Caller {
    /// Whether the caller has one of the scopes.
    pub(super) fn has_one_of(&self, scopes: &[String]) -> bool {
        scopes.iter().any(|scope| self.scopes.contains(scope))
    }
}

/// The prefix of organization keys that the sandbox accepts without having been told of them.
const SANDBOX_KEY: &str = "ak_sandbox.";

/// Reads the credential of a request.
pub(super) fn authenticate(
    request: &Request,
    credentials: &BTreeMap<String, Credential>,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let unauthorized = |detail: &str| Refusal::Detail(401, detail.to_owned());
    let header = request.header("authorization").ok_or_else(|| unauthorized("Missing bearer token."))?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty())
        .map(|(_, token)| token.trim())
        .ok_or_else(|| unauthorized("Malformed authorization header."))?;
    let named = request.header("x-anyreach-org").filter(|organization| !organization.is_empty());
    if let Some(credential) = credentials.get(token) {
        if credential.expires_at.is_some_and(|expiry| expiry <= now) {
            return Err(unauthorized("Token has expired."));
        }
        let organization = if token.starts_with("pat_") {
            let named = named.ok_or_else(|| unauthorized("Token is missing organization claim."))?;
            if !credential.organizations.iter().any(|organization| organization == named) {
                return Err(Refusal::Detail(403, "Not a member of this organization.".to_owned()));
            }
            named.to_owned()
        } else {
            let own = credential.organizations.first().ok_or_else(|| unauthorized("Token has no organization."))?;
            own.clone()
        };
        return Ok(Caller { principal: credential.principal.clone(), scopes: credential.scopes.clone(), organization });
    }
    if token.starts_with("pat_") && named.is_none() {
        return Err(unauthorized("Token is missing organization claim."));
    }
    let own_key = token.strip_prefix(SANDBOX_KEY).is_some_and(|secret| !secret.is_empty());
    if token == SANDBOX_TOKEN || own_key {
        // The sandbox's own keys are at home in any organization, so that all environments of a project can be tried.
        return Ok(Caller {
            principal: "key_sandbox".to_owned(),
            scopes: ADMIN_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            organization: named.unwrap_or(SANDBOX_ORGANIZATION).to_owned(),
        });
    }
    Err(unauthorized("Invalid token."))
}
