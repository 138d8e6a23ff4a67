//! The one interface to a forge: what every one of them can do, and the connection to it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::http::runtime::Later;
use crate::http::{Client, ClientOptions, Clock, Entropy, Redactor, RetryPolicy, Transport};

use super::check::CheckRun;
use super::comment::Comment;
use super::context::{Context, Host};
use super::github::GitHub;
use super::gitlab::GitLab;
use super::warning::Warning;

/// What a forge answers, or what it refused.
pub type Answered<'a, T> = Later<'a, Result<T, Warning>>;

/// A pull request, or a merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its head commit.
    pub head_sha: String,
    /// The repository of the head, `None` where it was deleted.
    pub head_repository: Option<String>,
    /// The commit that it was merged as; `None` if it is not merged.
    pub merge_sha: Option<String>,
    /// Whether it is open.
    pub open: bool,
    /// Where it is.
    pub url: String,
}

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Who opened it.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
    /// Where it is.
    pub url: String,
}

/// What changes about an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueEdit {
    /// The text.
    pub body: Option<String>,
    /// Open it, or close it.
    pub open: Option<Closing>,
}

/// Whether an issue is open, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Open.
    Open,
    /// Closed because it is settled.
    Done,
    /// Closed because another issue is for the same.
    Duplicate,
}

/// The issues that were found, and whether these are all that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issues {
    /// The issues.
    pub list: Vec<Issue>,
    /// Whether the list was read to its end.
    pub complete: bool,
}

/// A check run to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCheck {
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// What it stands for: the plan's hash.
    pub external_id: String,
    /// `success`, `neutral`, `action_required`, …
    pub conclusion: &'static str,
    /// One line.
    pub title: String,
    /// Markdown, with our marker in its first line.
    pub summary: String,
    /// Where more can be seen.
    pub details_url: Option<String>,
}

/// A forge. Every method is one thing to do, with all the requests that it takes.
pub trait Forge: Send + Sync {
    /// Which one.
    fn host(&self) -> Host;

    /// Most bytes of a comment.
    fn comment_bytes(&self) -> usize;

    /// A word that matters begins: it gets the whole patience, however much earlier ones have used up.
    fn renew_patience(&self);

    /// How long this run has waited because the forge asked it to.
    fn waited(&self) -> Duration;

    /// How long requests still wait because the forge asked for it.
    fn pause(&self) -> Duration;

    /// Waits until what was sent just now would be listed, if it arrived.
    fn settle(&self) -> Later<'_, ()>;

    /// The login of the token's owner: by it our own comments are known.
    fn login(&self) -> Answered<'_, String>;

    /// A pull request.
    fn pull_request(&self, number: u64) -> Answered<'_, PullRequest>;

    /// The pull requests that a commit belongs to.
    fn pull_requests_of_commit<'a>(&'a self, sha: &'a str) -> Answered<'a, Vec<PullRequest>>;

    /// The open pull requests from a branch, `owner:branch`.
    fn pull_requests_of_branch<'a>(&'a self, branch: &'a str) -> Answered<'a, Vec<PullRequest>>;

    /// The pull requests that were merged last, the newest first. One page of them.
    fn merged_lately(&self) -> Answered<'_, Vec<PullRequest>>;

    /// Whether a commit is among those of a pull request.
    fn has_commit<'a>(&'a self, number: u64, sha: &'a str) -> Answered<'a, bool>;

    /// All comments of a pull request, page by page to the end.
    fn comments(&self, number: u64) -> Answered<'_, Vec<Comment>>;

    /// Writes a comment.
    fn create_comment<'a>(&'a self, number: u64, body: &'a str) -> Answered<'a, Comment>;

    /// Writes a comment anew.
    fn edit_comment<'a>(&'a self, number: u64, id: u64, body: &'a str) -> Answered<'a, Comment>;

    /// The labels of a pull request.
    fn labels(&self, number: u64) -> Answered<'_, Vec<String>>;

