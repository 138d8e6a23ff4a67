//! What a service begins with: a seed file, or the quickstart.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{ADMIN_SCOPES, Credential, viewer_scopes};
use super::behaviour::Behaviour;
use super::mint::{Kind, Mint};
use super::organization::{Organization, ROUTING, version_key};
use super::record::{Agent, Authored, Email, Number, Routing, Trunk, Version, Widget};
use super::service::Service;
use super::switches::Ties;

/// A seed file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// When its records came to be; each is a second younger than the one before.
    #[serde(default = "default_time")]
    pub at: Timestamp,
    /// Credentials beside the sandbox's own.
    #[serde(default)]
    pub tokens: Vec<TokenSeed>,
    /// The organizations; the first is the home.
    pub organizations: Vec<OrganizationSeed>,
}

/// A credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSeed {
    /// The bearer token.
    pub token: String,
    /// Who acts with it.
    pub principal: String,
    /// The organizations that it may act in.
    pub organizations: Vec<String>,
    /// What it may do; the role where no scopes are listed.
    #[serde(default)]
    pub role: Role,
    /// What it may do, scope by scope, in place of a role.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// The interactive roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    #[default]
    Admin,
    /// The read scopes.
    Viewer,
}

/// An organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSeed {
    /// Its id.
    pub id: String,
    /// Numbers with empty slots; those that a version names need not stand here.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Its agents.
    #[serde(default)]
    pub agents: Vec<AgentSeed>,
    /// Its inbound routing.
    #[serde(default)]
    pub routing: Option<RoutingSeed>,
    /// Domains that email may be sent from.
    #[serde(default)]
    pub email_domains: Vec<String>,
    /// What is known of the look of domains.
    #[serde(default)]
    pub brands: BTreeMap<String, Value>,
}

/// An agent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSeed {
    /// Its id; one is made where there is none.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is active.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether it is a demo.
    #[serde(default)]
    pub is_demo: bool,
    /// Its metadata.
    #[serde(default)]
    pub metadata: Value,
    /// Whether it is exposed by SIP.
    #[serde(default)]
    pub sip: Option<bool>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Its versions, the first being 1.
    #[serde(default)]
    pub versions: Vec<VersionSeed>,
}

/// A version, and what points at it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionSeed {
    /// Its id; one is made where there is none.
    #[serde(default)]
    pub id: Option<String>,
    /// Its config, stored as it is: a seed may hold what the schema refuses.
    pub config: Value,
    /// Whether it is published.
    #[serde(default = "yes")]
    pub published: bool,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Its builder inputs, trained on.
    #[serde(default)]
    pub instruction_builder_inputs: Option<Value>,
    /// Numbers whose inbound slot it holds.
    #[serde(default)]
    pub inbound: Vec<String>,
    /// Numbers whose outbound slot it holds.
    #[serde(default)]
    pub outbound: Vec<String>,
    /// Widgets that run it.
    #[serde(default)]
    pub widgets: Vec<WidgetSeed>,
    /// Email addresses that it answers.
    #[serde(default)]
    pub emails: Vec<String>,
}

/// A web widget.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidgetSeed {
    /// Its id; one is made where there is none.
    #[serde(default)]
    pub id: Option<String>,
    /// Where it may stand.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Whether it is published.
    #[serde(default)]
    pub published: bool,
    /// Its config.
    #[serde(default)]
    pub config: Value,
}

/// The inbound routing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingSeed {
    /// The workflow.
    pub workflow_definition: Value,
    /// The name of the agent that answers where the workflow names none.
    #[serde(default)]
    pub fallback_agent: Option<String>,
    /// Whether it is on.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// The first of January 2026, UTC.
fn default_time() -> Timestamp {
    Timestamp::constant(1_767_225_600, 0)
}

/// Why a seed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It is not of the form.
    #[error("the seed cannot be read: {0}")]
    Unreadable(String),
    /// It has no organization.
    #[error("the seed names no organization")]
    NoOrganization,
    /// A slot is held twice.
    #[error("the seed puts two versions on the {direction} slot of {number}")]
    SlotTwice {
        /// The number.
        number: String,
        /// The slot.
        direction: &'static str,
    },
    /// An agent is named that is not there.
    #[error("the seed's routing falls back to `{0}`, which is not one of its agents")]
    UnknownAgent(String),
}

