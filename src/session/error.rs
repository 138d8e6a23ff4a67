//! Why a run could not go on before anything was written.

use crate::api::ApiError;
use crate::model::{Key, Unseen};
use crate::schema::SchemaError;

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A request that the run cannot do without failed.
    #[error(transparent)]
    Service(#[from] ApiError),
    /// The schema of the service is of no use.
    #[error("the schema of the service cannot be used: GET /core/agent-config-schema")]
    Schema(#[source] SchemaError),
    /// The token is of another organization than the environment.
    #[error("the token belongs to organization `{found}`, and environment `{environment}` is organization `{wanted}`")]
    Organization {
        /// What the service said.
        found: String,
        /// The environment.
        environment: String,
        /// What `reachform.yaml` says.
        wanted: String,
        /// The variable that the token came from.
        variable: String,
    },
    /// The environment declares an organization, and this credential is not shown which one it works in.
    #[error(
        "environment `{environment}` is organization `{wanted}`, and it cannot be seen which organization this credential belongs to"
    )]
    OrganizationUnverified {
        /// The environment.
        environment: String,
        /// What `reachform.yaml` says.
        wanted: String,
        /// Why it is not seen.
        why: Unseen,
    },
    /// A flag names a key that no manifest has.
    #[error("no manifest has the key `{key}`")]
    UnknownKey {
        /// The key.
        key: Key,
        /// The nearest, or all of them.
        hint: String,
    },
    /// There is no such agent.
    #[error("there is no agent `{wanted}`{reading}")]
    NoAgent {
        /// What was asked for.
        wanted: String,
        /// What is said of a reading that did not see everything.
        reading: &'static str,
        /// The nearest, or where to look.
        hint: String,
    },
    /// A version that was asked for cannot be looked at.
    #[error("{what}")]
    Version {
        /// Why.
        what: String,
    },
    /// An agent was named that the service does not have.
    #[error("there is no agent with the id or the name `{word}`")]
    UnknownAgent {
        /// What was typed.
        word: String,
        /// The nearest name.
        hint: String,
    },
    /// The manifests of an import never came to rest.
    #[error("no manifests could be made of which a plan changes nothing; nothing was written")]
    Import,
    /// Another run's lease did not end in time.
    #[error("another run ({holder}) is still working on {address}")]
    Leased {
        /// The agent.
        address: String,
        /// The run.
        holder: String,
    },
    /// While this run waited for another one, that one applied a commit that this run would undo.
    #[error(
        "{applied} was applied to {address} while this run waited; this run is for {ours} and would change it again"
    )]
    Overtaken {
        /// The agent.
        address: String,
        /// The commit that was applied meanwhile.
        applied: String,
        /// The commit of this run.
        ours: String,
    },
    /// A signal.
    #[error("interrupted; nothing was changed")]
    Interrupted,
}

impl SessionError {
    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Service(error) => error.hints(),
            Self::Schema(error) => vec![error.hint().to_owned()],
            Self::Organization { wanted, variable, .. } => {
                vec![format!("set {variable} to a key of `{wanted}`, or choose another `--env`")]
            }
            Self::OrganizationUnverified { why, .. } => vec![
                format!("nothing was written: {}", why.in_words()),
                "or, for one run and if you are sure of the key, use `--organization-unverified`".to_owned(),
            ],
            Self::UnknownKey { hint, .. } | Self::NoAgent { hint, .. } | Self::UnknownAgent { hint, .. } => vec![hint.clone()],
            Self::Leased { .. } => {
                vec!["wait for it and run again, or use `--break-lease` if that run is certainly no longer running".to_owned()]
            }
            Self::Overtaken { .. } => vec![
                "nothing was written: if this run's commit is the newer one, run it again; otherwise there is nothing to do"
                    .to_owned(),
            ],
            Self::Version { .. } | Self::Interrupted => Vec::new(),
            Self::Import => vec!["import the agents one by one, by id, to see which of them it is".to_owned()],
        }
    }
}
