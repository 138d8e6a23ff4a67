//! GitHub and GitHub Enterprise: their REST API, and one GraphQL question.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::http::runtime::Later;
use crate::http::{Client, HttpError, Method, Repeat, Request};

use super::check::CheckRun;
use super::comment::Comment;
use super::context::Host;
use super::dialect::{Accepted, Dialect, accepted_for};
use super::github_wire as wire;
use super::pages::{self, MOST_PAGES};
use super::service::{Answered, Connection, Forge, Issue, IssueEdit, Issues, NewCheck, PullRequest, SETTLING};
use super::warning::{Warning, WarningKind};

/// What every request says. The version is the one that this is written for; GitHub keeps it for years.
const HEADERS: [(&str, &str); 2] = [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

/// Who `GITHUB_TOKEN` is, where GitHub does not say.
const ACTIONS_BOT: &str = "github-actions[bot]";

/// Most bytes of a comment: fits every known reading of GitHub's limit of 65,536.
const COMMENT_BYTES: usize = 60_000;

/// Most pages of issues that are looked through for one that has lost its label: the two thousand newest.
const ISSUE_PAGES: usize = 20;

const WHOSE: &str = "find out whose the token is";
const OWNER: &str = "an owner, an app or a person";
const COMMENTS: &str = "`pull-requests: write`";
const PULLS: &str = "`pull-requests: read`";
const ISSUES: &str = "`issues: write`";
const CHECKS: &str = "`checks: write`";

/// A repository on GitHub.
pub(super) struct GitHub {
    client: Client,
    graphql: Client,
    repository: String,
    accepted: Accepted,
    login: OnceCell<String>,
}

impl GitHub {
    pub(super) fn new(connection: &Connection, repository: &str) -> Self {
        let accepted = Accepted::default();
        let client = connection.client();
        let wrap = |inner| -> Arc<dyn crate::http::Transport> {
            Arc::new(Dialect::new(inner, Arc::clone(&connection.clock), &HEADERS, Arc::clone(&accepted)))
        };
        let graphql = client.through(|_api| wrap(Arc::clone(&connection.graphql)));
        let client = client.through(wrap);
        Self { client, graphql, repository: repository.to_owned(), accepted, login: OnceCell::new() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.repository)
    }

    fn failed(&self, error: &HttpError, doing: &str, permission: &str) -> Warning {
        Warning::of(error, doing, permission, accepted_for(&self.accepted, &error.request).as_deref())
    }

    /// One request, and what its answer is read as.
    async fn ask<T>(
        &self,
        method: Method,
        path: String,
        body: Option<Value>,
        about: (&str, &str),
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Warning> {
        let (doing, permission) = about;
        let mut request = Request::new(method, path);
        request.body = body.map(|body| body.to_string().into_bytes());
        let repeat = if method == Method::Post { Repeat::OnlyIfUnsent } else { Repeat::Always };
        let answer = self.client.json(&request, repeat, "an object").await;
        let answer = answer.map_err(|error| self.failed(&error, doing, permission))?;
        read(&answer.value).ok_or_else(|| odd(doing))
    }

    async fn list(
        &self,
        path: String,
        query: &[(&str, &str)],
        member: Option<&str>,
        most_pages: usize,
        about: (&str, &str),
    ) -> Result<pages::Listed, Warning> {
        let (doing, permission) = about;
        let listed = pages::list(&self.client, &path, query, member, most_pages).await;
        listed.map_err(|error| self.failed(&error, doing, permission))
    }

    async fn pulls(&self, path: String, query: &[(&str, &str)], doing: &str) -> Result<Vec<PullRequest>, Warning> {
        let listed = self.list(path, query, None, MOST_PAGES, (doing, PULLS)).await?;
        Ok(listed.entries.iter().filter_map(wire::pull_request).collect())
    }

    /// GraphQL knows the owner of every kind of token. `GET /user` refuses those of apps, `GITHUB_TOKEN` among them.
    async fn find_login(&self) -> Result<String, Warning> {
        let mut request = Request::new(Method::Post, "/graphql");
        request.body = Some(json!({"query": "query { viewer { login } }"}).to_string().into_bytes());
        // A question, though it is posted: it may be asked twice.
        let mut unanswered = None;
        match self.graphql.json(&request, Repeat::Always, "an object").await {
            Ok(answer) => {
                if let Some(login) = wire::text(&answer.value, "/data/viewer/login").filter(|login| !login.is_empty()) {
                    return Ok(login);
                }
            }
            Err(error) if error.is_unauthorized() || error.is_interrupted() => {
                return Err(self.failed(&error, WHOSE, OWNER));
            }
            Err(error) => unanswered = Some(error),
        }
        let request = Request::new(Method::Get, "/user");
        match self.client.json(&request, Repeat::Always, "an object").await {
            Ok(answer) => wire::text(&answer.value, "/login").ok_or_else(|| odd(WHOSE)),
            Err(error) if error.is_forbidden() => Ok(ACTIONS_BOT.to_owned()),
            // What went wrong first is what is to be fixed: this question is only asked because of it.
            Err(error) => Err(self.failed(&unanswered.unwrap_or(error), WHOSE, OWNER)),
        }
    }
}

/// An answer that is not what it should be.
pub(super) fn odd(doing: &str) -> Warning {
    Warning::new(WarningKind::Unreachable, doing).cause("the answer is not what this version of reachform knows")
}

impl Forge for GitHub {
    fn host(&self) -> Host {
        Host::GitHub
    }

    fn comment_bytes(&self) -> usize {
        COMMENT_BYTES
    }

    fn renew_patience(&self) {
        self.client.renew_deadline();
    }

    fn waited(&self) -> Duration {
        Duration::from_millis(self.client.traffic().waited_milliseconds)
    }

    fn pause(&self) -> Duration {
        self.client.pause()
    }

    fn settle(&self) -> Later<'_, ()> {
        self.client.clock().sleep(SETTLING)
    }

    fn login(&self) -> Answered<'_, String> {
        Box::pin(async move { self.login.get_or_try_init(|| self.find_login()).await.cloned() })
    }

    fn pull_request(&self, number: u64) -> Answered<'_, PullRequest> {
        Box::pin(async move {
            let doing = format!("read the pull request #{number}");
            self.ask(Method::Get, self.path(&format!("pulls/{number}")), None, (&doing, PULLS), wire::pull_request)
                .await
        })
    }

    fn pull_requests_of_commit<'a>(&'a self, sha: &'a str) -> Answered<'a, Vec<PullRequest>> {
        Box::pin(async move {
            let doing = format!("look for the pull request of the commit {}", short(sha));
            self.pulls(self.path(&format!("commits/{}/pulls", encode(sha))), &[], &doing).await
        })
    }

    fn pull_requests_of_branch<'a>(&'a self, branch: &'a str) -> Answered<'a, Vec<PullRequest>> {
        Box::pin(async move {
            let query = [("state", "open"), ("head", branch)];
            self.pulls(self.path("pulls"), &query, "look for the pull request of the branch").await
        })
    }

    fn merged_lately(&self) -> Answered<'_, Vec<PullRequest>> {
        Box::pin(async move {
            let query = [("state", "closed"), ("sort", "updated"), ("direction", "desc")];
            let about = ("look for the pull requests that were merged", PULLS);
            let listed = self.list(self.path("pulls"), &query, None, 1, about).await?;
            let pulls = listed.entries.iter().filter_map(wire::pull_request);
            Ok(pulls.filter(|pull| pull.merge_sha.is_some()).collect())
        })
    }

    fn has_commit<'a>(&'a self, number: u64, sha: &'a str) -> Answered<'a, bool> {
        Box::pin(async move {
            let doing = format!("read the commits of the pull request #{number}");
            let path = self.path(&format!("pulls/{number}/commits"));
            let listed = self.list(path, &[], None, MOST_PAGES, (&doing, PULLS)).await?;
            Ok(listed.entries.iter().any(|commit| wire::text(commit, "/sha").as_deref() == Some(sha)))
        })
    }

    fn comments(&self, number: u64) -> Answered<'_, Vec<Comment>> {
        Box::pin(async move {
            let doing = format!("read the comments on #{number}");
            let path = self.path(&format!("issues/{number}/comments"));
            let listed = self.list(path, &[], None, MOST_PAGES, (&doing, PULLS)).await?;
            Ok(listed.entries.iter().filter_map(wire::comment).collect())
        })
    }

    fn create_comment<'a>(&'a self, number: u64, body: &'a str) -> Answered<'a, Comment> {
        Box::pin(async move {
            let doing = format!("write the comment on #{number}");
            let path = self.path(&format!("issues/{number}/comments"));
            let body = json!({ "body": body });
            self.ask(Method::Post, path, Some(body), (&doing, COMMENTS), wire::comment).await
        })
    }

    fn edit_comment<'a>(&'a self, number: u64, id: u64, body: &'a str) -> Answered<'a, Comment> {
        Box::pin(async move {
            let doing = format!("edit the comment on #{number}");
            let path = self.path(&format!("issues/comments/{id}"));
            let body = json!({ "body": body });
            self.ask(Method::Patch, path, Some(body), (&doing, COMMENTS), wire::comment).await
        })
    }

    fn labels(&self, number: u64) -> Answered<'_, Vec<String>> {
        Box::pin(async move {
            let doing = format!("read the labels of #{number}");
            let path = self.path(&format!("issues/{number}/labels"));
            let listed = self.list(path, &[], None, MOST_PAGES, (&doing, PULLS)).await?;
            Ok(listed.entries.iter().filter_map(|label| Some(label.get("name")?.as_str()?.to_owned())).collect())
        })
    }

    fn relabel<'a>(&'a self, number: u64, add: Option<&'a str>, remove: &'a [String]) -> Answered<'a, ()> {
        Box::pin(async move {
            let doing = format!("label #{number}");
            let read = |value: &Value| value.is_array().then_some(());
            if let Some(label) = add {
                let path = self.path(&format!("issues/{number}/labels"));
                let body = json!({ "labels": [label] });
                self.ask(Method::Post, path, Some(body), (&doing, COMMENTS), read).await?;
            }
            for label in remove {
                let path = self.path(&format!("issues/{number}/labels/{}", encode(label)));
                match self.ask(Method::Delete, path, None, (&doing, COMMENTS), read).await {
                    Err(warning) if warning.kind == WarningKind::NotFound => {}
                    ended => ended?,
                }
            }
            Ok(())
        })
    }

    fn issues<'a>(&'a self, label: Option<&'a str>) -> Answered<'a, Issues> {
        Box::pin(async move {
            let mut query = vec![("state", "all"), ("sort", "created"), ("direction", "desc")];
            query.extend(label.map(|label| ("labels", label)));
            let most_pages = if label.is_some() { MOST_PAGES } else { ISSUE_PAGES };
            let listed = self.list(self.path("issues"), &query, None, most_pages, ("read the issues", ISSUES)).await?;
            let list =
                listed.entries.iter().filter(|entry| !wire::is_pull_request(entry)).filter_map(wire::issue).collect();
            Ok(Issues { list, complete: listed.complete })
        })
    }

    fn create_issue<'a>(&'a self, title: &'a str, body: &'a str, labels: &'a [String]) -> Answered<'a, Issue> {
        Box::pin(async move {
            let body = json!({"title": title, "body": body, "labels": labels});
            self.ask(Method::Post, self.path("issues"), Some(body), ("open the issue", ISSUES), wire::issue).await
        })
    }

    fn edit_issue<'a>(&'a self, number: u64, edit: &'a IssueEdit) -> Answered<'a, Issue> {
        Box::pin(async move {
            let doing = format!("edit the issue #{number}");
            let path = self.path(&format!("issues/{number}"));
            self.ask(Method::Patch, path, Some(wire::edit(edit)), (&doing, ISSUES), wire::issue).await
        })
    }

    fn comment_on_issue<'a>(&'a self, number: u64, body: &'a str) -> Answered<'a, ()> {
        Box::pin(async move {
            let doing = format!("comment on the issue #{number}");
            let path = self.path(&format!("issues/{number}/comments"));
            let body = json!({ "body": body });
            self.ask(Method::Post, path, Some(body), (&doing, ISSUES), wire::comment).await.map(|_comment| ())
        })
    }

    fn check_runs<'a>(&'a self, sha: &'a str, name: &'a str) -> Answered<'a, Vec<CheckRun>> {
        Box::pin(async move {
            let doing = format!("read the check runs of the commit {}", short(sha));
            let path = self.path(&format!("commits/{}/check-runs", encode(sha)));
            let query = [("check_name", name), ("filter", "all")];
            let listed = self.list(path, &query, Some("check_runs"), MOST_PAGES, (&doing, "`checks: read`")).await?;
            Ok(listed.entries.iter().filter_map(wire::check_run).collect())
        })
    }

    fn write_check<'a>(&'a self, id: Option<u64>, check: &'a NewCheck) -> Answered<'a, CheckRun> {
        Box::pin(async move {
            let doing = format!("write the check run on the commit {}", short(&check.head_sha));
            let body = Some(wire::check(check, id.is_none()));
            let (method, path) = match id {
                Some(id) => (Method::Patch, self.path(&format!("check-runs/{id}"))),
                None => (Method::Post, self.path("check-runs")),
            };
            self.ask(method, path, body, (&doing, CHECKS), wire::check_run).await
        })
    }
}

/// The beginning of a commit, for messages.
pub(super) fn short(sha: &str) -> String {
    sha.chars().filter(char::is_ascii_alphanumeric).take(7).collect()
}

/// A part of a path.
pub(super) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
