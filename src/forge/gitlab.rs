//! GitLab: notes on merge requests, and issues. It has no check runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::http::runtime::Later;
use crate::http::{Client, Method, Repeat, Request};

use super::check::CheckRun;
use super::comment::Comment;
use super::context::Host;
use super::dialect::{Accepted, Dialect};
use super::github::{encode, odd, short};
use super::github_wire::text;
use super::pages::{self, MOST_PAGES};
use super::service::{Answered, Closing, Connection, Forge, Issue, IssueEdit, Issues, NewCheck, PullRequest, SETTLING};
use super::warning::{Warning, WarningKind};

/// Most bytes of a note. GitLab takes 1,000,000 characters; nobody reads a tenth of it, and pages with such notes load
/// slowly, but a plan of thousands of agents is whole.
const NOTE_BYTES: usize = 900_000;

/// Most pages of issues that are looked through for one that has lost its label: the two thousand newest.
const ISSUE_PAGES: usize = 20;

/// What a token needs. That of the job itself (CI_JOB_TOKEN) writes no notes.
const TOKEN: &str = "`api` (a project access token with the scope `api` and the role Reporter)";

/// A project on GitLab.
pub(super) struct GitLab {
    client: Client,
    project: String,
    login: OnceCell<String>,
}

impl GitLab {
    pub(super) fn new(connection: &Connection, project: &str) -> Self {
        let client = connection
            .client()
            .through(|inner| Arc::new(Dialect::new(inner, Arc::clone(&connection.clock), &[], Accepted::default())));
        Self { client, project: encode(project), login: OnceCell::new() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/projects/{}/{rest}", self.project)
    }

    async fn ask<T>(
        &self,
        method: Method,
        path: String,
        body: Option<Value>,
        doing: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Warning> {
        let mut request = Request::new(method, path);
        request.body = body.map(|body| body.to_string().into_bytes());
        let repeat = if method == Method::Post { Repeat::OnlyIfUnsent } else { Repeat::Always };
        let answer = self.client.json(&request, repeat, "an object").await;
        let answer = answer.map_err(|error| Warning::of(&error, doing, TOKEN, None))?;
        read(&answer.value).ok_or_else(|| odd(doing))
    }

    async fn list(
        &self,
        path: String,
        query: &[(&str, &str)],
        most_pages: usize,
        doing: &str,
    ) -> Result<pages::Listed, Warning> {
        let listed = pages::list(&self.client, &path, query, None, most_pages).await;
        listed.map_err(|error| Warning::of(&error, doing, TOKEN, None))
    }

    async fn merge_requests(
        &self,
        path: String,
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<Vec<PullRequest>, Warning> {
        let listed = self.list(path, query, MOST_PAGES, doing).await?;
        Ok(listed.entries.iter().filter_map(merge_request).collect())
    }
}

fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

fn note(value: &Value) -> Option<Comment> {
    Some(Comment {
        id: number(value, "/id")?,
        author: text(value, "/author/username").unwrap_or_default(),
        body: text(value, "/body").unwrap_or_default(),
        // GitLab names no address of a note; that of the merge request is put before it.
        url: String::new(),
        minimised: false,
    })
}

fn merge_request(value: &Value) -> Option<PullRequest> {
    Some(PullRequest {
        number: number(value, "/iid")?,
        head_sha: text(value, "/sha").unwrap_or_default(),
        head_repository: number(value, "/source_project_id").map(|id| id.to_string()),
        // A squashed commit is there before the merge.
        merge_sha: text(value, "/merge_commit_sha")
            .or_else(|| text(value, "/squash_commit_sha"))
            .filter(|_| text(value, "/state").as_deref() == Some("merged")),
        open: text(value, "/state").as_deref() == Some("opened"),
        url: text(value, "/web_url").unwrap_or_default(),
    })
}

fn issue(value: &Value) -> Option<Issue> {
    Some(Issue {
        number: number(value, "/iid")?,
        author: text(value, "/author/username").unwrap_or_default(),
        title: text(value, "/title").unwrap_or_default(),
        body: text(value, "/description").unwrap_or_default(),
        open: text(value, "/state").as_deref() == Some("opened"),
        url: text(value, "/web_url").unwrap_or_default(),
    })
}

fn no_checks<T>(doing: &str) -> Result<T, Warning> {
    Err(Warning::new(WarningKind::Unsupported, doing).cause("GitLab has no check runs"))
}

impl Forge for GitLab {
    fn host(&self) -> Host {
        Host::GitLab
    }

    fn comment_bytes(&self) -> usize {
        NOTE_BYTES
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
        Box::pin(async move {
            let find = || async {
                let read = |value: &Value| text(value, "/username").filter(|name| !name.is_empty());
                self.ask(Method::Get, "/user".to_owned(), None, "find out whose the token is", read).await
            };
            self.login.get_or_try_init(find).await.cloned()
        })
    }

    fn pull_request(&self, number: u64) -> Answered<'_, PullRequest> {
        Box::pin(async move {
            let doing = format!("read the merge request !{number}");
            self.ask(Method::Get, self.path(&format!("merge_requests/{number}")), None, &doing, merge_request).await
        })
    }

    fn pull_requests_of_commit<'a>(&'a self, sha: &'a str) -> Answered<'a, Vec<PullRequest>> {
        Box::pin(async move {
            let doing = format!("look for the merge request of the commit {}", short(sha));
            let path = self.path(&format!("repository/commits/{}/merge_requests", encode(sha)));
            self.merge_requests(path, &[], &doing).await
        })
    }

    fn pull_requests_of_branch<'a>(&'a self, branch: &'a str) -> Answered<'a, Vec<PullRequest>> {
        Box::pin(async move {
            let query = [("state", "opened"), ("source_branch", branch)];
            self.merge_requests(self.path("merge_requests"), &query, "look for the merge request of the branch").await
        })
    }

    fn merged_lately(&self) -> Answered<'_, Vec<PullRequest>> {
        Box::pin(async move {
            let query = [("state", "merged"), ("order_by", "updated_at"), ("sort", "desc")];
            let doing = "look for the merge requests that were merged";
            let listed = self.list(self.path("merge_requests"), &query, 1, doing).await?;
            Ok(listed.entries.iter().filter_map(merge_request).filter(|found| found.merge_sha.is_some()).collect())
        })
    }

    fn has_commit<'a>(&'a self, number: u64, sha: &'a str) -> Answered<'a, bool> {
        Box::pin(async move {
            let doing = format!("read the commits of the merge request !{number}");
            let path = self.path(&format!("merge_requests/{number}/commits"));
            let listed = self.list(path, &[], MOST_PAGES, &doing).await?;
            Ok(listed.entries.iter().any(|commit| text(commit, "/id").as_deref() == Some(sha)))
        })
    }

    fn comments(&self, number: u64) -> Answered<'_, Vec<Comment>> {
        Box::pin(async move {
            let doing = format!("read the notes on !{number}");
            let path = self.path(&format!("merge_requests/{number}/notes"));
            let query = [("sort", "asc"), ("order_by", "created_at")];
            let listed = self.list(path, &query, MOST_PAGES, &doing).await?;
            Ok(listed.entries.iter().filter_map(note).collect())
        })
    }

