//! The plan as data. Types and predicates only: the deciding is in the files beside this one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostics::{Diagnostic, Severity};
use crate::model::{Address, Back, Digest, Direction, Editor, FieldPath, Key, Origin, PhoneNumber};

use super::approve::Record;
use super::guard::RaisedLimit;
use super::verify::VerifyChange;
use super::work::{Refresh, Work};

/// Which service, organization, environment and project a plan is for. In its hash is what was declared of them: what a
/// credential lets a run see must not make another plan of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host, as `api.anyreach.ai`, or `sandbox`.
    pub host: String,
    /// The organization that the environment declares.
    pub declared_organization: Option<String>,
    /// The organization that was found, if any record named it.
    pub organization: Option<String>,
    /// The environment.
    pub environment: String,
    /// The project.
    pub project: String,
}

/// The commit that the manifests were read from. For people; not in any hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Source {
    /// The commit, where the folder is a git checkout.
    pub commit: Option<String>,
    /// Whether files differ from that commit.
    pub dirty: bool,
}

/// What a plan does to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Action {
    /// Made anew.
    Create,
    /// Anything about it changes.
    Update,
    /// Taken away, by `--prune` alone.
    Delete,
    /// Nothing changes but that it is ours from now on.
    Adopt,
}

impl Action {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
        }
    }

    /// The mark in the left margin.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
            Self::Adopt => "<-",
        }
    }
}

/// Who changed the value: Git, the dashboard, or both (design, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Cause {
    /// Changed in Git.
    Pending,
    /// Changed on the service; the plan writes the declared value back.
    Drift,
    /// Changed in both.
    Conflict,
    /// Rolled back by a person, and the manifest has not caught up.
    Rollback,
}

impl Cause {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Drift => "drift",
            Self::Conflict => "conflict",
            Self::Rollback => "rollback",
        }
    }
}

/// A value as anyone may see it. Made by masking the tree, before anything is rendered (design, section 10).
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// Nothing there.
    Absent,
    /// A value; secrets inside a list or an object stand as the text `(secret)`.
    Value(Value),
    /// A secret: never its length, prefix or hash.
    Secret,
    /// A text that nobody called a secret, and that looks like a key.
    SecretByLook,
    /// A secret whose value this run does not have, so that it was not compared.
    SecretUnchecked,
    /// Known only once it is applied, as a generated instruction.
    AtApply,
}

/// What sort of value changed, by shape. It decides how the change is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Kind {
    /// Prose or any other text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A list.
    List,
    /// An object, shown when it appears, goes or is empty.
    Object,
    /// A secret.
    Secret,
    /// Null, or of no one kind.
    Other,
}

impl Kind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Object => "object",
            Self::Secret => "secret",
            Self::Other => "other",
        }
    }
}

/// Why a reviewer should look twice. For people; nothing decides by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk(pub String);

/// One value that the plan changes.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// What sort of value.
    pub kind: Kind,
    /// Who changed it.
    pub cause: Cause,
    /// What is live.
    pub before: Shown,
    /// What will be live.
    pub after: Shown,
    /// What was applied last, where that is known and differs from `before` (drift and conflict).
    pub applied: Option<Shown>,
    /// Whether the path is no longer declared, so that it goes.
    pub removal: bool,
    /// Why a reviewer should look twice.
    pub risk: Option<Risk>,
    /// The file and the line that declare the value. For people: it is in no hash.
    pub origin: Option<Origin>,
    /// Secrets of the value that are other ones now, by name: another name may be another key to another account.
    pub secrets: Vec<NamedSecret>,
}

/// A place that is declared by the name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct NamedSecret {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// How it was declared before, as `!secret NAME`, where that is known.
    pub before: Option<String>,
    /// How it is declared now.
    pub after: Option<String>,
}

/// A live edit at a path that Git does not declare. It stays.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptEdit {
    /// Where.
    pub path: FieldPath,
    /// What the applied version had.
    pub before: Shown,
    /// What is live, and stays.
    pub after: Shown,
}

/// Who holds a slot now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotHolder {
    /// Nobody.
    Empty,
    /// A version of an agent that was read.
    Agent {
        /// Its id.
        agent_id: String,
        /// Its name.
        name: String,
        /// Its key, where it is managed by this project.
        key: Option<Key>,
        /// The version.
        version: u64,
    },
    /// A version of no agent that was read: taken, never empty.
    Unknown {
        /// The version id.
        version_id: String,
    },
}

/// Who will hold a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotTarget {
    /// Nobody.
    Empty,
    /// The version that this plan makes for the agent.
    NewVersion {
        /// The agent.
        key: Key,
    },
    /// The live version of the agent.
    Version {
        /// The agent.
        key: Key,
        /// The version.
        version: u64,
    },
}

