//! The stamp: what reachform remembers, on the service, under `metadata.reachform` of an agent (design, section 3).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::digest::{LeafHash, Salt};
use super::key::Key;
use super::path::FieldPath;
use super::seal::SecretHash;
use super::value::canonical;

/// The highest stamp that this program reads. A higher one is an error for that agent: a newer program owns it.
pub const STAMP_VERSION: u64 = 1;

/// The key under `metadata` that is ours.
pub const STAMP_KEY: &str = "reachform";

/// What was sent for one declared leaf, and what was read back where that differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldHash {
    /// The hash of what was sent.
    pub sent: LeafHash,
    /// The hash of the service's own rendering, where it differed.
    pub read: Option<LeafHash>,
}

impl FieldHash {
    /// What the applied version holds: the service's rendering where there is one.
    pub fn applied(&self) -> &LeafHash {
        self.read.as_ref().unwrap_or(&self.sent)
    }
}

/// Hashes by pointer. The keys are what is owned; their equality is the digest of what was sent.
pub type Fields = BTreeMap<FieldPath, FieldHash>;

/// The version that reachform published last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number; absent where an agent has never had a version by us.
    pub version: Option<u64>,
    /// The version that was live before; the same one where the apply made none. Absent where there was none, and in a
    /// stamp that was written before stamps named it.
    pub base: Option<u64>,
    /// The hash of the plan that was applied.
    pub plan: String,
    /// The hash of this agent's change in it.
    pub change: String,
    /// The source digest of the manifest.
    pub source: String,
    /// The commit, where it was known.
    pub commit: Option<String>,
    /// What was sent and read back.
    pub fields: Fields,
    /// The `verify` that this apply was made with. Absent where there was none, and in a stamp that was written before
    /// stamps named it: a `verify` of which no stamp speaks has been seen by nobody yet.
    pub verify: Option<LeafHash>,
    /// The version that somebody else published above it while the run that applied it was still at work: what was
    /// changed there, that run and its reviewers have not seen.
    pub overtaken_by: Option<u64>,
    /// Where the run that applied it can be seen, where a pipeline said so.
    pub run_url: Option<String>,
}

/// What an apply is about to do, written before it does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The run.
    pub run: String,
    /// The hash of the plan.
    pub plan: String,
    /// The hash of the change.
    pub change: String,
    /// The version it starts from; absent for an agent without a published one.
    pub base: Option<u64>,
    /// The highest version of any kind when the intent was written: what is above it is new.
    pub highest: u64,
    /// The principal that the run works as, where the service names authors: only its versions are this run's.
    pub by: Option<String>,
    /// What is about to be sent.
    pub fields: Fields,
    /// The `verify` of the manifest.
    pub verify: Option<LeafHash>,
    /// The source digest of the manifest. Absent in a stamp that was written before intents named it.
    pub source: Option<String>,
    /// The way back, where that is what is being done.
    pub rollback: Option<RolledBack>,
}

/// Which run is working on the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: String,
    /// When it was taken or renewed, by the service's clock, RFC 3339.
    pub at: String,
}

/// The way back to an older version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// The version that is left.
    pub from: u64,
    /// The version that is copied.
    pub to: u64,
    /// The source digest that is rolled back.
    pub source: String,
    /// Why, in the words of whoever does it. Absent in a stamp that was written before it was asked for.
    pub reason: Option<String>,
}

/// A rollback that the manifest has not caught up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// From where to where, and why.
    pub back: Back,
    /// Who did it.
    pub by: Option<String>,
    /// When, RFC 3339.
    pub at: String,
}

/// The part of a stamp that is stored as text, so that a service that merges metadata cannot keep half of an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampState {
    /// Keys the hashes.
    pub salt: Salt,
    /// Secrets that were sent, by their hashes, so that one is known wherever it is met. Absent in a stamp that was
    /// written before it kept them.
    pub secrets: Option<Vec<SecretHash>>,
    /// What was published last.
    pub applied: Option<Applied>,
    /// What is under way, or was when a run died.
    pub intent: Option<Intent>,
    /// Who is at it.
    pub lease: Option<Lease>,
    /// A rollback that stands.
    pub rollback: Option<RolledBack>,
}

/// A whole stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The project that owns the agent.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The manifest's key.
    pub key: Key,
    /// The agent's own id, so that a copy of the stamp on another agent counts as none. Absent only between the
    /// create and the first write after it, for the id is not known before.
    pub agent: Option<String>,
    /// Never deleted.
    pub protect: bool,
    /// The rest.
    pub state: StampState,
}

