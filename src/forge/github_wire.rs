//! PURE. GitHub's JSON, as far as it is read.

use serde_json::{Value, json};

use super::check::CheckRun;
use super::comment::Comment;
use super::service::{Closing, Issue, IssueEdit, NewCheck, PullRequest};

pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

pub(super) fn comment(value: &Value) -> Option<Comment> {
    Some(Comment {
        id: number(value, "/id")?,
        // A deleted account wrote what has no user any more.
        author: text(value, "/user/login").unwrap_or_default(),
        body: text(value, "/body").unwrap_or_default(),
        url: text(value, "/html_url").unwrap_or_default(),
        minimised: value.get("minimized").is_some_and(|minimized| !minimized.is_null() && minimized != &json!(false)),
    })
}

pub(super) fn pull_request(value: &Value) -> Option<PullRequest> {
    Some(PullRequest {
        number: number(value, "/number")?,
        head_sha: text(value, "/head/sha")?,
        head_repository: text(value, "/head/repo/full_name"),
        merge_sha: text(value, "/merge_commit_sha").filter(|_| text(value, "/merged_at").is_some()),
        open: text(value, "/state").as_deref() == Some("open"),
        url: text(value, "/html_url").unwrap_or_default(),
    })
}

pub(super) fn issue(value: &Value) -> Option<Issue> {
    Some(Issue {
        number: number(value, "/number")?,
        author: text(value, "/user/login").unwrap_or_default(),
        title: text(value, "/title").unwrap_or_default(),
        body: text(value, "/body").unwrap_or_default(),
        open: text(value, "/state").as_deref() == Some("open"),
        url: text(value, "/html_url").unwrap_or_default(),
    })
}

/// The list of issues holds pull requests too.
pub(super) fn is_pull_request(value: &Value) -> bool {
    value.get("pull_request").is_some_and(|mark| !mark.is_null())
}

pub(super) fn check_run(value: &Value) -> Option<CheckRun> {
    Some(CheckRun {
        id: number(value, "/id")?,
        name: text(value, "/name")?,
        app: text(value, "/app/slug"),
        external_id: text(value, "/external_id").filter(|id| !id.is_empty()),
        completed: text(value, "/status").as_deref() == Some("completed"),
        conclusion: text(value, "/conclusion"),
        title: text(value, "/output/title").unwrap_or_default(),
        summary: text(value, "/output/summary").unwrap_or_default(),
        url: text(value, "/html_url").unwrap_or_default(),
    })
}

pub(super) fn edit(edit: &IssueEdit) -> Value {
    let IssueEdit { body, open } = edit;
    let mut out = json!({});
    if let Some(body) = body {
        out["body"] = json!(body);
    }
    if let Some(open) = open {
        let (state, reason) = match open {
            Closing::Open => ("open", "reopened"),
            Closing::Done => ("closed", "completed"),
            Closing::Duplicate => ("closed", "not_planned"),
        };
        out["state"] = json!(state);
        out["state_reason"] = json!(reason);
    }
    out
}

/// The body of a new check run, or of one that is written anew: there the commit stands fast.
pub(super) fn check(check: &NewCheck, is_new: bool) -> Value {
    let NewCheck { name, head_sha, external_id, conclusion, title, summary, details_url } = check;
    let mut out = json!({
        "name": name,
        "external_id": external_id,
        "status": "completed",
        "conclusion": conclusion,
        "output": {"title": title, "summary": summary},
    });
    if is_new {
        out["head_sha"] = json!(head_sha);
    }
    if let Some(url) = details_url {
        out["details_url"] = json!(url);
    }
    out
}