    /// Adds a label to a pull request, and takes others off; one that is gone already is no failure.
    fn relabel<'a>(&'a self, number: u64, add: Option<&'a str>, remove: &'a [String]) -> Answered<'a, ()>;

    /// Issues, open and closed, the newest first; with this label, where one is named.
    fn issues<'a>(&'a self, label: Option<&'a str>) -> Answered<'a, Issues>;

    /// Opens an issue.
    fn create_issue<'a>(&'a self, title: &'a str, body: &'a str, labels: &'a [String]) -> Answered<'a, Issue>;

    /// Changes an issue.
    fn edit_issue<'a>(&'a self, number: u64, edit: &'a IssueEdit) -> Answered<'a, Issue>;

    /// Writes a comment on an issue.
    fn comment_on_issue<'a>(&'a self, number: u64, body: &'a str) -> Answered<'a, ()>;

    /// The check runs of this name on a commit.
    fn check_runs<'a>(&'a self, sha: &'a str, name: &'a str) -> Answered<'a, Vec<CheckRun>>;

    /// Writes a check run: a new one, or that of `id` anew.
    fn write_check<'a>(&'a self, id: Option<u64>, check: &'a NewCheck) -> Answered<'a, CheckRun>;
}

/// What it takes to reach a forge: transports that carry the credential, time and chance.
pub struct Connection {
    /// Carries requests to the API.
    pub api: Arc<dyn Transport>,
    /// Carries requests to `/graphql`, which on GitHub Enterprise is not below the API's address.
    pub graphql: Arc<dyn Transport>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The chance.
    pub entropy: Arc<dyn Entropy>,
    /// Knows the token, so that no message shows it.
    pub redactor: Redactor,
    /// Where the token came from, for hints.
    pub token_source: String,
    /// Ends all waiting.
    pub cancel: CancellationToken,
}

/// How patient a run is with a forge: a comment is not worth more than two minutes of anyone's pipeline. A limit that
/// asks for more ends the attempt at once instead of being waited for in part.
const PATIENCE: RetryPolicy = RetryPolicy {
    attempts: 4,
    throttled_attempts: 6,
    first_backoff: Duration::from_millis(500),
    longest_backoff: Duration::from_secs(20),
    longest_pause: Duration::from_secs(24 * 3600),
    run_limit: Duration::from_secs(120),
};

/// How long a forge may take to list what it has stored.
pub(super) const SETTLING: Duration = Duration::from_secs(1);

/// How many requests are in flight: pages are read in turn, and forges dislike bursts of writes.
const IN_FLIGHT: usize = 2;

impl Connection {
    pub(super) fn client(&self) -> Client {
        let options = ClientOptions {
            retry: PATIENCE,
            in_flight: IN_FLIGHT,
            redactor: self.redactor.clone(),
            token_source: self.token_source.clone(),
            cancel: self.cancel.clone(),
        };
        Client::new(Arc::clone(&self.api), Arc::clone(&self.clock), Arc::clone(&self.entropy), options)
    }
}

/// The forge that a pipeline runs on. Nothing is sent yet.
pub fn connect(context: &Context, connection: &Connection) -> Box<dyn Forge> {
    match context.host {
        Host::GitHub => Box::new(GitHub::new(connection, &context.repository)),
        Host::GitLab => Box::new(GitLab::new(connection, &context.repository)),
    }
}

/// The address under which `/graphql` is: GitHub Enterprise has its API at `/api/v3` and GraphQL at `/api/graphql`.
pub fn graphql_base(api_url: &str) -> &str {
    let trimmed = api_url.trim_end_matches('/');
    trimmed.strip_suffix("/v3").unwrap_or(trimmed)
}

#[cfg(test)]
mod tests {
    use super::graphql_base;

    #[test]
    fn graphql_is_beside_the_api_of_an_enterprise_and_below_that_of_github() {
        assert_eq!(graphql_base("https://ghe.test/api/v3/"), "https://ghe.test/api");
        assert_eq!(graphql_base("https://api.github.com"), "https://api.github.com");
    }
}