/// Why a stamp could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// A newer program wrote it.
    #[error(
        "what reachform recorded in its metadata has version {found}, and this reachform reads up to {STAMP_VERSION}"
    )]
    Newer {
        /// The version found.
        found: u64,
    },
    /// It is not what we write.
    #[error("what reachform recorded in its metadata cannot be read: {what}")]
    Unreadable {
        /// The part that is wrong.
        what: &'static str,
    },
    /// `metadata` is no object, so no stamp can stand in it.
    #[error("its `metadata` is {found} and should be an object")]
    NotAnObject {
        /// The JSON type found.
        found: &'static str,
    },
}

impl StampError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "use the reachform that wrote it, or a newer one",
            Self::Unreadable { .. } => {
                "restore the agent's metadata, or remove the key `reachform` from it to start over"
            }
            Self::NotAnObject { .. } => "make it an object, or empty it, in the dashboard",
        }
    }
}

impl Stamp {
    /// Reads the stamp from an agent's metadata. `Ok(None)` where there is none.
    pub fn read(metadata: &Value) -> Result<Option<Self>, StampError> {
        let map = match metadata {
            Value::Null => return Ok(None),
            Value::Object(map) => map,
            other => return Err(StampError::NotAnObject { found: super::value::a_type(other) }),
        };
        let Some(stamp) = map.get(STAMP_KEY) else { return Ok(None) };
        if stamp.is_null() {
            return Ok(None);
        }
        let bad = |what| StampError::Unreadable { what };
        let map = stamp.as_object().ok_or(bad("it is not an object"))?;
        let version = map.get("v").and_then(Value::as_u64).ok_or(bad("`v` is missing"))?;
        if version > STAMP_VERSION {
            return Err(StampError::Newer { found: version });
        }
        let text = |name: &str, what| map.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(bad(what));
        let state = text("state", "`state` is missing")?;
        let state: Value = serde_json::from_str(&state).map_err(|_| bad("`state` is not JSON"))?;
        Ok(Some(Self {
            project: text("project", "`project` is missing")?,
            environment: text("environment", "`environment` is missing")?,
            key: Key::parse(&text("key", "`key` is missing")?).ok_or(bad("`key` is not a valid key"))?,
            agent: map.get("agent").and_then(Value::as_str).map(str::to_owned),
            protect: map.get("protect").and_then(Value::as_bool).unwrap_or(false),
            state: read_state(&state).ok_or(bad("`state` does not hold what it should"))?,
        }))
    }

    /// The stamp as it stands under `metadata.reachform`. Equal stamps are equal bytes.
    pub fn write(&self) -> Value {
        let state = canonical(&write_state(&self.state));
        json!({
            "v": STAMP_VERSION,
            "project": self.project,
            "environment": self.environment,
            "key": self.key.as_str(),
            "agent": self.agent,
            "protect": self.protect,
            // RFC 8785 bytes are UTF-8 by construction.
            "state": String::from_utf8_lossy(&state),
        })
    }

    /// Whether the stamp speaks of the agent that it stands on. A stamp without an id is one of an unfinished create.
    pub fn is_of(&self, agent_id: &str) -> bool {
        self.agent.as_deref().is_none_or(|id| id == agent_id)
    }
}

fn write_fields(fields: &Fields) -> Value {
    let mut map = Map::new();
    for (path, hash) in fields {
        let text = match &hash.read {
            Some(read) => format!("{}/{}", hash.sent.as_str(), read.as_str()),
            None => hash.sent.as_str().to_owned(),
        };
        map.insert(path.to_string(), Value::String(text));
    }
    Value::Object(map)
}

fn read_fields(value: &Value) -> Option<Fields> {
    let mut fields = Fields::new();
    for (path, hash) in value.as_object()? {
        let hash = hash.as_str()?;
        let (sent, read) = match hash.split_once('/') {
            Some((sent, read)) => (sent, Some(LeafHash::parse(read)?)),
            None => (hash, None),
        };
        fields.insert(FieldPath::parse(path)?, FieldHash { sent: LeafHash::parse(sent)?, read });
    }
    Some(fields)
}

