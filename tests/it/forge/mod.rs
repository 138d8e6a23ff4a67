//! Tests of `forge`: against stand-ins of GitHub and GitLab, in this process and on a socket.

mod checks;
mod command;
mod comments;
pub(crate) mod github;
pub(crate) mod gitlab;
mod issues;
mod lookup;
mod notes;
mod sizes;
pub(crate) mod standin;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use reachform::forge::{Connection, Context, Forge, connect};
use reachform::http::{Redactor, SeededEntropy, SimulatedClock, Transport};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A forge over a stand-in, with a clock that needs no waiting.
fn forge(transport: Arc<dyn Transport>, context: &Context) -> Box<dyn Forge> {
    let connection = Connection {
        api: Arc::clone(&transport),
        graphql: transport,
        clock: Arc::new(SimulatedClock::new(Timestamp::UNIX_EPOCH)),
        entropy: Arc::new(SeededEntropy::new(7)),
        redactor: Redactor::default(),
        token_source: "GITHUB_TOKEN".to_owned(),
        cancel: CancellationToken::new(),
    };
    connect(context, &connection)
}

/// What GitHub Actions tells of a run.
fn context(run: u64, attempt: u64, event: &Value) -> Context {
    let name = if event.get("workflow_run").is_some() { "workflow_run" } else { "pull_request" };
    let variables = [
        ("GITHUB_REPOSITORY", "acme/agents".to_owned()),
        ("GITHUB_SHA", "m".repeat(40)),
        ("GITHUB_EVENT_NAME", name.to_owned()),
        ("GITHUB_RUN_ID", run.to_string()),
        ("GITHUB_RUN_ATTEMPT", attempt.to_string()),
    ];
    let variables: BTreeMap<String, String> = variables.map(|(name, value)| (name.to_owned(), value)).into();
    Context::read(&variables, Some(&event.to_string())).unwrap()
}

/// The event of a pull request at a commit.
pub(crate) fn pull_request(number: u64, head: &str) -> Value {
    json!({"pull_request": {"number": number, "user": {"login": "ann"},
        "head": {"sha": head, "label": "acme:fix", "repo": {"full_name": "acme/agents"}},
        "base": {"repo": {"full_name": "acme/agents"}}}})
}

/// A commit that is made of one letter.
fn sha(letter: &str) -> String {
    letter.repeat(40)
}