impl Seed {
    /// Reads a seed file.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        serde_json::from_str(text).map_err(|error| SeedError::Unreadable(error.to_string()))
    }
}

impl Service {
    /// A service that begins with a seed.
    pub fn seeded(seed: &Seed, behaviour: Behaviour) -> Result<Self, SeedError> {
        let home = seed.organizations.first().ok_or(SeedError::NoOrganization)?;
        let ties = behaviour.ties;
        let mut service = Self::empty(&home.id, behaviour);
        for token in &seed.tokens {
            service.state.credentials.insert(token.token.clone(), credential(token));
        }
        for organization in &seed.organizations {
            let mut sower = Sower { mint: &mut service.state.mint, at: seed.at, sown: 0, ties };
            let sown = sower.organization(organization)?;
            service.state.organizations.insert(organization.id.clone(), sown);
        }
        Ok(service)
    }
}

fn credential(token: &TokenSeed) -> Credential {
    let scopes = token.scopes.clone().unwrap_or_else(|| match token.role {
        Role::Admin => ADMIN_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
        Role::Viewer => viewer_scopes(),
    });
    Credential {
        principal: token.principal.clone(),
        scopes,
        organizations: token.organizations.clone(),
        expires_at: token.expires_at,
    }
}

/// Who made what no seed says the maker of.
const SOWER: &str = "user_dashboard";

struct Sower<'a> {
    mint: &'a mut Mint,
    at: Timestamp,
    sown: i64,
    ties: Ties,
}

