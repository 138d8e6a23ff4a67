//! Every code that a plan's problems can have. They are stable: people search for them.

use crate::diagnostics::Code;

/// An agent that inbound numbers lead to has no prompt.
pub const NO_PROMPT: &str = "no-prompt";

/// A `!secret` has no value.
pub const SECRET_MISSING: &str = "secret-missing";

/// The code that a text names, if planning has it.
pub fn known(text: &str) -> Option<&'static str> {
    ALL.iter().map(|known| known.code).find(|code| *code == text)
}

/// Every code, for documentation and for reports of problems.
pub const ALL: [Code; 27] = [
    Code {
        code: "agent-bound-twice",
        meaning: "Two manifests bind to one live agent.",
        fix: "Give one of the manifests another `name`, or an `id:` of its own.",
    },
    Code {
        code: "agents-forbidden",
        meaning: "The credential may not read the agents.",
        fix: "Use a key with the scope `agents:read`; see the page on scopes.",
    },
    Code {
        code: "config-unreadable",
        meaning: "The live config of an agent could not be read.",
        fix: "Run the command again. If it stays, the message names the request that failed.",
    },
    Code {
        code: "id-is-taken",
        meaning: "The agent that `id` names belongs to another manifest or project.",
        fix: "Remove the `id`, or take the agent out of the other manifest or project first.",
    },
    Code {
        code: "id-mismatch",
        meaning: "`id` names another agent than the one that is managed under this key.",
        fix: "Remove the `id`: the agent is found by its key. To bind the manifest to the other agent, give it a new key.",
    },
    Code {
        code: "id-not-found",
        meaning: "The organization has no agent with the `id` that a manifest names.",
        fix: "Ids differ in each organization: set `id` under `environments:`, or take it out.",
    },
    Code {
        code: "inbound-routing-enabled",
        meaning: "Inbound calls of a number are routed by rules, which may pass the agent by.",
        fix: "Check in the dashboard that the routing rules lead to the agents that the slots name. The slots are written all the same.",
    },
    Code {
        code: "incomplete-reading",
        meaning: "A list of the service was not read to its end, so that nothing can be applied.",
        fix: "Run the command again. Nothing is created, deleted or judged absent on a partial reading.",
    },
    Code {
        code: "invalid-as-live",
        meaning: "A declared value breaks the schema, and is live as it is.",
        fix: "Nothing has to be done: the live version has this value too, so the service accepted it. Correct the value if it is wrong.",
    },
    Code {
        code: "invalid-config",
        meaning: "The new config breaks the service's schema.",
        fix: "Declare what is missing, or take out what does not fit. The new config would be refused.",
    },
    Code {
        code: "key-was-renamed",
        meaning: "The agent is managed by this project under a key without a manifest.",
        fix: "If the key was renamed, add the line `moved: [OLD-KEY]`. If this is another agent, give it another name.",
    },
    Code {
        code: "live-config-invalid",
        meaning: "The live config breaks the schema at a path that Git does not declare.",
        fix: "Nothing has to be done. If the service refuses the next version, correct the value in the dashboard, or declare it.",
    },
    Code {
        code: "masked-secret",
        meaning: "The service masks a secret of the live config, so that writing it back would break it.",
        fix: "Declare the value with `!secret NAME`, or make the change in the dashboard. Writing back a mask would destroy the secret.",
    },
    Code {
        code: "name-in-another-project",
        meaning: "An agent of that name belongs to another project.",
        fix: "Nothing has to be done if a second agent of that name is wanted. Else take the agent out of the other project first.",
    },
    Code {
        code: "name-is-ambiguous",
        meaning: "Several live agents have the name, and none of them is managed yet.",
        fix: "Say which one is meant with `id:`; `reachform list` shows the ids.",
    },
    Code {
        code: NO_PROMPT,
        meaning: "An agent that inbound numbers lead to has no prompt.",
        fix: "Declare `instructions` under `config.agent`, or move the number to another agent.",
    },
    Code {
        code: "not-supported-yet",
        meaning: "A field that this version cannot manage.",
        fix: "Take the field out of the manifest. What is not declared is left as it is.",
    },
    Code {
        code: "number-is-taken",
        meaning: "A number's slot belongs to an agent of another project.",
        fix: "Remove the number, or take it all the same with `--take NUMBER`.",
    },
    Code {
        code: "numbers-sit-on-an-unmanaged-agent",
        meaning: "All declared numbers sit on one agent that nobody manages.",
        fix: "Add `id:` with the id of that agent to manage it, or make a new one with `--create KEY`.",
    },
    Code {
        code: "numbers-without-a-version",
        meaning: "Numbers are declared for an agent that has no version to hold them.",
        fix: "Declare `config`, so that a version can be made and published: a number points at a published version.",
    },
    Code {
        code: "reference-gone",
        meaning: "A version to go back to refers to an agent that is no longer there.",
        fix: "Choose another version with `--to`, or change the manifest instead.",
    },
    Code {
        code: "removal-of-a-required-field",
        meaning: "A path that the schema requires is no longer declared.",
        fix: "Declare the path again, or add it to `release` to leave its live value as it is.",
    },
    Code {
        code: "rollback-impossible",
        meaning: "An agent has no version that it could go back to.",
        fix: "Look at its versions with `reachform versions KEY`, and name one with `--to`; or change the manifest instead.",
    },
    Code {
        code: "rollback-invalid",
        meaning: "A version to go back to no longer fits the service's schema.",
        fix: "Choose another version with `--to`, or change the manifest instead.",
    },
    Code {
        code: SECRET_MISSING,
        meaning: "A change needs the value of a `!secret` that this run does not have.",
        fix: "Set `REACHFORM_SECRET_NAME` for this run. In a pipeline, map the secret into the step's environment.",
    },
    Code {
        code: "stamp-unreadable",
        meaning: "What reachform recorded on an agent cannot be read.",
        fix: "If a newer reachform wrote the record, use that one. Otherwise restore the agent's metadata, or remove its key `reachform` to start over.",
    },
    Code {
        code: "unknown-number",
        meaning: "The organization has no such phone number.",
        fix: "Buy the number or add it to a trunk first, or take it out of `phone_numbers`.",
    },
];
