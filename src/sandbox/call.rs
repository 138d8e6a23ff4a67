//! One request on its way through a handler.

use super::access::Caller;
use super::agent_config::ConfigSchema;
use super::answer::{Invalid, Refusal};
use super::behaviour::Behaviour;
use super::mint::Mint;
use super::organization::Organization;
use super::record::{Agent, Authored, Deadline, Version};
use super::switches::{Secrets, ViewerConfig};
use crate::http::Request;

/// How long work in the background takes at most, in seconds: long enough to be waited for, short enough to wait.
const WORK_SECONDS: i64 = 60;

/// Everything that a handler works with.
pub(super) struct Call<'a> {
    pub(super) organization: &'a mut Organization,
    pub(super) behaviour: &'a Behaviour,
    pub(super) schema: &'a ConfigSchema,
    pub(super) mint: &'a mut Mint,
    pub(super) caller: &'a Caller,
    pub(super) request: &'a Request,
    /// What stood in the path where the route has braces, decoded.
    pub(super) parameters: Vec<String>,
    /// How many requests were served, this one included.
    pub(super) served: u64,
}

impl Call<'_> {
    /// A path parameter.
    pub(super) fn parameter(&self, position: usize) -> &str {
        self.parameters.get(position).map_or("", String::as_str)
    }

    /// For how many reads a write is not seen.
    pub(super) fn lag(&self) -> u32 {
        self.behaviour.eventual
    }

    /// Authorship of a new record.
    pub(super) fn authored(&mut self) -> Authored {
        let created_at = self.mint.birth(self.behaviour.ties);
        Authored {
            created_at,
            updated_at: created_at,
            created_by: self.caller.principal.clone(),
            modified_by: self.caller.principal.clone(),
            serial: self.mint.serial(),
        }
    }

    /// Notes a change in a record's authorship.
    pub(super) fn touch(&mut self) -> impl FnOnce(&mut Authored) + use<> {
        let (moment, principal) = (self.mint.moment(), self.caller.principal.clone());
        move |authored| {
            authored.updated_at = moment;
            authored.modified_by = principal;
        }
    }

    /// When work that begins now is done.
    pub(super) fn deadline(&self) -> Deadline {
        let now = self.mint.last();
        let time = now.checked_add(jiff::SignedDuration::from_secs(WORK_SECONDS)).unwrap_or(now);
        Deadline { request: self.served + u64::from(self.behaviour.job_requests), time }
    }

    /// The agent that the path names first.
    pub(super) fn agent(&self) -> Result<Agent, Refusal> {
        self.organization.agents.get(self.parameter(0)).cloned().ok_or_else(|| Refusal::not_found("Agent"))
    }

    /// The version that the path names second, an integer.
    pub(super) fn version(&self) -> Result<Version, Refusal> {
        let agent = self.agent()?;
        let number = version_number(self.parameter(1))?;
        self.find_version(&agent.id, number)
    }

    /// A version of an agent.
    pub(super) fn find_version(&self, agent_id: &str, number: u64) -> Result<Version, Refusal> {
        let key = super::organization::version_key(agent_id, number);
        self.organization.versions.get(&key).cloned().ok_or_else(|| Refusal::not_found("Agent version"))
    }

    /// How this caller sees secrets.
    pub(super) fn secrets(&self) -> Secrets {
        let viewer = !self.caller.has_one_of(&["agents:manage".to_owned()]);
        match (self.behaviour.viewer_config, self.behaviour.secrets) {
            (ViewerConfig::Masked, Secrets::Echo) if viewer => Secrets::Mask,
            (_, secrets) => secrets,
        }
    }
}

/// The version number that a path segment is.
pub(super) fn version_number(segment: &str) -> Result<u64, Refusal> {
    segment.parse().map_err(|_| {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        Invalid::at(["path", "version"], "int_parsing", message).with_input(segment.into()).into()
    })
}