/// One slot that the plan moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotChange {
    /// The number.
    pub number: PhoneNumber,
    /// The direction.
    pub direction: Direction,
    /// Who holds it now.
    pub from: SlotHolder,
    /// Who will hold it.
    pub to: SlotTarget,
    /// Who changed it.
    pub cause: Cause,
    /// Whether it only follows its agent's new version, which needs no reader's attention.
    pub follows: bool,
    /// Why a reviewer should look twice.
    pub risk: Option<Risk>,
}

/// Why a change is in the plan but will not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Changed in Git and on the service, and nobody has decided.
    Conflict,
    /// Rolled back, and the manifest is still the one that was rolled back.
    Rollback {
        /// The version that was left.
        from: u64,
        /// The version that was copied.
        to: u64,
    },
}

/// How a conflict is decided, in words.
pub const DECIDE_A_CONFLICT: &str = "approve a plan that shows it, or use `--force-conflicts`";

impl Held {
    /// The reason in a sentence with the way out.
    pub fn describe(&self, key: &Key) -> String {
        match self {
            Self::Conflict => {
                format!("changed on the service, and nobody has decided whether that is to go; {DECIDE_A_CONFLICT}")
            }
            Self::Rollback { from, to } => format!(
                "rolled back from version {from} to {to}; change the manifest, or use `--redo {key}` to go forward again"
            ),
        }
    }
}

/// Everything that the plan does to one agent.
#[derive(Clone, Debug)]
pub struct AgentChange {
    /// `agent.<key>`.
    pub address: Address,
    /// The key.
    pub key: Key,
    /// The display name, as it will be.
    pub name: String,
    /// The service's id; absent for a create.
    pub agent_id: Option<String>,
    /// What is done.
    pub action: Action,
    /// The hash of what is done.
    pub change_hash: Digest,
    /// The live version that it starts from.
    pub base_version: Option<u64>,
    /// Whether a new version is made.
    pub new_version: bool,
    /// Whether the agent had no stamp of ours until now.
    pub adopts: bool,
    /// The key that it had before, by `moved`.
    pub moved_from: Option<Key>,
    /// Where the manifest stands; absent for a delete.
    pub origin: Option<Origin>,
    /// Who made the live version, where it is not ours.
    pub live_editor: Option<Editor>,
    /// The values that change, in the order in which they are shown.
    pub fields: Vec<FieldChange>,
    /// Live edits that stay.
    pub kept: Vec<KeptEdit>,
    /// The slots that change hands.
    pub numbers: Vec<SlotChange>,
    /// What becomes of the program that runs before a version is published.
    pub verify: Option<VerifyChange>,
    /// What `apply` will do, in order, in sentences.
    pub steps: Vec<String>,
    /// Why it is not carried out.
    pub held: Option<Held>,
    /// The way back to an older version, where that is what it is.
    pub back: Option<Back>,
    /// What `apply` sends. Not for showing: it holds secrets in clear.
    pub work: Work,
}

impl AgentChange {
    /// A change of an agent that there is, in which nothing is compared: what it does is in its steps and its work.
    pub fn bare(
        key: Key,
        name: String,
        agent_id: String,
        action: Action,
        change_hash: Digest,
        base_version: Option<u64>,
    ) -> Self {
        Self {
            address: Address(key.clone()),
            key,
            name,
            agent_id: Some(agent_id),
            action,
            change_hash,
            base_version,
            new_version: false,
            adopts: false,
            moved_from: None,
            origin: None,
            live_editor: None,
            fields: Vec::new(),
            kept: Vec::new(),
            numbers: Vec::new(),
            verify: None,
            steps: Vec::new(),
            held: None,
            back: None,
            work: Work::default(),
        }
    }

    /// Whether any field or slot has this cause.
    pub fn has_cause(&self, cause: Cause) -> bool {
        self.fields.iter().any(|field| field.cause == cause) || self.numbers.iter().any(|slot| slot.cause == cause)
    }

    /// How many edits made on the service it overwrites. A slot that drifted only follows its version.
    pub fn overwritten(&self) -> usize {
        let is_edit = |cause| matches!(cause, Cause::Drift | Cause::Conflict);
        self.fields.iter().filter(|field| is_edit(field.cause)).count()
            + self.numbers.iter().filter(|slot| slot.cause == Cause::Conflict).count()
    }

    /// Whether anything about it should be looked at twice.
    pub fn is_risky(&self) -> bool {
        self.action == Action::Delete
            || self.verify.is_some()
            || self.fields.iter().any(|field| field.risk.is_some())
            || self.numbers.iter().any(|slot| slot.risk.is_some())
    }