    fn create_comment<'a>(&'a self, number: u64, body: &'a str) -> Answered<'a, Comment> {
        Box::pin(async move {
            let doing = format!("write the note on !{number}");
            let path = self.path(&format!("merge_requests/{number}/notes"));
            self.ask(Method::Post, path, Some(json!({ "body": body })), &doing, note).await
        })
    }

    fn edit_comment<'a>(&'a self, number: u64, id: u64, body: &'a str) -> Answered<'a, Comment> {
        Box::pin(async move {
            let doing = format!("edit the note on !{number}");
            let path = self.path(&format!("merge_requests/{number}/notes/{id}"));
            self.ask(Method::Put, path, Some(json!({ "body": body })), &doing, note).await
        })
    }

    fn labels(&self, number: u64) -> Answered<'_, Vec<String>> {
        Box::pin(async move {
            let doing = format!("read the labels of !{number}");
            let path = self.path(&format!("merge_requests/{number}"));
            self.ask(Method::Get, path, None, &doing, |value| {
                let labels = value.get("labels")?.as_array()?;
                Some(labels.iter().filter_map(|label| Some(label.as_str()?.to_owned())).collect())
            })
            .await
        })
    }

    fn relabel<'a>(&'a self, number: u64, add: Option<&'a str>, remove: &'a [String]) -> Answered<'a, ()> {
        Box::pin(async move {
            let doing = format!("label !{number}");
            let path = self.path(&format!("merge_requests/{number}"));
            let body = json!({"add_labels": add.unwrap_or_default(), "remove_labels": remove.join(",")});
            self.ask(Method::Put, path, Some(body), &doing, merge_request).await.map(|_request| ())
        })
    }

    fn issues<'a>(&'a self, label: Option<&'a str>) -> Answered<'a, Issues> {
        Box::pin(async move {
            let mut query = vec![("scope", "all"), ("order_by", "created_at"), ("sort", "desc")];
            query.extend(label.map(|label| ("labels", label)));
            let most_pages = if label.is_some() { MOST_PAGES } else { ISSUE_PAGES };
            let listed = self.list(self.path("issues"), &query, most_pages, "read the issues").await?;
            Ok(Issues { list: listed.entries.iter().filter_map(issue).collect(), complete: listed.complete })
        })
    }

    fn create_issue<'a>(&'a self, title: &'a str, body: &'a str, labels: &'a [String]) -> Answered<'a, Issue> {
        Box::pin(async move {
            let body = json!({"title": title, "description": body, "labels": labels.join(",")});
            self.ask(Method::Post, self.path("issues"), Some(body), "open the issue", issue).await
        })
    }

    fn edit_issue<'a>(&'a self, number: u64, edit: &'a IssueEdit) -> Answered<'a, Issue> {
        Box::pin(async move {
            let IssueEdit { body, open } = edit;
            let mut out = json!({});
            if let Some(body) = body {
                out["description"] = json!(body);
            }
            match open {
                Some(Closing::Open) => out["state_event"] = json!("reopen"),
                Some(Closing::Done | Closing::Duplicate) => out["state_event"] = json!("close"),
                None => {}
            }
            let doing = format!("edit the issue #{number}");
            self.ask(Method::Put, self.path(&format!("issues/{number}")), Some(out), &doing, issue).await
        })
    }

    fn comment_on_issue<'a>(&'a self, number: u64, body: &'a str) -> Answered<'a, ()> {
        Box::pin(async move {
            let doing = format!("comment on the issue #{number}");
            let path = self.path(&format!("issues/{number}/notes"));
            self.ask(Method::Post, path, Some(json!({ "body": body })), &doing, note).await.map(|_note| ())
        })
    }

    fn check_runs<'a>(&'a self, _sha: &'a str, _name: &'a str) -> Answered<'a, Vec<CheckRun>> {
        Box::pin(async { no_checks("read the check runs") })
    }

    fn write_check<'a>(&'a self, _id: Option<u64>, _check: &'a NewCheck) -> Answered<'a, CheckRun> {
        Box::pin(async { no_checks("write the check run") })
    }
}