impl Sower<'_> {
    fn authored(&mut self, by: Option<&str>) -> Authored {
        let time = self.at.checked_add(SignedDuration::from_secs(self.sown)).unwrap_or(self.at);
        self.sown += 1;
        self.mint.observe(time);
        let created_at = self.mint.birth(self.ties);
        let by = by.unwrap_or(SOWER);
        Authored {
            created_at,
            updated_at: created_at,
            created_by: by.to_owned(),
            modified_by: by.to_owned(),
            serial: self.mint.serial(),
        }
    }

    fn id(&mut self, given: Option<&String>, kind: Kind) -> String {
        given.cloned().unwrap_or_else(|| self.mint.id(kind).0)
    }

    fn organization(&mut self, seed: &OrganizationSeed) -> Result<Organization, SeedError> {
        let mut organization = Organization::new(&seed.id);
        organization.email_domains.clone_from(&seed.email_domains);
        organization.brands.clone_from(&seed.brands);
        let trunk = self.trunk(&mut organization, "Sandbox trunk");
        for number in &seed.numbers {
            self.number(&mut organization, &trunk, number);
        }
        for agent in &seed.agents {
            self.agent(&mut organization, &trunk, agent)?;
        }
        if let Some(routing) = &seed.routing {
            let fallback_agent_id = match &routing.fallback_agent {
                None => None,
                Some(name) => {
                    let agent = organization.agents.iter().find(|agent| agent.name == *name);
                    Some(agent.ok_or_else(|| SeedError::UnknownAgent(name.clone()))?.id.clone())
                }
            };
            let routing = Routing {
                workflow_definition: routing.workflow_definition.clone(),
                fallback_agent_id,
                fallback_agent_version: None,
                enabled: routing.enabled,
                authored: self.authored(None),
            };
            organization.routing.put(ROUTING, routing, 0);
        }
        Ok(organization)
    }

    fn trunk(&mut self, organization: &mut Organization, name: &str) -> String {
        let id = self.id(None, Kind::Trunk);
        let trunk = Trunk {
            id: id.clone(),
            name: name.to_owned(),
            managed: true,
            inbound_config: Value::Null,
            outbound_config: Value::Null,
            authored: self.authored(Some("system")),
        };
        organization.trunks.put(&id, trunk, 0);
        id
    }

    fn number(&mut self, organization: &mut Organization, trunk: &str, number: &str) {
        if organization.numbers.get(number).is_none() {
            let record = Number {
                phone_number: number.to_owned(),
                trunk_id: Some(trunk.to_owned()),
                inbound: None,
                outbound: None,
                managed_account_id: None,
                external_id: None,
                outbound_shareable: false,
                authored: self.authored(Some("system")),
            };
            organization.numbers.put(number, record, 0);
        }
    }

    fn agent(&mut self, organization: &mut Organization, trunk: &str, seed: &AgentSeed) -> Result<(), SeedError> {
        let id = self.id(seed.id.as_ref(), Kind::Agent);
        let agent = Agent {
            id: id.clone(),
            name: seed.name.clone(),
            description: seed.description.clone(),
            active: seed.active,
            is_demo: seed.is_demo,
            metadata: seed.metadata.clone(),
            sip_deployed: seed.sip,
            authored: self.authored(seed.created_by.as_deref()),
        };
        organization.agents.put(&id, agent, 0);
        for (number, version) in (1..).zip(&seed.versions) {
            self.version(organization, trunk, &id, number, version)?;
        }
        Ok(())
    }

    fn version(
        &mut self,
        organization: &mut Organization,
        trunk: &str,
        agent_id: &str,
        number: u64,
        seed: &VersionSeed,
    ) -> Result<(), SeedError> {
        let id = self.id(seed.id.as_ref(), Kind::Version);
        let version = Version {
            id: id.clone(),
            agent_id: agent_id.to_owned(),
            number,
            config: seed.config.clone(),
            published: seed.published,
            inputs: seed.instruction_builder_inputs.clone(),
            trained_inputs: seed.instruction_builder_inputs.clone(),
            generated_at: None,
            manually_edited: false,
            generation: None,
            authored: self.authored(seed.created_by.as_deref()),
        };
        organization.versions.put(&version_key(agent_id, number), version, 0);
        for (direction, numbers) in [("inbound", &seed.inbound), ("outbound", &seed.outbound)] {
            for number in numbers {
                self.number(organization, trunk, number);
                let mut taken = false;
                organization.numbers.change(number, 0, |record| {
                    let slot = if direction == "inbound" { &mut record.inbound } else { &mut record.outbound };
                    taken = slot.replace(id.clone()).is_some();
                });
                if taken {
                    return Err(SeedError::SlotTwice { number: number.clone(), direction });
                }
            }
        }
        for widget in &seed.widgets {
            let config = if widget.config.is_null() { json!({}) } else { widget.config.clone() };
            let widget = Widget {
                id: self.id(widget.id.as_ref(), Kind::Widget),
                agent_id: agent_id.to_owned(),
                agent_version_id: id.clone(),
                domains: widget.domains.clone(),
                published: widget.published,
                config,
                authored: self.authored(None),
            };
            organization.widgets.put(&widget.id.clone(), widget, 0);
        }
        for address in &seed.emails {
            let email = Email {
                id: self.id(None, Kind::Email),
                address: address.clone(),
                provider: "resend".to_owned(),
                inbound_agent_version_id: Some(id.clone()),
                outbound_from_address: None,
                enabled: true,
                handler: "agent".to_owned(),
                handler_config: Value::Null,
                authored: self.authored(None),
            };
            organization.emails.put(&email.id.clone(), email, 0);
        }
        Ok(())
    }
}

/// How many numbers in a row the quickstart has.
const QUICKSTART_NUMBERS: u32 = 20;

/// How many numbers the larger example project declares, `+15552000001` onwards.
const EXAMPLE_NUMBERS: usize = 20;

/// An organization as `--sandbox` begins with: a managed trunk and numbers that a first manifest may name.
pub(super) fn quickstart(id: &str, mint: &mut Mint) -> Organization {
    let mut sower = Sower { mint, at: default_time(), sown: 0, ties: Ties::None };
    let mut organization = Organization::new(id);
    let trunk = sower.trunk(&mut organization, "Sandbox trunk");
    for position in 0..QUICKSTART_NUMBERS {
        sower.number(&mut organization, &trunk, &format!("+1555010{position:04}"));
    }
    sower.number(&mut organization, &trunk, "+15551234567");
    sower.number(&mut organization, &trunk, "+15550001111");
    for position in 1..=EXAMPLE_NUMBERS {
        sower.number(&mut organization, &trunk, &format!("+155520000{position:02}"));
    }
    organization.email_domains.push("sandbox.example".to_owned());
    organization
}