fn write_state(state: &StampState) -> Value {
    let mut map = Map::new();
    map.insert("salt".to_owned(), json!(state.salt.as_str()));
    if let Some(secrets) = &state.secrets {
        map.insert("secrets".to_owned(), secrets.iter().map(SecretHash::to_text).collect());
    }
    if let Some(applied) = &state.applied {
        let mut part = with_verify(
            json!({"version": applied.version, "plan": applied.plan, "change": applied.change,
                "source": applied.source, "commit": applied.commit, "fields": write_fields(&applied.fields)}),
            applied.verify.as_ref(),
        );
        if let (Value::Object(part), Some(version)) = (&mut part, applied.overtaken_by) {
            part.insert("overtaken_by".to_owned(), json!(version));
        }
        if let (Value::Object(part), Some(base)) = (&mut part, applied.base) {
            part.insert("base".to_owned(), json!(base));
        }
        if let (Value::Object(part), Some(url)) = (&mut part, &applied.run_url) {
            part.insert("run_url".to_owned(), json!(url));
        }
        map.insert("applied".to_owned(), part);
    }
    if let Some(intent) = &state.intent {
        let mut part = with_verify(
            json!({"run": intent.run, "plan": intent.plan, "change": intent.change, "base": intent.base,
                "highest": intent.highest, "by": intent.by, "fields": write_fields(&intent.fields)}),
            intent.verify.as_ref(),
        );
        if let (Value::Object(part), Some(source)) = (&mut part, &intent.source) {
            part.insert("source".to_owned(), json!(source));
        }
        if let (Value::Object(part), Some(back)) = (&mut part, &intent.rollback) {
            part.insert("rollback".to_owned(), write_rollback(back));
        }
        map.insert("intent".to_owned(), part);
    }
    if let Some(lease) = &state.lease {
        map.insert("lease".to_owned(), json!({"run": lease.run, "at": lease.at}));
    }
    if let Some(back) = &state.rollback {
        map.insert("rollback".to_owned(), write_rollback(back));
    }
    Value::Object(map)
}

fn write_rollback(rolled_back: &RolledBack) -> Value {
    let RolledBack { back: Back { from, to, source, reason }, by, at } = rolled_back;
    let mut part = json!({"from": from, "to": to, "source": source, "by": by, "at": at});
    if let (Value::Object(part), Some(reason)) = (&mut part, reason) {
        part.insert("reason".to_owned(), json!(reason));
    }
    part
}

fn read_rollback(value: &Value) -> Option<RolledBack> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    Some(RolledBack {
        back: Back { from: number("from")?, to: number("to")?, source: text("source")?, reason: text("reason") },
        by: text("by"),
        at: text("at")?,
    })
}

/// A part of the state with the hash of its `verify`, where it has one.
fn with_verify(mut part: Value, verify: Option<&LeafHash>) -> Value {
    if let (Value::Object(map), Some(hash)) = (&mut part, verify) {
        map.insert("verify".to_owned(), json!(hash.as_str()));
    }
    part
}

