//! The `verify` of a manifest: the program that must succeed on a new draft before it is published (design, section 10).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::digest::{LeafHash, Salt};

/// A program with its arguments, and what it may see of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Verify {
    /// Program and arguments; no shell reads them.
    pub command: Vec<String>,
    /// Names of environment variables that it may see beside the fixed ones.
    pub env: Vec<String>,
}

impl Verify {
    /// Its hash in a stamp, by which a plan knows whether it was applied.
    pub fn hash(&self, salt: &Salt) -> LeafHash {
        salt.hash(&json!([self.command, self.env]))
    }
}

/// Beginnings of names that hold, or lead to, what a run of a pipeline may do: this program's own variables, and those of
/// the forges.
const WITHHELD_PREFIXES: [&str; 6] = ["ANYREACH_", "REACHFORM_", "GITHUB_", "GITLAB_", "ACTIONS_", "CI_JOB_JWT"];

/// Whole names of the same kind.
const WITHHELD_NAMES: [&str; 7] = [
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "CI_JOB_TOKEN",
    // GitLab puts the job's token into this address.
    "CI_REPOSITORY_URL",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
    "CI_DEPENDENCY_PROXY_PASSWORD",
];

/// Whether a variable never reaches `verify`, whatever the manifest says. Some systems do not distinguish the case of such
/// names, and a manifest must not be valid on one machine and dangerous on another, so case never counts.
pub fn is_withheld(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    WITHHELD_NAMES.contains(&name.as_str()) || WITHHELD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_leads_to_a_credential_is_withheld_however_it_is_spelled() {
        for name in [
            "ANYREACH_TOKEN",
            "ANYREACH_TOKEN_PROD",
            "anyreach_token",
            "ANYREACH_ORG_ID",
            "REACHFORM_SECRET_CRM",
            "REACHFORM_INPUT_TOKEN_ANYREACH",
            "GITHUB_TOKEN",
            "GitHub_Output",
            "GH_TOKEN",
            "GITLAB_TOKEN",
            "CI_JOB_TOKEN",
            "CI_JOB_JWT_V2",
            "CI_REPOSITORY_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
        ] {
            assert!(is_withheld(name), "{name}");
        }
        for name in ["PATH", "CHECK_URL", "CHECK_TOKEN", "MY_GITHUB_TOKEN", "CI", "CI_COMMIT_SHA", "GH_HOST", ""] {
            assert!(!is_withheld(name), "{name}");
        }
    }

    #[test]
    fn the_hash_tells_arguments_apart_from_each_other_and_from_variables() {
        let salt = Salt::new([1; 16]);
        let of = |command: &[&str], env: &[&str]| {
            let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            Verify { command: texts(command), env: texts(env) }.hash(&salt)
        };
        let hashes = [
            of(&["a", "b c"], &[]),
            of(&["a", "b", "c"], &[]),
            of(&["a b", "c"], &[]),
            of(&["a", "b"], &["c"]),
            of(&["a"], &["b", "c"]),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert_eq!(hashes.iter().position(|other| other == hash), Some(index));
        }
    }
}
