//! The state machine: a request and a time in, an answer out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{self, Caller, Credential};
use super::agent_config::ConfigSchema;
use super::answer::{self, Refusal, Reply};
use super::behaviour::Behaviour;
use super::builder;
use super::call::Call;
use super::mint::Mint;
use super::organization::Organization;
use super::route::{self, Access};
use super::seed;
use crate::http::{Method, Request, Response};

/// The token of the embedded service: an admin, at home in any organization.
pub const SANDBOX_TOKEN: &str = "ak_sandbox.local";

/// The organization that the token acts in where the request names none.
pub const SANDBOX_ORGANIZATION: &str = "org_sandbox";

/// The format of the stored state; a file with another number was written by another version of the program.
const FORMAT: u32 = 1;

/// The service. The same requests at the same times give the same answers, byte for byte.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) state: State,
    behaviour: Behaviour,
    schema: ConfigSchema,
    revision: u64,
}

/// What outlives the process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    format: u32,
    pub(super) mint: Mint,
    served: u64,
    /// The organization that snapshots speak of.
    pub(super) home: String,
    pub(super) organizations: BTreeMap<String, Organization>,
    pub(super) credentials: BTreeMap<String, Credential>,
}

/// Why a stored state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It is no state at all.
    #[error("the stored state of the sandbox is damaged: {0}")]
    Damaged(String),
    /// It is of another version.
    #[error("the stored state of the sandbox has format {found}, this program reads {FORMAT}")]
    Format {
        /// The format that it says it has.
        found: u32,
    },
}

impl Service {
    /// A service with nothing in it but the home organization.
    pub fn empty(home: &str, behaviour: Behaviour) -> Self {
        let state = State {
            format: FORMAT,
            home: home.to_owned(),
            organizations: BTreeMap::from([(home.to_owned(), Organization::new(home))]),
            ..State::default()
        };
        Self { state, behaviour, schema: ConfigSchema::embedded(), revision: 0 }
    }

    /// What `--sandbox` begins with: `org_sandbox`, its managed trunk, and the numbers `+15550100000` to
    /// `+15550100019`, `+15551234567`, `+15550001111` and `+15552000001` to `+15552000020`. An organization that a request of [`SANDBOX_TOKEN`] names and that does
    /// not exist begins likewise.
    pub fn quickstart(behaviour: Behaviour) -> Self {
        let mut service = Self::empty(SANDBOX_ORGANIZATION, behaviour);
        let organization = seed::quickstart(SANDBOX_ORGANIZATION, &mut service.state.mint);
        service.state.organizations.insert(SANDBOX_ORGANIZATION.to_owned(), organization);
        service
    }

    /// Reads what [`Service::to_json`] wrote.
    pub fn from_json(text: &str, behaviour: Behaviour) -> Result<Self, ServiceError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = |error: serde_json::Error| ServiceError::Damaged(error.to_string());
        let Head { format } = serde_json::from_str(text).map_err(damaged)?;
        if format != FORMAT {
            return Err(ServiceError::Format { found: format });
        }
        let state = serde_json::from_str(text).map_err(damaged)?;
        Ok(Self { state, behaviour, schema: ConfigSchema::embedded(), revision: 0 })
    }

    /// The whole state as JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.state).expect("internal error: the state has only text keys")
    }

    /// How the service behaves.
    pub fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// Changes how it behaves from now on.
    pub fn set_behaviour(&mut self, behaviour: Behaviour) {
        self.behaviour = behaviour;
    }

    /// The schema that it serves and checks configs by.
    pub fn schema(&self) -> &ConfigSchema {
        &self.schema
    }

    /// Serves and checks by another schema from now on.
    pub fn set_schema(&mut self, schema: ConfigSchema) {
        self.schema = schema;
    }

    /// Grows whenever the state may have changed, so that a store knows when to write.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Serves one request.
    pub fn respond(&mut self, request: &Request, now: Timestamp) -> Response {
        self.state.mint.observe(now);
        self.state.served += 1;
        let serial = self.state.mint.clone().serial();
        let mut changed = request.method != Method::Get;
        for organization in self.state.organizations.values_mut() {
            changed |= builder::settle(organization, &mut self.state.mint, self.state.served, now);
            changed |= organization.is_lagging();
            changed |= !organization.buildings.is_empty()
                || organization.versions.iter().any(|version| version.generation.is_some());
        }
        let reply = self.dispatch(request, now);
        changed |= self.state.mint.clone().serial() != serial;
        self.revision += u64::from(changed);
        answer::respond(reply, self.behaviour.error_input, now)
    }

    /// Notes a change that no request made.
    pub(super) fn note_change(&mut self) {
        self.revision += 1;
    }

    fn dispatch(&mut self, request: &Request, now: Timestamp) -> Reply {
        let (route, parameters) = route::find(request.method, &request.path)?;
        let caller = match route.access {
            Access::Public => self.anybody(parameters.first().map_or("", String::as_str)),
            _ => access::authenticate(request, &self.state.credentials, now)?,
        };
        let scopes = route.access.scopes();
        if !scopes.is_empty() && !caller.has_one_of(&scopes) {
            return Err(Refusal::Detail(403, format!("Missing required scope: {}", scopes.join(" or "))));
        }
        let State { format: _, mint, served, home: _, organizations, credentials: _ } = &mut self.state;
        if !organizations.contains_key(&caller.organization) {
            let organization = seed::quickstart(&caller.organization, mint);
            organizations.insert(caller.organization.clone(), organization);
        }
        let organization = organizations
            .get_mut(&caller.organization)
            .ok_or_else(|| Refusal::Detail(404, format!("Organization {} not found", caller.organization)))?;
        (route.handler)(&mut Call {
            organization,
            behaviour: &self.behaviour,
            schema: &self.schema,
            mint,
            caller: &caller,
            request,
            parameters,
            served: *served,
        })
    }

    /// A caller without a credential, in the organization that owns the widget it asks for.
    fn anybody(&self, widget_id: &str) -> Caller {
        let owner =
            self.state.organizations.values().find(|organization| organization.widgets.get(widget_id).is_some());
        Caller {
            principal: "public".to_owned(),
            scopes: Vec::new(),
            organization: owner.map_or(&self.state.home, |organization| &organization.id).clone(),
        }
    }
}