fn read_state(value: &Value) -> Option<StampState> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let part = |name: &str| value.get(name).filter(|part| !part.is_null());
    let verify = |part: &Value| match part.get("verify").filter(|hash| !hash.is_null()) {
        None => Ok(None),
        Some(hash) => hash.as_str().and_then(LeafHash::parse).map(Some).ok_or(()),
    };
    let applied = match part("applied") {
        None => None,
        Some(applied) => Some(Applied {
            version: applied.get("version").and_then(Value::as_u64),
            base: applied.get("base").and_then(Value::as_u64),
            plan: text(applied, "plan")?,
            change: text(applied, "change")?,
            source: text(applied, "source")?,
            commit: text(applied, "commit"),
            fields: read_fields(applied.get("fields")?)?,
            verify: verify(applied).ok()?,
            overtaken_by: applied.get("overtaken_by").and_then(Value::as_u64),
            run_url: text(applied, "run_url"),
        }),
    };
    let intent = match part("intent") {
        None => None,
        Some(intent) => Some(Intent {
            run: text(intent, "run")?,
            plan: text(intent, "plan")?,
            change: text(intent, "change")?,
            base: intent.get("base").and_then(Value::as_u64),
            highest: intent.get("highest").and_then(Value::as_u64)?,
            by: text(intent, "by"),
            fields: read_fields(intent.get("fields")?)?,
            verify: verify(intent).ok()?,
            source: text(intent, "source"),
            rollback: match intent.get("rollback").filter(|back| !back.is_null()) {
                None => None,
                Some(back) => Some(read_rollback(back)?),
            },
        }),
    };
    let lease = match part("lease") {
        None => None,
        Some(lease) => Some(Lease { run: text(lease, "run")?, at: text(lease, "at")? }),
    };
    let rollback = match part("rollback") {
        None => None,
        Some(back) => Some(read_rollback(back)?),
    };
    let secrets = match part("secrets") {
        None => None,
        Some(secrets) => {
            let hashes = secrets.as_array()?.iter().map(|hash| SecretHash::parse(hash.as_str()?));
            Some(hashes.collect::<Option<Vec<_>>>()?)
        }
    };
    Some(StampState { salt: Salt::parse(&text(value, "salt")?)?, secrets, applied, intent, lease, rollback })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        let salt = Salt::new([7; 16]);
        let hash = FieldHash { sent: salt.hash(&json!("a")), read: Some(salt.hash(&json!("b"))) };
        let fields = Fields::from([(FieldPath::parse("/config/a~1b").unwrap(), hash)]);
        Stamp {
            project: "p".into(),
            environment: "prod".into(),
            key: Key::parse("riverside").unwrap(),
            agent: Some("ag_1".into()),
            protect: true,
            state: StampState {
                salt: salt.clone(),
                secrets: Some(vec![SecretHash::parse("5:00112233445566778899aabbccddeeff").unwrap()]),
                applied: Some(Applied {
                    version: Some(3),
                    base: Some(2),
                    plan: "sha256:p".into(),
                    change: "sha256:c".into(),
                    source: "sha256:s".into(),
                    commit: None,
                    fields: fields.clone(),
                    verify: Some(salt.hash(&json!("verify"))),
                    overtaken_by: Some(4),
                    run_url: Some("https://example.com/runs/1".into()),
                }),
                intent: Some(Intent {
                    run: "r".into(),
                    plan: "p".into(),
                    change: "c".into(),
                    base: None,
                    highest: 4,
                    by: Some("key".into()),
                    fields,
                    verify: None,
                    source: Some("sha256:t".into()),
                    rollback: Some(rolled_back()),
                }),
                lease: Some(Lease { run: "r".into(), at: "2026-01-01T00:00:00Z".into() }),
                rollback: Some(rolled_back()),
            },
        }
    }

    fn rolled_back() -> RolledBack {
        RolledBack {
            back: Back { from: 3, to: 1, source: "sha256:s".into(), reason: Some("callers hear nothing".into()) },
            by: Some("jo".into()),
            at: "2026-01-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn a_stamp_survives_writing_and_reading() {
        let stamp = stamp();
        assert_eq!(Stamp::read(&json!({"team": "x", "reachform": stamp.write()})), Ok(Some(stamp)));
    }

    #[test]
    fn a_stamp_from_before_stamps_named_a_verify_speaks_of_none() {
        let stamp = stamp();
        let mut old = stamp.write();
        let mut state: Value = serde_json::from_str(old["state"].as_str().unwrap()).unwrap();
        assert!(state["applied"].as_object_mut().unwrap().shift_remove("verify").is_some());
        assert_eq!(state["intent"].get("verify"), None, "where there is none, nothing is written");
        old["state"] = json!(state.to_string());
        let mut expected = stamp;
        expected.state.applied.as_mut().unwrap().verify = None;
        assert_eq!(Stamp::read(&json!({"reachform": old})), Ok(Some(expected)));
        state["applied"]["verify"] = json!("no hash");
        old["state"] = json!(state.to_string());
        assert!(matches!(Stamp::read(&json!({"reachform": old})), Err(StampError::Unreadable { .. })));
    }

    #[test]
    fn a_stamp_of_another_agent_is_a_copy() {
        assert!(stamp().is_of("ag_1"));
        assert!(!stamp().is_of("ag_2"));
    }

    #[test]
    fn a_newer_or_broken_stamp_is_an_error_and_metadata_without_one_is_not() {
        assert_eq!(Stamp::read(&Value::Null), Ok(None));
        assert_eq!(Stamp::read(&json!({"team": 1})), Ok(None));
        assert_eq!(Stamp::read(&json!([])), Err(StampError::NotAnObject { found: "a list" }));
        let mut newer = stamp().write();
        newer["v"] = json!(2);
        assert_eq!(Stamp::read(&json!({"reachform": newer})), Err(StampError::Newer { found: 2 }));
        let mut cut = stamp().write();
        cut["state"] = json!("{\"salt\":");
        assert!(matches!(Stamp::read(&json!({"reachform": cut})), Err(StampError::Unreadable { .. })));
    }
}