    /// Whether nothing changes but `verify`: no version is made, and what callers reach stays as it is.
    pub fn is_verify_alone(&self) -> bool {
        let touches_nothing = !self.new_version && self.fields.is_empty() && self.numbers.is_empty();
        self.action == Action::Update && self.verify.is_some() && touches_nothing
    }
}

/// An agent of ours that the plan leaves alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Unchanged {
    /// The key.
    pub key: Key,
    /// The service's id.
    pub agent_id: String,
    /// The live version.
    pub version: Option<u64>,
    /// Live edits at undeclared paths, which stay.
    pub kept: Vec<KeptEdit>,
}

/// An agent of the organization that this project does not own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmanaged {
    /// Its name.
    pub name: String,
    /// Its id.
    pub agent_id: String,
    /// The project and environment of its stamp, where it has one.
    pub owner: Option<(String, String)>,
}

/// An agent of this project and environment without a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// The key in its stamp.
    pub key: Key,
    /// Its id.
    pub agent_id: String,
    /// Its name.
    pub name: String,
    /// Whether its stamp protects it.
    pub protect: bool,
    /// Why `--prune` would not delete it, where it would not.
    pub kept_because: Option<String>,
}

/// A second agent with the stamp of a key, made by two first applies at once (design, section 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Twin {
    /// The key.
    pub key: Key,
    /// The id of the agent that is not the one.
    pub agent_id: String,
}

/// Something a person should know that is no fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The agent that it is about.
    pub address: Option<Address>,
    /// Stable and in kebab case.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// A safety limit that the plan goes beyond. The plan is shown all the same; `apply` refuses with exit code 4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct LimitBreach {
    /// What is wrong, with the numbers.
    pub message: String,
    /// The flag that lifts the limit for one run, as it would be typed.
    pub flag: String,
}

/// A plan. A value: the same inputs give the same bytes.
#[must_use = "a plan does nothing until it is approved and applied"]
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is for.
    pub target: Target,
    /// What it was made from.
    pub source: Source,
    /// The digest of the schema.
    pub schema_digest: Option<Digest>,
    /// Whether everything was read.
    pub complete: bool,
    /// Whether `--target` or `--exclude` left agents out.
    pub targeted: bool,
    /// What changes: deletes and conflicts first, then risks, updates, creates, adopts; each by key.
    pub changes: Vec<AgentChange>,
    /// What does not.
    pub unchanged: Vec<Unchanged>,
    /// Unchanged agents whose stamp is behind; `apply` brings it up to date.
    pub refreshes: Vec<Refresh>,
    /// Second agents of a key, from two first applies at once; `apply` removes those that are still bare.
    pub twins: Vec<Twin>,
    /// Agents of others.
    pub unmanaged: Vec<Unmanaged>,
    /// Agents of ours without a manifest.
    pub orphans: Vec<Orphan>,
    /// For information.
    pub notices: Vec<Notice>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// What the stamps say of plans that were applied or begun, for approval.
    pub records: Vec<Record>,
    /// Limits that it goes beyond.
    pub breaches: Vec<LimitBreach>,
    /// Limits that the pull request raises and that this plan would go beyond otherwise.
    pub raised: Vec<RaisedLimit>,
    /// Covers the sorted change hashes.
    pub plan_hash: Digest,
}

/// The counts. Text, JSON, exit code and outputs are all derived from this one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Summary {
    /// Agents made.
    pub create: usize,
    /// Agents changed.
    pub update: usize,
    /// Agents deleted.
    pub delete: usize,
    /// Agents taken over as they are.
    pub adopt: usize,
    /// Agents left alone.
    pub unchanged: usize,
    /// Agents with at least one field or slot changed on the service.
    pub drift: usize,
    /// Agents with at least one field or slot changed in both.
    pub conflict: usize,
    /// Agents of ours without a manifest.
    pub orphaned: usize,
}

impl Summary {
    /// Whether the plan would change anything.
    pub fn has_changes(&self) -> bool {
        let Self { create, update, delete, adopt, unchanged: _, drift: _, conflict: _, orphaned: _ } = self;
        create + update + delete + adopt > 0
    }
}

impl Plan {
    /// The counts.
    pub fn summary(&self) -> Summary {
        let count = |action| self.changes.iter().filter(|change| change.action == action).count();
        let cause = |cause| self.changes.iter().filter(|change| change.has_cause(cause)).count();
        Summary {
            create: count(Action::Create),
            update: count(Action::Update),
            delete: count(Action::Delete),
            adopt: count(Action::Adopt),
            unchanged: self.unchanged.len(),
            drift: cause(Cause::Drift),
            conflict: cause(Cause::Conflict),
            orphaned: self.orphans.len(),
        }
    }

    /// Whether there is an error in it.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether `apply` may carry it out: complete, and without an error.
    pub fn is_applyable(&self) -> bool {
        self.complete && !self.has_errors()
    }
}
