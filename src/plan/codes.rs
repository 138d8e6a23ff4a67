//! Every code that a plan's problems can have. They are stable: people search for them.

/// An agent that inbound numbers lead to has no prompt.
pub const NO_PROMPT: &str = "no-prompt";

/// A `!secret` has no value.
pub const SECRET_MISSING: &str = "secret-missing";

/// The code that a text names, if planning has it.
pub fn known(text: &str) -> Option<&'static str> {
    ALL.iter().map(|(code, _)| *code).find(|code| *code == text)
}

/// Every code with what it means, for documentation and for reports of problems.
pub const ALL: [(&str, &str); 27] = [
    ("agent-bound-twice", "two manifests bind to one live agent"),
    ("agents-forbidden", "the credential may not read the agents"),
    ("config-unreadable", "the live config of an agent could not be read"),
    ("id-is-taken", "the agent that `id` names belongs to another manifest or project"),
    ("id-mismatch", "`id` names another agent than the one that is managed under this key"),
    ("id-not-found", "the organization has no agent with the `id` that a manifest names"),
    ("inbound-routing-enabled", "inbound calls of a number are routed by rules, which may pass the agent by"),
    ("incomplete-reading", "a list of the service was not read to its end, so that nothing can be applied"),
    ("invalid-as-live", "a declared value breaks the schema, and is live as it is"),
    ("invalid-config", "the new config breaks the service's schema"),
    ("key-was-renamed", "the agent is managed by this project under a key without a manifest"),
    ("live-config-invalid", "the live config breaks the schema at a path that Git does not declare"),
    ("masked-secret", "the service masks a secret of the live config, so that writing it back would break it"),
    ("name-in-another-project", "an agent of that name belongs to another project"),
    ("name-is-ambiguous", "several live agents have the name, and none of them is managed yet"),
    (NO_PROMPT, "an agent that inbound numbers lead to has no prompt"),
    ("not-supported-yet", "a field that this version cannot manage"),
    ("number-is-taken", "a number's slot belongs to an agent of another project"),
    ("numbers-sit-on-an-unmanaged-agent", "all declared numbers sit on one agent that nobody manages"),
    ("numbers-without-a-version", "numbers are declared for an agent that has no version to hold them"),
    ("reference-gone", "a version to go back to refers to an agent that is no longer there"),
    ("removal-of-a-required-field", "a path that the schema requires is no longer declared"),
    ("rollback-impossible", "an agent has no version that it could go back to"),
    ("rollback-invalid", "a version to go back to no longer fits the service's schema"),
    (SECRET_MISSING, "a change needs the value of a `!secret` that this run does not have"),
    ("stamp-unreadable", "what reachform recorded on an agent cannot be read"),
    ("unknown-number", "the organization has no such phone number"),
];
