//! The files that a new project begins with.

use std::collections::BTreeMap;

use crate::model::Key;

use super::project::PROJECT_FILE;

/// What `.gitignore` must hold: the embedded service's data and cached schemas, and saved plans.
pub const IGNORED: [&str; 2] = [".reachform/", "*.plan"];

/// Letters of the random end of a project's name that cannot be mistaken for others, nor spell much.
const LETTERS: &[u8; 20] = b"bcdfghjkmnpqrstvwxyz";

/// Longest beginning of a project's name, so that four letters and a hyphen still fit.
const LONGEST: usize = 58;

/// The name of a project: what it is called, and four random letters, because two repositories of one organization must
/// not use the same name.
pub fn project_name(called: &str, random: [u8; 16]) -> String {
    let slug = Key::suggest(called);
    let stem = slug.as_str().get(..LONGEST).unwrap_or(slug.as_str()).trim_end_matches('-');
    let letters = random.iter().take(4).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]));
    format!("{stem}-{}", letters.collect::<String>())
}

/// The files of a project of this name, by their paths in it. The example is left out where there are agents already.
pub fn files(project: &str, with_example: bool) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([
        (PROJECT_FILE.to_owned(), PROJECT.replace("NAME", project)),
        (".vscode/settings.json".to_owned(), EDITOR.to_owned()),
        (".github/workflows/reachform-plan.yml".to_owned(), PLAN.to_owned()),
        (".github/workflows/reachform-apply.yml".to_owned(), APPLY.to_owned()),
    ]);
    if with_example {
        files.insert("agents/front-desk.yaml".to_owned(), AGENT.to_owned());
        files.insert("prompts/front-desk.md".to_owned(), PROMPT.to_owned());
    }
    files
}

/// The lines that a `.gitignore` lacks, behind what it holds; nothing if it lacks none.
pub fn ignoring(before: &str) -> Option<String> {
    let missing: Vec<&str> =
        IGNORED.into_iter().filter(|line| !before.lines().any(|there| there.trim() == *line)).collect();
    if missing.is_empty() {
        return None;
    }
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    Some(format!("{before}{gap}{}\n", missing.join("\n")))
}

const PROJECT: &str = r#"version: 1
# reachform records this name on every agent that it manages. No two repositories of one organization may use the same.
project: NAME
agents: [agents/]

# An environment is one organization of the service. With several, each has a token of its own, and commands take
# `--env staging`:
#
# environments:
#   staging: {token: ANYREACH_TOKEN_STAGING, variables: {front_desk: "+15550002222"}}
#   prod: {token: ANYREACH_TOKEN_PROD, variables: {front_desk: "+15551112222"}}

# Most agents that one apply may delete, and the largest share of them, in percent, that it may change.
limits: {delete: 0, change_percent: 50}
"#;

const EDITOR: &str = r#"{
  "yaml.customTags": [
    "!file scalar",
    "!merge sequence",
    "!var scalar",
    "!secret scalar",
    "!agent scalar",
    "!ref scalar",
    "!format scalar"
  ],
  "yaml.schemas": {
    ".reachform/manifest.schema.json": "agents/**/*.yaml"
  }
}
"#;

const AGENT: &str = r"key: front-desk
name: Front Desk
description: An example. Change it, or delete it and import your own agents with `reachform import --all`.

config:
  agent:
    type: static_prompt
    instructions: !file ../prompts/front-desk.md
    starting_message: {type: bot_initiates_static, text: Hello! How can I help you?}
    tools: []
    stack:
      type: stt_llm_tts
      turn_detection:
        models:
          - provider: livekit
            model: {name: multilingual}
      stt:
        models:
          - provider: deepgram
            model: {name: nova-3-general}
      llm:
        models:
          - provider: openai
            model: {name: gpt-4.1}
      tts:
        models:
          - provider: cartesia
            model:
              name: sonic-3
              parameters: {voice: the-id-of-a-voice}
";

const PROMPT: &str = "# Front desk\n\nYou answer the telephone of a small clinic.\n\n- Be brief and friendly.\n- If you do not \
    know something, say so.\n";

const PLAN: &str = r"# Shows on every pull request what it would change. `OWNER/reachform@000…` stands for the action: put in whose copy
# you use, and the full commit that you have read.
name: Plan agents
on: pull_request
permissions: {contents: read, pull-requests: write, checks: write}
jobs:
  plan:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with: {persist-credentials: false, fetch-depth: 0}
      - uses: OWNER/reachform@0000000000000000000000000000000000000000 # the commit that you have read
        with:
          command: plan
          # This key only needs to read.
          token-anyreach: ${{ secrets.ANYREACH_READ_TOKEN }}
";

const APPLY: &str = r"# Applies what was merged. Keep the key that writes in an environment of the repository that has reviewers.
name: Apply agents
on:
  push:
    branches: [main]
permissions: {contents: read, pull-requests: write, checks: read}
concurrency: {group: reachform-apply, cancel-in-progress: false}
jobs:
  apply:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    environment: agents
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with: {persist-credentials: false, fetch-depth: 0}
      - uses: OWNER/reachform@0000000000000000000000000000000000000000 # the commit that you have read
        with:
          command: apply
          # Only the plan that was shown on the pull request is applied.
          approve: plan-hash
          token-anyreach: ${{ secrets.ANYREACH_TOKEN }}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_a_name_of_its_own_whatever_its_folder_is_called() {
        assert_eq!(
            project_name("Dental Agents", [0, 1, 2, 21, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]),
            "dental-agents-bcdc"
        );
        assert_eq!(project_name("💥", [0; 16]), "agent-bbbb");
        assert_eq!(project_name(&"x".repeat(200), [0; 16]).len(), 63);
    }

    #[test]
    fn only_the_lines_that_are_missing_are_added() {
        assert_eq!(ignoring("").as_deref(), Some(".reachform/\n*.plan\n"));
        assert_eq!(ignoring("target\n.reachform/").as_deref(), Some("target\n.reachform/\n*.plan\n"));
        assert_eq!(ignoring("*.plan\n.reachform/\n"), None);
    }
}
